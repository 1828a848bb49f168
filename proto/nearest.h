/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "did you mean": of some words the one that was probably meant.
 */
#ifndef LP_PROTO_NEAREST_H
#define LP_PROTO_NEAREST_H

#include <stddef.h>

/* Longer words are never near, nor do they have near ones. */
enum { LP_NEAREST_LEN_MAX = 63 };

struct lp_nearest {
	const char *text; /* what was written */
	size_t len;
	size_t edits; /* of the best one yet */
	const char *best; /* one or two edits away; NULL: none is */
};

/* Borrows text, which needs no NUL. */
void lp_nearest_init(struct lp_nearest *nearest, const char *text, size_t len);

/* One of the words; borrows it.  Letters are the same whatever their case. */
void lp_nearest_offer(struct lp_nearest *nearest, const char *word);

/* " (did you mean NEAR?)", behind what there is none of; "" of NULL. */
enum {
	LP_NEAREST_HINT_SIZE = sizeof(" (did you mean ?)") + LP_NEAREST_LEN_MAX,
};
char *lp_nearest_hint(char hint[LP_NEAREST_HINT_SIZE], const char *near);

#endif
