/* SPDX-License-Identifier: Apache-2.0 */
/* A real process whose lp-controld goes and comes. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/alone_file.h"
#include "tests/dataplane/controller.h"

enum { EPOCH = 7, LIMIT_MS = 10000 };
#define LIMIT "--on-controld-loss=closed:10"
#define CLOSED "no connection is let in"
#define REAL 1700000000000000000ull

static struct dataplane dataplane;
static struct controller controller;
static struct lp_config config;
static char file_path[PATH_MAX];

static void
begin(const char *option)
{
	cold_config(&config);
	dataplane_start(&dataplane, option);
	snprintf(
	    file_path, sizeof(file_path), "%.4000s.alone", dataplane.snapshot);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_apply(&controller, EPOCH, 1, &config);
}

static void
end(void)
{
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
}

/* It ends, and is started again as if it had been alone for so long. */
static void
restart_after(uint64_t passed_ms)
{
	struct lp_alone_file file = {
	    .passed_ms = passed_ms, .since_real_ns = REAL};

	controller_close(&controller);
	dataplane_stop(&dataplane);
	ck_assert_int_eq(lp_alone_file_save(file_path, &file), 0);
	dataplane_restart(&dataplane, LIMIT);
}

static const Lp__Pb__Hello *
hello(void)
{
	controller_open(&controller, dataplane.socket);
	return controller_expect(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
	    ->hello;
}

static bool
has_file(void)
{
	return access(file_path, F_OK) == 0;
}

static bool
has_no_file(void *arg)
{
	(void)arg;
	return !has_file();
}

START_TEST(hello_says_what_it_would_do)
{
	const Lp__Pb__Hello *said;

	begin(NULL);
	controller_close(&controller);
	dataplane_wait_log(&dataplane, "generation 1 is held");
	said = hello();
	ck_assert_str_eq(said->on_loss, "hold");
	ck_assert(said->has_alone_ns);
	ck_assert_uint_gt(said->alone_ns, REAL);
	ck_assert(!said->has_closed_ns);
	controller_close(&controller);
	end();
}
END_TEST

START_TEST(while_one_is_there_it_is_not_alone)
{
	struct controller other;
	const Lp__Pb__Hello *said;

	begin(LIMIT);
	/* It was welcomed, and has applied since. */
	ck_assert(!has_file());
	controller_open(&other, dataplane.socket);
	said = controller_expect(&other, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
		   ->hello;
	ck_assert_str_eq(said->on_loss, "hold for 10 s, then closed");
	ck_assert(!said->has_alone_ns && !said->has_closed_ns);
	/* The other one was not welcomed: it is nobody, and leaves nobody. */
	controller_close(&other);
	controller_close(&controller);
	dataplane_wait_log(&dataplane, "held for 10 s, then closed");
	end();
}
END_TEST

START_TEST(it_closes_in_time_and_opens_for_who_is_welcomed)
{
	const Lp__Pb__Hello *said;
	struct timespec before;

	begin(LIMIT);
	clock_gettime(CLOCK_REALTIME, &before);
	restart_after(LIMIT_MS - 1500);
	dataplane_wait_log(&dataplane, CLOSED);
	ck_assert(has_file());
	said = hello();
	ck_assert_uint_eq(said->generation, 1);
	ck_assert_uint_eq(said->digest, lp_config_digest(&config));
	ck_assert_uint_eq(said->alone_ns, REAL);
	/* Not before, however long after: less what clocks round. */
	ck_assert_uint_gt(said->closed_ns,
	    (uint64_t)before.tv_sec * 1000000000u + (uint64_t)before.tv_nsec +
		1400000000u);
	/* HELLO alone opens nothing. */
	ck_assert(!dataplane_logged(&dataplane, "open again"));
	controller_close(&controller);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	dataplane_wait_log(&dataplane, "open again");
	ck_assert(dataplane_logged(&dataplane, "generation 1 goes on"));
	cold_wait(has_no_file, NULL, "the end of the file");
	controller_apply(&controller, EPOCH, 2, &config);
	controller_close(&controller);
	end();
}
END_TEST

START_TEST(a_restart_does_not_open_what_is_closed)
{
	begin(LIMIT);
	restart_after(LIMIT_MS);
	ck_assert(dataplane_logged(&dataplane, CLOSED));
	ck_assert_uint_gt(hello()->closed_ns, 0);
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_restart(&dataplane, LIMIT);
	ck_assert(dataplane_logged(&dataplane, CLOSED));
	end();
}
END_TEST

START_TEST(one_that_is_fenced_opens_nothing)
{
	begin(LIMIT);
	restart_after(LIMIT_MS);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH - 1);
	controller_expect_rejected(&controller, LP__PB__REJECTED__CODE__FENCED);
	controller_expect_end(&controller);
	controller_close(&controller);
	ck_assert_uint_gt(hello()->closed_ns, 0);
	controller_close(&controller);
	ck_assert(!dataplane_logged(&dataplane, "open again"));
	end();
}
END_TEST

START_TEST(a_damaged_file_is_told_and_begins_anew)
{
	FILE *file;

	begin(LIMIT);
	controller_close(&controller);
	dataplane_stop(&dataplane);
	file = fopen(file_path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("nonsense", file);
	fclose(file);
	dataplane_restart(&dataplane, LIMIT);
	ck_assert(
	    dataplane_logged(&dataplane, "was there before is not known"));
	ck_assert(!dataplane_logged(&dataplane, CLOSED));
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    hello_says_what_it_would_do,
	    while_one_is_there_it_is_not_alone,
	    it_closes_in_time_and_opens_for_who_is_welcomed,
	    a_restart_does_not_open_what_is_closed,
	    one_that_is_fenced_opens_nothing,
	    a_damaged_file_is_told_and_begins_anew,
	    NULL,
	};

	return cold_run("loss", tests);
}
