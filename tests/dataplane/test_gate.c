/* SPDX-License-Identifier: Apache-2.0 */
/* Rules at the opening of connections: at VIPs, and inline. */
#include "dataplane/pipeline/gate.h"

#include <check.h>
#include <stdio.h>

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/denials.h"
#include "tests/dataplane/bump.h"
#include "tests/proto/objects.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

#define SYN_50 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 S seq=1000"
#define SYN_51 "tcp 10.9.0.51:40000 > 10.9.0.100:9100 S seq=1000"
#define RST_50 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 RA ack=1001"

enum { RULE = 100, OTHER, THIRD };

static void
publish(void)
{
	plane_publish();
	plane_run();
	plane_forget();
}

static void
is_let_in(const char *syn)
{
	uint64_t opened = lp_count_get(&plane.region.stats->opened);

	plane_in(0, syn);
	ck_assert_uint_eq(
	    lp_count_get(&plane.region.stats->opened), opened + 1);
	plane_forget();
}

static uint64_t
refused(uint32_t listener_id, uint32_t broker_id)
{
	for (unsigned i = 0; i < LP_ENDPOINTS_MAX; i++) {
		const struct lp_endpoint_stats *stats =
		    &plane.region.endpoints[i];

		if (stats->listener_id == listener_id &&
		    stats->broker_id == broker_id)
			return lp_count_get(&stats->refused);
	}
	ck_abort_msg("no counters of %u, %u", listener_id, broker_id);
	return 0;
}

START_TEST(a_reset_refuses_whom_it_matches_and_nobody_else)
{
	rule_put(RULE, 10, "src=10.9.0.50", "reset", false);
	publish();
	plane_in(0, SYN_50);
	plane_expect(0, RST_50);
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_RULE), 1);
	ck_assert_uint_eq(plane_connections(), 0);
	is_let_in(SYN_51);
	/* Each time anew. */
	plane_in(0, SYN_50);
	plane_expect(0, RST_50);
	rule_counts(RULE, 2, 2, 0);
}
END_TEST

START_TEST(the_first_that_decides_wins)
{
	rule_put(RULE, 10, "src=10.9.0.0/24", "reset", false);
	rule_put(OTHER, 20, "src=10.9.0.50", "allow", false);
	publish();
	is_let_in(SYN_50);
	plane_in(0, SYN_51);
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_RULE), 1);
	rule_counts(OTHER, 1, 0, 0);
	rule_counts(RULE, 1, 1, 0);
}
END_TEST

START_TEST(shadow_and_observe_count_and_let_pass)
{
	rule_put(RULE, 30, "src=10.9.0.50", "reset", true);
	rule_put(OTHER, 20, "", "observe", false);
	rule_put(THIRD, 10, "src=10.9.0.50", "reset", false);
	publish();
	is_let_in(SYN_51);
	plane_in(0, SYN_50);
	plane_expect(0, RST_50);
	rule_counts(RULE, 1, 0, 0);
	rule_counts(OTHER, 2, 0, 0);
	rule_counts(THIRD, 1, 1, 0);
}
END_TEST

/* Also of the one that would be, but for its shadow. */
START_TEST(who_is_refused_is_told)
{
	struct lp_denials *denials = lp_pipeline_denials(plane.pipeline);
	const struct lp_denial *denial;

	rule_put(OTHER, 20, "src=10.9.0.50", "reset", true);
	rule_put(RULE, 10, "src=10.9.0.0/24", "reset", false);
	publish();
	plane_in(0, SYN_50);
	denial = lp_denials_oldest(denials);
	ck_assert_ptr_nonnull(denial);
	ck_assert_uint_eq(denial->rule_id, OTHER);
	ck_assert(denial->shadow);
	lp_denials_consumed(denials);
	denial = lp_denials_oldest(denials);
	ck_assert_ptr_nonnull(denial);
	ck_assert_uint_eq(denial->rule_id, RULE);
	ck_assert(!denial->shadow);
	ck_assert_uint_eq(denial->kind, LP_DENIAL_RESET);
	ck_assert_int_eq(denial->api, LP_DENIALS_NO_API);
	ck_assert_uint_eq(denial->client_port, 40000);
	ck_assert_uint_eq(denial->client_ip.bytes[15], 50);
	ck_assert_uint_ne(denial->listener_id, 0);
	ck_assert_uint_eq(denial->has, 0);
	ck_assert_uint_eq(
	    denial->time_ns / 1000000000, plane.now_ns / 1000000000);
	lp_denials_consumed(denials);
	ck_assert_ptr_null(lp_denials_oldest(denials));
}
END_TEST

