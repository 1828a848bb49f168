/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kafka_wire.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/packet.h"
#include "tests/support/plane.h"

#define CLIENT "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define BROKER "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define TO_BROKER "tcp 10.8.0.10:$ > 10.8.0.20:9092 "
#define TO_CLIENT "tcp 10.9.0.100:9100 > 10.9.0.50:40000 "

enum {
	CLIENT_ISN = 1000,
	BROKER_ISN = 5000,
	SEGMENT_MAX = 1400,
	ETHER = 14,
	IP4 = 20,
	TCP = 20,
	TCP_SUM = 16,
};

struct kafka_talk kafka_talk;

static void number(struct kafka_frame *, int64_t, unsigned);
static void segment(enum lp_direction, int32_t, const uint8_t *, size_t, bool);
static void fix_sum(struct packet *);

void
kafka_request(struct kafka_frame *frame, int16_t key, int16_t version,
    int32_t correlation_id, const char *client, bool flexible)
{
	frame->len = 4;
	kafka_int16(frame, key);
	kafka_int16(frame, version);
	kafka_int32(frame, correlation_id);
	kafka_string(frame, client);
	if (flexible)
		kafka_int8(frame, 0);
}

void
kafka_response(struct kafka_frame *frame, int32_t correlation_id, bool flexible)
{
	frame->len = 4;
	kafka_int32(frame, correlation_id);
	if (flexible)
		kafka_int8(frame, 0);
}

void
kafka_int8(struct kafka_frame *frame, int64_t value)
{
	number(frame, value, 1);
}

void
kafka_int16(struct kafka_frame *frame, int64_t value)
{
	number(frame, value, 2);
}

void
kafka_int32(struct kafka_frame *frame, int64_t value)
{
	number(frame, value, 4);
}

void
kafka_int64(struct kafka_frame *frame, int64_t value)
{
	number(frame, value, 8);
}

void
kafka_string(struct kafka_frame *frame, const char *text)
{
	kafka_int16(frame, text == NULL ? -1 : (int64_t)strlen(text));
	if (text != NULL)
		kafka_bytes(frame, text, strlen(text));
}

void
kafka_compact(struct kafka_frame *frame, const char *text)
{
	ensure(text == NULL || strlen(text) < 127, "two bytes of length");
	kafka_int8(frame, text == NULL ? 0 : (int64_t)strlen(text) + 1);
	if (text != NULL)
		kafka_bytes(frame, text, strlen(text));
}

void
kafka_bytes(struct kafka_frame *frame, const void *bytes, size_t len)
{
	ensure(frame->len + len <= KAFKA_FRAME_MAX, "a frame too long");
	memcpy(frame->bytes + frame->len, bytes, len);
	frame->len += len;
}

void
kafka_fill(struct kafka_frame *frame, uint8_t value, size_t len)
{
	ensure(frame->len + len <= KAFKA_FRAME_MAX, "a frame too long");
	memset(frame->bytes + frame->len, value, len);
	frame->len += len;
}

void
kafka_end(struct kafka_frame *frame)
{
	size_t len = frame->len;

	frame->len = 0;
	kafka_int32(frame, (int64_t)len - 4);
	frame->len = len;
}

void
kafka_connect(void)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, FRONT_SLOT, CLIENT "S seq=1000 mss=1460 ws=7"},
	    {PLANE_OUT, BACK_SLOT, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S"},
	    {PLANE_IN, BACK_SLOT, BROKER "SA seq=5000 ack=1001 mss=1460 ws=8"},
	    {PLANE_OUT, FRONT_SLOT, TO_CLIENT "SA seq=5000 ack=1001"},
	    {PLANE_IN, FRONT_SLOT, CLIENT "A seq=1001 ack=5001"},
	    {PLANE_OUT, BACK_SLOT, TO_BROKER "A seq=1001 ack=5001"},
	};

	PLANE_ROWS(rows);
	kafka_talk.next[LP_TO_BROKER] = CLIENT_ISN + 1;
	kafka_talk.next[LP_TO_CLIENT] = BROKER_ISN + 1;
}

