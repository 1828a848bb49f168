/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle of a capture: asked ▸ frames … ▸ stop asked ▸ last frames ▸ over.
 * Who has lost interest (the client went, another dataplane refused) is over
 * at once for us; dataplanes are told to stop, and what they still send finds
 * nobody.
 */
#include "controld/tools.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/clock.h"

struct tool {
	struct lp_tool_set *set;
	struct lp_reply_to to;
	uint64_t cookie; /* towards dataplanes; 0: this place is free */
	bool is_trace; /* else a capture */
	uint32_t pending; /* bits: dataplanes that owe a last frame */
	const char *lost; /* one that went meanwhile */
	/* Packets not handed on, because the client does not read. */
	uint64_t dropped[LP_PUSH_DATAPLANES_MAX];
	struct event *timer; /* runs while a last frame is due */
};

struct lp_tool_set {
	struct lp_context *context;
	struct timeval time;
	uint64_t last_cookie;
	struct tool tools[LP_TOOLS_MAX];
};

static_assert(LP_PUSH_DATAPLANES_MAX <= 32, "a bit for each");

static struct tool *find(struct lp_tool_set *set, uint64_t cookie);
static struct tool *begin(
    struct lp_tool_set *set, const struct lp_reply_to *to, bool is_trace);
static uint32_t choose(const struct tool *tool, const char *dataplane);
static bool is_able(
    const struct tool *tool, const struct lp_push_dataplane *dataplane);
static void ask_trace(
    struct tool *tool, const Lp__Pb__TracePacketsRequest *request);
static void refuse_choice(
    struct tool *tool, const char *dataplane, uint32_t able);
static void ask_capture(
    struct tool *tool, const Lp__Pb__CapturePacketsRequest *request);
static void stop_of(struct lp_tool_set *set, uint64_t client);
static void tell_stop(struct tool *tool);
static void on_timer(evutil_socket_t fd, short what, void *arg);
static void pass_trace(
    struct tool *tool, unsigned index, const Lp__Pb__TraceReply *frame);
static void pass_capture(
    struct tool *tool, unsigned index, const Lp__Pb__CaptureReply *frame);
static bool reads(const struct tool *tool);
static void fail(struct tool *tool, Lp__Pb__Failure__Result result,
    const char *dataplane, const char *text);
static void end(struct tool *tool);
static const char *name_of(const struct tool *tool, unsigned index);

int
lp_tools_new(
    struct lp_tool_set **out, struct lp_context *context, unsigned time_ms)
{
	struct lp_tool_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return -ENOMEM;
	set->context = context;
	set->time = lp_clock_timeval(time_ms);
	for (unsigned i = 0; i < LP_TOOLS_MAX; i++) {
		struct tool *tool = &set->tools[i];

		tool->set = set;
		tool->timer = evtimer_new(context->base, on_timer, tool);
		if (tool->timer == NULL) {
			lp_tools_free(set);
			return -ENOMEM;
		}
	}
	*out = set;
	return 0;
}

void
lp_tools_free(struct lp_tool_set *set)
{
	if (set == NULL)
		return;
	for (unsigned i = 0; i < LP_TOOLS_MAX; i++)
		if (set->tools[i].timer != NULL)
			event_free(set->tools[i].timer);
	free(set);
}

void
lp_tools_add(struct lp_tool_set *set, const struct lp_reply_to *to,
    const Lp__Pb__ControlRequest *request)
{
	bool is_trace =
	    request->body_case == LP__PB__CONTROL_REQUEST__BODY_TRACE;
	struct tool *tool;

	if (!is_trace && request->capture->stop) {
		stop_of(set, to->client);
		return;
	}
	tool = begin(set, to, is_trace);
	if (tool == NULL)
		return;
	if (is_trace)
		ask_trace(tool, request->trace);
	else
		ask_capture(tool, request->capture);
}

void
lp_tools_answered(struct lp_tool_set *set, unsigned index,
    const Lp__Pb__DataplaneMessage *message)
{
	bool is_trace =
	    message->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REPLY;
	uint64_t cookie = is_trace ? message->trace_reply->cookie
				   : message->capture_reply->cookie;
	struct tool *tool = cookie != 0 ? find(set, cookie) : NULL;

	/* Late: nobody waits for it. */
	if (tool == NULL || tool->is_trace != is_trace ||
	    (tool->pending & 1u << index) == 0)
		return;
	if (is_trace)
		pass_trace(tool, index, message->trace_reply);
	else
		pass_capture(tool, index, message->capture_reply);
}

