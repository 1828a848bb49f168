/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/denials.h"

#include <assert.h>
#include <string.h>

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/region.h"

enum { NS_PER_S = 1000000000 };

static uint32_t left_of(const struct lp_denials *, uint32_t);
static void leave_out(struct lp_denials *, uint32_t, uint32_t);
static struct lp_denial *place(struct lp_denials *, uint32_t, uint32_t);
static void publish(struct lp_denials *);

void
lp_denials_carve(struct lp_denials *denials, struct lp_arena *arena)
{
	denials->places =
	    lp_arena_take(arena, LP_DENIALS_SIZE, sizeof(*denials->places));
	denials->budgets =
	    lp_arena_take(arena, LP_DENIALS_SLOTS, sizeof(*denials->budgets));
}

void
lp_denials_init(struct lp_denials *denials, struct lp_region *region)
{
	denials->stats = region->kafka_stats;
	region->denials = denials;
}

struct lp_denial *
lp_denials_open(struct lp_denials *denials, uint32_t slot, uint32_t rule_id)
{
	assert(slot < LP_DENIALS_OTHERS);
	if (denials == NULL)
		return NULL;
	/* All of them first: then what one rule has too many is its own. */
	if (left_of(denials, LP_DENIALS_OTHERS) == 0) {
		leave_out(denials, LP_DENIALS_OTHERS, 0);
		return NULL;
	}
	if (left_of(denials, slot) == 0) {
		leave_out(denials, slot, rule_id);
		return NULL;
	}
	denials->budgets[LP_DENIALS_OTHERS].count++;
	denials->budgets[slot].count++;
	return place(denials, slot, rule_id);
}

void
lp_denials_close(struct lp_denials *denials)
{
	publish(denials);
	lp_count_add(&denials->stats->counters.denials_told, 1);
}

void
lp_denials_whose(struct lp_denial *denial, const struct lp_conn *conn)
{
	denial->client_ip = conn->client_ip;
	denial->client_port = conn->client_port;
	denial->listener_id = conn->listener_id;
	denial->broker_id = conn->broker_id;
	denial->node_id = conn->node_id;
}

void
lp_denials_text(struct lp_denial *denial, enum lp_denial_text which,
    const uint8_t *bytes, size_t len)
{
	uint8_t bit = (uint8_t)(1u << which);

	static_assert(LP_DENIALS_TEXT_MAX <= UINT8_MAX, "its length is a byte");
	denial->has |= bit;
	if (len > LP_DENIALS_TEXT_MAX) {
		denial->cut |= bit;
		len = LP_DENIALS_TEXT_MAX;
	}
	denial->lens[which] = (uint8_t)len;
	memcpy(denial->texts[which], bytes, len);
}

const struct lp_denial *
lp_denials_oldest(const struct lp_denials *denials)
{
	uint32_t tail =
	    atomic_load_explicit(&denials->tail, memory_order_relaxed);

	if (tail == atomic_load_explicit(&denials->head, memory_order_acquire))
		return NULL;
	return &denials->places[tail % LP_DENIALS_SIZE];
}

void
lp_denials_consumed(struct lp_denials *denials)
{
	uint32_t tail =
	    atomic_load_explicit(&denials->tail, memory_order_relaxed);

	atomic_store_explicit(&denials->tail, tail + 1, memory_order_release);
}

/* What is left of that second; a new one begins. */
static uint32_t
left_of(const struct lp_denials *denials, uint32_t slot)
{
	struct lp_denials_budget *budget = &denials->budgets[slot];
	uint32_t second = (uint32_t)(denials->now_ns / NS_PER_S);
	uint32_t max =
	    slot == LP_DENIALS_OTHERS ? LP_DENIALS_MAX : LP_DENIALS_RULE_MAX;

	if (budget->second != second) {
		budget->second = second;
		budget->count = 0;
		budget->is_marked = false;
	}
	return max - budget->count;
}

/* The first one of a second is told of: a place that counts, too. */
static void
leave_out(struct lp_denials *denials, uint32_t slot, uint32_t rule_id)
{
	struct lp_denials_budget *budget = &denials->budgets[slot];
	uint64_t before = lp_count_get(&budget->left_out);
	struct lp_denial *denial;

	/* Counted before it is told of: control may look at once. */
	lp_count_add(&budget->left_out, 1);
	lp_count_add(&denials->stats->counters.denials_left_out, 1);
	if (budget->is_marked)
		return;
	denial = place(denials, slot, rule_id);
	if (denial != NULL) {
		denial->kind = LP_DENIAL_LEFT_OUT;
		denial->left_out = before;
		publish(denials);
	}
	if (left_of(denials, LP_DENIALS_OTHERS) > 0)
		denials->budgets[LP_DENIALS_OTHERS].count++;
	budget->is_marked = denial != NULL;
}

/* NULL: the ring is full. */
static struct lp_denial *
place(struct lp_denials *denials, uint32_t slot, uint32_t rule_id)
{
	uint32_t head =
	    atomic_load_explicit(&denials->head, memory_order_relaxed);
	uint32_t tail =
	    atomic_load_explicit(&denials->tail, memory_order_acquire);
	struct lp_denial *denial = &denials->places[head % LP_DENIALS_SIZE];

	if (head - tail == LP_DENIALS_SIZE) {
		lp_count_add(&denials->stats->counters.denials_full, 1);
		return NULL;
	}
	memset(denial, 0, offsetof(struct lp_denial, texts));
	denial->time_ns = denials->now_ns;
	denial->slot = slot;
	denial->rule_id = rule_id;
	return denial;
}

static void
publish(struct lp_denials *denials)
{
	uint32_t head =
	    atomic_load_explicit(&denials->head, memory_order_relaxed);

	atomic_store_explicit(&denials->head, head + 1, memory_order_release);
}
