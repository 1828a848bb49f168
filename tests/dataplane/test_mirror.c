/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of a connection's packets: which, of what, and at whose cost. */
#include "dataplane/pipeline/mirror.h"

#include <check.h>
#include <string.h>

#include "tests/dataplane/bump.h"
#include "tests/proto/objects.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"
#include "tests/support/tap.h"

#define V4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define W4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_V4 "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "
#define TO_W4 "tcp 10.8.0.10:$* > 10.8.0.20:9092 "
#define MACS "smac=02:10:00:00:00:32 dmac=02:00:00:00:00:00 "

enum { RULE = 100 };

static void
publish(void)
{
	plane_publish();
	plane_run();
	plane_forget();
}

static void
setup(void)
{
	bump_open();
	tap_open();
	rule_put(RULE, 10, "src=10.9.0.50", "mirror=tap", false);
	publish();
}

static uint64_t
sent(void)
{
	return lp_count_get(&plane.region.stats->sent_mirror);
}

static uint64_t
dropped(void)
{
	return lp_count_get(&plane.region.stats->dropped_mirror);
}

static void
open_one(void)
{
	plane_in(FRONT_SLOT, V4 "S seq=1000");
	plane_expect(BACK_SLOT, TO_W4 "S seq=1000");
	plane_in(BACK_SLOT, W4 "SA seq=5000 ack=1001");
	plane_expect(FRONT_SLOT, TO_V4 "SA seq=5000");
	plane_in(FRONT_SLOT, V4 "A seq=1001 ack=5001");
	plane_expect(BACK_SLOT, TO_W4 "A seq=1001");
	while (tap_take())
		;
}

/* As it came in, and as it leaves: frames are the same, byte by byte. */
START_TEST(it_is_the_clients_side)
{
	struct packet out;

	plane_in(FRONT_SLOT, V4 "S seq=1000 mss=9000 tos=0x28 pad=9");
	tap_expect(V4 "S seq=1000 ttl=64 mss=9000 tos=0x28 " MACS);
	plane_expect(BACK_SLOT, TO_W4 "S seq=1000 ttl=63");
	plane_in(BACK_SLOT, W4 "SA seq=5000 ack=1001");
	plane_expect(FRONT_SLOT, TO_V4 "SA seq=5000 ttl=63");
	out = plane.frame;
	ck_assert(tap_take());
	ck_assert_uint_eq(plane.frame.len, out.len);
	ck_assert_mem_eq(plane.frame.bytes, out.bytes, out.len);
	plane_in(FRONT_SLOT, V4 "PA seq=1001 ack=5001 len=100");
	tap_expect(V4 "PA seq=1001 ack=5001 len=100");
	/* Of another client there is none. */
	plane_in(FRONT_SLOT, "tcp 10.9.0.51:1 > 10.9.0.100:9100 S seq=1");
	ck_assert(!tap_take());
	ck_assert_uint_eq(sent(), 3);
	ck_assert_uint_eq(dropped(), 0);
}
END_TEST

/* Whatever becomes of it; but not what another one sends in its name. */
START_TEST(what_is_dropped_is_copied_what_is_forged_is_not)
{
	open_one();
	plane_in(FRONT_SLOT, V4 "PA seq=1001 ack=5001 len=9 ttl=1");
	tap_expect(V4 "PA seq=1001 len=9 ttl=1");
	plane_in(BACK_SLOT, V4 "PA seq=1001 ack=5001 len=9");
	ck_assert_uint_eq(plane_reason(LP_REASON_NOT_OURS) +
		plane_reason(LP_REASON_WRONG_SIDE),
	    1);
	ck_assert(!tap_take());
}
END_TEST

START_TEST(a_rule_that_comes_or_goes_holds_for_open_ones)
{
	rule_put(RULE, 10, "src=10.9.0.50", "mirror=tap", true);
	publish();
	open_one();
	ck_assert_uint_eq(sent(), 0);
	rule_put(RULE, 10, "src=10.9.0.50", "mirror=tap", false);
	publish();
	plane_in(FRONT_SLOT, V4 "PA seq=1001 ack=5001 len=9");
	tap_expect(V4 "PA seq=1001");
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	publish();
	plane_in(FRONT_SLOT, V4 "PA seq=1010 ack=5001 len=9");
	ck_assert(!tap_take());
}
END_TEST

