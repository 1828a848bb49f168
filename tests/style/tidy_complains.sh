#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tidy_complains.sh TIDY: a tree with one fault of each kind, and tidy.sh must
# name each.
set -u
tidy=$(realpath "$1")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/dataplane/pipeline" "$tmp/proto" "$tmp/cli"
spdx='/* SPDX-License-Identifier: Apache-2.0 */'
failed=0

# fault FILE WHAT: the file of standard input is complained about so.
fault() {
	local said
	cat >"$tmp/$1"
	said=$(bash "$tidy" "$tmp" "$1" 2>&1)
	local status=$?
	if [ $status -ne 1 ] || ! grep -q "$2" <<<"$said"; then
		printf '%s\n' "tidy.sh ($status) did not say: $2" "$said" >&2
		failed=1
	fi
}

repeat() {
	for ((i = 0; i < $1; i++)); do
		printf '%s\n' "$2"
	done
}

fault proto/a.c 'no SPDX line' <<<'/* Copyright */'
{ echo "$spdx"; repeat 600 '/* x */'; } | fault proto/a.c '601 lines'
{
	printf '%s\n' "$spdx" 'void' 'lp_a_x(void)' '{'
	repeat 71 '	lp_a_x();'
	echo '}'
} | fault proto/a.c 'a function of 71 lines'
printf '%s\n' "$spdx" 'int x; // no' | fault proto/a.c 'a // comment'
printf '%s\n' "$spdx" '/* TODO: later */' | fault proto/a.c 'TODO without'
printf '%s\n' "$spdx" 'void' 'lp_b_x(void)' '{' '}' |
    fault proto/a.c 'lp_b_x is not named after'
printf '%s\n' "$spdx" 'int' 'helper(void)' '{' '}' |
    fault proto/a.c 'helper is not named after'
printf '%s\n' "$spdx" '#include "dataplane/worker.h"' |
    fault dataplane/pipeline/a.c 'the packet path includes'
printf '%s\n' "$spdx" '#include <stdlib.h>' |
    fault dataplane/pipeline/a.c 'the packet path includes'
printf '%s\n' "$spdx" '#include <sqlite3.h>' |
    fault cli/a.c 'belongs into another file'
printf '%s\n' "$spdx" '#include "tests/support/plane.h"' |
    fault cli/a.c 'of the tests'
if command -v clang-format >/dev/null; then
	cp "$(dirname "$tidy")/../../.clang-format" "$tmp"
	printf '%s\n' "$spdx" 'int  x ;' | fault proto/a.c 'clang-format'
fi

# And is silent about what is well.
printf '%s\n' "$spdx" '/* See http://example.org. TODO(#7): later. */' '' \
    'void' 'lp_a_x(void)' '{' '}' >"$tmp/proto/a.c"
said=$(bash "$tidy" "$tmp" proto/a.c 2>&1)
case $? in
0 | 77) ;;
*)
	printf '%s\n' "tidy.sh complains about nothing:" "$said" >&2
	failed=1
	;;
esac
exit $failed
