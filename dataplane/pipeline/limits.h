/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits and timers of the packet path.  All of them, in one place: what the
 * dataplane can hold and how long it waits can be read off this page.
 */
#ifndef LP_PIPELINE_LIMITS_H
#define LP_PIPELINE_LIMITS_H

#include "proto/limits.h"

enum {
	/* Packets in one turn of the pipeline. */
	LP_BATCH_MAX = 32,
	/* Packets that one turn may make itself (RST, ARP, released ones). */
	LP_OUTBOX_MAX = 128,

	/* One packet is one buffer; metadata and headroom come out of it. */
	LP_BUFFER_SIZE = 2048,
	LP_BUFFERS_DEFAULT = 16384,
	LP_BUFFERS_MIN = 4096,
	LP_BUFFERS_MAX = 1 << 20,
	LP_BUFFER_HEADROOM = 256, /* XDP_PACKET_HEADROOM */
	/* In front of the packet, for the steering program. */
	LP_PORT_META_SIZE = 16,
	LP_PORT_QUEUES_MAX = 64,
	/*
	 * IPv6 extension headers that are walked over before giving up; the
	 * steering program has to walk as far (steer.h).
	 */
	LP_EXTENSIONS_MAX = 4,
	LP_MTU_MIN = 1280,
	LP_MTU_MAX = LP_BUFFER_SIZE - LP_BUFFER_HEADROOM - 18,

	/*
	 * Places of a snapshot's table of own addresses: a power of two, at
	 * least twice the addresses of all ports, listeners and endpoints.
	 */
	LP_OWN_SIZE = 16384,
	/* Multicast groups of those addresses. */
	LP_GROUPS_MAX = LP_OWN_SIZE / 2,

	LP_CONNECTIONS_DEFAULT = 65536,
	LP_CONNECTIONS_MIN = 64,
	LP_CONNECTIONS_MAX = 1 << 22,
	/*
	 * Half-open connections: one in so many places of the table, and no
	 * more than half of the source ports towards one broker, which a
	 * flood of SYNs would take from those that mean it.
	 */
	LP_HALF_OPEN_SHARE = 4,
	LP_HALF_OPEN_MAX = 32256,
	/* One in so many places that inline connections leave to VIPs. */
	LP_VIP_SHARE = 4,

	LP_NEIGHBORS_MAX = 1024,
	LP_NEIGHBOR_QUEUE_MAX = 4, /* packets that wait for one next hop */
	LP_NEIGHBOR_PROBES_MAX = 3,

	/*
	 * Packets that wait for room in a port (queue.h): one in so many of the
	 * buffers, and no more than that; in one queue.
	 */
	LP_QUEUE_BUFFERS = 8,
	LP_QUEUE_PACKETS_MAX = 2048,
	LP_QUEUE_LEN = 256,
	/* Of so many bytes of higher ones a lower one is owed one. */
	LP_QUEUE_PART = 16,
	LP_QUEUE_MS = 1000, /* waited so long, it is given up */
	/*
	 * Where rules say priority= no more than that are in the ring of a port
	 * that can tell: what is in there is in nobody's order but its own.
	 */
	LP_QUEUE_RING = 256,
	LP_QUEUE_ANY = 1 << 30,
	/* Turns in which a port takes nothing, until a worker may sleep. */
	LP_QUEUE_STILL = 256,

	/* Source ports of a translated connection, RFC 6056: 1024..65535. */
	LP_SOURCE_PORT_MIN = 1024,
	LP_SOURCE_PORTS = 64512,
	/* (own address, broker endpoint) pairs with ports in use. */
	LP_SOURCE_PAIRS_MAX = 4096,

	/*
	 * Kafka statistics (dataplane/kafka/kafka_stats.h).  Rows of listener,
	 * broker, API, origin and kind; topics and clients that have counters
	 * of their own.
	 */
	LP_KAFKA_ROWS_MAX = 4096,
	LP_KAFKA_TALKERS_MAX = 512,
	/* Brokers as answers list them, and what else they show. */
	LP_SIGHTINGS_MAX = 4096,

	/*
	 * The worker tells the steering programs that it lives.  One that has
	 * not said so for longer than the second is dead.
	 */
	LP_BEAT_NS = 200000000,
	LP_DEAD_NS = 2000000000,

