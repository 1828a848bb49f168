/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that act on the requests of inline connections. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/pipeline/wire.h"
#include "tests/dataplane/bump.h"
#include "tests/proto/objects.h"
#include "tests/support/edited.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_check.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/limited.h"
#include "tests/support/narrow.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	DELETE_TOPICS = 20,
	NOT_THERE = 3,
	REFUSED = 29,
	ETHER = 14,
	IP4 = 20,
	TCP = 20,
	ISN = 1001, /* of the client's first byte; the broker's: */
	BROKER_ISN = 5001,
};

static uint64_t
resets(void)
{
	return lp_count_get(&plane.region.stats->sent_reset);
}

/* What is of a Produce is denied, of those topics; and who has connected. */
static void
act(uint8_t unjudged)
{
	rule_put(RULE, 10, "api=Produce topic=secret*", "deny", false);
	edited_publish(unjudged);
	kafka_talk.is_inline = true;
}

static void
open_acting(uint8_t unjudged)
{
	act(unjudged);
	kafka_connect();
	ck_assert(plane_connection(0)->flags & LP_CONN_SPLICED);
}

static void
make_produce(void)
{
	static const char *const topics[] = {"open", "secret.a"};

	kafka_request(&edited_sent, PRODUCE, 3, 7, "web-1", false);
	edited_wanted.len = 0;
	kafka_string(&edited_sent, NULL);
	kafka_int16(&edited_sent, 1);
	kafka_int32(&edited_sent, 1000);
	kafka_int32(&edited_sent, 2);
	for (unsigned i = 0; i < 2; i++) {
		kafka_string(&edited_sent, topics[i]);
		kafka_int32(&edited_sent, 1);
		edited_index(0, i == 1);
		kafka_int32(&edited_sent, 10);
		kafka_fill(&edited_sent, 0x5a, 10);
	}
	edited_same();
	edited_end();
}

static void
make_answer(void)
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 2);
	for (unsigned i = 0; i < 2; i++) {
		kafka_string(&edited_sent, i == 0 ? "open" : "secret.a");
		kafka_int32(&edited_sent, 1);
		edited_same();
		edited_int32(i == 0 ? 0 : 1 << 30, 0);
		edited_same();
		edited_int16(i == 0 ? 0 : NOT_THERE, i == 0 ? 0 : REFUSED);
		kafka_int64(&edited_sent, -1);
		kafka_int64(&edited_sent, -1);
	}
	kafka_int32(&edited_sent, 0);
	edited_same();
	edited_end();
}

START_TEST(one_topic_of_two_is_denied_wherever_a_segment_ends)
{
	size_t len;

	open_acting(LP_UNJUDGED_RESET);
	make_produce();
	len = edited_sent.len;
	for (size_t cut = 0; cut < len; cut++) {
		make_produce();
		edited_pass_cut(LP_TO_BROKER, cut);
		make_answer();
		edited_pass_cut(LP_TO_CLIENT, cut % edited_sent.len);
	}
	rule_counts(RULE, 0, len, len);
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_denied), len);
	ck_assert_uint_eq(resets(), 0);
}
END_TEST

/* That many bytes of one segment, from that end, in a frame of that kind. */
static void
say(enum lp_direction dir, const char *head, struct packet *packet)
{
	char text[PACKET_TEXT_SIZE];

	snprintf(text, sizeof(text), "%s%s seq=%u ack=%u len=%zu",
	    dir == LP_TO_BROKER ? C4 : B4, head, kafka_talk.next[dir],
	    kafka_talk.next[!dir], edited_sent.len);
	packet_build(packet, text);
	kafka_fill_packet(packet, edited_sent.bytes, edited_sent.len);
	ck_assert(plane_inject(kafka_slot(dir), packet->bytes, packet->len));
	plane_run();
	kafka_talk.next[dir] += (uint32_t)edited_sent.len;
}

/* The headers of the frame that has left, but for TCP's checksum. */
static void
keeps_its_headers(const struct packet *came)
{
	size_t sum = ETHER + IP4 + 16;

	ck_assert_uint_eq(plane.frame.len, came->len);
	ck_assert_mem_eq(plane.frame.bytes, came->bytes, sum);
	ck_assert_mem_eq(plane.frame.bytes + sum + 2, came->bytes + sum + 2,
	    ETHER + IP4 + TCP - sum - 2);
	ck_assert_mem_eq(plane.frame.bytes + ETHER + IP4 + TCP,
	    edited_wanted.bytes, edited_wanted.len);
	plane_quiet();
}

