/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/dpdk_lab.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct lp_backend_ops *const ops = &lp_port_dpdk_ops;

struct dpdk_lab dpdk_lab;

static bool enter_network(void);
static void remove_directory(void);

void
dpdk_lab_setup(void)
{
	dpdk_lab_enter();
	dpdk_lab_open_pool(0);
}

void
dpdk_lab_teardown(void)
{
	uint32_t left = ops->free_count(dpdk_lab.pool) + dpdk_lab.lost;

	/* Whatever a test did: no buffer is lost. */
	ck_assert_uint_eq(left, DPDK_LAB_BUFFERS);
	ops->pool_close(dpdk_lab.pool);
	dpdk_lab_leave();
}

void
dpdk_lab_enter(void)
{
	const char *base = getenv("TMPDIR");

	/* Every test is a process of its own: a new namespace each. */
	ck_assert(enter_network());
	memset(&dpdk_lab, 0, sizeof(dpdk_lab));
	snprintf(dpdk_lab.directory, sizeof(dpdk_lab.directory),
	    "%s/lp-dpdk-XXXXXX", base != NULL ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dpdk_lab.directory));
	ck_assert_int_eq(chdir(dpdk_lab.directory), 0);
	/* A test that fails does not come to the end of its fixture. */
	ck_assert_int_eq(atexit(remove_directory), 0);
}

void
dpdk_lab_leave(void)
{
	remove_directory();
}

void
dpdk_lab_open_pool(uint16_t mtu)
{
	const struct lp_pool_config config = {
	    .buffer_count = DPDK_LAB_BUFFERS,
	    .mtu = mtu,
	    .arguments = "--no-huge -m 192",
	};
	int error;

	if (dpdk_lab.pool != NULL)
		ops->pool_close(dpdk_lab.pool);
	error = ops->pool_open(&dpdk_lab.pool, &config, dpdk_lab.why);
	ck_assert_msg(error == 0, "%d: %s", error, dpdk_lab.why);
}

void
dpdk_lab_veth(int i)
{
	char name[IF_NAMESIZE];

	veth_run("ip link add near%d type veth peer name far%d "
		 "&& ethtool -K near%d gro off "
		 "&& ip link set near%d up && ip link set far%d up",
	    i, i, i, i, i);
	snprintf(name, sizeof(name), "near%d", i);
	veth_await_up(name);
}

struct lp_port_config
dpdk_lab_config(const char *devargs)
{
	struct lp_port_config config = {.pool = dpdk_lab.pool};

	ck_assert_uint_lt(strlen(devargs), sizeof(config.object.device));
	strcpy(config.object.device, devargs);
	return config;
}

struct lp_port *
dpdk_lab_open(const char *devargs)
{
	const struct lp_port_config config = dpdk_lab_config(devargs);
	struct lp_port *port;
	int error = ops->open(&port, &config, dpdk_lab.why);

	ck_assert_msg(error == 0, "%s: %d: %s", devargs, error, dpdk_lab.why);
	return port;
}

void
dpdk_lab_close(struct lp_port *port)
{
	ops->close(port);
}

void
dpdk_lab_refused(
    const struct lp_port_config *config, int error, const char *words)
{
	struct lp_port *port;
	int got;

	dpdk_lab.why[0] = '\0';
	got = ops->open(&port, config, dpdk_lab.why);
	ck_assert_msg(got == error, "%s: %d: %s", config->object.device, got,
	    dpdk_lab.why);
	ck_assert_msg(strstr(dpdk_lab.why, words) != NULL, "no '%s' in: %s",
	    words, dpdk_lab.why);
}

unsigned
dpdk_lab_rx(struct lp_port *port, struct lp_pkt pkts[], unsigned count)
{
	const uint64_t end = veth_now_ns() + DPDK_LAB_WAIT_MS * 1000000ULL;
	unsigned received = 0;

	while (received < count && veth_now_ns() < end) {
		unsigned got = ops->rx(port, pkts + received, count - received);

		received += got;
		/* The other end may be waiting for this CPU. */
		if (got == 0)
			sched_yield();
	}
	return received;
}

void
dpdk_lab_tx(struct lp_port *port, const uint8_t *frame, size_t len)
{
	struct lp_pkt pkt, *one = &pkt;

	ck_assert(ops->alloc(dpdk_lab.pool, &pkt));
	memcpy(pkt.data, frame, len);
	pkt.len = (uint16_t)len;
	ck_assert_uint_eq(ops->tx(port, &one, 1), 1);
}

