/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into the code of tables.h, for walk.c alone. */
#ifndef LP_KAFKA_BODIES_H
#define LP_KAFKA_BODIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/kafka/fact.h"
#include "dataplane/kafka/tables.h"

enum {
	LP_BODIES_NONE = 0, /* of a body; an LP_OP_END is there */
	LP_BODIES_TAGS_LEN = 2, /* LP_OP_TAGS and its count */
	LP_BODIES_TAG_LEN = 3, /* each known tag behind it */
};

/* NULL: the tables have no such API. */
static inline const struct lp_tables_key *
lp_bodies_key(int16_t key)
{
	if (key < 0 || key >= lp_tables_key_count ||
	    lp_tables_keys[key].name == NULL)
		return NULL;
	return &lp_tables_keys[key];
}

/* The body of a request (0) or response (1); NONE: there is none. */
static inline uint16_t
lp_bodies_find(int16_t key, int16_t version, unsigned which)
{
	const struct lp_tables_key *api = lp_bodies_key(key);

	if (api == NULL || version < api->first || version > api->last)
		return LP_BODIES_NONE;
	return lp_tables_bodies[api->bodies + 2 * (version - api->first) +
	    which];
}

/* The body that an operand at that place names. */
static inline uint16_t
lp_bodies_at(uint16_t pc)
{
	return (uint16_t)(lp_tables_code[pc] | lp_tables_code[pc + 1] << 8);
}

/* Of a tag's value, of the operation at pc; NONE: nobody asks for it. */
static inline uint16_t
lp_bodies_tag(uint16_t pc, uint32_t tag)
{
	uint16_t at = pc + LP_BODIES_TAGS_LEN;
	unsigned known =
	    lp_tables_code[pc] == LP_OP_TAGS ? lp_tables_code[pc + 1] : 0;

	for (; known > 0; known--, at += LP_BODIES_TAG_LEN)
		if (lp_tables_code[at] == tag)
			return lp_bodies_at(at + 1);
	return LP_BODIES_NONE;
}

/* Endpoints in a tagged field are hints: nobody has to be told of them. */
static inline bool
lp_bodies_is_hidden(uint16_t body)
{
	return lp_tables_code[body] == LP_OP_COMPACT_ARRAY &&
	    lp_tables_code[body + 1] == LP_FACT_ENDPOINTS;
}

#endif
