/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store.h"
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/print.h"

static char dir[64];
static const char *db;
static char why[LP_STORE_WHY_SIZE];
static struct lp_generation current;

static void
setup(void)
{
	make_dir(dir);
	db = strdup(path_in(dir, "lightpath.db"));
}

static void
teardown(void)
{
	remove_dir(dir);
	free((char *)db);
}

static int
try_open(struct lp_store **store, uint64_t epoch, bool read_only)
{
	const struct lp_store_options options = {
	    .path = db, .epoch = epoch, .read_only = read_only};

	why[0] = '\0';
	return lp_store_open(store, &current, &options, why);
}

static struct lp_store *
open_it(void)
{
	struct lp_store *store = NULL;
	int err = try_open(&store, 0, false);

	ck_assert_msg(err == 0, "%s", why);
	return store;
}

static void
close_it(struct lp_store *store)
{
	lp_store_close(store);
	lp_config_fini(&current.config);
}

/* That it is refused, with this in the message, which starts with the path. */
static void
check_refused(const char *wanted)
{
	struct lp_store *store = NULL;

	ck_assert_int_lt(try_open(&store, 0, false), 0);
	ck_assert_msg(strncmp(why, db, strlen(db)) == 0, "%s", why);
	ck_assert_msg(
	    strstr(why, wanted) != NULL, "\"%s\" lacks \"%s\"", why, wanted);
}

static int
try_commit(struct lp_store *store, const char *text)
{
	struct lp_generation next = {0};
	uint32_t next_id = lp_store_next_id(store);
	int err;

	lp_config_init(&next.config);
	ck_assert_int_eq(lp_config_copy(&next.config, &current.config), 0);
	apply(&next.config, &next_id, text);
	err = lp_store_commit(
	    store, &current, &next, next_id, "tester", text, why);
	lp_config_fini(err == 0 ? &current.config : &next.config);
	if (err == 0)
		current = next;
	return err;
}

static void
commit(struct lp_store *store, const char *text)
{
	ck_assert_msg(try_commit(store, text) == 0, "%s", why);
}

static void
sql(const char *text)
{
	sqlite3 *raw;
	char *error = NULL;

	ck_assert_int_eq(sqlite3_open(db, &raw), SQLITE_OK);
	sqlite3_exec(raw, text, NULL, NULL, &error);
	ck_assert_msg(error == NULL, "%s", error);
	sqlite3_close(raw);
}

