/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cli/view.h"

int
lp_view_trace_take(struct lp_trace_view *view, struct lp_replies *replies,
    size_t packets, struct lp_error *error)
{
	size_t size = (view->reply_count + 1) * sizeof(*view->replies);
	Lp__Pb__ControlReply **list;

	if (replies->count != 1 ||
	    replies->list[0]->trace->n_packets != packets)
		return lp_error_set(error, LP_EXIT_UNREACHABLE,
		    "the dataplane answered about other packets than it was "
		    "asked about");
	list = realloc(view->replies, size);
	if (list == NULL)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	view->replies = list;
	view->replies[view->reply_count++] = replies->list[0];
	view->count += packets;
	replies->count = 0; /* it is ours now */
	return LP_EXIT_OK;
}

void
lp_view_trace_fini(struct lp_trace_view *view)
{
	for (size_t i = 0; i < view->reply_count; i++)
		lp__pb__control_reply__free_unpacked(view->replies[i], NULL);
	free(view->replies);
	*view = (struct lp_trace_view){0};
}
