/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rule.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A text, and its canonical one. */
static const struct {
	const char *text, *canonical;
} good[] = {
    {"allow", "allow"},
    {"deny", "deny"},
    {"reset", "reset"},
    {"observe", "observe"},
    {"no_create", "no_create"},
    {"route broker=3", "route broker=3"},
    {"limit requests=100/s", "limit requests=100/s"},
    {"limit bytes=50MB/s burst=5MB per=client_id",
	"limit bytes=50MB/s per=client_id"},
    {"limit bytes=50MB/s burst=1MB", "limit bytes=50MB/s burst=1MB"},
    {"limit bytes=1kB/s burst=64kB", "limit bytes=1kB/s"},
    {"limit requests=1/s max_throttle=1500ms",
	"limit requests=1/s max_throttle=1500ms"},
    {"limit requests=1/s max_throttle=1000ms", "limit requests=1/s"},
    {"limit requests=1/s max_throttle=2s",
	"limit requests=1/s max_throttle=2s"},
    {"priority=3", "allow priority=3"},
    {"dscp=46 mirror=tap priority=7", "allow priority=7 dscp=46 mirror=tap"},
    {"limit   bytes=1GB/s     requests=10/s",
	"limit requests=10/s bytes=1GB/s"},
    {"limit bytes=1B/s", "limit bytes=1/s"},
    {"route broker=3 priority=0", "route broker=3 priority=0"},
    {"limit per=rule requests=5/s", "limit requests=5/s"},
};

