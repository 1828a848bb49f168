/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/counters.h"
#include "dataplane/grace.h"
#include "dataplane/maglev.h"
#include "dataplane/port/port.h"
#include "dataplane/rules.h"
#include "dataplane/snapshot_rules.h"
#include "proto/pattern.h"

enum {
	/* So that probing always meets a free place soon. */
	TABLE_SIZE_MIN = 8,
};

static uint32_t table_size(size_t entries);
static int allocate(
    struct lp_snapshot *snapshot, const struct lp_config *config);
static void add_ports(struct lp_snapshot *snapshot,
    const struct lp_config *config, const struct lp_open_ports *ports);
static void add_peers(struct lp_snapshot *snapshot,
    const struct lp_config *config, const struct lp_open_ports *ports);
static bool wires_on_loss(
    const struct lp_port *port, const struct lp_object *object);
static void add_port(struct lp_snapshot_port *place, struct lp_port *port,
    const struct lp_object *object);
static int add_endpoints(struct lp_snapshot *snapshot,
    const struct lp_config *config, struct lp_counters *counters);
static int add_listeners(
    struct lp_snapshot *snapshot, const struct lp_config *config);
static void add_facades(
    struct lp_snapshot *snapshot, const struct lp_config *config);
static void add_face(struct lp_snapshot *snapshot, uint16_t index,
    const struct lp_endpoint *vip, const struct lp_object *listener,
    int32_t node_id);
static uint16_t closed_port(
    const struct lp_snapshot *snapshot, const struct lp_ip *vip);
static int add_maglev(struct lp_snapshot *snapshot,
    const struct lp_config *config, uint32_t listener_id, uint16_t *index);
static void add_own(struct lp_snapshot *snapshot, const struct lp_ip *ip,
    enum lp_own_kind kind, uint16_t port_mask);
static void add_service(
    struct lp_snapshot *snapshot, const struct lp_service *service);
static void index_pair(const struct lp_snapshot *snapshot, uint16_t *index,
    uint32_t listener_id, uint32_t other_id, uint16_t value);
static uint16_t client_ports(const struct lp_snapshot *snapshot);
static void add_groups(struct lp_snapshot *snapshot);
static int compare_groups(const void *one, const void *other);

int
lp_snapshot_build(struct lp_snapshot **out, const struct lp_config *config,
    const struct lp_open_ports *ports, struct lp_region *region,
    struct lp_snapshot_fault *fault)
{
	struct lp_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct lp_counters *counters = malloc(sizeof(*counters));
	struct lp_snapshot_fault ignored;
	int error = -ENOMEM;

	if (!fault)
		fault = &ignored;
	fault->object_id = 0;
	if (!snapshot || !counters)
		goto out;
	lp_counters_init(counters, region->endpoints);
	error = allocate(snapshot, config);
	if (error)
		goto out;
	add_ports(snapshot, config, ports);
	error = add_endpoints(snapshot, config, counters);
	if (error)
		goto out;
	error = add_listeners(snapshot, config);
	if (error)
		goto out;
	add_facades(snapshot, config);
	add_groups(snapshot);
	error = lp_snapshot_rules_build(snapshot, config, region, fault);
	if (error)
		goto out;
	*out = snapshot;
	snapshot = NULL;
out:
	free(counters);
	lp_snapshot_free(snapshot);
	return error;
}

void
lp_snapshot_free(struct lp_snapshot *snapshot)
{
	if (!snapshot)
		return;
	free(snapshot->own);
	free(snapshot->services);
	free(snapshot->groups);
	free(snapshot->targets);
	free(snapshot->target_index);
	free(snapshot->facades);
	free(snapshot->faces);
	free(snapshot->face_index);
	free(snapshot->maglev);
	free(snapshot->brokers);
	free(snapshot->mirrors);
	lp_rules_free(snapshot->rules);
	free(snapshot);
}

void
lp_snapshot_publish(struct lp_snapshot_cell *cell, struct lp_snapshot *next)
{
	struct lp_snapshot *old =
	    atomic_load_explicit(&cell->current, memory_order_relaxed);

	/* Control alone writes the cell. */
	if (next)
		next->serial = old ? old->serial + 1 : 1;
	atomic_store_explicit(&cell->current, next, memory_order_release);
	lp_grace_wait(cell);
	lp_snapshot_free(old);
}

void
lp_snapshot_release_counters(
    const struct lp_snapshot *snapshot, struct lp_region *region)
{
	for (unsigned i = 0; i < LP_ENDPOINTS_MAX; i++) {
		struct lp_endpoint_stats *stats = &region->endpoints[i];

		/*
		 * A connection that outlived its configuration still counts
		 * here until the worker has reset it.
		 */
		if (stats->listener_id != 0 &&
		    lp_count_get(&stats->open) == 0 &&
		    (!snapshot ||
			!lp_snapshot_target(
			    snapshot, stats->listener_id, stats->broker_id)))
			stats->listener_id = 0;
	}
	lp_snapshot_rules_release(snapshot ? snapshot->rules : NULL, region);
}

