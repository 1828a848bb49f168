/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules say of the packets of a trace, for its answer: of connections that
 * were asked for, and of the request that was described.
 */
#ifndef LP_DATAPLANE_TRACE_REPLY_RULES_H
#define LP_DATAPLANE_TRACE_REPLY_RULES_H

#include "dataplane/trace.h"
#include "proto/lightpath.pb-c.h"
#include "proto/rule_explain.h"

struct lp_trace_reply_rules;

/*
 * The request is the one that is described, or NULL; it is about the last
 * packet.  All of it is borrowed, also by the answer.  0, or -ENOMEM.
 */
int lp_trace_reply_rules_new(struct lp_trace_reply_rules **out,
    const struct lp_trace_source *source,
    const struct lp_trace_result *const results[], unsigned count,
    const struct lp_rule_match *request);
/* Accepts NULL. */
void lp_trace_reply_rules_free(struct lp_trace_reply_rules *rules);

/*
 * Puts them into the packets of an answer that is complete but for that; what
 * has no room in its frame is left out, and counted.
 */
void lp_trace_reply_rules_put(
    struct lp_trace_reply_rules *rules, Lp__Pb__TraceReply *reply);

#endif
