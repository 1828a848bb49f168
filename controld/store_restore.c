/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  A copy is verified, copied beside the database, made to go on
 * where the database was, and renamed into its place: until that moment
 * nothing has changed, and after it all has.
 *
 * What goes on: an epoch above all that dataplanes have seen, or they would
 * not obey; ids and generations that were given out since the copy was made
 * are not given out again.  Where the database cannot be read any more the
 * clock stands for what it said: no daemon is started once a second for
 * years.
 */
#include "controld/store_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "controld/clock.h"
#include "controld/store_copy.h"
#include "controld/store_lock.h"
#include "controld/store_schema.h"

enum {
	/* Ids that may have been given out since a copy was made. */
	UNKNOWN_IDS = 1 << 20,
};

static int open_verified(struct lp_store_sql *sql, const char *path,
    struct lp_store_facts *facts, char *why);
static int verify_schema(
    struct lp_store_sql *sql, struct lp_store_facts *facts);
static int read_facts(struct lp_store_sql *sql, struct lp_store_facts *facts);
static int restore(struct lp_store_sql *sql, const char *copy, const char *who,
    struct lp_store_facts *facts);
static int take_log_in(const char *path, char *why);
static int copy_beside(struct lp_store_sql *from, const char *path, char *why);
static void go_on(
    struct lp_store_facts *facts, const struct lp_store_facts *replaced);
static int mark(const char *path, const char *copy, const char *who,
    const struct lp_store_facts *facts, char *why);
static int mark_waiting(
    struct lp_store_sql *sql, const struct lp_store_facts *facts);
static int put_in_place(struct lp_store_sql *sql, const char *beside);
static int keep_part(struct lp_store_sql *sql, const char *part);
static void drop_part(const struct lp_store_sql *sql, const char *part);
static int sync_directory(struct lp_store_sql *sql);
static int sync_path(const char *path);

int
lp_store_restore_check(
    const char *path, struct lp_store_facts *facts, char why[LP_STORE_WHY_SIZE])
{
	struct lp_store_sql sql = {.path = path, .why = why};
	char *real = lp_store_sql_path(path);
	int err;

	if (real == NULL)
		return lp_store_sql_refuse(&sql, -ENOMEM, "out of memory");
	err = open_verified(&sql, real, facts, why);
	lp_store_sql_close(&sql);
	free(real);
	return err;
}

int
lp_store_restore_run(const char *path, const char *copy, const char *who,
    struct lp_store_facts *facts, char why[LP_STORE_WHY_SIZE])
{
	struct lp_store_sql sql = {.path = path, .why = why};
	char *real = lp_store_sql_path(path), *from = lp_store_sql_path(copy);
	int lock = -ENOMEM, err;

	if (real != NULL && from != NULL) {
		sql.path = real;
		lock = lp_store_lock_take(&sql);
	} else {
		lp_store_sql_refuse(&sql, -ENOMEM, "out of memory");
	}
	err = lock;
	if (lock >= 0) {
		err = restore(&sql, from, who, facts);
		snprintf(facts->path, sizeof(facts->path), "%s", real);
		close(lock);
	}
	free(real);
	free(from);
	return err;
}

/* sql is to be closed in every case. */
static int
open_verified(struct lp_store_sql *sql, const char *path,
    struct lp_store_facts *facts, char *why)
{
	int err;

	*facts = (struct lp_store_facts){0};
	*sql = (struct lp_store_sql){.path = path, .why = why};
	if (access(path, R_OK) != 0)
		return lp_store_sql_refuse(sql, -errno, "%s", strerror(errno));
	err = lp_store_sql_open(sql, true);
	if (err == 0)
		err = verify_schema(sql, facts);
	return err != 0 ? err : read_facts(sql, facts);
}

static int
verify_schema(struct lp_store_sql *sql, struct lp_store_facts *facts)
{
	char health[256] = "";
	int err = lp_store_schema_check(sql, lp_schema_count, &facts->schema);

	if (err == 0 && facts->schema == 0)
		err = lp_store_sql_refuse(
		    sql, -EINVAL, "is empty: no lp-controld has used it");
	if (err == 0)
		err = lp_store_sql_text(
		    sql, health, sizeof(health), "PRAGMA integrity_check(1)");
	if (err == 0 && strcmp(health, "ok") != 0)
		err = lp_store_sql_refuse(
		    sql, -EUCLEAN, "is damaged (%s)", health);
	return err;
}

