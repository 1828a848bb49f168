/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections whose listener begins to rewrite addresses, or stops: from when
 * on their answers are edited, and which of them are reset.
 */
#include <check.h>
#include <string.h>

#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"
#include "tests/support/spliced.h"
#include "tests/support/tap.h"

enum { BROKERS = 40, WINDOW = 60000 };

static void
ask_for_brokers(unsigned brokers)
{
	spliced_metadata(brokers);
	spliced_ask();
}

static void
publish(enum lp_rewriting how)
{
	plane_config_rewrite(&plane.config, how);
	plane_publish();
	/* A slice of the table a turn. */
	for (unsigned i = 0; i < 200; i++)
		spliced_run();
}

/* While addresses pass nothing is reset; when they must not, it is. */
START_TEST(who_was_lost_in_the_meantime_is_reset)
{
	publish(LP_REWRITING_OFF);
	kafka_response(&kafka_frame, 9, false);
	kafka_end(&kafka_frame);
	spliced_append(kafka_frame.bytes, kafka_frame.bytes, kafka_frame.len);
	spliced_answer(0, spliced.len);
	spliced_acknowledge();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	ck_assert(!spliced.reset);
	publish(LP_REWRITING_ON);
	spliced_metadata(BROKERS);
	spliced.lenient = true;
	spliced_ask();
	spliced_answer(spliced.sent, SPLICED_MSS);
	ck_assert(spliced.reset);
}
END_TEST

/* In the midst of an answer, to a version with other tables. */
START_TEST(who_is_lost_to_another_process_is_reset)
{
	ask_for_brokers(BROKERS);
	spliced_answer(0, 300);
	plane.region.header->kafka_tables++;
	plane_restart();
	spliced.lenient = true;
	spliced_answer(300, 300);
	ck_assert(spliced.reset);
	plane_run();
}
END_TEST

/* The answer to what was asked before is edited like any other. */
START_TEST(who_is_followed_is_rewritten_from_then_on)
{
	spliced_reset();
	plane_forget();
	publish(LP_REWRITING_OFF);
	plane_reset();
	spliced_connect();
	spliced_fetch(500);
	spliced_ask();
	spliced_finish();
	spliced_metadata(BROKERS);
	spliced_ask();
	publish(LP_REWRITING_ON);
	spliced_finish();
	ck_assert(spliced_state()->flags & LP_SPLICE_EDITED);
}
END_TEST

/* Opened while its listener did not rewrite. */
static void
connect_unspliced(void)
{
	spliced_reset();
	plane_forget();
	publish(LP_REWRITING_OFF);
	plane_reset();
	spliced_connect();
}

static void
ensure_spliced(void)
{
	for (unsigned i = 0; i < 200; i++)
		spliced_run();
	ck_assert(spliced_connection()->flags & LP_CONN_SPLICED);
}

static void
ensure_rewritten(void)
{
	ensure_spliced();
	ask_for_brokers(BROKERS);
	spliced_finish();
	ck_assert(spliced_state()->flags & LP_SPLICE_EDITED);
}

/* Edited answers, and what we say to the broker in the meantime. */
START_TEST(our_own_segments_have_the_dscp_of_rules)
{
	uint64_t acks = lp_count_get(&plane.region.stats->sent_acks);
	uint64_t edited = lp_count_get(&plane.region.stats->sent_edited);

	rule_put(100, 10, "", "allow dscp=46", false);
	publish(LP_REWRITING_ON);
	spliced.tos = 46 << 2;
	ask_for_brokers(BROKERS);
	spliced_answer(0, 300);
	spliced_finish();
	spliced_acknowledge();
	ck_assert_uint_gt(lp_count_get(&plane.region.stats->sent_acks), acks);
	ck_assert_uint_gt(
	    lp_count_get(&plane.region.stats->sent_edited), edited);
}
END_TEST

