/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DPDK port over other virtual devices: net_null, net_ring, net_pcap,
 * net_tap, net_af_xdp.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/dataplane/dpdk_lab.h"

enum { AF_XDP_FILL = 2048 }; /* buffers that net_af_xdp takes for good */

static const struct lp_backend_ops *const ops = &lp_port_dpdk_ops;

const char *__lsan_default_suppressions(void);

/* What net_af_xdp never frees goes with the socket that it never closes. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:xsk_umem__create\n";
}

static const char *const reopened[] = {
    "net_null0",
    "net_null0,copy=1",
    "net_ring0",
    "net_ring0,nodeaction=other:0:CREATE",
    "net_pcap0,tx_pcap=out.pcap",
    "net_pcap0,iface=near0",
    "net_tap0,iface=tap0",
    "net_tap0",
    "net_af_packet0,iface=near0",
};

START_TEST(devices_open_again_and_again_and_leave_nothing)
{
	dpdk_lab_veth(0);
	for (size_t i = 0; i < sizeof(reopened) / sizeof(reopened[0]); i++) {
		unsigned descriptors = 0;

		for (int turn = 0; turn < 4; turn++) {
			struct lp_port *port = dpdk_lab_open(reopened[i]);
			struct lp_pkt pkt;

			ck_assert(dpdk_lab_link(port).present);
			if (ops->rx(port, &pkt, 1) == 1)
				dpdk_lab_release(&pkt);
			dpdk_lab_close(port);
			/* The first may open something once and for all. */
			if (turn == 0)
				descriptors = veth_descriptors();
			ck_assert_msg(
			    ops->free_count(dpdk_lab.pool) == DPDK_LAB_BUFFERS,
			    "%s: %u buffers", reopened[i],
			    ops->free_count(dpdk_lab.pool));
		}
		ck_assert_msg(veth_descriptors() == descriptors,
		    "%s: %u descriptors, were %u", reopened[i],
		    veth_descriptors(), descriptors);
	}
}
END_TEST

static const struct {
	const char *devargs;
	bool alone;
} kinds[] = {
    {"net_null0", true},
    {"net_ring0", true},
    {"net_pcap0,iface=near0", false},
    {"net_af_packet0,iface=near0", false},
    /* The kernel is at its other end. */
    {"net_tap0,iface=tap0", true},
};

START_TEST(a_port_is_alone_where_no_kernel_stands_behind_it)
{
	dpdk_lab_veth(0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct lp_port *port = dpdk_lab_open(kinds[i].devargs);

		ck_assert_msg(port->alone == kinds[i].alone, "%s: %d",
		    kinds[i].devargs, port->alone);
		dpdk_lab_close(port);
	}
}
END_TEST

START_TEST(what_net_null_makes_is_for_nobody)
{
	struct lp_port *port = dpdk_lab_open("net_null0,copy=1");
	struct lp_pkt pkt;
	uint8_t frame[64];

	ck_assert(dpdk_lab_link(port).up);
	ck_assert_uint_eq(ops->rx(port, &pkt, 1), 0);
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_other_host"), 1);
	dpdk_lab_frame(frame, port->mac, ETH_P_IP, sizeof(frame), 1);
	for (int i = 0; i < 2 * DPDK_LAB_BUFFERS; i++)
		dpdk_lab_tx(port, frame, sizeof(frame));
	ck_assert_uint_eq(
	    dpdk_lab_counter(port, "tx_packets"), 2 * DPDK_LAB_BUFFERS);
	dpdk_lab_close(port);
}
END_TEST

/* With buffers for 9000 bytes and more, and back by the same ring. */
START_TEST(net_ring_gives_back_what_it_gets)
{
	static uint8_t frame[DPDK_LAB_FRAME_MAX];
	static const size_t lengths[] = {60, 1514, 2048, 9014};
	struct lp_port *port;
	struct lp_pkt pkt;

	dpdk_lab_open_pool(9000);
	port = dpdk_lab_open("net_ring0");
	for (unsigned i = 0; i < 4; i++) {
		dpdk_lab_frame(frame, port->mac, ETH_P_IPV6, lengths[i], i);
		dpdk_lab_tx(port, frame, lengths[i]);
		ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
		ck_assert_uint_eq(pkt.len, lengths[i]);
		ck_assert_int_eq(memcmp(pkt.data, frame, pkt.len), 0);
		dpdk_lab_release(&pkt);
	}
	dpdk_lab_close(port);
}
END_TEST

