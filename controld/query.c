/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/query.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/clock.h"
#include "controld/export.h"
#include "controld/query_name.h"
#include "controld/query_rule.h"

struct query {
	struct lp_query_set *set;
	struct lp_reply_to to;
	uint64_t cookie; /* towards dataplanes; 0: this place is free */
	Lp__Pb__ControlRequest__BodyCase what;
	uint32_t pending; /* bits: dataplanes that owe frames */
	const char *lost; /* one whose answer is missing, */
	const char *why; /* and why it is */
	Lp__Pb__Failure__Result lost_as;
	struct event *timer;
};

/* What a dataplane owes, whether somebody still waits for it or not. */
struct debt {
	uint64_t cookie; /* 0: nothing */
	Lp__Pb__ControlRequest__BodyCase what;
};

struct lp_query_set {
	struct lp_context *context;
	struct timeval time;
	uint64_t last_cookie;
	struct lp_query_rules rules; /* of what is being asked */
	struct query queries[LP_QUERIES_MAX];
	struct debt debts[LP_PUSH_DATAPLANES_MAX][LP_QUESTIONS_MAX];
};

static_assert(LP_PUSH_DATAPLANES_MAX <= 32, "a bit for each");

static struct query *find(struct lp_query_set *set, uint64_t cookie);
static bool has_place(const struct lp_query_set *set, uint64_t client);
static struct debt *find_debt(
    struct lp_query_set *set, unsigned index, uint64_t cookie);
static bool is_busy(const struct query *query, unsigned index);
static const char *dataplane_of(const Lp__Pb__ControlRequest *request);
static void ask(struct query *query, const Lp__Pb__ControlRequest *request);
static const char *lacks(const struct query *query, unsigned index);
static void ask_one(
    struct query *query, unsigned index, const Lp__Pb__ControlRequest *request);
static int send_question(
    struct query *query, unsigned index, const Lp__Pb__ControlRequest *request);
static int send_denials(struct query *query, unsigned index,
    const Lp__Pb__DenialListRequest *wanted);
static void lose(struct query *query, unsigned index,
    Lp__Pb__Failure__Result result, const char *why);
static void refuse_nobody(struct query *query, const char *dataplane);
static void on_timer(evutil_socket_t fd, short what, void *arg);
static void pass_stats(
    struct query *query, const char *dataplane, Lp__Pb__Stats *stats);
static void pass_connections(struct query *query, const char *dataplane,
    const Lp__Pb__ConnectionsReply *frame);
static void pass_kafka(
    struct query *query, const char *dataplane, Lp__Pb__KafkaStats *stats);
static void pass_rules(
    struct query *query, const char *dataplane, Lp__Pb__RuleStatsReply *stats);
static void pass_denials(
    struct query *query, const char *dataplane, Lp__Pb__DenialsReply *denials);
static void finish(struct query *query);

int
lp_query_new(
    struct lp_query_set **out, struct lp_context *context, unsigned time_ms)
{
	struct lp_query_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return -ENOMEM;
	set->context = context;
	set->time = lp_clock_timeval(time_ms);
	for (unsigned i = 0; i < LP_QUERIES_MAX; i++) {
		struct query *query = &set->queries[i];

		query->set = set;
		query->timer = evtimer_new(context->base, on_timer, query);
		if (query->timer == NULL) {
			lp_query_free(set);
			return -ENOMEM;
		}
	}
	*out = set;
	return 0;
}

void
lp_query_free(struct lp_query_set *set)
{
	if (set == NULL)
		return;
	for (unsigned i = 0; i < LP_QUERIES_MAX; i++)
		if (set->queries[i].timer != NULL)
			event_free(set->queries[i].timer);
	free(set);
}

void
lp_query_add(struct lp_query_set *set, const struct lp_reply_to *to,
    const Lp__Pb__ControlRequest *request)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	struct query *query = find(set, 0);
	char why[LP_WHY_SIZE];

	if (lp_query_rule_take(&set->rules, request,
		&set->context->current.config, why) != 0) {
		lp_reply_failure(set->context, to, &failure, "%s", why);
		return;
	}
	if (query == NULL || !has_place(set, to->client)) {
		lp_reply_failure(set->context, to, &failure,
		    "%d questions wait for dataplanes already; try again "
		    "later",
		    LP_QUERIES_MAX - LP_QUERIES_SCRAPE);
		return;
	}
	query->to = *to;
	query->cookie = ++set->last_cookie;
	query->what = request->body_case;
	query->pending = 0;
	query->lost = NULL;
	ask(query, request);
}

