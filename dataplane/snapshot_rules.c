/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/snapshot_rules.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dataplane/kafka/account.h"
#include "dataplane/rules.h"
#include "proto/object_rule.h"

enum { INDEX_SIZE_MIN = 64 };

/* Which slot is whose, while one snapshot is being built. */
struct slots {
	struct lp_region *region;
	uint32_t *index; /* slot + 1; 0: free place */
	uint32_t mask;
	uint32_t next; /* the first slot that may be free */
	uint64_t sum; /* of the rules that sessions depend on */
};

static bool concerns_sessions(
    const struct lp_object *object, const struct lp_object_rule *rule);
static int add_brokers(
    struct lp_snapshot *snapshot, const struct lp_config *config);
static int add_mirrors(
    struct lp_snapshot *snapshot, const struct lp_config *config);
static int add_rules(struct lp_rules_builder *builder, struct slots *slots,
    const struct lp_config *config, struct lp_snapshot_fault *fault);
static int add_rule(struct lp_rules_builder *builder, struct slots *slots,
    const struct lp_object *object, struct lp_snapshot_fault *fault);
static uint32_t find_name(
    void *context, unsigned field, const char *name, uint16_t len);
static void blame(
    const struct lp_config *config, struct lp_snapshot_fault *fault);
static int open_slots(
    struct slots *slots, struct lp_region *region, size_t count);
static uint32_t *find_slot(const struct slots *slots, uint32_t id);
static int take_slot(struct slots *slots, uint32_t id, uint32_t *slot);
static uint32_t get_id(const struct lp_region *region, uint32_t slot);
static void set_id(struct lp_region *region, uint32_t slot, uint32_t id);

int
lp_snapshot_rules_build(struct lp_snapshot *snapshot,
    const struct lp_config *config, struct lp_region *region,
    struct lp_snapshot_fault *fault)
{
	const struct lp_rules_names names = {
	    .context = (void *)config, .find = find_name};
	size_t first, count = lp_config_range(config, LP_OBJECT_RULE, &first);
	struct lp_rules_builder *builder = NULL;
	struct slots slots = {.index = NULL};
	uint64_t seed;
	int error;

	if (count == 0)
		return 0;
	/* Of this snapshot alone; so few bytes come whole (getrandom(2)). */
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	error = add_brokers(snapshot, config);
	if (!error)
		error = open_slots(&slots, region, count);
	if (!error)
		error = lp_rules_new(&builder, seed, &names);
	if (!error)
		error = add_rules(builder, &slots, config, fault);
	if (!error) {
		error = lp_rules_build(&snapshot->rules, builder, fault->why);
		if (error)
			blame(config, fault);
	}
	if (!error)
		error = add_mirrors(snapshot, config);
	if (!error && snapshot->rules->has_requests)
		snapshot->request_rules = snapshot->rules;
	if (!error)
		snapshot->sessions_stamp =
		    (uint32_t)slots.sum | (slots.sum != 0);
	lp_rules_discard(builder);
	free(slots.index);
	return error;
}

void
lp_snapshot_rules_release(
    const struct lp_rules *rules, struct lp_region *region)
{
	uint32_t used = region->header->rule_slots;
	bool *kept;

	if (used == 0)
		return;
	kept = calloc(used, sizeof(*kept));
	/* They are released with the next generation, then. */
	if (!kept)
		return;
	for (uint32_t i = 0; rules && i < rules->row_count; i++) {
		assert(rules->rows[i].slot < used);
		kept[rules->rows[i].slot] = true;
	}
	for (uint32_t slot = 0; slot < used; slot++)
		if (!kept[slot] && get_id(region, slot) != 0)
			set_id(region, slot, 0);
	free(kept);
}

