/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to connections and packets over time, and when things go. */
#include "dataplane/pipeline/pipeline.h"

#include <check.h>
#include <stdio.h>

#include "dataplane/port/port_memory.h"
#include "tests/proto/objects.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

/* The four ends: to and from us on both sides. */
#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_B4 "tcp 10.8.0.10:$ > 10.8.0.20:9092 "
#define TO_C4 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "

enum { CONNECTIONS = LP_CONNECTIONS_MIN };

static void
setup(void)
{
	plane_open(CONNECTIONS);
	plane_run();
}

/* Client 10.9.0.50:40000 to broker 0, established. */
static const struct plane_row opening[] = {
    {PLANE_IN, 0, C4 "S seq=1000 mss=1460 ws=7"},
    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1000 ws=7"},
    {PLANE_IN, 1, B4 "SA seq=5000 ack=1001 mss=1460 ws=8"},
    {PLANE_OUT, 0, TO_C4 "SA seq=5000 ack=1001 ws=8"},
    {PLANE_IN, 0, C4 "A seq=1001 ack=5001"},
    {PLANE_OUT, 1, TO_B4 "A seq=1001 ack=5001"},
};

START_TEST(an_established_connection_outlives_idleness_by_the_standard)
{
	PLANE_ROWS(opening);
	plane_wait_ms(7400 * 1000);
	plane_quiet();
	plane_in(1, B4 "A seq=5001 ack=1001");
	plane_expect(0, TO_C4 "A");
	plane_wait_ms(7439 * 1000);
	ck_assert_uint_eq(plane_connections(), 1);
	plane_wait_ms(3000);
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->expired), 1);
	/* Both ends are told, exactly. */
	plane_expect(0, TO_C4 "R seq=5001");
	plane_expect(1, TO_B4 "R seq=1001");
	plane_quiet();
}
END_TEST

START_TEST(a_port_in_quarantine_is_not_given_again)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1, B4 "FA seq=5001 ack=1001"},
	    {PLANE_OUT, 0, TO_C4 "FA"},
	    {PLANE_IN, 0, C4 "FA seq=1001 ack=5002"},
	    {PLANE_OUT, 1, TO_B4 "FA"},
	    {PLANE_IN, 1, B4 "A seq=5002 ack=1002"},
	    {PLANE_OUT, 0, TO_C4 "A"},
	    {PLANE_STATE, 0, "TIME-WAIT"},
	    {PLANE_WAIT_MS, 0, "59000"},
	    {PLANE_STATE, 0, "TIME-WAIT"},
	};

	PLANE_ROWS(opening);
	PLANE_ROWS(rows);
	plane_wait_ms(3000);
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

START_TEST(a_half_open_connection_has_30_seconds)
{
	plane_in(0, C4 "S seq=1000");
	plane_expect(1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S");
	plane_wait_ms(30 * 1000);
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 1);
	plane_wait_ms(2000);
	ck_assert_uint_eq(plane_connections(), 0);
	plane_expect(0, TO_C4 "RA seq=0 ack=1001");
	plane_expect(1, TO_B4 "R seq=1001");
	plane_quiet();
}
END_TEST

START_TEST(a_process_that_was_killed_goes_on_with_its_connections)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=100"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 ack=5001 len=100"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=1101"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=1101"},
	};
	struct lp_conn *conn;

	PLANE_ROWS(opening);
	plane_restart();
	PLANE_ROWS(rows);
	/* Killed in the middle of a change. */
	conn = plane_connection(0);
	lp_region_begin(
	    &plane.region, (uint32_t)(conn - plane.region.connections));
	memset(conn, 0xff, LP_CONN_CHANGING);
	plane_restart();
	PLANE_ROWS(rows);
	/* Its port is taken still. */
	plane_in(0, "tcp 10.9.0.50:40001 > 10.9.0.100:9100 S");
	ck_assert(plane_take(1));
	ck_assert_uint_ne(
	    plane_connection(0)->source_port, plane_connection(1)->source_port);
}
END_TEST

