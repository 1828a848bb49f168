/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of Kafka that asks for Metadata again and again, on so many
 * connections, one request in flight on each: the time from a request to the
 * last byte of its answer (samples.h).  The last lines are the size of an
 * answer and the number of all answers, those of the warm-up too: "bytes" or
 * "answers", that, number of samples.
 *
 * It asks for the topic that is named by its number of partitions, and ends
 * with an error unless each answer has those partitions, and has broker 1 at
 * TOLD, HOST:PORT.
 */
#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"
#include "samples.h"

enum {
	ADDRESS_ARG = 1,
	PORT_ARG,
	TOLD_ARG,
	VERSION_ARG,
	PARTITIONS_ARG,
	CONNECTIONS_ARG,
	MS_ARG,
	ARGS,

	KEY = 3,
	VERSION_MIN = 4,
	FLEXIBLE = 9, /* from this version on */
	VERSION_MAX = 12,
	NODE = 1,
	CONNECTIONS_MAX = 64,
	WARM_UP = 200, /* rounds of all connections */
	SAMPLES_MAX = 4 * 1000 * 1000,
	REQUEST_MAX = 256,
	SIZE_LEN = 4,
	ID_AT = 8, /* the correlation id in a request */
	ANSWER_MAX = 1 << 20,
};

struct asker {
	int fd;
	uint32_t id; /* of the request in flight */
	uint64_t begin_ns;
	uint32_t got; /* bytes of the answer */
	uint8_t answer[ANSWER_MAX];
};

struct bench {
	int version;
	const char *topic;
	const char *told;
	unsigned count;
	struct asker *askers;
	struct pollfd polled[CONNECTIONS_MAX];
	uint32_t request_len;
	uint8_t request[REQUEST_MAX];
	uint32_t bytes; /* of each answer */
	uint64_t *samples;
	unsigned long sample_count;
};

/* What is left of an answer. */
struct reader {
	const uint8_t *at, *end;
	int version;
};

static unsigned number(char *argv[], int arg, unsigned min, unsigned max);
static void open_all(struct bench *bench, char *argv[]);
static void warm_up(struct bench *bench);
static void measure(struct bench *bench, uint64_t end_ns);
static void make_request(struct bench *bench);
static void put(struct bench *bench, uint64_t value, unsigned width);
static void put_text(struct bench *bench, const char *text, unsigned width);
static void ask(struct bench *bench, struct asker *asker);
static bool receive(struct bench *bench, struct asker *asker);
static void check(struct bench *bench, const struct asker *asker);
static void check_brokers(struct reader *reader, const char *told);
static void check_topic(struct reader *reader, const char *partitions);
static const uint8_t *take(struct reader *reader, uint64_t len);
static uint32_t take32(struct reader *reader);
static uint64_t take_count(struct reader *reader);
static void take_text(struct reader *reader, char *text, size_t size);
static void take_tags(struct reader *reader);

int
main(int argc, char **argv)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	unsigned ms;

	if (argc != ARGS)
		errx(2,
		    "usage: bench_ask ADDRESS PORT TOLD VERSION PARTITIONS"
		    " CONNECTIONS MILLISECONDS");
	if (bench == NULL)
		err(1, "bench");
	bench->version =
	    (int)number(argv, VERSION_ARG, VERSION_MIN, VERSION_MAX);
	bench->count = number(argv, CONNECTIONS_ARG, 1, CONNECTIONS_MAX);
	ms = number(argv, MS_ARG, 1, 60 * 1000);
	bench->topic = argv[PARTITIONS_ARG];
	bench->told = argv[TOLD_ARG];
	bench->askers = calloc(bench->count, sizeof(*bench->askers));
	bench->samples = calloc(SAMPLES_MAX, sizeof(*bench->samples));
	if (bench->askers == NULL || bench->samples == NULL)
		err(1, "bench");
	make_request(bench);
	open_all(bench, argv);
	warm_up(bench);
	measure(bench, peer_now_ns() + ms * UINT64_C(1000000));
	samples_print(bench->samples, bench->sample_count);
	printf("bytes\t%" PRIu32 "\t%lu\nanswers\t%lu\t%lu\n", bench->bytes,
	    bench->sample_count,
	    bench->sample_count + (unsigned long)WARM_UP * bench->count,
	    bench->sample_count);
	free(bench->samples);
	free(bench->askers);
	free(bench);
	return 0;
}