START_TEST(a_full_ring_leaves_packets_with_the_caller)
{
	struct lp_port *port = dpdk_lab_open("net_ring0");
	struct lp_pkt pkt, *one = &pkt;
	unsigned sent = 0, received = 0;

	while (ops->alloc(dpdk_lab.pool, &pkt)) {
		pkt.len = 60;
		memset(pkt.data, 0, 60);
		if (ops->tx(port, &one, 1) == 0)
			break;
		sent++;
	}
	dpdk_lab_release(&pkt);
	ck_assert_uint_gt(sent, 0);
	ck_assert_uint_lt(sent, DPDK_LAB_BUFFERS);
	ck_assert_uint_eq(dpdk_lab_counter(port, "tx_packets"), sent);
	for (; ops->rx(port, &pkt, 1) == 1; received++)
		dpdk_lab_release(&pkt);
	ck_assert_uint_eq(received, sent);
	dpdk_lab_close(port);
}
END_TEST

/* "pcap", and how many of them the process has had. */
static const uint8_t pcap_mac[6] = {2, 0x70, 0x63, 0x61, 0x70, 0};

/* A capture, as in pcap-savefile(5). */
static void
write_capture(const char *path, const uint8_t to[6], const size_t lengths[],
    unsigned count)
{
	const uint32_t head[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
	static uint8_t frame[DPDK_LAB_FRAME_MAX];
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fwrite(head, sizeof(head), 1, file);
	for (unsigned i = 0; i < count; i++) {
		const uint32_t len = (uint32_t)lengths[i];
		const uint32_t record[4] = {1, 0, len, len};

		dpdk_lab_frame(frame, to, ETH_P_IP, len, i);
		fwrite(record, sizeof(record), 1, file);
		fwrite(frame, len, 1, file);
	}
	ck_assert_int_eq(fclose(file), 0);
}

/* Its frames are those of write_capture(). */
static void
check_capture(const char *path, const uint8_t to[6], const size_t lengths[],
    unsigned count)
{
	static uint8_t frame[DPDK_LAB_FRAME_MAX], want[DPDK_LAB_FRAME_MAX];
	FILE *file = fopen(path, "r");
	uint32_t head[6], record[4];

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(head, sizeof(head), 1, file), 1);
	for (unsigned i = 0; i < count; i++) {
		ck_assert_uint_eq(fread(record, sizeof(record), 1, file), 1);
		ck_assert_uint_eq(record[2], lengths[i]);
		ck_assert_uint_eq(fread(frame, record[2], 1, file), 1);
		dpdk_lab_frame(want, to, ETH_P_IP, lengths[i], i);
		ck_assert_int_eq(memcmp(frame, want, lengths[i]), 0);
	}
	ck_assert_uint_eq(fread(record, 1, 1, file), 0);
	fclose(file);
}

START_TEST(net_pcap_reads_one_file_and_writes_another)
{
	static const size_t lengths[] = {60, 61, 1514, 2048};
	struct lp_pkt pkts[4], *out[4];
	struct lp_port *port;

	write_capture("in.pcap", pcap_mac, lengths, 4);
	port = dpdk_lab_open("net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap");
	ck_assert_int_eq(memcmp(port->mac, pcap_mac, 6), 0);
	ck_assert_uint_eq(dpdk_lab_rx(port, pkts, 4), 4);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(pkts[i].len, lengths[i]);
		out[i] = &pkts[i];
	}
	ck_assert_uint_eq(ops->tx(port, out, 4), 4);
	dpdk_lab_close(port);
	check_capture("out.pcap", pcap_mac, lengths, 4);
}
END_TEST

START_TEST(a_frame_of_several_buffers_is_dropped_and_counted)
{
	static const size_t lengths[] = {60, 2049, 9014, 61};
	struct lp_port *port;
	struct lp_pkt pkts[2];

	write_capture("in.pcap", pcap_mac, lengths, 4);
	port = dpdk_lab_open("net_pcap0,rx_pcap=in.pcap");
	ck_assert_uint_eq(dpdk_lab_rx(port, pkts, 2), 2);
	ck_assert_uint_eq(pkts[0].len, 60);
	ck_assert_uint_eq(pkts[1].len, 61);
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_too_long"), 2);
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_other_host"), 0);
	dpdk_lab_release(&pkts[0]);
	dpdk_lab_release(&pkts[1]);
	dpdk_lab_close(port);
}
END_TEST

