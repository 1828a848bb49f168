/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/random.h"
#include "tests/support/talk_group.h"
#include "tests/support/talk_pen.h"
#include "tests/support/talk_write.h"

enum {
	PARTITIONS_MAX = 5, /* of a topic in one message */
	BROKERS_MAX = 3,
	RECORDS_MIN = 61, /* a batch without a record */
	PIPELINE_MAX = 8,
	ANSWER_MAX_US = 20000,
};

static uint32_t
between(struct talk *talk, uint32_t low, uint32_t high)
{
	return random_between(&talk->random, low, high);
}

static bool
percent(struct talk *talk, unsigned chance)
{
	return random_percent(&talk->random, chance);
}

static void
put_records(struct talk_pen *pen, struct talk_topic *topic)
{
	uint32_t len = 0;
	uint64_t seed = random_next(&pen->talk->random);

	if (pen->budget >= RECORDS_MIN && !percent(pen->talk, 5))
		len = between(pen->talk, RECORDS_MIN, pen->budget);
	pen->budget -= len;
	if (pen->response) {
		pen->counts->records_out += len;
		topic->records_out += len;
	} else {
		pen->counts->records_in += len;
		topic->records_in += len;
	}
	talk_write_length(pen->to, len, pen->flexible);
	for (uint32_t i = 0; i < len; i++) {
		uint8_t byte = random_byte(seed, i);

		sim_bytes_add(pen->to, &byte, 1);
	}
}

static void
put_topic_name(struct talk_pen *pen, const struct talk_topic *topic)
{
	talk_write_text(pen->to, topic->name, false, pen->flexible);
}

/* How many, told and counted. */
static unsigned
put_partitions(struct talk_pen *pen, struct talk_topic *topic)
{
	unsigned count = between(pen->talk, 1, PARTITIONS_MAX);

	if (pen->response)
		topic->partitions_out += count;
	else
		topic->partitions_in += count;
	talk_write_count(pen->to, count, pen->flexible);
	return count;
}

static void
put_index(struct talk_pen *pen, const struct talk_topic *topic, unsigned index)
{
	struct talk *talk = pen->talk;

	ensure(talk->partition_count < TALK_PARTITIONS_MAX, "no room");
	talk->partitions[talk->partition_count++] =
	    (struct talk_partition){.response = pen->response,
		.topic = (uint8_t)(topic - talk->account.topic),
		.message = (uint16_t)(pen->message - talk->messages),
		.at = pen->to->len};
	talk_write_i32(pen->to, (int32_t)index);
}

/* Its name has just been written; of a response its error code was before. */
static void
note_name(struct talk_pen *pen, const struct talk_topic *topic, size_t error_at)
{
	struct talk *talk = pen->talk;

	ensure(talk->name_count < TALK_NAMES_MAX, "no room");
	talk->names[talk->name_count++] =
	    (struct talk_name){.response = pen->response,
		.topic = (uint8_t)(topic - talk->account.topic),
		.message = (uint16_t)(pen->message - talk->messages),
		.error_at = error_at,
		.last_at = pen->to->len - 1};
}

static void
api_versions_request(struct talk_pen *pen)
{
	talk_write_text(pen->to, "talk", false, true);
	talk_write_text(pen->to, "1.0", false, true);
	talk_write_tags(pen->to, true);
}

static void
api_versions_response(struct talk_pen *pen)
{
	unsigned count = between(pen->talk, 1, 70);

	talk_pen_error(pen);
	talk_write_count(pen->to, count, true);
	for (unsigned i = 0; i < count; i++) {
		talk_write_i16(pen->to, (int16_t)i);
		talk_write_i16(pen->to, 0);
		talk_write_i16(pen->to, (int16_t)between(pen->talk, 0, 20));
		talk_write_tags(pen->to, true);
	}
	talk_pen_throttle(pen);
	talk_write_tags(pen->to, true);
}

