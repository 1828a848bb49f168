/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/question.h"

#include "dataplane/kafka/frame.h"
#include "dataplane/pipeline/wire.h"

void
lp_question_put(const struct lp_kafka_at *at, const struct lp_judged *judged,
    struct lp_rules_request *request)
{
	static const uint8_t places[LP_JUDGED_TEXTS] = {
	    [LP_JUDGED_CLIENT_ID] = LP_RULES_CLIENT_ID,
	    [LP_JUDGED_GROUP] = LP_RULES_GROUP,
	    [LP_JUDGED_TRANSACTIONAL_ID] = LP_RULES_TRANSACTIONAL_ID};

	*request = (struct lp_rules_request){.frame_size = lp_question_size(at),
	    .api = lp_question_key(at),
	    .version = lp_question_version(at),
	    .acks = judged->acks};
	for (unsigned i = 0; i < LP_JUDGED_TEXTS; i++)
		if (judged->has & 1u << i)
			request->text[places[i]] =
			    (struct lp_rules_text){.bytes = judged->texts[i],
				.len = judged->lens[i],
				.cut = (judged->cut & 1u << i) != 0};
	if (at->conn->flags & LP_KAFKA_NAMED)
		request->text[LP_RULES_PRINCIPAL] = (struct lp_rules_text){
		    .bytes = (const uint8_t *)at->conn->name,
		    .len = at->conn->name_len};
}

uint32_t
lp_question_size(const struct lp_kafka_at *at)
{
	if (at->asked != NULL)
		return at->asked->request_bytes;
	return lp_get32(at->conn->sides[LP_TO_BROKER].head) +
	    LP_FRAME_SIZE_FIELD;
}

int16_t
lp_question_key(const struct lp_kafka_at *at)
{
	if (at->asked != NULL)
		return at->asked->key;
	return (int16_t)lp_get16(
	    at->conn->sides[LP_TO_BROKER].head + LP_REQUEST_KEY);
}

int16_t
lp_question_version(const struct lp_kafka_at *at)
{
	if (at->asked != NULL)
		return at->asked->version;
	return (int16_t)lp_get16(
	    at->conn->sides[LP_TO_BROKER].head + LP_REQUEST_VERSION);
}

bool
lp_question_is_among(
    const struct lp_kafka_at *at, const uint32_t versions[LP_RULES_APIS])
{
	int16_t key = lp_question_key(at), version = lp_question_version(at);

	return key >= 0 && key < LP_RULES_APIS && version >= 0 &&
	    version < 32 && (versions[key] >> version & 1) != 0;
}

uint8_t
lp_question_undenied(const struct lp_kafka_at *at,
    const struct lp_judged *judged, const struct lp_rules *rules)
{
	if (!lp_question_is_among(at, rules->deniable))
		return LP_RULES_UNDENIED;
	if (lp_question_is_among(at, rules->by_index) ||
	    lp_question_is_among(at, rules->by_name))
		return judged->is_named ? LP_RULES_DENIED : LP_RULES_UNDENIED;
	if (!lp_question_is_among(at, rules->by_whole))
		return LP_RULES_DENIED;
	/* If one was to deny all of it, it has. */
	return judged->refused.code != 0 ? LP_RULES_UNDENIED_BY_TOPIC
					 : LP_RULES_UNDENIED;
}
