# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016
#
# Records that can be told apart, and what became of them: lost, altered,
# repeated.  Sourced after lab.sh.

# records_make COUNT [FIRST]: lines of a number and of text that only it has;
# the same in every run.
records_make() {
	awk -v count="$1" -v first="${2:-1}" 'BEGIN {
		for (i = first; i < first + count; i++) {
			x = 20240229 + i
			line = sprintf("%08d", i)
			for (word = 0; word < 12; word++) {
				x = (x * 16807) % 2147483647
				line = line sprintf(" %08x", x)
			}
			print line
		}
	}'
}

# records_compare SENT GOT: prints how many were lost, altered and repeated.
records_compare() {
	awk 'FILENAME == ARGV[1] { sent[$1] = $0; next }
		!($1 in sent) || sent[$1] != $0 { altered++; next }
		seen[$1]++ { repeated++ }
		END {
			for (id in sent)
				lost += !(id in seen)
			print lost + 0, altered + 0, repeated + 0
		}' "$1" "$2"
}

# Of the records, whatever their order.
records_sum() {
	LC_ALL=C sort "$1" | sha256sum | cut -d ' ' -f 1
}

# records_produce TOPIC FILE and records_consume TOPIC FILE, with kcat from
# the client's namespace through the VIP.  To all partitions alike, so to all
# brokers, and not for a while to one.
records_produce() {
	lab_on client timeout 300 kcat -P -b "$LAB_VIP" -t "$1" -l "$2" \
	    -X sticky.partitioning.linger.ms=0
}

records_consume() {
	lab_on client timeout 300 kcat -C -e -q -o beginning -b "$LAB_VIP" \
	    -t "$1" >"$2"
}

# How many the broker holds: the ends of the topic's four partitions.
records_held() {
	lab_on client timeout 60 kcat -Q -b "$LAB_VIP" -t "$1:0:-1" \
	    -t "$1:1:-1" -t "$1:2:-1" -t "$1:3:-1" |
	    awk '{ sum += $NF } END { print sum + 0 }'
}

# ---- a flow: records for as long as a test lasts ---------------------------

# flow_start: a producer (about 2000 records/s) and a consumer of what it
# sends, each on one connection to the broker, until flow_stop.  kcat says on
# stderr, that is in the log, if a connection is lost.
flow_start() {
	export -f records_make
	lab_start flow-producer client bash -c '
		while [ ! -e "$1/flow-stop" ]; do
			records_make 100 $((${i:=0} * 100 + 1))
			i=$((i + 1))
			sleep 0.05
		done | tee "$1/flow-sent" | kcat -P -b "$2" -t flow \
		    -X queue.buffering.max.ms=5' \
	    flow "$LAB_DIR" "$LAB_VIP"
	lab_ready flow-producer 20 "the flow to begin" flow_topic_there ||
	    return
	: >"$LAB_DIR/flow-got"
	lab_start flow-consumer client bash -c '
		exec kcat -C -q -u -o beginning -b "$2" -t flow \
		    >"$1/flow-got"' flow "$LAB_DIR" "$LAB_VIP"
	flow_passes 500
}

flow_topic_there() {
	[ "$(records_held flow 2>/dev/null)" -gt 0 ]
}

flow_count() {
	wc -l <"$LAB_DIR/flow-$1"
}

# flow_passes COUNT: waits until so many more records have arrived.
flow_passes() {
	local from

	from=$(flow_count got)
	lab_ready flow-consumer 30 "$1 more records" flow_beyond $((from + $1))
}

flow_beyond() {
	[ "$(flow_count got)" -ge "$1" ]
}

# Ends the producer, waits until all has arrived, and judges: nothing lost,
# altered or repeated, and no connection lost on the way.
flow_stop() {
	touch "$LAB_DIR/flow-stop"
	lab_poll 30 lab_dead flow-producer
	check "the producer ends by itself" lab_dead flow-producer
	lab_reap flow-producer
	check "the producer sent everything" [ "$LAB_STATUS" -eq 0 ]
	lab_poll 30 flow_beyond "$(flow_count sent)"
	lab_kill flow-consumer
	check "no record is lost, altered or repeated" flow_is_whole
	check "no client lost a connection" flow_is_quiet
}

flow_is_whole() {
	local result

	result=$(records_compare "$LAB_DIR/flow-sent" "$LAB_DIR/flow-got")
	echo "sent $(flow_count sent), lost altered repeated: $result"
	[ "$result" = "0 0 0" ]
}

flow_is_quiet() {
	! grep -E 'FAIL|ERROR|Disconnected|reset|timed out' \
	    "$LAB_DIR/flow-producer.log" "$LAB_DIR/flow-consumer.log"
}
