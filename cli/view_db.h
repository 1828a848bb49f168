/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What "lpctl db" has done, for output.
 */
#ifndef LP_CLI_VIEW_DB_H
#define LP_CLI_VIEW_DB_H

#include "controld/store_restore.h"

struct lp_db_view {
	const char *action; /* "backup", "verify", "restore" */
	const char *path; /* of the copy */
	const char *database; /* restored; NULL: none */
	uint64_t size; /* bytes of the copy */
	struct lp_store_facts facts;
};

#endif
