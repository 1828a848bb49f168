/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	begin: snapshot, next hops, connections ▸ copied in
 *	run:   one packet, one turn, watched after each stage
 *
 * The pipeline is the one of pipeline.c, so a stage that is added there is
 * seen here.  Frames that leave are taken at "rewrite": what the tick behind
 * it sends (announcements, probes) is no consequence of the packet.
 */
#include "dataplane/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/capture.h"
#include "dataplane/pipeline/icmp.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/region.h"
#include "dataplane/trace_known.h"
#include "dataplane/trace_port.h"
#include "dataplane/trace_rules.h"
#include "dataplane/trace_text.h"

enum {
	NOTES = 2, /* one packet at a time */
	/* Turns without a packet: a sweep of the whole table, and some. */
	SETTLE_TURNS = LP_TRACE_CONNECTIONS / LP_SWEEP_STEP + 8,
};

/* A day: a clock that jumps in a file does not end connections. */
#define OFFSET_MAX_NS UINT64_C(86400000000000)

struct lp_trace {
	struct lp_region region;
	struct lp_snapshot snapshot; /* tables are the running one's */
	struct lp_snapshot_cell cell;
	struct lp_trace_port_set *ports;
	struct lp_pipeline *pipeline;
	/* Of every packet: not for the copies, but for what stages note. */
	struct lp_capture *capture;
	struct lp_trace_source source;
	uint64_t started_ns;
	uint64_t now_ns; /* never goes back */
	/* Of the packet that runs. */
	struct lp_trace_result *result;
	uint8_t state_before; /* of its connection */
	struct lp_tuple tuple_before;
	/* By place: copied from the worker's, not opened here. */
	bool live[LP_TRACE_CONNECTIONS];
};

static int listen_to_notes(struct lp_trace *trace);
static void take_snapshot(struct lp_trace *trace);
static void settle(struct lp_trace *trace);
static unsigned tuples_of(struct lp_tuple tuples[],
    const struct lp_trace_packet packets[], unsigned count);
static void take_conn(void *arg, const struct lp_conn *conn);
static void take_hop(void *arg, const struct lp_neighbor *hop);
static void see(void *arg, const char *stage, const struct lp_batch *batch);
static void see_conn(struct lp_trace *trace, const struct lp_pkt *pkt);
static void see_rules(struct lp_trace *trace, const struct lp_batch *batch);
static bool has_note(const struct lp_batch *batch, const struct lp_pkt *pkt);
static void say(struct lp_trace *trace, const char *name,
    const struct lp_batch *batch, bool decided);
static void see_hop(struct lp_trace *trace, const struct lp_batch *batch);
static void take_outputs(
    struct lp_trace_result *result, const struct lp_batch *batch);
static void take_output(struct lp_trace_result *result,
    const struct lp_pkt *pkt, uint8_t *bytes, size_t size, bool made);

int
lp_trace_new(struct lp_trace **out, uint64_t seed, uint64_t now_ns)
{
	struct lp_trace *trace =
	    aligned_alloc(64, (sizeof(*trace) + 63) & ~(size_t)63);
	int error = -ENOMEM;

	if (!trace)
		return -ENOMEM;
	memset(trace, 0, sizeof(*trace));
	trace->started_ns = now_ns;
	trace->now_ns = now_ns;
	error = lp_region_open(
	    &trace->region, NULL, LP_TRACE_CONNECTIONS, LP_TRACE_PORT_BUFFERS);
	if (!error)
		error = lp_trace_port_new(&trace->ports);
	if (!error) {
		struct lp_pipeline_config config = {
		    .cell = &trace->cell,
		    .region = &trace->region,
		    .backend = &lp_trace_port_ops,
		    .pool = lp_trace_port_pool(trace->ports),
		    .hash_seed = seed,
		    .now_ns = now_ns,
		};

		error = lp_pipeline_new(&trace->pipeline, &config);
	}
	if (!error)
		error = listen_to_notes(trace);
	if (!error) {
		*out = trace;
		return 0;
	}
	lp_trace_free(trace);
	return error;
}

void
lp_trace_free(struct lp_trace *trace)
{
	if (!trace)
		return;
	lp_pipeline_free(trace->pipeline);
	if (trace->capture)
		free(trace->capture->entries);
	free(trace->capture);
	lp_trace_port_free(trace->ports);
	if (trace->region.header)
		lp_region_close(&trace->region);
	free(trace);
}

