/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace says of rules: which one decides, and why not the others; and
 * that the table of the packet path says the same.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/rules.h"
#include "dataplane/trace_reply_rules.h"
#include "dataplane/trace_rules.h"
#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"
#include "tests/support/rule_stats.h"

#define SYN "tcp 10.9.0.50:40000 > 10.9.0.100:9100 S seq=1000"

enum {
	RULE = 100,
	OTHER,
	THIRD,
	FOURTH,
	SETS = 60, /* at random */
	SET_RULES = 30,
	MANY = 200,
};

static struct lp_trace_result results[LP_TRACE_PACKETS_MAX];
static const struct lp_trace_result *result_list[LP_TRACE_PACKETS_MAX];
static Lp__Pb__TracedPacket messages[LP_TRACE_PACKETS_MAX];
static Lp__Pb__TracedPacket *message_list[LP_TRACE_PACKETS_MAX];
static Lp__Pb__TraceStage stages[LP_TRACE_PACKETS_MAX][LP_TRACE_STAGES_MAX];
static Lp__Pb__TraceStage
    *stage_list[LP_TRACE_PACKETS_MAX][LP_TRACE_STAGES_MAX];
static Lp__Pb__TraceReply reply;
static struct lp_trace_reply_rules *told;
static struct lp_rule_match asked;

static void
publish(void)
{
	plane_publish();
	plane_run();
	plane_forget();
}

static void
setup(void)
{
	size_t first, count;

	plane_open(LP_CONNECTIONS_MIN);
	plane_run();
	count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++) {
		plane.config.objects[i].listener.unjudged = LP_UNJUDGED_PASS;
		plane.config.objects[i].listener.kafka = LP_LOOK_OBSERVE;
	}
}

static void
teardown(void)
{
	lp_trace_reply_rules_free(told);
	told = NULL;
	plane_close();
}

/* The answer but for rules; its texts are as long as they may be. */
static void
make_reply(unsigned count, bool full)
{
	static char text[LP_TRACE_TEXT_SIZE];

	memset(text, 'x', sizeof(text) - 1);
	lp__pb__trace_reply__init(&reply);
	reply.n_packets = count;
	reply.packets = message_list;
	for (unsigned i = 0; i < count; i++) {
		message_list[i] = &messages[i];
		lp__pb__traced_packet__init(&messages[i]);
		messages[i].n_stages =
		    full ? LP_TRACE_STAGES_MAX : results[i].stage_count;
		messages[i].stages = stage_list[i];
		for (unsigned j = 0; j < messages[i].n_stages; j++) {
			stage_list[i][j] = &stages[i][j];
			lp__pb__trace_stage__init(&stages[i][j]);
			stages[i][j].text = full ? text : (char *)"seen";
		}
	}
}

/* So many times the same packet, and what rules say of it. */
static void
trace(unsigned count, const char *text, const char *request, bool full)
{
	const struct lp_trace_source source = {
	    .snapshot = lp_snapshot_get(&plane.cell),
	    .region = &plane.region,
	    .pipeline = plane.pipeline,
	    .config = &plane.config,
	    .now_ns = plane.now_ns,
	};
	struct lp_rule_error error;
	struct lp_trace *made;
	struct packet packet;
	struct lp_trace_packet one;

	if (request != NULL)
		ensure(lp_rule_match_parse(&asked, request, &error) == 0 &&
			lp_rule_request_check(&asked, &error) == 0,
		    "%s: %s", request, error.why);
	plane_build(&packet, 0, text);
	one = (struct lp_trace_packet){
	    .bytes = packet.bytes, .len = (uint16_t)packet.len};
	for (unsigned i = 0; i < count; i++) {
		ensure(lp_trace_new(&made, plane.seed, plane.now_ns) == 0,
		    "no memory for a trace");
		lp_trace_begin(made, &source, &one, 1);
		ensure(lp_trace_run(made, &one, &results[i]) == 0, "runs");
		lp_trace_free(made);
		result_list[i] = &results[i];
	}
	lp_trace_reply_rules_free(told);
	ensure(lp_trace_reply_rules_new(&told, &source, result_list, count,
		   request != NULL ? &asked : NULL) == 0,
	    "no memory");
	make_reply(count, full);
	lp_trace_reply_rules_put(told, &reply);
}

