/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "did you mean": the name an operator probably had in mind.
 */
#ifndef LP_CONTROLD_SUGGEST_H
#define LP_CONTROLD_SUGGEST_H

#include "proto/config.h"

/*
 * The nearest name of that kind (a listener: within the cluster), one or two
 * edits away from `name`.  NULL if nothing is that close.
 */
const char *lp_suggest_name(const struct lp_config *config,
    enum lp_object_kind kind, uint32_t cluster_id, const char *name);

#endif
