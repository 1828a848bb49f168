/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  libevent's evhttp reads requests and writes responses; this file
 * says what they are, and keeps the limits that evhttp does not have.
 *
 * Life-cycle.  A connection has one request and is closed behind its response,
 * for a scraper comes every few seconds and gains nothing from keeping it.  It
 * has a slot from the moment when it is accepted.  evhttp does not tell when
 * it lets a connection go, so the slot holds a reference to its bufferevent:
 * one that has no callbacks any more has been let go, and with the reference
 * its descriptor goes.  Slots are looked through whenever a connection ends
 * and every second; those that live too long are shut down then, which evhttp
 * takes as their end.
 *
 * A scrape waits for the collection that is going on, or starts one; all that
 * wait get references to the same page.
 *
 * Limits.  While all slots are used nothing is accepted.  Of a page that is not
 * read the daemon keeps LP_EXPORT_SCRAPES_MAX at most.
 */
#include "controld/export.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controld/clock.h"
#include "controld/export_collect.h"
#include "controld/stream.h"
#include "proto/log.h"
#include "proto/tcp.h"

/* Of the text format that every Prometheus can read. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum {
	BACKLOG = 64,
	SWEEP_S = 1,
	HTTP_FORBIDDEN = 403, /* evhttp has no name for it */
	/* Of one read; evhttp takes it out at once. */
	INPUT_MAX = 2 * LP_EXPORT_HEAD_MAX,
};

struct slot {
	struct bufferevent *bev; /* ours is one reference; NULL: free */
	uint64_t accepted_ms;
};

struct scrape {
	struct evhttp_request *request; /* NULL: it has been answered */
	struct evhttp_connection *connection; /* NULL: this place is free */
};

struct lp_export {
	struct lp_export_options options;
	struct evhttp *http;
	struct evconnlistener *listener; /* owned by http */
	struct event *sweeper;
	struct lp_export_collect *collect;
	struct slot slots[LP_EXPORT_CONNECTIONS_MAX];
	struct scrape scrapes[LP_EXPORT_SCRAPES_MAX];
};

static int start(struct lp_export *export);
static int start_http(struct lp_export *export);
static int start_listener(struct lp_export *export, char why[LP_WHY_SIZE]);
static struct bufferevent *on_connection(struct event_base *base, void *arg);
static void on_accept_error(struct evconnlistener *listener, void *arg);
static void on_sweep(evutil_socket_t fd, short what, void *arg);
static bool sweep_slot(struct lp_export *export, struct slot *slot);
static bool is_free(const struct slot *slot);
static void on_request(struct evhttp_request *request, void *arg);
static void serve_metrics(
    struct lp_export *export, struct evhttp_request *request);
static bool is_ours(const char *host);
static bool is_address(const char *host);
static void on_gone(struct evhttp_connection *connection, void *arg);
static void on_page(void *arg, struct evbuffer *page);
static void send_page(struct scrape *scrape, struct evbuffer *page);
static void send_text(struct evhttp_request *request, int status,
    const char *type, const char *text);
static void add_header(
    struct evhttp_request *request, const char *name, const char *value);

int
lp_export_open(struct lp_export **out, const struct lp_export_options *options,
    char why[LP_WHY_SIZE])
{
	struct lp_export *export = calloc(1, sizeof(*export));
	int err = -ENOMEM;

	if (export != NULL) {
		export->options = *options;
		err = start(export);
	}
	if (err != 0)
		snprintf(why, LP_WHY_SIZE, "%s", strerror(-err));
	else
		err = start_listener(export, why);
	if (err != 0) {
		lp_export_close(export);
		return err;
	}
	*out = export;
	return 0;
}

void
lp_export_close(struct lp_export *export)
{
	if (export == NULL)
		return;
	if (export->http != NULL)
		evhttp_free(export->http); /* scrapes hear of it: on_gone() */
	for (unsigned i = 0; i < LP_EXPORT_CONNECTIONS_MAX; i++)
		if (export->slots[i].bev != NULL)
			bufferevent_decref(export->slots[i].bev);
	if (export->sweeper != NULL)
		event_free(export->sweeper);
	lp_export_collect_free(export->collect);
	free(export);
}

void
lp_export_reply(struct lp_export *export, const Lp__Pb__ControlReply *reply)
{
	lp_export_collect_reply(export->collect, reply);
}

