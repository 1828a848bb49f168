/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/trace_reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/reply.h"
#include "dataplane/report.h"
#include "dataplane/trace_reply_rules.h"
#include "dataplane/trace_text.h"

enum {
	MAC_TEXT_SIZE = 18,
	/* Of a message: what its fields take beside their texts and bytes. */
	EXTRA = 64,
	PACKED_MAX = LP_TRACE_STAGES_MAX * (LP_TRACE_TEXT_SIZE + EXTRA) +
	    LP_TRACE_OUTPUTS_MAX * (LP_TRACE_MADE_MAX + EXTRA) + 8 * EXTRA,
};
static_assert(
    LP_TRACE_PACKETS_MAX * PACKED_MAX + LP_TRACE_BYTES_MAX < LP_FRAME_SIZE_MAX,
    "an answer fits a frame, whatever was asked");

/* One packet of the answer, with all that its message refers to. */
struct traced {
	struct lp_trace_result result;
	Lp__Pb__TracedPacket message;
	Lp__Pb__TraceStage stages[LP_TRACE_STAGES_MAX];
	Lp__Pb__TraceStage *stage_list[LP_TRACE_STAGES_MAX];
	Lp__Pb__TraceOutput outputs[LP_TRACE_OUTPUTS_MAX];
	Lp__Pb__TraceOutput *output_list[LP_TRACE_OUTPUTS_MAX];
	struct lp_report_row row;
	struct lp_endpoint hop;
	Lp__Pb__Endpoint hop_message;
	char mac[MAC_TEXT_SIZE];
};

struct answer {
	struct traced packets[LP_TRACE_PACKETS_MAX];
	Lp__Pb__TracedPacket *list[LP_TRACE_PACKETS_MAX];
	const struct lp_trace_result *results[LP_TRACE_PACKETS_MAX];
};

static bool find_port(const struct lp_dataplane *dataplane, const char *name,
    uint8_t *slot, char why[LP_WHY_SIZE]);
static bool take_packets(struct lp_trace_packet packets[],
    const Lp__Pb__TraceRequest *request, uint8_t slot, char why[LP_WHY_SIZE]);
static bool take_request(struct lp_rule_match *match,
    const Lp__Pb__TraceRequest *request, char why[LP_WHY_SIZE]);
static struct lp_trace_source source_of(struct lp_dataplane *dataplane);
static bool run(struct answer *answer, const struct lp_trace_source *source,
    struct lp_trace *trace, const struct lp_trace_packet packets[],
    unsigned count, char why[LP_WHY_SIZE]);
static int send_answer(struct evbuffer *out, struct answer *answer,
    const struct lp_dataplane *dataplane, const struct lp_trace_source *source,
    const Lp__Pb__TraceRequest *request, const struct lp_rule_match *match);
static void fill(struct traced *traced, const struct lp_dataplane *dataplane);
static void fill_stages(struct traced *traced);
static void fill_outputs(
    struct traced *traced, const struct lp_dataplane *dataplane);
static void fill_conn(
    struct traced *traced, const struct lp_dataplane *dataplane);

int
lp_trace_reply_send(struct evbuffer *out, struct lp_dataplane *dataplane,
    struct lp_trace *trace, const Lp__Pb__TraceRequest *request)
{
	const struct lp_trace_source source = source_of(dataplane);
	struct lp_trace_packet packets[LP_TRACE_PACKETS_MAX];
	struct lp_rule_match match;
	struct answer *answer;
	char why[LP_WHY_SIZE];
	uint8_t slot;
	int error;

	if (!find_port(dataplane, request->port, &slot, why) ||
	    !take_packets(packets, request, slot, why) ||
	    !take_request(&match, request, why))
		return lp_trace_reply_refuse(out, request->cookie, why);
	answer = aligned_alloc(64, (sizeof(*answer) + 63) & ~(size_t)63);
	if (!answer)
		return -ENOMEM;
	if (run(answer, &source, trace, packets, (unsigned)request->n_packets,
		why))
		error = send_answer(out, answer, dataplane, &source, request,
		    request->request ? &match : NULL);
	else
		error = lp_trace_reply_refuse(out, request->cookie, why);
	free(answer);
	return error;
}

