/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters of UTF-8 (RFC 3629), one by one.
 */
#ifndef LP_PROTO_UTF8_H
#define LP_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The character at `at`, before `end`, and its bytes; 0: these are none, and
 * code is the first byte.
 */
size_t lp_utf8_decode(const char *at, const char *end, uint32_t *code);

/* Of a character, behind its first byte. */
static inline bool
lp_utf8_is_inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

#endif
