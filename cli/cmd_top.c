/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/cmd.h"
#include "cli/top_live.h"

enum {
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
	DELAY_MS_DEFAULT = 1000,
	DELAY_MS_MIN = 100,
	DELAY_MS_MAX = 3600 * MS_PER_S,
	ROUNDS_MAX = 1000000000,
};

/* What one round of printing leaves to the next. */
struct batch {
	struct lp_top_model model;
	struct lp_top_head head;
	unsigned samples;
	uint32_t printed;
	bool said; /* that nobody answers */
};

static int read_options(struct lp_top_options *options,
    const struct lp_words *words, struct lp_error *error);
static int print_rounds(const struct lp_lpctl *lpctl,
    const struct lp_top_options *options, struct lp_error *error);

int
lp_cmd_top(const struct lp_lpctl *lpctl, const struct lp_words *words,
    struct lp_error *error)
{
	struct lp_top_options options;
	bool batch = lp_command_given(words, LP_OPTION_BATCH) ||
	    lp_command_given(words, LP_OPTION_ONCE) ||
	    lp_command_given(words, LP_OPTION_ROUNDS) ||
	    lpctl->output != &lp_output_text;
	int status = read_options(&options, words, error);

	if (status != LP_EXIT_OK)
		return status;
	if (!batch && isatty(STDIN_FILENO) == 1 &&
	    isatty(fileno(lpctl->print.out)) == 1)
		return lp_top_live_run(lpctl, &options, error);
	return print_rounds(lpctl, &options, error);
}

/* ---- options ----------------------------------------------------------------
 */

/* "1", "0.25": digits, and at most three more.  0, or -EINVAL. */
static int
read_delay(uint32_t *delay_ms, const char *text)
{
	size_t whole = strspn(text, "0123456789");
	size_t part = 0;
	uint32_t ms = 0;

	if (text[whole] == '.')
		part = strspn(text + whole + 1, "0123456789");
	if (whole == 0 || whole > 4 || part > 3 ||
	    text[whole + (text[whole] == '.' ? 1 + part : 0)] != '\0' ||
	    (text[whole] == '.' && part == 0))
		return -EINVAL;
	for (size_t i = 0; i < whole; i++)
		ms = 10 * ms + (uint32_t)(text[i] - '0');
	for (size_t i = 1; i <= 3; i++)
		ms = 10 * ms +
		    (i <= part ? (uint32_t)(text[whole + i] - '0') : 0);
	if (ms < DELAY_MS_MIN || ms > DELAY_MS_MAX)
		return -EINVAL;
	*delay_ms = ms;
	return 0;
}

/* The place of a word in a list, or count. */
static uint8_t
word_of(const char *const *list, size_t count, const char *word)
{
	uint8_t i = 0;

	while (i < count && strcmp(list[i], word) != 0)
		i++;
	return i;
}

static int
read_choice(struct lp_top_choice *choice, const struct lp_words *words,
    struct lp_error *error)
{
	const char *filter = lp_command_value(words, LP_OPTION_FILTER, "");
	const char *sort = lp_command_value(words, LP_OPTION_SORT, "requests");

	const char *view = lp_command_value(words, LP_OPTION_VIEW, "clients");

	choice->view = word_of(lp_top_state_views, LP_TOP_VIEWS, view);
	choice->sort = word_of(lp_top_state_columns, LP_TOP_COLUMNS, sort);
	choice->since_start = lp_command_given(words, LP_OPTION_SINCE_START);
	if (choice->view == LP_TOP_VIEWS)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--view: there is no view \"%s\"", view);
	if (choice->sort == LP_TOP_COLUMNS)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--sort: \"%s\" is none of: %s", sort,
		    LP_TOP_STATE_SORT_WORDS);
	if (!lp_top_model_has(choice->view, choice->sort))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--sort: %s have no column \"%s\"",
		    lp_top_state_views[choice->view], sort);
	if (strlen(filter) >= sizeof(choice->filter))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--filter: longer than the %zu bytes of one",
		    sizeof(choice->filter) - 1);
	(void)strcpy(choice->filter, filter);
	return LP_EXIT_OK;
}

