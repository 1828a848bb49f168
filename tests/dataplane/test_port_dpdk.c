/* SPDX-License-Identifier: Apache-2.0 */
/* The DPDK port over net_af_packet on a veth: packets. */
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/dataplane/dpdk_lab.h"

static const struct lp_backend_ops *const ops = &lp_port_dpdk_ops;
static const char near0[] = "net_af_packet0,iface=near0";

/* A port on near0, and a wire at the far end. */
static struct lp_port *
open_pair(const char *devargs, int *wire)
{
	dpdk_lab_veth(0);
	*wire = veth_socket("far0");
	return dpdk_lab_open(devargs);
}

/* In at the port and out of it, each time the same bytes. */
static void
check_passage(struct lp_port *port, int wire, uint16_t type, size_t len)
{
	static uint8_t sent[DPDK_LAB_FRAME_MAX], got[DPDK_LAB_FRAME_MAX];
	struct lp_pkt pkt, *one = &pkt;
	static unsigned seed;

	dpdk_lab_frame(sent, port->mac, type, len, ++seed);
	ck_assert_int_eq(send(wire, sent, len, 0), len);
	ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
	ck_assert_uint_eq(pkt.len, len);
	ck_assert_uint_eq(pkt.port_in, port->slot);
	ck_assert_uint_eq(pkt.flags, 0);
	ck_assert_uint_eq(pkt.verdict, LP_UNDECIDED);
	ck_assert_int_eq(memcmp(pkt.data, sent, len), 0);
	ck_assert_uint_eq(ops->tx(port, &one, 1), 1);
	ck_assert_uint_eq(dpdk_lab_receive(wire, type, got), len);
	ck_assert_int_eq(memcmp(got, sent, len), 0);
}

static const uint16_t types[] = {ETH_P_IP, ETH_P_IPV6, ETH_P_ARP};
static const size_t lengths[] = {60, 61, 64, 127, 128, 590, 1499, 1514};

