/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  Operations are applied one after another to a copy; each may
 * rely on those before it, so "del-broker ... -- del-cluster ..." works in
 * one transaction.  Then the endpoints are made to fit, and only then the
 * whole is checked: between two operations it need not be right.
 *
 * Blame.  The final check names an object, the operator thinks in commands:
 * `touches` remembers which command last touched which object.
 */
#include "controld/model.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/model_choose.h"
#include "controld/model_endpoint.h"
#include "controld/model_note.h"
#include "controld/model_rule.h"
#include "controld/model_work.h"

static int run(struct lp_model_work *work);
static int check_target(struct lp_model_work *work);
static const struct lp_object *find_target(const struct lp_model_work *work);
static int add(struct lp_model_work *work);
static int set(struct lp_model_work *work);
static int check_kept(struct lp_model_work *work, const struct lp_object *old,
    const struct lp_object *object);
static int rename_peer(struct lp_model_work *work, const char *old_name,
    const struct lp_port_object *port);
static int del(struct lp_model_work *work);
static int check_unused(
    struct lp_model_work *work, const struct lp_object *object);
static int check_unused_cluster(
    struct lp_model_work *work, uint32_t cluster_id);
static int merge(
    struct lp_model_work *work, struct lp_object *object, bool is_new);
static int take_same(struct lp_model_work *work, struct lp_object *object);
static void identify(
    const struct lp_model_work *work, struct lp_object *object, bool is_new);
static int store(struct lp_model_work *work, const struct lp_object *object);
static int finish(struct lp_model_work *work);
static bool same(const struct lp_model_work *work, const struct lp_object *a,
    const struct lp_object *given);
static bool takes_over(
    const struct lp_object *old, const struct lp_object *object);

int
lp_model_apply(struct lp_model_change *change, const struct lp_config *from,
    uint32_t next_id, Lp__Pb__Operation *const *operations, size_t count)
{
	struct lp_model_work work = {
	    .change = change, .from = from, .op_count = count};
	int err = lp_model_begin(&work, next_id);

	for (size_t i = 0; i < count && err == 0; i++)
		err = lp_model_run(&work, operations[i], i);
	if (err == 0)
		err = finish(&work);
	lp_model_rule_end(&work);
	free(work.touches);
	return err;
}

void
lp_model_change_fini(struct lp_model_change *change)
{
	lp_config_fini(&change->config);
	free(change->notes);
	change->notes = NULL;
}

int
lp_model_begin(struct lp_model_work *work, uint32_t next_id)
{
	struct lp_model_change *change = work->change;
	int err;

	*change = (struct lp_model_change){.next_id = next_id};
	change->error.field = "";
	lp_config_init(&change->config);
	if (work->op_count > LP_OPERATIONS_MAX) {
		snprintf(change->error.why, sizeof(change->error.why),
		    "more than %d commands in one transaction",
		    LP_OPERATIONS_MAX);
		return -EINVAL;
	}
	work->touches = calloc(work->op_count + 1, sizeof(*work->touches));
	if (work->touches == NULL)
		return -ENOMEM;
	err = lp_config_copy_part(
	    &change->config, work->from, 0, lp_config_count_plain(work->from));
	/* What comes may come before what goes. */
	change->config.is_making = true;
	return err != 0 ? err : lp_model_rule_part(work);
}

int
lp_model_run(
    struct lp_model_work *work, const Lp__Pb__Operation *op, size_t index)
{
	work->op = op;
	work->place = op->has_place ? op->place : (uint32_t)index + 1;
	return run(work);
}

static int
run(struct lp_model_work *work)
{
	int err = check_target(work);

	if (err == 0 && work->op->kind == LP_OBJECT_RULE)
		err = lp_model_rule_begin(work);
	if (err != 0)
		return err;
	switch (work->op->verb) {
	case LP__PB__OPERATION__VERB__ADD:
		return add(work);
	case LP__PB__OPERATION__VERB__SET:
		return set(work);
	case LP__PB__OPERATION__VERB__DEL:
		return del(work);
	default:
		return lp_model_work_refuse(
		    work, "", "unknown verb %d", work->op->verb);
	}
}

