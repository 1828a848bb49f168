/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/trace_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/line.h"
#include "dataplane/pipeline/capture.h"
#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/wire.h"

enum { FLAGS_SIZE = 8 };

static void add_packet(struct lp_line *line, const struct lp_pkt *pkt);
static void add_flow(struct lp_line *line, const struct lp_ip *src,
    uint16_t sport, const struct lp_ip *dst, uint16_t dport);
static void add_conn(struct lp_line *line, const struct lp_trace_text *what);
static void add_stranger(
    struct lp_line *line, const struct lp_trace_text *what);
static void add_listener(struct lp_line *line, const struct lp_config *config,
    const struct lp_conn *conn);
static void add_admit(struct lp_line *line, const struct lp_trace_text *what);
static void add_note(struct lp_line *line, const struct lp_trace_text *what);
static void add_rewrite(struct lp_line *line, const struct lp_trace_text *what);
static void add_tx(struct lp_line *line, const struct lp_trace_text *what);

void
lp_trace_text_stage(
    char text[LP_TRACE_TEXT_SIZE], const struct lp_trace_text *what)
{
	const struct lp_pkt *pkt = what->pkt;
	struct lp_line line = {.text = text, .size = LP_TRACE_TEXT_SIZE};

	text[0] = '\0';
	if (strcmp(what->stage, "tx") == 0) {
		add_tx(&line, what);
	} else if (strcmp(what->stage, "kafka") == 0) {
		add_note(&line, what);
	} else if (strcmp(what->stage, "rewrite") == 0) {
		add_rewrite(&line, what);
	} else if (pkt->verdict != LP_UNDECIDED) {
		lp_line_put(&line, "%s", lp_reason_text(pkt->reason));
	} else if (strcmp(what->stage, "parse") == 0) {
		add_packet(&line, pkt);
	} else if (strcmp(what->stage, "neighbor") == 0) {
		lp_line_put(&line, "neither ARP, neighbour discovery nor MLD");
	} else if (strcmp(what->stage, "icmp") == 0) {
		lp_line_put(&line, "no ICMP");
	} else if (strcmp(what->stage, "conntrack") == 0) {
		add_conn(&line, what);
	} else if (strcmp(what->stage, "admit") == 0) {
		add_admit(&line, what);
	} else {
		assert(strcmp(what->stage, "inline") == 0);
		lp_line_put(&line, "%s",
		    pkt->flags & LP_PKT_INLINE
			? "of an inline port, and looked into"
			: "of no inline port");
	}
}

const char *
lp_trace_text_port(const struct lp_snapshot *snapshot,
    const struct lp_config *config, uint8_t slot)
{
	const struct lp_object *port = NULL;

	if (snapshot && slot < LP_PORTS_MAX)
		port = lp_config_find(
		    config, LP_OBJECT_PORT, snapshot->ports[slot].id);
	return port ? port->port.name : "?";
}

static void
add_packet(struct lp_line *line, const struct lp_pkt *pkt)
{
	static const char letters[] = "FSRPAU";
	const uint8_t *tcp = pkt->data + pkt->l4_off;
	char flags[FLAGS_SIZE] = "";
	struct lp_tuple tuple;
	size_t count = 0;

	if (pkt->flags & LP_PKT_ARP) {
		lp_line_put(line, "ARP");
		return;
	}
	lp_line_put(line, "%s, ", pkt->flags & LP_PKT_V6 ? "IPv6" : "IPv4");
	if (!(pkt->flags & LP_PKT_TCP)) {
		lp_line_put(line, "ICMP type %u code %u", tcp[LP_ICMP_TYPE],
		    tcp[LP_ICMP_CODE]);
		return;
	}
	for (unsigned i = 0; letters[i] != '\0'; i++)
		if (pkt->tcp_flags & 1u << i)
			flags[count++] = letters[i];
	lp_conntrack_tuple(pkt, &tuple);
	lp_line_put(line, "TCP ");
	add_flow(line, &tuple.src, tuple.sport, &tuple.dst, tuple.dport);
	lp_line_put(line,
	    ", flags %s, seq %" PRIu32 ", ack %" PRIu32
	    ", window %u, payload %u",
	    flags, lp_get32(tcp + LP_TCP_SEQ), lp_get32(tcp + LP_TCP_ACKNO),
	    lp_get16(tcp + LP_TCP_WINDOW), pkt->payload_len);
}