static int
read_facts(struct lp_store_sql *sql, struct lp_store_facts *facts)
{
	int64_t epoch = 0, next_id = 0, number = 0, time_ns = 0, kept = 0;
	int err = lp_store_sql_text(sql, facts->database_id,
	    sizeof(facts->database_id), "SELECT database_id FROM meta");

	if (err == 0)
		err = lp_store_sql_int(sql, &epoch, "SELECT epoch FROM meta");
	if (err == 0)
		err =
		    lp_store_sql_int(sql, &next_id, "SELECT next_id FROM meta");
	if (err == 0)
		err = lp_store_sql_int(
		    sql, &number, "SELECT max(number) FROM generation");
	if (err == 0)
		err = lp_store_sql_int(sql, &time_ns,
		    "SELECT time_ns FROM generation "
		    "ORDER BY number DESC LIMIT 1");
	if (err == 0)
		err = lp_store_sql_int(
		    sql, &kept, "SELECT count(*) FROM generation");
	if (err == 0 &&
	    (epoch < 0 || next_id < 1 || next_id > UINT32_MAX || number < 1))
		err = lp_store_sql_refuse(sql, -EINVAL,
		    "has no generation, or no sensible row in meta");
	facts->epoch = (uint64_t)epoch;
	facts->next_id = (uint32_t)next_id;
	facts->generation = (uint64_t)number;
	facts->time_ns = (uint64_t)time_ns;
	facts->kept = (uint64_t)kept;
	return err;
}

static int
restore(struct lp_store_sql *sql, const char *copy, const char *who,
    struct lp_store_facts *facts)
{
	struct lp_store_facts replaced;
	struct lp_store_sql old = {0}, from = {0};
	char ignored[LP_STORE_WHY_SIZE];
	char *beside;
	int err = open_verified(&from, copy, facts, sql->why);

	if (err == 0 && asprintf(&beside, "%s.restoring", sql->path) < 0)
		err = lp_store_sql_refuse(sql, -ENOMEM, "out of memory");
	if (err != 0) {
		lp_store_sql_close(&from);
		return err;
	}
	if (take_log_in(sql->path, ignored) != 0 ||
	    open_verified(&old, sql->path, &replaced, ignored) != 0)
		replaced = (struct lp_store_facts){0};
	lp_store_sql_close(&old);
	go_on(facts, &replaced);
	unlink(beside); /* of one that was cut: only we write it */
	err = copy_beside(&from, beside, sql->why);
	lp_store_sql_close(&from);
	if (err == 0)
		err = mark(beside, copy, who, facts, sql->why);
	if (err == 0)
		err = put_in_place(sql, beside);
	if (err != 0)
		unlink(beside);
	free(beside);
	return err;
}

/* What was committed lies in the log until somebody moves it. */
static int
take_log_in(const char *path, char *why)
{
	struct lp_store_sql sql = {.path = path, .why = why};
	int err = access(path, F_OK) == 0 ? 0 : -errno;

	if (err == 0)
		err = lp_store_sql_open(&sql, false);
	if (err == 0)
		err =
		    lp_store_sql_exec(&sql, "PRAGMA wal_checkpoint(TRUNCATE)");
	lp_store_sql_close(&sql);
	return err;
}

static int
copy_beside(struct lp_store_sql *from, const char *path, char *why)
{
	struct lp_store_copy *copy;
	int err = lp_store_copy_begin(&copy, from, path);

	if (err != 0)
		return err;
	do
		err = lp_store_copy_step(copy, why);
	while (err > 0);
	lp_store_copy_end(copy);
	return err;
}

static void
go_on(struct lp_store_facts *facts, const struct lp_store_facts *replaced)
{
	uint64_t clock_s = lp_clock_time_ns() / 1000000000;

	if (replaced->epoch > facts->epoch)
		facts->epoch = replaced->epoch;
	if (replaced->kept == 0 && clock_s > facts->epoch)
		facts->epoch = clock_s;
	if (replaced->next_id > facts->next_id)
		facts->next_id = replaced->next_id;
	else if (replaced->kept == 0 && facts->next_id < UINT32_MAX / 2)
		facts->next_id += UNKNOWN_IDS;
	if (replaced->generation > facts->generation)
		facts->generation = replaced->generation;
	facts->generation++;
	facts->kept++;
}

