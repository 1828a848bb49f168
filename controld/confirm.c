/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/confirm.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/clock.h"

enum { NS_PER_MS = 1000000 };

struct lp_confirm {
	struct event_base *base;
	struct event *timer;
	void (*over)(void *arg);
	void *arg;
	struct lp_store_waiting waiting;
	uint64_t deadline_ms; /* CLOCK_MONOTONIC */
};

static void on_timer(evutil_socket_t fd, short what, void *arg);
static void set_timer(struct lp_confirm *confirm, uint64_t ms);

int
lp_confirm_new(struct lp_confirm **out, struct event_base *base,
    void (*over)(void *arg), void *arg)
{
	struct lp_confirm *confirm = calloc(1, sizeof(*confirm));

	if (confirm == NULL)
		return -ENOMEM;
	confirm->base = base;
	confirm->over = over;
	confirm->arg = arg;
	confirm->timer = evtimer_new(base, on_timer, confirm);
	if (confirm->timer == NULL) {
		lp_confirm_free(confirm);
		return -ENOMEM;
	}
	*out = confirm;
	return 0;
}

void
lp_confirm_free(struct lp_confirm *confirm)
{
	if (confirm == NULL)
		return;
	if (confirm->timer != NULL)
		event_free(confirm->timer);
	free(confirm);
}

void
lp_confirm_start(
    struct lp_confirm *confirm, const struct lp_store_waiting *waiting)
{
	uint64_t now_ns = lp_clock_time_ns(), left_ms = 0;

	assert(waiting->generation != 0);
	confirm->waiting = *waiting;
	if (waiting->until_ns > now_ns)
		left_ms = (waiting->until_ns - now_ns) / NS_PER_MS;
	if (left_ms > waiting->wait_ms)
		left_ms = waiting->wait_ms;
	confirm->deadline_ms = lp_clock_now_ms() + left_ms;
	set_timer(confirm, left_ms);
}

void
lp_confirm_end(struct lp_confirm *confirm)
{
	confirm->waiting = (struct lp_store_waiting){0};
	evtimer_del(confirm->timer);
}

void
lp_confirm_again(struct lp_confirm *confirm, unsigned ms)
{
	if (confirm->waiting.generation != 0)
		set_timer(confirm, ms);
}

const struct lp_store_waiting *
lp_confirm_waiting(const struct lp_confirm *confirm)
{
	return confirm->waiting.generation != 0 ? &confirm->waiting : NULL;
}

uint64_t
lp_confirm_left_ms(const struct lp_confirm *confirm)
{
	uint64_t now_ms = lp_clock_now_ms();

	if (confirm->waiting.generation == 0 || now_ms >= confirm->deadline_ms)
		return 0;
	return confirm->deadline_ms - now_ms;
}

const char *
lp_confirm_describe(
    const struct lp_confirm *confirm, char text[LP_CONFIRM_TEXT_SIZE])
{
	snprintf(text, LP_CONFIRM_TEXT_SIZE,
	    "generation %" PRIu64 " by %s waits to be confirmed for another "
	    "%" PRIu64 " s: \"lpctl confirm\" keeps it, \"lpctl rollback\" "
	    "takes it back",
	    confirm->waiting.generation, confirm->waiting.who,
	    (lp_confirm_left_ms(confirm) + 999) / 1000);
	return text;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lp_confirm *confirm = arg;
	uint64_t left_ms = lp_confirm_left_ms(confirm);

	(void)fd;
	(void)what;
	if (left_ms > 0)
		set_timer(confirm, left_ms);
	else
		confirm->over(confirm->arg);
}

static void
set_timer(struct lp_confirm *confirm, uint64_t ms)
{
	const struct timeval wait = lp_clock_timeval(ms);

	/* Not from when this turn of the loop has begun: it may take long. */
	event_base_update_cache_time(confirm->base);
	evtimer_add(confirm->timer, &wait);
}
