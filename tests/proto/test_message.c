/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "objects.h"

/* The linker leads the library's calls here; true: fail them. */
static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

/* A port that uses all of its room. */
static struct lp_object
largest_port(void)
{
	struct lp_object object = make_port(UINT32_MAX, "x", LP_SIDE_BOTH,
	    "2001:db8::1/128", "10.0.0.1", "2001:db8::2");

	memset(object.port.name, 'n', LP_NAME_SIZE - 1);
	memset(object.port.device, 'd', LP_DEVICE_SIZE - 1);
	memcpy(object.port.device, "net_", 4);
	object.port.backend = LP_BACKEND_DPDK;
	object.port.allow_default_route = true;
	object.port.mtu = LP_PORT_MTU_MAX;
	for (unsigned i = 1; i < LP_PORT_ADDRESSES_MAX; i++) {
		object.port.addresses[i] = object.port.addresses[0];
		object.port.addresses[i].ip.bytes[14] = (uint8_t)i;
	}
	object.port.address_count = LP_PORT_ADDRESSES_MAX;
	return object;
}

START_TEST(objects_survive_a_round_trip)
{
	struct lp_config config;
	char why[LP_WHY_SIZE];
	const char *field;

	make_config(&config);
	put(&config,
	    make_rule(NEXT_ID, "r", 7, "api=Fetch topic=pay*", "deny"));
	config.objects[config.count - 1].rule.shadow = true;
	for (size_t i = 0; i < config.count; i++) {
		const struct lp_object *object = &config.objects[i];
		uint8_t packed[LP_OBJECT_PACKED_MAX], again[sizeof(packed)];
		size_t len =
		    lp_message_pack_object(packed, sizeof(packed), object);
		Lp__Pb__Object *message =
		    lp__pb__object__unpack(NULL, len, packed);
		struct lp_object back;

		ck_assert_ptr_nonnull(message);
		memset(&back, 0xff, sizeof(back));
		ck_assert_int_eq(
		    lp_message_to_object(&back, message, &field, why), 0);
		lp__pb__object__free_unpacked(message, NULL);
		ck_assert_uint_eq(
		    lp_message_pack_object(again, sizeof(again), &back), len);
		ck_assert_mem_eq(packed, again, len);
		ck_assert_uint_eq(back.kind, object->kind);
		ck_assert_uint_eq(back.id, object->id);
	}
	lp_config_fini(&config);
}
END_TEST

START_TEST(every_field_of_a_port_comes_back)
{
	struct lp_object object = largest_port(), back;
	struct lp_message_object holder;
	char why[LP_WHY_SIZE] = "";
	const char *field;

	memcpy(object.port.gateway_v4.bytes + 12, "\x0a\0\0\1", 4);
	object.port.addresses[3].len = 24;
	lp_ip_from_v4(
	    &object.port.addresses[3].ip, (const uint8_t *)"\x0a\0\0\2");
	object.port.gateway_v6 = object.port.addresses[2].ip;
	object.port.gateway_v6.bytes[13] = 1;
	object.port.addresses[2].len = 64;
	ck_assert_int_eq(
	    lp_message_to_object(
		&back, lp_message_from_object(&holder, &object), &field, why),
	    0);
	ck_assert_uint_eq(back.id, UINT32_MAX);
	ck_assert_str_eq(back.port.name, object.port.name);
	ck_assert_str_eq(back.port.device, object.port.device);
	ck_assert_uint_eq(back.port.backend, LP_BACKEND_DPDK);
	ck_assert_uint_eq(back.port.side, LP_SIDE_BOTH);
	ck_assert(back.port.allow_default_route);
	ck_assert_uint_eq(back.port.mtu, LP_PORT_MTU_MAX);
	ck_assert_uint_eq(back.port.address_count, LP_PORT_ADDRESSES_MAX);
	ck_assert_uint_eq(back.port.addresses[3].len, 24);
	for (unsigned i = 0; i < LP_PORT_ADDRESSES_MAX; i++)
		ck_assert(lp_ip_equal(
		    &back.port.addresses[i].ip, &object.port.addresses[i].ip));
	ck_assert(lp_ip_equal(&back.port.gateway_v4, &object.port.gateway_v4));
	ck_assert(lp_ip_equal(&back.port.gateway_v6, &object.port.gateway_v6));
}
END_TEST

