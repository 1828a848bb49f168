/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of packets: which, what is in them, and the ring under two threads. */
#include "dataplane/pipeline/capture.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/packet.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "

enum { SNAP = 256, RING = 64 };

static struct lp_capture *
new_capture(uint32_t count)
{
	struct lp_capture *capture = aligned_alloc(64, sizeof(*capture));

	ensure(capture != NULL, "no memory");
	memset(capture, 0, sizeof(*capture));
	capture->slots = UINT16_MAX;
	capture->snap = SNAP;
	capture->stride = lp_capture_stride(SNAP);
	capture->count = count;
	capture->entries = aligned_alloc(64, (size_t)count * capture->stride);
	ensure(capture->entries != NULL, "no memory");
	return capture;
}

static void
free_capture(struct lp_capture *capture)
{
	free(capture->entries);
	free(capture);
}

/* The oldest entry's frame as text; NULL if there is none. */
static const struct lp_capture_entry *
next(struct lp_capture *capture, char text[PACKET_TEXT_SIZE])
{
	const struct lp_capture_entry *entry = lp_capture_oldest(capture);

	if (entry != NULL)
		packet_describe(text, entry->bytes, entry->cut);
	return entry;
}

static void
expect(struct lp_capture *capture, uint8_t slot, bool sent, const char *text)
{
	char is[PACKET_TEXT_SIZE];
	const struct lp_capture_entry *entry = next(capture, is);

	ck_assert_ptr_nonnull(entry);
	ck_assert_msg(packet_matches(is, text), "%s, not %s", is, text);
	ck_assert_uint_eq(entry->slot, slot);
	ck_assert_int_eq(entry->sent, sent);
	lp_capture_consumed(capture);
}

static void
open_connection(void)
{
	plane_in(0, C4 "S seq=1000 mss=1460");
	plane_expect(1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S");
	plane_in(1, B4 "SA seq=5000 ack=1001 mss=1460");
	plane_in(0, C4 "A seq=1001 ack=5001");
	plane_forget();
}

static struct lp_capture *capture;

static void
setup(void)
{
	plane_open(LP_CONNECTIONS_MIN);
	plane_run();
	capture = new_capture(RING);
	capture->sent = true;
}

static void
teardown(void)
{
	lp_pipeline_capture(plane.pipeline, NULL);
	free_capture(capture);
	plane_close();
}

START_TEST(a_packet_is_copied_as_it_came_and_as_it_leaves)
{
	const struct lp_capture_entry *entry;

	open_connection();
	lp_pipeline_capture(plane.pipeline, capture);
	plane_in(0, C4 "PA seq=1001 ack=5001 len=100");
	entry = lp_capture_oldest(capture);
	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry->verdict, LP_FORWARD);
	ck_assert_uint_eq(entry->reason, LP_REASON_FORWARDED);
	ck_assert_uint_eq(entry->conn_serial, plane_connection(0)->serial);
	ck_assert_uint_eq(entry->listener_id, PAYMENTS_PUBLIC);
	ck_assert_uint_eq(entry->broker_id, PAYMENTS_0);
	ck_assert_uint_eq(entry->time_ns, plane.now_ns);
	ck_assert_uint_eq(entry->payload_len, 100);
	expect(capture, 0, false, C4 "PA seq=1001 len=100");
	expect(capture, 1, true, "tcp 10.8.0.10:* > 10.8.0.20:9092 PA len=100");
	plane_in(1, B4 "A seq=5001 ack=1101");
	ck_assert_uint_eq(lp_capture_oldest(capture)->dir, LP_TO_CLIENT);
	expect(capture, 1, false, "tcp 10.8.0.20:9092 > 10.8.0.10:* A");
	expect(capture, 0, true, "tcp 10.9.0.100:9100 > 10.9.0.50:40000 A");
	ck_assert_ptr_null(lp_capture_oldest(capture));
	ck_assert_uint_eq(lp_count_get(&capture->captured), 4);
	plane_forget();
}
END_TEST

START_TEST(a_held_syn_says_so_and_is_not_sent)
{
	lp_pipeline_capture(plane.pipeline, capture);
	plane_in(0, C4 "S seq=1000");
	ck_assert_uint_eq(lp_capture_oldest(capture)->verdict, LP_HOLD);
	ck_assert_uint_eq(
	    lp_capture_oldest(capture)->reason, LP_REASON_NEIGHBOR_PENDING);
	expect(capture, 0, false, C4 "S seq=1000");
	ck_assert_ptr_null(lp_capture_oldest(capture));
	plane_forget();
}
END_TEST