static int64_t
sql_int(const char *text)
{
	sqlite3 *raw;
	sqlite3_stmt *statement;
	int64_t value;

	ck_assert_int_eq(sqlite3_open(db, &raw), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_prepare_v2(raw, text, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(raw);
	return value;
}

START_TEST(a_new_database_holds_an_empty_first_generation)
{
	struct lp_store *store = open_it();

	ck_assert_uint_eq(current.number, 1);
	ck_assert_uint_eq(current.config.count, 0);
	ck_assert_uint_eq(current.digest, lp_config_digest(&current.config));
	ck_assert_uint_eq(lp_store_epoch(store), 1);
	ck_assert_uint_eq(lp_store_next_id(store), 1);
	ck_assert_uint_eq(strlen(lp_store_database_id(store)), 32);
	close_it(store);
	ck_assert_int_eq(
	    sql_int("PRAGMA application_id"), LP_STORE_APPLICATION_ID);
	ck_assert_int_eq(sql_int("PRAGMA user_version"), 1);
}
END_TEST

static const char *const changes[] = {
    /* every field of every kind */
    "add port back device=eth2 side=broker route=1 "
    "address=10.8.0.10/24,fd00:8::1/64 gateway=fd00:8::ff;"
    "add port in device=eth3 side=client address=10.7.0.1/24 "
    "gateway=10.7.0.254;"
    "add listener payments six vip=[fd00:8::100]:9092 source=preserve;"
    "del listener payments six",
    "set port front address=10.9.0.11/24,10.9.0.12/24 gateway=none",
    /* names and endpoints that change places */
    "add cluster orders; add broker orders 1 to=10.9.0.31:9092;"
    "add listener orders public vip=10.9.0.101:9092 base=9100;"
    "set listener orders public vip=10.9.0.102:9092;"
    "set listener payments public vip=10.9.0.101:9092;"
    "set listener orders public vip=10.9.0.100:9092",
    "del broker payments 1; add broker payments 1 to=10.9.0.41:9092",
    "del listener payments public; del broker payments 1;"
    "del broker payments 2; del cluster payments; add cluster payments",
};

START_TEST(what_was_stored_is_loaded_again)
{
	struct lp_store *store = open_it();
	uint64_t digest, number;

	commit(store, basic);
	commit(store, changes[_i]);
	digest = current.digest;
	number = current.number;
	ck_assert_uint_eq(number, 3);
	close_it(store);
	store = open_it();
	ck_assert_uint_eq(current.number, number);
	ck_assert_uint_eq(current.digest, digest);
	ck_assert_uint_eq(lp_config_digest(&current.config), digest);
	close_it(store);
}
END_TEST

START_TEST(two_listeners_can_swap_their_endpoints)
{
	struct lp_store *store = open_it();
	uint64_t digest;

	commit(store, basic);
	commit(
	    store, "add listener payments other vip=10.9.0.101:9092 base=9100");
	commit(store,
	    "set listener payments public vip=10.9.0.101:9092;"
	    "set listener payments other vip=10.9.0.100:9092");
	digest = current.digest;
	close_it(store);
	store = open_it();
	ck_assert_uint_eq(current.digest, digest);
	close_it(store);
}
END_TEST

START_TEST(ids_are_never_used_again)
{
	struct lp_store *store = open_it();

	commit(store, "add cluster a");
	commit(store, "del cluster a");
	close_it(store);
	store = open_it();
	commit(store, "add cluster a");
	ck_assert_uint_eq(current.config.objects[0].id, 2);
	close_it(store);
}
END_TEST

START_TEST(every_generation_is_kept_with_its_content)
{
	struct lp_store *store = open_it();
	sqlite3 *raw;
	sqlite3_stmt *statement;
	const uint8_t *content;
	size_t size, objects = 0;

	commit(store, basic);
	ck_assert_int_eq(sqlite3_open(db, &raw), SQLITE_OK);
	sqlite3_prepare_v2(raw,
	    "SELECT content, who, comment, digest FROM generation "
	    "WHERE number = 2",
	    -1, &statement, NULL);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	content = sqlite3_column_blob(statement, 0);
	size = (size_t)sqlite3_column_bytes(statement, 0);
	ck_assert_str_eq(
	    (const char *)sqlite3_column_text(statement, 1), "tester");
	ck_assert_str_eq(
	    (const char *)sqlite3_column_text(statement, 2), basic);
	ck_assert_int_eq(
	    sqlite3_column_int64(statement, 3), (int64_t)current.digest);
	for (size_t at = 0; at < size; objects++) {
		const uint8_t *payload;
		Lp__Pb__Object *message;
		struct lp_object object;
		const char *field = "";
		char reason[LP_WHY_SIZE] = "";
		size_t len;

		ck_assert_int_eq(
		    lp_frame_next(content + at, size - at, &payload, &len),
		    LP_OK);
		message = lp__pb__object__unpack(NULL, len, payload);
		ck_assert_ptr_nonnull(message);
		ck_assert_int_eq(
		    lp_message_to_object(&object, message, &field, reason), 0);
		ck_assert_uint_eq(
		    object.id, current.config.objects[objects].id);
		lp__pb__object__free_unpacked(message, NULL);
		at += LP_FRAME_HEADER_SIZE + len;
	}
	ck_assert_uint_eq(objects, current.config.count);
	sqlite3_finalize(statement);
	sqlite3_close(raw);
	close_it(store);
}
END_TEST

START_TEST(the_last_thousand_generations_are_kept)
{
	struct lp_store *store = open_it();

	/* As if nearly a thousand had been before. */
	sql("INSERT INTO generation SELECT number + 999, time_ns, who, "
	    "comment, digest, content FROM generation");
	close_it(store);
	store = open_it();
	ck_assert_uint_eq(current.number, 1000);
	commit(store, "add cluster a");
	ck_assert_int_eq(sql_int("SELECT min(number) FROM generation"), 1000);
	ck_assert_int_eq(sql_int("SELECT max(number) FROM generation"), 1001);
	close_it(store);
}
END_TEST

START_TEST(every_start_has_a_higher_epoch)
{
	struct lp_store *store = open_it();

	close_it(store);
	store = open_it();
	ck_assert_uint_eq(lp_store_epoch(store), 2);
	close_it(store);
	ck_assert_int_eq(try_open(&store, 10, false), 0);
	ck_assert_uint_eq(lp_store_epoch(store), 10);
	close_it(store);
	ck_assert_int_eq(try_open(&store, 10, false), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why,
	    "epoch 10 is not above 10, the last one: leave --epoch out, or "
	    "give a higher one"));
	store = open_it();
	ck_assert_uint_eq(lp_store_epoch(store), 11);
	close_it(store);
}
END_TEST

START_TEST(one_daemon_at_a_time)
{
	struct lp_store *store = open_it(), *other = NULL;
	const struct lp_store_options options = {.path = db};
	struct lp_generation generation;
	char wanted[64];

	ck_assert_int_eq(
	    lp_store_open(&other, &generation, &options, why), -EBUSY);
	snprintf(wanted, sizeof(wanted),
	    "is in use by another lp-controld (pid %d)", getpid());
	ck_assert_msg(strstr(why, wanted) != NULL, "%s", why);
	close_it(store);
	store = open_it();
	close_it(store);
}
END_TEST

START_TEST(looking_changes_nothing_and_needs_no_lock)
{
	struct lp_store *store = open_it(), *other = NULL;
	const struct lp_store_options options = {.path = db, .read_only = true};
	struct lp_generation generation;

	commit(store, basic);
	ck_assert_msg(
	    lp_store_open(&other, &generation, &options, why) == 0, "%s", why);
	ck_assert_uint_eq(generation.digest, current.digest);
	lp_config_fini(&generation.config);
	lp_store_close(other);
	close_it(store);
	ck_assert_int_eq(try_open(&store, 0, true), 0);
	ck_assert_uint_eq(lp_store_epoch(store), 1);
	close_it(store);
	/* Nothing is left beside it. */
	ck_assert_int_ne(access(path_in(dir, "lightpath.db-shm"), F_OK), 0);
	ck_assert_int_eq(sql_int("SELECT epoch FROM meta"), 1);
}
END_TEST

START_TEST(a_database_that_is_not_there_is_not_made_by_looking)
{
	struct lp_store *store;

	ck_assert_int_eq(try_open(&store, 0, true), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "No such file or directory"));
	ck_assert_int_ne(access(db, F_OK), 0);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
	FILE *file = fopen(db, "w");

	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	check_refused("is no SQLite database");
}
END_TEST

