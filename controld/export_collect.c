/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle.  idle, asked, idle.  A question is a number, which is the cookie
 * of its request, and is never used again: what comes later is for nobody.
 * What an answer tells becomes text at once, frame by frame, so nothing is
 * kept twice and no frame takes long.
 *
 * An answer that did not come to its end leaves no rows: half of the topics
 * would look as if the others had gone.
 */
#include "controld/export_collect.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "controld/clock.h"
#include "controld/export_kafka.h"
#include "controld/export_rows.h"
#include "controld/export_rule.h"
#include "controld/query.h"

enum part { COUNTERS, KAFKA, RULES, PARTS };
static_assert((int)PARTS * LP_PUSH_DATAPLANES_MAX <= LP_QUERIES_SCRAPE &&
	(int)PARTS <= LP_QUERY_QUESTIONS_SCRAPE,
    "whatever lpctl asks at the same time");

struct question {
	uint64_t cookie; /* 0: not asked, or it has ended */
	bool complete;
	struct lp_export_text text;
};

struct source {
	Lp__Pb__DataplaneStatus status; /* its strings are below */
	char *path, *id, *version, *state;
	struct question questions[PARTS];
};

struct lp_export_collect {
	struct lp_export_collect_options options;
	struct event *finished; /* all has come, or the time is over */
	bool running;
	uint64_t last_cookie;
	uint64_t status_cookie;
	bool has_status, failed;
	uint64_t started_ms;
	unsigned pending; /* questions */
	struct lp_export_text daemon;
	struct source sources[LP_PUSH_DATAPLANES_MAX];
	unsigned source_count;
};

static bool ask_status(struct lp_export_collect *collect);
static void keep_status(
    struct lp_export_collect *collect, const Lp__Pb__StatusReply *status);
static bool keep_source(
    struct source *source, const Lp__Pb__DataplaneStatus *status);
static void ask_source(
    struct lp_export_collect *collect, struct source *source, enum part part);
static bool make_body(
    Lp__Pb__ControlRequest *request, enum part part, char *path);
static struct question *find(
    struct lp_export_collect *collect, uint64_t cookie, struct source **source);
static void answer(struct lp_export_collect *collect, struct question *question,
    const struct source *source, const Lp__Pb__ControlReply *reply);
static void on_finished(evutil_socket_t fd, short what, void *arg);
static struct evbuffer *make_page(struct lp_export_collect *collect);
static void add_self(struct lp_export_collect *collect, uint64_t skipped);
static void reset(struct lp_export_collect *collect);

int
lp_export_collect_new(struct lp_export_collect **out,
    const struct lp_export_collect_options *options)
{
	struct lp_export_collect *collect = calloc(1, sizeof(*collect));

	if (collect == NULL)
		return -ENOMEM;
	collect->options = *options;
	collect->finished = evtimer_new(options->base, on_finished, collect);
	if (collect->finished == NULL) {
		free(collect);
		return -ENOMEM;
	}
	*out = collect;
	return 0;
}

void
lp_export_collect_free(struct lp_export_collect *collect)
{
	if (collect == NULL)
		return;
	reset(collect);
	event_free(collect->finished);
	free(collect);
}

bool
lp_export_collect_start(struct lp_export_collect *collect)
{
	const struct timeval time = lp_clock_timeval(collect->options.time_ms);

	if (collect->running)
		return true;
	collect->running = true;
	collect->started_ms = lp_clock_now_ms();
	lp_export_text_init(&collect->daemon, collect->options.size_max);
	if (!ask_status(collect) || !collect->has_status) {
		reset(collect);
		return false;
	}
	evtimer_add(collect->finished, &time);
	/* Until all are asked none is the last. */
	collect->pending++;
	for (unsigned i = 0; i < collect->source_count; i++)
		for (unsigned part = 0; part < PARTS; part++)
			ask_source(collect, &collect->sources[i], part);
	if (--collect->pending == 0)
		event_active(collect->finished, EV_TIMEOUT, 0);
	return true;
}

void
lp_export_collect_reply(
    struct lp_export_collect *collect, const Lp__Pb__ControlReply *reply)
{
	struct source *source = NULL;
	struct question *question;

