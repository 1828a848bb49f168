/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order
 *
 * A packet of ours leaves behind the packet of the batch that it was made for,
 * and so behind all that came before that on its connection: a receiver that
 * gets them the other way round answers with a duplicate acknowledgement for
 * each, and three of those are a retransmission for nothing.  What was made
 * before packets were looked at one by one leaves first.  What a port does not
 * take at once waits (queue.c).
 */
#include "dataplane/pipeline/transmit.h"

#include "dataplane/pipeline/mirror.h"

enum { TURN_MAX = LP_OUTBOX_MAX + LP_BATCH_MAX };

static unsigned in_order(struct lp_batch *, struct lp_pkt *[]);
static bool leaves(const struct lp_pkt *);
static void send_by_port(const struct lp_make *, struct lp_queues *,
    struct lp_batch *, struct lp_pkt *[], unsigned);
static unsigned to_port(
    struct lp_queues *, struct lp_batch *, struct lp_pkt *[], unsigned);
static void wait_or_drop(
    struct lp_queues *, struct lp_batch *, struct lp_pkt *[], unsigned);
static void refuse(const struct lp_make *, const struct lp_batch *,
    struct lp_pkt *[], unsigned);

void
lp_transmit(const struct lp_make *make, struct lp_queues *queues,
    struct lp_batch *batch)
{
	struct lp_pkt *list[TURN_MAX];
	unsigned count = in_order(batch, list);

	if (batch->mirror != NULL)
		lp_mirror_leaving(batch, list, count);
	/* A port takes no more at once. */
	for (unsigned at = 0; at < count; at += LP_OUTBOX_MAX)
		send_by_port(make, queues, batch, list + at,
		    count - at < LP_OUTBOX_MAX ? count - at
					       : (unsigned)LP_OUTBOX_MAX);
	if (__builtin_expect(queues->waiting != 0, 0))
		lp_queue_turn(queues, batch);
	if (batch->mirror != NULL)
		lp_mirror_send(batch, queues->waiting);
}

static unsigned
in_order(struct lp_batch *batch, struct lp_pkt *list[])
{
	struct lp_outbox *out = &batch->out;
	unsigned count = 0, made = 0;

	for (unsigned i = 0; i <= batch->count; i++) {
		for (; made < out->count && out->pkts[made].behind <= i; made++)
			if (leaves(&out->pkts[made]))
				list[count++] = &out->pkts[made];
		if (i < batch->count && leaves(&batch->pkts[i]))
			list[count++] = &batch->pkts[i];
	}
	assert(made == out->count);
	return count;
}

static bool
leaves(const struct lp_pkt *pkt)
{
	return pkt->verdict != LP_HOLD && pkt->verdict != LP_DROP &&
	    pkt->port_out != LP_PORT_NONE;
}

/* Those of the first one's port; then of what is left. */
static void
send_by_port(const struct lp_make *make, struct lp_queues *queues,
    struct lp_batch *batch, struct lp_pkt *left[], unsigned left_count)
{
	struct lp_pkt *list[LP_OUTBOX_MAX];

	while (left_count > 0) {
		uint8_t slot = left[0]->port_out;
		unsigned n = 0, others = 0, sent;

		for (unsigned i = 0; i < left_count; i++) {
			if (left[i]->port_out == slot)
				list[n++] = left[i];
			else
				left[others++] = left[i];
		}
		left_count = others;
		sent = to_port(queues, batch, list, n);
		if (__builtin_expect(sent == n, 1))
			continue;
		wait_or_drop(queues, batch, list + sent, n - sent);
		refuse(make, batch, list + sent, n - sent);
	}
}

/* How many of them, of one port, it took; none while others wait for it. */
static unsigned
to_port(struct lp_queues *queues, struct lp_batch *batch, struct lp_pkt *list[],
    unsigned count)
{
	uint8_t slot = list[0]->port_out;
	struct lp_port *port = batch->snapshot->ports[slot].port;
	unsigned room;

	if (port == NULL || (queues->waiting & 1u << slot))
		return 0;
	room = lp_queue_room(batch, port);
	return port->ops->tx(port, list, count < room ? count : room);
}

static void
wait_or_drop(struct lp_queues *queues, struct lp_batch *batch,
    struct lp_pkt *list[], unsigned count)
{
	const struct lp_port *port =
	    batch->snapshot->ports[list[0]->port_out].port;

	for (unsigned i = 0; i < count; i++) {
		if (port != NULL && lp_queue_put(queues, batch, list[i]))
			continue;
		list[i]->verdict = LP_DROP;
		list[i]->reason =
		    port == NULL ? LP_REASON_PORT_GONE : LP_REASON_TX_FULL;
	}
}

/* Buffers of packets of the batch are given back with its accounting. */
static void
refuse(const struct lp_make *make, const struct lp_batch *batch,
    struct lp_pkt *list[], unsigned count)
{
	const struct lp_outbox *out = &batch->out;

	for (unsigned i = 0; i < count; i++) {
		if (list[i]->verdict != LP_DROP || list[i] < out->pkts ||
		    list[i] >= out->pkts + out->count)
			continue;
		lp_count_add(&make->stats->dropped_made, 1);
		lp_make_discard(make, list[i]);
	}
}
