/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has changed what, or was not let: a row of the table and a line in the
 * journal each.
 *
 * Which requests that are says access.c.  A change has its row in its own SQL
 * transaction; whatever else such a request is answered with has one of its
 * own, unless there are very many (audit_limit.h).  If that cannot be written
 * the journal says so, and nothing else: nothing has been changed.
 */
#ifndef LP_CONTROLD_AUDIT_H
#define LP_CONTROLD_AUDIT_H

#include "controld/access.h"
#include "controld/reply.h"
#include "controld/serve.h"
#include "controld/store_audit.h"

struct lp_audit;

/* *context is borrowed.  -ENOMEM. */
int lp_audit_new(struct lp_audit **out, struct lp_context *context);
/* Writes what is missing.  NULL is accepted. */
void lp_audit_free(struct lp_audit *audit);

/* What is known of a request when it comes. */
struct lp_reply_audit lp_audit_about(
    const struct lp_serve_peer *peer, enum lp_role role, const char *request);

/* The row of a change that is about to be stored; it borrows both. */
struct lp_store_audit lp_audit_row(
    const struct lp_reply_audit *about, const char *text);

/* The request was answered so: for lp_reply_send(). */
void lp_audit_answered(struct lp_audit *audit,
    const struct lp_reply_audit *about, const Lp__Pb__ControlReply *reply);

/* The request is refused for the role. */
void lp_audit_forbidden(struct lp_audit *audit,
    const struct lp_serve_peer *peer, enum lp_role role, const char *request);

/* Answers at once, in as many frames as it takes. */
void lp_audit_reply(const struct lp_context *context,
    const struct lp_reply_to *to, const Lp__Pb__AuditRequest *wanted);

#endif
