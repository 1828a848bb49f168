/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets of rules that limit: how much a rule has let pass, by itself or for
 * each of those who ask.
 *
 *	bucket = lp_buckets_take(&buckets, rule, &action, who, now);
 *	lp_buckets_charge(&buckets, bucket, 1, bytes, now);
 *	wait = lp_buckets_wait(bucket, now);
 *
 * Nothing is refused: what is more than there is becomes a debt, and who asks
 * is to wait until it is paid (GCRA, ITU-T I.371, without its refusal).  A
 * bucket keeps the moment when it owes nothing any more, which lies back by
 * what it may still let pass at once, its burst at most.  With another rate
 * that moment moves: owed are bytes and requests.  No clock: times are the
 * caller's.
 *
 * Limits.  A rule's own buckets have LP_BUCKETS_OF_RULES places; of more rules
 * the one that was asked longest ago loses its place.  Each of those who ask
 * has a place among LP_BUCKETS_OF_ASKERS; whose was not used for
 * LP_BUCKETS_IDLE_S is another's if all are taken, and owes nothing by then.
 * If none was idle for so long, who comes shares the bucket of the rule itself:
 * nobody is without a limit.  A debt is of LP_BUCKETS_DEBT_S at most.
 *
 * One worker owns them; they do not outlive the process.
 */
#ifndef LP_PIPELINE_BUCKETS_H
#define LP_PIPELINE_BUCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pipeline/arena.h"
#include "dataplane/pipeline/limits.h"
#include "proto/rule.h"

struct lp_bucket {
	uint64_t who; /* a hash; of a rule's own: 0 */
	int64_t bytes_ns; /* when nothing is owed any more */
	int64_t requests_ns;
	int64_t used_ns;
	uint64_t bytes_per_s; /* 0: not limited */
	uint64_t burst_bytes;
	int64_t burst_ns; /* the same as time */
	uint32_t requests_per_s; /* 0: not limited */
	uint32_t max_throttle_ms;
	uint32_t rule_id;
	uint32_t slot; /* of that rule's counters, for who counts */
	uint32_t serial; /* of this use of the place; 0: never used */
	uint32_t next; /* of one hash: index + 1; 0: the last */
	uint32_t newer; /* by their last use, likewise */
	uint32_t older;
};

/* One that may be another's by the time that it is asked for. */
struct lp_bucket_ref {
	uint32_t index;
	uint32_t serial; /* 0: none */
};

/* Places that are given again, the one that was used longest ago first. */
struct lp_buckets_class {
	uint32_t first; /* index */
	uint32_t count;
	uint32_t used; /* of them, ever */
	uint32_t newest; /* index + 1 */
	uint32_t oldest;
};

struct lp_buckets {
	struct lp_bucket *all;
	uint32_t *heads; /* by hash: index + 1 */
	struct lp_buckets_class rules;
	struct lp_buckets_class askers;
	uint32_t serial;
	uint64_t shared; /* times that there was no place */
};

/* Takes its memory; lp_buckets_init() begins. */
void lp_buckets_carve(struct lp_buckets *buckets, struct lp_arena *arena);

/* The number is random: references of other processes are none of these. */
void lp_buckets_init(struct lp_buckets *buckets, uint64_t random);

/*
 * The bucket of a rule, or of one of those who ask (not 0) for it; as the
 * action says from now on.
 */
struct lp_bucket *lp_buckets_take(struct lp_buckets *buckets, uint32_t rule_id,
    const struct lp_rule_action *action, uint64_t who, int64_t now_ns);

/* NULL: it is not that one any more. */
struct lp_bucket *lp_buckets_get(
    struct lp_buckets *buckets, struct lp_bucket_ref ref);

static inline struct lp_bucket_ref
lp_buckets_ref(const struct lp_buckets *buckets, const struct lp_bucket *bucket)
{
	return (struct lp_bucket_ref){
	    .index = (uint32_t)(bucket - buckets->all),
	    .serial = bucket->serial};
}

/*
 * So much of what it limits has passed: it is used, and keeps its place while
 * it owes that.
 */
void lp_buckets_charge(struct lp_buckets *buckets, struct lp_bucket *bucket,
    uint32_t requests, uint32_t bytes, int64_t now_ns);

/* How long until nothing is owed; 0: nothing is. */
static inline int64_t
lp_buckets_wait(const struct lp_bucket *bucket, int64_t now_ns)
{
	int64_t paid_ns = bucket->bytes_ns > bucket->requests_ns
	    ? bucket->bytes_ns
	    : bucket->requests_ns;

	return paid_ns > now_ns ? paid_ns - now_ns : 0;
}

/* Places that are taken, and how many there are. */
static inline uint32_t
lp_buckets_used(const struct lp_buckets *buckets)
{
	return buckets->rules.used + buckets->askers.used;
}

#endif
