/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sim_frame.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"

enum {
	ETH_LEN = 14,
	IP4_LEN = 20,
	IP6_LEN = 40,
	TCP_LEN = 20,
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_SCALE = 3,
	OPTION_SACK_OK = 4,
	OPTION_SACK = 5,
	OPTION_STAMPS = 8,
};

static void
put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void
put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static uint16_t
get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* With the pseudo header of both addresses; 0 if the sum in it is right. */
static uint16_t
tcp_sum(const uint8_t *addresses, size_t addresses_len, const uint8_t *tcp,
    size_t len)
{
	uint8_t pseudo[36];

	memcpy(pseudo, addresses, addresses_len);
	put16(pseudo + addresses_len, 6);
	put16(pseudo + addresses_len + 2, (unsigned)len);
	return (uint16_t)~packet_sum(
	    packet_sum(0, pseudo, addresses_len + 4), tcp, len);
}

static size_t
put_stamps(uint8_t *at, const struct sim_segment *segment)
{
	at[0] = at[1] = OPTION_NOP;
	at[2] = OPTION_STAMPS;
	at[3] = 10;
	put32(at + 4, segment->stamp);
	put32(at + 8, segment->echo);
	return 12;
}

static size_t
put_blocks(uint8_t *at, const struct sim_segment *segment)
{
	at[0] = at[1] = OPTION_NOP;
	at[2] = OPTION_SACK;
	at[3] = (uint8_t)(2 + 8 * segment->block_count);
	for (unsigned i = 0; i < segment->block_count; i++) {
		put32(at + 4 + 8 * i, segment->block[i].from);
		put32(at + 8 + 8 * i, segment->block[i].to);
	}
	return 2 + at[3];
}

static size_t
put_options(uint8_t *at, const struct sim_segment *segment)
{
	size_t len = 0;

	if (segment->mss > 0) {
		at[0] = OPTION_MSS;
		at[1] = 4;
		put16(at + 2, segment->mss);
		len = 4;
	}
	if (segment->scale != SIM_NO_SCALE) {
		at[len] = OPTION_NOP;
		at[len + 1] = OPTION_SCALE;
		at[len + 2] = 3;
		at[len + 3] = segment->scale;
		len += 4;
	}
	if (segment->sack_ok) {
		at[len] = at[len + 1] = OPTION_NOP;
		at[len + 2] = OPTION_SACK_OK;
		at[len + 3] = 2;
		len += 4;
	}
	if (segment->stamped)
		len += put_stamps(at + len, segment);
	if (segment->block_count > 0)
		len += put_blocks(at + len, segment);
	return len;
}

static size_t
put_tcp(uint8_t *tcp, const struct sim_place *src, const struct sim_place *dst,
    const struct sim_segment *segment)
{
	size_t header = TCP_LEN + put_options(tcp + TCP_LEN, segment);

	put16(tcp, src->port);
	put16(tcp + 2, dst->port);
	put32(tcp + 4, segment->seq);
	put32(tcp + 8, segment->ack);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = segment->flags;
	put16(tcp + 14, segment->window);
	put32(tcp + 16, 0);
	memcpy(tcp + header, segment->bytes, segment->len);
	return header + segment->len;
}

void
sim_frame_build(struct packet *frame, bool v6, const struct sim_place *src,
    const struct sim_place *dst, const struct sim_segment *segment)
{
	uint8_t *ip = frame->bytes + ETH_LEN;
	uint8_t *tcp = ip + (v6 ? IP6_LEN : IP4_LEN);
	size_t address_len = v6 ? 16 : 4;
	uint8_t *addresses = tcp - 2 * address_len;
	size_t len = put_tcp(tcp, src, dst, segment);

	memcpy(frame->bytes, dst->mac, 6);
	memcpy(frame->bytes + 6, src->mac, 6);
	put16(frame->bytes + 12, v6 ? 0x86dd : 0x0800);
	memset(ip, 0, v6 ? IP6_LEN : IP4_LEN);
	memcpy(addresses, src->ip, address_len);
	memcpy(addresses + address_len, dst->ip, address_len);
	if (v6) {
		ip[0] = 0x60;
		put16(ip + 4, (unsigned)len);
		ip[6] = 6;
		ip[7] = 64;
	} else {
		ip[0] = 0x45;
		put16(ip + 2, (unsigned)(IP4_LEN + len));
		ip[6] = 0x40; /* not to be fragmented */
		ip[8] = 64;
		ip[9] = 6;
		put16(ip + 10, (uint16_t)~packet_sum(0, ip, IP4_LEN));
	}
	put16(tcp + 16, tcp_sum(addresses, 2 * address_len, tcp, len));
	frame->len = (size_t)(tcp - frame->bytes) + len;
}

