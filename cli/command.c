/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/top_state.h"
#include "cli/view_kafka.h"

#define BIT(option) LP_OPTION_BIT(LP_OPTION_##option)
#define PORT_OPTIONS                                                           \
	(BIT(DEVICE) | BIT(ADDRESS) | BIT(GATEWAY) | BIT(SIDE) |               \
	    BIT(BACKEND) | BIT(MTU) | BIT(DEFAULT_ROUTE) | BIT(PEER) |         \
	    BIT(ON_LOSS))
#define TRACE_OPTIONS                                                          \
	(BIT(PORT) | BIT(KIND) | BIT(FROM) | BIT(TO) | BIT(FLAGS) | BIT(SEQ) | \
	    BIT(ACK) | BIT(PAYLOAD) | BIT(READ) | BIT(PACKET_FILTER) |         \
	    BIT(COUNT) | BIT(REQUEST) | BIT(DATAPLANE))
#define CAPTURE_OPTIONS                                                        \
	(BIT(WRITE) | BIT(CLIENT) | BIT(BROKER) | BIT(LISTENER) | BIT(PORT) |  \
	    BIT(SNAPLEN) | BIT(COUNT) | BIT(DURATION) | BIT(SENT) |            \
	    BIT(DATAPLANE))
#define LISTENER_OPTIONS                                                       \
	(BIT(MODE) | BIT(BROKER_BASE) | BIT(SOURCE_ADDRESS) | BIT(KAFKA) |     \
	    BIT(REWRITE) | BIT(ADVERTISE) | BIT(UNJUDGED))
