/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are not ours, not whole, or of another schema.
 */
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

/* What the newest is. */
#define SCHEMA ((int)lp_schema_count)

static struct database database;

static void
setup(void)
{
	database_init(&database);
}

static void
teardown(void)
{
	database_fini(&database);
}

START_TEST(a_file_that_is_no_database_is_refused)
{
	FILE *file = fopen(database.path, "w");

	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	database_check_refused(&database, "is no SQLite database");
}
END_TEST

START_TEST(a_directory_is_refused)
{
	ck_assert_int_eq(mkdir(database.path, 0700), 0);
	database_check_refused(&database, "is not a file");
}
END_TEST

START_TEST(a_missing_directory_is_named)
{
	free(database.path);
	database.path = strdup(path_in(database.dir, "nix/lightpath.db"));
	database_check_refused(&database, "No such file or directory");
}
END_TEST

START_TEST(a_database_of_another_program_is_left_alone)
{
	database_sql(&database,
	    "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
	database_check_refused(&database, "is a database of another program");
	ck_assert_int_eq(database_int(&database, "SELECT a FROM theirs"), 1);
	ck_assert_int_eq(database_int(&database, "PRAGMA application_id"), 0);
	ck_assert_int_eq(
	    database_int(&database, "SELECT count(*) FROM sqlite_schema"), 1);
}
END_TEST

START_TEST(a_newer_schema_is_refused)
{
	char text[128];

	database_close(&database, database_open(&database));
	snprintf(text, sizeof(text), "PRAGMA user_version = %d", SCHEMA + 1);
	database_sql(&database, text);
	snprintf(text, sizeof(text),
	    "has schema %d, this lp-controld knows up to %d", SCHEMA + 1,
	    SCHEMA);
	database_check_refused(&database, text);
	ck_assert_int_eq(database_int(&database, "SELECT epoch FROM meta"), 1);
}
END_TEST

START_TEST(a_damaged_database_is_refused)
{
	struct lp_store *store = database_open(&database);
	uint8_t garbage[2048];
	int fd;

	database_commit(&database, store, basic);
	database_close(&database, store);
	memset(garbage, 0x5a, sizeof(garbage));
	fd = open(database.path, O_WRONLY);
	/* A few pages behind the first, which has the header. */
	for (off_t at = 4096; at < 40960; at += 4096)
		ck_assert_int_eq(pwrite(fd, garbage, sizeof(garbage), at),
		    (int)sizeof(garbage));
	close(fd);
	database_check_refused(&database, "is damaged");
}
END_TEST

START_TEST(a_truncated_database_is_refused)
{
	struct lp_store *store = database_open(&database);

	database_commit(&database, store, basic);
	database_close(&database, store);
	ck_assert_int_eq(truncate(database.path, 8192), 0);
	database_check_refused(&database, "is damaged");
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
    {"UPDATE port SET mtu = 1500", "port front (id 1): mtu: "},
    {"UPDATE meta SET next_id = 3", "meta.next_id is 3, but id 3 is taken"},
    {"INSERT INTO rule VALUES (2000, 'r', 1, 0, 'fooo=1', 'observe', NULL); "
     "UPDATE meta SET next_id = 3000",
	"rule r (id 2000): match: column 1: \"fooo\" is no field"},
    {"INSERT INTO rule VALUES (2000, 'r', 1, 0, 'api=fetch', 'observe', NULL); "
     "UPDATE meta SET next_id = 3000",
	"rule r (id 2000): match: is not in its canonical form: api=Fetch"},
    {"INSERT INTO rule VALUES (2000, 'r', 1, 0, 'api=Heartbeat', "
     "'limit requests=1/s', NULL); UPDATE meta SET next_id = 3000",
	"rule r: action: limit, of an API whose delay breaks groups or logins: "
	"this version cannot do that yet"},
    {"UPDATE cluster SET owner = 'a b'", "cluster payments (id 2): owner: "},
    {"DELETE FROM meta", "table meta holds no sensible row"},
    {"PRAGMA foreign_keys = OFF; DELETE FROM cluster", "cluster"},
    {"DROP TABLE endpoint", "no such table: endpoint"},
};

START_TEST(rows_that_make_no_sense_are_named)
{
	struct lp_store *store = database_open(&database);

	database_commit(&database, store, basic);
	database_close(&database, store);
	database_sql(&database, bad_rows[_i].sql);
	database_check_refused(&database, bad_rows[_i].wanted);
}
END_TEST

START_TEST(rows_changed_by_hand_make_a_generation)
{
	struct lp_store *store = database_open(&database);
	uint64_t digest;

	database_commit(&database, store, basic);
	digest = database.current.digest;
	database_close(&database, store);
	database_sql(
	    &database, "UPDATE broker SET real_port = 19092 WHERE node_id = 1");
	store = database_open(&database);
	ck_assert_uint_eq(database.current.number, 3);
	ck_assert_uint_ne(database.current.digest, digest);
	ck_assert_int_eq(database_int(&database,
			     "SELECT count(*) FROM generation WHERE "
			     "number = 3 AND who = 'lp-controld'"),
	    1);
	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.number, 3);
	database_close(&database, store);
}
END_TEST

