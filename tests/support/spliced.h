/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection whose answers are edited in passing: a client and a broker that
 * a test moves segment by segment.  Positions count from the first byte of a
 * stream: those of `bytes` are the broker's, those of `told` the client's.
 *
 * Every frame that leaves is looked at: none to the client has a broker's own
 * name in it; its bytes are those of `told`, or zeros where the client has them
 * already; nothing is acknowledged to the broker but what the client has, or
 * what is held of an answer whose beginning it has.
 */
#ifndef LP_TESTS_SUPPORT_SPLICED_H
#define LP_TESTS_SUPPORT_SPLICED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/kafka_talk.h"

enum {
	SPLICED_MAX = 1 << 16,
	SPLICED_EDITS_MAX = 64,
	SPLICED_FRAMES_MAX = 64,
	SPLICED_MSS = 1400,
};

/* Old bytes that are replaced by others. */
struct spliced_edit {
	uint32_t start, old_len; /* the broker's */
	uint32_t at, new_len; /* the client's */
};

struct spliced {
	uint8_t asked[SPLICED_MAX]; /* the client's stream */
	uint32_t asked_len; /* written */
	uint32_t asked_sent;
	uint32_t asked_got; /* by the broker, in order */
	uint8_t bytes[SPLICED_MAX];
	uint32_t len;
	uint32_t sent; /* by the broker, at the highest */
	uint8_t told[SPLICED_MAX];
	uint32_t told_len;
	bool has[SPLICED_MAX]; /* of told: the client */
	uint32_t got; /* by the client, in order */
	uint32_t end; /* what has left to the client, at the highest */
	uint32_t acked; /* by the client, of what has left */
	uint32_t broker_acked; /* what the broker was told of that */
	unsigned duplicates; /* pure ACKs that told it nothing more */
	uint32_t sack[2]; /* the first block of the last one; 0, 0: none */
	struct spliced_edit edits[SPLICED_EDITS_MAX];
	unsigned edit_count;
	/* Of each question and its answer: where they end. */
	uint32_t ends[SPLICED_FRAMES_MAX][2];
	unsigned frame_count;
	bool fin, reset; /* the client has got one */
	uint32_t fin_at;
	unsigned bare; /* segments to the client without anything */
	uint32_t bare_at; /* where the last of them began */
	unsigned segments; /* with payload, to the client */
	unsigned ahead; /* of them, before what is in front of it */
	unsigned zeros; /* of them, with nothing but zeros */
	bool lenient; /* what leaves need not be right */
	uint8_t tos; /* that all have that leave */
	uint8_t lost; /* 1: what leaves to the client is lost behind us */
};
extern struct spliced spliced;

/* A plane with the connection open; or another connection on that plane. */
void spliced_open(void);
void spliced_connect(void);
/* And one more, from another port of the client: `spliced` is the one that is
 * meant, with kafka_talk. */
void spliced_connect_more(uint16_t more);
/* Nothing of it may be left in the pools; ends the plane. */
void spliced_close(void);
void spliced_check_pools(void);

/*
 * A question is appended to what the client writes, and its answer to what the
 * broker does, with what is to become of it.
 */
void spliced_metadata(unsigned brokers);
void spliced_fetch(uint32_t records);
/* Bytes of an answer that are as they are, or replaced by as many. */
void spliced_append(const void *bytes, const void *told, size_t len);
void spliced_versions(void);

/* A segment of that end without a turn: flags as of packet.h. */
void spliced_queue(enum lp_direction dir, uint32_t seq, uint32_t ack,
    const char *flags, uint16_t window, const void *bytes, size_t len);
/* And a turn; what leaves is looked at. */
void spliced_run(void);

/* All that the client has written and not sent. */
void spliced_ask(void);
/* The broker's bytes at that position. */
void spliced_answer(uint32_t at, uint32_t len);
/* Where what the broker may say ends: it answers what it has read. */
uint32_t spliced_answered(void);
void spliced_answer_flags(uint32_t at, uint32_t len, const char *flags);
/* The client acknowledges what it has, or that position. */
void spliced_acknowledge(void);
void spliced_acknowledge_at(uint32_t at, uint16_t window);

/* Where a position of the broker's is for the client. */
uint32_t spliced_out(uint32_t at);

/*
 * The broker sends again what is not acknowledged, and the client acknowledges,
 * until both have all.
 */
void spliced_finish(void);

/* The client ends it: nothing of it may be left. */
void spliced_reset(void);

/* The connection's own; NULL: it is over. */
struct lp_conn *spliced_connection(void);
struct lp_splice *spliced_state(void);

#endif
