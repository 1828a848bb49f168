/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's segments behind a gap, where rules act: held until it closes, and
 * the client hears what is missing as its receiver would have said it.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_check.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"
#include "tests/support/sim.h"

enum {
	PLACES = 2 * LP_CONNECTIONS_MIN,
	RULE = 100,
	/* Of a test's loop: which options there are. */
	WITH_SACK = 1,
	WITH_STAMPS = 2,
	WITH_V6 = 4,
	VARIANTS = 8,
	RTT_MS = 4, /* four links */
	FRAMES = 80, /* that a client writes at once */
	RECORDS_EACH = 900, /* bytes: each segment has the head of a frame */
	LOSSES = 9, /* places where a segment is lost */
	SEGMENT = 100,
	WAITING = 64, /* segments behind a gap: splice_wait.c */
};

/* ---- simulated peers ----------------------------------------------------- */

/* A client that only speaks: Produce without acknowledgements. */
static struct {
	struct sim sim;
	struct kafka_frame wanted; /* by the broker */
	struct sim_bytes promised; /* those */
	bool written, cut; /* the client aborts when it has */
	unsigned nth, until; /* segments with bytes that are lost */
	unsigned seen;
	uint64_t waits; /* segments that were held, at the most at once */
} run;

static void
draw(int variant)
{
	bool v6 = variant & WITH_V6;
	uint64_t seed = 1;

	run.written = false;
	run.cut = false;
	run.seen = 0;
	run.waits = 0;
	do
		sim_prepare(&run.sim, seed++);
	while (run.sim.v6 != v6);
	for (unsigned who = 0; who < 2; who++) {
		uint16_t mss = v6 ? 1440 : 1460;

		run.sim.tcp[who].habits = (struct sim_habits){.mss = mss,
		    .cut_max = mss,
		    .scale = 1,
		    .buffer = SIM_BUFFER_MAX,
		    .sack = variant & WITH_SACK,
		    .duplicate_sack = variant & WITH_SACK,
		    .stamps = variant & WITH_STAMPS};
	}
	for (unsigned way = 0; way < SIM_WAYS; way++)
		run.sim.link[way] = (struct sim_link){.delay_ns = MS};
}

/* Every third frame is of a topic that is denied. */
static void
write_frames(void)
{
	struct kafka_frame said;

	said.len = 0;
	run.wanted.len = 0;
	for (int32_t i = 0; i < FRAMES; i++) {
		kafka_request(&edited_sent, PRODUCE, 3, i, "web-1", false);
		edited_wanted.len = 0;
		kafka_string(&edited_sent, NULL);
		kafka_int16(&edited_sent, 0);
		kafka_int32(&edited_sent, 1000);
		kafka_int32(&edited_sent, 1);
		kafka_string(&edited_sent, i % 3 == 0 ? "secret" : "open");
		kafka_int32(&edited_sent, 1);
		edited_index(i, i % 3 == 0);
		kafka_int32(&edited_sent, RECORDS_EACH - 700 + 17 * i);
		kafka_fill(
		    &edited_sent, 0x5a, (size_t)(RECORDS_EACH - 700 + 17 * i));
		edited_same();
		edited_end();
		if (said.len + edited_sent.len > KAFKA_FRAME_MAX)
			break;
		kafka_bytes(&said, edited_sent.bytes, edited_sent.len);
		kafka_bytes(
		    &run.wanted, edited_wanted.bytes, edited_wanted.len);
	}
	run.promised = (struct sim_bytes){
	    .bytes = run.wanted.bytes, .len = run.wanted.len};
	sim_write(&run.sim, SIM_CLIENT, said.bytes, said.len);
}

static void
speak(void *context, struct sim *sim)
{
	const struct lp_splice *splice = &plane.region.kafka.splices[0];

	(void)context;
	if (!run.written) {
		write_frames();
		run.written = true;
	}
	if (splice->waiting_count[LP_TO_BROKER] > run.waits)
		run.waits = splice->waiting_count[LP_TO_BROKER];
	if (run.cut && run.waits > 2) {
		run.cut = false;
		sim_abort(sim, SIM_CLIENT);
	} else if (!sim->aborted) {
		sim_shut(sim, SIM_CLIENT);
	}
	if (sim_at_end(sim, SIM_BROKER))
		sim_shut(sim, SIM_BROKER);
}

static bool
lose_some(void *context, enum sim_way way, const struct sim_segment *segment)
{
	(void)context;
	if (way != SIM_FROM_CLIENT || segment->len == 0)
		return false;
	run.seen++;
	return run.seen >= run.nth && run.seen < run.until;
}

