/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	NEW ▸ INCOMPLETE ▸ REACHABLE ⇄ PROBE
 *	           └▸ FAILED ▸ NEW
 *
 * A next hop that was confirmed within LP_NEIGHBOR_REACHABLE_MS is used as it
 * is.  After that it is asked once more, by unicast, while packets go on; only
 * when it stays silent do packets wait, then fail at once for a while, so that
 * a dead broker costs its clients a quick error and us no buffers.
 *
 * An entry is known outside by its serial: index + LP_NEIGHBORS_MAX x round,
 * with a new round for every use of the place.  A connection keeps the serial
 * as a hint, and a recycled place does not answer to it.
 *
 * Ownership: a held packet's buffer belongs to its entry.
 *
 * Reasons: arp, ndp, arp_invalid, ndp_invalid, no_route, neighbor_failed,
 * neighbor_full, and those of mld.c; held: neighbor_pending.
 */
#include "dataplane/pipeline/neighbor.h"

#include "dataplane/pipeline/neighbor_wire.h"

enum {
	BUCKETS = 2 * LP_NEIGHBORS_MAX,
	TICK_MS = 100,
	RECYCLE_STEPS = 32, /* places looked at for one to recycle */
};
static_assert((BUCKETS & (BUCKETS - 1)) == 0, "a power of two");

static void receive(struct lp_neighbors *, struct lp_batch *, struct lp_pkt *);
static void learn(struct lp_neighbors *, struct lp_batch *, uint8_t,
    const struct lp_neighbor_message *, bool);
static bool on_link(const struct lp_batch *, uint8_t, const struct lp_ip *);
static struct lp_neighbor *locate(
    const struct lp_neighbors *, const struct lp_ip *, uint8_t);
static struct lp_neighbor *create(struct lp_neighbors *,
    const struct lp_batch *, const struct lp_ip *, uint8_t);
static struct lp_neighbor *place(struct lp_neighbors *, uint64_t);
static bool goes_before(const struct lp_neighbor *, const struct lp_neighbor *);
static void discard(struct lp_neighbors *, struct lp_neighbor *);
static void drop_queue(struct lp_neighbors *, struct lp_neighbor *);
static void hold(
    struct lp_neighbors *, struct lp_neighbor *, const struct lp_pkt *);
static void ask(
    struct lp_neighbors *, struct lp_batch *, struct lp_neighbor *, bool);
static void retry(
    struct lp_neighbors *, struct lp_batch *, struct lp_neighbor *);
static void settle(
    struct lp_neighbors *, struct lp_neighbor *, enum lp_neighbor_state);
static void new_snapshot(struct lp_neighbors *, const struct lp_snapshot *);

void
lp_neighbor_carve(struct lp_neighbors *neighbors, struct lp_arena *arena)
{
	neighbors->entries =
	    lp_arena_take(arena, LP_NEIGHBORS_MAX, sizeof(*neighbors->entries));
	neighbors->buckets =
	    lp_arena_take(arena, BUCKETS, sizeof(*neighbors->buckets));
	lp_announce_carve(&neighbors->announce, arena);
	lp_mld_carve(&neighbors->mld, arena);
}

void
lp_neighbor_init(struct lp_neighbors *neighbors, const struct lp_make *make)
{
	neighbors->make = make;
	lp_announce_init(&neighbors->announce, make);
	lp_mld_init(&neighbors->mld, make);
	lp_count_set(&make->stats->neighbors, 0);
	lp_count_set(&make->stats->neighbors_max, LP_NEIGHBORS_MAX);
}

void
lp_neighbor_stage(struct lp_neighbors *neighbors, struct lp_batch *batch)
{
	/* Before any packet: a next hop may lie on a port that is gone. */
	if (batch->snapshot != NULL &&
	    neighbors->serial != batch->snapshot->serial)
		new_snapshot(neighbors, batch->snapshot);
	if (!(batch->flags & (LP_PKT_ARP | LP_PKT_ICMP)))
		return;
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		if (pkt->verdict != LP_UNDECIDED)
			continue;
		if (lp_neighbor_wire_is(pkt))
			receive(neighbors, batch, pkt);
		else if (lp_mld_is_query(batch, pkt))
			lp_mld_receive(&neighbors->mld, batch, pkt);
	}
}

