/* SPDX-License-Identifier: Apache-2.0 */
/* What rules reset, what they let create nothing, and what they cannot judge.
 */
#include <check.h>
#include <string.h>

#include "dataplane/kafka/judge.h"
#include "dataplane/kafka/names.h"
#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	DELETE_RECORDS = 21,
	API_VERSIONS = 18,
	UNSUPPORTED_VERSION = 35,
	TOO_NEW = 99,
	NO_KEY = 5000, /* which no table has */
};

static void
deny(const char *match)
{
	rule_put(RULE, 10, match, "deny", false);
}

/* Version 4 of one topic, which it may create. */
static void
make_metadata(const char *topic, bool may)
{
	kafka_request(&edited_sent, METADATA, 4, 7, "web-1", false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, topic);
	edited_same();
	kafka_int8(&edited_sent, 1);
	kafka_int8(&edited_wanted, may);
	edited_end();
}

START_TEST(a_request_for_metadata_creates_nothing)
{
	rule_put(RULE, 10, "api=Metadata topic=auto*", "no_create", false);
	edited_publish(LP_UNJUDGED_PASS);
	make_metadata("auto.1", false);
	edited_pass(LP_TO_BROKER);
	make_metadata("other", true);
	edited_pass(LP_TO_BROKER);
	ck_assert_uint_eq(KAFKA_COUNTER(creations_denied), 1);
}
END_TEST

static void
make_delete_records(void)
{
	kafka_request(&edited_sent, DELETE_RECORDS, 0, 7, "web-1", false);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 1000);
	kafka_end(&edited_sent);
}

/* Both ends are told, and nothing of it is passed on. */
static void
is_reset(void)
{
	uint64_t before = plane_reason(LP_REASON_RESET_RULE);

	edited_left_len = 0;
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	plane_run();
	ck_assert(plane_take(BACK_SLOT));
	ck_assert(strstr(plane.text, " R") != NULL);
	ck_assert(plane_take(FRONT_SLOT));
	ck_assert(strstr(plane.text, " R") != NULL);
	plane_forget();
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(plane_reason(LP_REASON_RESET_RULE), before + 1);
}

START_TEST(a_request_is_reset)
{
	rule_put(RULE, 10, "api=DeleteRecords", "reset", false);
	edited_publish(LP_UNJUDGED_PASS);
	make_metadata("secret", true);
	edited_pass(LP_TO_BROKER);
	make_delete_records();
	is_reset();
	rule_counts(RULE, 0, 1, 1);
	ck_assert_uint_eq(KAFKA_COUNTER(requests_reset), 1);
}
END_TEST

/* Its say was when they opened. */
START_TEST(what_is_open_no_rule_of_connections_resets)
{
	deny("api=Produce");
	rule_put(OTHER, 5, "", "reset", false);
	edited_publish(LP_UNJUDGED_PASS);
	make_metadata("secret", true);
	edited_pass(LP_TO_BROKER);
	rule_counts(OTHER, 0, 0, 0);
}
END_TEST

START_TEST(a_reset_of_connections_waits_for_what_is_allowed)
{
	rule_put(RULE, 10, "api=Metadata", "allow", false);
	rule_put(OTHER, 5, "", "reset", false);
	edited_publish(LP_UNJUDGED_PASS);
	plane_reset();
	kafka_connect();
	make_metadata("secret", true);
	edited_pass(LP_TO_BROKER);
	rule_counts(OTHER, 1, 0, 0);
	make_delete_records();
	is_reset();
	rule_counts(RULE, 0, 0, 1);
	rule_counts(OTHER, 1, 1, 0);
}
END_TEST

static const char *const unreadable[] = {
    "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\x55\x55\x55\x55",
    "GET / HTTP/1.1\r\n\r\n",
    /* Metadata 200, and a Produce that is shorter than its frame. */
    "\0\0\0\x0a\0\3\0\xc8\0\0\0\7\xff\xff",
    "\0\0\0\x10\0\0\0\3\0\0\0\7\xff\xff\xff\xff\0\0\0\1",
};
static const size_t unreadable_len[] = {15, 18, 14, 20};

START_TEST(what_cannot_be_judged_is_reset)
{
	deny("api=Produce");
	edited_publish(LP_UNJUDGED_RESET);
	edited_sent.len = 0;
	kafka_bytes(&edited_sent, unreadable[_i], unreadable_len[_i]);
	is_reset();
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), 1);
}
END_TEST

/* Of one that is open for some requests alone, whatever the listener says. */
START_TEST(what_waits_for_requests_is_reset_by_anything_else)
{
	rule_put(RULE, 10, "api=Metadata", "allow", false);
	rule_put(OTHER, 5, "", "reset", false);
	edited_publish(LP_UNJUDGED_PASS);
	plane_reset();
	kafka_connect();
	edited_sent.len = 0;
	kafka_bytes(&edited_sent, unreadable[_i], unreadable_len[_i]);
	is_reset();
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 0);
}
END_TEST

START_TEST(or_it_passes)
{
	deny("api=Produce");
	edited_publish(LP_UNJUDGED_PASS);
	edited_sent.len = 0;
	kafka_bytes(&edited_sent, unreadable[_i], unreadable_len[_i]);
	edited_wanted = edited_sent;
	edited_pass(LP_TO_BROKER);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 1);
}
END_TEST

/* It was there, and not read, when the rule came. */
START_TEST(a_connection_that_is_not_read_is_reset_by_its_next_packet)
{
	edited_sent.len = 0;
	kafka_bytes(&edited_sent, unreadable[1], unreadable_len[1]);
	edited_wanted = edited_sent;
	edited_pass(LP_TO_BROKER);
	deny("api=Produce");
	edited_publish(LP_UNJUDGED_RESET);
	is_reset();
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), 1);
}
END_TEST

