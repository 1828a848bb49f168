#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files and lp-controld, without a dataplane and without privileges:
# test_lpctl_apply.sh LPCTL LP-CONTROLD EXAMPLES
set -u

lpctl=$1
controld=$2
examples=$3
# shellcheck source=tests/cli/lpctl.sh
. "$(dirname "$0")/lpctl.sh"

# changes_nothing STATUS WORD...: whatever that run says.
changes_nothing()
{
	"$lpctl" -o json show >"$dir/before"
	run "$@"
	"$lpctl" -o json show >"$dir/after"
	cmp -s "$dir/before" "$dir/after" || fail "lpctl $*: stored something"
}

mkdir "$dir/conf.d"
cd "$dir" || exit 1
cp "$examples/payments.yaml" conf.d

# ---- what needs no lp-controld fails before it is asked -------------------
run 2 apply
says 'needs --file PATH'
run 2 apply -f conf.d --confirm 2h
says '--confirm: "2h" is no time from 1s to 1h'
run 3 apply -f conf.d
daemon controld "$controld" --database "$dir/db" --socket "$LPCTL_SOCKET" \
	--dataplane "$dir/dataplane.sock" --metrics off
await "$lpctl" version

# ---- nothing, all of it, nothing more -------------------------------------
changes_nothing 7 diff -f conf.d
prints '+ rule nobody-deletes-topics: priority 200, match api=DeleteTopics,DeleteRecords, action deny'
prints '9 to add, 0 to change, 0 to delete, 0 as declared'
changes_nothing 0 apply -f conf.d --dry-run
prints '9 to add, 0 to change, 0 to delete, 0 as declared; dry run: nothing was sent'
run 0 apply -f conf.d --wait
prints 'generation 2: stored'
changes_nothing 0 apply -f conf.d --prune
prints 'no changes: generation 2 is as declared'
changes_nothing 0 diff -f conf.d --prune
run 0 history
grep -q 'apply -f conf.d --wait' out || fail "history does not have it"

# What is exported is what there is.
"$lpctl" export >exported.yaml
changes_nothing 0 diff -f exported.yaml --prune
"$lpctl" diff -f - --prune <exported.yaml >out 2>err || fail 'diff -f -'

# As a shell writes them: with and without -f.
changes_nothing 0 diff exported.yaml --prune
changes_nothing 0 apply --prune -f conf.d/*.yaml

# ---- what differs, and only that ------------------------------------------
"$lpctl" -o json show >ids
sed -e 's/priority: 100/priority: 150/' -e 's/10.0.2.13:9092/10.0.2.23:9093/' \
	"$examples/payments.yaml" >conf.d/payments.yaml
run 7 diff -f conf.d
prints '~ broker payments/3: endpoint 10.0.2.13:9092 -> 10.0.2.23:9093'
prints '~ rule batch-at-night-only: priority 100 -> 150'
prints '0 to add, 2 to change, 0 to delete, 7 as declared'
run 0 -o json apply -f conf.d
grep -q '"generation": 3' out || fail 'no "generation": 3'
grep -q '"file": "conf.d/payments.yaml"' out || fail 'no "file"'
"$lpctl" -o json show >ids.after
[ "$(grep '"id"' ids)" = "$(grep '"id"' ids.after)" ] || fail "other ids"

# ---- files that are wrong change nothing ----------------------------------
sed 's/api: Produce/apy: Produce/' conf.d/payments.yaml >wrong.yaml
changes_nothing 1 apply -f wrong.yaml
says 'wrong.yaml:16:33: error: match: there is no field apy: did you mean api?'
says '1 error in 1 file: nothing was changed'
# Only where something else is there.
sed 's/vip: 10.9.0.100/vip: 10.9.0.10/' conf.d/payments.yaml >wrong.yaml
changes_nothing 1 diff -f wrong.yaml
says 'wrong.yaml:12:25: error: vip: 10.9.0.10 is already an address of port front'
# Of what stays as it is, where that is; or what it is, if it is not in them.
sed 's,10.0.2.10/24,10.0.3.10/24,' conf.d/payments.yaml >wrong.yaml
changes_nothing 1 diff -f wrong.yaml
says 'wrong.yaml:8:23: error: endpoint: no port on the broker side leads to 10.0.2.11'
printf '%s\n' 'lightpath: 1' 'owner: x' 'ports:' \
	'  - {name: front, device: eth1, addresses: [10.9.0.10/24]}' \
	'  - {name: back, device: eth2, addresses: [10.0.3.10/24]}' >wrong.yaml
changes_nothing 1 diff -f wrong.yaml
says 'wrong.yaml:4:12: error: broker payments/1: endpoint: no port'
sed '/vip:/s/{.*/{name: public, mode: inline}/' conf.d/payments.yaml \
	>wrong.yaml
