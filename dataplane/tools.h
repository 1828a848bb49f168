/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace and capture of one controller.
 */
#ifndef LP_DATAPLANE_TOOLS_H
#define LP_DATAPLANE_TOOLS_H

#include <event2/buffer.h>
#include <event2/event.h>

#include "dataplane/dataplane.h"

enum {
	/* Traces that are not over; one more ends the oldest. */
	LP_TOOLS_TRACES_MAX = 4,
	/* How often a ring is emptied, and how much may wait to be sent. */
	LP_TOOLS_PUMP_MS = 10,
	LP_TOOLS_OUTPUT_MAX = 512 << 10,
};

struct lp_tools;

/* out: answers go there; borrowed, as all of these.  0, or -ENOMEM. */
int lp_tools_new(struct lp_tools **tools, struct event_base *base,
    struct lp_dataplane *dataplane, struct evbuffer *out);
/* Ends what runs.  Accepts NULL. */
void lp_tools_free(struct lp_tools *tools);

/* Answers.  0, -ENOMEM, -EMSGSIZE. */
int lp_tools_trace(struct lp_tools *tools, const Lp__Pb__TraceRequest *request);

/* Begins to answer, or says why not.  0, -ENOMEM, -EMSGSIZE. */
int lp_tools_capture(
    struct lp_tools *tools, const Lp__Pb__CaptureRequest *request);

/* The last answer follows when the ring is empty. */
void lp_tools_stop(struct lp_tools *tools, const Lp__Pb__CaptureStop *stop);

#endif
