/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/spliced.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/kafka_check.h"
#include "tests/support/plane.h"

enum {
	CLIENT_ISN = 1000,
	BROKER_ISN = 5000,
	ETHER = 14,
	IP4 = 20,
	TCP_SEQ = 4,
	TCP_ACK = 8,
	TCP_OFF = 12,
	TCP_FLAGS = 13,
	/* Behind two NOPs; one block. */
	SACK_OFF = 22,
	SACK_KIND = 5,
	SACK_END = 32,
	FIN = 1,
	RST = 4,
	ACK = 16,
	WINDOW = 60000,
	ROUNDS_MAX = 64,
	BASE = 9100,
	/* Of Produce, what the tables know at the highest. */
	PRODUCE_LAST = 13,
};

struct spliced spliced;
static const char secret[] = "secret";

/* A frame that has left. */
struct seen {
	uint32_t seq, ack, len;
	uint8_t flags;
	const uint8_t *bytes;
	uint32_t sack[2]; /* the first block, if that is its only option */
};

void
spliced_open(void)
{
	plane_open(CONNECTIONS);
	plane_config_rewrite(&plane.config, LP_REWRITING_ON);
	plane_publish();
	plane_run();
	spliced_connect();
}

void
spliced_connect(void)
{
	memset(&spliced, 0, sizeof(spliced));
	kafka_talk.more = 0;
	kafka_connect();
}

void
spliced_connect_more(uint16_t more)
{
	memset(&spliced, 0, sizeof(spliced));
	kafka_talk.more = more;
	kafka_connect();
}

void
spliced_check_pools(void)
{
	const struct lp_kafka_state *state = &plane.region.kafka;

	struct kafka_taken taken = kafka_check_pools();

	ensure(taken.held == 0, "streams hold pieces");
	ensure(taken.waiting == 0, "segments wait");
	ensure(taken.said == 0, "what was said is kept");
	kafka_ensure_at_rest();
	for (uint32_t i = 0; i < state->edit_count; i++)
		ensure(state->edits[i].kind == LP_EDIT_NONE,
		    "edit %u is left, of kind %u", i, state->edits[i].kind);
	ensure(KAFKA_COUNTER(edits) == 0, "edits are counted");
}

void
spliced_reset(void)
{
	const struct lp_conn *conn = spliced_connection();

	if (conn != NULL) {
		spliced_queue(LP_TO_BROKER,
		    conn->tcp.peer[LP_TO_BROKER].end - CLIENT_ISN - 1, 0, "R",
		    0, NULL, 0);
		spliced_run();
		ensure(conn->use != LP_CONN_USED ||
			conn->tcp.state == LP_TCP_CLOSED ||
			conn->tcp.state == LP_TCP_TIME_WAIT,
		    "a reset has not closed it");
	}
	spliced_check_pools();
}

void
spliced_close(void)
{
	spliced_reset();
	plane_close();
}

static void
put(uint8_t *to, uint32_t *len, const void *bytes, size_t more)
{
	ensure(*len + more <= SPLICED_MAX, "too much is said");
	memcpy(to + *len, bytes, more);
	*len += (uint32_t)more;
}

static void
put_request(void)
{
	put(spliced.asked, &spliced.asked_len, kafka_frame.bytes,
	    kafka_frame.len);
}

/* A question and its answer are there. */
static void
end_frame(void)
{
	ensure(spliced.frame_count < SPLICED_FRAMES_MAX, "too many questions");
	spliced.ends[spliced.frame_count][0] = spliced.asked_len;
	spliced.ends[spliced.frame_count++][1] = spliced.len;
}

void
spliced_append(const void *bytes, const void *told, size_t len)
{
	put(spliced.bytes, &spliced.len, bytes, len);
	put(spliced.told, &spliced.told_len, told, len);
}

/* Version 1; returns where the last address ends. */
static size_t
metadata(int32_t id, unsigned brokers, bool real)
{
	size_t end;
	char host[64];

	kafka_response(&kafka_frame, id, false);
	kafka_int32(&kafka_frame, brokers);
	end = kafka_frame.len;
	for (unsigned i = 0; i < brokers; i++) {
		snprintf(host, sizeof(host),
		    real ? "%s-%0*u.example.org" : "10.9.0.100", secret,
		    1 + (int)i % 40, i);
		kafka_int32(&kafka_frame, i);
		kafka_string(&kafka_frame, host);
		kafka_int32(&kafka_frame, real ? 9092 : BASE + i);
		end = kafka_frame.len;
		kafka_string(&kafka_frame, i % 2 ? "rack" : NULL);
	}
	kafka_int32(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 0); /* no topics */
	kafka_end(&kafka_frame);
	return end;
}

