/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top_page.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/clock.h"

enum {
	FIRST_ROW = 5, /* see the header */
	OTHER_LINES = FIRST_ROW + 1,
	NUMBER_WIDTH = 6,
	NAME_MIN = 12, /* before columns are left out */
};

static const struct {
	const char *rate;
	const char *total;
} titles[LP_TOP_COLUMNS] = {
    [LP_TOP_REQUESTS] = {"REQ/S", "REQS"},
    [LP_TOP_IN] = {"IN B/S", "IN B"},
    [LP_TOP_OUT] = {"OUT B/S", "OUT B"},
    [LP_TOP_ERRORS] = {"ERR/S", "ERRS"},
    [LP_TOP_THROTTLED] = {"THR/S", "THR"},
    [LP_TOP_IN_FLIGHT] = {"FLIGHT", "FLIGHT"},
    [LP_TOP_P50] = {"P50", "P50"},
    [LP_TOP_P99] = {"P99", "P99"},
    [LP_TOP_P999] = {"P99.9", "P99.9"},
    [LP_TOP_P9999] = {"P99.99", "P99.99"},
};

static const char *const names[LP_TOP_VIEWS] = {
    [LP_TOP_CLIENTS] = "CLIENT ID",
    [LP_TOP_TOPICS] = "TOPIC",
    [LP_TOP_BROKERS] = "BROKER",
    [LP_TOP_APIS] = "API",
    [LP_TOP_LISTENERS] = "LISTENER",
};

static const char *const tabs[LP_TOP_VIEWS] = {
    [LP_TOP_CLIENTS] = "Clients",
    [LP_TOP_TOPICS] = "Topics",
    [LP_TOP_BROKERS] = "Brokers",
    [LP_TOP_APIS] = "APIs",
    [LP_TOP_LISTENERS] = "Listeners",
};

/* What goes first where it is narrow. */
static const uint8_t dispensable[] = {
    LP_TOP_THROTTLED,
    LP_TOP_IN_FLIGHT,
    LP_TOP_P999,
    LP_TOP_P50,
    LP_TOP_ERRORS,
    LP_TOP_P9999,
    LP_TOP_IN,
};

static void draw_head(
    struct lp_top_page *page, const struct lp_top_picture *picture);
static void draw_table(
    struct lp_top_page *page, const struct lp_top_picture *picture);
static void draw_help(struct lp_top_page *page);
static void draw_foot(
    struct lp_top_page *page, const struct lp_top_picture *picture);

int
lp_top_page_init(struct lp_top_page *page, unsigned width, unsigned height)
{
	if (width > LP_TOP_PAGE_SIDE_MAX)
		width = LP_TOP_PAGE_SIDE_MAX;
	if (height > LP_TOP_PAGE_SIDE_MAX)
		height = LP_TOP_PAGE_SIDE_MAX;
	*page = (struct lp_top_page){
	    .width = width,
	    .height = height,
	    .text = malloc((size_t)width * height + 1),
	    .styles = malloc((size_t)width * height + 1),
	};
	if (page->text != NULL && page->styles != NULL)
		return 0;
	lp_top_page_fini(page);
	return -ENOMEM;
}

void
lp_top_page_fini(struct lp_top_page *page)
{
	free(page->text);
	free(page->styles);
	*page = (struct lp_top_page){0};
}

size_t
lp_top_page_lines(const struct lp_top_page *page)
{
	return page->height > OTHER_LINES ? page->height - OTHER_LINES : 0;
}

/* ---- numbers --------------------------------------------------------------
 */

static char *
three_digits(char buf[LP_TOP_CELL_SIZE], double value, const char *const *units)
{
	int unit = 0;
	int digits;

	if (value < 0)
		return strcpy(buf, "-");
	/* What would be rounded to 1000 is 1.00 of the next unit. */
	while (value >= 999.5 && units[unit + 1] != NULL) {
		value /= 1000;
		unit++;
	}
	digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	/* Whole things are counted, not measured. */
	if (unit == 0 && value == (double)(unsigned)value)
		digits = 0;
	(void)snprintf(
	    buf, LP_TOP_CELL_SIZE, "%.*f%s", digits, value, units[unit]);
	return buf;
}