/* Whatever can be known of a connection, each alone. */
static const char *const fields[][2] = {
    {"cluster=payments", "cluster=orders"},
    {"listener=payments/public", "listener=payments/legacy"},
    {"broker=0", "broker=1"},
    {"port=front", "port=back"},
    {"src=10.9.0.48/29", "src=10.9.0.56/29"},
    {"src_port=40000", "src_port=40001-"},
    {"dst=10.9.0.100", "dst=10.8.0.20"},
    {"dst_port=9100", "dst_port=9092"},
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

START_TEST(every_field_of_connections_is_asked)
{
	rule_put(RULE, 20, fields[_i][1], "reset", false);
	publish();
	is_let_in(SYN_50);
	rule_put(OTHER, 10, fields[_i][0], "reset", false);
	publish();
	plane_in(0, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 R seq=1001");
	plane_wait_ms(1000);
	plane_forget();
	plane_in(0, SYN_50);
	plane_expect(0, RST_50);
	rule_counts(RULE, 0, 0, 0);
	rule_counts(OTHER, 1, 1, 0);
}
END_TEST

START_TEST(at_the_bootstrap_endpoint_the_broker_is_chosen_before)
{
	rule_put(RULE, 10, "broker=0-1 dst_port=9092", "observe", false);
	publish();
	is_let_in("tcp 10.9.0.50:40000 > 10.9.0.100:9092 S seq=1");
	rule_counts(RULE, 1, 0, 0);
}
END_TEST

static void
say_unjudged(uint8_t how)
{
	size_t first, count;

	count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++)
		plane.config.objects[i].listener.unjudged = how;
}

START_TEST(a_reset_waits_for_requests_where_they_are_judged)
{
	say_unjudged(LP_UNJUDGED_RESET);
	rule_put(RULE, 20, "src=10.9.0.50 api=Fetch", "allow", false);
	rule_put(OTHER, 10, "src=10.9.0.0/24", "reset", false);
	publish();
	is_let_in(SYN_50);
	rule_counts(OTHER, 1, 0, 0);
	/* Nothing is let pass of this one. */
	plane_in(0, SYN_51);
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_RULE), 1);
	rule_counts(OTHER, 2, 1, 0);
}
END_TEST

/* What it waited for has gone. */
START_TEST(a_reset_that_waits_acts_when_nothing_is_let_any_more)
{
	say_unjudged(LP_UNJUDGED_PASS);
	rule_put(RULE, 20, "src=10.9.0.0/24 api=Fetch", "allow", false);
	rule_put(OTHER, 10, "src=10.9.0.50", "reset", false);
	publish();
	is_let_in(SYN_50);
	is_let_in(SYN_51);
	ck_assert_uint_eq(plane_connections(), 2);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	publish();
	plane_wait_ms(1000);
	plane_forget();
	/* No rule is of the other one. */
	ck_assert_uint_eq(plane_connections(), 1);
}
END_TEST

/* Too much is refused, not too little. */
START_TEST(a_reset_does_not_wait_where_nobody_looks)
{
	size_t first, count;

	say_unjudged(LP_UNJUDGED_PASS);
	count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++)
		plane.config.objects[i].listener.kafka = LP_LOOK_OFF;
	rule_put(RULE, 20, "src=10.9.0.50 api=Fetch", "allow", false);
	rule_put(OTHER, 10, "src=10.9.0.50", "reset", false);
	publish();
	plane_in(0, SYN_50);
	plane_expect(0, RST_50);
	rule_counts(OTHER, 1, 1, 0);
}
END_TEST

START_TEST(what_is_open_stays)
{
	is_let_in(SYN_50);
	rule_put(RULE, 10, "", "reset", false);
	publish();
	plane_in(0, SYN_50);
	plane_expect(1, "tcp * > 10.8.0.20:9092 S seq=1000");
	rule_counts(RULE, 0, 0, 0);
}
END_TEST

START_TEST(what_nobody_would_serve_is_asked_of_no_rule)
{
	rule_put(RULE, 10, "", "observe", false);
	publish();
	plane_in(0, "tcp 10.9.0.50:40000 > 10.9.0.100:1 S seq=1");
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_CLOSED_PORT), 1);
	rule_counts(RULE, 0, 0, 0);
}
END_TEST

START_TEST(more_observers_than_are_told_are_counted_as_such)
{
	for (unsigned i = 0; i <= LP_RULES_SEEN_MAX; i++)
		rule_put(RULE + i, 100 - i, "", "observe", false);
	publish();
	is_let_in(SYN_50);
	rule_counts(RULE, 1, 0, 0);
	rule_counts(RULE + LP_RULES_SEEN_MAX, 0, 0, 0);
	ck_assert_uint_eq(
	    lp_count_get(&plane.region.kafka_stats->counters.rules_uncounted),
	    1);
}
END_TEST

