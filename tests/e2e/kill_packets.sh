#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kill -9 of the packet process while records flow: the keeper starts it
# again, the connections are still there, nothing is lost and nothing reset.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

main() {
	local opened round

	e2e_begin packets
	e2e_lab
	must "records flow" flow_start
	opened=$(lab_endpoints connections_opened)
	for round in 1 2 3; do
		must "the packet process is killed ($round)" kill_child
		must "records flow on" flow_passes 2000
		check "the keeper counts $round restarts" \
		    lab_poll 10 restarts_are $round
	done
	check "the dataplane is in step again" lab_poll 10 lab_in_step
	flow_stop
	check "no connection was opened anew" \
	    [ "$(lab_endpoints connections_opened)" -eq "$opened" ]
	check "no segment was answered by a reset" \
	    [ "$(lab_reason reset_unknown)" -eq 0 ]
	check "buffers are all accounted for" lab_poll 10 buffers_back
	e2e_done
}

child() {
	pgrep -P "${LAB_PID[dataplane]}"
}

kill_child() {
	local old

	old=$(child) && kill -KILL "$old" && lab_wait 10 "another child" \
	    other_child "$old"
}

other_child() {
	local now

	now=$(child) && [ "$now" != "$1" ]
}

restarts_are() {
	[ "$(lab_stats .restarts)" -eq "$1" ]
}

# What is not free is in the rings of the ports, which hold a fixed number.
buffers_back() {
	[ "$(lab_table buffers)" -lt "$(lab_table buffers_max)" ]
}

main "$@"
