/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order, and why:
 *
 *	ask the host ▸ open ports ▸ worker ▸ build ▸ steer more ▸ publish ▸
 *	adopt ▸ steer less ▸ close ports ▸ release counters ▸ save
 *
 * Whatever can fail comes before publish and is undone when it does.  What
 * follows cannot refuse any more: it logs.  A port steers an address to us
 * before the snapshot answers for it, and until after none does.
 */
#include "dataplane/apply.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dataplane/clock.h"
#include "dataplane/host.h"
#include "dataplane/persist.h"
#include "proto/log.h"

enum {
	/* The worker gives back a closed port's buffers in its next turn. */
	RECLAIM_TRIES = 100,
	RECLAIM_WAIT_NS = 1000000,
};

static int ensure_worker(struct lp_dataplane *dataplane);
static int build(struct lp_dataplane *dataplane, struct lp_snapshot **out,
    const struct lp_config *config, uint64_t epoch, uint64_t generation,
    struct lp_snapshot_fault *fault);
static int steer_both(struct lp_dataplane *dataplane,
    const struct lp_config *next, struct lp_refusal *refusal);
static void steer_running(struct lp_dataplane *dataplane);
static void publish(struct lp_dataplane *dataplane, struct lp_snapshot *next);
static void adopt(
    struct lp_dataplane *dataplane, struct lp_candidate *candidate);
static void finish(struct lp_dataplane *dataplane);
static void release_counters(struct lp_dataplane *dataplane);
static void reclaim(struct lp_dataplane *dataplane);
static void save(struct lp_dataplane *dataplane);
static void load(struct lp_dataplane *dataplane, struct lp_persist *state);
static int refuse(struct lp_refusal *refusal, const char *what, int error);
static void refuse_rule(struct lp_refusal *refusal,
    const struct lp_config *config, const struct lp_snapshot_fault *fault);

int
lp_apply_candidate(struct lp_dataplane *dataplane,
    struct lp_candidate *candidate, struct lp_applied *applied,
    struct lp_refusal *refusal)
{
	struct lp_snapshot *snapshot = NULL;
	struct lp_snapshot_fault fault;
	uint64_t began_ns = lp_clock_ns();
	uint64_t built_ns;
	int error;

	error = lp_host_check(&dataplane->ports, &dataplane->running.config,
	    &candidate->config, refusal);
	if (error)
		goto cancel;
	error =
	    lp_ports_prepare(&dataplane->ports, &candidate->config, refusal);
	if (error)
		goto cancel;
	error = ensure_worker(dataplane);
	if (error) {
		refuse(refusal, "worker", error);
		goto cancel;
	}
	error = build(dataplane, &snapshot, &candidate->config,
	    candidate->epoch, candidate->generation, &fault);
	if (error) {
		refuse(refusal, "snapshot", error);
		if (fault.object_id != 0)
			refuse_rule(refusal, &candidate->config, &fault);
		goto cancel;
	}
	error = steer_both(dataplane, &candidate->config, refusal);
	if (error)
		goto steer_back;
	built_ns = lp_clock_ns();
	publish(dataplane, snapshot);
	applied->build_ns = built_ns - began_ns;
	applied->swap_ns = lp_clock_ns() - built_ns;
	adopt(dataplane, candidate);
	steer_running(dataplane);
	lp_ports_commit(&dataplane->ports, &dataplane->running.config);
	finish(dataplane);
	save(dataplane);
	return 0;

steer_back:
	lp_snapshot_free(snapshot);
	steer_running(dataplane);
cancel:
	lp_ports_cancel(&dataplane->ports, dataplane->worker != NULL);
	reclaim(dataplane);
	release_counters(dataplane);
	refusal->generation = candidate->generation;
	return -EINVAL;
}

int
lp_apply_last_good(struct lp_dataplane *dataplane)
{
	struct lp_running *running = &dataplane->running;
	struct lp_persist state = {0};
	struct lp_refusal refusal;

	load(dataplane, &state);
	running->epoch_seen = state.epoch_seen;
	running->controller_seen = state.controller_seen;
	running->epoch = state.epoch;
	running->generation = state.generation;
	if (running->generation == 0)
		return 0;
	running->digest = state.digest;
	dataplane->since_ns = lp_clock_real_ns();
	lp_ports_assign(&dataplane->ports, &running->config, state.port_ids);
	lp_log_info("generation %" PRIu64 " (epoch %" PRIu64 ", %zu objects) "
		    "from %s",
	    running->generation, running->epoch, running->config.count,
	    dataplane->options->snapshot_path);
	/* Nothing of it is new: this can only warn. */
	(void)lp_host_check(
	    &dataplane->ports, &running->config, &running->config, &refusal);
	lp_apply_watch(dataplane);
	/* Without a port there is no worker, and nothing to publish yet. */
	return dataplane->worker || !dataplane->ports.pool
	    ? 0
	    : ensure_worker(dataplane);
}

