/* SPDX-License-Identifier: Apache-2.0 */
/* What Kafka calls its APIs and error codes; NULL if it has no name. */
#ifndef LP_KAFKA_NAMES_H
#define LP_KAFKA_NAMES_H

#include <stdint.h>

/*
 * Weak until the tables are there: without them a number is shown.  "Produce",
 * "NOT_LEADER_OR_FOLLOWER".
 */
__attribute__((weak)) const char *lp_kafka_api_name(int16_t key);
__attribute__((weak)) const char *lp_kafka_error_name(int16_t code);

#endif
