# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034
#
# What the end-to-end tests begin with: the lab, and checks that speak.
# A test sources this, calls e2e_begin, checks, and ends with e2e_done.
set -u -o pipefail

# Two tests at a time, on a machine that may be slow: what comes, comes at once,
# and the limits are for what never comes.
LAB_PATIENCE=6
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
. "$LAB_SUPPORT/records.sh"

E2E_FAILED=0

# e2e_begin NAME [4|6]
e2e_begin() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "$1: needs root"
		exit "$LAB_SKIP"
	fi
	trap e2e_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP PIPE
	lab_begin "lpe-$1" "${2:-4}"
}

# check STATEMENT COMMAND...: says whether it holds, and goes on; what the
# command said is shown if it does not.
check() {
	local what=$1 out=$LAB_DIR/check.out

	shift
	if "$@" >"$out" 2>&1; then
		echo "ok     $what"
		return 0
	fi
	E2E_FAILED=$((E2E_FAILED + 1))
	echo "FAILED $what"
	printf '       %s\n' "$*"
	sed 's/^/       | /' "$out"
	return 1
}

# must STATEMENT COMMAND...: the same for what the rest of the test stands on:
# if it does not hold the test ends.
must() {
	local what=$1 status=0

	shift
	"$@" || status=$?
	if [ $status -eq 0 ]; then
		echo "ok     $what"
		return 0
	fi
	E2E_FAILED=$((E2E_FAILED + 1))
	echo "FAILED $what"
	[ $status -ne "$LAB_SKIP" ] || exit "$LAB_SKIP"
	exit 1
}

# The lab with Kafka and Lightpath, configured.
e2e_lab() {
	must "Kafka is there" lab_kafka_get "${LAB_KAFKA:-}"
	must "the namespaces are made" lab_network
	must "Kafka runs" lab_kafka_start
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" lab_configure
}

# The counters say so; it does not hold if they cannot be read.
no_drops() {
	local drops

	drops=$(lab_drops) || return
	echo "$drops"
	[ -z "$drops" ]
}

# What Kafka said was understood to the end, on every connection.
no_stream_lost() {
	lab_ctl -o json stats kafka >"$LAB_DIR/kafka.json" &&
	    jq .dataplanes[0].counters "$LAB_DIR/kafka.json" &&
	    jq -e '[.. | .streams_lost? // empty] | length > 0 and add == 0' \
	        "$LAB_DIR/kafka.json"
}

# same_records [COUNT]: of `sent` and `got`, whatever their order; so many.
same_records() {
	local result

	result=$(records_compare "$LAB_DIR/sent" "$LAB_DIR/got")
	echo "lost altered repeated: $result"
	[ "$result" = "0 0 0" ] && [ -s "$LAB_DIR/got" ] &&
	    { [ $# -eq 0 ] || [ "$(wc -l <"$LAB_DIR/got")" -eq "$1" ]; }
}

# All of the lab's programs, to LAB_DIR/classes: once for the same sources and
# release, by one at a time.
java_compile() {
	local key

	key=$({ echo "$LAB_JARS" && cat "$LAB_SUPPORT"/kafka/java/*.java; } |
	    sha256sum | cut -c -16)
	(
		flock 9
		java_compile_as "$LAB_KAFKA_CACHE/classes-$key"
	) 9>"$LAB_KAFKA_CACHE/classes.lock" &&
	    ln -s "$LAB_KAFKA_CACHE/classes-$key" "$LAB_DIR/classes"
}

java_compile_as() {
	local new

	[ ! -d "$1" ] || return 0
	new=$(mktemp -d "$LAB_KAFKA_CACHE/new.XXXXXX") || return
	javac -proc:none -nowarn -cp "$LAB_JARS" -d "$new" \
	    "$LAB_SUPPORT"/kafka/java/*.java >"$LAB_DIR/javac.log" 2>&1 &&
	    mv -T "$new" "$1" && return
	rm -rf "$new"
	return 1
}

# ping_answers [ADDRESS]: of Lightpath, on the client's side.
ping_answers() {
	lab_on client ping -c 1 -W 2 "${1:-$LAB_FRONT}"
}

# refuses STATUS TEXT COMMAND...: lpctl ends so, its message has the text, and
# the configuration is what it was (a rollback is a generation of its own).
refuses() {
	local want=$1 text=$2 before status=0 said

	shift 2
	before=$(shown)
	said=$(lab_ctl "$@" 2>&1 </dev/null) || status=$?
	echo "status $status: $said"
	[ $status -eq "$want" ] && [[ $said == *"$text"* ]] &&
	    [ "$(shown)" = "$before" ]
}

shown() {
	lab_ctl show | grep -v '^generation '
}

e2e_done() {
	exit $((E2E_FAILED > 0))
}

# Stops the daemons first: what they say at their end counts too.
e2e_end() {
	local status=$? log name

	trap - EXIT
	trap '' INT TERM HUP PIPE
	for name in controld dataplane; do
		[ -n "${LAB_PID[$name]:-}" ] || continue
		lab_stop "$name"
		check "$name ends with status 0" [ "$LAB_STATUS" -eq 0 ] ||
		    status=1
	done
	if grep -l -s -E 'Sanitizer|runtime error|ssertion' \
	    "$LAB_DIR"/{controld,dataplane}.log; then
		status=1
	fi
	if [ $status -ne 0 ] && [ $status -ne "$LAB_SKIP" ]; then
		for log in "$LAB_DIR"/*.log; do
			printf '==> %s\n' "${log##*/}"
			tail -n 40 "$log"
		done
	fi
	lab_end
	exit $status
}
