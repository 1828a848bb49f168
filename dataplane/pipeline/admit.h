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
#include "dataplane/pipeline/wire.h"

struct lp_admit {
	struct lp_conntrack *conntrack;
	struct lp_reset *reset;
	struct lp_kafka *kafka;
};

void lp_admit_stage(struct lp_admit *admit, struct lp_batch *batch);

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
