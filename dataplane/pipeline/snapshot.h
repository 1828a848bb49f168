/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot: one generation compiled for the packet path, immutable.
 *
 * Control builds it aside (dataplane/snapshot.c), publishes it with one atomic
 * exchange, and frees the old one after every worker has passed a quiescent
 * state.  The pipeline reads the pointer once a batch; nobody keeps a pointer
 * into it longer than that: a connection copies what it needs.
 *
 * Lookups here are what the packet path asks: is this address ours, which
 * service is this endpoint, which broker serves this client, which port leads
 * there.
 */
#ifndef LP_PIPELINE_SNAPSHOT_H
#define LP_PIPELINE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pipeline/limits.h"
#include "proto/address.h"
#include "proto/object.h"

struct lp_port;
struct lp_rules;

enum { LP_INDEX_NONE = UINT16_MAX };

enum lp_own_kind {
	LP_OWN_PORT = 1, /* an address of the port itself */
	LP_OWN_VIP = 2, /* a listener's address */
};

/* An address that we answer for.  One address, possibly on several ports. */
struct lp_own {
	struct lp_ip ip;
	uint16_t port_mask; /* slots it is answered on; 0: free place */
	uint8_t kind; /* enum lp_own_kind */
};

/*
 * A solicited-node group of addresses that we answer for, on ports that are
 * alone: ff02::1:ff00:0 and the last three bytes of the address.
 */
struct lp_group {
	uint32_t low; /* those three bytes */
	uint16_t port_mask; /* slots, never 0 */
};

/* A broker as one listener reaches it. */
struct lp_target {
	uint32_t listener_id;
	uint32_t broker_id;
	uint32_t cluster_id; /* whose topics its are: lp_config_root() */
	uint32_t named_cluster_id; /* the listener's, which rules name */
	struct lp_endpoint real;
	uint16_t counters; /* index of its endpoint counters in the region */
	uint8_t source_address; /* enum lp_source_address */
	bool kafka; /* look into its connections */
};

/* An endpoint that clients connect to: a VIP's, or inline a broker's own. */
struct lp_service {
	struct lp_endpoint vip; /* port 0: free place */
	uint32_t listener_id;
	/* The one target, or LP_INDEX_NONE: balanced over all of the listener
	 */
	uint16_t target;
	uint16_t maglev; /* index of its table, if balanced; else NONE */
	bool is_inline; /* vip is where its broker is: only seen, not ours */
};

/* Where the clients of a listener are told that a broker is. */
struct lp_advertised {
	const char *host; /* a name, or an address as text; in the snapshot */
	uint8_t host_len; /* 1..253 */
	bool is_pattern; /* host is what names end in (proto/pattern.h) */
	bool known; /* else nothing listens there, and RST answers */
	uint16_t port; /* never 0 */
};

/* What the clients of a listener are told. */
struct lp_facade {
	struct lp_endpoint vip; /* inline: none */
	uint32_t listener_id; /* they lie in its order */
	uint16_t base; /* broker n is at the VIP's port base + n */
	uint16_t closed; /* the lowest port of the VIP that nothing has */
	uint8_t rewriting; /* enum lp_rewriting */
	uint8_t unjudged; /* enum lp_unjudged; 0: not said */
	uint8_t host_len;
	bool is_pattern;
	/* A name, or the VIP as text; of a pattern what names end in. */
	char host[LP_HOST_SIZE];
};

/* And of a broker: beside its target, by the same index. */
struct lp_face {
	struct lp_endpoint vip;
	int32_t node_id;
	/* 0: the host is the listener's; else the broker has its own VIP. */
	uint8_t host_len;
	char host[LP_IP_TEXT_SIZE];
};

/* A broker by its address, for rules: who asks as one must be one. */
struct lp_snapshot_broker {
	struct lp_ip ip;
	uint32_t cluster_id; /* lp_config_root(); 0: free place */
};

/* A port as the pipeline sees it. */
struct lp_snapshot_port {
	struct lp_port *port; /* NULL: no such port, or it is not open */
	uint32_t id;
	uint8_t mac[6];
	uint8_t side; /* enum lp_side */
	uint8_t prefix_count;
	bool alone; /* see port.h */
	bool is_inline; /* what comes in leaves by peer, and is not ours */
	/* and its device passes it on itself once we have not said we live */
	bool wires_on_loss;
	uint8_t peer; /* slot of the other inline port, or LP_PORT_NONE */
	uint16_t mtu;
	uint32_t incarnation; /* another one: announce again */
	struct lp_prefix prefixes[LP_PORT_ADDRESSES_MAX];
	struct lp_ip gateway_v4; /* lp_ip_is_none(): none */
	struct lp_ip gateway_v6;
};

struct lp_snapshot {
	uint64_t epoch;
	uint64_t generation;
	/* One more with every snapshot published; set by lp_snapshot_publish */
	uint64_t serial;
	/* Nobody tells us what to do any more: no connection lives. */
	bool closed;

	struct lp_snapshot_port ports[LP_PORTS_MAX]; /* by slot */
	bool has_inline; /* any of them is */
	bool wires_on_loss; /* any of them does */
	bool has_vip; /* there is a service that is not inline */

	/* Open addressing, linear probing; sizes are powers of two. */
	struct lp_own *own;
	uint32_t own_mask;
	struct lp_service *services;
	uint32_t service_mask;

