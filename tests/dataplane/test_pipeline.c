/* SPDX-License-Identifier: Apache-2.0 */
/* The whole path: rows of packets in, rows expected out. */
#include "dataplane/pipeline/pipeline.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/port/port_memory.h"
#include "tests/proto/objects.h"
#include "tests/support/plane.h"

/* The four ends: to and from us on both sides, IPv4 and IPv6. */
#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_B4 "tcp 10.8.0.10:$ > 10.8.0.20:9092 "
#define TO_C4 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "
#define C6 "tcp [2001:db8:9::50]:40000 > [2001:db8:9::100]:9101 "
#define B6 "tcp [2001:db8:8::21]:9092 > [2001:db8:8::10]:$ "
#define TO_B6 "tcp [2001:db8:8::10]:$ > [2001:db8:8::21]:9092 "
#define TO_C6 "tcp [2001:db8:9::100]:9101 > [2001:db8:9::50]:40000 "

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

START_TEST(a_connection_lives_from_syn_to_time_wait)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1000 mss=1460 ws=7"},
	    {PLANE_OUT, 1,
		"tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1000 mss=1460 ws=7 "
		"ttl=63 smac=02:00:00:00:00:01 dmac=02:10:00:00:00:14"},
	    {PLANE_REASON, 0, "neighbor_pending"},
	    {PLANE_STATE, 0, "SYN-SENT"},
	    {PLANE_IN, 1, B4 "SA seq=5000 ack=1001 mss=1460 ws=8"},
	    {PLANE_OUT, 0,
		TO_C4 "SA seq=5000 ack=1001 mss=1460 ws=8 ttl=63 "
		      "smac=02:00:00:00:00:00 dmac=02:10:00:00:00:32"},
	    {PLANE_STATE, 0, "SYN-RECEIVED"},
	    {PLANE_IN, 0, C4 "A seq=1001 ack=5001"},
	    {PLANE_OUT, 1, TO_B4 "A seq=1001 ack=5001"},
	    {PLANE_REASON, 0, "forwarded"},
	    {PLANE_STATE, 0, "ESTABLISHED"},
	    {PLANE_IN, 0, C4 "PA seq=1001 ack=5001 len=777"},
	    {PLANE_OUT, 1, TO_B4 "PA seq=1001 ack=5001 len=777"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=1778 len=1400 tos=0x28"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 ack=1778 len=1400"},
	    {PLANE_IN, 0, C4 "FA seq=1778 ack=6401"},
	    {PLANE_OUT, 1, TO_B4 "FA seq=1778 ack=6401"},
	    {PLANE_STATE, 0, "FIN-SENT"},
	    {PLANE_IN, 1, B4 "FA seq=6401 ack=1779"},
	    {PLANE_OUT, 0, TO_C4 "FA seq=6401 ack=1779"},
	    {PLANE_IN, 0, C4 "A seq=1779 ack=6402"},
	    {PLANE_OUT, 1, TO_B4 "A seq=1779 ack=6402"},
	    {PLANE_STATE, 0, "TIME-WAIT"},
	};
	struct lp_conn *conn;

	PLANE_ROWS(rows);
	conn = plane_connection(0);
	ck_assert_uint_eq(conn->packets[LP_TO_BROKER], 5);
	ck_assert_uint_eq(conn->bytes[LP_TO_BROKER], 777);
	ck_assert_uint_eq(conn->packets[LP_TO_CLIENT], 3);
	ck_assert_uint_eq(conn->bytes[LP_TO_CLIENT], 1400);
	/* The client closed first: free soon, without a sound. */
	plane_wait_ms(4000);
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->closed), 1);
}
END_TEST

