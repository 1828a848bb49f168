/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/remote.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "proto/log.h"
#include "proto/rate.h"
#include "proto/tcp.h"

enum {
	/* Lines of the log that others bring about. */
	LINES_PER_S = 10,
	/*
	 * Most of them are closed at once.  So many in a turn, and then others
	 * have theirs: those who flood do not let the backlog become empty.
	 */
	ACCEPTS_OF_TURN = 16,
	TURN_US = 4000,
};

/*
 * The place of one that has failed is taken for the rest of its time: so who
 * fails quickly gets no more turns than who is slow.
 */
struct guest {
	struct lp_remote *remote; /* NULL: a free place */
	struct bufferevent *event; /* NULL: it has failed */
	struct lp_endpoint from;
	uint64_t since_ms;
};

struct lp_remote {
	struct lp_remote_options options;
	struct lp_tls *tls;
	struct evconnlistener *listener;
	struct guest guests[LP_REMOTE_GUESTS_MAX];
	struct event *resume; /* after a turn */
	unsigned accepted; /* in this turn */
	unsigned handshakes; /* in this second */
	struct lp_rate_log log;
	uint64_t looked_ms; /* at the certificates */
};

static void on_accept(struct evconnlistener *listener, evutil_socket_t socket,
    struct sockaddr *address, int len, void *arg);
static void on_resume(evutil_socket_t socket, short what, void *arg);
static void on_accept_error(struct evconnlistener *listener, void *arg);
static struct guest *place_for(
    struct lp_remote *remote, const struct lp_endpoint *from);
