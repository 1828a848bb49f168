/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * connect, send the request, receive frames, close; all of it before one
 * deadline.  The peer is trusted, but not to be alive or sane: it may hang,
 * vanish in the middle, or be another program that listens on this path.
 */
#include "cli/client.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/client_frame.h"
#include "cli/client_stream.h"
#include "proto/frame.h"
#include "proto/message.h"

enum {
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
	COOKIE = 1, /* one question a connection */
};

struct conversation {
	struct lp_client_stream stream;
	uint32_t timeout_ms;
	uint64_t deadline_ms; /* CLOCK_MONOTONIC */
	const struct lp_client_waiter *waiter; /* NULL: poll() */
	size_t len; /* bytes in buf */
	uint8_t buf[LP_FRAME_SIZE_MAX];
};

static int open_stream(struct conversation *c, struct lp_error *error);
static int wait_for(void *arg, short events, struct lp_error *error);
static int send_request(struct conversation *c, Lp__Pb__ControlRequest *request,
    struct lp_error *error);
static int receive_replies(struct conversation *c, struct lp_replies *replies,
    Lp__Pb__ControlReply__BodyCase wanted, struct lp_error *error);
static int receive_reply(struct conversation *c, struct lp_replies *replies,
    Lp__Pb__ControlReply__BodyCase wanted, bool *more, struct lp_error *error);
static void begin(
    struct conversation *c, const char *path, uint32_t timeout_ms);
static bool has_frame(const struct conversation *c);
static bool comes(const struct conversation *c, int wait_ms, int wake_fd);
static uint64_t clock_ms(void);

int
lp_client_ask(struct lp_replies *replies, const char *path, uint32_t timeout_ms,
    Lp__Pb__ControlRequest *request, Lp__Pb__ControlReply__BodyCase wanted,
    struct lp_error *error)
{
	return lp_client_ask_waiting(
	    replies, path, timeout_ms, request, wanted, NULL, error);
}

int
lp_client_ask_waiting(struct lp_replies *replies, const char *path,
    uint32_t timeout_ms, Lp__Pb__ControlRequest *request,
    Lp__Pb__ControlReply__BodyCase wanted,
    const struct lp_client_waiter *waiter, struct lp_error *error)
{
	struct conversation *c;
	int status;

	*replies = (struct lp_replies){0};
	c = malloc(sizeof(*c));
	if (c == NULL)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	begin(c, path, timeout_ms);
	c->waiter = waiter;
	status = open_stream(c, error);
	if (status == LP_EXIT_OK)
		status = send_request(c, request, error);
	if (status == LP_EXIT_OK)
		status = receive_replies(c, replies, wanted, error);
	lp_client_stream_close(&c->stream);
	free(c);
	return status;
}

int
lp_client_open(struct lp_client **out, const char *path, uint32_t timeout_ms,
    struct lp_error *error)
{
	struct conversation *c = malloc(sizeof(*c));

	if (c == NULL)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	begin(c, path, timeout_ms);
	if (open_stream(c, error) == LP_EXIT_OK) {
		*out = (struct lp_client *)c;
		return LP_EXIT_OK;
	}
	lp_client_close((struct lp_client *)c);
	return error->status;
}

void
lp_client_close(struct lp_client *client)
{
	struct conversation *c = (struct conversation *)client;

	if (c == NULL)
		return;
	lp_client_stream_close(&c->stream);
	free(c);
}

int
lp_client_send(struct lp_client *client, Lp__Pb__ControlRequest *request,
    struct lp_error *error)
{
	struct conversation *c = (struct conversation *)client;

	c->deadline_ms = clock_ms() + c->timeout_ms;
	return send_request(c, request, error);
}

int
lp_client_next(struct lp_client *client, Lp__Pb__ControlReply **reply,
    Lp__Pb__ControlReply__BodyCase wanted, int wait_ms, int wake_fd,
    struct lp_error *error)
{
	struct conversation *c = (struct conversation *)client;
	struct lp_replies replies = {0};
	bool more;

	*reply = NULL;
	if (!comes(c, wait_ms, wake_fd))
		return LP_EXIT_OK;
	/* It has begun to come: the rest follows in time. */
	c->deadline_ms = clock_ms() + c->timeout_ms;
	if (receive_reply(c, &replies, wanted, &more, error) == LP_EXIT_OK) {
		*reply = replies.list[0];
		replies.count = 0;
	}
	lp_client_replies_free(&replies);
	return error->status;
}

