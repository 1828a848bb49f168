/* SPDX-License-Identifier: Apache-2.0 */
/* Inline connections and a table that is full, or nearly so. */
#include <check.h>
#include <stdio.h>

#include "tests/dataplane/bump.h"
#include "tests/proto/objects.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

/* Connections in the region, as if they had been there before. */
static void
fill(unsigned count, enum lp_tcp_state state)
{
	for (unsigned i = 0; i < count; i++) {
		struct lp_conn *conn = &plane.region.connections[i];

		*conn = (struct lp_conn){.use = LP_CONN_USED,
		    .client_port = (uint16_t)(i + 1),
		    .source_port = (uint16_t)(i + 1),
		    .vip_port = 9092,
		    .broker_port = 9092,
		    .flags = LP_CONN_INLINE,
		    .expires_s = PLANE_START_S + 7440,
		    .listener_id = SEEN,
		    .broker_id = PAYMENTS_0,
		    .serial = i + 1};
		lp_ip_from_v4(&conn->client_ip, (uint8_t[]){10, 8, 0, 60});
		lp_ip_from_v4(&conn->vip_ip, (uint8_t[]){10, 8, 0, 20});
		conn->source_ip = conn->client_ip;
		conn->broker_ip = conn->vip_ip;
		conn->tcp.state = (uint8_t)state;
		conn->tcp.peer[0].flags = LP_PEER_SEEN;
		conn->tcp.peer[1].flags = LP_PEER_SEEN;
	}
	plane_restart();
}

START_TEST(what_finds_the_table_full_passes_and_is_not_followed)
{
	fill(CONNECTIONS, LP_TCP_ESTABLISHED);
	passes(LEFT_SLOT, C4 "S seq=1", LP_REASON_UNTRACKED);
	passes(RIGHT_SLOT, B4 "SA seq=1 ack=2", LP_REASON_UNTRACKED);
	passes(LEFT_SLOT, C4 "A seq=2 ack=2 len=100", LP_REASON_UNTRACKED);
	ck_assert_uint_eq(plane_connections(), CONNECTIONS);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->evicted), 0);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->sent_reset), 0);
}
END_TEST

/* Unless what cannot be judged is not to pass. */
START_TEST(or_is_refused_where_rules_act)
{
	struct lp_object seen =
	    *lp_config_find(&plane.config, LP_OBJECT_LISTENER, SEEN);

	seen.listener.unjudged = LP_UNJUDGED_RESET;
	put(&plane.config, seen);
	rule_put(100, 10, "listener=payments/seen api=Fetch", "deny", false);
	plane_publish();
	fill(CONNECTIONS, LP_TCP_ESTABLISHED);
	plane_in(LEFT_SLOT, C4 "S seq=1");
	plane_expect(LEFT_SLOT, B4 "RA seq=0 ack=2");
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_TABLE_FULL), 1);
	plane_in(RIGHT_SLOT, B4 "SA seq=1 ack=2");
	plane_expect(LEFT_SLOT, B4 "RA seq=1 ack=2");
	plane_expect(RIGHT_SLOT, C4 "R seq=2");
	plane_quiet();
	/* Of another cluster, where nothing is to be judged. */
	passes(LEFT_SLOT, C6 "S seq=1", LP_REASON_UNTRACKED);
}
END_TEST

/* The last quarter of the places is for VIPs, which must refuse else. */
START_TEST(vips_find_room_beside_it)
{
	fill(CONNECTIONS - CONNECTIONS / LP_VIP_SHARE, LP_TCP_ESTABLISHED);
	establish();
	passes(LEFT_SLOT, C6 "S seq=1", LP_REASON_UNTRACKED);
	plane_in(FRONT_SLOT, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 S seq=1");
	ck_assert(plane_take(BACK_SLOT));
	plane_quiet();
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->evicted), 0);
	/* One of its own that is closed makes room nevertheless. */
	passes(LEFT_SLOT, C4 "R seq=1001", LP_REASON_FORWARDED);
	passes(LEFT_SLOT, C6 "S seq=1", LP_REASON_OPENED);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->evicted), 1);
}
END_TEST

