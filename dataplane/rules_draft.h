/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules as they wait to be compiled: in the order in which they came, each
 * reduced to what its entries will be made of.  Internal to dataplane/rules.c.
 */
#ifndef LP_DATAPLANE_RULES_DRAFT_H
#define LP_DATAPLANE_RULES_DRAFT_H

#include "dataplane/rules.h"
#include "dataplane/rules_list.h"

/* One value of a field that is a part of keys. */
struct lp_rules_value {
	uint8_t field;
	uint8_t kind; /* enum lp_rules_part_kind */
	uint16_t len; /* of the part */
	uint16_t size; /* bytes in lp_rules_drafts.bytes */
	uint32_t at; /* of the first; or the number itself */
};

struct lp_rules_draft {
	struct lp_rules_row row;
	struct lp_rules_condition condition;
	uint32_t values; /* index of the first; in the order of fields */
	uint8_t value_count;
	uint8_t connection_terms; /* of the condition's, first */
};

struct lp_rules_drafts {
	struct lp_rules_list drafts; /* struct lp_rules_draft */
	struct lp_rules_list values; /* struct lp_rules_value */
	struct lp_rules_list bytes;
	struct lp_rules_list terms; /* struct lp_rules_term */
	struct lp_rules_pool actions; /* struct lp_rule_action */

	/* Which parts there are, and how many. */
	bool has_part[LP_RULE_FIELD_COUNT][2][LP_RULES_TEXT_MAX + 1];
	uint32_t part_count;
	/* By API, as bits: what a deny may be of; none: not asked yet. */
	uint64_t deniable[LP_RULES_APIS / 64];
};

/* As lp_rules_add(). */
int lp_rules_draft_add(struct lp_rules_drafts *drafts,
    const struct lp_rules_names *names, const struct lp_rules_rule *rule,
    char why[LP_WHY_SIZE]);

/* What it is charged for in answers, and what that has to know of requests. */
void lp_rules_draft_answers(struct lp_rules *rules,
    const struct lp_rules_drafts *drafts, const struct lp_rules_draft *draft);

/* Writes "rule ID: ..."; returns the error. */
int lp_rules_draft_refuse(char why[LP_WHY_SIZE], int error, uint32_t id,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Where has_part says whether there is that part: V6 and prefixes 1. */
static inline unsigned
lp_rules_draft_kind(unsigned kind)
{
	return kind == LP_RULES_PREFIX || kind == LP_RULES_V6;
}

void lp_rules_draft_free(struct lp_rules_drafts *drafts);

#endif
