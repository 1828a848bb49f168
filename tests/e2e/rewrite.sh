#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Three real brokers that clients have no route to, and whose configuration
# knows nothing of Lightpath: whatever Kafka's own clients, kcat, kafkajs and a
# client by hand do, they do it through Lightpath, and a capture of all that
# they are sent has no address and no name of a broker.  With the argument 6
# over IPv6.  LAB_KAFKA chooses the brokers' release.  The workloads run with the
# newest over IPv4 alone: kafka_workloads_3_9 has them with the old one.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"
# shellcheck source=tests/support/kafka/workloads.sh
. "$LAB_SUPPORT/kafka/workloads.sh"

TOOLS=org.apache.kafka.tools
RECORDS=20000
# Of the third node: longer than any address.
SECRET_NAME=kafka-three.behind-lightpath.example
SECRETS=("$SECRET_NAME")

main() {
	e2e_begin "rewrite${1:-4}" "${1:-4}"
	must "Kafka is there" lab_kafka_get "${LAB_KAFKA:-}"
	must "kafkajs is there" work_js_get
	must "the programs are compiled" java_compile
	must "the namespaces are made" lab_network
	must "three brokers of Kafka $LAB_KAFKA_VERSION run" brokers
	must "what clients are sent is captured" cluster_capture
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" cluster_configure
	[ "${1:-4}" = 6 ] || is_old || workloads
	check "clients are told our addresses" told_ours
	must "a topic with three replicas is made" topic --create \
	    --topic records --partitions 3 --replication-factor 3
	records_make $RECORDS >"$LAB_DIR/sent"
	check "$RECORDS records are produced with acks=all" \
	    records_produce records "$LAB_DIR/sent"
	check "Kafka's own consumer reads them, in a group" group_consume
	check "none is lost, altered or repeated" same_records
	is_old || old_clients
	is_old || tools_tell
	check "by hand: every version of what tells addresses" by_hand
	check "no packet was dropped" no_drops
	check "no stream was lost" no_stream_lost

	lab_stop capture
	check "no address and no name of a broker reached a client" \
	    cluster_leaks "${SECRETS[@]}"
	check "the same search finds what they are told" \
	    cluster_sees "$LAB_VIP_IP"
	e2e_done
}

told_ours() {
	cluster_told client "$LAB_VIP"
	[ "$(cluster_told client "$LAB_VIP")" = "$(cluster_ours)" ]
}

workloads() {
	local name

	work_java plain
	for name in $(work_names plain); do
		check "Kafka's own clients: $name" work_did "$name"
	done
	check "kcat: codecs, a reader, a group" work_kcat
	check "kafkajs: producers, a transaction, a group, an admin" work_js
	agrees
}

# The third advertises a name that is known on the brokers' side alone.
brokers() {
	local node

	LAB_KAFKA_MORE=$(work_properties_plain)
	for node in "${CLUSTER_NODES[@]}"; do
		SECRETS+=("$(cluster_ip "$node")")
	done
	CLUSTER_ADVERTISED[3]=$SECRET_NAME:9092
	cluster_hosts "3=$SECRET_NAME"
	cluster_start
}

# What Lightpath counted is what the clients counted.
agrees() {
	: >"$LAB_DIR/raw.json"
	must "the clients tell what they did" work_truth
	must "lpctl says what the wire saw" work_stats
	check "each client id: requests, answers" work_agrees clients rewritten
	check "each API: requests, answers" work_agrees apis
	check "produces by their acks" work_agrees kinds
	check "each topic: bytes of records" work_agrees topics
	check "errors by name" work_agrees errors
}

topic() {
	lab_java client $TOOLS.TopicCommand --bootstrap-server "$LAB_VIP" "$@"
}

is_old() {
	[[ $LAB_KAFKA_VERSION = 3.* ]]
}

old_clients() {
	check "so do consumers of the oldest release that is pinned" \
	    old_consume
	check "none is lost, altered or repeated" same_records
}

# In a shell of its own, which then has that release's jars.
old_consume() (
	lab_kafka_get "$(lab_kafka_releases | head -n 1 | cut -d ' ' -f 1)" &&
	    group_consume old-readers
)

group_consume() {
	lab_java client $TOOLS.consumer.ConsoleConsumer \
	    --bootstrap-server "$LAB_VIP" --topic records --group "${1:-readers}" \
	    --from-beginning --max-messages $RECORDS --timeout-ms 20000 \
	    >"$LAB_DIR/got"
}

# What Kafka's programs for operators say of the brokers.
tools_tell() {
	check "BrokerApiVersionsCommand tells our endpoints" tells \
	    $TOOLS.BrokerApiVersionsCommand
	check "ClusterTool tells our endpoints" tells \
	    $TOOLS.ClusterTool list-endpoints
	check "MetadataQuorumCommand tells the nodes" quorum_told
}

tells() {
	local class=$1 node more=("${@:2}")

	lab_java client "$class" "${more[@]}" --bootstrap-server "$LAB_VIP" \
	    >"$LAB_DIR/told" || return
	grep -v '^	' "$LAB_DIR/told"
	for node in "${CLUSTER_NODES[@]}"; do
		grep -q -E "$LAB_VIP_IP:? ?[^0-9]*$((LAB_BASE + node))" \
		    "$LAB_DIR/told" || return
	done
}

quorum_told() {
	lab_java client $TOOLS.MetadataQuorumCommand \
	    --bootstrap-server "$LAB_VIP" describe --replication \
	    >"$LAB_DIR/told" || return
	cat "$LAB_DIR/told"
	[ "$(grep -c -E '^[123] .*(Leader|Follower)' "$LAB_DIR/told")" -eq 3 ]
}

by_hand() {
	lab_on client timeout 60 python3 -B "$WORK/versions.py" "$LAB_VIP" \
	    records "$LAB_VIP_IP" "${SECRETS[@]}"
}

main "$@"
