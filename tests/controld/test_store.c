/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store.h"
#include "database.h"
#include "schema/schema.h"
#include "transaction.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct database database;

static void
setup(void)
{
	database_init(&database);
}

static void
teardown(void)
{
	/* What mount_small() has put over it, in the test's own namespace. */
	umount2(database.dir, MNT_DETACH);
	database_fini(&database);
}

START_TEST(a_new_database_holds_an_empty_first_generation)
{
	struct lp_store *store = database_open(&database);

	ck_assert_uint_eq(database.current.number, 1);
	ck_assert_uint_eq(database.current.config.count, 0);
	ck_assert_uint_eq(database.current.digest,
	    lp_config_digest(&database.current.config));
	ck_assert_uint_eq(lp_store_epoch(store), 1);
	ck_assert_uint_eq(lp_store_next_id(store), 1);
	ck_assert_uint_eq(strlen(lp_store_database_id(store)), 32);
	database_close(&database, store);
	ck_assert_int_eq(database_int(&database, "PRAGMA application_id"),
	    LP_STORE_APPLICATION_ID);
	ck_assert_int_eq(database_int(&database, "PRAGMA user_version"),
	    (int)lp_schema_count);
}
END_TEST

static const char *const changes[] = {
    /* every field of every kind */
    ("add port back device=eth2 side=broker route=1 "
     "address=10.8.0.10/24,fd00:8::1/64 gateway=fd00:8::ff;"
     "add port in device=eth3 side=client address=10.7.0.1/24 "
     "gateway=10.7.0.254;"
     "add listener payments six vip=[fd00:8::100]:9092 source=preserve;"
     "del listener payments six"),
    "set port front address=10.9.0.11/24,10.9.0.12/24 gateway=none",
    "set port front backend=dpdk device=net_memif0,role=client mtu=9600",
    /* names and endpoints that change places */
    ("add cluster orders; add broker orders 1 to=10.9.0.31:9092;"
     "add listener orders public vip=10.9.0.101:9092 base=9100;"
     "set listener orders public vip=10.9.0.102:9092;"
     "set listener payments public vip=10.9.0.101:9092;"
     "set listener orders public vip=10.9.0.100:9092"),
    "del broker payments 1; add broker payments 1 to=10.9.0.41:9092",
    ("del listener payments public; del broker payments 1;"
     "del broker payments 2; del cluster payments; add cluster payments"),
    /* rules that take the names of others */
    ("add rule a priority=900 match=src=10.66.0.0/16 action=reset;"
     "add rule b priority=0 match= action=allow shadow=1;"
     "set rule a name=c priority=65535; set rule b name=a shadow=0;"
     "del rule c; add rule b priority=5 "
     "match=client_id=\"it's+b\" action=observe"),
    /* owners of every kind, and none any more */
    ("set port front owner=edge; set cluster payments owner=team-a;"
     "set broker payments 1 owner=team-a;"
     "set listener payments public owner=team-a;"
     "add rule r priority=1 match= action=allow owner=edge;"
     "set broker payments 2 owner=x; set broker payments 2 owner="),
};

START_TEST(what_was_stored_is_loaded_again)
{
	struct lp_store *store = database_open(&database);
	uint64_t digest, number;

	database_commit(&database, store, basic);
	database_commit(&database, store, changes[_i]);
	digest = database.current.digest;
	number = database.current.number;
	ck_assert_uint_eq(number, 3);
	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.number, number);
	ck_assert_uint_eq(database.current.digest, digest);
	ck_assert_uint_eq(lp_config_digest(&database.current.config), digest);
	database_close(&database, store);
}
END_TEST

START_TEST(two_listeners_can_swap_their_endpoints)
{
	struct lp_store *store = database_open(&database);
	uint64_t digest;

	database_commit(&database, store, basic);
	database_commit(&database, store,
	    "add listener payments other vip=10.9.0.101:9092 base=9100");
	database_commit(&database, store,
	    "set listener payments public vip=10.9.0.101:9092;"
	    "set listener payments other vip=10.9.0.100:9092");
	digest = database.current.digest;
	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.digest, digest);
	database_close(&database, store);
}
END_TEST

START_TEST(ids_are_never_used_again)
{
	struct lp_store *store = database_open(&database);

	database_commit(&database, store, "add cluster a");
	database_commit(&database, store, "del cluster a");
	database_close(&database, store);
	store = database_open(&database);
	database_commit(&database, store, "add cluster a");
	ck_assert_uint_eq(database.current.config.objects[0].id, 2);
	database_close(&database, store);
}
END_TEST

