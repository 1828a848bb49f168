/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that more than one kind of request has.
 */
#ifndef LP_CONTROLD_REPLY_H
#define LP_CONTROLD_REPLY_H

#include "controld/context.h"
#include "proto/who.h"

/* Not a client: discovery, whose answers go to context.self(). */
#define LP_REPLY_SELF UINT64_MAX

/* Nor this: whose answers nobody reads. */
#define LP_REPLY_NOBODY (UINT64_MAX - 1)

/* What is to be written down of a request: for audit.c. */
struct lp_reply_audit {
	char who[LP_WHO_SIZE]; /* as of struct lp_serve_peer */
	char from[80];
	uint8_t role; /* enum lp_role */
	const char *request; /* a constant; NULL: it is not audited */
	/* Of the change: as typed, if it is known; borrowed. */
	const char *text;
	uint64_t number; /* of its row; 0: there is none yet */
};

/* Whom to answer, and which of his requests. */
struct lp_reply_to {
	uint64_t client;
	uint64_t cookie;
	struct lp_reply_audit audit;
};

/* NULL or 0: absent. */
struct lp_reply_failure {
	Lp__Pb__Failure__Result result;
	uint32_t place;
	const char *object;
	const char *field;
	const char *dataplane;
};

/* Fills in the cookie and sends. */
void lp_reply_send(const struct lp_context *context,
    const struct lp_reply_to *to, Lp__Pb__ControlReply *reply);

void lp_reply_failure(const struct lp_context *context,
    const struct lp_reply_to *to, const struct lp_reply_failure *failure,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What people call a dataplane: its id, or its path until it has told. */
const char *lp_reply_dataplane_name(const struct lp_push_dataplane *dataplane);

#endif
