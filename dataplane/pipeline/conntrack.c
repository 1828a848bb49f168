/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * One hash table serves both directions: a connection has two nodes, 2 x index
 * + direction, each at or soon after the place that its tuple's hash says.  At
 * most half of the places are taken, and a place has the whole hash beside the
 * node: so a search reads one cache line of the table, and of connections only
 * the one that it looks for.  The hash is seeded at random, so that nobody can
 * aim at one place.  Deletion closes the gap (Knuth, 6.4, algorithm R).
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
 * One worker owns the table.  A connection is changed under the undo slot of
 * the region; the private indexes need none, they are made anew at start.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/pipeline/conntrack.h"

#include <string.h>

#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/wire.h"

static bool is_ours(const struct lp_pkt *);
static void prefetch(const struct lp_conntrack *, uint32_t);
static uint32_t find_from(const struct lp_conntrack *, uint32_t, uint32_t,
    const struct lp_tuple *, enum lp_direction *);
static uint32_t locate(const struct lp_conntrack *, uint32_t, uint32_t);
static void recover(struct lp_region *);
static void rebuild(struct lp_conntrack *);
static void insert(struct lp_conntrack *, uint32_t);
static void insert_node(struct lp_conntrack *, uint32_t);
static void remove_node(struct lp_conntrack *, uint32_t);
static uint32_t hash_of(const struct lp_conntrack *, const struct lp_tuple *);
static void tuple_of(
    const struct lp_conn *, enum lp_direction, struct lp_tuple *);
static enum lp_conn_class class_of(uint8_t);
static uint32_t timeout_of(const struct lp_conn *);
static uint32_t deadline_of(const struct lp_conn *);
static void count_table(struct lp_conntrack *);

void
lp_conntrack_carve(
    struct lp_conntrack *conntrack, struct lp_arena *arena, uint32_t count)
{
	uint32_t places = 1;

	/* Two nodes a connection, and as many places again stay free. */
	while (places < 4 * count)
		places *= 2;
	conntrack->place_mask = places - 1;
	conntrack->places =
	    lp_arena_take(arena, places, sizeof(*conntrack->places));
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
	static_assert((unsigned)LP_NODE_NONE == UINT32_MAX, "all ones");
	memset(conntrack->places, 0xff,
	    (conntrack->place_mask + 1ul) * sizeof(*conntrack->places));
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
	struct lp_tuple tuples[LP_BATCH_MAX];
	uint32_t at[LP_BATCH_MAX];

	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];

		if (!is_ours(pkt))
			continue;
		lp_conntrack_tuple(pkt, &tuples[i]);
		pkt->hash = hash_of(conntrack, &tuples[i]);
		at[i] = pkt->hash & conntrack->place_mask;
		__builtin_prefetch(&conntrack->places[at[i]]);
	}
	for (unsigned i = 0; i < batch->count; i++) {
		const struct lp_pkt *pkt = &batch->pkts[i];

		if (!is_ours(pkt))
			continue;
		at[i] = locate(conntrack, at[i], pkt->hash);
		prefetch(conntrack, conntrack->places[at[i]].node);
	}
	for (unsigned i = 0; i < batch->count; i++) {
		struct lp_pkt *pkt = &batch->pkts[i];
		enum lp_direction dir = LP_TO_BROKER;

		if (!is_ours(pkt))
			continue;
		pkt->conn =
		    find_from(conntrack, at[i], pkt->hash, &tuples[i], &dir);
		pkt->dir = (uint8_t)dir;
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
}

uint32_t
lp_conntrack_find(const struct lp_conntrack *conntrack,
    const struct lp_tuple *tuple, enum lp_direction *dir)
{
	uint32_t hash = hash_of(conntrack, tuple);

	return find_from(
	    conntrack, hash & conntrack->place_mask, hash, tuple, dir);
}