void
lp_tools_changed(struct lp_tool_set *set)
{
	for (unsigned i = 0; i < LP_TOOLS_MAX; i++) {
		struct tool *tool = &set->tools[i];
		uint32_t pending = tool->cookie != 0 ? tool->pending : 0;

		for (unsigned j = 0; pending >> j != 0; j++) {
			if ((pending & 1u << j) == 0 ||
			    lp_push_dataplane(set->context->push, j)->connected)
				continue;
			tool->pending &= ~(1u << j);
			tool->lost = name_of(tool, j);
		}
		if (pending != 0 && tool->pending == 0)
			fail(tool, LP__PB__FAILURE__RESULT__UNREACHABLE,
			    tool->lost,
			    "it went away before its answer was complete");
	}
}

void
lp_tools_gone(struct lp_tool_set *set, uint64_t client)
{
	for (unsigned i = 0; i < LP_TOOLS_MAX; i++) {
		struct tool *tool = &set->tools[i];

		if (tool->cookie == 0 || tool->to.client != client)
			continue;
		tell_stop(tool);
		end(tool);
	}
}

static struct tool *
find(struct lp_tool_set *set, uint64_t cookie)
{
	for (unsigned i = 0; i < LP_TOOLS_MAX; i++)
		if (set->tools[i].cookie == cookie)
			return &set->tools[i];
	return NULL;
}

/* NULL, and that is said: there are too many. */
static struct tool *
begin(struct lp_tool_set *set, const struct lp_reply_to *to, bool is_trace)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	struct tool *tool = find(set, 0);

	if (tool == NULL) {
		lp_reply_failure(set->context, to, &failure,
		    "%d traces and captures run already; try again later",
		    LP_TOOLS_MAX);
		return NULL;
	}
	tool->to = *to;
	tool->cookie = ++set->last_cookie;
	tool->is_trace = is_trace;
	tool->pending = 0;
	tool->lost = NULL;
	memset(tool->dropped, 0, sizeof(tool->dropped));
	return tool;
}

/* A bit for each dataplane of that name, or any (NULL), that can do it. */
static uint32_t
choose(const struct tool *tool, const char *dataplane)
{
	const struct lp_push *push = tool->set->context->push;
	uint32_t chosen = 0;

	for (unsigned i = 0; i < lp_push_count(push); i++) {
		const struct lp_push_dataplane *info =
		    lp_push_dataplane(push, i);

		if (is_able(tool, info) &&
		    (dataplane == NULL || strcmp(dataplane, info->id) == 0 ||
			strcmp(dataplane, info->path) == 0))
			chosen |= 1u << i;
	}
	return chosen;
}

static bool
is_able(const struct tool *tool, const struct lp_push_dataplane *dataplane)
{
	return dataplane->connected &&
	    (tool->is_trace ? dataplane->can_trace : dataplane->can_capture);
}

static void
ask_trace(struct tool *tool, const Lp__Pb__TracePacketsRequest *request)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TraceRequest ask = LP__PB__TRACE_REQUEST__INIT;
	uint32_t able = choose(tool, request->dataplane);

	/* One of them: the packet comes in at one place. */
	if (able == 0 || (able & (able - 1)) != 0) {
		refuse_choice(tool, request->dataplane, able);
		return;
	}
	ask.cookie = tool->cookie;
	ask.trace_id = request->trace_id;
	ask.port = request->port;
	ask.n_packets = request->n_packets;
	ask.packets = request->packets;
	ask.has_last = request->has_last;
	ask.last = request->last;
	ask.request = request->request;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REQUEST;
	message.trace_request = &ask;
	tool->pending = able;
	evtimer_add(tool->timer, &tool->set->time);
	/* One that goes meanwhile is noticed by lp_tools_changed(). */
	(void)lp_push_ask(
	    tool->set->context->push, (unsigned)__builtin_ctz(able), &message);
}

static void
refuse_choice(struct tool *tool, const char *dataplane, uint32_t able)
{
	if (able != 0)
		fail(tool, LP__PB__FAILURE__RESULT__USAGE, NULL,
		    "several dataplanes are connected: choose one with "
		    "--dataplane");
	else if (dataplane != NULL)
		fail(tool, LP__PB__FAILURE__RESULT__UNREACHABLE, dataplane,
		    "no dataplane of this name that can do it is connected: "
		    "see lpctl status");
	else
		fail(tool, LP__PB__FAILURE__RESULT__UNREACHABLE, NULL,
		    "no dataplane that can do it is connected: see lpctl "
		    "status");
}

