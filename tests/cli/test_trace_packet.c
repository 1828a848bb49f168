/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from descriptions, read by the tests' own reader of packets. */
#include "cli/trace_packet.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/packet.h"

static uint8_t bytes[LP_TRACE_PACKET_MAX];

static const struct {
	enum lp_trace_kind kind;
	const char *from, *to;
	const char *flags;
	size_t payload;
	size_t len;
	const char *expected;
} frames[] = {
    {LP_TRACE_TCP, "10.9.0.7:51000", "10.9.0.100:9092", "S", 0, 54,
	"tcp 10.9.0.7:51000 > 10.9.0.100:9092 S seq=7 ack=9 len=0 ttl=64"},
    {LP_TRACE_TCP, "10.9.0.7:1", "10.9.0.100:65535", "pa", 3, 57,
	"tcp 10.9.0.7:1 > 10.9.0.100:65535 PA seq=7 ack=9 len=3"},
    {LP_TRACE_TCP, "[fd00::1]:5", "[fd00::2]:6", "FA", 1000, 1074,
	"tcp [fd00::1]:5 > [fd00::2]:6 FA seq=7 ack=9 len=1000 ttl=64"},
    {LP_TRACE_PING, "10.9.0.7", "10.9.0.100", "", 0, 42,
	"echo 10.9.0.7 > 10.9.0.100 id=1"},
    {LP_TRACE_PING, "fd00::1", "fd00::2", "", 9, 71,
	"echo fd00::1 > fd00::2 id=1"},
    {LP_TRACE_ARP, "10.9.0.7", "10.9.0.100", "", 0, 42,
	"arp-request 10.9.0.7 > 10.9.0.100 dmac=ff:ff:ff:ff:ff:ff"},
};

START_TEST(a_frame_is_what_was_described)
{
	static const uint8_t payload[1000] = {0xde, 0xad, 0xff};
	struct lp_trace_packet packet = {.kind = frames[_i].kind,
	    .seq = 7,
	    .ack = 9,
	    .payload = payload,
	    .payload_len = frames[_i].payload};
	char text[PACKET_TEXT_SIZE];
	size_t len;

	if (packet.kind == LP_TRACE_TCP) {
		ck_assert_int_eq(
		    lp_endpoint_parse(&packet.from, frames[_i].from, NULL), 0);
		ck_assert_int_eq(
		    lp_endpoint_parse(&packet.to, frames[_i].to, NULL), 0);
	} else {
		ck_assert_int_eq(
		    lp_ip_parse(&packet.from.ip, frames[_i].from, NULL), 0);
		ck_assert_int_eq(
		    lp_ip_parse(&packet.to.ip, frames[_i].to, NULL), 0);
	}
	ck_assert_int_eq(
	    lp_trace_packet_flags(&packet.flags, frames[_i].flags), 0);
	len = lp_trace_packet_build(bytes, &packet);
	ck_assert_uint_eq(len, frames[_i].len);
	packet_describe(text, bytes, len);
	/* No checksum is wrong, or it would not match. */
	ck_assert_msg(packet_matches(text, frames[_i].expected), "%s", text);
	if (packet.payload_len > 0)
		ck_assert_mem_eq(bytes + len - packet.payload_len, payload,
		    packet.payload_len);
}
END_TEST

START_TEST(flags_are_letters)
{
	uint8_t flags = 99;

	ck_assert_int_eq(lp_trace_packet_flags(&flags, "SAFRPU"), 0);
	ck_assert_uint_eq(flags, 0x3f);
	ck_assert_int_eq(lp_trace_packet_flags(&flags, ""), 0);
	ck_assert_uint_eq(flags, 0);
	flags = 99;
	ck_assert_int_eq(lp_trace_packet_flags(&flags, "SX"), -EINVAL);
	ck_assert_int_eq(lp_trace_packet_flags(&flags, "S A"), -EINVAL);
	ck_assert_uint_eq(flags, 99);
}
END_TEST

START_TEST(hex_is_pairs_of_digits)
{
	static const uint8_t expected[] = {0x00, 0xff, 0xa5};
	size_t len = 0;

	ck_assert_int_eq(lp_trace_packet_hex(bytes, 3, &len, "00ffA5"), 0);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(bytes, expected, 3);
	ck_assert_int_eq(lp_trace_packet_hex(bytes, 3, &len, "00:ff a5"), 0);
	ck_assert_uint_eq(len, 3);
	ck_assert_int_eq(lp_trace_packet_hex(bytes, 3, &len, ""), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(
	    lp_trace_packet_hex(bytes, 3, &len, "00ffa500"), -EINVAL);
	ck_assert_int_eq(lp_trace_packet_hex(bytes, 3, &len, "0"), -EINVAL);
	ck_assert_int_eq(lp_trace_packet_hex(bytes, 3, &len, "0g"), -EINVAL);
	ck_assert_int_eq(lp_trace_packet_hex(bytes, 3, &len, "0 0"), -EINVAL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trace_packet");
	TCase *tcase = tcase_create("trace_packet");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, a_frame_is_what_was_described, 0,
	    sizeof(frames) / sizeof(frames[0]));
	tcase_add_test(tcase, flags_are_letters);
	tcase_add_test(tcase, hex_is_pairs_of_digits);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
