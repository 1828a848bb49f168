/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's stage between two ends that do anything.
 *
 * An input is a head, and operations of three bytes, one for each segment of a
 * conversation.  Some inputs run twice: with nobody looking, and with the
 * stage.  Every frame leaves the second time as it did the first, byte for
 * byte.  Whatever happens the pools and the gauges agree with the connection
 * (kafka_check.h), and when it is over nothing is left of it.
 *
 *	head: bit 0 of the first byte, a bump in the wire or a VIP; bit 1,
 *	twice; the conversation; the size of segments; the client's first
 *	sequence number
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/kafka_check.h"
#include "tests/support/kafka_talk.h"

enum {
	HEAD = 7,
	OPERATION = 3,
	RECORD = 3, /* in front of a payload of a conversation */
	SEGMENTS_MAX = 200,
	SEGMENT_MAX = 1400,
	LOG_MAX = 1 << 22,
	INPUTS = 64, /* on one plane */
	PLACES_MAX = 12, /* of operations in a seed */
	TWICE_IN = 8, /* one of so many seeds */
	LEFT = 30,
	RIGHT,
	SEEN,
	SEEN_0,
	SEEN_1,
};

enum operation {
	PLAIN = 0,
	FLIP, /* another byte */
	LATER, /* behind the next one */
	TWICE,
	MISS, /* it goes by another way */
	FINISH,
	RESET,
	SYN_AGAIN,
	RESTART,
	CUT, /* and another process between the halves */
	FURTHER_ON, /* its bytes also further on */
	FURTHER_BACK, /* and further back */
	DAMAGED, /* then as it should be */
	WAIT,
	KEEP_ALIVE,
	ACKNOWLEDGE, /* by the other end, perhaps of something else */
	INSERT, /* bytes that nobody expects */
	JUMP, /* the sender goes on elsewhere */
	CLOSED_WINDOW,
	OPERATIONS,
	DRAWN = 24, /* the rest is PLAIN */
};

struct segment {
	enum lp_direction dir;
	uint32_t seq;
	size_t len;
	const char *flags;
	bool damaged;
	uint8_t bytes[SEGMENT_MAX];
};

static const char *const ends[2][2] = {
    {"tcp 10.9.0.50:40000 > 10.9.0.100:9100 ",
	"tcp 10.8.0.20:9092 > 10.8.0.10:$ "},
    {"tcp 10.8.0.50:40000 > 10.8.0.20:9092 ",
	"tcp 10.8.0.20:9092 > 10.8.0.50:40000 "},
};

static struct {
	bool inlined, twice, looking;
	uint32_t next[2];
	unsigned window;
	struct segment later; /* len 0: none */
	/* What left in the first run: slot, length, bytes. */
	uint8_t log[LOG_MAX];
	size_t len, at;
} run;

static void
open_plane(void)
{
	struct lp_config config;

	plane_config(&config);
	put(&config, make_peer(LEFT, "left", "right"));
	put(&config, make_peer(RIGHT, "right", "left"));
	put(&config, make_inline(SEEN, PAYMENTS, "seen"));
	put(&config, make_endpoint(SEEN_0, SEEN, PAYMENTS_0, "10.8.0.20:9092"));
	put(&config, make_endpoint(SEEN_1, SEEN, PAYMENTS_1, "10.7.0.21:9092"));
	plane_open_with(LP_CONNECTIONS_MIN, &config);
	plane_port(FRONT_SLOT, FRONT, "");
	plane_port(BACK_SLOT, BACK, "");
	plane_port(2, LEFT, "inline");
	plane_port(3, RIGHT, "inline");
	plane_publish();
	plane_run();
}

static void
look(bool looking)
{
	struct lp_snapshot *snapshot = atomic_load(&plane.cell.current);

	for (unsigned i = 0; i < snapshot->target_count; i++)
		snapshot->targets[i].kafka = looking;
	run.looking = looking;
}

/* One frame that has left: noted the first time, compared the second. */
static void
note(uint8_t slot)
{
	uint8_t *log = run.log + run.at;
	size_t len = plane.frame.len;

	if (!run.twice)
		return;
	if (!run.looking) {
		ensure(run.at + 3 + len <= LOG_MAX, "the log is too short");
		log[0] = slot;
		log[1] = (uint8_t)(len >> 8);
		log[2] = (uint8_t)len;
		memcpy(log + 3, plane.frame.bytes, len);
		run.len = run.at + 3 + len;
	} else {
		ensure(run.at < run.len, "it sends %s", plane.text);
		ensure(log[0] == slot && log[1] == (uint8_t)(len >> 8) &&
			log[2] == (uint8_t)len &&
			memcmp(log + 3, plane.frame.bytes, len) == 0,
		    "it has changed %s", plane.text);
	}
	run.at += 3 + len;
}

