/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/rollback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static uint64_t choose(const struct lp_order *order,
    const struct lp_context *context, const struct lp_confirm *confirm);

int
lp_rollback_load(struct lp_model_change *change, const struct lp_order *order,
    const struct lp_context *context, const struct lp_confirm *confirm,
    const struct lp_reply_to *to, char comment[LP_ROLLBACK_COMMENT_SIZE])
{
	struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	struct lp_config_error error = {.field = ""};
	uint64_t number = choose(order, context, confirm);
	char why[LP_STORE_WHY_SIZE];
	struct lp_generation old;
	int err = lp_store_load(context->store, number, &old, why);

	if (err != 0) {
		lp_reply_failure(context, to, &failure, "%s", why);
		return err;
	}
	err = lp_config_check(&old.config, &error);
	if (err != 0) {
		failure.object = error.object;
		failure.field = error.field[0] != '\0' ? error.field : NULL;
		lp_reply_failure(context, to, &failure,
		    "%s (generation %" PRIu64 " cannot come back)", error.why,
		    number);
		lp_config_fini(&old.config);
		return err;
	}
	snprintf(comment, LP_ROLLBACK_COMMENT_SIZE,
	    "rollback to generation %" PRIu64 "%s%s", number,
	    order->comment[0] != '\0' ? ": " : "", order->comment);
	change->config = old.config;
	change->next_id = lp_store_next_id(context->store);
	return 0;
}

static uint64_t
choose(const struct lp_order *order, const struct lp_context *context,
    const struct lp_confirm *confirm)
{
	const struct lp_store_waiting *waiting = lp_confirm_waiting(confirm);

	if (order->generation != 0)
		return order->generation;
	return waiting != NULL ? waiting->back_to : context->current.number - 1;
}
