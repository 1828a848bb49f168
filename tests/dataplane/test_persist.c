/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/persist.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/dataplane/cold.h"

static char directory[PATH_MAX];
static char path[PATH_MAX];
static struct lp_config config;
static struct lp_persist state = {
    .epoch_seen = 9, .epoch = 8, .generation = 7, .port_ids = {BACK, FRONT}};

static void
save(void)
{
	cold_mkdir(directory);
	cold_path(path, directory, "snapshot");
	cold_config(&config);
	state.digest = lp_config_digest(&config);
	ck_assert_int_eq(lp_persist_save(path, &state, &config), 0);
}

static void
clean(void)
{
	lp_config_fini(&config);
	cold_rmdir(directory);
}

static int
load(struct lp_persist *loaded, uint64_t *digest)
{
	char why[LP_WHY_SIZE] = "";
	struct lp_config again;
	int error;

	lp_config_init(&again);
	error = lp_persist_load(path, loaded, &again, why);
	if (error)
		ck_assert_str_ne(why, "");
	else if (digest)
		*digest = lp_config_digest(&again);
	lp_config_fini(&again);
	return error;
}

START_TEST(what_was_saved_is_loaded)
{
	struct lp_persist loaded;
	uint64_t digest;

	save();
	ck_assert_int_eq(load(&loaded, &digest), 0);
	ck_assert_mem_eq(&loaded, &state, sizeof(state));
	ck_assert_uint_eq(digest, state.digest);
	clean();
}
END_TEST

/* As many as there may be, and what a listener says of them. */
START_TEST(rules_are_saved_with_the_rest)
{
	struct lp_persist loaded;
	struct lp_object listener;
	char name[LP_NAME_SIZE];
	uint64_t digest;

	save();
	listener =
	    *lp_config_find(&config, LP_OBJECT_LISTENER, PAYMENTS_PUBLIC);
	listener.listener.unjudged = LP_UNJUDGED_RESET;
	put(&config, listener);
	for (uint32_t i = 0; i < LP_RULES_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		put(&config,
		    make_rule(1000 + i, name, i % 65536,
			"cluster=payments api=Fetch topic=t*", "observe"));
	}
	state.digest = lp_config_digest(&config);
	ck_assert_int_eq(lp_persist_save(path, &state, &config), 0);
	ck_assert_int_eq(load(&loaded, &digest), 0);
	ck_assert_uint_eq(digest, state.digest);
	clean();
}
END_TEST

START_TEST(empty_configuration_keeps_its_epoch)
{
	struct lp_persist loaded;
	struct lp_persist empty = {.epoch_seen = 4};
	struct lp_config none;

	save();
	lp_config_init(&none);
	empty.digest = lp_config_digest(&none);
	ck_assert_int_eq(lp_persist_save(path, &empty, &none), 0);
	ck_assert_int_eq(load(&loaded, NULL), 0);
	ck_assert_uint_eq(loaded.epoch_seen, 4);
	lp_config_fini(&none);
	clean();
}
END_TEST

START_TEST(absent_file_is_no_damage)
{
	struct lp_persist loaded;

	save();
	unlink(path);
	ck_assert_int_eq(load(&loaded, NULL), -ENOENT);
	clean();
}
END_TEST

START_TEST(every_flipped_byte_is_found)
{
	struct lp_persist loaded;
	FILE *file;
	long size;

	save();
	file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	for (long at = 0; at < size; at++) {
		int byte;

		fseek(file, at, SEEK_SET);
		byte = fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc(byte ^ 0x10, file);
		fflush(file);
		ck_assert_msg(
		    load(&loaded, NULL) == -EBADMSG, "byte %ld may change", at);
		fseek(file, at, SEEK_SET);
		fputc(byte, file);
	}
	fclose(file);
	ck_assert_int_eq(load(&loaded, NULL), 0);
	clean();
}
END_TEST

START_TEST(every_truncation_is_found)
{
	struct lp_persist loaded;
	struct stat stat_before;

	save();
	ck_assert_int_eq(stat(path, &stat_before), 0);
	for (off_t size = stat_before.st_size - 1; size >= 0; size--) {
		ck_assert_int_eq(truncate(path, size), 0);
		ck_assert_int_eq(load(&loaded, NULL), -EBADMSG);
	}
	clean();
}
END_TEST

START_TEST(failed_save_leaves_the_old_file)
{
	struct lp_persist loaded;
	struct lp_persist next = state;
	char aside[PATH_MAX];

	save();
	cold_path(aside, directory, "snapshot.new");
	/* The new file cannot be made: there is a directory of its name. */
	ck_assert_int_eq(mkdir(aside, 0700), 0);
	next.generation++;
	ck_assert_int_ne(lp_persist_save(path, &next, &config), 0);
	ck_assert_int_eq(rmdir(aside), 0);
	ck_assert_int_eq(load(&loaded, NULL), 0);
	ck_assert_uint_eq(loaded.generation, state.generation);
	clean();
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file)
{
	struct lp_persist loaded;

	save();
	ck_assert_int_ne(
	    lp_persist_save("/dev/full/snapshot", &state, &config), 0);
	ck_assert_int_eq(load(&loaded, NULL), 0);
	clean();
}
END_TEST

START_TEST(directory_in_its_place_is_an_error)
{
	struct lp_persist loaded;

	save();
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(load(&loaded, NULL), -EINVAL);
	ck_assert_int_eq(rmdir(path), 0);
	clean();
}
END_TEST

START_TEST(damaged_file_is_kept_aside)
{
	char aside[PATH_MAX];

	save();
	ck_assert_int_eq(lp_persist_set_aside(path), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(
	    access(cold_path(aside, directory, "snapshot.bad"), F_OK), 0);
	clean();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    what_was_saved_is_loaded,
	    rules_are_saved_with_the_rest,
	    empty_configuration_keeps_its_epoch,
	    absent_file_is_no_damage,
	    every_flipped_byte_is_found,
	    every_truncation_is_found,
	    failed_save_leaves_the_old_file,
	    a_full_disk_leaves_the_old_file,
	    directory_in_its_place_is_an_error,
	    damaged_file_is_kept_aside,
	    NULL,
	};

	return cold_run("persist", tests);
}
