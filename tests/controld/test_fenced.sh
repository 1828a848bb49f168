#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two lp-controlds and one dataplane: the one with the higher epoch is obeyed,
# the other says that it is fenced, whichever comes later.
# test_fenced.sh LP_CONTROLD LP_DATAPLANE LPCTL
set -eu

controld=$1
dataplane=$2
lpctl=$3
# shellcheck source=tests/support/daemons.sh
. "$(dirname "$0")/../support/daemons.sh"

status() {
	"$lpctl" --socket "$1.sock" -o json status
}

# run NAME [OPTION...]: a daemon with that database; its pid is in $last.
run() {
	name=$1
	shift
	"$controld" --database "$name.db" --socket "$name.sock" \
		--dataplane dp.sock --metrics off --kafka-clients none \
		"$@" 2>>"$name.log" &
	last=$!
	pids="$pids $last"
	until_says '"epoch"' status "$name"
}

"$dataplane" --id dp --socket dp.sock --snapshot snapshot \
	--connections 1024 --buffers 4096 2>dp.log &
pids="$pids $!"
until_says 'is ready' cat dp.log

# Of two new databases the first is obeyed.
run one
one=$last
until_says '"state": "applied"' status one
"$lpctl" --socket one.sock add-cluster of-one >/dev/null
run two
two=$last
until_says '"state": "fenced"' status two
status two | grep -q 'take it back, start with --epoch 2' ||
	fail "it does not say how"
status one | grep -q '"state": "applied"' || fail "one has lost it"
# It cannot push: what it stores does not come there.
"$lpctl" --socket two.sock add-cluster of-two >out 2>&1 || true
until_says '"state": "fenced"' status two
grep -q 'generation 2 runs' dp.log || fail "one's generation does not run"
kill "$two"
wait "$two" || true

# With a higher epoch the second is, and the first is out, while connected.
run two --epoch 2
two=$last
until_says '"state": "applied"' status two
until_says '"state": "fenced"' status one
status one | grep -q 'obeys epoch 2, this lp-controld has epoch 1' ||
	fail "one does not say why"

# And back again.
kill "$one"
wait "$one" || true
run one --epoch 3
until_says '"state": "applied"' status one
until_says '"state": "fenced"' status two
status two | grep -q 'obeys epoch 3, this lp-controld has epoch 2' ||
	fail "two does not say why"
