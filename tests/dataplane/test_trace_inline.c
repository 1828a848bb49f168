/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of what passes inline ports. */
#include <check.h>

#include "dataplane/trace.h"
#include "dataplane/trace_rules.h"
#include "tests/dataplane/bump.h"
#include "tests/support/ensure.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

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

/* The rule that decides of a SYN; NULL: none. */
static const char *
decides(const char *text)
{
	static struct lp_trace_rules asked;
	struct lp_trace *trace;

	ensure(lp_trace_new(&trace, plane.seed, plane.now_ns) == 0,
	    "no memory for a trace");
	trace_at(trace, 0, text);
	lp_trace_free(trace);
	ck_assert(result.is_asked);
	ck_assert_str_eq(result.stages[result.asked_stage].name, "admit");
	lp_trace_rules_of(&asked, &plane.config, &result.asked);
	ck_assert_int_eq(lp_trace_rules_ask(&asked, 1, &plane.config,
			     lp_snapshot_get(&plane.cell)->rules),
	    0);
	ck_assert_str_eq(asked.fault, "");
	return asked.decides.rule ? asked.decides.rule->rule.name : NULL;
}

START_TEST(rules_are_told_where_they_are_asked)
{
	rule_put(100, 30, "listener=payments/seen broker=0 port=left", "allow",
	    false);
	rule_put(101, 20, "dst=10.8.0.20 src=10.8.0.51", "reset", false);
	rule_put(102, 10, "cluster=orders src_port=40000", "reset", false);
	plane_publish();
	ck_assert_str_eq(decides(C4 "S seq=1"), "r100");
	ck_assert(result.opened);
	ck_assert_str_eq(decides(C6 "S seq=1"), "r102");
	ck_assert(result.is_refused);
	ck_assert_ptr_null(
	    decides("tcp [2001:db8:8::50]:1 > [2001:db8:8::21]:9092 S seq=1"));
	ck_assert(result.opened);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, bump_open, plane_close);
	tcase_add_test(tests, a_gap_in_a_file_is_no_hang);
	tcase_add_test(tests, rules_are_told_where_they_are_asked);
}

int
main(void)
{
	return plane_main("trace_inline", add);
}
