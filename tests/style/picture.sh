#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The path of a packet as README.md and the head of pipeline.c draw it, and as
# turn() calls it: three times the same stages in the same order.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
pipeline=dataplane/pipeline/pipeline.c

# rx and tx are receive() and transmit(); the others are lp_NAME_stage().
calls=$(sed -n '/^turn(/,/^}/p' $pipeline |
	sed -n -E 's/^\t(lp_([a-z]+)_stage|receive|transmit)\(.*/\1 \2/p' |
	sed -E 's/^receive.*/rx/; s/^transmit.*/tx/; s/^.* //' |
	paste -sd ' ')
picture() {
	grep -m 1 -E '^[ *	]*rx ▸' "$1" | tr -d '*▸' | xargs
}

failed=0
for file in README.md $pipeline; do
	if [ "$(picture $file)" != "$calls" ]; then
		echo "$file draws:  $(picture $file)"
		echo "it is called: $calls"
		failed=1
	fi
done
[ -n "$calls" ] || failed=1
exit $failed
