/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where there is no room: in the pools of edits and pieces, or in the client's
 * window.  What is refused must come again soon, and what is kept must leave.
 */
#include <check.h>
#include <string.h>

#include "dataplane/kafka/edit.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/spliced.h"

enum {
	WINDOW = 60000,
	SCALE = 7, /* of the client's window */
};

/*
 * Another connection gets edits, as if it had them from before a restart: all
 * but so many, or none.
 */
static void
leave_edits(uint32_t left)
{
	struct lp_kafka_state *state = &plane.region.kafka;
	struct lp_seqmap *map = &state->splices[1].maps[LP_TO_BROKER];
	uint32_t count = state->edit_count - left;

	while (map->first != 0) {
		state->edits[map->first - 1].kind = LP_EDIT_NONE;
		map->first = state->edits[map->first - 1].next;
	}
	map->last = map->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		state->edits[i] = (struct lp_edit){
		    .kind = LP_EDIT_OVER, .start = i, .old_len = 1};
		lp_seqmap_insert(map, state->edits, map->last, i);
	}
	plane_restart();
}

/* Two answers, and then there are too few for a segment (kafka/edit.c). */
static void
leave_room_for_two(void)
{
	plane_in(FRONT_SLOT,
	    "tcp 10.9.0.50:40001 > 10.9.0.100:9100 S seq=1 len=0 win=100");
	plane_forget();
	leave_edits(LP_BUFFER_SIZE / 16 + 1);
	spliced_state()->flags |= LP_SPLICE_SACK;
}

static void
finish_with_room(void)
{
	leave_edits(plane.region.kafka.edit_count);
	spliced_finish();
	spliced_check_pools();
}

/* Behind the gap one waits, and another one finds no room. */
START_TEST(what_is_missing_is_told_without_room)
{
	uint32_t end[3];
	uint64_t before;

	leave_room_for_two();
	for (unsigned i = 0; i < 3; i++) {
		spliced_metadata(2);
		end[i] = spliced.len;
	}
	spliced_ask();
	spliced_answer(end[2] - 20, 20);
	ck_assert_uint_eq(spliced.duplicates, 1);
	spliced_answer(0, end[1]);
	ck_assert_uint_eq(spliced.got, spliced.edits[2].at);
	spliced_acknowledge_at(0, WINDOW);
	before = plane_reason(LP_REASON_EDIT_FULL);
	spliced_answer(end[1] + 10, 20);
	ck_assert_uint_eq(plane_reason(LP_REASON_EDIT_FULL), before + 1);
	ck_assert_uint_eq(spliced.duplicates, 2);
	ck_assert_uint_eq(spliced.sack[0], end[2] - 20);
	ck_assert_uint_eq(spliced.sack[1], end[2]);
	/* In order it is as lost: nothing before it is missing. */
	spliced_answer(end[1], 10);
	ck_assert_uint_eq(plane_reason(LP_REASON_EDIT_FULL), before + 2);
	ck_assert_uint_eq(spliced.duplicates, 2);
	finish_with_room();
}
END_TEST

/* What the broker acknowledges goes on, though its bytes find no room. */
START_TEST(an_acknowledgement_goes_on_without_room)
{
	uint32_t end;

	leave_room_for_two();
	spliced_metadata(2);
	spliced_metadata(2);
	end = spliced.len;
	spliced_metadata(2);
	spliced_ask();
	spliced_queue(LP_TO_CLIENT, 0, spliced.ends[1][0], "PA", WINDOW,
	    spliced.bytes, end);
	spliced.sent = end;
	spliced_run();
	spliced_acknowledge_at(0, WINDOW);
	spliced_answer(end + 10, 20);
	ck_assert_uint_ge(spliced.duplicates, 1);
	ck_assert_uint_eq(
	    spliced_connection()->tcp.peer[LP_TO_CLIENT].ack - 1001,
	    spliced.asked_len);
	finish_with_room();
}
END_TEST

