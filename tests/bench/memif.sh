# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# The part memif: systems that DPDK makes, each with one memif port to
# bench_memif, which plays the clients and the broker.  Sourced by run.
#
#     CPU 0                                     CPU 1
#     bench_memif ------- memif ------- the system's packet thread
#     control threads                   (lp-dataplane, OVS, testpmd)
#
#     macswap    testpmd: swaps MAC addresses and sends back; no work at all
#     ovs        OVS: the source translated by conntrack, the destination by a
#                flow; the same on the wire, but it knows one broker only
#     ovs-dnat   OVS: both translated by conntrack, in two zones, as for several
#                brokers: the same job
#     lightpath  mode vip, source address translate
#
# Of these, macswap alone does less on the wire than Lightpath.  OVS has one
# receive queue, a pinned PMD thread, and the caches that suit it: EMC, its
# default, has 8192 entries, of which a connection takes four to six; where that
# is too little EMC only costs, and SMC is on instead.
# All memory is anonymous (--in-memory): no files, and no mount for huge pages.

PACKAGES_MEMIF="dpdk openvswitch-switch-dpdk"
MEMIF_SYSTEMS="macswap ovs ovs-dnat lightpath"
MEMIF_CONNECTIONS="1024 65536"
MEMIF_PAYLOAD=64
MEMIF_PAGES=1024 # of 2 MB, for the system and for bench_memif
MEMIF_SYSFS=/sys/kernel/mm/hugepages/hugepages-2048kB
MEMIF_POLICY=/usr/sbin/policy-rc.d
MEMIF_OVS_EMC=1024 # connections that its exact match cache has room for
MEMIF_MAC=02:00:00:00:09:0a
MEMIF_OWN=10.9.1.10-10.9.1.11
MEMIF_VIP=10.9.1.100
MEMIF_BROKER=10.9.1.1
MEMIF_GATEWAY=10.9.1.254
MEMIF_MAC_GATEWAY=02:00:00:00:01:01
MEMIF_MAC_BROKER=02:00:00:00:02:01
# A generator that waits less is the limit; who has less of a CPU is disturbed.
MEMIF_IDLE=0.05
MEMIF_RUNNING=0.9
memif_affinity=
memif_pages_were=
memif_pages_are=
memif_policy=false
declare -A memif_cpu_ns=() # by thread
memif_clock_us=0

# ---- packages ------------------------------------------------------------

# Debian starts daemons that it installs: not these, neither now nor at boot.
memif_install() {
	local missing

	missing=$(packages_missing openvswitch-switch)
	if [ -n "$missing" ] && [ ! -e $MEMIF_POLICY ]; then
		memif_policy=true
		memif_refuse >$MEMIF_POLICY
		chmod +x $MEMIF_POLICY
	fi
	# shellcheck disable=SC2086 # a list of words
	packages_install "$LAB_DIR/packages.log" $PACKAGES_MEMIF || return
	[ -z "$missing" ] || update-rc.d openvswitch-switch disable \
	    >>"$LAB_DIR/packages.log" 2>&1
	memif_allow
}

memif_refuse() {
	cat <<-'END'
	#!/bin/sh
	case $1 in dpdk* | openvswitch* | ovs*) exit 101 ;; esac
	END
}

memif_allow() {
	! $memif_policy || rm -f $MEMIF_POLICY
	memif_policy=false
}

# ---- begin and end -------------------------------------------------------

memif_begin() {
	if [ "$(nproc --all)" -lt 2 ]; then
		echo "needs two CPUs" >&2
		return 1
	fi
	memif_take_pages || return
	[ -e "/run/netns/$LAB_ID-lightpath" ] || lab_netns lightpath || return
	mkdir -p "$LAB_DIR/ovs"
	memif_affinity=$(taskset -cp $BASHPID | sed 's/.*: //')
	taskset -cp 0 $BASHPID >/dev/null
}

# Also after a failure, and twice; once no process is left.
memif_end() {
	[ -z "$memif_affinity" ] ||
	    taskset -cp "$memif_affinity" $BASHPID >/dev/null
	memif_affinity=
	memif_return_pages
	memif_allow
}

