/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/said.h"

#include <string.h>

#include "dataplane/kafka/edit.h"

enum {
	HEAD = 6, /* sequence number, len */
	PART_MIN = 16, /* a smaller rest of a block is left */
	SAID_MAX = 512,
	SAID_SHARE = 16,
	/* Of what one segment may bring, see lp_said_room(). */
	BLOCK_FAIR = LP_SAID_BYTES - HEAD - PART_MIN,
	RUN_MIN = 64,
};

/* A run of bytes in a block. */
struct run {
	uint32_t seq;
	uint16_t len;
	const uint8_t *bytes;
};

static void keep(struct lp_kafka_at *, uint32_t, const uint8_t *, uint32_t);
static struct lp_said *block_with_room(struct lp_kafka_at *, uint32_t);
static struct run run_at(const struct lp_said *, unsigned);
static bool put_back(const struct run *, uint32_t, uint8_t *, uint32_t);
static void give_first(struct lp_kafka *, struct lp_splice *);
static bool is_sound(const struct lp_said *);

bool
lp_said_room(const struct lp_kafka *kafka, uint32_t index, uint32_t len)
{
	const struct lp_slots *said = &kafka->said;
	uint32_t count = kafka->state->splices[index].said_count;
	uint32_t runs = len / RUN_MIN + 2;
	uint32_t more = (len + runs * HEAD) / BLOCK_FAIR + 2;

	if (said->free_count < more || count + more > SAID_MAX)
		return false;
	return count + more <= SAID_SHARE || said->free_count > said->count / 2;
}

bool
lp_said_is_short(const struct lp_kafka *kafka)
{
	return kafka->said.free_count < SAID_SHARE;
}

bool
lp_said_is_eased(const struct lp_kafka *kafka)
{
	return kafka->said.free_count >= kafka->said.count / 2;
}

void
lp_said_begin(const struct lp_kafka_at *at, bool keeps)
{
	struct lp_splice *splice = at->splice;
	const struct lp_stream *asked = &at->conn->sides[LP_TO_BROKER].stream;
	uint32_t floor = splice->maps[LP_TO_BROKER].floor;

	if (!keeps) {
		splice->keeps = LP_SPLICE_KEEPS_NONE;
		return;
	}
	if (splice->keeps == LP_SPLICE_KEEPS_NONE) {
		lp_kafka_save(
		    at->kafka, &splice->kept_from, sizeof(splice->kept_from));
		splice->kept_from = asked->need;
		splice->keeps = LP_SPLICE_KEEPS_SINCE;
	}
	if (splice->keeps == LP_SPLICE_KEEPS_SINCE &&
	    (int32_t)(splice->kept_from - floor) <= 0)
		splice->keeps = LP_SPLICE_KEEPS_ALL;
}

bool
lp_said_lacks(const struct lp_splice *splice, const struct lp_stream *asked,
    uint32_t seq, uint32_t len)
{
	uint32_t from = splice->maps[LP_TO_BROKER].floor, upto = seq + len;
	uint32_t known = splice->keeps == LP_SPLICE_KEEPS_NONE
	    ? asked->need
	    : splice->kept_from;

	if (splice->keeps == LP_SPLICE_KEEPS_ALL)
		return false;
	if ((int32_t)(seq - from) > 0)
		from = seq;
	if ((int32_t)(known - upto) < 0)
		upto = known;
	return (int32_t)(upto - from) > 0;
}

void
lp_said_keep(struct lp_kafka_at *at, const uint8_t *upto)
{
	const uint8_t *from = at->unsaid;
	uint64_t here = (uint64_t)(upto - from);

	if (here <= at->unsaid_skip) {
		at->unsaid_skip -= here;
		at->unsaid = upto;
		return;
	}
	from += at->unsaid_skip;
	keep(at, at->chunk_seq + (uint32_t)(from - at->chunk), from,
	    (uint32_t)(upto - from));
	at->unsaid = upto;
	at->unsaid_skip = 0;
}

static void
keep(struct lp_kafka_at *at, uint32_t seq, const uint8_t *bytes, uint32_t len)
{
	const struct lp_kafka_conn *conn = at->conn;
	struct lp_splice *splice = at->splice;
	bool secret = (conn->secrets & 1u << LP_TO_BROKER) &&
	    (int32_t)(seq - conn->secret_end[LP_TO_BROKER]) < 0;

	lp_kafka_save(at->kafka, splice->said, sizeof(splice->said));
	if (splice->said[1] != 0)
		lp_kafka_save(at->kafka,
		    &at->kafka->state->said[splice->said[1] - 1],
		    offsetof(struct lp_said, bytes));
	while (len > 0) {
		struct lp_said *block = block_with_room(at, len);
		uint16_t part;

		if (block == NULL) {
			lp_edit_break(at->kafka, at->index,
			    &at->kafka->telemetry.stats->counters.judged_full);
			return;
		}
		part = (uint16_t)(LP_SAID_BYTES - block->used - HEAD);
		if (part > len)
			part = (uint16_t)len;
		memcpy(block->bytes + block->used, &seq, sizeof(seq));
		memcpy(block->bytes + block->used + sizeof(seq), &part,
		    sizeof(part));
		memcpy(block->bytes + block->used + HEAD, bytes, part);
		block->used = (uint16_t)(block->used + HEAD + part);
		block->end = seq + part;
		block->is_secret |= secret;
		seq += part;
		bytes += part;
		len -= part;
	}
}

