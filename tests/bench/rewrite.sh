# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# What it costs to change streams in passing, to replace the brokers' addresses
# or because rules act: the parts rewrite, metadata and judge.  Sourced by run.

part_rewrite() {
	local round

	for ((round = 1; round <= rounds; round++)); do
		progress "rewrite, round $round of $rounds"
		"$LAB_BUILD/tests/bench/bench_kafka" --rewrite \
		    --rounds $((turns / 125 + 1)) | record idle ||
		    failure "rewrite"
	done
	! $instructions || count_rewriting
}

# Of the packets alone, not of those that bring connections to their places.
count_rewriting() {
	local kind

	for kind in fetch produce pipelined sack; do
		count_sides rewrite $kind translated spliced passed
	done
}

# count_sides COMPARISON KIND SIDE...
count_sides() {
	local what=$1 kind=$2 side

	shift 2
	for side; do
		progress "$what, instructions, $kind $side"
		count_timed "$side" "$LAB_BUILD/tests/bench/bench_kafka" \
		    "--$what" --rounds 3 --connections 1024 \
		    --kind "$kind" --side "$side" ||
		    failure "instructions of $kind $side"
	done
}

part_judge() {
	local round kind

	for ((round = 1; round <= rounds; round++)); do
		progress "judge, round $round of $rounds"
		"$LAB_BUILD/tests/bench/bench_kafka" --judge \
		    --rounds $((turns / 125 + 1)) | record idle ||
		    failure "judge"
	done
	$instructions || return 0
	for kind in fetch produce pipelined; do
		count_sides judge $kind denied enforced judged read
	done
}

part_metadata() {
	local brokers round side

	for ((round = 1; round <= rounds; round++)); do
		progress "metadata, round $round of $rounds"
		"$LAB_BUILD/tests/bench/bench_metadata" \
		    --rounds $((turns / 330 + 1)) | record idle ||
		    failure "metadata"
	done
	$instructions || return
	for brokers in 3 30 300; do
		for side in rewritten passed; do
			progress "metadata, instructions, $brokers $side"
			count_timed $side \
			    "$LAB_BUILD/tests/bench/bench_metadata" \
			    --rounds 3 --brokers $brokers --side $side ||
			    failure "instructions of metadata $brokers $side"
		done
	done
}

# count_timed SYSTEM COMMAND...: all orders come to one figure, under the name
# of the last.
count_timed() {
	local log=$LAB_DIR/callgrind.log name packets system=$1

	shift
	read -r name packets < <(valgrind --tool=callgrind \
	    --toggle-collect=peers_path --callgrind-out-file=/dev/null \
	    --log-file="$log" "$@" | awk '$3 == "cycles" || $3 == "ns" {
	        name = $1; sum += $NF } END { print name, sum }') &&
	    awk -v packets="$packets" -v name="$name" -v system_name="$system" \
	        -v OFS='\t' '/Collected/ { print name, system_name, \
	        "instructions", $NF / packets, packets }' "$log" | record idle
}

report_rewrite() {
	echo "rewrite: cycles per packet, one core, both directions; addresses" \
	    "passed, replaced but none met (spliced),"
	echo "and numbers translated since one was; fetch and pipelined of order" \
	    "one and train, sack: fetch, with SACK blocks"
	report_sides '^rewrite/' 'passed spliced translated' cycles
	report_sides '^rewrite/' 'passed spliced translated' instructions
}

report_judge() {
	echo "judge: cycles per packet, one core, both directions; requests" \
	    "read, judged by 100 rules of topics that count,"
	echo "by 100 that would deny (enforced), and denied, all of them;" \
	    "orders as of kafka"
	report_sides '^judge/' 'read judged enforced denied' cycles
	report_sides '^judge/' 'read judged enforced denied' instructions
}

report_metadata() {
	echo "metadata: cycles of a Metadata answer with its request and" \
	    "acknowledgements, by brokers"
	report_sides '^metadata/' 'passed rewritten' cycles
	report_sides '^metadata/' 'passed rewritten' GB/s
	report_sides '^metadata/' 'passed rewritten' instructions
	echo "packets made for a rewritten one: segments, acknowledgements"
	jq -r -s 'map(select(.system == "rewritten")) |
		group_by(.name)[] | [.[0].name,
		    (.[] | select(.unit == "segments made").value),
		    (.[] | select(.unit == "acknowledgements made").value)] |
		@tsv' "$out"
}

# report_sides NAMES SYSTEMS UNIT: a column for each, with its ratio to passed.
report_sides() {
	jq -r -s --arg names "$1" --arg systems "$2" --arg unit "$3" '
		map(select((.name | test($names)) and .unit == $unit)) |
		group_by(.name | split("/") |
		    map(tonumber? // .))[] | . as $row | [.[0].name, $unit] +
		    [$systems | split(" ")[] as $system | $row[] |
		     select(.system == $system) | .value, .ratio] | @tsv' \
	    "$out" | awk -F '\t' '{ printf "%-30s %-12s", $1, $2
		for (i = 3; i < NF; i += 2)
			printf " %10.6g (%4.2f)", $i, $(i + 1)
		print "" }'
}
