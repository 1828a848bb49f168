/* SPDX-License-Identifier: Apache-2.0 */
/* The whole path: rows of packets in, rows expected out. */
#include "dataplane/pipeline/pipeline.h"

#include <check.h>
#include <stdlib.h>

#include "tests/support/plane.h"

static void
setup(void)
{
	plane_open(LP_CONNECTIONS_MIN);
	plane_run();
}

START_TEST(a_connection_lives_from_syn_to_time_wait)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0,
		"tcp 10.9.0.50:40000 > 10.9.0.100:9100 S seq=1000 mss=1460 "
		"ws=7"},
	    {PLANE_OUT, 1,
		"tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1000 mss=1460 ws=7 "
		"ttl=63 smac=02:00:00:00:00:01 dmac=02:10:00:00:00:14"},
	    {PLANE_STATE, 0, "SYN-SENT"},
	    {PLANE_IN, 1,
		"tcp 10.8.0.20:9092 > 10.8.0.10:$ SA seq=5000 ack=1001 "
		"mss=1460 ws=8"},
	    {PLANE_OUT, 0,
		"tcp 10.9.0.100:9100 > 10.9.0.50:40000 SA seq=5000 ack=1001 "
		"ttl=63 smac=02:00:00:00:00:00 dmac=02:10:00:00:00:32"},
	};

	PLANE_ROWS(rows);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pipeline");
	TCase *tcase = tcase_create("rows");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, plane_close);
	tcase_add_test(tcase, a_connection_lives_from_syn_to_time_wait);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
