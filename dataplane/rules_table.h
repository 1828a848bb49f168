/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of pipeline/rules.h while they are being filled: each tuple has
 * slots that grow.  Entries come in the order of rules, so that a tuple's
 * first one is its first row, and chains grow at their ends.  Internal to
 * dataplane/rules.c.
 */
#ifndef LP_DATAPLANE_RULES_TABLE_H
#define LP_DATAPLANE_RULES_TABLE_H

#include "dataplane/rules_draft.h"

enum {
	/* Of each field that may be in keys: 2 bytes of length, and a text. */
	LP_RULES_KEY_MAX =
	    LP_RULES_TEXTS * (2 + LP_RULES_TEXT_MAX) + 2 * 16 + 6 * 4,
	LP_RULES_TUPLE_INDEX = 2 * LP_RULES_TUPLES_MAX,
};

struct lp_rules_grown {
	uint64_t hash;
	uint32_t entry; /* 0: free */
	uint32_t last; /* of its chain */
	uint32_t length;
	uint32_t key_size;
};

struct lp_rules_tuple_draft {
	struct lp_rules_tuple tuple; /* its places are found at the end */
	struct lp_rules_grown *slots; /* open addressing, at most half full */
	uint32_t mask;
	uint32_t used;
};

struct lp_rules_table_draft {
	struct lp_rules_list tuples; /* struct lp_rules_tuple_draft */
	uint16_t index[LP_RULES_TUPLE_INDEX]; /* tuple + 1; 0: free */
};

struct lp_rules_tables {
	struct lp_rules_table_draft table[LP_RULES_TABLES];
	struct lp_rules_list words; /* uint64_t */
	struct lp_rules_pool conditions; /* struct lp_rules_condition */
	const struct lp_rules_term *terms;
	uint32_t entry_count;
	uint32_t chain_max;
};

/* An entry to be put: its tuple, its key, its conditions. */
struct lp_rules_put {
	uint16_t parts[LP_RULES_PARTS_PER_TUPLE];
	uint8_t part_count;
	uint32_t fields;
	uint64_t hash;
	uint32_t row;
	uint32_t key_size;
	struct lp_rules_condition condition;
	uint8_t key[LP_RULES_KEY_MAX];
};

/* 0, -ENOMEM; -ENOSPC: too many tuples; -E2BIG: too many entries. */
int lp_rules_table_put(struct lp_rules_tables *tables,
    enum lp_rules_table_kind kind, const struct lp_rules_put *put);

/*
 * Makes tables, filters, places, words and conditions of *rules.  0, -ENOMEM,
 * -EAGAIN: with this seed two keys have the same hash.
 */
int lp_rules_table_freeze(
    struct lp_rules *rules, struct lp_rules_tables *tables);

void lp_rules_table_free(struct lp_rules_tables *tables);

#endif
