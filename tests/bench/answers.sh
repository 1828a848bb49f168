# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# How long three real brokers take to answer Metadata requests: the part
# answers.  Sourced by run, after cluster.sh and systems.sh, whose network it
# uses: the client reaches the brokers' own addresses by a route that is there
# only while direct or routed is measured.
#
# Lightpath has two listeners for the same brokers: one that replaces addresses
# (rewritten), at the VIP, and one that passes them (passed).  Both sides are
# measured one right after the other, of the same dataplane; and the client
# always asks broker 1.

ANSWERS_PASSED_PORT=9093
ANSWERS_PASSED_BASE=9300
ANSWERS_IDLE="adaptive spin"
ANSWERS_SYSTEMS="direct routed passed-adaptive rewritten-adaptive"
ANSWERS_SYSTEMS+=" passed-spin rewritten-spin"
if [ "$LAB_BACKEND" = dpdk ]; then
	ANSWERS_IDLE="adaptive-dpdk spin-dpdk"
	ANSWERS_SYSTEMS="direct routed passed-adaptive-dpdk"
	ANSWERS_SYSTEMS+=" rewritten-adaptive-dpdk passed-spin-dpdk"
	ANSWERS_SYSTEMS+=" rewritten-spin-dpdk"
fi
# Version, partitions of the topic, connections.
ANSWERS_CASES="4/1/1 12/1/1 12/1/8 12/1000/1"
ANSWERS_WARM_MS=4000

part_answers() {
	local condition round

	if ! answers_begin; then
		failure answers
		answers_end
		return
	fi
	for condition in $CONDITIONS; do
		[ $condition = idle ] || keep_awake
		for ((round = 1; round <= rounds; round++)); do
			progress "answers, $condition, round $round of $rounds"
			answers_round $condition
		done
		[ $condition = idle ] || let_idle
	done
	answers_end
}

# Without a configuration of its own it would change that of other parts.
answers_begin() {
	lab_kafka_get &&
	    progress "answers, three brokers of Kafka $LAB_KAFKA_VERSION" &&
	    { cluster_start && answers_topics; } \
	        >"$LAB_DIR/answers.log" 2>&1 &&
	    answers_lightpath_start "${ANSWERS_IDLE%% *}" && cluster_configure &&
	    lab_ctl add-listener lab passed \
	        "$LAB_VIP_IP:$ANSWERS_PASSED_PORT" \
	        --broker-base $ANSWERS_PASSED_BASE --rewrite off &&
	    lab_wait 10 "the dataplane to be in step" lab_in_step &&
	    answers_warm "rewritten-${ANSWERS_IDLE%% *}" && return
	cat "$LAB_DIR/answers.log" >&2
	return 1
}

answers_end() {
	local node

	answers_lightpath_stop
	answers_route_end
	for node in "${CLUSTER_NODES[@]}"; do
		lab_kill "kafka-$node"
	done
}

# One topic for each number of partitions, of one replica each.
answers_topics() {
	local count

	for count in $(tr ' ' '\n' <<<"$ANSWERS_CASES" | cut -d / -f 2 |
	    sort -u); do
		lab_java brokers org.apache.kafka.tools.TopicCommand \
		    --bootstrap-server "$LAB_REAL" --create --topic "$count" \
		    --partitions "$count" --replication-factor 1 || return
	done
}

# answers_warm SYSTEM: the broker compiles what it runs often.
answers_warm() {
	local each

	progress "answers, warming the brokers up"
	for each in $ANSWERS_CASES; do
		answers_ask "$1" "$each" $ANSWERS_WARM_MS \
		    >"$LAB_DIR/figures" || return
	done
	answers_lightpath_stop
}

answers_round() {
	local idle system

	for system in direct routed; do
		answers_route $system &&
		    lab_wait 10 "a connection, $system" \
		        answers_connects $system &&
		    answers_measure "$1" $system || failure "answers $system"
		answers_route_end
	done
	for idle in $ANSWERS_IDLE; do
		answers_lightpath_start "$idle" &&
		    lab_wait 10 "a connection through Lightpath" \
		        answers_connects "passed-$idle" &&
		    answers_measure "$1" "passed-$idle" "rewritten-$idle" ||
		    failure "answers through Lightpath, $idle"
		answers_lightpath_stop
	done
}

# answers_measure CONDITION SYSTEM...: each case of all of them in turn.
answers_measure() {
	local condition=$1 each system

	shift
	for each in $ANSWERS_CASES; do
		for system; do
			answers_ask "$system" "$each" $answer_ms \
			    >"$LAB_DIR/figures" &&
			    record "$condition" <"$LAB_DIR/figures" || return
		done
	done
}

