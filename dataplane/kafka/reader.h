/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads values from the bytes at hand, for walk.c alone.  A value that is cut
 * off is kept in the walk, and goes on where it was when the same is read
 * again.
 *
 * Source: https://kafka.apache.org/protocol, "Protocol Primitive Types".
 */
#ifndef LP_KAFKA_READER_H
#define LP_KAFKA_READER_H

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "dataplane/kafka/tables.h"
#include "dataplane/kafka/walk.h"

/* GCC would not inline all of it, and then nothing stays in registers. */
#define LP_READER_INLINE inline __attribute__((always_inline))

/* Beside enum lp_walk_result: nothing to say, go on. */
enum { LP_READER_GO = LP_WALK_BAD + 1 };

/*
 * Lives in registers while the bytes last: its address is given to nothing
 * that is not inlined.
 */
struct lp_reader {
	const uint8_t *at;
	/*
	 * `limit` is the end of the bytes at hand, and of the frame at the
	 * latest; `stop` is the same, or `at` while the walk holds the
	 * beginning of a value, so that who looks there needs no look at the
	 * walk.
	 */
	const uint8_t *stop;
	const uint8_t *limit;
	uintptr_t
	    origin; /* where the frame's size would be, at this distance */
	uint32_t end; /* of the frame */
	uint16_t pc; /* the operation */
};

/* What take() and varint() do where the bytes do not suffice: they move *at. */
int lp_reader_gather(
    struct lp_walk *walk, const uint8_t **at, const uint8_t *limit, uint32_t n);
int lp_reader_long_varint(
    struct lp_walk *walk, const uint8_t **at, const uint8_t *limit);

/* Of the next byte, counted from the frame's size. */
static LP_READER_INLINE uint32_t
lp_reader_position(const struct lp_reader *reader)
{
	return (uint32_t)((uintptr_t)reader->at - reader->origin);
}

/* Where the value began of which the walk may have the first bytes. */
static LP_READER_INLINE uint32_t
lp_reader_begun(const struct lp_walk *walk, const struct lp_reader *reader)
{
	return lp_reader_position(reader) - walk->held - walk->shift / 7;
}

/* Bytes of the frame that were not read. */
static LP_READER_INLINE uint32_t
lp_reader_rest(const struct lp_reader *reader)
{
	return reader->end - lp_reader_position(reader);
}

/* n bytes in one piece, from the segment or put together. */
static LP_READER_INLINE int
lp_reader_take(struct lp_walk *walk, struct lp_reader *reader, uint32_t n,
    const uint8_t **bytes)
{
	const uint8_t *at = reader->at;
	int result;

	if (reader->stop - at >= n) {
		*bytes = at;
		reader->at = at + n;
		return LP_READER_GO;
	}
	if (n - walk->held > lp_reader_rest(reader))
		return LP_WALK_BAD;
	result = lp_reader_gather(walk, &at, reader->limit, n);
	reader->at = at;
	reader->stop = reader->limit;
	*bytes = walk->hold;
	return result;
}

/* Of 1, 2, 4 or 8 bytes. */
static LP_READER_INLINE int64_t
lp_reader_number(const uint8_t *bytes, unsigned width, bool is_unsigned)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (width) {
	case 1:
		return (int8_t)bytes[0];
	case 2:
		memcpy(&two, bytes, sizeof(two));
		two = be16toh(two);
		return is_unsigned ? two : (int16_t)two;
	case 4:
		memcpy(&four, bytes, sizeof(four));
		return (int32_t)be32toh(four);
	default:
		memcpy(&eight, bytes, sizeof(eight));
		return (int64_t)be64toh(eight);
	}
}

static LP_READER_INLINE int
lp_reader_varint(
    struct lp_walk *walk, struct lp_reader *reader, uint32_t *value)
{
	const uint8_t *at = reader->at;
	int result;

	if (at < reader->stop && *at < 0x80) {
		*value = *at;
		reader->at = at + 1;
		return LP_READER_GO;
	}
	result = lp_reader_long_varint(walk, &at, reader->limit);
	reader->at = at;
	reader->stop = reader->limit;
	if (result == LP_READER_GO) {
		*value = walk->varint;
		walk->varint = 0;
	} else if (result == LP_WALK_MORE && lp_reader_rest(reader) == 0) {
		return LP_WALK_BAD;
	}
	return result;
}

/* Bytes that nobody asks for, known to be in the frame. */
static LP_READER_INLINE int
lp_reader_pass(struct lp_walk *walk, struct lp_reader *reader, uint32_t count)
{
	size_t here = (size_t)(reader->limit - reader->at);

	if (here >= count) {
		reader->at += count;
		return LP_READER_GO;
	}
	walk->skip = count - (uint32_t)here;
	reader->at = reader->limit;
	return LP_WALK_MORE;
}

/*
 * A length or a count, however the operation has it written; -1: null.
 * Neither is larger than the rest of the frame: of what is counted each takes
 * a byte at least.
 */
static LP_READER_INLINE int
lp_reader_length(
    struct lp_walk *walk, struct lp_reader *reader, unsigned op, int64_t *len)
{
	const uint8_t *bytes;
	uint32_t four = 0;
	uint16_t two;
	int result;

	switch (op) {
	case LP_OP_STRING:
		if ((result = lp_reader_take(walk, reader, 2, &bytes)) !=
		    LP_READER_GO)
			return result;
		memcpy(&two, bytes, sizeof(two));
		*len = (int16_t)be16toh(two);
		break;
	case LP_OP_BYTES:
	case LP_OP_RECORDS:
	case LP_OP_ARRAY:
	case LP_OP_FIXED_ARRAY:
		if ((result = lp_reader_take(walk, reader, 4, &bytes)) !=
		    LP_READER_GO)
			return result;
		memcpy(&four, bytes, sizeof(four));
		*len = (int32_t)be32toh(four);
		break;
	case LP_OP_NULLABLE:
		if ((result = lp_reader_take(walk, reader, 1, &bytes)) !=
		    LP_READER_GO)
			return result;
		*len = (int8_t)bytes[0] < 0 ? -1 : 1;
		break;
	default:
		if ((result = lp_reader_varint(walk, reader, &four)) !=
		    LP_READER_GO)
			return result;
		*len = (int64_t)four - 1;
	}
	if (*len < -1 || *len > (int64_t)lp_reader_rest(reader))
		return LP_WALK_BAD;
	return LP_READER_GO;
}

#endif
