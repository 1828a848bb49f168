# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
#
# For tests that run lpctl against daemons of their own; $lpctl is it.
#
#	daemon NAME COMMAND...		runs it; its log is $dir/NAME.log
#	await COMMAND...		until that succeeds, while the last one runs
#	run STATUS WORD...		lpctl; to $dir/out and $dir/err
#	says TEXT			of the last run, on standard error
#	prints TEXT			the same, on standard output, a whole line
#	fail TEXT			and goes on
#
# A test ends with its status, $failed; what it ran ends with it.
set -u

dir=$(mktemp -d) || exit 1
pids=
pid=
failed=0
# A fifo that nobody writes to would block for ever; a file never does.
: >"$dir/tick"
LPCTL_SOCKET=$dir/controld.sock
export LPCTL_SOCKET
trap 'stop; rm -rf "$dir"' EXIT

# The last one first.
stop()
{
	for pid in $pids; do
		kill "$pid" && wait "$pid"
	done
	pids=
}

daemon()
{
	name=$1
	shift
	"$@" 2>>"$dir/$name.log" &
	pid=$!
	pids="$pid $pids"
}

await()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if [ $tries -gt 2000 ] || ! kill -0 "$pid"; then
			echo "in vain: $*"
			cat "$dir"/*.log
			exit 1
		fi
		read -r _ <"$dir/tick" || :
	done
}

# That a dataplane of that name runs the newest generation.
is_applied()
{
	"$lpctl" status | grep -q "^$1 .*applied"
}

fail()
{
	echo "FAILED: $*"
	cat "$dir/out" "$dir/err"
	failed=1
}

run()
{
	want=$1
	shift
	"$lpctl" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ $got -eq "$want" ] || fail "lpctl $*: status $got, not $want"
}

says()
{
	grep -qF -e "$1" "$dir/err" || fail "does not say: $1"
}

prints()
{
	grep -qxF -e "$1" "$dir/out" || fail "does not print: $1"
}
