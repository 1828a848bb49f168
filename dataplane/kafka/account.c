/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/account.h"

#include <string.h>

#include "dataplane/kafka/names.h"

enum {
	/* A broker counts in milliseconds: a wait may end so much early. */
	EARLY_NS = 2000000,
	/* Error codes of a Fetch that speak of its session. */
	FETCH_SESSION_ID_NOT_FOUND = 70,
	INVALID_FETCH_SESSION_EPOCH = 71,
	FETCH_SESSION_TOPIC_ID_ERROR = 106,
};

static void topic_begin(struct lp_message *);
static void topic_end(const struct lp_kafka_at *, struct lp_message *);
static void topic_produced(
    const struct lp_kafka_at *, uint32_t, const struct lp_message *);
static void topic_answered(
    const struct lp_kafka_at *, uint32_t, const struct lp_message *);
static void fetch_asked(const struct lp_kafka_at *, const struct lp_message *,
    struct lp_inflight *);
static bool is_of_session(int64_t);
static enum lp_kafka_kind kind_of(const struct lp_message *);
static enum lp_kafka_kind kind_of_fetch(
    const struct lp_message *, const struct lp_inflight *, uint64_t);
static uint32_t answered_row(
    const struct lp_kafka_at *, const struct lp_inflight *, enum lp_kafka_kind);
static uint64_t waited(const struct lp_inflight *);

void
lp_account_client(const struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	message->client = lp_telemetry_client(&at->kafka->telemetry,
	    fact->bytes, fact->len, fact->null, at->kafka->now_ns / 1000000u);
	at->conn->client = message->client;
}

void
lp_account_topic(const struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	switch (fact->kind) {
	case LP_FACT_TOPIC_BEGIN:
		topic_begin(message);
		break;
	case LP_FACT_TOPIC_END:
		topic_end(at, message);
		break;
	case LP_FACT_TOPIC_NAME:
		/* Longer than a topic's may be: no topic has it. */
		if (fact->null || fact->full_len > LP_TOPIC_NAME_MAX)
			break;
		memcpy(message->topic_name, fact->bytes, fact->len);
		message->topic_name_len = (uint8_t)fact->len;
		break;
	case LP_FACT_TOPIC_ID:
		memcpy(message->topic_id, fact->bytes, LP_TOPIC_ID_SIZE);
		message->topic_has_id = true;
		break;
	case LP_FACT_RECORDS:
		if (fact->value <= 0)
			break;
		message->record_bytes += (uint64_t)fact->value;
		message->topic_bytes += (uint64_t)fact->value;
		lp_telemetry_count(&at->kafka->telemetry, skipped_bytes,
		    (uint64_t)fact->value);
		break;
	default:
		break;
	}
}

void
lp_account_request(const struct lp_kafka_at *at,
    const struct lp_message *message, struct lp_inflight *entry, bool waits)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;

	entry->client = LP_TALKER_OTHER;
	if (message != NULL) {
		entry->client = message->client;
		entry->origin = message->origin;
		entry->kind = (uint8_t)kind_of(message);
		if (message->max_wait_ms > 0)
			entry->max_wait_ms = (uint32_t)message->max_wait_ms;
		if (entry->key == LP_KEY_FETCH && !message->bad)
			fetch_asked(at, message, entry);
	}
	if (lp_account_is_between(entry->key, entry->version))
		entry->origin = LP_KAFKA_FROM_BROKER;
	entry->row = lp_telemetry_row(telemetry, at->tcp->counters,
	    lp_kafka_api_name(entry->key) != NULL ? entry->key
						  : LP_KAFKA_API_UNKNOWN,
	    entry->origin, entry->kind);
	lp_telemetry_request(telemetry, entry->row, entry->request_bytes);
	lp_telemetry_client_request(
	    telemetry, entry->client, entry->request_bytes);
	if (!waits)
		lp_account_unanswered(at, entry);
}

