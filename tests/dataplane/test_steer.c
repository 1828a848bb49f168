/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steering program as a table: a frame in, a verdict out.  The kernel runs
 * the program on it (BPF_PROG_TEST_RUN); no device is involved.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/dataplane/steer_frame.h"
#include "tests/support/veth.h"

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};

/* What is ours in all rows. */
static const char *const own[] = {"10.9.0.10", "2001:db8::a"};
static const char *const broker = "10.1.0.7";
static const char *const broker_v6 = "2001:db8:b::7";
enum { BROKER_PORT = 9092 };

static const struct steer_row rows[] = {
    {"IPv4 to us", "us", "10.0.0.1", "10.9.0.10", .verdict = OURS},
    {"IPv4 to the host", "us", "10.0.0.1", "10.9.0.11", .verdict = PASS},
    {"IPv6 to us", "us", "2001:db8::1", "2001:db8::a", .verdict = OURS},
    {"IPv6 to the host", "us", "2001:db8::1", "2001:db8::b", .verdict = PASS},
    {"TCP to us", "us", "10.0.0.1", "10.9.0.10", .protocol = 6,
	.verdict = OURS},
    {"ICMP to us", "us", "10.0.0.1", "10.9.0.10", .protocol = 1,
	.verdict = OURS},
    {"a first fragment", "us", "10.0.0.1", "10.9.0.10", .verdict = OURS},
    {"a later fragment", "us", "10.0.0.1", "10.9.0.10", .fragment = 185,
	.verdict = OURS},
    {"with IP options", "us", "10.0.0.1", "10.9.0.10", .options = 3,
	.verdict = OURS},
    {"to another MAC", "other", "10.0.0.1", "10.9.0.10", .verdict = PASS},
    {"VLAN tagged", "us", "10.0.0.1", "10.9.0.10", .type = 0x8100,
	.verdict = PASS},
    {"QinQ", "us", "10.0.0.1", "10.9.0.10", .type = 0x88a8, .verdict = PASS},
    {"another EtherType", "us", "10.0.0.1", "10.9.0.10", .type = 0x88cc,
	.verdict = PASS},
    {"IPv4 cut", "us", "10.0.0.1", "10.9.0.10", .cut = 30, .verdict = PASS},
    {"IPv6 cut", "us", "2001:db8::1", "2001:db8::a", .cut = 30,
	.verdict = PASS},

    {"from a broker", "us", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .verdict = OURS},
    {"from its other port", "us", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9093, .verdict = PASS},
    {"UDP of its port", "us", "10.1.0.7", "10.0.0.1", .protocol = 17,
	.source_port = 9092, .verdict = PASS},
    {"from no broker", "us", "10.1.0.8", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .verdict = PASS},
    {"from a broker, IP options", "us", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .options = 10, .verdict = OURS},
    {"from a broker, fragment", "us", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .fragment = 1, .verdict = PASS},
    {"from a broker, cut", "us", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .cut = 20, .verdict = PASS},
    {"from a v6 broker", "us", "2001:db8:b::7", "2001:db8::1", .protocol = 6,
	.source_port = 9092, .verdict = OURS},
    {"from its other port", "us", "2001:db8:b::7", "2001:db8::1", .protocol = 6,
	.source_port = 9093, .verdict = PASS},
    {"from a v6 broker, options", "us", "2001:db8:b::7", "2001:db8::1",
	.protocol = 6, .source_port = 9092, .options = 4, .verdict = OURS},
    {"from a v6 broker, more than are walked over", "us", "2001:db8:b::7",
	"2001:db8::1", .protocol = 6, .source_port = 9092, .options = 5,
	.verdict = PASS},
    {"from a v6 broker, cut in its options", "us", "2001:db8:b::7",
	"2001:db8::1", .protocol = 6, .source_port = 9092, .options = 4,
	.cut = 21, .verdict = PASS},
    {"an error about what a broker was sent", "us", "10.1.0.1", "10.0.0.1",
	.quoted = "10.1.0.7", .source_port = 9092, .protocol = 6, .nd = 3,
	.options = 2, .verdict = OURS},
    {"TTL exceeded", "us", "10.1.0.1", "10.0.0.1", .quoted = "10.1.0.7",
	.source_port = 9092, .protocol = 6, .nd = 11, .verdict = OURS},
    {"a bad parameter", "us", "10.1.0.1", "10.0.0.1", .quoted = "10.1.0.7",
	.source_port = 9092, .protocol = 6, .nd = 12, .verdict = OURS},
    {"a redirect", "us", "10.1.0.1", "10.0.0.1", .quoted = "10.1.0.7",
	.source_port = 9092, .protocol = 6, .nd = 5, .verdict = PASS},
    {"about its other port", "us", "10.1.0.1", "10.0.0.1", .quoted = "10.1.0.7",
	.source_port = 9093, .protocol = 6, .nd = 3, .verdict = PASS},
    {"about another", "us", "10.1.0.1", "10.0.0.1", .quoted = "10.1.0.8",
	.source_port = 9092, .protocol = 6, .nd = 3, .verdict = PASS},
    {"about UDP", "us", "10.1.0.1", "10.0.0.1", .quoted = "10.1.0.7",
	.source_port = 9092, .nd = 3, .verdict = PASS},
    {"cut in its quote", "us", "10.1.0.1", "10.0.0.1", .quoted = "10.1.0.7",
	.source_port = 9092, .protocol = 6, .nd = 3, .cut = 1, .verdict = PASS},
    {"about what a v6 broker was sent", "us", "fe80::1", "2001:db8::1",
	.quoted = "2001:db8:b::7", .source_port = 9092, .protocol = 6, .nd = 2,
	.options = 1, .verdict = OURS},
    {"about its other port", "us", "fe80::1", "2001:db8::1",
	.quoted = "2001:db8:b::7", .source_port = 9093, .protocol = 6, .nd = 2,
	.verdict = PASS},
    {"about UDP", "us", "fe80::1", "2001:db8::1", .quoted = "2001:db8:b::7",
	.source_port = 9092, .nd = 4, .verdict = PASS},
    {"no error", "us", "fe80::1", "2001:db8::1", .quoted = "2001:db8:b::7",
	.source_port = 9092, .protocol = 6, .nd = 128, .verdict = PASS},
    {"cut in its quote", "us", "fe80::1", "2001:db8::1",
	.quoted = "2001:db8:b::7", .source_port = 9092, .protocol = 6, .nd = 1,
	.cut = 1, .verdict = PASS},

    {"ARP for us", "all", .target = "10.9.0.10", .verdict = OURS},
    {"ARP for us, unicast", "us", .target = "10.9.0.10", .verdict = OURS},
    {"ARP for another", "all", .target = "10.9.0.11", .verdict = COPY},
    {"ARP for the host", "us", .target = "10.9.0.11", .verdict = PASS},
    {"ARP cut", "all", .target = "10.9.0.10", .cut = 19, .verdict = PASS},

    {"NS for us, group", "group", .target = "2001:db8::a", .nd = 135,
	.destination = "ff02::1:ff00:a", .verdict = OURS},
    {"NS for us, unicast", "us", .target = "2001:db8::a", .nd = 135,
	.destination = "2001:db8::a", .verdict = OURS},
    {"NS for the host", "group", .target = "2001:db8::b", .nd = 135,
	.destination = "ff02::1:ff00:b", .verdict = COPY},
    {"NS for the host, unicast", "us", .target = "2001:db8::b", .nd = 135,
	.destination = "2001:db8::b", .verdict = PASS},
    {"NA to us", "us", .target = "2001:db8::c", .nd = 136,
	.destination = "2001:db8::a", .verdict = OURS},
    {"NA to all", "group", .target = "2001:db8::c", .nd = 136,
	.destination = "ff02::1", .verdict = COPY},
    {"NA to the host", "us", .target = "2001:db8::c", .nd = 136,
	.destination = "2001:db8::b", .verdict = PASS},
    {"RA to all", "group", .target = "2001:db8::c", .nd = 134,
	.destination = "ff02::1", .verdict = PASS},
    {"NS for us, options", "group", .target = "2001:db8::a", .nd = 135,
	.destination = "ff02::1:ff00:a", .options = 1, .verdict = OURS},
    {"NS for the host, options", "group", .target = "2001:db8::b", .nd = 135,
	.destination = "ff02::1:ff00:b", .options = 2, .verdict = COPY},
    {"NS cut", "group", .target = "2001:db8::a", .nd = 135,
	.destination = "ff02::1:ff00:a", .cut = 1, .verdict = PASS},
};

