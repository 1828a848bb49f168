/* SPDX-License-Identifier: Apache-2.0 */
/* The control contract, spoken to a real process over its socket. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/dataplane/controller.h"

enum { EPOCH = 7 };

/* A dataplane with generation 1 of cold_config(), and its controller. */
static struct dataplane dataplane;
static struct controller controller;
static struct lp_config config;

static void
begin_fresh(void)
{
	cold_config(&config);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
}

static void
begin_applied(void)
{
	begin_fresh();
	controller_apply(&controller, EPOCH, 1, &config);
}

static void
end(void)
{
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
}

/* What runs, as a new controller learns it. */
static void
expect_running(uint64_t generation, uint64_t digest)
{
	struct controller other;
	const Lp__Pb__Hello *hello;

	controller_open(&other, dataplane.socket);
	hello = controller_expect(&other, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
		    ->hello;
	ck_assert_uint_eq(hello->generation, generation);
	ck_assert_uint_eq(hello->digest, digest);
	controller_close(&other);
}

START_TEST(hello_says_what_it_is)
{
	const Lp__Pb__Hello *hello;

	lp_config_init(&config);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	hello = controller_expect(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
		    ->hello;
	ck_assert_str_eq(hello->id, "test");
	ck_assert_uint_ne(hello->boot_id, 0);
	ck_assert_uint_eq(hello->generation, 0);
	ck_assert_uint_eq(hello->epoch, 0);
	ck_assert_uint_ge(hello->n_backends, 1);
	end();
}
END_TEST

START_TEST(full_generation_is_applied)
{
	begin_applied();
	expect_running(1, lp_config_digest(&config));
	end();
}
END_TEST

START_TEST(delta_changes_only_what_it_names)
{
	struct lp_object broker;
	uint64_t digest;

	begin_applied();
	broker = *lp_config_find(&config, LP_OBJECT_BROKER, PAYMENTS_1);
	broker.broker.real.port = 9999;
	put(&config, broker);
	lp_config_remove(&config, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1);
	lp_config_remove(&config, LP_OBJECT_LISTENER, ORDERS_PUBLIC);
	digest = lp_config_digest(&config);
	controller_begin(&controller, EPOCH, 2, 1, 3, digest);
	controller_object(&controller, &broker, false);
	broker = make_endpoint(
	    ORDERS_PUBLIC_1, ORDERS_PUBLIC, ORDERS_1, "10.9.0.1:1");
	controller_object(&controller, &broker, true);
	broker = make_listener(ORDERS_PUBLIC, ORDERS, "public", "10.9.0.1:1");
	controller_object(&controller, &broker, true);
	controller_end(&controller, 2);
	ck_assert_uint_eq(controller_expect(&controller,
			      LP__PB__DATAPLANE_MESSAGE__BODY_APPLIED)
			      ->applied->digest,
	    digest);
	expect_running(2, digest);
	end();
}
END_TEST

START_TEST(delta_on_another_base_is_rejected)
{
	begin_applied();
	controller_begin(&controller, EPOCH, 9, 8, 0, 1);
	controller_end(&controller, 9);
	controller_expect_rejected(&controller, LP__PB__REJECTED__CODE__BASE);
	expect_running(1, lp_config_digest(&config));
	/* And the connection is as good as before. */
	controller_apply(&controller, EPOCH, 10, &config);
	end();
}
END_TEST

START_TEST(wrong_digest_is_rejected)
{
	begin_applied();
	controller_begin(
	    &controller, EPOCH, 2, 0, (uint32_t)config.count, 0xbad);
	for (size_t i = 0; i < config.count; i++)
		controller_object(&controller, &config.objects[i], false);
	controller_end(&controller, 2);
	ck_assert_uint_eq(controller_expect_rejected(
			      &controller, LP__PB__REJECTED__CODE__DIGEST)
			      ->generation,
	    2);
	expect_running(1, lp_config_digest(&config));
	end();
}
END_TEST

START_TEST(wrong_count_is_rejected)
{
	begin_applied();
	controller_begin(&controller, EPOCH, 2, 0, 3, 1);
	controller_object(&controller, &config.objects[0], false);
	controller_end(&controller, 2);
	controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__PROTOCOL);
	controller_begin(&controller, EPOCH, 3, 0, 0, 1);
	controller_object(&controller, &config.objects[0], false);
	controller_end(&controller, 3);
	controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__PROTOCOL);
	expect_running(1, lp_config_digest(&config));
	end();
}
END_TEST

