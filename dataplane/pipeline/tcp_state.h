/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a TCP connection as seen from between its ends: a table of
 * transitions and a window check.  Pure: no time, no packet, no memory.
 *
 * Sources: RFC 9293 (states, 3.10.7.4 acceptability), RFC 5961 (exact RST),
 * RFC 7323 (window scaling); G. van Rooij, "Real Stateful TCP Packet
 * Filtering in IP Filter" (the four bounds of a middlebox).
 */
#ifndef LP_PIPELINE_TCP_STATE_H
#define LP_PIPELINE_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pipeline/batch.h"

enum lp_tcp_flags {
	LP_TCP_FIN = 0x01,
	LP_TCP_SYN = 0x02,
	LP_TCP_RST = 0x04,
	LP_TCP_PSH = 0x08,
	LP_TCP_ACK = 0x10,
	LP_TCP_URG = 0x20,
};

/* Of the connection as a whole; the client opened it. */
enum lp_tcp_state {
	LP_TCP_CLOSED = 0,
	LP_TCP_SYN_SENT, /* SYN seen from the client */
	LP_TCP_SIMSYN_SENT, /* SYN seen from both */
	LP_TCP_SYN_RECEIVED, /* SYN-ACK seen */
	LP_TCP_ESTABLISHED,
	LP_TCP_FIN_SENT, /* FIN from the client */
	LP_TCP_FIN_RECEIVED, /* FIN from the broker */
	LP_TCP_CLOSE_WAIT, /* the client's FIN is acknowledged */
	LP_TCP_FIN_WAIT, /* the broker's FIN is acknowledged */
	LP_TCP_CLOSING, /* FIN from both */
	LP_TCP_LAST_ACK, /* FIN from both, one acknowledged */
	LP_TCP_TIME_WAIT, /* FIN from both, both acknowledged */
	LP_TCP_STATES,
};

/* What one end has sent, in its own sequence numbers. */
struct lp_tcp_peer {
	uint32_t end; /* highest seq + length sent */
	uint32_t limit; /* highest end that the other end has allowed */
	uint32_t ack; /* highest acknowledgement number it sent */
	uint16_t window; /* largest window it advertised, unscaled field */
	uint8_t scale; /* RFC 7323 shift of its windows; 0 until known */
	uint8_t flags; /* enum lp_tcp_peer_flags */
};

enum lp_tcp_peer_flags {
	LP_PEER_SEEN = 1 << 0, /* has sent anything */
	LP_PEER_SCALE = 1 << 1, /* offered window scaling */
	LP_PEER_FIN = 1 << 2, /* its FIN was forwarded; end counts it */
	LP_PEER_FIN_ACKED = 1 << 3, /* and the other end acknowledged it */
	LP_PEER_ACKED = 1 << 4, /* ack is valid */
};

struct lp_tcp_track {
	struct lp_tcp_peer peer[2]; /* by the direction it sends in */
	uint8_t state; /* enum lp_tcp_state */
	uint8_t spare[3];
};
static_assert(sizeof(struct lp_tcp_track) == 36, "part of a cache line");

struct lp_tcp_segment {
	uint32_t seq;
	uint32_t ack;
	uint32_t len; /* of the payload, without SYN and FIN */
	uint16_t window;
	uint8_t flags;
	uint8_t scale; /* of a SYN's option; LP_TCP_NO_SCALE: none */
};
enum { LP_TCP_NO_SCALE = UINT8_MAX };

enum lp_tcp_verdict {
	LP_TCP_OK = 0, /* state moved on, or stayed, as it should */
	LP_TCP_OUT_OF_WINDOW, /* nothing changed; its end will judge it */
};

/* Serial number arithmetic, RFC 1982. */
static inline bool
lp_seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline uint32_t
lp_seq_max(uint32_t a, uint32_t b)
{
	return lp_seq_before(a, b) ? b : a;
}

/* Begins with the SYN of a client, LP_TO_BROKER. */
void lp_tcp_state_open(
    struct lp_tcp_track *track, const struct lp_tcp_segment *syn);

/*
 * Begins with any other segment but a RST, of a connection whose SYN was not
 * seen: how windows are scaled is not known, so its bounds are wide.
 */
void lp_tcp_state_pick_up(struct lp_tcp_track *track, enum lp_direction dir,
    const struct lp_tcp_segment *segment);

/*
 * Runs one segment that an end sent in that direction, and that is to be
 * transmitted.  Changes *track only with LP_TCP_OK.
 */
enum lp_tcp_verdict lp_tcp_state_run(struct lp_tcp_track *track,
    enum lp_direction dir, const struct lp_tcp_segment *segment);

/* Flags that may occur together (RFC 9293); SYN with FIN or RST may not. */
static inline bool
lp_tcp_flags_valid(uint8_t flags)
{
	uint8_t control = flags & (LP_TCP_SYN | LP_TCP_FIN | LP_TCP_RST);

	/* At most one of them, and without SYN and RST there is an ACK. */
	if (control & (uint8_t)(control - 1))
		return false;
	return (flags & (LP_TCP_SYN | LP_TCP_RST | LP_TCP_ACK)) != 0;
}

/* Not yet three segments of a handshake. */
bool lp_tcp_state_half_open(uint8_t state);

/* "ESTABLISHED", ... for index < LP_TCP_STATES. */
const char *lp_tcp_state_name(unsigned state);

#endif
