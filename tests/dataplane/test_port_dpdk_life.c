/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DPDK port over net_af_packet on a veth: its life.  Refusals, MTUs,
 * devices that go down or vanish, and that nothing is left behind.
 */
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/dataplane/dpdk_lab.h"

static const struct lp_backend_ops *const ops = &lp_port_dpdk_ops;
static const char near0[] = "net_af_packet0,iface=near0";

START_TEST(open_and_close_leave_nothing_behind)
{
	unsigned descriptors;

	dpdk_lab_veth(0);
	dpdk_lab_close(dpdk_lab_open(near0));
	descriptors = veth_descriptors();
	for (int i = 0; i < 10; i++)
		dpdk_lab_close(dpdk_lab_open(near0));
	ck_assert_uint_eq(veth_descriptors(), descriptors);
	ck_assert_uint_eq(ops->free_count(dpdk_lab.pool), DPDK_LAB_BUFFERS);
}
END_TEST

static const struct {
	const char *devargs;
	int error;
	const char *words;
} refusals[] = {
    {"net_af_packet0,iface=nope", -ENODEV, "No such device"},
    {"net_af_packet0", -ENODEV, "missing, unknown, or wrong"},
    {"net_af_packet0,iface=near0,colour=red", -ENODEV,
	"missing, unknown, or wrong"},
    {"net_af_packet0,iface=near0,framesz=100000", -ENODEV, "frame"},
    {"net_af_packet0,iface=near0,framesz=4096,blocksz=4096", -ENOMEM,
	"will not fit in mbuf"},
    {"net_nothing0,iface=near0", -ENODEV,
	"DPDK knows no device \"net_nothing0"},
    {"near0", -EINVAL, "net_af_packet0,iface=near0"},
    {"", -EINVAL, "has no name"},
    {"net_memif0,socket=/nonexistent/m.sock,socket-abstract=no", -ENODEV,
	"Invalid socket directory"},
    {"net_memif0,role=waiter", -ENODEV, "role"},
    {"net_pcap0,rx_pcap=/nonexistent.pcap", -ENODEV, "/nonexistent.pcap"},
    {"net_pcap0,iface=nope", -ENODEV, "nope"},
    {"net_pcap0,rx_iface=near0", -EPERM, "say iface="},
    {"net_pcap0,rx_iface_in=near0,tx_iface=near0", -EPERM, "say iface="},
    {"net_pcap0,rx_pcap=x,=tx_iface=near0", -EPERM, "say iface="},
    {"net_tap0,remote=near0", -EPERM, "no remote="},
    {"net_af_packet0,iface=lo", -EOPNOTSUPP, "lo is no Ethernet device"},
    {"net_virtio_user0", -ENODEV, "path is mandatory"},
    {"crypto_null0", -EINVAL, "crypto_null0 is no device of DPDK"},
    {"net_failsafe0,exec(touch ran)", -EPERM, "runs commands"},
    {"net_failsafe0,dev(net_null9)", -EPERM, "a device that makes others"},
    {"net_failsafe0,fd(0)", -EPERM, "is no port"},
    {"class=eth,mac=02:00:00:00:00:01", -EINVAL, "class=eth is no device"},
    {"net_ring0,x=vdev,name=net_null3/class=eth", -ENODEV, "DPDK knows no"},
    {"net_null0,size", -EINVAL, "NAME,KEY=VALUE"},
    {"net_null0,", -EINVAL, "NAME,KEY=VALUE"},
    {"net_null0,,size=64", -EINVAL, "NAME,KEY=VALUE"},
    {"business0", -EINVAL, "business0 is no device"},
    {"bus=vdev,driver=net_null", -EINVAL, "bus=vdev is no device"},
    /* No machine has a bus of that number. */
    {"0000:fe:1f.7", -ENODEV, "there is no PCI device 0000:fe:1f.7"},
    {"pci:fe:1f.7,x=y", -ENODEV, "there is no PCI device 0000:fe:1f.7"},
    {"bus=pci,addr=0000:fe:1f.7", -EINVAL, "bus=pci is no device"},
    {"bus=pci,addr=0000:fe:1f.7/class=eth", -EINVAL, "bus=pci is no"},
};

