/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * A segment is judged twice.  First its numbers: do they lie where the two
 * ends can still accept them?  Four bounds, as seen from between the ends,
 * with S the sender and R the receiver of the segment:
 *
 *	I	seq + len <= limit(S)		not beyond R's window
 *	II	seq >= end(S) - maxwin(R)	not older than one window
 *	III	ack <= end(R)			of something that R has sent
 *	IV	ack >= end(R) - ackwin		not older than one window
 *
 * Then its flags move the state by the table below.  What fails the first
 * changes nothing: both ends know better than we do.
 *
 * RST closes only if it is exact (RFC 5961, 3.2): at what R acknowledged
 * last, or at what S has sent at the highest, since R's last ACK may not have
 * been sent yet.  Any other is for R to challenge.
 */
#include "dataplane/pipeline/tcp_state.h"

#include <stddef.h>

#include "dataplane/pipeline/wire.h"

/* What a segment is to the table. */
enum event {
	EVENT_SYN,
	EVENT_SYN_ACK,
	EVENT_ACK,
	EVENT_FIN,
	EVENT_FIN_ACKED, /* it acknowledges the other end's FIN, first time */
	EVENTS,
};

/* Bound IV where windows are small: that of a 64 kB window, and some. */
enum { ACK_WINDOW_MIN = 66000 };

/* A state in which that cannot happen, or changes nothing. */
#define STAY LP_TCP_STATES

/* clang-format off */
static const uint8_t transitions[LP_TCP_STATES][EVENTS][2] = {
	/*				by the client,		by the broker */
	[LP_TCP_CLOSED] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{STAY,			STAY},
		[EVENT_FIN_ACKED] =	{STAY,			STAY},
	},
	[LP_TCP_SYN_SENT] = {
		/* Sent again, or a simultaneous open. */
		[EVENT_SYN] =		{STAY,			LP_TCP_SIMSYN_SENT},
		[EVENT_SYN_ACK] =	{STAY,			LP_TCP_SYN_RECEIVED},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{STAY,			STAY},
		[EVENT_FIN_ACKED] =	{STAY,			STAY},
	},
	[LP_TCP_SIMSYN_SENT] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{LP_TCP_SYN_RECEIVED,	LP_TCP_SYN_RECEIVED},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{STAY,			STAY},
		[EVENT_FIN_ACKED] =	{STAY,			STAY},
	},
	[LP_TCP_SYN_RECEIVED] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{LP_TCP_ESTABLISHED,	STAY},
		[EVENT_ACK] =		{LP_TCP_ESTABLISHED,	STAY},
		[EVENT_FIN] =		{LP_TCP_FIN_SENT,	LP_TCP_FIN_RECEIVED},
		[EVENT_FIN_ACKED] =	{STAY,			STAY},
	},
	[LP_TCP_ESTABLISHED] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{LP_TCP_FIN_SENT,	LP_TCP_FIN_RECEIVED},
		[EVENT_FIN_ACKED] =	{STAY,			STAY},
	},
	[LP_TCP_FIN_SENT] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{STAY,			LP_TCP_CLOSING},
		[EVENT_FIN_ACKED] =	{STAY,			LP_TCP_CLOSE_WAIT},
	},
	[LP_TCP_FIN_RECEIVED] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{LP_TCP_CLOSING,	STAY},
		[EVENT_FIN_ACKED] =	{LP_TCP_FIN_WAIT,	STAY},
	},
	[LP_TCP_CLOSE_WAIT] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{STAY,			LP_TCP_LAST_ACK},
		[EVENT_FIN_ACKED] =	{STAY,			STAY},
	},
	[LP_TCP_FIN_WAIT] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{LP_TCP_LAST_ACK,	STAY},
		[EVENT_FIN_ACKED] =	{STAY,			STAY},
	},
	[LP_TCP_CLOSING] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{STAY,			STAY},
		[EVENT_FIN_ACKED] =	{LP_TCP_LAST_ACK,	LP_TCP_LAST_ACK},
	},
	[LP_TCP_LAST_ACK] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{STAY,			STAY},
		[EVENT_FIN_ACKED] =	{LP_TCP_TIME_WAIT,	LP_TCP_TIME_WAIT},
	},
	[LP_TCP_TIME_WAIT] = {
		[EVENT_SYN] =		{STAY,			STAY},
		[EVENT_SYN_ACK] =	{STAY,			STAY},
		[EVENT_ACK] =		{STAY,			STAY},
		[EVENT_FIN] =		{STAY,			STAY},
		[EVENT_FIN_ACKED] =	{STAY,			STAY},
	},
};
/* clang-format on */

