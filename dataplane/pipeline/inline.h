/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inline ports: a bump in the wire between two of them.
 *
 * What comes in by one leaves by the other, byte for byte, whatever it is.  The
 * TCP connections of named brokers are followed on the way, and that is all:
 * nothing here closes or changes one, and what cannot be followed passes
 * nevertheless.
 */
#ifndef LP_PIPELINE_INLINE_H
#define LP_PIPELINE_INLINE_H

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/conntrack.h"

struct lp_admit;

/*
 * Right behind parse: marks the packets of inline ports with LP_PKT_INLINE, and
 * passes those that are no readable TCP.
 */
void lp_inline_stage(struct lp_batch *batch);

/* Those below are for one packet of an inline port that has no verdict. */

/*
 * Where its connection begins for us: makes it, if it is a named broker's, and
 * no rule resets it.  What is not is passed.
 */
void lp_inline_admit(
    struct lp_admit *admit, struct lp_batch *batch, struct lp_pkt *pkt);

/* Looks into it, commits it, and passes it. */
void lp_inline_forward(struct lp_conntrack *conntrack, struct lp_kafka *kafka,
    struct lp_batch *batch, struct lp_pkt *pkt);

#endif
