/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling rules for the packet path (pipeline/rules.h), one at a time: a
 * parsed match is large, what is kept of it is not.
 *
 *	lp_rules_new(&builder, seed, &names);
 *	lp_rules_add(builder, &rule, why);	as often as there are rules
 *	lp_rules_build(&rules, builder, why);
 *	lp_rules_discard(builder);
 *	lp_rules_free(rules);
 *
 * Control thread only.  What cannot be compiled is refused with the rule's id
 * and the limit; the builder may then only be discarded.
 */
#ifndef LP_DATAPLANE_RULES_H
#define LP_DATAPLANE_RULES_H

#include "dataplane/pipeline/rules.h"

struct lp_rules_builder;

/* Whose names a match may have: of CLUSTER, LISTENER and PORT. */
struct lp_rules_names {
	void *context;
	/* The id of the object with that name; 0: there is none. */
	uint32_t (*find)(
	    void *context, unsigned field, const char *name, uint16_t len);
};

struct lp_rules_rule {
	uint32_t id;
	uint32_t slot; /* see struct lp_rules_row */
	uint16_t priority;
	bool shadow;
	const struct lp_rule_match *match;
	const struct lp_rule_action *action;
};

/*
 * The seed is drawn for these rules alone: who does not know it cannot choose
 * texts that collide.  0 or -ENOMEM.
 */
int lp_rules_new(struct lp_rules_builder **out, uint64_t seed,
    const struct lp_rules_names *names);

/*
 * In any order.  Keeps nothing of the caller's.  0, or with a line in why
 *	-ENOENT	a name that is not configured
 *	-ENOSPC	more of something than there is room for
 *	-EINVAL	a text that is longer than what is read of a request's
 *	-ENOMEM
 */
int lp_rules_add(struct lp_rules_builder *builder,
    const struct lp_rules_rule *rule, char why[LP_WHY_SIZE]);

/*
 * 0 and *out, or with a line in why -ENOSPC, -ENOMEM; -EEXIST: an id twice, of
 * one priority.  That of two is not seen: ids are the caller's to keep apart;
 * -EAGAIN: no seed of some keeps all keys apart.  Once for each builder.
 */
int lp_rules_build(struct lp_rules **out, struct lp_rules_builder *builder,
    char why[LP_WHY_SIZE]);

/* Both accept NULL. */
void lp_rules_discard(struct lp_rules_builder *builder);
void lp_rules_free(struct lp_rules *rules);

#endif