START_TEST(ipv6_is_the_same)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C6 "S seq=1000 mss=1440 ws=7 ext=hop"},
	    {PLANE_OUT, 1,
		"tcp [2001:db8:8::10]:$* > [2001:db8:8::21]:9092 S seq=1000 "
		"mss=1440 ttl=63 dmac=02:10:00:00:00:21"},
	    {PLANE_IN, 1, B6 "SA seq=5000 ack=1001 mss=1440"},
	    {PLANE_OUT, 0, TO_C6 "SA seq=5000 ack=1001 ttl=63"},
	    {PLANE_IN, 0, C6 "A seq=1001 ack=5001 len=1001"},
	    {PLANE_OUT, 1, TO_B6 "A seq=1001 ack=5001 len=1001"},
	    {PLANE_STATE, 0, "ESTABLISHED"},
	    {PLANE_IN, 1, B6 "RA seq=5001 ack=2002"},
	    {PLANE_OUT, 0, TO_C6 "RA seq=5001 ack=2002"},
	    {PLANE_STATE, 0, "CLOSED"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(a_preserved_source_stays_the_clients)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, "tcp 10.9.0.50:40000 > 10.9.0.101:9100 S seq=1"},
	    {PLANE_OUT, 1, "tcp 10.9.0.50:40000 > 10.8.0.20:9092 S seq=1"},
	    {PLANE_IN, 1,
		"tcp 10.8.0.20:9092 > 10.9.0.50:40000 SA seq=9 ack=2"},
	    {PLANE_OUT, 0, "tcp 10.9.0.101:9100 > 10.9.0.50:40000 SA seq=9"},
	    {PLANE_IN, 0,
		"tcp [2001:db8:9::50]:40000 > [2001:db8:9::101]:9101 S seq=1"},
	    {PLANE_OUT, 1,
		"tcp [2001:db8:9::50]:40000 > [2001:db8:8::21]:9092 S seq=1"},
	    {PLANE_IN, 1,
		"tcp [2001:db8:8::21]:9092 > [2001:db8:9::50]:40000 SA seq=9 "
		"ack=2"},
	    {PLANE_OUT, 0,
		"tcp [2001:db8:9::101]:9101 > [2001:db8:9::50]:40000 SA "
		"seq=9"},
	};

	PLANE_ROWS(rows);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->source_pairs), 0);
}
END_TEST

START_TEST(one_client_port_to_two_preserved_endpoints_gets_another)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, "tcp 10.9.0.50:40000 > 10.9.0.101:9100 S seq=1"},
	    {PLANE_OUT, 1, "tcp 10.9.0.50:40000 > 10.8.0.20:9092 S seq=1"},
	};
	char text[100];

	PLANE_ROWS(rows);
	/* The bootstrap endpoint leads to one of both: use each port once. */
	for (unsigned i = 0; i < 6; i++) {
		snprintf(text, sizeof(text),
		    "tcp 10.9.0.50:%u > 10.9.0.101:9100 S seq=1", 41000 + i);
		plane_in(0, text);
	}
	plane_forget();
	for (unsigned i = 0; i < 6; i++) {
		snprintf(text, sizeof(text),
		    "tcp 10.9.0.50:%u > 10.9.0.101:9092 S seq=1", 41000 + i);
		plane_in(0, text);
	}
	ck_assert_uint_gt(
	    lp_count_get(&plane.region.stats->source_port_moved), 0);
	/* No two towards one broker are alike. */
	for (unsigned i = 0; plane_connection(i); i++)
		for (unsigned j = 0; j < i; j++) {
			const struct lp_conn *a = plane_connection(i);
			const struct lp_conn *b = plane_connection(j);

			ck_assert(a->source_port != b->source_port ||
			    !lp_ip_equal(&a->broker_ip, &b->broker_ip) ||
			    !lp_ip_equal(&a->source_ip, &b->source_ip));
		}
}
END_TEST

START_TEST(odd_frames_are_counted_and_hurt_nobody)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "S seq=1 cut=20"},
	    {PLANE_REASON, 0, "runt"},
	    {PLANE_IN, 0, C4 "S seq=1 vlan=5"},
	    {PLANE_REASON, 0, "vlan"},
	    {PLANE_IN, 0, C4 "S seq=1 badip=4"},
	    {PLANE_REASON, 0, "ip_checksum"},
	    {PLANE_IN, 0, C4 "S seq=1 badsum=4"},
	    {PLANE_REASON, 0, "tcp_checksum"},
	    {PLANE_IN, 0, C4 "S seq=1 frag=0x2000"},
	    {PLANE_REASON, 0, "ip_fragment"},
	    {PLANE_IN, 0, C6 "S seq=1 ext=route"},
	    {PLANE_REASON, 0, "ip_options"},
	    {PLANE_IN, 0, "tcp 10.9.0.50:1 > 10.9.0.77:9100 S"},
	    {PLANE_REASON, 0, "not_ours"},
	    {PLANE_IN, 0, C4 "S ttl=1"},
	    {PLANE_REASON, 0, "ttl"},
	    {PLANE_IN, 0, "tcp 10.9.0.100:1 > 10.9.0.100:9100 S"},
	    {PLANE_REASON, 0, "ip_source"},
	    {PLANE_IN, 0, "tcp 10.8.0.10:1 > 10.9.0.100:9100 S"},
	    {PLANE_REASON, 0, "ip_source"},
	    {PLANE_IN, 0, "icmp 10.9.0.50 > 10.9.0.10"},
	    {PLANE_REASON, 0, "icmp_unknown"},
	    /* The VIP is answered where clients are. */
	    {PLANE_IN, 1, "tcp 10.8.0.20:1 > 10.9.0.100:9100 S"},
	    {PLANE_REASON, 0, "not_ours"},
	    /* IPv4 options pass. */
	    {PLANE_IN, 0, "tcp 10.9.0.50:50 > 10.9.0.100:9100 S seq=1 ipopt=2"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(out_of_window_passes_and_changes_nothing)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "A seq=90000000 ack=5001 len=10"},
	    {PLANE_OUT, 1, TO_B4 "A seq=90000000 ack=5001 len=10"},
	    {PLANE_REASON, 0, "out_of_window"},
	    {PLANE_IN, 0, C4 "R seq=1000"},
	    {PLANE_OUT, 1, TO_B4 "R seq=1000"},
	    {PLANE_REASON, 0, "out_of_window"},
	    {PLANE_STATE, 0, "ESTABLISHED"},
	    {PLANE_IN, 1, B4 "R seq=5001"},
	    {PLANE_OUT, 0, TO_C4 "R seq=5001"},
	    {PLANE_STATE, 0, "CLOSED"},
	};
	uint32_t expires;

	PLANE_ROWS(opening);
	expires = plane_connection(0)->expires_s;
	plane.now_ns += 5000000000ull;
	PLANE_ROWS(rows);
	ck_assert_uint_lt(plane_connection(0)->expires_s, expires);
	plane_wait_ms(4000);
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

