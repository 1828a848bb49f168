/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of ApiVersions and Metadata, whole, in pieces, and wrong. */
#include "controld/topic_wire.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"

enum { ID = 0x01020304, SIZE_MAX_BYTES = 1 << 20 };

static struct lp_topic_id_pair told[256];
static unsigned told_count;

static void
keep(void *arg, const struct lp_topic_id_pair *pair)
{
	(void)arg;
	ck_assert_uint_lt(told_count, 256);
	told[told_count++] = *pair;
}

static void
begin(struct lp_topic_wire *wire, int16_t version)
{
	lp_topic_wire_metadata(wire, ID, version, SIZE_MAX_BYTES);
	wire->topic = keep;
	told_count = 0;
}

static enum lp_topic_wire_result
read_pieces(
    struct lp_topic_wire *wire, const uint8_t *bytes, size_t len, size_t piece)
{
	enum lp_topic_wire_result result = LP_TOPIC_WIRE_MORE;

	for (size_t at = 0; at < len && result == LP_TOPIC_WIRE_MORE;
	     at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		/* Of its very size: a sanitizer sees what reads beyond. */
		uint8_t *copy = malloc(n);

		memcpy(copy, bytes + at, n);
		result = lp_topic_wire_read(wire, copy, n);
		free(copy);
	}
	return result;
}

START_TEST(requests_are_those_of_the_guide)
{
	static const uint8_t versions[] = "\x00\x00\x00\x1c\x00\x12\x00\x00"
					  "\x01\x02\x03\x04\x00\x12"
					  "lightpath-controld";
	static const uint8_t twelve[] = "\x00\x00\x00\x21\x00\x03\x00\x0c"
					"\x01\x02\x03\x04\x00\x12"
					"lightpath-controld\x00\x00\x00\x00";
	static const uint8_t ten[] = "\x00\x00\x00\x22\x00\x03\x00\x0a"
				     "\x01\x02\x03\x04\x00\x12"
				     "lightpath-controld\x00\x00\x00\x00\x00";
	uint8_t out[LP_TOPIC_WIRE_REQUEST_MAX];

	ck_assert_uint_eq(
	    lp_topic_wire_ask_versions(out, ID), sizeof(versions) - 1);
	ck_assert_mem_eq(out, versions, sizeof(versions) - 1);
	/* The literal's NUL is the last tag buffer. */
	ck_assert_uint_eq(
	    lp_topic_wire_ask_metadata(out, ID, 12), sizeof(twelve));
	ck_assert_mem_eq(out, twelve, sizeof(twelve));
	ck_assert_uint_eq(lp_topic_wire_ask_metadata(out, ID, 10), sizeof(ten));
	ck_assert_mem_eq(out, ten, sizeof(ten));
}
END_TEST

static int16_t
version_of(int16_t min, int16_t max)
{
	uint8_t bytes[BROKER_ANSWER_MAX];
	size_t len = broker_versions(bytes, ID, min, max);
	struct lp_topic_wire wire;

	for (size_t piece = 1; piece < len; piece++) {
		lp_topic_wire_versions(&wire, ID);
		ck_assert_int_eq(
		    read_pieces(&wire, bytes, len, piece), LP_TOPIC_WIRE_DONE);
	}
	ck_assert_int_eq(wire.error, 0);
	return lp_topic_wire_version(&wire);
}

START_TEST(the_highest_version_with_ids_is_asked)
{
	ck_assert_int_eq(version_of(0, 9), -1);
	ck_assert_int_eq(version_of(0, 10), 10);
	ck_assert_int_eq(version_of(0, 11), 11);
	ck_assert_int_eq(version_of(0, 13), 12);
	ck_assert_int_eq(version_of(12, 15), 12);
	ck_assert_int_eq(version_of(13, 15), -1);
}
END_TEST

START_TEST(topics_are_told_however_they_are_cut)
{
	static uint8_t bytes[BROKER_ANSWER_MAX];
	struct lp_topic_wire wire;

	for (int16_t version = 10; version <= 12; version++) {
		size_t len = broker_metadata(bytes, ID, version, 200);

		for (size_t piece = 1; piece < 80; piece++) {
			begin(&wire, version);
			ck_assert_int_eq(read_pieces(&wire, bytes, len, piece),
			    LP_TOPIC_WIRE_DONE);
			ck_assert_uint_eq(told_count, 200);
		}
		ck_assert_uint_eq(told[199].len, 9);
		ck_assert_mem_eq(told[199].name, "topic-199", 9);
		ck_assert_uint_eq(told[199].uuid[0], 200);
		ck_assert_uint_eq(told[199].uuid[15], 200);
	}
}
END_TEST