/* A text, what of it is underlined, and why. */
static const struct {
	const char *text;
	unsigned column, len;
	const char *why;
} bad[] = {
    {"", 1, 1,
	"a verdict is missing: there are allow, deny, reset, limit, observe, "
	"no_create, route"},
    {"route", 1, 5, "route needs broker=N, a node id"},
    {"route broker=", 7, 6,
	"broker has no value: write broker=VALUE, without blanks"},
    {"limit", 1, 5, "limit needs requests=N/s, bytes=SIZE/s or both"},
    {"limit bytes=50MB", 13, 4, "\"50MB\" is no rate: write SIZE/s"},
    {"limit bytes=50Mb/s", 13, 6,
	"\"50Mb\" has no unit that is known: they are B, kB, MB and GB, powers "
	"of ten"},
    {"limit requests=100", 16, 3, "\"100\" is no rate: write N/s"},
    {"limit requests=0/s", 16, 3, "requests is from 1 to 1000000000"},
    {"limit requests=1000000001/s", 16, 12, "requests is from 1 to 1000000000"},
    {"limit requests=1kB/s", 16, 5, "\"1kB\" is no number"},
    {"limit requests=1/s burst=1MB", 1, 5,
	"burst is of bytes: add bytes=SIZE/s"},
    {"limit requests=1/s max_throttle=0s", 33, 2,
	"max_throttle is from 1ms to 60s"},
    {"limit requests=1/s max_throttle=61s", 33, 3,
	"max_throttle is from 1ms to 60s"},
    {"limit requests=1/s max_throttle=1m", 33, 2,
	"\"1m\" has no unit that is known: they are ms and s"},
    {"limit requests=1/s per=client", 24, 6,
	"a limit is not per \"client\": there are rule, client_id, principal"},
    {"limit requests=1/s requests=2/s", 20, 8, "requests is there twice"},
    {"allow priority=8", 16, 1, "priority is from 0 to 7"},
    {"allow dscp=64", 12, 2, "dscp is from 0 to 63"},
    {"allow mirror=a/b", 14, 3,
	"\"a/b\" is no name: it has letters, digits, '.', '_' and '-' only"},
    {"deny priority=3", 6, 8,
	"deny has no priority: allow, limit and route have"},
    {"allow burst=1MB", 7, 5, "allow has no burst: limit has"},
    {"burst=1MB", 1, 5, "burst belongs to limit: write limit burst=..."},
    {"broker=1", 1, 6, "broker belongs to route: write route broker=..."},
    {"denny", 1, 5, "\"denny\" is no verdict: did you mean deny?"},
    {"forbid", 1, 6,
	"\"forbid\" is no verdict: there are allow, deny, reset, limit, "
	"observe, no_create, route"},
    {"deny=1", 1, 4,
	"deny takes no value: write deny alone, and its arguments behind it"},
    {"allow deny", 7, 4, "deny is a verdict: there is one, and it comes first"},
    {"allow now", 7, 3,
	"\"now\" is no argument: there are requests, bytes, burst, "
	"max_throttle, per, broker, priority, dscp, mirror"},
    {"=3", 1, 1,
	"\"=\" is no verdict: there are allow, deny, reset, limit, observe, "
	"no_create, route"},
    {"allow =3", 7, 1,
	"\"=\" is no argument: there are requests, bytes, burst, max_throttle, "
	"per, broker, priority, dscp, mirror"},
    {"limit reqests=1/s", 7, 7,
	"\"reqests\" is no argument: did you mean requests?"},
    {"route broker=99999999999", 14, 11, "broker is from 0 to 2147483647"},
    {"limit bytes=1000GB/s burst=999999999999B max_throttle=59999ms "
     "per=client_id priority=7 dscp=63 "
     "mirror=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	1, 165, "the action has more than 159 bytes"},
    {"limit bytes=999999999999B/s requests=999999999/s burst=999999999999B "
     "max_throttle=59999ms per=client_id priority=7 dscp=63 "
     "mirror=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	1, 193, "the action has more than 159 bytes"},
    {"limit bytes=/s", 13, 2, "\"\" is no number"},
    {"limit bytes=18446744073709551616/s", 13, 22,
	"\"18446744073709551616\" is too large"},
    {"limit bytes=18446744073709551615GB/s", 13, 24,
	"\"18446744073709551615GB\" is too large"},
    {"allow dscp=-1", 12, 2, "\"-1\" is no number"},
    {"allow dscp=07", 12, 2, "\"07\" begins with 0"},
    {"allow mirror=", 7, 6,
	"mirror has no value: write mirror=VALUE, without blanks"},
    {"observe dscp=1", 9, 4,
	"observe has no dscp: allow, limit and route have"},
    {"no_create priority=1", 11, 8,
	"no_create has no priority: allow, limit and route have"},
    {"reset mirror=x", 7, 6,
	"reset has no mirror: allow, limit and route have"},
    {"ALLOW", 1, 5, "\"ALLOW\" is no verdict: did you mean allow?"},
    {"allow\x07", 6, 1, "the control character 0x07 is not for rules"},
};

START_TEST(a_text_becomes_its_canonical_one)
{
	struct lp_rule_action action, again;
	struct lp_rule_error error = {0};
	char text[LP_RULE_ACTION_SIZE], twice[LP_RULE_ACTION_SIZE];

	ck_assert_msg(lp_rule_action_parse(&action, good[_i].text, &error) == 0,
	    "%s", error.why);
	ck_assert_str_eq(
	    lp_rule_action_print(text, &action), good[_i].canonical);
	ck_assert_int_eq(lp_rule_action_parse(&again, text, &error), 0);
	ck_assert_mem_eq(&again, &action, sizeof(action));
	ck_assert_str_eq(lp_rule_action_print(twice, &again), text);
}
END_TEST

START_TEST(what_is_wrong_is_underlined)
{
	struct lp_rule_action action;
	struct lp_rule_error error = {0};

	ck_assert_int_eq(
	    lp_rule_action_parse(&action, bad[_i].text, &error), -EINVAL);
	ck_assert_str_eq(error.why, bad[_i].why);
	ck_assert_uint_eq(error.column, bad[_i].column);
	ck_assert_uint_eq(error.len, bad[_i].len);
}
END_TEST

START_TEST(what_is_not_said_is_filled_in)
{
	struct lp_rule_action action;
	struct lp_rule_error error;

	ck_assert_int_eq(
	    lp_rule_action_parse(&action, "limit bytes=50MB/s", &error), 0);
	ck_assert_uint_eq(action.bytes_per_s, 50000000);
	ck_assert_uint_eq(action.burst_bytes, 5000000);
	ck_assert_uint_eq(action.max_throttle_ms, 1000);
	ck_assert_uint_eq(action.requests_per_s, 0);
	ck_assert_uint_eq(action.per, LP_RULE_PER_RULE);
	ck_assert_int_eq(
	    lp_rule_action_parse(&action, "limit bytes=9kB/s", &error), 0);
	ck_assert_uint_eq(action.burst_bytes, 64000);
	ck_assert_int_eq(
	    lp_rule_action_parse(&action, "dscp=46 mirror=tap", &error), 0);
	ck_assert_uint_eq(action.verdict, LP_RULE_ALLOW);
	ck_assert_uint_eq(action.has, LP_RULE_HAS_DSCP | LP_RULE_HAS_MIRROR);
	ck_assert_uint_eq(action.dscp, 46);
	ck_assert_str_eq(action.mirror, "tap");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rule_action");
	TCase *tcase = tcase_create("rule_action");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, a_text_becomes_its_canonical_one, 0,
	    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tcase, what_is_wrong_is_underlined, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, what_is_not_said_is_filled_in);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
