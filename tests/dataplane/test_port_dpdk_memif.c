/* SPDX-License-Identifier: Apache-2.0 */
/* The DPDK port over net_memif: two ends, of one process or of two. */
#include <errno.h>
#include <net/ethernet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/dataplane/dpdk_lab.h"

static const struct lp_backend_ops *const ops = &lp_port_dpdk_ops;

const char *__tsan_default_options(void);

/*
 * The driver's thread for connections and DPDK itself are not instrumented:
 * what TSan sees of them by its interceptors it takes for races.  Ours stay.
 */
const char *
__tsan_default_options(void)
{
	return "ignore_noninstrumented_modules=1";
}

/* DPDK wants a path with a directory. */
static struct lp_port *
open_end(int number, const char *role)
{
	char devargs[PATH_MAX + 64];

	snprintf(devargs, sizeof(devargs),
	    "net_memif%d,role=%s,socket=%s/m.sock,socket-abstract=no", number,
	    role, dpdk_lab.directory);
	return dpdk_lab_open(devargs);
}

static void
check_passage(
    struct lp_port *from, struct lp_port *to, size_t len, unsigned seed)
{
	static uint8_t frame[DPDK_LAB_FRAME_MAX];
	struct lp_pkt pkt;

	/* A client's rx gives the server room to send. */
	ck_assert_uint_eq(ops->rx(to, &pkt, 1), 0);
	dpdk_lab_frame(frame, to->mac, ETH_P_IPV6, len, seed);
	dpdk_lab_tx(from, frame, len);
	ck_assert_uint_eq(dpdk_lab_rx(to, &pkt, 1), 1);
	ck_assert_uint_eq(pkt.len, len);
	ck_assert_int_eq(memcmp(pkt.data, frame, len), 0);
	dpdk_lab_release(&pkt);
}

/* A thread of DPDK's closes them. */
static void
await_descriptors(unsigned count)
{
	const uint64_t end = veth_now_ns() + DPDK_LAB_WAIT_MS * 1000000ULL;

	while (veth_descriptors() != count)
		ck_assert_msg(veth_now_ns() < end, "%u descriptors, not %u",
		    veth_descriptors(), count);
}

START_TEST(packets_go_both_ways)
{
	struct lp_port *server = open_end(0, "server");
	struct lp_port *client = open_end(1, "client");

	dpdk_lab_await_link(server, true);
	dpdk_lab_await_link(client, true);
	for (unsigned i = 0; i < 2 * DPDK_LAB_BUFFERS; i++) {
		size_t len = 60 + i % (1514 - 60 + 1);

		check_passage(server, client, len, i);
		check_passage(client, server, len, i);
	}
	ck_assert_uint_eq(
	    dpdk_lab_counter(server, "rx_packets"), 2 * DPDK_LAB_BUFFERS);
	ck_assert_str_eq(dpdk_lab_link(client).driver, "net_memif");
	dpdk_lab_close(client);
	dpdk_lab_close(server);
}
END_TEST

START_TEST(the_client_goes_and_comes_back)
{
	struct lp_port *server = open_end(0, "server");
	struct lp_port *client;
	const unsigned descriptors = veth_descriptors();

	ck_assert(dpdk_lab_link(server).present);
	ck_assert(!dpdk_lab_link(server).up);
	ck_assert_str_eq(dpdk_lab_link(server).why, "net_memif0 has no link");
	for (unsigned i = 0; i < 5; i++) {
		client = open_end(1, "client");
		dpdk_lab_await_link(server, true);
		dpdk_lab_await_link(client, true);
		check_passage(client, server, 100, i);
		check_passage(server, client, 100, i);
		dpdk_lab_close(client);
		dpdk_lab_await_link(server, false);
		ck_assert_uint_eq(
		    ops->free_count(dpdk_lab.pool), DPDK_LAB_BUFFERS);
		await_descriptors(descriptors);
	}
	dpdk_lab_close(server);
}
END_TEST

