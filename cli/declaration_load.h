/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside lp_declaration_load(): what its files share.  Nobody else includes
 * this.
 */
#ifndef LP_CLI_DECLARATION_LOAD_H
#define LP_CLI_DECLARATION_LOAD_H

#include <stddef.h>

#include "cli/declaration.h"
#include "cli/declaration_field.h"
#include "cli/declaration_names.h"

/*
 * A map of that kind into *declared, which is as by default; lp_object_check()
 * comes later.
 */
void lp_declaration_load_port(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared);
void lp_declaration_load_cluster(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared);
void lp_declaration_load_broker(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared);
void lp_declaration_load_listener(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared);
void lp_declaration_load_rule(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *map, struct lp_declared *declared);

/*
 * All have been read: of a cluster that is the same as another one, that this
 * stands for itself.
 */
void lp_declaration_load_cluster_same(struct lp_declaration_reading *reading,
    const struct lp_declaration_names *names, struct lp_declared *declared);

/* The set() of the key `owner`. */
void lp_declaration_load_owner(struct lp_declaration_reading *reading,
    const struct lp_yaml_node *node, void *declared);

/* Rows of their tables. */
#define LP_DECLARATION_AT(member)                                              \
	.offset = offsetof(struct lp_declared, member),                        \
	.size = sizeof(((struct lp_declared *)NULL)->member)
#define LP_DECLARATION_WORDS(words)                                            \
	.type = LP_DECLARATION_WORD, .parse = lp_##words##_parse,              \
	.name = lp_##words##_name
#define LP_DECLARATION_OWNER                                                   \
	{                                                                      \
		.key = "owner", .type = LP_DECLARATION_OTHER,                  \
		.kinds = 1 << LP_YAML_SCALAR, .needed = "a name",              \
		.set = lp_declaration_load_owner,                              \
	}

#endif
