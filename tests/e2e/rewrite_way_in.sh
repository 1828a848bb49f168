#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Lightpath comes before a cluster that runs, and goes again, and neither the
# clients nor the brokers are started again: by the recipe of the README.
# Clients know the brokers by name, and have a route to them; the names come to
# lead to Lightpath, and then connections past it are ended where the brokers
# are.  No record is lost or repeated.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"

NAMES=b1.test:9092,b2.test:9092,b3.test:9092

main() {
	e2e_begin wayin
	must "Kafka is there" lab_kafka_get
	must "the clients are compiled" java_compile
	must "the namespaces are made" lab_network
	must "clients have a way to the brokers" cluster_other_way
	names_lead_to cluster_ip
	advertise
	must "three brokers of Kafka $LAB_KAFKA_VERSION run" cluster_start
	must "clients run" cluster_clients_start - "$NAMES"
	kcat_start
	must "kcat too" kcat_reads
	check "brokers see the clients themselves" seen 10.9.3.1

	must "Lightpath runs beside" lab_lightpath_start
	must "lpctl configures it, in shadow" configure
	names_lead_to vip
	must "what goes past it is ended, broker by broker" \
	    end_each not dst 10.9.2.0/24
	check "brokers see nobody but Lightpath" seen "$LAB_BACK"
	check "it has all clients, at the brokers' VIPs" all_here
	check "they are told the brokers' names" told cluster_own
	must "rewriting is set on" cluster_rewrite on
	check "they are told our addresses" told ours
	must "all have asked where the brokers are" cluster_have_asked rdkafka

	must "connections are ended again, broker by broker" \
	    end_each dst "$LAB_BACK"
	check "brokers see nobody but Lightpath" seen "$LAB_BACK"
	check "it has all clients, at the brokers' VIPs" all_here
	check "no packet was dropped" no_drops

	names_lead_to cluster_ip
	must "rewriting is set off" cluster_rewrite off
	check "they are told the brokers' names" told cluster_own
	# kcat asks elsewhere as soon as it is told.
	must "all have asked where the brokers are" cluster_have_asked
	must "the listener is deleted" lab_ctl del-listener lab public
	must "records pass" passes
	check "brokers see the clients themselves" lab_poll 10 seen 10.9.3.1
	check "the clients judge: none is lost, altered or repeated" \
	    cluster_clients_judge
	e2e_done
}

# ---- the clients -----------------------------------------------------------

# names_lead_to FUNCTION: that says where node N is; for the clients.
names_lead_to() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		echo "$("$1" "$node") b$node.test"
	done >"$LAB_DIR/client.hosts"
}

# vip NODE: 10.9.1.101 and so on.
vip() {
	echo "${LAB_VIP_IP%0}$1"
}

# What brokers advertise; among themselves the names lead to themselves.
advertise() {
	local node names=()

	for node in "${CLUSTER_NODES[@]}"; do
		CLUSTER_ADVERTISED[$node]=b$node.test:9092
		names+=("$node=b$node.test")
	done
	cluster_hosts "${names[@]}"
	# Not for half a minute, as a JVM does by itself.
	CLUSTER_CLIENTS_JAVA=("-Djdk.net.hosts.file=$LAB_DIR/client.hosts"
	    -Dsun.net.inetaddr.ttl=0)
}

# ip gave it a view of files of its own, so that nobody else has those names.
# (-E: for a moment, when all brokers have got another address, it has none.)
kcat_start() {
	lab_start kcat client bash -c 'mount --bind "$1" /etc/hosts &&
	    exec kcat -C -E -q -u -b "$2" -t once \
	        -X topic.metadata.refresh.interval.ms=1000 \
	        -X broker.address.ttl=0' kcat \
	    "$LAB_DIR/client.hosts" "$NAMES"
}

kcat_reads() {
	KCAT_FROM=$(stat -c %s "$LAB_DIR/kcat.log")
	lab_ready kcat 30 "records" kcat_has_more
}

kcat_has_more() {
	[ "$(stat -c %s "$LAB_DIR/kcat.log")" -gt $((KCAT_FROM + 5000)) ]
}

# ---- the recipe ------------------------------------------------------------

configure() {
	local node command

	while read -r -a command; do
		lab_ctl "${command[@]}" </dev/null || return
	done < <(
		cluster_commands | sed '/^add-listener/s/$/ --rewrite shadow/'
		for node in "${CLUSTER_NODES[@]}"; do
			echo "set-broker lab $node" \
			    "--endpoint public=$(vip "$node"):9092"
		done
	)
	lab_wait 10 "the dataplane to be in step" lab_in_step
}

# end_each FILTER: of a broker's connections with clients, as its host has them,
# all that there are; and of the next when records pass.
end_each() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		end_those src "$(cluster_ip "$node")" and "$@" && passes ||
		    return
	done
}

end_those() {
	local those=(-H -t -n state established
	    "( sport = :9092 and $* )")

	lab_on brokers ss -K "${those[@]}" >"$LAB_DIR/ended" &&
	    [ -s "$LAB_DIR/ended" ]
}

passes() {
	cluster_ask "pass 100" && kcat_reads
}

# ---- what is seen ----------------------------------------------------------

# seen ADDRESS: brokers have connections with each other, and with that.
seen() {
	local got

	got=$(lab_on brokers ss -H -t -n state established sport = :9092 |
	    awk '{ print $4 }' | sed -e 's/^\[::ffff:\(.*\)\]/\1/' \
	        -e 's/:[0-9]*$//' -e '/^10\.9\.2\.[123]$/d' | sort -u)
	echo "$got"
	[ "$got" = "$1" ]
}

# What becomes of connections that there are is not asked here: kcat's are new.
told() {
	local got

	got=$(cluster_told client "$LAB_VIP")
	echo "$got"
	[ "$got" = "$("$1")" ]
}

ours() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		echo "broker $node at $(vip "$node"):9092"
	done
}

all_here() {
	lab_ctl -o json connections >"$LAB_DIR/connections.json"
	jq -c '.connections[] | {client_id, vip, node_id, state}' \
	    "$LAB_DIR/connections.json"
	jq -e '[.connections[] | select(.state == "ESTABLISHED")] |
	    all(.vip == "10.9.1.10\(.node_id):9092") and
	    (["admin", "committed", "once", "rdkafka", "reader-of-committed",
	        "reader-of-once"] - map(.client_id) == [])' \
	    "$LAB_DIR/connections.json"
}

main "$@"
