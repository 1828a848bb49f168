/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * One hash table serves both directions: a connection has two nodes, 2 x index
 * + direction, under the hashes of its two tuples.  The hash is seeded at
 * random, so that nobody can aim at one place.
 *
 * Life-cycle
 *
 *	add ▸ half-open ▸ open ▸ closed ▸ remove
 *
 * The class follows the TCP state and decides what may be evicted; the timer
 * follows it too.  A packet of an established connection only writes the new
 * deadline into the connection; the wheel learns of it when it asks.
 *
 * Synchronization
 *
 * One worker owns the table.  What a packet changes in a connection it changes
 * under the undo slot of the region; adding and removing are one store of
 *`use`, and the hints need nothing.  Nor do the private indexes, which are made
 * anew at start.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/pipeline/conntrack.h"

#include <string.h>

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/wire.h"

/* A tuple that a connection is looked for by. */
struct search {
	uint64_t addresses; /* as in struct lp_conn; 0: IPv6 */
	uint32_t ports;
	uint32_t hash;
	uint32_t at; /* where in the table to go on */
	uint8_t flags; /* LP_CONN_INLINE: that the connection must have it */
	const uint8_t *src; /* the addresses in full, if of IPv6 */
	const uint8_t *dst;
};

static void search_packet(
    const struct lp_conntrack *, const struct lp_pkt *, struct search *);
static uint32_t hash_of(const struct lp_conntrack *, uint32_t);
static inline void hash(const struct lp_conntrack *, struct search *);
static uint32_t hash_ipv6(const struct lp_conntrack *, const struct search *);
static void prefetch(const struct lp_conntrack *, const struct search *);
static uint32_t find(
    const struct lp_conntrack *, const struct search *, enum lp_direction *);
static bool matches(
    const struct lp_conn *, enum lp_direction, const struct search *);
static void set_expiry(struct lp_conn *, uint8_t, uint32_t);
static void follow_state(struct lp_conntrack *, uint32_t);
static void recover(struct lp_region *);
static void rebuild(struct lp_conntrack *);
static void insert(struct lp_conntrack *, uint32_t);
static void set_wire(struct lp_conn *);
static uint64_t wire_addresses(const struct lp_ip *, const struct lp_ip *);
static uint32_t wire_ports(uint16_t, uint16_t);
static uint32_t timeout_of(const struct lp_conn *);
static uint32_t deadline_of(const struct lp_conn *);
static void count_table(struct lp_conntrack *);

void
lp_conntrack_carve(
    struct lp_conntrack *conntrack, struct lp_arena *arena, uint32_t count)
{
	lp_table_carve(&conntrack->table, arena, 2 * count);
	conntrack->free = lp_arena_take(arena, count, sizeof(uint32_t));
	conntrack->class = lp_arena_take(arena, count, sizeof(uint8_t));
	conntrack->links.older = lp_arena_take(arena, count, sizeof(uint32_t));
	conntrack->links.newer = lp_arena_take(arena, count, sizeof(uint32_t));
	lp_wheel_carve(&conntrack->wheel, arena, count);
	lp_nat_carve(&conntrack->nat, arena);
}

void
lp_conntrack_init(struct lp_conntrack *conntrack, struct lp_region *region,
    uint64_t seed, uint32_t now_s)
{
	uint32_t count = region->header->connection_count;

	assert(count == conntrack->wheel.count);
	conntrack->region = region;
	conntrack->stats = region->stats;
	conntrack->seed = seed;
	conntrack->free_count = 0;
	conntrack->serial = 0;
	conntrack->half_open_max = count / LP_HALF_OPEN_SHARE;
	if (conntrack->half_open_max > LP_HALF_OPEN_MAX)
		conntrack->half_open_max = LP_HALF_OPEN_MAX;
	lp_table_init(&conntrack->table);
	for (unsigned i = 0; i < LP_CLASSES; i++)
		lp_fifo_init(&conntrack->classes[i]);
	lp_wheel_init(&conntrack->wheel, now_s);
	lp_nat_init(&conntrack->nat, seed);
	recover(region);
	rebuild(conntrack);
}

