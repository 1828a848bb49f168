/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/utf8.h"

#include <assert.h>

size_t
lp_utf8_decode(const char *at, const char *end, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)*at;
	uint32_t value;
	size_t len;

	assert(at < end);
	*code = first;
	if (first < 0x80)
		return 1;
	if (first < 0xc0 || first >= 0xf8)
		return 0;
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if ((size_t)(end - at) < len)
		return 0;
	value = first & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((unsigned char)at[i] & 0x3f);
	}
	/* Longer than need be, beyond Unicode, half of a pair of UTF-16. */
	if (value < least[len] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return len;
}