const Lp__Pb__Failure *
lp_client_failure(const struct lp_replies *replies)
{
	const Lp__Pb__ControlReply *last;

	if (replies->count == 0)
		return NULL;
	last = replies->list[replies->count - 1];
	if (last->body_case != LP__PB__CONTROL_REPLY__BODY_FAILURE)
		return NULL;
	return last->failure;
}

const char *
lp_client_failure_text(const Lp__Pb__Failure *failure)
{
	if (failure->text == NULL || failure->text[0] == '\0')
		return "lp-controld gave no reason";
	return failure->text;
}

void
lp_client_replies_free(struct lp_replies *replies)
{
	for (size_t i = 0; i < replies->count; i++)
		lp__pb__control_reply__free_unpacked(replies->list[i], NULL);
	free(replies->list);
	*replies = (struct lp_replies){0};
}

static int
open_stream(struct conversation *c, struct lp_error *error)
{
	const struct lp_client_stream_waiter waiter = {wait_for, c};

	/* Who has other things to do does not wait for a full backlog. */
	return lp_client_stream_open(
	    &c->stream, c->waiter != NULL ? 0 : c->timeout_ms, &waiter, error);
}

/* Waits for events on the socket; the deadline is an error like others. */
static int
wait_for(void *arg, short events, struct lp_error *error)
{
	struct conversation *c = arg;
	struct pollfd pfd = {.fd = c->stream.fd, .events = events};
	uint64_t now_ms = clock_ms();
	int left_ms = 0;
	int ready = 0;

	if (now_ms < c->deadline_ms) {
		left_ms = (int)(c->deadline_ms - now_ms);
		ready = c->waiter != NULL
		    ? c->waiter->wait(c->waiter->arg, &pfd, left_ms)
		    : poll(&pfd, 1, left_ms);
	}
	if (ready == LP_CLIENT_STOP)
		return lp_error_set(error, LP_EXIT_UNREACHABLE,
		    "%s: given up before lp-controld answered", c->stream.name);
	if (ready > 0 || (ready < 0 && errno == EINTR))
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_UNREACHABLE,
	    "%s: lp-controld gave no complete answer within %u s; what was "
	    "asked may yet be done: see \"lpctl status\"",
	    c->stream.name, c->timeout_ms / MS_PER_S);
}

static int
lost(const struct conversation *c, const char *why, struct lp_error *error)
{
	return lp_client_stream_lost(&c->stream, why, error);
}

static int
send_all(struct conversation *c, const uint8_t *data, size_t len,
    struct lp_error *error)
{
	int status = LP_EXIT_OK;

	while (len > 0 && status == LP_EXIT_OK) {
		size_t done;
		short events;

		status = lp_client_stream_send(
		    &c->stream, data, len, &done, &events, error);
		if (status == LP_EXIT_OK && done == 0 && events == 0)
			return LP_EXIT_OK; /* the answer says why */
		if (status == LP_EXIT_OK && done == 0)
			status = wait_for(c, events, error);
		data += done;
		len -= done;
	}
	return status;
}

static int
send_request(struct conversation *c, Lp__Pb__ControlRequest *request,
    struct lp_error *error)
{
	struct lp_client_frames frames = {.request = request};
	int status = LP_EXIT_OK;

	request->protocol = LP_CONTROL_PROTOCOL;
	request->cookie = COOKIE;
	while (status == LP_EXIT_OK && !frames.ended) {
		uint8_t *frame = NULL;
		size_t len = 0;
		int err = lp_client_frame_next(&frames, &frame, &len);

		if (err == -EMSGSIZE)
			return lp_error_set(error, LP_EXIT_REFUSED,
			    "larger than the %d bytes of one request",
			    LP_FRAME_SIZE_MAX);
		if (err != 0)
			return lp_error_set(error, LP_EXIT_UNREACHABLE,
			    "cannot pack the request: %s", strerror(-err));
		status = send_all(c, frame, len, error);
		free(frame);
	}
	return status;
}

/* Reads until a whole frame lies at the start of the buffer. */
static int
receive_frame(struct conversation *c, const uint8_t **payload,
    size_t *payload_len, struct lp_error *error)
{
	int status;

	for (;;) {
		enum lp_parse_result result =
		    lp_frame_next(c->buf, c->len, payload, payload_len);
		size_t done;
		short events;

		if (result == LP_OK)
			return LP_EXIT_OK;
		if (result == LP_BAD || c->len == sizeof(c->buf))
			return lost(c,
			    "it sent a frame of a length that "
			    "cannot be",
			    error);
		status = lp_client_stream_receive(&c->stream, c->buf + c->len,
		    sizeof(c->buf) - c->len, &done, &events, error);
		if (status == LP_EXIT_OK && done == 0 && events == 0)
			return lost(c,
			    c->len == 0
				? "it closed the connection instead of "
				  "answering"
				: "it closed the connection in the middle of "
				  "its answer",
			    error);
		if (status == LP_EXIT_OK && done == 0)
			status = wait_for(c, events, error);
		if (status != LP_EXIT_OK)
			return status;
		c->len += done;
	}
}

