/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's APIs, and what their requests tell of whom and of what they are.
 *
 * apis_table.c is generated from Kafka's own definitions, with the layouts of
 * the messages (dataplane/kafka/generate.py).
 */
#ifndef LP_PROTO_APIS_H
#define LP_PROTO_APIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a version of a request may tell. */
enum lp_apis_field {
	LP_APIS_TOPIC_NAME,
	LP_APIS_TOPIC_ID, /* as good as a name: ids are resolved */
	/* As the name of a resource whose type is 2: in requests on configs. */
	LP_APIS_TOPIC_RESOURCE,
	LP_APIS_GROUP,
	LP_APIS_TRANSACTIONAL_ID,
	LP_APIS_ACKS,
	LP_APIS_REPLICA_ID, /* by which brokers are told from clients */
	LP_APIS_AUTO_CREATION, /* whether a topic may be created */
	/* Where topics are meant, and not seen. */
	LP_APIS_REGEX, /* the broker chooses them */
	LP_APIS_TOPICS_NULL, /* the list may be null: all, or as before */
	LP_APIS_FIELD_COUNT,
};

/* Versions are bits: 1 << version. */
struct lp_apis_entry {
	const char *name; /* NULL: nobody has that key */
	int16_t first; /* version */
	int16_t last;
	bool client; /* offered to clients; false: between brokers only */
	uint32_t seen[LP_APIS_FIELD_COUNT];
};

/* By key; some have no name. */
extern const struct lp_apis_entry lp_apis_table[];
extern const uint16_t lp_apis_table_count;

/* NULL: there is no such API. */
const struct lp_apis_entry *lp_apis_get(int64_t key);

/* "Fetch"; NULL for others. */
const char *lp_apis_name(int64_t key);

/* The key of a name, whatever the case of its letters; -1: none. */
int lp_apis_find(const char *name, size_t len);

/* The name that was probably meant; NULL: none is near. */
const char *lp_apis_nearest(const char *name, size_t len);

/* From the first version to the last. */
uint32_t lp_apis_versions(const struct lp_apis_entry *entry);

/* Where a topic is seen, in whatever way. */
uint32_t lp_apis_topic_versions(const struct lp_apis_entry *entry);

#endif
