/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the dataplane's cold half share. */
#ifndef LP_TESTS_DATAPLANE_COLD_H
#define LP_TESTS_DATAPLANE_COLD_H

#include <check.h>
#include <limits.h>

#include "proto/config.h"
#include "tests/proto/objects.h"

enum { COLD_DEADLINE_MS = 60000 }; /* for anything that a test waits for */

/* make_config() with memory ports "m-front" and "m-back". */
void cold_config(struct lp_config *config);

/* A new directory, removed with all in it by cold_rmdir(). */
void cold_mkdir(char path[PATH_MAX]);
void cold_rmdir(const char *path);
/* Joins directory and name; the result lives in a buffer of the caller. */
char *cold_path(char buf[PATH_MAX], const char *directory, const char *name);

/* Calls done(arg) until it is true; fails the test after the deadline. */
void cold_wait(bool (*done)(void *arg), void *arg, const char *what);

/* Runs one suite with these tests, NULL at the end; main() returns it. */
int cold_run(const char *suite, const TTest *const tests[]);

#endif
