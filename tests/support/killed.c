/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/killed.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/kafka/kafka_stats.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"

enum {
	MAY_NOT_TRACE = 77,
	PIECES_MAX = 24,
	FIRST_EVERY = 21,
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
	ensure(piece_count < PIECES_MAX, "more pieces");
	pieces[piece_count].at = at;
	pieces[piece_count].len = len;
	pieces[piece_count].was = malloc(len);
	ensure(pieces[piece_count].was != NULL, "no memory");
	memcpy(pieces[piece_count].was, at, len);
	piece_count++;
}

void
killed_keep(void)
{
	struct lp_region *region = &plane.region;
	const struct lp_kafka_state *kafka = &region->kafka;
	struct lp_kafka_stats *stats = region->kafka_stats;

	piece_count = 0;
	keep(region->undo, sizeof(*region->undo));
	keep(region->header, sizeof(*region->header));
	keep(region->connections,
	    region->header->connection_count * sizeof(struct lp_conn));
	keep(kafka->conns, kafka->conn_count * sizeof(*kafka->conns));
	keep(kafka->messages, kafka->message_count * sizeof(*kafka->messages));
	keep(kafka->inflight, kafka->inflight_count * sizeof(*kafka->inflight));
	keep(kafka->held, kafka->held_count * sizeof(*kafka->held));
	keep(kafka->splices, kafka->conn_count * sizeof(*kafka->splices));
	keep(kafka->edits, kafka->edit_count * sizeof(*kafka->edits));
	keep(kafka->said, kafka->said_count * sizeof(*kafka->said));
	keep(kafka->paces, kafka->conn_count * sizeof(*kafka->paces));
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

void
killed_forget(void)
{
	for (unsigned i = 0; i < piece_count; i++)
		free(pieces[i].was);
}

void
killed_restore(void)
{
	for (unsigned i = 0; i < piece_count; i++)
		memcpy(pieces[i].at, pieces[i].was, pieces[i].len);
}

/* The child is our copy: all lies at the same addresses. */
static void
read_memory(pid_t child, void *at, size_t len)
{
	struct iovec memory = {.iov_base = at, .iov_len = len};

	ensure(
	    process_vm_readv(child, &memory, 1, &memory, 1, 0) == (ssize_t)len,
	    "cannot read the child's memory");
}

static void
read_region(pid_t child)
{
	for (unsigned i = 0; i < piece_count; i++)
		read_memory(child, pieces[i].at, pieces[i].len);
}

/* A child shares its buffers with us: it gets copies of them. */
static void
be_alone(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], mode[5];
	unsigned long from, to;

	ensure(maps != NULL, "cannot read the maps");
	while (fgets(line, sizeof(line), maps) != NULL) {
		void *copy, *at;

		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3 ||
		    strcmp(mode, "rw-s") != 0)
			continue;
		at = (void *)from;
		copy = mmap(NULL, to - from, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ensure(copy != MAP_FAILED, "no memory");
		memcpy(copy, at, to - from);
		ensure(mremap(copy, to - from, to - from,
			   MREMAP_MAYMOVE | MREMAP_FIXED, at) == at,
		    "mremap");
	}
	fclose(maps);
}

void
killed_run_pipeline(void)
{
	lp_pipeline_run(plane.pipeline, plane.now_ns);
}

/* One instruction; false: it has ended. */
static bool
step(pid_t child, int *status)
{
	ensure(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0, "ptrace");
	ensure(waitpid(child, status, 0) == child, "waitpid");
	return WIFSTOPPED(*status);
}

pid_t
killed_start(const struct killed *how)
{
	pid_t child = fork();
	int status;

	ensure(child >= 0, "fork");
	if (child == 0) {
		be_alone();
		if (how->prepare != NULL)
			how->prepare(how->arg);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(MAY_NOT_TRACE);
		raise(SIGSTOP);
		how->act();
		_exit(0);
	}
	ensure(waitpid(child, &status, 0) == child, "waitpid");
	if (!WIFSTOPPED(status)) {
		ensure(
		    WIFEXITED(status) && WEXITSTATUS(status) == MAY_NOT_TRACE,
		    "a child ended before it began");
		fprintf(stderr, "skipped: may not trace\n");
		return 0;
	}
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL);
	return child;
}

bool
killed_run(const struct killed *how, unsigned few, unsigned kills[2])
{
	pid_t child = killed_start(how);
	unsigned every = FIRST_EVERY, steps = 0, taken = 0;
	int status;

	if (child == 0)
		return false;
	do {
		if (steps++ % every != 0)
			continue;
		read_region(child);
		kills[how->take_over(how->arg)]++;
		if (++taken % few == 0)
			every = 2 * every + 1;
	} while (step(child, &status));
	ensure(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the child was ended by %d", status);
	return true;
}

bool
killed_step_until(pid_t child, bool marked, unsigned stride, unsigned more)
{
	struct lp_undo *undo = plane.region.undo;
	bool reached = false;
	int status;

	for (unsigned steps = 0; !reached || more-- > 0; steps++) {
		if (!step(child, &status))
			return false;
		if (reached || steps % stride != 0)
			continue;
		read_memory(child, (void *)&undo->marked, sizeof(undo->marked));
		reached = (atomic_load(&undo->marked) != 0) == marked;
	}
	read_region(child);
	kill(child, SIGKILL);
	return waitpid(child, &status, 0) == child;
}
