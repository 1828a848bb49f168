/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/model_endpoint.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static int remove_orphans(struct lp_config *config);
static int check_chosen(struct lp_model_change *change, uint32_t *listener_id);
static int cover_listener(struct lp_model_change *change,
    const struct lp_object *listener, uint32_t *broker_id);
static int cover(struct lp_model_change *change,
    const struct lp_object *listener, const struct lp_object *broker);
static int put(struct lp_model_change *change, const struct lp_object *listener,
    const struct lp_object *broker, const struct lp_object *old,
    struct lp_object *object);
static int refuse_many(
    struct lp_model_change *change, const struct lp_object *listener);
static int refuse(struct lp_model_change *change,
    const struct lp_object *listener, const char *field, const char *why);

int
lp_model_endpoint_run(
    struct lp_model_change *change, uint32_t *listener_id, uint32_t *broker_id)
{
	struct lp_config *config = &change->config;
	size_t first, count;
	int err;

	err = remove_orphans(config);
	if (err != 0)
		return err;
	/* All operations are done. */
	config->is_making = false;
	err = check_chosen(change, listener_id);
	if (err != 0)
		return err;
	count = lp_config_range(config, LP_OBJECT_LISTENER, &first);
	for (size_t i = first; i < first + count; i++) {
		/* A copy: putting endpoints may move the array. */
		struct lp_object listener = config->objects[i];

		*listener_id = listener.id;
		err = cover_listener(change, &listener, broker_id);
		if (err != 0)
			return err;
	}
	return 0;
}

bool
lp_model_endpoint_is(const struct lp_config *config, uint32_t listener_id,
    uint32_t broker_id, const struct lp_endpoint *vip)
{
	const struct lp_object *object =
	    lp_config_find_endpoint(config, listener_id, broker_id);

	if (vip == NULL)
		return object == NULL || !object->endpoint.chosen;
	return object != NULL && object->endpoint.chosen &&
	    object->endpoint.vip.port == vip->port &&
	    lp_ip_equal(&object->endpoint.vip.ip, &vip->ip);
}

int
lp_model_endpoint_choose(struct lp_model_change *change, uint32_t listener_id,
    uint32_t broker_id, const struct lp_endpoint *vip)
{
	/* Copies: putting endpoints may move the array. */
	const struct lp_object listener =
	    *lp_config_find(&change->config, LP_OBJECT_LISTENER, listener_id);
	const struct lp_object broker =
	    *lp_config_find(&change->config, LP_OBJECT_BROKER, broker_id);
	const struct lp_object *old =
	    lp_config_find_endpoint(&change->config, listener_id, broker_id);
	struct lp_object object;

	if (vip == NULL && old == NULL)
		return 0;
	lp_object_init(&object, LP_OBJECT_ENDPOINT);
	/* Where it is by default lp_model_endpoint_run() says. */
	object.endpoint.vip = vip != NULL ? *vip : old->endpoint.vip;
	object.endpoint.chosen = vip != NULL;
	return put(change, &listener, &broker, old, &object);
}

static int
remove_orphans(struct lp_config *config)
{
	size_t first;
	size_t i = lp_config_range(config, LP_OBJECT_ENDPOINT, &first);

	/* From the end: removing moves only what has been looked at. */
	while (i-- > 0) {
		const struct lp_object *object = &config->objects[first + i];
		const struct lp_endpoint_object *endpoint = &object->endpoint;

		if (lp_config_find(config, LP_OBJECT_LISTENER,
			endpoint->listener_id) != NULL &&
		    lp_config_find(
			config, LP_OBJECT_BROKER, endpoint->broker_id) != NULL)
			continue;
		if (lp_config_remove(config, LP_OBJECT_ENDPOINT, object->id) !=
		    0)
			return -ENOENT;
	}
	return 0;
}

/* Those that were chosen were put while others were there that are not now. */
static int
check_chosen(struct lp_model_change *change, uint32_t *listener_id)
{
	const struct lp_config *config = &change->config;
	const struct lp_object *listener;
	size_t first;

	if (lp_config_range(config, LP_OBJECT_ENDPOINT, &first) <=
	    LP_ENDPOINTS_MAX)
		return 0;
	*listener_id =
	    config->objects[first + LP_ENDPOINTS_MAX].endpoint.listener_id;
	listener = lp_config_find(config, LP_OBJECT_LISTENER, *listener_id);
	return refuse_many(change, listener);
}

static int
cover_listener(struct lp_model_change *change, const struct lp_object *listener,
    uint32_t *broker_id)
{
	size_t first;
	size_t count =
	    lp_config_range(&change->config, LP_OBJECT_BROKER, &first);

	for (size_t i = first; i < first + count; i++) {
		struct lp_object broker = change->config.objects[i];
		int err;

		if (broker.broker.cluster_id != listener->listener.cluster_id)
			continue;
		*broker_id = broker.id;
		err = cover(change, listener, &broker);
		if (err != 0)
			return err;
	}
	return 0;
}

static int
cover(struct lp_model_change *change, const struct lp_object *listener,
    const struct lp_object *broker)
{
	bool is_inline = listener->listener.mode == LP_MODE_INLINE;
	bool has_room =
	    lp_object_has_room(&listener->listener, broker->broker.node_id);
	const struct lp_object *old =
	    lp_config_find_endpoint(&change->config, listener->id, broker->id);
	struct lp_object object;

	if (old != NULL && old->endpoint.chosen)
		return 0;
	if (!is_inline && !has_room)
		return old == NULL ? 0
				   : lp_config_remove(&change->config,
					 LP_OBJECT_ENDPOINT, old->id);
	lp_object_init(&object, LP_OBJECT_ENDPOINT);
	object.endpoint.vip.ip = listener->listener.vip.ip;
	object.endpoint.vip.port =
	    (uint16_t)(listener->listener.broker_base + broker->broker.node_id);
	/* Nothing stands before it: clients reach it where it is. */
	if (is_inline)
		object.endpoint.vip = broker->broker.real;
	return put(change, listener, broker, old, &object);
}

/* In the place of the old one, if there is one. */
static int
put(struct lp_model_change *change, const struct lp_object *listener,
    const struct lp_object *broker, const struct lp_object *old,
    struct lp_object *object)
{
	int err;

	if (old == NULL && change->next_id == UINT32_MAX)
		return refuse(change, listener, "", "no ids are left");
	object->id = old != NULL ? old->id : change->next_id++;
	object->endpoint.listener_id = listener->id;
	object->endpoint.broker_id = broker->id;
	err = lp_config_put(&change->config, object);
	return err == -ENOSPC ? refuse_many(change, listener) : err;
}

static int
refuse_many(struct lp_model_change *change, const struct lp_object *listener)
{
	char why[LP_WHY_SIZE];

	snprintf(why, sizeof(why),
	    "would need more than %d endpoints: one for each broker of its "
	    "cluster",
	    LP_ENDPOINTS_MAX);
	return refuse(change, listener, "", why);
}

static int
refuse(struct lp_model_change *change, const struct lp_object *listener,
    const char *field, const char *why)
{
	lp_config_label(&change->config, listener, change->error.object);
	change->error.field = field;
	snprintf(change->error.why, sizeof(change->error.why), "%s", why);
	return -EINVAL;
}
