#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every option of --help is in the manual page: test_manual.sh PROGRAM PAGE
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
exit $failed
