# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2119,SC2120
#
# The lab: Kafka clients and a real Kafka, with Lightpath between them, in
# three network namespaces.  Sourced by cli/quickstart and tests/e2e.
#
#     LAB_ID-client           LAB_ID-lightpath           LAB_ID-brokers
#     net0 ------------------ front      back ---------- net0
#     10.9.1.1                .10, VIP .100   .10        10.9.2.1
#     fd09:1::1               ::10, VIP ::100 ::10       fd09:2::1
#
# The addresses in the middle are Lightpath's alone: the kernel there has
# none, and the client has no route to the brokers' network.
#
# Life-cycle: lab_begin, then what is needed, then lab_end (from a trap).
# All that a lab has lies in LAB_DIR: logs, sockets, the database, the broker's
# data, and the lists of its processes and namespaces.

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_SUPPORT=$LAB_ROOT/tests/support
LAB_BUILD=${LAB_BUILD:-$LAB_ROOT/build}
# What drives Lightpath's devices: af_xdp, or dpdk by one of its vdevs.
LAB_BACKEND=${LAB_BACKEND:-af_xdp}
LAB_VDEV=${LAB_VDEV:-net_af_packet}
LAB_TMP=${TMPDIR:-/tmp}
LAB_NODE=1
LAB_BASE=9200
LAB_PORT=9092
LAB_KAFKA_CACHE=${XDG_CACHE_HOME:-/var/cache}/lightpath
LAB_PATIENCE=${LAB_PATIENCE:-1}
# Where nothing can be tested: no network, no privileges.  CTest's "skipped".
LAB_SKIP=77

declare -A LAB_PID=()
LAB_DIR=

# ---- begin and end -------------------------------------------------------

# lab_begin PREFIX [4|6]: names, addresses and a private directory.
lab_begin() {
	LAB_ID=$1-$$
	lab_family "${2:-4}"
	LAB_DIR=$(mktemp -d "$LAB_TMP/$LAB_ID.XXXXXX")
	: >"$LAB_DIR/processes"
	: >"$LAB_DIR/namespaces"
	LAB_SOCKET=$LAB_DIR/controld.sock
}

# Addresses of one family; all are configured, these are what is used.
lab_family() {
	if [ "$1" = 6 ]; then
		LAB_FRONT=fd09:1::10 LAB_FRONT_LEN=64
		LAB_BROKER=fd09:2::1 LAB_BACK=fd09:2::10
		LAB_VIP_IP=fd09:1::100
		LAB_VIP=[$LAB_VIP_IP]:$LAB_PORT
		LAB_ENDPOINT=[$LAB_VIP_IP]:$((LAB_BASE + LAB_NODE))
		LAB_REAL=[$LAB_BROKER]:$LAB_PORT
	else
		LAB_FRONT=10.9.1.10 LAB_FRONT_LEN=24
		LAB_BROKER=10.9.2.1 LAB_BACK=10.9.2.10
		LAB_VIP_IP=10.9.1.100
		LAB_VIP=$LAB_VIP_IP:$LAB_PORT
		LAB_ENDPOINT=$LAB_VIP_IP:$((LAB_BASE + LAB_NODE))
		LAB_REAL=$LAB_BROKER:$LAB_PORT
	fi
}

# lab_end [logs]: ends the lab's processes, deletes its namespaces, and its
# directory, or all of that but the logs.
lab_end() {
	local name

	[ -n "$LAB_DIR" ] || return 0
	for name in "${!LAB_PID[@]}"; do
		case $name in
		dataplane | controld) lab_stop "$name" ;;
		*) lab_kill "$name" ;;
		esac
	done
	lab_clear "$LAB_DIR"
	if [ "${1:-}" = logs ]; then
		find "$LAB_DIR" -mindepth 1 -maxdepth 1 -not -name '*.log' \
		    -exec rm -rf {} +
	else
		rm -rf "$LAB_DIR"
	fi
	LAB_DIR=
}

# lab_clear DIR: ends and deletes what the directory names; also of a lab that
# another shell began.  A process is ended only if it is the very one that was
# started.
lab_clear() {
	local pid start name netns

	while read -r pid start name; do
		lab_is "$pid" "$start" || continue
		kill -TERM "$pid"
		lab_poll 10 lab_is_not "$pid" "$start" ||
		    kill -KILL -- "-$pid"
	done <"$1/processes"
	while read -r netns; do
		ip netns del "$netns"
	done <"$1/namespaces"
}

