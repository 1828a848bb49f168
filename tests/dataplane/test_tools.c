/* SPDX-License-Identifier: Apache-2.0 */
/* Trace and capture over the control socket of a real process. */
#include <string.h>

#include "tests/dataplane/controller.h"

enum { EPOCH = 7 };

static struct dataplane dataplane;
static struct controller controller;
static struct lp_config config;

static void
begin(bool configured)
{
	cold_config(&config);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	if (configured)
		controller_apply(&controller, EPOCH, 1, &config);
}

static void
end(void)
{
	controller_close(&controller);
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
}

/* ---- trace --------------------------------------------------------------- */

static uint8_t bytes[LP_TRACE_PACKETS_MAX + 1][LP_TRACE_PACKET_MAX + 1];
static const char *described; /* a request, or NULL */

static const Lp__Pb__TraceReply *
trace(uint64_t id, const char *port, size_t count, size_t len)
{
	Lp__Pb__TraceRequest request = LP__PB__TRACE_REQUEST__INIT;
	Lp__Pb__TracePacket packets[LP_TRACE_PACKETS_MAX + 1];
	Lp__Pb__TracePacket *list[LP_TRACE_PACKETS_MAX + 1];
	const Lp__Pb__TraceReply *reply;

	for (size_t i = 0; i < count; i++) {
		lp__pb__trace_packet__init(&packets[i]);
		packets[i].data.data = bytes[i];
		packets[i].data.len = len;
		packets[i].has_fill_mac = true;
		packets[i].fill_mac = described != NULL;
		list[i] = &packets[i];
	}
	request.cookie = id + 100;
	request.trace_id = id;
	request.port = (char *)port;
	request.n_packets = count;
	request.packets = list;
	request.request = (char *)described;
	controller_send(&controller,
	    LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REQUEST, &request);
	reply = controller_expect(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REPLY)
		    ->trace_reply;
	ck_assert_uint_eq(reply->cookie, id + 100);
	return reply;
}

static void
refused(
    uint64_t id, const char *port, size_t count, size_t len, const char *why)
{
	const Lp__Pb__TraceReply *reply = trace(id, port, count, len);

	ck_assert_ptr_nonnull(reply->why);
	ck_assert_msg(strstr(reply->why, why) != NULL, "%s", reply->why);
	ck_assert_uint_eq(reply->n_packets, 0);
}

START_TEST(packets_are_traced)
{
	const Lp__Pb__TraceReply *reply;

	begin(true);
	/* More traces than are kept: each is as good as the first. */
	for (uint64_t id = 1; id < 20; id++) {
		reply = trace(id, "front", LP_TRACE_PACKETS_MAX, 60);
		ck_assert_ptr_null(reply->why);
		ck_assert_uint_eq(reply->n_packets, LP_TRACE_PACKETS_MAX);
		ck_assert_str_eq(reply->packets[7]->verdict, "dropped");
		ck_assert_str_eq(reply->packets[7]->reason, "ethertype");
		ck_assert_uint_eq(reply->packets[7]->n_stages, 2);
	}
	reply = trace(20, "back", 1, LP_TRACE_PACKET_MAX);
	ck_assert_uint_eq(reply->n_packets, 1);
	reply = trace(21, "back", 1, 0);
	ck_assert_str_eq(reply->packets[0]->reason, "runt");
	reply = trace(21, "back", 0, 0);
	ck_assert_ptr_null(reply->why);
	ck_assert_uint_eq(reply->n_packets, 0);
	end();
}
END_TEST

START_TEST(what_cannot_be_traced_is_refused_and_nothing_else_ends)
{
	begin(true);
	refused(1, "side", 1, 60, "it runs no port \"side\"");
	refused(2, "front", LP_TRACE_PACKETS_MAX + 1, 60, "more than 8");
	refused(3, "front", 1, LP_TRACE_PACKET_MAX + 1, "more than 9618");
	refused(4, "front", 2, LP_TRACE_PACKET_MAX, "16384 in all");
	refused(0, "front", 1, 60, "without an id");
	described = "api=Fetch src=10.0.0.1";
	refused(6, "front", 1, 60, "request: src is of the connection");
	described = "api=";
	refused(7, "front", 1, 60, "request: api has no value");
	described = NULL;
	ck_assert_ptr_null(trace(5, "front", 1, 60)->why);
	end();
}
END_TEST

