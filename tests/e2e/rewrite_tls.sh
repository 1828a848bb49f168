#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Three brokers that speak TLS only, with SASL, by the recipe of the README:
# nothing can be rewritten, so each broker has a VIP of its own on its own
# port, its name stays, and the clients' names lead to the VIPs.  They produce,
# consume and fail over; clients have no route to the brokers.
#
# Nothing that passes can be read either: lp-controld asks one of the brokers
# itself, as a file with a password says, and so finds them all.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"

NAMES=kafka-1.lab:9092,kafka-2.lab:9092,kafka-3.lab:9092
PLAIN=org.apache.kafka.common.security.plain.PlainLoginModule

main() {
	e2e_begin rewritetls
	must "Kafka is there" lab_kafka_get
	must "the clients are compiled" java_compile
	must "the namespaces are made" lab_network
	must "the brokers have a certificate" keys
	properties
	must "three brokers of Kafka $LAB_KAFKA_VERSION run" cluster_start
	must "Lightpath has a way to the brokers" way_to_brokers
	must "Lightpath runs" lightpath_start
	must "lpctl configures no broker" configure
	client_file wrong-secret 640
	check "a file that others may read is refused" lab_wait 20 \
	    "the reason" status_says \
	    "$LAB_DIR/clients/lab.conf: mode 0640 lets others in"
	chmod 600 "$LAB_DIR/clients/lab.conf"
	check "a wrong password is told" lab_wait 20 "the reason" status_says \
	    "Authentication failed: Invalid username or password"
	check "no broker is known then" brokers_are ""
	client_file alice-secret 600
	check "lp-controld finds all brokers by asking one" lab_wait 30 \
	    "three brokers" brokers_are "$(discovered)"
	check "status tells that it was asked" status_says \
	    "asked by lp-controld: 3 brokers"
	check "no password is told anywhere" no_secret
	must "each broker gets a VIP of its own" choose_vips
	must "clients run" cluster_clients_start - "$NAMES"

	must "leaders move" cluster_ask "move 2,3,1"
	must "records pass" cluster_ask "pass 150"
	check "all of it is TLS, by the brokers' own names" all_is_tls
	lab_kill kafka-2
	must "a broker is killed, and records pass" cluster_ask "pass 150"
	check "the clients judge: none is lost, altered or repeated" \
	    cluster_clients_judge
	check "no packet was dropped" no_drops
	check "all brokers are where they were" brokers_are "$(discovered)"
	e2e_done
}

keys() {
	keytool -genkeypair -alias lab -dname CN=kafka.lab -keyalg EC \
	    -ext SAN=dns:kafka-1.lab,dns:kafka-2.lab,dns:kafka-3.lab \
	    -validity 365 -storetype PKCS12 -keystore "$LAB_DIR/keys.p12" \
	    -storepass lab-secret >"$LAB_DIR/keytool.log" 2>&1 &&
	    keytool -exportcert -rfc -alias lab -keystore "$LAB_DIR/keys.p12" \
	        -storepass lab-secret -file "$LAB_DIR/ca.pem" \
	        >>"$LAB_DIR/keytool.log" 2>&1
}

# Of brokers, which are in clear among themselves, and of clients.
properties() {
	local node

	CLUSTER_PLAIN=9094
	LAB_KAFKA_MORE="
listeners=SECURE://@HOST@:9092,PLAIN://@HOST@:9094,CONTROLLER://@HOST@:9093
advertised.listeners=SECURE://kafka-@NODE@.lab:9092,PLAIN://@HOST@:9094
listener.security.protocol.map=SECURE:SASL_SSL,PLAIN:PLAINTEXT,\
CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAIN
listener.name.secure.sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config=$PLAIN required \
user_alice=\"alice-secret\";
listener.name.secure.ssl.keystore.location=$LAB_DIR/keys.p12
listener.name.secure.ssl.keystore.password=lab-secret
listener.name.secure.ssl.keystore.type=PKCS12"
	CLUSTER_CLIENTS="
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=$PLAIN required username=\"alice\" password=\"alice-secret\";
ssl.truststore.location=$LAB_DIR/keys.p12
ssl.truststore.password=lab-secret
ssl.truststore.type=PKCS12"
	for node in "${CLUSTER_NODES[@]}"; do
		echo "$(vip "$node") kafka-$node.lab"
	done >"$LAB_DIR/hosts"
	CLUSTER_CLIENTS_JAVA=("-Djdk.net.hosts.file=$LAB_DIR/hosts")
}

