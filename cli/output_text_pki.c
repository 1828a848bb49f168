/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_pki.h"

#include <string.h>

#include "cli/clock.h"
#include "cli/pki.h"
#include "cli/table.h"

static const struct lp_column columns[] = {{"NAME", false}, {"ROLE", false},
    {"SERIAL", false}, {"EXPIRES", false}, {"STATE", false}};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

enum { DAY_LEN = 10, SECOND_LEN = 19 };

static int list(const struct lp_print *print, const struct lp_pki_view *view);
static void add_row(struct lp_table *table, const struct lp_pki_view *view,
    const struct lp_pki_index_row *row);
static char *format(char buf[LP_CLOCK_RFC3339_SIZE], int64_t seconds);

int
lp_output_text_pki(const struct lp_print *print, const struct lp_pki_view *view)
{
	char time[LP_CLOCK_RFC3339_SIZE];
	int err;

	if (view->action == LP_PKI_INIT || view->action == LP_PKI_LIST)
		(void)fprintf(print->out,
		    "authority \"%s\" in %s, until %.*s\n", view->authority,
		    view->directory, DAY_LEN, format(time, view->until));
	if (view->action == LP_PKI_INIT)
		(void)fprintf(print->out,
		    "ca.key.pem signs: whoever has it lets in whom he wants\n");
	if (view->action == LP_PKI_INIT)
		return 0;
	err = list(print, view);
	if (view->action == LP_PKI_ISSUE)
		(void)fprintf(print->out, "%s: give it to %s alone\n",
		    view->path, view->index.rows[0].name);
	if (view->action == LP_PKI_REVOKE)
		(void)fprintf(print->out,
		    "copy %s/crl.pem to the --tls directory of every "
		    "lp-controld and lp-dataplane: it is loaded within half "
		    "a minute, or on SIGHUP\n",
		    view->directory);
	return err;
}

static int
list(const struct lp_print *print, const struct lp_pki_view *view)
{
	struct lp_table table;

	lp_table_init(&table, columns, COLUMNS);
	for (size_t i = 0; i < view->index.count; i++)
		add_row(&table, view, &view->index.rows[i]);
	return lp_table_write(&table, print->out, print->color);
}

static void
add_row(struct lp_table *table, const struct lp_pki_view *view,
    const struct lp_pki_index_row *row)
{
	char serial[LP_PKI_INDEX_SERIAL_SIZE], time[LP_CLOCK_RFC3339_SIZE];

	lp_table_add(table, LP_STYLE_PLAIN, "%s", row->name);
	lp_table_add(table, LP_STYLE_PLAIN, "%s", lp_role_word(row->role));
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    lp_pki_index_format(serial, row->serial));
	lp_table_add(table, LP_STYLE_PLAIN, "%.*sZ", SECOND_LEN,
	    format(time, row->expires));
	if (row->revoked != 0)
		lp_table_add(table, LP_STYLE_BAD, "revoked %.*sZ", SECOND_LEN,
		    format(time, row->revoked));
	else if (row->expires <= view->now)
		lp_table_add(table, LP_STYLE_WARN, "expired");
	else
		lp_table_add(table, LP_STYLE_GOOD, "valid");
}

static char *
format(char buf[LP_CLOCK_RFC3339_SIZE], int64_t seconds)
{
	return lp_clock_rfc3339(buf, (uint64_t)seconds * LP_CLOCK_NS_PER_S);
}
