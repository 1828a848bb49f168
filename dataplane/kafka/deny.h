/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How what a rule refuses is refused: by bits in requests that make the broker
 * refuse it, and nothing else, put back in its answers.
 *
 *	bit 30 of a partition's index: no broker has such a partition, so it
 *	refuses just that one, whatever the version, before anything is done.
 *	In an answer the bit is cleared, and the error code becomes
 *	TOPIC_AUTHORIZATION_FAILED (29)
 *
 *	bit 29 likewise, of a topic of which only the id is known, and rules
 *	ask for names: UNKNOWN_TOPIC_ID (100), so that the client asks for
 *	metadata, and we learn the name
 *
 *	bits 28 and 27 likewise, of what is in a group, or of a transactional
 *	id, that a rule denies whatever the topic: GROUP_AUTHORIZATION_FAILED
 *	(30) and TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53), of those APIs
 *	where brokers say so (lp_rule_deny_code())
 *
 *	the epoch of a fetch session (KIP-227) or share session (KIP-932) that
 *	was made under other rules, or not seen made, becomes a wrong one: the
 *	client begins a new one, and names all that it wants
 *
 *	the last byte of a topic's name, where it has nothing else: one that no
 *	name has; or a bit of its id, which no id has.  In an answer it is put
 *	back, and the error code becomes 29
 *
 *	a number of a request that asks for one group or transactional id: what
 *	no broker accepts, so that it refuses all of it.  In the answer the
 *	error code becomes GROUP_AUTHORIZATION_FAILED (30), or
 *	TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53), whatever it was
 *
 * Putting back bits keeps no state: it holds for the later answers of a
 * session, after a restart, and when the rule has gone.  Of requests that were
 * refused otherwise their entry among those in flight says it (state.h).
 * Nothing waits for later bytes: numbers are edited from their first byte on,
 * also where a segment ends inside of them.  What had been passed on behind a
 * gap when the rules came cannot be refused so: it is as its listener says of
 * what cannot be judged, or a reset, where a name is all that there is.
 *
 * Of which requests: lp_rule_deny_is_by_index(), lp_rule_deny_is_by_name(),
 * lp_rule_deny_is_whole().  All edits keep the length.
 */
#ifndef LP_KAFKA_DENY_H
#define LP_KAFKA_DENY_H

#include "dataplane/kafka/kafka.h"

/* In the first byte of an index; but the first one. */
enum lp_deny_bits {
	LP_DENY_NAME = 0x01, /* there is no index: of its name */
	LP_DENY_TRANSACTION = 0x08,
	LP_DENY_GROUP = 0x10,
	LP_DENY_UNKNOWN = 0x20,
	LP_DENY_REFUSED = 0x40,
};

/* A partition of a request, whole or cut, of a topic that is refused. */
void lp_deny_partition(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact, uint8_t bits);

/* The epoch of a session that a request names. */
void lp_deny_session(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact);

/* A Metadata request must not create what it names. */
void lp_deny_creation(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact);

/* Its first byte has not been passed on before. */
static inline bool
lp_deny_is_new(const struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact)
{
	return (int32_t)(message->seq + fact->at - at->chunk_seq) >= 0;
}

/* A fact of an answer, which becomes what the client is told. */
void lp_deny_answer(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact);

/* ---- deny_name.c: topics that are refused by their names ----------------- */

/*
 * A name or an id of a request, which is denied or not.  False: what is denied
 * of it cannot be refused, or not be put back.
 */
bool lp_deny_name(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact, bool denied);

/* A topic of a request, whose id has been told, is asked for by that. */
bool lp_deny_name_is_by_id(const struct lp_message *message);

/* Whether the answer at hand is to a request with such names. */
bool lp_deny_name_is_of(const struct lp_kafka_at *at);

/* A fact of such an answer. */
void lp_deny_name_answer(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact);

/* ---- deny_whole.c: requests that are refused as a whole ------------------ */

/* Whether that number, whole or cut, is one that a request is refused by. */
bool lp_deny_whole_may(const struct lp_kafka_at *at,
    const struct lp_message *message, const struct lp_fact *fact);

void lp_deny_whole(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact);

/* The error code, whole or cut, of the answer to one. */
void lp_deny_whole_answer(struct lp_kafka_at *at,
    const struct lp_message *message, struct lp_fact *fact, uint8_t code);

#endif
