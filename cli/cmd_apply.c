/* SPDX-License-Identifier: Apache-2.0 */
/* diff, apply: what files declare, and what there is. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/declaration_names.h"
#include "cli/show_ask.h"
#include "cli/transaction.h"
#include "controld/store.h"

enum { MS_PER_S = 1000 };

/* All that has to live until the end. */
struct job {
	const struct lp_lpctl *lpctl;
	const struct lp_words *words;
	struct lp_error *error;
	struct lp_report *report;
	struct lp_declaration declaration;
	struct lp_view current;
	struct lp_plan plan;
	struct lp_plan_view view;
	const char *copy; /* of a database, in place of files; or NULL */
};

static int run(struct job *job, int (*finish)(struct job *job));
static void note_trial(const struct job *job);
static int show(struct job *job);
static int send_changes(struct job *job);
static int load(struct job *job);
static int load_copy(struct job *job);
static int make_plan(struct job *job);
static int check_report(struct job *job);
static int apply(struct job *job);
static int report_result(
    struct job *job, const Lp__Pb__TransactionReply *reply);
static int explain(struct job *job, const Lp__Pb__Failure *failure);
static int no_memory(struct job *job);

int
lp_cmd_apply_diff(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct job job = {.lpctl = lpctl, .words = words, .error = error};

	return run(&job, show);
}

int
lp_cmd_apply(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct job job = {.lpctl = lpctl, .words = words, .error = error};

	return run(&job, apply);
}

int
lp_cmd_apply_copy(const struct lp_lpctl *lpctl, const struct lp_words *words,
    const char *path, struct lp_error *error)
{
	struct job job = {
	    .lpctl = lpctl, .words = words, .error = error, .copy = path};

	return run(&job, apply);
}

static int
run(struct job *job, int (*finish)(struct job *job))
{
	int status;

	if (job->copy == NULL && job->words->file_count == 0)
		return lp_error_set(job->error, LP_EXIT_USAGE,
		    "needs --file PATH, a file or a directory");
	status = lp_transaction_confirm(
	    &job->view.confirm_s, job->words, job->error);
	if (status != LP_EXIT_OK)
		return status;
	job->view.is_apply = finish == apply;
	job->view.is_dry = lp_command_given(job->words, LP_OPTION_DRY_RUN);
	lp_config_init(&job->current.config);
	if (lp_report_new(&job->report) != 0)
		return no_memory(job);
	status = job->copy != NULL ? load_copy(job) : load(job);
	/* Warnings alone are told with those of the plan. */
	if (status == LP_EXIT_OK &&
	    lp_report_count(job->report, LP_SEVERITY_ERROR) > 0)
		status = check_report(job);
	if (status == LP_EXIT_OK)
		status = lp_show_ask(
		    &job->current, job->lpctl, LP_SHOW_ASK_ALL, 0, job->error);
	if (status == LP_EXIT_OK)
		status = make_plan(job);
	if (status == LP_EXIT_OK)
		status = finish(job);
	if (status == LP_EXIT_OK && job->plan.count == 0)
		note_trial(job);
	lp_plan_fini(&job->plan);
	lp_view_fini(&job->current);
	lp_declaration_fini(&job->declaration);
	lp_report_free(job->report);
	return status;
}

/* What is as declared may be taken back by itself: nobody else would say so. */
static void
note_trial(const struct job *job)
{
	Lp__Pb__StatusRequest ask = LP__PB__STATUS_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	const struct lp_lpctl *lpctl = job->lpctl;
	const Lp__Pb__ConfirmStatus *trial;
	struct lp_replies replies;
	struct lp_error ignored;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_STATUS;
	request.status = &ask;
	if (lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_STATUS,
		&ignored) == LP_EXIT_OK) {
		trial = replies.list[0]->status->confirm;
		if (trial != NULL)
			(void)fprintf(lpctl->err,
			    "lpctl: note: generation %" PRIu64 " waits to be "
			    "confirmed, or generation %" PRIu64 " comes back: "
			    "\"lpctl confirm\" keeps it\n",
			    trial->generation, trial->back_to);
	}
	lp_client_replies_free(&replies);
}

static int
show(struct job *job)
{
	int status = lp_error_output(job->error,
	    job->lpctl->output->plan(&job->lpctl->print, &job->view));

	if (status == LP_EXIT_OK && job->plan.count > 0)
		status = lp_error_set(job->error, LP_EXIT_CHANGES, "%s", "");
	return status;
}

static int
apply(struct job *job)
{
	int status = lp_error_output(job->error,
	    job->lpctl->output->plan(&job->lpctl->print, &job->view));

	if (status != LP_EXIT_OK || job->plan.count == 0 || job->view.is_dry)
		return status;
	return send_changes(job);
}

/* ---- before it ----------------------------------------------------------- */

/* Names are resolved later, and only those that are new. */
static int
load(struct job *job)
{
	if (lp_declaration_load(&job->declaration, job->report,
		job->words->files, job->words->file_count) != 0)
		return no_memory(job);
	return LP_EXIT_OK;
}

/*
 * The configuration of a copy, as the file that "lpctl export" would have
 * printed: so what is refused of it has a place.
 */
