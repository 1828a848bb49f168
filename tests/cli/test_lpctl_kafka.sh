#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kafka statistics from the state region over lp-controld to lpctl:
# test_lpctl_kafka.sh LPCTL LP-CONTROLD KAFKA_TALK
set -u

lpctl=$1
controld=$2
talk=$3
command -v jq >/dev/null || { echo 'skipped: no jq' && exit 77; }
# shellcheck source=tests/cli/lpctl.sh
. "$(dirname "$0")/lpctl.sh"

# prints PATTERN: of the last run, a whole line.
prints()
{
	grep -qxE -e "$1" "$dir/out" || fail "does not print: $1"
}

# is EXPRESSION VALUE: of the last run's JSON.
is()
{
	got=$(jq -r "$1" "$dir/out")
	[ "$got" = "$2" ] || fail "$1 is $got, not $2"
}

daemon talk "$talk" "$dir/dataplane.sock" "$dir/snapshot"
mkdir "$dir/clients" # of no file; nor can it be one of the host
daemon controld "$controld" --database "$dir/db" --socket "$LPCTL_SOCKET" \
	--kafka-clients "$dir/clients" --dataplane "$dir/dataplane.sock"
await is_applied talker

run 0 add-cluster payments -- add-broker payments 7 10.0.2.11:9092 \
	-- add-listener payments public 10.9.0.100:9092

# ---- as people see it ------------------------------------------------------
run 0 stats kafka
prints 'dataplane talker'
prints 'payments/public +7  [^ ]+ +acks=all +1001 +1000 +1 +1  50.us  9[89].us  .*  1\.00ms +200kB +50\.0kB'
prints 'replication, between brokers:'
prints 'payments/public +7  [^ ]+ +data +0 +1 +0 +0  500us .* 90\.0kB'
prints 'requests +1002'
run 0 clients --limit 1
prints 'steady +1000 +0 +0 +0 +200kB +50\.0kB +50.us +9[89].us .*'
prints '\(others\) .*'
prints 'and 511 more'
prints '512 of at most 512 client ids have a row of their own; 0 lost it .*'
run 0 topics
prints 'orders +payments +1000 +100kB .*'

# ---- and programs: whole numbers, and sums that are complete ---------------
run 0 -o json stats kafka --dataplane talker
api='.dataplanes[0].apis[] | select(.kind == "acks=all")'
is "$api | .requests" 1001
is "$api | .request_bytes" 200200
is "$api | .in_flight" 1
is "$api | .errors | add" 1
is "$api | .latency.count" 1000
is "$api | .latency.max_ns" 1000000
is "$api | .latency.mean_ns" 500500
is "$api | .latency | (.p50_ns - 500000 | fabs) <= 4000" true
is "$api | .latency | (.p99_ns - 990000 | fabs) <= 7920" true
is '.dataplanes[0].counters.requests' 1002
run 0 -o json clients
is '[.dataplanes[0].clients[].requests] | add' 3000
is '.dataplanes[0].clients | length' 513
is '.dataplanes[0].clients[-1].other' true
is '[.dataplanes[0].clients[].client_id | select(. == "odd\\x0a")] | length' 1
run 0 -o json clients once- --limit 3
is '.dataplanes[0] | [(.clients | length), .cut] | @text' '[3,507]'
run 0 -o json topics
is '.dataplanes[0].topics[0] | [.topic, .cluster, .produce.count] | @text' \
	'["orders","payments",1000]'
run 0 -o json top --once --since-start
is '.totals.requests' 1002
is '[.rows[].requests] | add' 3000
is '.rows | length' 513
is '.rows[] | select(.name == "steady") | .requests' 1000
is '[.rows[].name | select(. == "(others)" or . == "odd\\x0a")] | length' 2
run 0 -o json top --once --since-start --view apis --filter acks=all
is '.rows[0] | [.requests, .errors, .in_flight] | @text' '[1001,1,1]'
is '.rows[0] | (.p50_ns - 500000 | fabs) <= 4000' true
is '.rows | length' 1
run 0 top --once --delay 0.1 --view brokers
prints 'payments/7 +0 .*'
run 3 clients --dataplane nobody
grep -q 'no dataplane of this name' "$dir/err" || fail 'who is nobody'

# ---- names are of now -------------------------------------------------------
run 0 set-cluster payments --name pay
run 0 topics ord
prints 'orders +pay .*'
exit $failed
