/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state region: what must survive the packet process.
 *
 * One mapped memfd, laid out at start from the limits, kept by the keeper.
 * Nothing in it is a pointer: everything is an index.  Hash table, wheel and
 * free lists are not in it; they are rebuilt at start by a scan.
 *
 *	header | counters | endpoint counters | rule counters | undo |
 *	connections | ledger |
 *	Kafka's statistics (kafka/kafka_stats.h) and state (kafka/state.h)
 *
 * The worker changes one connection at a time under its undo slot (undo.h):
 * copy, mark, change, unmark.  A slot found marked at start is copied back, so
 * a process killed at any instruction leaves every connection as it was before
 * or after a packet, never between.  A connection begins and ends with one
 * store: that of its use.
 */
#ifndef LP_PIPELINE_REGION_H
#define LP_PIPELINE_REGION_H

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "dataplane/kafka/state.h"
#include "dataplane/pipeline/batch.h"
#include "dataplane/pipeline/limits.h"
#include "dataplane/pipeline/stats.h"
#include "dataplane/pipeline/tcp_state.h"
#include "dataplane/pipeline/undo.h"
#include "proto/address.h"

/* The life of a place in the table of connections. */
enum lp_conn_use {
	LP_CONN_FREE = 0,
	LP_CONN_USED = 1,
};

enum lp_conn_flags {
	/* Source port translated although the source address is preserved. */
	LP_CONN_MOVED_PORT = 1 << 0,
	/* The broker sent its FIN first, or at once: it holds TIME_WAIT. */
	LP_CONN_BROKER_CLOSED = 1 << 1,
	/* Its source port is taken from a pair's bitmap (nat.c). */
	LP_CONN_NAT_PORT = 1 << 2,
	/*
	 * Between two inline ports: its addresses are never changed, and all
	 * else only where rules say so.  Its VIP is the
	 * broker itself, its source the client.
	 */
	LP_CONN_INLINE = 1 << 3,
	/* Not seen from its SYN on: where its streams begin is not known. */
	LP_CONN_PICKED_UP = 1 << 4,
	/* Inline: a SYN came although it lives; a SYN-ACK ends it. */
	LP_CONN_SYN_AGAIN = 1 << 5,
	/* Its streams may be changed in passing (splice.h); until it ends. */
	LP_CONN_SPLICED = 1 << 6,
	/* A rule's reset waits for its requests (gate.h). */
	LP_CONN_LATER = 1 << 7,
};

/*
 * A connection, both directions.  Ports in host order.
 *
 *	client ── client:vip ──▶ us ── source:broker ──▶ broker
 *
 * The client is who opened it; inline that may be a broker, too.
 *
 * Four cache lines.  First what a packet changes, then what it reads, then
 * what few packets need: an established IPv4 packet touches two.
 */
struct lp_conn {
	/* LP_CONN_CHANGING bytes: what a packet changes, but for the hints */
	_Alignas(64) struct lp_tcp_track tcp;
	uint8_t flags; /* enum lp_conn_flags */
	uint8_t astray; /* inline: segments in a row that are out of place */
	uint8_t paced; /* 1 << enum lp_direction: who sends so is (pace.h) */
	uint8_t spare[1];
	uint32_t expires_s; /* CLOCK_MONOTONIC */
	uint32_t last_s;
	uint64_t packets[2]; /* by direction, forwarded */
	uint64_t bytes[2]; /* TCP payload */

	/*
	 * The rest of line 1.  First the tuples by direction, as they lie in
	 * the headers of a packet that comes in: source, then destination.
	 */
	uint64_t wire_addresses[2]; /* IPv4; 0: IPv6, see the addresses */
	uint32_t wire_ports[2];
	uint32_t nexthop[2]; /* by direction: serial in neighbor.c; a hint */
	/*
	 * What changes in a checksum (checksum.h) on the way to the broker,
	 * with the ports and without; on the way back its complement.
	 */
	uint16_t sum_addresses;
	uint16_t sum_all;
	uint16_t counters; /* index of its endpoint counters */
	/* enum lp_conn_use; whoever reads it reads the rest after it */
	_Atomic uint8_t use;
	uint8_t dscp; /* 1 + that of its packets (mark.h); 0: their own */
	/* 1 + that of its packets (queue.h); 0: that of all others */
	uint8_t priority;
	uint8_t wire_slot; /* inline, a hint: 1 + that of its client; or 0 */
	uint8_t spare1[2];
	uint32_t mirror_id; /* port that its packets are copied to; 0: none */

	/* line 2: the addresses; only IPv6 packets need them */
	struct lp_ip client_ip;
	struct lp_ip vip_ip;
	struct lp_ip source_ip; /* as the broker sees the client */
	struct lp_ip broker_ip;

