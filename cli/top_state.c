/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/top_state.h"

#include <string.h>

enum {
	KEY_TAB = '\t',
	KEY_ESCAPE = 27,
	KEY_CTRL_H = 8,
	KEY_CTRL_L = 12,
	KEY_CTRL_U = 21,
	KEY_DELETE = 127,
};

const char *const lp_top_state_views[LP_TOP_VIEWS] = {
    [LP_TOP_CLIENTS] = "clients",
    [LP_TOP_TOPICS] = "topics",
    [LP_TOP_BROKERS] = "brokers",
    [LP_TOP_APIS] = "apis",
    [LP_TOP_LISTENERS] = "listeners",
};

const char *const lp_top_state_columns[LP_TOP_COLUMNS] = {
    [LP_TOP_NAME] = "name",
    [LP_TOP_REQUESTS] = "requests",
    [LP_TOP_IN] = "in",
    [LP_TOP_OUT] = "out",
    [LP_TOP_ERRORS] = "errors",
    [LP_TOP_THROTTLED] = "throttled",
    [LP_TOP_IN_FLIGHT] = "in-flight",
    [LP_TOP_P50] = "p50",
    [LP_TOP_P99] = "p99",
    [LP_TOP_P999] = "p99.9",
    [LP_TOP_P9999] = "p99.99",
};

const char *const lp_top_state_latencies[LP_TOP_LATENCIES] = {
    [LP_TOP_ALL] = "all",
    [LP_TOP_PRODUCE] = "produce",
    [LP_TOP_FETCH] = "fetch",
    [LP_TOP_REST] = "rest",
};

/* One letter each, in the order of the enums. */
static const char view_keys[] = "ctbal";
static const char column_keys[] = "NRIOETF1234";

static const char *const help[] = {
    "c t b a l       clients, topics, brokers, APIs, listeners",
    "Tab             the next of them; Shift-Tab: the one before",
    "< >             sort by the column to the left, to the right",
    "N R I O E T F   sort by name, requests, bytes in, bytes out, errors,",
    "                throttled, in flight",
    "1 2 3 4         sort by p50, p99, p99.9, p99.99",
    "r               reverse the order",
    "/               filter: a part of the name, or ^ and its start;",
    "                Enter keeps it, Escape goes back",
    "s               since the start, or in the last interval",
    "m               whose latency: all, Produce, Fetch, the rest",
    "z               leave out rows without requests",
    "Space           pause",
    "arrows, PgUp, PgDn, Home, End   scroll",
    "h ?             this help",
    "q               quit",
};

static enum lp_top_act type(struct lp_top_state *state, int key);
static enum lp_top_act scroll(
    struct lp_top_state *state, int key, size_t lines);
static enum lp_top_act choose(struct lp_top_state *state, int key);

const char *const *
lp_top_state_help(size_t *count)
{
	*count = sizeof(help) / sizeof(help[0]);
	return help;
}

void
lp_top_state_clamp(struct lp_top_state *state, size_t rows, size_t lines)
{
	size_t last = rows > lines ? rows - lines : 0;

	if (state->offset > last)
		state->offset = last;
}

static enum lp_top_act
show(struct lp_top_state *state, unsigned view)
{
	state->choice.view = (uint8_t)view;
	if (!lp_top_model_has(view, state->choice.sort))
		state->choice.sort = LP_TOP_REQUESTS;
	state->offset = 0;
	state->help = false;
	return LP_TOP_ACT_ROWS;
}

/* Step: 1, or LP_TOP_COLUMNS - 1 to the left. */
static enum lp_top_act
sort_beside(struct lp_top_state *state, unsigned step)
{
	struct lp_top_choice *choice = &state->choice;

	do
		choice->sort =
		    (uint8_t)((choice->sort + step) % LP_TOP_COLUMNS);
	while (!lp_top_model_has(choice->view, choice->sort));
	return LP_TOP_ACT_ROWS;
}

enum lp_top_act
lp_top_state_key(struct lp_top_state *state, int key, size_t lines)
{
	if (key == LP_TOP_KEY_REPAINT || key == KEY_CTRL_L)
		return LP_TOP_ACT_DRAW;
	if (state->prompt)
		return type(state, key);
	if (key == 'q' || key == 'Q')
		return LP_TOP_ACT_QUIT;
	if (key == 'h' || key == '?') {
		state->help = !state->help;
		return LP_TOP_ACT_DRAW;
	}
	if (state->help && key == KEY_ESCAPE) {
		state->help = false;
		return LP_TOP_ACT_DRAW;
	}
	if (key > UINT8_MAX && key != LP_TOP_KEY_BACKTAB)
		return scroll(state, key, lines);
	return choose(state, key);
}

