/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	lp_names_get ▸ queue ▸ a thread asks the resolver ▸ done ▸ eventfd ▸
 *	on_done, in the event loop ▸ changed()
 *
 * Synchronization.  `shared` is the threads' and ours, under its lock; all
 * else is the event loop's.  A thread that is inside of the resolver when we
 * end has a reference, and frees `shared` if it is the last.
 */
#include "controld/names.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
	struct job *next;
	uint32_t place; /* of the name, for which it is asked */
	uint32_t serial; /* of that use of the place */
	char host[LP_HOST_SIZE];
	struct lp_names_answer answer;
};

struct list {
	struct job *first, **last;
};

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	struct list todo, done;
	unsigned users; /* threads, and we */
	bool over;
	int event; /* eventfd: something is done */
	void (*resolve)(const char *host, struct lp_names_answer *answer);
};

struct name {
	char host[LP_HOST_SIZE]; /* "": free */
	uint32_t serial;
	bool asked; /* and not answered yet */
	bool known;
	uint64_t looked_ms, used_ms;
	struct lp_names_answer answer;
};

struct lp_names {
	struct lp_names_options options;
	struct shared *shared;
	struct event *event;
	bool running; /* threads have been started */
	uint64_t now_ms;
	struct lp_names_answer itself; /* of an address */
	struct name names[LP_NAMES_MAX];
};

static int new_shared(
    struct shared **out, const struct lp_names_options *options);
static void unref(struct shared *shared);
static void free_list(struct list *list);
static void add(struct list *list, struct job *job);
static struct job *take(struct list *list);
static struct name *find(struct lp_names *names, const char *host);
static void ask(struct lp_names *names, struct name *name);
static void start_threads(struct lp_names *names);
static void *work(void *arg);
static void on_done(evutil_socket_t fd, short what, void *arg);
static bool keep(struct lp_names *names, const struct job *job);

int
lp_names_new(struct lp_names **out, const struct lp_names_options *options)
{
	struct lp_names *names = calloc(1, sizeof(*names));
	int err;

	if (names == NULL)
		return -ENOMEM;
	names->options = *options;
	err = new_shared(&names->shared, options);
	if (err != 0) {
		free(names);
		return err;
	}
	names->event = event_new(options->base, names->shared->event,
	    EV_READ | EV_PERSIST, on_done, names);
	if (names->event == NULL || event_add(names->event, NULL) != 0) {
		lp_names_free(names);
		return -ENOMEM;
	}
	*out = names;
	return 0;
}

void
lp_names_free(struct lp_names *names)
{
	if (names == NULL)
		return;
	if (names->event != NULL)
		event_free(names->event);
	pthread_mutex_lock(&names->shared->lock);
	names->shared->over = true;
	pthread_cond_broadcast(&names->shared->wanted);
	pthread_mutex_unlock(&names->shared->lock);
	unref(names->shared);
	free(names);
}

const struct lp_names_answer *
lp_names_get(struct lp_names *names, const char *host, uint64_t now_ms)
{
	struct name *name;

	if (lp_ip_parse(&names->itself.ips[0], host, NULL) == 0) {
		names->itself.count = 1;
		return &names->itself;
	}
	names->now_ms = now_ms;
	name = find(names, host);
	if (name == NULL)
		return NULL;
	name->used_ms = now_ms;
	if (!name->asked &&
	    (!name->known ||
		now_ms - name->looked_ms >= names->options.again_ms))
		ask(names, name);
	return name->known ? &name->answer : NULL;
}

void
lp_names_resolve(const char *host, struct lp_names_answer *answer)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int err = getaddrinfo(host, NULL, &hints, &list);

	if (err != 0) {
		snprintf(answer->why, sizeof(answer->why),
		    "cannot resolve \"%.*s\": %s", LP_NAME_SIZE, host,
		    err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
		return;
	}
	for (const struct addrinfo *at = list;
	     at != NULL && answer->count < LP_NAMES_ADDRESSES_MAX;
	     at = at->ai_next) {
		struct lp_ip *ip = &answer->ips[answer->count];
		const struct sockaddr_in *v4 = (const void *)at->ai_addr;
		const struct sockaddr_in6 *v6 = (const void *)at->ai_addr;

		if (at->ai_family == AF_INET)
			lp_ip_from_v4(ip, (const uint8_t *)&v4->sin_addr);
		else if (at->ai_family == AF_INET6)
			memcpy(ip->bytes, &v6->sin6_addr, sizeof(ip->bytes));
		else
			continue;
		answer->count++;
	}
	freeaddrinfo(list);
	if (answer->count == 0)
		snprintf(answer->why, sizeof(answer->why),
		    "\"%.*s\" has no address", LP_NAME_SIZE, host);
}

