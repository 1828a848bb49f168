#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A bump in the wire between a client and a real Kafka: both are of one
# network, and neither notices.  What leaves the one comes to the other byte for
# byte; Kafka's connections are counted on the way.  With the argument 6 Kafka
# is on IPv6.
#
#     LAB_ID-client         LAB_ID-lightpath       LAB_ID-brokers
#     net0 ---------------- left      right ------ net0
#     10.9.2.2, fd09:2::2                          10.9.2.1, fd09:2::1

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

RECORDS=20000
FRAMES=$LAB_SUPPORT/frames.py

main() {
	e2e_begin "inline${1:-4}" "${1:-4}"
	# shellcheck disable=SC2034
	LAB_VIP=$LAB_REAL
	must "Kafka is there" lab_kafka_get "${LAB_KAFKA:-}"
	must "the namespaces are made" inline_network
	must "Kafka runs" lab_kafka_start "$LAB_REAL"
	must "Lightpath runs" lab_lightpath_start
	check "nothing passes yet" ping_fails
	if [ "$LAB_BACKEND" = af_xdp ]; then
		check "a device that the kernel uses is refused" kernel_stays
		check "and one that has another on top" kernel_stays_on_top
	fi
	must "lpctl configures it" inline_configure
	check "half a pair is refused" refuses 1 "come and go in one change" \
	    del-port left
	check "its devices take frames to every MAC" promiscuous
	inline_passes_all
	inline_follows
	inline_survives
	inline_acts
	e2e_done
}

# ---- the network ---------------------------------------------------------

inline_network() {
	lab_netns client && lab_netns lightpath && lab_netns brokers &&
	    lab_on lightpath sysctl -qw net.ipv6.conf.default.disable_ipv6=1 &&
	    lab_veth client left && lab_veth brokers right &&
	    inline_end client 2 && inline_end brokers 1
}

# Receivers with NAPI, which merges no segments: captures have what was sent.
inline_end() {
	local netns=$LAB_ID-$1

	lab_on "$1" sysctl -qw net.ipv6.conf.net0.router_solicitations=0 &&
	    ip -n "$netns" link set net0 gro_max_size 1 &&
	    ip -n "$netns" addr add "10.9.2.$2/24" dev net0 &&
	    ip -n "$netns" addr add "fd09:2::$2/64" dev net0 nodad
}

inline_configure() {
	local -a left right

	read -r -a left < <(lab_device left)
	read -r -a right < <(lab_device right)
	lab_ctl add-port left "${left[@]}" --peer right -- \
	    add-port right "${right[@]}" --peer left -- \
	    add-cluster lab -- add-broker lab $LAB_NODE "$LAB_REAL" -- \
	    add-listener lab seen --mode inline
}

kernel_stays() {
	local netns=$LAB_ID-lightpath status=0

	ip -n "$netns" addr add 10.77.0.1/24 dev left &&
	    refuses 5 "the kernel holds 10.77.0.1 on left" \
	        add-port left --device left --peer right -- \
	        add-port right --device right --peer left || status=1
	ip -n "$netns" addr del 10.77.0.1/24 dev left && return $status
}

# By a device on top of it, whose addresses these are.
kernel_stays_on_top() {
	local netns=$LAB_ID-lightpath status=0

	ip -n "$netns" link add br0 type bridge &&
	    ip -n "$netns" link set left master br0 &&
	    refuses 5 "the kernel has br0 on top of left" \
	        add-port left --device left --peer right -- \
	        add-port right --device right --peer left || status=1
	ip -n "$netns" addr add 10.77.0.1/24 dev br0 &&
	    ip -n "$netns" link set br0 up &&
	    ip -n "$netns" route add default via 10.77.0.2 &&
	    refuses 5 "left is part of br0: br0 carries the host's default" \
	        add-port left --device left --peer right -- \
	        add-port right --device right --peer left || status=1
	ip -n "$netns" link del br0 &&
	    ip -n "$netns" link add above link left type macvlan &&
	    refuses 5 "the kernel has above on top of left" \
	        add-port left --device left --peer right -- \
	        add-port right --device right --peer left || status=1
	ip -n "$netns" link del above && return $status
}