static int shake(struct guest *guest, evutil_socket_t socket);
static void on_event(struct bufferevent *event, short what, void *arg);
static void welcome(struct guest *guest);
static void leave(struct guest *guest);
static void forget(struct guest *guest);
static void refuse(struct lp_remote *remote, const struct lp_endpoint *from,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
static uint64_t now_ms(void);

int
lp_remote_new(struct lp_remote **out, const struct lp_remote_options *options,
    int socket, char why[LP_TLS_WHY_SIZE])
{
	struct lp_remote *remote = calloc(1, sizeof(*remote));
	int error = -ENOMEM;

	snprintf(why, LP_TLS_WHY_SIZE, "no memory");
	if (remote) {
		remote->options = *options;
		remote->log.rate.per_s = LINES_PER_S;
		remote->log.rate.burst = LINES_PER_S;
		remote->looked_ms = now_ms();
		error =
		    lp_tls_open(&remote->tls, options->directory, true, why);
	}
	/* In the past or the future: it is told, and may become right. */
	if (error == -EKEYEXPIRED) {
		lp_log_warn("%s", why);
		error = 0;
	}
	if (!error)
		error = lp_tls_check_role(remote->tls, "dataplane", why);
	if (!error) {
		remote->listener = evconnlistener_new(options->base, on_accept,
		    remote, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0,
		    socket);
		remote->resume = evtimer_new(options->base, on_resume, remote);
		error = remote->listener && remote->resume ? 0 : -ENOMEM;
	}
	if (error) {
		if (!remote || !remote->listener)
			close(socket);
		lp_remote_free(remote);
		return error;
	}
	evconnlistener_set_error_cb(remote->listener, on_accept_error);
	*out = remote;
	return 0;
}

void
lp_remote_free(struct lp_remote *remote)
{
	if (!remote)
		return;
	for (unsigned i = 0; i < LP_REMOTE_GUESTS_MAX; i++)
		forget(&remote->guests[i]);
	if (remote->listener)
		evconnlistener_free(remote->listener);
	if (remote->resume)
		event_free(remote->resume);
	lp_tls_close(remote->tls);
	free(remote);
}

void
lp_remote_tick(struct lp_remote *remote)
{
	uint64_t now = now_ms();

	for (unsigned i = 0; i < LP_REMOTE_GUESTS_MAX; i++) {
		struct guest *guest = &remote->guests[i];

		if (!guest->remote ||
		    now - guest->since_ms < LP_REMOTE_HANDSHAKE_MS)
			continue;
		if (guest->event)
			refuse(remote, &guest->from,
			    "no handshake within %d ms",
			    LP_REMOTE_HANDSHAKE_MS);
		forget(guest);
	}
	remote->handshakes = 0;
	evconnlistener_enable(remote->listener);
	if (now - remote->looked_ms < LP_TLS_TICK_S * 1000)
		return;
	remote->looked_ms = now;
	(void)lp_tls_tick(remote->tls);
	remote->options.checked(remote->options.arg);
}

void
lp_remote_reload(struct lp_remote *remote)
{
	(void)lp_tls_reload(remote->tls);
	remote->options.checked(remote->options.arg);
}

int
lp_remote_again(struct lp_remote *remote, struct bufferevent *event,
    char why[LP_TLS_WHY_SIZE])
{
	return lp_tls_again(
	    remote->tls, bufferevent_openssl_get_ssl(event), why);
}

void
lp_remote_why(struct bufferevent *event, short what, char why[LP_TLS_WHY_SIZE])
{
	int code = what & BEV_EVENT_EOF ? 0 : EVUTIL_SOCKET_ERROR();

	(void)lp_tls_failed(bufferevent_openssl_get_ssl(event),
	    bufferevent_get_openssl_error(event), code, why);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t socket,
    struct sockaddr *address, int len, void *arg)
{
	const struct timeval turn = {.tv_usec = TURN_US};
	struct lp_remote *remote = arg;
	struct lp_endpoint from;
	struct guest *guest;

	(void)len;
	lp_tcp_endpoint(&from, address);
	guest = place_for(remote, &from);
	remote->handshakes += guest != NULL;
	/* Who comes then waits in the backlog, also for the next second. */
	if (remote->accepted++ == 0)
		evtimer_add(remote->resume, &turn);
	if (remote->accepted >= ACCEPTS_OF_TURN ||
	    remote->handshakes >= LP_REMOTE_HANDSHAKES_PER_S)
		evconnlistener_disable(listener);
	if (!guest) {
		close(socket);
	} else if (shake(guest, socket) != 0) {
		refuse(remote, &from, "no memory");
		forget(guest);
	}
}

static void
on_resume(evutil_socket_t socket, short what, void *arg)
{
	struct lp_remote *remote = arg;

	(void)socket;
	(void)what;
	remote->accepted = 0;
	if (remote->handshakes < LP_REMOTE_HANDSHAKES_PER_S)
		evconnlistener_enable(remote->listener);
}

/* Out of descriptors, most likely: once more in the next second. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct lp_remote *remote = arg;

	lp_rate_warn(
	    &remote->log, now_ms(), "--listen: accept: %s", strerror(errno));
	evconnlistener_disable(listener);
}

/* NULL: there is none for it. */
static struct guest *
place_for(struct lp_remote *remote, const struct lp_endpoint *from)
{
	struct guest *free_one = NULL, *oldest = NULL;
	unsigned of_site = 0;

	for (unsigned i = 0; i < LP_REMOTE_GUESTS_MAX; i++) {
		struct guest *guest = &remote->guests[i];

		if (!guest->remote) {
			free_one = guest;
			continue;
		}
		of_site += lp_tcp_same_site(&guest->from.ip, &from->ip);
		if (!oldest || guest->since_ms < oldest->since_ms)
			oldest = guest;
	}
	if (of_site >= LP_REMOTE_OF_SITE_MAX) {
		refuse(remote, from,
		    "%u of its address have made no handshake yet", of_site);
		return NULL;
	}
	if (!free_one) {
		if (oldest->event)
			refuse(remote, &oldest->from,
			    "no handshake before %d others came",
			    LP_REMOTE_GUESTS_MAX);
		forget(oldest);
		free_one = oldest;
	}
	*free_one = (struct guest){
	    .remote = remote, .from = *from, .since_ms = now_ms()};
	return free_one;
}

/* Takes ownership of the socket. */
static int
shake(struct guest *guest, evutil_socket_t socket)
{
	struct lp_remote *remote = guest->remote;
	struct ssl_st *ssl = lp_tls_server(remote->tls, "controld");

	if (ssl)
		guest->event =
		    bufferevent_openssl_socket_new(remote->options.base, socket,
			ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!guest->event) {
		lp_tls_free(ssl);
		close(socket);
		return -ENOMEM;
	}
	lp_tcp_keep_alive(socket);
	bufferevent_setcb(guest->event, NULL, NULL, on_event, guest);
	return bufferevent_enable(guest->event, EV_READ | EV_WRITE);
}

static void
on_event(struct bufferevent *event, short what, void *arg)
{
	struct guest *guest = arg;
	char why[LP_TLS_WHY_SIZE];

	if (what & BEV_EVENT_CONNECTED) {
		welcome(guest);
		return;
	}
	lp_remote_why(event, what, why);
	refuse(guest->remote, &guest->from, "%s", why);
	leave(guest);
}

static void
welcome(struct guest *guest)
{
	struct lp_remote *remote = guest->remote;
	struct bufferevent *event = guest->event;
	char address[LP_ENDPOINT_TEXT_SIZE];
	char from[LP_REMOTE_FROM_SIZE];
	struct lp_tls_peer peer;
	enum lp_tls_fault fault;
	char why[LP_TLS_WHY_SIZE];

	if (lp_tls_welcome(
		bufferevent_openssl_get_ssl(event), &peer, &fault, why) != 0) {
		refuse(remote, &guest->from, "%s", why);
		leave(guest);
		return;
	}
	snprintf(from, sizeof(from), "%s (%s)", peer.name,
	    lp_endpoint_format(address, &guest->from));
	guest->event = NULL; /* not ours any more */
	forget(guest);
	remote->options.accepted(remote->options.arg, event, from);
}

static void
leave(struct guest *guest)
{
	if (guest->event)
		bufferevent_free(guest->event);
	guest->event = NULL;
}

static void
forget(struct guest *guest)
{
	leave(guest);
	guest->remote = NULL;
}

static void
refuse(struct lp_remote *remote, const struct lp_endpoint *from,
    const char *format, ...)
{
	char address[LP_ENDPOINT_TEXT_SIZE];
	char why[LP_TLS_WHY_SIZE];
	va_list args;

	remote->options.refused(remote->options.arg);
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	lp_rate_warn(&remote->log, now_ms(), "%s was refused: %s",
	    lp_endpoint_format(address, from), why);
}

static uint64_t
now_ms(void)
{
	return lp_clock_ns() / 1000000;
}
