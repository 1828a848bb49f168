/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/talkers.h"

#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/telemetry.h"

enum { FULL = LP_KAFKA_TALKERS_MAX, PERIOD = LP_TALKERS_HALF_MS };

static struct lp_telemetry *telemetry;
static struct lp_talkers *talkers;
static uint64_t now_ms;
static uint64_t state;

/* What was counted, by whoever. */
static uint64_t requests, times;
static uint64_t unplaced; /* of the requests, by whom had no place */

static void
setup(void)
{
	telemetry = telemetry_open(NULL, NULL);
	talkers = &telemetry->clients;
	now_ms = 1000000;
	state = 88172645463325252ull;
	requests = times = unplaced = 0;
}

static void
teardown(void)
{
	telemetry_close(telemetry);
}

static uint64_t
random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static lp_talker_handle
look_up(const char *kind, unsigned n)
{
	char name[32];
	int len = snprintf(name, sizeof(name), "%s-%u", kind, n);

	return lp_telemetry_client(
	    telemetry, (const uint8_t *)name, (uint32_t)len, false, now_ms);
}

/* A request with its response. */
static lp_talker_handle
talk(const char *kind, unsigned n)
{
	lp_talker_handle client = look_up(kind, n);

	lp_telemetry_client_request(telemetry, client, 10);
	lp_telemetry_client_response(telemetry, client,
	    (enum lp_kafka_client_histogram)(random64() % 3), 20,
	    random64() >> (22 + random64() % 42), 0);
	requests++;
	times++;
	unplaced += client == LP_TALKER_OTHER;
	return client;
}

static uint64_t
count_times(const struct lp_talker *talker)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LP_TALKER_HISTOGRAMS; i++)
		for (unsigned j = 0; j < LP_HISTOGRAM_BUCKETS; j++)
			sum += lp_count_get(&talker->histograms[i].counts[j]);
	return sum;
}

/* What those sums shall have counted. */
static void
check_sums(void)
{
	const struct lp_talker *places = talkers->list->places;
	const lp_counter *other = places[LP_TALKER_OTHER].counts;
	const lp_counter *gone = places[LP_TALKER_EVICTED].counts;

	/* Only that: no rate of theirs is another's history. */
	ck_assert_uint_eq(
	    lp_count_get(&other[LP_KAFKA_CLIENT_requests]), unplaced);
	ck_assert_uint_eq(lp_count_get(&gone[LP_KAFKA_CLIENT_in_flight]), 0);
	if (lp_count_get(talkers->evicted) == 0)
		ck_assert_uint_eq(
		    lp_count_get(&gone[LP_KAFKA_CLIENT_requests]), 0);
}

/* Nothing is lost and nothing counted twice, whoever has it now. */
static void
reconcile(void)
{
	uint64_t sums[LP_TALKER_COUNTS] = {0}, sum = 0, used = 0;

	for (unsigned i = 0; i < LP_TALKER_PLACES; i++) {
		const struct lp_talker *talker = &talkers->list->places[i];

		for (unsigned j = 0; j < LP_TALKER_COUNTS; j++)
			sums[j] += lp_count_get(&talker->counts[j]);
		sum += count_times(talker);
		used += talker->state == LP_TALKER_USED;
	}
	ck_assert_uint_eq(sums[LP_KAFKA_CLIENT_requests], requests);
	ck_assert_uint_eq(sums[LP_KAFKA_CLIENT_responses], requests);
	ck_assert_uint_eq(sums[LP_KAFKA_CLIENT_request_bytes], 10 * requests);
	ck_assert_uint_eq(sums[LP_KAFKA_CLIENT_response_bytes], 20 * requests);
	ck_assert_uint_eq(sums[LP_KAFKA_CLIENT_in_flight], 0);
	ck_assert_uint_eq(sum, times);
	ck_assert_uint_eq(used, lp_count_get(talkers->used));
	ck_assert_uint_le(used, FULL);
	check_sums();
}

static void
fill(const char *kind)
{
	for (unsigned i = 0; i < FULL; i++)
		ck_assert_uint_ne(talk(kind, i), LP_TALKER_OTHER);
	ck_assert_uint_eq(lp_count_get(talkers->used), FULL);
	ck_assert_uint_eq(lp_count_get(talkers->evicted), 0);
}

static uint64_t
evicted(void)
{
	return lp_count_get(talkers->evicted);
}