/* That the operation names an object, as objects of its kind are named. */
static int
check_target(struct lp_model_work *work)
{
	const Lp__Pb__Operation *op = work->op;
	const struct lp_object *cluster;
	bool is_broker = op->kind == LP_OBJECT_BROKER;

	if (lp_object_kind_name(op->kind) == NULL ||
	    op->kind == LP_OBJECT_ENDPOINT)
		return lp_model_work_refuse(work, "",
		    "objects of kind %u are not for commands", op->kind);
	if (!is_broker && (op->name == NULL || op->name[0] == '\0'))
		return lp_model_work_refuse(work, "name", "missing");
	if (!is_broker && strlen(op->name) >= LP_NAME_SIZE)
		return lp_model_work_refuse(work, "name",
		    "longer than %d characters", LP_NAME_SIZE - 1);
	if (is_broker && !op->has_node_id)
		return lp_model_work_refuse(work, "node_id", "missing");
	work->cluster_id = 0;
	if (op->kind == LP_OBJECT_PORT || op->kind == LP_OBJECT_CLUSTER ||
	    op->kind == LP_OBJECT_RULE)
		return 0;
	if (op->cluster == NULL || op->cluster[0] == '\0')
		return lp_model_work_refuse(work, "cluster", "missing");
	cluster = lp_config_find_name(
	    &work->change->config, LP_OBJECT_CLUSTER, 0, op->cluster);
	if (cluster != NULL)
		work->cluster_id = cluster->id;
	else if (op->verb != LP__PB__OPERATION__VERB__DEL || !op->if_exists)
		return lp_model_work_unknown(work);
	return 0;
}

static const struct lp_object *
find_target(const struct lp_model_work *work)
{
	const Lp__Pb__Operation *op = work->op;
	const struct lp_config *config = &work->change->config;

	if (op->kind == LP_OBJECT_BROKER)
		return lp_config_find_broker(
		    config, work->cluster_id, op->node_id);
	if (op->kind == LP_OBJECT_RULE)
		return lp_model_rule_find(work, op->name);
	return lp_config_find_name(
	    config, op->kind, work->cluster_id, op->name);
}

static int
add(struct lp_model_work *work)
{
	const struct lp_object *old = find_target(work);
	struct lp_object object;
	int err;

	if (old != NULL && !work->op->may_exist)
		return lp_model_work_refuse(work, "", "exists already");
	lp_object_init(&object, work->op->kind);
	if (old == NULL && work->change->next_id == UINT32_MAX)
		return lp_model_work_refuse(work, "", "no ids are left");
	object.id = old != NULL ? old->id : work->change->next_id;
	err = merge(work, &object, true);
	if (err != 0)
		return err;
	if (old != NULL && !same(work, old, &object))
		return lp_model_work_refuse(
		    work, "", "exists already, and differs");
	if (old != NULL && !takes_over(old, &object))
		return lp_model_choose_run(work, object.id);
	if (old == NULL)
		work->change->next_id++;
	err = store(work, &object);
	if (err == 0 && old == NULL && object.kind == LP_OBJECT_RULE)
		lp_model_rule_named(work, &object, NULL);
	return err != 0 ? err : lp_model_choose_run(work, object.id);
}

static int
set(struct lp_model_work *work)
{
	const struct lp_object *old = find_target(work);
	struct lp_object object, before;
	int err;

	if (old == NULL)
		return lp_model_work_unknown(work);
	object = before = *old;
	err = merge(work, &object, false);
	if (err == 0)
		err = store(work, &object);
	if (err == 0 && object.kind == LP_OBJECT_PORT)
		err = rename_peer(work, before.port.name, &object.port);
	if (err == 0 && object.kind == LP_OBJECT_RULE)
		lp_model_rule_named(work, &object, before.rule.name);
	else if (err == 0 && object.kind != LP_OBJECT_BROKER)
		err = lp_model_rule_follow(work, &before, &object);
	return err != 0 ? err : lp_model_choose_run(work, object.id);
}

