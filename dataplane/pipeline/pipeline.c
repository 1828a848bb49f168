/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole path of a packet through Lightpath, in order.  Read this first.
 *
 * Overview
 *
 *	rx ▸ parse ▸ inline ▸ neighbor ▸ icmp ▸ conntrack ▸ admit ▸ rewrite ▸ tx
 *
 * A batch of packets goes through the stages; each stage looks at those that
 * have no verdict yet and may give them one, with the reason.
 *
 *	parse		proves the bounds, notes the offsets
 *	inline		passes what inline ports need not look at
 *	neighbor	answers and learns from ARP and neighbour discovery;
 *			answers queries for multicast groups
 *	icmp		answers pings, translates errors of our connections
 *	conntrack	finds the connection of a TCP segment
 *	admit		judges and creates new connections; RST for strangers
 *	rewrite		next hop, TCP state, Kafka's streams, commit, the other
 *			side's addresses
 *	tx		sends what is to be sent, counts everything
 *
 * Of inline ports admit makes connections without translation, and rewrite
 * passes frames on as they came (inline.c).
 *
 * Chosen packets are copied for `lpctl capture` behind admit, and before tx;
 * rules may have copies of connections sent out of a port (mirror.h).
 * `lpctl trace` runs this very path on a private pipeline, and looks on.
 *
 * Ownership: rx gives buffers to the batch; tx and release give them back, or
 * neighbor holds them, or they wait for room in a port (queue.c).  Packets that
 * we make ourselves lie in the batch's outbox and leave in the order of what
 * they were made for (transmit.c).
 *
 * Synchronization: one worker runs this.  The snapshot is read once a turn: it
 * sees exactly one generation.  Nothing here allocates, locks, logs, reads a
 * clock or makes a system call, the ports' rx, tx and flush aside (tested).
 */
#include "dataplane/pipeline/pipeline.h"

#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/restore.h"
#include "dataplane/pipeline/admit.h"
#include "dataplane/pipeline/beat.h"
#include "dataplane/pipeline/capture.h"
#include "dataplane/pipeline/denials.h"
#include "dataplane/pipeline/gate.h"
#include "dataplane/pipeline/icmp.h"
#include "dataplane/pipeline/inline.h"
#include "dataplane/pipeline/mirror.h"
#include "dataplane/pipeline/pace_send.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/splice.h"
#include "dataplane/pipeline/transmit.h"

struct lp_pipeline {
	struct lp_batch batch;
	struct lp_snapshot_cell *cell;
	struct lp_region *region;
	const struct lp_backend_ops *backend;
	struct lp_pool *pool;
	uint64_t (*clock)(void);
	unsigned first_port; /* where the next turn begins to receive */

	struct lp_make make;
	struct lp_neighbors neighbors;
	struct lp_conntrack conntrack;
	struct lp_reset reset;
	struct lp_kafka kafka;
	struct lp_admit admit;
	struct lp_rewrite rewrite;
	struct lp_denials denials;

	struct lp_mirror mirror;
	struct lp_queues queues;
	struct lp_beat beat;

	/* The sweep that follows a new generation. */
	uint64_t swept; /* generation that all connections were checked by */
	uint64_t sweeping; /* generation that they are being checked by */
	uint32_t sweep_at;
	bool following; /* this sweep is for nothing else: is_to_sweep() */
	uint32_t swept_s;
	struct lp_splice_stall stall;

	/* control sets a bit, the worker clears it: ports to reclaim. */
	_Atomic uint32_t reclaim;
	/* control writes, worker reads: what to copy; NULL: nothing. */
	struct lp_capture *_Atomic capture;
};

static struct lp_pipeline *carve(struct lp_arena *, uint32_t);
/* What has two callers, for trace, is inlined here as if it had one. */
unsigned lp_pipeline_run(struct lp_pipeline *, uint64_t)
    __attribute__((flatten));
static unsigned turn(
    struct lp_pipeline *, uint64_t, lp_pipeline_seen *, void *);
static void receive(struct lp_pipeline *, struct lp_batch *);
static void transmit(struct lp_pipeline *, struct lp_batch *);
static void account(struct lp_pipeline *, struct lp_batch *);
static void removing(void *, uint32_t);
static void beat(struct lp_pipeline *, const struct lp_batch *);
static void expire(struct lp_pipeline *, struct lp_batch *);
static void sweep(struct lp_pipeline *, struct lp_batch *);
static bool is_to_sweep(struct lp_pipeline *, const struct lp_batch *);
static uint32_t to_reclaim(const struct lp_pipeline *);
static void reclaim(struct lp_pipeline *);

