/* SPDX-License-Identifier: Apache-2.0 */
/* Whose window a limit keeps where it is, and for how long. */
#include <check.h>

#include "dataplane/pipeline/pace.h"
#include "dataplane/pipeline/wire.h"
#include "tests/support/edited.h"
#include "tests/support/ensure.h"
#include "tests/support/limited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	PORT = 40000,
	BOUND = 3 * 1460, /* the narrowest */
	STEP = 1 << 8, /* of the broker's window */
	SEGMENT = 1400,
	LARGE = 60000,
	HUGE = 1 << 20,
	HUGE_PART = 1 << 18, /* of it, where a quarter of a second is more */
};

static const uint8_t zeros[SEGMENT];

static void
limit(const char *match, const char *action)
{
	rule_put(RULE, 10, match, action, false);
}

static void
produce(void)
{
	limited_produce(6, 1, "orders");
	edited_pass(LP_TO_BROKER);
}

static void
produce_to(const char *topic)
{
	limited_produce(6, 0, topic);
	edited_pass(LP_TO_BROKER);
}

static void
answered(int32_t told_ms)
{
	limited_produce_answer(0, told_ms);
	edited_pass(LP_TO_CLIENT);
}

/* Of kafka_talk. */
static const struct lp_conn *
connection(void)
{
	const struct lp_conn *conn = plane.region.connections;

	while (conn->use != LP_CONN_USED ||
	    conn->client_port != PORT + kafka_talk.more)
		conn++;
	return conn;
}

static const struct lp_pace_side *
side(enum lp_direction sender)
{
	const struct lp_conn *conn = connection();

	if (!(conn->paced & 1u << sender))
		return NULL;
	return &plane.region.kafka.paces[conn - plane.region.connections]
		    .sides[sender];
}

static void
held(enum lp_direction sender, uint64_t wait_ms)
{
	const struct lp_pace_side *is = side(sender);

	if (wait_ms == 0) {
		ck_assert(is == NULL || is->until_ns <= plane.now_ns);
		return;
	}
	ck_assert_ptr_nonnull(is);
	ck_assert_uint_eq(is->until_ns, plane.now_ns + wait_ms * MS);
}

START_TEST(who_sends_too_much_is_held)
{
	limit("api=Produce", "limit requests=1/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	held(LP_TO_BROKER, 0);
	answered(0);
	limited_produce(6, 0, "orders");
	edited_pass(LP_TO_BROKER);
	held(LP_TO_BROKER, 1000);
	for (unsigned i = 0; i < 9; i++) {
		limited_produce(6, 0, "orders");
		edited_pass(LP_TO_BROKER);
	}
	held(LP_TO_BROKER, LP_LIMIT_HELD_MS);
	held(LP_TO_CLIENT, 0);
}
END_TEST

/* A request of so many bytes more than there is room for in a frame. */
static void
produce_more(uint32_t more)
{
	size_t records;

	kafka_produce_request(7, 0, LARGE);
	records = kafka_frame.len - LARGE - 4;
	lp_put32(kafka_frame.bytes, lp_get32(kafka_frame.bytes) + more);
	lp_put32(kafka_frame.bytes + records, LARGE + more);
	kafka_send_frame(LP_TO_BROKER, &kafka_frame);
	for (uint32_t some; more > 0; more -= some) {
		some = more < SEGMENT ? more : SEGMENT;
		kafka_send(LP_TO_BROKER, kafka_frame.bytes + 1000, some);
	}
	plane_forget();
}

/* Of large ones not many are under way. */
START_TEST(for_a_large_request_its_client_is_held_longer)
{
	size_t head;

	limit("api=Produce", "limit bytes=1kB/s");
	edited_publish(LP_UNJUDGED_PASS);
	/* It has room for all of them. */
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	kafka_produce_request(7, 0, LARGE);
	head = kafka_frame.len;
	for (unsigned i = 0; i < 2; i++)
		produce_more(LP_LIMIT_ALONE_BYTES - 1 - (uint32_t)head);
	held(LP_TO_BROKER, LP_LIMIT_HELD_MS);
	produce_more(LP_LIMIT_ALONE_BYTES - (uint32_t)head);
	held(LP_TO_BROKER, LP_LIMIT_HELD_ALONE_MS);
}
END_TEST

/* Its broker waits for them no longer than its session. */
START_TEST(nobody_is_held_for_long_in_front_of_heartbeats)
{
	limit("", "limit bytes=1kB/s");
	edited_publish(LP_UNJUDGED_PASS);
	limited_heartbeat();
	edited_pass(LP_TO_BROKER);
	kafka_response(&edited_sent, 7, false);
	kafka_int16(&edited_sent, 0);
	edited_wanted.len = 0;
	edited_same();
	edited_end();
	edited_pass(LP_TO_CLIENT);
	produce_more(LP_LIMIT_ALONE_BYTES);
	held(LP_TO_BROKER, LP_LIMIT_HELD_MS);
	limited_fetch(8);
	edited_pass(LP_TO_BROKER);
	limited_fetch_answer(1000);
	edited_pass(LP_TO_CLIENT);
	held(LP_TO_CLIENT, LP_LIMIT_HELD_MS);
}
END_TEST

START_TEST(who_may_be_told_to_wait_longer_is_held_longer)
{
	limit("api=Produce", "limit requests=1/s max_throttle=19s");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 20; i++) {
		limited_produce(6, 0, "orders");
		edited_pass(LP_TO_BROKER);
	}
	held(LP_TO_BROKER, 19000);
}
END_TEST

