/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An lp-controld for "lpctl top": top_daemon SOCKET [EXTRA]
 *
 * Whoever asks for Kafka's counters is told of the second after the one that
 * was told before (see support_top.h), however fast the questions come: what
 * is shown depends on no clock.  EXTRA: how many more clients there are.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/frame.h"
#include "proto/message.h"
#include "tests/cli/support_top.h"

static int listener;
static unsigned extra; /* clients */

/* Its name appears when it listens, not before. */
static int
listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    snprintf(address.sun_path, sizeof(address.sun_path), "%s.new",
		path) >= (int)sizeof(address.sun_path))
		return -1;
	(void)unlink(address.sun_path);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 8) != 0 || rename(address.sun_path, path) != 0)
		return -1;
	return fd;
}

/* The request of a connection; NULL if it went away before. */
static Lp__Pb__ControlRequest *
receive(int fd)
{
	static uint8_t data[LP_FRAME_SIZE_MAX];
	const uint8_t *payload = NULL;
	size_t payload_len = 0;
	size_t len = 0;

	while (lp_frame_next(data, len, &payload, &payload_len) != LP_OK) {
		ssize_t n = recv(fd, data + len, sizeof(data) - len, 0);

		if (n <= 0)
			return NULL;
		len += (size_t)n;
	}
	return lp_message_unpack_request(payload, payload_len);
}

static void
answer(int fd, uint64_t *round)
{
	static struct support_bytes bytes;
	Lp__Pb__ControlRequest *request = receive(fd);

	if (request == NULL)
		return;
	bytes.len = 0;
	switch (request->body_case) {
	case LP__PB__CONTROL_REQUEST__BODY_KAFKA:
		support_top_kafka(&bytes, "edge-1", ++*round, extra, false);
		break;
	case LP__PB__CONTROL_REQUEST__BODY_COUNTERS:
		support_reply_stats(&bytes, 0);
		break;
	case LP__PB__CONTROL_REQUEST__BODY_STATUS:
		support_reply_status(&bytes);
		break;
	default:
		support_reply_failure(&bytes, LP__PB__FAILURE__RESULT__REFUSED,
		    0, NULL, NULL, "this is not asked by top");
	}
	for (size_t at = 0; at < bytes.len;) {
		ssize_t n =
		    send(fd, bytes.data + at, bytes.len - at, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	lp__pb__control_request__free_unpacked(request, NULL);
}

/* The answers are made with ck_assert(), which works in a test only. */
START_TEST(serve)
{
	uint64_t round = 0;

	/* Check's own handler would take the process group along. */
	(void)signal(SIGTERM, SIG_DFL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		answer(fd, &round);
		(void)close(fd);
	}
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("top_daemon");
	TCase *tcase = tcase_create("top_daemon");
	SRunner *runner = srunner_create(suite);

	extra = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	listener = argc > 1 ? listen_at(argv[1]) : -1;
	if (listener < 0) {
		perror("top_daemon");
		return EXIT_FAILURE;
	}
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, serve);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	return EXIT_FAILURE; /* it serves until it is killed */
}
