/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka frames by hand, and segments that carry them through a plane: one
 * connection, a client at 10.9.0.50:40000 and broker 0 behind
 * 10.9.0.100:9100.  Written from the protocol guide; shares no code with what
 * it tests.
 */
#ifndef LP_TESTS_SUPPORT_KAFKA_WIRE_H
#define LP_TESTS_SUPPORT_KAFKA_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/pipeline/batch.h"

enum { KAFKA_FRAME_MAX = 1 << 16 };

struct kafka_frame {
	uint8_t bytes[KAFKA_FRAME_MAX];
	size_t len;
};

/* A request's head, with the client id (NULL: null); flexible: version 2. */
void kafka_request(struct kafka_frame *frame, int16_t key, int16_t version,
    int32_t correlation_id, const char *client, bool flexible);
/* A response's head; flexible: with a tag buffer. */
void kafka_response(
    struct kafka_frame *frame, int32_t correlation_id, bool flexible);
/* Fields. */
void kafka_int8(struct kafka_frame *frame, int64_t value);
void kafka_int16(struct kafka_frame *frame, int64_t value);
void kafka_int32(struct kafka_frame *frame, int64_t value);
void kafka_int64(struct kafka_frame *frame, int64_t value);
void kafka_string(struct kafka_frame *frame, const char *text);
void kafka_compact(struct kafka_frame *frame, const char *text);
void kafka_bytes(struct kafka_frame *frame, const void *bytes, size_t len);
/* So many bytes of that value, without a length. */
void kafka_fill(struct kafka_frame *frame, uint8_t value, size_t len);
/* Writes the size field. */
void kafka_end(struct kafka_frame *frame);

struct packet;
/* Those bytes are the payload of a TCP packet of IPv4, whose sum is made. */
void kafka_fill_packet(
    struct packet *packet, const uint8_t *payload, size_t len);
void kafka_fix_sum(struct packet *packet);

/* Positions of both ends: the next byte that each sends. */
struct kafka_talk {
	uint32_t next[2]; /* by enum lp_direction */
	uint16_t more; /* of the client's port than 40000 */
	bool is_inline; /* through the bump, LEFT_SLOT and RIGHT_SLOT */
	/* Our own address and port towards the broker: 10.8.0.SOURCE:NAT. */
	uint8_t source;
	uint16_t nat;
};
extern struct kafka_talk kafka_talk;

/*
 * The handshake of the connection, on an open plane.  There may be others, of
 * other ports of the client: kafka_talk is the one that is meant.
 */
void kafka_connect(void);

/* Where packets of that direction come in. */
uint8_t kafka_slot(enum lp_direction dir);

/* Bytes as one segment, acknowledging all of the other end; must come out. */
void kafka_send(enum lp_direction dir, const void *bytes, size_t len);
void kafka_send_frame(enum lp_direction dir, const struct kafka_frame *frame);

/* The same without a turn, from so far ahead of what is next. */
void kafka_queue(
    enum lp_direction dir, int32_t ahead, const void *bytes, size_t len);

/* Bytes at a distance from what is next, which does not move. */
void kafka_send_at(
    enum lp_direction dir, int32_t ahead, const void *bytes, size_t len);
/* With a wrong checksum: it is not there for its receiver. */
void kafka_send_damaged(enum lp_direction dir, const void *bytes, size_t len);

/* A pure acknowledgement of all that the other end has sent. */
void kafka_acknowledge(enum lp_direction dir);
void kafka_queue_reset(enum lp_direction dir);
void kafka_reset(enum lp_direction dir);
/* The bytes with those flags of TCP, and so much window. */
void kafka_send_flags(enum lp_direction dir, const char *flags, uint16_t window,
    const void *bytes, size_t len);

#endif
