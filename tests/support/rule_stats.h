/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a plane, and what they have counted. */
#ifndef LP_TESTS_SUPPORT_RULE_STATS_H
#define LP_TESTS_SUPPORT_RULE_STATS_H

#include <stdbool.h>

#include "dataplane/pipeline/region.h"

/*
 * Puts it into the plane's configuration; its name is made of the id, its texts
 * become canonical.
 */
void rule_put(uint32_t id, uint32_t priority, const char *match,
    const char *action, bool shadow);

/* Its counters, which it must have. */
const struct lp_rule_stats *rule_stats(uint32_t id);

/* They are these: connections, refused, requests. */
void rule_counts(
    uint32_t id, uint64_t connections, uint64_t refused, uint64_t requests);

#endif
