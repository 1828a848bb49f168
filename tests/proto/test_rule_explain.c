/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rule_explain.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "proto/apis.h"
#include "tests/proto/rules.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"

enum { RANDOM_RULES = 30000 };

static struct lp_rule_match match, request;
static struct lp_rule_action action;
static struct lp_rule_subject subject;
static struct lp_ip ip;

static void
parse(struct lp_rule_match *out, const char *text)
{
	struct lp_rule_error error;

	ensure(lp_rule_match_parse(out, text, &error) == 0, "%s: %s", text,
	    error.why);
}

static void
act(const char *text)
{
	struct lp_rule_error error;

	ensure(lp_rule_action_parse(&action, text, &error) == 0, "%s: %s", text,
	    error.why);
}

/* A connection of payments/public to broker 1, without a port. */
static void
connect_from(const char *src)
{
	memset(&subject, 0, sizeof(subject));
	lp_rule_subject_text(&subject, LP_RULE_CLUSTER, "payments", 8);
	lp_rule_subject_text(&subject, LP_RULE_LISTENER, "payments/public", 15);
	lp_rule_subject_number(&subject, LP_RULE_BROKER, 1);
	lp_rule_subject_number(&subject, LP_RULE_SRC_PORT, 51000);
	lp_rule_subject_number(&subject, LP_RULE_DST_PORT, 9092);
	ensure(lp_ip_parse(&ip, src, NULL) == 0, "%s", src);
	lp_rule_subject_ip(&subject, LP_RULE_SRC, &ip);
	ensure(lp_ip_parse(&ip, "10.9.0.100", NULL) == 0, "an address");
	lp_rule_subject_ip(&subject, LP_RULE_DST, &ip);
}

static void
ask(const char *text, uint16_t part)
{
	struct lp_rule_error error;

	parse(&request, text);
	ensure(lp_rule_request_check(&request, &error) == 0, "%s: %s", text,
	    error.why);
	ensure(part < lp_rule_request_parts(&request), "%s: its parts", text);
	connect_from("10.1.0.1");
	lp_rule_request_take(&subject, &request, part);
}

/* ---- words --------------------------------------------------------------- */