static unsigned
number(char *argv[], int arg, unsigned min, unsigned max)
{
	char *end;
	unsigned long value = strtoul(argv[arg], &end, 10);

	if (*end != 0 || value < min || value > max)
		errx(2, "%s: %u to %u", argv[arg], min, max);
	return (unsigned)value;
}

static void
open_all(struct bench *bench, char *argv[])
{
	for (unsigned i = 0; i < bench->count; i++) {
		bench->askers[i].fd =
		    peer_connect(argv[ADDRESS_ARG], argv[PORT_ARG]);
		bench->polled[i] = (struct pollfd){
		    .fd = bench->askers[i].fd, .events = POLLIN};
	}
}

/* The congestion window grows, and the broker compiles what it runs. */
static void
warm_up(struct bench *bench)
{
	for (unsigned round = 0; round < WARM_UP; round++) {
		for (unsigned i = 0; i < bench->count; i++)
			ask(bench, &bench->askers[i]);
		for (unsigned i = 0; i < bench->count; i++)
			while (!receive(bench, &bench->askers[i]))
				continue;
	}
	bench->sample_count = 0;
}

/* Until then, and until all are answered. */
static void
measure(struct bench *bench, uint64_t end_ns)
{
	unsigned open = bench->count;

	for (unsigned i = 0; i < bench->count; i++)
		ask(bench, &bench->askers[i]);
	while (open > 0) {
		int ready =
		    poll(bench->polled, bench->count, PEER_TIMEOUT_S * 1000);

		if (ready < 0)
			err(1, "poll");
		if (ready == 0)
			errx(1, "no answer");
		for (unsigned i = 0; i < bench->count; i++) {
			struct asker *asker = &bench->askers[i];

			if (bench->polled[i].revents == 0 ||
			    !receive(bench, asker))
				continue;
			if (bench->sample_count < SAMPLES_MAX &&
			    asker->begin_ns < end_ns) {
				ask(bench, asker);
				continue;
			}
			bench->polled[i].fd = -1;
			open--;
		}
	}
}

/* ---- requests ------------------------------------------------------------ */

static void
make_request(struct bench *bench)
{
	bool flexible = bench->version >= FLEXIBLE;
	uint32_t len;

	put(bench, 0, SIZE_LEN);
	put(bench, KEY, 2);
	put(bench, (uint64_t)bench->version, 2);
	put(bench, 0, 4);
	put_text(bench, "bench", 2);
	if (flexible)
		put(bench, 0, 1);
	put(bench, flexible ? 2 : 1, flexible ? 1 : 4); /* one topic */
	for (unsigned i = 0; i < 2 && bench->version >= 10; i++)
		put(bench, 0, 8); /* its id: none */
	put_text(bench, bench->topic, flexible ? 1 : 2);
	if (flexible)
		put(bench, 0, 1);
	put(bench, 0, 1); /* it is not to be made */
	/* What may be done to the cluster, to topics. */
	if (bench->version >= 8 && bench->version <= 10)
		put(bench, 0, 1);
	if (bench->version >= 8)
		put(bench, 0, 1);
	if (flexible)
		put(bench, 0, 1);
	len = bench->request_len;
	bench->request_len = 0;
	put(bench, len - SIZE_LEN, SIZE_LEN);
	bench->request_len = len;
}

static void
put(struct bench *bench, uint64_t value, unsigned width)
{
	if (bench->request_len + width > REQUEST_MAX)
		errx(2, "the request is too long");
	while (width-- > 0)
		bench->request[bench->request_len++] =
		    (uint8_t)(value >> (8 * width));
}

/* A length of one byte is a compact one. */
static void
put_text(struct bench *bench, const char *text, unsigned width)
{
	size_t len = strlen(text);

	put(bench, len + (width == 1), width);
	for (size_t i = 0; i < len; i++)
		put(bench, (uint8_t)text[i], 1);
}

