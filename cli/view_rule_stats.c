/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view_rule_stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

/* Moves the rows of one frame behind those of another. */
static int
move_rules(Lp__Pb__RuleStatsReply *to, Lp__Pb__RuleStatsReply *from)
{
	/* Of what runs the last frame knows most. */
	to->running = from->running;
	to->time_ns = from->time_ns;
	return LP_VIEW_MOVE(to, from, rules);
}

/* Frames of several dataplanes come mixed. */
static int
add_frame(struct lp_rule_stats_view *view, Lp__Pb__RuleCountersReply *reply)
{
	const char *dataplane =
	    reply->dataplane != NULL ? reply->dataplane : "";

	for (size_t i = 0; i < view->count; i++)
		if (strcmp(view->rows[i].dataplane, dataplane) == 0)
			return move_rules(view->rows[i].stats, reply->stats);
	view->rows[view->count++] = (struct lp_rule_stats_row){
	    .dataplane = dataplane, .stats = reply->stats};
	return 0;
}

int
lp_view_rule_stats_init(struct lp_rule_stats_view *view,
    struct lp_replies *replies, struct lp_error *error)
{
	int err = 0;

	*view = (struct lp_rule_stats_view){
	    .rows = calloc(replies->count, sizeof(*view->rows))};
	if (view->rows == NULL)
		err = -ENOMEM;
	for (size_t i = 0; i < replies->count && err == 0; i++)
		err = add_frame(view, replies->list[i]->rules);
	if (err == 0)
		return LP_EXIT_OK;
	lp_view_rule_stats_fini(view);
	return lp_error_set(error, LP_EXIT_UNREACHABLE, "out of memory");
}

void
lp_view_rule_stats_fini(struct lp_rule_stats_view *view)
{
	free(view->rows);
	*view = (struct lp_rule_stats_view){0};
}
