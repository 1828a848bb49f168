/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/control.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "dataplane/apply.h"
#include "dataplane/clock.h"
#include "dataplane/loss.h"
#include "dataplane/remote.h"
#include "dataplane/session.h"
#include "proto/log.h"

enum {
	BACKLOG = 16,
	/* Longer than that in one callback, and peers seemed silent. */
	EXCUSE_MS = 500,
};

struct lp_control {
	struct lp_dataplane *dataplane;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *tick;
	struct event *watch;
	struct event *stop[2];
	struct event *reload;
	struct lp_remote *remote; /* NULL: only this machine */
	struct lp_session *sessions[LP_CONTROL_SESSIONS_MAX];
	uint64_t ticked_ns;
	bool stuck; /* the worker; as last logged */
};

static int open_events(struct lp_control *control, int socket);
static void add_session(
    struct lp_control *control, struct bufferevent *event, const char *from);
static void on_remote(void *arg, struct bufferevent *event, const char *from);
static void on_checked(void *arg);
static void on_refused(void *arg);
static void on_reload(evutil_socket_t signal, short what, void *arg);
static void on_accept(struct evconnlistener *listener, evutil_socket_t socket,
    struct sockaddr *address, int len, void *arg);
static void on_tick(evutil_socket_t socket, short what, void *arg);
static void on_watch(evutil_socket_t socket, short what, void *arg);
static void on_stop(evutil_socket_t signal, short what, void *arg);
static void sweep(struct lp_control *control);
static void excuse(struct lp_control *control);

int
lp_control_new(
    struct lp_control **out, struct lp_dataplane *dataplane, int socket)
{
	struct lp_control *control = calloc(1, sizeof(*control));
	int error = -ENOMEM;

	if (control) {
		control->dataplane = dataplane;
		control->ticked_ns = lp_clock_ns();
		error = open_events(control, socket);
	}
	if (!error) {
		*out = control;
		return 0;
	}
	if (!control || !control->listener)
		close(socket);
	lp_control_free(control);
	return error;
}

void
lp_control_free(struct lp_control *control)
{
	if (!control)
		return;
	for (unsigned i = 0; i < LP_CONTROL_SESSIONS_MAX; i++)
		lp_session_free(control->sessions[i]);
	lp_remote_free(control->remote);
	if (control->reload)
		event_free(control->reload);
	for (int i = 0; i < 2; i++)
		if (control->stop[i])
			event_free(control->stop[i]);
	if (control->watch)
		event_free(control->watch);
	if (control->tick)
		event_free(control->tick);
	if (control->listener)
		evconnlistener_free(control->listener);
	if (control->base)
		event_base_free(control->base);
	free(control);
}

int
lp_control_listen(struct lp_control *control, int socket, const char *directory,
    char why[LP_TLS_WHY_SIZE])
{
	const struct lp_remote_options options = {
	    .base = control->base,
	    .directory = directory,
	    .accepted = on_remote,
	    .checked = on_checked,
	    .refused = on_refused,
	    .arg = control,
	};

	return lp_remote_new(&control->remote, &options, socket, why);
}

void
lp_control_run(struct lp_control *control)
{
	event_base_dispatch(control->base);
}

static int
open_events(struct lp_control *control, int socket)
{
	const struct timeval tick = {.tv_sec = LP_CONTROL_TICK_MS / 1000};
	const struct timeval watch = {.tv_usec = LP_CONTROL_WATCH_MS * 1000};

	/* A controller that hangs up must not end us. */
	signal(SIGPIPE, SIG_IGN);
	control->base = event_base_new();
	if (!control->base)
		return -ENOMEM;
	if (evutil_make_socket_nonblocking(socket) != 0)
		return -errno;
	control->listener =
	    evconnlistener_new(control->base, on_accept, control,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, socket);
	if (!control->listener)
		return -ENOMEM;
	control->tick =
	    event_new(control->base, -1, EV_PERSIST, on_tick, control);
	control->watch =
	    event_new(control->base, -1, EV_PERSIST, on_watch, control);
	control->stop[0] =
	    evsignal_new(control->base, SIGTERM, on_stop, control);
	control->stop[1] =
	    evsignal_new(control->base, SIGINT, on_stop, control);
	control->reload =
	    evsignal_new(control->base, SIGHUP, on_reload, control);
	if (!control->tick || !control->watch || !control->stop[0] ||
	    !control->stop[1] || !control->reload)
		return -ENOMEM;
	if (event_add(control->tick, &tick) != 0 ||
	    event_add(control->watch, &watch) != 0 ||
	    event_add(control->stop[0], NULL) != 0 ||
	    event_add(control->stop[1], NULL) != 0 ||
	    event_add(control->reload, NULL) != 0)
		return -ENOMEM;
	return 0;
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t socket,
    struct sockaddr *address, int len, void *arg)
{
	struct lp_control *control = arg;
	struct bufferevent *event = bufferevent_socket_new(
	    control->base, socket, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)address;
	(void)len;
	if (event) {
		add_session(control, event, NULL);
		return;
	}
	lp_log_error("controller: out of memory");
	close(socket);
}

