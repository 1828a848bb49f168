#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Rules that act on requests, with real clients: what is denied is refused as by
# an ACL of the broker's, topic by topic, and nothing else is; it holds for
# clients that are under way already, from when the rule comes until it goes,
# and none of them loses a record, a place in its group, or a connection that
# was not reset.  LAB_KAFKA chooses the release.

# shellcheck source=tests/support/e2e.sh
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=tests/support/kafka/workloads.sh
. "$LAB_SUPPORT/kafka/workloads.sh"

# Where the broker answers around Lightpath, and says so.
AROUND=127.0.0.1:9094
# Where Lightpath has the same cluster, and does not listen.
OTHER=9500

main() {
	e2e_begin deny
	must "kafkajs is there" work_js_get
	e2e_lab
	must "the clients are compiled" java_compile
	must "the clients run" start
	must "they have topics" step begin
	must "there is a way that is not heard" other_way
	must "the listener passes on what cannot be judged" unjudged pass
	producers
	consumers
	[[ $LAB_KAFKA_VERSION == 3.* ]] || sharers
	administrators
	askers
	names
	groups
	describers
	whatever
	requests
	check "every stream was read to its end" no_stream_lost
	bytes
	check "no packet was dropped" no_drops
	e2e_done
}

# ---- RulesWork.java, step by step --------------------------------------------

start() {
	mkfifo "$LAB_DIR/ask"
	lab_start rules client bash -c 'exec "${@:2}" <"$1"' rules \
	    "$LAB_DIR/ask" java "${LAB_JAVA[@]}" \
	    -cp "$LAB_JARS:$LAB_DIR/classes" RulesWork "$LAB_VIP" \
	    "$LAB_VIP_IP:$OTHER"
	exec 7>"$LAB_DIR/ask"
}

other_way() {
	lab_ctl add-cluster other &&
	    lab_ctl add-broker other $LAB_NODE "$LAB_REAL" &&
	    lab_ctl add-listener other other "$LAB_VIP_IP:$OTHER" \
	        --broker-base $((OTHER + 100)) --kafka off --rewrite off \
	        --unjudged pass
}

declare -A ASKED=()
step() {
	ASKED[$1]=$((${ASKED[$1]:-0} + 1))
	echo "$1" >&7
	lab_ready rules 60 "an end of $1" answered "$1" || return
	[ "$(answers "$1" | tail -n 1)" = "ok $1" ] && return
	grep -v -e '^ok' -e ' WARN ' "$LAB_DIR/rules.log" | tail -n 40
	return 1
}

answers() {
	grep -x -E "(ok|failed) $1" "$LAB_DIR/rules.log"
}

answered() {
	[ "$(answers "$1" | wc -l)" -eq "${ASKED[$1]}" ]
}

# ---- rules -------------------------------------------------------------------

unjudged() {
	lab_ctl set-listener lab public --unjudged "$1" && in_step
}

in_step() {
	lab_wait 10 "the dataplane to be in step" lab_in_step
}

# rule NAME ACTION MATCH: where Lightpath listens.
rule() {
	lab_ctl add-rule "$1" --priority 500 --action "$2" \
	    --match "cluster=lab $3" && in_step
}

gone() {
	lab_ctl del-rule "$1" && in_step
}

# counted RULE CONDITION: of what it has matched.
counted() {
	lab_ctl -o json rule-stats "$1" >"$LAB_DIR/rule.json" &&
	    jq -c '.dataplanes[0].rules[0]' "$LAB_DIR/rule.json" &&
	    jq -e ".dataplanes[0].rules[0] | $2" "$LAB_DIR/rule.json"
}

count() {
	lab_ctl -o json stats kafka | jq ".dataplanes[0].counters.$1"
}

# told COUNTER CONDITION
told() {
	lab_ctl -o json stats kafka >"$LAB_DIR/kafka.json" &&
	    jq -c ".dataplanes[0].counters.$1" "$LAB_DIR/kafka.json" &&
	    jq -e ".dataplanes[0].counters.$1 | $2" "$LAB_DIR/kafka.json"
}

# held TOPIC: how many records the broker has in both partitions.
held() {
	lab_on brokers timeout 60 kcat -Q -b "$AROUND" -t "$1:0:-1" \
	    -t "$1:1:-1" | awk '{ sum += $NF } END { print sum + 0 }'
}

holds() {
	local count

	count=$(held "$1")
	echo "$1: $count records"
	[ "$count" -eq "$2" ]
}

# ---- what they do ------------------------------------------------------------

