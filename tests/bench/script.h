/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client and a broker say to each other, cut into segments: a
 * beginning, then a cycle without end.  All connections that follow a script
 * share it; each has its own place in it.
 */
#ifndef LP_BENCH_SCRIPT_H
#define LP_BENCH_SCRIPT_H

#include <stdint.h>

#include "dataplane/pipeline/batch.h"

enum script_kind {
	SCRIPT_FETCH, /* responses of 1 MiB of records, one at a time */
	SCRIPT_PRODUCE, /* 200 bytes of records, acks=1, one at a time */
	SCRIPT_PIPELINED, /* 16 KiB of records, acks=1, five in flight */
	SCRIPT_KINDS,
};

/* Sequence numbers count from the first byte behind the SYN. */
struct script_packet {
	uint32_t at; /* first byte */
	uint32_t ack;
	uint16_t len; /* 0: acknowledges only */
	uint16_t sum; /* of the payload, as it lies in memory */
	uint8_t dir; /* enum lp_direction */
};

struct script {
	struct script_packet *packets;
	unsigned count;
	unsigned cycle; /* the first packet of the cycle */
	uint32_t cycle_bytes[2]; /* that one cycle adds */
	/*
	 * Where a connection that has come to packet `jump` may leave out any
	 * number below `jumps` times `jump_step` packets: TCP cannot tell, and
	 * nobody wants their bytes.
	 */
	unsigned jump, jump_step, jumps;
	uint8_t *bytes[2];
	uint32_t len[2];
	uint32_t room[2];
	uint32_t sent[2]; /* cut into segments */
};

extern const char *const script_names[SCRIPT_KINDS];

/*
 * One end sends so many segments in a row, and then the other acknowledges
 * every two of them.  The number chooses client id and topic.
 */
void script_make(struct script *script, enum script_kind kind, unsigned train,
    unsigned number);
void script_free(struct script *script);

/*
 * Instead: a Metadata request and its answer, of so many brokers and a topic,
 * whose segments nobody acknowledges.
 */
void script_metadata(struct script *script, unsigned brokers, unsigned number);

#endif
