/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in transactions: what is taken, refused, and said of them.
 */
#include "transaction.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/model_note_rule.h"

static struct lp_config config;
static uint32_t next_id;

static void
setup(void)
{
	lp_config_init(&config);
	next_id = 1;
	apply(&config, &next_id, basic);
}

static void
teardown(void)
{
	lp_config_fini(&config);
}

/* "NAME PRIORITY [shadow] MATCH: ACTION", one a line, by id. */
static void
rules_are(const char *wanted)
{
	char text[4096] = "";
	size_t first, len = 0, count;

	count = lp_config_range(&config, LP_OBJECT_RULE, &first);
	for (size_t i = first; i < first + count; i++) {
		const struct lp_rule_object *rule = &config.objects[i].rule;

		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s %u %s%s: %s\n", rule->name, rule->priority,
		    rule->shadow ? "shadow " : "", rule->match, rule->action);
	}
	ck_assert_str_eq(text, wanted);
}

START_TEST(rules_are_added_set_and_deleted)
{
	apply(&config, &next_id,
	    "add rule a priority=9 match=topic=x+api=fetch action=observe;"
	    "add rule b priority=0 match= action=+allow shadow=1");
	rules_are("a 9 api=Fetch topic=x: observe\nb 0 shadow : allow\n");
	apply(&config, &next_id, "set rule a priority=10");
	apply(&config, &next_id, "set rule b shadow=0 match=src=10.0.0.0/8");
	rules_are(
	    "a 10 api=Fetch topic=x: observe\nb 0 src=10.0.0.0/8: allow\n");
	apply(&config, &next_id, "set rule b name=c action=reset");
	rules_are(
	    "a 10 api=Fetch topic=x: observe\nc 0 src=10.0.0.0/8: reset\n");
	apply(&config, &next_id, "del rule a; del rule x if=1");
	rules_are("c 0 src=10.0.0.0/8: reset\n");
	apply(&config, &next_id,
	    "add rule c priority=0 match=src=10.0.0.0/8 action=reset may=1");
	rules_are("c 0 src=10.0.0.0/8: reset\n");
}
END_TEST

/* One transaction may use a name again and again. */
START_TEST(names_become_free_within_a_transaction)
{
	apply(&config, &next_id,
	    "add rule a priority=1 match= action=observe;"
	    "del rule a; add rule a priority=2 match= action=observe;"
	    "set rule a name=b; add rule a priority=3 match= action=observe;"
	    "del rule b; set rule a name=b; set rule b name=c;"
	    "set rule c priority=4");
	rules_are("c 4 : observe\n");
}
END_TEST

/* So many that each in a pass of its own would be felt, in any order. */
START_TEST(very_many_come_and_go)
{
	static char text[LP_COMMANDS_MAX * 64];
	size_t len = 0;

	for (unsigned i = 0; i < LP_COMMANDS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "add rule r%u priority=%u match= action=observe;", i, i);
	apply(&config, &next_id, text);
	len = 0;
	/* 2731 and 4096 have no divisor in common. */
	for (unsigned i = 0; i < LP_COMMANDS_MAX - 2; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "del rule r%u;", (i * 2731 + 7) % LP_COMMANDS_MAX);
	apply(&config, &next_id, text);
	rules_are("r1372 1372 : observe\nr2737 2737 : observe\n");
}
END_TEST

/* All places taken: what one leaves another takes, in one transaction. */
START_TEST(a_full_table_takes_one_for_another)
{
	size_t first;
	struct lp_object rule;

	lp_object_init(&rule, LP_OBJECT_RULE);
	strcpy(rule.rule.action, "observe");
	for (unsigned i = 0; i < LP_RULES_MAX; i++) {
		snprintf(rule.rule.name, sizeof(rule.rule.name), "r%u", i);
		rule.id = next_id++;
		ck_assert_int_eq(lp_config_put(&config, &rule), 0);
	}
	apply(&config, &next_id,
	    "del rule r7; add rule x priority=1 match= action=observe");
	ck_assert_uint_eq(
	    lp_config_range(&config, LP_OBJECT_RULE, &first), LP_RULES_MAX);
	ck_assert_ptr_null(
	    lp_config_find_name(&config, LP_OBJECT_RULE, 0, "r7"));
	ck_assert_ptr_nonnull(
	    lp_config_find_name(&config, LP_OBJECT_RULE, 0, "x"));
}
END_TEST

