/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka conversations between simulated peers, by seeds: what arrives is what
 * was said, and the account of it adds up.  LP_TEST_SEED=N runs one,
 * LP_TEST_TRACE=1 prints its segments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/talk.h"

enum {
	SEEDS = 500,
	BYTES_MAX = 60000,
	CONNECTIONS = LP_CONNECTIONS_MIN,
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

static void
run(uint64_t seed, struct talk_counts *sum)
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
	}
	sum->requests += talk.account.total.requests;
	sum->responses += talk.account.total.responses;
	sum->records_in += talk.account.total.records_in;
	sum->records_out += talk.account.total.records_out;
	sum->errors += talk.account.total.errors;
	talk_free(&talk);
	sim_close(&sim);
	plane_check();
}

int
main(void)
{
	struct talk_counts sum = {0};
	uint64_t seed;
	unsigned seeds = SEEDS / RANDOM_SLOWER;

	plane_open(CONNECTIONS);
	plane_run();
	if (random_seed_given(&seed)) {
		run(seed, &sum);
	} else {
		for (seed = 1; seed <= seeds; seed++)
			run(seed, &sum);
		printf("%u seeds: %lu requests, %lu responses, %lu and %lu "
		       "bytes of records, %lu errors\n",
		    seeds, sum.requests, sum.responses, sum.records_in,
		    sum.records_out, sum.errors);
	}
	plane_forget();
	plane_close();
	return EXIT_SUCCESS;
}
