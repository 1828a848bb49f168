/* SPDX-License-Identifier: Apache-2.0 */
/* Rates, quantiles, order and filter of "lpctl top", from known answers. */
#include <check.h>
#include <stdlib.h>

#include "cli/top_model.h"
#include "cli/top_sample.h"
#include "proto/histogram.h"
#include "tests/cli/support_top.h"

static struct lp_top_model model;
static struct lp_top_rows rows;

static void
setup(void)
{
	model = (struct lp_top_model){0};
	rows = (struct lp_top_rows){0};
}

static void
teardown(void)
{
	lp_top_model_rows_fini(&rows);
	lp_top_model_fini(&model);
}

static void
feed_bytes(const struct support_bytes *bytes)
{
	struct lp_replies replies;

	support_replies(&replies, bytes);
	ck_assert_int_eq(lp_top_model_feed(&model, &replies), 0);
	ck_assert_uint_eq(replies.count, 0);
}

static void
feed(uint64_t round)
{
	static struct support_bytes bytes;

	bytes.len = 0;
	support_top_kafka(&bytes, "edge-1", round, 0, false);
	feed_bytes(&bytes);
}

static void
choose(const struct lp_top_choice *choice)
{
	lp_top_model_rows_fini(&rows);
	ck_assert_int_eq(lp_top_model_rows(&rows, &model, choice), 0);
}

static const struct lp_top_row *
find(const char *name)
{
	for (size_t i = 0; i < rows.count; i++)
		if (strcmp(rows.list[i].name, name) == 0)
			return &rows.list[i];
	ck_abort_msg("there is no row %s", name);
	return NULL;
}

static double
value(const char *name, enum lp_top_column column)
{
	return find(name)->values[column];
}

/* What a time looks like after it was in a histogram. */
static double
as_seen(uint64_t ns)
{
	return (double)lp_histogram_midpoint(lp_histogram_index(ns));
}

/* ---- rates and quantiles --------------------------------------------------
 */

START_TEST(rates_are_of_the_interval)
{
	const struct lp_top_choice choice = {.view = LP_TOP_APIS};

	/* Three seconds lie between. */
	feed(2);
	feed(5);
	choose(&choice);
	ck_assert_double_eq(value("Produce acks=all", LP_TOP_REQUESTS), 1000);
	ck_assert_double_eq(value("Produce acks=all", LP_TOP_IN), 1000 * 16000);
	ck_assert_double_eq(value("Produce acks=all", LP_TOP_OUT), 1000 * 100);
	ck_assert_double_eq(value("Produce acks=all", LP_TOP_ERRORS), 4);
	ck_assert_double_eq(value("Produce acks=all", LP_TOP_THROTTLED), 20);
	ck_assert_double_eq(value("Produce acks=all", LP_TOP_IN_FLIGHT), 3);
	/* Both brokers together. */
	ck_assert_double_eq(value("Fetch data", LP_TOP_REQUESTS), 600 + 400);
	ck_assert_double_eq(value("Fetch", LP_TOP_REQUESTS), 800 + 400);
	ck_assert_double_eq(value("Fetch", LP_TOP_IN_FLIGHT), 14 + 2);
	ck_assert_double_eq(
	    value("Fetch data (replication)", LP_TOP_REQUESTS), 200);
	ck_assert_double_eq(value("key 99", LP_TOP_REQUESTS), 0);
}
END_TEST

START_TEST(totals_are_of_all_apis)
{
	struct lp_top_totals totals;
	double requests = 1000 + 200 + 800 + 400 + 200 + 200;

	feed(2);
	feed(5);
	lp_top_model_totals(&totals, &model, false);
	ck_assert_uint_eq(totals.dataplanes, 1);
	ck_assert_str_eq(totals.dataplane, "edge-1");
	ck_assert_double_eq(totals.seconds, 3);
	ck_assert_double_eq(totals.all.values[LP_TOP_REQUESTS], requests);
	ck_assert_double_eq(totals.all.values[LP_TOP_IN_FLIGHT], 20);
	ck_assert_uint_eq(totals.streams_lost, 2);
	ck_assert_uint_eq(totals.unseen_bytes, 1460 + 5);
	lp_top_model_totals(&totals, &model, true);
	ck_assert_double_eq(
	    totals.all.values[LP_TOP_REQUESTS], 7 * 1000 + 5 * requests);
}
END_TEST