START_TEST(nothing_but_its_bytes_is_changed)
{
	static const char head[] =
	    "PA ttl=1 tos=0xb8 win=321 dmac=02:10:00:00:00:99 "
	    "smac=02:10:00:00:00:98";
	struct packet packet;

	open_acting(LP_UNJUDGED_PASS);
	make_produce();
	say(LP_TO_BROKER, head, &packet);
	ck_assert(plane_take(RIGHT_SLOT));
	keeps_its_headers(&packet);
	make_answer();
	say(LP_TO_CLIENT, head, &packet);
	ck_assert(plane_take(LEFT_SLOT));
	keeps_its_headers(&packet);
}
END_TEST

/* From that MAC to that one. */
static void
is_between(uint8_t dst, uint8_t src)
{
	ck_assert_uint_eq(plane.frame.bytes[5], dst);
	ck_assert_uint_eq(plane.frame.bytes[11], src);
}

START_TEST(what_waits_behind_a_gap_is_told_as_by_the_other_end)
{
	open_acting(LP_UNJUDGED_PASS);
	make_produce();
	edited_left_len = 0;
	kafka_queue(LP_TO_BROKER, 20, edited_sent.bytes + 20, 30);
	plane_run();
	plane_expect(LEFT_SLOT,
	    "tcp 10.8.0.20:9092 > 10.8.0.50:40000 A seq=5001 ack=1001");
	/* Of the frames that came, turned round. */
	is_between(50, 20);
	plane_quiet();
	edited_send_part(LP_TO_BROKER, 0, 20);
	ck_assert_uint_eq(edited_left_len, 50);
	ck_assert_mem_eq(edited_left, edited_wanted.bytes, 50);
	edited_send_part(LP_TO_BROKER, 50, edited_sent.len - 50);
	edited_has_left();
}
END_TEST

START_TEST(a_request_that_is_reset_ends_at_both_ends)
{
	act(LP_UNJUDGED_PASS);
	rule_put(OTHER, 20, "api=DeleteTopics", "reset", false);
	edited_publish(LP_UNJUDGED_PASS);
	kafka_connect();
	kafka_request(&edited_sent, DELETE_TOPICS, 1, 7, "web-1", false);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "orders");
	kafka_int32(&edited_sent, 1000);
	kafka_end(&edited_sent);
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	plane_run();
	plane_expect(
	    RIGHT_SLOT, "tcp 10.8.0.50:40000 > 10.8.0.20:9092 R seq=1001");
	/* Where the broker would look for it if it had come. */
	plane_expect(
	    RIGHT_SLOT, "tcp 10.8.0.50:40000 > 10.8.0.20:9092 R seq=1036");
	is_between(20, 50);
	plane_expect(
	    LEFT_SLOT, "tcp 10.8.0.20:9092 > 10.8.0.50:40000 R seq=5001");
	is_between(50, 20);
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_RULE), 1);
}
END_TEST

/* What was opened without us cannot be judged. */
START_TEST(what_was_not_seen_from_its_syn_on_is_reset_at_both_ends)
{
	act(LP_UNJUDGED_RESET);
	plane_in(LEFT_SLOT, C4 "PA seq=77 ack=99 len=40");
	plane_expect(RIGHT_SLOT, C4 "RA seq=77 ack=99 len=0");
	is_between(plane.wires[LEFT_SLOT]->mac[5], 50);
	plane_expect(LEFT_SLOT, B4 "R seq=99 len=0");
	is_between(50, plane.wires[LEFT_SLOT]->mac[5]);
	plane_quiet();
	plane_in(RIGHT_SLOT, B4 "SA seq=9 ack=78");
	plane_expect(LEFT_SLOT, B4 "RA seq=9 ack=78");
	plane_expect(RIGHT_SLOT, C4 "R seq=78");
	plane_quiet();
	/* Its end may have text. */
	plane_in(LEFT_SLOT, C4 "FA seq=77 ack=99 len=40");
	plane_expect(RIGHT_SLOT, C4 "RA seq=77 ack=99 len=0");
	plane_expect(LEFT_SLOT, B4 "R seq=99");
	plane_quiet();
	passes(LEFT_SLOT, C4 "FA seq=77 ack=99", LP_REASON_WIRED);
	passes(LEFT_SLOT, C4 "RA seq=77 ack=99", LP_REASON_WIRED);
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), 2);
}
END_TEST

