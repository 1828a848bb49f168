/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	head ▸ body ▸ (tail) ▸ head ...
 *
 * The head is the fixed part of a frame, kept with the connection: it says
 * what the body is.  A body that lies in one piece is walked in the worker's
 * own message; one that is cut by the end of a segment gets a place in the
 * pool.  When the pool is empty the frame is passed over by its length: its
 * head alone counts.  So is most of one whose version the tables do not know.
 *
 * The tail: all bytes to the end of the frame are being skipped, so none of
 * them comes here.  The frame is over when the highest byte seen is beyond it;
 * a segment lost on the way there and sent again later is not waited for.
 */
#include "dataplane/kafka/frame.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/deny.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/judge.h"
#include "dataplane/kafka/limit.h"
#include "dataplane/kafka/limit_topic.h"
#include "dataplane/kafka/note.h"
#include "dataplane/kafka/recall.h"
#include "dataplane/kafka/request.h"
#include "dataplane/kafka/response.h"
#include "dataplane/kafka/said.h"
#include "dataplane/pipeline/wire.h"

static bool read_head(
    struct lp_kafka_at *, enum lp_direction, struct lp_cursor *);
static uint32_t seq_of(const struct lp_kafka_at *, const uint8_t *);
static uint8_t head_size(const struct lp_kafka_at *, enum lp_direction);
static void begin(
    struct lp_kafka_at *, enum lp_direction, const struct lp_cursor *);
static bool body(
    struct lp_kafka_at *, enum lp_direction, struct lp_cursor *, uint64_t *);
static struct lp_message *message_of(
    struct lp_kafka *, const struct lp_kafka_side *);
static void save(const struct lp_kafka_at *, const struct lp_message *);
static struct lp_message *message_take(
    struct lp_kafka *, struct lp_kafka_side *, bool);
static enum lp_walk_result walk(struct lp_kafka_at *, enum lp_direction,
    struct lp_message *, struct lp_cursor *);
static void response_fact(
    struct lp_kafka_at *, struct lp_message *, struct lp_fact *);
static void end(struct lp_kafka_at *, enum lp_direction);

uint64_t
lp_frame_feed(struct lp_kafka_at *at, enum lp_direction dir,
    const uint8_t *bytes, uint32_t len)
{
	struct lp_kafka_side *side = &at->conn->sides[dir];
	struct lp_cursor in = {.at = bytes, .end = bytes + len};
	uint64_t skip = 0;

	if (side->place == LP_AT_TAIL)
		lp_frame_finish(at, dir);
	while (at->conn->mode == LP_KAFKA_LIVE && in.at < in.end) {
		if (side->place == LP_AT_HEAD) {
			if (!read_head(at, dir, &in))
				continue;
			begin(at, dir, &in);
			if (at->conn->mode != LP_KAFKA_LIVE)
				break;
			if (side->left == 0) {
				lp_frame_finish(at, dir);
				continue;
			}
		}
		if (!body(at, dir, &in, &skip))
			break;
	}
	return skip;
}

void
lp_frame_finish(struct lp_kafka_at *at, enum lp_direction dir)
{
	struct lp_kafka_side *side = &at->conn->sides[dir];
	struct lp_message *message = message_of(at->kafka, side);
	const uint8_t nothing[1] = {0};
	struct lp_cursor in = {.at = nothing, .end = nothing};

	assert(side->place != LP_AT_HEAD && side->left == 0);
	if (side->message != 0)
		save(at, message);
	/* Facts may be left that need no further byte. */
	if (message != NULL && !message->bad &&
	    walk(at, dir, message, &in) != LP_WALK_DONE)
		message->bad = true;
	end(at, dir);
}

void
lp_frame_drop(struct lp_kafka_at *at, enum lp_direction dir)
{
	struct lp_kafka_side *side = &at->conn->sides[dir];
	struct lp_message *message = message_of(at->kafka, side);

	if (side->message != 0) {
		save(at, message);
		at->kafka->state->messages[side->message - 1].used = 0;
		lp_slots_give(&at->kafka->messages, side->message - 1);
	}
	/* What of a token it kept must not stay in memory. */
	if (message != NULL && message->key == LP_KEY_SASL_AUTHENTICATE)
		memset(&message->walk, 0, sizeof(message->walk));
	memset(side->head, 0, sizeof(side->head));
	at->kafka->whole.used = 0;
	side->message = 0;
	side->left = 0;
	side->head_len = 0;
	side->place = LP_AT_HEAD;
}