/*
 * Three passes, so that the misses of a batch overlap: each pass asks for the
 * memory that the next one reads.
 */
void
lp_conntrack_stage(struct lp_conntrack *conntrack, struct lp_batch *batch)
{
	struct search searches[LP_BATCH_MAX];
	struct lp_pkt *ours[LP_BATCH_MAX];
	unsigned count = 0;

	batch->newcomers = false;
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		if (pkt->verdict != LP_UNDECIDED || !(pkt->flags & LP_PKT_TCP))
			continue;
		search_packet(conntrack, pkt, &searches[count]);
		__builtin_prefetch(
		    &conntrack->table.places[searches[count].at]);
		ours[count++] = pkt;
	}
	for (unsigned i = 0; i < count; i++) {
		struct search *search = &searches[i];

		search->at =
		    lp_table_probe(&conntrack->table, search->at, search->hash);
		prefetch(conntrack, search);
	}
	for (unsigned i = 0; i < count; i++) {
		enum lp_direction dir = LP_TO_BROKER;

		ours[i]->conn = find(conntrack, &searches[i], &dir);
		ours[i]->dir = (uint8_t)dir;
		if (ours[i]->conn != LP_CONN_NONE)
			lp_kafka_state_prefetch(
			    &conntrack->region->kafka, ours[i]->conn);
		batch->newcomers |= ours[i]->conn == LP_CONN_NONE ||
		    (ours[i]->tcp_flags & LP_TCP_SYN) != 0;
	}
}

void
lp_conntrack_tuple(const struct lp_pkt *pkt, struct lp_tuple *tuple)
{
	const uint8_t *tcp = pkt->data + pkt->l4_off;

	assert(pkt->flags & LP_PKT_TCP);
	lp_parse_addresses(pkt, &tuple->src, &tuple->dst);
	tuple->sport = lp_get16(tcp + LP_TCP_SRC);
	tuple->dport = lp_get16(tcp + LP_TCP_DST);
	tuple->is_inline = (pkt->flags & LP_PKT_INLINE) != 0;
}

uint32_t
lp_conntrack_find(const struct lp_conntrack *conntrack,
    const struct lp_tuple *tuple, enum lp_direction *dir)
{
	struct search search = {
	    .addresses = wire_addresses(&tuple->src, &tuple->dst),
	    .ports = wire_ports(tuple->sport, tuple->dport),
	    .flags = tuple->is_inline ? LP_CONN_INLINE : 0,
	    .src = tuple->src.bytes,
	    .dst = tuple->dst.bytes};

	hash(conntrack, &search);
	return find(conntrack, &search, dir);
}

static void
search_packet(const struct lp_conntrack *conntrack, const struct lp_pkt *pkt,
    struct search *search)
{
	const uint8_t *ip = pkt->data + pkt->l3_off;

	search->addresses = 0;
	search->flags = pkt->flags & LP_PKT_INLINE ? LP_CONN_INLINE : 0;
	if (pkt->flags & LP_PKT_V6) {
		search->src = ip + LP_IP6_SRC;
		search->dst = ip + LP_IP6_DST;
	} else {
		static_assert(LP_IP4_DST == LP_IP4_SRC + 4, "one load");
		memcpy(&search->addresses, ip + LP_IP4_SRC, 8);
		assert(search->addresses != 0);
	}
	static_assert(LP_TCP_DST == LP_TCP_SRC + 2, "one load");
	memcpy(&search->ports, pkt->data + pkt->l4_off + LP_TCP_SRC, 4);
	hash(conntrack, search);
}

