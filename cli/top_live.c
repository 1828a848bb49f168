/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * One thread, and one place that waits: wait_events(), for the keyboard, for
 * signals (a signalfd), and for the socket while lp-controld is being asked.
 * The client is told to wait there as well, so a slow daemon holds up nothing
 * but its own answer.
 */
#include "cli/top_live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/top_screen.h"

enum {
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
	/* The second round comes soon: only then is there an interval. */
	SECOND_MS = 300,
	TROUBLE_SIZE = LP_ERROR_SIZE + 32,
};

struct live {
	const struct lp_lpctl *lpctl;
	const struct lp_top_options *options;
	struct lp_top_model model;
	struct lp_top_head head;
	struct lp_top_state state;
	struct lp_top_rows rows;
	struct lp_top_totals totals;
	struct lp_top_page page;
	char trouble[TROUBLE_SIZE];
	int signals; /* signalfd */
	uint64_t next_ms; /* when to ask again, CLOCK_MONOTONIC */
	unsigned samples;
	bool stop;
	int signal; /* that stopped us, or 0 */
};

static int start(struct live *live, sigset_t *old, struct lp_error *error);
static void run(struct live *live);
static void ask(struct live *live);
static int wait_events(void *arg, struct pollfd *socket, int timeout_ms);
static void make_rows(struct live *live);
static int make_page(struct live *live);
static void draw(struct live *live, bool repaint);
static uint64_t clock_ms(void);

int
lp_top_live_run(const struct lp_lpctl *lpctl,
    const struct lp_top_options *options, struct lp_error *error)
{
	struct live live = {
	    .lpctl = lpctl,
	    .options = options,
	    .state = {.choice = options->choice},
	    .signals = -1,
	};
	sigset_t old;
	int status = start(&live, &old, error);

	if (status == LP_EXIT_OK)
		run(&live);
	lp_top_screen_stop();
	if (live.signals >= 0)
		(void)close(live.signals);
	lp_top_page_fini(&live.page);
	lp_top_model_rows_fini(&live.rows);
	lp_top_model_fini(&live.model);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	/* Whoever started us should see what ended us. */
	if (live.signal != 0 && live.signal != SIGINT) {
		(void)signal(live.signal, SIG_DFL); /* ncurses has its own */
		(void)raise(live.signal);
	}
	return status;
}

static int
start(struct live *live, sigset_t *old, struct lp_error *error)
{
	static const int watched[] = {
	    SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT, SIGPIPE};
	sigset_t mask;
	int status;

	(void)sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		(void)sigaddset(&mask, watched[i]);
	(void)sigprocmask(SIG_BLOCK, &mask, old);
	live->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (live->signals < 0)
		return lp_error_set(error, LP_EXIT_UNREACHABLE,
		    "cannot watch for signals: %s", strerror(errno));
	status = lp_top_screen_start(live->lpctl->print.color, error);
	if (status == LP_EXIT_OK && make_page(live) != 0)
		status =
		    lp_error_set(error, LP_EXIT_UNREACHABLE, "out of memory");
	return status;
}

static void
run(struct live *live)
{
	live->next_ms = clock_ms();
	make_rows(live);
	draw(live, false);
	while (!live->stop) {
		uint64_t now_ms = clock_ms();

		if (live->state.paused)
			(void)wait_events(live, NULL, -1);
		else if (now_ms < live->next_ms)
			(void)wait_events(
			    live, NULL, (int)(live->next_ms - now_ms));
		else
			ask(live);
	}
}

/* The rhythm is kept, unless an answer took longer than that. */
static void
set_next(struct live *live)
{
	uint32_t delay_ms = live->options->delay_ms;
	uint64_t now_ms = clock_ms();

	if (live->samples == 1 && delay_ms > SECOND_MS)
		delay_ms = SECOND_MS;
	live->next_ms += delay_ms;
	if (live->next_ms <= now_ms)
		live->next_ms = now_ms + delay_ms;
}

