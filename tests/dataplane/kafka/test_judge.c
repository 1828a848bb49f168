/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and requests: which match, and that each is counted once. */
#include "dataplane/kafka/judge.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/proto/objects.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	THIRD,
	FOURTH,
	OFFSET_FETCH = 9,
	DESCRIBE_GROUPS = 15,
	INIT_PRODUCER_ID = 22,
	DESCRIBE_CONFIGS = 32,
};

static const uint8_t orders_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
static const uint8_t nobody_id[16] = {9, 9, 9, 4, 5, 6, 7, 8, 9};

static void
observe(uint32_t id, const char *match)
{
	rule_put(id, id, match, "observe", false);
}

/* Those rules hold for what the connection says from now on. */
static void
publish(void)
{
	plane_publish();
}

static void
requests_are(uint32_t id, uint64_t requests, uint64_t bytes)
{
	rule_counts(id, 0, 0, requests);
	ck_assert_uint_eq(lp_count_get(&rule_stats(id)->request_bytes), bytes);
}

static void
count_topics(size_t count)
{
	kafka_int8(&kafka_frame, (int64_t)count + 1);
}

/* Version 13 or 15: topics by their ids; replica: by a tag in the latter. */
static void
fetch_by_id(
    int16_t version, int32_t replica, const uint8_t *const ids[], size_t count)
{
	kafka_request(&kafka_frame, FETCH, version, 7, "web-1", true);
	if (version < 15)
		kafka_int32(&kafka_frame, replica);
	kafka_int32(&kafka_frame, 500);
	kafka_int32(&kafka_frame, 1);
	kafka_int32(&kafka_frame, 1 << 20);
	kafka_int8(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 0); /* session */
	kafka_int32(&kafka_frame, -1);
	count_topics(count);
	for (size_t i = 0; i < count; i++) {
		kafka_bytes(&kafka_frame, ids[i], 16);
		count_topics(1); /* partitions */
		kafka_int32(&kafka_frame, 0);
		kafka_int32(&kafka_frame, -1);
		kafka_int64(&kafka_frame, 0);
		kafka_int32(&kafka_frame, -1);
		kafka_int64(&kafka_frame, -1);
		kafka_int32(&kafka_frame, 1 << 20);
		kafka_int8(&kafka_frame, 0);
		kafka_int8(&kafka_frame, 0);
	}
	count_topics(0); /* forgotten */
	kafka_compact(&kafka_frame, "");
	if (version < 15) {
		kafka_int8(&kafka_frame, 0);
	} else {
		kafka_int8(&kafka_frame, 1);
		kafka_int8(&kafka_frame, 1); /* ReplicaState */
		kafka_int8(&kafka_frame, 13);
		kafka_int32(&kafka_frame, replica);
		kafka_int64(&kafka_frame, -1);
		kafka_int8(&kafka_frame, 0);
	}
	kafka_end(&kafka_frame);
}

/* A broker tells that this id is of "orders". */
static void
tell_id(void)
{
	kafka_request(&kafka_frame, METADATA, 10, 3, "web-1", true);
	count_topics(0);
	kafka_fill(&kafka_frame, 0, 3);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, 3, true);
	kafka_int32(&kafka_frame, 0);
	count_topics(0); /* brokers */
	kafka_compact(&kafka_frame, "c");
	kafka_int32(&kafka_frame, 0);
	count_topics(1);
	kafka_int16(&kafka_frame, 0);
	kafka_compact(&kafka_frame, "orders");
	kafka_bytes(&kafka_frame, orders_id, 16);
	kafka_int8(&kafka_frame, 0);
	count_topics(0); /* partitions */
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(topic_ids), 1);
}

