/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Produce v9, Fetch v12 and Metadata v9: flexible, and topics have names.
 */
#include "script.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/pipeline/checksum.h"
#include "segment.h"

enum {
	PRODUCE = 0,
	PRODUCE_VERSION = 9,
	FETCH = 1,
	FETCH_VERSION = 12,
	METADATA = 3,
	METADATA_VERSION = 9,
	PARTITIONS = 12, /* of its topic */
	FETCH_RECORDS = 1 << 20,
	SMALL_RECORDS = 200,
	PIPELINED_RECORDS = 16384,
	IN_FLIGHT = 5,
	ROOM = 1 << 16,
};

static void fetch(struct script *script, unsigned train, unsigned number);
static void produce(struct script *script, unsigned train, unsigned number);
static void pipelined(struct script *script, unsigned train, unsigned number);
static void count_cycle(struct script *script);
static void volley(
    struct script *script, enum lp_direction dir, unsigned train, bool acks);
static void packet(
    struct script *script, enum lp_direction dir, uint32_t len, uint32_t ack);
static void put(struct script *script, enum lp_direction dir, uint64_t value,
    unsigned width);
static void put_text(
    struct script *script, enum lp_direction dir, const char *text);
static uint32_t begin_request(struct script *script, int16_t key,
    int16_t version, uint32_t correlation_id, unsigned number);
static uint32_t begin_response(struct script *script, uint32_t correlation_id);
static void end_frame(
    struct script *script, enum lp_direction dir, uint32_t begin);
static void put_topic(
    struct script *script, enum lp_direction dir, unsigned number);
static void put_records(
    struct script *script, enum lp_direction dir, uint32_t len);
static void put_fetch(struct script *script, unsigned number);
static void put_fetched(struct script *script, unsigned number);
static void put_metadata(struct script *script, unsigned number);
static void put_cluster(
    struct script *script, unsigned brokers, unsigned number);
static void put_partitions(struct script *script, unsigned brokers);
static void put_produce(struct script *script, uint32_t correlation_id,
    unsigned number, uint32_t records);
static void put_produced(
    struct script *script, uint32_t correlation_id, unsigned number);

const char *const script_names[SCRIPT_KINDS] = {
    [SCRIPT_FETCH] = "fetch",
    [SCRIPT_PRODUCE] = "produce",
    [SCRIPT_PIPELINED] = "pipelined",
};

void
script_make(struct script *script, enum script_kind kind, unsigned train,
    unsigned number)
{
	static void (*const makers[SCRIPT_KINDS])(
	    struct script *, unsigned, unsigned) = {
	    [SCRIPT_FETCH] = fetch,
	    [SCRIPT_PRODUCE] = produce,
	    [SCRIPT_PIPELINED] = pipelined,
	};

	memset(script, 0, sizeof(*script));
	makers[kind](script, train, number);
	count_cycle(script);
}

void
script_metadata(struct script *script, unsigned brokers, unsigned number)
{
	memset(script, 0, sizeof(*script));
	put_metadata(script, number);
	volley(script, LP_TO_BROKER, 1, false);
	put_cluster(script, brokers, number);
	volley(script, LP_TO_CLIENT, 1, false);
	count_cycle(script);
}

void
script_free(struct script *script)
{
	free(script->packets);
	free(script->bytes[LP_TO_BROKER]);
	free(script->bytes[LP_TO_CLIENT]);
}

static void
count_cycle(struct script *script)
{
	for (unsigned i = script->cycle; i < script->count; i++)
		script->cycle_bytes[script->packets[i].dir] +=
		    script->packets[i].len;
}

/* All but its first and last volley lie inside the records. */
static void
fetch(struct script *script, unsigned train, unsigned number)
{
	put_fetch(script, number);
	volley(script, LP_TO_BROKER, train, false);
	put_fetched(script, number);
	volley(script, LP_TO_CLIENT, train, true);
	script->jump_step = train + (train + 1) / 2;
	script->jump = script->count > 1 + script->jump_step
	    ? 1 + script->jump_step
	    : script->count;
	script->jumps = (script->count - script->jump) / script->jump_step;
}

