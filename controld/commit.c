/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle of a transaction.
 *
 *   queued ─▶ model ─▶ store ─▶ push ─▶ waiting ─▶ answered
 *               │        │                 │
 *            refused  refused              ├─▶ timeout: stored stays stored
 *                                          └─▶ rejected ─▶ rolling back
 *
 * A rollback is a new generation with the old content.  It is waited for
 * like any other, so that who is told "rejected" finds the old state again.
 * A dataplane that was connected at any moment of it is waited for also when
 * it has gone: until it has come back and answered, or the time is over.
 */
#include "controld/commit.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/audit.h"
#include "controld/await.h"
#include "controld/clock.h"
#include "controld/confirm_request.h"
#include "controld/model.h"
#include "controld/rollback.h"
#include "controld/steps.h"
#include "proto/limits.h"
#include "proto/log.h"

/* Between two attempts to take back what was not confirmed. */
enum { AGAIN_MS = 10000 };

enum phase {
	IDLE,
	STARTING, /* in model, store or push: dataplanes are not looked at */
	WAITING,
	ROLLING_BACK,
};

struct ticket {
	struct lp_reply_to to; /* client 0: nobody waits for it */
	Lp__Pb__ControlRequest *request;
	size_t bytes; /* of memory, of the request */
};

struct lp_commit {
	struct lp_context *context;
	struct event *next; /* to start the next transaction */
	struct event *timer;
	struct lp_confirm *confirm;
	struct ticket queue[LP_COMMIT_QUEUE_MAX];
	unsigned first, count;
	size_t bytes; /* of those in the queue */
	/* The transaction under way. */
	enum phase phase;
	struct ticket ticket;
	struct lp_model_change change; /* its notes */
	char comment[LP_ROLLBACK_COMMENT_SIZE]; /* of a rollback */
	struct lp_generation before;
	bool stored; /* else nothing was to be changed */
	struct lp_order order; /* of a transaction or rollback */
	bool stays; /* whatever a dataplane says to it */
	struct lp_await await;
	struct lp_steps steps;
	/* Of the rejection that is being rolled back. */
	struct lp_push_dataplane refuser;
	bool refused_base;
	char rollback[128];
};

static void on_next(evutil_socket_t fd, short what, void *arg);
static void on_timer(evutil_socket_t fd, short what, void *arg);
static void on_over(void *arg);
static int begin(struct lp_commit *commit);
static int apply(struct lp_commit *commit);
static int save(struct lp_commit *commit);
static void evaluate(struct lp_commit *commit);
static void evaluate_rollback(struct lp_commit *commit);
static void roll_back(
    struct lp_commit *commit, const struct lp_await_poll *poll);
static int save_rollback(struct lp_commit *commit);
static void reply_done(
    struct lp_commit *commit, const struct lp_await_poll *poll);
static void reply_late(
    struct lp_commit *commit, const struct lp_push_dataplane *late);
static void reply_rejected(struct lp_commit *commit);
static void finish(struct lp_commit *commit);
static void start_timer(struct lp_commit *commit);

int
lp_commit_new(struct lp_commit **out, struct lp_context *context)
{
	struct lp_commit *commit = calloc(1, sizeof(*commit));

	if (commit == NULL)
		return -ENOMEM;
	commit->context = context;
	commit->next = event_new(context->base, -1, 0, on_next, commit);
	commit->timer = evtimer_new(context->base, on_timer, commit);
	lp_config_init(&commit->before.config);
	if (commit->next == NULL || commit->timer == NULL ||
	    lp_confirm_new(&commit->confirm, context->base, on_over, commit) !=
		0) {
		lp_commit_free(commit);
		return -ENOMEM;
	}
	*out = commit;
	return 0;
}

void
lp_commit_free(struct lp_commit *commit)
{
	if (commit == NULL)
		return;
	if (commit->next != NULL)
		event_free(commit->next);
	if (commit->timer != NULL)
		event_free(commit->timer);
	lp_confirm_free(commit->confirm);
	for (unsigned i = 0; i < commit->count; i++)
		lp__pb__control_request__free_unpacked(
		    commit->queue[(commit->first + i) % LP_COMMIT_QUEUE_MAX]
			.request,
		    NULL);
	if (commit->phase != IDLE) {
		lp__pb__control_request__free_unpacked(
		    commit->ticket.request, NULL);
		lp_model_change_fini(&commit->change);
	}
	lp_config_fini(&commit->before.config);
	free(commit);
}