START_TEST(the_schema_itself_refuses_what_makes_no_sense)
{
	static const char *const texts[] = {
	    "INSERT INTO cluster VALUES (0, 'x', NULL, 0, NULL)",
	    "INSERT INTO cluster VALUES (50, 'payments', NULL, 0, NULL)",
	    "INSERT INTO broker VALUES (50, 2, 1, 'h', '10.0.0.1', 1, 0, "
	    "NULL)",
	    "INSERT INTO broker VALUES (50, 2, -1, 'h', '10.0.0.1', 1, 0, "
	    "NULL)",
	    "INSERT INTO broker VALUES (50, 2, 7, 'h', '10.0.0.1', 65536, 0, "
	    "NULL)",
	    "INSERT INTO broker VALUES (50, 77, 7, 'h', '10.0.0.1', 1, 0, "
	    "NULL)",
	    "INSERT INTO endpoint VALUES (50, 5, 3, '10.0.0.1', 9, 0)",
	    "DELETE FROM cluster",
	    "UPDATE listener SET mode = 'other'",
	    "UPDATE listener SET mode = 'inline'",
	    "UPDATE listener SET vip_ip = NULL, vip_port = NULL",
	    "UPDATE listener SET kafka = 'on'",
	    "UPDATE listener SET rewrite = 'observe'",
	    "UPDATE listener SET advertise = ''",
	    "UPDATE endpoint SET chosen = 2",
	    "UPDATE cluster SET same_as = 0",
	    "UPDATE cluster SET discover = 2",
	    "UPDATE broker SET discovered = NULL",
	    "UPDATE port SET peer = ''",
	    "UPDATE port SET on_loss = 'reset'",
	    "UPDATE port SET mtu = 1279",
	    "UPDATE port SET mtu = 9601",
	    "UPDATE listener SET unjudged = 'drop'",
	    "INSERT INTO rule VALUES (50, 'r', 65536, 0, '', 'observe', "
	    "NULL)",
	    "INSERT INTO rule VALUES (50, 'r', 1, 2, '', 'observe', NULL)",
	    "INSERT INTO rule VALUES (50, 'r', 1, 0, NULL, 'observe', NULL)",
	    "INSERT INTO rule VALUES (50, '', 1, 0, '', 'observe', NULL)",
	    ("INSERT INTO rule VALUES (50, 'r', 1, 0, '', 'observe', NULL), "
	     "(51, 'r', 1, 0, '', 'observe', NULL)"),
	    "UPDATE port SET owner = ''",
	    "UPDATE cluster SET owner = ''",
	    "UPDATE broker SET owner = ''",
	    "UPDATE listener SET owner = ''",
	    "INSERT INTO rule VALUES (50, 'r', 1, 0, '', 'observe', '')",
	};
	struct lp_store *store = database_open(&database);
	sqlite3 *raw;

	database_commit(&database, store, basic);
	database_close(&database, store);
	ck_assert_int_eq(sqlite3_open(database.path, &raw), SQLITE_OK);
	sqlite3_exec(raw, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
	ck_assert_int_eq(sqlite3_exec(raw, texts[_i], NULL, NULL, NULL) & 0xff,
	    SQLITE_CONSTRAINT);
	sqlite3_close(raw);
}
END_TEST

/* Schema 1 again, as lp-controld 0.1 left it. */
static void
make_old(void)
{
	database_sql(&database,
	    "ALTER TABLE port DROP COLUMN mtu; ALTER TABLE port DROP COLUMN "
	    "peer; ALTER TABLE port DROP COLUMN on_loss; "
	    "ALTER TABLE listener DROP COLUMN kafka; "
	    "ALTER TABLE listener DROP COLUMN rewrite; "
	    "ALTER TABLE listener DROP COLUMN advertise; "
	    "ALTER TABLE endpoint DROP COLUMN chosen; "
	    "ALTER TABLE cluster DROP COLUMN same_as; "
	    "ALTER TABLE cluster DROP COLUMN discover; "
	    "ALTER TABLE broker DROP COLUMN discovered; "
	    "ALTER TABLE listener DROP COLUMN unjudged; DROP TABLE rule; "
	    "DROP TABLE confirm; DROP TABLE audit; "
	    "ALTER TABLE port DROP COLUMN owner; "
	    "ALTER TABLE cluster DROP COLUMN owner; "
	    "ALTER TABLE broker DROP COLUMN owner; "
	    "ALTER TABLE listener DROP COLUMN owner; "
	    "PRAGMA user_version = 1");
}

/* A file that has never seen another schema: tables are made anew in it. */
START_TEST(what_a_database_of_the_first_schema_holds_stays)
{
	static const char rows[] =
	    "INSERT INTO port VALUES (1, 'front', 'eth1', 'af_xdp', 'both', "
	    "0, NULL, NULL); INSERT INTO port_address VALUES "
	    "(1, 0, '10.9.0.10', 24); INSERT INTO cluster VALUES (2, 'c'); "
	    "INSERT INTO broker VALUES (3, 2, 1, '10.9.0.21', '10.9.0.21', "
	    "9092); INSERT INTO listener VALUES (5, 2, 'l', '10.9.0.100', "
	    "9092, 9100, 'vip', 'translate'); INSERT INTO endpoint VALUES "
	    "(6, 5, 3, '10.9.0.100', 9101); UPDATE meta SET next_id = 9; "
	    "PRAGMA application_id = %d; PRAGMA user_version = 1";
	struct lp_store *store;
	char text[1024];

	database_sql(&database, lp_schema_migrations[0].sql);
	snprintf(text, sizeof(text), rows, LP_STORE_APPLICATION_ID);
	database_sql(&database, text);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.config.count, 5);
	database_commit(&database, store,
	    "add port x device=eth2 peer=y; add port y device=eth3 peer=x;"
	    "add listener c seen mode=inline;"
	    "add broker c 2 to=10.9.0.22:9092;"
	    "set listener c l base=9200 kafka=off rewrite=off");
	database_close(&database, store);
	store = database_open(&database);
	/* Two listeners to two brokers. */
	ck_assert_uint_eq(database.current.config.count, 12);
	ck_assert_str_eq(lp_config_find_name(
			     &database.current.config, LP_OBJECT_PORT, 0, "y")
			     ->port.peer,
	    "x");
	ck_assert_uint_eq(
	    lp_config_find(&database.current.config, LP_OBJECT_LISTENER, 5)
		->listener.kafka,
	    LP_LOOK_OFF);
	database_close(&database, store);
	ck_assert_int_eq(database_int(&database,
			     "SELECT count(*) FROM pragma_foreign_key_check()"),
	    0);
	ck_assert_int_eq(
	    database_int(&database,
		"SELECT count(*) FROM sqlite_schema WHERE type = 'table' "
		"AND name GLOB '*_2'"),
	    0);
}
END_TEST