static const struct {
	const char *request; /* NULL: of the connection */
	const char *match;
	const char *action;
	const char *text;
} reasons[] = {
    {NULL, "", "allow", "it holds for everything"},
    {NULL, "src=10.1.0.0/16", "allow", "src 10.1.0.1 is in 10.1.0.0/16"},
    {NULL, "src=10.2.0.0/16", "allow", "src 10.1.0.1 is not in 10.2.0.0/16"},
    {NULL, "src=10.2.0.0/16,10.1.0.1", "allow", "src is 10.1.0.1"},
    {NULL, "src=10.2.0.0/16,fd00::1", "reset",
	"src 10.1.0.1 is not in 10.2.0.0/16,fd00::1"},
    {NULL, "src=10.1.0.2", "reset", "src 10.1.0.1 is not 10.1.0.2"},
    {NULL, "cluster=payments src_port=1024- broker=1", "reset",
	"cluster is payments, broker is 1, src_port 51000 is in 1024-"},
    /* The first one that does not. */
    {NULL, "listener=payments/batch src=10.9.9.9", "reset",
	"listener payments/public is not payments/batch"},
    {NULL, "port=front", "reset", "the connection has no port"},
    {"api=Produce", "", "limit requests=5/s", "it holds for everything"},
    {"api=Produce topic=orders acks=all", "api=Fetch,Produce topic=ord*",
	"deny", "api is Produce, topic orders is in ord*"},
    {"api=Produce client_id=app", "client_id=pay*,\"a b\"", "deny",
	"client_id app is not in pay*,\"a b\""},
    {"api=Produce client_id=\"a b\"", "client_id=a", "deny",
	"client_id \"a b\" is not a"},
    {"api=Metadata", "topic=*", "deny", "the request has no topic"},
    {"api=EndTxn transactional_id=t", "transactional_id=t", "deny",
	"it cannot be denied: that leaves the transaction hanging; deny "
	"InitProducerId with a transactional_id instead"},
    {"api=Fetch", "version=3-5", "deny", "its version is not given"},
    {"api=Fetch version=4 topic=a", "version=3-5", "deny",
	"version 4 is in 3-5"},
    /* Without an API it is of what can be denied. */
    {"api=Fetch client_id=a", "client_id=a", "deny",
	"it cannot be denied: it names no topic"},
    {"api=Metadata", "src=10.1.0.1", "deny",
	"it cannot be denied: it names no topic"},
    {"api=DescribeGroups group=g", "group=g", "deny",
	"it cannot be denied: nothing in it can be refused; use reset (an "
	"AdminClient tries again until its timeout)"},
    {"api=OffsetCommit version=0 topic=a group=g", "group=g", "deny",
	"it cannot be denied: versions like this one are not"},
    {"api=ConsumerGroupHeartbeat group=g topic=a", "topic=a", "deny",
	"it cannot be denied: its topics come behind what would be edited"},
    {"api=ConsumerGroupHeartbeat group=g topic=a", "group=g", "deny",
	"group is g"},
    {"api=StreamsGroupHeartbeat group=g topic=a", "topic=a", "deny",
	"it cannot be denied: its topics come behind what would be edited"},
    {"api=ShareGroupHeartbeat group=g topic=a", "group=g", "deny",
	"group is g"},
    {"api=InitProducerId", "src=10.1.0.1", "deny",
	"it cannot be denied: it has no transactional id"},
    {"api=Fetch from=broker", "topic=a", "deny",
	"a broker asks, and it is of clients"},
    {"api=Fetch from=broker", "src=10.1.0.1", "reset", "src is 10.1.0.1"},
    {"api=Fetch from=broker", "from=any", "observe", "from broker is in any"},
    {"api=Produce acks=all", "acks=0,1", "observe", "acks all is not in 0,1"},
    {"api=Produce", "frame_size=1MB-", "observe",
	"frame_size 100 is not in 1MB-"},
    {"api=Produce frame_size=2MB", "frame_size=1MB-", "observe",
	"frame_size 2MB is in 1MB-"},
    {"api=JoinGroup group=g principal=User:a client_id=c",
	"client_id=c principal=User:* group=g", "observe",
	"client_id is c, principal User:a is in User:*, group is g"},
};

START_TEST(a_reason_names_the_fields)
{
	char text[LP_RULE_REASON_SIZE];

	if (reasons[_i].request != NULL)
		ask(reasons[_i].request, 0);
	else
		connect_from("10.1.0.1");
	parse(&match, reasons[_i].match);
	act(reasons[_i].action);
	ck_assert_str_eq(
	    lp_rule_explain(text, &match, &action, &subject), reasons[_i].text);
}
END_TEST

/* Characters stay whole, and dots say that there is more. */
START_TEST(what_is_too_long_ends_in_dots)
{
	char text[LP_RULE_REASON_SIZE], of[LP_RULE_MATCH_SIZE];
	char name[201] = "", asked[300];

	for (size_t i = 0; i < 200; i += 2)
		memcpy(name + i, "\xc3\xa9", 2);
	for (size_t lead = 0; lead < 4; lead++) {
		size_t len;

		snprintf(asked, sizeof(asked), "api=Fetch client_id=%.*s%.200s",
		    (int)lead, "xyz", name);
		snprintf(of, sizeof(of), "client_id=%.190s,%.*s%.180s", name,
		    (int)lead, "abc", name);
		ask(asked, 0);
		parse(&match, of);
		act("deny");
		lp_rule_explain(text, &match, &action, &subject);
		len = strlen(text);
		ck_assert_str_eq(text + len - 3, "...");
		ck_assert_uint_eq(0xa9, (uint8_t)text[len - 4]);
		ck_assert_ptr_nonnull(strstr(text, "\xc3\xa9... is not in "));
	}
	/* And the whole of it has an end. */
	ask("api=JoinGroup "
	    "client_id=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
	    "principal=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
	    "group=cccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
	    0);
	parse(&match, "client_id=a* principal=b* group=c*");
	lp_rule_explain(text, &match, &action, &subject);
	ck_assert_uint_lt(strlen(text), LP_RULE_REASON_SIZE);
	ck_assert_ptr_nonnull(strstr(text, "... is in b*, group c"));
}
END_TEST

