/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle.  A client is known by a number that is never used again, so an
 * answer that comes late finds nobody rather than somebody else.  Closing
 * happens in two steps: doom() marks it, from wherever that is noticed, and
 * the reaper frees it from the event loop, where nobody holds it.
 */
#include "controld/serve.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/listener.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/stream.h"
#include "proto/log.h"

enum { BACKLOG = 64 };

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
	struct client clients[LP_SERVE_CLIENTS_MAX];
};

static int check_path(
    const char *path, const struct sockaddr_un *address, char *why);
static int listen_at(struct lp_serve *serve, int fd,
    const struct sockaddr_un *address, char *why);
static int set_group(const char *path, const char *group, char *why);
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
static void doom(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void clear(struct client *client);
static int refuse(char *why, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int
lp_serve_open(struct lp_serve **out, const struct lp_serve_options *options,
    char why[LP_SERVE_WHY_SIZE])
{
	struct lp_serve *serve;
	struct sockaddr_un address;
	int err, fd;

	if (lp_stream_address(&address, options->path) != 0)
		return refuse(why, -ENAMETOOLONG,
		    "%s: longer than the path of a socket can be",
		    options->path);
	err = check_path(options->path, &address, why);
	if (err != 0)
		return err;
	serve = calloc(1, sizeof(*serve));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (serve == NULL || fd < 0) {
		err = refuse(
		    why, -errno, "%s: %s", options->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		free(serve);
		return err;
	}
	serve->options = *options;
	err = listen_at(serve, fd, &address, why);
	if (err != 0) {
		lp_serve_close(serve);
		return err;
	}
	*out = serve;
	return 0;
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
		doom(client, "it does not read its answers");
}

unsigned
lp_serve_count(const struct lp_serve *serve)
{
	unsigned count = 0;

	for (unsigned i = 0; i < LP_SERVE_CLIENTS_MAX; i++)
		count += serve->clients[i].number != 0;
	return count;
}

/* Nothing there, or a socket that nobody listens on: then it goes. */
static int
check_path(const char *path, const struct sockaddr_un *address, char *why)
{
	struct stat status;
	int fd, err;

	if (lstat(path, &status) != 0)
		return errno == ENOENT
		    ? 0
		    : refuse(why, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return refuse(
		    why, -ENOTSOCK, "%s: is there, and is no socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(why, -errno, "%s: %s", path, strerror(errno));
	err = connect(fd, (const struct sockaddr *)address, sizeof(*address))
	    ? errno
	    : 0;
	close(fd);
	/* A full backlog (EAGAIN) is a living daemon, too. */
	if (err == 0 || err == EAGAIN)
		return refuse(why, -EADDRINUSE,
		    "%s: another daemon serves this socket", path);
	if (err != ECONNREFUSED)
		return refuse(why, -err, "%s: %s", path, strerror(err));
	if (unlink(path) != 0)
		return refuse(why, -errno,
		    "%s: left by a dead daemon, cannot be removed: %s", path,
		    strerror(errno));
	return 0;
}

/* Takes ownership of fd. */
static int
listen_at(struct lp_serve *serve, int fd, const struct sockaddr_un *address,
    char *why)
{
	const struct lp_serve_options *options = &serve->options;
	mode_t mask = umask(0117); /* 0660 from the first moment */
	int err = bind(fd, (const struct sockaddr *)address, sizeof(*address))
	    ? -errno
	    : 0;

	umask(mask);
	if (err != 0) {
		close(fd);
		return refuse(
		    why, err, "%s: %s", options->path, strerror(-err));
	}
	serve->path = strdup(options->path); /* ours to remove from now on */
	err = set_group(options->path, options->group, why);
	if (err == 0)
		serve->listener = evconnlistener_new(options->base, on_accept,
		    serve, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
		    BACKLOG, fd);
	if (serve->listener == NULL)
		close(fd);
	if (err != 0)
		return err;
	serve->reaper = event_new(options->base, -1, 0, reap, serve);
	if (serve->path == NULL || serve->listener == NULL ||
	    serve->reaper == NULL)
		return refuse(why, -ENOMEM, "%s: cannot listen: %s",
		    options->path, strerror(errno));
	evconnlistener_set_error_cb(serve->listener, on_accept_error);
	return 0;
}

static int
set_group(const char *path, const char *group, char *why)
{
	const struct group *entry;

	if (group == NULL)
		return 0;
	entry = getgrnam(group);
	if (entry == NULL)
		return refuse(
		    why, -ENOENT, "--group %s: there is no such group", group);
	if (chown(path, (uid_t)-1, entry->gr_gid) != 0)
		return refuse(why, -errno,
		    "%s: cannot be given to group %s: "
		    "%s",
		    path, group, strerror(errno));
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
	options->request(options->arg, client->number, client->who, request);
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

static int
refuse(char *why, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, LP_SERVE_WHY_SIZE, format, args);
	va_end(args);
	return err;
}
