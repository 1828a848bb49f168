/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/store_copy.h"
#include "controld/store_restore.h"
#include "database.h"
#include "transaction.h"
#include "world.h"

static struct database database;
static char *copy_path;
static char why[LP_STORE_WHY_SIZE];

static void
setup(void)
{
	database_init(&database);
	copy_path = strdup(path_in(database.dir, "copy.db"));
}

static void
teardown(void)
{
	free(copy_path);
	database_fini(&database);
}

static void
make_copy(struct lp_store *store)
{
	struct lp_store_copy *copy;
	int err;

	ck_assert_int_eq(lp_store_copy(&copy, store, copy_path, why), 0);
	do
		err = lp_store_copy_step(copy, why);
	while (err > 0);
	ck_assert_msg(err == 0, "%s", why);
	lp_store_copy_end(copy);
}

static void
check_refused(int err, int wanted, const char *text)
{
	ck_assert_int_eq(err, wanted);
	ck_assert_msg(strstr(why, text) != NULL, "%s", why);
}

START_TEST(a_copy_is_what_the_database_is)
{
	struct lp_store *store = database_open(&database);
	struct lp_store_facts facts;
	struct stat status;

	database_commit(&database, store, "add cluster payments");
	make_copy(store);
	database_commit(&database, store, "add cluster later");
	ck_assert_msg(
	    lp_store_restore_check(copy_path, &facts, why) == 0, "%s", why);
	ck_assert_uint_eq(facts.generation, 2);
	ck_assert_uint_eq(facts.kept, 2);
	ck_assert_uint_eq(facts.epoch, 1);
	ck_assert_int_eq(facts.schema, (int64_t)lp_schema_count);
	ck_assert_str_eq(facts.database_id, lp_store_database_id(store));
	/* For its owner alone, and one file. */
	ck_assert_int_eq(stat(copy_path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	ck_assert_int_ne(access(path_in(database.dir, "copy.db-wal"), F_OK), 0);
	/* And no file of anybody is written over. */
	struct lp_store_copy *copy;
	check_refused(
	    lp_store_copy(&copy, store, copy_path, why), -EEXIST, "copy.db");
	database_close(&database, store);
}
END_TEST

START_TEST(what_is_committed_meanwhile_is_in_it)
{
	struct lp_store *store = database_open(&database);
	struct lp_store_facts facts;
	struct lp_store_copy *copy;
	int err;

	/* More than one step. */
	for (unsigned i = 0; i < 40; i++) {
		char text[4096] = "";

		for (unsigned j = 0; j < 25; j++)
			snprintf(text + strlen(text), 128,
			    "%sadd rule r%ux%u priority=1 "
			    "match=client_id=aaaaaaaaaaaaaaaaaaaaaaaaaaaa* "
			    "action=observe",
			    j > 0 ? ";" : "", i, j);
		database_commit(&database, store, text);
	}
	ck_assert_int_eq(lp_store_copy(&copy, store, copy_path, why), 0);
	ck_assert_int_eq(lp_store_copy_step(copy, why), 1);
	database_commit(&database, store, "add cluster meanwhile");
	do
		err = lp_store_copy_step(copy, why);
	while (err > 0);
	ck_assert_int_eq(err, 0);
	lp_store_copy_end(copy);
	ck_assert_int_eq(lp_store_restore_check(copy_path, &facts, why), 0);
	ck_assert_uint_eq(facts.generation, 42);
	/* One that is given up leaves nothing. */
	unlink(copy_path);
	ck_assert_int_eq(lp_store_copy(&copy, store, copy_path, why), 0);
	ck_assert_int_eq(lp_store_copy_step(copy, why), 1);
	lp_store_copy_end(copy);
	ck_assert_int_ne(access(copy_path, F_OK), 0);
	database_close(&database, store);
}
END_TEST

static void
damage(const char *path, off_t at)
{
	static const char junk[64] = "what is no page of a database at all";
	int fd = open(path, O_WRONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
	close(fd);
}

START_TEST(what_is_no_copy_is_named)
{
	struct lp_store *store = database_open(&database);
	struct lp_store_facts facts;
	struct stat status;

	check_refused(lp_store_restore_check(copy_path, &facts, why), -ENOENT,
	    "copy.db: No such file");
	database_commit(&database, store, "add cluster payments");
	make_copy(store);
	database_close(&database, store);
	ck_assert_int_eq(stat(copy_path, &status), 0);
	/* The last page is of an index or a table. */
	damage(copy_path, status.st_size - 4096);
	check_refused(lp_store_restore_check(copy_path, &facts, why), -EUCLEAN,
	    "is damaged");
	ck_assert_int_eq(truncate(copy_path, status.st_size / 2), 0);
	ck_assert_int_lt(lp_store_restore_check(copy_path, &facts, why), 0);
	damage(copy_path, 0);
	check_refused(lp_store_restore_check(copy_path, &facts, why), -EINVAL,
	    "is no SQLite database");
	ck_assert_int_eq(truncate(copy_path, 0), 0);
	check_refused(lp_store_restore_check(copy_path, &facts, why), -EINVAL,
	    "is empty");
	/* Nor is the database touched by it. */
	check_refused(
	    lp_store_restore_run(database.path, copy_path, "me", &facts, why),
	    -EINVAL, "is empty");
	store = database_open(&database);
	ck_assert_uint_eq(database.current.number, 2);
	database_close(&database, store);
}
END_TEST

START_TEST(a_copy_takes_the_place_of_the_database)
{
	struct lp_store *store = database_open(&database);
	struct lp_store_facts facts;
	uint32_t next_id;
	uint64_t epoch;

	database_commit(&database, store, "add cluster payments");
	make_copy(store);
	database_commit(&database, store, "add cluster later");
	check_refused(
	    lp_store_restore_run(database.path, copy_path, "me", &facts, why),
	    -EBUSY, "is in use by another lp-controld");
	database_close(&database, store);
	store = database_open(&database);
	epoch = lp_store_epoch(store);
	next_id = lp_store_next_id(store);
	database_close(&database, store);
	ck_assert_msg(lp_store_restore_run(
			  database.path, copy_path, "me", &facts, why) == 0,
	    "%s", why);
	store = database_open(&database);
	/* Its content, and what was given out since is not given out again. */
	ck_assert_ptr_nonnull(lp_config_find_name(
	    &database.current.config, LP_OBJECT_CLUSTER, 0, "payments"));
	ck_assert_ptr_null(lp_config_find_name(
	    &database.current.config, LP_OBJECT_CLUSTER, 0, "later"));
	ck_assert_uint_eq(database.current.number, 4);
	ck_assert_uint_gt(lp_store_epoch(store), epoch);
	ck_assert_uint_eq(lp_store_next_id(store), next_id);
	database_close(&database, store);
	ck_assert_int_eq(database_int(&database,
			     "SELECT count(*) FROM generation WHERE number = 4 "
			     "AND who = 'me' AND comment LIKE 'restored from "
			     "%copy.db'"),
	    1);
	/* And what was there is, too. */
	free(database.path);
	database.path =
	    strdup(path_in(database.dir, "lightpath.db.before-restore"));
	store = database_open(&database);
	ck_assert_ptr_nonnull(lp_config_find_name(
	    &database.current.config, LP_OBJECT_CLUSTER, 0, "later"));
	database_close(&database, store);
}
END_TEST

/* What nobody had confirmed does not stay for ever by being restored. */
START_TEST(what_waits_to_be_confirmed_waits_on)
{
	struct lp_store *store = database_open(&database);
	const struct lp_store_change change = {
	    .next_id = 5, .who = "tester", .comment = "", .wait_ms = 60000};
	struct lp_store_waiting waiting;
	struct lp_store_facts facts;
	struct lp_generation next = {0};
	uint32_t next_id = lp_store_next_id(store);

	lp_config_init(&next.config);
	apply(&next.config, &next_id, "add cluster payments");
	ck_assert_int_eq(lp_store_commit_change(
			     store, &database.current, &next, &change, why),
	    0);
	make_copy(store);
	lp_config_fini(&next.config);
	database_close(&database, store);
	ck_assert_msg(lp_store_restore_run(
			  database.path, copy_path, "me", &facts, why) == 0,
	    "%s", why);
	store = database_open(&database);
	ck_assert_int_eq(lp_store_waits(store, &waiting, why), 0);
	ck_assert_uint_eq(waiting.generation, database.current.number);
	ck_assert_uint_eq(waiting.back_to, 1);
	database_close(&database, store);
}
END_TEST

/* A database has one lock, whatever leads to it; and the link stays one. */
START_TEST(a_link_to_it_is_the_same_database)
{
	struct lp_store *store = database_open(&database);
	char *path = database.path;
	struct lp_store_facts facts;
	struct stat status;

	make_copy(store);
	database_commit(&database, store, "add cluster payments");
	database.path = strdup(path_in(database.dir, "link.db"));
	ck_assert_int_eq(symlink(path, database.path), 0);
	check_refused(
	    lp_store_restore_run(database.path, copy_path, "me", &facts, why),
	    -EBUSY, "is in use by another lp-controld");
	/* What is in the log only is seen, too. */
	ck_assert_int_eq(lp_store_restore_check(database.path, &facts, why), 0);
	ck_assert_uint_eq(facts.generation, 2);
	database_close(&database, store);
	ck_assert_int_eq(
	    lp_store_restore_run(database.path, copy_path, "me", &facts, why),
	    0);
	ck_assert_str_eq(facts.path, path);
	ck_assert_int_eq(lstat(database.path, &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
	store = database_open(&database);
	ck_assert_uint_eq(database.current.number, 3);
	ck_assert_str_eq(lp_store_path(store), path);
	database_close(&database, store);
	free(path);
}
END_TEST

/* Of a disk that was lost, or that cannot be read: no epoch is known. */
START_TEST(it_replaces_what_cannot_be_read)
{
	struct lp_store *store = database_open(&database);
	struct lp_store_facts facts;
	uint32_t next_id;

	database_commit(&database, store, "add cluster payments");
	make_copy(store);
	next_id = lp_store_next_id(store);
	database_close(&database, store);
	damage(database.path, 0);
	ck_assert_msg(lp_store_restore_run(
			  database.path, copy_path, "me", &facts, why) == 0,
	    "%s", why);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.number, 3);
	/* A second later than any that was taken a second before. */
	ck_assert_uint_gt(lp_store_epoch(store), 1700000000);
	ck_assert_uint_gt(lp_store_next_id(store), next_id + 100000);
	database_close(&database, store);
	ck_assert_int_eq(
	    access(path_in(database.dir, "lightpath.db.before-restore"), F_OK),
	    0);
	/* Nothing there at all, twice. */
	unlink(database.path);
	ck_assert_int_eq(
	    lp_store_restore_run(database.path, copy_path, "me", &facts, why),
	    0);
	ck_assert_int_eq(
	    lp_store_restore_run(database.path, copy_path, "me", &facts, why),
	    0);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.number, 4);
	database_close(&database, store);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_copy");
	TCase *tcase = tcase_create("store_copy");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_copy_is_what_the_database_is);
	tcase_add_test(tcase, what_is_committed_meanwhile_is_in_it);
	tcase_add_test(tcase, what_is_no_copy_is_named);
	tcase_add_test(tcase, a_copy_takes_the_place_of_the_database);
	tcase_add_test(tcase, what_waits_to_be_confirmed_waits_on);
	tcase_add_test(tcase, a_link_to_it_is_the_same_database);
	tcase_add_test(tcase, it_replaces_what_cannot_be_read);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
