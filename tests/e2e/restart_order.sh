#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemons start in either order, and the dataplane forwards from its last
# snapshot before anyone has spoken to it.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

main() {
	local generation

	e2e_begin order
	must "Kafka is there" lab_kafka_get "${LAB_KAFKA:-}"
	must "the namespaces are made" lab_network
	must "Kafka runs" lab_kafka_start

	lab_controld_start
	must "lp-controld answers without a dataplane" \
	    lab_ready controld 10 "an answer" lab_answers
	check "it stores a configuration without a dataplane" lab_configure
	lab_dataplane_start
	must "the dataplane started second gets it" lab_lightpath_ready
	must "Kafka answers through Lightpath" reaches
	generation=$(lab_json status .generation)

	stop_daemon controld
	stop_daemon dataplane
	check "without a dataplane Kafka does not answer" lab_on client \
	    bash -c "! timeout 2 kcat -L -m 1 -b $LAB_VIP"

	lab_dataplane_start
	must "the dataplane alone forwards from its snapshot" reaches
	lab_controld_start
	must "lp-controld started second finds it in step" lab_lightpath_ready
	check "the generation is the same" \
	    [ "$(lab_json status .generation)" = "$generation" ]
	check "it takes changes" lab_ctl add-cluster another
	must "Kafka answers still" reaches

	stop_daemon dataplane
	lab_dataplane_start
	must "the dataplane alone is started again" lab_lightpath_ready
	must "Kafka answers again" reaches
	e2e_done
}

stop_daemon() {
	lab_stop "$1"
	check "$1 ends with status 0" [ "$LAB_STATUS" -eq 0 ]
}

reaches() {
	lab_wait 15 "an answer from Kafka through $LAB_VIP" answers
}

answers() {
	lab_on client timeout 5 kcat -L -m 2 -b "$LAB_VIP" >/dev/null 2>&1
}

main "$@"
