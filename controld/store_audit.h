/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of who has changed what, the newest rows of it.
 *
 * A change and its row are one SQL transaction (struct lp_store_change): what
 * cannot be written down is not done.  All return 0, or -errno and why.
 */
#ifndef LP_CONTROLD_STORE_AUDIT_H
#define LP_CONTROLD_STORE_AUDIT_H

#include <stdbool.h>

#include "controld/store.h"

enum {
	/* Rows that are kept: of the usual size some 20 MB. */
	LP_STORE_AUDIT_ROWS = 100000,
	/* Bytes of a text that are kept. */
	LP_STORE_AUDIT_TEXT = 1024,
};

/* Texts are never NULL, and need not end a character where they are cut. */
struct lp_store_audit {
	uint64_t number; /* filled in when it is stored */
	uint64_t time_ns; /* CLOCK_REALTIME */
	const char *who, *from, *role, *request, *result, *text;
	bool cut;
	uint64_t generation; /* 0: none */
};

/* A row of its own transaction. */
int lp_store_audit_add(struct lp_store *store, struct lp_store_audit *row,
    char why[LP_STORE_WHY_SIZE]);

/* What became of one that is there; the text is put behind its own. */
int lp_store_audit_result(struct lp_store *store, uint64_t number,
    const char *result, const char *text, char why[LP_STORE_WHY_SIZE]);

/*
 * Calls row for each, the newest first, at most limit of them; 0: all.  Texts
 * are valid during the call.  0, or the first result of row that is not 0, or
 * -errno and why.
 */
int lp_store_audit_each(struct lp_store *store, uint32_t limit,
    int (*row)(void *arg, const struct lp_store_audit *audit), void *arg,
    char why[LP_STORE_WHY_SIZE]);

/* Nothing waits to be confirmed any more, and who has said so. */
int lp_store_audit_confirm(struct lp_store *store, struct lp_store_audit *row,
    char why[LP_STORE_WHY_SIZE]);

/* As part of the caller's transaction.  For store.c. */
struct lp_store_sql;
int lp_store_audit_insert(struct lp_store_sql *sql, struct lp_store_audit *row);

#endif