static int
new_shared(struct shared **out, const struct lp_names_options *options)
{
	struct shared *shared = calloc(1, sizeof(*shared));

	if (shared == NULL)
		return -ENOMEM;
	shared->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (shared->event < 0) {
		int err = errno;

		free(shared);
		return -err;
	}
	pthread_mutex_init(&shared->lock, NULL);
	pthread_cond_init(&shared->wanted, NULL);
	shared->todo.last = &shared->todo.first;
	shared->done.last = &shared->done.first;
	shared->users = 1;
	shared->resolve = options->resolve;
	*out = shared;
	return 0;
}

static void
unref(struct shared *shared)
{
	unsigned users;

	pthread_mutex_lock(&shared->lock);
	users = --shared->users;
	pthread_mutex_unlock(&shared->lock);
	if (users > 0)
		return;
	free_list(&shared->todo);
	free_list(&shared->done);
	pthread_cond_destroy(&shared->wanted);
	pthread_mutex_destroy(&shared->lock);
	close(shared->event);
	free(shared);
}

static void
free_list(struct list *list)
{
	struct job *job;

	while ((job = take(list)) != NULL)
		free(job);
}

static void
add(struct list *list, struct job *job)
{
	job->next = NULL;
	*list->last = job;
	list->last = &job->next;
}

static struct job *
take(struct list *list)
{
	struct job *job = list->first;

	if (job == NULL)
		return NULL;
	list->first = job->next;
	if (list->first == NULL)
		list->last = &list->first;
	return job;
}

/* Its place, or one that becomes its place; NULL: all are being asked. */
static struct name *
find(struct lp_names *names, const char *host)
{
	struct name *oldest = NULL;

	if (strlen(host) >= LP_HOST_SIZE)
		return NULL;
	for (unsigned i = 0; i < LP_NAMES_MAX; i++) {
		struct name *name = &names->names[i];

		if (strcmp(name->host, host) == 0)
			return name;
		if (!name->asked &&
		    (oldest == NULL || name->used_ms < oldest->used_ms))
			oldest = name;
	}
	if (oldest == NULL)
		return NULL;
	strcpy(oldest->host, host);
	oldest->serial++;
	oldest->known = false;
	return oldest;
}

static void
ask(struct lp_names *names, struct name *name)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return; /* the next one who asks tries again */
	job->place = (uint32_t)(name - names->names);
	job->serial = name->serial;
	strcpy(job->host, name->host);
	if (!names->running)
		start_threads(names);
	name->asked = true;
	pthread_mutex_lock(&names->shared->lock);
	add(&names->shared->todo, job);
	pthread_cond_signal(&names->shared->wanted);
	pthread_mutex_unlock(&names->shared->lock);
}

/* Signals are the event loop's.  One thread is enough, if slower. */
static void
start_threads(struct lp_names *names)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < LP_NAMES_THREADS; i++) {
		pthread_t thread;

		pthread_mutex_lock(&names->shared->lock);
		names->shared->users++;
		pthread_mutex_unlock(&names->shared->lock);
		if (pthread_create(&thread, NULL, work, names->shared) != 0) {
			unref(names->shared);
			break;
		}
		pthread_detach(thread);
		names->running = true;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *
work(void *arg)
{
	static const uint64_t one = 1;
	struct shared *shared = arg;
	struct job *job;

	pthread_mutex_lock(&shared->lock);
	while (!shared->over) {
		job = take(&shared->todo);
		if (job == NULL) {
			pthread_cond_wait(&shared->wanted, &shared->lock);
			continue;
		}
		pthread_mutex_unlock(&shared->lock);
		shared->resolve(job->host, &job->answer);
		pthread_mutex_lock(&shared->lock);
		add(&shared->done, job);
		(void)!write(shared->event, &one, sizeof(one));
	}
	pthread_mutex_unlock(&shared->lock);
	unref(shared);
	return NULL;
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	struct lp_names *names = arg;
	struct list done = {.last = &done.first};
	struct job *job;
	uint64_t count;
	bool changed = false;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	pthread_mutex_lock(&names->shared->lock);
	while ((job = take(&names->shared->done)) != NULL)
		add(&done, job);
	pthread_mutex_unlock(&names->shared->lock);
	while ((job = take(&done)) != NULL) {
		changed |= keep(names, job);
		free(job);
	}
	if (changed)
		names->options.changed(names->options.arg);
}

/* Whether it is news.  What was known outlives a failure. */
static bool
keep(struct lp_names *names, const struct job *job)
{
	struct name *name = &names->names[job->place];
	bool news = !name->known;

	if (name->serial != job->serial)
		return false;
	name->asked = false;
	name->looked_ms = names->now_ms;
	if (name->known && job->answer.count == 0)
		return false;
	news |= name->answer.count != job->answer.count ||
	    memcmp(name->answer.ips, job->answer.ips,
		sizeof(name->answer.ips)) != 0;
	name->known = true;
	name->answer = job->answer;
	return news;
}
