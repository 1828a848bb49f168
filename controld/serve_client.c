/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle.  A client is known by a number that is never used again, so an
 * answer that comes late finds nobody rather than somebody else.  Closing
 * happens in two steps: doom() marks it, from wherever that is noticed, and
 * the reaper frees it from the event loop, where nobody holds it.
 *
 * Limits of who is far: requests that come faster than the rate wait in its
 * socket, and who neither asks nor waits for an answer is closed.
 */
#include "controld/serve_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>

#include "controld/clock.h"
#include "controld/serve_tls.h"
#include "controld/stream.h"
#include "proto/log.h"

/* What is read ahead of a request that has to wait. */
enum { INPUT_MAX = 2 * LP_FRAME_SIZE_MAX };

static void on_read(struct bufferevent *bev, void *arg);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void on_timer(evutil_socket_t fd, short what, void *arg);
static void on_patience(evutil_socket_t fd, short what, void *arg);
static void on_pause(evutil_socket_t fd, short what, void *arg);
static void read_all(struct lp_serve_client *client);
static bool read_one(struct lp_serve_client *client);
static void ask(
    struct lp_serve_client *client, Lp__Pb__ControlRequest *request);
static bool is_answered(const Lp__Pb__ControlRequest *request);
static void wait_for_request(struct lp_serve_client *client);
static void add_ms(struct event *event, unsigned ms);

int
lp_serve_client_start(struct lp_serve *serve, struct lp_serve_client *client,
    struct bufferevent *bev)
{
	struct event_base *base = serve->options.base;
	const struct lp_serve_remote_options *remote = &serve->options.remote;

	client->serve = serve;
	client->bev = bev;
	client->doomed = false;
	client->timer = evtimer_new(base, on_timer, client);
	if (client->timer == NULL)
		goto no_memory;
	if (client->ssl != NULL) {
		client->patience = evtimer_new(base, on_patience, client);
		client->pause = evtimer_new(base, on_pause, client);
		if (client->patience == NULL || client->pause == NULL)
			goto no_memory;
		client->shaking = true;
		client->rate.per_s = remote->rate;
		client->rate.burst = remote->burst;
		add_ms(client->patience, remote->handshake_ms);
		bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
	}
	client->number = ++serve->last_number;
	bufferevent_setcb(bev, on_read, NULL, on_event, client);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return 0;
no_memory:
	lp_serve_client_clear(client);
	return -ENOMEM;
}

void
lp_serve_client_doom(struct lp_serve_client *client, const char *format, ...)
{
	char why[LP_TLS_WHY_SIZE];
	va_list args;

	if (client->doomed)
		return;
	if (format != NULL) {
		va_start(args, format);
		vsnprintf(why, sizeof(why), format, args);
		va_end(args);
		lp_log_warn("client %s%s%s%s was closed: %s", client->who,
		    client->ssl != NULL ? " (" : "",
		    client->ssl != NULL ? client->from : "",
		    client->ssl != NULL ? ")" : "", why);
	}
	client->doomed = true;
	bufferevent_disable(client->bev, EV_READ | EV_WRITE);
	event_active(client->serve->reaper, EV_TIMEOUT, 0);
}

void
lp_serve_client_clear(struct lp_serve_client *client)
{
	if (client->ssl != NULL && !client->shaking)
		lp_tls_bye(client->ssl);
	bufferevent_free(client->bev);
	if (client->timer != NULL)
		event_free(client->timer);
	if (client->patience != NULL)
		event_free(client->patience);
	if (client->pause != NULL)
		event_free(client->pause);
	*client = (struct lp_serve_client){.serve = client->serve};
}

void
lp_serve_client_answered(struct lp_serve_client *client, bool last)
{
	if (last && client->owed > 0)
		client->owed--;
	wait_for_request(client);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	read_all(arg);
}

