/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_json_trace.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/json.h"
#include "proto/message.h"

static json_t *
hex(const ProtobufCBinaryData *data)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * data->len + 1);
	json_t *value;

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < data->len; i++) {
		text[2 * i] = digits[data->data[i] >> 4];
		text[2 * i + 1] = digits[data->data[i] & 15];
	}
	value = json_stringn(text, 2 * data->len);
	free(text);
	return value;
}

static json_t *
endpoint(const Lp__Pb__Endpoint *message)
{
	char buf[LP_ENDPOINT_TEXT_SIZE];
	struct lp_endpoint value;

	if (lp_message_to_endpoint(&value, message) != 0)
		return json_null();
	return json_string(lp_endpoint_format(buf, &value));
}

static json_t *
address(const Lp__Pb__Endpoint *message)
{
	char buf[LP_IP_TEXT_SIZE];
	struct lp_endpoint value;

	if (message == NULL || lp_message_to_endpoint(&value, message) != 0)
		return json_null();
	return json_string(lp_ip_format(buf, &value.ip));
}

static json_t *
rule(const Lp__Pb__TraceRule *rule)
{
	if (rule == NULL)
		return json_null();
	return json_pack("{s:o, s:I, s:o, s:b, s:o, s:o}", "name",
	    lp_json_string_or_null(rule->name), "priority",
	    (json_int_t)rule->priority, "action",
	    lp_json_string_or_null(rule->action), "shadow", (int)rule->shadow,
	    "text", lp_json_string_or_null(rule->text), "effect",
	    lp_json_string_or_null(rule->effect));
}

static json_t *
rule_list(Lp__Pb__TraceRule *const *rules, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		list = lp_json_append(list, rule(rules[i]));
	return list;
}

/* What rules say; those that do not hold are "others". */
static json_t *
rules(const Lp__Pb__TraceRules *rules)
{
	if (rules == NULL)
		return json_null();
	return json_pack("{s:o, s:o, s:I, s:o, s:I, s:I, s:o, s:o, s:b}",
	    "decides", rule(rules->decides), "seen",
	    rule_list(rules->seen, rules->n_seen), "seen_more",
	    (json_int_t)rules->seen_more, "others",
	    rule_list(rules->others, rules->n_others), "others_more",
	    (json_int_t)rules->others_more, "elsewhere",
	    (json_int_t)rules->elsewhere, "note",
	    lp_json_string_or_null(rules->note), "defect",
	    lp_json_string_or_null(rules->fault), "cut", (int)rules->cut);
}

static json_t *
request(const Lp__Pb__TracedPacket *packet)
{
	json_t *list = json_array();

	for (size_t i = 0; i < packet->n_request; i++)
		list = lp_json_append(list,
		    json_pack("{s:o, s:o}", "topic",
			lp_json_string_or_null(packet->request[i]->topic),
			"rules", rules(packet->request[i])));
	return list;
}

static json_t *
stages(const Lp__Pb__TracedPacket *packet)
{
	json_t *list = json_array();

	for (size_t i = 0; i < packet->n_stages; i++) {
		const Lp__Pb__TraceStage *stage = packet->stages[i];

		list = lp_json_append(list,
		    json_pack("{s:o, s:o, s:o, s:o, s:o}", "stage",
			lp_json_string_or_null(stage->name), "verdict",
			lp_json_string_or_null(stage->verdict), "reason",
			lp_json_string_or_null(stage->reason), "text",
			lp_json_string_or_null(stage->text), "rules",
			rules(stage->rules)));
	}
	return list;
}

static json_t *
outputs(const Lp__Pb__TracedPacket *packet)
{
	json_t *list = json_array();

	for (size_t i = 0; i < packet->n_outputs; i++) {
		const Lp__Pb__TraceOutput *output = packet->outputs[i];

		list = lp_json_append(list,
		    json_pack("{s:o, s:b, s:I, s:o}", "port",
			lp_json_string_or_null(output->port), "made",
			(int)output->made, "len", (json_int_t)output->len,
			"bytes", hex(&output->data)));
	}
	return list;
}

/* serial: null of a connection that the trace itself has opened. */
static json_t *
connection(const Lp__Pb__TracedPacket *packet)
{
	const Lp__Pb__Connection *c = packet->connection;

	if (c == NULL)
		return json_null();
	return json_pack("{s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o}",
	    "serial",
	    packet->has_serial ? json_integer(packet->serial) : json_null(),
	    "opened", (int)packet->opened, "from",
	    packet->from_broker ? "broker" : "client", "state",
	    lp_json_string_or_null(c->state), "cluster",
	    lp_json_string_or_null(c->cluster), "listener",
	    lp_json_string_or_null(c->listener), "node_id",
	    c->has_node_id ? json_integer(c->node_id) : json_null(), "client",
	    endpoint(c->client), "vip", endpoint(c->vip), "source",
	    endpoint(c->source), "broker", endpoint(c->broker));
}

static json_t *
traced(const Lp__Pb__TracedPacket *packet)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "verdict", lp_json_string_or_null(packet->verdict), "reason",
	    lp_json_string_or_null(packet->reason), "text",
	    lp_json_string_or_null(packet->text), "connection",
	    connection(packet), "next_hop", address(packet->next_hop),
	    "next_hop_mac", lp_json_string_or_null(packet->next_hop_mac),
	    "stages", stages(packet), "outputs", outputs(packet), "request",
	    request(packet), "request_note",
	    lp_json_string_or_null(packet->request_note));
}

int
lp_output_json_trace(
    const struct lp_print *print, const struct lp_trace_view *view)
{
	json_t *list = json_array();
	const char *dataplane = NULL;

	for (size_t i = 0; i < view->reply_count; i++) {
		const Lp__Pb__TracePacketsReply *reply =
		    view->replies[i]->trace;

		dataplane = reply->dataplane;
		for (size_t j = 0; j < reply->n_packets; j++)
			list = lp_json_append(list, traced(reply->packets[j]));
	}
	return lp_json_write(print,
	    json_pack("{s:o, s:o, s:o}", "dataplane",
		lp_json_string_or_null(dataplane), "port",
		lp_json_string_or_null(view->port), "packets", list));
}

int
lp_output_json_trace_captured(
    const struct lp_print *print, const struct lp_capture_view *view)
{
	return lp_json_write(print,
	    json_pack("{s:s, s:I, s:I}", "file", view->path, "packets",
		(json_int_t)view->packets, "missed",
		(json_int_t)view->dropped));
}