START_TEST(a_database_of_the_first_schema_is_brought_up)
{
	struct lp_store *store = database_open(&database);
	uint64_t digest;

	database_commit(&database, store, basic);
	digest = database.current.digest;
	database_close(&database, store);
	make_old();
	store = database_open(&database);
	/* The same configuration: it is no new generation. */
	ck_assert_uint_eq(database.current.number, 2);
	ck_assert_uint_eq(database.current.digest, digest);
	ck_assert_uint_eq(database.current.config.objects[0].port.mtu, 0);
	database_commit(&database, store,
	    "set port front backend=dpdk device=net_tap0 mtu=9000");
	database_close(&database, store);
	ck_assert_int_eq(
	    database_int(&database, "PRAGMA user_version"), SCHEMA);
	ck_assert_int_eq(
	    database_int(&database, "SELECT mtu FROM port WHERE id = 1"), 9000);
}
END_TEST

/* What was not read is not rewritten: such listeners are none of the new. */
START_TEST(listeners_that_read_nothing_go_on_rewriting_nothing)
{
	static const char rows[] =
	    "INSERT INTO cluster VALUES (2, 'c'); INSERT INTO listener VALUES "
	    "(5, 2, 'l', '10.9.0.100', 9092, 9100, 'vip', 'translate', "
	    "'observe'), (6, 2, 'm', '10.9.0.101', 9092, 9100, 'vip', "
	    "'translate', 'off'), (7, 2, 'n', NULL, NULL, 0, 'inline', "
	    "'preserve', 'observe'); UPDATE meta SET next_id = 9; "
	    "PRAGMA application_id = %d; PRAGMA user_version = 4";
	static const uint8_t wanted[] = {
	    LP_REWRITING_ON, LP_REWRITING_OFF, LP_REWRITING_OFF};
	struct lp_store *store;
	char text[1024];

	for (unsigned i = 0; i < 4; i++)
		database_sql(&database, lp_schema_migrations[i].sql);
	snprintf(text, sizeof(text), rows, LP_STORE_APPLICATION_ID);
	database_sql(&database, text);
	store = database_open(&database);
	for (uint32_t id = 5; id <= 7; id++)
		ck_assert_uint_eq(lp_config_find(&database.current.config,
				      LP_OBJECT_LISTENER, id)
				      ->listener.rewrite,
		    wanted[id - 5]);
	database_commit(&database, store,
	    "set listener c l rewrite=shadow advertise=kafka.example.com");
	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(
	    lp_config_find(&database.current.config, LP_OBJECT_LISTENER, 5)
		->listener.rewrite,
	    LP_REWRITING_SHADOW);
	ck_assert_str_eq(
	    lp_config_find(&database.current.config, LP_OBJECT_LISTENER, 5)
		->listener.advertise,
	    "kafka.example.com");
	database_close(&database, store);
}
END_TEST

