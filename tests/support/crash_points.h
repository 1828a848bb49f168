/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is killed between two of its durable steps: loaded before it,
 * crash_points.c counts what it writes to files and sockets, and ends it with
 * SIGKILL in place of the step that the test has named by its number.
 */
#ifndef LP_TESTS_SUPPORT_CRASH_POINTS_H
#define LP_TESTS_SUPPORT_CRASH_POINTS_H

#include <stdint.h>

/* The file that the program is given in the environment. */
#define CRASH_POINTS_FILE "CRASH_POINTS"

/* Its content, which both have mapped. */
struct crash_points {
	/* Steps until it dies: 1 is the next one; 0: it lives on. */
	_Atomic uint32_t left;
	/* Steps that it has done. */
	_Atomic uint32_t done;
	/* The one that it has died in place of: "fdatasync db-wal". */
	char name[64];
};

#endif
