/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LEN = 4 };

struct message {
	uint8_t *bytes;
	uint32_t size;
	uint32_t len;
};

static void
put(struct message *message, uint64_t value, unsigned width)
{
	assert(message->len + width <= message->size);
	while (width-- > 0)
		message->bytes[message->len++] = (uint8_t)(value >> 8 * width);
}

static void
put_length(struct message *message, uint32_t len, char quote)
{
	uint32_t value = len + 1;

	if (quote == '\'') {
		put(message, len, 2);
		return;
	}
	for (; value >= 0x80; value >>= 7)
		put(message, value | 0x80, 1);
	put(message, value, 1);
}

static void
put_word(struct message *message, const char *word)
{
	size_t n = strlen(word);

	if (*word == '\'' || *word == '"') {
		put_length(message, (uint32_t)n - 2, *word);
		for (size_t i = 1; i < n - 1; i++)
			put(message, (uint8_t)word[i], 1);
	} else if (*word == '*') {
		char *end;
		uint32_t count = (uint32_t)strtoul(word + 1, &end, 10);

		put_length(message, count, *end);
		while (count-- > 0)
			put(message, (uint8_t)end[1], 1);
	} else if (n > 2 && word[1] == ':') {
		put(message, (uint64_t)strtoll(word + 2, NULL, 0),
		    word[0] - '0');
	} else {
		for (size_t i = 0; i < n; i += 2) {
			char pair[3] = {word[i], word[i + 1], '\0'};

			put(message, strtoul(pair, NULL, 16), 1);
		}
	}
}

uint32_t
message_make(uint8_t *bytes, uint32_t size, const char *text)
{
	struct message message = {
	    .bytes = bytes, .size = size, .len = SIZE_LEN};
	char *copy = strdup(text), *at = copy, *word;
	uint32_t len;

	assert(copy != NULL);
	while ((word = strsep(&at, " ")) != NULL)
		if (*word != '\0')
			put_word(&message, word);
	free(copy);
	len = message.len;
	message.len = 0;
	put(&message, len - SIZE_LEN, SIZE_LEN);
	return len;
}