int
lp_trace_reply_refuse(struct evbuffer *out, uint64_t cookie, const char *why)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TraceReply reply = LP__PB__TRACE_REPLY__INIT;

	reply.cookie = cookie;
	reply.why = (char *)why;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REPLY;
	message.trace_reply = &reply;
	return lp_reply_send(out, &message);
}

static bool
find_port(const struct lp_dataplane *dataplane, const char *name, uint8_t *slot,
    char why[LP_WHY_SIZE])
{
	for (uint8_t i = 0; i < LP_PORTS_MAX; i++) {
		const struct lp_port_slot *port = &dataplane->ports.slots[i];

		if (port->id == 0 || strcmp(port->object.name, name) != 0)
			continue;
		*slot = i;
		if (port->port)
			return true;
		snprintf(why, LP_WHY_SIZE, "port %s is not open: %s", name,
		    port->why);
		return false;
	}
	snprintf(why, LP_WHY_SIZE, "it runs no port \"%.64s\"", name);
	return false;
}

static bool
take_packets(struct lp_trace_packet packets[],
    const Lp__Pb__TraceRequest *request, uint8_t slot, char why[LP_WHY_SIZE])
{
	size_t total = 0;

	if (request->n_packets > LP_TRACE_PACKETS_MAX) {
		snprintf(why, LP_WHY_SIZE, "more than %d packets at once",
		    LP_TRACE_PACKETS_MAX);
		return false;
	}
	for (size_t i = 0; i < request->n_packets; i++) {
		const Lp__Pb__TracePacket *from = request->packets[i];

		total += from->data.len;
		if (from->data.len > LP_TRACE_PACKET_MAX ||
		    total > LP_TRACE_BYTES_MAX) {
			snprintf(why, LP_WHY_SIZE,
			    "packets of more than %d bytes, or %d in all",
			    LP_TRACE_PACKET_MAX, LP_TRACE_BYTES_MAX);
			return false;
		}
		packets[i] = (struct lp_trace_packet){
		    .bytes = from->data.len > 0 ? from->data.data
						: (const uint8_t *)"",
		    .len = (uint16_t)from->data.len,
		    .slot = slot,
		    .fill_mac = from->fill_mac,
		    .offset_ns = from->offset_ns,
		};
	}
	return true;
}

/* lpctl has read it before: it is wrong only of another version. */
static bool
take_request(struct lp_rule_match *match, const Lp__Pb__TraceRequest *request,
    char why[LP_WHY_SIZE])
{
	struct lp_rule_error error;

	if (!request->request ||
	    (lp_rule_match_parse(match, request->request, &error) == 0 &&
		lp_rule_request_check(match, &error) == 0))
		return true;
	snprintf(why, LP_WHY_SIZE, "request: %.200s", error.why);
	return false;
}

static struct lp_trace_source
source_of(struct lp_dataplane *dataplane)
{
	return (struct lp_trace_source){
	    .snapshot =
		atomic_load((struct lp_snapshot * _Atomic *)&dataplane->cell),
	    .region = &dataplane->region,
	    .pipeline = dataplane->worker
		? lp_worker_pipeline(dataplane->worker)
		: NULL,
	    .config = &dataplane->running.config,
	    .now_ns = lp_clock_ns(),
	};
}

static bool
run(struct answer *answer, const struct lp_trace_source *source,
    struct lp_trace *trace, const struct lp_trace_packet packets[],
    unsigned count, char why[LP_WHY_SIZE])
{
	lp_trace_begin(trace, source, packets, count);
	for (unsigned i = 0; i < count; i++) {
		int error = lp_trace_run(
		    trace, &packets[i], &answer->packets[i].result);

		answer->results[i] = &answer->packets[i].result;
		if (!error)
			continue;
		snprintf(why, LP_WHY_SIZE, "%s",
		    error == -ENODEV
			? "the port is not open"
			: "too many packets of this trace wait for next hops "
			  "that are not resolved");
		return false;
	}
	return true;
}

