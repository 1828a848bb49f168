/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong where TCP is edited in passing, one by one: a client and a
 * broker on good links, through a listener that rewrites addresses, and one
 * thing that is not as usual.  Every segment is looked at (splice_sim.h); here
 * it is asserted what it costs: how many timeouts, how much time.
 */
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/splice_sim.h"

enum {
	PLACES = 2 * LP_CONNECTIONS_MIN,
	/* Of a test's loop: which options there are. */
	WITH_SACK = 1,
	WITH_STAMPS = 2,
	WITH_V6 = 4,
	VARIANTS = 8,
	BORDERS = 250,
	BORDERS_APART = 10, /* those of one process */
	SHORT_NAME = 1,
	LONG_NAME = 200,
	RTT_MS = 4, /* of splice_sim_calm(): four links */
};
static const uint64_t second_ns = 1000000000;

static struct splice_sim run;

static void
setup(void)
{
	splice_sim_open(PLACES);
}

/* A calm connection with those options. */
static void
prepare(int variant)
{
	splice_sim_prepare(&run, (uint64_t)variant + 1);
	splice_sim_calm(&run, variant & WITH_V6);
	for (unsigned who = 0; who < 2; who++) {
		struct sim_habits *habits = &run.sim.tcp[who].habits;

		habits->sack = variant & WITH_SACK;
		habits->duplicate_sack = habits->sack;
		habits->stamps = variant & WITH_STAMPS;
	}
}

static uint64_t
elapsed_ms(void)
{
	return (run.sim.now_ns - run.sim.start_ns) / MS;
}

/* The last Metadata that the client asked for, without topics. */
static void
ask_for(uint32_t nodes)
{
	(void)address_talk_add(&run.talk, ADDRESS_METADATA, 9, nodes, 0);
}

START_TEST(a_list_passes_a_small_congestion_window)
{
	prepare(_i % VARIANTS);
	run.sim.tcp[SIM_BROKER].habits.flight = _i < VARIANTS ? 1 : 10;
	run.sim.tcp[SIM_BROKER].habits.flight_fixed = true;
	ask_for(300);
	ensure(run.talk.bytes[SIM_BROKER].len > 11 * 1460, "no long list");
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(elapsed_ms() < 200, "%lu ms", elapsed_ms());
}
END_TEST

START_TEST(a_list_of_many_small_segments_passes)
{
	prepare(_i % VARIANTS);
	splice_sim_advertise(_i < VARIANTS ? SHORT_NAME : LONG_NAME);
	for (unsigned who = 0; who < 2; who++) {
		run.sim.tcp[who].habits.mss = 88;
		run.sim.tcp[who].habits.flight = 4;
	}
	ask_for(60);
	ensure(run.talk.bytes[SIM_BROKER].len > 20 * 88, "no long list");
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.longest <= 88, "a segment of %lu bytes", run.longest);
	ensure(run.segments >= run.read[SIM_CLIENT] / 88, "%lu segments",
	    run.segments);
}
END_TEST

/* Of a tiny one, all takes longer than the broker waits for the last byte. */
START_TEST(a_list_goes_out_as_the_window_allows)
{
	static const uint32_t buffers[] = {1000, 100, 5000};
	uint32_t buffer = buffers[_i / VARIANTS];

	prepare(_i % VARIANTS);
	run.sim.tcp[SIM_CLIENT].habits.buffer = buffer;
	ask_for(300);
	ask_for(3);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, buffer < 1000 ? 8 : 0);
	ensure(elapsed_ms() < run.read[SIM_CLIENT] / buffer * 2 * RTT_MS + 600,
	    "%lu ms", elapsed_ms());
}
END_TEST

/*
 * Of an answer that is larger than the client's window: what stands behind its
 * addresses, and came with the last of them, is not left to the broker's timer.
 */
