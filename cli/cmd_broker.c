/* SPDX-License-Identifier: Apache-2.0 */
/* add-broker, set-broker, del-broker */
#include <string.h>

#include "cli/cmd.h"
#include "cli/resolve.h"
#include "proto/message.h"

static int choices(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error);
static void set_source(struct lp_change *change, const struct lp_words *words);
static int choose(
    struct lp_change *change, const char *text, struct lp_error *error);
static int broker_fields(struct lp_change *change, const struct lp_lpctl *lpctl,
    const char *text, struct lp_error *error);

int
lp_cmd_broker_add(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__ADD,
		LP_OBJECT_BROKER, words->operands[0], NULL, error) ||
	    lp_change_node_id(change, words->operands[1], error))
		return error->status;
	change->broker.has_node_id = true;
	change->broker.node_id = change->operation.node_id;
	lp_change_existence(change, words);
	if (choices(change, words, error))
		return error->status;
	set_source(change, words);
	return broker_fields(change, lpctl, words->operands[2], error);
}

int
lp_cmd_broker_set(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__SET,
		LP_OBJECT_BROKER, words->operands[0], NULL, error) ||
	    lp_change_node_id(change, words->operands[1], error) ||
	    choices(change, words, error))
		return error->status;
	set_source(change, words);
	if (words->operands[2] != NULL)
		return broker_fields(change, lpctl, words->operands[2], error);
	if (words->option_count > 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_USAGE,
	    "nothing to set: give HOST:PORT, --endpoint or --source");
}

int
lp_cmd_broker_del(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	lp_change_existence(change, words);
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__DEL,
		LP_OBJECT_BROKER, words->operands[0], NULL, error))
		return error->status;
	return lp_change_node_id(change, words->operands[1], error);
}

static int
choices(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error)
{
	for (unsigned i = 0; i < words->option_count; i++)
		if (words->options[i].id == LP_OPTION_ENDPOINT &&
		    choose(change, words->options[i].value, error))
			return error->status;
	return LP_EXIT_OK;
}

/*
 * Without the option: the operator's, if an address is given.  One of its
 * words: the parser sees to that.
 */
static void
set_source(struct lp_change *change, const struct lp_words *words)
{
	const char *value = lp_command_value(words, LP_OPTION_SOURCE, NULL);

	change->broker.has_discovered = value != NULL;
	change->broker.discovered =
	    value != NULL && strcmp(value, "discovered") == 0;
}

/* "LISTENER=IP:PORT", or "LISTENER=" for where it is by default. */
static int
choose(struct lp_change *change, const char *text, struct lp_error *error)
{
	Lp__Pb__Operation *operation = &change->operation;
	size_t count = operation->n_endpoints;
	struct lp_change_choice *choice = &change->choices[count];
	const char *equals = strchr(text, '=');
	size_t len = equals != NULL ? (size_t)(equals - text) : 0;
	char why[LP_WHY_SIZE];

	if (len == 0 || len >= LP_NAME_SIZE)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "endpoint: \"%.*s\" is not LISTENER=IP:PORT, or LISTENER= "
		    "for where it is by default",
		    LP_NAME_SIZE, text);
	if (count == LP_CHANGE_CHOICES_MAX)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "endpoint: at most %d in one command",
		    LP_CHANGE_CHOICES_MAX);
	memcpy(choice->listener, text, len);
	lp__pb__endpoint_choice__init(&choice->message);
	choice->message.listener = choice->listener;
	if (equals[1] != '\0') {
		if (lp_endpoint_parse(&choice->vip, equals + 1, why) != 0)
			return lp_change_refuse(error, "endpoint", why);
		choice->message.vip = lp_message_from_endpoint(
		    &choice->vip_message, &choice->vip);
	}
	change->choice_list[count] = &choice->message;
	operation->endpoints = change->choice_list;
	operation->n_endpoints++;
	return LP_EXIT_OK;
}

/*
 * The host as it was written, for people and for rewriting later, and the
 * address behind it now: the dataplane asks no name server.
 */
static int
broker_fields(struct lp_change *change, const struct lp_lpctl *lpctl,
    const char *text, struct lp_error *error)
{
	struct lp_endpoint *real = &change->endpoint;
	char buf[LP_IP_TEXT_SIZE];
	char why[LP_WHY_SIZE];

	if (lp_hostport_split(change->host, &real->port, text, why) != 0)
		return lp_change_refuse(error, "endpoint", why);
	if (lp_ip_parse(&real->ip, change->host, why) != 0) {
		if (lp_resolve_is_number(change->host))
			return lp_change_refuse(error, "endpoint", why);
		if (lpctl->resolve(&real->ip, change->host, why) != 0)
			return lp_change_refuse(error, "endpoint", why);
		(void)fprintf(lpctl->err, "lpctl: %s: %s resolves to %s\n",
		    change->label, change->host, lp_ip_format(buf, &real->ip));
	}
	change->broker.host = change->host;
	change->broker.real =
	    lp_message_from_endpoint(&change->endpoint_message, real);
	return LP_EXIT_OK;
}