static void
add_flow(struct lp_line *line, const struct lp_ip *src, uint16_t sport,
    const struct lp_ip *dst, uint16_t dport)
{
	struct lp_endpoint from = {*src, sport};
	struct lp_endpoint to = {*dst, dport};
	char buf[LP_ENDPOINT_TEXT_SIZE];

	lp_line_put(line, "%s > ", lp_endpoint_format(buf, &from));
	lp_line_put(line, "%s", lp_endpoint_format(buf, &to));
}

static void
add_conn(struct lp_line *line, const struct lp_trace_text *what)
{
	const struct lp_trace_result *result = what->result;
	const struct lp_conn *conn = &result->conn;

	if (!result->has_conn) {
		add_stranger(line, what);
		return;
	}
	if (conn->serial != 0)
		lp_line_put(line, "connection %" PRIu32 ", ", conn->serial);
	else
		lp_line_put(line, "a connection of this trace, ");
	lp_line_put(line, "from the %s, %s; ",
	    result->dir == LP_TO_BROKER ? "client" : "broker",
	    lp_tcp_state_name(conn->tcp.state));
	add_listener(line, what->config, conn);
}

static bool
is_broker(
    const struct lp_snapshot *snapshot, const struct lp_ip *ip, uint16_t port)
{
	for (uint16_t i = 0; i < snapshot->target_count; i++) {
		const struct lp_endpoint *real = &snapshot->targets[i].real;

		if (real->port == port && lp_ip_equal(&real->ip, ip))
			return true;
	}
	return false;
}

/*
 * A file may have both sides of a VIP's connection.  Of the brokers' the trace
 * knows only what the dataplane has: the source port that a file shows is not
 * that of what the trace opens.
 */
static void
add_stranger(struct lp_line *line, const struct lp_trace_text *what)
{
	const struct lp_snapshot *snapshot = what->batch->snapshot;
	const struct lp_tuple *tuple = what->tuple;

	lp_line_put(line, "no connection has these addresses and ports");
	if (!(what->pkt->flags & LP_PKT_TCP))
		return;
	if (lp_snapshot_own(snapshot, &tuple->src))
		lp_line_put(line,
		    "; an address of ours sent it: it does not come in, but "
		    "leaves");
	else if (lp_snapshot_own(snapshot, &tuple->dst) &&
	    is_broker(snapshot, &tuple->src, tuple->sport))
		lp_line_put(line,
		    "; of a VIP's connections what a broker sends is known "
		    "only while they live: one that this trace opens has "
		    "another source port than the packet says");
}

/* "listener payments/public, broker 1 (10.0.2.11:9092)" */
static void
add_listener(struct lp_line *line, const struct lp_config *config,
    const struct lp_conn *conn)
{
	const struct lp_object *listener =
	    lp_config_find(config, LP_OBJECT_LISTENER, conn->listener_id);
	const struct lp_object *broker =
	    lp_config_find(config, LP_OBJECT_BROKER, conn->broker_id);
	const struct lp_object *cluster = NULL;
	struct lp_endpoint real = {conn->broker_ip, conn->broker_port};
	char buf[LP_ENDPOINT_TEXT_SIZE];

	if (listener)
		cluster = lp_config_find(
		    config, LP_OBJECT_CLUSTER, listener->listener.cluster_id);
	lp_line_put(line, "listener %s/%s, ",
	    cluster ? cluster->cluster.name : "?",
	    listener ? listener->listener.name : "?");
	if (broker)
		lp_line_put(
		    line, "broker %" PRId32 " ", broker->broker.node_id);
	else
		lp_line_put(line, "broker ? ");
	lp_line_put(line, "(%s)", lp_endpoint_format(buf, &real));
}

static bool
is_hashed(const struct lp_snapshot *snapshot, const struct lp_service *service,
    const struct lp_conn *conn)
{
	const struct lp_target *target = lp_snapshot_choose(
	    snapshot, service, &conn->client_ip, conn->client_port);

	return target && target->broker_id == conn->broker_id;
}

