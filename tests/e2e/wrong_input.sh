#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What an operator or a broken machine may do to it: devices that are missing,
# vanish or carry the default route, sockets in use, missing privileges,
# garbage on the sockets.  The message says what and where; what ran goes on.
# Devices of DPDK are in wrong_devices_dpdk.sh.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"

main() {
	e2e_begin wrong
	must "the namespaces are made" lab_network
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" lab_configure
	inputs
	[ "$LAB_BACKEND" != af_xdp ] || devices
	sockets
	privileges
	garbage
	check "the dataplane is alive and in step" lab_in_step
	check "its address still answers" ping_answers
	e2e_done
}

# ---- commands --------------------------------------------------------------

# TEXT that the message must have | command
inputs() {
	local text words command

	while IFS='|' read -r text words; do
		read -r -a command <<<"$words"
		check "refused: ${command[*]}" refuses 1 "$text" \
		    "${command[@]}"
	done <<-END
	no cluster nosuch|add-broker nosuch 1 10.9.2.9:9092
	exists already|add-cluster lab
	exists already|add-broker lab 1 10.9.2.9:9092
	exists already|add-listener lab public 10.9.1.102:9092
	not an IPv4 or IPv6 address|add-broker lab 2 10.9.2.999:9092
	has no port|add-broker lab 2 10.9.2.9
	no port on the broker side|add-broker lab 2 10.77.2.9:9092
	not the address of a host|add-listener lab two 224.0.0.5:9092
	one family only|add-listener lab two [fd09:1::100]:9092
	address of port front|add-listener lab two 10.9.1.10:9092
	endpoint of listener lab/public|add-listener lab two 10.9.1.100:9092
	endpoint lab/public/1|add-listener lab two 10.9.1.100:9201
	lab/public/1|add-listener lab two 10.9.1.100:9300 --broker-base 9200
	endpoint of listener lab/public|set-broker lab 1 --endpoint public=10.9.1.100:9092
	address of port front|set-broker lab 1 --endpoint public=10.9.1.10:9092
	needs kafka observe|set-listener lab public --kafka off
	no host name|set-listener lab public --advertise lab_1
	prefix length|set-port front --address 10.9.1.10/33
	overlaps|add-port third $(lab_device lo) --address 10.9.1.10/24
	delete first|del-cluster lab
	command 2|add-cluster x -- add-broker nosuch 1 10.9.2.9:9092
	END
}

# ---- devices -------------------------------------------------------------

devices() {
	check "a device that does not exist is rejected, by name" \
	    refuses 5 nosuch add-port third --device nosuch \
	    --address 10.9.3.10/24

	lab_on lightpath ip link add lpspare type veth peer name lppeer
	lab_on lightpath ip addr add 192.0.2.2/24 dev lpspare
	lab_on lightpath ip link set lpspare up
	lab_on lightpath ip link set lppeer up
	lab_on lightpath ip route add default via 192.0.2.1
	check "a device with the default route is rejected" \
	    refuses 5 "default IPv4 route" add-port third --device lpspare \
	    --address 10.9.3.10/24
	check "unless it is allowed" lab_ctl add-port third \
	    --device lpspare --address 10.9.3.10/24 --allow-default-route
	check "and it can be removed again" lab_ctl del-port third
	check "an open port loses its leave for the default route" leave_is_lost
	lab_on lightpath ip route del default
	check "an address that the kernel holds is rejected" \
	    refuses 5 192.0.2.2 add-port third --device lpspare \
	    --address 192.0.2.2/24
	check "a VIP that the kernel holds is rejected, by its listener" \
	    refuses 5 "lab/held: vip: the kernel holds 192.0.2.2 on lpspare" \
	    add-listener lab held 192.0.2.2:9092
	check "and so is the new address of an open port" \
	    refuses 5 "front: address: the kernel holds 192.0.2.2 on lpspare" \
	    set-port front --address 10.9.1.10/24 --address 192.0.2.2/24
	check "a VIP that the kernel gets later is warned about" vip_is_shared
	check "a device that another port has is refused" \
	    refuses 1 front add-port third --device front \
	    --address 10.9.3.10/24

	lab_on lightpath ip link set lppeer mtu 9000
	check "an MTU that does not fit is rejected, with the number" \
	    refuses 5 "MTU of 9000" add-port third --device lppeer \
	    --address 10.9.3.10/24
	check "a device that is no Ethernet is rejected" \
	    refuses 5 "no Ethernet" add-port third --device lo \
	    --address 10.9.3.10/24

	lab_on lightpath ip link add lpbridge type bridge
	lab_on lightpath ip link set lpbridge up
	check "a device without native XDP runs in generic mode" \
	    lab_ctl add-port third --device lpbridge --address 10.9.3.10/24
	check "and that is said" generic_is_said
	check "a device that vanishes does no harm" vanishes
	check "the port of a device that vanished can be removed" \
	    lab_ctl del-port third
}

# A port has the device of the default route by leave, which is taken back.
leave_is_lost() {
	lab_ctl add-port third --device lpspare --address 10.9.3.10/24 \
	    --allow-default-route &&
	    refuses 5 "default IPv4 route" set-port third \
		--allow-default-route=no && lab_ctl del-port third
}

# What runs goes on, and so do changes of something else.
vip_is_shared() {
	local status=0

	lab_on lightpath ip addr add "$LAB_VIP_IP/32" dev lpspare
	lab_ctl add-cluster unrelated && lab_ctl del-cluster unrelated &&
	    [ "$(grep -c "kernel holds.* $LAB_VIP_IP on lpspare" \
		"$LAB_DIR/dataplane.log")" -eq 1 ] || status=1
	lab_on lightpath ip addr del "$LAB_VIP_IP/32" dev lpspare
	return $status
}