void
lp_commit_add(struct lp_commit *commit, const struct lp_reply_to *to,
    Lp__Pb__ControlRequest *request)
{
	struct ticket *ticket;
	size_t bytes = lp_message_memory_of(&request->base);

	assert(to->audit.request != NULL);
	if (commit->count == LP_COMMIT_QUEUE_MAX ||
	    (commit->count > 0 &&
		commit->bytes + bytes > LP_COMMIT_QUEUE_BYTES)) {
		const struct lp_reply_failure failure = {
		    .result = LP__PB__FAILURE__RESULT__REFUSED};

		lp_reply_failure(commit->context, to, &failure,
		    "%u transactions wait already; try again later",
		    commit->count);
		lp__pb__control_request__free_unpacked(request, NULL);
		return;
	}
	ticket = &commit->queue[(commit->first + commit->count++) %
	    LP_COMMIT_QUEUE_MAX];
	*ticket =
	    (struct ticket){.to = *to, .request = request, .bytes = bytes};
	commit->bytes += bytes;
	event_active(commit->next, EV_TIMEOUT, 0);
}

void
lp_commit_changed(struct lp_commit *commit)
{
	if (commit->phase != IDLE)
		lp_await_look(&commit->await, commit->context);
	if (commit->phase == WAITING)
		evaluate(commit);
	else if (commit->phase == ROLLING_BACK)
		evaluate_rollback(commit);
}

bool
lp_commit_is_idle(const struct lp_commit *commit)
{
	return commit->phase == IDLE && commit->count == 0 &&
	    lp_confirm_waiting(commit->confirm) == NULL;
}

const struct lp_confirm *
lp_commit_confirm(const struct lp_commit *commit)
{
	return commit->confirm;
}

void
lp_commit_resume(struct lp_commit *commit)
{
	const struct lp_context *context = commit->context;
	struct lp_store_waiting waiting;
	char why[LP_STORE_WHY_SIZE], text[LP_CONFIRM_TEXT_SIZE];

	if (lp_store_waits(context->store, &waiting, why) != 0) {
		lp_log_error("%s", why);
	} else if (waiting.generation == context->current.number) {
		lp_confirm_start(commit->confirm, &waiting);
		lp_log_info("%s", lp_confirm_describe(commit->confirm, text));
	}
}

void
lp_commit_gone(struct lp_commit *commit, uint64_t client)
{
	for (unsigned i = 0; i < commit->count; i++) {
		struct ticket *ticket =
		    &commit->queue[(commit->first + i) % LP_COMMIT_QUEUE_MAX];

		if (ticket->to.client == client)
			ticket->to.client = 0;
	}
}

static void
on_next(evutil_socket_t fd, short what, void *arg)
{
	struct lp_commit *commit = arg;

	(void)fd;
	(void)what;
	if (commit->phase != IDLE || commit->count == 0)
		return;
	commit->ticket = commit->queue[commit->first];
	commit->first = (commit->first + 1) % LP_COMMIT_QUEUE_MAX;
	commit->count--;
	commit->bytes -= commit->ticket.bytes;
	commit->phase = STARTING;
	commit->stored = false;
	commit->change = (struct lp_model_change){0};
	lp_await_start(&commit->await, commit->context);
	lp_steps_start(&commit->steps);
	if (commit->ticket.to.client == 0 || begin(commit) != 0) {
		finish(commit);
		return;
	}
	commit->phase = WAITING;
	if (commit->order.timeout_ms == 0) {
		const struct lp_await_poll poll =
		    lp_await_ask(&commit->await, commit->context);

		reply_done(commit, &poll);
		finish(commit);
		return;
	}
	start_timer(commit);
	evaluate(commit);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lp_commit *commit = arg;

	(void)fd;
	(void)what;
	if (commit->phase == WAITING)
		reply_late(
		    commit, lp_await_ask(&commit->await, commit->context).late);
	else
		reply_rejected(commit);
	finish(commit);
}

/* 0: it is stored and pushed; else it is answered. */
static int
begin(struct lp_commit *commit)
{
	const struct lp_context *context = commit->context;
	struct lp_reply_to *to = &commit->ticket.to;
	int err;

	if (commit->ticket.request->body_case ==
	    LP__PB__CONTROL_REQUEST__BODY_CONFIRM) {
		lp_confirm_request_answer(commit->confirm, context, to,
		    commit->ticket.request->confirm);
		return -EALREADY;
	}
	/* It was confirmed, or taken back, while this one was waiting. */
	if (to->client == LP_REPLY_NOBODY &&
	    !lp_confirm_request_holds(
		commit->confirm, commit->ticket.request->rollback))
		return -EALREADY;
	commit->order = lp_order_of(commit->ticket.request);
	to->audit.text = commit->order.comment;
	err = lp_order_check(&commit->order, context, commit->confirm, to);
	if (err != 0)
		return err;
	/* What was not confirmed does not come back. */
	commit->stays = lp_confirm_waiting(commit->confirm) != NULL;
	if (commit->order.is_rollback) {
		err = lp_rollback_load(&commit->change, &commit->order, context,
		    commit->confirm, to, commit->comment);
		to->audit.text = commit->order.comment = commit->comment;
	} else {
		err = apply(commit);
	}
	lp_steps_end(&commit->steps, "model");
	return err != 0 ? err : save(commit);
}

