/* SPDX-License-Identifier: Apache-2.0 */
/* A bump in the wire: what comes in by one port leaves by the other. */
#include <check.h>
#include <stdio.h>

#include "tests/dataplane/bump.h"
#include "tests/proto/objects.h"
#include "tests/support/plane_main.h"

static const struct lp_endpoint_stats *
endpoint(uint32_t listener_id, uint32_t broker_id)
{
	for (unsigned i = 0; i < LP_ENDPOINTS_MAX; i++)
		if (plane.region.endpoints[i].listener_id == listener_id &&
		    plane.region.endpoints[i].broker_id == broker_id)
			return &plane.region.endpoints[i];
	ck_abort_msg("no counters of %u, %u", listener_id, broker_id);
	return NULL;
}

static const struct {
	const char *text;
	enum lp_reason reason;
	/* net_af_packet puts fragments together, and changes 802.1ad's tags. */
	bool altered;
} foreign[] = {
    {"arp-request 10.8.0.50 > 10.8.0.20", LP_REASON_WIRED, false},
    {"arp-request 10.8.0.50 > 10.9.0.100", LP_REASON_WIRED, false},
    {"arp-reply 10.8.0.20 > 10.8.0.50", LP_REASON_WIRED, false},
    {"ns 2001:db8:8::50 > ff02::1:ff00:21 target=2001:db8:8::21",
	LP_REASON_WIRED, false},
    {"na 2001:db8:8::21 > 2001:db8:8::50 target=2001:db8:8::21 nf=SO",
	LP_REASON_WIRED, false},
    {"mld-query fe80::1 > ff02::1 delay=1000", LP_REASON_WIRED, false},
    {"echo 10.8.0.50 > 10.8.0.10 id=1 len=56", LP_REASON_WIRED, false},
    {"echo-reply 2001:db8:8::21 > 2001:db8:8::50 id=1 len=1400",
	LP_REASON_WIRED, false},
    {"unreach 10.8.0.1 > 10.8.0.50 code=4 mtu=1400 / " C4 "A len=8",
	LP_REASON_WIRED, false},
    {C4 "A len=8 proto=132 ttl=1", LP_REASON_WIRED, false},
    {C4 "A len=8 ethertype=0x88cc", LP_REASON_WIRED, false},
    {C4 "A len=8 ethertype=0x88cc dmac=01:80:c2:00:00:0e", LP_REASON_WIRED,
	false},
    {C4 "S vlan=5", LP_REASON_WIRED, false},
    {C6 "S vlan=5", LP_REASON_WIRED, false},
    /* Priorities, QinQ of both kinds, as long as they may be. */
    {C4 "S vlan=0xe005", LP_REASON_WIRED, false},
    {C4 "A len=1460 vlan=5", LP_REASON_WIRED, false},
    {C4 "S svlan=9 vlan=5 @12=0x81 @13=0", LP_REASON_WIRED, false},
    {C6 "A len=1436 svlan=9 vlan=5 @12=0x81 @13=0", LP_REASON_WIRED, false},
    {C4 "S svlan=9 vlan=5", LP_REASON_WIRED, true},
    {C4 "S svlan=9", LP_REASON_WIRED, true},
    {C4 "A len=1452 svlan=9 vlan=5", LP_REASON_WIRED, true},
    {"tcp 10.8.0.50:40000 > 10.8.0.20:9093 S", LP_REASON_WIRED, false},
    {"tcp 10.8.0.50:9092 > 10.8.0.51:80 S", LP_REASON_WIRED, false},
    {"tcp 10.8.0.50:40000 > 10.8.0.21:9092 SA ack=1", LP_REASON_WIRED, false},
    /* To VIPs and to ports of ours, which these ports are none of. */
    {"tcp 10.9.0.50:40000 > 10.9.0.100:9092 S", LP_REASON_WIRED, false},
    {"tcp 10.9.0.50:40000 > 10.9.0.10:22 S", LP_REASON_WIRED, false},
    {"tcp 127.0.0.1:40000 > 10.9.0.10:22 S", LP_REASON_WIRED, false},
    /* Nothing is left to follow. */
    {C4 "R seq=1", LP_REASON_WIRED, false},
    {B4 "RA seq=1 ack=1", LP_REASON_WIRED, false},
    {C4 "FA seq=1 ack=1", LP_REASON_WIRED, false},
    {"tcp 10.8.0.20:9092 > 10.8.0.50:40000 S", LP_REASON_WIRED, false},
    /* Of the named, but not to be read. */
    {C4 "A len=100 frag=0x2000", LP_REASON_WIRED_UNREAD, true},
    {C4 "A len=100 frag=0x00b9", LP_REASON_WIRED_UNREAD, true},
    {C6 "A len=100 ext=frag", LP_REASON_WIRED_UNREAD, false},
    {C6 "A len=100 ext=route", LP_REASON_WIRED_UNREAD, false},
    {C4 "S badsum=1", LP_REASON_WIRED_UNREAD, false},
    {C4 "S badip=1", LP_REASON_WIRED_UNREAD, false},
    {C4 "SF", LP_REASON_WIRED_UNREAD, false},
    {C4 "S @46=0x10", LP_REASON_WIRED_UNREAD, false},
};