START_TEST(what_is_behind_a_list_goes_out_as_the_window_allows)
{
	static const uint32_t buffers[] = {3000, 5000, 12000};

	splice_sim_advertise(_i / VARIANTS % 2 ? LONG_NAME : SHORT_NAME);
	prepare(_i % VARIANTS);
	run.sim.tcp[SIM_CLIENT].habits.buffer = buffers[_i / VARIANTS / 2];
	for (unsigned i = 0; i < 3; i++)
		(void)address_talk_add(
		    &run.talk, ADDRESS_METADATA, 9, 40 + 100 * i, 3000);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.sim.lost == 0, "something was lost");
	ensure(elapsed_ms() < run.read[SIM_CLIENT] / 500 * RTT_MS + 50,
	    "%lu ms for %zu bytes", elapsed_ms(), run.read[SIM_CLIENT]);
}
END_TEST

/* Whose application does not read: the window shuts in the middle. */
START_TEST(a_window_that_opens_again_lets_the_list_go_on)
{
	struct sim_habits *client;

	prepare(_i);
	client = &run.sim.tcp[SIM_CLIENT].habits;
	client->buffer = 3000;
	client->read_every_ns = 300ull * MS;
	client->read_max = 3000;
	ask_for(100);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 6);
	ensure(elapsed_ms() < 20000, "%lu ms", elapsed_ms());
}
END_TEST

/* All that brings bytes to the client, for some time from the first one on. */
static bool
lose_released(struct splice_sim *sim_run, enum sim_way way,
    const struct sim_segment *segment)
{
	if (way != SIM_TO_CLIENT || segment->len == 0)
		return false;
	if (sim_run->count == 0)
		sim_run->count = sim_run->sim.now_ns;
	if (sim_run->sim.now_ns > sim_run->count + 50ull * MS)
		return false;
	sim_run->stage++;
	return true;
}

START_TEST(released_segments_that_are_all_lost_come_again)
{
	prepare(_i);
	run.lose = lose_released;
	ask_for(300);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 2);
	ensure(run.stage > 5, "only %u were lost", run.stage);
	ensure(elapsed_ms() < 800, "%lu ms", elapsed_ms());
}
END_TEST

/* Of the released ones the last: it ends behind the list. */
static bool
lose_last(struct splice_sim *sim_run, enum sim_way way,
    const struct sim_segment *segment)
{
	uint32_t end = sim_run->sim.tcp[SIM_BROKER].iss + 1 +
	    (uint32_t)sim_run->talk.told.len;

	if (way != SIM_TO_CLIENT || segment->len == 0 ||
	    segment->seq + segment->len != end || sim_run->stage > 0)
		return false;
	sim_run->stage = 1;
	return true;
}

START_TEST(the_last_released_segment_comes_again)
{
	prepare(_i);
	run.lose = lose_last;
	ask_for(100);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 2);
	ensure(run.stage == 1, "nothing was lost");
	ensure(elapsed_ms() < 800, "%lu ms", elapsed_ms());
}
END_TEST

static void
abort_after_loss(struct splice_sim *sim_run)
{
	if (sim_run->stage != 1)
		return;
	sim_abort(&sim_run->sim, SIM_BROKER);
	sim_run->stage = 2;
}

START_TEST(a_reset_reaches_a_client_that_lacks_the_last_segment)
{
	prepare(_i);
	run.lose = lose_last;
	run.step = abort_after_loss;
	ask_for(100);
	splice_sim_run(&run, SPLICE_SIM_CUT, 2);
	ensure(run.stage == 2, "nothing was lost");
	ensure(
	    run.sim.tcp[SIM_CLIENT].state == SIM_RESET, "the client lives on");
}
END_TEST

START_TEST(an_answer_after_a_minute_is_edited_like_any_other)
{
	prepare(_i);
	for (unsigned i = 0; i < 3; i++) {
		ask_for(50);
		run.talk.messages[i].pause_ns = 60 * second_ns;
	}
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(elapsed_ms() >= 180000 && elapsed_ms() < 180500, "%lu ms",
	    elapsed_ms());
}
END_TEST