START_TEST(quantiles_of_an_interval_do_not_know_the_start)
{
	const struct lp_top_choice choice = {.view = LP_TOP_APIS};
	const char *name = "Produce acks=1";

	feed(1);
	feed(2);
	choose(&choice);
	/* 200 requests, one of them slow: p99 is fast, p99.9 is not. */
	ck_assert_double_eq(
	    value(name, LP_TOP_P50), as_seen(SUPPORT_TOP_FAST_NS));
	ck_assert_double_eq(
	    value(name, LP_TOP_P99), as_seen(SUPPORT_TOP_FAST_NS));
	ck_assert_double_eq(
	    value(name, LP_TOP_P999), as_seen(SUPPORT_TOP_RARE_NS));
	ck_assert_double_eq(
	    value(name, LP_TOP_P9999), as_seen(SUPPORT_TOP_RARE_NS));
	/* A second without requests has no quantile. */
	ck_assert_double_eq(value("key 99", LP_TOP_P50), LP_TOP_NOTHING);
}
END_TEST

START_TEST(quantiles_since_the_start_know_all)
{
	const struct lp_top_choice choice = {
	    .view = LP_TOP_APIS, .since_start = true};
	double slow = as_seen(SUPPORT_TOP_SLOW_NS);

	feed(1);
	choose(&choice);
	ck_assert_double_eq(
	    value("Produce acks=1", LP_TOP_REQUESTS), 1000 + 200);
	/* No midpoint is above the maximum. */
	if (slow > SUPPORT_TOP_SLOW_NS)
		slow = SUPPORT_TOP_SLOW_NS;
	ck_assert_double_eq(value("Produce acks=1", LP_TOP_P50), slow);
}
END_TEST

START_TEST(one_answer_has_no_rates)
{
	const struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};
	struct lp_top_totals totals;

	feed(1);
	choose(&choice);
	ck_assert_uint_eq(rows.count, 8);
	ck_assert_double_eq(
	    value("billing-1", LP_TOP_REQUESTS), LP_TOP_NOTHING);
	ck_assert_double_eq(value("billing-1", LP_TOP_P99), LP_TOP_NOTHING);
	ck_assert_double_eq(value("billing-1", LP_TOP_IN_FLIGHT), 1);
	lp_top_model_totals(&totals, &model, false);
	ck_assert_double_eq(totals.seconds, 0);
}
END_TEST

START_TEST(no_answer_has_no_rows)
{
	struct lp_top_totals totals;

	for (int view = 0; view < LP_TOP_VIEWS; view++) {
		const struct lp_top_choice choice = {.view = (uint8_t)view};

		choose(&choice);
		ck_assert_uint_eq(rows.count, 0);
	}
	lp_top_model_totals(&totals, &model, false);
	ck_assert_uint_eq(totals.dataplanes, 0);
	ck_assert_str_eq(totals.dataplane, "");
}
END_TEST

/* Or the clock was set back: no interval, so nothing is said of it. */
START_TEST(time_that_stands_still_gives_no_rates)
{
	const struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};

	feed(3);
	feed((uint64_t)_i);
	choose(&choice);
	ck_assert_double_eq(
	    value("billing-1", LP_TOP_REQUESTS), LP_TOP_NOTHING);
	ck_assert_double_eq(value("billing-1", LP_TOP_P50), LP_TOP_NOTHING);
}
END_TEST

/* A dataplane that began anew has counted since then, not backwards. */
START_TEST(counts_that_went_back_count_from_zero)
{
	const struct lp_top_choice choice = {.view = LP_TOP_APIS};
	Lp__Pb__KafkaCountersReply *reply;

	feed(9);
	feed(1);
	reply = model.now.replies.list[0]->kafka;
	ck_assert_str_eq(reply->dataplane, "edge-1");
	model.now.planes[0].time_ns =
	    model.before.planes[0].time_ns + 1000000000;
	choose(&choice);
	ck_assert_double_eq(
	    value("Produce acks=1", LP_TOP_REQUESTS), 1000 + 200);
	ck_assert_double_ge(
	    value("Produce acks=1", LP_TOP_P50), SUPPORT_TOP_RARE_NS);
}
END_TEST

