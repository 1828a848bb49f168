/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of lp-controld fails once: what was asked for is refused,
 * nothing is lost, and the next attempt succeeds.
 */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/export_collect.h"
#include "controld/session.h"
#include "tests/support/exposition.h"
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
		    session, 1, &world_peer, make_transaction(text));
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

struct scrape {
	struct lp_export_collect *collect;
	unsigned pages, refused;
};

/* One dataplane, one client of Kafka, asked and answered at once. */
static void
answer(void *arg, Lp__Pb__ControlRequest *request)
{
	struct scrape *scrape = arg;
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__StatusReply status = LP__PB__STATUS_REPLY__INIT;
	Lp__Pb__DataplaneStatus dataplane = LP__PB__DATAPLANE_STATUS__INIT;
	Lp__Pb__DataplaneStatus *dataplanes[] = {&dataplane};
	Lp__Pb__CountersReply counters = LP__PB__COUNTERS_REPLY__INIT;
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;
	Lp__Pb__KafkaCountersReply kafka = LP__PB__KAFKA_COUNTERS_REPLY__INIT;
	Lp__Pb__KafkaStats kafka_stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaClientStats client = LP__PB__KAFKA_CLIENT_STATS__INIT;
	Lp__Pb__KafkaClientStats *clients[] = {&client};
	Lp__Pb__RuleCountersReply rules = LP__PB__RULE_COUNTERS_REPLY__INIT;
	Lp__Pb__RuleStatsReply rule_stats = LP__PB__RULE_STATS_REPLY__INIT;
	Lp__Pb__RuleStats rule = LP__PB__RULE_STATS__INIT;
	Lp__Pb__RuleStats *rule_list[] = {&rule};

	dataplane.path = (char *)"/run/a";
	status.n_dataplanes = 1;
	status.dataplanes = dataplanes;
	stats.has_uptime_ns = true;
	counters.stats = &stats;
	kafka_stats.n_clients = 1;
	kafka_stats.clients = clients;
	kafka.stats = &kafka_stats;
	rule_stats.n_rules = 1;
	rule_stats.rules = rule_list;
	rules.stats = &rule_stats;
	reply.cookie = request->cookie;
	if (request->body_case == LP__PB__CONTROL_REQUEST__BODY_STATUS) {
		reply.body_case = LP__PB__CONTROL_REPLY__BODY_STATUS;
		reply.status = &status;
	} else if (request->body_case ==
	    LP__PB__CONTROL_REQUEST__BODY_COUNTERS) {
		reply.body_case = LP__PB__CONTROL_REPLY__BODY_COUNTERS;
		reply.counters = &counters;
	} else if (request->body_case == LP__PB__CONTROL_REQUEST__BODY_RULES) {
		reply.body_case = LP__PB__CONTROL_REPLY__BODY_RULES;
		reply.rules = &rules;
	} else {
		reply.body_case = LP__PB__CONTROL_REPLY__BODY_KAFKA;
		reply.kafka = &kafka;
	}
	lp_export_collect_reply(scrape->collect, &reply);
	lp__pb__control_request__free_unpacked(request, NULL);
}

static void
take_page(void *arg, struct evbuffer *page)
{
	struct scrape *scrape = arg;
	char why[EXPOSITION_WHY_SIZE];
	const char *text;
	size_t len;

	if (page == NULL) {
		scrape->refused++;
		return;
	}
	fail_in = 0; /* reading it is the test's own affair */
	len = evbuffer_get_length(page);
	text = (const char *)evbuffer_pullup(page, -1);
	ck_assert_msg(exposition_check(text, len, why), "%s", why);
	ck_assert_ptr_nonnull(strstr(text, "client_id=\"(null)\""));
	scrape->pages++;
}

/* libevent's allocations, too. */
START_TEST(a_scrape_without_memory_is_refused)
{
	struct scrape scrape = {0};
	struct lp_export_collect_options options = {
	    .ask = answer,
	    .arg = &scrape,
	    .done = take_page,
	    .done_arg = &scrape,
	    .time_ms = 60000,
	    .size_max = 1 << 20,
	};
	bool reached = true;
	unsigned n;

	event_set_mem_functions(__wrap_malloc, realloc, free);
	options.base = event_base_new();
	for (n = 1; reached; n++) {
		int err;

		fail_in = n;
		err = lp_export_collect_new(&scrape.collect, &options);
		reached = has_failed();
		ck_assert_int_eq(err, reached ? -ENOMEM : 0);
	}
	reached = true;
	for (n = 1; reached; n++) {
		unsigned answered = scrape.pages + scrape.refused;
		unsigned pages = scrape.pages;

		fail_in = n;
		if (lp_export_collect_start(scrape.collect))
			event_base_loop(options.base, EVLOOP_NONBLOCK);
		else
			scrape.refused++;
		/* A page has switched it off: it was not reached. */
		reached = scrape.pages == pages;
		fail_in = 0;
		ck_assert_uint_eq(scrape.pages + scrape.refused, answered + 1);
	}
	ck_assert_uint_gt(scrape.refused, 20);
	lp_export_collect_free(scrape.collect);
	event_base_free(options.base);
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
	tcase_add_test(tcase, a_scrape_without_memory_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
