/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/keep.h"
#include "dataplane/port/port_memory.h"

enum { BUFFERS = LP_BUFFERS_MIN };

static const struct lp_backend_ops *const ops = &lp_port_memory_ops;

static uint8_t ledger[BUFFERS];
static struct lp_pool *pool;
static struct lp_port *port;
static char why[LP_WHY_SIZE];

static int
open_port(struct lp_port **out, const char *device)
{
	struct lp_port_config config = {.slot = 3, .pool = pool};

	strcpy(config.object.device, device);
	return ops->open(out, &config, why);
}

static void
setup(void)
{
	struct lp_pool_config config = {
	    .buffer_count = BUFFERS, .ledger = ledger};

	ck_assert_int_eq(ops->pool_open(&pool, &config, why), 0);
	ck_assert_int_eq(
	    open_port(&port, "mem0,mac=02:00:00:00:00:07,mtu=1400"), 0);
}

static void
teardown(void)
{
	ops->close(port);
	ops->reclaim(pool, 3);
	ck_assert_uint_eq(ops->free_count(pool), BUFFERS);
	ops->pool_close(pool);
}

static uint64_t
counter(const char *name)
{
	struct lp_port_counter counters[LP_PORT_COUNTERS_MAX];
	unsigned i, count = ops->counters(port, counters, LP_PORT_COUNTERS_MAX);

	for (i = 0; i < count; i++)
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].value;
	ck_abort_msg("no counter %s", name);
	return 0;
}

START_TEST(options_set_mac_and_mtu)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};
	struct lp_port_link link;

	ck_assert_uint_eq(port->slot, 3);
	ck_assert_uint_eq(port->mtu, 1400);
	ck_assert_int_eq(memcmp(port->mac, mac, 6), 0);
	ops->link(port, &link);
	ck_assert(link.present && link.up);
	ck_assert_uint_eq(link.mtu, 1400);
	ck_assert_str_eq(link.mode, "memory");
	ck_assert_str_eq(link.driver, "");
	ck_assert_str_eq(link.offloads, "");
	ck_assert_int_lt(link.numa_node, 0);
	ck_assert_uint_eq(link.speed_mbps, 0);
	lp_port_memory_link(port, true, false);
	ops->link(port, &link);
	ck_assert(link.present && !link.up);
}
END_TEST

static const char *const wrong[] = {"m,mtu=100", "m,mtu=9000", "m,mtu=1500x",
    "m,mac=1:2:3", "m,colour=red", "m,"};

START_TEST(a_wrong_option_is_refused)
{
	struct lp_port *other;

	ck_assert_int_eq(open_port(&other, wrong[_i]), -EINVAL);
	ck_assert(strstr(why, "no such option") != NULL);
}
END_TEST

START_TEST(what_is_injected_is_received_and_what_is_sent_is_taken)
{
	uint8_t frame[100], back[200];
	struct lp_pkt pkt, *one = &pkt;

	memset(frame, 0x5a, sizeof(frame));
	ck_assert(lp_port_memory_inject(port, frame, sizeof(frame)));
	ck_assert_uint_eq(ops->rx(port, &pkt, 1), 1);
	ck_assert_uint_eq(pkt.len, sizeof(frame));
	ck_assert_uint_eq(pkt.port_in, 3);
	ck_assert_int_eq(memcmp(pkt.data, frame, sizeof(frame)), 0);
	ck_assert_uint_eq(ops->rx(port, &pkt, 1), 0);

	pkt.data += 14;
	pkt.len = 86;
	ck_assert_uint_eq(lp_port_memory_take(port, back, sizeof(back)), 0);
	ck_assert_uint_eq(ops->tx(port, &one, 1), 1);
	ops->flush(port);
	ck_assert_uint_eq(lp_port_memory_take(port, back, sizeof(back)), 86);
	ck_assert_int_eq(memcmp(back, frame, 86), 0);
	ck_assert_uint_eq(counter("rx_bytes"), 100);
	ck_assert_uint_eq(counter("tx_bytes"), 86);
}
END_TEST