START_TEST(invalid_object_is_rejected_by_name)
{
	struct lp_config other;
	struct lp_object listener;
	const Lp__Pb__Rejected *rejected;

	begin_applied();
	lp_config_init(&other);
	lp_config_copy(&other, &config);
	listener = make_listener(NEXT_ID, ORDERS, "second", "10.9.0.100:9092");
	put(&other, listener);
	controller_push(&controller, EPOCH, 2, &other);
	rejected = controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__INVALID);
	ck_assert_str_ne(rejected->problems[0]->object, "");
	ck_assert_str_ne(rejected->problems[0]->field, "");
	ck_assert_str_ne(rejected->problems[0]->text, "");
	expect_running(1, lp_config_digest(&config));
	lp_config_fini(&other);
	end();
}
END_TEST

START_TEST(object_that_is_wrong_by_itself_is_rejected_at_once)
{
	struct lp_object port;
	const Lp__Pb__Rejected *rejected;

	begin_applied();
	port = make_port(77, "x", LP_SIDE_CLIENT, "10.1.0.1/24", NULL, NULL);
	port.port.backend = 99;
	controller_begin(&controller, EPOCH, 2, 0, 2, 1);
	controller_object(&controller, &port, false);
	rejected = controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__INVALID);
	ck_assert_uint_eq(rejected->problems[0]->object_id, 77);
	ck_assert_str_eq(rejected->problems[0]->field, "backend");
	/* The rest of it is passed over, and nothing more is said. */
	controller_object(&controller, &config.objects[0], false);
	controller_end(&controller, 2);
	controller_apply(&controller, EPOCH, 3, &config);
	end();
}
END_TEST

START_TEST(port_that_cannot_be_opened_is_rejected_by_name)
{
	struct lp_config other;
	const Lp__Pb__Rejected *rejected;
	struct lp_object port;

	begin_applied();
	lp_config_init(&other);
	lp_config_copy(&other, &config);
	port = make_port(
	    NEXT_ID, "third", LP_SIDE_CLIENT, "10.77.0.1/24", NULL, NULL);
	port.port.backend = LP_BACKEND_MEMORY;
	strcpy(port.port.device, "m-third,nonsense=1");
	put(&other, port);
	controller_push(&controller, EPOCH, 2, &other);
	rejected = controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__RESOURCE);
	ck_assert_str_eq(rejected->problems[0]->object, "port third");
	ck_assert_str_eq(rejected->problems[0]->field, "device");
	ck_assert_str_ne(rejected->problems[0]->text, "");
	expect_running(1, lp_config_digest(&config));
	lp_config_fini(&other);
	end();
}
END_TEST

/* One generation has them all of one back end; the next has them of another. */
START_TEST(backend_stays_until_a_restart)
{
	struct lp_config other;
	const Lp__Pb__Rejected *rejected;

	begin_applied();
	lp_config_init(&other);
	lp_config_copy(&other, &config);
	for (size_t i = 0; i < other.count; i++)
		if (other.objects[i].kind == LP_OBJECT_PORT)
			other.objects[i].port.backend = LP_BACKEND_AF_XDP;
	controller_push(&controller, EPOCH, 2, &other);
	rejected = controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__RESOURCE);
	ck_assert_str_eq(rejected->problems[0]->field, "backend");
	lp_config_fini(&other);
	end();
}
END_TEST

START_TEST(older_generation_of_the_same_epoch_is_rejected)
{
	struct lp_config other;
	struct lp_object cluster = make_cluster(NEXT_ID, "third");

	begin_fresh();
	controller_apply(&controller, EPOCH, 5, &config);
	lp_config_init(&other);
	lp_config_copy(&other, &config);
	put(&other, cluster);
	controller_push(&controller, EPOCH, 5, &other);
	controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__PROTOCOL);
	/* What runs already may be said again. */
	controller_apply(&controller, EPOCH, 5, &config);
	controller_apply(&controller, EPOCH, 6, &other);
	lp_config_fini(&other);
	end();
}
END_TEST

START_TEST(lower_epoch_is_fenced_and_closed)
{
	struct controller other;
	const Lp__Pb__Rejected *rejected;

	begin_applied();
	controller_open(&other, dataplane.socket);
	controller_welcome(&other, EPOCH - 1);
	rejected =
	    controller_expect_rejected(&other, LP__PB__REJECTED__CODE__FENCED);
	ck_assert_uint_eq(rejected->epoch, EPOCH);
	controller_expect_end(&other);
	controller_close(&other);
	end();
}
END_TEST

