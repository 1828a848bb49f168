/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic.h"

#include <err.h>
#include <string.h>

#include "dataplane/pipeline/tcp_state.h"

enum {
	IP = SEGMENT_IP,
	TCP = SEGMENT_TCP,
	CLIENT_SEQ = TRAFFIC_CLIENT_SEQ,
	BROKER_SEQ = TRAFFIC_BROKER_SEQ,
	CLIENTS_A_HOST = 256,
	FIRST_PORT = 32768,
};

static void lay_out(struct flow *flow, uint32_t number);
static void set_source(struct flow *flow, const uint8_t *syn);
static uint64_t exchange(struct world *world, const struct flow flows[],
    unsigned count, enum lp_direction dir, uint8_t seen[][HEAD_LEN]);
static void parse(uint8_t bytes[4], const char *text);

static const uint8_t macs[2][6] = {
    {2, 0, 0, 0, 1, 1}, /* of the gateway */
    {2, 0, 0, 0, 2, 1}, /* of the broker */
};

void
traffic_arp(uint8_t frame[ARP_LEN], unsigned slot)
{
	static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, LP_ARP_REQUEST};
	const uint8_t *mac = macs[slot == BACK];
	uint8_t *arp = frame + LP_ETH_LEN;

	memset(frame, 0, ARP_LEN);
	memset(frame, 0xff, 6);
	memcpy(frame + LP_ETH_SRC, mac, 6);
	lp_put16(frame + LP_ETH_TYPE, LP_ETHERTYPE_ARP);
	memcpy(arp, head, sizeof(head));
	memcpy(arp + LP_ARP_SHA, mac, 6);
	parse(arp + LP_ARP_SPA, slot == BACK ? BROKER_IP : GATEWAY_IP);
	parse(arp + LP_ARP_TPA, slot == BACK ? BACK_IP : FRONT_IP);
}

uint64_t
traffic_open(
    struct world *world, struct flow flows[], uint32_t first, unsigned count)
{
	uint8_t seen[LP_BATCH_MAX][HEAD_LEN];
	uint64_t cycles;

	for (unsigned i = 0; i < count; i++) {
		lay_out(&flows[i], first + i);
		segment_set(
		    flows[i].head[LP_TO_BROKER], LP_TCP_SYN, CLIENT_SEQ, 0, 0);
	}
	cycles = exchange(world, flows, count, LP_TO_BROKER, seen);
	for (unsigned i = 0; i < count; i++) {
		set_source(&flows[i], seen[i]);
		segment_set(flows[i].head[LP_TO_CLIENT],
		    LP_TCP_SYN | LP_TCP_ACK, BROKER_SEQ, CLIENT_SEQ + 1, 0);
		segment_set(flows[i].head[LP_TO_BROKER], LP_TCP_ACK,
		    CLIENT_SEQ + 1, BROKER_SEQ + 1, 0);
	}
	cycles += exchange(world, flows, count, LP_TO_CLIENT, seen);
	return cycles + exchange(world, flows, count, LP_TO_BROKER, seen);
}

uint64_t
traffic_close(struct world *world, struct flow flows[], unsigned count)
{
	uint8_t seen[LP_BATCH_MAX][HEAD_LEN];
	uint64_t cycles;

	for (unsigned i = 0; i < count; i++) {
		segment_set(flows[i].head[LP_TO_BROKER],
		    LP_TCP_FIN | LP_TCP_ACK, CLIENT_SEQ + 1, BROKER_SEQ + 1, 0);
		segment_set(flows[i].head[LP_TO_CLIENT],
		    LP_TCP_FIN | LP_TCP_ACK, BROKER_SEQ + 1, CLIENT_SEQ + 2, 0);
	}
	cycles = exchange(world, flows, count, LP_TO_BROKER, seen);
	cycles += exchange(world, flows, count, LP_TO_CLIENT, seen);
	for (unsigned i = 0; i < count; i++)
		segment_set(flows[i].head[LP_TO_BROKER], LP_TCP_ACK,
		    CLIENT_SEQ + 2, BROKER_SEQ + 2, 0);
	return cycles + exchange(world, flows, count, LP_TO_BROKER, seen);
}

