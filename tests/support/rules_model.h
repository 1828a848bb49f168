/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules mean, asked one by one: as slow as it is plain, and written from
 * proto/rule.h and the head of pipeline/rules.h alone.
 */
#ifndef LP_TESTS_SUPPORT_RULES_MODEL_H
#define LP_TESTS_SUPPORT_RULES_MODEL_H

#include "dataplane/rules.h"

struct rules_model {
	struct lp_rules_rule *rules; /* sorted by rules_model_sort() */
	size_t count;
	struct lp_rules_names names;
};

/* Into their order: a rule's index is then its row. */
void rules_model_sort(struct rules_model *model);

/* request NULL: of the connection as it opens. */
void rules_model_find(const struct rules_model *model,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request, struct lp_rules_found *out);

/* Names "n1" to "n9", of whatever field. */
uint32_t rules_model_name(
    void *context, unsigned field, const char *name, uint16_t len);

#endif