static void
ask_capture(struct tool *tool, const Lp__Pb__CapturePacketsRequest *request)
{
	Lp__Pb__CaptureFilter any = LP__PB__CAPTURE_FILTER__INIT;
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__CaptureRequest ask = LP__PB__CAPTURE_REQUEST__INIT;
	uint32_t able = choose(tool, request->dataplane);

	if (able == 0) {
		refuse_choice(tool, request->dataplane, able);
		return;
	}
	ask.cookie = tool->cookie;
	ask.filter = request->filter != NULL ? request->filter : &any;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REQUEST;
	message.capture_request = &ask;
	tool->pending = able;
	for (unsigned i = 0; able >> i != 0 && tool->cookie == ask.cookie; i++)
		if (able & 1u << i)
			(void)lp_push_ask(
			    tool->set->context->push, i, &message);
}

/* The client has enough; the last frames say how much it was. */
static void
stop_of(struct lp_tool_set *set, uint64_t client)
{
	for (unsigned i = 0; i < LP_TOOLS_MAX; i++) {
		struct tool *tool = &set->tools[i];

		if (tool->cookie == 0 || tool->is_trace ||
		    tool->to.client != client)
			continue;
		evtimer_add(tool->timer, &set->time);
		tell_stop(tool);
	}
}

static void
tell_stop(struct tool *tool)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__CaptureStop stop = LP__PB__CAPTURE_STOP__INIT;
	uint32_t pending = tool->pending;

	stop.cookie = tool->cookie;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_STOP;
	message.capture_stop = &stop;
	for (unsigned i = 0; !tool->is_trace && pending >> i != 0; i++)
		if (pending & 1u << i)
			(void)lp_push_ask(
			    tool->set->context->push, i, &message);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct tool *tool = arg;

	(void)fd;
	(void)what;
	fail(tool, LP__PB__FAILURE__RESULT__TIMEOUT,
	    name_of(tool, (unsigned)__builtin_ctz(tool->pending)),
	    "no complete answer in time");
}

static void
pass_trace(struct tool *tool, unsigned index, const Lp__Pb__TraceReply *frame)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__TracePacketsReply traced = LP__PB__TRACE_PACKETS_REPLY__INIT;

	if (frame->why != NULL) {
		fail(tool, LP__PB__FAILURE__RESULT__REFUSED,
		    name_of(tool, index), frame->why);
		return;
	}
	traced.dataplane = (char *)name_of(tool, index);
	traced.n_packets = frame->n_packets;
	traced.packets = frame->packets;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_TRACE;
	reply.trace = &traced;
	lp_reply_send(tool->set->context, &tool->to, &reply);
	end(tool);
}

static void
pass_capture(
    struct tool *tool, unsigned index, const Lp__Pb__CaptureReply *frame)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__CapturePacketsReply captured =
	    LP__PB__CAPTURE_PACKETS_REPLY__INIT;

	if (frame->why != NULL) {
		tool->pending &= ~(1u << index);
		tell_stop(tool);
		fail(tool, LP__PB__FAILURE__RESULT__REFUSED,
		    name_of(tool, index), frame->why);
		return;
	}
	if (!frame->more)
		tool->pending &= ~(1u << index);
	captured.dataplane = (char *)name_of(tool, index);
	captured.n_ports = frame->n_ports;
	captured.ports = frame->ports;
	/* Ports are small and told once: they always get through. */
	if (reads(tool)) {
		captured.n_packets = frame->n_packets;
		captured.packets = frame->packets;
	} else {
		tool->dropped[index] += frame->n_packets;
	}
	if (!frame->more) {
		captured.has_captured = captured.has_dropped = true;
		captured.captured = frame->captured - tool->dropped[index];
		captured.dropped = frame->dropped + tool->dropped[index];
	}
	reply.has_more = true;
	reply.more = tool->pending != 0 || tool->lost != NULL;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_CAPTURE;
	reply.capture = &captured;
	lp_reply_send(tool->set->context, &tool->to, &reply);
	if (tool->pending != 0 || tool->cookie == 0)
		return;
	if (tool->lost != NULL)
		fail(tool, LP__PB__FAILURE__RESULT__UNREACHABLE, tool->lost,
		    "it went away before its answer was complete");
	else
		end(tool);
}

static bool
reads(const struct tool *tool)
{
	const struct lp_context *context = tool->set->context;

	return context->unread == NULL ||
	    context->unread(context->arg, tool->to.client) <
	    LP_TOOLS_UNREAD_MAX;
}

static void
fail(struct tool *tool, Lp__Pb__Failure__Result result, const char *dataplane,
    const char *text)
{
	const struct lp_reply_failure failure = {
	    .result = result, .dataplane = dataplane};

	lp_reply_failure(tool->set->context, &tool->to, &failure, "%s", text);
	end(tool);
}

static void
end(struct tool *tool)
{
	evtimer_del(tool->timer);
	tool->cookie = 0;
	tool->pending = 0;
}

static const char *
name_of(const struct tool *tool, unsigned index)
{
	return lp_reply_dataplane_name(
	    lp_push_dataplane(tool->set->context->push, index));
}