/* Of small requests a window has room for many. */
START_TEST(a_window_is_of_so_many_requests)
{
	limit("api=Produce", "limit requests=1000/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	ck_assert_uint_eq(
	    side(LP_TO_BROKER)->window, 250 * (uint32_t)edited_sent.len + 1);
}
END_TEST

/* Bytes that its client may send at once. */
static uint32_t
room(void)
{
	return side(LP_TO_BROKER)->edge - kafka_talk.next[LP_TO_BROKER];
}

/* Each of them is acknowledged, and is less than what a window can name. */
START_TEST(who_sends_little_at_a_time_is_held)
{
	uint32_t begin, had;

	limit("", "limit requests=1/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce_to("orders");
	produce_to("orders");
	held(LP_TO_BROKER, 1000);
	begin = kafka_talk.next[LP_TO_BROKER];
	had = room();
	ck_assert_uint_lt(edited_sent.len, STEP);
	while (room() <= had && room() > edited_sent.len) {
		produce_to("orders");
		ck_assert_uint_le(
		    kafka_talk.next[LP_TO_BROKER] - begin, had + STEP);
	}
}
END_TEST

/* Round trips in which its client sends a frame: as much as it may in each. */
static unsigned
round_trips(void)
{
	uint32_t len = (uint32_t)edited_sent.len, sent = 0;
	unsigned trips = 0;

	edited_left_len = 0;
	while (sent < len) {
		uint32_t upto = sent + room() < len ? sent + room() : len;

		ensure(upto > sent, "it stalls at %u of %u bytes", sent, len);
		trips++;
		for (uint32_t at = sent; at < upto; at += SEGMENT) {
			uint32_t some =
			    upto - at < SEGMENT ? upto - at : SEGMENT;

			kafka_send(LP_TO_BROKER, edited_sent.bytes + at, some);
		}
		sent = upto;
		kafka_acknowledge(LP_TO_CLIENT);
		plane_forget();
	}
	return trips;
}

/* Those have bound it; the large one is one, too. */
START_TEST(a_large_request_behind_small_ones_takes_few_round_trips)
{
	limit("", "limit requests=100/s");
	edited_publish(LP_UNJUDGED_PASS);
	/* What it was told of before it was bound is sent. */
	do
		produce_to("orders");
	while (room() > BOUND);
	plane_wait_ms(LP_LIMIT_HELD_MS);
	plane_wait_ms(1);
	plane_forget();
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, BOUND);
	kafka_produce_request(7, 0, LARGE);
	edited_sent = kafka_frame;
	ck_assert_uint_le(round_trips(), 3);
	/* And is none of so many small ones. */
	plane_wait_ms(LP_LIMIT_HELD_MS);
	plane_forget();
	produce_to("orders");
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, BOUND);
}
END_TEST

