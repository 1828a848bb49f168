/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are refused as a whole.
 *
 * Their number comes behind the group or transactional id that rules ask for,
 * and is decided of at its first byte: all four become what no broker accepts,
 * and says so before it does anything.  That the request was refused is known
 * by its entry among those in flight, which says what its answer becomes.
 */
#include "dataplane/kafka/deny.h"

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/judge.h"

enum {
	GROUP_AUTHORIZATION_FAILED = 30,
	TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53,
	SIGN = 0x80, /* of a number's first byte */
	/* Of no member of a group (KIP-848, 932, 1071): -1 and -2 leave it. */
	NO_EPOCH = -3,
};

static int32_t number_of(int16_t);
static bool has_passed(const struct lp_kafka_at *, uint32_t, uint32_t);

bool
lp_deny_whole_may(const struct lp_kafka_at *at,
    const struct lp_message *message, const struct lp_fact *fact)
{
	uint8_t first = fact->kind == LP_FACT_NUMBER_CUT
	    ? (uint8_t)fact->value
	    : (uint8_t)((uint32_t)fact->value >> 24);

	/* Who leaves a group may: else it would be waited for. */
	return lp_deny_is_new(at, message, fact) &&
	    (number_of(message->key) != NO_EPOCH || !(first & SIGN));
}

void
lp_deny_whole(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	uint32_t number = (uint32_t)number_of(message->key);
	const struct lp_overlay over = {.at = fact->at,
	    .len = sizeof(number),
	    .over_len = sizeof(number),
	    .over = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
		(uint8_t)(number >> 8), (uint8_t)number}};

	if (at->splice == NULL)
		return;
	if (has_passed(at, message->seq + over.at, over.len)) {
		lp_judge_unread(at);
		return;
	}
	lp_edit_overlay(at, LP_TO_BROKER, message->seq, &over);
	at->splice->flags |= LP_SPLICE_MARKED;
	message->judged.refused.code = message->key == LP_KEY_INIT_PRODUCER_ID
	    ? TRANSACTIONAL_ID_AUTHORIZATION_FAILED
	    : GROUP_AUTHORIZATION_FAILED;
	lp_telemetry_count(&at->kafka->telemetry, requests_denied, 1);
}

/* Some of those bytes, the first of which is being read. */
static bool
has_passed(const struct lp_kafka_at *at, uint32_t seq, uint32_t len)
{
	const struct lp_stream *stream = &at->conn->sides[LP_TO_BROKER].stream;

	return at->was_held ||
	    (stream->held != 0 &&
		(int32_t)(at->kafka->held.pieces[stream->held - 1].seq -
		    (seq + len)) < 0);
}

void
lp_deny_whole_answer(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_fact *fact, uint8_t code)
{
	/* Both bytes, also where but one of them is here. */
	const struct lp_overlay over = {
	    .at = fact->at, .len = 2, .over_len = 2, .over = {0, code}};

	if (lp_deny_is_new(at, message, fact))
		lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &over);
	if (fact->kind == LP_FACT_ERROR_CODE)
		fact->value = code;
}

/* Sessions of no time, generations and epochs of nobody, and a transaction
 * that is longer than any broker lets it be. */
static int32_t
number_of(int16_t key)
{
	switch (key) {
	case LP_KEY_JOIN_GROUP:
		return 0;
	case LP_KEY_HEARTBEAT:
		return -2;
	case LP_KEY_INIT_PRODUCER_ID:
		return INT32_MAX;
	default:
		assert(key == LP_KEY_CONSUMER_GROUP_HEARTBEAT ||
		    key == LP_KEY_SHARE_GROUP_HEARTBEAT ||
		    key == LP_KEY_STREAMS_GROUP_HEARTBEAT);
		return NO_EPOCH;
	}
}