/* What all answers have. */
struct frame {
	Lp__Pb__ControlRequest__BodyCase what; /* that it answers */
	uint64_t cookie;
	bool more;
};

static struct frame
frame_of(const Lp__Pb__DataplaneMessage *message)
{
	switch (message->body_case) {
	case LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REPLY:
		return (struct frame){LP__PB__CONTROL_REQUEST__BODY_COUNTERS,
		    message->stats_reply->cookie, message->stats_reply->more};
	case LP__PB__DATAPLANE_MESSAGE__BODY_KAFKA_STATS_REPLY:
		return (struct frame){LP__PB__CONTROL_REQUEST__BODY_KAFKA,
		    message->kafka_stats_reply->cookie,
		    message->kafka_stats_reply->more};
	case LP__PB__DATAPLANE_MESSAGE__BODY_RULE_STATS_REPLY:
		return (struct frame){LP__PB__CONTROL_REQUEST__BODY_RULES,
		    message->rule_stats_reply->cookie,
		    message->rule_stats_reply->more};
	case LP__PB__DATAPLANE_MESSAGE__BODY_DENIALS_REPLY:
		return (struct frame){LP__PB__CONTROL_REQUEST__BODY_DENIALS,
		    message->denials_reply->cookie,
		    message->denials_reply->more};
	default:
		return (struct frame){LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS,
		    message->connections_reply->cookie,
		    message->connections_reply->more};
	}
}

void
lp_query_answered(struct lp_query_set *set, unsigned index,
    const Lp__Pb__DataplaneMessage *message)
{
	struct frame frame = frame_of(message);
	struct query *query =
	    frame.cookie != 0 ? find(set, frame.cookie) : NULL;
	struct debt *debt =
	    frame.cookie != 0 ? find_debt(set, index, frame.cookie) : NULL;
	const char *name = lp_reply_dataplane_name(
	    lp_push_dataplane(set->context->push, index));

	if (debt != NULL && debt->what == frame.what && !frame.more)
		debt->cookie = 0;
	/* Late, after our patience has ended: nobody waits for it. */
	if (query == NULL || query->what != frame.what ||
	    (query->pending & 1u << index) == 0)
		return;
	if (!frame.more)
		query->pending &= ~(1u << index);
	if (query->what == LP__PB__CONTROL_REQUEST__BODY_COUNTERS)
		pass_stats(query, name, message->stats_reply->stats);
	else if (query->what == LP__PB__CONTROL_REQUEST__BODY_KAFKA)
		pass_kafka(query, name, message->kafka_stats_reply->stats);
	else if (query->what == LP__PB__CONTROL_REQUEST__BODY_RULES)
		pass_rules(query, name, message->rule_stats_reply);
	else if (query->what == LP__PB__CONTROL_REQUEST__BODY_DENIALS)
		pass_denials(query, name, message->denials_reply);
	else
		pass_connections(query, name, message->connections_reply);
	if (query->pending == 0)
		finish(query);
	else /* a long answer may take long, as long as it goes on */
		evtimer_add(query->timer, &set->time);
}

void
lp_query_changed(struct lp_query_set *set)
{
	const struct lp_push *push = set->context->push;

	/* Whoever comes back owes nothing. */
	for (unsigned i = 0; i < lp_push_count(push); i++)
		if (!lp_push_dataplane(push, i)->connected)
			memset(set->debts[i], 0, sizeof(set->debts[i]));
	for (unsigned i = 0; i < LP_QUERIES_MAX; i++) {
		struct query *query = &set->queries[i];
		uint32_t pending = query->cookie != 0 ? query->pending : 0;

		for (unsigned j = 0; pending >> j != 0; j++) {
			if ((pending & 1u << j) == 0 ||
			    lp_push_dataplane(push, j)->connected)
				continue;
			query->pending &= ~(1u << j);
			lose(query, j, LP__PB__FAILURE__RESULT__UNREACHABLE,
			    "it went away before its answer was complete");
		}
		if (pending != 0 && query->pending == 0)
			finish(query);
	}
}