static enum lp_top_act
end_prompt(struct lp_top_state *state)
{
	state->prompt = false;
	return LP_TOP_ACT_ROWS;
}

/* Keys of the prompt: the filter works while it is typed. */
static enum lp_top_act
type(struct lp_top_state *state, int key)
{
	char *filter = state->choice.filter;
	size_t len = strlen(filter);

	switch (key) {
	case '\r':
	case '\n':
		return end_prompt(state);
	case KEY_ESCAPE:
		strcpy(filter, state->old_filter);
		return end_prompt(state);
	case LP_TOP_KEY_BACKSPACE:
	case KEY_CTRL_H:
	case KEY_DELETE:
		if (len == 0)
			return end_prompt(state);
		filter[len - 1] = '\0';
		break;
	case KEY_CTRL_U:
		filter[0] = '\0';
		break;
	default:
		if (key < ' ' || key > UINT8_MAX ||
		    len + 1 == LP_TOP_FILTER_SIZE)
			return LP_TOP_ACT_NOTHING;
		filter[len] = (char)key;
		filter[len + 1] = '\0';
	}
	state->offset = 0;
	return LP_TOP_ACT_ROWS;
}

static enum lp_top_act
scroll(struct lp_top_state *state, int key, size_t lines)
{
	size_t page = lines > 1 ? lines - 1 : 1;

	switch (key) {
	case LP_TOP_KEY_UP:
		state->offset -= state->offset > 0;
		break;
	case LP_TOP_KEY_DOWN:
		state->offset++;
		break;
	case LP_TOP_KEY_PAGE_UP:
		state->offset -= state->offset > page ? page : state->offset;
		break;
	case LP_TOP_KEY_PAGE_DOWN:
		state->offset += page;
		break;
	case LP_TOP_KEY_HOME:
		state->offset = 0;
		break;
	case LP_TOP_KEY_END:
		state->offset = SIZE_MAX;
		break;
	case LP_TOP_KEY_LEFT:
		return sort_beside(state, LP_TOP_COLUMNS - 1);
	case LP_TOP_KEY_RIGHT:
		return sort_beside(state, 1);
	default:
		return LP_TOP_ACT_NOTHING;
	}
	return LP_TOP_ACT_DRAW;
}

/* The place of a key among others, or -1. */
static int
place_of(const char *keys, int key)
{
	const char *at =
	    key > ' ' && key < KEY_DELETE ? strchr(keys, key) : NULL;

	return at != NULL ? (int)(at - keys) : -1;
}

static enum lp_top_act
choose_word(struct lp_top_state *state, int key)
{
	int view = place_of(view_keys, key);
	int column = place_of(column_keys, key);

	if (view >= 0)
		return show(state, (unsigned)view);
	if (column < 0 || !lp_top_model_has(state->choice.view, column))
		return LP_TOP_ACT_NOTHING;
	state->choice.sort = (uint8_t)column;
	return LP_TOP_ACT_ROWS;
}

static enum lp_top_act
choose(struct lp_top_state *state, int key)
{
	struct lp_top_choice *choice = &state->choice;

	switch (key) {
	case KEY_TAB:
		return show(state, (choice->view + 1u) % LP_TOP_VIEWS);
	case LP_TOP_KEY_BACKTAB:
		return show(
		    state, (choice->view + LP_TOP_VIEWS - 1u) % LP_TOP_VIEWS);
	case '<':
		return sort_beside(state, LP_TOP_COLUMNS - 1);
	case '>':
		return sort_beside(state, 1);
	case 'r':
		choice->reverse = !choice->reverse;
		break;
	case 's':
		choice->since_start = !choice->since_start;
		break;
	case 'z':
		choice->busy = !choice->busy;
		break;
	case 'm':
		choice->latency =
		    (uint8_t)((choice->latency + 1u) % LP_TOP_LATENCIES);
		break;
	case ' ':
		state->paused = !state->paused;
		break;
	case '/':
		state->prompt = true;
		state->help = false;
		strcpy(state->old_filter, choice->filter);
		break;
	default:
		return choose_word(state, key);
	}
	return LP_TOP_ACT_ROWS;
}
