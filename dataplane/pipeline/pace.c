/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * Of an end that is held or bound the highest right edge that it was told of
 * is kept.  A window field can only name every 2^scale-th one (RFC 7323, 2.2):
 * the first one behind that edge is named, and the edge stays: else who sends
 * less than such a step with each acknowledgement would never come near it.
 *
 * Where such a step is larger than a segment that would let the end through a
 * step with each round trip, for ever.  There the edge is the last one before,
 * less than a step back; ends have to bear that (RFC 7323, 2.4).
 *
 * Life-cycle
 *
 *	free ▸ held ▸ told ▸ free, or bound
 *
 * A large window opens in parts: who was held has a congestion window that
 * says nothing of a queue on the way, and megabytes at once fill it, ours, too.
 * The bound is then no help: it has to be as large for those that are far away.
 *
 * Who is told that it may go on is free in the next turn, when that has left:
 * a process killed in between leaves one that is held up to a time that has
 * gone by, and its successor tells it.
 *
 * Ownership: `paced` of a connection says whether its place in the region
 * means anything.  A packet changes it under the mark of the connection; what
 * is in the place is not put back after a kill, and need not be: a right edge
 * that was not told is one that might have been, a time is asked for again by
 * what comes again.
 *
 * Limits: a pure window update of the other end that is lowered to nothing is
 * a duplicate acknowledgement to who is held.  Without SACK three of them,
 * while it has something under way, are a retransmission for nothing.
 */
#include "dataplane/pipeline/pace.h"

#include <string.h>

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/wire.h"

enum {
	/* Steps of a window up to 1 kB: smaller than a segment. */
	SCALE_FINE = 10,
	/* One that opens does so in so many parts, if they are not small, at
	 * such distances. */
	PARTS = 16,
	PART_NS = 1000000,
	/* Nobody is bound for so long: a time that is further ahead has gone
	 * by, and its low bits come again. */
	BOUND_MAX_S = 2 * LP_BUCKETS_DEBT_S,
};

static bool is_bound(
    const struct lp_pace *, uint32_t, enum lp_direction, uint32_t);
static uint8_t log2_of(uint32_t);
static void close_in(struct lp_pace_side *);
static uint32_t window_of(const struct lp_pace_side *, uint32_t);
static struct lp_pace_side *begin(
    struct lp_pace *, uint32_t, enum lp_direction);
static bool may_be_paced(const struct lp_conn *, enum lp_direction);
static void put(struct lp_pace *, uint32_t, uint64_t);
static void arm(struct lp_pace *, uint32_t, uint64_t);
static void settle(struct lp_pace *, uint32_t, enum lp_direction);
static bool is_shut(const struct lp_pace_side *);
static uint16_t lower(
    const struct lp_pace_side *, uint32_t, uint16_t, uint8_t, bool);
static void move_edge(uint32_t *, uint32_t, uint16_t, uint8_t);
static void move_told(struct lp_pace_side *, uint32_t, uint16_t, uint8_t);
static void keep_stamps(struct lp_pace_side *, const struct lp_pkt *, bool);
static void to_end(
    struct lp_pace *, struct lp_pkt *, const struct lp_conn *, bool);

void
lp_pace_carve(struct lp_pace *pace, struct lp_arena *arena, uint32_t count)
{
	lp_wheel_carve(&pace->wheel, arena, count);
}

void
lp_pace_init(struct lp_pace *pace, struct lp_region *region, uint64_t now_ns)
{
	pace->region = region;
	pace->waiting = 0;
	pace->told_count = 0;
	pace->now_ms = now_ns / 1000000u;
	lp_wheel_init(&pace->wheel, (uint32_t)pace->now_ms);
	for (uint32_t i = 0; i < region->header->connection_count; i++)
		if (region->connections[i].use == LP_CONN_USED &&
		    region->connections[i].paced != 0)
			arm(pace, i, 0);
}

void
lp_pace_unbind(struct lp_region *region, uint32_t index)
{
	for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		struct lp_pace_side *side =
		    &region->kafka.paces[index].sides[dir];

		if (!(region->connections[index].paced & (1u << dir)))
			continue;
		side->window = 0;
		/* Over since long: it is to be told. */
		if (side->until_ns == 0)
			side->until_ns = 1;
	}
}