/* Takes every VIP out of the configuration. */
static void
remove_vips(void)
{
	const enum lp_object_kind kinds[] = {
	    LP_OBJECT_ENDPOINT, LP_OBJECT_LISTENER};

	for (unsigned t = 0; t < 2; t++) {
		size_t first;
		size_t i = lp_config_range(&plane.config, kinds[t], &first);

		while (i-- > 0) {
			uint32_t id = plane.config.objects[first + i].id;

			if (id < SEEN)
				ck_assert_int_eq(lp_config_remove(&plane.config,
						     kinds[t], id),
				    0);
		}
	}
}

START_TEST(without_vips_the_whole_table_is_its_own)
{
	remove_vips();
	plane_publish();
	fill(CONNECTIONS - 1, LP_TCP_ESTABLISHED);
	establish();
	passes(LEFT_SLOT, C6 "S seq=1", LP_REASON_UNTRACKED);
	ck_assert_uint_eq(plane_connections(), CONNECTIONS);
}
END_TEST

START_TEST(a_closed_one_makes_room)
{
	fill(CONNECTIONS, LP_TCP_TIME_WAIT);
	passes(LEFT_SLOT, C4 "S seq=1", LP_REASON_OPENED);
	ck_assert_uint_eq(plane_connections(), CONNECTIONS);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->evicted), 1);
}
END_TEST

START_TEST(a_flood_of_single_segments_pushes_out_itself)
{
	char text[100];

	establish();
	for (unsigned i = 0; i < 2 * CONNECTIONS; i++) {
		snprintf(text, sizeof(text),
		    "tcp 10.8.0.60:%u > 10.8.0.20:9092 A seq=1 ack=1", i + 1);
		passes(LEFT_SLOT, text, LP_REASON_PICKED_UP);
		ck_assert_uint_le(
		    lp_count_get(&plane.region.stats->half_open), QUOTA);
	}
	ck_assert_uint_eq(plane_connections(), QUOTA + 1);
	passes(LEFT_SLOT, C4 "A seq=1001 ack=5001 len=5", LP_REASON_FORWARDED);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->sent_reset), 0);
}
END_TEST

/* One that a later packet evicts passes nevertheless, in its turn. */
START_TEST(a_flood_in_one_batch_passes_whole_and_in_order)
{
	struct packet sent[LP_BATCH_MAX];
	char text[100];

	for (unsigned i = 0; i < LP_BATCH_MAX; i++) {
		snprintf(text, sizeof(text),
		    "tcp 10.8.0.60:%u > 10.8.0.20:9092 S seq=%u", i + 1, i);
		packet_build(&sent[i], text);
		ck_assert(plane_inject(LEFT_SLOT, sent[i].bytes, sent[i].len));
	}
	plane_run();
	for (unsigned i = 0; i < LP_BATCH_MAX; i++) {
		ck_assert(plane_take(RIGHT_SLOT));
		ck_assert_uint_eq(plane.frame.len, sent[i].len);
		ck_assert_mem_eq(plane.frame.bytes, sent[i].bytes, sent[i].len);
	}
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), QUOTA);
	ck_assert_uint_eq(
	    plane_reason(LP_REASON_OPENED) + plane_reason(LP_REASON_UNTRACKED),
	    LP_BATCH_MAX);
}
END_TEST

/* A client of a VIP whose half-open connections fill the quota. */
START_TEST(it_takes_no_place_from_a_vip)
{
	char text[100];

	for (unsigned i = 0; i < QUOTA; i++) {
		snprintf(text, sizeof(text),
		    "tcp 10.9.0.60:%u > 10.9.0.100:9100 S seq=1", i + 1);
		plane_in(FRONT_SLOT, text);
	}
	plane_forget();
	passes(LEFT_SLOT, C4 "S seq=1", LP_REASON_UNTRACKED);
	ck_assert_uint_eq(lp_count_get(&plane.region.stats->evicted), 0);
	ck_assert_uint_eq(plane_connections(), QUOTA);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, bump_open, plane_close);
	tcase_add_test(
	    tests, what_finds_the_table_full_passes_and_is_not_followed);
	tcase_add_test(tests, or_is_refused_where_rules_act);
	tcase_add_test(tests, vips_find_room_beside_it);
	tcase_add_test(tests, without_vips_the_whole_table_is_its_own);
	tcase_add_test(tests, a_closed_one_makes_room);
	tcase_add_test(tests, a_flood_of_single_segments_pushes_out_itself);
	tcase_add_test(tests, a_flood_in_one_batch_passes_whole_and_in_order);
	tcase_add_test(tests, it_takes_no_place_from_a_vip);
}

int
main(void)
{
	return plane_main("inline_room", add_tests);
}
