/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole daemon but its control socket, against a dataplane that the test
 * plays itself.
 */
#include "controld/session.h"
#include "support.h"

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

static const Lp__Pb__Failure *
failure_of(const Lp__Pb__ControlReply *reply)
{
	ck_assert_int_eq(reply->body_case, LP__PB__CONTROL_REPLY__BODY_FAILURE);
	ck_assert(!reply->more);
	return reply->failure;
}

static const Lp__Pb__TransactionReply *
done_of(const Lp__Pb__ControlReply *reply)
{
	ck_assert_msg(
	    reply->body_case == LP__PB__CONTROL_REPLY__BODY_TRANSACTION, "%s",
	    reply->failure ? reply->failure->text : "?");
	return reply->transaction;
}

/* Sends a body of no fields. */
static void
ask(Lp__Pb__ControlRequest__BodyCase body)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	Lp__Pb__ShowRequest show = LP__PB__SHOW_REQUEST__INIT;
	Lp__Pb__VersionRequest version = LP__PB__VERSION_REQUEST__INIT;
	Lp__Pb__CountersRequest counters = LP__PB__COUNTERS_REQUEST__INIT;
	Lp__Pb__ConnectionListRequest list =
	    LP__PB__CONNECTION_LIST_REQUEST__INIT;
	uint8_t bytes[256];
	size_t len;

	request.protocol = LP_CONTROL_PROTOCOL;
	request.cookie = 8;
	request.body_case = body;
	if (body == LP__PB__CONTROL_REQUEST__BODY_SHOW)
		request.show = &show;
	else if (body == LP__PB__CONTROL_REQUEST__BODY_VERSION)
		request.version = &version;
	else if (body == LP__PB__CONTROL_REQUEST__BODY_COUNTERS)
		request.counters = &counters;
	else if (body == LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS)
		request.connections = &list;
	len = lp__pb__control_request__pack(&request, bytes);
	lp_session_request(
	    world.session, 3, "tester", lp_message_unpack_request(bytes, len));
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

/* ---- transactions ---- */

START_TEST(without_a_dataplane_it_is_stored_only)
{
	const Lp__Pb__TransactionReply *done;

	world_start(&world, &patient, 1);
	world_send(&world, basic, 10000);
	done = done_of(world_replies(&world, 1));
	ck_assert_uint_eq(done->generation, 2);
	ck_assert_uint_eq(done->applied, 0);
	ck_assert_uint_eq(done->connected, 0);
	ck_assert_uint_eq(done->n_notes, 2);
	ck_assert_str_eq(
	    done->notes[1], "no dataplane is connected: stored only");
	ck_assert_uint_eq(world.replies[0]->cookie, 7);
	world_stop(&world);
}
END_TEST

START_TEST(a_change_is_sent_as_a_delta_and_waited_for)
{
	const Lp__Pb__TransactionReply *done;
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	ck_assert(!pushed.full);
	ck_assert_uint_eq(pushed.base, 1);
	ck_assert_uint_eq(pushed.generation, 2);
	ck_assert_uint_eq(pushed.objects, 7);
	ck_assert_uint_eq(world.reply_count, 0);
	fake_applied(&fake, 2, pushed.digest);
	done = done_of(world_replies(&world, 1));
	ck_assert_uint_eq(done->generation, 2);
	ck_assert_uint_eq(done->applied, 1);
	ck_assert_uint_eq(done->connected, 1);
	ck_assert_uint_eq(done->n_notes, 1);
	/* The next: one is gone with its endpoint, one is new with its own. */
	world_send(&world,
	    "del broker payments 1; add broker payments 3 to=10.9.0.23:9092",
	    10000);
	pushed = fake_take_push(&fake);
	ck_assert(!pushed.full);
	ck_assert_uint_eq(pushed.objects, 4);
	ck_assert_uint_eq(pushed.gone, 2);
	fake_applied(&fake, 3, pushed.digest);
	ck_assert_uint_eq(done_of(world_replies(&world, 2))->generation, 3);
	stop();
}
END_TEST

START_TEST(a_delta_that_does_not_fit_is_followed_by_the_whole)
{
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	ck_assert(!fake_take_push(&fake).full);
	fake_rejected(
	    &fake, 2, _i == 0 ? CODE(DIGEST) : CODE(BASE), NULL, NULL, NULL);
	pushed = fake_take_push(&fake);
	ck_assert(pushed.full);
	ck_assert_uint_eq(pushed.generation, 2);
	fake_applied(&fake, 2, pushed.digest);
	ck_assert_uint_eq(done_of(world_replies(&world, 1))->applied, 1);
	stop();
}
END_TEST