/* ---- effects --------------------------------------------------------- */

static const struct {
	const char *request;
	const char *action;
	const char *text;
} effects[] = {
    {NULL, "reset", ""},
    {NULL, "limit requests=5/s dscp=46", "its packets have DSCP 46, both ways"},
    {NULL, "route broker=3 priority=0 dscp=1",
	"at the bootstrap endpoint it goes to broker 3; its packets have "
	"priority 0 at a port that is full, both ways; its packets have DSCP "
	"1, both ways"},
    {NULL, "dscp=1 mirror=tap",
	"its packets have DSCP 1, both ways; copies of its packets leave by "
	"port tap"},
    {"api=Produce topic=a", "dscp=46", ""},
    {NULL, "route broker=3", "at the bootstrap endpoint it goes to broker 3"},
    {NULL, "route broker=3 dscp=0",
	"at the bootstrap endpoint it goes to broker 3; its packets have DSCP "
	"0, both ways"},
    {"api=Produce topic=a", "allow", ""},
    {"api=Produce topic=a", "limit requests=5/s", ""},
    {"api=Fetch", "limit requests=5/s", ""},
    {"api=Fetch topic=a", "limit requests=5/s",
	"charged in its answer: the bytes of records of the topic, and once "
	"that it has any; the whole answer may be charged to a limit without "
	"topic=, too"},
    {"api=ShareFetch topic=a", "limit bytes=1MB/s",
	"charged in its answer: the bytes of records of the topic, and once "
	"that it has any; the whole answer may be charged to a limit without "
	"topic=, too"},
    {"api=Produce topic=a", "reset", "RST to both ends of its connection"},
    {"api=Produce topic=a", "deny",
	"bit 30 of its partition indexes is set; answered "
	"TOPIC_AUTHORIZATION_FAILED (29)"},
    {"api=Produce", "deny", "none: it names no topic"},
    {"api=Fetch topic=a from=broker", "deny",
	"none: what brokers ask each other is not denied"},
    {"api=Metadata", "no_create", "allow_auto_topic_creation becomes 0"},
    {"api=Metadata version=3", "no_create",
	"none: versions below 4 do not say whether topics are created"},
    {"api=Fetch", "no_create", "none: it is of Metadata"},
    {"api=JoinGroup group=g", "deny",
	"session_timeout_ms becomes 0; answered GROUP_AUTHORIZATION_FAILED "
	"(30)"},
    {"api=StreamsGroupHeartbeat group=g", "deny",
	"member_epoch becomes -3; answered GROUP_AUTHORIZATION_FAILED (30)"},
    {"api=InitProducerId", "deny", "none: it has no transactional id"},
    {"api=InitProducerId transactional_id=t", "deny",
	"transaction_timeout_ms becomes 2147483647; answered "
	"TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53)"},
    {"api=OffsetCommit version=0 topic=a", "deny",
	"none: it is not denied in version 0"},
    {"api=OffsetFetch version=5 topic=a", "deny",
	"nothing but the answer is edited; answered "
	"TOPIC_AUTHORIZATION_FAILED (29)"},
};

START_TEST(an_effect_says_what_is_edited_and_answered)
{
	char text[LP_RULE_REASON_SIZE];

	if (effects[_i].request != NULL)
		ask(effects[_i].request, 0);
	else
		connect_from("10.1.0.1");
	act(effects[_i].action);
	parse(&match, effects[_i].request != NULL ? effects[_i].request : "");
	ck_assert_str_eq(
	    lp_rule_effect(text, &match, &action, &subject), effects[_i].text);
}
END_TEST

