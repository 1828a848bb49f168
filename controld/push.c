/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/push.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>

#include "controld/peer_connect.h"
#include "controld/peer_push.h"
#include "controld/stream.h"
#include "proto/log.h"

const struct lp_push_times lp_push_times = {
    .backoff_min = 100,
    .backoff_max = 5000,
    .slow = 30000,
    .hello = 5000,
    .answer = 30000,
    .beat = 1000,
    .silence = 5000,
};

struct lp_push {
	struct lp_peer_shared shared;
	struct lp_peer peers[LP_PUSH_DATAPLANES_MAX];
	unsigned count;
};

static void on_found(void *arg);
static int make_delta(
    struct lp_peer_shared *shared, const struct lp_generation *from);
static int add_put(void *arg, const struct lp_object *object, bool is_new);
static int add_gone(void *arg, const struct lp_object *object);
static int add_object(
    struct lp_peer_shared *shared, const struct lp_object *object, bool gone);

int
lp_push_new(struct lp_push **out, const struct lp_push_options *options,
    const struct lp_generation *desired)
{
	struct lp_push *push = calloc(1, sizeof(*push));
	const struct lp_names_options names = {
	    .base = options->base,
	    .again_ms = LP_NAMES_AGAIN_MS,
	    .resolve = options->resolve ? options->resolve : lp_names_resolve,
	    .changed = on_found,
	    .arg = push,
	};
	int err = 0;

	assert(options->path_count <= LP_PUSH_DATAPLANES_MAX);
	if (push == NULL)
		return -ENOMEM;
	push->shared.options = *options;
	push->shared.desired = desired;
	if (options->tls != NULL)
		err = lp_names_new(&push->shared.names, &names);
	while (err == 0 && push->count < options->path_count) {
		err = lp_peer_init(&push->peers[push->count], &push->shared,
		    push->count, options->paths[push->count]);
		if (err == 0)
			push->count++;
	}
	if (err != 0) {
		lp_push_free(push);
		return err;
	}
	*out = push;
	return 0;
}

void
lp_push_free(struct lp_push *push)
{
	if (push == NULL)
		return;
	for (unsigned i = 0; i < push->count; i++)
		lp_peer_fini(&push->peers[i]);
	lp_names_free(push->shared.names);
	if (push->shared.delta != NULL)
		evbuffer_free(push->shared.delta);
	free(push);
}

void
lp_push_recheck(struct lp_push *push)
{
	for (unsigned i = 0; i < push->count; i++)
		lp_peer_connect_again(&push->peers[i]);
}

void
lp_push_start(struct lp_push *push, const struct lp_generation *from)
{
	/* Without one, everybody gets the whole generation. */
	if (make_delta(&push->shared, from) != 0)
		lp_log_warn("no memory for a delta of generation %llu",
		    (unsigned long long)push->shared.desired->number);
	for (unsigned i = 0; i < push->count; i++)
		lp_peer_push_run(&push->peers[i]);
}

unsigned
lp_push_count(const struct lp_push *push)
{
	return push->count;
}

const struct lp_push_dataplane *
lp_push_dataplane(const struct lp_push *push, unsigned index)
{
	assert(index < push->count);
	return &push->peers[index].info;
}

const char *
lp_push_state_name(enum lp_push_state state)
{
	static const char *const names[] = {
	    [LP_PUSH_CONNECTING] = "connecting",
	    [LP_PUSH_SYNCHRONISING] = "synchronising",
	    [LP_PUSH_APPLIED] = "applied",
	    [LP_PUSH_REJECTED] = "rejected",
	    [LP_PUSH_FENCED] = "fenced",
	    [LP_PUSH_INCOMPATIBLE] = "incompatible",
	};

	return names[state];
}

int
lp_push_ask_stats(struct lp_push *push, unsigned index, uint64_t cookie)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__StatsRequest request = LP__PB__STATS_REQUEST__INIT;

	request.cookie = cookie;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REQUEST;
	message.stats_request = &request;
	return lp_peer_send(&push->peers[index], &message);
}

int
lp_push_ask_connections(
    struct lp_push *push, unsigned index, uint64_t cookie, uint32_t limit)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ConnectionsRequest request = LP__PB__CONNECTIONS_REQUEST__INIT;

	request.cookie = cookie;
	request.has_limit = limit != 0;
	request.limit = limit;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_CONNECTIONS_REQUEST;
	message.connections_request = &request;
	return lp_peer_send(&push->peers[index], &message);
}

int
lp_push_ask_kafka(struct lp_push *push, unsigned index, uint64_t cookie,
    const Lp__Pb__KafkaCountersRequest *wanted)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__KafkaStatsRequest request = LP__PB__KAFKA_STATS_REQUEST__INIT;

	request.cookie = cookie;
	request.has_apis = request.has_topics = request.has_clients = true;
	request.apis = wanted->apis;
	request.topics = wanted->topics;
	request.clients = wanted->clients;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_KAFKA_STATS_REQUEST;
	message.kafka_stats_request = &request;
	return lp_peer_send(&push->peers[index], &message);
}

int
lp_push_ask_rules(struct lp_push *push, unsigned index,
    const Lp__Pb__RuleStatsRequest *request)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;

	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_RULE_STATS_REQUEST;
	message.rule_stats_request = (Lp__Pb__RuleStatsRequest *)request;
	return lp_peer_send(&push->peers[index], &message);
}

int
lp_push_ask(struct lp_push *push, unsigned index,
    const Lp__Pb__DataplaneMessage *message)
{
	return lp_peer_send(&push->peers[index], message);
}

static void
on_found(void *arg)
{
	struct lp_push *push = arg;

	for (unsigned i = 0; i < push->count; i++)
		lp_peer_found(&push->peers[i]);
}

static int
make_delta(struct lp_peer_shared *shared, const struct lp_generation *from)
{
	const struct lp_config_diff diff = {
	    .put = add_put, .gone = add_gone, .arg = shared};
	int err;

	if (shared->delta != NULL)
		evbuffer_free(shared->delta);
	shared->delta = evbuffer_new();
	if (shared->delta == NULL)
		return -ENOMEM;
	shared->delta_count = 0;
	shared->delta_base = from->number;
	shared->delta_base_digest = from->digest;
	err = lp_config_diff(&from->config, &shared->desired->config, &diff);
	if (err != 0) {
		evbuffer_free(shared->delta);
		shared->delta = NULL;
	}
	return err;
}

static int
add_put(void *arg, const struct lp_object *object, bool is_new)
{
	(void)is_new;
	return add_object(arg, object, false);
}

static int
add_gone(void *arg, const struct lp_object *object)
{
	return add_object(arg, object, true);
}

static int
add_object(
    struct lp_peer_shared *shared, const struct lp_object *object, bool gone)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ObjectFrame frame = LP__PB__OBJECT_FRAME__INIT;
	struct lp_message_object holder;

	frame.object = lp_message_from_object(&holder, object);
	frame.has_gone = gone;
	frame.gone = gone;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT;
	message.object = &frame;
	shared->delta_count++;
	return lp_stream_add(shared->delta, &message.base);
}