unsigned
lp_pipeline_run(struct lp_pipeline *pipeline, uint64_t now_ns)
{
	return turn(pipeline, now_ns, NULL, NULL);
}

unsigned
lp_pipeline_watch(struct lp_pipeline *pipeline, uint64_t now_ns,
    lp_pipeline_seen *seen, void *arg)
{
	assert(seen != NULL);
	return turn(pipeline, now_ns, seen, arg);
}

/*
 * The path itself.  Both of the above are this one function; in the worker's
 * nobody looks on, and the compiler leaves the looking out.
 */
#define LOOK(stage) (seen != NULL ? seen(arg, stage, batch) : (void)0)
static inline __attribute__((always_inline)) unsigned
turn(struct lp_pipeline *pipeline, uint64_t now_ns, lp_pipeline_seen *seen,
    void *arg)
{
	struct lp_batch *batch = &pipeline->batch;

	lp_batch_set_now(batch, now_ns);
	batch->snapshot = lp_snapshot_get(pipeline->cell);
	batch->capture =
	    atomic_load_explicit(&pipeline->capture, memory_order_acquire);

	if (lp_beat_begin(&pipeline->beat, batch))
		beat(pipeline, batch);
	receive(pipeline, batch);
	if (batch->count > 0 && pipeline->clock != NULL)
		lp_batch_set_now(batch, pipeline->clock());
	lp_denials_turn(&pipeline->denials, batch->now_ns);
	LOOK("rx");
	lp_parse_stage(batch);
	LOOK("parse");
	lp_inline_stage(batch);
	LOOK("inline");
	lp_neighbor_stage(&pipeline->neighbors, batch);
	LOOK("neighbor");
	lp_icmp_stage(&pipeline->rewrite, batch);
	LOOK("icmp");
	lp_conntrack_stage(&pipeline->conntrack, batch);
	LOOK("conntrack");
	lp_admit_stage(&pipeline->admit, batch);
	LOOK("admit");
	if (batch->capture != NULL)
		lp_capture_received(batch);
	lp_mirror_received(&pipeline->mirror, batch);
	lp_rewrite_stage(&pipeline->rewrite, batch);
	LOOK("rewrite");

	lp_neighbor_tick(&pipeline->neighbors, batch);
	lp_telemetry_turn(&pipeline->kafka.telemetry);
	expire(pipeline, batch);
	sweep(pipeline, batch);
	lp_splice_stall_turn(&pipeline->stall, &pipeline->rewrite, batch);
	lp_pace_send_turn(&pipeline->rewrite, batch);

	if (batch->capture != NULL)
		lp_capture_sent(batch);
	transmit(pipeline, batch);
	LOOK("tx");
	if (batch->capture != NULL)
		lp_capture_finish(batch);
	account(pipeline, batch);
	if (lp_beat_end(&pipeline->beat, batch))
		beat(pipeline, batch);
	reclaim(pipeline);
	return batch->count;
}
#undef LOOK

size_t
lp_pipeline_size(uint32_t connection_count)
{
	struct lp_arena arena = {.base = NULL};

	carve(&arena, connection_count);
	return arena.used;
}

struct lp_pipeline *
lp_pipeline_init(void *memory, const struct lp_pipeline_config *config)
{
	struct lp_arena arena = {.base = memory};
	struct lp_pipeline *pipeline =
	    carve(&arena, config->region->header->connection_count);
	uint32_t doubtful = lp_restore_undo(config->region);

	pipeline->cell = config->cell;
	pipeline->region = config->region;
	pipeline->backend = config->backend;
	pipeline->pool = config->pool;
	pipeline->clock = config->clock;
	pipeline->make = (struct lp_make){.backend = config->backend,
	    .pool = config->pool,
	    .stats = config->region->stats};
	lp_count_set(&config->region->stats->buffers_max,
	    config->region->header->buffer_count);
	lp_count_set(&config->region->stats->buffers, 0);
	lp_mirror_init(&pipeline->mirror, &pipeline->make, config->region);
	lp_queue_init(&pipeline->queues, &pipeline->make, config->region);
	lp_neighbor_init(&pipeline->neighbors, &pipeline->make);
	lp_telemetry_init(&pipeline->kafka.telemetry,
	    config->region->kafka_stats, config->region->endpoints,
	    config->hash_seed);
	lp_denials_init(&pipeline->denials, config->region);
	lp_kafka_init(&pipeline->kafka, config->region, doubtful);
	/* Takes the mark away: after all that asks whose it is. */
	lp_conntrack_init(&pipeline->conntrack, config->region,
	    config->hash_seed, (uint32_t)(config->now_ns / 1000000000u));
	pipeline->conntrack.removing = removing;
	pipeline->conntrack.removing_arg = &pipeline->kafka;
	lp_pace_init(&pipeline->kafka.pace, config->region, config->now_ns);
	lp_reset_init(&pipeline->reset, &pipeline->make, &pipeline->neighbors,
	    config->now_ns);
	pipeline->reset.region = config->region;
	pipeline->admit = (struct lp_admit){.conntrack = &pipeline->conntrack,
	    .reset = &pipeline->reset,
	    .kafka = &pipeline->kafka};
	pipeline->rewrite =
	    (struct lp_rewrite){.conntrack = &pipeline->conntrack,
		.neighbors = &pipeline->neighbors,
		.reset = &pipeline->reset,
		.kafka = &pipeline->kafka,
		.make = &pipeline->make};
	pipeline->stall = (struct lp_splice_stall){
	    .began_s = (uint32_t)(config->now_ns / 1000000000u)};
	return pipeline;
}

