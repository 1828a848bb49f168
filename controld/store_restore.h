/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of a database: looked at, and put in its place.
 */
#ifndef LP_CONTROLD_STORE_RESTORE_H
#define LP_CONTROLD_STORE_RESTORE_H

#include "controld/store.h"

/* What a database is, as lp_store_restore_check() found it. */
struct lp_store_facts {
	char database_id[33];
	int64_t schema; /* of its tables */
	uint64_t epoch;
	uint32_t next_id;
	uint64_t generation, time_ns; /* of the newest */
	uint64_t kept; /* generations */
	/* Of what was restored: where links to it lead. */
	char path[512];
};

/*
 * Reads all of the database at path, which is not changed: its pages and
 * indices, its schema, which may be older than ours, and its newest
 * generation.  0, or -errno and why.
 */
int lp_store_restore_check(const char *path, struct lp_store_facts *facts,
    char why[LP_STORE_WHY_SIZE]);

/*
 * Puts a copy in the place of a database that no lp-controld uses, in one
 * step.  What was there is kept as PATH.before-restore; in place of an older
 * one of that name.  Epoch, ids and generation go on from those of both, so
 * that dataplanes obey.  0 with what is there now, or -errno and why, and
 * nothing is changed.
 */
int lp_store_restore_run(const char *path, const char *copy, const char *who,
    struct lp_store_facts *facts, char why[LP_STORE_WHY_SIZE]);

#endif
