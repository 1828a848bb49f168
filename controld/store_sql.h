/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A little SQLite: statements in one call, errors as -errno and one line.
 * For store*.c only.
 */
#ifndef LP_CONTROLD_STORE_SQL_H
#define LP_CONTROLD_STORE_SQL_H

#include <sqlite3.h>
#include <stdint.h>

#include "controld/store.h"

struct lp_store_sql {
	sqlite3 *db;
	const char *path; /* for messages */
	char *why; /* of LP_STORE_WHY_SIZE: where they go */
	sqlite3_stmt *kept; /* of the last lp_store_sql_run() */
};

/* Of an open database; messages go to why from now on. */
struct lp_store_sql *lp_store_sql_of(
    struct lp_store *store, char why[LP_STORE_WHY_SIZE]);

/*
 * Where the database is: not at a link to it, as what lies beside it (its log,
 * the lock) is not beside the link.  The caller's to free; NULL: no memory.
 */
char *lp_store_sql_path(const char *path);

/* read_only: `path` is neither made nor changed. */
int lp_store_sql_open(struct lp_store_sql *sql, bool read_only);
void lp_store_sql_close(struct lp_store_sql *sql);

/* One or more statements without parameters. */
int lp_store_sql_exec(struct lp_store_sql *sql, const char *text);

/*
 * One statement; `types` names the arguments: 'i' int64_t, 't' const char *
 * (NULL: NULL), 'b' const void * and size_t.  Quick if it is the one before,
 * too.
 */
int lp_store_sql_run(
    struct lp_store_sql *sql, const char *text, const char *types, ...);

/* The first column of the first row; *out is unchanged if there is none. */
int lp_store_sql_int(struct lp_store_sql *sql, int64_t *out, const char *text);
int lp_store_sql_text(
    struct lp_store_sql *sql, char *out, size_t size, const char *text);

/*
 * Calls row for each row of the query, with the one parameter id if the text
 * has one.  Stops at the first result that is not 0, and returns it; row has
 * then filled in why.
 */
int lp_store_sql_each(struct lp_store_sql *sql, const char *text, int64_t id,
    int (*row)(void *arg, sqlite3_stmt *statement), void *arg);

/* Commits a transaction, or ends it if err is not 0.  Returns the result. */
int lp_store_sql_end(struct lp_store_sql *sql, int err);

/* Fills in why from the last error of SQLite; returns the -errno for it. */
int lp_store_sql_fail(struct lp_store_sql *sql, int code);

/* Fills in why: "PATH: ...".  Returns err. */
int lp_store_sql_refuse(struct lp_store_sql *sql, int err, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

#endif