# What the host has and does not use will do.
memif_take_pages() {
	local free were

	free=$(cat $MEMIF_SYSFS/free_hugepages) || return
	[ "$free" -lt $MEMIF_PAGES ] || return 0
	were=$(cat $MEMIF_SYSFS/nr_hugepages)
	memif_pages_were=$were
	memif_pages_are=$((were + MEMIF_PAGES - free))
	echo $memif_pages_are >$MEMIF_SYSFS/nr_hugepages
	[ "$(cat $MEMIF_SYSFS/free_hugepages)" -lt $MEMIF_PAGES ] || return 0
	echo "no $MEMIF_PAGES free huge pages of 2 MB can be had" >&2
	memif_pages_are=$(cat $MEMIF_SYSFS/nr_hugepages)
	return 1
}

# Unless somebody else has changed the number in the meantime.  Those of a
# process that has just ended may not be free yet, so it may take more than once.
memif_return_pages() {
	[ -z "$memif_pages_were" ] ||
	    [ "$(cat $MEMIF_SYSFS/nr_hugepages)" != "$memif_pages_are" ] ||
	    lab_wait 10 "huge pages to be free" memif_pages_returned
	memif_pages_were=
}

memif_pages_returned() {
	echo "$memif_pages_were" >$MEMIF_SYSFS/nr_hugepages
	[ "$(cat $MEMIF_SYSFS/nr_hugepages)" = "$memif_pages_were" ]
}

# ---- measuring -----------------------------------------------------------

# memif_measure SYSTEM CONNECTIONS SECONDS: prints figures as record takes them.
memif_measure() {
	local status=0

	rm -f "$LAB_DIR/memif.sock"
	: >"$LAB_DIR/memif.log"
	memif_start "$1" "$2" >"$LAB_DIR/memif-start.log" 2>&1 &&
	    memif_traffic "$@" || status=$?
	lab_kill memif
	memif_stop "$1"
	[ $status -eq 0 ] && memif_figures "$1" "$2" && return
	tail -q -n 5 "$LAB_DIR/memif-start.log" "$LAB_DIR/memif.log" >&2
	return 1
}

memif_start() {
	case $1 in
	macswap) memif_macswap_start ;;
	ovs) memif_ovs_start memif_ovs_flows "$2" ;;
	ovs-dnat) memif_ovs_start memif_ovs_dnat_flows "$2" ;;
	lightpath) memif_lightpath_start ;;
	esac
}