START_TEST(the_largest_object_fits_its_limit)
{
	uint8_t packed[LP_OBJECT_PACKED_MAX];
	struct lp_object port = largest_port();
	struct lp_object broker = make_broker(
	    UINT32_MAX, UINT32_MAX, INT32_MAX, "[2001:db8::1]:65535");

	memset(broker.broker.host, 'h', LP_HOST_SIZE - 1);
	ck_assert_uint_lt(lp_message_pack_object(packed, sizeof(packed), &port),
	    LP_OBJECT_PACKED_MAX / 2);
	ck_assert_uint_lt(
	    lp_message_pack_object(packed, sizeof(packed), &broker),
	    LP_OBJECT_PACKED_MAX / 2);
	ck_assert_uint_eq(lp_message_object_size(&broker),
	    lp_message_pack_object(packed, sizeof(packed), &broker));
}
END_TEST

/* With what a frame of a generation has around it. */
START_TEST(the_largest_rule_fits_its_limit)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ObjectFrame frame = LP__PB__OBJECT_FRAME__INIT;
	struct lp_object rule =
	    make_rule(UINT32_MAX, "r", LP_RULE_PRIORITY_MAX, "", "observe");
	struct lp_message_object made;

	rule.rule.shadow = true;
	memset(rule.rule.name, 'n', LP_NAME_SIZE - 1);
	memset(rule.rule.match, 'm', LP_RULE_MATCH_SIZE - 1);
	memset(rule.rule.action, 'a', LP_RULE_ACTION_SIZE - 1);
	frame.object = lp_message_from_object(&made, &rule);
	frame.has_gone = true;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT;
	message.object = &frame;
	ck_assert_uint_lt(LP_FRAME_HEADER_SIZE +
		lp__pb__dataplane_message__get_packed_size(&message),
	    LP_RULE_PACKED_MAX);
	/* It is no larger than what there was. */
	ck_assert_uint_le(sizeof(rule.rule), sizeof(rule.port));
}
END_TEST

/* The message that a test spoils. */
static struct lp_message_object holder;

static void
expect_refused(const char *in_field, const char *because)
{
	struct lp_object object, before;
	char why[LP_WHY_SIZE] = "";
	const char *field = "";

	memset(&object, 0x5a, sizeof(object));
	memcpy(&before, &object, sizeof(object));
	ck_assert_int_eq(
	    lp_message_to_object(&object, &holder.message, &field, why),
	    -EINVAL);
	ck_assert_str_eq(field, in_field);
	ck_assert_str_eq(why, because);
	ck_assert_mem_eq(&object, &before, sizeof(object));
}

START_TEST(messages_without_what_is_needed_are_refused)
{
	struct lp_object broker = make_broker(1, 2, 3, "10.0.0.1:1");
	struct lp_object listener = make_listener(1, 2, "l", "10.0.0.1:1");
	struct lp_object endpoint = make_endpoint(1, 2, 3, "10.0.0.1:1");
	struct lp_object rule = make_rule(1, "r", 1, "", "observe");

	lp_message_from_object(&holder, &broker)->id = 0;
	expect_refused("id", "is missing");
	lp_message_from_object(&holder, &broker)->body_case = 0;
	expect_refused("kind", "an object of no kind we know");
	lp_message_from_object(&holder, &broker)->body_case = 77;
	expect_refused("kind", "an object of no kind we know");
	lp_message_from_object(&holder, &broker)->broker->cluster_id = 0;
	expect_refused("cluster", "is missing");
	lp_message_from_object(&holder, &broker)->broker->has_node_id = 0;
	expect_refused("node_id", "is missing");
	lp_message_from_object(&holder, &broker)->broker->real = NULL;
	expect_refused("endpoint", "has no address");
	lp_message_from_object(&holder, &broker)->broker->host = NULL;
	expect_refused("endpoint", "a host has 1 to 253 characters");
	lp_message_from_object(&holder, &listener)->listener->cluster_id = 0;
	expect_refused("cluster", "is missing");
	lp_message_from_object(&holder, &listener)->listener->vip = NULL;
	expect_refused("vip", "has no address");
	lp_message_from_object(&holder, &listener)->listener->has_broker_base =
	    0;
	expect_refused("broker_base", "0 is not 1..65535");
	lp_message_from_object(&holder, &endpoint)->endpoint->listener_id = 0;
	expect_refused("listener", "is missing");
	lp_message_from_object(&holder, &endpoint)->endpoint->broker_id = 0;
	expect_refused("broker", "is missing");
	lp_message_from_object(&holder, &rule)->rule->has_priority = 0;
	expect_refused("priority", "is missing");
	lp_message_from_object(&holder, &rule)->rule->match = NULL;
	expect_refused("match", "is missing");
	lp_message_from_object(&holder, &rule)->rule->name = NULL;
	expect_refused("name", "is missing or empty");
}
END_TEST