START_TEST(what_is_not_a_named_brokers_passes_as_it_is)
{
	for (unsigned slot = LEFT_SLOT; slot <= RIGHT_SLOT; slot++) {
		if (foreign[_i].altered && plane.backend == LP_BACKEND_DPDK)
			continue;
		passes((uint8_t)slot, foreign[_i].text, foreign[_i].reason);
	}
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->sent_reset), 0);
}
END_TEST

START_TEST(a_connection_is_followed_and_not_changed)
{
	const struct lp_endpoint_stats *counters = endpoint(SEEN, PAYMENTS_0);
	const struct lp_conn *conn;

	passes(LEFT_SLOT, C4 "S seq=1000 mss=9000 ws=7 ttl=1 tos=0x28",
	    LP_REASON_OPENED);
	conn = plane_connection(0);
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_SYN_SENT);
	passes(RIGHT_SLOT, B4 "SA seq=5000 ack=1001 mss=9000 ws=8",
	    LP_REASON_FORWARDED);
	passes(LEFT_SLOT, C4 "A seq=1001 ack=5001 pad=6", LP_REASON_FORWARDED);
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_ESTABLISHED);
	passes(LEFT_SLOT, C4 "PA seq=1001 ack=5001 len=777 urg=7",
	    LP_REASON_FORWARDED);
	/* Data is for its receiver to sum up. */
	passes(RIGHT_SLOT, B4 "A seq=5001 ack=1778 len=1400 badsum=1",
	    LP_REASON_FORWARDED);
	ck_assert_uint_eq(conn->flags, LP_CONN_INLINE);
	ck_assert_uint_eq(conn->listener_id, SEEN);
	ck_assert_uint_eq(conn->broker_id, PAYMENTS_0);
	ck_assert_uint_eq(conn->client_port, 40000);
	ck_assert_uint_eq(conn->source_port, 40000);
	ck_assert_uint_eq(conn->vip_port, 9092);
	ck_assert_uint_eq(conn->broker_port, 9092);
	ck_assert(lp_ip_equal(&conn->client_ip, &conn->source_ip));
	ck_assert(lp_ip_equal(&conn->vip_ip, &conn->broker_ip));
	ck_assert_uint_eq(conn->bytes[LP_TO_BROKER], 777);
	ck_assert_uint_eq(conn->bytes[LP_TO_CLIENT], 1400);
	ck_assert_uint_eq(lp_count_get(&counters->opened), 1);
	ck_assert_uint_eq(lp_count_get(&counters->open), 1);
	ck_assert_uint_eq(lp_count_get(&counters->packets[LP_TO_BROKER]), 3);
	ck_assert_uint_eq(lp_count_get(&counters->bytes[LP_TO_CLIENT]), 1400);

	passes(LEFT_SLOT, C4 "FA seq=1778 ack=6401", LP_REASON_FORWARDED);
	passes(RIGHT_SLOT, B4 "FA seq=6401 ack=1779", LP_REASON_FORWARDED);
	passes(LEFT_SLOT, C4 "A seq=1779 ack=6402", LP_REASON_FORWARDED);
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_TIME_WAIT);
	/* The same ends once more. */
	passes(LEFT_SLOT, C4 "S seq=90000", LP_REASON_OPENED);
	ck_assert_uint_eq(plane_connections(), 1);
	ck_assert_uint_eq(lp_count_get(&counters->opened), 2);
	ck_assert_uint_eq(lp_count_get(&counters->open), 1);
}
END_TEST

START_TEST(ipv6_is_followed_with_its_extension_headers)
{
	passes(LEFT_SLOT, C6 "S seq=1000 ext=hop,dst", LP_REASON_OPENED);
	passes(RIGHT_SLOT, B6 "SA seq=1 ack=1001", LP_REASON_FORWARDED);
	passes(
	    LEFT_SLOT, C6 "A seq=1001 ack=2 len=64 ttl=1", LP_REASON_FORWARDED);
	ck_assert_uint_eq(plane_connection(0)->tcp.state, LP_TCP_ESTABLISHED);
	ck_assert_uint_eq(plane_connection(0)->listener_id, SEEN_6);
}
END_TEST

