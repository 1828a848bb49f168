/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that is killed at any instruction leaves every connection as it was
 * before or after what it did.
 *
 * A child does it, instruction by instruction, and we are the process that
 * takes over, before each of them: from a copy of what lies in the region.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/plane.h"
#include "tests/support/plane_conntrack.h"
#include "tests/support/plane_main.h"

enum {
	COUNT = LP_CONNECTIONS_MIN,
	NOW = PLANE_START_S,
	BYSTANDER = 0,
	VICTIM = 1,
	MAY_NOT_TRACE = 77,
};

static void
setup(void)
{
	conntrack_open(COUNT, NOW);
}

static void
begin(unsigned n)
{
	struct lp_conn conn = {.tcp.state = LP_TCP_ESTABLISHED,
	    .client_port = (uint16_t)(1000 + n),
	    .vip_port = 9092,
	    .source_port = (uint16_t)(2000 + n),
	    .broker_port = 9092,
	    .listener_id = n,
	    .broker_id = n};

	lp_ip_parse(&conn.client_ip, "2001:db8:9::50", NULL);
	lp_ip_parse(&conn.vip_ip, "2001:db8:9::100", NULL);
	lp_ip_parse(&conn.source_ip, "2001:db8:8::10", NULL);
	lp_ip_parse(&conn.broker_ip, "2001:db8:8::20", NULL);
	lp_conntrack_add(&conntrack, &conn, NOW);
}

static void
add_bystander(void)
{
	begin(BYSTANDER);
}

/* Where one was before. */
static void
add_and_remove(void)
{
	add_bystander();
	begin(7);
	lp_conntrack_remove(&conntrack, VICTIM);
}

static void
add_both(void)
{
	add_bystander();
	begin(VICTIM);
}

static void
begin_victim(void)
{
	begin(VICTIM);
}

static void
change_victim(void)
{
	struct lp_conn *conn = lp_region_begin(&plane.region, VICTIM);

	conn->tcp.peer[LP_TO_CLIENT].end += 101;
	conn->tcp.peer[LP_TO_CLIENT].flags |= LP_PEER_FIN;
	conn->tcp.state = LP_TCP_FIN_RECEIVED;
	lp_conntrack_commit(
	    &conntrack, VICTIM, LP_TCP_OK, LP_TO_CLIENT, 100, NOW + 5);
}

static void
remove_victim(void)
{
	lp_conntrack_remove(&conntrack, VICTIM);
}

static void
read_memory(pid_t child, void *at, size_t len)
{
	struct iovec memory = {.iov_base = at, .iov_len = len};

	/* The child is our copy: it lies at the same address. */
	ck_assert_int_eq(
	    process_vm_readv(child, &memory, 1, &memory, 1, 0), (ssize_t)len);
}

/* Nobody looks at a place that is free. */
static bool
same(const struct lp_conn *a, const struct lp_conn *b)
{
	return a->use == b->use &&
	    (a->use == LP_CONN_FREE || memcmp(a, b, sizeof(*a)) == 0);
}

/* The child dies here, and we take over; true: after what it did. */
static bool
take_over(
    pid_t child, const struct lp_conn before[], const struct lp_conn after[])
{
	const struct lp_conn *now = plane.region.connections;

	read_memory(
	    child, plane.region.connections, COUNT * sizeof(struct lp_conn));
	read_memory(child, plane.region.undo, sizeof(struct lp_undo));
	conntrack_anew(1, NOW);
	for (unsigned i = 0; i < COUNT; i++)
		if (i != VICTIM)
			ck_assert(same(&now[i], &before[i]));
	if (same(&now[VICTIM], &after[VICTIM]))
		return true;
	ck_assert(same(&now[VICTIM], &before[VICTIM]));
	return false;
}

static pid_t
start_child(void (*act)(void))
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child > 0)
		return child;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(MAY_NOT_TRACE);
	raise(SIGSTOP);
	act();
	_exit(0);
}

START_TEST(every_instruction_leaves_the_one_before_or_the_one_after)
{
	static const struct {
		void (*prepare)(void), (*act)(void);
	} all[] = {
	    {add_bystander, begin_victim},
	    {add_and_remove, begin_victim},
	    {add_both, change_victim},
	    {add_both, remove_victim},
	};
	static struct lp_conn before[COUNT], after[COUNT];
	unsigned steps[2] = {0};
	int status;
	pid_t child;

	all[_i].prepare();
	memcpy(before, plane.region.connections, sizeof(before));
	child = start_child(all[_i].act);
	all[_i].act();
	memcpy(after, plane.region.connections, sizeof(after));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL);
	while (WIFSTOPPED(status)) {
		bool done = take_over(child, before, after);

		steps[done]++;
		/* What has happened stays so. */
		ck_assert(done || steps[true] == 0);
		ck_assert_int_eq(
		    ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
	}
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == MAY_NOT_TRACE) {
		fprintf(stderr, "skipped: may not trace\n");
		return;
	}
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_uint_gt(steps[false], 10);
	ck_assert_uint_gt(steps[true], 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, conntrack_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests,
	    every_instruction_leaves_the_one_before_or_the_one_after, 0, 4);
}

int
main(void)
{
	return plane_main("conntrack_killed", add);
}
