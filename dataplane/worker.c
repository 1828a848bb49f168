/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronization: the thread is an RCU reader of the snapshot cell.  It is
 * quiescent between turns, says so now and then, and is offline while asleep;
 * so a sleeping worker holds up no grace period.  Control wakes it by an
 * eventfd that is among what it polls: a wake-up between its last turn and
 * poll() is not lost.
 */
#include "dataplane/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "dataplane/grace.h"
#include "proto/log.h"

enum {
	TURNS_BETWEEN_QUIESCENT = 64,
	FDS_MAX = LP_PORTS_MAX * LP_PORT_QUEUES_MAX,
	/*
	 * Where nothing tells of packets: how long it sleeps before it looks
	 * again.  A timer of the kernel is late by about as much.
	 */
	NAP_NS = 50000,
};

struct lp_worker {
	struct lp_snapshot_cell *cell;
	struct lp_stats *stats;
	struct lp_pipeline *pipeline;
	const struct lp_backend_ops *backend;
	struct lp_pool *pool;
	uint64_t spin_ns;
	bool spin;
	int wake_fd;
	pthread_t thread;

	/* control writes, worker reads */
	_Alignas(64) atomic_bool stop;

	/* worker writes, control reads */
	_Alignas(64) _Atomic uint64_t turns;
	atomic_bool asleep;

	/* control only */
	_Alignas(64) uint64_t seen_turns;
	uint64_t seen_ns;

	/* worker only */
	_Alignas(64) int fds[FDS_MAX];
	struct pollfd polled[FDS_MAX + 1];
};

static int make_pipeline(
    struct lp_worker *worker, const struct lp_worker_config *config);
static int start_thread(struct lp_worker *worker, int cpu);
static void *run(void *arg);
static void enter(struct lp_worker *worker);
static unsigned take_turn(struct lp_worker *worker, uint64_t *now_ns);
static void sleep_until_needed(struct lp_worker *worker, uint64_t *now_ns);

int
lp_worker_new(struct lp_worker **out, const struct lp_worker_config *config)
{
	struct lp_worker *worker;
	int error;

	worker = aligned_alloc(64, (sizeof(*worker) + 63) & ~(size_t)63);
	if (!worker)
		return -ENOMEM;
	memset(worker, 0, sizeof(*worker));
	worker->cell = config->cell;
	worker->stats = config->region->stats;
	worker->backend = config->backend;
	worker->pool = config->pool;
	worker->spin = config->spin;
	worker->spin_ns = (uint64_t)config->spin_us * 1000;
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = worker->wake_fd < 0 ? -errno : 0;
	if (!error)
		error = make_pipeline(worker, config);
	if (!error)
		error = start_thread(worker, config->cpu);
	if (!error) {
		*out = worker;
		return 0;
	}
	if (worker->pipeline)
		lp_pipeline_free(worker->pipeline);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	free(worker);
	return error;
}

void
lp_worker_free(struct lp_worker *worker)
{
	if (!worker)
		return;
	atomic_store_explicit(&worker->stop, true, memory_order_release);
	lp_worker_wake(worker);
	pthread_join(worker->thread, NULL);
	lp_pipeline_free(worker->pipeline);
	close(worker->wake_fd);
	free(worker);
}

void
lp_worker_wake(struct lp_worker *worker)
{
	/* It fails only when the count is full: then it is awake anyway. */
	eventfd_write(worker->wake_fd, 1);
}

uint64_t
lp_worker_stuck_ns(struct lp_worker *worker, uint64_t now_ns)
{
	uint64_t turns =
	    atomic_load_explicit(&worker->turns, memory_order_relaxed);
	bool asleep =
	    atomic_load_explicit(&worker->asleep, memory_order_relaxed);

	if (turns != worker->seen_turns || asleep || worker->seen_ns == 0) {
		worker->seen_turns = turns;
		worker->seen_ns = now_ns;
	}
	return now_ns - worker->seen_ns;
}

struct lp_pipeline *
lp_worker_pipeline(struct lp_worker *worker)
{
	return worker->pipeline;
}

static int
make_pipeline(struct lp_worker *worker, const struct lp_worker_config *config)
{
	struct lp_pipeline_config pipeline = {
	    .cell = config->cell,
	    .region = config->region,
	    .backend = config->backend,
	    .pool = config->pool,
	    .now_ns = lp_clock_ns(),
	    .clock = lp_clock_ns,
	};

	if (getrandom(&pipeline.hash_seed, sizeof(pipeline.hash_seed), 0) !=
	    sizeof(pipeline.hash_seed))
		return -EIO;
	return lp_pipeline_new(&worker->pipeline, &pipeline);
}

