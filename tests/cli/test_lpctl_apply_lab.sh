#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files, lp-controld and a dataplane without devices:
# test_lpctl_apply_lab.sh LPCTL LP-CONTROLD LP-DATAPLANE
set -u

lpctl=$1
controld=$2
dataplane=$3
# shellcheck source=tests/cli/lpctl.sh
. "$(dirname "$0")/lpctl.sh"

cd "$dir" || exit 1
daemon dataplane "$dataplane" --id lab --socket "$dir/dataplane.sock" \
	--snapshot "$dir/snapshot" --connections 1024 --buffers 4096
daemon controld "$controld" --database "$dir/db" --socket "$LPCTL_SOCKET" \
	--dataplane "$dir/dataplane.sock" --metrics off
await is_applied lab

cat >lab.yaml <<END
lightpath: 1
ports:
  - {name: left, device: lab0, addresses: [10.9.0.10/24], backend: memory}
rules:
  - {name: r, priority: 5, match: {src: 10.1.0.0/16}, action: reset}
END
run 0 apply -f lab.yaml
prints 'generation 2: applied by 1 of 1 dataplane'
sed -i 's/priority: 5/priority: 6/' lab.yaml
run 0 -o json apply -f lab.yaml
grep -q '"applied": 1' out || fail 'no "applied": 1'

# What the dataplane rejects is as it was, and told where it is declared.
sed -e 's/memory/af_xdp/' -e 's/lab0/nosuch0/' lab.yaml >wrong.yaml
run 5 apply -f wrong.yaml
grep -q '^lpctl: wrong.yaml:3:71: dataplane lab: port left: backend: ' err ||
	fail 'no place'
run 0 diff -f lab.yaml --prune
prints 'no changes: generation 5 is as declared'

exit $failed