uint16_t
lp_export_port(const struct lp_export *export)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;

	if (getsockname(evconnlistener_get_fd(export->listener),
		(struct sockaddr *)&address, &len) != 0)
		return 0;
	return ntohs(
	    address.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

unsigned
lp_export_count(const struct lp_export *export)
{
	unsigned count = 0;

	for (unsigned i = 0; i < LP_EXPORT_CONNECTIONS_MAX; i++)
		count += !is_free(&export->slots[i]);
	return count;
}

static int
start(struct lp_export *export)
{
	const struct lp_export_collect_options collect = {
	    .ask = export->options.ask,
	    .cancel = export->options.cancel,
	    .arg = export->options.arg,
	    .done = on_page,
	    .done_arg = export,
	    .base = export->options.base,
	    .time_ms = export->options.collect_ms,
	    .size_max = export->options.size_max,
	};
	int err = lp_export_collect_new(&export->collect, &collect);

	return err != 0 ? err : start_http(export);
}

static int
start_http(struct lp_export *export)
{
	const struct timeval often = {.tv_sec = SWEEP_S};

	export->sweeper =
	    event_new(export->options.base, -1, EV_PERSIST, on_sweep, export);
	export->http = evhttp_new(export->options.base);
	if (export->sweeper == NULL || export->http == NULL ||
	    event_add(export->sweeper, &often) != 0)
		return -ENOMEM;
	evhttp_set_max_headers_size(export->http, LP_EXPORT_HEAD_MAX);
	evhttp_set_max_body_size(export->http, 0);
	evhttp_set_timeout(export->http, (int)export->options.idle_s);
	/* All that it knows: a wrong one is answered by us, with 405. */
	evhttp_set_allowed_methods(export->http,
	    EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
		EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
		EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_bevcb(export->http, on_connection, export);
	evhttp_set_gencb(export->http, on_request, export);
	return 0;
}

static int
start_listener(struct lp_export *export, char why[LP_WHY_SIZE])
{
	struct sockaddr_storage address;
	socklen_t len = lp_tcp_address(&address, &export->options.address);
	char text[LP_ENDPOINT_TEXT_SIZE];
	struct evconnlistener *listener;
	int err;

	errno = 0;
	listener = evconnlistener_new_bind(export->options.base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
	    BACKLOG, (struct sockaddr *)&address, (int)len);
	err = errno != 0 ? -errno : -ENOMEM;
	if (listener == NULL) {
		snprintf(why, LP_WHY_SIZE, "%s: %s",
		    lp_endpoint_format(text, &export->options.address),
		    strerror(-err));
		return err;
	}
	evconnlistener_set_error_cb(listener, on_accept_error);
	if (evhttp_bind_listener(export->http, listener) == NULL) {
		evconnlistener_free(listener);
		snprintf(why, LP_WHY_SIZE, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	export->listener = listener;
	return 0;
}

/* One was accepted: evhttp asks for its bufferevent. */
static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	struct lp_export *export = arg;
	struct slot *slot = NULL;
	unsigned free_count = 0;

	for (unsigned i = 0; i < LP_EXPORT_CONNECTIONS_MAX; i++) {
		if (!sweep_slot(export, &export->slots[i]))
			continue;
		slot = &export->slots[i];
		free_count++;
	}
	assert(slot != NULL); /* or we would not listen */
	slot->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (slot->bev == NULL)
		return NULL; /* evhttp tries for itself */
	bufferevent_incref(slot->bev);
	bufferevent_setwatermark(slot->bev, EV_READ, 0, INPUT_MAX);
	slot->accepted_ms = lp_clock_now_ms();
	if (free_count == 1)
		evconnlistener_disable(export->listener);
	return slot->bev;
}

/* No descriptors, as a rule: the next sweep tries again. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)arg; /* evhttp's */
	lp_log_warn("metrics: accept: %s", strerror(errno));
	evconnlistener_disable(listener);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct lp_export *export = arg;
	unsigned free_count = 0;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < LP_EXPORT_CONNECTIONS_MAX; i++)
		free_count += sweep_slot(export, &export->slots[i]);
	if (free_count > 0)
		evconnlistener_enable(export->listener);
}

/* True if it is free now. */
static bool
sweep_slot(struct lp_export *export, struct slot *slot)
{
	if (slot->bev == NULL)
		return true;
	if (is_free(slot)) {
		bufferevent_decref(slot->bev);
		slot->bev = NULL;
		return true;
	}
	if (lp_clock_now_ms() - slot->accepted_ms >= export->options.life_ms)
		shutdown(bufferevent_getfd(slot->bev), SHUT_RDWR);
	return false;
}

/* evhttp has let it go: bufferevent_free() takes its callbacks away. */
static bool
is_free(const struct slot *slot)
{
	bufferevent_event_cb on_event;

	if (slot->bev == NULL)
		return true;
	bufferevent_getcb(slot->bev, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

static void
on_request(struct evhttp_request *request, void *arg)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	struct lp_export *export = arg;

	evhttp_connection_set_closecb(
	    evhttp_request_get_connection(request), on_gone, export);
	if (path == NULL || path[0] == '\0')
		path = "/";
	if (strcmp(path, "/") != 0 && strcmp(path, "/metrics") != 0 &&
	    strcmp(path, "/healthz") != 0) {
		send_text(request, HTTP_NOTFOUND, "text/plain",
		    "not found: metrics are at /metrics\n");
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		add_header(request, "Allow", "GET, HEAD");
		send_text(request, HTTP_BADMETHOD, "text/plain",
		    "only GET and HEAD\n");
	} else if (strcmp(path, "/") == 0) {
		send_text(request, HTTP_OK, "text/html; charset=utf-8",
		    "<!DOCTYPE html>\n<title>Lightpath</title>\n"
		    "<h1>Lightpath " LP_VERSION "</h1>\n"
		    "<p><a href=\"/metrics\">Metrics</a></p>\n");
	} else if (strcmp(path, "/healthz") == 0) {
		send_text(request, HTTP_OK, "text/plain", "ok\n");
	} else {
		serve_metrics(export, request);
	}
}

static void
serve_metrics(struct lp_export *export, struct evhttp_request *request)
{
	struct scrape *scrape = NULL;

	if (!is_ours(evhttp_request_get_host(request))) {
		send_text(request, HTTP_FORBIDDEN, "text/plain",
		    "not by this name: come by address, or by the host's "
		    "own name\n");
		return;
	}
	/* Of a HEAD the answer is known, without asking anybody. */
	if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
		send_text(request, HTTP_OK, METRICS_TYPE, "");
		return;
	}
	for (unsigned i = 0; i < LP_EXPORT_SCRAPES_MAX; i++)
		if (export->scrapes[i].connection == NULL)
			scrape = &export->scrapes[i];
	if (scrape == NULL) {
		add_header(request, "Retry-After", "1");
		send_text(request, HTTP_SERVUNAVAIL, "text/plain",
		    "other scrapes are not done yet\n");
		return;
	}
	scrape->request = request;
	scrape->connection = evhttp_request_get_connection(request);
	if (!lp_export_collect_start(export->collect))
		send_page(scrape, NULL);
}

/*
 * A page in somebody's browser may have a name that leads to our address (DNS
 * rebinding), and would read what it likes: so no names but our own.  NULL:
 * none was said, as no browser does.
 */
static bool
is_ours(const char *host)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (host == NULL || is_address(host) ||
	    strcasecmp(host, "localhost") == 0)
		return true;
	gethostname(name, sizeof(name) - 1);
	if (name[0] == '\0')
		return false;
	if (strcasecmp(host, name) == 0)
		return true;
	name[strcspn(name, ".")] = '\0';
	return strcasecmp(host, name) == 0;
}

