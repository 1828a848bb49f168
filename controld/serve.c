/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle.  A client is known by a number that is never used again, so an
 * answer that comes late finds nobody rather than somebody else.  Closing
 * happens in two steps: doom() marks it, from wherever that is noticed, and
 * the reaper frees it from the event loop, where nobody holds it.
 */
#include "controld/serve.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/listener.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controld/stream.h"
#include "proto/listen.h"
#include "proto/log.h"

struct client {
	struct lp_serve *serve;
	uint64_t number; /* 0: this place is free */
	struct bufferevent *bev;
	struct event *timer; /* runs while a frame is incomplete */
	bool doomed;
	char who[LP_SERVE_WHO_SIZE];
};

struct lp_serve {
	struct lp_serve_options options;
	char *path;
	struct evconnlistener *listener;
	struct event *reaper;
	uint64_t last_number;
	uint64_t overflows;
	struct client clients[LP_SERVE_CLIENTS_MAX];
};

static int accept_from(struct lp_serve *serve, int fd);
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg);
static void on_accept_error(struct evconnlistener *listener, void *arg);
static void on_read(struct bufferevent *bev, void *arg);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void on_timer(evutil_socket_t fd, short what, void *arg);
static void reap(evutil_socket_t fd, short what, void *arg);
static bool read_one(struct client *client);
static int start(struct client *client, evutil_socket_t fd);
static void identify(struct client *client, evutil_socket_t fd);
static void bound_outputs(struct lp_serve *serve);
static void overflow(struct client *client, const char *why);
static void doom(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void clear(struct client *client);

int
lp_serve_open(struct lp_serve **out, const struct lp_serve_options *options,
    char why[LP_SERVE_WHY_SIZE])
{
	struct lp_serve *serve;
	int fd = lp_listen_open(options->path, options->group, why);

	if (fd < 0)
		return fd;
	serve = calloc(1, sizeof(*serve));
	if (serve == NULL) {
		close(fd);
		unlink(options->path);
		goto no_memory;
	}
	serve->options = *options;
	if (accept_from(serve, fd) != 0) {
		lp_serve_close(serve);
		goto no_memory;
	}
	*out = serve;
	return 0;
no_memory:
	snprintf(
	    why, LP_SERVE_WHY_SIZE, "%s: no memory to listen", options->path);
	return -ENOMEM;
}

void
lp_serve_close(struct lp_serve *serve)
{
	if (serve == NULL)
		return;
	for (unsigned i = 0; i < LP_SERVE_CLIENTS_MAX; i++)
		if (serve->clients[i].number != 0)
			clear(&serve->clients[i]);
	if (serve->reaper != NULL)
		event_free(serve->reaper);
	if (serve->listener != NULL)
		evconnlistener_free(serve->listener);
	if (serve->path != NULL)
		unlink(serve->path);
	free(serve->path);
	free(serve);
}

void
lp_serve_reply(struct lp_serve *serve, uint64_t client_number,
    const Lp__Pb__ControlReply *reply)
{
	struct client *client = NULL;
	struct evbuffer *output;

	for (unsigned i = 0; i < LP_SERVE_CLIENTS_MAX; i++)
		if (serve->clients[i].number == client_number)
			client = &serve->clients[i];
	if (client_number == 0 || client == NULL || client->doomed)
		return;
	output = bufferevent_get_output(client->bev);
	if (lp_stream_add(output, &reply->base) != 0)
		doom(client, "its answer does not fit a frame");
	else if (evbuffer_get_length(output) > LP_SERVE_OUTPUT_MAX)
		overflow(client, "it does not read its answers");
	else
		bound_outputs(serve);
}

/* What was doomed before is freed in this turn of the loop. */
static void
bound_outputs(struct lp_serve *serve)
{
	struct client *slowest = NULL;
	size_t all = 0, most = 0;

	for (unsigned i = 0; i < LP_SERVE_CLIENTS_MAX; i++) {
		struct client *client = &serve->clients[i];
		size_t unread;

		if (client->number == 0 || client->doomed)
			continue;
		unread =
		    evbuffer_get_length(bufferevent_get_output(client->bev));
		all += unread;
		if (unread > most) {
			most = unread;
			slowest = client;
		}
	}
	if (all > LP_SERVE_OUTPUTS_MAX)
		overflow(slowest,
		    "of all clients it has left the most answers unread");
}

static void
overflow(struct client *client, const char *why)
{
	client->serve->overflows++;
	doom(client, "%s", why);
}

size_t
lp_serve_unread(const struct lp_serve *serve, uint64_t number)
{
	for (unsigned i = 0; i < LP_SERVE_CLIENTS_MAX; i++)
		if (serve->clients[i].number == number && number != 0)
			return evbuffer_get_length(
			    bufferevent_get_output(serve->clients[i].bev));
	return 0;
}

uint64_t
lp_serve_overflows(const struct lp_serve *serve)
{
	return serve->overflows;
}

unsigned
lp_serve_count(const struct lp_serve *serve)
{
	unsigned count = 0;

	for (unsigned i = 0; i < LP_SERVE_CLIENTS_MAX; i++)
		count += serve->clients[i].number != 0;
	return count;
}

/* Takes ownership of fd, which listens. */
static int
accept_from(struct lp_serve *serve, int fd)
{
	const struct lp_serve_options *options = &serve->options;

	serve->path = strdup(options->path); /* ours to remove from now on */
	serve->listener = evconnlistener_new(options->base, on_accept, serve,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (serve->listener == NULL)
		close(fd);
	serve->reaper = event_new(options->base, -1, 0, reap, serve);
	if (serve->path == NULL || serve->listener == NULL ||
	    serve->reaper == NULL)
		return -ENOMEM;
	evconnlistener_set_error_cb(serve->listener, on_accept_error);
	return 0;
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct lp_serve *serve = arg;

	(void)listener;
	(void)address;
	(void)len;
	for (unsigned i = 0; i < LP_SERVE_CLIENTS_MAX; i++) {
		struct client *client = &serve->clients[i];

		if (client->number != 0)
			continue;
		client->serve = serve;
		if (start(client, fd) != 0)
			lp_log_warn("a client was turned away: no memory");
		return;
	}
	lp_log_warn("a client was turned away: there are %d already",
	    LP_SERVE_CLIENTS_MAX);
	close(fd);
}

/* Out of descriptors, most likely: libevent tries again at the next one. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)listener;
	(void)arg;
	lp_log_warn("accept: %s", strerror(errno));
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	const struct timeval wait = {
	    .tv_sec = client->serve->options.frame_ms / 1000,
	    .tv_usec = client->serve->options.frame_ms % 1000 * 1000,
	};
	bool any = false;

	while (!client->doomed && read_one(client))
		any = true;
	if (client->doomed)
		return;
	if (any || evbuffer_get_length(bufferevent_get_input(bev)) == 0)
		evtimer_del(client->timer);
	/* From its first byte: one byte a second does not gain time. */
	if (evbuffer_get_length(bufferevent_get_input(bev)) > 0 &&
	    !evtimer_pending(client->timer, NULL))
		evtimer_add(client->timer, &wait);
}

static bool
read_one(struct client *client)
{
	const struct lp_serve_options *options = &client->serve->options;
	struct evbuffer *input = bufferevent_get_input(client->bev);
	Lp__Pb__ControlRequest *request;
	const uint8_t *payload;
	size_t len;
	enum lp_parse_result result = lp_stream_next(input, &payload, &len);

	if (result == LP_MORE)
		return false;
	if (result == LP_BAD) {
		doom(client, "it sent a frame of an impossible length");
		return false;
	}
	request = lp_message_unpack_request(payload, len);
	if (request == NULL) {
		doom(client, "it sent %zu bytes that are no request", len);
		return false;
	}
	lp_stream_drop(input, len);
	options->request(options->arg, client->number,
	    &(const struct lp_serve_peer){.who = client->who,
		.from = "unix",
		.role = "admin",
		.local = true},
	    request);
	return true;
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if (what & BEV_EVENT_EOF)
		doom(client, NULL);
	else if (what & BEV_EVENT_ERROR)
		doom(client, "%s", strerror(EVUTIL_SOCKET_ERROR()));
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	(void)fd;
	(void)what;
	doom(client, "it sent half a frame and then nothing for %u ms",
	    client->serve->options.frame_ms);
}

static void
reap(evutil_socket_t fd, short what, void *arg)
{
	struct lp_serve *serve = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < LP_SERVE_CLIENTS_MAX; i++) {
		struct client *client = &serve->clients[i];
		uint64_t number = client->number;

		if (number == 0 || !client->doomed)
			continue;
		clear(client);
		serve->options.gone(serve->options.arg, number);
	}
}

