/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/buckets.h"

#include <assert.h>
#include <string.h>

enum {
	HEADS = 1 << 16, /* of the hash: a power of two */
	ALL = LP_BUCKETS_OF_RULES + LP_BUCKETS_OF_ASKERS,
	NS_PER_S = 1000000000,
	/* Of requests: what a tenth of a second lets pass, or one. */
	REQUESTS_BURST_NS = NS_PER_S / 10,
	/* A burst is no more than so long a time lets pass. */
	BURST_MAX_S = 3600,
};

static const int64_t debt_max_ns = (int64_t)LP_BUCKETS_DEBT_S * NS_PER_S;
static const int64_t idle_ns = (int64_t)LP_BUCKETS_IDLE_S * NS_PER_S;

static_assert((unsigned)LP_BUCKETS_IDLE_S >= LP_BUCKETS_DEBT_S,
    "who loses a place owes nothing");

static uint32_t *head_of(struct lp_buckets *, uint32_t, uint64_t);
static struct lp_bucket *place(
    struct lp_buckets *, struct lp_buckets_class *, bool, int64_t);
static void leave(struct lp_buckets *, struct lp_bucket *);
static void use(struct lp_buckets *, struct lp_bucket *, int64_t);
static void append(
    struct lp_buckets *, struct lp_buckets_class *, struct lp_bucket *);
static void detach(
    struct lp_buckets *, struct lp_buckets_class *, struct lp_bucket *);
static void put_rates(
    struct lp_bucket *, const struct lp_rule_action *, int64_t);
static int64_t at_rate(int64_t, uint64_t, uint64_t, int64_t);
static int64_t pay(int64_t, int64_t, uint64_t, uint64_t, int64_t);

void
lp_buckets_carve(struct lp_buckets *buckets, struct lp_arena *arena)
{
	buckets->all = lp_arena_take(arena, ALL, sizeof(*buckets->all));
	buckets->heads = lp_arena_take(arena, HEADS, sizeof(*buckets->heads));
}

void
lp_buckets_init(struct lp_buckets *buckets, uint64_t random)
{
	buckets->rules =
	    (struct lp_buckets_class){.count = LP_BUCKETS_OF_RULES};
	buckets->askers = (struct lp_buckets_class){
	    .first = LP_BUCKETS_OF_RULES, .count = LP_BUCKETS_OF_ASKERS};
	buckets->serial = (uint32_t)(random >> 32);
	buckets->shared = 0;
}

struct lp_bucket *
lp_buckets_take(struct lp_buckets *buckets, uint32_t rule_id,
    const struct lp_rule_action *action, uint64_t who, int64_t now_ns)
{
	struct lp_buckets_class *class =
	    who == 0 ? &buckets->rules : &buckets->askers;
	uint32_t *head = head_of(buckets, rule_id, who);
	struct lp_bucket *bucket;
	uint32_t link = *head;

	while (link != 0 &&
	    (buckets->all[link - 1].rule_id != rule_id ||
		buckets->all[link - 1].who != who))
		link = buckets->all[link - 1].next;
	if (link != 0) {
		bucket = &buckets->all[link - 1];
	} else {
		bucket = place(buckets, class, who == 0, now_ns);
		if (bucket == NULL) {
			buckets->shared++;
			return lp_buckets_take(
			    buckets, rule_id, action, 0, now_ns);
		}
		if (++buckets->serial == 0)
			buckets->serial = 1;
		*bucket = (struct lp_bucket){.who = who,
		    .bytes_ns = INT64_MIN / 2,
		    .requests_ns = INT64_MIN / 2,
		    .rule_id = rule_id,
		    .serial = buckets->serial,
		    .next = *head};
		*head = (uint32_t)(bucket - buckets->all) + 1;
		append(buckets, class, bucket);
	}
	use(buckets, bucket, now_ns);
	put_rates(bucket, action, now_ns);
	return bucket;
}

struct lp_bucket *
lp_buckets_get(struct lp_buckets *buckets, struct lp_bucket_ref ref)
{
	if (ref.serial == 0 || ref.index >= ALL ||
	    buckets->all[ref.index].serial != ref.serial)
		return NULL;
	return &buckets->all[ref.index];
}

void
lp_buckets_charge(struct lp_buckets *buckets, struct lp_bucket *bucket,
    uint32_t requests, uint32_t bytes, int64_t now_ns)
{
	uint64_t rate = bucket->requests_per_s;

	use(buckets, bucket, now_ns);
	if (bucket->bytes_per_s != 0)
		bucket->bytes_ns = pay(bucket->bytes_ns, bucket->burst_ns,
		    bytes, bucket->bytes_per_s, now_ns);
	if (rate != 0 && requests > 0)
		bucket->requests_ns = pay(bucket->requests_ns,
		    rate < NS_PER_S / REQUESTS_BURST_NS
			? (int64_t)(NS_PER_S / rate)
			: REQUESTS_BURST_NS,
		    requests, rate, now_ns);
}