/* Of the connection of packet i; NULL: nothing. */
static const Lp__Pb__TraceRules *
of_connection(unsigned packet)
{
	const Lp__Pb__TraceRules *found = NULL;

	for (unsigned i = 0; i < messages[packet].n_stages; i++) {
		if (stages[packet][i].rules == NULL)
			continue;
		ck_assert_ptr_null(found);
		found = stages[packet][i].rules;
	}
	return found;
}

struct line {
	char text[4096];
	size_t len;
};

static void
put_line(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->len += (size_t)vsnprintf(line->text + line->len,
	    sizeof(line->text) - line->len, format, args);
	va_end(args);
	ensure(line->len < sizeof(line->text), "too long");
}

/* "decides r1: why; sees r2: why; not r3: why; +N" */
static const char *
write_line(const Lp__Pb__TraceRules *rules)
{
	static struct line line;

	line.len = 0;
	ck_assert_ptr_nonnull(rules);
	ck_assert_msg(rules->fault == NULL, "%s", rules->fault);
	if (rules->decides != NULL)
		put_line(&line, "decides %s: %s", rules->decides->name,
		    rules->decides->text);
	else
		put_line(&line, "none");
	for (size_t i = 0; i < rules->n_seen; i++)
		put_line(&line, "; %s %s: %s",
		    rules->seen[i]->shadow ? "shadow" : "sees",
		    rules->seen[i]->name, rules->seen[i]->text);
	for (size_t i = 0; i < rules->n_others; i++)
		put_line(&line, "; not %s: %s", rules->others[i]->name,
		    rules->others[i]->text);
	if (rules->others_more + rules->elsewhere > 0)
		put_line(
		    &line, "; +%u+%u", rules->others_more, rules->elsewhere);
	return line.text;
}

/* ---- connections --------------------------------------------------------- */

START_TEST(it_says_which_rule_decides_and_why_not_the_others)
{
	rule_put(RULE, 40, "src=10.2.0.0/16", "allow", false);
	rule_put(OTHER, 30, "src=10.9.0.0/24 dst_port=9100", "allow", false);
	rule_put(THIRD, 20, "", "reset", false);
	publish();
	trace(1, SYN, NULL, false);
	ck_assert(results[0].opened);
	ck_assert_str_eq(write_line(of_connection(0)),
	    "decides r101: src 10.9.0.50 is in 10.9.0.0/24, dst_port is 9100; "
	    "not r100: src 10.9.0.50 is not in 10.2.0.0/16");
	ck_assert_str_eq(
	    results[0].stages[results[0].asked_stage].name, "admit");
	ck_assert_uint_eq(of_connection(0)->decides->priority, 30);
	ck_assert_str_eq(of_connection(0)->decides->action, "allow");
}
END_TEST

START_TEST(of_one_that_is_refused_too)
{
	rule_put(RULE, 40, "broker=1", "allow", false);
	rule_put(OTHER, 30, "cluster=orders", "allow", false);
	rule_put(THIRD, 20, "broker=0 port=front listener=payments/public",
	    "reset", false);
	publish();
	trace(1, SYN, NULL, false);
	ck_assert_uint_eq(results[0].reason, LP_REASON_RESET_RULE);
	ck_assert(results[0].is_refused);
	ck_assert_str_eq(write_line(of_connection(0)),
	    "decides r102: listener is payments/public, broker is 0, port is "
	    "front; not r100: broker 0 is not 1; +0+1");
}
END_TEST

START_TEST(shadow_and_observe_are_told_beside_it)
{
	rule_put(RULE, 40, "src=10.9.0.50", "reset", true);
	rule_put(OTHER, 30, "", "observe", false);
	rule_put(THIRD, 20, "api=Fetch", "allow", false);
	rule_put(FOURTH, 10, "src=10.9.0.51", "reset", false);
	publish();
	trace(1, SYN, NULL, false);
	ck_assert(results[0].opened);
	ck_assert_str_eq(write_line(of_connection(0)),
	    "none; shadow r100: src is 10.9.0.50; sees r101: it holds for "
	    "everything; not r103: src 10.9.0.50 is not 10.9.0.51");
}
END_TEST