producers() {
	must "a deny of Produce is taken" rule no-produce deny \
	    'api=Produce,AddPartitionsToTxn topic=secret*'
	check "of one request two topics are refused, the third is done" \
	    step one-request
	check "it was one request, and is counted" lab_wait 10 "a count" \
	    counted no-produce '.requests == 1 and .refused == 1'
	check "so are its partitions" told partitions_denied '. == 4'
	check "lpctl says who was refused what, and by which rule" \
	    lab_wait 10 "denials" listed no-produce \
	    '.topic == "secret.a" and .api == "Produce"'
	check "without acks nobody is told" step acks-0
	check "an idempotent producer goes on" step idempotent
	check "a transaction is aborted, the next is committed" \
	    step transaction
	must "denials are followed" follow
	check "kcat is refused, and told why" kcat_refused secret.kcat
	check "who follows is told" lab_ready follower 10 "a denial" followed \
	    secret.kcat '.client_id == "rdkafka"'
	check "so is the journal" grep -q "denied by rule no-produce: Produce \
v[0-9]*, topic \"secret" "$LAB_DIR/dataplane.log"
	check "kcat is let in elsewhere" kcat_sends open.kcat
	check "kafkajs is refused, and told why" js_is_told \
	    TOPIC_AUTHORIZATION_FAILED secret.js
	check "also in a transaction" js_is_told \
	    TOPIC_AUTHORIZATION_FAILED secret.js js-tx
	check "kafkajs is let in elsewhere" js_is_told sent open.js
	check "nothing of what was denied is there" none_held
	must "the rule is deleted" gone no-produce
	check "what it has denied is still there" gone_is_listed
	lab_stop follower
	check "the same producer is let in" step let-in
	check "so is kcat" kcat_sends secret.kcat
}

# listed RULE CONDITION: among what it has denied.
listed() {
	lab_ctl -o json denials "$1" >"$LAB_DIR/denials.json" &&
	    jq -c '.denials[-1]' "$LAB_DIR/denials.json" &&
	    jq -e "[.denials[] | select(.rule == \"$1\" and
		.action == \"deny\" and .listener == \"public\" and
		.cluster == \"lab\" and (.client | startswith(\"10.9.1.\")) and
		($2))] | length > 0" "$LAB_DIR/denials.json"
}

follow() {
	lab_start follower lightpath "$LAB_BUILD/cli/lpctl" --socket \
	    "$LAB_SOCKET" -o json denials --follow &&
	    lab_ready follower 10 "what was denied" test -s \
	        "$LAB_DIR/follower.log"
}

# followed TOPIC CONDITION
followed() {
	jq -s -e "[.[] | select(.topic == \"$1\" and ($2))] | length > 0" \
	    "$LAB_DIR/follower.log"
}

none_held() {
	local topic

	for topic in secret.{a,b,kcat,js}; do
		holds "$topic" 0 || return
	done
	holds open.kcat 2 && holds open.js 2
}

# Of a rule that nobody knows any more.
gone_is_listed() {
	lab_ctl denials | grep -F '(gone)' | head -n 1 | grep -F 'topic secret'
}

kcat_sends() {
	printf 'one\ntwo\n' | lab_on client timeout 60 kcat -P -b "$LAB_VIP" \
	    -t "$1"
}

kcat_refused() {
	! kcat_sends "$1" 2>"$LAB_DIR/kcat.said" || return
	cat "$LAB_DIR/kcat.said"
	grep -q 'Topic authorization failed' "$LAB_DIR/kcat.said"
}

# js_is_told WHAT TOPIC [TRANSACTIONAL_ID]
js_is_told() {
	local said

	said=$(lab_on client env NODE_PATH="$WORK_JS/node_modules" timeout 60 \
	    node "$WORK/js/send.js" "$LAB_VIP" "${@:2}")
	echo "$said"
	[ "$said" = "$1" ]
}

consumers() {
	local how=read-848

	[[ $LAB_KAFKA_VERSION != 3.* ]] || how='read'
	must "consumers read two topics" step $how
	must "a deny of Fetch is taken" rule no-fetch deny \
	    'api=Fetch topic=secret*'
	check "they are refused one of the two" step refused
	check "they go on with the other" step read-half
	check "their sessions were made anew" told sessions_renewed '. > 0'
	check "what was refused is counted" counted no-fetch '.refused > 0'
	must "the rule is deleted" gone no-fetch
	check "they have all records of both" step read-all
	must "the rule comes again" rule no-fetch deny \
	    'api=Fetch topic=secret*'
	check "they are refused it again" step refused
	must "two topics are made, and Lightpath does not hear of it" \
	    unheard secret.unheard open.unheard
	check "of what it has not heard of, it learns, and denies it" \
	    step read-unheard
	check "that is counted" told partitions_unknown '. > 0'
	must "the rule goes again" gone no-fetch
	check "they have all records again" step read-all
}