# vip NODE: 10.9.1.101 and so on.
vip() {
	echo "${LAB_VIP_IP%0}$1"
}

# As an operator would have one: not through Lightpath.
way_to_brokers() {
	local node

	ip -n "$LAB_ID-brokers" link add way type veth \
	    peer name way netns "$LAB_ID-lightpath" &&
	    ip -n "$LAB_ID-brokers" addr add 10.9.9.1/24 dev way &&
	    ip -n "$LAB_ID-lightpath" addr add 10.9.9.2/24 dev way &&
	    ip -n "$LAB_ID-brokers" link set way up &&
	    ip -n "$LAB_ID-lightpath" link set way up || return
	for node in "${CLUSTER_NODES[@]}"; do
		ip -n "$LAB_ID-lightpath" route add "$(cluster_ip "$node")" \
		    via 10.9.9.1 || return
	done
}

# The names of the brokers lead clients to the VIPs, and lp-controld to the
# brokers.
lightpath_start() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		echo "$(cluster_ip "$node") kafka-$node.lab"
	done >"$LAB_DIR/controld.hosts"
	mkdir -m 700 "$LAB_DIR/clients"
	lab_dataplane_start
	# shellcheck disable=SC2016 # for that bash
	lab_start controld lightpath unshare --mount bash -c \
	    'mount --bind "$0" /etc/hosts && exec "$@"' \
	    "$LAB_DIR/controld.hosts" "$LAB_BUILD/controld/lp-controld" \
	    --database "$LAB_DIR/lightpath.db" --socket "$LAB_SOCKET" \
	    --dataplane "$LAB_DIR/dataplane.sock" \
	    --kafka-clients "$LAB_DIR/clients" --poll-interval 5
	lab_lightpath_ready
}

# client_file PASSWORD MODE: what lp-controld is to the brokers.
client_file() {
	local file=$LAB_DIR/lab.conf

	printf '%s\n' bootstrap.servers=kafka-1.lab:9092 \
	    security.protocol=SASL_SSL "ssl.ca.location=$LAB_DIR/ca.pem" \
	    sasl.mechanism=PLAIN sasl.username=alice "sasl.password=$1" \
	    >"$file"
	chmod "$2" "$file"
	mv "$file" "$LAB_DIR/clients/lab.conf"
}

configure() {
	local command

	while read -r -a command; do
		lab_ctl "${command[@]}" </dev/null || return
	done < <(
		lab_commands | grep -e '^add-port' -e '^add-cluster'
		echo "set-cluster lab --discover on"
		echo "add-listener lab secure $LAB_VIP --rewrite off"
	)
	lab_wait 10 "the dataplane to be in step" lab_in_step
}

choose_vips() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		lab_ctl set-broker lab "$node" \
		    --endpoint "secure=$(vip "$node"):9092" || return
	done
	lab_wait 10 "the dataplane to be in step" lab_in_step
}

status_says() {
	lab_ctl status | grep -F -e "$1" || {
		lab_ctl status
		return 1
	}
}

# As brokers_are has it.
discovered() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		echo "$node kafka-$node.lab $(cluster_ip "$node"):9092 discovered"
	done
}

brokers_are() {
	local now

	now=$(lab_json show '.clusters[0].brokers | sort_by(.node_id)[] |
	    "\(.node_id) \(.host) \(.endpoint) \(.source)"') || return
	echo "$now"
	[ "$now" = "$1" ]
}

no_secret() {
	lab_ctl -o json status >"$LAB_DIR/status.json" &&
	    lab_ctl status >"$LAB_DIR/status.txt" &&
	    ! grep -F -e alice-secret -e wrong-secret "$LAB_DIR"/status.* \
	        "$LAB_DIR"/controld.log "$LAB_DIR"/lightpath.db*
}

all_is_tls() {
	lab_ctl -o json connections >"$LAB_DIR/connections.json"
	jq -c '[.connections[] | {content, server_name}] | unique[]' \
	    "$LAB_DIR/connections.json"
	jq -e '.connections | length > 0 and all(.content == "tls") and
	    (map(.server_name) | unique | join(",")) ==
	        "kafka-1.lab,kafka-2.lab,kafka-3.lab"' \
	    "$LAB_DIR/connections.json"
}

main "$@"
