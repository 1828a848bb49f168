#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What lpctl says without any daemon: test_lpctl_usage.sh LPCTL
set -u

lpctl=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# expect STATUS WHAT-IT-SAYS [WORD]...: text is looked for on both streams.
expect()
{
	want=$1 text=$2
	shift 2
	"$lpctl" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	if [ "$got" -ne "$want" ]; then
		echo "lpctl $*: status $got, not $want"
		cat "$dir/out" "$dir/err"
		failed=1
	elif ! cat "$dir/out" "$dir/err" | grep -qF -e "$text"; then
		echo "lpctl $*: does not say: $text"
		cat "$dir/out" "$dir/err"
		failed=1
	fi
}

unset LPCTL_SOCKET
expect 2 'no command'
expect 2 'unknown command "frob"' frob
expect 2 'usage: lpctl add-port NAME' add-port
expect 2 'unknown or ambiguous option "--frob"' --frob
expect 0 'usage: lpctl [OPTION]' --help
expect 0 'usage: lpctl [OPTION]' help
expect 0 'usage: lpctl set-listener CLUSTER NAME [VIP:PORT]' \
	set-listener --help
expect 0 'usage: lpctl stats [kafka]' help stats
expect 0 'usage: lpctl topics [PREFIX]' topics --help
expect 2 'stats: there are none of "kaffka"' stats kaffka
expect 2 '--sort: "size" is none of: requests bytes' clients --sort size
expect 2 'there is no command "frob"' help frob
expect 0 'lpctl ' --version
expect 0 'status' --complete sta
expect 0 'issue' --complete pki is
expect 0 'observer' --complete pki issue ca a --role obs
expect 3 "$dir/none: No such file or directory" --socket "$dir/none" show
expect 3 'systemctl start lp-controld' --socket "$dir/none" add-cluster a
expect 3 'lpctl ' --socket "$dir/none" version
expect 1 'add-cluster : name: is empty' add-cluster ''
expect 1 '          ^~~~' --socket "$dir/none" \
	add-rule r --priority 1 --match 'topic=a fooo=1' --action observe
expect 1 'command 2: set-rule r: action: ' --socket "$dir/none" \
	add-cluster a -- set-rule r --action 'limit byts=1'
expect 2 'usage: lpctl add-rule NAME' add-rule r
expect 2 'longer than the 107 bytes' --socket \
	"$dir/$(printf '%0120d' 0)" status
: >"$dir/file"
expect 3 'Connection refused' --socket "$dir/file" status
LPCTL_SOCKET=$dir/other expect 3 "$dir/other: No such file" show
LPCTL_SOCKET=$dir/other expect 3 "$dir/none: No such" \
	--socket "$dir/none" show

POSIXLY_CORRECT=1 expect 3 "$dir/none: No such" \
	add-port p --device d --address 10.0.0.1/8 --socket "$dir/none"

# It fits a terminal that nobody has made wider.
"$lpctl" help >"$dir/out"
if grep -n '^.\{81\}' "$dir/out"; then
	echo "lpctl help: wider than 80 columns"
	failed=1
fi

# A full disk must not pass for success.
if [ -c /dev/full ]; then
	"$lpctl" --help >/dev/full 2>"$dir/err"
	if [ $? -ne 3 ] || ! grep -q 'cannot write' "$dir/err"; then
		echo "lpctl --help >/dev/full: passes for success"
		failed=1
	fi
fi
exit $failed
