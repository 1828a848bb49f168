/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a command was not done, and the exit status that says so.
 *
 * Whatever can fail for a reason an operator should read fills one of these
 * and returns its status; main() prints it, once.
 */
#ifndef LP_CLI_ERROR_H
#define LP_CLI_ERROR_H

#include <stdint.h>

#include "proto/limits.h"

/* Exit statuses; those that lp-controld answers are Failure.Result. */
enum lp_exit {
	LP_EXIT_OK = 0,
	LP_EXIT_REFUSED = 1, /* bad input; nothing stored */
	LP_EXIT_USAGE = 2,
	LP_EXIT_UNREACHABLE = 3, /* or the conversation broke off */
	LP_EXIT_TIMEOUT = 4, /* a change is stored, but not applied yet */
	LP_EXIT_REJECTED = 5, /* by a dataplane; rolled back */
	LP_EXIT_CONFLICT = 6, /* another change came first; nothing stored */
	LP_EXIT_CHANGES = 7, /* diff: there are some; no error */
};

enum {
	LP_ERROR_SIZE = 4 * LP_WHY_SIZE,
	/* Two lines of a terminal, however many bytes a character has. */
	LP_ERROR_SHOWN_SIZE = 640,
};

struct lp_error {
	int status; /* enum lp_exit */
	char text[LP_ERROR_SIZE]; /* one line, without "lpctl: " */
	/* Lines that show the place of it, each with its newline; or "". */
	char shown[LP_ERROR_SHOWN_SIZE];
};

/* Sets both; returns the status. */
int lp_error_set(struct lp_error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Shows the text, or what of it fits a line, and underlines `len` bytes from
 * `column` on, which counts bytes from 1.
 */
void lp_error_show(
    struct lp_error *error, const char *text, uint32_t column, uint32_t len);

/* Puts "format: " before the text; returns the status it has. */
int lp_error_prefix(struct lp_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For what a function of struct lp_output returned: 0 is LP_EXIT_OK. */
int lp_error_output(struct lp_error *error, int err);

#endif
