/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kafka_wire.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/packet.h"
#include "tests/support/plane.h"

enum {
	CLIENT_PORT = 40000,
	CLIENT_ISN = 1000,
	BROKER_ISN = 5000,
	SEGMENT_MAX = 1400,
	ETHER = 14,
	IP4 = 20,
	TCP = 20,
	TCP_OFF = 12,
	TCP_SUM = 16,
};

/* What a segment is besides its bytes. */
struct how {
	const char *flags;
	uint16_t window;
	bool damaged;
};
static const struct how plainly = {.flags = "PA", .window = 60000};
static const struct how wrongly = {
    .flags = "PA", .window = 60000, .damaged = true};

struct kafka_talk kafka_talk;

static void number(struct kafka_frame *, int64_t, unsigned);
static void queue(
    enum lp_direction, int32_t, const uint8_t *, size_t, const struct how *);
static void segment(
    enum lp_direction, int32_t, const uint8_t *, size_t, const struct how *);

void
kafka_fill_packet(struct packet *packet, const uint8_t *payload, size_t len)
{
	size_t options =
	    (size_t)(packet->bytes[ETHER + IP4 + TCP_OFF] >> 4) * 4;

	if (len > 0)
		memcpy(packet->bytes + ETHER + IP4 + options, payload, len);
	kafka_fix_sum(packet);
}

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

/* A packet of that end. */
static const char *
text_of(enum lp_direction dir, const char *rest)
{
	static char text[PACKET_TEXT_SIZE];

	if (kafka_talk.is_inline && dir == LP_TO_BROKER)
		snprintf(text, sizeof(text),
		    "tcp 10.8.0.50:%u > 10.8.0.20:9092 %s "
		    "dmac=02:10:00:00:00:14",
		    CLIENT_PORT + kafka_talk.more, rest);
	else if (kafka_talk.is_inline)
		snprintf(text, sizeof(text),
		    "tcp 10.8.0.20:9092 > 10.8.0.50:%u %s "
		    "dmac=02:10:00:00:00:32",
		    CLIENT_PORT + kafka_talk.more, rest);
	else if (dir == LP_TO_BROKER)
		snprintf(text, sizeof(text),
		    "tcp 10.9.0.50:%u > 10.9.0.100:9100 %s",
		    CLIENT_PORT + kafka_talk.more, rest);
	else
		snprintf(text, sizeof(text),
		    "tcp 10.8.0.20:9092 > 10.8.0.%u:%u %s", kafka_talk.source,
		    kafka_talk.nat, rest);
	return text;
}

void
kafka_connect(void)
{
	static const char *const hands[] = {"S seq=1000 mss=1460 ws=7",
	    "SA seq=5000 ack=1001 mss=1460 ws=8", "A seq=1001 ack=5001"};
	char text[PACKET_TEXT_SIZE];

	kafka_talk.next[LP_TO_BROKER] = CLIENT_ISN + 1;
	kafka_talk.next[LP_TO_CLIENT] = BROKER_ISN + 1;
	for (unsigned i = 0; i < 3 && kafka_talk.is_inline; i++) {
		plane_in(kafka_slot(i % 2), text_of(i % 2, hands[i]));
		ensure(plane_take(kafka_slot(!(i % 2))), "none has left");
	}
	if (kafka_talk.is_inline)
		return;
	plane_in(FRONT_SLOT, text_of(LP_TO_BROKER, hands[0]));
	ensure(plane_take(BACK_SLOT) &&
		sscanf(plane.text, "tcp 10.8.0.%hhu:%hu > 10.8.0.20:9092 S",
		    &kafka_talk.source, &kafka_talk.nat) == 2,
	    "no SYN has left, but %s", plane.text);
	plane.nat = kafka_talk.nat;
	plane_in(BACK_SLOT, text_of(LP_TO_CLIENT, hands[1]));
	snprintf(text, sizeof(text),
	    "tcp 10.9.0.100:9100 > 10.9.0.50:%u SA seq=5000 ack=1001",
	    CLIENT_PORT + kafka_talk.more);
	plane_expect(FRONT_SLOT, text);
	plane_in(FRONT_SLOT, text_of(LP_TO_BROKER, hands[2]));
	plane_expect(BACK_SLOT, "tcp * > 10.8.0.20:9092 A seq=1001 ack=5001");
	plane_quiet();
}

void
kafka_send(enum lp_direction dir, const void *bytes, size_t len)
{
	segment(dir, 0, bytes, len, &plainly);
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
	segment(dir, ahead, bytes, len, &plainly);
}

void
kafka_send_damaged(enum lp_direction dir, const void *bytes, size_t len)
{
	segment(dir, 0, bytes, len, &wrongly);
}

void
kafka_acknowledge(enum lp_direction dir)
{
	segment(dir, 0, NULL, 0, &plainly);
}

void
kafka_queue_reset(enum lp_direction dir)
{
	char rest[64];

	snprintf(rest, sizeof(rest), "R seq=%u", kafka_talk.next[dir]);
	plane_queue(kafka_slot(dir), text_of(dir, rest));
}

void
kafka_reset(enum lp_direction dir)
{
	kafka_queue_reset(dir);
	plane_run();
	plane_forget();
}

void
kafka_queue(enum lp_direction dir, int32_t ahead, const void *bytes, size_t len)
{
	queue(dir, ahead, bytes, len, &plainly);
}

void
kafka_send_flags(enum lp_direction dir, const char *flags, uint16_t window,
    const void *bytes, size_t len)
{
	const struct how how = {.flags = flags, .window = window};

	segment(dir, 0, bytes, len, &how);
	kafka_talk.next[dir] += (uint32_t)len;
	if (strchr(flags, 'F') != NULL)
		kafka_talk.next[dir]++;
}

static void
number(struct kafka_frame *frame, int64_t value, unsigned width)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(value >> 8 * (width - 1 - i));
	kafka_bytes(frame, bytes, width);
}

uint8_t
kafka_slot(enum lp_direction dir)
{
	if (kafka_talk.is_inline)
		return dir == LP_TO_BROKER ? LEFT_SLOT : RIGHT_SLOT;
	return dir == LP_TO_BROKER ? FRONT_SLOT : BACK_SLOT;
}

static void
queue(enum lp_direction dir, int32_t ahead, const uint8_t *bytes, size_t len,
    const struct how *how)
{
	struct packet packet;
	char rest[128];

	snprintf(rest, sizeof(rest), "%s seq=%u ack=%u len=%zu win=%u",
	    how->flags, kafka_talk.next[dir] + (uint32_t)ahead,
	    kafka_talk.next[!dir], len, how->window);
	plane_build(&packet, kafka_slot(dir), text_of(dir, rest));
	kafka_fill_packet(&packet, bytes, len);
	if (how->damaged)
		packet.bytes[ETHER + IP4 + TCP_SUM] ^= 0x55;
	ensure(
	    plane_inject(kafka_slot(dir), packet.bytes, packet.len), "no room");
}

/* It must leave by the other port, with the bytes that it came with. */
static void
segment(enum lp_direction dir, int32_t ahead, const uint8_t *bytes, size_t len,
    const struct how *how)
{
	const uint8_t *payload;

	queue(dir, ahead, bytes, len, how);
	plane_run();
	ensure(plane_take(kafka_slot(!dir)), "a segment was not forwarded");
	payload = plane.frame.bytes + ETHER + IP4 + TCP;
	ensure(len == 0 || memcmp(payload, bytes, len) == 0,
	    "the payload was changed");
}

void
kafka_fix_sum(struct packet *packet)
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
