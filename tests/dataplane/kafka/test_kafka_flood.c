/* SPDX-License-Identifier: Apache-2.0 */
/* The Kafka stage and too much of everything: limits, and what they count. */
#include "dataplane/kafka/kafka.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/kafka_check.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"

enum {
	TOPICS = 150000, /* more than the ids that are kept */
	CLIENTS = 1000, /* a second */
	SECONDS = 60,
	LOUD = 5, /* clients that ask 20 times a second */
	SEGMENT = 1400,
	POOL = CONNECTIONS / 2, /* frames half read */
};

static_assert((unsigned)TOPICS > (unsigned)LP_TOPIC_IDS_MAX, "too few");

static void
frame_is(size_t size)
{
	struct kafka_frame head = {.len = 0};

	kafka_int32(&head, (int64_t)size);
	memcpy(kafka_frame.bytes, head.bytes, head.len);
}

/* A topic of a Metadata response of version 10: name, id, no partitions. */
static void
topic(unsigned n)
{
	char name[16];

	snprintf(name, sizeof(name), "topic-%06u", n);
	kafka_frame.len = 0;
	kafka_int16(&kafka_frame, 0);
	kafka_compact(&kafka_frame, name);
	kafka_int64(&kafka_frame, 0x1122334455667788);
	kafka_int64(&kafka_frame, n);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 1); /* no partitions */
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
}

static void
metadata_request(int32_t id)
{
	kafka_request(&kafka_frame, METADATA, 10, id, "web-1", true);
	kafka_int8(&kafka_frame, 0); /* all topics */
	kafka_fill(&kafka_frame, 0, 4);
	kafka_end(&kafka_frame);
}

START_TEST(more_topics_than_ids_are_kept_replace_others)
{
	uint32_t left;

	metadata_request(1);
	kafka_ask();
	topic(0);
	left = (uint32_t)kafka_frame.len * TOPICS;
	kafka_response(&kafka_frame, 1, true);
	kafka_int32(&kafka_frame, 0); /* throttle time */
	kafka_int8(&kafka_frame, 1); /* no brokers */
	kafka_int8(&kafka_frame, 1); /* the cluster's id is empty */
	kafka_int32(&kafka_frame, 0); /* controller */
	/* The varint of their number, and one more. */
	kafka_int8(&kafka_frame, ((TOPICS + 1) & 0x7f) | 0x80);
	kafka_int8(&kafka_frame, ((TOPICS + 1) >> 7 & 0x7f) | 0x80);
	kafka_int8(&kafka_frame, (TOPICS + 1) >> 14);
	frame_is(kafka_frame.len - 4 + left + 4 + 1);
	kafka_answer();
	for (unsigned i = 0; i < TOPICS; i++) {
		topic(i);
		kafka_answer();
		if (i % 100 == 0)
			kafka_acknowledge(LP_TO_BROKER);
	}
	kafka_frame.len = 0;
	kafka_fill(&kafka_frame, 0, 5);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(responses), 1);
	ck_assert_uint_eq(KAFKA_COUNTER(topic_ids), LP_TOPIC_IDS_MAX);
	ck_assert_uint_eq(
	    KAFKA_COUNTER(topic_ids_replaced), TOPICS - LP_TOPIC_IDS_MAX);
	/* To be listed is no talk. */
	ck_assert_uint_eq(KAFKA_COUNTER(topics), 0);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	kafka_ensure_at_rest();
}
END_TEST

static void
ask_as(const char *client, int32_t id)
{
	kafka_request(&kafka_frame, VERSIONS, 0, id, client, false);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, id, false);
	kafka_int16(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_answer();
}

START_TEST(who_talks_most_is_kept_in_a_flood_of_names)
{
	const struct lp_talker_list *clients = &kafka_stats()->clients;
	/* Less would not do: a newcomer has to prove itself. */
	const unsigned seconds = RANDOM_SLOWER > 1 ? SECONDS / 3 : SECONDS;
	uint64_t sum = 0, loud = 0;
	char name[32];
	int32_t id = 0;

	for (unsigned second = 0; second < seconds; second++) {
		for (unsigned i = 0; i < CLIENTS; i++) {
			snprintf(name, sizeof(name), "once-%u-%u", second, i);
			ask_as(name, id++);
			/* They come when all places are taken. */
			if (second < seconds / 2 || i % (CLIENTS / 20) != 0)
				continue;
			for (unsigned j = 0; j < LOUD; j++) {
				snprintf(name, sizeof(name), "loud-%u", j);
				ask_as(name, id++);
			}
		}
		plane_wait_ms(1000);
		plane_forget();
		kafka_check_counters();
	}
	for (uint64_t i = 0; i < lp_count_get(&clients->places_used); i++)
		sum += lp_count_get(
		    &clients->places[i].counts[LP_KAFKA_CLIENT_requests]);
	ck_assert_uint_eq(sum, KAFKA_COUNTER(requests));
	ck_assert_uint_eq(sum, (uint64_t)id);
	ck_assert_uint_le(KAFKA_COUNTER(clients), LP_KAFKA_TALKERS_MAX);
	for (unsigned j = 0; j < LOUD; j++) {
		snprintf(name, sizeof(name), "loud-%u", j);
		ck_assert_ptr_nonnull(kafka_talker(clients, name));
		loud += lp_count_get(&kafka_talker(clients, name)
					  ->counts[LP_KAFKA_CLIENT_requests]);
	}
	/* What they said before each had a place is with the others. */
	ck_assert_uint_gt(loud, seconds / 2 * 20 * LOUD / 2);
	kafka_check_pools();
	kafka_ensure_at_rest();
}
END_TEST

