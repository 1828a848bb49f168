/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that deny, between simulated peers, by seeds: over links that lose,
 * reorder, repeat and cut the broker reads what a model of the rules says that
 * it must, and so does the client, byte for byte.  Every other one is through
 * a bump in the wire.  LP_TEST_SEED=N runs one,
 * LP_TEST_TRACE=1 prints its segments.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/kafka/names.h"
#include "tests/dataplane/bump.h"
#include "tests/proto/objects.h"
#include "tests/support/edited.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/random.h"
#include "tests/support/rule_stats.h"
#include "tests/support/talk.h"

enum {
	SEEDS = 2500,
	BYTES_MAX = 20000,
	PLACES = 12 * LP_STREAM_HELD_MAX,
	RULE = 100,
	FRIEND, /* a client that is let through */
	OF_ID, /* Produce in a transaction */
	FIRST,
	RULES_MAX = 64,
	/* Of the first byte of an index. */
	BIT = 0x40,
	BIT_OF_ID = 0x08,
	NOT_THERE = 3,
	NO_NAME = 17,
	REFUSED = 29,
	OF_GROUP = 30,
	OF_TRANSACTION = 53,
	/* Of an answer for versions: size, correlation id, error code, count;
	 * and one of its ranges: key, first, last, tags. */
	RANGES_AT = 11,
	RANGE_LEN = 7,
};

struct sums {
	uint64_t denied;
	uint64_t names;
	uint64_t offsets; /* of answers */
	uint64_t wholes; /* requests */
	uint64_t let; /* likewise, that were not refused */
	uint64_t kept;
	uint64_t ahead; /* dropped */
	uint64_t waited; /* held behind a gap */
	uint64_t timeouts; /* of clients */
	uint64_t bytes;
};

/* What the rules say, told apart from them. */
struct model {
	bool denies[TALK_APIS][TALK_TOPICS];
	/* OffsetFetch: of that group alone, or of all of them. */
	bool denies_offsets[TALK_GROUPS][TALK_TOPICS];
	/* A group or a transactional id. */
	bool denies_whole[TALK_APIS][TALK_GROUPS];
	bool denies_id; /* Produce in a transaction, whatever the topic */
	bool has_friend; /* the first client */
	uint32_t next; /* id of a rule */
	struct sim_bytes promised[2]; /* by enum sim_who: what it must read */
	uint64_t denied; /* partitions of requests */
	uint64_t names; /* of requests */
	uint64_t offsets; /* of answers */
	uint64_t wholes; /* requests */
	uint64_t let;
};

/* Requests that are refused as a whole: by what, and how that is told. */
static const struct whole {
	const char *api, *field;
	uint8_t number[4];
	uint8_t code;
} wholes[TALK_APIS] = {
    [TALK_JOIN_GROUP] = {"JoinGroup", "group", {0, 0, 0, 0}, OF_GROUP},
    [TALK_HEARTBEAT] = {"Heartbeat", "group", {0xff, 0xff, 0xff, 0xfe},
	OF_GROUP},
    [TALK_INIT_PRODUCER_ID] = {"InitProducerId", "transactional_id",
	{0x7f, 0xff, 0xff, 0xff}, OF_TRANSACTION},
    [TALK_CONSUMER_HEARTBEAT] = {"ConsumerGroupHeartbeat", "group",
	{0xff, 0xff, 0xff, 0xfd}, OF_GROUP},
    [TALK_SHARE_HEARTBEAT] = {"ShareGroupHeartbeat", "group",
	{0xff, 0xff, 0xff, 0xfd}, OF_GROUP},
    [TALK_STREAMS_HEARTBEAT] = {"StreamsGroupHeartbeat", "group",
	{0xff, 0xff, 0xff, 0xfd}, OF_GROUP},
};

static void
put_rule(struct model *model, const char *match, const char *action)
{
	rule_put(model->next, 10 + model->next % 3, match, action, false);
	model->next++;
}

