/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/ports.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/steering.h"
#include "proto/log.h"

static struct lp_port_slot *find_slot(
    struct lp_ports *ports, const struct lp_port_object *object);
static struct lp_port_slot *free_slot(struct lp_ports *ports);
static const struct lp_object *find_object(
    const struct lp_config *config, const struct lp_port_slot *slot);
static int check_pairs(const struct lp_ports *ports,
    const struct lp_config *config, struct lp_refusal *refusal);
static const struct lp_port_object *find_peer_object(
    const struct lp_config *config, const struct lp_port_object *object);
static struct lp_port *find_port(
    const struct lp_ports *ports, const struct lp_port_object *object);
static bool same_device(
    const struct lp_port_object *a, const struct lp_port_object *b);
static bool may_become(const struct lp_ports *ports,
    const struct lp_port_slot *slot, const struct lp_port_object *object,
    const char **field, char why[LP_WHY_SIZE]);
static int choose_backend(
    struct lp_ports *ports, unsigned backend, char why[LP_WHY_SIZE]);
static int open_port(struct lp_ports *ports, struct lp_port_slot *slot,
    const struct lp_port_object *object, bool known, char why[LP_WHY_SIZE]);
static void close_port(struct lp_ports *ports, struct lp_port_slot *slot);
static bool watch_open(struct lp_ports *ports, struct lp_port_slot *slot);
static bool watch_closed(struct lp_ports *ports, struct lp_port_slot *slot);
static void watch_pair(struct lp_ports *ports, struct lp_port_slot *slot);
static int steer_port(struct lp_ports *ports, struct lp_port_slot *slot,
    const struct lp_config *const configs[], size_t count, uint64_t generation,
    char why[LP_WHY_SIZE]);
static int refuse(struct lp_refusal *refusal, uint32_t id, const char *name,
    const char *field, const char *why);

void
lp_ports_init(struct lp_ports *ports, struct lp_keep *keep, uint8_t *ledger,
    const struct lp_options *options)
{
	memset(ports, 0, sizeof(*ports));
	ports->keep = keep;
	ports->ledger = ledger;
	ports->buffer_count = options->buffers;
	ports->mtu = options->mtu;
	ports->dpdk_arguments = options->dpdk;
}

void
lp_ports_fini(struct lp_ports *ports)
{
	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		if (ports->slots[i].port)
			close_port(ports, &ports->slots[i]);
	lp_ports_reclaim(ports, NULL);
	if (ports->pool)
		ports->ops->pool_close(ports->pool);
	memset(ports, 0, sizeof(*ports));
}

void
lp_ports_assign(struct lp_ports *ports, const struct lp_config *config,
    const uint32_t port_ids[LP_PORTS_MAX])
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_PORT, &first);

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		const struct lp_object *object = port_ids[i] == 0
		    ? NULL
		    : lp_config_find(config, LP_OBJECT_PORT, port_ids[i]);

		if (!object || find_slot(ports, &object->port))
			continue;
		ports->slots[i].id = object->id;
		ports->slots[i].object = object->port;
	}
	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *object = &config->objects[i];
		struct lp_port_slot *slot = find_slot(ports, &object->port);

		if (!slot)
			slot = free_slot(ports);
		if (!slot)
			continue;
		slot->id = object->id;
		slot->object = object->port;
	}
}

int
lp_ports_prepare(struct lp_ports *ports, const struct lp_config *config,
    struct lp_refusal *refusal)
{
	char why[LP_WHY_SIZE] = "";
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_PORT, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *object = &config->objects[i];
		struct lp_port_slot *slot = find_slot(ports, &object->port);
		const char *field = "device";

		if (slot && may_become(ports, slot, &object->port, &field, why))
			continue;
		if (slot)
			return refuse(
			    refusal, object->id, object->port.name, field, why);
		slot = free_slot(ports);
		if (!slot)
			return refuse(refusal, object->id, object->port.name,
			    "", "no free slot until another port is closed");
		if (choose_backend(ports, object->port.backend, why) != 0)
			field = "backend";
		else if (open_port(ports, slot, &object->port, false, why) ==
		    0) {
			slot->fresh = true;
			continue;
		}
		return refuse(
		    refusal, object->id, object->port.name, field, why);
	}
	return check_pairs(ports, config, refusal);
}

/* What fits one must fit the other; the device of an open one may change. */
static int
check_pairs(const struct lp_ports *ports, const struct lp_config *config,
    struct lp_refusal *refusal)
{
	char why[LP_WHY_SIZE];

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		const struct lp_port_slot *slot = &ports->slots[i];
		const struct lp_object *object = find_object(config, slot);
		const struct lp_port *peer = object
		    ? find_port(ports, find_peer_object(config, &object->port))
		    : NULL;

