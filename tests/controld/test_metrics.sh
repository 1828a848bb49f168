#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Prometheus endpoint of the real daemons, without privileges and ports:
# test_metrics.sh LP_CONTROLD LP_DATAPLANE LPCTL
set -eu

controld=$1
dataplane=$2
lpctl_program=$3
# shellcheck source=tests/support/daemons.sh
. "$(dirname "$0")/../support/daemons.sh"

first=
one=
two=
slow=

finish() {
	status=$?
	for process in $pid $first $one $two $slow; do
		for child in $(pgrep -P "$process"); do
			kill -CONT "$child" 2>/dev/null || true
		done
		kill "$process" 2>/dev/null || true
		wait "$process" 2>/dev/null || true
	done
	[ "$status" -eq 0 ] || cat log
	rm -rf "$dir"
}

# start [OPTION...]: false if it has ended.
start() {
	"$controld" --database db --socket c.sock --dataplane one.sock \
		--dataplane two.sock --kafka-clients none "$@" 2>>log &
	pid=$!
	until_true "an answer of lp-controld" answers
	kill -0 "$pid" 2>/dev/null && return 0
	wait "$pid" || true
	pid=
	return 1
}

# start_somewhere [OPTION...]: on a port that is free, which is left in $port.
start_somewhere() {
	port=$((20000 + $$ % 10000))
	until start --metrics "127.0.0.1:$port" "$@"; do
		port=$((port + 1))
		[ "$port" -lt 40000 ] || fail "no free port"
	done
}

scrape() {
	curl -sS --max-time 60 -o page "http://127.0.0.1:$port/metrics"
}

# has LINE: a whole line of the page.
has() {
	grep -qxF -e "$1" page
}

# Until a scrape has the line.
shows() {
	scrape && has "$1"
}

# Dataplanes come and go; what a page says of the others stays true.
"$dataplane" --id one --socket one.sock --snapshot one.snapshot 2>>log &
one=$!
"$dataplane" --id two --socket two.sock --snapshot two.snapshot 2>>log &
two=$!
mkdir clients
echo "sasl.password=a-hidden-one" >clients/payments.conf
chmod 600 clients/payments.conf
start_somewhere --kafka-clients clients
until_true "both dataplanes up" shows 'lightpath_up{dataplane="one.sock"} 1'
until_true "both dataplanes up" shows 'lightpath_up{dataplane="two.sock"} 1'
has 'lightpath_generation_desired 1' || fail "no generation"
lpctl add-cluster payments 2>>log
scrape
has 'lightpath_generation_desired 2' || fail "not the new generation"
has 'lightpath_generation_applied{dataplane="one.sock"} 2' ||
	fail "not applied"
has 'lightpath_dataplane_state{dataplane="one.sock",state="applied"} 1' ||
	fail "no state"
grep -q '^lightpath_dataplane_info{dataplane="one.sock",id="one",' page ||
	fail "no id"
grep -q '^lightpath_worker_seconds_total{.*state="busy"} ' page ||
	fail "no time of the worker"
[ "$(grep -c '^lightpath_packet_reasons_total{' page)" -gt 80 ] ||
	fail "not every reason of both"
until_true "the cluster asked, in vain" shows \
	'lightpath_cluster_polls_total{cluster="payments",result="failed"} 1'
has 'lightpath_cluster_polls_total{cluster="payments",result="answered"} 0' ||
	fail "answered?"
has 'lightpath_cluster_poll_brokers{cluster="payments"} 0' || fail "brokers?"

# Rules, of real dataplanes: what runs, and what lpctl has of it.
lpctl add-rule scan --priority 900 --match 'src=10.66.0.0/16' \
	--action reset 2>>log
scrape
has 'lightpath_rules_up{dataplane="one.sock"} 1' || fail "no rules"
has 'lightpath_rules_left_out{dataplane="one.sock"} 0' || fail "left out"
has 'lightpath_rules{dataplane="one.sock"} 1' || fail "not one rule"
has 'lightpath_rule_requests_total{dataplane="one.sock",rule="scan"} 0' ||
	fail "no counters of the rule"
lpctl rule-stats scan >rules || fail "no counters of rules"
[ "$(grep -c '^scan  *900  off  *reset ' rules)" -eq 2 ] || fail "not of both"
lpctl rule-stats --dataplane one | grep -qx '0 of 1 rules have matched' ||
	fail "it has matched"
! lpctl rule-stats scna 2>rules || fail "there is no such rule"
grep -qxF 'lpctl: there is no rule scna (did you mean scan?)' rules ||
	fail "$(cat rules)"

# One that does not answer in time.
kill -STOP "$(pgrep -P "$two")"
scrape
has 'lightpath_up{dataplane="two.sock"} 0' || fail "a stopped one is up"
has 'lightpath_up{dataplane="one.sock"} 1' || fail "the other one is not"
grep -q '^lightpath_uptime_seconds{dataplane="one.sock"}' page ||
	fail "the other one is not told of"