void
lp_apply_epoch(
    struct lp_dataplane *dataplane, uint64_t epoch, uint64_t controller)
{
	struct lp_running *running = &dataplane->running;

	if (epoch < running->epoch_seen ||
	    (epoch == running->epoch_seen &&
		(controller == 0 || controller == running->controller_seen)))
		return;
	running->epoch_seen = epoch;
	running->controller_seen = controller;
	save(dataplane);
}

void
lp_apply_watch(struct lp_dataplane *dataplane)
{
	struct lp_running *running = &dataplane->running;
	struct lp_snapshot *snapshot;
	bool again = dataplane->unpublished;
	int error;

	if (dataplane->unsaved)
		save(dataplane);
	lp_ports_reclaim(&dataplane->ports,
	    dataplane->worker ? lp_worker_pipeline(dataplane->worker) : NULL);
	if (!lp_ports_watch(&dataplane->ports) && !again)
		return;
	dataplane->unpublished = true;
	error = ensure_worker(dataplane);
	if (!error)
		error = build(dataplane, &snapshot, &running->config,
		    running->epoch, running->generation, NULL);
	if (error) {
		if (!again)
			lp_log_error("ports have changed, but no snapshot "
				     "could be made of it: %s; it is tried "
				     "again each second",
			    strerror(-error));
		return;
	}
	steer_running(dataplane);
	publish(dataplane, snapshot);
	lp_ports_close_gone(&dataplane->ports);
	finish(dataplane);
}

int
lp_apply_again(struct lp_dataplane *dataplane)
{
	if (dataplane->running.generation == 0)
		return 0;
	dataplane->unpublished = true;
	lp_apply_watch(dataplane);
	return dataplane->unpublished ? -EAGAIN : 0;
}

/* Pool and worker come with the first port. */
static int
ensure_worker(struct lp_dataplane *dataplane)
{
	const struct lp_options *options = dataplane->options;
	const struct lp_worker_config config = {
	    .cell = &dataplane->cell,
	    .region = &dataplane->region,
	    .backend = dataplane->ports.ops,
	    .pool = dataplane->ports.pool,
	    .spin = options->spin,
	    .spin_us = options->spin_us,
	    .cpu = options->cpu,
	};
	int error;

	if (dataplane->worker || !dataplane->ports.pool)
		return 0;
	error = lp_worker_new(&dataplane->worker, &config);
	if (error == -EINVAL)
		lp_log_error(
		    "--cpu %d: this process may not run on it", options->cpu);
	return error;
}

static int
build(struct lp_dataplane *dataplane, struct lp_snapshot **out,
    const struct lp_config *config, uint64_t epoch, uint64_t generation,
    struct lp_snapshot_fault *fault)
{
	struct lp_open_ports open;
	int error;

	lp_ports_fill(&dataplane->ports, config, &open);
	error =
	    lp_snapshot_build(out, config, &open, &dataplane->region, fault);
	if (error)
		return error;
	(*out)->epoch = epoch;
	(*out)->generation = generation;
	(*out)->closed = dataplane->alone.closed;
	return 0;
}

static int
steer_both(struct lp_dataplane *dataplane, const struct lp_config *next,
    struct lp_refusal *refusal)
{
	const struct lp_config *const both[] = {
	    &dataplane->running.config, next};

	return lp_ports_steer(
	    &dataplane->ports, both, 2, dataplane->running.generation, refusal);
}

static void
steer_running(struct lp_dataplane *dataplane)
{
	const struct lp_config *const one[] = {&dataplane->running.config};
	struct lp_refusal refusal;

	if (lp_ports_steer(&dataplane->ports, one, 1,
		dataplane->running.generation, &refusal) != 0)
		lp_log_warn("%s: steering: %s", refusal.object, refusal.why);
}

static void
publish(struct lp_dataplane *dataplane, struct lp_snapshot *next)
{
	lp_snapshot_publish(&dataplane->cell, next);
	dataplane->unpublished = false;
	if (dataplane->worker)
		lp_worker_wake(dataplane->worker);
}

