/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge of our reports is a bridge of the kernel that snoops, and asks:
 *
 *	memory port ── this test ── near0 ═ far0 ─┬─ bridge
 *	              a neighbour ── near1 ═ far1 ─┘
 *
 * The test carries frames between the port, which is alone, and a raw socket
 * at near0, in the time of the clock.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/veth.h"

enum {
	WAIT_MS = 60000, /* for what comes within a second or two */
	TURN_US = 1000,
};

static const char *const groups[] = {
    "ff02::1:ff00:10", "ff02::1:ff00:100", "ff02::1:ff00:101"};
enum { GROUPS = 3 };

static int near, neighbour;
static uint64_t clock_ns;
static char query[PACKET_TEXT_SIZE]; /* the last that came in by near0 */
static bool strange; /* so did a question to a group that is not ours */

/* The kernel keeps silent at the ends that are ours. */
static void
make_pair(unsigned i)
{
	veth_run("exec ip link add near%u type veth peer name far%u", i, i);
	veth_sysctl("1", "net/ipv6/conf/near%u/disable_ipv6", i);
	veth_sysctl("1", "net/ipv6/conf/far%u/disable_ipv6", i);
	veth_run("exec ip link set far%u master br0 up", i);
	veth_run("exec ip link set near%u up", i);
}

static void
setup(void)
{
	struct lp_config config;

	ensure(veth_enter(), "no namespace");
	veth_run("exec ip link add br0 type bridge mcast_snooping 1 "
		 "mcast_startup_query_interval 50 mcast_query_interval 100 "
		 "mcast_query_response_interval 50");
	/* It snoops once it has waited for as long as that is then. */
	veth_run("exec ip link set br0 type bridge mcast_querier 1");
	make_pair(0);
	make_pair(1);
	veth_run("exec ip link set br0 up");
	near = veth_socket("near0");
	neighbour = veth_socket("near1");
	plane_config(&config);
	plane_open_with(LP_CONNECTIONS_MIN, &config);
	plane.helpful = false;
	plane_port(FRONT_SLOT, FRONT, "alone");
	plane_publish();
	clock_ns = veth_now_ns();
}

static void
teardown(void)
{
	plane_close();
	close(near);
	close(neighbour);
}

/* A frame that has come to that end; 0: none. */
static size_t
receive(int fd, struct packet *packet)
{
	ssize_t len =
	    recv(fd, packet->bytes, sizeof(packet->bytes), MSG_DONTWAIT);

	ensure(len >= 0 || errno == EAGAIN, "recv: %s", strerror(errno));
	return packet->len = len < 0 ? 0 : (size_t)len;
}

/* Of a raw socket are also the frames that it has sent. */
static bool
is_ours(const struct packet *packet)
{
	return memcmp(packet->bytes + 6, plane.wires[FRONT_SLOT]->mac, 6) == 0;
}

static void
turn(void)
{
	uint64_t now_ns = veth_now_ns();
	char text[PACKET_TEXT_SIZE];
	struct packet packet;

	plane.now_ns += now_ns - clock_ns;
	clock_ns = now_ns;
	while (receive(near, &packet) > 0) {
		if (is_ours(&packet))
			continue;
		packet_describe(text, packet.bytes, packet.len);
		if (strncmp(text, "mld-query ", 10) == 0)
			memcpy(query, text, sizeof(query));
		strange |= strstr(text, "target=2001:db8:9::77") != NULL;
		ensure(
		    plane_inject(FRONT_SLOT, packet.bytes, packet.len), "full");
	}
	plane_run();
	while (plane_take(FRONT_SLOT))
		ensure(send(near, plane.frame.bytes, plane.frame.len, 0) ==
			(ssize_t)plane.frame.len,
		    "send: %s", strerror(errno));
	usleep(TURN_US);
}

/* How many of our groups the bridge gives to far0, and to that alone. */
static unsigned
listed(void)
{
	FILE *lines = popen("exec bridge mdb show dev br0", "r");
	unsigned count = 0;
	char line[256], group[64], port[32];

	ensure(lines != NULL, "no bridge");
	while (fgets(line, sizeof(line), lines))
		for (unsigned i = 0; i < GROUPS; i++)
			count += sscanf(line, "dev br0 port %31s grp %63s",
				     port, group) == 2 &&
			    strcmp(port, "far0") == 0 &&
			    strcmp(group, groups[i]) == 0;
	ensure(pclose(lines) == 0, "bridge mdb show has failed");
	return count;
}