START_TEST(inline_the_other_end_seems_to_refuse)
{
	rule_put(
	    RULE, 10, "listener=payments/seen src=10.8.0.50", "reset", false);
	publish();
	plane_in(LEFT_SLOT,
	    C4 "S seq=1000 smac=02:00:00:00:00:50 dmac=02:00:00:00:00:20");
	plane_expect(LEFT_SLOT,
	    B4 "RA ack=1001 smac=02:00:00:00:00:20 dmac=02:00:00:00:00:50");
	plane_quiet();
	ck_assert_uint_eq(plane_connections(), 0);
	rule_counts(RULE, 1, 1, 0);
	ck_assert_uint_eq(refused(SEEN, PAYMENTS_0), 1);
	/* One that was there before us. */
	plane_in(LEFT_SLOT, C4 "A seq=1001 ack=5001 len=10");
	plane_expect(RIGHT_SLOT, C4 "A seq=1001 ack=5001 len=10");
	ck_assert_uint_eq(plane_reason(LP_REASON_PICKED_UP), 1);
	rule_counts(RULE, 1, 1, 0);
}
END_TEST

/* Its end was missed: the next one of the same ends is asked for like any. */
START_TEST(inline_a_syn_on_what_lives_is_asked_for)
{
	establish();
	rule_put(
	    RULE, 10, "listener=payments/seen src=10.8.0.50", "reset", false);
	publish();
	plane_in(LEFT_SLOT,
	    C4 "S seq=700000000 smac=02:00:00:00:00:50 "
	       "dmac=02:00:00:00:00:20");
	plane_expect(LEFT_SLOT, B4 "RA ack=700000001");
	plane_quiet();
	rule_counts(RULE, 1, 1, 0);
	ck_assert_uint_eq(refused(SEEN, PAYMENTS_0), 1);
	/* If it does live it goes on. */
	passes(LEFT_SLOT, C4 "PA seq=1001 ack=5001 len=7", LP_REASON_FORWARDED);
	rule_put(RULE, 10, "src=10.8.0.51", "reset", false);
	publish();
	passes(LEFT_SLOT, C4 "S seq=700000000", LP_REASON_OUT_OF_WINDOW);
	passes(RIGHT_SLOT, B4 "SA seq=3000000000 ack=700000001",
	    LP_REASON_PICKED_UP);
	rule_counts(RULE, 1, 1, 0);
}
END_TEST

/* One that a rule has let in is not asked for again when its SYN is. */
START_TEST(inline_a_syn_that_comes_again_opens_once)
{
	rule_put(RULE, 10, "src=10.8.0.50", "observe", false);
	publish();
	passes(LEFT_SLOT, C4 "S seq=1000", LP_REASON_OPENED);
	passes(LEFT_SLOT, C4 "S seq=1000", LP_REASON_FORWARDED);
	passes(RIGHT_SLOT, B4 "SA seq=5000 ack=1001", LP_REASON_FORWARDED);
	passes(LEFT_SLOT, C4 "S seq=1000", LP_REASON_FORWARDED);
	rule_counts(RULE, 1, 0, 0);
}
END_TEST

/* ---- how packets are sent ------------------------------------------------ */

#define C5 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B5 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_B5 "tcp 10.8.0.10:$* > 10.8.0.20:9092 "
#define TO_C5 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "
#define C61 "tcp [2001:db8:9::50]:1 > [2001:db8:9::100]:9101 "
#define TO_C61 "tcp [2001:db8:9::100]:9101 > [2001:db8:9::50]:1 "

/* ECN, the two lower bits, is the ends'. */
START_TEST(a_connection_has_its_dscp_both_ways)
{
	rule_put(RULE, 10, "src=10.9.0.50", "allow dscp=46", false);
	rule_put(OTHER, 5, "src=10.9.0.51", "allow dscp=0", false);
	publish();
	plane_in(0, SYN_50);
	plane_expect(1, TO_B5 "S seq=1000 tos=0xb8");
	plane_in(1, B5 "SA seq=5000 ack=1001 tos=0x02");
	plane_expect(0, TO_C5 "SA seq=5000 tos=0xba");
	plane_in(0, C5 "PA seq=1001 ack=5001 len=9 tos=0x29");
	plane_expect(1, TO_B5 "PA len=9 tos=0xb9");
	/* 0 is one, too. */
	plane_in(0, "tcp 10.9.0.51:1 > 10.9.0.100:9100 S seq=1 tos=0xff");
	plane_expect(1, "tcp * > 10.8.0.20:9092 S seq=1 tos=0x03");
	/* Of one that no rule speaks of it stays as it is. */
	plane_in(0, "tcp 10.9.0.52:1 > 10.9.0.100:9100 S seq=1 tos=0xff");
	plane_expect(1, "tcp * > 10.8.0.20:9092 S seq=1 tos=0xff");
	plane_quiet();
}
END_TEST

