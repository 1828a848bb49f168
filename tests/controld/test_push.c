/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with a dataplane, which the test plays itself.
 */
#include "controld/push.h"
#include "fake.h"
#include "transaction.h"

#include <event2/buffer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name
#define CODE(name) LP__PB__REJECTED__CODE__##name
#define RESULT(name) LP__PB__FAILURE__RESULT__##name

static struct world world;
static struct fake fake;

static void
start_with(struct lp_push_times times)
{
	world_start(&world, &times, 1);
	fake_start(&fake, &world, world.paths[0]);
}

static void
start(void)
{
	start_with(patient);
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
}

/* ---- handshake ---- */

START_TEST(a_new_dataplane_gets_the_whole_generation)
{
	const Lp__Pb__Welcome *welcome;
	struct pushed pushed;

	start();
	world_send(&world, basic, 0);
	world_replies(&world, 1);
	fake_wait_connection(&fake, 1);
	fake_hello(&fake, 0, 0, 0);
	welcome = fake_take(&fake, BODY(WELCOME))->welcome;
	ck_assert_int_eq(welcome->sync, LP__PB__WELCOME__SYNC__REPLACE);
	ck_assert_uint_eq(welcome->epoch, 1);
	ck_assert_uint_eq(welcome->protocol, 1);
	pushed = fake_take_push(&fake);
	ck_assert(pushed.full);
	ck_assert_uint_eq(pushed.generation, 2);
	ck_assert_uint_eq(pushed.objects, 7);
	ck_assert_uint_eq(pushed.epoch, 1);
	ck_assert_str_eq(world_status(&world, 0)->state, "synchronising");
	fake_applied(&fake, 2, pushed.digest);
	world_state(&world, 0, "applied");
	ck_assert_str_eq(world_status(&world, 0)->id, "host-a");
	ck_assert_uint_eq(world_status(&world, 0)->generation, 2);
	ck_assert_uint_eq(world_status(&world, 0)->n_backends, 2);
	stop();
}
END_TEST

START_TEST(who_runs_it_already_resumes)
{
	struct pushed pushed;

	start();
	pushed = fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	fake_hang_up(&fake);
	fake_wait_connection(&fake, 2);
	fake_hello(&fake, 1, pushed.generation, pushed.digest);
	ck_assert_int_eq(fake_take(&fake, BODY(WELCOME))->welcome->sync,
	    LP__PB__WELCOME__SYNC__RESUME);
	world_state(&world, 0, "applied");
	ck_assert_uint_eq(fake.count, 0);
	stop();
}
END_TEST

/* What it does not know of it passes by: it would not do what rules say. */
START_TEST(who_knows_no_rules_does_not_run_what_has_some)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"add rule r priority=1 match=src=10.0.0.0/8 action=observe",
		"rule r: match: this dataplane (0.1.0) has no rules: bring it "
		"to the version of lp-controld"},
	    {"set listener payments public unjudged=pass",
		"listener payments/public: unjudged: this dataplane (0.1.0) "
		"has no rules: bring it to the version of lp-controld"},
	};
	struct pushed pushed;
	char text[1024];

	start();
	snprintf(text, sizeof(text),
	    "%s; set listener payments public rewrite=off; %s", basic,
	    rows[_i].text);
	world_send(&world, text, 0);
	world_replies(&world, 1);
	pushed = fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	fake_hang_up(&fake);
	fake_wait_connection(&fake, 2);
	fake.old = true;
	fake_hello(&fake, 1, pushed.generation, pushed.digest);
	fake_take(&fake, BODY(WELCOME));
	world_state(&world, 0, "rejected");
	ck_assert_str_eq(world_status(&world, 0)->why, rows[_i].why);
	stop();
}
END_TEST

/* It runs what is desired as it understands it: that is not enough. */
START_TEST(who_cannot_rewrite_does_not_run_what_is_desired)
{
	struct pushed pushed;

	start();
	world_send(&world, basic, 0);
	world_replies(&world, 1);
	pushed = fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	fake_hang_up(&fake);
	fake_wait_connection(&fake, 2);
	fake.old = true;
	fake_hello(&fake, 1, pushed.generation, pushed.digest);
	fake_take(&fake, BODY(WELCOME));
	world_state(&world, 0, "rejected");
	ck_assert_str_eq(world_status(&world, 0)->why,
	    "listener payments/public: rewrite: this dataplane (0.1.0) cannot "
	    "rewrite addresses of brokers: bring it to the version of "
	    "lp-controld, or give the listener --rewrite off");
	fake_beat(&fake, pushed.generation, pushed.digest);
	world_send(&world, "set listener payments public rewrite=off", 0);
	world_replies(&world, 1);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, pushed.generation, pushed.digest);
	world_state(&world, 0, "applied");
	stop();
}
END_TEST