/* False: it is not complete yet, and the cursor is at its end. */
static bool
read_head(struct lp_kafka_at *at, enum lp_direction dir, struct lp_cursor *in)
{
	struct lp_kafka_side *side = &at->conn->sides[dir];

	/* Its first bytes say how long it is. */
	for (;;) {
		size_t want = head_size(at, dir);
		size_t more = (size_t)(in->end - in->at);

		if (side->head_len >= want)
			return true;
		if (more == 0)
			return false;
		if (more > want - side->head_len)
			more = want - side->head_len;
		if (side->head_len == 0 && dir == LP_TO_CLIENT) {
			lp_response_first(at);
			lp_edit_response(at, seq_of(at, in->at));
		}
		memcpy(side->head + side->head_len, in->at, more);
		side->head_len = (uint8_t)(side->head_len + more);
		in->at += more;
		if (dir == LP_TO_BROKER &&
		    side->head_len >= LP_REQUEST_VERSION_END &&
		    side->head_len - more < LP_REQUEST_VERSION_END)
			lp_edit_version(
			    at, seq_of(at, in->at) - side->head_len);
	}
}

/* The sequence number of a byte that is being read. */
static uint32_t
seq_of(const struct lp_kafka_at *at, const uint8_t *byte)
{
	return at->chunk_seq + (uint32_t)(byte - at->chunk);
}

static uint8_t
head_size(const struct lp_kafka_at *at, enum lp_direction dir)
{
	const struct lp_kafka_side *side = &at->conn->sides[dir];
	int64_t size;

	if (side->head_len < LP_FRAME_SIZE_FIELD)
		return LP_FRAME_SIZE_FIELD;
	size = (int32_t)lp_get32(side->head);
	return dir == LP_TO_BROKER ? lp_request_head_size(size)
				   : lp_response_head_size(at, size);
}

/* The head is complete: what is the body, and is there a place to walk it? */
static void
begin(struct lp_kafka_at *at, enum lp_direction dir, const struct lp_cursor *in)
{
	struct lp_kafka_side *side = &at->conn->sides[dir];
	uint32_t size = lp_get32(side->head), delay_ms = 0;
	struct lp_message *message;
	struct lp_head head;

	head = dir == LP_TO_BROKER ? lp_request_begin(at, in)
				   : lp_response_begin(at);
	if (at->conn->mode != LP_KAFKA_LIVE)
		return;
	if (dir == LP_TO_CLIENT) {
		lp_edit_response_is(at, head.key, head.walk);
		delay_ms = lp_limit_answer(at, size + LP_FRAME_SIZE_FIELD);
	}
	if (at->conn->auth != LP_AUTH_NONE)
		lp_note_secret(at, dir, in->at);
	if (lp_note_wanted(at))
		lp_note_frame(at, dir);
	side->place = LP_AT_BODY;
	side->left = size + LP_FRAME_SIZE_FIELD - side->head_len;
	if (dir == LP_TO_BROKER)
		lp_pace_widen(&at->kafka->pace, at->index, LP_TO_BROKER,
		    side->left, seq_of(at, in->at) + side->left);
	if (!head.walk)
		return;
	message = message_take(
	    at->kafka, side, side->left <= (size_t)(in->end - in->at));
	if (message == NULL)
		return;
	message->key = head.key;
	message->version = head.version;
	message->response = dir == LP_TO_CLIENT;
	message->foreign = head.foreign;
	message->delay_ms = delay_ms;
	message->seq = seq_of(at, in->at) - side->head_len;
	if (dir == LP_TO_BROKER) {
		lp_judge_begin(at, message);
		lp_walk_request(&message->walk, head.key, head.version, size);
	} else {
		lp_walk_response(&message->walk, head.key, head.version, size);
		lp_edit_walk(at, message);
		if (!message->foreign)
			lp_recall_begin(at, message);
	}
}

/*
 * Looks at bytes of the body.  True: the frame has ended and more may follow;
 * false: the cursor is at its end, and *skip bytes behind it are unwanted.
 */
