/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/deny.h"

#include <string.h>

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/edit.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/judge.h"
#include "dataplane/pipeline/snapshot.h"

enum {
	BITS = LP_DENY_REFUSED | LP_DENY_UNKNOWN | LP_DENY_GROUP |
	    LP_DENY_TRANSACTION,
	/* An index that is negative is none of ours. */
	SIGN = 0x80,
	FIRST_BYTE = 24, /* of four: where it lies */
	INVALID_TOPIC = 17,
	TOPIC_AUTHORIZATION_FAILED = 29,
	GROUP_AUTHORIZATION_FAILED = 30,
	TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53,
	UNKNOWN_TOPIC_ID = 100,
	/* Of an epoch, which then is not 0, a new session. */
	EPOCH_BIT = 0x80,
	EPOCH_BITS = 0xc0,
};

static const char text_of_refusal[] = "Authorization failed.";

static uint32_t stamp_of(const struct lp_kafka_at *);
static bool has_session(int16_t);
static bool is_known(
    const struct lp_kafka_at *, const struct lp_message *, uint32_t);
static void overlay_byte(struct lp_kafka_at *, enum lp_direction,
    const struct lp_message *, uint32_t, uint8_t);
static void put_code(
    struct lp_kafka_at *, struct lp_message *, struct lp_fact *);
static void mark_code(struct lp_message *, const struct lp_fact *);
static void put_text(
    struct lp_kafka_at *, const struct lp_message *, const struct lp_fact *);
static void begin_partition(
    struct lp_kafka_at *, struct lp_message *, uint32_t, uint8_t);
static void end_code(
    struct lp_kafka_at *, const struct lp_message *, struct lp_fact *);
static uint16_t code_of(uint8_t);

void
lp_deny_partition(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact, uint8_t bits)
{
	const struct lp_edit_bits mark = {.at = fact->at, .set = bits};
	struct lp_telemetry *telemetry = &at->kafka->telemetry;

	/* What was cut has been told, and marked, by its first byte. */
	if (at->splice == NULL || !lp_deny_is_new(at, message, fact))
		return;
	if (at->was_held) {
		lp_judge_unread(at);
		return;
	}
	lp_edit_mark(at, LP_TO_BROKER, message, &mark);
	if (!(bits & LP_DENY_UNKNOWN)) {
		lp_telemetry_count(telemetry, partitions_denied, 1);
		return;
	}
	lp_telemetry_count(telemetry, partitions_unknown, 1);
	/* Its session is to be made anew: by then the name may be known. */
	if (has_session(message->key))
		at->conn->session_stamp = ~stamp_of(at);
}

void
lp_deny_session(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact)
{
	uint32_t stamp = stamp_of(at);
	uint8_t last = (uint8_t)fact->value;

	if (at->splice == NULL || at->snapshot == NULL ||
	    !has_session(message->key))
		return;
	if (fact->value == 0) {
		at->conn->session_id = 0;
		at->conn->session_stamp = stamp;
		return;
	}
	if (fact->value < 0 || at->was_held || is_known(at, message, stamp))
		return;
	last ^= fact->value == EPOCH_BIT ? EPOCH_BITS : EPOCH_BIT;
	overlay_byte(at, LP_TO_BROKER, message,
	    fact->at + (uint32_t)sizeof(int32_t) - 1, last);
	lp_telemetry_count(&at->kafka->telemetry, sessions_renewed, 1);
}

void
lp_deny_creation(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact)
{
	if (at->splice == NULL || at->was_held || fact->value == 0)
		return;
	overlay_byte(at, LP_TO_BROKER, message, fact->at, 0);
	lp_telemetry_count(&at->kafka->telemetry, creations_denied, 1);
}

void
lp_deny_answer(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact)
{
	/* No list of brokers has partitions that were refused. */
	if (at->splice == NULL || at->was_held || lp_edit_open(at) != NULL)
		return;
	switch (fact->kind) {
	case LP_FACT_TOPIC_BEGIN:
	case LP_FACT_TOPIC_END:
		message->marked = 0;
		break;
	case LP_FACT_PARTITION_CUT:
		begin_partition(at, message, fact->at, (uint8_t)fact->value);
		break;
	case LP_FACT_PARTITION:
		if (lp_deny_is_new(at, message, fact))
			begin_partition(at, message, fact->at,
			    (uint8_t)(fact->value >> FIRST_BYTE));
		if (message->marked != 0)
			fact->value &= ~((int64_t)BITS << FIRST_BYTE);
		break;
	case LP_FACT_ERROR_CUT:
	case LP_FACT_ERROR_CODE:
		put_code(at, message, fact);
		break;
	case LP_FACT_ERROR_MESSAGE:
		put_text(at, message, fact);
		break;
	case LP_FACT_TOPIC_NAME:
	case LP_FACT_TOPIC_ID:
	case LP_FACT_RESOURCE_TYPE:
	case LP_FACT_RESOURCE_NAME:
		if (lp_deny_name_is_of(at))
			lp_deny_name_answer(at, message, fact);
		break;
	case LP_FACT_SESSION_ID:
		if (message->key == LP_KEY_FETCH)
			at->conn->session_id = (int32_t)fact->value;
		break;
	default:
		break;
	}
}

