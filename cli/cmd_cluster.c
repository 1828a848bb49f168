/* SPDX-License-Identifier: Apache-2.0 */
/* add-cluster, set-cluster, del-cluster */
#include <string.h>

#include "cli/cmd.h"

static int set_same(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error);
static void set_discover(
    struct lp_change *change, const struct lp_words *words);

int
lp_cmd_cluster_add(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__ADD,
		LP_OBJECT_CLUSTER, NULL, words->operands[0], error))
		return error->status;
	change->cluster.name = change->operation.name;
	lp_change_existence(change, words);
	set_discover(change, words);
	return set_same(change, words, error);
}

int
lp_cmd_cluster_set(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	const char *name = lp_command_value(words, LP_OPTION_NAME, NULL);

	(void)lpctl;
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__SET,
		LP_OBJECT_CLUSTER, NULL, words->operands[0], error))
		return error->status;
	if (words->option_count == 0)
		return lp_change_nothing(error);
	change->cluster.name = (char *)name;
	if (name != NULL &&
	    lp_change_check_size(error, "name", name, LP_NAME_SIZE))
		return error->status;
	set_discover(change, words);
	return set_same(change, words, error);
}

int
lp_cmd_cluster_del(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	lp_change_existence(change, words);
	return lp_change_begin(change, LP__PB__OPERATION__VERB__DEL,
	    LP_OBJECT_CLUSTER, NULL, words->operands[0], error);
}

/* Without the option nothing is said of it. */
static int
set_same(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error)
{
	static char none[] = "";
	const char *name = lp_command_value(words, LP_OPTION_SAME_AS, NULL);

	if (name == NULL)
		return LP_EXIT_OK;
	if (strcmp(name, "none") == 0) {
		change->operation.same_as = none;
		return LP_EXIT_OK;
	}
	change->operation.same_as = (char *)name;
	return lp_change_check_size(error, "same_as", name, LP_NAME_SIZE);
}

/* One of its words: the parser sees to that. */
static void
set_discover(struct lp_change *change, const struct lp_words *words)
{
	const char *value = lp_command_value(words, LP_OPTION_DISCOVER, NULL);

	change->cluster.has_discover = value != NULL;
	change->cluster.discover = value != NULL && strcmp(value, "on") == 0;
}