void
lp_pace_until(struct lp_pace *pace, uint32_t index, enum lp_direction sender,
    uint64_t until_ns)
{
	struct lp_pace_side *side = begin(pace, index, sender);

	if (side == NULL || until_ns <= side->until_ns)
		return;
	if (side->until_ns == 0)
		lp_count_add(&pace->region->stats->paced, 1);
	side->until_ns = until_ns;
	/* If it has just been told, that was before. */
	side->flags &= (uint8_t)~LP_PACE_TELLING;
	arm(pace, index, 0);
}

void
lp_pace_bound(struct lp_pace *pace, uint32_t index, enum lp_direction sender,
    uint32_t bytes)
{
	const struct lp_conn *conn = &pace->region->connections[index];
	struct lp_pace_side *side;

	if (bytes == 0 && !(conn->paced & (1u << sender)))
		return;
	side = begin(pace, index, sender);
	if (side == NULL)
		return;
	side->window = bytes;
	close_in(side);
	if (bytes == 0 &&
	    (side->until_ns == 0 || (side->flags & LP_PACE_TELLING)))
		lp_pace_release(pace, index, sender);
}

void
lp_pace_bind(struct lp_pace *pace, uint32_t index, enum lp_direction sender,
    const struct lp_pace_bound *bound, uint32_t now_s)
{
	struct lp_pace_side *side = lp_pace_side(pace, index, sender);
	uint32_t bytes = bound->bytes == 0 ? UINT32_MAX : bound->bytes;
	uint16_t until_s = (uint16_t)bound->until_s;
	uint8_t wide = log2_of(bound->most);

	if (is_bound(pace, index, sender, now_s)) {
		if (!bound->is_of_last && bytes > lp_pace_narrow(side))
			bytes = lp_pace_narrow(side);
		if (wide > side->wide && bytes > 1u << side->wide)
			bytes = 1u << side->wide;
		if (wide > side->wide || (int16_t)(until_s - side->bound_s) < 0)
			until_s = side->bound_s;
		if (wide > side->wide)
			wide = side->wide;
	}
	lp_pace_bound(pace, index, sender, bytes == UINT32_MAX ? 0 : bytes);
	if (!(pace->region->connections[index].paced & (1u << sender)))
		return;
	side->wide = wide;
	side->bound_s = until_s;
}

void
lp_pace_loosen(struct lp_pace *pace, uint32_t index, enum lp_direction sender,
    uint32_t now_s)
{
	if (!is_bound(pace, index, sender, now_s))
		lp_pace_bound(pace, index, sender, 0);
}

/* No further than its end: behind it comes another one. */
void
lp_pace_widen_paced(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint32_t bytes, uint32_t end)
{
	struct lp_pace_side *side = lp_pace_side(pace, index, sender);
	uint32_t usual = lp_pace_narrow(side);

	if (side->window == 0)
		return;
	side->window = usual;
	close_in(side);
	if (bytes <= usual || 1u << side->wide <= usual)
		return;
	side->flags = (uint8_t)((side->flags & (LP_PACE_NARROW - 1)) |
	    log2_of(usual) * LP_PACE_NARROW);
	atomic_signal_fence(memory_order_seq_cst);
	side->window = end | 1;
}

void
lp_pace_release(struct lp_pace *pace, uint32_t index, enum lp_direction sender)
{
	struct lp_pace_side *side = lp_pace_side(pace, index, sender);

	if (!(pace->region->connections[index].paced & (1u << sender)))
		return;
	side->window = 0;
	/* Over since long; what it is being told is not all. */
	side->until_ns = 1;
	side->flags &= (uint8_t)~LP_PACE_TELLING;
	arm(pace, index, 0);
}

bool
lp_pace_is_held(const struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint64_t now_ns)
{
	return (pace->region->connections[index].paced & (1u << sender)) &&
	    now_ns < lp_pace_side(pace, index, sender)->until_ns;
}

void
lp_pace_packet_paced(struct lp_pace *pace, struct lp_pkt *pkt, bool valid)
{
	const struct lp_conn *conn = &pace->region->connections[pkt->conn];

	if ((pkt->tcp_flags & (LP_TCP_SYN | LP_TCP_RST | LP_TCP_ACK)) !=
	    LP_TCP_ACK)
		return;
	/* What we say again of it leaves with a checksum that is right. */
	valid = valid &&
	    ((pkt->flags & LP_PKT_TCP_SUM_GOOD) ||
		lp_parse_tcp_checksum(pkt) == LP_REASON_NONE);
	if (valid && (conn->paced & (1u << pkt->dir)))
		keep_stamps(lp_pace_side(pace, pkt->conn, pkt->dir), pkt, true);
	if (conn->paced & (1u << !pkt->dir))
		to_end(pace, pkt, conn, valid);
}

