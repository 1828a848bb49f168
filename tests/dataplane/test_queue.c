/* SPDX-License-Identifier: Apache-2.0 */
/* What a port does not take at once: who waits, who is first, who is lost. */
#include "dataplane/pipeline/queue.h"

#include <check.h>
#include <stdio.h>

#include "tests/dataplane/bump.h"
#include "tests/proto/objects.h"
#include "tests/support/narrow.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/random.h"
#include "tests/support/rule_stats.h"

enum {
	LOW = 50, /* clients, by the last byte of their address */
	HIGH,
	PLAIN,
	CLIENTS,
	RULE_LOW = 100,
	RULE_HIGH,
};

static struct client {
	uint16_t nat;
	unsigned len; /* bytes of a segment */
	unsigned sent; /* segments */
	unsigned left; /* of them by the port of brokers */
} clients[CLIENTS];

static void
publish(void)
{
	plane_publish();
	plane_run();
}

static uint64_t
count(const lp_counter *counter)
{
	return lp_count_get(counter);
}

static const struct lp_queue_stats *
stats(void)
{
	return &plane.region.stats->queues[BACK_SLOT];
}

/* Frames of a client's connection, in and back. */
static void
in(unsigned client, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "tcp 10.9.0.%u:40000 > 10.9.0.100:9100 %s",
	    client, what);
	plane_queue(FRONT_SLOT, text);
}