/* As the lp-controld before rules left it, with all that it knew. */
START_TEST(a_database_without_rules_is_brought_up_and_takes_some)
{
	struct lp_store *store = database_open(&database);
	uint64_t digest;

	database_commit(&database, store, basic);
	digest = database.current.digest;
	database_close(&database, store);
	database_sql(&database,
	    "ALTER TABLE listener DROP COLUMN unjudged; DROP TABLE rule; "
	    "DROP TABLE confirm; DROP TABLE audit; "
	    "ALTER TABLE port DROP COLUMN owner; "
	    "ALTER TABLE cluster DROP COLUMN owner; "
	    "ALTER TABLE broker DROP COLUMN owner; "
	    "ALTER TABLE listener DROP COLUMN owner; "
	    "PRAGMA user_version = 6");
	store = database_open(&database);
	/* The very same: no generation is made of it. */
	ck_assert_uint_eq(database.current.digest, digest);
	ck_assert_uint_eq(database.current.number, 2);
	database_commit(&database, store,
	    "set listener payments public unjudged=reset;"
	    "add rule r priority=7 match=api=Fetch+topic=a* action=allow "
	    "shadow=1");
	digest = database.current.digest;
	database_close(&database, store);
	store = database_open(&database);
	ck_assert_uint_eq(database.current.digest, digest);
	ck_assert_uint_eq(database.current.number, 3);
	ck_assert_int_eq(database_int(&database,
			     "SELECT count(*) FROM rule WHERE name = 'r' AND "
			     "priority = 7 AND shadow = 1 AND "
			     "match = 'api=Fetch topic=a*' AND "
			     "action = 'allow'"),
	    1);
	ck_assert_int_eq(
	    database_int(&database, "SELECT unjudged = 'reset' FROM listener"),
	    1);
	database_commit(&database, store, "del rule r");
	database_close(&database, store);
	ck_assert_int_eq(
	    database_int(&database, "SELECT count(*) FROM rule"), 0);
}
END_TEST

