/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	transmit ▸ port, as long as nothing waits for it and it takes all
 *	         ▸ put ▸ queue of its priority ▸ turn ▸ port
 *
 * While anything waits for a port, all that is to leave by it goes through its
 * queues, one for each priority.  So packets of one priority stay in order, and
 * where every port takes what it is given nothing of this costs anything.
 *
 * Order: a connection stands in one queue, in both directions and with what we
 * make for it ourselves.  Another priority is its when nothing of it waits any
 * more; a rule that comes or goes turns no two segments round.
 *
 * Share: the highest is sent first.  But of the bytes that higher ones send,
 * one in LP_QUEUE_PART is owed to each lower one that has something waiting;
 * whoever is owed a whole packet is first, of several the lowest.  So seven
 * lower ones leave more than half to the highest, and none of them starves.
 *
 * Full: a packet that finds no room is dropped itself (tx_full), as at the end
 * of any queue; what waits already stays, so that each packet is counted once,
 * by the turn that it came in.  The lower a priority, the smaller the part of
 * the port's room that it may fill, and the earlier it gives way.
 *
 * Limits: LP_QUEUE_LEN a queue, half of all a port, and in all one in
 * LP_QUEUE_BUFFERS of the packet buffers, at most LP_QUEUE_PACKETS_MAX.  What
 * has waited LP_QUEUE_MS is given up: its ends have sent it again.
 *
 * Ownership: a packet's buffer is ours while it waits.  It was counted as sent
 * when it came, as those in the ring of a device are; what is given up is
 * counted beside (dropped_queued), as what waits for a next hop is.  Nothing of
 * this outlives the process: to TCP it is lost.
 */
#include "dataplane/pipeline/queue.h"

enum { TURN_MAX = LP_BATCH_MAX };

static_assert(LP_QUEUE_PACKETS_MAX <= UINT16_MAX, "a place is 16 bits");
static_assert((int)LP_PORTS_MAX <= 32, "a bit for each port");

static uint8_t priority_of(
    struct lp_queues *, const struct lp_batch *, const struct lp_pkt *);
static bool has_room(
    const struct lp_queues *, const struct lp_queue_port *, uint8_t);
static bool send(struct lp_queues *, const struct lp_batch *, uint8_t);
static void give_up(struct lp_queues *, const struct lp_batch *, uint8_t);
static uint16_t choose(const struct lp_queues *, struct lp_queue_port *);
static uint16_t pop(const struct lp_queues *, struct lp_queue_port *, unsigned);
static void leave(struct lp_queues *, uint8_t, uint16_t);
static void discard(struct lp_queues *, uint8_t, unsigned);
static void show(struct lp_queues *, uint8_t);
static void forget(struct lp_queue_stats *);

void
lp_queue_carve(
    struct lp_queues *queues, struct lp_arena *arena, uint32_t connection_count)
{
	queues->pkts =
	    lp_arena_take(arena, LP_QUEUE_PACKETS_MAX, sizeof(*queues->pkts));
	queues->next =
	    lp_arena_take(arena, LP_QUEUE_PACKETS_MAX, sizeof(*queues->next));
	queues->since_ms = lp_arena_take(
	    arena, LP_QUEUE_PACKETS_MAX, sizeof(*queues->since_ms));
	queues->conns =
	    lp_arena_take(arena, connection_count, sizeof(*queues->conns));
}

void
lp_queue_init(struct lp_queues *queues, const struct lp_make *make,
    const struct lp_region *region)
{
	struct lp_stats *stats = make->stats;
	uint32_t limit = region->header->buffer_count / LP_QUEUE_BUFFERS;

	queues->make = make;
	queues->region = region;
	queues->limit =
	    limit < LP_QUEUE_PACKETS_MAX ? limit : LP_QUEUE_PACKETS_MAX;
	for (uint16_t i = 0; i < LP_QUEUE_PACKETS_MAX; i++)
		queues->next[i] = (uint16_t)(i + 1);
	/* What waited in a process before us is lost. */
	lp_count_set(&stats->queued_max, queues->limit);
	lp_count_set(&stats->queued, 0);
	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++)
		forget(&stats->queues[slot]);
}

