/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics that are refused by their names, or their ids, where a request has
 * nothing else of them.
 *
 * A name is known when its last byte is there, and by then that may be all of
 * it that was not passed on.  So it is the last byte that becomes one that no
 * name has: of each letter and digit another one, so that names which differ
 * stay different, and that each tells what it was.  All other ends of names
 * (`.`, `_`, `-`) share the byte that is left: which of them it was is kept
 * with the request in flight, and a request that has several is reset.
 *
 * An id is a UUID of version 4 (RFC 9562, 5.4): bits that are 0 in all of them
 * are set, in the seventh byte or, where that has been passed on, in the ninth.
 * If both have, the request is reset.
 *
 * Where the error code stands in front of the name, it alone has to say what it
 * is of: brokers say INVALID_TOPIC_EXCEPTION of such names and no others, and,
 * where a Metadata asks by ids, UNKNOWN_TOPIC_ID also of one that is not there
 * any more: beside a denied one that is refused, too.
 *
 * In the answer to such a request each name that ends in such a byte, and each
 * id with such a bit, is one of ours, in whatever order they come; ids are
 * cleared before it is known whether they are, for what is 0 stays it.  A
 * client may have named what is no name itself, and would be told another one:
 * who does so beside what is denied is reset, too.
 *
 * A name of no bytes, of too many, or with such a byte is left to the broker,
 * which refuses it.
 */
#include "dataplane/kafka/deny.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/inflight.h"

enum {
	TOPIC_AUTHORIZATION_FAILED = 29,
	RESOURCE_TOPIC = 2,
	NAME_MAX_LEN = 249, /* of a topic */
	ASCII_LAST = 0x7f,
	/* In lp_refused.tail: a name or id was no such thing before. */
	ODD = 0x80,
	/* Of an id: where what is 0 in all of them is. */
	VERSION_BYTE = 6,
	VERSION_BIT = 0x80,
	VARIANT_BYTE = 8,
	VARIANT_BIT = 0x40,
};

/* The n-th of them, from 0x7f on down, is for the n-th of these. */
static const char ends[] = "abcdefghijklmnopqrstuvwxyz"
			   "0123456789"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
enum { TAIL = sizeof(ends) - 1 }; /* and for the others */

static bool may_be_id(const struct lp_message *);
static bool refuse_name(
    struct lp_kafka_at *, struct lp_message *, const struct lp_fact *);
static bool refuse_id(
    struct lp_kafka_at *, const struct lp_message *, const struct lp_fact *);
static bool mark_id(
    struct lp_kafka_at *, const struct lp_message *, uint32_t, uint8_t);
static bool is_odd(const struct lp_fact *);
static bool has_bits(const uint8_t[16]);
static bool is_legal(uint8_t);
static uint8_t fake_of(uint8_t);
static uint8_t end_of(uint8_t, uint8_t);
static void put_name(
    struct lp_kafka_at *, struct lp_message *, struct lp_fact *);
static void clear_id(struct lp_kafka_at *, const struct lp_message *, uint32_t);
static void put_id(struct lp_message *, struct lp_fact *);

bool
lp_deny_name(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact, bool denied)
{
	struct lp_refused *refused = &message->judged.refused;

	if (at->splice == NULL || fact->null || fact->full_len == 0 ||
	    fact->full_len > NAME_MAX_LEN)
		return true;
	if (is_odd(fact)) {
		refused->tail |= ODD;
	} else if (denied && at->was_held) {
		return false;
	} else if (denied) {
		bool done = fact->kind == LP_FACT_TOPIC_ID
		    ? refuse_id(at, message, fact)
		    : refuse_name(at, message, fact);

		if (!done)
			return false;
		refused->code = TOPIC_AUTHORIZATION_FAILED;
		lp_telemetry_count(&at->kafka->telemetry, names_denied, 1);
	}
	return refused->code == 0 || !(refused->tail & ODD);
}

/* In a Metadata the name comes behind it, if it is none. */
bool
lp_deny_name_is_by_id(const struct lp_message *message)
{
	static const uint8_t none[LP_TOPIC_ID_SIZE];

	return may_be_id(message) &&
	    memcmp(message->topic_id, none, sizeof(none)) != 0;
}

bool
lp_deny_name_is_of(const struct lp_kafka_at *at)
{
	return lp_inflight_oldest(at)->refused.code ==
	    TOPIC_AUTHORIZATION_FAILED;
}

void
lp_deny_name_answer(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact)
{
	switch (fact->kind) {
	case LP_FACT_TOPIC_NAME:
		if (!fact->null)
			put_name(at, message, fact);
		else if (may_be_id(message))
			clear_id(at, message, fact->at);
		break;
	case LP_FACT_TOPIC_ID:
		if (may_be_id(message))
			put_id(message, fact);
		break;
	case LP_FACT_RESOURCE_TYPE:
		message->resource_type = (uint8_t)fact->value;
		break;
	case LP_FACT_RESOURCE_NAME:
		if (message->resource_type == RESOURCE_TOPIC)
			put_name(at, message, fact);
		break;
	default:
		break;
	}
}

