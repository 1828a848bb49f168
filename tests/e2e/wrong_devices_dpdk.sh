#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Devices of DPDK that are missing, the kernel's, taken, too large, or vanish;
# arguments that EAL does not take; a port that comes and goes under traffic.
# The message says what and where; what ran goes on.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

THIRD="--address 10.9.3.10/24 --backend dpdk"
SPARE=net_af_packet_spare,iface=lpspare

main() {
	e2e_begin wrongdev
	must "the namespaces are made" lab_network
	must "a spare link is made" spare_link
	arguments
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" lab_configure
	names
	pci
	owners
	mtu
	links
	comes_and_goes
	check "the dataplane is alive and in step" lab_in_step
	check "its address still answers" ping_answers
	e2e_done
}

# From lpspare, where Lightpath is, to the client.
spare_link() {
	lab_on lightpath ip link add lpspare type veth peer name lppeer \
	    netns "$LAB_ID-client" &&
	    lab_on lightpath ethtool -K lpspare gro off >/dev/null &&
	    lab_on client ethtool -K lppeer tx off >/dev/null &&
	    ip -n "$LAB_ID-lightpath" link set lpspare up &&
	    ip -n "$LAB_ID-client" addr add 10.9.3.1/24 dev lppeer &&
	    ip -n "$LAB_ID-client" link set lppeer up
}

# third DEVICE TEXT [OPTION...]: a third port on it is rejected.
third() {
	local device=$1 text=$2

	shift 2
	# shellcheck disable=SC2086 # a list of words
	refuses 5 "$text" add-port third --device "$device" $THIRD "$@"
}

# ---- arguments -----------------------------------------------------------

# The daemon ends at once, as wrongly configured, and says which.
ends() {
	local text=$1 status=0 said

	shift
	said=$(lab_on lightpath timeout 10 \
	    "$LAB_BUILD/dataplane/lp-dataplane" --id other \
	    --socket "$LAB_DIR/other.sock" \
	    --snapshot "$LAB_DIR/other.snapshot" "$@" 2>&1) || status=$?
	echo "status $status: $said"
	[ $status -eq 78 ] && [[ $said == *"$text"* ]]
}

arguments() {
	local word

	for word in --vdev=net_null0 "-a 0000:00:01.0" "-l 0-1" \
	    --lcores=0 --proc-type=secondary --help; do
		check "EAL is not told $word" ends "--dpdk: ${word%%[ =]*}" \
		    --dpdk "$word"
	done
	check "what EAL does not take is said when it is started" \
	    eal_refuses "--in-memory --legacy-mem" "not compatible"
	check "and so is memory that is not there" \
	    eal_refuses "--socket-mem 1000000" "DPDK does not start"
}

eal_refuses() {
	local status=0

	lab_dataplane_start --dpdk "$1"
	lab_controld_start
	lab_lightpath_ready && third "$SPARE" "$2" || status=1
	lab_stop controld
	lab_stop dataplane
	return $status
}

# ---- devices -------------------------------------------------------------

names() {
	check "an interface that does not exist is rejected, by name" \
	    third net_af_packet_x,iface=nosuch "net_af_packet_x"
	check "so is a driver that does not exist" third net_nosuch0 net_nosuch0
	check "and an argument that the driver does not know" \
	    third "$SPARE,colour=red" net_af_packet_spare
	check "a device that another port has is rejected" \
	    third net_af_packet_other,iface=front "front"
	check "AF_XDP and DPDK do not mix" mixes_not
}

mixes_not() {
	local status=0 said

	said=$(lab_ctl add-port third --device lpspare \
	    --address 10.9.3.10/24 2>&1) || status=$?
	echo "status $status: $said"
	[ $status -ne 0 ] && [[ $said == *af_xdp*dpdk* ]]
}

# Nothing but sysfs is read of it.
pci() {
	local device

	check "a PCI device that does not exist is rejected" \
	    third 0000:ff:1f.7 "no PCI device 0000:ff:1f.7"
	for device in /sys/bus/pci/drivers/virtio-pci/*:*; do
		[ -e "$device" ] || continue
		check "one that the kernel drives is not touched" \
		    third "${device##*/}" "bound to the kernel's driver"
		return
	done
}

owners() {
	lab_on lightpath ip addr add 192.0.2.2/24 dev lpspare
	lab_on lightpath ip route add default via 192.0.2.1
	check "an interface with the default route is rejected" \
	    third "$SPARE" "default IPv4 route"
	# shellcheck disable=SC2086 # a list of words
	check "unless it is allowed" lab_ctl add-port third \
	    --device "$SPARE" $THIRD --allow-default-route
	check "and it can be removed again" lab_ctl del-port third
	lab_on lightpath ip route del default
	check "an address that the kernel holds is rejected" \
	    refuses 5 192.0.2.2 add-port third --device "$SPARE" \
	    --backend dpdk --address 192.0.2.2/24
	lab_on lightpath ip addr del 192.0.2.2/24 dev lpspare
}

mtu() {
	lab_on lightpath ip link set lpspare mtu 9000
	check "an MTU that fits no buffer is rejected, with the remedy" \
	    third "$SPARE" "--mtu 9000"
	lab_on lightpath ip link set lpspare mtu 1500
}

# ---- links ---------------------------------------------------------------

links() {
	lab_on lightpath ip link set front down
	check "a link that is down is said" lab_poll 5 state_of front false
	lab_on lightpath ip link set front up
	check "and goes on when it is up" lab_poll 10 ping_answers
	lab_on lightpath ethtool -K front gro on >/dev/null
	check "that the kernel merges segments is said" why_of front gro
	lab_on lightpath ethtool -K front gro off >/dev/null
}

state_of() {
	[ "$(lab_stats ".ports[] | select(.name == \"$1\") | .up")" = "$2" ]
}

why_of() {
	lab_stats ".ports[] | select(.name == \"$1\") | .why" |
	    tee /dev/stderr | grep -q "$2"
}

# While frames come in there, one a millisecond.
comes_and_goes() {
	local buffers i

	buffers=$(lab_table buffers)
	lab_start pings client ping -q -i 0.001 -s 1000 10.9.3.10
	for i in 1 2 3 4 5 6 7 8 9 10; do
		# shellcheck disable=SC2086 # a list of words
		check "a port comes under traffic ($i)" lab_ctl add-port third \
		    --device "$SPARE" $THIRD
		check "it receives" lab_poll 5 third_receives
		check "and goes" lab_ctl del-port third
	done
	check "no buffer is missing then" lab_poll 5 buffers_are "$buffers"
	# shellcheck disable=SC2086 # a list of words
	check "it comes once more" lab_ctl add-port third --device "$SPARE" \
	    $THIRD
	lab_on lightpath ip link del lpspare
	check "a device that vanishes under traffic does no harm" \
	    lab_poll 5 state_of third false
	check "the other ports go on" ping_answers
	check "its port can be removed" lab_ctl del-port third
	check "and then no buffer is missing" lab_poll 5 buffers_are "$buffers"
	lab_kill pings
}

third_receives() {
	[ "$(lab_stats '.ports[] | select(.name == "third") |
	    .counters.rx_packets')" -gt 10 ]
}

# Packets of the other ports are on their way now and then: no more than that.
buffers_are() {
	local now

	now=$(lab_table buffers)
	echo "in use: $now, before: $1"
	[ "$now" -le $(($1 + 8)) ]
}

main "$@"
