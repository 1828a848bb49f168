/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a simulated TCP connection: small, honest, without a socket or a
 * clock.  Segments go in by sim_tcp_input() and come out by `emit`.
 *
 * Handshake, cumulative acknowledgements, retransmission (go-back-N after a
 * timeout, cut anew each time; what is missing after three duplicates), window
 * scaling, windows that close and their probes, delayed acknowledgements,
 * keep-alives, half-close, RST; if both ends want it SACK and timestamps
 * (sim_options.h).  Sources: RFC 9293, 7323, 6582, 2018.
 *
 * It is strict where honest peers are: an ACK or a SACK of what was never sent,
 * a segment without its timestamp, and an echo of none that was sent end the
 * test.
 *
 * Positions are 64-bit: 0 is the SYN, 1 the first byte, then all bytes, and
 * the FIN behind the last one.
 */
#ifndef LP_TESTS_SUPPORT_SIM_TCP_H
#define LP_TESTS_SUPPORT_SIM_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SIM_PAYLOAD_MAX = 1460,
	SIM_BUFFER_MAX = 1 << 16,
	SIM_NO_SCALE = UINT8_MAX,
	SIM_BLOCKS_MAX = 4,
};
static const uint64_t sim_never = UINT64_MAX;

enum sim_flags {
	SIM_FIN = 0x01,
	SIM_SYN = 0x02,
	SIM_RST = 0x04,
	SIM_PSH = 0x08,
	SIM_ACK = 0x10,
};

/* Of a SACK option. */
struct sim_block {
	uint32_t from, to;
};

struct sim_segment {
	uint32_t seq;
	uint32_t ack;
	uint16_t window;
	uint8_t flags; /* enum sim_flags */
	uint8_t scale; /* SIM_NO_SCALE: no option */
	uint16_t mss; /* 0: no option */
	bool sack_ok; /* of a SYN */
	bool stamped; /* has timestamps: */
	uint32_t stamp, echo;
	uint8_t block_count;
	struct sim_block block[SIM_BLOCKS_MAX];
	uint16_t len;
	uint8_t bytes[SIM_PAYLOAD_MAX];
};

/* Bytes that become more. */
struct sim_bytes {
	uint8_t *bytes;
	size_t len;
	size_t size;
};

void sim_bytes_add(struct sim_bytes *bytes, const void *more, size_t len);
void sim_bytes_free(struct sim_bytes *bytes);

/* What kind of an end it is; drawn from a seed by sim.c. */
struct sim_habits {
	uint16_t mss; /* of its option */
	uint16_t cut_max; /* payload of a segment it sends */
	bool cut_random; /* from 1 to that; else full ones */
	uint8_t scale; /* or SIM_NO_SCALE */
	uint32_t buffer; /* bytes of its receive buffer */
	uint64_t ack_delay_ns; /* 0: at once */
	uint64_t read_every_ns; /* 0: its application reads at once */
	uint32_t read_max; /* bytes that it reads then */
	uint64_t keepalive_ns; /* 0: none */
	bool garbage_byte; /* in a keep-alive */
	bool probe_byte; /* of a shut window; else an old empty segment */
	bool sack, stamps; /* if the other end wants it, too */
	bool duplicate_sack; /* RFC 2883 */
	uint8_t flight; /* segments that it sends at first; 0: ten */
	bool flight_fixed; /* and never more */
};

enum sim_state {
	SIM_LISTEN,
	SIM_SYN_SENT,
	SIM_SYN_RECEIVED,
	SIM_OPEN,
	SIM_RESET, /* by either end */
};

struct sim_tcp {
	struct sim_habits habits;
	uint64_t *random;
	void (*emit)(void *context, const struct sim_segment *segment);
	void *context;
	uint8_t state; /* enum sim_state */

	/* What it sends. */
	struct sim_bytes out; /* all that was ever written */
	bool shut; /* nothing more will be written */
	uint32_t iss;
	uint64_t una, next, highest; /* positions */
	uint64_t window; /* that the other end has advertised */
	uint64_t window_seq; /* by which segment */
	uint64_t congestion; /* bytes */
	uint16_t peer_mss;
	uint8_t peer_scale;
	unsigned duplicates;
	uint64_t recover; /* fast retransmission goes on up to there; 0: none */
	uint64_t repair; /* the next one that may be missing */
	uint64_t timer_ns, rto_ns;
	bool sack; /* both ends want it */
	bool is_sacked[SIM_BUFFER_MAX]; /* by position */
	uint64_t sacked_to; /* none behind it */

	/* What it receives. */
	struct sim_bytes in; /* all that came in order */
	size_t read; /* of it, by the application */
	uint32_t irs;
	uint64_t received; /* position of the next one wanted */
	uint64_t advertised; /* right edge */
	uint64_t fin; /* position of the FIN; 0: not seen */
	unsigned held_count; /* bytes behind a gap */
	uint64_t
	    held_last; /* position of the segment of those that came last */
	uint64_t again, again_end; /* what has come again, if it has */
	bool ack_now;
	uint64_t ack_ns, read_ns, keepalive_ns;
	unsigned keepalives;
	/* How often it has done what it does seldom. */
	unsigned timeouts, repeats, probes, kept_alive, behind_gaps;
	uint8_t held[SIM_BUFFER_MAX];
	bool is_held[SIM_BUFFER_MAX];

	bool stamped; /* both ends want timestamps */
	uint64_t now_ns;
	uint32_t stamp_base; /* its clock's begin */
	uint32_t stamp_first, stamp_last; /* that it has sent */
	uint32_t stamp_recent; /* of the other end: TS.Recent */
	uint64_t acked; /* up to there: Last.ACK.sent */
};

/* Habits, random, emit, context and iss are set; all else is made. */
void sim_tcp_open(struct sim_tcp *tcp, bool active, uint64_t now_ns);
void sim_tcp_free(struct sim_tcp *tcp);

void sim_tcp_input(
    struct sim_tcp *tcp, const struct sim_segment *segment, uint64_t now_ns);

/* Timers, what the application reads, and what may be sent. */
void sim_tcp_run(struct sim_tcp *tcp, uint64_t now_ns);

/* When it has to run again, if nothing comes in. */
uint64_t sim_tcp_next(const struct sim_tcp *tcp);

/* Both FINs have come and gone, or it was reset. */
bool sim_tcp_done(const struct sim_tcp *tcp);

/* A RST instead of a FIN. */
void sim_tcp_abort(struct sim_tcp *tcp);

#endif
