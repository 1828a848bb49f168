# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# What stands between the client and the server: the systems that are compared,
# and how each is started and stopped.  Sourced by run, after lab.sh.
#
#     client                                             brokers
#     net0 10.9.1.1 ---- front  lightpath  back --- 10.9.2.1 net0
#     net1 10.9.3.1 -------------------------------- 10.9.3.2 net1
#     net2 10.9.4.1 -- .254 front middle back .254 -- 10.9.5.1 net2
#
# Client and server are the same for all.  Only one system runs at a time.
# Every device that the kernel holds has the same settings: checksums and
# segmentation in software, receive aggregation on.

SYSTEMS="direct routed dnat haproxy lightpath-adaptive lightpath-spin"
SYSTEM_MIDDLE=10.9.4.254
SYSTEM_SERVER=10.9.5.1

systems_network() {
	lab_network && lab_netns middle &&
	    systems_link client net1 10.9.3.1 brokers net1 10.9.3.2 &&
	    systems_link client net2 10.9.4.1 middle front $SYSTEM_MIDDLE &&
	    systems_link brokers net2 $SYSTEM_SERVER middle back 10.9.5.254 &&
	    lab_on middle sysctl -q -w net.ipv4.ip_forward=1 &&
	    ip -n "$LAB_ID-client" route add 10.9.5.0/24 via $SYSTEM_MIDDLE &&
	    ip -n "$LAB_ID-brokers" route add 10.9.4.0/24 via 10.9.5.254
}

# systems_link NAMESPACE DEVICE ADDRESS NAMESPACE DEVICE ADDRESS
systems_link() {
	ip -n "$LAB_ID-$1" link add "$2" type veth \
	    peer name "$5" netns "$LAB_ID-$4" &&
	    systems_end "$1" "$2" "$3" && systems_end "$4" "$5" "$6"
}

systems_end() {
	lab_on "$1" ethtool -K "$2" tx off tso off gso off gro on >/dev/null &&
	    ip -n "$LAB_ID-$1" addr add "$3/24" dev "$2" &&
	    ip -n "$LAB_ID-$1" link set "$2" up
}

# The configuration is stored once: each start of Lightpath finds it.
systems_configure() {
	lab_lightpath_start && lab_configure &&
	    lab_wait 10 "the dataplane to be in step" lab_in_step || return
	system_stop lightpath-adaptive
}

# The address and the port where the client finds the server.
system_target() {
	case $1 in
	direct) echo 10.9.3.2 9092 ;;
	routed) echo $SYSTEM_SERVER 9092 ;;
	dnat | haproxy) echo $SYSTEM_MIDDLE 9092 ;;
	lightpath-*) echo "$LAB_VIP_IP" "$LAB_PORT" ;;
	esac
}

# Returns once the server answers through it.
system_start() {
	case $1 in
	dnat) system_dnat | lab_on middle nft -f - || return ;;
	haproxy)
		system_haproxy >"$LAB_DIR/haproxy.cfg"
		lab_start haproxy middle haproxy -db -f "$LAB_DIR/haproxy.cfg"
		;;
	lightpath-*)
		lab_dataplane_start --idle "${1#lightpath-}"
		lab_controld_start
		lab_lightpath_ready || return
		;;
	esac
	lab_wait 10 "a connection through $1" system_connects "$1"
}

system_connects() {
	local address port

	read -r address port < <(system_target "$1")
	lab_on client timeout 2 bash -c ": </dev/tcp/$address/$port" \
	    2>/dev/null
}

system_stop() {
	case $1 in
	dnat) lab_on middle nft delete table ip bench 2>/dev/null ;;
	haproxy) lab_kill haproxy ;;
	lightpath-*)
		lab_stop controld
		lab_stop dataplane
		;;
	esac
	return 0
}

# Both addresses are translated, as Lightpath does it.
system_dnat() {
	cat <<-END
	table ip bench {
		chain before {
			type nat hook prerouting priority dstnat;
			ip daddr $SYSTEM_MIDDLE tcp dport 9092 dnat to $SYSTEM_SERVER:9092
		}
		chain after {
			type nat hook postrouting priority srcnat;
			oifname back masquerade
		}
	}
	END
}

system_haproxy() {
	cat <<-END
	defaults
		mode tcp
		timeout connect 5s
		timeout client 1h
		timeout server 1h
	listen bench
		bind $SYSTEM_MIDDLE:9092
		server one $SYSTEM_SERVER:9092
	END
}