static void
open_one(unsigned client)
{
	in(client, "S seq=1000");
	plane_run();
	plane_expect(BACK_SLOT, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S");
	clients[client] = (struct client){.nat = plane.nat, .len = 10};
	plane_in(BACK_SLOT, "tcp 10.8.0.20:9092 > 10.8.0.10:$ SA ack=1001");
	in(client, "A seq=1001 ack=1");
	plane_run();
	plane_expect(BACK_SLOT, "tcp 10.8.0.10:$ > 10.8.0.20:9092 A seq=1001");
	plane_forget();
}

static void
setup(void)
{
	plane_open(LP_CONNECTIONS_MIN);
	narrow_open(BACK_SLOT);
	narrow_let_all(BACK_SLOT);
	rule_put(RULE_LOW, 10, "src=10.9.0.50", "priority=0", false);
	rule_put(RULE_HIGH, 10, "src=10.9.0.51", "priority=7", false);
	publish();
	for (unsigned client = LOW; client < CLIENTS; client++)
		open_one(client);
	narrow_let(BACK_SLOT, 0);
}

static void
send(unsigned client, unsigned segments)
{
	struct client *own = &clients[client];
	char text[64];

	for (unsigned i = 0; i < segments; i++) {
		snprintf(text, sizeof(text), "PA seq=%u ack=1 len=%u",
		    1001 + own->len * own->sent++, own->len);
		in(client, text);
		if (i % LP_BATCH_MAX == LP_BATCH_MAX - 1)
			plane_run();
	}
	plane_run();
}

/* Whose the next one is that leaves, which is the next of its connection. */
static unsigned
next(void)
{
	unsigned port, client = LOW;

	ck_assert(plane_take(BACK_SLOT));
	ck_assert_msg(sscanf(plane.text, "tcp 10.8.0.10:%u", &port) == 1, "%s",
	    plane.text);
	while (clients[client].nat != port)
		ck_assert_uint_lt(++client, CLIENTS);
	ck_assert_uint_eq(packet_number(plane.text, "seq", 0),
	    1001 + clients[client].len * clients[client].left++);
	return client;
}

/* So many leave, all of that client's. */
static void
leave(unsigned client, unsigned segments)
{
	for (unsigned i = 0; i < segments; i++)
		ck_assert_uint_eq(next(), client);
}

static void
let(unsigned frames)
{
	narrow_let(BACK_SLOT, frames);
	plane_run();
}

START_TEST(what_finds_no_room_leaves_later)
{
	send(LOW, 3);
	plane_quiet();
	ck_assert_uint_eq(count(&plane.region.stats->queued), 3);
	ck_assert_uint_eq(count(&stats()->queued), 3);
	let(2);
	leave(LOW, 2);
	ck_assert_uint_eq(count(&plane.region.stats->queued), 1);
	narrow_let_all(BACK_SLOT);
	send(LOW, 2);
	leave(LOW, 3);
	plane_quiet();
	ck_assert_uint_eq(count(&plane.region.stats->queued), 0);
	ck_assert_uint_eq(count(&stats()->queued), 0);
	/* Behind them nothing waits any more. */
	ck_assert_uint_ge(count(&stats()->waited), 3);
	ck_assert_uint_eq(
	    count(&stats()->waited), count(&plane.region.stats->sent_queued));
	send(LOW, 1);
	leave(LOW, 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 0);
}
END_TEST

/* Also when no packet comes in; and a port that is stuck lets it sleep. */
START_TEST(the_worker_stays_awake_for_it)
{
	ck_assert_int_gt(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 1);
	send(LOW, 1);
	ck_assert_int_eq(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 1);
	send(HIGH, 1);
	narrow_let(BACK_SLOT, 1);
	lp_pipeline_run(plane.pipeline, plane.now_ns);
	ck_assert_int_eq(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 0);
	let(1);
	leave(HIGH, 1);
	leave(LOW, 1);
	ck_assert_int_gt(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 1);
}
END_TEST

/* Of frames of one length: sixteen, and one that was owed. */
START_TEST(the_highest_is_first_and_the_lowest_keeps_its_share)
{
	send(LOW, 60);
	send(HIGH, 64);
	for (unsigned i = 0; i < 8; i++)
		let(8);
	let(4);
	for (unsigned i = 0; i < 4; i++) {
		leave(HIGH, LP_QUEUE_PART);
		leave(LOW, 1);
	}
	plane_quiet();
	let(60);
	leave(LOW, 56);
	plane_quiet();
}
END_TEST

/* Of bytes, not of frames: 169 of 100 bytes are sixteen of 1054. */
START_TEST(the_share_is_one_of_bytes)
{
	clients[LOW].len = 1000;
	clients[HIGH].len = 46;
	send(LOW, 2);
	send(HIGH, 200);
	let(171);
	leave(HIGH, 169);
	leave(LOW, 1);
	leave(HIGH, 1);
	plane_quiet();
	let(31);
	leave(HIGH, 30);
	leave(LOW, 1);
}
END_TEST

/* Seven lower ones at most are owed one in sixteen each. */
START_TEST(what_no_rule_names_is_between_them)
{
	unsigned of[CLIENTS] = {0};

	send(LOW, 20);
	send(PLAIN, 20);
	send(HIGH, 64);
	let(72);
	for (unsigned i = 0; i < 72; i++)
		of[next()]++;
	ck_assert_uint_eq(of[HIGH], 64);
	ck_assert_uint_eq(of[LOW], 4);
	ck_assert_uint_eq(of[PLAIN], 4);
	let(32);
	leave(PLAIN, 12);
	leave(LOW, 1);
	leave(PLAIN, 4);
	leave(LOW, 15);
	plane_quiet();
}
END_TEST

/* A rule that comes makes it another's only behind what waits. */
START_TEST(a_rule_turns_no_two_segments_round)
{
	send(LOW, 4);
	send(PLAIN, 2);
	rule_put(RULE_LOW, 10, "src=10.9.0.50", "priority=6", false);
	publish();
	send(LOW, 4);
	let(3);
	leave(PLAIN, 2);
	leave(LOW, 1);
	/* Not yet: there is one of the old ones. */
	let(6);
	leave(LOW, 6);
	send(LOW, 1);
	send(PLAIN, 1);
	let(2);
	leave(PLAIN, 1);
	leave(LOW, 1);
	plane_quiet();
	/* Now. */
	ck_assert_uint_eq(count(&stats()->queued), 1);
	let(1);
	leave(LOW, 1);
	narrow_let(BACK_SLOT, 0);
	send(PLAIN, 1);
	send(LOW, 1);
	let(2);
	leave(LOW, 1);
	leave(PLAIN, 1);
	/* And one that goes. */
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE_LOW);
	publish();
	send(PLAIN, 1);
	send(LOW, 1);
	let(2);
	leave(PLAIN, 1);
	leave(LOW, 1);
}
END_TEST

