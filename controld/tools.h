/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lpctl trace and lpctl capture: handed to dataplanes, and their answers
 * handed back.
 *
 * A trace is a question to one dataplane.  A capture lasts: frames come until
 * the client says that it is over, or goes.  A client that does not read costs
 * copies of packets, which are counted, and no memory.
 */
#ifndef LP_CONTROLD_TOOLS_H
#define LP_CONTROLD_TOOLS_H

#include "controld/reply.h"

enum {
	LP_TOOLS_MAX = 16, /* at the same time */
	/* Bytes that a client may leave unread before packets are dropped. */
	LP_TOOLS_UNREAD_MAX = 4 << 20,
};

struct lp_tool_set;

/* time_ms: for the answer to a trace, and for the last one of a capture. */
int lp_tools_new(
    struct lp_tool_set **out, struct lp_context *context, unsigned time_ms);
void lp_tools_free(struct lp_tool_set *set);

/* Of the request's trace or capture; borrows it for the call. */
void lp_tools_add(struct lp_tool_set *set, const struct lp_reply_to *to,
    const Lp__Pb__ControlRequest *request);

/* TraceReply or CaptureReply from dataplane `index`. */
void lp_tools_answered(struct lp_tool_set *set, unsigned index,
    const Lp__Pb__DataplaneMessage *message);

/* A dataplane may have gone. */
void lp_tools_changed(struct lp_tool_set *set);

/* A client has: its capture ends. */
void lp_tools_gone(struct lp_tool_set *set, uint64_t client);

#endif
