/* SPDX-License-Identifier: Apache-2.0 */
/* The desired configuration, or that of a generation that is kept. */
#ifndef LP_CONTROLD_SHOW_H
#define LP_CONTROLD_SHOW_H

#include "controld/reply.h"

void lp_show_reply(const struct lp_context *context,
    const struct lp_reply_to *to, const Lp__Pb__ShowRequest *wanted);

#endif