START_TEST(ipv6_has_it_in_its_traffic_class)
{
	rule_put(RULE, 10, "dst_port=9101", "dscp=33", false);
	publish();
	plane_in(0, C61 "S seq=7 tos=0x03");
	plane_expect(1, "tcp * > [2001:db8:8::21]:9092 S seq=7 tos=0x87");
	/* The flow label is as it was. */
	ck_assert_mem_eq(plane.frame.bytes + 14, "\x68\x75\x00\x00", 4);
	rule_counts(RULE, 1, 0, 0);
}
END_TEST

START_TEST(what_is_open_is_sent_as_rules_say_now)
{
	plane_in(0, SYN_50);
	plane_expect(1, TO_B5 "S seq=1000 tos=0x00");
	rule_put(RULE, 10, "", "allow dscp=10", false);
	publish();
	plane_in(1, B5 "SA seq=5000 ack=1001");
	plane_expect(0, TO_C5 "SA seq=5000 tos=0x28");
	/* It is no new one. */
	rule_counts(RULE, 0, 0, 0);
	plane_restart();
	plane_in(0, C5 "A seq=1001 ack=5001");
	plane_expect(1, TO_B5 "A seq=1001 tos=0x28");
	/* One that is reset now lives on, as if no rule spoke of it. */
	rule_put(OTHER, 20, "src=10.9.0.50", "reset", false);
	publish();
	plane_in(0, C5 "PA seq=1001 ack=5001 len=3 tos=0x04");
	plane_expect(1, TO_B5 "PA seq=1001 tos=0x04");
	rule_counts(OTHER, 0, 0, 0);
}
END_TEST

START_TEST(in_shadow_nothing_is_written)
{
	rule_put(RULE, 10, "", "allow dscp=10", true);
	publish();
	plane_in(0, SYN_50);
	plane_expect(1, TO_B5 "S seq=1000 tos=0x00");
	rule_counts(RULE, 1, 0, 0);
}
END_TEST

/* Its broker goes: both ends hear of it as of what came before. */
START_TEST(a_reset_of_ours_has_it_too)
{
	rule_put(RULE, 10, "", "allow dscp=46", false);
	publish();
	plane_in(0, SYN_50);
	plane_expect(1, TO_B5 "S seq=1000");
	plane_in(1, B5 "SA seq=5000 ack=1001");
	plane_in(0, C5 "A seq=1001 ack=5001");
	plane_forget();
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, LEGACY_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, SEEN_0);
	lp_config_remove(&plane.config, LP_OBJECT_BROKER, PAYMENTS_0);
	plane_publish();
	plane_run();
	plane_expect(1, TO_B5 "R seq=1001 tos=0xb8");
	plane_expect(0, TO_C5 "R seq=5001 tos=0xb8");
}
END_TEST

START_TEST(inline_it_is_all_that_changes)
{
	rule_put(RULE, 10, "listener=payments/seen", "allow dscp=46", false);
	publish();
	plane_in(LEFT_SLOT, C4 "S seq=1000 ttl=1 tos=0x01");
	plane_expect(RIGHT_SLOT, C4 "S seq=1000 ttl=1 tos=0xb9");
	plane_in(RIGHT_SLOT, B4 "SA seq=5000 ack=1001");
	plane_expect(LEFT_SLOT, B4 "SA seq=5000 ttl=64 tos=0xb8");
	/* One that was there before us. */
	plane_in(RIGHT_SLOT,
	    "tcp 10.8.0.20:9092 > 10.8.0.51:7 A seq=1 ack=2 len=10");
	plane_expect(LEFT_SLOT,
	    "tcp 10.8.0.20:9092 > 10.8.0.51:7 A seq=1 len=10 tos=0xb8");
	plane_quiet();
}
END_TEST

/* ---- where they go ------------------------------------------------------- */

/* Of many clients, to that broker, and no other. */
static void
all_go_to(const char *broker)
{
	char text[128], wanted[128];

	snprintf(wanted, sizeof(wanted), "tcp * > %s S seq=1", broker);
	for (unsigned port = 1; port <= 8; port++) {
		snprintf(text, sizeof(text),
		    "tcp 10.9.0.50:%u > 10.9.0.100:9092 S seq=1", port);
		plane_in(0, text);
		plane_expect(1, wanted);
	}
	plane_quiet();
}

