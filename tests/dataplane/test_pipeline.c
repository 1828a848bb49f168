/* SPDX-License-Identifier: Apache-2.0 */
/* The whole path: rows of packets in, rows expected out. */
#include "dataplane/pipeline/pipeline.h"

#include <check.h>
#include <stdio.h>

#include "tests/proto/objects.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

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

START_TEST(nobody_speaks_for_an_end_from_the_other_side)
{
	static const struct plane_row half_open[] = {
	    {PLANE_IN, 0, C4 "S seq=1000"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1000"},
	    {PLANE_IN, 1, C4 "S seq=1000"},
	    {PLANE_REASON, 0, "wrong_side"},
	    {PLANE_IN, 0, B4 "RA seq=0 ack=1001"},
	    {PLANE_REASON, 0, "wrong_side"},
	    {PLANE_STATE, 0, "SYN-SENT"},
	};
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1, C4 "R seq=1001"},
	    {PLANE_REASON, 0, "wrong_side"},
	    {PLANE_IN, 0, B4 "R seq=5001"},
	    {PLANE_REASON, 0, "wrong_side"},
	    {PLANE_STATE, 0, "ESTABLISHED"},
	    {PLANE_IN, 0, C4 "A seq=1001 ack=5001 len=9"},
	    {PLANE_OUT, 1, TO_B4 "A seq=1001 ack=5001 len=9"},
	};

	PLANE_ROWS(half_open);
	PLANE_ROWS(opening);
	PLANE_ROWS(rows);
	ck_assert_uint_eq(plane_connection(0)->packets[LP_TO_BROKER], 4);
}
END_TEST

/* Broker 0 is in the network of the clients. */
static void
open_shared(enum lp_side front, bool back)
{
	struct lp_config config;

	plane_close();
	plane_config(&config);
	put(&config,
	    make_port(FRONT, "front", front, "10.9.0.10/24 2001:db8:9::10/64",
		NULL, back ? NULL : "2001:db8:9::1"));
	put(&config, make_broker(PAYMENTS_0, PAYMENTS, 0, "10.9.0.20:9092"));
	if (!back) {
		lp_config_remove(&config, LP_OBJECT_PORT, BACK);
		put(&config,
		    make_broker(PAYMENTS_1, PAYMENTS, 1, "10.9.0.21:9092"));
	}
	plane_open_with(CONNECTIONS, &config);
	plane_port(0, FRONT, "");
	if (back)
		plane_port(1, BACK, "");
	plane_publish();
	plane_run();
}

/* Client 10.9.0.50:40000 to broker 0, by one port. */
#define B4_SHARED "tcp 10.9.0.20:9092 > 10.9.0.10:$ "
#define TO_B4_SHARED "tcp 10.9.0.10:$ > 10.9.0.20:9092 "
static const struct plane_row opening_shared[] = {
    {PLANE_IN, 0, C4 "S seq=1000"},
    {PLANE_OUT, 0, "tcp 10.9.0.10:$* > 10.9.0.20:9092 S seq=1000"},
    {PLANE_IN, 0, B4_SHARED "SA seq=5000 ack=1001"},
    {PLANE_OUT, 0, TO_C4 "SA seq=5000 ack=1001"},
    {PLANE_IN, 0, C4 "A seq=1001 ack=5001 len=9"},
    {PLANE_OUT, 0, TO_B4_SHARED "A seq=1001 ack=5001 len=9"},
    {PLANE_STATE, 0, "ESTABLISHED"},
    {PLANE_IN, 0,
	"too-big 10.9.0.20 > 10.9.0.10 mtu=1400 / " TO_B4_SHARED "A seq=1001"},
    {PLANE_OUT, 0, "too-big 10.9.0.100 > 10.9.0.50 mtu=1400"},
};

START_TEST(clients_and_brokers_may_share_a_port_of_both_sides)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, B4_SHARED "R seq=5001"},
	    {PLANE_OUT, 0, TO_C4 "R seq=5001"},
	    {PLANE_STATE, 0, "CLOSED"},
	    /* Behind a gateway of that port. */
	    {PLANE_IN, 0, C6 "S seq=1000"},
	    {PLANE_OUT, 0,
		"tcp [2001:db8:9::10]:$* > [2001:db8:8::21]:9092 S seq=1000 "
		"dmac=02:10:00:00:00:01"},
	    {PLANE_IN, 0,
		"tcp [2001:db8:8::21]:9092 > [2001:db8:9::10]:$ SA seq=5000 "
		"ack=1001"},
	    {PLANE_OUT, 0, TO_C6 "SA seq=5000 ack=1001"},
	};

	open_shared(LP_SIDE_BOTH, false);
	PLANE_ROWS(opening_shared);
	PLANE_ROWS(rows);
}
END_TEST