/* What passes in a quarter of a second, however it is mixed. */
START_TEST(a_large_request_is_not_for_free_where_bytes_are_limited)
{
	limit("", "limit requests=100/s bytes=2MB/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	kafka_produce_request(7, 0, LARGE);
	lp_put32(kafka_frame.bytes, HUGE);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, SEGMENT);
	plane_forget();
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	ck_assert_uint_eq(room(), HUGE_PART);
}
END_TEST

/* A large one, of whose client no more is let in behind it. */
static void
produce_large_to(const char *topic, uint32_t bound)
{
	uint32_t left = HUGE, some;

	limited_produce(6, 0, topic);
	lp_put32(edited_sent.bytes, HUGE - 4);
	kafka_send(LP_TO_BROKER, edited_sent.bytes, edited_sent.len);
	for (left -= (uint32_t)edited_sent.len; left > 0; left -= some) {
		kafka_acknowledge(LP_TO_CLIENT);
		plane_forget();
		some = left < SEGMENT ? left : SEGMENT;
		ck_assert_uint_ge(room(), some);
		ck_assert_uint_le(room(), (left > bound ? left : bound) + STEP);
		kafka_send(LP_TO_BROKER, zeros, some);
	}
}

/* It passes whole; behind it there is no more than before. */
START_TEST(a_large_request_that_is_not_limited_does_not_unbind)
{
	limit("api=Produce topic=orders", "limit requests=1/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce_to("orders");
	while (room() > BOUND)
		produce_to("other");
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, BOUND);
	produce_large_to("other", BOUND);
	for (unsigned i = 0; i < 100; i++) {
		produce_to("other");
		ck_assert_uint_le(room(), BOUND + STEP);
		ck_assert_uint_gt(room(), 2 * SEGMENT);
	}
}
END_TEST

START_TEST(what_is_not_limited_does_not_unbind_in_between)
{
	limit("api=Produce topic=orders", "limit bytes=1MB/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce_to("orders");
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	produce_to("other");
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	plane_wait_ms(4000);
	produce_to("orders");
	plane_wait_ms(4000);
	produce_to("other");
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	/* It sends others now. */
	plane_wait_ms(1000);
	produce_to("other");
	ck_assert(
	    side(LP_TO_BROKER) == NULL || side(LP_TO_BROKER)->window == 0);
}
END_TEST

/* Bound as long as it owes something, and some more. */
START_TEST(a_debt_binds_longer_than_it_holds)
{
	limit("api=Produce topic=orders", "limit requests=1/s bytes=10MB/s");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 31; i++)
		produce_to("orders");
	held(LP_TO_BROKER, LP_LIMIT_HELD_MS);
	plane_wait_ms(30000);
	plane_wait_ms(1000);
	plane_forget();
	produce_to("other");
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, BOUND);
	plane_wait_ms(5000);
	produce_to("other");
	ck_assert(
	    side(LP_TO_BROKER) == NULL || side(LP_TO_BROKER)->window == 0);
}
END_TEST

/* One of several clients, which always has a request to send. */
struct sender {
	struct kafka_talk talk;
	uint32_t left; /* of one that it has begun */
};

enum {
	SENDERS = 8,
	OF_EACH = 300000,
	ROOM = 1 << 17, /* that their brokers give them */
	BEFORE_S = 16,
	MEASURED_S = 64,
};