/* What it was made as it is for ever: a device is opened as that. */
static int
check_kept(struct lp_model_work *work, const struct lp_object *old,
    const struct lp_object *object)
{
	if (object->kind == LP_OBJECT_PORT &&
	    lp_object_has_peer(&old->port) != lp_object_has_peer(&object->port))
		return lp_model_work_refuse(work, "peer",
		    "a port has a peer from the beginning, or never: delete "
		    "it, then add it anew");
	if (object->kind == LP_OBJECT_LISTENER &&
	    old->listener.mode != object->listener.mode)
		return lp_model_work_refuse(work, "mode",
		    "a listener stays what it is: delete it, then add it "
		    "anew");
	return 0;
}

/* Its peer goes on naming it. */
static int
rename_peer(struct lp_model_work *work, const char *old_name,
    const struct lp_port_object *port)
{
	struct lp_config *config = &work->change->config;
	const struct lp_object *old =
	    lp_config_find_name(config, LP_OBJECT_PORT, 0, port->peer);
	struct lp_object peer;

	if (old == NULL || strcmp(old->port.peer, old_name) != 0)
		return 0;
	peer = *old;
	memcpy(peer.port.peer, port->name, sizeof(peer.port.peer));
	return lp_config_put(config, &peer);
}

static int
del(struct lp_model_work *work)
{
	const struct lp_object *old = work->op->kind == LP_OBJECT_BROKER ||
		work->op->kind == LP_OBJECT_LISTENER
	    ? work->cluster_id != 0 ? find_target(work) : NULL
	    : find_target(work);
	int err;

	if (old == NULL)
		return work->op->if_exists ? 0 : lp_model_work_unknown(work);
	if (old->kind != LP_OBJECT_RULE) {
		err = check_unused(work, old);
		if (err != 0)
			return err;
	}
	lp_model_work_touch(work, old);
	if (old->kind == LP_OBJECT_RULE) {
		lp_model_rule_gone(work, old);
		return 0;
	}
	return lp_config_remove(&work->change->config, old->kind, old->id);
}

/* Brokers are what they are to rules, whether there is one or not. */
static int
check_unused(struct lp_model_work *work, const struct lp_object *object)
{
	int err = 0;

	if (object->kind == LP_OBJECT_CLUSTER)
		err = check_unused_cluster(work, object->id);
	if (err != 0 || object->kind == LP_OBJECT_BROKER)
		return err;
	return lp_model_rule_check_unnamed(work, object);
}

static int
check_unused_cluster(struct lp_model_work *work, uint32_t cluster_id)
{
	const struct lp_config *config = &work->change->config;
	char users[LP_WHY_SIZE - 64];
	size_t count = lp_config_count_plain(config), len = 0;

	users[0] = '\0';
	for (size_t i = 0; i < count && len < sizeof(users); i++) {
		const struct lp_object *object = &config->objects[i];
		char label[LP_OBJECT_LABEL_SIZE];
		bool uses = (object->kind == LP_OBJECT_CLUSTER &&
				object->cluster.same_as == cluster_id) ||
		    (object->kind == LP_OBJECT_BROKER &&
			object->broker.cluster_id == cluster_id) ||
		    (object->kind == LP_OBJECT_LISTENER &&
			object->listener.cluster_id == cluster_id);

		if (uses)
			len += (size_t)snprintf(users + len,
			    sizeof(users) - len, "%s%s", len > 0 ? ", " : "",
			    lp_config_label(config, object, label));
	}
	if (len == 0)
		return 0;
	return lp_model_work_refuse(work, "", "delete first: %s%s", users,
	    len >= sizeof(users) ? " ..." : "");
}