START_TEST(frames_come_in_and_go_out_byte_for_byte)
{
	int wire;
	struct lp_port *port = open_pair(near0, &wire);
	const unsigned lengths_count = sizeof(lengths) / sizeof(lengths[0]);
	uint64_t bytes = 0;

	for (unsigned i = 0; i < 3 * lengths_count; i++) {
		size_t len = lengths[i / 3];

		check_passage(port, wire, types[i % 3], len);
		bytes += len;
	}
	ck_assert_uint_eq(
	    dpdk_lab_counter(port, "rx_packets"), 3 * lengths_count);
	ck_assert_uint_eq(
	    dpdk_lab_counter(port, "tx_packets"), 3 * lengths_count);
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_bytes"), bytes);
	ck_assert_uint_eq(dpdk_lab_counter(port, "tx_bytes"), bytes);
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_other_host"), 0);
	ck_assert_uint_eq(dpdk_lab_counter(port, "tx_errors"), 0);
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

/*
 * In a frame of the ring the kernel puts 66 bytes before the packet, and the
 * driver wants all but 32 of it to fit a buffer: more than the MTU.
 */
START_TEST(a_jumbo_frame_is_one_buffer)
{
	struct lp_port *port;
	int wire;

	dpdk_lab_open_pool(9100);
	dpdk_lab_veth(0);
	veth_run("ip link set far0 mtu 9000 && ip link set near0 mtu 9000");
	wire = veth_socket("far0");
	port = dpdk_lab_open("net_af_packet0,iface=near0,framesz=9088,blocksz="
			     "36864,framecnt=64");
	ck_assert_uint_eq(port->mtu, 9000);
	check_passage(port, wire, ETH_P_IP, 9014);
	check_passage(port, wire, ETH_P_IPV6, 60);
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

static const struct {
	uint8_t to[6];
	bool is_ours;
} receivers[] = {
    {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, true},
    {{0x33, 0x33, 0xff, 0, 0, 1}, true},
    {{0x01, 0x00, 0x5e, 0, 0, 1}, true},
    {{0x02, 0, 0, 0, 0, 0x77}, false},
    {{0x02, 0, 0, 0, 0, 0}, false},
    {{0, 0, 0, 0, 0, 0}, false},
};

START_TEST(frames_to_another_mac_are_dropped_and_counted)
{
	int wire;
	struct lp_port *port = open_pair(near0, &wire);
	unsigned ours = 0, dropped = 0;
	uint8_t frame[64];
	struct lp_pkt pkt;

	for (size_t i = 0; i < sizeof(receivers) / sizeof(receivers[0]); i++) {
		dpdk_lab_frame(
		    frame, receivers[i].to, ETH_P_IP, sizeof(frame), 1);
		ck_assert_int_eq(
		    send(wire, frame, sizeof(frame), 0), sizeof(frame));
		if (receivers[i].is_ours) {
			ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
			dpdk_lab_release(&pkt);
			ours++;
		} else {
			dpdk_lab_await_counter(
			    port, "rx_other_host", ++dropped);
		}
	}
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_packets"), ours);
	/* Our own, but for one bit. */
	memcpy(frame, port->mac, 6);
	frame[5] ^= 1;
	ck_assert_int_eq(send(wire, frame, sizeof(frame), 0), sizeof(frame));
	dpdk_lab_await_counter(port, "rx_other_host", ++dropped);
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

/* What the kernel sends on near0 is seen there by all packet sockets. */
START_TEST(frames_that_the_kernel_sends_are_dropped_and_counted)
{
	int wire;
	struct lp_port *port = open_pair(near0, &wire);
	int kernel = veth_socket("near0");
	static const uint8_t others[][6] = {
	    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {2, 0, 0, 0, 0, 1}};
	uint8_t frame[64];

	for (unsigned i = 0; i < 2; i++) {
		dpdk_lab_frame(frame, others[i], ETH_P_ARP, sizeof(frame), 1);
		memcpy(frame + 6, port->mac, 6);
		ck_assert_int_eq(
		    send(kernel, frame, sizeof(frame), 0), sizeof(frame));
		dpdk_lab_await_counter(port, "rx_other_host", i + 1);
	}
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_packets"), 0);
	dpdk_lab_close(port);
	close(kernel);
	close(wire);
}
END_TEST

START_TEST(a_runt_is_left_to_the_stages)
{
	int wire;
	struct lp_port *port = open_pair(near0, &wire);
	uint8_t frame[DPDK_LAB_FRAME_MAX];
	struct lp_pkt pkt;

	/* The shortest that a packet socket sends. */
	dpdk_lab_frame(frame, port->mac, ETH_P_IP, 15, 1);
	ck_assert_int_eq(send(wire, frame, 15, 0), 15);
	ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
	ck_assert_uint_eq(pkt.len, 15);
	dpdk_lab_release(&pkt);
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

START_TEST(a_packet_goes_out_from_where_its_data_begins)
{
	int wire;
	struct lp_port *port = open_pair(near0, &wire);
	static uint8_t frame[DPDK_LAB_FRAME_MAX], got[DPDK_LAB_FRAME_MAX];
	static const int moves[] = {-LP_PORT_META_SIZE, -20, 0, 20};
	struct lp_pkt pkt, *one = &pkt;

	dpdk_lab_frame(frame, port->mac, ETH_P_IP, 200, 5);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert(ops->alloc(dpdk_lab.pool, &pkt));
		ck_assert_uint_eq(pkt.len, 0);
		pkt.data += moves[i];
		pkt.len = 200;
		memcpy(pkt.data, frame, 200);
		ck_assert_uint_eq(ops->tx(port, &one, 1), 1);
		ck_assert_uint_eq(dpdk_lab_receive(wire, ETH_P_IP, got), 200);
		ck_assert_int_eq(memcmp(got, frame, 200), 0);
	}
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

START_TEST(any_port_transmits_what_another_received)
{
	static const char *const devargs[] = {
	    "net_af_packet0,iface=near0", "net_af_packet1,iface=near1"};
	struct lp_pkt pkt, *one = &pkt;
	struct lp_port *ports[2];
	uint8_t frame[DPDK_LAB_FRAME_MAX];
	int wires[2];

	for (int i = 0; i < 2; i++) {
		dpdk_lab_veth(i);
		wires[i] = veth_socket(i == 0 ? "far0" : "far1");
		ports[i] = dpdk_lab_open(devargs[i]);
	}
	for (unsigned i = 0; i < 4; i++) {
		int in = i & 1, out = i >> 1;

		dpdk_lab_frame(frame, ports[in]->mac, ETH_P_IP, 100 + i, i);
		ck_assert_int_eq(send(wires[in], frame, 100 + i, 0), 100 + i);
		ck_assert_uint_eq(dpdk_lab_rx(ports[in], &pkt, 1), 1);
		ck_assert_uint_eq(ops->tx(ports[out], &one, 1), 1);
		ck_assert_uint_eq(
		    dpdk_lab_receive(wires[out], ETH_P_IP, frame), 100 + i);
	}
	for (int i = 0; i < 2; i++) {
		dpdk_lab_close(ports[i]);
		close(wires[i]);
	}
}
END_TEST

/* Many times as many frames as there are buffers. */
START_TEST(buffers_go_round)
{
	int wire;
	struct lp_port *port = open_pair(near0, &wire);
	struct lp_pkt pkts[LP_BATCH_MAX], *out[LP_BATCH_MAX];
	uint8_t frame[64];

	dpdk_lab_frame(frame, port->mac, ETH_P_IP, sizeof(frame), 1);
	for (unsigned i = 0; i < LP_BATCH_MAX; i++)
		out[i] = &pkts[i];
	for (unsigned sent = 0; sent < 3 * DPDK_LAB_BUFFERS;
	     sent += LP_BATCH_MAX) {
		for (unsigned i = 0; i < LP_BATCH_MAX; i++)
			ck_assert_int_eq(
			    send(wire, frame, sizeof(frame), 0), sizeof(frame));
		ck_assert_uint_eq(
		    dpdk_lab_rx(port, pkts, LP_BATCH_MAX), LP_BATCH_MAX);
		ck_assert_uint_eq(
		    ops->tx(port, out, LP_BATCH_MAX), LP_BATCH_MAX);
	}
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_no_buffer"), 0);
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

START_TEST(an_empty_pool_is_a_normal_outcome)
{
	static struct lp_pkt pkts[DPDK_LAB_BUFFERS];
	int wire;
	struct lp_port *port = open_pair(near0, &wire);
	uint8_t frame[64];
	struct lp_pkt pkt;
	unsigned count;

	dpdk_lab_frame(frame, port->mac, ETH_P_IP, sizeof(frame), 1);
	for (unsigned round = 0; round < 3; round++) {
		for (count = 0; ops->alloc(dpdk_lab.pool, &pkts[count]);
		     count++)
			ck_assert_uint_lt(count, DPDK_LAB_BUFFERS);
		ck_assert_uint_eq(count, DPDK_LAB_BUFFERS);
		ck_assert_uint_eq(ops->free_count(dpdk_lab.pool), 0);
		ck_assert_int_eq(
		    send(wire, frame, sizeof(frame), 0), sizeof(frame));
		ck_assert_uint_eq(ops->rx(port, &pkt, 1), 0);
		while (count-- > 0)
			dpdk_lab_release(&pkts[count]);
		/* It has waited. */
		ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
		dpdk_lab_release(&pkt);
	}
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

START_TEST(every_queue_is_served)
{
	int wire;
	struct lp_port *port =
	    open_pair("net_af_packet0,iface=near0,qpairs=4", &wire);
	uint8_t frame[64];
	struct lp_pkt pkt;

	ck_assert_uint_eq(dpdk_lab_link(port).queues, 4);
	for (unsigned i = 0; i < 64; i++) {
		dpdk_lab_frame(frame, port->mac, ETH_P_IP, sizeof(frame), i);
		ck_assert_int_eq(
		    send(wire, frame, sizeof(frame), 0), sizeof(frame));
		ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
		ck_assert_int_eq(memcmp(pkt.data, frame, sizeof(frame)), 0);
		dpdk_lab_release(&pkt);
	}
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

/* It must neither block the worker nor eat buffers. */
START_TEST(a_device_that_is_down_holds_up_nobody)
{
	int wire;
	struct lp_port *port = open_pair(near0, &wire);
	struct lp_pkt pkt, *one = &pkt;
	uint64_t start = veth_now_ns();

	veth_run("ip link set near0 down");
	for (unsigned i = 0; i < 2 * DPDK_LAB_BUFFERS; i++) {
		ck_assert(ops->alloc(dpdk_lab.pool, &pkt));
		pkt.len = 60;
		memset(pkt.data, 0, 60);
		if (ops->tx(port, &one, 1) == 0)
			dpdk_lab_release(&pkt);
		ck_assert_uint_eq(ops->rx(port, &pkt, 1), 0);
	}
	ck_assert_uint_lt(veth_now_ns() - start, 20000000000);
	ck_assert_uint_gt(dpdk_lab_counter(port, "tx_errors"), 0);
	veth_run("ip link set near0 up");
	dpdk_lab_await_link(port, true);
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, frames_come_in_and_go_out_byte_for_byte);
	tcase_add_test(tcase, a_jumbo_frame_is_one_buffer);
	tcase_add_test(tcase, frames_to_another_mac_are_dropped_and_counted);
	tcase_add_test(
	    tcase, frames_that_the_kernel_sends_are_dropped_and_counted);
	tcase_add_test(tcase, a_runt_is_left_to_the_stages);
	tcase_add_test(tcase, a_packet_goes_out_from_where_its_data_begins);
	tcase_add_test(tcase, any_port_transmits_what_another_received);
	tcase_add_test(tcase, buffers_go_round);
	tcase_add_test(tcase, an_empty_pool_is_a_normal_outcome);
	tcase_add_test(tcase, every_queue_is_served);
	tcase_add_test(tcase, a_device_that_is_down_holds_up_nobody);
}

int
main(void)
{
	return dpdk_lab_main("port_dpdk", add);
}