void
lp_pipeline_fini(struct lp_pipeline *pipeline)
{
	lp_queue_flush(&pipeline->queues);
	lp_neighbor_flush(&pipeline->neighbors);
	pipeline->region->denials = NULL;
}

unsigned
lp_pipeline_fds(struct lp_pipeline *pipeline, int fds[], unsigned max)
{
	const struct lp_snapshot *snapshot = lp_snapshot_get(pipeline->cell);
	unsigned count = 0;

	for (unsigned i = 0; snapshot != NULL && i < LP_PORTS_MAX; i++) {
		const struct lp_port *port = snapshot->ports[i].port;

		if (port != NULL && port->ops->fds != NULL)
			count += port->ops->fds(port, fds + count, max - count);
	}
	return count;
}

int
lp_pipeline_wait_ms(const struct lp_pipeline *pipeline, uint64_t now_ns)
{
	if (pipeline->swept != pipeline->sweeping || pipeline->stall.looking ||
	    to_reclaim(pipeline) != 0 ||
	    lp_topic_feed_waits(pipeline->kafka.telemetry.topic_feed))
		return 0;
	/* The wheel of connections turns by seconds; nobody is told of a
	 * window before there is a configuration. */
	if (lp_snapshot_get(pipeline->cell) == NULL)
		return (int)lp_neighbor_wait_ms(
		    &pipeline->neighbors, now_ns / 1000000u, 1000);
	return (int)lp_neighbor_wait_ms(&pipeline->neighbors, now_ns / 1000000u,
	    lp_pace_wait_ms(&pipeline->kafka.pace, now_ns,
		lp_queue_wait_ms(&pipeline->queues, 1000)));
}

bool
lp_pipeline_reclaim(struct lp_pipeline *pipeline, uint8_t slot)
{
	static_assert(LP_PORTS_MAX <= 16, "asked and done share a word");
	uint32_t ask = 1u << slot;
	uint32_t done = 1u << (slot + 16);
	uint32_t was = atomic_fetch_or_explicit(
	    &pipeline->reclaim, ask, memory_order_acq_rel);

	assert(slot < LP_PORTS_MAX);
	if (!(was & done))
		return false;
	atomic_fetch_and_explicit(
	    &pipeline->reclaim, ~(ask | done), memory_order_acq_rel);
	return true;
}

void
lp_pipeline_capture(struct lp_pipeline *pipeline, struct lp_capture *capture)
{
	if (capture != NULL)
		capture->region = pipeline->region;
	atomic_store_explicit(
	    &pipeline->capture, capture, memory_order_release);
}

struct lp_topic_feed *
lp_pipeline_topic_feed(struct lp_pipeline *pipeline)
{
	return pipeline->kafka.telemetry.topic_feed;
}

struct lp_denials *
lp_pipeline_denials(struct lp_pipeline *pipeline)
{
	return &pipeline->denials;
}

struct lp_conntrack *
lp_pipeline_conntrack(struct lp_pipeline *pipeline)
{
	return &pipeline->conntrack;
}

const struct lp_neighbors *
lp_pipeline_neighbors(const struct lp_pipeline *pipeline)
{
	return &pipeline->neighbors;
}

void
lp_pipeline_adopt(struct lp_pipeline *pipeline, const struct lp_neighbor *from)
{
	struct lp_batch *batch = &pipeline->batch;

	batch->snapshot = lp_snapshot_get(pipeline->cell);
	lp_neighbor_adopt(&pipeline->neighbors, batch, from);
}