static int
add_brokers(struct lp_snapshot *snapshot, const struct lp_config *config)
{
	size_t first, count;
	uint32_t size = INDEX_SIZE_MIN;

	count = lp_config_range(config, LP_OBJECT_BROKER, &first);
	while (size < 2 * count)
		size *= 2;
	snapshot->brokers = calloc(size, sizeof(*snapshot->brokers));
	if (!snapshot->brokers)
		return -ENOMEM;
	snapshot->broker_mask = size - 1;
	for (size_t i = first; i < first + count; i++) {
		const struct lp_broker_object *broker =
		    &config->objects[i].broker;
		uint32_t at = lp_snapshot_hash_ip(&broker->real.ip);

		while (snapshot->brokers[at & (size - 1)].cluster_id != 0)
			at++;
		snapshot->brokers[at & (size - 1)] =
		    (struct lp_snapshot_broker){.ip = broker->real.ip,
			.cluster_id =
			    lp_config_root(config, broker->cluster_id)};
	}
	return 0;
}

/* Their ports, which the configuration was checked to have. */
static int
add_mirrors(struct lp_snapshot *snapshot, const struct lp_config *config)
{
	const struct lp_rules *rules = snapshot->rules;

	for (uint32_t i = 0; i < rules->action_count; i++) {
		const struct lp_rule_action *action = &rules->actions[i];
		const struct lp_object *port;

		if (!(action->has & LP_RULE_HAS_MIRROR))
			continue;
		if (!snapshot->mirrors)
			snapshot->mirrors = calloc(
			    rules->action_count, sizeof(*snapshot->mirrors));
		if (!snapshot->mirrors)
			return -ENOMEM;
		port = lp_config_find_name(
		    config, LP_OBJECT_PORT, 0, action->mirror);
		snapshot->mirrors[i] = port ? port->id : 0;
	}
	return 0;
}

static int
add_rules(struct lp_rules_builder *builder, struct slots *slots,
    const struct lp_config *config, struct lp_snapshot_fault *fault)
{
	size_t first, count = lp_config_range(config, LP_OBJECT_RULE, &first);
	int error = 0;

	for (size_t i = first; i < first + count && !error; i++)
		error = add_rule(builder, slots, &config->objects[i], fault);
	if (error && fault->object_id != 0)
		blame(config, fault);
	return error;
}

static int
add_rule(struct lp_rules_builder *builder, struct slots *slots,
    const struct lp_object *object, struct lp_snapshot_fault *fault)
{
	struct lp_object_rule parsed;
	struct lp_rules_rule rule = {.id = object->id,
	    .priority = (uint16_t)object->rule.priority,
	    .shadow = object->rule.shadow,
	    .match = &parsed.match,
	    .action = &parsed.action};
	int error;

	fault->object_id = object->id;
	fault->field = "match";
	error = lp_object_rule_parse(
	    &parsed, &object->rule, &fault->field, fault->why);
	if (error)
		return error;
	snprintf(fault->why, sizeof(fault->why),
	    "more than %d rules, with those of the running generation",
	    LP_RULE_SLOTS);
	error = take_slot(slots, object->id, &rule.slot);
	if (error)
		return error;
	error = lp_rules_add(builder, &rule, fault->why);
	if (!error)
		fault->object_id = 0;
	if (concerns_sessions(object, &parsed))
		slots->sum =
		    XXH3_64bits_withSeed(object, sizeof(*object), slots->sum);
	return error;
}

/* Whether it can decide, in whatever way, what a fetch or share session has. */
static bool
concerns_sessions(
    const struct lp_object *object, const struct lp_object_rule *rule)
{
	const struct lp_rule_value *apis;
	uint16_t count = lp_rule_match_values(&rule->match, LP_RULE_API, &apis);

	if (object->rule.shadow || rule->action.verdict == LP_RULE_OBSERVE)
		return false;
	for (uint16_t i = 0; i < count; i++)
		if (apis[i].low == LP_KEY_FETCH ||
		    apis[i].low == LP_KEY_SHARE_FETCH)
			return true;
	return count == 0;
}