/* Client ids that are null, empty, and longer than any name is kept. */
START_TEST(all_client_ids_are_somebody)
{
	char longest[2000];
	const struct lp_talker_list *clients = &kafka_stats()->clients;
	uint64_t requests = 0;

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ask_as(NULL, 1);
	ask_as("", 2);
	ask_as(longest, 3);
	longest[LP_TALKER_NAME_MAX + 1] = '\0';
	ask_as(longest, 4);
	for (uint64_t i = 1; i < lp_count_get(&clients->places_used); i++) {
		const struct lp_talker *talker = &clients->places[i];

		ck_assert_uint_le(talker->name_len, LP_TALKER_NAME_MAX);
		requests +=
		    lp_count_get(&talker->counts[LP_KAFKA_CLIENT_requests]);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(clients), 3);
	ck_assert_uint_eq(requests, 4);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
}
END_TEST

/* So many bytes of a frame go by, in segments of the records. */
static void
pass(enum lp_direction dir, uint64_t bytes)
{
	static uint8_t zeroes[SEGMENT];

	while (bytes > 0) {
		size_t len = bytes < SEGMENT ? bytes : SEGMENT;

		kafka_send(dir, zeroes, len);
		kafka_acknowledge(!dir);
		bytes -= len;
	}
}

/* The largest size that there is; all but its start never comes. */
START_TEST(the_largest_frame_is_waited_for)
{
	kafka_greet(1);
	kafka_produce_request(2, 1, 100);
	frame_is(INT32_MAX);
	kafka_ask();
	pass(LP_TO_BROKER, 100000);
	/* It lies in the largest: nobody reads it. */
	kafka_versions_request(3);
	kafka_ask();
	ck_assert_uint_eq(KAFKA_COUNTER(requests), 1);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	kafka_acknowledge(LP_TO_CLIENT);
	kafka_reset(LP_TO_BROKER);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	kafka_ensure_at_rest();
}
END_TEST

/*
 * Frames of 2 GB, one behind the other: positions wrap around and around.
 * Without 2 GB: the segments between are told, as if they had gone by.
 */
START_TEST(a_stream_is_longer_than_its_numbers)
{
	enum { FRAMES = 7 };

	kafka_greet(1);
	for (int32_t id = 2; id < 2 + FRAMES; id++) {
		struct lp_kafka_conn *conn = &plane.region.kafka.conns[0];
		struct lp_conn *tcp = plane_connection(0);
		uint32_t far;

		kafka_fetch_request(id, 500, -1);
		kafka_ask();
		kafka_fetch_response(id, 100);
		frame_is(INT32_MAX);
		/* The size of the records, likewise. */
		memcpy(kafka_frame.bytes + kafka_frame.len - 104,
		    (uint8_t[4]){0x7f, 0xff, 0xff, 0xc0}, 4);
		kafka_answer();
		kafka_acknowledge(LP_TO_BROKER);
		ck_assert_uint_gt(
		    lp_stream_skip_left(&conn->sides[LP_TO_CLIENT].stream), 0);
		/* All but the last of them. */
		far = INT32_MAX - (uint32_t)kafka_frame.len - 1000;
		for (uint32_t step = 0; step < far; step += 1 << 24) {
			uint32_t more =
			    far - step < 1 << 24 ? far - step : 1 << 24;
			const struct lp_stream_segment gone = {
			    .seq = kafka_talk.next[LP_TO_CLIENT], .len = more};

			ck_assert_uint_eq(
			    lp_stream_offer(
				&conn->sides[LP_TO_CLIENT].stream, NULL, &gone),
			    LP_STREAM_NOTHING);
			kafka_talk.next[LP_TO_CLIENT] += more;
		}
		tcp->tcp.peer[LP_TO_CLIENT].end += far;
		tcp->tcp.peer[LP_TO_CLIENT].limit += far;
		tcp->tcp.peer[LP_TO_BROKER].ack += far;
		pass(LP_TO_CLIENT, 1000 + 4);
		ck_assert_uint_eq(KAFKA_COUNTER(responses), (uint64_t)id);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_greet(50);
	ck_assert_uint_eq(KAFKA_COUNTER(responses), 2 + FRAMES);
	kafka_ensure_at_rest();
}
END_TEST

/* No varint of Kafka has more than five bytes of a number. */
START_TEST(a_varint_too_long_spoils_its_frame_only)
{
	kafka_request(&kafka_frame, VERSIONS, 3, 1, "web-1", true);
	kafka_fill(&kafka_frame, 0xff, 12);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_versions_response(1);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 1);
	kafka_greet(2);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(responses), 2);
	kafka_ensure_at_rest();
}
END_TEST