/* What rules act on sessions there; 0: none do. */
static uint32_t
stamp_of(const struct lp_kafka_at *at)
{
	return lp_snapshot_unjudged(at->snapshot, at->tcp->listener_id) != 0
	    ? at->snapshot->sessions_stamp
	    : 0;
}

/* A ShareAcknowledge goes on: what it tells must not be lost. */
static bool
has_session(int16_t key)
{
	return key == LP_KEY_FETCH || key == LP_KEY_SHARE_FETCH;
}

/* It was made under these rules; or a broker's, which they do not concern. */
static bool
is_known(const struct lp_kafka_at *at, const struct lp_message *message,
    uint32_t stamp)
{
	const struct lp_kafka_conn *conn = at->conn;

	if (conn->session_stamp == stamp &&
	    (stamp == 0 || message->key != LP_KEY_FETCH ||
		conn->session_id == message->session_id))
		return true;
	/* From version 15 on a Fetch says who asks at its end. */
	return lp_snapshot_is_broker(
	    at->snapshot, at->tcp->cluster_id, &at->tcp->client_ip);
}

static void
overlay_byte(struct lp_kafka_at *at, enum lp_direction dir,
    const struct lp_message *message, uint32_t where, uint8_t byte)
{
	const struct lp_overlay over = {
	    .at = where, .len = 1, .over_len = 1, .over = {byte}};

	lp_edit_overlay(at, dir, message->seq, &over);
}

/* That of a partition, if it is one of ours; or of the whole answer. */
static void
put_code(
    struct lp_kafka_at *at, struct lp_message *message, struct lp_fact *fact)
{
	const struct lp_inflight *asked = lp_inflight_oldest(at);

	if (lp_deny_name_is_of(at))
		mark_code(message, fact);
	else if (asked->refused.code != 0)
		lp_deny_whole_answer(at, message, fact, asked->refused.code);
	if (message->marked == 0 || fact->value == 0)
		return;
	else if (fact->kind == LP_FACT_ERROR_CODE)
		end_code(at, message, fact);
	else
		overlay_byte(at, LP_TO_CLIENT, message, fact->at, 0);
}

/* Where it comes before the name: what brokers say of such names alone. */
static void
mark_code(struct lp_message *message, const struct lp_fact *fact)
{
	switch (message->key) {
	case LP_KEY_METADATA:
	case LP_KEY_DESCRIBE_CONFIGS:
	case LP_KEY_ALTER_CONFIGS:
	case LP_KEY_INCREMENTAL_ALTER_CONFIGS:
	case LP_KEY_DESCRIBE_TOPIC_PARTITIONS:
		break;
	default:
		return;
	}
	message->marked = 0;
	/* Of an id: they name either those, or names. */
	if (fact->kind == LP_FACT_ERROR_CODE &&
	    (fact->value == INVALID_TOPIC ||
		(message->key == LP_KEY_METADATA &&
		    fact->value == UNKNOWN_TOPIC_ID)))
		message->marked = LP_DENY_REFUSED;
}

/* What brokers say of who may not, and blanks: it told of our edit. */
static void
put_text(struct lp_kafka_at *at, const struct lp_message *message,
    const struct lp_fact *fact)
{
	struct lp_overlay over = {.at = fact->at,
	    .over_len = sizeof(text_of_refusal) - 1,
	    .fill = ' '};

	static_assert(sizeof(text_of_refusal) <= sizeof(over.over), "room");
	if (fact->value <= 0 ||
	    (lp_deny_name_is_of(at)
		    ? message->marked == 0
		    : lp_inflight_oldest(at)->refused.code == 0))
		return;
	over.len = (uint32_t)fact->value;
	if (over.over_len > over.len)
		over.over_len = (uint8_t)over.len;
	memcpy(over.over, text_of_refusal, over.over_len);
	lp_edit_overlay(at, LP_TO_CLIENT, message->seq, &over);
}

static void
begin_partition(struct lp_kafka_at *at, struct lp_message *message,
    uint32_t where, uint8_t first)
{
	const struct lp_edit_bits bits = {
	    .at = where, .clear = BITS, .code = code_of(first)};

	message->marked = first & SIGN ? 0 : first & BITS;
	if (message->marked != 0)
		lp_edit_mark(at, LP_TO_CLIENT, message, &bits);
}

/* A code that is cut has lost its first byte to the segment before. */
static void
end_code(struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_fact *fact)
{
	uint16_t code = code_of(message->marked);

	if (lp_deny_is_new(at, message, fact))
		lp_edit_mark_code(at, message, fact->at, code);
	else
		overlay_byte(
		    at, LP_TO_CLIENT, message, fact->at + 1, (uint8_t)code);
	fact->value = code;
}

static uint16_t
code_of(uint8_t bits)
{
	if (bits & LP_DENY_REFUSED)
		return TOPIC_AUTHORIZATION_FAILED;
	if (bits & LP_DENY_GROUP)
		return GROUP_AUTHORIZATION_FAILED;
	if (bits & LP_DENY_TRANSACTION)
		return TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
	return UNKNOWN_TOPIC_ID;
}