/* Answers to keep-alives: pure ACKs while nothing else is said. */
static bool
count_answers(struct splice_sim *sim_run, enum sim_way way,
    const struct sim_segment *segment)
{
	uint64_t at = sim_run->sim.now_ns - sim_run->sim.start_ns;

	if (way ==
		(sim_run->stage == SIM_BROKER ? SIM_TO_BROKER
					      : SIM_TO_CLIENT) &&
	    at > second_ns && at < 30 * second_ns && segment->len == 0 &&
	    segment->flags == SIM_ACK)
		sim_run->count++;
	return false;
}

/*
 * Bits of the loop: of which end, with a byte, after what was edited has grown,
 * or shrunk; options.
 */
START_TEST(keep_alives_are_answered_after_an_edit)
{
	struct sim_habits *habits;

	splice_sim_advertise(_i & 4 ? LONG_NAME : SHORT_NAME);
	prepare((_i >> 3) % VARIANTS);
	run.stage = _i & 1;
	run.lose = count_answers;
	habits = &run.sim.tcp[run.stage].habits;
	habits->keepalive_ns = 5 * second_ns;
	habits->garbage_byte = _i & 2;
	ask_for(50);
	ask_for(1);
	run.talk.messages[1].pause_ns = 32 * second_ns;
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.sim.tcp[run.stage].kept_alive >= 4 && run.count >= 4,
	    "%u keep-alives, %lu answers", run.sim.tcp[run.stage].kept_alive,
	    run.count);
}
END_TEST

/* A segment of the broker's from the middle of its list. */
static bool
keep_one(struct splice_sim *sim_run, enum sim_way way,
    const struct sim_segment *segment)
{
	if (way == SIM_FROM_BROKER && sim_run->kept.len == 0 &&
	    segment->seq - sim_run->sim.tcp[SIM_BROKER].iss > 2000 &&
	    address_talk_leaks(segment->bytes, segment->len))
		sim_run->kept = *segment;
	return false;
}

static void
send_kept(struct splice_sim *sim_run)
{
	struct sim *sim = &sim_run->sim;

	if (sim->now_ns < sim->start_ns + second_ns) {
		sim_wake(sim, sim->start_ns + second_ns - sim->now_ns);
		return;
	}
	if (sim_run->stage == 0) {
		ensure(sim_run->zeros == 0, "zeros before there is anything");
		sim_run->stage = 1;
		sim_run->count = sim_run->segments;
		sim_send(sim, SIM_BROKER, &sim_run->kept);
	}
}

START_TEST(a_late_duplicate_of_what_was_edited_is_all_zeros)
{
	splice_sim_advertise(_i < VARIANTS ? SHORT_NAME : LONG_NAME);
	prepare(_i % VARIANTS);
	memset(&run.kept, 0, sizeof(run.kept));
	run.lose = keep_one;
	run.step = send_kept;
	ask_for(200);
	ask_for(0);
	run.talk.messages[1].pause_ns = 3 * second_ns;
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.kept.len > 0 && run.stage == 1, "nothing came late");
	ensure(run.zeros >= 1, "it was not seen");
}
END_TEST

/* The broker ends in the middle of a list that is being held. */
START_TEST(a_fin_in_the_middle_of_a_list_ends_the_connection)
{
	prepare(_i % VARIANTS);
	ask_for(2);
	ask_for(100);
	run.talk.stop_at = run.talk.messages[1].response_at +
	    (size_t)(_i / VARIANTS) * 700 + 1;
	splice_sim_run(&run, SPLICE_SIM_CUT, 4);
	ensure(run.read[SIM_CLIENT] == run.talk.messages[1].told_at,
	    "the client has read %zu bytes", run.read[SIM_CLIENT]);
	ensure(elapsed_ms() < 5000, "%lu ms", elapsed_ms());
}
END_TEST

START_TEST(numbers_wrap_around_anywhere_in_a_list)
{
	splice_sim_advertise(_i & 1 ? SHORT_NAME : LONG_NAME);
	prepare(_i % VARIANTS);
	run.sim.tcp[SIM_BROKER].iss = 0u - (uint32_t)(_i * _i * 7);
	run.sim.tcp[SIM_CLIENT].iss = 0u - (uint32_t)_i;
	run.talk.pipeline = 4;
	for (unsigned i = 0; i < 6; i++)
		ask_for(10 * i);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
}
END_TEST

