/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener whose names are of a pattern: where each address has one of its
 * own length nothing of the connection is numbered anew, and hints where a
 * leader went are told; else they are hidden, all of an answer's.  Every
 * segment is looked at (splice_sim.h), also what comes again.
 */
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
	/* What the names end in: all fit that are long, some, or few. */
	SHORT = 2,
	MIDDLE = 9,
	LONG = 40,
	BORDERS = 40, /* at a time */
};

static struct splice_sim run;

static void
setup(void)
{
	splice_sim_open(PLACES);
}

/*
 * A calm connection with those options; behind them, of that many bytes at
 * most the broker's segments.
 */
static void
prepare(unsigned suffix_len, int variant)
{
	splice_sim_pattern(suffix_len);
	splice_sim_prepare(&run, (uint64_t)variant + 1);
	splice_sim_calm(&run, variant & WITH_V6);
	for (unsigned who = 0; who < 2; who++) {
		struct sim_habits *habits = &run.sim.tcp[who].habits;

		habits->sack = variant & WITH_SACK;
		habits->duplicate_sack = habits->sack;
		habits->stamps = variant & WITH_STAMPS;
	}
	run.sim.tcp[SIM_BROKER].habits.flight = 50;
	run.sim.tcp[SIM_BROKER].habits.flight_fixed = true;
	if (variant >= VARIANTS)
		run.sim.tcp[SIM_BROKER].habits.cut_max =
		    (uint16_t)(variant - VARIANTS + 1);
}

/* Places of the pool, each time the plane has turned. */
static void
watch_held(struct splice_sim *sim_run)
{
	uint64_t held = splice_sim_pieces();

	if (held > sim_run->count)
		sim_run->count = held;
}

/* All four APIs that have some; of many brokers, or of a few. */
static void
ask_for_hints(unsigned i, uint32_t nodes, uint32_t filler)
{
	(void)address_talk_add(
	    &run.talk, ADDRESS_FETCH, (int16_t)(16 + i % 3), nodes, filler);
	(void)address_talk_add(
	    &run.talk, ADDRESS_PRODUCE, (int16_t)(10 + i % 4), nodes, 0);
	(void)address_talk_add(&run.talk, ADDRESS_SHARE_FETCH,
	    (int16_t)(1 + i % 2), nodes, filler);
	(void)address_talk_add(&run.talk, ADDRESS_SHARE_ACKNOWLEDGE,
	    (int16_t)(1 + i % 2), nodes, 0);
}

/* Names of a pattern: what all of them fit is told, other hints are hidden. */
START_TEST(hints_are_told_by_a_pattern)
{
	uint64_t before = KAFKA_COUNTER(addresses_rewritten);

	prepare(MIDDLE, _i);
	for (unsigned i = 0; i < 12; i++)
		ask_for_hints(i, 1 + i % 3, 100 * i);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.talk.hinted > 4 && run.talk.hidden > 0,
	    "%lu are told, %lu hidden", run.talk.hinted, run.talk.hidden);
	ensure(KAFKA_COUNTER(addresses_rewritten) >= before + run.talk.hinted,
	    "they were not counted");
}
END_TEST

/* More than is held: no more is held than told, and they are hidden. */
START_TEST(too_many_hints_are_hidden)
{
	prepare(SHORT, _i);
	run.step = watch_held;
	ask_for_hints(0, 3000, 0);
	ensure(run.talk.told.len > 3 * LP_EDIT_BYTES_MAX, "only %zu bytes",
	    run.talk.told.len);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.talk.hinted == 0, "some should be told");
	ensure(run.count <= 1, "%lu pieces were held", run.count);
}
END_TEST

/* As many as may be held, and each host has one of its length. */
START_TEST(many_hints_are_told)
{
	prepare(SHORT, _i);
	run.talk.long_hosts = true;
	ask_for_hints(0, 1000, 5000);
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(run.talk.hinted >= 3, "only %lu are told", run.talk.hinted);
}
END_TEST

/* Nothing of a connection whose names all fit is numbered anew. */
START_TEST(names_of_equal_length_move_no_number)
{
	uint64_t before = KAFKA_COUNTER(responses_rewritten);

	prepare(SHORT, _i);
	run.talk.long_hosts = true;
	for (int16_t version = 0; version <= 13; version++)
		(void)address_talk_add(
		    &run.talk, ADDRESS_METADATA, version, 5, 100);
	for (int16_t version = 0; version <= 6; version++)
		(void)address_talk_add(
		    &run.talk, ADDRESS_COORDINATOR, version, 2, 0);
	for (int16_t version = 0; version <= 2; version++)
		(void)address_talk_add(
		    &run.talk, ADDRESS_CLUSTER, version, 5, 0);
	ensure(run.talk.told.len == run.talk.bytes[SIM_BROKER].len,
	    "it is of another length");
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	ensure(KAFKA_COUNTER(responses_rewritten) >= before + 20,
	    "too few were rewritten");
}
END_TEST

/* Cut in two there; false: it is not as long. */
static bool
is_cut_at(enum address_api api, int16_t version, unsigned suffix_len, size_t at)
{
	const struct address_message *message = &run.talk.messages[0];

	prepare(suffix_len, (int)at % VARIANTS);
	(void)address_talk_add(&run.talk, api, version, 3, 30);
	run.talk.split_at = at;
	/* One without an answer tells nothing. */
	if (message->response_len > 0 && at >= message->response_len) {
		address_talk_free(&run.talk);
		return false;
	}
	splice_sim_run(&run, SPLICE_SIM_WHOLE, 0);
	return true;
}

START_TEST(a_border_may_be_at_every_byte_of_hints)
{
	static const struct {
		enum address_api api;
		int16_t version;
	} apis[] = {{ADDRESS_FETCH, 16}, {ADDRESS_PRODUCE, 12},
	    {ADDRESS_SHARE_FETCH, 1}, {ADDRESS_SHARE_ACKNOWLEDGE, 2}};
	static const unsigned suffixes[] = {SHORT, MIDDLE, LONG};
	size_t at;

	for (unsigned a = 0; a < 4; a++)
		for (unsigned s = 0; s < 3; s++) {
			for (at = (size_t)_i + 1; at < 1000; at += BORDERS)
				if (!is_cut_at(apis[a].api, apis[a].version,
					suffixes[s], at))
					break;
		}
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, splice_sim_close);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, hints_are_told_by_a_pattern, 0, 60);
	tcase_add_loop_test(tests, too_many_hints_are_hidden, 0, VARIANTS);
	tcase_add_loop_test(tests, many_hints_are_told, 0, VARIANTS);
	tcase_add_loop_test(tests, names_of_equal_length_move_no_number, 0, 40);
	tcase_add_loop_test(
	    tests, a_border_may_be_at_every_byte_of_hints, 0, BORDERS);
}

int
main(void)
{
	return plane_main("splice_pattern", add);
}
