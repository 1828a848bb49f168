/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/pipeline/parse.h"

#include <check.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/pipeline/wire.h"
#include "tests/support/packet.h"

#define T4 "tcp 10.9.0.50:40000 > 10.9.0.100:9092 "
#define T6 "tcp [2001:db8:9::50]:40000 > [2001:db8:9::100]:9092 "
#define E4 "echo 10.9.0.50 > 10.9.0.10 "
#define E6 "echo 2001:db8:9::50 > 2001:db8:9::10 "

struct row {
	const char *text;
	enum lp_reason reason; /* LP_REASON_NONE: it passes */
};

/* clang-format off */
static const struct row rows[] = {
	{T4 "S", LP_REASON_NONE},
	{T6 "S", LP_REASON_NONE},
	{E4 "len=56", LP_REASON_NONE},
	{E6 "len=56", LP_REASON_NONE},
	{"arp-request 10.9.0.50 > 10.9.0.10", LP_REASON_NONE},
	{"ns 2001:db8:9::50 > ff02::1:ff00:10 target=2001:db8:9::10",
	    LP_REASON_NONE},
	/* Padding, and a frame that says less than it is. */
	{T4 "A pad=6", LP_REASON_NONE},
	{T6 "A len=3 pad=50", LP_REASON_NONE},
	/* Runts. */
	{T4 "S cut=0", LP_REASON_RUNT},
	{T4 "S cut=13", LP_REASON_RUNT},
	{T4 "S cut=14", LP_REASON_RUNT},
	{T4 "S cut=33", LP_REASON_RUNT},
	{T6 "S cut=53", LP_REASON_RUNT},
	{"arp-request 10.9.0.50 > 10.9.0.10 cut=41", LP_REASON_RUNT},
	/* Ethernet. */
	{T4 "S vlan=7", LP_REASON_VLAN},
	{T4 "S ethertype=0x88a8", LP_REASON_VLAN},
	{T4 "S ethertype=0x88cc", LP_REASON_ETHERTYPE},
	{T4 "S ethertype=0x0026", LP_REASON_ETHERTYPE},
	{T4 "S ethertype=0x86dd", LP_REASON_IP_HEADER},
	{T6 "S ethertype=0x0800", LP_REASON_IP_HEADER},
	/* IPv4 lengths. */
	{T4 "S @14=0x44", LP_REASON_IP_HEADER},
	{T4 "S @14=0x65", LP_REASON_IP_HEADER},
	{T4 "S @14=0x4f", LP_REASON_IP_HEADER},
	{T4 "S cut=53", LP_REASON_IP_HEADER},
	{T4 "S total=19", LP_REASON_IP_HEADER},
	{T4 "S total=0", LP_REASON_IP_HEADER},
	{T4 "S total=65535", LP_REASON_IP_HEADER},
	{T4 "S total=20", LP_REASON_TCP_HEADER},
	{T4 "S total=39", LP_REASON_TCP_HEADER},
	{T4 "S badip=1", LP_REASON_IP_CHECKSUM},
	{T4 "S @22=63", LP_REASON_IP_CHECKSUM},
	/* IPv4 options pass. */
	{T4 "S ipopt=1", LP_REASON_NONE},
	{T4 "S ipopt=10 len=9", LP_REASON_NONE},
	{E4 "ipopt=3", LP_REASON_NONE},
	/* Fragments: first, middle, last; a reserved bit is none. */
	{T4 "A frag=0x2000", LP_REASON_IP_FRAGMENT},
	{T4 "A frag=0x2010", LP_REASON_IP_FRAGMENT},
	{T4 "A frag=0x0010", LP_REASON_IP_FRAGMENT},
	{T4 "A frag=0x8000", LP_REASON_NONE},
	{T4 "A frag=0", LP_REASON_NONE},
	/* IPv6 lengths and extension headers. */
	{T6 "S total=19", LP_REASON_TCP_HEADER},
	{T6 "S total=21", LP_REASON_IP_HEADER},
	{T6 "S cut=73", LP_REASON_IP_HEADER},
	{T6 "S total=0", LP_REASON_TCP_HEADER},
	{T6 "S @14=0x40", LP_REASON_IP_HEADER},
	{T6 "S ext=hop", LP_REASON_NONE},
	{T6 "S ext=hop,dst", LP_REASON_NONE},
	{T6 "S ext=dst,dst,dst,dst", LP_REASON_NONE},
	{T6 "S ext=dst,dst,dst,dst,dst", LP_REASON_IP_OPTIONS},
	{T6 "S ext=route", LP_REASON_IP_OPTIONS},
	{T6 "S ext=hop,route", LP_REASON_IP_OPTIONS},
	{T6 "S ext=frag", LP_REASON_IP_FRAGMENT},
	{T6 "S ext=hop,dst,frag", LP_REASON_IP_FRAGMENT},
	{T6 "S ext=hop @55=255", LP_REASON_IP_HEADER},
	{T6 "S ext=hop total=7", LP_REASON_IP_HEADER},
	{T6 "S ext=hop total=8", LP_REASON_TCP_HEADER},
	{T6 "S proto=59", LP_REASON_IP_PROTOCOL},
	/* Protocols; ICMP of the other family is none. */
	{T4 "S proto=17", LP_REASON_IP_PROTOCOL},
	{T4 "S proto=58", LP_REASON_IP_PROTOCOL},
	{T6 "S proto=1", LP_REASON_IP_PROTOCOL},
	{T6 "S proto=50", LP_REASON_IP_PROTOCOL},
	/* Sources that nobody has. */
	{"tcp 127.0.0.1:1 > 10.9.0.100:9092 S", LP_REASON_IP_SOURCE},
	{"tcp 0.0.0.0:1 > 10.9.0.100:9092 S", LP_REASON_IP_SOURCE},
	{"tcp 224.0.0.1:1 > 10.9.0.100:9092 S", LP_REASON_IP_SOURCE},
	{"tcp 255.255.255.255:1 > 10.9.0.100:9092 S", LP_REASON_IP_SOURCE},
	{"tcp [ff02::1]:1 > [2001:db8::1]:9092 S", LP_REASON_IP_SOURCE},
	{"tcp [::1]:1 > [2001:db8::1]:9092 S", LP_REASON_IP_SOURCE},
	{"tcp [::]:1 > [2001:db8::1]:9092 S", LP_REASON_IP_SOURCE},
	{"echo :: > 2001:db8::1", LP_REASON_IP_SOURCE},
	{"na :: > ff02::1 target=2001:db8::1", LP_REASON_IP_SOURCE},
	{"ns :: > ff02::1:ff00:1 target=2001:db8::1", LP_REASON_NONE},
	/* IPv4-mapped addresses must not pass for IPv4 ones. */
	{"tcp [::ffff:10.9.0.50]:1 > [2001:db8::1]:9092 S",
	    LP_REASON_IP_SOURCE},
	{"tcp [2001:db8::1]:1 > [::ffff:10.9.0.100]:9092 S",
	    LP_REASON_NOT_OURS},
	{"echo 2001:db8::1 > ::ffff:10.9.0.100", LP_REASON_NOT_OURS},
	/* TCP headers. */
	{T4 "S off=4", LP_REASON_TCP_HEADER},
	{T4 "S off=6", LP_REASON_TCP_HEADER},
	{T4 "S off=0", LP_REASON_TCP_HEADER},
	{T4 "-", LP_REASON_TCP_HEADER},
	{T4 "SF", LP_REASON_TCP_HEADER},
	{T4 "SR", LP_REASON_TCP_HEADER},
	{T4 "FSRPAU", LP_REASON_TCP_HEADER},
	{T4 "F", LP_REASON_TCP_HEADER},
	{T4 "PU", LP_REASON_TCP_HEADER},
	{T4 "R", LP_REASON_NONE},
	{T6 "SF", LP_REASON_TCP_HEADER},
	/* Checksums of what opens and closes; data is its end's business. */
	{T4 "S badsum=1", LP_REASON_TCP_CHECKSUM},
	{T4 "FA len=7 badsum=9", LP_REASON_TCP_CHECKSUM},
	{T6 "RA badsum=1", LP_REASON_TCP_CHECKSUM},
	{T6 "S len=5 badsum=1", LP_REASON_TCP_CHECKSUM},
	{T4 "A len=7 badsum=9", LP_REASON_NONE},
	{T4 "S len=9", LP_REASON_NONE},
	{T6 "S len=9", LP_REASON_NONE},
	/* ICMP headers; their sums are icmp.c's. */
	{E4 "total=27", LP_REASON_ICMP_INVALID},
	{E6 "total=7", LP_REASON_ICMP_INVALID},
	/* ARP of other kinds: hardware, protocol, lengths. */
	{"arp-request 10.9.0.50 > 10.9.0.10 @15=6", LP_REASON_ARP_INVALID},
	{"arp-request 10.9.0.50 > 10.9.0.10 @17=1", LP_REASON_ARP_INVALID},
	{"arp-request 10.9.0.50 > 10.9.0.10 @18=8", LP_REASON_ARP_INVALID},
	{"arp-request 10.9.0.50 > 10.9.0.10 @19=16", LP_REASON_ARP_INVALID},
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void
parse(struct lp_pkt *pkt, uint8_t *bytes, size_t len)
{
	*pkt = (struct lp_pkt){.data = bytes, .len = (uint16_t)len};
	lp_parse_packet(pkt);
}

START_TEST(a_frame_passes_or_is_dropped_for_that_reason)
{
	struct packet packet;
	struct lp_pkt pkt;

	packet_build(&packet, rows[_i].text);
	parse(&pkt, packet.bytes, packet.len);
	ck_assert_msg(pkt.reason == rows[_i].reason, "%s: %s, not %s",
	    rows[_i].text, lp_reason_name(pkt.reason),
	    lp_reason_name(rows[_i].reason));
	ck_assert_int_eq(pkt.verdict, rows[_i].reason ? LP_DROP : LP_UNDECIDED);
}
END_TEST

/* Bytes that end at a page that is not there. */
static uint8_t *
end_of_page(const uint8_t *bytes, size_t len)
{
	static uint8_t *map;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!map) {
		map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert(map != MAP_FAILED);
		ck_assert_int_eq(mprotect(map + page, page, PROT_NONE), 0);
	}
	memcpy(map + page - len, bytes, len);
	return map + page - len;
}

