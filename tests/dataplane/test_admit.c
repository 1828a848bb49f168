/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/admit.h"

#include <check.h>
#include <stdio.h>

#include "tests/proto/objects.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_B4 "tcp 10.8.0.10:$ > 10.8.0.20:9092 "
#define TO_C4 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "

enum {
	CONNECTIONS = LP_CONNECTIONS_MIN,
	QUOTA = CONNECTIONS / LP_HALF_OPEN_SHARE,
};

static void
setup(void)
{
	plane_open(CONNECTIONS);
	plane_run();
}

static const struct plane_row opening[] = {
    {PLANE_IN, 0, C4 "S seq=1000"},
    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1000"},
    {PLANE_IN, 1, B4 "SA seq=5000 ack=1001"},
    {PLANE_OUT, 0, TO_C4 "SA seq=5000 ack=1001"},
    {PLANE_IN, 0, C4 "A seq=1001 ack=5001"},
    {PLANE_OUT, 1, TO_B4 "A seq=1001 ack=5001"},
};

static void
say(uint8_t slot, const char *format, unsigned n)
{
	char text[200];

	snprintf(text, sizeof(text), format, n);
	plane_in(slot, text);
}

/* Puts connections into the region as if they had been there before. */
static void
fill(unsigned from, unsigned to, enum lp_tcp_state state)
{
	for (unsigned i = from; i < to; i++) {
		struct lp_conn *conn = &plane.region.connections[i];

		*conn = (struct lp_conn){.use = LP_CONN_USED,
		    .client_port = (uint16_t)(i % 60000 + 1),
		    .vip_port = 9100,
		    .source_port =
			(uint16_t)(LP_SOURCE_PORT_MIN + i % LP_SOURCE_PORTS),
		    .broker_port = 9092,
		    .flags = LP_CONN_NAT_PORT,
		    .expires_s = PLANE_START_S + 7440,
		    .listener_id = PAYMENTS_PUBLIC,
		    .broker_id = PAYMENTS_0,
		    .serial = i + 1};
		lp_ip_from_v4(&conn->client_ip,
		    (uint8_t[]){10, 9, 0, (uint8_t)(60 + i / 60000)});
		lp_ip_from_v4(&conn->vip_ip, (uint8_t[]){10, 9, 0, 100});
		lp_ip_from_v4(&conn->source_ip,
		    (uint8_t[]){10, 8, 0, (uint8_t)(10 + i / LP_SOURCE_PORTS)});
		lp_ip_from_v4(&conn->broker_ip, (uint8_t[]){10, 8, 0, 20});
		conn->tcp.state = (uint8_t)state;
		conn->tcp.peer[0].flags = LP_PEER_SEEN;
		conn->tcp.peer[1].flags = LP_PEER_SEEN;
	}
	plane_restart();
}

START_TEST(a_flood_of_syns_pushes_out_itself_and_nobody_else)
{
	PLANE_ROWS(opening);
	for (unsigned i = 0; i < 500; i++) {
		say(0, "tcp 10.9.0.60:%u > 10.9.0.100:9100 S seq=1", 1000 + i);
		ck_assert_uint_le(
		    lp_count_get(&plane.region.stats->half_open), QUOTA);
		if (i % 50 == 0) {
			plane_forget();
			plane_in(0, C4 "A seq=1001 ack=5001 len=10");
			plane_expect(1, TO_B4 "A seq=1001 len=10");
			plane_in(1, B4 "A seq=5001 ack=1001 len=10");
			plane_expect(0, TO_C4 "A seq=5001 len=10");
		}
	}
	ck_assert_uint_eq(plane_connections(), QUOTA + 1);
	ck_assert_uint_eq(
	    lp_count_get(&plane.region.stats->evicted), 500 - QUOTA);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->opened), 501);
	ck_assert_uint_eq(
	    lp_count_get(
		&plane.region.endpoints[plane_connection(0)->counters].open),
	    QUOTA + 1);
}
END_TEST

