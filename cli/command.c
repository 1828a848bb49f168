/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/command_ask.h"

#define BIT(option) LP_OPTION_BIT(LP_OPTION_##option)
#define PORT_OPTIONS                                                           \
	(BIT(DEVICE) | BIT(ADDRESS) | BIT(GATEWAY) | BIT(SIDE) |               \
	    BIT(BACKEND) | BIT(MTU) | BIT(DEFAULT_ROUTE) | BIT(PEER) |         \
	    BIT(ON_LOSS) | BIT(OWNER))
#define LISTENER_OPTIONS                                                       \
	(BIT(MODE) | BIT(BROKER_BASE) | BIT(SOURCE_ADDRESS) | BIT(KAFKA) |     \
	    BIT(REWRITE) | BIT(ADVERTISE) | BIT(UNJUDGED) | BIT(OWNER))
#define RULE_OPTIONS                                                           \
	(BIT(PRIORITY) | BIT(MATCH) | BIT(ACTION) | BIT(SHADOW) | BIT(OWNER))

static const struct lp_command commands[] = {
    {
	.name = "add-port",
	.operands = {{"NAME", LP_WORD_ANY, false}},
	.options = PORT_OPTIONS | BIT(MAY_EXIST),
	.summary = "give a network interface to the dataplane",
	.details =
	    "The addresses belong to the dataplane alone: the kernel must "
	    "not hold them.\nEach one gives 64512 source ports towards each "
	    "broker.\n\n"
	    "With --peer it has none: the two ports are a bump in the wire, "
	    "and what comes in\nby one leaves by the other.  Both are added in "
	    "one change.",
	.examples = "lpctl add-port front --device eth1 --address 10.9.0.10/24 "
		    "--side client\n"
		    "lpctl add-port back --device eth2 --address 10.0.2.10/24 "
		    "--address fd00:2::10/64 --gateway 10.0.2.1 --side broker\n"
		    "lpctl add-port front --backend dpdk --device 0000:03:00.0 "
		    "--address 10.9.0.10/24 --mtu 9000\n"
		    "lpctl add-port left --device eth1 --peer right -- "
		    "add-port right --device eth2 --peer left\n",
	.change = lp_cmd_port_add,
    },
    {
	.name = "set-port",
	.operands = {{"NAME", LP_WORD_PORT, false}},
	.options = PORT_OPTIONS | BIT(NAME),
	.summary = "change a port; what is not named stays",
	.details = "--address replaces all addresses, --gateway both "
		   "gateways.",
	.examples = "lpctl set-port back --gateway 10.0.2.254\n"
		    "lpctl set-port back --gateway none\n"
		    "lpctl set-port back --mtu 9000\n"
		    "lpctl set-port left --on-loss wire -- "
		    "set-port right --on-loss wire\n",
	.change = lp_cmd_port_set,
    },
    {
	.name = "del-port",
	.operands = {{"NAME", LP_WORD_PORT, false}},
	.options = BIT(IF_EXISTS),
	.summary = "give the interface back to the kernel",
	.examples = "lpctl del-port front\n",
	.change = lp_cmd_port_del,
    },
    {
	.name = "list-ports",
	.summary = "list the ports, and what runs of them",
	.details = "Below the configuration: each port as each dataplane has "
		   "it, with the reason\nwhy it is slow, down or not open.",
	.examples = "lpctl list-ports\n"
		    "lpctl -o json list-ports | jq '.ports[].live[] | "
		    "select(.link != \"up\")'\n",
	.run = lp_cmd_show_ports,
    },
    {
	.name = "add-cluster",
	.operands = {{"NAME", LP_WORD_ANY, false}},
	.options = BIT(MAY_EXIST) | BIT(SAME_AS) | BIT(DISCOVER) | BIT(OWNER),
	.summary = "name a Kafka cluster",
	.details = "With --same-as it is one that is named already, by "
		   "other listeners of its\nbrokers: they have other "
		   "addresses there, and the same node ids and topics.\n"
		   "Statistics of topics are those of the other one.\n\n"
		   "With --discover on one broker is enough to begin with: "
		   "the others are added as\nanswers to clients list them.  "
		   "What add-broker has added is never changed.",
	.examples = "lpctl add-cluster payments\n"
		    "lpctl add-cluster payments --discover on\n"
		    "lpctl add-cluster payments-sasl --same-as payments\n",
	.change = lp_cmd_cluster_add,
    },
    {
	.name = "set-cluster",
	.operands = {{"NAME", LP_WORD_CLUSTER, false}},
	.options = BIT(NAME) | BIT(SAME_AS) | BIT(DISCOVER) | BIT(OWNER),
	.summary = "rename a cluster, or say how its brokers are known",
	.examples = "lpctl set-cluster payments --name payments-eu\n"
		    "lpctl set-cluster payments --discover on\n"
		    "lpctl set-cluster payments-sasl --same-as none\n",
	.change = lp_cmd_cluster_set,
    },
    {
	.name = "del-cluster",
	.operands = {{"NAME", LP_WORD_CLUSTER, false}},
	.options = BIT(IF_EXISTS),
	.summary = "delete a cluster without brokers and listeners",
	.examples = "lpctl del-listener payments public -- del-broker "
		    "payments 1 -- del-cluster payments\n",
	.change = lp_cmd_cluster_del,
    },
    {
	.name = "list-clusters",
	.summary = "list the clusters",
	.examples = "lpctl list-clusters\n",
	.run = lp_cmd_show_clusters,
    },
    {
	.name = "add-broker",
	.operands = {{"CLUSTER", LP_WORD_CLUSTER, false},
	    {"NODE_ID", LP_WORD_BROKER, false},
	    {"HOST:PORT", LP_WORD_ANY, false}},
	.options = BIT(MAY_EXIST) | BIT(ENDPOINT) | BIT(SOURCE) | BIT(OWNER),
	.summary = "add a broker to a cluster",
	.details =
	    "HOST is an address, an IPv6 one in brackets, or a name, which "
	    "is resolved\nnow: lpctl says to what.  lp-controld looks again "
	    "every 30 s.",
	.examples = "lpctl add-broker payments 1 10.0.2.11:9092\n"
		    "lpctl add-broker payments 2 [fd00:2::12]:9092\n"
		    "lpctl add-broker payments 3 kafka-3.internal:9092\n"
		    "lpctl add-broker payments 70000 10.0.2.17:9092 "
		    "--endpoint public=10.9.0.107:9092\n",
	.change = lp_cmd_broker_add,
    },
    {
	.name = "set-broker",
	.operands = {{"CLUSTER", LP_WORD_CLUSTER, false},
	    {"NODE_ID", LP_WORD_BROKER, false},
	    {"HOST:PORT", LP_WORD_ANY, true}},
	.options = BIT(ENDPOINT) | BIT(SOURCE) | BIT(OWNER),
	.summary = "move a broker, or its endpoints, to another address",
	.details = "Connections that exist stay with the old address.  A "
		   "broker that was discovered\nis the operator's from then "
		   "on; --source discovered gives it back.\n\nWith --endpoint "
		   "clients of that listener reach the broker there: at "
		   "another\nport of the VIP, or at an address of its own, "
		   "which then is the dataplane's as\nthe VIP is.  It stays "
		   "there whatever becomes of the listener's VIP and base.",
	.examples = "lpctl set-broker payments 1 10.0.2.21:9092\n"
		    "lpctl set-broker payments 1 --endpoint "
		    "public=10.9.0.101:9092 --endpoint inner=10.5.0.101:9092\n"
		    "lpctl set-broker payments 1 --endpoint public=\n"
		    "lpctl set-broker payments 1 --source discovered\n",
	.change = lp_cmd_broker_set,
    },
    {
	.name = "del-broker",
	.operands = {{"CLUSTER", LP_WORD_CLUSTER, false},
	    {"NODE_ID", LP_WORD_BROKER, false}},
	.options = BIT(IF_EXISTS),
	.summary = "delete a broker and its endpoints",
	.examples = "lpctl del-broker payments 1\n",
	.change = lp_cmd_broker_del,
    },
    {
	.name = "list-brokers",
	.operands = {{"CLUSTER", LP_WORD_CLUSTER, true}},
	.summary = "list the brokers of all clusters, or of one",
	.examples = "lpctl list-brokers payments\n",
	.run = lp_cmd_show_brokers,
    },
    {
	.name = "add-listener",
	.operands = {{"CLUSTER", LP_WORD_CLUSTER, false},
	    {"NAME", LP_WORD_LISTENER, false}, {"VIP:PORT", LP_WORD_ANY, true}},
	.options = LISTENER_OPTIONS | BIT(MAY_EXIST),
	.summary = "let clients in at a virtual address, or inline",
	.details =
	    "VIP:PORT is what clients have as bootstrap.servers.  Broker N "
	    "has an\nendpoint of its own at VIP:(BASE + N), BASE being the "
	    "next port by default.\n\n"
	    "With --mode inline there is no VIP: what goes through inline "
	    "ports to and from\nthe brokers of the cluster is seen, and "
	    "nothing of it is changed but what rules\nact on.\n\n"
	    "What a cluster says of where its brokers are is rewritten: "
	    "clients are told\nthe endpoints of the listener, by NAME where "
	    "--advertise gives one.  With\n--rewrite off they are told the "
	    "brokers' own addresses, with shadow too, and it\nis counted what "
	    "would be rewritten.\n\n"
	    "A NAME that begins with '*.' is a pattern: a wildcard of the DNS, "
	    "all of whose\nnames lead to VIP.  Each broker has one that is as "
	    "long as its own name, so\nthat no answer changes its length, and "
	    "clients are told of new leaders at once.",
	.examples = "lpctl add-listener payments public 10.9.0.100:9092\n"
		    "lpctl add-listener payments v6 [fd00:9::100]:9092 "
		    "--broker-base 19092\n"
		    "lpctl add-listener payments named 10.9.0.101:9092 "
		    "--advertise kafka.example.com\n"
		    "lpctl add-listener payments quick 10.9.0.102:9092 "
		    "--advertise '*.k.example.com'\n"
		    "lpctl add-listener payments seen --mode inline "
		    "--unjudged pass\n",
	.change = lp_cmd_listener_add,
    },
    {
	.name = "set-listener",
	.operands = {{"CLUSTER", LP_WORD_CLUSTER, false},
	    {"NAME", LP_WORD_LISTENER, false}, {"VIP:PORT", LP_WORD_ANY, true}},
	.options = LISTENER_OPTIONS | BIT(NAME),
	.summary = "change a listener; what is not named stays",
	.examples =
	    "lpctl set-listener payments public 10.9.0.101:9092\n"
	    "lpctl set-listener payments public --source-address preserve\n"
	    "lpctl set-listener payments public --kafka off --rewrite off\n"
	    "lpctl set-listener payments public --rewrite shadow\n"
	    "lpctl set-listener payments public --advertise none\n",
	.change = lp_cmd_listener_set,
    },
    {
	.name = "del-listener",
	.operands = {{"CLUSTER", LP_WORD_CLUSTER, false},
	    {"NAME", LP_WORD_LISTENER, false}},
	.options = BIT(IF_EXISTS),
	.summary = "delete a listener and its endpoints",
	.examples = "lpctl del-listener payments public\n",
	.change = lp_cmd_listener_del,
    },
    {
	.name = "list-listeners",
	.operands = {{"CLUSTER", LP_WORD_CLUSTER, true}},
	.summary = "list listeners and their endpoints",
	.examples = "lpctl list-listeners payments\n",
	.run = lp_cmd_show_listeners,
    },
    {
	.name = "add-rule",
	.operands = {{"NAME", LP_WORD_ANY, false}},
	.options = RULE_OPTIONS | BIT(MAY_EXIST),
	.summary = "say what becomes of connections and requests",
	.details =
	    "Rules are asked by priority, the highest first, and the first "
	    "that matches\ndecides; of equal ones the older.  All fields of a "
	    "match must hold, and one\nvalue of each.  lpctl(8) has the "
	    "fields, values and actions.\n\nWhat this version cannot do yet, "
	    "as a "
	    "limit by group=, is taken only with\n--shadow.",
	.examples =
	    "lpctl add-rule scan --priority 900 --match 'src=10.66.0.0/16' "
	    "--action reset\n"
	    "lpctl add-rule batch --priority 500 --match 'api=Produce,Fetch "
	    "client_id=batch*' --action observe\n"
	    "lpctl add-rule slow --priority 400 --match 'topic=audit.*' "
	    "--action 'limit bytes=50MB/s per=client_id' --shadow\n",
	.change = lp_cmd_rule_add,
    },
    {
	.name = "set-rule",
	.operands = {{"NAME", LP_WORD_RULE, false}},
	.options = RULE_OPTIONS | BIT(NAME),
	.summary = "change a rule; what is not named stays",
	.examples = "lpctl set-rule slow --priority 450\n"
		    "lpctl set-rule slow --action 'limit bytes=20MB/s'\n"
		    "lpctl set-rule scan --shadow off\n",
	.change = lp_cmd_rule_set,
    },
    {
	.name = "del-rule",
	.operands = {{"NAME", LP_WORD_RULE, false}},
	.options = BIT(IF_EXISTS),
	.summary = "delete a rule",
	.examples = "lpctl del-rule scan\n",
	.change = lp_cmd_rule_del,
    },
    {
	.name = "list-rules",
	.summary = "list the rules in the order in which they are asked",
	.examples = "lpctl list-rules\n"
		    "lpctl -o json list-rules | jq '.rules[] | "
		    "select(.shadow).name'\n",
	.run = lp_cmd_show_rules,
    },
};