START_TEST(numbers_beyond_their_range_are_refused_not_cut)
{
	struct lp_object port =
	    make_port(1, "p", LP_SIDE_BOTH, "10.0.0.1/24", NULL, NULL);
	struct lp_object listener = make_listener(1, 2, "l", "10.0.0.1:1");

	lp_message_from_object(&holder, &port)->port->backend = 0x101;
	expect_refused("backend", "257 is no such value");
	lp_message_from_object(&holder, &port)->port->side = 0x100 + 3;
	expect_refused("side", "259 is no such value");
	lp_message_from_object(&holder, &port)->port->has_mtu = true;
	holder.port.mtu = 65536 + 1500;
	expect_refused("mtu", "67036 is not 1280..9600");
	lp_message_from_object(&holder, &port);
	holder.prefixes[0].len = 256 + 24;
	expect_refused("address", "280 is no such value");
	lp_message_from_object(&holder, &listener)->listener->broker_base =
	    65536 + 9;
	expect_refused("broker_base", "65545 is not 1..65535");
	lp_message_from_object(&holder, &listener)->listener->mode = 257;
	expect_refused("mode", "257 is no such value");
	lp_message_from_object(&holder, &listener);
	holder.ip_port.port = 65536 + 1;
	expect_refused("vip", "is not an IP and a port");
}
END_TEST

START_TEST(texts_and_addresses_of_a_wrong_size_are_refused)
{
	static char text[LP_DEVICE_SIZE + 1];
	Lp__Pb__Prefix *prefixes[LP_PORT_ADDRESSES_MAX + 1];
	struct lp_object port =
	    make_port(1, "p", LP_SIDE_BOTH, "10.0.0.1/24", NULL, NULL);
	struct lp_object broker = make_broker(1, 2, 3, "10.0.0.1:1");

	memset(text, 'x', LP_DEVICE_SIZE);
	lp_message_from_object(&holder, &port)->port->device = text;
	expect_refused("device", "is longer than 255 characters");
	lp_message_from_object(&holder, &port)->port->name = text;
	expect_refused("name", "is longer than 63 characters");
	lp_message_from_object(&holder, &broker)->broker->host = text;
	expect_refused("endpoint", "is longer than 253 characters");
	lp_message_from_object(&holder, &port);
	holder.prefixes[0].ip.len = 4;
	expect_refused("address", "an IP of 4 bytes, not 16");
	lp_message_from_object(&holder, &port)->port->has_gateway_v6 = true;
	holder.port.gateway_v6.len = 17;
	expect_refused("gateway", "an IP of 17 bytes, not 16");
	lp_message_from_object(&holder, &broker);
	holder.ip_port.ip.len = 15;
	expect_refused("endpoint", "is not an IP and a port");
	lp_message_from_object(&holder, &port);
	for (unsigned i = 0; i <= LP_PORT_ADDRESSES_MAX; i++)
		prefixes[i] = &holder.prefixes[0];
	holder.port.addresses = prefixes;
	holder.port.n_addresses = LP_PORT_ADDRESSES_MAX + 1;
	expect_refused("address", "a port has at most 16");
}
END_TEST

