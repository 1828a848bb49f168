#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034
#
# What a deny comes to: at brokers, by hand, and at clients.
#
# Who is denied by a rule is compared with who is denied by the broker's own
# ACLs: the same programs do the same through Lightpath, to a broker that has no
# ACL, and past it, to one that has, and what they report is compared line by
# line: of Java (the last 3.9 and the newest, each with the broker of its
# release), of kcat, and of kafkajs.  They differ in what compared.txt says, and
# in nothing else; lightpath-rules(7) has why.
#
# By hand, past Lightpath, it is proven at the same brokers what edits of the same
# length come to, API by API and version by version, without an authorizer and
# with one that refuses some topics, groups and transactions: the table in
# lightpath-rules(7), which is made of the same data (denials.json).
#
# With LP_TEST_MORE clients are also compared with each broker behind Lightpath
# that has an authorizer without an ACL, and with the other release's brokers;
# and kcat and kafkajs with all of them.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/kafka/workloads.sh
. "$LAB_SUPPORT/kafka/workloads.sh"

AUTHORIZER="authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true"
# Records by hand are old: they stay.  Groups are looked at often.
MORE="log.retention.ms=-1
group.min.session.timeout.ms=100
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.num.partitions=1
group.consumer.heartbeat.interval.ms=200
group.consumer.min.heartbeat.interval.ms=100
group.share.heartbeat.interval.ms=200
group.share.min.heartbeat.interval.ms=100
group.coordinator.rebalance.protocols"
# Where the other answers around Lightpath, and says so.
AROUND=127.0.0.1:9094
# Where the one with ACLs is, in a namespace of its own.
ACL=127.0.0.1:$LAB_PORT
SIDES="rule acl"
PLAIN_JAVA=("${LAB_JAVA[@]}")

main() {
	local broker client guard

	e2e_begin denials
	must "kafkajs is there" work_js_get
	must "the namespaces are made" lab_network
	must "one more is made" lab_netns acl
	must "Lightpath runs" lab_lightpath_start
	must "lpctl configures it" lab_configure
	must "what cannot be judged is reset" lab_ctl set-listener lab public \
	    --unjudged reset
	while read -r broker client guard; do
		compare "$broker" "$client" "$guard"
	done < <(pairs)
	check "every stream was read to its end" no_stream_lost
	check "no packet was dropped" no_drops
	e2e_done
}

# Of releases: the broker's, the clients'; and whether the broker behind Lightpath
# has an authorizer.
pairs() {
	local old new

	read -r old new < <(lab_kafka_releases | cut -d ' ' -f 1 | xargs)
	echo "$old $old open"
	echo "$new $new open"
	[ -n "${LP_TEST_MORE:-}" ] || return
	echo "$old $old guarded"
	echo "$new $new guarded"
	echo "$old $new open"
	echo "$new $old open"
}

# compare BROKER CLIENTS open|guarded
compare() {
	LAB_JAVA=("${PLAIN_JAVA[@]}")
	must "Kafka $2 is there, for clients" lab_kafka_get "$2"
	JARS=$LAB_JARS
	must "they are compiled" compiled
	LAB_JAVA=("${PLAIN_JAVA[@]}")
	must "Kafka $1 is there, for brokers" lab_kafka_get "$1"
	must "two of them run, one of them $3" brokers "$1" "$3"
	must "clients run" clients
	must "they do what is not denied" step begin
	must "topics, a group and transactions are denied" deny_what
	check "Java does what is denied" step what
	others "$1" what
	must "so is all that is asked of them" deny_all
	check "Java does what is denied" step all
	others "$1" all
	must "nothing is denied any more" deny_none
	check "Java goes on" step none
	check "they were told the same, but for what is known" same "$1"
	lab_kill rule
	lab_kill acl
	[ "$1 $3" != "$2 open" ] || table "$1"
	lab_kill kafka
	lab_kill kafka-acl
}

# With the oldest, once: the others take it.
compiled() {
	[ -e "$LAB_DIR/classes" ] || java_compile
}

# ---- two of all --------------------------------------------------------------

