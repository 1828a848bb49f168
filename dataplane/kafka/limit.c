/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/kafka/limit.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/judge.h"
#include "dataplane/kafka/judge_count.h"
#include "dataplane/kafka/question.h"
#include "dataplane/pipeline/gate.h"
#include "dataplane/pipeline/wire.h"

enum {
	NS_PER_MS = 1000000,
	NS_PER_S = 1000 * NS_PER_MS,
	/* Of who has no name: one bucket for all of them. */
	NOBODY = 1,
	/* Bytes of a throttle time, of which the first two are zero. */
	FIELD = 4,
	THIRD = 2,
	/* Who is limited has a window of what passes in a quarter of a second,
	 * of bytes no less than that; of so many it is as large as it is. */
	BOUND_SHARE = 4,
	BOUND_SEGMENTS = 3,
	MSS = 1460, /* of who sends, which is not known */
	BOUND_MIN = 1 << 16,
	BOUND_MAX = 1 << 24,
	/* So many seconds longer than something is owed. */
	BOUND_S = 5,
};
static_assert(
    LP_RULE_THROTTLE_MAX_MS <= UINT16_MAX, "as THROTTLE_CUT takes it");

/*
 * KIP-219: clients obey it from that version on.  Java's, of those that may be
 * delayed at all; not Metadata, whose answer is an edit of its own where
 * addresses are rewritten.
 */
static const struct {
	int16_t key;
	int16_t version;
} obeyed[] = {
    {LP_KEY_PRODUCE, 6},
    {LP_KEY_FETCH, 8},
    {LP_KEY_LIST_OFFSETS, 3},
    {LP_KEY_CREATE_TOPICS, 3},
    {LP_KEY_DELETE_TOPICS, 2},
    {LP_KEY_INIT_PRODUCER_ID, 1},
    {LP_KEY_ADD_PARTITIONS_TO_TXN, 1},
    {LP_KEY_END_TXN, 1},
};

static uint32_t charge_answer(
    struct lp_kafka_at *, struct lp_inflight *, uint32_t);
static uint32_t take_owing(struct lp_kafka_at *);
static uint32_t owed_until(
    const struct lp_kafka_at *, const struct lp_bucket *);
static struct lp_bucket *take(struct lp_kafka_at *, const struct lp_judged *,
    const struct lp_rules *, const struct lp_rules_row *);
static void hold(struct lp_kafka_at *, enum lp_direction,
    const struct lp_bucket *, uint32_t, uint64_t, bool);
static bool is_of_members(int16_t);
static void loosen(struct lp_kafka_at *, enum lp_direction, int16_t);
static uint32_t now_s(const struct lp_kafka_at *);
static uint64_t bound_of_requests(const struct lp_bucket *, uint32_t);
static uint64_t bound_of_bytes(const struct lp_bucket *);
static uint64_t who(const struct lp_kafka_at *, const struct lp_judged *,
    const struct lp_rule_action *);
static uint64_t hash(const struct lp_kafka_at *, const void *, size_t);
static uint32_t until(const struct lp_kafka_at *, int64_t);
static uint32_t left_ms(const struct lp_kafka_at *, uint32_t);
static void count_buckets(const struct lp_kafka_at *);
static void count(
    const struct lp_kafka_at *, const struct lp_bucket *, bool, uint64_t);
static void overlay(struct lp_kafka_at *, const struct lp_message *, uint32_t,
    unsigned, unsigned, uint32_t);