char *
lp_top_page_number(char buf[LP_TOP_CELL_SIZE], double value)
{
	static const char *const units[] = {
	    "", "k", "M", "G", "T", "P", "E", NULL};

	return three_digits(buf, value, units);
}

char *
lp_top_page_time(char buf[LP_TOP_CELL_SIZE], double ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s", NULL};

	return three_digits(buf, ns, units);
}

char *
lp_top_page_cell(char buf[LP_TOP_CELL_SIZE], const struct lp_top_row *row,
    enum lp_top_column column)
{
	double value = row->values[column];

	return column >= LP_TOP_P50 ? lp_top_page_time(buf, value)
				    : lp_top_page_number(buf, value);
}

const char *
lp_top_page_title(const struct lp_top_choice *choice, enum lp_top_column column)
{
	if (column == LP_TOP_NAME)
		return names[choice->view];
	return choice->since_start ? titles[column].total : titles[column].rate;
}

/* ---- the grid -------------------------------------------------------------
 */

static void
clear(struct lp_top_page *page)
{
	memset(page->text, ' ', (size_t)page->width * page->height);
	memset(page->styles, LP_TOP_STYLE_PLAIN,
	    (size_t)page->width * page->height);
	page->cursor = false;
}

/*
 * Writes text at x, y; what lies beyond the right end is cut.  Returns where
 * it ends.  What is no printable ASCII becomes "?".
 */
static unsigned
put(struct lp_top_page *page, unsigned x, unsigned y, enum lp_top_style style,
    const char *text)
{
	size_t at = (size_t)y * page->width + x;

	for (; *text != '\0' && x < page->width && y < page->height; x++) {
		page->styles[at] = (uint8_t)style;
		page->text[at++] = *text >= ' ' && *text <= '~' ? *text : '?';
		text++;
	}
	return x;
}

static void
put_right(struct lp_top_page *page, unsigned end, unsigned y,
    enum lp_top_style style, const char *text)
{
	size_t len = strlen(text);

	if (len <= end)
		(void)put(page, end - (unsigned)len, y, style, text);
	else
		(void)put(page, 0, y, style, text + len - end);
}

/* Two texts on one line; the left one gives way. */
static void
put_both(struct lp_top_page *page, unsigned y, enum lp_top_style style,
    const char *left, const char *right)
{
	(void)put(page, 0, y, style, left);
	if (right[0] != '\0' && strlen(right) + 2 <= page->width) {
		unsigned x = page->width - (unsigned)strlen(right) - 2;

		x = put(page, x, y, LP_TOP_STYLE_PLAIN, "  ");
		(void)put(page, x, y, LP_TOP_STYLE_PLAIN, right);
	}
}

void
lp_top_page_draw(struct lp_top_page *page, const struct lp_top_picture *picture)
{
	char text[LP_TOP_LINE_SIZE];

	clear(page);
	if (page->width < LP_TOP_PAGE_WIDTH_MIN ||
	    page->height < LP_TOP_PAGE_HEIGHT_MIN) {
		(void)put(page, 0, 0, LP_TOP_STYLE_BAD, "terminal too small");
		(void)snprintf(text, sizeof(text), "%ux%u, needs %dx%d",
		    page->width, page->height, LP_TOP_PAGE_WIDTH_MIN,
		    LP_TOP_PAGE_HEIGHT_MIN);
		(void)put(page, 0, 1, LP_TOP_STYLE_PLAIN, text);
		return;
	}
	draw_head(page, picture);
	if (picture->state->help)
		draw_help(page);
	else
		draw_table(page, picture);
	draw_foot(page, picture);
}

/* ---- the lines above the table --------------------------------------------
 */