/* Its numbers and bytes are the client's, of whoever made a segment. */
START_TEST(copies_are_what_the_client_is_told)
{
	unsigned told = 0;

	tap_open();
	rule_put(100, 10, "", "mirror=tap", false);
	publish(LP_REWRITING_ON);
	ask_for_brokers(BROKERS);
	spliced_answer(0, 300);
	spliced_finish();
	while (tap_take()) {
		size_t len = packet_number(plane.text, "len", 0);
		uint32_t at =
		    (uint32_t)packet_number(plane.text, "seq", 0) - 5001;

		ck_assert_ptr_null(strstr(plane.text, "=bad"));
		if (strncmp(plane.text, "tcp 10.9.0.100:", 15) != 0 || len == 0)
			continue;
		ck_assert_uint_le(at + len, spliced.told_len);
		ck_assert_mem_eq(plane.frame.bytes + plane.frame.len - len,
		    spliced.told + at, len);
		told += (unsigned)len;
	}
	ck_assert_uint_ge(told, spliced.told_len);
}
END_TEST

/* It was lost when the listener began to; three answers prove it. */
START_TEST(who_is_found_again_is_followed)
{
	connect_unspliced();
	kafka_response(&kafka_frame, 9, false);
	kafka_end(&kafka_frame);
	spliced_append(kafka_frame.bytes, kafka_frame.bytes, kafka_frame.len);
	spliced_answer(0, spliced.len);
	spliced_acknowledge();
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LOST);
	publish(LP_REWRITING_ON);
	ck_assert(!(spliced_connection()->flags & LP_CONN_SPLICED));
	for (unsigned i = 0; i < 3; i++) {
		spliced_fetch(100);
		spliced_ask();
		spliced_finish();
	}
	ck_assert_uint_eq(kafka_mode(), LP_KAFKA_LIVE);
	/* Who is lost again and again costs no more than a look a second. */
	for (unsigned i = 0; i < 200; i++)
		spliced_run();
	ck_assert(!(spliced_connection()->flags & LP_CONN_SPLICED));
	plane_wait_ms(1000);
	ensure_rewritten();
}
END_TEST

/* Something was missing when the listener began to. */
START_TEST(who_had_a_gap_is_followed)
{
	connect_unspliced();
	spliced_fetch(500);
	spliced_ask();
	spliced_answer(20, 100);
	publish(LP_REWRITING_ON);
	ensure_spliced();
	spliced_finish();
	ensure_rewritten();
}
END_TEST

/* What has been passed on of a list before is not replaced, nor its gap. */
START_TEST(what_has_passed_is_what_it_was)
{
	connect_unspliced();
	spliced_fetch(500);
	spliced_metadata(BROKERS);
	/* It is told as it is, but for the names that nobody may see. */
	for (uint8_t *at;
	     (at = memmem(spliced.bytes, spliced.len, "secret", 6)) != NULL;)
		memcpy(at, "public", 6);
	spliced.told_len = spliced.len;
	memcpy(spliced.told, spliced.bytes, spliced.len);
	spliced.edit_count = 0;
	spliced.lenient = true;
	spliced_ask();
	spliced_answer(0, 100);
	spliced_answer(spliced.len - 300, 300);
	publish(LP_REWRITING_ON);
	ensure_spliced();
	spliced_finish();
	ck_assert_uint_eq(spliced.got, spliced.told_len);
	ck_assert(!(spliced_state()->flags & LP_SPLICE_EDITED));
	spliced.lenient = false;
	ensure_rewritten();
	ck_assert(!(spliced_state()->flags & LP_SPLICE_PASSED));
}
END_TEST

START_TEST(who_holds_a_question_is_followed)
{
	connect_unspliced();
	spliced_fetch(500);
	spliced_queue(LP_TO_BROKER, 9, 0, "PA", WINDOW, spliced.asked + 9,
	    spliced.asked_len - 9);
	spliced_run();
	publish(LP_REWRITING_ON);
	ensure_spliced();
	spliced_ask();
	spliced_finish();
	ensure_rewritten();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, spliced_open, spliced_close);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, who_was_lost_in_the_meantime_is_reset);
	tcase_add_test(tests, who_is_lost_to_another_process_is_reset);
	tcase_add_test(tests, who_is_followed_is_rewritten_from_then_on);
	tcase_add_test(tests, our_own_segments_have_the_dscp_of_rules);
	tcase_add_test(tests, copies_are_what_the_client_is_told);
	tcase_add_test(tests, who_is_found_again_is_followed);
	tcase_add_test(tests, who_had_a_gap_is_followed);
	tcase_add_test(tests, what_has_passed_is_what_it_was);
	tcase_add_test(tests, who_holds_a_question_is_followed);
}

int
main(void)
{
	return plane_main("splice_follow", add);
}
