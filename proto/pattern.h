/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of names: "*.k.example.com" is a wildcard of the DNS (RFC 4592), so
 * all names that end in ".k.example.com" lead to where it leads.  That lets a
 * name be as long as the one that it takes the place of:
 *
 *	kafka-12.internal.example	is 25 bytes long, and becomes
 *	b0000000012.k.example.com
 *
 * A name depends on pattern, node id and length alone: it is the same on every
 * host, and each time.
 */
#ifndef LP_PROTO_PATTERN_H
#define LP_PROTO_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/address.h"
#include "proto/limits.h"

enum {
	/* "b2147483647": what has to have room in front of every suffix. */
	LP_PATTERN_LABEL_MAX = 11,
};

/* Whether a text is meant to be one; it may be a wrong one. */
static inline bool
lp_pattern_is(const char *text)
{
	return text[0] == '*';
}

/* 0, or -EINVAL with why. */
int lp_pattern_check(const char *pattern, char *why);

/*
 * The name of that node, of exactly so many bytes; where they are too few, the
 * shortest one.  suffix: the pattern without its asterisk.  No NUL is written.
 * Returns its length.
 */
uint8_t lp_pattern_name(char name[LP_HOST_SIZE], const char *suffix,
    uint8_t suffix_len, int32_t node_id, uint32_t len);

#endif
