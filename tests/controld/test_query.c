/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to a dataplane, which the test plays itself.
 */
#include "controld/export.h"
#include "controld/query.h"
#include "fake.h"
#include "transaction.h"

#include <event2/buffer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name
#define RESULT(name) LP__PB__FAILURE__RESULT__##name

static struct world world;
static struct fake fake;

static void
start(void)
{
	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
}

/* Sends a body of no fields; but what Kafka says comes with its topics. */
static void
ask_as(uint64_t client, Lp__Pb__ControlRequest__BodyCase body)
{
	Lp__Pb__ControlRequest *request = make_request(body);

	request->cookie = 8;
	if (body == LP__PB__CONTROL_REQUEST__BODY_KAFKA)
		request->kafka->has_topics = request->kafka->topics = true;
	lp_session_request(world.session, client, &world_peer, request);
}

static void
ask(Lp__Pb__ControlRequest__BodyCase body)
{
	ask_as(3, body);
}

/* With basic applied; the next frame that comes is the question. */
static void
start_basic(void)
{
	struct pushed pushed;

	start();
	fake.kafka_stats = true;
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	world_replies(&world, 1);
}

static void
answer_stats(uint64_t cookie, uint32_t listener, uint32_t broker, bool more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__StatsReply reply = LP__PB__STATS_REPLY__INIT;
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;
	Lp__Pb__EndpointStats row = LP__PB__ENDPOINT_STATS__INIT;
	Lp__Pb__EndpointStats *rows[] = {&row};

	row.has_listener_id = row.has_broker_id = true;
	row.listener_id = listener;
	row.broker_id = broker;
	stats.n_endpoints = 1;
	stats.endpoints = rows;
	reply.cookie = cookie;
	reply.stats = &stats;
	reply.has_more = reply.more = more;
	message.body_case = BODY(STATS_REPLY);
	message.stats_reply = &reply;
	fake_send(&fake, &message);
}

START_TEST(statistics_are_passed_on_with_names)
{
	const Lp__Pb__EndpointStats *row;
	uint64_t cookie;

	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	cookie = fake_take(&fake, BODY(STATS_REQUEST))->stats_request->cookie;
	answer_stats(cookie + 1, 5, 3, false); /* nobody asked for it */
	answer_stats(cookie, 5, 3, true);
	answer_stats(cookie, 77, 78, false);
	world_replies(&world, 3);
	ck_assert(world.replies[1]->more);
	ck_assert(!world.replies[2]->more);
	ck_assert_str_eq(world.replies[1]->counters->dataplane, "host-a");
	row = world.replies[1]->counters->stats->endpoints[0];
	ck_assert_str_eq(row->cluster, "payments");
	ck_assert_str_eq(row->listener, "public");
	ck_assert_int_eq(row->node_id, 1);
	row = world.replies[2]->counters->stats->endpoints[0];
	ck_assert_ptr_null(row->cluster);
	stop();
}
END_TEST

START_TEST(two_dataplanes_make_one_answer)
{
	struct fake other;
	uint64_t cookie;

	world_start(&world, &patient, 2);
	fake_start(&fake, &world, world.paths[0]);
	fake_start(&other, &world, world.paths[1]);
	fake_synchronise(&fake);
	fake_synchronise(&other);
	world_state(&world, 0, "applied");
	world_state(&world, 1, "applied");
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	cookie = fake_take(&fake, BODY(STATS_REQUEST))->stats_request->cookie;
	answer_stats(cookie, 5, 3, false);
	answer_stats(cookie, 5, 3, false); /* once is enough */
	world_replies(&world, 1);
	fake_beat(&fake, 0, 0); /* answered by a push: all was read */
	fake_take_push(&fake);
	ck_assert_uint_eq(world.reply_count, 1);
	ck_assert(world.replies[0]->more);
	fake_hang_up(&other);
	world_failure(world_replies(&world, 2));
	fake_stop(&other);
	stop();
}
END_TEST

START_TEST(connections_are_passed_on_with_names)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ConnectionsReply reply = LP__PB__CONNECTIONS_REPLY__INIT;
	Lp__Pb__Connection row = LP__PB__CONNECTION__INIT;
	Lp__Pb__Connection *rows[] = {&row};

	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS);
	reply.cookie = fake_take(&fake, BODY(CONNECTIONS_REQUEST))
			   ->connections_request->cookie;
	row.has_listener_id = row.has_broker_id = true;
	row.listener_id = 5;
	row.broker_id = 4;
	row.cluster = (char *)"told";
	reply.n_connections = 1;
	reply.connections = rows;
	message.body_case = BODY(CONNECTIONS_REPLY);
	message.connections_reply = &reply;
	fake_send(&fake, &message);
	world_replies(&world, 2);
	ck_assert_str_eq(
	    world.replies[1]->connections->connections[0]->cluster, "told");
	ck_assert_str_eq(
	    world.replies[1]->connections->connections[0]->listener, "public");
	ck_assert_int_eq(
	    world.replies[1]->connections->connections[0]->node_id, 2);
	stop();
}
END_TEST

