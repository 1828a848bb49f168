/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steering program on an inline port: what is named to us, everything else
 * out of the peer, nothing to the kernel.
 */
#include <bpf/bpf.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/dataplane/steer_frame.h"
#include "tests/support/veth.h"

/* Verdicts: OURS is named, PASS goes out of the peer. */
static const struct steer_row rows[] = {
    {"to a broker", "other", "10.0.0.1", "10.1.0.7", .protocol = 6,
	.source_port = 40000, .destination_port = 9092, .verdict = OURS},
    {"from a broker", "other", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .destination_port = 40000, .verdict = OURS},
    {"with IP options", "us", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .options = 3, .verdict = OURS},
    {"to all", "all", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .verdict = OURS},
    {"to a broker of IPv6", "other", "2001:db8::1", "2001:db8:b::7",
	.protocol = 6, .destination_port = 9092, .verdict = OURS},
    {"from a broker of IPv6", "other", "2001:db8:b::7", "2001:db8::1",
	.protocol = 6, .source_port = 9092, .options = 4, .verdict = OURS},

    {"of another port", "other", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9093, .destination_port = 9092, .verdict = PASS},
    {"of another host", "other", "10.1.0.8", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .verdict = PASS},
    {"UDP", "other", "10.1.0.7", "10.0.0.1", .protocol = 17,
	.source_port = 9092, .verdict = PASS},
    {"a first fragment", "other", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .more = true, .verdict = PASS},
    {"a later fragment", "other", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .fragment = 185, .verdict = PASS},
    {"cut in its ports", "other", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .cut = 17, .verdict = PASS},
    {"too many extension headers", "other", "2001:db8:b::7", "2001:db8::1",
	.protocol = 6, .source_port = 9092, .options = 5, .verdict = PASS},
    {"VLAN", "other", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .type = 0x8100, .verdict = PASS},
    {"LLDP", "group", "10.1.0.7", "10.0.0.1", .protocol = 6,
	.source_port = 9092, .type = 0x88cc, .verdict = PASS},
    {"an error about what a broker was sent", "us", "10.1.0.1", "10.0.0.1",
	.quoted = "10.1.0.7", .source_port = 9092, .protocol = 6, .nd = 3,
	.verdict = PASS},
    {"ARP for an address of ours", "all", .target = "10.9.0.10",
	.verdict = PASS},
    {"ARP for another", "all", .target = "10.9.0.11", .verdict = PASS},
    {"NS", "group", .target = "2001:db8::b", .nd = 135,
	.destination = "ff02::1:ff00:b", .verdict = PASS},
    {"RA", "group", .target = "2001:db8::c", .nd = 134,
	.destination = "ff02::1", .verdict = PASS},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct lp_xdp_steer steer;
static int xsk;
static char why[LP_WHY_SIZE];

static bool
on_copy(void *context, const void *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	(void)len;
	ck_abort_msg("a copy of a frame that the kernel does not get");
	return true;
}

static void
set_all(bool wire_on_loss)
{
	const struct lp_endpoint sources[] = {
	    {steer_ip("10.1.0.7"), 9092}, {steer_ip("2001:db8:b::7"), 9092}};
	struct lp_steer whole = steer_whole(7, NULL, 0, sources, 2);

	whole.is_inline = true;
	whole.wire_on_loss = wire_on_loss;
	ck_assert_int_eq(lp_xdp_steer_set(&steer, &whole, why), 0);
}

static void
set_peer(unsigned ifindex)
{
	int error = lp_xdp_steer_peer(&steer, ifindex, why);

	ck_assert_msg(error == 0, "%s", why);
}

static void
setup(void)
{
	int error = lp_xdp_steer_open(&steer, on_copy, NULL, why);

	ck_assert_msg(error == 0, "%s", why);
	lp_xdp_steer_mode(&steer, LP_STEER_INLINE);
	xsk = socket(AF_XDP, SOCK_RAW, 0);
	ck_assert_int_ge(xsk, 0);
	ck_assert_int_eq(lp_xdp_steer_socket(&steer, 0, xsk), 0);
	lp_xdp_steer_mac(&steer, (const uint8_t[6]){2, 0, 0, 0, 0, 1});
	lp_xdp_steer_beat(&steer, veth_now_ns());
	/* For the verdict any device will do. */
	set_peer(if_nametoindex("lo"));
	set_all(false);
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

static uint32_t
run(const struct steer_row *row)
{
	uint8_t frame[STEER_FRAME_MAX];

	return steer_run(&steer, frame, steer_frame(frame, row));
}

/* As many frames as rows, each under one counter. */
static void
expect_counts(uint64_t ours, uint64_t wired, uint64_t dropped,
    enum lp_steer_counter why_dropped)
{
	ck_assert_uint_eq(counter(LP_STEER_REDIRECTED), ours);
	ck_assert_uint_eq(counter(LP_STEER_WIRED), wired);
	ck_assert_uint_eq(counter(why_dropped), dropped);
	ck_assert_uint_eq(counter(LP_STEER_PASSED), 0);
	ck_assert_uint_eq(counter(LP_STEER_COPIED), 0);
}

START_TEST(a_frame_goes_to_us_or_to_the_peer)
{
	const struct steer_row *row = &rows[_i];
	bool ours = row->verdict == OURS;

	ck_assert_msg(run(row) == XDP_REDIRECT, "%s", row->what);
	ck_assert_msg(counter(LP_STEER_REDIRECTED) == ours, "%s", row->what);
	expect_counts(ours, !ours, 0, LP_STEER_DEAD);
}
END_TEST

START_TEST(a_cut_frame_is_never_a_fault)
{
	struct steer_row row = rows[_i];
	uint8_t frame[STEER_FRAME_MAX];
	size_t whole;

	row.cut = 0;
	whole = steer_frame(frame, &row);
	for (size_t len = 14; len < whole; len++)
		ck_assert_uint_eq(steer_run(&steer, frame, len), XDP_REDIRECT);
}
END_TEST

/* What is to be seen waits for nobody; the rest was never ours. */
START_TEST(without_a_dataplane_what_is_named_is_dropped)
{
	lp_xdp_steer_beat(&steer, veth_now_ns() - 2500000000);
	ck_assert_uint_eq(run(&rows[0]), XDP_DROP);
	ck_assert_uint_eq(run(&rows[ROWS - 1]), XDP_REDIRECT);
	expect_counts(0, 1, 1, LP_STEER_DEAD);
}
END_TEST

START_TEST(or_wired_if_it_is_so_configured)
{
	set_all(true);
	ck_assert_uint_eq(run(&rows[0]), XDP_REDIRECT);
	expect_counts(1, 0, 0, LP_STEER_DEAD);
	lp_xdp_steer_beat(&steer, veth_now_ns() - 2500000000);
	for (unsigned i = 0; i < ROWS; i++)
		ck_assert_uint_eq(run(&rows[i]), XDP_REDIRECT);
	expect_counts(1, ROWS, 0, LP_STEER_DEAD);
	set_all(false);
	ck_assert_uint_eq(run(&rows[0]), XDP_DROP);
}
END_TEST

/* Its sockets go with a process, at once; its heartbeat a little later. */
START_TEST(a_socket_that_is_gone_is_a_dataplane_that_is_gone)
{
	const uint32_t queue = 0;

	ck_assert_int_eq(bpf_map_delete_elem(steer.xsks, &queue), 0);
	ck_assert_uint_eq(run(&rows[0]), XDP_DROP);
	ck_assert_uint_eq(run(&rows[ROWS - 1]), XDP_REDIRECT);
	expect_counts(0, 1, 1, LP_STEER_NO_SOCKET);
	set_all(true);
	ck_assert_uint_eq(run(&rows[0]), XDP_REDIRECT);
	expect_counts(0, 2, 1, LP_STEER_NO_SOCKET);
}
END_TEST

START_TEST(without_its_peer_the_rest_is_dropped_and_counted)
{
	set_peer(0);
	set_peer(0);
	ck_assert_uint_eq(run(&rows[ROWS - 1]), XDP_DROP);
	ck_assert_uint_eq(run(&rows[0]), XDP_REDIRECT);
	expect_counts(1, 0, 1, LP_STEER_NO_PEER);
	set_peer(if_nametoindex("lo"));
	ck_assert_uint_eq(run(&rows[ROWS - 1]), XDP_REDIRECT);
}
END_TEST

START_TEST(what_is_named_no_more_goes_to_the_peer)
{
	const struct lp_endpoint other[] = {{steer_ip("10.1.0.8"), 9092}};
	struct lp_steer whole = steer_whole(8, NULL, 0, other, 1);

	whole.is_inline = true;
	ck_assert_int_eq(lp_xdp_steer_set(&steer, &whole, why), 0);
	for (unsigned i = 0; i < ROWS; i++)
		ck_assert_uint_eq(run(&rows[i]), XDP_REDIRECT);
	/* One row is of that host. */
	expect_counts(1, ROWS - 1, 0, LP_STEER_DEAD);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("steer_inline");
	TCase *tcase = tcase_create("steer_inline");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_frame_goes_to_us_or_to_the_peer, 0, ROWS);
	tcase_add_loop_test(tcase, a_cut_frame_is_never_a_fault, 0, ROWS);
	tcase_add_test(tcase, without_a_dataplane_what_is_named_is_dropped);
	tcase_add_test(tcase, or_wired_if_it_is_so_configured);
	tcase_add_test(
	    tcase, a_socket_that_is_gone_is_a_dataplane_that_is_gone);
	tcase_add_test(tcase, without_its_peer_the_rest_is_dropped_and_counted);
	tcase_add_test(tcase, what_is_named_no_more_goes_to_the_peer);
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
