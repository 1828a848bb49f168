# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# What every kind of Kafka client does, through Lightpath, and what they say of
# it themselves.  Sourced after e2e.sh.
#
# Three clusters of one broker, for its listeners: "lab" in clear, "sasl" with
# SASL in clear, "tls".  The client knows the last one's address by name only.

WORK=$LAB_SUPPORT/kafka
WORK_NAME=kafka.lab
WORK_SASL=9192
WORK_TLS=9292

# work_lab: as e2e_lab, with all that.
work_lab() {
	must "Kafka is there" lab_kafka_get "${LAB_KAFKA:-}"
	must "kafkajs is there" work_js_get
	must "the programs are compiled" java_compile
	must "the namespaces are made" lab_network
	must "Kafka $LAB_KAFKA_VERSION runs" work_kafka
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" work_configure
}

# kafkajs, pinned, is fetched once.  LAB_SKIP where that cannot be done.
work_js_get() {
	WORK_JS=$LAB_KAFKA_CACHE/kafkajs
	work_js_cached && return 0
	if [ -n "${LAB_OFFLINE:-}" ]; then
		echo "kafkajs is not in $WORK_JS, and there was no network" >&2
		return "$LAB_SKIP"
	fi
	mkdir -p "$LAB_KAFKA_CACHE"
	(
		flock 9
		work_js_cached || work_js_fill
	) 9>"$LAB_KAFKA_CACHE/lock"
}

work_js_cached() {
	cmp -s "$WORK_JS/package.json" "$WORK/js/package.json"
}

work_js_fill() {
	local from=$WORK/js/package.json log=$LAB_DIR/npm.log new

	new=$(mktemp -d "$LAB_KAFKA_CACHE/new.XXXXXX")
	if cp "$from" "$new" && (cd "$new" && timeout 120 npm install \
	    --no-package-lock --ignore-scripts --no-audit --no-fund \
	    --no-save --omit=dev) </dev/null >"$log" 2>&1; then
		rm -rf "$WORK_JS"
		mv -T "$new" "$WORK_JS"
		return 0
	fi
	rm -rf "$new"
	echo "npm cannot get kafkajs: see $log" >&2
	tail -n 5 "$log" >&2
	return "$LAB_SKIP"
}

# Properties of the workloads' broker.
work_properties() {
	local protocols=classic,consumer,share

	[[ $LAB_KAFKA_VERSION != 3.* ]] || protocols=classic
	sed -e "s|@REAL@|$LAB_BROKER|g" -e "s|@VIP@|$LAB_VIP_IP|g" \
	    -e "s|@NAME@|$WORK_NAME|" -e "s|@KEYSTORE@|$LAB_DIR/keys.p12|" \
	    -e "s|@PROTOCOLS@|$protocols|" "$WORK/workloads.properties.in"
}

# The same for brokers that have listeners of their own.
work_properties_plain() {
	work_properties | grep -v -E '^(advertised\.)?listener'
}

work_kafka() {
	local mechanism

	keytool -genkeypair -alias lab -dname "CN=$WORK_NAME" \
	    -ext "SAN=dns:$WORK_NAME" -keyalg EC -validity 365 \
	    -storetype PKCS12 -keystore "$LAB_DIR/keys.p12" \
	    -storepass lab-secret >"$LAB_DIR/keytool.log" 2>&1 || return
	LAB_KAFKA_MORE=$(work_properties)
	LAB_KAFKA_FORMAT=()
	for mechanism in 256 512; do
		LAB_KAFKA_FORMAT+=(--add-scram
		    "SCRAM-SHA-$mechanism=[name=alice,password=alice-secret]")
	done
	lab_kafka_start
}

work_configure() {
	lab_configure &&
	    work_cluster sasl 9095 $WORK_SASL 9300 &&
	    work_cluster tls 9096 $WORK_TLS 9400
}

# work_cluster NAME BROKER-PORT VIP-PORT BASE
work_cluster() {
	lab_ctl add-cluster "$1" &&
	    lab_ctl add-broker "$1" $LAB_NODE "$LAB_BROKER:$2" &&
	    lab_ctl add-listener "$1" "$1" "$LAB_VIP_IP:$3" --broker-base "$4"
}

# ---- the clients -----------------------------------------------------------

# work_java [plain]: Kafka's own, with SASL and TLS or without.  What they say
# goes to java.json, every request of theirs and every answer to java.requests.
work_java() {
	local secure=("$LAB_VIP_IP:$WORK_SASL" "$WORK_NAME:$WORK_TLS")

	[ "${1:-}" != plain ] || secure=(- -)
	echo "$LAB_VIP_IP $WORK_NAME" >"$LAB_DIR/hosts"
	lab_on client timeout 400 java "${LAB_JAVA[@]}" -Dlab.requests=debug \
	    -Djdk.net.hosts.file="$LAB_DIR/hosts" \
	    -cp "$LAB_JARS:$LAB_DIR/classes" Workloads "$LAB_VIP" \
	    "${secure[@]}" "$LAB_DIR/keys.p12" "$LAB_KAFKA_VERSION" \
	    >"$LAB_DIR/java.json" 2>"$LAB_DIR/java.requests"
}