/* A name as long as can be, but for its first character. */
#define LONG "_long_name_of_a_rule_that_has_sixty_three_characters__________"

static const struct {
	const char *before; /* applied first */
	const char *text;
	const char *wanted; /* "place object: field: why" */
} refusals[] = {
    {NULL, "add rule", "1 rule ?: name: missing"},
    {NULL, "add rule r match= action=observe", "1 rule r: priority: missing"},
    {NULL, "add rule r priority=1 action=observe", "1 rule r: match: missing"},
    {NULL, "add rule r priority=1 match=", "1 rule r: action: missing"},
    {NULL, "add rule -r priority=1 match= action=observe",
	"1 rule -r: name: must not start with '-'"},
    {NULL, "add rule r priority=65536 match= action=observe",
	"1 rule r: priority: 65536 is not 0..65535"},
    {NULL, "add cluster x; add rule r priority=1 match=topc=a action=observe",
	"2 rule r: match: column 1: \"topc\" is no field: did you mean topic?"},
    {NULL, "add rule r priority=1 match= action=alow",
	"1 rule r: action: column 1: \"alow\" is no verdict: did you mean "
	"allow?"},
    {NULL, "add rule r priority=1 match=cluster=paiments action=observe",
	"1 rule r: match: there is no cluster paiments (did you mean "
	"payments?)"},
    {NULL,
	"add cluster x; add rule r priority=1 match=api=Heartbeat "
	"action=limit+requests=1/s",
	"2 rule r: action: limit, of an API whose delay breaks groups or "
	"logins: this version cannot do that yet; in shadow it counts "
	"what it would concern"},
    {NULL, "add rule r priority=1 match=api=Fetch action=allow",
	"1 rule r: match: acts on requests of listener payments/public, which "
	"has not said what becomes of bytes that cannot be judged "
	"(unjudged pass or reset)"},
    {"add rule limits priority=1 match= action=observe",
	"set rule limit priority=2",
	"1 rule limit: : there is no rule limit (did you mean limits?)"},
    {"add rule r priority=1 match= action=observe", "del rule q;",
	"1 rule q: : there is no rule q"},
    {"add rule r priority=1 match= action=observe", "del rule r; del rule r",
	"2 rule r: : there is no rule r"},
    {"add rule r priority=1 match= action=observe",
	"add rule r priority=1 match= action=observe",
	"1 rule r: : exists already"},
    {"add rule r priority=1 match= action=observe",
	"add rule r priority=2 match= action=observe may=1",
	"1 rule r: : exists already, and differs"},
    {"add rule r priority=1 match= action=observe;"
     "add rule s priority=1 match= action=observe",
	"set rule r name=s",
	"1 rule r: name: is already taken by another rule"},
    {"add rule r priority=1 match=api=Heartbeat "
     "action=limit+requests=1/s shadow=1",
	"set rule r shadow=0",
	"1 rule r: action: limit, of an API whose delay breaks groups or "
	"logins: this version cannot do that yet; in shadow it counts "
	"what it would concern"},
    {"add rule r priority=1 match=listener=payments/public action=observe;"
     "add rule s priority=1 match=api=Fetch+listener=payments/public "
     "action=observe; add rule t priority=1 match=client_id=payments/public "
     "action=observe",
	"del listener payments public",
	"1 listener payments/public: : delete first: rule r, rule s"},
    {"add rule r priority=1 match=port=front action=observe", "del port front",
	"1 port front: : delete first: rule r"},
    {"add rule 1" LONG " priority=1 match=port=front action=observe;"
     "add rule 2" LONG " priority=1 match=port=front action=observe;"
     "add rule 3" LONG " priority=1 match=port=front action=observe",
	"del port front",
	"1 port front: : delete first: rule 1" LONG ", rule 2" LONG
	", rule 3" LONG},
    {"add rule 1" LONG " priority=1 match=port=front action=observe;"
     "add rule 2" LONG " priority=1 match=port=front action=observe;"
     "add rule 3" LONG " priority=1 match=port=front action=observe;"
     "add rule 4" LONG " priority=1 match=port=front action=observe",
	"del port front",
	"1 port front: : delete first: rule 1" LONG ", rule 2" LONG
	", rule 3" LONG " ..."},
    {"add rule r priority=1 match= action=allow+mirror=front shadow=1",
	"del port front", "1 port front: : delete first: rule r"},
    {"add cluster x; add rule r priority=1 match=cluster=payments,x "
     "action=observe",
	"add cluster y; del cluster x", "2 cluster x: : delete first: rule r"},
    {"add cluster x; add rule r priority=1 match=cluster=x action=observe",
	"set cluster x name=y; del cluster y",
	"2 cluster y: : delete first: rule r"},
};

