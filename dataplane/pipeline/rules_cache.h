/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules have said of requests, by connection, API and topic: clients ask
 * the same again and again.
 *
 * Only where rules are of many shapes (lp_rules.many): a question that has few
 * tuples to look at costs less than to find it here.
 *
 * The worker's own, in memory of the process.  A question is kept whole, with
 * all that rules can ask for, and compared whole: equal hashes say nothing.
 * Another generation has another stamp, so nothing of an old one is ever found.
 * Where two have one place the later one has it.  What is not kept: questions
 * with texts of more than LP_RULES_CACHE_TEXT bytes, and those of which more
 * than LP_RULES_CACHE_SEEN rules are told.
 */
#ifndef LP_PIPELINE_RULES_CACHE_H
#define LP_PIPELINE_RULES_CACHE_H

#include <string.h>

#include "dataplane/pipeline/arena.h"
#include "dataplane/pipeline/rules.h"
#include "dataplane/pipeline/stats.h"

enum {
	LP_RULES_CACHE_PLACES = 4096, /* a power of two */
	LP_RULES_CACHE_TEXT = 407,
	LP_RULES_CACHE_SEEN = 4,
};

/* Without holes: hashed and compared as bytes, up to the end of its texts. */
struct lp_rules_cache_key {
	uint64_t stamp; /* of the generation; 0: the place is free */
	struct lp_rules_connection connection;
	uint32_t frame_size; /* 0: no rule asks for it */
	int16_t api;
	int16_t version;
	int16_t acks;
	uint8_t from;
	uint8_t undenied;
	uint8_t has; /* 1 << place in lp_rules_request.text: not NULL */
	uint8_t cut;
	uint8_t lens[LP_RULES_TEXTS];
	uint8_t texts[LP_RULES_CACHE_TEXT];
};
static_assert(offsetof(struct lp_rules_cache_key, texts) ==
	8 + sizeof(struct lp_rules_connection) + 4 + 6 + 4 + LP_RULES_TEXTS,
    "no holes");

struct lp_rules_cache_place {
	struct lp_rules_cache_key key;
	uint32_t decides;
	uint32_t seen[LP_RULES_CACHE_SEEN];
	uint8_t seen_count;
	bool no_create;
};

static_assert(sizeof(struct lp_rules_cache_place) == 512, "whole lines");

struct lp_rules_cache {
	struct lp_rules_cache_place *places;
	lp_counter *found; /* borrowed: how often it was there */
	lp_counter *missed; /* and how often not, where it could be */
};

void lp_rules_cache_carve(struct lp_rules_cache *cache, struct lp_arena *arena);

/* As lp_rules_request(), of rules that have that stamp, which is not 0. */
void lp_rules_cache_request(struct lp_rules_cache *cache, uint64_t stamp,
    const struct lp_rules *rules, const struct lp_rules_connection *connection,
    const struct lp_rules_request *request, struct lp_rules_found *out);

#endif
