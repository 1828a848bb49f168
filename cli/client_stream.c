/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/client_tls.h"

enum { MS_PER_S = 1000 };

static int open_unix(struct lp_client_stream *stream, uint32_t patient_ms,
    struct lp_error *error);
static int connect_error(
    const struct lp_client_stream *stream, int err, struct lp_error *error);

void
lp_client_stream_init(struct lp_client_stream *stream, const char *place)
{
	stream->fd = -1;
	stream->tls = NULL;
	stream->name = place;
	if (lp_place_split(&stream->place, place))
		stream->name = stream->place.name;
}

void
lp_client_stream_close(struct lp_client_stream *stream)
{
	lp_client_tls_free(stream->tls);
	stream->tls = NULL;
	if (stream->fd >= 0)
		(void)close(stream->fd);
	stream->fd = -1;
}

int
lp_client_stream_open(struct lp_client_stream *stream, uint32_t patient_ms,
    const struct lp_client_stream_waiter *waiter, struct lp_error *error)
{
	if (stream->name == stream->place.name)
		return lp_client_tls_open(stream, waiter, error);
	return open_unix(stream, patient_ms, error);
}

/*
 * A daemon that refuses us at once closes before it has read everything:
 * its answer may wait for us all the same, so EPIPE is left to the reader.
 */
int
lp_client_stream_send(struct lp_client_stream *stream, const uint8_t *data,
    size_t len, size_t *done, short *events, struct lp_error *error)
{
	ssize_t n;

	*done = 0;
	*events = POLLOUT;
	if (stream->tls != NULL)
		return lp_client_tls_send(
		    stream, data, len, done, events, error);
	do
		n = send(stream->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		*done = (size_t)n;
	else if (errno == EPIPE)
		*events = 0;
	else if (errno != EAGAIN)
		return lp_client_stream_lost(stream, strerror(errno), error);
	return LP_EXIT_OK;
}

int
lp_client_stream_receive(struct lp_client_stream *stream, uint8_t *data,
    size_t size, size_t *done, short *events, struct lp_error *error)
{
	ssize_t n;

	*done = 0;
	*events = POLLIN;
	if (stream->tls != NULL)
		return lp_client_tls_receive(
		    stream, data, size, done, events, error);
	do
		n = recv(stream->fd, data, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		*done = (size_t)n;
	else if (n == 0)
		*events = 0;
	else if (errno != EAGAIN)
		return lp_client_stream_lost(stream, strerror(errno), error);
	return LP_EXIT_OK;
}

bool
lp_client_stream_pending(const struct lp_client_stream *stream)
{
	return stream->tls != NULL && lp_client_tls_pending(stream);
}

int
lp_client_stream_lost(const struct lp_client_stream *stream, const char *why,
    struct lp_error *error)
{
	return lp_error_set(error, LP_EXIT_UNREACHABLE,
	    "%s: lost lp-controld: %s; see its log, and \"lpctl status\" for "
	    "what was stored",
	    stream->name, why);
}

static int
open_unix(struct lp_client_stream *stream, uint32_t patient_ms,
    struct lp_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	/* connect() waits that long for a place in the daemon's backlog. */
	const struct timeval wait = {
	    .tv_sec = patient_ms / MS_PER_S,
	    .tv_usec = (patient_ms % MS_PER_S) * MS_PER_S,
	};

	if (strlen(stream->name) >= sizeof(address.sun_path))
		return lp_error_set(error, LP_EXIT_USAGE,
		    "--socket: %s: longer than the %zu bytes of a socket's "
		    "path",
		    stream->name, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, stream->name);
	/* Who has other things to do does not wait for that place. */
	stream->fd = socket(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC | (patient_ms == 0 ? SOCK_NONBLOCK : 0),
	    0);
	if (stream->fd < 0 ||
	    setsockopt(
		stream->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0)
		return lp_error_set(error, LP_EXIT_UNREACHABLE,
		    "cannot make a socket: %s", strerror(errno));
	if (connect(stream->fd, (const struct sockaddr *)&address,
		sizeof(address)) != 0)
		return connect_error(stream, errno, error);
	return LP_EXIT_OK;
}

/* What an operator can do about a socket that does not take us. */
static int
connect_error(
    const struct lp_client_stream *stream, int err, struct lp_error *error)
{
	const char *hint;

	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		hint = "is lp-controld running?  Start it with \"systemctl "
		       "start lp-controld\", or name its socket with --socket";
		break;
	case EACCES:
	case EPERM:
		hint = "run lpctl as root, or as a member of the group that "
		       "owns the socket";
		break;
	case EAGAIN:
		err = ETIMEDOUT;
		hint = "lp-controld does not accept connections; see its log";
		break;
	default:
		hint = "this is no socket of lp-controld";
		break;
	}
	return lp_error_set(error, LP_EXIT_UNREACHABLE, "%s: %s: %s",
	    stream->name, strerror(err), hint);
}
