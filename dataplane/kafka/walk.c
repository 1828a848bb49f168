/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker.
 *
 * Overview
 *
 * An interpreter of the bodies in tables.c.  A call goes on until there is a
 * fact to tell, or the bytes at hand are used up.  What is read while the
 * bytes last stands in struct lp_reader, in registers; struct lp_walk is
 * written once, on the way out.
 *
 * Resuming
 *
 * An operation that lacks bytes leaves what it has (in `hold`, or the bits of
 * a varint) and is begun again when there are more: it finds what it had.  A
 * text whose length has been read, and tagged fields, are phases of their own.
 *
 * Limits
 *
 * The bytes at hand end where the frame ends, at the latest.  A length, a
 * count, a size of a tag that leads beyond the frame is wrong at once; an
 * element of an array takes a byte at least (program.py), a tag two.  So the
 * work is bounded by the bytes, and the levels by the tables.
 */
#include "dataplane/kafka/walk.h"

#include <assert.h>
#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "dataplane/kafka/bodies.h"
#include "dataplane/kafka/reader.h"
#include "dataplane/kafka/tables.h"

enum {
	REQUEST_FIXED = 12, /* size, api_key, api_version, correlation_id */
	RESPONSE_FIXED = 8, /* size, correlation_id */
	SIZE_LEN = 4, /* of a frame's size, which does not count itself */
	/* Of an operation and its operands. */
	KIND_OP_LEN = 2,
	NUMBER_OP_LEN = 3,
	ARRAY_OP_LEN = 4,
	BODY_LEN = 2, /* of its number */
	UNSUPPORTED_VERSION = 35, /* the error code */
	THROTTLE_CUT = 3, /* bytes of a throttle time that are told */
};

enum phase {
	PHASE_CODE = 0, /* the operation at pc */
	PHASE_TEXT, /* its length is known: text_len */
	PHASE_TAG, /* the next tag's number */
	PHASE_TAG_SIZE, /* and its size */
	PHASE_DONE,
	PHASE_BAD,
};

static LP_READER_INLINE int step(
    struct lp_walk *, struct lp_reader *, struct lp_fact *);

bool
lp_walk_knows(int16_t key, int16_t version)
{
	return lp_bodies_find(key, version, 0) != 0;
}

bool
lp_walk_knows_key(int16_t key)
{
	return lp_bodies_key(key) != NULL;
}

uint32_t
lp_walk_tables(void)
{
	return lp_tables_digest;
}

static void
begin(struct lp_walk *walk, uint16_t body, uint32_t at, uint32_t size)
{
	assert(body != 0);
	assert(size <= INT32_MAX && size + SIZE_LEN >= at);
	memset(walk, 0, offsetof(struct lp_walk, levels));
	walk->at = at;
	walk->end = size + SIZE_LEN;
	walk->pc = body;
}

void
lp_walk_request(
    struct lp_walk *walk, int16_t key, int16_t version, uint32_t size)
{
	begin(walk, lp_bodies_find(key, version, 0), REQUEST_FIXED, size);
}

void
lp_walk_response(
    struct lp_walk *walk, int16_t key, int16_t version, uint32_t size)
{
	begin(walk, lp_bodies_find(key, version, 1), RESPONSE_FIXED, size);
}

enum lp_walk_result
lp_walk_next(struct lp_walk *walk, struct lp_cursor *in, struct lp_fact *fact)
{
	uint32_t left = walk->end - walk->at;
	size_t len = (size_t)(in->end - in->at);
	const uint8_t *limit = len > left ? in->at + left : in->end;
	struct lp_reader reader = {
	    .at = in->at,
	    .stop = walk->held > 0 || walk->shift > 0 ? in->at : limit,
	    .limit = limit,
	    .origin = (uintptr_t)in->at - walk->at,
	    .end = walk->end,
	    .pc = walk->pc,
	};
	int result = LP_READER_GO;

	if (walk->skip > 0) {
		uint32_t here = (uint32_t)(limit - reader.at);
		uint32_t skip = walk->skip < here ? walk->skip : here;

		if (walk->skip > left)
			result = LP_WALK_BAD;
		else if (walk->skip > here)
			result = LP_WALK_MORE;
		reader.at += skip;
		walk->skip -= skip;
	}
	while (result == LP_READER_GO)
		result = step(walk, &reader, fact);
	walk->at = lp_reader_position(&reader);
	walk->pc = reader.pc;
	in->at = reader.at;
	if (result == LP_WALK_BAD)
		walk->phase = PHASE_BAD;
	return (enum lp_walk_result)result;
}