static const struct {
	const char *match, *request, *text;
} owners[] = {
    {"group=g", "api=OffsetCommit group=g topic=a",
	"bit 28 of its partition indexes is set; answered "
	"GROUP_AUTHORIZATION_FAILED (30)"},
    {"group=g topic=a", "api=OffsetCommit group=g topic=a",
	"bit 30 of its partition indexes is set; answered "
	"TOPIC_AUTHORIZATION_FAILED (29)"},
    {"transactional_id=t", "api=Produce transactional_id=t topic=a",
	"bit 27 of its partition indexes is set; answered "
	"TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53)"},
    {"group=g", "api=ShareFetch group=g topic=a",
	"bit 30 of its partition indexes is set; answered "
	"TOPIC_AUTHORIZATION_FAILED (29)"},
    {"group=g", "api=OffsetFetch group=g topic=a",
	"nothing but the answer is edited; answered "
	"TOPIC_AUTHORIZATION_FAILED (29)"},
};

START_TEST(an_effect_says_whether_a_group_or_a_topic_is_denied)
{
	char text[LP_RULE_REASON_SIZE];

	ask(owners[_i].request, 0);
	parse(&match, owners[_i].match);
	act("deny");
	ck_assert_str_eq(
	    lp_rule_effect(text, &match, &action, &subject), owners[_i].text);
}
END_TEST

/* What can be denied has an edit, and of the rest it is said why not. */
START_TEST(every_api_has_an_effect_or_a_reason)
{
	char text[LP_RULE_REASON_SIZE];

	act("deny");
	parse(&match, "");
	for (int64_t api = 0; api < lp_apis_table_count; api++) {
		if (lp_apis_get(api) == NULL)
			continue;
		connect_from("10.1.0.1");
		subject.is_request = true;
		lp_rule_subject_number(&subject, LP_RULE_FROM, 0);
		lp_rule_subject_number(&subject, LP_RULE_API, api);
		lp_rule_subject_text(&subject, LP_RULE_TOPIC, "a", 1);
		lp_rule_subject_text(&subject, LP_RULE_GROUP, "g", 1);
		lp_rule_subject_text(
		    &subject, LP_RULE_TRANSACTIONAL_ID, "t", 1);
		lp_rule_effect(text, &match, &action, &subject);
		ck_assert_msg((strncmp(text, "none: ", 6) == 0) ==
			(lp_rule_deny_fault(api) != NULL),
		    "%s: %s", lp_apis_name(api), text);
		ck_assert_str_ne(text, "none: it is not denied");
	}
}
END_TEST

/* ---- descriptions -------------------------------------------------------- */

static const struct {
	const char *request;
	uint32_t column;
	const char *why;
} wrong[] = {
    {"", 0, "what is asked is missing: api=NAME"},
    {"topic=a", 0, "what is asked is missing"},
    {"src=10.0.0.1 api=Fetch", 1, "src is of the connection"},
    {"api=Fetch,Produce", 11, "a request has one api"},
    {"api=Fetch client_id=a,b", 23, "a request has one client_id"},
    {"api=Fetch topic=a,b*", 19, "topic is to be a whole one"},
    {"api=Fetch version=3-", 19, "version is to be one number"},
    {"from=any api=Fetch", 6, "from is one of client and broker"},
    {"api=Fetch group=g", 11, "Fetch"},
    {"api=Fetch version=99", 19, "Fetch"},
    {"api=Fetch topic=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", 49,
	"more than 16 topics at once"},
};

START_TEST(what_no_request_is_is_refused_where_it_stands)
{
	struct lp_rule_error error;

	parse(&request, wrong[_i].request);
	ck_assert_int_ne(lp_rule_request_check(&request, &error), 0);
	ck_assert_msg(
	    strstr(error.why, wrong[_i].why) != NULL, "%s", error.why);
	ck_assert_uint_eq(error.column, wrong[_i].column);
}
END_TEST

