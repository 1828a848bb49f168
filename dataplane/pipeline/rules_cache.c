/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/pipeline/rules_cache.h"

static size_t make_key(struct lp_rules_cache_key *, const struct lp_rules *,
    const struct lp_rules_connection *, const struct lp_rules_request *);
static void give(const struct lp_rules_cache_place *, struct lp_rules_found *);
static void keep(struct lp_rules_cache_place *,
    const struct lp_rules_cache_key *, size_t, const struct lp_rules_found *);

void
lp_rules_cache_carve(struct lp_rules_cache *cache, struct lp_arena *arena)
{
	cache->places =
	    lp_arena_take(arena, LP_RULES_CACHE_PLACES, sizeof(*cache->places));
}

void
lp_rules_cache_request(struct lp_rules_cache *cache, uint64_t stamp,
    const struct lp_rules *rules, const struct lp_rules_connection *connection,
    const struct lp_rules_request *request, struct lp_rules_found *out)
{
	struct lp_rules_cache_place *place;
	struct lp_rules_cache_key key;
	size_t size = 0;

	assert(stamp != 0);
	if (rules->many)
		size = make_key(&key, rules, connection, request);
	if (size == 0) {
		lp_rules_request(rules, connection, request, out);
		return;
	}
	key.stamp = stamp;
	place = &cache->places[XXH3_64bits_withSeed(&key, size, rules->seed) %
	    LP_RULES_CACHE_PLACES];
	/* Lengths of texts are in front of them: so it ends where that does. */
	if (memcmp(&place->key, &key, size) == 0) {
		lp_count_add(cache->found, 1);
		give(place, out);
		return;
	}
	lp_count_add(cache->missed, 1);
	lp_rules_request(rules, connection, request, out);
	keep(place, &key, size, out);
}

/* Its size; 0: it is too long. */
static size_t
make_key(struct lp_rules_cache_key *key, const struct lp_rules *rules,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request)
{
	size_t len = 0;

	key->connection = *connection;
	key->frame_size = rules->asks_size ? request->frame_size : 0;
	key->api = request->api;
	key->version = request->version;
	key->acks = request->acks;
	key->from = request->from;
	key->undenied = request->undenied;
	key->has = key->cut = 0;
	for (unsigned i = 0; i < LP_RULES_TEXTS; i++) {
		const struct lp_rules_text *text = &request->text[i];

		key->lens[i] = 0;
		if (text->bytes == NULL)
			continue;
		if (text->len > LP_RULES_CACHE_TEXT - len)
			return 0;
		key->has |= (uint8_t)(1u << i);
		key->cut |= (uint8_t)(text->cut << i);
		static_assert(LP_RULES_TEXT_MAX <= UINT8_MAX, "a byte");
		key->lens[i] = (uint8_t)text->len;
		memcpy(key->texts + len, text->bytes, text->len);
		len += text->len;
	}
	return offsetof(struct lp_rules_cache_key, texts) + len;
}

static void
give(const struct lp_rules_cache_place *place, struct lp_rules_found *out)
{
	out->decides = place->decides;
	out->seen_count = place->seen_count;
	memcpy(out->seen, place->seen, sizeof(place->seen));
	out->more = 0;
	out->no_create = place->no_create;
	out->later = false;
}

static void
keep(struct lp_rules_cache_place *place, const struct lp_rules_cache_key *key,
    size_t size, const struct lp_rules_found *found)
{
	if (found->more > 0 || found->seen_count > LP_RULES_CACHE_SEEN)
		return;
	memcpy(&place->key, key, size);
	place->decides = found->decides;
	place->seen_count = (uint8_t)found->seen_count;
	memcpy(place->seen, found->seen, found->seen_count * sizeof(uint32_t));
	place->no_create = found->no_create;
}