static void
produce(struct script *script, unsigned train, unsigned number)
{
	put_produce(script, 1, number, SMALL_RECORDS);
	volley(script, LP_TO_BROKER, train, false);
	put_produced(script, 1, number);
	volley(script, LP_TO_CLIENT, train, false);
}

/* Four are sent at first, then a fifth before each response. */
static void
pipelined(struct script *script, unsigned train, unsigned number)
{
	for (uint32_t i = 0; i < IN_FLIGHT - 1; i++)
		put_produce(script, i, number, PIPELINED_RECORDS);
	volley(script, LP_TO_BROKER, train, true);
	script->cycle = script->count;
	for (uint32_t i = 0; i < IN_FLIGHT; i++) {
		put_produce(script, (i + IN_FLIGHT - 1) % IN_FLIGHT, number,
		    PIPELINED_RECORDS);
		volley(script, LP_TO_BROKER, train, true);
		put_produced(script, i, number);
		volley(script, LP_TO_CLIENT, train, false);
	}
}

/* ---- segments ------------------------------------------------------------ */

/* All that has not been sent; one acknowledgement for every two segments. */
static void
volley(struct script *script, enum lp_direction dir, unsigned train, bool acks)
{
	enum lp_direction back = (enum lp_direction) !dir;
	uint32_t ack = script->sent[back];

	while (script->sent[dir] < script->len[dir]) {
		uint32_t from = script->sent[dir];

		for (unsigned i = 0;
		     i < train && script->sent[dir] < script->len[dir]; i++) {
			uint32_t left = script->len[dir] - script->sent[dir];

			packet(script, dir,
			    left < PAYLOAD_MAX ? left : PAYLOAD_MAX, ack);
		}
		while (acks && from < script->sent[dir]) {
			from += 2 * PAYLOAD_MAX;
			if (from > script->sent[dir])
				from = script->sent[dir];
			packet(script, back, 0, from);
		}
	}
}

static void
packet(struct script *script, enum lp_direction dir, uint32_t len, uint32_t ack)
{
	uint32_t at = script->sent[dir];
	struct script_packet *packets =
	    realloc(script->packets, (script->count + 1) * sizeof(*packets));

	if (packets == NULL)
		err(1, "script");
	script->packets = packets;
	packets[script->count++] = (struct script_packet){.at = at,
	    .ack = ack,
	    .len = (uint16_t)len,
	    .sum = len == 0
		? 0
		: lp_sum_word(lp_sum_add(0, script->bytes[dir] + at, len)),
	    .dir = (uint8_t)dir};
	script->sent[dir] += len;
}

/* ---- frames -------------------------------------------------------------- */

static uint8_t *
grow(struct script *script, enum lp_direction dir, uint32_t len)
{
	uint8_t *bytes = script->bytes[dir];

	while (script->room[dir] < script->len[dir] + len) {
		script->room[dir] += script->room[dir] + ROOM;
		bytes = realloc(bytes, script->room[dir]);
		if (bytes == NULL)
			err(1, "script");
		script->bytes[dir] = bytes;
	}
	script->len[dir] += len;
	return bytes + script->len[dir] - len;
}

static void
put(struct script *script, enum lp_direction dir, uint64_t value,
    unsigned width)
{
	uint8_t *at = grow(script, dir, width);

	while (width-- > 0)
		*at++ = (uint8_t)(value >> 8 * width);
}

/* A count or a length; 0 is null. */
static void
put_count(struct script *script, enum lp_direction dir, uint32_t count)
{
	uint32_t value = count + 1;

	for (; value >= 0x80; value >>= 7)
		put(script, dir, 0x80 | (value & 0x7f), 1);
	put(script, dir, value, 1);
}