START_TEST(without_a_snapshot_packets_wait_and_nothing_is_answered)
{
	struct lp_config config;

	plane_close();
	plane_config(&config);
	plane_open_with(CONNECTIONS, &config);
	plane_port(0, FRONT, "");
	plane_port(1, BACK, "");
	plane_queue(0, C4 "A seq=1");
	plane_run();
	plane_quiet();
	plane_publish();
	plane_run();
	plane_expect(0, TO_C4 "R seq=0");
}
END_TEST

/* So many wait for room in a port that is full (queue.h), and no more. */
START_TEST(a_full_transmit_ring_drops_and_counts)
{
	const unsigned wait = LP_BUFFERS_MIN / LP_QUEUE_BUFFERS / 2 * 12 / 16;
	char text[100];

	PLANE_ROWS(opening);
	for (unsigned i = 0; i < 8; i++)
		plane_queue(0, C4 "A seq=1001 ack=5001 len=1");
	/* As the worker does, but nobody takes what was sent. */
	for (unsigned i = 0; i < LP_PORT_MEMORY_RING + wait + 40; i++) {
		snprintf(text, sizeof(text), C4 "A seq=1001 ack=5001 len=%u",
		    1 + i % 9);
		plane_queue(0, text);
		lp_pipeline_run(plane.pipeline, plane.now_ns);
		plane_check();
	}
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 48);
	plane_run();
	plane_forget();
	plane_in(0, C4 "A seq=1001 ack=5001 len=1");
	plane_expect(1, TO_B4 "A len=1");
}
END_TEST

START_TEST(without_buffers_packets_wait_in_their_ring)
{
	static struct lp_pkt taken[LP_BUFFERS_MIN];
	unsigned count = 0;

	PLANE_ROWS(opening);
	while (lp_port_memory_ops.alloc(plane.pool, &taken[count]))
		count++;
	plane_queue(0, C4 "A seq=1001 ack=5001 len=9");
	plane_run();
	plane_quiet();
	/* Nothing can be made either: it expires without a word. */
	for (unsigned i = 0; i < count; i++) {
		struct lp_pkt *pkt = &taken[i];

		lp_port_memory_ops.release(plane.pool, &pkt, 1);
	}
	plane_run();
	plane_expect(1, TO_B4 "A len=9");
	count = 0;
	while (lp_port_memory_ops.alloc(plane.pool, &taken[count]))
		count++;
	plane_wait_ms(7500 * 1000);
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_gt(lp_count_get(&plane.region.stats->dropped_made), 0);
	for (unsigned i = 0; i < count; i++) {
		struct lp_pkt *pkt = &taken[i];

		lp_port_memory_ops.release(plane.pool, &pkt, 1);
	}
}
END_TEST

START_TEST(ports_under_load_are_served_alike)
{
	uint64_t before[2], after[2];
	struct lp_port_counter counter;

	PLANE_ROWS(opening);
	for (unsigned turn = 0; turn < 64; turn++) {
		struct packet packet;

		packet_build(
		    &packet, "tcp 10.9.0.51:1 > 10.9.0.77:9100 A seq=1 len=1");
		for (unsigned slot = 0; slot < 2; slot++) {
			while (lp_port_memory_inject(
			    plane.wires[slot], packet.bytes, packet.len))
				continue;
			lp_port_memory_ops.counters(
			    plane.wires[slot], &counter, 1);
			if (turn == 0)
				before[slot] = counter.value;
			after[slot] = counter.value - before[slot];
		}
		lp_pipeline_run(plane.pipeline, plane.now_ns);
	}
	ck_assert_uint_gt(after[0], 900);
	ck_assert_uint_le(after[0], after[1] + LP_BATCH_MAX);
	ck_assert_uint_le(after[1], after[0] + LP_BATCH_MAX);
	plane_run();
}
END_TEST

static const char *const three[] = {"tcp 10.9.0.50:40001 > 10.9.0.100:9101 ",
    "tcp 10.9.0.50:40002 > 10.9.0.101:9100 ",
    "tcp [2001:db8:9::50]:40003 > [2001:db8:9::100]:9101 "};

/* Those of `opening`, and half-open ones to broker 1, legacy, and orders. */
static void
open_four(void)
{
	PLANE_ROWS(opening);
	for (unsigned i = 0; i < 3; i++) {
		char text[200];

		snprintf(text, sizeof(text), "%sS seq=70", three[i]);
		plane_in(0, text);
		ck_assert(plane_take(1));
	}
	ck_assert_uint_eq(plane_connections(), 4);
}

