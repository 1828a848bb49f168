/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet process is killed while Kafka's segments pass, at instructions all
 * over its way through the pipeline.
 *
 * A child sends the segment, a number of instructions at a time, and we are the
 * process that takes over: from a copy of what lies in the region.  What was
 * not being changed is whole; what was has lost its streams, or is as before or
 * after; and the pools belong to those who say so.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/kafka_check.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"

enum {
	MAY_NOT_TRACE = 77,
	/* Places where it is killed, about. */
	KILLS = 40,
	IN_THE_STAGE = 1000, /* instructions behind the mark */
	STRIDE = 500, /* instructions between two looks at it */
	VICTIM = 1, /* its place; the bystander's is 0 */
	PIECES_MAX = 12,
};

/* A part of the region, and what the parent's own was. */
struct piece {
	void *at;
	size_t len;
	uint8_t *was;
};

static struct piece pieces[PIECES_MAX];
static unsigned piece_count;

static void
keep(void *at, size_t len)
{
	ck_assert_uint_lt(piece_count, PIECES_MAX);
	pieces[piece_count].at = at;
	pieces[piece_count].len = len;
	pieces[piece_count].was = malloc(len);
	ck_assert_ptr_nonnull(pieces[piece_count].was);
	memcpy(pieces[piece_count].was, at, len);
	piece_count++;
}

/* All that a packet of these connections may touch. */
static void
keep_region(void)
{
	struct lp_region *region = &plane.region;
	const struct lp_kafka_state *kafka = &region->kafka;
	struct lp_kafka_stats *stats = region->kafka_stats;

	piece_count = 0;
	keep(region->undo, sizeof(*region->undo));
	keep(region->header, sizeof(*region->header));
	keep(region->connections, CONNECTIONS * sizeof(struct lp_conn));
	keep(kafka->conns, kafka->conn_count * sizeof(*kafka->conns));
	keep(kafka->messages, kafka->message_count * sizeof(*kafka->messages));
	keep(kafka->inflight, kafka->inflight_count * sizeof(*kafka->inflight));
	keep(kafka->held, kafka->held_count * sizeof(*kafka->held));
	keep(&stats->counters, sizeof(stats->counters));
	keep(&stats->rows_used, sizeof(stats->rows_used));
	keep(stats->rows, 8 * sizeof(stats->rows[0]));
	keep(&stats->clients,
	    offsetof(struct lp_talker_list, places) +
		5 * sizeof(stats->clients.places[0]));
	keep(&stats->topics,
	    offsetof(struct lp_talker_list, places) +
		5 * sizeof(stats->topics.places[0]));
}

static void
forget_region(void)
{
	for (unsigned i = 0; i < piece_count; i++)
		free(pieces[i].was);
}

static void
restore_region(void)
{
	for (unsigned i = 0; i < piece_count; i++)
		memcpy(pieces[i].at, pieces[i].was, pieces[i].len);
}

/* The child is our copy: all lies at the same addresses. */
static void
read_memory(pid_t child, void *at, size_t len)
{
	struct iovec memory = {.iov_base = at, .iov_len = len};

	ck_assert_int_eq(
	    process_vm_readv(child, &memory, 1, &memory, 1, 0), (ssize_t)len);
}

static void
read_region(pid_t child)
{
	for (unsigned i = 0; i < piece_count; i++)
		read_memory(child, pieces[i].at, pieces[i].len);
}

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
queue(const struct scene *scene)
{
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
take_over(pid_t child, const struct scene *scene)
{
	uint32_t marked;

	read_region(child);
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

/* A child shares its buffers with us: it gets copies of them. */
static void
be_alone(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], mode[5];
	unsigned long from, to;

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		void *copy, *at;

		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3 ||
		    strcmp(mode, "rw-s") != 0)
			continue;
		at = (void *)from;
		copy = mmap(NULL, to - from, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert_ptr_ne(copy, MAP_FAILED);
		memcpy(copy, at, to - from);
		ck_assert_ptr_eq(mremap(copy, to - from, to - from,
				     MREMAP_MAYMOVE | MREMAP_FIXED, at),
		    at);
	}
	fclose(maps);
}

static pid_t
start_child(const struct scene *scene, void (*act)(void))
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child > 0)
		return child;
	be_alone();
	if (scene != NULL)
		queue(scene);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(MAY_NOT_TRACE);
	raise(SIGSTOP);
	act();
	_exit(0);
}

static void
run_pipeline(void)
{
	lp_pipeline_run(plane.pipeline, plane.now_ns);
}

/* Runs to its end; how many instructions.  Every so many we take over. */
static unsigned
run_child(const struct scene *scene, unsigned every, unsigned kills[2])
{
	pid_t child = start_child(scene, run_pipeline);
	unsigned steps = 0;
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL);
	for (; WIFSTOPPED(status); steps++) {
		if (every > 0 && steps % every == 0)
			kills[take_over(child, scene)]++;
		ck_assert_int_eq(
		    ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
	}
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == MAY_NOT_TRACE) {
		fprintf(stderr, "skipped: may not trace\n");
		return 0;
	}
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	return steps;
}

START_TEST(whoever_takes_over_finds_streams_and_pools_whole)
{
	const struct scene *scene = &scenes[_i];
	unsigned kills[2] = {0};
	unsigned steps, every;

	keep_region();
	steps = run_child(scene, 0, kills);
	if (steps > 0) {
		/* Odd: not the same instruction of a loop every time. */
		every = (steps / (KILLS / RANDOM_SLOWER)) | 1;
		run_child(scene, every, kills);
		ck_assert_uint_gt(kills[false], 0);
		ck_assert_uint_gt(kills[true], 0);
	}
	restore_region();
	plane_restart();
	plane_run();
	plane_forget();
	forget_region();
}
END_TEST

/* Until the mark is there, or gone again; and so many instructions more. */
static bool
step_until(pid_t child, bool marked, unsigned stride, unsigned more)
{
	struct lp_undo *undo = plane.region.undo;
	bool reached = false;
	int status;

	for (unsigned steps = 0; !reached || more-- > 0; steps++) {
		ck_assert_int_eq(
		    ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		if (!WIFSTOPPED(status))
			return false;
		if (reached || steps % stride != 0)
			continue;
		read_memory(child, undo, sizeof(*undo));
		reached = (atomic_load(&undo->marked) != 0) == marked;
	}
	read_region(child);
	kill(child, SIGKILL);
	return waitpid(child, &status, 0) == child;
}

/* And the process behind it, before it has taken everything up. */
START_TEST(who_is_killed_at_once_forgets_no_mark)
{
	const struct scene *scene = &scenes[0];
	pid_t child;
	int status;

	keep_region();
	child = start_child(scene, run_pipeline);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFSTOPPED(status)) {
		ck_assert(step_until(child, true, 1, IN_THE_STAGE));
		ck_assert_uint_eq(plane.region.undo->marked, VICTIM + 1);
		child = start_child(NULL, plane_restart);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(step_until(child, false, STRIDE, 0));
		plane_restart();
		ck_assert_uint_eq(
		    plane.region.kafka.conns[VICTIM].mode, LP_KAFKA_LOST);
		kafka_check_pools();
		plane_run();
	}
	restore_region();
	plane_restart();
	plane_run();
	plane_forget();
	forget_region();
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
