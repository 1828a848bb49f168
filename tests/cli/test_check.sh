#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What lpctl says of files: test_check.sh LPCTL FILES EXAMPLES
#
# Each FILES/broken/NAME.yaml, and each directory there, is checked, and what is
# said compared with NAME.txt beside it; of FILES/warned likewise, which are no
# errors.  GOLDEN_UPDATE=1 writes it anew.
set -u

lpctl=$1
files=$2
examples=$3
# shellcheck source=tests/cli/lpctl.sh
. "$(dirname "$0")/lpctl.sh"

# says TEXT: of the last run, anywhere.
says()
{
	grep -qF -e "$1" "$dir/out" "$dir/err" || fail "does not say: $1"
}

golden()
{
	if [ -n "${GOLDEN_UPDATE:-}" ]; then
		cat "$dir/err" "$dir/out" >"$1"
	elif ! cat "$dir/err" "$dir/out" | diff -u "$1" - >"$dir/diff"; then
		cat "$dir/diff"
		fail "$1: lpctl says something else"
	fi
}

for kind in broken warned; do
	cd "$files/$kind" || exit 1
	count=0
	for path in *; do
		case $path in
		*.txt) continue ;;
		esac
		[ $kind = broken ] && run 1 check -f "$path"
		[ $kind = warned ] && run 0 check -f "$path"
		golden "${path%.yaml}.txt"
		count=$((count + 1))
	done
	[ $count -gt 2 ] || fail "no files in $kind"
done

cd "$files/broken" || exit 1
run 1 -o json check -f range.yaml -f empty.yaml
golden ../json.txt

# Nothing is said of the examples, of which each is whole.
cd "$examples" || exit 1
for path in *.yaml owners; do
	run 0 check -f "$path"
	[ -s "$dir/err" ] && fail "$path: $(cat "$dir/err")"
	says 'no errors'
done
run 0 -o json check -f minimal.yaml
says '[]'

# Paths.
cd "$dir" || exit 1
mkdir empty conf conf/deeper.yaml
cp "$examples/minimal.yaml" conf/b.yaml
ln -s "$examples/owners/team-a.yaml" conf/c.yml
printf 'no YAML' >conf/.hidden.yaml
printf 'no YAML' >conf/readme.txt
run 2 check
run 1 check -f none.yaml -f empty
says 'none.yaml: error: No such file or directory'
says 'empty: error: has no files named *.yaml or *.yml'
says '2 errors, 0 warnings in 2 files'
run 1 check -f conf
says 'conf/c.yml:7:22: error: match: there is no cluster payments'
says '2 errors, 0 warnings in 2 files'
rm conf/c.yml
# What is named twice is one file.
run 0 check -f conf/ -f conf/b.yaml -f ./conf/../conf/b.yaml
says '1 file, 4 objects'
ln -s nowhere conf/d.yaml
run 1 check -f conf
says 'conf/d.yaml: error: No such file or directory'
rm conf/d.yaml
mkfifo conf/e.yaml # nobody writes to it: it would be waited for
run 1 check -f conf
says 'conf/e.yaml: error: is no regular file'
"$lpctl" check -f - <conf/b.yaml >"$dir/out" 2>"$dir/err" ||
	fail "standard input"
# As a shell makes them of *.yaml, very many, behind -f or without it.
mkdir many
i=0
while [ $i -lt 200 ]; do
	printf 'lightpath: 1\nclusters: []\n' >"many/$i.yaml"
	i=$((i + 1))
done
run 0 check many/*.yaml
says '200 files, 0 objects'
run 0 check -f many/*.yaml -f conf/b.yaml
says '201 files, 4 objects'
run 1 check conf/b.yaml none.yaml
says 'none.yaml: error: No such file or directory'
printf 'lightpath: 1\nrulez: []\n' | "$lpctl" check -f - \
	>"$dir/out" 2>"$dir/err" && fail "standard input passes"
says 'standard input:2:1: error: '
exit $failed
