#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# lpctl trace and lpctl capture on a live dataplane with real clients: what a
# trace says is what then happens, and nothing happens because of it; what a
# capture writes tshark reads, with the comments.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

RECORDS=2000
PASSWORD=alice-secret

main() {
	e2e_begin trace
	if ! command -v tshark >/dev/null; then
		echo "trace_capture: needs tshark"
		exit "$LAB_SKIP"
	fi
	sasl_listener
	e2e_lab
	must "the listener with SASL is configured" sasl_configure
	records_make $RECORDS >"$LAB_DIR/sent"
	must "kcat produces" records_produce records "$LAB_DIR/sent"
	must "a connection lives" live
	trace_tests
	capture_tests
	sasl_tests
	e2e_done
}

# ---- trace ---------------------------------------------------------------

trace_tests() {
	check "a SYN would open a connection" trace_syn
	check "a SYN for a port where nothing listens would be reset" \
	    trace_closed
	check "a segment of the live connection would be forwarded" trace_live
	check "a ping would be answered" trace_ping
	check "an ARP question would be answered" trace_arp
	check "a file of a handshake is one trace" trace_file
	check "an unknown port is refused" trace_no_port
	check "nothing comes of it: counters, connections, frames sent" \
	    lab_poll 30 no_effect
	check "what the trace of a SYN said then happens" syn_happens
}

# One that is open and says nothing.
live() {
	lab_start idle client python3 -c "import signal, socket
s = socket.create_connection(('$LAB_VIP_IP', $LAB_PORT))
signal.pause()"
	lab_wait 10 "an ESTABLISHED connection" established
}

established() {
	lab_ctl connections | grep -q ESTABLISHED
}

# Neighbours may ask meanwhile, which counts: one round without must come.
no_effect() {
	still before
	trace_syn && trace_closed && trace_live && trace_ping && trace_arp &&
	    trace_file || return
	still after
	diff "$LAB_DIR/before" "$LAB_DIR/after"
}

# still NAME: all that a packet or a question could have changed.
still() {
	{
		lab_stats 'del(.reasons.arp, .reasons.ndp) |
		    [.verdicts.forwarded, .verdicts.dropped, .verdicts.held,
		    .reasons, .tables, .listeners,
		    (.ports | map(.counters | {tx_packets, tx_bytes})),
		    .worker.sent_reset, .worker.sent_neighbor]'
		lab_ctl -o json connections |
		    jq '.connections[] | del(.age_ms, .idle_ms)'
	} >"$LAB_DIR/$1"
}

# trace FILTER OPTION...: what jq makes of the first packet's trace.
trace() {
	local filter=$1

	shift
	lab_ctl -o json trace --port front "$@" |
	    tee "$LAB_DIR/trace.json" | jq -c ".packets[0] | $filter"
}

trace_syn() {
	lab_ctl trace --port front --from 10.9.1.1:51000 --to "$LAB_VIP"
	[ "$(trace '[.verdict, .reason, .connection.opened,
	    .connection.node_id, .connection.broker, .outputs[0].port,
	    .next_hop]' --from 10.9.1.1:51000 --to "$LAB_VIP")" = \
	    "[\"forwarded\",\"opened\",true,1,\"$LAB_REAL\",\"back\",\"$LAB_BROKER\"]" ]
}

trace_closed() {
	trace '[.verdict, .reason, .outputs[0].port]' \
	    --from 10.9.1.1:51000 --to "$LAB_VIP_IP:9999" | tee /dev/stderr |
	    grep -qx '\["local","reset_closed_port","front"\]'
}

trace_live() {
	local client

	client=$(lab_json connections '[.connections[] |
	    select(.state == "ESTABLISHED") | .client + " " + .vip] | .[0]')
	# shellcheck disable=SC2086
	set -- $client
	lab_ctl trace --port front --from "$1" --to "$2" --flags A
	trace '[.verdict, .connection.opened, .connection.state,
	    .connection.client, (.connection.serial > 0)]' \
	    --from "$1" --to "$2" --flags A | tee /dev/stderr |
	    grep -qx "\[\"forwarded\",false,\"ESTABLISHED\",\"$1\",true\]"
}

trace_ping() {
	trace '[.verdict, .reason]' --kind ping --from 10.9.1.1 \
	    --to "$LAB_VIP_IP" | grep -qx '\["local","icmp_echo"\]'
}

