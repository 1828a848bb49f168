/* SPDX-License-Identifier: Apache-2.0 */
/* add-listener, set-listener, del-listener */
#include <string.h>

#include "cli/cmd.h"
#include "proto/message.h"

static int listener_fields(struct lp_change *change,
    const struct lp_words *words, struct lp_error *error);
static int set_base(
    struct lp_change *change, const char *text, struct lp_error *error);
static int set_advertise(
    Lp__Pb__Listener *listener, const char *name, struct lp_error *error);

int
lp_cmd_listener_add(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__ADD,
		LP_OBJECT_LISTENER, words->operands[0], words->operands[1],
		error))
		return error->status;
	change->listener.name = change->operation.name;
	lp_change_existence(change, words);
	if (listener_fields(change, words, error))
		return error->status;
	if (change->listener.mode == LP_MODE_INLINE)
		return LP_EXIT_OK;
	if (change->listener.vip == NULL)
		return lp_error_set(error, LP_EXIT_USAGE,
		    "needs VIP:PORT, where clients connect to, or --mode "
		    "inline");
	if (change->listener.has_broker_base)
		return LP_EXIT_OK;
	if (change->endpoint.port == UINT16_MAX)
		return lp_change_refuse(error, "broker_base",
		    "there is no port after 65535 for the brokers; give "
		    "--broker-base PORT");
	change->listener.has_broker_base = true;
	change->listener.broker_base = change->endpoint.port + 1U;
	return LP_EXIT_OK;
}

int
lp_cmd_listener_set(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__SET,
		LP_OBJECT_LISTENER, words->operands[0], words->operands[1],
		error))
		return error->status;
	if (words->option_count == 0 && words->operands[2] == NULL)
		return lp_change_nothing(error);
	return listener_fields(change, words, error);
}

int
lp_cmd_listener_del(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	(void)lpctl;
	lp_change_existence(change, words);
	return lp_change_begin(change, LP__PB__OPERATION__VERB__DEL,
	    LP_OBJECT_LISTENER, words->operands[0], words->operands[1], error);
}

static int
one_field(struct lp_change *change, enum lp_option_id id, const char *value,
    struct lp_error *error)
{
	Lp__Pb__Listener *listener = &change->listener;
	uint8_t word = 0;

	switch (id) {
	case LP_OPTION_NAME:
		listener->name = (char *)value;
		return lp_change_check_size(error, "name", value, LP_NAME_SIZE);
	case LP_OPTION_BROKER_BASE:
		return set_base(change, value, error);
	case LP_OPTION_MODE:
		(void)lp_mode_parse(&word, value);
		listener->has_mode = true;
		listener->mode = word;
		break;
	case LP_OPTION_SOURCE_ADDRESS:
		(void)lp_source_address_parse(&word, value);
		listener->has_source_address = true;
		listener->source_address = word;
		break;
	case LP_OPTION_KAFKA:
		(void)lp_look_parse(&word, value);
		listener->has_kafka = true;
		listener->kafka = word;
		break;
	case LP_OPTION_REWRITE:
		(void)lp_rewriting_parse(&word, value);
		listener->has_rewrite = true;
		listener->rewrite = word;
		break;
	case LP_OPTION_UNJUDGED:
		(void)lp_unjudged_parse(&word, value);
		listener->has_unjudged = true;
		listener->unjudged = word;
		break;
	case LP_OPTION_ADVERTISE:
		return set_advertise(listener, value, error);
	default:
		break;
	}
	return LP_EXIT_OK;
}

static int
listener_fields(struct lp_change *change, const struct lp_words *words,
    struct lp_error *error)
{
	char why[LP_WHY_SIZE];

	if (words->operands[2] != NULL) {
		if (lp_endpoint_parse(
			&change->endpoint, words->operands[2], why) != 0)
			return lp_change_refuse(error, "vip", why);
		change->listener.vip = lp_message_from_endpoint(
		    &change->endpoint_message, &change->endpoint);
	}
	for (unsigned i = 0; i < words->option_count; i++)
		if (one_field(change, words->options[i].id,
			words->options[i].value, error))
			return error->status;
	return LP_EXIT_OK;
}

static int
set_base(struct lp_change *change, const char *text, struct lp_error *error)
{
	uint32_t base = 0;

	if (lp_command_number(&base, text, 1, UINT16_MAX) != 0)
		return lp_error_set(error, LP_EXIT_REFUSED,
		    "broker_base: \"%s\" is no TCP port, which is a number "
		    "from 1 to %d",
		    text, UINT16_MAX);
	change->listener.has_broker_base = true;
	change->listener.broker_base = base;
	return LP_EXIT_OK;
}

/* Whether it is a name is lp-controld's to say, as with all names. */
static int
set_advertise(
    Lp__Pb__Listener *listener, const char *name, struct lp_error *error)
{
	static char none[] = "";

	if (strcmp(name, "none") == 0) {
		listener->advertise = none;
		return LP_EXIT_OK;
	}
	listener->advertise = (char *)name;
	return lp_change_check_size(error, "advertise", name, LP_HOST_SIZE);
}
