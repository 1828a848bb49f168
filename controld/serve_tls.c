/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/serve_tls.h"

#include <assert.h>
#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "controld/clock.h"
#include "controld/serve_site.h"
#include "controld/stream.h"
#include "proto/log.h"
#include "proto/tcp.h"

enum {
	/* Most of them are closed at once. */
	ACCEPTS_PER_S = 4096,
	/* Lines of the log that others bring about. */
	LINES_PER_S = 1,
	LINES_BURST = 20,
};

struct lp_serve_tls {
	struct lp_serve *serve;
	struct evconnlistener *listener;
	struct event *resume; /* after too many */
	bool owed; /* a handshake, made when there was none left */
	struct lp_rate accepts, handshakes;
	struct lp_serve_sites sites;
	struct lp_rate_log log;
	struct lp_serve_remote counters;
};

static int start_listener(
    struct lp_serve_tls *tls, char why[LP_SERVE_WHY_SIZE]);
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg);
static void on_accept_error(struct evconnlistener *listener, void *arg);
static void on_resume(evutil_socket_t fd, short what, void *arg);
static struct lp_serve_client *place_for(
    struct lp_serve_tls *tls, const struct lp_endpoint *from);
static unsigned count_clients(const struct lp_serve_tls *tls);
static struct lp_serve_client *who_gives_way(const struct lp_serve_tls *tls);
static int start(struct lp_serve_tls *tls, struct lp_serve_client *client,
    evutil_socket_t fd, const struct lp_endpoint *from);
static void fail(struct lp_serve_client *client);
static void welcome(struct lp_serve_client *client);
static void pause_accepting(struct lp_serve_tls *tls, unsigned ms);
static void refuse(struct lp_serve_tls *tls, uint64_t *counter,
    const char *from, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

int
lp_serve_tls_open(struct lp_serve *serve, char why[LP_SERVE_WHY_SIZE])
{
	const struct lp_serve_remote_options *options = &serve->options.remote;
	struct lp_serve_tls *tls = calloc(1, sizeof(*tls));
	int err = -ENOMEM;

	snprintf(why, LP_SERVE_WHY_SIZE, "no memory to listen");
	if (tls == NULL)
		return err;
	tls->serve = serve;
	tls->accepts.per_s = tls->accepts.burst = ACCEPTS_PER_S;
	tls->handshakes.per_s = options->handshakes;
	tls->handshakes.burst = LP_SERVE_SHAKING_MAX;
	tls->log.rate.per_s = LINES_PER_S;
	tls->log.rate.burst = LINES_BURST;
	tls->resume = evtimer_new(serve->options.base, on_resume, tls);
	if (tls->resume != NULL)
		err = start_listener(tls, why);
	if (err != 0) {
		lp_serve_tls_close(tls);
		return err;
	}
	serve->tls = tls;
	return 0;
}

void
lp_serve_tls_close(struct lp_serve_tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->listener != NULL)
		evconnlistener_free(tls->listener);
	if (tls->resume != NULL)
		event_free(tls->resume);
	free(tls);
}

void
lp_serve_tls_status(
    const struct lp_serve_tls *tls, struct lp_serve_remote *status)
{
	const struct lp_tls *loaded = tls->serve->options.remote.tls;

	*status = tls->counters;
	status->clients = count_clients(tls);
	status->expires_ns = lp_tls_expires_ns(loaded);
	snprintf(status->why, sizeof(status->why), "%s", lp_tls_why(loaded));
}

void
lp_serve_tls_recheck(struct lp_serve *serve)
{
	char why[LP_TLS_WHY_SIZE];

	for (unsigned i = LP_SERVE_CLIENTS_MAX; i < LP_SERVE_CLIENT_ALL; i++) {
		struct lp_serve_client *client = &serve->clients[i];

		if (client->number != 0 && !client->shaking &&
		    !client->doomed &&
		    lp_tls_again(serve->options.remote.tls, client->ssl, why) !=
			0)
			lp_serve_client_doom(client, "%s", why);
	}
}

void
lp_serve_tls_event(struct lp_serve_client *client, short what)
{
	struct lp_serve_tls *tls = client->serve->tls;
	int code = what & BEV_EVENT_EOF ? 0 : EVUTIL_SOCKET_ERROR();
	char why[LP_TLS_WHY_SIZE];
	enum lp_tls_fault fault;

	if (what & BEV_EVENT_CONNECTED) {
		welcome(client);
		return;
	}
	fault = lp_tls_failed(
	    client->ssl, bufferevent_get_openssl_error(client->bev), code, why);
	if (client->shaking) {
		refuse(tls, NULL, client->from, "%s", why);
		fail(client);
	} else {
		lp_serve_client_doom(
		    client, fault == LP_TLS_CUT ? NULL : "%s", why);
	}
}

