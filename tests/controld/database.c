/* SPDX-License-Identifier: Apache-2.0 */
#include "database.h"

#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "transaction.h"
#include "world.h"

void
database_init(struct database *database)
{
	make_dir(database->dir);
	database->path = strdup(path_in(database->dir, "lightpath.db"));
}

void
database_fini(struct database *database)
{
	remove_dir(database->dir);
	free(database->path);
}

int
database_try_open(struct database *database, struct lp_store **store,
    uint64_t epoch, bool read_only)
{
	const struct lp_store_options options = {
	    .path = database->path, .epoch = epoch, .read_only = read_only};

	database->why[0] = '\0';
	return lp_store_open(
	    store, &database->current, &options, database->why);
}

struct lp_store *
database_open(struct database *database)
{
	struct lp_store *store = NULL;
	int err = database_try_open(database, &store, 0, false);

	ck_assert_msg(err == 0, "%s", database->why);
	return store;
}

void
database_close(struct database *database, struct lp_store *store)
{
	lp_store_close(store);
	lp_config_fini(&database->current.config);
}

void
database_check_refused(struct database *database, const char *wanted)
{
	struct lp_store *store = NULL;

	ck_assert_int_lt(database_try_open(database, &store, 0, false), 0);
	ck_assert_msg(
	    strncmp(database->why, database->path, strlen(database->path)) == 0,
	    "%s", database->why);
	ck_assert_msg(strstr(database->why, wanted) != NULL,
	    "\"%s\" lacks \"%s\"", database->why, wanted);
}

int
database_try_commit(
    struct database *database, struct lp_store *store, const char *text)
{
	struct lp_generation next = {0};
	uint32_t next_id = lp_store_next_id(store);
	int err;

	lp_config_init(&next.config);
	ck_assert_int_eq(
	    lp_config_copy(&next.config, &database->current.config), 0);
	apply(&next.config, &next_id, text);
	err = lp_store_commit(store, &database->current, &next, next_id,
	    "tester", text, database->why);
	lp_config_fini(err == 0 ? &database->current.config : &next.config);
	if (err == 0)
		database->current = next;
	return err;
}

void
database_commit(
    struct database *database, struct lp_store *store, const char *text)
{
	ck_assert_msg(database_try_commit(database, store, text) == 0, "%s",
	    database->why);
}

void
database_sql(struct database *database, const char *text)
{
	sqlite3 *raw;
	char *error = NULL;

	ck_assert_int_eq(sqlite3_open(database->path, &raw), SQLITE_OK);
	/* A daemon of the test's may write, too. */
	sqlite3_busy_timeout(raw, 10000);
	sqlite3_exec(raw, text, NULL, NULL, &error);
	ck_assert_msg(error == NULL, "%s", error);
	sqlite3_close(raw);
}

int64_t
database_int(struct database *database, const char *text)
{
	sqlite3 *raw;
	sqlite3_stmt *statement;
	int64_t value;

	ck_assert_int_eq(sqlite3_open(database->path, &raw), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_prepare_v2(raw, text, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(raw);
	return value;
}
