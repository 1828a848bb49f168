/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edits of answers: other addresses, and what clients must not see.
 *
 * An input is the key, the version, a byte that the borders between pieces
 * follow from, one that says how far Produce is offered, and a frame; its size
 * may lie.  However it is cut the same comes out; of a message a message, of
 * the length that its size says, and without a hint of where brokers are.
 */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/disguise.h"
#include "tests/support/message.h"
#include "tests/support/readdress.h"

enum { HEAD = 4, FIXED = 8, SIZE_LEN = 4, CUTS_MAX = 64 };

static uint32_t
size_of(const uint8_t *bytes)
{
	uint32_t size;

	memcpy(&size, bytes, sizeof(size));
	return be32toh(size);
}

/* Of the frame, and of what came of it: messages both, or neither. */
static void
compare(const struct facts_frame *old, const uint8_t *bytes, uint32_t len,
    struct facts *facts)
{
	struct facts_frame frame = *old;
	enum lp_walk_result result = facts_walk(facts, old, NULL, 0, false);
	unsigned count = facts->count;

	frame.bytes = bytes;
	frame.len = len;
	if (result != LP_WALK_DONE)
		return;
	assert(size_of(bytes) + SIZE_LEN ==
	    len - (old->len - size_of(old->bytes) - SIZE_LEN));
	result = facts_walk(facts, &frame, NULL, 0, false);
	assert(result == LP_WALK_DONE && facts->count <= count);
}

static void
readdress(const struct facts_frame *frame, const uint32_t cuts[],
    unsigned count, struct facts *facts)
{
	struct readdress_run whole, cut;

	readdress_run(&whole, frame, NULL, 0, READDRESS_PIECES);
	readdress_run(&cut, frame, cuts, count, READDRESS_PIECES);
	assert(whole.result == cut.result);
	if (whole.result == LP_READDRESS_DONE) {
		assert(whole.done.new_len <= LP_EDIT_BYTES_MAX);
		assert(whole.len == cut.len);
		assert(memcmp(whole.bytes, cut.bytes, cut.len) == 0);
		assert(size_of(whole.bytes) - whole.done.new_len ==
		    size_of(frame->bytes) - whole.done.old_len);
		compare(frame, whole.bytes, whole.len, facts);
	}
	readdress_free(&whole);
	readdress_free(&cut);
}

static void
disguise(const struct facts_frame *frame, const uint32_t cuts[], unsigned count,
    int16_t produce, struct facts *facts)
{
	struct disguise_run whole, cut;

	disguise_run(&whole, frame, NULL, 0, produce);
	disguise_run(&cut, frame, cuts, count, produce);
	assert(whole.result == cut.result && whole.overlays == cut.overlays);
	assert(memcmp(whole.bytes, cut.bytes, frame->len) == 0);
	compare(frame, whole.bytes, frame->len, facts);
	if (whole.result == LP_WALK_DONE) {
		assert(strstr(facts->text, "hidden_tag") == NULL);
		assert(strstr(facts->text, "hidden_array") == NULL ||
		    strstr(facts->text, "host") == NULL);
	}
	disguise_free(&whole);
	disguise_free(&cut);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct facts facts;
	struct facts_frame frame;
	uint32_t cuts[CUTS_MAX], at = 0, says;
	uint64_t random;
	unsigned count = 0;

	if (size < HEAD + FIXED)
		return 0;
	frame = (struct facts_frame){
	    .key = data[0],
	    .version = data[1],
	    .response = true,
	    .bytes = data + HEAD,
	    .len = (uint32_t)(size - HEAD),
	};
	says = size_of(frame.bytes);
	if (!lp_walk_knows(frame.key, frame.version) || says > INT32_MAX ||
	    says < FIXED - SIZE_LEN)
		return 0;
	random = fuzz_random(data[2]);
	while (count < CUTS_MAX && at < frame.len) {
		at += 1 + fuzz_draw(&random) % (1 + data[2] % 32);
		cuts[count++] = at < frame.len ? at : frame.len;
	}
	if (lp_readdress_knows(frame.key, frame.version))
		readdress(&frame, cuts, count, &facts);
	disguise(&frame, cuts, count, data[3], &facts);
	return 0;
}