START_TEST(a_new_syn_takes_up_the_tuple_of_what_is_over)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, C4 "R seq=1001"},
	    {PLANE_OUT, 1, TO_B4 "R seq=1001"},
	    {PLANE_STATE, 0, "CLOSED"},
	    {PLANE_IN, 0, C4 "S seq=77000"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=77000"},
	    {PLANE_REASON, 0, "opened"},
	    {PLANE_STATE, 0, "SYN-SENT"},
	};
	uint16_t port;

	PLANE_ROWS(opening);
	port = plane.nat;
	PLANE_ROWS(rows);
	ck_assert_uint_eq(plane_connections(), 1);
	/* Not the port that the broker may still know. */
	ck_assert_uint_ne(plane.nat, port);
}
END_TEST

START_TEST(the_mss_is_lowered_to_what_both_ports_carry)
{
	static const struct {
		const char *in, *out;
	} all[] = {
	    {C4 "S mss=8960", "mss=1360"},
	    {C4 "S mss=1361", "mss=1360"},
	    {C4 "S mss=1360", "mss=1360"},
	    {C4 "S mss=536", "mss=536"},
	    {C4 "S nop=1 mss=8960 ws=7", "mss=1360 ws=7"},
	    {C4 "S nop=3 mss=65535 len=3", "mss=1360 len=3"},
	    {C4 "S ws=7 mss=9000", "mss=1360 ws=7"},
	    {C4 "S opts=0402080a0000000100000000010204ffff010101", "mss=1360"},
	    {C4 "S opts=0402080a00000001000000000204ffff", "mss=1360"},
	    {C4 "S", "len=0"},
	};
	struct lp_config config;
	char text[200];

	plane_close();
	plane_config(&config);
	plane_open_with(CONNECTIONS, &config);
	plane_port(0, FRONT, "mtu=1500");
	plane_port(1, BACK, "mtu=1400");
	plane_publish();
	plane_run();
	plane_in(0, all[_i].in);
	snprintf(text, sizeof(text), "tcp 10.8.0.10:$* > 10.8.0.20:9092 S %s",
	    all[_i].out);
	plane_expect(1, text);
	plane_quiet();
	/* The answer too, by the smaller one. */
	plane_in(1, B4 "SA ack=1 mss=1460");
	plane_expect(0, TO_C4 "SA mss=1360");
	plane_in(0, C6 "S mss=1460");
	plane_expect(
	    1, "tcp [2001:db8:8::10]:$* > [2001:db8:8::21]:9092 S mss=1340");
}
END_TEST