/* What it is of may have been named by an id. */
static bool
may_be_id(const struct lp_message *message)
{
	return message->key == LP_KEY_DELETE_TOPICS ||
	    message->key == LP_KEY_METADATA;
}

static bool
refuse_name(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	struct lp_refused *refused = &message->judged.refused;
	uint8_t last = fact->bytes[fact->len - 1];
	const struct lp_overlay over = {.at = fact->at + fact->len - 1u,
	    .len = 1,
	    .over_len = 1,
	    .over = {fake_of(last)}};

	if (memchr(ends, last, TAIL) == NULL) {
		uint8_t tail = refused->tail & ASCII_LAST;

		if (tail != 0 && tail != last)
			return false;
		refused->tail |= last;
	}
	lp_edit_overlay(at, LP_TO_BROKER, message->seq, &over);
	at->splice->flags |= LP_SPLICE_MARKED;
	return true;
}

static bool
refuse_id(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact)
{
	return fact->bytes[VERSION_BYTE] >> 4 == 4 &&
	    fact->bytes[VARIANT_BYTE] >> 6 == 2 &&
	    (mark_id(at, message, fact->at + VERSION_BYTE, VERSION_BIT) ||
		mark_id(at, message, fact->at + VARIANT_BYTE, VARIANT_BIT));
}

/* False: that byte has been passed on. */
static bool
mark_id(struct lp_kafka_at *at, const struct lp_message *message,
    uint32_t where, uint8_t bit)
{
	const struct lp_edit_bits mark = {.at = where, .set = bit};

	if ((int32_t)(message->seq + where - at->chunk_seq) < 0)
		return false;
	lp_edit_mark(at, LP_TO_BROKER, message, &mark);
	return true;
}

/* It would be taken for one of ours in the answer. */
static bool
is_odd(const struct lp_fact *fact)
{
	if (fact->kind == LP_FACT_TOPIC_ID)
		return has_bits(fact->bytes);
	for (unsigned i = 0; i < fact->len; i++)
		if (!is_legal(fact->bytes[i]))
			return true;
	return false;
}

static bool
has_bits(const uint8_t id[16])
{
	return (id[VERSION_BYTE] & VERSION_BIT) != 0 ||
	    id[VARIANT_BYTE] >> 6 == 3;
}

/* In a name: org.apache.kafka.common.internals.Topic. */
static bool
is_legal(uint8_t byte)
{
	return byte == '.' || byte == '_' || byte == '-' ||
	    memchr(ends, byte, TAIL) != NULL;
}

static uint8_t
fake_of(uint8_t last)
{
	const char *end = memchr(ends, last, TAIL);
	unsigned nth = end != NULL ? (unsigned)(end - ends) : TAIL;
	uint8_t fake = ASCII_LAST;

	for (;; fake--) {
		if (is_legal(fake))
			continue;
		if (nth-- == 0)
			return fake;
	}
}

/* What a name ended in; 0: it is none of ours. */
static uint8_t
end_of(uint8_t fake, uint8_t tail)
{
	unsigned nth = 0;

	if (fake > ASCII_LAST || is_legal(fake))
		return 0;
	for (uint8_t byte = ASCII_LAST; byte > fake; byte--)
		nth += !is_legal(byte);
	return nth == TAIL ? tail & ASCII_LAST : (uint8_t)ends[nth];
}

/* What comes behind it in the answer is of one of ours, if it is. */
static void
put_name(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact)
{
	uint8_t *name = message->judged.texts[0]; /* while the fact is told */
	struct lp_overlay over = {.len = 1, .over_len = 1};

	if (fact->len == 0 || fact->full_len > NAME_MAX_LEN)
		return;
	over.at = fact->at + fact->len - 1u;
	over.over[0] = end_of(
	    fact->bytes[fact->len - 1], lp_inflight_oldest(at)->refused.tail);
	if (over.over[0] == 0)
		return;
	lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &over);
	memcpy(name, fact->bytes, fact->len);
	name[fact->len - 1] = over.over[0];
	fact->bytes = name;
	message->marked = LP_DENY_REFUSED;
}

/* It follows a name that is null. */
static void
clear_id(
    struct lp_kafka_at *at, const struct lp_message *message, uint32_t where)
{
	const struct lp_edit_bits version = {
	    .at = where + VERSION_BYTE, .clear = VERSION_BIT};
	const struct lp_edit_bits variant = {
	    .at = where + VARIANT_BYTE, .clear = VARIANT_BIT};

	lp_edit_mark(at, LP_TO_CLIENT, message, &version);
	lp_edit_mark(at, LP_TO_CLIENT, message, &variant);
}

static void
put_id(struct lp_message *message, struct lp_fact *fact)
{
	uint8_t *id = message->judged.texts[0]; /* while the fact is told */

	if (!has_bits(fact->bytes))
		return;
	memcpy(id, fact->bytes, fact->len);
	id[VERSION_BYTE] &= (uint8_t)~VERSION_BIT;
	id[VARIANT_BYTE] &= (uint8_t)~VARIANT_BIT;
	fact->bytes = id;
	message->marked = LP_DENY_REFUSED;
}