void
lp_neighbor_tick(struct lp_neighbors *neighbors, struct lp_batch *batch)
{
	uint64_t now_ms = batch->now_ms;

	if (batch->snapshot == NULL)
		return;
	/* Groups first: who hears of an address may ask for it by them. */
	lp_mld_tick(&neighbors->mld, batch);
	lp_announce_tick(&neighbors->announce, batch);
	if (neighbors->pending == 0 || now_ms < neighbors->tick_ms)
		return;
	neighbors->tick_ms = now_ms + TICK_MS;
	for (unsigned i = 0; i < LP_NEIGHBORS_MAX; i++) {
		struct lp_neighbor *entry = &neighbors->entries[i];

		if (entry->port_id != 0 && entry->next_ms <= now_ms &&
		    (entry->state == LP_NEIGHBOR_INCOMPLETE ||
			entry->state == LP_NEIGHBOR_PROBE))
			retry(neighbors, batch, entry);
	}
}

uint32_t
lp_neighbor_find(struct lp_neighbors *neighbors, struct lp_batch *batch,
    uint32_t hint, const struct lp_ip *to, enum lp_side side,
    enum lp_reason *why)
{
	struct lp_neighbor *entry =
	    &neighbors->entries[hint % LP_NEIGHBORS_MAX];
	uint64_t now_ms = batch->now_ms;
	struct lp_ip nexthop;
	uint8_t slot;

	if (hint == 0 || entry->serial != hint || entry->port_id == 0) {
		if (!lp_snapshot_route(
			batch->snapshot, to, side, &slot, &nexthop)) {
			*why = LP_REASON_NO_ROUTE;
			return 0;
		}
		entry = locate(neighbors, &nexthop, slot);
		if (entry == NULL)
			entry = create(neighbors, batch, &nexthop, slot);
		if (entry == NULL) {
			*why = LP_REASON_NEIGHBOR_FULL;
			return 0;
		}
	}
	entry->used_ms = now_ms;
	if (entry->state == LP_NEIGHBOR_FAILED && now_ms < entry->next_ms) {
		*why = LP_REASON_NEIGHBOR_FAILED;
		return 0;
	}
	return entry->serial;
}

uint8_t
lp_neighbor_slot(const struct lp_neighbors *neighbors, uint32_t serial)
{
	const struct lp_neighbor *entry =
	    &neighbors->entries[serial % LP_NEIGHBORS_MAX];

	assert(entry->serial == serial);
	return entry->slot;
}

bool
lp_neighbor_output(struct lp_neighbors *neighbors, struct lp_batch *batch,
    uint32_t serial, struct lp_pkt *pkt)
{
	struct lp_neighbor *entry =
	    &neighbors->entries[serial % LP_NEIGHBORS_MAX];
	uint64_t now_ms = batch->now_ms;

	assert(entry->serial == serial && entry->port_id != 0);
	switch ((enum lp_neighbor_state)entry->state) {
	case LP_NEIGHBOR_REACHABLE:
		if (now_ms - entry->confirmed_ms > LP_NEIGHBOR_REACHABLE_MS) {
			settle(neighbors, entry, LP_NEIGHBOR_PROBE);
			ask(neighbors, batch, entry, true);
		}
		break;
	case LP_NEIGHBOR_PROBE:
		break;
	case LP_NEIGHBOR_NEW:
	case LP_NEIGHBOR_FAILED:
		settle(neighbors, entry, LP_NEIGHBOR_INCOMPLETE);
		ask(neighbors, batch, entry, false);
		/* fall through */
	case LP_NEIGHBOR_INCOMPLETE:
		/* mirror.h: copied when it leaves, to clients alone. */
		if (batch->mirror == NULL || pkt->dir == LP_TO_BROKER)
			pkt->mirror = 0;
		hold(neighbors, entry, pkt);
		return false;
	}
	lp_neighbor_address(batch, entry, pkt);
	return true;
}

