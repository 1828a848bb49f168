/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the borders of frames again on a connection whose streams are lost,
 * or that was first seen in its middle.  Internal to the Kafka stage.
 */
#ifndef LP_KAFKA_RECOVER_H
#define LP_KAFKA_RECOVER_H

#include "dataplane/kafka/frame.h"

/*
 * A segment with payload of a connection in LP_KAFKA_LOST.  True: the streams
 * live again, and this segment is the first that they are offered.
 */
bool lp_recover_segment(struct lp_kafka_at *at, const struct lp_pkt *pkt,
    const struct lp_tcp_segment *segment);

#endif
