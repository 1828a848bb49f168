/* SPDX-License-Identifier: Apache-2.0 */
/* add-cluster, set-cluster, del-cluster */
#include "cli/cmd.h"

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
	return LP_EXIT_OK;
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
	if (name == NULL)
		return lp_change_nothing(error);
	change->cluster.name = (char *)name;
	return lp_change_check_size(error, "name", name, LP_NAME_SIZE);
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
