/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/dataplane/port_lab.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct lp_backend_ops *const ops = &lp_port_xdp_ops;

struct port_lab port_lab;

size_t
port_lab_receive(int wire, uint16_t type, uint8_t last, uint8_t *frame)
{
	struct pollfd ready = {.fd = wire, .events = POLLIN};
	struct sockaddr_ll from;
	const uint64_t end = veth_now_ns() + VETH_WAIT_MS * 1000000ULL;

	while (veth_now_ns() < end && poll(&ready, 1, VETH_WAIT_MS) > 0) {
		socklen_t size = sizeof(from);
		ssize_t len = recvfrom(wire, frame, LAB_FRAME_MAX, 0,
		    (struct sockaddr *)&from, &size);

		if (len >= 14 && from.sll_pkttype != PACKET_OUTGOING &&
		    frame[12] == type >> 8 && frame[13] == (type & 0xff) &&
		    frame[len - 1] == last)
			return (size_t)len;
	}
	return 0;
}

struct lp_ip
port_lab_ip(const char *text)
{
	struct lp_ip ip;

	ck_assert_int_eq(lp_ip_parse(&ip, text, NULL), 0);
	return ip;
}

size_t
port_lab_udp(uint8_t *frame, const uint8_t to[6], const char *source,
    const char *destination, uint8_t last)
{
	const struct lp_ip from = port_lab_ip(source);
	const struct lp_ip dest = port_lab_ip(destination);
	static const uint8_t ip[] = {
	    0x08, 0, 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17};

	memset(frame, 0, 64);
	memcpy(frame, to, 6);
	frame[6] = 2;
	memcpy(frame + 12, ip, sizeof(ip));
	memcpy(frame + 26, lp_ip_v4(&from), 4);
	memcpy(frame + 30, lp_ip_v4(&dest), 4);
	frame[63] = last;
	return 64;
}

size_t
port_lab_arp(uint8_t *frame, const char *target, uint8_t last)
{
	const struct lp_ip dest = port_lab_ip(target);
	static const uint8_t arp[] = {
	    8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9};

	memset(frame, 0, 60);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	memcpy(frame + 12, arp, sizeof(arp));
	memcpy(frame + 38, lp_ip_v4(&dest), 4);
	frame[59] = last;
	return 60;
}

static int
keep_find(const struct lp_keep *keep, const char *name)
{
	for (unsigned i = 0; i < keep->count; i++)
		if (strcmp(keep->kept[i].name, name) == 0)
			return (int)i;
	return -1;
}

int
lp_keep_get(struct lp_keep *keep, const char *name)
{
	int i = keep_find(keep, name);

	return i < 0 ? -ENOENT : fcntl(keep->kept[i].fd, F_DUPFD_CLOEXEC, 0);
}