static void
add_admit(struct lp_line *line, const struct lp_trace_text *what)
{
	const struct lp_trace_result *result = what->result;
	const struct lp_conn *conn = &result->conn;
	struct lp_endpoint source = {conn->source_ip, conn->source_port};
	const struct lp_service *service;
	char buf[LP_ENDPOINT_TEXT_SIZE];

	if (!(what->pkt->flags & LP_PKT_TCP) || !result->has_conn) {
		lp_line_put(line, "not TCP");
		return;
	}
	if (what->pkt->reason != LP_REASON_OPENED) {
		lp_line_put(line, "of a known connection: nothing to judge");
		return;
	}
	service = lp_snapshot_service(
	    what->batch->snapshot, &conn->vip_ip, conn->vip_port);
	lp_line_put(line, "new connection; ");
	add_listener(line, what->config, conn);
	lp_line_put(line, "%s",
	    !service || service->target != LP_INDEX_NONE
		? ", whose endpoint this is"
		: is_hashed(what->batch->snapshot, service, conn)
		? " by the hash of the client's address and port"
		: ", to which a rule routes it");
	lp_line_put(line, "; source %s", lp_endpoint_format(buf, &source));
	if (conn->flags & LP_CONN_NAT_PORT)
		lp_line_put(line, " (a free port: the worker takes its own)");
}

/* What was noted for captures: what was seen in this packet. */
static void
add_note(struct lp_line *line, const struct lp_trace_text *what)
{
	const struct lp_capture_note *note =
	    lp_capture_note(what->batch, what->pkt);

	lp_line_put(line, "%.*s", (int)note->len, note->text);
}

static void
add_rewrite(struct lp_line *line, const struct lp_trace_text *what)
{
	const struct lp_trace_result *result = what->result;
	const struct lp_pkt *pkt = what->pkt;
	const uint8_t *mac = result->hop_mac;
	char buf[LP_IP_TEXT_SIZE];
	struct lp_tuple tuple;

	if (pkt->verdict != LP_FORWARD && pkt->verdict != LP_HOLD) {
		lp_line_put(line, "%s", lp_reason_text(pkt->reason));
		return;
	}
	if (pkt->flags & LP_PKT_INLINE) {
		lp_line_put(line, "%s, %s", lp_reason_text(pkt->reason),
		    result->conn.flags & LP_CONN_SPLICED
			? "with its own addresses"
			: "as it came");
		return;
	}
	lp_conntrack_tuple(pkt, &tuple);
	add_flow(line, &what->tuple->src, what->tuple->sport, &what->tuple->dst,
	    what->tuple->dport);
	lp_line_put(line, " becomes ");
	add_flow(line, &tuple.src, tuple.sport, &tuple.dst, tuple.dport);
	if (what->before != result->conn.tcp.state)
		lp_line_put(line, "; TCP %s, now %s",
		    lp_tcp_state_name(what->before),
		    lp_tcp_state_name(result->conn.tcp.state));
	else
		lp_line_put(line, "; TCP %s", lp_tcp_state_name(what->before));
	if (result->has_hop)
		lp_line_put(
		    line, "; next hop %s", lp_ip_format(buf, &result->hop));
	if (result->has_hop && result->has_hop_mac)
		lp_line_put(line, " at %02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		    mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (pkt->verdict == LP_HOLD)
		lp_line_put(
		    line, ", which is not resolved: it would be asked for");
}

static void
add_tx(struct lp_line *line, const struct lp_trace_text *what)
{
	const struct lp_trace_result *result = what->result;

	if (result->output_count == 0)
		lp_line_put(line, "nothing leaves");
	for (unsigned i = 0; i < result->output_count; i++) {
		const struct lp_trace_output *out = &result->outputs[i];

		lp_line_put(line, "%s%s%u bytes by port %s", i > 0 ? "; " : "",
		    out->made ? "beside it " : "", out->len,
		    lp_trace_text_port(
			what->batch->snapshot, what->config, out->slot));
	}
}