static void
metadata_request(struct talk_pen *pen)
{
	struct talk_choice choice = talk_pen_choose(pen, 0);

	talk_write_count(pen->to, choice.count, true);
	for (unsigned i = 0; i < choice.count; i++) {
		struct talk_topic *topic = talk_pen_chosen(pen, choice, i);

		topic->metadata_requests++;
		put_topic_name(pen, topic);
		note_name(pen, topic, 0);
		talk_write_tags(pen->to, true);
	}
	talk_write_i8(pen->to, 1); /* allow_auto_topic_creation */
	talk_write_i8(pen->to, 0);
	talk_write_i8(pen->to, 0);
	talk_write_tags(pen->to, true);
}

static void
put_brokers(struct talk_pen *pen)
{
	unsigned count = between(pen->talk, 1, BROKERS_MAX);

	talk_write_count(pen->to, count, true);
	for (unsigned i = 0; i < count; i++) {
		char host[TALK_TEXT_MAX];

		snprintf(host, sizeof(host), "broker-%u.example", i);
		talk_write_i32(pen->to, (int32_t)i);
		talk_write_text(pen->to, host, false, true);
		talk_write_i32(pen->to, 9092);
		talk_write_text(pen->to, "rack", percent(pen->talk, 50), true);
		talk_write_tags(pen->to, true);
	}
}

static void
put_metadata_partition(struct talk_pen *pen, unsigned index)
{
	talk_pen_error(pen);
	talk_write_i32(pen->to, (int32_t)index);
	talk_write_i32(pen->to, 0); /* leader */
	talk_write_i32(pen->to, 7); /* its epoch */
	for (unsigned list = 0; list < 3; list++) {
		unsigned count = between(pen->talk, 0, BROKERS_MAX);

		talk_write_count(pen->to, count, true);
		for (unsigned i = 0; i < count; i++)
			talk_write_i32(pen->to, (int32_t)i);
	}
	talk_write_tags(pen->to, true);
}

static void
metadata_response(struct talk_pen *pen)
{
	struct talk_choice choice = talk_pen_choose(pen, 0);

	talk_write_tags(pen->to, true); /* of the header */
	talk_pen_throttle(pen);
	put_brokers(pen);
	talk_write_text(pen->to, "cluster", percent(pen->talk, 20), true);
	talk_write_i32(pen->to, 0); /* controller */
	talk_write_count(pen->to, choice.count, true);
	for (unsigned i = 0; i < choice.count; i++) {
		struct talk_topic *topic = talk_pen_chosen(pen, choice, i);
		size_t error_at = pen->to->len;
		unsigned partitions;

		topic->metadata_responses++;
		talk_pen_error(pen);
		put_topic_name(pen, topic);
		note_name(pen, topic, error_at);
		talk_write_i8(pen->to, 0); /* is_internal */
		partitions = put_partitions(pen, topic);
		for (unsigned p = 0; p < partitions; p++)
			put_metadata_partition(pen, p);
		talk_write_i32(pen->to, INT32_MIN);
		talk_write_tags(pen->to, true);
	}
	talk_write_i32(pen->to, INT32_MIN);
	talk_write_tags(pen->to, true);
}

static void
produce_request(struct talk_pen *pen)
{
	struct talk_choice choice = talk_pen_choose(pen, 1);

	pen->message->has_group = !percent(pen->talk, 80);
	talk_write_text(pen->to, "transaction", !pen->message->has_group, true);
	talk_write_i16(pen->to, pen->message->acks);
	talk_write_i32(pen->to, 30000);
	talk_write_count(pen->to, choice.count, true);
	for (unsigned i = 0; i < choice.count; i++) {
		struct talk_topic *topic = talk_pen_chosen(pen, choice, i);
		unsigned partitions;

		topic->produce_requests++;
		put_topic_name(pen, topic);
		partitions = put_partitions(pen, topic);
		for (unsigned p = 0; p < partitions; p++) {
			put_index(pen, topic, p);
			put_records(pen, topic);
			talk_write_tags(pen->to, true);
		}
		talk_write_tags(pen->to, true);
	}
	talk_write_tags(pen->to, true);
}