static uint32_t
hash_of(const struct lp_conntrack *conntrack, uint32_t node)
{
	const struct lp_conn *conn = lp_conntrack_get(conntrack, node / 2);
	bool client = node % 2 == LP_TO_BROKER;
	struct search search = {.addresses = conn->wire_addresses[node % 2],
	    .ports = conn->wire_ports[node % 2],
	    .src = client ? conn->client_ip.bytes : conn->broker_ip.bytes,
	    .dst = client ? conn->vip_ip.bytes : conn->source_ip.bytes};

	hash(conntrack, &search);
	return search.hash;
}

static inline void
hash(const struct lp_conntrack *conntrack, struct search *search)
{
	uint64_t v4[2] = {search->addresses, search->ports};

	search->hash = search->addresses != 0
	    ? (uint32_t)XXH3_64bits_withSeed(v4, sizeof(v4), conntrack->seed)
	    : hash_ipv6(conntrack, search);
	search->at = search->hash & conntrack->table.mask;
}

static uint32_t
hash_ipv6(const struct lp_conntrack *conntrack, const struct search *search)
{
	uint8_t bytes[36];

	memcpy(bytes, search->src, 16);
	memcpy(bytes + 16, search->dst, 16);
	memcpy(bytes + 32, &search->ports, 4);
	return (uint32_t)XXH3_64bits_withSeed(
	    bytes, sizeof(bytes), conntrack->seed);
}

static void
prefetch(const struct lp_conntrack *conntrack, const struct search *search)
{
	uint32_t node = conntrack->table.places[search->at].value;
	const struct lp_conn *conn;

	if (node == LP_TABLE_NONE)
		return;
	conn = lp_conntrack_get(conntrack, node / 2);
	__builtin_prefetch(&conn->tcp);
	__builtin_prefetch(&conn->wire_addresses);
	if (search->addresses == 0)
		__builtin_prefetch(&conn->client_ip);
}

static uint32_t
find(const struct lp_conntrack *conntrack, const struct search *search,
    enum lp_direction *dir)
{
	for (uint32_t at = search->at;; at++) {
		uint32_t node;

		at = lp_table_probe(&conntrack->table, at, search->hash);
		node = conntrack->table.places[at].value;
		if (node == LP_TABLE_NONE)
			return LP_CONN_NONE;
		if (matches(lp_conntrack_get(conntrack, node / 2), node % 2,
			search)) {
			*dir = node % 2;
			return node / 2;
		}
	}
}

static bool
matches(const struct lp_conn *conn, enum lp_direction dir,
    const struct search *search)
{
	bool client = dir == LP_TO_BROKER;

	if (conn->wire_addresses[dir] != search->addresses ||
	    conn->wire_ports[dir] != search->ports ||
	    (conn->flags & LP_CONN_INLINE) != search->flags)
		return false;
	return search->addresses != 0 ||
	    (memcmp(client ? &conn->client_ip : &conn->broker_ip, search->src,
		 16) == 0 &&
		memcmp(client ? &conn->vip_ip : &conn->source_ip, search->dst,
		    16) == 0);
}

uint32_t
lp_conntrack_add(
    struct lp_conntrack *conntrack, const struct lp_conn *from, uint32_t now_s)
{
	struct lp_conn *conn;
	uint32_t index;

	if (conntrack->free_count == 0)
		return LP_CONN_NONE;
	index = conntrack->free[--conntrack->free_count];
	conn = lp_conntrack_get(conntrack, index);
	assert(conn->use == LP_CONN_FREE && from->use == LP_CONN_FREE);
	*conn = *from;
	set_wire(conn);
	conn->opened_s = now_s;
	conn->last_s = now_s;
	conn->serial = ++conntrack->serial;
	conn->expires_s = now_s + timeout_of(conn);
	/* One byte decides: no undo needed. */
	atomic_store_explicit(&conn->use, LP_CONN_USED, memory_order_release);

	insert(conntrack, index);
	lp_count_add(&conntrack->stats->opened, 1);
	return index;
}

