/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One corpus of frames through a pipeline on every back end of this build:
 * what they did must be the same, byte for byte and reason for reason.
 *
 * Every back end runs in a process of its own, with the same configuration,
 * seeds and clock, and writes down line by line what became of each frame:
 *
 *	number, port, the frame | what time brought | reasons and frames out |
 *	a digest of all connections | its fate
 *
 * The fate says whether the port has left the frame to the host's kernel
 * (AF_XDP).  Memory ports then run with that in hand: such a frame is given
 * to a copy of their process only, where it must be dropped, or learnt from,
 * without an answer and without a change to any connection.
 *
 * Everything follows from one number, which is printed: FUZZ_SEED repeats a
 * run, FUZZ_RUNS lengthens it.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/corpus.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/veth.h"

enum {
	RUNS = 4000,
	CONNECTIONS = LP_CONNECTIONS_MIN,
};

enum fate {
	TAKEN = '.',
	LEFT = 'P', /* passed to the kernel, and none of it to us */
};

/* What the process on that back end wrote. */
struct transcript {
	unsigned backend;
	char **lines;
	unsigned count;
};

static uint64_t reasons[LP_REASON_COUNT], verdicts[LP_VERDICTS];
/* Of frames that were left to the kernel: why memory ports drop them. */
static unsigned left[LP_REASON_COUNT];

static uint64_t
digest(void)
{
	return XXH3_64bits(plane.region.connections,
	    plane.region.header->connection_count *
		sizeof(plane.region.connections[0]));
}

/* A connection's SYN towards its broker says which port it was given. */
static void
note_source_port(void)
{
	char flags[16];

	if (sscanf(plane.text, "tcp %*s > %*s %15s", flags) == 1 &&
	    strcmp(flags, "S") == 0)
		plane.nat = plane_source_port(plane.text);
}

/* " reason", " =verdict" for each packet, and " port:hex" for each frame. */
static void
write_events(FILE *to)
{
	const struct lp_stats *stats = plane.region.stats;

	for (unsigned i = 0; i < LP_REASON_COUNT; i++)
		for (; reasons[i] < plane_reason(i); reasons[i]++)
			fprintf(to, " %s", lp_reason_name(i));
	for (unsigned i = 0; i < LP_VERDICTS; i++)
		for (; verdicts[i] < lp_count_get(&stats->verdicts[i]);
		     verdicts[i]++)
			fprintf(to, " =%s", lp_verdict_name(i));
	for (uint8_t slot = 0; slot < 2; slot++)
		while (plane_take(slot)) {
			fprintf(to, " %u:", slot);
			for (size_t i = 0; i < plane.frame.len; i++)
				fprintf(to, "%02x", plane.frame.bytes[i]);
			note_source_port();
		}
	fputc('\t', to);
}

/*
 * What a copy of this process makes of the frame: its exit status.  Buffers
 * are shared with the copy, but it writes to free ones, and into held packets
 * only a MAC that is written once more when they are sent.
 */
static int
try_frame(const struct corpus_frame *frame, const char *text)
{
	uint64_t before = digest();

	plane_inject(frame->slot, frame->packet.bytes, frame->packet.len);
	plane_run();
	for (uint8_t slot = 0; slot < 2; slot++)
		ensure(!plane_take(slot),
		    "left to the kernel: %s\nbut memory ports send %s", text,
		    plane.text);
	ensure(digest() == before,
	    "left to the kernel: %s\nbut on memory ports it changes a "
	    "connection",
	    text);
	for (int i = 0; i < LP_REASON_COUNT; i++) {
		if (plane_reason(i) == reasons[i])
			continue;
		ensure(plane_may_pass(i),
		    "left to the kernel: %s\nbut memory ports say %s", text,
		    lp_reason_name(i));
		return i;
	}
	ensure_fail("no reason for %s", text);
}

/* Of a frame that the kernel was given instead of us. */
static void
check_left(const struct corpus_frame *frame, const char *text)
{
	int status;
	pid_t pid;

	/* The filter of a device; a memory port has none. */
	if (!(frame->packet.bytes[0] & 1) &&
	    memcmp(frame->packet.bytes, plane.wires[frame->slot]->mac, 6) != 0)
		return;
	pid = fork();
	ensure(pid >= 0, "no process");
	if (pid == 0)
		_exit(try_frame(frame, text));
	ensure(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		WEXITSTATUS(status) < LP_REASON_COUNT,
	    "what the kernel was given is not the kernel's");
	left[WEXITSTATUS(status)]++;
}

static void
run_frame(
    FILE *to, unsigned number, const struct corpus_frame *frame, enum fate fate)
{
	uint64_t passed, received = 0;
	char text[PACKET_TEXT_SIZE];

	packet_describe(text, frame->packet.bytes, frame->packet.len);
	fprintf(to, "%u: port %u, %s\t", number, frame->slot, text);
	plane.now_ns += frame->wait_ns;
	plane_run();
	write_events(to);
	passed = plane_passed();
	for (unsigned i = 0; i < LP_REASON_COUNT; i++)
		received += reasons[i];
	if (fate == LEFT) {
		check_left(frame, text);
	} else {
		ensure(plane_inject(
			   frame->slot, frame->packet.bytes, frame->packet.len),
		    "no room");
		plane_run();
	}
	write_events(to);
	for (unsigned i = 0; i < LP_REASON_COUNT; i++)
		received -= reasons[i];
	if (received == 0 && plane_passed() > passed)
		fate = LEFT;
	fprintf(to, "%016llx\t%c\n", (unsigned long long)digest(), fate);
}

