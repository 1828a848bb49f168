/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes of one configuration another: rows of before, wanted, and the
 * steps.  At random it is in test_plan_random.c.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/support.h"
#include "tests/cli/support_plan.h"

static void
show(char *text, size_t size, const struct lp_plan *plan)
{
	struct support_output out;
	const struct lp_plan_view view = {
	    .plan = plan, .report = support_plan_report, .generation = 7};
	struct lp_lpctl lpctl;

	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	ck_assert_int_eq(lp_output_text.plan(&lpctl.print, &view), 0);
	snprintf(text, size, "%s", support_output_text(&out));
	support_output_close(&out);
}

#define BROKERS                                                                \
	"add port front device=eth1 address=10.9.0.10/24;"                     \
	"add cluster payments; add broker payments 1 to=10.9.0.21:9092;"       \
	"add listener payments public vip=10.9.0.100:9092"

static const struct {
	const char *before, *wanted;
	const char *owners; /* NULL: the whole configuration */
	bool prune;
	const char *steps;
} rows[] = {
    {"", "", NULL, true, "no changes: generation 7 is as declared\n"},
    {BROKERS, BROKERS, NULL, true, "no changes: generation 7 is as declared\n"},
    {"", BROKERS ";add rule r priority=0 match= action=allow", NULL, false,
	"+ port front: device eth1, addresses 10.9.0.10/24\n"
	"+ cluster payments\n"
	"+ listener payments/public: vip 10.9.0.100, port 9092\n"
	"+ broker payments/1: endpoint 10.9.0.21:9092\n"
	"+ rule r: priority 0, match (everything), action allow\n"
	"5 to add, 0 to change, 0 to delete, 0 as declared\n"},
    /* what is not declared stays, unless it is to go */
    {BROKERS ";add rule r priority=1 match=src=10.0.0.0/8 action=reset",
	BROKERS, NULL, false, "no changes: generation 7 is as declared\n"},
    {BROKERS ";add rule r priority=1 match=src=10.0.0.0/8 action=reset",
	BROKERS, NULL, true,
	"- rule r\n0 to add, 0 to change, 1 to delete, 4 as declared\n"},
    /* fields */
    {"add rule r priority=1 match=src=10.0.0.0/8 action=reset",
	"add rule r priority=2 match=src=10.0.0.0/8 action=reset", NULL, true,
	"~ rule r: priority 1 -> 2\n"
	"0 to add, 1 to change, 0 to delete, 0 as declared\n"},
    {"add rule r priority=1 match=src=10.0.0.0/8 action=reset shadow=1",
	"add rule r priority=1 match=src=10.1.0.0/16 action=allow", NULL, true,
	"~ rule r\n    shadow true -> false\n"
	"    match src=10.0.0.0/8 -> src=10.1.0.0/16\n"
	"    action reset -> allow\n"
	"0 to add, 1 to change, 0 to delete, 0 as declared\n"},
    {"add port f device=eth1 address=10.9.0.10/24,fd00::1/64 "
     "gateway=10.9.0.1 route=1",
	"add port f device=eth2 address=10.9.0.10/24 side=client", NULL, true,
	"~ port f\n    device eth1 -> eth2\n"
	"    addresses 10.9.0.10/24, fd00::1/64 -> 10.9.0.10/24\n"
	"    gateway 10.9.0.1 -> none\n    side both -> client\n"
	"    allow_default_route true -> false\n"
	"0 to add, 1 to change, 0 to delete, 0 as declared\n"},
    {BROKERS ";set listener payments public unjudged=reset "
	     "advertise=k.example.com rewrite=off",
	BROKERS, NULL, true,
	"~ listener payments/public\n    rewrite off -> on\n"
	"    advertise k.example.com -> none\n    unjudged reset -> none\n"
	"0 to add, 1 to change, 0 to delete, 3 as declared\n"},
    {BROKERS ";set broker payments 1 at=public@10.9.0.111:9092",
	BROKERS ";add listener payments other vip=10.9.0.101:9092;"
		"set broker payments 1 at=other@10.9.0.112:9092",
	NULL, true,
	"+ listener payments/other: vip 10.9.0.101, port 9092\n"
	"~ broker payments/1\n"
	"    endpoints.other none -> 10.9.0.112:9092\n"
	"    endpoints.public 10.9.0.111:9092 -> none\n"
	"1 to add, 1 to change, 0 to delete, 3 as declared\n"},
    /* what discovery has found stays, and may be taken over */
    {BROKERS ";add broker payments 2 to=10.9.0.22:9092 found=1", BROKERS, NULL,
	true, "no changes: generation 7 is as declared\n"},
    {BROKERS ";add broker payments 2 to=10.9.0.22:9092 found=1",
	BROKERS ";add broker payments 2 to=10.9.0.22:9092", NULL, true,
	"~ broker payments/2: source discovered -> manual\n"
	"0 to add, 1 to change, 0 to delete, 4 as declared\n"},
    {BROKERS ";add broker payments 2 to=10.9.0.22:9092 found=1", "", NULL, true,
	"- broker payments/2\n- broker payments/1\n"
	"- listener payments/public\n- cluster payments\n- port front\n"
	"0 to add, 0 to change, 5 to delete, 0 as declared\n"},
    /* owners: nobody's is taken over, and others' stays */
    {"add rule r priority=1 match= action=reset",
	"add rule r priority=1 match= action=reset owner=a", "a", true,
	"~ rule r: owner none -> a\n"
	"0 to add, 1 to change, 0 to delete, 0 as declared\n"},
    {"add rule r priority=1 match= action=reset owner=b;"
     "add rule s priority=1 match= action=reset owner=a;"
     "add rule t priority=1 match= action=reset",
	"add rule u priority=1 match= action=reset owner=a", "a", true,
	"- rule s\n+ rule u: priority 1, match (everything), action reset, "
	"owner a\n1 to add, 0 to change, 1 to delete, 0 as declared\n"},
    {"add rule r priority=1 match= action=reset owner=b;"
     "add rule s priority=1 match= action=reset owner=a;"
     "add rule t priority=1 match= action=reset",
	"", "a none", true,
	"- rule t\n- rule s\n"
	"0 to add, 0 to change, 2 to delete, 0 as declared\n"},
    {"add rule r priority=1 match= action=reset owner=b;"
     "add rule t priority=1 match= action=reset",
	"", NULL, true,
	"- rule t\n- rule r\n"
	"0 to add, 0 to change, 2 to delete, 0 as declared\n"},
    /* what rules named goes behind them */
    {BROKERS ";add rule r priority=1 match=cluster=payments action=reset",
	"add port front device=eth1 address=10.9.0.10/24;add cluster other;"
	"add rule r priority=1 match=cluster=other action=reset",
	NULL, true,
	"- broker payments/1\n+ cluster other\n"
	"~ rule r: match cluster=payments -> cluster=other\n"
	"- listener payments/public\n- cluster payments\n"
	"1 to add, 1 to change, 3 to delete, 1 as declared\n"},
    /* pairs of ports */
    {"", "add port l device=eth1 peer=r; add port r device=eth2 peer=l", NULL,
	true,
	"+ port l: device eth1, peer r\n+ port r: device eth2, peer l\n"
	"2 to add, 0 to change, 0 to delete, 0 as declared\n"},
    {"add port l device=eth1 peer=r loss=wire;"
     "add port r device=eth2 peer=l loss=wire",
	"add port l device=eth1 peer=m; add port m device=eth2 peer=l", NULL,
	true,
	"~ port l\n    peer r -> m\n    on_loss wire -> drop\n"
	"+ port m: device eth2, peer l\n- port r\n"
	"1 to add, 1 to change, 1 to delete, 0 as declared\n"},
    /* clusters change their places */
    {"add cluster a; add cluster b same=a; add cluster c same=a",
	"add cluster b; add cluster a same=b; add cluster c same=b", NULL, true,
	"~ cluster b: same_as a -> none\n~ cluster c: same_as a -> b\n"
	"~ cluster a: same_as none -> b\n"
	"0 to add, 3 to change, 0 to delete, 0 as declared\n"},
    {"add cluster a; add cluster b same=a; add cluster c same=a",
	"add cluster d; add cluster a same=d", NULL, true,
	"+ cluster d\n~ cluster b: same_as a -> none\n"
	"~ cluster c: same_as a -> none\n~ cluster a: same_as none -> d\n"
	"- cluster c\n- cluster b\n"
	"1 to add, 3 to change, 2 to delete, 0 as declared\n"},
};

