/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last good configuration, on disk: what a dataplane starts from before
 * anybody has spoken to it, and the highest epoch it has seen.
 *
 * One file, replaced as a whole (written aside, synced, renamed).  It is for
 * the host that wrote it: numbers are in its own byte order.
 */
#ifndef LP_DATAPLANE_PERSIST_H
#define LP_DATAPLANE_PERSIST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/config.h"

struct lp_persist {
	uint64_t epoch_seen; /* the highest */
	uint64_t controller_seen; /* whose it is: a hash, 0: not known */
	uint64_t epoch; /* of the configuration */
	uint64_t generation; /* 0: no configuration yet */
	uint64_t digest;
	/* The port object in each slot: connections refer to slots. */
	uint32_t port_ids[LP_PORTS_MAX];
};

/* 0 once it is on the disk, or -errno; the old file then stays. */
int lp_persist_save(const char *path, const struct lp_persist *state,
    const struct lp_config *config);

/*
 * Fills *config, which must be initialised and empty.  0; -ENOENT; -errno
 * if the file cannot be read; -EBADMSG if it is damaged or not ours: why
 * says how.
 */
int lp_persist_load(const char *path, struct lp_persist *state,
    struct lp_config *config, char why[LP_WHY_SIZE]);

/* The same from bytes: 0, -EBADMSG, -ENOMEM. */
int lp_persist_decode(const uint8_t *data, size_t len, struct lp_persist *state,
    struct lp_config *config, char why[LP_WHY_SIZE]);

/* Moves a damaged file aside to PATH.bad.  0 or -errno. */
int lp_persist_set_aside(const char *path);

#endif