static void
settle(void)
{
	for (uint8_t slot = 0; slot < 4; slot++)
		while (plane_take(slot))
			note(slot);
	if (!run.looking)
		return;
	kafka_check_pools();
	kafka_check_counters();
}

static void
send(const struct segment *segment)
{
	uint8_t slot =
	    (uint8_t)(2 * run.inlined + (segment->dir == LP_TO_CLIENT));
	uint32_t ack = run.next[!segment->dir];
	char text[PACKET_TEXT_SIZE];
	struct packet packet;

	/* What is still to come is not acknowledged. */
	if (run.later.len > 0 && run.later.dir != segment->dir)
		ack = run.later.seq;
	snprintf(text, sizeof(text), "%s%s seq=%u ack=%u len=%zu win=%u",
	    ends[run.inlined][segment->dir], segment->flags, segment->seq, ack,
	    segment->len, run.window);
	plane_build(&packet, slot, text);
	kafka_fill_packet(&packet, segment->bytes, segment->len);
	if (segment->damaged)
		packet.bytes[packet.len - 1] ^= 0x55;
	ensure(plane_inject(slot, packet.bytes, packet.len), "no room");
	plane_run();
	settle();
}

static void
control(enum lp_direction dir, const char *flags, uint32_t seq)
{
	struct segment segment = {.dir = dir, .flags = flags, .seq = seq};

	send(&segment);
}

static void
restart(void)
{
	plane_restart();
	plane_run();
	settle();
}

static void
connect(uint32_t isn)
{
	char text[PACKET_TEXT_SIZE];
	uint8_t slot = (uint8_t)(2 * run.inlined);

	run.next[LP_TO_BROKER] = isn;
	run.next[LP_TO_CLIENT] = ~isn << 7;
	run.window = 60000;
	run.later.len = 0;
	snprintf(text, sizeof(text), "%sS seq=%u mss=1460 ws=7",
	    ends[run.inlined][LP_TO_BROKER], isn++);
	plane_in(slot, text);
	if (!run.inlined) {
		ensure(plane_take(BACK_SLOT), "no SYN has left");
		plane.nat = plane_source_port(plane.text);
		note(BACK_SLOT);
	}
	settle();
	run.next[LP_TO_BROKER] = isn;
	snprintf(text, sizeof(text), "%sSA seq=%u ack=%u mss=1460 ws=8",
	    ends[run.inlined][LP_TO_CLIENT], run.next[LP_TO_CLIENT]++, isn);
	plane_in((uint8_t)(slot + 1), text);
	settle();
	control(LP_TO_BROKER, "A", isn);
}

/* What goes by before the segment itself. */
static void
before(struct segment *segment, enum operation operation, const uint8_t *with)
{
	struct segment other = *segment;

	other.len = with[0] % 64u + 1;
	switch (operation) {
	case FLIP:
		segment->bytes[with[0] * segment->len / 256] = with[1];
		break;
	case SYN_AGAIN:
		control(segment->dir, with[0] & 1 ? "S" : "SA",
		    segment->seq - with[1] % 4u);
		break;
	case RESTART:
		restart();
		break;
	case FURTHER_ON:
		other = *segment;
		other.seq += with[0] * 16u;
		send(&other);
		break;
	case FURTHER_BACK:
		other.seq -= with[1];
		send(&other);
		break;
	case DAMAGED:
		other = *segment;
		other.damaged = true;
		send(&other);
		break;
	case WAIT:
		plane_wait_ms(1ull << with[0] % 18);
		settle();
		break;
	case KEEP_ALIVE:
		other.len = with[0] & 1;
		other.flags = "A";
		other.seq--;
		send(&other);
		break;
	case ACKNOWLEDGE:
		run.next[segment->dir] += (uint32_t)(int8_t)with[0];
		control(!segment->dir, "A", run.next[!segment->dir]);
		run.next[segment->dir] -= (uint32_t)(int8_t)with[0];
		break;
	case INSERT:
		memset(other.bytes, with[1], sizeof(other.bytes));
		send(&other);
		segment->seq += (uint32_t)other.len;
		break;
	case JUMP:
		segment->seq += (uint32_t)with[0] << with[1] % 20;
		break;
	case CLOSED_WINDOW:
		run.window = with[0];
		break;
	default:
		break;
	}
}

static void
cut(const struct segment *segment, uint8_t where)
{
	struct segment part = *segment;
	size_t at = where * segment->len / 256;

	part.len = at;
	if (at > 0)
		send(&part);
	restart();
	part.len = segment->len - at;
	part.seq += (uint32_t)at;
	memcpy(part.bytes, segment->bytes + at, part.len);
	send(&part);
}

