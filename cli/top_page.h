/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of "lpctl top": a grid of characters with styles, printable ASCII
 * only.  Somebody else brings it to a screen.
 *
 *	0	who is looked at, and for how long it has run
 *	1	requests, bytes, errors and in flight of all
 *	2	what was not seen; what is chosen
 *	3	the views; how many rows, and by what they are sorted
 *	4	titles
 *	5	rows, or the help
 *	last	the filter that is typed, or what is wrong, or the main keys
 */
#ifndef LP_CLI_TOP_PAGE_H
#define LP_CLI_TOP_PAGE_H

#include "cli/top_state.h"

enum lp_top_style {
	LP_TOP_STYLE_PLAIN = 0,
	LP_TOP_STYLE_TITLE,
	LP_TOP_STYLE_CHOSEN,
	LP_TOP_STYLE_WARN,
	LP_TOP_STYLE_BAD,
	LP_TOP_STYLES, /* how many there are */
};

enum {
	LP_TOP_PAGE_WIDTH_MIN = 40,
	LP_TOP_PAGE_HEIGHT_MIN = 8,
	LP_TOP_PAGE_SIDE_MAX = 4096, /* a terminal that says more is mad */
	LP_TOP_CELL_SIZE = 24,
	LP_TOP_LINE_SIZE = 512,
};

/* The text is height times width, without line ends. */
struct lp_top_page {
	unsigned width;
	unsigned height;
	char *text;
	uint8_t *styles; /* enum lp_top_style */
	bool cursor; /* it is shown, at the place below */
	unsigned cursor_x;
	unsigned cursor_y;
};

/* Of the daemons, beside their counters. */
struct lp_top_head {
	bool known; /* else only the totals are */
	uint64_t generation;
	uint64_t uptime_ns; /* of the youngest packet process */
	uint64_t connections;
};

struct lp_top_picture {
	const struct lp_top_state *state;
	const struct lp_top_rows *rows;
	const struct lp_top_totals *totals;
	const struct lp_top_head *head;
	const char *trouble; /* why there is nothing new; "": there is */
};

/* Sides beyond the maximum are cut.  0, or -ENOMEM. */
int lp_top_page_init(struct lp_top_page *page, unsigned width, unsigned height);
void lp_top_page_fini(struct lp_top_page *page);

/* The rows that fit on it. */
size_t lp_top_page_lines(const struct lp_top_page *page);

void lp_top_page_draw(
    struct lp_top_page *page, const struct lp_top_picture *picture);

/* The text of lines 0 to 2, without what is chosen. */
void lp_top_page_head(char line[LP_TOP_LINE_SIZE],
    const struct lp_top_picture *picture, unsigned number);

/* "REQ/S"; of a name the view's own. */
const char *lp_top_page_title(
    const struct lp_top_choice *choice, enum lp_top_column column);

/*
 * Three digits and a unit, at most six characters: "1.23k", "1.23ms"; "-" for
 * nothing.  Units are decimal.  Returns buf.
 */
char *lp_top_page_number(char buf[LP_TOP_CELL_SIZE], double value);
char *lp_top_page_time(char buf[LP_TOP_CELL_SIZE], double ns);

/* The number or time of a cell; not of LP_TOP_NAME.  Returns buf. */
char *lp_top_page_cell(char buf[LP_TOP_CELL_SIZE], const struct lp_top_row *row,
    enum lp_top_column column);

#endif