/* What is shown stays until there is something newer. */
static void
ask(struct live *live)
{
	const struct lp_client_waiter waiter = {wait_events, live};
	struct lp_error error = {0};
	bool fed = false;
	int status = lp_top_ask_round(&live->model, &live->head, &fed,
	    live->lpctl, live->options, &waiter, &error);

	if (live->stop)
		return;
	live->trouble[0] = '\0';
	if (status != LP_EXIT_OK)
		(void)snprintf(live->trouble, sizeof(live->trouble),
		    "trying again: %s", error.text);
	if (fed)
		live->samples++;
	set_next(live);
	make_rows(live);
	draw(live, false);
}

/* ---- events -----------------------------------------------------------------
 */

static void
take_signals(struct live *live)
{
	struct signalfd_siginfo info;
	bool resized = false;

	while (read(live->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGWINCH:
		case SIGCONT:
			resized = true;
			break;
		default:
			live->stop = true;
			live->signal = (int)info.ssi_signo;
		}
	}
	if (!resized || live->stop)
		return;
	if (make_page(live) != 0)
		live->stop = true;
	else
		draw(live, true);
}

static void
take_keys(struct live *live)
{
	enum lp_top_act most = LP_TOP_ACT_NOTHING;
	bool was_paused = live->state.paused;
	bool repaint = false;
	int key;

	while (most != LP_TOP_ACT_QUIT &&
	    (key = lp_top_screen_key()) != LP_TOP_KEY_NONE) {
		enum lp_top_act act = lp_top_state_key(
		    &live->state, key, lp_top_page_lines(&live->page));

		repaint |= key == '\f';
		if (most < act)
			most = act;
		lp_top_state_clamp(&live->state, live->rows.count,
		    lp_top_page_lines(&live->page));
	}
	if (most == LP_TOP_ACT_QUIT)
		live->stop = true;
	if (was_paused && !live->state.paused)
		live->next_ms = clock_ms();
	if (most == LP_TOP_ACT_ROWS)
		make_rows(live);
	if (most == LP_TOP_ACT_ROWS || most == LP_TOP_ACT_DRAW)
		draw(live, repaint);
}

/*
 * As struct lp_client_waiter has it; socket: NULL if nothing was asked.  A
 * key may change what the caller waits for, so it returns after each event.
 */
static int
wait_events(void *arg, struct pollfd *socket, int timeout_ms)
{
	struct live *live = arg;
	struct pollfd fds[] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = live->signals, .events = POLLIN},
	    {.fd = socket != NULL ? socket->fd : -1,
		.events = socket != NULL ? socket->events : 0},
	};
	int ready = poll(fds, sizeof(fds) / sizeof(fds[0]), timeout_ms);

	if (ready <= 0)
		return ready;
	if (fds[1].revents != 0)
		take_signals(live);
	if ((fds[0].revents & POLLIN) != 0 && !live->stop)
		take_keys(live);
	else if (fds[0].revents != 0)
		live->stop = true; /* the terminal is gone */
	return live->stop ? LP_CLIENT_STOP : 1;
}

/* ---- what is shown ----------------------------------------------------------
 */

/* Without memory for new rows the old ones stay. */
static void
make_rows(struct live *live)
{
	struct lp_top_rows rows;

	lp_top_model_totals(
	    &live->totals, &live->model, live->state.choice.since_start);
	if (lp_top_model_rows(&rows, &live->model, &live->state.choice) != 0) {
		(void)strcpy(live->trouble, "out of memory");
		return;
	}
	lp_top_model_rows_fini(&live->rows);
	live->rows = rows;
}

static int
make_page(struct live *live)
{
	unsigned width = 0, height = 0;

	lp_top_page_fini(&live->page);
	lp_top_screen_resize(&width, &height);
	return lp_top_page_init(&live->page, width, height);
}

static void
draw(struct live *live, bool repaint)
{
	const struct lp_top_picture picture = {
	    .state = &live->state,
	    .rows = &live->rows,
	    .totals = &live->totals,
	    .head = &live->head,
	    .trouble = live->trouble,
	};

	lp_top_state_clamp(
	    &live->state, live->rows.count, lp_top_page_lines(&live->page));
	lp_top_page_draw(&live->page, &picture);
	lp_top_screen_draw(&live->page, repaint);
}

static uint64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MS_PER_S +
	    (uint64_t)now.tv_nsec / NS_PER_MS;
}
