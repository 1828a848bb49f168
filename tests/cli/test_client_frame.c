/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client_frame.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"
#include "tests/support/random.h"

enum { COUNT = 5000, NAME_SIZE = 600 };

static char names[COUNT][NAME_SIZE];
static Lp__Pb__Operation made[COUNT];
static Lp__Pb__Operation *operations[COUNT];
static Lp__Pb__Transaction transaction;
static Lp__Pb__ControlRequest request;

/* Names of `len` bytes; 0: of all lengths. */
static void
setup(size_t count, size_t len)
{
	lp__pb__transaction__init(&transaction);
	lp__pb__control_request__init(&request);
	for (size_t i = 0; i < count; i++) {
		size_t size = len > 0 ? len : 8 + i * 31 % (NAME_SIZE - 9);

		lp__pb__operation__init(&made[i]);
		made[i].verb = LP__PB__OPERATION__VERB__DEL;
		made[i].kind = LP_OBJECT_RULE;
		memset(names[i], 'x', size);
		names[i][size] = '\0';
		(void)snprintf(names[i], NAME_SIZE, "%06zu-", i);
		names[i][7] = 'x';
		made[i].name = names[i];
		operations[i] = &made[i];
	}
	transaction.operations = operations;
	transaction.n_operations = count;
	transaction.comment = "as typed";
	transaction.has_base_generation = transaction.has_confirm_ms = true;
	transaction.base_generation = 77;
	transaction.confirm_ms = 60000;
	request.cookie = 1;
	request.protocol = LP_CONTROL_PROTOCOL;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_TRANSACTION;
	request.transaction = &transaction;
}

/* All operations come, in order; what else there is only in the last frame. */
static unsigned
send_all(void)
{
	struct lp_client_frames frames = {.request = &request};
	size_t got = 0, count = 0;

	while (!frames.ended) {
		Lp__Pb__ControlRequest *taken;
		uint8_t *frame;
		size_t len;

		ck_assert_int_eq(
		    lp_client_frame_next(&frames, &frame, &len), 0);
		ck_assert_uint_le(len, LP_FRAME_SIZE_MAX);
		if (!frames.ended)
			ck_assert_uint_gt(
			    len, LP_FRAME_SIZE_MAX - NAME_SIZE - 100);
		taken = lp_message_unpack_request(
		    frame + LP_FRAME_HEADER_SIZE, len - LP_FRAME_HEADER_SIZE);
		ck_assert_ptr_nonnull(taken);
		ck_assert_uint_eq(taken->cookie, 1);
		for (size_t i = 0; i < taken->transaction->n_operations; i++)
			ck_assert_str_eq(
			    taken->transaction->operations[i]->name,
			    names[got++]);
		ck_assert_int_eq(taken->transaction->has_more, !frames.ended);
		ck_assert_int_eq(taken->transaction->more, !frames.ended);
		ck_assert_int_eq(
		    taken->transaction->comment != NULL, frames.ended);
		ck_assert_int_eq(
		    taken->transaction->has_base_generation, frames.ended);
		ck_assert_int_eq(
		    taken->transaction->has_confirm_ms, frames.ended);
		lp__pb__control_request__free_unpacked(taken, NULL);
		free(frame);
		count++;
	}
	ck_assert_uint_eq(got, transaction.n_operations);
	return (unsigned)count;
}

START_TEST(what_fits_is_one_frame)
{
	setup(_i == 0 ? 0 : 100, 100);
	ck_assert_uint_eq(send_all(), 1);
}
END_TEST

START_TEST(many_operations_take_many_frames)
{
	setup(COUNT, 0);
	ck_assert_uint_gt(
	    send_all(), COUNT * NAME_SIZE / 2 / LP_FRAME_SIZE_MAX);
}
END_TEST

/*
 * Whatever their size: none is too much for a frame, and none is lost.  With
 * sanitizers one of ten sizes.
 */
START_TEST(operations_of_every_size_fill_the_frames)
{
	for (size_t len = 8; len < 158; len += RANDOM_SLOWER) {
		setup(1500, len);
		send_all();
	}
}
END_TEST

START_TEST(one_that_is_larger_than_a_frame_is_refused)
{
	static char text[LP_FRAME_SIZE_MAX];
	struct lp_client_frames frames = {.request = &request};
	uint8_t *frame;
	size_t len;

	setup(2, 8);
	memset(text, 'x', sizeof(text) - 1);
	made[1].name = text;
	ck_assert_int_eq(lp_client_frame_next(&frames, &frame, &len), 0);
	ck_assert(!frames.ended);
	free(frame);
	ck_assert_int_eq(
	    lp_client_frame_next(&frames, &frame, &len), -EMSGSIZE);
}
END_TEST

START_TEST(other_requests_are_one_frame)
{
	struct lp_client_frames frames = {.request = &request};
	Lp__Pb__StatusRequest status = LP__PB__STATUS_REQUEST__INIT;
	uint8_t *frame;
	size_t len;

	lp__pb__control_request__init(&request);
	request.cookie = 1;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_STATUS;
	request.status = &status;
	ck_assert_int_eq(lp_client_frame_next(&frames, &frame, &len), 0);
	ck_assert(frames.ended);
	free(frame);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client_frame");
	TCase *tcase = tcase_create("client_frame");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, what_fits_is_one_frame, 0, 2);
	tcase_add_test(tcase, many_operations_take_many_frames);
	tcase_add_test(tcase, operations_of_every_size_fill_the_frames);
	tcase_add_test(tcase, one_that_is_larger_than_a_frame_is_refused);
	tcase_add_test(tcase, other_requests_are_one_frame);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
