/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet process is killed while it edits a connection in passing, at
 * instructions all over its way through the pipeline.
 *
 * Whoever takes over finds the connection as it was before the packet or as it
 * is after: its ends say again what was lost with the process, and the
 * conversation comes to its right end, byte for byte.
 */
#include <check.h>
#include <string.h>

#include "dataplane/pipeline/conntrack.h"
#include "tests/support/edited.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_check.h"
#include "tests/support/killed.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"
#include "tests/support/rule_stats.h"
#include "tests/support/spliced.h"

enum {
	FEW = 30, /* kills, see killed_run() */
	FIRST = 60, /* instructions of a change */
	WINDOW = 60000,
	SMALL_WINDOW = 700,
	STRIDE = 7, /* instructions of a removal, from kill to kill */
	BROKERS = 80, /* whose list takes several segments */
	NARROW = 8, /* 1 kB, which a list fills alone */
	BEHIND = 1000,
	RULE = 100,
};

/* Its client's window does not move. */
static void
is_held(void)
{
	const struct lp_conn *conn = spliced_connection();

	ck_assert_uint_ne(conn->paced & 1u << LP_TO_BROKER, 0);
	ck_assert_uint_gt(
	    plane.region.kafka.paces[0].sides[LP_TO_BROKER].until_ns,
	    plane.now_ns);
}

/* What was said until now. */
static struct spliced before;

/* A broker's segment, without a turn. */
static void
queue_answer(uint32_t at, uint32_t len)
{
	spliced_queue(LP_TO_CLIENT, at, spliced.asked_got, "PA", WINDOW,
	    spliced.bytes + at, len);
}

static void
queue_acknowledgement(uint32_t at, uint16_t window)
{
	spliced_queue(
	    LP_TO_BROKER, spliced.asked_sent, at, "A", window, NULL, 0);
}

static uint32_t
list_end(void)
{
	return spliced.edits[0].start + spliced.edits[0].old_len;
}

static void
talk(void)
{
	spliced_metadata(BROKERS);
	spliced_versions();
	spliced_metadata(2);
	spliced_fetch(900);
	spliced_ask();
}

static void
begin_nothing(void)
{
}

static void
queue_first(void)
{
	queue_answer(0, SPLICED_MSS);
}

static void
begin_first(void)
{
	spliced_answer(0, SPLICED_MSS);
}

static void
queue_second(void)
{
	queue_answer(SPLICED_MSS, SPLICED_MSS);
}

static void
begin_most(void)
{
	for (uint32_t at = 0; at + SPLICED_MSS < list_end(); at += SPLICED_MSS)
		spliced_answer(at, SPLICED_MSS);
}

/* Its last address, the next answers with it. */
static void
queue_last(void)
{
	uint32_t at = (list_end() - 1) / SPLICED_MSS * SPLICED_MSS;
	uint32_t len = spliced.len - at;

	queue_answer(at, len < SPLICED_MSS ? len : SPLICED_MSS);
}

static void
begin_list(void)
{
	begin_most();
	queue_last();
	spliced_run();
}

static void
queue_first_again(void)
{
	queue_answer(0, SPLICED_MSS);
}

static void
queue_all_acknowledged(void)
{
	queue_acknowledgement(spliced.got, WINDOW);
}

static void
queue_half_acknowledged(void)
{
	queue_acknowledgement(spliced.edits[0].new_len / 2, WINDOW);
}

/* The client has room for a part of the list only. */
static void
begin_narrow(void)
{
	spliced_acknowledge_at(0, SMALL_WINDOW);
	begin_list();
}

static void
begin_melted(void)
{
	begin_list();
	spliced_acknowledge();
}

static void
begin_gap(void)
{
	for (uint32_t at = 3 * SPLICED_MSS; at < spliced.len; at += SPLICED_MSS)
		spliced_answer(at,
		    spliced.len - at < SPLICED_MSS ? spliced.len - at
						   : SPLICED_MSS);
	spliced_answer(0, SPLICED_MSS);
	spliced_answer(2 * SPLICED_MSS, SPLICED_MSS);
}

