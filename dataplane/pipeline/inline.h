/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inline ports: a bump in the wire between two of them.
 *
 * What comes in by one leaves by the other, byte for byte, whatever it is.  The
 * TCP connections of named brokers are followed on the way, and that is all
 * where no rule acts on their requests: nothing closes or changes one, and what
 * cannot be followed passes nevertheless.
 *
 * Where rules do, connections are spliced (splice.h), as those of VIPs, but for
 * their addresses; and what cannot be followed is treated as the listener says
 * of what cannot be judged.
 */
#ifndef LP_PIPELINE_INLINE_H
#define LP_PIPELINE_INLINE_H

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/conntrack.h"
#include "dataplane/pipeline/reset.h"

struct lp_admit;
struct lp_rewrite;

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
void lp_inline_forward(
    struct lp_rewrite *rewrite, struct lp_batch *batch, struct lp_pkt *pkt);

/* As it came, padding included, with that reason. */
void lp_inline_pass(
    struct lp_batch *batch, struct lp_pkt *pkt, enum lp_reason reason);

/* ---- inline_splice.c: where rules act on requests ------------------------ */

/* That connection must not go on if it cannot be followed and judged. */
bool lp_inline_splice_is_closed(
    const struct lp_snapshot *snapshot, const struct lp_conn *conn);

/*
 * It must not, and is not: ends it, known as it is by that segment alone, and
 * tells of it.
 */
void lp_inline_splice_refuse(struct lp_kafka *kafka, struct lp_reset *reset,
    struct lp_batch *batch, struct lp_pkt *pkt, const struct lp_conn *conn);

/* A packet of one that is spliced.  False: it is not any more. */
bool lp_inline_splice_packet(
    struct lp_rewrite *rewrite, struct lp_batch *batch, struct lp_pkt *pkt);

#endif
