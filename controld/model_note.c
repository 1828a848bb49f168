/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/model_note.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/model_note_rule.h"

enum {
	/* Source ports of one address: 1024..65535. */
	SOURCE_PORTS = 64512,
};

static int add_missing_notes(struct lp_model_work *work);
static int add_sources(
    struct lp_model_change *change, const struct lp_object *listener);
static int add_missing(
    struct lp_model_change *change, const struct lp_object *listener);
static char *add(struct lp_model_change *change);

int
lp_model_note_run(struct lp_model_work *work)
{
	int err;

	/* Not of a check, which may not know all ports. */
	for (size_t i = 0; i < work->touch_count && !work->is_check; i++) {
		const struct lp_model_touch *touched = &work->touches[i];
		const struct lp_object *listener;

		if (touched->kind != LP_OBJECT_LISTENER)
			continue;
		listener = lp_config_find(
		    &work->change->config, LP_OBJECT_LISTENER, touched->id);
		if (listener == NULL ||
		    listener->listener.source_address != LP_SOURCE_TRANSLATE)
			continue;
		err = add_sources(work->change, listener);
		if (err != 0)
			return err;
	}
	err = add_missing_notes(work);
	return err != 0 ? err : lp_model_note_rule_run(work);
}

int
lp_model_note_add(struct lp_model_change *change,
    const struct lp_object *object, const char *format, ...)
{
	char label[LP_OBJECT_LABEL_SIZE], *note;
	va_list args;
	int len;

	if (change->note_count == LP_MODEL_NOTES_MAX)
		return 0;
	note = add(change);
	if (note == NULL)
		return -ENOMEM;
	len = snprintf(note, LP_MODEL_NOTE_SIZE,
	    "%s: ", lp_config_label(&change->config, object, label));
	va_start(args, format);
	vsnprintf(note + len, LP_MODEL_NOTE_SIZE - (size_t)len, format, args);
	va_end(args);
	return 0;
}

bool
lp_model_note_missing(const struct lp_config *config,
    const struct lp_object *listener, char text[LP_MODEL_NOTE_SIZE])
{
	const struct lp_listener_object *at = &listener->listener;
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, at->cluster_id);
	size_t index = 0, more = 0;
	const struct lp_object *broker =
	    lp_config_next_missing(config, listener, &index);
	char label[LP_OBJECT_LABEL_SIZE], others[40] = "";

	if (broker == NULL)
		return false;
	while (lp_config_next_missing(config, listener, &index) != NULL)
		more++;
	if (more > 0)
		snprintf(others, sizeof(others), " (and %zu more)", more);
	snprintf(text, LP_MODEL_NOTE_SIZE,
	    "%s: has no endpoint for broker %d%s: %u + %d is no TCP port, so "
	    "clients cannot reach it; choose one: lpctl set-broker %s %d "
	    "--endpoint %s=ADDRESS:PORT",
	    lp_config_label(config, listener, label), broker->broker.node_id,
	    others, at->broker_base, broker->broker.node_id,
	    cluster->cluster.name, broker->broker.node_id, at->name);
	return true;
}

/* One for each listener that this change concerns. */
static int
add_missing_notes(struct lp_model_work *work)
{
	const struct lp_config *config = &work->change->config;
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_object *listener = &config->objects[i];
		const struct lp_object *broker;
		bool concerned = false;
		size_t index = 0;
		int err;

		while (!concerned &&
		    (broker = lp_config_next_missing(
			 config, listener, &index)) != NULL)
			concerned =
			    lp_model_work_place(work, listener->id) != 0 ||
			    lp_model_work_place(work, broker->id) != 0;
		if (!concerned)
			continue;
		err = add_missing(work->change, listener);
		if (err != 0)
			return err;
	}
	return 0;
}

static int
add_sources(struct lp_model_change *change, const struct lp_object *listener)
{
	bool is_v4 = lp_ip_is_v4(&listener->listener.vip.ip);
	char label[LP_OBJECT_LABEL_SIZE];
	unsigned addresses = 0;
	size_t first, count;
	char *note;

	if (change->note_count == LP_MODEL_NOTES_MAX)
		return 0;
	count = lp_config_range(&change->config, LP_OBJECT_PORT, &first);
	for (size_t i = first; i < first + count; i++) {
		const struct lp_port_object *port =
		    &change->config.objects[i].port;

		for (unsigned j = 0; j < port->address_count; j++)
			addresses += (port->side & LP_SIDE_BROKER) != 0 &&
			    lp_ip_is_v4(&port->addresses[j].ip) == is_v4;
	}
	note = add(change);
	if (note == NULL)
		return -ENOMEM;
	snprintf(note, LP_MODEL_NOTE_SIZE,
	    "%s: source addresses: limits this listener to %u x %d "
	    "connections a broker",
	    lp_config_label(&change->config, listener, label), addresses,
	    SOURCE_PORTS);
	return 0;
}

static int
add_missing(struct lp_model_change *change, const struct lp_object *listener)
{
	bool missing;
	char *note;

	if (change->note_count == LP_MODEL_NOTES_MAX)
		return 0;
	note = add(change);
	if (note == NULL)
		return -ENOMEM;
	missing = lp_model_note_missing(&change->config, listener, note);
	assert(missing);
	return 0;
}

/* NULL: no memory. */
static char *
add(struct lp_model_change *change)
{
	char(*notes)[LP_MODEL_NOTE_SIZE] =
	    reallocarray(change->notes, change->note_count + 1, sizeof(*notes));

	if (notes == NULL)
		return NULL;
	change->notes = notes;
	return notes[change->note_count++];
}