START_TEST(what_lets_some_requests_pass_is_noted)
{
	rule_put(RULE, 40, "src=10.9.0.50 api=Fetch", "allow", false);
	rule_put(OTHER, 30, "src=10.9.0.50", "reset", false);
	publish();
	trace(1, SYN, NULL, false);
	ck_assert_str_eq(
	    write_line(of_connection(0)), "decides r101: src is 10.9.0.50");
	ck_assert_str_eq(of_connection(0)->note,
	    "rule r100 before it lets some of its requests pass");
}
END_TEST

/* Asked about the broker that the hash has chosen, which is another. */
START_TEST(a_route_says_where_it_leads)
{
	rule_put(RULE, 40, "broker=0", "observe", false);
	rule_put(OTHER, 30, "", "route broker=1", false);
	publish();
	trace(1, "tcp 10.9.0.50:2 > 10.9.0.100:9092 S seq=1", NULL, false);
	ck_assert_int_eq(results[0].conn.node_id, 1);
	ck_assert_str_eq(write_line(of_connection(0)),
	    "decides r101: it holds for everything; sees r100: broker is 0");
	ck_assert_ptr_nonnull(
	    strstr(results[0].stages[5].text, "a rule routes"));
}
END_TEST

START_TEST(where_no_rule_is_asked_none_is_told)
{
	trace(1, SYN, NULL, false);
	ck_assert_ptr_null(of_connection(0));
	rule_put(RULE, 40, "", "observe", false);
	publish();
	/* Not of a connection that is there, nor of one that there cannot be.
	 */
	trace(1, "tcp 10.9.0.50:1 > 10.9.0.100:9999 S", NULL, false);
	ck_assert_ptr_null(of_connection(0));
	trace(1, "echo 10.9.0.50 > 10.9.0.100 id=1 len=56", NULL, false);
	ck_assert_ptr_null(of_connection(0));
	plane_in(0, SYN);
	plane_forget();
	trace(1, SYN, NULL, false);
	ck_assert(results[0].has_conn);
	ck_assert_ptr_null(of_connection(0));
}
END_TEST

/* ---- requests ------------------------------------------------------------ */

START_TEST(each_topic_of_a_request_is_asked)
{
	rule_put(RULE, 40, "topic=pay*", "deny", true);
	rule_put(
	    OTHER, 30, "api=Produce topic=pay* client_id=app", "allow", false);
	rule_put(THIRD, 20, "cluster=orders api=Produce", "allow", false);
	publish();
	trace(1, SYN, "api=Produce topic=payments,logs client_id=app", false);
	ck_assert_uint_eq(messages[0].n_request, 2);
	ck_assert_ptr_null(messages[0].request_note);
	ck_assert_str_eq(messages[0].request[0]->topic, "payments");
	ck_assert_str_eq(write_line(messages[0].request[0]),
	    "decides r101: api is Produce, client_id is app, topic payments is "
	    "in pay*; shadow r100: topic payments is in pay*");
	ck_assert_str_eq(messages[0].request[1]->topic, "logs");
	ck_assert_str_eq(write_line(messages[0].request[1]),
	    "none; not r100: topic logs is not in pay*; not r101: topic logs "
	    "is not in pay*; +0+1");
	ck_assert_ptr_null(messages[0].request[0]->decides->effect);
	ck_assert_str_eq(messages[0].request[0]->seen[0]->effect,
	    "bit 30 of its partition indexes is set; answered "
	    "TOPIC_AUTHORIZATION_FAILED (29)");
	trace(1, SYN, "api=Metadata", false);
	ck_assert_uint_eq(messages[0].n_request, 1);
	ck_assert_ptr_null(messages[0].request[0]->topic);
}
END_TEST

