#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Rules on the way: an observer counts what a topic's requests come to, a deny
# in shadow denies nothing, and a reset refuses new connections of a client as
# long as it is there, and leaves those that are open; a DSCP is in all that is
# received; a route leads to a broker or nowhere; copies leave by a third port.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

RECORDS=2000
CLIENT=10.9.1.1
# Prints each new DS field of what is received over TCP.
DSFIELDS='
import socket
packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
packets.bind(("net0", 0x800))
print("ready", flush=True)
seen = set()
while True:
    data, (_, _, kind, _, _) = packets.recvfrom(4096)
    if kind != socket.PACKET_OUTGOING and data[9] == 6 and data[1] not in seen:
        seen.add(data[1])
        print(hex(data[1]), flush=True)
'

main() {
	e2e_begin rules
	e2e_lab
	must "rules are taken" add_rules
	records_make $RECORDS >"$LAB_DIR/sent"
	must "kcat produces" records_produce records "$LAB_DIR/sent"
	must "kcat consumes" records_consume records "$LAB_DIR/got"
	check "none is lost, altered or repeated" same_records $RECORDS
	check "the observer has counted the records" lab_wait 10 "bytes" \
	    observed
	check "the one in shadow has counted Fetches, and refused none" \
	    counted fetches '.requests > 0 and .refused == 0'
	check "one of another topic has counted nothing" counted other \
	    '.requests == 0'
	check "connections are counted by one that asks for no requests" \
	    counted all '.connections > 0 and .requests == 0'

	lab_start idle client kcat -C -q -u -o end -b "$LAB_VIP" -t records
	must "a consumer is connected" lab_wait 10 "a connection" established
	must "a reset is taken" lab_ctl add-rule gone --priority 900 \
	    --match "src=$CLIENT" --action reset
	check "a new connection is refused at once" refused
	check "the reset has counted it" lab_wait 10 "a count" counted gone \
	    '.connections > 0 and .refused == .connections'
	check "it has a reason of its own" [ "$(lab_reason reset_rule)" -gt 0 ]
	check "the consumer goes on" lab_alive idle
	check "its connection is still there" established
	must "an exception is taken" lab_ctl add-rule friend --priority 901 \
	    --match "src=$CLIENT cluster=lab" --action allow
	check "it is let in again" connects
	must "a DSCP is taken" lab_ctl add-rule marked --priority 902 \
	    --match "src=$CLIENT" --action 'priority=6 dscp=46'
	lab_start ds-client client python3 -c "$DSFIELDS"
	lab_start ds-brokers brokers python3 -c "$DSFIELDS"
	must "what is received is looked at" lab_wait 10 "both" \
	    looks
	must "records are produced with it" records_produce records \
	    "$LAB_DIR/sent"
	check "what the broker receives has it" lab_wait 10 "0xb8" \
	    grep -q 0xb8 "$LAB_DIR/ds-brokers.log"
	check "what the client receives has it" lab_wait 10 "0xb8" \
	    grep -q 0xb8 "$LAB_DIR/ds-client.log"
	check "all has it, the open consumer's too" marked
	must "it is deleted" lab_ctl del-rule marked
	must "a route to a broker that is not there is taken" lab_ctl \
	    add-rule away --priority 902 --match "src=$CLIENT" \
	    --action "route broker=7"
	check "a connection to the bootstrap endpoint is refused" refused
	check "it has counted it" lab_wait 10 "a count" counted away \
	    '.refused > 0'
	must "one to the broker that is is taken" lab_ctl set-rule away \
	    --action "route broker=$LAB_NODE"
	check "it is let in, and asked by no other rule" connects
	must "it is deleted" lab_ctl del-rule away
	must "a port for copies is added" add_tap
	must "they are asked for" lab_ctl add-rule copied --priority 902 \
	    --match "src=$CLIENT" --action mirror=tap
	must "they are looked at" lab_wait 10 "it" grep -q ready \
	    "$LAB_DIR/tapped.log"
	must "records are produced again" records_produce records \
	    "$LAB_DIR/sent"
	must "and consumed" records_consume records "$LAB_DIR/got"
	check "the copies have them both ways" lab_wait 10 "both ways" both_ways
	check "none was dropped" [ "$(lab_stats .worker.dropped_mirror)" = 0 ]
	must "it is deleted" lab_ctl del-rule copied
	must "both are deleted" delete_both
	check "it is let in without them" connects
	check "no packet was dropped" no_drops
	e2e_done
}

