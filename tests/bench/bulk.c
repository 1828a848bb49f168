/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As many bytes as go through one connection in a number of seconds.
 *
 * The receiver answers with how many it got once the sender has finished: the
 * clock stops then, so what is still on its way is not counted as delivered
 * before it is.  The line is: bits per second, bytes.
 */
#include "peer.h"

#include <endian.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CHUNK = 128 * 1024,
	SECONDS_MAX = 60,
};

static void serve(const char *port);
static uint64_t send_for(int fd, uint64_t duration_ns);
static void check_received(int fd, uint64_t sent);

int
main(int argc, char **argv)
{
	uint64_t seconds, begin_ns, bytes, took_ns;
	int fd;

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc != 4)
		errx(2,
		    "usage: bench_bulk serve PORT |"
		    " bench_bulk ADDRESS PORT SECONDS");
	seconds = strtoul(argv[3], NULL, 10);
	if (seconds == 0 || seconds > SECONDS_MAX)
		errx(2, "seconds %s: 1 to %d", argv[3], SECONDS_MAX);
	fd = peer_connect(argv[1], argv[2]);
	begin_ns = peer_now_ns();
	bytes = send_for(fd, seconds * 1000000000u);
	check_received(fd, bytes);
	took_ns = peer_now_ns() - begin_ns;
	printf("%.0f\t%" PRIu64 "\n", (double)bytes * 8e9 / (double)took_ns,
	    bytes);
	return 0;
}

/* One client after the other, until a signal comes. */
static void
serve(const char *port)
{
	int listener = peer_listen(port);
	char *buf = malloc(CHUNK);

	if (buf == NULL)
		err(1, "buffer");
	for (;;) {
		int fd = peer_accept(listener);
		uint64_t total = 0;
		ssize_t len;

		while ((len = recv(fd, buf, CHUNK, 0)) > 0)
			total += (uint64_t)len;
		total = htobe64(total);
		if (len < 0 ||
		    send(fd, &total, sizeof(total), MSG_NOSIGNAL) < 0)
			warn("client");
		close(fd);
	}
}

static uint64_t
send_for(int fd, uint64_t duration_ns)
{
	uint64_t end_ns = peer_now_ns() + duration_ns;
	char *buf = calloc(1, CHUNK);
	uint64_t total = 0;

	if (buf == NULL)
		err(1, "buffer");
	while (peer_now_ns() < end_ns) {
		ssize_t len = send(fd, buf, CHUNK, MSG_NOSIGNAL);

		if (len < 0)
			err(1, "send");
		total += (uint64_t)len;
	}
	free(buf);
	return total;
}

static void
check_received(int fd, uint64_t sent)
{
	uint64_t received;

	if (shutdown(fd, SHUT_WR) != 0)
		err(1, "shutdown");
	if (recv(fd, &received, sizeof(received), MSG_WAITALL) !=
	    sizeof(received))
		err(1, "no answer");
	received = be64toh(received);
	if (received != sent)
		errx(1, "%" PRIu64 " bytes sent, %" PRIu64 " received", sent,
		    received);
	close(fd);
}