uint16_t
lp_pace_field_paced(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint32_t ack, uint16_t field)
{
	uint8_t scale =
	    pace->region->connections[index].tcp.peer[!sender].scale;
	struct lp_pace_side *side = lp_pace_side(pace, index, sender);

	move_edge(&side->given, ack, field, scale);
	field = lower(side, ack, field, scale, is_shut(side));
	move_told(side, ack, field, scale);
	return field;
}

uint32_t
lp_pace_next(struct lp_pace *pace, uint64_t now_ns)
{
	pace->now_ms = now_ns / 1000000u;
	if (pace->waiting == 0) {
		/* Nothing to turn it for. */
		pace->wheel.now = (uint32_t)pace->now_ms;
		return LP_CONN_NONE;
	}
	for (unsigned i = 0; i < LP_EXPIRE_STEP; i++) {
		uint32_t index =
		    lp_wheel_pop(&pace->wheel, (uint32_t)pace->now_ms);
		const struct lp_conn *conn;

		if (index == LP_WHEEL_NONE)
			break;
		pace->waiting--;
		conn = &pace->region->connections[index];
		/* Another one may have its place by now. */
		if (conn->use != LP_CONN_USED || conn->paced == 0)
			continue;
		for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT;
		     dir++)
			if ((conn->paced & (1u << dir)) &&
			    lp_pace_side(pace, index, dir)->until_ns != 0 &&
			    lp_pace_side(pace, index, dir)->until_ns <= now_ns)
				return index;
		arm(pace, index, 0);
	}
	return LP_CONN_NONE;
}

bool
lp_pace_resume(struct lp_pace *pace, uint32_t index, enum lp_direction sender,
    uint64_t now_ns, uint16_t *field)
{
	struct lp_conn *conn = &pace->region->connections[index];
	const struct lp_tcp_peer *other = &conn->tcp.peer[!sender];
	struct lp_pace_side *side = lp_pace_side(pace, index, sender);
	uint32_t room = side->given - other->ack;
	uint32_t gain, part;

	if (!(conn->paced & (1u << sender)) || side->until_ns == 0 ||
	    now_ns < side->until_ns)
		return false;
	/* Nothing more comes of it. */
	if (conn->tcp.state == LP_TCP_CLOSED ||
	    (conn->tcp.peer[sender].flags & LP_PEER_FIN)) {
		settle(pace, index, sender);
		return false;
	}
	if ((int32_t)room < 0)
		room = 0;
	room >>= other->scale;
	*field = lower(side, other->ack,
	    room > UINT16_MAX ? UINT16_MAX : (uint16_t)room, other->scale,
	    false);
	room = (uint32_t)*field << other->scale;
	gain = other->ack + room - side->edge;
	/*
	 * Who has more than half of it need not be told: it goes on, and hears
	 * of the rest by the answers.
	 */
	if (!(side->flags & LP_PACE_TELLING) &&
	    ((int32_t)gain <= 0 || (side->window != 0 && gain < room / 2))) {
		settle(pace, index, sender);
		return false;
	}
	part = room / PARTS > LP_PACE_PART ? room / PARTS : LP_PACE_PART;
	if ((int32_t)gain > (int32_t)part) {
		*field = (uint16_t)((side->edge + part - other->ack) >>
		    other->scale);
		side->until_ns = now_ns + PART_NS;
		move_told(side, other->ack, *field, other->scale);
		return true;
	}
	side->flags |= LP_PACE_TELLING;
	atomic_signal_fence(memory_order_seq_cst);
	move_told(side, other->ack, *field, other->scale);
	assert(pace->told_count < LP_PACE_STEP);
	pace->told[pace->told_count++] = 2 * index + sender;
	return true;
}

void
lp_pace_failed(struct lp_pace *pace, uint32_t index, enum lp_direction sender)
{
	if (pace->told_count > 0 &&
	    pace->told[pace->told_count - 1] == 2 * index + sender)
		pace->told_count--;
}

void
lp_pace_seen(struct lp_pace *pace, uint32_t index, uint64_t now_ns, bool again)
{
	if (again)
		put(pace, index, now_ns);
	else
		arm(pace, index, now_ns);
}