/* The fields that the operation carries. */
static int
merge(struct lp_model_work *work, struct lp_object *object, bool is_new)
{
	static const uint8_t kinds[] = {
	    [LP__PB__OBJECT__BODY_PORT] = LP_OBJECT_PORT,
	    [LP__PB__OBJECT__BODY_CLUSTER] = LP_OBJECT_CLUSTER,
	    [LP__PB__OBJECT__BODY_BROKER] = LP_OBJECT_BROKER,
	    [LP__PB__OBJECT__BODY_LISTENER] = LP_OBJECT_LISTENER,
	    [LP__PB__OBJECT__BODY_ENDPOINT] = LP_OBJECT_ENDPOINT,
	    [LP__PB__OBJECT__BODY_RULE] = LP_OBJECT_RULE,
	};
	const Lp__Pb__Operation *op = work->op;
	const char *field = "";
	const struct lp_object before = *object;
	char why[LP_WHY_SIZE] = "";
	int err;

	if (op->object != NULL) {
		unsigned body = op->object->body_case;

		if (body >= sizeof(kinds) || kinds[body] != op->kind)
			return lp_model_work_refuse(work, "",
			    "the fields are not those of a %s",
			    lp_object_kind_name(op->kind));
		if (lp_message_merge_object(object, op->object,
			is_new || op->replace_addresses,
			is_new || op->replace_gateway, &field, why) != 0)
			return lp_model_work_refuse(work, field, "%s", why);
	}
	identify(work, object, is_new);
	err = take_same(work, object);
	if (err == 0 && object->kind == LP_OBJECT_RULE)
		err = lp_model_rule_take(work, object, is_new);
	if (err != 0)
		return err;
	if (!is_new) {
		err = check_kept(work, &before, object);
		if (err != 0)
			return err;
	}
	if (lp_object_check(object, &field, why) != 0)
		return lp_model_work_refuse(work, field, "%s", why);
	return 0;
}

/* What the named cluster stands for: so there are no chains. */
static int
take_same(struct lp_model_work *work, struct lp_object *object)
{
	const struct lp_config *config = &work->change->config;
	const char *name = work->op->same_as;
	const struct lp_object *other;
	char label[LP_OBJECT_LABEL_SIZE];
	size_t first, count;

	if (name == NULL)
		return 0;
	if (object->kind != LP_OBJECT_CLUSTER)
		return lp_model_work_refuse(
		    work, "same_as", "is said of clusters only");
	object->cluster.same_as = 0;
	if (name[0] == '\0')
		return 0;
	other = lp_config_find_name(config, LP_OBJECT_CLUSTER, 0, name);
	if (other == NULL)
		return lp_model_work_unknown_cluster(work, "same_as", name);
	object->cluster.same_as = lp_config_root(config, other->id);
	if (object->cluster.same_as == object->id)
		return lp_model_work_refuse(work, "same_as",
		    other->id == object->id
			? "that is the cluster itself"
			: "that one is the same as this one already");
	count = lp_config_range(config, LP_OBJECT_CLUSTER, &first);
	for (size_t i = first; i < first + count; i++)
		if (config->objects[i].cluster.same_as == object->id)
			return lp_model_work_refuse(work, "same_as",
			    "%s is the same as this one: first name for that "
			    "one, too, what it is the same as",
			    lp_config_label(
				config, &config->objects[i], label));
	return 0;
}

/*
 * Who it is (the name fits: check_target).  A set may carry a new name; a
 * broker's node id is Kafka's, and its endpoints hang on it: that would be
 * another broker.
 */