/* Metadata of version 1 of those topics, NULL at the end. */
static void
metadata(const char *client, const char *const topics[])
{
	size_t count = 0;

	while (topics[count] != NULL)
		count++;
	kafka_request(&kafka_frame, METADATA, 1, 1, client, false);
	kafka_int32(&kafka_frame, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		kafka_string(&kafka_frame, topics[i]);
	kafka_end(&kafka_frame);
}

START_TEST(what_a_request_is_can_be_asked_for)
{
	static const char *const hold[] = {"api=Produce", "version=3",
	    "client_id=web-1", "client_id=web*", "topic=orders", "topic=*",
	    "acks=1", "acks=0,1", "frame_size=700-",
	    "api=Produce topic=ord* client_id=web-1 acks=1",
	    "listener=payments/public broker=0 port=front topic=orders",
	    "cluster=payments dst_port=9100 topic=orders"};
	static const char *const fail[] = {"api=Fetch", "version=4",
	    "client_id=web-11", "topic=order", "topic=a,b", "acks=all",
	    "frame_size=-699", "principal=*", "group=*", "from=broker",
	    "listener=payments/legacy topic=orders"};
	uint32_t id = RULE;

	for (size_t i = 0; i < sizeof(hold) / sizeof(hold[0]); i++)
		observe(id++, hold[i]);
	for (size_t i = 0; i < sizeof(fail) / sizeof(fail[0]); i++)
		observe(id++, fail[i]);
	publish();
	kafka_produce_request(1, 1, RECORDS);
	kafka_ask();
	for (id = RULE; id < RULE + sizeof(hold) / sizeof(hold[0]); id++)
		requests_are(id, 1, kafka_frame.len);
	for (size_t i = 0; i < sizeof(fail) / sizeof(fail[0]); i++)
		requests_are(id++, 0, 0);
}
END_TEST

START_TEST(however_it_is_cut_it_is_counted_the_same)
{
	static const char *const topics[] = {"a", "orders", "pay.1", "b", NULL};
	static struct kafka_frame frame;
	size_t cut;

	observe(RULE, "topic=orders client_id=web-1");
	observe(OTHER, "topic=pay*");
	observe(THIRD, "api=Metadata");
	observe(FOURTH, "topic=pay");
	publish();
	metadata("web-1", topics);
	frame = kafka_frame;
	for (cut = 1; cut < frame.len; cut++) {
		kafka_send(LP_TO_BROKER, frame.bytes, cut);
		/* Not before all of it is here. */
		requests_are(THIRD, cut - 1, (cut - 1) * frame.len);
		kafka_send(LP_TO_BROKER, frame.bytes + cut, frame.len - cut);
		requests_are(RULE, cut, cut * frame.len);
		requests_are(OTHER, cut, cut * frame.len);
		requests_are(THIRD, cut, cut * frame.len);
		requests_are(FOURTH, 0, 0);
	}
	/* Byte by byte. */
	for (size_t i = 0; i < frame.len; i++)
		kafka_send(LP_TO_BROKER, frame.bytes + i, 1);
	requests_are(RULE, cut, cut * frame.len);
	requests_are(OTHER, cut, cut * frame.len);
	requests_are(THIRD, cut, cut * frame.len);
}
END_TEST

START_TEST(each_topic_is_judged_by_the_rule_that_is_its)
{
	static const char *const topics[] = {"orders", "pay", NULL};
	static const char *const none[] = {NULL};

	for (uint32_t id = PAYMENTS_PUBLIC; id < LEGACY + 10; id++) {
		const struct lp_object *found =
		    lp_config_find(&plane.config, LP_OBJECT_LISTENER, id);
		struct lp_object listener;

		if (found == NULL)
			continue;
		listener = *found;
		listener.listener.unjudged = LP_UNJUDGED_PASS;
		put(&plane.config, listener);
	}
	rule_put(RULE, 30, "topic=orders", "allow", false);
	rule_put(OTHER, 20, "api=Metadata", "deny", true);
	rule_put(THIRD, 10, "topic=*", "reset", true);
	publish();
	metadata("web-1", topics);
	kafka_ask();
	requests_are(RULE, 1, kafka_frame.len);
	requests_are(OTHER, 1, kafka_frame.len);
	requests_are(THIRD, 1, kafka_frame.len);
	metadata("web-1", topics + 2);
	kafka_ask();
	rule_counts(RULE, 0, 0, 1);
	metadata("web-1", none);
	kafka_ask();
	rule_counts(RULE, 0, 0, 1);
	rule_counts(THIRD, 0, 0, 1);
}
END_TEST

START_TEST(a_topic_is_known_by_its_id)
{
	const uint8_t *const both[] = {nobody_id, orders_id};

	tell_id();
	observe(RULE, "topic=orders");
	observe(OTHER, "topic=*");
	observe(THIRD, "api=Fetch");
	publish();
	fetch_by_id(13, -1, both, 2);
	kafka_ask();
	requests_are(RULE, 1, kafka_frame.len);
	requests_are(OTHER, 1, kafka_frame.len);
	requests_are(THIRD, 1, kafka_frame.len);
	ck_assert_uint_eq(KAFKA_COUNTER(rules_topics_unknown), 1);
	fetch_by_id(13, -1, both, 1);
	kafka_ask();
	rule_counts(OTHER, 0, 0, 1);
	rule_counts(THIRD, 0, 0, 2);
}
END_TEST

START_TEST(a_client_id_that_is_null_is_no_text)
{
	static const char *const topics[] = {"orders", NULL};

	observe(RULE, "client_id=*");
	observe(OTHER, "topic=orders");
	publish();
	metadata(NULL, topics);
	kafka_ask();
	rule_counts(RULE, 0, 0, 0);
	rule_counts(OTHER, 0, 0, 1);
	metadata("", topics);
	kafka_ask();
	rule_counts(RULE, 0, 0, 1);
}
END_TEST

START_TEST(the_principal_is_known_when_its_token_is_answered)
{
	static const char *const topics[] = {"orders", NULL};
	observe(RULE, "principal=alice");
	observe(OTHER, "api=Metadata,SaslHandshake,SaslAuthenticate");
	publish();
	kafka_log_in();
	rule_counts(RULE, 0, 0, 0);
	rule_counts(OTHER, 0, 0, 2);
	metadata("web-1", topics);
	kafka_ask();
	rule_counts(RULE, 0, 0, 1);
	rule_counts(OTHER, 0, 0, 3);
}
END_TEST

START_TEST(groups_are_judged_each_and_with_their_topics)
{
	observe(RULE, "group=second");
	observe(OTHER, "group=first topic=orders");
	observe(THIRD, "group=second topic=orders");
	publish();
	kafka_request(&kafka_frame, DESCRIBE_GROUPS, 0, 1, "web-1", false);
	kafka_int32(&kafka_frame, 3);
	kafka_string(&kafka_frame, "first");
	kafka_string(&kafka_frame, "second");
	kafka_string(&kafka_frame, "third");
	kafka_end(&kafka_frame);
	kafka_ask();
	rule_counts(RULE, 0, 0, 1);
	rule_counts(OTHER, 0, 0, 0);
	/* Two groups, the second without a topic. */
	kafka_request(&kafka_frame, OFFSET_FETCH, 8, 2, "web-1", true);
	count_topics(2);
	kafka_compact(&kafka_frame, "first");
	count_topics(1);
	kafka_compact(&kafka_frame, "orders");
	count_topics(1);
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_compact(&kafka_frame, "second");
	kafka_int8(&kafka_frame, 0); /* null: all topics */
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_ask();
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	rule_counts(RULE, 0, 0, 2);
	rule_counts(OTHER, 0, 0, 1);
	rule_counts(THIRD, 0, 0, 0);
}
END_TEST

START_TEST(a_topic_as_a_resource_is_a_topic)
{
	observe(RULE, "topic=orders");
	observe(OTHER, "topic=1");
	publish();
	kafka_request(&kafka_frame, DESCRIBE_CONFIGS, 0, 1, "web-1", false);
	kafka_int32(&kafka_frame, 2);
	kafka_int8(&kafka_frame, 4); /* a broker */
	kafka_string(&kafka_frame, "1");
	kafka_int32(&kafka_frame, -1);
	kafka_int8(&kafka_frame, 2);
	kafka_string(&kafka_frame, "orders");
	kafka_int32(&kafka_frame, -1);
	kafka_end(&kafka_frame);
	kafka_ask();
	rule_counts(RULE, 0, 0, 1);
	rule_counts(OTHER, 0, 0, 0);
}
END_TEST

START_TEST(a_transactional_id_is_read)
{
	observe(RULE, "transactional_id=tx-1");
	publish();
	kafka_request(&kafka_frame, INIT_PRODUCER_ID, 0, 1, "web-1", false);
	kafka_string(&kafka_frame, "tx-1");
	kafka_int32(&kafka_frame, 1000);
	kafka_end(&kafka_frame);
	kafka_ask();
	rule_counts(RULE, 0, 0, 1);
}
END_TEST

/* Of a request that nobody can read it is known who asks for what. */
START_TEST(an_unknown_version_is_judged_by_its_head)
{
	observe(RULE, "api=Metadata client_id=web-1");
	observe(OTHER, "topic=*");
	publish();
	kafka_greet(1);
	kafka_request(&kafka_frame, METADATA, 200, 2, "web-1", true);
	kafka_fill(&kafka_frame, 'x', 100);
	kafka_end(&kafka_frame);
	kafka_ask();
	requests_are(RULE, 1, kafka_frame.len);
	rule_counts(OTHER, 0, 0, 0);
}
END_TEST

/* Whoever says that he is one. */
START_TEST(a_broker_has_the_address_of_one)
{
	const uint8_t *const ids[] = {orders_id};

	tell_id();
	observe(RULE, "api=Fetch from=broker");
	observe(OTHER, "api=Fetch");
	observe(THIRD, "topic=orders from=broker");
	observe(FOURTH, "topic=orders");
	publish();
	kafka_fetch_request(1, 500, 2);
	kafka_ask();
	fetch_by_id(15, 2, ids, 1);
	kafka_ask();
	rule_counts(RULE, 0, 0, 0);
	rule_counts(OTHER, 0, 0, 2);
	rule_counts(THIRD, 0, 0, 0);
	rule_counts(FOURTH, 0, 0, 2);
	put(&plane.config,
	    make_broker(PAYMENTS_1, PAYMENTS, 1, "10.9.0.50:9092"));
	publish();
	kafka_fetch_request(2, 500, 2);
	kafka_ask();
	fetch_by_id(15, 2, ids, 1);
	kafka_ask();
	rule_counts(RULE, 0, 0, 2);
	rule_counts(THIRD, 0, 0, 2);
	rule_counts(OTHER, 0, 0, 2);
	/* And one that is a client, at that address. */
	fetch_by_id(15, -1, ids, 1);
	kafka_ask();
	kafka_fetch_request(3, 500, -1);
	kafka_ask();
	rule_counts(RULE, 0, 0, 2);
	rule_counts(THIRD, 0, 0, 2);
	rule_counts(OTHER, 0, 0, 4);
	rule_counts(FOURTH, 0, 0, 4);
}
END_TEST

START_TEST(rules_that_change_in_the_middle_of_a_request)
{
	static const char *const topics[] = {"orders", "pay", NULL};
	struct kafka_frame frame;

	observe(RULE, "topic=orders");
	observe(OTHER, "topic=pay");
	publish();
	metadata("web-1", topics);
	frame = kafka_frame;
	kafka_send(LP_TO_BROKER, frame.bytes, frame.len - 3);
	/* Its slot is another's when the request ends. */
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	publish();
	observe(THIRD, "topic=other");
	publish();
	kafka_send(LP_TO_BROKER, frame.bytes + frame.len - 3, 3);
	rule_counts(OTHER, 0, 0, 1);
	rule_counts(THIRD, 0, 0, 0);
}
END_TEST

START_TEST(a_request_that_began_without_rules_is_not_judged)
{
	static const char *const topics[] = {"orders", "pay", NULL};
	struct kafka_frame frame;

	metadata("web-1", topics);
	frame = kafka_frame;
	kafka_send(LP_TO_BROKER, frame.bytes, 20);
	observe(RULE, "api=Metadata");
	publish();
	kafka_send(LP_TO_BROKER, frame.bytes + 20, frame.len - 20);
	rule_counts(RULE, 0, 0, 0);
	kafka_ask();
	rule_counts(RULE, 0, 0, 1);
	/* And none that ends without them. */
	kafka_send(LP_TO_BROKER, frame.bytes, 20);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	publish();
	kafka_send(LP_TO_BROKER, frame.bytes + 20, frame.len - 20);
}
END_TEST

START_TEST(of_one_request_so_many_rules_are_counted)
{
	const char *topics[LP_JUDGED_MAX + 2] = {NULL};
	char names[LP_JUDGED_MAX + 1][16], match[40];

	for (unsigned i = 0; i <= LP_JUDGED_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "topic-%u", i);
		snprintf(match, sizeof(match), "topic=topic-%u", i);
		topics[i] = names[i];
		observe(RULE + i, match);
	}
	publish();
	metadata("web-1", topics + 1);
	kafka_ask();
	ck_assert_uint_eq(KAFKA_COUNTER(rules_uncounted), 0);
	metadata("web-1", topics);
	kafka_ask();
	ck_assert_uint_eq(KAFKA_COUNTER(rules_uncounted), 1);
	rule_counts(RULE, 0, 0, 1);
	rule_counts(RULE + 1, 0, 0, 2);
	rule_counts(RULE + LP_JUDGED_MAX, 0, 0, 1);
}
END_TEST

