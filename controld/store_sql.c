/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store_sql.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 2000 };

static char *make_uri(const char *path, bool read_only);
static bool has_log(const char *path);
static int bind_all(sqlite3_stmt *statement, const char *types, va_list args);
static int put_int(void *arg, sqlite3_stmt *statement);
static int put_text(void *arg, sqlite3_stmt *statement);

char *
lp_store_sql_path(const char *path)
{
	struct stat status;
	char *real = NULL;

	if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
		real = realpath(path, NULL);
	return real != NULL ? real : strdup(path);
}

int
lp_store_sql_open(struct lp_store_sql *sql, bool read_only)
{
	int flags = SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE |
	    (read_only ? SQLITE_OPEN_READONLY
		       : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	char *uri = make_uri(sql->path, read_only);
	int code;

	if (uri == NULL)
		return lp_store_sql_refuse(sql, -ENOMEM, "out of memory");
	code = sqlite3_open_v2(uri, &sql->db, flags, NULL);
	free(uri);
	if (code != SQLITE_OK)
		return lp_store_sql_fail(sql, code);
	sqlite3_busy_timeout(sql->db, BUSY_MS);
	if (!read_only && sqlite3_db_readonly(sql->db, "main") == 1)
		return lp_store_sql_refuse(sql, -EROFS, "is read-only");
	return 0;
}

void
lp_store_sql_close(struct lp_store_sql *sql)
{
	int code;

	sqlite3_finalize(sql->kept);
	sql->kept = NULL;
	code = sqlite3_close(sql->db);
	assert(code == SQLITE_OK); /* every statement was finalised */
	(void)code;
	sql->db = NULL;
}

int
lp_store_sql_exec(struct lp_store_sql *sql, const char *text)
{
	int code = sqlite3_exec(sql->db, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : lp_store_sql_fail(sql, code);
}

int
lp_store_sql_end(struct lp_store_sql *sql, int err)
{
	if (err == 0)
		err = lp_store_sql_exec(sql, "COMMIT");
	/* Some errors have rolled back by themselves. */
	if (err != 0 && sqlite3_get_autocommit(sql->db) == 0)
		sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

int
lp_store_sql_run(
    struct lp_store_sql *sql, const char *text, const char *types, ...)
{
	va_list args;
	int code = SQLITE_OK;

	if (sql->kept == NULL || strcmp(sqlite3_sql(sql->kept), text) != 0) {
		sqlite3_finalize(sql->kept);
		code = sqlite3_prepare_v3(sql->db, text, -1,
		    SQLITE_PREPARE_PERSISTENT, &sql->kept, NULL);
	}
	if (code != SQLITE_OK)
		return lp_store_sql_fail(sql, code);
	va_start(args, types);
	code = bind_all(sql->kept, types, args);
	va_end(args);
	if (code == SQLITE_OK)
		code = sqlite3_step(sql->kept);
	/* reset may change the error text. */
	code = code == SQLITE_ROW || code == SQLITE_DONE
	    ? 0
	    : lp_store_sql_fail(sql, code);
	sqlite3_reset(sql->kept);
	sqlite3_clear_bindings(sql->kept);
	return code;
}

int
lp_store_sql_int(struct lp_store_sql *sql, int64_t *out, const char *text)
{
	return lp_store_sql_each(sql, text, 0, put_int, out);
}

struct text_place {
	char *out;
	size_t size;
};

int
lp_store_sql_text(
    struct lp_store_sql *sql, char *out, size_t size, const char *text)
{
	struct text_place place = {out, size};

	return lp_store_sql_each(sql, text, 0, put_text, &place);
}

int
lp_store_sql_each(struct lp_store_sql *sql, const char *text, int64_t id,
    int (*row)(void *arg, sqlite3_stmt *statement), void *arg)
{
	sqlite3_stmt *statement;
	int err = 0;
	int code;

	code = sqlite3_prepare_v2(sql->db, text, -1, &statement, NULL);
	if (code != SQLITE_OK)
		return lp_store_sql_fail(sql, code);
	if (sqlite3_bind_parameter_count(statement) == 1)
		sqlite3_bind_int64(statement, 1, id);
	while (err == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW)
		err = row(arg, statement);
	if (err == 0 && code != SQLITE_DONE)
		err = lp_store_sql_fail(sql, code);
	sqlite3_finalize(statement);
	return err;
}

int
lp_store_sql_fail(struct lp_store_sql *sql, int code)
{
	int system = sqlite3_system_errno(sql->db);

	switch (code & 0xff) {
	case SQLITE_FULL:
		return lp_store_sql_refuse(
		    sql, -ENOSPC, "the disk is full; nothing was changed");
	case SQLITE_READONLY:
		return lp_store_sql_refuse(sql, -EROFS, "is read-only");
	case SQLITE_NOTADB:
		return lp_store_sql_refuse(
		    sql, -EINVAL, "is no SQLite database");
	case SQLITE_CORRUPT:
		return lp_store_sql_refuse(sql, -EUCLEAN,
		    "is damaged (%s); restore it from a copy",
		    sqlite3_errmsg(sql->db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return lp_store_sql_refuse(sql, -EBUSY,
		    "is locked by another program; nothing was changed");
	case SQLITE_CANTOPEN:
		return lp_store_sql_refuse(sql, system ? -system : -EIO,
		    "cannot be opened: %s",
		    system ? strerror(system) : sqlite3_errmsg(sql->db));
	case SQLITE_IOERR:
		return lp_store_sql_refuse(sql, system ? -system : -EIO,
		    "%s%s%s; nothing was changed", sqlite3_errmsg(sql->db),
		    system ? ": " : "", system ? strerror(system) : "");
	case SQLITE_NOMEM:
		return lp_store_sql_refuse(sql, -ENOMEM, "out of memory");
	default:
		return lp_store_sql_refuse(
		    sql, -EIO, "%s", sqlite3_errmsg(sql->db));
	}
}

int
lp_store_sql_refuse(struct lp_store_sql *sql, int err, const char *format, ...)
{
	int len = snprintf(sql->why, LP_STORE_WHY_SIZE, "%.512s: ", sql->path);
	va_list args;

	va_start(args, format);
	vsnprintf(
	    sql->why + len, LP_STORE_WHY_SIZE - (size_t)len, format, args);
	va_end(args);
	return err;
}

/*
 * A WAL database that nobody has open has no log beside it; then SQLite can
 * read it as an immutable file and leaves no trace, even where the folder
 * cannot be written.
 */
static char *
make_uri(const char *path, bool read_only)
{
	static const char hex[] = "0123456789abcdef";
	char *uri = malloc(3 * strlen(path) + sizeof("file:?immutable=1"));
	char *out = uri;

	if (uri == NULL)
		return NULL;
	out = stpcpy(out, "file:");
	for (const char *in = path; *in != '\0'; in++) {
		uint8_t byte = (uint8_t)*in;

		if (isalnum(byte) || strchr("/._-", byte) != NULL) {
			*out++ = *in;
		} else {
			*out++ = '%';
			*out++ = hex[byte >> 4];
			*out++ = hex[byte & 15];
		}
	}
	*out = '\0';
	if (read_only && !has_log(path))
		strcpy(out, "?immutable=1");
	return uri;
}

static bool
has_log(const char *path)
{
	char *name;
	bool found;

	if (asprintf(&name, "%s-wal", path) < 0)
		return true;
	found = access(name, F_OK) == 0;
	free(name);
	return found;
}

static int
bind_all(sqlite3_stmt *statement, const char *types, va_list args)
{
	int code = SQLITE_OK;

	for (int i = 1; code == SQLITE_OK && *types != '\0'; i++, types++) {
		if (*types == 'i') {
			code = sqlite3_bind_int64(
			    statement, i, va_arg(args, int64_t));
		} else if (*types == 't') {
			code = sqlite3_bind_text(statement, i,
			    va_arg(args, const char *), -1, SQLITE_STATIC);
		} else {
			const void *bytes = va_arg(args, const void *);

			assert(*types == 'b');
			code = sqlite3_bind_blob64(statement, i, bytes,
			    va_arg(args, size_t), SQLITE_STATIC);
		}
	}
	return code;
}

static int
put_int(void *arg, sqlite3_stmt *statement)
{
	int64_t *out = arg;

	*out = sqlite3_column_int64(statement, 0);
	return 0;
}

static int
put_text(void *arg, sqlite3_stmt *statement)
{
	struct text_place *place = arg;
	const char *text = (const char *)sqlite3_column_text(statement, 0);

	snprintf(place->out, place->size, "%s", text != NULL ? text : "");
	return 0;
}
