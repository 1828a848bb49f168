/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest of a configuration: XXH3 (64 bits) over its packed objects, in
 * canonical order.
 */
#ifndef LP_PROTO_DIGEST_H
#define LP_PROTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/object.h"

struct lp_digest;

/* NULL: no memory. */
struct lp_digest *lp_digest_new(void);
/* The next object: its kind and id, and how it is packed. */
void lp_digest_add(struct lp_digest *digest, const struct lp_object *object,
    const uint8_t *packed, size_t len);
/* Frees it; 0, which no digest is, if it is NULL. */
uint64_t lp_digest_end(struct lp_digest *digest);

#endif
