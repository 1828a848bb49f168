/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of Prometheus' text format, for tests: stricter than
 * Prometheus where a mistake of ours would hide.
 */
#ifndef LP_TESTS_SUPPORT_EXPOSITION_H
#define LP_TESTS_SUPPORT_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

enum { EXPOSITION_WHY_SIZE = 512 };

/*
 * True if the page is well formed: HELP and TYPE before the samples of each
 * metric, which stand together; values of labels are valid UTF-8 without
 * control characters; no series twice; histograms are cumulative and end with
 * +Inf, which is their count.  Else one line in why.
 */
bool exposition_check(
    const char *page, size_t len, char why[EXPOSITION_WHY_SIZE]);

/*
 * The value of the sample with exactly this name and these labels, as text
 * ("name{a=\"b\"}"); NULL if there is none.  The text ends with a newline.
 */
const char *exposition_find(const char *page, const char *series);

#endif