START_TEST(steps_are_what_differs)
{
	struct lp_declaration declaration, wanted;
	struct lp_config config, result;
	const struct lp_plan_options options = {.prune = rows[_i].prune};
	struct lp_plan plan;
	char text[2048];

	support_plan_config(&config, rows[_i].before);
	support_plan_declaration(
	    &declaration, rows[_i].wanted, rows[_i].owners);
	support_plan_declaration(&wanted, rows[_i].wanted, rows[_i].owners);
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     &config, &options),
	    0);
	ck_assert_uint_eq(
	    lp_report_count(support_plan_report, LP_SEVERITY_ERROR), 0);
	show(text, sizeof(text), &plan);
	ck_assert_str_eq(text, rows[_i].steps);
	ck_assert(support_plan_run(&result, &config, &plan));
	lp_plan_fini(&plan);
	/* Once it is done there is nothing more to do. */
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &wanted,
			     &result, &options),
	    0);
	ck_assert_uint_eq(plan.count, 0);
	lp_plan_fini(&plan);
	lp_declaration_fini(&declaration);
	lp_declaration_fini(&wanted);
	lp_config_fini(&config);
	lp_config_fini(&result);
}
END_TEST

static const struct {
	const char *before, *wanted, *why;
} refusals[] = {
    {"add port l device=eth1 address=10.9.0.10/24",
	"add port l device=eth1 peer=r; add port r device=eth2 peer=l",
	"port l is there, and a port without a peer, which it stays: delete "
	"it, then add it anew"},
    {"add port l device=eth1 peer=r; add port r device=eth2 peer=l",
	"add port l device=eth1 address=10.9.0.10/24",
	"port l is there, and a port with a peer, which it stays: delete it, "
	"then add it anew"},
    {"add port l device=eth1 peer=r; add port r device=eth2 peer=l;"
     "add port front device=eth3 address=10.9.0.10/24;"
     "add cluster c; add broker c 1 to=10.9.0.21:9092;"
     "add listener c x mode=inline",
	"add port front device=eth3 address=10.9.0.10/24;"
	"add cluster c; add broker c 1 to=10.9.0.21:9092;"
	"add listener c x vip=10.9.0.100:9092",
	"listener c/x is there, and inline, which it stays: delete it, then "
	"add it anew"},
    {"add rule r priority=1 match= action=reset owner=b",
	"add rule r priority=1 match= action=reset owner=a",
	"rule r is there, and of owner b: only files of that owner change it; "
	"\"lpctl set-rule ... --owner\" gives it to another"},
    {"add rule r priority=1 match= action=reset owner=b",
	"add rule r priority=1 match= action=reset",
	"rule r is there, and of owner b: only files of that owner change it; "
	"\"lpctl set-rule ... --owner\" gives it to another"},
};

