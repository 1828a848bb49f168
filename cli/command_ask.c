/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command_ask.h"

#include "cli/cmd.h"
#include "cli/top_state.h"
#include "cli/view_kafka.h"

#define BIT(option) LP_OPTION_BIT(LP_OPTION_##option)
#define TRACE_OPTIONS                                                          \
	(BIT(PORT) | BIT(KIND) | BIT(FROM) | BIT(TO) | BIT(FLAGS) | BIT(SEQ) | \
	    BIT(ACK) | BIT(PAYLOAD) | BIT(READ) | BIT(PACKET_FILTER) |         \
	    BIT(COUNT) | BIT(REQUEST) | BIT(DATAPLANE))
#define CAPTURE_OPTIONS                                                        \
	(BIT(WRITE) | BIT(CLIENT) | BIT(BROKER) | BIT(LISTENER) | BIT(PORT) |  \
	    BIT(SNAPLEN) | BIT(COUNT) | BIT(DURATION) | BIT(SENT) |            \
	    BIT(DATAPLANE))

static const struct lp_command commands[] = {
    {
	.name = "rule-stats",
	.operands = {{"RULE", LP_WORD_RULE, true}},
	.several = true,
	.options = BIT(ALL) | BIT(DATAPLANE) | BIT(WATCH),
	.summary = "list what rules have matched, and refused",
	.details =
	    "Those that have matched, or, with --all, every rule that runs, in "
	    "the order in\nwhich they are asked; or the ones named.  A request "
	    "counts once for each rule\nthat it matches, whatever number of "
	    "its topics did.  A rule in shadow counts\nwhat it would have "
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
	    "and those that\ncome; of all rules, or of the ones named.  A "
	    "dataplane keeps the last 1024.  It\nis a log, no count: of a rule "
	    "at most 20 a second are kept, and how many more\nthere were is "
	    "told.  What a rule in shadow would refuse is listed as such.",
	.examples = "lpctl denials\n"
		    "lpctl denials secrets --follow\n"
		    "lpctl -o json denials --limit 1000 | jq -r "
		    "'.denials[].client_id' | sort | uniq -c\n",
	.run = lp_cmd_denials,
    },
    {
	.name = "check",
	.operands = {{"FILE", LP_WORD_FILE, true}},
	.several = true,
	.options = BIT(FILE),
	.summary = "check files that declare a configuration",
	.details =
	    "Without lp-controld, and by its own code: all that it would "
	    "refuse, each with\nfile, line and column.  Names of hosts are not "
	    "resolved.  What files of an\nowner name and have not, as it may "
	    "be another's, is a warning.  See\nlightpath.yaml(5).",
	.examples = "lpctl check -f lightpath.yaml\n"
		    "lpctl check conf.d/*.yaml\n"
		    "lpctl check -f /etc/lightpath/conf.d\n"
		    "lpctl -o json check -f conf.d | jq -r '.[].text'\n",
	.run = lp_cmd_check,
    },
    {
	.name = "diff",
	.operands = {{"FILE", LP_WORD_FILE, true}},
	.several = true,
	.options = BIT(FILE) | BIT(PRUNE),
	.summary = "show what apply would change",
	.details = "Exit status 0: nothing, 7: something; + is added, ~ "
		   "changed and - deleted.\nNothing is sent.  All that check "
		   "checks is checked, and against what there is.",
	.examples = "lpctl diff -f /etc/lightpath/conf.d --prune\n"
		    "lpctl -o json diff -f conf.d | jq -r '.changes[] | "
		    "\"\\(.change) \\(.kind) \\(.name)\"'\n",
	.run = lp_cmd_apply_diff,
    },
    {
	.name = "apply",
	.operands = {{"FILE", LP_WORD_FILE, true}},
	.several = true,
	.options =
	    BIT(FILE) | BIT(PRUNE) | BIT(DRY_RUN) | BIT(WAIT) | BIT(CONFIRM),
	.summary = "make the configuration what files declare",
	.details =
	    "Shows what diff shows, and does it in one change: what is as "
	    "declared is not\ntouched, what differs is changed in its place.  "
	    "If another change comes in\nbetween, nothing is stored, and the "
	    "exit status is 6.\n\nAn object in a file is complete: what is "
	    "left out is as by default.  Files with\nan owner at their top "
	    "speak of what is that owner's; what is of nobody they\ntake over, "
	    "and what is of another they refuse.  See lightpath.yaml(5).",
	.examples = "lpctl apply -f lightpath.yaml\n"
		    "lpctl apply -f /etc/lightpath/conf.d --prune\n"
		    "lpctl apply -f conf.d --confirm 60s\n",
	.run = lp_cmd_apply,
    },
    {
	.name = "show",
	.options = BIT(GENERATION),
	.summary = "show the whole configuration as a tree",
	.details = "The desired one, or that of a generation that \"lpctl "
		   "history\" lists.",
	.examples = "lpctl show\n"
		    "lpctl show --generation 41\n",
	.run = lp_cmd_show,
    },
    {
	.name = "export",
	.options = BIT(OWNER) | BIT(GENERATION),
	.summary = "print the configuration as a file that declares it",
	.details = "In YAML, or, with -o json, the same in JSON; of all, or, "
		   "with --owner, of one\nowner.  What discovery has found is "
		   "not in it, nor what is as by default.  The\nsame "
		   "configuration is the same text, byte for byte.",
	.examples = "lpctl export | tee lightpath.yaml\n"
		    "lpctl export --owner team-a | tee team-a.yaml\n"
		    "lpctl export --generation 17 | diff - lightpath.yaml\n",
	.run = lp_cmd_export,
    },
    {
	.name = "audit",
	.options = BIT(LIMIT),
	.summary = "list who has changed something, or was not let",
	.details = "The last 20 requests, or N (0: all that are kept), the "
		   "newest first: changes,\nrollbacks, confirmations and "
		   "backups, and what was refused for a role\n(lpctl(8), "
		   "ROLES).  With -v all of a text.",
	.examples = "lpctl audit\n"
		    "lpctl -o json audit --limit 0 | jq '.rows[] | "
		    "select(.result == \"forbidden\")'\n",
	.run = lp_cmd_audit,
    },
    {
	.name = "history",
	.options = BIT(LIMIT),
	.summary = "list who has changed the configuration, when and how",
	.details =
	    "The last 20 generations, or N (0: all that are kept), the newest "
	    "first.  Each\nis a whole configuration; the change that led to it "
	    "is given as it was typed:\nits beginning, or, with -v, all of it.",
	.examples = "lpctl history\n"
		    "lpctl -o json history --limit 0 | jq -r "
		    "'.generations[].who' | sort | uniq -c\n",
	.run = lp_cmd_history,
    },
    {
	.name = "rollback",
	.operands = {{"N", LP_WORD_ANY, true}},
	.options = BIT(CONFIRM),
	.summary = "bring back the configuration of an older generation",
	.details =
	    "That of generation N, or of the one before the desired one: as a "
	    "new\ngeneration, that dataplanes apply like any other.  A change "
	    "that waits to be\nconfirmed is rolled back so, too.",
	.examples = "lpctl rollback\n"
		    "lpctl rollback 41 --confirm 60s\n",
	.run = lp_cmd_rollback,
    },
    {
	.name = "confirm",
	.operands = {{"N", LP_WORD_ANY, true}},
	.summary = "keep a change that was made with --confirm",
	.details = "Generation N, or the one that waits to be confirmed, which "
		   "\"lpctl status\" names.\nUntil then nobody else can "
		   "change anything.",
	.examples = "lpctl confirm\n",
	.run = lp_cmd_confirm,
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
	    "packet path\nsays what it sees and decides, by its own code and "
	    "on the running\nconfiguration, but without effect: nothing is "
	    "sent, counted, opened or learnt.\n\nOf a connection that opens, "
	    "and of a request that is described, it says which\nrule decides, "
	    "and why not those before it.",
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
	.name = "db",
	.operands = {{"ACTION", LP_WORD_DB, false},
	    {"FILE", LP_WORD_FILE, false}},
	.options = BIT(DATABASE) | BIT(DRY_RUN) | BIT(CONFIRM),
	.summary = "make, verify and restore copies of the database",
	.details =
	    "db backup FILE: a copy of lp-controld's database, while it is "
	    "used; FILE must\nnot be there yet.\ndb verify FILE: reads all of "
	    "a copy, and says what it is.\ndb restore FILE: the configuration "
	    "of the copy becomes that of lp-controld, in\none change; history "
	    "and ids go on.\ndb restore FILE --database PATH: the copy takes "
	    "the place of a database that no\nlp-controld uses; what was there "
	    "is kept as PATH.before-restore.",
	.examples =
	    "lpctl db backup /backup/lightpath-2026-01-31.db\n"
	    "lpctl db verify /backup/lightpath-2026-01-31.db\n"
	    "lpctl db restore /backup/lightpath-2026-01-31.db --confirm 60s\n"
	    "lpctl db restore "
	    "/backup/lightpath-2026-01-31.db --database "
	    "/var/lib/lightpath/lightpath.db\n",
	.run = lp_cmd_db,
    },
    {
	.name = "pki",
	.operands = {{"ACTION", LP_WORD_PKI, false},
	    {"DIR", LP_WORD_FILE, false}, {"NAME", LP_WORD_ANY, true}},
	.options =
	    BIT(AUTHORITY) | BIT(DAYS) | BIT(ROLE) | BIT(HOST) | BIT(OUT),
	.summary = "make and revoke the certificates of remote control",
	.details =
	    "pki init DIR: a new private certificate authority.\npki issue DIR "
	    "NAME --role ROLE: a certificate and its key, in a directory "
	    "NAME\nthat --tls takes.\npki revoke DIR NAME|SERIAL: all of that "
	    "name, or one; DIR/crl.pem is then to be\ncopied to all who "
	    "verify.\npki list DIR: all that were issued.\n\nNo daemon is "
	    "asked.  Keep DIR from the machines that use the certificates.",
	.examples = "lpctl pki init ca --days 3650\n"
		    "lpctl pki issue ca edge-1 --role controld --host "
		    "edge-1.internal --host 10.0.0.5\n"
		    "lpctl pki issue ca alice --role operator --out .\n"
		    "lpctl pki revoke ca alice\n"
		    "lpctl -o json pki list ca | jq -r '.certificates[] | "
		    "select(.state == \"valid\").name'\n",
	.run = lp_cmd_pki,
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
lp_command_ask_at(size_t index)
{
	return index < sizeof(commands) / sizeof(commands[0]) ? &commands[index]
							      : NULL;
}