static void
take_all(void)
{
	while (plane.out[BACK_SLOT].head != plane.out[BACK_SLOT].tail)
		(void)next();
}

/* Whatever rules come and go, and whatever the port takes. */
START_TEST(by_chance_no_segment_is_lost_or_passes_another)
{
	/* Devices take their time. */
	const unsigned steps = plane_on_memory() ? 200 : 5;
	uint64_t seed = 7 + (uint64_t)_i;
	char action[32];

	(void)random_seed_given(&seed);
	for (unsigned step = 0; step < steps; step++) {
		unsigned client = random_between(&seed, LOW, CLIENTS - 1);
		uint32_t waits = clients[client].sent - clients[client].left;

		if (random_percent(&seed, 10)) {
			snprintf(action, sizeof(action), "priority=%u",
			    random_between(&seed, 0, 7));
			rule_put(RULE_LOW, 10, "src=10.9.0.50", action, false);
			publish();
		}
		if (waits < 40)
			send(client, random_between(&seed, 1, 8));
		let(random_between(&seed, 0, 8));
		take_all();
	}
	narrow_let_all(BACK_SLOT);
	plane_run();
	take_all();
	for (unsigned client = LOW; client < CLIENTS; client++)
		ck_assert_uint_eq(clients[client].sent, clients[client].left);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 0);
	ck_assert_uint_eq(count(&stats()->queued), 0);
}
END_TEST

START_TEST(in_shadow_it_is_as_if_it_were_not)
{
	unsigned asked = narrow_asked(BACK_SLOT);

	rule_put(RULE_LOW, 10, "src=10.9.0.50", "priority=7", true);
	rule_put(RULE_HIGH, 10, "src=10.9.0.51", "priority=7", true);
	publish();
	ck_assert_uint_gt(asked, 0);
	asked = narrow_asked(BACK_SLOT);
	send(PLAIN, 2);
	send(LOW, 2);
	let(4);
	leave(PLAIN, 2);
	leave(LOW, 2);
	/* Nor is what is in the device's own ring kept short. */
	ck_assert_uint_eq(narrow_asked(BACK_SLOT), asked);
}
END_TEST

/* Its own queue is full, not that of others. */
START_TEST(what_finds_no_room_to_wait_is_dropped)
{
	plane.region.header->buffer_count = LP_BUFFERS_DEFAULT;
	plane_restart();
	plane.region.header->buffer_count = LP_BUFFERS_MIN;
	/* It has to find its next hop once more. */
	narrow_let_all(BACK_SLOT);
	send(PLAIN, 1);
	leave(PLAIN, 1);
	narrow_let(BACK_SLOT, 0);
	send(PLAIN, LP_QUEUE_LEN);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 0);
	send(PLAIN, 2);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 2);
	ck_assert_uint_eq(count(&stats()->full), 2);
	ck_assert_uint_eq(count(&stats()->queued), LP_QUEUE_LEN);
	clients[PLAIN].sent -= 2;
	send(HIGH, 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 2);
	let(LP_QUEUE_LEN + 1);
	leave(HIGH, 1);
	leave(PLAIN, LP_QUEUE_LEN);
	plane_quiet();
	narrow_let_all(BACK_SLOT);
	send(PLAIN, 1);
	leave(PLAIN, 1);
	ck_assert_uint_eq(count(&stats()->dropped), 0);
}
END_TEST

/* A port has half of all; of that the lowest may fill nine parts in sixteen. */
START_TEST(the_lower_gives_way_the_earlier)
{
	const uint32_t half = LP_BUFFERS_MIN / LP_QUEUE_BUFFERS / 2;
	const uint32_t low = half * 9 / 16, plain = half * 12 / 16 - low;

	ck_assert_uint_eq(count(&plane.region.stats->queued_max), 2 * half);
	send(LOW, low + 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 1);
	send(PLAIN, plain + 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 2);
	send(HIGH, half - low - plain + 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 3);
	ck_assert_uint_eq(count(&stats()->queued), half);
	let(half);
	plane_forget();
}
END_TEST

