/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/reader.h"

#include <assert.h>

enum { VARINT_LAST = 28 }; /* bits before the fifth byte, which has four more */

int
lp_reader_gather(struct lp_walk *walk, struct lp_reader *reader, uint32_t n,
    const uint8_t **bytes)
{
	uint32_t here = (uint32_t)(reader->stop - reader->at);
	uint32_t want = n - walk->held;

	assert(n <= LP_FACT_TEXT_MAX && walk->held <= n);
	if (want > lp_reader_rest(reader))
		return LP_WALK_BAD;
	if (want > here)
		want = here;
	if (want > 0)
		memcpy(walk->hold + walk->held, reader->at, want);
	reader->at += want;
	walk->held = (uint8_t)(walk->held + want);
	if (walk->held < n)
		return LP_WALK_MORE;
	walk->held = 0;
	*bytes = walk->hold;
	return LP_READER_GO;
}

int
lp_reader_long_varint(
    struct lp_walk *walk, struct lp_reader *reader, uint32_t *value)
{
	while (reader->at < reader->stop) {
		uint8_t byte = *reader->at++;

		if (walk->shift == VARINT_LAST && byte > 0x0f)
			return LP_WALK_BAD;
		walk->varint |= (uint32_t)(byte & 0x7f) << walk->shift;
		if (byte < 0x80) {
			*value = walk->varint;
			walk->varint = 0;
			walk->shift = 0;
			return LP_READER_GO;
		}
		walk->shift = (uint8_t)(walk->shift + 7);
	}
	return lp_reader_rest(reader) == 0 ? LP_WALK_BAD : LP_WALK_MORE;
}