static void
answer_kafka(uint64_t cookie, bool more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__KafkaStatsReply reply = LP__PB__KAFKA_STATS_REPLY__INIT;
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaApiStats api = LP__PB__KAFKA_API_STATS__INIT;
	Lp__Pb__KafkaApiStats *apis[] = {&api};
	Lp__Pb__KafkaTopicStats topic = LP__PB__KAFKA_TOPIC_STATS__INIT;
	Lp__Pb__KafkaTopicStats *topics[] = {&topic};

	api.has_listener_id = api.has_broker_id = true;
	api.listener_id = 5;
	api.broker_id = 3;
	topic.has_cluster_id = true;
	topic.cluster_id = 2;
	stats.n_apis = stats.n_topics = 1;
	stats.apis = apis;
	stats.topics = topics;
	reply.cookie = cookie;
	reply.stats = &stats;
	reply.has_more = reply.more = more;
	message.body_case = BODY(KAFKA_STATS_REPLY);
	message.kafka_stats_reply = &reply;
	fake_send(&fake, &message);
}

START_TEST(kafka_statistics_are_passed_on_with_names)
{
	const Lp__Pb__KafkaStatsRequest *question;
	const Lp__Pb__KafkaStats *stats;
	uint64_t cookie;

	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_KAFKA);
	question =
	    fake_take(&fake, BODY(KAFKA_STATS_REQUEST))->kafka_stats_request;
	ck_assert(question->topics && !question->apis && !question->clients);
	cookie = question->cookie;
	answer_stats(cookie, 5, 3, false); /* of another kind */
	answer_kafka(cookie, true);
	answer_kafka(cookie, false);
	world_replies(&world, 3);
	ck_assert(world.replies[1]->more);
	ck_assert(!world.replies[2]->more);
	ck_assert_str_eq(world.replies[2]->kafka->dataplane, "host-a");
	stats = world.replies[2]->kafka->stats;
	ck_assert_str_eq(stats->apis[0]->cluster, "payments");
	ck_assert_str_eq(stats->apis[0]->listener, "public");
	ck_assert_int_eq(stats->apis[0]->node_id, 1);
	ck_assert_str_eq(stats->topics[0]->cluster, "payments");
	stop();
}
END_TEST

/* It would drop us for a message that it does not know. */
START_TEST(an_old_dataplane_is_not_asked_for_kafka_statistics)
{
	const Lp__Pb__Failure *failure;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	ask(LP__PB__CONTROL_REQUEST__BODY_KAFKA);
	failure = world_failure(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(UNREACHABLE));
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_ptr_nonnull(strstr(failure->text, "no Kafka statistics"));
	stop();
}
END_TEST

/* What the other one says is passed on before the failure. */
START_TEST(one_old_dataplane_does_not_silence_the_other)
{
	struct fake other;

	world_start(&world, &patient, 2);
	fake_start(&fake, &world, world.paths[0]);
	fake_start(&other, &world, world.paths[1]);
	fake.kafka_stats = true;
	fake_synchronise(&fake);
	fake_synchronise(&other);
	world_state(&world, 0, "applied");
	world_state(&world, 1, "applied");
	ask(LP__PB__CONTROL_REQUEST__BODY_KAFKA);
	answer_kafka(fake_take(&fake, BODY(KAFKA_STATS_REQUEST))
			 ->kafka_stats_request->cookie,
	    false);
	world_failure(world_replies(&world, 2));
	ck_assert(world.replies[0]->more);
	ck_assert_ptr_nonnull(world.replies[0]->kafka);
	fake_stop(&other);
	stop();
}
END_TEST

START_TEST(a_question_without_an_answer_ends_in_time)
{
	const Lp__Pb__Failure *failure;

	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	failure = world_failure(world_replies(&world, 2));
	ck_assert_int_eq(failure->result, RESULT(TIMEOUT));
	ck_assert_str_eq(failure->dataplane, "host-a");
	stop();
}
END_TEST

START_TEST(a_dataplane_that_goes_ends_the_question)
{
	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	fake_take(&fake, BODY(STATS_REQUEST));
	fake_hang_up(&fake);
	ck_assert_str_eq(world_failure(world_replies(&world, 2))->text,
	    "it went away before its answer was complete");
	stop();
}
END_TEST

