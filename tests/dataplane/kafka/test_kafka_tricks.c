/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Kafka stage and clients that would have us believe something: who they
 * are, what a topic is called, that frames are lost.
 */
#include "dataplane/kafka/kafka.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

static const struct lp_kafka_conn *
conn(void)
{
	return &plane.region.kafka.conns[0];
}

static bool
is_named(const char *name)
{
	return (conn()->flags & LP_KAFKA_NAMED) &&
	    conn()->name_len == strlen(name) &&
	    memcmp(conn()->name, name, strlen(name)) == 0;
}

static void
handshake(int32_t id, int16_t version, const char *mechanism)
{
	kafka_request(&kafka_frame, HANDSHAKE, version, id, "web-1", false);
	kafka_string(&kafka_frame, mechanism);
	kafka_end(&kafka_frame);
	kafka_ask();
}

static void
handshake_answer(int32_t id, const char *mechanism)
{
	kafka_response(&kafka_frame, id, false);
	kafka_int16(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1);
	kafka_string(&kafka_frame, mechanism);
	kafka_end(&kafka_frame);
	kafka_answer();
}

static void
token(int32_t id, const char *bytes, size_t len)
{
	kafka_request(&kafka_frame, AUTHENTICATE, 0, id, "web-1", false);
	kafka_int32(&kafka_frame, (int64_t)len);
	kafka_bytes(&kafka_frame, bytes, len);
	kafka_end(&kafka_frame);
	kafka_ask();
}

static void
token_answer(int32_t id, int16_t error)
{
	kafka_response(&kafka_frame, id, false);
	kafka_int16(&kafka_frame, error);
	kafka_string(&kafka_frame, NULL);
	kafka_int32(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_answer();
}

START_TEST(the_principal_holds_once_the_broker_agrees)
{
	static const char wrong[] = "\0alice\0wrong";
	static const char right[] = "\0alice\0secret";

	handshake(1, 1, "PLAIN");
	handshake_answer(1, "PLAIN");
	token(2, wrong, sizeof(wrong) - 1);
	token_answer(2, 58);
	ck_assert(!(conn()->flags & LP_KAFKA_NAMED));
	handshake(3, 1, "PLAIN");
	handshake_answer(3, "PLAIN");
	token(4, right, sizeof(right) - 1);
	ck_assert(!(conn()->flags & LP_KAFKA_NAMED));
	token_answer(4, 0);
	ck_assert(is_named("alice"));
	ck_assert_uint_eq(KAFKA_COUNTER(sasl_handshakes), 2);
	ck_assert_uint_eq(KAFKA_COUNTER(sasl_failures), 1);
}
END_TEST

START_TEST(the_principal_of_scram_is_unescaped)
{
	static const char first[] = "n,,n=b=2Co=3Db,r=nonce";
	static const char last[] = "c=biws,r=nonce,p=proof";

	handshake(1, 1, "SCRAM-SHA-256");
	handshake_answer(1, "SCRAM-SHA-256");
	token(2, first, strlen(first));
	token_answer(2, 0);
	ck_assert(!(conn()->flags & LP_KAFKA_NAMED));
	token(3, last, strlen(last));
	token_answer(3, 0);
	ck_assert(is_named("b,o=b"));
}
END_TEST

/* Not in the connection, nor in the places that its frames have left. */
START_TEST(no_password_stays)
{
	static const char right[] = "\0alice\0secret";
	const struct lp_kafka_state *state = &plane.region.kafka;

	handshake(1, 1, "PLAIN");
	handshake_answer(1, "PLAIN");
	kafka_request(&kafka_frame, AUTHENTICATE, 0, 2, "web-1", false);
	kafka_int32(&kafka_frame, sizeof(right) - 1);
	kafka_bytes(&kafka_frame, right, sizeof(right) - 1);
	kafka_end(&kafka_frame);
	/* In two pieces, so that it has to be kept. */
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, kafka_frame.len - 1);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes + kafka_frame.len - 1, 1);
	token_answer(2, 0);
	ck_assert(is_named("alice"));
	ck_assert_ptr_null(memmem(state->conns,
	    state->conn_count * sizeof(*state->conns), "secre", 5));
	ck_assert_ptr_null(memmem(state->messages,
	    state->message_count * sizeof(*state->messages), "secre", 5));
}
END_TEST

/* The answer to one token proves no other. */
START_TEST(nobody_chooses_its_principal)
{
	for (int again = 0; again < 2; again++) {
		plane_close();
		kafka_setup();
		handshake(1, 1, "PLAIN");
		handshake_answer(1, "PLAIN");
		token(2, "\0mallory\0good", 13);
		if (again)
			handshake(5, 1, "PLAIN");
		token(3, "\0admin\0x", 8);
		token_answer(2, 0);
		ck_assert(!is_named("admin"));
		if (again)
			handshake_answer(5, "PLAIN");
		token_answer(3, 34); /* ILLEGAL_SASL_STATE */
		ck_assert(!is_named("admin"));
	}
}
END_TEST

START_TEST(who_is_known_stays_who_it_is)
{
	handshake(1, 1, "PLAIN");
	handshake_answer(1, "PLAIN");
	token(2, "\0mallory\0good", 13);
	token_answer(2, 0);
	token(3, "\0admin\0x", 8);
	ck_assert(is_named("mallory"));
	token_answer(3, 0);
	ck_assert(is_named("mallory"));
}
END_TEST