START_TEST(dataplanes_are_summed)
{
	const struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};
	static struct support_bytes bytes;
	struct lp_top_totals totals;

	for (uint64_t round = 1; round <= 2; round++) {
		bytes.len = 0;
		/* They need not come in any order, nor tick alike. */
		support_top_kafka(
		    &bytes, round == 1 ? "a" : "b", round, 0, true);
		support_top_kafka(
		    &bytes, round == 1 ? "b" : "a", 3 * round, 0, false);
		feed_bytes(&bytes);
	}
	choose(&choice);
	ck_assert_uint_eq(rows.count, 8);
	/* a: from 1 to 6; b: from 3 back to 2, which is no interval. */
	ck_assert_double_eq(value("billing-1", LP_TOP_REQUESTS), 1200);
	ck_assert_double_eq(value("billing-1", LP_TOP_IN_FLIGHT), 2);
	lp_top_model_totals(&totals, &model, false);
	ck_assert_uint_eq(totals.dataplanes, 2);
	ck_assert_double_eq(totals.seconds, 5);
}
END_TEST

/* billing-1 loses its place, with all it has counted, and gets another one. */
START_TEST(who_lost_a_place_is_no_rate_of_the_others)
{
	struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};
	Lp__Pb__KafkaClientStats *gone;
	Lp__Pb__KafkaStats *stats;

	feed(1);
	feed(2);
	stats = model.now.replies.list[1]->kafka->stats;
	gone = stats->clients[0];
	ck_assert_str_eq(gone->client_id, "billing-1");
	model.now.clients[model.now.client_count++] =
	    (struct lp_top_entry){.dataplane = model.now.clients[0].dataplane,
		.client = &(Lp__Pb__KafkaClientStats){
		    .other = true,
		    .evicted = true,
		    .requests = gone->requests,
		    .rest = gone->rest,
		}};
	if (_i == 1)
		(void)strcpy(gone->client_id, "newcomer");
	gone->requests = 7;
	qsort(model.now.clients, model.now.client_count,
	    sizeof(*model.now.clients), lp_top_sample_compare);
	choose(&choice);
	ck_assert_double_eq(value("(others)", LP_TOP_REQUESTS), 40);
	ck_assert_double_eq(
	    value(_i == 1 ? "newcomer" : "billing-1", LP_TOP_REQUESTS), 7);
	for (size_t i = 0; i < rows.count; i++)
		ck_assert_str_ne(rows.list[i].name, "(evicted)");
	/* Since the start it is part of the sum. */
	choice.since_start = true;
	choose(&choice);
	ck_assert_double_eq(
	    value("(evicted)", LP_TOP_REQUESTS), 1000 + 2 * 1200);
}
END_TEST

/* A dataplane without traffic has none, which is not unknown. */
START_TEST(nothing_seen_is_zero)
{
	Lp__Pb__KafkaClientStats *other;
	struct lp_top_totals totals;
	const struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};
	static struct support_bytes bytes;
	struct lp_replies replies;

	for (uint64_t round = 1; round <= 2; round++) {
		Lp__Pb__KafkaStats *stats;

		bytes.len = 0;
		support_top_kafka(&bytes, "edge-1", round, 0, false);
		support_replies(&replies, &bytes);
		stats = replies.list[0]->kafka->stats;
		while (stats->n_apis > 0)
			lp__pb__kafka_api_stats__free_unpacked(
			    stats->apis[--stats->n_apis], NULL);
		stats = replies.list[1]->kafka->stats;
		other = stats->clients[stats->n_clients - 1];
		ck_assert(other->other);
		other->requests = other->request_bytes = 0;
		other->response_bytes = other->in_flight = 0;
		ck_assert_int_eq(lp_top_model_feed(&model, &replies), 0);
	}
	lp_top_model_totals(&totals, &model, false);
	ck_assert_double_eq(totals.all.values[LP_TOP_REQUESTS], 0);
	ck_assert_double_eq(totals.all.values[LP_TOP_IN_FLIGHT], 0);
	/* Others that never were have no row. */
	choose(&choice);
	for (size_t i = 0; i < rows.count; i++)
		ck_assert_str_ne(rows.list[i].name, "(others)");
}
END_TEST

/* ---- whose latency --------------------------------------------------------
 */

START_TEST(latency_is_of_what_was_chosen)
{
	static const struct {
		enum lp_top_latency of;
		uint32_t factor; /* see support_top.c, make_client() */
	} kinds[] = {{LP_TOP_PRODUCE, 4}, {LP_TOP_FETCH, 2}, {LP_TOP_REST, 1}};
	struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};

	feed(1);
	feed(2);
	for (size_t i = 0; i < 3; i++) {
		choice.latency = (uint8_t)kinds[i].of;
		choose(&choice);
		ck_assert_double_eq(value("billing-1", LP_TOP_P50),
		    as_seen(SUPPORT_TOP_FAST_NS * kinds[i].factor));
	}
	/* All three together: the median is the middle one. */
	choice.latency = LP_TOP_ALL;
	choose(&choice);
	ck_assert_double_eq(
	    value("billing-1", LP_TOP_P50), as_seen(2 * SUPPORT_TOP_FAST_NS));
	ck_assert_double_ge(
	    value("billing-1", LP_TOP_P9999), 3 * SUPPORT_TOP_RARE_NS);
}
END_TEST