START_TEST(the_same_number_with_another_digest_is_replaced)
{
	start();
	fake_wait_connection(&fake, 1);
	fake_hello(&fake, 1, 1, 0x1234);
	ck_assert_int_eq(fake_take(&fake, BODY(WELCOME))->welcome->sync,
	    LP__PB__WELCOME__SYNC__REPLACE);
	ck_assert(fake_take_push(&fake).full);
	stop();
}
END_TEST

START_TEST(a_dataplane_that_comes_later_is_found)
{
	world_start(&world, &patient, 1);
	world_state(&world, 0, "connecting");
	world_send(&world, basic, 0);
	world_replies(&world, 1);
	fake_start(&fake, &world, world.paths[0]);
	ck_assert_uint_eq(fake_synchronise(&fake).generation, 2);
	world_state(&world, 0, "applied");
	stop();
}
END_TEST

static void
hello_of_protocol(uint32_t min, uint32_t max)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Hello hello = LP__PB__HELLO__INIT;

	hello.id = (char *)"host-a";
	hello.protocol_min = min;
	hello.protocol_max = max;
	message.body_case = BODY(HELLO);
	message.hello = &hello;
	fake_send(&fake, &message);
}

START_TEST(another_protocol_is_incompatible)
{
	static const uint32_t ranges[][2] = {{2, 3}, {0, 0}, {3, 1}};

	start();
	fake_wait_connection(&fake, 1);
	hello_of_protocol(ranges[_i][0], ranges[_i][1]);
	fake_wait_closed(&fake);
	ck_assert_str_eq(world_status(&world, 0)->state, "incompatible");
	if (_i == 0)
		ck_assert_str_eq(world_status(&world, 0)->why,
		    "it speaks protocol 2 to 3, this lp-controld 1 to 1: "
		    "bring both to the same version");
	/* It is asked again: somebody may have updated it. */
	fake_wait_connection(&fake, 2);
	stop();
}
END_TEST

START_TEST(a_newer_dataplane_that_still_speaks_our_protocol_is_welcome)
{
	start();
	fake_wait_connection(&fake, 1);
	hello_of_protocol(1, 9);
	ck_assert_uint_eq(
	    fake_take(&fake, BODY(WELCOME))->welcome->protocol, 1);
	stop();
}
END_TEST

START_TEST(a_higher_epoch_fences_us)
{
	start();
	fake_wait_connection(&fake, 1);
	fake_hello(&fake, 4, 0, 0);
	fake_wait_closed(&fake);
	ck_assert_str_eq(world_status(&world, 0)->state, "fenced");
	ck_assert_str_eq(world_status(&world, 0)->why,
	    "it obeys epoch 4, this lp-controld has epoch 1: another one took "
	    "it over; to take it back, start with --epoch 5");
	fake_wait_connection(&fake, 2); /* slowly, but still */
	stop();
}
END_TEST

START_TEST(a_dataplane_may_say_so_itself)
{
	start();
	fake_wait_connection(&fake, 1);
	fake_hello(&fake, 0, 0, 0);
	fake_take(&fake, BODY(WELCOME));
	fake_rejected(&fake, 0, CODE(FENCED), NULL, NULL, NULL);
	fake_wait_closed(&fake);
	ck_assert_str_eq(world_status(&world, 0)->state, "fenced");
	ck_assert_ptr_nonnull(
	    strstr(world_status(&world, 0)->why, "--epoch 10"));
	stop();
}
END_TEST

/* ---- time ---- */

START_TEST(who_says_no_hello_is_left)
{
	struct lp_push_times times = patient;

	times.beat = 5;
	times.hello = 20;
	start_with(times);
	fake_wait_connection(&fake, 1);
	fake_wait_closed(&fake);
	ck_assert_str_eq(
	    world_status(&world, 0)->why, "it did not say HELLO within 20 ms");
	fake_wait_connection(&fake, 2);
	stop();
}
END_TEST

START_TEST(who_falls_silent_is_left)
{
	struct lp_push_times times = patient;

	times.beat = 5;
	times.silence = 50;
	start_with(times);
	fake_synchronise(&fake);
	fake_wait_closed(&fake);
	ck_assert_str_eq(
	    world_status(&world, 0)->why, "nothing heard for 50 ms");
	stop();
}
END_TEST