/*
 * A list that does not fit the client's window, lost on its way, and sent again
 * in shorter segments: of those without its last byte nothing goes out, and
 * nobody but us can acknowledge them.
 */
START_TEST(a_list_comes_again_in_shorter_segments)
{
	uint32_t at, last;

	spliced_metadata(40);
	spliced_ask();
	spliced_answer(0, SPLICED_MSS);
	spliced.lost = 1;
	last = spliced.broker_acked;
	ck_assert_uint_eq(last, SPLICED_MSS);
	spliced_answer(last, spliced.len - last);
	spliced.lost = 0;
	for (unsigned i = 0; spliced.got < spliced.told_len; i++) {
		uint32_t left = spliced.len - spliced.broker_acked;

		ck_assert_uint_lt(i, 20);
		at = spliced.broker_acked;
		spliced_answer(at, left < 100 ? left : 100);
	}
	spliced_acknowledge();
	spliced_finish();
	spliced_check_pools();
}
END_TEST

/* All that is sent to a client with that window, none of it acknowledged. */
static void
fill_window(uint32_t window, uint32_t behind)
{
	spliced_metadata(40);
	spliced_fetch(behind);
	spliced_ask();
	spliced_acknowledge_at(0, (uint16_t)(window >> SCALE));
	for (uint32_t at = 0; at < spliced.len; at += SPLICED_MSS)
		spliced_answer(at,
		    spliced.len - at < SPLICED_MSS ? spliced.len - at
						   : SPLICED_MSS);
}

/*
 * The broker may go on as if the list did not fill the window (splice_ack.c).
 * What is behind it goes out when the client has room: nobody sends it again.
 */
START_TEST(what_is_behind_a_list_waits_for_the_window)
{
	uint32_t window = (7 + (uint32_t)_i) << SCALE;

	fill_window(window, 3000);
	ck_assert_uint_le(spliced.end, window);
	ck_assert_uint_eq(spliced.got, spliced.end);
	for (unsigned i = 0; spliced.got < spliced.told_len; i++) {
		ck_assert_uint_lt(i, 20);
		spliced_acknowledge_at(
		    spliced.got, (uint16_t)(window >> SCALE));
		ck_assert_uint_le(spliced.end, spliced.acked + window);
	}
	spliced_acknowledge();
	ck_assert_uint_eq(spliced.broker_acked, spliced.len);
	spliced_check_pools();
}
END_TEST

/* Lost behind us, it comes again by the broker; also when the window is shut */
START_TEST(what_waited_for_the_window_comes_again)
{
	fill_window(12 << SCALE, 3000);
	spliced.lost = 1;
	spliced_acknowledge_at(spliced.got, 12);
	spliced.lost = 0;
	spliced_finish();
	spliced_check_pools();
}
END_TEST

/* Its window is shut: a byte is its probe, and not one more. */
START_TEST(a_shut_window_is_probed)
{
	uint32_t end;

	fill_window(8 << SCALE, 3000);
	spliced_acknowledge_at(spliced.got, 0);
	end = spliced.end;
	ck_assert_uint_eq(end, 8 << SCALE);
	/* What is sent again from the beginning of what is missing. */
	spliced_answer(spliced.broker_acked, 1);
	ck_assert_uint_eq(spliced.end, end + 1);
	spliced_acknowledge_at(end, 0);
	spliced_answer(spliced.broker_acked, 1);
	ck_assert_uint_eq(spliced.end, end + 1);
	spliced_finish();
	spliced_check_pools();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, spliced_open, spliced_close);
	tcase_add_test(tests, what_is_missing_is_told_without_room);
	tcase_add_test(tests, an_acknowledgement_goes_on_without_room);
	tcase_add_test(tests, a_list_comes_again_in_shorter_segments);
	tcase_add_loop_test(
	    tests, what_is_behind_a_list_waits_for_the_window, 0, 30);
	tcase_add_test(tests, what_waited_for_the_window_comes_again);
	tcase_add_test(tests, a_shut_window_is_probed);
}

int
main(void)
{
	return plane_main("splice_room", add);
}
