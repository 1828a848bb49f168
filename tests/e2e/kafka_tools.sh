#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Kafka's own programs through Lightpath: the console producer and consumer,
# a consumer group, the performance tools, and topics made and deleted.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

TOOLS=org.apache.kafka.tools
RECORDS=50000

main() {
	e2e_begin tools
	e2e_lab
	check "TopicCommand creates a topic" topic --create --topic console \
	    --partitions 3
	check "TopicCommand lists it" topic_listed

	records_make 1000 >"$LAB_DIR/sent"
	check "ConsoleProducer produces" console_produce
	check "ConsoleConsumer consumes, in a group" console_consume
	check "none is lost, altered or repeated" same_records
	check "the group has committed" committed

	check "ProducerPerformance produces" perf_produce
	check "ConsumerPerformance consumes" perf_consume
	check "TopicCommand deletes a topic" topic --delete --topic console
	check "no packet was dropped" no_drops
	e2e_done
}

topic() {
	lab_java client $TOOLS.TopicCommand --bootstrap-server "$LAB_VIP" "$@"
}

topic_listed() {
	topic --list | grep -x console
}

console_produce() {
	lab_java client $TOOLS.ConsoleProducer --bootstrap-server "$LAB_VIP" \
	    --topic console <"$LAB_DIR/sent"
}

console_consume() {
	lab_java client $TOOLS.consumer.ConsoleConsumer \
	    --bootstrap-server "$LAB_VIP" --topic console --group readers \
	    --from-beginning --max-messages 1000 --timeout-ms 60000 \
	    >"$LAB_DIR/got"
}

committed() {
	lab_java client $TOOLS.consumer.group.ConsumerGroupCommand \
	    --bootstrap-server "$LAB_VIP" --describe --group readers |
	    awk '{ print } $2 == "console" { sum += $4 }
		END { exit sum != 1000 }'
}

# The last line it prints sums up: "50000 records sent, ...".
perf_produce() {
	lab_java client $TOOLS.ProducerPerformance --topic perf \
	    --num-records $RECORDS --record-size 200 --throughput -1 \
	    --bootstrap-server "$LAB_VIP" | tee "$LAB_DIR/perf.log" &&
	    grep -q "^$RECORDS records sent" "$LAB_DIR/perf.log"
}

# Data read in MB is its third column, records the fifth.
perf_consume() {
	lab_java client $TOOLS.ConsumerPerformance --topic perf \
	    --bootstrap-server "$LAB_VIP" --num-records $RECORDS \
	    --timeout 60000 --hide-header |
	    awk -F ', ' -v want=$RECORDS '{ print } $5 >= want { ok = 1 }
		END { exit !ok }'
}

main "$@"
