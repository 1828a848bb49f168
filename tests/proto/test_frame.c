/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

START_TEST(a_frame_is_complete_only_with_its_last_byte)
{
	static const uint8_t frame[] = {0, 0, 0, 3, 'a', 'b', 'c', 'x'};
	const uint8_t *payload = NULL;
	size_t len = 0;

	for (size_t i = 0; i < 7; i++) {
		ck_assert_int_eq(
		    lp_frame_next(frame, i, &payload, &len), LP_MORE);
		ck_assert_uint_eq(len, i < 4 ? 4 : 7);
	}
	for (size_t i = 7; i <= sizeof(frame); i++) {
		ck_assert_int_eq(
		    lp_frame_next(frame, i, &payload, &len), LP_OK);
		ck_assert_ptr_eq(payload, frame + 4);
		ck_assert_uint_eq(len, 3);
	}
}
END_TEST

START_TEST(a_length_of_zero_is_bad)
{
	static const uint8_t frame[] = {0, 0, 0, 0, 1};
	const uint8_t *payload;
	size_t len;

	ck_assert_int_eq(lp_frame_next(frame, 4, &payload, &len), LP_BAD);
	ck_assert_int_eq(lp_frame_next(frame, 5, &payload, &len), LP_BAD);
}
END_TEST

START_TEST(the_largest_frame_is_right_and_one_more_is_bad)
{
	uint32_t max = LP_FRAME_SIZE_MAX - LP_FRAME_HEADER_SIZE;
	uint8_t header[LP_FRAME_HEADER_SIZE];
	const uint8_t *payload;
	size_t len;

	lp_frame_header(header, max);
	ck_assert_int_eq(lp_frame_next(header, 4, &payload, &len), LP_MORE);
	ck_assert_uint_eq(len, LP_FRAME_SIZE_MAX);
	for (int i = 3; i >= 0 && ++header[i] == 0; i--)
		;
	ck_assert_int_eq(lp_frame_next(header, 4, &payload, &len), LP_BAD);
	memset(header, 0xff, sizeof(header));
	ck_assert_int_eq(lp_frame_next(header, 4, &payload, &len), LP_BAD);
}
END_TEST

START_TEST(headers_are_in_network_order)
{
	uint8_t header[LP_FRAME_HEADER_SIZE];

	lp_frame_header(header, 0x0102);
	ck_assert_mem_eq(header, "\0\0\1\2", 4);
}
END_TEST

START_TEST(a_payload_that_does_not_fit_is_a_programmers_error)
{
	uint8_t header[LP_FRAME_HEADER_SIZE];

	lp_frame_header(header, LP_FRAME_SIZE_MAX - LP_FRAME_HEADER_SIZE + 1);
}
END_TEST

/* A byte read beyond the input is a fault: the next page is not there. */
START_TEST(nothing_is_read_beyond_the_input)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	static const uint8_t frame[] = {0, 0, 0, 3, 'a', 'b', 'c'};
	uint8_t *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint8_t *payload;
	size_t payload_len;

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + page, page, PROT_NONE), 0);
	for (size_t len = 0; len <= sizeof(frame); len++) {
		uint8_t *data = map + page - len;

		memcpy(data, frame, len);
		ck_assert_int_eq(
		    lp_frame_next(data, len, &payload, &payload_len),
		    len == sizeof(frame) ? LP_OK : LP_MORE);
	}
	ck_assert_int_eq(munmap(map, 2 * page), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tests = tcase_create("frame");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, a_frame_is_complete_only_with_its_last_byte);
	tcase_add_test(tests, a_length_of_zero_is_bad);
	tcase_add_test(tests, the_largest_frame_is_right_and_one_more_is_bad);
	tcase_add_test(tests, headers_are_in_network_order);
	tcase_add_test_raise_signal(
	    tests, a_payload_that_does_not_fit_is_a_programmers_error, 6);
	tcase_add_test(tests, nothing_is_read_beyond_the_input);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