void
lp_limit_request(struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_row *row)
{
	struct lp_buckets *buckets = &at->kafka->buckets;
	struct lp_limited *limited = &judged->limited;
	int64_t now_ns = (int64_t)at->kafka->now_ns, wait_ns;
	int16_t key = lp_question_key(at);
	struct lp_bucket *bucket;
	uint32_t until_ms = 0;

	judged->is_by_answer |= lp_rules_is_of_answer(rules, row, key);
	if (lp_rules_is_unlimited(rules, key) ||
	    lp_rules_is_of_answer(rules, row, key) ||
	    !lp_judge_count_row(judged, row, LP_JUDGED_LIMITS))
		return;
	bucket = take(at, judged, rules, row);
	lp_buckets_charge(buckets, bucket, 1,
	    lp_account_fetches(key) ? 0 : lp_question_size(at), now_ns);
	wait_ns = lp_buckets_wait(bucket, now_ns);
	if (wait_ns > 0) {
		until_ms = until(at, wait_ns);
		count(at, bucket, true, (uint64_t)wait_ns);
	}
	/* Of several the one that waits longest. */
	if (limited->bucket.serial != 0 &&
	    left_ms(at, limited->until_ms) >= left_ms(at, until_ms))
		return;
	limited->bucket = lp_buckets_ref(buckets, bucket);
	limited->until_ms = until_ms;
}

void
lp_limit_topic_bytes(struct lp_kafka_at *at, struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_row *row,
    uint64_t bytes)
{
	struct lp_buckets *buckets = &at->kafka->buckets;
	int64_t now_ns = (int64_t)at->kafka->now_ns, before_ns, wait_ns;
	bool first = lp_judge_count_row(judged, row, LP_JUDGED_LIMITS);
	struct lp_bucket *bucket = take(at, judged, rules, row);
	const struct lp_bucket *owing;

	/* What it owes by another topic of this answer has been counted. */
	before_ns = first ? 0 : lp_buckets_wait(bucket, now_ns);
	lp_buckets_charge(buckets, bucket, first,
	    bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX, now_ns);
	wait_ns = lp_buckets_wait(bucket, now_ns);
	if (wait_ns > before_ns)
		count(at, bucket, before_ns == 0,
		    (uint64_t)(wait_ns - before_ns));
	owing = lp_buckets_get(buckets, at->conn->owing);
	if (owing == NULL || lp_buckets_wait(owing, now_ns) < wait_ns)
		at->conn->owing = lp_buckets_ref(buckets, bucket);
}

void
lp_limit_late(struct lp_kafka_at *at, struct lp_judged *judged, unsigned who)
{
	const struct lp_rules_connection connection = lp_gate_ask(at->tcp);
	const struct lp_rules *rules = lp_judge_rules(at);
	struct lp_rules_request request;
	struct lp_rules_found found;

	if (rules == NULL ||
	    (at->splice != NULL && (at->splice->flags & LP_SPLICE_BROKEN)))
		return;
	lp_question_put(at, judged, &request);
	request.from = who & LP_JUDGED_AS_BROKER ? LP_RULE_FROM_BROKER
						 : LP_RULE_FROM_CLIENT;
	lp_rules_request(rules, &connection, &request, &found);
	if (found.decides == LP_RULES_NONE ||
	    rules->rows[found.decides].verdict != LP_RULE_LIMIT)
		return;
	lp_judge_count_row(judged, &rules->rows[found.decides], who);
	lp_limit_request(at, judged, rules, &rules->rows[found.decides]);
}

void
lp_limit_request_end(struct lp_kafka_at *at, struct lp_inflight *entry)
{
	const struct lp_bucket *bucket =
	    lp_buckets_get(&at->kafka->buckets, at->limited.bucket);
	uint64_t bound;

	if (is_of_members(entry->key))
		at->conn->has_member = true;
	if (bucket != NULL) {
		entry->limited = at->limited;
		bound = bound_of_requests(bucket, entry->request_bytes);
		if (!lp_account_fetches(entry->key) &&
		    bound > bound_of_bytes(bucket))
			bound = bound_of_bytes(bucket);
		hold(at, LP_TO_BROKER, bucket, at->limited.until_ms, bound,
		    entry->request_bytes >= LP_LIMIT_ALONE_BYTES);
	} else {
		loosen(at, LP_TO_BROKER, entry->key);
	}
	at->limited = (struct lp_limited){.until_ms = 0};
}

uint32_t
lp_limit_answer(struct lp_kafka_at *at, uint32_t bytes)
{
	struct lp_inflight *oldest = lp_inflight_oldest(at);
	uint32_t wait_ms, owed_ms = 0;
	int16_t from;

	if (oldest == NULL)
		return 0;
	wait_ms = charge_answer(at, oldest, bytes);
	if (lp_account_fetches(oldest->key))
		owed_ms = take_owing(at);
	from = lp_limit_obeyed(oldest->key);
	if (from < 0 || oldest->version < from)
		return 0;
	return wait_ms > owed_ms ? wait_ms : owed_ms;
}