START_TEST(what_cannot_be_set_is_refused)
{
	const struct lp_plan_options options = {.prune = true};
	struct lp_declaration declaration;
	const struct lp_problem *problems;
	struct lp_config config;
	struct lp_plan plan;
	size_t count;

	support_plan_config(&config, refusals[_i].before);
	support_plan_declaration(&declaration, refusals[_i].wanted, NULL);
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     &config, &options),
	    0);
	problems = lp_report_problems(support_plan_report, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(problems[0].text, refusals[_i].why);
	/* And nothing is deleted in its place. */
	ck_assert_uint_eq(plan.counts[LP_PLAN_SET], 0);
	lp_plan_fini(&plan);
	lp_declaration_fini(&declaration);
	lp_config_fini(&config);
}
END_TEST

/* Of each kind of step one, as it is shown: and what came of it. */
START_TEST(a_plan_is_shown_as_it_was)
{
	static const struct {
		const struct lp_output *output;
		const char *ending;
	} outputs[] = {{&lp_output_text, "txt"}, {&lp_output_json, "json"}};
	Lp__Pb__TransactionReply reply = LP__PB__TRANSACTION_REPLY__INIT;
	struct lp_plan_view view = {.report = support_plan_report,
	    .generation = 7,
	    .is_apply = _i >= 2};
	const struct lp_plan_options options = {.prune = true};
	const struct lp_output *output = outputs[_i % 2].output;
	struct lp_declaration declaration;
	struct support_output out;
	struct lp_config config;
	struct lp_lpctl lpctl;
	struct lp_plan plan;

	support_plan_config(&config,
	    BROKERS ";add rule r priority=1 match= action=reset;"
		    "add rule s priority=2 match=src=10.0.0.0/8 action=reset");
	support_plan_declaration(&declaration,
	    BROKERS ";add rule s priority=3 match=src=10.0.0.0/8 action=allow;"
		    "add broker payments 2 to=10.9.0.22:9092 owner=a",
	    NULL);
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     &config, &options),
	    0);
	view.plan = &plan;
	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	ck_assert_int_eq(output->plan(&lpctl.print, &view), 0);
	if (view.is_apply) {
		reply.generation = 8;
		reply.has_applied = reply.has_connected = true;
		reply.applied = 1;
		reply.connected = 2;
		view.reply = &reply;
		view.confirm_s = 60;
		ck_assert_int_eq(output->plan(&lpctl.print, &view), 0);
	}
	support_golden(view.is_apply ? "apply" : "diff", outputs[_i % 2].ending,
	    support_output_text(&out));
	support_output_close(&out);
	lp_plan_fini(&plan);
	lp_declaration_fini(&declaration);
	lp_config_fini(&config);
}
END_TEST