static void
send_copy(int to, const char *name, int fd)
{
	char space[CMSG_SPACE(sizeof(fd))] = {0};
	struct iovec text = {(char *)name, strlen(name) + 1};
	struct msghdr message = {
	    .msg_iov = &text,
	    .msg_iovlen = 1,
	    .msg_control = space,
	    .msg_controllen = sizeof(space),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
	ck_assert_int_gt(sendmsg(to, &message, 0), 0);
}

int
lp_keep_put(struct lp_keep *keep, const char *name, int fd)
{
	int i;

	(void)lp_keep_drop(keep, name);
	i = (int)keep->count++;
	ck_assert_uint_le(keep->count, 16);
	snprintf(keep->kept[i].name, sizeof(keep->kept[i].name), "%s", name);
	keep->kept[i].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (keep->to >= 0)
		send_copy(keep->to, name, fd);
	return 0;
}

int
lp_keep_drop(struct lp_keep *keep, const char *name)
{
	int i = keep_find(keep, name);

	if (i >= 0) {
		close(keep->kept[i].fd);
		keep->kept[i] = keep->kept[--keep->count];
	}
	return 0;
}

void
port_lab_setup(void)
{
	int i;

	/* Every test is a process of its own: a new namespace each. */
	ck_assert(veth_enter());
	memset(&port_lab, 0, sizeof(port_lab));
	port_lab.keep.to = -1;
	for (i = 0; i < LAB_PORTS; i++) {
		char far[16];

		veth_run("ip link add near%d type veth peer name far%d "
			 "&& ip link set near%d up && ip link set far%d up",
		    i, i, i, i);
		snprintf(far, sizeof(far), "far%d", i);
		veth_await_up(far);
		port_lab.wires[i] = veth_socket(far);
	}
	port_lab_open_pool();
}

void
port_lab_open_pool(void)
{
	const struct lp_pool_config config = {
	    .buffer_count = LAB_BUFFERS, .ledger = port_lab.ledger};

	if (port_lab.pool != NULL)
		ops->pool_close(port_lab.pool);
	ck_assert_int_eq(
	    ops->pool_open(&port_lab.pool, &config, port_lab.why), 0);
}

void
port_lab_close(int i)
{
	if (port_lab.ports[i] == NULL)
		return;
	ops->close(port_lab.ports[i]);
	ops->reclaim(port_lab.pool, (uint8_t)i);
	port_lab.ports[i] = NULL;
}

void
port_lab_teardown(void)
{
	int i;

	for (i = 0; i < LAB_PORTS; i++) {
		port_lab_close(i);
		close(port_lab.wires[i]);
	}
	/* Whatever a test did: no buffer is lost. */
	ck_assert_uint_eq(ops->free_count(port_lab.pool), LAB_BUFFERS);
	ops->pool_close(port_lab.pool);
}

struct lp_port_config
port_lab_config(int i)
{
	struct lp_port_config config = {
	    .slot = (uint8_t)i, .pool = port_lab.pool};

	snprintf(
	    config.object.device, sizeof(config.object.device), "near%d", i);
	return config;
}

/* Port i has the address 10.0.0.i and lives. */
void
port_lab_steer(int i)
{
	char text[LP_IP_TEXT_SIZE];
	struct lp_ip ip;
	struct lp_steer whole = {
	    .generation = 1, .addresses = &ip, .address_count = 1};

	snprintf(text, sizeof(text), "10.0.0.%d", i);
	ip = port_lab_ip(text);
	ck_assert_int_eq(
	    ops->steer(port_lab.ports[i], &whole, port_lab.why), 0);
	ops->beat(port_lab.ports[i], veth_now_ns());
}

void
port_lab_open(int i, struct lp_keep *keep)
{
	struct lp_port_config config = port_lab_config(i);
	int error;

	config.keep = keep;
	error = ops->open(&port_lab.ports[i], &config, port_lab.why);
	ck_assert_msg(error == 0, "%d: %s", error, port_lab.why);
	port_lab_steer(i);
}

/* Waits until the port has count packets. */
unsigned
port_lab_rx(int i, struct lp_pkt pkts[], unsigned count)
{
	const uint64_t end = veth_now_ns() + VETH_WAIT_MS * 1000000ULL;
	struct pollfd ready[LP_PORT_QUEUES_MAX];
	int fds[LP_PORT_QUEUES_MAX];
	unsigned n, j, received = 0;

	while (received < count && veth_now_ns() < end) {
		received += ops->rx(
		    port_lab.ports[i], pkts + received, count - received);
		if (received == count)
			break;
		n = ops->fds(port_lab.ports[i], fds, LP_PORT_QUEUES_MAX);
		for (j = 0; j < n; j++)
			ready[j] = (struct pollfd){fds[j], POLLIN, 0};
		poll(ready, n, 10);
	}
	return received;
}

void
port_lab_tx(int i, struct lp_pkt *pkt)
{
	ck_assert_uint_eq(ops->tx(port_lab.ports[i], &pkt, 1), 1);
	ops->flush(port_lab.ports[i]);
}

/* A frame to port i's address comes in there. */
void
port_lab_send(int i, uint8_t last)
{
	uint8_t frame[LAB_FRAME_MAX];
	char text[LP_IP_TEXT_SIZE];
	struct lp_pkt none;
	size_t len;

	snprintf(text, sizeof(text), "10.0.0.%d", i);
	len = port_lab_udp(
	    frame, port_lab.ports[i]->mac, "10.0.0.100", text, last);
	/* The first rx gives the kernel its buffers. */
	ck_assert_uint_eq(ops->rx(port_lab.ports[i], &none, 1), 0);
	ck_assert_int_eq(write(port_lab.wires[i], frame, len), len);
}

/* What comes in at port `in` goes out of port `out`. */
void
port_lab_passage(int in, int out, uint8_t last)
{
	uint8_t frame[LAB_FRAME_MAX];
	struct lp_pkt pkt;

	port_lab_send(in, last);
	ck_assert_uint_eq(port_lab_rx(in, &pkt, 1), 1);
	ck_assert_uint_eq(pkt.len, 64);
	ck_assert_uint_eq(pkt.port_in, in);
	ck_assert_uint_eq(pkt.data[63], last);
	port_lab_tx(out, &pkt);
	ck_assert_uint_eq(
	    port_lab_receive(port_lab.wires[out], ETH_P_IP, last, frame), 64);
}

uint64_t
port_lab_counter(int i, const char *name)
{
	struct lp_port_counter counters[LP_PORT_COUNTERS_MAX];
	unsigned j,
	    count = ops->counters(
		port_lab.ports[i], counters, LP_PORT_COUNTERS_MAX);

	for (j = 0; j < count; j++)
		if (strcmp(counters[j].name, name) == 0)
			return counters[j].value;
	ck_abort_msg("no counter %s", name);
	return 0;
}

void
port_lab_release(struct lp_pkt *pkt)
{
	ops->release(port_lab.pool, &pkt, 1);
}

int
port_lab_main(const char *name, void (*add)(struct TCase *tcase))
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	if (!veth_enter()) {
		fprintf(stderr, "skipped: needs a network namespace (root)\n");
		return VETH_SKIPPED;
	}
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, port_lab_setup, port_lab_teardown);
	add(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
