/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 * lp_config_check() runs the steps below in order and stops at the first that
 * finds something.  A step may rely on what those before it proved: that
 * every object is right by itself, and that every id it names exists.
 *
 * Where two objects collide the one with the higher id is blamed: it came
 * later, so it is most likely the one of the command that is being judged.
 *
 * Limits
 *
 * Steps compare many objects by sorting them in an array on the stack, sized
 * by proto/limits.h: no allocation, hence no failure that is not the
 * configuration's own.
 */
#include "proto/config_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/devargs.h"

static lp_config_check_step check_objects;
static lp_config_check_step check_backends;
static lp_config_check_step check_references;
static lp_config_check_step check_unique;
static lp_config_check_step check_pairs;
static int check_same(
    const struct lp_config_check *check, const struct lp_object *object);
static int check_endpoint_references(
    const struct lp_config_check *check, const struct lp_object *object);
static int check_inline_endpoint(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object *broker);

int
lp_config_check(const struct lp_config *config, struct lp_config_error *error)
{
	return lp_config_check_change(config, NULL, error);
}

int
lp_config_check_change(const struct lp_config *config,
    const struct lp_config *passed, struct lp_config_error *error)
{
	static lp_config_check_step *const steps[] = {
	    check_objects,
	    check_backends,
	    check_references,
	    check_unique,
	    check_pairs,
	    lp_config_check_peer,
	    lp_config_check_rule,
	    lp_config_check_net,
	};
	const struct lp_config_check check = {
	    .config = config, .passed = passed, .error = error};
	int rc = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !rc; i++)
		rc = steps[i](&check);
	return rc;
}

int
lp_config_check_refuse(const struct lp_config_check *check,
    const struct lp_object *object, const char *field, const char *format, ...)
{
	struct lp_config_error *error = check->error;
	va_list args;

	error->object_id = object->id;
	lp_config_label(check->config, object, error->object);
	error->lacks = 0;
	error->field = field;
	va_start(args, format);
	vsnprintf(error->why, sizeof(error->why), format, args);
	va_end(args);
	return -EINVAL;
}

int
lp_config_check_lacks(const struct lp_config_check *check, int rc,
    enum lp_object_kind kind, const char *name)
{
	check->error->lacks = (uint8_t)kind;
	snprintf(
	    check->error->lacking, sizeof(check->error->lacking), "%s", name);
	return rc;
}

size_t
lp_config_check_list(const struct lp_config_check *check,
    enum lp_object_kind kind, const struct lp_object **list)
{
	size_t first, count = lp_config_range(check->config, kind, &first);

	for (size_t i = 0; i < count; i++)
		list[i] = &check->config->objects[first + i];
	return count;
}

const struct lp_object *
lp_config_check_double(const struct lp_object **list, size_t count,
    int (*compare)(const void *a, const void *b),
    const struct lp_object **other)
{
	qsort(list, count, sizeof(*list), compare);
	for (size_t i = 1; i < count; i++) {
		bool ordered = list[i - 1]->id < list[i]->id;

		if (compare(&list[i - 1], &list[i]) != 0)
			continue;
		*other = list[ordered ? i - 1 : i];
		return list[ordered ? i : i - 1];
	}
	return NULL;
}

/* ---- each object, and what it names ---------------------------------- */

static int
check_objects(const struct lp_config_check *check)
{
	size_t count = lp_config_count_plain(check->config);

	/* Rules are for lp_config_check_rule(), which reads them. */
	for (size_t i = 0; i < count; i++) {
		const struct lp_object *object = &check->config->objects[i];
		char why[LP_WHY_SIZE];
		const char *field;

		if (object->id == 0)
			return lp_config_check_refuse(
			    check, object, "id", "0 is no id");
		if (lp_object_check(object, &field, why))
			return lp_config_check_refuse(
			    check, object, field, "%s", why);
	}
	return 0;
}

/*
 * All ports of a dataplane share one pool of packets, which one back end
 * makes.
 */
static int
check_backends(const struct lp_config_check *check)
{
	static const char *const titles[] = {
	    [LP_BACKEND_AF_XDP] = "AF_XDP",
	    [LP_BACKEND_DPDK] = "DPDK",
	    [LP_BACKEND_MEMORY] = "memory",
	};
	const struct lp_object *ports[LP_PORTS_MAX];
	size_t count = lp_config_check_list(check, LP_OBJECT_PORT, ports);

	for (size_t i = 1; i < count; i++) {
		bool ordered = ports[0]->port.backend < ports[i]->port.backend;
		const struct lp_port_object *a = &ports[ordered ? 0 : i]->port;
		const struct lp_port_object *b = &ports[ordered ? i : 0]->port;

		if (a->backend == b->backend)
			continue;
		return lp_config_check_refuse(check, ports[i], "backend",
		    "%s and %s ports cannot be mixed in one dataplane: port "
		    "%s is %s, port %s is %s",
		    titles[a->backend], titles[b->backend], a->name,
		    lp_backend_name(a->backend), b->name,
		    lp_backend_name(b->backend));
	}
	return 0;
}