/* The whole corpus; in a process of its own. */
static void
run_corpus(FILE *to, unsigned long long seed, unsigned runs,
    const struct transcript *fates)
{
	uint64_t random = fuzz_random(seed);
	struct corpus_frame frame;
	enum fate fate = TAKEN;

	plane_open(CONNECTIONS);
	for (unsigned i = 0; i < runs; i++) {
		corpus_next(&random, &frame);
		if (fates) {
			ensure(i < fates->count, "no fate of frame %u", i);
			fate = strrchr(fates->lines[i], '\t')[1];
		}
		run_frame(to, i, &frame, fate);
	}
	plane_close();
	for (unsigned i = 0; i < LP_REASON_COUNT; i++)
		if (left[i] > 0)
			printf("not given to us by %s: %u %s\n",
			    lp_backend_name(fates->backend), left[i],
			    lp_reason_name(i));
}

static void
read_transcript(struct transcript *transcript, FILE *from, unsigned runs)
{
	char *line = NULL;
	size_t size = 0;

	rewind(from);
	transcript->count = 0;
	transcript->lines = calloc(runs + 1, sizeof(char *));
	ensure(transcript->lines != NULL, "no memory");
	while (transcript->count < runs && getline(&line, &size, from) > 0) {
		line[strcspn(line, "\n")] = '\0';
		transcript->lines[transcript->count++] = line;
		line = NULL;
	}
	free(line);
}

static void
free_transcript(struct transcript *transcript)
{
	for (unsigned i = 0; i < transcript->count; i++)
		free(transcript->lines[i]);
	free(transcript->lines);
}

static void
run_backend(struct transcript *transcript, unsigned backend,
    unsigned long long seed, unsigned runs, const struct transcript *fates)
{
	FILE *file = tmpfile();
	int status;
	pid_t pid;

	ensure(file != NULL, "no file for a transcript");
	fflush(stdout);
	pid = fork();
	ensure(pid >= 0, "no process");
	if (pid == 0) {
		setenv("LP_TEST_BACKEND", lp_backend_name(backend), 1);
		run_corpus(file, seed, runs, fates);
		fclose(file);
		exit(EXIT_SUCCESS);
	}
	ensure(waitpid(pid, &status, 0) == pid && status == 0,
	    "the process on %s has failed", lp_backend_name(backend));
	transcript->backend = backend;
	read_transcript(transcript, file, runs);
	fclose(file);
	ensure(transcript->count == runs, "%s: %u lines of %u",
	    lp_backend_name(backend), transcript->count, runs);
}

/* " 0:02000000..." as hex and as text. */
static void
print_frame(const char *event)
{
	char text[PACKET_TEXT_SIZE];
	struct packet packet = {.len = 0};
	unsigned byte;

	for (const char *at = event + 2;
	     packet.len < PACKET_MAX && sscanf(at, "%2x", &byte) == 1; at += 2)
		packet.bytes[packet.len++] = (uint8_t)byte;
	packet_describe(text, packet.bytes, packet.len);
	printf("    out of port %c: %s\n      %s\n", event[0], text, event + 2);
}

static void
print_line(unsigned backend, const char *line)
{
	static const char *const parts[] = {"time brought", "the frame did",
	    "connections, as a digest", "not given to us is P"};
	char *copy = strdup(line), *rest = copy, *part, *event;
	unsigned i = 0;

	printf("  %s:\n", lp_backend_name(backend));
	/* The frame: it is the same. */
	strsep(&rest, "\t");
	while ((part = strsep(&rest, "\t")) != NULL && i < 4) {
		printf("   %s:\n", parts[i++]);
		while ((event = strsep(&part, " ")) != NULL) {
			if (event[0] != '\0' && event[1] == ':')
				print_frame(event);
			else if (event[0] != '\0')
				printf("    %s\n", event);
		}
	}
	free(copy);
}

static bool
compare(const struct transcript *one, const struct transcript *memory)
{
	unsigned i = 0;

	while (i < one->count && strcmp(one->lines[i], memory->lines[i]) == 0)
		i++;
	if (i == one->count)
		return true;
	printf("%s and memory differ at frame %.*s\n",
	    lp_backend_name(one->backend), (int)strcspn(one->lines[i], "\t"),
	    one->lines[i]);
	print_line(one->backend, one->lines[i]);
	print_line(memory->backend, memory->lines[i]);
	return false;
}

int
main(void)
{
	unsigned long long seed =
	    fuzz_setting("FUZZ_SEED", (unsigned long long)time(NULL));
	unsigned runs = (unsigned)fuzz_setting("FUZZ_RUNS", RUNS);
	bool same = true;

	printf("FUZZ_SEED=%llu\n", seed);
	for (unsigned backend = 1; lp_backend_name(backend); backend++) {
		struct transcript one, memory;

		if (!lp_port_backend(backend))
			continue;
		if (backend != LP_BACKEND_MEMORY && !veth_enter()) {
			printf("skipped: needs a network namespace (root)\n");
			return VETH_SKIPPED;
		}
		run_backend(&one, backend, seed, runs, NULL);
		run_backend(&memory, LP_BACKEND_MEMORY, seed, runs, &one);
		same = compare(&one, &memory) && same;
		free_transcript(&one);
		free_transcript(&memory);
	}
	return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
