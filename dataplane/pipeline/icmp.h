/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP and ICMPv6 for our addresses: echo is answered, errors about tracked
 * connections are translated and passed to the end that they are for.
 */
#ifndef LP_PIPELINE_ICMP_H
#define LP_PIPELINE_ICMP_H

#include "dataplane/pipeline/rewrite.h"

/* After neighbor's stage: neighbour discovery has been taken out. */
void lp_icmp_stage(struct lp_rewrite *rewrite, struct lp_batch *batch);

/*
 * For trace: the tuple that a parsed error is about, as an answer to what it
 * quotes would come in; false if it is no error about TCP.
 */
bool lp_icmp_quoted(const struct lp_pkt *pkt, struct lp_tuple *tuple);

#endif
