# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# A cluster of three brokers whose configuration knows nothing of Lightpath, in
# the place of the lab's one: node N is at 10.9.2.N (fd09:2::N), and says so to
# its clients, which have no route to it.  Sourced after lab.sh.
CLUSTER_NODES=(1 2 3)
# CLUSTER_ADVERTISED[N]: what node N advertises, if not what it listens on.
declare -A CLUSTER_ADVERTISED=()
CLUSTER_JAVA=(-Xms128m -Xmx256m)
# Where it answers in clear, on the brokers' side.
CLUSTER_PLAIN=9092
# Properties of cluster_clients_start's clients, and options for their Java.
CLUSTER_CLIENTS=
CLUSTER_CLIENTS_JAVA=()

# cluster_ip NODE
cluster_ip() {
	echo "${LAB_BROKER%1}$1"
}

# cluster_host NODE: as in URLs.
cluster_host() {
	local ip

	ip=$(cluster_ip "$1")
	[[ $ip != *:* ]] || ip="[$ip]"
	echo "$ip"
}

# The addresses of all nodes but the first, which has its own already; without
# a broker that listens they are harmless.
cluster_network() {
	local node

	for node in "${CLUSTER_NODES[@]:1}"; do
		cluster_ip_add "$node" || return
	done
}

cluster_ip_add() {
	local more=()

	[[ $LAB_BROKER != *:* ]] || more=(nodad)
	ip -n "$LAB_ID-brokers" addr add "$(cluster_ip "$1")/$LAB_FRONT_LEN" \
	    dev net0 "${more[@]}"
}

# cluster_hosts NODE=NAME...: names that the brokers' side alone knows.  (Java
# then takes all names from that file, of itself too.)
cluster_hosts() {
	local each

	{
		echo "127.0.0.1 localhost $(hostname)"
		for each in "$@"; do
			echo "$(cluster_ip "${each%%=*}") ${each#*=}"
		done
	} >"$LAB_DIR/cluster.hosts"
	CLUSTER_JAVA+=("-Djdk.net.hosts.file=$LAB_DIR/cluster.hosts")
}

cluster_properties() {
	local node=$1 voters=() each dir=$LAB_DIR/kafka-$1

	for each in 1 2 3; do
		voters+=("$each@$(cluster_host "$each"):9093")
	done
	mkdir -p "$dir"
	printf '%s\n' "$LAB_KAFKA_MORE" |
	    cat "$LAB_SUPPORT/kafka/cluster.properties.in" - |
	    sed -e "s|@NODE@|$node|g" -e "s|@HOST@|$(cluster_host "$node")|g" \
	        -e "s|@VOTERS@|$(IFS=,; echo "${voters[*]}")|" \
	        -e "s|@DATA@|$dir/data|" >"$dir/server.properties"
	[ -z "${CLUSTER_ADVERTISED[$node]:-}" ] ||
	    echo "advertised.listeners=PLAINTEXT://${CLUSTER_ADVERTISED[$node]}" \
	        >>"$dir/server.properties"
}

# The storage of the first is made by Kafka's tool; the others' differs by
# their number and by that of their directory alone, and a JVM less each is
# time gained.
cluster_format() {
	local first=$LAB_DIR/kafka-1 node

	for node in "${CLUSTER_NODES[@]}"; do
		cluster_properties "$node"
	done
	lab_java brokers kafka.tools.StorageTool format \
	    -t bGlnaHRwYXRoLWxhYi0xMA -c "$first/server.properties" \
	    "${LAB_KAFKA_FORMAT[@]}" || return
	cp -r "$first/data" "$LAB_DIR/cluster.data" || return
	for node in "${CLUSTER_NODES[@]:1}"; do
		cluster_format_as "$node" || return
	done
}

cluster_format_as() {
	local data=$LAB_DIR/kafka-$1/data

	cp -r "$LAB_DIR/cluster.data" "$data" &&
	    sed -i -e "s/^node.id=.*/node.id=$1/" \
	        -e "s/^directory.id=.*/directory.id=bGlnaHRwYXRoLWthZmth$1A/" \
	        "$data/meta.properties"
}

# cluster_broker NODE: starts it.
cluster_broker() {
	lab_start "kafka-$1" brokers java "${LAB_JAVA[@]}" \
	    "${CLUSTER_JAVA[@]}" -Dlab.log=info -cp "$LAB_JARS" kafka.Kafka \
	    "$LAB_DIR/kafka-$1/server.properties"
}

# All of them; until each of them knows of each.
cluster_start() {
	local node

	cluster_network && cluster_format || return
	for node in "${CLUSTER_NODES[@]}"; do
		cluster_broker "$node"
	done
	for node in "${CLUSTER_NODES[@]}"; do
		lab_ready "kafka-$node" 90 "node $node to know the others" \
		    cluster_knows "$node" || return
	done
}

# cluster_join NODE: one more, which is no controller.
cluster_join() {
	local dir=$LAB_DIR/kafka-$1

	CLUSTER_NODES+=("$1")
	cluster_ip_add "$1" && cluster_properties "$1" &&
	    sed -i -e 's/^process.roles=.*/process.roles=broker/' \
	        -e 's/^\(listeners=[^,]*\),.*/\1/' \
	        "$dir/server.properties" &&
	    cluster_format_as "$1" || return
	cluster_broker "$1"
	lab_ready "kafka-$1" 90 "node $1 to know the others" \
	    cluster_knows "$1"
}

# cluster_knows NODE: does it answer, and name all?
cluster_knows() {
	[ "$(cluster_told brokers "$(cluster_host "$1"):$CLUSTER_PLAIN" \
	    2>/dev/null)" = \
	    "$(cluster_own)" ]
}