void
lp_query_gone(struct lp_query_set *set, uint64_t client)
{
	for (unsigned i = 0; i < LP_QUERIES_MAX; i++) {
		struct query *query = &set->queries[i];

		if (query->cookie == 0 || query->to.client != client)
			continue;
		query->cookie = 0;
		evtimer_del(query->timer);
	}
}

static struct query *
find(struct lp_query_set *set, uint64_t cookie)
{
	for (unsigned i = 0; i < LP_QUERIES_MAX; i++)
		if (set->queries[i].cookie == cookie)
			return &set->queries[i];
	return NULL;
}

/* A scrape always has one: its own questions are not as many. */
static bool
has_place(const struct lp_query_set *set, uint64_t client)
{
	unsigned count = 0;

	for (unsigned i = 0; i < LP_QUERIES_MAX; i++)
		count += set->queries[i].cookie != 0 &&
		    set->queries[i].to.client != LP_EXPORT_CLIENT;
	return client == LP_EXPORT_CLIENT ||
	    count < LP_QUERIES_MAX - LP_QUERIES_SCRAPE;
}

static struct debt *
find_debt(struct lp_query_set *set, unsigned index, uint64_t cookie)
{
	for (unsigned i = 0; i < LP_QUESTIONS_MAX; i++)
		if (set->debts[index][i].cookie == cookie)
			return &set->debts[index][i];
	return NULL;
}

/* It owes so much that this one does not ask it. */
static bool
is_busy(const struct query *query, unsigned index)
{
	unsigned room = 0;

	for (unsigned i = 0; i < LP_QUESTIONS_MAX; i++)
		room += query->set->debts[index][i].cookie == 0;
	return query->to.client == LP_EXPORT_CLIENT
	    ? room == 0
	    : room <= LP_QUERY_QUESTIONS_SCRAPE;
}

static const char *
dataplane_of(const Lp__Pb__ControlRequest *request)
{
	switch (request->body_case) {
	case LP__PB__CONTROL_REQUEST__BODY_COUNTERS:
		return request->counters->dataplane;
	case LP__PB__CONTROL_REQUEST__BODY_KAFKA:
		return request->kafka->dataplane;
	case LP__PB__CONTROL_REQUEST__BODY_RULES:
		return request->rules->dataplane;
	case LP__PB__CONTROL_REQUEST__BODY_DENIALS:
		return request->denials->dataplane;
	default:
		return request->connections->dataplane;
	}
}

static void
ask(struct query *query, const Lp__Pb__ControlRequest *request)
{
	struct lp_push *push = query->set->context->push;
	const char *dataplane = dataplane_of(request);

	for (unsigned i = 0; i < lp_push_count(push); i++) {
		const struct lp_push_dataplane *info =
		    lp_push_dataplane(push, i);

		if (!info->connected ||
		    (dataplane != NULL && strcmp(dataplane, info->id) != 0 &&
			strcmp(dataplane, info->path) != 0))
			continue;
		if (lacks(query, i) != NULL)
			lose(query, i, LP__PB__FAILURE__RESULT__UNREACHABLE,
			    lacks(query, i));
		else if (is_busy(query, i))
			lose(query, i, LP__PB__FAILURE__RESULT__REFUSED,
			    "it answers as many questions as it may already; "
			    "try again");
		else
			ask_one(query, i, request);
	}
	if (query->pending != 0)
		evtimer_add(query->timer, &query->set->time);
	else if (query->lost != NULL)
		finish(query);
	else
		refuse_nobody(query, dataplane);
}