/* Nothing is acknowledged to the client but what the broker has got. */
static void
look(void *context, enum sim_who to, const struct sim_segment *segment,
    bool right)
{
	const struct sim_tcp *broker = &run.sim.tcp[SIM_BROKER];
	uint32_t has = broker->irs + (uint32_t)broker->received;

	(void)context;
	ensure(right, "a wrong checksum");
	if (to == SIM_CLIENT && (segment->flags & SIM_ACK))
		ensure((int32_t)(segment->ack - has) <= 0,
		    "%u is acknowledged, the broker has got %u", segment->ack,
		    has);
}

/* All is said; returns how long it took. */
static uint64_t
say_all_ms(void)
{
	uint64_t took;

	run.sim.tap = look;
	run.sim.lose = lose_some;
	sim_begin(&run.sim);
	run.sim.promised[SIM_BROKER] = &run.promised;
	run.sim.promised[SIM_CLIENT] = &run.sim.tcp[SIM_BROKER].out;
	sim_run(&run.sim, speak, NULL);
	took = (run.sim.now_ns - run.sim.start_ns) / MS;
	ensure(kafka_check_pools().waiting == 0, "something waits on");
	kafka_ensure_at_rest();
	plane_check();
	return took;
}

/* How long it takes, with that loss; the simulation is left open. */
static uint64_t
lose(int variant, unsigned nth, unsigned count)
{
	plane_reset();
	draw(variant);
	run.nth = nth;
	run.until = nth + count;
	return say_all_ms();
}

/*
 * Three segments behind it tell the client, wherever it is: also if the last of
 * them has the FIN.
 */
START_TEST(one_loss_is_repaired_within_three_round_trips)
{
	unsigned nth = 2 + 5u * (unsigned)(_i / VARIANTS);
	uint64_t calm, took;

	calm = lose(_i % VARIANTS, 0, 0);
	ensure(run.waits == 0, "nothing was lost, and something waits");
	sim_close(&run.sim);
	took = lose(_i % VARIANTS, nth, 1);
	ensure(run.sim.lost == 1 && run.waits >= 3, "nothing has waited");
	ensure(run.sim.tcp[SIM_CLIENT].timeouts == 0 &&
		run.sim.tcp[SIM_CLIENT].repeats == 1,
	    "%u timeouts", run.sim.tcp[SIM_CLIENT].timeouts);
	ensure(took <= calm + 3 * RTT_MS, "%lu ms, without a loss %lu", took,
	    calm);
	sim_close(&run.sim);
	ensure(plane_reason(LP_REASON_AHEAD) == 0, "something was dropped");
}
END_TEST

START_TEST(several_losses_cost_no_timeout)
{
	(void)lose(_i % VARIANTS, 14, 2 + (unsigned)(_i / VARIANTS));
	ensure(run.waits >= 3, "nothing has waited");
	ensure(run.sim.tcp[SIM_CLIENT].timeouts == 0, "%u timeouts",
	    run.sim.tcp[SIM_CLIENT].timeouts);
	sim_close(&run.sim);
}
END_TEST

/* What waits is never sent: the RST has to come where the broker looks. */
START_TEST(a_reset_behind_a_gap_reaches_the_broker)
{
	plane_reset();
	draw(_i);
	run.nth = 14;
	run.until = 15;
	run.cut = true;
	(void)say_all_ms();
	ensure(run.sim.aborted, "nothing has waited");
	ensure(
	    run.sim.tcp[SIM_BROKER].state == SIM_RESET, "the broker lives on");
	sim_close(&run.sim);
}
END_TEST

/* ---- segment by segment -------------------------------------------------- */

/* A request of some segments, of a topic that is denied; from its begin on. */
static void
make_long(void)
{
	kafka_request(&edited_sent, PRODUCE, 3, 7, "web-1", false);
	edited_wanted.len = 0;
	kafka_string(&edited_sent, NULL);
	kafka_int16(&edited_sent, 0);
	kafka_int32(&edited_sent, 1000);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "secret");
	kafka_int32(&edited_sent, 60);
	for (int32_t i = 0; i < 60; i++) {
		edited_index(i, true);
		kafka_int32(&edited_sent, 10);
		kafka_fill(&edited_sent, 0x5a, 10);
	}
	edited_same();
	edited_end();
	edited_left_len = 0;
}

static void
setup(void)
{
	plane_open(PLACES);
	rule_put(RULE, 10, "api=Produce topic=secret*", "deny", false);
	plane_run();
	kafka_connect();
	edited_publish(LP_UNJUDGED_RESET);
	make_long();
}

static void
send_piece(size_t i)
{
	size_t at = i * SEGMENT;

	edited_send_part(LP_TO_BROKER, at,
	    edited_sent.len - at < SEGMENT ? edited_sent.len - at : SEGMENT);
}

static void
is_through(void)
{
	edited_has_left();
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
	ck_assert_uint_eq(kafka_check_pools().waiting, 0);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}