/* The last frame of a turn that the port has no room for; or all of them. */
START_TEST(what_has_no_room_costs_a_copy_alone)
{
	open_one();
	tap.room = 1;
	plane_queue(FRONT_SLOT, V4 "PA seq=1001 ack=5001 len=9");
	plane_queue(FRONT_SLOT, V4 "PA seq=1010 ack=5001 len=9");
	plane_run();
	plane_expect(BACK_SLOT, TO_W4 "PA seq=1001");
	plane_expect(BACK_SLOT, TO_W4 "PA seq=1010");
	tap_expect(V4 "PA seq=1001");
	ck_assert(!tap_take());
	ck_assert_uint_eq(dropped(), 1);
	tap.room = TAP_FRAMES;
	tap.port.mtu = 1280;
	publish();
	plane_in(FRONT_SLOT, V4 "PA seq=1019 ack=5001 len=1400");
	plane_expect(BACK_SLOT, TO_W4 "PA seq=1019 len=1400");
	ck_assert_uint_eq(dropped(), 2);
	plane.ports.port[TAP_SLOT] = NULL;
	publish();
	plane_in(FRONT_SLOT, V4 "PA seq=2419 ack=5001 len=9");
	plane_expect(BACK_SLOT, TO_W4 "PA seq=2419");
	ck_assert_uint_eq(dropped(), 3);
	ck_assert(!tap_take());
}
END_TEST

/* Where rules say priority= a ring is kept short: also of copies. */
START_TEST(copies_keep_a_ring_as_short_as_others)
{
	open_one();
	tap.is_full = true;
	plane_in(FRONT_SLOT, V4 "PA seq=1001 ack=5001 len=9");
	tap_expect(V4 "PA seq=1001");
	rule_put(RULE + 1, 10, "src=192.0.2.99", "priority=7", false);
	publish();
	plane_forget();
	plane_in(FRONT_SLOT, V4 "PA seq=1010 ack=5001 len=9");
	plane_expect(BACK_SLOT, TO_W4 "PA seq=1010");
	ck_assert(!tap_take());
	ck_assert_uint_eq(dropped(), 1);
	tap.is_full = false;
	plane_in(FRONT_SLOT, V4 "PA seq=1019 ack=5001 len=9");
	tap_expect(V4 "PA seq=1019");
}
END_TEST

/* No copy is worth a buffer that packets may need. */
START_TEST(where_buffers_are_short_there_are_no_copies)
{
	uint32_t count = plane.region.header->buffer_count;

	open_one();
	plane.region.header->buffer_count = UINT32_MAX;
	plane_in(FRONT_SLOT, V4 "PA seq=1001 ack=5001 len=9");
	plane_expect(BACK_SLOT, TO_W4 "PA seq=1001");
	ck_assert(!tap_take());
	ck_assert_uint_eq(dropped(), 1);
	plane.region.header->buffer_count = count;
}
END_TEST

START_TEST(a_reset_of_ours_is_seen_too)
{
	open_one();
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, LEGACY_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, SEEN_0);
	lp_config_remove(&plane.config, LP_OBJECT_BROKER, PAYMENTS_0);
	publish();
	tap_expect(TO_V4 "R seq=5001");
	ck_assert(!tap_take());
}
END_TEST

START_TEST(inline_it_is_what_passes)
{
	rule_put(RULE, 10, "src=10.8.0.50", "mirror=tap", false);
	publish();
	plane_in(LEFT_SLOT, C4 "S seq=1000 pad=9");
	tap_expect(C4 "S seq=1000 frame=54");
	plane_in(RIGHT_SLOT, B4 "SA seq=5000 ack=1001 pad=9");
	tap_expect(B4 "SA seq=5000 frame=54");
	ck_assert(!tap_take());
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, it_is_the_clients_side);
	tcase_add_test(tests, what_is_dropped_is_copied_what_is_forged_is_not);
	tcase_add_test(tests, a_rule_that_comes_or_goes_holds_for_open_ones);
	tcase_add_test(tests, what_has_no_room_costs_a_copy_alone);
	tcase_add_test(tests, copies_keep_a_ring_as_short_as_others);
	tcase_add_test(tests, where_buffers_are_short_there_are_no_copies);
	tcase_add_test(tests, a_reset_of_ours_is_seen_too);
	tcase_add_test(tests, inline_it_is_what_passes);
}

int
main(void)
{
	return plane_main("mirror", add);
}
