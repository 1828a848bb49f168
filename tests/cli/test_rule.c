/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules on the command line: what is sent, where a mistake is shown, what is
 * listed and what is offered.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/change.h"
#include "cli/complete.h"
#include "cli/line.h"
#include "proto/message.h"
#include "tests/cli/support.h"

/* "VERB NAME: FIELDS", or the reason and the lines that show it. */
static const struct row {
	const char *line;
	int status;
	const char *text;
} rows[] = {
    {"add-rule r --priority 9 --match 'topic=pay*  api=fetch' --action observe",
	0,
	"ADD r: name=r priority=9 match=api=Fetch topic=pay* action=observe"},
    {"add-rule r --priority 0 --match '' --action 'dscp=8' --shadow "
     "--may-exist",
	0, "ADD r: name=r priority=0 shadow=1 match= action=allow dscp=8"},
    {"set-rule r --priority 65535", 0, "SET r: priority=65535"},
    {"set-rule r --match src=10.1.2.3/32 --name s", 0,
	"SET r: name=s match=src=10.1.2.3"},
    {"set-rule r --shadow off --action allow", 0,
	"SET r: shadow=0 action=allow"},
    {"set-rule --shadow on r", 0, "SET r: shadow=1"},
    {"set-rule r --shadow=on", 0, "SET r: shadow=1"},
    {"set-rule r --shadow", 0, "SET r: shadow=1"},
    {"del-rule r --if-exists", 0, "DEL r:"},
    {"set-rule r", LP_EXIT_USAGE,
	"set-rule r: nothing to set: give at least one option\n"},
    {"add-rule r --match '' --action allow", LP_EXIT_USAGE,
	"add-rule r: needs --priority N\n"},
    {"add-rule r --priority 1 --action allow", LP_EXIT_USAGE,
	"add-rule r: needs --match FIELDS (\"\" for everything)\n"},
    {"add-rule r --priority 1 --match ''", LP_EXIT_USAGE,
	"add-rule r: needs --action ACTION\n"},
    {"set-rule r --priority 65536", LP_EXIT_REFUSED,
	"set-rule r: priority: \"65536\" is no priority, which is a number "
	"from 0 to 65535\n"},
    {"set-rule r --priority -1", LP_EXIT_REFUSED,
	"set-rule r: priority: \"-1\" is no priority, which is a number from "
	"0 to 65535\n"},
    {"set-rule r --match 'topic=a fooo=1'", LP_EXIT_REFUSED,
	"set-rule r: match: \"fooo\" is no field: did you mean from?\n"
	"  topic=a fooo=1\n"
	"          ^~~~\n"},
    {"set-rule r --match 'client_id=\"grün\" api=Fettch'", LP_EXIT_REFUSED,
	"set-rule r: match: \"Fettch\" is no API of Kafka: did you mean "
	"Fetch?\n"
	"  client_id=\"grün\" api=Fettch\n"
	"                       ^~~~~~\n"},
    {"set-rule r --action 'limit bytes=1MB/s pre=rule'", LP_EXIT_REFUSED,
	"set-rule r: action: \"pre\" is no argument: did you mean "
	"per?\n"
	"  limit bytes=1MB/s pre=rule\n"
	"                    ^~~\n"},
    /* Together they are judged before anything is sent, too. */
    {"add-rule r --priority 1 --match 'group=g  api=Fetch' --action allow",
	LP_EXIT_REFUSED,
	"add-rule r: match: no Fetch has a group: those that have are "
	"OffsetCommit, OffsetFetch, JoinGroup, Heartbeat, LeaveGroup, "
	"SyncGroup, DescribeGroups, AddOffsetsToTxn, TxnOffsetCommit, "
	"DeleteGroups, OffsetDelete, ...\n"
	"  api=Fetch group=g\n"
	"            ^~~~~\n"},
};

static void
write_rule(FILE *out, const Lp__Pb__Operation *op)
{
	static const char *const verbs[] = {"?", "ADD", "SET", "DEL"};
	const Lp__Pb__Rule *rule;

	ck_assert_uint_eq(op->kind, LP_OBJECT_RULE);
	(void)fprintf(out, "%s %s:", verbs[op->verb], op->name);
	if (op->object == NULL)
		return;
	rule = op->object->rule;
	if (rule->name != NULL)
		(void)fprintf(out, " name=%s", rule->name);
	if (rule->has_priority)
		(void)fprintf(out, " priority=%u", rule->priority);
	if (rule->has_shadow)
		(void)fprintf(out, " shadow=%d", rule->shadow);
	if (rule->match != NULL)
		(void)fprintf(out, " match=%s", rule->match);
	if (rule->action != NULL)
		(void)fprintf(out, " action=%s", rule->action);
}