START_TEST(looking_brings_nothing_up)
{
	struct lp_store *store = database_open(&database);
	char wanted[128];

	database_close(&database, store);
	make_old();
	ck_assert_int_lt(database_try_open(&database, &store, 0, true), 0);
	snprintf(wanted, sizeof(wanted),
	    "has schema 1; starting lp-controld once brings it to %d", SCHEMA);
	ck_assert_ptr_nonnull(strstr(database.why, wanted));
	ck_assert_int_eq(database_int(&database, "PRAGMA user_version"), 1);
}
END_TEST

/* What is embedded, and two more. */
static const struct lp_schema_migration more[] = {
    {"more", "CREATE TABLE more (a); INSERT INTO more VALUES (2)"},
    {"broken", "CREATE TABLE broken (a); SELECT nonsense"},
};

static int
open_with(size_t count, struct lp_store **store)
{
	struct lp_schema_migration list[64];
	const struct lp_store_options options = {.path = database.path,
	    .migrations = list,
	    .migration_count = lp_schema_count + count};

	ck_assert_uint_lt(lp_schema_count, 64 - 2);
	memcpy(list, lp_schema_migrations, lp_schema_count * sizeof(list[0]));
	memcpy(&list[lp_schema_count], more, sizeof(more));
	return lp_store_open(store, &database.current, &options, database.why);
}

START_TEST(a_migration_leaves_a_copy_of_what_was)
{
	struct lp_store *store = database_open(&database);
	char name[64];
	const char *copy;

	snprintf(name, sizeof(name), "lightpath.db.schema-%d", SCHEMA);
	copy = path_in(database.dir, name);
	database_commit(&database, store, basic);
	database_close(&database, store);
	ck_assert_msg(open_with(1, &store) == 0, "%s", database.why);
	ck_assert_uint_eq(database.current.config.count, 7);
	database_close(&database, store);
	ck_assert_int_eq(
	    database_int(&database, "PRAGMA user_version"), SCHEMA + 1);
	ck_assert_int_eq(database_int(&database, "SELECT a FROM more"), 2);
	free(database.path);
	database.path = strdup(copy);
	ck_assert_int_eq(
	    database_int(&database, "PRAGMA user_version"), SCHEMA);
	ck_assert_int_eq(
	    database_int(&database, "SELECT count(*) FROM broker"), 2);
}
END_TEST

START_TEST(a_migration_that_fails_changes_nothing)
{
	struct lp_store *store = database_open(&database);

	database_commit(&database, store, basic);
	database_close(&database, store);
	ck_assert_int_lt(open_with(2, &store), 0);
	ck_assert_ptr_nonnull(strstr(database.why, "nonsense"));
	/* The first stands for itself; the other left nothing. */
	ck_assert_int_eq(
	    database_int(&database, "PRAGMA user_version"), SCHEMA + 1);
	ck_assert_int_eq(database_int(&database,
			     "SELECT count(*) FROM sqlite_schema "
			     "WHERE name = 'broken'"),
	    0);
	ck_assert_int_eq(database_int(&database, "SELECT epoch FROM meta"), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_schema");
	TCase *tcase = tcase_create("store_schema");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
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
	    tcase, the_schema_itself_refuses_what_makes_no_sense, 0, 33);
	tcase_add_test(tcase, a_database_of_the_first_schema_is_brought_up);
	tcase_add_test(tcase, what_a_database_of_the_first_schema_holds_stays);
	tcase_add_test(
	    tcase, listeners_that_read_nothing_go_on_rewriting_nothing);
	tcase_add_test(
	    tcase, a_database_without_rules_is_brought_up_and_takes_some);
	tcase_add_test(tcase, looking_brings_nothing_up);
	tcase_add_test(tcase, a_migration_leaves_a_copy_of_what_was);
	tcase_add_test(tcase, a_migration_that_fails_changes_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