/* Topics of requests, some by the beginnings of their names. */
static void
draw_topics(struct model *model, const struct talk *talk, uint64_t *random)
{
	static const char *const keys[] = {[TALK_PRODUCE] = "Produce",
	    [TALK_FETCH] = "Fetch",
	    [TALK_METADATA] = "Metadata"};
	char match[512];

	for (unsigned key = 0; key < sizeof(keys) / sizeof(keys[0]); key++)
		for (unsigned topic = 0; topic < TALK_TOPICS; topic++) {
			if (keys[key] == NULL || !random_percent(random, 33))
				continue;
			model->denies[key][topic] = true;
			snprintf(match, sizeof(match), "api=%s topic=%s%s",
			    keys[key], talk->account.topic[topic].name,
			    random_percent(random, 50) ? "*" : "");
			put_rule(model, match, "deny");
		}
}

/* Topics of answers: of all groups, or of one. */
static void
draw_offsets(struct model *model, const struct talk *talk, uint64_t *random)
{
	char match[512];

	for (unsigned topic = 0; topic < TALK_TOPICS; topic++) {
		const char *name = talk->account.topic[topic].name;
		unsigned only = random_between(random, 0, 3 * TALK_GROUPS);

		if (only < TALK_GROUPS) {
			model->denies_offsets[only][topic] = true;
			snprintf(match, sizeof(match),
			    "api=OffsetFetch group=%s topic=%s",
			    talk->groups[only], name);
		} else if (only == TALK_GROUPS) {
			for (unsigned i = 0; i < TALK_GROUPS; i++)
				model->denies_offsets[i][topic] = true;
			snprintf(match, sizeof(match),
			    "api=OffsetFetch topic=%s*", name);
		} else {
			continue;
		}
		put_rule(model, match, "deny");
	}
}

static void
draw_wholes(struct model *model, const struct talk *talk, uint64_t *random)
{
	char match[512];

	for (unsigned key = 0; key < TALK_APIS; key++)
		for (unsigned group = 0; group < TALK_GROUPS; group++) {
			if (wholes[key].api == NULL ||
			    !random_percent(random, 20))
				continue;
			model->denies_whole[key][group] = true;
			snprintf(match, sizeof(match), "api=%s %s=%s%s",
			    wholes[key].api, wholes[key].field,
			    talk->groups[group],
			    random_percent(random, 50) ? "*" : "");
			put_rule(model, match, "deny");
		}
}

static void
draw_rules(struct model *model, const struct talk *talk, uint64_t *random)
{
	char match[512];

	for (uint32_t old = RULE; old < FIRST + RULES_MAX; old++)
		if (lp_config_find(&plane.config, LP_OBJECT_RULE, old) != NULL)
			lp_config_remove(&plane.config, LP_OBJECT_RULE, old);
	memset(model, 0, sizeof(*model));
	model->next = FIRST;
	/* One that denies nothing that is said, so that rules always act. */
	rule_put(RULE, 1, "api=DeleteRecords topic=none", "deny", false);
	draw_topics(model, talk, random);
	draw_offsets(model, talk, random);
	draw_wholes(model, talk, random);
	ensure(model->next <= FIRST + RULES_MAX, "no room");
	model->denies_id = random_percent(random, 25);
	if (model->denies_id)
		rule_put(OF_ID, 500, "api=Produce transactional_id=tr*", "deny",
		    false);
	model->has_friend = random_percent(random, 25);
	if (model->has_friend) {
		snprintf(match, sizeof(match),
		    "client_id=%s api=Produce,Fetch,Metadata,OffsetFetch,"
		    "JoinGroup,Heartbeat,InitProducerId,"
		    "ConsumerGroupHeartbeat,ShareGroupHeartbeat,"
		    "StreamsGroupHeartbeat",
		    talk->account.client[0].id);
		rule_put(FRIEND, 1000, match, "allow", false);
	}
	plane_publish();
}