void
lp_conntrack_commit(struct lp_conntrack *conntrack, uint32_t index,
    enum lp_tcp_verdict verdict, enum lp_direction dir, uint16_t len,
    uint32_t now_s)
{
	struct lp_conn *conn = lp_conntrack_get(conntrack, index);
	uint8_t was =
	    conntrack->region->undo->copy[offsetof(struct lp_conn, tcp.state)];
	bool unproven = lp_conntrack_unproven(conn);

	assert(conn->use == LP_CONN_USED);
	assert(atomic_load_explicit(&conntrack->region->undo->marked,
		   memory_order_relaxed) == index + 1);
	conn->packets[dir]++;
	conn->bytes[dir] += len;
	conn->last_s = now_s;
	if (verdict == LP_TCP_OK)
		set_expiry(conn, was, now_s);
	lp_region_end(conntrack->region);
	if (was != conn->tcp.state || unproven != lp_conntrack_unproven(conn))
		follow_state(conntrack, index);
}

void
lp_conntrack_remove(struct lp_conntrack *conntrack, uint32_t index)
{
	struct lp_conn *conn = lp_conntrack_get(conntrack, index);

	assert(conn->use == LP_CONN_USED);
	if (conntrack->removing != NULL)
		conntrack->removing(conntrack->removing_arg, index);
	for (uint32_t node = index * 2; node < index * 2 + 2; node++)
		lp_table_remove(
		    &conntrack->table, hash_of(conntrack, node), node);
	lp_wheel_remove(&conntrack->wheel, index);
	lp_fifo_remove(&conntrack->classes[conntrack->class[index]],
	    conntrack->links, index);
	if (conn->flags & LP_CONN_NAT_PORT)
		lp_nat_give(&conntrack->nat, &conn->source_ip, &conn->broker_ip,
		    conn->broker_port, conn->source_port);
	lp_count_set(&conntrack->region->endpoints[conn->counters].open,
	    lp_count_get(&conntrack->region->endpoints[conn->counters].open) -
		1);
	/* As it began. */
	atomic_store_explicit(&conn->use, LP_CONN_FREE, memory_order_release);
	conntrack->free[conntrack->free_count++] = index;
	count_table(conntrack);
}

void
lp_conntrack_forget(struct lp_conntrack *conntrack, struct lp_batch *batch,
    uint32_t index, enum lp_reason why)
{
	lp_conntrack_remove(conntrack, index);
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		/* What leaves is its last: in its order, and copied as its. */
		if (pkt->conn != index || pkt->verdict == LP_FORWARD)
			continue;
		pkt->conn = LP_CONN_NONE;
		if (pkt->verdict == LP_UNDECIDED &&
		    !(pkt->flags & LP_PKT_INLINE))
			lp_pkt_drop(pkt, why);
	}
}

uint32_t
lp_conntrack_oldest(
    const struct lp_conntrack *conntrack, enum lp_conn_class class)
{
	static_assert((unsigned)LP_FIFO_NONE == (unsigned)LP_CONN_NONE, "");

	return conntrack->classes[class].oldest;
}

uint32_t
lp_conntrack_expired(struct lp_conntrack *conntrack, uint32_t now_s)
{
	for (unsigned i = 0; i < LP_EXPIRE_STEP; i++) {
		uint32_t index = lp_wheel_pop(&conntrack->wheel, now_s);
		const struct lp_conn *conn;
		uint32_t deadline_s;

		if (index == LP_WHEEL_NONE)
			break;
		conn = lp_conntrack_get(conntrack, index);
		deadline_s = deadline_of(conn);
		if ((int32_t)(now_s - deadline_s) > 0)
			return index;
		lp_wheel_put(&conntrack->wheel, index, deadline_s);
	}
	return LP_CONN_NONE;
}

