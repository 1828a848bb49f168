/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	on_look ▸ due ▸ a thread asks ▸ done ▸ eventfd ▸ on_done, in the event
 *	loop ▸ answered()
 *
 * Life-cycle of a cluster: its file comes ▸ due ▸ asked ▸ due in an interval ▸
 * … ▸ its file or itself goes, with what is under way for it.
 *
 * Synchronization.  `shared` is the threads' and ours, under its lock; all
 * else is the event loop's.  A thread lives for one poll.  One that is stuck in
 * the resolver when we end is left behind: it has a reference, and frees
 * `shared` if it is the last.
 */
#include "controld/poll.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/clock.h"
#include "proto/log.h"

enum {
	LOOK_MS = 1000,
	PATH_SIZE = 4096,
	STRANGERS_MAX = 16, /* others are not told of */
};

#define SUFFIX ".conf"

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a thread has */
	struct job *done;
	unsigned users; /* threads, and we */
	atomic_bool over;
	int event; /* eventfd: something is done */
	void (*ask)(const char *path, const atomic_bool *over,
	    struct lp_poll_answer *answer);
};

struct job {
	struct job *next;
	struct shared *shared;
	uint32_t cluster_id;
	uint32_t serial; /* of that use of the cluster's place */
	char path[PATH_SIZE];
	struct lp_poll_answer answer;
};

/* What changes when somebody has changed the file. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	mode_t mode;
	uid_t owner;
	struct timespec written, changed;
};

struct cluster {
	uint32_t id; /* 0: free */
	uint32_t serial;
	struct stamp stamp;
	bool asked; /* and not answered yet */
	uint64_t due_ms;
	char logged[LP_POLL_WHY_SIZE]; /* of the reasons; "": all is well */
	struct lp_poll_status status;
};

struct lp_poll {
	struct lp_context *context;
	struct lp_poll_options options;
	struct shared *shared;
	struct event *done, *timer;
	unsigned running; /* threads */
	uint32_t serial;
	int directory_error; /* as logged */
	char strangers[STRANGERS_MAX][LP_NAME_SIZE]; /* as logged */
	struct cluster clusters[LP_CLUSTERS_MAX];
};

static int new_shared(
    struct shared **out, const struct lp_poll_options *options);
static void end(struct shared *shared);
static void unref(struct shared *shared);
static void on_look(evutil_socket_t fd, short what, void *arg);
static void look_at(struct lp_poll *poll, const struct lp_object *object);
static int path_of(
    const struct lp_poll *poll, const char *name, char path[PATH_SIZE]);
static struct cluster *find(const struct lp_poll *poll, uint32_t id);
static void look_for_strangers(struct lp_poll *poll);
static bool is_stranger(
    const struct lp_poll *poll, const char *file, char name[LP_NAME_SIZE]);
static void tell(const struct lp_poll *poll, const char *name,
    char known[][LP_NAME_SIZE], unsigned *count);
static void start_due(struct lp_poll *poll);
static struct cluster *next_due(struct lp_poll *poll);
static int start(struct lp_poll *poll, struct cluster *cluster,
    const struct lp_object *object);
static int start_thread(struct job *job);
static void *work(void *arg);
static void on_done(evutil_socket_t fd, short what, void *arg);
static void take(struct lp_poll *poll, struct job *job);
static void failed(
    struct lp_poll *poll, struct cluster *cluster, const char *why);
static void set_timer(struct lp_poll *poll);
static const char *name_of(const struct lp_poll *poll, uint32_t id);

int
lp_poll_new(struct lp_poll **out, struct lp_context *context,
    const struct lp_poll_options *options)
{
	static const struct timeval now = {0};
	struct lp_poll *poll = calloc(1, sizeof(*poll));
	int err;

	if (poll == NULL)
		return -ENOMEM;
	poll->context = context;
	poll->options = *options;
	if (poll->options.interval == 0)
		poll->options.interval = LP_POLL_INTERVAL_S * 1000;
	if (poll->options.look == 0)
		poll->options.look = LOOK_MS;
	err = new_shared(&poll->shared, options);
	if (err != 0) {
		free(poll);
		return err;
	}
	poll->timer = evtimer_new(context->base, on_look, poll);
	poll->done = event_new(context->base, poll->shared->event,
	    EV_READ | EV_PERSIST, on_done, poll);
	if (poll->timer == NULL || poll->done == NULL ||
	    event_add(poll->done, NULL) != 0 ||
	    evtimer_add(poll->timer, &now) != 0) {
		lp_poll_free(poll);
		return -ENOMEM;
	}
	*out = poll;
	return 0;
}

