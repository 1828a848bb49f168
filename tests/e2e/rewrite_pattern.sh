#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A listener whose names are of a pattern: each broker, which clients have no
# route to, is told by a name that is as long as its own.  Leaders move and a
# broker is killed while clients run, and answers that another broker leads
# now say where, by those names: no record is lost or repeated, and a capture
# has no address and no name of a broker.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"

TOOLS=org.apache.kafka.tools
SUFFIX=.k.lab
SECRETS=()

main() {
	e2e_begin pattern
	must "Kafka is there" lab_kafka_get
	must "the clients are compiled" java_compile
	must "the namespaces are made" lab_network
	must "three brokers of Kafka $LAB_KAFKA_VERSION run" brokers
	must "what clients are sent is captured" cluster_capture
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" configure
	check "each broker has a name as long as its own" told_names
	must "the clients run" cluster_clients_start - "$LAB_VIP"

	must "leaders move" cluster_ask "move 2,3,1"
	must "records pass" cluster_ask "pass 150"
	lab_kill kafka-2
	must "a broker is killed, and records pass" cluster_ask "pass 150"
	cluster_broker 2
	must "it is back, and its replicas are in sync" cluster_ask whole
	must "it leads again" cluster_ask "move 2,1,3"
	must "records pass" cluster_ask "pass 150"
	must "a topic with three replicas is made" topic --create \
	    --topic records --partitions 3 --replication-factor 3
	check "by hand: every version tells names, of new leaders too" by_hand
	check "lpctl counts what was told" told_counted
	check "the clients judge: none is lost, altered or repeated" \
	    cluster_clients_judge
	check "no packet was dropped" no_drops
	lab_stop capture
	check "no address and no name of a broker reached a client" \
	    cluster_leaks "${SECRETS[@]}"
	check "the same search finds what they are told" \
	    cluster_sees "$SUFFIX"
	e2e_done
}

# They advertise names that are known on their side alone.
brokers() {
	local node names=()

	for node in "${CLUSTER_NODES[@]}"; do
		CLUSTER_ADVERTISED[$node]=$(own_name "$node"):9092
		SECRETS+=("$(own_name "$node")" "$(cluster_ip "$node")")
		names+=("$node=$(own_name "$node")")
	done
	cluster_hosts "${names[@]}"
	cluster_start
}

own_name() {
	echo "kafka-$1.behind-lightpath.example"
}

# The label takes what is left beside the suffix.
our_name() {
	local own

	own=$(own_name "$1")
	printf "b%0$((${#own} - ${#SUFFIX} - 1))d%s" "$1" "$SUFFIX"
}

# What a wildcard would answer, to those who are asked for.
configure() {
	local node

	{
		echo "127.0.0.1 localhost $(hostname)"
		for node in "${CLUSTER_NODES[@]}"; do
			echo "$LAB_VIP_IP $(our_name "$node")"
		done
	} >"$LAB_DIR/hosts"
	CLUSTER_CLIENTS_JAVA=("-Djdk.net.hosts.file=$LAB_DIR/hosts")
	cluster_configure &&
	    lab_ctl set-listener lab public --advertise "*$SUFFIX" &&
	    lab_wait 10 "the dataplane to be in step" lab_in_step
}

# With those names for whoever asks the C library.
named() {
	# shellcheck disable=SC2016 # that shell's own arguments
	lab_on client bash -c 'mount --bind "$1" /etc/hosts && exec "${@:2}"' \
	    named "$LAB_DIR/hosts" "$@"
}

told_names() {
	local node

	cluster_told client "$LAB_VIP" | tee "$LAB_DIR/told"
	for node in "${CLUSTER_NODES[@]}"; do
		echo "broker $node at $(our_name "$node"):$((LAB_BASE + node))"
	done | diff - "$LAB_DIR/told"
}

topic() {
	lab_on client java "${LAB_JAVA[@]}" "${CLUSTER_CLIENTS_JAVA[@]}" \
	    -cp "$LAB_JARS" "$TOOLS.TopicCommand" \
	    --bootstrap-server "$LAB_VIP" "$@"
}

by_hand() {
	named timeout 60 python3 -B "$LAB_SUPPORT/kafka/versions.py" \
	    --hints "$LAB_VIP" records "$SUFFIX" "${SECRETS[@]}"
}

# And that all of it could be read.
told_counted() {
	lab_ctl -o json stats kafka >"$LAB_DIR/kafka.json" &&
	    jq -c .dataplanes[0].counters "$LAB_DIR/kafka.json" &&
	    jq -e '.dataplanes[0].counters | .addresses_rewritten > 0 and
	        .rewrite_unreadable == 0 and .rewrite_too_large == 0' \
	        "$LAB_DIR/kafka.json"
}

main "$@"
