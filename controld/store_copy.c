/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct lp_store_copy {
	sqlite3_backup *backup;
	sqlite3 *db; /* the copy */
	char *path;
	bool whole;
};

static int open_copy(struct lp_store_copy *copy, struct lp_store_sql *sql);

int
lp_store_copy_begin(
    struct lp_store_copy **out, struct lp_store_sql *sql, const char *path)
{
	struct lp_store_copy *copy = calloc(1, sizeof(*copy));
	int err = -ENOMEM;

	if (copy != NULL)
		copy->path = strdup(path);
	if (copy == NULL || copy->path == NULL)
		lp_store_sql_refuse(sql, -ENOMEM, "out of memory");
	else
		err = open_copy(copy, sql);
	if (err != 0) {
		lp_store_copy_end(copy);
		return err;
	}
	*out = copy;
	return 0;
}

int
lp_store_copy_step(struct lp_store_copy *copy, char *why)
{
	struct lp_store_sql sql = {
	    .db = copy->db, .path = copy->path, .why = why};
	int code = sqlite3_backup_step(copy->backup, LP_STORE_COPY_PAGES);
	int err;

	/* Somebody else writes into the database: later. */
	if (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return 1;
	if (code != SQLITE_DONE)
		return lp_store_sql_fail(&sql, code);
	code = sqlite3_backup_finish(copy->backup);
	copy->backup = NULL;
	err = code == SQLITE_OK
	    ? lp_store_sql_exec(&sql, "PRAGMA journal_mode = DELETE")
	    : lp_store_sql_fail(&sql, code);
	copy->whole = err == 0;
	return err;
}

void
lp_store_copy_end(struct lp_store_copy *copy)
{
	if (copy == NULL)
		return;
	if (copy->backup != NULL)
		sqlite3_backup_finish(copy->backup);
	sqlite3_close(copy->db);
	if (copy->path != NULL && copy->db != NULL && !copy->whole)
		unlink(copy->path);
	free(copy->path);
	free(copy);
}

/* In a file that is not there yet: nobody's is written over. */
static int
open_copy(struct lp_store_copy *copy, struct lp_store_sql *sql)
{
	int fd = open(copy->path,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct lp_store_sql ours = {.path = copy->path, .why = sql->why};
	int code, err;

	if (fd < 0)
		return lp_store_sql_refuse(
		    &ours, -errno, "%s", strerror(errno));
	close(fd);
	code = sqlite3_open_v2(copy->path, &copy->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
	ours.db = copy->db;
	if (code != SQLITE_OK)
		return lp_store_sql_fail(&ours, code);
	/* Else the last step waits for the disk, for all of it. */
	err = lp_store_sql_exec(&ours, "PRAGMA synchronous = OFF");
	if (err != 0)
		return err;
	copy->backup = sqlite3_backup_init(copy->db, "main", sql->db, "main");
	if (copy->backup == NULL)
		return lp_store_sql_fail(&ours, sqlite3_errcode(copy->db));
	return 0;
}