static struct lp_xdp_steer steer;
static int xsk;
static uint8_t copied[STEER_FRAME_MAX];
static size_t copied_len;
static char why[LP_WHY_SIZE];

static bool
on_copy(void *context, const void *bytes, size_t len)
{
	(void)context;
	memcpy(copied, bytes, len);
	copied_len = len;
	return true;
}

static void
set_all(void)
{
	const struct lp_ip addresses[] = {steer_ip(own[0]), steer_ip(own[1])};
	const struct lp_endpoint sources[] = {{steer_ip(broker), BROKER_PORT},
	    {steer_ip(broker_v6), BROKER_PORT}};
	const struct lp_steer whole = steer_whole(7, addresses, 2, sources, 2);

	ck_assert_int_eq(lp_xdp_steer_set(&steer, &whole, why), 0);
}

static void
setup(void)
{
	int error = lp_xdp_steer_open(&steer, on_copy, NULL, why);

	ck_assert_msg(error == 0, "%s", why);
	/* For the verdict it need not be bound. */
	xsk = socket(AF_XDP, SOCK_RAW, 0);
	ck_assert_int_ge(xsk, 0);
	ck_assert_int_eq(lp_xdp_steer_socket(&steer, 0, xsk), 0);
	lp_xdp_steer_mac(&steer, own_mac);
	lp_xdp_steer_beat(&steer, veth_now_ns());
	set_all();
}