/* Only a broker says what the name of an id is. */
START_TEST(no_request_names_a_topic)
{
	kafka_request(&kafka_frame, METADATA, 12, 1, "evil", true);
	kafka_int8(&kafka_frame, 2);
	kafka_fill(&kafka_frame, 0x42, 16);
	kafka_compact(&kafka_frame, "harmless");
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_ask();
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(topic_ids), 0);
}
END_TEST

/* Rows stay: they must not be used up by keys that nobody has. */
START_TEST(unknown_keys_share_a_row)
{
	kafka_greet(1);
	for (int16_t key = 100; key < 1024; key++) {
		kafka_request(&kafka_frame, key, 0, key, "web-1", false);
		kafka_end(&kafka_frame);
		kafka_ask();
		kafka_response(&kafka_frame, key, false);
		kafka_end(&kafka_frame);
		kafka_answer();
	}
	ck_assert_uint_eq(KAFKA_COUNTER(rows), 2);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
}
END_TEST

/* The last token of GSSAPI is not answered. */
START_TEST(a_token_without_an_answer_loses_nothing)
{
	handshake(1, 0, "GSSAPI");
	handshake_answer(1, "GSSAPI");
	kafka_send(LP_TO_BROKER, "\0\0\0\x0a\x60\x82zzzzzzzz", 14);
	kafka_send(LP_TO_CLIENT,
	    "\0\0\0\x03"
	    "abc",
	    7);
	kafka_send(LP_TO_BROKER, "\0\0\0\x0a\x05\x04zzzzzzzz", 14);
	kafka_greet(2);
	kafka_greet(3);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_ensure_at_rest();
}
END_TEST

/* A request comes while the answer to a token is half read. */
START_TEST(a_token_half_answered_keeps_its_place)
{
	handshake(1, 0, "GSSAPI");
	handshake_answer(1, "GSSAPI");
	kafka_send(LP_TO_BROKER, "\0\0\0\x0a\x60\x82zzzzzzzz", 14);
	kafka_send(LP_TO_CLIENT, "\0\0\0\x06\x61", 5);
	kafka_versions_request(2);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes, 20);
	kafka_send(LP_TO_CLIENT, "\x62\x63\x64\x65\x66", 5);
	kafka_send(LP_TO_BROKER, kafka_frame.bytes + 20, kafka_frame.len - 20);
	kafka_versions_response(2);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_ensure_at_rest();
}
END_TEST

/* Whether a Produce waits is not known of a version that is not. */
START_TEST(a_produce_of_a_later_version_may_have_no_answer)
{
	kafka_greet(1);
	kafka_request(&kafka_frame, PRODUCE, 99, 2, "web-1", true);
	kafka_fill(&kafka_frame, 0, 10);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_greet(3);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_ensure_at_rest();
}
END_TEST

/* What a receiver drops tells us nothing. */
START_TEST(a_damaged_acknowledgement_is_not_believed)
{
	uint32_t was;

	kafka_greet(1);
	kafka_produce_request(2, 1, 100);
	kafka_send_at(
	    LP_TO_BROKER, 10, kafka_frame.bytes + 10, kafka_frame.len - 10);
	was = kafka_talk.next[LP_TO_BROKER];
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)kafka_frame.len;
	kafka_send_damaged(LP_TO_CLIENT, NULL, 0);
	kafka_talk.next[LP_TO_BROKER] = was;
	kafka_ask();
	kafka_produce_response(2, 0, 0);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(the_text_of_a_reset_is_not_read)
{
	char text[128];

	kafka_greet(1);
	snprintf(text, sizeof(text),
	    "tcp 10.9.0.50:40000 > 10.9.0.100:9100 R seq=%u len=20",
	    kafka_talk.next[LP_TO_BROKER]);
	plane_in(FRONT_SLOT, text);
	plane_forget();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_OFF);
	ck_assert_uint_eq(KAFKA_COUNTER(streams_lost), 0);
}
END_TEST

/* When places are short, who has many gets no more. */
START_TEST(one_connection_cannot_take_all_places)
{
	unsigned sent = 0;

	kafka_versions_request(0);
	while (KAFKA_COUNTER(inflight_full) == 0) {
		kafka_ask();
		ck_assert_uint_le(++sent, 2 * CONNECTIONS);
	}
	ck_assert_uint_lt(sent, 2 * CONNECTIONS - CONNECTIONS / 4);
	kafka_ensure_at_rest();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_add_test(tests, the_principal_holds_once_the_broker_agrees);
	tcase_add_test(tests, the_principal_of_scram_is_unescaped);
	tcase_add_test(tests, no_password_stays);
	tcase_add_test(tests, nobody_chooses_its_principal);
	tcase_add_test(tests, who_is_known_stays_who_it_is);
	tcase_add_test(tests, no_request_names_a_topic);
	tcase_add_test(tests, unknown_keys_share_a_row);
	tcase_add_test(tests, a_token_without_an_answer_loses_nothing);
	tcase_add_test(tests, a_token_half_answered_keeps_its_place);
	tcase_add_test(tests, a_produce_of_a_later_version_may_have_no_answer);
	tcase_add_test(tests, a_damaged_acknowledgement_is_not_believed);
	tcase_add_test(tests, the_text_of_a_reset_is_not_read);
	tcase_add_test(tests, one_connection_cannot_take_all_places);
}

int
main(void)
{
	return plane_main("kafka_tricks", add);
}