START_TEST(what_does_not_fit_is_refused)
{
	Lp__Pb__ControlRequest *request;
	struct lp_model_change change;
	char found[1024];

	if (refusals[_i].before != NULL)
		apply(&config, &next_id, refusals[_i].before);
	request = make_transaction(refusals[_i].text);
	ck_assert_int_eq(lp_model_apply(&change, &config, next_id,
			     request->transaction->operations,
			     request->transaction->n_operations),
	    -EINVAL);
	snprintf(found, sizeof(found), "%u %s: %s: %s", change.error.place,
	    change.error.object, change.error.field, change.error.why);
	ck_assert_str_eq(found, refusals[_i].wanted);
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}
END_TEST

START_TEST(what_no_rule_names_any_more_goes)
{
	apply(&config, &next_id,
	    "add cluster x; add rule r priority=1 match=cluster=x "
	    "action=observe; add rule s priority=1 match=port=front "
	    "action=observe");
	apply(&config, &next_id, "del rule r; del cluster x");
	apply(&config, &next_id,
	    "set rule s match=src=10.0.0.0/8; del listener payments public;"
	    "del port front");
	rules_are("s 1 src=10.0.0.0/8: observe\n");
}
END_TEST

START_TEST(rules_follow_a_new_name)
{
	apply(&config, &next_id,
	    "add cluster pay; add listener pay in mode=inline;"
	    "add rule a priority=1 match=cluster=payments,pay+topic=payments* "
	    "action=observe;"
	    "add rule b priority=1 match=listener=payments/public,pay/in+"
	    "client_id=\"payments/public+x\"+api=Fetch action=observe;"
	    "add rule c priority=1 match=port=front "
	    "action=allow+mirror=front shadow=1;"
	    "add rule d priority=1 match=client_id=front,payments "
	    "action=observe");
	apply(&config, &next_id,
	    "set cluster payments name=p; set port front name=outside;"
	    "set listener p public name=pub");
	rules_are("a 1 cluster=p,pay topic=payments*: observe\n"
		  "b 1 listener=p/pub,pay/in api=Fetch "
		  "client_id=\"payments/public x\": observe\n"
		  "c 1 shadow port=outside: allow mirror=outside\n"
		  "d 1 client_id=front,payments: observe\n");
	/* Names that change places, one after another. */
	apply(&config, &next_id,
	    "set cluster p name=tmp; set cluster pay name=p; "
	    "set cluster tmp name=pay");
	rules_are("a 1 cluster=pay,p topic=payments*: observe\n"
		  "b 1 listener=pay/pub,p/in api=Fetch "
		  "client_id=\"payments/public x\": observe\n"
		  "c 1 shadow port=outside: allow mirror=outside\n"
		  "d 1 client_id=front,payments: observe\n");
}
END_TEST