void
lp_neighbor_adopt(struct lp_neighbors *neighbors, struct lp_batch *batch,
    const struct lp_neighbor *from)
{
	struct lp_neighbor *entry;

	if (batch->snapshot == NULL || from->slot >= LP_PORTS_MAX ||
	    batch->snapshot->ports[from->slot].port == NULL ||
	    batch->snapshot->ports[from->slot].id != from->port_id)
		return;
	entry = locate(neighbors, &from->ip, from->slot);
	if (entry == NULL)
		entry = create(neighbors, batch, &from->ip, from->slot);
	if (entry == NULL)
		return;
	settle(neighbors, entry, from->state);
	entry->probes = from->probes;
	memcpy(entry->mac, from->mac, 6);
	entry->confirmed_ms = from->confirmed_ms;
	entry->next_ms = from->next_ms;
	entry->used_ms = from->used_ms;
}

unsigned
lp_neighbor_wait_ms(
    const struct lp_neighbors *neighbors, uint64_t now_ms, unsigned max)
{
	uint64_t due = now_ms + max;

	if (neighbors->pending > 0 && neighbors->tick_ms < due)
		due = neighbors->tick_ms;
	if (lp_announce_due_ms(&neighbors->announce) < due)
		due = lp_announce_due_ms(&neighbors->announce);
	if (lp_mld_due_ms(&neighbors->mld) < due)
		due = lp_mld_due_ms(&neighbors->mld);
	return due <= now_ms ? 0 : (unsigned)(due - now_ms);
}

void
lp_neighbor_flush(struct lp_neighbors *neighbors)
{
	for (unsigned i = 0; i < LP_NEIGHBORS_MAX; i++)
		drop_queue(neighbors, &neighbors->entries[i]);
}

static void
receive(
    struct lp_neighbors *neighbors, struct lp_batch *batch, struct lp_pkt *pkt)
{
	enum lp_reason what =
	    pkt->flags & LP_PKT_ARP ? LP_REASON_ARP : LP_REASON_NDP;
	struct lp_neighbor_message message;
	const struct lp_own *own;
	enum lp_reason why;
	bool for_us;

	if (batch->snapshot == NULL) {
		lp_pkt_drop(pkt, LP_REASON_STARTING);
		return;
	}
	why = lp_neighbor_wire_read(pkt, &message);
	if (why == LP_REASON_NONE &&
	    lp_snapshot_own(batch->snapshot, &message.sender) != NULL)
		/* Another host claims an address of ours. */
		why = what == LP_REASON_ARP ? LP_REASON_ARP_INVALID
					    : LP_REASON_NDP_INVALID;
	if (why != LP_REASON_NONE) {
		lp_pkt_drop(pkt, why);
		return;
	}
	own = lp_snapshot_own(batch->snapshot, &message.target);
	for_us = own != NULL && (own->port_mask & 1u << pkt->port_in) != 0;
	/* RFC 826: merge always, add only if the question is for us. */
	learn(neighbors, batch, pkt->port_in, &message,
	    for_us && message.solicit);
	lp_pkt_decide(pkt, LP_LOCAL, what);
	if (for_us && message.solicit && !(pkt->flags & LP_PKT_COPY)) {
		lp_neighbor_wire_answer(
		    pkt, &message, batch->snapshot->ports[pkt->port_in].mac);
		pkt->port_out = pkt->port_in;
	}
}

static void
learn(struct lp_neighbors *neighbors, struct lp_batch *batch, uint8_t slot,
    const struct lp_neighbor_message *message, bool add)
{
	struct lp_neighbor *entry;

	if ((!message->has_mac && !message->confirms) ||
	    !on_link(batch, slot, &message->sender))
		return;
	entry = locate(neighbors, &message->sender, slot);
	if (entry == NULL && add && message->has_mac)
		entry = create(neighbors, batch, &message->sender, slot);
	if (entry == NULL)
		return;
	if (message->has_mac)
		memcpy(entry->mac, message->mac, 6);
	else if (entry->state != LP_NEIGHBOR_REACHABLE &&
	    entry->state != LP_NEIGHBOR_PROBE)
		return;
	entry->confirmed_ms = batch->now_ms;
	settle(neighbors, entry, LP_NEIGHBOR_REACHABLE);
	for (unsigned i = 0; i < entry->queued; i++) {
		lp_neighbor_address(batch, entry, &entry->queue[i]);
		lp_make_release(neighbors->make, batch, &entry->queue[i]);
	}
	entry->queued = 0;
}