/* Which side a client is on is nobody's affair, nor what else it is. */
START_TEST(who_opens_a_connection_is_its_client)
{
	const struct lp_conn *conn;

	passes(RIGHT_SLOT, "tcp 10.8.0.20:33333 > 10.7.0.21:9092 S seq=1",
	    LP_REASON_OPENED);
	passes(LEFT_SLOT, "tcp 10.7.0.21:9092 > 10.8.0.20:33333 SA seq=1 ack=2",
	    LP_REASON_FORWARDED);
	conn = plane_connection(0);
	ck_assert_uint_eq(conn->client_port, 33333);
	ck_assert_uint_eq(conn->broker_id, PAYMENTS_1);
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_SYN_RECEIVED);
}
END_TEST

/* Both directions by one port: asymmetric routes, or a hairpin. */
START_TEST(both_directions_may_come_in_by_one_port)
{
	passes(LEFT_SLOT, C4 "S seq=1000", LP_REASON_OPENED);
	passes(LEFT_SLOT, B4 "SA seq=5000 ack=1001", LP_REASON_FORWARDED);
	ck_assert_uint_eq(plane_connection(0)->tcp.state, LP_TCP_SYN_RECEIVED);
}
END_TEST

START_TEST(a_connection_that_was_there_before_is_picked_up)
{
	const struct lp_stats *stats = plane.region.stats;
	const struct lp_conn *conn;

	passes(RIGHT_SLOT, B4 "PA seq=0xfffffff0 ack=7000 len=1000",
	    LP_REASON_PICKED_UP);
	conn = plane_connection(0);
	ck_assert_uint_eq(conn->flags, LP_CONN_INLINE | LP_CONN_PICKED_UP);
	ck_assert_uint_eq(conn->client_port, 40000);
	ck_assert_uint_eq(conn->broker_id, PAYMENTS_0);
	ck_assert_uint_eq(conn->port_id, LEFT);
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_ESTABLISHED);
	ck_assert_uint_eq(lp_count_get(&stats->half_open), 1);
	passes(
	    LEFT_SLOT, C4 "A seq=7000 ack=984 win=65535", LP_REASON_FORWARDED);
	ck_assert_uint_eq(lp_count_get(&stats->half_open), 0);
	/* Far ahead: how its window is scaled we do not know. */
	passes(RIGHT_SLOT, B4 "A seq=8000984 ack=7000 len=1000",
	    LP_REASON_FORWARDED);
	ck_assert_uint_eq(conn->bytes[LP_TO_CLIENT], 2000);
	passes(LEFT_SLOT, C4 "FA seq=7000 ack=8001984", LP_REASON_FORWARDED);
	passes(RIGHT_SLOT, B4 "FA seq=8001984 ack=7001", LP_REASON_FORWARDED);
	passes(LEFT_SLOT, C4 "A seq=7001 ack=8001985", LP_REASON_FORWARDED);
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_TIME_WAIT);
}
END_TEST

START_TEST(a_syn_ack_whose_syn_was_not_seen_is_picked_up)
{
	passes(RIGHT_SLOT, B4 "SA seq=5000 ack=1001 ws=7", LP_REASON_PICKED_UP);
	ck_assert_uint_eq(plane_connection(0)->tcp.state, LP_TCP_SYN_RECEIVED);
	passes(LEFT_SLOT, C4 "A seq=1001 ack=5001", LP_REASON_FORWARDED);
	ck_assert_uint_eq(plane_connection(0)->tcp.state, LP_TCP_ESTABLISHED);
}
END_TEST

START_TEST(what_is_outside_the_window_passes_and_changes_nothing)
{
	struct lp_tcp_track before;

	establish();
	before = plane_connection(0)->tcp;
	passes(LEFT_SLOT, C4 "A seq=900000000 ack=5001 len=10",
	    LP_REASON_OUT_OF_WINDOW);
	passes(LEFT_SLOT, C4 "R seq=77", LP_REASON_OUT_OF_WINDOW);
	passes(RIGHT_SLOT, B4 "SA seq=77 ack=1001", LP_REASON_OUT_OF_WINDOW);
	ck_assert_mem_eq(&before, &plane_connection(0)->tcp, sizeof(before));
	passes(LEFT_SLOT, C4 "R seq=1001", LP_REASON_FORWARDED);
	ck_assert_uint_eq(plane_connection(0)->tcp.state, LP_TCP_CLOSED);
	passes(RIGHT_SLOT, B4 "A seq=5001 ack=1001 len=7",
	    LP_REASON_OUT_OF_WINDOW);
}
END_TEST