const struct lp_command *
lp_command_at(size_t index)
{
	const size_t count = sizeof(commands) / sizeof(commands[0]);

	return index < count ? &commands[index]
			     : lp_command_ask_at(index - count);
}

const struct lp_command *
lp_command_find(const char *name)
{
	const struct lp_command *command;

	for (size_t i = 0; (command = lp_command_at(i)) != NULL; i++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

bool
lp_command_several(const struct lp_command *command, int operand)
{
	return command->several && command->operands[operand].name != NULL &&
	    (operand + 1 == LP_OPERANDS_MAX ||
		command->operands[operand + 1].name == NULL);
}

lp_option_set
lp_command_global_options(void)
{
	return BIT(SOCKET) | BIT(REMOTE) | BIT(TLS) | BIT(OUTPUT) |
	    BIT(TIMEOUT) | BIT(NO_WAIT) | BIT(VERBOSE) | BIT(VERSION) |
	    BIT(HELP);
}

const char *
lp_command_value(
    const struct lp_words *words, enum lp_option_id id, const char *fallback)
{
	for (unsigned i = words->option_count; i-- > 0;)
		if (words->options[i].id == id)
			return words->options[i].value;
	return fallback;
}

size_t
lp_command_values(const struct lp_words *words, enum lp_option_id id,
    const char *values[LP_OPTIONS_GIVEN_MAX])
{
	size_t count = 0;

	for (unsigned i = 0; i < words->option_count; i++)
		if (words->options[i].id == id)
			values[count++] = words->options[i].value;
	return count;
}

bool
lp_command_given(const struct lp_words *words, enum lp_option_id id)
{
	for (unsigned i = 0; i < words->option_count; i++)
		if (words->options[i].id == id)
			return true;
	return false;
}

int
lp_command_number(uint32_t *out, const char *text, uint32_t min, uint32_t max)
{
	unsigned long value;

	if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, NULL, 10);
	if (errno != 0 || value < min || value > max)
		return -EINVAL;
	*out = (uint32_t)value;
	return 0;
}

int
lp_command_limit(uint32_t *out, const struct lp_words *words, uint32_t min,
    struct lp_error *error)
{
	const char *text = lp_command_value(words, LP_OPTION_LIMIT, NULL);

	if (text == NULL || lp_command_number(out, text, min, UINT32_MAX) == 0)
		return LP_EXIT_OK;
	return lp_error_set(error, LP_EXIT_USAGE,
	    "--limit: \"%s\" is no number%s", text, min > 0 ? " from 1" : "");
}

int
lp_command_duration(uint32_t *out, const char *text)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	uint32_t factor = 1, value;
	char number[8];

	if (strcmp(unit, "m") == 0)
		factor = 60;
	else if (strcmp(unit, "h") == 0)
		factor = 3600;
	else if (unit[0] != '\0' && strcmp(unit, "s") != 0)
		return -EINVAL;
	if (digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (lp_command_number(
		&value, number, 1, LP_COMMAND_DURATION_MAX_S / factor) != 0)
		return -EINVAL;
	*out = value * factor;
	return 0;
}