/* The tables of a pipeline; NULL when measuring. */
static struct lp_pipeline *
carve(struct lp_arena *arena, uint32_t connection_count)
{
	struct lp_pipeline *pipeline =
	    lp_arena_take(arena, 1, sizeof(*pipeline));
	struct lp_conntrack conntrack = {0};
	struct lp_neighbors neighbors = {0};
	struct lp_kafka kafka = {0};
	struct lp_denials denials = {0};
	struct lp_queues queues = {0};

	lp_conntrack_carve(&conntrack, arena, connection_count);
	lp_neighbor_carve(&neighbors, arena);
	lp_kafka_carve(&kafka, arena, connection_count);
	lp_denials_carve(&denials, arena);
	lp_queue_carve(&queues, arena, connection_count);
	if (pipeline != NULL) {
		pipeline->conntrack = conntrack;
		pipeline->neighbors = neighbors;
		pipeline->kafka = kafka;
		pipeline->denials = denials;
		pipeline->queues = queues;
	}
	return pipeline;
}

/* conntrack does not know of Kafka. */
static void
removing(void *arg, uint32_t index)
{
	lp_kafka_close(arg, index);
}

/* From every port in turn, beginning with another one each time. */
static void
receive(struct lp_pipeline *pipeline, struct lp_batch *batch)
{
	unsigned first = pipeline->first_port;
	bool begun = false;

	batch->count = 0;
	batch->out.count = 0;
	batch->done = 0;
	if (batch->snapshot == NULL)
		return;
	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		unsigned slot = (first + i) % LP_PORTS_MAX;
		struct lp_port *port = batch->snapshot->ports[slot].port;
		unsigned fresh;

		if (port == NULL || batch->count == LP_BATCH_MAX)
			continue;
		/* Free slots do not count: each port is first equally often. */
		if (!begun)
			pipeline->first_port = (slot + 1) % LP_PORTS_MAX;
		begun = true;
		fresh = port->ops->rx(port, &batch->pkts[batch->count],
		    LP_BATCH_MAX - batch->count);
		for (unsigned n = 0; n < fresh; n++)
			batch->pkts[batch->count + n].port_in = (uint8_t)slot;
		batch->count += fresh;
	}
}

static void
transmit(struct lp_pipeline *pipeline, struct lp_batch *batch)
{
	lp_transmit(&pipeline->make, &pipeline->queues, batch);
	for (unsigned i = 0; batch->snapshot != NULL && i < LP_PORTS_MAX; i++) {
		struct lp_port *port = batch->snapshot->ports[i].port;

		if (port != NULL && port->ops->flush != NULL)
			port->ops->flush(port);
	}
}

/* One verdict and one reason for every packet that came in. */
static void
account(struct lp_pipeline *pipeline, struct lp_batch *batch)
{
	struct lp_stats *stats = pipeline->region->stats;
	struct lp_pkt *done[LP_BATCH_MAX];
	unsigned count = 0;
	unsigned alike = 0;

	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		assert(pkt->verdict != LP_UNDECIDED);
		/* Neither sent nor held: its buffer is ours to give back. */
		if (pkt->verdict == LP_DROP ||
		    (pkt->verdict == LP_LOCAL && pkt->port_out == LP_PORT_NONE))
			done[count++] = pkt;
		/* Those that follow one another are counted at once. */
		alike++;
		if (i + 1 < batch->count && pkt[1].verdict == pkt->verdict &&
		    pkt[1].reason == pkt->reason)
			continue;
		lp_count_add(&stats->verdicts[pkt->verdict], alike);
		lp_count_add(&stats->reasons[pkt->reason], alike);
		alike = 0;
	}
	if (count > 0)
		pipeline->backend->release(pipeline->pool, done, count);
}

/*
 * The worker itself says that it lives, not control: control may wait for a
 * disk or a device for seconds, and packets must not.  And it counts what is
 * too dear to be counted each turn.
 */
static void
beat(struct lp_pipeline *pipeline, const struct lp_batch *batch)
{
	lp_count_set(&pipeline->region->stats->buffers,
	    pipeline->region->header->buffer_count -
		pipeline->backend->free_count(pipeline->pool));
	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		struct lp_port *port = batch->snapshot->ports[i].port;

		if (port != NULL && port->ops->beat != NULL)
			port->ops->beat(port, batch->now_ns);
	}
}

