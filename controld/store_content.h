/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole configuration as bytes, as a generation keeps it: each object behind
 * its length, like frames.  For store.c only.
 */
#ifndef LP_CONTROLD_STORE_CONTENT_H
#define LP_CONTROLD_STORE_CONTENT_H

#include "proto/config.h"

/* *content is the caller's to free.  -ENOMEM. */
int lp_store_content_pack(
    const struct lp_config *config, uint8_t **content, size_t *len);

/*
 * Into *config, which is initialised and empty.  What an older version has
 * stored has the defaults where it says nothing, what a newer one has is
 * ignored.  *digest is that of what was stored, as it was packed then.
 * -ENOMEM; -EINVAL with why, if an object is not right by itself.
 */
int lp_store_content_unpack(struct lp_config *config, const uint8_t *content,
    size_t len, uint64_t *digest, char why[LP_WHY_SIZE]);

#endif