START_TEST(where_buffers_are_larger_it_is_a_packet)
{
	static const size_t lengths[] = {60, 2049, 9014, 61};
	struct lp_port *port;
	struct lp_pkt pkt;

	dpdk_lab_open_pool(9000);
	write_capture("in.pcap", pcap_mac, lengths, 4);
	port = dpdk_lab_open("net_pcap0,rx_pcap=in.pcap");
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
		ck_assert_uint_eq(pkt.len, lengths[i]);
		dpdk_lab_release(&pkt);
	}
	ck_assert_uint_eq(dpdk_lab_counter(port, "rx_too_long"), 0);
	dpdk_lab_close(port);
}
END_TEST

static uint32_t
sum(const uint8_t *bytes, size_t len, uint32_t start)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		start += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

static void
put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* TCP/IPv4 of 20 bytes payload, with right checksums. */
static size_t
tcp_frame(uint8_t *frame, const uint8_t to[6])
{
	enum { IP = 14, TCP = 34, LEN = 74 };

	dpdk_lab_frame(frame, to, ETH_P_IP, LEN, 1);
	memset(frame + IP, 0, 20);
	frame[IP] = 0x45;
	put16(frame + IP + 2, LEN - IP);
	frame[IP + 8] = 64;
	frame[IP + 9] = IPPROTO_TCP;
	frame[IP + 15] = 1;
	frame[IP + 19] = 2;
	put16(frame + IP + 10, ~sum(frame + IP, 20, 0));
	frame[TCP + 12] = 5 << 4;
	put16(frame + TCP + 16, 0);
	put16(frame + TCP + 16,
	    ~sum(frame + TCP, LEN - TCP,
		sum(frame + IP + 12, 8, IPPROTO_TCP + LEN - TCP)));
	return LEN;
}

START_TEST(net_tap_vouches_for_checksums_that_are_good)
{
	static const struct {
		size_t spoil; /* this byte; 0: none */
		unsigned flags;
	} cases[] = {
	    {0, LP_PKT_IP_SUM_GOOD | LP_PKT_TCP_SUM_GOOD},
	    {24, LP_PKT_TCP_SUM_GOOD},
	    {50, LP_PKT_IP_SUM_GOOD},
	    {70, LP_PKT_IP_SUM_GOOD},
	};
	struct lp_port *port = dpdk_lab_open("net_tap0,iface=tap0");
	int wire = veth_socket("tap0");
	uint8_t frame[DPDK_LAB_FRAME_MAX];
	struct lp_pkt pkt;

	dpdk_lab_await_link(port, true);
	ck_assert_str_eq(
	    dpdk_lab_link(port).offloads, "rx-ip-checksum rx-tcp-checksum");
	for (unsigned i = 0; i < 4; i++) {
		size_t len = tcp_frame(frame, port->mac);

		if (cases[i].spoil != 0)
			frame[cases[i].spoil] ^= 1;
		ck_assert_int_eq(send(wire, frame, len, 0), len);
		ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
		ck_assert_uint_eq(pkt.len, len);
		ck_assert_uint_eq(pkt.flags, cases[i].flags);
		ck_assert_int_eq(memcmp(pkt.data, frame, len), 0);
		dpdk_lab_release(&pkt);
		dpdk_lab_tx(port, frame, len);
		ck_assert_uint_eq(dpdk_lab_receive(wire, ETH_P_IP, frame), len);
	}
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

/* It has our MAC, and what it asks comes from there. */
START_TEST(the_kernel_behind_a_tap_is_heard)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET,
	    .sin_port = htons(9),
	    .sin_addr = {htonl(0x0a000002)},
	};
	struct lp_port *port = dpdk_lab_open("net_tap0,iface=tap0");
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	struct lp_pkt pkt;

	veth_run("ip addr add 10.0.0.1/24 dev tap0");
	dpdk_lab_await_link(port, true);
	ck_assert_int_eq(
	    sendto(udp, "?", 1, 0, (const struct sockaddr *)&to, sizeof(to)),
	    1);
	ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
	ck_assert_uint_eq(pkt.data[0], 0xff);
	ck_assert_uint_eq(pkt.data[13], ETH_P_ARP & 0xff);
	ck_assert_int_eq(memcmp(pkt.data + 6, port->mac, 6), 0);
	dpdk_lab_release(&pkt);
	dpdk_lab_close(port);
	close(udp);
}
END_TEST

/*
 * DPDK 22.11 loses the buffers of the fill ring, and the socket, so that a
 * second opening on an interface would fail, and cost as many again.
 */