generic_is_said() {
	lab_stats '.ports[] | select(.name == "third") | .mode, .why' |
	    tee /dev/stderr | grep -q generic
}

vanishes() {
	lab_on lightpath ip link del lpbridge
	lab_wait 10 "the port to be down" port_is_down && ping_answers &&
	    lab_alive dataplane
}

port_is_down() {
	[ "$(lab_stats '.ports[] | select(.name == "third") | .up')" = false ]
}

# ---- sockets -------------------------------------------------------------

# ends STATUS TEXT COMMAND...: the program ends at once, not with 0, and its
# message has the text.
ends() {
	local text=$1 status=0 said

	shift
	said=$(lab_on lightpath timeout 10 "$@" 2>&1) || status=$?
	echo "status $status: $said"
	[ $status -ne 0 ] && [ $status -ne 124 ] && [[ $said == *"$text"* ]]
}

sockets() {
	check "a second dataplane on the socket of a living one ends" \
	    ends "$LAB_DIR/dataplane.sock" \
	    "$LAB_BUILD/dataplane/lp-dataplane" --id other \
	    --socket "$LAB_DIR/dataplane.sock" \
	    --snapshot "$LAB_DIR/other.snapshot"
	check "a second lp-controld on the socket of a living one ends" \
	    ends "$LAB_SOCKET" "$LAB_BUILD/controld/lp-controld" \
	    --socket "$LAB_SOCKET" --database "$LAB_DIR/other.db" \
	    --dataplane "$LAB_DIR/dataplane.sock"
	check "nor does one get at the database of another" \
	    ends "$LAB_DIR/lightpath.db" "$LAB_BUILD/controld/lp-controld" \
	    --socket "$LAB_DIR/other.sock" --database "$LAB_DIR/lightpath.db"
	check "the living ones did not notice" lab_in_step

	lab_kill controld
	lab_kill dataplane
	check "dead ones leave their sockets" left_behind
	lab_lightpath_start
	check "their successors take the sockets over" lab_in_step
	check "and the address answers" lab_poll 5 ping_answers

	echo garbage >"$LAB_DIR/corrupt.db"
	check "a corrupt database is refused, by name" \
	    ends "$LAB_DIR/corrupt.db" "$LAB_BUILD/controld/lp-controld" \
	    --socket "$LAB_DIR/other.sock" --database "$LAB_DIR/corrupt.db"
	check "a socket where no directory is, is refused, by name" \
	    ends "$LAB_DIR/no/such.sock" "$LAB_BUILD/controld/lp-controld" \
	    --socket "$LAB_DIR/no/such.sock" --database "$LAB_DIR/other.db"
}

left_behind() {
	[ -S "$LAB_SOCKET" ] && [ -S "$LAB_DIR/dataplane.sock" ]
}

# ---- privileges ----------------------------------------------------------

privileges() {
	chmod 0711 "$LAB_DIR"
	mkdir "$LAB_DIR/nobody"
	cp "$LAB_BUILD/dataplane/lp-dataplane" "$LAB_DIR/nobody"
	chown -R 65534 "$LAB_DIR/nobody"
	lab_start nobody lightpath setpriv --reuid 65534 --regid 65534 \
	    --clear-groups --inh-caps=-all \
	    "$LAB_DIR/nobody/lp-dataplane" --id nobody \
	    --socket "$LAB_DIR/nobody/dataplane.sock" \
	    --snapshot "$LAB_DIR/nobody/snapshot"
	check "without privileges the dataplane says which are missing" \
	    lab_ready nobody 10 "the message" privileges_named
	lab_stop nobody
	check "and ends well" [ "$LAB_STATUS" -eq 0 ]
	chmod 0700 "$LAB_DIR"
	check "a small memlock limit is raised or named" small_memlock
	check "the dataplane runs with few capabilities" few_capabilities
}

privileges_named() {
	grep -q 'missing privileges:.*CAP_NET_ADMIN' "$LAB_DIR/nobody.log"
}

# The limit is root's to raise; the kernel charges AF_XDP memory to it.
small_memlock() {
	lab_stop dataplane
	lab_start dataplane lightpath prlimit --memlock=65536 \
	    "$LAB_BUILD/dataplane/lp-dataplane" --id lab \
	    --socket "$LAB_DIR/dataplane.sock" \
	    --snapshot "$LAB_DIR/dataplane.snapshot"
	if lab_lightpath_ready && lab_poll 5 ping_answers; then
		return 0
	fi
	grep -i memlock "$LAB_DIR/dataplane.log"
}

# Of the packet process, none of those that own the machine.
few_capabilities() {
	local pid caps

	for pid in $(pgrep -P "${LAB_PID[dataplane]}"); do
		caps=$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$pid/status")
		echo "packet process: CapEff $caps"
		# 21 is CAP_SYS_ADMIN, 1 CAP_DAC_OVERRIDE, 19 CAP_SYS_PTRACE.
		[ $((0x$caps & (1 << 21 | 1 << 1 | 1 << 19))) -eq 0 ] || return
	done
}

# ---- garbage -------------------------------------------------------------

garbage() {
	check "garbage on lp-controld's socket does no harm" \
	    python3 "$LAB_SUPPORT/garbage.py" "$LAB_SOCKET" 200
	check "lp-controld answers" lab_answers
	check "garbage on the dataplane's socket does no harm" \
	    python3 "$LAB_SUPPORT/garbage.py" "$LAB_DIR/dataplane.sock" 20
	check "the dataplane is alive" lab_alive dataplane
	check "and in step again" lab_poll 15 lab_in_step
}

main "$@"