START_TEST(what_waits_too_long_is_given_up)
{
	send(LOW, 3);
	plane_wait_ms(LP_QUEUE_MS / 2);
	send(HIGH, 1);
	plane_wait_ms(LP_QUEUE_MS / 2);
	ck_assert_uint_eq(count(&plane.region.stats->dropped_queued), 3);
	ck_assert_uint_eq(count(&stats()->dropped), 3);
	narrow_let_all(BACK_SLOT);
	plane_run();
	leave(HIGH, 1);
	plane_quiet();
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 0);
}
END_TEST

/* Nor does a port that takes nothing keep the worker awake by that. */
START_TEST(what_is_given_up_keeps_nobody_awake)
{
	send(LOW, 1);
	plane_wait_ms(LP_QUEUE_MS / 2);
	send(HIGH, 1);
	ck_assert_int_eq(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 1);
	plane.now_ns += LP_QUEUE_MS / 2 * UINT64_C(1000000);
	/* Its next hop is asked for, too. */
	for (unsigned turn = 0; turn < 4; turn++)
		lp_pipeline_run(plane.pipeline, plane.now_ns);
	ck_assert_uint_eq(count(&stats()->dropped), 1);
	ck_assert_uint_gt(count(&stats()->queued), 0);
	ck_assert_int_eq(lp_pipeline_wait_ms(plane.pipeline, plane.now_ns), 1);
}
END_TEST

/* Its buffers are given back: plane_close() counts them. */
START_TEST(a_port_that_goes_takes_nothing_with_it)
{
	send(LOW, 3);
	send(HIGH, 3);
	plane.ports.port[BACK_SLOT] = NULL;
	plane_publish();
	plane_run();
	ck_assert_uint_eq(count(&plane.region.stats->dropped_queued), 6);
	ck_assert_uint_eq(count(&plane.region.stats->queued), 0);
	send(LOW, 1);
	ck_assert_uint_eq(plane_reason(LP_REASON_TX_FULL), 0);
	/* Another one has that slot. */
	narrow_open(BACK_SLOT);
	narrow_let_all(BACK_SLOT);
	publish();
	plane_forget();
	clients[LOW].left = clients[LOW].sent;
	send(LOW, 1);
	leave(LOW, 1);
	ck_assert_uint_eq(count(&stats()->waited), 0);
}
END_TEST

/* Before the worker has looked at a snapshot without it. */
START_TEST(a_slot_is_given_back_with_nothing_waiting)
{
	send(LOW, 3);
	ck_assert(!lp_pipeline_reclaim(plane.pipeline, BACK_SLOT));
	lp_pipeline_run(plane.pipeline, plane.now_ns);
	ck_assert(lp_pipeline_reclaim(plane.pipeline, BACK_SLOT));
	ck_assert_uint_eq(count(&plane.region.stats->queued), 0);
	ck_assert_uint_eq(count(&plane.region.stats->dropped_queued), 3);
}
END_TEST

START_TEST(a_new_process_has_nothing_waiting)
{
	send(LOW, 3);
	send(HIGH, 3);
	plane_restart();
	ck_assert_uint_eq(count(&plane.region.stats->queued), 0);
	ck_assert_uint_eq(count(&stats()->queued), 0);
	narrow_let_all(BACK_SLOT);
	plane_run();
	plane_forget();
	/* The ends send it again. */
	clients[LOW].sent = clients[LOW].left = 0;
	send(LOW, 4);
	leave(LOW, 4);
	/* Its priority was kept. */
	narrow_let(BACK_SLOT, 0);
	send(LOW, 1);
	clients[HIGH].sent = clients[HIGH].left = 0;
	send(HIGH, 1);
	let(2);
	leave(HIGH, 1);
	leave(LOW, 1);
}
END_TEST

