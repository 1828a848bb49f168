/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of the database that are sent: one at a time, and not for ever.
 */
#include "controld/backup.h"
#include "transaction.h"
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct world world;

static void
ask_for_copy(uint64_t client)
{
	lp_session_request(world.session, client, &world_peer,
	    make_request(LP__PB__CONTROL_REQUEST__BODY_BACKUP));
}

static bool
is_whole(void *arg)
{
	const Lp__Pb__ControlReply *reply;

	(void)arg;
	if (world.reply_count == 0)
		return false;
	reply = world.replies[world.reply_count - 1];
	return reply->body_case == LP__PB__CONTROL_REPLY__BODY_BACKUP &&
	    !reply->more;
}

/* Who does not read keeps nobody else from a copy. */
START_TEST(who_does_not_read_is_given_up)
{
	world_backup_ms = 20;
	world_start(&world, &patient, 0);
	world.unread = LP_BACKUP_UNREAD_MAX;
	ask_for_copy(1);
	ask_for_copy(2);
	ck_assert_str_eq(world_failure(world_replies(&world, 1))->text,
	    "another copy is being made; try again when it is whole");
	ck_assert_uint_eq(world.clients[0], 2);
	ck_assert_str_eq(world_failure(world_replies(&world, 2))->text,
	    "the copy was given up: nothing of it was read for 20 ms");
	ck_assert_uint_eq(world.clients[1], 1);
	world.unread = 0;
	ask_for_copy(2);
	world_run(&world, is_whole, NULL);
	ck_assert_uint_eq(world.clients[2], 2);
	world_stop(&world);
}
END_TEST

/* Nor who goes in the middle of it; and nothing of it stays. */
START_TEST(who_goes_leaves_nothing)
{
	world_backup_ms = 0;
	world_start(&world, &patient, 0);
	ask_for_copy(1);
	ck_assert_int_eq(access(path_in(world.dir, "db.copying"), F_OK), 0);
	lp_session_gone(world.session, 1);
	ck_assert_int_ne(access(path_in(world.dir, "db.copying"), F_OK), 0);
	ask_for_copy(2);
	world_run(&world, is_whole, NULL);
	ck_assert_uint_eq(world.clients[0], 2);
	ck_assert_int_ne(access(path_in(world.dir, "db.copying"), F_OK), 0);
	world_stop(&world);
}
END_TEST

static void
leave(const char *database)
{
	char path[128];

	(void)database;
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/db.%s", world.dir,
		    i == 0 ? "copying" : "copy");
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
}

/* What a kill has left goes; a copy of somebody's, beside it, does not. */
START_TEST(what_was_left_goes_with_the_next_start)
{
	world_start(&world, &patient, 0);
	world_restart(&world, leave);
	ck_assert_int_ne(access(path_in(world.dir, "db.copying"), F_OK), 0);
	ask_for_copy(1);
	world_run(&world, is_whole, NULL);
	ck_assert_int_eq(access(path_in(world.dir, "db.copy"), F_OK), 0);
	world_stop(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("backup");
	TCase *tcase = tcase_create("backup");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, who_does_not_read_is_given_up);
	tcase_add_test(tcase, who_goes_leaves_nothing);
	tcase_add_test(tcase, what_was_left_goes_with_the_next_start);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
