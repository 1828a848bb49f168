#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The two releases of Kafka that the tables are made from: the last one that
# has all old versions, and the newest.
#
#	clients.sh old|new	prints the directory of its jars
#	clients.sh tables [--check|--facts]
#				runs generate.py on both
#
# Jars are fetched from Maven Central once.  Status 77 if that, or a program,
# is not to be had.
set -u -o pipefail

OLD=3.9.2
NEW=4.4.0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-/var/cache}/lightpath

main() {
	local old new names status=0

	case ${1:-} in
	old) release $OLD ;;
	new) release $NEW ;;
	tables)
		shift
		for program in javac python3; do
			command -v $program >/dev/null && continue
			echo "$program is needed" >&2
			exit 77
		done
		old=$(release $OLD) && new=$(release $NEW) || exit
		names=$(mktemp) || exit
		# Errors of the newest release, with their numbers.
		java -cp "$new/*" "$here/ErrorNames.java" >"$names" \
		    2>"$names.log" || { cat "$names.log" >&2; status=1; }
		[ $status -ne 0 ] ||
		    "$here/generate.py" "$@" "$names" \
		        "$old/kafka-clients-$OLD.jar" \
		        "$new/kafka-clients-$NEW.jar" || status=$?
		rm -f "$names" "$names.log"
		exit $status
		;;
	*)
		echo "usage: clients.sh old|new|tables [--check|--facts]" >&2
		exit 2
		;;
	esac
}

# release VERSION: prints the directory of its jars, which is made in one step.
release() {
	local dir=$cache/kafka-clients-$1 log new status=0

	if cmp -s "$dir/pom.xml" "$here/clients.xml"; then
		echo "$dir"
		return
	fi
	for program in java mvn; do
		command -v $program >/dev/null && continue
		echo "$program is needed" >&2
		return 77
	done
	if [ -n "${LAB_OFFLINE:-}" ]; then
		echo "kafka-clients $1 is not in $dir, and there was no network" >&2
		return 77
	fi
	mkdir -p "$cache"
	new=$(mktemp -d "$cache/new.XXXXXX") || return
	log=$new/maven.log
	timeout 600 mvn -B -f "$here/clients.xml" "-Dkafka.version=$1" \
	    org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies \
	    -DincludeArtifactIds=kafka-clients,slf4j-api \
	    "-DoutputDirectory=$new" </dev/null >"$log" 2>&1 || status=$?
	if [ $status -eq 0 ]; then
		cp "$here/clients.xml" "$new/pom.xml"
		# Another one may have been faster: theirs is as good.
		mv -T "$new" "$dir" 2>/dev/null || rm -rf "$new"
		echo "$dir"
		return
	fi
	if [ $status -eq 124 ] ||
	    grep -q -i -E 'could not transfer|offline' "$log"; then
		echo "Maven Central cannot be reached, and kafka-clients $1" \
		    "is not in $dir yet" >&2
		status=77
	else
		tail -n 20 "$log" >&2
		status=1
	fi
	rm -rf "$new"
	return $status
}

main "$@"