START_TEST(names_have_places_until_it_is_full)
{
	fill("first");
	ck_assert_uint_eq(look_up("late", 1), LP_TALKER_OTHER);
	ck_assert_uint_eq(lp_count_get(talkers->other), 1);
	for (unsigned i = 0; i < FULL; i++)
		ck_assert_uint_ne(look_up("first", i), LP_TALKER_OTHER);
	reconcile();
}
END_TEST

/* A thousand new client ids a second, for a minute. */
START_TEST(a_flood_of_names_moves_nobody_who_talks)
{
	lp_talker_handle steady[100];
	unsigned flood = 0;

	for (unsigned i = 0; i < 100; i++)
		steady[i] = talk("steady", i);
	for (unsigned second = 0; second < 60; second++) {
		for (unsigned i = 0; i < 1000; i++, now_ms++) {
			talk("flood", flood++);
			if (i % 100 == 0)
				for (unsigned j = 0; j < 100; j++)
					ck_assert_uint_eq(
					    talk("steady", j), steady[j]);
		}
	}
	ck_assert_uint_eq(evicted(), 0);
	reconcile();
}
END_TEST

/* Far more than there are places, each as often as the other. */
START_TEST(many_equal_names_do_not_thrash)
{
	enum { TOPICS = 100000 };

	for (unsigned round = 0; round < 20; round++)
		for (unsigned i = 0; i < TOPICS; i++) {
			talk("topic", i);
			now_ms += i % 100 == 0;
		}
	ck_assert_uint_le(evicted(), 20);
	reconcile();
}
END_TEST

/* New ids that each talk for a while: places change, but no faster. */
START_TEST(evictions_are_no_more_often_than_the_pause)
{
	uint64_t begin_ms = now_ms;

	fill("first");
	now_ms += 40 * PERIOD;
	begin_ms = now_ms;
	/* As many spells as places: each could have one. */
	for (unsigned i = 0; i < FULL; i++, now_ms++)
		for (unsigned j = 0; j < 20; j++)
			talk("spell", i);
	ck_assert_uint_gt(evicted(), 0);
	ck_assert_uint_le(
	    evicted(), (now_ms - begin_ms) / LP_TALKERS_PAUSE_MS + 1);
	reconcile();
}
END_TEST

START_TEST(who_talks_much_takes_the_place_of_who_does_not)
{
	unsigned proof = 0;

	fill("first");
	/* All of them have said one thing; so twice that, and the proof. */
	while (talk("late", 1) == LP_TALKER_OTHER)
		proof++;
	ck_assert_uint_eq(proof, LP_TALKERS_PROOF - 1);
	ck_assert_uint_eq(evicted(), 1);
	ck_assert_uint_ne(talk("late", 1), LP_TALKER_OTHER);
	reconcile();
}
END_TEST

START_TEST(the_silent_lose_against_the_talkative)
{
	unsigned proof = 0;

	for (unsigned i = 0; i < 40; i++)
		for (unsigned j = 0; j < FULL; j++)
			talk("first", j);
	for (; proof < 3 * LP_TALKERS_PROOF / 2; proof++)
		ck_assert_uint_eq(talk("late", 1), LP_TALKER_OTHER);
	/* What they said is worth less with every period. */
	now_ms += 10 * PERIOD;
	for (proof = 0; talk("late", 1) == LP_TALKER_OTHER; proof++)
		ck_assert_uint_le(proof, LP_TALKERS_PROOF);
	reconcile();
}
END_TEST

/* An evicted one's handle, also when another has its place. */
START_TEST(an_old_handle_counts_in_other)
{
	lp_talker_handle handles[FULL], old = LP_TALKER_OTHER;
	uint32_t index = 0;

	for (unsigned i = 0; i < FULL; i++)
		handles[i] = talk("first", i);
	for (unsigned i = 0; i < FULL / 2; i++) {
		now_ms += LP_TALKERS_PAUSE_MS;
		for (unsigned j = 0; j < 2 * LP_TALKERS_PROOF; j++)
			talk("late", i);
		while (lp_talkers_turn(talkers))
			;
	}
	ck_assert_uint_gt(evicted(), 1);
	for (unsigned i = 0; i < FULL; i++) {
		struct lp_talker *talker = lp_talkers_get(talkers, handles[i]);

		if (talker != &talkers->list->places[LP_TALKER_OTHER])
			continue;
		old = handles[i];
		index = old & ((1u << LP_TALKER_INDEX_BITS) - 1);
		if (talkers->list->places[index].state == LP_TALKER_USED)
			break;
	}
	ck_assert_uint_ne(old, LP_TALKER_OTHER);
	ck_assert_uint_eq(talkers->list->places[index].state, LP_TALKER_USED);
	lp_telemetry_client_request(telemetry, old, 10);
	lp_telemetry_client_abandon(telemetry, old);
	lp_telemetry_client_add(telemetry, old, LP_KAFKA_CLIENT_responses, 1);
	lp_telemetry_client_add(
	    telemetry, old, LP_KAFKA_CLIENT_response_bytes, 20);
	requests++;
	unplaced++;
	reconcile();
}
END_TEST