		if (!slot->fresh || !peer || slot->port->mtu == peer->mtu)
			continue;
		snprintf(why, sizeof(why),
		    "%.60s has an MTU of %d, %.60s of its peer has %d: what "
		    "fits one "
		    "must fit the other",
		    slot->object.device, slot->port->mtu,
		    ports->slots[peer->slot].object.device, peer->mtu);
		return refuse(
		    refusal, object->id, object->port.name, "device", why);
	}
	return 0;
}

/* The other one of a pair, or NULL. */
static const struct lp_port_object *
find_peer_object(
    const struct lp_config *config, const struct lp_port_object *object)
{
	const struct lp_object *peer = NULL;

	if (lp_object_has_peer(object))
		peer = lp_config_find_name(
		    config, LP_OBJECT_PORT, 0, object->peer);
	return peer ? &peer->port : NULL;
}

/* Open, and its device is there; or NULL. */
static struct lp_port *
find_port(const struct lp_ports *ports, const struct lp_port_object *object)
{
	for (unsigned i = 0; object && i < LP_PORTS_MAX; i++) {
		const struct lp_port_slot *slot = &ports->slots[i];

		if (slot->port && !slot->gone &&
		    same_device(&slot->object, object))
			return slot->port;
	}
	return NULL;
}

void
lp_ports_cancel(struct lp_ports *ports, bool worker_runs)
{
	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		if (ports->slots[i].fresh)
			close_port(ports, &ports->slots[i]);
	if (worker_runs)
		return;
	/* The back end is still free to be another one. */
	lp_ports_reclaim(ports, NULL);
	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		if (ports->slots[i].port)
			return;
	if (ports->pool)
		ports->ops->pool_close(ports->pool);
	ports->pool = NULL;
	ports->ops = NULL;
}

void
lp_ports_commit(struct lp_ports *ports, const struct lp_config *config)
{
	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		struct lp_port_slot *slot = &ports->slots[i];
		const struct lp_object *object = find_object(config, slot);

		slot->fresh = false;
		if (object) {
			slot->id = object->id;
			slot->object = object->port;
			if (slot->port && ports->ops->become)
				ports->ops->become(slot->port, &object->port);
			continue;
		}
		slot->id = 0;
		slot->why[0] = '\0';
		if (slot->port)
			close_port(ports, slot);
	}
}

void
lp_ports_fill(const struct lp_ports *ports, const struct lp_config *config,
    struct lp_open_ports *open)
{
	memset(open, 0, sizeof(*open));
	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		const struct lp_port_slot *slot = &ports->slots[i];
		const struct lp_object *object = find_object(config, slot);

		if (!object)
			continue;
		open->id[i] = object->id;
		open->port[i] = slot->gone ? NULL : slot->port;
	}
}

int
lp_ports_steer(struct lp_ports *ports, const struct lp_config *const configs[],
    size_t count, uint64_t generation, struct lp_refusal *refusal)
{
	char why[LP_WHY_SIZE] = "";
	int error = 0;

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		struct lp_port_slot *slot = &ports->slots[i];

		if (!slot->port || slot->gone || !ports->ops->steer)
			continue;
		if (steer_port(ports, slot, configs, count, generation, why) !=
			0 &&
		    error == 0)
			error = refuse(refusal, slot->id, slot->object.name,
			    "device", why);
	}
	return error;
}

bool
lp_ports_watch(struct lp_ports *ports)
{
	bool changed = false;

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		struct lp_port_slot *slot = &ports->slots[i];

		if (slot->port)
			changed |= watch_open(ports, slot);
		else if (slot->id != 0 && !slot->reclaiming)
			changed |= watch_closed(ports, slot);
	}
	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		if (ports->slots[i].port && !ports->slots[i].gone)
			watch_pair(ports, &ports->slots[i]);
	return changed;
}

void
lp_ports_close_gone(struct lp_ports *ports)
{
	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		if (ports->slots[i].gone)
			close_port(ports, &ports->slots[i]);
}

bool
lp_ports_reclaim(struct lp_ports *ports, struct lp_pipeline *pipeline)
{
	bool done = true;

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		struct lp_port_slot *slot = &ports->slots[i];

		if (!slot->reclaiming)
			continue;
		if (!pipeline) {
			if (ports->ops->reclaim)
				ports->ops->reclaim(ports->pool, (uint8_t)i);
		} else if (!lp_pipeline_reclaim(pipeline, (uint8_t)i)) {
			done = false;
			continue;
		}
		slot->reclaiming = false;
	}
	return done;
}