uint32_t
lp_walk_skip(struct lp_walk *walk)
{
	uint32_t left = walk->end - walk->at;
	uint32_t skip = walk->skip < left ? walk->skip : left;

	if (walk->phase == PHASE_BAD)
		skip = left;
	walk->at += skip;
	walk->skip = 0;
	return skip;
}

static LP_READER_INLINE int
tell(struct lp_fact *fact, unsigned kind, uint32_t at)
{
	fact->kind = (uint8_t)kind;
	fact->null = false;
	fact->width = 0;
	fact->at = at;
	fact->value = 0;
	fact->bytes = NULL;
	fact->len = 0;
	fact->full_len = 0;
	return LP_WALK_FACT;
}

/*
 * One that was read from `start` to `end`.  Rare, and not inlined: that would
 * cost what is frequent a register.
 */
static __attribute__((noinline, cold)) int
tell_number(struct lp_fact *fact, unsigned kind, uint32_t start, uint32_t end,
    int64_t value)
{
	tell(fact, kind, start);
	fact->width = (uint8_t)(end - start);
	fact->value = value;
	return LP_WALK_FACT;
}

static LP_READER_INLINE int
skip(struct lp_walk *walk, struct lp_reader *reader)
{
	uint32_t count = lp_tables_code[reader->pc + 1];

	if (count > lp_reader_rest(reader))
		return LP_WALK_BAD;
	reader->pc += KIND_OP_LEN;
	return lp_reader_pass(walk, reader, count);
}

/* Of a number that the bytes at hand end in; `begins`: and begin it. */
static __attribute__((noinline, cold)) int
cut(const struct lp_walk *walk, uint32_t end, unsigned kind, bool begins,
    struct lp_fact *fact)
{
	const uint8_t *hold = walk->hold;
	uint32_t start = end - walk->held;

	if (kind == LP_FACT_THROTTLE_TIME && walk->held == THROTTLE_CUT)
		return tell_number(fact, LP_FACT_THROTTLE_CUT, start, end,
		    hold[0] << 16 | hold[1] << 8 | hold[2]);
	if (kind == LP_FACT_PARTITION)
		kind = LP_FACT_PARTITION_CUT;
	else if (kind == LP_FACT_ERROR_CODE)
		kind = LP_FACT_ERROR_CUT;
	else if (kind == LP_FACT_TIMEOUT || kind == LP_FACT_MEMBER_EPOCH)
		kind = LP_FACT_NUMBER_CUT;
	else
		return LP_WALK_MORE;
	return begins ? tell_number(fact, kind, start, end, *hold)
		      : LP_WALK_MORE;
}

static LP_READER_INLINE int
number(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact,
    unsigned op)
{
	unsigned width = op == LP_OP_NUMBER1 ? 1
	    : op == LP_OP_NUMBER4            ? 4
	    : op == LP_OP_NUMBER8            ? 8
					     : 2;
	const uint8_t *bytes, *was = reader->at;
	/* Nothing of it is held yet, and a byte of it is here. */
	bool begins = was < reader->stop;
	int result = lp_reader_take(walk, reader, width, &bytes);

	if (result == LP_WALK_MORE && reader->at != was)
		return cut(walk, lp_reader_position(reader),
		    lp_tables_code[reader->pc + 1], begins, fact);
	if (result != LP_READER_GO)
		return result;
	tell(fact, lp_tables_code[reader->pc + 1],
	    lp_reader_position(reader) - width);
	fact->width = (uint8_t)width;
	walk->skip = lp_tables_code[reader->pc + 2];
	reader->pc += NUMBER_OP_LEN;
	fact->value = lp_reader_number(bytes, width, op == LP_OP_NUMBER2U);
	return LP_WALK_FACT;
}