/* What was sent to the client: what the broker has acknowledged, once more. */
static void
expect_duplicate(void)
{
	char text[PACKET_TEXT_SIZE];

	snprintf(text, sizeof(text),
	    "tcp 10.9.0.100:9100 > 10.9.0.50:40000 A seq=%u ack=%u win=%u "
	    "len=0",
	    kafka_talk.next[LP_TO_CLIENT], kafka_talk.next[LP_TO_BROKER],
	    60000);
	plane_expect(FRONT_SLOT, text);
}

/* The broker's window is known by what it has said. */
static void
acknowledge(void)
{
	kafka_acknowledge(LP_TO_CLIENT);
	plane_forget();
}

START_TEST(what_is_behind_a_gap_goes_on_when_it_closes)
{
	size_t count = (edited_sent.len + SEGMENT - 1) / SEGMENT;
	size_t missing = (size_t)_i;

	acknowledge();
	for (size_t i = 0; i < missing; i++)
		send_piece(i);
	for (size_t i = missing + 1; i < count; i++) {
		edited_left_len = 0;
		send_piece(i);
		ck_assert_uint_eq(edited_left_len, 0);
		expect_duplicate();
		plane_quiet();
	}
	ck_assert_uint_eq(KAFKA_COUNTER(held_segments), count - missing - 1);
	ck_assert_uint_eq(
	    plane_reason(LP_REASON_HELD_GAP), count - missing - 1);
	send_piece(missing);
	ck_assert_uint_eq(plane_reason(LP_REASON_AHEAD), 0);
	is_through();
}
END_TEST

/* Each of all orders of four; one that comes again is not kept twice. */
START_TEST(they_may_come_in_any_order_and_more_than_once)
{
	for (unsigned order = 0; order < 256; order++) {
		bool has[4] = {false};

		make_long();
		acknowledge();
		for (unsigned i = 0; i < 4; i++) {
			size_t piece = order >> 2 * i & 3;

			has[piece] = true;
			send_piece(piece);
			send_piece(piece);
			ck_assert_uint_le(kafka_check_pools().waiting, 3);
			plane_forget();
		}
		for (size_t i = 0; i < 4; i++)
			if (!has[i])
				send_piece(i);
		ck_assert_uint_eq(kafka_check_pools().waiting, 0);
		for (size_t i = 4; i * SEGMENT < edited_sent.len; i++)
			send_piece(i);
		plane_forget();
		is_through();
	}
}
END_TEST

START_TEST(its_acknowledgement_does_not_wait_with_it)
{
	static const uint8_t said[4];
	char text[PACKET_TEXT_SIZE];

	acknowledge();
	send_piece(0);
	kafka_send(LP_TO_CLIENT, said, 3);
	plane_forget();
	for (int32_t i = 2; i < 5; i++) {
		kafka_queue(LP_TO_BROKER, i * SEGMENT,
		    edited_sent.bytes + i * SEGMENT, SEGMENT);
		plane_run();
		expect_duplicate();
		snprintf(text, sizeof(text),
		    "tcp * > 10.8.0.20:9092 A seq=%u ack=%u len=0",
		    kafka_talk.next[LP_TO_BROKER] + SEGMENT,
		    kafka_talk.next[LP_TO_CLIENT]);
		/* Of those that follow the broker knows all. */
		if (i == 2)
			plane_expect(BACK_SLOT, text);
		plane_quiet();
	}
	ck_assert_uint_eq(kafka_check_pools().waiting, 3);
}
END_TEST

START_TEST(when_there_is_no_room_the_client_hears_what_is_missing)
{
	size_t count = edited_sent.len / 10;

	acknowledge();
	for (size_t i = 1; i < count; i++) {
		edited_send_part(LP_TO_BROKER, 10 * i, 10);
		expect_duplicate();
		plane_quiet();
	}
	ck_assert_uint_eq(kafka_check_pools().waiting, WAITING);
	ck_assert_uint_eq(KAFKA_COUNTER(held_full), count - 1 - WAITING);
	ck_assert_uint_eq(plane_reason(LP_REASON_AHEAD), count - 1 - WAITING);
	edited_send_part(LP_TO_BROKER, 0, 10);
	ck_assert_uint_eq(edited_left_len, 10 * (WAITING + 1));
	edited_send_part(
	    LP_TO_BROKER, edited_left_len, edited_sent.len - edited_left_len);
	plane_forget();
	is_through();
}
END_TEST

/* Also of a pool that few of them would fill. */
START_TEST(nothing_of_the_pool_is_lost)
{
	plane.region.kafka.held_count = 300;
	plane_restart();
	for (unsigned i = 0; i < 400; i++) {
		make_long();
		acknowledge();
		for (size_t piece = 3; piece < 8; piece++)
			send_piece(piece);
		ck_assert_uint_eq(kafka_check_pools().waiting, 5);
		for (size_t piece = 0; piece * SEGMENT < edited_sent.len;
		     piece++)
			send_piece(piece);
		plane_forget();
		is_through();
	}
	ck_assert_uint_eq(plane_reason(LP_REASON_AHEAD), 0);
}
END_TEST