static void
put_produced(
    struct talk_pen *pen, const struct talk_topic *topic, unsigned index)
{
	unsigned record_errors = percent(pen->talk, 10) ? 2 : 0;

	put_index(pen, topic, index);
	talk_pen_error(pen);
	talk_write_i64(pen->to, 1000); /* base offset */
	talk_write_i64(pen->to, -1);
	talk_write_i64(pen->to, 0);
	talk_write_count(pen->to, record_errors, true);
	for (unsigned i = 0; i < record_errors; i++) {
		talk_write_i32(pen->to, (int32_t)i);
		talk_write_text(pen->to, "bad record", i == 1, true);
		talk_write_tags(pen->to, true);
	}
	talk_write_text(pen->to, "failed", percent(pen->talk, 90), true);
	talk_write_tags(pen->to, true);
}

static void
produce_response(struct talk_pen *pen)
{
	struct talk_choice choice = talk_pen_choose(pen, 1);

	talk_write_tags(pen->to, true); /* of the header */
	talk_write_count(pen->to, choice.count, true);
	for (unsigned i = 0; i < choice.count; i++) {
		struct talk_topic *topic = talk_pen_chosen(pen, choice, i);
		unsigned partitions;

		topic->produce_responses++;
		put_topic_name(pen, topic);
		partitions = put_partitions(pen, topic);
		for (unsigned p = 0; p < partitions; p++)
			put_produced(pen, topic, p);
		talk_write_tags(pen->to, true);
	}
	talk_pen_throttle(pen);
	talk_write_tags(pen->to, true);
}

static void
fetch_request(struct talk_pen *pen)
{
	struct talk_choice choice = talk_pen_choose(pen, 0);
	bool flexible = pen->flexible;

	talk_write_i32(pen->to, -1); /* a client */
	talk_write_i32(pen->to, 500); /* max_wait */
	talk_write_i32(pen->to, 1); /* min_bytes */
	talk_write_i32(pen->to, 52428800);
	talk_write_i8(pen->to, 0);
	talk_write_i32(pen->to, 0); /* session, and its epoch */
	talk_write_i32(pen->to, 0);
	talk_write_count(pen->to, choice.count, flexible);
	for (unsigned i = 0; i < choice.count; i++) {
		struct talk_topic *topic = talk_pen_chosen(pen, choice, i);
		unsigned partitions;

		topic->fetch_requests++;
		put_topic_name(pen, topic);
		partitions = put_partitions(pen, topic);
		for (unsigned p = 0; p < partitions; p++) {
			put_index(pen, topic, p);
			talk_write_i32(pen->to, 7); /* leader epoch */
			talk_write_i64(pen->to, 1000);
			if (pen->message->version >= 12)
				talk_write_i32(pen->to, -1);
			talk_write_i64(pen->to, -1);
			talk_write_i32(pen->to, 1048576);
			talk_write_tags(pen->to, flexible);
		}
		talk_write_tags(pen->to, flexible);
	}
	talk_write_count(pen->to, 0, flexible); /* forgotten */
	talk_write_text(pen->to, "", false, flexible);
	talk_write_tags(pen->to, flexible);
}

static void
put_fetched(struct talk_pen *pen, struct talk_topic *topic, unsigned index)
{
	unsigned aborted = percent(pen->talk, 10) ? 2 : 0;

	put_index(pen, topic, index);
	talk_pen_error(pen);
	talk_write_i64(pen->to, 2000); /* high watermark */
	talk_write_i64(pen->to, 2000);
	talk_write_i64(pen->to, 0);
	talk_write_count(pen->to, aborted, pen->flexible);
	for (unsigned i = 0; i < aborted; i++) {
		talk_write_i64(pen->to, 77);
		talk_write_i64(pen->to, 1000);
		talk_write_tags(pen->to, pen->flexible);
	}
	talk_write_i32(pen->to, -1); /* preferred replica */
	put_records(pen, topic);
	talk_write_tags(pen->to, pen->flexible);
}