/* After a segment within the window. */
static void
set_expiry(struct lp_conn *conn, uint8_t was, uint32_t now_s)
{
	uint8_t state = conn->tcp.state;

	if (state == LP_TCP_ESTABLISHED && !lp_conntrack_unproven(conn)) {
		conn->expires_s = now_s + LP_TIMEOUT_ESTABLISHED_S;
		return;
	}
	/* First, or not knowing of the client's: TIME-WAIT is its. */
	if (state == LP_TCP_FIN_RECEIVED || state == LP_TCP_CLOSING)
		conn->flags |= LP_CONN_BROKER_CLOSED;
	/* What is over stays over: late segments do not renew it. */
	if (was != state || lp_conntrack_class(conn) != LP_CLASS_CLOSED)
		conn->expires_s = now_s + timeout_of(conn);
}

/* Wheel and queue of a connection whose state has changed. */
static void
follow_state(struct lp_conntrack *conntrack, uint32_t index)
{
	const struct lp_conn *conn = lp_conntrack_get(conntrack, index);
	enum lp_conn_class class = lp_conntrack_class(conn);

	lp_wheel_put(&conntrack->wheel, index, conn->expires_s);
	if (class == conntrack->class[index])
		return;
	lp_fifo_remove(&conntrack->classes[conntrack->class[index]],
	    conntrack->links, index);
	lp_fifo_add(&conntrack->classes[class], conntrack->links, index);
	conntrack->class[index] = (uint8_t) class;
	count_table(conntrack);
}

/* A process died within a change: the connection is as it was before. */
static void
recover(struct lp_region *region)
{
	uint32_t marked =
	    atomic_load_explicit(&region->undo->marked, memory_order_acquire);

	if (marked == 0)
		return;
	if (marked <= region->header->connection_count)
		memcpy(&region->connections[marked - 1], region->undo->copy,
		    LP_CONN_CHANGING);
	atomic_store_explicit(&region->undo->marked, 0, memory_order_release);
}

static void
rebuild(struct lp_conntrack *conntrack)
{
	struct lp_region *region = conntrack->region;

	for (uint32_t i = 0; i < LP_ENDPOINTS_MAX; i++)
		lp_count_set(&region->endpoints[i].open, 0);
	/* From the end, so that the stack hands out low places first. */
	for (uint32_t i = region->header->connection_count; i-- > 0;) {
		struct lp_conn *conn = &region->connections[i];

		if (conn->use == LP_CONN_USED &&
		    (conn->flags & LP_CONN_NAT_PORT) &&
		    !lp_nat_claim(&conntrack->nat, &conn->source_ip,
			&conn->broker_ip, conn->broker_port, conn->source_port))
			conn->use = LP_CONN_FREE;
		if (conn->use != LP_CONN_USED) {
			conntrack->free[conntrack->free_count++] = i;
			continue;
		}
		/* Next hops and slots are private to a process. */
		conn->wire_slot = 0;
		conn->nexthop[LP_TO_BROKER] = 0;
		conn->nexthop[LP_TO_CLIENT] = 0;
		set_wire(conn);
		if ((int32_t)(conn->serial - conntrack->serial) > 0)
			conntrack->serial = conn->serial;
		insert(conntrack, i);
	}
	count_table(conntrack);
}

/* Into table, wheel and queue; the connection is complete. */
static void
insert(struct lp_conntrack *conntrack, uint32_t index)
{
	const struct lp_conn *conn = lp_conntrack_get(conntrack, index);
	enum lp_conn_class class = lp_conntrack_class(conn);

	for (uint32_t node = index * 2; node < index * 2 + 2; node++)
		lp_table_add(&conntrack->table, hash_of(conntrack, node), node);
	conntrack->class[index] = (uint8_t) class;
	lp_fifo_add(&conntrack->classes[class], conntrack->links, index);
	lp_wheel_put(&conntrack->wheel, index, conn->expires_s);
	assert(conn->counters < LP_ENDPOINTS_MAX);
	lp_count_add(&conntrack->region->endpoints[conn->counters].open, 1);
	count_table(conntrack);
}