void
lp_poll_free(struct lp_poll *poll)
{
	if (poll == NULL)
		return;
	if (poll->timer != NULL)
		event_free(poll->timer);
	if (poll->done != NULL)
		event_free(poll->done);
	end(poll->shared);
	unref(poll->shared);
	free(poll);
}

const struct lp_poll_status *
lp_poll_status(const struct lp_poll *poll, uint32_t cluster_id)
{
	const struct cluster *cluster =
	    poll != NULL ? find(poll, cluster_id) : NULL;

	return cluster != NULL ? &cluster->status : NULL;
}

static int
new_shared(struct shared **out, const struct lp_poll_options *options)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	pthread_condattr_t attributes;

	if (shared == NULL)
		return -ENOMEM;
	shared->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (shared->event < 0) {
		int err = errno;

		free(shared);
		return -err;
	}
	pthread_mutex_init(&shared->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&shared->ended, &attributes);
	pthread_condattr_destroy(&attributes);
	shared->users = 1;
	shared->ask = options->ask != NULL ? options->ask : lp_poll_ask;
	*out = shared;
	return 0;
}

static void
end(struct shared *shared)
{
	struct timespec until;
	unsigned left;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LP_POLL_END_MS / 1000;
	atomic_store(&shared->over, true);
	pthread_mutex_lock(&shared->lock);
	while (shared->users > 1 &&
	    pthread_cond_timedwait(&shared->ended, &shared->lock, &until) == 0)
		;
	left = shared->users - 1;
	pthread_mutex_unlock(&shared->lock);
	if (left > 0)
		lp_log_warn(
		    "%u polls of clusters do not end: they are left behind",
		    left);
}

static void
unref(struct shared *shared)
{
	unsigned users;
	struct job *job;

	pthread_mutex_lock(&shared->lock);
	users = --shared->users;
	/* Under the lock: who waits may free it as soon as it is open. */
	pthread_cond_signal(&shared->ended);
	pthread_mutex_unlock(&shared->lock);
	if (users > 0)
		return;
	while ((job = shared->done) != NULL) {
		shared->done = job->next;
		lp_poll_ask_free(&job->answer);
		free(job);
	}
	pthread_cond_destroy(&shared->ended);
	pthread_mutex_destroy(&shared->lock);
	close(shared->event);
	free(shared);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct lp_poll *poll = arg;
	const struct lp_config *config = &poll->context->current.config;
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_CLUSTER, &first);

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < LP_CLUSTERS_MAX; i++)
		if (lp_config_find(config, LP_OBJECT_CLUSTER,
			poll->clusters[i].id) == NULL)
			poll->clusters[i].id = 0;
	for (size_t i = first; i < first + count; i++)
		look_at(poll, &config->objects[i]);
	look_for_strangers(poll);
	start_due(poll);
	set_timer(poll);
}

static void
look_at(struct lp_poll *poll, const struct lp_object *object)
{
	struct cluster *cluster = find(poll, object->id);
	struct stamp stamp;
	char path[PATH_SIZE];
	struct stat status;

	if (path_of(poll, object->cluster.name, path) != 0 ||
	    lstat(path, &status) != 0) {
		if (cluster != NULL)
			cluster->id = 0;
		return;
	}
	/* Compared byte by byte. */
	memset(&stamp, 0, sizeof(stamp));
	stamp.device = status.st_dev;
	stamp.inode = status.st_ino;
	stamp.size = status.st_size;
	stamp.mode = status.st_mode;
	stamp.owner = status.st_uid;
	stamp.written = status.st_mtim;
	stamp.changed = status.st_ctim;
	if (cluster != NULL &&
	    memcmp(&stamp, &cluster->stamp, sizeof(stamp)) == 0)
		return;
	if (cluster == NULL) {
		cluster = find(poll, 0);
		if (cluster == NULL)
			return; /* no: there are not more of them */
		memset(cluster, 0, sizeof(*cluster));
		cluster->id = object->id;
	}
	/* What is under way is of the file as it was. */
	cluster->serial = ++poll->serial;
	cluster->asked = false;
	memcpy(&cluster->stamp, &stamp, sizeof(stamp));
	cluster->due_ms = lp_clock_now_ms();
	lp_log_info("cluster %s: is asked for its brokers, as %s says",
	    object->cluster.name, path);
}

