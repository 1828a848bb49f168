/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two requests that lp-controld makes of a broker, and their responses:
 *
 *	ApiVersions v0		which versions of Metadata it has
 *	Metadata v10 to v12	of all topics: ids and names
 *
 * Pure: no sockets, no clock.  A response is read as its bytes come, with the
 * walker that the dataplane has; only names and ids are kept of it.
 *
 * Sources: https://kafka.apache.org/protocol; KIP-516 (topic ids), KIP-511.
 */
#ifndef LP_CONTROLD_TOPIC_WIRE_H
#define LP_CONTROLD_TOPIC_WIRE_H

#include "dataplane/kafka/walk.h"
#include "proto/topic_id.h"

enum {
	LP_TOPIC_WIRE_REQUEST_MAX = 64, /* bytes */
	/* Versions of Metadata with ids, and the last one that we ask. */
	LP_TOPIC_WIRE_METADATA_MIN = 10,
	LP_TOPIC_WIRE_METADATA_MAX = 12,
	/* Of an ApiVersions response: a hundred APIs are 600 bytes. */
	LP_TOPIC_WIRE_VERSIONS_SIZE_MAX = 65536,
};

/* Writes a whole request; returns its bytes. */
size_t lp_topic_wire_ask_versions(
    uint8_t out[LP_TOPIC_WIRE_REQUEST_MAX], int32_t correlation_id);
size_t lp_topic_wire_ask_metadata(uint8_t out[LP_TOPIC_WIRE_REQUEST_MAX],
    int32_t correlation_id, int16_t version);

enum lp_topic_wire_result {
	LP_TOPIC_WIRE_MORE = 0,
	LP_TOPIC_WIRE_DONE,
	LP_TOPIC_WIRE_TLS, /* it answers with TLS */
	LP_TOPIC_WIRE_LARGE, /* a response larger than size_max */
	LP_TOPIC_WIRE_OTHER, /* to a request that was not made */
	LP_TOPIC_WIRE_BAD, /* no such response */
};

/* One response being read. */
struct lp_topic_wire {
	int16_t key, version;
	int32_t correlation_id;
	uint32_t size_max;
	/* Of Metadata: a topic; the pair has no cluster. */
	void (*topic)(void *arg, const struct lp_topic_id_pair *pair);
	void *arg;

	uint8_t head[8]; /* size and correlation id */
	unsigned head_len;
	uint32_t skip; /* bytes that the walker need not see */
	struct lp_walk walk;

	int16_t error; /* of the response as a whole */
	int16_t api; /* of the element of ApiVersions at hand */
	int16_t metadata_min, metadata_max; /* -1: it has none */
	bool in_topic;
	struct lp_topic_id_pair pair; /* of the topic at hand */
};

void lp_topic_wire_versions(struct lp_topic_wire *wire, int32_t correlation_id);
void lp_topic_wire_metadata(struct lp_topic_wire *wire, int32_t correlation_id,
    int16_t version, uint32_t size_max);

/*
 * More bytes.  MORE: all were read.  DONE: what follows is not looked at.
 * Topics told before a result other than DONE are not to be believed.
 */
enum lp_topic_wire_result lp_topic_wire_read(
    struct lp_topic_wire *wire, const uint8_t *bytes, size_t len);

/* The version of Metadata to ask, after ApiVersions; -1: none has ids. */
int16_t lp_topic_wire_version(const struct lp_topic_wire *wire);

#endif
