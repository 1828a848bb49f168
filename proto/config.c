/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/digest.h"
#include "proto/message.h"

enum { SIZE_FIRST = 16 }; /* places allocated at first */

static const size_t kind_max[LP_OBJECT_KINDS] = {
    [LP_OBJECT_PORT] = LP_PORTS_MAX,
    [LP_OBJECT_CLUSTER] = LP_CLUSTERS_MAX,
    [LP_OBJECT_BROKER] = LP_BROKERS_MAX,
    [LP_OBJECT_LISTENER] = LP_LISTENERS_MAX,
    [LP_OBJECT_ENDPOINT] = LP_ENDPOINTS_MAX,
    [LP_OBJECT_RULE] = LP_RULES_MAX,
};

static int compare(const struct lp_object *object, unsigned kind, uint32_t id);
static size_t lower_bound(
    const struct lp_config *config, unsigned kind, uint32_t id);
static const struct lp_object *find_next(
    const struct lp_config *config, size_t *at, const struct lp_object *object);
static int make_room(struct lp_config *config);
static bool is_same(const struct lp_object *a, const struct lp_object *b);
static const char *cluster_name(
    const struct lp_config *config, uint32_t id, char buf[LP_NAME_SIZE]);

void
lp_config_init(struct lp_config *config)
{
	*config = (struct lp_config){0};
}

void
lp_config_fini(struct lp_config *config)
{
	free(config->objects);
	lp_config_init(config);
}

int
lp_config_copy(struct lp_config *to, const struct lp_config *from)
{
	return lp_config_copy_part(to, from, 0, from->count);
}

int
lp_config_copy_part(struct lp_config *to, const struct lp_config *from,
    size_t first, size_t count)
{
	struct lp_object *objects = NULL;

	assert(to != from);
	assert(first + count <= from->count);
	if (count > 0) {
		objects = calloc(count, sizeof(*objects));
		if (!objects)
			return -ENOMEM;
		memcpy(
		    objects, from->objects + first, count * sizeof(*objects));
	}
	lp_config_fini(to);
	to->objects = objects;
	to->count = to->size = count;
	return 0;
}

size_t
lp_config_max(enum lp_object_kind kind)
{
	return kind_max[kind];
}

int
lp_config_put(struct lp_config *config, const struct lp_object *object)
{
	size_t at = lower_bound(config, object->kind, object->id);
	struct lp_object *place;
	size_t first;
	int rc;

	assert(lp_object_kind_name(object->kind));
	if (at < config->count &&
	    compare(&config->objects[at], object->kind, object->id) == 0) {
		memmove(&config->objects[at], object, sizeof(*object));
		return 0;
	}
	if (lp_config_range(config, object->kind, &first) >=
	    kind_max[object->kind] * (config->is_making ? 2 : 1))
		return -ENOSPC;
	rc = make_room(config);
	if (rc)
		return rc;
	place = &config->objects[at];
	memmove(place + 1, place, (config->count - at) * sizeof(*place));
	memcpy(place, object, sizeof(*place));
	config->count++;
	assert(config->count <= config->size);
	return 0;
}

int
lp_config_append(struct lp_config *config, const struct lp_object *object)
{
	int rc = make_room(config);

	if (rc)
		return rc;
	assert(config->count == 0 ||
	    compare(&config->objects[config->count - 1], object->kind,
		object->id) < 0);
	memcpy(&config->objects[config->count++], object, sizeof(*object));
	return 0;
}

/* What is last is more, mostly: it stays where it is. */
int
lp_config_join(struct lp_config *config, struct lp_config *last)
{
	size_t count = config->count + last->count;
	struct lp_object *objects;

	if (last->count == 0) {
		lp_config_fini(last);
		return 0;
	}
	objects = reallocarray(last->objects, count, sizeof(*objects));
	if (!objects)
		return -ENOMEM;
	memmove(
	    objects + config->count, objects, last->count * sizeof(*objects));
	if (config->count > 0)
		memcpy(
		    objects, config->objects, config->count * sizeof(*objects));
	free(config->objects);
	lp_config_init(last);
	config->objects = objects;
	config->count = config->size = count;
	return 0;
}

int
lp_config_remove(
    struct lp_config *config, enum lp_object_kind kind, uint32_t id)
{
	size_t at = lower_bound(config, kind, id);
	struct lp_object *place;

	if (at == config->count || compare(&config->objects[at], kind, id) != 0)
		return -ENOENT;
	place = &config->objects[at];
	config->count--;
	memmove(place, place + 1, (config->count - at) * sizeof(*place));
	return 0;
}

void
lp_config_remove_all(struct lp_config *config, enum lp_object_kind kind,
    const uint32_t *ids, size_t count)
{
	size_t from, to, taken = 0;

	if (count == 0)
		return;
	from = to = lower_bound(config, kind, ids[0]);
	for (; taken < count; from++) {
		assert(from < config->count);
		if (compare(&config->objects[from], kind, ids[taken]) == 0)
			taken++;
		else
			memcpy(&config->objects[to++], &config->objects[from],
			    sizeof(config->objects[0]));
	}
	memmove(&config->objects[to], &config->objects[from],
	    (config->count - from) * sizeof(config->objects[0]));
	config->count -= count;
}

