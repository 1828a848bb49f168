/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker, with frames of any key and version.
 *
 * An input is the key, the version, a bit that says whether it is a response,
 * a byte that the borders between pieces follow from, and a frame; its size
 * may lie.  However it is cut the facts are the same, and no more of them than
 * the bytes can hold.
 */
#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/walk_seeds.h"
#include "tests/support/facts.h"

enum {
	HEAD = 4,
	KEY_MAX = 100, /* above the highest */
	FIXED_REQUEST = 12,
	FIXED_RESPONSE = 8,
	SIZE_LEN = 4,
	CUTS_MAX = 64,
	/* Two marks around a topic of one byte that is a fact, or null. */
	FACTS_A_BYTE = 3,
};

static void
compare(const struct facts *whole, const struct facts *cut)
{
	if (strcmp(whole->text, cut->text) == 0)
		return;
	fprintf(stderr, "whole %s\ncut   %s\n", whole->text, cut->text);
	abort();
}

static void
walk(const struct facts_frame *frame, uint8_t how)
{
	static struct facts whole, cut;
	uint64_t random = fuzz_random(how);
	uint32_t cuts[CUTS_MAX], at = 0;
	enum lp_walk_result result;
	unsigned count = 0;

	result = facts_walk(&whole, frame, NULL, 0, false);
	assert(whole.count <= FACTS_A_BYTE * (frame->len + 1));
	while (count < CUTS_MAX && at < frame->len) {
		at += 1 + fuzz_draw(&random) % (1 + how % 32);
		cuts[count++] = at < frame->len ? at : frame->len;
	}
	assert(facts_walk(&cut, frame, cuts, count, false) == result);
	compare(&whole, &cut);
	/* What is skipped may lie behind the bytes that are there. */
	if (result == LP_WALK_MORE)
		return;
	assert(facts_walk(&cut, frame, cuts, count, true) == result);
	compare(&whole, &cut);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts_frame frame;
	uint32_t fixed, says;

	if (size < HEAD + FIXED_REQUEST)
		return 0;
	frame = (struct facts_frame){
	    .key = data[0] % KEY_MAX,
	    .version = data[1],
	    .response = data[2] & 1,
	    .bytes = data + HEAD,
	    .len = (uint32_t)(size - HEAD),
	};
	fixed = frame.response ? FIXED_RESPONSE : FIXED_REQUEST;
	/* What the caller of the walker has checked. */
	memcpy(&says, frame.bytes, sizeof(says));
	says = be32toh(says);
	if (lp_walk_knows(frame.key, frame.version) && says <= INT32_MAX &&
	    says >= fixed - SIZE_LEN)
		walk(&frame, data[3]);
	return 0;
}

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	const struct walk_seed *seed = &walk_seeds[index];
	size_t size;

	if (index >= sizeof(walk_seeds) / sizeof(walk_seeds[0]))
		return 0;
	size = strlen(seed->hex) / 2;
	assert(HEAD + size <= max);
	data[0] = seed->key;
	data[1] = seed->version;
	data[2] = seed->response;
	data[3] = (uint8_t)index;
	for (size_t i = 0; i < size; i++) {
		unsigned byte;

		if (sscanf(seed->hex + 2 * i, "%2x", &byte) != 1)
			abort();
		data[HEAD + i] = (uint8_t)byte;
	}
	return HEAD + size;
}
