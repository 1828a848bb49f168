/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	CELLS_FIRST = 64,
	GAP = 2, /* spaces between columns */
	INDENT = 4, /* of notes */
};

static struct lp_table_cell *next_cell(struct lp_table *table);
static char *make_text(
    struct lp_table *table, const char *format, va_list args);
static void write_notes(
    const struct lp_table *table, size_t cells, FILE *out, bool color);
static void write_row(const struct lp_table *table, size_t first,
    const size_t *widths, FILE *out, bool color);

void
lp_table_init(struct lp_table *table, const struct lp_column *columns,
    size_t column_count)
{
	*table =
	    (struct lp_table){.columns = columns, .column_count = column_count};
	for (size_t i = 0; i < column_count; i++)
		lp_table_add(table, LP_STYLE_TITLE, "%s", columns[i].title);
}

void
lp_table_hide(struct lp_table *table, size_t column)
{
	assert(column < table->column_count);
	table->hidden |= 1U << column;
}

void
lp_table_continue(struct lp_table *table, size_t *widths)
{
	table->widths = widths;
}

void
lp_table_fini(struct lp_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	for (size_t i = 0; i < table->note_count; i++)
		free(table->notes[i].text);
	free(table->notes);
	*table = (struct lp_table){0};
}

void
lp_table_add(
    struct lp_table *table, enum lp_style style, const char *format, ...)
{
	struct lp_table_cell *cell = next_cell(table);
	va_list args;

	if (cell == NULL)
		return;
	va_start(args, format);
	cell->text = make_text(table, format, args);
	va_end(args);
	cell->style = style;
}

void
lp_table_note(
    struct lp_table *table, enum lp_style style, const char *format, ...)
{
	struct lp_table_note *notes =
	    realloc(table->notes, (table->note_count + 1) * sizeof(*notes));
	va_list args;

	assert(table->count % table->column_count == 0);
	if (notes == NULL) {
		table->no_memory = true;
		return;
	}
	table->notes = notes;
	notes = &notes[table->note_count++];
	va_start(args, format);
	notes->text = make_text(table, format, args);
	va_end(args);
	notes->style = style;
	notes->cells = table->count;
}

char *
lp_table_safe(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == '\177')
			*c = '?';
	return text;
}

/* A terminal must not be steered by what a daemon sent. */
static char *
make_text(struct lp_table *table, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) >= 0)
		return lp_table_safe(text);
	table->no_memory = true;
	return NULL;
}

static struct lp_table_cell *
next_cell(struct lp_table *table)
{
	if (table->count == table->size) {
		size_t size = table->size == 0 ? CELLS_FIRST : 2 * table->size;
		struct lp_table_cell *cells =
		    realloc(table->cells, size * sizeof(*cells));

		if (cells == NULL) {
			table->no_memory = true;
			return NULL;
		}
		table->cells = cells;
		table->size = size;
	}
	return &table->cells[table->count++];
}

static void
measure(const struct lp_table *table, size_t *widths)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->column_count;
		size_t len = strlen(table->cells[i].text);

		if (len > widths[column])
			widths[column] = len;
	}
}

int
lp_table_write(struct lp_table *table, FILE *out, bool color)
{
	size_t *own = calloc(table->column_count, sizeof(*own));
	size_t *widths = table->widths != NULL ? table->widths : own;
	size_t first;
	int err = 0;

	if (own == NULL || table->no_memory) {
		err = -ENOMEM;
		goto out;
	}
	assert(table->count % table->column_count == 0);
	/* No title is empty. */
	first = widths[0] == 0 ? 0 : table->column_count;
	measure(table, widths);
	for (size_t i = first; i < table->count; i += table->column_count) {
		write_row(table, i, widths, out, color);
		write_notes(table, i + table->column_count, out, color);
	}
out:
	free(own);
	lp_table_fini(table);
	return err;
}

/* The last column is not padded: no line ends with spaces. */
static void
write_row(const struct lp_table *table, size_t first, const size_t *widths,
    FILE *out, bool color)
{
	size_t spaces = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		const struct lp_table_cell *cell = &table->cells[first + i];
		size_t pad = widths[i] - strlen(cell->text);

		if ((table->hidden & 1U << i) != 0)
			continue;
		if (cell->text[0] != '\0') {
			if (table->columns[i].right)
				spaces += pad;
			(void)fprintf(out, "%*s%s%s%s", (int)spaces, "",
			    lp_table_style(cell->style, color), cell->text,
			    lp_table_plain(cell->style, color));
			spaces = table->columns[i].right ? 0 : pad;
		} else {
			spaces += pad;
		}
		spaces += GAP;
	}
	(void)fputc('\n', out);
}

/* Those of the row that ends with that many cells. */
static void
write_notes(const struct lp_table *table, size_t cells, FILE *out, bool color)
{
	for (size_t i = 0; i < table->note_count; i++) {
		const struct lp_table_note *note = &table->notes[i];

		if (note->cells == cells)
			(void)fprintf(out, "%*s%s%s%s\n", INDENT, "",
			    lp_table_style(note->style, color), note->text,
			    lp_table_plain(note->style, color));
	}
}

const char *
lp_table_or_dash(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "-";
}

const char *
lp_table_style(enum lp_style style, bool color)
{
	static const char *const sequences[] = {
	    [LP_STYLE_PLAIN] = "",
	    [LP_STYLE_TITLE] = "\033[1m",
	    [LP_STYLE_GOOD] = "\033[32m",
	    [LP_STYLE_WARN] = "\033[33m",
	    [LP_STYLE_BAD] = "\033[31m",
	};

	return color ? sequences[style] : "";
}

const char *
lp_table_plain(enum lp_style style, bool color)
{
	return color && style != LP_STYLE_PLAIN ? "\033[0m" : "";
}