const struct lp_object *
lp_config_find(
    const struct lp_config *config, enum lp_object_kind kind, uint32_t id)
{
	size_t at = lower_bound(config, kind, id);

	if (at == config->count || compare(&config->objects[at], kind, id) != 0)
		return NULL;
	return &config->objects[at];
}

const struct lp_object *
lp_config_find_name(const struct lp_config *config, enum lp_object_kind kind,
    uint32_t cluster_id, const char *name)
{
	size_t first, count = lp_config_range(config, kind, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *object = &config->objects[i];

		if (kind == LP_OBJECT_PORT &&
		    strcmp(object->port.name, name) == 0)
			return object;
		if (kind == LP_OBJECT_CLUSTER &&
		    strcmp(object->cluster.name, name) == 0)
			return object;
		if (kind == LP_OBJECT_LISTENER &&
		    object->listener.cluster_id == cluster_id &&
		    strcmp(object->listener.name, name) == 0)
			return object;
		if (kind == LP_OBJECT_RULE &&
		    strcmp(object->rule.name, name) == 0)
			return object;
	}
	return NULL;
}

const struct lp_object *
lp_config_find_text(
    const struct lp_config *config, enum lp_object_kind kind, const char *text)
{
	const char *slash = strchr(text, '/');
	const struct lp_object *cluster;
	char name[LP_NAME_SIZE];

	if (kind != LP_OBJECT_LISTENER)
		return lp_config_find_name(config, kind, 0, text);
	if (!slash || (size_t)(slash - text) >= sizeof(name))
		return NULL;
	memcpy(name, text, (size_t)(slash - text));
	name[slash - text] = '\0';
	cluster = lp_config_find_name(config, LP_OBJECT_CLUSTER, 0, name);
	return cluster
	    ? lp_config_find_name(config, kind, cluster->id, slash + 1)
	    : NULL;
}

const struct lp_object *
lp_config_find_broker(
    const struct lp_config *config, uint32_t cluster_id, int32_t node_id)
{
	size_t first, count;

	count = lp_config_range(config, LP_OBJECT_BROKER, &first);
	for (size_t i = first; i < first + count; i++) {
		const struct lp_broker_object *broker =
		    &config->objects[i].broker;

		if (broker->cluster_id == cluster_id &&
		    broker->node_id == node_id)
			return &config->objects[i];
	}
	return NULL;
}

uint32_t
lp_config_root(const struct lp_config *config, uint32_t cluster_id)
{
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, cluster_id);

	return cluster && cluster->cluster.same_as != 0
	    ? cluster->cluster.same_as
	    : cluster_id;
}

const struct lp_object *
lp_config_find_endpoint(
    const struct lp_config *config, uint32_t listener_id, uint32_t broker_id)
{
	size_t first, count;

	count = lp_config_range(config, LP_OBJECT_ENDPOINT, &first);
	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *object = &config->objects[i];

		if (object->endpoint.listener_id == listener_id &&
		    object->endpoint.broker_id == broker_id)
			return object;
	}
	return NULL;
}

const struct lp_object *
lp_config_next_missing(const struct lp_config *config,
    const struct lp_object *listener, size_t *index)
{
	const struct lp_listener_object *at = &listener->listener;
	size_t first, count;

	if (at->mode != LP_MODE_VIP)
		return NULL;
	count = lp_config_range(config, LP_OBJECT_BROKER, &first);
	while (*index < count) {
		const struct lp_object *broker =
		    &config->objects[first + (*index)++];

		if (broker->broker.cluster_id == at->cluster_id &&
		    !lp_object_has_room(at, broker->broker.node_id) &&
		    !lp_config_find_endpoint(config, listener->id, broker->id))
			return broker;
	}
	return NULL;
}

size_t
lp_config_range(
    const struct lp_config *config, enum lp_object_kind kind, size_t *first)
{
	*first = lower_bound(config, kind, 0);
	return lower_bound(config, kind + 1u, 0) - *first;
}

size_t
lp_config_count_plain(const struct lp_config *config)
{
	return lower_bound(config, LP_OBJECT_RULE, 0);
}