START_TEST(nothing_is_read_beyond_the_end_however_a_frame_is_cut)
{
	struct packet packet;
	struct lp_ip src, dst;
	struct lp_pkt pkt;

	packet_build(&packet, rows[_i].text);
	for (size_t len = 0; len <= packet.len; len++) {
		parse(&pkt, end_of_page(packet.bytes, len), len);
		if (pkt.verdict == LP_DROP || (pkt.flags & LP_PKT_ARP))
			continue;
		ck_assert_uint_le(pkt.len, len);
		ck_assert_uint_le(pkt.l4_off, pkt.payload_off);
		ck_assert_uint_eq(pkt.payload_off + pkt.payload_len, pkt.len);
		lp_parse_addresses(&pkt, &src, &dst);
		if (!(pkt.flags & LP_PKT_TCP))
			continue;
		lp_parse_tcp_checksum(&pkt);
		for (unsigned kind = 0; kind < 256; kind++)
			lp_parse_tcp_option(&pkt, (uint8_t)kind, 4);
	}
}
END_TEST

START_TEST(offsets_are_those_of_the_headers)
{
	struct packet packet;
	struct lp_pkt pkt;

	packet_build(&packet, T4 "PA ipopt=2 mss=1460 len=11 pad=30");
	parse(&pkt, packet.bytes, packet.len);
	ck_assert_uint_eq(pkt.flags, LP_PKT_TCP);
	ck_assert_uint_eq(pkt.l3_off, 14);
	ck_assert_uint_eq(pkt.l4_off, 14 + 28);
	ck_assert_uint_eq(pkt.payload_off, 14 + 28 + 24);
	ck_assert_uint_eq(pkt.payload_len, 11);
	ck_assert_uint_eq(pkt.len, 14 + 28 + 24 + 11);
	ck_assert_uint_eq(pkt.tcp_flags, 0x18);
	packet_build(&packet, T6 "S ext=hop,dst len=3");
	parse(&pkt, packet.bytes, packet.len);
	ck_assert_uint_eq(pkt.flags, LP_PKT_TCP | LP_PKT_V6);
	ck_assert_uint_eq(pkt.l4_off, 14 + 40 + 16);
	ck_assert_uint_eq(pkt.payload_len, 3);
	packet_build(&packet, E6 "len=5");
	parse(&pkt, packet.bytes, packet.len);
	ck_assert_uint_eq(pkt.flags, LP_PKT_ICMP | LP_PKT_V6);
	ck_assert_uint_eq(pkt.payload_len, 5);
}
END_TEST

