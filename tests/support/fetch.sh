#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fetches, once, what the tests run and the repository does not have: the
# releases of Kafka, MirrorMaker 2, kafkajs, Prometheus.  Says what cannot be
# had, and ends with 77 then: LAB_OFFLINE=1 keeps each test from trying that
# again.
set -u -o pipefail

# shellcheck source=tests/support/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
# shellcheck source=tests/support/kafka/workloads.sh
. "$LAB_SUPPORT/kafka/workloads.sh"
# shellcheck source=tests/support/mirror.sh
. "$LAB_SUPPORT/mirror.sh"
# shellcheck source=tests/support/prometheus.sh
. "$LAB_SUPPORT/prometheus.sh"

main() {
	local release version status=0
	local clients=$LAB_ROOT/dataplane/kafka/clients.sh

	LAB_DIR=$(mktemp -d "$LAB_TMP/lightpath-fetch.XXXXXX") || exit
	trap 'rm -rf "$LAB_DIR"' EXIT
	while read -r release version; do
		lab_kafka_get "$release" && archive "$version" || status=77
	done < <(lab_kafka_releases)
	"$clients" old >/dev/null && "$clients" new >/dev/null || status=77
	mirror_get || status=77
	work_js_get || status=77
	prometheus_get || status=77
	exit $status
}

# The classes of a broker as the JVM has them in memory, which saves it half of
# the time that it takes to start.  Only that: it does without.
archive() {
	lab_kafka_archived && return
	mkdir -p "$LAB_DIR/$1"
	unshare -n -- "${BASH_SOURCE[0]}" --archive "$1" "$LAB_DIR/$1" \
	    </dev/null >"$LAB_DIR/$1.log" 2>&1 ||
	    echo "no archive of Kafka $1's classes: each broker starts slower"
	return 0
}

# In a namespace of its own, where a broker starts and ends: DIR is for its
# data and for the archive, which then gets its name in one step.
archive_make() {
	local broker

	LAB_DIR=$2
	lab_kafka_get "$LAB_KAFKA_CACHE/kafka-$1" && ip link set lo up &&
	    LAB_REAL=127.0.0.1:9092 lab_kafka_properties 127.0.0.1:9092 &&
	    java "${LAB_JAVA[@]}" -cp "$LAB_JARS" kafka.tools.StorageTool \
	        format -t bGlnaHRwYXRoLWxhYi0xMA \
	        -c "$LAB_DIR/server.properties" || return
	java "${LAB_JAVA[@]}" "-XX:ArchiveClassesAtExit=$LAB_DIR/new.jsa" \
	    -cp "$LAB_JARS" kafka.Kafka "$LAB_DIR/server.properties" &
	broker=$!
	lab_poll 120 kcat -L -m 1 -b 127.0.0.1:9092
	kill "$broker"
	wait "$broker"
	[ -s "$LAB_DIR/new.jsa" ] &&
	    cp "$LAB_DIR/new.jsa" "$LAB_KAFKA_ARCHIVE.new" &&
	    mv "$LAB_KAFKA_ARCHIVE.new" "$LAB_KAFKA_ARCHIVE"
}

if [ "${1:-}" = --archive ]; then
	archive_make "$2" "$3"
else
	main
fi
