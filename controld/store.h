/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database: one configuration and its generations, in SQLite.
 *
 * The only module that knows SQL.  WAL and synchronous=FULL: what commit has
 * answered with 0 survives a loss of power.  One lp-controld at a time: an
 * exclusive lock on PATH.lock says so.  Everything that is refused is refused
 * before anything is changed, and says which file and why.
 */
#ifndef LP_CONTROLD_STORE_H
#define LP_CONTROLD_STORE_H

#include "controld/generation.h"
#include "proto/who.h"
#include "schema/schema.h"

enum {
	/* One line that says why; always NUL terminated. */
	LP_STORE_WHY_SIZE = 1024,
	/* Generations that are kept. */
	LP_STORE_GENERATIONS = 1000,
	/* ... and bytes of their content, but the newest is kept always. */
	LP_STORE_BYTES = 256 << 20,
	/* "LPth": tells our databases from those of others. */
	LP_STORE_APPLICATION_ID = 0x4c507468,
};

struct lp_store;

struct lp_store_options {
	const char *path;
	/* One more than the last, and at least this. */
	uint64_t epoch;
	/* Looks only: no lock, no migration, no epoch, no commit. */
	bool read_only;
	/* Other migrations than those built in, for tests; NULL: none. */
	const struct lp_schema_migration *migrations;
	size_t migration_count;
	/* Other than LP_STORE_BYTES, for tests; 0: that. */
	size_t bytes_max;
};

/*
 * Opens (and makes, if there is none) the database and loads the newest
 * generation, which passed lp_config_check().  0 with both, or -errno and
 * why.  *current is initialised here, and the caller's to fini.
 */
int lp_store_open(struct lp_store **out, struct lp_generation *current,
    const struct lp_store_options *options, char why[LP_STORE_WHY_SIZE]);

/* A generation as it was stored.  The texts are valid during the call. */
struct lp_store_past {
	uint64_t number;
	uint64_t time_ns; /* CLOCK_REALTIME */
	uint64_t digest;
	const char *who;
	const char *comment;
};

/* NULL is accepted. */
void lp_store_close(struct lp_store *store);

/*
 * Stores to->config, which follows `from`, as one transaction: the next
 * generation, whose number, time and, if it is 0, digest are filled into *to.
 * 0, or -errno and why, with nothing stored.
 */
int lp_store_commit(struct lp_store *store, const struct lp_generation *from,
    struct lp_generation *to, uint32_t next_id, const char *who,
    const char *comment, char why[LP_STORE_WHY_SIZE]);

/* The newest generation, if it waits to be confirmed. */
struct lp_store_waiting {
	uint64_t generation; /* 0: nothing waits */
	uint64_t back_to; /* it is kept as long */
	uint32_t wait_ms; /* of the whole wait */
	uint64_t until_ns; /* CLOCK_REALTIME */
	char who[LP_WHO_SIZE];
};

struct lp_store_audit; /* store_audit.h */

/* A change, and what is said of it. */
struct lp_store_change {
	uint32_t next_id;
	const char *who;
	const char *comment;
	uint32_t wait_ms; /* to be confirmed; 0: it is not to be */
	struct lp_store_waiting *waiting; /* filled in then; or NULL */
	struct lp_store_audit *audit; /* NULL: history alone tells */
};

/* The same.  Nothing waits to be confirmed any more, but this if it does. */
int lp_store_commit_change(struct lp_store *store,
    const struct lp_generation *from, struct lp_generation *to,
    const struct lp_store_change *change, char why[LP_STORE_WHY_SIZE]);

/* The change that waits now. */
int lp_store_waits(struct lp_store *store, struct lp_store_waiting *waiting,
    char why[LP_STORE_WHY_SIZE]);

/*
 * A generation that is kept, which passed lp_config_check() when it was new. 0;
 * or -errno and why: -ENOENT if it is not there.  *generation is initialised
 * here, and the caller's to fini if 0.
 */
int lp_store_load(struct lp_store *store, uint64_t number,
    struct lp_generation *generation, char why[LP_STORE_WHY_SIZE]);

/*
 * Calls row for each generation that is kept, the newest first, at most limit
 * of them; 0: all.  0, or the first result of row that is not 0, or -errno and
 * why.
 */
int lp_store_history(struct lp_store *store, uint32_t limit,
    int (*row)(void *arg, const struct lp_store_past *past), void *arg,
    char why[LP_STORE_WHY_SIZE]);

/*
 * Begins a copy of the database in a new file, as it is now and while it is
 * used: store_copy.h.  0, or -errno and why.
 */
struct lp_store_copy;
int lp_store_copy(struct lp_store_copy **out, struct lp_store *store,
    const char *path, char why[LP_STORE_WHY_SIZE]);

const char *lp_store_path(const struct lp_store *store);
const char *lp_store_database_id(const struct lp_store *store);
uint64_t lp_store_epoch(const struct lp_store *store);
uint32_t lp_store_next_id(const struct lp_store *store);
unsigned lp_store_schema(const struct lp_store *store);

#endif