START_TEST(a_successor_has_what_waits)
{
	acknowledge();
	send_piece(0);
	for (size_t i = 2; i * SEGMENT < edited_sent.len; i++)
		send_piece(i);
	plane_forget();
	plane_restart();
	ck_assert_uint_gt(kafka_check_pools().waiting, 5);
	/* Its next hops have to be found. */
	send_piece(0);
	send_piece(1);
	plane_forget();
	is_through();
}
END_TEST

START_TEST(what_ends_the_connection_ends_what_waits)
{
	acknowledge();
	for (size_t i = 2; i < 8; i++)
		send_piece(i);
	ck_assert_uint_eq(kafka_check_pools().waiting, 6);
	if (_i == 0)
		kafka_reset(LP_TO_CLIENT);
	else
		plane_wait_ms(10ull * 24 * 3600 * 1000);
	plane_forget();
	for (unsigned dir = 0; dir < 2; dir++)
		ck_assert_uint_eq(
		    plane.region.kafka.splices[0].waiting[dir], 0);
}
END_TEST

/* No rule acts any more: the order is nobody's. */
START_TEST(rules_that_go_let_it_go)
{
	acknowledge();
	for (size_t i = 2; i < 8; i++)
		send_piece(i);
	plane_forget();
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	plane_publish();
	send_piece(8);
	ck_assert_uint_eq(kafka_check_pools().waiting, 0);
	ck_assert_uint_eq(edited_left_len, 9 * SEGMENT);
	plane_forget();
}
END_TEST

static void
queue_fin(uint32_t at)
{
	char text[PACKET_TEXT_SIZE];

	snprintf(text, sizeof(text),
	    "tcp 10.9.0.50:40000 > 10.9.0.100:9100 FA seq=%u ack=%u win=60000",
	    kafka_talk.next[LP_TO_BROKER] + at, kafka_talk.next[LP_TO_CLIENT]);
	plane_in(FRONT_SLOT, text);
}

START_TEST(a_fin_alone_moves_with_what_is_before_it)
{
	const struct lp_conn *conn = plane_connection(0);

	acknowledge();
	send_piece(0);
	for (size_t i = 2; i * SEGMENT < edited_sent.len; i++)
		send_piece(i);
	plane_forget();
	queue_fin((uint32_t)edited_sent.len);
	expect_duplicate();
	plane_quiet();
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_ESTABLISHED);
	send_piece(1);
	edited_has_left();
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_FIN_SENT);
	ck_assert_uint_eq(kafka_check_pools().waiting, 0);
	plane_forget();
}
END_TEST

/* A stranger's takes nothing of the pool. */
START_TEST(what_is_out_of_the_window_does_not_wait)
{
	acknowledge();
	kafka_queue(LP_TO_BROKER, 1 << 29, edited_sent.bytes, SEGMENT);
	kafka_queue(LP_TO_BROKER, 70000 << 8, edited_sent.bytes, SEGMENT);
	plane_run();
	ck_assert_uint_eq(kafka_check_pools().waiting, 0);
	ck_assert_uint_eq(plane_reason(LP_REASON_OUT_OF_WINDOW), 2);
	plane_forget();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 300);
	tcase_add_loop_test(tests,
	    one_loss_is_repaired_within_three_round_trips, 0,
	    VARIANTS * LOSSES);
	tcase_add_loop_test(
	    tests, several_losses_cost_no_timeout, 0, 3 * VARIANTS);
	tcase_add_loop_test(
	    tests, a_reset_behind_a_gap_reaches_the_broker, 0, VARIANTS);
	tcase_add_loop_test(
	    tests, what_is_behind_a_gap_goes_on_when_it_closes, 0, 10);
	tcase_add_test(tests, they_may_come_in_any_order_and_more_than_once);
	tcase_add_test(tests, its_acknowledgement_does_not_wait_with_it);
	tcase_add_test(
	    tests, when_there_is_no_room_the_client_hears_what_is_missing);
	tcase_add_test(tests, nothing_of_the_pool_is_lost);
	tcase_add_test(tests, a_successor_has_what_waits);
	tcase_add_loop_test(
	    tests, what_ends_the_connection_ends_what_waits, 0, 2);
	tcase_add_test(tests, rules_that_go_let_it_go);
	tcase_add_test(tests, a_fin_alone_moves_with_what_is_before_it);
	tcase_add_test(tests, what_is_out_of_the_window_does_not_wait);
}

int
main(void)
{
	return plane_main("splice_gap", add);
}