/* The newest generation once more, under a number of its own. */
static int
mark(const char *path, const char *copy, const char *who,
    const struct lp_store_facts *facts, char *why)
{
	struct lp_store_sql sql = {.path = path, .why = why};
	char comment[512];
	int err = lp_store_sql_open(&sql, false);

	snprintf(comment, sizeof(comment), "restored from %.400s", copy);
	if (err == 0)
		err = lp_store_sql_exec(&sql, "BEGIN IMMEDIATE");
	if (err == 0)
		err = lp_store_sql_run(&sql,
		    "UPDATE meta SET epoch = ?, next_id = ?", "ii",
		    (int64_t)facts->epoch, (int64_t)facts->next_id);
	if (err == 0)
		err = mark_waiting(&sql, facts);
	if (err == 0)
		err = lp_store_sql_run(&sql,
		    "INSERT INTO generation (number, time_ns, who, comment, "
		    "digest, content) SELECT ?, ?, ?, ?, digest, content "
		    "FROM generation ORDER BY number DESC LIMIT 1",
		    "iitt", (int64_t)facts->generation,
		    (int64_t)lp_clock_time_ns(), who, comment);
	if (err == 0)
		err = lp_store_sql_exec(&sql, "COMMIT");
	lp_store_sql_close(&sql);
	return err;
}

/* What was not confirmed then is not by this: it waits on. */
static int
mark_waiting(struct lp_store_sql *sql, const struct lp_store_facts *facts)
{
	int64_t found = 0;
	int err = lp_store_sql_int(sql, &found,
	    "SELECT count(*) FROM sqlite_schema WHERE name = 'confirm'");

	if (err != 0 || found == 0)
		return err; /* of a version that has none */
	return lp_store_sql_run(sql,
	    "UPDATE confirm SET generation = ? WHERE generation = "
	    "(SELECT max(number) FROM generation)",
	    "i", (int64_t)facts->generation);
}

/*
 * What was there has another name, too, before the one rename that counts.
 * Its log is part of it only if it is damaged: else it was taken in.
 */
static int
put_in_place(struct lp_store_sql *sql, const char *beside)
{
	int err = sync_path(beside);

	if (err != 0)
		return lp_store_sql_refuse(
		    sql, err, "%s: %s", beside, strerror(-err));
	err = keep_part(sql, "");
	if (err == 0)
		err = keep_part(sql, "-wal");
	if (err != 0)
		return err;
	drop_part(sql, "-wal");
	drop_part(sql, "-shm");
	if (rename(beside, sql->path) != 0)
		return lp_store_sql_refuse(sql, -errno,
		    "%s cannot be renamed to it: %s", beside, strerror(errno));
	return sync_directory(sql);
}

static int
keep_part(struct lp_store_sql *sql, const char *part)
{
	char *from = NULL, *to = NULL;
	int err = 0;

	if (asprintf(&from, "%s%s", sql->path, part) < 0 ||
	    asprintf(&to, "%s.before-restore%s", sql->path, part) < 0)
		err = lp_store_sql_refuse(sql, -ENOMEM, "out of memory");
	else if (unlink(to) != 0 && errno != ENOENT)
		err = lp_store_sql_refuse(sql, -errno,
		    "%s cannot be replaced: %s", to, strerror(errno));
	else if (link(from, to) != 0 && errno != ENOENT)
		err = lp_store_sql_refuse(sql, -errno,
		    "cannot be kept as %s: %s", to, strerror(errno));
	free(from);
	free(to);
	return err;
}

static void
drop_part(const struct lp_store_sql *sql, const char *part)
{
	char *path;

	if (asprintf(&path, "%s%s", sql->path, part) < 0)
		return;
	unlink(path);
	free(path);
}

static int
sync_directory(struct lp_store_sql *sql)
{
	char *path = strdup(sql->path);
	int err = path != NULL ? sync_path(dirname(path)) : -ENOMEM;

	free(path);
	return err == 0 ? 0
			: lp_store_sql_refuse(sql, err,
			      "is restored, but may not be on the disk yet: %s",
			      strerror(-err));
}

static int
sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || fsync(fd) != 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}