START_TEST(what_does_not_fit_is_answered_and_dropped)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1, B4 "A seq=5001 ack=1001 len=1361 "},
	    {PLANE_OUT, 1,
		"too-big 10.8.0.10 > 10.8.0.20 code=4 mtu=1400 "
		"dmac=02:10:00:00:00:14 / tcp 10.8.0.20:9092 > "
		"10.8.0.10:$ seq=5001 total=1401"},
	    {PLANE_REASON, 0, "tx_mtu"},
	    {PLANE_IN, 1, B4 "A seq=5001 ack=1001 len=1360"},
	    {PLANE_OUT, 0, TO_C4 "A seq=5001 len=1360"},
	};
	static const struct plane_row rows6[] = {
	    {PLANE_IN, 0, C6 "S seq=1000"},
	    {PLANE_OUT, 1, "tcp [2001:db8:8::10]:$* > [2001:db8:8::21]:9092 S"},
	    {PLANE_IN, 1, B6 "SA seq=1 ack=1001 len=1341"},
	    {PLANE_OUT, 1,
		"too-big 2001:db8:8::10 > 2001:db8:8::21 code=0 mtu=1400 / "
		"tcp [2001:db8:8::21]:9092 > [2001:db8:8::10]:$ seq=1"},
	    {PLANE_REASON, 0, "tx_mtu"},
	};
	struct lp_config config;
	struct packet packet;
	uint32_t packets;
	char text[200];

	plane_close();
	plane_config(&config);
	plane_open_with(CONNECTIONS, &config);
	plane_port(0, FRONT, "mtu=1400");
	plane_port(1, BACK, "mtu=1774");
	plane_publish();
	plane_run();
	PLANE_ROWS(opening);
	packets = (uint32_t)plane_connection(0)->packets[LP_TO_CLIENT];
	PLANE_ROWS(rows);
	ck_assert_uint_eq(
	    plane_connection(0)->packets[LP_TO_CLIENT], packets + 1);
	PLANE_ROWS(rows6);
	/* 1,696 bytes of destination options before the TCP header. */
	snprintf(text, sizeof(text),
	    "tcp [2001:db8:8::21]:9092 > [2001:db8:8::10]:%u SA seq=1 "
	    "ack=1001",
	    plane.nat);
	packet_build(&packet, text);
	memmove(packet.bytes + 54 + 1696, packet.bytes + 54, 20);
	memset(packet.bytes + 54, 0, 1696);
	packet.bytes[20] = 60;
	packet.bytes[54] = 6;
	packet.bytes[55] = 1696 / 8 - 1;
	packet.bytes[18] = (1696 + 20) >> 8;
	packet.bytes[19] = (1696 + 20) & 0xff;
	packet.len = 54 + 1696 + 20;
	ck_assert(
	    lp_port_memory_inject(plane.wires[1], packet.bytes, packet.len));
	plane_run();
	plane_expect(1, "too-big 2001:db8:8::10 > 2001:db8:8::21 mtu=1400");
	ck_assert_uint_le(plane.frame.len, 14 + 1280);
	plane_quiet();
}
END_TEST

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
	memset(&conn->client_ip, 0, 16);
	conn->source_port = 1;
	memset(&conn->tcp, 0xff, sizeof(conn->tcp));
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

START_TEST(a_full_transmit_ring_drops_and_counts)
{
	char text[100];

	PLANE_ROWS(opening);
	for (unsigned i = 0; i < 8; i++)
		plane_queue(0, C4 "A seq=1001 ack=5001 len=1");
	/* As the worker does, but nobody takes what was sent. */
	for (unsigned i = 0; i < LP_PORT_MEMORY_RING + 40; i++) {
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

static void
add_rows(TCase *tests)
{
	tcase_add_test(tests, a_connection_lives_from_syn_to_time_wait);
	tcase_add_test(tests, ipv6_is_the_same);
	tcase_add_test(tests, a_preserved_source_stays_the_clients);
	tcase_add_test(
	    tests, one_client_port_to_two_preserved_endpoints_gets_another);
	tcase_add_test(tests, odd_frames_are_counted_and_hurt_nobody);
	tcase_add_test(tests, out_of_window_passes_and_changes_nothing);
	tcase_add_test(tests, a_new_syn_takes_up_the_tuple_of_what_is_over);
	tcase_add_loop_test(
	    tests, the_mss_is_lowered_to_what_both_ports_carry, 0, 10);
	tcase_add_test(tests, what_does_not_fit_is_answered_and_dropped);
}

static void
add_life(TCase *tests)
{
	tcase_add_test(
	    tests, an_established_connection_outlives_idleness_by_the_standard);
	tcase_add_test(tests, a_port_in_quarantine_is_not_given_again);
	tcase_add_test(tests, a_half_open_connection_has_30_seconds);
	tcase_add_test(
	    tests, a_process_that_was_killed_goes_on_with_its_connections);
	tcase_add_test(
	    tests, without_a_snapshot_packets_wait_and_nothing_is_answered);
	tcase_add_test(tests, a_full_transmit_ring_drops_and_counts);
	tcase_add_test(tests, without_buffers_packets_wait_in_their_ring);
	tcase_add_test(tests, ports_under_load_are_served_alike);
	tcase_add_test(tests, a_broker_that_goes_takes_its_connections_only);
	tcase_add_test(tests, a_listener_that_goes_takes_its_connections_only);
	tcase_add_test(tests, a_change_of_something_else_resets_nobody);
	tcase_add_test(tests, a_port_that_closes_takes_its_packets_along);
	tcase_add_test(tests, reclaim_is_asked_for_done_and_forgotten);
}

int
main(void)
{
	Suite *suite = suite_create("pipeline");
	TCase *rows = tcase_create("rows"), *life = tcase_create("life");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(rows, setup, plane_close);
	tcase_add_checked_fixture(life, setup, plane_close);
	add_rows(rows);
	add_life(life);
	suite_add_tcase(suite, rows);
	suite_add_tcase(suite, life);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