/*
 * Its sender is held only now: a client that is told to wait counts from when
 * it has all of it.
 */
void
lp_limit_answer_end(struct lp_kafka_at *at, const struct lp_inflight *oldest)
{
	const struct lp_bucket *whole, *topics;
	uint64_t bound = UINT64_MAX;

	if (!lp_account_fetches(oldest->key)) {
		loosen(at, LP_TO_CLIENT, oldest->key);
		return;
	}
	whole = lp_buckets_get(&at->kafka->buckets, oldest->limited.bucket);
	topics = lp_buckets_get(&at->kafka->buckets, at->conn->owing);
	if (whole != NULL)
		bound = bound_of_bytes(whole);
	if (topics != NULL && bound_of_bytes(topics) < bound)
		bound = bound_of_bytes(topics);
	if (whole != NULL)
		hold(at, LP_TO_CLIENT, whole, oldest->limited.until_ms, bound,
		    true);
	if (topics != NULL)
		hold(at, LP_TO_CLIENT, topics, owed_until(at, topics), bound,
		    true);
	if (whole == NULL && topics == NULL)
		loosen(at, LP_TO_CLIENT, oldest->key);
}

/* What was passed on of it was zero, as it is in what it becomes. */
void
lp_limit_fact(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_fact *fact)
{
	uint32_t delay_ms = message->delay_ms;
	uint32_t begin = message->seq + fact->at;
	uint32_t gone = 0;

	if (delay_ms == 0 || at->splice == NULL || at->was_held ||
	    lp_edit_open(at) != NULL)
		return;
	if (fact->kind == LP_FACT_THROTTLE_CUT && fact->value < delay_ms >> 8) {
		overlay(at, message, fact->at, THIRD, FIELD - 1, delay_ms);
	} else if (fact->kind == LP_FACT_THROTTLE_TIME &&
	    fact->value < delay_ms) {
		if ((int32_t)(at->chunk_seq - begin) > 0)
			gone = at->chunk_seq - begin;
		overlay(at, message, fact->at, gone, FIELD, delay_ms);
		fact->value = delay_ms;
		lp_telemetry_count(&at->kafka->telemetry, answers_throttled, 1);
	}
}

int16_t
lp_limit_obeyed(int16_t key)
{
	for (size_t i = 0; i < sizeof(obeyed) / sizeof(obeyed[0]); i++)
		if (obeyed[i].key == key)
			return obeyed[i].version;
	return -1;
}

/* All of it, to the bucket of its request.  How long its client waits. */
static uint32_t
charge_answer(
    struct lp_kafka_at *at, struct lp_inflight *oldest, uint32_t bytes)
{
	int64_t now_ns = (int64_t)at->kafka->now_ns;
	struct lp_bucket *bucket =
	    lp_buckets_get(&at->kafka->buckets, oldest->limited.bucket);
	uint32_t until_ms, wait_ms;

	if (bucket == NULL)
		return 0;
	wait_ms = left_ms(at, oldest->limited.until_ms);
	if (lp_account_fetches(oldest->key)) {
		lp_buckets_charge(
		    &at->kafka->buckets, bucket, 0, bytes, now_ns);
		until_ms = until(at, lp_buckets_wait(bucket, now_ns));
		if (left_ms(at, until_ms) > wait_ms) {
			/* What the request has to wait was counted with it. */
			count(at, bucket, oldest->limited.until_ms == 0,
			    (uint64_t)(left_ms(at, until_ms) - wait_ms) *
				NS_PER_MS);
			wait_ms = left_ms(at, until_ms);
			lp_kafka_save(at->kafka, oldest, sizeof(*oldest));
			oldest->limited.until_ms = until_ms;
		}
	}
	return wait_ms < bucket->max_throttle_ms ? wait_ms
						 : bucket->max_throttle_ms;
}

