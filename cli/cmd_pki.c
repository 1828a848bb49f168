/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/clock.h"
#include "cli/cmd.h"
#include "cli/pki.h"

enum { ACTIONS = 4 };

static const struct action {
	const char *word;
	lp_option_set options;
	bool named; /* takes a NAME behind the DIR */
	int (*run)(struct lp_pki_view *view,
	    const struct lp_pki_request *request, struct lp_error *error);
} actions[ACTIONS] = {
    {"init", LP_OPTION_BIT(LP_OPTION_AUTHORITY) | LP_OPTION_BIT(LP_OPTION_DAYS),
	false, lp_pki_init},
    {"issue",
	LP_OPTION_BIT(LP_OPTION_ROLE) | LP_OPTION_BIT(LP_OPTION_HOST) |
	    LP_OPTION_BIT(LP_OPTION_DAYS) | LP_OPTION_BIT(LP_OPTION_OUT),
	true, lp_pki_issue},
    {"revoke", 0, true, lp_pki_revoke},
    {"list", 0, false, lp_pki_list},
};

static const struct action *find(const char *word);
static int check_words(const struct action *action,
    const struct lp_words *words, struct lp_error *error);
static int read_options(struct lp_pki_request *request,
    const struct lp_words *words, struct lp_error *error);

int
lp_cmd_pki(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	const struct action *action = find(words->operands[0]);
	struct lp_pki_request request = {.directory = words->operands[1]};
	struct lp_pki_view view;
	int status;

	if (action == NULL)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "pki: \"%s\" is none of: init issue revoke list",
		    words->operands[0]);
	status = check_words(action, words, error);
	if (status == LP_EXIT_OK)
		status = read_options(&request, words, error);
	if (status != LP_EXIT_OK)
		return status;
	request.now = (int64_t)(lpctl->print.now_ns / LP_CLOCK_NS_PER_S);
	status = action->run(&view, &request, error);
	if (status == LP_EXIT_OK)
		status = lp_error_output(
		    error, lpctl->output->pki(&lpctl->print, &view));
	lp_pki_view_fini(&view);
	return status;
}

static const struct action *
find(const char *word)
{
	for (int i = 0; i < ACTIONS; i++)
		if (strcmp(actions[i].word, word) == 0)
			return &actions[i];
	return NULL;
}

static int
check_words(const struct action *action, const struct lp_words *words,
    struct lp_error *error)
{
	const char *name = words->operands[2];

	if (action->named && name == NULL)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "pki %s: NAME is missing", action->word);
	if (!action->named && name != NULL)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "pki %s: unexpected word \"%s\"", action->word, name);
	for (unsigned i = 0; i < words->option_count; i++)
		if ((action->options & LP_OPTION_BIT(words->options[i].id)) ==
		    0)
			return lp_error_set(error, LP_EXIT_USAGE,
			    "pki %s: has no option --%s", action->word,
			    lp_command_option(words->options[i].id)->name);
	if (action->run == lp_pki_issue &&
	    !lp_command_given(words, LP_OPTION_ROLE))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "pki issue: --role is missing: one of " LP_ROLE_WORDS);
	return LP_EXIT_OK;
}

static int
read_options(struct lp_pki_request *request, const struct lp_words *words,
    struct lp_error *error)
{
	const char *days = lp_command_value(words, LP_OPTION_DAYS, NULL);

	request->name = words->operands[2] != NULL
	    ? words->operands[2]
	    : lp_command_value(words, LP_OPTION_AUTHORITY, NULL);
	request->role =
	    lp_role_parse(lp_command_value(words, LP_OPTION_ROLE, NULL));
	request->out = lp_command_value(words, LP_OPTION_OUT, NULL);
	if (days != NULL &&
	    lp_command_number(&request->days, days, 1, LP_PKI_DAYS_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--days: \"%s\" is no number from 1 to %d", days,
		    LP_PKI_DAYS_MAX);
	for (unsigned i = 0; i < words->option_count; i++) {
		if (words->options[i].id != LP_OPTION_HOST)
			continue;
		if (request->host_count == LP_PKI_HOSTS_MAX)
			return lp_error_set(error, LP_EXIT_USAGE,
			    "--host: more than %d", LP_PKI_HOSTS_MAX);
		request->hosts[request->host_count++] = words->options[i].value;
	}
	return LP_EXIT_OK;
}
