#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# cli/quickstart itself: it does what it says, cleans up, keeps and stops.  On
# LAB_BACKEND, like the others.
set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
quickstart=$here/../../cli/quickstart
backend=${LAB_BACKEND:-af_xdp}
failed=0

main() {
	[ "$(id -u)" -eq 0 ] || exit 77
	dir=$(mktemp -d)
	trap 'TMPDIR=$dir "$quickstart" --stop >/dev/null; rm -rf "$dir"' EXIT
	before=$(namespaces)
	# Its own place: --stop must not stop what others keep.
	export TMPDIR=$dir

	run 0 --backend "$backend" --records 5000
	[ "$status" -ne 77 ] || exit 77
	check "it ends with status 0" [ "$status" -eq 0 ]
	check "the last line says what became of the records" last_line 5000
	check "it shows what Kafka did" kafka_shown
	check "it leaves nothing behind" nothing_left

	run 0 --backend "$backend" --records 1000 --keep
	check "--keep ends with status 0" [ "$status" -eq 0 ]
	check "what it says about looking around is true" look_around
	run 0 --stop
	check "--stop leaves nothing behind" nothing_left

	run 2 --backend none
	check "a wrong back end is a usage error" [ "$status" -eq 2 ]
	run 2 --records many
	check "a wrong number is a usage error" [ "$status" -eq 2 ]
	run 1 --kafka "$here"
	check "a directory without Kafka is a failure" [ "$status" -eq 1 ]
	check "that names its step" grep -q 'step 3 (getting Apache Kafka)' \
	    "$dir/out"
	exit $failed
}

run() {
	status=0
	shift
	"$quickstart" "$@" >"$dir/out" 2>&1 </dev/null || status=$?
}

check() {
	local what=$1

	shift
	if "$@"; then
		echo "ok     $what"
		return
	fi
	failed=1
	echo "FAILED $what"
	sed 's/^/       | /' "$dir/out"
}

last_line() {
	local how='[a-z -]*copy'

	[ "$backend" = af_xdp ] || how=net_af_packet
	tail -n 1 "$dir/out" | grep -q -x "quickstart: $1 records produced,\
 $1 consumed, 0 lost, 0 altered, 3 brokers with unchanged configuration,\
 backend $backend ($how)"
}

# The tables of stats kafka and of topics; what was produced was fetched.
kafka_shown() {
	local produced fetched

	read -r produced fetched < <(sed -n "s/^as Kafka: record bytes produced:\
 \([0-9]*\), fetched: \([0-9]*\)$/\1 \2/p" "$dir/out")
	grep -q -E '^    lab/public +[123]  Produce .* acks=' "$dir/out" &&
	    grep -q -E '^    lab/public +[123]  Fetch +data ' "$dir/out" &&
	    grep -q -E '^    records +lab ' "$dir/out" &&
	    [ "$produced" -gt 0 ] && [ "$fetched" -ge "$produced" ]
}

namespaces() {
	ip netns list | grep '^lpq-' | sort
}

# Neither directories nor namespaces nor processes.
nothing_left() {
	! compgen -G "$dir/lpq-*" >/dev/null &&
	    [ "$(namespaces)" = "$before" ] &&
	    ! pgrep -f "$dir/lpq-" >/dev/null
}

look_around() {
	local command

	command=$(grep -o 'ip netns exec .*controld.sock show$' "$dir/out")
	$command | grep -q 10.9.1.100:9092
}

main "$@"