START_TEST(what_a_dataplane_rejects_is_rolled_back)
{
	const Lp__Pb__Failure *failure;
	struct pushed first, pushed;

	start();
	first = fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	fake_take_push(&fake);
	fake_rejected(&fake, 2, CODE(RESOURCE), "port front", "device",
	    "eth1: there is no such device");
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 3);
	ck_assert_uint_eq(pushed.digest, first.digest);
	ck_assert(pushed.full);
	ck_assert_uint_eq(world.reply_count, 0); /* it is waited for */
	fake_applied(&fake, 3, pushed.digest);
	failure = failure_of(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(REJECTED));
	ck_assert_str_eq(failure->object, "port front");
	ck_assert_str_eq(failure->field, "device");
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_str_eq(failure->text,
	    "eth1: there is no such device (rolled back by generation 3)");
	ck_assert_str_eq(world_status(&world, 0)->state, "applied");
	/* It is as before: the same transaction is judged anew. */
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	fake_applied(&fake, 4, pushed.digest);
	done_of(world_replies(&world, 2));
	stop();
}
END_TEST

START_TEST(one_that_rejects_rolls_all_back)
{
	struct fake other;
	struct pushed first, pushed;

	world_start(&world, &patient, 2);
	fake_start(&fake, &world, world.paths[0]);
	fake_start(&other, &world, world.paths[1]);
	first = fake_synchronise(&fake);
	fake_synchronise(&other);
	world_state(&world, 0, "applied");
	world_state(&world, 1, "applied");
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	fake_take_push(&other);
	fake_rejected(&other, 2, CODE(INVALID), "port front", "device", "no");
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.digest, first.digest);
	fake_applied(&fake, 3, pushed.digest);
	pushed = fake_take_push(&other);
	ck_assert_uint_eq(pushed.digest, first.digest);
	fake_applied(&other, 3, pushed.digest);
	ck_assert_int_eq(
	    failure_of(world_replies(&world, 1))->result, RESULT(REJECTED));
	fake_stop(&other);
	stop();
}
END_TEST

START_TEST(what_is_not_applied_in_time_stays_stored)
{
	const Lp__Pb__Failure *failure;
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 20);
	failure = failure_of(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(TIMEOUT));
	ck_assert_str_eq(failure->dataplane, "host-a");
	ck_assert_str_eq(failure->text,
	    "generation 2 is stored, but was not applied within 20 ms; it "
	    "will be as soon as the dataplane can");
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	world_state(&world, 0, "applied");
	stop();
}
END_TEST

START_TEST(a_late_answer_is_followed_by_the_newest_generation)
{
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, "add cluster a", 0);
	world_send(&world, "add cluster b", 0);
	world_send(&world, "add cluster c", 10000);
	world_replies(&world, 2);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 2);
	fake_applied(&fake, 2, pushed.digest);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	ck_assert(pushed.full);
	fake_applied(&fake, 4, pushed.digest);
	ck_assert_uint_eq(done_of(world_replies(&world, 3))->generation, 4);
	stop();
}
END_TEST

START_TEST(a_dataplane_that_goes_away_is_not_waited_for)
{
	const Lp__Pb__TransactionReply *done;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, "add cluster a", 10000);
	fake_take_push(&fake);
	fake_hang_up(&fake);
	done = done_of(world_replies(&world, 1));
	ck_assert_uint_eq(done->applied, 0);
	ck_assert_uint_eq(done->n_notes, 1);
	ck_assert_str_eq(done->notes[0],
	    "1 of 1 dataplanes went away before they answered: see lpctl "
	    "status");
	stop();
}
END_TEST

