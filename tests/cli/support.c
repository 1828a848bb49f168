/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cli/support.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/line.h"
#include "proto/frame.h"
#include "proto/message.h"

void
support_output_open(struct support_output *output)
{
	output->text = NULL;
	output->file = open_memstream(&output->text, &output->len);
	ck_assert_ptr_nonnull(output->file);
}

const char *
support_output_text(struct support_output *output)
{
	ck_assert_int_eq(fflush(output->file), 0);
	return output->text;
}

void
support_output_close(struct support_output *output)
{
	(void)fclose(output->file);
	free(output->text);
}

/* Names under .test resolve to 192.0.2.7, no other does. */
static int
resolve(struct lp_ip *ip, const char *host, char *why)
{
	static const uint8_t v4[4] = {192, 0, 2, 7};
	size_t len = strlen(host);

	if (len < 5 || strcmp(host + len - 5, ".test") != 0) {
		(void)snprintf(why, LP_WHY_SIZE, "cannot resolve \"%s\"", host);
		return -EINVAL;
	}
	lp_ip_from_v4(ip, v4);
	return 0;
}

void
support_lpctl(struct lp_lpctl *lpctl, const char *socket,
    struct support_output *out, struct support_output *err)
{
	*lpctl = (struct lp_lpctl){
	    .socket = socket,
	    .output = &lp_output_text,
	    .print = {.out = out->file, .now_ns = SUPPORT_NOW_NS},
	    .err = err != NULL ? err->file : stderr,
	    .timeout_s = LP_TIMEOUT_S_DEFAULT,
	    .resolve = resolve,
	};
}

void
support_argv(struct support_argv *words, const char *line)
{
	char *out = words->buf;
	bool quoted = false;

	ck_assert_uint_lt(strlen(line), sizeof(words->buf));
	words->argc = 0;
	words->argv[words->argc++] = "lpctl";
	for (const char *at = line + strspn(line, " "); *at != '\0';
	     at += strspn(at, " ")) {
		ck_assert_int_lt(words->argc, 255);
		words->argv[words->argc++] = out;
		for (; *at != '\0' && (quoted || *at != ' '); at++) {
			if (*at == '\'')
				quoted = !quoted;
			else
				*out++ = *at;
		}
		*out++ = '\0';
	}
	words->argv[words->argc] = NULL;
}

void
support_bytes_add(
    struct support_bytes *bytes, const Lp__Pb__ControlReply *reply)
{
	uint8_t *frame = NULL;
	size_t len = 0;

	ck_assert_int_eq(lp_message_frame(&frame, &len, &reply->base), 0);
	ck_assert_uint_le(bytes->len + len, sizeof(bytes->data));
	memcpy(bytes->data + bytes->len, frame, len);
	bytes->len += len;
	free(frame);
}

void
support_replies(struct lp_replies *replies, const struct support_bytes *bytes)
{
	const uint8_t *payload = NULL;
	size_t payload_len = 0;
	size_t at = 0;

	replies->count = 0;
	replies->list = calloc(16, sizeof(Lp__Pb__ControlReply *));
	ck_assert_ptr_nonnull(replies->list);
	while (at < bytes->len) {
		ck_assert_int_eq(lp_frame_next(bytes->data + at,
				     bytes->len - at, &payload, &payload_len),
		    LP_OK);
		ck_assert_uint_lt(replies->count, 16);
		replies->list[replies->count++] =
		    lp_message_unpack_reply(payload, payload_len);
		ck_assert_ptr_nonnull(replies->list[replies->count - 1]);
		at = (size_t)(payload - bytes->data) + payload_len;
	}
}

static int
answer(int listener, const struct support_bytes *bytes)
{
	static uint8_t request[LP_FRAME_SIZE_MAX];
	const uint8_t *payload = NULL;
	size_t payload_len = 0;
	size_t len = 0;
	int fd = accept(listener, NULL, NULL);

	while (lp_frame_next(request, len, &payload, &payload_len) != LP_OK) {
		ssize_t n = recv(fd, request + len, sizeof(request) - len, 0);

		if (n <= 0)
			_exit(EXIT_FAILURE);
		len += (size_t)n;
	}
	for (size_t at = 0; bytes != NULL && at < bytes->len;) {
		ssize_t n =
		    send(fd, bytes->data + at, bytes->len - at, MSG_NOSIGNAL);

		if (n <= 0)
			_exit(EXIT_FAILURE);
		at += (size_t)n;
	}
	return fd;
}

