/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hints where a leader went, with names that are as long as the ones that they
 * take the place of: every version that has them, cut at every byte.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/message.h"
#include "tests/support/readdress.h"

enum {
	PRODUCE = 0,
	FETCH = 1,
	SHARE_FETCH = 78,
	SHARE_ACKNOWLEDGE = 79,
	SIZE = 1 << 18,
	MANY = 100,
};

static uint8_t old[SIZE], expected[SIZE];
static uint32_t len;

/* A topic and a partition, whose tag 0 is its leader. */
#define PRODUCE_TOPIC " 02 4:0 2:6 8:0 8:0 8:0 01 00 01 00 09 4:1 4:5 00 00 "
#define FETCH_TOPIC                                                            \
	"02 8:1 8:2 02 4:0 2:6 8:0 8:0 8:0 00 4:-1 00 01 01 09 4:1 4:5 00 00 "

/* Answers up to their hints. */
static const struct answer {
	int16_t key, version;
	const char *front;
	bool is_array; /* else the value of tag 0 */
} answers[] = {
    {PRODUCE, 10, "4:99 00 02 \"t\"" PRODUCE_TOPIC "4:0", false},
    {PRODUCE, 11, "4:99 00 02 \"t\"" PRODUCE_TOPIC "4:0", false},
    {PRODUCE, 12, "4:99 00 02 \"t\"" PRODUCE_TOPIC "4:0", false},
    {PRODUCE, 13, "4:99 00 02 8:1 8:2" PRODUCE_TOPIC "4:0", false},
    {FETCH, 16, "4:99 00 4:0 2:0 4:0 " FETCH_TOPIC, false},
    {FETCH, 17, "4:99 00 4:0 2:0 4:0 " FETCH_TOPIC, false},
    {FETCH, 18, "4:99 00 4:0 2:0 4:0 " FETCH_TOPIC, false},
    {SHARE_FETCH, 1, "4:99 00 4:0 2:0 00 4:30000 01", true},
    {SHARE_FETCH, 2,
	"4:99 00 4:0 2:0 00 4:30000 02 8:1 8:2 02 4:0 2:6 00 2:0 00 4:1 4:2 "
	"00 04 616263 01 00 00",
	true},
    {SHARE_ACKNOWLEDGE, 1, "4:99 00 4:0 2:0 \"no\" 01", true},
    {SHARE_ACKNOWLEDGE, 2,
	"4:99 00 4:0 2:0 00 4:30000 02 8:1 8:2 02 4:0 2:6 00 4:1 4:2 00 00 "
	"00",
	true},
};
enum { ANSWERS = sizeof(answers) / sizeof(answers[0]) };

/* The frame, its hints being `value`, with other tags around them. */
static uint32_t
make(uint8_t *to, const struct answer *answer, const char *value)
{
	static uint8_t plain[SIZE];
	static char text[SIZE];
	uint32_t size;

	if (answer->is_array) {
		snprintf(text, sizeof(text), "%s %s 01 40 02 aabb",
		    answer->front, value);
		return message_make(to, SIZE, text);
	}
	/* Without the size that stands in front of every message. */
	size = message_make(plain, SIZE, value) - 4;
	ck_assert_uint_lt(size, 1 << 14);
	snprintf(text, sizeof(text), "%s 03 09 01 bb 00 1:%u 1:%u %s 40 01 aa",
	    answer->front, (size & 127) | 128, size >> 7, value);
	return message_make(to, SIZE, text);
}

static struct facts_frame
frame(const struct answer *answer)
{
	return (struct facts_frame){.key = answer->key,
	    .version = answer->version,
	    .response = true,
	    .bytes = old,
	    .len = len};
}

static void
run_once(const struct answer *answer, const uint32_t cuts[], unsigned count,
    enum lp_readdress_result result, uint32_t changed)
{
	struct facts_frame f = frame(answer);
	struct readdress_run run;

	ck_assert(readdress_run_hints(&run, &f, cuts, count));
	ck_assert_int_eq(run.result, result);
	if (result != LP_READDRESS_DONE)
		return;
	ck_assert_uint_eq(run.done.changed, changed);
	ck_assert_uint_eq(run.len, len);
	ck_assert_mem_eq(run.bytes, expected, len);
	readdress_free(&run);
}

/* In one piece, in two everywhere, in single bytes. */
static void
becomes(const struct answer *answer, const char *before, const char *after,
    enum lp_readdress_result result, uint32_t changed)
{
	static uint32_t cuts[SIZE];

	len = make(old, answer, before);
	ck_assert_uint_eq(make(expected, answer, after), len);
	run_once(answer, NULL, 0, result, changed);
	for (uint32_t i = 0; i < len; i++) {
		cuts[i] = i;
		run_once(answer, &i, 1, result, changed);
	}
	run_once(answer, cuts, len, result, changed);
}

