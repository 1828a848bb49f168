#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every option of --help is in the manual page, which the unit names:
# test_manual.sh PROGRAM PAGE
set -u

failed=0
options=$("$1" --help | grep -o -e ' --[a-z][a-z-]*' | sort -u)
if [ -z "$options" ]; then
	echo "$1 --help names no options"
	exit 1
fi
for option in $options; do
	case $option in
	--help | --usage | --version) continue ;; # argp's own
	esac
	if ! grep -qE -e "Fl ${option#-}( |\$)" "$2"; then
		echo "$2: no $option"
		failed=1
	fi
done
for section in SIGNALS FILES 'EXIT STATUS'; do
	if ! grep -qx ".Sh $section" "$2"; then
		echo "$2: no $section"
		failed=1
	fi
done
name=$(basename "$2" .8)
for unit in "$(dirname "$2")"/../*/"$name.service.in"; do
	if ! grep -qxF "Documentation=man:$name(8)" "$unit"; then
		echo "$unit: Documentation= is not man:$name(8)"
		failed=1
	fi
done
exit $failed