/* Every field that a request can have, each alone. */
static const char *const fields[][3] = {
    {"api=Produce", "api=Produce", "api=Fetch"},
    {"api=Fetch version=11", "version=11-12", "version=-10"},
    {"api=Fetch client_id=a", "client_id=a", "client_id=b*"},
    {"api=Fetch principal=User:a", "principal=User:*", "principal=a"},
    {"api=Fetch topic=a", "topic=a,b", "topic=ab"},
    {"api=JoinGroup group=a", "group=*", "group=b"},
    {"api=InitProducerId transactional_id=t", "transactional_id=t",
	"transactional_id=s"},
    {"api=Produce acks=all", "acks=all", "acks=0,1"},
    {"api=Fetch frame_size=2kB", "frame_size=1kB-", "frame_size=3kB-"},
    {"api=Fetch", "frame_size=100", "frame_size=-99"},
    {"api=Fetch", "src=10.9.0.50", "src=10.9.0.51"},
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

START_TEST(every_field_of_requests_is_asked)
{
	const Lp__Pb__TraceRules *rules;

	rule_put(RULE, 40, fields[_i][2], "allow", false);
	rule_put(OTHER, 30, fields[_i][1], "allow", false);
	publish();
	trace(1, SYN, fields[_i][0], false);
	ck_assert_uint_eq(messages[0].n_request, 1);
	rules = messages[0].request[0];
	ck_assert_ptr_null(rules->fault);
	ck_assert_str_eq(rules->decides->name, "r101");
	ck_assert_uint_eq(rules->n_others, 1);
	ck_assert_ptr_nonnull(strstr(rules->others[0]->text, " is not "));
}
END_TEST

static void
is_noted(
    const char *packet, const char *request, size_t parts, const char *note)
{
	trace(1, packet, request, false);
	ck_assert_uint_eq(messages[0].n_request, parts);
	ck_assert_ptr_nonnull(messages[0].request_note);
	ck_assert_msg(strstr(messages[0].request_note, note) != NULL, "%s",
	    messages[0].request_note);
}

START_TEST(what_a_request_cannot_be_asked_for_is_said)
{
	size_t first, count;

	is_noted(SYN, "api=Fetch", 0, "there are no rules");
	rule_put(RULE, 40, "src=10.9.0.51", "reset", false);
	rule_put(OTHER, 30, "from=broker api=Fetch", "observe", false);
	publish();
	is_noted("tcp 10.9.0.50:1 > 10.9.0.100:9999 S", "api=Fetch", 0,
	    "of no connection");
	is_noted("tcp 10.9.0.51:1 > 10.9.0.100:9100 S", "api=Fetch topic=a,b",
	    2, "the connection is refused");
	/* Who says that it is a broker must be one. */
	is_noted(SYN, "from=broker api=Fetch", 1, "is taken for a client");
	ck_assert_str_eq(write_line(messages[0].request[0]),
	    "none; not r100: src 10.9.0.50 is not 10.9.0.51; not r101: from "
	    "client is not broker");
	count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++)
		plane.config.objects[i].listener.kafka = LP_LOOK_OFF;
	publish();
	is_noted(SYN, "api=Fetch", 0, "does not look into Kafka");
}
END_TEST

/* ---- limits -------------------------------------------------------------- */

START_TEST(a_screen_of_others_is_told_and_the_rest_counted)
{
	for (uint32_t i = 0; i < MANY; i++)
		rule_put(RULE + i, MANY - i,
		    i % 2 ? "src=10.2.0.0/16" : "cluster=orders", "allow",
		    false);
	for (uint32_t i = 0; i < 20; i++)
		rule_put(RULE + MANY + i, 1000, "", "observe", false);
	publish();
	trace(1, SYN, NULL, false);
	ck_assert_uint_eq(of_connection(0)->n_others, LP_TRACE_RULES_MAX);
	ck_assert_uint_eq(
	    of_connection(0)->others_more, MANY / 2 - LP_TRACE_RULES_MAX);
	ck_assert_uint_eq(of_connection(0)->elsewhere, MANY / 2);
	ck_assert_uint_eq(of_connection(0)->n_seen, LP_RULES_SEEN_MAX);
	ck_assert_uint_eq(of_connection(0)->seen_more, 20 - LP_RULES_SEEN_MAX);
	/* The first ones. */
	ck_assert_str_eq(of_connection(0)->others[0]->name, "r101");
	ck_assert_ptr_null(of_connection(0)->fault);
}
END_TEST

