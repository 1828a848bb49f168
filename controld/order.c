/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/order.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "controld/commit.h"
#include "proto/text.h"

enum {
	NS_PER_S = 1000000000,
	TEXT_SIZE = 512,
	COMMENT_MAX = 80, /* bytes of it that are shown */
};

static int refuse_base(const struct lp_order *order,
    const struct lp_context *context, const struct lp_reply_to *to);
static int describe(void *arg, const struct lp_store_past *past);

struct lp_order
lp_order_of(const Lp__Pb__ControlRequest *request)
{
	const Lp__Pb__Transaction *change = request->transaction;
	const Lp__Pb__RollbackRequest *back = request->rollback;
	struct lp_order order = {0};

	if (request->body_case == LP__PB__CONTROL_REQUEST__BODY_TRANSACTION) {
		order.timeout_ms = change->has_timeout_ms
		    ? change->timeout_ms
		    : LP_COMMIT_TIMEOUT_MS;
		order.comment = change->comment;
		order.has_base = change->has_base_generation;
		order.base_generation = change->base_generation;
		order.confirm_ms = change->confirm_ms;
	} else {
		assert(request->body_case ==
		    LP__PB__CONTROL_REQUEST__BODY_ROLLBACK);
		order.is_rollback = true;
		order.generation = back->generation;
		order.timeout_ms = back->has_timeout_ms ? back->timeout_ms
							: LP_COMMIT_TIMEOUT_MS;
		order.comment = back->comment;
		order.has_base = back->has_base_generation;
		order.base_generation = back->base_generation;
		order.confirm_ms = back->confirm_ms;
	}
	if (order.timeout_ms > LP_TIMEOUT_MAX_S * 1000)
		order.timeout_ms = LP_TIMEOUT_MAX_S * 1000;
	/* Who is waited for is not waited for when it is taken back. */
	if (order.confirm_ms != 0 && order.timeout_ms > order.confirm_ms)
		order.timeout_ms = order.confirm_ms;
	if (order.comment == NULL)
		order.comment = "";
	return order;
}

int
lp_order_check(const struct lp_order *order, const struct lp_context *context,
    const struct lp_confirm *confirm, const struct lp_reply_to *to)
{
	const struct lp_store_waiting *waiting = lp_confirm_waiting(confirm);
	struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__CONFLICT};
	char text[LP_CONFIRM_TEXT_SIZE];

	/* To take it back is no other change. */
	if (waiting != NULL &&
	    !(order->is_rollback && order->confirm_ms == 0 &&
		(order->generation == 0 ||
		    order->generation == waiting->back_to))) {
		lp_reply_failure(context, to, &failure, "%s",
		    lp_confirm_describe(confirm, text));
		return -EAGAIN;
	}
	if (order->has_base &&
	    order->base_generation != context->current.number)
		return refuse_base(order, context, to);
	if (order->confirm_ms <= LP_CONFIRM_MAX_S * 1000)
		return 0;
	failure.result = LP__PB__FAILURE__RESULT__REFUSED;
	lp_reply_failure(context, to, &failure,
	    "a change waits at most %d s to be confirmed", LP_CONFIRM_MAX_S);
	return -EAGAIN;
}

static int
refuse_base(const struct lp_order *order, const struct lp_context *context,
    const struct lp_reply_to *to)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__CONFLICT};
	char why[LP_STORE_WHY_SIZE], text[TEXT_SIZE] = "";

	/* Who made it is worth knowing; without it, it is refused as well. */
	(void)lp_store_history(context->store, 1, describe, text, why);
	lp_reply_failure(context, to, &failure,
	    "another change came first: generation %" PRIu64
	    " is desired now%s; this change was made for generation %" PRIu64
	    ", and nothing was stored: run it again",
	    context->current.number, text, order->base_generation);
	return -EAGAIN;
}

static int
describe(void *arg, const struct lp_store_past *past)
{
	time_t seconds = (time_t)(past->time_ns / NS_PER_S);
	size_t len =
	    lp_text_fit(past->comment, strlen(past->comment), COMMENT_MAX);
	struct tm tm;
	char when[32] = "";

	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	snprintf(arg, TEXT_SIZE, ", by %.96s at %s%s%.*s%s%s", past->who, when,
	    len > 0 ? " (" : "", (int)len, past->comment,
	    past->comment[len] != '\0' ? "..." : "", len > 0 ? ")" : "");
	return 0;
}
