/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	first bytes are TLS ▸ its server name, then opaque
 *	first bytes are no request ▸ opaque
 *	no size that a frame can have ▸ lost
 *	key or version unknown ▸ who asks is read, the rest passed over
 *	else walked
 *
 * A request is in flight when its last byte has passed: no broker answers
 * before.  A Produce with acks=0 has no response.
 */
#include "dataplane/kafka/request.h"

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/deny.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/judge.h"
#include "dataplane/kafka/limit.h"
#include "dataplane/kafka/names.h"
#include "dataplane/kafka/recall.h"
#include "dataplane/kafka/sasl.h"
#include "dataplane/kafka/tls.h"
#include "dataplane/pipeline/wire.h"

enum {
	/* Key, version, correlation id: no request is shorter. */
	SIZE_MIN = 8,
	/* Keys that a later release may have. */
	KEY_LIMIT = 1024,
	/* Of versions likewise: what is beyond is no request. */
	VERSION_LIMIT = 256,
	/* Of a token there is text, in front of which is no more than a NUL:
	 * where a version would be it has this, or more. */
	VERSION_OF_TOKEN = 32,
};

static bool asks_for_addresses(const uint8_t *);
static bool is_request(const uint8_t *, int64_t);
static void authenticates(struct lp_kafka_conn *, int16_t);
static void tls_on_rewriting(const struct lp_kafka_at *);

uint8_t
lp_request_head_size(int64_t size)
{
	/* A raw token may be shorter; so is what is no request at all. */
	return size < SIZE_MIN ? LP_FRAME_SIZE_FIELD : LP_REQUEST_HEAD;
}

struct lp_head
lp_request_begin(struct lp_kafka_at *at, const struct lp_cursor *in)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;
	struct lp_kafka_conn *conn = at->conn;
	const struct lp_kafka_side *side = &conn->sides[LP_TO_BROKER];
	const uint8_t *head = side->head;
	int64_t size = (int32_t)lp_get32(head);
	struct lp_head what = {.walk = false};

	if (!(conn->flags & LP_KAFKA_SPOKE) && lp_tls_is_hello(head)) {
		lp_telemetry_count(telemetry, connections_tls, 1);
		if (at->splice != NULL)
			tls_on_rewriting(at);
		lp_tls_begin(at, in);
		return what;
	}
	lp_telemetry_count(telemetry, request_frames, 1);
	if (lp_request_is_raw_token(at)) {
		lp_telemetry_count(telemetry, sasl_raw_tokens, 1);
		what.key = LP_INFLIGHT_RAW;
		return what;
	}
	if (!is_request(head, size)) {
		if (conn->flags & LP_KAFKA_SPOKE)
			lp_kafka_lose(
			    at, &telemetry->stats->counters.frames_impossible);
		else
			lp_kafka_give_up(
			    at, &telemetry->stats->counters.connections_other);
		return what;
	}
	if (!(conn->flags & LP_KAFKA_SPOKE))
		lp_telemetry_count(telemetry, connections_kafka, 1);
	if (conn->flags & LP_KAFKA_RAW_SASL)
		lp_inflight_drop_raw(at);
	conn->flags &= (uint8_t)~LP_KAFKA_RAW_SASL;
	conn->flags |= LP_KAFKA_SPOKE;
	what.key = (int16_t)lp_get16(head + LP_REQUEST_KEY);
	what.version = (int16_t)lp_get16(head + LP_REQUEST_VERSION);
	what.walk = true;
	authenticates(conn, what.key);
	what.foreign = !lp_walk_knows(what.key, what.version);
	if (what.foreign) {
		/* Who asks stands where it always does: the shortest request
		 * has nothing else. */
		lp_telemetry_count(telemetry, frames_unparsed, 1);
		what.key = LP_KEY_API_VERSIONS;
		what.version = 0;
	}
	return what;
}

void
lp_request_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	switch (fact->kind) {
	case LP_FACT_CLIENT_ID:
		lp_account_client(at, message, fact);
		break;
	case LP_FACT_ACKS:
		message->acks = fact->value;
		break;
	case LP_FACT_REPLICA_ID:
		if (fact->value >= 0)
			message->origin = LP_KAFKA_FROM_BROKER;
		break;
	case LP_FACT_MAX_WAIT:
		message->max_wait_ms = fact->value;
		break;
	case LP_FACT_SESSION_ID:
		message->session_id = (int32_t)fact->value;
		break;
	case LP_FACT_SESSION_EPOCH:
		lp_deny_session(at, message, fact);
		message->session = LP_FETCH_ALONE;
		if (fact->value == 0)
			message->session = LP_FETCH_FIRST;
		else if (fact->value > 0)
			message->session = LP_FETCH_INCREMENTAL;
		break;
	case LP_FACT_SASL_MECHANISM:
		lp_sasl_mechanism(at, fact);
		break;
	case LP_FACT_SASL_TOKEN:
		lp_sasl_token(at, message, fact);
		break;
	default:
		lp_account_topic(at, message, fact);
		break;
	}
	if (message->is_judged)
		lp_judge_fact(at, message, fact);
}

