/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  Opening goes from looking to changing: the lock, whose file it
 * is, its health, its schema; then migrations, the rows, and only when all
 * of it was right the new epoch.  Committing is one SQL transaction: rows,
 * ids, and the generation with its packed content.
 *
 * Hand edits.  If the rows do not give the digest of the newest generation,
 * somebody changed them with another tool while we were down.  What they say
 * is what was meant, if it passes the check; it becomes a generation of its
 * own, so that a number never stands for two contents.
 */
#include "controld/store.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/clock.h"
#include "controld/store_audit.h"
#include "controld/store_confirm.h"
#include "controld/store_content.h"
#include "controld/store_copy.h"
#include "controld/store_lock.h"
#include "controld/store_rows.h"
#include "controld/store_schema.h"
#include "proto/log.h"
#include "proto/message.h"

struct lp_store {
	struct lp_store_sql sql;
	char *path;
	int lock; /* -1: read only */
	bool read_only;
	char database_id[33];
	uint64_t epoch;
	uint32_t next_id;
	unsigned schema;
	size_t bytes_max; /* of the generations */
};

static int open_all(struct lp_store *store, struct lp_generation *current,
    const struct lp_store_options *options);
static int check_file(struct lp_store *store);
static int prepare(
    struct lp_store *store, const struct lp_store_options *options);
static int load(struct lp_store *store, struct lp_generation *current);
static int load_meta(struct lp_store *store);
static int load_generation(
    struct lp_store *store, struct lp_generation *current);
static int take_epoch(struct lp_store *store, uint64_t wanted);
static int adopt_rows(struct lp_store *store, struct lp_generation *current);
static int save(struct lp_store *store, const struct lp_generation *from,
    const struct lp_generation *to, const struct lp_store_change *change);
static int save_waiting(struct lp_store *store,
    const struct lp_generation *from, const struct lp_generation *to,
    const struct lp_store_change *change);
static int save_generation(struct lp_store *store,
    const struct lp_generation *to, const char *who, const char *comment);

/* Who reads the history. */
struct reader {
	int (*row)(void *arg, const struct lp_store_past *past);
	void *arg;
};
static int read_past(void *arg, sqlite3_stmt *statement);

/* Who reads an old generation. */
struct load {
	struct lp_store *store;
	struct lp_generation *generation;
};
static int read_content(void *arg, sqlite3_stmt *statement);
static int refuse_absent(struct lp_store *store, uint64_t number);

int
lp_store_open(struct lp_store **out, struct lp_generation *current,
    const struct lp_store_options *options, char why[LP_STORE_WHY_SIZE])
{
	struct lp_store *store = calloc(1, sizeof(*store));
	int err = -ENOMEM;

	*current = (struct lp_generation){0};
	lp_config_init(&current->config);
	snprintf(why, LP_STORE_WHY_SIZE, "out of memory");
	if (store == NULL)
		return -ENOMEM;
	store->lock = -1;
	store->read_only = options->read_only;
	store->bytes_max =
	    options->bytes_max ? options->bytes_max : LP_STORE_BYTES;
	store->path = lp_store_sql_path(options->path);
	if (store->path != NULL) {
		store->sql.path = store->path;
		store->sql.why = why;
		err = open_all(store, current, options);
	}
	if (err != 0) {
		lp_store_close(store);
		lp_config_fini(&current->config);
		return err;
	}
	*out = store;
	return 0;
}

void
lp_store_close(struct lp_store *store)
{
	if (store == NULL)
		return;
	lp_store_sql_close(&store->sql);
	if (store->lock >= 0)
		close(store->lock); /* and unlocks */
	free(store->path);
	free(store);
}

int
lp_store_commit(struct lp_store *store, const struct lp_generation *from,
    struct lp_generation *to, uint32_t next_id, const char *who,
    const char *comment, char why[LP_STORE_WHY_SIZE])
{
	const struct lp_store_change change = {
	    .next_id = next_id, .who = who, .comment = comment};

	return lp_store_commit_change(store, from, to, &change, why);
}

int
lp_store_commit_change(struct lp_store *store, const struct lp_generation *from,
    struct lp_generation *to, const struct lp_store_change *change,
    char why[LP_STORE_WHY_SIZE])
{
	int err;

	assert(!store->read_only);
	store->sql.why = why;
	to->number = from->number + 1;
	to->time_ns = lp_clock_time_ns();
	if (to->digest == 0)
		to->digest = lp_config_digest(&to->config);
	if (to->digest == 0)
		return lp_store_sql_refuse(
		    &store->sql, -ENOMEM, "out of memory");
	err = save(store, from, to, change);
	if (err == 0)
		store->next_id = change->next_id;
	return err;
}