/* All that it may send now; in bytes. */
static uint32_t
send_all(struct sender *sender)
{
	uint32_t sum = 0, some = 1;

	kafka_talk = sender->talk;
	while (some > 0) {
		const struct lp_pace_side *is = side(LP_TO_BROKER);
		uint32_t edge = is == NULL
		    ? connection()->tcp.peer[LP_TO_BROKER].limit
		    : is->edge;
		int32_t may = (int32_t)(edge - kafka_talk.next[LP_TO_BROKER]);

		if (sender->left == 0)
			sender->left = OF_EACH;
		some = sender->left < SEGMENT ? sender->left : SEGMENT;
		if (may < (int32_t)some)
			some = 0;
		if (some > 0)
			kafka_send(LP_TO_BROKER,
			    kafka_frame.bytes +
				(sender->left == OF_EACH ? 0 : SEGMENT),
			    some);
		sender->left -= some;
		sum += some;
		kafka_send_flags(LP_TO_CLIENT, "A", ROOM / STEP, NULL, 0);
		plane_forget();
	}
	sender->talk = kafka_talk;
	return sum;
}

/* Each has to wait for all others: eight seconds. */
START_TEST(many_with_large_requests_share_what_there_is)
{
	static struct sender senders[SENDERS];
	uint64_t sum = 0;
	size_t records;

	limit("api=Produce", "limit bytes=300kB/s");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < SENDERS; i++) {
		kafka_talk.more = (uint16_t)(i + 1);
		kafka_connect();
		senders[i].talk = kafka_talk;
	}
	kafka_produce_request(7, 0, LARGE);
	records = kafka_frame.len - LARGE;
	lp_put32(kafka_frame.bytes, OF_EACH - 4);
	lp_put32(kafka_frame.bytes + records - 4, OF_EACH - (uint32_t)records);
	for (unsigned ms = 0; ms < (BEFORE_S + MEASURED_S) * 1000; ms += 20) {
		for (unsigned i = 0; i < SENDERS; i++) {
			uint32_t sent = send_all(&senders[i]);

			if (ms >= BEFORE_S * 1000)
				sum += sent;
		}
		plane_wait_ms(20);
		plane_forget();
	}
	ck_assert_uint_gt(sum, (uint64_t)MEASURED_S * OF_EACH / 100 * 95);
	ck_assert_uint_lt(sum, (uint64_t)MEASURED_S * OF_EACH / 100 * 105);
}
END_TEST

static const struct {
	const char *narrow, *wide;
	uint32_t most;
} pairs[] = {
    {"limit bytes=1MB/s", "limit bytes=1GB/s", 250000},
    {"limit bytes=1MB/s", "limit requests=1000000/s", 250000},
    {"limit requests=100/s", "limit bytes=1GB/s", BOUND},
};

START_TEST(of_two_rules_the_narrower_one_binds)
{
	limit("api=Produce topic=orders", pairs[_i].narrow);
	rule_put(OTHER, 20, "api=Produce topic=other", pairs[_i].wide, false);
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 3; i++) {
		produce_to("orders");
		ck_assert_uint_le(side(LP_TO_BROKER)->window, pairs[_i].most);
		produce_to("other");
		ck_assert_ptr_nonnull(side(LP_TO_BROKER));
		ck_assert_uint_gt(side(LP_TO_BROKER)->window, 0);
		ck_assert_uint_le(side(LP_TO_BROKER)->window, pairs[_i].most);
	}
	produce_large_to("other", HUGE);
	ck_assert_uint_le(side(LP_TO_BROKER)->window, pairs[_i].most);
	plane_wait_ms(5000);
	produce_to("other");
	ck_assert(
	    side(LP_TO_BROKER) == NULL || side(LP_TO_BROKER)->window == 0);
}
END_TEST