/* A power of two, at most half full. */
static uint32_t
table_size(size_t entries)
{
	uint32_t size = TABLE_SIZE_MIN;

	while (size < 2 * entries)
		size *= 2;
	return size;
}

static int
allocate(struct lp_snapshot *snapshot, const struct lp_config *config)
{
	size_t first;
	size_t ports = lp_config_range(config, LP_OBJECT_PORT, &first);
	size_t listeners = lp_config_range(config, LP_OBJECT_LISTENER, &first);
	size_t targets = lp_config_range(config, LP_OBJECT_ENDPOINT, &first);
	uint32_t own =
	    table_size(ports * LP_PORT_ADDRESSES_MAX + listeners + targets);
	uint32_t services = table_size(listeners + targets);
	uint32_t pairs = table_size(targets);

	assert(own <= LP_OWN_SIZE);
	snapshot->own = calloc(own, sizeof(*snapshot->own));
	snapshot->own_mask = own - 1;
	snapshot->groups = calloc(own / 2, sizeof(*snapshot->groups));
	snapshot->services = calloc(services, sizeof(*snapshot->services));
	snapshot->service_mask = services - 1;
	/* One more: calloc(0) may be NULL. */
	snapshot->targets = calloc(targets + 1, sizeof(*snapshot->targets));
	snapshot->target_index = calloc(pairs, sizeof(*snapshot->target_index));
	snapshot->target_index_mask = pairs - 1;
	snapshot->facades = calloc(listeners + 1, sizeof(*snapshot->facades));
	snapshot->faces = calloc(targets + 1, sizeof(*snapshot->faces));
	snapshot->face_index = calloc(pairs, sizeof(*snapshot->face_index));
	snapshot->maglev =
	    calloc(listeners + 1, LP_MAGLEV_SIZE * sizeof(*snapshot->maglev));
	if (!snapshot->own || !snapshot->groups || !snapshot->services ||
	    !snapshot->targets || !snapshot->target_index ||
	    !snapshot->facades || !snapshot->faces || !snapshot->face_index ||
	    !snapshot->maglev)
		return -ENOMEM;
	return 0;
}

static void
add_ports(struct lp_snapshot *snapshot, const struct lp_config *config,
    const struct lp_open_ports *ports)
{
	add_peers(snapshot, config, ports);
	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++) {
		struct lp_snapshot_port *place = &snapshot->ports[slot];
		const struct lp_object *object = ports->id[slot] == 0
		    ? NULL
		    : lp_config_find(config, LP_OBJECT_PORT, ports->id[slot]);

		if (!object)
			continue;
		add_port(place, ports->port[slot], object);
		for (unsigned i = 0; i < place->prefix_count; i++)
			add_own(snapshot, &place->prefixes[i].ip, LP_OWN_PORT,
			    (uint16_t)(1u << slot));
	}
}

/* A peer has a slot also while its device is away. */
static void
add_peers(struct lp_snapshot *snapshot, const struct lp_config *config,
    const struct lp_open_ports *ports)
{
	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++) {
		struct lp_snapshot_port *place = &snapshot->ports[slot];
		const struct lp_object *object = ports->id[slot] == 0
		    ? NULL
		    : lp_config_find(config, LP_OBJECT_PORT, ports->id[slot]);
		const struct lp_object *peer;

		place->peer = LP_PORT_NONE;
		if (!object || !lp_object_has_peer(&object->port))
			continue;
		place->is_inline = true;
		snapshot->has_inline = true;
		place->wires_on_loss = wires_on_loss(ports->port[slot], object);
		snapshot->wires_on_loss |= place->wires_on_loss;
		peer = lp_config_find_name(
		    config, LP_OBJECT_PORT, 0, object->port.peer);
		for (unsigned i = 0; peer && i < LP_PORTS_MAX; i++)
			if (ports->id[i] == peer->id)
				place->peer = (uint8_t)i;
	}
}

/* Only where somebody hears that we live can he go on without us. */
static bool
wires_on_loss(const struct lp_port *port, const struct lp_object *object)
{
	return port && port->ops->beat &&
	    object->port.on_loss == LP_ON_LOSS_WIRE;
}