static void
get_blocks(const uint8_t *at, struct sim_segment *segment)
{
	ensure((at[1] - 2) % 8 == 0 && at[1] > 2, "half a block of SACK");
	segment->block_count = (uint8_t)((at[1] - 2) / 8);
	for (unsigned i = 0; i < segment->block_count; i++) {
		segment->block[i].from = get32(at + 2 + 8 * i);
		segment->block[i].to = get32(at + 6 + 8 * i);
	}
}

static void
get_option(const uint8_t *at, struct sim_segment *segment)
{
	switch (*at) {
	case OPTION_MSS:
		segment->mss = get16(at + 2);
		break;
	case OPTION_SCALE:
		segment->scale = at[2];
		break;
	case OPTION_SACK_OK:
		segment->sack_ok = true;
		break;
	case OPTION_SACK:
		get_blocks(at, segment);
		break;
	case OPTION_STAMPS:
		segment->stamped = true;
		segment->stamp = get32(at + 2);
		segment->echo = get32(at + 6);
		break;
	default:
		ensure(false, "option %u", *at);
	}
}

static void
get_options(const uint8_t *at, const uint8_t *end, struct sim_segment *segment)
{
	while (at < end && *at != OPTION_END) {
		if (*at == OPTION_NOP) {
			at++;
			continue;
		}
		ensure(end - at >= 2 && at[1] >= 2 && at[1] <= end - at,
		    "options cut off");
		get_option(at, segment);
		at += at[1];
	}
}

enum sim_frame_result
sim_frame_read(const struct packet *frame, bool v6, struct sim_place *src,
    struct sim_place *dst, struct sim_segment *segment)
{
	const uint8_t *ip = frame->bytes + ETH_LEN;
	const uint8_t *tcp = ip + (v6 ? IP6_LEN : IP4_LEN);
	size_t address_len = v6 ? 16 : 4;
	const uint8_t *addresses = tcp - 2 * address_len;
	const uint8_t *end = ip + get16(ip + (v6 ? 4 : 2)) + (v6 ? IP6_LEN : 0);
	size_t header = (size_t)(tcp[12] >> 4) * 4;

	if (frame->len < (size_t)(tcp - frame->bytes) + TCP_LEN ||
	    get16(frame->bytes + 12) != (v6 ? 0x86dd : 0x0800) ||
	    ip[v6 ? 6 : 9] != 6)
		return SIM_FRAME_OTHER;
	ensure(end <= frame->bytes + frame->len && tcp + header <= end,
	    "a frame that is cut off");
	ensure(v6 || packet_sum(0, ip, IP4_LEN) == UINT16_MAX,
	    "the checksum of an IPv4 header is wrong");
	memcpy(dst->mac, frame->bytes, 6);
	memcpy(src->mac, frame->bytes + 6, 6);
	memcpy(src->ip, addresses, address_len);
	memcpy(dst->ip, addresses + address_len, address_len);
	src->port = get16(tcp);
	dst->port = get16(tcp + 2);
	segment->seq = get32(tcp + 4);
	segment->ack = get32(tcp + 8);
	segment->flags = tcp[13];
	segment->window = get16(tcp + 14);
	segment->mss = 0;
	segment->scale = SIM_NO_SCALE;
	segment->sack_ok = segment->stamped = false;
	segment->stamp = segment->echo = 0;
	segment->block_count = 0;
	get_options(tcp + TCP_LEN, tcp + header, segment);
	segment->len = (uint16_t)(end - tcp - (long)header);
	ensure(
	    segment->len <= SIM_PAYLOAD_MAX, "a payload of %u", segment->len);
	memcpy(segment->bytes, tcp + header, segment->len);
	return tcp_sum(addresses, 2 * address_len, tcp, (size_t)(end - tcp)) ==
		0
	    ? SIM_FRAME_TCP
	    : SIM_FRAME_WRONG_SUM;
}

void
sim_frame_describe(char text[128], const struct sim_segment *segment)
{
	static const char letters[] = "FSRPA";
	char flags[8];
	unsigned count = 0, len;

	for (unsigned i = 0; letters[i] != '\0'; i++)
		if (segment->flags & 1u << i)
			flags[count++] = letters[i];
	flags[count] = '\0';
	len = (unsigned)snprintf(text, 128, "%-3s seq=%u ack=%u win=%u len=%u",
	    flags, segment->seq, segment->ack, segment->window, segment->len);
	if (segment->stamped)
		len += (unsigned)snprintf(text + len, 128 - len, " ts=%u,%u",
		    segment->stamp, segment->echo);
	for (unsigned i = 0; i < segment->block_count && len < 128; i++)
		len += (unsigned)snprintf(text + len, 128 - len, " %u-%u",
		    segment->block[i].from, segment->block[i].to);
}