static bool
is_friend(const struct model *model, const struct talk_message *message)
{
	return model->has_friend && message->client == 0;
}

/* That topic of that message. */
static bool
is_denied(const struct model *model, const struct talk *talk, unsigned message,
    unsigned topic)
{
	const struct talk_message *is = &talk->messages[message];

	return model->denies[is->api][topic] && !is_friend(model, is);
}

/* The bit of a partition's index that says it; 0: it is let through. */
static uint8_t
bit_of(const struct model *model, const struct talk *talk,
    const struct talk_partition *one)
{
	const struct talk_message *message = &talk->messages[one->message];

	if (message->api == TALK_PRODUCE && message->has_group &&
	    model->denies_id && !is_friend(model, message))
		return BIT_OF_ID;
	return is_denied(model, talk, one->message, one->topic) ? BIT : 0;
}

/*
 * A request that names a denied topic: the broker reads and tells another name
 * and that it is none, and the client the name, refused.
 */
static void
promise_names(struct model *model, struct talk *talk)
{
	struct sim_bytes *answers = &talk->bytes[SIM_BROKER];
	/* Answers here tell of topics that were not asked for, too. */
	static bool refuses[TALK_MESSAGES_MAX][TALK_TOPICS];

	memset(refuses, 0, sizeof(refuses));
	for (unsigned i = 0; i < talk->name_count; i++) {
		const struct talk_name *one = &talk->names[i];
		uint8_t *last =
		    model->promised[SIM_BROKER].bytes + one->last_at;

		if (one->response ||
		    !is_denied(model, talk, one->message, one->topic))
			continue;
		*last = edited_fake(*last);
		refuses[one->message][one->topic] = true;
		model->names++;
	}
	for (unsigned i = 0; i < talk->name_count; i++) {
		const struct talk_name *one = &talk->names[i];
		uint8_t *told =
		    model->promised[SIM_CLIENT].bytes + one->error_at;

		if (!one->response || !refuses[one->message][one->topic])
			continue;
		answers->bytes[one->error_at] = 0;
		answers->bytes[one->error_at + 1] = NO_NAME;
		answers->bytes[one->last_at] =
		    edited_fake(answers->bytes[one->last_at]);
		told[0] = 0;
		told[1] = REFUSED;
	}
}

/* Ranges end where the tables do, and keys that they lack are nobody's. */
static void
promise_versions(struct sim_bytes *promised, const struct talk *talk)
{
	for (unsigned i = 0; i < talk->count; i++) {
		const struct talk_message *message = &talk->messages[i];
		uint8_t *answer = promised->bytes + message->response_at;
		uint8_t *range = answer + RANGES_AT, unknown = UINT8_MAX;

		if (message->api != TALK_API_VERSIONS)
			continue;
		for (int left = answer[RANGES_AT - 1] - 1; left > 0; left--) {
			struct lp_kafka_api api;

			if (!lp_kafka_api(range[1], &api))
				range[1] = unknown--;
			else if (range[5] > api.offered)
				range[5] = (uint8_t)api.offered;
			range += RANGE_LEN;
		}
	}
}

/* The broker tells them, and the client reads none, refused. */
static void
promise_offsets(struct model *model, const struct talk *talk)
{
	uint8_t *told = model->promised[SIM_CLIENT].bytes;

	for (unsigned i = 0; i < talk->offset_count; i++) {
		const struct talk_offset *one = &talk->offsets[i];

		if (!model->denies_offsets[one->group][one->topic] ||
		    is_friend(model, &talk->messages[one->message]))
			continue;
		memset(told + one->at, 0xff, one->len);
		told[one->error_at] = 0;
		told[one->error_at + 1] = REFUSED;
		model->offsets++;
	}
}

/* The broker reads a number that it refuses, and the client an authorizer's
 * words in as many bytes. */