/* Evicted between a request and its response. */
START_TEST(what_is_in_flight_moves_along)
{
	lp_talker_handle handles[FULL];

	for (unsigned i = 0; i < FULL; i++) {
		handles[i] = look_up("first", i);
		lp_telemetry_client_request(telemetry, handles[i], 10);
		requests++;
	}
	for (unsigned i = 0; i < 50; i++) {
		now_ms += LP_TALKERS_PAUSE_MS;
		for (unsigned j = 0; j < 2 * LP_TALKERS_PROOF; j++)
			talk("late", i);
	}
	ck_assert_uint_gt(evicted(), 10);
	/* And nothing else: the requests were no others'. */
	ck_assert_uint_eq(lp_count_get(&talkers->list->places[LP_TALKER_OTHER]
					    .counts[LP_KAFKA_CLIENT_in_flight]),
	    evicted());
	check_sums();
	for (unsigned i = 0; i < FULL; i++)
		lp_telemetry_client_response(telemetry, handles[i],
		    LP_KAFKA_CLIENT_REST, 20, LP_TELEMETRY_NO_LATENCY, 0);
	reconcile();
}
END_TEST

/* How many counters of `evicted` differ from that copy, and become it. */
static unsigned
count_changes(struct lp_talker *copy)
{
	const struct lp_talker *gone =
	    &talkers->list->places[LP_TALKER_EVICTED];
	unsigned changes = 0;

	for (unsigned i = 0; i < LP_TALKER_HISTOGRAMS; i++)
		for (unsigned j = 0; j < LP_HISTOGRAM_BUCKETS; j++)
			changes += gone->histograms[i].counts[j] !=
			    copy->histograms[i].counts[j];
	memcpy(copy, gone, sizeof(*copy));
	return changes;
}

/* All that one turn may touch is one octave, or the plain counters. */
START_TEST(a_turn_moves_a_bounded_piece)
{
	struct lp_talker *copy = calloc(1, sizeof(*copy));
	unsigned turns = 0, changes = 0;

	ck_assert_ptr_nonnull(copy);
	/* All magnitudes for all of them. */
	for (unsigned i = 0; i < 100000; i++)
		talk("first", i % FULL);
	now_ms += 40 * PERIOD;
	while (evicted() == 0)
		look_up("late", 1);
	count_changes(copy);
	for (; lp_talkers_turn(talkers); turns++) {
		unsigned moved = count_changes(copy);

		ck_assert_uint_le(moved, LP_HISTOGRAM_SUB);
		changes += moved;
		reconcile();
	}
	/* More than one piece, of course. */
	ck_assert_uint_gt(changes, LP_HISTOGRAM_SUB);
	ck_assert_uint_le(
	    turns, LP_TALKER_HISTOGRAMS * LP_HISTOGRAM_OCTAVES + 1);
	free(copy);
}
END_TEST

/* A process that takes up the list in the middle of an eviction. */
START_TEST(a_restart_goes_on_with_all_of_it)
{
	lp_talker_handle late = LP_TALKER_OTHER;
	uint64_t draining;

	for (unsigned i = 0; i < 3000; i++)
		talk("first", i % FULL);
	now_ms += 40 * PERIOD;
	while (late == LP_TALKER_OTHER)
		late = look_up("late", 1);
	lp_talkers_turn(talkers);
	draining = talkers->draining;
	ck_assert_uint_ne(draining, 0);
	telemetry_restart(telemetry);
	ck_assert_uint_eq(talkers->draining, draining);
	ck_assert_uint_eq(lp_count_get(talkers->used), FULL);
	reconcile();
	while (lp_talkers_turn(talkers))
		reconcile();
	ck_assert_uint_eq(talkers->free_count, 1);
	ck_assert_uint_eq(look_up("late", 1), late);
	/* And with a name that was half written. */
	talkers->list->places[3].serial++;
	memset((void *)talkers->list->places[3].counts, 0,
	    sizeof(talkers->list->places[3].counts));
	telemetry_restart(telemetry);
	ck_assert_uint_eq(talkers->free_count, 2);
	ck_assert_uint_eq(lp_count_get(talkers->used), FULL - 1);
	ck_assert_uint_eq(look_up("late", 1), late);
	ck_assert_uint_ne(look_up("another", 1), LP_TALKER_OTHER);
}
END_TEST