static int
path_of(const struct lp_poll *poll, const char *name, char path[PATH_SIZE])
{
	int len = snprintf(
	    path, PATH_SIZE, "%s/%s" SUFFIX, poll->options.directory, name);

	return len < PATH_SIZE ? 0 : -ENAMETOOLONG;
}

static struct cluster *
find(const struct lp_poll *poll, uint32_t id)
{
	for (unsigned i = 0; i < LP_CLUSTERS_MAX; i++)
		if (poll->clusters[i].id == id)
			return (struct cluster *)&poll->clusters[i];
	return NULL;
}

/* Files of no cluster: each is told of when it has come. */
static void
look_for_strangers(struct lp_poll *poll)
{
	char known[STRANGERS_MAX][LP_NAME_SIZE] = {0};
	DIR *directory = opendir(poll->options.directory);
	int err = directory != NULL ? 0 : errno;
	unsigned count = 0;
	struct dirent *entry;

	if (err != 0 && err != ENOENT && err != poll->directory_error)
		lp_log_warn("no cluster is asked for its brokers: %s: %s",
		    poll->options.directory, strerror(err));
	poll->directory_error = err;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char name[LP_NAME_SIZE];

		if (count < STRANGERS_MAX &&
		    is_stranger(poll, entry->d_name, name))
			tell(poll, name, known, &count);
	}
	if (directory != NULL)
		closedir(directory);
	memcpy(poll->strangers, known, sizeof(known));
}

static bool
is_stranger(
    const struct lp_poll *poll, const char *file, char name[LP_NAME_SIZE])
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);

	if (len <= suffix || len - suffix >= LP_NAME_SIZE || file[0] == '.' ||
	    strcmp(file + len - suffix, SUFFIX) != 0)
		return false;
	snprintf(name, LP_NAME_SIZE, "%.*s", (int)(len - suffix), file);
	return lp_config_find_name(&poll->context->current.config,
		   LP_OBJECT_CLUSTER, 0, name) == NULL;
}

static void
tell(const struct lp_poll *poll, const char *name, char known[][LP_NAME_SIZE],
    unsigned *count)
{
	bool told = false;

	for (unsigned i = 0; i < STRANGERS_MAX; i++)
		told |= strcmp(poll->strangers[i], name) == 0;
	if (!told)
		lp_log_warn("%s/%s" SUFFIX ": there is no cluster %s: used "
			    "when there is",
		    poll->options.directory, name, name);
	strcpy(known[(*count)++], name);
}

static void
start_due(struct lp_poll *poll)
{
	struct cluster *cluster;

	while (poll->running < LP_POLL_AT_ONCE &&
	    (cluster = next_due(poll)) != NULL) {
		int err = start(poll, cluster,
		    lp_config_find(&poll->context->current.config,
			LP_OBJECT_CLUSTER, cluster->id));

		if (err != 0)
			failed(poll, cluster, strerror(-err));
	}
}

/* Whose turn has been for the longest: so no one waits for ever. */
static struct cluster *
next_due(struct lp_poll *poll)
{
	uint64_t now_ms = lp_clock_now_ms();
	struct cluster *next = NULL;

	for (unsigned i = 0; i < LP_CLUSTERS_MAX; i++) {
		struct cluster *cluster = &poll->clusters[i];

		if (cluster->asked || cluster->due_ms > now_ms ||
		    (next != NULL && next->due_ms <= cluster->due_ms) ||
		    lp_config_find(&poll->context->current.config,
			LP_OBJECT_CLUSTER, cluster->id) == NULL)
			continue;
		next = cluster;
	}
	return next;
}