START_TEST(a_broker_that_goes_takes_its_connections_only)
{
	open_four();
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, LEGACY_0);
	lp_config_remove(&plane.config, LP_OBJECT_BROKER, PAYMENTS_0);
	plane_publish();
	plane_run();
	plane_expect(0, TO_C4 "R seq=5001");
	plane_expect(0, "tcp 10.9.0.101:9100 > 10.9.0.50:40002 RA ack=71");
	plane_expect(1, TO_B4 "R seq=1001");
	plane_expect(1, "tcp 10.9.0.50:40002 > 10.8.0.20:9092 R seq=71");
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 2);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->removed), 2);
	/* What comes after is a stranger's. */
	plane_in(0, C4 "A seq=1001 ack=5001");
	plane_expect(0, TO_C4 "R seq=5001");
	plane_in(1, B4 "A seq=5001 ack=1001");
	plane_expect(1, TO_B4 "R seq=1001");
	/* The others go on. */
	plane_in(0, "tcp 10.9.0.50:40001 > 10.9.0.100:9101 S seq=70");
	plane_expect(1, "tcp 10.8.0.10:* > 10.7.0.21:9092 S seq=70");
	plane_quiet();
}
END_TEST

START_TEST(a_listener_that_goes_takes_its_connections_only)
{
	open_four();
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, LEGACY_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, LEGACY_1);
	lp_config_remove(&plane.config, LP_OBJECT_LISTENER, LEGACY);
	plane_publish();
	plane_run();
	plane_expect(0, "tcp 10.9.0.101:9100 > 10.9.0.50:40002 RA ack=71");
	plane_expect(1, "tcp 10.9.0.50:40002 > 10.8.0.20:9092 R seq=71");
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 3);
	plane_in(0, C4 "A seq=1001 ack=5001 len=5");
	plane_expect(1, TO_B4 "A len=5");
	/* Its address is no longer ours. */
	plane_in(0, "tcp 10.9.0.50:40002 > 10.9.0.101:9100 S seq=70");
	plane_quiet();
}
END_TEST

START_TEST(connections_of_preserved_sources_end_when_they_are_translated)
{
	struct lp_object legacy =
	    *lp_config_find(&plane.config, LP_OBJECT_LISTENER, LEGACY);

	open_four();
	legacy.listener.source_address = LP_SOURCE_TRANSLATE;
	put(&plane.config, legacy);
	plane_publish();
	plane_run();
	plane_expect(0, "tcp 10.9.0.101:9100 > 10.9.0.50:40002 RA ack=71");
	plane_expect(1, "tcp 10.9.0.50:40002 > 10.8.0.20:9092 R seq=71");
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 3);
}
END_TEST

START_TEST(connections_of_a_source_address_that_goes_end)
{
	struct lp_object back =
	    *lp_config_find(&plane.config, LP_OBJECT_PORT, BACK);

	open_four();
	for (unsigned i = 0; i < back.port.address_count; i++)
		if (lp_ip_is_v4(&back.port.addresses[i].ip))
			back.port.addresses[i].ip.bytes[15] += 100;
	put(&plane.config, back);
	plane_publish();
	plane_run();
	while (plane_take(0) || plane_take(1))
		;
	/* That of a preserved source has none of ours. */
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->removed), 2);
	plane_in(0, C4 "A seq=1001 ack=5001");
	plane_expect(0, TO_C4 "R seq=5001");
}
END_TEST

START_TEST(a_change_of_something_else_resets_nobody)
{
	open_four();
	for (unsigned i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "other%u", i);
		put(&plane.config, make_cluster(100 + i, name));
		plane_publish();
		plane_run();
		plane_quiet();
		plane_in(0, C4 "A seq=1001 ack=5001 len=5");
		plane_expect(1, TO_B4 "A len=5");
	}
	ck_assert_uint_eq(plane_connections(), 4);
}
END_TEST