/*
 * What the topics of the answer before this one owe, whose own throttle time
 * had gone by then.  Those of this one come later.
 */
static uint32_t
take_owing(struct lp_kafka_at *at)
{
	const struct lp_bucket *bucket =
	    lp_buckets_get(&at->kafka->buckets, at->conn->owing);
	uint32_t wait_ms;

	at->conn->owing.serial = 0;
	if (bucket == NULL)
		return 0;
	wait_ms = left_ms(at, owed_until(at, bucket));
	return wait_ms < bucket->max_throttle_ms ? wait_ms
						 : bucket->max_throttle_ms;
}

/* When it owes nothing any more; 0: it does not. */
static uint32_t
owed_until(const struct lp_kafka_at *at, const struct lp_bucket *bucket)
{
	int64_t wait_ns = lp_buckets_wait(bucket, (int64_t)at->kafka->now_ns);

	return wait_ns > 0 ? until(at, wait_ns) : 0;
}

/* The one that this rule charges, of whoever asks. */
static struct lp_bucket *
take(struct lp_kafka_at *at, const struct lp_judged *judged,
    const struct lp_rules *rules, const struct lp_rules_row *row)
{
	const struct lp_rule_action *action = &rules->actions[row->action];
	struct lp_bucket *bucket = lp_buckets_take(&at->kafka->buckets, row->id,
	    action, who(at, judged, action), (int64_t)at->kafka->now_ns);

	bucket->slot = row->slot;
	count_buckets(at);
	return bucket;
}

/*
 * From what it has sent by now its sender has to rest, up to that time.  Of
 * megabytes that it was told of it would send all at once.  `alone`: hardly
 * anything of it waits behind.
 */
static void
hold(struct lp_kafka_at *at, enum lp_direction sender,
    const struct lp_bucket *bucket, uint32_t until_ms, uint64_t bound,
    bool alone)
{
	struct lp_pace *pace = &at->kafka->pace;
	uint64_t most = bound_of_bytes(bucket);
	uint32_t wait_ms = left_ms(at, until_ms);
	uint32_t most_ms = !alone || at->conn->has_member
	    ? LP_LIMIT_HELD_MS
	    : LP_LIMIT_HELD_ALONE_MS;

	/* With less room an end waits for its timer. */
	if (bound < BOUND_SEGMENTS * MSS)
		bound = BOUND_SEGMENTS * MSS;
	lp_pace_bind(pace, at->index, sender,
	    &(struct lp_pace_bound){
		.bytes = bound > BOUND_MAX ? 0 : (uint32_t)bound,
		.most = most > BOUND_MAX ? BOUND_MAX : (uint32_t)most,
		.until_s = now_s(at) + wait_ms / 1000 + BOUND_S,
		.is_of_last = bucket->requests_per_s != 0},
	    now_s(at));
	if (most_ms < bucket->max_throttle_ms)
		most_ms = bucket->max_throttle_ms;
	if (wait_ms > most_ms)
		wait_ms = most_ms;
	if (wait_ms > 0)
		lp_pace_until(pace, at->index, sender,
		    at->kafka->now_ns + (uint64_t)wait_ms * NS_PER_MS);
}

/*
 * What no rule limits has passed: who sends it in between is bound as long as
 * what was limited is owed, and some more.  Heartbeats say nothing of it.
 */
static void
loosen(struct lp_kafka_at *at, enum lp_direction sender, int16_t key)
{
	const struct lp_rules *rules = lp_judge_rules(at);
	struct lp_pace *pace = &at->kafka->pace;

	if (rules == NULL || !rules->limits)
		lp_pace_bound(pace, at->index, sender, 0);
	else if (!lp_rules_is_unlimited(rules, key))
		lp_pace_loosen(pace, at->index, sender, now_s(at));
}

static uint32_t
now_s(const struct lp_kafka_at *at)
{
	return (uint32_t)(at->kafka->now_ns / NS_PER_S);
}

/* What passes in a part of a second of frames of that size. */
static uint64_t
bound_of_requests(const struct lp_bucket *bucket, uint32_t bytes)
{
	uint64_t bound = (uint64_t)bucket->requests_per_s * bytes / BOUND_SHARE;

	return bucket->requests_per_s == 0 ? UINT64_MAX : bound + 1;
}

