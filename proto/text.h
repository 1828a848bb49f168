/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of people, which are UTF-8 as far as anybody knows (RFC 3629).
 */
#ifndef LP_PROTO_TEXT_H
#define LP_PROTO_TEXT_H

#include <stddef.h>

#include "proto/utf8.h"

/* How many of its len bytes to show, at most `most`: no character is cut. */
static inline size_t
lp_text_fit(const char *text, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (most > 0 && lp_utf8_is_inside(text[most]))
		most--;
	return most;
}

#endif