/* From 10.9.0.7:51000 to the endpoint of broker 0, whose RST goes back. */
static void
make_syn(uint8_t *frame)
{
	static const uint8_t syn[] = {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 8, 0,
	    0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 9, 0, 7, 10, 9, 0, 100,
	    0xc7, 0x38, 0x23, 0x8c, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xfa, 0xf0,
	    0, 0, 0, 0};
	uint32_t sum = 0;

	memcpy(frame, syn, sizeof(syn));
	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[24] = (uint8_t)(sum >> 8);
	frame[25] = (uint8_t)sum;
	sum = 6 + 20;
	for (int i = 26; i < 54; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[50] = (uint8_t)(sum >> 8);
	frame[51] = (uint8_t)sum;
}

START_TEST(rules_are_told)
{
	const Lp__Pb__TraceReply *reply;
	const Lp__Pb__TracedPacket *packet;
	struct lp_object rule = make_rule(90, "scan", 5, "", "reset");
	bool told = false;

	begin(false);
	put(&config, rule);
	controller_apply(&controller, EPOCH, 1, &config);
	make_syn(bytes[0]);
	described = "api=Fetch topic=a,b";
	reply = trace(1, "front", 1, 60);
	described = NULL;
	ck_assert_ptr_null(reply->why);
	packet = reply->packets[0];
	for (size_t i = 0; i < packet->n_stages; i++) {
		if (packet->stages[i]->rules == NULL)
			continue;
		told = true;
		ck_assert_str_eq(packet->stages[i]->name, "admit");
		ck_assert_str_eq(
		    packet->stages[i]->rules->decides->name, "scan");
	}
	ck_assert_msg(told, "%s", packet->reason);
	ck_assert_str_eq(packet->reason, "reset_rule");
	ck_assert_uint_eq(packet->n_request, 2);
	ck_assert_str_eq(packet->request[1]->topic, "b");
	ck_assert_str_eq(packet->request[1]->decides->name, "scan");
	ck_assert_ptr_nonnull(packet->request_note);
	end();
}
END_TEST

START_TEST(without_a_configuration_no_port_is_known)
{
	begin(false);
	refused(1, "front", 1, 60, "it runs no port \"front\"");
	end();
}
END_TEST

/* ---- capture ------------------------------------------------------------- */

static void
ask_capture(struct controller *from, uint64_t cookie,
    const Lp__Pb__CaptureFilter *filter)
{
	Lp__Pb__CaptureFilter any = LP__PB__CAPTURE_FILTER__INIT;
	Lp__Pb__CaptureRequest request = LP__PB__CAPTURE_REQUEST__INIT;

	request.cookie = cookie;
	request.filter = filter ? (Lp__Pb__CaptureFilter *)filter : &any;
	controller_send(
	    from, LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REQUEST, &request);
}

static const Lp__Pb__CaptureReply *
expect_capture(struct controller *from, uint64_t cookie)
{
	const Lp__Pb__CaptureReply *reply = controller_expect(
	    from, LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REPLY)
						->capture_reply;

	ck_assert_uint_eq(reply->cookie, cookie);
	return reply;
}

static void
stop_capture(struct controller *from, uint64_t cookie)
{
	Lp__Pb__CaptureStop stop = LP__PB__CAPTURE_STOP__INIT;

	stop.cookie = cookie;
	controller_send(
	    from, LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_STOP, &stop);
}

static void
expect_begun(struct controller *from, uint64_t cookie)
{
	const Lp__Pb__CaptureReply *reply = expect_capture(from, cookie);

	ck_assert_ptr_null(reply->why);
	ck_assert(reply->more);
}

static void
expect_refused(struct controller *from, uint64_t cookie, const char *why)
{
	const Lp__Pb__CaptureReply *reply = expect_capture(from, cookie);

	ck_assert_ptr_nonnull(reply->why);
	ck_assert_msg(strstr(reply->why, why) != NULL, "%s", reply->why);
	ck_assert(!reply->more);
}

START_TEST(a_capture_begins_and_ends_and_another_may_follow)
{
	begin(true);
	for (uint64_t cookie = 5; cookie < 8; cookie++) {
		const Lp__Pb__CaptureReply *reply;

		ask_capture(&controller, cookie, NULL);
		expect_begun(&controller, cookie);
		stop_capture(&controller, cookie + 1); /* of another */
		stop_capture(&controller, cookie);
		reply = expect_capture(&controller, cookie);
		ck_assert(!reply->more);
		ck_assert(reply->has_captured && reply->has_dropped);
		ck_assert_uint_eq(reply->captured, 0);
		stop_capture(&controller, cookie); /* it has ended */
	}
	end();
}
END_TEST

START_TEST(a_second_capture_is_refused_and_the_first_goes_on)
{
	begin(true);
	ask_capture(&controller, 1, NULL);
	expect_begun(&controller, 1);
	ask_capture(&controller, 2, NULL);
	expect_refused(&controller, 2, "another capture runs already");
	stop_capture(&controller, 1);
	ck_assert(!expect_capture(&controller, 1)->more);
	end();
}
END_TEST

/* A controller that goes takes its capture with it. */
START_TEST(a_capture_ends_with_its_controller)
{
	struct controller other;
	const Lp__Pb__CaptureReply *reply;

	begin(true);
	controller_open(&other, dataplane.socket);
	controller_welcome(&other, EPOCH);
	ask_capture(&other, 9, NULL);
	expect_begun(&other, 9);
	controller_close(&other);
	do {
		ask_capture(&controller, 10, NULL);
		reply = expect_capture(&controller, 10);
	} while (reply->why != NULL);
	ck_assert(reply->more);
	end();
}
END_TEST

static Lp__Pb__Prefix client = LP__PB__PREFIX__INIT;
static uint8_t address[16] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 9, 0, 0};

