/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of aligned text: cells are collected row by row, then written with
 * every column as wide as its widest cell.
 *
 * No memory is remembered and said once, by lp_table_write().
 */
#ifndef LP_CLI_TABLE_H
#define LP_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum lp_style {
	LP_STYLE_PLAIN = 0,
	LP_STYLE_TITLE,
	LP_STYLE_GOOD,
	LP_STYLE_WARN,
	LP_STYLE_BAD,
};

struct lp_column {
	const char *title;
	bool right; /* numbers */
};

struct lp_table_cell {
	char *text;
	enum lp_style style;
};

/* A line of its own below a row. */
struct lp_table_note {
	char *text;
	enum lp_style style;
	size_t cells; /* that are before it */
};

struct lp_table {
	const struct lp_column *columns;
	size_t column_count;
	struct lp_table_cell *cells;
	size_t count;
	size_t size;
	struct lp_table_note *notes;
	size_t note_count;
	uint32_t hidden; /* bit n: column n is not written */
	size_t *widths; /* kept from one table to the next; NULL: not */
	bool no_memory;
};

/* Borrows the columns. */
void lp_table_init(struct lp_table *table, const struct lp_column *columns,
    size_t column_count);
/* Its cells are added, but not written. */
void lp_table_hide(struct lp_table *table, size_t column);
/*
 * It goes on where another one with these widths, of each column and 0 at
 * first, has ended: without titles, and its columns below those.
 */
void lp_table_continue(struct lp_table *table, size_t *widths);
void lp_table_fini(struct lp_table *table);

/* The next cell; after the last column a new row begins. */
void lp_table_add(struct lp_table *table, enum lp_style style,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line below the row that has just been completed, indented. */
void lp_table_note(struct lp_table *table, enum lp_style style,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Writes the titles and all rows.  0, or -ENOMEM.  Ends with fini. */
int lp_table_write(struct lp_table *table, FILE *out, bool color);

/* Makes text of a daemon harmless to a terminal, in place; returns it. */
char *lp_table_safe(char *text);

/* The text; "-" if there is none, or an empty one. */
const char *lp_table_or_dash(const char *text);

/* Escape sequences around text; "" without color. */
const char *lp_table_style(enum lp_style style, bool color);
const char *lp_table_plain(enum lp_style style, bool color);

#endif