void
lp_request_end(struct lp_kafka_at *at, struct lp_message *message)
{
	const uint8_t *head = at->conn->sides[LP_TO_BROKER].head;
	struct lp_inflight unanswered = {0};
	struct lp_inflight *entry = &unanswered;
	bool raw = lp_request_is_raw_token(at);
	bool produce = lp_get16(head + LP_REQUEST_KEY) == LP_KEY_PRODUCE;
	bool read = message != NULL && !message->bad && !message->foreign;
	bool waits = raw || !produce || !read || message->acks != 0;

	if (!raw)
		lp_judge_end(at, message);
	if (waits)
		entry = lp_inflight_push(at);
	if (entry == NULL) {
		lp_kafka_lose(
		    at, &at->kafka->telemetry.stats->counters.inflight_full);
		return;
	}
	entry->request_bytes = lp_get32(head) + LP_FRAME_SIZE_FIELD;
	entry->sent_ns = at->kafka->now_ns;
	entry->key = LP_INFLIGHT_RAW;
	if (raw)
		return;
	entry->key = (int16_t)lp_get16(head + LP_REQUEST_KEY);
	entry->version = (int16_t)lp_get16(head + LP_REQUEST_VERSION);
	entry->correlation_id =
	    (int32_t)lp_get32(head + LP_REQUEST_CORRELATION);
	entry->doubtful = produce && !read;
	entry->proves = message != NULL && message->proves;
	if (message != NULL && message->is_judged)
		entry->refused = message->judged.refused;
	lp_account_request(at, message, entry, waits);
	if (waits)
		lp_recall_keep(at, message, entry);
	lp_limit_request_end(at, entry);
	/* The tokens of a handshake of version 0 have no header. */
	if (entry->key == LP_KEY_SASL_HANDSHAKE && entry->version == 0)
		at->conn->flags |= LP_KAFKA_RAW_SASL;
}

/*
 * Between a SaslHandshake v0 and the first request that follows: no token of
 * any mechanism begins like a request (RFC 4616, 5802: text; GSSAPI: 0x60), not
 * even like one that is not known.
 */
bool
lp_request_is_raw_token(const struct lp_kafka_at *at)
{
	const uint8_t *head = at->conn->sides[LP_TO_BROKER].head;
	int64_t size = (int32_t)lp_get32(head);

	if (!(at->conn->flags & LP_KAFKA_RAW_SASL) || size < 0)
		return false;
	/* Nor does one begin like a question where brokers are. */
	return size < SIZE_MIN ||
	    !(asks_for_addresses(head) ||
		(lp_get16(head + LP_REQUEST_KEY) < KEY_LIMIT &&
		    lp_get16(head + LP_REQUEST_VERSION) < VERSION_OF_TOKEN));
}

/* Even in a version that is not known. */
static bool
asks_for_addresses(const uint8_t *head)
{
	return lp_kafka_tells_addresses(
		   (int16_t)lp_get16(head + LP_REQUEST_KEY)) &&
	    lp_get16(head + LP_REQUEST_VERSION) < VERSION_LIMIT;
}

static bool
is_request(const uint8_t *head, int64_t size)
{
	return size >= SIZE_MIN &&
	    lp_get16(head + LP_REQUEST_KEY) < KEY_LIMIT &&
	    lp_get16(head + LP_REQUEST_VERSION) < VERSION_LIMIT;
}

/* See note.h. */
static void
authenticates(struct lp_kafka_conn *conn, int16_t key)
{
	if (key == LP_KEY_SASL_HANDSHAKE || key == LP_KEY_SASL_AUTHENTICATE)
		conn->auth = LP_AUTH_MAYBE;
	else if (conn->auth == LP_AUTH_FRESH && key != LP_KEY_API_VERSIONS)
		conn->auth = LP_AUTH_NONE;
}

/* Its clients would be told addresses that we cannot change. */
static void
tls_on_rewriting(const struct lp_kafka_at *at)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;
	const struct lp_sighting_key key = {.cluster_id = at->tcp->cluster_id,
	    .id = (int32_t)at->tcp->listener_id,
	    .kind = LP_SIGHTING_TLS};
	const struct lp_sighting_node none = {0};

	lp_telemetry_count(telemetry, rewrite_tls, 1);
	lp_sightings_note(
	    &telemetry->sightings, &key, &none, at->kafka->now_ns / 1000000u);
}