static void
add_port(struct lp_snapshot_port *place, struct lp_port *port,
    const struct lp_object *object)
{
	const struct lp_port_object *from = &object->port;

	place->port = port;
	place->id = object->id;
	place->side = from->side;
	place->prefix_count = from->address_count;
	memcpy(place->prefixes, from->addresses, sizeof(place->prefixes));
	place->gateway_v4 = from->gateway_v4;
	place->gateway_v6 = from->gateway_v6;
	if (port) {
		memcpy(place->mac, port->mac, sizeof(place->mac));
		place->mtu = port->mtu;
		place->incarnation = port->incarnation;
		place->alone = port->alone;
	}
}

static int
add_endpoints(struct lp_snapshot *snapshot, const struct lp_config *config,
    struct lp_counters *counters)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_ENDPOINT, &first);
	uint16_t mask = client_ports(snapshot);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_endpoint_object *from =
		    &config->objects[i].endpoint;
		const struct lp_object *listener = lp_config_find(
		    config, LP_OBJECT_LISTENER, from->listener_id);
		const struct lp_object *broker =
		    lp_config_find(config, LP_OBJECT_BROKER, from->broker_id);
		uint16_t index = snapshot->target_count;
		struct lp_target *target = &snapshot->targets[index];
		int error;

		/* The configuration was checked. */
		assert(listener && broker);
		error = lp_counters_take(counters, from->listener_id,
		    from->broker_id, &target->counters);
		if (error)
			return error;
		target->listener_id = from->listener_id;
		target->broker_id = from->broker_id;
		target->cluster_id =
		    lp_config_root(config, listener->listener.cluster_id);
		target->named_cluster_id = listener->listener.cluster_id;
		target->real = broker->broker.real;
		target->kafka = listener->listener.kafka == LP_LOOK_OBSERVE;
		target->source_address = listener->listener.source_address;
		snapshot->target_count++;
		index_pair(snapshot, snapshot->target_index, from->listener_id,
		    from->broker_id, index);
		add_face(snapshot, index, &from->vip, listener,
		    broker->broker.node_id);
		if (listener->listener.mode != LP_MODE_INLINE)
			add_own(snapshot, &from->vip.ip, LP_OWN_VIP, mask);
		add_service(snapshot,
		    &(struct lp_service){.vip = from->vip,
			.listener_id = from->listener_id,
			.target = index,
			.maglev = LP_INDEX_NONE,
			.is_inline =
			    listener->listener.mode == LP_MODE_INLINE});
	}
	return 0;
}

static int
add_listeners(struct lp_snapshot *snapshot, const struct lp_config *config)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_LISTENER, &first);
	uint16_t mask = client_ports(snapshot);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *from = &config->objects[i];
		struct lp_service service = {.vip = from->listener.vip,
		    .listener_id = from->id,
		    .target = LP_INDEX_NONE};
		int error;

		if (from->listener.mode == LP_MODE_INLINE)
			continue;
		error = add_maglev(snapshot, config, from->id, &service.maglev);
		if (error)
			return error;
		add_own(snapshot, &service.vip.ip, LP_OWN_VIP, mask);
		add_service(snapshot, &service);
	}
	return 0;
}

/* After the services: what they leave is closed. */
static void
add_facades(struct lp_snapshot *snapshot, const struct lp_config *config)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_listener_object *from =
		    &config->objects[i].listener;
		struct lp_facade *facade =
		    &snapshot->facades[snapshot->facade_count++];

		facade->listener_id = config->objects[i].id;
		facade->rewriting = from->rewrite;
		facade->unjudged = from->unjudged;
		if (from->mode == LP_MODE_INLINE)
			continue;
		facade->vip = from->vip;
		facade->base = from->broker_base;
		facade->closed = closed_port(snapshot, &from->vip.ip);
		facade->is_pattern = lp_pattern_is(from->advertise);
		if (from->advertise[0] != '\0')
			snprintf(facade->host, sizeof(facade->host), "%s",
			    from->advertise + facade->is_pattern);
		else
			lp_ip_format(facade->host, &from->vip.ip);
		facade->host_len = (uint8_t)strlen(facade->host);
	}
}

/* A name is the VIP's: it says nothing of a broker at another address. */
static void
add_face(struct lp_snapshot *snapshot, uint16_t index,
    const struct lp_endpoint *vip, const struct lp_object *listener,
    int32_t node_id)
{
	struct lp_face *face = &snapshot->faces[index];

	face->vip = *vip;
	face->node_id = node_id;
	if (!lp_ip_equal(&vip->ip, &listener->listener.vip.ip)) {
		lp_ip_format(face->host, &vip->ip);
		face->host_len = (uint8_t)strlen(face->host);
	}
	index_pair(snapshot, snapshot->face_index, listener->id,
	    (uint32_t)node_id, index);
}

