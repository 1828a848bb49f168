/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C11's threads, by those of POSIX, for programs with ThreadSanitizer: it does
 * not know the C library's own ones, which librdkafka uses, and a thread that
 * it has not seen begin ends the process at its first lock.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "its place is ours");
static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "its place is ours");
static_assert(sizeof(thrd_t) == sizeof(pthread_t), "its place is ours");

struct start {
	thrd_start_t function;
	void *arg;
};

static int
result(int err)
{
	switch (err) {
	case 0:
		return thrd_success;
	case ENOMEM:
		return thrd_nomem;
	case ETIMEDOUT:
		return thrd_timedout;
	default:
		return thrd_error;
	}
}

static void *
run(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	return (void *)(intptr_t)start.function(start.arg);
}

int
thrd_create(thrd_t *thread, thrd_start_t function, void *arg)
{
	struct start *start = malloc(sizeof(*start));
	int err;

	if (start == NULL)
		return thrd_nomem;
	*start = (struct start){function, arg};
	err = pthread_create(thread, NULL, run, start);
	if (err != 0)
		free(start);
	return result(err);
}

int
thrd_join(thrd_t thread, int *value)
{
	void *returned;
	int err = pthread_join(thread, &returned);

	if (err == 0 && value != NULL)
		*value = (int)(intptr_t)returned;
	return result(err);
}

int
mtx_init(mtx_t *mutex, int type)
{
	pthread_mutexattr_t attributes;
	int err;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes,
	    type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE
				 : PTHREAD_MUTEX_NORMAL);
	err = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return result(err);
}

void
mtx_destroy(mtx_t *mutex)
{
	pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int
mtx_lock(mtx_t *mutex)
{
	return result(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int
mtx_unlock(mtx_t *mutex)
{
	return result(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

int
cnd_init(cnd_t *condition)
{
	return result(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

void
cnd_destroy(cnd_t *condition)
{
	pthread_cond_destroy((pthread_cond_t *)condition);
}

int
cnd_signal(cnd_t *condition)
{
	return result(pthread_cond_signal((pthread_cond_t *)condition));
}

int
cnd_broadcast(cnd_t *condition)
{
	return result(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int
cnd_wait(cnd_t *condition, mtx_t *mutex)
{
	return result(pthread_cond_wait(
	    (pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int
cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
    const struct timespec *restrict until)
{
	return result(pthread_cond_timedwait(
	    (pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}