/* The id of no topic, and names that Kafka would not have. */
START_TEST(what_is_no_topic_is_left_out)
{
	uint8_t bytes[BROKER_ANSWER_MAX];
	size_t len = broker_metadata(bytes, ID, 12, 3);
	uint8_t *first = memmem(bytes, len, "topic-0", 7);
	uint8_t *second = memmem(bytes, len, "topic-1", 7);
	struct lp_topic_wire wire;

	memset(first + 7, 0, 16);
	second[3] = '\n';
	begin(&wire, 12);
	ck_assert_int_eq(
	    read_pieces(&wire, bytes, len, len), LP_TOPIC_WIRE_DONE);
	ck_assert_uint_eq(told_count, 1);
	ck_assert_mem_eq(told[0].name, "topic-2", 7);
}
END_TEST

static enum lp_topic_wire_result
read_wrong(const void *bytes, size_t len)
{
	struct lp_topic_wire wire;

	begin(&wire, 12);
	return read_pieces(&wire, bytes, len, 7);
}

START_TEST(what_is_no_answer_is_known)
{
	uint8_t bytes[BROKER_ANSWER_MAX];
	size_t len = broker_metadata(bytes, ID, 12, 3);

	ck_assert_int_eq(
	    read_wrong("\x15\x03\x03\0\x02\x02\x50", 7), LP_TOPIC_WIRE_TLS);
	ck_assert_int_eq(
	    read_wrong("\x16\x03\x01\0\x02\x02\x50", 7), LP_TOPIC_WIRE_TLS);
	ck_assert_int_eq(
	    read_wrong("HTTP/1.1 400 Bad Request", 24), LP_TOPIC_WIRE_BAD);
	/* No room for the correlation id; more than there can be. */
	ck_assert_int_eq(
	    read_wrong("\0\0\0\x03\x01\x02\x03\x04", 8), LP_TOPIC_WIRE_BAD);
	ck_assert_int_eq(
	    read_wrong("\x80\0\0\0\x01\x02\x03\x04", 8), LP_TOPIC_WIRE_BAD);
	ck_assert_int_eq(read_wrong("\x7f\xff\xff\xff\x01\x02\x03\x04", 8),
	    LP_TOPIC_WIRE_LARGE);
	ck_assert_int_eq(
	    read_wrong("\0\0\0\x40\x01\x02\x03\x05", 8), LP_TOPIC_WIRE_OTHER);
	ck_assert_int_eq(read_wrong(bytes, len), LP_TOPIC_WIRE_DONE);
	bytes[3]--;
	ck_assert_int_eq(read_wrong(bytes, len), LP_TOPIC_WIRE_BAD);
	bytes[3] += 2;
	bytes[len] = 0;
	ck_assert_int_eq(read_wrong(bytes, len + 1), LP_TOPIC_WIRE_BAD);
	/* Cut off, it is still to come. */
	bytes[3]--;
	ck_assert_int_eq(read_wrong(bytes, len - 1), LP_TOPIC_WIRE_MORE);
}
END_TEST

START_TEST(a_broker_may_refuse)
{
	uint8_t bytes[BROKER_ANSWER_MAX];
	size_t len = broker_versions(bytes, ID, 0, 13);
	struct lp_topic_wire wire;

	bytes[9] = 35;
	lp_topic_wire_versions(&wire, ID);
	ck_assert_int_eq(
	    read_pieces(&wire, bytes, len, len), LP_TOPIC_WIRE_DONE);
	ck_assert_int_eq(wire.error, 35);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("topic_wire");
	TCase *tcase = tcase_create("topic_wire");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, requests_are_those_of_the_guide);
	tcase_add_test(tcase, the_highest_version_with_ids_is_asked);
	tcase_add_test(tcase, topics_are_told_however_they_are_cut);
	tcase_add_test(tcase, what_is_no_topic_is_left_out);
	tcase_add_test(tcase, what_is_no_answer_is_known);
	tcase_add_test(tcase, a_broker_may_refuse);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
