/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of the client that asks a cluster for its brokers: properties of
 * librdkafka, which `kcat -F` reads, too.  Passwords are in it: so it is root's
 * or the daemon's, and for nobody else to read.
 *
 *	# a comment
 *	bootstrap.servers=kafka-1.internal:9093,kafka-2.internal:9093
 *	sasl.password=...
 *
 * White space around a name and around a value is no part of it (for kcat that
 * beside the = is).
 */
#ifndef LP_CONTROLD_POLL_FILE_H
#define LP_CONTROLD_POLL_FILE_H

#include <stddef.h>

#include "proto/limits.h"

enum {
	LP_POLL_FILE_SIZE_MAX = 65536,
	LP_POLL_FILE_PATH_SHOWN = 200, /* so that the reason has room */
	/* What is wrong, with the path of a file in front. */
	LP_POLL_WHY_SIZE = 2 * LP_WHY_SIZE,
};

struct lp_poll_file {
	char *text; /* with a NUL behind it */
	size_t len, at;
	unsigned line; /* that was read last, from 1 */
};

/*
 * Reads all of it.  A negative errno with why: it cannot be read, it is not a
 * regular file, others may read or change it, it is too large.
 */
int lp_poll_file_open(struct lp_poll_file *file, const char *path, char *why);
/* Nothing of it stays in memory. */
void lp_poll_file_close(struct lp_poll_file *file);

/*
 * The next property, of file->line; both are part of the text.  1; 0: there
 * are no more; -EINVAL with why (LP_WHY_SIZE), which tells nothing of the
 * line: a password may have gone astray there.
 */
int lp_poll_file_next(struct lp_poll_file *file, const char **name,
    const char **value, char *why);

#endif