/* A Fetch that waited for max_wait was not slow: it had nothing to bring. */
START_TEST(max_wait_is_no_latency_of_a_broker)
{
	struct lp_top_choice choice = {.view = LP_TOP_BROKERS};

	feed(1);
	feed(2);
	choose(&choice);
	ck_assert_double_eq(
	    value("payments/1", LP_TOP_REQUESTS), 1000 + 200 + 800);
	ck_assert_double_eq(
	    value("payments/1", LP_TOP_P50), as_seen(3 * SUPPORT_TOP_FAST_NS));
	choice.latency = LP_TOP_FETCH;
	choose(&choice);
	ck_assert_double_eq(
	    value("payments/1", LP_TOP_P99), as_seen(2 * SUPPORT_TOP_FAST_NS));
	/* It has a row of its own among the APIs. */
	choice.view = LP_TOP_APIS;
	choose(&choice);
	ck_assert_double_eq(value("Fetch max_wait", LP_TOP_P50),
	    as_seen(25 * SUPPORT_TOP_FAST_NS));
	/* Replication is told apart from what clients see. */
	choice.view = LP_TOP_LISTENERS;
	choose(&choice);
	ck_assert_uint_eq(rows.count, 2);
	ck_assert_double_eq(
	    value("payments/public (replication)", LP_TOP_REQUESTS), 200);
}
END_TEST

START_TEST(topics_have_no_throttling_and_nothing_in_flight)
{
	const struct lp_top_choice choice = {.view = LP_TOP_TOPICS};

	feed(1);
	feed(2);
	choose(&choice);
	ck_assert_uint_eq(rows.count, 3);
	ck_assert_double_eq(value("payments/orders", LP_TOP_REQUESTS), 3 * 400);
	ck_assert_double_eq(value("(others)", LP_TOP_OUT), 200 * 9000);
	for (int i = 0; i < LP_TOP_COLUMNS; i++)
		if (!lp_top_model_has(LP_TOP_TOPICS, i))
			ck_assert_double_eq(
			    value("payments/orders", i), LP_TOP_NOTHING);
	ck_assert(!lp_top_model_has(LP_TOP_TOPICS, LP_TOP_THROTTLED));
	ck_assert(!lp_top_model_has(LP_TOP_TOPICS, LP_TOP_IN_FLIGHT));
}
END_TEST

/* ---- names, order, filter -------------------------------------------------
 */

/* Nobody can pass for the rest of us, or for a client without a name. */
START_TEST(clients_without_a_name_are_told_apart)
{
	const struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};

	feed(1);
	feed(2);
	choose(&choice);
	ck_assert_double_eq(value("(others)", LP_TOP_REQUESTS), 40);
	ck_assert_double_eq(value("(null)", LP_TOP_REQUESTS), 100);
	ck_assert_double_eq(value("\"\"", LP_TOP_REQUESTS), 80);
	ck_assert_double_eq(value("\\x28others)", LP_TOP_REQUESTS), 200);
	ck_assert_double_eq(
	    value("caf\\xc3\\xa9 \\x1b[2J\\", LP_TOP_REQUESTS), 400);
}
END_TEST

static void
expect_order(const struct lp_top_choice *choice)
{
	enum lp_top_column column = choice->sort;

	choose(choice);
	ck_assert_uint_gt(rows.count, 2);
	for (size_t i = 1; i < rows.count; i++) {
		double above = rows.list[i - 1].values[column];
		double below = rows.list[i].values[column];

		if (column == LP_TOP_NAME)
			ck_assert_int_lt(
			    strcmp(rows.list[i - 1].name, rows.list[i].name) *
				(choice->reverse ? -1 : 1),
			    0);
		else if (below == LP_TOP_NOTHING)
			continue; /* comes last, whatever the order */
		else if (choice->reverse)
			ck_assert(above != LP_TOP_NOTHING && above <= below);
		else
			ck_assert_double_ge(above, below);
	}
}

START_TEST(rows_are_sorted_by_any_column)
{
	struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};

	feed(1);
	feed(2);
	choice.sort = (uint8_t)_i;
	expect_order(&choice);
	choice.reverse = true;
	expect_order(&choice);
}
END_TEST

