/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/conntrack.h"

#include <check.h>
#include <stdio.h>
#include <time.h>

#include "tests/support/plane.h"
#include "tests/support/plane_conntrack.h"
#include "tests/support/plane_main.h"

enum { COUNT = 256, NOW = PLANE_START_S };

static void
setup(void)
{
	conntrack_open(COUNT, NOW);
}

/* One in three is of IPv6. */
static struct lp_conn
make_conn(unsigned n, enum lp_tcp_state state)
{
	static const char *const all[2][4] = {
	    {"10.9.0.50", "10.9.0.100", "10.8.0.10", "10.8.0.20"},
	    {"2001:db8:9::50", "2001:db8:9::100", "2001:db8:8::10",
		"2001:db8:8::20"}};
	const char *const *ips = all[n % 3 == 1];
	struct lp_conn conn = {.client_port = (uint16_t)(1000 + n),
	    .vip_port = 9092,
	    .source_port = (uint16_t)(2000 + n),
	    .broker_port = 9092,
	    .counters = (uint16_t)(n % 3)};

	lp_ip_parse(&conn.client_ip, ips[0], NULL);
	lp_ip_parse(&conn.vip_ip, ips[1], NULL);
	lp_ip_parse(&conn.source_ip, ips[2], NULL);
	lp_ip_parse(&conn.broker_ip, ips[3], NULL);
	conn.tcp.state = (uint8_t)state;
	return conn;
}

static uint32_t
add(unsigned n, enum lp_tcp_state state)
{
	struct lp_conn conn = make_conn(n, state);

	return lp_conntrack_add(&conntrack, &conn, NOW);
}

static uint32_t
find(const struct lp_conn *conn, enum lp_direction want)
{
	struct lp_tuple tuple = {.src = conn->client_ip,
	    .dst = conn->vip_ip,
	    .sport = conn->client_port,
	    .dport = conn->vip_port};
	enum lp_direction dir = 2;
	uint32_t index;

	if (want == LP_TO_CLIENT)
		tuple = (struct lp_tuple){.src = conn->broker_ip,
		    .dst = conn->source_ip,
		    .sport = conn->broker_port,
		    .dport = conn->source_port};
	index = lp_conntrack_find(&conntrack, &tuple, &dir);
	if (index != LP_CONN_NONE)
		ck_assert_int_eq(dir, want);
	return index;
}

static unsigned
draw(uint64_t *random)
{
	*random = *random * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(*random >> 33);
}

START_TEST(a_connection_is_found_by_both_tuples_until_removed)
{
	struct lp_conn conn = make_conn(7, LP_TCP_SYN_SENT);
	uint32_t index = add(7, LP_TCP_SYN_SENT), other;

	other = add(8, LP_TCP_SYN_SENT);
	ck_assert_uint_ne(index, other);
	ck_assert_uint_eq(find(&conn, LP_TO_BROKER), index);
	ck_assert_uint_eq(find(&conn, LP_TO_CLIENT), index);
	lp_conntrack_remove(&conntrack, index);
	ck_assert_uint_eq(find(&conn, LP_TO_BROKER), LP_CONN_NONE);
	ck_assert_uint_eq(find(&conn, LP_TO_CLIENT), LP_CONN_NONE);
	conn = make_conn(8, LP_TCP_SYN_SENT);
	ck_assert_uint_eq(find(&conn, LP_TO_CLIENT), other);
}
END_TEST

/* A packet that leaves the connection in that state. */
static void
commit(uint32_t index, enum lp_tcp_state state, enum lp_direction dir,
    uint16_t len, uint32_t now_s)
{
	struct lp_conn *conn = lp_region_begin(&plane.region, index);

	conn->tcp.state = (uint8_t)state;
	lp_conntrack_commit(&conntrack, index, LP_TCP_OK, dir, len, now_s);
}

enum { VALUES = 32 };

