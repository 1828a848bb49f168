#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Metrics of real traffic: promtool finds nothing to complain about, they agree
# with lpctl, and Prometheus itself takes them all.  And a topic that a client
# knows by its id alone is counted by its name.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/prometheus.sh
. "$LAB_SUPPORT/prometheus.sh"

RECORDS=2000
# The default; Lightpath has a namespace of its own.
URL=http://127.0.0.1:9464
PROMETHEUS=127.0.0.1:9090

main() {
	e2e_begin metrics
	must "Prometheus is there" prometheus_get
	e2e_lab
	records_make $RECORDS >"$LAB_DIR/sent"
	must "kcat produces" records_produce records "$LAB_DIR/sent"
	must "kcat consumes" records_consume records "$LAB_DIR/got"

	must "the page comes" scrape
	check "promtool has nothing to say" promtool_is_silent
	check "the dataplane is up" value_is \
	    "lightpath_up{dataplane=\"$LAB_DIR/dataplane.sock\"}" 1
	check "it says what it knows of Kafka" value_is \
	    "lightpath_kafka_up{dataplane=\"$LAB_DIR/dataplane.sock\"}" 1
	check "its ports are there" [ "$(sum lightpath_port_up)" -eq 2 ]
	check "bytes of clients are what lpctl says" same_bytes client
	check "bytes of brokers are what lpctl says" same_bytes broker
	check "the topic has all records that kcat produced" topic_bytes
	check "each Produce has been answered, and timed" produces_timed
	check "all packets have a reason" lab_wait 10 "equal sums" sums_agree
	must "Prometheus runs" prometheus_start
	check "Prometheus takes the page, and every sample of it" takes_all
	# A rate needs two scrapes.
	check "a rate has an answer" lab_wait 20 "a second scrape" \
	    answers 'sum(rate(lightpath_endpoint_bytes_total[1m]))'
	check "Prometheus understands every query of the README" understands
	topic_ids
	e2e_done
}

scrape() {
	lab_on lightpath curl -sS --max-time 60 -o "$LAB_DIR/page" \
	    "$URL/metrics"
}

promtool_is_silent() {
	local said

	said=$("$PROMETHEUS_BIN/promtool" check metrics \
	    <"$LAB_DIR/page" 2>&1) || return
	echo "$said"
	[ -z "$said" ]
}

value_is() {
	grep -qxF -e "$1 $2" "$LAB_DIR/page"
}

# sum METRIC [LABEL]: of all its samples, or of those with this in the labels.
sum() {
	awk -v name="$1" -v label="${2:-}" '
		index($0, name "{") == 1 && index($0, label) { n += $NF }
		END { printf "%.0f\n", n }' "$LAB_DIR/page"
}

# What a broker still sends may come in between.
same_bytes() {
	local before shown after

	before=$(lab_endpoints "$1_bytes") && scrape || return
	after=$(lab_endpoints "$1_bytes")
	shown=$(sum lightpath_endpoint_bytes_total "sender=\"$1\"")
	echo "$shown on the page, $before before, $after after it"
	[ "$before" -gt 0 ] && [ "$before" -le "$shown" ] &&
	    [ "$shown" -le "$after" ]
}

# Of the one topic, and what batches add to the records' own bytes.
topic_bytes() {
	local payload produced fetched

	payload=$(($(wc -c <"$LAB_DIR/sent") - RECORDS))
	produced=$(sum lightpath_kafka_topic_bytes_total \
	    'topic="records",operation="produce"')
	fetched=$(sum lightpath_kafka_topic_bytes_total \
	    'topic="records",operation="fetch"')
	echo "payload $payload, produced $produced, fetched $fetched"
	[ "$produced" -gt "$payload" ] && [ "$fetched" -ge "$produced" ]
}

produces_timed() {
	local asked answered timed

	asked=$(sum lightpath_kafka_requests_total 'api="Produce"')
	answered=$(sum lightpath_kafka_responses_total 'api="Produce"')
	timed=$(sum lightpath_kafka_request_duration_seconds_count \
	    'api="Produce"')
	echo "$asked asked, $answered answered, $timed timed"
	[ "$asked" -gt 0 ] && [ "$asked" -eq "$answered" ] &&
	    [ "$answered" -eq "$timed" ]
}

# A packet that comes while they are read may be in one of them only.
sums_agree() {
	local verdicts reasons

	scrape || return
	verdicts=$(sum lightpath_packets_total)
	reasons=$(sum lightpath_packet_reasons_total)
	echo "$verdicts verdicts, $reasons reasons"
	[ "$verdicts" -gt 0 ] && [ "$verdicts" -eq "$reasons" ]
}

prometheus_start() {
	cat >"$LAB_DIR/prometheus.yml" <<-END
	global:
	  scrape_interval: 1s
	scrape_configs:
	  - job_name: lightpath
	    static_configs:
	      - targets: ['${URL#http://}']
	END
	lab_start prometheus lightpath "$PROMETHEUS_BIN/prometheus" \
	    --config.file="$LAB_DIR/prometheus.yml" \
	    --storage.tsdb.path="$LAB_DIR/tsdb" \
	    --web.listen-address=$PROMETHEUS
	lab_ready prometheus 30 "a scrape" answers 'up{job="lightpath"} == 1'
}