START_TEST(a_directory_is_refused)
{
	ck_assert_int_eq(mkdir(db, 0700), 0);
	check_refused("is not a file");
}
END_TEST

START_TEST(a_missing_directory_is_named)
{
	free((char *)db);
	db = strdup(path_in(dir, "nix/lightpath.db"));
	check_refused("No such file or directory");
}
END_TEST

START_TEST(a_database_of_another_program_is_left_alone)
{
	sql("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
	check_refused("is a database of another program");
	ck_assert_int_eq(sql_int("SELECT a FROM theirs"), 1);
	ck_assert_int_eq(sql_int("PRAGMA application_id"), 0);
	ck_assert_int_eq(sql_int("SELECT count(*) FROM sqlite_schema"), 1);
}
END_TEST

START_TEST(a_newer_schema_is_refused)
{
	close_it(open_it());
	sql("PRAGMA user_version = 2");
	check_refused("has schema 2, this lp-controld knows up to 1");
	ck_assert_int_eq(sql_int("SELECT epoch FROM meta"), 1);
}
END_TEST

START_TEST(a_damaged_database_is_refused)
{
	struct lp_store *store = open_it();
	uint8_t garbage[2048];
	int fd;

	commit(store, basic);
	close_it(store);
	memset(garbage, 0x5a, sizeof(garbage));
	fd = open(db, O_WRONLY);
	/* A few pages behind the first, which has the header. */
	for (off_t at = 4096; at < 40960; at += 4096)
		ck_assert_int_eq(pwrite(fd, garbage, sizeof(garbage), at),
		    (int)sizeof(garbage));
	close(fd);
	check_refused("is damaged");
}
END_TEST

START_TEST(a_truncated_database_is_refused)
{
	struct lp_store *store = open_it();

	commit(store, basic);
	close_it(store);
	ck_assert_int_eq(truncate(db, 8192), 0);
	check_refused("is damaged");
}
END_TEST

static const struct {
	const char *sql;
	const char *wanted;
} bad_rows[] = {
    {"UPDATE broker SET real_ip = '10.9.0.300' WHERE node_id = 1",
	"broker payments/1 (id 3): real_ip: "},
    {"UPDATE listener SET vip_ip = 'fd00::1'",
	"endpoint payments/public/1: vip: 10.9.0.100 is not the address"},
    {"UPDATE port_address SET ip = '224.0.0.1'", "port front (id 1): "},
    {"UPDATE cluster SET name = 'a b'", "cluster a b (id 2): name: "},
    {"UPDATE meta SET next_id = 3", "meta.next_id is 3, but id 3 is taken"},
    {"DELETE FROM meta", "table meta holds no sensible row"},
    {"PRAGMA foreign_keys = OFF; DELETE FROM cluster", "cluster"},
    {"DROP TABLE endpoint", "no such table: endpoint"},
};

START_TEST(rows_that_make_no_sense_are_named)
{
	struct lp_store *store = open_it();

	commit(store, basic);
	close_it(store);
	sql(bad_rows[_i].sql);
	check_refused(bad_rows[_i].wanted);
}
END_TEST

START_TEST(rows_changed_by_hand_make_a_generation)
{
	struct lp_store *store = open_it();
	uint64_t digest;

	commit(store, basic);
	digest = current.digest;
	close_it(store);
	sql("UPDATE broker SET real_port = 19092 WHERE node_id = 1");
	store = open_it();
	ck_assert_uint_eq(current.number, 3);
	ck_assert_uint_ne(current.digest, digest);
	ck_assert_int_eq(sql_int("SELECT count(*) FROM generation WHERE "
				 "number = 3 AND who = 'lp-controld'"),
	    1);
	close_it(store);
	store = open_it();
	ck_assert_uint_eq(current.number, 3);
	close_it(store);
}
END_TEST

START_TEST(the_schema_itself_refuses_what_makes_no_sense)
{
	static const char *const texts[] = {
	    "INSERT INTO cluster VALUES (0, 'x')",
	    "INSERT INTO cluster VALUES (50, 'payments')",
	    "INSERT INTO broker VALUES (50, 2, 1, 'h', '10.0.0.1', 1)",
	    "INSERT INTO broker VALUES (50, 2, -1, 'h', '10.0.0.1', 1)",
	    "INSERT INTO broker VALUES (50, 2, 7, 'h', '10.0.0.1', 65536)",
	    "INSERT INTO broker VALUES (50, 77, 7, 'h', '10.0.0.1', 1)",
	    "INSERT INTO endpoint VALUES (50, 5, 3, '10.0.0.1', 9)",
	    "DELETE FROM cluster",
	    "UPDATE listener SET mode = 'other'",
	};
	struct lp_store *store = open_it();
	sqlite3 *raw;

	commit(store, basic);
	close_it(store);
	ck_assert_int_eq(sqlite3_open(db, &raw), SQLITE_OK);
	sqlite3_exec(raw, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
	ck_assert_int_eq(sqlite3_exec(raw, texts[_i], NULL, NULL, NULL) & 0xff,
	    SQLITE_CONSTRAINT);
	sqlite3_close(raw);
}
END_TEST

static const struct lp_schema_migration three[] = {
    {"0001_initial", NULL}, /* filled in below */
    {"0002_more", "CREATE TABLE more (a); INSERT INTO more VALUES (2)"},
    {"0003_broken", "CREATE TABLE third (a); SELECT nonsense"},
};

static int
open_with(size_t count, struct lp_store **store)
{
	struct lp_schema_migration list[3];
	const struct lp_store_options options = {
	    .path = db, .migrations = list, .migration_count = count};

	memcpy(list, three, sizeof(list));
	list[0] = lp_schema_migrations[0];
	return lp_store_open(store, &current, &options, why);
}

START_TEST(a_migration_leaves_a_copy_of_what_was)
{
	struct lp_store *store = open_it();
	const char *copy = path_in(dir, "lightpath.db.schema-1");

	commit(store, basic);
	close_it(store);
	ck_assert_msg(open_with(2, &store) == 0, "%s", why);
	ck_assert_uint_eq(current.config.count, 7);
	close_it(store);
	ck_assert_int_eq(sql_int("PRAGMA user_version"), 2);
	ck_assert_int_eq(sql_int("SELECT a FROM more"), 2);
	free((char *)db);
	db = strdup(copy);
	ck_assert_int_eq(sql_int("PRAGMA user_version"), 1);
	ck_assert_int_eq(sql_int("SELECT count(*) FROM broker"), 2);
}
END_TEST

START_TEST(a_migration_that_fails_changes_nothing)
{
	struct lp_store *store = open_it();

	commit(store, basic);
	close_it(store);
	ck_assert_int_lt(open_with(3, &store), 0);
	ck_assert_ptr_nonnull(strstr(why, "nonsense"));
	/* The second stands for itself; the third left nothing. */
	ck_assert_int_eq(sql_int("PRAGMA user_version"), 2);
	ck_assert_int_eq(sql_int("SELECT count(*) FROM sqlite_schema "
				 "WHERE name = 'third'"),
	    0);
	ck_assert_int_eq(sql_int("SELECT epoch FROM meta"), 1);
}
END_TEST

/* A file system of the test's own, which vanishes with its process. */
static bool
mount_small(const char *options)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	return mount("tmpfs", dir, "tmpfs", 0, options) == 0;
}

START_TEST(a_full_disk_refuses_and_changes_nothing)
{
	struct lp_store *store;
	uint64_t digest, number;
	char ballast[65536] = "";
	FILE *file;
	int err;

	if (!mount_small("size=512k"))
		return; /* not root */
	store = open_it();
	commit(store, basic);
	digest = current.digest;
	number = current.number;
	file = fopen(path_in(dir, "ballast"), "w");
	while (fwrite(ballast, 1, sizeof(ballast), file) == sizeof(ballast) &&
	    fflush(file) == 0)
		;
	fclose(file);
	do {
		char text[64];

		snprintf(text, sizeof(text), "add cluster c%u",
		    lp_store_next_id(store));
		digest = current.digest;
		number = current.number;
		err = try_commit(store, text);
	} while (err == 0);
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_ptr_nonnull(strstr(why, "the disk is full"));
	ck_assert_ptr_nonnull(strstr(why, db));
	remove(path_in(dir, "ballast"));
	close_it(store);
	store = open_it();
	ck_assert_uint_eq(current.digest, digest);
	ck_assert_uint_eq(current.number, number);
	commit(store, "add cluster after");
	close_it(store);
}
END_TEST

START_TEST(a_full_disk_from_the_start_is_named)
{
	if (!mount_small("size=8k"))
		return; /* not root */
	check_refused("the disk is full");
}
END_TEST

START_TEST(a_read_only_database_is_refused)
{
	struct lp_store *store;

	if (!mount_small("size=2m"))
		return; /* not root */
	close_it(open_it());
	ck_assert_int_eq(
	    mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	check_refused("Read-only file system");
	/* But one can look at it. */
	ck_assert_msg(try_open(&store, 0, true) == 0, "%s", why);
	close_it(store);
}
END_TEST

START_TEST(a_limit_of_file_size_refuses_and_changes_nothing)
{
	const struct rlimit small = {65536, 65536};
	struct lp_store *store = open_it();
	uint64_t number;
	int err;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	do {
		char text[64];

		snprintf(text, sizeof(text), "add cluster c%u",
		    lp_store_next_id(store));
		number = current.number;
		err = try_commit(store, text);
	} while (err == 0);
	ck_assert_msg(strncmp(why, db, strlen(db)) == 0, "%s", why);
	close_it(store);
	/* Still itself, as far as it got. */
	ck_assert_int_eq(try_open(&store, 0, true), 0);
	ck_assert_uint_eq(current.number, number);
	close_it(store);
}
END_TEST

/* ---- lp-controld -n ---- */

static const struct {
	const char *name;
	const char *text;
} golden[] = {
    {"empty", ""},
    {"basic", NULL},
    {"everything",
	"add port front device=eth1 side=client "
	"address=10.9.0.10/24,10.9.0.11/24 gateway=10.9.0.1;"
	"add port back device=eth2 side=broker route=1 "
	"address=10.8.0.10/24,fd00:8::10/64 gateway=10.8.0.1;"
	"set port front address=10.9.0.10/24,fd00:9::10/64;"
	"add cluster payments;"
	"add broker payments 0 to=10.8.0.21:9092;"
	"add broker payments 1 to=10.8.0.22:9092;"
	"add cluster six;"
	"add broker six 5 to=[fd00:8::21]:9092;"
	"add listener payments public vip=10.9.0.100:9092;"
	"add listener payments kept vip=10.9.0.101:9092 base=20000 "
	"source=preserve;"
	"add listener six public vip=[fd00:9::100]:9092"},
};

START_TEST(the_canonical_configuration_is_as_it_was)
{
	char path[256];
	char wanted[4096] = "";
	char *found = NULL;
	size_t size;
	FILE *out = open_memstream(&found, &size);
	FILE *file;
	struct lp_config config;
	uint32_t next_id = 1;

	lp_config_init(&config);
	if (golden[_i].text == NULL)
		apply(&config, &next_id, basic);
	else
		apply(&config, &next_id, golden[_i].text);
	lp_print_config(out, &config);
	fclose(out);
	snprintf(path, sizeof(path), GOLDEN "/%s.txt", golden[_i].name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s is missing", path);
	ck_assert(fread(wanted, 1, sizeof(wanted) - 1, file) > 0 || _i == 0);
	fclose(file);
	ck_assert_str_eq(found, wanted);
	free(found);
	lp_config_fini(&config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_new_database_holds_an_empty_first_generation);
	tcase_add_loop_test(tcase, what_was_stored_is_loaded_again, 0,
	    sizeof(changes) / sizeof(changes[0]));
	tcase_add_test(tcase, two_listeners_can_swap_their_endpoints);
	tcase_add_test(tcase, ids_are_never_used_again);
	tcase_add_test(tcase, every_generation_is_kept_with_its_content);
	tcase_add_test(tcase, the_last_thousand_generations_are_kept);
	tcase_add_test(tcase, every_start_has_a_higher_epoch);
	tcase_add_test(tcase, one_daemon_at_a_time);
	tcase_add_test(tcase, looking_changes_nothing_and_needs_no_lock);
	tcase_add_test(
	    tcase, a_database_that_is_not_there_is_not_made_by_looking);
	tcase_add_test(tcase, a_file_that_is_no_database_is_refused);
	tcase_add_test(tcase, a_directory_is_refused);
	tcase_add_test(tcase, a_missing_directory_is_named);
	tcase_add_test(tcase, a_database_of_another_program_is_left_alone);
	tcase_add_test(tcase, a_newer_schema_is_refused);
	tcase_add_test(tcase, a_damaged_database_is_refused);
	tcase_add_test(tcase, a_truncated_database_is_refused);
	tcase_add_loop_test(tcase, rows_that_make_no_sense_are_named, 0,
	    sizeof(bad_rows) / sizeof(bad_rows[0]));
	tcase_add_test(tcase, rows_changed_by_hand_make_a_generation);
	tcase_add_loop_test(
	    tcase, the_schema_itself_refuses_what_makes_no_sense, 0, 9);
	tcase_add_test(tcase, a_migration_leaves_a_copy_of_what_was);
	tcase_add_test(tcase, a_migration_that_fails_changes_nothing);
	tcase_add_test(tcase, a_full_disk_refuses_and_changes_nothing);
	tcase_add_test(tcase, a_full_disk_from_the_start_is_named);
	tcase_add_test(tcase, a_read_only_database_is_refused);
	tcase_add_test(tcase, a_limit_of_file_size_refuses_and_changes_nothing);
	tcase_add_loop_test(tcase, the_canonical_configuration_is_as_it_was, 0,
	    sizeof(golden) / sizeof(golden[0]));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
