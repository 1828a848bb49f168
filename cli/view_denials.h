/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was refused, put together for showing: that of all dataplanes, in the
 * order of time.
 */
#ifndef LP_CLI_VIEW_DENIALS_H
#define LP_CLI_VIEW_DENIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/client.h"
#include "cli/error.h"
#include "proto/lightpath.pb-c.h"

enum {
	LP_DENIALS_COLUMNS = 10, /* of the table */
	LP_DENIALS_DATAPLANES_MAX = 64, /* that are followed; lp-controld: 32 */
};

/* Where one dataplane's log was read to. */
struct lp_denials_read {
	char *dataplane;
	uint64_t log;
	uint64_t last;
};

/* Of the rounds before; all zero at first. */
struct lp_denials_past {
	struct lp_denials_read read[LP_DENIALS_DATAPLANES_MAX];
	size_t count;
	size_t widths[LP_DENIALS_COLUMNS]; /* of columns; 0: not shown yet */
};

struct lp_denials_row {
	const char *dataplane; /* its id; "" if it has none */
	const Lp__Pb__Denial *denial;
};

/* Borrows from the replies. */
struct lp_denials_view {
	struct lp_denials_row *rows;
	size_t count;
	uint64_t lost; /* forgotten before they were asked for */
	struct lp_denials_past *past; /* NULL: there is one round */
};

/*
 * LP_EXIT_OK, or LP_EXIT_UNREACHABLE; nothing is then to be freed.  The past,
 * if it is not NULL, becomes that of the next round.
 */
int lp_view_denials_init(struct lp_denials_view *view,
    const struct lp_replies *replies, struct lp_denials_past *past,
    struct lp_error *error);
void lp_view_denials_fini(struct lp_denials_view *view);

/* More than one dataplane is among them. */
bool lp_view_denials_mixed(const struct lp_denials_view *view);

void lp_view_denials_forget(struct lp_denials_past *past);

#endif