# query PROMQL: the first value, or nothing.
query() {
	lab_on lightpath curl -sS --max-time 60 -G \
	    --data-urlencode "query=$1" "http://$PROMETHEUS/api/v1/query" |
	    jq -r '.data.result[0].value[1] // empty'
}

answers() {
	[ -n "$(query "$1" 2>/dev/null)" ]
}

# One a line, between the fences.
understands() {
	local queries failed=0 line

	queries=$(sed -n '/^```promql$/,/^```$/{/^```/d;/^#/d;/./p}' \
	    "$LAB_ROOT/README.md")
	[ "$(wc -l <<<"$queries")" -ge 5 ] || return
	while read -r line; do
		lab_on lightpath curl -sS --max-time 60 -G \
		    --data-urlencode "query=$line" \
		    "http://$PROMETHEUS/api/v1/query" </dev/null |
		    jq -e '.status == "success"' >/dev/null && continue
		echo "$line"
		failed=1
	done <<<"$queries"
	return $failed
}

takes_all() {
	local lines samples added

	lines=$(grep -vc '^#' "$LAB_DIR/page")
	samples=$(query 'scrape_samples_scraped{job="lightpath"}')
	added=$(query 'scrape_samples_post_metric_relabeling{job="lightpath"}')
	echo "$lines lines, $samples samples, $added stored"
	[ "$samples" -ge "$lines" ] && [ "$added" = "$samples" ]
}

# A dataplane that knows nothing, and a client that never asks for Metadata: the
# name can only come from lp-controld, who has asked the broker.
topic_ids() {
	local id

	id=$(sed -n 's/^topic_id: //p' "$LAB_DIR/data/records-0/partition.metadata")
	must "the broker has an id for the topic" [ -n "$id" ]
	must "lp-controld has a way to the broker" way_to_broker
	must "a broker has told it ids" \
	    lab_wait 40 "ids" seeded || lab_ctl status
	lab_stop dataplane
	rm -f "$LAB_DIR/dataplane.snapshot"
	lab_dataplane_start
	must "a new dataplane runs" lab_lightpath_ready
	check "it is told the ids" lab_wait 20 "ids" all_told
	check "the topic is fetched by its id" fetch_by_id "$id"
	check "its bytes are counted by its name" fetched_by_name
	check "no Metadata has passed" [ -z "$(kafka_json \
	    '.dataplanes[0].apis[] | select(.api == "Metadata") | .api')" ]
	must "the page comes" scrape
	check "promtool has nothing to say still" promtool_is_silent
	check "the page says who told the ids" ids_on_page
}

# As an operator would have one: not through Lightpath.
way_to_broker() {
	ip -n "$LAB_ID-brokers" link add way type veth \
	    peer name way netns "$LAB_ID-lightpath" &&
	    ip -n "$LAB_ID-brokers" addr add 10.9.9.1/24 dev way &&
	    ip -n "$LAB_ID-lightpath" addr add 10.9.9.2/24 dev way &&
	    ip -n "$LAB_ID-brokers" link set way up &&
	    ip -n "$LAB_ID-lightpath" link set way up &&
	    ip -n "$LAB_ID-lightpath" route add "$LAB_BROKER" via 10.9.9.1
}

known_ids() {
	lab_json status ".topic_ids[0].$1"
}

seeded() {
	[ "$(known_ids asked)" -gt "$(known_ids failed)" ] &&
	    [ "$(known_ids known)" -gt 0 ] && [ "$(known_ids since_ns)" -gt 0 ]
}

kafka_json() {
	lab_ctl -o json stats kafka | jq -r "$1"
}

kafka_counter() {
	kafka_json ".dataplanes[0].counters.$1"
}

all_told() {
	[ "$(kafka_counter topic_ids_told)" -gt 0 ] &&
	    [ "$(kafka_counter topic_ids_told)" -eq "$(known_ids known)" ] &&
	    [ "$(kafka_counter topic_ids_learnt)" -eq 0 ]
}

fetch_by_id() {
	FETCHED=$(lab_on client timeout 60 python3 \
	    "$LAB_SUPPORT/kafka/by_id.py" "$LAB_VIP_IP" "$LAB_PORT" "$1" 4)
	echo "$FETCHED bytes"
	[ "$FETCHED" -gt 0 ]
}

fetched_by_name() {
	local counted

	counted=$(lab_json topics '.dataplanes[0].topics[] |
	    select(.topic == "records") | .fetch_bytes')
	echo "$counted counted, $FETCHED fetched"
	[ "$counted" -eq "$FETCHED" ]
}

ids_on_page() {
	[ "$(awk '$1 == "lightpath_topic_ids{cluster=\"lab\"}" { print $2 }' \
	    "$LAB_DIR/page")" -eq "$(known_ids known)" ] &&
	    [ "$(sum lightpath_topic_id_events_total 'event="asked"')" -gt 0 ]
}

main "$@"