/* The configuration was checked: there is one. */
static uint32_t
find_name(void *context, unsigned field, const char *name, uint16_t len)
{
	const struct lp_config *config = context;
	enum lp_object_kind kind = LP_OBJECT_PORT;
	const struct lp_object *object;
	char text[2 * LP_NAME_SIZE];

	if (field == LP_RULE_CLUSTER)
		kind = LP_OBJECT_CLUSTER;
	else if (field == LP_RULE_LISTENER)
		kind = LP_OBJECT_LISTENER;
	snprintf(text, sizeof(text), "%.*s", (int)len, name);
	object = lp_config_find_text(config, kind, text);
	return object ? object->id : 0;
}

/* Of "rule 7: why": the rule, and the rest. */
static void
blame(const struct lp_config *config, struct lp_snapshot_fault *fault)
{
	unsigned id = 0;
	int len = 0;

	if (sscanf(fault->why, "rule %u: %n", &id, &len) == 1 && len > 0) {
		fault->object_id = id;
		memmove(
		    fault->why, fault->why + len, strlen(fault->why + len) + 1);
	}
	fault->field = "match";
	if (fault->object_id != 0 &&
	    !lp_config_find(config, LP_OBJECT_RULE, fault->object_id))
		fault->object_id = 0;
}

/* ---- slots --------------------------------------------------------------- */

static int
open_slots(struct slots *slots, struct lp_region *region, size_t count)
{
	uint32_t used = region->header->rule_slots;
	uint32_t size = INDEX_SIZE_MIN;

	assert(used <= LP_RULE_SLOTS);
	while (size < 2 * (used + count))
		size *= 2;
	slots->region = region;
	slots->index = calloc(size, sizeof(*slots->index));
	slots->mask = size - 1;
	if (!slots->index)
		return -ENOMEM;
	for (uint32_t slot = 0; slot < used; slot++)
		if (get_id(region, slot) != 0)
			*find_slot(slots, get_id(region, slot)) = slot + 1;
	return 0;
}

/* The place of that rule in the index, or the free one where it belongs. */
static uint32_t *
find_slot(const struct slots *slots, uint32_t id)
{
	uint32_t at = lp_snapshot_hash_pair(id, 0) & slots->mask;

	while (slots->index[at] != 0 &&
	    get_id(slots->region, slots->index[at] - 1) != id)
		at = (at + 1) & slots->mask;
	return &slots->index[at];
}

static int
take_slot(struct slots *slots, uint32_t id, uint32_t *slot)
{
	struct lp_region_header *header = slots->region->header;
	uint32_t *entry = find_slot(slots, id);
	struct lp_rule_stats *stats;

	if (*entry != 0) {
		*slot = *entry - 1;
		return 0;
	}
	while (slots->next < header->rule_slots &&
	    get_id(slots->region, slots->next) != 0)
		slots->next++;
	if (slots->next == LP_RULE_SLOTS)
		return -ENOSPC;
	if (slots->next == header->rule_slots)
		header->rule_slots++;
	*slot = slots->next;
	stats = &slots->region->rules[*slot];
	lp_count_set(&stats->connections, 0);
	lp_count_set(&stats->requests, 0);
	lp_count_set(&stats->request_bytes, 0);
	lp_count_set(&stats->refused, 0);
	lp_count_set(&stats->delayed, 0);
	lp_count_set(&stats->delayed_ns, 0);
	/* Last: a process that is killed here leaves a free slot. */
	set_id(slots->region, *slot, id);
	*entry = *slot + 1;
	return 0;
}

static uint32_t
get_id(const struct lp_region *region, uint32_t slot)
{
	return atomic_load_explicit(
	    &region->rules[slot].rule_id, memory_order_relaxed);
}

static void
set_id(struct lp_region *region, uint32_t slot, uint32_t id)
{
	atomic_store_explicit(
	    &region->rules[slot].rule_id, id, memory_order_release);
}