# ---- waiting -------------------------------------------------------------

# lab_poll SECONDS COMMAND...: 0 as soon as the command says so, 1 if it did
# not in that time, or LAB_PATIENCE times that.
lab_poll() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * LAB_PATIENCE * 1000000))

	shift
	until "$@"; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# lab_wait SECONDS WHAT COMMAND...: the same, and says what did not come.
lab_wait() {
	local seconds=$1 what=$2

	shift 2
	lab_poll "$seconds" "$@" && return 0
	echo "waited $((seconds * LAB_PATIENCE)) s in vain for: $what" >&2
	return 1
}

# ---- processes -----------------------------------------------------------

# Field 22 of /proc/PID/stat: with the pid it names one process for ever.
lab_start_time() {
	sed -n 's/^.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

lab_is() {
	[ "$(lab_start_time "$1")" = "$2" ] &&
	    ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

lab_is_not() {
	! lab_is "$@"
}

# lab_on client|lightpath|brokers COMMAND...
lab_on() {
	local where=$1

	shift
	ip netns exec "$LAB_ID-$where" "$@"
}

# lab_start NAME WHERE COMMAND...: in the background, in a session of its
# own; output goes to LAB_DIR/NAME.log.  setsid and ip become the command, so
# that the pid is the command's.
lab_start() {
	local name=$1 where=$2

	shift 2
	setsid ip netns exec "$LAB_ID-$where" "$@" \
	    </dev/null >>"$LAB_DIR/$name.log" 2>&1 3>&- &
	LAB_PID[$name]=$!
	echo "$! $(lab_start_time $!) $name" >>"$LAB_DIR/processes"
}

lab_alive() {
	[ -n "${LAB_PID[$1]:-}" ] && kill -0 "${LAB_PID[$1]}" 2>/dev/null &&
	    ! grep -q '^State:.Z' "/proc/${LAB_PID[$1]}/status" 2>/dev/null
}

lab_dead() {
	! lab_alive "$1"
}

# lab_stop NAME: with all its children; its exit status is then in
# LAB_STATUS.  Bounded: what does not end by itself is killed.
lab_stop() {
	local pid=${LAB_PID[$1]:-}

	LAB_STATUS=0
	[ -n "$pid" ] || return 0
	kill -TERM "$pid" 2>/dev/null
	lab_poll 10 lab_dead "$1" || echo "$1 ($pid) did not end" >&2
	kill -KILL -- "-$pid" 2>/dev/null
	lab_reap "$1"
}

# lab_kill NAME: at once, and with all its children.  disown keeps the shell
# from reporting it.
lab_kill() {
	local pid=${LAB_PID[$1]:-}

	[ -n "$pid" ] || return 0
	disown "$pid" 2>/dev/null
	kill -KILL -- "-$pid" 2>/dev/null
	lab_poll 10 lab_group_gone "$pid" || echo "$1 ($pid) lives on" >&2
	unset "LAB_PID[$1]"
}

# True when no process of that group is left.  (The kernel takes its time to
# take down the AF_XDP sockets of one that was killed.)
lab_group_gone() {
	! kill -0 -- "-$1" 2>/dev/null
}

# Waits for a process that ends by itself.
lab_reap() {
	{ wait "${LAB_PID[$1]}" && LAB_STATUS=0 || LAB_STATUS=$?; } 2>/dev/null
	unset "LAB_PID[$1]"
}

# lab_ready NAME SECONDS WHAT COMMAND...: waits, and gives up at once if the
# process has ended.
lab_ready() {
	local name=$1 seconds=$2 what=$3

	shift 3
	lab_poll "$seconds" lab_dead_or "$name" "$@" && lab_alive "$name" &&
	    return 0
	if lab_alive "$name"; then
		echo "$name: waited $((seconds * LAB_PATIENCE)) s in vain" \
		    "for: $what" >&2
	else
		lab_reap "$name"
		echo "$name ended with status $LAB_STATUS" >&2
	fi
	tail -n 10 "$LAB_DIR/$name.log" >&2
	return 1
}

lab_dead_or() {
	local name=$1

	shift
	lab_dead "$name" || "$@"
}

# ---- namespaces ----------------------------------------------------------

lab_netns() {
	ip netns add "$LAB_ID-$1" || return
	echo "$LAB_ID-$1" >>"$LAB_DIR/namespaces"
	ip -n "$LAB_ID-$1" link set lo up
}

# lab_veth WHERE DEVICE: from net0 there to DEVICE in Lightpath's namespace.
# The kernel must send whole checksums and small segments, for Lightpath
# changes both; and receive with NAPI, without which a veth drops what XDP
# redirects to it.
# A packet socket gets what GRO has merged, which fits no buffer.
lab_veth() {
	local gro=on

	[ "$LAB_BACKEND $LAB_VDEV" != "dpdk net_af_packet" ] || gro=off
	ip -n "$LAB_ID-$1" link add net0 type veth \
	    peer name "$2" netns "$LAB_ID-lightpath" &&
	    lab_on "$1" ethtool -K net0 tx off tso off gso off gro on \
	        >/dev/null &&
	    lab_on lightpath ethtool -K "$2" gro $gro >/dev/null &&
	    ip -n "$LAB_ID-lightpath" link set "$2" up &&
	    ip -n "$LAB_ID-$1" link set net0 up
}

# lab_network: all three, and the links between them.
lab_network() {
	lab_netns client && lab_netns lightpath && lab_netns brokers &&
	    lab_veth client front && lab_veth brokers back &&
	    ip -n "$LAB_ID-client" addr add 10.9.1.1/24 dev net0 &&
	    ip -n "$LAB_ID-client" addr add fd09:1::1/64 dev net0 nodad &&
	    ip -n "$LAB_ID-brokers" addr add 10.9.2.1/24 dev net0 &&
	    ip -n "$LAB_ID-brokers" addr add fd09:2::1/64 dev net0 nodad ||
	    return
	if ip -n "$LAB_ID-client" route get "$LAB_BROKER" >/dev/null 2>&1; then
		echo "the client has a route to the broker" >&2
		return 1
	fi
}

# ---- Kafka ---------------------------------------------------------------

# The releases that are pinned, "3.9 3.9.2" a line; the newest is the last.
lab_kafka_releases() {
	awk -F '[<>]' '$2 == "id" { id = $3 }
		$2 == "kafka.version" { print id, $3 }' \
	    "$LAB_SUPPORT/kafka/pom.xml"
}

# lab_kafka_get [RELEASE|DIR]: LAB_JARS is the class path of DIR, or of a pinned
# release, which is fetched once; by default the newest.  LAB_SKIP if Maven
# Central cannot be reached.
lab_kafka_get() {
	local dir=${1:-} core release version

	if [[ $dir != */* ]]; then
		read -r release version < <(lab_kafka_releases |
		    awk -v want="$dir" 'want == "" || $1 == want' | tail -n 1)
		if [ -z "${version:-}" ]; then
			echo "Kafka $dir: neither a directory nor one of" \
			    "$(lab_kafka_releases | cut -d " " -f 1 | xargs)" >&2
			return 1
		fi
		dir=$LAB_KAFKA_CACHE/kafka-$version
		lab_maven_get "$dir" "$LAB_SUPPORT/kafka/pom.xml" \
		    -P "$release" || return
	elif [ -d "$dir/libs" ]; then
		dir=$dir/libs
	fi
	core=$(compgen -G "$dir/kafka_2.1?-*.jar" | grep -v -- -test |
	    head -n 1)
	if [ -z "$core" ]; then
		echo "$dir: no kafka_2.13-VERSION.jar here or in libs/" >&2
		return 1
	fi
	core=${core##*/kafka_2.1?-}
	LAB_KAFKA_VERSION=${core%.jar}
	LAB_JARS="$dir/*"
	LAB_KAFKA_ARCHIVE=$dir.jsa
	! lab_kafka_archived || LAB_JAVA+=("-XX:SharedArchiveFile=$dir.jsa"
	    -Xlog:cds=off -Xlog:class+path=off)
}

# The JVM takes it only for the very jars and the Java that it was made with.
lab_kafka_archived() {
	[ "$LAB_KAFKA_ARCHIVE" -nt "${LAB_JARS%/*}/pom.xml" ]
}

# lab_maven_get DIR POM OPTION...: the jars that the POM asks for, in DIR.  They
# are fetched once, by one at a time, so that who was waiting finds them.
# LAB_SKIP if Maven Central cannot be reached.
lab_maven_get() {
	lab_maven_has "$1" "$2" && return
	if [ -n "${LAB_OFFLINE:-}" ]; then
		echo "there are no jars in $1, and there was no network" >&2
		return "$LAB_SKIP"
	fi
	mkdir -p "$LAB_KAFKA_CACHE"
	(
		flock 9
		lab_maven_has "$1" "$2" || lab_maven_fill "$@"
	) 9>"$LAB_KAFKA_CACHE/lock"
}

lab_maven_has() {
	cmp -s "$1/pom.xml" "$2"
}

# Maven fills a directory aside, which then gets its name in one step.
lab_maven_fill() {
	local dir=$1 pom=$2 log=$LAB_DIR/maven.log new status=0

	new=$(mktemp -d "$LAB_KAFKA_CACHE/new.XXXXXX")
	timeout 600 mvn -B -f "$pom" "${@:3}" \
	    org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies \
	    -DincludeScope=runtime "-DoutputDirectory=$new" \
	    </dev/null >"$log" 2>&1 || status=$?
	if [ $status -eq 0 ]; then
		cp "$pom" "$new/pom.xml"
		rm -rf "$dir"
		mv -T "$new" "$dir"
		return 0
	fi
	rm -rf "$new"
	if [ $status -eq 124 ] || grep -q -i -E 'could not transfer|offline' \
	    "$log"; then
		echo "Maven Central cannot be reached, and there are no jars in" \
		    "$dir yet: see $log" >&2
		return $LAB_SKIP
	fi
	echo "Maven ended with status $status: see $log" >&2
	return 1
}

# lab_java WHERE CLASS ARGUMENT...: one of Kafka's programs.
lab_java() {
	local where=$1

	shift
	lab_on "$where" java "${LAB_JAVA[@]}" -cp "$LAB_JARS" "$@"
}
# Log4j 2 is of Kafka 4, what is left of 1 of Kafka 3.
LAB_JAVA=(-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
    -Dlab.log=warn -Dlab.requests=warn
    "-Dlog4j2.configurationFile=$LAB_SUPPORT/kafka/log4j2.properties"
    "-Dlog4j.configuration=file:$LAB_SUPPORT/kafka/log4j.properties")

# Starts the broker and waits until it answers.  What it advertises is
# LAB_ENDPOINT, or the argument.  LAB_KAFKA_MORE are properties that come last,
# LAB_KAFKA_FORMAT more options for the tool that makes its storage.
LAB_KAFKA_MORE=
LAB_KAFKA_FORMAT=()
lab_kafka_start() {
	lab_kafka_format "${1:-$LAB_ENDPOINT}" && lab_kafka_run
}

# lab_kafka_format ADVERTISED
lab_kafka_format() {
	lab_kafka_properties "$1"
	if ! lab_java brokers kafka.tools.StorageTool format \
	    -t bGlnaHRwYXRoLWxhYi0xMA -c "$LAB_DIR/server.properties" \
	    "${LAB_KAFKA_FORMAT[@]}" \
	    >"$LAB_DIR/kafka.log" 2>&1; then
		echo "kafka.tools.StorageTool failed" >&2
		return 1
	fi
}

lab_kafka_run() {
	lab_start kafka brokers java "${LAB_JAVA[@]}" -Dlab.log=info \
	    -cp "$LAB_JARS" kafka.Kafka "$LAB_DIR/server.properties"
	lab_ready kafka 60 "an answer from $LAB_REAL" lab_kafka_answers
}

# lab_kafka_properties ADVERTISED
lab_kafka_properties() {
	sed -e "s|@NODE@|$LAB_NODE|g" -e "s|@LISTEN@|$LAB_REAL|" \
	    -e "s|@ADVERTISED@|$1|" -e "s|@DATA@|$LAB_DIR/data|" \
	    "$LAB_SUPPORT/kafka/server.properties.in" \
	    >"$LAB_DIR/server.properties"
	printf '%s\n' "$LAB_KAFKA_MORE" >>"$LAB_DIR/server.properties"
}

lab_kafka_answers() {
	lab_on brokers kcat -L -m 1 -b "$LAB_REAL" >/dev/null 2>&1
}

# ---- Lightpath -----------------------------------------------------------

# lab_dataplane_start [OPTION...]
lab_dataplane_start() {
	local more=()

	[ "$LAB_VDEV" != net_af_xdp ] || more=(--dpdk-privileged)
	lab_start dataplane lightpath "$LAB_BUILD/dataplane/lp-dataplane" \
	    --id lab --socket "$LAB_DIR/dataplane.sock" \
	    --snapshot "$LAB_DIR/dataplane.snapshot" "${more[@]}" "$@"
}

# lab_controld_start [OPTION...]
lab_controld_start() {
	lab_start controld lightpath "$LAB_BUILD/controld/lp-controld" \
	    --database "$LAB_DIR/lightpath.db" --socket "$LAB_SOCKET" \
	    --dataplane "$LAB_DIR/dataplane.sock" "$@"
}

# Both are there, and the dataplane runs what lp-controld wants.
lab_lightpath_ready() {
	lab_ready controld 10 "an answer on $LAB_SOCKET" lab_answers &&
	    lab_ready dataplane 10 "the dataplane to be in step" lab_in_step
}

lab_lightpath_start() {
	lab_dataplane_start
	lab_controld_start
	lab_lightpath_ready
}

lab_ctl() {
	lab_on lightpath "$LAB_BUILD/cli/lpctl" --socket "$LAB_SOCKET" "$@"
}

# lab_json COMMAND FILTER: what jq's filter makes of lpctl's answer.
lab_json() {
	lab_ctl -o json "$1" | jq -r "$2"
}

lab_answers() {
	lab_ctl status >/dev/null 2>&1
}

lab_in_step() {
	[ "$(lab_json status "$LAB_JQ_IN_STEP" 2>/dev/null)" = true ]
}
LAB_JQ_IN_STEP='.generation as $g | .dataplanes | length > 0 and
    all(.state == "applied" and .generation == $g)'

# lab_stats FILTER: of the one dataplane.
lab_stats() {
	lab_json stats ".dataplanes[0] | $1"
}

# lab_endpoints FIELD: summed over all endpoints.
lab_endpoints() {
	lab_stats "[.listeners[].$1] | add // 0"
}

lab_table() {
	lab_stats ".tables.$1"
}

lab_reason() {
	lab_stats ".reasons.$1"
}

# Why packets were dropped, and how many: nothing if none was.  What is not
# ours the kernel gets on AF_XDP, and nobody on DPDK.
lab_drops() {
	local others=none

	[ "$LAB_BACKEND" != dpdk ] || others=not_ours
	lab_stats ".reasons |= del(.$others) | $LAB_JQ_DROPS"
}
LAB_JQ_DROPS='.reasons | del(.none, .forwarded, .opened, .out_of_window,
    .icmp_translated, .wired, .wired_unread, .picked_up, .untracked,
    .rewritten, .held_edit, .held_gap, .arp, .ndp, .mld, .icmp_echo,
    .neighbor_pending) |
    to_entries[] | select(.value > 0) |
    select(.key | startswith("reset_") | not) | "\(.key) \(.value)"'

# "af_xdp (copy)", as the dataplane says of its ports.
lab_backend() {
	lab_stats '[.ports[] | "\(.backend) (\(.mode))"] | unique | join(", ")'
}

# lab_device DEVICE: what names it to the back end, as options of add-port.  The
# name of a vdev may be any that begins with its driver's.
lab_device() {
	if [ "$LAB_BACKEND" = dpdk ]; then
		echo "--backend dpdk --device ${LAB_VDEV}_$1,iface=$1"
	else
		echo "--device $1"
	fi
}

# The configuration of the picture above, as a list of lpctl commands.
lab_commands() {
	cat <<-END
	add-port front $(lab_device front) --address $LAB_FRONT/$LAB_FRONT_LEN --side client
	add-port back $(lab_device back) --address $LAB_BACK/$LAB_FRONT_LEN --side broker
	add-cluster lab
	add-broker lab $LAB_NODE $LAB_REAL
	add-listener lab public $LAB_VIP --broker-base $LAB_BASE
	END
}

lab_configure() {
	local command

	while read -r -a command; do
		lab_ctl "${command[@]}" </dev/null || return
	done < <(lab_commands)
}
