#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Rules that limit, with real clients: whoever obeys throttle times (Java) and
# whoever does not (librdkafka) gets what the rule says, in both directions;
# nobody loses a connection or a place in its group, and nothing is dropped.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

TOOLS=org.apache.kafka.tools
RATE=2000000
# What is measured begins behind what a burst and windows let pass at once.
BEFORE=3000000
BETWEEN=10000000
# Of one request or answer: little of what is measured, whose ends it may miss.
FEW=32000

main() {
	e2e_begin limit
	e2e_lab
	must "the listener passes on what cannot be judged" unjudged
	check "what would break a group is not limited" refused \
	    'api=Heartbeat' 'breaks groups'

	must "a limit of Produce is taken" rule \
	    "limit bytes=${RATE}B/s" 'api=Produce'
	must "a Java producer sends" lab_start producer client java \
	    "${LAB_JAVA[@]}" -cp "$LAB_JARS" $TOOLS.ProducerPerformance \
	    --topic limited --num-records 1000000 --record-size 1000 \
	    --throughput -1 --bootstrap-server "$LAB_VIP"
	check "it sends so much" goes_at produced
	check "it was told to wait, as by a broker's quota" throttled Produce
	lab_stop producer
	records_make 400000 >"$LAB_DIR/sent"
	must "kcat sends" kcat_sends kcat
	must "and another one" kcat_sends other
	check "both together send so much" goes_at produced
	lab_stop kcat
	lab_stop other
	must "the rule is deleted" gone

	# Its requests are of a session, and do not name the topic again.
	must "a limit of a topic is taken" rule \
	    "limit bytes=${RATE}B/s" 'api=Fetch topic=limited'
	must "a Java consumer reads, in a group" lab_start consumer client java \
	    "${LAB_JAVA[@]}" -cp "$LAB_JARS" $TOOLS.ConsumerPerformance \
	    --topic limited --bootstrap-server "$LAB_VIP" --group readers \
	    --num-records 1000000 --timeout 60000 --fetch-size $FEW
	check "it reads so much" goes_at fetched
	check "it was told to wait, as by a broker's quota" throttled Fetch
	check "its group was formed once" formed_once
	lab_stop consumer
	must "the rule is deleted" gone
	must "a limit of Fetch is taken" rule \
	    "limit bytes=${RATE}B/s" 'api=Fetch'
	must "kcat reads" lab_start reader client kcat -C -q -o beginning \
	    -b "$LAB_VIP" -t limited -X fetch.message.max.bytes=$FEW
	check "it reads so much" goes_at fetched
	lab_stop reader
	check "who was made to wait is counted" counted
	check "no packet was dropped" no_drops
	check "hardly a segment was sent again" hardly_again
	sed 's/^/       /' "$LAB_DIR/rates"
	e2e_done
}

unjudged() {
	lab_ctl set-listener lab public --unjudged pass && in_step
}

in_step() {
	lab_wait 10 "the dataplane to be in step" lab_in_step
}

kcat_sends() {
	lab_start "$1" client kcat -P -b "$LAB_VIP" -t limited \
	    -X batch.size=$FEW -l "$LAB_DIR/sent"
}

# rule ACTION MATCH
rule() {
	lab_ctl add-rule limited --priority 500 --action "$1" \
	    --match "cluster=lab $2" && in_step
}

gone() {
	lab_ctl del-rule limited && in_step
}

# refused MATCH WHY
refused() {
	! lab_ctl add-rule other --priority 400 --match "cluster=lab $1" \
	    --action 'limit requests=9/s' 2>"$LAB_DIR/said" || return
	cat "$LAB_DIR/said"
	grep -q -e "$2" "$LAB_DIR/said"
}

# "BYTES NANOSECONDS": so far, at that time.
produced() {
	lab_ctl -o json rule-stats limited | jq -r '.dataplanes[0] |
	    "\([.rules[].request_bytes] | add // 0) \(.time_ns)"'
}

fetched() {
	lab_ctl -o json stats kafka | jq -r '.dataplanes[0] |
	    "\([.apis[] | select(.api == "Fetch") | .response_bytes] |
	    add // 0) \(.time_ns)"'
}

# beyond COUNT BYTES: COUNT is that far; SEEN is what it says.
beyond() {
	SEEN=$($1) && [ "${SEEN% *}" -ge "$2" ]
}

# goes_at COUNT: from there on as fast as the rule says, by a twentieth.  A client
# that was slow may have been kept from it by the machine, and has a second try;
# one that was fast has not.
goes_at() {
	local begin first status

	first=$($1) && first=${first% *} &&
	    lab_wait 60 "the first bytes" beyond "$1" $((first + BEFORE)) ||
	    return
	for _ in 1 2; do
		begin=$SEEN
		lab_wait 60 "the last bytes" beyond "$1" \
		    $((${begin% *} + BETWEEN)) || return
		awk -v rate=$RATE '{
			got = ($3 - $1) * 1e9 / ($4 - $2)
			printf "%d bytes/s, %.3f of what the rule says\n",
			    got, got / rate
			exit got >= rate * 1.05 ? 2 : got <= rate * 0.95
		}' <<<"$begin $SEEN" | tee -a "$LAB_DIR/rates"
		status=${PIPESTATUS[0]}
		[ "$status" -eq 1 ] || return "$status"
	done
	return 1
}

# throttled API: answers that have told so.
throttled() {
	lab_ctl -o json stats kafka | jq -e --arg api "$1" '[.dataplanes[0].apis[] |
	    select(.api == $api) | .throttled] | add > 0'
}

# The broker says of each time that it has all members.
formed_once() {
	grep 'Stabilized group readers' "$LAB_DIR/kafka.log"
	[ "$(grep -c 'Stabilized group readers' "$LAB_DIR/kafka.log")" -eq 1 ]
}

counted() {
	lab_ctl rule-stats limited
	lab_ctl -o json rule-stats limited |
	    jq -e '.dataplanes[0].rules[0] | .delayed > 0 and .delayed_ns > 0'
}

# Nobody waits long enough for a timeout, and no burst overruns a queue.
hardly_again() {
	local where

	for where in client brokers; do
		lab_on $where grep '^Tcp: [0-9]' /proc/net/snmp
	done | awk '{ sent += $12; again += $13 }
		END {
			printf "%d of %d segments sent again\n", again, sent
			exit again * 100 > sent
		}' | tee -a "$LAB_DIR/rates"
}

main "$@"
