/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One add, set or del command on its way to lp-controld.
 *
 * The message borrows from the structs beside it and from argv, so a change
 * is used where it was made and never copied.
 */
#ifndef LP_CLI_CHANGE_H
#define LP_CLI_CHANGE_H

#include "cli/command.h"
#include "proto/lightpath.pb-c.h"
#include "proto/object.h"

/* Endpoints that one command chooses. */
enum { LP_CHANGE_CHOICES_MAX = 16 };

/* "add-listener payments/public" */
enum { LP_CHANGE_LABEL_SIZE = LP_OBJECT_LABEL_SIZE };

struct lp_change_choice {
	Lp__Pb__EndpointChoice message;
	struct lp_endpoint vip;
	Lp__Pb__Endpoint vip_message;
	char listener[LP_NAME_SIZE];
};

struct lp_change {
	Lp__Pb__Operation operation;
	Lp__Pb__Object object;
	union {
		Lp__Pb__Port port;
		Lp__Pb__Cluster cluster;
		Lp__Pb__Broker broker;
		Lp__Pb__Listener listener;
		Lp__Pb__Rule rule;
	};
	struct lp_prefix addresses[LP_PORT_ADDRESSES_MAX];
	Lp__Pb__Prefix prefixes[LP_PORT_ADDRESSES_MAX];
	Lp__Pb__Prefix *prefix_list[LP_PORT_ADDRESSES_MAX];
	struct lp_ip gateway_v4, gateway_v6;
	struct lp_endpoint endpoint;
	Lp__Pb__Endpoint endpoint_message;
	struct lp_change_choice choices[LP_CHANGE_CHOICES_MAX];
	Lp__Pb__EndpointChoice *choice_list[LP_CHANGE_CHOICES_MAX];
	char host[LP_HOST_SIZE];
	char match[LP_RULE_MATCH_SIZE], action[LP_RULE_ACTION_SIZE];
	char label[LP_CHANGE_LABEL_SIZE]; /* of the command */
	char
	    object_label[LP_OBJECT_LABEL_SIZE]; /* "listener payments/public" */
};

/*
 * From words to message.  LP_EXIT_OK, or the status and what is wrong, the
 * command's label included.  place counts from 1.
 */
int lp_change_init(struct lp_change *change, const struct lp_lpctl *lpctl,
    const struct lp_words *words, unsigned place, struct lp_error *error);

/*
 * For the commands: starts the message of an object whose name is `name`, in
 * the cluster `cluster` (NULL: of none).  DEL carries no object.
 */
int lp_change_begin(struct lp_change *change, Lp__Pb__Operation__Verb verb,
    enum lp_object_kind kind, const char *cluster, const char *name,
    struct lp_error *error);

/* Refuses a field: "FIELD: why". */
int lp_change_refuse(
    struct lp_error *error, const char *field, const char *why);

/* Refuses a set command that names no field. */
int lp_change_nothing(struct lp_error *error);

/* Checks that a string fits its field, of size bytes with the final NUL. */
int lp_change_check_size(
    struct lp_error *error, const char *field, const char *text, size_t size);

/* Fills in operation.node_id from text. */
int lp_change_node_id(
    struct lp_change *change, const char *text, struct lp_error *error);

/* Takes --if-exists and --may-exist over. */
void lp_change_existence(
    struct lp_change *change, const struct lp_words *words);

#endif
