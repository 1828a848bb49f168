/* SPDX-License-Identifier: Apache-2.0 */
/* What rules limit: whom a request is charged to, and what its client is told;
 * however segments cut it. */
#include "dataplane/kafka/limit.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/proto/objects.h"
#include "tests/support/edited.h"
#include "tests/support/limited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	INIT_PRODUCER_ID = 22,
	/* A time whose bytes are 0, 0, 4 and 0xd2. */
	DELAY = 1234,
};

static void
limit(const char *match, const char *action)
{
	rule_put(RULE, 10, match, action, false);
}

static void
produce(void)
{
	limited_produce(6, 1, "orders");
	edited_pass(LP_TO_BROKER);
}

static void
answered(int32_t told_ms)
{
	limited_produce_answer(0, told_ms);
	edited_pass(LP_TO_CLIENT);
}

/* Its second request owes more than anybody is told to wait. */
static void
owe(void)
{
	limit("api=Produce", "limit requests=1/s max_throttle=1234ms");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 5; i++) {
		produce();
		answered(i == 0 ? 0 : i == 1 ? 1000 : DELAY);
	}
}

/* What the broker tells, on either side of every byte of ours. */
static const int32_t times[] = {0, 1, 999, 1000, 0x400, 0x4d1, 0x4d2, 0x4d3,
    0x500, 0x5ff, 0x10000, 0x10001, 0x1000000, INT32_MAX};

START_TEST(the_longer_time_is_told_wherever_a_segment_ends)
{
	int32_t brokers = times[_i];
	int32_t told = brokers > DELAY ? brokers : DELAY;
	size_t len;

	owe();
	limited_produce_answer(brokers, told);
	len = edited_sent.len;
	for (size_t cut = 0; cut < len; cut++) {
		produce();
		limited_produce_answer(brokers, told);
		edited_pass_cut(LP_TO_CLIENT, cut);
	}
	produce();
	limited_produce_answer(brokers, told);
	edited_left_len = 0;
	for (size_t i = 0; i < len; i++)
		edited_send_part(LP_TO_CLIENT, i, 1);
	edited_has_left();
	ck_assert_uint_eq(KAFKA_COUNTER(answers_throttled),
	    brokers < DELAY ? 4 + len + 1 : 4);
	/* What the client was told is what is counted. */
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
}
END_TEST

/* And whatever of it is sent, at whatever time. */
START_TEST(what_comes_again_is_told_in_the_same_way)
{
	size_t len;

	owe();
	produce();
	limited_produce_answer(3, DELAY);
	len = edited_sent.len;
	edited_send_part(LP_TO_CLIENT, 0, len - 1);
	edited_send_part(LP_TO_CLIENT, len - 1, 1);
	for (unsigned i = 0; i < 300; i++) {
		plane_wait_ms(50);
		edited_again(LP_TO_CLIENT, 1);
	}
}
END_TEST

START_TEST(who_waits_is_told_the_rest_of_it)
{
	limit("api=Produce", "limit requests=1/s max_throttle=60s");
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	answered(0);
	produce();
	plane_wait_ms(300);
	answered(700);
	produce();
	plane_wait_ms(1700);
	answered(0);
	rule_counts(RULE, 0, 0, 3);
	ck_assert_uint_eq(lp_count_get(&rule_stats(RULE)->delayed), 2);
	ck_assert_uint_eq(lp_count_get(&rule_stats(RULE)->delayed_ns),
	    (1000 + 1700) * (uint64_t)MS);
	/* All is paid, and one may pass at once. */
	plane_wait_ms(1000);
	produce();
	answered(0);
}
END_TEST

START_TEST(bytes_of_a_request_are_charged)
{
	size_t len;

	limit("api=Produce", "limit bytes=1kB/s burst=1B max_throttle=60s");
	edited_publish(LP_UNJUDGED_PASS);
	plane_wait_ms(1000);
	limited_produce(6, 1, "orders");
	len = edited_sent.len;
	edited_pass(LP_TO_BROKER);
	/* Of one that is over a burst of a byte is at hand. */
	answered((int32_t)len - 1);
	produce();
	answered((int32_t)(2 * len) - 1);
}
END_TEST

static void
fetch(int16_t version, int32_t told_ms)
{
	limited_fetch(version);
	edited_pass(LP_TO_BROKER);
	limited_fetch_answer(told_ms);
	edited_pass(LP_TO_CLIENT);
}