/* Each value that is in lies in one place, where it is found; no other does. */
static void
check_table(const struct lp_table *table, const uint32_t hashes[VALUES])
{
	unsigned places[VALUES] = {0};

	for (uint32_t at = 0; at <= table->mask; at++) {
		uint32_t value = table->places[at].value;

		if (value == LP_TABLE_NONE)
			continue;
		ck_assert_uint_lt(value, VALUES);
		places[value]++;
	}
	for (uint32_t value = 0; value < VALUES; value++) {
		uint32_t hash = hashes[value];
		uint32_t at = lp_table_probe(table, hash, hash);

		ck_assert_uint_eq(places[value], hash != 0);
		while (hash != 0 && table->places[at].value != value) {
			ck_assert_uint_ne(
			    table->places[at].value, LP_TABLE_NONE);
			at = lp_table_probe(table, at + 1, hash);
		}
	}
}

/* Hashes that crowd at the end of the table, so that probes go round it. */
START_TEST(the_hash_table_holds_what_was_put_in_and_nothing_else)
{
	enum { STEPS = 20000 };
	_Alignas(64) static uint8_t bytes[2048];
	struct lp_arena arena = {.base = bytes};
	uint32_t hashes[VALUES] = {0}; /* 0: not in */
	struct lp_table table;
	uint64_t random = 1;

	lp_table_carve(&table, &arena, VALUES);
	ck_assert_uint_le(arena.used, sizeof(bytes));
	ck_assert_uint_eq(table.mask, 2 * VALUES - 1);
	lp_table_init(&table);
	for (unsigned i = 0; i < STEPS; i++) {
		uint32_t value = draw(&random) % VALUES;

		if (hashes[value] != 0) {
			lp_table_remove(&table, hashes[value], value);
			hashes[value] = 0;
		} else {
			hashes[value] = 1u << 16 | (56 + draw(&random) % 16);
			lp_table_add(&table, hashes[value], value);
		}
		check_table(&table, hashes);
	}
}
END_TEST

START_TEST(a_full_table_is_a_normal_outcome)
{
	for (unsigned i = 0; i < COUNT; i++)
		ck_assert_uint_ne(add(i, LP_TCP_ESTABLISHED), LP_CONN_NONE);
	ck_assert_uint_eq(add(COUNT, LP_TCP_ESTABLISHED), LP_CONN_NONE);
	lp_conntrack_remove(&conntrack, 17);
	ck_assert_uint_eq(add(COUNT, LP_TCP_ESTABLISHED), 17);
}
END_TEST

START_TEST(every_state_has_its_time)
{
	static const struct {
		enum lp_tcp_state state;
		uint8_t flags;
		uint32_t seconds;
	} all[] = {
	    {LP_TCP_SYN_SENT, 0, 30},
	    {LP_TCP_SIMSYN_SENT, 0, 30},
	    {LP_TCP_SYN_RECEIVED, 0, 30},
	    {LP_TCP_ESTABLISHED, 0, 7440},
	    {LP_TCP_FIN_SENT, 0, 240},
	    {LP_TCP_FIN_RECEIVED, LP_CONN_BROKER_CLOSED, 240},
	    {LP_TCP_CLOSE_WAIT, 0, 240},
	    {LP_TCP_FIN_WAIT, 0, 240},
	    {LP_TCP_CLOSING, 0, 240},
	    {LP_TCP_LAST_ACK, 0, 240},
	    {LP_TCP_TIME_WAIT, 0, 2},
	    {LP_TCP_TIME_WAIT, LP_CONN_BROKER_CLOSED, 60},
	    {LP_TCP_CLOSED, LP_CONN_BROKER_CLOSED, 2},
	};
	struct lp_conn conn = make_conn(1, all[_i].state);
	uint32_t index;

	conn.flags = all[_i].flags;
	index = lp_conntrack_add(&conntrack, &conn, NOW);
	for (unsigned s = 0; s <= all[_i].seconds; s++)
		ck_assert_uint_eq(
		    lp_conntrack_expired(&conntrack, NOW + s), LP_CONN_NONE);
	ck_assert_uint_eq(
	    lp_conntrack_expired(&conntrack, NOW + all[_i].seconds + 1), index);
}
END_TEST

