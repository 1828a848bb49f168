/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/topic_id.h"

#include <string.h>

bool
lp_topic_id_is_name(const uint8_t *name, size_t len)
{
	if (len == 0 || len > LP_TOPIC_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') &&
		    !(name[i] >= 'A' && name[i] <= 'Z') &&
		    !(name[i] >= '0' && name[i] <= '9') && name[i] != '.' &&
		    name[i] != '_' && name[i] != '-')
			return false;
	return true;
}

bool
lp_topic_id_is_none(const uint8_t uuid[LP_TOPIC_ID_SIZE])
{
	static const uint8_t none[LP_TOPIC_ID_SIZE];

	return memcmp(uuid, none, sizeof(none)) == 0;
}

bool
lp_topic_id_from_message(
    struct lp_topic_id_pair *pair, const Lp__Pb__TopicId *message)
{
	size_t len = strlen(message->name);

	if (message->cluster_id == 0 || message->id.len != LP_TOPIC_ID_SIZE ||
	    lp_topic_id_is_none(message->id.data) ||
	    !lp_topic_id_is_name((const uint8_t *)message->name, len))
		return false;
	memset(pair, 0, sizeof(*pair));
	pair->cluster_id = message->cluster_id;
	memcpy(pair->uuid, message->id.data, LP_TOPIC_ID_SIZE);
	pair->len = (uint8_t)len;
	memcpy(pair->name, message->name, len);
	return true;
}

Lp__Pb__TopicId *
lp_topic_id_to_message(
    struct lp_topic_id_message *holder, const struct lp_topic_id_pair *pair)
{
	lp__pb__topic_id__init(&holder->message);
	memcpy(holder->name, pair->name, pair->len);
	holder->name[pair->len] = '\0';
	holder->message.cluster_id = pair->cluster_id;
	holder->message.id.data = (uint8_t *)pair->uuid;
	holder->message.id.len = LP_TOPIC_ID_SIZE;
	holder->message.name = holder->name;
	return &holder->message;
}
