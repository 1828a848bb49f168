/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_audit.h"

#include <inttypes.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/table.h"
#include "proto/text.h"

/* Of a text, where not all is asked for: a line or two of a terminal. */
enum { TEXT_SHOWN = 160 };

static const struct lp_column columns[] = {{"TIME", false}, {"WHO", false},
    {"FROM", false}, {"ROLE", false}, {"REQUEST", false}, {"RESULT", false},
    {"GENERATION", true}, {"TEXT", false}};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void add_row(struct lp_table *table, const struct lp_print *print,
    const Lp__Pb__AuditRow *row);
static enum lp_style style_of(const char *result);

int
lp_output_text_audit(
    const struct lp_print *print, const struct lp_audit_view *view)
{
	struct lp_table table;

	lp_table_init(&table, columns, COLUMNS);
	for (size_t i = 0; i < view->count; i++)
		add_row(&table, print, view->rows[i]);
	return lp_table_write(&table, print->out, print->color);
}

static void
add_row(struct lp_table *table, const struct lp_print *print,
    const Lp__Pb__AuditRow *row)
{
	const char *text = row->text != NULL ? row->text : "";
	const char *plain[] = {row->who, row->from, row->role, row->request};
	size_t len = lp_text_fit(
	    text, strlen(text), print->verbose ? SIZE_MAX : TEXT_SHOWN);
	char time[LP_CLOCK_RFC3339_SIZE];

	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_clock_rfc3339(time, row->time_ns));
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		lp_table_add(
		    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(plain[i]));
	lp_table_add(
	    table, style_of(row->result), "%s", lp_table_or_dash(row->result));
	if (row->has_generation)
		lp_table_add(
		    table, LP_STYLE_PLAIN, "%" PRIu64, row->generation);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "-");
	if (len == 0)
		lp_table_add(table, LP_STYLE_PLAIN, "-");
	else
		lp_table_add(table, LP_STYLE_PLAIN, "%.*s%s", (int)len, text,
		    text[len] != '\0' || row->cut ? " ..." : "");
}

static enum lp_style
style_of(const char *result)
{
	if (result == NULL || strcmp(result, "done") == 0)
		return LP_STYLE_PLAIN;
	return strcmp(result, "forbidden") == 0 ? LP_STYLE_BAD : LP_STYLE_WARN;
}
