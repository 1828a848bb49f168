/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	received ▸ (note, hide) ▸ leaving: copied too, all hidden ▸ send
 *
 * A packet of the batch has its slot in pkt->mirror from received on, what we
 * make from when it is made.  What waits for its next hop keeps it, and is
 * copied when it is released; by then nobody knows what is in its payload.
 */
#include "dataplane/pipeline/mirror.h"

#include <string.h>

#include "dataplane/kafka/note.h"
#include "dataplane/pipeline/inline.h"
#include "dataplane/pipeline/queue.h"
#include "dataplane/pipeline/rewrite.h"

static void begin_note(struct lp_batch *, unsigned);
static void copy(
    struct lp_mirror *, const struct lp_batch *, const struct lp_pkt *, bool);
static bool has_room(struct lp_mirror *);
static void hide(const struct lp_batch *, struct lp_mirror_copy *);
static unsigned send_some(const struct lp_mirror *, const struct lp_batch *,
    uint32_t, struct lp_pkt *[], unsigned);

void
lp_mirror_init(struct lp_mirror *mirror, const struct lp_make *make,
    const struct lp_region *region)
{
	mirror->make = make;
	mirror->region = region;
}

uint8_t
lp_mirror_slot(const struct lp_snapshot *snapshot, uint32_t port_id)
{
	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++)
		if (snapshot->ports[slot].id == port_id)
			return (uint8_t)(slot + 1);
	return 0;
}

void
lp_mirror_received(struct lp_mirror *mirror, struct lp_batch *batch)
{
	const struct lp_snapshot *snapshot = batch->snapshot;

	batch->mirror = NULL;
	if (snapshot == NULL || snapshot->mirrors == NULL)
		return;
	batch->mirror = mirror;
	mirror->count = 0;
	mirror->is_short = false;
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];
		const struct lp_conn *conn;

		pkt->mirror = 0;
		pkt->hidden = true;
		if (pkt->verdict != LP_UNDECIDED || pkt->conn == LP_CONN_NONE)
			continue;
		conn = &mirror->region->connections[pkt->conn];
		/* Anybody could send in its name. */
		if (conn->mirror_id == 0 ||
		    (!(pkt->flags & LP_PKT_INLINE) &&
			!lp_rewrite_comes_by(batch, pkt, conn)))
			continue;
		pkt->mirror = lp_mirror_slot(batch->snapshot, conn->mirror_id);
		begin_note(batch, i);
		if (pkt->dir == LP_TO_BROKER)
			copy(mirror, batch, pkt, false);
	}
}

void
lp_mirror_leaving(
    struct lp_batch *batch, struct lp_pkt *const list[], unsigned count)
{
	struct lp_mirror *mirror = batch->mirror;

	for (unsigned i = 0; i < count; i++) {
		const struct lp_pkt *pkt = list[i];
		bool ours =
		    pkt < batch->pkts || pkt >= batch->pkts + batch->count;

		if (pkt->mirror != 0 && (ours || pkt->dir == LP_TO_CLIENT))
			copy(mirror, batch, pkt, ours);
	}
	for (unsigned i = 0; i < mirror->count; i++)
		hide(batch, &mirror->copies[i]);
}

void
lp_mirror_send(struct lp_batch *batch, uint32_t waiting)
{
	struct lp_mirror *mirror = batch->mirror;
	struct lp_pkt *list[LP_OUTBOX_MAX];

	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++) {
		unsigned n = 0;

		for (unsigned i = 0; i < mirror->count; i++) {
			struct lp_pkt *pkt = &mirror->copies[i].pkt;

			if (pkt->port_out != slot)
				continue;
			list[n++] = pkt;
			/* A port takes no more at once. */
			if (n == LP_OUTBOX_MAX)
				n = send_some(mirror, batch, waiting, list, n);
		}
		(void)send_some(mirror, batch, waiting, list, n);
	}
	mirror->count = 0;
}

