/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/checksum.h"

#include <check.h>
#include <stdlib.h>

#include "tests/support/packet.h"

static uint64_t seed = 0x9e3779b97f4a7c15ull;

static uint32_t
draw(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dull) >> 32);
}

/* Bytes that like the edges of one's complement. */
static void
fill(uint8_t *bytes, size_t len)
{
	unsigned kind = draw() % 4;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? 0xff : draw());
}

START_TEST(sums_agree_with_the_plain_sum_at_every_length)
{
	uint8_t bytes[128];

	for (unsigned i = 0; i < 10000; i++) {
		size_t len = draw() % sizeof(bytes);

		fill(bytes, len);
		ck_assert_uint_eq(lp_sum_fold(lp_sum_add(0, bytes, len)),
		    packet_sum(0, bytes, len));
	}
}
END_TEST

START_TEST(a_sum_of_ones_does_not_overflow)
{
	static uint8_t ones[65535];

	memset(ones, 0xff, sizeof(ones));
	ck_assert_uint_eq(
	    lp_sum_fold(lp_sum_add(0x1fffe, ones, sizeof(ones) - 1)), 0xffff);
	ck_assert_uint_eq(lp_sum_fold(UINT32_MAX), 0xffff);
	ck_assert_uint_eq(lp_sum_fold(UINT64_MAX), 0xffff);
	ck_assert_uint_eq(lp_sum_word(0xffff0001), 1);
	ck_assert_uint_eq(lp_sum_fold(0), 0);
}
END_TEST

/* An update must leave what a receiver accepts, whatever was replaced. */
START_TEST(an_update_keeps_a_right_sum_right_and_a_wrong_one_wrong)
{
	uint8_t bytes[64], was[16];

	for (unsigned i = 0; i < 20000; i++) {
		unsigned at = 2 + 2 * (draw() % 23);
		uint16_t wrong = i % 2 ? (uint16_t)(1 + draw() % 0xfffe) : 0;
		uint64_t diff;

		fill(bytes, sizeof(bytes));
		/* All zero does not occur on a wire; there is a header. */
		bytes[60] = 0x45;
		lp_put16(bytes, 0);
		lp_put16(
		    bytes, (uint16_t)~packet_sum(wrong, bytes, sizeof(bytes)));
		memcpy(was, bytes + at, sizeof(was));
		fill(bytes + at, sizeof(was));
		diff = lp_sum_replace(0, was, bytes + at, sizeof(was));
		bytes[60] = 0x45;
		if (at + sizeof(was) > 60)
			continue;
		lp_sum_update(bytes, diff);
		ck_assert_uint_eq(
		    packet_sum(0, bytes, sizeof(bytes)) == 0xffff, wrong == 0);
	}
}
END_TEST

START_TEST(words_are_replaced_one_by_one_too)
{
	uint8_t bytes[4] = {0};

	for (unsigned was = 1; was < 65536; was += 257)
		for (unsigned is = 1; is < 65536; is += 251) {
			lp_put16(bytes + 2, (uint16_t)was);
			lp_put16(bytes, (uint16_t)~was);
			lp_put16(bytes + 2, (uint16_t)is);
			lp_sum_update(bytes,
			    lp_sum_replace16(0, (uint16_t)was, (uint16_t)is));
			ck_assert_uint_eq(packet_sum(0, bytes, 4), 0xffff);
		}
}
END_TEST

START_TEST(the_pseudo_header_has_addresses_length_and_protocol)
{
	static const uint8_t src[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	static const uint8_t dst[16] = {0x20, 1, 0x0d, 0xb8, [15] = 2};
	uint8_t bytes[40] = {0};

	memcpy(bytes, src, 16);
	memcpy(bytes + 16, dst, 16);
	lp_put32(bytes + 32, 70000);
	bytes[39] = 58;
	ck_assert_uint_eq(lp_sum_fold(lp_sum_pseudo(src, dst, 16, 58, 70000)),
	    packet_sum(0, bytes, sizeof(bytes)));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("checksum");
	TCase *tests = tcase_create("checksum");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, sums_agree_with_the_plain_sum_at_every_length);
	tcase_add_test(tests, a_sum_of_ones_does_not_overflow);
	tcase_add_test(
	    tests, an_update_keeps_a_right_sum_right_and_a_wrong_one_wrong);
	tcase_add_test(tests, words_are_replaced_one_by_one_too);
	tcase_add_test(
	    tests, the_pseudo_header_has_addresses_length_and_protocol);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