START_TEST(the_oldest_half_open_one_goes_and_both_ends_hear_of_it)
{
	struct lp_conn first;
	char text[100];

	for (unsigned i = 0; i < QUOTA; i++)
		say(0, "tcp 10.9.0.60:%u > 10.9.0.100:9100 S seq=100",
		    1000 + i);
	plane_forget();
	first = *plane_connection(0);
	plane_in(0, "tcp 10.9.0.60:2000 > 10.9.0.100:9100 S seq=100");
	plane_expect(0, "tcp 10.9.0.100:9100 > 10.9.0.60:1000 RA ack=101");
	snprintf(text, sizeof(text),
	    "tcp 10.8.0.%u:%u > 10.8.0.20:9092 R seq=101",
	    lp_ip_v4(&first.source_ip)[3], first.source_port);
	plane_expect(1, text);
	plane_expect(1, "tcp * > 10.8.0.20:9092 S seq=100");
	plane_quiet();
}
END_TEST

START_TEST(a_flood_in_one_batch_drops_what_it_pushes_out)
{
	char text[100];

	plane_in(0, "tcp 10.9.0.60:999 > 10.9.0.100:9100 S");
	plane_forget();
	for (unsigned i = 0; i < LP_BATCH_MAX; i++) {
		snprintf(text, sizeof(text),
		    "tcp 10.9.0.60:%u > 10.9.0.100:9100 S", 1000 + i);
		plane_queue(0, text);
	}
	plane_run();
	ck_assert_uint_eq(plane_connections(), QUOTA);
	ck_assert_uint_eq(
	    plane_reason(LP_REASON_HALF_OPEN_FULL), LP_BATCH_MAX - QUOTA);
}
END_TEST

START_TEST(a_table_full_of_living_connections_refuses_the_newcomer)
{
	fill(0, CONNECTIONS, LP_TCP_ESTABLISHED);
	plane_in(0, C4 "S seq=7");
	plane_expect(0, TO_C4 "RA seq=0 ack=8");
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_TABLE_FULL), 1);
	ck_assert_uint_eq(plane_connections(), CONNECTIONS);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->evicted), 0);
}
END_TEST

START_TEST(a_full_table_gives_up_what_is_over)
{
	fill(0, CONNECTIONS - 1, LP_TCP_ESTABLISHED);
	fill(CONNECTIONS - 1, CONNECTIONS, LP_TCP_TIME_WAIT);
	plane_in(0, C4 "S seq=7");
	plane_expect(1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=7");
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), CONNECTIONS);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->evicted), 1);
	/* The next one pushes out what is half-open. */
	plane_in(0, "tcp 10.9.0.50:40001 > 10.9.0.100:9100 S seq=7");
	plane_expect(1, TO_B4 "R seq=8");
	plane_expect(0, TO_C4 "RA ack=8");
	plane_expect(1, "tcp 10.8.0.10:* > 10.8.0.20:9092 S seq=7");
	plane_quiet();
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->evicted), 2);
}
END_TEST

/* All ports of both addresses of the port towards one broker. */
START_TEST(when_the_source_ports_are_used_up_a_newcomer_is_refused)
{
	enum { ALL = 2 * LP_SOURCE_PORTS };

	plane_close();
	plane_open(ALL + 100);
	plane_run();
	fill(0, ALL, LP_TCP_ESTABLISHED);
	plane_in(0, C4 "S seq=7");
	plane_expect(0, TO_C4 "RA ack=8");
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_NO_SOURCE_PORT), 1);
	/* Another broker has ports enough, and one that ends frees one. */
	plane_in(0, "tcp 10.9.0.50:40001 > 10.9.0.100:9101 S");
	ck_assert(plane_take(1));
	plane.nat = plane.region.connections[77].source_port;
	plane_in(1, B4 "R seq=0");
	plane_expect(0, "tcp 10.9.0.100:9100 > 10.9.0.60:78 R");
	plane_wait_ms(5000);
	plane_in(0, C4 "S seq=7");
	plane_expect(1, TO_B4 "S seq=7");
}
END_TEST