static void
adopt(struct lp_dataplane *dataplane, struct lp_candidate *candidate)
{
	struct lp_running *running = &dataplane->running;

	lp_config_fini(&running->config);
	running->config = candidate->config;
	lp_config_init(&candidate->config);
	running->epoch = candidate->epoch;
	running->generation = candidate->generation;
	running->digest = candidate->digest;
	if (candidate->epoch > running->epoch_seen)
		running->epoch_seen = candidate->epoch;
	dataplane->since_ns = lp_clock_real_ns();
}

static void
finish(struct lp_dataplane *dataplane)
{
	reclaim(dataplane);
	release_counters(dataplane);
}

static void
release_counters(struct lp_dataplane *dataplane)
{
	const struct lp_snapshot *snapshot = lp_snapshot_get(&dataplane->cell);

	/* Those of a last good one that is not published yet are kept. */
	if (snapshot || dataplane->running.generation == 0)
		lp_snapshot_release_counters(snapshot, &dataplane->region);
}

/*
 * A moment's wait, so that the next generation finds the slots free.  What
 * takes longer is looked at again each second.
 */
static void
reclaim(struct lp_dataplane *dataplane)
{
	const struct timespec wait = {.tv_nsec = RECLAIM_WAIT_NS};
	struct lp_pipeline *pipeline = NULL;

	if (dataplane->worker)
		pipeline = lp_worker_pipeline(dataplane->worker);
	for (int i = 0; i < RECLAIM_TRIES; i++) {
		if (lp_ports_reclaim(&dataplane->ports, pipeline))
			return;
		lp_worker_wake(dataplane->worker);
		nanosleep(&wait, NULL);
	}
	lp_log_warn("the worker has not given back the buffers of a closed "
		    "port yet");
}

static void
save(struct lp_dataplane *dataplane)
{
	const char *path = dataplane->options->snapshot_path;
	const struct lp_running *running = &dataplane->running;
	struct lp_persist state = {
	    .epoch_seen = running->epoch_seen,
	    .controller_seen = running->controller_seen,
	    .epoch = running->epoch,
	    .generation = running->generation,
	    .digest = running->generation ? running->digest
					  : lp_config_digest(&running->config),
	};
	int error;

	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		state.port_ids[i] = dataplane->ports.slots[i].id;
	error = lp_persist_save(path, &state, &running->config);
	if (error && !dataplane->unsaved)
		lp_log_error("%s: %s: generation %" PRIu64 " runs, but a "
			     "restart would not know it; it is tried again "
			     "each second",
		    path, strerror(-error), running->generation);
	else if (!error && dataplane->unsaved)
		lp_log_info("%s: written again", path);
	dataplane->unsaved = error != 0;
}

static void
load(struct lp_dataplane *dataplane, struct lp_persist *state)
{
	const char *path = dataplane->options->snapshot_path;
	struct lp_config *config = &dataplane->running.config;
	char why[LP_WHY_SIZE] = "";
	int error = lp_persist_load(path, state, config, why);

	if (error == 0)
		return;
	memset(state, 0, sizeof(*state));
	lp_config_fini(config);
	lp_config_init(config);
	if (error == -ENOENT) {
		lp_log_info("%s: not there: no configuration until a "
			    "controller sends one",
		    path);
		return;
	}
	lp_log_error("%s: %s: starting without a configuration", path, why);
	if (error != -EBADMSG)
		return;
	error = lp_persist_set_aside(path);
	if (error)
		lp_log_error(
		    "%s: cannot be moved aside: %s", path, strerror(-error));
	else
		lp_log_error("%s: moved to %s.bad", path, path);
}

static int
refuse(struct lp_refusal *refusal, const char *what, int error)
{
	memset(refusal, 0, sizeof(*refusal));
	refusal->code = LP__PB__REJECTED__CODE__RESOURCE;
	refusal->field = "";
	if (error == -ENOSPC)
		snprintf(refusal->why, sizeof(refusal->why),
		    "%s: more than %d pairs of listener and broker, with "
		    "those of the running generation",
		    what, LP_ENDPOINTS_MAX);
	else
		snprintf(refusal->why, sizeof(refusal->why), "%s: %s", what,
		    strerror(-error));
	return -EINVAL;
}

static void
refuse_rule(struct lp_refusal *refusal, const struct lp_config *config,
    const struct lp_snapshot_fault *fault)
{
	const struct lp_object *rule =
	    lp_config_find(config, LP_OBJECT_RULE, fault->object_id);

	assert(rule);
	refusal->object_id = fault->object_id;
	lp_config_label(config, rule, refusal->object);
	refusal->field = fault->field;
	snprintf(refusal->why, sizeof(refusal->why), "%s", fault->why);
}