START_TEST(equal_epoch_of_another_controller_is_fenced)
{
	struct controller other;

	begin_applied();
	controller_open(&other, dataplane.socket);
	controller_welcome_as(&other, EPOCH, "another database");
	controller_expect_rejected(&other, LP__PB__REJECTED__CODE__FENCED);
	controller_expect_end(&other);
	controller_close(&other);
	/* The same one may come again. */
	controller_open(&other, dataplane.socket);
	controller_welcome(&other, EPOCH);
	controller_apply(&other, EPOCH, 2, &config);
	controller_close(&other);
	end();
}
END_TEST

START_TEST(newer_controller_fences_the_older_one)
{
	struct controller other;

	begin_applied();
	controller_open(&other, dataplane.socket);
	controller_welcome(&other, EPOCH + 1);
	/* A new epoch may count its generations from the beginning. */
	controller_apply(&other, EPOCH + 1, 1, &config);
	controller_push(&controller, EPOCH, 2, &config);
	controller_expect_rejected(&controller, LP__PB__REJECTED__CODE__FENCED);
	controller_expect_end(&controller);
	controller_close(&other);
	end();
}
END_TEST

START_TEST(newer_controller_fences_what_the_older_one_has_begun)
{
	struct controller other;

	begin_fresh();
	controller_begin(&controller, EPOCH, 100, 0, 0, 1);
	controller_open(&other, dataplane.socket);
	controller_welcome(&other, EPOCH + 1);
	controller_apply(&other, EPOCH + 1, 3, &config);
	controller_end(&controller, 100);
	controller_expect_rejected(&controller, LP__PB__REJECTED__CODE__FENCED);
	controller_expect_end(&controller);
	controller_close(&other);
	expect_running(3, lp_config_digest(&config));
	end();
}
END_TEST

START_TEST(begin_of_another_epoch_than_welcome_is_rejected)
{
	begin_applied();
	controller_push(&controller, EPOCH + 1, 2, &config);
	controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__PROTOCOL);
	controller_apply(&controller, EPOCH, 3, &config);
	end();
}
END_TEST

START_TEST(epoch_is_remembered_over_a_restart)
{
	begin_applied();
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_restart(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH - 1);
	controller_expect_rejected(&controller, LP__PB__REJECTED__CODE__FENCED);
	expect_running(1, lp_config_digest(&config));
	end();
}
END_TEST

START_TEST(beats_carry_the_running_generation)
{
	const Lp__Pb__Beat *beat;

	begin_applied();
	beat = controller_beat(&controller);
	ck_assert_uint_eq(beat->generation, 1);
	ck_assert_uint_eq(beat->digest, lp_config_digest(&config));
	end();
}
END_TEST

START_TEST(silent_controller_is_dropped)
{
	struct controller silent;

	begin_applied();
	controller_open(&silent, dataplane.socket);
	controller_welcome(&silent, EPOCH);
	controller_expect_end(&silent);
	controller_close(&silent);
	ck_assert(dataplane_logged(&dataplane, "silent"));
	end();
}
END_TEST

static const struct {
	const char *what;
	size_t len;
	uint8_t bytes[16];
} garbage[] = {
    {"a length of zero", 4, {0, 0, 0, 0}},
    {"a length beyond the limit", 4, {0, 1, 0, 0}},
    {"a huge length", 4, {0xff, 0xff, 0xff, 0xff}},
    {"no protobuf", 8, {0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff}},
    {"a required field missing", 6, {0, 0, 0, 2, 0x12, 0x00}},
    {"an empty message", 6, {0, 0, 0, 2, 0x7a, 0x00}},
    {"a reply that only we send", 10, {0, 0, 0, 6, 0x5a, 4, 0x08, 1, 0x12, 0}},
};

START_TEST(garbage_ends_that_connection_only)
{
	struct controller other;

	begin_applied();
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		controller_open(&other, dataplane.socket);
		controller_welcome(&other, EPOCH);
		controller_write(&other, garbage[i].bytes, garbage[i].len);
		controller_expect_end(&other);
		controller_close(&other);
	}
	/* Truncated: the connection ends inside a frame. */
	controller_open(&other, dataplane.socket);
	controller_write(&other, "\0\0\1", 3);
	controller_close(&other);
	controller_apply(&controller, EPOCH, 2, &config);
	expect_running(2, lp_config_digest(&config));
	end();
}
END_TEST

START_TEST(only_welcome_may_come_first)
{
	lp_config_init(&config);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_end(&controller, 1);
	controller_expect_end(&controller);
	end();
}
END_TEST

START_TEST(frames_out_of_place_end_the_connection)
{
	begin_applied();
	controller_object(&controller, &config.objects[0], false);
	controller_expect_rejected(
	    &controller, LP__PB__REJECTED__CODE__PROTOCOL);
	controller_expect_end(&controller);
	end();
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
	uint8_t beat[] = {
	    0, 0, 0, 13, 0x42, 11, 0x08, 1, 0x11, 1, 2, 3, 4, 5, 6, 7, 8};

	begin_applied();
	for (size_t i = 0; i < sizeof(beat); i++)
		controller_write(&controller, beat + i, 1);
	controller_apply(&controller, EPOCH, 2, &config);
	end();
}
END_TEST

