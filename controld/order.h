/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request for another generation says besides its content, and whether
 * it may have one now: for commit.c.
 */
#ifndef LP_CONTROLD_ORDER_H
#define LP_CONTROLD_ORDER_H

#include "controld/confirm.h"
#include "controld/reply.h"

struct lp_order {
	bool is_rollback;
	uint64_t generation; /* to roll back to; 0: the one before */
	uint32_t timeout_ms;
	const char *comment; /* never NULL; borrowed from the request */
	bool has_base;
	uint64_t base_generation;
	uint32_t confirm_ms; /* 0: it is not to be confirmed */
};

/* Of a request that holds a transaction or a rollback. */
struct lp_order lp_order_of(const Lp__Pb__ControlRequest *request);

/*
 * 0; or -EAGAIN, and the client has been told: another change came first, or
 * waits to be confirmed.
 */
int lp_order_check(const struct lp_order *order,
    const struct lp_context *context, const struct lp_confirm *confirm,
    const struct lp_reply_to *to);

#endif