/* Only what is on the link of a port may say where it is. */
static bool
on_link(const struct lp_batch *batch, uint8_t slot, const struct lp_ip *ip)
{
	const struct lp_snapshot_port *port = &batch->snapshot->ports[slot];

	if (port->port == NULL)
		return false;
	for (unsigned i = 0; i < port->prefix_count; i++)
		if (lp_prefix_contains(&port->prefixes[i], ip))
			return true;
	/* A gateway may be a link-local address. */
	return lp_ip_equal(ip, &port->gateway_v6);
}

static struct lp_neighbor *
locate(
    const struct lp_neighbors *neighbors, const struct lp_ip *ip, uint8_t slot)
{
	uint16_t at = neighbors->buckets[lp_snapshot_hash_ip(ip) % BUCKETS];

	while (at != 0) {
		struct lp_neighbor *entry = &neighbors->entries[at - 1];

		if (entry->slot == slot && lp_ip_equal(&entry->ip, ip))
			return entry;
		at = entry->chain;
	}
	return NULL;
}

static struct lp_neighbor *
create(struct lp_neighbors *neighbors, const struct lp_batch *batch,
    const struct lp_ip *ip, uint8_t slot)
{
	uint16_t *bucket =
	    &neighbors->buckets[lp_snapshot_hash_ip(ip) % BUCKETS];
	struct lp_neighbor *entry = place(neighbors, batch->now_ms);
	uint32_t serial;
	unsigned at;

	if (entry == NULL)
		return NULL;
	at = (unsigned)(entry - neighbors->entries);
	/* Round 0 is left out, also when they come around: 0 is none. */
	serial = entry->serial + LP_NEIGHBORS_MAX;
	if (serial < 2 * LP_NEIGHBORS_MAX)
		serial = at + LP_NEIGHBORS_MAX;
	*entry = (struct lp_neighbor){.ip = *ip,
	    .serial = serial,
	    .port_id = batch->snapshot->ports[slot].id,
	    .chain = *bucket,
	    .slot = slot,
	    .used_ms = batch->now_ms};
	assert(entry->port_id != 0);
	*bucket = (uint16_t)(at + 1);
	lp_count_set(&neighbors->make->stats->neighbors, ++neighbors->count);
	return entry;
}

/* A free place, or that of a next hop not used for a while, made free. */
static struct lp_neighbor *
place(struct lp_neighbors *neighbors, uint64_t now_ms)
{
	struct lp_neighbor *oldest = NULL;

	for (unsigned i = 0; i < RECYCLE_STEPS; i++) {
		struct lp_neighbor *entry =
		    &neighbors->entries[neighbors->hand];

		neighbors->hand = (neighbors->hand + 1) % LP_NEIGHBORS_MAX;
		if (entry->port_id == 0)
			return entry;
		if (oldest == NULL || goes_before(entry, oldest))
			oldest = entry;
	}
	if (oldest->confirmed_ms != 0 &&
	    now_ms - oldest->used_ms < LP_NEIGHBOR_RETRY_MS)
		return NULL;
	discard(neighbors, oldest);
	return oldest;
}

/*
 * What never answered goes first, whatever its age: sources that somebody
 * made up must not push out the next hops of those that live.
 */
static bool
goes_before(const struct lp_neighbor *a, const struct lp_neighbor *b)
{
	if ((a->confirmed_ms == 0) != (b->confirmed_ms == 0))
		return a->confirmed_ms == 0;
	return a->used_ms < b->used_ms;
}

static void
discard(struct lp_neighbors *neighbors, struct lp_neighbor *entry)
{
	uint16_t self = (uint16_t)(entry - neighbors->entries + 1);
	uint16_t *at =
	    &neighbors->buckets[lp_snapshot_hash_ip(&entry->ip) % BUCKETS];

	settle(neighbors, entry, LP_NEIGHBOR_NEW);
	drop_queue(neighbors, entry);
	while (*at != self) {
		assert(*at != 0);
		at = &neighbors->entries[*at - 1].chain;
	}
	*at = entry->chain;
	entry->port_id = 0;
	lp_count_set(&neighbors->make->stats->neighbors, --neighbors->count);
}