START_TEST(of_a_fetch_the_answer_is_charged)
{
	limit("api=Fetch", "limit bytes=1kB/s burst=200B max_throttle=60s");
	edited_publish(LP_UNJUDGED_PASS);
	fetch(8, 0);
	fetch(8, LIMITED_ANSWER);
	fetch(8, 2 * LIMITED_ANSWER);
	ck_assert_uint_eq(lp_count_get(&rule_stats(RULE)->delayed), 2);
	ck_assert_uint_eq(lp_count_get(&rule_stats(RULE)->delayed_ns),
	    (1 + 2) * LIMITED_ANSWER * (uint64_t)MS);
	/* A client of before KIP-219 would not wait, and is not told. */
	fetch(7, 0);
	plane_wait_ms(1000);
	fetch(8, 0);
}
END_TEST

/* Version 15, whose replica id comes last, in a tag; without topics. */
static void
fetch_late(int32_t told_ms)
{
	kafka_request(&edited_sent, FETCH, 15, 7, limited_client, true);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 500);
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 1 << 20);
	kafka_int8(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, -1);
	kafka_int8(&edited_sent, 1);
	kafka_int8(&edited_sent, 1);
	kafka_compact(&edited_sent, "");
	kafka_int8(&edited_sent, 0);
	edited_same();
	edited_end();
	edited_pass(LP_TO_BROKER);
	kafka_response(&edited_sent, 7, true);
	edited_wanted.len = 0;
	edited_same();
	edited_int32(0, told_ms);
	kafka_int16(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int8(&edited_sent, 1);
	kafka_int8(&edited_sent, 0);
	edited_same();
	edited_end();
	edited_pass(LP_TO_CLIENT);
}

START_TEST(a_client_at_a_brokers_address_is_limited)
{
	limit("api=Fetch", "limit requests=1/s max_throttle=60s");
	put(&plane.config,
	    make_broker(PAYMENTS_1, PAYMENTS, 1, "10.9.0.50:9092"));
	edited_publish(LP_UNJUDGED_PASS);
	fetch_late(0);
	fetch_late(1000);
	rule_counts(RULE, 0, 0, 2);
	/* And one that says of itself that it is one is not. */
	limit("api=Fetch from=broker", "limit requests=1/s");
	plane_publish();
	fetch_late(0);
	fetch_late(0);
}
END_TEST

START_TEST(the_head_of_an_answer_may_be_cut_anywhere)
{
	limit("api=Fetch", "limit bytes=1kB/s burst=200B max_throttle=1234ms");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 10; i++)
		fetch(8, i < 7 ? (int32_t)i * LIMITED_ANSWER : DELAY);
	for (size_t cut = 1; cut < LIMITED_ANSWER; cut++) {
		limited_fetch(8);
		edited_pass(LP_TO_BROKER);
		limited_fetch_answer(DELAY);
		edited_pass_cut(LP_TO_CLIENT, cut);
	}
}
END_TEST

START_TEST(clients_of_old_versions_are_told_nothing)
{
	limit("api=Produce", "limit requests=1/s");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 3; i++) {
		limited_produce(5, 1, "orders");
		edited_pass(LP_TO_BROKER);
		answered(0);
	}
	ck_assert_uint_eq(lp_count_get(&rule_stats(RULE)->delayed), 2);
	ck_assert_int_eq(lp_limit_obeyed(PRODUCE), 6);
	ck_assert_int_eq(lp_limit_obeyed(FETCH), 8);
	ck_assert_int_eq(lp_limit_obeyed(INIT_PRODUCER_ID), 1);
	ck_assert_int_eq(lp_limit_obeyed(METADATA), -1);
	ck_assert_int_eq(lp_limit_obeyed(LIMITED_HEARTBEAT), -1);
	ck_assert_int_eq(lp_limit_obeyed(AUTHENTICATE), -1);
	ck_assert_int_eq(lp_limit_obeyed(VERSIONS), -1);
}
END_TEST

START_TEST(heartbeats_are_counted_and_not_charged)
{
	limit("", "limit requests=1/s");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 3; i++) {
		limited_heartbeat();
		edited_pass(LP_TO_BROKER);
		kafka_response(&edited_sent, 7, false);
		kafka_int16(&edited_sent, 0);
		edited_wanted.len = 0;
		edited_same();
		edited_end();
		edited_pass(LP_TO_CLIENT);
	}
	rule_counts(RULE, 0, 0, 3);
	produce();
	answered(0);
	ck_assert_uint_eq(lp_count_get(&rule_stats(RULE)->delayed), 0);
}
END_TEST

