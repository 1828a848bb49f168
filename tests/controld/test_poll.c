/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files are used and when, and how answers come back; the cluster is
 * played by the test.
 */
#include "controld/poll.h"
#include "transaction.h"
#include "world.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEVER = 3600000 };

static char dir[64];
static struct lp_context context;
static uint32_t next_id;
static struct lp_poll *polls;
static unsigned answers;
static uint32_t answered_id;
static int32_t answered_node;
/* Of the cluster. */
static _Atomic unsigned asked, inside;
static _Atomic int brokers; /* that it has; 0: it fails */
static sem_t may_answer; /* if `waits` */
static atomic_bool waits;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char asked_path[256]; /* under it */

static void
ask(const char *path, const atomic_bool *over, struct lp_poll_answer *answer)
{
	atomic_fetch_add(&inside, 1);
	pthread_mutex_lock(&lock);
	snprintf(asked_path, sizeof(asked_path), "%s", path);
	pthread_mutex_unlock(&lock);
	atomic_fetch_add(&asked, 1);
	if (atomic_load(&waits))
		while (!atomic_load(over) && sem_trywait(&may_answer) != 0)
			usleep(1000); /* one of two things */
	*answer = (struct lp_poll_answer){0};
	if (atomic_load(&brokers) == 0) {
		snprintf(answer->why, sizeof(answer->why), "nobody is there");
	} else {
		answer->count = (size_t)atomic_load(&brokers);
		answer->brokers =
		    calloc(answer->count, sizeof(*answer->brokers));
		answer->brokers[0].node_id = 7;
	}
	atomic_fetch_sub(&inside, 1);
}

static void
on_answer(void *arg, uint32_t cluster_id, const struct lp_poll_answer *answer)
{
	ck_assert_ptr_eq(arg, &answers);
	answers++;
	answered_id = cluster_id;
	answered_node = answer->brokers[0].node_id;
}

static void
start(unsigned interval)
{
	const struct lp_poll_options options = {
	    .directory = dir,
	    .interval = interval,
	    .look = 1,
	    .ask = ask,
	    .answered = on_answer,
	    .arg = &answers,
	};

	ck_assert_int_eq(lp_poll_new(&polls, &context, &options), 0);
}

static void
setup(void)
{
	make_dir(dir);
	sem_init(&may_answer, 0, 0);
	context.base = event_base_new();
	lp_config_init(&context.current.config);
	next_id = 1;
	apply(&context.current.config, &next_id, basic);
	answers = 0;
	atomic_store(&asked, 0);
	atomic_store(&brokers, 3);
	atomic_store(&waits, false);
}

static void
teardown(void)
{
	lp_poll_free(polls);
	lp_config_fini(&context.current.config);
	event_base_free(context.base);
	remove_dir(dir);
}

static void
put(const char *name, const char *text)
{
	FILE *file = fopen(path_in(dir, name), "w");

	fputs(text, file);
	fclose(file);
}

static uint32_t
id_of(const char *name)
{
	return lp_config_find_name(
	    &context.current.config, LP_OBJECT_CLUSTER, 0, name)
	    ->id;
}

static const struct lp_poll_status *
status_of(const char *name)
{
	return lp_poll_status(polls, id_of(name));
}

static void
turn(void)
{
	event_base_loop(context.base, EVLOOP_ONCE);
}

/* So many turns see whatever there is to see. */
static void
turns(void)
{
	for (unsigned i = 0; i < 20; i++)
		turn();
}

START_TEST(who_has_a_file_is_asked)
{
	put("payments.conf", "");
	put("payments.conf~", "");
	put("other.txt", "");
	start(NEVER);
	while (answers == 0)
		turn();
	ck_assert_str_eq(asked_path, path_in(dir, "payments.conf"));
	ck_assert_uint_eq(answered_id, id_of("payments"));
	ck_assert_int_eq(answered_node, 7);
	ck_assert_uint_eq(status_of("payments")->answered, 1);
	ck_assert_uint_eq(status_of("payments")->failed, 0);
	ck_assert_uint_eq(status_of("payments")->brokers, 3);
	ck_assert_uint_ne(status_of("payments")->answered_ns, 0);
	ck_assert_str_eq(status_of("payments")->why, "");
	turns();
	ck_assert_uint_eq(atomic_load(&asked), 1);
}
END_TEST

START_TEST(it_is_asked_again_after_the_interval)
{
	put("payments.conf", "");
	start(1);
	while (answers < 3)
		turn();
	ck_assert_uint_ge(status_of("payments")->answered, 3);
}
END_TEST

START_TEST(a_failure_is_told_until_an_answer_comes)
{
	put("payments.conf", "");
	atomic_store(&brokers, 0);
	start(1);
	while (
	    status_of("payments") == NULL || status_of("payments")->failed < 2)
		turn();
	ck_assert_uint_eq(answers, 0);
	ck_assert_str_eq(status_of("payments")->why, "nobody is there");
	ck_assert_uint_ne(status_of("payments")->failed_ns, 0);
	atomic_store(&brokers, 2);
	while (answers == 0)
		turn();
	ck_assert_str_eq(status_of("payments")->why, "");
	ck_assert_uint_eq(status_of("payments")->brokers, 2);
	/* What it said last is known while it fails. */
	atomic_store(&brokers, 0);
	while (status_of("payments")->why[0] == '\0')
		turn();
	ck_assert_uint_eq(status_of("payments")->brokers, 2);
	ck_assert_uint_ne(status_of("payments")->answered_ns, 0);
}
END_TEST

