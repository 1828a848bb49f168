/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that are edited at equal length on the connection of kafka_talk: what
 * is sent, what has to leave, and what has left.
 */
#ifndef LP_TESTS_SUPPORT_EDITED_H
#define LP_TESTS_SUPPORT_EDITED_H

#include "tests/support/kafka_talk.h"

extern struct kafka_frame edited_sent, edited_wanted;
/* To either end, from the first byte of the frame on. */
extern uint8_t edited_left[KAFKA_FRAME_MAX];
extern size_t edited_left_len;

/*
 * The plane's configuration holds; all its listeners say that of what cannot be
 * judged (enum lp_unjudged).  Connections that are open have followed.
 */
void edited_publish(uint8_t unjudged);

/* What was appended to what is sent has to leave as it is. */
void edited_same(void);
/* Numbers, as they are sent, and as they have to leave. */
void edited_int16(int64_t as_sent, int64_t as_left);
void edited_int32(int64_t as_sent, int64_t as_left);
/* The index of a partition, with bit 30 if it is denied. */
void edited_index(int32_t index, bool denied);
void edited_end(void);

/* A text, a count of elements, no tagged fields: in the encoding of flexible
 * versions (KIP-482) or of the others. */
void edited_text(bool flexible, const char *text);
void edited_count(bool flexible, unsigned count);
void edited_tags(bool flexible);
/* What the last byte of a name becomes where it alone denies its topic. */
uint8_t edited_fake(char last);

/* Bytes of what is sent, from that place on, as a segment. */
void edited_send_part(enum lp_direction dir, size_t at, size_t len);
void edited_has_left(void);

/* So many of its parts, anywhere, again: each leaves as it has to. */
void edited_again(enum lp_direction dir, unsigned times);

/* The frame in two segments, or in one; the receiver acknowledges. */
void edited_pass_cut(enum lp_direction dir, size_t cut);
void edited_pass(enum lp_direction dir);

#endif
