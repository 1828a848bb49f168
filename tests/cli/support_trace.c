/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed answers to trace and capture. */
#include "proto/message.h"
#include "tests/cli/support.h"

static Lp__Pb__TraceStage stages[6];
static Lp__Pb__TraceStage *stage_list[6];
static Lp__Pb__TraceOutput outputs[2];
static Lp__Pb__TraceOutput *output_list[] = {&outputs[0], &outputs[1]};
static uint8_t frame[] = {2, 0, 0, 0, 0, 0x14, 2, 0, 0, 0, 0, 1, 8, 0};

static void
make_stage(size_t n, const char *name, const char *verdict, const char *reason,
    const char *text)
{
	lp__pb__trace_stage__init(&stages[n]);
	stages[n].name = (char *)name;
	stages[n].verdict = (char *)verdict;
	stages[n].reason = (char *)reason;
	stages[n].text = (char *)text;
	stage_list[n] = &stages[n];
}

static void
make_output(size_t n, const char *port, uint32_t len, bool made)
{
	lp__pb__trace_output__init(&outputs[n]);
	outputs[n].port = (char *)port;
	outputs[n].has_data = outputs[n].has_len = outputs[n].has_made = true;
	outputs[n].data.data = frame;
	outputs[n].data.len = sizeof(frame);
	outputs[n].len = len;
	outputs[n].made = made;
}

static Lp__Pb__TraceRule rules[5];
static Lp__Pb__TraceRule *seen[] = {&rules[1], &rules[2]};
static Lp__Pb__TraceRule *others[] = {&rules[3], &rules[4]};

static void
make_rule(size_t n, const char *name, uint32_t priority, const char *action,
    bool shadow, const char *text)
{
	lp__pb__trace_rule__init(&rules[n]);
	rules[n].name = (char *)name;
	rules[n].has_priority = rules[n].has_shadow = true;
	rules[n].priority = priority;
	rules[n].action = (char *)action;
	rules[n].shadow = shadow;
	rules[n].text = (char *)text;
}

static void
make_rules(Lp__Pb__TraceRules *all, Lp__Pb__TraceRules *none)
{
	make_rule(0, "office", 200, "allow dscp=8", false,
	    "src 10.9.0.7 is in 10.9.0.0/16");
	make_rule(1, "strict", 900, "reset", true, "src is 10.9.0.7");
	make_rule(2, "audit", 800, "observe", false, "it holds for everything");
	make_rule(3, "partners", 250, "allow", false,
	    "src 10.9.0.7 is not in 10.2.0.0/16");
	rules[1].effect = (char *)"RST to both ends of its connection";
	make_rule(4, "batch", 240, "reset", true,
	    "the connection has no broker\033[2J");
	lp__pb__trace_rules__init(all);
	all->decides = &rules[0];
	all->n_seen = 2;
	all->seen = seen;
	all->n_others = 2;
	all->others = others;
	all->has_seen_more = all->has_others_more = all->has_elsewhere = true;
	all->seen_more = 3;
	all->others_more = 40;
	all->elsewhere = 12;
	all->note = (char *)"rule app before it lets some of its requests "
			    "pass";
	lp__pb__trace_rules__init(none);
	none->topic = (char *)"orders";
	none->fault = (char *)"the table that packets ask says otherwise: it "
			      "is rule strict";
}

static void
set_endpoint(Lp__Pb__Endpoint **field, Lp__Pb__Endpoint *message,
    struct lp_endpoint *endpoint, const char *text)
{
	(void)lp_endpoint_parse(endpoint, text, NULL);
	*field = lp_message_from_endpoint(message, endpoint);
}

static void
make_opened(Lp__Pb__TracedPacket *packet, Lp__Pb__Connection *connection,
    Lp__Pb__Endpoint messages[5], struct lp_endpoint endpoints[5])
{
	lp__pb__connection__init(connection);
	set_endpoint(
	    &connection->client, &messages[0], &endpoints[0], "10.9.0.7:51000");
	set_endpoint(
	    &connection->vip, &messages[1], &endpoints[1], "10.9.0.100:9092");
	set_endpoint(
	    &connection->source, &messages[2], &endpoints[2], "10.0.2.10:1024");
	set_endpoint(
	    &connection->broker, &messages[3], &endpoints[3], "10.0.2.11:9092");
	set_endpoint(
	    &packet->next_hop, &messages[4], &endpoints[4], "10.0.2.11:1");
	connection->state = (char *)"SYN-SENT";
	connection->cluster = (char *)"payments";
	connection->listener = (char *)"public";
	connection->has_node_id = true;
	connection->node_id = 1;
	packet->connection = connection;
	packet->has_opened = packet->opened = true;
	packet->verdict = (char *)"held";
	packet->reason = (char *)"neighbor_pending";
	packet->text = (char *)"waits for its next hop to be resolved";
}