static int
read_options(struct lp_top_options *options, const struct lp_words *words,
    struct lp_error *error)
{
	const char *delay = lp_command_value(words, LP_OPTION_DELAY, NULL);
	const char *rounds = lp_command_value(words, LP_OPTION_ROUNDS, NULL);

	*options = (struct lp_top_options){
	    .dataplane = lp_command_value(words, LP_OPTION_DATAPLANE, NULL),
	    .delay_ms = DELAY_MS_DEFAULT,
	    .rounds = lp_command_given(words, LP_OPTION_ONCE) ? 1 : 0,
	};
	if (delay != NULL && read_delay(&options->delay_ms, delay) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--delay: \"%s\" is no number of seconds from 0.1 to %d",
		    delay, DELAY_MS_MAX / MS_PER_S);
	if (rounds != NULL &&
	    lp_command_number(&options->rounds, rounds, 1, ROUNDS_MAX) != 0)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--rounds: \"%s\" is no number from 1 to %d", rounds,
		    ROUNDS_MAX);
	return read_choice(&options->choice, words, error);
}

/* ---- rounds -----------------------------------------------------------------
 */

/* Nothing is printed of an interval that there is not yet. */
static int
print_round(struct batch *batch, const struct lp_lpctl *lpctl,
    const struct lp_top_options *options, struct lp_error *error)
{
	const struct lp_top_state state = {.choice = options->choice};
	struct lp_print print = lpctl->print;
	struct lp_top_totals totals;
	struct lp_top_rows rows;
	const struct lp_top_picture picture = {
	    .state = &state,
	    .rows = &rows,
	    .totals = &totals,
	    .head = &batch->head,
	    .trouble = "",
	};
	int err;

	if (batch->samples < 2 && !options->choice.since_start)
		return LP_EXIT_OK;
	err = lp_top_model_rows(&rows, &batch->model, &options->choice);
	if (err != 0)
		return lp_error_output(error, err);
	lp_top_model_totals(
	    &totals, &batch->model, options->choice.since_start);
	print.now_ns = lp_clock_now_ns();
	print.stream = true;
	if (batch->printed > 0 && lpctl->output == &lp_output_text)
		(void)fputc('\n', print.out);
	err = lpctl->output->top(&print, &picture);
	lp_top_model_rows_fini(&rows);
	batch->printed++;
	return lp_error_output(error, err);
}

/* Who has asked for so many rounds wants to know why there are less. */
static int
failed(struct batch *batch, int status, const struct lp_lpctl *lpctl,
    const struct lp_top_options *options, const struct lp_error *error)
{
	if (options->rounds > 0 || !lp_top_ask_may_pass(status))
		return status;
	if (!batch->said)
		(void)fprintf(
		    lpctl->err, "lpctl: %s; trying again\n", error->text);
	batch->said = true;
	return LP_EXIT_OK;
}

static int
print_rounds(const struct lp_lpctl *lpctl, const struct lp_top_options *options,
    struct lp_error *error)
{
	const struct timespec pause = {
	    .tv_sec = options->delay_ms / MS_PER_S,
	    .tv_nsec = (long)(options->delay_ms % MS_PER_S) * NS_PER_MS,
	};
	struct batch batch = {0};
	bool fed = false;
	int status;

	for (;;) {
		status = lp_top_ask_round(&batch.model, &batch.head, &fed,
		    lpctl, options, NULL, error);
		if (status != LP_EXIT_OK) {
			status = failed(&batch, status, lpctl, options, error);
		} else {
			batch.said = false;
			batch.samples++;
			status = print_round(&batch, lpctl, options, error);
		}
		if (status != LP_EXIT_OK ||
		    (options->rounds > 0 && batch.printed == options->rounds) ||
		    fflush(lpctl->print.out) != 0)
			break;
		(void)nanosleep(&pause, NULL);
	}
	lp_top_model_fini(&batch.model);
	return status;
}