static void
answer_connections(uint64_t cookie)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ConnectionsReply reply = LP__PB__CONNECTIONS_REPLY__INIT;

	reply.cookie = cookie;
	message.body_case = BODY(CONNECTIONS_REPLY);
	message.connections_reply = &reply;
	fake_send(&fake, &message);
}

/* The next frame is a push: all was read, and nothing was asked. */
static void
nothing_is_asked(void)
{
	struct pushed pushed;

	fake_beat(&fake, 0, 0);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, pushed.generation, pushed.digest);
}

static void
the_last_one_is_refused(void)
{
	const Lp__Pb__Failure *failure =
	    world_failure(world.replies[world.reply_count - 1]);

	ck_assert_int_eq(failure->result, RESULT(REFUSED));
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_ptr_nonnull(strstr(failure->text, "try again"));
}

enum {
	LPCTL_QUESTIONS = LP_QUESTIONS_MAX - LP_QUERY_QUESTIONS_SCRAPE,
	PARALLEL = 40,
};

/* So many are asked, the others refused; the cookie of the first one. */
static uint64_t
ask_many(void)
{
	unsigned before = world.reply_count;
	uint64_t cookie = 0;

	for (unsigned i = 0; i < PARALLEL; i++) {
		ask(LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS);
		if (i >= LPCTL_QUESTIONS)
			the_last_one_is_refused();
	}
	ck_assert_uint_eq(
	    world.reply_count - before, PARALLEL - LPCTL_QUESTIONS);
	for (unsigned i = 0; i < LPCTL_QUESTIONS; i++) {
		uint64_t now = fake_take(&fake, BODY(CONNECTIONS_REQUEST))
				   ->connections_request->cookie;

		cookie = i == 0 ? now : cookie;
	}
	nothing_is_asked();
	return cookie;
}

/* At one more it would drop us. */
START_TEST(a_dataplane_is_not_asked_more_than_it_takes)
{
	uint64_t first;
	unsigned count;

	start_basic();
	count = world.reply_count + PARALLEL;
	first = ask_many();
	/* That nobody waits any more does not make it owe less. */
	world_replies(&world, count);
	ask(LP__PB__CONTROL_REQUEST__BODY_KAFKA);
	ck_assert_uint_eq(world.reply_count, count + 1);
	the_last_one_is_refused();
	answer_connections(first + LPCTL_QUESTIONS * 2); /* owed by nobody */
	answer_kafka(first, false); /* of another kind */
	nothing_is_asked();
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	the_last_one_is_refused();
	answer_connections(first);
	nothing_is_asked();
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	fake_take(&fake, BODY(STATS_REQUEST));
	ask(LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS);
	the_last_one_is_refused();
	stop();
}
END_TEST

START_TEST(a_scrape_has_room_beside_others)
{
	start_basic();
	ask_many();
	ask_as(LP_EXPORT_CLIENT, LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	fake_take(&fake, BODY(STATS_REQUEST));
	ask_as(LP_EXPORT_CLIENT, LP__PB__CONTROL_REQUEST__BODY_KAFKA);
	fake_take(&fake, BODY(KAFKA_STATS_REQUEST));
	ask_as(LP_EXPORT_CLIENT, LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS);
	fake_take(&fake, BODY(CONNECTIONS_REQUEST));
	ask_as(LP_EXPORT_CLIENT, LP__PB__CONTROL_REQUEST__BODY_KAFKA);
	the_last_one_is_refused();
	nothing_is_asked();
	stop();
}
END_TEST

START_TEST(a_dataplane_that_comes_back_owes_nothing)
{
	start_basic();
	ask_many();
	fake_hang_up(&fake);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	ask_many();
	stop();
}
END_TEST

START_TEST(without_a_dataplane_there_is_nobody_to_ask)
{
	world_start(&world, &patient, 1);
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	ck_assert_int_eq(world_failure(world_replies(&world, 1))->result,
	    RESULT(UNREACHABLE));
	world_stop(&world);
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("query");
	TCase *tcase = tcase_create("query");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(statistics_are_passed_on_with_names);
	TEST(two_dataplanes_make_one_answer);
	TEST(connections_are_passed_on_with_names);
	TEST(kafka_statistics_are_passed_on_with_names);
	TEST(an_old_dataplane_is_not_asked_for_kafka_statistics);
	TEST(one_old_dataplane_does_not_silence_the_other);
	TEST(a_question_without_an_answer_ends_in_time);
	TEST(a_dataplane_that_goes_ends_the_question);
	TEST(a_dataplane_is_not_asked_more_than_it_takes);
	TEST(a_scrape_has_room_beside_others);
	TEST(a_dataplane_that_comes_back_owes_nothing);
	TEST(without_a_dataplane_there_is_nobody_to_ask);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