static void
queue_behind_gap(void)
{
	queue_answer(2 * SPLICED_MSS, SPLICED_MSS);
}

static void
queue_everything(void)
{
	for (uint32_t at = 0; at < spliced.len; at += SPLICED_MSS)
		queue_answer(at,
		    spliced.len - at < SPLICED_MSS ? spliced.len - at
						   : SPLICED_MSS);
}

/* Another question, in two pieces of which the second comes first. */
static void
begin_question(void)
{
	spliced_finish();
	spliced_metadata(BROKERS);
}

static void
queue_question(void)
{
	uint32_t at = spliced.asked_sent, len = spliced.asked_len - at;

	spliced_queue(LP_TO_BROKER, at + 9, spliced.got, "PA", WINDOW,
	    spliced.asked + at + 9, len - 9);
	spliced_queue(
	    LP_TO_BROKER, at, spliced.got, "PA", WINDOW, spliced.asked + at, 9);
}

/* The same where rules act: the second waits. */
static void
begin_ruled(void)
{
	begin_question();
	rule_put(RULE, 10, "api=DeleteRecords topic=none", "deny", false);
	edited_publish(LP_UNJUDGED_RESET);
}

static void
queue_question_end(void)
{
	uint32_t at = spliced.asked_sent + 9;

	spliced_queue(LP_TO_BROKER, at, spliced.got, "PA", WINDOW,
	    spliced.asked + at, spliced.asked_len - at);
}

static void
begin_ruled_gap(void)
{
	begin_ruled();
	queue_question_end();
	spliced_run();
	ck_assert_uint_eq(spliced_state()->waiting_count[LP_TO_BROKER], 1);
}

static void
queue_question_begin(void)
{
	spliced_queue(LP_TO_BROKER, spliced.asked_sent, spliced.got, "PA",
	    WINDOW, spliced.asked + spliced.asked_sent, 9);
}

/* What was said is kept, and then it is not needed any more. */
static void
begin_ruled_said(void)
{
	begin_ruled();
	spliced_ask();
	ck_assert_uint_gt(spliced_state()->said_count, 0);
}

/* What of a Fetch is kept for its answer, whose topics a rule limits. */
static void
begin_topics(void)
{
	spliced_finish();
	spliced_fetch(900);
	rule_put(RULE, 10, "api=Fetch topic=* client_id=web*",
	    "limit bytes=1GB/s", false);
	edited_publish(LP_UNJUDGED_RESET);
}

static void
begin_topics_answer(void)
{
	begin_topics();
	spliced_ask();
}

static void
queue_topics_answer(void)
{
	uint32_t at = spliced.sent;

	queue_answer(at, 60);
	queue_answer(at + 60, spliced.len - at - 60);
}

static void
queue_said_again(void)
{
	uint8_t other[SPLICED_MSS] = {0};

	spliced_queue(LP_TO_BROKER, spliced.asked_sent - 20, spliced.got, "PA",
	    WINDOW, other, 20);
}

static void
queue_said_acknowledged(void)
{
	spliced_queue(LP_TO_CLIENT, spliced.sent, spliced.asked_sent, "A",
	    WINDOW, NULL, 0);
}

/* Its client owes a second, and asks once more; or the answers come. */
static void
begin_limited(void)
{
	begin_question();
	rule_put(RULE, 10, "", "limit requests=1/s bytes=9MB/s", false);
	edited_publish(LP_UNJUDGED_RESET);
	spliced_ask();
	spliced_metadata(BROKERS);
	spliced_ask();
	spliced_metadata(2);
	is_held();
}

static void
queue_asked(void)
{
	uint32_t at = spliced.asked_sent;

	spliced_queue(LP_TO_BROKER, at, spliced.got, "PA", WINDOW,
	    spliced.asked + at, spliced.asked_len - at);
}

static void
queue_answered(void)
{
	queue_answer(spliced.sent, SPLICED_MSS);
}

static uint32_t
last_end(void)
{
	const struct spliced_edit *last =
	    &spliced.edits[spliced.edit_count - 1];

	return last->start + last->old_len;
}