static inline bool is_plain(const struct lp_tcp_track *, enum lp_direction,
    const struct lp_tcp_segment *);
static enum lp_tcp_verdict run_event(
    struct lp_tcp_track *, enum lp_direction, const struct lp_tcp_segment *);
static enum lp_tcp_verdict run_reset(
    struct lp_tcp_track *, enum lp_direction, const struct lp_tcp_segment *);
static bool acks_syn(const struct lp_tcp_peer *, uint32_t);
static bool begins_anew(const struct lp_tcp_track *, enum lp_direction,
    const struct lp_tcp_segment *);
static bool completes(const struct lp_tcp_track *, enum lp_direction,
    const struct lp_tcp_segment *);
static inline bool in_window(const struct lp_tcp_track *, enum lp_direction,
    const struct lp_tcp_segment *, uint32_t);
static void meet_broker(
    struct lp_tcp_track *, const struct lp_tcp_segment *, uint32_t);
static void learn_scale(
    struct lp_tcp_track *, enum lp_direction, const struct lp_tcp_segment *);
static inline void advance(struct lp_tcp_track *, enum lp_direction,
    const struct lp_tcp_segment *, uint32_t);
static void move(struct lp_tcp_track *, enum event, enum lp_direction);
static inline uint32_t window_of(const struct lp_tcp_peer *, uint16_t, uint8_t);
static inline uint32_t end_of(const struct lp_tcp_segment *);

bool
lp_tcp_state_half_open(uint8_t state)
{
	return state == LP_TCP_SYN_SENT || state == LP_TCP_SIMSYN_SENT ||
	    state == LP_TCP_SYN_RECEIVED;
}

const char *
lp_tcp_state_name(unsigned state)
{
	static const char *const names[LP_TCP_STATES] = {"CLOSED", "SYN-SENT",
	    "SIMSYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-SENT",
	    "FIN-RECEIVED", "CLOSE-WAIT", "FIN-WAIT", "CLOSING", "LAST-ACK",
	    "TIME-WAIT"};

	return state < LP_TCP_STATES ? names[state] : "?";
}

void
lp_tcp_state_open(struct lp_tcp_track *track, const struct lp_tcp_segment *syn)
{
	struct lp_tcp_peer *client = &track->peer[LP_TO_BROKER];

	assert((syn->flags & (LP_TCP_SYN | LP_TCP_ACK)) == LP_TCP_SYN);
	*track = (struct lp_tcp_track){.state = LP_TCP_SYN_SENT};
	client->flags = LP_PEER_SEEN;
	/* Data in a SYN need not be acknowledged with it (RFC 7413, 4.2). */
	client->end = syn->seq + 1;
	client->limit = end_of(syn);
	learn_scale(track, LP_TO_BROKER, syn);
}

void
lp_tcp_state_pick_up(struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment)
{
	const uint32_t widest = (uint32_t)UINT16_MAX << LP_TCP_SCALE_MAX;
	struct lp_tcp_peer *from = &track->peer[dir];
	struct lp_tcp_peer *to = &track->peer[!dir];
	bool ack = (segment->flags & LP_TCP_ACK) != 0;

	assert(!(segment->flags & LP_TCP_RST));
	*track = (struct lp_tcp_track){.state = LP_TCP_ESTABLISHED};
	if (segment->flags & LP_TCP_SYN)
		track->state = LP_TCP_SYN_RECEIVED;
	*from = *to = (struct lp_tcp_peer){.window = UINT16_MAX,
	    .scale = LP_TCP_SCALE_MAX,
	    .flags = LP_PEER_SEEN};
	from->end = end_of(segment);
	from->limit = from->end + widest;
	/* What the other end has sent is at least what is acknowledged. */
	to->end = segment->ack;
	to->limit = to->end + widest;
	if (!ack)
		return;
	from->ack = segment->ack;
	from->flags |= LP_PEER_ACKED;
}

enum lp_tcp_verdict
lp_tcp_state_run(struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment)
{
	uint32_t end = segment->seq + segment->len;

	if (!is_plain(track, dir, segment))
		return run_event(track, dir, segment);
	if (!in_window(track, dir, segment, end))
		return LP_TCP_OUT_OF_WINDOW;
	advance(track, dir, segment, end);
	return LP_TCP_OK;
}

