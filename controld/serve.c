/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/serve.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controld/serve_client.h"
#include "controld/serve_tls.h"
#include "controld/stream.h"
#include "proto/listen.h"
#include "proto/log.h"

const struct lp_serve_remote_options lp_serve_remote_usual = {
    .handshake_ms = 5000,
    .idle_ms = 300000,
    .per_address = 8,
    /* A transaction of 100,000 rules is some 200 frames. */
    .rate = 100,
    .burst = 400,
    .handshakes = 100,
};

static int accept_from(struct lp_serve *serve, int fd);
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg);
static void on_accept_error(struct evconnlistener *listener, void *arg);
static void reap(evutil_socket_t fd, short what, void *arg);
static int start(
    struct lp_serve *serve, struct lp_serve_client *client, evutil_socket_t fd);
static void identify(struct lp_serve_client *client, evutil_socket_t fd);
static struct lp_serve_client *find(
    const struct lp_serve *serve, uint64_t number);
static void bound_outputs(struct lp_serve *serve, unsigned first, unsigned end);
static void overflow(struct lp_serve_client *client, const char *why);

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
	if (options->remote.tls != NULL) {
		int err = lp_serve_tls_open(serve, why);

		if (err != 0) {
			lp_serve_close(serve);
			return err;
		}
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
	for (unsigned i = 0; i < LP_SERVE_CLIENT_ALL; i++)
		if (serve->clients[i].number != 0)
			lp_serve_client_clear(&serve->clients[i]);
	lp_serve_tls_close(serve->tls);
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
	struct lp_serve_client *client = find(serve, client_number);
	struct evbuffer *output;

	if (client == NULL || client->doomed)
		return;
	output = bufferevent_get_output(client->bev);
	if (lp_stream_add(output, &reply->base) != 0)
		lp_serve_client_doom(client, "its answer does not fit a frame");
	else if (evbuffer_get_length(output) > LP_SERVE_OUTPUT_MAX)
		overflow(client, "it does not read its answers");
	else if (client->ssl == NULL)
		bound_outputs(serve, 0, LP_SERVE_CLIENTS_MAX);
	else
		bound_outputs(serve, LP_SERVE_CLIENTS_MAX, LP_SERVE_CLIENT_ALL);
	if (!client->doomed)
		lp_serve_client_answered(
		    client, !(reply->has_more && reply->more));
}

static struct lp_serve_client *
find(const struct lp_serve *serve, uint64_t number)
{
	const struct lp_serve_client *client = NULL;

	for (unsigned i = 0; i < LP_SERVE_CLIENT_ALL && number != 0; i++)
		if (serve->clients[i].number == number)
			client = &serve->clients[i];
	return (struct lp_serve_client *)client;
}

/* What was doomed before is freed in this turn of the loop. */
static void
bound_outputs(struct lp_serve *serve, unsigned first, unsigned end)
{
	struct lp_serve_client *slowest = NULL;
	size_t all = 0, most = 0;

	for (unsigned i = first; i < end; i++) {
		struct lp_serve_client *client = &serve->clients[i];
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
overflow(struct lp_serve_client *client, const char *why)
{
	client->serve->overflows++;
	lp_serve_client_doom(client, "%s", why);
}

size_t
lp_serve_unread(const struct lp_serve *serve, uint64_t number)
{
	const struct lp_serve_client *client = find(serve, number);

	return client == NULL
	    ? 0
	    : evbuffer_get_length(bufferevent_get_output(client->bev));
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

	for (unsigned i = 0; i < LP_SERVE_CLIENT_ALL; i++)
		count += serve->clients[i].number != 0;
	return count;
}

bool
lp_serve_remote(const struct lp_serve *serve, struct lp_serve_remote *status)
{
	if (serve == NULL || serve->tls == NULL)
		return false;
	lp_serve_tls_status(serve->tls, status);
	return true;
}

void
lp_serve_recheck(struct lp_serve *serve)
{
	if (serve->tls != NULL)
		lp_serve_tls_recheck(serve);
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
		struct lp_serve_client *client = &serve->clients[i];

		if (client->number != 0)
			continue;
		if (start(serve, client, fd) != 0)
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
reap(evutil_socket_t fd, short what, void *arg)
{
	struct lp_serve *serve = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < LP_SERVE_CLIENT_ALL; i++) {
		struct lp_serve_client *client = &serve->clients[i];
		uint64_t number = client->number;

		if (number == 0 || !client->doomed)
			continue;
		lp_serve_client_clear(client);
		serve->options.gone(serve->options.arg, number);
	}
}

/* Takes ownership of fd. */
static int
start(
    struct lp_serve *serve, struct lp_serve_client *client, evutil_socket_t fd)
{
	struct bufferevent *bev = bufferevent_socket_new(
	    serve->options.base, fd, BEV_OPT_CLOSE_ON_FREE);

	if (bev == NULL) {
		close(fd);
		return -ENOMEM;
	}
	identify(client, fd);
	snprintf(client->from, sizeof(client->from), "unix");
	snprintf(client->role, sizeof(client->role), "admin");
	return lp_serve_client_start(serve, client, bev);
}

static void
identify(struct lp_serve_client *client, evutil_socket_t fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) {
		snprintf(client->who, sizeof(client->who), "unknown");
		return;
	}
	lp_who_local(client->who, cred.uid, cred.pid);
}