/* What we make stays behind what came before it. */
START_TEST(a_reset_of_ours_is_behind_its_connection)
{
	static const char *const rows[] = {
	    "tcp 10.8.0.10:* > 10.8.0.20:9092 R seq=1001",
	    "tcp 10.8.0.10:* > 10.8.0.20:9092 R seq=1011",
	    "tcp 10.8.0.10:* > 10.8.0.20:9092 R seq=1001",
	    "tcp 10.8.0.10:* > 10.8.0.20:9092 R seq=1021",
	};

	send(HIGH, 1);
	send(LOW, 2);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, LEGACY_0);
	lp_config_remove(&plane.config, LP_OBJECT_BROKER, PAYMENTS_0);
	publish();
	ck_assert_uint_eq(plane_connections(), 0);
	narrow_let_all(BACK_SLOT);
	plane_run();
	leave(HIGH, 1);
	for (unsigned i = 0; i < 3; i++)
		plane_expect(BACK_SLOT, rows[i]);
	leave(LOW, 2);
	plane_expect(BACK_SLOT, rows[0]);
	plane_expect(BACK_SLOT, rows[3]);
	ck_assert(!plane_take(BACK_SLOT));
}
END_TEST

START_TEST(what_is_of_no_connection_is_not_kept_waiting)
{
	send(LOW, 8);
	plane_in(BACK_SLOT, "echo 10.8.0.20 > 10.8.0.10 id=1 seq=1 len=56");
	let(1);
	plane_expect(BACK_SLOT, "echo-reply 10.8.0.10 > 10.8.0.20 id=1");
	let(8);
	leave(LOW, 8);
}
END_TEST

/* A wire to others, too: they are in no connection, and in order. */
START_TEST(inline_it_is_the_same)
{
	/* On devices a port needs its very peer. */
	if (!plane_on_memory())
		return;
	plane_close();
	bump_open();
	narrow_open(RIGHT_SLOT);
	narrow_let_all(RIGHT_SLOT);
	rule_put(RULE_HIGH, 10, "src=10.8.0.50", "priority=4", false);
	publish();
	establish();
	narrow_let(RIGHT_SLOT, 0);
	plane_queue(LEFT_SLOT, "echo 10.8.0.9 > 10.8.0.7 id=1 seq=1 len=9");
	plane_queue(LEFT_SLOT, "echo 10.8.0.9 > 10.8.0.7 id=1 seq=2 len=9");
	plane_queue(LEFT_SLOT, C4 "PA seq=1001 ack=5001 len=9");
	plane_run();
	narrow_let_all(RIGHT_SLOT);
	plane_run();
	plane_expect(RIGHT_SLOT, C4 "PA seq=1001");
	plane_expect(RIGHT_SLOT, "echo 10.8.0.9 > 10.8.0.7 seq=1");
	plane_expect(RIGHT_SLOT, "echo 10.8.0.9 > 10.8.0.7 seq=2");
	plane_quiet();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, what_finds_no_room_leaves_later);
	tcase_add_test(tests, the_worker_stays_awake_for_it);
	tcase_add_test(
	    tests, the_highest_is_first_and_the_lowest_keeps_its_share);
	tcase_add_test(tests, the_share_is_one_of_bytes);
	tcase_add_test(tests, what_no_rule_names_is_between_them);
	tcase_add_test(tests, a_rule_turns_no_two_segments_round);
	tcase_add_loop_test(
	    tests, by_chance_no_segment_is_lost_or_passes_another, 0, 4);
	tcase_add_test(tests, in_shadow_it_is_as_if_it_were_not);
	tcase_add_test(tests, what_finds_no_room_to_wait_is_dropped);
	tcase_add_test(tests, the_lower_gives_way_the_earlier);
	tcase_add_test(tests, what_waits_too_long_is_given_up);
	tcase_add_test(tests, what_is_given_up_keeps_nobody_awake);
	tcase_add_test(tests, a_port_that_goes_takes_nothing_with_it);
	tcase_add_test(tests, a_slot_is_given_back_with_nothing_waiting);
	tcase_add_test(tests, a_new_process_has_nothing_waiting);
	tcase_add_test(tests, a_reset_of_ours_is_behind_its_connection);
	tcase_add_test(tests, what_is_of_no_connection_is_not_kept_waiting);
	tcase_add_test(tests, inline_it_is_the_same);
}

int
main(void)
{
	return plane_main("queue", add);
}
