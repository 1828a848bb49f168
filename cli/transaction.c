/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "cli/change.h"
#include "cli/client.h"

enum {
	MS_PER_S = 1000,
	/* That lp-controld takes in and stores, on a slow machine. */
	OPERATIONS_PER_MS = 5,
};

struct transaction {
	struct lp_change *changes;
	Lp__Pb__Operation **operations;
	size_t count;
};

static int make_changes(struct transaction *transaction,
    const struct lp_lpctl *lpctl, const struct lp_line *line,
    struct lp_error *error);
static int send_changes(const struct transaction *transaction,
    const struct lp_lpctl *lpctl, const char *comment, struct lp_error *error);

int
lp_transaction_run(const struct lp_lpctl *lpctl, const struct lp_line *line,
    const char *comment, struct lp_error *error)
{
	struct transaction transaction = {.count = line->count};
	int status;

	transaction.changes = calloc(line->count, sizeof(*transaction.changes));
	transaction.operations =
	    calloc(line->count, sizeof(Lp__Pb__Operation *));
	if (transaction.changes == NULL || transaction.operations == NULL)
		status =
		    lp_error_set(error, LP_EXIT_UNREACHABLE, "out of memory");
	else
		status = make_changes(&transaction, lpctl, line, error);
	if (status == LP_EXIT_OK)
		status = send_changes(&transaction, lpctl, comment, error);
	free(transaction.operations);
	free(transaction.changes);
	return status;
}

int
lp_transaction_confirm(
    uint32_t *wait_s, const struct lp_words *words, struct lp_error *error)
{
	const char *text = lp_command_value(words, LP_OPTION_CONFIRM, NULL);

	*wait_s = 0;
	if (text != NULL && lp_command_duration(wait_s, text) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--confirm: \"%s\" is no time from 1s to 1h, such as 60s "
		    "or 5m",
		    text);
	return LP_EXIT_OK;
}

int
lp_transaction_send(struct lp_replies *replies, const struct lp_lpctl *lpctl,
    Lp__Pb__Transaction *transaction, struct lp_error *error)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	uint32_t answer_ms = lp_lpctl_answer_ms(lpctl) +
	    (uint32_t)transaction->n_operations / OPERATIONS_PER_MS;

	transaction->has_timeout_ms = true;
	transaction->timeout_ms = lpctl->timeout_s * MS_PER_S;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_TRANSACTION;
	request.transaction = transaction;
	return lp_client_ask(replies, lpctl->socket, answer_ms, &request,
	    LP__PB__CONTROL_REPLY__BODY_TRANSACTION, error);
}

static bool
has_text(const char *text)
{
	return text != NULL && text[0] != '\0';
}

int
lp_transaction_explain(
    struct lp_error *error, const Lp__Pb__Failure *failure, const char *known)
{
	(void)lp_error_set(
	    error, error->status, "%s", lp_client_failure_text(failure));
	if (has_text(failure->field))
		(void)lp_error_prefix(error, "%s", failure->field);
	if (has_text(failure->object) &&
	    (known == NULL || strcmp(failure->object, known) != 0))
		(void)lp_error_prefix(error, "%s", failure->object);
	if (has_text(failure->dataplane))
		(void)lp_error_prefix(
		    error, "dataplane %s", failure->dataplane);
	return error->status;
}

/* Which of several commands; of one alone its label says enough. */
static int
prefix_place(
    struct lp_error *error, const struct transaction *transaction, size_t i)
{
	if (transaction->count > 1)
		return lp_error_prefix(error, "command %zu", i + 1);
	return error->status;
}

static int
make_changes(struct transaction *transaction, const struct lp_lpctl *lpctl,
    const struct lp_line *line, struct lp_error *error)
{
	for (size_t i = 0; i < transaction->count; i++) {
		struct lp_change *change = &transaction->changes[i];

		if (lp_change_init(change, lpctl, &line->commands[i],
			(unsigned)(i + 1), error))
			return prefix_place(error, transaction, i);
		transaction->operations[i] = &change->operation;
	}
	return LP_EXIT_OK;
}

/*
 * "command 2: add-listener payments/public: vip: TEXT".  The object is
 * only named where it is not that of the command.
 */
static int
explain(const struct transaction *transaction, const Lp__Pb__Failure *failure,
    struct lp_error *error)
{
	const struct lp_change *change = NULL;
	size_t place = failure->has_place ? failure->place : 0;

	if (place >= 1 && place <= transaction->count)
		change = &transaction->changes[place - 1];
	(void)lp_transaction_explain(
	    error, failure, change != NULL ? change->object_label : NULL);
	if (change == NULL)
		return error->status;
	(void)lp_error_prefix(error, "%s", change->label);
	return prefix_place(error, transaction, place - 1);
}

static int
report(const struct lp_lpctl *lpctl, const Lp__Pb__TransactionReply *reply,
    struct lp_error *error)
{
	for (size_t i = 0; i < reply->n_notes; i++)
		(void)fprintf(lpctl->err, "lpctl: note: %s\n", reply->notes[i]);
	return lp_error_output(
	    error, lpctl->output->changed(&lpctl->print, reply));
}

static int
send_changes(const struct transaction *transaction,
    const struct lp_lpctl *lpctl, const char *comment, struct lp_error *error)
{
	Lp__Pb__Transaction message = LP__PB__TRANSACTION__INIT;
	struct lp_replies replies;
	int status;

	message.n_operations = transaction->count;
	message.operations = transaction->operations;
	message.comment = (char *)comment;
	status = lp_transaction_send(&replies, lpctl, &message, error);
	if (status == LP_EXIT_OK)
		status = report(lpctl, replies.list[0]->transaction, error);
	else if (lp_client_failure(&replies) != NULL)
		status =
		    explain(transaction, lp_client_failure(&replies), error);
	lp_client_replies_free(&replies);
	return status;
}