void
lp_pace_turn(struct lp_pace *pace)
{
	for (unsigned i = 0; i < pace->told_count; i++) {
		uint32_t index = pace->told[i] / 2;
		enum lp_direction sender = pace->told[i] % 2;
		struct lp_pace_side *side = lp_pace_side(pace, index, sender);

		/* It may have ended, be held again or told once more. */
		if (!(pace->region->connections[index].paced &
			(1u << sender)) ||
		    !(side->flags & LP_PACE_TELLING))
			continue;
		side->flags &= (uint8_t)~LP_PACE_TELLING;
		settle(pace, index, sender);
	}
	pace->told_count = 0;
}

uint32_t
lp_pace_wait_ms(const struct lp_pace *pace, uint64_t now_ns, uint32_t most)
{
	return pace->waiting == 0
	    ? most
	    : lp_wheel_wait(&pace->wheel, (uint32_t)(now_ns / 1000000u), most);
}

/* And nothing wider may be before a time that has not come. */
static bool
is_bound(const struct lp_pace *pace, uint32_t index, enum lp_direction sender,
    uint32_t now_s)
{
	const struct lp_pace_side *side = lp_pace_side(pace, index, sender);
	uint16_t left_s = (uint16_t)(side->bound_s - (uint16_t)now_s);

	return (pace->region->connections[index].paced & (1u << sender)) &&
	    side->window != 0 && left_s != 0 && left_s <= BOUND_MAX_S;
}

static uint8_t
log2_of(uint32_t number)
{
	return (uint8_t)(31 - __builtin_clz(number | 1));
}

/*
 * Its window is a number of bytes, and no end of a message.  Before, it may
 * have been taken for one after a kill: that opens it no further than `wide`.
 */
static void
close_in(struct lp_pace_side *side)
{
	atomic_signal_fence(memory_order_seq_cst);
	side->flags &= LP_PACE_NARROW - 1;
}

/* Of who is bound, and has sent what comes before that. */
static uint32_t
window_of(const struct lp_pace_side *side, uint32_t ack)
{
	uint32_t usual = lp_pace_narrow(side), most = 1u << side->wide;
	int32_t left = (int32_t)(side->window - ack);

	if (side->flags < LP_PACE_NARROW || left <= (int32_t)usual)
		return usual;
	return (uint32_t)left < most ? (uint32_t)left : most;
}

/* The end's place, from now on in use; NULL: it is not to be paced. */
static struct lp_pace_side *
begin(struct lp_pace *pace, uint32_t index, enum lp_direction sender)
{
	struct lp_conn *conn = &pace->region->connections[index];
	struct lp_pace_side *side = lp_pace_side(pace, index, sender);
	uint32_t edge = conn->tcp.peer[sender].limit;

	assert(index < pace->region->header->connection_count);
	if (conn->paced & (1u << sender))
		return side;
	if (!may_be_paced(conn, sender))
		return NULL;
	/* tcp_state.c counts the byte of a probe to a window that is shut. */
	if (edge == conn->tcp.peer[!sender].ack + 1)
		edge--;
	*side = (struct lp_pace_side){.edge = edge, .given = edge};
	atomic_signal_fence(memory_order_seq_cst);
	conn->paced |= (uint8_t)(1u << sender);
	return side;
}

/*
 * Packets of connections that are not spliced pass as they are, inline; both
 * scales must be known; and who has sent its FIN sends nothing more.
 */
static bool
may_be_paced(const struct lp_conn *conn, enum lp_direction sender)
{
	const struct lp_tcp_peer *peer = conn->tcp.peer;

	return !(conn->flags & LP_CONN_PICKED_UP) &&
	    (conn->flags & (LP_CONN_INLINE | LP_CONN_SPLICED)) !=
	    LP_CONN_INLINE &&
	    conn->tcp.state != LP_TCP_CLOSED &&
	    !lp_tcp_state_half_open(conn->tcp.state) &&
	    (peer[LP_TO_BROKER].flags & peer[LP_TO_CLIENT].flags &
		LP_PEER_ACKED) &&
	    !(peer[sender].flags & LP_PEER_FIN);
}

static void
put(struct lp_pace *pace, uint32_t index, uint64_t at_ns)
{
	uint64_t at_ms = at_ns / 1000000u;

	if (pace->wheel.slot[index] == LP_WHEEL_NONE)
		pace->waiting++;
	if (at_ms < pace->now_ms)
		at_ms = pace->now_ms;
	lp_wheel_put(&pace->wheel, index, (uint32_t)at_ms);
}