static int
check_references(const struct lp_config_check *check)
{
	const struct lp_config *config = check->config;
	size_t count = lp_config_count_plain(config);

	for (size_t i = 0; i < count; i++) {
		const struct lp_object *object = &config->objects[i];
		uint32_t id;
		int rc = 0;

		if (object->kind == LP_OBJECT_ENDPOINT)
			rc = check_endpoint_references(check, object);
		else if (object->kind == LP_OBJECT_CLUSTER)
			rc = check_same(check, object);
		if (rc)
			return rc;
		if (object->kind == LP_OBJECT_BROKER)
			id = object->broker.cluster_id;
		else if (object->kind == LP_OBJECT_LISTENER)
			id = object->listener.cluster_id;
		else
			continue;
		if (!lp_config_find(config, LP_OBJECT_CLUSTER, id))
			return lp_config_check_refuse(check, object, "cluster",
			    "there is no cluster with id %u", id);
	}
	return 0;
}

/* One step, and never a chain: who asks need not follow it. */
static int
check_same(const struct lp_config_check *check, const struct lp_object *object)
{
	uint32_t id = object->cluster.same_as;
	const struct lp_object *other =
	    lp_config_find(check->config, LP_OBJECT_CLUSTER, id);

	if (id == 0)
		return 0;
	if (!other)
		return lp_config_check_refuse(check, object, "same_as",
		    "there is no cluster with id %u", id);
	if (other == object)
		return lp_config_check_refuse(
		    check, object, "same_as", "that is the cluster itself");
	if (other->cluster.same_as != 0)
		return lp_config_check_refuse(check, object, "same_as",
		    "cluster %s is itself the same as another one",
		    other->cluster.name);
	return 0;
}

static int
check_endpoint_references(
    const struct lp_config_check *check, const struct lp_object *object)
{
	const struct lp_endpoint_object *endpoint = &object->endpoint;
	const struct lp_object *listener, *broker;
	char label[LP_OBJECT_LABEL_SIZE];
	char text[LP_IP_TEXT_SIZE];

	listener = lp_config_find(
	    check->config, LP_OBJECT_LISTENER, endpoint->listener_id);
	if (!listener)
		return lp_config_check_refuse(check, object, "listener",
		    "there is no listener with id %u", endpoint->listener_id);
	broker = lp_config_find(
	    check->config, LP_OBJECT_BROKER, endpoint->broker_id);
	if (!broker)
		return lp_config_check_refuse(check, object, "broker",
		    "there is no broker with id %u", endpoint->broker_id);
	if (listener->listener.cluster_id != broker->broker.cluster_id)
		return lp_config_check_refuse(check, object, "broker",
		    "%s is of another cluster",
		    lp_config_label(check->config, broker, label));
	if (listener->listener.mode == LP_MODE_INLINE)
		return check_inline_endpoint(check, object, broker);
	if (!endpoint->chosen &&
	    !lp_ip_equal(&endpoint->vip.ip, &listener->listener.vip.ip))
		return lp_config_check_refuse(check, object, "vip",
		    "%s is not the address of %s",
		    lp_ip_format(text, &endpoint->vip.ip),
		    lp_config_label(check->config, listener, label));
	return 0;
}

/* Clients reach it where it really is. */
static int
check_inline_endpoint(const struct lp_config_check *check,
    const struct lp_object *object, const struct lp_object *broker)
{
	const struct lp_endpoint *vip = &object->endpoint.vip;
	const struct lp_endpoint *real = &broker->broker.real;
	char text[LP_ENDPOINT_TEXT_SIZE], label[LP_OBJECT_LABEL_SIZE];

	if (object->endpoint.chosen)
		return lp_config_check_refuse(check, object, "vip",
		    "there is nothing to choose: clients of an inline listener "
		    "connect to the brokers themselves");
	if (vip->port == real->port && lp_ip_equal(&vip->ip, &real->ip))
		return 0;
	return lp_config_check_refuse(check, object, "vip",
	    "%s is not where %s is", lp_endpoint_format(text, vip),
	    lp_config_label(check->config, broker, label));
}

/* ---- what only one may have ------------------------------------------ */

static int
by_port_name(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;

	return strcmp((*left)->port.name, (*right)->port.name);
}

/* Ports of one back end: that is proven already. */
static int
by_device(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;

	if ((*left)->port.backend == LP_BACKEND_DPDK)
		return lp_devargs_compare(
		    (*left)->port.device, (*right)->port.device);
	return strcmp((*left)->port.device, (*right)->port.device);
}

