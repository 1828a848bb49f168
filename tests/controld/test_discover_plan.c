/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of what clusters say: no clock, no name server.
 */
#include "controld/discover_plan.h"
#include "transaction.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { MINUTE = 60000, ABSENT = 5 * MINUTE, NOW = 1000 * MINUTE };

static struct lp_config config;
static uint32_t next_id;
static struct lp_discover_table *table;
static uint64_t now_ms;
static struct lp_names_answer answer;
static bool answered;

static void
setup(void)
{
	lp_config_init(&config);
	next_id = 1;
	apply(&config, &next_id, basic);
	apply(&config, &next_id, "set cluster payments discover=1");
	table = calloc(1, sizeof(*table));
	now_ms = NOW;
	answer = (struct lp_names_answer){0};
	answered = false;
}

static void
teardown(void)
{
	free(table);
	lp_config_fini(&config);
}

static uint32_t
cluster_id(void)
{
	return lp_config_find_name(&config, LP_OBJECT_CLUSTER, 0, "payments")
	    ->id;
}

static Lp__Pb__BrokerSeen
broker_of(int32_t node_id, const char *host, uint32_t port, uint64_t age_ms)
{
	Lp__Pb__BrokerSeen broker = LP__PB__BROKER_SEEN__INIT;

	broker.cluster_id = cluster_id();
	broker.node_id = node_id;
	broker.host = (char *)host;
	broker.port = port;
	broker.age_ms = age_ms;
	return broker;
}

static bool
see_broker(const Lp__Pb__BrokerSeen *broker)
{
	Lp__Pb__BrokersSeen seen = LP__PB__BROKERS_SEEN__INIT;
	Lp__Pb__BrokerSeen *list[] = {(Lp__Pb__BrokerSeen *)broker};

	seen.n_brokers = 1;
	seen.brokers = list;
	return lp_discover_table_take(table, &config, &seen, now_ms);
}

static bool
see(int32_t node_id, const char *host, uint32_t port)
{
	const Lp__Pb__BrokerSeen broker = broker_of(node_id, host, port, 0);

	return see_broker(&broker);
}

static void
see_list(void)
{
	Lp__Pb__BrokersSeen seen = LP__PB__BROKERS_SEEN__INIT;
	Lp__Pb__BrokersListed list = LP__PB__BROKERS_LISTED__INIT;
	Lp__Pb__BrokersListed *lists[] = {&list};

	list.cluster_id = cluster_id();
	seen.n_lists = 1;
	seen.lists = lists;
	lp_discover_table_take(table, &config, &seen, now_ms);
}

/* The answer to a poll: one broker, and a list. */
static bool
poll_says(int32_t node_id, const char *host, uint32_t port)
{
	Lp__Pb__BrokersSeen seen = LP__PB__BROKERS_SEEN__INIT;
	Lp__Pb__BrokerSeen broker = broker_of(node_id, host, port, 0);
	Lp__Pb__BrokerSeen *brokers[] = {&broker};
	Lp__Pb__BrokersListed list = LP__PB__BROKERS_LISTED__INIT;
	Lp__Pb__BrokersListed *lists[] = {&list};

	list.cluster_id = cluster_id();
	seen.n_brokers = seen.n_lists = 1;
	seen.brokers = brokers;
	seen.lists = lists;
	return lp_discover_table_polled(table, &config, &seen, now_ms);
}

static const struct lp_names_answer *
look_up(void *arg, const char *host)
{
	static struct lp_names_answer itself = {.count = 1};

	(void)arg;
	if (lp_ip_parse(&itself.ips[0], host, NULL) == 0)
		return &itself;
	return answered ? &answer : NULL;
}

static void
resolve_to(const char *first, const char *second)
{
	answered = true;
	answer.count = 0;
	if (first != NULL)
		lp_ip_parse(&answer.ips[answer.count++], first, NULL);
	if (second != NULL)
		lp_ip_parse(&answer.ips[answer.count++], second, NULL);
	strcpy(answer.why, answer.count == 0 ? "no such name" : "");
}

