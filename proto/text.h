/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of people, which are UTF-8 as far as anybody knows (RFC 3629).
 */
#ifndef LP_PROTO_TEXT_H
#define LP_PROTO_TEXT_H

#include <stddef.h>

/* How many of its len bytes to show, at most `most`: no character is cut. */
static inline size_t
lp_text_fit(const char *text, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

#endif
