/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules at the opening of a connection (rules.h): they are asked, counted, and
 * may refuse it.  One that has opened stays, whatever rules come; but how its
 * packets are sent follows them: it is asked for again with each generation.
 *
 * A route is of the bootstrap endpoint: the connection goes to that broker, and
 * where the listener has none of that node id it is refused, never taken to
 * another one.  Elsewhere it lets pass, as an allow.
 *
 * A reset waits for requests where `later` says that some are allowed, and
 * where they are judged: the listener looks into Kafka, and has said what
 * becomes of what cannot be judged.  Elsewhere it acts when the connection
 * opens: rather too much is refused than what a rule refuses let in.  So what
 * waits ends when nothing is left to wait for, and by bytes that cannot be
 * judged, whatever the listener says of those of others.
 */
#ifndef LP_PIPELINE_GATE_H
#define LP_PIPELINE_GATE_H

#include "dataplane/pipeline/region.h"
#include "dataplane/pipeline/rules.h"
#include "dataplane/pipeline/snapshot.h"

/* What rules ask of a connection. */
static inline struct lp_rules_connection
lp_gate_ask(const struct lp_conn *conn)
{
	return (struct lp_rules_connection){.src = conn->client_ip,
	    .dst = conn->vip_ip,
	    .src_port = conn->client_port,
	    .dst_port = conn->vip_port,
	    .cluster = conn->named_cluster_id,
	    .listener = conn->listener_id,
	    .port = conn->port_id,
	    .broker = conn->node_id};
}

/*
 * Counts, says whether it may open, to which broker and how its packets are
 * sent.  LP_REASON_NONE, or why not.
 */
enum lp_reason lp_gate_judge(struct lp_region *region,
    const struct lp_snapshot *snapshot, struct lp_conn *conn);

/* Of one that lives: how its packets are sent.  Nothing is counted. */
void lp_gate_follow(const struct lp_snapshot *snapshot, struct lp_conn *conn);

/*
 * Of one that lives: its reset waits for requests, if one does; its endpoint
 * and its broker are still configured, and what
 * the broker sends still comes to us: the source address is one of ours, or we
 * are asked to take what that endpoint sends.  Inline that is all that is
 * asked.
 */
bool lp_gate_stays(
    const struct lp_snapshot *snapshot, const struct lp_conn *conn);

static inline enum lp_reason
lp_gate_refuses(struct lp_region *region, const struct lp_snapshot *snapshot,
    struct lp_conn *conn)
{
	return snapshot->rules == NULL ? LP_REASON_NONE
				       : lp_gate_judge(region, snapshot, conn);
}

#endif