/* Nearly all segments: the numbers move on, the state cannot. */
static inline bool
is_plain(const struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment)
{
	return track->state == LP_TCP_ESTABLISHED &&
	    !(segment->flags & (LP_TCP_SYN | LP_TCP_FIN | LP_TCP_RST)) &&
	    (track->peer[dir].flags & LP_PEER_SEEN) &&
	    !(track->peer[!dir].flags & LP_PEER_FIN);
}

/* Apart from the above, whose few registers it would spill. */
static __attribute__((noinline)) enum lp_tcp_verdict
run_event(struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment)
{
	struct lp_tcp_peer *to = &track->peer[!dir];
	bool syn = (segment->flags & LP_TCP_SYN) != 0;
	bool ack = (segment->flags & LP_TCP_ACK) != 0;
	uint32_t end = end_of(segment);

	if (segment->flags & LP_TCP_RST)
		return run_reset(track, dir, segment);
	if (track->state == LP_TCP_CLOSED)
		return LP_TCP_OUT_OF_WINDOW;
	if (syn && !ack && dir == LP_TO_BROKER &&
	    track->state == LP_TCP_SYN_SENT) {
		/* Sent again; another number if the client began anew. */
		lp_tcp_state_open(track, segment);
		return LP_TCP_OK;
	}
	if (syn && !lp_tcp_state_half_open(track->state))
		return LP_TCP_OUT_OF_WINDOW;
	/* The broker has its first number, and takes no other. */
	if (syn && dir == LP_TO_BROKER && track->state == LP_TCP_SYN_RECEIVED &&
	    segment->seq + 1 != track->peer[dir].end)
		return LP_TCP_OUT_OF_WINDOW;
	if (!(track->peer[dir].flags & LP_PEER_SEEN) ||
	    begins_anew(track, dir, segment)) {
		/* The first word of the broker is a SYN, or it is nothing. */
		if (!syn || (ack && !acks_syn(to, segment->ack)))
			return LP_TCP_OUT_OF_WINDOW;
		meet_broker(track, segment, end);
	} else if (!in_window(track, dir, segment, end) ||
	    !completes(track, dir, segment)) {
		return LP_TCP_OUT_OF_WINDOW;
	}
	advance(track, dir, segment, end);

	if (syn)
		move(track, ack ? EVENT_SYN_ACK : EVENT_SYN, dir);
	else if (segment->flags & LP_TCP_FIN)
		move(track, EVENT_FIN, dir);
	else
		move(track, EVENT_ACK, dir);
	if (segment->flags & LP_TCP_FIN)
		track->peer[dir].flags |= LP_PEER_FIN;
	if (ack &&
	    (to->flags & (LP_PEER_FIN | LP_PEER_FIN_ACKED)) == LP_PEER_FIN &&
	    segment->ack == to->end) {
		to->flags |= LP_PEER_FIN_ACKED;
		move(track, EVENT_FIN_ACKED, dir);
	}
	return LP_TCP_OK;
}

static enum lp_tcp_verdict
run_reset(struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment)
{
	const struct lp_tcp_peer *from = &track->peer[dir];
	const struct lp_tcp_peer *to = &track->peer[!dir];
	bool exact;

	if (!(from->flags & LP_PEER_SEEN)) {
		/* A refused SYN: RFC 9293, 3.10.7.3, the ACK must fit. */
		exact = (segment->flags & LP_TCP_ACK) != 0 &&
		    acks_syn(to, segment->ack);
	} else {
		exact = segment->seq == from->end ||
		    ((to->flags & LP_PEER_ACKED) && segment->seq == to->ack);
	}
	if (!exact)
		return LP_TCP_OUT_OF_WINDOW;
	track->state = LP_TCP_CLOSED;
	return LP_TCP_OK;
}

/* The client's SYN, with all, some or none of its data. */
static bool
acks_syn(const struct lp_tcp_peer *client, uint32_t ack)
{
	return !lp_seq_before(ack, client->end) &&
	    !lp_seq_before(client->limit, ack);
}

/*
 * The broker answers the SYN once more with another number: its first answer
 * was a SYN cookie and got lost, or it was started again in between.
 */
