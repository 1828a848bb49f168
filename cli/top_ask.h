/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of "lpctl top" to lp-controld, once a round.
 */
#ifndef LP_CLI_TOP_ASK_H
#define LP_CLI_TOP_ASK_H

#include "cli/lpctl.h"
#include "cli/top_page.h"

struct lp_top_options {
	const char *dataplane; /* NULL: all */
	uint32_t delay_ms; /* between two rounds */
	uint32_t rounds; /* that are printed; 0: no end */
	struct lp_top_choice choice;
};

/*
 * Asks for everything that any view shows, so that another view has its
 * interval at once.  LP_EXIT_OK; or the status and the reason, and what could
 * be had is in the model and in *head all the same.  *fed: the model has a
 * new sample.  waiter: NULL for none.
 */
int lp_top_ask_round(struct lp_top_model *model, struct lp_top_head *head,
    bool *fed, const struct lp_lpctl *lpctl,
    const struct lp_top_options *options, const struct lp_client_waiter *waiter,
    struct lp_error *error);

/* What may be better the next time: nobody there, or no answer. */
bool lp_top_ask_may_pass(int status);

#endif