static void
promise_wholes(struct model *model, const struct talk *talk)
{
	static const char words[] = "Authorization failed.";
	uint8_t *asked = model->promised[SIM_BROKER].bytes;
	uint8_t *told = model->promised[SIM_CLIENT].bytes;

	for (unsigned i = 0; i < talk->count; i++) {
		const struct talk_message *message = &talk->messages[i];
		const struct whole *whole = &wholes[message->api];

		if (whole->api == NULL)
			continue;
		if (!message->has_group || message->leaves ||
		    !model->denies_whole[message->api][message->group] ||
		    is_friend(model, message)) {
			model->let++;
			continue;
		}
		memcpy(asked + message->number_at, whole->number, 4);
		told[message->error_at] = 0;
		told[message->error_at + 1] = whole->code;
		for (size_t n = 0; n < message->text_len; n++)
			told[message->text_at + n] =
			    n < strlen(words) ? (uint8_t)words[n] : ' ';
		model->wholes++;
	}
}

/*
 * The broker reads requests with the bits set; it answers as brokers do, and
 * the client reads what it asked for, refused.
 */
static void
promise(struct model *model, struct talk *talk)
{
	struct sim_bytes *answers = &talk->bytes[SIM_BROKER];

	for (unsigned i = 0; i < talk->partition_count; i++) {
		const struct talk_partition *one = &talk->partitions[i];
		uint8_t *bytes = answers->bytes + one->at;
		uint8_t bit = bit_of(model, talk, one);

		if (!one->response || bit == 0)
			continue;
		bytes[0] |= bit;
		bytes[4] = 0;
		bytes[5] = NOT_THERE;
	}
	for (unsigned who = 0; who < 2; who++)
		sim_bytes_add(&model->promised[who], talk->bytes[!who].bytes,
		    talk->bytes[!who].len);
	for (unsigned i = 0; i < talk->partition_count; i++) {
		const struct talk_partition *one = &talk->partitions[i];
		enum sim_who reader = one->response ? SIM_CLIENT : SIM_BROKER;
		uint8_t *bytes = model->promised[reader].bytes + one->at;
		uint8_t bit = bit_of(model, talk, one);

		bytes[0] ^= bit;
		if (one->response && bit != 0)
			bytes[5] = bit == BIT ? REFUSED : OF_TRANSACTION;
		model->denied += !one->response && bit != 0;
	}
	promise_versions(&model->promised[SIM_CLIENT], talk);
	promise_names(model, talk);
	promise_offsets(model, talk);
	promise_wholes(model, talk);
}

/* Nothing is acknowledged to the client but what the broker has got. */
static void
look(void *context, enum sim_who to, const struct sim_segment *segment,
    bool right)
{
	const struct sim *sim = context;
	const struct sim_tcp *broker = &sim->tcp[SIM_BROKER];
	uint32_t has = broker->irs + (uint32_t)broker->received;

	(void)right;
	if (to == SIM_CLIENT && (segment->flags & SIM_ACK))
		ensure((int32_t)(segment->ack - has) <= 0,
		    "%u is acknowledged, the broker has got %u", segment->ack,
		    has);
}

static void
check_counts(const struct model *model)
{
	uint64_t partitions = KAFKA_COUNTER(partitions_denied);

	ensure(partitions == model->denied + model->offsets,
	    "%" PRIu64 " and %" PRIu64 " denied, %" PRIu64 " counted",
	    model->denied, model->offsets, partitions);
	ensure(KAFKA_COUNTER(names_denied) == model->names,
	    "%" PRIu64 " names denied, %" PRIu64 " counted", model->names,
	    KAFKA_COUNTER(names_denied));
	ensure(KAFKA_COUNTER(requests_denied) == model->wholes,
	    "%" PRIu64 " requests denied, %" PRIu64 " counted", model->wholes,
	    KAFKA_COUNTER(requests_denied));
}