static void
add_packet(struct support_bytes *bytes, Lp__Pb__TracedPacket *packet)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__TracePacketsReply body = LP__PB__TRACE_PACKETS_REPLY__INIT;

	packet->stages = stage_list;
	packet->outputs = output_list;
	body.dataplane = (char *)"edge-1";
	body.n_packets = 1;
	body.packets = &packet;
	reply.cookie = SUPPORT_COOKIE;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_TRACE;
	reply.trace = &body;
	support_bytes_add(bytes, &reply);
}

static void
add_dropped(struct support_bytes *bytes)
{
	Lp__Pb__TracedPacket dropped = LP__PB__TRACED_PACKET__INIT;

	make_stage(0, "parse", "dropped", "ip_fragment", "IP fragment");
	make_stage(1, "tx", NULL, NULL, "nothing leaves");
	dropped.verdict = (char *)"dropped";
	dropped.reason = (char *)"ip_fragment";
	dropped.text = (char *)"IP fragment";
	dropped.n_stages = 2;
	add_packet(bytes, &dropped);
}

void
support_reply_trace_dropped(struct support_bytes *bytes)
{
	add_dropped(bytes);
}

void
support_reply_trace(struct support_bytes *bytes)
{
	Lp__Pb__TracedPacket opened = LP__PB__TRACED_PACKET__INIT;
	Lp__Pb__TraceRules all, none, cut = LP__PB__TRACE_RULES__INIT;
	Lp__Pb__TraceRules *request[] = {&none, &cut};
	Lp__Pb__Connection connection;
	Lp__Pb__Endpoint messages[5];
	struct lp_endpoint endpoints[5];

	make_opened(&opened, &connection, messages, endpoints);
	make_stage(0, "parse", NULL, NULL,
	    "IPv4, TCP 10.9.0.7:51000 > 10.9.0.100:9092, flags S, seq 1, ack "
	    "0, window 64240, payload 0");
	make_stage(1, "conntrack", NULL, NULL,
	    "no connection has these addresses and ports");
	make_stage(2, "rewrite", "held", "neighbor_pending",
	    "10.9.0.7:51000 > 10.9.0.100:9092 becomes 10.0.2.10:1024 > "
	    "10.0.2.11:9092");
	make_stage(3, "tx", NULL, NULL, "beside it 42 bytes by port back");
	make_output(0, "back", 42, true);
	opened.n_stages = 4;
	opened.n_outputs = 1;
	make_rules(&all, &none);
	stages[1].rules = &all;
	cut.has_cut = cut.cut = true;
	opened.n_request = 2;
	opened.request = request;
	opened.request_note = (char *)"the connection is refused: no such "
				      "request comes";
	add_packet(bytes, &opened);
	add_dropped(bytes);
}

static void
add_capture(
    struct support_bytes *bytes, Lp__Pb__CapturePacketsReply *body, bool more)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;

	body->dataplane = (char *)"edge-1";
	reply.cookie = SUPPORT_COOKIE;
	reply.has_more = true;
	reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_CAPTURE;
	reply.capture = body;
	support_bytes_add(bytes, &reply);
}

void
support_reply_capture(struct support_bytes *bytes, bool complete)
{
	Lp__Pb__CapturePacketsReply begun = LP__PB__CAPTURE_PACKETS_REPLY__INIT;
	Lp__Pb__CapturePacketsReply body = LP__PB__CAPTURE_PACKETS_REPLY__INIT;
	Lp__Pb__CapturePort port = LP__PB__CAPTURE_PORT__INIT;
	Lp__Pb__CapturedPacket packets[3];
	Lp__Pb__CapturedPacket *list[3];
	Lp__Pb__CapturePort *ports[] = {&port};

	add_capture(bytes, &begun, true);
	port.slot = 3;
	port.name = (char *)"front";
	port.device = (char *)"eth1";
	for (unsigned i = 0; i < 3; i++) {
		lp__pb__captured_packet__init(&packets[i]);
		packets[i].slot = i == 1 ? 9 : 3; /* 9: nobody has named it */
		packets[i].time_ns = SUPPORT_NOW_NS + i;
		packets[i].data.data = frame;
		packets[i].data.len = sizeof(frame);
		packets[i].len = 60;
		packets[i].has_sent = true;
		packets[i].sent = i == 2;
		packets[i].comment = (char *)"connection 7\033[2J: forwarded";
		list[i] = &packets[i];
	}
	body.n_ports = 1;
	body.ports = ports;
	body.n_packets = 3;
	body.packets = list;
	add_capture(bytes, &body, true);
	if (!complete)
		return;
	begun.has_captured = begun.has_dropped = true;
	begun.captured = 3;
	begun.dropped = 5;
	add_capture(bytes, &begun, false);
}

/* The packets of all frames. */
int
support_write_trace(const struct lp_output *output,
    const struct lp_print *print, struct lp_replies *replies)
{
	struct lp_trace_view view = {.port = "front",
	    .replies = replies->list,
	    .reply_count = replies->count};

	return output->trace(print, &view);
}

int
support_write_captured(const struct lp_output *output,
    const struct lp_print *print, struct lp_replies *replies)
{
	const struct lp_capture_view view = {
	    .path = "a.pcapng", .packets = 12, .dropped = 3};

	(void)replies;
	return output->captured(print, &view);
}
