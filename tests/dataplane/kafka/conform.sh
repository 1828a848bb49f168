#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# conform.sh PROGRAM
#
# Random messages of both pinned releases, made and explained by Kafka's own
# library, through conform.c.  CONFORM_SEED repeats a run, CONFORM_COUNT is how
# many of each version of each message.  Skipped (77) without Java, or without
# the jars.
set -u -o pipefail

program=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
clients=$here/../../../dataplane/kafka/clients.sh
seed=${CONFORM_SEED:-$(date +%s)}
count=${CONFORM_COUNT:-8}
dir=$(mktemp -d) || exit
trap 'rm -rf "$dir"' EXIT

messages() {
	# A seed of its own for each release: where they agree, other messages.
	java -XX:TieredStopAtLevel=1 -cp "$1/*" "$here/Conform.java" \
	    "$2" "$3" "$count" 2>"$dir/java.log" && return
	cat "$dir/java.log" >&2
	return 1
}

command -v javac >/dev/null || { echo "javac is needed" >&2; exit 77; }
old=$("$clients" old) && new=$("$clients" new) || exit
"$clients" tables --facts >"$dir/facts" || exit
echo "CONFORM_SEED=$seed"
grep -v '^changed' "$dir/facts" >"$dir/facts.new"
{
	messages "$old" "$dir/facts" "$seed" &&
	    messages "$new" "$dir/facts.new" $((seed + 1))
} | "$program"
