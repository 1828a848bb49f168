/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's types, written one behind the other. */
#ifndef LP_TESTS_SUPPORT_TALK_WRITE_H
#define LP_TESTS_SUPPORT_TALK_WRITE_H

#include "tests/support/sim_tcp.h"

void talk_write_i8(struct sim_bytes *to, int8_t value);
void talk_write_i16(struct sim_bytes *to, int16_t value);
void talk_write_i32(struct sim_bytes *to, int32_t value);
void talk_write_i64(struct sim_bytes *to, int64_t value);

/* A string, nullable: compact if the message is flexible. */
void talk_write_text(
    struct sim_bytes *to, const char *text, bool null, bool flexible);
/* How many elements follow. */
void talk_write_count(struct sim_bytes *to, uint32_t count, bool flexible);
/* How many bytes follow. */
void talk_write_length(struct sim_bytes *to, uint32_t len, bool flexible);
/* No tagged fields: nothing at all unless flexible. */
void talk_write_tags(struct sim_bytes *to, bool flexible);

/* A frame: its place, and its length with the size field. */
size_t talk_write_begin(struct sim_bytes *to);
size_t talk_write_end(struct sim_bytes *to, size_t begin);

#endif
