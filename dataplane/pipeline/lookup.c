/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the packet path asks a snapshot.  The tables are built by
 * dataplane/snapshot.c with the hash functions below: unseeded, so that every
 * host with the same generation gives the same answer.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dataplane/pipeline/rules.h"
#include "dataplane/pipeline/snapshot.h"

#include <assert.h>
#include <stddef.h>

static const struct lp_facade *find_facade(
    const struct lp_snapshot *snapshot, uint32_t listener_id);
static const struct lp_face *find_face(
    const struct lp_snapshot *snapshot, uint32_t listener_id, int32_t node_id);
static uint16_t unknown_port(const struct lp_snapshot *snapshot,
    const struct lp_facade *facade, int32_t node_id);

uint32_t
lp_snapshot_hash_ip(const struct lp_ip *ip)
{
	return (uint32_t)XXH3_64bits(ip->bytes, sizeof(ip->bytes));
}

uint32_t
lp_snapshot_hash_endpoint(const struct lp_ip *ip, uint16_t port)
{
	return (uint32_t)XXH3_64bits_withSeed(
	    ip->bytes, sizeof(ip->bytes), port);
}

uint32_t
lp_snapshot_hash_pair(uint32_t listener_id, uint32_t other_id)
{
	uint32_t pair[2] = {listener_id, other_id};

	return (uint32_t)XXH3_64bits(pair, sizeof(pair));
}

const struct lp_own *
lp_snapshot_own(const struct lp_snapshot *snapshot, const struct lp_ip *ip)
{
	uint32_t at = lp_snapshot_hash_ip(ip) & snapshot->own_mask;

	while (snapshot->own[at].port_mask != 0) {
		if (lp_ip_equal(&snapshot->own[at].ip, ip))
			return &snapshot->own[at];
		at = (at + 1) & snapshot->own_mask;
	}
	return NULL;
}

const struct lp_service *
lp_snapshot_service(
    const struct lp_snapshot *snapshot, const struct lp_ip *ip, uint16_t port)
{
	uint32_t at =
	    lp_snapshot_hash_endpoint(ip, port) & snapshot->service_mask;

	while (snapshot->services[at].vip.port != 0) {
		const struct lp_service *service = &snapshot->services[at];

		if (service->vip.port == port &&
		    lp_ip_equal(&service->vip.ip, ip))
			return service;
		at = (at + 1) & snapshot->service_mask;
	}
	return NULL;
}

const struct lp_target *
lp_snapshot_choose(const struct lp_snapshot *snapshot,
    const struct lp_service *service, const struct lp_ip *client,
    uint16_t client_port)
{
	uint32_t hash;
	uint16_t target = service->target;

	if (target == LP_INDEX_NONE && service->maglev != LP_INDEX_NONE) {
		assert(service->maglev < snapshot->maglev_count);
		hash = lp_snapshot_hash_endpoint(client, client_port);
		target =
		    snapshot->maglev[(size_t)service->maglev * LP_MAGLEV_SIZE +
			hash % LP_MAGLEV_SIZE];
	}
	if (target == LP_INDEX_NONE)
		return NULL;
	assert(target < snapshot->target_count);
	return &snapshot->targets[target];
}

const struct lp_target *
lp_snapshot_target(const struct lp_snapshot *snapshot, uint32_t listener_id,
    uint32_t broker_id)
{
	uint32_t at = lp_snapshot_hash_pair(listener_id, broker_id) &
	    snapshot->target_index_mask;

	while (snapshot->target_index[at] != 0) {
		const struct lp_target *target =
		    &snapshot->targets[snapshot->target_index[at] - 1];

		if (target->listener_id == listener_id &&
		    target->broker_id == broker_id)
			return target;
		at = (at + 1) & snapshot->target_index_mask;
	}
	return NULL;
}

const struct lp_target *
lp_snapshot_node(
    const struct lp_snapshot *snapshot, uint32_t listener_id, int32_t node_id)
{
	const struct lp_face *face = find_face(snapshot, listener_id, node_id);

	return face != NULL ? &snapshot->targets[face - snapshot->faces] : NULL;
}

bool
lp_snapshot_advertised(const struct lp_snapshot *snapshot, uint32_t listener_id,
    int32_t node_id, struct lp_advertised *out)
{
	const struct lp_facade *facade = find_facade(snapshot, listener_id);
	const struct lp_face *face;

	if (facade == NULL || facade->rewriting == LP_REWRITING_OFF)
		return false;
	face = find_face(snapshot, listener_id, node_id);
	out->known = face != NULL;
	out->host = facade->host;
	out->host_len = facade->host_len;
	out->is_pattern = facade->is_pattern;
	if (face == NULL) {
		out->port = unknown_port(snapshot, facade, node_id);
		return true;
	}
	out->port = face->vip.port;
	if (face->host_len != 0) {
		out->host = face->host;
		out->host_len = face->host_len;
		out->is_pattern = false;
	}
	return true;
}

