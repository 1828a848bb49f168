/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames through a whole pipeline with connections open.
 *
 * An input is a list of frames: a byte that says by which port it comes (bit
 * 0), how long it waits before (bits 1 to 3), and its length in the next two
 * bytes.  After every turn each packet has a verdict and a reason, every
 * buffer is accounted for, and what left has right checksums if all that came
 * had.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/plane.h"

enum {
	HEAD = 3,
	CLIENT_PORT = 1,
	BROKER_PORT = 2,
	CLUSTER = 3,
	BROKER = 4,
	LISTENER = 5, /* IPv4 4..6, IPv6 7..9 */
	ENDPOINT = 6,
	SEED_FRAMES_MAX = 12,
};

static void
put(struct lp_config *config, struct lp_object *object, uint32_t id)
{
	int rc;

	object->id = id;
	rc = lp_config_put(config, object);
	assert(rc == 0);
}

static void
add_port(struct lp_config *config, uint32_t id, unsigned side, const char *v4,
    const char *v6)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_PORT);
	snprintf(object.port.name, LP_NAME_SIZE, "port%u", id);
	snprintf(object.port.device, LP_DEVICE_SIZE, "eth%u", id);
	object.port.side = (uint8_t)side;
	lp_prefix_parse(&object.port.addresses[0], v4, NULL);
	lp_prefix_parse(&object.port.addresses[1], v6, NULL);
	object.port.address_count = 2;
	put(config, &object, id);
}

/* A cluster of one broker, its listener and endpoint. */
static void
add_cluster(struct lp_config *config, uint32_t id, const char *broker,
    const char *vip, const char *endpoint)
{
	struct lp_object object;

	lp_object_init(&object, LP_OBJECT_CLUSTER);
	snprintf(object.cluster.name, LP_NAME_SIZE, "cluster%u", id);
	put(config, &object, id);
	lp_object_init(&object, LP_OBJECT_BROKER);
	object.broker.cluster_id = id;
	lp_endpoint_parse(&object.broker.real, broker, NULL);
	lp_ip_format(object.broker.host, &object.broker.real.ip);
	put(config, &object, id + 1);
	lp_object_init(&object, LP_OBJECT_LISTENER);
	object.listener.cluster_id = id;
	object.listener.broker_base = 9100;
	strcpy(object.listener.name, "public");
	lp_endpoint_parse(&object.listener.vip, vip, NULL);
	put(config, &object, id + 2);
	lp_object_init(&object, LP_OBJECT_ENDPOINT);
	object.endpoint.listener_id = id + 2;
	object.endpoint.broker_id = id + 1;
	lp_endpoint_parse(&object.endpoint.vip, endpoint, NULL);
	put(config, &object, id + 3);
}

static void
open_plane(void)
{
	struct lp_config config;

	lp_config_init(&config);
	add_port(&config, CLIENT_PORT, LP_SIDE_CLIENT, "10.9.0.10/24",
	    "2001:db8:9::10/64");
	add_port(&config, BROKER_PORT, LP_SIDE_BROKER, "10.8.0.10/24",
	    "2001:db8:8::10/64");
	add_cluster(&config, CLUSTER, "10.8.0.20:9092", "10.9.0.100:9092",
	    "10.9.0.100:9100");
	add_cluster(&config, CLUSTER + 10, "[2001:db8:8::21]:9092",
	    "[2001:db8:9::100]:9092", "[2001:db8:9::100]:9100");
	plane_open_with(LP_CONNECTIONS_MIN, &config);
	plane_port(0, CLIENT_PORT, "mtu=1500,alone");
	plane_port(1, BROKER_PORT, "mtu=1400,alone");
	plane_publish();
	plane_run();
}