	if (!collect->running || reply->cookie == 0)
		return;
	if (reply->cookie == collect->status_cookie) {
		collect->status_cookie = 0;
		if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_STATUS)
			keep_status(collect, reply->status);
		return;
	}
	question = find(collect, reply->cookie, &source);
	if (question == NULL)
		return;
	answer(collect, question, source, reply);
	if (question->cookie == 0 && --collect->pending == 0)
		event_active(collect->finished, EV_TIMEOUT, 0);
}

static bool
ask_status(struct lp_export_collect *collect)
{
	Lp__Pb__ControlRequest *request = malloc(sizeof(*request));
	Lp__Pb__StatusRequest *status = malloc(sizeof(*status));

	if (request == NULL || status == NULL) {
		free(request);
		free(status);
		return false;
	}
	lp__pb__control_request__init(request);
	lp__pb__status_request__init(status);
	request->protocol = LP_CONTROL_PROTOCOL;
	request->cookie = collect->status_cookie = ++collect->last_cookie;
	request->body_case = LP__PB__CONTROL_REQUEST__BODY_STATUS;
	request->status = status;
	collect->options.ask(collect->options.arg, request);
	return true;
}

static void
keep_status(
    struct lp_export_collect *collect, const Lp__Pb__StatusReply *status)
{
	assert(status->n_dataplanes <= LP_PUSH_DATAPLANES_MAX);
	lp_export_rows_status(&collect->daemon, status);
	for (size_t i = 0; i < status->n_dataplanes; i++) {
		struct source *source =
		    &collect->sources[collect->source_count++];

		if (!keep_source(source, status->dataplanes[i]))
			collect->failed = true;
	}
	collect->has_status = true;
}

/* The message is gone when the answers come. */
static bool
keep_source(struct source *source, const Lp__Pb__DataplaneStatus *status)
{
	lp__pb__dataplane_status__init(&source->status);
	source->path = strdup(status->path != NULL ? status->path : "");
	source->id = strdup(status->id != NULL ? status->id : "");
	source->version =
	    strdup(status->version != NULL ? status->version : "");
	source->state = strdup(status->state != NULL ? status->state : "");
	source->status.path = source->path;
	source->status.id = source->id;
	source->status.version = source->version;
	source->status.state = source->state;
	source->status.generation = status->generation;
	source->status.alone_ns = status->alone_ns;
	source->status.joined_ns = status->joined_ns;
	source->status.closed_ns = status->closed_ns;
	return source->path != NULL && source->id != NULL &&
	    source->version != NULL && source->state != NULL;
}

static void
ask_source(
    struct lp_export_collect *collect, struct source *source, enum part part)
{
	struct question *question = &source->questions[part];
	Lp__Pb__ControlRequest *request = malloc(sizeof(*request));
	char *path = source->path != NULL ? strdup(source->path) : NULL;

	if (request == NULL || path == NULL ||
	    !make_body(request, part, path)) {
		free(request);
		free(path);
		collect->failed = true;
		return;
	}
	request->protocol = LP_CONTROL_PROTOCOL;
	request->cookie = ++collect->last_cookie;
	question->cookie = request->cookie;
	lp_export_text_init(&question->text, collect->options.size_max);
	collect->pending++;
	collect->options.ask(collect->options.arg, request);
}

/* Takes path, unless it is false: no memory. */
static bool
make_body(Lp__Pb__ControlRequest *request, enum part part, char *path)
{
	lp__pb__control_request__init(request);
	switch (part) {
	case COUNTERS:
		request->counters = malloc(sizeof(*request->counters));
		if (request->counters == NULL)
			return false;
		lp__pb__counters_request__init(request->counters);
		request->counters->dataplane = path;
		request->body_case = LP__PB__CONTROL_REQUEST__BODY_COUNTERS;
		return true;
	case KAFKA:
		request->kafka = malloc(sizeof(*request->kafka));
		if (request->kafka == NULL)
			return false;
		lp__pb__kafka_counters_request__init(request->kafka);
		request->kafka->dataplane = path;
		request->kafka->has_apis = request->kafka->apis = true;
		request->kafka->has_topics = request->kafka->topics = true;
		request->kafka->has_clients = request->kafka->clients = true;
		request->body_case = LP__PB__CONTROL_REQUEST__BODY_KAFKA;
		return true;
	default:
		request->rules = malloc(sizeof(*request->rules));
		if (request->rules == NULL)
			return false;
		lp__pb__rule_counters_request__init(request->rules);
		request->rules->dataplane = path;
		request->rules->has_all = request->rules->all = true;
		request->rules->has_limit = true;
		request->rules->limit = LP_EXPORT_RULES_MAX;
		request->body_case = LP__PB__CONTROL_REQUEST__BODY_RULES;
		return true;
	}
}

