/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/pattern.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".k.example.com"

enum { LONGEST = LP_HOST_SIZE - 1 };

static const char *
name_of(const char *suffix, int32_t node_id, uint32_t len)
{
	static char name[LP_HOST_SIZE];
	uint8_t is;

	memset(name, '#', sizeof(name) - 1);
	is = lp_pattern_name(
	    name, suffix, (uint8_t)strlen(suffix), node_id, len);
	ck_assert_uint_le(is, LONGEST);
	/* Nothing behind it is written. */
	ck_assert_uint_eq(strspn(name + is, "#"), sizeof(name) - 1 - is);
	name[is] = '\0';
	return name;
}

START_TEST(a_name_is_as_long_as_it_is_to_be)
{
	ck_assert_str_eq(name_of(SUFFIX, 12, 17), "b12" SUFFIX);
	ck_assert_str_eq(name_of(SUFFIX, 12, 18), "b012" SUFFIX);
	ck_assert_str_eq(name_of(SUFFIX, 0, 16), "b0" SUFFIX);
	ck_assert_str_eq(name_of(SUFFIX, 12, 22), "b0000012" SUFFIX);
	ck_assert_str_eq(name_of(SUFFIX, 2147483647, 25), "b2147483647" SUFFIX);
	ck_assert_str_eq(name_of(SUFFIX, 7, 14 + 63),
	    "b0000000000000000000000000000000000000000000000000000000000000"
	    "7" SUFFIX);
	/* More than a label may have. */
	ck_assert_str_eq(name_of(SUFFIX, 7, 14 + 64),
	    "b.0000000000000000000000000000000000000000000000000000000000000"
	    "7" SUFFIX);
	ck_assert_str_eq(name_of(SUFFIX, 7, 14 + 65),
	    "b.00000000000000000000000000000000000000000000000000000000000000"
	    "7" SUFFIX);
}
END_TEST

START_TEST(where_there_is_no_room_it_is_the_shortest)
{
	for (uint32_t len = 0; len <= 17; len++)
		ck_assert_str_eq(name_of(SUFFIX, 12, len), "b12" SUFFIX);
	/* No name can be longer than 253 bytes. */
	ck_assert_str_eq(name_of(SUFFIX, 12, 254), "b12" SUFFIX);
	ck_assert_str_eq(name_of(SUFFIX, 12, UINT32_MAX), "b12" SUFFIX);
	ck_assert_uint_eq(strlen(name_of(SUFFIX, 12, 253)), 253);
}
END_TEST

/* Ones that resolvers, and Kafka's clients, take. */
START_TEST(all_names_are_host_names_that_end_in_the_suffix)
{
	static const int32_t nodes[] = {0, 9, 10, 12345, 2147483647};
	char why[LP_WHY_SIZE], suffix[LP_HOST_SIZE], digits[16];

	for (unsigned suffix_len = 2; suffix_len <= 242; suffix_len += 20) {
		for (unsigned i = 0; i < suffix_len; i++)
			suffix[i] =
			    i % 50 == 0 && i + 1 < suffix_len ? '.' : 'k';
		suffix[suffix_len] = '\0';
		for (unsigned n = 0; n < 5; n++)
			for (uint32_t len = 0; len <= 253; len++) {
				const char *name =
				    name_of(suffix, nodes[n], len);
				size_t is = strlen(name);
				int count = snprintf(
				    digits, sizeof(digits), "%d", nodes[n]);
				size_t least = suffix_len + 1 + (size_t)count;

				ck_assert_msg(lp_hostname_check(name, why) == 0,
				    "%s: %s", name, why);
				ck_assert_uint_eq(
				    is, len > least ? len : least);
				ck_assert_str_eq(
				    name + is - suffix_len, suffix);
				ck_assert_mem_eq(name + is - suffix_len - count,
				    digits, (size_t)count);
			}
	}
}
END_TEST

/* Two nodes never have one name, if it is as long. */
START_TEST(nodes_of_one_length_have_names_of_their_own)
{
	char one[LP_HOST_SIZE];

	for (uint32_t len = 20; len < 200; len += 7)
		for (int32_t node = 0; node < 300; node++) {
			strcpy(one, name_of(SUFFIX, node, len));
			ck_assert_str_ne(one, name_of(SUFFIX, node + 1, len));
			ck_assert_str_eq(one, name_of(SUFFIX, node, len));
		}
}
END_TEST

static const struct {
	const char *pattern, *why;
} rows[] = {
    {"*.k.example.com", NULL},
    {"*.k", NULL},
    {"*",
	"\"*\" is no pattern: behind '*', which stands for a whole part of "
	"a name, comes a dot"},
    {"*k.example.com",
	"\"*k.example.com\" is no pattern: behind '*', which stands for a "
	"whole part of a name, comes a dot"},
    {"*.*.example.com",
	"\"*.*.example.com\" is no pattern: only its first part is '*'"},
    {"*.", "\"\" is no host name: between its dots are 1 to 63 characters"},
    {"*.k_1.example",
	"\"k_1.example\" is no host name: it has letters, digits, '-' and '.' "
	"only"},
    {"*.10.9.0.1", "\"10.9.0.1\" is no host name: its last part is a number"},
};

START_TEST(only_the_whole_first_part_is_an_asterisk)
{
	char why[LP_WHY_SIZE] = "";
	int rc = lp_pattern_check(rows[_i].pattern, why);

	ck_assert(lp_pattern_is(rows[_i].pattern));
	ck_assert_int_eq(rc, rows[_i].why != NULL ? -EINVAL : 0);
	if (rows[_i].why != NULL)
		ck_assert_str_eq(why, rows[_i].why);
}
END_TEST

START_TEST(every_node_has_a_name_of_the_longest_pattern)
{
	char pattern[LP_HOST_SIZE] = "*.", why[LP_WHY_SIZE];

	for (unsigned i = 2; i < 243; i++)
		pattern[i] = i % 50 == 0 ? '.' : 'k';
	ck_assert_int_eq(lp_pattern_check(pattern, why), 0);
	ck_assert_uint_eq(strlen(name_of(pattern + 1, 2147483647, 0)), 253);
	strcat(pattern, "k");
	ck_assert_int_eq(lp_pattern_check(pattern, why), -EINVAL);
	ck_assert_str_eq(why,
	    "is longer than 243 characters: names that are made of it could "
	    "be longer than 253");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pattern");
	TCase *tests = tcase_create("pattern");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, a_name_is_as_long_as_it_is_to_be);
	tcase_add_test(tests, where_there_is_no_room_it_is_the_shortest);
	tcase_add_test(tests, all_names_are_host_names_that_end_in_the_suffix);
	tcase_add_test(tests, nodes_of_one_length_have_names_of_their_own);
	tcase_add_loop_test(tests, only_the_whole_first_part_is_an_asterisk, 0,
	    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tests, every_node_has_a_name_of_the_longest_pattern);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