START_TEST(a_rule_that_would_become_too_long_keeps_the_name)
{
	Lp__Pb__ControlRequest *request;
	struct lp_model_change change;
	char text[1024];
	size_t len;

	len = (size_t)snprintf(text, sizeof(text),
	    "add rule r priority=1 match=cluster=payments+topic=t");
	for (int i = 0; i < 47; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, ",t%08d", i);
	snprintf(text + len, sizeof(text) - len, " action=observe");
	apply(&config, &next_id, text);
	request = make_transaction(
	    "set cluster payments name=a-name-that-takes-many-more-letters");
	ck_assert_int_eq(lp_model_apply(&change, &config, next_id,
			     request->transaction->operations,
			     request->transaction->n_operations),
	    -EINVAL);
	ck_assert_str_eq(change.error.field, "name");
	ck_assert_str_eq(change.error.why,
	    "rule r names it, and would become longer than 511 characters");
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}
END_TEST

static const struct {
	const char *before;
	const char *text;
	const char *wanted; /* notes, one a line */
} notes[] = {
    {NULL, "add rule r priority=1 match=broker=1 action=observe", ""},
    {NULL, "add rule r priority=1 match=broker=1,7 action=observe",
	"rule r: there is no broker 7 yet\n"},
    {NULL, "add rule r priority=1 match=broker=5-9 action=observe",
	"rule r: there is no broker from 5 to 9 yet\n"},
    {NULL,
	"add cluster x; add rule r priority=1 match=cluster=x+broker=1 "
	"action=observe",
	"rule r: there is no broker 1 yet\n"},
    {"set listener payments public unjudged=pass",
	"add rule r priority=1 match=listener=payments/public+api=Produce "
	"action=limit+bytes=1MB/s",
	"rule r: limits at each dataplane by itself: two of them let pass "
	"twice as much\n"},
    {NULL,
	"add rule r priority=1 match=api=Produce action=limit+bytes=1MB/s "
	"shadow=1",
	""},
    /* Hidden by what was there, and by what comes in the same change. */
    {"add rule wide priority=9 match=src=10.0.0.0/8 action=allow",
	"add rule r priority=8 match=src=10.1.0.0/16 action=reset",
	"rule r: can never match: hidden by rule wide (priority 9), which is "
	"asked first\n"},
    {NULL,
	"add rule r priority=8 match=src=10.1.0.0/16 action=reset;"
	"add rule wide priority=9 match=src=10.0.0.0/8 action=allow",
	"rule r: can never match: hidden by rule wide (priority 9), which is "
	"asked first\n"},
    /* Hides what was there. */
    {"add rule r priority=8 match=src=10.1.0.0/16 action=reset",
	"add rule wide priority=9 match=src=10.0.0.0/8 action=allow",
	"rule r: can never match: hidden by rule wide (priority 9), which is "
	"asked first\n"},
    /* Of equal priorities the older one is asked first. */
    {"add rule a priority=8 match= action=allow",
	"add rule b priority=8 match= action=reset",
	"rule b: can never match: hidden by rule a (priority 8), which is "
	"asked first\n"},
    /* These let others have their turn. */
    {"add rule a priority=9 match= action=observe",
	"add rule b priority=8 match= action=reset", ""},
    {"add rule a priority=9 match= action=allow shadow=1",
	"add rule b priority=8 match= action=reset", ""},
    {"add rule a priority=7 match= action=allow",
	"add rule b priority=8 match=src=10.0.0.0/8 action=reset", ""},
    {"add rule a priority=9 match=src=10.1.0.0/16 action=allow",
	"add rule b priority=8 match=src=10.0.0.0/8 action=reset", ""},
    /* What was not touched was said before. */
    {"add rule a priority=9 match= action=allow;"
     "add rule b priority=8 match= action=reset",
	"add rule c priority=10 match=src=10.0.0.0/8 action=allow", ""},
    /* Set twice, said once. */
    {"add rule a priority=9 match= action=allow",
	"add rule b priority=7 match= action=reset; set rule b priority=8",
	"rule b: can never match: hidden by rule a (priority 9), which is "
	"asked first\n"},
};