void
spliced_metadata(unsigned brokers)
{
	struct spliced_edit *edit = &spliced.edits[spliced.edit_count++];
	int32_t id = (int32_t)spliced.asked_len;

	ensure(spliced.edit_count <= SPLICED_EDITS_MAX, "too many edits");
	kafka_request(&kafka_frame, METADATA, 1, id, "web-1", false);
	kafka_int32(&kafka_frame, -1);
	kafka_end(&kafka_frame);
	put_request();
	edit->start = spliced.len;
	edit->at = spliced.told_len;
	edit->old_len = (uint32_t)metadata(id, brokers, true);
	put(spliced.bytes, &spliced.len, kafka_frame.bytes, kafka_frame.len);
	edit->new_len = (uint32_t)metadata(id, brokers, false);
	put(spliced.told, &spliced.told_len, kafka_frame.bytes,
	    kafka_frame.len);
	end_frame();
}

void
spliced_fetch(uint32_t records)
{
	int32_t id = (int32_t)spliced.asked_len;

	kafka_fetch_request(id, 500, -1);
	put_request();
	kafka_fetch_response(id, records);
	spliced_append(kafka_frame.bytes, kafka_frame.bytes, kafka_frame.len);
	end_frame();
}

/* Of version 0: the broker offers more versions of Produce than we can read. */
void
spliced_versions(void)
{
	int32_t id = (int32_t)spliced.asked_len;
	struct kafka_frame as;

	kafka_request(&kafka_frame, VERSIONS, 0, id, "web-1", false);
	kafka_end(&kafka_frame);
	put_request();
	kafka_response(&kafka_frame, id, false);
	kafka_int16(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 1);
	kafka_int16(&kafka_frame, PRODUCE);
	kafka_int16(&kafka_frame, 0);
	as = kafka_frame;
	kafka_int16(&kafka_frame, PRODUCE_LAST + 20);
	kafka_end(&kafka_frame);
	kafka_int16(&as, PRODUCE_LAST);
	kafka_end(&as);
	spliced_append(kafka_frame.bytes, as.bytes, as.len);
	end_frame();
}

void
spliced_queue(enum lp_direction dir, uint32_t seq, uint32_t ack,
    const char *flags, uint16_t window, const void *bytes, size_t len)
{
	static const uint32_t isn[] = {CLIENT_ISN + 1, BROKER_ISN + 1};
	uint8_t slot = dir == LP_TO_BROKER ? FRONT_SLOT : BACK_SLOT;
	char text[PACKET_TEXT_SIZE];
	struct packet packet;
	int at;

	if (dir == LP_TO_BROKER)
		at = snprintf(text, sizeof(text),
		    "tcp 10.9.0.50:%u > 10.9.0.100:9100 ",
		    40000u + kafka_talk.more);
	else
		at = snprintf(text, sizeof(text),
		    "tcp 10.8.0.20:9092 > 10.8.0.%u:%u ", kafka_talk.source,
		    kafka_talk.nat);
	snprintf(text + at, sizeof(text) - (size_t)at,
	    "%s seq=%u ack=%u len=%zu win=%u", flags, seq + isn[dir],
	    ack + isn[!dir], len, window);
	plane_build(&packet, slot, text);
	kafka_fill_packet(&packet, bytes, len);
	ensure(plane_inject(slot, packet.bytes, packet.len), "no room");
}

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

/* The frame that was taken. */
static struct seen
see(enum lp_direction dir)
{
	const uint8_t *ip = plane.frame.bytes + ETHER;
	const uint8_t *tcp = ip + IP4;
	uint32_t header = IP4 + (uint32_t)(tcp[TCP_OFF] >> 4) * 4;
	uint32_t client = CLIENT_ISN + 1, broker = BROKER_ISN + 1;
	bool back = dir == LP_TO_CLIENT;
	struct seen seen = {
	    .seq = get32(tcp + TCP_SEQ) - (back ? broker : client),
	    .ack = get32(tcp + TCP_ACK) - (back ? client : broker),
	    .len = (uint32_t)(ip[2] << 8 | ip[3]) - header,
	    .flags = tcp[TCP_FLAGS],
	    .bytes = ip + header};

	ensure(ip[1] == spliced.tos, "its DS field is %02x: %s", ip[1],
	    plane.text);
	if (header >= IP4 + SACK_END && tcp[SACK_OFF] == SACK_KIND) {
		seen.sack[0] = get32(tcp + SACK_END - 8) - broker;
		seen.sack[1] = get32(tcp + SACK_END - 4) - broker;
	}
	return seen;
}

static void
take_byte(uint32_t at, uint8_t byte)
{
	if (byte == 0 && at < spliced.acked)
		return;
	/* A keep-alive may bring one in front of the stream. */
	if (at >= spliced.told_len) {
		ensure(spliced.lenient || (int32_t)at < 0,
		    "a byte at %u, behind all that is said", at);
		return;
	}
	ensure(spliced.lenient || byte == spliced.told[at],
	    "byte %u is %02x, not %02x", at, byte, spliced.told[at]);
	spliced.has[at] = true;
}