void
traffic_stamp(struct flow *flow)
{
	static const uint8_t stamps[12] = {LP_TCP_OPT_NOP, LP_TCP_OPT_NOP,
	    LP_TCP_OPT_TIMESTAMP, 10, 0, 1, 2, 3, 0, 3, 2, 1};

	for (unsigned dir = 0; dir < 2; dir++)
		memcpy(
		    flow->head[dir] + TCP + LP_TCP_LEN, stamps, sizeof(stamps));
}

void
traffic_set_payload(struct flow *flow, uint16_t len)
{
	segment_set(flow->head[LP_TO_BROKER], LP_TCP_PSH | LP_TCP_ACK,
	    CLIENT_SEQ + 1, BROKER_SEQ + 1, len);
	segment_set(flow->head[LP_TO_CLIENT], LP_TCP_PSH | LP_TCP_ACK,
	    BROKER_SEQ + 1, CLIENT_SEQ + 1, len);
}

/* All but the segment, and but the ports that the dataplane will choose. */
static void
lay_out(struct flow *flow, uint32_t number)
{
	uint8_t *out = flow->head[LP_TO_BROKER];
	uint8_t *in = flow->head[LP_TO_CLIENT];

	for (unsigned dir = 0; dir < 2; dir++) {
		uint8_t *head = flow->head[dir];

		segment_lay_out(head);
		/* The memory ports' addresses: see port_memory.c. */
		head[LP_ETH_DST] = 2;
		head[LP_ETH_DST + 5] = dir == LP_TO_BROKER ? FRONT : BACK;
		memcpy(head + LP_ETH_SRC, macs[dir], 6);
	}
	lp_put32(out + IP + LP_IP4_SRC,
	    10u << 24 | 200u << 16 | (number / CLIENTS_A_HOST + 1));
	parse(out + IP + LP_IP4_DST, VIP_IP);
	lp_put16(out + TCP + LP_TCP_SRC,
	    (uint16_t)(FIRST_PORT + number % CLIENTS_A_HOST));
	lp_put16(out + TCP + LP_TCP_DST, SERVICE_PORT);
	parse(in + IP + LP_IP4_SRC, BROKER_IP);
	lp_put16(in + TCP + LP_TCP_SRC, SERVICE_PORT);
}

/* The broker answers to where the SYN came from. */
static void
set_source(struct flow *flow, const uint8_t *syn)
{
	uint8_t *in = flow->head[LP_TO_CLIENT];

	memcpy(in + IP + LP_IP4_DST, syn + IP + LP_IP4_SRC, 4);
	memcpy(in + TCP + LP_TCP_DST, syn + TCP + LP_TCP_SRC, 2);
	/* Of several brokers, the one that was chosen. */
	memcpy(in + TCP + LP_TCP_SRC, syn + TCP + LP_TCP_DST, 2);
}

/* A segment of each connection in one turn; seen is what came out, in order. */
static uint64_t
exchange(struct world *world, const struct flow flows[], unsigned count,
    enum lp_direction dir, uint8_t seen[][HEAD_LEN])
{
	struct lp_port *in = world->port[dir == LP_TO_BROKER ? FRONT : BACK];
	struct lp_port *out = world->port[dir == LP_TO_BROKER ? BACK : FRONT];
	uint64_t cycles;

	for (unsigned i = 0; i < count; i++) {
		if (!lp_port_memory_inject(in, flows[i].head[dir], HEAD_LEN))
			errx(1, "the port's ring is full");
	}
	cycles = world_turn(world, NULL);
	for (unsigned i = 0; i < count;) {
		if (lp_port_memory_take(out, seen[i], HEAD_LEN) == 0)
			errx(1, "segment %u of a batch was not forwarded", i);
		/* Announcements may be among them. */
		i += lp_get16(seen[i] + LP_ETH_TYPE) == LP_ETHERTYPE_IPV4;
	}
	return cycles;
}

static void
parse(uint8_t bytes[4], const char *text)
{
	char why[LP_WHY_SIZE];
	struct lp_ip ip;

	if (lp_ip_parse(&ip, text, why) != 0)
		errx(1, "%s", why);
	memcpy(bytes, lp_ip_v4(&ip), 4);
}