char *
lp_config_label(const struct lp_config *config, const struct lp_object *object,
    char buf[LP_OBJECT_LABEL_SIZE])
{
	const struct lp_object *listener, *broker;
	char cluster[LP_NAME_SIZE], name[LP_NAME_SIZE];

	switch (object->kind) {
	case LP_OBJECT_PORT:
		snprintf(
		    buf, LP_OBJECT_LABEL_SIZE, "port %s", object->port.name);
		break;
	case LP_OBJECT_CLUSTER:
		snprintf(buf, LP_OBJECT_LABEL_SIZE, "cluster %s",
		    object->cluster.name);
		break;
	case LP_OBJECT_BROKER:
		snprintf(buf, LP_OBJECT_LABEL_SIZE, "broker %s/%d",
		    cluster_name(config, object->broker.cluster_id, cluster),
		    object->broker.node_id);
		break;
	case LP_OBJECT_LISTENER:
		snprintf(buf, LP_OBJECT_LABEL_SIZE, "listener %s/%s",
		    cluster_name(config, object->listener.cluster_id, cluster),
		    object->listener.name);
		break;
	case LP_OBJECT_ENDPOINT:
		listener = lp_config_find(
		    config, LP_OBJECT_LISTENER, object->endpoint.listener_id);
		broker = lp_config_find(
		    config, LP_OBJECT_BROKER, object->endpoint.broker_id);
		if (!listener || !broker) {
			snprintf(buf, LP_OBJECT_LABEL_SIZE, "endpoint %u",
			    object->id);
			break;
		}
		memcpy(name, listener->listener.name, sizeof(name));
		snprintf(buf, LP_OBJECT_LABEL_SIZE, "endpoint %s/%s/%d",
		    cluster_name(
			config, listener->listener.cluster_id, cluster),
		    name, broker->broker.node_id);
		break;
	case LP_OBJECT_RULE:
		snprintf(
		    buf, LP_OBJECT_LABEL_SIZE, "rule %s", object->rule.name);
		break;
	default:
		snprintf(buf, LP_OBJECT_LABEL_SIZE, "object %u", object->id);
	}
	return buf;
}

/*
 * Each object goes in as its kind, its id and the length of its bytes, in
 * network order, and then the bytes: no two configurations share a stream.
 */
uint64_t
lp_config_digest(const struct lp_config *config)
{
	struct lp_digest *digest = lp_digest_new();
	uint8_t packed[LP_OBJECT_PACKED_MAX];

	if (digest == NULL)
		return 0;
	for (size_t i = 0; i < config->count; i++) {
		const struct lp_object *object = &config->objects[i];
		size_t len =
		    lp_message_pack_object(packed, sizeof(packed), object);

		lp_digest_add(digest, object, packed, len);
	}
	return lp_digest_end(digest);
}

int
lp_config_diff(const struct lp_config *from, const struct lp_config *to,
    const struct lp_config_diff *diff)
{
	const struct lp_object *object, *other;
	size_t at = 0;
	int rc;

	for (size_t i = 0; i < from->count; i++) {
		object = &from->objects[i];
		if (find_next(to, &at, object))
			continue;
		rc = diff->gone(diff->arg, object);
		if (rc)
			return rc;
	}
	at = 0;
	for (size_t i = 0; i < to->count; i++) {
		object = &to->objects[i];
		other = find_next(from, &at, object);
		if (other && is_same(object, other))
			continue;
		rc = diff->put(diff->arg, object, !other);
		if (rc)
			return rc;
	}
	return 0;
}

/* The object of the same kind and id; of one that is not before the last. */
static const struct lp_object *
find_next(
    const struct lp_config *config, size_t *at, const struct lp_object *object)
{
	int order = -1;

	while (*at < config->count &&
	    (order = compare(&config->objects[*at], object->kind, object->id)) <
		0)
		(*at)++;
	return *at < config->count && order == 0 ? &config->objects[*at] : NULL;
}

static int
compare(const struct lp_object *object, unsigned kind, uint32_t id)
{
	if (object->kind != kind)
		return object->kind < kind ? -1 : 1;
	if (object->id != id)
		return object->id < id ? -1 : 1;
	return 0;
}

/* The first place whose object is not before (kind, id). */
static size_t
lower_bound(const struct lp_config *config, unsigned kind, uint32_t id)
{
	size_t low = 0, high = config->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&config->objects[middle], kind, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
make_room(struct lp_config *config)
{
	struct lp_object *objects;
	size_t size;

	if (config->count < config->size)
		return 0;
	size = config->size ? config->size * 2 : SIZE_FIRST;
	objects = reallocarray(config->objects, size, sizeof(*objects));
	if (!objects)
		return -ENOMEM;
	config->objects = objects;
	config->size = size;
	return 0;
}

/*
 * By their packed bytes, as the digest sees them: the padding of a struct
 * that was assigned member by member may differ.
 */
static bool
is_same(const struct lp_object *a, const struct lp_object *b)
{
	uint8_t packed_a[LP_OBJECT_PACKED_MAX], packed_b[LP_OBJECT_PACKED_MAX];
	size_t len_a, len_b;

	if (memcmp(a, b, sizeof(*a)) == 0)
		return true;
	len_a = lp_message_pack_object(packed_a, sizeof(packed_a), a);
	len_b = lp_message_pack_object(packed_b, sizeof(packed_b), b);
	return len_a == len_b && memcmp(packed_a, packed_b, len_a) == 0;
}

/* Its id where there is no such cluster. */
static const char *
cluster_name(
    const struct lp_config *config, uint32_t id, char buf[LP_NAME_SIZE])
{
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, id);

	if (cluster)
		memcpy(buf, cluster->cluster.name, LP_NAME_SIZE);
	else
		snprintf(buf, LP_NAME_SIZE, "%u", id);
	return buf;
}