void
lp_trace_begin(struct lp_trace *trace, const struct lp_trace_source *source,
    const struct lp_trace_packet packets[], unsigned count)
{
	struct lp_tuple tuples[LP_TRACE_PACKETS_MAX];

	assert(count <= LP_TRACE_PACKETS_MAX);
	trace->source = *source;
	if (trace->now_ns < source->now_ns)
		trace->now_ns = source->now_ns;
	take_snapshot(trace);
	settle(trace);
	if (source->pipeline)
		lp_trace_known_neighbors(
		    lp_pipeline_neighbors(source->pipeline), take_hop, trace);
	lp_trace_known_connections(source->region, tuples,
	    tuples_of(tuples, packets, count), take_conn, trace);
}

int
lp_trace_run(struct lp_trace *trace, const struct lp_trace_packet *packet,
    struct lp_trace_result *result)
{
	const struct lp_snapshot_port *port =
	    &trace->snapshot.ports[packet->slot];
	uint8_t bytes[LP_TRACE_PACKET_MAX];

	assert(packet->slot < LP_PORTS_MAX);
	assert(packet->len <= sizeof(bytes));
	if (trace->source.snapshot && !port->port)
		return -ENODEV;
	memcpy(bytes, packet->bytes, packet->len);
	if (packet->fill_mac && packet->len >= LP_ETH_LEN)
		memcpy(bytes + LP_ETH_DST, port->mac, 6);
	/* Packets keep their distance, but time does not go back. */
	if (packet->offset_ns <= OFFSET_MAX_NS &&
	    trace->started_ns + packet->offset_ns > trace->now_ns)
		trace->now_ns = trace->started_ns + packet->offset_ns;
	memset(result, 0, offsetof(struct lp_trace_result, bytes));
	trace->result = result;
	lp_trace_port_give(trace->ports, packet->slot, bytes, packet->len);
	lp_pipeline_watch(trace->pipeline, trace->now_ns, see, trace);
	while (lp_capture_oldest(trace->capture))
		lp_capture_consumed(trace->capture);
	if (result->stage_count > 0)
		return 0;
	lp_trace_port_give(trace->ports, packet->slot, NULL, 0);
	return -ENOBUFS;
}

static int
listen_to_notes(struct lp_trace *trace)
{
	struct lp_capture *capture = aligned_alloc(64, sizeof(*capture));

	if (!capture)
		return -ENOMEM;
	memset(capture, 0, sizeof(*capture));
	trace->capture = capture;
	capture->slots = UINT16_MAX;
	capture->stride = lp_capture_stride(capture->snap);
	capture->count = NOTES;
	capture->entries =
	    aligned_alloc(64, (size_t)capture->count * capture->stride);
	if (!capture->entries)
		return -ENOMEM;
	lp_pipeline_capture(trace->pipeline, capture);
	return 0;
}

/* The running one, with our ports in the places of the real ones. */
static void
take_snapshot(struct lp_trace *trace)
{
	const struct lp_snapshot *from = trace->source.snapshot;

	atomic_store(&trace->cell.current, NULL);
	if (!from)
		return;
	trace->snapshot = *from;
	/* A gap in a file is no hang of ours. */
	trace->snapshot.wires_on_loss = false;
	for (uint8_t i = 0; i < LP_PORTS_MAX; i++)
		if (from->ports[i].port)
			trace->snapshot.ports[i].port =
			    lp_trace_port_get(trace->ports, i);
	atomic_store(&trace->cell.current, &trace->snapshot);
}

/* Announcements, and the sweep of what an earlier request has opened. */
static void
settle(struct lp_trace *trace)
{
	for (int i = 0; i < SETTLE_TURNS; i++)
		lp_pipeline_run(trace->pipeline, trace->now_ns);
}

/* By the code of parse, on copies. */
static unsigned
tuples_of(struct lp_tuple tuples[], const struct lp_trace_packet packets[],
    unsigned count)
{
	uint8_t bytes[LP_TRACE_PACKET_MAX];
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++) {
		struct lp_pkt pkt = {.data = bytes,
		    .len = packets[i].len,
		    .conn = LP_CONN_NONE,
		    .port_in = packets[i].slot};

		memcpy(bytes, packets[i].bytes, packets[i].len);
		lp_parse_packet(&pkt);
		if (pkt.verdict != LP_UNDECIDED)
			continue;
		if (pkt.flags & LP_PKT_TCP)
			lp_conntrack_tuple(&pkt, &tuples[found++]);
		else if (lp_icmp_quoted(&pkt, &tuples[found]))
			found++;
	}
	return found;
}

