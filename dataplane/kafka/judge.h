/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules say of requests (pipeline/rules.h).
 *
 * Rules are asked as soon as all is known that they may ask for: for each topic
 * at its name, or at its end where only its id is there; for each group and
 * transactional id that comes without a topic; and once, at its end, for a
 * request that has none of them.  Each rule that has matched is counted once
 * for the request, at its end, if it is still there.
 *
 * A request is judged from its beginning on, or not at all: no rule that came
 * in the middle of it is asked.  Those asked later in it are those of then.
 *
 * What a rule refuses of it is refused as deny.h says, as soon as that is
 * known; a reset ends the connection there, and the rest of it is not sent.
 * What cannot be judged, because it breaks the rules of its version, or that is
 * not known, is as its listener says: `unjudged reset` is a reset, too.
 */
#ifndef LP_KAFKA_JUDGE_H
#define LP_KAFKA_JUDGE_H

#include "dataplane/kafka/kafka.h"
#include "dataplane/pipeline/rules.h"
#include "dataplane/pipeline/snapshot.h"

/* NULL: no rule looks at requests. */
static inline const struct lp_rules *
lp_judge_rules(const struct lp_kafka_at *at)
{
	return at->snapshot == NULL ? NULL : at->snapshot->request_rules;
}

void lp_judge_open(struct lp_message *message);
void lp_judge_close(struct lp_kafka_at *at, struct lp_message *message);

/* It is a client's, as far as is known, and of those in that table of rules. */
bool lp_judge_is_among(const struct lp_kafka_at *at,
    const struct lp_message *message, const uint32_t versions[LP_RULES_APIS]);

/* Its head is complete, and it will be walked. */
static inline void
lp_judge_begin(const struct lp_kafka_at *at, struct lp_message *message)
{
	if (lp_judge_rules(at) != NULL)
		lp_judge_open(message);
}

/*
 * One of its facts; only if it is_judged.  Or one of the answer to at->asked,
 * as if that had said it: it tells of topics, and each that is denied has its
 * marks.
 */
void lp_judge_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact);

/*
 * Bytes of a client have come that are no Kafka, or whose frames cannot be told
 * apart.
 */
void lp_judge_unread(struct lp_kafka_at *at);

/* All of the answer to at->asked has been told. */
void lp_judge_answered(struct lp_kafka_at *at, struct lp_message *message);

/* It is complete.  NULL: it was not walked, and is judged by its head. */
static inline void
lp_judge_end(struct lp_kafka_at *at, struct lp_message *message)
{
	if (lp_judge_rules(at) != NULL &&
	    (message == NULL || message->is_judged))
		lp_judge_close(at, message);
}

#endif