START_TEST(a_broker_may_be_behind_a_port_of_the_clients)
{
	/* Broker 1 is behind the gateway of the port of the brokers. */
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, "tcp 10.9.0.50:40001 > 10.9.0.100:9101 S seq=70"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.7.0.21:9092 S seq=70"},
	    {PLANE_IN, 0, "tcp 10.7.0.21:9092 > 10.8.0.10:$ RA ack=71"},
	    {PLANE_REASON, 0, "wrong_side"},
	    {PLANE_IN, 0, "tcp 10.7.0.21:9092 > 10.8.0.10:$ SA seq=8 ack=71"},
	    {PLANE_REASON, 0, "wrong_side"},
	    {PLANE_IN, 0,
		"unreach 10.7.0.21 > 10.8.0.10 code=3 / tcp 10.8.0.10:$ > "
		"10.7.0.21:9092 S seq=70"},
	    {PLANE_REASON, 0, "wrong_side"},
	    {PLANE_IN, 1, "tcp 10.7.0.21:9092 > 10.8.0.10:$ SA seq=9 ack=71"},
	    {PLANE_OUT, 0, "tcp 10.9.0.100:9101 > 10.9.0.50:40001 SA seq=9"},
	};

	open_shared(LP_SIDE_CLIENT, true);
	PLANE_ROWS(opening_shared);
	/* Nobody speaks for the client by the port of the brokers. */
	plane_in(1, C4 "R seq=1010");
	plane_quiet();
	ck_assert_uint_eq(plane_connection(0)->packets[LP_TO_BROKER], 2);
	PLANE_ROWS(rows);
	ck_assert_uint_eq(plane_connections(), 2);
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

/* As large as it may be, by destination options before the TCP header. */
static void
build_large(struct packet *packet, unsigned mtu)
{
	const unsigned len = (mtu - 40 - 20) & ~7u;

	plane_build(packet, 1, B6 "SA seq=1 ack=1001");
	memmove(packet->bytes + 54 + len, packet->bytes + 54, 20);
	memset(packet->bytes + 54, 0, len);
	packet->bytes[20] = 60;
	packet->bytes[54] = 6;
	packet->bytes[55] = (uint8_t)(len / 8 - 1);
	packet->bytes[18] = (uint8_t)((len + 20) >> 8);
	packet->bytes[19] = (uint8_t)(len + 20);
	packet->len = 54 + len + 20;
}

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
	/* net_af_packet takes no more than Ethernet's own. */
	const unsigned mtu =
	    plane_backend() == LP_BACKEND_DPDK ? 1500 : LP_MTU_MAX;
	struct lp_config config;
	struct packet packet;
	uint32_t packets;
	char text[20];

	plane_close();
	plane_config(&config);
	plane_open_with(CONNECTIONS, &config);
	plane_port(0, FRONT, "mtu=1400");
	snprintf(text, sizeof(text), "mtu=%u", mtu);
	plane_port(1, BACK, text);
	plane_publish();
	plane_run();
	PLANE_ROWS(opening);
	packets = (uint32_t)plane_connection(0)->packets[LP_TO_CLIENT];
	PLANE_ROWS(rows);
	ck_assert_uint_eq(
	    plane_connection(0)->packets[LP_TO_CLIENT], packets + 1);
	PLANE_ROWS(rows6);
	build_large(&packet, mtu);
	ck_assert(plane_inject(1, packet.bytes, packet.len));
	plane_run();
	plane_expect(1, "too-big 2001:db8:8::10 > 2001:db8:8::21 mtu=1400");
	ck_assert_uint_le(plane.frame.len, 14 + 1280);
	plane_quiet();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_add_test(tests, a_connection_lives_from_syn_to_time_wait);
	tcase_add_test(tests, ipv6_is_the_same);
	tcase_add_test(tests, a_preserved_source_stays_the_clients);
	tcase_add_test(
	    tests, one_client_port_to_two_preserved_endpoints_gets_another);
	tcase_add_test(tests, odd_frames_are_counted_and_hurt_nobody);
	tcase_add_test(tests, out_of_window_passes_and_changes_nothing);
	tcase_add_test(tests, nobody_speaks_for_an_end_from_the_other_side);
	tcase_add_test(
	    tests, clients_and_brokers_may_share_a_port_of_both_sides);
	tcase_add_test(tests, a_broker_may_be_behind_a_port_of_the_clients);
	tcase_add_test(tests, a_new_syn_takes_up_the_tuple_of_what_is_over);
	tcase_add_loop_test(
	    tests, the_mss_is_lowered_to_what_both_ports_carry, 0, 10);
	tcase_add_test(tests, what_does_not_fit_is_answered_and_dropped);
}

int
main(void)
{
	return plane_main("pipeline", add);
}
