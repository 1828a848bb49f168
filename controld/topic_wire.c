/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/topic_wire.h"

#include <string.h>

#define CLIENT_ID "lightpath-controld"

enum {
	KEY_METADATA = 3,
	KEY_API_VERSIONS = 18,
	HEAD_SIZE = 8,
	/* Content types of TLS, and what its versions begin with. */
	TLS_ALERT = 0x15,
	TLS_HANDSHAKE = 0x16,
	TLS_MAJOR = 3,
};

static size_t head(
    uint8_t *out, int16_t key, int16_t version, int32_t correlation_id);
static size_t close_frame(uint8_t *out, size_t len);
static uint8_t *put16(uint8_t *at, uint16_t value);
static uint8_t *put32(uint8_t *at, uint32_t value);
static uint32_t get32(const uint8_t *at);
static enum lp_topic_wire_result begin(struct lp_topic_wire *wire);
static enum lp_topic_wire_result walk(
    struct lp_topic_wire *wire, const uint8_t *bytes, size_t len);
static void take(struct lp_topic_wire *wire, const struct lp_fact *fact);
static void take_topic(struct lp_topic_wire *wire, const struct lp_fact *fact);

size_t
lp_topic_wire_ask_versions(
    uint8_t out[LP_TOPIC_WIRE_REQUEST_MAX], int32_t correlation_id)
{
	return close_frame(out, head(out, KEY_API_VERSIONS, 0, correlation_id));
}

size_t
lp_topic_wire_ask_metadata(uint8_t out[LP_TOPIC_WIRE_REQUEST_MAX],
    int32_t correlation_id, int16_t version)
{
	size_t len = head(out, KEY_METADATA, version, correlation_id);

	out[len++] = 0; /* no tagged fields of the header */
	out[len++] = 0; /* topics null: all */
	out[len++] = 0; /* makes none */
	if (version < 11)
		out[len++] = 0; /* operations on the cluster: not asked */
	out[len++] = 0; /* and on topics */
	out[len++] = 0; /* no tagged fields */
	return close_frame(out, len);
}

void
lp_topic_wire_versions(struct lp_topic_wire *wire, int32_t correlation_id)
{
	*wire = (struct lp_topic_wire){
	    .key = KEY_API_VERSIONS,
	    .correlation_id = correlation_id,
	    .size_max = LP_TOPIC_WIRE_VERSIONS_SIZE_MAX,
	    .metadata_min = -1,
	    .metadata_max = -1,
	};
}

void
lp_topic_wire_metadata(struct lp_topic_wire *wire, int32_t correlation_id,
    int16_t version, uint32_t size_max)
{
	*wire = (struct lp_topic_wire){
	    .key = KEY_METADATA,
	    .version = version,
	    .correlation_id = correlation_id,
	    .size_max = size_max,
	};
}

enum lp_topic_wire_result
lp_topic_wire_read(struct lp_topic_wire *wire, const uint8_t *bytes, size_t len)
{
	enum lp_topic_wire_result result;

	while (wire->head_len < HEAD_SIZE) {
		if (len == 0)
			return LP_TOPIC_WIRE_MORE;
		wire->head[wire->head_len++] = *bytes++;
		len--;
		if (wire->head_len == 2 && wire->head[1] == TLS_MAJOR &&
		    (wire->head[0] == TLS_ALERT ||
			wire->head[0] == TLS_HANDSHAKE))
			return LP_TOPIC_WIRE_TLS;
		if (wire->head_len < HEAD_SIZE)
			continue;
		result = begin(wire);
		if (result != LP_TOPIC_WIRE_MORE)
			return result;
	}
	return walk(wire, bytes, len);
}

int16_t
lp_topic_wire_version(const struct lp_topic_wire *wire)
{
	if (wire->metadata_max < LP_TOPIC_WIRE_METADATA_MIN ||
	    wire->metadata_min > LP_TOPIC_WIRE_METADATA_MAX)
		return -1;
	return wire->metadata_max < LP_TOPIC_WIRE_METADATA_MAX
	    ? wire->metadata_max
	    : LP_TOPIC_WIRE_METADATA_MAX;
}

