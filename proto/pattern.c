/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	b | zeros | node id | suffix		b0000012 .k.example.com
 *
 * A label has 63 bytes at most (RFC 1035, 2.3.4).  What is longer is cut by
 * dots, counted from the suffix, and the asterisk stands for several labels.
 * All of them are of digits but for the first byte: each is a right one, and
 * none is empty.
 */
#include "proto/pattern.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	NAME_MAX_LEN = LP_HOST_SIZE - 1,
	LABEL_MAX = 63,
	DIGITS_MAX = 10,
	QUOTE_MAX = 64, /* of a text that is refused */
};

static int
refuse(char *why, const char *pattern, const char *what)
{
	snprintf(why, LP_WHY_SIZE, "\"%.*s\" %s", QUOTE_MAX, pattern, what);
	return -EINVAL;
}

int
lp_pattern_check(const char *pattern, char *why)
{
	size_t len = strnlen(pattern, LP_HOST_SIZE);
	int rc;

	assert(lp_pattern_is(pattern));
	if (pattern[1] != '.')
		return refuse(why, pattern,
		    "is no pattern: behind '*', which stands for a whole part "
		    "of a name, comes a dot");
	if (strchr(pattern + 1, '*') != NULL)
		return refuse(
		    why, pattern, "is no pattern: only its first part is '*'");
	rc = lp_hostname_check(pattern + 2, why);
	if (rc)
		return rc;
	if (len - 1 + LP_PATTERN_LABEL_MAX > NAME_MAX_LEN) {
		snprintf(why, LP_WHY_SIZE,
		    "is longer than %d characters: names that are made of it "
		    "could be longer than %d",
		    NAME_MAX_LEN - LP_PATTERN_LABEL_MAX + 1, NAME_MAX_LEN);
		return -EINVAL;
	}
	return 0;
}

uint8_t
lp_pattern_name(char name[LP_HOST_SIZE], const char *suffix, uint8_t suffix_len,
    int32_t node_id, uint32_t len)
{
	char digits[DIGITS_MAX];
	uint32_t left = (uint32_t)node_id;
	uint32_t count = 0, room, last;

	assert(node_id >= 0);
	assert(suffix_len + LP_PATTERN_LABEL_MAX <= NAME_MAX_LEN);
	do {
		digits[count++] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	room = 1 + count;
	if (len <= NAME_MAX_LEN && len > room + suffix_len)
		room = len - suffix_len;
	memset(name, '0', room);
	for (uint32_t i = 0; i < count; i++)
		name[room - 1 - i] = digits[i];
	/* Bytes of the last label: the first one must not begin with a dot. */
	last = room % (LABEL_MAX + 1) == 0 ? LABEL_MAX - 1 : LABEL_MAX;
	for (uint32_t i = last; i < room; i += LABEL_MAX + 1)
		name[room - 1 - i] = '.';
	name[0] = 'b';
	memcpy(name + room, suffix, suffix_len);
	return (uint8_t)(room + suffix_len);
}
