/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the rows of "lpctl top".
 *
 * Client ids and topics are bytes that strangers chose, and a terminal obeys
 * bytes: all but printable ASCII is written \xNN, as the dataplane writes what
 * is no text at all.  A "(" or a quote at the start is escaped too: "(others)",
 * "(evicted)" and "(null)" are our own words, and "" is the empty client id.
 */
#ifndef LP_CLI_TOP_NAME_H
#define LP_CLI_TOP_NAME_H

#include "cli/top_sample.h"

/* NULL if there is no memory; to be freed. */
char *lp_top_name_escape(const char *text);

/* The row of a view that an entry belongs to; likewise. */
char *lp_top_name_of(enum lp_top_view view, const struct lp_top_entry *entry);

/* Whether a filter lets it pass; "": all. */
bool lp_top_name_matches(const char *name, const char *filter);

#endif