START_TEST(every_generation_is_kept_with_its_content)
{
	struct lp_store *store = database_open(&database);
	sqlite3 *raw;
	sqlite3_stmt *statement;
	const uint8_t *content;
	size_t size, objects = 0;

	database_commit(&database, store, basic);
	ck_assert_int_eq(sqlite3_open(database.path, &raw), SQLITE_OK);
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
	ck_assert_int_eq(sqlite3_column_int64(statement, 3),
	    (int64_t)database.current.digest);
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
		    object.id, database.current.config.objects[objects].id);
		lp__pb__object__free_unpacked(message, NULL);
		at += LP_FRAME_HEADER_SIZE + len;
	}
	ck_assert_uint_eq(objects, database.current.config.count);
	sqlite3_finalize(statement);
	sqlite3_close(raw);
	database_close(&database, store);
}
END_TEST

START_TEST(the_last_thousand_generations_are_kept)
{
	struct lp_store *store = database_open(&database);

	/* As if nearly a thousand had been before. */
	database_sql(&database,
	    "INSERT INTO generation SELECT number + 999, time_ns, who, "
	    "comment, digest, content FROM generation");
	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.number, 1000);
	database_commit(&database, store, "add cluster a");
	ck_assert_int_eq(
	    database_int(&database, "SELECT min(number) FROM generation"),
	    1000);
	ck_assert_int_eq(
	    database_int(&database, "SELECT max(number) FROM generation"),
	    1001);
	database_close(&database, store);
}
END_TEST

/* Large ones would fill the disk: the newest is kept, whatever its size. */
START_TEST(generations_are_kept_up_to_so_many_bytes)
{
	static const size_t limits[] = {1000, 1};
	const struct lp_store_options options = {
	    .path = database.path, .bytes_max = limits[_i]};
	struct lp_store *store;

	ck_assert_int_eq(
	    lp_store_open(&store, &database.current, &options, database.why),
	    0);
	database_commit(&database, store, basic);
	for (int i = 0; i < 20; i++)
		database_commit(&database, store,
		    i % 2 == 0 ? "add cluster a" : "del cluster a");
	ck_assert_int_eq(
	    database_int(&database, "SELECT max(number) FROM generation"), 22);
	if (_i == 1)
		ck_assert_int_eq(
		    database_int(&database, "SELECT count(*) FROM generation"),
		    1);
	else
		ck_assert_int_eq(database_int(&database,
				     "SELECT count(*) > 1 AND "
				     "sum(length(content)) BETWEEN 500 AND "
				     "1000 FROM generation"),
		    1);
	database_close(&database, store);
}
END_TEST

START_TEST(every_start_has_a_higher_epoch)
{
	struct lp_store *store = database_open(&database);

	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(lp_store_epoch(store), 2);
	database_close(&database, store);
	ck_assert_int_eq(database_try_open(&database, &store, 10, false), 0);
	ck_assert_uint_eq(lp_store_epoch(store), 10);
	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(lp_store_epoch(store), 11);
	database_close(&database, store);
}
END_TEST

/* A unit file with --epoch starts again and again. */
START_TEST(an_epoch_that_is_asked_for_is_the_least)
{
	static const uint64_t wanted[] = {10, 10, 11, 1, 40};
	static const uint64_t taken[] = {10, 11, 12, 13, 40};
	struct lp_store *store;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		ck_assert_int_eq(
		    database_try_open(&database, &store, wanted[i], false), 0);
		ck_assert_uint_eq(lp_store_epoch(store), taken[i]);
		database_close(&database, store);
	}
}
END_TEST

START_TEST(after_the_last_epoch_there_is_none)
{
	struct lp_store *store;

	ck_assert_int_eq(
	    database_try_open(&database, &store, INT64_MAX, false), 0);
	database_close(&database, store);
	ck_assert_int_eq(
	    database_try_open(&database, &store, 0, false), -EINVAL);
	ck_assert_ptr_nonnull(strstr(
	    database.why, "there is no epoch after 9223372036854775807"));
}
END_TEST

START_TEST(a_path_may_hold_any_character)
{
	struct lp_store *store;

	free(database.path);
	database.path = strdup(path_in(database.dir, "a b?c=d#e%41&f"));
	database_close(&database, database_open(&database));
	ck_assert_int_eq(access(database.path, F_OK), 0);
	ck_assert_int_eq(database_try_open(&database, &store, 0, true), 0);
	database_close(&database, store);
}
END_TEST

START_TEST(one_daemon_at_a_time)
{
	struct lp_store *store = database_open(&database), *other = NULL;
	const struct lp_store_options options = {.path = database.path};
	struct lp_generation generation;
	char wanted[64];

	ck_assert_int_eq(
	    lp_store_open(&other, &generation, &options, database.why), -EBUSY);
	snprintf(wanted, sizeof(wanted),
	    "is in use by another lp-controld (pid %d)", getpid());
	ck_assert_msg(strstr(database.why, wanted) != NULL, "%s", database.why);
	database_close(&database, store);
	store = database_open(&database);
	database_close(&database, store);
}
END_TEST

