/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/address_talk.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/address_answer.h"
#include "tests/support/ensure.h"
#include "tests/support/random.h"
#include "tests/support/talk_write.h"

enum {
	PIPELINE_MAX = 8,
	NODE_LEN = 60, /* about, in an answer */
	PAUSE_MAX_US = 30000,
	NODES_MAX = 300, /* that are drawn */
	SPLIT_US = 20000,
	UUID_LEN = 16,
	RUN_MIN = 4, /* letters of a name that are no chance */
};

static uint32_t
between(struct address_talk *talk, uint32_t low, uint32_t high)
{
	return random_between(&talk->random, low, high);
}

static bool
percent(struct address_talk *talk, unsigned chance)
{
	return random_percent(&talk->random, chance);
}

void
address_talk_open(struct address_talk *talk, uint64_t seed,
    bool (*tell)(const struct address_node *node, struct address_node *as))
{
	memset(talk, 0, sizeof(*talk));
	talk->random = seed;
	talk->tell = tell;
	talk->pipeline = between(talk, 1, PIPELINE_MAX);
}

void
address_talk_free(struct address_talk *talk)
{
	for (unsigned who = 0; who < 2; who++)
		sim_bytes_free(&talk->bytes[who]);
	sim_bytes_free(&talk->told);
}

static void
put_some(struct sim_bytes *to, struct address_talk *talk, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		talk_write_i8(to, (int8_t)(between(talk, 0, 127) - 128));
}

static void
ask_metadata(struct sim_bytes *to, int16_t version)
{
	bool flexible = version >= 9;

	if (version == 0)
		talk_write_count(to, 0, false);
	else if (flexible)
		talk_write_i8(to, 0); /* all topics */
	else
		talk_write_i32(to, -1);
	if (version >= 4)
		talk_write_i8(to, 0);
	if (version >= 8 && version <= 10)
		talk_write_i8(to, 0);
	if (version >= 8)
		talk_write_i8(to, 0);
	talk_write_tags(to, flexible);
}

static void
ask_coordinator(struct sim_bytes *to, const struct address_message *message)
{
	int16_t version = message->version;
	bool flexible = version >= 3;

	if (version <= 3)
		talk_write_text(to, "group-of-tests", false, flexible);
	if (version >= 1)
		talk_write_i8(to, 0);
	if (version >= 4) {
		talk_write_count(to, message->nodes, true);
		for (uint32_t i = 0; i < message->nodes; i++)
			talk_write_text(to, "group-of-tests", false, true);
	}
	talk_write_tags(to, flexible);
}

static void
ask_cluster(struct sim_bytes *to, int16_t version)
{
	talk_write_i8(to, 0);
	if (version >= 1)
		talk_write_i8(to, 1);
	if (version >= 2)
		talk_write_i8(to, 1);
	talk_write_tags(to, true);
}

static void
ask_versions(struct sim_bytes *to, int16_t version)
{
	if (version < 3)
		return;
	talk_write_text(to, "talk", false, true);
	talk_write_text(to, "1.0", false, true);
	talk_write_tags(to, true);
}

static void
put_topic(
    struct sim_bytes *to, struct address_talk *talk, bool name, bool flexible)
{
	talk_write_count(to, 1, flexible);
	if (name)
		talk_write_text(to, "topic-1", false, flexible);
	else
		put_some(to, talk, UUID_LEN);
	talk_write_count(to, 1, flexible); /* partitions */
	talk_write_i32(to, 0);
}

static void
produce(struct sim_bytes *to, struct address_talk *talk,
    const struct address_message *message)
{
	bool flexible = message->version >= 9;
	uint32_t len = between(talk, 61, 700);

	talk_write_text(to, "", true, flexible);
	talk_write_i16(to, message->acks);
	talk_write_i32(to, 30000);
	put_topic(to, talk, message->version < 13, flexible);
	talk_write_length(to, len, flexible);
	put_some(to, talk, len);
	talk_write_tags(to, flexible); /* of the partition */
	talk_write_tags(to, flexible); /* of the topic */
	talk_write_tags(to, flexible);
}

static void
fetch(struct sim_bytes *to, struct address_talk *talk,
    const struct address_message *message)
{
	int16_t version = message->version;
	bool flexible = version >= 12;

	if (version <= 14)
		talk_write_i32(to, -1);
	talk_write_i32(to, 500);
	talk_write_i32(to, 1);
	talk_write_i32(to, 1 << 20);
	talk_write_i8(to, 0);
	if (version >= 7) {
		talk_write_i32(to, 0);
		talk_write_i32(to, -1);
	}
	put_topic(to, talk, version < 13, flexible);
	if (version >= 9)
		talk_write_i32(to, -1);
	talk_write_i64(to, 1000);
	if (version >= 12)
		talk_write_i32(to, -1);
	if (version >= 5)
		talk_write_i64(to, 0);
	talk_write_i32(to, 1 << 20);
	talk_write_tags(to, flexible); /* of the partition */
	talk_write_tags(to, flexible); /* of the topic */
	if (version >= 7)
		talk_write_count(to, 0, flexible); /* forgotten */
	if (version >= 11)
		talk_write_text(to, "", false, flexible); /* rack */
	talk_write_tags(to, flexible);
}