/* Why it is of too old a version to be asked; NULL: it is not. */
static const char *
lacks(const struct query *query, unsigned index)
{
	const struct lp_push_dataplane *info =
	    lp_push_dataplane(query->set->context->push, index);

	if (query->what == LP__PB__CONTROL_REQUEST__BODY_KAFKA &&
	    !info->kafka_stats)
		return "it is of a version that has no Kafka statistics: see "
		       "lpctl status";
	if (query->what == LP__PB__CONTROL_REQUEST__BODY_RULES &&
	    !info->rule_stats)
		return "it is of a version that has no counters of rules: see "
		       "lpctl status";
	if (query->what == LP__PB__CONTROL_REQUEST__BODY_DENIALS &&
	    !info->denials)
		return "it is of a version that has no log of denials: see "
		       "lpctl status";
	return NULL;
}

static void
ask_one(
    struct query *query, unsigned index, const Lp__Pb__ControlRequest *request)
{
	struct debt *debt;

	if (send_question(query, index, request) != 0)
		return;
	query->pending |= 1u << index;
	debt = find_debt(query->set, index, 0); /* it is not busy */
	debt->cookie = query->cookie;
	debt->what = query->what;
}

static int
send_question(
    struct query *query, unsigned index, const Lp__Pb__ControlRequest *request)
{
	struct lp_push *push = query->set->context->push;

	switch (query->what) {
	case LP__PB__CONTROL_REQUEST__BODY_COUNTERS:
		return lp_push_ask_stats(push, index, query->cookie);
	case LP__PB__CONTROL_REQUEST__BODY_KAFKA:
		return lp_push_ask_kafka(
		    push, index, query->cookie, request->kafka);
	case LP__PB__CONTROL_REQUEST__BODY_RULES:
		query->set->rules.request.cookie = query->cookie;
		return lp_push_ask_rules(
		    push, index, &query->set->rules.request);
	case LP__PB__CONTROL_REQUEST__BODY_DENIALS:
		return send_denials(query, index, request->denials);
	default:
		return lp_push_ask_connections(
		    push, index, query->cookie, request->connections->limit);
	}
}

/* What follows on what was read of it. */
static int
send_denials(struct query *query, unsigned index,
    const Lp__Pb__DenialListRequest *wanted)
{
	struct lp_push *push = query->set->context->push;
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__DenialsRequest request = LP__PB__DENIALS_REQUEST__INIT;
	const char *name =
	    lp_reply_dataplane_name(lp_push_dataplane(push, index));

	request.cookie = query->cookie;
	request.has_limit = wanted->has_limit;
	request.limit = wanted->limit;
	request.n_ids = query->set->rules.request.n_ids;
	request.ids = query->set->rules.ids;
	for (size_t i = 0; i < wanted->n_read; i++) {
		if (strcmp(wanted->read[i]->dataplane, name) != 0)
			continue;
		request.has_log = request.has_after = true;
		request.log = wanted->read[i]->log;
		request.after = wanted->read[i]->last;
	}
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_DENIALS_REQUEST;
	message.denials_request = &request;
	return lp_push_ask(push, index, &message);
}

/* This dataplane will be missing in the answer. */
static void
lose(struct query *query, unsigned index, Lp__Pb__Failure__Result result,
    const char *why)
{
	query->lost = lp_reply_dataplane_name(
	    lp_push_dataplane(query->set->context->push, index));
	query->why = why;
	query->lost_as = result;
}

static void
refuse_nobody(struct query *query, const char *dataplane)
{
	const struct lp_context *context = query->set->context;
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__UNREACHABLE,
	    .dataplane = dataplane,
	};

	if (dataplane != NULL)
		lp_reply_failure(context, &query->to, &failure,
		    "no dataplane of this name is connected: see lpctl "
		    "status");
	else
		lp_reply_failure(context, &query->to, &failure,
		    "no dataplane is connected: see lpctl status");
	query->cookie = 0;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct query *query = arg;
	const struct lp_context *context = query->set->context;
	unsigned late = (unsigned)__builtin_ctz(query->pending);
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__TIMEOUT,
	    .dataplane =
		lp_reply_dataplane_name(lp_push_dataplane(context->push, late)),
	};

	(void)fd;
	(void)what;
	lp_reply_failure(context, &query->to, &failure,
	    "its answer is not complete, and nothing came of it for %lld ms",
	    (long long)query->set->time.tv_sec * 1000 +
		query->set->time.tv_usec / 1000);
	query->cookie = 0;
}