START_TEST(a_copy_of_the_kernels_stays_one)
{
	struct packet packet;
	struct lp_pkt pkt = {.flags = 0xff};

	packet_build(&packet, "arp-request 10.9.0.50 > 10.9.0.10");
	pkt.data = packet.bytes;
	pkt.len = (uint16_t)packet.len;
	lp_parse_packet(&pkt);
	ck_assert_uint_eq(pkt.flags, LP_PKT_ARP | LP_PKT_FROM_PORT);
}
END_TEST

/* A flag stands for its own checksum and for no other. */
START_TEST(a_checksum_that_the_device_found_good_is_not_verified)
{
	static const struct {
		const char *text;
		uint8_t flags;
		enum lp_reason reason;
	} all[] = {
	    {T4 "S badip=1", LP_PKT_IP_SUM_GOOD, LP_REASON_NONE},
	    {T4 "S badip=1", LP_PKT_TCP_SUM_GOOD, LP_REASON_IP_CHECKSUM},
	    {E4 "badip=1", LP_PKT_IP_SUM_GOOD, LP_REASON_NONE},
	    {T4 "S badsum=1", LP_PKT_TCP_SUM_GOOD, LP_REASON_NONE},
	    {T4 "S badsum=1", LP_PKT_IP_SUM_GOOD, LP_REASON_TCP_CHECKSUM},
	    {T4 "RA badsum=1", LP_PKT_TCP_SUM_GOOD, LP_REASON_NONE},
	    {T6 "FA badsum=1", LP_PKT_TCP_SUM_GOOD, LP_REASON_NONE},
	    {T6 "FA badsum=1", LP_PKT_IP_SUM_GOOD, LP_REASON_TCP_CHECKSUM},
	    /* Good sums do not make a good header. */
	    {T4 "S total=19", LP_PKT_FROM_PORT, LP_REASON_IP_HEADER},
	    {T4 "S off=4", LP_PKT_FROM_PORT, LP_REASON_TCP_HEADER},
	};
	struct packet packet;
	struct lp_pkt pkt;

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		packet_build(&packet, all[i].text);
		pkt = (struct lp_pkt){.data = packet.bytes,
		    .len = (uint16_t)packet.len,
		    .flags = all[i].flags};
		lp_parse_packet(&pkt);
		ck_assert_msg(pkt.reason == all[i].reason, "%s: %s",
		    all[i].text, lp_reason_name(pkt.reason));
		ck_assert_uint_eq(pkt.flags & LP_PKT_FROM_PORT, all[i].flags);
	}
}
END_TEST