/* For the first of its ends that may go on later than that. */
static void
arm(struct lp_pace *pace, uint32_t index, uint64_t after_ns)
{
	uint8_t paced = pace->region->connections[index].paced;
	uint64_t first_ns = UINT64_MAX;

	for (enum lp_direction dir = LP_TO_BROKER; dir <= LP_TO_CLIENT; dir++) {
		uint64_t until_ns = lp_pace_side(pace, index, dir)->until_ns;

		if ((paced & (1u << dir)) && until_ns > after_ns &&
		    until_ns < first_ns)
			first_ns = until_ns;
	}
	if (first_ns != UINT64_MAX)
		put(pace, index, first_ns);
}

/* Its time is over, and it knows. */
static void
settle(struct lp_pace *pace, uint32_t index, enum lp_direction sender)
{
	struct lp_conn *conn = &pace->region->connections[index];
	struct lp_pace_side *side = lp_pace_side(pace, index, sender);

	if (side->window == 0)
		conn->paced &= (uint8_t) ~(1u << sender);
	atomic_signal_fence(memory_order_seq_cst);
	side->until_ns = 0;
}

/* Until it is told that it may go on, and no longer. */
static bool
is_shut(const struct lp_pace_side *side)
{
	return side->until_ns != 0 && !(side->flags & LP_PACE_TELLING);
}

/* Of an acknowledgement to that end: not more than it may have. */
static uint16_t
lower(const struct lp_pace_side *side, uint32_t ack, uint16_t field,
    uint8_t scale, bool holding)
{
	uint32_t step = 1u << scale;
	uint32_t had = side->edge - ack;
	uint32_t most = 0, window;

	if ((int32_t)had < 0)
		had = 0;
	had = scale <= SCALE_FINE ? (had + step - 1) >> scale : had >> scale;
	if (!holding) {
		if (side->window == 0)
			return field;
		window = window_of(side, ack);
		most = window < step ? 1 : window >> scale;
	}
	if (most < had)
		most = had;
	return most < field ? (uint16_t)most : field;
}

static void
move_edge(uint32_t *edge, uint32_t ack, uint16_t field, uint8_t scale)
{
	*edge = lp_seq_max(*edge, ack + ((uint32_t)field << scale));
}

/* By less than a step only because it was rounded: it is where it was. */
static void
move_told(
    struct lp_pace_side *side, uint32_t ack, uint16_t field, uint8_t scale)
{
	uint32_t told = ack + ((uint32_t)field << scale);

	if ((int32_t)(told - side->edge) >=
	    (scale <= SCALE_FINE ? 1 << scale : 1))
		side->edge = told;
}

/* The newest; `back`: of a packet from the end, which echoes them. */
static void
keep_stamps(struct lp_pace_side *side, const struct lp_pkt *pkt, bool back)
{
	uint16_t at = lp_parse_tcp_option(
	    pkt, LP_TCP_OPT_TIMESTAMP, LP_TCP_OPT_STAMPS_LEN);
	uint32_t stamp;

	if (at == 0)
		return;
	stamp = lp_get32(pkt->data + at + (back ? 4 : 0));
	if ((side->flags & LP_PACE_STAMPED) &&
	    (back || lp_seq_before(stamp, side->stamp)))
		return;
	side->stamp = stamp;
	side->echo = lp_get32(pkt->data + at + (back ? 0 : 4));
	side->flags |= LP_PACE_STAMPED;
}

/* A packet to an end that is held or bound. */
static void
to_end(struct lp_pace *pace, struct lp_pkt *pkt, const struct lp_conn *conn,
    bool valid)
{
	struct lp_pace_side *side = lp_pace_side(pace, pkt->conn, !pkt->dir);
	uint8_t scale = conn->tcp.peer[pkt->dir].scale;
	uint8_t *tcp = pkt->data + pkt->l4_off;
	uint32_t ack = lp_get32(tcp + LP_TCP_ACKNO);
	uint16_t was = lp_get16(tcp + LP_TCP_WINDOW);
	uint16_t field = lower(side, ack, was, scale, is_shut(side));
	uint8_t is[2];

	/* One from long ago, or of nobody, tells of nothing. */
	if (valid) {
		keep_stamps(side, pkt, false);
		move_edge(&side->given, ack, was, scale);
		move_told(side, ack, field, scale);
	}
	if (field == was)
		return;
	lp_put16(is, field);
	lp_sum_update(tcp + LP_TCP_SUM,
	    lp_sum_replace(0, tcp + LP_TCP_WINDOW, is, sizeof(is)));
	memcpy(tcp + LP_TCP_WINDOW, is, sizeof(is));
}