START_TEST(where_nothing_listens_a_syn_is_refused)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, "tcp 10.9.0.50:1 > 10.9.0.100:22 S seq=7 len=2"},
	    {PLANE_OUT, 0, "tcp 10.9.0.100:22 > 10.9.0.50:1 RA seq=0 ack=10"},
	    {PLANE_REASON, 0, "reset_closed_port"},
	    {PLANE_IN, 0, "tcp 10.9.0.50:1 > 10.9.0.10:9092 S seq=7"},
	    {PLANE_OUT, 0, "tcp 10.9.0.10:9092 > 10.9.0.50:1 RA ack=8"},
	    {PLANE_IN, 1, "tcp 10.8.0.20:1 > 10.8.0.10:9092 S seq=7"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:9092 > 10.8.0.20:1 RA ack=8"},
	    {PLANE_IN, 0,
		"tcp [2001:db8:9::50]:1 > [2001:db8:9::100]:22 S seq=7"},
	    {PLANE_OUT, 0,
		"tcp [2001:db8:9::100]:22 > [2001:db8:9::50]:1 RA ack=8"},
	};

	PLANE_ROWS(rows);
	ck_assert_uint_eq(plane_connections(), 0);
}
END_TEST

START_TEST(a_cluster_without_brokers_refuses)
{
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, ORDERS_LEGACY_1);
	lp_config_remove(&plane.config, LP_OBJECT_BROKER, ORDERS_1);
	plane_publish();
	plane_in(0, "tcp [2001:db8:9::50]:1 > [2001:db8:9::100]:9092 S seq=7");
	plane_expect(
	    0, "tcp [2001:db8:9::100]:9092 > [2001:db8:9::50]:1 RA ack=8");
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_NO_BROKER), 1);
}
END_TEST

START_TEST(the_bootstrap_endpoint_is_balanced_and_sticks)
{
	uint32_t broker[12];
	unsigned first = 0;

	for (unsigned i = 0; i < 12; i++) {
		say(0, "tcp 10.9.0.50:%u > 10.9.0.100:9092 S seq=7", 1000 + i);
		broker[i] = plane_connection(i)->broker_id;
		first += broker[i] == PAYMENTS_0;
	}
	ck_assert_uint_gt(first, 1);
	ck_assert_uint_lt(first, 11);
	/* The table remembers, whatever Maglev would say now. */
	put(&plane.config, make_broker(50, PAYMENTS, 5, "10.8.0.25:9092"));
	put(&plane.config,
	    make_endpoint(51, PAYMENTS_PUBLIC, 50, "10.9.0.100:9105"));
	put(&plane.config, make_endpoint(52, LEGACY, 50, "10.9.0.101:9105"));
	plane_publish();
	plane_run();
	plane_forget();
	for (unsigned i = 0; i < 12; i++) {
		say(0, "tcp 10.9.0.50:%u > 10.9.0.100:9092 S seq=7", 1000 + i);
		plane_expect(1,
		    broker[i] == PAYMENTS_0 ? "tcp * > 10.8.0.20:9092 S"
					    : "tcp * > 10.7.0.21:9092 S");
	}
	ck_assert_uint_eq(plane_connections(), 12);
}
END_TEST

START_TEST(another_host_chooses_the_same_broker)
{
	uint32_t broker[12];

	for (unsigned i = 0; i < 12; i++) {
		say(0, "tcp 10.9.0.50:%u > 10.9.0.100:9092 S", 1000 + i);
		broker[i] = plane_connection(i)->broker_id;
	}
	plane_close();
	plane_open(128);
	plane.seed = 4711;
	plane_restart();
	plane_run();
	for (unsigned i = 0; i < 12; i++) {
		say(0, "tcp 10.9.0.50:%u > 10.9.0.100:9092 S", 1000 + i);
		ck_assert_uint_eq(plane_connection(i)->broker_id, broker[i]);
	}
}
END_TEST