trace_arp() {
	trace '[.verdict, .reason, .outputs[0].len]' --kind arp \
	    --from 10.9.1.1 --to "$LAB_VIP_IP" | tee /dev/stderr |
	    grep -qx '\["local","arp",60\]'
}

# Three segments from the client: the connection of the first one is known to
# the others.  The broker's answer is not in it, so payload comes too early.
trace_file() {
	python3 "$LAB_SUPPORT/handshake.py" "$LAB_VIP_IP" $LAB_PORT \
	    >"$LAB_DIR/handshake.pcap" || return
	lab_ctl -o json trace --port front -r "$LAB_DIR/handshake.pcap" |
	    jq -c '[.packets[] | [.reason, .connection.opened,
	        .connection.serial]]' | tee /dev/stderr |
	    grep -qx '\[\["opened",true,null\],\["forwarded",false,null\],\["out_of_window",false,null\]\]' &&
	    lab_ctl -o json trace --port front -r "$LAB_DIR/handshake.pcap" \
	        --filter 'tcp[13] == 2' | jq -e '.packets | length == 1'
}

trace_no_port() {
	local status=0

	lab_ctl trace --port nowhere --from 10.9.1.1:1 --to "$LAB_VIP" \
	    2>"$LAB_DIR/trace.err" || status=$?
	cat "$LAB_DIR/trace.err"
	[ $status -eq 1 ] && grep -q 'no port "nowhere"' "$LAB_DIR/trace.err"
}