ping_fails() {
	! lab_on client ping -c 1 -W 1 10.9.2.1
}

promiscuous() {
	local device

	for device in left right; do
		ip -n "$LAB_ID-lightpath" -d link show "$device" |
		    grep -E 'promiscuity [1-9]' || return
	done
}

# ---- everything passes ---------------------------------------------------

inline_passes_all() {
	# The one that failed may still be asked for, until 3 s are over.
	check "a ping passes" lab_poll 10 ping_answers 10.9.2.1
	check "a ping of IPv6 passes" ping_answers fd09:2::1
	check "and one of 1500 bytes" ping_of_full_size
	check "the broker's own MAC is what the client sees" knows_mac 10.9.2.1
	check "and so of IPv6" knows_mac fd09:2::1

	must "both ends are captured" capture_start
	check "neighbours are found anew" finds_neighbors
	check "a ping of IPv6 passes" ping_answers fd09:2::1
	check "frames of all kinds are sent" odd_frames
	records_make $RECORDS >"$LAB_DIR/sent"
	check "kcat produces" records_produce records "$LAB_DIR/sent"
	check "kcat consumes" records_consume records "$LAB_DIR/got"
	check "none is lost, altered or repeated" same_records
	check "both ends have seen the very same frames" lab_poll 10 same_frames
	capture_stop
	check "a trace of the client's file tells what Kafka said" traced
	check "nobody has sent a reset of ours" [ "$(lab_stats \
	    .worker.sent_reset)" -eq 0 ]
	check "no packet was dropped" no_drops
}

ping_of_full_size() {
	lab_on client ping -c 1 -W 2 -M "do" -s 1472 10.9.2.1
}

knows_mac() {
	local mac

	mac=$(lab_on brokers cat /sys/class/net/net0/address)
	ip -n "$LAB_ID-client" neigh show "$1" | grep -w "$mac"
}

finds_neighbors() {
	ip -n "$LAB_ID-client" neigh flush all
	ip -n "$LAB_ID-brokers" neigh flush all
	ping_answers 10.9.2.1
}

# net_af_packet gets no fragments, only what the kernel makes of them.
odd_frames() {
	local mac

	mac=$(lab_on brokers cat /sys/class/net/net0/address)
	lab_on client python3 "$FRAMES" foreign net0 "$mac" 10.9.2.1 9092 &&
	    lab_on brokers python3 "$FRAMES" foreign net0 "$mac" 10.9.2.2 9092 ||
	    return
	[ "$LAB_BACKEND" != dpdk ] || return 0
	lab_on client python3 "$FRAMES" bad net0 "$mac" 10.9.2.1 9092 &&
	    lab_on client python3 "$FRAMES" random net0 "$mac" 10.9.2.1 9092 200
}

capture_start() {
	local where

	for where in client brokers; do
		lab_start "capture-$where" "$where" tcpdump -i net0 -s 0 -U \
		    --immediate-mode -B 65536 -w "$LAB_DIR/$where.pcap"
		lab_ready "capture-$where" 10 "tcpdump to listen" \
		    grep -q "listening on" "$LAB_DIR/capture-$where.log" ||
		    return
	done
	lab_on client python3 "$FRAMES" mark net0 02:00:de:ad:be:ef \
	    10.9.2.1 9092
}

capture_stop() {
	lab_stop capture-client
	lab_stop capture-brokers
}

same_frames() {
	"$LAB_SUPPORT/same_frames.py" "$LAB_DIR/client.pcap" \
	    "$LAB_DIR/brokers.pcap"
}

# The whole conversation, as if it came in now.
traced() {
	lab_ctl trace --port left -r "$LAB_DIR/client.pcap" \
	    --filter 'tcp port 9092' -c 4000 >"$LAB_DIR/traced" || return
	grep -m 6 '^ *kafka ' "$LAB_DIR/traced"
	grep -q '^ *kafka  *request Produce v.* client rdkafka ' \
	    "$LAB_DIR/traced" &&
	    grep -q '^ *kafka  *response Produce v.* latency ' \
	        "$LAB_DIR/traced"
}

# ---- rules act ------------------------------------------------------------