#define RULE_OPTIONS (BIT(PRIORITY) | BIT(MATCH) | BIT(ACTION) | BIT(SHADOW))

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
	.options = BIT(MAY_EXIST) | BIT(SAME_AS) | BIT(DISCOVER),
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
	.options = BIT(NAME) | BIT(SAME_AS) | BIT(DISCOVER),
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
	.options = BIT(MAY_EXIST) | BIT(ENDPOINT) | BIT(SOURCE),
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
	.options = BIT(ENDPOINT) | BIT(SOURCE),
	.summary = "move a broker, or its endpoints, to another address",
	.details =
	    "Connections that exist stay with the old address.  A broker that "
	    "was discovered\nis the operator's from then on; --source "
	    "discovered gives it back.\n\n"
	    "With --endpoint clients of that listener reach the broker there: "
	    "at another port\nof the VIP, or at an address of its own, which "
	    "then is the dataplane's as the VIP\nis.  It stays there "
	    "whatever becomes of the listener's VIP and base.",
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
	    "that matches decides;\nof equal ones the older.  All fields of "
	    "a match must hold, and one value of each.\nlpctl(8) has the "
	    "fields, values and actions.\n\n"
	    "What this version cannot do yet, as a limit by group=, is taken "
	    "only with --shadow.",
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
    {
	.name = "rule-stats",
	.operands = {{"RULE", LP_WORD_RULE, true}},
	.several = true,
	.options = BIT(ALL) | BIT(DATAPLANE) | BIT(WATCH),
	.summary = "list what rules have matched, and refused",
	.details =
	    "Those that have matched, or, with --all, every rule that runs, in "
	    "the order in which\nthey are asked; or the ones named.  A request "
	    "counts once for each rule that it\nmatches, whatever number of "
	    "its topics did.  A rule in shadow counts what it\nwould have "
	    "matched, and refuses nothing.",
	.examples = "lpctl rule-stats\n"
		    "lpctl rule-stats scan slow --watch 5\n"
		    "lpctl -o json rule-stats --all | jq '.dataplanes[].rules[]"
		    " | select(.requests == 0).name'\n",
	.run = lp_cmd_rule_stats,
    },
    {
	.name = "denials",
	.operands = {{"RULE", LP_WORD_RULE, true}},
	.several = true,
	.options = BIT(FOLLOW) | BIT(LIMIT) | BIT(DATAPLANE),
	.summary = "list who was refused what, and by which rule",
	.details =
	    "The last 100 of each dataplane, or, with --follow, the last 10 "
	    "and those that come;\nof all rules, or of the ones named.  A "
	    "dataplane keeps the last 1024.  It is a log, no\ncount: of a rule "
	    "at most 20 a second are kept, and how many more there were is "
	    "told.\nWhat a rule in shadow would refuse is listed as such.",
	.examples = "lpctl denials\n"
		    "lpctl denials secrets --follow\n"
		    "lpctl -o json denials --limit 1000 | jq -r "
		    "'.denials[].client_id' | sort | uniq -c\n",
	.run = lp_cmd_denials,
    },
    {
	.name = "show",
	.summary = "show the whole configuration as a tree",
	.examples = "lpctl show\n",
	.run = lp_cmd_show,
    },
    {
	.name = "history",
	.options = BIT(LIMIT),
	.summary = "list who has changed the configuration, when and how",
	.details =
	    "The last 20 generations, or N (0: all that are kept), the newest "
	    "first.  Each is a\nwhole configuration; the change that led to "
	    "it is given as it was typed: its\nbeginning, or, with -v, all of "
	    "it.",
	.examples = "lpctl history\n"
		    "lpctl -o json history --limit 0 | jq -r "
		    "'.generations[].who' | sort | uniq -c\n",
	.run = lp_cmd_history,
    },
    {
	.name = "status",
	.summary = "show the daemons, and what each dataplane runs",
	.examples = "lpctl status\n",
	.run = lp_cmd_status,
    },
    {
	.name = "stats",
	.operands = {{"kafka", LP_WORD_STATS, true}},
	.options = BIT(WATCH) | BIT(ALL) | BIT(DATAPLANE),
	.summary = "show the counters of ports, listeners and packets",
	.details =
	    "Every packet received has one verdict and one reason.  With "
	    "--watch, counters\nare followed by their change a second; with "
	    "-o json each round is one line.\n"
	    "\"stats kafka\": requests, errors and latencies of each listener, "
	    "broker and API,\nwith replication apart; totals in every round.",
	.examples = "lpctl stats\n"
		    "lpctl stats kafka\n"
		    "lpctl stats --watch 5 --dataplane edge-1\n",
	.run = lp_cmd_stats,
    },
    {
	.name = "top",
	.options = BIT(VIEW) | BIT(SORT) | BIT(FILTER) | BIT(SINCE_START) |
	    BIT(DELAY) | BIT(ROUNDS) | BIT(BATCH) | BIT(ONCE) | BIT(DATAPLANE),
	.summary = "watch clients, topics, brokers and APIs of Kafka, live",
	.details =
	    "A screen of rates and latency quantiles, of the last interval or "
	    "since the start;\nthe key h explains the keys.  Where standard "
	    "output is no terminal, or with\n--batch, --once, --rounds or -o "
	    "json, rounds are printed instead; with -o json\neach is one "
	    "line.\nSorted by: " LP_TOP_STATE_SORT_WORDS ".",
	.examples = "lpctl top\n"
		    "lpctl top --view topics --sort p99.9 --filter ^orders\n"
		    "lpctl top --once --view apis --delay 5\n"
		    "lpctl -o json top --once | jq '.rows[] | "
		    "select(.errors > 0).name'\n",
	.run = lp_cmd_top,
    },
    {
	.name = "connections",
	.options = BIT(LIMIT) | BIT(DATAPLANE),
	.summary = "list the TCP connections through the dataplane",
	.examples = "lpctl connections --limit 20\n",
	.run = lp_cmd_connections,
    },
    {
	.name = "clients",
	.operands = {{"PREFIX", LP_WORD_ANY, true}},
	.options = BIT(SORT) | BIT(LIMIT) | BIT(DATAPLANE) | BIT(WATCH),
	.summary = "list the Kafka client ids that talk most",
	.details =
	    "Those whose id begins with PREFIX, or all of them and what the "
	    "others come to.\nSorted by: " LP_VIEW_KAFKA_SORT_WORDS ".",
	.examples = "lpctl clients --sort bytes --limit 10\n"
		    "lpctl clients payments- --sort p99.9\n",
	.run = lp_cmd_kafka_clients,
    },
    {
	.name = "topics",
	.operands = {{"PREFIX", LP_WORD_ANY, true}},
	.options = BIT(SORT) | BIT(LIMIT) | BIT(DATAPLANE) | BIT(WATCH),
	.summary = "list the Kafka topics that are used most",
	.details =
	    "Those whose name begins with PREFIX, or all of them and what the "
	    "others come to.\nSorted as clients are, but not by in-flight, "
	    "throttled or idle.",
	.examples = "lpctl topics --sort bytes --limit 10\n"
		    "lpctl topics orders. --dataplane edge-1\n",
	.run = lp_cmd_kafka_topics,
    },
    {
	.name = "trace",
	.options = TRACE_OPTIONS,
	.summary = "show what would become of a packet, and why",
	.details =
	    "The packet is described, or read from a file.  Each stage of the "
	    "packet path says\nwhat it sees and decides, by its own code and "
	    "on the running configuration, but\nwithout effect: nothing is "
	    "sent, counted, opened or learnt.\n\n"
	    "Of a connection that opens, and of a request that is described, "
	    "it says which rule\ndecides, and why not those before it.",
	.examples = "lpctl trace --port front --from 10.9.0.7:51000 --to "
		    "10.9.0.100:9092\n"
		    "lpctl trace --port front --from 10.9.0.7:51000 --to "
		    "10.9.0.100:9092 --request 'api=Produce topic=orders "
		    "client_id=app'\n"
		    "lpctl trace --port front --kind ping --from 10.9.0.7 --to "
		    "10.9.0.100\n"
		    "lpctl trace --port front -r client.pcap --filter tcp\n",
	.run = lp_cmd_trace,
    },
    {
	.name = "capture",
	.options = CAPTURE_OPTIONS,
	.summary = "write packets of chosen connections to a pcapng file",
	.details =
	    "Packets as they come in, with what Lightpath knows of them as "
	    "comments, for\nWireshark.  Ends with Ctrl-C, and says how many "
	    "packets it has missed.",
	.examples = "lpctl capture -w slow.pcapng --client 10.9.0.7 "
		    "--duration 30\n"
		    "lpctl capture --listener payments/public | tshark -i -\n",
	.run = lp_cmd_capture,
    },
    {
	.name = "version",
	.summary = "print the versions of lpctl and lp-controld",
	.examples = "lpctl version\n",
	.run = lp_cmd_version,
    },
    {
	.name = "help",
	.operands = {{"COMMAND", LP_WORD_COMMAND, true}},
	.summary = "print help, on one command if it is given",
	.examples = "lpctl help add-listener\n",
	.run = lp_cmd_help,
    },
};

const struct lp_command *
lp_command_table(size_t *count)
{
	*count = sizeof(commands) / sizeof(commands[0]);
	return commands;
}

const struct lp_command *
lp_command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
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
	return BIT(SOCKET) | BIT(OUTPUT) | BIT(TIMEOUT) | BIT(NO_WAIT) |
	    BIT(VERBOSE) | BIT(VERSION) | BIT(HELP);
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