/* There is one: a VIP has more ports than there can be services. */
static uint16_t
closed_port(const struct lp_snapshot *snapshot, const struct lp_ip *vip)
{
	uint16_t port = 1;

	static_assert(LP_LISTENERS_MAX + LP_ENDPOINTS_MAX < UINT16_MAX,
	    "not all ports of an address are taken");
	while (lp_snapshot_service(snapshot, vip, port) != NULL)
		port++;
	return port;
}

static int
add_maglev(struct lp_snapshot *snapshot, const struct lp_config *config,
    uint32_t listener_id, uint16_t *index)
{
	struct lp_maglev_target *targets =
	    calloc(snapshot->target_count + 1u, sizeof(*targets));
	size_t count = 0;
	int error = 0;

	if (!targets)
		return -ENOMEM;
	for (uint16_t i = 0; i < snapshot->target_count; i++) {
		const struct lp_target *target = &snapshot->targets[i];

		if (target->listener_id != listener_id)
			continue;
		targets[count++] = (struct lp_maglev_target){
		    .node_id = lp_config_find(
			config, LP_OBJECT_BROKER, target->broker_id)
				   ->broker.node_id,
		    .real = target->real,
		    .value = i,
		};
	}
	*index = LP_INDEX_NONE;
	if (count > 0) {
		*index = snapshot->maglev_count++;
		error = lp_maglev_fill(
		    snapshot->maglev + (size_t)*index * LP_MAGLEV_SIZE, targets,
		    count);
	}
	free(targets);
	return error;
}

/* One address may be of several ports, or of many services: one place. */
static void
add_own(struct lp_snapshot *snapshot, const struct lp_ip *ip,
    enum lp_own_kind kind, uint16_t port_mask)
{
	uint32_t at = lp_snapshot_hash_ip(ip) & snapshot->own_mask;

	/* A place without ports is a free one. */
	if (port_mask == 0)
		return;
	while (snapshot->own[at].port_mask != 0 &&
	    !lp_ip_equal(&snapshot->own[at].ip, ip))
		at = (at + 1) & snapshot->own_mask;
	snapshot->own[at].ip = *ip;
	snapshot->own[at].kind = (uint8_t)kind;
	snapshot->own[at].port_mask |= port_mask;
}

static void
add_service(struct lp_snapshot *snapshot, const struct lp_service *service)
{
	uint32_t at =
	    lp_snapshot_hash_endpoint(&service->vip.ip, service->vip.port) &
	    snapshot->service_mask;

	assert(service->vip.port != 0);
	while (snapshot->services[at].vip.port != 0)
		at = (at + 1) & snapshot->service_mask;
	snapshot->services[at] = *service;
	snapshot->has_vip |= !service->is_inline;
}

static void
index_pair(const struct lp_snapshot *snapshot, uint16_t *index,
    uint32_t listener_id, uint32_t other_id, uint16_t value)
{
	uint32_t at = lp_snapshot_hash_pair(listener_id, other_id) &
	    snapshot->target_index_mask;

	while (index[at] != 0)
		at = (at + 1) & snapshot->target_index_mask;
	index[at] = (uint16_t)(value + 1);
}

/* VIPs are answered where clients are. */
static uint16_t
client_ports(const struct lp_snapshot *snapshot)
{
	unsigned mask = 0;

	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++)
		if ((snapshot->ports[slot].side & LP_SIDE_CLIENT) &&
		    !snapshot->ports[slot].is_inline)
			mask |= 1u << slot;
	return (uint16_t)mask;
}

/* Addresses that end alike have one group (RFC 4291, 2.7.1). */
static void
add_groups(struct lp_snapshot *snapshot)
{
	struct lp_group *groups = snapshot->groups;
	uint32_t count = 0, kept = 0;
	unsigned alone = 0;

	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++)
		alone |= (unsigned)snapshot->ports[slot].alone << slot;
	for (uint32_t i = 0; i <= snapshot->own_mask; i++) {
		const struct lp_own *own = &snapshot->own[i];
		const uint8_t *ip = own->ip.bytes;

		if ((own->port_mask & alone) == 0 || lp_ip_is_v4(&own->ip))
			continue;
		assert(count <= snapshot->own_mask / 2);
		groups[count++] = (struct lp_group){
		    .low = (uint32_t)(ip[13] << 16 | ip[14] << 8 | ip[15]),
		    .port_mask = (uint16_t)(own->port_mask & alone)};
	}
	qsort(groups, count, sizeof(groups[0]), compare_groups);
	for (uint32_t i = 0; i < count; i++) {
		if (kept > 0 && groups[kept - 1].low == groups[i].low)
			groups[kept - 1].port_mask |= groups[i].port_mask;
		else
			groups[kept++] = groups[i];
	}
	snapshot->group_count = kept;
}

static int
compare_groups(const void *one, const void *other)
{
	const struct lp_group *a = one, *b = other;

	return (a->low > b->low) - (a->low < b->low);
}
