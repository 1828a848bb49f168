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
stages(const Lp__Pb__TracedPacket *packet)
{
	json_t *list = json_array();

	for (size_t i = 0; i < packet->n_stages; i++) {
		const Lp__Pb__TraceStage *stage = packet->stages[i];

		list = lp_json_append(list,
		    json_pack("{s:o, s:o, s:o, s:o}", "stage",
			lp_json_string_or_null(stage->name), "verdict",
			lp_json_string_or_null(stage->verdict), "reason",
			lp_json_string_or_null(stage->reason), "text",
			lp_json_string_or_null(stage->text)));
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
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "verdict",
	    lp_json_string_or_null(packet->verdict), "reason",
	    lp_json_string_or_null(packet->reason), "text",
	    lp_json_string_or_null(packet->text), "connection",
	    connection(packet), "next_hop", address(packet->next_hop),
	    "next_hop_mac", lp_json_string_or_null(packet->next_hop_mac),
	    "stages", stages(packet), "outputs", outputs(packet));
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
