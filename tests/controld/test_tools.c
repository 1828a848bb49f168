/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces and captures handed on, with a dataplane that the test plays itself.
 */
#include "controld/tools.h"
#include "fake.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name
#define RESULT(name) LP__PB__FAILURE__RESULT__##name

enum { CLIENT = 3 };

static struct world world;
static struct fake fake;

static void
start(void)
{
	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
}

static void
send_request(Lp__Pb__ControlRequest *request, uint64_t client)
{
	uint8_t bytes[512];
	size_t len;

	request->protocol = LP_CONTROL_PROTOCOL;
	request->cookie = 8;
	len = lp__pb__control_request__pack(request, bytes);
	lp_session_request(world.session, client, &world_peer,
	    lp_message_unpack_request(bytes, len));
}

static void
ask_trace(const char *dataplane)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	Lp__Pb__TracePacketsRequest trace = LP__PB__TRACE_PACKETS_REQUEST__INIT;
	Lp__Pb__TracePacket packet = LP__PB__TRACE_PACKET__INIT;
	Lp__Pb__TracePacket *list[] = {&packet};
	uint8_t data[] = {1, 2, 3};

	packet.data.data = data;
	packet.data.len = sizeof(data);
	packet.has_fill_mac = packet.fill_mac = true;
	trace.dataplane = (char *)dataplane;
	trace.trace_id = 77;
	trace.port = (char *)"front";
	trace.n_packets = 1;
	trace.packets = list;
	trace.has_last = trace.last = true;
	trace.request = (char *)"api=Fetch";
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_TRACE;
	request.trace = &trace;
	send_request(&request, CLIENT);
}

static void
ask_capture(uint64_t client, const char *listener, bool ends)
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	Lp__Pb__CapturePacketsRequest capture =
	    LP__PB__CAPTURE_PACKETS_REQUEST__INIT;
	Lp__Pb__CaptureFilter filter = LP__PB__CAPTURE_FILTER__INIT;

	filter.listener = (char *)listener;
	capture.filter = listener != NULL ? &filter : NULL;
	capture.has_stop = ends;
	capture.stop = ends;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_CAPTURE;
	request.capture = &capture;
	send_request(&request, client);
}

static void
answer_trace(uint64_t cookie, const char *why)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TraceReply reply = LP__PB__TRACE_REPLY__INIT;
	Lp__Pb__TracedPacket packet = LP__PB__TRACED_PACKET__INIT;
	Lp__Pb__TracedPacket *list[] = {&packet};

	packet.verdict = (char *)"dropped";
	reply.cookie = cookie;
	reply.n_packets = why == NULL;
	reply.packets = list;
	reply.why = (char *)why;
	message.body_case = BODY(TRACE_REPLY);
	message.trace_reply = &reply;
	fake_send(&fake, &message);
}

/* count packets; 0 with more: the first one. */
static void
answer_capture(struct fake *from, uint64_t cookie, size_t count, bool more,
    const char *why)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__CaptureReply reply = LP__PB__CAPTURE_REPLY__INIT;
	Lp__Pb__CapturedPacket packet = LP__PB__CAPTURED_PACKET__INIT;
	Lp__Pb__CapturedPacket *list[] = {&packet, &packet};
	uint8_t data[] = {1, 2, 3};

	ck_assert_uint_le(count, 2);
	packet.data.data = data;
	packet.data.len = sizeof(data);
	reply.cookie = cookie;
	reply.n_packets = count;
	reply.packets = list;
	reply.has_more = true;
	reply.more = more;
	reply.why = (char *)why;
	if (!more && why == NULL) {
		reply.has_captured = reply.has_dropped = true;
		reply.captured = 10;
		reply.dropped = 4;
	}
	message.body_case = BODY(CAPTURE_REPLY);
	message.capture_reply = &reply;
	fake_send(from, &message);
}

START_TEST(a_trace_is_passed_on_whole)
{
	const Lp__Pb__TraceRequest *request;
	const Lp__Pb__ControlReply *reply;

	start();
	ask_trace(NULL);
	request = fake_take(&fake, BODY(TRACE_REQUEST))->trace_request;
	ck_assert_uint_eq(request->trace_id, 77);
	ck_assert_str_eq(request->request, "api=Fetch");
	ck_assert_str_eq(request->port, "front");
	ck_assert_uint_eq(request->n_packets, 1);
	ck_assert_uint_eq(request->packets[0]->data.len, 3);
	ck_assert(request->packets[0]->fill_mac);
	ck_assert(request->last);
	answer_trace(request->cookie + 1, NULL); /* nobody asked for it */
	answer_trace(request->cookie, NULL);
	reply = world_replies(&world, 1);
	ck_assert_uint_eq(reply->cookie, 8);
	ck_assert(!reply->more);
	ck_assert_str_eq(reply->trace->dataplane, "host-a");
	ck_assert_str_eq(reply->trace->packets[0]->verdict, "dropped");
	stop();
}
END_TEST