static bool
begins_anew(const struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment)
{
	const uint8_t both = LP_TCP_SYN | LP_TCP_ACK;

	return dir == LP_TO_CLIENT && track->state == LP_TCP_SYN_RECEIVED &&
	    (segment->flags & both) == both &&
	    segment->seq + 1 != track->peer[LP_TO_CLIENT].end &&
	    segment->ack == track->peer[LP_TO_BROKER].end;
}

/*
 * The ACK that completes a handshake proves that the client has seen the
 * broker's number: exactly that one, or a blind flood could establish what is
 * never evicted again.
 */
static bool
completes(const struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment)
{
	return track->state != LP_TCP_SYN_RECEIVED || dir != LP_TO_BROKER ||
	    !(segment->flags & LP_TCP_ACK) ||
	    segment->ack == track->peer[LP_TO_CLIENT].end;
}

/* The bounds I to IV. */
static inline bool
in_window(const struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment, uint32_t end)
{
	const struct lp_tcp_peer *from = &track->peer[dir];
	const struct lp_tcp_peer *to = &track->peer[!dir];
	uint32_t back = window_of(to, to->window, 0);
	uint32_t ack_back = window_of(from, from->window, 0);

	if (back == 0)
		back = 1; /* keep-alive, window probe */
	if (lp_seq_before(from->limit, end) ||
	    lp_seq_before(segment->seq, from->end - back - 1))
		return false;
	if (!(segment->flags & LP_TCP_ACK) || !(to->flags & LP_PEER_SEEN))
		return true;
	if (ack_back < ACK_WINDOW_MIN)
		ack_back = ACK_WINDOW_MIN;
	return !lp_seq_before(to->end, segment->ack) &&
	    !lp_seq_before(segment->ack, to->end - ack_back);
}

/* The first segment of the broker: from here on its numbers are known. */
static void
meet_broker(struct lp_tcp_track *track, const struct lp_tcp_segment *segment,
    uint32_t end)
{
	struct lp_tcp_peer *broker = &track->peer[LP_TO_CLIENT];
	struct lp_tcp_peer *client = &track->peer[LP_TO_BROKER];

	broker->flags |= LP_PEER_SEEN;
	broker->end = end;
	if (segment->flags & LP_TCP_ACK)
		client->end = lp_seq_max(client->end, segment->ack);
	learn_scale(track, LP_TO_CLIENT, segment);
	/* RFC 7323, 2.2: both, or none. */
	if ((client->flags & broker->flags & LP_PEER_SCALE) == 0) {
		client->scale = 0;
		broker->scale = 0;
	}
	broker->limit = end + window_of(client, client->window, LP_TCP_SYN);
}

/* The window of a SYN is never scaled: keep it as the field that would be. */
static void
learn_scale(struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *syn)
{
	struct lp_tcp_peer *peer = &track->peer[dir];

	peer->window = syn->window;
	if (syn->scale == LP_TCP_NO_SCALE)
		return;
	peer->flags |= LP_PEER_SCALE;
	peer->scale =
	    syn->scale > LP_TCP_SCALE_MAX ? LP_TCP_SCALE_MAX : syn->scale;
}

static inline void
advance(struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment, uint32_t end)
{
	struct lp_tcp_peer *from = &track->peer[dir];
	struct lp_tcp_peer *to = &track->peer[!dir];
	uint32_t window;

	from->end = lp_seq_max(from->end, end);
	if (!(segment->flags & LP_TCP_ACK))
		return;
	window = window_of(from, segment->window, segment->flags);
	if (window == 0)
		window = 1; /* a probe of one byte is always allowed */
	if (segment->window > from->window)
		from->window = segment->window;
	to->limit = lp_seq_max(to->limit, segment->ack + window);
	from->ack = from->flags & LP_PEER_ACKED
	    ? lp_seq_max(from->ack, segment->ack)
	    : segment->ack;
	from->flags |= LP_PEER_ACKED;
}

static void
move(struct lp_tcp_track *track, enum event event, enum lp_direction dir)
{
	uint8_t next = transitions[track->state][event][dir];

	if (next != STAY)
		track->state = next;
}

static inline uint32_t
window_of(const struct lp_tcp_peer *peer, uint16_t field, uint8_t flags)
{
	return (uint32_t)field << (flags & LP_TCP_SYN ? 0 : peer->scale);
}

static inline uint32_t
end_of(const struct lp_tcp_segment *segment)
{
	return segment->seq + segment->len +
	    ((segment->flags & LP_TCP_SYN) != 0) +
	    ((segment->flags & LP_TCP_FIN) != 0);
}