static int
by_cluster_name(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;

	return strcmp((*left)->cluster.name, (*right)->cluster.name);
}

static int
by_node_id(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;
	const struct lp_broker_object *l = &(*left)->broker;
	const struct lp_broker_object *r = &(*right)->broker;
	int rc = lp_config_check_order(l->cluster_id, r->cluster_id);

	return rc
	    ? rc
	    : lp_config_check_order((uint32_t)l->node_id, (uint32_t)r->node_id);
}

/* Two nodes of one cluster at one place can only be a slip. */
static int
by_real(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;
	const struct lp_broker_object *l = &(*left)->broker;
	const struct lp_broker_object *r = &(*right)->broker;
	int rc = lp_config_check_order(l->cluster_id, r->cluster_id);

	if (!rc)
		rc = memcmp(&l->real.ip, &r->real.ip, sizeof(l->real.ip));
	return rc ? rc : lp_config_check_order(l->real.port, r->real.port);
}

static int
by_listener_name(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;
	const struct lp_listener_object *l = &(*left)->listener;
	const struct lp_listener_object *r = &(*right)->listener;
	int rc = lp_config_check_order(l->cluster_id, r->cluster_id);

	return rc ? rc : strcmp(l->name, r->name);
}

static int
by_pair(const void *a, const void *b)
{
	const struct lp_object *const *left = a, *const *right = b;
	const struct lp_endpoint_object *l = &(*left)->endpoint;
	const struct lp_endpoint_object *r = &(*right)->endpoint;
	int rc = lp_config_check_order(l->listener_id, r->listener_id);

	return rc ? rc : lp_config_check_order(l->broker_id, r->broker_id);
}

static int
check_unique(const struct lp_config_check *check)
{
	static const struct {
		enum lp_object_kind kind;
		int (*compare)(const void *a, const void *b);
		const char *field;
	} keys[] = {
	    {LP_OBJECT_PORT, by_port_name, "name"},
	    {LP_OBJECT_PORT, by_device, "device"},
	    {LP_OBJECT_CLUSTER, by_cluster_name, "name"},
	    {LP_OBJECT_BROKER, by_node_id, "node_id"},
	    {LP_OBJECT_BROKER, by_real, "endpoint"},
	    {LP_OBJECT_LISTENER, by_listener_name, "name"},
	    {LP_OBJECT_ENDPOINT, by_pair, "broker"},
	};
	const struct lp_object *list[LP_ENDPOINTS_MAX];
	const struct lp_object *object, *other;
	char label[LP_OBJECT_LABEL_SIZE];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		object = lp_config_check_double(list,
		    lp_config_check_list(check, keys[i].kind, list),
		    keys[i].compare, &other);
		if (object)
			return lp_config_check_refuse(check, object,
			    keys[i].field, "is already taken by %s",
			    lp_config_label(check->config, other, label));
	}
	return 0;
}

/*
 * Every listener has an endpoint for every broker of its cluster, but for those
 * whose node id makes no port.  That there are no others, and none twice, is
 * proven already.
 */
static int
check_pairs(const struct lp_config_check *check)
{
	const struct lp_object *brokers[LP_BROKERS_MAX];
	const struct lp_object *listeners[LP_LISTENERS_MAX];
	const struct lp_object *endpoints[LP_ENDPOINTS_MAX];
	size_t broker_count =
	    lp_config_check_list(check, LP_OBJECT_BROKER, brokers);
	size_t listener_count =
	    lp_config_check_list(check, LP_OBJECT_LISTENER, listeners);
	size_t count =
	    lp_config_check_list(check, LP_OBJECT_ENDPOINT, endpoints);
	struct lp_object pair = {.kind = LP_OBJECT_ENDPOINT};
	const struct lp_object *key = &pair;
	char label[LP_OBJECT_LABEL_SIZE];

	qsort(endpoints, count, sizeof(endpoints[0]), by_pair);
	for (size_t i = 0; i < listener_count * broker_count; i++) {
		const struct lp_object *l = listeners[i / broker_count];
		const struct lp_object *b = brokers[i % broker_count];

		if (l->listener.cluster_id != b->broker.cluster_id ||
		    (l->listener.mode == LP_MODE_VIP &&
			!lp_object_has_room(&l->listener, b->broker.node_id)))
			continue;
		pair.endpoint.listener_id = l->id;
		pair.endpoint.broker_id = b->id;
		if (!bsearch(&key, endpoints, count, sizeof(key), by_pair))
			return lp_config_check_refuse(check, l, "broker",
			    "has no endpoint for %s",
			    lp_config_label(check->config, b, label));
	}
	return 0;
}