START_TEST(or_passes_where_the_listener_says_so)
{
	act(LP_UNJUDGED_PASS);
	passes(LEFT_SLOT, C4 "PA seq=77 ack=99 len=40", LP_REASON_PICKED_UP);
	passes(RIGHT_SLOT, B4 "PA seq=99 ack=117 len=40", LP_REASON_FORWARDED);
	ck_assert_uint_eq(resets(), 0);
}
END_TEST

/* The other one of the cluster fetches, as replica 1; from that address. */
static uint8_t
index_of_a_fetch_from(const char *address)
{
	char text[PACKET_TEXT_SIZE];
	struct packet packet;

	snprintf(text, sizeof(text), "tcp %s:41000 > 10.8.0.20:9092 S seq=1000",
	    address);
	plane_in(LEFT_SLOT, text);
	ck_assert(plane_take(RIGHT_SLOT));
	snprintf(text, sizeof(text),
	    "tcp 10.8.0.20:9092 > %s:41000 SA seq=5000 ack=1001", address);
	plane_in(RIGHT_SLOT, text);
	ck_assert(plane_take(LEFT_SLOT));
	kafka_fetch_request(1, 500, 1);
	snprintf(text, sizeof(text),
	    "tcp %s:41000 > 10.8.0.20:9092 PA seq=1001 ack=5001 len=%zu",
	    address, kafka_frame.len);
	packet_build(&packet, text);
	kafka_fill_packet(&packet, kafka_frame.bytes, kafka_frame.len);
	ck_assert(plane_inject(LEFT_SLOT, packet.bytes, packet.len));
	plane_run();
	ck_assert(plane_take(RIGHT_SLOT));
	ck_assert_uint_eq(plane.frame.len, ETHER + IP4 + TCP + kafka_frame.len);
	/* In front of an offset and the bytes that are asked for. */
	return plane.frame.bytes[plane.frame.len - 16];
}

START_TEST(brokers_are_not_denied_what_they_ask_each_other)
{
	rule_put(RULE, 10, "api=Fetch", "deny", false);
	edited_publish(LP_UNJUDGED_RESET);
	ck_assert_uint_eq(index_of_a_fetch_from("10.7.0.21"), 0);
	ck_assert_uint_eq(index_of_a_fetch_from("10.7.0.22"), 0x40);
}
END_TEST

/* Its window stays where it was, as if the broker did not read. */
START_TEST(who_asks_too_often_waits)
{
	enum { TIMES = 50, STEP = 1 << 8, WINDOW = 251 };

	rule_put(RULE, 10, "api=Produce", "limit requests=1/s", false);
	edited_publish(LP_UNJUDGED_PASS);
	kafka_talk.is_inline = true;
	kafka_connect();
	for (unsigned i = 0; i < TIMES; i++) {
		limited_produce(6, 0, "orders");
		edited_pass(LP_TO_BROKER);
	}
	kafka_queue(LP_TO_CLIENT, 0, NULL, 0);
	plane_run();
	ck_assert(plane_take(LEFT_SLOT));
	ck_assert_uint_eq(plane_connection(0)->paced, 1 << LP_TO_BROKER);
	ck_assert_uint_le(lp_get16(plane.frame.bytes + ETHER + IP4 + 14),
	    WINDOW - TIMES * edited_sent.len / STEP + 1);
	plane_quiet();
}
END_TEST

/*
 * While the packet process was away both have gone on without it: one hears of
 * bytes that it was not sent from here.
 */
static const struct {
	uint8_t slot;
	const char *text;
	const char *next; /* the client's */
} unseen[] = {
    {LEFT_SLOT, C4 "A seq=1001 ack=5101 len=40",
	C4 "PA seq=1041 ack=5101 len=9"},
    {LEFT_SLOT, C4 "A seq=1001 ack=5101", C4 "PA seq=1001 ack=5101 len=9"},
    {RIGHT_SLOT, B4 "PA seq=5001 ack=1101 len=40",
	C4 "PA seq=1101 ack=5041 len=9"},
};

START_TEST(where_bytes_have_passed_unseen_it_is_followed_anew)
{
	open_acting(LP_UNJUDGED_PASS);
	passes(unseen[_i].slot, unseen[_i].text, LP_REASON_PICKED_UP);
	ck_assert(!(plane_connection(0)->flags & LP_CONN_SPLICED));
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	passes(LEFT_SLOT, unseen[_i].next, LP_REASON_FORWARDED);
	ck_assert_uint_eq(resets(), 0);
}
END_TEST

