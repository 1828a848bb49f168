/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/change.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void begin_object(struct lp_change *change, enum lp_object_kind kind);
static int set_owner(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error);
static void make_labels(struct lp_change *change, const struct lp_words *words);

int
lp_change_init(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, unsigned place, struct lp_error *error)
{
	assert(words->command->change != NULL);
	memset(change, 0, sizeof(*change));
	lp__pb__operation__init(&change->operation);
	make_labels(change, words);
	if (words->command->change(change, lpctl, words, error) != LP_EXIT_OK ||
	    set_owner(change, words, error) != LP_EXIT_OK)
		return lp_error_prefix(error, "%s", change->label);
	change->operation.has_place = true;
	change->operation.place = place;
	(void)snprintf(change->object_label, sizeof(change->object_label),
	    "%s%s", lp_object_kind_name(change->operation.kind),
	    change->label + strlen(words->command->name));
	return LP_EXIT_OK;
}

int
lp_change_begin(struct lp_change *change, Lp__Pb__Operation__Verb verb,
    enum lp_object_kind kind, const char *cluster, const char *name,
    struct lp_error *error)
{
	Lp__Pb__Operation *operation = &change->operation;

	operation->verb = verb;
	operation->kind = kind;
	/* Never written to: protobuf-c just does not know const. */
	operation->cluster = (char *)cluster;
	operation->name = (char *)name;
	if (verb != LP__PB__OPERATION__VERB__DEL)
		begin_object(change, kind);
	if (cluster != NULL &&
	    lp_change_check_size(error, "cluster", cluster, LP_NAME_SIZE))
		return error->status;
	if (name != NULL &&
	    lp_change_check_size(error, "name", name, LP_NAME_SIZE))
		return error->status;
	return LP_EXIT_OK;
}

int
lp_change_refuse(struct lp_error *error, const char *field, const char *why)
{
	return lp_error_set(error, LP_EXIT_REFUSED, "%s: %s", field, why);
}

int
lp_change_nothing(struct lp_error *error)
{
	return lp_error_set(
	    error, LP_EXIT_USAGE, "nothing to set: give at least one option");
}

int
lp_change_check_size(
    struct lp_error *error, const char *field, const char *text, size_t size)
{
	if (text[0] == '\0')
		return lp_change_refuse(error, field, "is empty");
	if (strlen(text) < size)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_REFUSED,
	    "%s: is longer than %zu bytes", field, size - 1);
}

int
lp_change_node_id(
    struct lp_change *change, const char *text, struct lp_error *error)
{
	uint32_t node_id = 0;

	if (lp_command_number(&node_id, text, 0, INT32_MAX) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "node_id: \"%s\" is no node id, which is a number from 0 "
		    "to %d",
		    text, INT32_MAX);
	change->operation.has_node_id = true;
	change->operation.node_id = (int32_t)node_id;
	return LP_EXIT_OK;
}

void
lp_change_existence(struct lp_change *change, const struct lp_words *words)
{
	Lp__Pb__Operation *operation = &change->operation;

	operation->if_exists = operation->has_if_exists =
	    lp_command_given(words, LP_OPTION_IF_EXISTS);
	operation->may_exist = operation->has_may_exist =
	    lp_command_given(words, LP_OPTION_MAY_EXIST);
}

static void
begin_object(struct lp_change *change, enum lp_object_kind kind)
{
	Lp__Pb__Object *object = &change->object;

	lp__pb__object__init(object);
	change->operation.object = object;
	switch (kind) {
	case LP_OBJECT_PORT:
		lp__pb__port__init(&change->port);
		object->body_case = LP__PB__OBJECT__BODY_PORT;
		object->port = &change->port;
		break;
	case LP_OBJECT_CLUSTER:
		lp__pb__cluster__init(&change->cluster);
		object->body_case = LP__PB__OBJECT__BODY_CLUSTER;
		object->cluster = &change->cluster;
		break;
	case LP_OBJECT_BROKER:
		lp__pb__broker__init(&change->broker);
		object->body_case = LP__PB__OBJECT__BODY_BROKER;
		object->broker = &change->broker;
		break;
	case LP_OBJECT_LISTENER:
		lp__pb__listener__init(&change->listener);
		object->body_case = LP__PB__OBJECT__BODY_LISTENER;
		object->listener = &change->listener;
		break;
	case LP_OBJECT_RULE:
		lp__pb__rule__init(&change->rule);
		object->body_case = LP__PB__OBJECT__BODY_RULE;
		object->rule = &change->rule;
		break;
	default:
		/* No operator adds or sets this kind. */
		assert(false);
	}
}

/* Of every add and set command: "none" for nobody's. */
static int
set_owner(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error)
{
	static char none[] = "";
	const char *owner = lp_command_value(words, LP_OPTION_OWNER, NULL);

	if (owner == NULL)
		return LP_EXIT_OK;
	if (strcmp(owner, "none") == 0) {
		change->object.owner = none;
		return LP_EXIT_OK;
	}
	change->object.owner = (char *)owner;
	return lp_change_check_size(error, "owner", owner, LP_OWNER_SIZE);
}

/* The command and the operands that name its object: all but an endpoint. */
static void
make_labels(struct lp_change *change, const struct lp_words *words)
{
	const struct lp_operand *operands = words->command->operands;
	const char *second = NULL;

	if (operands[1].word == LP_WORD_BROKER ||
	    operands[1].word == LP_WORD_LISTENER)
		second = words->operands[1];
	(void)snprintf(change->label, sizeof(change->label), "%s %s%s%s",
	    words->command->name, words->operands[0], second != NULL ? "/" : "",
	    second != NULL ? second : "");
}