START_TEST(one_controller_too_many_is_refused)
{
	static struct controller others[8];

	begin_applied();
	for (int i = 0; i < 8; i++)
		controller_open(&others[i], dataplane.socket);
	controller_expect_end(&others[7]);
	for (int i = 0; i < 8; i++)
		controller_close(&others[i]);
	controller_apply(&controller, EPOCH, 2, &config);
	end();
}
END_TEST

START_TEST(configuration_that_cannot_be_saved_still_runs)
{
	begin_applied();
	/* A directory in its place: the rename fails. */
	ck_assert_int_eq(unlink(dataplane.snapshot), 0);
	ck_assert_int_eq(mkdir(dataplane.snapshot, 0700), 0);
	controller_apply(&controller, EPOCH, 2, &config);
	ck_assert(dataplane_logged(&dataplane, "a restart would not know it"));
	ck_assert_int_eq(rmdir(dataplane.snapshot), 0);
	end();
}
END_TEST

START_TEST(damaged_snapshot_is_moved_aside)
{
	char bad[PATH_MAX];
	FILE *file;

	begin_applied();
	controller_close(&controller);
	dataplane_stop(&dataplane);
	file = fopen(dataplane.snapshot, "r+");
	ck_assert_ptr_nonnull(file);
	fseek(file, -3, SEEK_END);
	fputc('!', file);
	fclose(file);
	dataplane_restart(&dataplane, NULL);
	expect_running(0, 0);
	ck_assert_int_eq(
	    access(cold_path(bad, dataplane.directory, "snapshot.bad"), F_OK),
	    0);
	ck_assert(dataplane_logged(&dataplane, "wrong checksum"));
	controller_open(&controller, dataplane.socket);
	end();
}
END_TEST

START_TEST(ports_are_renamed_without_being_closed)
{
	struct lp_object port;

	begin_applied();
	port = *lp_config_find(&config, LP_OBJECT_PORT, FRONT);
	lp_config_remove(&config, LP_OBJECT_PORT, FRONT);
	port.id = NEXT_ID;
	strcpy(port.port.name, "renamed");
	put(&config, port);
	controller_apply(&controller, EPOCH, 2, &config);
	end();
}
END_TEST

START_TEST(ports_come_and_go_many_times)
{
	struct lp_config less;
	static const unsigned kinds[] = {LP_OBJECT_ENDPOINT, LP_OBJECT_LISTENER,
	    LP_OBJECT_BROKER, LP_OBJECT_PORT};

	begin_applied();
	lp_config_init(&less);
	lp_config_copy(&less, &config);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (uint32_t id = 1; id < NEXT_ID; id++)
			lp_config_remove(&less, kinds[i], id);
	for (uint64_t generation = 2; generation < 100; generation += 2) {
		controller_apply(&controller, EPOCH, generation, &less);
		controller_apply(&controller, EPOCH, generation + 1, &config);
	}
	lp_config_fini(&less);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    hello_says_what_it_is,
	    full_generation_is_applied,
	    delta_changes_only_what_it_names,
	    delta_on_another_base_is_rejected,
	    wrong_digest_is_rejected,
	    wrong_count_is_rejected,
	    invalid_object_is_rejected_by_name,
	    object_that_is_wrong_by_itself_is_rejected_at_once,
	    port_that_cannot_be_opened_is_rejected_by_name,
	    backend_stays_until_a_restart,
	    older_generation_of_the_same_epoch_is_rejected,
	    lower_epoch_is_fenced_and_closed,
	    equal_epoch_of_another_controller_is_fenced,
	    newer_controller_fences_the_older_one,
	    newer_controller_fences_what_the_older_one_has_begun,
	    begin_of_another_epoch_than_welcome_is_rejected,
	    epoch_is_remembered_over_a_restart,
	    beats_carry_the_running_generation,
	    silent_controller_is_dropped,
	    garbage_ends_that_connection_only,
	    only_welcome_may_come_first,
	    frames_out_of_place_end_the_connection,
	    bytes_may_come_one_by_one,
	    one_controller_too_many_is_refused,
	    configuration_that_cannot_be_saved_still_runs,
	    damaged_snapshot_is_moved_aside,
	    ports_are_renamed_without_being_closed,
	    ports_come_and_go_many_times,
	    NULL,
	};

	return cold_run("control", tests);
}
