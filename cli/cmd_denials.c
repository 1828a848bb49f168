/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To follow is to ask again and again for what has come since: so neither
 * lp-controld nor a dataplane remembers who follows, and each may be started
 * again meanwhile.
 */
#include <string.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/repeat.h"

enum {
	LIMIT_DEFAULT = 100,
	LIMIT_FOLLOWING = 10,
	FOLLOW_MS = 500,
};

struct asking {
	Lp__Pb__DenialListRequest request;
	char *rules[LP_RULES_ASKED_MAX];
	bool follows;
	struct lp_denials_past past;
};

static void add_rule(struct asking *asking, const char *name);
static int once(const struct lp_lpctl *lpctl, const struct lp_print *print,
    void *arg, bool *asked, struct lp_error *error);
static int show(const struct lp_lpctl *lpctl, const struct lp_print *print,
    const struct lp_replies *replies, struct asking *asking,
    struct lp_error *error);

int
lp_cmd_denials(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct asking asking = {
	    .request = LP__PB__DENIAL_LIST_REQUEST__INIT,
	    .follows = lp_command_given(words, LP_OPTION_FOLLOW),
	};
	struct lp_repeat repeat = {.every_ms = asking.follows ? FOLLOW_MS : 0,
	    .once = once,
	    .arg = &asking};
	int status;

	asking.request.has_limit = true;
	asking.request.limit = asking.follows ? LIMIT_FOLLOWING : LIMIT_DEFAULT;
	if (lp_command_limit(&asking.request.limit, words, 0, error) !=
	    LP_EXIT_OK)
		return error->status;
	for (unsigned i = 0; i < LP_OPERANDS_GIVEN_MAX; i++)
		add_rule(&asking, words->operands[i]);
	asking.request.rules = asking.rules;
	asking.request.dataplane =
	    (char *)lp_command_value(words, LP_OPTION_DATAPLANE, NULL);
	status = lp_repeat_run(&repeat, lpctl, words, error);
	lp_view_denials_forget(&asking.past);
	return status;
}

/* NULL: none was given. */
static void
add_rule(struct asking *asking, const char *name)
{
	if (name != NULL)
		asking->rules[asking->request.n_rules++] = (char *)name;
}

/* What dataplanes have said is shown, although another one said nothing. */
static int
once(const struct lp_lpctl *lpctl, const struct lp_print *print, void *arg,
    bool *asked, struct lp_error *error)
{
	struct asking *asking = arg;
	Lp__Pb__DenialsRead reads[LP_DENIALS_DATAPLANES_MAX];
	Lp__Pb__DenialsRead *list[LP_DENIALS_DATAPLANES_MAX];
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies, whole;
	struct lp_error later;
	int missing, status = LP_EXIT_OK;

	for (size_t i = 0; i < asking->past.count; i++) {
		list[i] = &reads[i];
		lp__pb__denials_read__init(&reads[i]);
		reads[i].dataplane = asking->past.read[i].dataplane;
		reads[i].log = asking->past.read[i].log;
		reads[i].last = asking->past.read[i].last;
	}
	asking->request.n_read = asking->past.count;
	asking->request.read = list;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_DENIALS;
	request.denials = &asking->request;
	missing =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_DENIALS, error);
	*asked = missing == LP_EXIT_OK;
	whole = lp_repeat_whole(&replies, LP__PB__CONTROL_REPLY__BODY_DENIALS);
	if (whole.count > 0)
		status = show(lpctl, print, &whole, asking, &later);
	lp_client_replies_free(&replies);
	if (missing == LP_EXIT_OK && status != LP_EXIT_OK)
		*error = later;
	return missing != LP_EXIT_OK ? missing : status;
}

static int
show(const struct lp_lpctl *lpctl, const struct lp_print *print,
    const struct lp_replies *replies, struct asking *asking,
    struct lp_error *error)
{
	struct lp_denials_view view;
	int status = lp_view_denials_init(
	    &view, replies, asking->follows ? &asking->past : NULL, error);

	if (status != LP_EXIT_OK)
		return status;
	status = lp_error_output(error, lpctl->output->denials(print, &view));
	lp_view_denials_fini(&view);
	return status;
}