/* Its end was missed; a SYN alone, which anybody may send, proves nothing. */
START_TEST(a_new_connection_of_the_same_ends_takes_the_place_of_the_old)
{
	const struct lp_conn *conn;

	establish();
	passes(LEFT_SLOT, C4 "S seq=700000000", LP_REASON_OUT_OF_WINDOW);
	ck_assert_uint_eq(plane_connection(0)->tcp.state, LP_TCP_ESTABLISHED);
	passes(RIGHT_SLOT, B4 "A seq=5001 ack=1001", LP_REASON_FORWARDED);
	passes(RIGHT_SLOT, B4 "SA seq=3000000000 ack=700000001",
	    LP_REASON_PICKED_UP);
	passes(LEFT_SLOT, C4 "A seq=700000001 ack=3000000001",
	    LP_REASON_FORWARDED);
	ck_assert_uint_eq(plane_connections(), 1);
	conn = plane_connection(0);
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_ESTABLISHED);
	ck_assert_uint_eq(conn->flags, LP_CONN_INLINE | LP_CONN_PICKED_UP);
	ck_assert_uint_eq(conn->packets[LP_TO_BROKER], 1);
}
END_TEST

/* Another way, or we were away. */
START_TEST(one_that_has_gone_astray_is_picked_up_where_it_is)
{
	static const char late[] = C4 "A seq=900000000 ack=5001 len=10";
	const struct lp_conn *conn;

	establish();
	conn = plane_connection(0);
	for (unsigned i = 1; i < LP_ASTRAY_MAX; i++)
		passes(LEFT_SLOT, late, LP_REASON_OUT_OF_WINDOW);
	ck_assert_uint_eq(conn->astray, LP_ASTRAY_MAX - 1);
	/* One that fits begins the count anew. */
	passes(
	    RIGHT_SLOT, B4 "A seq=5001 ack=1001 len=10", LP_REASON_FORWARDED);
	for (unsigned i = 1; i < LP_ASTRAY_MAX; i++)
		passes(LEFT_SLOT, late, LP_REASON_OUT_OF_WINDOW);
	passes(LEFT_SLOT, late, LP_REASON_PICKED_UP);
	ck_assert_uint_eq(conn->flags, LP_CONN_INLINE | LP_CONN_PICKED_UP);
	passes(LEFT_SLOT, C4 "A seq=900000010 ack=5001 len=10",
	    LP_REASON_FORWARDED);
	passes(RIGHT_SLOT, B4 "FA seq=5011 ack=900000020", LP_REASON_FORWARDED);
	ck_assert_uint_eq(conn->tcp.state, LP_TCP_FIN_RECEIVED);
	ck_assert_uint_eq(plane_connections(), 1);
}
END_TEST

START_TEST(time_passes_without_a_sound)
{
	establish();
	passes(
	    LEFT_SLOT, "tcp 10.8.0.51:1 > 10.8.0.20:9092 S", LP_REASON_OPENED);
	passes(LEFT_SLOT, "tcp 10.8.0.52:1 > 10.8.0.20:9092 A ack=1",
	    LP_REASON_PICKED_UP);
	ck_assert_uint_eq(plane_connections(), 3);
	plane_wait_ms((LP_TIMEOUT_HALF_OPEN_S + 2) * 1000);
	ck_assert_uint_eq(plane_connections(), 1);
	plane_wait_ms((LP_TIMEOUT_ESTABLISHED_S + 2) * 1000ull);
	ck_assert_uint_eq(plane_connections(), 0);
	plane_quiet();
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->expired), 3);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->sent_reset), 0);
}
END_TEST

