/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/liveness.h"

#include "tests/dataplane/cold.h"

enum { START = 1000 };

START_TEST(silence_is_noticed)
{
	struct lp_liveness liveness;

	lp_liveness_init(&liveness, START);
	ck_assert_ptr_null(
	    lp_liveness_check(&liveness, START + LP_LIVENESS_SILENT_MS - 1));
	ck_assert_ptr_nonnull(
	    lp_liveness_check(&liveness, START + LP_LIVENESS_SILENT_MS));
	lp_liveness_heard(
	    &liveness, START + LP_LIVENESS_SILENT_MS, true, false);
	ck_assert_ptr_null(
	    lp_liveness_check(&liveness, START + LP_LIVENESS_SILENT_MS));
}
END_TEST

START_TEST(a_dripping_frame_is_noticed)
{
	struct lp_liveness liveness;
	uint64_t now = START;

	lp_liveness_init(&liveness, now);
	/* A byte each second, and never a frame. */
	lp_liveness_heard(&liveness, now, false, true);
	while (now < START + LP_LIVENESS_FRAME_MS - 1000) {
		now += 1000;
		lp_liveness_heard(&liveness, now, false, true);
		ck_assert_ptr_null(lp_liveness_check(&liveness, now));
	}
	now += 1000;
	lp_liveness_heard(&liveness, now, false, true);
	ck_assert_ptr_nonnull(lp_liveness_check(&liveness, now));
}
END_TEST

START_TEST(a_stream_of_frames_is_never_slow)
{
	struct lp_liveness liveness;
	uint64_t now = START;

	lp_liveness_init(&liveness, now);
	/* The next frame has always begun when we look. */
	for (int i = 0; i < 100; i++, now += 1000) {
		lp_liveness_heard(&liveness, now, true, true);
		ck_assert_ptr_null(lp_liveness_check(&liveness, now));
	}
	lp_liveness_heard(&liveness, now, true, false);
	ck_assert_uint_eq(liveness.partial_ms, 0);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    silence_is_noticed,
	    a_dripping_frame_is_noticed,
	    a_stream_of_frames_is_never_slow,
	    NULL,
	};

	return cold_run("liveness", tests);
}