static void
put_text(struct script *script, enum lp_direction dir, const char *text)
{
	size_t len = strlen(text);

	put_count(script, dir, (uint32_t)len);
	memcpy(grow(script, dir, (uint32_t)len), text, len);
}

static uint32_t
begin_request(struct script *script, int16_t key, int16_t version,
    uint32_t correlation_id, unsigned number)
{
	uint32_t begin = script->len[LP_TO_BROKER];
	char client[32];
	int len = snprintf(client, sizeof(client), "billing-%04u", number);

	put(script, LP_TO_BROKER, 0, 4);
	put(script, LP_TO_BROKER, (uint64_t)key, 2);
	put(script, LP_TO_BROKER, (uint64_t)version, 2);
	put(script, LP_TO_BROKER, correlation_id, 4);
	/* Flexible or not, the client id has a length of 2 bytes. */
	put(script, LP_TO_BROKER, (uint64_t)len, 2);
	memcpy(grow(script, LP_TO_BROKER, (uint32_t)len), client, (size_t)len);
	put(script, LP_TO_BROKER, 0, 1);
	return begin;
}

static uint32_t
begin_response(struct script *script, uint32_t correlation_id)
{
	uint32_t begin = script->len[LP_TO_CLIENT];

	put(script, LP_TO_CLIENT, 0, 4);
	put(script, LP_TO_CLIENT, correlation_id, 4);
	put(script, LP_TO_CLIENT, 0, 1);
	return begin;
}

static void
end_frame(struct script *script, enum lp_direction dir, uint32_t begin)
{
	lp_put32(script->bytes[dir] + begin, script->len[dir] - begin - 4);
}

static void
put_topic(struct script *script, enum lp_direction dir, unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), "orders-%04u", number);
	put_count(script, dir, 1);
	put_text(script, dir, name);
	put_count(script, dir, 1);
	put(script, dir, 3, 4); /* the partition */
}

static void
put_records(struct script *script, enum lp_direction dir, uint32_t len)
{
	uint8_t *at;

	put_count(script, dir, len);
	at = grow(script, dir, len);
	for (uint32_t i = 0; i < len; i++)
		at[i] = (uint8_t)(i * 7 + 1);
}

static void
put_fetch(struct script *script, unsigned number)
{
	enum lp_direction dir = LP_TO_BROKER;
	uint32_t begin = begin_request(script, FETCH, FETCH_VERSION, 1, number);

	put(script, dir, (uint64_t)-1, 4); /* replica */
	put(script, dir, 500, 4); /* max wait */
	put(script, dir, 1, 4);
	put(script, dir, 52428800, 4);
	put(script, dir, 1, 1); /* isolation */
	put(script, dir, 77, 4); /* session, epoch */
	put(script, dir, 5, 4);
	put_topic(script, dir, number);
	put(script, dir, 4, 4); /* epoch, offset, epoch, log start */
	put(script, dir, 1000, 8);
	put(script, dir, 4, 4);
	put(script, dir, (uint64_t)-1, 8);
	put(script, dir, FETCH_RECORDS, 4);
	put(script, dir, 0, 1 + 1); /* tags of partition and topic */
	put_count(script, dir, 0);
	put_count(script, dir, 0);
	put(script, dir, 0, 1);
	end_frame(script, dir, begin);
}

static void
put_fetched(struct script *script, unsigned number)
{
	enum lp_direction dir = LP_TO_CLIENT;
	uint32_t begin = begin_response(script, 1);

	put(script, dir, 0, 4 + 2); /* throttle time, error */
	put(script, dir, 77, 4);
	put_topic(script, dir, number);
	put(script, dir, 0, 2);
	for (unsigned i = 0; i < 3; i++) /* offsets */
		put(script, dir, 2000, 8);
	put_count(script, dir, 0);
	put(script, dir, (uint64_t)-1, 4);
	put_records(script, dir, FETCH_RECORDS);
	put(script, dir, 0, 1 + 1 + 1);
	end_frame(script, dir, begin);
}

