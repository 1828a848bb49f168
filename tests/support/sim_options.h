/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of a simulated end: timestamps, RFC 7323, and selective
 * acknowledgements, RFC 2018 and 2883.
 */
#ifndef LP_TESTS_SUPPORT_SIM_OPTIONS_H
#define LP_TESTS_SUPPORT_SIM_OPTIONS_H

#include "tests/support/sim_tcp.h"

/* Those of a segment that has flags and payload. */
void sim_options_put(struct sim_tcp *tcp, struct sim_segment *segment);

/* Its timestamp is not older than what has come, RFC 7323, 5.3, R1. */
bool sim_options_in_time(
    const struct sim_tcp *tcp, const struct sim_segment *segment);

/* R3: one that is acceptable, and begins at that position, may be newer. */
void sim_options_take_stamp(
    struct sim_tcp *tcp, const struct sim_segment *segment, int64_t at);

/* Notes what the other end says that it holds; true: more than was known. */
bool sim_options_take_sack(
    struct sim_tcp *tcp, const struct sim_segment *segment);

/* All before that position is acknowledged. */
void sim_options_trim(struct sim_tcp *tcp, uint64_t una);

/* The receiver may have thrown away what it held. */
void sim_options_forget(struct sim_tcp *tcp);

/*
 * From that position on, what is missing for all that is known: its begin, and
 * its end; false: nothing.
 */
bool sim_options_gap(const struct sim_tcp *tcp, uint64_t *from, uint64_t *to);

#endif
