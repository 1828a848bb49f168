/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Kafka stage between simulated peers, by seeds: conversations over links
 * that lose, reorder, repeat and cut.  What the applications read is what was
 * written, and what was counted is what was said, byte for byte, as if nothing
 * had happened on the way.  LP_TEST_SEED=N runs one, LP_TEST_TRACE=1 prints
 * its segments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/talk.h"

enum {
	SEEDS = 2500,
	BYTES_MAX = 30000,
	/* Of connections: an eighth as many pieces are held, of which one
	 * stream may have all it may while a quarter is left. */
	PLACES = 12 * LP_STREAM_HELD_MAX,
};

struct sums {
	uint64_t requests;
	uint64_t responses;
	uint64_t bytes;
	uint64_t held;
	uint64_t lost;
};

static uint32_t
number(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	    (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The frames follow one another, and their correlation ids are in order. */
static void
check_frames(const struct talk *talk)
{
	const uint8_t *asked = talk->bytes[SIM_CLIENT].bytes;
	const uint8_t *answered = talk->bytes[SIM_BROKER].bytes;
	size_t at[2] = {0, 0};

	for (unsigned i = 0; i < talk->count; i++) {
		const struct talk_message *message = &talk->messages[i];

		ensure(message->request_at == at[SIM_CLIENT], "a gap");
		ensure(
		    number(asked + at[SIM_CLIENT]) + 4 == message->request_len,
		    "a frame of another size");
		ensure(number(asked + at[SIM_CLIENT] + 8) ==
			(uint32_t)message->correlation,
		    "another correlation id");
		at[SIM_CLIENT] += message->request_len;
		if (!message->answered)
			continue;
		ensure(message->response_at == at[SIM_BROKER], "a gap");
		ensure(number(answered + at[SIM_BROKER]) + 4 ==
			message->response_len,
		    "a frame of another size");
		ensure(number(answered + at[SIM_BROKER] + 4) ==
			(uint32_t)message->correlation,
		    "another correlation id");
		at[SIM_BROKER] += message->response_len;
	}
	for (unsigned who = 0; who < 2; who++)
		ensure(at[who] == talk->bytes[who].len, "bytes in no frame");
}

/* By APIs, by topics and by clients it comes to the same. */
static void
check_account(const struct talk *talk)
{
	const struct talk_account *account = &talk->account;
	const struct talk_counts *total = &account->total;
	uint64_t records_in = 0, records_out = 0;
	uint64_t requests = 0, request_bytes = 0, unanswered = 0;

	for (unsigned i = 0; i < TALK_TOPICS; i++) {
		records_in += account->topic[i].records_in;
		records_out += account->topic[i].records_out;
	}
	for (unsigned i = 0; i < TALK_CLIENTS; i++) {
		requests += account->client[i].requests;
		request_bytes += account->client[i].request_bytes;
	}
	for (unsigned i = 0; i < talk->count; i++)
		unanswered += !talk->messages[i].answered;
	ensure(total->records_in == records_in &&
		total->records_out == records_out,
	    "records of topics");
	ensure(total->requests == talk->count && requests == talk->count,
	    "requests");
	ensure(total->responses == talk->count - unanswered, "responses");
	ensure(account->acks[1] == unanswered, "acks=0");
	ensure(total->request_bytes == talk->bytes[SIM_CLIENT].len &&
		request_bytes == talk->bytes[SIM_CLIENT].len &&
		total->response_bytes == talk->bytes[SIM_BROKER].len,
	    "bytes");
}

/* All rows of an API together. */
static struct talk_counts
counted(int16_t key)
{
	const struct lp_kafka_stats *stats = kafka_stats();
	uint64_t used = lp_count_get(&stats->rows_used);
	struct talk_counts sum = {0};

	for (uint64_t i = 1; i < used; i++) {
		const struct lp_kafka_row *row = &stats->rows[i];

		if (row->api_key != key)
			continue;
		sum.requests += lp_count_get(&row->requests);
		sum.responses += lp_count_get(&row->responses);
		sum.request_bytes += lp_count_get(&row->request_bytes);
		sum.response_bytes += lp_count_get(&row->response_bytes);
		sum.throttled += lp_count_get(&row->throttled);
		for (unsigned code = 0; code < LP_KAFKA_ERRORS; code++)
			sum.errors += lp_count_get(&row->errors[code]);
		ensure(lp_count_get(&row->in_flight) == 0, "in flight");
		ensure(kafka_samples(&row->latency) +
			    kafka_samples(&row->throttled_latency) ==
			lp_count_get(&row->responses),
		    "a response without its time");
	}
	return sum;
}

static void
same(const char *what, uint64_t said, uint64_t counts)
{
	ensure(said == counts, "%s: %" PRIu64 " said, %" PRIu64 " counted",
	    what, said, counts);
}

static void
check_api(const struct talk_account *account, enum talk_api api)
{
	const struct talk_counts *said = &account->api[api];
	struct talk_counts got = counted((int16_t)api);

	same("requests", said->requests, got.requests);
	same("responses", said->responses, got.responses);
	same("request bytes", said->request_bytes, got.request_bytes);
	same("response bytes", said->response_bytes, got.response_bytes);
	same("errors", said->errors, got.errors);
	same("throttled", said->throttled, got.throttled);
}

static uint64_t
count_of(const struct lp_talker *talker, unsigned which)
{
	return talker == NULL ? 0 : lp_count_get(&talker->counts[which]);
}

static void
check_topics(const struct talk_account *account)
{
	for (unsigned i = 0; i < TALK_TOPICS; i++) {
		const struct talk_topic *said = &account->topic[i];
		const struct lp_talker *got =
		    kafka_talker(&kafka_stats()->topics, said->name);

		same("records produced", said->records_in,
		    count_of(got, LP_KAFKA_TOPIC_produce_bytes));
		same("records fetched", said->records_out,
		    count_of(got, LP_KAFKA_TOPIC_fetch_bytes));
		same("produces of a topic", said->produce_requests,
		    count_of(got, LP_KAFKA_TOPIC_produce_requests));
	}
}

static void
check_clients(const struct talk_account *account)
{
	for (unsigned i = 0; i < TALK_CLIENTS; i++) {
		const struct talk_client *said = &account->client[i];
		const struct lp_talker *got;

		/* By name they are one. */
		if (said->null)
			continue;
		got = kafka_talker(&kafka_stats()->clients, said->id);
		if (got != NULL && got->null)
			continue;
		same("requests of a client", said->requests,
		    count_of(got, LP_KAFKA_CLIENT_requests));
		same("bytes of a client", said->request_bytes,
		    count_of(got, LP_KAFKA_CLIENT_request_bytes));
	}
}

static void
check_facts(const struct talk *talk)
{
	same("malformed frames", 0, KAFKA_COUNTER(frames_malformed));
	check_api(&talk->account, TALK_PRODUCE);
	check_api(&talk->account, TALK_FETCH);
	check_api(&talk->account, TALK_METADATA);
	check_api(&talk->account, TALK_API_VERSIONS);
	check_topics(&talk->account);
	check_clients(&talk->account);
	kafka_ensure_at_rest();
}

static void
run(uint64_t seed, struct sums *sums)
{
	static struct sim sim;
	static struct talk talk;
	size_t most[2];

	plane_reset();
	sim_open(&sim, seed);
	for (unsigned who = 0; who < 2; who++) {
		most[who] = sim_appetite(&sim, who);
		if (most[who] > BYTES_MAX)
			most[who] = BYTES_MAX;
	}
	talk_open(&talk, seed, most[SIM_CLIENT], most[SIM_BROKER]);
	check_frames(&talk);
	check_account(&talk);
	sim_run(&sim, talk_run, &talk);
	for (unsigned who = 0; who < 2; who++) {
		const struct sim_bytes *got = &sim.tcp[!who].in;

		ensure(got->len == talk.bytes[who].len &&
			memcmp(got->bytes, talk.bytes[who].bytes, got->len) ==
			    0,
		    "not what was said");
		sums->bytes += got->len;
	}
	sums->held += KAFKA_COUNTER(held_segments);
	/* Only where pieces have run out may anything be missed. */
	if (KAFKA_COUNTER(streams_lost) == 0)
		check_facts(&talk);
	else
		ensure(KAFKA_COUNTER(held_full) > 0, "lost for no reason");
	sums->lost += KAFKA_COUNTER(streams_lost);
	sums->requests += talk.account.total.requests;
	sums->responses += talk.account.total.responses;
	talk_free(&talk);
	sim_close(&sim);
	plane_check();
}

int
main(void)
{
	struct sums sums = {0};
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	plane_open(PLACES);
	plane_run();
	if (random_seed_given(&seed)) {
		run(seed, &sums);
	} else {
		for (seed = 1; seed <= seeds; seed++)
			run(seed, &sums);
		printf("%u seeds: %" PRIu64 " requests, %" PRIu64
		       " responses, %" PRIu64 " bytes, %" PRIu64
		       " segments held, %" PRIu64 " times lost\n",
		    seeds, sums.requests, sums.responses, sums.bytes, sums.held,
		    sums.lost);
		fflush(stdout);
		ensure(sums.held > 0 && sums.lost < seeds / 100,
		    "this shows nothing");
	}
	plane_forget();
	plane_close();
	return 0;
}