START_TEST(or_ends_where_nothing_unjudged_may_pass)
{
	bool left = unseen[_i].slot == LEFT_SLOT;

	open_acting(LP_UNJUDGED_RESET);
	plane_in(unseen[_i].slot, unseen[_i].text);
	plane_expect(left ? RIGHT_SLOT : LEFT_SLOT,
	    left ? C4 "RA seq=1001 ack=5101 len=0"
		 : B4 "RA seq=5001 ack=1101 len=0");
	plane_expect(left ? LEFT_SLOT : RIGHT_SLOT,
	    left ? B4 "R seq=5101" : C4 "R seq=1101");
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

START_TEST(or_ends_where_an_answer_may_be_a_riddle)
{
	open_acting(LP_UNJUDGED_PASS);
	make_produce();
	edited_pass(LP_TO_BROKER);
	plane_in(LEFT_SLOT, C4 "A seq=1096 ack=5101 len=40");
	plane_expect(RIGHT_SLOT, C4 "RA seq=1096 ack=5101 len=0");
	plane_expect(LEFT_SLOT, B4 "R seq=5101");
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

/* A RST in front of that would be out of order, and only be challenged. */
START_TEST(it_ends_behind_what_waits_for_the_port)
{
	narrow_open(RIGHT_SLOT);
	narrow_let_all(RIGHT_SLOT);
	open_acting(LP_UNJUDGED_RESET);
	narrow_let(RIGHT_SLOT, 0);
	make_produce();
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	plane_run();
	plane_in(LEFT_SLOT, C4 "A seq=1096 ack=5101 len=40");
	plane_expect(LEFT_SLOT, B4 "R seq=5101");
	plane_quiet();
	narrow_let_all(RIGHT_SLOT);
	plane_run();
	plane_expect(RIGHT_SLOT, C4 "* seq=1001");
	plane_expect(RIGHT_SLOT, C4 "RA seq=1096 ack=5101 len=0");
	plane_quiet();
}
END_TEST

/*
 * Nobody acknowledges them; but their sender begins again behind them, which
 * asks the other end.
 */
START_TEST(a_gap_that_nobody_fills_shows_it_too)
{
	static const char text[] = C4 "PA seq=1301 ack=5001 len=40";

	open_acting(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 3; i++) {
		plane_in(LEFT_SLOT, text);
		plane_expect(LEFT_SLOT, B4 "A seq=5001 ack=1001");
		if (i > 0)
			plane_expect(
			    RIGHT_SLOT, C4 "A seq=1001 ack=5001 len=0");
		plane_quiet();
	}
	passes(RIGHT_SLOT, B4 "A seq=5001 ack=1301", LP_REASON_PICKED_UP);
	ck_assert(!(plane_connection(0)->flags & LP_CONN_SPLICED));
	/* What waited is given back. */
	ck_assert_uint_eq(kafka_check_pools().waiting, 0);
}
END_TEST

/* Who guesses is not believed, and does not end it. */
START_TEST(a_stranger_shows_nothing)
{
	open_acting(LP_UNJUDGED_RESET);
	plane_in(LEFT_SLOT, C4 "A seq=900000000 ack=5101");
	plane_forget();
	plane_in(LEFT_SLOT, C4 "A seq=1001 ack=5101 len=40 badsum=1");
	plane_forget();
	ck_assert_uint_eq(resets(), 0);
	make_produce();
	edited_pass(LP_TO_BROKER);
}
END_TEST

/* The rate of RSTs lets no more be sent. */
static void
spend_resets(void)
{
	while (resets() < LP_RST_BURST) {
		plane_in(FRONT_SLOT, "tcp 10.9.0.50:1 > 10.9.0.100:9092 A");
		plane_forget();
	}
}

/* Nobody could be told: it is not forgotten, or its request would pass. */
START_TEST(who_cannot_be_told_yet_does_not_come_through)
{
	act(LP_UNJUDGED_PASS);
	rule_put(OTHER, 20, "api=DeleteTopics", "reset", false);
	edited_publish(LP_UNJUDGED_PASS);
	kafka_connect();
	spend_resets();
	kafka_request(&edited_sent, DELETE_TOPICS, 1, 7, "web-1", false);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "orders");
	kafka_int32(&edited_sent, 1000);
	kafka_end(&edited_sent);
	for (unsigned i = 0; i < 3; i++) {
		kafka_queue(
		    LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
		plane_run();
		plane_quiet();
	}
	plane.now_ns += MS;
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	plane_run();
	plane_expect(RIGHT_SLOT, C4 "R seq=1001");
	plane_expect(RIGHT_SLOT, C4 "R seq=1036");
	plane_expect(LEFT_SLOT, B4 "R seq=5001");
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

/* The connection goes on over a kill, with what it was denied. */
START_TEST(a_denial_outlives_the_process)
{
	open_acting(LP_UNJUDGED_RESET);
	make_produce();
	edited_pass(LP_TO_BROKER);
	plane_restart();
	make_answer();
	edited_pass(LP_TO_CLIENT);
	/* And what is made by who takes over is between the same. */
	make_produce();
	kafka_queue(LP_TO_BROKER, 20, edited_sent.bytes + 20, 30);
	plane_run();
	plane_expect(LEFT_SLOT, B4 "A");
	is_between(50, 20);
}
END_TEST

START_TEST(a_rule_that_comes_later_binds_what_is_open)
{
	kafka_talk.is_inline = true;
	kafka_connect();
	kafka_greet(1);
	act(LP_UNJUDGED_RESET);
	ck_assert(plane_connection(0)->flags & LP_CONN_SPLICED);
	make_produce();
	edited_pass(LP_TO_BROKER);
	make_answer();
	edited_pass(LP_TO_CLIENT);
	/* Without it the same passes. */
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	plane_publish();
	plane_run();
	make_produce();
	edited_wanted = edited_sent;
	edited_pass(LP_TO_BROKER);
}
END_TEST

static void
remove_listener(void)
{
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, SEEN_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, SEEN_1);
	lp_config_remove(&plane.config, LP_OBJECT_LISTENER, SEEN);
	plane_publish();
	plane_run();
}

/* Without its listener it could not go on: its answer would be a riddle. */
START_TEST(with_its_listener_it_ends)
{
	open_acting(LP_UNJUDGED_RESET);
	make_produce();
	edited_pass(LP_TO_BROKER);
	remove_listener();
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert(plane_take(LEFT_SLOT));
	ck_assert(plane_take(RIGHT_SLOT));
}
END_TEST

START_TEST(and_not_before_its_ends_are_told)
{
	open_acting(LP_UNJUDGED_RESET);
	spend_resets();
	remove_listener();
	plane_in(RIGHT_SLOT, B4 "PA seq=5001 ack=1001 len=9");
	plane_quiet();
	plane.now_ns += MS;
	plane_in(RIGHT_SLOT, B4 "PA seq=5001 ack=1001 len=9");
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_gt(resets(), LP_RST_BURST);
}
END_TEST

static void
open_bump(void)
{
	bump_open();
	memset(&kafka_talk, 0, sizeof(kafka_talk));
}

static void
close_bump(void)
{
	memset(&kafka_talk, 0, sizeof(kafka_talk));
	plane_close();
}

static void
add(TCase *tests)
{
	const int count = sizeof(unseen) / sizeof(unseen[0]);

	tcase_add_checked_fixture(tests, open_bump, close_bump);
	tcase_add_test(
	    tests, one_topic_of_two_is_denied_wherever_a_segment_ends);
	tcase_add_test(tests, nothing_but_its_bytes_is_changed);
	tcase_add_test(
	    tests, what_waits_behind_a_gap_is_told_as_by_the_other_end);
	tcase_add_test(tests, a_request_that_is_reset_ends_at_both_ends);
	tcase_add_test(
	    tests, what_was_not_seen_from_its_syn_on_is_reset_at_both_ends);
	tcase_add_test(tests, or_passes_where_the_listener_says_so);
	tcase_add_test(tests, brokers_are_not_denied_what_they_ask_each_other);
	tcase_add_test(tests, who_asks_too_often_waits);
	tcase_add_loop_test(tests,
	    where_bytes_have_passed_unseen_it_is_followed_anew, 0, count);
	tcase_add_loop_test(
	    tests, or_ends_where_nothing_unjudged_may_pass, 0, count);
	tcase_add_test(tests, or_ends_where_an_answer_may_be_a_riddle);
	tcase_add_test(tests, it_ends_behind_what_waits_for_the_port);
	tcase_add_test(tests, a_gap_that_nobody_fills_shows_it_too);
	tcase_add_test(tests, a_stranger_shows_nothing);
	tcase_add_test(tests, who_cannot_be_told_yet_does_not_come_through);
	tcase_add_test(tests, a_denial_outlives_the_process);
	tcase_add_test(tests, a_rule_that_comes_later_binds_what_is_open);
	tcase_add_test(tests, with_its_listener_it_ends);
	tcase_add_test(tests, and_not_before_its_ends_are_told);
}

int
main(void)
{
	return plane_main("inline_rules", add);
}
