/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports and their worker over DPDK: a dataplane without its control socket.
 *
 *	far0 ──veth── near0 ── net_af_packet0 ── port "front", 10.9.0.10
 */
#include <errno.h>
#include <net/ethernet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "dataplane/ports.h"
#include "dataplane/region.h"
#include "dataplane/worker.h"
#include "tests/dataplane/cold.h"
#include "tests/dataplane/dpdk_lab.h"

static const struct lp_backend_ops *const ops = &lp_port_dpdk_ops;
static const struct lp_options options = {
    .buffers = DPDK_LAB_BUFFERS,
    .dpdk = "--no-huge -m 128",
};

static struct lp_config config;
static struct lp_region region;
static struct lp_ports ports;
static struct lp_snapshot_cell cell;
static struct lp_worker *worker;
static struct lp_refusal refusal;
static int wire;

static void
add_port(uint32_t id, const char *name, unsigned backend, const char *device)
{
	struct lp_object object = make_port(id, name, LP_SIDE_BOTH,
	    id == FRONT ? "10.9.0.10/24" : "10.8.0.10/24", NULL, NULL);

	object.port.backend = (uint8_t)backend;
	strcpy(object.port.device, device);
	put(&config, object);
}

static void
setup(void)
{
	dpdk_lab_enter();
	dpdk_lab_veth(0);
	wire = veth_socket("far0");
	lp_config_init(&config);
	ck_assert_int_eq(
	    lp_region_open(&region, NULL, 64, DPDK_LAB_BUFFERS), 0);
	lp_ports_init(&ports, NULL, region.ledger, &options);
}

static void
teardown(void)
{
	uint32_t left = DPDK_LAB_BUFFERS;

	lp_worker_free(worker);
	lp_snapshot_publish(&cell, NULL);
	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		if (ports.slots[i].port != NULL) {
			ports.ops->close(ports.slots[i].port);
			ports.slots[i].port = NULL;
		}
	/* Whatever a test did: no buffer is lost. */
	if (ports.pool != NULL && ports.ops == ops)
		left = ops->free_count(ports.pool);
	lp_ports_fini(&ports);
	lp_region_close(&region);
	lp_config_fini(&config);
	close(wire);
	dpdk_lab_leave();
	ck_assert_uint_eq(left, DPDK_LAB_BUFFERS);
}

static void
start_worker(bool spin)
{
	const struct lp_worker_config setup_of = {
	    .cell = &cell,
	    .region = &region,
	    .backend = ports.ops,
	    .pool = ports.pool,
	    .spin = spin,
	    .spin_us = 50,
	    .cpu = -1,
	};

	ck_assert_int_eq(lp_worker_new(&worker, &setup_of), 0);
}

static bool
is_reclaimed(void *unused)
{
	(void)unused;
	lp_worker_wake(worker);
	return lp_ports_reclaim(&ports, lp_worker_pipeline(worker));
}

/* As lp_apply_candidate() does. */
static void
apply(void)
{
	static uint64_t generation;
	struct lp_open_ports open;
	struct lp_snapshot *next;

	ck_assert_msg(lp_ports_prepare(&ports, &config, &refusal) == 0, "%s",
	    refusal.why);
	if (worker == NULL)
		start_worker(false);
	lp_ports_fill(&ports, &config, &open);
	ck_assert_int_eq(
	    lp_snapshot_build(&next, &config, &open, &region, NULL), 0);
	next->generation = ++generation;
	lp_snapshot_publish(&cell, next);
	lp_worker_wake(worker);
	lp_ports_commit(&ports, &config);
	cold_wait(is_reclaimed, NULL, "reclaim");
}

static void
send_arp(void)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t arp[] = {0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1,
	    10, 9, 0, 1, 0, 0, 0, 0, 0, 0, 10, 9, 0, 10};
	uint8_t frame[60];

	dpdk_lab_frame(frame, all, ETH_P_ARP, sizeof(frame), 0);
	memcpy(frame + 14, arp, sizeof(arp));
	ck_assert_int_eq(send(wire, frame, sizeof(frame), 0), sizeof(frame));
}

/* The next answer to it: a reply to an address of the port. */
static void
check_answer(void)
{
	static uint8_t frame[DPDK_LAB_FRAME_MAX];

	do
		ck_assert_uint_gt(dpdk_lab_receive(wire, ETH_P_ARP, frame), 0);
	while (frame[21] != 2);
	ck_assert_int_eq(memcmp(frame + 28, "\x0a\x09\x00\x0a", 4), 0);
}