static const struct {
	uint8_t key, version, produce;
	const char *message;
} seeds[] = {
    {3, 1, 13, "4:99 4:2 4:1 'b1' 4:9092 2:-1 4:2 'b2' 4:9092 'r' 4:1 4:0"},
    {3, 12, 13,
	"4:99 00 4:0 03 4:1 \"b1\" 4:9092 00 00 4:2 *130\"b 4:9093 \"r\" 01 05 "
	"01 aa \"id\" 4:1 01 00"},
    {10, 2, 13, "4:99 4:0 2:0 2:-1 4:1 'b1' 4:9092"},
    {10, 4, 13,
	"4:99 00 4:0 03 \"g\" 4:1 \"b1\" 4:9092 2:0 00 00 \"h\" 4:-1 \"\" 4:-1 "
	"2:15 \"no\" 00 00"},
    {60, 2, 13,
	"4:99 00 4:5 2:0 00 01 \"id\" 4:1 03 4:1 \"b1\" 4:9093 00 00 00 4:2 "
	"\"b2\" 4:9093 00 01 00 4:0 00"},
    {60, 1, 13,
	"4:99 00 4:5 2:0 00 02 \"id\" 4:1 02 4:1 \"c1\" 4:9093 00 00 4:0 00"},
    {0, 10, 13,
	"4:99 00 02 \"t\" 02 4:0 2:6 8:0 8:0 8:0 01 00 01 00 09 4:1 4:5 00 00 "
	"4:0 02 00 11 02 4:5 \"host\" 4:9093 \"r\" 00 40 01 aa"},
    {1, 16, 13,
	"4:99 00 4:0 2:0 4:0 02 8:1 8:2 02 4:0 2:6 8:0 8:0 8:0 00 4:-1 04 "
	"010203 01 01 09 4:1 4:5 00 00 01 00 11 02 4:5 \"host\" 4:9093 \"r\" "
	"00"},
    {78, 1, 13,
	"4:99 00 4:0 2:0 00 4:30000 02 8:1 8:2 02 4:0 2:6 00 2:0 00 4:1 4:2 "
	"00 04 616263 01 00 00 02 4:5 \"host\" 4:9093 \"r\" 00 00"},
    {79, 2, 13,
	"4:99 00 4:0 2:0 00 4:30000 01 03 4:5 *60\"h 4:9093 00 00 4:6 *60\"h "
	"4:9093 00 00 01 07 01 55"},
    {18, 0, 13, "4:99 2:35 4:1 2:18 2:0 2:6"},
    {18, 3, 9,
	"4:99 2:0 05 2:0 2:0 2:13 00 2:55 2:0 2:2 00 2:95 2:0 2:0 00 2:3 2:20 "
	"2:21 00 4:0 02 00 1a 02 \"transaction.version\" 2:0 2:2 00 02 1a 02 "
	"\"transaction.version\" 2:2 2:2 00"},
    {32, 1, 13,
	"4:99 4:0 4:1 2:0 2:-1 04 '1' 4:1 'listeners' 'PLAINTEXT://b1:9092' "
	"00 01 00 4:1 'advertised.listeners' 'b1' 05"},
    {32, 4, 13,
	"4:99 00 4:0 02 2:0 00 04 \"1\" 02 \"listeners\" *300\"h 00 01 00 01 "
	"05 "
	"00 00 00 00"},
};

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	data[0] = seeds[index].key;
	data[1] = seeds[index].version;
	data[2] = (uint8_t)index;
	data[3] = seeds[index].produce;
	return HEAD +
	    message_make(
		data + HEAD, (uint32_t)max - HEAD, seeds[index].message);
}
