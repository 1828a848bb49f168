/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AF_XDP port on real veths: its life.  Refusals, what the keeper holds,
 * devices that vanish, modes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <check.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/dataplane/port_lab.h"

static const struct lp_backend_ops *const ops = &lp_port_xdp_ops;

/* Rings of sockets that this process has mapped. */
static unsigned
mapped_rings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned count = 0;
	char line[512];

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		count += strstr(line, "socket:") != NULL;
	fclose(maps);
	return count;
}

START_TEST(open_and_close_leave_nothing_behind)
{
	unsigned fds, i;

	port_lab_open(0, NULL);
	ck_assert_uint_gt(mapped_rings(), 0);
	port_lab_close(0);
	fds = veth_descriptors();
	for (i = 0; i < 10; i++) {
		port_lab_open(0, NULL);
		port_lab_close(0);
	}
	ck_assert_uint_eq(veth_descriptors(), fds);
	ck_assert_uint_eq(mapped_rings(), 0);
}
END_TEST

/* Opening is refused with that error and a line that has those words. */
static void
check_refused(const struct lp_port_config *config, int error, const char *words)
{
	struct lp_port *port;
	int got;

	port_lab.why[0] = '\0';
	got = ops->open(&port, config, port_lab.why);
	ck_assert_msg(got == error, "%d: %s", got, port_lab.why);
	ck_assert_msg(strstr(port_lab.why, words) != NULL, "no '%s' in: %s",
	    words, port_lab.why);
}

START_TEST(a_device_that_does_not_exist_is_refused)
{
	struct lp_port_config config = port_lab_config(7);

	check_refused(&config, -ENODEV, "there is no device near7");
}
END_TEST

START_TEST(a_device_without_ethernet_is_refused)
{
	struct lp_port_config config = port_lab_config(0);

	strcpy(config.object.device, "lo");
	check_refused(&config, -EOPNOTSUPP, "no Ethernet device");
}
END_TEST

START_TEST(a_large_mtu_is_refused_with_both_numbers)
{
	struct lp_port_config config = port_lab_config(0);

	veth_run("ip link set near0 mtu %d", LP_MTU_MAX + 1);
	check_refused(&config, -EMSGSIZE, "MTU of 1775, at most 1774");
	veth_run("ip link set near0 mtu %d", LP_MTU_MAX);
	port_lab_open(0, NULL);
	ck_assert_uint_eq(port_lab.ports[0]->mtu, LP_MTU_MAX);
}
END_TEST

START_TEST(the_device_of_the_default_route_is_refused)
{
	struct lp_port_config config = port_lab_config(0);

	veth_run("ip addr add 192.0.2.1/24 dev near0 && "
		 "ip route add default via 192.0.2.2");
	check_refused(&config, -EPERM, "near0 carries the host's default IPv4");
	/* Another device is no matter, and the operator may insist. */
	port_lab_open(1, NULL);
	config.object.allow_default_route = true;
	ck_assert_int_eq(
	    ops->open(&port_lab.ports[0], &config, port_lab.why), 0);
}
END_TEST

START_TEST(the_device_of_the_default_v6_route_is_refused)
{
	struct lp_port_config config = port_lab_config(2);

	veth_run("ip -6 addr add 2001:db8::1/64 dev near2 nodad && "
		 "ip -6 route add default via 2001:db8::2");
	check_refused(&config, -EPERM, "near2 carries the host's default IPv6");
}
END_TEST

/* Only when it is added: what it has been for long is not cut for it. */
START_TEST(what_the_kernel_uses_is_no_inline_port)
{
	struct lp_port_config config = port_lab_config(0);

	strcpy(config.object.peer, "right");
	config.object.address_count = 0;
	veth_run("ip addr add 192.0.2.1/24 dev near0");
	check_refused(
	    &config, -EADDRINUSE, "the kernel holds 192.0.2.1 on near0");
	veth_run("ip route add default via 192.0.2.2");
	check_refused(&config, -EPERM, "near0 carries the host's default IPv4");
	config.known = true;
	ck_assert_int_eq(
	    ops->open(&port_lab.ports[0], &config, port_lab.why), 0);
}
END_TEST

START_TEST(an_address_that_the_kernel_holds_is_refused)
{
	struct lp_port_config config = port_lab_config(0);

	veth_run("ip -6 addr add 2001:db8::1/64 dev near1 nodad");
	config.object.address_count = 2;
	config.object.addresses[0].ip = port_lab_ip("10.0.0.1");
	config.object.addresses[1].ip = port_lab_ip("2001:db8::1");
	check_refused(
	    &config, -EADDRINUSE, "the kernel holds 2001:db8::1 on near1");
}
END_TEST