START_TEST(options_are_found_where_they_are_and_only_whole)
{
	static const struct {
		const char *text;
		int at; /* from the options' start; -1: none */
	} all[] = {
	    {T4 "S mss=1460", 2},
	    {T4 "S nop=1 mss=1460", 3},
	    {T4 "S nop=3 mss=1460", 5},
	    {T4 "S ws=7 mss=1460", 2},
	    {T4 "S opts=0303070101010204", -1}, /* no room for its value */
	    {T4 "S opts=0204058001010101 off=5", -1},
	    {T4 "S opts=00020405b4000000", -1}, /* after the end */
	    {T4 "S opts=080a00000000000000000204", -1},
	    {T4 "S opts=080a0000000000000000020405b40101", 12},
	    {T4 "S opts=0200020405b40101", -1}, /* length 0 */
	    {T4 "S opts=0201020405b40101", -1},
	    {T4 "S opts=0203050101010101", -1}, /* of another length */
	    {T4 "S opts=0203050204058001", 5},
	    {T4 "S opts=05ff020405b40101", -1}, /* beyond the header */
	    {T4 "S", -1},
	};
	struct packet packet;
	struct lp_pkt pkt;
	unsigned at;

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		packet_build(&packet, all[i].text);
		parse(&pkt, end_of_page(packet.bytes, packet.len), packet.len);
		ck_assert_int_eq(pkt.verdict, LP_UNDECIDED);
		at = lp_parse_tcp_option(&pkt, LP_TCP_OPT_MSS, 4);
		ck_assert_msg(at == (all[i].at < 0 ? 0u : 14 + 40u + all[i].at),
		    "%s: %u", all[i].text, at);
	}
}
END_TEST

