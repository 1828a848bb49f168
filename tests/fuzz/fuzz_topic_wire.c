/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a broker answers to lp-controld: read whole and byte by byte, it is the
 * same, and only topics that can be are told.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controld/topic_wire.h"
#include "tests/controld/broker.h"
#include "tests/fuzz/fuzz.h"

enum { ID = 7, TOLD_MAX = 4096 };

struct told {
	struct lp_topic_id_pair pairs[TOLD_MAX];
	unsigned count;
};

static void
keep(void *arg, const struct lp_topic_id_pair *pair)
{
	struct told *told = arg;

	assert(lp_topic_id_is_name(pair->name, pair->len));
	assert(!lp_topic_id_is_none(pair->uuid));
	if (told->count < TOLD_MAX)
		told->pairs[told->count++] = *pair;
}

/* The first byte says what was asked. */
static enum lp_topic_wire_result
read_pieces(struct told *told, const uint8_t *data, size_t size, size_t piece)
{
	struct lp_topic_wire wire;
	enum lp_topic_wire_result result = LP_TOPIC_WIRE_MORE;

	if (data[0] % 4 == 0)
		lp_topic_wire_versions(&wire, ID);
	else
		lp_topic_wire_metadata(
		    &wire, ID, (int16_t)(9 + data[0] % 4), 1 << 16);
	wire.topic = keep;
	wire.arg = told;
	told->count = 0;
	for (size_t at = 1; at < size && result == LP_TOPIC_WIRE_MORE;
	     at += piece)
		result = lp_topic_wire_read(
		    &wire, data + at, size - at < piece ? size - at : piece);
	if (data[0] % 4 == 0)
		assert(
		    lp_topic_wire_version(&wire) <= LP_TOPIC_WIRE_METADATA_MAX);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct told whole, cut;
	enum lp_topic_wire_result result;

	if (size < 2)
		return 0;
	result = read_pieces(&whole, data, size, size);
	for (size_t piece = 1; piece < 8; piece += 3) {
		assert(read_pieces(&cut, data, size, piece) == result);
		assert(cut.count == whole.count);
		assert(memcmp(cut.pairs, whole.pairs,
			   whole.count * sizeof(whole.pairs[0])) == 0);
	}
	return 0;
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	static uint8_t bytes[BROKER_ANSWER_MAX];
	size_t len;

	if (index > 5)
		return 0;
	data[0] = (uint8_t)(index % 4);
	if (index % 4 == 0)
		len = broker_versions(bytes, ID, 0, 13);
	else
		len = broker_metadata(
		    bytes, ID, (int16_t)(9 + index % 4), 1 + index);
	assert(len + 1 <= max);
	memcpy(data + 1, bytes, len);
	return len + 1;
}
