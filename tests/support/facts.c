/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/facts.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXED_REQUEST = 12, FIXED_RESPONSE = 8, SIZE_LEN = 4 };

__attribute__((format(printf, 2, 3))) static void
add(struct facts *facts, const char *format, ...)
{
	va_list args;
	int len;

	if (facts->size < facts->len + 1024) {
		facts->size = 2 * facts->size + 4096;
		facts->text = realloc(facts->text, facts->size);
		assert(facts->text != NULL);
	}
	va_start(args, format);
	len = vsnprintf(
	    facts->text + facts->len, facts->size - facts->len, format, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < facts->size - facts->len);
	facts->len += (size_t)len;
}

static bool
is_mark(unsigned kind)
{
	return kind == LP_FACT_TOPIC_BEGIN || kind == LP_FACT_TOPIC_END ||
	    kind == LP_FACT_TOPICS_NULL;
}

static void
add_fact(struct facts *facts, const struct lp_fact *fact)
{
	const char *name = lp_fact_name(fact->kind);

	assert(name != NULL);
	add(facts, "%s%s@%" PRIu32, facts->len > 0 ? " " : "", name, fact->at);
	facts->count++;
	if (is_mark(fact->kind))
		return;
	if (fact->null) {
		assert(fact->bytes == NULL && fact->len == 0);
		add(facts, "=null");
		return;
	}
	if (fact->bytes == NULL) {
		add(facts, "=%" PRId64, fact->value);
		return;
	}
	assert(fact->len <= LP_FACT_TEXT_MAX && fact->len <= fact->full_len);
	add(facts, "=");
	for (unsigned i = 0; i < fact->len; i++) {
		static const char digits[] = "0123456789abcdef";

		facts->text[facts->len++] = digits[fact->bytes[i] >> 4];
		facts->text[facts->len++] = digits[fact->bytes[i] & 15];
	}
	facts->text[facts->len] = '\0';
	if (fact->len < fact->full_len)
		add(facts, ":%" PRIu32, fact->full_len);
}

/* Of a number that the cut of the piece cuts: not told in one piece. */
static bool
is_cut(const struct lp_fact *fact)
{
	return fact->kind == LP_FACT_PARTITION_CUT ||
	    fact->kind == LP_FACT_ERROR_CUT ||
	    fact->kind == LP_FACT_NUMBER_CUT ||
	    fact->kind == LP_FACT_THROTTLE_CUT;
}

/*
 * It is the first byte of what is left of the piece that lies at `at`; or three
 * bytes, the last of which is.
 */
static void
check_cut(const struct lp_fact *fact, const struct lp_cursor *in,
    const uint8_t *bytes, uint32_t at)
{
	uint32_t whole = fact->kind == LP_FACT_ERROR_CUT ? 2 : 4;

	assert(in->at == in->end);
	if (fact->kind == LP_FACT_THROTTLE_CUT) {
		assert(fact->width == 3 && fact->at + 2 >= at);
		assert((fact->value & 0xff) == bytes[fact->at + 2 - at]);
		return;
	}
	assert(fact->at >= at);
	assert(fact->width >= 1 && fact->width < whole);
	assert(fact->value == bytes[fact->at - at]);
}

/* One piece; how far the walk came is added to *at. */
static enum lp_walk_result
walk_piece(struct facts *facts, struct lp_walk *walk, const uint8_t *bytes,
    uint32_t len, uint32_t *at)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct lp_cursor in = {.at = copy, .end = copy + len};
	struct lp_fact fact;
	enum lp_walk_result result;

	assert(copy != NULL);
	memcpy(copy, bytes, len);
	while ((result = lp_walk_next(walk, &in, &fact)) == LP_WALK_FACT)
		if (is_cut(&fact))
			check_cut(&fact, &in, bytes, *at);
		else
			add_fact(facts, &fact);
	assert(in.at >= copy && in.at <= in.end);
	if (result == LP_WALK_MORE)
		assert(in.at == in.end);
	*at += (uint32_t)(in.at - copy);
	free(copy);
	return result;
}

enum lp_walk_result
facts_walk(struct facts *facts, const struct facts_frame *frame,
    const uint32_t cuts[], unsigned count, bool skip)
{
	uint32_t at = frame->response ? FIXED_RESPONSE : FIXED_REQUEST;
	enum lp_walk_result result = LP_WALK_MORE;
	struct lp_walk walk, moved;
	uint32_t size;

	memcpy(&size, frame->bytes, sizeof(size));
	size = be32toh(size);
	facts->len = 0;
	facts->count = 0;
	add(facts, "%s", "");
	/* What is not set must not matter. */
	memset(&walk, 0xa5, sizeof(walk));
	if (frame->response)
		lp_walk_response(&walk, frame->key, frame->version, size);
	else
		lp_walk_request(&walk, frame->key, frame->version, size);
	/* Once more at the end: what was skipped may be all. */
	for (unsigned i = 0; i <= count + 1 && result == LP_WALK_MORE; i++) {
		uint32_t end = i < count ? cuts[i] : frame->len;

		if (end < at && i <= count)
			continue;
		/* It does not point into itself. */
		moved = walk;
		memset(&walk, 0xa5, sizeof(walk));
		result = walk_piece(facts, &moved, frame->bytes + at,
		    end > at ? end - at : 0, &at);
		walk = moved;
		if (skip && result == LP_WALK_MORE)
			at += lp_walk_skip(&walk);
		assert(at <= size + SIZE_LEN);
	}
	if (result == LP_WALK_BAD)
		assert(at + lp_walk_skip(&walk) == size + SIZE_LEN);
	assert(result != LP_WALK_DONE || at == size + SIZE_LEN);
	add(facts, "%s",
	    result == LP_WALK_BAD        ? " bad"
		: result == LP_WALK_MORE ? " more"
					 : "");
	return result;
}

void
facts_free(struct facts *facts)
{
	free(facts->text);
	*facts = (struct facts){.text = NULL};
}
