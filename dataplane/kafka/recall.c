/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/recall.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/deny.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/judge.h"
#include "dataplane/kafka/limit_topic.h"

/* What is kept of a request; its texts follow, one behind the other. */
struct kept {
	int16_t acks;
	uint8_t has;
	uint8_t cut;
	bool is_of_all;
	uint8_t lens[LP_JUDGED_TEXTS];
};
static_assert(
    sizeof(struct kept) + LP_JUDGED_TEXTS * LP_FACT_TEXT_MAX <= LP_HELD_BYTES,
    "one piece");

enum {
	TOPIC_AUTHORIZATION_FAILED = 29,
	INDEX = 4, /* bytes of a partition's index, */
	EPOCH = 4, /* of a leader's epoch, and */
	OFFSET = 8,
	/* The first versions that tell epochs (KIP-320, KIP-207). */
	OFFSET_FETCH_EPOCH = 5,
	FOR_LEADER_EPOCH = 1,
};

static bool is_denied(const struct lp_kafka_at *, const struct lp_message *,
    const struct lp_inflight *);
static bool has_room(const struct lp_kafka_at *, bool);
static void refuse(
    struct lp_kafka_at *, const struct lp_message *, struct lp_fact *);
static void refuse_offset(
    struct lp_kafka_at *, const struct lp_message *, const struct lp_fact *);
static void refuse_code(
    struct lp_kafka_at *, const struct lp_message *, struct lp_fact *);
static void clear_high(
    struct lp_kafka_at *, const struct lp_message *, const struct lp_fact *);
static void refuse_epoch(
    struct lp_kafka_at *, const struct lp_message *, struct lp_fact *);

void
lp_recall_keep(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_inflight *entry)
{
	struct lp_held_pool *pool = &at->kafka->held;
	const struct lp_judged *judged;
	struct lp_held *piece;
	struct kept kept;
	uint8_t *bytes;
	bool limits;

	if (message == NULL || !message->is_judged || message->bad)
		return;
	limits = lp_limit_topic_recalls(at, entry->key);
	if (!limits && !is_denied(at, message, entry))
		return;
	entry->kept = has_room(at, limits) ? lp_held_pool_take(pool) : 0;
	if (entry->kept == 0) {
		/* Who holds them, and stalls? */
		at->kafka->pressed |= lp_recall_is_short(at->kafka);
		if (limits)
			lp_telemetry_count(
			    &at->kafka->telemetry, answers_uncharged, 1);
		else
			lp_judge_unread(at);
		return;
	}
	at->conn->kept_count++;
	judged = &message->judged;
	kept = (struct kept){.acks = judged->acks,
	    .has = judged->has,
	    .cut = judged->cut,
	    .is_of_all = judged->is_of_all};
	piece = &pool->pieces[entry->kept - 1];
	bytes = piece->bytes + sizeof(kept);
	for (unsigned i = 0; i < LP_JUDGED_TEXTS; i++) {
		if (!(judged->has & 1u << i))
			continue;
		kept.lens[i] = judged->lens[i];
		memcpy(bytes, judged->texts[i], kept.lens[i]);
		bytes += kept.lens[i];
	}
	memcpy(piece->bytes, &kept, sizeof(kept));
	piece->len = (uint16_t)(bytes - piece->bytes);
}

void
lp_recall_begin(const struct lp_kafka_at *at, struct lp_message *message)
{
	const struct lp_inflight *asked = lp_inflight_oldest(at);
	struct lp_judged *judged = &message->judged;
	const uint8_t *bytes;
	struct kept kept;
	bool limits;

	if (asked == NULL)
		return;
	limits = lp_limit_topic_wanted(at, asked->key);
	/* What is limited by its topics alone needs nothing of the request. */
	if (asked->kept == 0 && limits &&
	    !lp_limit_topic_recalls(at, asked->key))
		lp_judge_open(message);
	if (asked->kept == 0 || (at->splice == NULL && !limits))
		return;
	lp_judge_open(message);
	bytes = at->kafka->held.pieces[asked->kept - 1].bytes;
	memcpy(&kept, bytes, sizeof(kept));
	bytes += sizeof(kept);
	judged->is_waiting = false;
	judged->acks = kept.acks;
	judged->has = kept.has;
	judged->cut = kept.cut;
	judged->is_of_all = kept.is_of_all;
	for (unsigned i = 0; i < LP_JUDGED_TEXTS; i++) {
		judged->lens[i] = kept.lens[i];
		memcpy(judged->texts[i], bytes, kept.lens[i]);
		bytes += kept.lens[i];
	}
}