/* Each twice: what the first try leaves would be in the way of the second. */
START_TEST(what_cannot_be_opened_is_refused_and_leaves_nothing)
{
	unsigned descriptors = 0;

	dpdk_lab_veth(0);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct lp_port_config config =
		    dpdk_lab_config(refusals[i].devargs);

		for (int try = 0; try < 3; try++) {
			dpdk_lab_refused(
			    &config, refusals[i].error, refusals[i].words);
			/* The first may open something once and for all. */
			if (try == 1)
				descriptors = veth_descriptors();
		}
		ck_assert_msg(veth_descriptors() == descriptors,
		    "%s: %u descriptors, were %u", refusals[i].devargs,
		    veth_descriptors(), descriptors);
		ck_assert_uint_eq(
		    ops->free_count(dpdk_lab.pool), DPDK_LAB_BUFFERS);
	}
	ck_assert_int_ne(access("ran", F_OK), 0);
	dpdk_lab_close(dpdk_lab_open(near0));
}
END_TEST

START_TEST(a_second_port_is_refused)
{
	static const struct {
		const char *devargs, *words;
	} seconds[] = {
	    {"net_af_packet0,iface=near0", "net_af_packet0 is open"},
	    {"net_af_packet0,iface=near1", "with other arguments"},
	    {"net_af_packet1,iface=near0",
		"another port, net_af_packet0, is on near0"},
	    {"net_pcap0,iface=near0",
		"another port, net_af_packet0, is on near0"},
	};
	struct lp_port *port;
	struct lp_pkt pkt;
	uint8_t frame[64];
	int wire;

	dpdk_lab_veth(0);
	dpdk_lab_veth(1);
	wire = veth_socket("far0");
	port = dpdk_lab_open(near0);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		struct lp_port_config config =
		    dpdk_lab_config(seconds[i].devargs);

		config.slot = 1;
		dpdk_lab_refused(&config, -EBUSY, seconds[i].words);
	}
	/* The first one did not notice. */
	dpdk_lab_frame(frame, port->mac, ETH_P_IP, sizeof(frame), 1);
	ck_assert_int_eq(send(wire, frame, sizeof(frame), 0), sizeof(frame));
	ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
	dpdk_lab_release(&pkt);
	dpdk_lab_close(port);
	/* And once it is gone there is room. */
	dpdk_lab_close(dpdk_lab_open("net_af_packet1,iface=near0"));
	close(wire);
}
END_TEST

START_TEST(the_device_of_the_default_route_is_refused)
{
	struct lp_port_config config = dpdk_lab_config(near0);
	unsigned descriptors;
	struct lp_port *port;

	dpdk_lab_veth(0);
	veth_run("ip addr add 192.0.2.1/24 dev near0 && "
		 "ip route add default via 192.0.2.2");
	dpdk_lab_refused(
	    &config, -EPERM, "near0 carries the host's default IPv4");
	/* It is tried again each second. */
	descriptors = veth_descriptors();
	for (int i = 0; i < 10; i++)
		dpdk_lab_refused(&config, -EPERM, "near0");
	ck_assert_uint_eq(veth_descriptors(), descriptors);

	config.object.allow_default_route = true;
	ck_assert_int_eq(ops->open(&port, &config, dpdk_lab.why), 0);
	ck_assert_int_eq(
	    ops->check_route(port, &config.object, dpdk_lab.why), 0);
	config.object.allow_default_route = false;
	ck_assert_int_eq(
	    ops->check_route(port, &config.object, dpdk_lab.why), -EPERM);
	/* Which is nothing to another MTU. */
	config.object.mtu = 1400;
	ck_assert_int_eq(ops->check_mtu(port, &config.object, dpdk_lab.why), 0);
	dpdk_lab_close(port);
}
END_TEST

/* One that comes between two starts must not cut the wire. */
START_TEST(an_inline_port_that_was_there_gets_over_a_default_route)
{
	struct lp_port_config config = dpdk_lab_config(near0);
	struct lp_port *port;

	dpdk_lab_veth(0);
	veth_run("ip addr add 192.0.2.1/24 dev near0 && "
		 "ip route add default via 192.0.2.2");
	strcpy(config.object.peer, "peer");
	dpdk_lab_refused(
	    &config, -EPERM, "near0 carries the host's default IPv4");
	config.known = true;
	dpdk_lab.why[0] = '\0';
	ck_assert_int_eq(ops->open(&port, &config, dpdk_lab.why), 0);
	ck_assert_str_eq(dpdk_lab.why, "");
	/* Nobody takes its leave back unasked, nor gives one. */
	ck_assert_int_eq(
	    ops->check_route(port, &config.object, dpdk_lab.why), -EPERM);
	dpdk_lab_close(port);
	/* Any other port is none of a wire. */
	config.object.peer[0] = '\0';
	dpdk_lab_refused(
	    &config, -EPERM, "near0 carries the host's default IPv4");
}
END_TEST

