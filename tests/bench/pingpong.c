/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request of 64 bytes and an answer of 64 bytes, again and again on one
 * connection: the time of each round trip (samples.h).
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"
#include "samples.h"

enum {
	MESSAGE_SIZE = 64,
	WARM_UP = 1000,
	SAMPLES_MAX = 100 * 1000 * 1000,
};

static void serve(const char *port);
static void measure(int fd, uint64_t samples[], unsigned long count);
static uint64_t round_trip(int fd);

int
main(int argc, char **argv)
{
	unsigned long count;
	uint64_t *samples;

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc != 4)
		errx(2,
		    "usage: bench_pingpong serve PORT |"
		    " bench_pingpong ADDRESS PORT SAMPLES");
	count = strtoul(argv[3], NULL, 10);
	if (count == 0 || count > SAMPLES_MAX)
		errx(2, "samples %s: 1 to %d", argv[3], SAMPLES_MAX);
	samples = calloc(count, sizeof(samples[0]));
	if (samples == NULL)
		err(1, "%lu samples", count);
	measure(peer_connect(argv[1], argv[2]), samples, count);
	samples_print(samples, count);
	free(samples);
	return 0;
}

/* One client after the other, until a signal comes. */
static void
serve(const char *port)
{
	int listener = peer_listen(port);

	for (;;) {
		char buf[4096];
		int fd = peer_accept(listener);
		ssize_t len;

		while ((len = recv(fd, buf, sizeof(buf), 0)) > 0) {
			if (send(fd, buf, (size_t)len, MSG_NOSIGNAL) != len)
				break;
		}
		close(fd);
	}
}

static void
measure(int fd, uint64_t samples[], unsigned long count)
{
	for (unsigned long i = 0; i < WARM_UP; i++)
		round_trip(fd);
	for (unsigned long i = 0; i < count; i++)
		samples[i] = round_trip(fd);
	close(fd);
}

static uint64_t
round_trip(int fd)
{
	static const char message[MESSAGE_SIZE];
	char answer[MESSAGE_SIZE];
	uint64_t begin = peer_now_ns();

	if (send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
		err(1, "send");
	switch (recv(fd, answer, sizeof(answer), MSG_WAITALL)) {
	case sizeof(answer):
		return peer_now_ns() - begin;
	case -1:
		err(1, "no answer");
	default:
		errx(1, "the server closed the connection");
	}
}
