/* SPDX-License-Identifier: Apache-2.0 */
/* How long a dataplane is alone: the clocks are numbers. */
#include "dataplane/alone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/alone_file.h"
#include "tests/dataplane/cold.h"

enum { LIMIT_S = 600 };
#define REAL 1700000000000000000ull

static struct lp_alone alone;
static struct lp_alone_file file;

static bool
turn(bool somebody, uint64_t now_ms)
{
	return lp_alone_turn(&alone, somebody, now_ms, REAL + now_ms);
}

/* As a process does after each turn; true if it wrote. */
static bool
keep(uint64_t now_ms)
{
	if (!lp_alone_is_due(&alone, now_ms, &file))
		return false;
	lp_alone_written(&alone, &file);
	return true;
}

START_TEST(without_a_limit_it_never_closes)
{
	lp_alone_init(&alone, 0, NULL, 5, REAL);
	ck_assert(alone.alone && !alone.closed);
	ck_assert(!turn(false, UINT64_MAX / 2));
	ck_assert(!alone.closed);
}
END_TEST

START_TEST(it_closes_when_the_time_is_over_and_not_before)
{
	lp_alone_init(&alone, LIMIT_S, NULL, 1000, REAL);
	ck_assert(!turn(true, 2000));
	ck_assert(!alone.alone);
	/* The loss is what counts. */
	ck_assert(!turn(false, 50000));
	ck_assert(alone.alone);
	ck_assert_uint_eq(alone.since_real_ns, REAL + 50000);
	ck_assert(!turn(false, 50000 + LIMIT_S * 1000 - 1));
	ck_assert(!alone.closed);
	ck_assert(turn(false, 50000 + LIMIT_S * 1000));
	ck_assert(alone.closed);
	ck_assert_uint_eq(alone.closed_real_ns, REAL + 50000 + LIMIT_S * 1000);
	/* Once. */
	ck_assert(!turn(false, 50000 + LIMIT_S * 2000));
	ck_assert_uint_eq(alone.closed_real_ns, REAL + 50000 + LIMIT_S * 1000);
}
END_TEST

START_TEST(who_is_welcomed_opens_it_at_once)
{
	lp_alone_init(&alone, LIMIT_S, NULL, 0, REAL);
	ck_assert(turn(false, LIMIT_S * 1000));
	ck_assert(turn(true, LIMIT_S * 1000 + 1));
	ck_assert(!alone.closed && !alone.alone);
	ck_assert_uint_eq(alone.closed_real_ns, 0);
	ck_assert_uint_eq(lp_alone_passed_ms(&alone, 99999999), 0);
	/* And the next time counts from its own loss. */
	ck_assert(!turn(false, LIMIT_S * 2000));
	ck_assert(!turn(false, LIMIT_S * 3000 - 1));
	ck_assert(turn(false, LIMIT_S * 3000));
}
END_TEST

START_TEST(nobody_at_the_start_counts_from_the_start)
{
	lp_alone_init(&alone, LIMIT_S, NULL, 7000, REAL);
	ck_assert(!turn(false, 7000 + LIMIT_S * 1000 - 1));
	ck_assert(turn(false, 7000 + LIMIT_S * 1000));
}
END_TEST

/* Nothing is read from it but what is shown. */
START_TEST(a_clock_on_the_wall_that_jumps_changes_nothing)
{
	lp_alone_init(&alone, LIMIT_S, NULL, 0, REAL);
	ck_assert(!lp_alone_turn(&alone, false, 1000, 0));
	ck_assert(!lp_alone_turn(&alone, false, 2000, UINT64_MAX));
	ck_assert(!lp_alone_turn(&alone, false, LIMIT_S * 1000 - 1, 1));
	ck_assert(lp_alone_turn(&alone, false, LIMIT_S * 1000, 1));
}
END_TEST

/* Another process, another monotonic clock (after a boot it begins anew). */
START_TEST(a_restart_goes_on_counting)
{
	lp_alone_init(&alone, LIMIT_S, NULL, 0, REAL);
	for (uint64_t ms = 0; ms <= 300000; ms += 1000) {
		turn(false, ms);
		keep(ms);
	}
	/* Ahead by no more than a tenth. */
	ck_assert_uint_ge(file.passed_ms, 300000);
	ck_assert_uint_le(file.passed_ms, 360000);
	lp_alone_init(&alone, LIMIT_S, &file, 17, REAL * 2);
	ck_assert_uint_eq(alone.since_real_ns, REAL);
	ck_assert(!turn(false, 17 + 200000));
	ck_assert(turn(false, 17 + 300000));
	/* Closed it stays, since when it was. */
	ck_assert(keep(17 + 300000));
	ck_assert(!keep(17 + 900000));
	lp_alone_init(&alone, LIMIT_S, &file, 3, REAL * 2);
	ck_assert(alone.closed);
	ck_assert_uint_eq(alone.closed_real_ns, REAL + 17 + 300000);
}
END_TEST

START_TEST(a_process_that_dies_at_once_cannot_put_off_the_end)
{
	unsigned starts = 0;

	lp_alone_init(&alone, LIMIT_S, NULL, 0, REAL);
	while (!alone.closed) {
		ck_assert(keep(0));
		lp_alone_init(&alone, LIMIT_S, &file, 0, REAL);
		starts++;
		ck_assert_uint_le(starts, 10);
	}
	ck_assert_uint_eq(starts, 10);
}
END_TEST

