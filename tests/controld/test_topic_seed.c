/* SPDX-License-Identifier: Apache-2.0 */
/* lp-controld asks brokers, which the test plays itself. */
#include "controld/topic_seed.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"

static struct event_base *base;
static struct lp_config config;
static struct lp_topic_names *names;
static struct lp_topic_seed *seed;
static struct broker brokers[2];
static unsigned seeded;

/* Retries come soon; what should not happen in a test does not. */
static const struct lp_topic_seed_times quick = {
    .answer = 60000,
    .period = 3600000,
    .retry_min = 8,
    .retry_max = 16,
    .given_up = 8,
    .eager_min = 8,
};

static void
on_seeded(void *arg)
{
	(void)arg;
	seeded++;
}

static void
put_broker(uint32_t id, const struct lp_endpoint *endpoint)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_BROKER);
	object.id = id;
	object.broker.cluster_id = 1;
	object.broker.node_id = (int32_t)id;
	object.broker.real = *endpoint;
	ck_assert_int_eq(lp_config_put(&config, &object), 0);
}

static void
begin_with(const struct lp_topic_seed_times *times, uint32_t size_max)
{
	struct lp_topic_seed_options options = {
	    .times = *times,
	    .size_max = size_max,
	    .seeded = on_seeded,
	};
	struct lp_object cluster;

	seeded = 0;
	base = event_base_new();
	for (unsigned i = 0; i < 2; i++)
		broker_start(&brokers[i], base);
	lp_config_init(&config);
	lp_object_init(&cluster, LP_OBJECT_CLUSTER);
	cluster.id = 1;
	strcpy(cluster.cluster.name, "payments");
	ck_assert_int_eq(lp_config_put(&config, &cluster), 0);
	put_broker(11, &brokers[0].endpoint);
	ck_assert_int_eq(lp_topic_names_new(&names, LP_TOPIC_IDS_MAX), 0);
	lp_topic_names_configure(names, &config);
	options.base = base;
	options.names = names;
	ck_assert_int_eq(lp_topic_seed_new(&seed, &options), 0);
}

static void
begin(void)
{
	begin_with(&quick, LP_TOPIC_SEED_SIZE_MAX);
}

static void
configure(void)
{
	ck_assert_int_eq(lp_topic_seed_configure(seed, &config), 0);
}

static void
end(void)
{
	lp_topic_seed_free(seed);
	lp_topic_names_free(names);
	for (unsigned i = 0; i < 2; i++)
		broker_stop(&brokers[i]);
	event_base_free(base);
	lp_config_fini(&config);
}

static struct lp_topic_seed_status
status(void)
{
	struct lp_topic_seed_status found;

	ck_assert(lp_topic_seed_status(seed, 1, &found));
	return found;
}

static void
run_until_failed(uint64_t count)
{
	while (status().failed < count)
		event_base_loop(base, EVLOOP_ONCE);
}

static void
run_until_seeded(unsigned count)
{
	while (seeded < count)
		event_base_loop(base, EVLOOP_ONCE);
}

static uint64_t
known(void)
{
	return lp_topic_names_counts(names, 1)->known;
}

START_TEST(a_broker_tells_all_topics)
{
	begin();
	brokers[0].topics = 100;
	configure();
	ck_assert_uint_eq(known(), 0);
	run_until_seeded(1);
	ck_assert_uint_eq(known(), 100);
	ck_assert_uint_eq(lp_topic_names_counts(names, 1)->seeded, 100);
	ck_assert_uint_eq(status().asked, 1);
	ck_assert_uint_eq(status().failed, 0);
	ck_assert_uint_ne(status().since_ns, 0);
	ck_assert_str_eq(status().why, "");
	ck_assert(
	    !lp_topic_seed_status(seed, 2, &(struct lp_topic_seed_status){0}));
	end();
}
END_TEST

START_TEST(each_version_with_ids_is_good)
{
	begin();
	brokers[0].max = (int16_t)(10 + _i);
	configure();
	run_until_seeded(1);
	ck_assert_uint_eq(known(), 3);
	end();
}
END_TEST

static const struct {
	enum broker_mood mood;
	const char *why;
} bad[] = {
    {BROKER_OLD, "its Metadata has versions 0 to 9, ids come with 10"},
    {BROKER_CLOSES, "when asked for its versions: this listener may want TLS"},
    {BROKER_SASL, "when asked for topics: this listener may want SASL"},
    {BROKER_TLS, "this listener wants TLS"},
    {BROKER_HTTP, "it answered with what is no Kafka"},
    {BROKER_HALF, "in the middle of its answer"},
    {BROKER_LIES, "it answered with what is no Kafka"},
    {BROKER_HUGE, "its answer is larger than 67108864 bytes"},
    {BROKER_OTHER, "it answered another request than was made"},
    {BROKER_REFUSES, "it answered with error 35"},
};

/* It changes nothing, is said, and the next broker is asked. */
START_TEST(a_bad_broker_is_followed_by_the_next)
{
	begin();
	put_broker(12, &brokers[1].endpoint);
	brokers[0].mood = bad[_i].mood;
	configure();
	run_until_failed(1);
	ck_assert_uint_eq(known(), 0);
	ck_assert_msg(
	    strstr(status().why, bad[_i].why) != NULL, "%s", status().why);
	ck_assert_ptr_nonnull(strstr(status().why, "broker 11, 127.0.0.1:"));
	run_until_seeded(1);
	ck_assert_uint_eq(known(), 3);
	ck_assert_uint_eq(brokers[0].connections, 1);
	ck_assert_uint_eq(brokers[1].connections, 1);
	ck_assert_str_eq(status().why, "");
	end();
}
END_TEST