/* Unless this trace has it already, or another one in its place. */
static void
take_conn(void *arg, const struct lp_conn *from)
{
	struct lp_trace *trace = arg;
	struct lp_conntrack *conntrack = lp_pipeline_conntrack(trace->pipeline);
	struct lp_tuple tuples[2] = {
	    {.is_inline = (from->flags & LP_CONN_INLINE) != 0,
		.src = from->client_ip,
		.dst = from->vip_ip,
		.sport = from->client_port,
		.dport = from->vip_port},
	    {.is_inline = (from->flags & LP_CONN_INLINE) != 0,
		.src = from->broker_ip,
		.dst = from->source_ip,
		.sport = from->broker_port,
		.dport = from->source_port},
	};
	struct lp_conn conn = *from;
	enum lp_direction dir;
	uint32_t index;

	for (int i = 0; i < 2; i++)
		if (lp_conntrack_find(conntrack, &tuples[i], &dir) !=
		    LP_CONN_NONE)
			return;
	if ((from->flags & LP_CONN_NAT_PORT) &&
	    !lp_nat_claim(&conntrack->nat, &from->source_ip, &from->broker_ip,
		from->broker_port, from->source_port))
		return;
	conn.use = LP_CONN_FREE;
	/* Hints to next hops are the worker's. */
	memset(conn.nexthop, 0, sizeof(conn.nexthop));
	conn.wire_slot = 0;
	index = lp_conntrack_add(
	    conntrack, &conn, (uint32_t)(trace->now_ns / 1000000000));
	if (index == LP_CONN_NONE)
		return;
	trace->live[index] = true;
	lp_conntrack_get(conntrack, index)->serial = from->serial;
	lp_conntrack_get(conntrack, index)->opened_s = from->opened_s;
}

static void
take_hop(void *arg, const struct lp_neighbor *hop)
{
	struct lp_trace *trace = arg;

	lp_pipeline_adopt(trace->pipeline, hop);
}

static void
see(void *arg, const char *name, const struct lp_batch *batch)
{
	struct lp_trace *trace = arg;
	struct lp_trace_result *result = trace->result;
	const struct lp_pkt *pkt = &batch->pkts[0];
	bool decided = result->verdict != LP_UNDECIDED;

	if (batch->count == 0)
		return;
	assert(batch->count == 1);
	see_conn(trace, pkt);
	if (strcmp(name, "rewrite") == 0) {
		see_hop(trace, batch);
		take_outputs(result, batch);
	}
	result->verdict = pkt->verdict;
	result->reason = pkt->reason;
	if (strcmp(name, "rx") == 0 || (decided && strcmp(name, "tx") != 0))
		return;
	/* Kafka is looked at inside of rewrite, before it decides. */
	if (strcmp(name, "rewrite") == 0 && has_note(batch, pkt))
		say(trace, "kafka", batch, true);
	see_rules(trace, batch);
	say(trace, name, batch, decided);
}

static bool
has_note(const struct lp_batch *batch, const struct lp_pkt *pkt)
{
	const struct lp_capture_note *note = lp_capture_note(batch, pkt);

	return note && note->len > 0;
}

/* What that stage says; its verdict, unless that is another one's. */
static void
say(struct lp_trace *trace, const char *name, const struct lp_batch *batch,
    bool decided)
{
	struct lp_trace_result *result = trace->result;
	const struct lp_pkt *pkt = &batch->pkts[0];
	struct lp_trace_stage *stage = &result->stages[result->stage_count];

	if (result->stage_count == LP_TRACE_STAGES_MAX)
		return;
	result->stage_count++;
	stage->name = name;
	stage->verdict = decided ? (uint8_t)LP_UNDECIDED : pkt->verdict;
	stage->reason = decided ? (uint8_t)LP_REASON_NONE : pkt->reason;
	lp_trace_text_stage(stage->text,
	    &(struct lp_trace_text){
		.stage = name,
		.batch = batch,
		.pkt = pkt,
		.result = result,
		.config = trace->source.config,
		.before = trace->state_before,
		.tuple = &trace->tuple_before,
	    });
}

