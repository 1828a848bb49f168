/* SPDX-License-Identifier: Apache-2.0 */
/* A table of connections for tests: over a plane whose pipeline stays idle. */
#ifndef LP_TESTS_SUPPORT_PLANE_CONNTRACK_H
#define LP_TESTS_SUPPORT_PLANE_CONNTRACK_H

#include "dataplane/pipeline/conntrack.h"

extern struct lp_conntrack conntrack;

/* Opens the plane, too. */
void conntrack_open(uint32_t connections, uint32_t now_s);
void conntrack_close(void);

/* Another process takes the region over: the indexes are made anew. */
void conntrack_anew(uint64_t seed, uint32_t now_s);

#endif
