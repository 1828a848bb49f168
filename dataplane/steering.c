/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/steering.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void add_addresses(struct lp_steering *steering,
    const struct lp_config *config, const struct lp_port_object *port);
static struct lp_ip *add_endpoints(
    struct lp_ip *next, const struct lp_config *config);
static void add_sources(
    struct lp_steering *steering, const struct lp_config *config);
static void add_source(
    struct lp_steering *steering, const struct lp_broker_object *broker);
static void add_inline(
    struct lp_steering *steering, const struct lp_config *config);
static bool preserves_sources(
    const struct lp_config *config, uint32_t cluster_id);
static bool is_inline(const struct lp_config *config, uint32_t cluster_id);
static size_t sort_unique(void *base, size_t count, size_t size,
    int (*compare)(const void *, const void *));
static int compare_ip(const void *a, const void *b);
static int compare_endpoint(const void *a, const void *b);

int
lp_steering_init(struct lp_steering *steering,
    const struct lp_config *const configs[],
    const struct lp_port_object *const ports[], size_t count)
{
	size_t most = 0;

	/* Every object has at most one VIP or broker, a port its addresses. */
	for (size_t i = 0; i < count; i++)
		if (ports[i])
			most += configs[i]->count + LP_PORT_ADDRESSES_MAX;
	memset(steering, 0, sizeof(*steering));
	steering->addresses = calloc(most + 1, sizeof(*steering->addresses));
	steering->sources = calloc(most + 1, sizeof(*steering->sources));
	if (!steering->addresses || !steering->sources) {
		lp_steering_fini(steering);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		if (!ports[i])
			continue;
		steering->is_inline = lp_object_has_peer(ports[i]);
		steering->wire_on_loss = ports[i]->on_loss == LP_ON_LOSS_WIRE;
		if (steering->is_inline) {
			add_inline(steering, configs[i]);
			continue;
		}
		add_addresses(steering, configs[i], ports[i]);
		if (ports[i]->side & LP_SIDE_BROKER)
			add_sources(steering, configs[i]);
	}
	steering->address_count = sort_unique(steering->addresses,
	    steering->address_count, sizeof(*steering->addresses), compare_ip);
	steering->source_count =
	    sort_unique(steering->sources, steering->source_count,
		sizeof(*steering->sources), compare_endpoint);
	return 0;
}

void
lp_steering_fini(struct lp_steering *steering)
{
	free(steering->addresses);
	free(steering->sources);
	memset(steering, 0, sizeof(*steering));
}

static void
add_addresses(struct lp_steering *steering, const struct lp_config *config,
    const struct lp_port_object *port)
{
	struct lp_ip *next = steering->addresses + steering->address_count;
	size_t first;
	size_t count;

	for (size_t i = 0; i < port->address_count; i++)
		*next++ = port->addresses[i].ip;
	if (port->side & LP_SIDE_CLIENT) {
		count = lp_config_range(config, LP_OBJECT_LISTENER, &first);
		for (size_t i = first; i < first + count; i++)
			if (config->objects[i].listener.mode == LP_MODE_VIP)
				*next++ = config->objects[i].listener.vip.ip;
		next = add_endpoints(next, config);
	}
	steering->address_count = (size_t)(next - steering->addresses);
}

/* A broker may have a VIP of its own. */
static struct lp_ip *
add_endpoints(struct lp_ip *next, const struct lp_config *config)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_ENDPOINT, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_endpoint_object *endpoint =
		    &config->objects[i].endpoint;
		const struct lp_object *listener = lp_config_find(
		    config, LP_OBJECT_LISTENER, endpoint->listener_id);

		if (listener->listener.mode == LP_MODE_VIP &&
		    !lp_ip_equal(&endpoint->vip.ip, &listener->listener.vip.ip))
			*next++ = endpoint->vip.ip;
	}
	return next;
}

static void
add_sources(struct lp_steering *steering, const struct lp_config *config)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_BROKER, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_broker_object *broker =
		    &config->objects[i].broker;

		if (preserves_sources(config, broker->cluster_id))
			add_source(steering, broker);
	}
}

static void
add_source(struct lp_steering *steering, const struct lp_broker_object *broker)
{
	struct lp_endpoint *place = &steering->sources[steering->source_count];

	place->ip = broker->real.ip;
	place->port = broker->real.port;
	steering->source_count++;
}

static void
add_inline(struct lp_steering *steering, const struct lp_config *config)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_BROKER, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_broker_object *broker =
		    &config->objects[i].broker;

		if (is_inline(config, broker->cluster_id))
			add_source(steering, broker);
	}
}

static bool
preserves_sources(const struct lp_config *config, uint32_t cluster_id)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count; i++)
		if (config->objects[i].listener.cluster_id == cluster_id &&
		    config->objects[i].listener.mode == LP_MODE_VIP &&
		    config->objects[i].listener.source_address ==
			LP_SOURCE_PRESERVE)
			return true;
	return false;
}

static bool
is_inline(const struct lp_config *config, uint32_t cluster_id)
{
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count; i++)
		if (config->objects[i].listener.cluster_id == cluster_id &&
		    config->objects[i].listener.mode == LP_MODE_INLINE)
			return true;
	return false;
}

static size_t
sort_unique(void *base, size_t count, size_t size,
    int (*compare)(const void *, const void *))
{
	uint8_t *items = base;
	size_t kept = 0;

	qsort(base, count, size, compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 ||
		    compare(items + (kept - 1) * size, items + i * size) != 0)
			memmove(items + kept++ * size, items + i * size, size);
	return kept;
}

static int
compare_ip(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct lp_ip));
}

static int
compare_endpoint(const void *a, const void *b)
{
	const struct lp_endpoint *left = a;
	const struct lp_endpoint *right = b;
	int order = compare_ip(&left->ip, &right->ip);

	return order ? order : (int)left->port - (int)right->port;
}