/* Removes the first frame, which ends with this payload, from the buffer. */
static void
drop_frame(struct conversation *c, const uint8_t *payload, size_t payload_len)
{
	size_t used = (size_t)(payload - c->buf) + payload_len;

	assert(used <= c->len);
	c->len -= used;
	memmove(c->buf, c->buf + used, c->len);
}

/* Grows by doubling; takes ownership of the reply even if it fails. */
static int
keep_reply(struct lp_replies *replies, Lp__Pb__ControlReply *reply)
{
	size_t count = replies->count;

	if (count == LP_CLIENT_REPLIES_MAX) {
		lp__pb__control_reply__free_unpacked(reply, NULL);
		return -EMSGSIZE;
	}
	if ((count & (count - 1)) == 0) {
		size_t size = count == 0 ? 1 : 2 * count;
		Lp__Pb__ControlReply **list =
		    realloc(replies->list, size * sizeof(*list));

		if (list == NULL) {
			lp__pb__control_reply__free_unpacked(reply, NULL);
			return -ENOMEM;
		}
		replies->list = list;
	}
	replies->list[replies->count++] = reply;
	return 0;
}

/* The status of a Failure; never success, and never one that we lack. */
static int
failure_status(const Lp__Pb__Failure *failure, struct lp_error *error)
{
	int status = (int)failure->result;

	if (status < LP_EXIT_REFUSED || status > LP_EXIT_CONFLICT)
		status = LP_EXIT_UNREACHABLE;
	(void)lp_error_set(
	    error, status, "%s", lp_client_failure_text(failure));
	if (failure->dataplane != NULL && failure->dataplane[0] != '\0')
		(void)lp_error_prefix(
		    error, "dataplane %s", failure->dataplane);
	return status;
}

/* Receives one reply; *more says whether another follows. */
static int
receive_reply(struct conversation *c, struct lp_replies *replies,
    Lp__Pb__ControlReply__BodyCase wanted, bool *more, struct lp_error *error)
{
	Lp__Pb__ControlReply *reply;
	const uint8_t *payload = NULL;
	size_t payload_len = 0;

	if (receive_frame(c, &payload, &payload_len, error) != LP_EXIT_OK)
		return error->status;
	reply = lp_message_unpack_reply(payload, payload_len);
	if (reply == NULL)
		return lost(c, "it sent what is no answer", error);
	drop_frame(c, payload, payload_len);
	if (keep_reply(replies, reply) != 0)
		return lost(c, "its answer is too large", error);
	if (reply->cookie != COOKIE)
		return lost(c, "it answered another question", error);
	if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_FAILURE)
		return failure_status(reply->failure, error);
	if (reply->body_case != wanted)
		return lost(c, "its answer is of another kind", error);
	*more = reply->has_more && reply->more;
	return LP_EXIT_OK;
}

static int
receive_replies(struct conversation *c, struct lp_replies *replies,
    Lp__Pb__ControlReply__BodyCase wanted, struct lp_error *error)
{
	bool more = true;
	int status = LP_EXIT_OK;

	while (more && status == LP_EXIT_OK)
		status = receive_reply(c, replies, wanted, &more, error);
	return status;
}

static void
begin(struct conversation *c, const char *path, uint32_t timeout_ms)
{
	lp_client_stream_init(&c->stream, path);
	c->len = 0;
	c->waiter = NULL;
	c->timeout_ms = timeout_ms;
	c->deadline_ms = clock_ms() + timeout_ms;
}

static bool
has_frame(const struct conversation *c)
{
	const uint8_t *payload;
	size_t len;

	return lp_frame_next(c->buf, c->len, &payload, &len) != LP_MORE;
}

static bool
comes(const struct conversation *c, int wait_ms, int wake_fd)
{
	struct pollfd pfds[] = {{.fd = c->stream.fd, .events = POLLIN},
	    {.fd = wake_fd, .events = POLLIN}};
	bool here = has_frame(c) || lp_client_stream_pending(&c->stream);

	if (poll(pfds, 2, here ? 0 : wait_ms) < 0)
		return false;
	return pfds[1].revents == 0 && (here || pfds[0].revents != 0);
}

static uint64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MS_PER_S +
	    (uint64_t)now.tv_nsec / NS_PER_MS;
}
