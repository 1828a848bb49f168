/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store_confirm.h"

#include <errno.h>
#include <stdio.h>

static int read_row(void *arg, sqlite3_stmt *row);

int
lp_store_confirm_save(
    struct lp_store_sql *sql, const struct lp_store_waiting *waiting)
{
	return lp_store_sql_run(sql,
	    "INSERT OR REPLACE INTO confirm (only_row, generation, back_to, "
	    "wait_ms, until_ns, who) VALUES (1, ?, ?, ?, ?, ?)",
	    "iiiit", (int64_t)waiting->generation, (int64_t)waiting->back_to,
	    (int64_t)waiting->wait_ms, (int64_t)waiting->until_ns,
	    waiting->who);
}

int
lp_store_confirm_clear(struct lp_store_sql *sql)
{
	return lp_store_sql_run(sql, "DELETE FROM confirm", "");
}

int
lp_store_confirm_load(
    struct lp_store_sql *sql, struct lp_store_waiting *waiting)
{
	*waiting = (struct lp_store_waiting){0};
	return lp_store_sql_each(sql,
	    "SELECT generation, back_to, wait_ms, until_ns, who FROM confirm",
	    0, read_row, waiting);
}

static int
read_row(void *arg, sqlite3_stmt *row)
{
	struct lp_store_waiting *waiting = arg;
	int64_t wait_ms = sqlite3_column_int64(row, 2);
	const char *who = (const char *)sqlite3_column_text(row, 4);

	waiting->generation = (uint64_t)sqlite3_column_int64(row, 0);
	waiting->back_to = (uint64_t)sqlite3_column_int64(row, 1);
	waiting->wait_ms =
	    wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX;
	waiting->until_ns = (uint64_t)sqlite3_column_int64(row, 3);
	snprintf(
	    waiting->who, sizeof(waiting->who), "%s", who != NULL ? who : "");
	return 0;
}
