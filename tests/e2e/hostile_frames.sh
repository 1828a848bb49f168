#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Frames that no kernel would send while records flow: a SYN flood up to the
# limit of half-open connections, one frame of every bad kind, and random
# ones.  Established connections go on, and every frame has its reason.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

CONNECTIONS=256

main() {
	e2e_begin hostile
	must "Kafka is there" lab_kafka_get "${LAB_KAFKA:-}"
	must "the namespaces are made" lab_network
	must "Kafka runs" lab_kafka_start
	lab_dataplane_start --connections $CONNECTIONS
	lab_controld_start
	must "Lightpath runs" lab_lightpath_ready
	must "lpctl configures it" lab_configure
	must "records flow" flow_start

	must "every kind of bad frame is sent" frames bad
	check "each has its reason" lab_poll 5 reasons_counted
	must "random frames are sent" frames random 20000
	must "records flow on" flow_passes 1000

	must "SYNs are sent from many sources" frames syn 5000
	check "beyond the limit the oldest half-open ones go" \
	    lab_poll 5 some_evicted
	check "so that they stay within it" within_limit
	must "records flow on after the flood" flow_passes 2000
	check "new clients get in again" lab_poll 60 gets_in
	flow_stop
	check "the reasons add up to the packets received" lab_poll 5 adds_up
	e2e_done
}

# frames KIND [COUNT]: to the VIP, from the client's namespace.
frames() {
	local kind=$1 mac

	shift
	lab_on client ping -c 1 -W 2 "$LAB_VIP_IP" >/dev/null || return
	mac=$(ip -n "$LAB_ID-client" -j neigh show "$LAB_VIP_IP" |
	    jq -r '.[0].lladdr')
	lab_on client python3 "$LAB_SUPPORT/frames.py" "$kind" net0 "$mac" \
	    "$LAB_VIP_IP" "$LAB_PORT" "$@"
}

# The packet socket of net_af_packet puts fragments together by itself, and what
# lacks a piece never comes out of it.
reasons_counted() {
	local reason fragment=ip_fragment

	[ "$LAB_BACKEND $LAB_VDEV" != "dpdk net_af_packet" ] || fragment=
	for reason in ip_header ip_checksum $fragment ip_protocol \
	    ip_source tcp_header tcp_checksum; do
		if [ "$(lab_reason $reason)" -eq 0 ]; then
			echo "$reason: 0"
			return 1
		fi
	done
}

some_evicted() {
	[ "$(lab_table evicted)" -gt 0 ]
}

within_limit() {
	local now limit

	now=$(lab_table half_open)
	limit=$(lab_table half_open_max)
	echo "half-open: $now of $limit"
	[ "$now" -le "$limit" ] && [ "$limit" -lt $CONNECTIONS ]
}

gets_in() {
	lab_on client timeout 5 kcat -L -m 2 -b "$LAB_VIP" >/dev/null 2>&1
}

adds_up() {
	[ "$(lab_stats '[.reasons | to_entries[] | .value] | add')" -eq \
	    "$(lab_stats '[.ports[].counters.rx_packets] | add')" ]
}

main "$@"