static void
say(struct segment *segment, const uint8_t *with)
{
	enum operation operation = with[0] % DRAWN;
	struct segment late = run.later;

	before(segment, operation, with + 1);
	run.next[segment->dir] = segment->seq + (uint32_t)segment->len;
	if (operation == FINISH)
		segment->flags = "FPA";
	if (operation == LATER && late.len == 0)
		run.later = *segment;
	else if (operation == CUT)
		cut(segment, with[1]);
	else if (operation != MISS)
		send(segment);
	if (operation == TWICE)
		send(segment);
	if (operation == FINISH)
		run.next[segment->dir]++;
	if (operation == RESET)
		control(segment->dir, "R", run.next[segment->dir]);
	if (late.len > 0 && late.dir == segment->dir) {
		run.later.len = 0;
		send(&late);
	}
}

/* Both ends give up; who was led astray is reset where it is. */
static void
end(void)
{
	if (run.later.len > 0) {
		struct segment late = run.later;

		run.later.len = 0;
		send(&late);
	}
	for (unsigned i = 0; plane_connection(0) != NULL && i < 2; i++) {
		const struct lp_tcp_peer *peer =
		    &plane_connection(0)->tcp.peer[i];

		control(i, "R", peer->end);
	}
	if (!run.looking)
		return;
	for (uint32_t i = 0; i < plane.region.kafka.conn_count; i++)
		if (plane.region.kafka.conns[i].mode != LP_KAFKA_OFF)
			return;
	kafka_ensure_at_rest();
	ensure(kafka_check_pools().held == 0, "pieces are held");
}

static void
speak(const uint8_t *data, size_t size, bool looking)
{
	static const uint8_t plain[OPERATION] = {PLAIN};
	const struct conversation *talk = conversation_get(data[1]);
	size_t most = 16 + data[2] * 8u;
	size_t at = 0, left = 0;
	unsigned count = 0;
	uint32_t isn;

	memcpy(&isn, data + 3, sizeof(isn));
	data += HEAD;
	size -= HEAD;
	if (most > SEGMENT_MAX)
		most = SEGMENT_MAX;
	if (run.twice || plane_connections() > 0) {
		plane_reset();
		kafka_check_forget();
	}
	look(looking);
	run.at = 0;
	connect(isn);
	for (enum lp_direction dir = LP_TO_BROKER; count < SEGMENTS_MAX;
	     count++) {
		struct segment segment;

		if (left == 0 && at + RECORD >= talk->len)
			break;
		if (left == 0) {
			dir = talk->bytes[at] != 0;
			left = (size_t)talk->bytes[at + 1] << 8 |
			    talk->bytes[at + 2];
			at += RECORD;
			if (left > talk->len - at)
				left = talk->len - at;
			continue;
		}
		segment = (struct segment){.dir = dir,
		    .seq = run.next[dir],
		    .flags = "PA",
		    .len = left < most ? left : most};
		memcpy(segment.bytes, talk->bytes + at, segment.len);
		at += segment.len;
		left -= segment.len;
		say(&segment, size >= OPERATION ? data : plain);
		data += size >= OPERATION ? OPERATION : 0;
		size -= size >= OPERATION ? OPERATION : 0;
	}
	end();
	ensure(!run.twice || !looking || run.at == run.len, "less has left");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool open;
	static unsigned inputs;

	if (size < HEAD || fuzz_is_again(data, size, HEAD, OPERATION))
		return 0;
	if (open && inputs++ % INPUTS == 0) {
		plane_close();
		open = false;
	}
	if (!open) {
		kafka_check_forget();
		open_plane();
		open = true;
	}
	run.inlined = data[0] & 1;
	run.twice = data[0] & 2;
	if (run.twice)
		speak(data, size, false);
	speak(data, size, true);
	return 0;
}

/* Few operations, at places of their own, for one conversation each. */
size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	uint64_t random = fuzz_random(index);
	unsigned places = 1 + fuzz_draw(&random) % PLACES_MAX;
	size_t size = HEAD + places * OPERATION;

	if (index >= 2 * conversation_count() || size > max)
		return 0;
	memset(data, 0, size);
	data[0] = (uint8_t)((index & 1) | (index / 2 % TWICE_IN == 0 ? 2 : 0));
	data[1] = (uint8_t)(index / 2);
	for (unsigned i = 2; i < HEAD; i++)
		data[i] = (uint8_t)fuzz_draw(&random);
	for (unsigned i = 0; i < places; i++)
		if (fuzz_draw(&random) % 3 == 0)
			for (unsigned j = 0; j < OPERATION; j++)
				data[HEAD + OPERATION * i + j] =
				    (uint8_t)fuzz_draw(&random);
	return size;
}