START_TEST(a_framed_message_is_parsed_and_unpacked)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Beat beat = LP__PB__BEAT__INIT;
	Lp__Pb__DataplaneMessage *back;
	const uint8_t *payload;
	size_t frame_len, len;
	uint8_t *frame;

	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_BEAT;
	message.beat = &beat;
	beat.generation = UINT64_MAX;
	beat.digest = 0x123456789abcdef;
	ck_assert_int_eq(
	    lp_message_frame(&frame, &frame_len, &message.base), 0);
	ck_assert_int_eq(
	    lp_frame_next(frame, frame_len, &payload, &len), LP_OK);
	ck_assert_uint_eq(len + LP_FRAME_HEADER_SIZE, frame_len);
	back = lp_message_unpack_dataplane(payload, len);
	ck_assert_ptr_nonnull(back);
	ck_assert_uint_eq(back->beat->generation, UINT64_MAX);
	ck_assert_uint_eq(back->beat->digest, 0x123456789abcdef);
	lp__pb__dataplane_message__free_unpacked(back, NULL);
	/* Truncated anywhere it is no message: the digest is required. */
	for (size_t i = 1; i < len; i++)
		ck_assert_ptr_null(lp_message_unpack_dataplane(payload, i));
	free(frame);
}
END_TEST

START_TEST(a_message_that_no_frame_holds_is_refused)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__VersionReply version = LP__PB__VERSION_REPLY__INIT;
	static char text[LP_FRAME_SIZE_MAX];
	uint8_t *frame = NULL;
	size_t len = 0, room = LP_FRAME_SIZE_MAX - LP_FRAME_HEADER_SIZE;
	int rc;

	memset(text, 'x', sizeof(text) - 1);
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_VERSION;
	reply.version = &version;
	version.version = text;
	ck_assert_int_eq(
	    lp_message_frame(&frame, &len, &reply.base), -EMSGSIZE);
	ck_assert_ptr_null(frame);
	text[sizeof(text) - 1 -
	    (protobuf_c_message_get_packed_size(&reply.base) - room)] = '\0';
	no_memory = true;
	rc = lp_message_frame(&frame, &len, &reply.base);
	no_memory = false;
	ck_assert_int_eq(rc, -ENOMEM);
	ck_assert_int_eq(lp_message_frame(&frame, &len, &reply.base), 0);
	ck_assert_uint_eq(len, LP_FRAME_SIZE_MAX);
	free(frame);
}
END_TEST

START_TEST(payloads_beyond_a_frame_are_not_even_looked_at)
{
	static uint8_t zeros[LP_FRAME_SIZE_MAX];

	ck_assert_ptr_null(lp_message_unpack_dataplane(
	    zeros, LP_FRAME_SIZE_MAX - LP_FRAME_HEADER_SIZE + 1));
	ck_assert_ptr_null(lp_message_unpack_request(NULL, LP_FRAME_SIZE_MAX));
	ck_assert_ptr_null(lp_message_unpack_reply(NULL, SIZE_MAX));
}
END_TEST

START_TEST(enums_without_a_name_are_refused)
{
	/* protocol 1, cookie 2, one operation of that verb and kind 1 */
	uint8_t request[] = {
	    0x08, 1, 0x10, 2, 0x1a, 6, 0x0a, 4, 0x08, 1, 0x10, 1};
	Lp__Pb__ControlRequest *message =
	    lp_message_unpack_request(request, sizeof(request));

	ck_assert_ptr_nonnull(message);
	ck_assert_uint_eq(message->transaction->n_operations, 1);
	lp__pb__control_request__free_unpacked(message, NULL);
	request[9] = 4;
	ck_assert_ptr_null(lp_message_unpack_request(request, sizeof(request)));
}
END_TEST

