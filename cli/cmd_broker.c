/* SPDX-License-Identifier: Apache-2.0 */
/* add-broker, set-broker, del-broker */
#include <string.h>
#include <strings.h>

#include "cli/cmd.h"
#include "proto/message.h"

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
	return broker_fields(change, lpctl, words->operands[2], error);
}

int
lp_cmd_broker_set(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, struct lp_error *error)
{
	if (lp_change_begin(change, LP__PB__OPERATION__VERB__SET,
		LP_OBJECT_BROKER, words->operands[0], NULL, error) ||
	    lp_change_node_id(change, words->operands[1], error))
		return error->status;
	return broker_fields(change, lpctl, words->operands[2], error);
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

/*
 * RFC 1123, 2.1: no name ends in a label of digits.  Resolvers take "10.1"
 * and "0x7f000001" for addresses all the same; we take them for mistakes.
 */
static bool
is_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot != NULL ? dot + 1 : host;

	return label[strspn(label, "0123456789")] == '\0' ||
	    strncasecmp(label, "0x", 2) == 0;
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
		if (is_number(change->host))
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