static void
read_all(struct lp_serve_client *client)
{
	const struct evbuffer *input = bufferevent_get_input(client->bev);
	bool any = false;

	while (!client->doomed && !client->paused && read_one(client))
		any = true;
	if (client->doomed)
		return;
	if (any || client->paused || evbuffer_get_length(input) == 0)
		evtimer_del(client->timer);
	/* From its first byte: one byte a second does not gain time. */
	if (evbuffer_get_length(input) > 0 && !client->paused &&
	    !evtimer_pending(client->timer, NULL))
		add_ms(client->timer, client->serve->options.frame_ms);
}

static bool
read_one(struct lp_serve_client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->bev);
	Lp__Pb__ControlRequest *request;
	const uint8_t *payload;
	size_t len;
	enum lp_parse_result result = lp_stream_next(input, &payload, &len);
	unsigned wait_ms;

	if (result == LP_MORE)
		return false;
	if (result == LP_BAD) {
		lp_serve_client_doom(
		    client, "it sent a frame of an impossible length");
		return false;
	}
	wait_ms = lp_rate_take(&client->rate, lp_clock_now_ms());
	if (wait_ms != 0) {
		client->paused = true;
		bufferevent_disable(client->bev, EV_READ);
		add_ms(client->pause, wait_ms);
		lp_serve_tls_delayed(client);
		return false;
	}
	request = lp_message_unpack_request(payload, len);
	if (request == NULL) {
		lp_serve_client_doom(
		    client, "it sent %zu bytes that are no request", len);
		return false;
	}
	lp_stream_drop(input, len);
	ask(client, request);
	return true;
}

static void
ask(struct lp_serve_client *client, Lp__Pb__ControlRequest *request)
{
	const struct lp_serve_options *options = &client->serve->options;
	const struct lp_serve_peer peer = {.who = client->who,
	    .from = client->from,
	    .role = client->role,
	    .local = client->ssl == NULL};

	client->owed += is_answered(request);
	wait_for_request(client);
	options->request(options->arg, client->number, &peer, request);
}

/* What is continued, or ends what was asked before, has no answer of its own.
 */
static bool
is_answered(const Lp__Pb__ControlRequest *request)
{
	if (request->body_case == LP__PB__CONTROL_REQUEST__BODY_TRANSACTION)
		return !request->transaction->more;
	if (request->body_case == LP__PB__CONTROL_REQUEST__BODY_CAPTURE)
		return !request->capture->stop;
	return true;
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct lp_serve_client *client = arg;

	(void)bev;
	if (client->doomed)
		return;
	if (client->ssl != NULL)
		lp_serve_tls_event(client, what);
	else if (what & BEV_EVENT_EOF)
		lp_serve_client_doom(client, NULL);
	else if (what & BEV_EVENT_ERROR)
		lp_serve_client_doom(
		    client, "%s", strerror(EVUTIL_SOCKET_ERROR()));
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lp_serve_client *client = arg;

	(void)fd;
	(void)what;
	lp_serve_client_doom(client,
	    "it sent half a frame and then nothing for %u ms",
	    client->serve->options.frame_ms);
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	lp_serve_tls_late(arg);
}

static void
on_pause(evutil_socket_t fd, short what, void *arg)
{
	struct lp_serve_client *client = arg;

	(void)fd;
	(void)what;
	if (client->doomed)
		return;
	client->paused = false;
	bufferevent_enable(client->bev, EV_READ);
	read_all(client);
}

/* Who is owed an answer may wait for it as long as it takes. */
static void
wait_for_request(struct lp_serve_client *client)
{
	if (client->ssl == NULL || client->shaking)
		return;
	if (client->owed > 0)
		evtimer_del(client->patience);
	else
		add_ms(client->patience, client->serve->options.remote.idle_ms);
}

static void
add_ms(struct event *event, unsigned ms)
{
	const struct timeval wait = lp_clock_timeval(ms);

	evtimer_add(event, &wait);
}