START_TEST(addresses_that_are_not_16_bytes_are_refused)
{
	struct lp_object broker = make_broker(1, 2, 3, "10.0.0.1:1");
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__ObjectFrame object = LP__PB__OBJECT_FRAME__INIT;
	Lp__Pb__DataplaneMessage *back;
	uint8_t packed[LP_OBJECT_PACKED_MAX];
	size_t len;

	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT;
	message.object = &object;
	object.object = lp_message_from_object(&holder, &broker);
	len = protobuf_c_message_pack(&message.base, packed);
	back = lp_message_unpack_dataplane(packed, len);
	ck_assert_ptr_nonnull(back);
	lp__pb__dataplane_message__free_unpacked(back, NULL);
	holder.ip_port.ip.len = 15;
	len = protobuf_c_message_pack(&message.base, packed);
	ck_assert_ptr_null(lp_message_unpack_dataplane(packed, len));
}
END_TEST

START_TEST(packets_are_bytes_of_any_length)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TraceRequest trace = LP__PB__TRACE_REQUEST__INIT;
	Lp__Pb__TracePacket packet = LP__PB__TRACE_PACKET__INIT;
	Lp__Pb__TracePacket *list[] = {&packet};
	static uint8_t bytes[LP_TRACE_PACKET_MAX];
	static uint8_t packed[LP_FRAME_SIZE_MAX];

	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REQUEST;
	message.trace_request = &trace;
	trace.trace_id = 1;
	trace.port = (char *)"front";
	trace.n_packets = 1;
	trace.packets = list;
	packet.data.data = bytes;
	for (packet.data.len = 0; packet.data.len < 20; packet.data.len++) {
		size_t len = protobuf_c_message_pack(&message.base, packed);
		Lp__Pb__DataplaneMessage *back =
		    lp_message_unpack_dataplane(packed, len);

		ck_assert_ptr_nonnull(back);
		ck_assert_uint_eq(
		    back->trace_request->packets[0]->data.len, packet.data.len);
		lp__pb__dataplane_message__free_unpacked(back, NULL);
	}
}
END_TEST

START_TEST(endpoints_survive_a_round_trip_and_are_checked)
{
	struct lp_endpoint endpoint, back = {0};
	Lp__Pb__Endpoint message;

	ck_assert_int_eq(
	    lp_endpoint_parse(&endpoint, "[2001:db8::1]:65535", NULL), 0);
	lp_message_from_endpoint(&message, &endpoint);
	ck_assert_int_eq(lp_message_to_endpoint(&back, &message), 0);
	ck_assert(lp_ip_equal(&back.ip, &endpoint.ip));
	ck_assert_uint_eq(back.port, 65535);
	message.port = 0;
	ck_assert_int_eq(lp_message_to_endpoint(&back, &message), -EINVAL);
	message.port = 65536;
	ck_assert_int_eq(lp_message_to_endpoint(&back, &message), -EINVAL);
	message.port = 1;
	message.ip.len = 4;
	ck_assert_int_eq(lp_message_to_endpoint(&back, &message), -EINVAL);
	ck_assert_int_eq(lp_message_to_endpoint(&back, NULL), -EINVAL);
	ck_assert_uint_eq(back.port, 65535);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("message");
	TCase *tests = tcase_create("message");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, objects_survive_a_round_trip);
	tcase_add_test(tests, every_field_of_a_port_comes_back);
	tcase_add_test(tests, the_largest_object_fits_its_limit);
	tcase_add_test(tests, the_largest_rule_fits_its_limit);
	tcase_add_test(tests, messages_without_what_is_needed_are_refused);
	tcase_add_test(tests, numbers_beyond_their_range_are_refused_not_cut);
	tcase_add_test(tests, texts_and_addresses_of_a_wrong_size_are_refused);
	tcase_add_test(tests, a_framed_message_is_parsed_and_unpacked);
	tcase_add_test(tests, a_message_that_no_frame_holds_is_refused);
	tcase_add_test(tests, payloads_beyond_a_frame_are_not_even_looked_at);
	tcase_add_test(tests, enums_without_a_name_are_refused);
	tcase_add_test(tests, addresses_that_are_not_16_bytes_are_refused);
	tcase_add_test(tests, packets_are_bytes_of_any_length);
	tcase_add_test(tests, endpoints_survive_a_round_trip_and_are_checked);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
