/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disguises.
 *
 * Overview
 *
 * What there is to hide is known by its fact (facts.py classifies), not by the
 * API.  Each overlay is decided with the byte that ends the fact; bytes before
 * that one may have been forwarded already.  That is why of keys and versions
 * only the lower byte is changed.
 *
 * Hints
 *
 * A tagged field with endpoints gets the number of a tag that nobody has:
 * Kafka's are numbered from 0 on, and the generator refuses a release that has
 * number 127.  Decoders skip what they do not know by its size, in whatever
 * order (KIP-482).  An array that is no tagged field becomes empty, and its
 * bytes and the tagged fields behind it the value of one such field:
 *
 *	count, elements, tags		was
 *	1 | 1 tag size 0 0 0 ...	is, up to the end of the frame
 *
 * Versions
 *
 * A range ends where the tables end.  A key that they lack becomes one that
 * nobody has: 255, 254, ... of the same upper byte; clients map by key and
 * look none of them up.  If a range begins above ours its key has gone, so it
 * gets an end below its beginning: who compares both finds no version, who
 * looks at the end alone asks in a version that the broker refuses.
 *
 * Clients take part in transactions in the way of Produce 12 if the finalized
 * transaction.version is 2, whatever Produce is (KIP-890): both are lowered.
 *
 * Configurations
 *
 * A value is overwritten by asterisks: of text, and what everybody takes for
 * a mask and not for a name.
 */
#include "dataplane/kafka/disguise.h"

#include <assert.h>
#include <string.h>

#include "dataplane/kafka/names.h"

enum {
	SIZE_LEN = 4, /* of the frame's size, which does not count itself */
	PRODUCE = 0,
	API_VERSIONS = 18,
	PRODUCE_TRANSACTION_2 = 12, /* the first with that way */
	TRANSACTION_1 = 1,
	TAG = 0x7f, /* nobody has it; generate.py sees to that */
	TAG_LONG = 0x01, /* the last byte of a longer one, and zeros before */
	TAG_2_FIRST = 0xff, /* 16383, of two bytes: 0xff 0x7f */
	EMPTY = 1, /* a compact count */
	KEYS_UNKNOWN = 0x80, /* so many numbers end an upper byte */
	LOW_MAX = 0xff,
	REQUEST_VERSION_AT = 6, /* size, api_key before it */
	MASK = '*',
};

static bool hide_array(
    const struct lp_disguise *, const struct lp_fact *, struct lp_overlay *);
static bool clamp_key(
    struct lp_disguise *, const struct lp_fact *, struct lp_overlay *);
static bool clamp_min(
    struct lp_disguise *, const struct lp_fact *, struct lp_overlay *);
static bool clamp_max(struct lp_disguise *, const struct lp_fact *,
    int16_t last, struct lp_overlay *);
static bool is_secret(const struct lp_fact *);
static bool is_text(const struct lp_fact *, const char *);

void
lp_disguise_begin(
    struct lp_disguise *disguise, uint32_t size, int16_t produce_last)
{
	assert(size <= INT32_MAX);
	*disguise = (struct lp_disguise){
	    .end = size + SIZE_LEN,
	    .produce_last = produce_last,
	    .api_last = INT16_MAX,
	};
}

static bool
cover(struct lp_overlay *overlay, uint32_t at, uint32_t len, uint8_t fill)
{
	*overlay = (struct lp_overlay){.at = at, .len = len, .fill = fill};
	return len > 0;
}

/* The byte that ends a number. */
static bool
put_last_byte(struct lp_overlay *overlay, const struct lp_fact *fact, int byte)
{
	cover(overlay, fact->at + fact->width - 1, 1, 0);
	overlay->over_len = 1;
	overlay->over[0] = (uint8_t)byte;
	return true;
}

bool
lp_disguise_fact(struct lp_disguise *disguise, const struct lp_fact *fact,
    struct lp_overlay *overlay)
{
	bool is_transaction = disguise->is_transaction;

	switch (fact->kind) {
	case LP_FACT_HIDDEN_TAG:
		return put_last_byte(
		    overlay, fact, fact->width == 1 ? TAG : TAG_LONG);
	case LP_FACT_HIDDEN_SIZE:
		return cover(
		    overlay, fact->at + fact->width, (uint32_t)fact->value, 0);
	case LP_FACT_HIDDEN_ARRAY:
		return hide_array(disguise, fact, overlay);
	case LP_FACT_CONFIG_NAME:
		disguise->is_secret = is_secret(fact);
		return false;
	case LP_FACT_CONFIG_VALUE:
		return disguise->is_secret && fact->value > 0 &&
		    cover(overlay, fact->at, (uint32_t)fact->value, MASK);
	case LP_FACT_API_KEY:
		return clamp_key(disguise, fact, overlay);
	case LP_FACT_API_MIN:
		return clamp_min(disguise, fact, overlay);
	case LP_FACT_API_MAX:
		return clamp_max(disguise, fact, disguise->api_last, overlay);
	case LP_FACT_FEATURE_NAME:
		disguise->is_transaction =
		    disguise->is_capped && is_text(fact, "transaction.version");
		return false;
	case LP_FACT_FEATURE_MIN:
		/* A range that ended before would be none. */
		disguise->is_transaction &= fact->value <= TRANSACTION_1;
		return false;
	case LP_FACT_FEATURE_MAX:
	case LP_FACT_FINALIZED_MAX:
	case LP_FACT_FINALIZED_MIN:
		return is_transaction &&
		    clamp_max(disguise, fact, TRANSACTION_1, overlay);
	default:
		return false;
	}
}