/* Takes ownership of fd. */
static int
start(struct client *client, evutil_socket_t fd)
{
	struct event_base *base = client->serve->options.base;

	client->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client->bev == NULL) {
		close(fd);
		return -ENOMEM;
	}
	client->timer = evtimer_new(base, on_timer, client);
	if (client->timer == NULL) {
		bufferevent_free(client->bev);
		client->bev = NULL;
		return -ENOMEM;
	}
	client->number = ++client->serve->last_number;
	client->doomed = false;
	identify(client, fd);
	bufferevent_setcb(client->bev, on_read, NULL, on_event, client);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
	return 0;
}

static void
identify(struct client *client, evutil_socket_t fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	const struct passwd *user;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
		snprintf(client->who, sizeof(client->who), "unknown");
		return;
	}
	user = getpwuid(cred.uid);
	snprintf(client->who, sizeof(client->who), "uid %u (%.32s), pid %d",
	    cred.uid, user != NULL ? user->pw_name : "?", cred.pid);
}

static void
doom(struct client *client, const char *format, ...)
{
	char why[128];
	va_list args;

	if (client->doomed)
		return;
	if (format != NULL) {
		va_start(args, format);
		vsnprintf(why, sizeof(why), format, args);
		va_end(args);
		lp_log_warn("client %s was closed: %s", client->who, why);
	}
	client->doomed = true;
	bufferevent_disable(client->bev, EV_READ | EV_WRITE);
	event_active(client->serve->reaper, EV_TIMEOUT, 0);
}

static void
clear(struct client *client)
{
	bufferevent_free(client->bev);
	event_free(client->timer);
	*client = (struct client){.serve = client->serve};
}
