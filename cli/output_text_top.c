/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/clock.h"
#include "cli/output_top.h"
#include "cli/table.h"

static void
write_head(const struct lp_print *print, const struct lp_top_picture *picture)
{
	char time[LP_CLOCK_RFC3339_SIZE];
	char line[LP_TOP_LINE_SIZE];

	(void)fprintf(print->out, "%s %s, ",
	    lp_clock_rfc3339(time, print->now_ns),
	    lp_top_state_views[picture->state->choice.view]);
	if (picture->state->choice.since_start)
		(void)fputs("since start\n", print->out);
	else
		(void)fprintf(print->out, "%.1f s\n", picture->totals->seconds);
	for (unsigned i = 0; i < 3; i++) {
		lp_top_page_head(line, picture, i);
		(void)fprintf(print->out, "%s\n", lp_table_safe(line));
	}
}

int
lp_output_text_top(
    const struct lp_print *print, const struct lp_top_picture *picture)
{
	const struct lp_top_choice *choice = &picture->state->choice;
	struct lp_column columns[LP_TOP_COLUMNS];
	char cell[LP_TOP_CELL_SIZE];
	struct lp_table table;

	for (int i = 0; i < LP_TOP_COLUMNS; i++)
		columns[i] = (struct lp_column){
		    lp_top_page_title(choice, i), i != LP_TOP_NAME};
	write_head(print, picture);
	lp_table_init(&table, columns, LP_TOP_COLUMNS);
	for (int i = 0; i < LP_TOP_COLUMNS; i++)
		if (!lp_top_model_has(choice->view, i))
			lp_table_hide(&table, i);
	for (size_t i = 0; i < picture->rows->count; i++) {
		const struct lp_top_row *row = &picture->rows->list[i];

		lp_table_add(&table, LP_STYLE_PLAIN, "%s", row->name);
		for (int j = LP_TOP_REQUESTS; j < LP_TOP_COLUMNS; j++)
			lp_table_add(&table, LP_STYLE_PLAIN, "%s",
			    lp_top_page_cell(cell, row, j));
	}
	return lp_table_write(&table, print->out, print->color);
}