static uint32_t *
head_of(struct lp_buckets *buckets, uint32_t rule_id, uint64_t who)
{
	uint64_t mixed = (who ^ rule_id) * 0x9e3779b97f4a7c15u;

	return &buckets->heads[mixed >> 48 & (HEADS - 1)];
}

/* One that nobody has, or has any more; NULL: all are used. */
static struct lp_bucket *
place(struct lp_buckets *buckets, struct lp_buckets_class *class, bool always,
    int64_t now_ns)
{
	struct lp_bucket *oldest;

	if (class->used < class->count)
		return &buckets->all[class->first + class->used++];
	oldest = &buckets->all[class->oldest - 1];
	if (!always && now_ns - oldest->used_ns < idle_ns)
		return NULL;
	detach(buckets, class, oldest);
	leave(buckets, oldest);
	return oldest;
}

/* The chain of its hash. */
static void
leave(struct lp_buckets *buckets, struct lp_bucket *bucket)
{
	uint32_t *link = head_of(buckets, bucket->rule_id, bucket->who);

	while (*link != (uint32_t)(bucket - buckets->all) + 1)
		link = &buckets->all[*link - 1].next;
	*link = bucket->next;
}

/* The newest of its class, from now on. */
static void
use(struct lp_buckets *buckets, struct lp_bucket *bucket, int64_t now_ns)
{
	struct lp_buckets_class *class =
	    bucket->who == 0 ? &buckets->rules : &buckets->askers;

	bucket->used_ns = now_ns;
	if (bucket->newer == 0)
		return;
	detach(buckets, class, bucket);
	append(buckets, class, bucket);
}

static void
append(struct lp_buckets *buckets, struct lp_buckets_class *class,
    struct lp_bucket *bucket)
{
	uint32_t link = (uint32_t)(bucket - buckets->all) + 1;

	bucket->newer = 0;
	bucket->older = class->newest;
	if (class->newest != 0)
		buckets->all[class->newest - 1].newer = link;
	else
		class->oldest = link;
	class->newest = link;
}

static void
detach(struct lp_buckets *buckets, struct lp_buckets_class *class,
    struct lp_bucket *bucket)
{
	if (bucket->newer != 0)
		buckets->all[bucket->newer - 1].older = bucket->older;
	else
		class->newest = bucket->older;
	if (bucket->older != 0)
		buckets->all[bucket->older - 1].newer = bucket->newer;
	else
		class->oldest = bucket->newer;
}

static void
put_rates(struct lp_bucket *bucket, const struct lp_rule_action *action,
    int64_t now_ns)
{
	uint64_t burst = action->burst_bytes, rate = action->bytes_per_s;

	bucket->max_throttle_ms = action->max_throttle_ms;
	bucket->requests_ns = at_rate(bucket->requests_ns,
	    bucket->requests_per_s, action->requests_per_s, now_ns);
	bucket->requests_per_s = (uint32_t)action->requests_per_s;
	if (bucket->bytes_per_s == rate && bucket->burst_bytes == burst)
		return;
	bucket->bytes_ns =
	    at_rate(bucket->bytes_ns, bucket->bytes_per_s, rate, now_ns);
	bucket->bytes_per_s = rate;
	bucket->burst_bytes = burst;
	if (rate == 0)
		return;
	bucket->burst_ns = burst / rate >= BURST_MAX_S
	    ? (int64_t)BURST_MAX_S * NS_PER_S
	    : (int64_t)((double)burst / (double)rate * NS_PER_S);
}

/*
 * When what is owed is paid at another rate: it is of bytes or requests, not of
 * time.  Nothing is owed of what is not limited any more.
 */
static int64_t
at_rate(int64_t owed_ns, uint64_t rate, uint64_t new_rate, int64_t now_ns)
{
	double left_ns;

	if (new_rate == 0)
		return INT64_MIN / 2;
	if (new_rate == rate || owed_ns <= now_ns)
		return owed_ns;
	left_ns = (double)(owed_ns - now_ns) * (double)rate / (double)new_rate;
	return now_ns +
	    (left_ns < (double)debt_max_ns ? (int64_t)left_ns : debt_max_ns);
}

/* When so much is paid, at that rate, behind what was owed before. */
static int64_t
pay(int64_t owed_ns, int64_t burst_ns, uint64_t amount, uint64_t rate,
    int64_t now_ns)
{
	if (owed_ns < now_ns - burst_ns)
		owed_ns = now_ns - burst_ns;
	owed_ns += (int64_t)((amount * NS_PER_S + rate - 1) / rate);
	return owed_ns < now_ns + debt_max_ns ? owed_ns : now_ns + debt_max_ns;
}
