#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test_port_xdp.sh PORT-FORWARD
#
# Two hosts (network namespaces) with two AF_XDP ports between them: ping and
# UDP pass through, small and as large as the MTU, over IPv4 and IPv6; what is
# not ours still reaches the kernel between them.  Exit status 77: skipped.
set -euo pipefail

forward=$1
left=lp-left-$$ middle=lp-middle-$$ right=lp-right-$$

scratch=$(mktemp -d)
forward_pid=

# The end of its input ends the forwarder.
stop_forward() {
	local pid=$forward_pid

	forward_pid=
	exec 8>&-
	wait "$pid"
}

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
	local status=$? name

	[ -z "$forward_pid" ] || stop_forward || status=1
	for name in "$left" "$middle" "$right"; do
		ip netns del "$name" 2>/dev/null || true
	done
	rm -rf "$scratch"
	exit "$status"
}
trap clean_up EXIT

if ! ip netns add "$left" 2>/dev/null; then
	echo "skipped: needs network namespaces (root)"
	exit 77
fi
ip netns add "$middle"
ip netns add "$right"

# host NAMESPACE DEVICE PORT NET: a host, and the port it is linked to.
host() {
	ip -n "$1" link add "$2" type veth peer name "$3" netns "$middle"
	ip netns exec "$1" ethtool -K "$2" tx off >/dev/null
	ip -n "$1" link set lo up
	ip -n "$1" addr add "10.77.0.$4/24" dev "$2"
	ip -n "$1" addr add "fd77::$4/64" dev "$2" nodad
	ip -n "$1" link set "$2" up
	ip -n "$middle" link set "$3" up
}

mac() {
	ip -n "$1" -j link show "$2" | sed 's/.*"address":"\([^"]*\)".*/\1/'
}

# knows NAMESPACE DEVICE NET MAC: who is behind that address.
knows() {
	ip -n "$1" neigh replace "10.77.0.$3" lladdr "$4" dev "$2"
	ip -n "$1" neigh replace "fd77::$3" lladdr "$4" dev "$2"
}

host "$left" host0 port0 1
host "$right" host1 port1 2
knows "$left" host0 2 "$(mac "$middle" port0)"
knows "$right" host1 1 "$(mac "$middle" port1)"

# run ADDRESS-AT-LEFT ADDRESS-AT-RIGHT TEST...: with ports for one family.
run() {
	local to_right=$2 to_left=$1

	shift 2
	rm -f "$scratch"/*
	mkfifo "$scratch/input"
	ip netns exec "$middle" "$forward" \
	    port0 "$to_right" "$(mac "$left" host0)" \
	    port1 "$to_left" "$(mac "$right" host1)" \
	    <"$scratch/input" >"$scratch/forward" &
	forward_pid=$!
	exec 8>"$scratch/input"
	await_ready "$scratch/forward" "$forward_pid"
	"$@"
	stop_forward
}

# await_ready FILE PID: until it says so.
await_ready() {
	until grep -q ready "$1" 2>/dev/null; do
		kill -0 "$2"
	done
}

# echoes ADDRESS: UDP of many sizes there and back.
echoes() {
	ip netns exec "$right" python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET,
                  socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7777))
s.settimeout(10)
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(2000)
    s.sendto(data, peer)
    if data == b"end":
        break
' "$1" >"$scratch/server" 8>&- &
	local server=$!
	await_ready "$scratch/server" "$server"
	ip netns exec "$left" python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET,
                  socket.SOCK_DGRAM)
s.settimeout(10)
s.connect((sys.argv[1], 7777))
for size in range(0, 1452, 3):
    data = os.urandom(size)
    s.send(data)
    assert s.recv(2000) == data, size
s.send(b"end")
s.recv(2000)
' "$1"
	wait "$server"
}

both() {
	ip netns exec "$left" ping -q -c 50 -i 0.005 -W 5 "$1"
	ip netns exec "$left" ping -q -c 50 -i 0.005 -W 5 -s "$2" "$1"
	ip netns exec "$right" ping -q -c 50 -i 0.005 -W 5 "$3"
	echoes "$1"
}

run 10.77.0.1 10.77.0.2 both 10.77.0.2 1472 10.77.0.1
run fd77::1 fd77::2 both fd77::2 1452 fd77::1