START_TEST(every_packet_keeps_an_established_connection)
{
	uint32_t index = add(1, LP_TCP_ESTABLISHED);

	commit(index, LP_TCP_ESTABLISHED, LP_TO_BROKER, 100, NOW + 7000);
	lp_region_begin(&plane.region, index);
	lp_conntrack_commit(&conntrack, index, LP_TCP_OUT_OF_WINDOW,
	    LP_TO_CLIENT, 50, NOW + 7400);
	ck_assert_uint_eq(
	    lp_conntrack_expired(&conntrack, NOW + 7441), LP_CONN_NONE);
	ck_assert_uint_eq(
	    lp_conntrack_expired(&conntrack, NOW + 14441), LP_CONN_NONE);
	/* Also one outside the window that we know of. */
	ck_assert_uint_eq(
	    lp_conntrack_expired(&conntrack, NOW + 14840), LP_CONN_NONE);
	ck_assert_uint_eq(lp_conntrack_expired(&conntrack, NOW + 14841), index);
	ck_assert_uint_eq(
	    lp_conntrack_get(&conntrack, index)->packets[LP_TO_BROKER], 1);
	ck_assert_uint_eq(
	    lp_conntrack_get(&conntrack, index)->bytes[LP_TO_BROKER], 100);
	ck_assert_uint_eq(
	    lp_conntrack_get(&conntrack, index)->bytes[LP_TO_CLIENT], 50);
	ck_assert_uint_eq(
	    lp_conntrack_get(&conntrack, index)->last_s, NOW + 7400);
}
END_TEST

START_TEST(what_is_over_is_not_renewed_by_late_segments)
{
	uint32_t index = add(1, LP_TCP_LAST_ACK);

	commit(index, LP_TCP_TIME_WAIT, LP_TO_BROKER, 0, NOW + 10);
	commit(index, LP_TCP_TIME_WAIT, LP_TO_BROKER, 0, NOW + 11);
	commit(index, LP_TCP_TIME_WAIT, LP_TO_BROKER, 0, NOW + 12);
	ck_assert_uint_eq(lp_conntrack_expired(&conntrack, NOW + 13), index);
}
END_TEST

START_TEST(the_oldest_of_a_class_goes_first)
{
	uint32_t first = add(1, LP_TCP_SYN_SENT), second;

	second = add(2, LP_TCP_SYN_SENT);
	ck_assert_uint_eq(
	    lp_conntrack_oldest(&conntrack, LP_CLASS_HALF_OPEN), first);
	ck_assert_uint_eq(
	    lp_conntrack_oldest(&conntrack, LP_CLASS_CLOSED), LP_CONN_NONE);
	commit(first, LP_TCP_ESTABLISHED, LP_TO_BROKER, 0, NOW);
	ck_assert_uint_eq(
	    lp_conntrack_oldest(&conntrack, LP_CLASS_HALF_OPEN), second);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->half_open), 1);
	commit(first, LP_TCP_CLOSED, LP_TO_BROKER, 0, NOW);
	ck_assert_uint_eq(
	    lp_conntrack_oldest(&conntrack, LP_CLASS_CLOSED), first);
}
END_TEST

/* The process died at some store of a change. */
START_TEST(a_marked_undo_slot_is_copied_back)
{
	struct lp_conn before;
	uint32_t index;

	index = add(1, LP_TCP_ESTABLISHED);
	before = *lp_conntrack_get(&conntrack, index);
	for (size_t torn = 0; torn <= LP_CONN_CHANGING; torn += 8) {
		struct lp_conn *conn = lp_region_begin(&plane.region, index);

		memset(conn, 0xa5, torn);
		conntrack_anew(2 + torn, NOW);
		ck_assert_mem_eq(conn, &before, sizeof(before));
		ck_assert_uint_eq(find(&before, LP_TO_BROKER), index);
		ck_assert_uint_eq(find(&before, LP_TO_CLIENT), index);
		ck_assert_uint_eq(conntrack.free_count, COUNT - 1);
	}
	/* A mark that cannot be is no connection's. */
	atomic_store(&plane.region.undo->marked, COUNT + 1);
	conntrack_anew(4, NOW);
	ck_assert_uint_eq(conntrack.free_count, COUNT - 1);
	ck_assert_uint_eq(atomic_load(&plane.region.undo->marked), 0);
}
END_TEST

/*
 * The process died at some store of a beginning, in a place that another one
 * had: until the last of them, that of its use, nothing is there.
 */