memif_stop() {
	case $1 in
	macswap) lab_stop macswap ;;
	ovs*)
		lab_stop vswitchd
		lab_stop ovsdb
		rm -f "$LAB_DIR"/ovs/*
		;;
	lightpath)
		lab_stop controld
		lab_stop dataplane
		;;
	esac
}

# The system's counters are set to zero, or read, while nothing is sent.
memif_traffic() {
	local options=()

	case $1 in
	macswap) options=(--mode bounce --mac "$MEMIF_MAC") ;;
	# A queue for each thread; the second is the PMD thread's.
	ovs*) options=(--queues 2 --mac "$MEMIF_MAC") ;;
	esac
	lab_start memif lightpath "$LAB_BUILD/tests/bench/bench_memif" \
	    --cpu 0 --connections "$2" --payload $MEMIF_PAYLOAD \
	    --seconds "$3" "${options[@]}" "$LAB_DIR/memif.sock"
	lab_ready memif 120 "open connections" memif_says ready || return
	"memif_${1%%-*}_clear" || return
	memif_watch "$1"
	kill -USR1 "${LAB_PID[memif]}"
	lab_ready memif $(($3 + 10)) "the end of it" memif_says "done" ||
	    return
	memif_watch "$1"
	memif_cycles=$("memif_${1%%-*}_cycles") || return
	kill -USR1 "${LAB_PID[memif]}"
	lab_poll 10 lab_dead memif
	lab_reap memif
	[ "$LAB_STATUS" -eq 0 ] && [ -n "$memif_cycles" ]
}

# memif_watch SYSTEM: what its threads on CPU 1 have had of that CPU since the
# last time, in thousandths.
memif_watch() {
	local cpu name ns sum=0 tid was=$memif_clock_us

	case $1 in
	ovs*) name=vswitchd ;;
	lightpath) name=dataplane ;;
	*) name=$1 ;;
	esac
	while read -r tid cpu; do
		read -r ns _ <"/proc/$tid/schedstat" 2>/dev/null ||
		    continue
		[ "$cpu" -ne 1 ] ||
		    sum=$((sum + ns - ${memif_cpu_ns[$tid]:-ns}))
		memif_cpu_ns[$tid]=$ns
	done < <(ps -L -s "${LAB_PID[$name]}" -o tid=,psr=)
	memif_clock_us=${EPOCHREALTIME/[.,]/}
	memif_running=$((sum / (memif_clock_us - was)))
}

memif_says() {
	grep -q "^$1\$" "$LAB_DIR/memif.log"
}

memif_value() {
	awk -v name="$1" '$1 == name { print $2 }' "$LAB_DIR/memif.log"
}

# By the system's own count of what it was busy for; by the clock; and of the
# time: what bench_memif waited, and had its CPU, and the system had its own.
memif_figures() {
	awk -v OFS='\t' -v system_name="$1" -v cycles="$memif_cycles" \
	    -v running="$memif_running" -v name="memif/$MEMIF_PAYLOAD/$2" '
		{ is[$1] = $2 }
		function figure(unit, value) {
			print name, system_name, unit, value, is["received"]
		}
		END {
			if (is["received"] == 0)
				exit 1
			figure("cycles", cycles)
			mpps = is["received"] / is["seconds"] / 1e6
			figure("cycles by the clock", is["tsc_mhz"] / mpps)
			figure("Mpps", mpps)
			figure("lost", is["lost"])
			figure("generator idle", is["idle"])
			figure("generator running", is["running"])
			figure("system running", running / 1000)
		}' "$LAB_DIR/memif.log"
}

memif_device() {
	echo "net_memif0,role=server,id=0,socket=$LAB_DIR/memif.sock,socket-abstract=no"
}

# ---- testpmd -------------------------------------------------------------

# Both its threads on one CPU: one of them only waits.
memif_macswap_start() {
	local fifo=$LAB_DIR/macswap.fifo

	rm -f "$fifo"
	mkfifo "$fifo" || return
	: >"$LAB_DIR/macswap.log"
	lab_start macswap lightpath bash -c 'exec "$@" <>"$0"' "$fifo" \
	    stdbuf -oL dpdk-testpmd --in-memory --no-pci --no-telemetry \
	    --lcores '(0,1)@1' --socket-mem 512 --vdev "$(memif_device)" -- \
	    --interactive --forward-mode=macswap --nb-cores=1 \
	    --total-num-mbufs=16384 --record-core-cycles --auto-start
	lab_ready macswap 20 "testpmd to forward" \
	    grep -q "macswap packet forwarding" "$LAB_DIR/macswap.log"
}

memif_macswap_clear() {
	echo "clear fwd stats all" >"$LAB_DIR/macswap.fifo"
}

memif_macswap_cycles() {
	echo "show fwd stats all" >"$LAB_DIR/macswap.fifo"
	lab_ready macswap 10 "testpmd's counters" \
	    grep -q "CPU cycles/packet" "$LAB_DIR/macswap.log" || return
	sed -n 's/.*CPU cycles\/packet=\([0-9.]*\).*/\1/p' \
	    "$LAB_DIR/macswap.log" | tail -n 1
}

# ---- Open vSwitch --------------------------------------------------------