START_TEST(rules_of_connections_count_no_requests)
{
	observe(RULE, "src=10.9.0.50");
	observe(OTHER, "api=Produce");
	publish();
	kafka_produce_request(1, 1, RECORDS);
	kafka_ask();
	rule_counts(RULE, 0, 0, 0);
	rule_counts(OTHER, 0, 0, 1);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, what_a_request_is_can_be_asked_for);
	tcase_add_test(tests, however_it_is_cut_it_is_counted_the_same);
	tcase_add_test(tests, each_topic_is_judged_by_the_rule_that_is_its);
	tcase_add_test(tests, a_topic_is_known_by_its_id);
	tcase_add_test(tests, a_client_id_that_is_null_is_no_text);
	tcase_add_test(
	    tests, the_principal_is_known_when_its_token_is_answered);
	tcase_add_test(tests, groups_are_judged_each_and_with_their_topics);
	tcase_add_test(tests, a_topic_as_a_resource_is_a_topic);
	tcase_add_test(tests, a_transactional_id_is_read);
	tcase_add_test(tests, an_unknown_version_is_judged_by_its_head);
	tcase_add_test(tests, a_broker_has_the_address_of_one);
	tcase_add_test(tests, rules_that_change_in_the_middle_of_a_request);
	tcase_add_test(tests, a_request_that_began_without_rules_is_not_judged);
	tcase_add_test(tests, of_one_request_so_many_rules_are_counted);
	tcase_add_test(tests, rules_of_connections_count_no_requests);
}

int
main(void)
{
	return plane_main("judge", add);
}
