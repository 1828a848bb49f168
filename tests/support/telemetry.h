/* SPDX-License-Identifier: Apache-2.0 */
/* A telemetry with memory of its own, for tests. */
#ifndef LP_TESTS_TELEMETRY_H
#define LP_TESTS_TELEMETRY_H

#include "dataplane/kafka/telemetry.h"

/* Of that block of a region, or of one of its own if NULL. */
struct lp_telemetry *telemetry_open(
    struct lp_kafka_stats *stats, const struct lp_endpoint_stats *endpoints);
/* A packet process after that one, on the same statistics. */
void telemetry_restart(struct lp_telemetry *telemetry);
void telemetry_close(struct lp_telemetry *telemetry);

#endif