START_TEST(command_becomes_an_operation_or_shows_the_mistake)
{
	const struct row *row = &rows[_i];
	struct support_output out;
	struct support_argv words;
	struct lp_change change;
	struct lp_error error = {0};
	struct lp_lpctl lpctl;
	struct lp_line line;
	int status;

	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	support_argv(&words, row->line);
	ck_assert_msg(lp_line_parse(&line, &lpctl, words.argc, words.argv,
			  &error) == LP_EXIT_OK,
	    "%s", error.text);
	status = lp_change_init(&change, &lpctl, &line.commands[0], 1, &error);
	ck_assert_int_eq(status, row->status);
	if (status == LP_EXIT_OK)
		write_rule(out.file, &change.operation);
	else
		(void)fprintf(out.file, "%s\n%s", error.text, error.shown);
	ck_assert_str_eq(support_output_text(&out), row->text);
	lp_line_fini(&line);
	support_output_close(&out);
}
END_TEST

/* A place in a long text: as much around it as fits a line. */
START_TEST(a_long_text_is_shown_around_the_place)
{
	char text[2048];
	struct lp_error error;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text + 1000, "HERE", 4);
	(void)lp_error_set(&error, LP_EXIT_REFUSED, "no");
	lp_error_show(&error, text, 1001, 4);
	ck_assert_str_eq(error.shown,
	    "  ...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxHERE"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxx...\n"
	    "                                             ^~~~\n");
	/* Its end, and beyond; nothing of what a terminal would obey. */
	lp_error_show(&error, "a\033b", 4, 1);
	ck_assert_str_eq(error.shown, "  a?b\n     ^\n");
	lp_error_show(&error, "", 1, 1);
	ck_assert_str_eq(error.shown, "  \n  ^\n");
	/* No text is too long, whatever its characters. */
	for (size_t i = 0; i + 4 < sizeof(text); i += 4)
		memcpy(text + i, "\xf0\x9f\x90\x9f", 5);
	lp_error_show(&error, text, 1201, 400);
	ck_assert_uint_lt(strlen(error.shown), sizeof(error.shown));
	/* Another error shows nothing of this one. */
	(void)lp_error_set(&error, LP_EXIT_REFUSED, "no");
	ck_assert_str_eq(error.shown, "");
}
END_TEST

static void
make_rule(struct lp_object *object, uint32_t id, const char *name,
    uint32_t priority, const char *match, const char *action)
{
	lp_object_init(object, LP_OBJECT_RULE);
	object->id = id;
	object->rule.priority = priority;
	strcpy(object->rule.name, name);
	strcpy(object->rule.match, match);
	strcpy(object->rule.action, action);
}

enum { OBJECTS = 6 };

static void
reply_rules(struct support_bytes *bytes)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__ShowReply show = LP__PB__SHOW_REPLY__INIT;
	struct lp_message_object holders[OBJECTS];
	Lp__Pb__Object *list[OBJECTS];
	struct lp_object objects[OBJECTS];

	lp_object_init(&objects[0], LP_OBJECT_CLUSTER);
	objects[0].id = 1;
	strcpy(objects[0].cluster.name, "payments");
	lp_object_init(&objects[1], LP_OBJECT_LISTENER);
	objects[1].id = 2;
	objects[1].listener.cluster_id = 1;
	strcpy(objects[1].listener.name, "public");
	ck_assert_int_eq(lp_endpoint_parse(
			     &objects[1].listener.vip, "10.9.0.100:9092", NULL),
	    0);
	objects[1].listener.broker_base = 9093;
	objects[1].listener.unjudged = LP_UNJUDGED_RESET;
	make_rule(&objects[2], 3, "rest", 5, "", "observe");
	make_rule(&objects[3], 4, "scan", 900,
	    "src=10.66.0.0/16,2001:db8::/32 src_port=-1023", "reset");
	make_rule(&objects[4], 5, "slow", 400,
	    "client_id=\"batch \\\"7\\\"\" topic=audit.*",
	    "limit bytes=50MB/s per=client_id");
	objects[4].rule.shadow = true;
	strcpy(objects[4].owner, "team-a");
	make_rule(&objects[5], 6, "equal", 400, "cluster=payments", "allow");
	for (unsigned i = 0; i < OBJECTS; i++)
		list[i] = lp_message_from_object(&holders[i], &objects[i]);
	reply.cookie = SUPPORT_COOKIE;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_SHOW;
	reply.show = &show;
	show.generation = 7;
	show.n_objects = OBJECTS;
	show.objects = list;
	support_bytes_add(bytes, &reply);
}