bool
lp_disguise_request(int16_t key, int16_t version, struct lp_overlay *overlay)
{
	struct lp_kafka_api api;
	struct lp_fact fact = {
	    .at = REQUEST_VERSION_AT, .width = sizeof(version)};

	if (key != API_VERSIONS || !lp_kafka_api(key, &api) ||
	    version <= api.last || (version & LOW_MAX) == LOW_MAX)
		return false;
	return put_last_byte(overlay, &fact, LOW_MAX);
}

/* Bytes of a varint; it is put at `to`, if that is anywhere. */
static uint32_t
varint(uint8_t *to, uint32_t value)
{
	uint32_t len = 0;

	do {
		uint8_t more = value >= 0x80 ? 0x80 : 0;

		if (to != NULL)
			to[len] = (uint8_t)((value & 0x7f) | more);
		len++;
		value >>= 7;
	} while (value > 0);
	return len;
}

/* The first byte of its count is told: 0 null, 1 empty. */
static bool
hide_array(const struct lp_disguise *disguise, const struct lp_fact *fact,
    struct lp_overlay *overlay)
{
	uint32_t len = disguise->end - fact->at;
	uint8_t *over = overlay->over;
	uint32_t left; /* of the tag, its size and its value */

	/* An element has more bytes than these. */
	if (fact->value <= EMPTY || len < 4)
		return false;
	cover(overlay, fact->at, len, 0);
	*over++ = EMPTY;
	*over++ = 1;
	left = len - 2;
	/*
	 * Some values are too long for a size of n bytes, and too short for
	 * one of n + 1: they get a longer tag.
	 */
	for (uint32_t n = 1;; n++) {
		uint32_t value = left - 1 - n;

		if (varint(NULL, value) == n) {
			*over++ = TAG;
			over += varint(over, value);
			break;
		}
		if (varint(NULL, value - 1) == n) {
			*over++ = TAG_2_FIRST;
			*over++ = TAG;
			over += varint(over, value - 1);
			break;
		}
	}
	overlay->over_len = (uint8_t)(over - overlay->over);
	return true;
}

static bool
clamp_key(struct lp_disguise *disguise, const struct lp_fact *fact,
    struct lp_overlay *overlay)
{
	struct lp_kafka_api api;

	disguise->api_key = (int16_t)fact->value;
	if (!lp_kafka_api(disguise->api_key, &api)) {
		disguise->api_last = INT16_MAX;
		return put_last_byte(overlay, fact,
		    LOW_MAX - disguise->unknown++ % KEYS_UNKNOWN);
	}
	disguise->api_last = api.offered;
	if (disguise->api_key == PRODUCE &&
	    disguise->produce_last < api.offered)
		disguise->api_last = disguise->produce_last;
	return false;
}

static bool
clamp_min(struct lp_disguise *disguise, const struct lp_fact *fact,
    struct lp_overlay *overlay)
{
	uint32_t at = fact->at + fact->width;

	/* Its highest version follows, of as many bytes. */
	if (fact->value <= disguise->api_last ||
	    disguise->end - at < fact->width)
		return false;
	cover(overlay, at, fact->width, 0);
	overlay->over_len = 2;
	overlay->over[0] = (uint8_t)(disguise->api_last >> 8);
	overlay->over[1] = (uint8_t)disguise->api_last;
	disguise->api_last = INT16_MAX;
	return true;
}

static bool
clamp_max(struct lp_disguise *disguise, const struct lp_fact *fact,
    int16_t last, struct lp_overlay *overlay)
{
	if (fact->kind == LP_FACT_API_MAX && disguise->api_key == PRODUCE)
		disguise->is_capped |=
		    fact->value > last && last < PRODUCE_TRANSACTION_2;
	if (fact->value <= last)
		return false;
	disguise->failed |= fact->value > LOW_MAX;
	return put_last_byte(overlay, fact, last);
}

static bool
is_text(const struct lp_fact *fact, const char *text)
{
	return fact->full_len == strlen(text) &&
	    memcmp(fact->bytes, text, fact->full_len) == 0;
}

static bool
ends_with(const struct lp_fact *fact, const char *text)
{
	size_t len = strlen(text);

	return fact->len == fact->full_len && fact->len >= len &&
	    memcmp(fact->bytes + fact->len - len, text, len) == 0;
}

/* Whether the value of that configuration has addresses of hosts in it. */
static bool
is_secret(const struct lp_fact *name)
{
	static const char *const names[] = {"listeners", "host.name",
	    "controller.quorum.voters", "zookeeper.connect"};
	/* Of brokers' own, and of those that others have added. */
	static const char *const ends[] = {"advertised.listeners",
	    "advertised.host.name", "bootstrap.servers"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_text(name, names[i]))
			return true;
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(name, ends[i]))
			return true;
	return false;
}
