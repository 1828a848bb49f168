/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/announce.h"

#include <string.h>

#include "dataplane/pipeline/neighbor_wire.h"

enum {
	STEP = 8, /* announcements of one turn */
	AGAIN_MS = 1000,
};

/* Masks of slots. */
struct lp_announced {
	struct lp_ip ip;
	uint16_t done;
	uint16_t again; /* for the second round */
};

static uint16_t done_before(
    const struct lp_announce *, uint32_t, const struct lp_ip *);
static unsigned announce_place(
    struct lp_announce *, struct lp_batch *, uint32_t, bool);
static uint16_t same_slots(struct lp_announce *, const struct lp_snapshot *);
static uint16_t open_slots(const struct lp_snapshot *);

void
lp_announce_carve(struct lp_announce *announce, struct lp_arena *arena)
{
	announce->places =
	    lp_arena_take(arena, LP_OWN_SIZE, sizeof(*announce->places));
	announce->before =
	    lp_arena_take(arena, LP_OWN_SIZE, sizeof(*announce->before));
}

void
lp_announce_init(struct lp_announce *announce, const struct lp_make *make)
{
	announce->make = make;
	announce->count = 0;
	announce->at = 0;
	announce->again_ms = 0;
}

void
lp_announce_update(
    struct lp_announce *announce, const struct lp_snapshot *snapshot)
{
	struct lp_announced *before = announce->places;
	uint32_t before_count = announce->count;
	uint16_t same = same_slots(announce, snapshot);

	assert(snapshot->own_mask < LP_OWN_SIZE);
	announce->places = announce->before;
	announce->before = before;
	announce->count = snapshot->own_mask + 1;
	announce->at = 0;
	announce->again_ms = 0;
	for (uint32_t i = 0; i < announce->count; i++) {
		const struct lp_own *own = &snapshot->own[i];

		announce->places[i] = (struct lp_announced){.ip = own->ip};
		if (own->port_mask != 0)
			announce->places[i].done = own->port_mask & same &
			    done_before(announce, before_count, &own->ip);
	}
}

void
lp_announce_tick(struct lp_announce *announce, struct lp_batch *batch)
{
	uint64_t now_ms = batch->now_ms;
	bool again = announce->again_ms != 0;
	unsigned sent = 0;

	if (announce->at >= announce->count) {
		if (!again || now_ms < announce->again_ms)
			return;
		announce->at = 0;
	}
	while (announce->at < announce->count && sent < STEP)
		sent += announce_place(announce, batch, announce->at++, again);
	if (announce->at == announce->count)
		announce->again_ms = again ? 0 : now_ms + AGAIN_MS;
}

uint64_t
lp_announce_due_ms(const struct lp_announce *announce)
{
	if (announce->at < announce->count)
		return 0;
	return announce->again_ms != 0 ? announce->again_ms : UINT64_MAX;
}

/* What was announced of this address: the table is that of a snapshot. */
static uint16_t
done_before(
    const struct lp_announce *announce, uint32_t count, const struct lp_ip *ip)
{
	const struct lp_announced *before = announce->before;
	uint32_t at = lp_snapshot_hash_ip(ip) & (count - 1);

	for (uint32_t n = 0; n < count; n++) {
		if (lp_ip_equal(&before[at].ip, ip))
			return before[at].done;
		if (lp_ip_is_none(&before[at].ip))
			break;
		at = (at + 1) & (count - 1);
	}
	return 0;
}

static unsigned
announce_place(struct lp_announce *announce, struct lp_batch *batch,
    uint32_t at, bool again)
{
	struct lp_announced *place = &announce->places[at];
	const struct lp_own *own = &batch->snapshot->own[at];
	uint16_t open = open_slots(batch->snapshot);
	uint16_t todo =
	    again ? place->again & open : own->port_mask & open & ~place->done;
	unsigned sent = 0;

	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++) {
		if (!(todo & 1u << slot))
			continue;
		lp_neighbor_wire_announce(announce->make, batch, slot,
		    batch->snapshot->ports[slot].mac, &own->ip);
		sent++;
	}
	place->done |= todo;
	place->again = again ? 0 : todo;
	return sent;
}

/* Open ones whose neighbours know all that they knew; noted for next time. */
static uint16_t
same_slots(struct lp_announce *announce, const struct lp_snapshot *snapshot)
{
	uint16_t mask = open_slots(snapshot);

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		uint32_t incarnation = snapshot->ports[i].incarnation;

		if (announce->incarnation[i] != incarnation)
			mask &= (uint16_t) ~(1u << i);
		announce->incarnation[i] = incarnation;
	}
	return mask;
}

static uint16_t
open_slots(const struct lp_snapshot *snapshot)
{
	uint16_t mask = 0;

	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		mask |= (uint16_t)((snapshot->ports[i].port != NULL) << i);
	return mask;
}