bool
lp_queue_put(struct lp_queues *queues, const struct lp_batch *batch,
    const struct lp_pkt *pkt)
{
	uint8_t slot = pkt->port_out;
	struct lp_queue_port *port = &queues->ports[slot];
	uint8_t priority = priority_of(queues, batch, pkt);
	struct lp_queue *queue = &port->queues[priority];
	uint16_t at = queues->free;

	if (!has_room(queues, port, priority)) {
		lp_count_add(&queues->make->stats->queues[slot].full, 1);
		return false;
	}
	queues->free = queues->next[at];
	queues->pkts[at] = *pkt;
	queues->since_ms[at] = (uint32_t)batch->now_ms;
	if (queue->count == 0)
		queue->first = at;
	else
		queues->next[queue->last] = at;
	queue->last = at;
	queue->count++;
	port->count++;
	queues->count++;
	if (pkt->conn != LP_CONN_NONE)
		queues->conns[pkt->conn].count++;
	if (queues->waiting == 0)
		queues->still = 0;
	queues->waiting |= 1u << slot;
	return true;
}

void
lp_queue_turn(struct lp_queues *queues, const struct lp_batch *batch)
{
	bool moves = false;

	for (uint32_t left = queues->waiting; left != 0; left &= left - 1) {
		uint8_t slot = (uint8_t)__builtin_ctz(left);

		if (batch->snapshot == NULL ||
		    batch->snapshot->ports[slot].port == NULL) {
			lp_queue_drop(queues, slot);
			continue;
		}
		give_up(queues, batch, slot);
		moves |= send(queues, batch, slot);
		show(queues, slot);
	}
	queues->still = moves ? 0 : queues->still + 1;
}

void
lp_queue_drop(struct lp_queues *queues, uint8_t slot)
{
	for (unsigned i = 0; i < LP_QUEUE_PRIORITIES; i++)
		while (queues->ports[slot].queues[i].count > 0)
			discard(queues, slot, i);
	show(queues, slot);
	forget(&queues->make->stats->queues[slot]);
}

void
lp_queue_flush(struct lp_queues *queues)
{
	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++)
		lp_queue_drop(queues, slot);
	assert(queues->count == 0);
}

/* Whose it is; that of a connection's queue while it stands in one. */
static uint8_t
priority_of(struct lp_queues *queues, const struct lp_batch *batch,
    const struct lp_pkt *pkt)
{
	bool made = pkt < batch->pkts || pkt >= batch->pkts + batch->count;
	struct lp_queue_conn *conn;
	uint8_t said;

	if (pkt->conn == LP_CONN_NONE)
		return made || pkt->verdict == LP_LOCAL ? LP_QUEUE_CONTROL
							: LP_QUEUE_DEFAULT;
	conn = &queues->conns[pkt->conn];
	said = queues->region->connections[pkt->conn].priority;
	if (conn->count == 0)
		conn->priority =
		    said == 0 ? LP_QUEUE_DEFAULT : (uint8_t)(said - 1);
	assert(conn->priority < LP_QUEUE_PRIORITIES);
	return conn->priority;
}

/* Of its port's room 9 of 16 parts for the lowest, to all for the highest. */
static bool
has_room(const struct lp_queues *queues, const struct lp_queue_port *port,
    uint8_t priority)
{
	uint32_t most = queues->limit / 2 *
	    (LP_QUEUE_PRIORITIES + 1u + priority) / (2 * LP_QUEUE_PRIORITIES);

	return queues->count < queues->limit && port->count < most &&
	    port->queues[priority].count < LP_QUEUE_LEN;
}

/*
 * What the port will take is not known before: the choice is tried, and made
 * once more of as many as it took.  True: it took any.
 */