void
lp_account_response(const struct lp_kafka_at *at,
    const struct lp_message *message, const struct lp_inflight *entry,
    uint32_t bytes)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;
	uint64_t latency_ns = waited(entry);
	uint64_t rest_ns = at->kafka->now_ns - entry->answered_ns;
	uint32_t throttle_ms = 0;
	enum lp_kafka_kind kind = entry->kind;
	enum lp_kafka_client_histogram histogram = LP_KAFKA_CLIENT_REST;
	uint32_t row;

	if (message != NULL && message->throttle_ms > 0)
		throttle_ms = (uint32_t)message->throttle_ms;
	if (lp_account_fetches(entry->key))
		kind = kind_of_fetch(message, entry, latency_ns);
	row = answered_row(at, entry, kind);
	lp_telemetry_response(
	    telemetry, entry->row, row, bytes, latency_ns, throttle_ms);
	lp_telemetry_transfer(telemetry, row, rest_ns);
	if (entry->session == LP_FETCH_FIRST && message != NULL &&
	    message->has_session)
		lp_telemetry_count(telemetry, fetch_sessions, 1);
	if (entry->key == LP_KEY_PRODUCE)
		histogram = LP_KAFKA_CLIENT_PRODUCE;
	else if (lp_account_fetches(entry->key))
		histogram = LP_KAFKA_CLIENT_FETCH;
	/* What waited for data, for others, or was made to wait, says nothing
	 * of it. */
	if (kind == LP_KAFKA_FETCH_MAX_WAIT || throttle_ms > 0 ||
	    entry->key == LP_KEY_JOIN_GROUP || entry->key == LP_KEY_SYNC_GROUP)
		latency_ns = LP_TELEMETRY_NO_LATENCY;
	lp_telemetry_client_response(telemetry, entry->client, histogram, bytes,
	    latency_ns, throttle_ms);
	if (message != NULL && message->errors > 0)
		lp_telemetry_client_add(telemetry, entry->client,
		    LP_KAFKA_CLIENT_errors, message->errors);
}

void
lp_account_error(
    const struct lp_kafka_at *at, const struct lp_inflight *entry, int64_t code)
{
	enum lp_kafka_kind kind =
	    lp_account_fetches(entry->key) ? LP_KAFKA_FETCH_DATA : entry->kind;

	lp_telemetry_error(&at->kafka->telemetry, answered_row(at, entry, kind),
	    (int16_t)code);
	if (entry->key == LP_KEY_FETCH && is_of_session(code))
		lp_telemetry_count(
		    &at->kafka->telemetry, fetch_session_errors, 1);
}

void
lp_account_unanswered(
    const struct lp_kafka_at *at, const struct lp_inflight *entry)
{
	lp_telemetry_abandon(&at->kafka->telemetry, entry->row);
	lp_telemetry_client_abandon(&at->kafka->telemetry, entry->client);
}

bool
lp_account_is_between(int16_t key, int16_t version)
{
	struct lp_kafka_api api;

	/* KIP-890: those of the transaction coordinator. */
	if (key == LP_KEY_ADD_PARTITIONS_TO_TXN)
		return version >= 4;
	return lp_kafka_api(key, &api) && !api.client;
}

static void
topic_begin(struct lp_message *message)
{
	message->in_topic = true;
	message->topic_bytes = 0;
	message->topic_errors = 0;
	message->topic_name_len = 0;
	message->topic_has_id = false;
}

/* Its name may have come before or behind all else. */
static void
topic_end(const struct lp_kafka_at *at, struct lp_message *message)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;
	const uint8_t *name = (const uint8_t *)message->topic_name;
	uint32_t cluster_id = at->tcp->cluster_id;
	uint16_t len = message->topic_name_len;
	uint32_t topic;

	message->in_topic = false;
	if (message->response && message->topic_has_id && len > 0)
		lp_topic_ids_learn(&telemetry->topic_ids, cluster_id,
		    message->topic_id, name, len);
	/* A list of all topics is no talk of any. */
	if (message->topic_bytes == 0 && message->topic_errors == 0 &&
	    message->key != LP_KEY_PRODUCE)
		return;
	if (len == 0 &&
	    (!message->topic_has_id ||
		!lp_topic_ids_find(&telemetry->topic_ids, cluster_id,
		    message->topic_id, &name, &len)))
		topic = LP_TALKER_OTHER;
	else
		topic = lp_telemetry_topic(telemetry, cluster_id, name, len,
		    at->kafka->now_ns / 1000000u);
	if (message->response)
		topic_answered(at, topic, message);
	else
		topic_produced(at, topic, message);
}

