/* SPDX-License-Identifier: Apache-2.0 */
/* What the worker has learnt is reported: once, whole, in bounded frames. */
#include "dataplane/topic_share.h"

#include <event2/buffer.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka_read.h"
#include "dataplane/region.h"
#include "tests/dataplane/cold.h"
#include "tests/support/telemetry.h"

enum { CLUSTER = 2, MANY = 20000 };

static struct lp_dataplane dataplane;
static struct lp_telemetry *telemetry;
static struct lp_topic_share *share;
static struct evbuffer *out;

/* Names that were reported, by the number in their id. */
static char names[MANY][32];
static unsigned frames, told;
static uint64_t unknown;

static void
begin(void)
{
	ck_assert_int_eq(lp_region_open(&dataplane.region, NULL, 64, 4096), 0);
	telemetry = telemetry_open(
	    dataplane.region.kafka_stats, dataplane.region.endpoints);
	share = calloc(1, sizeof(*share));
	out = evbuffer_new();
}

static void
end(void)
{
	evbuffer_free(out);
	free(share);
	telemetry_close(telemetry);
	lp_region_close(&dataplane.region);
}

static void
learn_as(uint32_t n, const char *name)
{
	uint8_t uuid[LP_TOPIC_ID_SIZE] = "....topic number";

	memcpy(uuid, &n, sizeof(n));
	lp_topic_ids_learn(&telemetry->topic_ids, CLUSTER, uuid,
	    (const uint8_t *)name, (uint16_t)strlen(name));
}

static void
learn(uint32_t n)
{
	char name[32];

	snprintf(name, sizeof(name), "topic-%u", n);
	learn_as(n, name);
}

static void
take(const Lp__Pb__TopicIdsLearnt *learnt)
{
	ck_assert_uint_le(learnt->n_topics, LP_ROWS_MAX);
	for (size_t i = 0; i < learnt->n_topics; i++) {
		uint32_t n;

		ck_assert_uint_eq(learnt->topics[i]->cluster_id, CLUSTER);
		memcpy(&n, learnt->topics[i]->id.data, sizeof(n));
		ck_assert_uint_lt(n, MANY);
		snprintf(
		    names[n], sizeof(names[n]), "%s", learnt->topics[i]->name);
	}
	told += (unsigned)learnt->n_topics;
	unknown = learnt->unknown;
}

/* All that is news, to its end. */
static unsigned
report(void)
{
	const uint8_t *payload;
	size_t len;

	frames = told = 0;
	do {
		Lp__Pb__DataplaneMessage *message;

		ck_assert_int_eq(
		    lp_topic_share_report(share, &dataplane, out), 0);
		len = evbuffer_get_length(out);
		if (len == 0)
			break;
		frames++;
		ck_assert_int_eq(lp_frame_next(evbuffer_pullup(out, -1), len,
				     &payload, &len),
		    LP_OK);
		message = lp_message_unpack_dataplane(payload, len);
		ck_assert_int_eq(message->topic_ids_learnt->more,
		    lp_topic_share_reports(share));
		take(message->topic_ids_learnt);
		lp__pb__dataplane_message__free_unpacked(message, NULL);
		evbuffer_drain(out, evbuffer_get_length(out));
	} while (lp_topic_share_reports(share));
	return told;
}

START_TEST(only_news_are_reported)
{
	begin();
	ck_assert_uint_eq(report(), 0);
	ck_assert_uint_eq(frames, 1); /* that there is nothing */
	report();
	ck_assert_uint_eq(frames, 0);
	learn(1);
	learn(2);
	ck_assert_uint_eq(report(), 2);
	ck_assert_uint_eq(report(), 0);
	ck_assert_uint_eq(frames, 0);
	learn(2);
	learn(3);
	ck_assert_uint_eq(report(), 1);
	ck_assert_str_eq(names[3], "topic-3");
	learn_as(1, "renamed");
	ck_assert_uint_eq(report(), 1);
	ck_assert_str_eq(names[1], "renamed");
	end();
}
END_TEST