static void
ask(struct bench *bench, struct asker *asker)
{
	uint32_t len = bench->request_len, at = bench->request_len;

	asker->id++;
	bench->request_len = ID_AT;
	put(bench, asker->id, 4);
	bench->request_len = at;
	asker->got = 0;
	asker->begin_ns = peer_now_ns();
	if (send(asker->fd, bench->request, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(1, "send");
}

/* ---- answers ------------------------------------------------------------- */

/* What is there of it, or some more: true when it is whole. */
static bool
receive(struct bench *bench, struct asker *asker)
{
	ssize_t len = recv(asker->fd, asker->answer + asker->got,
	    sizeof(asker->answer) - asker->got, 0);
	uint64_t now = peer_now_ns();
	struct reader reader = {
	    .at = asker->answer, .end = asker->answer + SIZE_LEN};
	uint32_t size;

	if (len < 0)
		err(1, "no answer");
	if (len == 0)
		errx(1, "the connection was closed");
	asker->got += (uint32_t)len;
	if (asker->got < SIZE_LEN)
		return false;
	size = take32(&reader);
	if (size > sizeof(asker->answer) - SIZE_LEN)
		errx(1, "an answer of %" PRIu32 " bytes", size);
	if (asker->got < SIZE_LEN + size)
		return false;
	if (asker->got > SIZE_LEN + size)
		errx(1, "more than an answer");
	check(bench, asker);
	if (bench->sample_count < SAMPLES_MAX)
		bench->samples[bench->sample_count++] = now - asker->begin_ns;
	return true;
}

static void
check(struct bench *bench, const struct asker *asker)
{
	struct reader reader = {.at = asker->answer + SIZE_LEN,
	    .end = asker->answer + asker->got,
	    .version = bench->version};

	if (take32(&reader) != asker->id)
		errx(1, "an answer to another request");
	take_tags(&reader);
	take32(&reader); /* throttle time */
	check_brokers(&reader, bench->told);
	check_topic(&reader, bench->topic);
	bench->bytes = asker->got;
}

static void
check_brokers(struct reader *reader, const char *told)
{
	uint64_t count = take_count(reader);
	char host[128], where[160];
	bool found = false;

	for (; count > 0; count--) {
		uint32_t node = take32(reader);

		take_text(reader, host, sizeof(host));
		snprintf(
		    where, sizeof(where), "%s:%" PRIu32, host, take32(reader));
		take_text(reader, host, sizeof(host)); /* rack */
		take_tags(reader);
		if (node != NODE)
			continue;
		if (strcmp(where, told) != 0)
			errx(1, "broker %d is at %s, not at %s", NODE, where,
			    told);
		found = true;
	}
	if (!found)
		errx(1, "no broker %d", NODE);
}

static void
check_topic(struct reader *reader, const char *partitions)
{
	const uint8_t *error;
	char text[128];

	take_text(reader, text, sizeof(text)); /* the cluster's id */
	take32(reader); /* its controller */
	if (take_count(reader) != 1)
		errx(1, "not one topic");
	error = take(reader, 2);
	take_text(reader, text, sizeof(text));
	if (error[0] != 0 || error[1] != 0)
		errx(1, "topic %s: error %d", text, error[0] << 8 | error[1]);
	if (reader->version >= 10)
		take(reader, 16);
	take(reader, 1); /* internal */
	if (take_count(reader) != strtoul(partitions, NULL, 10))
		errx(1, "topic %s has not so many partitions", text);
}

static const uint8_t *
take(struct reader *reader, uint64_t len)
{
	const uint8_t *bytes = reader->at;

	if ((uint64_t)(reader->end - reader->at) < len)
		errx(1, "an answer is too short");
	reader->at += len;
	return bytes;
}

static uint32_t
take32(struct reader *reader)
{
	const uint8_t *bytes = take(reader, 4);

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	    (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Of an array. */
static uint64_t
take_count(struct reader *reader)
{
	uint64_t value = 0;
	uint8_t byte = 0x80;

	if (reader->version < FLEXIBLE)
		return take32(reader);
	for (unsigned shift = 0; byte & 0x80 && shift < 35; shift += 7) {
		byte = *take(reader, 1);
		value |= (uint64_t)(byte & 0x7f) << shift;
	}
	return value - 1;
}

/* None is empty. */
static void
take_text(struct reader *reader, char *text, size_t size)
{
	uint64_t len;
	const uint8_t *bytes;

	if (reader->version < FLEXIBLE) {
		bytes = take(reader, 2);
		len = (uint64_t)bytes[0] << 8 | bytes[1];
		if (len == 0xffff)
			len = 0;
	} else {
		len = take_count(reader);
		if (len == UINT64_MAX)
			len = 0;
	}
	if (len >= size)
		errx(1, "a name of %" PRIu64 " bytes", len);
	memcpy(text, take(reader, len), len);
	text[len] = 0;
}

static void
take_tags(struct reader *reader)
{
	if (reader->version >= FLEXIBLE && *take(reader, 1) != 0)
		errx(1, "tags in an answer");
}
