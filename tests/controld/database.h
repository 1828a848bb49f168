/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database in a directory of the test's own.
 */
#ifndef LP_TESTS_CONTROLD_DATABASE_H
#define LP_TESTS_CONTROLD_DATABASE_H

#include "controld/store.h"

struct database {
	char dir[64];
	char *path;
	char why[LP_STORE_WHY_SIZE]; /* of the last that was refused */
	struct lp_generation current; /* of the store that is open */
};

/* For a checked fixture. */
void database_init(struct database *database);
void database_fini(struct database *database);

int database_try_open(struct database *database, struct lp_store **store,
    uint64_t epoch, bool read_only);
struct lp_store *database_open(struct database *database);
void database_close(struct database *database, struct lp_store *store);

/* That opening is refused with this in the message, after the path. */
void database_check_refused(struct database *database, const char *wanted);

/* One transaction; the second must succeed. */
int database_try_commit(
    struct database *database, struct lp_store *store, const char *text);
void database_commit(
    struct database *database, struct lp_store *store, const char *text);

/* What another program does to the file, and reads from it. */
void database_sql(struct database *database, const char *text);
int64_t database_int(struct database *database, const char *text);

#endif