START_TEST(a_connection_begins_with_the_store_of_its_use)
{
	uint32_t index = add(7, LP_TCP_ESTABLISHED);
	struct lp_conn *place = lp_conntrack_get(&conntrack, index);
	struct lp_conn other = *place, whole;

	lp_conntrack_remove(&conntrack, index);
	ck_assert_uint_eq(add(8, LP_TCP_SYN_SENT), index);
	whole = *place;
	for (size_t stored = 0; stored <= sizeof(whole); stored += 4) {
		memcpy(place, &other, sizeof(other));
		memcpy(place, &whole, stored);
		place->use = LP_CONN_FREE;
		conntrack_anew(2 + stored, NOW);
		ck_assert_uint_eq(conntrack.free_count, COUNT);
		ck_assert_uint_eq(find(&whole, LP_TO_BROKER), LP_CONN_NONE);
		ck_assert_uint_eq(find(&whole, LP_TO_CLIENT), LP_CONN_NONE);
		ck_assert_uint_eq(find(&other, LP_TO_BROKER), LP_CONN_NONE);
	}
	place->use = LP_CONN_USED;
	conntrack_anew(1, NOW);
	ck_assert_uint_eq(conntrack.free_count, COUNT - 1);
	ck_assert_uint_eq(find(&whole, LP_TO_BROKER), index);
	ck_assert_uint_eq(find(&whole, LP_TO_CLIENT), index);
	ck_assert_uint_eq(find(&other, LP_TO_BROKER), LP_CONN_NONE);
}
END_TEST

/* What of the private indexes can be seen from outside. */
struct view {
	uint32_t free_count, classes[LP_CLASSES], pairs;
	uint32_t used[2][4], found[COUNT];
	uint64_t open[3], connections, half_open;
	uint32_t expired[COUNT]; /* when; 0: not in use */
};

static void
look(struct view *view)
{
	*view = (struct view){.free_count = conntrack.free_count,
	    .pairs = lp_nat_pairs(&conntrack.nat),
	    .connections = lp_count_get(&plane.region.stats->connections),
	    .half_open = lp_count_get(&plane.region.stats->half_open)};
	for (unsigned i = 0; i < LP_CLASSES; i++)
		view->classes[i] = conntrack.classes[i].count;
	for (unsigned i = 0; i < 3; i++)
		view->open[i] = lp_count_get(&plane.region.endpoints[i].open);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct lp_conn *conn = lp_conntrack_get(&conntrack, i);
		struct lp_ip *own = &conn->source_ip;

		if (conn->use != LP_CONN_USED)
			continue;
		ck_assert_uint_eq(find(conn, LP_TO_BROKER), i);
		ck_assert_uint_eq(find(conn, LP_TO_CLIENT), i);
		view->found[i] = conn->serial;
		view->expired[i] = conn->expires_s;
		if (conn->flags & LP_CONN_NAT_PORT)
			view->used[lp_ip_is_v4(own)][own->bytes[15] % 4] =
			    lp_nat_used(&conntrack.nat, own, &conn->broker_ip,
				conn->broker_port);
	}
}

static void
random_step(uint64_t *random, uint32_t now_s)
{
	uint32_t index = draw(random) % COUNT;
	struct lp_conn *used = lp_conntrack_get(&conntrack, index);
	struct lp_conn conn;

	if (draw(random) % 2 && conntrack.free_count > 0) {
		conn = make_conn(
		    draw(random) % 50000, draw(random) % LP_TCP_STATES);
		conn.client_ip.bytes[14] = (uint8_t)draw(random);
		conn.source_ip.bytes[15] = (uint8_t)(10 + draw(random) % 4);
		if (draw(random) % 4) {
			conn.source_port = lp_nat_take(&conntrack.nat,
			    &conn.source_ip, &conn.broker_ip, conn.broker_port);
			conn.flags = LP_CONN_NAT_PORT;
		} else {
			conn.source_ip = conn.client_ip;
			conn.source_port = conn.client_port;
		}
		if (find(&conn, LP_TO_BROKER) == LP_CONN_NONE &&
		    find(&conn, LP_TO_CLIENT) == LP_CONN_NONE)
			lp_conntrack_add(&conntrack, &conn, now_s);
		else if (conn.flags & LP_CONN_NAT_PORT)
			lp_nat_give(&conntrack.nat, &conn.source_ip,
			    &conn.broker_ip, conn.broker_port,
			    conn.source_port);
	} else if (used->use == LP_CONN_USED && draw(random) % 2) {
		lp_conntrack_remove(&conntrack, index);
	} else if (used->use == LP_CONN_USED) {
		commit(index, draw(random) % LP_TCP_STATES, draw(random) % 2,
		    10, now_s);
	}
}

