#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Three brokers that speak TLS only, with SASL, by the recipe of the README:
# nothing can be rewritten, so each broker has a VIP of its own on its own
# port, its name stays, and the clients' names lead to the VIPs.  They produce,
# consume and fail over; clients have no route to the brokers.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"

NAMES=kafka-1.lab:9092,kafka-2.lab:9092,kafka-3.lab:9092
PLAIN=org.apache.kafka.common.security.plain.PlainLoginModule

main() {
	e2e_begin rewritetls
	must "Kafka is there" lab_kafka_get
	must "the clients are compiled" cluster_clients_get
	must "the namespaces are made" lab_network
	must "the brokers have a certificate" keys
	properties
	must "three brokers of Kafka $LAB_KAFKA_VERSION run" cluster_start
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" configure
	must "clients run" cluster_clients_start - "$NAMES"

	must "leaders move" cluster_ask "move 2,3,1"
	must "records pass" cluster_ask "pass 300"
	check "all of it is TLS, by the brokers' own names" all_is_tls
	lab_kill kafka-2
	must "a broker is killed, and records pass" cluster_ask "pass 500"
	cluster_broker 2
	must "it is back, and its replicas are in sync" cluster_ask whole
	must "it leads again" cluster_ask "move 2,1,3"
	check "the clients judge: none is lost, altered or repeated" \
	    cluster_clients_judge
	check "no packet was dropped" no_drops
	e2e_done
}

keys() {
	keytool -genkeypair -alias lab -dname CN=kafka.lab -keyalg EC \
	    -ext SAN=dns:kafka-1.lab,dns:kafka-2.lab,dns:kafka-3.lab \
	    -validity 365 -storetype PKCS12 -keystore "$LAB_DIR/keys.p12" \
	    -storepass lab-secret >"$LAB_DIR/keytool.log" 2>&1
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

configure() {
	local node command

	while read -r -a command; do
		lab_ctl "${command[@]}" </dev/null || return
	done < <(
		lab_commands | grep -e '^add-port' -e '^add-cluster'
		echo "add-listener lab secure $LAB_VIP --rewrite off"
		for node in "${CLUSTER_NODES[@]}"; do
			echo "add-broker lab $node $(cluster_host "$node"):9092" \
			    "--endpoint secure=$(vip "$node"):9092"
		done
	)
	lab_wait 10 "the dataplane to be in step" lab_in_step
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
