/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion inside the texts of a rule: of the field, value, verdict or
 * argument that the text ends in.
 */
#ifndef LP_CLI_COMPLETE_RULE_H
#define LP_CLI_COMPLETE_RULE_H

#include "cli/view.h"

struct lp_complete_rule {
	const char *text; /* as far as it was typed */
	const struct lp_view *view; /* for names; NULL: there are none */
	bool request; /* of a match: only what describes a request */
	/* Called with whole texts, each of which begins with what was typed. */
	void (*offer)(void *arg, const char *candidate);
	void *arg;
};

void lp_complete_rule_match(const struct lp_complete_rule *rule);
void lp_complete_rule_action(const struct lp_complete_rule *rule);

#endif