/* The text whose length is known, up to what is told of it. */
static LP_READER_INLINE int
text(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact)
{
	uint32_t len = walk->text_len;
	const uint8_t *bytes;
	int result;

	if (len > LP_FACT_TEXT_MAX)
		len = LP_FACT_TEXT_MAX;
	if ((result = lp_reader_take(walk, reader, len, &bytes)) !=
	    LP_READER_GO) {
		walk->phase = PHASE_TEXT;
		return result;
	}
	walk->phase = PHASE_CODE;
	tell(fact, lp_tables_code[reader->pc + 1],
	    lp_reader_position(reader) - len);
	fact->bytes = bytes;
	fact->len = (uint16_t)len;
	fact->full_len = walk->text_len;
	walk->skip = walk->text_len - len;
	reader->pc += KIND_OP_LEN;
	return LP_WALK_FACT;
}

static LP_READER_INLINE int
string(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact,
    unsigned op)
{
	unsigned kind = lp_tables_code[reader->pc + 1];
	int64_t len;
	int result = lp_reader_length(walk, reader, op, &len);

	if (result != LP_READER_GO)
		return result;
	if (len >= 0 && kind != LP_FACT_NONE) {
		walk->text_len = (uint32_t)len;
		return text(walk, reader, fact);
	}
	reader->pc += KIND_OP_LEN;
	if (len >= 0)
		return lp_reader_pass(walk, reader, (uint32_t)len);
	if (kind == LP_FACT_NONE)
		return LP_READER_GO;
	tell(fact, kind, lp_reader_position(reader));
	fact->null = true;
	return LP_WALK_FACT;
}

static LP_READER_INLINE int
uuid(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact)
{
	walk->text_len = 16;
	return text(walk, reader, fact);
}

static LP_READER_INLINE int
records(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact,
    unsigned op)
{
	int64_t len;
	int result = lp_reader_length(walk, reader, op, &len);

	if (result != LP_READER_GO)
		return result;
	tell(fact, lp_tables_code[reader->pc + 1], lp_reader_position(reader));
	fact->value = len;
	fact->null = len < 0;
	walk->skip = len < 0 ? 0 : (uint32_t)len;
	reader->pc += KIND_OP_LEN;
	return LP_WALK_FACT;
}

static LP_READER_INLINE struct lp_walk_level *
push(struct lp_walk *walk, uint32_t left, uint16_t pc, uint16_t body)
{
	struct lp_walk_level *level = &walk->levels[walk->depth];

	assert(walk->depth < LP_WALK_DEPTH);
	*level = (struct lp_walk_level){.left = left, .pc = pc, .body = body};
	walk->depth++;
	return level;
}

static LP_READER_INLINE int
array(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact,
    unsigned op)
{
	unsigned kind = lp_tables_code[reader->pc + 1];
	uint16_t body = lp_bodies_at(reader->pc + 2);
	uint32_t start =
	    kind == LP_FACT_ENDPOINTS ? lp_reader_begun(walk, reader) : 0;
	int64_t count;
	int result = lp_reader_length(walk, reader, op, &count);

	if (result != LP_READER_GO)
		return result;
	reader->pc += ARRAY_OP_LEN;
	if (count > 0) {
		push(walk, (uint32_t)count, reader->pc, body);
		reader->pc = body;
	}
	if (kind == LP_FACT_ENDPOINTS)
		return tell_number(
		    fact, kind, start, lp_reader_position(reader), count);
	if (count >= 0 || kind == LP_FACT_NONE)
		return LP_READER_GO;
	tell(fact, kind, lp_reader_position(reader));
	fact->null = true;
	return LP_WALK_FACT;
}

static LP_READER_INLINE int
fixed_array(struct lp_walk *walk, struct lp_reader *reader, unsigned op)
{
	uint32_t size = lp_tables_code[reader->pc + 1];
	int64_t count;
	int result = lp_reader_length(walk, reader, op, &count);

	if (result != LP_READER_GO)
		return result;
	if (count * size > (int64_t)lp_reader_rest(reader))
		return LP_WALK_BAD;
	reader->pc += KIND_OP_LEN;
	return count > 0 ? lp_reader_pass(walk, reader, (uint32_t)count * size)
			 : LP_READER_GO;
}