START_TEST(all_of_them_are_told_as_ours)
{
	const struct answer *answer = &answers[_i];

	becomes(answer, "02 4:5 \"kafka\" 4:9092 \"rack\" 00",
	    "02 4:5 \"b05.k\" 4:40005 \"rack\" 00", LP_READDRESS_DONE, 1);
	becomes(answer,
	    "04 4:5 \"b\" 4:9092 00 01 50 03 010203 4:70008 \"10.253.0.12\" "
	    "4:65535 \"r\" 00 4:2147483647 \"twelve-bytes.\" 4:1 00 00",
	    "04 4:5 \"b\" 4:9092 00 01 50 03 010203 4:70008 \"b00070008.k\" "
	    "4:40008 \"r\" 00 4:2147483647 \"b2147483647.k\" 4:40007 00 00",
	    LP_READDRESS_UNEQUAL, 0);
	becomes(answer,
	    "04 4:0 \"ab.c\" 4:9092 00 01 50 03 010203 4:70008 \"10.253.0.12\""
	    " 4:65535 \"r\" 00 4:2147483647 \"twelve-bytes.\" 4:1 00 00",
	    "04 4:0 \"b0.k\" 4:40000 00 01 50 03 010203 4:70008 \"b00070008.k\""
	    " 4:40008 \"r\" 00 4:2147483647 \"b2147483647.k\" 4:40007 00 00",
	    LP_READDRESS_DONE, 3);
}
END_TEST

/* And lengths, counts that are longer than they need to be stay so. */
START_TEST(numbers_keep_their_width)
{
	becomes(&answers[_i], "8200 4:5 86808000 6162632e64 4:9092 00 00",
	    "8200 4:5 86808000 6230352e6b 4:40005 00 00", LP_READDRESS_DONE, 1);
}
END_TEST

START_TEST(hosts_may_be_of_any_length)
{
	for (unsigned host = 4; host <= 253; host++) {
		struct facts_frame f;
		struct readdress_run run;
		char before[512];

		snprintf(
		    before, sizeof(before), "02 4:5 *%u\"h 4:9093 00 00", host);
		len = make(old, &answers[_i], before);
		f = frame(&answers[_i]);
		ck_assert(readdress_run_hints(&run, &f, NULL, 0));
		ck_assert_int_eq(run.result, LP_READDRESS_DONE);
		ck_assert_uint_eq(run.len, len);
		ck_assert_ptr_null(memmem(run.bytes, len, "hh", 2));
		ck_assert_ptr_nonnull(memmem(run.bytes, len, "5.k", 3));
		readdress_free(&run);
	}
}
END_TEST

/* One that has no name as long, and then nothing is changed. */
START_TEST(what_has_no_equal_is_refused)
{
	static const char *const values[] = {
	    /* Too short; longer than any name. */
	    "02 4:5 \"abc\" 4:9092 00 00",
	    "02 4:5 *254\"h 4:9092 00 00",
	    "02 4:5 *300\"h 4:9092 00 00",
	    /* Nobody tells where that is. */
	    "02 4:9 \"kafka\" 4:9092 00 00",
	    "02 4:-1 \"kafka\" 4:9092 00 00",
	    "02 4:5 \"kafka\" 4:0 00 00",
	    "02 4:5 \"kafka\" 4:-1 00 00",
	};

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		becomes(&answers[_i], values[i], values[i],
		    LP_READDRESS_UNEQUAL, 0);
}
END_TEST

START_TEST(who_has_no_host_stays_as_he_is)
{
	becomes(&answers[_i],
	    "04 4:-1 01 4:-1 00 00 4:5 \"kafka\" 4:1 00 00 4:9 01 4:5 00 00",
	    "04 4:-1 01 4:-1 00 00 4:5 \"b05.k\" 4:40005 00 00 4:9 01 4:5 00 "
	    "00",
	    LP_READDRESS_DONE, 1);
	if (!answers[_i].is_array)
		becomes(&answers[_i], "01", "01", LP_READDRESS_DONE, 0);
}
END_TEST

START_TEST(there_may_be_many)
{
	static char before[1 << 14], after[1 << 14];
	int at = snprintf(before, sizeof(before), "1:%d", MANY + 1);
	int to = snprintf(after, sizeof(after), "1:%d", MANY + 1);

	for (int i = 0; i < MANY; i++) {
		at += sprintf(before + at,
		    " 4:%d \"broker-%03d.internal\" 4:%d 00 00", 10 * i, i,
		    9092 + i);
		to += sprintf(after + to, " 4:%d \"b%016d.k\" 4:40000 00 00",
		    10 * i, 10 * i);
	}
	becomes(&answers[_i], before, after, LP_READDRESS_DONE, MANY);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hints");
	TCase *tests = tcase_create("hints");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, all_of_them_are_told_as_ours, 0, ANSWERS);
	tcase_add_loop_test(tests, numbers_keep_their_width, 0, ANSWERS);
	tcase_add_loop_test(tests, hosts_may_be_of_any_length, 0, ANSWERS);
	tcase_add_loop_test(tests, what_has_no_equal_is_refused, 0, ANSWERS);
	tcase_add_loop_test(tests, who_has_no_host_stays_as_he_is, 0, ANSWERS);
	tcase_add_loop_test(tests, there_may_be_many, 0, ANSWERS);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