/* The client is gone then, and is opened again by whoever looks after ports. */
START_TEST(the_server_goes_and_comes_back)
{
	struct lp_port *server = open_end(0, "server");
	struct lp_port *client = open_end(1, "client");
	uint64_t end;

	dpdk_lab_await_link(client, true);
	/* The driver is not to be closed while its thread connects. */
	dpdk_lab_await_link(server, true);
	dpdk_lab_close(server);
	dpdk_lab_await_link(client, false);
	ck_assert(dpdk_lab_link(client).present);
	end = veth_now_ns() + DPDK_LAB_WAIT_MS * 1000000ULL;
	while (dpdk_lab_link(client).present)
		ck_assert_uint_lt(veth_now_ns(), end);
	ck_assert_str_eq(
	    dpdk_lab_link(client).why, "the server of net_memif1 is gone");
	dpdk_lab_close(client);

	server = open_end(0, "server");
	client = open_end(1, "client");
	dpdk_lab_await_link(client, true);
	dpdk_lab_await_link(server, true);
	check_passage(client, server, 100, 1);
	check_passage(server, client, 100, 2);
	dpdk_lab_close(client);
	dpdk_lab_close(server);
}
END_TEST

START_TEST(a_client_without_its_server_is_refused)
{
	char devargs[PATH_MAX + 64];
	struct lp_port_config config;
	unsigned descriptors = 0;

	snprintf(devargs, sizeof(devargs),
	    "net_memif0,role=client,socket=%s/m.sock,socket-abstract=no",
	    dpdk_lab.directory);
	config = dpdk_lab_config(devargs);
	for (int i = 0; i < 5; i++) {
		dpdk_lab_refused(&config, -EPERM, "Failed to connect socket");
		if (i == 0)
			descriptors = veth_descriptors();
	}
	ck_assert_uint_eq(veth_descriptors(), descriptors);
	dpdk_lab_close(open_end(1, "server"));
}
END_TEST

/* DPDK 22.11 forgets to close what a server listens on. */
START_TEST(a_socket_in_use_is_told)
{
	static const char abstract[] = "net_memif0,role=server,socket=lp-lab";
	struct lp_port_config config = dpdk_lab_config(abstract);

	dpdk_lab_close(dpdk_lab_open(abstract));
	dpdk_lab_refused(&config, -ENODEV, "say socket-abstract=no");
	dpdk_lab_refused(&config, -ENODEV, "use another name");
	dpdk_lab_close(
	    dpdk_lab_open("net_memif1,role=server,socket=lp-lab-other"));
}
END_TEST

START_TEST(without_a_peer_what_is_sent_stays_with_the_caller)
{
	struct lp_port *server = open_end(0, "server");
	struct lp_pkt pkt, *one = &pkt;

	ck_assert(ops->alloc(dpdk_lab.pool, &pkt));
	pkt.len = 60;
	ck_assert_uint_eq(ops->tx(server, &one, 1), 0);
	dpdk_lab_release(&pkt);
	dpdk_lab_close(server);
}
END_TEST

/* Whatever a packet buffer holds. */
START_TEST(an_mtu_above_1500_is_refused)
{
	char devargs[PATH_MAX + 64];
	struct lp_port_config config;
	struct lp_port *port;

	dpdk_lab_open_pool(9000);
	snprintf(devargs, sizeof(devargs),
	    "net_memif0,role=server,socket=%s/m.sock,socket-abstract=no",
	    dpdk_lab.directory);
	config = dpdk_lab_config(devargs);
	config.object.mtu = 1501;
	dpdk_lab_refused(&config, -EMSGSIZE, "net_memif0 takes an MTU of");
	config.object.mtu = 1500;
	ck_assert_int_eq(ops->open(&port, &config, dpdk_lab.why), 0);
	ck_assert_int_eq(ops->check_mtu(port, &config.object, dpdk_lab.why), 0);
	config.object.mtu = 1501;
	ck_assert_int_eq(
	    ops->check_mtu(port, &config.object, dpdk_lab.why), -EMSGSIZE);
	dpdk_lab_close(port);
}
END_TEST