static bool
is_ours(const struct lp_pkt *pkt)
{
	return pkt->verdict == LP_UNDECIDED && (pkt->flags & LP_PKT_TCP);
}

static void
prefetch(const struct lp_conntrack *conntrack, uint32_t node)
{
	const struct lp_conn *conn;

	if (node == LP_NODE_NONE)
		return;
	conn = lp_conntrack_get(conntrack, node / 2);
	__builtin_prefetch(&conn->tcp);
	__builtin_prefetch(&conn->client_port);
	__builtin_prefetch(&conn->client_ip);
}

/* From that place on, which is the hash's or one behind it. */
static uint32_t
find_from(const struct lp_conntrack *conntrack, uint32_t at, uint32_t hash,
    const struct lp_tuple *tuple, enum lp_direction *dir)
{
	for (;; at = (at + 1) & conntrack->place_mask) {
		struct lp_tuple other;
		uint32_t node;

		at = locate(conntrack, at, hash);
		node = conntrack->places[at].node;
		if (node == LP_NODE_NONE)
			return LP_CONN_NONE;
		tuple_of(
		    lp_conntrack_get(conntrack, node / 2), node % 2, &other);
		if (memcmp(&other, tuple, sizeof(other)) == 0) {
			*dir = node % 2;
			return node / 2;
		}
	}
}

/* The first place from that one on that has the hash, or is free. */
static uint32_t
locate(const struct lp_conntrack *conntrack, uint32_t at, uint32_t hash)
{
	const struct lp_conntrack_place *places = conntrack->places;

	while (places[at].hash != hash && places[at].node != LP_NODE_NONE)
		at = (at + 1) & conntrack->place_mask;
	return at;
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
	conn->opened_s = now_s;
	conn->last_s = now_s;
	conn->serial = ++conntrack->serial;
	conn->expires_s = now_s + timeout_of(conn);
	/* One byte decides: no undo needed. */
	atomic_signal_fence(memory_order_seq_cst);
	conn->use = LP_CONN_USED;

	insert(conntrack, index);
	lp_count_add(&conntrack->stats->opened, 1);
	return index;
}

void
lp_conntrack_commit(struct lp_conntrack *conntrack, uint32_t index,
    const struct lp_tcp_track *track, enum lp_direction dir, uint16_t len,
    uint32_t now_s)
{
	struct lp_conn *conn = lp_region_begin(conntrack->region, index);
	uint8_t was = conn->tcp.state;
	enum lp_conn_class class;

	assert(conn->use == LP_CONN_USED);
	conn->packets[dir]++;
	conn->bytes[dir] += len;
	conn->last_s = now_s;
	if (track != NULL) {
		conn->tcp = *track;
		/* First, or not knowing of the client's: TIME-WAIT is its. */
		if (track->state == LP_TCP_FIN_RECEIVED ||
		    track->state == LP_TCP_CLOSING)
			conn->flags |= LP_CONN_BROKER_CLOSED;
		/* What is over stays over: late segments do not renew it. */
		if (was != track->state ||
		    class_of(track->state) != LP_CLASS_CLOSED)
			conn->expires_s = now_s + timeout_of(conn);
	}
	lp_region_end(conntrack->region);

	if (was == conn->tcp.state)
		return;
	lp_wheel_put(&conntrack->wheel, index, conn->expires_s);
	class = class_of(conn->tcp.state);
	if (class != conntrack->class[index]) {
		lp_fifo_remove(&conntrack->classes[conntrack->class[index]],
		    conntrack->links, index);
		lp_fifo_add(
		    &conntrack->classes[class], conntrack->links, index);
		conntrack->class[index] = (uint8_t) class;
		count_table(conntrack);
	}
}