	/* A prime, well above 100 x the brokers of a large cluster. */
	LP_MAGLEV_SIZE = 16381,

	/*
	 * Inline: so many segments in a row outside the window show that we
	 * have lost track, not their sender: much has passed unseen.
	 */
	LP_ASTRAY_MAX = 8,

	/*
	 * Of rules (LP_RULES_MAX): slots of their counters, for two generations
	 * that have none in common; combinations of values, and entries of all
	 * (dataplane/pipeline/rules.h).  Tuples of each of its tables: so many
	 * places at most are looked at for one request.  Parts: fields by the
	 * length of prefix.  What is longer than a fact's text is not seen.
	 */
	LP_RULE_SLOTS = 2 * LP_RULES_MAX,
	LP_RULES_COMBINATIONS_MAX = 1024,
	LP_RULES_ENTRIES_MAX = 1 << 21,
	LP_RULES_TUPLES_MAX = 1024,
	LP_RULES_PARTS_MAX = 1024,
	LP_RULES_TEXT_MAX = 255,
	/* Rules that do not decide, told of one request. */
	LP_RULES_SEEN_MAX = 16,
	/*
	 * Buckets of limits (pipeline/buckets.h): of rules themselves, twice
	 * as many as may act, for two generations that have none in common; of
	 * those who ask, where each has one.
	 */
	LP_BUCKETS_OF_RULES = 2 * LP_RULES_LIMITING_MAX,
	LP_BUCKETS_OF_ASKERS = 57344,
	/*
	 * Milliseconds that an end is held for one request: with five under
	 * way (max.in.flight.requests.per.connection) the last one passes
	 * before request.timeout.ms, 30 s; and where heartbeats go by the same
	 * connection, each 3 s, before session.timeout.ms, 10 s.
	 */
	LP_LIMIT_HELD_MS = 5000,
	/*
	 * For an answer, the next of which was not asked for yet, and for a
	 * request of so many bytes: no more than two or three such are begun
	 * on what a socket holds (send.buffer.bytes, 128 kB; Java begins none
	 * before the last one is written).  Less than the 10 s that franz-go
	 * takes to write one.
	 */
	LP_LIMIT_HELD_ALONE_MS = 9000,
	LP_LIMIT_ALONE_BYTES = 1 << 18,
	/* Seconds without use after which one of those may be another's; and
	 * the longest debt, which is paid by then. */
	LP_BUCKETS_IDLE_S = 60,
	LP_BUCKETS_DEBT_S = 60,

	/* RSTs of our own a second, and as a burst. */
	LP_RST_RATE = 10000,
	LP_RST_BURST = 1000,

	/* Connections looked at in one turn after a new generation. */
	LP_SWEEP_STEP = 64,
	/*
	 * Seconds without a move after which who holds what others need is
	 * reset.  A client waits 30 s for an answer (request.timeout.ms).
	 * Linux sends again what was refused here 12.6 s and 25.4 s after the
	 * first time (0.2 s, doubled): with 20 s the latter finds room.
	 */
	LP_STALLED_S = 20,
	/* Timer entries fired in one turn. */
	LP_EXPIRE_STEP = 64,
	/* Window updates in one turn (pace_send.h); more wait for the next. */
	LP_PACE_STEP = 32,
	/* Bytes of a window that are given at once: what a ring holds. */
	LP_PACE_PART = 1 << 18,
	/* Places of a wheel: seconds, or milliseconds; longer timers are
	 * looked at more than once. */
	LP_WHEEL_SLOTS = 8192,
};

/* Seconds.  Established: RFC 5382, REQ-5, 2 h 4 min; transitory: 4 min. */
enum {
	LP_TIMEOUT_HALF_OPEN_S = 30,
	LP_TIMEOUT_ESTABLISHED_S = 7440,
	LP_TIMEOUT_CLOSING_S = 240,
	/* The broker closed first and holds TIME_WAIT: keep the port from use
	 */
	LP_TIMEOUT_QUARANTINE_S = 60,
	/* Closed otherwise: long enough to see the last ACK sent again. */
	LP_TIMEOUT_CLOSED_S = 2,
};

enum {
	LP_NEIGHBOR_REACHABLE_MS = 30000,
	LP_NEIGHBOR_RETRY_MS = 1000,
	LP_NEIGHBOR_FAILED_MS = 3000, /* refuse at once, then try again */
};

#endif