static void
remember_near1(void *arg, const struct lp_ip *ip, const char *device)
{
	struct lp_ip *found = arg;

	if (strcmp(device, "near1") == 0 && lp_ip_is_v4(ip))
		*found = *ip;
}

START_TEST(addresses_of_the_host_are_listed)
{
	struct lp_ip want = port_lab_ip("10.9.0.5"), found = {{0}};

	veth_run("ip addr add 10.9.0.5/24 dev near1");
	ck_assert_int_eq(ops->host_addresses(remember_near1, &found), 0);
	ck_assert(lp_ip_equal(&found, &want));
}
END_TEST

START_TEST(an_open_port_loses_its_leave_for_the_default_route)
{
	struct lp_port_config config = port_lab_config(0);

	config.object.allow_default_route = true;
	veth_run("ip addr add 192.0.2.1/24 dev near0 && "
		 "ip route add default via 192.0.2.2");
	ck_assert_int_eq(
	    ops->open(&port_lab.ports[0], &config, port_lab.why), 0);
	ck_assert_int_eq(
	    ops->check_route(port_lab.ports[0], &config.object, port_lab.why),
	    0);
	config.object.allow_default_route = false;
	ck_assert_int_eq(
	    ops->check_route(port_lab.ports[0], &config.object, port_lab.why),
	    -EPERM);
	veth_run("ip route del default");
	ck_assert_int_eq(
	    ops->check_route(port_lab.ports[0], &config.object, port_lab.why),
	    0);
}
END_TEST

START_TEST(a_second_port_on_a_device_is_refused)
{
	struct lp_port_config config = port_lab_config(0);

	port_lab_open(0, NULL);
	config.slot = 1;
	check_refused(&config, -EBUSY, "near0 already has an XDP program (id ");
	/* The first one did not notice. */
	port_lab_passage(0, 0, 3);
}
END_TEST