# memif_ovs_start FLOWS CONNECTIONS: in a directory and a namespace of its own;
# the host's, if it runs, has others.
memif_ovs_start() {
	local caches=() database=$LAB_DIR/ovs/conf.db
	local socket=$LAB_DIR/ovs/db.sock

	[ "$2" -le $MEMIF_OVS_EMC ] ||
	    caches=(other_config:emc-insert-inv-prob=0
	        other_config:smc-enable=true)
	ovsdb-tool create "$database" \
	    /usr/share/openvswitch/vswitch.ovsschema || return
	lab_start ovsdb lightpath ovsdb-server "$database" \
	    --remote="punix:$socket" --unixctl="$LAB_DIR/ovs/ovsdb.ctl"
	lab_ready ovsdb 10 "a database" test -S "$socket" || return
	memif_vsctl --no-wait init -- set Open_vSwitch . \
	    other_config:dpdk-init=true other_config:dpdk-socket-mem=512 \
	    other_config:dpdk-lcore-mask=0x1 other_config:pmd-cpu-mask=0x2 \
	    "${caches[@]}" \
	    'other_config:dpdk-extra="--in-memory --no-pci"' || return
	lab_start vswitchd lightpath env "OVS_RUNDIR=$LAB_DIR/ovs" \
	    /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk \
	    "unix:$socket" --unixctl="$LAB_DIR/ovs/vswitchd.ctl"
	lab_ready vswitchd 20 "ovs-vswitchd" \
	    test -S "$LAB_DIR/ovs/vswitchd.ctl" || return
	memif_vsctl add-br br0 -- set bridge br0 datapath_type=netdev \
	    fail-mode=secure -- add-port br0 wire -- set interface wire \
	    type=dpdk ofport_request=1 options:n_rxq=1 \
	    "options:dpdk-devargs=\"$(memif_device)\"" || return
	"$1" | ovs-ofctl add-flows "$LAB_DIR/ovs/br0.mgmt" - &&
	    lab_wait 10 "OVS to listen" test -S "$LAB_DIR/memif.sock"
}

memif_vsctl() {
	ovs-vsctl --db="unix:$LAB_DIR/ovs/db.sock" --timeout=20 "$@"
}

memif_appctl() {
	ovs-appctl -t "$LAB_DIR/ovs/vswitchd.ctl" "$@"
}

# What conntrack calls invalid, or does not know, goes nowhere: it is lost.
memif_ovs_flows() {
	cat <<-END
	table=0,in_port=1,tcp,nw_dst=$MEMIF_VIP,tp_dst=9092,actions=set_field:$MEMIF_BROKER->ip_dst,ct(commit,zone=1,nat(src=$MEMIF_OWN:1024-65535),table=1)
	table=1,tcp,ct_state=+trk-inv,actions=$(memif_ovs_route $MEMIF_MAC_BROKER)
	table=0,in_port=1,tcp,nw_src=$MEMIF_BROKER,tp_src=9092,actions=ct(zone=1,nat,table=2)
	table=2,tcp,ct_state=+trk+est-inv,actions=set_field:$MEMIF_VIP->ip_src,$(memif_ovs_route $MEMIF_MAC_GATEWAY)
	END
}

memif_ovs_dnat_flows() {
	cat <<-END
	table=0,in_port=1,tcp,nw_dst=$MEMIF_VIP,tp_dst=9092,actions=ct(commit,zone=1,nat(dst=$MEMIF_BROKER:9092),table=1)
	table=1,tcp,ct_state=+trk-inv,actions=ct(commit,zone=2,nat(src=$MEMIF_OWN:1024-65535),table=2)
	table=2,tcp,ct_state=+trk-inv,actions=$(memif_ovs_route $MEMIF_MAC_BROKER)
	table=0,in_port=1,tcp,nw_src=$MEMIF_BROKER,tp_src=9092,actions=ct(zone=2,nat,table=3)
	table=3,tcp,ct_state=+trk+est-inv,actions=ct(zone=1,nat,table=4)
	table=4,tcp,ct_state=+trk+est-inv,actions=$(memif_ovs_route $MEMIF_MAC_GATEWAY)
	END
}

# As a router does it, back to where it came from.
memif_ovs_route() {
	echo "dec_ttl,set_field:$MEMIF_MAC->eth_src,set_field:$1->eth_dst,in_port"
}

memif_ovs_clear() {
	memif_appctl dpif-netdev/pmd-stats-clear >/dev/null
}

memif_ovs_cycles() {
	memif_appctl dpif-netdev/pmd-perf-show |
	    sed -n 's/.*Rx packets:.*(.*, *\([0-9]*\) cycles\/pkt).*/\1/p'
}

# ---- Lightpath -----------------------------------------------------------

