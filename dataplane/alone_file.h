/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives a process of alone.h: one line beside the snapshot, only while
 * it is alone.
 */
#ifndef LP_DATAPLANE_ALONE_FILE_H
#define LP_DATAPLANE_ALONE_FILE_H

#include "dataplane/alone.h"

/* 0, -ENOENT, -EBADMSG if it is not what we write, or -errno. */
int lp_alone_file_load(struct lp_alone_file *file, const char *path);

/* Replaces it as a whole.  0 once it is on the disk, or -errno. */
int lp_alone_file_save(const char *path, const struct lp_alone_file *file);

/* 0 also if there is none. */
int lp_alone_file_remove(const char *path);

#endif
