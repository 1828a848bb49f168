/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/topics.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "proto/log.h"

enum { TICK_S = 1 };

struct peer {
	bool connected; /* as last seen, and able to take what we tell */
	bool reported; /* all that it knows, once */
	bool waiting; /* for TopicIdsTaken */
	uint64_t unknown; /* as it last reported */
};

struct lp_topics {
	struct lp_context *context;
	struct lp_topic_names *names;
	struct lp_topic_seed *seed; /* NULL: nobody is asked */
	struct event *tick;
	uint64_t generation; /* that names and seed go by; 0: none yet */
	struct peer peers[LP_PUSH_DATAPLANES_MAX];
};

struct batch {
	struct lp_topic_id_pair pairs[LP_ROWS_MAX];
	struct lp_topic_id_message holders[LP_ROWS_MAX];
	Lp__Pb__TopicId *list[LP_ROWS_MAX];
};

static void on_tick(evutil_socket_t fd, short what, void *arg);
static void on_seeded(void *arg);
static void configure(struct lp_topics *topics);
static void learn(struct lp_topics *topics, unsigned index,
    const Lp__Pb__TopicIdsLearnt *learnt);
static void share_all(struct lp_topics *topics);
static void share(struct lp_topics *topics, unsigned index);

int
lp_topics_new(struct lp_topics **out, const struct lp_topics_options *options)
{
	struct lp_topics *topics = calloc(1, sizeof(*topics));
	struct event_base *base = options->context->base;
	const struct timeval time = {.tv_sec = TICK_S};
	int err;

	if (topics == NULL)
		return -ENOMEM;
	topics->context = options->context;
	err = lp_topic_names_new(&topics->names, LP_TOPIC_IDS_MAX);
	if (err == 0 && options->ask_brokers) {
		const struct lp_topic_seed_options seed = {
		    .base = base,
		    .names = topics->names,
		    .times = options->times,
		    .size_max = LP_TOPIC_SEED_SIZE_MAX,
		    .seeded = on_seeded,
		    .arg = topics,
		};

		err = lp_topic_seed_new(&topics->seed, &seed);
	}
	if (err == 0)
		topics->tick = event_new(base, -1, EV_PERSIST, on_tick, topics);
	if (topics->tick == NULL || event_add(topics->tick, &time) != 0) {
		lp_topics_free(topics);
		return -ENOMEM;
	}
	*out = topics;
	return 0;
}

void
lp_topics_free(struct lp_topics *topics)
{
	if (topics == NULL)
		return;
	if (topics->tick != NULL)
		event_free(topics->tick);
	lp_topic_seed_free(topics->seed);
	lp_topic_names_free(topics->names);
	free(topics);
}

void
lp_topics_changed(struct lp_topics *topics)
{
	configure(topics);
	for (unsigned i = 0; i < lp_push_count(topics->context->push); i++) {
		const struct lp_push_dataplane *dataplane =
		    lp_push_dataplane(topics->context->push, i);
		bool connected = dataplane->connected && dataplane->topic_ids;

		if (connected && !topics->peers[i].connected)
			lp_topic_names_forget_peer(topics->names, i);
		if (connected != topics->peers[i].connected)
			topics->peers[i] =
			    (struct peer){.connected = connected};
	}
}

void
lp_topics_answered(struct lp_topics *topics, unsigned index,
    const Lp__Pb__DataplaneMessage *message)
{
	struct peer *peer = &topics->peers[index];

	if (!peer->connected)
		return;
	if (message->body_case ==
	    LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_LEARNT) {
		learn(topics, index, message->topic_ids_learnt);
		share_all(topics);
	} else {
		peer->waiting = false;
		share(topics, index);
	}
}

