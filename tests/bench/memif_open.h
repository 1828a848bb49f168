/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be said before data may flow. */
#ifndef LP_BENCH_MEMIF_OPEN_H
#define LP_BENCH_MEMIF_OPEN_H

#include "memif_frames.h"
#include "memif_link.h"

/* Asks for the MAC address that each side sends to. */
void open_resolve(struct link *link, struct frames *frames);

/* Opens every connection, and learns how the broker sees it. */
void open_connections(struct link *link, struct frames *frames);

/* Answers who asks, and forgets everything else that has arrived. */
void open_idle(struct link *link, struct frames *frames);

#endif