static void
share(struct sim_bytes *to, struct address_talk *talk,
    const struct address_message *message)
{
	bool fetches = message->api == ADDRESS_SHARE_FETCH;

	talk_write_text(to, "group-of-tests", false, true);
	talk_write_text(to, "member-of-tests", false, true);
	talk_write_i32(to, 1); /* epoch */
	for (unsigned i = 0; i < 5 && fetches; i++)
		talk_write_i32(to, 500); /* wait, bytes, records, batch */
	if (message->version >= 2 && fetches)
		talk_write_i8(to, 0);
	if (message->version >= 2)
		talk_write_i8(to, 0);
	put_topic(to, talk, false, true);
	talk_write_count(to, 0, true); /* acknowledged */
	talk_write_tags(to, true); /* of the partition */
	talk_write_tags(to, true); /* of the topic */
	if (fetches)
		talk_write_count(to, 0, true); /* forgotten */
	talk_write_tags(to, true);
}

static void
put_request(struct address_talk *talk, struct address_message *message)
{
	struct sim_bytes *to = &talk->bytes[SIM_CLIENT];
	enum address_api api = (enum address_api)message->api;
	int16_t version = message->version;

	message->request_at = talk_write_begin(to);
	talk_write_i16(to, message->api);
	talk_write_i16(to, version);
	talk_write_i32(to, message->correlation);
	talk_write_text(to, "client-of-tests", false, false);
	talk_write_tags(to, address_answer_flexible(api, version));
	if (api == ADDRESS_METADATA)
		ask_metadata(to, version);
	else if (api == ADDRESS_COORDINATOR)
		ask_coordinator(to, message);
	else if (api == ADDRESS_CLUSTER)
		ask_cluster(to, version);
	else if (api == ADDRESS_VERSIONS)
		ask_versions(to, version);
	else if (api == ADDRESS_PRODUCE)
		produce(to, talk, message);
	else if (api == ADDRESS_FETCH)
		fetch(to, talk, message);
	else
		share(to, talk, message);
	message->request_len = talk_write_end(to, message->request_at);
}

/* The answer as the broker says it, or as the client is to be told. */
static void
put_response(struct address_talk *talk, const struct address_message *message,
    struct sim_bytes *to, bool told, struct address_pen *pen)
{
	enum address_api api = (enum address_api)message->api;
	size_t begin = talk_write_begin(to);

	*pen = (struct address_pen){.to = to,
	    .random = talk->random,
	    .message = message,
	    .tell = told ? talk->tell : NULL,
	    .tells_hints = talk->tells_hints,
	    .long_hosts = talk->long_hosts,
	    .flexible = address_answer_flexible(api, message->version)};
	talk_write_i32(to, message->correlation);
	/* Of ApiVersions it never has tags: nobody knows its version yet. */
	talk_write_tags(to, pen->flexible && api != ADDRESS_VERSIONS);
	address_answer_put(pen);
	(void)talk_write_end(to, begin);
}

struct address_message *
address_talk_add(struct address_talk *talk, enum address_api api,
    int16_t version, uint32_t nodes, uint32_t filler)
{
	struct address_message *message = &talk->messages[talk->count];
	struct address_pen pen;

	ensure(talk->count < ADDRESS_MESSAGES_MAX, "too much to say");
	ensure(nodes <= ADDRESS_BROKERS_MAX, "too many brokers");
	*message = (struct address_message){.api = (int16_t)api,
	    .version = version,
	    .correlation = (int32_t)talk->count + 100,
	    .nodes = nodes,
	    .filler = filler};
	if (api == ADDRESS_PRODUCE)
		message->acks = (int16_t)((int)between(talk, 0, 2) - 1);
	message->answered = api != ADDRESS_PRODUCE || message->acks != 0;
	put_request(talk, message);
	message->response_at = talk->bytes[SIM_BROKER].len;
	message->told_at = talk->told.len;
	if (message->answered) {
		put_response(
		    talk, message, &talk->bytes[SIM_BROKER], false, &pen);
		put_response(talk, message, &talk->told, true, &pen);
		talk->random = pen.random;
		talk->nodes += pen.nodes;
		talk->edited += pen.changed > 0;
		talk->hinted += pen.hinted;
		talk->hidden += pen.hidden;
	}
	message->response_len =
	    talk->bytes[SIM_BROKER].len - message->response_at;
	message->told_len = talk->told.len - message->told_at;
	talk->count++;
	return message;
}

