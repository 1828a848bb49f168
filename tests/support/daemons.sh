# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154
#
# For tests that run lp-controld by themselves; $controld and $lpctl_program are
# the programs.  All is in a directory of its own, $dir, which is the current
# one; what daemons say is in files whose names end with "log".
#
#	lpctl WORD...			asks the lp-controld of start
#	start [OPTION...]		lp-controld, until it answers; it is $pid
#	stop				that one, which has to end well
#	until_true WHAT COMMAND...	20 s at most
#	until_says TEXT COMMAND...	the same, until it has that text
#	expect STATUS TEXT COMMAND...	ends so, and says so; to the file out
#	fail TEXT			ends the test
#
# With the test end $pid and $pids.

dir=$(mktemp -d) || exit 1
pid=
pids=
cd "$dir" || exit 1
mkdir none # of no file; nor can it be one of the host
: >log

finish() {
	status=$?
	for process in $pid $pids; do
		kill -9 "$process" 2>/dev/null || true
		wait "$process" 2>/dev/null || true # or it still writes there
	done
	[ "$status" -eq 0 ] || cat ./*log
	rm -rf "$dir"
}
trap finish EXIT

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

until_true() {
	what=$1
	shift
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 400 ] || fail "in vain: $what"
		sleep 0.05 # polls; nothing else tells
	done
}

says() {
	text=$1
	shift
	"$@" >said 2>&1 || true
	grep -qF -e "$text" said
}

until_says() {
	until_true "\"$1\" from: $(shift && echo "$*")" says "$@"
}

expect() {
	wanted=$1
	text=$2
	shift 2
	status=0
	"$@" >out 2>&1 || status=$?
	[ "$status" -eq "$wanted" ] || fail "$*: status $status: $(cat out)"
	grep -qF -e "$text" out || fail "$*: \"$text\" is not in: $(cat out)"
}

lpctl() {
	"$lpctl_program" --socket c.sock "$@"
}

# It answers, or has ended.
answers() {
	kill -0 "$pid" 2>/dev/null || return 0
	lpctl version >/dev/null 2>&1
}

start() {
	"$controld" --database db --socket c.sock --dataplane dp.sock \
		--kafka-clients none "$@" 2>>log &
	pid=$!
	until_true "an answer of lp-controld" answers
	kill -0 "$pid" 2>/dev/null || fail "it did not start"
}

stop() {
	kill "$pid"
	wait "$pid" || fail "lp-controld ended with $?"
	pid=
}