static void
teardown(void)
{
	lp_xdp_steer_close(&steer);
	close(xsk);
}

static uint64_t
counter(enum lp_steer_counter which)
{
	uint64_t values[LP_STEER_COUNTERS];

	lp_xdp_steer_counters(&steer, values);
	return values[which];
}

START_TEST(a_frame_has_its_verdict)
{
	const struct steer_row *row = &rows[_i];
	uint8_t frame[STEER_FRAME_MAX];
	size_t len = steer_frame(frame, row);
	uint32_t action = steer_run(&steer, frame, len);

	ck_assert_msg(
	    action == (row->verdict == OURS ? XDP_REDIRECT : XDP_PASS),
	    "%s: %u", row->what, action);
	copied_len = 0;
	lp_xdp_steer_copies(&steer);
	ck_assert_msg(
	    (copied_len != 0) == (row->verdict == COPY), "%s", row->what);
	if (row->verdict == COPY) {
		ck_assert_uint_eq(copied_len, len);
		ck_assert_mem_eq(copied, frame, len);
	}
	ck_assert_uint_eq(counter(LP_STEER_REDIRECTED), row->verdict == OURS);
	ck_assert_uint_eq(counter(LP_STEER_PASSED), row->verdict != OURS);
	ck_assert_uint_eq(counter(LP_STEER_COPIED), row->verdict == COPY);
	ck_assert_uint_eq(
	    counter(LP_STEER_VLAN), row->type == 0x8100 || row->type == 0x88a8);
}
END_TEST

/* Every frame cut at every byte: never ours by what is not there. */
START_TEST(a_cut_frame_is_never_a_fault)
{
	struct steer_row row = rows[_i];
	uint8_t frame[STEER_FRAME_MAX];
	size_t len, whole;

	row.cut = 0;
	whole = steer_frame(frame, &row);
	/* The kernel runs nothing shorter than an Ethernet header. */
	for (len = 14; len < whole; len++) {
		uint32_t action = steer_run(&steer, frame, len);

		ck_assert(action == XDP_PASS || action == XDP_REDIRECT);
	}
}
END_TEST

static const struct steer_row *const to_us = &rows[0];

START_TEST(a_dead_dataplane_drops_what_is_ours_and_nothing_else)
{
	uint8_t frame[STEER_FRAME_MAX];
	size_t len = steer_frame(frame, to_us);
	const uint64_t beat = veth_now_ns() - 2500000000;

	lp_xdp_steer_beat(&steer, beat);
	ck_assert_uint_eq(steer_run(&steer, frame, len), XDP_DROP);
	ck_assert_uint_eq(counter(LP_STEER_DEAD), 1);
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, &rows[1])), XDP_PASS);
	/* A little late is not dead. */
	lp_xdp_steer_beat(&steer, veth_now_ns() - 1000000000);
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, to_us)), XDP_REDIRECT);
}
END_TEST

START_TEST(a_dataplane_that_never_lived_is_dead)
{
	uint8_t frame[STEER_FRAME_MAX];

	lp_xdp_steer_beat(&steer, 0);
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, to_us)), XDP_DROP);
}
END_TEST

START_TEST(a_heartbeat_ahead_of_the_coarse_clock_is_alive)
{
	uint8_t frame[STEER_FRAME_MAX];

	lp_xdp_steer_beat(&steer, veth_now_ns() + 1000000000);
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, to_us)), XDP_REDIRECT);
}
END_TEST

START_TEST(a_queue_without_socket_drops_and_counts)
{
	uint8_t frame[STEER_FRAME_MAX];
	uint32_t queue = 0;

	ck_assert_int_eq(bpf_map_delete_elem(steer.xsks, &queue), 0);
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, to_us)), XDP_DROP);
	ck_assert_uint_eq(counter(LP_STEER_NO_SOCKET), 1);
}
END_TEST