/* Appends; what does not fit is cut. */
static void __attribute__((format(printf, 2, 3)))
add(char line[LP_TOP_LINE_SIZE], const char *format, ...)
{
	size_t len = strlen(line);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line + len, LP_TOP_LINE_SIZE - len, format, args);
	va_end(args);
}

static void
add_who(char line[LP_TOP_LINE_SIZE], const struct lp_top_picture *picture)
{
	const struct lp_top_totals *totals = picture->totals;
	char duration[LP_CLOCK_DURATION_SIZE];

	if (totals->dataplanes == 0)
		add(line, "no dataplane has answered");
	else if (totals->dataplanes == 1)
		add(line, "dataplane %s",
		    totals->dataplane[0] != '\0' ? totals->dataplane : "-");
	else
		add(line, "%zu dataplanes", totals->dataplanes);
	if (picture->head->known)
		add(line,
		    ", generation %" PRIu64 ", up %s, %" PRIu64 " connections",
		    picture->head->generation,
		    lp_clock_duration(duration, picture->head->uptime_ns),
		    picture->head->connections);
}

static void
add_totals(char line[LP_TOP_LINE_SIZE], const struct lp_top_picture *picture)
{
	const double *values = picture->totals->all.values;
	const char *each = picture->state->choice.since_start ? "" : "/s";
	char number[LP_TOP_CELL_SIZE];

	add(line, "%s requests%s, ",
	    lp_top_page_number(number, values[LP_TOP_REQUESTS]), each);
	add(line, "in %sB%s, ", lp_top_page_number(number, values[LP_TOP_IN]),
	    each);
	add(line, "out %sB%s, ", lp_top_page_number(number, values[LP_TOP_OUT]),
	    each);
	add(line, "%s errors%s, ",
	    lp_top_page_number(number, values[LP_TOP_ERRORS]), each);
	add(line, "%s in flight",
	    lp_top_page_number(number, values[LP_TOP_IN_FLIGHT]));
}

static void
add_unseen(char line[LP_TOP_LINE_SIZE], const struct lp_top_picture *picture)
{
	const struct lp_top_totals *totals = picture->totals;
	char number[LP_TOP_CELL_SIZE];

	add(line, "%" PRIu64 " streams lost, %sB unseen", totals->streams_lost,
	    lp_top_page_number(number, (double)totals->unseen_bytes));
}

void
lp_top_page_head(char line[LP_TOP_LINE_SIZE],
    const struct lp_top_picture *picture, unsigned number)
{
	static void (*const adders[])(char line[LP_TOP_LINE_SIZE],
	    const struct lp_top_picture *picture) = {
	    add_who, add_totals, add_unseen};

	assert(number < sizeof(adders) / sizeof(adders[0]));
	line[0] = '\0';
	adders[number](line, picture);
}

/* The right end of lines 0 and 2: what was chosen. */
static void
add_window(char line[LP_TOP_LINE_SIZE], const struct lp_top_picture *picture)
{
	if (picture->state->choice.since_start)
		add(line, "since start");
	else if (picture->totals->seconds > 0)
		add(line, "%.1f s", picture->totals->seconds);
}

static void
add_choice(char line[LP_TOP_LINE_SIZE], const struct lp_top_state *state)
{
	const struct lp_top_choice *choice = &state->choice;

	if (choice->filter[0] != '\0')
		add(line, "  filter %s", choice->filter);
	if (choice->latency != LP_TOP_ALL && choice->view != LP_TOP_APIS)
		add(line, "  latency of %s",
		    lp_top_state_latencies[choice->latency]);
	if (choice->busy)
		add(line, "  busy ones");
	if (state->paused)
		add(line, "  PAUSED");
}

