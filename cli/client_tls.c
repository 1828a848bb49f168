/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  Look the host up, connect to one of its addresses, shake hands.
 * With TLS 1.3 that is over before the server has looked at our certificate:
 * what it says of that comes in place of the first answer.
 *
 * OpenSSL writes to the socket as to a pipe: the signal that this may bring is
 * taken away for the time, so that lpctl still ends as others do when nobody
 * reads its output.
 */
#include "cli/client_tls.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/tcp.h"
#include "proto/tls.h"

enum { READ_MAX = 1 << 20 }; /* in one call */

struct lp_client_tls {
	struct lp_tls *files;
	SSL *ssl;
	bool shaken; /* hands */
	bool failed; /* nothing more can be had of it */
};

static int load(struct lp_client_stream *stream, struct lp_error *error);
static int connect_any(struct lp_client_stream *stream,
    const struct lp_client_stream_waiter *waiter, struct lp_error *error);
static int connect_one(struct lp_client_stream *stream,
    const struct addrinfo *to, const struct lp_client_stream_waiter *waiter,
    int *err, struct lp_error *error);
static int connect_error(
    const struct lp_client_stream *stream, int err, struct lp_error *error);
static int shake(struct lp_client_stream *stream,
    const struct lp_client_stream_waiter *waiter, struct lp_error *error);
static int check(struct lp_client_stream *stream, int n, short *events,
    struct lp_error *error);
static int tls_error(const struct lp_client_stream *stream,
    enum lp_tls_fault fault, const char *why, struct lp_error *error);
static const char *hint_of(enum lp_tls_fault fault);
static void block_pipe(sigset_t *before);
static void unblock_pipe(const sigset_t *before);

int
lp_client_tls_open(struct lp_client_stream *stream,
    const struct lp_client_stream_waiter *waiter, struct lp_error *error)
{
	int status = load(stream, error);

	if (status == LP_EXIT_OK)
		status = connect_any(stream, waiter, error);
	if (status == LP_EXIT_OK)
		status = shake(stream, waiter, error);
	return status;
}

void
lp_client_tls_free(struct lp_client_tls *tls)
{
	sigset_t before;

	if (tls == NULL)
		return;
	block_pipe(&before);
	if (tls->shaken && !tls->failed)
		lp_tls_bye(tls->ssl);
	unblock_pipe(&before);
	lp_tls_free(tls->ssl);
	lp_tls_close(tls->files);
	free(tls);
}

int
lp_client_tls_send(struct lp_client_stream *stream, const uint8_t *data,
    size_t len, size_t *done, short *events, struct lp_error *error)
{
	struct lp_client_tls *tls = stream->tls;
	sigset_t before;
	int n;

	block_pipe(&before);
	ERR_clear_error();
	n = SSL_write(tls->ssl, data, len > READ_MAX ? READ_MAX : (int)len);
	unblock_pipe(&before);
	if (n > 0) {
		*done = (size_t)n;
		return LP_EXIT_OK;
	}
	/* It has closed: why, is for the reader. */
	if (SSL_get_error(tls->ssl, n) == SSL_ERROR_SYSCALL) {
		*events = 0;
		return LP_EXIT_OK;
	}
	return check(stream, n, events, error);
}

int
lp_client_tls_receive(struct lp_client_stream *stream, uint8_t *data,
    size_t size, size_t *done, short *events, struct lp_error *error)
{
	struct lp_client_tls *tls = stream->tls;
	sigset_t before;
	int n;

	block_pipe(&before);
	ERR_clear_error();
	n = SSL_read(tls->ssl, data, size > READ_MAX ? READ_MAX : (int)size);
	unblock_pipe(&before);
	if (n <= 0)
		return check(stream, n, events, error);
	*done = (size_t)n;
	return LP_EXIT_OK;
}

bool
lp_client_tls_pending(const struct lp_client_stream *stream)
{
	return SSL_has_pending(stream->tls->ssl) == 1;
}