/* Of an element, a tag's value, or the message. */
static LP_READER_INLINE int
end(struct lp_walk *walk, struct lp_reader *reader)
{
	struct lp_walk_level *level;

	if (walk->depth == 0) {
		if (lp_reader_rest(reader) > 0)
			return LP_WALK_BAD;
		walk->phase = PHASE_DONE;
		return LP_WALK_DONE;
	}
	level = &walk->levels[walk->depth - 1];
	if (level->end != 0) {
		if (lp_reader_position(reader) != level->end)
			return LP_WALK_BAD;
		walk->phase = PHASE_TAG;
	} else if (--level->left > 0) {
		reader->pc = level->body;
	} else {
		walk->depth--;
		reader->pc = level->pc;
	}
	return LP_READER_GO;
}

/* `behind` is where the code goes on after them. */
static LP_READER_INLINE int
tags(struct lp_walk *walk, struct lp_reader *reader, uint16_t behind)
{
	uint16_t pc = reader->pc;
	uint32_t count;
	int result = lp_reader_varint(walk, reader, &count);

	if (result != LP_READER_GO)
		return result;
	reader->pc = behind;
	if (count == 0)
		return LP_READER_GO;
	if (count > lp_reader_rest(reader) / 2)
		return LP_WALK_BAD;
	push(walk, count, behind, pc);
	walk->phase = PHASE_TAG;
	return LP_READER_GO;
}

static LP_READER_INLINE int
known_tags(struct lp_walk *walk, struct lp_reader *reader)
{
	unsigned known = lp_tables_code[reader->pc + 1];

	return tags(walk, reader,
	    (uint16_t)(reader->pc + LP_BODIES_TAGS_LEN +
		LP_BODIES_TAG_LEN * known));
}

static LP_READER_INLINE int
tags_end(struct lp_walk *walk, struct lp_reader *reader)
{
	int result = tags(walk, reader, LP_BODIES_NONE);

	if (result != LP_READER_GO || walk->phase == PHASE_TAG)
		return result;
	return end(walk, reader);
}

/* The next tagged field, or what follows the last. */
static LP_READER_INLINE int
tag(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact)
{
	struct lp_walk_level *level = &walk->levels[walk->depth - 1];
	uint32_t start = lp_reader_begun(walk, reader);
	int result;

	if (level->left == 0) {
		walk->depth--;
		walk->phase = PHASE_CODE;
		reader->pc = level->pc;
		return LP_READER_GO;
	}
	result = lp_reader_varint(walk, reader, &walk->tag);
	if (result != LP_READER_GO)
		return result;
	walk->phase = PHASE_TAG_SIZE;
	if (!lp_bodies_is_hidden(lp_bodies_tag(level->body, walk->tag)))
		return LP_READER_GO;
	return tell_number(fact, LP_FACT_HIDDEN_TAG, start,
	    lp_reader_position(reader), walk->tag);
}

static LP_READER_INLINE int
tag_size(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact)
{
	struct lp_walk_level *level = &walk->levels[walk->depth - 1];
	uint32_t start = lp_reader_begun(walk, reader);
	uint16_t body = lp_bodies_tag(level->body, walk->tag);
	uint32_t size;
	int result = lp_reader_varint(walk, reader, &size);

	if (result != LP_READER_GO)
		return result;
	if (size > lp_reader_rest(reader))
		return LP_WALK_BAD;
	level->left--;
	if (body == LP_BODIES_NONE) {
		walk->phase = PHASE_TAG;
		return lp_reader_pass(walk, reader, size);
	}
	level->end = lp_reader_position(reader) + size;
	reader->pc = body;
	walk->phase = PHASE_CODE;
	if (!lp_bodies_is_hidden(body))
		return LP_READER_GO;
	return tell_number(
	    fact, LP_FACT_HIDDEN_SIZE, start, lp_reader_position(reader), size);
}

static LP_READER_INLINE int
mark(struct lp_reader *reader, struct lp_fact *fact)
{
	tell(fact, lp_tables_code[reader->pc + 1], lp_reader_position(reader));
	reader->pc += KIND_OP_LEN;
	return LP_WALK_FACT;
}