static void
pass_stats(struct query *query, const char *dataplane, Lp__Pb__Stats *stats)
{
	const struct lp_context *context = query->set->context;
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__CountersReply counters = LP__PB__COUNTERS_REPLY__INIT;

	for (size_t i = 0; i < stats->n_endpoints; i++) {
		Lp__Pb__EndpointStats *row = stats->endpoints[i];

		lp_query_name_row(&context->current.config, row->listener_id,
		    row->broker_id, &row->cluster, &row->listener,
		    &row->has_node_id, &row->node_id);
	}
	counters.dataplane = (char *)dataplane;
	counters.stats = stats;
	reply.has_more = reply.more = query->pending != 0 || query->lost;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_COUNTERS;
	reply.counters = &counters;
	lp_reply_send(context, &query->to, &reply);
}

static void
pass_kafka(
    struct query *query, const char *dataplane, Lp__Pb__KafkaStats *stats)
{
	const struct lp_context *context = query->set->context;
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__KafkaCountersReply counters =
	    LP__PB__KAFKA_COUNTERS_REPLY__INIT;

	for (size_t i = 0; i < stats->n_apis; i++) {
		Lp__Pb__KafkaApiStats *row = stats->apis[i];

		lp_query_name_row(&context->current.config, row->listener_id,
		    row->broker_id, &row->cluster, &row->listener,
		    &row->has_node_id, &row->node_id);
	}
	for (size_t i = 0; i < stats->n_topics; i++)
		lp_query_name_cluster(&context->current.config,
		    stats->topics[i]->cluster_id, &stats->topics[i]->cluster);
	counters.dataplane = (char *)dataplane;
	counters.stats = stats;
	reply.has_more = reply.more = query->pending != 0 || query->lost;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_KAFKA;
	reply.kafka = &counters;
	lp_reply_send(context, &query->to, &reply);
}

static void
pass_connections(struct query *query, const char *dataplane,
    const Lp__Pb__ConnectionsReply *frame)
{
	const struct lp_context *context = query->set->context;
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__ConnectionListReply list = LP__PB__CONNECTION_LIST_REPLY__INIT;

	for (size_t i = 0; i < frame->n_connections; i++) {
		Lp__Pb__Connection *row = frame->connections[i];

		lp_query_name_row(&context->current.config, row->listener_id,
		    row->broker_id, &row->cluster, &row->listener,
		    &row->has_node_id, &row->node_id);
	}
	list.dataplane = (char *)dataplane;
	list.n_connections = frame->n_connections;
	list.connections = frame->connections;
	reply.has_more = reply.more = query->pending != 0 || query->lost;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_CONNECTIONS;
	reply.connections = &list;
	lp_reply_send(context, &query->to, &reply);
}

static void
pass_rules(
    struct query *query, const char *dataplane, Lp__Pb__RuleStatsReply *stats)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__RuleCountersReply counters = LP__PB__RULE_COUNTERS_REPLY__INIT;

	counters.dataplane = (char *)dataplane;
	counters.stats = stats;
	reply.has_more = reply.more = query->pending != 0 || query->lost;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_RULES;
	reply.rules = &counters;
	lp_reply_send(query->set->context, &query->to, &reply);
}

static void
pass_denials(
    struct query *query, const char *dataplane, Lp__Pb__DenialsReply *denials)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__DenialListReply list = LP__PB__DENIAL_LIST_REPLY__INIT;

	list.dataplane = (char *)dataplane;
	list.denials = denials;
	reply.has_more = reply.more = query->pending != 0 || query->lost;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_DENIALS;
	reply.denials = &list;
	lp_reply_send(query->set->context, &query->to, &reply);
}

/* All have answered, or gone; an answer with a hole ends with a failure. */
static void
finish(struct query *query)
{
	const struct lp_reply_failure failure = {
	    .result = query->lost_as,
	    .dataplane = query->lost,
	};

	if (query->lost != NULL)
		lp_reply_failure(query->set->context, &query->to, &failure,
		    "%s", query->why);
	evtimer_del(query->timer);
	query->cookie = 0;
}