START_TEST(all_is_reported_to_a_new_controller)
{
	begin();
	for (uint32_t i = 0; i < MANY; i++)
		learn(i);
	ck_assert_uint_eq(report(), MANY);
	ck_assert_uint_ge(frames, MANY / LP_ROWS_MAX);
	ck_assert_str_eq(names[MANY - 1], "topic-19999");
	memset(share, 0, sizeof(*share));
	ck_assert_uint_eq(report(), MANY);
	end();
}
END_TEST

/* Places are looked at by a bounded number a frame. */
START_TEST(few_news_in_a_large_table)
{
	begin();
	for (uint32_t i = 0; i < MANY - 1; i++)
		learn(i);
	report();
	learn(MANY - 1);
	ck_assert_uint_eq(report(), 1);
	ck_assert_uint_eq(frames, 2);
	end();
}
END_TEST

START_TEST(what_was_told_is_no_news)
{
	uint8_t uuid[LP_TOPIC_ID_SIZE] = "....topic number";

	begin();
	report();
	learn(5);
	memset(uuid, 0, 4);
	lp_topic_ids_tell(
	    &telemetry->topic_ids, CLUSTER, uuid, (const uint8_t *)"told", 4);
	ck_assert_uint_eq(report(), 1);
	/* But to another one it is. */
	memset(share, 0, sizeof(*share));
	ck_assert_uint_eq(report(), 2);
	ck_assert_str_eq(names[0], "told");
	end();
}
END_TEST

START_TEST(unknown_ids_are_news)
{
	uint8_t uuid[LP_TOPIC_ID_SIZE] = "nobody knows me";
	const uint8_t *name;
	uint16_t len;

	begin();
	report();
	ck_assert(!lp_topic_ids_find(
	    &telemetry->topic_ids, CLUSTER, uuid, &name, &len));
	report();
	ck_assert_uint_eq(frames, 1);
	ck_assert_uint_eq(unknown, 1);
	report();
	ck_assert_uint_eq(frames, 0);
	end();
}
END_TEST

/* What came by wire may be anything. */
START_TEST(what_no_topic_is_called_is_left_out)
{
	begin();
	learn_as(1, "two words");
	learn_as(2, "x\x01");
	learn(3);
	ck_assert_uint_eq(report(), 1);
	ck_assert_str_eq(names[3], "topic-3");
	end();
}
END_TEST

static void *
write_on(void *arg)
{
	char name[32];

	(void)arg;
	for (uint32_t round = 0; round < 200; round++) {
		for (uint32_t i = 0; i < 100; i++) {
			memset(name, 'a' + (char)(round % 26), 30);
			name[30] = '\0';
			learn_as(i, name);
		}
	}
	return NULL;
}

/* Beside the worker: each name is whole, and the last ones are not missed. */
START_TEST(a_report_beside_the_worker)
{
	pthread_t worker;

	begin();
	ck_assert_int_eq(pthread_create(&worker, NULL, write_on, NULL), 0);
	for (unsigned i = 0; i < 200; i++)
		report();
	pthread_join(worker, NULL);
	report();
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_uint_eq(strlen(names[i]), 30);
		ck_assert_int_eq(names[i][0], 'a' + 199 % 26);
		for (unsigned c = 1; c < 30; c++)
			ck_assert_int_eq(names[i][c], names[i][0]);
	}
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topic_share");
	TCase *tcase = tcase_create("topic_share");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, only_news_are_reported);
	tcase_add_test(tcase, all_is_reported_to_a_new_controller);
	tcase_add_test(tcase, few_news_in_a_large_table);
	tcase_add_test(tcase, what_was_told_is_no_news);
	tcase_add_test(tcase, unknown_ids_are_news);
	tcase_add_test(tcase, what_no_topic_is_called_is_left_out);
	tcase_add_test(tcase, a_report_beside_the_worker);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
