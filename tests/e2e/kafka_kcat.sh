#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Records through Lightpath with kcat: all of them arrive as they were sent,
# and the counters of Lightpath agree.  With the argument 6 over IPv6.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

RECORDS=20000

main() {
	e2e_begin "kcat${1:-4}" "${1:-4}"
	e2e_lab
	check "its own address answers a ping" ping_answers "$LAB_FRONT"
	check "the VIP answers a ping" ping_answers "$LAB_VIP_IP"
	check "the endpoints of the listener are what brokers advertise" \
	    advertised

	records_make $RECORDS >"$LAB_DIR/sent"
	must "kcat produces" records_produce records "$LAB_DIR/sent"
	check "the broker holds them all" holds_all
	must "kcat consumes" records_consume records "$LAB_DIR/got"
	check "none is lost, altered or repeated" same_records $RECORDS
	check "the counters cover what kcat sent and got" counters_cover
	check "connections are listed while they are open" listed
	check "no packet was dropped" no_drops
	check "a port where nothing listens refuses at once" refused
	e2e_done
}

advertised() {
	lab_on client kcat -L -b "$LAB_VIP" | tr -d '[]' | tee /dev/stderr |
	    grep -q "broker $LAB_NODE at $(tr -d '[]' <<<"$LAB_ENDPOINT")"
}

holds_all() {
	[ "$(records_held records)" -eq $RECORDS ]
}

counters_cover() {
	local payload sent got

	payload=$(($(wc -c <"$LAB_DIR/sent") - RECORDS))
	sent=$(lab_endpoints client_bytes)
	got=$(lab_endpoints broker_bytes)
	echo "payload $payload, from clients $sent, from brokers $got"
	[ "$sent" -ge "$payload" ] && [ "$got" -ge "$payload" ]
}

# A consumer at the end of the topic stays connected.
listed() {
	lab_start idle client kcat -C -q -u -o end -b "$LAB_VIP" -t records
	lab_wait 10 "an ESTABLISHED connection" established
}

established() {
	lab_ctl connections | grep -q ESTABLISHED
}

refused() {
	local began=$SECONDS status=0

	lab_on client timeout 10 bash -c "exec 3<>/dev/tcp/$LAB_VIP_IP/9999" ||
	    status=$?
	[ $status -eq 1 ] && [ $((SECONDS - began)) -le 2 ]
}

main "$@"