START_TEST(looking_changes_nothing_and_needs_no_lock)
{
	struct lp_store *store = database_open(&database), *other = NULL;
	const struct lp_store_options options = {
	    .path = database.path, .read_only = true};
	struct lp_generation generation;

	database_commit(&database, store, basic);
	ck_assert_msg(
	    lp_store_open(&other, &generation, &options, database.why) == 0,
	    "%s", database.why);
	ck_assert_uint_eq(generation.digest, database.current.digest);
	lp_config_fini(&generation.config);
	lp_store_close(other);
	database_close(&database, store);
	ck_assert_int_eq(database_try_open(&database, &store, 0, true), 0);
	ck_assert_uint_eq(lp_store_epoch(store), 1);
	database_close(&database, store);
	/* Nothing is left beside it. */
	ck_assert_int_ne(
	    access(path_in(database.dir, "lightpath.db-shm"), F_OK), 0);
	ck_assert_int_eq(database_int(&database, "SELECT epoch FROM meta"), 1);
}
END_TEST

START_TEST(a_database_that_is_not_there_is_not_made_by_looking)
{
	struct lp_store *store;

	ck_assert_int_eq(
	    database_try_open(&database, &store, 0, true), -ENOENT);
	ck_assert_ptr_nonnull(
	    strstr(database.why, "No such file or directory"));
	ck_assert_int_ne(access(database.path, F_OK), 0);
}
END_TEST

/* A file system of the test's own, which vanishes with its process. */
static bool
mount_small(const char *options)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	return mount("tmpfs", database.dir, "tmpfs", 0, options) == 0;
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
	store = database_open(&database);
	database_commit(&database, store, basic);
	digest = database.current.digest;
	number = database.current.number;
	file = fopen(path_in(database.dir, "ballast"), "w");
	while (fwrite(ballast, 1, sizeof(ballast), file) == sizeof(ballast) &&
	    fflush(file) == 0)
		;
	fclose(file);
	do {
		char text[64];

		snprintf(text, sizeof(text), "add cluster c%u",
		    lp_store_next_id(store));
		digest = database.current.digest;
		number = database.current.number;
		err = database_try_commit(&database, store, text);
	} while (err == 0);
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_ptr_nonnull(strstr(database.why, "the disk is full"));
	ck_assert_ptr_nonnull(strstr(database.why, database.path));
	remove(path_in(database.dir, "ballast"));
	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.digest, digest);
	ck_assert_uint_eq(database.current.number, number);
	database_commit(&database, store, "add cluster after");
	database_close(&database, store);
}
END_TEST

START_TEST(a_full_disk_from_the_start_is_named)
{
	if (!mount_small("size=8k"))
		return; /* not root */
	database_check_refused(&database, "the disk is full");
}
END_TEST

START_TEST(a_read_only_database_is_refused)
{
	struct lp_store *store;

	if (!mount_small("size=2m"))
		return; /* not root */
	database_close(&database, database_open(&database));
	ck_assert_int_eq(
	    mount(NULL, database.dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	database_check_refused(&database, "Read-only file system");
	/* But one can look at it. */
	ck_assert_msg(database_try_open(&database, &store, 0, true) == 0, "%s",
	    database.why);
	database_close(&database, store);
}
END_TEST

START_TEST(a_limit_of_file_size_refuses_and_changes_nothing)
{
	const struct rlimit small = {65536, 65536};
	struct lp_store *store = database_open(&database);
	uint64_t number;
	int err;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	do {
		char text[64];

		snprintf(text, sizeof(text), "add cluster c%u",
		    lp_store_next_id(store));
		number = database.current.number;
		err = database_try_commit(&database, store, text);
	} while (err == 0);
	ck_assert_msg(
	    strncmp(database.why, database.path, strlen(database.path)) == 0,
	    "%s", database.why);
	database_close(&database, store);
	/* Still itself, as far as it got. */
	ck_assert_int_eq(database_try_open(&database, &store, 0, true), 0);
	ck_assert_uint_eq(database.current.number, number);
	database_close(&database, store);
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
	tcase_add_loop_test(
	    tcase, generations_are_kept_up_to_so_many_bytes, 0, 2);
	tcase_add_test(tcase, every_start_has_a_higher_epoch);
	tcase_add_test(tcase, an_epoch_that_is_asked_for_is_the_least);
	tcase_add_test(tcase, after_the_last_epoch_there_is_none);
	tcase_add_test(tcase, a_path_may_hold_any_character);
	tcase_add_test(tcase, one_daemon_at_a_time);
	tcase_add_test(tcase, looking_changes_nothing_and_needs_no_lock);
	tcase_add_test(
	    tcase, a_database_that_is_not_there_is_not_made_by_looking);
	tcase_add_test(tcase, a_full_disk_refuses_and_changes_nothing);
	tcase_add_test(tcase, a_full_disk_from_the_start_is_named);
	tcase_add_test(tcase, a_read_only_database_is_refused);
	tcase_add_test(tcase, a_limit_of_file_size_refuses_and_changes_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