/* All to the kernel. */
static int
load_foreign(void)
{
	static const struct bpf_insn pass[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	int program =
	    bpf_prog_load(BPF_PROG_TYPE_XDP, "somebody", "GPL", pass, 2, NULL);

	ck_assert_int_ge(program, 0);
	return program;
}

START_TEST(a_foreign_program_is_refused)
{
	struct lp_port_config config = port_lab_config(0);
	int ifindex = (int)if_nametoindex("near0");
	int program = load_foreign();

	ck_assert_int_eq(bpf_xdp_attach(ifindex, program, 0, NULL), 0);
	check_refused(&config, -EBUSY, "near0 already has an XDP program (id ");
	ck_assert_int_eq(bpf_xdp_detach(ifindex, 0, NULL), 0);
	/* In the other mode it is in the way as well. */
	ck_assert_int_eq(
	    bpf_xdp_attach(ifindex, program, XDP_FLAGS_SKB_MODE, NULL), 0);
	check_refused(
	    &config, -EEXIST, "near0 already has an XDP program (id ");
	close(program);
}
END_TEST

START_TEST(a_pool_that_is_promised_away_is_refused)
{
	struct lp_port_config config = port_lab_config(0);
	struct lp_port *ports[LP_PORTS_MAX];
	int count = 0, error;

	for (;;) {
		veth_run(
		    "ip link add v%d type veth peer name w%d", count, count);
		snprintf(config.object.device, sizeof(config.object.device),
		    "v%d", count);
		config.slot = (uint8_t)count;
		error = ops->open(&ports[count], &config, port_lab.why);
		if (error != 0)
			break;
		count++;
		ck_assert_int_lt(count, LP_PORTS_MAX);
	}
	ck_assert_int_ge(count, 8);
	ck_assert_int_eq(error, -ENOSPC);
	ck_assert(strstr(port_lab.why, "more buffers") != NULL);
	while (count-- > 0)
		ops->close(ports[count]);
}
END_TEST

START_TEST(a_device_that_is_down_is_opened_and_says_so)
{
	struct lp_port_link link;

	veth_run("ip link set near0 down");
	port_lab_open(0, NULL);
	ops->link(port_lab.ports[0], &link);
	ck_assert(link.present);
	ck_assert(!link.up);
	ck_assert_str_eq(link.why, "device is down: ip link set near0 up");
	ck_assert_uint_eq(link.speed_mbps, 0);
	veth_run("ip link set near0 up");
	veth_await_up("near0");
	veth_await_up("far0");
	ops->link(port_lab.ports[0], &link);
	ck_assert(link.up);
	ck_assert_str_eq(link.mode, "copy");
	ck_assert_str_eq(link.why, "copy mode: driver veth has no zero copy");
	ck_assert_uint_eq(link.mtu, 1500);
	/* What veth says of itself. */
	ck_assert_str_eq(link.driver, "veth");
	ck_assert_uint_eq(link.speed_mbps, 10000);
	ck_assert_int_lt(link.numa_node, 0);
	ck_assert_str_eq(link.offloads, "");
	port_lab_passage(0, 0, 1);
}
END_TEST

START_TEST(a_driver_without_xdp_is_served_generically)
{
	struct lp_port_config config = port_lab_config(0);
	struct lp_port_link link;

	veth_run("ip link add plain0 type bridge && "
		 "ip link set plain0 up");
	strcpy(config.object.device, "plain0");
	ck_assert_int_eq(
	    ops->open(&port_lab.ports[0], &config, port_lab.why), 0);
	ops->link(port_lab.ports[0], &link);
	ck_assert_str_eq(link.mode, "generic copy");
	ck_assert(
	    strstr(link.why, "driver bridge takes no native XDP") != NULL);
	ck_assert_str_eq(link.driver, "bridge");
}
END_TEST

/* It would lose frames that nobody would count. */
START_TEST(a_driver_that_cannot_pass_frames_on_is_no_inline_port)
{
	struct lp_port_config config = port_lab_config(0);

	strcpy(config.object.peer, "right");
	config.object.address_count = 0;
	check_refused(&config, -EOPNOTSUPP,
	    "near0: driver veth does not send what XDP redirects to it");
	veth_run("ethtool -K far0 gro on");
	ck_assert_int_eq(
	    ops->open(&port_lab.ports[0], &config, port_lab.why), 0);
	veth_run("ip link add plain0 type bridge && ip link set plain0 up");
	strcpy(config.object.device, "plain0");
	config.slot = 1;
	check_refused(&config, -EOPNOTSUPP,
	    "plain0: driver bridge takes no native XDP program");
	/* Added before: better some frames than none. */
	config.known = true;
	ck_assert_int_eq(
	    ops->open(&port_lab.ports[1], &config, port_lab.why), 0);
}
END_TEST

START_TEST(a_vanished_device_neither_crashes_nor_spins)
{
	struct lp_port_link link;
	struct lp_pkt pkt, *one = &pkt;
	int fds[LP_PORT_QUEUES_MAX];
	unsigned i;

	port_lab_open(0, &port_lab.keep);
	port_lab_passage(0, 0, 1);
	ck_assert(ops->alloc(port_lab.pool, &pkt));
	pkt.len = 64;
	ck_assert_uint_eq(ops->tx(port_lab.ports[0], &one, 1), 1);
	veth_run("ip link del near0");
	for (i = 0; i < 100; i++) {
		ops->flush(port_lab.ports[0]);
		ck_assert_uint_eq(ops->rx(port_lab.ports[0], &pkt, 1), 0);
	}
	/* Nothing to poll: the worker sleeps. */
	ck_assert_uint_eq(ops->fds(port_lab.ports[0], fds, 64), 0);
	ops->link(port_lab.ports[0], &link);
	ck_assert(!link.present);
	ck_assert(!link.up);
	ck_assert_str_eq(link.why, "device near0 is gone");
	ck_assert(ops->alloc(port_lab.pool, &pkt));
	ck_assert_uint_eq(ops->tx(port_lab.ports[0], &one, 1), 0);
	port_lab_release(&pkt);
	port_lab_close(0);

	/* Another device of that name is another device. */
	veth_run("ip link add near0 type veth peer name far0 && "
		 "ip link set near0 up && ip link set far0 up");
	close(port_lab.wires[0]);
	veth_await_up("far0");
	port_lab.wires[0] = veth_socket("far0");
	port_lab_open(0, &port_lab.keep);
	port_lab_passage(0, 0, 2);
}
END_TEST

/* The program on the device: 0 if there is none. */
static uint32_t
program_on(const char *device)
{
	uint32_t id = 0;

	ck_assert_int_eq(
	    bpf_xdp_query_id((int)if_nametoindex(device), 0, &id), 0);
	return id;
}

START_TEST(close_takes_the_program_away)
{
	port_lab_open(0, &port_lab.keep);
	ck_assert_uint_ne(program_on("near0"), 0);
	ck_assert_int_ge(lp_keep_get(&port_lab.keep, "link:near0"), 0);
	port_lab_close(0);
	ck_assert_uint_eq(program_on("near0"), 0);
	ck_assert_int_eq(lp_keep_get(&port_lab.keep, "link:near0"), -ENOENT);
}
END_TEST

/* Takes a descriptor that the child put into its keep. */
static void
take_kept(int from)
{
	char name[LP_KEEP_NAME_SIZE], space[CMSG_SPACE(sizeof(int))];
	struct iovec text = {name, sizeof(name)};
	struct msghdr message = {
	    .msg_iov = &text,
	    .msg_iovlen = 1,
	    .msg_control = space,
	    .msg_controllen = sizeof(space),
	};
	int fd;

	ck_assert_int_gt(recvmsg(from, &message, 0), 0);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	ck_assert_int_eq(lp_keep_put(&port_lab.keep, name, fd), 0);
	close(fd);
}

static uint32_t
link_id(void)
{
	int fd = lp_keep_get(&port_lab.keep, "link:near0");
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	close(fd);
	return info.id;
}

/* A process opens the port and is killed; this one takes its link up. */
START_TEST(a_successor_takes_up_the_link)
{
	int pair[2], status;
	uint32_t link, program;
	pid_t child;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		port_lab.keep.to = pair[1];
		port_lab_open(0, &port_lab.keep);
		port_lab_passage(0, 0, 1);
		kill(getpid(), SIGKILL);
	}
	take_kept(pair[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* The program has outlived it. */
	link = link_id();
	program = program_on("near0");
	ck_assert_uint_ne(program, 0);

	port_lab_open_pool();
	port_lab_open(0, &port_lab.keep);
	ck_assert_uint_eq(link_id(), link);
	ck_assert_uint_ne(program_on("near0"), program);
	port_lab_passage(0, 0, 2);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* A failure after the attachment leaves what was there before. */
START_TEST(a_failed_open_leaves_no_program)
{
	struct lp_port_config config = port_lab_config(0);
	struct rlimit before, few;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){8, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ck_assert_int_ne(
	    ops->open(&port_lab.ports[0], &config, port_lab.why), 0);
	port_lab.ports[0] = NULL;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_uint_eq(program_on("near0"), 0);
	port_lab_open(0, NULL);
	port_lab_passage(0, 0, 1);
}
END_TEST

static unsigned
groups_joined(const char *device)
{
	char line[256], name[IF_NAMESIZE], group[33];
	FILE *list = fopen("/proc/thread-self/net/igmp6", "r");
	unsigned count = 0;

	while (fgets(line, sizeof(line), list) != NULL)
		if (sscanf(line, "%*d %15s %32s", name, group) == 2 &&
		    strcmp(name, device) == 0 &&
		    strncmp(group, "ff0200000000000000000001ff00000", 31) == 0)
			count++;
	fclose(list);
	return count;
}

START_TEST(groups_of_our_v6_addresses_are_joined_and_left)
{
	struct lp_ip both[] = {port_lab_ip("2001:db8::1"),
	    port_lab_ip("2001:db8:1::1"), port_lab_ip("2001:db8::2"),
	    port_lab_ip("10.0.0.1")};
	struct lp_steer whole = {.addresses = both, .address_count = 4};

	port_lab_open(0, NULL);
	ck_assert_int_eq(
	    ops->steer(port_lab.ports[0], &whole, port_lab.why), 0);
	ck_assert_uint_eq(groups_joined("near0"), 2);
	whole.address_count = 2;
	ck_assert_int_eq(
	    ops->steer(port_lab.ports[0], &whole, port_lab.why), 0);
	ck_assert_uint_eq(groups_joined("near0"), 1);
	port_lab_close(0);
	ck_assert_uint_eq(groups_joined("near0"), 0);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, open_and_close_leave_nothing_behind);
	tcase_add_test(tcase, a_device_that_does_not_exist_is_refused);
	tcase_add_test(tcase, a_device_without_ethernet_is_refused);
	tcase_add_test(tcase, a_large_mtu_is_refused_with_both_numbers);
	tcase_add_test(tcase, the_device_of_the_default_route_is_refused);
	tcase_add_test(tcase, the_device_of_the_default_v6_route_is_refused);
	tcase_add_test(tcase, what_the_kernel_uses_is_no_inline_port);
	tcase_add_test(tcase, an_address_that_the_kernel_holds_is_refused);
	tcase_add_test(tcase, addresses_of_the_host_are_listed);
	tcase_add_test(
	    tcase, an_open_port_loses_its_leave_for_the_default_route);
	tcase_add_test(tcase, a_second_port_on_a_device_is_refused);
	tcase_add_test(tcase, a_foreign_program_is_refused);
	tcase_add_test(tcase, a_pool_that_is_promised_away_is_refused);
	tcase_add_test(tcase, a_device_that_is_down_is_opened_and_says_so);
	tcase_add_test(tcase, a_driver_without_xdp_is_served_generically);
	tcase_add_test(
	    tcase, a_driver_that_cannot_pass_frames_on_is_no_inline_port);
	tcase_add_test(tcase, a_vanished_device_neither_crashes_nor_spins);
	tcase_add_test(tcase, close_takes_the_program_away);
	tcase_add_test(tcase, a_successor_takes_up_the_link);
	tcase_add_test(tcase, a_failed_open_leaves_no_program);
	tcase_add_test(tcase, groups_of_our_v6_addresses_are_joined_and_left);
}

int
main(void)
{
	return port_lab_main("port_xdp_life", add);
}
