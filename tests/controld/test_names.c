/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/names.h"
#include "world.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static struct event_base *base;
static struct lp_names *names;
static unsigned changes;
/* Of the resolver that the test plays. */
static _Atomic unsigned asked;
static sem_t may_answer;
static _Atomic unsigned answer_is; /* last byte of the address; 0: fails */

static void
resolve(const char *host, struct lp_names_answer *answer)
{
	char text[LP_IP_TEXT_SIZE];

	atomic_fetch_add(&asked, 1);
	sem_wait(&may_answer);
	if (atomic_load(&answer_is) == 0) {
		snprintf(answer->why, sizeof(answer->why), "no %s", host);
		return;
	}
	snprintf(text, sizeof(text), "10.0.0.%u", atomic_load(&answer_is));
	lp_ip_parse(&answer->ips[0], text, NULL);
	answer->count = 1;
}

static void
on_changed(void *arg)
{
	(void)arg;
	changes++;
}

static void
setup(void)
{
	const struct lp_names_options options = {
	    .base = base = event_base_new(),
	    .again_ms = 1000,
	    .resolve = resolve,
	    .changed = on_changed,
	};

	sem_init(&may_answer, 0, 0);
	atomic_store(&asked, 0);
	changes = 0;
	ck_assert_int_eq(lp_names_new(&names, &options), 0);
}

static void
teardown(void)
{
	lp_names_free(names);
	event_base_free(base);
}

/* Lets one look-up end, and waits until it is told or looked at. */
static void
answer(unsigned byte, bool is_news)
{
	unsigned before = changes;

	atomic_store(&answer_is, byte);
	sem_post(&may_answer);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(changes, before + is_news);
}

/* "10.0.0.1", the reason, or "?". */
static const char *
get(const char *host, uint64_t now_ms)
{
	static char text[LP_IP_TEXT_SIZE + LP_WHY_SIZE];
	const struct lp_names_answer *found = lp_names_get(names, host, now_ms);

	if (found == NULL)
		return "?";
	if (found->count == 0)
		return found->why;
	return lp_ip_format(text, &found->ips[0]);
}

START_TEST(an_address_is_itself)
{
	ck_assert_str_eq(get("10.1.2.3", 0), "10.1.2.3");
	ck_assert_str_eq(get("fd00::1", 0), "fd00::1");
	ck_assert_uint_eq(atomic_load(&asked), 0);
}
END_TEST

START_TEST(a_name_is_asked_once_and_told)
{
	ck_assert_str_eq(get("kafka-1", 1000), "?");
	ck_assert_str_eq(get("kafka-1", 1001), "?");
	answer(7, true);
	ck_assert_str_eq(get("kafka-1", 1002), "10.0.0.7");
	ck_assert_uint_eq(atomic_load(&asked), 1);
}
END_TEST

START_TEST(it_is_looked_up_again_and_what_was_known_outlives_a_failure)
{
	get("kafka-1", 1000);
	answer(7, true);
	ck_assert_str_eq(get("kafka-1", 2000), "10.0.0.7");
	answer(7, false);
	ck_assert_str_eq(get("kafka-1", 3000), "10.0.0.7");
	answer(0, false);
	ck_assert_str_eq(get("kafka-1", 4000), "10.0.0.7");
	answer(8, true);
	ck_assert_str_eq(get("kafka-1", 4001), "10.0.0.8");
	ck_assert_uint_eq(atomic_load(&asked), 4);
}
END_TEST

START_TEST(a_failure_is_told)
{
	get("kafka-1", 1000);
	answer(0, true);
	ck_assert_str_eq(get("kafka-1", 1001), "no kafka-1");
}
END_TEST

/* More names than places: the oldest is forgotten, the rest is kept. */
START_TEST(the_table_is_bounded)
{
	char host[32];

	get("kafka-0", 1);
	answer(7, true);
	atomic_store(&answer_is, 9);
	for (unsigned i = 1; i <= LP_NAMES_MAX; i++) {
		snprintf(host, sizeof(host), "kafka-%u", i);
		ck_assert_str_eq(get(host, 1 + i), "?");
		sem_post(&may_answer);
	}
	/* All places are being asked: a further one has to wait. */
	ck_assert_str_eq(get("kafka-0", 2), "?");
	while (strcmp(get(host, 2), "?") == 0)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_str_eq(get(host, 2), "10.0.0.9");
}
END_TEST

/* A resolver that never answers does not hold us up. */
START_TEST(the_end_waits_for_nobody)
{
	ck_assert_str_eq(get("kafka-1", 1000), "?");
	while (atomic_load(&asked) == 0)
		;
}
END_TEST

START_TEST(the_hosts_resolver_is_asked)
{
	struct lp_names_answer found = {0};

	lp_names_resolve("localhost", &found);
	ck_assert_uint_ge(found.count, 1);
	ck_assert_str_eq(found.why, "");
	found = (struct lp_names_answer){0};
	lp_names_resolve("a..b", &found);
	ck_assert_uint_eq(found.count, 0);
	ck_assert_ptr_nonnull(strstr(found.why, "a..b"));
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("names");
	TCase *tcase = tcase_create("names");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	TEST(an_address_is_itself);
	TEST(a_name_is_asked_once_and_told);
	TEST(it_is_looked_up_again_and_what_was_known_outlives_a_failure);
	TEST(a_failure_is_told);
	TEST(the_table_is_bounded);
	TEST(the_end_waits_for_nobody);
	TEST(the_hosts_resolver_is_asked);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
