/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with the files of an operator: all of it, each with its place.
 *
 *	rules.yaml:12:14: error: rules[3].priority: 70000 is no priority, ...
 *	    priority: 70000
 *	              ^~~~~
 *
 * Holds the files, so that a line can be shown.  Lines and columns count from
 * 1, columns in characters as an editor shows them; spans are bytes.
 */
#ifndef LP_CLI_REPORT_H
#define LP_CLI_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/limits.h"

enum {
	/* Of each severity; more are counted, and not kept. */
	LP_REPORT_PROBLEMS_MAX = 100,
	LP_REPORT_FILES_MAX = 4096,
};

/* Where in which file; the bytes from `from` to `to`. */
struct lp_span {
	uint32_t from, to; /* offsets; equal: one place */
	uint16_t file; /* index of lp_report_add_file() */
};

enum lp_severity {
	LP_SEVERITY_ERROR = 1,
	LP_SEVERITY_WARNING,
};

struct lp_problem {
	uint8_t severity; /* enum lp_severity */
	struct lp_span span;
	char text[2 * LP_WHY_SIZE];
};

struct lp_report;

/* 0, or -ENOMEM. */
int lp_report_new(struct lp_report **out);
void lp_report_free(struct lp_report *report); /* NULL is accepted */

/*
 * A file by its name and its text, which it takes (malloc'ed; a NUL is behind
 * it), also if that fails.  The index, or -ENOSPC, -EFBIG, -ENOMEM.  A file
 * that cannot be read has an empty text: its problems have no line.
 */
int lp_report_add_file(
    struct lp_report *report, const char *name, char *text, size_t len);
const char *lp_report_text(
    const struct lp_report *report, unsigned file, size_t *len);
/* How many there are, with those that could not be read. */
size_t lp_report_file_count(const struct lp_report *report);
const char *lp_report_name(const struct lp_report *report, unsigned file);

/* Adds a problem; one that has been said of the very place is not repeated. */
void lp_report_add(struct lp_report *report, enum lp_severity severity,
    const struct lp_span *span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * All has been said of that very place: what else would be found there follows
 * from it, and is no problem.
 */
void lp_report_settle(struct lp_report *report, const struct lp_span *span);

/* How many there were of that severity, also those that were not kept. */
size_t lp_report_count(
    const struct lp_report *report, enum lp_severity severity);

/* Those that are kept, ordered by file and place. */
const struct lp_problem *lp_report_problems(
    const struct lp_report *report, size_t *count);

/*
 * Line and column, from 1, of the beginning of a span; 0 in a file without
 * text.
 */
void lp_report_locate(const struct lp_report *report,
    const struct lp_span *span, uint32_t *line, uint32_t *column);

/* Prints all, with the line and a caret each, as the picture above has it. */
void lp_report_print(const struct lp_report *report, FILE *out, bool color);

#endif