# A database and a snapshot of its own.
memif_lightpath_start() {
	: >"$LAB_DIR/dataplane.log"
	taskset -cp 0,1 $BASHPID >/dev/null
	lab_dataplane_start --snapshot "$LAB_DIR/memif.snapshot" --cpu 1 \
	    --idle spin
	taskset -cp 0 $BASHPID >/dev/null
	lab_controld_start --database "$LAB_DIR/memif.db"
	lab_lightpath_ready || return
	[ "$(lab_json show '.ports | length')" -gt 0 ] ||
	    memif_lightpath_configure || return
	lab_wait 10 "the dataplane to be in step" lab_in_step || return
	memif_lightpath_pin
}

# All its threads but the worker, which has a CPU already.
memif_lightpath_pin() {
	local tid

	while read -r tid; do
		taskset -cp "$tid" | grep -q ': 1$' ||
		    taskset -cp 0 "$tid" >/dev/null
	done < <(ps -L -s "${LAB_PID[dataplane]}" -o tid=)
}

memif_lightpath_configure() {
	lab_ctl add-port wire --backend dpdk --device "$(memif_device)" \
	    --address ${MEMIF_OWN%-*}/24 --address ${MEMIF_OWN#*-}/24 \
	    --gateway $MEMIF_GATEWAY --side both \
	    -- add-cluster memif -- add-broker memif 1 $MEMIF_BROKER:9092 \
	    -- add-listener memif public $MEMIF_VIP:9092 --broker-base 9200
}

memif_lightpath_busy() {
	lab_stats .worker.busy_ns
}

memif_lightpath_clear() {
	memif_busy_ns=$(memif_lightpath_busy)
}

memif_lightpath_cycles() {
	local busy_ns

	busy_ns=$(memif_lightpath_busy) || return
	awk -v ns=$((busy_ns - memif_busy_ns)) \
	    -v mhz="$(memif_value tsc_mhz)" \
	    -v packets="$(memif_value received)" \
	    'BEGIN { printf "%.1f\n", ns * mhz / 1000 / packets }'
}

report_memif() {
	echo "memif: TCP both ways through one memif port, $MEMIF_PAYLOAD bytes" \
	    "of payload; cycles per packet"
	printf '%-12s%-10s %15s %11s %15s %6s %5s  %s\n' connections system \
	    "busy (x ovs)" "of rounds" "clock (x ovs)" Mpps lost limit
	jq -r -s --arg systems "$MEMIF_SYSTEMS" \
	    --arg connections "$MEMIF_CONNECTIONS" \
	    --arg prefix "memif/$MEMIF_PAYLOAD/" "$JQ_MEMIF" "$out" |
	    awk -F '\t' -v idle=$MEMIF_IDLE -v running=$MEMIF_RUNNING '{
		printf "%-12s%-10s", $1, $2
		if (NF < 13) {
			print " not measured"
			next
		}
		printf " %8.0f (%4.2f) %5.0f-%5.0f %8.0f (%4.2f) %6.2f %5d  %s%s\n",
		    $3, $4, $5, $6, $7, $8, $9, $10,
		    $11 < idle ? "generator" : "system",
		    $12 < running || $13 < running ? ", disturbed" : "" }'
	cat <<-END
	busy: the system's own count of the time in which it moved packets; clock: all
	cycles of its core, which say nothing about it where the generator is the limit;
	disturbed: one of the two had its core for less than $MEMIF_RUNNING of the time
	macswap: testpmd, which only sends back.  ovs: source by conntrack, destination
	by a flow for the one broker.  ovs-dnat: both by conntrack, in two zones
	END
}
JQ_MEMIF='
	. as $all | ($connections | split(" "))[] as $count |
	($systems | split(" "))[] as $system |
	[$all[] | select(.name == $prefix + $count and .system == $system)] |
	[$count, $system] + [
	    (.[] | select(.unit == "cycles") | .value, .ratio,
	        (.rounds | min, max)),
	    (.[] | select(.unit == "cycles by the clock") | .value, .ratio),
	    (.[] | select(.unit == "Mpps") | .value),
	    (.[] | select(.unit == "lost") | .value),
	    (.[] | select(.unit == "generator idle") | .value),
	    (.[] | select(.unit == "generator running") | .value),
	    (.[] | select(.unit == "system running") | .value)] | @tsv'