START_TEST(topics_are_asked_one_by_one)
{
	char text[LP_RULE_REASON_SIZE];

	parse(&match, "topic=b");
	act("deny");
	ask("api=Fetch topic=a,b", 0);
	ck_assert_uint_eq(lp_rule_request_parts(&request), 2);
	ck_assert_str_eq(lp_rule_explain(text, &match, &action, &subject),
	    "topic a is not b");
	ask("api=Fetch topic=a,b", 1);
	ck_assert_str_eq(
	    lp_rule_explain(text, &match, &action, &subject), "topic is b");
	parse(&request, "api=Fetch");
	ck_assert_uint_eq(lp_rule_request_parts(&request), 1);
}
END_TEST

/* ---- at random ----------------------------------------------------------- */

static void
take_event(const struct rules_event *event)
{
	memset(&subject, 0, sizeof(subject));
	subject.is_request = event->request;
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		const char *text = event->texts[field];

		if (!event->request && !lp_rule_field_is_connection(field))
			break;
		if (event->numbers[field] != -2)
			lp_rule_subject_number(
			    &subject, field, event->numbers[field]);
		lp_rule_subject_ip(&subject, field, &event->ips[field]);
		if (text != NULL)
			lp_rule_subject_text(
			    &subject, field, text, strlen(text));
	}
	for (unsigned field = 0; field < LP_RULE_FIELD_COUNT; field++) {
		bool none = field == LP_RULE_BROKER || field == LP_RULE_ACKS
		    ? event->numbers[field] == -2
		    : event->texts[field] == NULL;

		/* A number is there without a text. */
		if (none &&
		    (field == LP_RULE_CLUSTER || field == LP_RULE_LISTENER ||
			field == LP_RULE_PORT || field == LP_RULE_ACKS ||
			field == LP_RULE_BROKER ||
			(field >= LP_RULE_CLIENT_ID &&
			    field <= LP_RULE_TRANSACTIONAL_ID)))
			subject.has &= ~(1u << field);
	}
	if (event->request)
		lp_rule_subject_number(
		    &subject, LP_RULE_FROM, event->broker ? 1 : 0);
}

START_TEST(what_is_explained_is_what_rules_mean)
{
	uint64_t random = 20261126;
	unsigned held = 0;

	act("limit bytes=1MB/s");
	for (unsigned i = 0; i < RANDOM_RULES; i++) {
		char text[LP_RULE_REASON_SIZE];
		struct rules_event event;
		bool holds;

		rules_match(&match, &random, 3);
		rules_event(&event, &random);
		take_event(&event);
		ensure_at("rule %u", i);
		holds = rules_holds(&match, &event);
		ensure((lp_rule_differs(&match, &action, &subject) ==
			   LP_RULE_FIELD_COUNT) == holds,
		    "holds is %d", holds);
		lp_rule_explain(text, &match, &action, &subject);
		ensure((strstr(text, " not") == NULL &&
			   strstr(text, " has no ") == NULL &&
			   strstr(text, "a broker asks") == NULL) == holds,
		    "holds is %d: %s", holds, text);
		held += holds;
	}
	ck_assert_uint_gt(held, RANDOM_RULES / 100);
}
END_TEST

#define ROWS(rows) (int)(sizeof(rows) / sizeof((rows)[0]))

int
main(void)
{
	Suite *suite = suite_create("rule_explain");
	TCase *tcase = tcase_create("rule_explain");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, a_reason_names_the_fields, 0, ROWS(reasons));
	tcase_add_test(tcase, what_is_too_long_ends_in_dots);
	tcase_add_loop_test(tcase,
	    what_no_request_is_is_refused_where_it_stands, 0, ROWS(wrong));
	tcase_add_loop_test(tcase, an_effect_says_what_is_edited_and_answered,
	    0, ROWS(effects));
	tcase_add_loop_test(tcase,
	    an_effect_says_whether_a_group_or_a_topic_is_denied, 0,
	    sizeof(owners) / sizeof(owners[0]));
	tcase_add_test(tcase, every_api_has_an_effect_or_a_reason);
	tcase_add_test(tcase, topics_are_asked_one_by_one);
	tcase_add_test(tcase, what_is_explained_is_what_rules_mean);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
