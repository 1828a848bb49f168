/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The migrations of the database, embedded at build time from the SQL files
 * of this folder: the number in a file's name is its place in the list.
 */
#ifndef LP_SCHEMA_SCHEMA_H
#define LP_SCHEMA_SCHEMA_H

#include <stddef.h>

struct lp_schema_migration {
	const char *name; /* "0001_initial" */
	const char *sql;
};

extern const struct lp_schema_migration lp_schema_migrations[];
extern const size_t lp_schema_count;

#endif