uint8_t
lp_snapshot_rewriting(const struct lp_snapshot *snapshot, uint32_t listener_id)
{
	const struct lp_facade *facade = find_facade(snapshot, listener_id);

	return facade != NULL ? facade->rewriting : 0;
}

uint8_t
lp_snapshot_unjudged(const struct lp_snapshot *snapshot, uint32_t listener_id)
{
	const struct lp_facade *facade;

	if (snapshot == NULL || snapshot->rules == NULL ||
	    !snapshot->rules->acts)
		return 0;
	facade = find_facade(snapshot, listener_id);
	return facade != NULL ? facade->unjudged : 0;
}

bool
lp_snapshot_splices(const struct lp_snapshot *snapshot, uint32_t listener_id)
{
	return lp_snapshot_rewriting(snapshot, listener_id) ==
	    LP_REWRITING_ON ||
	    lp_snapshot_unjudged(snapshot, listener_id) != 0;
}

bool
lp_snapshot_has_pattern(
    const struct lp_snapshot *snapshot, uint32_t listener_id)
{
	const struct lp_facade *facade = find_facade(snapshot, listener_id);

	return facade != NULL && facade->is_pattern;
}

bool
lp_snapshot_route(const struct lp_snapshot *snapshot, const struct lp_ip *to,
    enum lp_side side, uint8_t *slot, struct lp_ip *nexthop)
{
	bool v4 = lp_ip_is_v4(to);
	int best = -1;

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		const struct lp_snapshot_port *port = &snapshot->ports[i];
		const struct lp_ip *gateway =
		    v4 ? &port->gateway_v4 : &port->gateway_v6;
		int side_bonus = (port->side & side) != 0;

		if (port->port == NULL)
			continue;
		for (unsigned j = 0; j < port->prefix_count; j++) {
			const struct lp_prefix *prefix = &port->prefixes[j];
			int score = 2 * (prefix->len + 1) + side_bonus;

			if (score > best && lp_prefix_contains(prefix, to)) {
				best = score;
				*slot = (uint8_t)i;
				*nexthop = *to;
			}
		}
		/* A gateway is a prefix of no length. */
		if (side_bonus > best && !lp_ip_is_none(gateway)) {
			best = side_bonus;
			*slot = (uint8_t)i;
			*nexthop = *gateway;
		}
	}
	return best >= 0;
}

bool
lp_snapshot_leads(const struct lp_snapshot *snapshot, uint8_t slot,
    enum lp_side side, const struct lp_ip *to)
{
	struct lp_ip nexthop;
	uint8_t by;

	return lp_snapshot_route(snapshot, to, side, &by, &nexthop) &&
	    by == slot;
}

bool
lp_snapshot_is_broker(const struct lp_snapshot *snapshot, uint32_t cluster_id,
    const struct lp_ip *ip)
{
	uint32_t at = lp_snapshot_hash_ip(ip) & snapshot->broker_mask;
	const struct lp_snapshot_broker *brokers = snapshot->brokers;

	if (brokers == NULL)
		return false;
	for (; brokers[at].cluster_id != 0;
	     at = (at + 1) & snapshot->broker_mask)
		if (brokers[at].cluster_id == cluster_id &&
		    lp_ip_equal(&brokers[at].ip, ip))
			return true;
	return false;
}

static const struct lp_facade *
find_facade(const struct lp_snapshot *snapshot, uint32_t listener_id)
{
	size_t low = 0, high = snapshot->facade_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct lp_facade *facade = &snapshot->facades[middle];

		if (facade->listener_id == listener_id)
			return facade;
		if (facade->listener_id < listener_id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct lp_face *
find_face(
    const struct lp_snapshot *snapshot, uint32_t listener_id, int32_t node_id)
{
	uint32_t at = lp_snapshot_hash_pair(listener_id, (uint32_t)node_id) &
	    snapshot->target_index_mask;

	while (snapshot->face_index[at] != 0) {
		uint16_t index = (uint16_t)(snapshot->face_index[at] - 1);

		if (snapshot->targets[index].listener_id == listener_id &&
		    snapshot->faces[index].node_id == node_id)
			return &snapshot->faces[index];
		at = (at + 1) & snapshot->target_index_mask;
	}
	return NULL;
}

/*
 * Where it will be as soon as it is added: so a client that has been told so
 * need not ask again.  Never where somebody else is: the client would take it
 * for the broker, and at the bootstrap endpoint ask for ever.
 */
static uint16_t
unknown_port(const struct lp_snapshot *snapshot, const struct lp_facade *facade,
    int32_t node_id)
{
	int64_t port = (int64_t)facade->base + node_id;

	if (port < 1 || port > UINT16_MAX ||
	    lp_snapshot_service(snapshot, &facade->vip.ip, (uint16_t)port) !=
		NULL)
		return facade->closed;
	return (uint16_t)port;
}