# answers_ask SYSTEM CASE MILLISECONDS
answers_ask() {
	local address after before connections partitions port told version

	read -r address port told < <(answers_target "$1")
	IFS=/ read -r version partitions connections <<<"$2"
	before=$(answers_segments "$1") &&
	    lab_on client timeout 60 "$LAB_BUILD/tests/bench/bench_ask" \
	        "$address" "$port" "$told" "$version" "$partitions" \
	        "$connections" "$3" </dev/null >"$LAB_DIR/asked" &&
	    after=$(answers_segments "$1") || return
	awk -v OFS='\t' -v name="answers/v$2" -v system_name="$1" \
	    -v before="$before" -v after="$after" '
		function more(n) {
			split(before, a)
			split(after, b)
			return b[n] - a[n]
		}
		/^p/ { print name "/" $1, system_name, "us", $2 / 1000, $3 }
		/^bytes/ { print name, system_name, "bytes", $2, $3 }
		/^answers/ {
			print name, system_name, "held", more(1) / $2, $3
			print name, system_name, "made", more(2) / $2, $3
		}' "$LAB_DIR/asked"
}

# Segments that have waited for their last address, and that left changed.
answers_segments() {
	case $1 in
	passed-* | rewritten-*)
		lab_stats '.reasons | "\(.held_edit) \(.rewritten)"'
		;;
	*) echo 0 0 ;;
	esac
}

# Where broker 1 is reached, and where it is said to be.
answers_target() {
	local passed=$((ANSWERS_PASSED_BASE + LAB_NODE))

	case $1 in
	direct | routed) echo "$LAB_BROKER $LAB_PORT $LAB_REAL" ;;
	passed-*) echo "$LAB_VIP_IP $passed $LAB_REAL" ;;
	rewritten-*) echo "$LAB_VIP_IP ${LAB_ENDPOINT##*:} $LAB_ENDPOINT" ;;
	esac
}

answers_connects() {
	local address port told

	read -r address port told < <(answers_target "$1")
	lab_on client timeout 2 bash -c ": </dev/tcp/$address/$port" \
	    2>/dev/null
}

# answers_route direct|routed: the client's way to the brokers' own addresses,
# and the way of a router.
answers_route() {
	local via=$SYSTEM_MIDDLE

	[ "$1" = routed ] || via=10.9.3.2
	ip -n "$LAB_ID-client" route replace 10.9.2.0/24 via $via &&
	    ip -n "$LAB_ID-middle" route replace 10.9.2.0/24 \
	        via $SYSTEM_SERVER
}

answers_route_end() {
	ip -n "$LAB_ID-client" route del 10.9.2.0/24 2>/dev/null
}

# answers_lightpath_start IDLE[-dpdk]
answers_lightpath_start() {
	lab_dataplane_start --idle "${1%-dpdk}" --snapshot "$LAB_DIR/answers.snapshot"
	lab_controld_start --database "$LAB_DIR/answers.db"
	lab_lightpath_ready
}

answers_lightpath_stop() {
	lab_stop controld
	lab_stop dataplane
}

report_answers() {
	echo "answers: a Metadata request to one of three brokers (Kafka" \
	    "${LAB_KAFKA_VERSION:-}), addresses passed or"
	echo "replaced in the answer, one request in flight a connection; us to" \
	    "the answer's last byte"
	printf '%-11s%-13s%-24s%6s%6s%6s' condition case system bytes held made
	printf ' %16s' "p50 (x direct)" "p99 (x direct)"
	printf ' %9s' p90 p99.9 max
	echo
	jq -r -s --arg systems "$ANSWERS_SYSTEMS" \
	    --arg conditions "$CONDITIONS" --arg cases "$ANSWERS_CASES" \
	    "$JQ_ANSWERS" "$out" | awk -F '\t' '
		{ printf "%-11s%-13s%-24s", $1, $2, $3 }
		NF < 13 { print " not measured"; next }
		{ printf "%6d%6.2f%6.2f", $4, $5, $6
		printf " %8.1f (%5.2f) %8.1f (%5.2f)", $7, $8, $9, $10
		printf " %9.1f %9.1f %9.1f\n", $11, $12, $13 }'
	echo "case: version, partitions of the topic, connections; held, made:" \
	    "segments an answer that wait for its"
	echo "last address, that leave changed; no process pinned; no dataplane" \
	    "runs beside direct and routed"
	echo "(through a kernel)"
}
JQ_ANSWERS='
	. as $all | ($conditions | split(" "))[] as $condition |
	($cases | split(" "))[] as $case |
	($systems | split(" "))[] as $system |
	("answers/v" + $case) as $name |
	[$all[] | select(.system == $system and .condition == $condition)] as
	    $row |
	def get($what): $row[] | select(.name == $name + $what);
	[$condition, "v" + $case, $system] +
	    [("bytes", "held", "made") as $unit | get("") | select(.unit == $unit) |
	     .value] +
	    [get("/p50") | .value, .ratio] + [get("/p99") | .value, .ratio] +
	    [get("/p90", "/p99.9", "/p100") | .value] | @tsv'