int
lp_store_history(struct lp_store *store, uint32_t limit,
    int (*row)(void *arg, const struct lp_store_past *past), void *arg,
    char why[LP_STORE_WHY_SIZE])
{
	struct reader reader = {row, arg};

	store->sql.why = why;
	return lp_store_sql_each(&store->sql,
	    "SELECT number, time_ns, digest, who, comment FROM generation "
	    "ORDER BY number DESC LIMIT ?",
	    limit == 0 ? -1 : (int64_t)limit, read_past, &reader);
}

int
lp_store_copy(struct lp_store_copy **out, struct lp_store *store,
    const char *path, char why[LP_STORE_WHY_SIZE])
{
	store->sql.why = why;
	return lp_store_copy_begin(out, &store->sql, path);
}

int
lp_store_load(struct lp_store *store, uint64_t number,
    struct lp_generation *generation, char why[LP_STORE_WHY_SIZE])
{
	struct load load = {.store = store, .generation = generation};
	int err;

	store->sql.why = why;
	*generation = (struct lp_generation){0};
	lp_config_init(&generation->config);
	err = lp_store_sql_each(&store->sql,
	    "SELECT number, time_ns, digest, content FROM generation "
	    "WHERE number = ?",
	    number <= INT64_MAX ? (int64_t)number : -1, read_content, &load);
	if (err == 0 && generation->number == 0)
		err = refuse_absent(store, number);
	if (err != 0)
		lp_config_fini(&generation->config);
	return err;
}

int
lp_store_waits(struct lp_store *store, struct lp_store_waiting *waiting,
    char why[LP_STORE_WHY_SIZE])
{
	store->sql.why = why;
	return lp_store_confirm_load(&store->sql, waiting);
}

struct lp_store_sql *
lp_store_sql_of(struct lp_store *store, char why[LP_STORE_WHY_SIZE])
{
	store->sql.why = why;
	return &store->sql;
}

const char *
lp_store_path(const struct lp_store *store)
{
	return store->path;
}

const char *
lp_store_database_id(const struct lp_store *store)
{
	return store->database_id;
}

uint64_t
lp_store_epoch(const struct lp_store *store)
{
	return store->epoch;
}

uint32_t
lp_store_next_id(const struct lp_store *store)
{
	return store->next_id;
}

unsigned
lp_store_schema(const struct lp_store *store)
{
	return store->schema;
}

static int
open_all(struct lp_store *store, struct lp_generation *current,
    const struct lp_store_options *options)
{
	int err = check_file(store);

	if (err == 0 && !store->read_only) {
		store->lock = lp_store_lock_take(&store->sql);
		err = store->lock < 0 ? store->lock : 0;
	}
	if (err == 0)
		err = lp_store_sql_open(&store->sql, store->read_only);
	if (err == 0)
		err = prepare(store, options);
	if (err == 0)
		err = load(store, current);
	if (err != 0 || store->read_only)
		return err;
	err = take_epoch(store, options->epoch);
	return err != 0 ? err : adopt_rows(store, current);
}

static int
check_file(struct lp_store *store)
{
	struct stat status;

	if (stat(store->path, &status) != 0) {
		if (errno == ENOENT && !store->read_only)
			return 0;
		return lp_store_sql_refuse(
		    &store->sql, -errno, "%s", strerror(errno));
	}
	if (S_ISREG(status.st_mode))
		return 0;
	return lp_store_sql_refuse(&store->sql, -EINVAL, "is not a file");
}

