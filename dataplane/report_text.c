/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "dataplane/report.h"

static size_t character(const uint8_t *bytes, size_t len);

char *
lp_report_text(char *text, const uint8_t *bytes, size_t len)
{
	char *at = text;

	for (size_t i = 0; i < len;) {
		size_t size = character(bytes + i, len - i);

		if (size == 0) {
			at += sprintf(at, "\\x%02x", bytes[i++]);
			continue;
		}
		memcpy(at, bytes + i, size);
		at += size;
		i += size;
	}
	*at = '\0';
	return text;
}

/*
 * Whether three bytes, or two, are one of those that set lines anew, or turn
 * the order of what follows (Unicode, 23.2; UAX #9): U+200E, 200F, 2028 to
 * 202E, 2066 to 2069, 061C.
 */
static bool
is_layout(const uint8_t *bytes, size_t size)
{
	if (size == 2)
		return bytes[0] == 0xd8 && bytes[1] == 0x9c;
	if (size != 3 || bytes[0] != 0xe2)
		return false;
	return (bytes[1] == 0x80 &&
		   (bytes[2] == 0x8e || bytes[2] == 0x8f ||
		       (bytes[2] >= 0xa8 && bytes[2] <= 0xae))) ||
	    (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9);
}

/* Bytes of the character there; 0: it is none, or a control.  RFC 3629, 4. */
static size_t
character(const uint8_t *bytes, size_t len)
{
	uint8_t first = bytes[0];
	size_t size = first < 0x80 ? 1
	    : first < 0xc2         ? 0
	    : first < 0xe0         ? 2
	    : first < 0xf0         ? 3
	    : first < 0xf5         ? 4
				   : 0;

	if (size == 0 || size > len || first < 0x20 || first == 0x7f)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	/* C1 controls; overlong forms; surrogates; beyond U+10FFFF. */
	if ((first == 0xc2 && bytes[1] < 0xa0) ||
	    (first == 0xe0 && bytes[1] < 0xa0) ||
	    (first == 0xed && bytes[1] > 0x9f) ||
	    (first == 0xf0 && bytes[1] < 0x90) ||
	    (first == 0xf4 && bytes[1] > 0x8f) || is_layout(bytes, size))
		return 0;
	return size;
}