START_TEST(a_route_leads_to_that_broker)
{
	rule_put(RULE, 10, "dst_port=9092", "route broker=1 dscp=1", false);
	publish();
	all_go_to("10.7.0.21:9092");
	ck_assert_int_eq(plane_connection(3)->node_id, 1);
	rule_counts(RULE, 8, 0, 0);
	/* They stay, and new ones go where the rule says now. */
	rule_put(RULE, 10, "", "route broker=0", false);
	publish();
	plane_in(0, "tcp 10.9.0.50:3 > 10.9.0.100:9092 S seq=1");
	plane_expect(1, "tcp * > 10.7.0.21:9092 S seq=1");
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(plane_connection(i)->node_id, 1);
	plane_in(0, "tcp 10.9.0.50:17 > 10.9.0.100:9092 S seq=1");
	plane_expect(1, "tcp * > 10.8.0.20:9092 S seq=1");
}
END_TEST

START_TEST(at_a_brokers_own_endpoint_a_route_is_an_allow)
{
	rule_put(RULE, 20, "", "route broker=1", false);
	rule_put(OTHER, 10, "", "reset", false);
	publish();
	plane_in(0, SYN_50);
	plane_expect(1, "tcp * > 10.8.0.20:9092 S seq=1000");
	rule_counts(RULE, 1, 0, 0);
	plane_in(LEFT_SLOT, C4 "S seq=1000");
	plane_expect(RIGHT_SLOT, C4 "S seq=1000");
	rule_counts(RULE, 2, 0, 0);
}
END_TEST

/* It is not taken to another one. */
START_TEST(without_that_broker_who_is_routed_is_refused)
{
	rule_put(RULE, 10, "src=10.9.0.50", "route broker=7", false);
	publish();
	plane_in(0, "tcp 10.9.0.50:1 > 10.9.0.100:9092 S seq=1");
	plane_expect(0, "tcp 10.9.0.100:9092 > 10.9.0.50:1 RA ack=2");
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_NO_BROKER), 1);
	rule_counts(RULE, 1, 1, 0);
	is_let_in("tcp 10.9.0.51:1 > 10.9.0.100:9092 S seq=1");
	rule_put(RULE, 10, "src=10.9.0.50", "route broker=7", true);
	publish();
	is_let_in("tcp 10.9.0.50:1 > 10.9.0.100:9092 S seq=1");
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, bump_open, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_reset_refuses_whom_it_matches_and_nobody_else);
	tcase_add_test(tests, the_first_that_decides_wins);
	tcase_add_test(tests, shadow_and_observe_count_and_let_pass);
	tcase_add_test(tests, who_is_refused_is_told);
	tcase_add_loop_test(
	    tests, every_field_of_connections_is_asked, 0, FIELDS);
	tcase_add_test(
	    tests, at_the_bootstrap_endpoint_the_broker_is_chosen_before);
	tcase_add_test(tests, a_reset_waits_for_requests_where_they_are_judged);
	tcase_add_test(
	    tests, a_reset_that_waits_acts_when_nothing_is_let_any_more);
	tcase_add_test(tests, a_reset_does_not_wait_where_nobody_looks);
	tcase_add_test(tests, what_is_open_stays);
	tcase_add_test(tests, what_nobody_would_serve_is_asked_of_no_rule);
	tcase_add_test(tests, more_observers_than_are_told_are_counted_as_such);
	tcase_add_test(tests, inline_the_other_end_seems_to_refuse);
	tcase_add_test(tests, inline_a_syn_on_what_lives_is_asked_for);
	tcase_add_test(tests, inline_a_syn_that_comes_again_opens_once);
	tcase_add_test(tests, a_connection_has_its_dscp_both_ways);
	tcase_add_test(tests, ipv6_has_it_in_its_traffic_class);
	tcase_add_test(tests, what_is_open_is_sent_as_rules_say_now);
	tcase_add_test(tests, in_shadow_nothing_is_written);
	tcase_add_test(tests, a_reset_of_ours_has_it_too);
	tcase_add_test(tests, inline_it_is_all_that_changes);
	tcase_add_test(tests, a_route_leads_to_that_broker);
	tcase_add_test(tests, at_a_brokers_own_endpoint_a_route_is_an_allow);
	tcase_add_test(tests, without_that_broker_who_is_routed_is_refused);
}

int
main(void)
{
	return plane_main("gate", add);
}
