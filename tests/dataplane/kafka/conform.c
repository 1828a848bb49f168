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

enum {
	SMALL = 200, /* bytes of a frame that is cut at each of them */
	RANDOM = 8, /* other ways to cut each frame */
	FRAME_MAX = 1 << 20,
};

struct conform {
	struct facts_frame frame;
	const char *expected;
	struct facts facts;
	uint64_t random;
	uint8_t bytes[FRAME_MAX];
	uint32_t cuts[FRAME_MAX];
	unsigned long messages;
	unsigned long walks;
	unsigned long facts_told;
	unsigned known[INT8_MAX + 1][2]; /* versions seen, as bits */
};

static void parse(struct conform *conform, char *line);
static void check(struct conform *conform);
static unsigned missing(const struct conform *conform);

int
main(void)
{
	static struct conform conform;
	size_t size = 0;
	char *line = NULL;

	conform.random = fuzz_random(1);
	while (getline(&line, &size, stdin) > 0) {
		parse(&conform, line);
		check(&conform);
	}
	free(line);
	facts_free(&conform.facts);
	printf("%lu messages, %lu facts, %lu walks\n", conform.messages,
	    conform.facts_told, conform.walks);
	return conform.messages > 0 && missing(&conform) == 0 ? EXIT_SUCCESS
							      : EXIT_FAILURE;
}

static void
parse(struct conform *conform, char *line)
{
	struct facts_frame *frame = &conform->frame;
	char *key = strsep(&line, " "), *version = strsep(&line, " ");
	char *what = strsep(&line, " "), *hex = strsep(&line, " ");

	if (line == NULL || strlen(hex) / 2 > FRAME_MAX)
		errx(1, "no line of Conform.java");
	line[strcspn(line, "\n")] = '\0';
	conform->expected = line;
	frame->key = (int16_t)atoi(key);
	frame->version = (int16_t)atoi(version);
	frame->response = strcmp(what, "response") == 0;
	frame->bytes = conform->bytes;
	frame->len = (uint32_t)strlen(hex) / 2;
	for (uint32_t i = 0; i < frame->len; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			errx(1, "%s: no bytes", hex + 2 * i);
		conform->bytes[i] = (uint8_t)byte;
	}
	if (!lp_walk_knows(frame->key, frame->version))
		errx(1, "%s version %d is not in the tables", key,
		    frame->version);
	conform->known[frame->key][frame->response] |= 1u << frame->version;
	conform->messages++;
}

static void
walk(struct conform *conform, unsigned count, bool skip)
{
	const struct facts_frame *frame = &conform->frame;
	enum lp_walk_result result =
	    facts_walk(&conform->facts, frame, conform->cuts, count, skip);

	conform->walks++;
	if (result == LP_WALK_DONE &&
	    strcmp(conform->facts.text, conform->expected) == 0)
		return;
	fprintf(stderr, "%s %d %s, %u bytes, cut",
	    lp_kafka_api_name(frame->key), frame->version,
	    frame->response ? "response" : "request", frame->len);
	for (unsigned i = 0; i < count; i++)
		fprintf(stderr, " %u", conform->cuts[i]);
	fprintf(stderr, "%s\n", skip ? ", with skips" : "");
	for (uint32_t i = 0; i < frame->len; i++)
		fprintf(stderr, "%02x", frame->bytes[i]);
	errx(1, "\nexpected %s\nnot      %s", conform->expected,
	    conform->facts.text);
}

static void
check(struct conform *conform)
{
	uint32_t len = conform->frame.len;

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
