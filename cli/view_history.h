/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generations that lp-controld keeps, put together for showing.
 */
#ifndef LP_CLI_VIEW_HISTORY_H
#define LP_CLI_VIEW_HISTORY_H

#include "cli/client.h"

/* Borrows from the replies. */
struct lp_history_view {
	const Lp__Pb__StoredGeneration **rows; /* the newest first */
	size_t count;
};

/* LP_EXIT_OK, or LP_EXIT_UNREACHABLE; nothing is then to be freed. */
int lp_view_history_init(struct lp_history_view *view,
    const struct lp_replies *replies, struct lp_error *error);
void lp_view_history_fini(struct lp_history_view *view);

#endif