START_TEST(indexes_made_anew_equal_those_before)
{
	uint64_t seed = (uint64_t)time(NULL) * 1000 + (unsigned)_i;
	uint64_t random = seed;
	static struct view before, after;
	uint32_t now_s = NOW, index, late = 0;

	printf("seed %llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < 5000; i++) {
		random_step(&random, now_s);
		now_s += draw(&random) % 100 == 0;
	}
	look(&before);
	conntrack_anew(draw(&random), now_s);
	look(&after);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	/* The wheel too: each comes in its time and none is left. */
	while (plane_connection(0)) {
		now_s++;
		while ((index = lp_conntrack_expired(&conntrack, now_s)) !=
		    LP_CONN_NONE) {
			/* Long over when they were put in: at once. */
			ck_assert_int_gt(
			    (int32_t)(now_s - after.expired[index]), 0);
			after.expired[index] = 0;
			lp_conntrack_remove(&conntrack, index);
		}
		for (uint32_t i = 0; i < COUNT; i++)
			late += after.expired[i] != 0 &&
			    (int32_t)(after.expired[i] - now_s) < 0;
	}
	ck_assert_uint_eq(late, 0);
	ck_assert_uint_eq(conntrack.free_count, COUNT);
	ck_assert_uint_eq(lp_nat_pairs(&conntrack.nat), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(
		    lp_count_get(&plane.region.endpoints[i].open), 0);
}
END_TEST

START_TEST(two_connections_with_one_source_port_cannot_both_return)
{
	struct lp_conn conn = make_conn(1, LP_TCP_ESTABLISHED);

	conn.flags = LP_CONN_NAT_PORT;
	conn.use = LP_CONN_USED;
	conn.expires_s = NOW + 100;
	plane.region.connections[3] = conn;
	plane.region.connections[5] = conn;
	conntrack_anew(1, NOW);
	ck_assert_uint_eq(conntrack.free_count, COUNT - 1);
	ck_assert_uint_eq(plane_connections(), 1);
}
END_TEST

START_TEST(who_holds_time_wait_is_noted)
{
	static const struct {
		enum lp_tcp_state from, to;
		bool broker;
	} all[] = {
	    {LP_TCP_ESTABLISHED, LP_TCP_FIN_SENT, false},
	    {LP_TCP_ESTABLISHED, LP_TCP_FIN_RECEIVED, true},
	    /* At once: both hold it. */
	    {LP_TCP_FIN_SENT, LP_TCP_CLOSING, true},
	    {LP_TCP_CLOSE_WAIT, LP_TCP_LAST_ACK, false},
	    {LP_TCP_FIN_SENT, LP_TCP_LAST_ACK, false},
	};
	uint32_t index = add(1, all[_i].from);

	commit(index, all[_i].to, LP_TO_CLIENT, 0, NOW);
	ck_assert_uint_eq(lp_conntrack_get(&conntrack, index)->flags,
	    all[_i].broker ? LP_CONN_BROKER_CLOSED : 0);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, conntrack_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(
	    tests, a_connection_is_found_by_both_tuples_until_removed);
	tcase_add_test(
	    tests, the_hash_table_holds_what_was_put_in_and_nothing_else);
	tcase_add_test(tests, a_full_table_is_a_normal_outcome);
	tcase_add_loop_test(tests, every_state_has_its_time, 0, 13);
	tcase_add_test(tests, every_packet_keeps_an_established_connection);
	tcase_add_test(tests, what_is_over_is_not_renewed_by_late_segments);
	tcase_add_test(tests, the_oldest_of_a_class_goes_first);
	tcase_add_test(tests, a_marked_undo_slot_is_copied_back);
	tcase_add_test(tests, a_connection_begins_with_the_store_of_its_use);
	tcase_add_loop_test(tests, indexes_made_anew_equal_those_before, 0, 5);
	tcase_add_test(
	    tests, two_connections_with_one_source_port_cannot_both_return);
	tcase_add_loop_test(tests, who_holds_time_wait_is_noted, 0, 5);
}

int
main(void)
{
	return plane_main("conntrack", add_tests);
}