START_TEST(rows_that_do_not_pass_the_filter_are_hidden)
{
	const struct lp_top_choice choice = {
	    .view = LP_TOP_CLIENTS, .filter = "BILL"};

	feed(1);
	feed(2);
	choose(&choice);
	ck_assert_uint_eq(rows.count, 2);
	ck_assert_uint_eq(rows.hidden, 8 - 2);
}
END_TEST

START_TEST(rows_without_requests_can_be_left_out)
{
	const struct lp_top_choice choice = {
	    .view = LP_TOP_CLIENTS, .busy = true};

	feed(1);
	feed(2);
	choose(&choice);
	ck_assert_uint_eq(rows.hidden, 1);
	for (size_t i = 0; i < rows.count; i++)
		ck_assert_str_ne(rows.list[i].name, "asleep");
}
END_TEST

/* ---- answers that cannot be -----------------------------------------------
 */

START_TEST(histograms_that_cannot_be_do_no_harm)
{
	const struct lp_top_choice choice = {.view = LP_TOP_APIS};
	Lp__Pb__Histogram *latency;
	Lp__Pb__KafkaStats *stats;

	feed(1);
	feed(2);
	stats = model.now.replies.list[0]->kafka->stats;
	ck_assert_uint_ge(stats->n_apis, 4);
	/* No such bucket; buckets that fall; more buckets than counts. */
	latency = stats->apis[0]->latency;
	latency->buckets[2] = UINT32_MAX;
	latency = stats->apis[1]->latency;
	latency->buckets[0] = LP_HISTOGRAM_BUCKETS - 1;
	latency->buckets[1] = 0;
	ck_assert_ptr_null(stats->apis[2]->latency);
	stats->apis[3]->latency->n_counts = 1;
	choose(&choice);
	ck_assert_uint_eq(rows.count, 9);
	lp__pb__histogram__free_unpacked(stats->apis[0]->latency, NULL);
	stats->apis[0]->latency = NULL;
	choose(&choice);
	ck_assert_double_eq(
	    value("Produce acks=all", LP_TOP_P50), LP_TOP_NOTHING);
}
END_TEST

START_TEST(rows_that_come_twice_do_no_harm)
{
	const struct lp_top_choice choice = {.view = LP_TOP_CLIENTS};
	static struct support_bytes bytes;

	for (uint64_t round = 1; round <= 2; round++) {
		bytes.len = 0;
		support_top_kafka(&bytes, "a", round, 0, true);
		support_top_kafka(&bytes, "a", round, 0, false);
		feed_bytes(&bytes);
	}
	choose(&choice);
	ck_assert_uint_eq(rows.count, 8);
	ck_assert_double_eq(value("billing-1", LP_TOP_REQUESTS), 2 * 1200);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("top_model");
	TCase *tcase = tcase_create("top_model");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, rates_are_of_the_interval);
	tcase_add_test(tcase, totals_are_of_all_apis);
	tcase_add_test(tcase, quantiles_of_an_interval_do_not_know_the_start);
	tcase_add_test(tcase, quantiles_since_the_start_know_all);
	tcase_add_test(tcase, one_answer_has_no_rates);
	tcase_add_test(tcase, no_answer_has_no_rows);
	tcase_add_loop_test(tcase, time_that_stands_still_gives_no_rates, 2, 4);
	tcase_add_test(tcase, counts_that_went_back_count_from_zero);
	tcase_add_test(tcase, dataplanes_are_summed);
	tcase_add_test(tcase, nothing_seen_is_zero);
	tcase_add_loop_test(
	    tcase, who_lost_a_place_is_no_rate_of_the_others, 0, 2);
	tcase_add_test(tcase, latency_is_of_what_was_chosen);
	tcase_add_test(tcase, max_wait_is_no_latency_of_a_broker);
	tcase_add_test(tcase, topics_have_no_throttling_and_nothing_in_flight);
	tcase_add_test(tcase, clients_without_a_name_are_told_apart);
	tcase_add_loop_test(
	    tcase, rows_are_sorted_by_any_column, 0, LP_TOP_COLUMNS);
	tcase_add_test(tcase, rows_that_do_not_pass_the_filter_are_hidden);
	tcase_add_test(tcase, rows_without_requests_can_be_left_out);
	tcase_add_test(tcase, histograms_that_cannot_be_do_no_harm);
	tcase_add_test(tcase, rows_that_come_twice_do_no_harm);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
