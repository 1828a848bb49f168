#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that Kafka's own clients, kcat, kafkajs and a client by hand do,
# through Lightpath: every record arrives once and whole, every refusal for the
# reason that was provoked, and what Lightpath counted of it is what the clients
# counted.  LAB_KAFKA chooses the release.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/kafka/workloads.sh
. "$LAB_SUPPORT/kafka/workloads.sh"

main() {
	local name

	e2e_begin workloads
	work_lab
	work_java
	for name in $(work_names); do
		check "Kafka's own clients: $name" work_did "$name"
	done
	check "kcat: codecs, a reader, a group" work_kcat
	check "kafkajs: producers, a transaction, a group, an admin" work_js
	check "by hand: pipelined, dribbled, nameless, refused" work_raw
	check "no packet was dropped" no_drops
	must "the clients tell what they did" work_truth
	kafka_agrees
	e2e_done
}

kafka_agrees() {
	local name

	must "lpctl says what the wire saw" work_stats
	check "each client id: requests, answers, bytes" work_agrees clients
	check "each API: requests, answers" work_agrees apis
	check "produces by their acks" work_agrees kinds
	check "each topic: bytes of records" work_agrees topics
	check "errors by name" work_agrees errors
	check "no wire is slower than its client" work_agrees latency
	check "throttled as the client felt it" work_agrees throttle
	for name in plain scram; do
		check "$name: a connection's client and principal" \
		    whose $name-idle "select(.client_id == \"$name-idle\" and
		    .principal == \"alice\")"
	done
	check "TLS: a connection's server name, and no more" whose tls-idle \
	    "select(.content == \"tls\" and .client_id == null and
	    .server_name == \"$WORK_NAME\")"
}

# whose CLIENT FILTER: one connection of that idle client passes it.
whose() {
	work_idle "$1"
	lab_ready "$1" 20 "a connection that is said to be its own" \
	    connected "$2" || lab_ctl -o json connections
	lab_kill "$1"
	[ "$FOUND" -gt 0 ]
}

connected() {
	FOUND=$(lab_json connections "[.connections[] | $1] | length")
	[ "$FOUND" -gt 0 ]
}

main "$@"