static uint64_t
bound_of_bytes(const struct lp_bucket *bucket)
{
	uint64_t bound = bucket->bytes_per_s / BOUND_SHARE;

	return bound < BOUND_MIN && bucket->bytes_per_s != 0 ? BOUND_MIN
	    : bound == 0                                     ? UINT64_MAX
							     : bound;
}

/* What a coordinator waits for. */
static bool
is_of_members(int16_t key)
{
	return key == LP_KEY_JOIN_GROUP || key == LP_KEY_SYNC_GROUP ||
	    key == LP_KEY_HEARTBEAT || key == LP_KEY_CONSUMER_GROUP_HEARTBEAT ||
	    key == LP_KEY_SHARE_GROUP_HEARTBEAT ||
	    key == LP_KEY_STREAMS_GROUP_HEARTBEAT;
}

/* Whose bucket it is; 0: the rule's. */
static uint64_t
who(const struct lp_kafka_at *at, const struct lp_judged *judged,
    const struct lp_rule_action *action)
{
	switch (action->per) {
	case LP_RULE_PER_CLIENT_ID:
		if (judged->has & 1u << LP_JUDGED_CLIENT_ID)
			return hash(at, judged->texts[LP_JUDGED_CLIENT_ID],
			    judged->lens[LP_JUDGED_CLIENT_ID]);
		return NOBODY;
	case LP_RULE_PER_PRINCIPAL:
		if (at->conn->flags & LP_KAFKA_NAMED)
			return hash(at, at->conn->name, at->conn->name_len);
		return NOBODY;
	default:
		return 0;
	}
}

static uint64_t
hash(const struct lp_kafka_at *at, const void *bytes, size_t len)
{
	uint64_t hash =
	    XXH3_64bits_withSeed(bytes, len, at->kafka->telemetry.seed);

	return hash > NOBODY ? hash : NOBODY + 1;
}

/* That time in ms, as it is kept, and never 0. */
static uint32_t
until(const struct lp_kafka_at *at, int64_t wait_ns)
{
	uint32_t ms =
	    (uint32_t)((at->kafka->now_ns + (uint64_t)wait_ns) / NS_PER_MS);

	return ms + (ms == 0);
}

static uint32_t
left_ms(const struct lp_kafka_at *at, uint32_t until_ms)
{
	int32_t left =
	    (int32_t)(until_ms - (uint32_t)(at->kafka->now_ns / NS_PER_MS));

	return until_ms != 0 && left > 0 ? (uint32_t)left : 0;
}

static void
count_buckets(const struct lp_kafka_at *at)
{
	struct lp_kafka_stats *stats = at->kafka->telemetry.stats;
	const struct lp_buckets *buckets = &at->kafka->buckets;

	lp_count_set(&stats->counters.buckets, lp_buckets_used(buckets));
	lp_count_set(&stats->counters.buckets_shared, buckets->shared);
}

/* Its rule may have gone, and its counters with it. */
static void
count(const struct lp_kafka_at *at, const struct lp_bucket *bucket, bool first,
    uint64_t wait_ns)
{
	struct lp_rule_stats *stats = &at->kafka->region->rules[bucket->slot];

	if (atomic_load_explicit(&stats->rule_id, memory_order_relaxed) !=
	    bucket->rule_id)
		return;
	lp_count_add(&stats->delayed, first);
	lp_count_add(&stats->delayed_ns, wait_ns);
}

/* Of a throttle time at that place of the frame its bytes from one to another,
 * as they are in this one. */
static void
overlay(struct lp_kafka_at *at, const struct lp_message *message,
    uint32_t field, unsigned from, unsigned upto, uint32_t value)
{
	struct lp_overlay over = {.at = field + from,
	    .len = upto - from,
	    .over_len = (uint8_t)(upto - from)};
	uint8_t bytes[FIELD];

	lp_put32(bytes, value);
	memcpy(over.over, bytes + from, over.len);
	lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &over);
}
