/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rule.h"

#include <check.h>
#include <stdlib.h>

static bool
covers(const char *left, const char *right)
{
	struct lp_rule_match a, b;
	struct lp_rule_error error;

	ck_assert_msg(lp_rule_match_parse(&a, left, &error) == 0, "%s: %s",
	    left, error.why);
	ck_assert_msg(lp_rule_match_parse(&b, right, &error) == 0, "%s: %s",
	    right, error.why);
	return lp_rule_covers(&a, &b);
}

static const struct {
	const char *a, *b;
} yes[] = {
    {"", ""},
    {"", "topic=a"},
    {"", "src=10.0.0.0/8"},
    {"from=client", "topic=a"},
    {"from=any", "topic=a"},
    {"from=any topic=a", "from=broker topic=a"},
    {"topic=a", "topic=a group=b"},
    {"topic=pay*", "topic=pay,payments,pay-*"},
    {"topic=*", "topic=a*,b"},
    {"topic=b,a", "topic=a,b"},
    {"client_id=\"\"", "client_id=\"\" topic=a"},
    {"version=1-3,4-", "version=2-9"},
    {"version=5-,-4", "version=0-"},
    {"version=0-", "topic=a"}, /* every request has one */
    {"src_port=1-", ""},
    {"src_port=1024-,-1023", "dst_port=80"},
    {"frame_size=-1MB,1000001-", "from=client"},
    {"src=10.0.0.0/8", "src=10.1.0.0/16,10.2.0.1"},
    {"src=10.0.0.0/9,10.128.0.0/9", "src=10.0.0.0/8"},
    {"src=0.0.0.0/1,128.0.0.0/1", "src=0.0.0.0/0"},
    {"src=::/1,8000::/1", "src=::/0,2001:db8::1"},
    {"src=10.0.0.0/32,10.0.0.1/32,10.0.0.2/31", "src=10.0.0.0/30"},
    {"api=Fetch,Produce", "api=Produce"},
    {"acks=all,1", "acks=-1"},
    {"cluster=a", "listener=a/x cluster=a"},
};

START_TEST(what_lies_in_it_is_covered)
{
	ck_assert(covers(yes[_i].a, yes[_i].b));
}
END_TEST

static const struct {
	const char *a, *b;
} no[] = {
    {"topic=a", ""},
    {"from=client", ""}, /* of a connection, before any request */
    {"version=0-", ""},
    {"", "from=broker"}, /* which is for rules that say so */
    {"", "from=any topic=a"},
    {"topic=a", "from=any topic=a"},
    {"from=client", "from=any"},
    {"from=broker", "topic=a"},
    {"client_id=*", "topic=a"}, /* it may be null */
    {"topic=pay", "topic=pay*"},
    {"topic=pay*", "topic=pa"},
    {"topic=pay*", "topic=*"},
    {"topic=a,b", "topic=a,b,c"},
    {"version=1-3,5-", "version=2-9"},
    {"version=1-", "topic=a"},
    {"broker=0-", "src_port=1"}, /* none may be chosen yet */
    {"src=10.0.0.0/9,10.129.0.0/16", "src=10.0.0.0/8"},
    {"src=0.0.0.0/0", "src=::/0"},
    {"src=::/0", "src=10.0.0.1"},
    {"src=0.0.0.0/0,::/0", ""},
    {"acks=0,1", "acks=all"},
    {"topic=a group=b", "topic=a"},
    {"api=Fetch", "topic=a"},
    {"src=10.0.0.1", "dst=10.0.0.1"},
};

START_TEST(what_may_lie_outside_is_not_covered)
{
	ck_assert(!covers(no[_i].a, no[_i].b));
}
END_TEST

/*
 * Prefixes of IPv6 up to the mapped addresses, one by one: what is behind those
 * is not covered, though IPv6 has no address there.
 */
START_TEST(a_walk_does_not_end_at_ipv4)
{
	static const char most[] =
	    "dst=::/81,::8000:0:0/82,::c000:0:0/83,::e000:0:0/84,"
	    "::f000:0:0/85,::f800:0:0/86,::fc00:0:0/87,::fe00:0:0/88,"
	    "::ff00:0:0/89,::ff80:0:0/90,::ffc0:0:0/91,::ffe0:0:0/92,"
	    "::fff0:0:0/93,::fff8:0:0/94,::fffc:0:0/95,::fffe:0:0/96";

	ck_assert(covers(most, "dst=::fffe:0:0/96"));
	ck_assert(!covers(most, "dst=::/0"));
	ck_assert(!covers(most, "dst=::/79"));
}
END_TEST

static const struct {
	const char *a, *action, *b;
	bool hides;
} pairs[] = {
    {"", "allow", "topic=a", true},
    {"", "reset", "src=10.0.0.1", true},
    {"topic=a", "allow", "topic=a group=b", true},
    {"topic=a", "allow", "topic=b", false},
    {"topic=a", "limit requests=1/s", "topic=a group=b", true},
    {"", "observe", "topic=a", false},
    {"", "no_create", "api=Metadata", false},
    {"", "route broker=1", "topic=a", false},
    {"", "route broker=1", "src=10.0.0.1", true},
    {"", "allow priority=1", "topic=a", false},
    {"", "limit requests=1/s dscp=1", "topic=a", false},
    {"", "allow dscp=1", "port=a", true},
    {"topic=a", "deny", "topic=a group=b", false}, /* not all can be denied */
    {"topic=a", "deny", "topic=a api=Fetch", false},
    {"api=Fetch,Produce", "deny", "topic=a api=Fetch", true},
    {"api=OffsetCommit", "deny", "api=OffsetCommit", false}, /* 0 is left */
    {"api=OffsetCommit", "deny", "api=OffsetCommit version=1-", true},
    {"api=OffsetCommit", "deny", "api=OffsetCommit version=0,3", false},
    {"api=Metadata", "deny", "api=Metadata", false}, /* may name no topic */
    {"api=Metadata", "deny", "api=Metadata version=0", true},
    {"api=JoinGroup", "deny", "api=JoinGroup group=a", true},
};

START_TEST(a_rule_that_decides_hides_what_it_covers)
{
	struct lp_rule_match a, b;
	struct lp_rule_action action;
	struct lp_rule_error error;

	ck_assert_int_eq(lp_rule_match_parse(&a, pairs[_i].a, &error), 0);
	ck_assert_int_eq(lp_rule_match_parse(&b, pairs[_i].b, &error), 0);
	ck_assert_int_eq(
	    lp_rule_action_parse(&action, pairs[_i].action, &error), 0);
	ck_assert(lp_rule_hides(&a, &action, &b) == pairs[_i].hides);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rule_covers");
	TCase *tcase = tcase_create("rule_covers");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(
	    tcase, what_lies_in_it_is_covered, 0, sizeof(yes) / sizeof(yes[0]));
	tcase_add_loop_test(tcase, what_may_lie_outside_is_not_covered, 0,
	    sizeof(no) / sizeof(no[0]));
	tcase_add_loop_test(tcase, a_rule_that_decides_hides_what_it_covers, 0,
	    sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_test(tcase, a_walk_does_not_end_at_ipv4);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
