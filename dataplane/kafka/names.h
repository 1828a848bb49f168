/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's own words for its numbers; none allocates. */
#ifndef LP_KAFKA_NAMES_H
#define LP_KAFKA_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* What the tables know of an API, of both releases together. */
struct lp_kafka_api {
	const char *name; /* "Produce" */
	int16_t first; /* version */
	int16_t last;
	int16_t flexible; /* first flexible version (KIP-482); -1: none */
	/* The last version whose addresses, if any, are where we know. */
	int16_t offered;
	bool client; /* false: brokers and controllers among themselves */
	/* Clients reach brokers by its answers, which cannot be hidden. */
	bool addresses;
};

/* False: nobody has such a key. */
bool lp_kafka_api(int16_t key, struct lp_kafka_api *api);

/* "Produce"; NULL: nobody has such a key. */
const char *lp_kafka_api_name(int16_t key);

/* That `addresses`; false of a key that nobody has. */
bool lp_kafka_tells_addresses(int16_t key);

/* Above the highest key. */
int16_t lp_kafka_api_count(void);

/* "NOT_LEADER_OR_FOLLOWER", 0 is "NONE"; NULL: of a newer release. */
const char *lp_kafka_error_name(int16_t code);

#endif
