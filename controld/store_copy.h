/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a database, made while it is in use.
 */
#ifndef LP_CONTROLD_STORE_COPY_H
#define LP_CONTROLD_STORE_COPY_H

#include "controld/store.h"
#include "controld/store_sql.h"

enum {
	/* One step of a copy: a megabyte, which takes some milliseconds. */
	LP_STORE_COPY_PAGES = 256,
};

/* For lp_store_copy(): the copy is a plain file without a log beside it. */
int lp_store_copy_begin(
    struct lp_store_copy **out, struct lp_store_sql *sql, const char *path);

/*
 * Copies some more; what is committed meanwhile is in it, too.  1: there is
 * more; 0: it is whole, but not on the disk yet: who keeps it brings it there;
 * -errno and why, which has LP_STORE_WHY_SIZE bytes.
 */
int lp_store_copy_step(struct lp_store_copy *copy, char *why);

/* NULL is accepted.  What is not whole is removed. */
void lp_store_copy_end(struct lp_store_copy *copy);

#endif