START_TEST(half_a_frame_is_silence)
{
	struct lp_push_times times = patient;

	times.beat = 5;
	times.silence = 50;
	start_with(times);
	fake_synchronise(&fake);
	fake_send_bytes(&fake, "\0\0\0\x10half", 8);
	fake_wait_closed(&fake);
	stop();
}
END_TEST

START_TEST(who_never_answers_is_left)
{
	struct lp_push_times times = patient;

	times.beat = 5;
	times.answer = 50;
	start_with(times);
	fake_wait_connection(&fake, 1);
	fake_hello(&fake, 0, 0, 0);
	fake_wait_closed(&fake);
	ck_assert_str_eq(world_status(&world, 0)->why,
	    "no answer to generation 1 within 50 ms");
	stop();
}
END_TEST

START_TEST(we_beat)
{
	struct lp_push_times times = patient;
	const Lp__Pb__Beat *beat;
	struct pushed pushed;

	times.beat = 5;
	start_with(times);
	pushed = fake_synchronise(&fake);
	beat = fake_take(&fake, BODY(BEAT))->beat;
	ck_assert_uint_eq(beat->generation, 1);
	ck_assert_uint_eq(beat->digest, pushed.digest);
	stop();
}
END_TEST

START_TEST(another_digest_in_a_beat_means_replace)
{
	struct pushed pushed;

	start();
	pushed = fake_synchronise(&fake);
	fake_beat(&fake, 1, pushed.digest); /* right: nothing happens */
	fake_beat(&fake, 1, pushed.digest + 1);
	pushed = fake_take_push(&fake);
	ck_assert(pushed.full);
	ck_assert_uint_eq(pushed.generation, 1);
	fake_beat(&fake, 0, 0); /* unanswered: not pushed again */
	fake_applied(&fake, 1, pushed.digest);
	world_state(&world, 0, "applied");
	ck_assert_uint_eq(fake.count, 0);
	stop();
}
END_TEST

/* ---- out of order ---- */

static void
send_empty(Lp__Pb__DataplaneMessage__BodyCase body)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Welcome welcome = LP__PB__WELCOME__INIT;
	Lp__Pb__Begin begin = LP__PB__BEGIN__INIT;
	Lp__Pb__End end = LP__PB__END__INIT;
	Lp__Pb__StatsRequest stats = LP__PB__STATS_REQUEST__INIT;

	welcome.sync = LP__PB__WELCOME__SYNC__RESUME;
	message.body_case = body;
	if (body == BODY(WELCOME))
		message.welcome = &welcome;
	else if (body == BODY(BEGIN))
		message.begin = &begin;
	else if (body == BODY(END))
		message.end = &end;
	else
		message.stats_request = &stats;
	fake_send(&fake, &message);
}

static void
check_left(unsigned connections)
{
	fake_wait_closed(&fake);
	ck_assert_str_eq(world_status(&world, 0)->state, "connecting");
	ck_assert_ptr_nonnull(world_status(&world, 0)->why);
	fake_wait_connection(&fake, connections + 1);
}

START_TEST(what_is_out_of_order_ends_the_connection)
{
	static const Lp__Pb__DataplaneMessage__BodyCase bodies[] = {
	    BODY(WELCOME), BODY(BEGIN), BODY(END), BODY(STATS_REQUEST)};

	start();
	fake_wait_connection(&fake, 1);
	send_empty(bodies[_i]); /* before HELLO */
	check_left(1);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	send_empty(bodies[_i]); /* after it */
	check_left(2);
	stop();
}
END_TEST

START_TEST(a_second_hello_ends_the_connection)
{
	start();
	fake_synchronise(&fake);
	fake_hello(&fake, 0, 0, 0);
	check_left(1);
	stop();
}
END_TEST

START_TEST(an_answer_to_nothing_ends_the_connection)
{
	struct pushed pushed;

	start();
	pushed = fake_synchronise(&fake);
	if (_i == 0)
		fake_applied(&fake, 1, pushed.digest);
	else
		fake_rejected(&fake, 1, CODE(INVALID), "x", "y", "z");
	check_left(1);
	stop();
}
END_TEST

START_TEST(an_answer_to_another_generation_ends_the_connection)
{
	struct pushed pushed;

	start();
	fake_wait_connection(&fake, 1);
	fake_hello(&fake, 0, 0, 0);
	fake_take(&fake, BODY(WELCOME));
	pushed = fake_take_push(&fake);
	if (_i == 0)
		fake_applied(&fake, 2, pushed.digest);
	else if (_i == 1)
		fake_applied(&fake, 1, pushed.digest + 1);
	else
		fake_rejected(&fake, 9, CODE(INVALID), "x", "y", "z");
	check_left(1);
	stop();
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} garbage[] = {
    {"\0\0\0\0", 4}, /* a length of zero */
    {"\xff\xff\xff\xff", 4},
    {"\0\1\0\0", 4}, /* 65536 */
    {"GET / HTTP/1.0\r\n\r\n", 18},
    {"\0\0\0\4\xff\xff\xff\xff", 8}, /* no message */
    {"\0\0\0\2\x0a\x7f", 6}, /* HELLO, cut off */
    {"\0\0\0\2\x0a\x00", 6}, /* HELLO, lacks what it must have */
    {"\0\0\0\1\x08", 5},
};

