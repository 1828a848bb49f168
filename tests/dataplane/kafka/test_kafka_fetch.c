/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetch sessions (KIP-227): a consumer names its topics once; later requests
 * name what is new, most of them nothing, and the responses name the topics
 * that have records.  By names (version 11) and by ids (version 13).
 */
#include <check.h>
#include <stdio.h>

#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

enum {
	NAMES = 11,
	IDS = 13,
	NO_EPOCH = -1,
	SESSION = 77,
	METADATA_VERSION = 12,
	ID_LEN = 16,
	ID_BYTE = 0xa5,
};

static const int versions[] = {NAMES, IDS};
enum { VERSIONS_COUNT = sizeof(versions) / sizeof(versions[0]) };

static void
put_topic(int version)
{
	if (version == NAMES)
		kafka_string(&kafka_frame, "orders");
	else
		kafka_fill(&kafka_frame, ID_BYTE, ID_LEN);
}

/* So many elements of an array follow. */
static void
put_count(int version, int count)
{
	if (version == NAMES)
		kafka_int32(&kafka_frame, count);
	else
		kafka_int8(&kafka_frame, count + 1);
}

static void
put_tags(int version)
{
	if (version == IDS)
		kafka_int8(&kafka_frame, 0);
}

/* Of one topic with one partition, or of none. */
static void
ask(int32_t id, int version, int32_t session, int32_t epoch, int topics)
{
	kafka_request(
	    &kafka_frame, FETCH, (int16_t)version, id, "web-1", version == IDS);
	kafka_int32(&kafka_frame, -1); /* replica */
	kafka_int32(&kafka_frame, 500);
	kafka_int32(&kafka_frame, 1);
	kafka_int32(&kafka_frame, 1 << 20);
	kafka_int8(&kafka_frame, 0);
	kafka_int32(&kafka_frame, session);
	kafka_int32(&kafka_frame, epoch);
	put_count(version, topics);
	if (topics > 0) {
		put_topic(version);
		put_count(version, 1);
		kafka_int32(&kafka_frame, 0); /* partition */
		kafka_int32(&kafka_frame, -1); /* leader's epoch */
		kafka_int64(&kafka_frame, 0);
		if (version == IDS)
			kafka_int32(&kafka_frame, -1); /* last epoch */
		kafka_int64(&kafka_frame, 0); /* the log's start */
		kafka_int32(&kafka_frame, 1 << 20);
		put_tags(version);
		put_tags(version);
	}
	put_count(version, 0); /* forgotten topics */
	if (version == NAMES)
		kafka_string(&kafka_frame, "");
	else
		kafka_compact(&kafka_frame, "");
	put_tags(version);
	kafka_end(&kafka_frame);
	kafka_ask();
}

/* records 0: names no topic. */
static void
answer(int32_t id, int version, int32_t session, int16_t error, size_t records)
{
	kafka_response(&kafka_frame, id, version == IDS);
	kafka_int32(&kafka_frame, 0); /* throttled */
	kafka_int16(&kafka_frame, error);
	kafka_int32(&kafka_frame, session);
	put_count(version, records > 0);
	if (records > 0) {
		put_topic(version);
		put_count(version, 1);
		kafka_int32(&kafka_frame, 0); /* partition */
		kafka_int16(&kafka_frame, 0);
		kafka_int64(&kafka_frame, 100);
		kafka_int64(&kafka_frame, 100);
		kafka_int64(&kafka_frame, 0);
		put_count(version, -1); /* aborted transactions: null */
		kafka_int32(&kafka_frame, -1); /* replica to be preferred */
		put_count(version, (int)records);
		kafka_fill(&kafka_frame, 'r', records);
		put_tags(version);
		put_tags(version);
	}
	put_tags(version);
	kafka_end(&kafka_frame);
	kafka_answer();
}

/* What a client asks for before it can fetch by id. */
static void
learn_id(int32_t id)
{
	kafka_request(
	    &kafka_frame, METADATA, METADATA_VERSION, id, "web-1", true);
	kafka_int8(&kafka_frame, 0); /* all topics */
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, id, true);
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 1); /* no brokers */
	kafka_int8(&kafka_frame, 0); /* no cluster id */
	kafka_int32(&kafka_frame, 1); /* controller */
	kafka_int8(&kafka_frame, 2); /* one topic */
	kafka_int16(&kafka_frame, 0);
	kafka_compact(&kafka_frame, "orders");
	kafka_fill(&kafka_frame, ID_BYTE, ID_LEN);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 1); /* no partitions */
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(topic_ids), 1);
}