/* Until the Kafka stage has seen it. */
static void
begin_note(struct lp_batch *batch, unsigned i)
{
	struct lp_mirror *mirror = batch->mirror;
	const struct lp_pkt *pkt = &batch->pkts[i];
	struct lp_capture_note *note = &mirror->notes[i];

	note->len = 0;
	note->zero_from = 0;
	note->zero_len =
	    lp_note_doubtful(&mirror->region->kafka.conns[pkt->conn])
	    ? pkt->payload_len
	    : 0;
}

/* `ours`: nothing will be noted of it. */
static void
copy(struct lp_mirror *mirror, const struct lp_batch *batch,
    const struct lp_pkt *pkt, bool ours)
{
	uint8_t slot = (uint8_t)(pkt->mirror - 1);
	const struct lp_snapshot_port *port = &batch->snapshot->ports[slot];
	struct lp_mirror_copy *made = &mirror->copies[mirror->count];
	/* Without the padding of a frame that was too short. */
	uint16_t len =
	    ours ? pkt->len : (uint16_t)(pkt->payload_off + pkt->payload_len);

	/* It would come in again. */
	if (slot ==
	    (pkt->dir == LP_TO_BROKER && !ours ? pkt->port_in : pkt->port_out))
		return;
	if (port->port == NULL || len - pkt->l3_off > port->mtu ||
	    !has_room(mirror)) {
		lp_count_add(&mirror->make->stats->dropped_mirror, 1);
		return;
	}
	made->pkt = (struct lp_pkt){.conn = LP_CONN_NONE};
	if (!mirror->make->backend->alloc(mirror->make->pool, &made->pkt)) {
		lp_count_add(&mirror->make->stats->dropped_mirror, 1);
		return;
	}
	mirror->count++;
	memcpy(made->pkt.data, pkt->data, len);
	made->pkt.len = len;
	made->pkt.l3_off = pkt->l3_off;
	made->pkt.l4_off = pkt->l4_off;
	made->pkt.payload_off = pkt->payload_off;
	made->pkt.flags = pkt->flags & LP_PKT_V6;
	made->pkt.port_out = slot;
	made->of = ours ? NULL : pkt;
	made->hidden = pkt->hidden;
}

/* Originals come first. */
static bool
has_room(struct lp_mirror *mirror)
{
	const struct lp_make *make = mirror->make;

	if (mirror->count == 0 && !mirror->is_short)
		mirror->is_short = make->backend->free_count(make->pool) <
		    mirror->region->header->buffer_count / LP_MIRROR_SPARE;
	return !mirror->is_short && mirror->count < LP_MIRROR_MAX;
}

static void
hide(const struct lp_batch *batch, struct lp_mirror_copy *made)
{
	struct lp_pkt *pkt = &made->pkt;
	uint32_t from = pkt->payload_off, to = pkt->len;

	if (made->of != NULL) {
		const struct lp_capture_note *note =
		    lp_capture_note(batch, made->of);

		/* It waits for its next hop. */
		if (note == NULL)
			note = &batch->mirror->notes[made->of - batch->pkts];
		from += note->zero_from;
		if (to > from + note->zero_len)
			to = from + note->zero_len;
	} else if (!made->hidden) {
		return;
	}
	if (from >= to)
		return;
	memset(pkt->data + from, 0, to - from);
	lp_make_checksum(pkt, LP_PROTO_TCP, LP_TCP_SUM);
}

/* Of one port.  Always 0: nothing is left. */
static unsigned
send_some(const struct lp_mirror *mirror, const struct lp_batch *batch,
    uint32_t waiting, struct lp_pkt *list[], unsigned count)
{
	const struct lp_make *make = mirror->make;
	struct lp_port *port;
	unsigned sent, room;

	if (count == 0)
		return 0;
	port = batch->snapshot->ports[list[0]->port_out].port;
	room = lp_queue_room(batch, port);
	sent = waiting & 1u << list[0]->port_out
	    ? 0
	    : port->ops->tx(port, list, count < room ? count : room);
	lp_count_add(&make->stats->sent_mirror, sent);
	if (sent == count)
		return 0;
	lp_count_add(&make->stats->dropped_mirror, count - sent);
	make->backend->release(make->pool, list + sent, count - sent);
	return 0;
}