START_TEST(a_full_ring_refuses)
{
	struct lp_pkt pkt, *one = &pkt;
	uint8_t frame[60] = {0};
	int i;

	for (i = 0; i < LP_PORT_MEMORY_RING; i++)
		ck_assert(lp_port_memory_inject(port, frame, sizeof(frame)));
	ck_assert(!lp_port_memory_inject(port, frame, sizeof(frame)));
	for (i = 0; i < LP_PORT_MEMORY_RING; i++) {
		ck_assert_uint_eq(ops->rx(port, &pkt, 1), 1);
		ck_assert_uint_eq(ops->tx(port, &one, 1), 1);
	}
	ck_assert(ops->alloc(pool, &pkt));
	ck_assert_uint_eq(ops->tx(port, &one, 1), 0);
	ops->release(pool, &one, 1);
	/* Room again, at the other end of the ring. */
	ck_assert_uint_eq(lp_port_memory_take(port, frame, 60), 60);
	ck_assert(ops->alloc(pool, &pkt));
	ck_assert_uint_eq(ops->tx(port, &one, 1), 1);
}
END_TEST

START_TEST(without_buffers_frames_wait)
{
	static struct lp_pkt pkts[BUFFERS];
	struct lp_pkt pkt, *one;
	uint8_t frame[60] = {0};
	int i;

	for (i = 0; i < BUFFERS; i++)
		ck_assert(ops->alloc(pool, &pkts[i]));
	ck_assert(lp_port_memory_inject(port, frame, sizeof(frame)));
	ck_assert_uint_eq(ops->rx(port, &pkt, 1), 0);
	for (i = 0; i < BUFFERS; i++) {
		one = &pkts[i];
		ops->release(pool, &one, 1);
	}
	ck_assert_uint_eq(ops->rx(port, &pkt, 1), 1);
	one = &pkt;
	ops->release(pool, &one, 1);
}
END_TEST

START_TEST(a_script_is_received_again_and_again)
{
	const uint8_t first[60] = {1}, second[61] = {2};
	const struct lp_port_memory_frame frames[] = {
	    {first, sizeof(first)}, {second, sizeof(second)}};
	struct lp_pkt pkts[LP_BATCH_MAX], *batch[LP_BATCH_MAX];
	unsigned i, round;

	for (i = 0; i < LP_BATCH_MAX; i++)
		batch[i] = &pkts[i];
	lp_port_memory_script(port, frames, 2);
	for (round = 0; round < 1000; round++) {
		ck_assert_uint_eq(
		    ops->rx(port, pkts, LP_BATCH_MAX), LP_BATCH_MAX);
		for (i = 0; i < LP_BATCH_MAX; i++)
			ck_assert_uint_eq(pkts[i].data[0], 1 + i % 2);
		ck_assert_uint_eq(
		    ops->tx(port, batch, LP_BATCH_MAX), LP_BATCH_MAX);
	}
	ck_assert_uint_eq(counter("tx_packets"), 1000 * LP_BATCH_MAX);
	lp_port_memory_script(port, NULL, 0);
	ck_assert_uint_eq(ops->rx(port, pkts, 1), 0);
}
END_TEST

START_TEST(the_last_steering_is_seen)
{
	struct lp_ip ips[2];
	const struct lp_steer steer = {
	    .generation = 9, .addresses = ips, .address_count = 2};
	uint64_t generation;

	ck_assert_int_eq(ops->steer(port, &steer, why), 0);
	ck_assert_uint_eq(lp_port_memory_steered(port, &generation), 2);
	ck_assert_uint_eq(generation, 9);
}
END_TEST

START_TEST(back_ends_are_found_by_kind)
{
	ck_assert_ptr_eq(lp_port_backend(LP_BACKEND_MEMORY), ops);
	ck_assert_ptr_null(lp_port_backend(0));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("port_memory");
	TCase *tcase = tcase_create("port_memory");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, options_set_mac_and_mtu);
	tcase_add_loop_test(tcase, a_wrong_option_is_refused, 0,
	    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(
	    tcase, what_is_injected_is_received_and_what_is_sent_is_taken);
	tcase_add_test(tcase, a_full_ring_refuses);
	tcase_add_test(tcase, without_buffers_frames_wait);
	tcase_add_test(tcase, a_script_is_received_again_and_again);
	tcase_add_test(tcase, the_last_steering_is_seen);
	tcase_add_test(tcase, back_ends_are_found_by_kind);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
