/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many requests that changed nothing are written down one by one: each row
 * waits for the disk, and stays.  Of everybody a few at once, then one in ten
 * seconds; of the others it is counted how many there were.
 *
 * Time is a number: nothing here looks at a clock.
 */
#ifndef LP_CONTROLD_AUDIT_LIMIT_H
#define LP_CONTROLD_AUDIT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LP_AUDIT_LIMIT_BURST = 20,
	LP_AUDIT_LIMIT_EVERY_MS = 10000,
	/* Who is known by name; the last of them is everybody else. */
	LP_AUDIT_LIMIT_NAMES = 33,
	LP_AUDIT_LIMIT_NAME_SIZE = 72,
};

struct lp_audit_limit_name {
	char name[LP_AUDIT_LIMIT_NAME_SIZE]; /* "": free */
	unsigned rows; /* that may be written now */
	uint64_t since_ms; /* when the last of them came */
	uint64_t missed; /* since the last that was written */
};

/* Zeroed before its first use. */
struct lp_audit_limit {
	struct lp_audit_limit_name names[LP_AUDIT_LIMIT_NAMES];
};

/*
 * True: it is to be written, with *missed that were not before it.  Of a user
 * of this machine ("uid 0 (root), pid 7") all processes are one.
 */
bool lp_audit_limit_take(struct lp_audit_limit *limit, const char *who,
    uint64_t now_ms, uint64_t *missed);

/*
 * Somebody of whom some are missing, and a row may be written: how many, and
 * his name, valid until the next call.  0: there is nobody.  all: however many
 * rows were written.
 */
uint64_t lp_audit_limit_due(
    struct lp_audit_limit *limit, uint64_t now_ms, bool all, const char **name);

/* Whether any is missing. */
bool lp_audit_limit_waits(const struct lp_audit_limit *limit);

#endif
