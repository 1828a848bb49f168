/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces a file as a whole: written aside (PATH.new), synced, renamed.
 */
#ifndef LP_DATAPLANE_REPLACE_H
#define LP_DATAPLANE_REPLACE_H

#include <stddef.h>

/* 0 once it is on the disk, or -errno; the old file then stays. */
int lp_replace_file(const char *path, const void *data, size_t len);

#endif
