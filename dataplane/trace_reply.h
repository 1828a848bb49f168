/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers TraceRequest.
 */
#ifndef LP_DATAPLANE_TRACE_REPLY_H
#define LP_DATAPLANE_TRACE_REPLY_H

#include <event2/buffer.h>

#include "dataplane/dataplane.h"
#include "dataplane/trace.h"

/*
 * Runs the packets of the request in that trace and answers, also with why it
 * cannot.  0, -ENOMEM, -EMSGSIZE.
 */
int lp_trace_reply_send(struct evbuffer *out, struct lp_dataplane *dataplane,
    struct lp_trace *trace, const Lp__Pb__TraceRequest *request);

/* Answers that it is not possible, and why. */
int lp_trace_reply_refuse(
    struct evbuffer *out, uint64_t cookie, const char *why);

#endif