START_TEST(it_is_written_seldom)
{
	unsigned writes = 0;

	lp_alone_init(&alone, LP_ALONE_LIMIT_MIN_S, NULL, 0, REAL);
	for (uint64_t ms = 0; ms < 3600000; ms += 1000) {
		turn(false, ms);
		writes += keep(ms);
	}
	ck_assert_uint_le(writes, 12);
	writes = 0;
	lp_alone_init(&alone, LP_ALONE_LIMIT_MAX_S, NULL, 0, REAL);
	for (uint64_t ms = 0; ms < 3600000; ms += 1000) {
		turn(false, ms);
		writes += keep(ms);
	}
	ck_assert_uint_eq(writes, 60);
	writes = 0;
	lp_alone_init(&alone, 0, NULL, 0, REAL);
	for (uint64_t ms = 0; ms < 3600000; ms += 1000) {
		turn(false, ms);
		writes += keep(ms);
	}
	ck_assert_uint_eq(writes, 1);
	turn(true, 3600000);
	ck_assert(!keep(3600000));
}
END_TEST

START_TEST(a_longer_limit_after_a_restart_opens_it)
{
	file = (struct lp_alone_file){700000, REAL, REAL + 5};
	lp_alone_init(&alone, LIMIT_S, &file, 0, REAL);
	ck_assert(alone.closed);
	lp_alone_init(&alone, 10 * LIMIT_S, &file, 0, REAL);
	ck_assert(!alone.closed);
	ck_assert_uint_eq(alone.closed_real_ns, 0);
	file.passed_ms = UINT64_MAX;
	lp_alone_init(&alone, LIMIT_S, &file, 0, REAL);
	ck_assert(alone.closed);
	ck_assert_uint_eq(lp_alone_passed_ms(&alone, 1000), UINT64_MAX);
}
END_TEST

START_TEST(words_of_the_option)
{
	static const struct {
		const char *text;
		uint32_t seconds;
		const char *mode;
	} good[] = {
	    {"hold", 0, "hold"},
	    {"closed:10", 10, "hold for 10 s, then closed"},
	    {"closed:90s", 90, "hold for 90 s, then closed"},
	    {"closed:10m", 600, "hold for 600 s, then closed"},
	    {"closed:2h", 7200, "hold for 7200 s, then closed"},
	    {"closed:30d", 2592000, "hold for 2592000 s, then closed"},
	};
	static const char *const bad[] = {"", "Hold", "hold ", "closed",
	    "closed:", "closed:9", "closed:0", "closed:-10", "closed:+10",
	    "closed: 10", "closed:10 s", "closed:10x", "closed:31d",
	    "closed:2592001", "closed:10ms", "closed:1e3",
	    "closed:99999999999999999999", "closed:213504d", "closed:0x10"};
	char text[LP_ALONE_TEXT_SIZE];
	uint32_t seconds;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		seconds = 1;
		ck_assert(lp_alone_parse(&seconds, good[i].text));
		ck_assert_uint_eq(seconds, good[i].seconds);
		ck_assert_str_eq(lp_alone_mode(text, seconds), good[i].mode);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!lp_alone_parse(&seconds, bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(the_file_is_read_as_it_was_written)
{
	static const char *const bad[] = {"", "\n", "lightpath-alone 1\n",
	    "lightpath-alone 1 1 2 3", "lightpath-alone 1 1 2 3\n\n",
	    "lightpath-alone 2 1 2 3\n", "lightpath-alone 1 -1 2 3\n",
	    "lightpath-alone 1 01 2 3\n", "lightpath-alone 1  1 2 3\n",
	    "lightpath-alone 1 1 2 3 4\n",
	    "lightpath-alone 1 18446744073709551616 2 3\n"};
	const struct lp_alone_file most = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
	char directory[PATH_MAX], path[PATH_MAX];

	cold_mkdir(directory);
	cold_path(path, directory, "alone");
	ck_assert_int_eq(lp_alone_file_load(&file, path), -ENOENT);
	ck_assert_int_eq(lp_alone_file_remove(path), 0);
	ck_assert_int_eq(lp_alone_file_save(path, &most), 0);
	ck_assert_int_eq(lp_alone_file_load(&file, path), 0);
	ck_assert_int_eq(memcmp(&file, &most, sizeof(file)), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *stream = fopen(path, "w");

		ck_assert_ptr_nonnull(stream);
		fputs(bad[i], stream);
		fclose(stream);
		ck_assert_msg(lp_alone_file_load(&file, path) == -EBADMSG,
		    "%zu: %s", i, bad[i]);
	}
	ck_assert_int_eq(lp_alone_file_remove(path), 0);
	ck_assert_int_eq(lp_alone_file_load(&file, path), -ENOENT);
	cold_rmdir(directory);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    without_a_limit_it_never_closes,
	    it_closes_when_the_time_is_over_and_not_before,
	    who_is_welcomed_opens_it_at_once,
	    nobody_at_the_start_counts_from_the_start,
	    a_clock_on_the_wall_that_jumps_changes_nothing,
	    a_restart_goes_on_counting,
	    a_process_that_dies_at_once_cannot_put_off_the_end,
	    it_is_written_seldom,
	    a_longer_limit_after_a_restart_opens_it,
	    words_of_the_option,
	    the_file_is_read_as_it_was_written,
	    NULL,
	};

	return cold_run("alone", tests);
}