/* A connection of each family, so that noise has something to hit. */
static void
open_connections(void)
{
	plane_in(0, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 S seq=1000");
	plane_expect(1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S");
	plane_in(1, "tcp 10.8.0.20:9092 > 10.8.0.10:$ SA seq=5000 ack=1001");
	plane_in(
	    0, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 A seq=1001 ack=5001");
	plane_forget();
	plane_in(0,
	    "tcp [2001:db8:9::50]:40000 > [2001:db8:9::100]:9100 S seq=1000");
	plane_expect(1, "tcp [2001:db8:8::10]:$* > [2001:db8:8::21]:9092 S");
	plane_in(1,
	    "tcp [2001:db8:8::21]:9092 > [2001:db8:8::10]:$ SA seq=5000 "
	    "ack=1001");
	plane_forget();
}

static bool
wrong_sum(const char *text)
{
	return strstr(text, "sum=bad") != NULL;
}

/* A frame that the describer finds a wrong sum in, or cannot read at all. */
static bool
tainted(const uint8_t *bytes, size_t len)
{
	char text[PACKET_TEXT_SIZE];

	packet_describe(text, bytes, len);
	return wrong_sum(text);
}

static void
check_out(bool right)
{
	for (uint8_t slot = 0; slot < 2; slot++)
		while (plane_take(slot)) {
			assert(plane.frame.len >= 14);
			if (right && wrong_sum(plane.text)) {
				fprintf(stderr, "sent %s\n", plane.text);
				abort();
			}
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool open;
	static unsigned inputs;
	bool right = true;

	/* Now and then anew; in between connections come and go. */
	if (open && inputs++ % 64 == 0) {
		plane_close();
		open = false;
	}
	if (!open) {
		open_plane();
		open_connections();
		open = true;
	}
	while (size > HEAD) {
		size_t len = (size_t)data[1] << 8 | data[2];
		uint8_t how = data[0];

		if (len > size - HEAD)
			len = size - HEAD;
		if (len > LP_BUFFER_SIZE - LP_BUFFER_HEADROOM)
			len = LP_BUFFER_SIZE - LP_BUFFER_HEADROOM;
		right = right && !tainted(data + HEAD, len);
		if (!plane_inject(how & 1, data + HEAD, len))
			abort();
		plane.now_ns += (1ull << (how >> 1 & 7) * 5) * 1000;
		plane_run();
		check_out(right);
		data += HEAD + len;
		size -= HEAD + len;
	}
	/* Time for what waits to be dropped. */
	plane_wait_ms(100);
	check_out(right);
	return 0;
}

static const struct {
	uint8_t slot;
	const char *text;
} seeds[][SEED_FRAMES_MAX] = {
    {{0, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 PA seq=1001 ack=5001 len=40"},
	{0, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 FA seq=1041 ack=5001"},
	{0, "tcp 10.9.0.50:40000 > 10.9.0.100:9100 R seq=1042"}},
    {{0,
	 "tcp 10.9.0.51:1 > 10.9.0.100:9092 S seq=1 mss=9000 ws=7 nop=1 "
	 "opts=0402"},
	{0, "tcp 10.9.0.51:2 > 10.9.0.100:9100 S seq=1 len=20 ipopt=2"},
	{0, "tcp 10.9.0.51:3 > 10.9.0.100:22 S seq=1"}},
    {{0,
	 "tcp [2001:db8:9::50]:40000 > [2001:db8:9::100]:9100 A seq=1001 "
	 "ack=5001 len=30 ext=hop"},
	{0, "tcp [2001:db8:9::50]:7 > [2001:db8:9::100]:9092 S mss=1440"}},
    {{0, "echo 10.9.0.50 > 10.9.0.100 id=1 len=16"},
	{0, "echo 2001:db8:9::50 > 2001:db8:9::10 id=1 len=16"}},
    {{0, "arp-request 10.9.0.50 > 10.9.0.10"},
	{1, "arp-reply 10.8.0.20 > 10.8.0.10"},
	{0, "ns 2001:db8:9::50 > ff02::1:ff00:10 target=2001:db8:9::10"},
	{1, "na 2001:db8:8::21 > 2001:db8:8::10 target=2001:db8:8::21 nf=SO"}},
    {{0,
	 "too-big 10.9.0.1 > 10.9.0.100 mtu=1280 / tcp 10.9.0.100:9100 > "
	 "10.9.0.50:40000 A seq=5001 len=8"},
	{0,
	    "unreach 2001:db8:9::50 > 2001:db8:9::100 / tcp "
	    "[2001:db8:9::100]:9100 > [2001:db8:9::50]:40000 A seq=5001"}},
    {{0, "mld-query fe80::1 > ff02::1 delay=100"},
	{0, "mld-query fe80::1 > ff02::1:ff00:10 group=ff02::1:ff00:10 len=60"},
	{1, "mld-query fe80::1 > ff02::1 delay=40000"},
	{1, "mld-query fe80::1 > ff02::1 v=1"},
	{1,
	    "mld-query fe80::1 > ff02::1:ff00:10 group=ff02::1:ff00:10 "
	    "@56=0 @57=0 @58=5 @59=2 @60=0 @61=0"}},
    {{1, "tcp 10.8.0.20:9092 > 10.8.0.10:5000 A seq=5001 ack=1001 len=60"},
	{1, "tcp 10.8.0.20:9092 > 10.8.0.10:5000 SA seq=5001 ack=1001"}},
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