/* Connections whose time is over; those that live are reset on both sides. */
static void
expire(struct lp_pipeline *pipeline, struct lp_batch *batch)
{
	struct lp_conntrack *conntrack = &pipeline->conntrack;
	struct lp_stats *stats = pipeline->region->stats;
	/* Each may make four RSTs: leave room in the outbox. */
	unsigned room = (LP_OUTBOX_MAX - batch->out.count) / 4;

	while (room-- > 0) {
		uint32_t index = lp_conntrack_expired(conntrack, batch->now_s);
		const struct lp_conn *conn;

		if (index == LP_CONN_NONE)
			return;
		conn = lp_conntrack_get(conntrack, index);
		if (conn->tcp.state == LP_TCP_CLOSED ||
		    conn->tcp.state == LP_TCP_TIME_WAIT)
			lp_count_add(&stats->closed, 1);
		else
			lp_count_add(&stats->expired, 1);
		lp_reset_connection(&pipeline->reset, batch, conn);
		lp_conntrack_remove(conntrack, index);
	}
}

/*
 * After a new generation: a slice of the table a turn.  A connection whose
 * endpoint or broker is not configured any more is reset; the others look for
 * their next hop anew, since routes may have changed, and are sent as the rules
 * say now.
 */
static void
sweep(struct lp_pipeline *pipeline, struct lp_batch *batch)
{
	const struct lp_snapshot *snapshot = batch->snapshot;
	uint32_t count = pipeline->region->header->connection_count;
	unsigned room = (LP_OUTBOX_MAX - batch->out.count) / 4;

	if (snapshot == NULL || !is_to_sweep(pipeline, batch))
		return;
	for (unsigned i = 0; i < LP_SWEEP_STEP && room > 0; i++) {
		uint32_t index = pipeline->sweep_at;
		struct lp_conn *conn;

		if (index == count) {
			pipeline->swept = pipeline->sweeping;
			pipeline->swept_s = batch->now_s;
			return;
		}
		pipeline->sweep_at++;
		conn = lp_conntrack_get(&pipeline->conntrack, index);
		if (conn->use != LP_CONN_USED)
			continue;
		if (!pipeline->following) {
			conn->nexthop[LP_TO_BROKER] = 0;
			conn->nexthop[LP_TO_CLIENT] = 0;
			lp_gate_follow(snapshot, conn);
		}
		if (pipeline->following || lp_gate_stays(snapshot, conn)) {
			lp_splice_follow(&pipeline->kafka, batch, index);
			continue;
		}
		/* Its next packet ends it. */
		if (!lp_reset_may(&pipeline->reset, conn, batch->now_ns)) {
			lp_edit_break(&pipeline->kafka, index,
			    &pipeline->kafka.telemetry.stats->counters
				 .rewrite_unreadable);
			continue;
		}
		lp_reset_connection(&pipeline->reset, batch, conn);
		lp_conntrack_remove(&pipeline->conntrack, index);
		lp_count_add(&pipeline->region->stats->removed, 1);
		room--;
	}
}

/*
 * Of the same generation once more, at most each second, if connections are to
 * be spliced whose streams were lost then (lp_splice_follow()): that is all
 * that is asked of them.
 */
static bool
is_to_sweep(struct lp_pipeline *pipeline, const struct lp_batch *batch)
{
	bool fresh = pipeline->sweeping != batch->snapshot->serial;

	if (!fresh && pipeline->swept != pipeline->sweeping)
		return true;
	if (!fresh &&
	    (!pipeline->kafka.recovered || pipeline->swept_s == batch->now_s))
		return false;
	pipeline->sweeping = batch->snapshot->serial;
	pipeline->swept = 0;
	pipeline->sweep_at = 0;
	pipeline->following = !fresh;
	pipeline->kafka.recovered = false;
	return true;
}

/* A bit for each slot that was asked for, in the low half, and is not done. */
static uint32_t
to_reclaim(const struct lp_pipeline *pipeline)
{
	uint32_t word =
	    atomic_load_explicit(&pipeline->reclaim, memory_order_acquire);

	return word & ~(word >> 16) & 0xffff;
}

/* Buffers of ports that control has closed. */
static void
reclaim(struct lp_pipeline *pipeline)
{
	uint32_t todo = to_reclaim(pipeline);

	for (uint8_t slot = 0; todo != 0; slot++, todo >>= 1) {
		if (!(todo & 1))
			continue;
		lp_queue_drop(&pipeline->queues, slot);
		if (pipeline->backend->reclaim != NULL)
			pipeline->backend->reclaim(pipeline->pool, slot);
		atomic_fetch_or_explicit(&pipeline->reclaim, 1u << (slot + 16),
		    memory_order_release);
	}
}