static void
try_filter(const Lp__Pb__CaptureFilter *filter, const char *why)
{
	ask_capture(&controller, 3, filter);
	if (why) {
		expect_refused(&controller, 3, why);
		return;
	}
	expect_begun(&controller, 3);
	stop_capture(&controller, 3);
	ck_assert(!expect_capture(&controller, 3)->more);
}

START_TEST(a_filter_names_what_runs)
{
	Lp__Pb__CaptureFilter filter = LP__PB__CAPTURE_FILTER__INIT;

	begin(true);
	filter.listener = (char *)"public";
	try_filter(&filter, NULL);
	filter.listener = (char *)"payments/public";
	try_filter(&filter, NULL);
	filter.listener = (char *)"payment/public";
	try_filter(&filter, "no listener \"payment/public\"");
	filter.listener = (char *)"/public";
	try_filter(&filter, "no listener");
	filter.listener = NULL;
	filter.port = (char *)"front";
	try_filter(&filter, NULL);
	filter.port = (char *)"middle";
	try_filter(&filter, "no port \"middle\"");
	filter.port = NULL;
	filter.has_node_id = true;
	filter.node_id = 1;
	try_filter(&filter, NULL);
	filter.node_id = -1;
	try_filter(&filter, "no broker of node id -1");
	filter.has_node_id = false;
	filter.client = &client;
	client.ip.data = address;
	client.ip.len = sizeof(address);
	client.len = 32;
	try_filter(&filter, NULL);
	client.len = 33;
	try_filter(&filter, "prefix too long");
	client.len = UINT32_MAX - 90;
	try_filter(&filter, "prefix too long");
	filter.client = NULL;
	filter.has_snaplen = true;
	filter.snaplen = 1;
	try_filter(&filter, NULL);
	filter.snaplen = UINT32_MAX;
	try_filter(&filter, NULL);
	end();
}
END_TEST

START_TEST(without_a_port_there_is_nothing_to_capture)
{
	begin(false);
	ask_capture(&controller, 1, NULL);
	expect_refused(&controller, 1, "no open port");
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
	    packets_are_traced,
	    what_cannot_be_traced_is_refused_and_nothing_else_ends,
	    rules_are_told,
	    without_a_configuration_no_port_is_known,
	    a_capture_begins_and_ends_and_another_may_follow,
	    a_second_capture_is_refused_and_the_first_goes_on,
	    a_capture_ends_with_its_controller,
	    a_filter_names_what_runs,
	    without_a_port_there_is_nothing_to_capture,
	    NULL,
	};

	return cold_run("tools", tests);
}
