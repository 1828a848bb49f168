/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_history.h"

#include <inttypes.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/table.h"
#include "proto/text.h"

/* Of a comment, where not all is asked for: a line or two of a terminal. */
enum { COMMENT_SHOWN = 160 };

static const struct lp_column columns[] = {
    {"GENERATION", true}, {"TIME", false}, {"WHO", false}, {"CHANGE", false}};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void add_row(struct lp_table *table, const struct lp_print *print,
    const Lp__Pb__StoredGeneration *row);

int
lp_output_text_history(
    const struct lp_print *print, const struct lp_history_view *view)
{
	struct lp_table table;

	lp_table_init(&table, columns, COLUMNS);
	for (size_t i = 0; i < view->count; i++)
		add_row(&table, print, view->rows[i]);
	return lp_table_write(&table, print->out, print->color);
}

static void
add_row(struct lp_table *table, const struct lp_print *print,
    const Lp__Pb__StoredGeneration *row)
{
	const char *comment = row->comment != NULL ? row->comment : "";
	size_t len = lp_text_fit(comment, strlen(comment),
	    print->verbose ? SIZE_MAX : COMMENT_SHOWN);
	char time[LP_CLOCK_RFC3339_SIZE];

	lp_table_add(table, LP_STYLE_PLAIN, "%" PRIu64, row->number);
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_clock_rfc3339(time, row->time_ns));
	lp_table_add(table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(row->who));
	if (len == 0)
		lp_table_add(table, LP_STYLE_PLAIN, "-");
	else
		lp_table_add(table, LP_STYLE_PLAIN, "%.*s%s", (int)len, comment,
		    comment[len] != '\0' || row->cut ? " ..." : "");
}
