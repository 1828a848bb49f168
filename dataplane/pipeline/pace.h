/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An end of a connection is kept from sending by its receive window: that of
 * the acknowledgements to it is lowered in passing, as if the other end did
 * not read.  Nothing is lost by it, and no end has to know of it.
 *
 *	held	its window's right edge stays where it is, up to a time
 *	bound	it is never told of more than so many bytes at once
 *
 * A right edge that an end was told of is not taken back: what it may send by
 * then it sends.  So who is to be held, and was told of megabytes, is bound
 * from then on, too.
 *
 * When the time is over the end is told of its window by a segment of our own,
 * also if nobody else says anything (pace_send.h).
 *
 * An end is named by the direction that it sends in: LP_TO_BROKER is the
 * client.  All numbers are its own, where it is not told the other end's.
 *
 * One worker owns it.  Who is held and up to when lies in the region
 * (kafka/state.h); the timers are private, and made anew at start.
 */
#ifndef LP_PIPELINE_PACE_H
#define LP_PIPELINE_PACE_H

#include "dataplane/pipeline/region.h"
#include "dataplane/pipeline/wheel.h"

enum lp_pace_flags {
	LP_PACE_STAMPED = 1 << 0, /* its timestamps are known */
	/* It is being told that it may go on; again, by who takes over. */
	LP_PACE_TELLING = 1 << 1,
	/* From that bit on, unless 0: its window is the end of a message that
	 * it is widened for; without, it is 1 << that. */
	LP_PACE_NARROW = 1 << 3,
};

struct lp_pace_bound {
	uint32_t bytes; /* 0: as many as there is room for */
	uint32_t most; /* about, for one message (lp_pace_widen()) */
	uint32_t until_s; /* CLOCK_MONOTONIC: no wider one before */
	bool is_of_last; /* bytes are those that the last message asks for */
};

struct lp_pace {
	struct lp_region *region;
	struct lp_wheel wheel; /* milliseconds: connections that are held */
	uint32_t waiting; /* in it */
	uint64_t now_ms; /* of the last turn */
	/* Told in the last turn, 2 x connection + direction: it is over. */
	uint32_t told[LP_PACE_STEP];
	unsigned told_count;
};

/* Takes its memory. */
void lp_pace_carve(
    struct lp_pace *pace, struct lp_arena *arena, uint32_t connection_count);
/* Finds those that are held by a scan of the region. */
void lp_pace_init(
    struct lp_pace *pace, struct lp_region *region, uint64_t now_ns);
/* Before that: neither end of it is bound any more.  Who is held stays so. */
void lp_pace_unbind(struct lp_region *region, uint32_t index);

/*
 * The end that sends in that direction is told of no more window before that
 * time (CLOCK_MONOTONIC).  An earlier one than it has already changes nothing.
 *
 * For a packet at hand that holds before it leaves.  Nothing happens before
 * both ends have spoken, and to inline connections that are only followed, or
 * were not seen from their SYN on.
 */
void lp_pace_until(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint64_t until_ns);

/*
 * From now on it is never told of more than so many bytes at a time, at least
 * two of its segments, or it stalls.  It sends no more than that in a round
 * trip; 0: as many as the other end has room for.
 */
void lp_pace_bound(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint32_t bytes);

/*
 * The same, for one of those that bind it in turn.  A narrower bound holds at
 * once, a wider one not before the time that the last one was given.
 */
void lp_pace_bind(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, const struct lp_pace_bound *bound,
    uint32_t now_s);

/* Nothing binds it: it is not bound any more, if that time has come. */
void lp_pace_loosen(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint32_t now_s);

void lp_pace_widen_paced(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint32_t bytes, uint32_t end);

/* A message of so many more bytes, up to that one, has begun: who is bound may
 * send it, and no more behind it than before. */
static inline void
lp_pace_widen(struct lp_pace *pace, uint32_t index, enum lp_direction sender,
    uint32_t bytes, uint32_t end)
{
	if (pace->region->connections[index].paced & (1u << sender))
		lp_pace_widen_paced(pace, index, sender, bytes, end);
}

/* Neither held nor bound: it is told so in the next millisecond. */
void lp_pace_release(
    struct lp_pace *pace, uint32_t index, enum lp_direction sender);

/* Its window does not move. */
bool lp_pace_is_held(const struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint64_t now_ns);

/* That, or it was not told yet that it moves again. */
static inline bool
lp_pace_is_waiting(
    const struct lp_pace *pace, uint32_t index, enum lp_direction sender)
{
	return (pace->region->connections[index].paced & (1u << sender)) &&
	    pace->region->kafka.paces[index].sides[sender].until_ns != 0;
}

/*
 * A packet as it is about to leave, in the numbers of whom it goes to; `valid`:
 * it is in the window.  One that is made anew with its header keeps its window.
 */
void lp_pace_packet_paced(struct lp_pace *pace, struct lp_pkt *pkt, bool valid);

static inline void
lp_pace_packet(struct lp_pace *pace, const struct lp_conn *conn,
    struct lp_pkt *pkt, bool valid)
{
	if (__builtin_expect(conn->paced != 0, 0))
		lp_pace_packet_paced(pace, pkt, valid);
}

/*
 * The window field of an acknowledgement of our own to the end that sends in
 * that direction, which may be lower than that of the other end.
 */
uint16_t lp_pace_field_paced(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint32_t ack, uint16_t field);

static inline uint16_t
lp_pace_field(struct lp_pace *pace, uint32_t index, enum lp_direction sender,
    uint32_t ack, uint16_t field)
{
	if (pace->region->connections[index].paced & (1u << sender))
		return lp_pace_field_paced(pace, index, sender, ack, field);
	return field;
}

/* ---- for pace_send.c ----------------------------------------------------- */

/* The next connection one of whose ends may go on, or LP_CONN_NONE. */
uint32_t lp_pace_next(struct lp_pace *pace, uint64_t now_ns);

/*
 * The field by which that end is to be told that it may go on; false: there is
 * no need to.  Its time is over; once it was told all of it, it is free.
 */
bool lp_pace_resume(struct lp_pace *pace, uint32_t index,
    enum lp_direction sender, uint64_t now_ns, uint16_t *field);

/* It has not been told, for want of a buffer. */
void lp_pace_failed(
    struct lp_pace *pace, uint32_t index, enum lp_direction sender);

/*
 * The ends of that connection were looked at: what is left of it comes in its
 * time, or, `again`, in the next millisecond.
 */
void lp_pace_seen(
    struct lp_pace *pace, uint32_t index, uint64_t now_ns, bool again);

/* A new turn: those told in the last one have been. */
void lp_pace_turn(struct lp_pace *pace);

static inline struct lp_pace_side *
lp_pace_side(
    const struct lp_pace *pace, uint32_t index, enum lp_direction sender)
{
	return &pace->region->kafka.paces[index].sides[sender];
}

/* What it is bound to, whatever is sent; 0: it is not. */
static inline uint32_t
lp_pace_narrow(const struct lp_pace_side *side)
{
	uint8_t power = side->flags / LP_PACE_NARROW;

	return power == 0 || side->window == 0 ? side->window : 1u << power;
}

/* Milliseconds until one is due, at most so many. */
uint32_t lp_pace_wait_ms(
    const struct lp_pace *pace, uint64_t now_ns, uint32_t most);

#endif