START_TEST(a_new_set_replaces_the_old_one)
{
	const struct lp_ip addresses[] = {steer_ip("10.9.0.11")};
	const struct lp_steer whole = steer_whole(8, addresses, 1, NULL, 0);
	uint8_t frame[STEER_FRAME_MAX];
	unsigned i;

	ck_assert_int_eq(lp_xdp_steer_set(&steer, &whole, why), 0);
	ck_assert_uint_eq(steer.control->generation, 8);
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, &rows[0])), XDP_PASS);
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, &rows[1])),
	    XDP_REDIRECT);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].source_port != 0)
			ck_assert_uint_eq(steer_run(&steer, frame,
					      steer_frame(frame, &rows[i])),
			    XDP_PASS);
	set_all();
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, &rows[0])),
	    XDP_REDIRECT);
	ck_assert_uint_eq(
	    steer_run(&steer, frame, steer_frame(frame, &rows[1])), XDP_PASS);
}
END_TEST

/* All that a configuration can name, twice over, replaced by all others. */
START_TEST(the_largest_sets_follow_each_other)
{
	enum {
		ADDRESSES =
		    LP_PORT_ADDRESSES_MAX + LP_LISTENERS_MAX + LP_ENDPOINTS_MAX,
		SOURCES = LP_BROKERS_MAX,
	};
	static struct lp_ip addresses[ADDRESSES];
	static struct lp_endpoint sources[SOURCES];
	const struct lp_steer whole =
	    steer_whole(1, addresses, ADDRESSES, sources, SOURCES);
	struct lp_steer_address key, next;
	unsigned round, count = 0;
	uint32_t i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < ADDRESSES; i++) {
			const uint8_t v4[4] = {
			    10, (uint8_t)round, (uint8_t)(i >> 8), (uint8_t)i};

			lp_ip_from_v4(&addresses[i], v4);
			if (i < SOURCES)
				sources[i] = (struct lp_endpoint){
				    addresses[i], BROKER_PORT};
		}
		ck_assert_int_eq(lp_xdp_steer_set(&steer, &whole, why), 0);
	}
	if (bpf_map_get_next_key(steer.addresses, NULL, &next) == 0) {
		do {
			key = next;
			count++;
		} while (
		    bpf_map_get_next_key(steer.addresses, &key, &next) == 0);
	}
	ck_assert_uint_eq(count, ADDRESSES);
}
END_TEST

START_TEST(copies_beyond_the_ring_are_counted_and_later_ones_come)
{
	uint8_t frame[STEER_FRAME_MAX];
	const struct steer_row *arp = NULL;
	unsigned i;
	size_t len;

	for (i = 0; arp == NULL; i++)
		if (rows[i].verdict == COPY)
			arp = &rows[i];
	len = steer_frame(frame, arp);
	for (i = 0; i < 1000; i++)
		ck_assert_uint_eq(steer_run(&steer, frame, len), XDP_PASS);
	ck_assert_uint_gt(counter(LP_STEER_COPY_LOST), 0);
	ck_assert_uint_gt(counter(LP_STEER_COPIED), 0);
	lp_xdp_steer_copies(&steer);
	copied_len = 0;
	ck_assert_uint_eq(steer_run(&steer, frame, len), XDP_PASS);
	lp_xdp_steer_copies(&steer);
	ck_assert_uint_eq(copied_len, len);
}
END_TEST

static Suite *
make_suite(void)
{
	const int count = sizeof(rows) / sizeof(rows[0]);
	Suite *suite = suite_create("steer");
	TCase *tcase = tcase_create("steer");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_frame_has_its_verdict, 0, count);
	tcase_add_loop_test(tcase, a_cut_frame_is_never_a_fault, 0, count);
	tcase_add_test(
	    tcase, a_dead_dataplane_drops_what_is_ours_and_nothing_else);
	tcase_add_test(tcase, a_dataplane_that_never_lived_is_dead);
	tcase_add_test(tcase, a_heartbeat_ahead_of_the_coarse_clock_is_alive);
	tcase_add_test(tcase, a_queue_without_socket_drops_and_counts);
	tcase_add_test(tcase, a_new_set_replaces_the_old_one);
	tcase_add_test(tcase, the_largest_sets_follow_each_other);
	tcase_add_test(
	    tcase, copies_beyond_the_ring_are_counted_and_later_ones_come);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	SRunner *runner;
	int error, failed;

	error = lp_xdp_steer_open(&steer, on_copy, NULL, why);
	if (error == -EPERM) {
		fprintf(stderr, "skipped: %s\n", why);
		return VETH_SKIPPED;
	}
	lp_xdp_steer_close(&steer);
	runner = srunner_create(make_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
