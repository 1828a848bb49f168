#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Old generations and changes that wait to be confirmed, with an lp-controld
# that is killed: test_lpctl_confirm.sh LPCTL LP-CONTROLD
set -u

lpctl=$1
controld=$2
# shellcheck source=tests/cli/lpctl.sh
. "$(dirname "$0")/lpctl.sh"

start()
{
	daemon controld "$controld" --database "$dir/db" --metrics off \
		--socket "$LPCTL_SOCKET" --dataplane "$dir/dataplane.sock"
	await "$lpctl" version
}

die()
{
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	pids=${pids#"$pid "}
}

# prints TEXT: of the last run, on standard output, in a line.
prints()
{
	grep -qF -e "$1" "$dir/out" || fail "does not print: $1"
}

taken_back()
{
	"$lpctl" history | grep -q 'was not confirmed within'
}

# ---- what is no generation, and no time -----------------------------------
for word in x 0 -1 1.5 99999999999999999999 ''; do
	run 2 rollback -- "$word"
done
run 2 rollback 1x
says '"1x" is no generation; "lpctl history" lists them'
run 2 confirm x
for time in soon 0s 2h 61m 3601 1d 60S '' -1 5s5 9999999999; do
	run 2 rollback "--confirm=$time"
done
run 2 rollback --confirm 3601s
says '--confirm: "3601s" is no time from 1s to 1h, such as 60s or 5m'
run 3 rollback
run 3 confirm

# ---- back and forth -------------------------------------------------------
start
run 1 rollback
says 'there is no generation 0: those from 1 to 1 are kept'
run 1 confirm
says 'no change waits to be confirmed; generation 1 is desired'
run 0 add-cluster a
run 0 add-cluster b
run 0 -v rollback
prints 'generation 4 stored'
run 0 show
grep -q 'cluster b' "$dir/out" && fail 'what was rolled back is there'
run 0 show --generation 3
prints 'generation 3'
prints 'cluster b'
run 1 show --generation 9
says 'there is no generation 9: those from 1 to 4 are kept'
run 0 -o json rollback 2
says 'note: that is what is desired already: nothing was changed'
prints '"generation": 4'
run 0 history --limit 1
prints 'rollback to generation 2'

# ---- it waits, whatever becomes of lp-controld ----------------------------
run 0 rollback 3 --confirm 1h
says 'note: it is rolled back in 3600 s, unless it is confirmed: lpctl confirm'
die
start
run 0 status
prints 'generation 5 waits to be confirmed until '
run 0 -o json status
prints '"back_to": 4'
run 6 add-cluster c
says 'generation 5 by uid '
says '"lpctl confirm" keeps it, "lpctl rollback" takes it back'
run 6 rollback 1
for time in 90 5m 1h; do
	run 6 rollback "--confirm=$time"
done
run 1 confirm 4
says 'generation 5 waits to be confirmed, not 4'
run 0 -v confirm 5
prints 'generation 5 is confirmed'
die
start
run 0 add-cluster c
run 0 rollback --confirm 1h
run 0 -o json confirm
prints '"confirmed": 7'

# ---- nobody is there to confirm -------------------------------------------
run 0 add-cluster d
run 0 rollback --confirm 1s
die
start
await taken_back
run 0 show
prints 'cluster d'
run 0 add-cluster e

# ---- half a change, of a client that goes ---------------------------------
python3 - "$LPCTL_SOCKET" <<'END'
import socket
import struct
import sys


def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data


add = b"\x08\x01\x10\x02" + field(3, b"half") + field(6, field(3, b""))
change = field(1, add) + b"\x28\x01"  # and more is to come
request = b"\x08\x01\x10\x09" + field(3, change)
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(struct.pack(">I", len(request)) + request)
END
run 0 add-cluster whole
run 0 show
prints 'cluster whole'
grep -q 'cluster half' "$dir/out" && fail 'half a change was done'
exit $failed
