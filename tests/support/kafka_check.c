/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kafka_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/kafka_stats.h"
#include "tests/support/ensure.h"

enum { COUNTERS_MAX = 64 };

static uint64_t was[COUNTERS_MAX];

/* By index: 1 if a connection has it. */
struct claims {
	uint8_t *messages;
	uint8_t *inflight;
	uint8_t *held;
	uint8_t *said;
};

static uint8_t *
places(uint32_t count)
{
	uint8_t *claimed = calloc(count + 1, 1);

	ensure(claimed != NULL, "no memory");
	return claimed;
}

static void
claim(uint8_t *claimed, uint32_t count, uint32_t link, const char *what)
{
	ensure(link > 0 && link <= count, "there is no %s %u", what, link);
	ensure(!claimed[link - 1], "two have %s %u", what, link - 1);
	claimed[link - 1] = 1;
}

static void
check_side(const struct lp_kafka_side *side, struct claims *claims,
    struct kafka_taken *taken)
{
	const struct lp_kafka_state *state = &plane.region.kafka;
	uint32_t link = side->stream.held;

	if (side->message != 0) {
		claim(claims->messages, state->message_count, side->message,
		    "message");
		taken->messages++;
	}
	for (unsigned i = 0; i < side->stream.held_count; i++) {
		claim(claims->held, state->held_count, link, "piece");
		link = state->held[link - 1].next;
		taken->held++;
	}
	ensure(side->stream.held_count > 0 || side->stream.held == 0,
	    "pieces that are not counted");
}

static void
check_waiting(const struct lp_splice *splice, struct claims *claims,
    struct kafka_taken *taken)
{
	const struct lp_kafka_state *state = &plane.region.kafka;

	for (unsigned dir = 0; dir < 2; dir++) {
		uint32_t link = splice->waiting[dir];

		for (unsigned i = 0; i < splice->waiting_count[dir]; i++) {
			claim(claims->held, state->held_count, link, "piece");
			link = state->held[link - 1].next;
			taken->waiting++;
		}
		ensure(link == 0, "segments that wait and are not counted");
	}
}

static void
check_said(const struct lp_splice *splice, struct claims *claims,
    struct kafka_taken *taken)
{
	const struct lp_kafka_state *state = &plane.region.kafka;
	uint32_t link = splice->said[0], last = 0;

	for (unsigned i = 0; i < splice->said_count; i++) {
		claim(claims->said, state->said_count, link, "block");
		last = link;
		link = state->said[link - 1].next;
		taken->said++;
	}
	ensure(
	    splice->said_count == 0 || (link == 0 && last == splice->said[1]),
	    "what was said does not end with its last block");
}

/* Requests with headers in flight. */
static uint64_t
check_inflight(const struct lp_kafka_conn *conn, struct claims *claims,
    struct kafka_taken *taken)
{
	const struct lp_kafka_state *state = &plane.region.kafka;
	uint32_t link = conn->oldest;
	uint64_t asked = 0;

	for (unsigned i = 0; i < conn->inflight_count; i++) {
		claim(claims->inflight, state->inflight_count, link, "request");
		ensure(i + 1 < conn->inflight_count || link == conn->newest,
		    "another is the newest");
		asked += state->inflight[link - 1].key >= 0;
		if (state->inflight[link - 1].kept != 0)
			claim(claims->held, state->held_count,
			    state->inflight[link - 1].kept, "piece");
		link = state->inflight[link - 1].next;
		taken->inflight++;
	}
	ensure(link == 0, "requests in flight that are not counted");
	return asked;
}

static void
check_used(const struct claims *claims)
{
	const struct lp_kafka_state *state = &plane.region.kafka;

	for (uint32_t i = 0; i < state->message_count; i++)
		ensure((state->messages[i].used != 0) ==
			(claims->messages[i] != 0),
		    "message %u is taken by nobody, or free and taken", i);
	for (uint32_t i = 0; i < state->inflight_count; i++)
		ensure((state->inflight[i].used != 0) ==
			(claims->inflight[i] != 0),
		    "request %u is taken by nobody, or free and taken", i);
}

static uint64_t
in_flight(void)
{
	const struct lp_kafka_stats *stats = plane.region.kafka_stats;
	const struct lp_talker_list *clients = &stats->clients;
	uint64_t rows = 0, talkers = 0;

	for (uint64_t i = 0; i < lp_count_get(&stats->rows_used); i++)
		rows += lp_count_get(&stats->rows[i].in_flight);
	for (uint64_t i = 0; i < lp_count_get(&clients->places_used); i++)
		talkers += lp_count_get(
		    &clients->places[i].counts[LP_KAFKA_CLIENT_in_flight]);
	ensure(rows == talkers,
	    "in flight: %" PRIu64 " by API, %" PRIu64 " by client", rows,
	    talkers);
	return rows;
}

struct kafka_taken
kafka_check_pools(void)
{
	const struct lp_kafka_state *state = &plane.region.kafka;
	struct claims claims = {.messages = places(state->message_count),
	    .inflight = places(state->inflight_count),
	    .held = places(state->held_count),
	    .said = places(state->said_count)};
	struct kafka_taken taken = {0};
	uint64_t asked = 0;

	for (uint32_t i = 0; i < state->conn_count; i++) {
		const struct lp_kafka_conn *conn = &state->conns[i];

		if (conn->mode == LP_KAFKA_OFF)
			continue;
		for (unsigned dir = 0; dir < 2; dir++)
			check_side(&conn->sides[dir], &claims, &taken);
		check_waiting(&state->splices[i], &claims, &taken);
		check_said(&state->splices[i], &claims, &taken);
		asked += check_inflight(conn, &claims, &taken);
	}
	check_used(&claims);
	ensure(in_flight() == asked, "not in flight what the gauges say");
	free(claims.messages);
	free(claims.inflight);
	free(claims.held);
	free(claims.said);
	return taken;
}

void
kafka_check_counters(void)
{
	const struct lp_kafka_stats *stats = plane.region.kafka_stats;
	/* Those up to here count; behind them lie gauges and limits. */
	const lp_counter *first = &stats->counters.requests;
	size_t count = (size_t)(&stats->counters.topic_ids - first);
	uint64_t requests = 0, responses = 0;

	ensure(count <= COUNTERS_MAX, "more counters");
	for (size_t i = 0; i < count; i++) {
		uint64_t is = lp_count_get(&first[i]);

		ensure(is >= was[i], "counter %zu has become less", i);
		was[i] = is;
	}
	for (uint64_t i = 0; i < lp_count_get(&stats->rows_used); i++) {
		requests += lp_count_get(&stats->rows[i].requests);
		responses += lp_count_get(&stats->rows[i].responses);
	}
	ensure(requests == lp_count_get(&stats->counters.requests),
	    "rows have another number of requests");
	ensure(responses == lp_count_get(&stats->counters.responses),
	    "rows have another number of responses");
	ensure(responses <= requests, "more answers than questions");
}

void
kafka_check_forget(void)
{
	memset(was, 0, sizeof(was));
}