START_TEST(garbage_ends_the_connection)
{
	start();
	fake_wait_connection(&fake, 1);
	fake_send_bytes(&fake, garbage[_i].bytes, garbage[_i].len);
	check_left(1);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	fake_send_bytes(&fake, garbage[_i].bytes, garbage[_i].len);
	check_left(2);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	stop();
}
END_TEST

START_TEST(an_unknown_message_is_ignored)
{
	start();
	fake_synchronise(&fake);
	/* Field 99, a string. */
	fake_send_bytes(&fake, "\0\0\0\5\x9a\x06\2hi", 9);
	world_send(&world, basic, 10000);
	ck_assert_uint_eq(fake_take_push(&fake).generation, 2);
	ck_assert_uint_eq(fake.connections, 1);
	stop();
}
END_TEST

START_TEST(random_bytes_do_no_harm)
{
	unsigned seed = 1;

	start();
	for (unsigned round = 1; round <= 50; round++) {
		uint8_t bytes[64];

		fake_wait_connection(&fake, round);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)rand_r(&seed);
		/* Half of them in a frame of the right length. */
		if (round % 2 == 0)
			memcpy(bytes, "\0\0\0\x3c", 4);
		fake_send_bytes(&fake, bytes, sizeof(bytes));
		fake_send_bytes(&fake, "\0\0\0\0", 4);
		fake_wait_closed(&fake);
	}
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	stop();
}
END_TEST

static bool
is_drained(void *arg)
{
	(void)arg;
	return evbuffer_get_length(bufferevent_get_output(fake.bev)) == 0;
}

START_TEST(frames_may_come_byte_by_byte)
{
	struct evbuffer *bytes = evbuffer_new();
	struct evbuffer *output;
	uint8_t byte;

	start();
	fake_wait_connection(&fake, 1);
	output = bufferevent_get_output(fake.bev);
	bufferevent_disable(fake.bev, EV_WRITE);
	fake_hello(&fake, 0, 0, 0);
	evbuffer_add_buffer(bytes, output);
	bufferevent_enable(fake.bev, EV_WRITE);
	while (evbuffer_remove(bytes, &byte, 1) == 1) {
		fake_send_bytes(&fake, &byte, 1);
		world_run(&world, is_drained, NULL);
	}
	fake_take(&fake, BODY(WELCOME));
	evbuffer_free(bytes);
	stop();
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)
#define LOOP(name, count) tcase_add_loop_test(tcase, name, 0, count)

int
main(void)
{
	Suite *suite = suite_create("push");
	TCase *tcase = tcase_create("push");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(a_new_dataplane_gets_the_whole_generation);
	TEST(who_runs_it_already_resumes);
	TEST(who_cannot_rewrite_does_not_run_what_is_desired);
	tcase_add_loop_test(
	    tcase, who_knows_no_rules_does_not_run_what_has_some, 0, 2);
	TEST(the_same_number_with_another_digest_is_replaced);
	TEST(a_dataplane_that_comes_later_is_found);
	LOOP(another_protocol_is_incompatible, 3);
	TEST(a_newer_dataplane_that_still_speaks_our_protocol_is_welcome);
	TEST(a_higher_epoch_fences_us);
	TEST(a_dataplane_may_say_so_itself);
	TEST(who_says_no_hello_is_left);
	TEST(who_falls_silent_is_left);
	TEST(half_a_frame_is_silence);
	TEST(who_never_answers_is_left);
	TEST(we_beat);
	TEST(another_digest_in_a_beat_means_replace);
	LOOP(what_is_out_of_order_ends_the_connection, 4);
	TEST(a_second_hello_ends_the_connection);
	LOOP(an_answer_to_nothing_ends_the_connection, 2);
	LOOP(an_answer_to_another_generation_ends_the_connection, 3);
	LOOP(garbage_ends_the_connection, sizeof(garbage) / sizeof(garbage[0]));
	TEST(an_unknown_message_is_ignored);
	TEST(random_bytes_do_no_harm);
	TEST(frames_may_come_byte_by_byte);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
