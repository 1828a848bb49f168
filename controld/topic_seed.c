/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle of a cluster: waiting ▸ exchange (topic_exchange.c) ▸ waiting.
 * Its one timer is that of the next exchange.  Who is configured away takes its
 * exchange with it.
 */
#include "controld/topic_seed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/clock.h"
#include "controld/topic_exchange.h"
#include "proto/log.h"

const struct lp_topic_seed_times lp_topic_seed_times = {
    .answer = 10000,
    .period = 300000,
    .retry_min = 5000,
    .retry_max = 300000,
    .given_up = 900000,
    .eager_min = 10000,
};

enum {
	BUSY_MS = 500, /* others exchange: look again */
	WHY_SIZE = 2 * LP_WHY_SIZE,
};

struct broker {
	uint32_t id;
	int32_t node_id;
	struct lp_endpoint real;
	uint8_t logged; /* enum lp_topic_exchange_result; 0: none */
};

struct cluster {
	struct lp_topic_seed *seed;
	uint32_t id;
	char name[LP_NAME_SIZE];
	struct event *timer;
	struct lp_topic_exchange *exchange; /* NULL: none */
	struct broker *brokers;
	unsigned broker_count;
	unsigned at; /* the broker that is asked, or will be next */
	unsigned failures; /* brokers in a row */
	bool hopeless; /* none of those can ever help */
	bool eager; /* asked for an unknown id */
	unsigned retry_ms, eager_ms;
	uint64_t due_ms; /* of the timer */
	uint64_t asked, failed, since_ns;
	char why[WHY_SIZE];
};

struct lp_topic_seed {
	struct lp_topic_seed_options options;
	struct cluster *clusters[LP_CLUSTERS_MAX];
	unsigned count;
	unsigned exchanges;
};

static int make_clusters(struct lp_topic_seed *seed,
    const struct lp_config *config, struct cluster **made);
static int fill_brokers(
    struct cluster *cluster, const struct lp_config *config);
static bool take_over(struct cluster *cluster, struct cluster *from);
static struct cluster *find(const struct lp_topic_seed *seed, uint32_t id);
static void free_cluster(struct cluster *cluster);
static void on_timer(evutil_socket_t fd, short what, void *arg);
static void begin(struct cluster *cluster);
static void on_done(void *arg, enum lp_topic_exchange_result result,
    const char *why, const struct lp_topic_id_pair *pairs, size_t count);
static void succeeded(struct cluster *cluster,
    const struct lp_topic_id_pair *pairs, size_t count);
static void failed(struct cluster *cluster,
    enum lp_topic_exchange_result result, const char *why);
static void plan(struct cluster *cluster, unsigned ms);
static unsigned doubled(unsigned ms, unsigned min, unsigned max);

int
lp_topic_seed_new(
    struct lp_topic_seed **out, const struct lp_topic_seed_options *options)
{
	struct lp_topic_seed *seed = calloc(1, sizeof(*seed));

	if (seed == NULL)
		return -ENOMEM;
	seed->options = *options;
	*out = seed;
	return 0;
}

void
lp_topic_seed_free(struct lp_topic_seed *seed)
{
	if (seed == NULL)
		return;
	for (unsigned i = 0; i < seed->count; i++)
		free_cluster(seed->clusters[i]);
	free(seed);
}

int
lp_topic_seed_configure(
    struct lp_topic_seed *seed, const struct lp_config *config)
{
	struct cluster *made[LP_CLUSTERS_MAX];
	int count = make_clusters(seed, config, made);
	bool changed;

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		struct cluster *had = find(seed, made[i]->id);

		changed = had == NULL || take_over(made[i], had);
		if (changed)
			plan(made[i], seed->options.times.retry_min / 8);
	}
	for (unsigned i = 0; i < seed->count; i++)
		free_cluster(seed->clusters[i]);
	memcpy(seed->clusters, made, (size_t)count * sizeof(*made));
	seed->count = (unsigned)count;
	return 0;
}

void
lp_topic_seed_unknown(struct lp_topic_seed *seed)
{
	for (unsigned i = 0; i < seed->count; i++) {
		struct cluster *cluster = seed->clusters[i];

		/* One whose brokers do not help is not asked more often. */
		if (cluster->exchange != NULL || cluster->failures > 0 ||
		    cluster->eager ||
		    cluster->due_ms <= lp_clock_now_ms() + cluster->eager_ms)
			continue;
		cluster->eager = true;
		plan(cluster, cluster->eager_ms);
	}
}

