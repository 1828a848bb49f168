/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change that waits to be confirmed, and the time that is left to it.
 *
 * While lp-controld runs its own clock counts, which nobody sets.  When it
 * starts it takes what is left from the clock of the machine, and never more
 * than the whole wait: a clock that was set lengthens no wait beyond itself.
 */
#ifndef LP_CONTROLD_CONFIRM_H
#define LP_CONTROLD_CONFIRM_H

#include <event2/event.h>

#include "controld/store.h"

enum { LP_CONFIRM_TEXT_SIZE = 256 };

struct lp_confirm;

/* over() is called when the time is over.  -ENOMEM. */
int lp_confirm_new(struct lp_confirm **out, struct event_base *base,
    void (*over)(void *arg), void *arg);
void lp_confirm_free(struct lp_confirm *confirm);

/* That it waits is stored. */
void lp_confirm_start(
    struct lp_confirm *confirm, const struct lp_store_waiting *waiting);
/* It was confirmed, or has been taken back. */
void lp_confirm_end(struct lp_confirm *confirm);
/* Calls over() once more in so many milliseconds. */
void lp_confirm_again(struct lp_confirm *confirm, unsigned ms);

/* NULL: nothing waits. */
const struct lp_store_waiting *lp_confirm_waiting(
    const struct lp_confirm *confirm);
uint64_t lp_confirm_left_ms(const struct lp_confirm *confirm);

/* What waits, of whom, how long, and what to do about it. */
const char *lp_confirm_describe(
    const struct lp_confirm *confirm, char text[LP_CONFIRM_TEXT_SIZE]);

#endif