START_TEST(an_idle_worker_naps_and_wakes_for_packets)
{
	uint64_t sleeps;

	add_port(FRONT, "front", LP_BACKEND_DPDK, "net_af_packet0,iface=near0");
	apply();
	for (int i = 0; i < 20; i++) {
		sleeps = lp_count_get(&region.stats->sleeps);
		/* Nobody wakes it: it looks again by itself. */
		while (lp_count_get(&region.stats->sleeps) < sleeps + 2)
			;
		send_arp();
		check_answer();
	}
	ck_assert_uint_gt(lp_count_get(&region.stats->sleep_ns), 0);
}
END_TEST

START_TEST(a_worker_stops_at_once)
{
	uint64_t began_ns;

	add_port(FRONT, "front", LP_BACKEND_DPDK, "net_af_packet0,iface=near0");
	apply();
	for (int i = 0; i < 20; i++) {
		began_ns = lp_clock_ns();
		lp_worker_free(worker);
		worker = NULL;
		ck_assert_uint_lt(lp_clock_ns() - began_ns, 5000000000);
		start_worker(i & 1);
	}
	send_arp();
	check_answer();
}
END_TEST

static void *
come_and_go(void *pool)
{
	struct lp_pkt pkts[8], *one;

	ck_assert_int_eq(ops->enter(pool), 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert(ops->alloc(pool, &pkts[i]));
	for (unsigned i = 0; i < 8; i++) {
		one = &pkts[i];
		ops->release(pool, &one, 1);
	}
	ops->leave(pool);
	return NULL;
}

/* DPDK has room for 128 threads. */
START_TEST(threads_come_and_go_and_take_no_buffer_with_them)
{
	pthread_t thread;

	add_port(FRONT, "front", LP_BACKEND_DPDK, "net_ring0");
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), 0);
	for (int i = 0; i < 300; i++) {
		ck_assert_int_eq(
		    pthread_create(&thread, NULL, come_and_go, ports.pool), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_uint_eq(
		    ops->free_count(ports.pool), DPDK_LAB_BUFFERS);
	}
}
END_TEST

static void
check_mixture(unsigned first, const char *first_device, unsigned second,
    const char *second_device, const char *words)
{
	struct lp_open_ports open;

	add_port(FRONT, "front", first, first_device);
	ck_assert_msg(lp_ports_prepare(&ports, &config, &refusal) == 0, "%s",
	    refusal.why);
	lp_ports_commit(&ports, &config);
	add_port(BACK, "back", second, second_device);
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), -EINVAL);
	ck_assert_uint_eq(refusal.object_id, BACK);
	ck_assert_str_eq(refusal.field, "backend");
	ck_assert_ptr_nonnull(strstr(refusal.why, words));
	lp_ports_cancel(&ports, true);
	/* The first is still there. */
	lp_ports_fill(&ports, &config, &open);
	ck_assert_ptr_nonnull(open.port[0]);
}

START_TEST(af_xdp_beside_dpdk_is_refused)
{
	if (lp_port_backend(LP_BACKEND_AF_XDP) == NULL)
		return;
	dpdk_lab_veth(1);
	check_mixture(LP_BACKEND_DPDK, "net_af_packet0,iface=near0",
	    LP_BACKEND_AF_XDP, "near1", "af_xdp beside dpdk");
}
END_TEST

START_TEST(dpdk_beside_af_xdp_is_refused)
{
	if (lp_port_backend(LP_BACKEND_AF_XDP) == NULL)
		return;
	dpdk_lab_veth(1);
	check_mixture(LP_BACKEND_AF_XDP, "near1", LP_BACKEND_DPDK,
	    "net_af_packet0,iface=near0", "dpdk beside af_xdp");
}
END_TEST

START_TEST(a_refused_first_port_leaves_the_choice_of_back_end)
{
	add_port(FRONT, "front", LP_BACKEND_DPDK, "net_af_packet0,iface=nope");
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(
		    lp_ports_prepare(&ports, &config, &refusal), -EINVAL);
		ck_assert_str_eq(refusal.field, "device");
		ck_assert_ptr_nonnull(strstr(refusal.why, "No such device"));
		lp_ports_cancel(&ports, false);
		ck_assert_ptr_null(ports.ops);
	}
	add_port(FRONT, "front", LP_BACKEND_MEMORY, "m-front");
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), 0);
}
END_TEST

START_TEST(an_mtu_that_no_buffer_holds_is_refused_by_its_field)
{
	struct lp_object object;

	add_port(FRONT, "front", LP_BACKEND_DPDK, "net_af_packet0,iface=near0");
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), 0);
	lp_ports_commit(&ports, &config);
	object = *lp_config_find(&config, LP_OBJECT_PORT, FRONT);
	object.port.mtu = 9000;
	put(&config, object);
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), -EINVAL);
	ck_assert_str_eq(refusal.field, "mtu");
	ck_assert_ptr_nonnull(strstr(refusal.why, "--mtu 9000"));
	object.port.mtu = 1400;
	put(&config, object);
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), 0);
	lp_ports_commit(&ports, &config);
	/* Which the next snapshot is to have. */
	ck_assert(lp_ports_watch(&ports));
	ck_assert_uint_eq(ports.slots[0].port->mtu, 1400);
}
END_TEST

