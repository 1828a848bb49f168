/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operator should know of rules that are taken all the same.
 */
#ifndef LP_CONTROLD_MODEL_NOTE_RULE_H
#define LP_CONTROLD_MODEL_NOTE_RULE_H

#include "controld/model_work.h"

enum {
	/*
	 * Steps of the search for rules that can never match, of some 5 ns
	 * each: a note says when that was not all.  One change searches for
	 * less than a second, whatever its rules are.
	 */
	LP_MODEL_NOTE_RULE_STEPS = 100000000,
};

/*
 * Of the rules that were touched: what is only partly seen, brokers that are
 * not there, and which rules can never match, as another one hides them.
 * 0 or -ENOMEM.
 */
int lp_model_note_rule_run(struct lp_model_work *work);

#endif