static void
await_listed(void)
{
	uint64_t end = clock_ns + WAIT_MS * 1000000ull;

	while (listed() < GROUPS) {
		ensure(clock_ns < end, "the bridge has %u groups of %d",
		    listed(), GROUPS);
		turn();
	}
}

/* Turns for that long. */
static void
go_on(uint64_t ms)
{
	uint64_t end = clock_ns + ms * 1000000;

	while (clock_ns < end)
		turn();
}

START_TEST(a_bridge_takes_our_reports)
{
	ck_assert_uint_eq(listed(), 0);
	/* As they are at start, before anybody has asked. */
	plane_run();
	ck_assert_uint_eq(plane_reason(LP_REASON_MLD), 0);
	while (plane_take(FRONT_SLOT))
		ck_assert_int_eq(
		    send(near, plane.frame.bytes, plane.frame.len, 0),
		    (ssize_t)plane.frame.len);
	ck_assert_uint_eq(listed(), GROUPS);
}
END_TEST

START_TEST(a_bridge_takes_our_answers)
{
	char version[16];

	snprintf(version, sizeof(version), "v=%d", _i);
	veth_run("exec ip link set br0 type bridge mcast_mld_version %d", _i);
	await_listed();
	/* Reports at start are over: what it hears now is in answer. */
	go_on(1500);
	for (unsigned i = 0; i < GROUPS; i++)
		veth_run(
		    "exec bridge mdb del dev br0 port far0 grp %s", groups[i]);
	ck_assert_uint_eq(listed(), 0);
	await_listed();
	ck_assert_uint_gt(plane_reason(LP_REASON_MLD), 0);
	ck_assert_uint_eq(plane_reason(LP_REASON_MLD_INVALID), 0);
	ck_assert_msg(packet_matches(query, "mld-query * > ff02::1 group=::"),
	    "%s", query);
	ck_assert_ptr_nonnull(strstr(query, version));
}
END_TEST

/* A question to that group, by a neighbour. */
static void
ask(const char *group, const char *target)
{
	struct packet packet;
	char text[256];

	snprintf(text, sizeof(text),
	    "ns 2001:db8:9::50 > ff02::1:ff00:%s target=%s "
	    "dmac=33:33:ff:00:00:%s",
	    group, target, group);
	packet_build(&packet, text);
	ck_assert_int_eq(
	    send(neighbour, packet.bytes, packet.len, 0), (ssize_t)packet.len);
}

static void
await_answer(uint64_t end)
{
	struct packet packet;
	char text[PACKET_TEXT_SIZE] = "";

	while (!packet_matches(text, "na 2001:db8:9::10 > 2001:db8:9::50")) {
		ensure(clock_ns < end, "no answer");
		turn();
		if (receive(neighbour, &packet) > 0)
			packet_describe(text, packet.bytes, packet.len);
	}
}

/*
 * A bridge floods until it has been a querier for a while: how long that is,
 * nothing says but that it stops.
 */
START_TEST(questions_pass_the_bridge_by_our_groups_alone)
{
	uint64_t end = clock_ns + WAIT_MS * 1000000ull;

	await_listed();
	do {
		ensure(clock_ns < end, "the bridge floods for ever");
		strange = false;
		ask("77", "2001:db8:9::77");
		ask("10", "2001:db8:9::10");
		/* The first would have come before the second. */
		await_answer(end);
	} while (strange);
	ck_assert_uint_eq(listed(), GROUPS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mld_bridge");
	TCase *tests = tcase_create("mld_bridge");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!plane_on_memory() || !veth_enter() ||
	    system("ip link add br0 type bridge mcast_snooping 1 "
		   "2>/dev/null && exec bridge mdb show >/dev/null") != 0) {
		fprintf(stderr,
		    "skipped: needs a bridge in a network "
		    "namespace (root)\n");
		return VETH_SKIPPED;
	}
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_bridge_takes_our_reports);
	tcase_add_loop_test(tests, a_bridge_takes_our_answers, 1, 3);
	tcase_add_test(tests, questions_pass_the_bridge_by_our_groups_alone);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