START_TEST(what_has_no_connection_is_not_copied)
{
	lp_pipeline_capture(plane.pipeline, capture);
	plane_in(0, "tcp 10.9.0.50:1 > 10.9.0.100:9100 A seq=1 ack=1");
	plane_in(0, "echo 10.9.0.50 > 10.9.0.100 id=1 len=10");
	plane_in(0, "arp-request 10.9.0.50 > 10.9.0.100");
	ck_assert_ptr_null(lp_capture_oldest(capture));
	plane_forget();
}
END_TEST

START_TEST(after_it_was_taken_away_nothing_is_copied)
{
	open_connection();
	lp_pipeline_capture(plane.pipeline, capture);
	lp_pipeline_capture(plane.pipeline, NULL);
	plane_in(0, C4 "A seq=1001 ack=5001");
	ck_assert_ptr_null(lp_capture_oldest(capture));
	plane_forget();
}
END_TEST

START_TEST(a_long_packet_is_cut)
{
	open_connection();
	lp_pipeline_capture(plane.pipeline, capture);
	plane_in(0, C4 "A seq=1001 ack=5001 len=1000");
	ck_assert_uint_eq(lp_capture_oldest(capture)->len, 1054);
	ck_assert_uint_eq(lp_capture_oldest(capture)->cut, SNAP);
	plane_forget();
}
END_TEST

START_TEST(a_full_ring_costs_copies_and_no_packet)
{
	open_connection();
	capture->sent = false;
	lp_pipeline_capture(plane.pipeline, capture);
	for (unsigned i = 0; i < RING + 10; i++)
		plane_in(0, C4 "A seq=1001 ack=5001");
	ck_assert_uint_eq(lp_count_get(&capture->captured), RING);
	ck_assert_uint_eq(lp_count_get(&capture->dropped), 10);
	for (unsigned i = 0; i < RING + 10; i++)
		plane_expect(1, "tcp 10.8.0.10:* > 10.8.0.20:9092 A");
	plane_quiet();
	/* And goes on where there is room again. */
	lp_capture_consumed(capture);
	plane_in(0, C4 "A seq=1001 ack=5001");
	ck_assert_uint_eq(lp_count_get(&capture->captured), RING + 1);
	plane_forget();
}
END_TEST

/* Each filter, and whether the connection of open_connection() matches. */
static const struct {
	const char *client; /* "IP/LEN" */
	uint32_t listener;
	uint32_t broker;
	uint16_t slots;
	bool matches;
} filters[] = {
    {NULL, 0, 0, 0xffff, true},
    {"10.9.0.50/32", 0, 0, 0xffff, true},
    {"10.9.0.0/24", 0, 0, 0xffff, true},
    {"10.9.0.51/32", 0, 0, 0xffff, false},
    {"0.0.0.0/0", 0, 0, 0xffff, true},
    {"10.9.0.48/30", 0, 0, 0xffff, true},
    {"10.9.0.52/30", 0, 0, 0xffff, false},
    {"2001:db8::/32", 0, 0, 0xffff, false},
    {NULL, PAYMENTS_PUBLIC, 0, 0xffff, true},
    {NULL, LEGACY, 0, 0xffff, false},
    {NULL, 0, PAYMENTS_0, 0xffff, true},
    {NULL, 0, PAYMENTS_1, 0xffff, false},
    {NULL, 0, 0, 1, true},
    {NULL, 0, 0, 2, false},
    {"10.9.0.0/24", PAYMENTS_PUBLIC, PAYMENTS_0, 1, true},
    {"10.9.0.0/24", PAYMENTS_PUBLIC, PAYMENTS_1, 1, false},
};

static void
set_client(const char *text)
{
	struct lp_prefix prefix;
	uint8_t mask[16] = {0};
	unsigned len;

	ck_assert_int_eq(lp_prefix_parse(&prefix, text, NULL), 0);
	len = prefix.len + (lp_ip_is_v4(&prefix.ip) ? 96u : 0);
	for (unsigned i = 0; i < len; i++)
		mask[i / 8] |= (uint8_t)(0x80u >> i % 8);
	for (unsigned i = 0; i < 16; i++)
		prefix.ip.bytes[i] &= mask[i];
	memcpy(capture->client, prefix.ip.bytes, 16);
	memcpy(capture->client_mask, mask, 16);
}

START_TEST(all_of_a_filter_must_hold)
{
	open_connection();
	capture->sent = false;
	capture->slots = filters[_i].slots;
	if (filters[_i].client != NULL)
		set_client(filters[_i].client);
	capture->listeners[0] = filters[_i].listener;
	capture->listener_count = filters[_i].listener != 0;
	capture->brokers[0] = filters[_i].broker;
	capture->broker_count = filters[_i].broker != 0;
	lp_pipeline_capture(plane.pipeline, capture);
	plane_in(0, C4 "A seq=1001 ack=5001");
	ck_assert_int_eq(
	    lp_capture_oldest(capture) != NULL, filters[_i].matches);
	plane_forget();
}
END_TEST

