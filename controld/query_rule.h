/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of rules by name, as dataplanes are asked: by id.
 */
#ifndef LP_CONTROLD_QUERY_RULE_H
#define LP_CONTROLD_QUERY_RULE_H

#include "proto/config.h"
#include "proto/message.h"

struct lp_query_rules {
	Lp__Pb__RuleStatsRequest request;
	uint32_t ids[LP_RULES_ASKED_MAX]; /* that it borrows */
};

/*
 * Of a request for counters of rules, or for denials: of those the ids alone.
 * Others name none.  As below.
 */
int lp_query_rule_take(struct lp_query_rules *out,
    const Lp__Pb__ControlRequest *request, const struct lp_config *config,
    char why[LP_WHY_SIZE]);

/* 0; or -EINVAL with a line in why: no such rule, or too many. */
int lp_query_rule_ids(struct lp_query_rules *out,
    const Lp__Pb__RuleCountersRequest *wanted, const struct lp_config *config,
    char why[LP_WHY_SIZE]);

#endif