static void
at_client(const struct seen *seen)
{
	bool zeros = seen->len > 0;

	ensure(memmem(plane.frame.bytes, plane.frame.len, secret,
		   sizeof(secret) - 1) == NULL,
	    "the client is told a secret: %s", plane.text);
	if (seen->len > 0 && (int32_t)(seen->seq + seen->len - spliced.end) > 0)
		spliced.end = seen->seq + seen->len;
	if (spliced.lost)
		return;
	if (seen->flags & RST) {
		spliced.reset = true;
		return;
	}
	for (uint32_t i = 0; i < seen->len; i++) {
		take_byte(seen->seq + i, seen->bytes[i]);
		zeros = zeros && seen->bytes[i] == 0;
	}
	spliced.zeros += zeros;
	spliced.segments += seen->len > 0;
	spliced.ahead +=
	    seen->len > 0 && (int32_t)(seen->seq - spliced.got) > 0;
	if (seen->len == 0 && !(seen->flags & FIN)) {
		spliced.bare++;
		spliced.bare_at = seen->seq;
	}
	while (spliced.got < spliced.told_len && spliced.has[spliced.got])
		spliced.got++;
	if (seen->flags & FIN) {
		spliced.fin = true;
		spliced.fin_at = seen->seq + seen->len;
	}
}

uint32_t
spliced_out(uint32_t at)
{
	uint32_t delta = 0;

	for (unsigned i = 0; i < spliced.edit_count; i++) {
		const struct spliced_edit *edit = &spliced.edits[i];

		if (at <= edit->start)
			break;
		if (at < edit->start + edit->old_len)
			return edit->at;
		delta += edit->new_len - edit->old_len;
	}
	return at + delta;
}

static void
at_broker(const struct seen *seen)
{
	if (!(seen->flags & ACK) || (seen->flags & RST))
		return;
	/* What is beyond all that it has sent it refuses itself. */
	if (seen->ack > spliced.sent)
		return;
	ensure(spliced_out(seen->ack) <= spliced.acked,
	    "the broker is told of %u, that is %u; the client has "
	    "acknowledged %u: %s",
	    seen->ack, spliced_out(seen->ack), spliced.acked, plane.text);
	if (seen->ack == spliced.broker_acked && seen->len == 0) {
		spliced.duplicates++;
		memcpy(spliced.sack, seen->sack, sizeof(spliced.sack));
	}
	if (seen->ack > spliced.broker_acked)
		spliced.broker_acked = seen->ack;
	if (seen->len > 0 && seen->seq == spliced.asked_got)
		spliced.asked_got += seen->len;
}

void
spliced_run(void)
{
	struct seen seen;

	plane_run();
	while (plane_take(FRONT_SLOT)) {
		ensure(spliced.lenient || strstr(plane.text, "bad") == NULL,
		    "a wrong sum: %s", plane.text);
		seen = see(LP_TO_CLIENT);
		at_client(&seen);
	}
	while (plane_take(BACK_SLOT)) {
		seen = see(LP_TO_BROKER);
		at_broker(&seen);
	}
}

void
spliced_ask(void)
{
	while (spliced.asked_sent < spliced.asked_len) {
		uint32_t len = spliced.asked_len - spliced.asked_sent;

		if (len > SPLICED_MSS)
			len = SPLICED_MSS;
		spliced_queue(LP_TO_BROKER, spliced.asked_sent, spliced.got,
		    "PA", WINDOW, spliced.asked + spliced.asked_sent, len);
		spliced.asked_sent += len;
		spliced.acked = spliced.got;
		spliced_run();
	}
}

uint32_t
spliced_answered(void)
{
	uint32_t end = 0;

	for (unsigned i = 0; i < spliced.frame_count; i++)
		if (spliced.ends[i][0] <= spliced.asked_got)
			end = spliced.ends[i][1];
	return end;
}

void
spliced_answer_flags(uint32_t at, uint32_t len, const char *flags)
{
	ensure(at + len <= spliced.len, "the broker has not said so much");
	if (at + len > spliced.sent)
		spliced.sent = at + len;
	spliced_queue(LP_TO_CLIENT, at, spliced.asked_got, flags, WINDOW,
	    spliced.bytes + at, len);
	spliced_run();
}

void
spliced_answer(uint32_t at, uint32_t len)
{
	spliced_answer_flags(at, len, "PA");
}

void
spliced_acknowledge_at(uint32_t at, uint16_t window)
{
	if (at <= spliced.end && at > spliced.acked)
		spliced.acked = at;
	spliced_queue(
	    LP_TO_BROKER, spliced.asked_sent, at, "A", window, NULL, 0);
	spliced_run();
}

void
spliced_acknowledge(void)
{
	spliced_acknowledge_at(spliced.got, WINDOW);
}

void
spliced_finish(void)
{
	for (unsigned i = 0; spliced.broker_acked < spliced.len ||
	     spliced.got < spliced.told_len;
	     i++) {
		uint32_t at = spliced.broker_acked;

		ensure(i < ROUNDS_MAX,
		    "the client has %u of %u, the broker knows of %u of %u",
		    spliced.got, spliced.told_len, spliced.broker_acked,
		    spliced.len);
		while (at < spliced.len) {
			uint32_t len = spliced.len - at;

			if (len > SPLICED_MSS)
				len = SPLICED_MSS;
			spliced_answer(at, len);
			at += len;
		}
		spliced_acknowledge();
	}
}

struct lp_conn *
spliced_connection(void)
{
	return plane_connection(0);
}

struct lp_splice *
spliced_state(void)
{
	return &plane.region.kafka.splices[0];
}
