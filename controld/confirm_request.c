/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/confirm_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/audit.h"
#include "proto/log.h"

static int end(struct lp_confirm *confirm, const struct lp_context *context,
    struct lp_reply_audit *about, char why[LP_STORE_WHY_SIZE]);

void
lp_confirm_request_answer(struct lp_confirm *confirm,
    const struct lp_context *context, struct lp_reply_to *to,
    const Lp__Pb__ConfirmRequest *request)
{
	const struct lp_store_waiting *waiting = lp_confirm_waiting(confirm);
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__ConfirmReply done = LP__PB__CONFIRM_REPLY__INIT;
	char why[LP_STORE_WHY_SIZE];

	if (waiting == NULL) {
		lp_reply_failure(context, to, &failure,
		    "no change waits to be confirmed; generation %" PRIu64
		    " is desired",
		    context->current.number);
		return;
	}
	done.generation = waiting->generation;
	if (request->has_generation && request->generation != done.generation) {
		lp_reply_failure(context, to, &failure,
		    "generation %" PRIu64
		    " waits to be confirmed, not %" PRIu64,
		    done.generation, request->generation);
		return;
	}
	if (end(confirm, context, &to->audit, why) != 0) {
		lp_reply_failure(context, to, &failure, "not stored: %s", why);
		return;
	}
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_CONFIRM;
	reply.confirm = &done;
	lp_reply_send(context, to, &reply);
}

Lp__Pb__ControlRequest *
lp_confirm_request_rollback(const struct lp_confirm *confirm)
{
	const struct lp_store_waiting *waiting = lp_confirm_waiting(confirm);
	Lp__Pb__ControlRequest *request = malloc(sizeof(*request));
	Lp__Pb__RollbackRequest *back = malloc(sizeof(*back));
	char *comment;

	if (request == NULL || back == NULL ||
	    asprintf(&comment,
		"generation %" PRIu64 " was not confirmed within %" PRIu32 " s",
		waiting->generation, (waiting->wait_ms + 999) / 1000) < 0) {
		free(request);
		free(back);
		return NULL;
	}
	lp_log_warn("%s, and is rolled back", comment);
	lp__pb__control_request__init(request);
	lp__pb__rollback_request__init(back);
	request->body_case = LP__PB__CONTROL_REQUEST__BODY_ROLLBACK;
	request->rollback = back;
	back->comment = comment;
	back->has_base_generation = true;
	back->base_generation = waiting->generation;
	return request;
}

bool
lp_confirm_request_holds(
    const struct lp_confirm *confirm, const Lp__Pb__RollbackRequest *request)
{
	const struct lp_store_waiting *waiting = lp_confirm_waiting(confirm);

	return waiting != NULL &&
	    waiting->generation == request->base_generation;
}

static int
end(struct lp_confirm *confirm, const struct lp_context *context,
    struct lp_reply_audit *about, char why[LP_STORE_WHY_SIZE])
{
	struct lp_store_audit row = lp_audit_row(about, NULL);
	int err;

	row.generation = lp_confirm_waiting(confirm)->generation;
	err = lp_store_audit_confirm(context->store, &row, why);

	if (err != 0) {
		lp_log_error("%s", why);
		return err;
	}
	lp_log_info("generation %" PRIu64 " was confirmed by %s",
	    row.generation, about->who);
	about->number = row.number;
	lp_confirm_end(confirm);
	return 0;
}
