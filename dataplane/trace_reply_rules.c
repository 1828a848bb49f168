/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	results ▸ questions, each about a connection or a topic ▸ asked
 *	answers ▸ messages, as much of each as its share of the frame takes
 */
#include "dataplane/trace_reply_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/trace_rules.h"

enum {
	QUESTIONS_MAX = LP_TRACE_PACKETS_MAX + LP_RULE_REQUEST_TOPICS_MAX,
	/* Of a frame: what is around the packets, and lp-controld's words. */
	AROUND = 512,
	/* Of a message in another one: its tag and length. */
	INSIDE = 5,
	NO_PACKET = UINT8_MAX, /* of the request */
};

/* Where the answer to a question goes, and its message. */
struct told {
	uint8_t packet; /* or NO_PACKET */
	char topic[LP_RULE_TEXT_MAX + 1];
	char note[LP_NAME_SIZE + 64];
	Lp__Pb__TraceRules message;
	Lp__Pb__TraceRule decides;
	Lp__Pb__TraceRule seen[LP_RULES_SEEN_MAX];
	Lp__Pb__TraceRule *seen_list[LP_RULES_SEEN_MAX];
	Lp__Pb__TraceRule others[LP_TRACE_RULES_MAX];
	Lp__Pb__TraceRule *others_list[LP_TRACE_RULES_MAX];
};

struct lp_trace_reply_rules {
	const struct lp_trace_source *source;
	const struct lp_trace_result *const *results;
	unsigned result_count;
	unsigned count;
	struct lp_trace_rules questions[QUESTIONS_MAX];
	struct told told[QUESTIONS_MAX];
	Lp__Pb__TraceRules *request_list[LP_RULE_REQUEST_TOPICS_MAX];
	char note[LP_WHY_SIZE]; /* of the request; "": none */
};

static void ask_connections(struct lp_trace_reply_rules *rules);
static void ask_request(
    struct lp_trace_reply_rules *rules, const struct lp_rule_match *request);
static const struct lp_conn *connection_of(
    const struct lp_trace_result *result);
static const char *why_unasked(
    const struct lp_snapshot *snapshot, const struct lp_conn *conn);
static void take_parts(struct lp_trace_reply_rules *rules,
    const struct lp_rule_match *request, const struct lp_conn *conn);
static size_t make(
    struct told *told, const struct lp_trace_rules *asked, size_t room);
static void make_rule(
    Lp__Pb__TraceRule *out, const struct lp_trace_rules_row *row);
static void make_lists(struct told *told, const struct lp_trace_rules *asked);
static void attach(struct lp_trace_reply_rules *rules,
    Lp__Pb__TraceReply *reply, struct told *told);

int
lp_trace_reply_rules_new(struct lp_trace_reply_rules **out,
    const struct lp_trace_source *source,
    const struct lp_trace_result *const results[], unsigned count,
    const struct lp_rule_match *request)
{
	struct lp_trace_reply_rules *rules = calloc(1, sizeof(*rules));
	int error = 0;

	if (!rules)
		return -ENOMEM;
	rules->source = source;
	rules->results = results;
	rules->result_count = count;
	ask_connections(rules);
	if (request)
		ask_request(rules, request);
	if (rules->count > 0)
		error = lp_trace_rules_ask(rules->questions, rules->count,
		    source->config, source->snapshot->rules);
	if (!error)
		*out = rules;
	else
		lp_trace_reply_rules_free(rules);
	return error;
}

void
lp_trace_reply_rules_free(struct lp_trace_reply_rules *rules)
{
	free(rules);
}

void
lp_trace_reply_rules_put(
    struct lp_trace_reply_rules *rules, Lp__Pb__TraceReply *reply)
{
	size_t room = LP_FRAME_SIZE_MAX - AROUND;
	size_t used = lp__pb__trace_reply__get_packed_size(reply);

	room = used < room ? room - used : 0;
	if (rules->note[0] != '\0' && reply->n_packets > 0)
		reply->packets[reply->n_packets - 1]->request_note =
		    rules->note;
	for (unsigned i = 0; i < rules->count; i++) {
		struct told *told = &rules->told[i];
		size_t share = room / (rules->count - i);
		size_t size = make(told, &rules->questions[i], share);

		room = size < room ? room - size : 0;
		attach(rules, reply, told);
	}
}

/* ---- questions ----------------------------------------------------------- */

static void
ask_connections(struct lp_trace_reply_rules *rules)
{
	const struct lp_trace_source *source = rules->source;

	if (!source->snapshot || !source->snapshot->rules)
		return;
	for (unsigned i = 0; i < rules->result_count; i++) {
		if (!rules->results[i]->is_asked)
			continue;
		rules->told[rules->count].packet = (uint8_t)i;
		lp_trace_rules_of(&rules->questions[rules->count++],
		    source->config, &rules->results[i]->asked);
	}
}

static void
ask_request(
    struct lp_trace_reply_rules *rules, const struct lp_rule_match *request)
{
	const struct lp_trace_result *result;
	const struct lp_conn *conn;
	const char *why;

	if (rules->result_count == 0)
		return;
	result = rules->results[rules->result_count - 1];
	conn = connection_of(result);
	why = why_unasked(rules->source->snapshot, conn);
	if (!why && result->is_refused)
		snprintf(rules->note, sizeof(rules->note),
		    "the connection is refused: no such request comes");
	if (why)
		snprintf(rules->note, sizeof(rules->note), "%s", why);
	else
		take_parts(rules, request, conn);
}

