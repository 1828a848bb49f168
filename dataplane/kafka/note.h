/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Kafka stage tells a capture of a segment (pipeline/capture.h): of
 * each frame in it, what is known when the segment has been read; and which
 * bytes nobody must see, because they are tokens of SASL.
 *
 *	request Produce v9 correlation 7 client web-1 acks all topics orders
 *	records 1234
 *	response Produce v9 correlation 7 latency 1.234 ms throttle 0 ms
 *
 * The rule of what is hidden
 *
 * A connection is free of SASL for good once its first request, ApiVersions
 * aside, is another than SaslHandshake and SaslAuthenticate, and we have seen
 * it from its SYN on: a broker that wants SASL takes no other one.  Nothing of
 * it is hidden, unless it speaks of SASL after all.  Of any other connection
 *
 *	what was read in order is hidden exactly: the bodies of
 *	SaslAuthenticate and of its responses, and tokens without a header
 *	(SaslHandshake v0), from the first byte behind the fixed head;
 *
 *	what is sent again is hidden up to the end of the last such body;
 *
 *	of what cannot be told the whole payload is hidden: it lies behind a
 *	gap, its checksum is wrong, it is outside of the window, the streams
 *	are lost, nobody looks into it (any more), or a stage dropped it
 *	before it came here.
 *
 * TLS, and what never was Kafka, is shown.  A copy is made with its payload
 * hidden by that rule, and the stage shows what it has understood; so what is
 * forgotten is hidden.
 */
#ifndef LP_KAFKA_NOTE_H
#define LP_KAFKA_NOTE_H

#include "dataplane/kafka/kafka.h"

struct lp_batch;
struct lp_fact;

/* Whether a payload of it that was not read may be a token. */
static inline bool
lp_note_doubtful(const struct lp_kafka_conn *conn)
{
	if (conn->mode == LP_KAFKA_TLS ||
	    (conn->mode == LP_KAFKA_OPAQUE && !(conn->flags & LP_KAFKA_SPOKE)))
		return false;
	/* Nobody looks into it: auth is that of another one. */
	return conn->mode == LP_KAFKA_OFF || conn->auth != LP_AUTH_NONE;
}

/* Whether anybody wants to know; almost always nobody does. */
static inline bool
lp_note_wanted(const struct lp_kafka_at *at)
{
	return __builtin_expect(at->kafka->note.to != NULL, 0);
}

/*
 * With a capture in the batch, around all that reads the payload of a segment:
 * begin shows what is no secret so far, end hides what turned out to be one.
 */
void lp_note_begin(const struct lp_kafka_at *at, const struct lp_batch *batch,
    const struct lp_pkt *pkt, const struct lp_tcp_segment *segment);
void lp_note_end(const struct lp_kafka_at *at, enum lp_direction dir);

/* Wanted: nothing can be told of the payload at hand. */
void lp_note_unread(const struct lp_kafka_at *at);

/*
 * The head of a frame has ended in front of `next`.  This one whether it is
 * wanted or not: it remembers where a secret ends, for what is sent again.
 */
void lp_note_secret(
    const struct lp_kafka_at *at, enum lp_direction dir, const uint8_t *next);

/* Wanted: a frame begins; one of its facts; it has ended. */
void lp_note_frame(const struct lp_kafka_at *at, enum lp_direction dir);
void lp_note_fact(const struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message, const struct lp_fact *fact);
void lp_note_frame_end(const struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message);

#endif