/* The slot that has that device, open or not. */
static struct lp_port_slot *
find_slot(struct lp_ports *ports, const struct lp_port_object *object)
{
	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		struct lp_port_slot *slot = &ports->slots[i];

		if ((slot->id != 0 || slot->port) &&
		    same_device(&slot->object, object))
			return slot;
	}
	return NULL;
}

static struct lp_port_slot *
free_slot(struct lp_ports *ports)
{
	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		struct lp_port_slot *slot = &ports->slots[i];

		if (slot->id == 0 && !slot->port && !slot->reclaiming)
			return slot;
	}
	return NULL;
}

static const struct lp_object *
find_object(const struct lp_config *config, const struct lp_port_slot *slot)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_PORT, &first);

	if (slot->id == 0 && !slot->port)
		return NULL;
	for (size_t i = first; i < first + count; i++)
		if (same_device(&config->objects[i].port, &slot->object))
			return &config->objects[i];
	return NULL;
}

static bool
same_device(const struct lp_port_object *a, const struct lp_port_object *b)
{
	return a->backend == b->backend && strcmp(a->device, b->device) == 0;
}

/*
 * Leave that was given is asked for again only when it is taken back; an MTU
 * only when it is another one.
 */
static bool
may_become(const struct lp_ports *ports, const struct lp_port_slot *slot,
    const struct lp_port_object *object, const char **field,
    char why[LP_WHY_SIZE])
{
	const struct lp_backend_ops *ops = ports->ops;

	if (!slot->port || slot->gone)
		return true;
	*field = "peer";
	if (lp_object_has_peer(&slot->object) != lp_object_has_peer(object)) {
		snprintf(why, LP_WHY_SIZE,
		    "%.100s is open and cannot become an inline port, or cease "
		    "to "
		    "be one: delete its port first, in a change of its own",
		    slot->object.device);
		return false;
	}
	*field = "allow_default_route";
	if (slot->object.allow_default_route && !object->allow_default_route &&
	    ops->check_route && ops->check_route(slot->port, object, why) != 0)
		return false;
	*field = "mtu";
	return slot->object.mtu == object->mtu || !ops->check_mtu ||
	    ops->check_mtu(slot->port, object, why) == 0;
}

static int
choose_backend(struct lp_ports *ports, unsigned backend, char why[LP_WHY_SIZE])
{
	const struct lp_backend_ops *ops = lp_port_backend(backend);
	const struct lp_pool_config config = {
	    .buffer_count = ports->buffer_count,
	    .ledger = ports->ledger,
	    .keep = ports->keep,
	    .mtu = ports->mtu,
	    .arguments =
		backend == LP_BACKEND_DPDK ? ports->dpdk_arguments : NULL,
	};
	int error;

	if (!ops) {
		snprintf(why, LP_WHY_SIZE,
		    "this dataplane was built without the back end %s",
		    lp_backend_name(backend) ? lp_backend_name(backend) : "?");
		return -EOPNOTSUPP;
	}
	if (ports->ops && ports->ops != ops) {
		snprintf(why, LP_WHY_SIZE,
		    "%s beside %s: all ports of one dataplane have one back "
		    "end, until it is restarted",
		    ops->name, ports->ops->name);
		return -EINVAL;
	}
	if (ports->pool)
		return 0;
	error = ops->pool_open(&ports->pool, &config, why);
	if (!error)
		ports->ops = ops;
	return error;
}

static int
open_port(struct lp_ports *ports, struct lp_port_slot *slot,
    const struct lp_port_object *object, bool known, char why[LP_WHY_SIZE])
{
	const struct lp_port_config config = {
	    .slot = (uint8_t)(slot - ports->slots),
	    .object = *object,
	    .pool = ports->pool,
	    .keep = ports->keep,
	    .known = known,
	};
	int error;

	assert(!slot->port && !slot->reclaiming);
	error = ports->ops->open(&slot->port, &config, why);
	if (error)
		return error;
	slot->object = *object;
	slot->ifindex = 0;
	slot->down = false;
	slot->why[0] = '\0';
	return 0;
}

static void
close_port(struct lp_ports *ports, struct lp_port_slot *slot)
{
	ports->ops->close(slot->port);
	slot->port = NULL;
	slot->fresh = false;
	slot->gone = false;
	slot->reclaiming = true;
}

