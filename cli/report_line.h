/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a file, with a place in it underlined, for a terminal: a long one
 * is cut around the place, tabs become blanks, and what a terminal would obey
 * or cannot show is replaced.
 */
#ifndef LP_CLI_REPORT_LINE_H
#define LP_CLI_REPORT_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Columns of a line that are shown. */
enum { LP_REPORT_LINE_WIDTH = 100 };

/*
 * The line in which the place begins and, below, `^~~~` between `shade` and
 * `plain`.
 */
void lp_report_line_show(FILE *out, const char *text, size_t len, uint32_t from,
    uint32_t to, const char *shade, const char *plain);

/* Only so replaced. */
void lp_report_line_text(FILE *out, const char *text);

#endif
