/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator should know of a change that is made all the same.
 */
#ifndef LP_CONTROLD_MODEL_NOTE_H
#define LP_CONTROLD_MODEL_NOTE_H

#include "controld/model_work.h"

/* One more, of `object`: "rule x: TEXT".  0 or -ENOMEM; beyond the limit 0. */
int lp_model_note_add(struct lp_model_change *change,
    const struct lp_object *object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Of the listeners that were touched: how many connections the addresses of
 * the ports leave them, and which brokers they do not reach.  0 or -ENOMEM.
 */
int lp_model_note_run(struct lp_model_work *work);

/*
 * Which brokers that listener does not reach, and what helps.  False, and no
 * text, if it reaches them all.
 */
bool lp_model_note_missing(const struct lp_config *config,
    const struct lp_object *listener, char text[LP_MODEL_NOTE_SIZE]);

#endif
