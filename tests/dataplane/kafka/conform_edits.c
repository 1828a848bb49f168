/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes of the answers of Conform.java (stdin) what clients are told, and
 * writes for Edited.java, which has Kafka's own library compare them,
 *
 *	offered KEY VERSION	of each key: the last one
 *	KEY VERSION PRODUCE OLD NEW
 *
 * PRODUCE is the last version of Produce that is offered; -1: hints are told
 * by names of a pattern, and else hidden.  Of answers that have nothing to be
 * changed not a byte may change.
 */
#include <assert.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/names.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/disguise.h"
#include "tests/support/lines.h"
#include "tests/support/readdress.h"

enum {
	WAYS = 4, /* to cut each frame */
	CUTS = 4096,
	PRODUCE_LOW = 9,
	API_VERSIONS = 18,
	TOLD = -1, /* in the place of PRODUCE */
};

struct conform {
	struct lines lines;
	uint64_t random;
	uint32_t cuts[CUTS];
	unsigned count;
	unsigned long messages, edited, told;
};

/* In one piece, in single bytes, at random. */
static void
cut(struct conform *conform, unsigned way)
{
	uint32_t len = conform->lines.frame.len, most;

	conform->count = 0;
	if (way == 0)
		return;
	most = way == 1 ? 1 : 1 + fuzz_draw(&conform->random) % len;
	for (uint32_t at = 1; at < len && conform->count < CUTS;) {
		conform->cuts[conform->count++] = at;
		at += 1 + fuzz_draw(&conform->random) % most;
	}
}

static void
write_hex(const uint8_t *bytes, uint32_t len)
{
	putchar(' ');
	for (uint32_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
}

static void
write_line(struct conform *conform, int16_t produce, const uint8_t *bytes,
    uint32_t len)
{
	const struct facts_frame *frame = &conform->lines.frame;

	printf("%d %d %d", frame->key, frame->version, produce);
	write_hex(frame->bytes, frame->len);
	write_hex(bytes, len);
	putchar('\n');
	conform->edited++;
}

static void
readdress(struct conform *conform)
{
	const struct facts_frame *frame = &conform->lines.frame;
	struct readdress_run first, run;

	readdress_run(&first, frame, NULL, 0, READDRESS_PIECES);
	assert(first.result == LP_READDRESS_DONE);
	for (unsigned way = 1; way < WAYS; way++) {
		cut(conform, way);
		readdress_run(&run, frame, conform->cuts, conform->count,
		    READDRESS_PIECES);
		assert(run.result == LP_READDRESS_DONE);
		assert(run.len == first.len);
		assert(memcmp(run.bytes, first.bytes, run.len) == 0);
		readdress_free(&run);
	}
	write_line(conform, INT16_MAX, first.bytes, first.len);
	readdress_free(&first);
}

/* Where all of them have names of their own length. */
static void
tell_hints(struct conform *conform)
{
	const struct facts_frame *frame = &conform->lines.frame;
	struct readdress_run first, run;

	if (!readdress_run_hints(&first, frame, NULL, 0))
		return;
	for (unsigned way = 1; way < WAYS; way++) {
		cut(conform, way);
		readdress_run_hints(&run, frame, conform->cuts, conform->count);
		assert(run.result == first.result);
		assert(run.len == first.len);
		assert(first.len == 0 ||
		    memcmp(run.bytes, first.bytes, run.len) == 0);
		readdress_free(&run);
	}
	assert(first.result == LP_READDRESS_DONE ||
	    first.result == LP_READDRESS_UNEQUAL);
	if (first.result == LP_READDRESS_DONE) {
		conform->told += first.done.changed > 0;
		write_line(conform, TOLD, first.bytes, first.len);
	}
	readdress_free(&first);
}

/* Whether the API has something that is disguised. */
static bool
has_disguise(int16_t key)
{
	static const int16_t keys[] = {0, 1, API_VERSIONS, 32, 78, 79};

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i] == key)
			return true;
	return false;
}

static void
disguise(struct conform *conform, int16_t produce)
{
	const struct facts_frame *frame = &conform->lines.frame;
	struct disguise_run first, run;

	disguise_run(&first, frame, NULL, 0, produce);
	assert(first.result == LP_WALK_DONE);
	for (unsigned way = 1; way < WAYS; way++) {
		cut(conform, way);
		disguise_run(
		    &run, frame, conform->cuts, conform->count, produce);
		assert(run.overlays == first.overlays);
		assert(memcmp(run.bytes, first.bytes, frame->len) == 0);
		disguise_free(&run);
	}
	if (!has_disguise(frame->key) && first.overlays > 0)
		errx(1, "%s version %d: %u overlays",
		    lp_kafka_api_name(frame->key), frame->version,
		    first.overlays);
	if (has_disguise(frame->key) && !first.failed)
		write_line(conform, produce, first.bytes, frame->len);
	disguise_free(&first);
}

int
main(void)
{
	static struct conform conform;
	struct lp_kafka_api api;

	conform.random = fuzz_random(1);
	for (int16_t key = 0; key < lp_kafka_api_count(); key++)
		if (lp_kafka_api(key, &api))
			printf("offered %d %d\n", key, api.offered);
	while (lines_next(&conform.lines, stdin)) {
		const struct facts_frame *frame = &conform.lines.frame;

		if (!frame->response)
			continue;
		conform.messages++;
		if (lp_readdress_knows(frame->key, frame->version))
			readdress(&conform);
		tell_hints(&conform);
		disguise(&conform, LP_DISGUISE_PRODUCE_ALL);
		if (frame->key == API_VERSIONS)
			disguise(&conform, PRODUCE_LOW);
	}
	fprintf(stderr, "%lu answers, %lu to be compared, %lu with hints\n",
	    conform.messages, conform.edited, conform.told);
	return conform.edited > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
