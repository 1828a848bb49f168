/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has changed what, put together for showing.
 */
#ifndef LP_CLI_VIEW_AUDIT_H
#define LP_CLI_VIEW_AUDIT_H

#include "cli/client.h"

/* Borrows from the replies. */
struct lp_audit_view {
	const Lp__Pb__AuditRow **rows; /* the newest first */
	size_t count;
};

/* LP_EXIT_OK, or LP_EXIT_UNREACHABLE; nothing is then to be freed. */
int lp_view_audit_init(struct lp_audit_view *view,
    const struct lp_replies *replies, struct lp_error *error);
void lp_view_audit_fini(struct lp_audit_view *view);

#endif