/* The last one, or a new one. */
static struct lp_said *
block_with_room(struct lp_kafka_at *at, uint32_t len)
{
	struct lp_splice *splice = at->splice;
	struct lp_said *blocks = at->kafka->state->said;
	struct lp_said *last =
	    splice->said[1] != 0 ? &blocks[splice->said[1] - 1] : NULL;
	uint32_t index;

	if (last != NULL &&
	    last->used + HEAD + (len < PART_MIN ? len : PART_MIN) <=
		LP_SAID_BYTES)
		return last;
	index = lp_slots_take(&at->kafka->said);
	if (index == LP_SLOT_NONE)
		return NULL;
	memset(&blocks[index], 0, offsetof(struct lp_said, bytes));
	if (last != NULL)
		last->next = index + 1;
	else
		splice->said[0] = index + 1;
	splice->said[1] = index + 1;
	splice->said_count++;
	return &blocks[index];
}

bool
lp_said_recall(const struct lp_kafka *kafka, uint32_t index, uint32_t seq,
    uint8_t *bytes, uint32_t len)
{
	uint32_t link = kafka->state->splices[index].said_count > 0
	    ? kafka->state->splices[index].said[0]
	    : 0;
	bool other = false;

	while (link != 0) {
		const struct lp_said *block = &kafka->state->said[link - 1];

		link = block->next;
		if ((int32_t)(block->end - seq) <= 0)
			continue;
		for (unsigned off = 0; off < block->used;) {
			struct run run = run_at(block, off);

			if ((int32_t)(run.seq - (seq + len)) >= 0)
				return other;
			other |= put_back(&run, seq, bytes, len);
			off += HEAD + run.len;
		}
	}
	return other;
}

static struct run
run_at(const struct lp_said *block, unsigned off)
{
	struct run run = {.bytes = block->bytes + off + HEAD};

	memcpy(&run.seq, block->bytes + off, sizeof(run.seq));
	memcpy(&run.len, block->bytes + off + sizeof(run.seq), sizeof(run.len));
	return run;
}

/* What of it lies in the bytes at that position. */
static bool
put_back(const struct run *run, uint32_t seq, uint8_t *bytes, uint32_t len)
{
	uint32_t from = seq, upto = seq + len;

	if ((int32_t)(run->seq - from) > 0)
		from = run->seq;
	if ((int32_t)(upto - (run->seq + run->len)) > 0)
		upto = run->seq + run->len;
	if ((int32_t)(upto - from) <= 0 ||
	    memcmp(bytes + (from - seq), run->bytes + (from - run->seq),
		upto - from) == 0)
		return false;
	memcpy(
	    bytes + (from - seq), run->bytes + (from - run->seq), upto - from);
	return true;
}

void
lp_said_melt(struct lp_kafka *kafka, uint32_t index, uint32_t upto)
{
	struct lp_splice *splice = &kafka->state->splices[index];

	if (splice->said_count == 0 ||
	    (int32_t)(kafka->state->said[splice->said[0] - 1].end - upto) > 0)
		return;
	lp_kafka_save(kafka, splice->said, sizeof(splice->said));
	while (splice->said_count > 0 &&
	    (int32_t)(kafka->state->said[splice->said[0] - 1].end - upto) <= 0)
		give_first(kafka, splice);
}

void
lp_said_close(struct lp_kafka *kafka, uint32_t index)
{
	struct lp_splice *splice = &kafka->state->splices[index];

	lp_kafka_save(kafka, splice->said, sizeof(splice->said));
	while (splice->said_count > 0)
		give_first(kafka, splice);
}

static void
give_first(struct lp_kafka *kafka, struct lp_splice *splice)
{
	uint32_t link = splice->said[0];
	struct lp_said *block = &kafka->state->said[link - 1];

	if (block->is_secret) {
		/* What of a token it kept must not stay in memory. */
		lp_kafka_save(kafka, block, sizeof(*block));
		kafka->logs_secret = true;
		memset(block->bytes, 0, sizeof(block->bytes));
		block->used = 0;
	}
	splice->said[0] = block->next;
	splice->said_count--;
	if (splice->said_count == 0)
		splice->said[1] = 0;
	lp_slots_give(&kafka->said, link - 1);
}

bool
lp_said_claim(struct lp_kafka *kafka, const struct lp_splice *splice)
{
	uint32_t link = splice->said[0];
	uint32_t last = 0;

	for (unsigned n = 0; n < splice->said_count; n++) {
		if (link == 0 || link > kafka->said.count ||
		    kafka->said.free[link - 1] != 0 ||
		    !is_sound(&kafka->state->said[link - 1]))
			return false;
		kafka->said.free[link - 1] = 1;
		last = link;
		link = kafka->state->said[link - 1].next;
	}
	return link == 0 && last == splice->said[1];
}

static bool
is_sound(const struct lp_said *block)
{
	unsigned off = 0;

	if (block->used > LP_SAID_BYTES)
		return false;
	while (off < block->used) {
		if (off + HEAD >= block->used)
			return false;
		off += HEAD + run_at(block, off).len;
	}
	return off == block->used;
}