# cluster_told client|brokers ADDRESS: where the brokers are, as whoever is at
# ADDRESS tells it there: "broker 1 at 10.9.2.1:9092" a line.
cluster_told() {
	lab_on "$1" timeout 20 kcat -L -m 3 -b "$2" | tr -d '[]' |
	    sed -n 's/^  \(broker [0-9]* at [^ ]*\).*/\1/p' | sort
}

# What is told of brokers: their own addresses, or Lightpath's.
cluster_own() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		echo "broker $node at" \
		    "${CLUSTER_ADVERTISED[$node]:-$(cluster_ip \
		        "$node"):$CLUSTER_PLAIN}"
	done
}

cluster_ours() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		echo "broker $node at $LAB_VIP_IP:$((LAB_BASE + node))"
	done
}

# The configuration of the lab's picture, for this cluster.
cluster_commands() {
	local node

	lab_commands | grep -v -e '^add-broker' -e '^add-listener'
	for node in "${CLUSTER_NODES[@]}"; do
		echo "add-broker lab $node $(cluster_host "$node"):9092"
	done
	echo "add-listener lab public $LAB_VIP --broker-base $LAB_BASE"
}

cluster_configure() {
	local command

	while read -r -a command; do
		lab_ctl "${command[@]}" </dev/null || return
	done < <(cluster_commands)
	lab_wait 10 "the dataplane to be in step" lab_in_step
}

# ---- clients that go on while things happen ---------------------------------

# cluster_clients_start [HOST [BOOTSTRAP]]: Failover.java, which is told what
# to do, and answers in clients.log.  Brokers must be at HOST, else at the VIP.
cluster_clients_start() {
	mkfifo "$LAB_DIR/ask"
	printf '%s\n' "$CLUSTER_CLIENTS" >"$LAB_DIR/clients.properties"
	lab_start clients client bash -c 'exec "${@:2}" <"$1"' clients \
	    "$LAB_DIR/ask" java "${LAB_JAVA[@]}" "${CLUSTER_CLIENTS_JAVA[@]}" \
	    -cp "$LAB_JARS:$LAB_DIR/classes" Failover "${2:-$LAB_VIP}" \
	    "${1:-$LAB_VIP_IP}" "$LAB_DIR/clients.properties"
	exec 7>"$LAB_DIR/ask"
	cluster_answered begin
}

cluster_ask() {
	echo "$*" >&7
	cluster_answered "$*"
}

# Answers to the same question are counted.
declare -A CLUSTER_ASKED=()
cluster_answered() {
	CLUSTER_ASKED[$1]=$((${CLUSTER_ASKED[$1]:-0} + 1))
	lab_ready clients 120 "the clients to have done: $1" \
	    cluster_has_answered "$1"
}

cluster_has_answered() {
	[ "$(grep -c -x "done $1" "$LAB_DIR/clients.log")" -eq \
	    "${CLUSTER_ASKED[$1]}" ]
}

cluster_clients_judge() {
	echo end >&7
	lab_poll 120 lab_dead clients
	grep -a -E '^(whole|wrong)' "$LAB_DIR/clients.log" | head -n 20
	lab_reap clients
	[ "$LAB_STATUS" -eq 0 ]
}

# ---- past Lightpath --------------------------------------------------------

# A link of its own between clients and brokers.
cluster_other_way() {
	ip -n "$LAB_ID-client" link add past0 type veth \
	    peer name past0 netns "$LAB_ID-brokers" &&
	    ip -n "$LAB_ID-client" addr add 10.9.3.1/24 dev past0 &&
	    ip -n "$LAB_ID-brokers" addr add 10.9.3.2/24 dev past0 &&
	    ip -n "$LAB_ID-client" link set past0 up &&
	    ip -n "$LAB_ID-brokers" link set past0 up &&
	    ip -n "$LAB_ID-client" route add 10.9.2.0/24 via 10.9.3.2
}

cluster_rewrite() {
	lab_ctl set-listener lab public --rewrite "$1" &&
	    lab_wait 10 "the dataplane to be in step" lab_in_step
}

# cluster_have_asked [CLIENT]: every one of the clients, which refresh what they
# know every second, has asked where the brokers are; and one more, which
# asks nothing else but for records.
cluster_have_asked() {
	local from

	[ $# -eq 0 ] || from=$(cluster_requests "$1") || return
	cluster_ask asked || return
	[ $# -eq 0 ] || lab_wait 30 "$1 to ask, too" \
	    cluster_asked_more "$1" $((from + 2))
}

# Answered ones that were no Fetches.
cluster_requests() {
	lab_ctl -o json clients "$1" | jq -e --arg id "$1" \
	    '.dataplanes[0].clients[] | select(.client_id == $id) |
	        .rest.count // 0'
}

cluster_asked_more() {
	[ "$(cluster_requests "$1")" -ge "$2" ]
}

# ---- what clients are sent -------------------------------------------------

cluster_capture() {
	lab_start capture client tcpdump -i net0 -U -s 0 -B 65536 \
	    -w "$LAB_DIR/client.pcap"
	lab_ready capture 20 "the capture to begin" \
	    grep -q 'listening on' "$LAB_DIR/capture.log"
}

# cluster_leaks ADDRESS|NAME...: of the capture, which has ended.
cluster_leaks() {
	cat "$LAB_DIR/capture.log"
	grep -q '^0 packets dropped by kernel' "$LAB_DIR/capture.log" &&
	    python3 -B "$LAB_SUPPORT/kafka/leaks.py" "$LAB_DIR/client.pcap" \
	        "$@"
}

# cluster_sees ADDRESS: the same search does find what there is.
cluster_sees() {
	local said

	said=$(cluster_leaks "$1")
	echo "$said"
	[[ ${said##*$'\n'} =~ ,\ [1-9][0-9]*\ found$ ]]
}