# unheard TOPIC...: with two records each.
unheard() {
	local topic

	for topic in "$@"; do
		printf 'one\ntwo\n' | lab_on brokers timeout 60 kcat -P \
		    -p 0 -b "$AROUND" -t "$topic" || return
	done
}

sharers() {
	must "a share group reads two topics" step share
	must "a deny of ShareFetch is taken" rule no-share deny \
	    'api=ShareFetch,ShareAcknowledge topic=secret*'
	check "it is refused one of the two, and goes on with the other" \
	    step share-refused
	must "the rule is deleted" gone no-share
	check "it has all records of both" step share-all
}

administrators() {
	must "a deny of what administrators ask is taken" rule no-admin deny \
	    "api=ListOffsets,OffsetCommit,TxnOffsetCommit,DeleteRecords,$(
	    )OffsetDelete,DescribeProducers,ElectLeaders,$(
	    )AlterPartitionReassignments topic=secret*"
	check "of what an administrator asks one half is refused" \
	    step administrator
	check "so it is of offsets that are committed" step offsets
	check "what was refused is counted" counted no-admin \
	    '.refused >= 9 and .refused == .requests'
	must "the rule is deleted" gone no-admin
}

# What changes nothing is refused in its answer.
askers() {
	local offsets=asked-offsets-848

	[[ $LAB_KAFKA_VERSION != 3.* ]] || offsets=asked-offsets
	must "a group has offsets of two topics" step asked-begin
	must "a deny of OffsetFetch is taken" rule no-offsets deny \
	    'api=OffsetFetch topic=secret*'
	check "who asks where it was is refused one of the two" step $offsets
	check "so is kafkajs" js_asks TOPIC_AUTHORIZATION_FAILED offsets \
	    secret.a
	check "which is told of the other" js_asks 3 offsets open
	check "what was refused is counted" counted no-offsets '.refused > 0'
	must "the rule is deleted" gone no-offsets
	check "who was refused goes on where it was" step asked-on
	must "a deny of OffsetForLeaderEpoch is taken" rule no-epochs deny \
	    'api=OffsetForLeaderEpoch topic=secret*'
	check "who asks where an epoch ended is refused" step asked-epochs
	check "what was refused is counted" counted no-epochs \
	    '.refused > 0 and .refused == .requests'
	must "the rule is deleted" gone no-epochs
	check "who was refused goes on where it was" step asked-on
}

names() {
	must "a deny of creations is taken" rule no-names deny \
	    'api=CreateTopics topic=secret.named*'
	check "of topics that are to be made some are refused" step create
	check "what was refused is counted" counted no-names \
	    '.refused == 1 and .requests == 1'
	must "it is deleted" gone no-names
	must "a deny of what else is asked by name is taken" rule no-names deny \
	    "api=CreatePartitions,IncrementalAlterConfigs,$(
	    )DeleteTopics topic=secret.named*"
	check "of topics that are to be changed some are refused" step change
	check "what was refused is counted" counted no-names \
	    '.refused >= 4 and .refused == .requests'
	check "so is each topic" told names_denied '. >= 15'
	check "none had to be reset" told names_reset '. == 0'
	must "the rule is deleted" gone no-names
	check "they can be deleted" step delete
}

groups() {
	local how=join-848

	[[ $LAB_KAFKA_VERSION != 3.* ]] || how='join'
	must "members join groups" step $how
	must "a deny of groups, whatever they ask, is taken" \
	    rule no-group deny 'group=secret*'
	check "who is in it is refused, and who would join" step join-refused
	check "what was refused is counted" counted no-group '.refused > 0'
	must "the rule is deleted" gone no-group
	check "they can join again" step join-again
	must "a deny of transactions is taken" rule no-tx deny \
	    'api=InitProducerId transactional_id=secret*'
	check "who would begin one is refused" step transactional
	check "what was refused is counted" counted no-tx '.refused > 0'
	check "so it is by the kafka layer" told requests_denied '. > 0'
	must "the rule is deleted" gone no-tx
	check "now it can" step transactional-again
}

# js_asks WHAT IT_IS_TOLD TOPIC
js_asks() {
	local said

	said=$(lab_on client env NODE_PATH="$WORK_JS/node_modules" timeout 60 \
	    node "$WORK/js/ask.js" "$LAB_VIP" "${@:2}")
	echo "$said"
	[ "$said" = "$1" ]
}

