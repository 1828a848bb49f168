#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Into a running cluster, and out of it again, without a restart of clients: a
# lab where clients do have a route to the brokers, past Lightpath.  With
# rewriting in shadow what would be rewritten is counted, and nothing is; with
# it off clients learn where the brokers really are, and go on without us.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"

main() {
	e2e_begin wayout
	must "Kafka is there" lab_kafka_get
	must "the clients are compiled" java_compile
	must "the namespaces are made" lab_network
	must "clients have another way to the brokers" cluster_other_way
	must "three brokers of Kafka $LAB_KAFKA_VERSION run" cluster_start
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" cluster_configure

	must "shadow is set" cluster_rewrite shadow
	check "in shadow clients are told the brokers' own addresses" \
	    told cluster_own
	check "and it is counted" shadowed
	must "rewriting is set off" cluster_rewrite off
	check "off, clients are told the same" told cluster_own
	check "and it is not counted" not_shadowed
	must "rewriting is set on" cluster_rewrite on
	check "on, clients are told our addresses" told cluster_ours

	must "clients run, through Lightpath" cluster_clients_start -
	lab_start kcat client kcat -C -q -u -b "$LAB_VIP" -t once \
	    -X topic.metadata.refresh.interval.ms=1000
	must "kcat too" lab_ready kcat 20 "records" [ -s "$LAB_DIR/kcat.log" ]
	check "nobody goes past it" not_past_it
	must "rewriting is set off" cluster_rewrite off
	check "kcat leaves Lightpath by itself" \
	    lab_ready kcat 30 "a connection with a broker" past_it kcat
	must "all clients have asked where the brokers are" cluster_have_asked
	check "no packet was dropped" no_drops
	must "the listener is deleted" lab_ctl del-listener lab public
	must "records pass" cluster_ask "pass 150"
	check "past Lightpath" past_it java
	check "the clients judge: none is lost, altered or repeated" \
	    cluster_clients_judge
	e2e_done
}

# What becomes of connections that there are is not asked here: kcat's are new.
told() {
	local got

	BEFORE=$(lab_shadowed)
	got=$(cluster_told client "$LAB_VIP")
	echo "$got"
	[ "$got" = "$("$1")" ]
}

lab_shadowed() {
	lab_ctl -o json stats kafka |
	    jq '[.. | .addresses_shadowed? // empty] | add // 0'
}

# By as many as there are brokers, for each time that kcat has asked.
shadowed() {
	local grown

	grown=$(($(lab_shadowed) - BEFORE))
	echo "$grown more"
	[ $grown -gt 0 ] && [ $((grown % 3)) -eq 0 ]
}

not_shadowed() {
	[ "$(lab_shadowed)" -eq "$BEFORE" ]
}

# Connections of any program, or of one, with brokers' own addresses.
PAST_IT=(ss -H -t -n -p state established dst 10.9.2.0/24)
past_it() {
	lab_on client "${PAST_IT[@]}" | grep "\"$1\""
}

not_past_it() {
	! lab_on client "${PAST_IT[@]}" | grep .
}

main "$@"