add_rules() {
	lab_ctl add-rule records --priority 500 \
	    --match 'api=Produce topic=records' --action observe &&
	    lab_ctl add-rule fetches --priority 400 \
	        --match 'api=Fetch topic=rec*' --action deny --shadow &&
	    lab_ctl add-rule other --priority 400 \
	        --match 'topic=others' --action observe &&
	    lab_ctl add-rule all --priority 1 --match "src=$CLIENT" \
	        --action observe
}

# A wire to who looks for records in the payload of copies.
add_tap() {
	local netns=$LAB_ID-lightpath

	ip -n "$netns" link add tap type veth peer name tapped &&
	    ip -n "$netns" link set tap up &&
	    ip -n "$netns" link set tapped up &&
	    lab_ctl add-port tap --device tap --address 192.0.2.1/30 \
	        --side client || return
	lab_start tapped lightpath python3 -c '
import socket, sys
SO_RCVBUFFORCE = 33
packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
packets.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
packets.bind(("tapped", 0x800))
# Several: a segment may end inside of one.
with open(sys.argv[1], "rb") as sent:
    lines = [sent.readline().strip() for _ in range(40)]
print("ready", flush=True)
while True:
    data, (_, _, kind, _, _) = packets.recvfrom(65536)
    if kind != socket.PACKET_OUTGOING and any(line in data for line in lines):
        print(socket.inet_ntoa(data[12:16]), flush=True)
' "$LAB_DIR/sent"
}

both_ways() {
	grep -q -x "$CLIENT" "$LAB_DIR/tapped.log" &&
	    grep -q -x "$LAB_VIP_IP" "$LAB_DIR/tapped.log"
}

delete_both() {
	lab_ctl del-rule gone && lab_ctl del-rule friend
}

# counted RULE CONDITION: of what it has matched.
counted() {
	lab_ctl -o json rule-stats "$1" >"$LAB_DIR/rule.json" &&
	    jq -c '.dataplanes[0].rules[0]' "$LAB_DIR/rule.json" &&
	    jq -e ".dataplanes[0].rules[0] | $2" "$LAB_DIR/rule.json"
}

# What a Produce says around its records is more than nothing.
observed() {
	local payload

	payload=$(($(wc -c <"$LAB_DIR/sent") - RECORDS))
	counted records ".requests > 0 and .request_bytes > $payload"
}

# All that was received since the rule was there.
marked() {
	cat "$LAB_DIR/ds-brokers.log" "$LAB_DIR/ds-client.log"
	[ "$(tail -n +2 "$LAB_DIR/ds-brokers.log")" = 0xb8 ] &&
	    [ "$(tail -n +2 "$LAB_DIR/ds-client.log")" = 0xb8 ]
}

looks() {
	grep -q ready "$LAB_DIR/ds-brokers.log" &&
	    grep -q ready "$LAB_DIR/ds-client.log"
}

# To the broker itself: at the bootstrap endpoint it only asks for it.
established() {
	lab_ctl connections | grep -F "$LAB_ENDPOINT" | grep -q ESTABLISHED
}

connects() {
	lab_on client timeout 10 bash -c "exec 3<>/dev/tcp/$LAB_VIP_IP/$LAB_PORT"
}

# By RST: what is dropped would be a timeout.
refused() {
	! connects 2>"$LAB_DIR/refused" || return
	cat "$LAB_DIR/refused"
	grep -q 'Connection refused' "$LAB_DIR/refused"
}

main "$@"