static void
draw_tabs(struct lp_top_page *page, const struct lp_top_picture *picture)
{
	const struct lp_top_choice *choice = &picture->state->choice;
	const struct lp_top_rows *rows = picture->rows;
	char right[LP_TOP_LINE_SIZE] = "";
	unsigned x = 0;

	for (unsigned view = 0; view < LP_TOP_VIEWS; view++) {
		bool chosen = view == choice->view;
		enum lp_top_style style =
		    chosen ? LP_TOP_STYLE_CHOSEN : LP_TOP_STYLE_PLAIN;

		x = put(page, x, 3, style, chosen ? "[" : " ");
		x = put(page, x, 3, style, tabs[view]);
		x = put(page, x, 3, style, chosen ? "]" : " ");
	}
	add(right, "%zu", rows->count);
	if (rows->hidden > 0)
		add(right, " of %zu", rows->count + rows->hidden);
	add(right, " by %s%s", lp_top_page_title(choice, choice->sort),
	    choice->reverse ? ", reversed" : "");
	if (x + 2 + strlen(right) <= page->width)
		put_right(page, page->width, 3, LP_TOP_STYLE_PLAIN, right);
}

static void
draw_head(struct lp_top_page *page, const struct lp_top_picture *picture)
{
	bool lost = picture->totals->streams_lost > 0;
	char left[LP_TOP_LINE_SIZE];

	for (unsigned y = 0; y < 3; y++) {
		char right[LP_TOP_LINE_SIZE] = "";

		lp_top_page_head(left, picture, y);
		if (y == 0)
			add_window(right, picture);
		else if (y == 2)
			add_choice(right, picture->state);
		put_both(page, y,
		    y == 2 && lost ? LP_TOP_STYLE_WARN
			: y == 0   ? LP_TOP_STYLE_TITLE
				   : LP_TOP_STYLE_PLAIN,
		    left, right);
	}
	draw_tabs(page, picture);
}

/* ---- the table ------------------------------------------------------------
 */

static unsigned
column_width(const struct lp_top_choice *choice, enum lp_top_column column)
{
	size_t len = strlen(lp_top_page_title(choice, column));

	return len > NUMBER_WIDTH ? (unsigned)len : NUMBER_WIDTH;
}

/* What the numbers take, with a space before each. */
static unsigned
numbers_width(const struct lp_top_choice *choice, uint32_t columns)
{
	unsigned width = 0;

	for (unsigned i = LP_TOP_REQUESTS; i < LP_TOP_COLUMNS; i++)
		if ((columns & 1U << i) != 0)
			width += 1 + column_width(choice, i);
	return width;
}

/* Those that fit, as a mask; what is sorted by stays as long as it can. */
static uint32_t
choose_columns(
    const struct lp_top_page *page, const struct lp_top_choice *choice)
{
	uint32_t columns = 0;

	for (unsigned i = LP_TOP_REQUESTS; i < LP_TOP_COLUMNS; i++)
		if (lp_top_model_has(choice->view, i))
			columns |= 1U << i;
	for (size_t i = 0; i < sizeof(dispensable); i++) {
		if (numbers_width(choice, columns) + NAME_MIN <= page->width)
			break;
		if (dispensable[i] != choice->sort)
			columns &= ~(1U << dispensable[i]);
	}
	return columns;
}

static enum lp_top_style
cell_style(const struct lp_top_row *row, enum lp_top_column column)
{
	if (row->values[column] <= 0)
		return LP_TOP_STYLE_PLAIN;
	if (column == LP_TOP_ERRORS)
		return LP_TOP_STYLE_BAD;
	return column == LP_TOP_THROTTLED ? LP_TOP_STYLE_WARN
					  : LP_TOP_STYLE_PLAIN;
}

/*
 * A name that is too long loses its middle: what tells one client of a group
 * from the next is the end.
 */
static void
put_name(struct lp_top_page *page, unsigned y, size_t width, const char *name)
{
	char *line = page->text + (size_t)y * page->width;
	size_t len = strlen(name);
	size_t end = width / 3;

	if (len <= width) {
		memcpy(line, name, len);
		return;
	}
	memcpy(line, name, width - end - 1);
	line[width - end - 1] = '~';
	memcpy(line + width - end, name + len - end, end);
}

