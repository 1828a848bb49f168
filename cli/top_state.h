/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keys of "lpctl top" do.  Pure: a key changes the state, and says
 * what is to be done about it.
 */
#ifndef LP_CLI_TOP_STATE_H
#define LP_CLI_TOP_STATE_H

#include "cli/top_model.h"

/* Keys that are no byte; bytes are themselves. */
enum lp_top_key {
	LP_TOP_KEY_NONE = -1,
	LP_TOP_KEY_UP = 256,
	LP_TOP_KEY_DOWN,
	LP_TOP_KEY_LEFT,
	LP_TOP_KEY_RIGHT,
	LP_TOP_KEY_PAGE_UP,
	LP_TOP_KEY_PAGE_DOWN,
	LP_TOP_KEY_HOME,
	LP_TOP_KEY_END,
	LP_TOP_KEY_BACKSPACE,
	LP_TOP_KEY_BACKTAB,
	LP_TOP_KEY_REPAINT, /* the screen may have been spoilt */
};

/* What a key asks for; each includes those before it. */
enum lp_top_act {
	LP_TOP_ACT_NOTHING = 0,
	LP_TOP_ACT_DRAW,
	LP_TOP_ACT_ROWS, /* they are others now */
	LP_TOP_ACT_QUIT,
};

struct lp_top_state {
	struct lp_top_choice choice;
	bool paused;
	bool help;
	bool prompt; /* a filter is being typed */
	char old_filter[LP_TOP_FILTER_SIZE]; /* what Escape goes back to */
	size_t offset; /* the first row that is shown */
};

/* lines: rows that fit on the screen. */
enum lp_top_act lp_top_state_key(
    struct lp_top_state *state, int key, size_t lines);

/* After rows or lines have changed: no screen is emptier than it must be. */
void lp_top_state_clamp(struct lp_top_state *state, size_t rows, size_t lines);

/* As --sort takes them: enum lp_top_column in words. */
#define LP_TOP_STATE_SORT_WORDS                                                \
	"name requests in out errors throttled in-flight p50 p99 p99.9 p99.99"

/* "clients"; the words of --view, --sort and --latency, by enum. */
extern const char *const lp_top_state_views[LP_TOP_VIEWS];
extern const char *const lp_top_state_columns[LP_TOP_COLUMNS];
extern const char *const lp_top_state_latencies[LP_TOP_LATENCIES];

/* The keys, a line each, for the help; *count is set. */
const char *const *lp_top_state_help(size_t *count);

#endif