static void
drop_queue(struct lp_neighbors *neighbors, struct lp_neighbor *entry)
{
	for (unsigned i = 0; i < entry->queued; i++) {
		lp_count_add(&neighbors->make->stats->dropped_held, 1);
		lp_make_discard(neighbors->make, &entry->queue[i]);
	}
	entry->queued = 0;
}

/* Waits in the queue; the oldest goes if there is no place. */
static void
hold(struct lp_neighbors *neighbors, struct lp_neighbor *entry,
    const struct lp_pkt *pkt)
{
	if (entry->queued == LP_NEIGHBOR_QUEUE_MAX) {
		lp_count_add(&neighbors->make->stats->dropped_held, 1);
		lp_make_discard(neighbors->make, &entry->queue[0]);
		memmove(&entry->queue[0], &entry->queue[1],
		    (LP_NEIGHBOR_QUEUE_MAX - 1) * sizeof(entry->queue[0]));
		entry->queued--;
	}
	entry->queue[entry->queued++] = *pkt;
}

static void
ask(struct lp_neighbors *neighbors, struct lp_batch *batch,
    struct lp_neighbor *entry, bool unicast)
{
	const struct lp_snapshot_port *port =
	    &batch->snapshot->ports[entry->slot];
	bool v4 = lp_ip_is_v4(&entry->ip);
	const struct lp_ip *own = NULL;

	entry->probes++;
	entry->next_ms = batch->now_ms + LP_NEIGHBOR_RETRY_MS;
	/* From the address on its link, else from any of its family. */
	for (unsigned i = 0; i < port->prefix_count; i++) {
		if (lp_prefix_contains(&port->prefixes[i], &entry->ip)) {
			own = &port->prefixes[i].ip;
			break;
		}
		if (own == NULL && lp_ip_is_v4(&port->prefixes[i].ip) == v4)
			own = &port->prefixes[i].ip;
	}
	if (own != NULL)
		lp_neighbor_wire_solicit(neighbors->make, batch, entry->slot,
		    port->mac, own, &entry->ip, unicast ? entry->mac : NULL);
}

/* No answer within LP_NEIGHBOR_RETRY_MS. */
static void
retry(struct lp_neighbors *neighbors, struct lp_batch *batch,
    struct lp_neighbor *entry)
{
	bool unicast = entry->state == LP_NEIGHBOR_PROBE;

	if (entry->probes < LP_NEIGHBOR_PROBES_MAX) {
		ask(neighbors, batch, entry, unicast);
	} else if (unicast) {
		settle(neighbors, entry, LP_NEIGHBOR_INCOMPLETE);
		ask(neighbors, batch, entry, false);
	} else {
		settle(neighbors, entry, LP_NEIGHBOR_FAILED);
		entry->next_ms = batch->now_ms + LP_NEIGHBOR_FAILED_MS;
		drop_queue(neighbors, entry);
	}
}

/* Changes the state, and the count of those that are asked for. */
static void
settle(struct lp_neighbors *neighbors, struct lp_neighbor *entry,
    enum lp_neighbor_state state)
{
	if (entry->state == LP_NEIGHBOR_INCOMPLETE ||
	    entry->state == LP_NEIGHBOR_PROBE)
		neighbors->pending--;
	if (state == LP_NEIGHBOR_INCOMPLETE || state == LP_NEIGHBOR_PROBE)
		neighbors->pending++;
	entry->state = (uint8_t)state;
	entry->probes = 0;
}

/*
 * Forgets next hops of ports that are gone; of what waits for others no copy
 * goes to a port whose slot may be another's now.
 */
static void
new_snapshot(struct lp_neighbors *neighbors, const struct lp_snapshot *snapshot)
{
	for (unsigned i = 0; i < LP_NEIGHBORS_MAX; i++) {
		struct lp_neighbor *entry = &neighbors->entries[i];

		if (entry->port_id != 0 &&
		    (snapshot->ports[entry->slot].port == NULL ||
			snapshot->ports[entry->slot].id != entry->port_id))
			discard(neighbors, entry);
		for (unsigned j = 0; j < entry->queued; j++)
			entry->queue[j].mirror = 0;
	}
	neighbors->serial = snapshot->serial;
	lp_announce_update(&neighbors->announce, snapshot);
	lp_mld_update(&neighbors->mld, snapshot);
}
