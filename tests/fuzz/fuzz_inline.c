/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames through a bump in the wire, with connections open.
 *
 * An input is a list of frames, as in fuzz_packet.c: a byte that says by which
 * port it comes (bit 0) and how long it waits before (bits 1 to 3), and its
 * length in the next two bytes.  Whatever it is, each frame leaves by the other
 * port byte for byte, at once and in its order, and nothing else ever leaves.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/proto/objects.h"
#include "tests/support/plane.h"

enum {
	HEAD = 3,
	LEFT = 30,
	RIGHT,
	SEEN,
	SEEN_0,
	SEEN_1,
	SEEN_6,
	SEEN_6_1,
	SEED_FRAMES_MAX = 12,
};

static void
open_plane(void)
{
	struct lp_config config;

	make_config(&config);
	put(&config, make_peer(LEFT, "left", "right"));
	put(&config, make_peer(RIGHT, "right", "left"));
	put(&config, make_inline(SEEN, PAYMENTS, "seen"));
	put(&config, make_endpoint(SEEN_0, SEEN, PAYMENTS_0, "10.8.0.20:9092"));
	put(&config, make_endpoint(SEEN_1, SEEN, PAYMENTS_1, "10.7.0.21:9092"));
	put(&config, make_inline(SEEN_6, ORDERS, "seen"));
	put(&config,
	    make_endpoint(SEEN_6_1, SEEN_6, ORDERS_1, "[2001:db8:8::21]:9092"));
	plane_open_with(LP_CONNECTIONS_MIN, &config);
	plane.helpful = false;
	plane_port(0, LEFT, "inline");
	plane_port(1, RIGHT, "inline");
	plane_publish();
	plane_run();
}

static void
pass(uint8_t slot, const uint8_t *bytes, size_t len)
{
	if (!plane_inject(slot, bytes, len))
		abort();
	plane_run();
	if (!plane_take(!slot) || plane.frame.len != len ||
	    memcmp(plane.frame.bytes, bytes, len) != 0) {
		fprintf(stderr, "port %u: %zu bytes left as %s\n", slot, len,
		    plane.text);
		abort();
	}
	plane_quiet();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool open;
	static unsigned inputs;

	if (open && inputs++ % 64 == 0) {
		plane_close();
		open = false;
	}
	if (!open) {
		open_plane();
		open = true;
	}
	while (size > HEAD) {
		size_t len = (size_t)data[1] << 8 | data[2];
		uint8_t how = data[0];

		if (len > size - HEAD)
			len = size - HEAD;
		if (len > LP_BUFFER_SIZE - LP_BUFFER_HEADROOM)
			len = LP_BUFFER_SIZE - LP_BUFFER_HEADROOM;
		plane_wait_ms((1u << (how >> 1 & 7) * 3) / 64);
		plane_quiet();
		if (len > 0)
			pass(how & 1, data + HEAD, len);
		data += HEAD + len;
		size -= HEAD + len;
	}
	assert(lp_count_get(&plane.region.stats->sent_reset) == 0);
	return 0;
}

static const struct {
	uint8_t slot;
	const char *text;
} seeds[][SEED_FRAMES_MAX] = {
    {{0, "tcp 10.8.0.50:40000 > 10.8.0.20:9092 S seq=1000 mss=9000 ws=7"},
	{1, "tcp 10.8.0.20:9092 > 10.8.0.50:40000 SA seq=5000 ack=1001"},
	{0, "tcp 10.8.0.50:40000 > 10.8.0.20:9092 PA seq=1001 ack=5001 len=40"},
	{1, "tcp 10.8.0.20:9092 > 10.8.0.50:40000 FA seq=5001 ack=1041"},
	{0, "tcp 10.8.0.50:40000 > 10.8.0.20:9092 R seq=1041"},
	{0, "tcp 10.8.0.50:40000 > 10.8.0.20:9092 S seq=9000"}},
    {{1, "tcp 10.8.0.20:9092 > 10.8.0.51:1 A seq=1 ack=1 len=100"},
	{0, "tcp 10.8.0.51:1 > 10.8.0.20:9092 A seq=1 ack=101"},
	{0, "tcp 10.8.0.51:1 > 10.8.0.20:9092 S seq=77"},
	{1, "tcp 10.8.0.20:9092 > 10.8.0.51:1 SA seq=99 ack=78"}},
    {{0, "tcp [2001:db8:8::50]:7 > [2001:db8:8::21]:9092 S ext=hop mss=1440"},
	{1, "tcp [2001:db8:8::21]:9092 > [2001:db8:8::50]:7 RA ack=1"}},
    {{0, "arp-request 10.8.0.50 > 10.9.0.10"},
	{1, "ns 2001:db8:9::50 > ff02::1:ff00:10 target=2001:db8:9::10"},
	{0, "echo 10.8.0.50 > 10.9.0.10 id=1 len=16 vlan=7"},
	{1, "mld-query fe80::1 > ff02::1 delay=100"},
	{0, "tcp 10.8.0.50:1 > 10.9.0.100:9092 S pad=9"}},
};

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	size_t size = 0;

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	for (unsigned i = 0; seeds[index][i].text; i++) {
		struct packet packet;

		packet_build(&packet, seeds[index][i].text);
		assert(size + HEAD + packet.len <= max);
		data[size] = seeds[index][i].slot;
		data[size + 1] = (uint8_t)(packet.len >> 8);
		data[size + 2] = (uint8_t)packet.len;
		memcpy(data + size + HEAD, packet.bytes, packet.len);
		size += HEAD + packet.len;
	}
	return size;
}