static bool
body(struct lp_kafka_at *at, enum lp_direction dir, struct lp_cursor *in,
    uint64_t *skip)
{
	struct lp_kafka_side *side = &at->conn->sides[dir];
	struct lp_message *message = message_of(at->kafka, side);
	enum lp_walk_result result = LP_WALK_BAD;
	const uint8_t *from = in->at;
	uint32_t pass = side->left;
	uint32_t here;

	if (side->message != 0)
		save(at, message);
	if (message != NULL && !message->bad) {
		result = walk(at, dir, message, in);
		side->left -= (uint32_t)(in->at - from);
		message->bad = result == LP_WALK_BAD;
		pass = message->bad ? side->left : lp_walk_skip(&message->walk);
	}
	here = (uint32_t)(in->end - in->at);
	if (here > pass)
		here = pass;
	in->at += here;
	side->left -= pass;
	if (side->left > 0 || here < pass) {
		if (side->left == 0)
			side->place = LP_AT_TAIL;
		*skip = pass - here;
		return false;
	}
	if (result == LP_WALK_MORE)
		lp_frame_finish(at, dir);
	else
		end(at, dir);
	return true;
}

static struct lp_message *
message_of(struct lp_kafka *kafka, const struct lp_kafka_side *side)
{
	if (side->message != 0)
		return &kafka->state->messages[side->message - 1];
	return kafka->whole.used != 0 ? &kafka->whole : NULL;
}

static void
save(const struct lp_kafka_at *at, const struct lp_message *message)
{
	lp_kafka_save(at->kafka, message,
	    message->is_judged ? sizeof(*message)
			       : offsetof(struct lp_message, judged));
	if (message->key == LP_KEY_SASL_AUTHENTICATE)
		at->kafka->logs_secret = true;
}

/* NULL: the pool is empty, the frame is passed over. */
static struct lp_message *
message_take(struct lp_kafka *kafka, struct lp_kafka_side *side, bool whole)
{
	struct lp_message *message = &kafka->whole;

	if (!whole) {
		uint32_t index = lp_slots_take(&kafka->messages);

		if (index == LP_SLOT_NONE) {
			lp_telemetry_count(&kafka->telemetry, walks_full, 1);
			return NULL;
		}
		message = &kafka->state->messages[index];
		side->message = index + 1;
	}
	/* But for its texts, and for the walk, which has a start of its own. */
	memset((uint8_t *)message + offsetof(struct lp_message, used), 0,
	    offsetof(struct lp_message, topic_id) -
		offsetof(struct lp_message, used));
	message->used = 1;
	return message;
}

static enum lp_walk_result
walk(struct lp_kafka_at *at, enum lp_direction dir, struct lp_message *message,
    struct lp_cursor *in)
{
	struct lp_fact fact;
	enum lp_walk_result result;

	while ((result = lp_walk_next(&message->walk, in, &fact)) ==
	    LP_WALK_FACT) {
		if (dir == LP_TO_BROKER) {
			if (fact.kind == LP_FACT_RECORDS)
				lp_said_pass(at, in->at, fact.value);
			lp_request_fact(at, message, &fact);
		} else {
			response_fact(at, message, &fact);
		}
		if (lp_note_wanted(at))
			lp_note_fact(at, dir, message, &fact);
	}
	return result;
}

static void
response_fact(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact)
{
	bool is_fetch = lp_account_fetches(message->key);

	/* Of those that are judged themselves nothing is put back: what bits
	 * an index has are the client's own. */
	if (message->is_judged && !is_fetch)
		lp_recall_fact(at, message, fact);
	else
		lp_deny_answer(at, message, fact);
	if (message->is_judged && is_fetch && fact->kind == LP_FACT_TOPIC_END)
		lp_limit_topic_end(at, message);
	if (message->delay_ms != 0)
		lp_limit_fact(at, message, fact);
	lp_response_fact(at, message, fact);
	lp_edit_fact(at, message, fact);
}

static void
end(struct lp_kafka_at *at, enum lp_direction dir)
{
	struct lp_message *message =
	    message_of(at->kafka, &at->conn->sides[dir]);

	if (message != NULL && message->bad && !message->foreign)
		lp_telemetry_count(&at->kafka->telemetry, frames_malformed, 1);
	if (lp_note_wanted(at))
		lp_note_frame_end(at, dir, message);
	if (dir == LP_TO_CLIENT)
		lp_edit_response_end(at, message);
	if (dir == LP_TO_BROKER)
		lp_request_end(at, message);
	else
		lp_response_end(at, message);
	lp_frame_drop(at, dir);
}