static void
topic_produced(const struct lp_kafka_at *at, uint32_t topic,
    const struct lp_message *message)
{
	if (message->key == LP_KEY_PRODUCE)
		lp_telemetry_topic_produce(
		    &at->kafka->telemetry, topic, message->topic_bytes);
}

static void
topic_answered(const struct lp_kafka_at *at, uint32_t topic,
    const struct lp_message *message)
{
	struct lp_telemetry *telemetry = &at->kafka->telemetry;
	const struct lp_inflight *asked =
	    &at->kafka->state->inflight[at->conn->oldest - 1];

	if (message->topic_errors > 0)
		lp_telemetry_topic_error(
		    telemetry, topic, message->topic_errors);
	if (lp_account_fetches(message->key) && message->topic_bytes > 0)
		lp_telemetry_topic_fetch(
		    telemetry, topic, message->topic_bytes);
	/* Of a Produce the throttle time comes last: it is not known here. */
	if (message->throttle_ms > 0)
		return;
	if (message->key == LP_KEY_PRODUCE)
		lp_telemetry_topic_latency(
		    telemetry, topic, LP_KAFKA_TOPIC_PRODUCE, waited(asked));
	else if (lp_account_fetches(message->key) && message->topic_bytes > 0)
		lp_telemetry_topic_latency(
		    telemetry, topic, LP_KAFKA_TOPIC_FETCH, waited(asked));
}

/* Which says of an incremental one that it need not name a topic. */
static void
fetch_asked(const struct lp_kafka_at *at, const struct lp_message *message,
    struct lp_inflight *entry)
{
	entry->session = message->session;
	if (message->session == LP_FETCH_INCREMENTAL)
		lp_telemetry_count(
		    &at->kafka->telemetry, fetches_incremental, 1);
	else
		lp_telemetry_count(&at->kafka->telemetry, fetches_full, 1);
}

static bool
is_of_session(int64_t code)
{
	return code == FETCH_SESSION_ID_NOT_FOUND ||
	    code == INVALID_FETCH_SESSION_EPOCH ||
	    code == FETCH_SESSION_TOPIC_ID_ERROR;
}

static enum lp_kafka_kind
kind_of(const struct lp_message *message)
{
	if (message->key != LP_KEY_PRODUCE || message->bad)
		return LP_KAFKA_KIND_NONE;
	if (message->acks == 0)
		return LP_KAFKA_ACKS_0;
	return message->acks == 1 ? LP_KAFKA_ACKS_1 : LP_KAFKA_ACKS_ALL;
}

/* Empty, without an error, and late: nothing came while it waited. */
static enum lp_kafka_kind
kind_of_fetch(const struct lp_message *message, const struct lp_inflight *entry,
    uint64_t latency_ns)
{
	if (message == NULL || message->record_bytes > 0 ||
	    message->errors > 0 || entry->max_wait_ms == 0 ||
	    latency_ns + EARLY_NS < (uint64_t)entry->max_wait_ms * 1000000u)
		return LP_KAFKA_FETCH_DATA;
	return LP_KAFKA_FETCH_MAX_WAIT;
}

static uint32_t
answered_row(const struct lp_kafka_at *at, const struct lp_inflight *entry,
    enum lp_kafka_kind kind)
{
	if (kind == entry->kind)
		return entry->row;
	return lp_telemetry_row(&at->kafka->telemetry, at->tcp->counters,
	    entry->key, entry->origin, kind);
}

/* From the last byte of the request to the first of the response. */
static uint64_t
waited(const struct lp_inflight *entry)
{
	return entry->answered_ns > entry->sent_ns
	    ? entry->answered_ns - entry->sent_ns
	    : 0;
}
