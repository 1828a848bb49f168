/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/gather.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/clock.h"
#include "controld/serve.h"

enum { MB = 1 << 20 };

/* One that is refused would else be done from the next frame on. */
static_assert((int)LP_GATHER_CLIENTS_MAX >=
	(int)LP_SERVE_CLIENTS_MAX + (int)LP_SERVE_REMOTE_MAX,
    "there is a place for whoever is connected");

struct half {
	struct lp_gather *gather;
	uint64_t client; /* 0: this place is free */
	struct event *timer;
	struct lp_reply_to to;
	Lp__Pb__Operation **operations;
	size_t count, size;
	size_t bytes; /* of them */
	bool refused; /* the rest is dropped */
};

struct lp_gather {
	struct lp_context *context;
	struct lp_gather_limits limits;
	size_t bytes; /* of all */
	struct half halves[LP_GATHER_CLIENTS_MAX];
};

static struct half *find(struct lp_gather *gather, uint64_t client);
static struct half *start(struct half *half, uint64_t client);
static bool take(struct half *half, const Lp__Pb__ControlRequest *request,
    Lp__Pb__Transaction *transaction);
static bool make_room(struct half *half, size_t count);
static Lp__Pb__ControlRequest *finish(
    struct half *half, Lp__Pb__ControlRequest *last);
static void on_timer(evutil_socket_t fd, short what, void *arg);
static void refuse(struct half *half, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void forget(struct half *half);
static void end(struct half *half);

int
lp_gather_new(struct lp_gather **out, struct lp_context *context,
    const struct lp_gather_limits *limits)
{
	struct lp_gather *gather = calloc(1, sizeof(*gather));

	if (gather == NULL)
		return -ENOMEM;
	gather->context = context;
	gather->limits = *limits;
	if (gather->limits.client_bytes == 0)
		gather->limits.client_bytes = 192 * MB;
	if (gather->limits.all_bytes == 0)
		gather->limits.all_bytes = 384 * MB;
	if (gather->limits.wait_ms == 0)
		gather->limits.wait_ms = 120000;
	for (unsigned i = 0; i < LP_GATHER_CLIENTS_MAX; i++)
		gather->halves[i].gather = gather;
	*out = gather;
	return 0;
}

void
lp_gather_free(struct lp_gather *gather)
{
	if (gather == NULL)
		return;
	for (unsigned i = 0; i < LP_GATHER_CLIENTS_MAX; i++)
		if (gather->halves[i].client != 0)
			end(&gather->halves[i]);
	assert(gather->bytes == 0);
	free(gather);
}

Lp__Pb__ControlRequest *
lp_gather_add(struct lp_gather *gather, const struct lp_reply_to *to,
    Lp__Pb__ControlRequest *request)
{
	Lp__Pb__Transaction *transaction = request->transaction;
	bool last = !transaction->has_more || !transaction->more;
	struct half *half = find(gather, to->client);

	assert(request->body_case == LP__PB__CONTROL_REQUEST__BODY_TRANSACTION);
	if (half != NULL && half->to.cookie != to->cookie) {
		/* What is refused has been told; else it is now. */
		if (!half->refused)
			refuse(half,
			    "another transaction came before the rest of it; "
			    "nothing was stored");
		end(half);
		half = NULL;
	}
	if (half == NULL && last)
		return request;
	if (half == NULL)
		half = start(find(gather, 0), to->client);
	half->to = *to;
	if (!half->refused && take(half, request, transaction) && last)
		return finish(half, request);
	if (last)
		end(half);
	lp__pb__control_request__free_unpacked(request, NULL);
	return NULL;
}

void
lp_gather_gone(struct lp_gather *gather, uint64_t client)
{
	struct half *half = find(gather, client);

	if (half != NULL)
		end(half);
}

static struct half *
find(struct lp_gather *gather, uint64_t client)
{
	for (unsigned i = 0; i < LP_GATHER_CLIENTS_MAX; i++)
		if (gather->halves[i].client == client)
			return &gather->halves[i];
	return NULL;
}

static struct half *
start(struct half *half, uint64_t client)
{
	struct timeval wait;

	assert(half != NULL);
	wait = lp_clock_timeval(half->gather->limits.wait_ms);
	half->client = client;
	half->timer = evtimer_new(half->gather->context->base, on_timer, half);
	if (half->timer != NULL)
		evtimer_add(half->timer, &wait);
	return half;
}

/* Moves its operations; or refuses them all, and those of before. */
static bool
take(struct half *half, const Lp__Pb__ControlRequest *request,
    Lp__Pb__Transaction *transaction)
{
	struct lp_gather *gather = half->gather;
	size_t bytes = lp_message_memory_of(&request->base);
	size_t count = half->count + transaction->n_operations;

	if (count > LP_OPERATIONS_MAX)
		refuse(half, "more than %d commands in one transaction",
		    LP_OPERATIONS_MAX);
	else if (half->bytes + bytes > gather->limits.client_bytes)
		refuse(half,
		    "the transaction takes more than the %zu MB of memory that "
		    "there are for one; make several of it",
		    gather->limits.client_bytes / MB);
	else if (gather->bytes + bytes > gather->limits.all_bytes)
		refuse(half,
		    "transactions that are being sent take up the %zu MB of "
		    "memory that there are for all of them; try again later",
		    gather->limits.all_bytes / MB);
	else if (half->timer == NULL || !make_room(half, count))
		refuse(half, "out of memory");
	if (half->refused)
		return false;
	if (transaction->n_operations > 0)
		memcpy(&half->operations[half->count], transaction->operations,
		    transaction->n_operations * sizeof(half->operations[0]));
	transaction->n_operations = 0;
	half->count = count;
	half->bytes += bytes;
	gather->bytes += bytes;
	return true;
}

static bool
make_room(struct half *half, size_t count)
{
	size_t size = half->size > 0 ? half->size : 1024;
	Lp__Pb__Operation **operations;

	while (size < count)
		size *= 2;
	if (size == half->size)
		return true;
	operations = reallocarray(half->operations, size, sizeof(*operations));
	if (operations == NULL)
		return false;
	half->operations = operations;
	half->size = size;
	return true;
}

/* What else there is to say the last frame says. */
static Lp__Pb__ControlRequest *
finish(struct half *half, Lp__Pb__ControlRequest *last)
{
	Lp__Pb__Transaction *transaction = last->transaction;

	free(transaction->operations); /* they were moved */
	transaction->operations = half->operations;
	transaction->n_operations = half->count;
	half->operations = NULL;
	half->count = 0;
	end(half);
	return last;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct half *half = arg;

	(void)fd;
	(void)what;
	if (!half->refused)
		refuse(half,
		    "the rest of the transaction has not come within %u ms; "
		    "nothing was stored",
		    half->gather->limits.wait_ms);
}

/* Its client is told at once, and once; its last frame ends it. */
static void
refuse(struct half *half, const char *format, ...)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	char text[LP_WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	half->refused = true;
	forget(half);
	lp_reply_failure(
	    half->gather->context, &half->to, &failure, "%s", text);
}

static void
forget(struct half *half)
{
	for (size_t i = 0; i < half->count; i++)
		lp__pb__operation__free_unpacked(half->operations[i], NULL);
	free(half->operations);
	half->operations = NULL;
	half->count = half->size = 0;
	half->gather->bytes -= half->bytes;
	half->bytes = 0;
}

static void
end(struct half *half)
{
	forget(half);
	if (half->timer != NULL)
		event_free(half->timer);
	*half = (struct half){.gather = half->gather};
}