static void
fetch_response(struct talk_pen *pen)
{
	struct talk_choice choice = talk_pen_choose(pen, 0);
	bool flexible = pen->flexible;

	talk_write_tags(pen->to, flexible); /* of the header */
	talk_pen_throttle(pen);
	talk_pen_error(pen);
	talk_write_i32(pen->to, 0); /* session */
	talk_write_count(pen->to, choice.count, flexible);
	for (unsigned i = 0; i < choice.count; i++) {
		struct talk_topic *topic = talk_pen_chosen(pen, choice, i);
		unsigned partitions;

		topic->fetch_responses++;
		put_topic_name(pen, topic);
		partitions = put_partitions(pen, topic);
		for (unsigned p = 0; p < partitions; p++)
			put_fetched(pen, topic, p);
		talk_write_tags(pen->to, flexible);
	}
	talk_write_tags(pen->to, flexible);
}

static void
put_request(struct talk *talk, struct talk_message *message, uint32_t budget)
{
	struct talk_client *client = &talk->account.client[message->client];
	struct talk_pen pen = {.talk = talk,
	    .message = message,
	    .to = &talk->bytes[SIM_CLIENT],
	    .counts = &talk->account.api[message->api],
	    .flexible = message->flexible,
	    .budget = budget};

	message->request_at = talk_write_begin(pen.to);
	talk_write_i16(pen.to, message->api);
	talk_write_i16(pen.to, message->version);
	talk_write_i32(pen.to, message->correlation);
	/* Never a compact one. */
	talk_write_text(pen.to, client->id, client->null, false);
	talk_write_tags(pen.to, pen.flexible);
	if (message->api == TALK_API_VERSIONS)
		api_versions_request(&pen);
	else if (message->api == TALK_METADATA)
		metadata_request(&pen);
	else if (message->api == TALK_PRODUCE)
		produce_request(&pen);
	else if (message->api == TALK_FETCH)
		fetch_request(&pen);
	else
		talk_group_request(&pen);
	message->request_len = talk_write_end(pen.to, message->request_at);
	pen.counts->requests++;
	pen.counts->request_bytes += message->request_len;
	client->requests++;
	client->request_bytes += message->request_len;
	if (message->api == TALK_PRODUCE)
		talk->account.acks[message->acks + 1]++;
}

static void
put_response(struct talk *talk, struct talk_message *message, uint32_t budget)
{
	struct talk_pen pen = {.talk = talk,
	    .message = message,
	    .to = &talk->bytes[SIM_BROKER],
	    .counts = &talk->account.api[message->api],
	    .response = true,
	    .flexible = message->flexible,
	    .budget = budget};

	message->response_at = talk_write_begin(pen.to);
	talk_write_i32(pen.to, message->correlation);
	if (message->api == TALK_API_VERSIONS)
		api_versions_response(&pen);
	else if (message->api == TALK_METADATA)
		metadata_response(&pen);
	else if (message->api == TALK_PRODUCE)
		produce_response(&pen);
	else if (message->api == TALK_FETCH)
		fetch_response(&pen);
	else
		talk_group_response(&pen);
	message->response_len = talk_write_end(pen.to, message->response_at);
	pen.counts->responses++;
	pen.counts->response_bytes += message->response_len;
}

