/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage saw, as a line for people.
 */
#ifndef LP_DATAPLANE_TRACE_TEXT_H
#define LP_DATAPLANE_TRACE_TEXT_H

#include "dataplane/trace.h"

struct lp_tuple;

/* The stage and the packet behind it. */
struct lp_trace_text {
	const char *stage;
	const struct lp_batch *batch;
	const struct lp_pkt *pkt;
	const struct lp_trace_result *result; /* so far */
	const struct lp_config *config;
	uint8_t before; /* TCP state of its connection, when first seen */
	const struct lp_tuple *tuple; /* of a TCP packet, as it came */
};

void lp_trace_text_stage(
    char text[LP_TRACE_TEXT_SIZE], const struct lp_trace_text *what);

/* The name of the port in that slot, or "?". */
const char *lp_trace_text_port(const struct lp_snapshot *snapshot,
    const struct lp_config *config, uint8_t slot);

#endif