/* The steps, one after another: "add 3 10.0.0.3=10.0.0.3:9092; ...". */
static const char *
plan(void)
{
	static const char *const verbs[] = {
	    [LP_DISCOVER_ADD] = "add",
	    [LP_DISCOVER_MOVE] = "move",
	    [LP_DISCOVER_FOLLOW] = "follow",
	    [LP_DISCOVER_RETIRE] = "retire",
	};
	static struct lp_discover_step steps[LP_DISCOVER_PLAN_MAX];
	static char text[65536];
	const struct lp_discover_plan plan = {.table = table,
	    .config = &config,
	    .now_ms = now_ms,
	    .absent_ms = ABSENT,
	    .again_ms = MINUTE,
	    .look_up = look_up};
	size_t count = lp_discover_plan_make(&plan, steps);
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		char real[LP_ENDPOINT_TEXT_SIZE];

		ck_assert_uint_eq(steps[i].cluster_id, cluster_id());
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s %d", i > 0 ? "; " : "", verbs[steps[i].verb],
		    steps[i].node_id);
		if (steps[i].verb != LP_DISCOVER_RETIRE)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    " %s=%s%s", steps[i].host,
			    lp_endpoint_format(real, &steps[i].real),
			    steps[i].discovered ? "" : " manual");
	}
	return text;
}

START_TEST(an_unknown_broker_is_added)
{
	ck_assert(see(3, "10.9.0.23", 9092));
	ck_assert(!see(3, "10.9.0.23", 9092));
	ck_assert_str_eq(plan(), "add 3 10.9.0.23=10.9.0.23:9092");
	apply(&config, &next_id, "set cluster payments discover=0");
	ck_assert_str_eq(plan(), "");
}
END_TEST

START_TEST(what_the_operator_has_added_stays)
{
	see(1, "10.9.0.99", 9092);
	see(2, "kafka-2.example", 9093);
	ck_assert_str_eq(plan(), "");
}
END_TEST

START_TEST(a_discovered_broker_moves)
{
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1");
	see(3, "10.9.0.23", 9092);
	ck_assert_str_eq(plan(), "");
	ck_assert(see(3, "10.9.0.33", 9092));
	ck_assert_str_eq(plan(), "move 3 10.9.0.33=10.9.0.33:9092");
	ck_assert(see(3, "10.9.0.23", 9093));
	ck_assert_str_eq(plan(), "move 3 10.9.0.23=10.9.0.23:9093");
	/* An older word does not count, whoever says it later. */
	const Lp__Pb__BrokerSeen old =
	    broker_of(3, "10.9.0.44", 9092, 10 * MINUTE);
	ck_assert(!see_broker(&old));
	ck_assert_str_eq(plan(), "move 3 10.9.0.23=10.9.0.23:9093");
}
END_TEST

/* An address that the operator sets is the operator's. */
START_TEST(a_set_without_a_source_makes_it_manual)
{
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1");
	apply(&config, &next_id, "set broker payments 3 to=10.9.0.24:9092");
	see(3, "10.9.0.23", 9092);
	ck_assert_str_eq(plan(), "");
	apply(&config, &next_id, "set broker payments 3 found=1");
	ck_assert_str_eq(plan(), "move 3 10.9.0.23=10.9.0.23:9092");
	/* Only where its clients reach it is another thing. */
	apply(&config, &next_id,
	    "set broker payments 3 at=public@10.9.0.113:9092");
	ck_assert_str_eq(plan(), "move 3 10.9.0.23=10.9.0.23:9092");
	/* Added again, as it is: that is the operator's, too. */
	apply(
	    &config, &next_id, "add broker payments 3 to=10.9.0.24:9092 may=1");
	ck_assert_str_eq(plan(), "");
}
END_TEST

