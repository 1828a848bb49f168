#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Metrics of real traffic: promtool finds nothing to complain about, they agree
# with lpctl, and Prometheus itself takes them all.

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

main "$@"
