/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/nearest.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { EDITS_MAX = 2 };

static size_t distance(const char *a, size_t a_len, const char *b);
static bool same(char a, char b);

void
lp_nearest_init(struct lp_nearest *nearest, const char *text, size_t len)
{
	*nearest = (struct lp_nearest){
	    .text = text,
	    .len = len,
	    .edits = EDITS_MAX + 1,
	};
}

void
lp_nearest_offer(struct lp_nearest *nearest, const char *word)
{
	size_t edits;

	if (nearest->len > LP_NEAREST_LEN_MAX ||
	    strlen(word) > LP_NEAREST_LEN_MAX)
		return;
	edits = distance(nearest->text, nearest->len, word);
	/* "ab" is not a slip of the pen for "xy". */
	if (edits < nearest->edits && edits < nearest->len) {
		nearest->best = word;
		nearest->edits = edits;
	}
}

char *
lp_nearest_hint(char hint[LP_NEAREST_HINT_SIZE], const char *near)
{
	hint[0] = '\0';
	if (near)
		snprintf(
		    hint, LP_NEAREST_HINT_SIZE, " (did you mean %s?)", near);
	return hint;
}

/* Levenshtein's, by one row of the table at a time. */
static size_t
distance(const char *a, size_t a_len, const char *b)
{
	size_t row[LP_NEAREST_LEN_MAX + 1];
	size_t len = strlen(b);

	assert(a_len <= LP_NEAREST_LEN_MAX && len <= LP_NEAREST_LEN_MAX);
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; i < a_len; i++) {
		size_t corner = row[0]; /* of the row above, one to the left */

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t edits = corner + !same(a[i], b[j]);

			corner = row[j + 1];
			if (row[j] + 1 < edits)
				edits = row[j] + 1;
			if (corner + 1 < edits)
				edits = corner + 1;
			row[j + 1] = edits;
		}
	}
	return row[len];
}

static bool
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}