void
address_talk_draw(struct address_talk *talk, size_t bytes)
{
	static const struct {
		enum address_api api;
		int16_t low, high;
	} kinds[] = {{ADDRESS_METADATA, 0, 13}, {ADDRESS_METADATA, 0, 13},
	    {ADDRESS_COORDINATOR, 0, 6}, {ADDRESS_CLUSTER, 0, 2},
	    {ADDRESS_FETCH, 4, 18}, {ADDRESS_PRODUCE, 3, 13},
	    {ADDRESS_VERSIONS, 0, 3}, {ADDRESS_SHARE_FETCH, 1, 2},
	    {ADDRESS_SHARE_ACKNOWLEDGE, 1, 2}};
	/* Often the first thing that is said. */
	unsigned kind =
	    talk->count == 0 && percent(talk, 60) ? 6 : between(talk, 0, 8);
	uint32_t most = (uint32_t)(bytes / NODE_LEN);
	uint32_t nodes, filler;
	struct address_message *message;

	if (most > NODES_MAX)
		most = NODES_MAX;
	nodes = between(talk, 0, percent(talk, 50) && most > 5 ? 5 : most);
	filler = percent(talk, 40) ? 0 : between(talk, 0, (uint32_t)bytes);
	message = address_talk_add(talk, kinds[kind].api,
	    (int16_t)between(
		talk, (uint32_t)kinds[kind].low, (uint32_t)kinds[kind].high),
	    nodes, filler);
	message->pause_ns = between(talk, 0, PAUSE_MAX_US) * 1000ull;
}

static bool
is_letter(uint8_t byte)
{
	return byte == 'Q' || byte == 'Z' || byte == 'X' || byte == 'J';
}

bool
address_talk_leaks(const uint8_t *bytes, size_t len)
{
	unsigned run = 0;

	for (size_t i = 0; i < len; i++) {
		run = is_letter(bytes[i]) ? run + 1 : 0;
		if (run >= RUN_MIN)
			return true;
	}
	return memmem(bytes, len, ".253.", 5) != NULL ||
	    memmem(bytes, len, "fdfd", 4) != NULL;
}

/* Responses that the client has read whole. */
static void
hear(struct address_talk *talk, struct sim *sim)
{
	size_t len;

	sim_read(sim, SIM_CLIENT, &len);
	while (talk->heard < talk->asked) {
		const struct address_message *message =
		    &talk->messages[talk->heard];

		if (message->told_at + message->told_len > len)
			return;
		talk->heard++;
	}
}

static void
ask(struct address_talk *talk, struct sim *sim)
{
	while (talk->asked < talk->count &&
	    talk->asked < talk->heard + talk->pipeline) {
		const struct address_message *message =
		    &talk->messages[talk->asked++];

		sim_write(sim, SIM_CLIENT,
		    talk->bytes[SIM_CLIENT].bytes + message->request_at,
		    message->request_len);
		/* What is not answered is heard at once. */
		hear(talk, sim);
	}
}

/* The first part of an answer that is written in two; false: it is not. */
static bool
write_first(struct address_talk *talk, struct sim *sim,
    const struct address_message *message)
{
	if (talk->split_at <= message->response_at ||
	    talk->split_at >= message->response_at + message->response_len)
		return false;
	sim_write(sim, SIM_BROKER,
	    talk->bytes[SIM_BROKER].bytes + message->response_at,
	    talk->split_at - message->response_at);
	talk->due_ns = sim->now_ns + SPLIT_US * 1000ull;
	sim_wake(sim, SPLIT_US * 1000ull);
	talk->written = talk->split_at - message->response_at;
	talk->split_at = 0;
	return true;
}

static void
write_answer(struct address_talk *talk, struct sim *sim,
    const struct address_message *message)
{
	size_t len = message->response_len;
	size_t from = talk->written;

	talk->written = 0;

	if (talk->stop_at > 0 && message->response_at + len >= talk->stop_at)
		len = talk->stop_at > message->response_at
		    ? talk->stop_at - message->response_at
		    : 0;
	if (!sim->tcp[SIM_BROKER].shut)
		sim_write(sim, SIM_BROKER,
		    talk->bytes[SIM_BROKER].bytes + message->response_at + from,
		    len - from);
	if (len < message->response_len)
		sim_shut(sim, SIM_BROKER);
}

/* In order; each takes its time, from when the request was read. */
static void
answer(struct address_talk *talk, struct sim *sim)
{
	size_t len;

	sim_read(sim, SIM_BROKER, &len);
	while (talk->answered < talk->count) {
		const struct address_message *message =
		    &talk->messages[talk->answered];

		if (message->request_at + message->request_len > len)
			return;
		if (talk->due_ns == 0)
			talk->due_ns = sim->now_ns + message->pause_ns;
		if (sim->now_ns < talk->due_ns) {
			sim_wake(sim, talk->due_ns - sim->now_ns);
			return;
		}
		if (message->answered && write_first(talk, sim, message))
			return;
		if (message->answered)
			write_answer(talk, sim, message);
		talk->answered++;
		talk->due_ns = 0;
	}
}

void
address_talk_run(void *context, struct sim *sim)
{
	struct address_talk *talk = context;

	answer(talk, sim);
	hear(talk, sim);
	ask(talk, sim);
	/* The client closes when it has heard all; the broker then. */
	if (talk->heard == talk->count || sim_at_end(sim, SIM_CLIENT))
		sim_shut(sim, SIM_CLIENT);
	if (talk->answered == talk->count && sim_at_end(sim, SIM_BROKER))
		sim_shut(sim, SIM_BROKER);
}
