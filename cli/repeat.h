/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --watch: a question that is asked again and again.
 */
#ifndef LP_CLI_REPEAT_H
#define LP_CLI_REPEAT_H

#include "cli/command.h"
#include "cli/lpctl.h"

struct lp_repeat {
	uint32_t every_s; /* 0: once, or by the next */
	uint32_t every_ms; /* of one that follows; 0: it does not */
	/*
	 * Asks and shows; *asked is true if the whole answer came.  Returns an
	 * exit status.
	 */
	int (*once)(const struct lp_lpctl *lpctl, const struct lp_print *print,
	    void *arg, bool *asked, struct lp_error *error);
	void *arg;
};

/* every_s as --watch says.  LP_EXIT_OK, LP_EXIT_USAGE. */
int lp_repeat_option(struct lp_repeat *repeat, const struct lp_words *words,
    struct lp_error *error);

/*
 * Until a signal ends us, with --watch.  Daemons may be started again
 * meanwhile: that is said once, and tried again.
 */
int lp_repeat_run(const struct lp_repeat *repeat, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error);

/* An answer that broke off has the frames before the one that says so. */
struct lp_replies lp_repeat_whole(
    const struct lp_replies *replies, Lp__Pb__ControlReply__BodyCase body);

#endif