START_TEST(a_broker_may_get_well)
{
	begin();
	brokers[0].mood = bad[_i].mood;
	configure();
	run_until_failed(3);
	ck_assert_uint_eq(known(), 0);
	brokers[0].mood = BROKER_GOOD;
	run_until_seeded(1);
	ck_assert_uint_eq(known(), 3);
	end();
}
END_TEST

START_TEST(nobody_listens)
{
	begin();
	broker_stop(&brokers[0]);
	configure();
	run_until_failed(2);
	ck_assert_ptr_nonnull(strstr(status().why, "Connection refused"));
	broker_start(&brokers[0], base);
	end();
}
END_TEST

START_TEST(silence_has_an_end)
{
	struct lp_topic_seed_times times = quick;

	times.answer = 20;
	begin_with(&times, LP_TOPIC_SEED_SIZE_MAX);
	brokers[0].mood = BROKER_SILENT;
	configure();
	run_until_failed(2);
	ck_assert_ptr_nonnull(
	    strstr(status().why, "no whole answer within 20 ms"));
	end();
}
END_TEST

START_TEST(a_large_answer_is_not_read)
{
	begin_with(&quick, 300);
	brokers[0].topics = 20;
	configure();
	run_until_failed(1);
	ck_assert_ptr_nonnull(
	    strstr(status().why, "its answer is larger than 300 bytes"));
	ck_assert_uint_eq(known(), 0);
	end();
}
END_TEST

/* Those that nothing was changed of are not asked again. */
START_TEST(a_new_broker_is_a_reason_to_ask)
{
	begin();
	configure();
	run_until_seeded(1);
	configure();
	brokers[0].topics = 5;
	put_broker(12, &brokers[1].endpoint);
	brokers[1].topics = 5;
	configure();
	run_until_seeded(2);
	ck_assert_uint_eq(known(), 5);
	ck_assert_uint_eq(status().asked, 2);
	end();
}
END_TEST

/* Its brokers are asked, by whatever listener; the ids are the other one's. */
START_TEST(clusters_that_are_the_same_are_asked_as_one)
{
	struct lp_object same, broker;

	begin();
	lp_object_init(&same, LP_OBJECT_CLUSTER);
	same.id = 2;
	strcpy(same.cluster.name, "payments-plain");
	same.cluster.same_as = 1;
	ck_assert_int_eq(lp_config_put(&config, &same), 0);
	ck_assert_int_eq(lp_config_remove(&config, LP_OBJECT_BROKER, 11), 0);
	put_broker(12, &brokers[1].endpoint);
	broker = *lp_config_find(&config, LP_OBJECT_BROKER, 12);
	broker.broker.cluster_id = 2;
	ck_assert_int_eq(lp_config_put(&config, &broker), 0);
	lp_topic_names_configure(names, &config);
	brokers[1].topics = 7;
	configure();
	run_until_seeded(1);
	ck_assert_uint_eq(lp_topic_names_counts(names, 1)->seeded, 7);
	ck_assert_uint_eq(lp_topic_names_counts(names, 2)->seeded, 0);
	ck_assert(
	    !lp_topic_seed_status(seed, 2, &(struct lp_topic_seed_status){0}));
	end();
}
END_TEST

START_TEST(an_unknown_id_is_a_reason_to_ask)
{
	begin();
	configure();
	run_until_seeded(1);
	brokers[0].topics = 4;
	lp_topic_seed_unknown(seed);
	run_until_seeded(2);
	ck_assert_uint_eq(known(), 4);
	ck_assert_uint_eq(status().asked, 2);
	end();
}
END_TEST

/* In the middle of an exchange. */
START_TEST(a_cluster_may_be_configured_away)
{
	begin();
	brokers[0].mood = BROKER_SILENT;
	configure();
	while (brokers[0].connections == 0)
		event_base_loop(base, EVLOOP_ONCE);
	lp_config_remove(&config, LP_OBJECT_BROKER, 11);
	lp_config_remove(&config, LP_OBJECT_CLUSTER, 1);
	configure();
	while (brokers[0].bev_count > 0)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert(
	    !lp_topic_seed_status(seed, 1, &(struct lp_topic_seed_status){0}));
	end();
}
END_TEST

START_TEST(a_cluster_without_brokers_is_no_trouble)
{
	begin();
	lp_config_remove(&config, LP_OBJECT_BROKER, 11);
	configure();
	for (unsigned i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	ck_assert_uint_eq(status().asked, 0);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topic_seed");
	TCase *tcase = tcase_create("topic_seed");
	SRunner *runner = srunner_create(suite);
	int count = sizeof(bad) / sizeof(bad[0]);
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, a_broker_tells_all_topics);
	tcase_add_loop_test(tcase, each_version_with_ids_is_good, 0, 6);
	tcase_add_loop_test(
	    tcase, a_bad_broker_is_followed_by_the_next, 0, count);
	tcase_add_loop_test(tcase, a_broker_may_get_well, 0, count);
	tcase_add_test(tcase, nobody_listens);
	tcase_add_test(tcase, silence_has_an_end);
	tcase_add_test(tcase, a_large_answer_is_not_read);
	tcase_add_test(tcase, a_new_broker_is_a_reason_to_ask);
	tcase_add_test(tcase, clusters_that_are_the_same_are_asked_as_one);
	tcase_add_test(tcase, an_unknown_id_is_a_reason_to_ask);
	tcase_add_test(tcase, a_cluster_may_be_configured_away);
	tcase_add_test(tcase, a_cluster_without_brokers_is_no_trouble);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