# work_names [plain]: of Kafka's own workloads, as this release has them.
work_names() {
	local newest='group-848 share' hidden='sasl tls'

	[[ $LAB_KAFKA_VERSION != 3.* ]] || newest=
	[ "${1:-}" != plain ] || hidden=
	echo admin codecs transactions big sessions group $newest throttle \
	    $hidden errors
}

work_did() {
	jq -e -s --arg name "$1" \
	    'any(.[]; .workload == $name and .ok)' "$LAB_DIR/java.json" && return
	sed -n "/^$1 failed: /,/^[^ \t]* failed: /p" "$LAB_DIR/java.requests" |
	    grep -v ' DEBUG ' | head -n 30
	return 1
}

# What kafkajs says goes to js.json.
work_js() {
	lab_on client env NODE_PATH="$WORK_JS/node_modules" timeout 300 \
	    node "$WORK/js/workload.js" "$LAB_VIP" >"$LAB_DIR/js.json"
}

# What raw.py says goes to raw.json.
work_raw() {
	lab_on client timeout 300 python3 "$WORK/raw.py" "$LAB_VIP_IP" \
	    "$LAB_PORT" >"$LAB_DIR/raw.json"
}

# work_kcat_run ID ARGUMENT...: every request of its and every answer goes to
# kcat.requests.
work_kcat_run() {
	local id=$1

	shift
	lab_on client timeout 120 kcat -b "$LAB_VIP" -X client.id="$id" \
	    -d protocol "$@" 2>>"$LAB_DIR/kcat.requests"
}

# Every compression, idempotent and not; a reader; a group; metadata; offsets.
work_kcat() {
	local codec i=0 sent=$LAB_DIR/kcat.sent got=$LAB_DIR/kcat.got

	: >"$sent"
	for codec in none gzip snappy lz4 zstd; do
		records_make 100 $((i * 100 + 1)) >"$LAB_DIR/kcat.part"
		work_kcat_run "kcat-p-$codec" -P -t kcat -z "$codec" \
		    -X enable.idempotence=$((i % 2)) \
		    -l "$LAB_DIR/kcat.part" || return
		cat "$LAB_DIR/kcat.part" >>"$sent"
		i=$((i + 1))
	done
	work_kcat_run kcat-reader -C -e -q -o beginning -t kcat >"$got" &&
	    work_kcat_whole reader &&
	    work_kcat_run kcat-group -q -c 500 -G kcat-group \
	        -X auto.offset.reset=earliest kcat >"$got" &&
	    work_kcat_whole group &&
	    work_kcat_run kcat-list -L >/dev/null &&
	    work_kcat_run kcat-query -Q -t kcat:0:-1 >/dev/null
}

work_kcat_whole() {
	local result

	result=$(records_compare "$LAB_DIR/kcat.sent" "$LAB_DIR/kcat.got")
	echo "$1: lost altered repeated: $result"
	[ "$result" = "0 0 0" ]
}

# work_idle plain-idle|scram-idle|tls-idle: stays connected, until it is killed.
# (Debian's librdkafka answers SCRAM's nonce in a way that brokers no longer
# take, so the second is Kafka's own.)
work_idle() {
	case $1 in
	plain-idle)
		lab_start "$1" client kcat -C -q -u -o end -t secure \
		    -b "$LAB_VIP_IP:$WORK_SASL" -X client.id="$1" \
		    -X security.protocol=SASL_PLAINTEXT \
		    -X sasl.mechanisms=PLAIN \
		    -X sasl.username=alice -X sasl.password=alice-secret
		;;
	scram-idle)
		lab_start "$1" client java "${LAB_JAVA[@]}" \
		    -cp "$LAB_JARS:$LAB_DIR/classes" Idle \
		    "$LAB_VIP_IP:$WORK_SASL" "$1" SCRAM-SHA-512
		;;
	tls-idle)
		lab_start "$1" client python3 -c '
import socket, ssl, sys, time
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as plain:
    with context.wrap_socket(plain, server_hostname=sys.argv[3]):
        time.sleep(600)' "$LAB_VIP_IP" "$WORK_TLS" "$WORK_NAME"
		;;
	esac
}

# ---- what they say ---------------------------------------------------------

# work_truth: all of it, made one, in truth.json.
work_truth() {
	python3 -B "$WORK/truth.py" "$LAB_DIR" >"$LAB_DIR/truth.json"
}

# All three answers of lpctl's, of the one dataplane, as one.
work_stats() {
	local what

	for what in "stats kafka" clients topics; do
		# shellcheck disable=SC2086
		lab_ctl -o json $what || return
	done | jq -s '{dataplanes: [map(.dataplanes[0]) | add]}' \
	    >"$LAB_DIR/stats.json"
}

# work_agrees WHAT [rewritten]: does stats.json?  See agree.py.
work_agrees() {
	python3 -B "$WORK/agree.py" "$1" "$LAB_DIR/stats.json" \
	    "$LAB_DIR/truth.json" "${@:2}"
}