START_TEST(an_address_that_the_kernel_holds_is_refused)
{
	struct lp_port_config config = dpdk_lab_config(near0);

	dpdk_lab_veth(0);
	dpdk_lab_veth(1);
	veth_run("ip addr add 192.0.2.1/24 dev near1");
	config.object.address_count = 1;
	ck_assert_int_eq(
	    lp_ip_parse(&config.object.addresses[0].ip, "192.0.2.1", NULL), 0);
	dpdk_lab_refused(
	    &config, -EADDRINUSE, "the kernel holds 192.0.2.1 on near1");
}
END_TEST

static unsigned
mtu_of(const char *device)
{
	char line[96];
	unsigned mtu = 0;
	FILE *file;

	/* sysfs shows the namespace that it was mounted in. */
	snprintf(line, sizeof(line),
	    "ip link show %s | sed -n 's/.* mtu \\([0-9]*\\).*/\\1/p'", device);
	file = popen(line, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%u", &mtu), 1);
	pclose(file);
	return mtu;
}

START_TEST(the_mtu_follows_the_interface)
{
	struct lp_port *port;

	dpdk_lab_veth(0);
	veth_run("ip link set near0 mtu 1400");
	port = dpdk_lab_open(near0);
	ck_assert_uint_eq(port->mtu, 1400);
	veth_run("ip link set near0 mtu 1300");
	ck_assert_uint_eq(dpdk_lab_link(port).mtu, 1300);
	ck_assert_uint_eq(port->mtu, 1300);
	/* More than a buffer holds: the port goes on with what one holds. */
	veth_run("ip link set near0 mtu 9000");
	ck_assert_uint_eq(dpdk_lab_link(port).mtu, 9000);
	ck_assert_uint_eq(port->mtu, 2030);
	ck_assert_str_eq(dpdk_lab_link(port).why,
	    "MTU 9000, a packet buffer holds 2030: start lp-dataplane with "
	    "--mtu 9000");
	dpdk_lab_close(port);
}
END_TEST

START_TEST(an_mtu_above_the_buffer_is_refused_with_both_numbers)
{
	struct lp_port_config config = dpdk_lab_config(near0);

	dpdk_lab_veth(0);
	veth_run("ip link set near0 mtu 9000");
	dpdk_lab_refused(&config, -EMSGSIZE,
	    "an MTU of 9000 does not fit a packet buffer, which holds 2030: "
	    "start lp-dataplane with --mtu 9000");
	config.object.mtu = 3000;
	dpdk_lab_refused(&config, -EMSGSIZE,
	    "an MTU of 3000 does not fit a packet buffer, which holds 2030: "
	    "start lp-dataplane with --mtu 3000");
	ck_assert_uint_eq(mtu_of("near0"), 9000);
}
END_TEST

START_TEST(a_port_becomes_one_of_another_mtu)
{
	struct lp_port_config config = dpdk_lab_config(near0);
	struct lp_port_link link;
	struct lp_port *port;

	dpdk_lab_veth(0);
	config.object.mtu = 1400;
	ck_assert_int_eq(ops->open(&port, &config, dpdk_lab.why), 0);
	ck_assert_uint_eq(port->mtu, 1400);
	ck_assert_uint_eq(mtu_of("near0"), 1400);

	config.object.mtu = 1280;
	ck_assert_int_eq(ops->check_mtu(port, &config.object, dpdk_lab.why), 0);
	ops->become(port, &config.object);
	ck_assert_uint_eq(mtu_of("near0"), 1280);
	link = dpdk_lab_link(port);
	ck_assert_uint_eq(link.mtu, 1280);
	ck_assert_uint_eq(port->mtu, 1280);
	ck_assert_ptr_null(strstr(link.why, "MTU"));

	config.object.mtu = 9000;
	ck_assert_int_eq(
	    ops->check_mtu(port, &config.object, dpdk_lab.why), -EMSGSIZE);
	dpdk_lab_close(port);
}
END_TEST

START_TEST(an_mtu_that_only_the_kernel_can_set_is_told)
{
	struct lp_port_config config = dpdk_lab_config(near0);
	struct lp_port *port = NULL;

	dpdk_lab_veth(0);
	/* A port that has one opens again, and says so. */
	config.object.mtu = 1900;
	ck_assert_int_eq(ops->open(&port, &config, dpdk_lab.why), 0);
	ck_assert_uint_eq(port->mtu, 1500);
	ck_assert_ptr_nonnull(
	    strstr(dpdk_lab_link(port).why, "does not take an MTU of 1900"));

	ck_assert_int_eq(
	    ops->check_mtu(port, &config.object, dpdk_lab.why), -EMSGSIZE);
	ck_assert_str_eq(dpdk_lab.why,
	    "net_af_packet sets no MTU above 1500, and carries it: ip link set "
	    "near0 mtu 1900, then try again");
	veth_run("ip link set near0 mtu 1900");
	ck_assert_int_eq(ops->check_mtu(port, &config.object, dpdk_lab.why), 0);
	config.object.mtu = 0;
	ops->become(port, &config.object);
	config.object.mtu = 1900;
	ops->become(port, &config.object);
	ck_assert_ptr_null(strstr(dpdk_lab_link(port).why, "MTU"));
	ck_assert_uint_eq(port->mtu, 1900);
	dpdk_lab_close(port);
}
END_TEST

/* Its driver, which has no call for it, carries what it was made for. */
START_TEST(an_mtu_that_is_not_taken_while_it_runs_is_told)
{
	struct lp_port_config config = dpdk_lab_config("net_ring0");
	struct lp_port *port = NULL;

	config.object.mtu = 1400;
	ck_assert_int_eq(ops->open(&port, &config, dpdk_lab.why), 0);
	ck_assert_uint_eq(port->mtu, 1400);
	ck_assert_ptr_null(strstr(dpdk_lab_link(port).why, "MTU"));
	config.object.mtu = 1500;
	ops->become(port, &config.object);
	ck_assert_uint_eq(port->mtu, 1400);
	ck_assert_ptr_nonnull(
	    strstr(dpdk_lab_link(port).why, "does not take an MTU of 1500"));
	dpdk_lab_close(port);
}
END_TEST

START_TEST(the_link_follows_the_interface)
{
	struct lp_port_link link;
	struct lp_port *port;

	dpdk_lab_veth(0);
	veth_run("ip link set near0 down");
	port = dpdk_lab_open(near0);
	link = dpdk_lab_link(port);
	ck_assert(link.present && !link.up);
	ck_assert_str_eq(link.why, "device is down: ip link set near0 up");
	veth_run("ip link set near0 up");
	dpdk_lab_await_link(port, true);
	link = dpdk_lab_link(port);
	ck_assert_str_eq(link.mode, "net_af_packet");
	ck_assert_str_eq(link.driver, "net_af_packet");
	/* As the kernel has them of a veth, not as the driver does. */
	ck_assert_int_eq(link.numa_node, -1);
	ck_assert_uint_eq(link.speed_mbps, 10000);
	ck_assert_uint_eq(link.queues, 1);
	ck_assert_str_eq(link.offloads, "");
	ck_assert_ptr_nonnull(strstr(link.why, "no hugepages (--no-huge)"));
	veth_run("ip link set far0 down");
	dpdk_lab_await_link(port, false);
	link = dpdk_lab_link(port);
	ck_assert(link.present);
	ck_assert_str_eq(link.why, "near0 has no carrier");
	dpdk_lab_close(port);
}
END_TEST

START_TEST(merging_by_the_kernel_is_told)
{
	struct lp_port *port;

	dpdk_lab_veth(0);
	port = dpdk_lab_open(near0);
	veth_run("ethtool -K near0 gro on");
	ck_assert_ptr_nonnull(strstr(
	    dpdk_lab_link(port).why, "ethtool -K near0 gro off lro off"));
	veth_run("ethtool -K near0 gro off");
	ck_assert_ptr_null(strstr(dpdk_lab_link(port).why, "ethtool"));
	dpdk_lab_close(port);
}
END_TEST

START_TEST(a_new_mac_is_a_new_incarnation)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x42};
	uint32_t incarnation;
	struct lp_port *port;
	struct lp_pkt pkt;
	uint8_t frame[64];
	int wire;

	dpdk_lab_veth(0);
	wire = veth_socket("far0");
	port = dpdk_lab_open(near0);
	(void)dpdk_lab_link(port);
	incarnation = port->incarnation;
	veth_run("ip link set near0 address 02:00:00:00:00:42");
	(void)dpdk_lab_link(port);
	ck_assert_int_eq(memcmp(port->mac, mac, 6), 0);
	ck_assert_uint_eq(port->incarnation, incarnation + 1);
	dpdk_lab_frame(frame, mac, ETH_P_IP, sizeof(frame), 1);
	ck_assert_int_eq(send(wire, frame, sizeof(frame), 0), sizeof(frame));
	ck_assert_uint_eq(dpdk_lab_rx(port, &pkt, 1), 1);
	dpdk_lab_release(&pkt);
	dpdk_lab_close(port);
	close(wire);
}
END_TEST