# brokers RELEASE open|guarded: they differ in where they are, and in what they
# know of ACLs.  Groups of shares and of streams came after 3.9.
brokers() {
	LAB_KAFKA_MORE=$MORE=classic,consumer
	[[ $1 = 3.* ]] || LAB_KAFKA_MORE+=,share,streams
	rm -rf "$LAB_DIR"/data{,-acl} "$LAB_DIR"/{rule,acl}.{told,js,kcat}
	lab_kafka_format "$LAB_ENDPOINT" &&
	    cp -r "$LAB_DIR/data" "$LAB_DIR/data-acl" || return
	sed -e "s|$LAB_REAL|$ACL|" -e "s|$LAB_ENDPOINT|$ACL|" \
	    -e "s|$LAB_DIR/data|&-acl|" "$LAB_DIR/server.properties" |
	    cat - <(echo "$AUTHORIZER") >"$LAB_DIR/acl.properties"
	[ "$2" = open ] || echo "$AUTHORIZER" >>"$LAB_DIR/server.properties"
	lab_start kafka-acl acl java "${LAB_JAVA[@]}" -Dlab.log=info \
	    -cp "$LAB_JARS" kafka.Kafka "$LAB_DIR/acl.properties"
	lab_kafka_run && lab_ready kafka-acl 60 "an answer from it" acl_answers
}

acl_answers() {
	lab_on acl kcat -L -m 1 -b $ACL >/dev/null 2>&1
}

# where SIDE: its clients are.
where() {
	[ "$1" = acl ] && echo acl || echo client
}

server() {
	[ "$1" = acl ] && echo "$ACL" || echo "$LAB_VIP"
}

# Before 4 the newer protocol was no one's default.
clients() {
	local side protocols=(classic consumer) fd

	[[ $JARS$LAB_JARS != *kafka-3.* ]] || protocols=(classic)
	for side in $SIDES; do
		rm -f "$LAB_DIR/$side."{ask,log}
		mkfifo "$LAB_DIR/$side.ask"
		lab_start $side "$(where $side)" bash -c 'exec "${@:2}" <"$1"' \
		    $side "$LAB_DIR/$side.ask" java "${LAB_JAVA[@]}" \
		    -cp "$JARS:$LAB_DIR/classes" Compared "$(server $side)" \
		    "$LAB_DIR/$side.told" "${protocols[@]}"
		exec {fd}<>"$LAB_DIR/$side.ask"
		ASK[$side]=$fd
	done
}
declare -A ASK=()

# step LINE [SIDE]: of both at the same time, or of one.
step() {
	local side sides=${2:-$SIDES}

	for side in $sides; do
		echo "$1" >&"${ASK[$side]}"
	done
	for side in $sides; do
		lab_ready "$side" 120 "an end of $1" \
		    grep -q -x -E "(ok|failed) $1" "$LAB_DIR/$side.log" &&
		    grep -q -x "ok $1" "$LAB_DIR/$side.log" && continue
		grep -v -e '^ok' -e ' WARN ' "$LAB_DIR/$side.log" |
		    tail -n 40
		return 1
	done
}

# ---- what is denied ----------------------------------------------------------

# What is not to be read, written, made, changed or deleted; but it may be known
# of.
WHAT=$(tr -d ' \n' <<END
Produce,AddPartitionsToTxn,Fetch,OffsetCommit,TxnOffsetCommit,OffsetDelete,
DeleteRecords,DescribeProducers,CreateTopics,CreatePartitions,DeleteTopics,
AlterConfigs,IncrementalAlterConfigs,DescribeConfigs,
AlterPartitionReassignments,ElectLeaders
END
)

deny_what() {
	rule what "api=$WHAT topic=secret*" &&
	    rule group 'group=secret*' &&
	    rule tx 'transactional_id=secret*' &&
	    in_step && step acl-what acl
}

deny_all() {
	rule all 'topic=secret*' && in_step && step acl-all acl
}

deny_none() {
	local name

	for name in what group tx all; do
		lab_ctl del-rule $name || return
	done
	in_step && step acl-none acl
}

# rule NAME MATCH
rule() {
	lab_ctl add-rule "$1" --priority 500 --action deny \
	    --match "cluster=lab $2" 2>"$LAB_DIR/rule.said" && return
	cat "$LAB_DIR/rule.said"
	return 1
}

in_step() {
	lab_wait 10 "the dataplane to be in step" lab_in_step
}

# ---- by hand -----------------------------------------------------------------