changes_nothing 1 apply -f wrong.yaml
says 'wrong.yaml:12:26: error: listener payments/public is there, and vip, which it stays: delete it, then add it anew'
run 0 add-rule by-hand --priority 7 --match 'listener=payments/public' \
	--action allow
printf 'owner: team-a\nlightpath: 1\n' >empty.yaml
changes_nothing 0 apply -f empty.yaml --prune
changes_nothing 1 apply -f empty.yaml -f missing.yaml --prune
says 'missing.yaml'

# ---- owners ---------------------------------------------------------------
cat >team-a.yaml <<END
lightpath: 1
owner: team-a
cluster: payments
rules:
  - {name: by-hand, priority: 7, match: {listener: payments/public}, action: allow}
  - {name: a-1, priority: 8, match: {src: 10.66.0.0/16}, action: reset}
END
sed -e 's/team-a/team-b/' -e 's/a-1/b-1/' -e '/by-hand/d' -e '/cluster/d' \
	team-a.yaml >team-b.yaml
run 0 apply -f team-a.yaml -f team-b.yaml --prune
prints '~ rule by-hand: owner none -> team-a'
prints '2 to add, 1 to change, 0 to delete, 1 as declared'
sed 's/team-a/team-b/' team-a.yaml >wrong.yaml
changes_nothing 1 apply -f wrong.yaml --prune
says 'wrong.yaml:5:12: error: rule by-hand is there, and of owner team-a'
sed '/a-1/d' team-a.yaml >less.yaml
run 0 apply -f less.yaml
prints 'no changes: generation 5 is as declared'
run 0 apply -f less.yaml --prune
prints '- rule a-1'
prints '0 to add, 0 to change, 1 to delete, 2 as declared'
# The whole: what is not in it goes, whosever it is.
changes_nothing 7 diff -f conf.d --prune
prints '- rule by-hand'
prints '- rule b-1'
prints '0 to add, 0 to change, 2 to delete, 9 as declared'

# ---- of two at once one wins ------------------------------------------------
echo '  - {name: b-2, priority: 9, match: {src: 10.67.0.0/16}, action: reset}' \
	>>team-b.yaml
python3 "$(dirname "$0")/late_relay.py" "$dir/late.sock" "$LPCTL_SOCKET" \
	"$lpctl" add-cluster first 2>"$dir/relay.log" &
pid=$!
pids="$pid $pids"
# Each look takes as long as it takes to get there.
await python3 -c 'import os, sys; sys.exit(not os.path.exists("late.sock"))'
run 6 --socket "$dir/late.sock" apply -f team-b.yaml
kill $pid 2>/dev/null
wait $pid 2>/dev/null
pids=${pids#"$pid "}
says 'another change came first: generation 7 is desired now'
says 'add-cluster first'
says 'nothing was stored: run it again'
run 7 diff -f team-b.yaml
prints '+ rule b-2: priority 9, match src=10.67.0.0/16, action reset, owner team-b'
run 0 apply -f team-b.yaml

# ---- very many -------------------------------------------------------------
i=0
{
	printf 'lightpath: 1\nowner: many\nrules:\n'
	while [ $i -lt 5000 ]; do
		echo "  - {name: r$i, priority: $i, match: {client_id: c$i}," \
			"action: {limit: {requests_per_second: 9}}, shadow: true}"
		i=$((i + 1))
	done
} >many.yaml
run 0 apply -f many.yaml --prune
prints '... and 4800 more, which "lpctl diff" shows'
prints 'generation 9: stored'
run 0 diff -f many.yaml --prune
sed '/r1000,/s/shadow: true/shadow: false/; /r7,/d' many.yaml >fewer.yaml
run 0 apply -f fewer.yaml --prune
prints '~ rule r1000: shadow true -> false'
prints '0 to add, 1 to change, 1 to delete, 4998 as declared'

# ---- what nobody confirms goes back ----------------------------------------
sed 's/priority: 9/priority: 10/' team-b.yaml >wait.yaml
run 0 apply -f wait.yaml --confirm 1h
prints 'generation 11: stored'
prints 'It is rolled back in 3600 s, unless it is confirmed: lpctl confirm 11'
changes_nothing 6 apply -f team-b.yaml
says 'generation 11 by '
says 'waits to be confirmed'
# What is as declared may be taken back: that is said; and no more waits then.
run 0 -o json apply -f wait.yaml --confirm 60s
says 'generation 11 waits to be confirmed, or generation 10 comes back'
grep -q '"confirm_s": null' out || fail "nothing was sent: nothing waits"
run 0 diff -f wait.yaml
says 'generation 11 waits to be confirmed, or generation 10 comes back'
run 0 confirm
run 0 diff -f wait.yaml
! grep -q 'to be confirmed' "$dir/err" || fail "it is confirmed"

exit $failed
