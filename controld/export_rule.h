/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules have matched, as rows of metrics.
 */
#ifndef LP_CONTROLD_EXPORT_RULE_H
#define LP_CONTROLD_EXPORT_RULE_H

#include "controld/export_text.h"

enum {
	/*
	 * Of a dataplane, in the order in which rules are asked, whether they
	 * have matched or not: so which ones have rows depends on the
	 * configuration alone.  How many have none is told.
	 */
	LP_EXPORT_RULES_MAX = 1000,
};

/* One frame of what dataplane `path` says of rules; `last` has their number. */
void lp_export_rule_add(struct lp_export_text *text, const char *path,
    const Lp__Pb__RuleStatsReply *stats, bool last);

#endif