START_TEST(a_vanished_device_neither_crashes_nor_leaks)
{
	struct lp_port_link link;
	struct lp_port *port;
	struct lp_pkt pkt, *one = &pkt;

	dpdk_lab_veth(0);
	port = dpdk_lab_open(near0);
	veth_run("ip link del near0");
	for (int i = 0; i < 1000; i++) {
		ck_assert_uint_eq(ops->rx(port, &pkt, 1), 0);
		ck_assert(ops->alloc(dpdk_lab.pool, &pkt));
		pkt.len = 60;
		memset(pkt.data, 0, 60);
		if (ops->tx(port, &one, 1) == 0)
			dpdk_lab_release(&pkt);
	}
	link = dpdk_lab_link(port);
	ck_assert(!link.present && !link.up);
	ck_assert_str_eq(link.why, "device near0 is gone");
	(void)dpdk_lab_counter(port, "rx_missed");
	/* Another device of that name is another device. */
	dpdk_lab_veth(0);
	ck_assert(!dpdk_lab_link(port).present);
	dpdk_lab_close(port);
	port = dpdk_lab_open(near0);
	ck_assert(dpdk_lab_link(port).present);
	dpdk_lab_close(port);
}
END_TEST

START_TEST(groups_of_our_v6_addresses_are_joined)
{
	struct lp_ip ip;
	const struct lp_steer whole = {.addresses = &ip, .address_count = 1};
	struct lp_port *port;

	ck_assert_int_eq(lp_ip_parse(&ip, "2001:db8::ab:cdef", NULL), 0);
	dpdk_lab_veth(0);
	veth_run("sysctl -qw net.ipv6.conf.near0.disable_ipv6=0");
	port = dpdk_lab_open(near0);
	ck_assert_int_eq(ops->steer(port, &whole, dpdk_lab.why), 0);
	veth_run("ip maddr show dev near0 | grep -q ff02::1:ffab:cdef");
	dpdk_lab_close(port);
	veth_run("! ip maddr show dev near0 | grep -q ff02::1:ffab:cdef");
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, open_and_close_leave_nothing_behind);
	tcase_add_test(
	    tcase, what_cannot_be_opened_is_refused_and_leaves_nothing);
	tcase_add_test(tcase, a_second_port_is_refused);
	tcase_add_test(tcase, the_device_of_the_default_route_is_refused);
	tcase_add_test(
	    tcase, an_inline_port_that_was_there_gets_over_a_default_route);
	tcase_add_test(tcase, an_address_that_the_kernel_holds_is_refused);
	tcase_add_test(tcase, the_mtu_follows_the_interface);
	tcase_add_test(
	    tcase, an_mtu_above_the_buffer_is_refused_with_both_numbers);
	tcase_add_test(tcase, a_port_becomes_one_of_another_mtu);
	tcase_add_test(tcase, an_mtu_that_only_the_kernel_can_set_is_told);
	tcase_add_test(tcase, an_mtu_that_is_not_taken_while_it_runs_is_told);
	tcase_add_test(tcase, the_link_follows_the_interface);
	tcase_add_test(tcase, merging_by_the_kernel_is_told);
	tcase_add_test(tcase, a_new_mac_is_a_new_incarnation);
	tcase_add_test(tcase, a_vanished_device_neither_crashes_nor_leaks);
	tcase_add_test(tcase, groups_of_our_v6_addresses_are_joined);
}

int
main(void)
{
	return dpdk_lab_main("port_dpdk_life", add);
}