START_TEST(names_are_waited_for)
{
	see(3, "kafka-3", 9092);
	ck_assert_str_eq(plan(), "");
	resolve_to("fd00::3", "10.9.0.23");
	/* As the VIPs are, IPv4. */
	ck_assert_str_eq(plan(), "add 3 kafka-3=10.9.0.23:9092");
	resolve_to("fd00::3", NULL);
	ck_assert_str_eq(plan(), "");
	ck_assert_str_eq(lp_discover_table_node(table, cluster_id(), 3)->why,
	    "\"kafka-3\" has no IPv4 address, as the VIPs of its listeners "
	    "have");
	resolve_to("10.9.0.23", NULL);
	ck_assert_str_eq(plan(), "");
	now_ms += MINUTE;
	ck_assert_str_eq(plan(), "add 3 kafka-3=10.9.0.23:9092");
	resolve_to(NULL, NULL);
	ck_assert_str_eq(plan(), "");
	ck_assert_str_eq(lp_discover_table_node(table, cluster_id(), 3)->why,
	    "no such name");
}
END_TEST

/* It would be sent to itself. */
START_TEST(a_broker_that_advertises_us_is_not_added)
{
	apply(&config, &next_id,
	    "add broker payments 4 to=10.9.0.24:9092 found=1;"
	    "set broker payments 1 at=public@10.9.0.111:9092");
	see(3, "10.9.0.100", 9103);
	see(4, "10.9.0.111", 9092);
	see(5, "10.9.0.10", 9092);
	see(6, "kafka-6", 9092);
	resolve_to("10.9.0.100", NULL);
	ck_assert_str_eq(plan(), "");
	ck_assert_str_eq(lp_discover_table_node(table, cluster_id(), 6)->why,
	    "\"kafka-6\" is an address of Lightpath: the broker advertises "
	    "that, and not its own");
}
END_TEST

static void
put_name(int32_t node_id, const char *host)
{
	struct lp_object broker =
	    *lp_config_find_broker(&config, cluster_id(), node_id);

	memset(broker.broker.host, 0, sizeof(broker.broker.host));
	strcpy(broker.broker.host, host);
	lp_config_put(&config, &broker);
}

START_TEST(a_broker_follows_its_name)
{
	/* With discovery off, and the operator's, too. */
	apply(&config, &next_id, "set cluster payments discover=0");
	put_name(2, "kafka-2");
	ck_assert_str_eq(plan(), "");
	resolve_to("10.9.0.32", "10.9.0.22");
	ck_assert_str_eq(plan(), ""); /* it has it still */
	resolve_to("10.9.0.32", NULL);
	ck_assert_str_eq(plan(), "follow 2 kafka-2=10.9.0.32:9092 manual");
	resolve_to(NULL, NULL);
	ck_assert_str_eq(plan(), "");
}
END_TEST

START_TEST(who_is_listed_no_more_is_retired)
{
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1;"
	    "add broker payments 4 to=10.9.0.24:9092 found=1");
	for (unsigned i = 0; i < 2; i++)
		see(1, "10.9.0.21", 9092);
	see(3, "10.9.0.23", 9092);
	see(4, "10.9.0.24", 9092);
	see_list();
	now_ms += 60 * MINUTE;
	/* No list: nobody has said that they are gone. */
	ck_assert_str_eq(plan(), "");
	see(3, "10.9.0.23", 9092);
	see_list();
	/* Brokers 1 and 2 are the operator's. */
	ck_assert_str_eq(plan(), "retire 4");
}
END_TEST

START_TEST(not_before_lists_were_heard_for_a_while)
{
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1");
	see_list(); /* that never named it */
	ck_assert_str_eq(plan(), "");
	now_ms += ABSENT - 1;
	see_list();
	ck_assert_str_eq(plan(), "");
	now_ms++;
	see_list();
	ck_assert_str_eq(plan(), "retire 3");
}
END_TEST

START_TEST(the_last_broker_is_kept)
{
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1;"
	    "add broker payments 4 to=10.9.0.24:9092 found=1;"
	    "del broker payments 1; del broker payments 2");
	see_list();
	now_ms += ABSENT;
	see_list();
	ck_assert_str_eq(plan(), "retire 3");
	apply(&config, &next_id, "del broker payments 3");
	ck_assert_str_eq(plan(), "");
}
END_TEST

