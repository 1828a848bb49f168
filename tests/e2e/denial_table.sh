#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034
#
# What a deny by an edit of the same length comes to at real brokers, API by API
# and version by version: the table in lightpath-rules(7), which is made of the
# same data (tests/support/kafka/denials.json).
#
# No Lightpath is in between: the edits are made by hand (denials.py), and this
# proves what brokers do with them, of the last 3.9 and of the newest release,
# each without an authorizer and with one that refuses some topics, groups and
# transactions.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

AUTHORIZER="authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true"
# Records by hand are old: they stay.  Groups are looked at often.
MORE="log.retention.ms=-1
group.min.session.timeout.ms=100
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.num.partitions=1
group.consumer.heartbeat.interval.ms=200
group.consumer.min.heartbeat.interval.ms=100
group.share.heartbeat.interval.ms=200
group.share.min.heartbeat.interval.ms=100
group.coordinator.rebalance.protocols"
PLAIN_JAVA=("${LAB_JAVA[@]}")

main() {
	local release version

	e2e_begin denial
	must "a namespace is made" lab_netns brokers
	LAB_REAL=127.0.0.1:$LAB_PORT
	while read -r release version; do
		LAB_JAVA=("${PLAIN_JAVA[@]}")
		must "Kafka $version is there" lab_kafka_get "$release"
		prove "$release" open ""
		prove "$release" guarded "$AUTHORIZER"
	done < <(lab_kafka_releases)
	e2e_done
}

# prove RELEASE open|guarded PROPERTIES
prove() {
	LAB_KAFKA_MORE="$MORE=$(protocols "$1")
$3"
	rm -rf "$LAB_DIR/data"
	must "Kafka $LAB_KAFKA_VERSION runs, $2" lab_kafka_start "$LAB_REAL"
	check "the table holds for Kafka $1, $2" denials "$1" "$2" &&
	    cat "$LAB_DIR/check.out"
	lab_stop kafka
}

# Groups of shares and of streams came after 3.9.
protocols() {
	case $1 in
	3.9) echo classic,consumer ;;
	*) echo classic,consumer,share,streams ;;
	esac
}

denials() {
	lab_on brokers python3 "$LAB_SUPPORT/kafka/denials.py" "$LAB_REAL" \
	    "${LAB_JARS%/*}/kafka-clients-$LAB_KAFKA_VERSION.jar" "$@"
}

main "$@"