bool
lp_topic_seed_status(const struct lp_topic_seed *seed, uint32_t cluster_id,
    struct lp_topic_seed_status *status)
{
	const struct cluster *cluster = find(seed, cluster_id);

	if (cluster == NULL)
		return false;
	*status = (struct lp_topic_seed_status){
	    .asked = cluster->asked,
	    .failed = cluster->failed,
	    .since_ns = cluster->since_ns,
	    .why = cluster->why,
	};
	return true;
}

/*
 * All that are configured, those that are the same as one; how many, or
 * -ENOMEM and none.
 */
static int
make_clusters(struct lp_topic_seed *seed, const struct lp_config *config,
    struct cluster **made)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_CLUSTER, &first);
	int n = 0;

	for (size_t i = 0; i < count; i++) {
		const struct lp_object *object = &config->objects[first + i];
		struct cluster *cluster;

		if (object->cluster.same_as != 0)
			continue;
		cluster = calloc(1, sizeof(*cluster));
		made[n++] = cluster;
		if (cluster != NULL) {
			cluster->seed = seed;
			cluster->id = object->id;
			memcpy(cluster->name, object->cluster.name,
			    sizeof(cluster->name));
			cluster->eager_ms = seed->options.times.eager_min;
			cluster->timer =
			    evtimer_new(seed->options.base, on_timer, cluster);
		}
		if (cluster == NULL || cluster->timer == NULL ||
		    fill_brokers(cluster, config) != 0) {
			while (n > 0)
				free_cluster(made[--n]);
			return -ENOMEM;
		}
	}
	return n;
}

/* By all of their listeners: one may want no SASL. */
static int
fill_brokers(struct cluster *cluster, const struct lp_config *config)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_BROKER, &first);

	cluster->brokers = calloc(count + 1, sizeof(*cluster->brokers));
	if (cluster->brokers == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct lp_object *object = &config->objects[first + i];

		if (lp_config_root(config, object->broker.cluster_id) ==
		    cluster->id)
			cluster->brokers[cluster->broker_count++] =
			    (struct broker){.id = object->id,
				.node_id = object->broker.node_id,
				.real = object->broker.real};
	}
	return 0;
}

/* True: it has other brokers than before. */
static bool
take_over(struct cluster *cluster, struct cluster *from)
{
	uint64_t now = lp_clock_now_ms();
	bool changed = cluster->broker_count != from->broker_count;

	for (unsigned i = 0; i < cluster->broker_count; i++) {
		struct broker *broker = &cluster->brokers[i];
		const struct broker *was = NULL;

		for (unsigned n = 0; n < from->broker_count; n++)
			if (from->brokers[n].id == broker->id)
				was = &from->brokers[n];
		if (was != NULL &&
		    memcmp(&was->real, &broker->real, sizeof(was->real)) == 0)
			broker->logged = was->logged;
		else
			changed = true;
	}
	cluster->asked = from->asked;
	cluster->failed = from->failed;
	cluster->since_ns = from->since_ns;
	memcpy(cluster->why, from->why, sizeof(cluster->why));
	if (changed)
		return true;
	cluster->at = from->at;
	cluster->failures = from->failures;
	cluster->hopeless = from->hopeless;
	cluster->eager = from->eager;
	cluster->retry_ms = from->retry_ms;
	cluster->eager_ms = from->eager_ms;
	/* An exchange that runs begins anew. */
	plan(cluster,
	    from->exchange != NULL || from->due_ms <= now
		? 0
		: (unsigned)(from->due_ms - now));
	return false;
}

static struct cluster *
find(const struct lp_topic_seed *seed, uint32_t id)
{
	for (unsigned i = 0; i < seed->count; i++)
		if (seed->clusters[i]->id == id)
			return seed->clusters[i];
	return NULL;
}

static void
free_cluster(struct cluster *cluster)
{
	if (cluster == NULL)
		return;
	if (cluster->exchange != NULL) {
		lp_topic_exchange_free(cluster->exchange);
		cluster->seed->exchanges--;
	}
	if (cluster->timer != NULL)
		event_free(cluster->timer);
	free(cluster->brokers);
	free(cluster);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct cluster *cluster = arg;

	(void)fd;
	(void)what;
	if (cluster->seed->exchanges == LP_TOPIC_SEED_EXCHANGES_MAX)
		plan(cluster, BUSY_MS);
	else if (cluster->broker_count > 0)
		begin(cluster);
}