START_TEST(of_a_fetch_the_broker_is_held_when_it_has_answered)
{
	limit("api=Fetch", "limit bytes=1kB/s burst=200B");
	edited_publish(LP_UNJUDGED_PASS);
	limited_fetch(8);
	edited_pass(LP_TO_BROKER);
	limited_fetch_answer(0);
	edited_pass(LP_TO_CLIENT);
	limited_fetch(8);
	edited_pass(LP_TO_BROKER);
	limited_fetch_answer(LIMITED_ANSWER);
	edited_left_len = 0;
	edited_send_part(LP_TO_CLIENT, 0, LIMITED_ANSWER - 1);
	held(LP_TO_CLIENT, 0);
	edited_send_part(LP_TO_CLIENT, LIMITED_ANSWER - 1, 1);
	edited_has_left();
	held(LP_TO_CLIENT, LIMITED_ANSWER);
	held(LP_TO_BROKER, 0);
}
END_TEST

START_TEST(a_window_is_a_quarter_of_a_second_until_the_rule_goes)
{
	limit("api=Produce", "limit bytes=1MB/s");
	rule_put(OTHER, 5, "api=Produce topic=none", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	answered(0);
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	/* What is no request of this rule's does not say that it has gone. */
	limited_heartbeat();
	edited_pass(LP_TO_BROKER);
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	plane_publish();
	produce();
	/* It may still open, in parts; it is not bound any more. */
	ck_assert(
	    side(LP_TO_BROKER) == NULL || side(LP_TO_BROKER)->window == 0);
}
END_TEST

/* In the midst of a frame, by a process that reads frames otherwise. */
START_TEST(whose_streams_are_lost_by_a_restart_is_not_bound)
{
	limit("api=Produce", "limit bytes=1MB/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	kafka_produce_request(7, 1, LARGE);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, SEGMENT);
	plane_forget();
	plane.region.header->kafka_tables++;
	plane_restart();
	plane_publish();
	/* It opens in parts. */
	for (unsigned i = 0; i < 100; i++)
		plane_wait_ms(1);
	ck_assert_ptr_null(side(LP_TO_BROKER));
}
END_TEST

/* Heartbeats alone go by it for half of what the low bits of a time are. */
START_TEST(a_bound_of_long_ago_is_none)
{
	limit("api=Produce topic=orders", "limit bytes=1MB/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce_to("orders");
	for (unsigned i = 0; i < 6; i++) {
		plane_wait_ms(6000 * 1000);
		plane_forget();
		limited_heartbeat();
		edited_pass(LP_TO_BROKER);
	}
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	produce_to("other");
	ck_assert(
	    side(LP_TO_BROKER) == NULL || side(LP_TO_BROKER)->window == 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, who_sends_too_much_is_held);
	tcase_add_test(tests, for_a_large_request_its_client_is_held_longer);
	tcase_add_test(tests, nobody_is_held_for_long_in_front_of_heartbeats);
	tcase_add_test(tests, who_may_be_told_to_wait_longer_is_held_longer);
	tcase_add_test(tests, a_window_is_of_so_many_requests);
	tcase_add_test(tests, who_sends_little_at_a_time_is_held);
	tcase_add_test(
	    tests, a_large_request_behind_small_ones_takes_few_round_trips);
	tcase_add_test(
	    tests, a_large_request_is_not_for_free_where_bytes_are_limited);
	tcase_add_test(
	    tests, a_large_request_that_is_not_limited_does_not_unbind);
	tcase_add_test(tests, what_is_not_limited_does_not_unbind_in_between);
	tcase_add_test(tests, a_debt_binds_longer_than_it_holds);
	tcase_add_test(tests, many_with_large_requests_share_what_there_is);
	tcase_add_loop_test(tests, of_two_rules_the_narrower_one_binds, 0,
	    sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_test(
	    tests, of_a_fetch_the_broker_is_held_when_it_has_answered);
	tcase_add_test(
	    tests, a_window_is_a_quarter_of_a_second_until_the_rule_goes);
	tcase_add_test(tests, whose_streams_are_lost_by_a_restart_is_not_bound);
	tcase_add_test(tests, a_bound_of_long_ago_is_none);
}

int
main(void)
{
	return plane_main("limit_window", add);
}