START_TEST(net_af_xdp_opens_once_an_interface)
{
	static const char near0[] = "net_af_xdp0,iface=near0";
	struct lp_port_config config = dpdk_lab_config(near0);
	uint8_t frame[DPDK_LAB_FRAME_MAX], got[DPDK_LAB_FRAME_MAX];
	struct lp_port *port;
	struct lp_pkt pkt, *one = &pkt;
	int wire;

	dpdk_lab_veth(0);
	wire = veth_socket("far0");
	port = dpdk_lab_open(near0);
	dpdk_lab_await_link(port, true);
	for (unsigned i = 0; i < 40; i++) {
		size_t len = 60 + 37 * i;

		dpdk_lab_frame(frame, port->mac, ETH_P_IP, len, i);
		ck_assert_int_eq(send(wire, frame, len, 0), len);
		ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
		ck_assert_uint_eq(pkt.len, len);
		ck_assert_int_eq(memcmp(pkt.data, frame, len), 0);
		ck_assert_uint_eq(ops->tx(port, &one, 1), 1);
		ck_assert_uint_eq(dpdk_lab_receive(wire, ETH_P_IP, got), len);
		ck_assert_int_eq(memcmp(got, frame, len), 0);
	}
	dpdk_lab_close(port);
	/* And what it has sent, but not yet taken from its completion ring. */
	dpdk_lab.lost = DPDK_LAB_BUFFERS - ops->free_count(dpdk_lab.pool);
	ck_assert_uint_ge(dpdk_lab.lost, AF_XDP_FILL);
	ck_assert_uint_lt(dpdk_lab.lost, AF_XDP_FILL + AF_XDP_FILL / 4);
	dpdk_lab_refused(&config, -EBUSY, "does not let go of near0");
	/* Nor elsewhere, where it would take what is for others. */
	dpdk_lab_veth(1);
	config = dpdk_lab_config("net_af_xdp1,iface=near1");
	dpdk_lab_refused(&config, -ENOSPC, "net_af_xdp takes 2048");
	close(wire);
}
END_TEST

/* In effect here only: what is executed gets it again. */
static void
lose_sys_admin(void)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	ck_assert_int_eq(syscall(SYS_capget, &header, data), 0);
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &=
	    ~CAP_TO_MASK(CAP_SYS_ADMIN);
	ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
}

/* Not that the interface is in use, which it is by the first try. */
START_TEST(net_af_xdp_without_its_privilege_is_told_each_time)
{
	struct lp_port_config config =
	    dpdk_lab_config("net_af_xdp0,iface=near0");
	char first[LP_WHY_SIZE];

	dpdk_lab_veth(0);
	lose_sys_admin();
	/* A refusal before the driver begins costs nothing. */
	config.object.mtu = 3000;
	dpdk_lab_refused(&config, -EMSGSIZE, "--mtu 3000");
	ck_assert_uint_eq(ops->free_count(dpdk_lab.pool), DPDK_LAB_BUFFERS);
	config.object.mtu = 0;
	for (int i = 0; i < 3; i++) {
		struct lp_port *port;

		ck_assert_int_ne(ops->open(&port, &config, dpdk_lab.why), 0);
		if (i == 0)
			strcpy(first, dpdk_lab.why);
		ck_assert_str_eq(dpdk_lab.why, first);
	}
	ck_assert_msg(
	    strstr(first, "(it needs lp-dataplane --dpdk-privileged)") != NULL,
	    "%s", first);
	dpdk_lab.lost = DPDK_LAB_BUFFERS - ops->free_count(dpdk_lab.pool);
	ck_assert_uint_lt(dpdk_lab.lost, AF_XDP_FILL + AF_XDP_FILL / 4);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, devices_open_again_and_again_and_leave_nothing);
	tcase_add_test(tcase, a_port_is_alone_where_no_kernel_stands_behind_it);
	tcase_add_test(tcase, what_net_null_makes_is_for_nobody);
	tcase_add_test(tcase, net_ring_gives_back_what_it_gets);
	tcase_add_test(tcase, a_full_ring_leaves_packets_with_the_caller);
	tcase_add_test(tcase, net_pcap_reads_one_file_and_writes_another);
	tcase_add_test(
	    tcase, a_frame_of_several_buffers_is_dropped_and_counted);
	tcase_add_test(tcase, where_buffers_are_larger_it_is_a_packet);
	tcase_add_test(tcase, net_tap_vouches_for_checksums_that_are_good);
	tcase_add_test(tcase, the_kernel_behind_a_tap_is_heard);
	tcase_add_test(tcase, net_af_xdp_opens_once_an_interface);
	tcase_add_test(
	    tcase, net_af_xdp_without_its_privilege_is_told_each_time);
}

int
main(void)
{
	return dpdk_lab_main("port_dpdk_vdevs", add);
}