unsigned
lp_topics_status(const struct lp_topics *topics,
    Lp__Pb__TopicIdsStatus rows[LP_CLUSTERS_MAX])
{
	const struct lp_config *config = &topics->context->current.config;
	size_t first,
	    total = lp_config_range(config, LP_OBJECT_CLUSTER, &first);
	unsigned count = 0;

	assert(total <= LP_CLUSTERS_MAX);
	for (size_t i = 0; i < total; i++) {
		const struct lp_object *cluster = &config->objects[first + i];
		const struct lp_topic_names_counts *counts =
		    lp_topic_names_counts(topics->names, cluster->id);
		struct lp_topic_seed_status seed = {.why = ""};
		Lp__Pb__TopicIdsStatus *row;

		/* Configured since the last tick; or it has none of its own. */
		if (counts == NULL || cluster->cluster.same_as != 0)
			continue;
		row = &rows[count++];
		lp__pb__topic_ids_status__init(row);
		row->cluster = (char *)cluster->cluster.name;
		row->has_known = row->has_seeded = row->has_learnt = true;
		row->known = counts->known;
		row->seeded = counts->seeded;
		row->learnt = counts->learnt;
		row->has_shared = row->has_refused = row->has_renamed = true;
		row->shared = counts->shared;
		row->refused = counts->refused;
		row->renamed = counts->renamed;
		if (topics->seed == NULL ||
		    !lp_topic_seed_status(topics->seed, cluster->id, &seed))
			continue;
		row->has_asked = row->has_failed = true;
		row->asked = seed.asked;
		row->failed = seed.failed;
		row->has_since_ns = seed.since_ns != 0;
		row->since_ns = seed.since_ns;
		if (seed.why[0] != '\0')
			row->why = (char *)seed.why;
	}
	return count;
}

/* A generation that no dataplane has told of. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	configure(arg);
}

static void
on_seeded(void *arg)
{
	share_all(arg);
}

static void
configure(struct lp_topics *topics)
{
	const struct lp_generation *current = &topics->context->current;

	if (topics->generation == current->number)
		return;
	lp_topic_names_configure(topics->names, &current->config);
	if (topics->seed != NULL &&
	    lp_topic_seed_configure(topics->seed, &current->config) != 0) {
		lp_log_warn("no memory to ask brokers for topic ids");
		return; /* at the next tick */
	}
	topics->generation = current->number;
}

static void
learn(struct lp_topics *topics, unsigned index,
    const Lp__Pb__TopicIdsLearnt *learnt)
{
	struct peer *peer = &topics->peers[index];

	for (size_t i = 0; i < learnt->n_topics; i++) {
		struct lp_topic_id_pair pair;

		if (lp_topic_id_from_message(&pair, learnt->topics[i]))
			lp_topic_names_add(
			    topics->names, &pair, LP_TOPIC_LEARNT, index);
	}
	/* What it has met before we came was met before brokers were asked. */
	if (peer->reported && learnt->unknown > peer->unknown &&
	    topics->seed != NULL)
		lp_topic_seed_unknown(topics->seed);
	peer->unknown = learnt->unknown;
	if (!learnt->more)
		peer->reported = true;
}

static void
share_all(struct lp_topics *topics)
{
	for (unsigned i = 0; i < lp_push_count(topics->context->push); i++)
		share(topics, i);
}

/* The next frame, if it has room for one and there is news for it. */
static void
share(struct lp_topics *topics, unsigned index)
{
	struct peer *peer = &topics->peers[index];
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TopicIdsKnown known = LP__PB__TOPIC_IDS_KNOWN__INIT;
	struct batch batch;

	if (!peer->connected || !peer->reported || peer->waiting)
		return;
	known.n_topics =
	    lp_topic_names_next(topics->names, index, batch.pairs, LP_ROWS_MAX);
	if (known.n_topics == 0)
		return;
	for (size_t i = 0; i < known.n_topics; i++)
		batch.list[i] =
		    lp_topic_id_to_message(&batch.holders[i], &batch.pairs[i]);
	known.topics = batch.list;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_KNOWN;
	message.topic_ids_known = &known;
	peer->waiting = true;
	/* One that is gone is forgotten in lp_topics_changed(). */
	(void)lp_push_ask(topics->context->push, index, &message);
}
