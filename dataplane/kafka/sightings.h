/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clusters say of their brokers, as it passes: id, host, port and rack of
 * each, when a list last named it, and when a list was last whole.  Also which
 * listeners that rewrite have met TLS.  lp-controld makes brokers of it.
 *
 * Noted are lists of all brokers (Metadata, DescribeCluster) in answers whose
 * addresses are replaced or would be; a node that has no host or port says
 * nothing.  What is the same as before costs a look-up and a comparison.
 *
 * Bounded.  When the table is full, what no list has named for an hour makes
 * room: some places are looked at, else the new one is not noted, and counted.
 */
#ifndef LP_KAFKA_SIGHTINGS_H
#define LP_KAFKA_SIGHTINGS_H

#include "dataplane/kafka/fact.h"
#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/table.h"

struct lp_sightings {
	struct lp_kafka_stats *stats;
	struct lp_table index;
	uint32_t hand;
	uint64_t seed;
};

/* What is said of a node; all zero of what is no node. */
struct lp_sighting_node {
	const uint8_t *host, *rack;
	uint8_t host_len, rack_len; /* at most those of the value */
	uint16_t port;
};

/* A list while it is being read, in the message. */
struct lp_sighting_list {
	uint32_t left; /* nodes to come; of a list that has begun */
	int32_t node_id;
	uint16_t port;
	uint8_t host_len; /* 0: none yet */
	bool racks; /* follow each port */
	bool other; /* controllers are listed */
	bool begun; /* and not empty */
	uint8_t host[LP_SIGHTING_HOST_MAX];
};

void lp_sightings_carve(struct lp_sightings *seen, struct lp_arena *arena);

/* Takes up what is in the region. */
void lp_sightings_init(
    struct lp_sightings *seen, struct lp_kafka_stats *stats, uint64_t seed);

void lp_sightings_note(struct lp_sightings *seen,
    const struct lp_sighting_key *key, const struct lp_sighting_node *node,
    uint64_t now_ms);

/* A list begins; of that key and version. */
void lp_sightings_begin(
    struct lp_sighting_list *list, bool is_metadata, int16_t version);

/* Every fact of its answer, in order. */
void lp_sightings_fact(struct lp_sightings *seen, struct lp_sighting_list *list,
    uint32_t cluster_id, const struct lp_fact *fact, uint64_t now_ms);

#endif