/* Another list, which fills the client's window, and what is behind it. */
static void
begin_full(void)
{
	uint32_t at;

	spliced_finish();
	at = spliced.len;
	spliced_metadata(BROKERS);
	spliced_fetch(3 * BEHIND);
	spliced_ask();
	spliced_acknowledge_at(spliced.got, NARROW);
	for (; at < last_end(); at += SPLICED_MSS)
		spliced_answer(at,
		    last_end() - at < SPLICED_MSS ? last_end() - at
						  : SPLICED_MSS);
}

static void
queue_behind_list(void)
{
	queue_answer(last_end(), BEHIND);
}

static void
begin_kept(void)
{
	const struct lp_kafka_state *state = &plane.region.kafka;
	bool kept = false;

	begin_full();
	spliced_answer(last_end(), BEHIND);
	for (uint32_t i = 0; i < state->edit_count; i++)
		kept = kept || state->edits[i].kind == LP_EDIT_KEEP;
	ck_assert(kept);
}

static void
queue_more_behind(void)
{
	queue_answer(last_end() + BEHIND, BEHIND);
}

static void
queue_narrow_acknowledged(void)
{
	queue_acknowledgement(spliced.got, NARROW);
}

static void
queue_fin(void)
{
	spliced_queue(LP_TO_CLIENT, spliced.len, spliced.asked_got, "FA",
	    WINDOW, NULL, 0);
}

static const struct scene {
	const char *name;
	void (*begin)(void);
	void (*queue)(void);
} scenes[] = {
    {"opens", begin_nothing, queue_first},
    {"holds", begin_first, queue_second},
    {"completes", begin_most, queue_last},
    {"is sent again, held", begin_first, queue_first_again},
    {"is sent again, complete", begin_list, queue_last},
    {"is sent again, over", begin_melted, queue_last},
    {"melts", begin_list, queue_all_acknowledged},
    {"is half acknowledged", begin_list, queue_half_acknowledged},
    {"goes on", begin_narrow, queue_half_acknowledged},
    {"waits", begin_first, queue_behind_gap},
    {"is released", begin_gap, queue_second},
    {"all at once", begin_nothing, queue_everything},
    {"is asked for", begin_question, queue_question},
    {"asks where rules act", begin_ruled, queue_question},
    {"waits where rules act", begin_ruled, queue_question_end},
    {"is released where rules act", begin_ruled_gap, queue_question_begin},
    {"says another thing", begin_ruled_said, queue_said_again},
    {"is heard", begin_ruled_said, queue_said_acknowledged},
    {"is limited", begin_limited, queue_asked},
    {"is answered while its client is held", begin_limited, queue_answered},
    {"asks for what is limited", begin_topics, queue_question},
    {"has what is limited", begin_topics_answer, queue_topics_answer},
    {"ends", begin_melted, queue_fin},
    {"keeps", begin_full, queue_behind_list},
    {"keeps more", begin_kept, queue_more_behind},
    {"keeps what comes again", begin_kept, queue_behind_list},
    {"sends what it keeps", begin_kept, queue_narrow_acknowledged},
    {"melts what it keeps", begin_kept, queue_all_acknowledged},
};
enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

static void
queue(const void *arg)
{
	((const struct scene *)arg)->queue();
}

/* What the client acknowledges in the scene counts as said. */
static void
say(const struct scene *scene)
{
	if (scene->queue == queue_all_acknowledged ||
	    scene->queue == queue_narrow_acknowledged)
		spliced.acked = spliced.got;
	else if (scene->queue == queue_half_acknowledged)
		spliced.acked = spliced.edits[0].new_len / 2;
	spliced.sent = spliced.len;
}