/* It may be forgotten again by a later stage; then this is the last of it. */
static void
see_conn(struct lp_trace *trace, const struct lp_pkt *pkt)
{
	struct lp_trace_result *result = trace->result;
	const struct lp_conn *conn;

	if (pkt->verdict == LP_UNDECIDED && (pkt->flags & LP_PKT_TCP))
		lp_conntrack_tuple(pkt, &trace->tuple_before);
	if (pkt->conn == LP_CONN_NONE)
		return;
	conn =
	    lp_conntrack_get(lp_pipeline_conntrack(trace->pipeline), pkt->conn);
	if (!result->has_conn)
		trace->state_before = conn->tcp.state;
	result->has_conn = true;
	if (pkt->reason == LP_REASON_OPENED) {
		result->opened = true;
		trace->live[pkt->conn] = false;
	}
	result->dir = pkt->dir;
	result->conn = *conn;
	if (!trace->live[pkt->conn])
		result->conn.serial = 0;
}

/* At the stage that has opened or refused a connection: it asked them. */
static void
see_rules(struct lp_trace *trace, const struct lp_batch *batch)
{
	struct lp_trace_result *result = trace->result;
	const struct lp_pkt *pkt = &batch->pkts[0];

	if (result->is_asked)
		return;
	if (pkt->reason == LP_REASON_OPENED) {
		result->is_asked = true;
		result->asked = result->conn;
		/* A route leads to another broker than it was asked about. */
		(void)lp_trace_rules_wanted(&result->asked, batch->snapshot,
		    pkt->port_in, &trace->tuple_before);
	} else if (pkt->reason == LP_REASON_RESET_RULE ||
	    pkt->reason == LP_REASON_RESET_NO_BROKER) {
		result->is_refused = result->is_asked =
		    lp_trace_rules_wanted(&result->asked, batch->snapshot,
			pkt->port_in, &trace->tuple_before);
	}
	result->asked_stage = (uint8_t)result->stage_count;
}

static void
see_hop(struct lp_trace *trace, const struct lp_batch *batch)
{
	struct lp_trace_result *result = trace->result;
	const struct lp_neighbors *neighbors =
	    lp_pipeline_neighbors(trace->pipeline);
	const struct lp_neighbor *entry;
	uint32_t serial;

	if (!result->has_conn || batch->pkts[0].conn == LP_CONN_NONE)
		return;
	serial = result->conn.nexthop[result->dir];
	entry = &neighbors->entries[serial % LP_NEIGHBORS_MAX];
	if (serial == 0 || entry->serial != serial || entry->port_id == 0)
		return;
	result->has_hop = true;
	result->hop = entry->ip;
	result->has_hop_mac = entry->state == LP_NEIGHBOR_REACHABLE ||
	    entry->state == LP_NEIGHBOR_PROBE;
	memcpy(result->hop_mac, entry->mac, 6);
}

/* The packet itself first, then what goes with it. */
static void
take_outputs(struct lp_trace_result *result, const struct lp_batch *batch)
{
	const struct lp_pkt *pkt = &batch->pkts[0];

	if (pkt->verdict != LP_DROP && pkt->verdict != LP_HOLD &&
	    pkt->port_out != LP_PORT_NONE)
		take_output(
		    result, pkt, result->bytes, sizeof(result->bytes), false);
	for (unsigned i = 0; i < batch->out.count &&
	     result->output_count < LP_TRACE_OUTPUTS_MAX;
	     i++)
		take_output(result, &batch->out.pkts[i],
		    result->made[result->output_count], LP_TRACE_MADE_MAX,
		    true);
}

static void
take_output(struct lp_trace_result *result, const struct lp_pkt *pkt,
    uint8_t *bytes, size_t size, bool made)
{
	uint16_t cut = pkt->len < size ? pkt->len : (uint16_t)size;

	memcpy(bytes, pkt->data, cut);
	result->outputs[result->output_count++] = (struct lp_trace_output){
	    .slot = pkt->port_out,
	    .made = made,
	    .len = pkt->len,
	    .cut = cut,
	    .bytes = bytes,
	};
}