/* Header v1; of v2 the tagged fields are to follow. */
static size_t
head(uint8_t *out, int16_t key, int16_t version, int32_t correlation_id)
{
	uint8_t *at = out + 4; /* size: see close_frame() */

	at = put16(at, (uint16_t)key);
	at = put16(at, (uint16_t)version);
	at = put32(at, (uint32_t)correlation_id);
	at = put16(at, sizeof(CLIENT_ID) - 1);
	memcpy(at, CLIENT_ID, sizeof(CLIENT_ID) - 1);
	return (size_t)(at - out) + sizeof(CLIENT_ID) - 1;
}

static size_t
close_frame(uint8_t *out, size_t len)
{
	put32(out, (uint32_t)len - 4);
	return len;
}

static uint8_t *
put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *
put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, (uint16_t)(value >> 16)), (uint16_t)value);
}

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

/* The head is there. */
static enum lp_topic_wire_result
begin(struct lp_topic_wire *wire)
{
	uint32_t size = get32(wire->head);

	if (size < 4 || size > INT32_MAX)
		return LP_TOPIC_WIRE_BAD;
	if (get32(wire->head + 4) != (uint32_t)wire->correlation_id)
		return size > wire->size_max ? LP_TOPIC_WIRE_BAD
					     : LP_TOPIC_WIRE_OTHER;
	if (size > wire->size_max)
		return LP_TOPIC_WIRE_LARGE;
	if (!lp_walk_knows(wire->key, wire->version))
		return LP_TOPIC_WIRE_BAD;
	lp_walk_response(&wire->walk, wire->key, wire->version, size);
	return LP_TOPIC_WIRE_MORE;
}

static enum lp_topic_wire_result
walk(struct lp_topic_wire *wire, const uint8_t *bytes, size_t len)
{
	struct lp_cursor in = {bytes, bytes + len};
	enum lp_walk_result result;
	struct lp_fact fact;

	for (;;) {
		size_t here = (size_t)(in.end - in.at);

		if (wire->skip > here) {
			wire->skip -= (uint32_t)here;
			return LP_TOPIC_WIRE_MORE;
		}
		in.at += wire->skip;
		wire->skip = 0;
		while ((result = lp_walk_next(&wire->walk, &in, &fact)) ==
		    LP_WALK_FACT)
			take(wire, &fact);
		if (result == LP_WALK_DONE)
			return LP_TOPIC_WIRE_DONE;
		if (result == LP_WALK_BAD)
			return LP_TOPIC_WIRE_BAD;
		wire->skip = lp_walk_skip(&wire->walk);
		if (wire->skip == 0)
			return LP_TOPIC_WIRE_MORE;
	}
}

static void
take(struct lp_topic_wire *wire, const struct lp_fact *fact)
{
	switch (fact->kind) {
	case LP_FACT_ERROR_CODE:
		if (!wire->in_topic && wire->error == 0)
			wire->error = (int16_t)fact->value;
		break;
	case LP_FACT_API_KEY:
		wire->api = (int16_t)fact->value;
		break;
	case LP_FACT_API_MIN:
		if (wire->api == KEY_METADATA)
			wire->metadata_min = (int16_t)fact->value;
		break;
	case LP_FACT_API_MAX:
		if (wire->api == KEY_METADATA)
			wire->metadata_max = (int16_t)fact->value;
		break;
	default:
		take_topic(wire, fact);
	}
}

static void
take_topic(struct lp_topic_wire *wire, const struct lp_fact *fact)
{
	struct lp_topic_id_pair *pair = &wire->pair;

	switch (fact->kind) {
	case LP_FACT_TOPIC_BEGIN:
		memset(pair, 0, sizeof(*pair));
		wire->in_topic = true;
		break;
	case LP_FACT_TOPIC_NAME:
		if (fact->null || fact->full_len != fact->len ||
		    !lp_topic_id_is_name(fact->bytes, fact->len))
			break;
		memcpy(pair->name, fact->bytes, fact->len);
		pair->len = (uint8_t)fact->len;
		break;
	case LP_FACT_TOPIC_ID:
		memcpy(pair->uuid, fact->bytes, LP_TOPIC_ID_SIZE);
		break;
	case LP_FACT_TOPIC_END:
		wire->in_topic = false;
		if (pair->len > 0 && !lp_topic_id_is_none(pair->uuid) &&
		    wire->topic != NULL)
			wire->topic(wire->arg, pair);
		break;
	default:
		break;
	}
}
