/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the walker with Kafka's own library: reads the lines of
 * Conform.java on stdin.
 *
 * Small messages are cut at every byte; all of them into single bytes, and
 * into random pieces; each with and without the bytes that nobody asks for.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/names.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/facts.h"
#include "tests/support/lines.h"

enum {
	SMALL = 200, /* bytes of a frame that is cut at each of them */
	RANDOM = 8, /* other ways to cut each frame */
};

struct conform {
	struct lines lines;
	struct facts facts;
	uint64_t random;
	uint32_t cuts[LINES_FRAME_MAX];
	unsigned long messages;
	unsigned long walks;
	unsigned long facts_told;
	unsigned known[INT8_MAX + 1][2]; /* versions seen, as bits */
};

static void check(struct conform *conform);
static unsigned missing(const struct conform *conform);

int
main(void)
{
	static struct conform conform;

	conform.random = fuzz_random(1);
	while (lines_next(&conform.lines, stdin)) {
		const struct facts_frame *frame = &conform.lines.frame;

		conform.known[frame->key][frame->response] |= 1u
		    << frame->version;
		conform.messages++;
		check(&conform);
	}
	facts_free(&conform.facts);
	printf("%lu messages, %lu facts, %lu walks\n", conform.messages,
	    conform.facts_told, conform.walks);
	return conform.messages > 0 && missing(&conform) == 0 ? EXIT_SUCCESS
							      : EXIT_FAILURE;
}

static void
walk(struct conform *conform, unsigned count, bool skip)
{
	const struct facts_frame *frame = &conform->lines.frame;
	enum lp_walk_result result =
	    facts_walk(&conform->facts, frame, conform->cuts, count, skip);

	conform->walks++;
	if (result == LP_WALK_DONE &&
	    strcmp(conform->facts.text, conform->lines.facts) == 0)
		return;
	fprintf(stderr, "%s %d %s, %u bytes, cut",
	    lp_kafka_api_name(frame->key), frame->version,
	    frame->response ? "response" : "request", frame->len);
	for (unsigned i = 0; i < count; i++)
		fprintf(stderr, " %u", conform->cuts[i]);
	fprintf(stderr, "%s\n", skip ? ", with skips" : "");
	for (uint32_t i = 0; i < frame->len; i++)
		fprintf(stderr, "%02x", frame->bytes[i]);
	errx(1, "\nexpected %s\nnot      %s", conform->lines.facts,
	    conform->facts.text);
}

static void
check(struct conform *conform)
{
	uint32_t len = conform->lines.frame.len;

	walk(conform, 0, false);
	conform->facts_told += conform->facts.count;
	walk(conform, 0, true);
	for (uint32_t i = 1; len <= SMALL && i < len; i++) {
		conform->cuts[0] = i;
		walk(conform, 1, i % 2 == 0);
	}
	for (uint32_t i = 0; i < len; i++)
		conform->cuts[i] = i;
	walk(conform, len, false);
	walk(conform, len, true);
	for (unsigned i = 0; i < RANDOM; i++) {
		uint32_t most = 1 + fuzz_draw(&conform->random) % len;
		unsigned count = 0;

		for (uint32_t at = 0; at < len; count++) {
			conform->cuts[count] = at;
			at += 1 + fuzz_draw(&conform->random) % most;
		}
		walk(conform, count, i % 2 == 0);
	}
}

/* Whatever the tables know must have come. */
static unsigned
missing(const struct conform *conform)
{
	struct lp_kafka_api api;
	unsigned count = 0;

	for (int16_t key = 0; key < lp_kafka_api_count(); key++) {
		if (!lp_kafka_api(key, &api))
			continue;
		for (int16_t v = api.first; v <= api.last; v++) {
			if (conform->known[key][0] & 1u << v &&
			    conform->known[key][1] & 1u << v)
				continue;
			warnx("%s version %d did not come", api.name, v);
			count++;
		}
	}
	return count;
}
