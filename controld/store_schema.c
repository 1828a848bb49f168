/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store_schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/log.h"

static int back_up(struct lp_store_sql *sql, int64_t version);
static int migrate(struct lp_store_sql *sql,
    const struct lp_schema_migration *migration, size_t version);

int
lp_store_schema_check(struct lp_store_sql *sql, size_t newest, int64_t *version)
{
	int64_t application = 0, tables = 0;
	char health[256] = "";
	int err;

	err = lp_store_sql_int(sql, &application, "PRAGMA application_id");
	if (err == 0)
		err = lp_store_sql_int(sql, version, "PRAGMA user_version");
	if (err == 0)
		err = lp_store_sql_int(
		    sql, &tables, "SELECT count(*) FROM sqlite_schema");
	if (err != 0)
		return err;
	if (application == 0 && *version == 0 && tables == 0)
		return 0;
	if (application != LP_STORE_APPLICATION_ID)
		return lp_store_sql_refuse(sql, -EINVAL,
		    "is a database of another program (application id %#llx)",
		    (unsigned long long)application);
	if (*version < 1 || *version > (int64_t)newest)
		return lp_store_sql_refuse(sql, -EINVAL,
		    "has schema %lld, this lp-controld knows up to %zu: a "
		    "newer lp-controld made it; use that one",
		    (long long)*version, newest);
	/* quick_check: all but indices against tables, in linear time. */
	err = lp_store_sql_text(
	    sql, health, sizeof(health), "PRAGMA quick_check(1)");
	if (err == 0 && strcmp(health, "ok") != 0)
		return lp_store_sql_refuse(sql, -EUCLEAN,
		    "is damaged (%s); restore it from a copy", health);
	return err;
}

int
lp_store_schema_migrate(struct lp_store_sql *sql,
    const struct lp_schema_migration *migrations, size_t count, int64_t version)
{
	int err = 0;

	if (version > 0 && version < (int64_t)count)
		err = back_up(sql, version);
	for (size_t i = (size_t)version; err == 0 && i < count; i++)
		err = migrate(sql, &migrations[i], i + 1);
	return err;
}

static int
back_up(struct lp_store_sql *sql, int64_t version)
{
	char *copy;
	int err;

	if (asprintf(&copy, "%s.schema-%lld", sql->path, (long long)version) <
	    0)
		return lp_store_sql_refuse(sql, -ENOMEM, "out of memory");
	/* Left by an attempt that failed after it: the same content. */
	if (unlink(copy) != 0 && errno != ENOENT)
		err = lp_store_sql_refuse(sql, -errno,
		    "%s cannot be replaced: %s", copy, strerror(errno));
	else
		err = lp_store_sql_run(sql, "VACUUM INTO ?", "t", copy);
	if (err == 0)
		lp_log_info("%s: schema %lld, copied to %s", sql->path,
		    (long long)version, copy);
	free(copy);
	return err;
}

static int
migrate(struct lp_store_sql *sql, const struct lp_schema_migration *migration,
    size_t version)
{
	char mark[128];
	int err;

	snprintf(mark, sizeof(mark),
	    "PRAGMA application_id = %d; PRAGMA user_version = %zu; COMMIT",
	    LP_STORE_APPLICATION_ID, version);
	err = lp_store_sql_exec(sql, "BEGIN IMMEDIATE");
	if (err == 0)
		err = lp_store_sql_exec(sql, migration->sql);
	if (err == 0)
		err = lp_store_sql_exec(sql, mark);
	if (err == 0) {
		lp_log_info("%s: now of schema %zu (%s)", sql->path, version,
		    migration->name);
		return 0;
	}
	if (sqlite3_get_autocommit(sql->db) == 0)
		sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}