static struct question *
find(struct lp_export_collect *collect, uint64_t cookie, struct source **source)
{
	for (unsigned i = 0; i < collect->source_count; i++)
		for (unsigned part = 0; part < PARTS; part++) {
			*source = &collect->sources[i];
			if ((*source)->questions[part].cookie == cookie)
				return &(*source)->questions[part];
		}
	return NULL;
}

static void
answer(struct lp_export_collect *collect, struct question *question,
    const struct source *source, const Lp__Pb__ControlReply *reply)
{
	if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_COUNTERS)
		lp_export_rows_stats(
		    &question->text, source->path, reply->counters->stats);
	else if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_KAFKA)
		lp_export_kafka_add(
		    &question->text, source->path, reply->kafka->stats);
	else if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_RULES)
		lp_export_rule_add(&question->text, source->path,
		    reply->rules->stats, !reply->more);
	if (reply->more)
		return;
	question->cookie = 0;
	question->complete =
	    reply->body_case != LP__PB__CONTROL_REPLY__BODY_FAILURE &&
	    !question->text.no_memory;
	if (question->text.no_memory)
		collect->failed = true;
}

/*
 * By the loop: an answer may come before the question has returned, and
 * whoever waits for the page should not be answered inside of that.
 */
static void
on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct lp_export_collect *collect = arg;
	struct evbuffer *page = make_page(collect);

	(void)fd;
	(void)what;
	if (collect->pending > 0)
		collect->options.cancel(collect->options.arg);
	reset(collect);
	collect->options.done(collect->options.done_arg, page);
	if (page != NULL)
		evbuffer_free(page);
}

/* NULL: there was no memory for all of it. */
static struct evbuffer *
make_page(struct lp_export_collect *collect)
{
	struct lp_export_text *texts[1 + PARTS * LP_PUSH_DATAPLANES_MAX];
	struct evbuffer *page;
	uint64_t skipped = 0;
	unsigned count = 0;

	texts[count++] = &collect->daemon;
	for (unsigned i = 0; i < collect->source_count; i++) {
		struct source *source = &collect->sources[i];

		for (unsigned part = 0; part < PARTS; part++) {
			struct question *question = &source->questions[part];

			if (!question->complete)
				continue;
			skipped += question->text.skipped;
			texts[count++] = &question->text;
		}
		lp_export_rows_dataplane(&collect->daemon, &source->status,
		    source->questions[COUNTERS].complete,
		    source->questions[KAFKA].complete,
		    source->questions[RULES].complete);
	}
	add_self(collect, skipped);
	page = evbuffer_new();
	if (page != NULL && !collect->failed && !collect->daemon.no_memory &&
	    lp_export_text_join(page, texts, count) == 0)
		return page;
	if (page != NULL)
		evbuffer_free(page);
	return NULL;
}

static void
add_self(struct lp_export_collect *collect, uint64_t skipped)
{
	struct lp_export_row row;

	if (!lp_export_text_row(
		&row, &collect->daemon, LP_EXPORT_SET_SCRAPE, NULL))
		return;
	lp_export_text_add(&row, LP_EXPORT_SCRAPE_TIME, NULL,
	    lp_clock_now_ms() - collect->started_ms);
	lp_export_text_add(&row, LP_EXPORT_SCRAPE_SKIPPED, NULL, skipped);
}

static void
reset(struct lp_export_collect *collect)
{
	for (unsigned i = 0; i < collect->source_count; i++) {
		struct source *source = &collect->sources[i];

		free(source->path);
		free(source->id);
		free(source->version);
		free(source->state);
		for (unsigned part = 0; part < PARTS; part++)
			lp_export_text_fini(&source->questions[part].text);
		memset(source, 0, sizeof(*source));
	}
	lp_export_text_fini(&collect->daemon);
	evtimer_del(collect->finished);
	collect->source_count = 0;
	collect->pending = 0;
	collect->status_cookie = 0;
	collect->running = collect->has_status = collect->failed = false;
}