/* Whose it is, and in what state; then ours to change. */
static int
prepare(struct lp_store *store, const struct lp_store_options *options)
{
	const struct lp_schema_migration *migrations = options->migrations;
	size_t count = options->migration_count;
	int64_t version = 0;
	char mode[16] = "";
	int err;

	if (migrations == NULL) {
		migrations = lp_schema_migrations;
		count = lp_schema_count;
	}
	store->schema = (unsigned)count;
	err = lp_store_schema_check(&store->sql, count, &version);
	if (err != 0)
		return err;
	if (store->read_only && version != (int64_t)count)
		return lp_store_sql_refuse(&store->sql, -EINVAL,
		    "has schema %lld; starting lp-controld once brings it to "
		    "%zu",
		    (long long)version, count);
	if (store->read_only)
		return 0;
	err = lp_store_sql_text(
	    &store->sql, mode, sizeof(mode), "PRAGMA journal_mode = WAL");
	if (err == 0 && strcmp(mode, "wal") != 0)
		return lp_store_sql_refuse(&store->sql, -EINVAL,
		    "its file system cannot hold a write-ahead log");
	if (err == 0)
		err = lp_store_sql_exec(&store->sql,
		    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
	if (err == 0)
		err = lp_store_schema_migrate(
		    &store->sql, migrations, count, version);
	return err;
}

static int
load(struct lp_store *store, struct lp_generation *current)
{
	struct lp_config_error error = {.field = ""};
	int err = load_meta(store);

	if (err == 0)
		err = lp_store_rows_load(&store->sql, &current->config);
	if (err != 0)
		return err;
	if (lp_config_check(&current->config, &error) != 0)
		return lp_store_sql_refuse(&store->sql, -EINVAL,
		    "%s: %s: %s; correct the row, or restore the file from a "
		    "copy",
		    error.object, error.field, error.why);
	for (size_t i = 0; i < current->config.count; i++)
		if (current->config.objects[i].id >= store->next_id)
			return lp_store_sql_refuse(&store->sql, -EINVAL,
			    "meta.next_id is %u, but id %u is taken",
			    store->next_id, current->config.objects[i].id);
	return load_generation(store, current);
}

static int
load_meta(struct lp_store *store)
{
	int64_t epoch = -1, next_id = 0;
	int err;

	err = lp_store_sql_int(&store->sql, &epoch, "SELECT epoch FROM meta");
	if (err == 0)
		err = lp_store_sql_int(
		    &store->sql, &next_id, "SELECT next_id FROM meta");
	if (err == 0)
		err = lp_store_sql_text(&store->sql, store->database_id,
		    sizeof(store->database_id), "SELECT database_id FROM meta");
	if (err != 0)
		return err;
	if (epoch < 0 || next_id < 1 || next_id > UINT32_MAX)
		return lp_store_sql_refuse(
		    &store->sql, -EINVAL, "table meta holds no sensible row");
	store->epoch = (uint64_t)epoch;
	store->next_id = (uint32_t)next_id;
	return 0;
}

/* Number, time and digest as stored; all 0 in a database just made. */
static int
load_generation(struct lp_store *store, struct lp_generation *current)
{
	int64_t number = 0, time_ns = 0, digest = 0;
	int err;

	err = lp_store_sql_int(&store->sql, &number,
	    "SELECT number FROM generation ORDER BY number DESC LIMIT 1");
	if (err == 0)
		err = lp_store_sql_int(&store->sql, &time_ns,
		    "SELECT time_ns FROM generation "
		    "ORDER BY number DESC LIMIT 1");
	if (err == 0)
		err = lp_store_sql_int(&store->sql, &digest,
		    "SELECT digest FROM generation "
		    "ORDER BY number DESC LIMIT 1");
	current->number = (uint64_t)number;
	current->time_ns = (uint64_t)time_ns;
	current->digest = (uint64_t)digest;
	return err;
}

static int
take_epoch(struct lp_store *store, uint64_t wanted)
{
	uint64_t epoch = wanted > store->epoch ? wanted : store->epoch + 1;
	int err;

	if (epoch > INT64_MAX)
		return lp_store_sql_refuse(&store->sql, -EINVAL,
		    "there is no epoch after %" PRIu64
		    ": make a new database of what lp-controld --check prints",
		    store->epoch);
	err = lp_store_sql_run(
	    &store->sql, "UPDATE meta SET epoch = ?", "i", (int64_t)epoch);
	if (err == 0)
		store->epoch = epoch;
	return err;
}

/* A new database, or one that was changed by hand: see above. */
static int
adopt_rows(struct lp_store *store, struct lp_generation *current)
{
	uint64_t digest = lp_config_digest(&current->config);
	const char *comment = "the database was made";
	struct lp_generation next = *current;
	struct lp_generation last = {.number = current->number};
	int err;

	if (digest == 0)
		return lp_store_sql_refuse(
		    &store->sql, -ENOMEM, "out of memory");
	if (current->number != 0 && current->digest == digest)
		return 0;
	if (current->number != 0) {
		comment = "the tables were changed by another program";
		lp_log_warn("%s: %s since generation %" PRIu64
			    "; that makes a new generation",
		    store->path, comment, current->number);
	}
	/* The rows are there already: only the generation is new. */
	next.digest = digest;
	last.config = current->config;
	err = lp_store_commit(store, &last, &next, store->next_id,
	    "lp-controld", comment, store->sql.why);
	if (err == 0)
		*current = next;
	return err;
}

static int
save(struct lp_store *store, const struct lp_generation *from,
    const struct lp_generation *to, const struct lp_store_change *change)
{
	struct lp_store_sql *sql = &store->sql;
	int err = lp_store_sql_exec(sql, "BEGIN IMMEDIATE");

	if (err == 0)
		err = lp_store_rows_save(sql, &from->config, &to->config);
	if (err == 0)
		err = lp_store_sql_run(sql, "UPDATE meta SET next_id = ?", "i",
		    (int64_t)change->next_id);
	if (err == 0)
		err = save_waiting(store, from, to, change);
	if (err == 0)
		err = save_generation(store, to, change->who, change->comment);
	if (err == 0 && change->audit != NULL) {
		change->audit->generation = to->number;
		change->audit->time_ns = to->time_ns;
		err = lp_store_audit_insert(sql, change->audit);
	}
	return lp_store_sql_end(sql, err);
}

/* What waited before is confirmed, or taken back, by what comes after it. */
static int
save_waiting(struct lp_store *store, const struct lp_generation *from,
    const struct lp_generation *to, const struct lp_store_change *change)
{
	struct lp_store_waiting waiting = {
	    .generation = to->number,
	    .back_to = from->number,
	    .wait_ms = change->wait_ms,
	    .until_ns = to->time_ns + change->wait_ms * UINT64_C(1000000),
	};

	if (change->wait_ms == 0)
		return lp_store_confirm_clear(&store->sql);
	snprintf(waiting.who, sizeof(waiting.who), "%s", change->who);
	if (change->waiting != NULL)
		*change->waiting = waiting;
	return lp_store_confirm_save(&store->sql, &waiting);
}

static int
save_generation(struct lp_store *store, const struct lp_generation *to,
    const char *who, const char *comment)
{
	uint8_t *content;
	size_t len;
	int err = lp_store_content_pack(&to->config, &content, &len);

	if (err != 0)
		return lp_store_sql_refuse(&store->sql, err, "out of memory");
	err = lp_store_sql_run(&store->sql,
	    "INSERT INTO generation (number, time_ns, who, comment, digest, "
	    "content) VALUES (?, ?, ?, ?, ?, ?)",
	    "iittib", (int64_t)to->number, (int64_t)to->time_ns, who, comment,
	    (int64_t)to->digest, (const void *)content, len);
	free(content);
	if (err == 0)
		err = lp_store_sql_run(&store->sql,
		    "DELETE FROM generation WHERE number <= ?", "i",
		    (int64_t)to->number - LP_STORE_GENERATIONS);
	if (err == 0)
		err = lp_store_sql_run(&store->sql,
		    "DELETE FROM generation WHERE number < ? AND number <= "
		    "(SELECT max(number) FROM (SELECT number, "
		    "sum(length(content)) OVER (ORDER BY number DESC) AS bytes "
		    "FROM generation) WHERE bytes > ?) "
		    "AND number NOT IN (SELECT back_to FROM confirm)",
		    "ii", (int64_t)to->number, (int64_t)store->bytes_max);
	return err;
}

static int
read_past(void *arg, sqlite3_stmt *statement)
{
	const struct reader *reader = arg;
	struct lp_store_past past = {
	    .number = (uint64_t)sqlite3_column_int64(statement, 0),
	    .time_ns = (uint64_t)sqlite3_column_int64(statement, 1),
	    .digest = (uint64_t)sqlite3_column_int64(statement, 2),
	    .who = (const char *)sqlite3_column_text(statement, 3),
	    .comment = (const char *)sqlite3_column_text(statement, 4),
	};

	/* Only without memory: neither is ever NULL. */
	if (past.who == NULL || past.comment == NULL)
		return -ENOMEM;
	return reader->row(reader->arg, &past);
}

static int
read_content(void *arg, sqlite3_stmt *statement)
{
	const struct load *load = arg;
	struct lp_generation *generation = load->generation;
	const uint8_t *content = sqlite3_column_blob(statement, 3);
	size_t len = (size_t)sqlite3_column_bytes(statement, 3);
	char why[LP_WHY_SIZE] = "out of memory";
	uint64_t digest;
	int err;

	generation->number = (uint64_t)sqlite3_column_int64(statement, 0);
	generation->time_ns = (uint64_t)sqlite3_column_int64(statement, 1);
	generation->digest = (uint64_t)sqlite3_column_int64(statement, 2);
	err = lp_store_content_unpack(
	    &generation->config, content, len, &digest, why);
	/* Where some of it is missing the rest may well be right. */
	if (err == 0 && digest != generation->digest) {
		snprintf(why, sizeof(why), "it is damaged");
		err = -EINVAL;
	}
	if (err != 0)
		lp_store_sql_refuse(&load->store->sql, err,
		    "the content of generation %" PRIu64 " cannot be read: %s",
		    generation->number, why);
	return err;
}

static int
refuse_absent(struct lp_store *store, uint64_t number)
{
	int64_t first = 0, last = 0;
	int err = lp_store_sql_int(
	    &store->sql, &first, "SELECT min(number) FROM generation");

	if (err == 0)
		err = lp_store_sql_int(
		    &store->sql, &last, "SELECT max(number) FROM generation");
	if (err != 0)
		return err;
	snprintf(store->sql.why, LP_STORE_WHY_SIZE,
	    "there is no generation %" PRIu64 "%s: those from %" PRId64
	    " to %" PRId64 " are kept",
	    number, number != 0 && number < (uint64_t)last ? " any more" : "",
	    first, last);
	return -ENOENT;
}