START_TEST(why_a_trace_is_refused_is_passed_on)
{
	const Lp__Pb__Failure *failure;

	start();
	ask_trace("host-a");
	answer_trace(
	    fake_take(&fake, BODY(TRACE_REQUEST))->trace_request->cookie,
	    "it runs no port");
	failure = world_failure(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(REFUSED));
	ck_assert_str_eq(failure->text, "it runs no port");
	ck_assert_str_eq(failure->dataplane, "host-a");
	stop();
}
END_TEST

START_TEST(a_trace_goes_to_one_dataplane_or_none)
{
	struct fake other;

	world_start(&world, &patient, 2);
	ask_trace(NULL);
	ck_assert_int_eq(world_failure(world_replies(&world, 1))->result,
	    RESULT(UNREACHABLE));
	fake_start(&fake, &world, world.paths[0]);
	fake_start(&other, &world, world.paths[1]);
	fake_synchronise(&fake);
	fake_synchronise(&other);
	world_state(&world, 0, "applied");
	world_state(&world, 1, "applied");
	ask_trace(NULL);
	ck_assert_int_eq(
	    world_failure(world_replies(&world, 2))->result, RESULT(USAGE));
	ask_trace("host-z");
	ck_assert_int_eq(world_failure(world_replies(&world, 3))->result,
	    RESULT(UNREACHABLE));
	ask_trace(world.paths[0]);
	fake_take(&fake, BODY(TRACE_REQUEST));
	fake_stop(&other);
	stop();
}
END_TEST

START_TEST(a_trace_without_an_answer_ends_in_time)
{
	start();
	ask_trace(NULL);
	ck_assert_int_eq(
	    world_failure(world_replies(&world, 1))->result, RESULT(TIMEOUT));
	stop();
}
END_TEST

static uint64_t
begin_capture(const char *listener)
{
	const Lp__Pb__CaptureRequest *request;

	ask_capture(CLIENT, listener, false);
	request = fake_take(&fake, BODY(CAPTURE_REQUEST))->capture_request;
	if (listener == NULL)
		ck_assert_ptr_null(request->filter->listener);
	else
		ck_assert_str_eq(request->filter->listener, listener);
	return request->cookie;
}

START_TEST(a_capture_is_passed_on_until_it_is_stopped)
{
	const Lp__Pb__CapturePacketsReply *last;
	uint64_t cookie;

	start();
	cookie = begin_capture("public");
	answer_capture(&fake, cookie, 0, true, NULL);
	answer_capture(&fake, cookie, 2, true, NULL);
	ck_assert_uint_eq(world_replies(&world, 2)->capture->n_packets, 2);
	ck_assert(world.replies[1]->more);
	ask_capture(CLIENT + 1, NULL, true); /* has none */
	ask_capture(CLIENT, NULL, true);
	ck_assert_uint_eq(
	    fake_take(&fake, BODY(CAPTURE_STOP))->capture_stop->cookie, cookie);
	answer_capture(&fake, cookie, 1, false, NULL);
	last = world_replies(&world, 3)->capture;
	ck_assert(!world.replies[2]->more);
	ck_assert_uint_eq(last->captured, 10);
	ck_assert_uint_eq(last->dropped, 4);
	ask_capture(CLIENT, NULL, true); /* it is over */
	stop();
}
END_TEST

START_TEST(a_capture_lasts_but_its_end_does_not)
{
	start();
	begin_capture(NULL);
	ask_capture(CLIENT, NULL, true);
	fake_take(&fake, BODY(CAPTURE_STOP));
	ck_assert_int_eq(
	    world_failure(world_replies(&world, 1))->result, RESULT(TIMEOUT));
	stop();
}
END_TEST