static int
load(struct lp_client_stream *stream, struct lp_error *error)
{
	const char *directory = stream->place.directory;
	struct lp_client_tls *tls = calloc(1, sizeof(*tls));
	char why[LP_TLS_WHY_SIZE] = "no memory";
	int err = -ENOMEM;

	stream->tls = tls;
	if (tls != NULL)
		err = lp_tls_open(&tls->files, directory, false, why);
	if (err == 0) {
		tls->ssl =
		    lp_tls_client(tls->files, stream->place.host, "controld");
		err = tls->ssl != NULL ? 0 : -ENOMEM;
	}
	if (err == 0)
		return LP_EXIT_OK;
	if (err == -ENOENT || err == -EACCES)
		return lp_error_set(error, LP_EXIT_UNREACHABLE,
		    "%s; --tls names the directory of your certificate, which "
		    "\"lpctl pki issue\" makes",
		    why);
	return lp_error_set(error, LP_EXIT_UNREACHABLE, "%s", why);
}

/* The addresses of the host, one after the other. */
static int
connect_any(struct lp_client_stream *stream,
    const struct lp_client_stream_waiter *waiter, struct lp_error *error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
	struct addrinfo *list = NULL;
	char port[8];
	int status = LP_EXIT_OK;
	int err;

	(void)snprintf(port, sizeof(port), "%u", stream->place.port);
	err = getaddrinfo(stream->place.host, port, &hints, &list);
	if (err != 0)
		return lp_error_set(error, LP_EXIT_UNREACHABLE,
		    "%s: %s: check the name, or give an address that the "
		    "certificate of lp-controld has",
		    stream->place.host,
		    err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
	err = EADDRNOTAVAIL;
	for (const struct addrinfo *at = list;
	     at != NULL && err != 0 && status == LP_EXIT_OK; at = at->ai_next)
		status = connect_one(stream, at, waiter, &err, error);
	freeaddrinfo(list);
	if (status == LP_EXIT_OK && err != 0)
		return connect_error(stream, err, error);
	return status;
}

/* *err: why not to this one; an error: why to none at all. */
static int
connect_one(struct lp_client_stream *stream, const struct addrinfo *to,
    const struct lp_client_stream_waiter *waiter, int *err,
    struct lp_error *error)
{
	struct pollfd pfd = {.events = POLLOUT};
	socklen_t len = sizeof(*err);

	if (stream->fd >= 0)
		(void)close(stream->fd);
	stream->fd = socket(to->ai_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
	*err = 0;
	if (stream->fd < 0 ||
	    connect(stream->fd, to->ai_addr, to->ai_addrlen) != 0)
		*err = errno;
	if (*err != EINPROGRESS)
		return LP_EXIT_OK;
	/* A waiter may return too early. */
	pfd.fd = stream->fd;
	do
		if (waiter->wait(waiter->arg, POLLOUT, error) != LP_EXIT_OK)
			return lp_error_set(error, LP_EXIT_UNREACHABLE,
			    "%s: does not answer: is it the right address, "
			    "and is no firewall between?",
			    stream->name);
	while (poll(&pfd, 1, 0) == 0);
	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, err, &len) != 0)
		*err = errno;
	return LP_EXIT_OK;
}

static int
connect_error(
    const struct lp_client_stream *stream, int err, struct lp_error *error)
{
	const char *hint = "is it the right address?";

	if (err == ECONNREFUSED)
		hint = "is lp-controld running there, with --listen?";
	return lp_error_set(error, LP_EXIT_UNREACHABLE, "%s: %s: %s",
	    stream->name, strerror(err), hint);
}

static int
shake(struct lp_client_stream *stream,
    const struct lp_client_stream_waiter *waiter, struct lp_error *error)
{
	SSL *ssl = stream->tls->ssl;
	struct lp_tls_peer peer;
	enum lp_tls_fault fault;
	char why[LP_TLS_WHY_SIZE];
	sigset_t before;
	short events;
	int n;

	/* A capture or a --follow may be silent for long. */
	lp_tcp_keep_alive(stream->fd);
	if (SSL_set_fd(ssl, stream->fd) != 1)
		return lp_error_set(
		    error, LP_EXIT_UNREACHABLE, "out of memory");
	for (;;) {
		block_pipe(&before);
		ERR_clear_error();
		n = SSL_do_handshake(ssl);
		unblock_pipe(&before);
		if (n == 1)
			break;
		if (check(stream, n, &events, error) != LP_EXIT_OK)
			return error->status;
		if (events == 0)
			return tls_error(stream, LP_TLS_CUT,
			    "it closed the connection without a word", error);
		if (waiter->wait(waiter->arg, events, error) != LP_EXIT_OK)
			return error->status;
	}
	if (lp_tls_welcome(ssl, &peer, &fault, why) != 0)
		return tls_error(stream, fault, why, error);
	stream->tls->shaken = true;
	return LP_EXIT_OK;
}