! grep -q '^lightpath_uptime_seconds{dataplane="two.sock"}' page ||
	fail "a stopped one is told of"
kill -CONT "$(pgrep -P "$two")"
until_true "it to be up again" shows 'lightpath_up{dataplane="two.sock"} 1'
kill "$two"
wait "$two" || true
two=
until_true "it to be gone" shows 'lightpath_up{dataplane="two.sock"} 0'

# Many who ask at the same time cost nobody the session: those that it has no
# room for are told so, and a scrape has its room.
many() {
	askers=
	count=0
	while [ "$count" -lt 40 ]; do
		count=$((count + 1))
		if [ $((count % 2)) -eq 0 ]; then
			lpctl connections >/dev/null 2>"asker.$count" &
		else
			lpctl stats kafka >/dev/null 2>"asker.$count" &
		fi
		askers="$askers $!"
	done
}

# all_end: what each says, in asker.N; how many had an answer, in $answered.
all_end() {
	answered=0
	for asker in $askers; do
		if wait "$asker"; then
			answered=$((answered + 1))
		fi
	done
}

# Until nobody has asked, lately: the next one has an answer.
is_answered() {
	lpctl stats >/dev/null 2>&1
}

# It reads all questions at once, long after nobody waits any more.
kill -STOP "$(pgrep -P "$one")"
many
all_end
kill -CONT "$(pgrep -P "$one")"
grep -q 'try again' asker.* || fail "none was told to try again"
until_true "an answer after many questions" is_answered
many
scrape
all_end
has 'lightpath_up{dataplane="one.sock"} 1' || fail "no room for a scrape"
has 'lightpath_kafka_up{dataplane="one.sock"} 1' || fail "no room for Kafka"
[ "$answered" -gt 0 ] || fail "of many, none was answered"
! grep -v 'try again' asker.* || fail "another failure than that"
! grep -q 'dropped: ' log || fail "a session was dropped"

# Somebody who never finishes his request is in nobody's way.
mkfifo hold
exec 3<>hold
curl -sS --max-time 300 "telnet://127.0.0.1:$port" <hold >/dev/null 2>&1 &
slow=$!
printf 'GET /metrics HTTP/1.1\r\n' >&3
scrape
has 'lightpath_up{dataplane="one.sock"} 1' || fail "held up by another"
kill "$slow" 2>/dev/null || fail "he has not waited"
wait "$slow" || true
slow=
exec 3>&-

# The head of a page, and what is none.
[ "$(curl -sS -I -o head -w '%{http_code} %{size_download}' \
	"http://127.0.0.1:$port/metrics")" = "200 0" ] || fail "HEAD"
grep -qi '^content-type: text/plain; version=0.0.4' head || fail "its type"
[ "$(curl -sS -o head -w '%{http_code}' -X PUT \
	"http://127.0.0.1:$port/metrics")" = 405 ] || fail "PUT"
[ "$(curl -sS -o head -w '%{http_code}' \
	"http://127.0.0.1:$port/wrong")" = 404 ] || fail "a wrong path"
curl -sS "http://127.0.0.1:$port/" | grep -q 'href="/metrics"' ||
	fail "the page that leads to it"

# A second instance: the port that was asked for is had, or it does not start;
# the default one is not worth that.
status=0
"$controld" --database db2 --socket d.sock --kafka-clients none \
	--metrics "127.0.0.1:$port" 2>taken || status=$?
[ "$status" -eq 1 ] || fail "started on a taken port: $status"
grep -qF -e "--metrics 127.0.0.1:$port: Address already in use" taken ||
	fail "says of a taken port: $(cat taken)"
stop
if [ -s /proc/net/if_inet6 ]; then
	start --metrics "[::1]:$port" || fail "does not start on IPv6"
	[ "$(curl -sS "http://[::1]:$port/healthz")" = ok ] || fail "IPv6"
	stop
fi
start --metrics off || fail "--metrics off"
status=0
curl -sS "http://127.0.0.1:$port/metrics" >/dev/null 2>&1 || status=$?
[ "$status" -eq 7 ] || fail "--metrics off, and somebody listens"
stop
# Other tests may have the default port for a while.
had_default() {
	: >log
	start || fail "with the default"
	! grep -qF "no metrics: 127.0.0.1:9464" log || { stop && false; }
}
until_true "the default port is free" had_default
first=$pid
"$controld" --database db2 --socket d.sock --kafka-clients none 2>second &
pid=$!
until_true "a second one with the default" "$lpctl_program" --socket d.sock \
	version >/dev/null 2>&1
grep -qF "no metrics: 127.0.0.1:9464: Address already in use" second ||
	fail "says of the taken default: $(cat second)"
stop
pid=$first
first=
stop
