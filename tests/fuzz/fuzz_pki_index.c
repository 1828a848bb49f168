/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes of certificates: what was read is written so that it is read as the
 * same; what is refused is so by a line of the text.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/pki_index.h"
#include "tests/fuzz/fuzz.h"

static void
check_same(const struct lp_pki_index *index)
{
	struct lp_pki_index again = {0};
	char why[LP_WHY_SIZE];
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);

	assert(file != NULL);
	lp_pki_index_write(index, file);
	assert(fclose(file) == 0);
	assert(lp_pki_index_read(&again, text, len, why) == 0);
	assert(again.count == index->count);
	for (size_t i = 0; i < index->count; i++) {
		const struct lp_pki_index_row *a = &index->rows[i];
		const struct lp_pki_index_row *b = &again.rows[i];

		assert(a->serial == b->serial && a->serial <= INT64_MAX);
		assert(a->role == b->role && a->issued == b->issued);
		assert(a->expires == b->expires && a->revoked == b->revoked);
		assert(strcmp(a->name, b->name) == 0);
		assert(lp_pki_index_check_name(a->name, why) == 0);
	}
	lp_pki_index_fini(&again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_pki_index index = {0};
	char why[LP_WHY_SIZE] = "";
	/* Of its own size, so that a byte too far is found. */
	char *text = malloc(size > 0 ? size : 1);
	int err;

	assert(text != NULL);
	memcpy(text, data, size);
	err = lp_pki_index_read(&index, text, size, why);
	assert(err == 0 || err == -EINVAL);
	assert(err == 0 || strncmp(why, "line ", strlen("line ")) == 0);
	for (const char *at = why; *at != '\0'; at++)
		assert(*at >= ' ' && *at <= '~');
	if (err == 0)
		check_same(&index);
	lp_pki_index_fini(&index);
	free(text);
	return 0;
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	static const char *const seeds[] = {
	    "# SERIAL ROLE ISSUED EXPIRES REVOKED NAME\n"
	    "22985c40f618382f admin 2026-11-26T17:18:27Z "
	    "2027-11-26T17:18:27Z 2026-11-27T00:00:00Z alice\n"
	    "47c345a7d9368d38 controld 2026-11-26T17:18:27Z "
	    "2027-02-28T23:59:59Z - edge-1.a@b\n",
	    "\n \t\r\n#\n0000000000000001 observer 1970-01-01T00:00:01Z "
	    "9999-12-31T23:59:59Z - a",
	};

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	assert(strlen(seeds[index]) <= max);
	memcpy(data, seeds[index], strlen(seeds[index]));
	return strlen(seeds[index]);
}