syn_happens() {
	local broker

	broker=$(trace .connection.broker --from 10.9.1.1:51003 --to "$LAB_VIP")
	lab_on client python3 -c "import socket
s = socket.create_connection(('$LAB_VIP_IP', $LAB_PORT),
    source_address=('10.9.1.1', 51003))
print(s.getpeername())" || return
	[ "\"$(lab_json connections '.connections[] |
	    select(.client == "10.9.1.1:51003") | .broker')\"" = "$broker" ]
}

# ---- capture -------------------------------------------------------------

capture_tests() {
	local file=$LAB_DIR/all.pcapng

	must "a capture begins" capture_begin "$file" --sent
	check "a second one is refused" second_refused
	must "kcat produces under capture" \
	    records_produce records "$LAB_DIR/sent"
	must "it ends when it is told" capture_end
	check "tshark reads it without a warning" tshark_reads "$file"
	check "what came in is all in it" all_in "$file"
	check "each packet has its comment" comments "$file"
	check "Kafka's requests and responses are told" kafka_comments "$file"
	check "an interface a port, named" interfaces "$file"
	check "what leaves is translated" translated "$file"
	check "a filter that nobody matches writes no packet" filtered
	check "an unknown listener is refused" unknown_listener
	check "--count ends by itself, with so many packets" counted
	check "one who does not read costs copies, and no memory" unread
	check "no packet was dropped for it" no_drops
}

capture_begin() {
	local file=$1

	shift
	lab_start capture lightpath "$LAB_BUILD/cli/lpctl" \
	    --socket "$LAB_SOCKET" capture -w "$file" "$@"
	lab_wait 10 "the file of the capture, which has begun" test -s "$file"
}

second_refused() {
	local said status=0

	said=$(lab_ctl capture -w "$LAB_DIR/second.pcapng" --duration 1 2>&1) ||
	    status=$?
	echo "$said"
	[ $status -eq 1 ] && [[ $said == *"another capture runs already"* ]] &&
	    [ ! -e "$LAB_DIR/second.pcapng" ]
}

capture_end() {
	kill -INT "${LAB_PID[capture]}"
	lab_wait 10 "the end of the capture" lab_dead capture || return
	lab_reap capture
	cat "$LAB_DIR/capture.log"
	[ "$LAB_STATUS" -eq 0 ] &&
	    grep -q -E '^[0-9]+ packets captured, 0 missed$' \
	        "$LAB_DIR/capture.log"
}

tshark_reads() {
	capinfos "$1" >"$LAB_DIR/capinfos" 2>"$LAB_DIR/capinfos.err" &&
	    tshark -r "$1" >"$LAB_DIR/tshark" 2>"$LAB_DIR/tshark.err"
	local status=$?
	cat "$LAB_DIR/capinfos.err" "$LAB_DIR/tshark.err"
	grep -v 'Running as user' "$LAB_DIR/tshark.err" | grep -q . && status=1
	grep -q . "$LAB_DIR/capinfos.err" && status=1
	return $status
}

# fields FILE FIELD...: of all packets, by tabs.
fields() {
	local file=$1 field words=()

	shift
	for field; do
		words+=(-e "$field")
	done
	tshark -r "$file" -T fields "${words[@]}" 2>/dev/null
}

# The payload of the records has come in, from the client.
all_in() {
	local bytes

	bytes=$(tshark -r "$1" -Y 'frame.packet_flags_direction == 1 &&
	    ip.src == 10.9.1.1' -T fields -e tcp.len 2>/dev/null |
	    awk '{ sum += $1 } END { print sum + 0 }')
	echo "payload $bytes"
	[ "$bytes" -ge $(($(wc -c <"$LAB_DIR/sent") - RECORDS)) ]
}

comments() {
	local all with

	all=$(fields "$1" frame.number | wc -l)
	with=$(fields "$1" frame.comment | grep -c -E \
	    '^connection [0-9]+ from the (client|broker), lab/public, broker [1?]: ')
	echo "$with of $all"
	fields "$1" frame.comment | sort | uniq -c | head
	[ "$all" -gt 10 ] && [ "$with" -eq "$all" ]
}

kafka_comments() {
	fields "$1" frame.comment >"$LAB_DIR/comments"
	grep -m 4 -o -E '(request|response) .*' "$LAB_DIR/comments"
	grep -q -E 'request Produce v[0-9]+ correlation [0-9]+ client rdkafka .*topics records' \
	    "$LAB_DIR/comments" &&
	    grep -q -E 'response Produce v[0-9]+ correlation [0-9]+ latency [0-9]+\.[0-9]{3} ms' \
	        "$LAB_DIR/comments" &&
	    grep -q -E 'records [1-9][0-9]+' "$LAB_DIR/comments"
}

interfaces() {
	fields "$1" frame.interface_name | sort -u | xargs | tee /dev/stderr |
	    grep -qx 'back front'
}

# To the broker, from our own address, outbound.
translated() {
	tshark -r "$1" -Y "frame.packet_flags_direction == 2 &&
	    ip.src == $LAB_BACK && ip.dst == $LAB_BROKER" \
	    >"$LAB_DIR/translated" 2>/dev/null && [ -s "$LAB_DIR/translated" ]
}

filtered() {
	lab_ctl capture -w "$LAB_DIR/none.pcapng" --client 192.0.2.0/24 \
	    --duration 2 2>"$LAB_DIR/none.err" &
	local pid=$!
	records_produce records "$LAB_DIR/sent"
	wait $pid || return
	cat "$LAB_DIR/none.err"
	grep -qx '0 packets captured, 0 missed' "$LAB_DIR/none.err" &&
	    tshark -r "$LAB_DIR/none.pcapng" 2>/dev/null
}

unknown_listener() {
	local status=0

	lab_ctl capture -w "$LAB_DIR/x.pcapng" --listener other \
	    2>"$LAB_DIR/x.err" || status=$?
	cat "$LAB_DIR/x.err"
	[ $status -eq 1 ] && grep -q 'no listener "other"' "$LAB_DIR/x.err"
}

counted() {
	lab_ctl capture -w "$LAB_DIR/ten.pcapng" -c 10 --listener lab/public \
	    2>"$LAB_DIR/ten.err" &
	local pid=$!
	while kill -0 $pid 2>/dev/null; do
		records_produce records "$LAB_DIR/sent" || break
	done
	wait $pid || return
	cat "$LAB_DIR/ten.err"
	[ "$(fields "$LAB_DIR/ten.pcapng" frame.number | wc -l)" -eq 10 ]
}

# kib NAME: resident memory of a process of the lab, or of its child.
kib() {
	local pid=${LAB_PID[$1]}

	[ "$1" != dataplane ] || pid=$(pgrep -P "$pid" | head -n 1)
	awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"
}

# Its header waits in the fifo.
fifo_filled() {
	python3 -c "import array, fcntl, termios
waiting = array.array('i', [0])
fcntl.ioctl(7, termios.FIONREAD, waiting)
raise SystemExit(waiting[0] == 0)"
}

# Ten times what rings, sockets and buffers between here and there hold.
unread() {
	local controld packets fifo=$LAB_DIR/fifo

	mkfifo "$fifo"
	exec 7<>"$fifo"
	lab_start capture lightpath "$LAB_BUILD/cli/lpctl" \
	    --socket "$LAB_SOCKET" capture --sent -w "$fifo"
	lab_wait 10 "the capture to begin" fifo_filled || return
	controld=$(kib controld)
	packets=$(kib dataplane)
	records_make 300000 >"$LAB_DIR/many"
	records_produce many "$LAB_DIR/many" || return
	controld=$(($(kib controld) - controld))
	packets=$(($(kib dataplane) - packets))
	echo "lp-controld grew by $controld KiB, the packet process by $packets"
	cat <&7 >"$LAB_DIR/late.pcapng" &
	local reader=$!
	kill -INT "${LAB_PID[capture]}"
	lab_wait 10 "the end of the capture" lab_dead capture
	lab_reap capture
	exec 7>&-
	kill $reader 2>/dev/null
	wait $reader 2>/dev/null
	tail -n 1 "$LAB_DIR/capture.log"
	[ "$LAB_STATUS" -eq 0 ] && [ "$controld" -lt 16384 ] &&
	    [ "$packets" -lt 16384 ] &&
	    grep -q -E '^[0-9]+ packets captured, [1-9][0-9]* missed$' \
	        "$LAB_DIR/capture.log" &&
	    capinfos "$LAB_DIR/late.pcapng" 2>&1
}

# ---- SASL ----------------------------------------------------------------

sasl_listener() {
	# shellcheck disable=SC2034
	LAB_KAFKA_MORE="listeners=CLIENTS://$LAB_REAL,SASL://$LAB_BROKER:9095,INTERNAL://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093
advertised.listeners=CLIENTS://$LAB_ENDPOINT,SASL://$LAB_VIP_IP:9301,INTERNAL://127.0.0.1:9094
listener.security.protocol.map=CLIENTS:PLAINTEXT,SASL:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.sasl.sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"$PASSWORD\";"
}

sasl_configure() {
	lab_ctl add-cluster sasl -- \
	    add-broker sasl "$LAB_NODE" "$LAB_BROKER:9095" -- \
	    add-listener sasl secure "$LAB_VIP_IP:9192" --broker-base 9300
}

sasl_tests() {
	local file=$LAB_DIR/sasl.pcapng

	must "a capture begins" capture_begin "$file" --sent \
	    --listener sasl/secure
	must "tcpdump begins" tcpdump_begin
	check "a client logs in by SASL/PLAIN, and produces" sasl_produce
	must "it ends when it is told" capture_end
	lab_stop tcpdump
	check "its password has gone by in clear" \
	    grep -qa "$PASSWORD" "$LAB_DIR/wire.pcap"
	check "it is in no copy" sasl_hidden "$file"
	check "tshark reads it without a warning" tshark_reads "$file"
	check "what followed is told" sasl_told "$file"
}

tcpdump_begin() {
	lab_start tcpdump client tcpdump -i any -s 0 -U --immediate-mode \
	    -w "$LAB_DIR/wire.pcap" tcp
	lab_ready tcpdump 10 "tcpdump to listen" \
	    grep -q "listening on" "$LAB_DIR/tcpdump.log"
}

sasl_produce() {
	lab_on client timeout 60 kcat -P -b "$LAB_VIP_IP:9192" -t secure \
	    -l "$LAB_DIR/sent" -X security.protocol=SASL_PLAINTEXT \
	    -X sasl.mechanisms=PLAIN -X sasl.username=alice \
	    -X sasl.password=$PASSWORD
}

sasl_hidden() {
	[ -s "$1" ] && ! grep -qa "$PASSWORD" "$1"
}

# Records, in clear, among it.
sasl_told() {
	fields "$1" frame.comment >"$LAB_DIR/comments"
	grep -o -E '(request|response) Sasl.*' "$LAB_DIR/comments"
	grep -q 'request SaslHandshake v.* mechanism PLAIN' "$LAB_DIR/comments" &&
	    grep -q 'request SaslAuthenticate v' "$LAB_DIR/comments" &&
	    grep -q 'response SaslAuthenticate v' "$LAB_DIR/comments" &&
	    grep -q 'request Produce v.*topics secure' "$LAB_DIR/comments" &&
	    grep -qaF "$(head -n 1 "$LAB_DIR/sent")" "$1"
}

main "$@"