static void
serve(int listener, const struct support_bytes *bytes, size_t count,
    enum support_end end)
{
	for (size_t i = 0; end != SUPPORT_DEAF && i < count; i++) {
		int fd = answer(listener, bytes == NULL ? NULL : &bytes[i]);

		if (i + 1 < count)
			(void)close(fd);
	}
	while (end != SUPPORT_CLOSE)
		(void)pause();
	_exit(EXIT_SUCCESS);
}

void
support_daemon_start(struct support_daemon *daemon,
    const struct support_bytes *bytes, enum support_end end)
{
	support_daemon_start_many(daemon, bytes, 1, end);
}

void
support_daemon_start_many(struct support_daemon *daemon,
    const struct support_bytes *bytes, size_t count, enum support_end end)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(daemon->dir, "/tmp/lpctl-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(daemon->dir));
	(void)snprintf(
	    daemon->path, sizeof(daemon->path), "%s/sock", daemon->dir);
	strcpy(address.sun_path, daemon->path);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(
	    bind(listener, (const struct sockaddr *)&address, sizeof(address)),
	    0);
	ck_assert_int_eq(listen(listener, 1), 0);
	daemon->pid = fork();
	ck_assert_int_ge(daemon->pid, 0);
	if (daemon->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener, bytes, count, end);
	}
	(void)close(listener);
}

void
support_daemon_stop(struct support_daemon *daemon)
{
	(void)kill(daemon->pid, SIGKILL);
	(void)waitpid(daemon->pid, NULL, 0);
	(void)unlink(daemon->path);
	(void)rmdir(daemon->dir);
}

void
support_golden(const char *name, const char *ending, const char *text)
{
	const char *mode = getenv("LP_GOLDEN");
	static char golden[SUPPORT_BYTES_MAX];
	char path[512];
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s.%s", GOLDEN, name, ending);
	if (mode != NULL && strcmp(mode, "write") == 0) {
		file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		(void)fputs(text, file);
		ck_assert_int_eq(fclose(file), 0);
		return;
	}
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s is missing", path);
	len = fread(golden, 1, sizeof(golden) - 1, file);
	golden[len] = '\0';
	(void)fclose(file);
	ck_assert_msg(strcmp(golden, text) == 0,
	    "%s differs:\n--- golden\n%s--- now\n%s", path, golden, text);
}

int
support_run(const char *text, const struct support_bytes *answers, size_t count,
    struct support_output *out, struct support_output *err,
    struct lp_error *error)
{
	struct support_daemon daemon;
	struct support_argv words;
	struct lp_lpctl lpctl;
	struct lp_line line;
	int status;

	support_daemon_start_many(&daemon, answers, count, SUPPORT_HANG);
	support_lpctl(&lpctl, daemon.path, out, err);
	support_argv(&words, text);
	status = lp_line_parse(&line, &lpctl, words.argc, words.argv, error);
	if (status == LP_EXIT_OK)
		status = line.commands[0].command->run(
		    &lpctl, &line.commands[0], error);
	lp_line_fini(&line);
	support_daemon_stop(&daemon);
	return status;
}

void
support_misuse(const char *line, const char *says)
{
	struct support_output out, err;
	struct lp_error error = {0};

	support_output_open(&out);
	support_output_open(&err);
	ck_assert_int_eq(
	    support_run(line, NULL, 0, &out, &err, &error), LP_EXIT_USAGE);
	ck_assert_msg(
	    strstr(error.text, says) != NULL, "%s: %s", line, error.text);
	support_output_close(&out);
	support_output_close(&err);
}

void
support_page(const struct support_bytes *bytes, const char *name,
    const char *line, const char *ending)
{
	struct support_output out;
	struct lp_error error;
	char text[256];

	(void)snprintf(text, sizeof(text), "%s%s",
	    strcmp(ending, "json") == 0 ? "-o json " : "", line);
	support_output_open(&out);
	ck_assert_int_eq(
	    support_run(text, bytes, 1, &out, NULL, &error), LP_EXIT_OK);
	support_golden(name, ending, support_output_text(&out));
	support_output_close(&out);
}
