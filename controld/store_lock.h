/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may change a database: whoever holds PATH.lock.
 */
#ifndef LP_CONTROLD_STORE_LOCK_H
#define LP_CONTROLD_STORE_LOCK_H

#include "controld/store_sql.h"

/*
 * The lock of sql->path, until the descriptor is closed; or -errno and why:
 * -EBUSY, another process has it.
 */
int lp_store_lock_take(struct lp_store_sql *sql);

#endif