	/* Each once, in the order of low. */
	struct lp_group *groups;
	uint32_t group_count; /* at most LP_GROUPS_MAX */

	struct lp_target *targets;
	uint16_t target_count;
	/* Hash of (listener, broker) to target + 1; 0: free place. */
	uint16_t *target_index;
	uint32_t target_index_mask;

	struct lp_facade *facades; /* one a listener, by its id */
	uint16_t facade_count;
	struct lp_face *faces; /* as many as targets */
	/* Hash of (listener, node id) to face + 1; 0: free place. */
	uint16_t *face_index; /* as large as target_index */

	/* maglev_count tables of LP_MAGLEV_SIZE target indexes each. */
	uint16_t *maglev;
	uint16_t maglev_count;

	/* NULL: there are none; and none that looks at requests. */
	struct lp_rules *rules;
	const struct lp_rules *request_rules;
	/* By action of theirs: the port to mirror to, or 0.  NULL: none is. */
	uint32_t *mirrors;
	/*
	 * Of all rules together that a fetch or share session depends on:
	 * another, if any of them is; the same on every host and after a
	 * restart.  0: there is none.
	 */
	uint32_t sessions_stamp;
	/* Open addressing, linear probing; only with rules. */
	struct lp_snapshot_broker *brokers;
	uint32_t broker_mask;
};

/* The one cell that workers read; control writes. */
struct lp_snapshot_cell {
	_Alignas(64) struct lp_snapshot *_Atomic current; /* NULL: none yet */
};

static inline const struct lp_snapshot *
lp_snapshot_get(struct lp_snapshot_cell *cell)
{
	return atomic_load_explicit(&cell->current, memory_order_acquire);
}

/* Deterministic on every host, so that any host chooses the same broker. */
uint32_t lp_snapshot_hash_ip(const struct lp_ip *ip);
uint32_t lp_snapshot_hash_endpoint(const struct lp_ip *ip, uint16_t port);
uint32_t lp_snapshot_hash_pair(uint32_t listener_id, uint32_t other_id);

/* NULL if the address is none of ours (on any port). */
const struct lp_own *lp_snapshot_own(
    const struct lp_snapshot *snapshot, const struct lp_ip *ip);

/* Whether a broker of that cluster (lp_config_root()) has that address. */
bool lp_snapshot_is_broker(const struct lp_snapshot *snapshot,
    uint32_t cluster_id, const struct lp_ip *ip);

/* NULL if no listener has that endpoint. */
const struct lp_service *lp_snapshot_service(
    const struct lp_snapshot *snapshot, const struct lp_ip *ip, uint16_t port);

/* The target that serves that client there, or NULL: no broker at all. */
const struct lp_target *lp_snapshot_choose(const struct lp_snapshot *snapshot,
    const struct lp_service *service, const struct lp_ip *client,
    uint16_t client_port);

/*
 * What that listener says of the node with that id, which may be any number
 * >= 0.  Of one that is not known: the port that it will have when it is, or,
 * where that is no port or something listens there already, another one on
 * which nothing listens.  False: no listener of that id rewrites.
 */
bool lp_snapshot_advertised(const struct lp_snapshot *snapshot,
    uint32_t listener_id, int32_t node_id, struct lp_advertised *out);

/* How that listener treats addresses: enum lp_rewriting; 0: no such one. */
uint8_t lp_snapshot_rewriting(
    const struct lp_snapshot *snapshot, uint32_t listener_id);

/*
 * What becomes of bytes there that rules cannot judge: enum lp_unjudged; 0: no
 * rule acts on requests of that listener.  No snapshot: none does.
 */
uint8_t lp_snapshot_unjudged(
    const struct lp_snapshot *snapshot, uint32_t listener_id);

/* Whether streams of its connections are changed in passing. */
bool lp_snapshot_splices(
    const struct lp_snapshot *snapshot, uint32_t listener_id);

/* Whether its names can be of any length. */
bool lp_snapshot_has_pattern(
    const struct lp_snapshot *snapshot, uint32_t listener_id);

/* NULL if the listener or the broker is not configured any more. */
const struct lp_target *lp_snapshot_target(const struct lp_snapshot *snapshot,
    uint32_t listener_id, uint32_t broker_id);

/* Of the broker with that node id, as that listener has it; or NULL. */
const struct lp_target *lp_snapshot_node(
    const struct lp_snapshot *snapshot, uint32_t listener_id, int32_t node_id);

/*
 * The way to an address: the slot of the port and the next hop, which is the
 * address itself where it is on the link.  Longest prefix first, then a
 * gateway; of several ports one of that side is preferred.  False: no route.
 */
bool lp_snapshot_route(const struct lp_snapshot *snapshot,
    const struct lp_ip *to, enum lp_side side, uint8_t *slot,
    struct lp_ip *nexthop);

/* Whether the way to that address, which is on that side, is by that port. */
bool lp_snapshot_leads(const struct lp_snapshot *snapshot, uint8_t slot,
    enum lp_side side, const struct lp_ip *to);

/*
 * Whether what an end on that side sends may come in by that port: one of its
 * side, or the one that leads to it.  Anybody else could send in its name.
 */
static inline bool
lp_snapshot_comes_by(const struct lp_snapshot *snapshot, uint8_t slot,
    enum lp_side side, const struct lp_ip *end)
{
	return (snapshot->ports[slot].side & side) != 0 ||
	    lp_snapshot_leads(snapshot, slot, side, end);
}

#endif
