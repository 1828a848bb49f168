/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/trace_known.h"

#include <endian.h>
#include <string.h>

#include "dataplane/report.h"

enum {
	COPY_TRIES = 10,
	/* Of an entry: all but its queue. */
	HOP_WORDS = offsetof(struct lp_neighbor, queue) / sizeof(uint64_t),
};

static bool may_be_wanted(
    const struct lp_conn *conn, const struct lp_tuple tuples[], unsigned count);
static bool wanted(const struct lp_conn *conn, const struct lp_tuple *tuple);
static bool copy_hop(struct lp_neighbor *out, const struct lp_neighbor *entry);
static void racy_copy(uint64_t to[], const struct lp_neighbor *from);

void
lp_trace_known_connections(const struct lp_region *region,
    const struct lp_tuple tuples[], unsigned count, lp_trace_known_conn *each,
    void *arg)
{
	uint32_t connections = region->header->connection_count;
	struct lp_conn conn;

	for (uint32_t i = 0; count > 0 && i < connections; i++) {
		unsigned n = 0;

		if (!may_be_wanted(&region->connections[i], tuples, count) ||
		    !lp_report_connections_copy(region, i, &conn))
			continue;
		while (n < count && !wanted(&conn, &tuples[n]))
			n++;
		if (n < count)
			each(arg, &conn);
	}
}

void
lp_trace_known_neighbors(
    const struct lp_neighbors *neighbors, lp_trace_known_hop *each, void *arg)
{
	struct lp_neighbor hop;

	for (unsigned i = 0; i < LP_NEIGHBORS_MAX; i++)
		if (copy_hop(&hop, &neighbors->entries[i]))
			each(arg, &hop);
}

/*
 * A look at one cache line, so that a table of millions does not hold up
 * control: what does not have these ports at this moment is not wanted.
 */
static __attribute__((no_sanitize("thread"))) bool
may_be_wanted(
    const struct lp_conn *conn, const struct lp_tuple tuples[], unsigned count)
{
	const volatile uint32_t *has = conn->wire_ports;

	for (unsigned i = 0; i < count; i++) {
		const uint16_t ports[2] = {
		    htobe16(tuples[i].sport), htobe16(tuples[i].dport)};
		uint32_t word;

		memcpy(&word, ports, sizeof(word));
		if (has[LP_TO_BROKER] == word || has[LP_TO_CLIENT] == word)
			return true;
	}
	return false;
}

/* As it comes in: from the client to the VIP, or from the broker to us. */
static bool
wanted(const struct lp_conn *conn, const struct lp_tuple *tuple)
{
	if (tuple->sport == conn->client_port &&
	    tuple->dport == conn->vip_port &&
	    lp_ip_equal(&tuple->src, &conn->client_ip) &&
	    lp_ip_equal(&tuple->dst, &conn->vip_ip))
		return true;
	return tuple->sport == conn->broker_port &&
	    tuple->dport == conn->source_port &&
	    lp_ip_equal(&tuple->src, &conn->broker_ip) &&
	    lp_ip_equal(&tuple->dst, &conn->source_ip);
}

/*
 * An entry has no undo slot: two copies that are equal and make sense are
 * taken for whole.  The worst of it is a trace that names a wrong MAC.
 */
static bool
copy_hop(struct lp_neighbor *out, const struct lp_neighbor *entry)
{
	uint64_t again[HOP_WORDS];

	*out = (struct lp_neighbor){0};
	for (int i = 0; i < COPY_TRIES; i++) {
		racy_copy((uint64_t *)(void *)out, entry);
		racy_copy(again, entry);
		if (memcmp(out, again, sizeof(again)) != 0)
			continue;
		out->queued = 0;
		return out->port_id != 0 && out->slot < LP_PORTS_MAX &&
		    out->state <= LP_NEIGHBOR_FAILED;
	}
	return false;
}

/* See report_connections.c. */
static __attribute__((no_sanitize("thread"))) void
racy_copy(uint64_t to[], const struct lp_neighbor *from)
{
	const volatile uint64_t *read = (const volatile uint64_t *)from;

	for (size_t i = 0; i < HOP_WORDS; i++)
		to[i] = read[i];
	atomic_thread_fence(memory_order_acquire);
}