static void
put_metadata(struct script *script, unsigned number)
{
	enum lp_direction dir = LP_TO_BROKER;
	uint32_t begin =
	    begin_request(script, METADATA, METADATA_VERSION, 1, number);
	char name[32];

	snprintf(name, sizeof(name), "orders-%04u", number);
	put_count(script, dir, 1);
	put_text(script, dir, name);
	put(script, dir, 0, 1); /* tags of the topic */
	put(script, dir, 0, 3 + 1); /* creation, authorized operations */
	end_frame(script, dir, begin);
}

static void
put_cluster(struct script *script, unsigned brokers, unsigned number)
{
	enum lp_direction dir = LP_TO_CLIENT;
	uint32_t begin = begin_response(script, 1);
	char text[64];

	put(script, dir, 0, 4); /* throttle time */
	put_count(script, dir, brokers);
	for (unsigned i = 0; i < brokers; i++) {
		put(script, dir, i, 4);
		snprintf(text, sizeof(text), "kafka-%03u.dc1.example.com", i);
		put_text(script, dir, text);
		put(script, dir, 9092, 4);
		snprintf(text, sizeof(text), "rack-%u", i % 3);
		put_text(script, dir, text);
		put(script, dir, 0, 1);
	}
	put_text(script, dir, "Zm9vYmFyYmF6cXV4MTIzNA");
	put(script, dir, 0, 4); /* controller */
	put_count(script, dir, 1);
	put(script, dir, 0, 2);
	snprintf(text, sizeof(text), "orders-%04u", number);
	put_text(script, dir, text);
	put(script, dir, 0, 1); /* not internal */
	put_partitions(script, brokers);
	put(script, dir, (uint64_t)INT32_MIN, 4); /* authorized operations */
	put(script, dir, 0, 1);
	put(script, dir, (uint64_t)INT32_MIN, 4);
	put(script, dir, 0, 1);
	end_frame(script, dir, begin);
}

static void
put_partitions(struct script *script, unsigned brokers)
{
	enum lp_direction dir = LP_TO_CLIENT;

	put_count(script, dir, PARTITIONS);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		put(script, dir, 0, 2);
		put(script, dir, i, 4);
		put(script, dir, i % brokers, 4); /* leader, epoch */
		put(script, dir, 7, 4);
		for (unsigned j = 0; j < 2; j++) { /* replicas, in sync */
			put_count(script, dir, 3);
			for (unsigned k = 0; k < 3; k++)
				put(script, dir, (i + k) % brokers, 4);
		}
		put_count(script, dir, 0);
		put(script, dir, 0, 1);
	}
}

static void
put_produce(struct script *script, uint32_t correlation_id, unsigned number,
    uint32_t records)
{
	enum lp_direction dir = LP_TO_BROKER;
	uint32_t begin = begin_request(
	    script, PRODUCE, PRODUCE_VERSION, correlation_id, number);

	put(script, dir, 0, 1); /* transactional id: null */
	put(script, dir, 1, 2); /* acks */
	put(script, dir, 30000, 4);
	put_topic(script, dir, number);
	put_records(script, dir, records);
	put(script, dir, 0, 1 + 1 + 1);
	end_frame(script, dir, begin);
}

static void
put_produced(struct script *script, uint32_t correlation_id, unsigned number)
{
	enum lp_direction dir = LP_TO_CLIENT;
	uint32_t begin = begin_response(script, correlation_id);

	put_topic(script, dir, number);
	put(script, dir, 0, 2);
	put(script, dir, 3000, 8); /* offset, time, log start */
	put(script, dir, (uint64_t)-1, 8);
	put(script, dir, 0, 8);
	put_count(script, dir, 0);
	put(script, dir, 0, 1 + 1 + 1);
	put(script, dir, 0, 4 + 1); /* throttle time */
	end_frame(script, dir, begin);
}