/* It is down, and clients find it there when it is back. */
START_TEST(who_has_a_chosen_endpoint_is_kept)
{
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1;"
	    "add broker payments 4 to=10.9.0.24:9092 found=1;"
	    "set broker payments 3 at=public@10.9.0.113:9092");
	see_list();
	now_ms += ABSENT;
	see_list();
	ck_assert_str_eq(plan(), "retire 4");
	see(3, "10.9.0.33", 9092);
	ck_assert_str_eq(plan(), "move 3 10.9.0.33=10.9.0.33:9092; retire 4");
}
END_TEST

START_TEST(a_poll_finds_and_moves)
{
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1");
	ck_assert(poll_says(4, "10.9.0.24", 9092));
	ck_assert(poll_says(3, "10.9.0.33", 9092));
	ck_assert(!poll_says(3, "10.9.0.33", 9092));
	ck_assert_str_eq(plan(),
	    "add 4 10.9.0.24=10.9.0.24:9092; move 3 10.9.0.33=10.9.0.33:9092");
	ck_assert_uint_eq(
	    lp_discover_table_cluster(table, cluster_id())->listed_ms, now_ms);
	ck_assert_uint_eq(
	    lp_discover_table_cluster(table, cluster_id())->passed_ms, 0);
}
END_TEST

/* They may have come in by different listeners of the broker. */
START_TEST(what_passes_outdoes_a_poll)
{
	Lp__Pb__BrokerSeen late;

	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1");
	poll_says(3, "10.9.0.23", 9093);
	ck_assert_str_eq(plan(), "move 3 10.9.0.23=10.9.0.23:9093");
	/* Younger or not, as long as it was lately. */
	late = broker_of(3, "10.9.0.23", 9092, 4 * MINUTE);
	ck_assert(see_broker(&late));
	ck_assert_str_eq(plan(), "");
	ck_assert(!poll_says(3, "10.9.0.23", 9093));
	ck_assert_str_eq(plan(), "");
	/* Not for ever: maybe nothing is understood there any more. */
	now_ms += MINUTE;
	ck_assert(poll_says(3, "10.9.0.23", 9093));
	ck_assert_str_eq(plan(), "move 3 10.9.0.23=10.9.0.23:9093");
	late = broker_of(3, "10.9.0.23", 9092, 5 * MINUTE);
	ck_assert(!see_broker(&late));
	ck_assert_str_eq(plan(), "move 3 10.9.0.23=10.9.0.23:9093");
}
END_TEST

START_TEST(a_poll_knows_no_racks)
{
	Lp__Pb__BrokerSeen broker = broker_of(3, "10.9.0.23", 9092, 0);
	const struct lp_discover_node *node;

	broker.rack = (char *)"east";
	see_broker(&broker);
	now_ms += 10 * MINUTE;
	ck_assert(poll_says(3, "10.9.0.33", 9092));
	node = lp_discover_table_node(table, cluster_id(), 3);
	ck_assert_str_eq(node->rack, "east");
	ck_assert_str_eq(node->host, "10.9.0.33");
	broker.rack = NULL;
	broker.host = (char *)"10.9.0.33";
	see_broker(&broker);
	ck_assert_str_eq(node->rack, "");
}
END_TEST

START_TEST(whom_either_lists_is_not_retired)
{
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 found=1;"
	    "add broker payments 4 to=10.9.0.24:9092 found=1;"
	    "add broker payments 5 to=10.9.0.25:9092 found=1");
	for (unsigned i = 0; i < 10; i++) {
		see(3, "10.9.0.23", 9092);
		see_list();
		now_ms += MINUTE;
		poll_says(4, "10.9.0.24", 9092);
		/* Its address is not believed, but that it is there. */
		poll_says(3, "10.9.0.43", 9092);
	}
	ck_assert_str_eq(plan(), "retire 5");
	for (unsigned i = 0; i < 6; i++) {
		now_ms += MINUTE;
		poll_says(3, "10.9.0.23", 9092);
	}
	ck_assert_str_eq(plan(), "retire 4; retire 5");
}
END_TEST