static LP_READER_INLINE int
peek(const struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact)
{
	assert(walk->held == 0 && walk->shift == 0);
	if (reader->at == reader->limit)
		return lp_reader_rest(reader) == 0 ? LP_WALK_BAD : LP_WALK_MORE;
	tell(fact, lp_tables_code[reader->pc + 1], lp_reader_position(reader));
	fact->width = 1;
	fact->value = *reader->at;
	reader->pc += KIND_OP_LEN;
	return LP_WALK_FACT;
}

static LP_READER_INLINE int
error_or_old(
    struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact)
{
	int result = number(walk, reader, fact, LP_OP_NUMBER2);

	if (result != LP_WALK_FACT || fact->kind != LP_FACT_ERROR_CODE)
		return result;
	if (fact->value == UNSUPPORTED_VERSION)
		reader->pc = lp_bodies_at(reader->pc);
	else
		reader->pc += BODY_LEN;
	return LP_WALK_FACT;
}

static LP_READER_INLINE int
resume(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact)
{
	switch (walk->phase) {
	case PHASE_TEXT:
		return text(walk, reader, fact);
	case PHASE_TAG:
		return tag(walk, reader, fact);
	case PHASE_TAG_SIZE:
		return tag_size(walk, reader, fact);
	case PHASE_DONE:
		return LP_WALK_DONE;
	default:
		return LP_WALK_BAD;
	}
}

static LP_READER_INLINE int
step(struct lp_walk *walk, struct lp_reader *reader, struct lp_fact *fact)
{
	unsigned op = lp_tables_code[reader->pc];

	if (walk->phase != PHASE_CODE)
		return resume(walk, reader, fact);
	switch (op) {
	case LP_OP_SKIP:
		return skip(walk, reader);
	case LP_OP_NUMBER1:
		return number(walk, reader, fact, LP_OP_NUMBER1);
	case LP_OP_NUMBER2:
		return number(walk, reader, fact, LP_OP_NUMBER2);
	case LP_OP_NUMBER2U:
		return number(walk, reader, fact, LP_OP_NUMBER2U);
	case LP_OP_NUMBER4:
		return number(walk, reader, fact, LP_OP_NUMBER4);
	case LP_OP_NUMBER8:
		return number(walk, reader, fact, LP_OP_NUMBER8);
	case LP_OP_UUID:
		return uuid(walk, reader, fact);
	case LP_OP_STRING:
		return string(walk, reader, fact, LP_OP_STRING);
	case LP_OP_COMPACT:
		return string(walk, reader, fact, LP_OP_COMPACT);
	case LP_OP_BYTES:
		return string(walk, reader, fact, LP_OP_BYTES);
	case LP_OP_RECORDS:
		return records(walk, reader, fact, LP_OP_RECORDS);
	case LP_OP_COMPACT_RECORDS:
		return records(walk, reader, fact, LP_OP_COMPACT_RECORDS);
	case LP_OP_ARRAY:
		return array(walk, reader, fact, LP_OP_ARRAY);
	case LP_OP_COMPACT_ARRAY:
		return array(walk, reader, fact, LP_OP_COMPACT_ARRAY);
	case LP_OP_NULLABLE:
		return array(walk, reader, fact, LP_OP_NULLABLE);
	case LP_OP_FIXED_ARRAY:
		return fixed_array(walk, reader, LP_OP_FIXED_ARRAY);
	case LP_OP_COMPACT_FIXED_ARRAY:
		return fixed_array(walk, reader, LP_OP_COMPACT_FIXED_ARRAY);
	case LP_OP_TAGS:
		return known_tags(walk, reader);
	case LP_OP_TAGS_END:
		return tags_end(walk, reader);
	case LP_OP_MARK:
		return mark(reader, fact);
	case LP_OP_ERROR_OR_OLD:
		return error_or_old(walk, reader, fact);
	case LP_OP_STRING_LENGTH:
		return records(walk, reader, fact, LP_OP_STRING);
	case LP_OP_PEEK:
		return peek(walk, reader, fact);
	default:
		return end(walk, reader);
	}
}