START_TEST(what_is_not_answered_is_charged)
{
	limit("api=Produce", "limit requests=1/s max_throttle=60s");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 3; i++) {
		limited_produce(6, 0, "orders");
		edited_pass(LP_TO_BROKER);
	}
	produce();
	answered(3000);
}
END_TEST

START_TEST(only_what_matches_is_charged)
{
	limit(
	    "api=Produce topic=orders", "limit requests=1/s max_throttle=60s");
	rule_put(OTHER, 20, "client_id=batch", "allow", false);
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	answered(0);
	for (unsigned i = 0; i < 3; i++) {
		limited_produce(6, 1, "others");
		edited_pass(LP_TO_BROKER);
		answered(0);
		limited_client = "batch";
		produce();
		answered(0);
		limited_client = "web-1";
	}
	produce();
	answered(1000);
	rule_counts(RULE, 0, 0, 2);
}
END_TEST

/* Of topics that match more rules than are counted, and one that limits. */
static void
produce_to_many(void)
{
	char topic[16];

	kafka_request(&edited_sent, PRODUCE, 6, 7, "web-1", false);
	edited_wanted.len = 0;
	kafka_string(&edited_sent, NULL);
	kafka_int16(&edited_sent, 1);
	kafka_int32(&edited_sent, 1000);
	kafka_int32(&edited_sent, LP_JUDGED_MAX + 3);
	for (unsigned i = 0; i < LP_JUDGED_MAX + 3; i++) {
		snprintf(topic, sizeof(topic), "%s-%u",
		    i < LP_JUDGED_MAX ? "topic" : "limited", i);
		kafka_string(&edited_sent, topic);
		kafka_int32(&edited_sent, 0);
	}
	edited_same();
	edited_end();
	edited_pass(LP_TO_BROKER);
}

START_TEST(who_matches_many_rules_is_charged_once)
{
	char match[40];

	for (unsigned i = 0; i < LP_JUDGED_MAX; i++) {
		snprintf(match, sizeof(match), "topic=topic-%u", i);
		rule_put(OTHER + i, OTHER + i, match, "observe", false);
	}
	limit("api=Produce topic=limited*",
	    "limit requests=1/s max_throttle=60s");
	edited_publish(LP_UNJUDGED_PASS);
	produce_to_many();
	answered(0);
	produce_to_many();
	answered(1000);
	rule_counts(RULE, 0, 0, 2);
	ck_assert_uint_eq(KAFKA_COUNTER(rules_uncounted), 2);
}
END_TEST

START_TEST(what_is_in_shadow_delays_nobody)
{
	rule_put(RULE, 10, "api=Produce", "limit requests=1/s", true);
	rule_put(OTHER, 5, "api=Produce topic=none", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 3; i++) {
		produce();
		answered(0);
	}
	rule_counts(RULE, 0, 0, 3);
	ck_assert_uint_eq(lp_count_get(&rule_stats(RULE)->delayed), 0);
}
END_TEST

START_TEST(each_client_has_its_own)
{
	limit(
	    "api=Produce", "limit requests=1/s per=client_id max_throttle=60s");
	edited_publish(LP_UNJUDGED_PASS);
	for (int32_t i = 0; i < 3; i++) {
		limited_client = "web-1";
		produce();
		answered(i * 1000);
		limited_client = "web-2";
		produce();
		answered(i * 1000);
		limited_client = NULL;
		produce();
		answered(i * 1000);
	}
	limited_client = "web-1";
	ck_assert_uint_eq(KAFKA_COUNTER(buckets), 3);
}
END_TEST

static void
name(const char *as)
{
	struct lp_kafka_conn *conn = plane.region.kafka.conns;

	while (conn->mode != LP_KAFKA_LIVE)
		conn++;
	conn->flags &= (uint8_t)~LP_KAFKA_NAMED;
	if (as == NULL)
		return;
	conn->flags |= LP_KAFKA_NAMED;
	conn->name_len = (uint8_t)strlen(as);
	strcpy(conn->name, as);
}

START_TEST(each_principal_has_its_own)
{
	limit(
	    "api=Produce", "limit requests=1/s per=principal max_throttle=60s");
	edited_publish(LP_UNJUDGED_PASS);
	for (int32_t i = 0; i < 3; i++) {
		name("alice");
		limited_client = i == 1 ? "web-1" : "web-2";
		produce();
		answered(i * 1000);
		name("bob");
		produce();
		answered(i * 1000);
		name(NULL);
		produce();
		answered(i * 1000);
	}
	limited_client = "web-1";
}
END_TEST

