/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lpctl db backup: a copy of the database, made beside it while it is used,
 * and sent in pieces as fast as the client reads.  One at a time.
 */
#ifndef LP_CONTROLD_BACKUP_H
#define LP_CONTROLD_BACKUP_H

#include "controld/reply.h"

enum {
	/* Bytes of one reply. */
	LP_BACKUP_PIECE = 32 << 10,
	/* A client that leaves so much unread gets the next piece later. */
	LP_BACKUP_UNREAD_MAX = 1 << 20,
	/* Others are served between two turns. */
	LP_BACKUP_TURN_PIECES = 32,
	LP_BACKUP_TURN_MS = 2,
	/* Who reads less than a piece in so long is given up. */
	LP_BACKUP_PATIENCE_MS = 30000,
};

struct lp_backup;

/* patience_ms 0: LP_BACKUP_PATIENCE_MS.  0, or -ENOMEM. */
int lp_backup_new(
    struct lp_backup **out, struct lp_context *context, unsigned patience_ms);
void lp_backup_free(struct lp_backup *backup); /* NULL is accepted */

/* Begins, or refuses. */
void lp_backup_add(struct lp_backup *backup, const struct lp_reply_to *to);

/* This client waits for nothing any more. */
void lp_backup_gone(struct lp_backup *backup, uint64_t client);

#endif