/* Who is asked first of equal ones is no matter of files. */
START_TEST(an_order_that_files_do_not_make_is_said)
{
	const struct lp_plan_options options = {.prune = true};
	struct lp_declaration declaration;
	const struct lp_problem *problems;
	struct lp_config config;
	struct lp_plan plan;
	size_t count;

	support_plan_config(
	    &config, "add rule b priority=5 match= action=allow");
	support_plan_declaration(&declaration,
	    "add rule a priority=5 match=src=10.0.0.0/8 action=reset;"
	    "add rule b priority=5 match= action=allow;"
	    "add rule c priority=4 match= action=allow",
	    NULL);
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     &config, &options),
	    0);
	ck_assert_uint_eq(
	    lp_report_count(support_plan_report, LP_SEVERITY_ERROR), 0);
	problems = lp_report_problems(support_plan_report, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(problems[0].text,
	    "rule a is asked behind rule b, which is older, though it is "
	    "declared before it: of equal priorities the order in files does "
	    "not count");
	lp_plan_fini(&plan);
	/* It was said then. */
	support_plan_teardown();
	support_plan_setup();
	lp_config_fini(&config);
	support_plan_config(&config,
	    "add rule b priority=5 match= action=allow;"
	    "add rule a priority=5 match=src=10.0.0.0/8 action=reset");
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     &config, &options),
	    0);
	ck_assert_uint_eq(plan.count, 1);
	ck_assert_uint_eq(
	    lp_report_count(support_plan_report, LP_SEVERITY_WARNING), 0);
	lp_plan_fini(&plan);
	lp_declaration_fini(&declaration);
	lp_config_fini(&config);
}
END_TEST

/* ---- names --------------------------------------------------------------- */

static unsigned asked;

static int
resolve(struct lp_ip *ip, const char *host, char *why)
{
	asked++;
	if (strcmp(host, "gone.example.com") == 0) {
		snprintf(why, LP_WHY_SIZE, "there is no such name");
		return -1;
	}
	return lp_ip_parse(ip, "10.9.0.77", why);
}

static void
name_broker(struct lp_declaration *declaration, const char *host)
{
	struct lp_broker_object *broker = NULL;

	for (size_t i = 0; i < declaration->count; i++)
		if (declaration->list[i].object.kind == LP_OBJECT_BROKER)
			broker = &declaration->list[i].object.broker;
	ck_assert_ptr_nonnull(broker);
	memset(broker->host, 0, sizeof(broker->host));
	strcpy(broker->host, host);
	broker->real.ip = (struct lp_ip){0};
}

START_TEST(names_are_resolved_only_where_they_are_new)
{
	const struct lp_plan_options options = {.resolve = resolve};
	struct lp_declaration declaration;
	const struct lp_problem *problems;
	struct lp_config config, named;
	struct lp_plan plan;
	size_t count;

	asked = 0;
	support_plan_config(&config, BROKERS);
	support_plan_declaration(&declaration, BROKERS, NULL);
	name_broker(&declaration, "k.example.com");
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     &config, &options),
	    0);
	ck_assert_uint_eq(asked, 1);
	ck_assert_uint_eq(plan.counts[LP_PLAN_SET], 1);
	ck_assert(support_plan_run(&named, &config, &plan));
	lp_plan_fini(&plan);
	/* It is there now, wherever it leads to today. */
	name_broker(&declaration, "k.example.com");
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     &named, &options),
	    0);
	ck_assert_uint_eq(asked, 1);
	ck_assert_uint_eq(plan.count, 0);
	lp_plan_fini(&plan);
	ck_assert_uint_eq(
	    lp_report_count(support_plan_report, LP_SEVERITY_ERROR), 0);
	name_broker(&declaration, "gone.example.com");
	ck_assert_int_eq(lp_plan_make(&plan, support_plan_report, &declaration,
			     &named, &options),
	    0);
	problems = lp_report_problems(support_plan_report, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(
	    problems[0].text, "broker payments/1: there is no such name");
	ck_assert_uint_eq(plan.count, 0);
	lp_plan_fini(&plan);
	lp_declaration_fini(&declaration);
	lp_config_fini(&config);
	lp_config_fini(&named);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tests = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(
	    tests, support_plan_setup, support_plan_teardown);
	tcase_add_loop_test(
	    tests, steps_are_what_differs, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tests, what_cannot_be_set_is_refused, 0,
	    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_loop_test(tests, a_plan_is_shown_as_it_was, 0, 4);
	tcase_add_test(tests, an_order_that_files_do_not_make_is_said);
	tcase_add_test(tests, names_are_resolved_only_where_they_are_new);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