/* What follows from addresses and ports, for the packets. */
static void
set_wire(struct lp_conn *conn)
{
	uint64_t diff;

	conn->wire_addresses[LP_TO_BROKER] =
	    wire_addresses(&conn->client_ip, &conn->vip_ip);
	conn->wire_addresses[LP_TO_CLIENT] =
	    wire_addresses(&conn->broker_ip, &conn->source_ip);
	conn->wire_ports[LP_TO_BROKER] =
	    wire_ports(conn->client_port, conn->vip_port);
	conn->wire_ports[LP_TO_CLIENT] =
	    wire_ports(conn->broker_port, conn->source_port);
	diff =
	    lp_sum_replace(0, conn->client_ip.bytes, conn->source_ip.bytes, 16);
	diff =
	    lp_sum_replace(diff, conn->vip_ip.bytes, conn->broker_ip.bytes, 16);
	conn->sum_addresses = lp_sum_word(diff);
	diff = lp_sum_replace16(diff, conn->client_port, conn->source_port);
	diff = lp_sum_replace16(diff, conn->vip_port, conn->broker_port);
	conn->sum_all = lp_sum_word(diff);
}

static uint64_t
wire_addresses(const struct lp_ip *src, const struct lp_ip *dst)
{
	uint64_t addresses = 0;

	if (lp_ip_is_v4(src) && lp_ip_is_v4(dst)) {
		memcpy(&addresses, lp_ip_v4(src), 4);
		memcpy((uint8_t *)&addresses + 4, lp_ip_v4(dst), 4);
	}
	return addresses;
}

static uint32_t
wire_ports(uint16_t sport, uint16_t dport)
{
	uint16_t ports[2] = {htobe16(sport), htobe16(dport)};
	uint32_t both;

	memcpy(&both, ports, sizeof(both));
	return both;
}

static uint32_t
timeout_of(const struct lp_conn *conn)
{
	switch (lp_conntrack_class(conn)) {
	case LP_CLASS_HALF_OPEN:
		return LP_TIMEOUT_HALF_OPEN_S;
	case LP_CLASS_CLOSED:
		return conn->tcp.state == LP_TCP_TIME_WAIT &&
			(conn->flags & LP_CONN_BROKER_CLOSED)
		    ? LP_TIMEOUT_QUARANTINE_S
		    : LP_TIMEOUT_CLOSED_S;
	default:
		return conn->tcp.state == LP_TCP_ESTABLISHED
		    ? LP_TIMEOUT_ESTABLISHED_S
		    : LP_TIMEOUT_CLOSING_S;
	}
}

/*
 * Where packets still pass, an established connection lives on even if none
 * of them was inside the window that we know of: that we lost track is no
 * reason to reset what its ends agree on.
 */
static uint32_t
deadline_of(const struct lp_conn *conn)
{
	uint32_t idle_s = conn->last_s + LP_TIMEOUT_ESTABLISHED_S;

	if (conn->tcp.state == LP_TCP_ESTABLISHED &&
	    !lp_conntrack_unproven(conn) &&
	    (int32_t)(idle_s - conn->expires_s) > 0)
		return idle_s;
	return conn->expires_s;
}

static void
count_table(struct lp_conntrack *conntrack)
{
	struct lp_stats *stats = conntrack->stats;
	uint32_t count = conntrack->region->header->connection_count;

	lp_count_set(&stats->connections, count - conntrack->free_count);
	lp_count_set(&stats->connections_max, count);
	lp_count_set(
	    &stats->half_open, conntrack->classes[LP_CLASS_HALF_OPEN].count);
	lp_count_set(&stats->half_open_max, conntrack->half_open_max);
	lp_count_set(&stats->source_pairs, lp_nat_pairs(&conntrack->nat));
	lp_count_set(&stats->source_pairs_max, LP_SOURCE_PAIRS_MAX);
}