void
lp_conntrack_remove(struct lp_conntrack *conntrack, uint32_t index)
{
	struct lp_conn *conn = lp_conntrack_get(conntrack, index);

	assert(conn->use == LP_CONN_USED);
	remove_node(conntrack, index * 2 + LP_TO_BROKER);
	remove_node(conntrack, index * 2 + LP_TO_CLIENT);
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
	atomic_signal_fence(memory_order_seq_cst);
	conn->use = LP_CONN_FREE;
	atomic_signal_fence(memory_order_seq_cst);
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

		if (pkt->conn != index)
			continue;
		pkt->conn = LP_CONN_NONE;
		if (pkt->verdict == LP_UNDECIDED)
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
		/* Next hops are private to a process. */
		conn->nexthop[LP_TO_BROKER] = 0;
		conn->nexthop[LP_TO_CLIENT] = 0;
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
	enum lp_conn_class class = class_of(conn->tcp.state);

	insert_node(conntrack, index * 2 + LP_TO_BROKER);
	insert_node(conntrack, index * 2 + LP_TO_CLIENT);
	conntrack->class[index] = (uint8_t) class;
	lp_fifo_add(&conntrack->classes[class], conntrack->links, index);
	lp_wheel_put(&conntrack->wheel, index, conn->expires_s);
	assert(conn->counters < LP_ENDPOINTS_MAX);
	lp_count_add(&conntrack->region->endpoints[conn->counters].open, 1);
	count_table(conntrack);
}

static void
insert_node(struct lp_conntrack *conntrack, uint32_t node)
{
	struct lp_tuple tuple;
	uint32_t hash, at;

	tuple_of(lp_conntrack_get(conntrack, node / 2), node % 2, &tuple);
	hash = hash_of(conntrack, &tuple);
	at = hash & conntrack->place_mask;
	while (conntrack->places[at].node != LP_NODE_NONE)
		at = (at + 1) & conntrack->place_mask;
	conntrack->places[at] =
	    (struct lp_conntrack_place){.hash = hash, .node = node};
}

/* Empties its place and moves up those that probed past it. */
static void
remove_node(struct lp_conntrack *conntrack, uint32_t node)
{
	struct lp_conntrack_place *places = conntrack->places;
	uint32_t mask = conntrack->place_mask;
	struct lp_tuple tuple;
	uint32_t hole, at;

	tuple_of(lp_conntrack_get(conntrack, node / 2), node % 2, &tuple);
	hole = hash_of(conntrack, &tuple) & mask;
	while (places[hole].node != node) {
		assert(places[hole].node != LP_NODE_NONE);
		hole = (hole + 1) & mask;
	}
	for (at = (hole + 1) & mask; places[at].node != LP_NODE_NONE;
	     at = (at + 1) & mask) {
		/* Stays if its home lies cyclically in (hole, at]. */
		if (((at - places[at].hash) & mask) < ((at - hole) & mask))
			continue;
		places[hole] = places[at];
		hole = at;
	}
	places[hole].node = LP_NODE_NONE;
}

static uint32_t
hash_of(const struct lp_conntrack *conntrack, const struct lp_tuple *tuple)
{
	return (uint32_t)XXH3_64bits_withSeed(
	    tuple, sizeof(*tuple), conntrack->seed);
}

static void
tuple_of(
    const struct lp_conn *conn, enum lp_direction dir, struct lp_tuple *tuple)
{
	if (dir == LP_TO_BROKER)
		*tuple = (struct lp_tuple){conn->client_ip, conn->vip_ip,
		    conn->client_port, conn->vip_port};
	else
		*tuple = (struct lp_tuple){conn->broker_ip, conn->source_ip,
		    conn->broker_port, conn->source_port};
}

static enum lp_conn_class
class_of(uint8_t state)
{
	if (lp_tcp_state_half_open(state))
		return LP_CLASS_HALF_OPEN;
	if (state == LP_TCP_TIME_WAIT || state == LP_TCP_CLOSED)
		return LP_CLASS_CLOSED;
	return LP_CLASS_OPEN;
}

static uint32_t
timeout_of(const struct lp_conn *conn)
{
	switch (class_of(conn->tcp.state)) {
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