inline_acts() {
	must "there are two topics" both_are_let_in
	must "a rule that acts is taken" deny_secrets
	check "of one request one topic is denied, the other is done" \
	    produces "open.in 0" "secret.in 29"
	check "kcat is refused, and told why" kcat_refused -P -t secret.in
	check "also when it fetches" kcat_refused -C -t secret.in -o beginning -e
	check "and let in elsewhere" kcat_sends open.in
	check "that is counted" counted
	must "the packet process is killed" \
	    kill -KILL "$(pgrep -P "${LAB_PID[dataplane]}")"
	check "the next one denies it, too" lab_poll 20 \
	    produces "open.in 0" "secret.in 29"
	must "the rule is deleted" lab_ctl del-rule secrets
	must "the dataplane is in step" lab_poll 10 lab_in_step
	check "both are let in" produces "open.in 0" "secret.in 0"
	check "nothing of what was denied is there" [ "$(lab_on client kcat \
	    -C -q -e -o beginning -b "$LAB_REAL" -t secret.in | wc -l)" -eq 2 ]
}

both_are_let_in() {
	kcat_sends secret.in && kcat_sends open.in
}

# What passes without a packet process is not judged.
deny_secrets() {
	lab_ctl set-port left --on-loss drop -- set-port right --on-loss drop &&
	    lab_ctl set-listener lab seen --unjudged reset -- \
	    add-rule secrets --priority 500 --action deny \
	    --match 'listener=lab/seen api=Produce,Fetch topic=secret.*' &&
	    lab_poll 10 lab_in_step
}

produces() {
	lab_on client "$LAB_SUPPORT/kafka/produce_to.py" "$LAB_REAL" open.in \
	    secret.in | sort >"$LAB_DIR/produced"
	cat "$LAB_DIR/produced"
	cmp "$LAB_DIR/produced" <(printf '%s\n' "$@")
}

kcat_sends() {
	echo one | lab_on client timeout 60 kcat -P -b "$LAB_REAL" -t "$1"
}

kcat_refused() {
	! echo one | lab_on client timeout 60 kcat -b "$LAB_REAL" "$@" \
	    2>"$LAB_DIR/kcat.said" || return
	cat "$LAB_DIR/kcat.said"
	grep -q 'Topic authorization failed' "$LAB_DIR/kcat.said"
}

counted() {
	lab_json rule-stats '.dataplanes[0].rules[0]' | tee /dev/stderr |
	    jq -e '.refused >= 3'
}

# ---- Kafka's connections are followed ------------------------------------

inline_follows() {
	check "the counters cover what kcat sent and got" counters_cover
	check "and so do the records of the topic" topic_covers
	check "the connections were seen from their first segment on" \
	    [ "$(lab_reason opened)" -ge 2 ]
	must "records flow" flow_start
	check "connections are listed while they are open" listed
	if [ "$LAB_BACKEND" = af_xdp ]; then
		check "in the kernel passes what need not be seen" \
		    [ "$(lab_counter left steer_wired)" -gt 10 ]
		check "the kernel itself gets nothing" \
		    [ "$(lab_counter left steer_passed)" -eq 0 ]
	fi
	check "the listener goes, the flow goes on" without_listener
	check "it comes back, and picks up what flows" with_listener
	check "and proves where its frames begin" lab_poll 20 proven
}

lab_counter() {
	lab_stats ".ports[] | select(.name == \"$1\") | .counters.$2"
}

counters_cover() {
	local size

	size=$(stat -c %s "$LAB_DIR/sent")
	echo "sent $size, client $(lab_endpoints client_bytes)" \
	    "broker $(lab_endpoints broker_bytes)"
	[ "$(lab_endpoints client_bytes)" -ge "$size" ] &&
	    [ "$(lab_endpoints broker_bytes)" -ge "$size" ]
}