void
lp_recall_fact(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact)
{
	at->asked = lp_inflight_oldest(at);
	lp_judge_fact(at, message, fact);
	at->asked = NULL;
	/* An error code behind the topics is of all of them. */
	if (message->in_topic && message->judged.marks != 0 && !at->was_held)
		refuse(at, message, fact);
}

void
lp_recall_end(struct lp_kafka_at *at, struct lp_message *message)
{
	at->asked = lp_inflight_oldest(at);
	lp_judge_answered(at, message);
	at->asked = NULL;
}

/* A rule may deny topics of its answer. */
static bool
is_denied(const struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_inflight *entry)
{
	const struct lp_rules *rules = lp_judge_rules(at);

	return rules != NULL && at->splice != NULL &&
	    lp_judge_is_among(at, message, rules->by_answer) &&
	    (rules->denies[entry->key / 64] >> entry->key % 64 & 1) != 0;
}

/* `few`: a quarter of all is enough. */
static bool
has_room(const struct lp_kafka_at *at, bool few)
{
	const struct lp_held_pool *pool = &at->kafka->held;

	few |= at->conn->inflight_count > LP_KAFKA_INFLIGHT_SHARE;
	return !lp_recall_is_short(at->kafka) &&
	    (!few || pool->free_count > pool->count / 4 * 3);
}

/* The others are what answers need. */
bool
lp_recall_is_short(const struct lp_kafka *kafka)
{
	return kafka->held.free_count <= kafka->held.count / 8 * 5;
}

/* Of a topic that is denied. */
static void
refuse(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_fact *fact)
{
	bool of_epochs = message->key == LP_KEY_OFFSET_FOR_LEADER_EPOCH;

	switch (fact->kind) {
	case LP_FACT_PARTITION:
	case LP_FACT_PARTITION_CUT:
		if (!of_epochs && lp_deny_is_new(at, message, fact))
			refuse_offset(at, message, fact);
		break;
	case LP_FACT_ERROR_CUT:
		clear_high(at, message, fact);
		break;
	case LP_FACT_ERROR_CODE:
		if (of_epochs)
			refuse_epoch(at, message, fact);
		else
			refuse_code(at, message, fact);
		fact->value = TOPIC_AUTHORIZATION_FAILED;
		break;
	default:
		break;
	}
}

/* OffsetFetch: index, offset, epoch, metadata, error code. */
static void
refuse_offset(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact)
{
	const struct lp_edit_bits bits = {.at = fact->at,
	    .code = TOPIC_AUTHORIZATION_FAILED,
	    .ones_at = INDEX,
	    .ones = message->version >= OFFSET_FETCH_EPOCH ? OFFSET + EPOCH
							   : OFFSET};

	lp_edit_mark(at, LP_TO_CLIENT, message, &bits);
	lp_telemetry_count(&at->kafka->telemetry, partitions_denied, 1);
}

/* Of one that is cut the first byte has been told, and cleared. */
static void
refuse_code(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_fact *fact)
{
	const struct lp_overlay low = {.at = fact->at + 1,
	    .len = 1,
	    .over_len = 1,
	    .over = {TOPIC_AUTHORIZATION_FAILED}};

	if (lp_deny_is_new(at, message, fact))
		lp_edit_mark_code(
		    at, message, fact->at, TOPIC_AUTHORIZATION_FAILED);
	else
		lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &low);
}

/* The first byte of a code, which hardly any has. */
static void
clear_high(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact)
{
	const struct lp_overlay high = {.at = fact->at, .len = 1};

	if (fact->value != 0)
		lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &high);
}

/*
 * OffsetForLeaderEpoch: error code, index, epoch, offset: all behind the
 * code's last byte.
 */
static void
refuse_epoch(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_fact *fact)
{
	const struct lp_edit_bits bits = {.at = fact->at + 1,
	    .clear = UINT8_MAX,
	    .set = TOPIC_AUTHORIZATION_FAILED,
	    .ones_at = 1 + INDEX,
	    .ones =
		message->version >= FOR_LEADER_EPOCH ? OFFSET + EPOCH : OFFSET};

	fact->value = fact->value >> 8 & UINT8_MAX;
	if (lp_deny_is_new(at, message, fact))
		clear_high(at, message, fact);
	lp_edit_mark(at, LP_TO_CLIENT, message, &bits);
	lp_telemetry_count(&at->kafka->telemetry, partitions_denied, 1);
}