static void
name_all(struct talk *talk)
{
	for (unsigned i = 0; i < TALK_TOPICS; i++)
		snprintf(talk->account.topic[i].name, TALK_TEXT_MAX,
		    "topic-%u%.*s", i, (int)between(talk, 0, 40),
		    ".with.a.name.that.is.longer.than.others.are");
	for (unsigned i = 0; i < TALK_GROUPS; i++)
		snprintf(talk->groups[i], TALK_TEXT_MAX, "group-%u", i);
	snprintf(talk->account.client[0].id, TALK_TEXT_MAX, "client-%u",
	    between(talk, 0, 99999));
	/* The second is empty, the third is none. */
	talk->account.client[2].null = true;
}

static void
draw_message(struct talk *talk, struct talk_message *message)
{
	static const struct {
		int16_t api, version;
	} kinds[] = {{TALK_API_VERSIONS, 3}, {TALK_METADATA, 9},
	    {TALK_PRODUCE, 9}, {TALK_PRODUCE, 9}, {TALK_FETCH, 11},
	    {TALK_FETCH, 12}};
	unsigned kind = talk->count == 0 ? 0 : between(talk, 0, 5);

	*message = (struct talk_message){.api = kinds[kind].api,
	    .version = kinds[kind].version,
	    .flexible = kinds[kind].version != 11};
	if (talk->has_groups && talk->count > 0 && percent(talk, 50))
		talk_group_draw(talk, message);
	message->correlation = (int32_t)(talk->count + 100);
	message->client = percent(talk, 80) ? 0 : (uint8_t)between(talk, 1, 2);
	if (message->api == TALK_PRODUCE)
		message->acks = (int16_t)((int)between(talk, 0, 2) - 1);
	message->answered = message->api != TALK_PRODUCE || message->acks != 0;
}

/* A share of what is left to write. */
static uint32_t
budget(struct talk *talk, enum sim_who who, size_t bytes)
{
	size_t left =
	    bytes > talk->bytes[who].len ? bytes - talk->bytes[who].len : 0;

	return between(talk, 0, (uint32_t)left / between(talk, 2, 20));
}

static void
add(struct talk_counts *to, const struct talk_counts *more)
{
	to->requests += more->requests;
	to->responses += more->responses;
	to->request_bytes += more->request_bytes;
	to->response_bytes += more->response_bytes;
	to->records_in += more->records_in;
	to->records_out += more->records_out;
	to->errors += more->errors;
	to->throttled += more->throttled;
}

static void
open_talk(struct talk *talk, uint64_t seed, size_t client_bytes,
    size_t broker_bytes, bool has_groups)
{
	memset(talk, 0, sizeof(*talk));
	talk->has_groups = has_groups;
	talk->random = seed;
	talk->pipeline = between(talk, 1, PIPELINE_MAX);
	talk->answer_ns = between(talk, 0, ANSWER_MAX_US) * 1000ull;
	name_all(talk);
	do {
		struct talk_message *message = &talk->messages[talk->count];

		draw_message(talk, message);
		put_request(
		    talk, message, budget(talk, SIM_CLIENT, client_bytes));
		if (message->answered)
			put_response(talk, message,
			    budget(talk, SIM_BROKER, broker_bytes));
		talk->count++;
	} while (talk->count < TALK_MESSAGES_MAX &&
	    talk->bytes[SIM_CLIENT].len < client_bytes &&
	    talk->bytes[SIM_BROKER].len < broker_bytes);
	for (unsigned api = 0; api < TALK_APIS; api++)
		add(&talk->account.total, &talk->account.api[api]);
}

void
talk_open(
    struct talk *talk, uint64_t seed, size_t client_bytes, size_t broker_bytes)
{
	open_talk(talk, seed, client_bytes, broker_bytes, false);
}

void
talk_open_groups(
    struct talk *talk, uint64_t seed, size_t client_bytes, size_t broker_bytes)
{
	open_talk(talk, seed, client_bytes, broker_bytes, true);
}

void
talk_free(struct talk *talk)
{
	free(talk->bytes[SIM_CLIENT].bytes);
	free(talk->bytes[SIM_BROKER].bytes);
}