/* What we send to a broker by a VIP may come by again, in the bump. */
START_TEST(a_connection_of_a_vip_may_also_pass_the_bump)
{
	struct packet packet;
	char text[PACKET_TEXT_SIZE];

	plane_in(FRONT_SLOT, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 S seq=1");
	ck_assert(plane_take(BACK_SLOT));
	packet = plane.frame;
	snprintf(text, sizeof(text), "%s", plane.text);
	plane_forget();
	ck_assert(plane_inject(LEFT_SLOT, packet.bytes, packet.len));
	plane_run();
	left_as_it_came(RIGHT_SLOT, &packet, text);
	ck_assert_uint_eq(plane_connections(), 2);
	/* And its answer: first in the bump, then with us. */
	plane.nat = plane_source_port(text);
	plane_build(&packet, BACK_SLOT,
	    "tcp 10.8.0.20:9092 > 10.8.0.10:$ SA seq=9 ack=2");
	ck_assert(plane_inject(RIGHT_SLOT, packet.bytes, packet.len));
	plane_run();
	left_as_it_came(LEFT_SLOT, &packet, "SYN-ACK");
	plane_in(BACK_SLOT, "tcp 10.8.0.20:9092 > 10.8.0.10:$ SA seq=9 ack=2");
	plane_expect(
	    FRONT_SLOT, "tcp 10.9.0.100:9100 > 10.9.0.50:40000 SA seq=9 ack=2");
	plane_quiet();
	for (unsigned i = 0; i < 2; i++)
		ck_assert_uint_eq(
		    plane_connection(i)->tcp.state, LP_TCP_SYN_RECEIVED);
}
END_TEST

START_TEST(what_is_named_no_more_is_forgotten_silently)
{
	establish();
	ck_assert_int_eq(
	    lp_config_remove(&plane.config, LP_OBJECT_LISTENER, SEEN), 0);
	ck_assert_int_eq(
	    lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, SEEN_0), 0);
	ck_assert_int_eq(
	    lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, SEEN_1), 0);
	plane_publish();
	plane_run();
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->sent_reset), 0);
	passes(LEFT_SLOT, C4 "A seq=1001 ack=5001 len=5", LP_REASON_WIRED);
	passes(LEFT_SLOT, C6 "S seq=1", LP_REASON_OPENED);
}
END_TEST

START_TEST(another_process_goes_on_with_what_it_finds)
{
	establish();
	plane_restart();
	passes(LEFT_SLOT, C4 "PA seq=1001 ack=5001 len=5", LP_REASON_FORWARDED);
	passes(RIGHT_SLOT, B4 "A seq=5001 ack=1006", LP_REASON_FORWARDED);
	ck_assert_uint_eq(plane_connection(0)->flags, LP_CONN_INLINE);
}
END_TEST

START_TEST(without_its_peer_a_port_drops_and_counts)
{
	struct lp_port *right = plane.ports.port[RIGHT_SLOT];
	uint64_t gone = plane_reason(LP_REASON_PORT_GONE);

	/* In the kernel there would be no reason, but a counter of the port. */
	if (plane.backend == LP_BACKEND_AF_XDP)
		return;
	plane.ports.port[RIGHT_SLOT] = NULL;
	plane_publish();
	plane_in(LEFT_SLOT, "echo 10.8.0.50 > 10.8.0.20 id=1 len=56");
	plane_in(LEFT_SLOT, C4 "S seq=1");
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_PORT_GONE), gone + 2);
	plane.ports.port[RIGHT_SLOT] = right;
	plane_publish();
	passes(LEFT_SLOT, C4 "S seq=1", LP_REASON_FORWARDED);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, bump_open, plane_close);
	tcase_add_loop_test(tests, what_is_not_a_named_brokers_passes_as_it_is,
	    0, sizeof(foreign) / sizeof(foreign[0]));
	tcase_add_test(tests, a_connection_is_followed_and_not_changed);
	tcase_add_test(tests, ipv6_is_followed_with_its_extension_headers);
	tcase_add_test(tests, who_opens_a_connection_is_its_client);
	tcase_add_test(tests, both_directions_may_come_in_by_one_port);
	tcase_add_test(tests, a_connection_that_was_there_before_is_picked_up);
	tcase_add_test(tests, a_syn_ack_whose_syn_was_not_seen_is_picked_up);
	tcase_add_test(
	    tests, what_is_outside_the_window_passes_and_changes_nothing);
	tcase_add_test(tests,
	    a_new_connection_of_the_same_ends_takes_the_place_of_the_old);
	tcase_add_test(
	    tests, one_that_has_gone_astray_is_picked_up_where_it_is);
	tcase_add_test(tests, time_passes_without_a_sound);
	tcase_add_test(tests, a_connection_of_a_vip_may_also_pass_the_bump);
	tcase_add_test(tests, what_is_named_no_more_is_forgotten_silently);
	tcase_add_test(tests, another_process_goes_on_with_what_it_finds);
	tcase_add_test(tests, without_its_peer_a_port_drops_and_counts);
}

int
main(void)
{
	return plane_main("inline", add_tests);
}