void
dpdk_lab_release(struct lp_pkt *pkt)
{
	ops->release(dpdk_lab.pool, &pkt, 1);
}

uint64_t
dpdk_lab_counter(const struct lp_port *port, const char *name)
{
	struct lp_port_counter counters[LP_PORT_COUNTERS_MAX];
	unsigned count = ops->counters(port, counters, LP_PORT_COUNTERS_MAX);

	for (unsigned i = 0; i < count; i++)
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].value;
	ck_abort_msg("no counter %s", name);
	return 0;
}

struct lp_port_link
dpdk_lab_link(struct lp_port *port)
{
	struct lp_port_link link;

	ops->link(port, &link);
	return link;
}

void
dpdk_lab_await_counter(struct lp_port *port, const char *name, uint64_t value)
{
	const uint64_t end = veth_now_ns() + DPDK_LAB_WAIT_MS * 1000000ULL;
	struct lp_pkt pkt;

	while (dpdk_lab_counter(port, name) < value) {
		ck_assert_msg(veth_now_ns() < end, "in vain: %s", name);
		ck_assert_uint_eq(ops->rx(port, &pkt, 1), 0);
		sched_yield();
	}
	ck_assert_uint_eq(dpdk_lab_counter(port, name), value);
}

void
dpdk_lab_await_link(struct lp_port *port, bool up)
{
	const uint64_t end = veth_now_ns() + DPDK_LAB_WAIT_MS * 1000000ULL;

	while (dpdk_lab_link(port).up != up) {
		ck_assert_msg(veth_now_ns() < end, "link is not %s: %s",
		    up ? "up" : "down", dpdk_lab_link(port).why);
		sched_yield();
	}
}

size_t
dpdk_lab_receive(int wire, uint16_t type, uint8_t *frame)
{
	struct pollfd ready = {.fd = wire, .events = POLLIN};
	struct sockaddr_ll from;
	const uint64_t end = veth_now_ns() + DPDK_LAB_WAIT_MS * 1000000ULL;

	while (veth_now_ns() < end && poll(&ready, 1, DPDK_LAB_WAIT_MS) > 0) {
		socklen_t size = sizeof(from);
		ssize_t len = recvfrom(wire, frame, DPDK_LAB_FRAME_MAX, 0,
		    (struct sockaddr *)&from, &size);

		if (len >= 14 && from.sll_pkttype != PACKET_OUTGOING &&
		    frame[12] == type >> 8 && frame[13] == (type & 0xff))
			return (size_t)len;
	}
	return 0;
}

size_t
dpdk_lab_frame(uint8_t *frame, const uint8_t to[6], uint16_t type, size_t len,
    unsigned seed)
{
	static const uint8_t from[6] = {2, 0, 0, 0, 0, 1};
	size_t i;

	assert(len >= 14 && len <= DPDK_LAB_FRAME_MAX);
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	for (i = 14; i < len; i++)
		frame[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
	return len;
}

static int
run(const char *name, void (*add)(TCase *tcase), bool has_fixture)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	if (has_fixture)
		tcase_add_checked_fixture(
		    tcase, dpdk_lab_setup, dpdk_lab_teardown);
	add(tcase);
	suite_add_tcase(suite, tcase);
	if (!enter_network()) {
		fprintf(stderr, "skipped: needs a network namespace (root)\n");
		srunner_free(runner);
		return VETH_SKIPPED;
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
dpdk_lab_main(const char *name, void (*add)(TCase *tcase))
{
	return run(name, add, true);
}

int
dpdk_lab_main_bare(const char *name, void (*add)(TCase *tcase))
{
	return run(name, add, false);
}

static bool
enter_network(void)
{
	if (!veth_enter())
		return false;
	veth_sysctl("1", "net/ipv6/conf/default/disable_ipv6");
	return true;
}

static void
remove_directory(void)
{
	char line[PATH_MAX + 16];

	if (dpdk_lab.directory[0] == '\0' || chdir("/") != 0)
		return;
	snprintf(line, sizeof(line), "rm -rf '%s'", dpdk_lab.directory);
	dpdk_lab.directory[0] = '\0';
	if (system(line) != 0)
		fprintf(stderr, "failed: %s\n", line);
}