START_TEST(what_no_cluster_can_say_is_ignored)
{
	char host[LP_HOST_SIZE + 1];
	Lp__Pb__BrokerSeen broker = broker_of(3, "10.9.0.23", 9092, 0);

	ck_assert(!see(-1, "10.9.0.23", 9092));
	ck_assert(!see(3, "", 9092));
	ck_assert(!see(3, "a b", 9092));
	ck_assert(!see(3, "a\x1b[2J", 9092));
	ck_assert(!see(3, "10.9.0.23", 0));
	ck_assert(!see(3, "10.9.0.23", 65536));
	memset(host, 'h', LP_HOST_SIZE);
	host[LP_HOST_SIZE] = '\0';
	ck_assert(!see(3, host, 9092));
	broker.rack = (char *)"\x01";
	ck_assert(!see_broker(&broker));
	ck_assert_uint_eq(table->wrong, 8);
	/* Of a cluster that is gone: that is no mistake. */
	broker = broker_of(3, "10.9.0.23", 9092, 0);
	broker.cluster_id = 77;
	ck_assert(!see_broker(&broker));
	ck_assert_uint_eq(table->wrong, 8);
	ck_assert_uint_eq(table->node_count, 0);
	ck_assert_str_eq(plan(), "");
}
END_TEST

START_TEST(a_full_table_forgets_the_oldest)
{
	for (int32_t id = 0; id < LP_DISCOVER_TABLE_NODES_MAX; id++) {
		see(id, "kafka", 9092);
		now_ms++;
	}
	ck_assert_uint_eq(table->full, 0);
	ck_assert(see(5000, "kafka", 9092));
	ck_assert_uint_eq(table->full, 1);
	ck_assert_ptr_null(lp_discover_table_node(table, cluster_id(), 0));
	ck_assert_ptr_nonnull(lp_discover_table_node(table, cluster_id(), 1));
	ck_assert_uint_eq(table->node_count, LP_DISCOVER_TABLE_NODES_MAX);
}
END_TEST

START_TEST(one_change_is_bounded)
{
	static struct lp_discover_step steps[LP_DISCOVER_PLAN_MAX];
	const struct lp_discover_plan plan = {.table = table,
	    .config = &config,
	    .now_ms = now_ms,
	    .absent_ms = ABSENT,
	    .look_up = look_up};

	for (int32_t id = 0; id < 2 * LP_DISCOVER_PLAN_MAX; id++)
		see(id, "10.9.0.23", 9092);
	ck_assert_uint_eq(
	    lp_discover_plan_make(&plan, steps), LP_DISCOVER_PLAN_MAX);
}
END_TEST

START_TEST(a_deleted_cluster_is_forgotten)
{
	see(3, "10.9.0.23", 9092);
	see_list();
	apply(&config, &next_id,
	    "del listener payments public; del broker payments 1;"
	    "del broker payments 2; del cluster payments");
	lp_discover_table_sweep(table, &config);
	ck_assert_uint_eq(table->node_count, 0);
	ck_assert_uint_eq(table->cluster_count, 0);
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("discover_plan");
	TCase *tcase = tcase_create("discover_plan");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	TEST(an_unknown_broker_is_added);
	TEST(what_the_operator_has_added_stays);
	TEST(a_discovered_broker_moves);
	TEST(a_set_without_a_source_makes_it_manual);
	TEST(names_are_waited_for);
	TEST(a_broker_that_advertises_us_is_not_added);
	TEST(a_broker_follows_its_name);
	TEST(who_is_listed_no_more_is_retired);
	TEST(not_before_lists_were_heard_for_a_while);
	TEST(the_last_broker_is_kept);
	TEST(who_has_a_chosen_endpoint_is_kept);
	TEST(a_poll_finds_and_moves);
	TEST(what_passes_outdoes_a_poll);
	TEST(a_poll_knows_no_racks);
	TEST(whom_either_lists_is_not_retired);
	TEST(what_no_cluster_can_say_is_ignored);
	TEST(a_full_table_forgets_the_oldest);
	TEST(one_change_is_bounded);
	TEST(a_deleted_cluster_is_forgotten);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
