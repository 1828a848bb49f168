/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A topic's id and name as they cross a process border.
 */
#ifndef LP_PROTO_TOPIC_ID_H
#define LP_PROTO_TOPIC_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/message.h"

struct lp_topic_id_pair {
	uint32_t cluster_id;
	uint8_t uuid[LP_TOPIC_ID_SIZE];
	uint8_t len; /* of the name, which is not NUL terminated */
	uint8_t name[LP_TOPIC_NAME_MAX];
};

/* What a topic can be called: Kafka refuses all else. */
bool lp_topic_id_is_name(const uint8_t *name, size_t len);

/* All zero is the id of no topic. */
bool lp_topic_id_is_none(const uint8_t uuid[LP_TOPIC_ID_SIZE]);

/* False: that is no topic. */
bool lp_topic_id_from_message(
    struct lp_topic_id_pair *pair, const Lp__Pb__TopicId *message);

/* A message that lives in *holder, borrows from *pair, and has its name. */
struct lp_topic_id_message {
	Lp__Pb__TopicId message;
	char name[LP_TOPIC_NAME_MAX + 1];
};
Lp__Pb__TopicId *lp_topic_id_to_message(
    struct lp_topic_id_message *holder, const struct lp_topic_id_pair *pair);

#endif
