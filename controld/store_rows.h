/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the rows of the tables and the objects of a configuration.  For
 * store.c only.
 */
#ifndef LP_CONTROLD_STORE_ROWS_H
#define LP_CONTROLD_STORE_ROWS_H

#include "controld/store_sql.h"

/*
 * All rows into *config, which must be initialised; each is checked by
 * itself.  0, or -errno and why.
 */
int lp_store_rows_load(struct lp_store_sql *sql, struct lp_config *config);

/*
 * Makes the rows of `from` into those of `to`, inside a transaction of the
 * caller's.  What is other is removed first and then inserted: so names and
 * endpoints may change places in one transaction.
 */
int lp_store_rows_save(struct lp_store_sql *sql, const struct lp_config *from,
    const struct lp_config *to);

#endif