/* What every process finds that takes up the list of a killed one. */
static void
check_list(void)
{
	unsigned used = 0, draining = 0, unused = 0;

	for (unsigned i = LP_TALKER_FIRST;
	     i < lp_count_get(&talkers->list->places_used); i++) {
		const struct lp_talker *talker = &talkers->list->places[i];
		struct lp_talker_name name = {
		    .bytes = (const uint8_t *)talker->name,
		    .len = talker->name_len,
		};
		lp_talker_handle found;

		ck_assert_uint_eq(talker->serial % 2, 0);
		used += talker->state == LP_TALKER_USED;
		draining += talker->state == LP_TALKER_DRAINING;
		unused += talker->state == LP_TALKER_FREE;
		if (talker->state == LP_TALKER_FREE)
			ck_assert_uint_eq(count_times(talker), 0);
		if (talker->state != LP_TALKER_USED)
			continue;
		found = lp_talkers_find(talkers, &name, now_ms);
		ck_assert_ptr_eq(lp_talkers_get(talkers, found), talker);
		ck_assert(talker->state == LP_TALKER_USED);
	}
	ck_assert_uint_eq(used, lp_count_get(talkers->used));
	ck_assert_uint_le(used, FULL);
	ck_assert_uint_le(draining, 1);
	/* Looking up has drained what there was. */
	ck_assert_uint_eq(unused + draining,
	    lp_count_get(&talkers->list->places_used) - LP_TALKER_FIRST - used);
	ck_assert_uint_eq(lp_count_get(&talkers->list->moves) % 2, 0);
}

static void
talk_for_ever(unsigned first, _Atomic uint64_t *rounds)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0;; i++) {
		talk("child", first + i / 20);
		now_ms += LP_TALKERS_PAUSE_MS;
		atomic_fetch_add(rounds, 1);
	}
}

/* Another process writes; it is killed wherever it happens to be. */
START_TEST(a_process_may_be_killed_at_any_instruction)
{
	enum { KILLS = 30 };
	struct shared {
		_Atomic uint64_t rounds;
		struct lp_kafka_stats stats;
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(shared, MAP_FAILED);
	telemetry_close(telemetry);
	telemetry = telemetry_open(&shared->stats, NULL);
	talkers = &telemetry->clients;
	for (unsigned kill_number = 0; kill_number < KILLS; kill_number++) {
		uint64_t until =
		    atomic_load(&shared->rounds) + 2000 + random64() % 5000;
		pid_t pid;

		telemetry_restart(telemetry);
		check_list();
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			talk_for_ever(100 * kill_number, &shared->rounds);
		while (atomic_load(&shared->rounds) < until)
			sched_yield();
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		now_ms += 10 * PERIOD;
	}
	telemetry_restart(telemetry);
	check_list();
	ck_assert_uint_gt(evicted(), KILLS);
	telemetry_close(telemetry);
	munmap(shared, sizeof(*shared));
	telemetry = telemetry_open(NULL, NULL);
}
END_TEST

/* Whatever comes, the books balance. */
START_TEST(random_talk_reconciles)
{
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 4000; i++) {
			uint64_t r = random64();

			talk("name",
			    (unsigned)(r % 100000 % (1 + r / 7 % 3000)));
			now_ms += r / 11 % 3 == 0;
		}
		if (round % 10 == 9)
			telemetry_restart(telemetry);
		now_ms += random64() % PERIOD;
		reconcile();
	}
	ck_assert_uint_gt(evicted(), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("talkers");
	TCase *tcase = tcase_create("talkers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, names_have_places_until_it_is_full);
	tcase_add_test(tcase, a_flood_of_names_moves_nobody_who_talks);
	tcase_add_test(tcase, many_equal_names_do_not_thrash);
	tcase_add_test(tcase, evictions_are_no_more_often_than_the_pause);
	tcase_add_test(tcase, who_talks_much_takes_the_place_of_who_does_not);
	tcase_add_test(tcase, the_silent_lose_against_the_talkative);
	tcase_add_test(tcase, an_old_handle_counts_in_other);
	tcase_add_test(tcase, what_is_in_flight_moves_along);
	tcase_add_test(tcase, a_turn_moves_a_bounded_piece);
	tcase_add_test(tcase, a_restart_goes_on_with_all_of_it);
	tcase_add_test(tcase, a_process_may_be_killed_at_any_instruction);
	tcase_add_test(tcase, random_talk_reconciles);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