void
kafka_send(enum lp_direction dir, const void *bytes, size_t len)
{
	segment(dir, 0, bytes, len, false);
	kafka_talk.next[dir] += (uint32_t)len;
}

void
kafka_send_frame(enum lp_direction dir, const struct kafka_frame *frame)
{
	for (size_t at = 0; at < frame->len; at += SEGMENT_MAX)
		kafka_send(dir, frame->bytes + at,
		    frame->len - at < SEGMENT_MAX ? frame->len - at
						  : SEGMENT_MAX);
}

void
kafka_send_at(
    enum lp_direction dir, int32_t ahead, const void *bytes, size_t len)
{
	segment(dir, ahead, bytes, len, false);
}

void
kafka_send_damaged(enum lp_direction dir, const void *bytes, size_t len)
{
	segment(dir, 0, bytes, len, true);
}

void
kafka_acknowledge(enum lp_direction dir)
{
	segment(dir, 0, NULL, 0, false);
}

void
kafka_reset(enum lp_direction dir)
{
	char text[PACKET_TEXT_SIZE];

	snprintf(text, sizeof(text), "%sR seq=%u",
	    dir == LP_TO_BROKER ? CLIENT : BROKER, kafka_talk.next[dir]);
	plane_in(dir == LP_TO_BROKER ? FRONT_SLOT : BACK_SLOT, text);
	plane_forget();
}

static void
number(struct kafka_frame *frame, int64_t value, unsigned width)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(value >> 8 * (width - 1 - i));
	kafka_bytes(frame, bytes, width);
}

/* It must leave by the other port, with the bytes that it came with. */
static void
segment(enum lp_direction dir, int32_t ahead, const uint8_t *bytes, size_t len,
    bool damaged)
{
	uint8_t in = dir == LP_TO_BROKER ? FRONT_SLOT : BACK_SLOT;
	uint8_t out = dir == LP_TO_BROKER ? BACK_SLOT : FRONT_SLOT;
	char text[PACKET_TEXT_SIZE];
	struct packet packet;
	const uint8_t *payload;

	snprintf(text, sizeof(text), "%sPA seq=%u ack=%u len=%zu win=60000",
	    dir == LP_TO_BROKER ? CLIENT : BROKER,
	    kafka_talk.next[dir] + (uint32_t)ahead, kafka_talk.next[!dir], len);
	plane_build(&packet, in, text);
	if (len > 0)
		memcpy(packet.bytes + ETHER + IP4 + TCP, bytes, len);
	fix_sum(&packet);
	if (damaged)
		packet.bytes[ETHER + IP4 + TCP_SUM] ^= 0x55;
	ensure(plane_inject(in, packet.bytes, packet.len), "no room");
	plane_run();
	ensure(plane_take(out), "a segment was not forwarded");
	payload = plane.frame.bytes + ETHER + IP4 + TCP;
	ensure(len == 0 || memcmp(payload, bytes, len) == 0,
	    "the payload was changed");
}

static void
fix_sum(struct packet *packet)
{
	uint8_t *ip = packet->bytes + ETHER;
	uint8_t *tcp = ip + IP4;
	size_t len = (size_t)(ip[2] << 8 | ip[3]) - IP4;
	uint8_t pseudo[12];
	uint32_t partial = 0;
	uint16_t sum;

	memcpy(pseudo, ip + 12, 8);
	pseudo[8] = 0;
	pseudo[9] = 6;
	pseudo[10] = (uint8_t)(len >> 8);
	pseudo[11] = (uint8_t)len;
	for (unsigned i = 0; i < sizeof(pseudo); i += 2)
		partial += (uint32_t)(pseudo[i] << 8 | pseudo[i + 1]);
	tcp[TCP_SUM] = 0;
	tcp[TCP_SUM + 1] = 0;
	sum = (uint16_t)~packet_sum(partial, tcp, len);
	tcp[TCP_SUM] = (uint8_t)(sum >> 8);
	tcp[TCP_SUM + 1] = (uint8_t)sum;
}
