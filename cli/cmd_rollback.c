/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/transaction.h"

enum {
	MS_PER_S = 1000,
	/* To read and store a configuration of very many rules. */
	STORE_MS = 20000,
};

static int roll_back(const struct lp_lpctl *lpctl,
    Lp__Pb__RollbackRequest *wanted, struct lp_error *error);
static int report(const struct lp_lpctl *lpctl,
    const Lp__Pb__TransactionReply *reply, uint32_t confirm_ms,
    struct lp_error *error);

int
lp_cmd_rollback(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	Lp__Pb__RollbackRequest wanted = LP__PB__ROLLBACK_REQUEST__INIT;
	uint32_t wait_s = 0;

	if (words->operands[0] != NULL) {
		wanted.has_generation = true;
		if (lp_cmd_rollback_generation(&wanted.generation,
			words->operands[0], error) != LP_EXIT_OK)
			return error->status;
	}
	if (lp_transaction_confirm(&wait_s, words, error) != LP_EXIT_OK)
		return error->status;
	wanted.has_confirm_ms = wait_s > 0;
	wanted.confirm_ms = wait_s * MS_PER_S;
	return roll_back(lpctl, &wanted, error);
}

int
lp_cmd_rollback_generation(
    uint64_t *generation, const char *text, struct lp_error *error)
{
	char *end;

	errno = 0;
	*generation = strtoull(text, &end, 10);
	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0' ||
	    errno != 0 || *generation == 0 || *generation > INT64_MAX)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "\"%s\" is no generation; \"lpctl history\" lists them",
		    text);
	return LP_EXIT_OK;
}

static int
roll_back(const struct lp_lpctl *lpctl, Lp__Pb__RollbackRequest *wanted,
    struct lp_error *error)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies;
	int status;

	wanted->has_timeout_ms = true;
	wanted->timeout_ms = lpctl->timeout_s * MS_PER_S;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_ROLLBACK;
	request.rollback = wanted;
	status = lp_client_ask(&replies, lpctl->socket,
	    lp_lpctl_answer_ms(lpctl) + STORE_MS, &request,
	    LP__PB__CONTROL_REPLY__BODY_TRANSACTION, error);
	if (status == LP_EXIT_OK)
		status = report(lpctl, replies.list[0]->transaction,
		    wanted->confirm_ms, error);
	else if (lp_client_failure(&replies) != NULL)
		status = lp_transaction_explain(
		    error, lp_client_failure(&replies), NULL);
	lp_client_replies_free(&replies);
	return status;
}

static int
report(const struct lp_lpctl *lpctl, const Lp__Pb__TransactionReply *reply,
    uint32_t confirm_ms, struct lp_error *error)
{
	for (size_t i = 0; i < reply->n_notes; i++)
		(void)fprintf(lpctl->err, "lpctl: note: %s\n", reply->notes[i]);
	if (confirm_ms > 0)
		(void)fprintf(lpctl->err,
		    "lpctl: note: it is rolled back in %u s, unless it is "
		    "confirmed: lpctl confirm\n",
		    confirm_ms / MS_PER_S);
	return lp_error_output(
	    error, lpctl->output->changed(&lpctl->print, reply));
}
