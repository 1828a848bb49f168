/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rule_stats.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/object_rule.h"
#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"

void
rule_put(uint32_t id, uint32_t priority, const char *match, const char *action,
    bool shadow)
{
	struct lp_object object;
	char name[LP_NAME_SIZE], why[LP_WHY_SIZE];
	const char *field;

	snprintf(name, sizeof(name), "r%u", id);
	object = make_rule(id, name, priority, match, action);
	ensure(lp_object_rule_normalise(&object.rule, &field, why) == 0,
	    "%s: %s: %s", match, field, why);
	object.rule.shadow = shadow;
	put(&plane.config, object);
}

const struct lp_rule_stats *
rule_stats(uint32_t id)
{
	for (uint32_t i = 0; i < plane.region.header->rule_slots; i++)
		if (plane.region.rules[i].rule_id == id)
			return &plane.region.rules[i];
	ensure(false, "rule %u has no counters", id);
	return NULL;
}

void
rule_counts(
    uint32_t id, uint64_t connections, uint64_t refused, uint64_t requests)
{
	const struct lp_rule_stats *stats = rule_stats(id);
	uint64_t was[] = {lp_count_get(&stats->connections),
	    lp_count_get(&stats->refused), lp_count_get(&stats->requests)};

	ensure(was[0] == connections && was[1] == refused && was[2] == requests,
	    "rule %u: connections %" PRIu64 ", refused %" PRIu64
	    ", requests %" PRIu64,
	    id, was[0], was[1], was[2]);
}