/* Loses the broker's fifth full segment, before the plane, once. */
static bool
lose_fifth(struct splice_sim *sim_run, enum sim_way way,
    const struct sim_segment *segment)
{
	if (way != SIM_FROM_BROKER || segment->len == 0)
		return false;
	return ++sim_run->stage == 5;
}

START_TEST(a_loss_in_a_list_costs_no_timeout)
{
	prepare(_i % VARIANTS);
	run.lose = lose_fifth;
	(void)address_talk_add(
	    &run.talk, ADDRESS_METADATA, 9, _i < VARIANTS ? 300 : 3, 40000);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.sim.tcp[SIM_BROKER].repeats >= 1, "nothing was repeated");
	ensure(elapsed_ms() < 150, "%lu ms", elapsed_ms());
}
END_TEST

/* Places of the pool, each time the plane has turned. */
static void
watch_held(struct splice_sim *sim_run)
{
	uint64_t held = splice_sim_pieces();

	if (held > sim_run->count)
		sim_run->count = held;
}

START_TEST(topics_behind_a_list_are_not_held)
{
	prepare(_i);
	run.step = watch_held;
	(void)address_talk_add(&run.talk, ADDRESS_METADATA, 9, 20, 2000000);
	ensure(
	    run.talk.told.len > 1000000, "only %zu bytes", run.talk.told.len);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	/* The list: less than 8 kB, as it came and as it leaves. */
	ensure(run.count <= 8, "%lu pieces were held", run.count);
}
END_TEST

START_TEST(several_edits_are_in_flight)
{
	splice_sim_advertise(_i < VARIANTS ? SHORT_NAME : LONG_NAME);
	prepare(_i % VARIANTS);
	run.sim.link[SIM_TO_CLIENT].delay_ns = 20ull * MS;
	run.talk.pipeline = 16;
	for (unsigned i = 0; i < 16; i++) {
		ask_for(i % 5);
		(void)address_talk_add(&run.talk, ADDRESS_COORDINATOR, 2, 1, 0);
	}
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(elapsed_ms() < 300, "%lu ms", elapsed_ms());
}
END_TEST

START_TEST(every_version_is_rewritten)
{
	static const struct {
		enum address_api api;
		int16_t last;
	} apis[] = {{ADDRESS_METADATA, 13}, {ADDRESS_COORDINATOR, 6},
	    {ADDRESS_CLUSTER, 2}};
	static const uint32_t counts[] = {0, 1, 2, 5, 127, 128, 300};

	splice_sim_advertise(_i & 1 ? LONG_NAME : 0);
	for (unsigned a = 0; a < 3; a++) {
		prepare(a == 0 ? 0 : WITH_V6);
		for (int16_t version = 0; version <= apis[a].last; version++)
			for (unsigned i = 0; i < 2; i++)
				(void)address_talk_add(&run.talk, apis[a].api,
				    version, counts[((unsigned)_i + i) % 7],
				    i * 200);
		splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	}
}
END_TEST

/* Hints: overlaid where the records of a Fetch end, and in Produce. */
START_TEST(hints_are_hidden_at_equal_length)
{
	prepare(_i % VARIANTS);
	run.sim.tcp[SIM_BROKER].habits.cut_max =
	    _i < VARIANTS ? 1460 : (uint16_t)(_i - VARIANTS + 1);
	run.sim.tcp[SIM_BROKER].habits.flight = 50;
	run.sim.tcp[SIM_BROKER].habits.flight_fixed = true;
	for (unsigned i = 0; i < 12; i++) {
		(void)address_talk_add(&run.talk, ADDRESS_FETCH,
		    (int16_t)(16 + i % 3), 1 + i % 3, 100 * i);
		(void)address_talk_add(&run.talk, ADDRESS_PRODUCE,
		    (int16_t)(10 + i % 4), 1 + i % 3, 0);
	}
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.talk.edited > 4, "only %lu had hints", run.talk.edited);
}
END_TEST