/* The answer belongs to the bucket that its request was charged to. */
START_TEST(rules_may_change_while_an_answer_is_on_its_way)
{
	limit("api=Fetch", "limit bytes=1kB/s burst=200B max_throttle=60s");
	rule_put(OTHER, 5, "api=Produce topic=none", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	fetch(8, 0);
	limited_fetch(8);
	edited_pass(LP_TO_BROKER);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	plane_publish();
	limited_fetch_answer(LIMITED_ANSWER);
	edited_pass(LP_TO_CLIENT);
	fetch(8, 0);
	/* It owes those bytes still, and pays them at another rate. */
	limit("api=Fetch", "limit bytes=2kB/s burst=200B max_throttle=60s");
	plane_publish();
	fetch(8, LIMITED_ANSWER / 2 + LIMITED_ANSWER / 2);
}
END_TEST

START_TEST(a_successor_charges_no_answer_to_another)
{
	limit("api=Fetch", "limit bytes=1kB/s burst=200B max_throttle=60s");
	edited_publish(LP_UNJUDGED_PASS);
	fetch(8, 0);
	limited_fetch(8);
	edited_pass(LP_TO_BROKER);
	plane.seed += UINT64_C(1) << 40;
	plane_restart();
	limited_fetch_answer(0);
	edited_pass(LP_TO_CLIENT);
	/* It begins with what may pass at once. */
	fetch(8, 0);
	fetch(8, LIMITED_ANSWER);
}
END_TEST

/* What its broker is bound to; 0: it is not. */
static uint32_t
bound(void)
{
	uint32_t i = 0;

	while (plane.region.connections[i].use != LP_CONN_USED)
		i++;
	if (!(plane.region.connections[i].paced & 1u << LP_TO_CLIENT))
		return 0;
	return plane.region.kafka.paces[i].sides[LP_TO_CLIENT].window;
}

/* It is bound by answers of Fetch; others say when that is over. */
START_TEST(the_broker_of_who_fetches_no_more_is_not_bound_for_ever)
{
	limit("api=Fetch", "limit bytes=1MB/s");
	rule_put(OTHER, 5, "api=Produce topic=none", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	limited_fetch(8);
	edited_pass(LP_TO_BROKER);
	limited_fetch_answer(0);
	edited_pass(LP_TO_CLIENT);
	ck_assert_uint_eq(bound(), 250000);
	produce();
	answered(0);
	ck_assert_uint_eq(bound(), 250000);
	if (_i == 0) {
		plane_wait_ms(5000);
	} else {
		lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
		plane_publish();
	}
	plane_forget();
	produce();
	answered(0);
	ck_assert_uint_eq(bound(), 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests,
	    the_longer_time_is_told_wherever_a_segment_ends, 0,
	    (int)(sizeof(times) / sizeof(times[0])));
	tcase_add_test(tests, what_comes_again_is_told_in_the_same_way);
	tcase_add_test(tests, who_waits_is_told_the_rest_of_it);
	tcase_add_test(tests, bytes_of_a_request_are_charged);
	tcase_add_test(tests, of_a_fetch_the_answer_is_charged);
	tcase_add_test(tests, a_client_at_a_brokers_address_is_limited);
	tcase_add_test(tests, the_head_of_an_answer_may_be_cut_anywhere);
	tcase_add_test(tests, clients_of_old_versions_are_told_nothing);
	tcase_add_test(tests, heartbeats_are_counted_and_not_charged);
	tcase_add_test(tests, what_is_not_answered_is_charged);
	tcase_add_test(tests, only_what_matches_is_charged);
	tcase_add_test(tests, who_matches_many_rules_is_charged_once);
	tcase_add_test(tests, what_is_in_shadow_delays_nobody);
	tcase_add_test(tests, each_client_has_its_own);
	tcase_add_test(tests, each_principal_has_its_own);
	tcase_add_test(tests, rules_may_change_while_an_answer_is_on_its_way);
	tcase_add_test(tests, a_successor_charges_no_answer_to_another);
	tcase_add_loop_test(tests,
	    the_broker_of_who_fetches_no_more_is_not_bound_for_ever, 0, 2);
}

int
main(void)
{
	return plane_main("limit", add);
}
