#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# 200 changes of the configuration while records flow, none of them of what
# carries the records: no packet is lost to them.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

CHANGES=200

main() {
	local before opened generation

	e2e_begin churn
	e2e_lab
	must "records flow" flow_start
	opened=$(lab_endpoints connections_opened)
	generation=$(lab_json status .generation)
	before=$(retransmitted)

	must "$CHANGES changes are applied" change_all
	check "each was a generation" [ "$(lab_json status .generation)" \
	    -eq $((generation + CHANGES)) ]
	must "records flow on" flow_passes 1000
	flow_stop
	echo "TCP segments sent again: $(($(retransmitted) - before))"
	check "no packet was dropped" no_drops
	check "no connection was opened anew" \
	    [ "$(lab_endpoints connections_opened)" -eq "$opened" ]
	check "nothing was reset" [ "$(lab_reason reset_unknown)" -eq 0 ]
	e2e_done
}

# Five changes a round; what was made is gone at its end.
change_all() {
	local round

	for ((round = 0; round < CHANGES / 5; round++)); do
		lab_ctl add-cluster other &&
		    lab_ctl add-broker other 7 10.9.2.50:9092 &&
		    lab_ctl add-listener other public 10.9.1.101:9092 \
		        --broker-base 9300 &&
		    lab_ctl set-broker other 7 10.9.2.51:9092 &&
		    lab_ctl del-listener other public -- \
		        del-broker other 7 -- del-cluster other || return
	done
}

retransmitted() {
	lab_on client nstat -a -z -s TcpRetransSegs | awk '/Tcp/ { print $2 }'
}

main "$@"
