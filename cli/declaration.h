/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What files declare: objects by name, complete, each with its place.
 *
 * A declared object says all that is to be said of it: what the file leaves
 * out is as by default.  Ids mean nothing here; other objects are named.  It
 * comes from files (declaration_load.c) or from a configuration
 * (declaration_from.c: export, and a copy of the database), and becomes
 * operations (declaration_operation.h) or text (declaration_print.c).
 */
#ifndef LP_CLI_DECLARATION_H
#define LP_CLI_DECLARATION_H

#include "cli/yaml.h"
#include "proto/config.h"

struct lp_declared_choice {
	char listener[LP_NAME_SIZE]; /* of the broker's cluster */
	struct lp_endpoint vip;
};

struct lp_declared {
	/* id and cluster_id and same_as are 0; owner is in it. */
	struct lp_object object;
	char cluster[LP_NAME_SIZE]; /* of a broker or listener */
	char same_as[LP_NAME_SIZE]; /* of a cluster; "": of none */
	struct lp_declared_choice *choices; /* endpoints of a broker */
	size_t choice_count;
	/*
	 * Its map in a file, whose keys are the fields; of a cluster that a
	 * file just names at its top, that top.  NULL: of no file.
	 */
	const struct lp_yaml_node *node;
	bool is_broken; /* the report has an error of it */
};

struct lp_declaration {
	/*
	 * As a transaction adds them: ports, clusters, listeners, brokers
	 * (which choose endpoints of listeners), rules; of each kind as in the
	 * files.
	 */
	struct lp_declared *list;
	size_t count;
	/*
	 * The owners that the files name at their top, "" if one names none:
	 * objects of others are not theirs.  "" alone: the whole
	 * configuration, where each object may name its owner.
	 */
	char (*owners)[LP_OWNER_SIZE];
	size_t owner_count;
	struct lp_yaml **trees; /* that the nodes are of */
	size_t tree_count;
};

/*
 * Reads files and directories (all of *.yaml and *.yml in them, by name, not
 * deeper; "-" is standard input), and checks each object by itself.  0 also if
 * the report has errors: then what is there is what could be read; -ENOMEM.
 * Names of hosts stand for no address yet.
 */
int lp_declaration_load(struct lp_declaration *out, struct lp_report *report,
    const char *const *paths, size_t path_count);

/*
 * The same of one text, which it takes (malloc'ed, a NUL behind it), by a name
 * for messages.
 */
int lp_declaration_load_text(struct lp_declaration *out,
    struct lp_report *report, const char *name, char *text, size_t len);

/*
 * From a configuration: only what is an operator's, nothing discovered.  0, or
 * -ENOMEM.
 */
int lp_declaration_from_config(
    struct lp_declaration *out, const struct lp_config *config);
/* The same with brokers that were discovered, which say so; and ids. */
int lp_declaration_from_all(
    struct lp_declaration *out, const struct lp_config *config);

void lp_declaration_fini(struct lp_declaration *declaration);

/*
 * The place of a field, as messages name it, of an object of a file; of its
 * name, or of the whole, if it has none.
 */
struct lp_span lp_declaration_place(
    const struct lp_declared *declared, const char *field);

/* The key of a field, which messages may call otherwise than files do. */
const char *lp_declaration_key(
    const struct lp_declared *declared, const char *field);

/*
 * As a file of canonical form: the same for the same content, byte for byte.
 * Of one owner, who is named at its top; NULL: of all, each object with its
 * own.  JSON has the same structure.  0, or -ENOMEM.
 */
int lp_declaration_print(
    FILE *out, const struct lp_declaration *declaration, const char *owner);
int lp_declaration_print_json(
    FILE *out, const struct lp_declaration *declaration, const char *owner);

#endif
