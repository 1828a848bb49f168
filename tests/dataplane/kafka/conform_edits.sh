#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# conform_edits.sh PROGRAM
#
# Random answers of both pinned releases through conform_edits.c, and what
# comes out through the library that wrote them.  CONFORM_SEED repeats a run,
# CONFORM_COUNT is how many of each version of each message.  Skipped (77)
# without Java, or without the jars.
set -u -o pipefail

program=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
clients=$here/../../../dataplane/kafka/clients.sh
seed=${CONFORM_SEED:-$(date +%s)}
count=${CONFORM_COUNT:-20}
dir=$(mktemp -d) || exit
trap 'rm -rf "$dir"' EXIT

run() {
	java -XX:TieredStopAtLevel=1 -cp "$1/*" "$here/Conform.java" \
	    "$2" "$3" "$count" 2>"$dir/java.log" |
	    "$program" 2>>"$dir/said" |
	    java -XX:TieredStopAtLevel=1 -cp "$1/*" "$here/Edited.java" \
	        2>"$dir/edited.log" && return
	cat "$dir/java.log" "$dir/said" "$dir/edited.log" >&2
	return 1
}

command -v javac >/dev/null || { echo "javac is needed" >&2; exit 77; }
old=$("$clients" old) && new=$("$clients" new) || exit
"$clients" tables --facts >"$dir/facts" || exit
echo "CONFORM_SEED=$seed"
grep -v '^changed' "$dir/facts" >"$dir/facts.new"
run "$old" "$dir/facts" "$seed" &&
    run "$new" "$dir/facts.new" $((seed + 1)) || exit
# Of either release alone there may be none by chance.
cat "$dir/said"
awk '{ told += $(NF - 2) } END { exit told == 0 }' "$dir/said"
