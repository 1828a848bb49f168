#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# hot_path_symbols.sh CC NM OBJECT...
#
# The packet path does not allocate, lock, log, read a clock or make a system
# call: its objects need nothing from outside but a few functions that do none
# of it.  What the sanitizers and the stack protector add is no matter.
set -eu

cc=$1
nm=$2
shift 2

# Of other modules of ours: address arithmetic.
allowed='^(memcpy|memmove|memset|memcmp|memchr|strlen|__assert_fail|__stack_chk_fail'
allowed="$allowed|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|sanitizer)_.*"
allowed="$allowed|lp_(ip|prefix)_[a-z0-9_]*|lp_pattern_name)\$"

# needed OBJECT...: the symbols that they need and that are not allowed.
needed() {
	"$nm" -g --defined-only "$@" | awk 'NF == 3 { print $3 }' |
	    sort -u >"$tmp/defined"
	"$nm" -u "$@" | awk 'NF == 2 { print $2 }' | sort -u |
	    comm -23 - "$tmp/defined" | grep -vE "$allowed" || true
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# This test must be able to fail.
bad() {
	printf '%s\n' "$2" >"$tmp/$1.c"
	"$cc" -O1 -c "$tmp/$1.c" -o "$tmp/$1.o"
	if [ "$(needed "$tmp/$1.o")" != "$1" ]; then
		echo "an object that needs $1 has passed" >&2
		exit 1
	fi
}
bad malloc '#include <stdlib.h>
void *lp_bad(void) { return malloc(9); }'
bad clock_gettime '#include <time.h>
int lp_bad(struct timespec *t) { return clock_gettime(0, t); }'
bad write '#include <unistd.h>
long lp_bad(void) { return write(1, "", 1); }'
bad lp_log_warn 'void lp_log_warn(const char *, ...);
void lp_bad(void) { lp_log_warn("packet"); }'

[ $# -gt 0 ] || { echo "no objects given" >&2; exit 2; }
found=$(needed "$@")
if [ -n "$found" ]; then
	echo "the packet path needs what it must not call:" >&2
	for symbol in $found; do
		"$nm" -u -A "$@" | grep -w "$symbol" >&2
	done
	exit 1
fi
echo "$# objects need nothing that they must not call"