static bool
send(struct lp_queues *queues, const struct lp_batch *batch, uint8_t slot)
{
	struct lp_queue_port *port = &queues->ports[slot];
	struct lp_port *to = batch->snapshot->ports[slot].port;
	struct lp_stats *stats = queues->make->stats;
	unsigned room = lp_queue_room(batch, to);
	struct lp_pkt *list[TURN_MAX];
	unsigned count, sent, all = 0;

	do {
		struct lp_queue_port trial = *port;

		for (count = 0; count < TURN_MAX && count < room; count++) {
			if (trial.count == 0)
				break;
			list[count] = &queues->pkts[choose(queues, &trial)];
		}
		sent = count == 0 ? 0 : to->ops->tx(to, list, count);
		for (unsigned i = 0; i < sent; i++)
			leave(queues, slot, choose(queues, port));
		room -= sent;
		all += sent;
		lp_count_add(&stats->sent_queued, sent);
		lp_count_add(&stats->queues[slot].waited, sent);
	} while (sent == count && port->count > 0 && room > 0);
	return all > 0;
}

static void
give_up(struct lp_queues *queues, const struct lp_batch *batch, uint8_t slot)
{
	uint32_t now_ms = (uint32_t)batch->now_ms;

	for (unsigned i = 0; i < LP_QUEUE_PRIORITIES; i++) {
		const struct lp_queue *queue = &queues->ports[slot].queues[i];

		while (queue->count > 0 &&
		    now_ms - queues->since_ms[queue->first] >= LP_QUEUE_MS)
			discard(queues, slot, i);
	}
}

/* The place of the next one to leave, which is taken out of its queue. */
static uint16_t
choose(const struct lp_queues *queues, struct lp_queue_port *port)
{
	unsigned chosen = LP_QUEUE_PRIORITIES;
	uint32_t len = 0;

	for (unsigned i = 0; i < LP_QUEUE_PRIORITIES; i++) {
		struct lp_queue *queue = &port->queues[i];

		if (queue->count == 0)
			continue;
		chosen = i;
		len = queues->pkts[queue->first].len;
		if (queue->owed < len * LP_QUEUE_PART)
			continue;
		queue->owed -= len * LP_QUEUE_PART;
		break;
	}
	for (unsigned i = 0; i < chosen; i++)
		if (port->queues[i].count > 0)
			port->queues[i].owed += len;
	return pop(queues, port, chosen);
}

static uint16_t
pop(const struct lp_queues *queues, struct lp_queue_port *port, unsigned i)
{
	struct lp_queue *queue = &port->queues[i];
	uint16_t at = queue->first;

	assert(i < LP_QUEUE_PRIORITIES && queue->count > 0);
	queue->first = queues->next[at];
	port->count--;
	if (--queue->count == 0)
		queue->owed = 0;
	return at;
}

/* Its place is free; its buffer is another's already. */
static void
leave(struct lp_queues *queues, uint8_t slot, uint16_t at)
{
	uint32_t conn = queues->pkts[at].conn;

	if (conn != LP_CONN_NONE) {
		assert(queues->conns[conn].count > 0);
		queues->conns[conn].count--;
	}
	queues->next[at] = queues->free;
	queues->free = at;
	queues->count--;
	if (queues->ports[slot].count == 0)
		queues->waiting &= ~(1u << slot);
}

static void
discard(struct lp_queues *queues, uint8_t slot, unsigned i)
{
	struct lp_stats *stats = queues->make->stats;
	uint16_t at = pop(queues, &queues->ports[slot], i);

	lp_make_discard(queues->make, &queues->pkts[at]);
	leave(queues, slot, at);
	lp_count_add(&stats->dropped_queued, 1);
	lp_count_add(&stats->queues[slot].dropped, 1);
}

static void
show(struct lp_queues *queues, uint8_t slot)
{
	struct lp_stats *stats = queues->make->stats;

	lp_count_set(&stats->queued, queues->count);
	lp_count_set(&stats->queues[slot].queued, queues->ports[slot].count);
}

/* As the port's own counters, which begin with it. */
static void
forget(struct lp_queue_stats *stats)
{
	lp_count_set(&stats->queued, 0);
	lp_count_set(&stats->waited, 0);
	lp_count_set(&stats->full, 0);
	lp_count_set(&stats->dropped, 0);
}