static void
run(uint64_t seed, struct sums *sums)
{
	static struct sim sim;
	static struct talk talk;
	struct model model;
	uint64_t random = seed, ahead = plane_reason(LP_REASON_AHEAD);
	uint64_t waited = plane_reason(LP_REASON_HELD_GAP);
	size_t most[2];

	plane_reset();
	sim_is_inline = seed % 2 == 0;
	sim_open(&sim, seed);
	for (unsigned who = 0; who < 2; who++) {
		most[who] = sim_appetite(&sim, who);
		if (most[who] > BYTES_MAX)
			most[who] = BYTES_MAX;
	}
	talk_open_groups(&talk, seed, most[SIM_CLIENT], most[SIM_BROKER]);
	draw_rules(&model, &talk, &random);
	promise(&model, &talk);
	sim.promised[SIM_CLIENT] = &model.promised[SIM_CLIENT];
	sim.promised[SIM_BROKER] = &model.promised[SIM_BROKER];
	sim.tap = look;
	sim.tap_context = &sim;
	sim_run(&sim, talk_run, &talk);
	for (unsigned who = 0; who < 2; who++) {
		const struct sim_bytes *got = &sim.tcp[who].in;
		const struct sim_bytes *must = &model.promised[who];

		ensure(got->len == must->len &&
			memcmp(got->bytes, must->bytes, got->len) == 0,
		    "not what was promised");
		sums->bytes += got->len;
	}
	check_counts(&model);
	ensure(KAFKA_COUNTER(streams_lost) == 0, "a stream was lost");
	ensure(KAFKA_COUNTER(edits) == 0, "edits are left");
	kafka_ensure_at_rest();
	sums->denied += model.denied;
	sums->names += model.names;
	sums->offsets += model.offsets;
	sums->wholes += model.wholes;
	sums->let += model.let;
	sums->kept += talk.partition_count - model.denied;
	sums->ahead += plane_reason(LP_REASON_AHEAD) - ahead;
	sums->waited += plane_reason(LP_REASON_HELD_GAP) - waited;
	sums->timeouts += sim.tcp[SIM_CLIENT].timeouts;
	talk_free(&talk);
	sim_close(&sim);
	for (unsigned who = 0; who < 2; who++)
		sim_bytes_free(&model.promised[who]);
	plane_check();
}

static void
tell(unsigned seeds, const struct sums *sums)
{
	printf("%u seeds: %" PRIu64 " partitions denied, %" PRIu64
	       " not, %" PRIu64 " names denied, %" PRIu64 " offsets; %" PRIu64
	       " requests as a whole, %" PRIu64 " not; %" PRIu64
	       " bytes; %" PRIu64 " segments behind gaps waited, %" PRIu64
	       " had no place; %" PRIu64 " timeouts of clients\n",
	    seeds, sums->denied, sums->kept, sums->names, sums->offsets,
	    sums->wholes, sums->let, sums->bytes, sums->waited, sums->ahead,
	    sums->timeouts);
	fflush(stdout);
}

int
main(void)
{
	struct sums sums = {0};
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;
	size_t first, count;

	bump_open_with(PLACES);
	count = lp_config_range(&plane.config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++) {
		struct lp_object listener = plane.config.objects[i];

		listener.listener.unjudged = LP_UNJUDGED_RESET;
		put(&plane.config, listener);
	}
	plane_run();
	if (random_seed_given(&seed)) {
		run(seed, &sums);
	} else {
		for (seed = 1; seed <= seeds; seed++)
			run(seed, &sums);
		tell(seeds, &sums);
		ensure(sums.denied > 0 && sums.kept > 0 && sums.names > 0 &&
			sums.offsets > 0 && sums.wholes > 0 && sums.let > 0 &&
			sums.ahead > 0 && sums.waited > sums.ahead,
		    "this shows nothing");
	}
	plane_forget();
	plane_close();
	return 0;
}
