/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of lp-controld fails once: what was asked for is refused,
 * nothing is lost, and the next attempt succeeds.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/session.h"
#include "transaction.h"
#include "world.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);

static unsigned fail_in; /* this allocation from now; 0: none */

static bool
fails(void)
{
	return fail_in > 0 && --fail_in == 0;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *
__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* Disarms; true if the allocation was reached. */
static bool
has_failed(void)
{
	bool reached = fail_in == 0;

	fail_in = 0;
	return reached;
}

START_TEST(a_model_without_memory_refuses)
{
	Lp__Pb__ControlRequest *request = make_transaction(basic);
	struct lp_config empty;
	bool reached = true;

	lp_config_init(&empty);
	for (unsigned n = 1; reached; n++) {
		struct lp_model_change change;
		int err;

		fail_in = n;
		err = lp_model_apply(&change, &empty, 1,
		    request->transaction->operations,
		    request->transaction->n_operations);
		reached = has_failed();
		ck_assert_int_eq(err, reached ? -ENOMEM : 0);
		lp_model_change_fini(&change);
	}
	lp__pb__control_request__free_unpacked(request, NULL);
}
END_TEST

START_TEST(a_store_without_memory_is_not_opened)
{
	char dir[64], why[LP_STORE_WHY_SIZE];
	bool reached = true;

	make_dir(dir);
	for (unsigned n = 1; reached; n++) {
		const struct lp_store_options options = {
		    .path = path_in(dir, "db")};
		struct lp_generation current;
		struct lp_store *store = NULL;
		int err;

		fail_in = n;
		err = lp_store_open(&store, &current, &options, why);
		reached = has_failed();
		ck_assert_msg((err != 0) == reached, "%u: %s", n, why);
		if (err == 0)
			lp_config_fini(&current.config);
		if (err == 0)
			lp_store_close(store);
	}
	remove_dir(dir);
}
END_TEST

struct answers {
	unsigned done, failed;
};

static void
count_reply(void *arg, uint64_t client, const Lp__Pb__ControlReply *reply)
{
	struct answers *answers = arg;

	(void)client;
	if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_FAILURE)
		answers->failed++;
	else
		answers->done++;
}

START_TEST(a_daemon_without_memory_goes_on)
{
	struct event_base *base = event_base_new();
	struct answers answers = {0};
	struct lp_session_options options = {
	    .base = base,
	    .times = patient,
	    .query_ms = 100,
	    .reply = count_reply,
	    .arg = &answers,
	};
	struct lp_store_options store = {0};
	struct lp_generation current;
	struct lp_session *session = NULL;
	char dir[64], why[LP_STORE_WHY_SIZE];
	bool reached = true;
	unsigned n;
	int err;

	make_dir(dir);
	store.path = path_in(dir, "db");
	ck_assert_int_eq(
	    lp_store_open(&options.store, &current, &store, why), 0);
	for (n = 1; reached; n++) {
		fail_in = n;
		err = lp_session_new(&session, &options, &current);
		reached = has_failed();
		ck_assert_int_eq(err, reached ? -ENOMEM : 0);
	}
	reached = true;
	for (n = 1; reached; n++) {
		char text[64];
		unsigned failed = answers.failed;

		snprintf(text, sizeof(text), "add cluster c%u", n);
		lp_session_request(
		    session, 1, "tester", make_transaction(text));
		fail_in = n;
		event_base_loop(base, EVLOOP_NONBLOCK);
		reached = has_failed();
		/* Without a delta everybody gets the whole generation. */
		ck_assert_uint_eq(answers.done + answers.failed, n);
		ck_assert(reached || answers.failed == failed);
	}
	ck_assert_uint_gt(answers.failed, 1);
	lp_session_free(session);
	lp_store_close(options.store);
	event_base_free(base);
	remove_dir(dir);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("alloc");
	TCase *tcase = tcase_create("alloc");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_model_without_memory_refuses);
	tcase_add_test(tcase, a_store_without_memory_is_not_opened);
	tcase_add_test(tcase, a_daemon_without_memory_goes_on);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