static void
ck_sessions(uint64_t full, uint64_t incremental, uint64_t made, uint64_t errors)
{
	ck_assert_uint_eq(KAFKA_COUNTER(fetches_full), full);
	ck_assert_uint_eq(KAFKA_COUNTER(fetches_incremental), incremental);
	ck_assert_uint_eq(KAFKA_COUNTER(fetch_sessions), made);
	ck_assert_uint_eq(KAFKA_COUNTER(fetch_session_errors), errors);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_ensure_at_rest();
}

static uint64_t
fetched(enum lp_kafka_topic_count count)
{
	const struct lp_talker *orders =
	    kafka_talker(&kafka_stats()->topics, "orders");

	ck_assert_ptr_nonnull(orders);
	return lp_count_get(&orders->counts[count]);
}

/* Its request names nothing: the response says whose the records are. */
START_TEST(records_of_a_session_are_their_topics)
{
	int version = versions[_i];

	learn_id(1);
	ask(2, version, 0, 0, 1);
	answer(2, version, SESSION, 0, 100);
	ck_assert_uint_eq(fetched(LP_KAFKA_TOPIC_fetch_bytes), 100);
	ask(3, version, SESSION, 1, 0);
	answer(3, version, SESSION, 0, 120);
	ask(4, version, SESSION, 2, 0);
	answer(4, version, SESSION, 0, 0);
	ask(5, version, SESSION, 3, 0);
	answer(5, version, SESSION, 0, 3);
	ck_assert_uint_eq(fetched(LP_KAFKA_TOPIC_fetch_bytes), 223);
	ck_assert_uint_eq(fetched(LP_KAFKA_TOPIC_fetch_responses), 3);
	ck_assert_uint_eq(
	    lp_count_get(&kafka_stats()
			      ->topics.places[LP_TALKER_OTHER]
			      .counts[LP_KAFKA_TOPIC_fetch_bytes]),
	    0);
	ck_sessions(1, 3, 1, 0);
}
END_TEST

/* Whoever wants none, or gets none, has none. */
START_TEST(only_sessions_that_are_made_are_counted)
{
	int version = versions[_i];

	/* Of before there were sessions. */
	kafka_fetch_request(1, 500, -1);
	kafka_ask();
	kafka_fetch_response(1, 10);
	kafka_answer();
	ck_sessions(1, 0, 0, 0);
	ask(2, version, 0, NO_EPOCH, 1);
	answer(2, version, 0, 0, 10);
	ck_sessions(2, 0, 0, 0);
	/* The broker has no place for another. */
	ask(3, version, 0, 0, 1);
	answer(3, version, 0, 0, 10);
	ck_sessions(3, 0, 0, 0);
	/* One in the place of another, which is then closed. */
	ask(4, version, 0, 0, 1);
	answer(4, version, SESSION, 0, 10);
	ask(5, version, SESSION, 0, 1);
	answer(5, version, SESSION + 1, 0, 10);
	ck_sessions(5, 0, 2, 0);
	ask(6, version, SESSION + 1, NO_EPOCH, 0);
	answer(6, version, 0, 0, 0);
	ck_sessions(6, 0, 2, 0);
}
END_TEST

/* And only those errors are of the session. */
START_TEST(a_session_that_is_refused_is_counted)
{
	static const struct {
		int16_t code;
		uint64_t errors;
	} steps[] = {{70, 1}, {71, 2}, {6, 2}, {106, 3}, {0, 3}};
	const struct lp_kafka_row *found;
	int version = versions[_i];
	int32_t id = 1;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++, id++) {
		ask(id, version, SESSION, id, 0);
		answer(id, version, 0, steps[i].code, 0);
		ck_sessions(0, (uint64_t)id, 0, steps[i].errors);
	}
	found = kafka_row(FETCH, LP_KAFKA_FETCH_DATA);
	ck_assert_uint_eq(
	    lp_count_get(&found->errors[lp_kafka_error_place(70)]), 1);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_add_loop_test(
	    tests, records_of_a_session_are_their_topics, 0, VERSIONS_COUNT);
	tcase_add_loop_test(
	    tests, only_sessions_that_are_made_are_counted, 0, VERSIONS_COUNT);
	tcase_add_loop_test(
	    tests, a_session_that_is_refused_is_counted, 0, VERSIONS_COUNT);
}

int
main(void)
{
	return plane_main("kafka_fetch", add);
}
