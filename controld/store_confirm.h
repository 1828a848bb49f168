/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the change that waits to be confirmed.  For store.c only. */
#ifndef LP_CONTROLD_STORE_CONFIRM_H
#define LP_CONTROLD_STORE_CONFIRM_H

#include "controld/store_sql.h"

/* Of the caller's transaction; *waiting replaces what was there. */
int lp_store_confirm_save(
    struct lp_store_sql *sql, const struct lp_store_waiting *waiting);
int lp_store_confirm_clear(struct lp_store_sql *sql);

/* All zero if there is none. */
int lp_store_confirm_load(
    struct lp_store_sql *sql, struct lp_store_waiting *waiting);

#endif
