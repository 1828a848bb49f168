#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kill -9 of lp-controld while records flow: no packet notices.  Started
# again it finds its database, and the dataplane in step with it.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

main() {
	local opened shown

	e2e_begin controld
	e2e_lab
	must "records flow" flow_start
	opened=$(lab_endpoints connections_opened)
	shown=$(lab_ctl show)

	lab_kill controld
	must "records flow without lp-controld" flow_passes 4000
	check "lpctl says that nobody answers" unreachable
	lab_controld_start
	must "lp-controld is back, the dataplane in step" lab_lightpath_ready
	check "it shows what it showed before" [ "$(lab_ctl show)" = "$shown" ]
	check "it takes changes" lab_ctl add-cluster another
	must "records flow on" flow_passes 1000
	flow_stop
	check "no connection was opened anew" \
	    [ "$(lab_endpoints connections_opened)" -eq "$opened" ]
	check "no packet was dropped" no_drops
	e2e_done
}

unreachable() {
	local status=0

	lab_ctl status || status=$?
	[ $status -eq 3 ]
}

main "$@"
