/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_part.h"

#include "cli/table.h"

#define CLEAR_SCREEN "\033[H\033[2J"

void
lp_output_text_part_title(
    const struct lp_print *print, const char *kind, const char *name)
{
	(void)fprintf(print->out, "%s%s %s%s\n",
	    lp_table_style(LP_STYLE_TITLE, print->color), kind,
	    lp_table_or_dash(name),
	    lp_table_plain(LP_STYLE_TITLE, print->color));
}

void
lp_output_text_part_owner(
    const struct lp_print *print, const struct lp_object *object, bool in_line)
{
	if (object->owner[0] != '\0')
		(void)fprintf(print->out, "%sowner %s%s",
		    in_line ? ", " : "    ", object->owner,
		    in_line ? "" : "\n");
}

void
lp_output_text_part_round(const struct lp_print *print)
{
	if (print->stream && print->color)
		(void)fputs(CLEAR_SCREEN, print->out);
}

void
lp_output_text_part_end(const struct lp_print *print, bool last)
{
	if (print->stream || !last)
		(void)fputc('\n', print->out);
}
