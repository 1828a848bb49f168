/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet process is killed while Kafka's segments pass, at instructions all
 * over its way through the pipeline.
 *
 * A child sends the segment, a number of instructions at a time, and we are the
 * process that takes over: from a copy of what lies in the region.  What was
 * not being changed is whole; what was has lost its streams, or is as before or
 * after; and the pools belong to those who say so.  The listener rewrites
 * nothing: what is edited is put back (test_splice_killed.c).
 */
#include <check.h>

#include "tests/support/kafka_check.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/killed.h"
#include "tests/support/plane_main.h"
#include "tests/support/plane_pipeline.h"
#include "tests/support/random.h"

enum {
	FEW = 10, /* kills, see killed_run() */
	IN_THE_STAGE = 1000, /* instructions behind the mark */
	STRIDE = 500, /* instructions between two looks at it */
	VICTIM = 1, /* its place; the bystander's is 0 */
};

static struct kafka_talk bystander, victim;

/*
 * The bystander, with a request in flight, half of another and a piece behind
 * a gap; and the victim with a request in flight.
 */
static void
connect_both(void)
{
	kafka_setup();
	kafka_greet(1);
	kafka_versions_request(2);
	kafka_ask();
	kafka_produce_request(3, 1, 300);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, 60);
	kafka_send_at(LP_TO_BROKER, 100, kafka_frame.bytes + 160, 50);
	bystander = kafka_talk;
	kafka_talk.more = 1;
	kafka_connect();
	kafka_greet(1);
	kafka_fetch_request(2, 500, -1);
	kafka_ask();
	victim = kafka_talk;
}

static void
make_request(void)
{
	kafka_produce_request(3, 1, RECORDS);
}

static void
make_response(void)
{
	kafka_fetch_response(2, RECORDS);
}

static void
make_wrong_response(void)
{
	kafka_fetch_response(9, RECORDS);
}

/* What the victim is told while it is killed. */
static const struct scene {
	enum lp_direction dir;
	void (*make)(void); /* NULL: a reset */
	unsigned from, len; /* len 0: to the end */
} scenes[] = {
    {LP_TO_BROKER, make_request, 0, 0},
    {LP_TO_BROKER, make_request, 0, 70},
    {LP_TO_BROKER, make_request, 20, 0},
    {LP_TO_CLIENT, make_response, 0, 0},
    {LP_TO_CLIENT, make_response, 0, 33},
    {LP_TO_CLIENT, make_response, 33, 0},
    {LP_TO_CLIENT, make_wrong_response, 0, 0},
    {LP_TO_BROKER, NULL, 0, 0},
};
enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

static void
queue(const void *arg)
{
	const struct scene *scene = arg;

	if (scene->make == NULL) {
		kafka_queue_reset(scene->dir);
		return;
	}
	scene->make();
	kafka_queue(scene->dir, (int32_t)scene->from,
	    kafka_frame.bytes + scene->from,
	    scene->len > 0 ? scene->len : kafka_frame.len - scene->from);
}

static void
check_bystander(void)
{
	uint64_t lost = KAFKA_COUNTER(streams_lost);
	uint64_t responses = KAFKA_COUNTER(responses);

	kafka_talk = bystander;
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	kafka_produce_request(3, 1, 300);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes + 60, kafka_frame.len - 60);
	kafka_versions_response(2);
	kafka_answer();
	kafka_produce_response(3, 0, 0);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(responses), responses + 2);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), lost);
	kafka_check_pools();
	kafka_reset(LP_TO_BROKER);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
}

/* What was lost with the process is sent again, and answered. */
static void
check_victim(const struct scene *scene, bool marked)
{
	const struct lp_kafka_conn *conn = &plane.region.kafka.conns[VICTIM];
	const struct lp_conn *tcp = &plane.region.connections[VICTIM];
	uint64_t lost = KAFKA_COUNTER(streams_lost);

	if (tcp->use != LP_CONN_USED || tcp->tcp.state != LP_TCP_ESTABLISHED)
		return;
	ck_assert(!marked || conn->mode != LP_KAFKA_LIVE);
	kafka_talk = victim;
	if (conn->mode == LP_KAFKA_LIVE) {
		kafka_produce_request(3, 1, RECORDS);
		kafka_ask();
		kafka_fetch_response(2, RECORDS);
		kafka_answer();
		kafka_produce_response(3, 0, 0);
		kafka_answer();
		ck_assert_uint_eq(conn->mode, LP_KAFKA_LIVE);
		ck_assert_uint_eq(conn->inflight_count, 0);
		ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), lost);
		kafka_ensure_at_rest();
	} else {
		ck_assert(marked || scene->make == make_wrong_response);
		kafka_talk.next[LP_TO_BROKER] = tcp->tcp.peer[LP_TO_BROKER].end;
	}
	kafka_reset(LP_TO_BROKER);
	ck_assert_uint_eq(conn->mode, LP_KAFKA_OFF);
}

/* True: it was killed in the change of a connection. */
static bool
take_over(const void *arg)
{
	const struct scene *scene = arg;
	uint32_t marked;

	marked = atomic_load(&plane.region.undo->marked);
	ck_assert(marked == 0 || marked == VICTIM + 1);
	plane_restart();
	plane_run();
	kafka_check_pools();
	check_bystander();
	check_victim(scene, marked != 0);
	kafka_ensure_at_rest();
	ck_assert_uint_eq(kafka_check_pools().held, 0);
	plane_forget();
	return marked != 0;
}

/* As if no child had been. */
static void
begin_anew(void)
{
	killed_restore();
	plane_restart();
	plane_run();
	plane_forget();
	killed_forget();
}

START_TEST(whoever_takes_over_finds_streams_and_pools_whole)
{
	const struct killed how = {.prepare = queue,
	    .act = killed_run_pipeline,
	    .take_over = take_over,
	    .arg = &scenes[_i]};
	unsigned kills[2] = {0};

	killed_keep();
	if (killed_run(&how, FEW / RANDOM_SLOWER, kills)) {
		ck_assert_uint_gt(kills[false], 0);
		ck_assert_uint_gt(kills[true], 0);
	}
	begin_anew();
}
END_TEST

/* Its memory is cleared for the next one, and not in single steps. */
static void
end_pipeline(const void *arg)
{
	(void)arg;
	plane_pipeline_close(plane.pipeline);
	plane.pipeline = NULL;
}

/* And the process behind it, before it has taken everything up. */
START_TEST(who_is_killed_at_once_forgets_no_mark)
{
	const struct killed first = {
	    .prepare = queue, .act = killed_run_pipeline, .arg = &scenes[0]};
	const struct killed second = {
	    .prepare = end_pipeline, .act = plane_restart};
	pid_t child;

	killed_keep();
	child = killed_start(&first);
	if (child > 0) {
		ck_assert(killed_step_until(child, true, 1, IN_THE_STAGE));
		ck_assert_uint_eq(plane.region.undo->marked, VICTIM + 1);
		child = killed_start(&second);
		ck_assert(killed_step_until(child, false, STRIDE, 0));
		plane_restart();
		ck_assert_uint_eq(
		    plane.region.kafka.conns[VICTIM].mode, LP_KAFKA_LOST);
		kafka_check_pools();
		plane_run();
	}
	begin_anew();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, connect_both, plane_close);
	tcase_set_timeout(tests, 300);
	tcase_add_loop_test(
	    tests, whoever_takes_over_finds_streams_and_pools_whole, 0, SCENES);
	tcase_add_test(tests, who_is_killed_at_once_forgets_no_mark);
}

int
main(void)
{
	return plane_main("kafka_killed", add);
}