/* What came of a call: wait (*events), the end (0), or an error. */
static int
check(struct lp_client_stream *stream, int n, short *events,
    struct lp_error *error)
{
	struct lp_client_tls *tls = stream->tls;
	char why[LP_TLS_WHY_SIZE];
	enum lp_tls_fault fault;
	int err = errno;

	switch (SSL_get_error(tls->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		return LP_EXIT_OK;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		return LP_EXIT_OK;
	case SSL_ERROR_ZERO_RETURN:
		*events = 0;
		return LP_EXIT_OK;
	case SSL_ERROR_SYSCALL:
		tls->failed = true;
		if (!tls->shaken)
			return tls_error(
			    stream, LP_TLS_CUT, strerror(err), error);
		return lp_client_stream_lost(stream, strerror(err), error);
	default:
		tls->failed = true;
		fault = lp_tls_failed(tls->ssl, 0, err, why);
		if (fault == LP_TLS_CUT && tls->shaken) {
			*events = 0; /* frames tell where an answer ends */
			return LP_EXIT_OK;
		}
		return tls_error(stream, fault, why, error);
	}
}

static int
tls_error(const struct lp_client_stream *stream, enum lp_tls_fault fault,
    const char *why, struct lp_error *error)
{
	const char *directory = stream->place.directory;

	stream->tls->failed = true;
	switch (fault) {
	case LP_TLS_OURS_EXPIRED:
		why = "it says that our certificate has expired";
		break;
	case LP_TLS_OURS_CA:
		why = "it does not know the CA of our certificate";
		break;
	case LP_TLS_OURS_REVOKED:
		why = "it says that our certificate has been revoked";
		break;
	case LP_TLS_OURS_NONE:
	case LP_TLS_OURS_BAD:
		why = "it does not accept our certificate";
		break;
	default:
		break;
	}
	(void)lp_error_set(error, LP_EXIT_UNREACHABLE, "%s: %s: %s",
	    stream->name, why, hint_of(fault));
	if (fault >= LP_TLS_NONE)
		(void)lp_error_set(error, LP_EXIT_UNREACHABLE,
		    "%s: %s: %s (--tls %s)", stream->name, why, hint_of(fault),
		    directory);
	return error->status;
}

static const char *
hint_of(enum lp_tls_fault fault)
{
	switch (fault) {
	case LP_TLS_NOT_TLS:
	case LP_TLS_VERSION:
	case LP_TLS_PROTOCOL_OTHER:
		return "is this where lp-controld has its --listen, and of a "
		       "version like this one?";
	case LP_TLS_CUT:
		return "it may have too many connections; its log says";
	case LP_TLS_EXPIRED:
		return "issue another one for it, and see that the clocks are "
		       "right";
	case LP_TLS_EARLY:
		return "are the clocks of both machines right?";
	case LP_TLS_CA_OTHER:
		return "is this the right machine, and ca.pem of those who "
		       "have issued its certificate?";
	case LP_TLS_REVOKED:
		return "whoever has it is not to be believed: issue another "
		       "one for lp-controld";
	case LP_TLS_CRL:
		return "get a newer crl.pem of those who issue";
	case LP_TLS_NAME_OTHER:
		return "give --remote a name or address that it was issued "
		       "for, or issue another one with --host";
	case LP_TLS_ROLE_OTHER:
		return "it has to be issued with --role controld";
	case LP_TLS_OURS_EXPIRED:
	case LP_TLS_OURS_REVOKED:
	case LP_TLS_OURS_NONE:
	case LP_TLS_OURS_BAD:
		return "have another one issued; the log there says more";
	case LP_TLS_OURS_CA:
		return "have one issued by the CA of that lp-controld";
	default:
		return "the log of lp-controld may say more";
	}
}

static void
block_pipe(sigset_t *before)
{
	sigset_t pipe_only;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_only, before);
}

/* One that came meanwhile was ours; errno stays as it is. */
static void
unblock_pipe(const sigset_t *before)
{
	const struct timespec now = {0};
	sigset_t pipe_only;
	int err = errno;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	if (sigismember(before, SIGPIPE) == 0)
		(void)sigtimedwait(&pipe_only, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
	errno = err;
}