	/* line 3: for people and for the end; room for its streams */
	uint32_t opened_s;
	uint32_t listener_id;
	uint32_t broker_id;
	uint32_t serial; /* of this use of the place; shown to people */
	uint16_t client_port;
	uint16_t vip_port;
	uint16_t source_port;
	uint16_t broker_port;
	uint32_t cluster_id;
	/* What rules ask for. */
	uint32_t named_cluster_id; /* its listener's */
	uint32_t port_id; /* that its client's segments came in by at first */
	int32_t node_id;
	/* Inline: the Ethernet addresses of frames, by direction. */
	uint8_t wire_macs[2][12];
};
static_assert(sizeof(struct lp_conn) == 256, "a connection, four lines");
enum { LP_CONN_CHANGING = offsetof(struct lp_conn, wire_addresses) };
static_assert(LP_CONN_CHANGING == 80, "five moves of 16 bytes");

/* Another size is another layout: it takes another LP_REGION_LAYOUT. */
static_assert(sizeof(struct lp_kafka_conn) == 256 &&
	sizeof(struct lp_message) == 1816 && sizeof(struct lp_inflight) == 72 &&
	sizeof(struct lp_walk) == 360 && sizeof(struct lp_stream) == 32 &&
	sizeof(struct lp_splice) == 128 && sizeof(struct lp_edit) == 64 &&
	sizeof(struct lp_pace_conn) == 64 && sizeof(struct lp_said) == 256 &&
	sizeof(struct lp_rule_stats) == 56,
    "raise LP_REGION_LAYOUT with it");

static_assert((unsigned)LP_CONN_CHANGING == LP_UNDO_COPY, "undo.h");

enum {
	LP_REGION_MAGIC = 0x4c50524e, /* "LPRN" */
	LP_REGION_LAYOUT = 14, /* one more with every change of this page */
};

struct lp_region_header {
	uint32_t magic;
	uint32_t layout;
	uint64_t size_bytes;
	uint64_t boot_id; /* random, new with every region */
	uint32_t connection_count;
	uint32_t buffer_count;
	uint64_t stats_off; /* struct lp_stats */
	uint64_t endpoints_off; /* struct lp_endpoint_stats[LP_ENDPOINTS_MAX] */
	uint64_t rules_off; /* struct lp_rule_stats[LP_RULE_SLOTS] */
	uint64_t undo_off; /* struct lp_undo */
	uint64_t connections_off; /* struct lp_conn[connection_count] */
	uint64_t ledger_off; /* uint8_t[buffer_count] */
	uint64_t kafka_stats_off; /* struct lp_kafka_stats */
	uint64_t kafka_off; /* as lp_kafka_state_carve() places it */
	uint32_t kafka_tables; /* whose places the walks in it know */
	uint32_t restarts; /* of the packet process on this region */
	/* No slot of rule counters from here on was ever taken. */
	uint32_t rule_slots;
	uint32_t ready; /* 1 when laid out completely */
};

struct lp_denials;
struct lp_kafka_stats;

/* The region as mapped by this process. */
struct lp_region {
	struct lp_region_header *header;
	struct lp_stats *stats;
	struct lp_endpoint_stats *endpoints;
	struct lp_rule_stats *rules; /* LP_RULE_SLOTS, by slot */
	struct lp_undo *undo;
	struct lp_conn *connections;
	uint8_t *ledger;
	struct lp_kafka_stats *kafka_stats; /* kafka/kafka_stats.h */
	struct lp_kafka_state kafka;
	/* Not of the region, but of its packet path; NULL: nobody reads. */
	struct lp_denials *denials;
};

/*
 * Brackets a change of one connection, which may be of its first
 * LP_CONN_CHANGING bytes.  The fences keep the compiler's stores in order:
 * after SIGKILL the memory is as some prefix of them.  Adding and removing need
 * no bracket: `use` is stored last.
 */
static inline struct lp_conn *
lp_region_begin(struct lp_region *region, uint32_t index)
{
	struct lp_undo *undo = region->undo;

	assert(index < region->header->connection_count);
	assert(atomic_load_explicit(&undo->marked, memory_order_relaxed) == 0);
	memcpy(undo->copy, &region->connections[index], LP_CONN_CHANGING);
	undo->logging = LP_UNDO_PLAIN;
	undo->log_len = 0;
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&undo->marked, index + 1, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	return &region->connections[index];
}

/* The same with a log (undo.h), from the first moment on. */
static inline struct lp_conn *
lp_region_begin_logged(struct lp_region *region, uint32_t index)
{
	struct lp_undo *undo = region->undo;

	assert(index < region->header->connection_count);
	assert(atomic_load_explicit(&undo->marked, memory_order_relaxed) == 0);
	memcpy(undo->copy, &region->connections[index], LP_CONN_CHANGING);
	undo->logging = LP_UNDO_LOGGED;
	undo->log_len = 0;
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&undo->marked, index + 1, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
	return &region->connections[index];
}

static inline void
lp_region_end(struct lp_region *region)
{
	assert(atomic_load_explicit(
		   &region->undo->marked, memory_order_relaxed) != 0);
	atomic_store_explicit(&region->undo->marked, 0, memory_order_release);
	atomic_signal_fence(memory_order_seq_cst);
}

#endif
