/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/repeat.h"

static void add_name(Lp__Pb__RuleCountersRequest *ask,
    char *names[LP_RULES_ASKED_MAX], const char *name);
static int once(const struct lp_lpctl *lpctl, const struct lp_print *print,
    void *arg, bool *asked, struct lp_error *error);
static int show(const struct lp_lpctl *lpctl, const struct lp_print *print,
    struct lp_replies *replies, size_t named, struct lp_error *error);

int
lp_cmd_rule_stats(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	Lp__Pb__RuleCountersRequest ask = LP__PB__RULE_COUNTERS_REQUEST__INIT;
	struct lp_repeat repeat = {.once = once, .arg = &ask};
	char *names[LP_RULES_ASKED_MAX];

	if (lp_repeat_option(&repeat, words, error))
		return error->status;
	for (unsigned i = 0; i < LP_OPERANDS_GIVEN_MAX; i++)
		add_name(&ask, names, words->operands[i]);
	ask.rules = names;
	ask.has_all = ask.all = lp_command_given(words, LP_OPTION_ALL);
	ask.dataplane =
	    (char *)lp_command_value(words, LP_OPTION_DATAPLANE, NULL);
	return lp_repeat_run(&repeat, lpctl, words, error);
}

/* Each once; NULL: none was given. */
static void
add_name(Lp__Pb__RuleCountersRequest *ask, char *names[LP_RULES_ASKED_MAX],
    const char *name)
{
	for (size_t i = 0; name != NULL && i < ask->n_rules; i++)
		if (strcmp(names[i], name) == 0)
			return;
	if (name != NULL)
		names[ask->n_rules++] = (char *)name;
}

/* What dataplanes have said is shown, although another one said nothing. */
static int
once(const struct lp_lpctl *lpctl, const struct lp_print *print, void *arg,
    bool *asked, struct lp_error *error)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_replies replies, whole;
	struct lp_error later;
	int missing;
	int status = LP_EXIT_OK;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_RULES;
	request.rules = arg;
	missing =
	    lp_client_ask(&replies, lpctl->socket, lp_lpctl_answer_ms(lpctl),
		&request, LP__PB__CONTROL_REPLY__BODY_RULES, error);
	*asked = missing == LP_EXIT_OK;
	whole = lp_repeat_whole(&replies, LP__PB__CONTROL_REPLY__BODY_RULES);
	if (whole.count > 0)
		status =
		    show(lpctl, print, &whole, request.rules->n_rules, &later);
	lp_client_replies_free(&replies);
	if (missing == LP_EXIT_OK && status != LP_EXIT_OK)
		*error = later;
	return missing != LP_EXIT_OK ? missing : status;
}

static int
show(const struct lp_lpctl *lpctl, const struct lp_print *print,
    struct lp_replies *replies, size_t named, struct lp_error *error)
{
	struct lp_rule_stats_view view;
	int status = lp_view_rule_stats_init(&view, replies, error);

	if (status != LP_EXIT_OK)
		return status;
	view.named = named;
	status =
	    lp_error_output(error, lpctl->output->rule_stats(print, &view));
	lp_view_rule_stats_fini(&view);
	return status;
}