/* As a stage between admit and rewrite would: on a batch of its own. */
static struct lp_batch batch;
static uint8_t frames[2][SNAP];

static void
make_batch(void)
{
	static struct lp_region region;

	region = plane.region;
	capture->region = &region;
	memset(&batch, 0, sizeof(batch));
	memset(frames, 'x', sizeof(frames));
	batch.capture = capture;
	batch.count = 2;
	for (unsigned i = 0; i < 2; i++)
		batch.pkts[i] = (struct lp_pkt){.data = frames[i],
		    .len = 100,
		    .payload_off = 54,
		    .payload_len = 46,
		    .conn = i == 0 ? (uint32_t)(plane_connection(0) -
					 plane.region.connections)
				   : LP_CONN_NONE};
}

START_TEST(a_note_goes_with_its_packet)
{
	const struct lp_capture_entry *entry;
	struct lp_capture_note *note;

	open_connection();
	make_batch();
	lp_capture_received(&batch);
	ck_assert_ptr_null(lp_capture_note(&batch, &batch.pkts[1]));
	note = lp_capture_note(&batch, &batch.pkts[0]);
	lp_capture_text(note, "Produce v", 9);
	lp_capture_number(note, 9);
	lp_capture_text(note, " corr ", 6);
	lp_capture_number(note, INT64_MIN);
	lp_capture_text(note, " ", 1);
	lp_capture_number(note, 0);
	ck_assert_ptr_null(lp_capture_oldest(capture));
	batch.pkts[0].verdict = LP_FORWARD;
	lp_capture_sent(&batch);
	lp_capture_finish(&batch);
	for (int i = 0; i < 2; i++) {
		static const char text[] =
		    "Produce v9 corr -9223372036854775808 0";

		entry = lp_capture_oldest(capture);
		ck_assert_uint_eq(entry->note.len, sizeof(text) - 1);
		ck_assert_mem_eq(entry->note.text, text, sizeof(text) - 1);
		ck_assert_int_eq(entry->sent, i);
		lp_capture_consumed(capture);
	}
	plane_forget();
}
END_TEST

/* Inline a packet passes whose connection another one has ended. */
START_TEST(what_leaves_may_have_no_connection_any_more)
{
	open_connection();
	make_batch();
	lp_capture_received(&batch);
	batch.pkts[0].verdict = LP_FORWARD;
	batch.pkts[0].conn = LP_CONN_NONE;
	lp_capture_sent(&batch);
	lp_capture_finish(&batch);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(lp_capture_oldest(capture)->conn_serial,
		    plane_connection(0)->serial);
		ck_assert_uint_eq(
		    lp_capture_oldest(capture)->note.zero_len, 46);
		lp_capture_consumed(capture);
	}
	plane_forget();
}
END_TEST

START_TEST(a_note_that_is_too_long_is_cut)
{
	struct lp_capture_note *note;

	open_connection();
	make_batch();
	lp_capture_received(&batch);
	note = lp_capture_note(&batch, &batch.pkts[0]);
	for (int i = 0; i < LP_CAPTURE_NOTE_SIZE; i++)
		lp_capture_text(note, "abc", 3);
	lp_capture_number(note, 12345);
	ck_assert_uint_eq(note->len, LP_CAPTURE_NOTE_SIZE);
	batch.pkts[0].verdict = LP_DROP;
	lp_capture_finish(&batch);
	plane_forget();
}
END_TEST

/* Ranges of the payload, 46 bytes from 54 on, and what is left of 'x'. */
static const struct {
	uint16_t from[2], len[2];
	uint16_t first, end; /* of the zeroes in the frame */
} hidden[] = {
    {{0, 0}, {0, 0}, 54, 54},
    {{0, 0}, {46, 0}, 54, 100},
    {{10, 0}, {5, 0}, 64, 69},
    {{10, 30}, {5, 2}, 64, 86},
    {{30, 10}, {2, 5}, 64, 86},
    {{40, 0}, {60000, 0}, 94, 100},
    {{65535, 0}, {65535, 0}, 100, 100},
};

START_TEST(hidden_bytes_are_in_no_copy)
{
	open_connection();
	make_batch();
	lp_capture_received(&batch);
	/* Nobody has read it: until somebody has, all of it is hidden. */
	ck_assert_uint_eq(
	    lp_capture_note(&batch, &batch.pkts[0])->zero_len, 46);
	lp_capture_show(lp_capture_note(&batch, &batch.pkts[0]));
	for (int i = 0; i < 2; i++)
		if (hidden[_i].len[i] > 0)
			lp_capture_hide(lp_capture_note(&batch, &batch.pkts[0]),
			    hidden[_i].from[i], hidden[_i].len[i]);
	batch.pkts[0].verdict = LP_FORWARD;
	lp_capture_sent(&batch);
	lp_capture_finish(&batch);
	for (int copy = 0; copy < 2; copy++) {
		const uint8_t *bytes = lp_capture_oldest(capture)->bytes;

		for (unsigned i = 0; i < 100; i++)
			ck_assert_uint_eq(bytes[i],
			    i >= hidden[_i].first && i < hidden[_i].end ? 0
									: 'x');
		lp_capture_consumed(capture);
	}
	/* The packet itself goes out as it is. */
	ck_assert_uint_eq(frames[0][70], 'x');
	plane_forget();
}
END_TEST

