/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/tcp_state.h"

#include <check.h>
#include <stdlib.h>

enum {
	F = LP_TCP_FIN,
	S = LP_TCP_SYN,
	R = LP_TCP_RST,
	A = LP_TCP_ACK,
	C = LP_TO_BROKER, /* the client sends */
	B = LP_TO_CLIENT, /* the broker sends */
	OK = LP_TCP_OK,
	NO = LP_TCP_OUT_OF_WINDOW,
	X = LP_TCP_NO_SCALE,
	W = 8192, /* a window */
};

/* One segment a row; the first row opens. */
struct row {
	int from;
	int flags;
	uint32_t seq, ack;
	unsigned win, len, scale;
	int verdict;
	enum lp_tcp_state state; /* afterwards */
};

struct table {
	const char *name;
	uint32_t client, broker; /* added to the numbers of rows: the ISNs */
	struct row rows[16];
};

#define OPENING                                                                \
	{C, S, 0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},                            \
	    {B, S | A, 0, 1, W, 0, X, OK, LP_TCP_SYN_RECEIVED},                \
	{                                                                      \
		C, A, 1, 1, W, 0, X, OK, LP_TCP_ESTABLISHED                    \
	}

/* clang-format off */
static const struct table tables[] = {
	{"the client closes first", 1000, 5000, {
		OPENING,
		{C, A,	   1,	1,   W, 100, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1,	101, W, 500, X, OK, LP_TCP_ESTABLISHED},
		{C, F | A, 101, 501, W, 0,   X, OK, LP_TCP_FIN_SENT},
		{B, A,	   501, 102, W, 0,   X, OK, LP_TCP_CLOSE_WAIT},
		{B, F | A, 501, 102, W, 0,   X, OK, LP_TCP_LAST_ACK},
		{C, A,	   102, 502, W, 0,   X, OK, LP_TCP_TIME_WAIT},
	}},
	{"the broker closes first", 1000, 5000, {
		OPENING,
		{B, F | A, 1, 1, W, 0, X, OK, LP_TCP_FIN_RECEIVED},
		{C, A,	   1, 2, W, 0, X, OK, LP_TCP_FIN_WAIT},
		{C, F | A, 1, 2, W, 0, X, OK, LP_TCP_LAST_ACK},
		{B, A,	   2, 2, W, 0, X, OK, LP_TCP_TIME_WAIT},
	}},
	{"a FIN that acknowledges the other FIN", 1000, 5000, {
		OPENING,
		{C, F | A, 1, 1, W, 0, X, OK, LP_TCP_FIN_SENT},
		{B, F | A, 1, 2, W, 0, X, OK, LP_TCP_LAST_ACK},
		{C, A,	   2, 2, W, 0, X, OK, LP_TCP_TIME_WAIT},
	}},
	{"FIN exchange with retransmission", 1000, 5000, {
		OPENING,
		{C, F | A, 1, 1, W, 0, X, OK, LP_TCP_FIN_SENT},
		{C, F | A, 1, 1, W, 0, X, OK, LP_TCP_FIN_SENT},
		{B, A,	   1, 2, W, 0, X, OK, LP_TCP_CLOSE_WAIT},
		{C, F | A, 1, 1, W, 0, X, OK, LP_TCP_CLOSE_WAIT},
		{B, A,	   1, 2, W, 0, X, OK, LP_TCP_CLOSE_WAIT},
		{B, F | A, 1, 2, W, 0, X, OK, LP_TCP_LAST_ACK},
		{B, F | A, 1, 2, W, 0, X, OK, LP_TCP_LAST_ACK},
		{C, A,	   2, 2, W, 0, X, OK, LP_TCP_TIME_WAIT},
		{B, F | A, 1, 2, W, 0, X, OK, LP_TCP_TIME_WAIT},
		{C, A,	   2, 2, W, 0, X, OK, LP_TCP_TIME_WAIT},
	}},
	{"half-close: the broker goes on sending", 1000, 5000, {
		OPENING,
		{C, F | A, 1,	 1,    W, 0,	X, OK, LP_TCP_FIN_SENT},
		{B, A,	   1,	 2,    W, 1000, X, OK, LP_TCP_CLOSE_WAIT},
		{C, A,	   2,	 1001, W, 0,	X, OK, LP_TCP_CLOSE_WAIT},
		{B, A,	   1001, 2,    W, 1000, X, OK, LP_TCP_CLOSE_WAIT},
		{B, F | A, 2001, 2,    W, 0,	X, OK, LP_TCP_LAST_ACK},
		{C, A,	   2,	 2002, W, 0,	X, OK, LP_TCP_TIME_WAIT},
	}},
	{"simultaneous close", 1000, 5000, {
		OPENING,
		{C, F | A, 1, 1, W, 0, X, OK, LP_TCP_FIN_SENT},
		{B, F | A, 1, 1, W, 0, X, OK, LP_TCP_CLOSING},
		{B, A,	   2, 2, W, 0, X, OK, LP_TCP_LAST_ACK},
		{C, A,	   2, 2, W, 0, X, OK, LP_TCP_TIME_WAIT},
	}},
	{"simultaneous close, acknowledged the other way round", 1000, 5000, {
		OPENING,
		{B, F | A, 1, 1, W, 0, X, OK, LP_TCP_FIN_RECEIVED},
		{C, F | A, 1, 1, W, 0, X, OK, LP_TCP_CLOSING},
		{C, A,	   2, 2, W, 0, X, OK, LP_TCP_LAST_ACK},
		{B, A,	   2, 2, W, 0, X, OK, LP_TCP_TIME_WAIT},
	}},
	{"a SYN with another number than the broker has", 1000, 5000, {
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{C, S,	   (uint32_t)-500, 0, W, 0, X, NO, LP_TCP_SYN_RECEIVED},
		{C, S,	   1, 0, W, 0, X, NO, LP_TCP_SYN_RECEIVED},
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 1, W, 0, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"simultaneous open", 1000, 5000, {
		{C, S,	   0, 0, W, 0,	X, OK, LP_TCP_SYN_SENT},
		{B, S,	   0, 0, W, 0,	X, OK, LP_TCP_SIMSYN_SENT},
		{C, S | A, 0, 1, W, 0,	X, OK, LP_TCP_SYN_RECEIVED},
		{B, S | A, 0, 1, W, 0,	X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 1, W, 10, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1, 11, W, 0, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"simultaneous open, the broker's SYN-ACK first", 1000, 5000, {
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},
		{B, S,	   0, 0, W, 0, X, OK, LP_TCP_SIMSYN_SENT},
		{B, S | A, 0, 1, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{C, S | A, 0, 1, W, 0, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"SYN and SYN-ACK sent again", 1000, 5000, {
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{B, S | A, 0, 1, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 1, W, 0, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"a second SYN-ACK with another number: a SYN cookie got lost", 1000, 5000, {
		{C, S,	   0,	    0,	      W, 0,  X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0,	    1,	      W, 0,  X, OK, LP_TCP_SYN_RECEIVED},
		{C, S,	   0,	    0,	      W, 0,  X, OK, LP_TCP_SYN_RECEIVED},
		{B, S | A, 70000000, 1,	      W, 0,  X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1,	    1,	      W, 0,  X, NO, LP_TCP_SYN_RECEIVED},
		{C, A,	   1,	    70000001, W, 10, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   70000001, 11,      W, 10, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"a SYN-ACK that acknowledges nothing of ours does not begin anew", 1000, 5000, {
		{C, S,	   0,	    0,	      W, 0,  X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0,	    1,	      W, 0,  X, OK, LP_TCP_SYN_RECEIVED},
		{B, S | A, 70000000, 500,     W, 0,  X, NO, LP_TCP_SYN_RECEIVED},
		{C, A,	   1,	    1,	      W, 10, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"only the exact ACK completes a handshake", 1000, 5000, {
		{C, S,	   0, 0, W, 0,	X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, W, 0,	X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 0, W, 0,	X, NO, LP_TCP_SYN_RECEIVED},
		{C, F | A, 1, 0, W, 0,	X, NO, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 2, W, 0,	X, NO, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 1, W, 10, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"a SYN anew with another number", 1000, 5000, {
		{C, S,	   0,	    0,	      W, 0, X, OK, LP_TCP_SYN_SENT},
		{C, S,	   70000000, 0,	      W, 0, X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0,	    1,	      W, 0, X, NO, LP_TCP_SYN_SENT},
		{B, S | A, 0,	    70000001, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
	}},
	{"SYN in an established connection changes nothing", 1000, 5000, {
		OPENING,
		{C, S,	   9,  0, W, 0, X, NO, LP_TCP_ESTABLISHED},
		{B, S | A, 0,  1, W, 0, X, NO, LP_TCP_ESTABLISHED},
		{C, A,	   1,  1, W, 0, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"data in the SYN, acknowledged or not", 1000, 5000, {
		{C, S,	   0,	0,   W, 100, X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0,	102, W, 0,   X, NO, LP_TCP_SYN_SENT},
		{B, S | A, 0,	0,   W, 0,   X, NO, LP_TCP_SYN_SENT},
		{B, S | A, 0,	1,   W, 0,   X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1,	1,   W, 100, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1,	101, W, 0,   X, OK, LP_TCP_ESTABLISHED},
	}},
	{"data in the SYN, acknowledged with it", 1000, 5000, {
		{C, S,	   0,	0,   W, 100, X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0,	101, W, 0,   X, OK, LP_TCP_SYN_RECEIVED},
		{B, A,	   1,	101, W, 50,  X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   101, 51,  W, 0,   X, OK, LP_TCP_ESTABLISHED},
	}},
	{"what is no answer to a SYN is none", 1000, 5000, {
		{C, S,	   0, 0, W, 0,	X, OK, LP_TCP_SYN_SENT},
		{B, A,	   0, 1, W, 0,	X, NO, LP_TCP_SYN_SENT},
		{B, A,	   0, 9, W, 10, X, NO, LP_TCP_SYN_SENT},
		{B, F | A, 0, 1, W, 0,	X, NO, LP_TCP_SYN_SENT},
		{B, S | A, 0, 2, W, 0,	X, NO, LP_TCP_SYN_SENT},
		{C, A,	   1, 1, W, 10, X, NO, LP_TCP_SYN_SENT},
	}},
	{"a SYN refused", 1000, 5000, {
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},
		{B, R,	   1, 0, W, 0, X, NO, LP_TCP_SYN_SENT},
		{B, R | A, 0, 9, W, 0, X, NO, LP_TCP_SYN_SENT},
		{B, R | A, 0, 1, W, 0, X, OK, LP_TCP_CLOSED},
	}},
	{"out of order and retransmission", 1000, 5000, {
		OPENING,
		{C, A, 1001, 1,	   W, 1000, X, OK, LP_TCP_ESTABLISHED},
		{C, A, 2001, 1,	   W, 1000, X, OK, LP_TCP_ESTABLISHED},
		{B, A, 1,    1,	   W, 0,    X, OK, LP_TCP_ESTABLISHED},
		{C, A, 1,    1,	   W, 1000, X, OK, LP_TCP_ESTABLISHED},
		{B, A, 1,    3001, W, 0,    X, OK, LP_TCP_ESTABLISHED},
		{C, A, 1,    1,	   W, 1000, X, OK, LP_TCP_ESTABLISHED},
		{B, A, 1,    2001, W, 0,    X, OK, LP_TCP_ESTABLISHED},
	}},
	{"FIN ahead of its data", 1000, 5000, {
		OPENING,
		{C, F | A, 101, 1,   W, 0,   X, OK, LP_TCP_FIN_SENT},
		{B, A,	   1,	1,   W, 0,   X, OK, LP_TCP_FIN_SENT},
		{C, A,	   1,	1,   W, 100, X, OK, LP_TCP_FIN_SENT},
		{B, A,	   1,	102, W, 0,   X, OK, LP_TCP_CLOSE_WAIT},
	}},
	{"the edges of the window", 1000, 5000, {
		OPENING,
		{C, A, 1,     1,   W, W,     X, OK, LP_TCP_ESTABLISHED},
		{C, A, W + 1, 1,   W, 1,     X, NO, LP_TCP_ESTABLISHED},
		{B, A, 1,     W + 1, W, 0,   X, OK, LP_TCP_ESTABLISHED},
		{C, A, W + 1, 1,   W, W,     X, OK, LP_TCP_ESTABLISHED},
		{C, A, W + 1, 1,   W, W + 1, X, NO, LP_TCP_ESTABLISHED},
		/* Older than a window, and one. */
		{C, A, W,     1,   W, 0,     X, OK, LP_TCP_ESTABLISHED},
		{C, A, W - 1, 1,   W, 0,     X, NO, LP_TCP_ESTABLISHED},
	}},
	{"a window that shrinks takes nothing back", 1000, 5000, {
		OPENING,
		{B, A, 1, 1, 100, 0, X, OK, LP_TCP_ESTABLISHED},
		{C, A, 1, 1, W,	  W, X, OK, LP_TCP_ESTABLISHED},
	}},
	{"acknowledgements of what was sent, and not long ago", 1000, 500000, {
		OPENING,
		{C, A, 1, 2,	  W,	 0,    X, NO, LP_TCP_ESTABLISHED},
		{B, A, 1, 1,	  W,	 W,    X, OK, LP_TCP_ESTABLISHED},
		{C, A, 1, W + 1,  W,	 0,    X, OK, LP_TCP_ESTABLISHED},
		{C, A, 1, W + 2,  W,	 0,    X, NO, LP_TCP_ESTABLISHED},
		{C, A, 1, W + 1 - 66000u, W, 0, X, OK, LP_TCP_ESTABLISHED},
		{C, A, 1, W - 66000u,	 W, 0, X, NO, LP_TCP_ESTABLISHED},
	}},
	{"keep-alive with no byte and with one", 1000, 5000, {
		OPENING,
		{C, A, 1,   1,	W, 100, X, OK, LP_TCP_ESTABLISHED},
		{B, A, 1, 101,	W, 0,	X, OK, LP_TCP_ESTABLISHED},
		{C, A, 100, 1,	W, 0,	X, OK, LP_TCP_ESTABLISHED},
		{B, A, 1, 101,	W, 0,	X, OK, LP_TCP_ESTABLISHED},
		{C, A, 100, 1,	W, 1,	X, OK, LP_TCP_ESTABLISHED},
		{B, A, 0, 101,	W, 0,	X, OK, LP_TCP_ESTABLISHED},
		{C, A, 101, 1,	W, 0,	X, OK, LP_TCP_ESTABLISHED},
	}},
	{"a zero window is probed by one byte", 1000, 5000, {
		OPENING,
		{C, A, 1, 1,		W, W,	X, OK, LP_TCP_ESTABLISHED},
		{B, A, 1, W + 1,	0, 0,	X, OK, LP_TCP_ESTABLISHED},
		{C, A, W + 1, 1,	W, 1,	X, OK, LP_TCP_ESTABLISHED},
		{C, A, W + 1, 1,	W, 2,	X, NO, LP_TCP_ESTABLISHED},
		{B, A, 1, W + 1,	0, 0,	X, OK, LP_TCP_ESTABLISHED},
		{C, A, W, 1,		W, 0,	X, OK, LP_TCP_ESTABLISHED},
		{B, A, 1, W + 1,	W, 0,	X, OK, LP_TCP_ESTABLISHED},
		{C, A, W + 1, 1,	W, W,	X, OK, LP_TCP_ESTABLISHED},
	}},
	{"a window of zero from the beginning", 1000, 5000, {
		{C, S,	   0, 0, 0, 0, X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, 0, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 1, 0, 0, X, OK, LP_TCP_ESTABLISHED},
		{C, A,	   1, 1, 0, 1, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1, 1, 0, 1, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   0, 1, 0, 0, X, OK, LP_TCP_ESTABLISHED},
		{C, F | A, 1, 1, 0, 0, X, OK, LP_TCP_FIN_SENT},
	}},
	{"windows are scaled when both offer it", 1000, 5000, {
		{C, S,	   0, 0, W,   0, 7, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, W,   0, 2, OK, LP_TCP_SYN_RECEIVED},
		/* The window of a SYN is never scaled. */
		{C, A,	   1, 1, W, W + 1, X, NO, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 1, 100, 0, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1, 1, W, 12800, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1, 1, W, 12801, X, NO, LP_TCP_ESTABLISHED},
		{C, A,	   1, 1, 100, 4 * W, X, OK, LP_TCP_ESTABLISHED},
		{C, A,	   1, 1, 100, 4 * W + 1, X, NO, LP_TCP_ESTABLISHED},
	}},
	{"windows are not scaled when one does not", 1000, 5000, {
		{C, S,	   0, 0, W, 0,	   7, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, W, 0,	   X, OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 1, 100, 0,   X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1, 1, 100, W,   X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1, 1, 100, W + 1, X, NO, LP_TCP_ESTABLISHED},
	}},
	{"a shift beyond 14 is 14", 1000, 5000, {
		{C, S,	   0, 0, W, 0, 255 - 1, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, W, 0, 200,	OK, LP_TCP_SYN_RECEIVED},
		{C, A,	   1, 1, 1, 0, X,	OK, LP_TCP_ESTABLISHED},
		{B, A,	   1, 1, 1, 16384, X,	OK, LP_TCP_ESTABLISHED},
		{B, A,	   1, 1, 1, 16385, X,	NO, LP_TCP_ESTABLISHED},
	}},
	{"sequence numbers wrap", UINT32_MAX - 50, UINT32_MAX, {
		OPENING,
		{C, A,	   1,	1,    W, 100, X, OK, LP_TCP_ESTABLISHED},
		{B, A,	   1,	101,  W, 100, X, OK, LP_TCP_ESTABLISHED},
		{C, A,	   1,	1,    W, 100, X, OK, LP_TCP_ESTABLISHED},
		{C, A,	   101, 101,  W, W + 1, X, NO, LP_TCP_ESTABLISHED},
		{C, F | A, 101, 101,  W, 0,   X, OK, LP_TCP_FIN_SENT},
		{B, F | A, 101, 102,  W, 0,   X, OK, LP_TCP_LAST_ACK},
		{C, A,	   102, 102,  W, 0,   X, OK, LP_TCP_TIME_WAIT},
	}},
	{"RST at what the receiver acknowledged", 1000, 5000, {
		OPENING,
		{C, A, 1,   1, W, 100, X, OK, LP_TCP_ESTABLISHED},
		{B, A, 1,  51, W, 0,   X, OK, LP_TCP_ESTABLISHED},
		{C, R, 50,  0, 0, 0,   X, NO, LP_TCP_ESTABLISHED},
		{C, R, 52,  0, 0, 0,   X, NO, LP_TCP_ESTABLISHED},
		{C, R, 102, 0, 0, 0,   X, NO, LP_TCP_ESTABLISHED},
		{C, R, 51,  0, 0, 0,   X, OK, LP_TCP_CLOSED},
	}},
	{"RST at the highest sent", 1000, 5000, {
		OPENING,
		{B, A,	   1,	1, W, 100, X, OK, LP_TCP_ESTABLISHED},
		{B, R | A, 102, 1, W, 0,   X, NO, LP_TCP_ESTABLISHED},
		{B, R | A, 101, 1, W, 0,   X, OK, LP_TCP_CLOSED},
		{B, R | A, 101, 1, W, 0,   X, OK, LP_TCP_CLOSED},
		{C, A,	   1,	1, W, 0,   X, NO, LP_TCP_CLOSED},
		{C, S,	   1,	1, W, 0,   X, NO, LP_TCP_CLOSED},
	}},
	{"the client gives up its SYN", 1000, 5000, {
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},
		{C, R,	   9, 0, W, 0, X, NO, LP_TCP_SYN_SENT},
		{C, R,	   1, 0, W, 0, X, OK, LP_TCP_CLOSED},
	}},
	{"RST while half-open", 1000, 5000, {
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{C, R,	   1, 0, W, 0, X, OK, LP_TCP_CLOSED},
	}},
	{"FIN before the handshake is over", 1000, 5000, {
		{C, S,	   0, 0, W, 0, X, OK, LP_TCP_SYN_SENT},
		{B, S | A, 0, 1, W, 0, X, OK, LP_TCP_SYN_RECEIVED},
		{C, F | A, 1, 1, W, 0, X, OK, LP_TCP_FIN_SENT},
		{B, A,	   1, 2, W, 0, X, OK, LP_TCP_CLOSE_WAIT},
	}},
};
/* clang-format on */

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static void
run_row(struct lp_tcp_track *track, const struct table *table, unsigned i,
    uint32_t shift)
{
	const struct row *row = &table->rows[i];
	uint32_t own = row->from == C ? table->client : table->broker;
	uint32_t other = row->from == C ? table->broker : table->client;
	struct lp_tcp_segment segment = {.seq = row->seq + own + shift,
	    .ack = row->ack + other + shift,
	    .len = row->len,
	    .window = (uint16_t)row->win,
	    .flags = (uint8_t)row->flags,
	    .scale = (uint8_t)row->scale};
	struct lp_tcp_track before = *track;
	int verdict = LP_TCP_OK;

	if (i == 0)
		lp_tcp_state_open(track, &segment);
	else
		verdict = lp_tcp_state_run(track, row->from, &segment);
	ck_assert_msg(verdict == row->verdict, "%s, row %u, shift %#x: %s",
	    table->name, i, shift, verdict ? "refused" : "accepted");
	ck_assert_msg(track->state == row->state, "%s, row %u: %s, not %s",
	    table->name, i, lp_tcp_state_name(track->state),
	    lp_tcp_state_name(row->state));
	if (verdict != LP_TCP_OK)
		ck_assert_mem_eq(track, &before, sizeof(before));
}

START_TEST(a_table_of_segments_leads_through_these_states)
{
	/* The same with numbers anywhere in their circle. */
	static const uint32_t shifts[] = {
	    0, 0x7fffe000, 0x80000000, 0xfffff000, 0xfffffffe};
	const struct table *table = &tables[_i];

	for (unsigned s = 0; s < sizeof(shifts) / sizeof(shifts[0]); s++) {
		struct lp_tcp_track track;

		for (unsigned i = 0; i < 16 && table->rows[i].flags; i++)
			run_row(&track, table, i, shifts[s]);
	}
}
END_TEST

START_TEST(only_one_of_syn_fin_and_rst_and_an_ack_without_them)
{
	for (unsigned flags = 0; flags < 256; flags++) {
		unsigned control = ((flags & S) != 0) + ((flags & F) != 0) +
		    ((flags & R) != 0);
		bool valid =
		    control <= 1 && ((flags & A) || (flags & S) || (flags & R));

		ck_assert_msg(lp_tcp_flags_valid((uint8_t)flags) == valid,
		    "flags %#x", flags);
	}
}
END_TEST

START_TEST(states_have_names_and_three_are_half_open)
{
	unsigned half_open = 0;

	for (unsigned i = 0; i < LP_TCP_STATES; i++) {
		ck_assert_uint_gt(strlen(lp_tcp_state_name(i)), 3);
		half_open += lp_tcp_state_half_open((uint8_t)i);
	}
	ck_assert_uint_eq(half_open, 3);
	ck_assert_str_eq(lp_tcp_state_name(LP_TCP_STATES), "?");
}
END_TEST

START_TEST(numbers_are_compared_in_their_circle)
{
	ck_assert(lp_seq_before(1, 2));
	ck_assert(!lp_seq_before(2, 2));
	ck_assert(!lp_seq_before(3, 2));
	ck_assert(lp_seq_before(UINT32_MAX, 0));
	ck_assert(lp_seq_before(0xfffffff0, 0x10));
	ck_assert_uint_eq(lp_seq_max(0xfffffff0, 0x10), 0x10);
	ck_assert_uint_eq(lp_seq_max(5, 4), 5);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tcp_state");
	TCase *tests = tcase_create("tcp_state");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(
	    tests, a_table_of_segments_leads_through_these_states, 0, TABLES);
	tcase_add_test(
	    tests, only_one_of_syn_fin_and_rst_and_an_ack_without_them);
	tcase_add_test(tests, states_have_names_and_three_are_half_open);
	tcase_add_test(tests, numbers_are_compared_in_their_circle);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