START_TEST(those_that_come_closest_are_told)
{
	const Lp__Pb__TraceRules *rules;

	for (uint32_t i = 0; i < 40; i++)
		rule_put(RULE + i, 1000 - i, "src=10.2.0.0/16", "allow", false);
	rule_put(RULE + 40, 500, "src=10.9.0.50 src_port=1", "allow", false);
	rule_put(
	    RULE + 41, 400, "src=10.3.0.0/16 dst_port=9100", "allow", false);
	rule_put(RULE + 42, 300, "dst_port=1", "allow", false);
	publish();
	trace(1, SYN, NULL, false);
	rules = of_connection(0);
	ck_assert_uint_eq(rules->n_others, LP_TRACE_RULES_MAX);
	ck_assert_uint_eq(rules->others_more, 43 - LP_TRACE_RULES_MAX);
	for (unsigned i = 0; i < LP_TRACE_RULES_MAX - 2; i++)
		ck_assert_uint_eq(rules->others[i]->priority, 1000 - i);
	ck_assert_str_eq(rules->others[LP_TRACE_RULES_MAX - 2]->text,
	    "src_port 40000 is not 1");
	ck_assert_str_eq(rules->others[LP_TRACE_RULES_MAX - 1]->text,
	    "dst_port 9100 is not 1");
}
END_TEST

/* Whatever else is in it, the answer is a frame. */
START_TEST(what_has_no_room_is_left_out)
{
	char match[LP_RULE_MATCH_SIZE];
	size_t size;

	for (uint32_t i = 0; i < 2 * LP_TRACE_RULES_MAX; i++) {
		snprintf(match, sizeof(match),
		    "client_id=%0100u,%0100u,%0100u api=Produce", i, i + 1000,
		    i + 2000);
		rule_put(RULE + i, 100, match, "allow", false);
	}
	rule_put(RULE + 90, 200, "", "observe", false);
	rule_put(RULE + 91, 1, "", "allow", false);
	publish();
	trace(LP_TRACE_PACKETS_MAX, SYN,
	    "api=Produce client_id=app topic=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p",
	    true);
	size = lp__pb__trace_reply__get_packed_size(&reply);
	ck_assert_uint_le(size, LP_FRAME_SIZE_MAX - 512);
	ck_assert_uint_eq(messages[7].n_request, 16);
	for (unsigned i = 0; i < 16; i++) {
		const Lp__Pb__TraceRules *rules = messages[7].request[i];

		ck_assert_str_eq(rules->decides->name, "r191");
		ck_assert_uint_eq(rules->n_seen, 1);
		ck_assert_uint_lt(rules->n_others, LP_TRACE_RULES_MAX);
		ck_assert_uint_gt(rules->others_more, LP_TRACE_RULES_MAX);
		ck_assert_uint_eq(rules->n_others + rules->others_more,
		    2 * LP_TRACE_RULES_MAX);
	}
	ck_assert_str_eq(of_connection(0)->decides->name, "r191");
}
END_TEST

START_TEST(where_there_is_no_room_at_all_that_is_said)
{
	static uint8_t bytes[LP_FRAME_SIZE_MAX - 600];
	Lp__Pb__TraceOutput output = LP__PB__TRACE_OUTPUT__INIT;
	Lp__Pb__TraceOutput *list[] = {&output};

	rule_put(RULE, 100, "", "allow", false);
	publish();
	trace(1, SYN, NULL, false);
	ck_assert(!of_connection(0)->cut);
	make_reply(1, false);
	output.has_data = true;
	output.data.data = bytes;
	output.data.len = sizeof(bytes);
	messages[0].n_outputs = 1;
	messages[0].outputs = list;
	lp_trace_reply_rules_put(told, &reply);
	ck_assert(of_connection(0)->cut);
	ck_assert_ptr_null(of_connection(0)->decides);
}
END_TEST

/* ---- at random ----------------------------------------------------------- */