START_TEST(a_changed_file_is_used_at_once)
{
	put("payments.conf", "");
	start(NEVER);
	while (answers < 1)
		turn();
	put("payments.conf", "a=1");
	while (answers < 2)
		turn();
	/* Its mode, too: it may be readable now. */
	ck_assert_int_eq(chmod(path_in(dir, "payments.conf"), 0640), 0);
	while (answers < 3)
		turn();
	turns();
	ck_assert_uint_eq(answers, 3);
}
END_TEST

/* What was asked as the old file said is not told. */
START_TEST(a_changed_file_does_not_wait_for_the_old)
{
	put("payments.conf", "");
	atomic_store(&waits, true);
	start(NEVER);
	while (atomic_load(&asked) < 1)
		turn();
	put("payments.conf", "a=1");
	while (atomic_load(&asked) < 2)
		turn();
	sem_post(&may_answer);
	sem_post(&may_answer);
	while (answers < 1 || atomic_load(&inside) > 0)
		turn();
	turns();
	ck_assert_uint_eq(answers, 1);
	ck_assert_uint_eq(status_of("payments")->answered, 1);
}
END_TEST

START_TEST(without_its_file_it_is_not_asked)
{
	unsigned before;

	put("payments.conf", "");
	start(1);
	while (answers < 1)
		turn();
	ck_assert_int_eq(unlink(path_in(dir, "payments.conf")), 0);
	while (status_of("payments") != NULL)
		turn();
	while (atomic_load(&inside) > 0)
		turn();
	turns();
	before = atomic_load(&asked);
	turns();
	ck_assert_uint_eq(atomic_load(&asked), before);
}
END_TEST

/* The file waits for its cluster, and a name for its file. */
START_TEST(a_cluster_may_come_later)
{
	put("later.conf", "");
	start(NEVER);
	turns();
	ck_assert_uint_eq(atomic_load(&asked), 0);
	apply(&context.current.config, &next_id, "add cluster later");
	while (answers < 1)
		turn();
	ck_assert_uint_eq(answered_id, id_of("later"));
	ck_assert_ptr_null(status_of("payments"));
	apply(&context.current.config, &next_id, "set cluster later name=now");
	while (status_of("now") != NULL)
		turn();
	put("now.conf", "");
	while (answers < 2)
		turn();
}
END_TEST

START_TEST(a_cluster_that_is_gone_is_forgotten)
{
	uint32_t id;

	put("later.conf", "");
	apply(&context.current.config, &next_id, "add cluster later");
	id = id_of("later");
	atomic_store(&waits, true);
	start(NEVER);
	while (atomic_load(&asked) == 0)
		turn();
	apply(&context.current.config, &next_id, "del cluster later");
	while (lp_poll_status(polls, id) != NULL)
		turn();
	sem_post(&may_answer);
	while (atomic_load(&inside) > 0)
		turn();
	turns();
	ck_assert_uint_eq(answers, 0);
}
END_TEST

START_TEST(not_all_are_asked_at_once)
{
	unsigned count = LP_POLL_AT_ONCE + 3;

	for (unsigned i = 0; i < count; i++) {
		char text[64];

		snprintf(text, sizeof(text), "add cluster c%u", i);
		apply(&context.current.config, &next_id, text);
		snprintf(text, sizeof(text), "c%u.conf", i);
		put(text, "");
	}
	atomic_store(&waits, true);
	start(NEVER);
	while (atomic_load(&inside) < LP_POLL_AT_ONCE)
		turn();
	turns();
	ck_assert_uint_eq(atomic_load(&asked), LP_POLL_AT_ONCE);
	for (unsigned i = 0; i < count; i++)
		sem_post(&may_answer);
	while (answers < count)
		turn();
	ck_assert_uint_eq(atomic_load(&asked), count);
}
END_TEST

/* teardown() would not return. */
START_TEST(the_end_is_told_to_who_is_under_way)
{
	put("payments.conf", "");
	atomic_store(&waits, true);
	start(NEVER);
	while (atomic_load(&asked) == 0)
		turn();
	lp_poll_free(polls);
	polls = NULL;
	ck_assert_uint_eq(atomic_load(&inside), 0);
	ck_assert_uint_eq(answers, 0);
}
END_TEST

/* One may come, or go and come again. */
START_TEST(without_a_directory_nobody_is_asked)
{
	put("payments.conf", "");
	remove_dir(dir);
	start(NEVER);
	turns();
	ck_assert_uint_eq(atomic_load(&asked), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	put("payments.conf", "");
	while (answers < 1)
		turn();
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("poll");
	TCase *tcase = tcase_create("poll");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	TEST(who_has_a_file_is_asked);
	TEST(it_is_asked_again_after_the_interval);
	TEST(a_failure_is_told_until_an_answer_comes);
	TEST(a_changed_file_is_used_at_once);
	TEST(a_changed_file_does_not_wait_for_the_old);
	TEST(without_its_file_it_is_not_asked);
	TEST(a_cluster_may_come_later);
	TEST(a_cluster_that_is_gone_is_forgotten);
	TEST(not_all_are_asked_at_once);
	TEST(the_end_is_told_to_who_is_under_way);
	TEST(without_a_directory_nobody_is_asked);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