/* What Linux leaves in the field when its hardware is to do the rest. */
START_TEST(a_sum_left_to_hardware_is_told_apart)
{
	static const char *const texts[] = {T4 "S len=9", T6 "S len=9"};
	struct packet packet;
	struct lp_pkt pkt;
	uint16_t pseudo;

	packet_build(&packet, texts[_i]);
	if (_i == 0)
		pseudo = packet_sum(6 + 29, packet.bytes + 14 + 12, 8);
	else
		pseudo = packet_sum(6 + 29, packet.bytes + 14 + 8, 32);
	lp_put16(packet.bytes + packet.len - 9 - 4, pseudo);
	parse(&pkt, packet.bytes, packet.len);
	ck_assert_int_eq(pkt.reason, LP_REASON_TCP_CHECKSUM_PARTIAL);
}
END_TEST

START_TEST(noise_is_parsed_without_harm)
{
	uint64_t seed = 1;
	uint8_t bytes[256];
	struct packet packet;
	struct lp_pkt pkt;

	for (unsigned i = 0; i < 200000; i++) {
		packet_build(&packet, rows[i % ROWS].text);
		memcpy(bytes, packet.bytes, sizeof(bytes));
		for (unsigned j = 0; j < 4; j++) {
			seed = seed * 6364136223846793005ull + 1;
			bytes[(seed >> 33) % 80] = (uint8_t)(seed >> 56);
		}
		seed = seed * 6364136223846793005ull + 1;
		parse(&pkt, end_of_page(bytes, (seed >> 33) % 100),
		    (seed >> 33) % 100);
		if (pkt.verdict == LP_UNDECIDED && (pkt.flags & LP_PKT_TCP)) {
			lp_parse_tcp_checksum(&pkt);
			lp_parse_tcp_option(&pkt, LP_TCP_OPT_MSS, 4);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("parse");
	TCase *tests = tcase_create("parse");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(
	    tests, a_frame_passes_or_is_dropped_for_that_reason, 0, ROWS);
	tcase_add_loop_test(tests,
	    nothing_is_read_beyond_the_end_however_a_frame_is_cut, 0, ROWS);
	tcase_add_test(tests, offsets_are_those_of_the_headers);
	tcase_add_test(tests, a_copy_of_the_kernels_stays_one);
	tcase_add_test(
	    tests, a_checksum_that_the_device_found_good_is_not_verified);
	tcase_add_test(tests, options_are_found_where_they_are_and_only_whole);
	tcase_add_loop_test(tests, a_sum_left_to_hardware_is_told_apart, 0, 2);
	tcase_add_test(tests, noise_is_parsed_without_harm);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