/* The broker writes its answer in two parts, cut there. */
START_TEST(a_border_may_be_at_every_byte)
{
	static const int16_t versions[] = {0, 1, 9};

	for (unsigned i = 0; i < 3 * BORDERS / BORDERS_APART; i++) {
		prepare(0);
		(void)address_talk_add(
		    &run.talk, ADDRESS_METADATA, versions[i % 3], 2, 60);
		run.talk.split_at = ((size_t)_i + i / 3 * BORDERS_APART) %
		    run.talk.messages[0].response_len;
		splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	}
}
END_TEST

/* More than is held of one answer: both ends are told so, and nothing leaks. */
START_TEST(a_list_beyond_the_limit_ends_the_connection)
{
	uint64_t before = KAFKA_COUNTER(rewrite_too_large);

	prepare(_i);
	ask_for(5);
	ask_for(3000);
	splice_sim_run(&run, SPLICE_SIM_CUT, 20);
	ensure(run.sim.tcp[SIM_CLIENT].state == SIM_RESET &&
		run.sim.tcp[SIM_BROKER].state == SIM_RESET,
	    "it lives on");
	ensure(run.read[SIM_CLIENT] == run.talk.messages[1].told_at,
	    "the client has read %zu bytes", run.read[SIM_CLIENT]);
	ensure(KAFKA_COUNTER(rewrite_too_large) == before + 1,
	    "it was not counted");
}
END_TEST

static void
add_flow(TCase *tests)
{
	tcase_add_loop_test(
	    tests, a_list_passes_a_small_congestion_window, 0, 2 * VARIANTS);
	tcase_add_loop_test(
	    tests, a_list_of_many_small_segments_passes, 0, 2 * VARIANTS);
	tcase_add_loop_test(
	    tests, a_list_goes_out_as_the_window_allows, 0, 3 * VARIANTS);
	tcase_add_loop_test(tests,
	    what_is_behind_a_list_goes_out_as_the_window_allows, 0,
	    6 * VARIANTS);
	tcase_add_loop_test(
	    tests, a_window_that_opens_again_lets_the_list_go_on, 0, VARIANTS);
	tcase_add_loop_test(
	    tests, released_segments_that_are_all_lost_come_again, 0, VARIANTS);
	tcase_add_loop_test(
	    tests, the_last_released_segment_comes_again, 0, VARIANTS);
	tcase_add_loop_test(
	    tests, a_loss_in_a_list_costs_no_timeout, 0, 2 * VARIANTS);
	tcase_add_loop_test(tests, topics_behind_a_list_are_not_held, 0, 2);
	tcase_add_loop_test(
	    tests, several_edits_are_in_flight, 0, 2 * VARIANTS);
}

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, splice_sim_close);
	tcase_set_timeout(tests, 120);
	add_flow(tests);
	tcase_add_loop_test(tests,
	    a_reset_reaches_a_client_that_lacks_the_last_segment, 0, VARIANTS);
	tcase_add_loop_test(tests,
	    an_answer_after_a_minute_is_edited_like_any_other, 0, VARIANTS);
	tcase_add_loop_test(
	    tests, keep_alives_are_answered_after_an_edit, 0, 8 * VARIANTS);
	tcase_add_loop_test(tests,
	    a_late_duplicate_of_what_was_edited_is_all_zeros, 0, 2 * VARIANTS);
	tcase_add_loop_test(tests,
	    a_fin_in_the_middle_of_a_list_ends_the_connection, 0, 6 * VARIANTS);
	tcase_add_loop_test(
	    tests, numbers_wrap_around_anywhere_in_a_list, 0, 40);
	tcase_add_loop_test(tests, every_version_is_rewritten, 0, 7);
	tcase_add_loop_test(
	    tests, hints_are_hidden_at_equal_length, 0, 3 * VARIANTS);
	tcase_add_loop_test(
	    tests, a_border_may_be_at_every_byte, 0, BORDERS_APART);
	tcase_add_loop_test(
	    tests, a_list_beyond_the_limit_ends_the_connection, 0, VARIANTS);
}

int
main(void)
{
	return plane_main("splice_cases", add);
}