static const struct lp_conn *
connection_of(const struct lp_trace_result *result)
{
	if (result->has_conn)
		return &result->conn;
	return result->is_asked ? &result->asked : NULL;
}

/* NULL: rules are asked of requests in that connection. */
static const char *
why_unasked(const struct lp_snapshot *snapshot, const struct lp_conn *conn)
{
	const struct lp_target *target;

	if (!conn)
		return "the packet is of no connection that a request could "
		       "come in";
	if (!snapshot->rules)
		return "there are no rules: every request passes";
	target =
	    lp_snapshot_target(snapshot, conn->listener_id, conn->broker_id);
	if (!target || !target->kafka)
		return "the listener does not look into Kafka (--kafka off): "
		       "rules of requests never hold";
	return NULL;
}

static void
take_parts(struct lp_trace_reply_rules *rules,
    const struct lp_rule_match *request, const struct lp_conn *conn)
{
	const struct lp_trace_source *source = rules->source;
	uint16_t parts = lp_rule_request_parts(request);
	bool is_broker = lp_snapshot_is_broker(
	    source->snapshot, conn->cluster_id, &conn->client_ip);

	for (uint16_t part = 0; part < parts; part++) {
		struct lp_trace_rules *asked = &rules->questions[rules->count];
		struct told *told = &rules->told[rules->count++];
		struct lp_rule_subject *subject = &asked->subject;

		told->packet = NO_PACKET;
		lp_trace_rules_of_request(
		    asked, source->config, conn, request, part);
		if (subject->has >> LP_RULE_TOPIC & 1)
			memcpy(told->topic, subject->texts[LP_RULE_TOPIC],
			    subject->lens[LP_RULE_TOPIC]);
		if (is_broker ||
		    subject->numbers[LP_RULE_FROM] == LP_RULE_FROM_CLIENT)
			continue;
		/* As the packet path has it: judge.c. */
		subject->numbers[LP_RULE_FROM] = LP_RULE_FROM_CLIENT;
		snprintf(rules->note, sizeof(rules->note),
		    "no broker of the cluster has the client's address: it is "
		    "taken for a client");
	}
}

/* ---- answers ------------------------------------------------------------- */

/* Of what does not fit, those that do not hold go first.  Bytes of it. */
static size_t
make(struct told *told, const struct lp_trace_rules *asked, size_t room)
{
	Lp__Pb__TraceRules *message = &told->message;
	size_t size;

	lp__pb__trace_rules__init(message);
	message->topic = told->topic[0] != '\0' ? told->topic : NULL;
	if (asked->decides.rule) {
		make_rule(&told->decides, &asked->decides);
		message->decides = &told->decides;
	}
	make_lists(told, asked);
	if (asked->trial.later) {
		snprintf(told->note, sizeof(told->note),
		    "rule %s before it lets some of its requests pass",
		    asked->passes->rule.name);
		message->note = told->note;
	}
	if (asked->fault[0] != '\0')
		message->fault = (char *)asked->fault;
	for (;;) {
		size = INSIDE + lp__pb__trace_rules__get_packed_size(message);
		if (size <= room)
			return size;
		if (message->n_others > 0) {
			message->n_others--;
			message->others_more++;
		} else if (message->n_seen > 0) {
			message->n_seen--;
			message->seen_more++;
		} else {
			break;
		}
	}
	lp__pb__trace_rules__init(message);
	message->has_cut = message->cut = true;
	return INSIDE + lp__pb__trace_rules__get_packed_size(message);
}

static void
make_lists(struct told *told, const struct lp_trace_rules *asked)
{
	Lp__Pb__TraceRules *message = &told->message;

	for (uint32_t i = 0; i < asked->seen_count; i++) {
		make_rule(&told->seen[i], &asked->seen[i]);
		told->seen_list[i] = &told->seen[i];
	}
	for (uint32_t i = 0; i < asked->others_count; i++) {
		make_rule(&told->others[i], &asked->others[i]);
		told->others_list[i] = &told->others[i];
	}
	message->n_seen = asked->seen_count;
	message->seen = told->seen_list;
	message->n_others = asked->others_count;
	message->others = told->others_list;
	message->has_seen_more = message->has_others_more = true;
	message->seen_more = asked->seen_more;
	message->others_more = asked->others_more;
	message->has_elsewhere = true;
	message->elsewhere = asked->elsewhere;
}

static void
make_rule(Lp__Pb__TraceRule *out, const struct lp_trace_rules_row *row)
{
	const struct lp_rule_object *rule = &row->rule->rule;

	lp__pb__trace_rule__init(out);
	out->name = (char *)rule->name;
	out->has_priority = true;
	out->priority = rule->priority;
	out->action = (char *)rule->action;
	out->has_shadow = true;
	out->shadow = rule->shadow;
	out->text = (char *)row->text;
	if (row->effect[0] != '\0')
		out->effect = (char *)row->effect;
}

static void
attach(struct lp_trace_reply_rules *rules, Lp__Pb__TraceReply *reply,
    struct told *told)
{
	Lp__Pb__TracedPacket *packet;
	unsigned stage;

	if (told->packet == NO_PACKET) {
		packet = reply->packets[reply->n_packets - 1];
		packet->request = rules->request_list;
		rules->request_list[packet->n_request++] = &told->message;
		return;
	}
	packet = reply->packets[told->packet];
	stage = rules->results[told->packet]->asked_stage;
	if (stage < packet->n_stages)
		packet->stages[stage]->rules = &told->message;
}