/* All with the same number: in order they are what they are. */
START_TEST(the_same_correlation_id_again_and_again)
{
	for (unsigned i = 0; i < 20; i++) {
		kafka_versions_request(7);
		kafka_ask();
	}
	for (unsigned i = 0; i < 20; i++) {
		kafka_versions_response(7);
		kafka_answer();
	}
	ck_assert_uint_eq(KAFKA_COUNTER(responses), 20);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_ensure_at_rest();
}
END_TEST

/* More connections than frames half read: the rest are passed over. */
START_TEST(frames_without_a_place_are_passed_over)
{
	struct kafka_talk talks[POOL + 1];

	for (uint16_t i = 0; i <= POOL; i++) {
		if (i > 0) {
			kafka_talk.more = i;
			kafka_connect();
		}
		kafka_greet(1);
		kafka_produce_request(2, 1, 300);
		kafka_send(LP_TO_BROKER, kafka_frame.bytes, 40);
		talks[i] = kafka_talk;
	}
	ck_assert_uint_eq(KAFKA_COUNTER(walks_full), 1);
	ck_assert_uint_eq(kafka_check_pools().messages, POOL);
	for (unsigned i = 0; i <= POOL; i++) {
		kafka_talk = talks[i];
		kafka_produce_request(2, 1, 300);
		kafka_send(
		    LP_TO_BROKER, kafka_frame.bytes + 40, kafka_frame.len - 40);
		kafka_produce_response(2, 0, 0);
		kafka_answer();
	}
	ck_assert_uint_eq(KAFKA_COUNTER(responses), 2 * (POOL + 1));
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	ck_assert_uint_eq(kafka_check_pools().messages, 0);
}
END_TEST

/* More is out of order than may be held; nobody sends it again. */
START_TEST(bytes_without_a_place_are_missed)
{
	enum { PIECES = LP_STREAM_HELD_MAX, STEP = 2 };

	kafka_greet(1);
	kafka_produce_request(2, 1, 300);
	for (unsigned i = 0; i <= PIECES; i++)
		kafka_send_at(LP_TO_BROKER, (int32_t)(STEP * (2 * i + 1)),
		    kafka_frame.bytes + STEP * (2 * i + 1), STEP);
	ck_assert_uint_eq(KAFKA_COUNTER(held_segments), PIECES);
	ck_assert_uint_eq(KAFKA_COUNTER(held_full), 1);
	ck_assert_uint_eq(kafka_check_pools().held, PIECES);
	/* What stood in front is read, up to the gap. */
	kafka_talk.next[LP_TO_BROKER] += STEP * (2 * PIECES + 2);
	kafka_acknowledge(LP_TO_CLIENT);
	ck_assert_uint_eq(KAFKA_COUNTER(bytes_missed), 1);
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	ck_assert_uint_eq(kafka_check_pools().held, 0);
	kafka_ensure_at_rest();
}
END_TEST

static void
setup(void)
{
	kafka_check_forget();
	kafka_setup();
}

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, more_topics_than_ids_are_kept_replace_others);
	tcase_add_test(tests, who_talks_most_is_kept_in_a_flood_of_names);
	tcase_add_test(tests, all_client_ids_are_somebody);
	tcase_add_test(tests, the_largest_frame_is_waited_for);
	tcase_add_test(tests, a_stream_is_longer_than_its_numbers);
	tcase_add_test(tests, a_varint_too_long_spoils_its_frame_only);
	tcase_add_test(tests, the_same_correlation_id_again_and_again);
	tcase_add_test(tests, frames_without_a_place_are_passed_over);
	tcase_add_test(tests, bytes_without_a_place_are_missed);
}

int
main(void)
{
	return plane_main("kafka_flood", add);
}
