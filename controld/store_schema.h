/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose database it is, and of which schema.  For store.c only.
 */
#ifndef LP_CONTROLD_STORE_SCHEMA_H
#define LP_CONTROLD_STORE_SCHEMA_H

#include "controld/store_sql.h"

/*
 * That the file is ours (or empty), whole, and not newer than we are; changes
 * nothing.  *version is its schema, 0 for an empty one.
 */
int lp_store_schema_check(
    struct lp_store_sql *sql, size_t newest, int64_t *version);

/*
 * Brings it from `version` to the newest schema, each migration in one
 * transaction.  A database that exists is copied to PATH.schema-N first.
 */
int lp_store_schema_migrate(struct lp_store_sql *sql,
    const struct lp_schema_migration *migrations, size_t count,
    int64_t version);

#endif
