#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Brokers that clients have no route to come and go while clients run: leaders
# move, the packet process is killed, a broker is killed and comes back, one is
# shut down in order, a fourth one is added and another retired.  No record is
# lost or repeated, and nobody ever is told, or dials, a broker's own address.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"

SECRETS=()

main() {
	e2e_begin failover
	must "Kafka is there" lab_kafka_get
	must "the clients are compiled" java_compile
	must "the namespaces are made" lab_network
	must "three brokers of Kafka $LAB_KAFKA_VERSION run" cluster_start
	must "what clients are sent is captured" capture
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" cluster_configure
	must "the clients run" cluster_clients_start

	must "a route is taken" lab_ctl add-rule routed --priority 1 \
	    --match "dst_port=$LAB_PORT src_port=20000-20019" \
	    --action "route broker=2"
	check "all whom it is about are at that broker" routed
	must "it is deleted" lab_ctl del-rule routed
	must "leaders move" cluster_ask "move 2,3,1"
	must "records pass" cluster_ask "pass 150"
	must "the packet process is killed" kill_packets
	must "another goes on, records pass" cluster_ask "pass 150"
	check "the keeper counts it" [ "$(lab_stats .restarts)" -eq 1 ]

	lab_kill kafka-2
	must "a broker is killed, and records pass" cluster_ask "pass 150"
	cluster_broker 2
	must "it is back, and its replicas are in sync" cluster_ask whole
	must "it leads again" cluster_ask "move 2,1,3"

	lab_stop kafka-3
	must "a broker is shut down, and records pass" cluster_ask "pass 150"
	cluster_broker 3
	must "it is back, and its replicas are in sync" cluster_ask whole

	must "a fourth broker joins, unknown to Lightpath" cluster_join 4
	check "clients are told a port of ours that refuses" unknown_refused
	must "records pass" cluster_ask "pass 100"
	must "it is added" lab_ctl add-broker lab 4 "$(cluster_host 4):9092"
	must "clients are told that it is here, and use it" \
	    cluster_ask "move 4,1,2"
	must "records pass" cluster_ask "pass 150"
	must "another broker leaves" retire 3
	must "records pass" cluster_ask "pass 150"

	check "the clients judge: none is lost, altered or repeated" \
	    cluster_clients_judge
	check "no packet was dropped" no_drops
	lab_stop capture
	check "no address of a broker reached a client, none was dialed" \
	    cluster_leaks "${SECRETS[@]}"
	check "the same search finds what they are told" \
	    cluster_sees "$LAB_VIP_IP"
	e2e_done
}

capture() {
	local node

	for node in 1 2 3 4; do
		SECRETS+=("$(cluster_ip "$node")")
	done
	cluster_capture
}

# Its connections have translated numbers, which the next one finds.
kill_packets() {
	kill -KILL "$(pgrep -P "${LAB_PID[dataplane]}")"
}

# Twenty connections from the ports of the rule, as the brokers see them.
routed() {
	local before status

	before=$(at_broker 2) || return
	lab_start routed client python3 -c "import socket, signal
all = [socket.create_connection(('$LAB_VIP_IP', $LAB_PORT),
    source_address=('', port)) for port in range(20000, 20020)]
signal.pause()"
	lab_wait 10 "twenty more at broker 2" more_at 2 $((before + 20))
	status=$?
	lab_kill routed
	return $status
}

# Connections that it has from Lightpath.
at_broker() {
	lab_on brokers ss -H -t -n state established \
	    src "$(cluster_ip "$1")" dst "$LAB_BACK" | wc -l
}

more_at() {
	[ "$(at_broker "$1")" -ge "$2" ]
}

# At once, by RST; and it is counted.
unknown_refused() {
	local port=$((LAB_BASE + 4)) status=0

	cluster_told client "$LAB_VIP" | tee "$LAB_DIR/told"
	lab_on client timeout 10 bash -c ": </dev/tcp/$LAB_VIP_IP/$port" ||
	    status=$?
	lab_ctl -o json stats kafka |
	    jq -e '[.. | .nodes_unknown? // empty] | add > 0' &&
	    grep -q -x "broker 4 at $LAB_VIP_IP:$port" "$LAB_DIR/told" &&
	    [ $status -eq 1 ]
}

# Its replicas are elsewhere before it stops; then it is forgotten.
retire() {
	cluster_ask whole && lab_stop "kafka-$1" && lab_ctl del-broker lab "$1"
}

main "$@"
