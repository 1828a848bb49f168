/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of roles: each row is found by its name, and has a role of its own
 * line; what is refused is so by a line that there is.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controld/role_file.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_role_file_list list = {0};
	char why[LP_ROLE_FILE_WHY_SIZE] = "";
	/* Of its own size, so that a byte too far is found. */
	char *text = malloc(size > 0 ? size : 1);
	unsigned line = 0, lines = 1;
	int err;

	assert(text != NULL);
	memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	err = lp_role_file_parse(&list, text, size, &line, why);
	assert(err == 0 || err == -EINVAL);
	assert(err == 0 || (line >= 1 && line <= lines && why[0] != '\0'));
	for (const char *at = why; *at != '\0'; at++)
		assert(*at >= '\t' && *at <= '~');
	for (size_t i = 0; err == 0 && i < list.count; i++) {
		const struct lp_role_file_row *row = &list.rows[i];

		assert(row->line >= 1 && row->line <= lines);
		assert(row->name[0] != '\0');
		assert(lp_role_file_lookup(&list, row->name) == row->role);
	}
	if (err == 0)
		assert(lp_role_file_lookup(&list, "\x01") ==
		    lp_role_file_lookup(&list, "*"));
	lp_role_file_fini(&list);
	free(text);
	return 0;
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	static const char *const seeds[] = {
	    "# a\nalice admin\nBob  Example\toperator\r\n\nmallory none\n",
	    "* observer\na dataplane\nb controld\n",
	    "a admin\na observer",
	};

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	assert(strlen(seeds[index]) <= max);
	memcpy(data, seeds[index], strlen(seeds[index]));
	return strlen(seeds[index]);
}
