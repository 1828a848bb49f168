/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ports of a trace: one packet comes in at a time, and what is sent goes
 * nowhere.
 */
#ifndef LP_DATAPLANE_TRACE_PORT_H
#define LP_DATAPLANE_TRACE_PORT_H

#include "dataplane/port/port.h"

enum {
	/* Packets that wait for next hops, and those of one turn. */
	LP_TRACE_PORT_BUFFERS = 1024,
};

struct lp_trace_port_set;

extern const struct lp_backend_ops lp_trace_port_ops;

/* 0, or -ENOMEM. */
int lp_trace_port_new(struct lp_trace_port_set **set);
/* Accepts NULL.  No packet may be held any more. */
void lp_trace_port_free(struct lp_trace_port_set *set);

/* The pool of buffers that goes with lp_trace_port_ops. */
struct lp_pool *lp_trace_port_pool(struct lp_trace_port_set *set);

/* The port of that slot, as the pipeline is to see it. */
struct lp_port *lp_trace_port_get(struct lp_trace_port_set *set, uint8_t slot);

/* The frame that rx of that port hands out next.  Borrowed until then. */
void lp_trace_port_give(struct lp_trace_port_set *set, uint8_t slot,
    const uint8_t *bytes, uint16_t len);

#endif
