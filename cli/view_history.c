/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view_history.h"

#include <stdlib.h>

int
lp_view_history_init(struct lp_history_view *view,
    const struct lp_replies *replies, struct lp_error *error)
{
	size_t count = 0;

	for (size_t i = 0; i < replies->count; i++)
		count += replies->list[i]->history->n_generations;
	*view = (struct lp_history_view){
	    .rows = calloc(count + 1, sizeof(const void *))};
	if (view->rows == NULL)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	for (size_t i = 0; i < replies->count; i++) {
		const Lp__Pb__HistoryReply *reply = replies->list[i]->history;

		for (size_t j = 0; j < reply->n_generations; j++)
			view->rows[view->count++] = reply->generations[j];
	}
	return LP_EXIT_OK;
}

void
lp_view_history_fini(struct lp_history_view *view)
{
	free(view->rows);
}