/* Sends what it gets, and gets what it sends, until it is killed. */
static void
be_peer(int go)
{
	static uint8_t frame[256];
	struct lp_port *port;
	struct lp_pkt pkt, *one = &pkt;
	char byte;

	if (read(go, &byte, 1) != 1)
		_exit(0);
	dpdk_lab_open_pool(0);
	port = open_end(1, "client");
	memset(frame, 0xff, 6);
	for (;;) {
		if (ops->rx(port, &pkt, 1) == 1)
			dpdk_lab_release(&pkt);
		if (!ops->alloc(dpdk_lab.pool, &pkt))
			continue;
		pkt.len = sizeof(frame);
		memcpy(pkt.data, frame, sizeof(frame));
		if (ops->tx(port, &one, 1) == 0)
			dpdk_lab_release(&pkt);
	}
}

/* One turn of a worker that sends much; how many have come in. */
static unsigned
take_turn(struct lp_port *port)
{
	struct lp_pkt pkts[LP_BATCH_MAX], *out = &pkts[0];
	unsigned received = ops->rx(port, pkts, LP_BATCH_MAX);

	for (unsigned i = 0; i < received; i++)
		dpdk_lab_release(&pkts[i]);
	if (ops->alloc(dpdk_lab.pool, &pkts[0])) {
		pkts[0].len = 100;
		memset(pkts[0].data, 0xff, 100);
		if (ops->tx(port, &out, 1) == 0)
			dpdk_lab_release(&pkts[0]);
	}
	return received;
}

/* Its process, which begins when it is told to, by its pipe. */
static pid_t
fork_peer(int *go)
{
	int ends[2];
	pid_t peer;

	ck_assert_int_eq(pipe(ends), 0);
	peer = fork();
	ck_assert_int_ge(peer, 0);
	if (peer == 0) {
		close(ends[1]);
		be_peer(ends[0]);
	}
	close(ends[0]);
	*go = ends[1];
	return peer;
}

/*
 * Peers are made before EAL is: there is one in a process.  The port rests
 * while the connection ends: DPDK 22.11 takes the shared memory away in a
 * thread of its own, whoever is using it.  A worker that does dies of it, and
 * the keeper starts it again.
 */
START_TEST(a_peer_that_is_killed_is_no_harm_and_its_successor_welcome)
{
	enum { PEERS = 4, PACKETS = 10000 };
	struct lp_port *server;
	pid_t peers[PEERS];
	int go[PEERS];

	dpdk_lab_enter();
	for (int i = 0; i < PEERS; i++)
		peers[i] = fork_peer(&go[i]);
	dpdk_lab_open_pool(0);
	server = open_end(0, "server");
	for (int i = 0; i < PEERS; i++) {
		const uint64_t end =
		    veth_now_ns() + DPDK_LAB_WAIT_MS * 1000000ULL;
		unsigned received = 0;

		ck_assert_int_eq(write(go[i], "", 1), 1);
		while (received < PACKETS && veth_now_ns() < end)
			received += take_turn(server);
		ck_assert_uint_ge(received, PACKETS);
		ck_assert_int_eq(kill(peers[i], SIGKILL), 0);
		dpdk_lab_await_link(server, false);
		ck_assert_int_eq(waitpid(peers[i], NULL, 0), peers[i]);
		close(go[i]);
	}
	dpdk_lab_close(server);
	dpdk_lab_teardown();
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, packets_go_both_ways);
	tcase_add_test(tcase, the_client_goes_and_comes_back);
	tcase_add_test(tcase, the_server_goes_and_comes_back);
	tcase_add_test(tcase, a_client_without_its_server_is_refused);
	tcase_add_test(tcase, an_mtu_above_1500_is_refused);
	tcase_add_test(tcase, a_socket_in_use_is_told);
	tcase_add_test(
	    tcase, without_a_peer_what_is_sent_stays_with_the_caller);
}

static void
add_bare(TCase *tcase)
{
	tcase_add_test(
	    tcase, a_peer_that_is_killed_is_no_harm_and_its_successor_welcome);
}

int
main(void)
{
	int result = dpdk_lab_main("port_dpdk_memif", add);

	return result != EXIT_SUCCESS
	    ? result
	    : dpdk_lab_main_bare("port_dpdk_memif_peer", add_bare);
}
