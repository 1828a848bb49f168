#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# MirrorMaker 2 between two clusters that it has no route to: each is behind a
# listener of its own, and both have a broker with the same number.  What is
# produced to A is in B, record for record, and a group that has read A goes on
# where it was with B.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/cluster.sh
. "$LAB_SUPPORT/cluster.sh"
# shellcheck source=tests/support/mirror.sh
. "$LAB_SUPPORT/mirror.sh"

# Before MirrorMaker 2 starts, while it runs, and after a group has moved.
EARLY=20000
LIVE=10000
LATE=100

main() {
	e2e_begin mirror
	TARGET_IP=${LAB_BROKER%1}9
	TARGET_VIP=${LAB_VIP_IP%0}1:$LAB_PORT
	must "Kafka is there" lab_kafka_get
	must "MirrorMaker 2 is there" mirror_get
	must "the namespaces are made" lab_network
	must "cluster A runs, three brokers" cluster_start
	must "cluster B runs, one broker" target_start
	must "what clients are sent is captured" cluster_capture
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures both" configure

	must "$EARLY records are produced to A" produce 1 $EARLY
	mirror_start "$LAB_VIP" "$TARGET_VIP"
	must "MirrorMaker 2 runs, and B has them" arrived $EARLY
	must "$LIVE more are produced" produce $((EARLY + 1)) $LIVE
	must "B has them" arrived $((EARLY + LIVE))
	check "B has what A has, at the same places" same_places
	check "and that is what was sent" mirrored_records

	must "a group reads A" group_read "$LAB_VIP" records $((EARLY + LIVE))
	must "B knows how far it is" lab_ready mirror 60 \
	    "the offsets of the group" group_known
	must "$LATE more are produced" \
	    produce $((EARLY + LIVE + 1)) $LATE
	must "the group goes on with B" \
	    group_read "$TARGET_VIP" A.records $LATE
	check "it gets those, and no other" went_on

	check "MirrorMaker 2 talks to each broker through its listener" through
	check "no packet was dropped" no_drops
	check "no stream was lost" no_stream_lost
	lab_kill mirror
	lab_stop capture
	check "no address of a broker reached a client, none was dialed" \
	    cluster_leaks "$TARGET_IP" "$(cluster_ip 1)" "$(cluster_ip 2)" \
	        "$(cluster_ip 3)"
	check "the same search finds A's address" cluster_sees "$LAB_VIP_IP"
	check "and B's" cluster_sees "${TARGET_VIP%:*}"
	e2e_done
}

# The lab's one broker, beside the others and with an address of its own.
target_start() {
	LAB_JAVA+=(-Xms128m -Xmx256m)
	LAB_REAL=$TARGET_IP:9092
	ip -n "$LAB_ID-brokers" addr add "$TARGET_IP/$LAB_FRONT_LEN" \
	    dev net0 && lab_kafka_start "$LAB_REAL"
}

configure() {
	cluster_configure && lab_ctl add-cluster target -- \
	    add-broker target $LAB_NODE "$LAB_REAL" -- \
	    add-listener target public "$TARGET_VIP" --broker-base $LAB_BASE
}

# produce FIRST COUNT: to A, as all that was sent before.
produce() {
	records_make "$2" "$1" >"$LAB_DIR/sent.now" &&
	    cat "$LAB_DIR/sent.now" >>"$LAB_DIR/sent" &&
	    records_produce records "$LAB_DIR/sent.now"
}

# arrived COUNT: so many are in B.
arrived() {
	lab_ready mirror 60 "$1 records in B" arrived_now "$1"
}

arrived_now() {
	[ "$(LAB_VIP=$TARGET_VIP records_held A.records 2>/dev/null)" -eq "$1" ]
}

# read_places VIP TOPIC FILE: partition, offset and record.
read_places() {
	lab_on client timeout 60 kcat -C -e -q -o beginning -b "$1" -t "$2" \
	    -f '%p %o %s\n' | LC_ALL=C sort >"$3"
}

same_places() {
	local a=$LAB_DIR/places.a b=$LAB_DIR/places.b

	read_places "$LAB_VIP" records "$a" &&
	    read_places "$TARGET_VIP" A.records "$b" || return
	wc -l "$a" "$b"
	sha256sum "$a" "$b"
	[ "$(wc -l <"$a")" -eq $((EARLY + LIVE)) ] && cmp "$a" "$b"
}

mirrored_records() {
	cut -d ' ' -f 3- "$LAB_DIR/places.b" >"$LAB_DIR/got"
	same_records && [ "$(records_sum "$LAB_DIR/sent")" = \
	    "$(records_sum "$LAB_DIR/got")" ]
}

# group_read VIP TOPIC COUNT
group_read() {
	lab_on client timeout 120 kcat -b "$1" -q -c "$3" -G readers \
	    -X auto.offset.reset=earliest "$2" >"$LAB_DIR/group"
}

# In B, the group is at the end of every partition.
group_known() {
	lab_java client org.apache.kafka.tools.consumer.group.ConsumerGroupCommand \
	    --bootstrap-server "$TARGET_VIP" --describe --group readers \
	    --offsets >"$LAB_DIR/group.told" 2>/dev/null
	awk -v want=$((EARLY + LIVE)) '$2 == "A.records" && $6 == 0 { sum += $4 }
		END { exit sum != want }' "$LAB_DIR/group.told"
}

went_on() {
	wc -l "$LAB_DIR/group"
	LC_ALL=C sort "$LAB_DIR/group" | cmp - "$LAB_DIR/sent.now"
}

# Where it reads, and where it writes: by listener and endpoint.  (It has begun
# with the bootstrap endpoints, and may still be connected there.)
through() {
	local node want=() got

	for node in "${CLUSTER_NODES[@]}"; do
		want+=("lab/$LAB_VIP_IP:$((LAB_BASE + node))")
	done
	want+=("target/${TARGET_VIP%:*}:$((LAB_BASE + LAB_NODE))")
	got=$(lab_ctl -o json connections |
	    jq -r --arg bootstrap ":$LAB_PORT" '[.connections[] |
	    select(.vip | endswith($bootstrap) | not) |
	    select(.client_id // "" | test("\\|replication-consumer$|" +
	        "^connector-producer-MirrorSourceConnector-")) |
	    "\(.cluster)/\(.vip)"] | unique | join(" ")')
	echo "$got"
	[ "$got" = "${want[*]}" ]
}

main "$@"