/* The host's default route comes, one of its addresses, and an MTU. */
START_TEST(only_what_changes_of_a_port_is_asked_about)
{
	struct lp_object object;

	add_port(FRONT, "front", LP_BACKEND_DPDK, "net_af_packet0,iface=near0");
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), 0);
	lp_ports_commit(&ports, &config);
	veth_run("ip addr add 10.9.0.10/24 dev near0 && "
		 "ip route add default via 10.9.0.1");
	object = *lp_config_find(&config, LP_OBJECT_PORT, FRONT);
	object.port.mtu = 1400;
	put(&config, object);
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), 0);
	lp_ports_commit(&ports, &config);
	object.port.mtu = 0;
	put(&config, object);
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), 0);
	lp_ports_commit(&ports, &config);
	/* That fits no buffer, and is none of ours. */
	veth_run("ip link set near0 mtu 9000");
	object.port.allow_default_route = true;
	put(&config, object);
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), 0);
	lp_ports_commit(&ports, &config);
	/* Both are refused: it is the first of them that is named. */
	object.port.mtu = 9000;
	object.port.allow_default_route = false;
	put(&config, object);
	ck_assert_int_eq(lp_ports_prepare(&ports, &config, &refusal), -EINVAL);
	ck_assert_str_eq(refusal.field, "allow_default_route");
	ck_assert_ptr_nonnull(strstr(refusal.why, "default IPv4 route"));
}
END_TEST

START_TEST(a_device_that_is_gone_is_opened_again)
{
	add_port(FRONT, "front", LP_BACKEND_DPDK, "net_af_packet0,iface=near0");
	apply();
	ck_assert(!lp_ports_watch(&ports));
	veth_run("ip link del near0");
	ck_assert(lp_ports_watch(&ports));
	ck_assert_str_eq(ports.slots[0].why, "device near0 is gone");
	apply();
	lp_ports_close_gone(&ports);
	cold_wait(is_reclaimed, NULL, "reclaim");
	ck_assert(!lp_ports_watch(&ports));
	ck_assert_ptr_nonnull(strstr(ports.slots[0].why, "No such device"));
	close(wire);
	dpdk_lab_veth(0);
	wire = veth_socket("far0");
	ck_assert(lp_ports_watch(&ports));
	apply();
	send_arp();
	check_answer();
}
END_TEST

static atomic_bool is_over;

/* Sends to all, as fast as it can. */
static void *
flood(void *unused)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t frame[60];

	(void)unused;
	dpdk_lab_frame(frame, all, ETH_P_IP, sizeof(frame), 0);
	while (!atomic_load(&is_over))
		(void)!send(wire, frame, sizeof(frame), 0);
	return NULL;
}

START_TEST(a_port_is_closed_and_opened_under_traffic)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, flood, NULL), 0);
	for (int i = 0; i < 20; i++) {
		uint64_t packets;

		add_port(FRONT, "front", LP_BACKEND_DPDK,
		    i & 1 ? "net_af_packet1,iface=near0"
			  : "net_af_packet0,iface=near0");
		apply();
		packets = dpdk_lab_counter(ports.slots[0].port, "rx_packets");
		while (dpdk_lab_counter(ports.slots[0].port, "rx_packets") <
		    packets + 100)
			lp_worker_wake(worker);
		ck_assert_int_eq(
		    lp_config_remove(&config, LP_OBJECT_PORT, FRONT), 0);
		apply();
		ck_assert_ptr_null(ports.slots[0].port);
	}
	atomic_store(&is_over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_idle_worker_naps_and_wakes_for_packets);
	tcase_add_test(tcase, a_worker_stops_at_once);
	tcase_add_test(tcase, threads_come_and_go_and_take_no_buffer_with_them);
	tcase_add_test(tcase, af_xdp_beside_dpdk_is_refused);
	tcase_add_test(tcase, dpdk_beside_af_xdp_is_refused);
	tcase_add_test(
	    tcase, a_refused_first_port_leaves_the_choice_of_back_end);
	tcase_add_test(
	    tcase, an_mtu_that_no_buffer_holds_is_refused_by_its_field);
	tcase_add_test(tcase, only_what_changes_of_a_port_is_asked_about);
	tcase_add_test(tcase, a_device_that_is_gone_is_opened_again);
	tcase_add_test(tcase, a_port_is_closed_and_opened_under_traffic);
}

int
main(void)
{
	return dpdk_lab_main_bare("ports_dpdk", add);
}
