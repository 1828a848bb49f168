/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of clients: whatever is in one, each property lies inside of it, in
 * order, and reading ends.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "controld/poll_file.h"
#include "tests/fuzz/fuzz.h"

static bool
is_blank(char c)
{
	return c != '\0' && strchr(" \t\r\n\f\v", c) != NULL;
}

/* Returns where it ends. */
static const char *
check_part(const struct lp_poll_file *file, const char *part)
{
	size_t len;

	assert(part >= file->text && part <= file->text + file->len);
	len = strlen(part);
	assert(part + len <= file->text + file->len);
	assert(len == 0 || !is_blank(part[0]));
	assert(len == 0 || !is_blank(part[len - 1]));
	return part + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_poll_file file = {.text = malloc(size + 1), .len = size};
	const char *name, *value, *end = file.text;
	char why[LP_WHY_SIZE];
	unsigned line = 0, lines = 1;
	int result;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	memcpy(file.text, data, size);
	file.text[size] = '\0';
	while ((result = lp_poll_file_next(&file, &name, &value, why)) > 0) {
		assert(file.line > line && file.line <= lines);
		line = file.line;
		assert(name >= end && name[0] != '\0');
		end = check_part(&file, name);
		assert(value > end);
		end = check_part(&file, value);
	}
	assert(result == 0 || result == -EINVAL);
	assert(result == 0 || strlen(why) < sizeof(why));
	lp_poll_file_close(&file);
	return 0;
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	static const char *const seeds[] = {
	    "# a\nbootstrap.servers=a:1\n\nb = C D\r\nsasl.password==#a b=\n",
	    "a=1",
	    "\t a.b_2 \t=\n=\n",
	};

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	assert(strlen(seeds[index]) <= max);
	memcpy(data, seeds[index], strlen(seeds[index]));
	return strlen(seeds[index]);
}