/* row: NULL for the titles. */
static void
put_row(struct lp_top_page *page, unsigned y, const struct lp_top_row *row,
    const struct lp_top_choice *choice, uint32_t columns)
{
	unsigned x = page->width - numbers_width(choice, columns);
	char cell[LP_TOP_CELL_SIZE];

	put_name(page, y, x,
	    row != NULL ? row->name : lp_top_page_title(choice, LP_TOP_NAME));
	for (unsigned i = LP_TOP_REQUESTS; i < LP_TOP_COLUMNS; i++) {
		if ((columns & 1U << i) == 0)
			continue;
		x += 1 + column_width(choice, i);
		if (row != NULL)
			put_right(page, x, y, cell_style(row, i),
			    lp_top_page_cell(cell, row, i));
		else
			put_right(page, x, y, LP_TOP_STYLE_PLAIN,
			    lp_top_page_title(choice, i));
	}
}

/* Bold, and what the rows are sorted by stands out. */
static void
put_titles(struct lp_top_page *page, const struct lp_top_choice *choice,
    uint32_t columns)
{
	unsigned y = FIRST_ROW - 1;
	unsigned end = page->width - numbers_width(choice, columns);
	unsigned start = 0;

	put_row(page, y, NULL, choice, columns);
	memset(page->styles + (size_t)y * page->width, LP_TOP_STYLE_TITLE,
	    page->width);
	for (unsigned i = LP_TOP_REQUESTS; i <= choice->sort; i++) {
		if ((columns & 1U << i) == 0)
			continue;
		start = end;
		end += 1 + column_width(choice, i);
	}
	if (choice->sort == LP_TOP_NAME || (columns & 1U << choice->sort) != 0)
		memset(page->styles + (size_t)y * page->width + start,
		    LP_TOP_STYLE_CHOSEN, end - start);
}

static void
draw_table(struct lp_top_page *page, const struct lp_top_picture *picture)
{
	const struct lp_top_choice *choice = &picture->state->choice;
	const struct lp_top_rows *rows = picture->rows;
	uint32_t columns = choose_columns(page, choice);
	size_t lines = lp_top_page_lines(page);

	put_titles(page, choice, columns);
	for (size_t i = 0; i < lines; i++) {
		size_t at = picture->state->offset + i;

		if (at >= rows->count)
			break;
		put_row(page, FIRST_ROW + (unsigned)i, &rows->list[at], choice,
		    columns);
	}
	if (rows->count > 0)
		return;
	(void)put(page, 0, FIRST_ROW, LP_TOP_STYLE_PLAIN,
	    rows->hidden > 0 ? "no row passes the filter"
			     : "nothing has been seen yet");
}

static void
draw_help(struct lp_top_page *page)
{
	size_t count = 0;
	const char *const *help = lp_top_state_help(&count);
	size_t lines = lp_top_page_lines(page) + 1;

	for (size_t i = 0; i < count && i < lines; i++)
		(void)put(page, 0, FIRST_ROW - 1 + (unsigned)i,
		    LP_TOP_STYLE_PLAIN, help[i]);
}

static void
draw_foot(struct lp_top_page *page, const struct lp_top_picture *picture)
{
	const struct lp_top_choice *choice = &picture->state->choice;
	unsigned y = page->height - 1;
	size_t len = strlen(choice->filter);
	unsigned x;

	if (picture->state->prompt) {
		/* The end of a long one is what is being typed. */
		size_t skip = len + 2 > page->width ? len + 2 - page->width : 0;

		x = put(page, 0, y, LP_TOP_STYLE_TITLE, "/");
		x = put(page, x, y, LP_TOP_STYLE_PLAIN, choice->filter + skip);
		page->cursor = true;
		page->cursor_x = x < page->width ? x : page->width - 1;
		page->cursor_y = y;
	} else if (picture->trouble[0] != '\0') {
		(void)put(page, 0, y, LP_TOP_STYLE_BAD, picture->trouble);
	} else {
		(void)put(page, 0, y, LP_TOP_STYLE_PLAIN,
		    "q quit  h help  Tab view  <> sort  r reverse  / filter  "
		    "s totals  Space pause");
	}
}