static void
begin(struct cluster *cluster)
{
	struct lp_topic_seed *seed = cluster->seed;
	const struct lp_topic_exchange_options options = {
	    .base = seed->options.base,
	    .broker = cluster->brokers[cluster->at].real,
	    .time_ms = seed->options.times.answer,
	    .size_max = seed->options.size_max,
	    .done = on_done,
	    .arg = cluster,
	};

	cluster->asked++;
	seed->exchanges++;
	if (lp_topic_exchange_new(&cluster->exchange, &options) == 0)
		return;
	seed->exchanges--;
	failed(cluster, LP_TOPIC_EXCHANGE_FAILED, "no memory to ask it");
}

static void
on_done(void *arg, enum lp_topic_exchange_result result, const char *why,
    const struct lp_topic_id_pair *pairs, size_t count)
{
	struct cluster *cluster = arg;
	struct lp_topic_exchange *exchange = cluster->exchange;

	cluster->exchange = NULL;
	cluster->seed->exchanges--;
	if (result == LP_TOPIC_EXCHANGE_DONE)
		succeeded(cluster, pairs, count);
	else
		failed(cluster, result, why);
	lp_topic_exchange_free(exchange);
}

static void
succeeded(
    struct cluster *cluster, const struct lp_topic_id_pair *pairs, size_t count)
{
	const struct lp_topic_seed_options *options = &cluster->seed->options;
	const struct lp_topic_seed_times *times = &options->times;
	size_t fresh = 0;

	for (size_t i = 0; i < count; i++) {
		struct lp_topic_id_pair pair = pairs[i];

		pair.cluster_id = cluster->id;
		fresh += lp_topic_names_add(options->names, &pair,
		    LP_TOPIC_SEEDED, LP_TOPIC_NAMES_NO_PEER);
	}
	if (fresh > 0 || cluster->since_ns == 0)
		lp_log_info("cluster %s: broker %" PRId32
			    " told %zu topic ids, %zu of them new",
		    cluster->name, cluster->brokers[cluster->at].node_id, count,
		    fresh);
	cluster->brokers[cluster->at].logged = 0;
	cluster->why[0] = '\0';
	cluster->since_ns = lp_clock_time_ns();
	cluster->failures = cluster->retry_ms = 0;
	if (cluster->eager)
		cluster->eager_ms = fresh > 0
		    ? times->eager_min
		    : doubled(
			  cluster->eager_ms, times->eager_min, times->period);
	cluster->eager = false;
	plan(cluster, times->period);
	if (fresh > 0)
		options->seeded(options->arg);
}

/* Said once of each broker, until it is another reason. */
static void
failed(struct cluster *cluster, enum lp_topic_exchange_result result,
    const char *why)
{
	const struct lp_topic_seed_times *times = &cluster->seed->options.times;
	struct broker *broker = &cluster->brokers[cluster->at];
	char address[LP_ENDPOINT_TEXT_SIZE];

	snprintf(cluster->why, sizeof(cluster->why),
	    "broker %" PRId32 ", %s: %s", broker->node_id,
	    lp_endpoint_format(address, &broker->real), why);
	if (broker->logged != (uint8_t)result)
		lp_log_info("cluster %s: %s; names of topic ids are learnt "
			    "from what passes",
		    cluster->name, cluster->why);
	broker->logged = (uint8_t)result;
	cluster->failed++;
	cluster->eager = false;
	if (cluster->failures == 0)
		cluster->hopeless = true;
	if (result != LP_TOPIC_EXCHANGE_HOPELESS)
		cluster->hopeless = false;
	cluster->at = (cluster->at + 1) % cluster->broker_count;
	if (++cluster->failures % cluster->broker_count != 0) {
		plan(cluster, times->retry_min / 8);
		return;
	}
	if (cluster->hopeless) {
		plan(cluster, times->given_up);
		return;
	}
	cluster->hopeless = true; /* until the next round says otherwise */
	cluster->retry_ms =
	    doubled(cluster->retry_ms, times->retry_min, times->retry_max);
	plan(cluster, cluster->retry_ms);
}

/* Three to five quarters: many clusters do not come in step. */
static void
plan(struct cluster *cluster, unsigned ms)
{
	struct timeval time;

	ms = ms - ms / 4 + arc4random_uniform(ms / 2 + 1);
	time = lp_clock_timeval(ms);
	cluster->due_ms = lp_clock_now_ms() + ms;
	evtimer_add(cluster->timer, &time);
}

static unsigned
doubled(unsigned ms, unsigned min, unsigned max)
{
	if (ms == 0)
		return min;
	return ms < max / 2 ? ms * 2 : max;
}
