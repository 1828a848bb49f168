/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet process is killed while it opens an inline connection, at
 * instructions all over its way through the pipeline: whoever takes over judges
 * what is asked there.
 */
#include <check.h>
#include <string.h>

#include "tests/dataplane/bump.h"
#include "tests/support/edited.h"
#include "tests/support/ensure.h"
#include "tests/support/killed.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	KILLS = 100000, /* see killed_run(): at equal distances */
};

static void
queue_syn(const void *arg)
{
	struct packet packet;

	(void)arg;
	packet_build(&packet, C4 "S seq=1000");
	ck_assert(plane_inject(LEFT_SLOT, packet.bytes, packet.len));
}

/* Its SYN comes once more; true: the connection was there already. */
static bool
take_over_opened(const void *arg)
{
	bool there = plane.region.connections[0].use == LP_CONN_USED;

	(void)arg;
	plane_restart();
	plane_run();
	plane_in(LEFT_SLOT, C4 "S seq=1000");
	ensure(plane_connections() == 1, "no connection");
	ensure(plane_connection(0)->flags & LP_CONN_SPLICED, "not judged");
	ensure(kafka_mode() == LP_KAFKA_LIVE, "not read");
	plane_forget();
	return there;
}

START_TEST(who_takes_over_judges_what_was_being_opened)
{
	const struct killed how = {.prepare = queue_syn,
	    .act = killed_run_pipeline,
	    .take_over = take_over_opened};
	unsigned kills[2] = {0};

	rule_put(RULE, 10, "api=Produce topic=secret*", "deny", false);
	edited_publish(LP_UNJUDGED_RESET);
	killed_keep();
	if (killed_run(&how, KILLS, kills)) {
		ck_assert_uint_gt(kills[false], 0);
		ck_assert_uint_gt(kills[true], 0);
	}
	killed_restore();
	plane_restart();
	plane_run();
	plane_forget();
	killed_forget();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, bump_open, plane_close);
	tcase_set_timeout(tests, 300);
	tcase_add_test(tests, who_takes_over_judges_what_was_being_opened);
}

int
main(void)
{
	return plane_main("inline_killed", add);
}