static bool
take_over(const void *arg)
{
	const struct scene *scene = arg;
	const struct lp_kafka_conn *conn = &plane.region.kafka.conns[0];
	bool marked = atomic_load(&plane.region.undo->marked) != 0;
	uint64_t lost = KAFKA_COUNTER(streams_lost);

	spliced = before;
	say(scene);
	plane_restart();
	plane_run();
	plane_forget();
	kafka_check_pools();
	ensure(spliced_connection() != NULL, "%s: it is over", scene->name);
	ensure(conn->mode == LP_KAFKA_LIVE, "%s: mode %u", scene->name,
	    conn->mode);
	ensure(!(spliced_state()->flags & LP_SPLICE_BROKEN), "%s: broken",
	    scene->name);
	if (scene->begin == begin_limited)
		is_held();
	spliced.asked_sent = spliced.asked_got;
	spliced_ask();
	spliced_finish();
	/* And what is asked from now on. */
	spliced_metadata(3);
	spliced_fetch(400);
	spliced_ask();
	if (scene->queue != queue_fin)
		spliced_finish();
	ensure(KAFKA_COUNTER(streams_lost) == lost, "%s: lost", scene->name);
	ensure(KAFKA_COUNTER(rewrite_unreadable) == 0 &&
		KAFKA_COUNTER(rewrite_full) == 0,
	    "%s: something was refused", scene->name);
	if (scene->queue != queue_fin)
		spliced_check_pools();
	return marked;
}

/* As if no child had been. */
static void
go_back(void)
{
	killed_restore();
	spliced = before;
	plane_restart();
	plane_run();
	plane_forget();
}

START_TEST(whoever_takes_over_goes_on_as_if_nothing_had_been)
{
	const struct scene *scene = &scenes[_i];
	const struct killed how = {.prepare = queue,
	    .act = killed_run_pipeline,
	    .take_over = take_over,
	    .arg = scene};
	unsigned kills[2] = {0};

	talk();
	scene->begin();
	before = spliced;
	killed_keep();
	if (killed_run(&how, FEW / RANDOM_SLOWER, kills))
		ck_assert_uint_gt(kills[true], 0);
	go_back();
	killed_forget();
}
END_TEST

/* At each of the first instructions of a change. */
START_TEST(no_instruction_is_too_early)
{
	const struct scene *scene = &scenes[2];
	const struct killed how = {
	    .prepare = queue, .act = killed_run_pipeline, .arg = scene};

	talk();
	scene->begin();
	before = spliced;
	killed_keep();
	for (unsigned more = 0; more < FIRST / RANDOM_SLOWER; more++) {
		pid_t child = killed_start(&how);

		if (child == 0)
			break;
		ck_assert(killed_step_until(child, true, 1, more));
		take_over(scene);
		go_back();
	}
	go_back();
	killed_forget();
}
END_TEST

static void
remove_it(void)
{
	lp_conntrack_remove(lp_pipeline_conntrack(plane.pipeline), 0);
}

/* The broker has all answers to say, from its first byte on. */
static bool
take_over_removed(const void *arg)
{
	bool is_read = plane.region.kafka.conns[0].mode == LP_KAFKA_LIVE;

	(void)arg;
	spliced = before;
	spliced.lenient = true;
	plane_restart();
	kafka_check_pools();
	/* Nor is the client told a secret by the first of them (spliced.c). */
	for (uint32_t at = 0; at < spliced.len; at += SPLICED_MSS)
		spliced_answer(at,
		    spliced.len - at < SPLICED_MSS ? spliced.len - at
						   : SPLICED_MSS);
	return is_read;
}

/* One that is removed although its ends go on. */
START_TEST(one_that_was_being_removed_tells_nothing)
{
	const struct scene *scene = &scenes[_i];
	const struct killed how = {
	    .act = remove_it, .take_over = take_over_removed};
	unsigned kills[2] = {0};

	talk();
	scene->begin();
	before = spliced;
	killed_keep();
	if (killed_run(&how, (STRIDE * RANDOM_SLOWER) | 1, kills) > 0) {
		ck_assert_uint_gt(kills[false], 0);
		ck_assert_uint_gt(kills[true], 0);
	}
	go_back();
	killed_forget();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, spliced_open, spliced_close);
	tcase_set_timeout(tests, 300);
	tcase_add_loop_test(tests,
	    whoever_takes_over_goes_on_as_if_nothing_had_been, 0, SCENES);
	tcase_add_test(tests, no_instruction_is_too_early);
	tcase_add_loop_test(
	    tests, one_that_was_being_removed_tells_nothing, 0, 2);
}

int
main(void)
{
	return plane_main("splice_killed", add);
}