static void
identify(
    const struct lp_model_work *work, struct lp_object *object, bool is_new)
{
	const Lp__Pb__Operation *op = work->op;
	struct lp_listener_object *listener = &object->listener;

	if (object->kind == LP_OBJECT_PORT && is_new)
		strcpy(object->port.name, op->name);
	if (object->kind == LP_OBJECT_CLUSTER && is_new)
		strcpy(object->cluster.name, op->name);
	if (object->kind == LP_OBJECT_RULE && is_new)
		strcpy(object->rule.name, op->name);
	if (object->kind == LP_OBJECT_BROKER) {
		object->broker.cluster_id = work->cluster_id;
		object->broker.node_id = op->node_id;
	}
	if (object->kind != LP_OBJECT_LISTENER)
		return;
	listener->cluster_id = work->cluster_id;
	if (is_new)
		strcpy(listener->name, op->name);
	if (is_new &&
	    (op->object == NULL || !op->object->listener->has_rewrite))
		listener->rewrite = lp_object_rewriting(listener);
	if (is_new && listener->mode == LP_MODE_INLINE) {
		if (!op->object->listener->has_source_address)
			listener->source_address = LP_SOURCE_PRESERVE;
		return;
	}
	/* Brokers start beside the bootstrap endpoint: node 0 is next. */
	if (is_new && listener->broker_base == 0 &&
	    listener->vip.port < UINT16_MAX)
		listener->broker_base = (uint16_t)(listener->vip.port + 1);
}

static int
store(struct lp_model_work *work, const struct lp_object *object)
{
	int err = object->kind == LP_OBJECT_RULE
	    ? lp_model_rule_put(work, object)
	    : lp_config_put(&work->change->config, object);

	if (err == -ENOSPC)
		return lp_model_work_refuse(work, "",
		    "there are as many %ss as there may be",
		    lp_object_kind_name(object->kind));
	if (err == 0)
		lp_model_work_touch(work, object);
	return err;
}

/* Endpoints, the check of the whole, and what to say about it. */
static int
finish(struct lp_model_work *work)
{
	struct lp_model_change *change = work->change;
	struct lp_config_error error = {.field = ""};
	const struct lp_object *object;
	uint32_t listener_id = 0, broker_id = 0;
	uint32_t place, other = 0;
	int err;

	lp_model_work_settle(work);
	if (lp_model_work_exceeds(work) != 0)
		return -EINVAL;
	err = lp_model_endpoint_run(change, &listener_id, &broker_id);
	if (err == -EINVAL) {
		place = lp_model_work_place(work, listener_id);
		other = lp_model_work_place(work, broker_id);
		change->error.place = place > other ? place : other;
	}
	if (err == 0)
		err = lp_model_rule_join(work);
	if (err != 0)
		return err;
	if (lp_config_check_change(&change->config, work->from, &error) == 0)
		return lp_model_note_run(work);
	place = lp_model_work_place(work, error.object_id);
	object = lp_config_find(
	    &change->config, LP_OBJECT_ENDPOINT, error.object_id);
	if (object != NULL) {
		place = lp_model_work_place(work, object->endpoint.listener_id);
		other = lp_model_work_place(work, object->endpoint.broker_id);
	}
	change->error.place = place > other ? place : other;
	/* Of one command alone there is no doubt. */
	if (work->op_count == 1)
		change->error.place = work->place;
	memcpy(change->error.object, error.object, sizeof(error.object));
	change->error.field = error.field;
	memcpy(change->error.why, error.why, sizeof(error.why));
	return -EINVAL;
}

/* Who found a broker is no difference; nor is an owner that nobody names. */
static bool
same(const struct lp_model_work *work, const struct lp_object *a,
    const struct lp_object *given)
{
	struct lp_object other = *given, *b = &other;
	uint8_t a_bytes[LP_OBJECT_PACKED_MAX], b_bytes[LP_OBJECT_PACKED_MAX];
	size_t a_len, b_len;

	if (b->kind == LP_OBJECT_BROKER)
		b->broker.discovered = a->broker.discovered;
	if (work->op->object == NULL || work->op->object->owner == NULL)
		memcpy(b->owner, a->owner, sizeof(b->owner));
	a_len = lp_message_pack_object(a_bytes, sizeof(a_bytes), a);
	b_len = lp_message_pack_object(b_bytes, sizeof(b_bytes), b);
	return a_len == b_len && memcmp(a_bytes, b_bytes, a_len) == 0;
}

/* The operator's, from now on, though it was found before. */
static bool
takes_over(const struct lp_object *old, const struct lp_object *object)
{
	return old->kind == LP_OBJECT_BROKER && old->broker.discovered &&
	    !object->broker.discovered;
}