/*
 * The worker at full speed against a reader that is slower: what is copied is
 * whole and in order, and copied and dropped are all there were.
 */
enum { ROUNDS = 100000, PER_ROUND = 5 };

static atomic_bool produced;

static void
fill(uint8_t bytes[SNAP], uint32_t number)
{
	for (unsigned i = 0; i < SNAP / sizeof(number); i++)
		memcpy(bytes + i * sizeof(number), &number, sizeof(number));
}

static void *
produce(void *arg)
{
	static uint8_t data[PER_ROUND][SNAP];
	struct lp_batch *own = arg;
	uint32_t number = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < PER_ROUND; i++) {
			fill(data[i], number++);
			own->pkts[i].data = data[i];
			own->pkts[i].verdict = LP_UNDECIDED;
		}
		lp_capture_received(own);
		for (unsigned i = 0; i < PER_ROUND; i++) {
			struct lp_capture_note *note =
			    lp_capture_note(own, &own->pkts[i]);

			if (note != NULL)
				lp_capture_text(note, "n", 1);
			own->pkts[i].verdict = LP_FORWARD;
		}
		lp_capture_finish(own);
	}
	atomic_store(&produced, true);
	return NULL;
}

static bool
consume_one(uint32_t *last)
{
	const struct lp_capture_entry *entry = lp_capture_oldest(capture);
	uint8_t expected[SNAP];
	uint32_t number;

	if (entry == NULL)
		return false;
	memcpy(&number, entry->bytes, sizeof(number));
	fill(expected, number);
	ck_assert_int_eq(memcmp(entry->bytes, expected, SNAP), 0);
	ck_assert_uint_eq(entry->verdict, LP_FORWARD);
	ck_assert_uint_eq(entry->note.len, 1);
	ck_assert(number > *last || *last == UINT32_MAX);
	*last = number;
	lp_capture_consumed(capture);
	return true;
}

START_TEST(a_reader_beside_the_worker_sees_whole_packets_in_order)
{
	static struct lp_batch own;
	static struct lp_region region;
	uint64_t read = 0;
	uint32_t last = UINT32_MAX;
	pthread_t thread;

	open_connection();
	region = plane.region;
	capture->region = &region;
	capture->sent = false;
	own.capture = capture;
	own.count = PER_ROUND;
	for (unsigned i = 0; i < PER_ROUND; i++)
		own.pkts[i] = (struct lp_pkt){.len = SNAP,
		    .conn = (uint32_t)(plane_connection(0) -
			plane.region.connections)};
	ck_assert_int_eq(pthread_create(&thread, NULL, produce, &own), 0);
	for (;;) {
		bool done = atomic_load(&produced);

		while (consume_one(&last))
			read++;
		if (done)
			break;
		sched_yield();
	}
	pthread_join(thread, NULL);
	ck_assert_uint_eq(read, lp_count_get(&capture->captured));
	ck_assert_uint_eq(read + lp_count_get(&capture->dropped),
	    (uint64_t)ROUNDS * PER_ROUND);
	plane_forget();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_packet_is_copied_as_it_came_and_as_it_leaves);
	tcase_add_test(tests, a_held_syn_says_so_and_is_not_sent);
	tcase_add_test(tests, what_has_no_connection_is_not_copied);
	tcase_add_test(tests, after_it_was_taken_away_nothing_is_copied);
	tcase_add_test(tests, a_long_packet_is_cut);
	tcase_add_test(tests, a_full_ring_costs_copies_and_no_packet);
	tcase_add_loop_test(tests, all_of_a_filter_must_hold, 0,
	    sizeof(filters) / sizeof(filters[0]));
	tcase_add_test(tests, a_note_goes_with_its_packet);
	tcase_add_test(tests, what_leaves_may_have_no_connection_any_more);
	tcase_add_test(tests, a_note_that_is_too_long_is_cut);
	tcase_add_loop_test(tests, hidden_bytes_are_in_no_copy, 0,
	    sizeof(hidden) / sizeof(hidden[0]));
	tcase_add_test(
	    tests, a_reader_beside_the_worker_sees_whole_packets_in_order);
}

int
main(void)
{
	return plane_main("capture", add);
}