START_TEST(a_syn_twice_in_one_batch_opens_one_connection)
{
	plane_queue(0, C4 "S seq=7");
	plane_queue(0, C4 "S seq=7");
	plane_queue(0, "tcp 10.9.0.50:40001 > 10.9.0.100:9100 S seq=7");
	plane_run();
	ck_assert_uint_eq(plane_connections(), 2);
	ck_assert(plane_take(1) && plane_take(1) && plane_take(1));
	plane_quiet();
}
END_TEST

START_TEST(a_client_that_begins_anew_within_a_batch_is_not_mixed_up)
{
	PLANE_ROWS(opening);
	plane_queue(0, C4 "A seq=1001 ack=5001 len=3");
	plane_queue(0, C4 "R seq=1004");
	plane_run();
	plane_expect(1, TO_B4 "A len=3");
	plane_expect(1, TO_B4 "R seq=1004");
	/* Late data, the new SYN, and more of the old one behind it. */
	plane_queue(0, C4 "A seq=1001 ack=5001 len=3");
	plane_queue(0, C4 "S seq=90000");
	plane_queue(0, C4 "S seq=90000");
	plane_run();
	ck_assert_uint_eq(plane_connections(), 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_NO_CONNECTION), 2);
	plane_expect(1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=90000");
	plane_quiet();
}
END_TEST

START_TEST(several_addresses_share_the_clients)
{
	unsigned second = 0;

	for (unsigned i = 0; i < 12; i++) {
		say(0, "tcp 10.9.0.50:%u > 10.9.0.100:9100 S", 1000 + i);
		second += lp_ip_v4(&plane_connection(i)->source_ip)[3] == 11;
	}
	ck_assert_uint_gt(second, 0);
	ck_assert_uint_lt(second, 12);
}
END_TEST

START_TEST(counters_tell_what_was_opened_and_refused)
{
	const struct lp_endpoint_stats *endpoint;

	PLANE_ROWS(opening);
	endpoint = &plane.region.endpoints[plane_connection(0)->counters];
	ck_assert_uint_eq(endpoint->listener_id, PAYMENTS_PUBLIC);
	ck_assert_uint_eq(endpoint->broker_id, PAYMENTS_0);
	ck_assert_uint_eq(lp_count_get(&endpoint->opened), 1);
	ck_assert_uint_eq(lp_count_get(&endpoint->open), 1);
	ck_assert_uint_eq(lp_count_get(&endpoint->packets[LP_TO_BROKER]), 2);
	ck_assert_uint_eq(lp_count_get(&endpoint->packets[LP_TO_CLIENT]), 1);
	fill(1, CONNECTIONS, LP_TCP_ESTABLISHED);
	plane_in(0, "tcp 10.9.0.50:40001 > 10.9.0.100:9100 S");
	ck_assert_uint_eq(lp_count_get(&endpoint->refused), 1);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(
	    tests, a_flood_of_syns_pushes_out_itself_and_nobody_else);
	tcase_add_test(
	    tests, the_oldest_half_open_one_goes_and_both_ends_hear_of_it);
	tcase_add_test(tests, a_flood_in_one_batch_drops_what_it_pushes_out);
	tcase_add_test(
	    tests, a_table_full_of_living_connections_refuses_the_newcomer);
	tcase_add_test(tests, a_full_table_gives_up_what_is_over);
	tcase_add_test(
	    tests, when_the_source_ports_are_used_up_a_newcomer_is_refused);
	tcase_add_test(tests, where_nothing_listens_a_syn_is_refused);
	tcase_add_test(tests, a_cluster_without_brokers_refuses);
	tcase_add_test(tests, the_bootstrap_endpoint_is_balanced_and_sticks);
	tcase_add_test(tests, another_host_chooses_the_same_broker);
	tcase_add_test(tests, a_syn_twice_in_one_batch_opens_one_connection);
	tcase_add_test(
	    tests, a_client_that_begins_anew_within_a_batch_is_not_mixed_up);
	tcase_add_test(tests, several_addresses_share_the_clients);
	tcase_add_test(tests, counters_tell_what_was_opened_and_refused);
}

int
main(void)
{
	return plane_main("admit", add);
}