# Batches add to the records' own bytes, compression is off.
topic_covers() {
	local size produced fetched

	size=$(($(stat -c %s "$LAB_DIR/sent") - RECORDS))
	produced=$(lab_json topics '.dataplanes[].topics[] |
	    select(.topic == "records") | .produce_bytes')
	fetched=$(lab_json topics '.dataplanes[].topics[] |
	    select(.topic == "records") | .fetch_bytes')
	echo "records $size, produced $produced, fetched $fetched"
	[ "$produced" -ge "$size" ] && [ "$fetched" -ge "$size" ]
}

proven() {
	lab_json connections '.connections[].content' | tee /dev/stderr |
	    grep -qx kafka
}

# Nothing is translated: its VIP is the broker.
listed() {
	lab_json connections '.connections[] |
	    select(.state == "ESTABLISHED") |
	    "\(.vip) \(.broker) \(.client) \(.source)"' | tee /dev/stderr |
	    awk -v real="$LAB_REAL" '$1 == real && $2 == real && $3 == $4 { n++ }
		END { exit n < 2 }'
}

without_listener() {
	lab_ctl del-listener lab seen && flow_passes 500 &&
	    [ "$(lab_table connections)" -eq 0 ]
}

with_listener() {
	lab_ctl add-listener lab seen --mode inline && flow_passes 500 &&
	    [ "$(lab_reason picked_up)" -ge 2 ] && listed
}

# ---- without its dataplane -----------------------------------------------

# Its keeper sleeps, so that nobody starts another.
inline_survives() {
	local old

	old=$(pgrep -P "${LAB_PID[dataplane]}")
	if [ "$LAB_BACKEND" = dpdk ]; then
		check "wire is refused where nothing could" refuses 1 \
		    "wire is for ports of af_xdp only" \
		    set-port left --on-loss wire
		must "the packet process is killed" kill -KILL "$old"
	else
		must "the packet process is killed, and nobody starts another" \
		    kill_for_good "$old"
		check "a ping passes" ping_answers 10.9.2.1
		check "frames to every MAC still come in" promiscuous
		check "what it was to see does not" connect_fails
		must "the keeper starts another" lab_signal CONT dataplane
	fi
	must "records flow on" flow_passes 1000
	check "the dataplane is in step again" lab_poll 10 lab_in_step
	if [ "$LAB_BACKEND" = af_xdp ]; then
		inline_addressed
		inline_wires
	fi
	flow_stop
}

# What the host does to a device meanwhile must not cut the wire.
inline_addressed() {
	local netns=$LAB_ID-lightpath

	must "the kernel gets an address on left" \
	    ip -n "$netns" addr add 10.77.0.1/24 dev left
	must "the packet process is killed" \
	    kill -KILL "$(pgrep -P "${LAB_PID[dataplane]}")"
	must "records flow on" flow_passes 1000
	check "the dataplane is in step again" lab_poll 10 lab_in_step
	check "it warns of the address" grep -F \
	    "the kernel holds 10.77.0.1 on left" "$LAB_DIR/dataplane.log"
	must "the address goes" \
	    ip -n "$netns" addr del 10.77.0.1/24 dev left
}

lab_signal() {
	kill "-$1" "${LAB_PID[$2]}"
}

kill_for_good() {
	lab_signal STOP dataplane && kill -KILL "$1" &&
	    lab_poll 10 is_zombie "$1"
}

is_zombie() {
	grep -q '^State:.Z' "/proc/$1/status"
}

connect_fails() {
	! lab_on client timeout 3 kcat -L -b "$LAB_REAL" -m 2
}

inline_wires() {
	local old

	must "lpctl lets it wire" lab_ctl set-port left --on-loss wire -- \
	    set-port right --on-loss wire
	old=$(pgrep -P "${LAB_PID[dataplane]}")
	must "the packet process is killed again" kill_for_good "$old"
	check "a ping passes" ping_answers 10.9.2.1
	check "records flow without a dataplane" flow_passes 1000
	check "and a new connection is made" lab_kafka_seen
	must "the keeper starts another" lab_signal CONT dataplane
	check "the dataplane is in step again" lab_poll 10 lab_in_step

	old=$(pgrep -P "${LAB_PID[dataplane]}")
	must "the packet process hangs" kill -STOP "$old"
	check "records flow past it" flow_passes 1000
	check "it goes on" kill -CONT "$old"
	check "records flow through it" flow_passes 1000
	check "what had waited for it is dropped" [ "$(lab_reason stale)" -gt 0 ]
	check "and are followed" lab_poll 10 listed
}

lab_kafka_seen() {
	lab_on client kcat -L -m 5 -b "$LAB_REAL"
}

main "$@"