static int
load_copy(struct job *job)
{
	const struct lp_store_options options = {
	    .path = job->copy, .read_only = true};
	struct lp_declaration stored;
	struct lp_generation generation;
	char why[LP_STORE_WHY_SIZE], *text = NULL;
	struct lp_store *store;
	size_t len = 0;
	FILE *out;
	int err;

	if (lp_store_open(&store, &generation, &options, why) != 0)
		return lp_error_set(job->error, LP_EXIT_REFUSED, "%s", why);
	lp_store_close(store);
	err = lp_declaration_from_config(&stored, &generation.config);
	lp_config_fini(&generation.config);
	if (err != 0)
		return no_memory(job);
	out = open_memstream(&text, &len);
	if (out != NULL) {
		err = lp_declaration_print(out, &stored, NULL);
		if (fclose(out) != 0)
			err = -ENOMEM;
	}
	lp_declaration_fini(&stored);
	if (out == NULL || err != 0) {
		free(text);
		return no_memory(job);
	}
	if (lp_declaration_load_text(
		&job->declaration, job->report, job->copy, text, len) != 0)
		return no_memory(job);
	return LP_EXIT_OK;
}

static int
make_plan(struct job *job)
{
	const struct lp_plan_options options = {
	    .prune = job->copy != NULL ||
		lp_command_given(job->words, LP_OPTION_PRUNE),
	    .resolve = job->lpctl->resolve,
	    .err = job->lpctl->err,
	};
	int err = lp_plan_make(&job->plan, job->report, &job->declaration,
	    &job->current.config, &options);

	/* What else is wrong would follow from what was left out. */
	if (err == 0 && job->plan.count > 0 &&
	    lp_report_count(job->report, LP_SEVERITY_ERROR) == 0)
		err = lp_plan_check(&job->plan, job->report, &job->declaration,
		    &job->current.config);
	if (err != 0)
		return no_memory(job);
	job->view.plan = &job->plan;
	job->view.report = job->report;
	job->view.generation = job->current.generation;
	return check_report(job);
}

/* Problems as a compiler tells them; warnings are no reason to stop. */
static int
check_report(struct job *job)
{
	size_t errors = lp_report_count(job->report, LP_SEVERITY_ERROR);
	size_t files = lp_report_file_count(job->report);

	lp_report_print(job->report, job->lpctl->err, job->lpctl->err_color);
	if (errors == 0)
		return LP_EXIT_OK;
	return lp_error_set(job->error, LP_EXIT_REFUSED,
	    "%zu error%s in %zu file%s: nothing was changed", errors,
	    errors == 1 ? "" : "s", files, files == 1 ? "" : "s");
}

/* ---- the change ---------------------------------------------------------- */

static int
send_changes(struct job *job)
{
	Lp__Pb__Transaction message = LP__PB__TRANSACTION__INIT;
	struct lp_replies replies;
	int status;

	message.n_operations = job->plan.operations.count;
	message.operations = job->plan.operations.list;
	message.comment = (char *)job->lpctl->comment;
	message.has_base_generation = true;
	message.base_generation = job->current.generation;
	message.has_confirm_ms = job->view.confirm_s > 0;
	message.confirm_ms = job->view.confirm_s * MS_PER_S;
	status =
	    lp_transaction_send(&replies, job->lpctl, &message, job->error);
	if (status == LP_EXIT_OK)
		status = report_result(job, replies.list[0]->transaction);
	else if (lp_client_failure(&replies) != NULL)
		status = explain(job, lp_client_failure(&replies));
	lp_client_replies_free(&replies);
	return status;
}

/* Most notes were warnings of the check, which is that of lp-controld. */
static bool
was_said(const struct job *job, const char *note)
{
	const struct lp_problem *problems;
	size_t count;

	problems = lp_report_problems(job->report, &count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(problems[i].text, note) == 0)
			return true;
	return false;
}

static int
report_result(struct job *job, const Lp__Pb__TransactionReply *reply)
{
	for (size_t i = 0; i < reply->n_notes; i++)
		if (!was_said(job, reply->notes[i]))
			(void)fprintf(job->lpctl->err, "lpctl: note: %s\n",
			    reply->notes[i]);
	job->view.reply = reply;
	return lp_error_output(job->error,
	    job->lpctl->output->plan(&job->lpctl->print, &job->view));
}

static bool
has_text(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* A dataplane names what it rejects; NULL: it is of no file. */
static const struct lp_declared *
find(const struct job *job, const char *object)
{
	char label[LP_OBJECT_LABEL_SIZE];

	for (size_t i = 0; i < job->declaration.count; i++) {
		const struct lp_declared *declared = &job->declaration.list[i];

		lp_declaration_names_label(label, declared);
		if (strcmp(label, object) == 0)
			return declared;
	}
	return NULL;
}

/* "rules.yaml:12:5: rule x: match: TEXT" */
static int
explain(struct job *job, const Lp__Pb__Failure *failure)
{
	size_t place = failure->has_place ? failure->place : 0;
	const struct lp_declared *to = NULL;
	struct lp_span span;
	uint32_t line, column;

	(void)lp_error_set(job->error, job->error->status, "%s",
	    lp_client_failure_text(failure));
	if (has_text(failure->field))
		(void)lp_error_prefix(job->error, "%s", failure->field);
	if (has_text(failure->object))
		(void)lp_error_prefix(job->error, "%s", failure->object);
	if (has_text(failure->dataplane))
		(void)lp_error_prefix(
		    job->error, "dataplane %s", failure->dataplane);
	if (place >= 1 && place <= job->plan.count)
		to = job->plan.steps[place - 1].to;
	else if (has_text(failure->object))
		to = find(job, failure->object);
	if (to == NULL || to->node == NULL)
		return job->error->status;
	span = lp_declaration_place(
	    to, has_text(failure->field) ? failure->field : "name");
	lp_report_locate(job->report, &span, &line, &column);
	return lp_error_prefix(job->error, "%s:%" PRIu32 ":%" PRIu32,
	    lp_report_name(job->report, span.file), line, column);
}

static int
no_memory(struct job *job)
{
	return lp_error_set(job->error, LP_EXIT_UNREACHABLE, "out of memory");
}