static bool
watch_open(struct lp_ports *ports, struct lp_port_slot *slot)
{
	const struct lp_port was = *slot->port;
	struct lp_port_link link = {0};

	if (slot->gone)
		return true; /* known, but not yet published */
	ports->ops->link(slot->port, &link);
	if (!link.present) {
		snprintf(slot->why, sizeof(slot->why), "%s",
		    link.why[0] ? link.why : "device is gone");
		lp_log_warn("port %s: %s is lost: %s", slot->object.name,
		    slot->object.device, slot->why);
		slot->gone = true;
		return true;
	}
	if (link.up == slot->down) {
		slot->down = !link.up;
		lp_log_info("port %s: link is %s%s%s", slot->object.name,
		    link.up ? "up" : "down", link.why[0] ? ": " : "", link.why);
		/* Switches may have learnt otherwise meanwhile. */
		if (link.up)
			slot->port->incarnation++;
	}
	if (was.mtu != slot->port->mtu)
		lp_log_info("port %s: MTU %d, was %d", slot->object.name,
		    slot->port->mtu, was.mtu);
	return was.mtu != slot->port->mtu ||
	    was.incarnation != slot->port->incarnation;
}

static bool
watch_closed(struct lp_ports *ports, struct lp_port_slot *slot)
{
	char why[LP_WHY_SIZE] = "";
	unsigned was = slot->ifindex;
	int error = choose_backend(ports, slot->object.backend, why);

	if (!error)
		error = open_port(ports, slot, &slot->object, true, why);
	if (!error) {
		lp_log_info("port %s: open on %s", slot->object.name,
		    slot->object.device);
		return true;
	}
	if (strcmp(why, slot->why) != 0)
		lp_log_warn("port %s: cannot be opened on %s: %s; it is tried "
			    "again each second",
		    slot->object.name, slot->object.device, why);
	memcpy(slot->why, why, sizeof(slot->why));
	/* Its peer steers to the device, whether or not we have it open. */
	slot->ifindex = lp_object_has_peer(&slot->object)
	    ? if_nametoindex(slot->object.device)
	    : 0;
	return ports->pool && slot->ifindex != was;
}

/* Somebody may set another MTU on one of a pair: the wire stays all the same.
 */
static void
watch_pair(struct lp_ports *ports, struct lp_port_slot *slot)
{
	char why[LP_WHY_SIZE] = "";

	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		const struct lp_port_slot *peer = &ports->slots[i];

		if (!lp_object_has_peer(&slot->object) || !peer->port ||
		    peer->gone || peer->port->mtu == slot->port->mtu ||
		    strcmp(peer->object.name, slot->object.peer) != 0)
			continue;
		snprintf(why, sizeof(why),
		    "MTU %d, but %d on %.60s of its peer: what does not fit "
		    "both is lost",
		    slot->port->mtu, peer->port->mtu, peer->object.device);
	}
	if (why[0] && strcmp(why, slot->why) != 0)
		lp_log_warn("port %s: %s", slot->object.name, why);
	memcpy(slot->why, why, sizeof(slot->why));
}

static int
steer_port(struct lp_ports *ports, struct lp_port_slot *slot,
    const struct lp_config *const configs[], size_t count, uint64_t generation,
    char why[LP_WHY_SIZE])
{
	const struct lp_port_object *objects[2] = {NULL, NULL};
	const struct lp_port_object *peer = NULL;
	struct lp_steering steering;
	struct lp_steer steer = {.generation = generation};
	int error;

	assert(count <= 2);
	for (size_t i = 0; i < count; i++) {
		const struct lp_object *object = find_object(configs[i], slot);

		objects[i] = object ? &object->port : NULL;
		if (object)
			peer = find_peer_object(configs[i], &object->port);
	}
	if (peer) {
		steer.peer = find_port(ports, peer);
		steer.peer_device = peer->device;
	}
	error = lp_steering_init(&steering, configs, objects, count);
	if (error) {
		snprintf(why, LP_WHY_SIZE, "%s", strerror(-error));
		return error;
	}
	steer.addresses = steering.addresses;
	steer.address_count = steering.address_count;
	steer.sources = steering.sources;
	steer.source_count = steering.source_count;
	steer.is_inline = steering.is_inline;
	steer.wire_on_loss = steering.wire_on_loss;
	error = ports->ops->steer(slot->port, &steer, why);
	lp_steering_fini(&steering);
	return error;
}

static int
refuse(struct lp_refusal *refusal, uint32_t id, const char *name,
    const char *field, const char *why)
{
	memset(refusal, 0, sizeof(*refusal));
	refusal->code = LP__PB__REJECTED__CODE__RESOURCE;
	refusal->object_id = id;
	refusal->field = field;
	snprintf(refusal->object, sizeof(refusal->object), "port %s", name);
	snprintf(refusal->why, sizeof(refusal->why), "%s", why);
	return -EINVAL;
}
