/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace lives from its first request to the one that says it is the last, or
 * until others take its place.  A capture is pumped by a timer, never faster
 * than the controller reads: while LP_TOOLS_OUTPUT_MAX bytes wait for it the
 * ring is left to fill, and the worker counts what finds no place.
 */
#include "dataplane/tools.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "dataplane/clock.h"
#include "dataplane/tap.h"
#include "dataplane/trace_reply.h"

struct kept {
	uint64_t id; /* 0: free */
	uint64_t used; /* count of requests: the lowest is the oldest */
	struct lp_trace *trace;
};

struct lp_tools {
	struct lp_dataplane *dataplane;
	struct evbuffer *out;
	struct event *pump;
	struct lp_tap *tap; /* NULL: no capture of this controller */
	struct kept traces[LP_TOOLS_TRACES_MAX];
	uint64_t requests;
};

static struct kept *find(struct lp_tools *tools, uint64_t id);
static int start_trace(struct kept *kept, uint64_t id);
static void forget(struct kept *kept);
static void on_pump(evutil_socket_t fd, short what, void *arg);
static void end_capture(struct lp_tools *tools);

int
lp_tools_new(struct lp_tools **out, struct event_base *base,
    struct lp_dataplane *dataplane, struct evbuffer *buffer)
{
	struct lp_tools *tools = calloc(1, sizeof(*tools));

	if (!tools)
		return -ENOMEM;
	tools->dataplane = dataplane;
	tools->out = buffer;
	tools->pump = event_new(base, -1, EV_PERSIST, on_pump, tools);
	if (!tools->pump) {
		free(tools);
		return -ENOMEM;
	}
	*out = tools;
	return 0;
}

void
lp_tools_free(struct lp_tools *tools)
{
	if (!tools)
		return;
	end_capture(tools);
	for (int i = 0; i < LP_TOOLS_TRACES_MAX; i++)
		forget(&tools->traces[i]);
	event_free(tools->pump);
	free(tools);
}

int
lp_tools_trace(struct lp_tools *tools, const Lp__Pb__TraceRequest *request)
{
	struct kept *kept;
	int error;

	if (request->trace_id == 0)
		return lp_trace_reply_refuse(
		    tools->out, request->cookie, "a trace without an id");
	kept = find(tools, request->trace_id);
	if (kept->id == 0 && start_trace(kept, request->trace_id) != 0)
		return lp_trace_reply_refuse(
		    tools->out, request->cookie, "no memory for a trace");
	kept->used = ++tools->requests;
	error = lp_trace_reply_send(
	    tools->out, tools->dataplane, kept->trace, request);
	if (request->last)
		forget(kept);
	return error;
}

int
lp_tools_capture(struct lp_tools *tools, const Lp__Pb__CaptureRequest *request)
{
	const struct timeval every = {.tv_usec = LP_TOOLS_PUMP_MS * 1000};
	char why[LP_WHY_SIZE];

	if (lp_tap_new(&tools->tap, tools->dataplane, request, why) != 0)
		return lp_tap_refuse(tools->out, request->cookie, why);
	event_add(tools->pump, &every);
	return 0;
}

void
lp_tools_stop(struct lp_tools *tools, const Lp__Pb__CaptureStop *stop)
{
	/* It may have ended by itself. */
	if (tools->tap && lp_tap_cookie(tools->tap) == stop->cookie)
		lp_tap_stop(tools->tap);
}

/* That trace, or an empty place. */
static struct kept *
find(struct lp_tools *tools, uint64_t id)
{
	struct kept *oldest = &tools->traces[0];

	for (int i = 0; i < LP_TOOLS_TRACES_MAX; i++) {
		if (tools->traces[i].id == id)
			return &tools->traces[i];
		if (tools->traces[i].used < oldest->used)
			oldest = &tools->traces[i];
	}
	forget(oldest);
	return oldest;
}

static int
start_trace(struct kept *kept, uint64_t id)
{
	uint64_t seed;
	int error;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	error = lp_trace_new(&kept->trace, seed, lp_clock_ns());
	if (!error)
		kept->id = id;
	return error;
}

static void
forget(struct kept *kept)
{
	lp_trace_free(kept->trace);
	*kept = (struct kept){0};
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	struct lp_tools *tools = arg;
	bool more = true;

	(void)fd;
	(void)what;
	if (evbuffer_get_length(tools->out) > LP_TOOLS_OUTPUT_MAX)
		return;
	/* No memory for a frame: what it held is lost, and the capture over. */
	if (lp_tap_pump(tools->tap, tools->out, LP_TOOLS_OUTPUT_MAX, &more) !=
		0 ||
	    !more)
		end_capture(tools);
}

static void
end_capture(struct lp_tools *tools)
{
	event_del(tools->pump);
	lp_tap_free(tools->tap);
	tools->tap = NULL;
}
