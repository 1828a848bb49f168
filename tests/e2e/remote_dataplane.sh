#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two dataplanes under one lp-controld, one of them in another network
# namespace and over TLS; and lpctl, in a third one, over TLS, too.  No Kafka.
set -euo pipefail

build=${LAB_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
skip=77
[ "$(id -u)" -eq 0 ] && ip netns list >/dev/null 2>&1 || {
	echo "needs root and network namespaces"
	exit "$skip"
}

id=lp-far-$$
dir=$(mktemp -d "${TMPDIR:-/tmp}/$id.XXXXXX")
pids=()
spaces=()

finish() {
	local status=$?

	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	for space in "${spaces[@]}"; do
		ip netns del "$space" || true
	done
	if [ "$status" -ne 0 ] && [ "$status" -ne "$skip" ]; then
		tail -n 30 "$dir"/*.log >&2 || true
	fi
	rm -rf "$dir"
}
trap finish EXIT

fail() {
	echo "remote_dataplane: $*" >&2
	exit 1
}

# until_says TEXT COMMAND...: it does, within 30 s.
until_says() {
	local text=$1 tries=0

	shift
	until "$@" 2>&1 | grep -q -- "$text"; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || fail "no '$text' from: $*"
		sleep 0.1 # polls
	done
}

# One bridge in the middle; control at .1, edge at .2, people at .3.
space() {
	local name=$1 host=$2

	ip netns add "$id-$name"
	spaces+=("$id-$name")
	ip -n "$id-$name" link set lo up
	[ "$name" != control ] || {
		ip -n "$id-$name" link add bridge type bridge
		ip -n "$id-$name" addr add 192.0.2.1/24 dev bridge
		ip -n "$id-$name" link set bridge up
		return
	}
	ip link add eth0 netns "$id-$name" type veth \
		peer name "$name" netns "$id-control"
	ip -n "$id-control" link set "$name" master bridge up
	ip -n "$id-$name" addr add "192.0.2.$host/24" dev eth0
	ip -n "$id-$name" link set eth0 up
}

# The device of a dataplane, whose other end nobody listens at.
device() {
	ip -n "$id-$1" link add front type veth peer name wire
	ip -n "$id-$1" link set front up
	ip -n "$id-$1" link set wire up
}

dataplane() {
	local name=$1 space=$2

	shift 2
	# Not by a function: this way its process is the one that is known.
	ip netns exec "$id-$space" "$build/dataplane/lp-dataplane" --id "$name" \
		--socket "$dir/$name.sock" --snapshot "$dir/$name.snapshot" \
		--connections 1024 --buffers 4096 "$@" 2>"$dir/$name.log" &
	pids+=($!)
	until_says 'is ready' cat "$dir/$name.log"
}

controld() {
	mkdir -p "$dir/none"
	ip netns exec "$id-control" "$build/controld/lp-controld" \
		--database "$dir/db" --socket "$dir/controld.sock" \
		--kafka-clients "$dir/none" --metrics off \
		--dataplane "$dir/near.sock" --dataplane 192.0.2.2:9644 \
		--tls "$dir/control" --listen 192.0.2.1 2>>"$dir/controld.log" &
	pids+=($!)
}

# As an operator's machine does it: nothing but the network.
lpctl() {
	ip netns exec "$id-people" "$build/cli/lpctl" --remote 192.0.2.1 \
		--tls "$dir/alice" "$@"
}

pki=("$build/cli/lpctl" pki)
"${pki[@]}" init "$dir/ca" >/dev/null
"${pki[@]}" issue "$dir/ca" control --role controld --host 192.0.2.1 \
	--out "$dir" >/dev/null
"${pki[@]}" issue "$dir/ca" far --role dataplane --host 192.0.2.2 \
	--out "$dir" >/dev/null
"${pki[@]}" issue "$dir/ca" alice --role admin --out "$dir" >/dev/null

space control 1
space edge 2
space people 3
device control
device edge
dataplane near control
dataplane far edge --listen 192.0.2.2 --tls "$dir/far"
controld
until_says '"state": "applied"' lpctl -o json status

# One change, applied on both before lpctl is done.
lpctl add-port front --device front --address 10.9.0.10/24 --side client
lpctl add-cluster payments
lpctl -o json add-broker payments 1 10.9.0.21:9092 >"$dir/out"
grep -q '"applied": 2' "$dir/out" || fail "not on both: $(cat "$dir/out")"
lpctl status >"$dir/out"
grep -q '^far .*192.0.2.2:9644 (far)' "$dir/out" ||
	fail "status: $(cat "$dir/out")"
[ "$(grep -c ' applied ' "$dir/out")" -eq 2 ] || fail "status: $(cat "$dir/out")"

# What each of them counts.
lpctl stats >"$dir/out"
grep -q '^dataplane near: up' "$dir/out" || fail "no stats of near"
grep -q '^dataplane far: up' "$dir/out" || fail "no stats of far"

# The link goes, changes do not come, deletions among them; and it heals.
ip -n "$id-edge" link set eth0 down
until_says '"state": "connecting"' lpctl -o json status
lpctl del-broker payments 1 >/dev/null
lpctl add-cluster orders >/dev/null
ip -n "$id-edge" link set eth0 up
generation=$(lpctl -o json status | sed -n '0,/"generation"/s/.*"generation": \([0-9]*\).*/\1/p')
until_says "generation $generation runs" cat "$dir/far.log"
until_says '^far  *applied' lpctl status
digests=$(lpctl -o json status | sed -n 's/.*"digest": //p' | sort -u | wc -l)
[ "$digests" -eq 1 ] || fail "the digests differ"

# Who has lost his certificate is out.
"${pki[@]}" revoke "$dir/ca" control >/dev/null
cp "$dir/ca/crl.pem" "$dir/far/crl.pem"
kill -HUP "${pids[1]}" # the keeper of far
until_says 'revoked' cat "$dir/far.log"
until_says '^far  *connecting' lpctl status
echo "remote_dataplane: all is well"