static const char *const matches[] = {"", "src=10.9.0.0/24", "src=10.9.0.51",
    "src_port=40000-", "dst_port=9100", "broker=0", "cluster=payments",
    "cluster=orders", "listener=payments/public", "port=front", "port=back",
    "api=Produce", "api=Fetch,Metadata", "topic=a*", "topic=b,c",
    "client_id=app src=10.9.0.0/16", "from=any api=Produce", "acks=all",
    "version=3-9"};
static const char *const actions[] = {
    "allow", "reset", "observe", "allow", "observe"};
static const char *const requests[] = {"api=Produce topic=a,b,d acks=all",
    "api=Fetch version=5 client_id=app", "api=Metadata", "api=JoinGroup"};

#define PICK(random, list)                                                     \
	(list)[random_next(random) % (sizeof(list) / sizeof((list)[0]))]

START_TEST(the_table_never_says_otherwise)
{
	uint64_t random = 20261126;

	for (unsigned set = 0; set < SETS; set++) {
		ensure_at("set %u", set);
		for (uint32_t i = 0; i < SET_RULES; i++) {
			const char *match = PICK(&random, matches);
			bool requests_too = strstr(match, "api") != NULL ||
			    strstr(match, "topic") != NULL ||
			    strstr(match, "acks") != NULL ||
			    strstr(match, "version") != NULL ||
			    strstr(match, "client_id") != NULL;

			rule_put(RULE + i, random_between(&random, 0, 9), match,
			    PICK(&random, actions),
			    requests_too || random_percent(&random, 50));
		}
		publish();
		trace(1, SYN, PICK(&random, requests), false);
		write_line(of_connection(0));
		for (size_t i = 0; i < messages[0].n_request; i++)
			write_line(messages[0].request[i]);
		/* And the packet has gone as they say. */
		ck_assert_int_eq(results[0].opened,
		    of_connection(0)->decides == NULL ||
			strcmp(of_connection(0)->decides->action, "reset") !=
			    0);
	}
}
END_TEST

/* A table of other rules than those that are configured is found out. */
START_TEST(a_table_that_says_otherwise_is_told)
{
	struct lp_object *rule;

	rule_put(RULE, 100, "src=10.9.0.50", "allow", false);
	rule_put(OTHER, 50, "", "observe", false);
	publish();
	rule = (struct lp_object *)lp_config_find(
	    &plane.config, LP_OBJECT_RULE, RULE);
	strcpy(rule->rule.match, "src=10.9.0.51");
	trace(1, SYN, NULL, false);
	ck_assert_ptr_nonnull(of_connection(0)->fault);
	ck_assert_ptr_nonnull(strstr(of_connection(0)->fault, "rule r100"));
	strcpy(rule->rule.match, "src=10.9.0.50");
	rule->rule.priority = 10;
	trace(1, SYN, NULL, false);
	ck_assert_ptr_nonnull(of_connection(0)->fault);
	rule->rule.priority = 100;
	trace(1, SYN, NULL, false);
	ck_assert_ptr_null(of_connection(0)->fault);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(
	    tests, it_says_which_rule_decides_and_why_not_the_others);
	tcase_add_test(tests, of_one_that_is_refused_too);
	tcase_add_test(tests, shadow_and_observe_are_told_beside_it);
	tcase_add_test(tests, what_lets_some_requests_pass_is_noted);
	tcase_add_test(tests, a_route_says_where_it_leads);
	tcase_add_test(tests, where_no_rule_is_asked_none_is_told);
	tcase_add_test(tests, each_topic_of_a_request_is_asked);
	tcase_add_loop_test(tests, every_field_of_requests_is_asked, 0, FIELDS);
	tcase_add_test(tests, what_a_request_cannot_be_asked_for_is_said);
	tcase_add_test(tests, a_screen_of_others_is_told_and_the_rest_counted);
	tcase_add_test(tests, those_that_come_closest_are_told);
	tcase_add_test(tests, what_has_no_room_is_left_out);
	tcase_add_test(tests, where_there_is_no_room_at_all_that_is_said);
	tcase_add_test(tests, the_table_never_says_otherwise);
	tcase_add_test(tests, a_table_that_says_otherwise_is_told);
}

int
main(void)
{
	return plane_main("trace_rules", add);
}
