/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic ids between two dataplanes, which the test plays itself.
 */
#include "controld/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "transaction.h"

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name

enum { CLUSTER = 2 }; /* the second object of basic */

static struct world world;
static struct fake fakes[2];

/* With basic applied by both. */
static void
start(bool second_knows)
{
	struct pushed pushed;

	world_start(&world, &patient, 2);
	for (unsigned i = 0; i < 2; i++) {
		fake_start(&fakes[i], &world, world.paths[i]);
		fakes[i].topic_ids = i == 0 || second_knows;
		fake_synchronise(&fakes[i]);
		world_state(&world, i, "applied");
	}
	world_send(&world, basic, 10000);
	for (unsigned i = 0; i < 2; i++) {
		pushed = fake_take_push(&fakes[i]);
		fake_applied(&fakes[i], 2, pushed.digest);
	}
	world_replies(&world, 1);
}

static void
stop(void)
{
	for (unsigned i = 0; i < 2; i++)
		fake_stop(&fakes[i]);
	world_stop(&world);
}

/* Ids from that one on, as many as fit a frame at most. */
static void
report_named(unsigned index, uint32_t first, unsigned count, bool more,
    const char *format)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TopicIdsLearnt learnt = LP__PB__TOPIC_IDS_LEARNT__INIT;
	static Lp__Pb__TopicId topics[LP_ROWS_MAX];
	static Lp__Pb__TopicId *list[LP_ROWS_MAX];
	static uint8_t ids[LP_ROWS_MAX][LP_TOPIC_ID_SIZE];
	static char names[LP_ROWS_MAX][32];

	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = first + i;

		lp__pb__topic_id__init(&topics[i]);
		memset(ids[i], 0xaa, LP_TOPIC_ID_SIZE);
		memcpy(ids[i], &n, sizeof(n));
		snprintf(names[i], sizeof(names[i]), format, n);
		topics[i].cluster_id = CLUSTER;
		topics[i].id.data = ids[i];
		topics[i].id.len = LP_TOPIC_ID_SIZE;
		topics[i].name = names[i];
		list[i] = &topics[i];
	}
	learnt.n_topics = count;
	learnt.topics = list;
	learnt.has_more = true;
	learnt.more = more;
	message.body_case = BODY(TOPIC_IDS_LEARNT);
	message.topic_ids_learnt = &learnt;
	fake_send(&fakes[index], &message);
}

static void
report(unsigned index, uint32_t first, unsigned count, bool more)
{
	report_named(index, first, count, more, "topic-%u");
}

static void
taken(unsigned index)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TopicIdsTaken body = LP__PB__TOPIC_IDS_TAKEN__INIT;

	message.body_case = BODY(TOPIC_IDS_TAKEN);
	message.topic_ids_taken = &body;
	fake_send(&fakes[index], &message);
}

static const Lp__Pb__TopicIdsKnown *
told(unsigned index)
{
	return fake_take(&fakes[index], BODY(TOPIC_IDS_KNOWN))->topic_ids_known;
}

/* The one row of `lpctl status`; good until the next reply is kept. */
static const Lp__Pb__TopicIdsStatus *
status(void)
{
	const Lp__Pb__StatusReply *reply;

	world_status(&world, 0);
	reply = world.replies[world.reply_count]->status;
	ck_assert_uint_eq(reply->n_topic_ids, 1);
	ck_assert_str_eq(reply->topic_ids[0]->cluster, "payments");
	return reply->topic_ids[0];
}

static bool
knows(void *arg)
{
	return status()->known == *(const uint64_t *)arg;
}

static void
wait_known(uint64_t count)
{
	world_run(&world, knows, &count);
}

START_TEST(what_one_has_learnt_the_other_is_told)
{
	const Lp__Pb__TopicIdsKnown *known;

	start(true);
	report(1, 0, 0, false);
	report(0, 5, 1, false);
	known = told(1);
	ck_assert_uint_eq(known->n_topics, 1);
	ck_assert_uint_eq(known->topics[0]->cluster_id, CLUSTER);
	ck_assert_uint_eq(known->topics[0]->id.data[0], 5);
	ck_assert_str_eq(known->topics[0]->name, "topic-5");
	ck_assert_uint_eq(status()->learnt, 1);
	/* The first one knows it, the second one has been told. */
	ck_assert_uint_eq(status()->shared, 1);
	ck_assert_uint_eq(status()->has_asked, false);
	stop();
}
END_TEST

START_TEST(the_next_frame_waits_for_the_answer)
{
	start(true);
	report(1, 0, 0, false);
	for (uint32_t i = 0; i < 3; i++)
		report(0, 1000 + i * LP_ROWS_MAX, LP_ROWS_MAX, i < 2);
	wait_known(3 * LP_ROWS_MAX);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_uint_eq(told(1)->n_topics, LP_ROWS_MAX);
		ck_assert_uint_eq(status()->shared, i * LP_ROWS_MAX);
		taken(1);
	}
	stop();
}
END_TEST

START_TEST(nobody_is_told_before_it_has_said_all)
{
	start(true);
	report(1, 5, 1, true);
	report(0, 5, 2, false);
	wait_known(2);
	ck_assert_uint_eq(status()->shared, 0);
	report(1, 7, 1, false);
	ck_assert_uint_eq(told(1)->n_topics, 1);
	ck_assert_uint_eq(told(0)->n_topics, 1);
	stop();
}
END_TEST

START_TEST(who_comes_back_is_told_again)
{
	struct pushed pushed;

	start(true);
	report(0, 5, 3, false);
	wait_known(3);
	report(1, 0, 0, false);
	ck_assert_uint_eq(told(1)->n_topics, 3);
	fake_hang_up(&fakes[1]);
	fake_wait_connection(&fakes[1], 2);
	fake_hello(&fakes[1], 0, 0, 0);
	fake_take(&fakes[1], BODY(WELCOME));
	pushed = fake_take_push(&fakes[1]);
	fake_applied(&fakes[1], pushed.generation, pushed.digest);
	/* Of the three it has kept one. */
	report(1, 6, 1, false);
	ck_assert_uint_eq(told(1)->n_topics, 2);
	stop();
}
END_TEST

START_TEST(who_cannot_take_them_is_not_told)
{
	start(false);
	report(0, 5, 3, false);
	wait_known(3);
	ck_assert_uint_eq(status()->shared, 0);
	ck_assert_str_eq(world_status(&world, 1)->state, "applied");
	stop();
}
END_TEST

START_TEST(what_is_no_topic_is_ignored)
{
	start(true);
	report_named(0, 5, 1, true, "new\nline %u");
	report_named(0, 6, 1, true, "");
	report_named(0, 7, 1, false, "good-%u");
	wait_known(1);
	/* An id keeps its name. */
	report_named(0, 7, 1, false, "bad-%u");
	report(0, 8, 1, false);
	wait_known(2);
	ck_assert_uint_eq(status()->renamed, 1);
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topics");
	TCase *tcase = tcase_create("topics");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, what_one_has_learnt_the_other_is_told);
	tcase_add_test(tcase, the_next_frame_waits_for_the_answer);
	tcase_add_test(tcase, nobody_is_told_before_it_has_said_all);
	tcase_add_test(tcase, who_comes_back_is_told_again);
	tcase_add_test(tcase, who_cannot_take_them_is_not_told);
	tcase_add_test(tcase, what_is_no_topic_is_ignored);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