START_TEST(a_client_that_goes_ends_its_capture)
{
	uint64_t cookie;

	start();
	cookie = begin_capture(NULL);
	lp_session_gone(world.session, CLIENT);
	ck_assert_uint_eq(
	    fake_take(&fake, BODY(CAPTURE_STOP))->capture_stop->cookie, cookie);
	answer_capture(&fake, cookie, 2, false, NULL);
	begin_capture(NULL);
	ck_assert_uint_eq(world.reply_count, 0);
	stop();
}
END_TEST

START_TEST(a_dataplane_that_refuses_ends_the_capture_of_all)
{
	struct fake other;
	uint64_t cookie;

	world_start(&world, &patient, 2);
	fake_start(&fake, &world, world.paths[0]);
	fake_start(&other, &world, world.paths[1]);
	fake_synchronise(&fake);
	fake_synchronise(&other);
	world_state(&world, 0, "applied");
	world_state(&world, 1, "applied");
	cookie = begin_capture(NULL);
	fake_take(&other, BODY(CAPTURE_REQUEST));
	answer_capture(&fake, cookie, 0, false, "another capture runs");
	ck_assert_str_eq(world_failure(world_replies(&world, 1))->text,
	    "another capture runs");
	ck_assert_uint_eq(
	    fake_take(&other, BODY(CAPTURE_STOP))->capture_stop->cookie,
	    cookie);
	fake_stop(&other);
	stop();
}
END_TEST

START_TEST(a_capture_of_two_goes_on_with_one)
{
	struct fake other;
	uint64_t cookie;

	world_start(&world, &patient, 2);
	fake_start(&fake, &world, world.paths[0]);
	fake_start(&other, &world, world.paths[1]);
	fake_synchronise(&fake);
	fake_synchronise(&other);
	world_state(&world, 0, "applied");
	world_state(&world, 1, "applied");
	cookie = begin_capture(NULL);
	fake_take(&other, BODY(CAPTURE_REQUEST));
	fake_hang_up(&other);
	world_state(&world, 1, "connecting");
	answer_capture(&fake, cookie, 2, true, NULL);
	ck_assert_uint_eq(world_replies(&world, 1)->capture->n_packets, 2);
	/* The end says that a part is missing. */
	answer_capture(&fake, cookie, 0, false, NULL);
	ck_assert(world_replies(&world, 2)->more);
	ck_assert_str_eq(world_replies(&world, 3)->failure->text,
	    "it went away before its answer was complete");
	fake_stop(&other);
	stop();
}
END_TEST

START_TEST(packets_for_a_client_that_does_not_read_are_counted)
{
	const Lp__Pb__CapturePacketsReply *last;
	uint64_t cookie;

	start();
	cookie = begin_capture(NULL);
	world.unread = LP_TOOLS_UNREAD_MAX;
	answer_capture(&fake, cookie, 2, true, NULL);
	answer_capture(&fake, cookie, 2, true, NULL);
	ck_assert_uint_eq(world_replies(&world, 2)->capture->n_packets, 0);
	world.unread = LP_TOOLS_UNREAD_MAX - 1;
	answer_capture(&fake, cookie, 2, false, NULL);
	last = world_replies(&world, 3)->capture;
	ck_assert_uint_eq(last->n_packets, 2);
	ck_assert_uint_eq(last->captured, 10 - 4);
	ck_assert_uint_eq(last->dropped, 4 + 4);
	stop();
}
END_TEST

START_TEST(there_is_a_limit_of_captures)
{
	start();
	for (uint64_t i = 0; i < LP_TOOLS_MAX; i++) {
		ask_capture(100 + i, NULL, false);
		fake_take(&fake, BODY(CAPTURE_REQUEST));
	}
	ask_capture(99, NULL, false);
	ck_assert_int_eq(
	    world_failure(world_replies(&world, 1))->result, RESULT(REFUSED));
	stop();
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("tools");
	TCase *tcase = tcase_create("tools");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(a_trace_is_passed_on_whole);
	TEST(why_a_trace_is_refused_is_passed_on);
	TEST(a_trace_goes_to_one_dataplane_or_none);
	TEST(a_trace_without_an_answer_ends_in_time);
	TEST(a_capture_is_passed_on_until_it_is_stopped);
	TEST(a_capture_lasts_but_its_end_does_not);
	TEST(a_client_that_goes_ends_its_capture);
	TEST(a_dataplane_that_refuses_ends_the_capture_of_all);
	TEST(a_capture_of_two_goes_on_with_one);
	TEST(packets_for_a_client_that_does_not_read_are_counted);
	TEST(there_is_a_limit_of_captures);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