static void
notes_are(const char *text, const char *wanted)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);
	struct lp_model_change change;
	char found[4096] = "";

	ck_assert_int_eq(lp_model_apply(&change, &config, next_id,
			     request->transaction->operations,
			     request->transaction->n_operations),
	    0);
	for (size_t i = 0; i < change.note_count; i++) {
		strcat(found, change.notes[i]);
		strcat(found, "\n");
	}
	ck_assert_str_eq(found, wanted);
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}

START_TEST(notes_say_what_an_operator_should_know)
{
	if (notes[_i].before != NULL)
		apply(&config, &next_id, notes[_i].before);
	notes_are(notes[_i].text, notes[_i].wanted);
}
END_TEST

/* More than is looked at: it is said, and where it ends. */
static const struct {
	unsigned count; /* of values that all of them have */
	const char *wanted;
} long_searches[] = {
    {0,
	"rule r902: from here on, 3194 of 4096 rules were not looked at to "
	"find those that can never match\n"},
    {60,
	"rule r4: from here on, 4092 of 4096 rules were not looked at to find "
	"those that can never match\n"},
};

START_TEST(a_search_that_ends_early_says_so)
{
	static char text[LP_COMMANDS_MAX * (LP_RULE_MATCH_SIZE + 80)];
	char values[LP_RULE_MATCH_SIZE] = "";
	size_t len = 0;

	for (unsigned i = 0; i < long_searches[_i].count; i++)
		len += (size_t)snprintf(
		    values + len, sizeof(values) - len, "%u,", 99 - i);
	len = 0;
	for (unsigned i = 0; i < LP_COMMANDS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "add rule r%u priority=%u match=src_port=%s%u "
		    "action=allow;",
		    i, LP_COMMANDS_MAX - i, values, 1000 + i);
	notes_are(text, long_searches[_i].wanted);
}
END_TEST

START_TEST(very_many_at_once_are_not_all_compared)
{
	enum { MANY = 16386 };
	static char text[MANY * 64];
	size_t len = 0;

	for (unsigned i = 0; i < MANY; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "add rule r%u priority=1 match= action=observe;", i);
	notes_are(text,
	    "rule r16383: the last of this change that was compared with "
	    "others: whether 2 newer ones can ever match was not looked at\n");
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

int
main(void)
{
	Suite *suite = suite_create("model_rule");
	TCase *tcase = tcase_create("model_rule");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, rules_are_added_set_and_deleted);
	tcase_add_test(tcase, names_become_free_within_a_transaction);
	tcase_add_test(tcase, very_many_come_and_go);
	tcase_add_test(tcase, very_many_at_once_are_not_all_compared);
	tcase_add_test(tcase, a_full_table_takes_one_for_another);
	tcase_add_loop_test(
	    tcase, what_does_not_fit_is_refused, 0, COUNT(refusals));
	tcase_add_test(tcase, what_no_rule_names_any_more_goes);
	tcase_add_test(tcase, rules_follow_a_new_name);
	tcase_add_test(tcase, a_rule_that_would_become_too_long_keeps_the_name);
	tcase_add_loop_test(
	    tcase, notes_say_what_an_operator_should_know, 0, COUNT(notes));
	tcase_add_loop_test(
	    tcase, a_search_that_ends_early_says_so, 0, COUNT(long_searches));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