static void
on_remote(void *arg, struct bufferevent *event, const char *from)
{
	struct lp_control *control = arg;

	control->dataplane->remote.accepted++;
	add_session(control, event, from);
}

/* Takes ownership of event. */
static void
add_session(
    struct lp_control *control, struct bufferevent *event, const char *from)
{
	unsigned remote = 0;
	struct lp_session **place = NULL;

	sweep(control);
	for (unsigned i = 0; i < LP_CONTROL_SESSIONS_MAX; i++)
		if (!control->sessions[i])
			place = &control->sessions[i];
		else
			remote +=
			    lp_session_remote(control->sessions[i]) != NULL;
	if (!place || (from && remote >= LP_CONTROL_REMOTES_MAX)) {
		lp_log_warn("controller %s refused: %d are connected",
		    from ? from : "of this machine",
		    place ? LP_CONTROL_REMOTES_MAX : LP_CONTROL_SESSIONS_MAX);
		bufferevent_free(event);
		return;
	}
	if (lp_session_new(
		place, control->base, control->dataplane, event, from) != 0)
		lp_log_error("controller: out of memory");
}

/* A certificate may have been revoked, or have expired. */
static void
on_checked(void *arg)
{
	struct lp_control *control = arg;
	char why[LP_TLS_WHY_SIZE];

	for (unsigned i = 0; i < LP_CONTROL_SESSIONS_MAX; i++) {
		struct bufferevent *event = control->sessions[i]
		    ? lp_session_remote(control->sessions[i])
		    : NULL;

		if (event && lp_remote_again(control->remote, event, why) != 0)
			lp_session_end(control->sessions[i], why);
	}
}

static void
on_refused(void *arg)
{
	const struct lp_control *control = arg;

	control->dataplane->remote.refused++;
}

static void
on_reload(evutil_socket_t signal, short what, void *arg)
{
	struct lp_control *control = arg;

	(void)signal;
	(void)what;
	if (control->remote)
		lp_remote_reload(control->remote);
}

static void
on_tick(evutil_socket_t socket, short what, void *arg)
{
	struct lp_control *control = arg;
	bool somebody = false;

	(void)socket;
	(void)what;
	excuse(control);
	if (control->remote)
		lp_remote_tick(control->remote);
	lp_apply_watch(control->dataplane);
	for (unsigned i = 0; i < LP_CONTROL_SESSIONS_MAX; i++)
		if (control->sessions[i])
			lp_session_tick(control->sessions[i]);
	sweep(control);
	for (unsigned i = 0; i < LP_CONTROL_SESSIONS_MAX; i++)
		somebody |= control->sessions[i] &&
		    lp_session_welcomed(control->sessions[i]);
	lp_loss_turn(control->dataplane, somebody);
	control->ticked_ns = lp_clock_ns();
}

/* The worker tells the steering programs that it lives; we tell the log. */
static void
on_watch(evutil_socket_t socket, short what, void *arg)
{
	struct lp_control *control = arg;
	struct lp_dataplane *dataplane = control->dataplane;
	uint64_t now_ns = lp_clock_ns();
	uint64_t stuck_ns;

	(void)socket;
	(void)what;
	for (unsigned i = 0; i < LP_CONTROL_SESSIONS_MAX; i++)
		if (control->sessions[i])
			lp_session_watch(control->sessions[i]);
	sweep(control);
	if (!dataplane->worker)
		return;
	lp_denial_log_turn(dataplane->denials,
	    lp_pipeline_denials(lp_worker_pipeline(dataplane->worker)),
	    &dataplane->running.config, now_ns, lp_clock_real_ns());
	stuck_ns = lp_worker_stuck_ns(dataplane->worker, now_ns);
	if (!control->stuck && stuck_ns >= LP_CONTROL_STUCK_MS * 1000000ull) {
		control->stuck = true;
		lp_log_error("the worker has been in one turn for more than "
			     "%d ms: no packet is forwarded",
		    LP_CONTROL_STUCK_MS);
	} else if (control->stuck && stuck_ns == 0) {
		control->stuck = false;
		lp_log_warn("the worker goes on");
	}
}

static void
on_stop(evutil_socket_t signal, short what, void *arg)
{
	struct lp_control *control = arg;

	(void)what;
	lp_log_info("stopping: signal %d", (int)signal);
	event_base_loopbreak(control->base);
}

/* Sessions end in callbacks of their own; here they are freed. */
static void
sweep(struct lp_control *control)
{
	for (unsigned i = 0; i < LP_CONTROL_SESSIONS_MAX; i++) {
		struct lp_session **session = &control->sessions[i];

		if (*session && lp_session_done(*session)) {
			lp_session_free(*session);
			*session = NULL;
		}
	}
}

/*
 * Opening a port may take seconds, and what controllers sent meanwhile still
 * waits in their sockets: a late tick forgives all of them.
 */
static void
excuse(struct lp_control *control)
{
	uint64_t late_ns = lp_clock_ns() - control->ticked_ns;

	if (late_ns < (LP_CONTROL_TICK_MS + EXCUSE_MS) * 1000000ull)
		return;
	for (unsigned i = 0; i < LP_CONTROL_SESSIONS_MAX; i++)
		if (control->sessions[i])
			lp_session_excuse(control->sessions[i]);
}