# Not of topics that others read meanwhile.
describers() {
	must "a deny of what topics are is taken" rule no-names deny \
	    "api=Metadata,DescribeConfigs,DescribeTopicPartitions$(
	    ) topic=secret.a*,secret.kcat,secret.js"
	check "who asks what topics are is refused one of two" step asked-names
	check "so is kafkajs" js_asks TOPIC_AUTHORIZATION_FAILED partitions \
	    secret.js
	check "also of its configuration" js_asks TOPIC_AUTHORIZATION_FAILED \
	    configs secret.js
	check "which is told of the other" js_asks 2 partitions open.js
	check "also of its configuration" js_asks 604800000 configs open.js
	check "kcat is told why" kcat_lists secret.kcat \
	    '"error": *"Broker: Topic authorization failed"'
	check "kcat lists the other" kcat_lists open.kcat '"partition": *1'
	check "what was refused is counted" counted no-names \
	    '.refused > 5 and .refused <= .requests'
	check "none had to be reset" told names_reset '. == 0'
	must "the rule is deleted" gone no-names
	check "kcat lists it again" kcat_lists secret.kcat '"partition": *1'
}

# Without an API it is of all that can be denied.
whatever() {
	must "a deny of a topic, whatever is asked, is taken" rule no-topic \
	    deny 'topic=secret.js'
	check "nothing can be sent to it, which is known from its metadata" \
	    js_is_told "KafkaJSNonRetriableError: Not authorized to access $(
	    )topics: [Topic authorization failed]" secret.js
	check "nothing is told of it" js_asks TOPIC_AUTHORIZATION_FAILED \
	    partitions secret.js
	check "nor of its offsets" js_asks TOPIC_AUTHORIZATION_FAILED \
	    offsets secret.js
	check "others are let in" js_is_told sent open.js
	check "it is counted" counted no-topic \
	    '.refused >= 3 and .refused <= .requests'
	must "the rule is deleted" gone no-topic
}

# kcat_lists TOPIC PATTERN
kcat_lists() {
	lab_on client timeout 60 kcat -J -L -b "$LAB_VIP" -t "$1" \
	    >"$LAB_DIR/kcat.json"
	cat "$LAB_DIR/kcat.json"
	grep -q "$2" "$LAB_DIR/kcat.json"
}

requests() {
	must "a reset at a request is taken" rule no-deletion reset \
	    'api=DeleteTopics'
	check "who asks for it is reset, and nobody else" step deletion-lost
	check "each reset is counted" counted no-deletion \
	    '.refused > 0 and .refused == .requests'
	check "also by the kafka layer" told requests_reset '. > 0'
	must "the rule is deleted" gone no-deletion
	check "who asks for it is let through" step deletion

	must "a rule against creations is taken" rule no-creation no_create \
	    'api=Metadata topic=auto*'
	check "who asks for a topic does not make it" step not-created
	check "it is counted" told creations_denied '. > 0'
	must "the rule is deleted" gone no-creation
	check "who asks for it makes it" step created
}

# A deny is there: without one nothing is judged.
bytes() {
	must "some deny is there" rule some deny 'api=Produce topic=none'
	check "TLS is passed on" passed tls
	check "garbage is passed on" passed garbage
	must "the listener resets what cannot be judged" unjudged reset
	check "TLS is reset, and does not reach the broker" stopped tls
	check "garbage is reset, and does not reach the broker" stopped garbage
	check "the clients go on" step read-all
	check "they have lost, and got twice, none" step read-end
	must "the rule is deleted" gone some
}

passed() {
	local before after

	before=$(count unjudged_passed) && after=$(count unjudged_reset) &&
	    says "$1" && lab_poll 10 complained &&
	    told unjudged_passed ". > $before" &&
	    told unjudged_reset ". == $after"
}

# The broker has not seen it.
stopped() {
	local before

	COMPLAINTS=$(complaints)
	before=$(count unjudged_reset) && [ "$(says "$1")" = reset ] &&
	    told unjudged_reset ". == $before + 1" &&
	    [ "$(complaints)" -eq "$COMPLAINTS" ]
}

complaints() {
	grep -c InvalidReceiveException "$LAB_DIR/kafka.log"
}

complained() {
	[ "$(complaints)" -gt "$COMPLAINTS" ]
}

# says tls|garbage: prints how it ends.
says() {
	COMPLAINTS=$(complaints)
	lab_on client timeout 60 python3 -c '
import socket, sys
kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
hello = bytes.fromhex("1603010200010001fc0303") + bytes(range(256)) * 2
with socket.create_connection((host, port), 20) as peer:
    peer.sendall(hello[:517] if kind == "tls" else b"\xff" * 600)
    try:
        print("closed" if peer.recv(65536) == b"" else "answered")
    except ConnectionResetError:
        print("reset")' "$1" "$LAB_VIP_IP" "$LAB_PORT"
}

main "$@"