/* A question for versions, in that version. */
static void
pass_question(int16_t version)
{
	kafka_request(&edited_sent, API_VERSIONS, version, 7, "web-1", false);
	edited_wanted.len = 0;
	edited_same();
	edited_end();
	if (version == TOO_NEW)
		edited_wanted.bytes[7] = 0xff;
	edited_pass(LP_TO_BROKER);
}

/* Of version 0: an error, and up to where an API and another one go. */
static void
pass_versions(int16_t error, int16_t key, int16_t last)
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	kafka_int16(&edited_sent, error);
	kafka_int32(&edited_sent, 2);
	kafka_int16(&edited_sent, key);
	kafka_int16(&edited_sent, 0);
	edited_same();
	edited_int16(TOO_NEW, last);
	edited_int16(NO_KEY, NO_KEY | 0xff);
	kafka_int16(&edited_sent, 0);
	kafka_int16(&edited_sent, 3);
	edited_same();
	edited_end();
	edited_pass(LP_TO_CLIENT);
}

static int16_t
offered(int16_t key)
{
	struct lp_kafka_api api;

	ck_assert(lp_kafka_api(key, &api));
	return api.offered;
}

/* Or a client could speak past the rules, or would be reset for it. */
START_TEST(no_version_is_offered_that_cannot_be_judged)
{
	deny("api=Produce");
	edited_publish((uint8_t)_i);
	pass_question(TOO_NEW);
	pass_versions(UNSUPPORTED_VERSION, API_VERSIONS, offered(API_VERSIONS));
	pass_question(0);
	pass_versions(0, PRODUCE, offered(PRODUCE));
	ck_assert_uint_eq(KAFKA_COUNTER(versions_clamped), 1);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 0);
}
END_TEST

START_TEST(where_no_rule_acts_versions_are_as_they_are)
{
	rule_put(RULE, 10, "api=Produce", "deny", true);
	edited_publish(0);
	kafka_request(&edited_sent, API_VERSIONS, TOO_NEW, 7, "web-1", false);
	edited_wanted = edited_sent;
	edited_pass(LP_TO_BROKER);
	ck_assert_uint_eq(KAFKA_COUNTER(versions_clamped), 0);
}
END_TEST

/* Behind a token without a header a request that is not known is none. */
START_TEST(what_looks_like_a_request_is_no_token)
{
	static const char token[] = "\0\0\0\x09\0u\0secret";

	deny("api=Produce");
	edited_publish(LP_UNJUDGED_RESET);
	kafka_request(&edited_sent, HANDSHAKE, 0, 7, "web-1", false);
	kafka_string(&edited_sent, "PLAIN");
	kafka_end(&edited_sent);
	kafka_send_frame(LP_TO_BROKER, &edited_sent);
	kafka_response(&edited_sent, 7, false);
	kafka_int16(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_end(&edited_sent);
	kafka_send_frame(LP_TO_CLIENT, &edited_sent);
	kafka_send(LP_TO_BROKER, token, sizeof(token) - 1);
	kafka_send(LP_TO_CLIENT, "\0\0\0", 4);
	ck_assert_uint_eq(KAFKA_COUNTER(sasl_raw_tokens), 1);
	plane_forget();
	kafka_request(&edited_sent, DELETE_RECORDS, 31, 8, "web-1", false);
	kafka_int32(&edited_sent, 0);
	kafka_end(&edited_sent);
	is_reset();
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_reset), 1);
	ck_assert_uint_eq(KAFKA_COUNTER(sasl_raw_tokens), 1);
}
END_TEST

/* Once it has answered in plain text: a client may ask for so many bytes. */
START_TEST(no_size_of_an_answer_ends_the_reading)
{
	static const uint8_t size[] = {0x15, 3, 3, 0, 0, 0, 0, 7};

	deny("api=Produce topic=secret");
	edited_publish(LP_UNJUDGED_PASS);
	if (_i == 1)
		kafka_greet(6);
	kafka_fetch_request(7, 500, -1);
	kafka_ask();
	kafka_send(LP_TO_CLIENT, size, sizeof(size));
	ck_assert_uint_eq(KAFKA_COUNTER(tls_alerts), _i == 0);
	ck_assert_uint_eq(
	    kafka_mode(), _i == 0 ? LP_KAFKA_OPAQUE : LP_KAFKA_LIVE);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_add_test(tests, a_request_for_metadata_creates_nothing);
	tcase_add_test(tests, a_request_is_reset);
	tcase_add_test(tests, what_is_open_no_rule_of_connections_resets);
	tcase_add_test(tests, a_reset_of_connections_waits_for_what_is_allowed);
	tcase_add_loop_test(tests, what_cannot_be_judged_is_reset, 0, 4);
	tcase_add_loop_test(
	    tests, what_waits_for_requests_is_reset_by_anything_else, 0, 4);
	tcase_add_loop_test(tests, or_it_passes, 0, 4);
	tcase_add_test(
	    tests, a_connection_that_is_not_read_is_reset_by_its_next_packet);
	tcase_add_loop_test(tests, no_version_is_offered_that_cannot_be_judged,
	    LP_UNJUDGED_PASS, LP_UNJUDGED_RESET + 1);
	tcase_add_test(tests, where_no_rule_acts_versions_are_as_they_are);
	tcase_add_test(tests, what_looks_like_a_request_is_no_token);
	tcase_add_loop_test(tests, no_size_of_an_answer_ends_the_reading, 0, 2);
}

int
main(void)
{
	return plane_main("refuse", add);
}
