/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store_audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controld/store_confirm.h"
#include "controld/store_sql.h"
#include "proto/text.h"

struct reader {
	int (*row)(void *arg, const struct lp_store_audit *audit);
	void *arg;
};

static int read_row(void *arg, sqlite3_stmt *statement);
static const char *text_of(sqlite3_stmt *statement, int column);

int
lp_store_audit_add(struct lp_store *store, struct lp_store_audit *row,
    char why[LP_STORE_WHY_SIZE])
{
	struct lp_store_sql *sql = lp_store_sql_of(store, why);
	int err = lp_store_sql_exec(sql, "BEGIN IMMEDIATE");

	if (err == 0)
		err = lp_store_audit_insert(sql, row);
	return lp_store_sql_end(sql, err);
}

int
lp_store_audit_confirm(struct lp_store *store, struct lp_store_audit *row,
    char why[LP_STORE_WHY_SIZE])
{
	struct lp_store_sql *sql = lp_store_sql_of(store, why);
	int err = lp_store_sql_exec(sql, "BEGIN IMMEDIATE");

	if (err == 0)
		err = lp_store_confirm_clear(sql);
	if (err == 0)
		err = lp_store_audit_insert(sql, row);
	return lp_store_sql_end(sql, err);
}

int
lp_store_audit_result(struct lp_store *store, uint64_t number,
    const char *result, const char *text, char why[LP_STORE_WHY_SIZE])
{
	struct lp_store_sql *sql = lp_store_sql_of(store, why);
	char more[LP_STORE_AUDIT_TEXT + 1];
	size_t len = lp_text_fit(text, strlen(text), LP_STORE_AUDIT_TEXT);

	memcpy(more, text, len);
	more[len] = '\0';
	return lp_store_sql_run(sql,
	    "UPDATE audit SET result = ?, text = text || CASE WHEN cut "
	    "THEN ' ...: ' ELSE ': ' END || ?, cut = ? WHERE number = ?",
	    "ttii", result, more, (int64_t)(text[len] != '\0'),
	    (int64_t)number);
}

int
lp_store_audit_each(struct lp_store *store, uint32_t limit,
    int (*row)(void *arg, const struct lp_store_audit *audit), void *arg,
    char why[LP_STORE_WHY_SIZE])
{
	struct reader reader = {row, arg};

	return lp_store_sql_each(lp_store_sql_of(store, why),
	    "SELECT number, time_ns, who, came_from, role, request, result, "
	    "text, cut, generation FROM audit ORDER BY number DESC LIMIT ?",
	    limit == 0 ? -1 : (int64_t)limit, read_row, &reader);
}

int
lp_store_audit_insert(struct lp_store_sql *sql, struct lp_store_audit *row)
{
	char text[LP_STORE_AUDIT_TEXT + 1];
	size_t len =
	    lp_text_fit(row->text, strlen(row->text), LP_STORE_AUDIT_TEXT);
	int err;

	memcpy(text, row->text, len);
	text[len] = '\0';
	err = lp_store_sql_run(sql,
	    "INSERT INTO audit (time_ns, who, came_from, role, request, "
	    "result, text, cut, generation) "
	    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))",
	    "ittttttii", (int64_t)row->time_ns, row->who, row->from, row->role,
	    row->request, row->result, text,
	    (int64_t)(row->cut || row->text[len] != '\0'),
	    (int64_t)row->generation);
	if (err != 0)
		return err;
	row->number = (uint64_t)sqlite3_last_insert_rowid(sql->db);
	return lp_store_sql_run(sql, "DELETE FROM audit WHERE number <= ?", "i",
	    (int64_t)row->number - LP_STORE_AUDIT_ROWS);
}

static int
read_row(void *arg, sqlite3_stmt *statement)
{
	const struct reader *reader = arg;
	struct lp_store_audit row = {
	    .number = (uint64_t)sqlite3_column_int64(statement, 0),
	    .time_ns = (uint64_t)sqlite3_column_int64(statement, 1),
	    .who = text_of(statement, 2),
	    .from = text_of(statement, 3),
	    .role = text_of(statement, 4),
	    .request = text_of(statement, 5),
	    .result = text_of(statement, 6),
	    .text = text_of(statement, 7),
	    .cut = sqlite3_column_int(statement, 8) != 0,
	    .generation = (uint64_t)sqlite3_column_int64(statement, 9),
	};

	return reader->row(reader->arg, &row);
}

/* NULL only without memory: then it is better shown without than not. */
static const char *
text_of(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text != NULL ? (const char *)text : "?";
}
