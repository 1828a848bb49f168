/* SPDX-License-Identifier: Apache-2.0 */
/* The AF_XDP port on real veths: packets. */
#include <check.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/dataplane/port_lab.h"

static const struct lp_backend_ops *const ops = &lp_port_xdp_ops;

START_TEST(frames_to_our_address_come_in_and_go_out)
{
	port_lab_open(0, NULL);
	port_lab_passage(0, 0, 42);
	ck_assert_uint_eq(port_lab_counter(0, "rx_packets"), 1);
	ck_assert_uint_eq(port_lab_counter(0, "rx_bytes"), 64);
	ck_assert_uint_eq(port_lab_counter(0, "tx_packets"), 1);
	ck_assert_uint_eq(port_lab_counter(0, "tx_bytes"), 64);
	ck_assert_uint_eq(port_lab_counter(0, "steer_redirected"), 1);
}
END_TEST

START_TEST(any_port_transmits_what_another_received)
{
	int i;

	for (i = 0; i < LAB_PORTS; i++)
		port_lab_open(i, NULL);
	for (i = 0; i < LAB_PORTS * LAB_PORTS; i++)
		port_lab_passage(
		    i / LAB_PORTS, i % LAB_PORTS, (uint8_t)(i + 1));
}
END_TEST

static const int orders[][LAB_PORTS] = {
    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

START_TEST(ports_close_in_any_order)
{
	const int *order = orders[_i];
	int i;

	for (i = 0; i < LAB_PORTS; i++)
		port_lab_open(i, NULL);
	port_lab_close(order[0]);
	port_lab_passage(order[1], order[2], 1);
	port_lab_passage(order[2], order[1], 2);
	port_lab_close(order[1]);
	port_lab_passage(order[2], order[2], 3);
	/* The first comes back while the last still lives. */
	port_lab_open(order[0], NULL);
	port_lab_passage(order[0], order[2], 4);
	port_lab_passage(order[2], order[0], 5);
	port_lab_close(order[2]);
	port_lab_passage(order[0], order[0], 6);
}
END_TEST

/* Frames of others, and what the kernel gets besides us. */
START_TEST(what_is_not_ours_goes_to_the_kernel)
{
	uint8_t frame[LAB_FRAME_MAX];
	int kernel = veth_socket("near0");
	struct lp_pkt pkt;
	size_t len;

	port_lab_open(0, NULL);
	len = port_lab_udp(
	    frame, port_lab.ports[0]->mac, "10.0.0.100", "10.0.0.77", 9);
	ck_assert_int_eq(write(port_lab.wires[0], frame, len), len);
	ck_assert_uint_eq(port_lab_receive(kernel, ETH_P_IP, 9, frame), len);
	ck_assert_uint_eq(ops->rx(port_lab.ports[0], &pkt, 1), 0);
	ck_assert_uint_ge(port_lab_counter(0, "steer_passed"), 1);
	ck_assert_uint_eq(port_lab_counter(0, "steer_redirected"), 0);
	close(kernel);
}
END_TEST

START_TEST(arp_of_others_goes_to_the_kernel_and_a_copy_to_us)
{
	struct pollfd ready[LP_PORT_QUEUES_MAX];
	int fds[LP_PORT_QUEUES_MAX];
	uint8_t frame[LAB_FRAME_MAX];
	int kernel = veth_socket("near0");
	struct lp_pkt pkt;
	unsigned i, count;
	size_t len;

	port_lab_open(0, NULL);
	len = port_lab_arp(frame, "10.0.0.77", 9);
	ck_assert_int_eq(write(port_lab.wires[0], frame, len), len);
	ck_assert_uint_eq(port_lab_receive(kernel, ETH_P_ARP, 9, frame), len);
	/* It wakes a worker that sleeps. */
	count = ops->fds(port_lab.ports[0], fds, LP_PORT_QUEUES_MAX);
	ck_assert_uint_eq(count, 2);
	for (i = 0; i < count; i++)
		ready[i] = (struct pollfd){fds[i], POLLIN, 0};
	ck_assert_int_eq(poll(ready, count, VETH_WAIT_MS), 1);
	ck_assert_uint_eq(ops->rx(port_lab.ports[0], &pkt, 1), 1);
	ck_assert_int_eq(poll(ready, count, 0), 0);
	ck_assert_uint_eq(pkt.flags, LP_PKT_COPY);
	ck_assert_uint_eq(pkt.len, len);
	ck_assert_int_eq(memcmp(pkt.data, frame, len), 0);
	port_lab_release(&pkt);
	ck_assert_uint_eq(port_lab_counter(0, "steer_copied"), 1);
	close(kernel);
}
END_TEST

START_TEST(arp_for_our_address_comes_to_us_alone)
{
	uint8_t frame[LAB_FRAME_MAX];
	struct lp_pkt pkt;
	size_t len;

	port_lab_open(1, NULL);
	ck_assert_uint_eq(ops->rx(port_lab.ports[1], &pkt, 1), 0);
	len = port_lab_arp(frame, "10.0.0.1", 9);
	ck_assert_int_eq(write(port_lab.wires[1], frame, len), len);
	ck_assert_uint_eq(port_lab_rx(1, &pkt, 1), 1);
	ck_assert_uint_eq(pkt.flags, 0);
	port_lab_release(&pkt);
	ck_assert_uint_eq(port_lab_counter(1, "steer_copied"), 0);
}
END_TEST

/* More than the kernel sends with one call in copy mode. */
START_TEST(a_flush_sends_all)
{
	enum { COUNT = 200 };
	static struct lp_pkt pkts[COUNT];
	uint8_t frame[LAB_FRAME_MAX];
	unsigned i;

	port_lab_open(0, NULL);
	for (i = 0; i < COUNT; i++) {
		struct lp_pkt *pkt = &pkts[i];

		ck_assert(ops->alloc(port_lab.pool, pkt));
		pkt->len =
		    (uint16_t)port_lab_udp(pkt->data, port_lab.ports[0]->mac,
			"10.0.0.0", "10.0.0.100", (uint8_t)i);
		ck_assert_uint_eq(ops->tx(port_lab.ports[0], &pkt, 1), 1);
	}
	ops->flush(port_lab.ports[0]);
	for (i = 0; i < COUNT; i++)
		ck_assert_uint_eq(port_lab_receive(port_lab.wires[0], ETH_P_IP,
				      (uint8_t)i, frame),
		    64);
	ck_assert_uint_eq(port_lab_counter(0, "tx_packets"), COUNT);
	ck_assert_uint_eq(port_lab_counter(0, "tx_errors"), 0);
}
END_TEST

/* Many times as many frames as the rings hold, in and out. */
START_TEST(buffers_go_round)
{
	unsigned i;

	port_lab_open(0, NULL);
	port_lab_open(1, NULL);
	for (i = 0; i < 3 * LAB_BUFFERS; i++) {
		struct lp_pkt pkt;

		port_lab_send(0, 1);
		ck_assert_uint_eq(port_lab_rx(0, &pkt, 1), 1);
		port_lab_tx(1, &pkt);
	}
	ck_assert_uint_eq(port_lab_counter(0, "rx_fill_ring_empty"), 0);
	ck_assert_uint_eq(port_lab_counter(1, "tx_packets"), 3 * LAB_BUFFERS);
}
END_TEST

START_TEST(a_device_that_is_down_fills_the_ring_and_no_more)
{
	struct lp_pkt pkt, *one = &pkt;
	unsigned sent = 0;

	port_lab_open(0, NULL);
	ck_assert_uint_eq(ops->room(port_lab.ports[0], 9), 9);
	veth_run("ip link set near0 down");
	while (ops->alloc(port_lab.pool, &pkt)) {
		pkt.len = 64;
		if (ops->tx(port_lab.ports[0], &one, 1) == 0)
			break;
		sent++;
		ops->flush(port_lab.ports[0]);
	}
	port_lab_release(&pkt);
	ck_assert_uint_gt(sent, 0);
	ck_assert_uint_lt(sent, LAB_BUFFERS / 2);
	ck_assert_uint_gt(port_lab_counter(0, "tx_errors"), 0);
	ck_assert_uint_eq(ops->room(port_lab.ports[0], sent), 0);
	ck_assert_uint_eq(ops->room(port_lab.ports[0], sent + 9), 9);
	veth_run("ip link set near0 up");
	veth_await_up("far0");
	/* What waited goes out, and there is room again. */
	ops->flush(port_lab.ports[0]);
	ck_assert_uint_eq(ops->room(port_lab.ports[0], sent), sent);
	port_lab_passage(0, 0, 5);
}
END_TEST

START_TEST(traffic_of_a_dead_dataplane_is_dropped)
{
	struct lp_pkt pkt;

	port_lab_open(0, NULL);
	ops->beat(port_lab.ports[0], veth_now_ns() - 3000000000);
	port_lab_send(0, 1);
	/* A second frame that does come tells that the first one did not. */
	while (port_lab_counter(0, "steer_dropped_dead") == 0)
		;
	ops->beat(port_lab.ports[0], veth_now_ns());
	port_lab_send(0, 2);
	ck_assert_uint_eq(port_lab_rx(0, &pkt, 1), 1);
	ck_assert_uint_eq(pkt.data[63], 2);
	port_lab_release(&pkt);
	ck_assert_uint_eq(port_lab_counter(0, "steer_dropped_dead"), 1);
}
END_TEST

START_TEST(every_queue_is_served)
{
	enum { QUEUES = 3, FLOWS = 60 };
	uint8_t frame[LAB_FRAME_MAX];
	char source[LP_IP_TEXT_SIZE];
	struct lp_port_link link;
	struct lp_pkt pkt;
	size_t len;
	int i;

	close(port_lab.wires[0]);
	veth_run("ip link del near0 && ip link add near0 numrxqueues 3 "
		 "numtxqueues 3 type veth peer name far0 numrxqueues 3 "
		 "numtxqueues 3 && ip link set near0 up && ip link set "
		 "far0 up");
	veth_await_up("far0");
	port_lab.wires[0] = veth_socket("far0");
	port_lab_open(0, NULL);
	ops->link(port_lab.ports[0], &link);
	ck_assert_uint_eq(link.queues, QUEUES);
	ck_assert_uint_eq(ops->rx(port_lab.ports[0], &pkt, 1), 0);
	/* The hash of the source spreads them over the queues. */
	for (i = 1; i <= FLOWS; i++) {
		snprintf(source, sizeof(source), "10.0.1.%d", i);
		len = port_lab_udp(frame, port_lab.ports[0]->mac, source,
		    "10.0.0.0", (uint8_t)i);
		ck_assert_int_eq(write(port_lab.wires[0], frame, len), len);
		ck_assert_uint_eq(port_lab_rx(0, &pkt, 1), 1);
		ck_assert_uint_eq(pkt.data[63], (uint8_t)i);
		port_lab_tx(0, &pkt);
	}
	ck_assert_uint_eq(port_lab_counter(0, "steer_dropped_no_socket"), 0);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, frames_to_our_address_come_in_and_go_out);
	tcase_add_test(tcase, any_port_transmits_what_another_received);
	tcase_add_loop_test(tcase, ports_close_in_any_order, 0, 6);
	tcase_add_test(tcase, what_is_not_ours_goes_to_the_kernel);
	tcase_add_test(
	    tcase, arp_of_others_goes_to_the_kernel_and_a_copy_to_us);
	tcase_add_test(tcase, arp_for_our_address_comes_to_us_alone);
	tcase_add_test(tcase, a_flush_sends_all);
	tcase_add_test(tcase, buffers_go_round);
	tcase_add_test(tcase, a_device_that_is_down_fills_the_ring_and_no_more);
	tcase_add_test(tcase, traffic_of_a_dead_dataplane_is_dropped);
	tcase_add_test(tcase, every_queue_is_served);
}

int
main(void)
{
	return port_lab_main("port_xdp", add);
}
