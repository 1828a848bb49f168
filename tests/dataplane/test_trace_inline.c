/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of what passes inline ports. */
#include <check.h>

#include "dataplane/trace.h"
#include "tests/dataplane/bump.h"
#include "tests/support/ensure.h"
#include "tests/support/plane_main.h"

static struct lp_trace_result result;

static void
trace_at(struct lp_trace *trace, uint64_t offset_ns, const char *text)
{
	const struct lp_trace_source source = {
	    .snapshot = lp_snapshot_get(&plane.cell),
	    .region = &plane.region,
	    .pipeline = plane.pipeline,
	    .config = &plane.config,
	    .now_ns = plane.now_ns,
	};
	struct packet packet;
	struct lp_trace_packet one = {
	    .slot = LEFT_SLOT, .offset_ns = offset_ns};

	packet_build(&packet, text);
	one.bytes = packet.bytes;
	one.len = (uint16_t)packet.len;
	lp_trace_begin(trace, &source, &one, 1);
	ck_assert_int_eq(lp_trace_run(trace, &one, &result), 0);
}

/* Between its packets much time may go by; the worker has not hung. */
START_TEST(a_gap_in_a_file_is_no_hang)
{
	struct lp_trace *trace;

	bump_on_loss(LP_ON_LOSS_WIRE);
	ensure(lp_trace_new(&trace, plane.seed, plane.now_ns) == 0,
	    "no memory for a trace");
	trace_at(trace, 0, C4 "S seq=1000");
	ck_assert_uint_eq(result.reason, LP_REASON_OPENED);
	trace_at(trace, 5 * (uint64_t)LP_DEAD_NS, B4 "SA seq=5000 ack=1001");
	ck_assert_uint_eq(result.reason, LP_REASON_FORWARDED);
	ck_assert_uint_eq(result.dir, LP_TO_CLIENT);
	lp_trace_free(trace);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, bump_open, plane_close);
	tcase_add_test(tests, a_gap_in_a_file_is_no_hang);
}

int
main(void)
{
	return plane_main("trace_inline", add);
}
