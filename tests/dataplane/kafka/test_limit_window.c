/* SPDX-License-Identifier: Apache-2.0 */
/* Whose window a limit keeps where it is, and for how long. */
#include <check.h>

#include "dataplane/pipeline/pace.h"
#include "tests/support/edited.h"
#include "tests/support/limited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
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

static const struct lp_pace_side *
side(enum lp_direction sender)
{
	const struct lp_conn *conn = plane.region.connections;

	while (conn->use != LP_CONN_USED)
		conn++;
	if (!(conn->paced & 1u << sender))
		return NULL;
	return &plane.region.kafka.paces[conn - plane.region.connections]
		    .sides[sender];
}

static void
held(enum lp_direction sender, uint64_t wait_ms)
{
	const struct lp_pace_side *is = side(sender);

	if (wait_ms == 0) {
		ck_assert(is == NULL || is->until_ns <= plane.now_ns);
		return;
	}
	ck_assert_ptr_nonnull(is);
	ck_assert_uint_eq(is->until_ns, plane.now_ns + wait_ms * MS);
}

START_TEST(who_sends_too_much_is_held)
{
	limit("api=Produce", "limit requests=1/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	held(LP_TO_BROKER, 0);
	answered(0);
	limited_produce(6, 0, "orders");
	edited_pass(LP_TO_BROKER);
	held(LP_TO_BROKER, 1000);
	for (unsigned i = 0; i < 9; i++) {
		limited_produce(6, 0, "orders");
		edited_pass(LP_TO_BROKER);
	}
	held(LP_TO_BROKER, LP_LIMIT_HELD_MS);
	held(LP_TO_CLIENT, 0);
}
END_TEST

START_TEST(who_may_be_told_to_wait_longer_is_held_longer)
{
	limit("api=Produce", "limit requests=1/s max_throttle=9s");
	edited_publish(LP_UNJUDGED_PASS);
	for (unsigned i = 0; i < 20; i++) {
		limited_produce(6, 0, "orders");
		edited_pass(LP_TO_BROKER);
	}
	held(LP_TO_BROKER, 9000);
}
END_TEST

/* Of small requests a window has room for many. */
START_TEST(a_window_is_of_so_many_requests)
{
	limit("api=Produce", "limit requests=1000/s");
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	ck_assert_uint_eq(
	    side(LP_TO_BROKER)->window, 250 * (uint32_t)edited_sent.len + 1);
}
END_TEST

START_TEST(of_a_fetch_the_broker_is_held_when_it_has_answered)
{
	limit("api=Fetch", "limit bytes=1kB/s burst=200B");
	edited_publish(LP_UNJUDGED_PASS);
	limited_fetch(8);
	edited_pass(LP_TO_BROKER);
	limited_fetch_answer(0);
	edited_pass(LP_TO_CLIENT);
	limited_fetch(8);
	edited_pass(LP_TO_BROKER);
	limited_fetch_answer(LIMITED_ANSWER);
	edited_left_len = 0;
	edited_send_part(LP_TO_CLIENT, 0, LIMITED_ANSWER - 1);
	held(LP_TO_CLIENT, 0);
	edited_send_part(LP_TO_CLIENT, LIMITED_ANSWER - 1, 1);
	edited_has_left();
	held(LP_TO_CLIENT, LIMITED_ANSWER);
	held(LP_TO_BROKER, 0);
}
END_TEST

START_TEST(a_window_is_a_quarter_of_a_second_until_the_rule_goes)
{
	limit("api=Produce", "limit bytes=1MB/s");
	rule_put(OTHER, 5, "api=Produce topic=none", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	answered(0);
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	/* What is no request of this rule's does not say that it has gone. */
	limited_heartbeat();
	edited_pass(LP_TO_BROKER);
	ck_assert_uint_eq(side(LP_TO_BROKER)->window, 250000);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	plane_publish();
	produce();
	/* It may still open, in parts; it is not bound any more. */
	ck_assert(
	    side(LP_TO_BROKER) == NULL || side(LP_TO_BROKER)->window == 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, who_sends_too_much_is_held);
	tcase_add_test(tests, who_may_be_told_to_wait_longer_is_held_longer);
	tcase_add_test(tests, a_window_is_of_so_many_requests);
	tcase_add_test(
	    tests, of_a_fetch_the_broker_is_held_when_it_has_answered);
	tcase_add_test(
	    tests, a_window_is_a_quarter_of_a_second_until_the_rule_goes);
}

int
main(void)
{
	return plane_main("limit_window", add);
}