static int
start_thread(struct lp_worker *worker, int cpu)
{
	pthread_attr_t attr;
	sigset_t all;
	sigset_t before;
	cpu_set_t set;
	int error = pthread_attr_init(&attr);

	if (error)
		return -error;
	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		error = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	}
	/* Signals are the control thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!error)
		error = pthread_create(&worker->thread, &attr, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (!error)
		pthread_setname_np(worker->thread, "lp-worker");
	return -error;
}

static void *
run(void *arg)
{
	struct lp_worker *worker = arg;
	uint64_t now_ns = lp_clock_ns();
	uint64_t idle_since_ns = now_ns;
	unsigned since_quiescent = 0;

	enter(worker);
	lp_grace_register();
	while (!atomic_load_explicit(&worker->stop, memory_order_acquire)) {
		unsigned packets = take_turn(worker, &now_ns);

		if (packets > 0)
			idle_since_ns = now_ns;
		if (packets == 0 ||
		    ++since_quiescent >= TURNS_BETWEEN_QUIESCENT) {
			lp_grace_quiescent(worker->cell);
			since_quiescent = 0;
		}
		if (!worker->spin && packets == 0 &&
		    now_ns - idle_since_ns >= worker->spin_ns)
			sleep_until_needed(worker, &now_ns);
	}
	lp_grace_unregister(worker->cell);
	if (worker->backend->leave)
		worker->backend->leave(worker->pool);
	return NULL;
}

/* A back end that does not know the thread is slower, and no worse. */
static void
enter(struct lp_worker *worker)
{
	int error = 0;

	if (worker->backend->enter)
		error = worker->backend->enter(worker->pool);
	if (error)
		lp_log_warn("worker: %s does not know this thread: %s: it has "
			    "no cache of packet buffers",
		    worker->backend->name, strerror(-error));
	if (!worker->backend->fds)
		prctl(PR_SET_TIMERSLACK, 1);
}

/* The end of one turn is the beginning of the next. */
static unsigned
take_turn(struct lp_worker *worker, uint64_t *now_ns)
{
	unsigned packets = lp_pipeline_run(worker->pipeline, *now_ns);
	uint64_t end_ns = lp_clock_ns();
	uint64_t turns =
	    atomic_load_explicit(&worker->turns, memory_order_relaxed);

	lp_count_add(&worker->stats->loops, 1);
	lp_count_add(
	    packets ? &worker->stats->busy_ns : &worker->stats->idle_ns,
	    end_ns - *now_ns);
	atomic_store_explicit(&worker->turns, turns + 1, memory_order_relaxed);
	*now_ns = end_ns;
	return packets;
}

static void
sleep_until_needed(struct lp_worker *worker, uint64_t *now_ns)
{
	int wait_ms = lp_pipeline_wait_ms(worker->pipeline, *now_ns);
	struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000l};
	unsigned count = 0;
	uint64_t end_ns;
	eventfd_t ignored;

	if (wait_ms == 0)
		return;
	if (!worker->backend->fds)
		wait = (struct timespec){.tv_nsec = NAP_NS};
	count = lp_pipeline_fds(worker->pipeline, worker->fds, FDS_MAX);
	for (unsigned i = 0; i < count; i++)
		worker->polled[i] =
		    (struct pollfd){.fd = worker->fds[i], .events = POLLIN};
	worker->polled[count] =
	    (struct pollfd){.fd = worker->wake_fd, .events = POLLIN};
	lp_grace_offline(worker->cell);
	atomic_store_explicit(&worker->asleep, true, memory_order_relaxed);
	/* An error or a signal is a wake-up like any other. */
	ppoll(worker->polled, count + 1, &wait, NULL);
	atomic_store_explicit(&worker->asleep, false, memory_order_relaxed);
	lp_grace_online();
	if (worker->polled[count].revents)
		eventfd_read(worker->wake_fd, &ignored);
	end_ns = lp_clock_ns();
	lp_count_add(&worker->stats->sleeps, 1);
	lp_count_add(&worker->stats->sleep_ns, end_ns - *now_ns);
	*now_ns = end_ns;
}