/* Nobody has confirmed: what was there before comes back. */
static void
on_over(void *arg)
{
	struct lp_commit *commit = arg;
	const struct lp_reply_to to = {.client = LP_REPLY_NOBODY,
	    .audit = {.who = "lp-controld", .request = "rollback"}};
	Lp__Pb__ControlRequest *request =
	    lp_confirm_request_rollback(commit->confirm);

	/* Until it is done, or there is memory for it, or a place. */
	lp_confirm_again(commit->confirm, AGAIN_MS);
	if (request != NULL)
		lp_commit_add(commit, &to, request);
}

/* The result of the model, or why there is none: then it is answered. */
static int
apply(struct lp_commit *commit)
{
	struct lp_context *context = commit->context;
	const Lp__Pb__Transaction *transaction =
	    commit->ticket.request->transaction;
	const struct lp_model_error *error = &commit->change.error;
	struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	int err = lp_model_apply(&commit->change, &context->current.config,
	    lp_store_next_id(context->store), transaction->operations,
	    transaction->n_operations);

	if (err == 0)
		return 0;
	if (err == -EINVAL) {
		failure.place = error->place;
		if (error->object[0] != '\0')
			failure.object = error->object;
		if (error->field[0] != '\0')
			failure.field = error->field;
	}
	lp_reply_failure(context, &commit->ticket.to, &failure, "%s",
	    err == -EINVAL ? error->why : strerror(-err));
	return err;
}

/* Stores and pushes, if there is anything new. */
static int
save(struct lp_commit *commit)
{
	struct lp_context *context = commit->context;
	struct lp_reply_audit *about = &commit->ticket.to.audit;
	struct lp_store_audit row = lp_audit_row(about, commit->order.comment);
	struct lp_store_waiting waiting = {0};
	const struct lp_store_change change = {
	    .next_id = commit->change.next_id,
	    .who = about->who,
	    .comment = commit->order.comment,
	    .wait_ms = commit->order.confirm_ms,
	    .waiting = &waiting,
	    .audit = &row,
	};
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	struct lp_generation next = {
	    .config = commit->change.config,
	    .digest = lp_config_digest(&commit->change.config),
	};
	char why[LP_STORE_WHY_SIZE] = "out of memory";
	int err = -ENOMEM;

	if (next.digest == context->current.digest)
		return 0;
	if (next.digest != 0)
		err = lp_store_commit_change(
		    context->store, &context->current, &next, &change, why);
	if (err != 0) {
		lp_log_error("%s", why);
		lp_reply_failure(context, &commit->ticket.to, &failure,
		    "not stored: %s", why);
		return err;
	}
	about->number = row.number;
	lp_config_init(&commit->change.config); /* moved into next */
	lp_config_fini(&commit->before.config);
	commit->before = context->current;
	context->current = next;
	commit->stored = true;
	/* What waited is over, in any case; the new one may wait. */
	lp_confirm_end(commit->confirm);
	if (waiting.generation != 0)
		lp_confirm_start(commit->confirm, &waiting);
	lp_steps_end(&commit->steps, "stored");
	lp_log_info("generation %" PRIu64 " by %s", next.number, about->who);
	lp_push_start(context->push, &commit->before);
	return 0;
}

static void
evaluate(struct lp_commit *commit)
{
	const struct lp_await_poll poll =
	    lp_await_ask(&commit->await, commit->context);

	if (poll.refuser != NULL) {
		roll_back(commit, &poll);
	} else if (poll.late == NULL) {
		lp_steps_end(&commit->steps, "applied");
		reply_done(commit, &poll);
		finish(commit);
	}
}

static void
evaluate_rollback(struct lp_commit *commit)
{
	if (lp_await_ask(&commit->await, commit->context).late != NULL)
		return;
	reply_rejected(commit);
	finish(commit);
}

static void
roll_back(struct lp_commit *commit, const struct lp_await_poll *poll)
{
	commit->phase = STARTING;
	commit->refuser = *poll->refuser; /* it will run the next one soon */
	commit->refused_base = poll->refused_base;
	snprintf(
	    commit->rollback, sizeof(commit->rollback), "nothing was changed");
	if (commit->stays)
		snprintf(commit->rollback, sizeof(commit->rollback),
		    "it stays stored: what it takes back was not confirmed");
	if (!commit->stored || commit->stays || save_rollback(commit) != 0) {
		reply_rejected(commit);
		finish(commit);
		return;
	}
	commit->phase = ROLLING_BACK;
	start_timer(commit);
	evaluate_rollback(commit);
}