static int
start(struct lp_poll *poll, struct cluster *cluster,
    const struct lp_object *object)
{
	struct job *job = calloc(1, sizeof(*job));
	int err;

	if (job == NULL)
		return -ENOMEM;
	job->shared = poll->shared;
	job->cluster_id = cluster->id;
	job->serial = cluster->serial;
	err = path_of(poll, object->cluster.name, job->path);
	if (err == 0)
		err = start_thread(job);
	if (err != 0) {
		free(job);
		return err;
	}
	cluster->asked = true;
	poll->running++;
	return 0;
}

/* Signals are the event loop's. */
static int
start_thread(struct job *job)
{
	struct shared *shared = job->shared;
	sigset_t all, before;
	pthread_t thread;
	int err;

	pthread_mutex_lock(&shared->lock);
	shared->users++;
	pthread_mutex_unlock(&shared->lock);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, work, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != 0) {
		unref(shared);
		return -err;
	}
	pthread_detach(thread);
	return 0;
}

static void *
work(void *arg)
{
	static const uint64_t one = 1;
	struct job *job = arg;
	struct shared *shared = job->shared;

	shared->ask(job->path, &shared->over, &job->answer);
	pthread_mutex_lock(&shared->lock);
	job->next = shared->done;
	shared->done = job;
	(void)!write(shared->event, &one, sizeof(one));
	pthread_mutex_unlock(&shared->lock);
	unref(shared);
	return NULL;
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	struct lp_poll *poll = arg;
	struct job *done, *job;
	uint64_t count;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	pthread_mutex_lock(&poll->shared->lock);
	done = poll->shared->done;
	poll->shared->done = NULL;
	pthread_mutex_unlock(&poll->shared->lock);
	while ((job = done) != NULL) {
		done = job->next;
		poll->running--;
		take(poll, job);
		lp_poll_ask_free(&job->answer);
		free(job);
	}
	start_due(poll);
	set_timer(poll);
}

static void
take(struct lp_poll *poll, struct job *job)
{
	struct cluster *cluster = find(poll, job->cluster_id);
	struct lp_poll_status *status;

	if (cluster == NULL || cluster->serial != job->serial ||
	    !cluster->asked)
		return;
	cluster->asked = false;
	if (job->answer.count == 0) {
		failed(poll, cluster, job->answer.why);
		return;
	}
	status = &cluster->status;
	if (status->answered == 0 || cluster->logged[0] != '\0')
		lp_log_info("cluster %s: asked, it has %zu brokers",
		    name_of(poll, cluster->id), job->answer.count);
	cluster->logged[0] = status->why[0] = '\0';
	cluster->due_ms = lp_clock_now_ms() + poll->options.interval;
	status->answered++;
	status->answered_ns = lp_clock_time_ns();
	status->brokers = job->answer.count;
	poll->options.answered(poll->options.arg, cluster->id, &job->answer);
}

/* Logged if it is news. */
static void
failed(struct lp_poll *poll, struct cluster *cluster, const char *why)
{
	struct lp_poll_status *status = &cluster->status;

	snprintf(status->why, sizeof(status->why), "%s", why);
	if (strcmp(cluster->logged, status->why) != 0)
		lp_log_warn("cluster %s: asked for its brokers: %s",
		    name_of(poll, cluster->id), status->why);
	strcpy(cluster->logged, status->why);
	cluster->due_ms = lp_clock_now_ms() + poll->options.interval;
	status->failed++;
	status->failed_ns = lp_clock_time_ns();
}

/* To the next look, or sooner if somebody is due then. */
static void
set_timer(struct lp_poll *poll)
{
	uint64_t now_ms = lp_clock_now_ms(), ms = poll->options.look;
	struct timeval wait;

	for (unsigned i = 0; i < LP_CLUSTERS_MAX; i++) {
		const struct cluster *cluster = &poll->clusters[i];

		/* One that has no turn waits for on_done(). */
		if (cluster->id != 0 && !cluster->asked &&
		    cluster->due_ms > now_ms && cluster->due_ms < now_ms + ms)
			ms = cluster->due_ms - now_ms;
	}
	wait = lp_clock_timeval(ms);
	evtimer_add(poll->timer, &wait);
}

static const char *
name_of(const struct lp_poll *poll, uint32_t id)
{
	const struct lp_object *object = lp_config_find(
	    &poll->context->current.config, LP_OBJECT_CLUSTER, id);

	return object != NULL ? object->cluster.name : "?";
}
