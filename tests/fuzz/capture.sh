#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# capture.sh [RELEASE]: runs the workloads of tests/e2e/kafka_workloads.sh
# through the lab with tcpdump beside the clients, checks what they say of
# themselves against the capture, and cuts small conversations out of it into
# tests/fuzz/corpus.  For developers; the corpus is committed.  Needs root and
# tcpdump.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/kafka/workloads.sh
. "$LAB_SUPPORT/kafka/workloads.sh"

main() {
	e2e_begin capture
	LAB_KAFKA=${1:-${LAB_KAFKA:-}}
	work_lab
	# The link's device has no offloads towards us, so that segments are
	# as they were.
	lab_on client ethtool -K net0 gro off >/dev/null
	lab_start tcpdump client tcpdump -i net0 -s 0 -B 65536 -U \
	    --immediate-mode -w "$LAB_DIR/all.pcap" tcp or icmp
	lab_ready tcpdump 10 "tcpdump to listen" grep -q listening \
	    "$LAB_DIR/tcpdump.log"
	must "Kafka's own clients" work_java
	must "kcat" work_kcat
	must "kafkajs" work_js
	must "a client by hand" work_raw
	# All that is behind us has been captured when this has been.
	lab_on client ping -c 1 -W 2 -p 656e646d61726b65 "$LAB_FRONT" >/dev/null
	must "the capture has the last packet" lab_wait 10 "the last packet" \
	    captured
	lab_stop tcpdump
	cat "$LAB_DIR/tcpdump.log"
	must "the clients tell what they did" work_truth
	must "the capture is read" wire
	check "each client id: requests, answers, bytes" work_agrees clients
	check "each API: requests, answers" work_agrees apis
	must "the corpus is cut" python3 -B "$WORK/corpus.py" \
	    "$LAB_DIR/all.pcap" "${LAB_KAFKA_VERSION%.*}" \
	    "$LAB_ROOT/tests/fuzz/corpus"
	e2e_done
}

captured() {
	tail -c 1000 "$LAB_DIR/all.pcap" | grep -q -a endmarke
}

wire() {
	python3 -B "$WORK/wire.py" "$LAB_DIR/all.pcap" >"$LAB_DIR/stats.json"
}

main "$@"