static int
save_rollback(struct lp_commit *commit)
{
	struct lp_context *context = commit->context;
	struct lp_generation next = {
	    .config = commit->before.config,
	    .digest = commit->before.digest,
	};
	char why[LP_STORE_WHY_SIZE], comment[LP_STORE_WHY_SIZE];
	int err;

	snprintf(comment, sizeof(comment),
	    "rollback of generation %" PRIu64 ", rejected by dataplane %s",
	    context->current.number, lp_reply_dataplane_name(&commit->refuser));
	err = lp_store_commit(context->store, &context->current, &next,
	    lp_store_next_id(context->store), "lp-controld", comment, why);
	if (err != 0) {
		lp_log_error("%s: %s", comment, why);
		snprintf(commit->rollback, sizeof(commit->rollback),
		    "and it cannot be rolled back: %.80s", why);
		return err;
	}
	lp_confirm_end(commit->confirm);
	lp_log_warn("generation %" PRIu64 ": %s", next.number, comment);
	snprintf(commit->rollback, sizeof(commit->rollback),
	    "rolled back by generation %" PRIu64, next.number);
	commit->before = context->current; /* the rejected one, to be freed */
	context->current = next;
	lp_push_start(context->push, &commit->before);
	return 0;
}

static void
reply_done(struct lp_commit *commit, const struct lp_await_poll *poll)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__TransactionReply done = LP__PB__TRANSACTION_REPLY__INIT;
	const struct lp_model_change *change = &commit->change;
	char *notes[LP_MODEL_NOTES_MAX + 2];

	for (size_t i = 0; i < change->note_count; i++)
		notes[done.n_notes++] = change->notes[i];
	if (!commit->stored && commit->order.is_rollback)
		notes[done.n_notes++] = (char *)"that is what is desired "
						"already: nothing was changed";
	if (poll->connected == 0)
		notes[done.n_notes++] =
		    (char *)"no dataplane is connected: stored only";
	done.notes = notes;
	done.generation = commit->context->current.number;
	done.has_applied = done.has_connected = true;
	done.applied = poll->applied;
	done.connected = poll->connected;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_TRANSACTION;
	reply.transaction = &done;
	lp_reply_send(commit->context, &commit->ticket.to, &reply);
}

static void
reply_late(struct lp_commit *commit, const struct lp_push_dataplane *late)
{
	struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__TIMEOUT};
	uint64_t number = commit->context->current.number;
	const char *unless = lp_confirm_waiting(commit->confirm) != NULL
	    ? "; it is rolled back unless you confirm it"
	    : "";

	/* Else it was answered when the last one came. */
	assert(late != NULL);
	failure.dataplane = lp_reply_dataplane_name(late);
	if (late->connected)
		lp_reply_failure(commit->context, &commit->ticket.to, &failure,
		    "generation %" PRIu64 " is stored, but was not applied "
		    "within %u ms; it will be as soon as the dataplane can%s",
		    number, commit->order.timeout_ms, unless);
	else
		lp_reply_failure(commit->context, &commit->ticket.to, &failure,
		    "generation %" PRIu64 " is stored, but the dataplane is "
		    "away and has not applied it within %u ms: %s; it will "
		    "when it is back%s",
		    number, commit->order.timeout_ms,
		    late->why[0] != '\0' ? late->why : "no HELLO yet", unless);
}

static void
reply_rejected(struct lp_commit *commit)
{
	const struct lp_push_dataplane *refuser = &commit->refuser;
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REJECTED,
	    .object = refuser->object[0] != '\0' ? refuser->object : NULL,
	    .field = refuser->field[0] != '\0' ? refuser->field : NULL,
	    .dataplane = lp_reply_dataplane_name(refuser),
	};

	if (commit->refused_base)
		lp_reply_failure(commit->context, &commit->ticket.to, &failure,
		    "%s (%s; it rejected generation %" PRIu64
		    " already; correct that first)",
		    refuser->text, commit->rollback, commit->await.base);
	else
		lp_reply_failure(commit->context, &commit->ticket.to, &failure,
		    "%s (%s)", refuser->text, commit->rollback);
}

static void
finish(struct lp_commit *commit)
{
	evtimer_del(commit->timer);
	if (commit->stored && commit->phase == WAITING)
		lp_log_debug("generation %" PRIu64 ": %s",
		    commit->context->current.number, commit->steps.text);
	lp_model_change_fini(&commit->change);
	lp__pb__control_request__free_unpacked(commit->ticket.request, NULL);
	lp_config_fini(&commit->before.config);
	commit->phase = IDLE;
	event_active(commit->next, EV_TIMEOUT, 0);
}

static void
start_timer(struct lp_commit *commit)
{
	const struct timeval wait = lp_clock_timeval(commit->order.timeout_ms);

	/* From now on: the model, and storing it, may have taken long. */
	event_base_update_cache_time(commit->context->base);
	evtimer_add(commit->timer, &wait);
}