START_TEST(rules_are_written_in_the_order_they_are_asked)
{
	static const struct {
		const struct lp_output *output;
		const char *ending;
	} outputs[] = {{&lp_output_text, "txt"}, {&lp_output_json, "json"}};
	static struct support_bytes bytes;
	struct support_output out;
	struct lp_replies replies;
	struct lp_error error;
	struct lp_lpctl lpctl;
	struct lp_view view;
	const struct lp_output *output = outputs[_i % 2].output;

	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	reply_rules(&bytes);
	support_replies(&replies, &bytes);
	ck_assert_int_eq(lp_view_init(&view, &replies, &error), LP_EXIT_OK);
	if (_i < 2)
		ck_assert_int_eq(output->rules(&lpctl.print, &view), 0);
	else
		ck_assert_int_eq(output->show(&lpctl.print, &view), 0);
	support_golden(_i < 2 ? "list-rules" : "show-rules",
	    outputs[_i % 2].ending, support_output_text(&out));
	lp_view_fini(&view);
	lp_client_replies_free(&replies);
	support_output_close(&out);
}
END_TEST

/* The language is known without a daemon; names are not. */
static const struct {
	const char *line;
	const char *without, *with;
} candidates[] = {
    {"add-rule x --match ''",
	"cluster=\nlistener=\nbroker=\nport=\nsrc=\nsrc_port=\ndst=\n"
	"dst_port=\nfrom=\napi=\nversion=\nclient_id=\nprincipal=\ntopic=\n"
	"group=\ntransactional_id=\nacks=\nframe_size=\n",
	NULL},
    {"add-rule x --match cl", "cluster=\nclient_id=\n", NULL},
    {"add-rule x --match api=Pro", "api=Produce\n", NULL},
    {"add-rule x --match 'api=Produce,ListO'", "api=Produce,ListOffsets\n",
	NULL},
    {"add-rule x --match 'api=Fetch to'", "api=Fetch topic=\n", NULL},
    {"trace --request ''",
	"from=\napi=\nversion=\nclient_id=\nprincipal=\ntopic=\n"
	"group=\ntransactional_id=\nacks=\nframe_size=\n",
	NULL},
    {"trace --request 'api=Fetch from='",
	"api=Fetch from=client\napi=Fetch from=broker\n", NULL},
    {"trace --req", "--request\n", NULL},
    {"set-rule x --match 'api=Produce acks='",
	"api=Produce acks=0\napi=Produce acks=1\napi=Produce acks=all\n", NULL},
    {"add-rule x --match from=b", "from=broker\n", NULL},
    {"add-rule x --match cluster=", "", "cluster=payments\n"},
    {"add-rule x --match listener=pay", "", "listener=payments/public\n"},
    {"add-rule x --match topic=", "", NULL},
    {"add-rule x --match nonsense=", "", NULL},
    {"add-rule x --action re", "reset\nrequests=\n", NULL},
    {"add-rule x --action 'limit per=c'", "limit per=client_id\n", NULL},
    {"add-rule x --action 'limit by'", "limit bytes=\n", NULL},
    {"set-rule x --shadow=''", "", NULL},
    {"set-rule s", "", "scan\nslow\n"},
    {"del-rule ''", "", "rest\nscan\nslow\nequal\n"},
    {"del-rule scan s", "", NULL},
    {"rule-stats s", "", "scan\nslow\n"},
    {"rule-stats scan a b --all c d s", "", "scan\nslow\n"},
    {"denials --follow s", "", "scan\nslow\n"},
};

START_TEST(words_of_the_language_are_offered)
{
	static struct support_bytes bytes;
	struct support_daemon daemon;
	struct support_output out;
	struct support_argv words;
	struct lp_lpctl lpctl;
	bool with = _i % 2 == 1;
	const char *wanted = candidates[_i / 2].without;

	if (with && candidates[_i / 2].with != NULL)
		wanted = candidates[_i / 2].with;
	reply_rules(&bytes);
	if (with)
		support_daemon_start(&daemon, &bytes, SUPPORT_CLOSE);
	support_output_open(&out);
	support_lpctl(&lpctl, with ? daemon.path : "/nonexistent", &out, NULL);
	support_argv(&words, candidates[_i / 2].line);
	lp_complete_write(&lpctl, words.argc - 1, words.argv + 1);
	ck_assert_str_eq(support_output_text(&out), wanted);
	support_output_close(&out);
	/* Who was not asked waits for ever. */
	if (with)
		support_daemon_stop(&daemon);
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

int
main(void)
{
	Suite *suite = suite_create("rule");
	TCase *tcase = tcase_create("rule");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase,
	    command_becomes_an_operation_or_shows_the_mistake, 0, COUNT(rows));
	tcase_add_test(tcase, a_long_text_is_shown_around_the_place);
	tcase_add_loop_test(
	    tcase, rules_are_written_in_the_order_they_are_asked, 0, 4);
	tcase_add_loop_test(
	    tcase, words_of_the_language_are_offered, 0, 2 * COUNT(candidates));
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
