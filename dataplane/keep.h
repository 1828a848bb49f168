/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that outlive the packet process.
 *
 * The child gives them to its keeper (a unix socket pair, SCM_RIGHTS) under a
 * name, and a later child takes them up again: the state region, the packet
 * buffers, the bpf_link of each port.  Control thread only.
 */
#ifndef LP_DATAPLANE_KEEP_H
#define LP_DATAPLANE_KEEP_H

struct lp_keep;

enum {
	LP_KEEP_NAME_SIZE = 64, /* with the NUL */
	LP_KEEP_MAX = 256, /* descriptors that a keeper holds */
};

/*
 * A descriptor kept under that name, close-on-exec and the caller's to close
 * (the keeper keeps its own copy), or -ENOENT, or -errno.
 */
int lp_keep_get(struct lp_keep *keep, const char *name);

/* Keeps a copy of fd under that name, in place of an older one. */
int lp_keep_put(struct lp_keep *keep, const char *name, int fd);

/* Forgets it; 0 also if there is none. */
int lp_keep_drop(struct lp_keep *keep, const char *name);

/* Tells the keeper that this process forwards. */
int lp_keep_ready(struct lp_keep *keep);

/* The packet process' end of the socket pair; takes ownership of it. */
int lp_keep_new(struct lp_keep **keep, int socket);
/* Accepts NULL.  What is kept stays kept. */
void lp_keep_free(struct lp_keep *keep);

#endif
