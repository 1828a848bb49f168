/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to StatsRequest and ConnectionsRequest: read from shared memory
 * and from the open ports, never by asking the worker.
 */
#ifndef LP_DATAPLANE_REPORT_H
#define LP_DATAPLANE_REPORT_H

#include <event2/buffer.h>

#include "dataplane/dataplane.h"

/* All frames of the answer.  0, -ENOMEM, -EMSGSIZE. */
int lp_report_stats(struct evbuffer *out, const struct lp_dataplane *dataplane,
    uint64_t cookie);

/* Where in the table an answer stands that is sent frame by frame. */
struct lp_report_cursor {
	uint64_t cookie;
	uint32_t next; /* index of the next connection to look at */
	uint32_t left; /* rows that may still be sent */
};

void lp_report_connections_begin(
    struct lp_report_cursor *cursor, uint64_t cookie, uint32_t limit);

/*
 * One more frame of the answer; *more is false if it was the last one.  0,
 * -ENOMEM, -EMSGSIZE.
 */
int lp_report_connections(struct evbuffer *out,
    const struct lp_dataplane *dataplane, struct lp_report_cursor *cursor,
    bool *more);

#endif