static int
send_answer(struct evbuffer *out, struct answer *answer,
    const struct lp_dataplane *dataplane, const struct lp_trace_source *source,
    const Lp__Pb__TraceRequest *request, const struct lp_rule_match *match)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TraceReply reply = LP__PB__TRACE_REPLY__INIT;
	struct lp_trace_reply_rules *rules;
	unsigned count = (unsigned)request->n_packets;
	int error = lp_trace_reply_rules_new(
	    &rules, source, answer->results, count, match);

	if (error)
		return error;
	for (unsigned i = 0; i < count; i++) {
		fill(&answer->packets[i], dataplane);
		answer->list[i] = &answer->packets[i].message;
	}
	reply.cookie = request->cookie;
	reply.n_packets = count;
	reply.packets = answer->list;
	lp_trace_reply_rules_put(rules, &reply);
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REPLY;
	message.trace_reply = &reply;
	error = lp_reply_send(out, &message);
	lp_trace_reply_rules_free(rules);
	return error;
}

static void
fill(struct traced *traced, const struct lp_dataplane *dataplane)
{
	const struct lp_trace_result *result = &traced->result;
	Lp__Pb__TracedPacket *message = &traced->message;
	const uint8_t *mac = result->hop_mac;

	lp__pb__traced_packet__init(message);
	message->verdict = (char *)lp_verdict_name(result->verdict);
	message->reason = (char *)lp_reason_name(result->reason);
	message->text = (char *)lp_reason_text(result->reason);
	fill_stages(traced);
	fill_outputs(traced, dataplane);
	if (result->has_conn)
		fill_conn(traced, dataplane);
	if (!result->has_hop)
		return;
	traced->hop = (struct lp_endpoint){result->hop, 1};
	message->next_hop =
	    lp_message_from_endpoint(&traced->hop_message, &traced->hop);
	if (!result->has_hop_mac)
		return;
	snprintf(traced->mac, sizeof(traced->mac),
	    "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
	    mac[4], mac[5]);
	message->next_hop_mac = traced->mac;
}

static void
fill_stages(struct traced *traced)
{
	const struct lp_trace_result *result = &traced->result;

	for (unsigned i = 0; i < result->stage_count; i++) {
		const struct lp_trace_stage *stage = &result->stages[i];
		Lp__Pb__TraceStage *to = &traced->stages[i];

		lp__pb__trace_stage__init(to);
		to->name = (char *)stage->name;
		to->text = (char *)stage->text;
		if (stage->verdict != LP_UNDECIDED) {
			to->verdict = (char *)lp_verdict_name(stage->verdict);
			to->reason = (char *)lp_reason_name(stage->reason);
		}
		traced->stage_list[i] = to;
	}
	traced->message.n_stages = result->stage_count;
	traced->message.stages = traced->stage_list;
}

static void
fill_outputs(struct traced *traced, const struct lp_dataplane *dataplane)
{
	const struct lp_trace_result *result = &traced->result;

	for (unsigned i = 0; i < result->output_count; i++) {
		const struct lp_trace_output *output = &result->outputs[i];
		Lp__Pb__TraceOutput *to = &traced->outputs[i];

		lp__pb__trace_output__init(to);
		to->port =
		    (char *)dataplane->ports.slots[output->slot].object.name;
		to->has_data = true;
		to->data.data = (uint8_t *)output->bytes;
		to->data.len = output->cut;
		to->has_len = true;
		to->len = output->len;
		to->has_made = true;
		to->made = output->made;
		traced->output_list[i] = to;
	}
	traced->message.n_outputs = result->output_count;
	traced->message.outputs = traced->output_list;
}

static void
fill_conn(struct traced *traced, const struct lp_dataplane *dataplane)
{
	const struct lp_trace_result *result = &traced->result;
	Lp__Pb__TracedPacket *message = &traced->message;

	lp_report_connections_fill(
	    &traced->row, &result->conn, &dataplane->running.config);
	message->connection = &traced->row.message;
	message->has_serial = result->conn.serial != 0;
	message->serial = result->conn.serial;
	message->has_opened = true;
	message->opened = result->opened;
	message->has_from_broker = true;
	message->from_broker = result->dir == LP_TO_CLIENT;
}
