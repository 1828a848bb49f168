/* SPDX-License-Identifier: Apache-2.0 */
/* Topic ids, told to a real process and by it. */
#include <stdio.h>
#include <string.h>

#include "tests/dataplane/controller.h"

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name

enum { EPOCH = 7, CLUSTER = 2 };

static struct dataplane dataplane;
static struct controller controller;
static struct lp_config config;

static void
begin(void)
{
	cold_config(&config);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_apply(&controller, EPOCH, 1, &config);
}

static void
end(void)
{
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
}

static uint64_t
counter(const char *name)
{
	Lp__Pb__KafkaStatsRequest request = LP__PB__KAFKA_STATS_REQUEST__INIT;
	const Lp__Pb__KafkaStats *stats;

	controller_send(&controller, BODY(KAFKA_STATS_REQUEST), &request);
	stats = controller_expect(&controller, BODY(KAFKA_STATS_REPLY))
		    ->kafka_stats_reply->stats;
	for (size_t i = 0; i < stats->n_counters; i++)
		if (strcmp(stats->counters[i]->name, name) == 0)
			return stats->counters[i]->value;
	ck_abort_msg("no counter %s", name);
}

static void
tell(unsigned count, const char *first)
{
	Lp__Pb__TopicIdsKnown known = LP__PB__TOPIC_IDS_KNOWN__INIT;
	Lp__Pb__TopicId topics[LP_ROWS_MAX + 1];
	Lp__Pb__TopicId *list[LP_ROWS_MAX + 1];
	uint8_t ids[LP_ROWS_MAX + 1][LP_TOPIC_ID_SIZE] = {0};

	for (unsigned i = 0; i < count; i++) {
		lp__pb__topic_id__init(&topics[i]);
		ids[i][0] = (uint8_t)(i + 1);
		topics[i].cluster_id = CLUSTER;
		topics[i].id.data = ids[i];
		topics[i].id.len = LP_TOPIC_ID_SIZE;
		topics[i].name = (char *)(i == 0 ? first : "topic");
		list[i] = &topics[i];
	}
	known.n_topics = count;
	known.topics = list;
	controller_send(&controller, BODY(TOPIC_IDS_KNOWN), &known);
}

static const Lp__Pb__TopicIdsLearnt *
learnt(void)
{
	return controller_expect(&controller, BODY(TOPIC_IDS_LEARNT))
	    ->topic_ids_learnt;
}

START_TEST(topic_ids_reach_the_worker)
{
	begin();
	tell(LP_ROWS_MAX, "orders");
	controller_expect(&controller, BODY(TOPIC_IDS_TAKEN));
	while (counter("topic_ids_told") < LP_ROWS_MAX)
		;
	ck_assert_uint_eq(counter("topic_ids"), LP_ROWS_MAX);
	ck_assert_uint_eq(counter("topic_ids_learnt"), 0);
	/* Again: nothing of it is new. */
	tell(3, "renamed");
	controller_expect(&controller, BODY(TOPIC_IDS_TAKEN));
	tell(LP_ROWS_MAX, "renamed");
	controller_expect(&controller, BODY(TOPIC_IDS_TAKEN));
	ck_assert_uint_eq(counter("topic_ids"), LP_ROWS_MAX);
	end();
}
END_TEST

/* More than the worker's ring holds: the answers wait for room. */
START_TEST(many_frames_are_all_taken)
{
	begin();
	for (unsigned i = 0; i < 50; i++) {
		tell(LP_ROWS_MAX, "orders");
		controller_expect(&controller, BODY(TOPIC_IDS_TAKEN));
	}
	while (counter("topic_ids_told") < LP_ROWS_MAX)
		;
	end();
}
END_TEST

/* Another controller is told what the table has, from whomever it came. */
START_TEST(a_new_controller_is_told_all)
{
	const Lp__Pb__TopicIdsLearnt *all;

	begin();
	controller_close(&controller);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	all = learnt();
	ck_assert_uint_eq(all->n_topics, 0);
	ck_assert(!all->more);
	tell(5, "orders");
	controller_expect(&controller, BODY(TOPIC_IDS_TAKEN));
	while (counter("topic_ids_told") < 5)
		;
	controller_close(&controller);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	all = learnt();
	ck_assert_uint_eq(all->n_topics, 5);
	ck_assert_uint_eq(all->topics[0]->cluster_id, CLUSTER);
	ck_assert_uint_eq(all->topics[0]->id.data[0], 1);
	ck_assert_str_eq(all->topics[0]->name, "orders");
	end();
}
END_TEST

START_TEST(a_name_of_no_topic_ends_the_session)
{
	begin();
	tell(2, "two words");
	controller_expect_end(&controller);
	end();
}
END_TEST

START_TEST(too_many_topic_ids_end_the_session)
{
	begin();
	tell(LP_ROWS_MAX + 1, "orders");
	controller_expect_end(&controller);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    topic_ids_reach_the_worker,
	    many_frames_are_all_taken,
	    a_new_controller_is_told_all,
	    a_name_of_no_topic_ends_the_session,
	    too_many_topic_ids_end_the_session,
	    NULL,
	};

	return cold_run("control_topics", tests);
}