START_TEST(a_new_gateway_is_taken_by_old_connections_too)
{
	struct lp_object back =
	    *lp_config_find(&plane.config, LP_OBJECT_PORT, BACK);

	plane_in(0, "tcp 10.9.0.50:40001 > 10.9.0.100:9101 S seq=70");
	plane_expect(1, "tcp * > 10.7.0.21:9092 S dmac=02:10:00:00:00:01");
	lp_ip_from_v4(&back.port.gateway_v4, (uint8_t[]){10, 8, 0, 2});
	put(&plane.config, back);
	plane_publish();
	plane_run();
	plane_in(0, "tcp 10.9.0.50:40001 > 10.9.0.100:9101 S seq=70");
	plane_expect(1, "tcp * > 10.7.0.21:9092 S dmac=02:10:00:00:00:02");
	plane_quiet();
}
END_TEST

START_TEST(a_port_that_closes_takes_its_packets_along)
{
	struct lp_port *gone;

	PLANE_ROWS(opening);
	gone = plane.ports.port[1];
	plane.ports.port[1] = NULL;
	plane_publish();
	/* In the very first turn. */
	plane_in(0, C4 "A seq=1001 ack=5001 len=5");
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_NO_ROUTE), 1);
	/* Counted as it was: the sums go on. */
	plane.ports.port[1] = gone;
	plane_publish();
	plane_run();
	while (!lp_pipeline_reclaim(plane.pipeline, 5))
		lp_pipeline_run(plane.pipeline, plane.now_ns);
	plane_in(0, C4 "A seq=1001 ack=5001 len=5");
	plane_expect(1, TO_B4 "A len=5");
}
END_TEST

START_TEST(reclaim_is_asked_for_done_and_forgotten)
{
	plane_run();
	ck_assert_int_gt(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 0);
	ck_assert(!lp_pipeline_reclaim(plane.pipeline, 15));
	ck_assert(!lp_pipeline_reclaim(plane.pipeline, 0));
	ck_assert(!lp_pipeline_reclaim(plane.pipeline, 15));
	ck_assert_int_eq(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 0);
	lp_pipeline_run(plane.pipeline, plane.now_ns);
	/* Done, and not yet asked about: no reason to stay awake. */
	ck_assert_int_gt(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 0);
	ck_assert(lp_pipeline_reclaim(plane.pipeline, 15));
	ck_assert(lp_pipeline_reclaim(plane.pipeline, 0));
	ck_assert(!lp_pipeline_reclaim(plane.pipeline, 0));
	lp_pipeline_run(plane.pipeline, plane.now_ns);
	ck_assert(lp_pipeline_reclaim(plane.pipeline, 0));
}
END_TEST

/*
 * What happens when rings are full or empty: a test can only know that of
 * rings that are its own.  And a device has no ring for packets that come
 * before it is told what to steer: they are the kernel's.
 */
static void
add_of_memory(TCase *tests)
{
	tcase_add_test(
	    tests, without_a_snapshot_packets_wait_and_nothing_is_answered);
	tcase_add_test(tests, a_full_transmit_ring_drops_and_counts);
	tcase_add_test(tests, without_buffers_packets_wait_in_their_ring);
	tcase_add_test(tests, ports_under_load_are_served_alike);
}

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_add_test(
	    tests, an_established_connection_outlives_idleness_by_the_standard);
	tcase_add_test(tests, a_port_in_quarantine_is_not_given_again);
	tcase_add_test(tests, a_half_open_connection_has_30_seconds);
	tcase_add_test(
	    tests, a_process_that_was_killed_goes_on_with_its_connections);
	tcase_add_test(tests, a_broker_that_goes_takes_its_connections_only);
	tcase_add_test(tests, a_listener_that_goes_takes_its_connections_only);
	tcase_add_test(tests,
	    connections_of_preserved_sources_end_when_they_are_translated);
	tcase_add_test(tests, connections_of_a_source_address_that_goes_end);
	tcase_add_test(tests, a_change_of_something_else_resets_nobody);
	tcase_add_test(tests, a_new_gateway_is_taken_by_old_connections_too);
	tcase_add_test(tests, a_port_that_closes_takes_its_packets_along);
	tcase_add_test(tests, reclaim_is_asked_for_done_and_forgotten);
	if (plane_on_memory())
		add_of_memory(tests);
}

int
main(void)
{
	return plane_main("pipeline_life", add);
}
