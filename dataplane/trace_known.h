/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the worker knows, read without asking it: copies that prove to be
 * whole, as those of report_connections.c.
 */
#ifndef LP_DATAPLANE_TRACE_KNOWN_H
#define LP_DATAPLANE_TRACE_KNOWN_H

#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/neighbor.h"

/* Called with a copy for each that is found. */
typedef void lp_trace_known_conn(void *arg, const struct lp_conn *conn);
typedef void lp_trace_known_hop(void *arg, const struct lp_neighbor *hop);

/*
 * The connections that packets with one of these tuples belong to.  Looks at
 * the whole table.
 */
void lp_trace_known_connections(const struct lp_region *region,
    const struct lp_tuple tuples[], unsigned count, lp_trace_known_conn *each,
    void *arg);

/* All next hops; what waits for them is left out. */
void lp_trace_known_neighbors(
    const struct lp_neighbors *neighbors, lp_trace_known_hop *each, void *arg);

#endif