# table RELEASE: at both brokers at the same time.
table() {
	local guarded

	lab_on acl python3 "$WORK/denials.py" $ACL \
	    "${LAB_JARS%/*}/kafka-clients-$LAB_KAFKA_VERSION.jar" "$1" guarded \
	    >"$LAB_DIR/guarded.said" 2>&1 &
	guarded=$!
	check "the table holds for Kafka $1, open" lab_on brokers python3 \
	    "$WORK/denials.py" $AROUND \
	    "${LAB_JARS%/*}/kafka-clients-$LAB_KAFKA_VERSION.jar" "$1" open &&
	    cat "$LAB_DIR/check.out"
	check "the table holds for Kafka $1, guarded" \
	    ended $guarded "$LAB_DIR/guarded.said" &&
	    cat "$LAB_DIR/guarded.said"
}

# ended PID SAID
ended() {
	wait "$1" && return
	cat "$2"
	return 1
}

# ---- those that come and go --------------------------------------------------

# others BROKER what|all: with the newest, as they know nothing of releases.
others() {
	local side pids=()

	[ -n "${LP_TEST_MORE:-}" ] || [[ $1 != 3.* ]] || return 0
	for side in $SIDES; do
		js "$side" "$2" >>"$LAB_DIR/$side.js" &
		pids+=($!)
	done
	for side in $SIDES; do
		kcat_all "$side" "$2" >>"$LAB_DIR/$side.kcat"
	done
	check "kafkajs does what is denied" wait "${pids[0]}"
	check "also past Lightpath" wait "${pids[1]}"
}

# js SIDE what|all
js() {
	lab_on "$(where "$1")" env NODE_PATH="$WORK_JS/node_modules" \
	    timeout $((60 * LAB_PATIENCE)) \
	    node "$WORK/js/compared.js" "$(server "$1")" "$2"
}

# kcat_all SIDE what|all
kcat_all() {
	local acks reader=(-q -X auto.offset.reset=earliest)

	for acks in all 1; do
		kcat_told "$@" "acks=$acks" -P -t secret.a -X acks=$acks
	done
	kcat_told "$@" "another topic" -P -t open
	kcat_told "$@" "idempotent" -P -t secret.a -X enable.idempotence=true
	kcat_told "$@" "transaction" -P -t secret.a \
	    -X "transactional.id=open.kcat.$2"
	kcat_told "$@" "transaction of another topic" -P -t open \
	    -X "transactional.id=open.kcat.$2"
	kcat_told "$@" "transactional id" -P -t open \
	    -X "transactional.id=secret.kcat"
	kcat_told "$@" "consumer" -C -q -e -o beginning -t secret.read
	kcat_told "$@" "consumer of another topic" -C -q -e -o beginning \
	    -t open.read
	kcat_told "$@" "group" "${reader[@]}" -G "open.kcat.$2" secret.read \
	    open.read
	kcat_told "$@" "denied group" "${reader[@]}" -G secret.kcat open.read
	kcat_told "$@" "list" -L -t secret.a
	kcat_told "$@" "query" -Q -t secret.a:0:-1
}

# kcat_told SIDE PHASE WHAT OPTION...: how it ends, and what it says of that.
kcat_told() {
	local said status=0

	said=$(echo one | lab_on "$(where "$1")" \
	    timeout $((20 * LAB_PATIENCE)) kcat -b "$(server "$1")" \
	    "${@:4}" 2>&1) || status=$?
	said=$(grep -o -E 'Broker: [A-Za-z ]+|with [0-9]+ partitions' \
	    <<<"$said" | sort -u | xargs)
	echo "$2 kcat, $3: status $status, $said"
}

# ---- what they are told ------------------------------------------------------

# same BROKER: each told what the other was; but with "<" and ">" is known, and
# is there if the one or the other was asked for it.
same() {
	local side

	for side in $SIDES; do
		cat "$LAB_DIR/$side."{told,js,kcat} 2>/dev/null |
		    sed -e 's/Topic authorization failed[.]/Authorization failed./' \
		        -e 's/ *$//' >"$LAB_DIR/$side.all"
	done
	! grep 'waited in vain' "$LAB_DIR"/{rule,acl}.all || return
	diff "$WORK/compared.txt" <(differences) &&
	    [ "$(wc -l <"$LAB_DIR/acl.all")" -ge 80 ]
}

differences() {
	diff "$LAB_DIR"/{rule,acl}.all | grep '^[<>]' |
	    sed 's/altering consumer group/altering group/'
}

main "$@"
