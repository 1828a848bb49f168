/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules have matched, put together for showing: the frames of each
 * dataplane one behind the other.
 */
#ifndef LP_CLI_VIEW_RULE_STATS_H
#define LP_CLI_VIEW_RULE_STATS_H

#include <stddef.h>

#include "cli/client.h"
#include "cli/error.h"
#include "proto/lightpath.pb-c.h"

/* Of one dataplane; its frames were merged into the first. */
struct lp_rule_stats_row {
	const char *dataplane; /* its id; "" if it has none */
	Lp__Pb__RuleStatsReply *stats;
};

/* Borrows from the replies, which it rearranges. */
struct lp_rule_stats_view {
	struct lp_rule_stats_row *rows;
	size_t count;
	size_t named; /* rules that were asked for by name; 0: all */
};

/* LP_EXIT_OK, or LP_EXIT_UNREACHABLE; nothing is then to be freed. */
int lp_view_rule_stats_init(struct lp_rule_stats_view *view,
    struct lp_replies *replies, struct lp_error *error);
void lp_view_rule_stats_fini(struct lp_rule_stats_view *view);

#endif