/* RFC 3986, 3.2.2: an IPv6 address is in brackets. */
static bool
is_address(const char *host)
{
	char text[INET6_ADDRSTRLEN];
	size_t len = strlen(host);
	struct in6_addr address;

	if (len < 2 || host[0] != '[')
		return inet_pton(AF_INET, host, &address) == 1;
	if (host[len - 1] != ']' || len - 2 >= sizeof(text))
		return false;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

/* It was answered, or hung up before. */
static void
on_gone(struct evhttp_connection *connection, void *arg)
{
	struct lp_export *export = arg;

	for (unsigned i = 0; i < LP_EXPORT_SCRAPES_MAX; i++)
		if (export->scrapes[i].connection == connection)
			export->scrapes[i] = (struct scrape){0};
	/* Its slot is free in the next turn of the loop. */
	event_active(export->sweeper, EV_TIMEOUT, 0);
}

static void
on_page(void *arg, struct evbuffer *page)
{
	struct lp_export *export = arg;

	for (unsigned i = 0; i < LP_EXPORT_SCRAPES_MAX; i++)
		if (export->scrapes[i].request != NULL)
			send_page(&export->scrapes[i], page);
}

/* NULL: there is none. */
static void
send_page(struct scrape *scrape, struct evbuffer *page)
{
	struct evhttp_request *request = scrape->request;

	scrape->request = NULL;
	if (page == NULL ||
	    evbuffer_add_buffer_reference(
		evhttp_request_get_output_buffer(request), page) != 0) {
		send_text(request, HTTP_SERVUNAVAIL, "text/plain",
		    "no memory for the metrics\n");
		return;
	}
	add_header(request, "Content-Type", METRICS_TYPE);
	add_header(request, "Connection", "close");
	evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

/* For HEAD the same without its body. */
static void
send_text(struct evhttp_request *request, int status, const char *type,
    const char *text)
{
	struct evbuffer *out = evhttp_request_get_output_buffer(request);

	evbuffer_drain(out, evbuffer_get_length(out));
	if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD)
		evbuffer_add(out, text, strlen(text));
	add_header(request, "Content-Type", type);
	add_header(request, "Connection", "close");
	evhttp_send_reply(request, status, NULL, NULL);
}

static void
add_header(struct evhttp_request *request, const char *name, const char *value)
{
	evhttp_add_header(
	    evhttp_request_get_output_headers(request), name, value);
}
