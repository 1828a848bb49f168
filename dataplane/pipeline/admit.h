/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New connections: which are let in, where they go, with which addresses.
 *
 * What no connection is known for is judged here, and answered by RST if it is
 * ours and not let in.
 */
#ifndef LP_PIPELINE_ADMIT_H
#define LP_PIPELINE_ADMIT_H

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/reset.h"
#include "dataplane/pipeline/snapshot.h"
#include "dataplane/pipeline/wire.h"

struct lp_admit {
	struct lp_conntrack *conntrack;
	struct lp_reset *reset;
	struct lp_kafka *kafka;
};

void lp_admit_stage(struct lp_admit *admit, struct lp_batch *batch);

/* A connection that opens, as rules are asked about it: from whom to where. */
static inline struct lp_conn
lp_admit_conn(const struct lp_snapshot *snapshot,
    const struct lp_target *target, uint8_t slot, const struct lp_tuple *tuple)
{
	return (struct lp_conn){.client_ip = tuple->src,
	    .client_port = tuple->sport,
	    .vip_ip = tuple->dst,
	    .vip_port = tuple->dport,
	    .broker_ip = target->real.ip,
	    .broker_port = target->real.port,
	    .listener_id = target->listener_id,
	    .broker_id = target->broker_id,
	    .cluster_id = target->cluster_id,
	    .named_cluster_id = target->named_cluster_id,
	    .port_id = snapshot->ports[slot].id,
	    .node_id = snapshot->faces[target - snapshot->targets].node_id,
	    .counters = target->counters};
}

/* A TCP segment as tcp_state.h wants it. */
static inline void
lp_admit_segment(const struct lp_pkt *pkt, struct lp_tcp_segment *segment)
{
	const uint8_t *tcp = pkt->data + pkt->l4_off;
	uint16_t scale = 0;

	if (pkt->tcp_flags & LP_TCP_SYN)
		scale = lp_parse_tcp_option(pkt, LP_TCP_OPT_SCALE, 3);
	*segment = (struct lp_tcp_segment){.seq = lp_get32(tcp + LP_TCP_SEQ),
	    .ack = lp_get32(tcp + LP_TCP_ACKNO),
	    .len = pkt->payload_len,
	    .window = lp_get16(tcp + LP_TCP_WINDOW),
	    .flags = pkt->tcp_flags,
	    .scale = scale != 0 ? pkt->data[scale] : LP_TCP_NO_SCALE};
}

#endif