START_TEST(transactions_wait_for_their_turn)
{
	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	/* One under way, 64 that wait, and one too many. */
	world_send(&world, "add cluster first", 10000);
	fake_take(&fake, BODY(BEGIN));
	for (unsigned i = 0; i <= 64; i++)
		world_send(&world, "add cluster c may=1", 10000);
	ck_assert_str_eq(failure_of(world_replies(&world, 1))->text,
	    "64 transactions wait already; try again later");
	fake_take(&fake, BODY(OBJECT));
	fake_take(&fake, BODY(END));
	ck_assert_uint_eq(world.reply_count, 1);
	/* Of those that wait nothing is to be seen. */
	ask(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	ck_assert_uint_eq(world_replies(&world, 2)->show->generation, 2);
	stop();
}
END_TEST

START_TEST(nothing_new_makes_no_generation)
{
	const Lp__Pb__TransactionReply *done;
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	done_of(world_replies(&world, 1));
	world_send(&world, "add cluster payments may=1", 10000);
	done = done_of(world_replies(&world, 2));
	ck_assert_uint_eq(done->generation, 2);
	ck_assert_uint_eq(done->applied, 1);
	stop();
}
END_TEST

START_TEST(a_refusal_names_command_object_and_field)
{
	const Lp__Pb__Failure *failure;

	world_start(&world, &patient, 0);
	world_send(
	    &world, "add cluster one; add broker two 1 to=10.0.0.1:1", 0);
	failure = failure_of(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(REFUSED));
	ck_assert_uint_eq(failure->place, 2);
	ck_assert_str_eq(failure->object, "broker two/1");
	ck_assert_str_eq(failure->field, "cluster");
	ck_assert_str_eq(failure->text, "there is no cluster two");
	world_stop(&world);
}
END_TEST

START_TEST(what_a_gone_client_had_waiting_is_not_done)
{
	world_start(&world, &patient, 0);
	world_send(&world, "add cluster a", 0);
	world_send(&world, "add cluster b", 0);
	lp_session_gone(world.session, 1);
	ask(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	world_send(&world, "add cluster c", 0);
	ck_assert_uint_eq(done_of(world_replies(&world, 2))->generation, 2);
	world_stop(&world);
}
END_TEST

/* ---- questions ---- */

START_TEST(show_has_every_object_in_order)
{
	unsigned objects = 0;
	char text[4096] = "";
	size_t len = 0;

	world_start(&world, &patient, 0);
	for (unsigned i = 0; i < 60; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "add cluster c%u;", i);
	world_send(&world, text, 0);
	world_replies(&world, 1);
	ask(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	ck_assert_uint_eq(world.reply_count, 3); /* two frames */
	for (unsigned i = 1; i < 3; i++) {
		const Lp__Pb__ControlReply *reply = world.replies[i];

		ck_assert_uint_eq(reply->cookie, 8);
		ck_assert_int_eq(reply->more, i == 1);
		ck_assert_uint_eq(reply->show->generation, 2);
		for (size_t j = 0; j < reply->show->n_objects; j++)
			ck_assert_uint_eq(
			    reply->show->objects[j]->id, ++objects);
	}
	ck_assert_uint_eq(objects, 60);
	world_stop(&world);
}
END_TEST

START_TEST(an_empty_configuration_is_shown_in_one_frame)
{
	world_start(&world, &patient, 0);
	ask(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	ck_assert_uint_eq(world.reply_count, 1);
	ck_assert(!world.replies[0]->more);
	ck_assert_uint_eq(world.replies[0]->show->n_objects, 0);
	world_stop(&world);
}
END_TEST

START_TEST(another_control_protocol_is_told_so)
{
	Lp__Pb__ControlRequest *request = make_transaction("add cluster a");

	world_start(&world, &patient, 0);
	request->protocol = 2;
	request->cookie = 5;
	lp_session_request(world.session, 1, "tester", request);
	ck_assert_str_eq(failure_of(world_replies(&world, 1))->text,
	    "this lp-controld speaks control protocol 1, lpctl 2: bring both "
	    "to the same version");
	ck_assert_uint_eq(world.replies[0]->cookie, 5);
	world_stop(&world);
}
END_TEST

START_TEST(an_unknown_request_is_told_so)
{
	world_start(&world, &patient, 0);
	ask(LP__PB__CONTROL_REQUEST__BODY__NOT_SET);
	ck_assert_int_eq(
	    failure_of(world_replies(&world, 1))->result, RESULT(USAGE));
	world_stop(&world);
}
END_TEST

START_TEST(the_version_is_told_to_everybody)
{
	world_start(&world, &patient, 0);
	ask(LP__PB__CONTROL_REQUEST__BODY_VERSION);
	ck_assert_uint_eq(world_replies(&world, 1)->version->schema, 1);
	world_stop(&world);
}
END_TEST

/* With basic applied; the next frame that comes is the question. */
static void
start_basic(void)
{
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	world_replies(&world, 1);
}

static void
answer_stats(uint64_t cookie, uint32_t listener, uint32_t broker, bool more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__StatsReply reply = LP__PB__STATS_REPLY__INIT;
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;
	Lp__Pb__EndpointStats row = LP__PB__ENDPOINT_STATS__INIT;
	Lp__Pb__EndpointStats *rows[] = {&row};

	row.has_listener_id = row.has_broker_id = true;
	row.listener_id = listener;
	row.broker_id = broker;
	stats.n_endpoints = 1;
	stats.endpoints = rows;
	reply.cookie = cookie;
	reply.stats = &stats;
	reply.has_more = reply.more = more;
	message.body_case = BODY(STATS_REPLY);
	message.stats_reply = &reply;
	fake_send(&fake, &message);
}

START_TEST(statistics_are_passed_on_with_names)
{
	const Lp__Pb__EndpointStats *row;
	uint64_t cookie;

	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	cookie = fake_take(&fake, BODY(STATS_REQUEST))->stats_request->cookie;
	answer_stats(cookie + 1, 5, 3, false); /* nobody asked for it */
	answer_stats(cookie, 5, 3, true);
	answer_stats(cookie, 77, 78, false);
	world_replies(&world, 3);
	ck_assert(world.replies[1]->more);
	ck_assert(!world.replies[2]->more);
	ck_assert_str_eq(world.replies[1]->counters->dataplane, "host-a");
	row = world.replies[1]->counters->stats->endpoints[0];
	ck_assert_str_eq(row->cluster, "payments");
	ck_assert_str_eq(row->listener, "public");
	ck_assert_int_eq(row->node_id, 1);
	row = world.replies[2]->counters->stats->endpoints[0];
	ck_assert_ptr_null(row->cluster);
	stop();
}
END_TEST

START_TEST(connections_are_passed_on_with_names)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ConnectionsReply reply = LP__PB__CONNECTIONS_REPLY__INIT;
	Lp__Pb__Connection row = LP__PB__CONNECTION__INIT;
	Lp__Pb__Connection *rows[] = {&row};

	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_CONNECTIONS);
	reply.cookie = fake_take(&fake, BODY(CONNECTIONS_REQUEST))
			   ->connections_request->cookie;
	row.has_listener_id = row.has_broker_id = true;
	row.listener_id = 5;
	row.broker_id = 4;
	row.cluster = (char *)"told";
	reply.n_connections = 1;
	reply.connections = rows;
	message.body_case = BODY(CONNECTIONS_REPLY);
	message.connections_reply = &reply;
	fake_send(&fake, &message);
	world_replies(&world, 2);
	ck_assert_str_eq(
	    world.replies[1]->connections->connections[0]->cluster, "told");
	ck_assert_str_eq(
	    world.replies[1]->connections->connections[0]->listener, "public");
	ck_assert_int_eq(
	    world.replies[1]->connections->connections[0]->node_id, 2);
	stop();
}
END_TEST

START_TEST(a_question_without_an_answer_ends_in_time)
{
	const Lp__Pb__Failure *failure;

	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	failure = failure_of(world_replies(&world, 2));
	ck_assert_int_eq(failure->result, RESULT(TIMEOUT));
	ck_assert_str_eq(failure->dataplane, "host-a");
	stop();
}
END_TEST

START_TEST(a_dataplane_that_goes_ends_the_question)
{
	start_basic();
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	fake_take(&fake, BODY(STATS_REQUEST));
	fake_hang_up(&fake);
	ck_assert_str_eq(failure_of(world_replies(&world, 2))->text,
	    "it went away before its answer was complete");
	stop();
}
END_TEST

START_TEST(without_a_dataplane_there_is_nobody_to_ask)
{
	world_start(&world, &patient, 1);
	ask(LP__PB__CONTROL_REQUEST__BODY_COUNTERS);
	ck_assert_int_eq(
	    failure_of(world_replies(&world, 1))->result, RESULT(UNREACHABLE));
	world_stop(&world);
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)
#define LOOP(name, count) tcase_add_loop_test(tcase, name, 0, count)

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("session");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(a_new_dataplane_gets_the_whole_generation);
	TEST(who_runs_it_already_resumes);
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
	TEST(without_a_dataplane_it_is_stored_only);
	TEST(a_change_is_sent_as_a_delta_and_waited_for);
	LOOP(a_delta_that_does_not_fit_is_followed_by_the_whole, 2);
	TEST(what_a_dataplane_rejects_is_rolled_back);
	TEST(one_that_rejects_rolls_all_back);
	TEST(what_is_not_applied_in_time_stays_stored);
	TEST(a_late_answer_is_followed_by_the_newest_generation);
	TEST(a_dataplane_that_goes_away_is_not_waited_for);
	TEST(transactions_wait_for_their_turn);
	TEST(nothing_new_makes_no_generation);
	TEST(a_refusal_names_command_object_and_field);
	TEST(what_a_gone_client_had_waiting_is_not_done);
	TEST(show_has_every_object_in_order);
	TEST(an_empty_configuration_is_shown_in_one_frame);
	TEST(another_control_protocol_is_told_so);
	TEST(an_unknown_request_is_told_so);
	TEST(the_version_is_told_to_everybody);
	TEST(statistics_are_passed_on_with_names);
	TEST(connections_are_passed_on_with_names);
	TEST(a_question_without_an_answer_ends_in_time);
	TEST(a_dataplane_that_goes_ends_the_question);
	TEST(without_a_dataplane_there_is_nobody_to_ask);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