void
lp_serve_tls_late(struct lp_serve_client *client)
{
	struct lp_serve_tls *tls = client->serve->tls;
	const struct lp_serve_remote_options *options =
	    &client->serve->options.remote;

	if (client->doomed)
		return;
	if (client->shaking) {
		refuse(tls, &tls->counters.late, client->from,
		    "no handshake within %u ms", options->handshake_ms);
		fail(client);
	} else {
		tls->counters.idle++;
		lp_serve_client_doom(
		    client, "it has asked nothing for %u ms", options->idle_ms);
	}
}

void
lp_serve_tls_delayed(struct lp_serve_client *client)
{
	struct lp_serve_tls *tls = client->serve->tls;

	tls->counters.delayed++;
	lp_rate_warn(&tls->log, lp_clock_now_ms(),
	    "client %s (%s) asks more than %u times a second: its requests "
	    "wait",
	    client->who, client->from, client->rate.per_s);
}

static int
start_listener(struct lp_serve_tls *tls, char why[LP_SERVE_WHY_SIZE])
{
	const struct lp_serve_options *options = &tls->serve->options;
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char text[LP_WHY_SIZE];
	int fd = lp_tcp_listen(&options->remote.address, text);

	if (fd < 0) {
		snprintf(why, LP_SERVE_WHY_SIZE, "--listen %s", text);
		return fd;
	}
	tls->listener = evconnlistener_new(options->base, on_accept, tls,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (tls->listener == NULL) {
		close(fd);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(tls->listener, on_accept_error);
	/* The port, where the kernel was to choose it. */
	tls->counters.address = options->remote.address;
	if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		lp_tcp_endpoint(
		    &tls->counters.address, (struct sockaddr *)&address);
	return 0;
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct lp_serve_tls *tls = arg;
	struct lp_serve_client *client;
	struct lp_endpoint from;
	uint64_t now = lp_clock_now_ms();
	unsigned wait_ms = lp_rate_take(&tls->accepts, now);

	(void)listener;
	(void)len;
	if (wait_ms != 0)
		pause_accepting(tls, wait_ms);
	lp_tcp_endpoint(&from, address);
	client = place_for(tls, &from);
	if (client == NULL) {
		close(fd);
		return;
	}
	/* The next ones wait in the backlog. */
	wait_ms = lp_rate_take(&tls->handshakes, now);
	if (wait_ms != 0) {
		tls->owed = true;
		pause_accepting(tls, wait_ms);
	}
	if (start(tls, client, fd, &from) != 0)
		refuse(tls, NULL, client->from, "no memory");
}

/* Out of descriptors, most likely. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)listener;
	lp_log_warn("--listen: accept: %s", strerror(errno));
	pause_accepting(arg, 1000);
}

static void
pause_accepting(struct lp_serve_tls *tls, unsigned ms)
{
	const struct timeval wait = lp_clock_timeval(ms);

	evconnlistener_disable(tls->listener);
	evtimer_add(tls->resume, &wait);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct lp_serve_tls *tls = arg;

	(void)fd;
	(void)what;
	if (tls->owed)
		(void)lp_rate_take(&tls->handshakes, lp_clock_now_ms());
	tls->owed = false;
	evconnlistener_enable(tls->listener);
}

/* NULL: there is none for him. */
static struct lp_serve_client *
place_for(struct lp_serve_tls *tls, const struct lp_endpoint *from)
{
	const struct lp_serve_remote_options *options =
	    &tls->serve->options.remote;
	struct lp_serve_client *free_one = NULL, *victim;
	unsigned shaking = 0, clients = count_clients(tls), of_site = 0;
	uint64_t now = lp_clock_now_ms();
	char text[LP_ENDPOINT_TEXT_SIZE];

	lp_endpoint_format(text, from);
	for (unsigned i = LP_SERVE_CLIENTS_MAX; i < LP_SERVE_CLIENT_ALL; i++) {
		struct lp_serve_client *client = &tls->serve->clients[i];

		if (client->number == 0) {
			free_one = client;
			continue;
		}
		of_site += lp_tcp_same_site(&client->ip, &from->ip);
		shaking += client->shaking;
	}
	if (of_site >= options->per_address) {
		refuse(tls, &tls->counters.full, text,
		    "its address has %u connections already", of_site);
		return NULL;
	}
	if (clients >= LP_SERVE_REMOTE_MAX) {
		refuse(tls, &tls->counters.full, text,
		    "there are %u clients already", clients);
		return NULL;
	}
	if (lp_rate_wait(&tls->handshakes, now) != 0 &&
	    lp_serve_site_fails(&tls->sites, &from->ip, now)) {
		refuse(tls, &tls->counters.full, text,
		    "handshakes of its address have failed too often");
		return NULL;
	}
	if (shaking < LP_SERVE_SHAKING_MAX)
		return free_one;
	victim = who_gives_way(tls);
	refuse(tls, &tls->counters.late, victim->from,
	    "no handshake before %d others came", LP_SERVE_SHAKING_MAX);
	lp_serve_client_clear(victim);
	return victim;
}

/* Those who are through with their handshake. */
static unsigned
count_clients(const struct lp_serve_tls *tls)
{
	unsigned count = 0;

	for (unsigned i = LP_SERVE_CLIENTS_MAX; i < LP_SERVE_CLIENT_ALL; i++)
		count += tls->serve->clients[i].number != 0 &&
		    !tls->serve->clients[i].shaking;
	return count;
}

/* So who has few addresses makes his own give way, and not those of others. */
static struct lp_serve_client *
who_gives_way(const struct lp_serve_tls *tls)
{
	const struct lp_serve_client *first =
	    &tls->serve->clients[LP_SERVE_CLIENTS_MAX];
	const struct lp_serve_client *end = first + LP_SERVE_CLIENT_FAR;
	const struct lp_serve_client *victim = NULL;
	unsigned most = 0;

	for (const struct lp_serve_client *at = first; at < end; at++) {
		unsigned count = 0;

		if (at->number == 0 || !at->shaking)
			continue;
		for (const struct lp_serve_client *i = first; i < end; i++)
			count += i->number != 0 && i->shaking &&
			    lp_tcp_same_site(&i->ip, &at->ip);
		if (count > most ||
		    (count == most && at->number < victim->number)) {
			most = count;
			victim = at;
		}
	}
	assert(victim != NULL);
	return (struct lp_serve_client *)victim;
}

/* Takes ownership of fd. */
static int
start(struct lp_serve_tls *tls, struct lp_serve_client *client,
    evutil_socket_t fd, const struct lp_endpoint *from)
{
	const struct lp_serve_options *options = &tls->serve->options;
	struct ssl_st *ssl = lp_tls_server(options->remote.tls, NULL);
	struct bufferevent *bev = NULL;

	if (ssl != NULL)
		bev = bufferevent_openssl_socket_new(options->base, fd, ssl,
		    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		lp_tls_free(ssl);
		close(fd);
		return -ENOMEM;
	}
	lp_tcp_keep_alive(fd);
	client->ssl = ssl;
	client->ip = from->ip;
	lp_endpoint_format(client->from, from);
	snprintf(client->who, sizeof(client->who), "unknown");
	return lp_serve_client_start(tls->serve, client, bev);
}

/* It has shown its certificate. */
static void
welcome(struct lp_serve_client *client)
{
	struct lp_serve_tls *tls = client->serve->tls;
	struct lp_tls_peer peer;
	enum lp_tls_fault fault;
	char why[LP_TLS_WHY_SIZE];
	unsigned clients = count_clients(tls);

	if (lp_tls_welcome(client->ssl, &peer, &fault, why) != 0) {
		refuse(tls, NULL, client->from, "%s", why);
		fail(client);
		return;
	}
	if (clients >= LP_SERVE_REMOTE_MAX) {
		refuse(tls, &tls->counters.full, client->from,
		    "there are %u clients already", clients);
		lp_serve_client_doom(client, NULL);
		return;
	}
	snprintf(client->who, sizeof(client->who), "%s", peer.name);
	snprintf(client->role, sizeof(client->role), "%s", peer.role);
	client->shaking = false;
	tls->counters.accepted++;
	lp_serve_client_answered(client, false); /* it may ask now */
	lp_log_debug("client %s (%s), role \"%s\", certificate %s", peer.name,
	    client->from, peer.role, peer.serial);
}

/* By its own fault. */
static void
fail(struct lp_serve_client *client)
{
	lp_serve_site_failed(
	    &client->serve->tls->sites, &client->ip, lp_clock_now_ms());
	lp_serve_client_doom(client, NULL);
}

/* Counted in any case; counter: of its kind, or NULL. */
static void
refuse(struct lp_serve_tls *tls, uint64_t *counter, const char *from,
    const char *format, ...)
{
	char why[LP_TLS_WHY_SIZE];
	va_list args;

	tls->counters.refused++;
	if (counter != NULL)
		++*counter;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	lp_rate_warn(
	    &tls->log, lp_clock_now_ms(), "%s was refused: %s", from, why);
}
