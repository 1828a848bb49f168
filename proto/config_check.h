/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside lp_config_check(): what its files share.
 *
 * config_check.c looks at objects, ids and names; config_check_peer.c at inline
 * ports and listeners; config_check_rule.c at rules; config_check_net.c at
 * addresses.  Nobody else includes this.
 */
#ifndef LP_PROTO_CONFIG_CHECK_H
#define LP_PROTO_CONFIG_CHECK_H

#include "proto/config.h"

struct lp_config_check {
	const struct lp_config *config;
	const struct lp_config *passed; /* that it was made of; or NULL */
	struct lp_config_error *error;
	/*
	 * All problems are wanted: what a listener owes many rules is its
	 * own, whichever of them is older.
	 */
	bool is_all;
};

typedef int lp_config_check_step(const struct lp_config_check *check);

/* Fills in the error, about this object; returns -EINVAL. */
int lp_config_check_refuse(const struct lp_config_check *check,
    const struct lp_object *object, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * After a refusal: what is not there (name "": any).  Returns what the refusal
 * has returned.
 */
int lp_config_check_lacks(const struct lp_config_check *check, int rc,
    enum lp_object_kind kind, const char *name);

/* Lists the objects of one kind, to be sorted; returns how many. */
size_t lp_config_check_list(const struct lp_config_check *check,
    enum lp_object_kind kind, const struct lp_object **list);

/*
 * Sorts the list; if two of it compare equal returns the one with the higher
 * id, and the other in *other.  NULL if there are no such two.
 */
const struct lp_object *lp_config_check_double(const struct lp_object **list,
    size_t count, int (*compare)(const void *a, const void *b),
    const struct lp_object **other);

/* Pairs of inline ports, and inline listeners; names are unique. */
lp_config_check_step lp_config_check_peer;

/* Rules, each by itself and with what it names. */
lp_config_check_step lp_config_check_rule;

/* Addresses, networks and endpoints; after everything else. */
lp_config_check_step lp_config_check_net;

/* Like strcmp(), for the numbers that objects are ordered by. */
static inline int
lp_config_check_order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

#endif
