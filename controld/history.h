/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generations that are kept: what was changed, when and by whom.
 */
#ifndef LP_CONTROLD_HISTORY_H
#define LP_CONTROLD_HISTORY_H

#include "controld/reply.h"
#include "proto/message.h"

enum {
	/* Bytes of a comment that are told, and the final NUL. */
	LP_HISTORY_COMMENT_SIZE = 4096,
};

/* Answers at once, in as many frames as it takes. */
void lp_history_reply(const struct lp_context *context,
    const struct lp_reply_to *to, const Lp__Pb__HistoryRequest *wanted);

#endif
