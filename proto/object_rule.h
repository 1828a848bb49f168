/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule of a configuration, read: its two texts, parsed and checked together.
 */
#ifndef LP_PROTO_OBJECT_RULE_H
#define LP_PROTO_OBJECT_RULE_H

#include "proto/object.h"

struct lp_object_rule {
	struct lp_rule_match match;
	struct lp_rule_action action;
	/* What lp_rule_check() warns of; "": of nothing. */
	char warning[LP_WHY_SIZE];
};

/*
 * 0, or -EINVAL with the field (a constant string) and the reason in
 * why[LP_WHY_SIZE]: a text is none of the language, or not canonical, or the
 * two do not go together, or the priority is none.
 */
int lp_object_rule_read(struct lp_object_rule *out,
    const struct lp_rule_object *rule, const char **field, char *why);

/*
 * The same of one that has passed: not looked at again is whether it is
 * canonical, goes together, and what is to be warned of.
 */
int lp_object_rule_parse(struct lp_object_rule *out,
    const struct lp_rule_object *rule, const char **field, char *why);

/* The texts become canonical.  0, or -EINVAL as above. */
int lp_object_rule_normalise(
    struct lp_rule_object *rule, const char **field, char *why);

/*
 * Like strcmp(): whose turn it is first.  The higher priority's; of equal ones
 * the older rule's.
 */
int lp_object_rule_order(
    const struct lp_object *left, const struct lp_object *right);

/*
 * The text of a value that is a name, as a string; returns buf.  Names are
 * shorter, as is CLUSTER/NAME: what is longer names nothing, and is cut.
 */
char *lp_object_rule_text(char buf[2 * LP_NAME_SIZE],
    const struct lp_object_rule *rule, const struct lp_rule_value *value);

#endif
