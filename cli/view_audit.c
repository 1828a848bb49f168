/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view_audit.h"

#include <stdlib.h>

int
lp_view_audit_init(struct lp_audit_view *view, const struct lp_replies *replies,
    struct lp_error *error)
{
	size_t count = 0;

	for (size_t i = 0; i < replies->count; i++)
		count += replies->list[i]->audit->n_rows;
	*view = (struct lp_audit_view){
	    .rows = calloc(count + 1, sizeof(const void *))};
	if (view->rows == NULL)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	for (size_t i = 0; i < replies->count; i++) {
		const Lp__Pb__AuditReply *reply = replies->list[i]->audit;

		for (size_t j = 0; j < reply->n_rows; j++)
			view->rows[view->count++] = reply->rows[j];
	}
	return LP_EXIT_OK;
}

void
lp_view_audit_fini(struct lp_audit_view *view)
{
	free(view->rows);
}
