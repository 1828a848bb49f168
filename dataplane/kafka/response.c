/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	nothing in flight ▸ lost; an alert of TLS ▸ opaque
 *	another correlation id than the oldest's ▸ lost
 *	its version unknown ▸ passed over
 *	else walked as that request's version says
 *
 * The entry of the request stays the oldest until the last byte of its
 * response has passed.
 */
#include "dataplane/kafka/response.h"

#include "dataplane/kafka/account.h"
#include "dataplane/kafka/inflight.h"
#include "dataplane/kafka/limit.h"
#include "dataplane/kafka/recall.h"
#include "dataplane/kafka/sasl.h"
#include "dataplane/kafka/tls.h"
#include "dataplane/pipeline/wire.h"

enum {
	CORRELATION_OFF = 4,
	SIZE_MIN = 4,
};

static bool is_tls(const struct lp_kafka_at *);
static struct lp_inflight *skip_doubtful(
    const struct lp_kafka_at *, struct lp_inflight *, int32_t);

uint8_t
lp_response_head_size(const struct lp_kafka_at *at, int64_t size)
{
	const struct lp_inflight *oldest = lp_inflight_oldest(at);

	/* An alert may be all that there is. */
	if (size < SIZE_MIN || is_tls(at) ||
	    (oldest != NULL && oldest->key == LP_INFLIGHT_RAW))
		return LP_FRAME_SIZE_FIELD;
	return LP_RESPONSE_HEAD;
}

/*
 * Of who answers in plain text once that is a size: of an answer that a client
 * can ask for, so that nothing of it would be read any more.
 */
static bool
is_tls(const struct lp_kafka_at *at)
{
	const struct lp_kafka_side *side = &at->conn->sides[LP_TO_CLIENT];

	return !side->ended && lp_tls_is_record(side->head);
}

void
lp_response_first(const struct lp_kafka_at *at)
{
	struct lp_inflight *oldest = lp_inflight_oldest(at);

	if (oldest == NULL)
		return;
	lp_kafka_save(at->kafka, oldest, sizeof(*oldest));
	oldest->answered_ns = at->kafka->now_ns;
}

struct lp_head
lp_response_begin(struct lp_kafka_at *at)
{
	struct lp_kafka_stats *stats = at->kafka->telemetry.stats;
	const struct lp_kafka_side *side = &at->conn->sides[LP_TO_CLIENT];
	struct lp_inflight *oldest = lp_inflight_oldest(at);
	int64_t size = (int32_t)lp_get32(side->head);
	struct lp_head what = {.walk = false};

	lp_telemetry_count(&at->kafka->telemetry, response_frames, 1);
	if (is_tls(at)) {
		/* A client in plain text on a port that speaks TLS. */
		lp_kafka_give_up(at, &stats->counters.tls_alerts);
		return what;
	}
	if (oldest == NULL) {
		lp_kafka_lose(at, &stats->counters.responses_unasked);
		return what;
	}
	what.key = oldest->key;
	if (oldest->key == LP_INFLIGHT_RAW && size >= 0)
		return what;
	if (size < SIZE_MIN) {
		lp_kafka_lose(at, &stats->counters.frames_impossible);
		return what;
	}
	oldest = skip_doubtful(
	    at, oldest, (int32_t)lp_get32(side->head + CORRELATION_OFF));
	if (oldest == NULL) {
		lp_kafka_lose(at, &stats->counters.correlation_mismatch);
		return what;
	}
	what.key = oldest->key;
	what.version = oldest->version;
	what.walk = lp_walk_knows(what.key, what.version);
	if (!what.walk && what.key == LP_KEY_API_VERSIONS) {
		/* KIP-511: of a version that the broker lacks, too, it says so
		 * in version 0. */
		what.walk = true;
		what.foreign = true;
		what.version = 0;
	}
	return what;
}

/*
 * The request that is answered; NULL: none of ours.  A Produce that could not
 * be read may have been one that waits for no response.
 */
static struct lp_inflight *
skip_doubtful(const struct lp_kafka_at *at, struct lp_inflight *oldest,
    int32_t correlation_id)
{
	while (oldest != NULL && oldest->correlation_id != correlation_id) {
		uint64_t answered_ns = oldest->answered_ns;

		if (!oldest->doubtful)
			return NULL;
		lp_account_unanswered(at, oldest);
		lp_inflight_pop(at);
		oldest = lp_inflight_oldest(at);
		if (oldest == NULL)
			break;
		lp_kafka_save(at->kafka, oldest, sizeof(*oldest));
		oldest->answered_ns = answered_ns;
	}
	return oldest;
}

void
lp_response_fact(struct lp_kafka_at *at, struct lp_message *message,
    const struct lp_fact *fact)
{
	const struct lp_inflight *oldest = lp_inflight_oldest(at);

	switch (fact->kind) {
	case LP_FACT_THROTTLE_TIME:
		message->throttle_ms = (int32_t)fact->value;
		break;
	case LP_FACT_SESSION_ID:
		message->has_session = fact->value != 0;
		break;
	case LP_FACT_ERROR_CODE:
		if (fact->value == 0)
			break;
		message->errors++;
		lp_account_error(at, oldest, fact->value);
		if (message->in_topic)
			message->topic_errors++;
		break;
	default:
		lp_account_topic(at, message, fact);
		break;
	}
}

void
lp_response_end(struct lp_kafka_at *at, struct lp_message *message)
{
	const struct lp_kafka_side *side = &at->conn->sides[LP_TO_CLIENT];
	const struct lp_inflight *oldest = lp_inflight_oldest(at);

	assert(oldest != NULL);
	at->conn->sides[LP_TO_CLIENT].ended = true;
	if (oldest->key != LP_INFLIGHT_RAW) {
		lp_account_response(at, message, oldest,
		    lp_get32(side->head) + LP_FRAME_SIZE_FIELD);
		lp_sasl_answered(at, message, oldest);
		lp_limit_answer_end(at, oldest);
	}
	if (message != NULL && message->is_judged)
		lp_recall_end(at, message);
	lp_inflight_pop(at);
}
