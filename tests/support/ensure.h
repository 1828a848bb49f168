/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be so in the machinery of tests: otherwise the program ends with
 * a line that says what is wrong.  Not Check's assertions, since fuzzers use
 * that machinery, too.
 */
#ifndef LP_TESTS_SUPPORT_ENSURE_H
#define LP_TESTS_SUPPORT_ENSURE_H

#define ensure(what, ...)                                                      \
	do {                                                                   \
		if (!(what))                                                   \
			ensure_fail(__VA_ARGS__);                              \
	} while (0)

void ensure_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* What the test is at, "LP_TEST_SEED=7": stands in front of what is wrong. */
void ensure_at(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Called before the program ends so; NULL: nobody. */
extern void (*ensure_failing)(void);

#endif
