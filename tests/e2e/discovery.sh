#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Three real brokers of which the operator names one: Lightpath finds the two
# others by the first list that passes to a client, and clients reach them all.
# With discovery off it says what to do, and that does it.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"

TOOLS=org.apache.kafka.tools
RECORDS=30000

main() {
	e2e_begin discovery
	must "Kafka is there" lab_kafka_get
	must "the namespaces are made" lab_network
	must "three brokers of Kafka $LAB_KAFKA_VERSION run" cluster_start
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures one broker" configure
	check "nobody knows of the others" brokers_are "1 manual"
	must "a client asks who is there" asked
	check "the two others are found" lab_poll 30 brokers_are \
	    "1 manual, 2 discovered, 3 discovered"
	# Once the dataplane has it: the database was first.
	check "each change was logged" lab_wait 10 "an event a change" logged
	check "clients are told our endpoints" told_ours

	must "a topic with three replicas is made" lab_java client \
	    $TOOLS.TopicCommand --bootstrap-server "$LAB_VIP" --create \
	    --topic records --partitions 3 --replication-factor 3
	records_make $RECORDS >"$LAB_DIR/sent"
	must "kcat produces to all three" records_produce records \
	    "$LAB_DIR/sent"
	must "kcat consumes" records_consume records "$LAB_DIR/got"
	check "none is lost, altered or repeated" same_records
	check "all three brokers were reached" all_reached

	must "discovery is turned off" lab_ctl set-cluster lab --discover off
	must "broker 3 is deleted" lab_ctl del-broker lab 3
	check "a client asks again" asked
	check "status names it, and the command" lab_poll 30 has_remedy
	check "that command is taken" do_remedy
	check "then all is as it was" brokers_are \
	    "1 manual, 2 discovered, 3 manual"
	check "clients are told our endpoints again" told_ours
	e2e_done
}

configure() {
	local command

	while read -r -a command; do
		lab_ctl "${command[@]}" </dev/null || return
	done < <(
		cluster_commands | grep -v -e '^add-broker lab [23] '
		echo set-cluster lab --discover on
	)
	lab_wait 10 "the dataplane to be in step" lab_in_step
}

# As whoever is named first tells it; the others may not be reached yet.
asked() {
	lab_on client timeout 20 kcat -L -m 5 -b "$LAB_VIP" >/dev/null
}

# "1 manual, 2 discovered"
brokers_are() {
	local now

	now=$(lab_ctl list-brokers lab | awk 'NR > 1 { print $2, $NF }' |
	    sort | paste -s -d , | sed 's/,/, /g')
	echo "$now"
	[ "$now" = "$1" ]
}

logged() {
	local node

	for node in 2 3; do
		grep "discovery: broker lab/$node added at" \
		    "$LAB_DIR/controld.log" || return
	done
}

told_ours() {
	lab_wait 10 "the dataplane to be in step" lab_in_step &&
	    [ "$(cluster_told client "$LAB_VIP")" = "$(cluster_ours)" ]
}

all_reached() {
	local node

	for node in "${CLUSTER_NODES[@]}"; do
		lab_ctl stats kafka | awk -v node="$node" \
		    '$2 == node && $3 == "Produce"' | grep . || return
	done
}

remedy() {
	lab_ctl status | sed -n 's/^ *lpctl \(add-broker lab 3 .*\)/\1/p'
}

has_remedy() {
	lab_ctl status
	[ "$(remedy)" = "add-broker lab 3 $(cluster_host 3):9092" ]
}

do_remedy() {
	local command

	read -r -a command < <(remedy)
	lab_ctl "${command[@]}"
}

main "$@"
