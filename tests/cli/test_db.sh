#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copies of a database in use, and one that takes its place:
# test_db.sh LPCTL LP_CONTROLD
set -eu

lpctl_program=$1
controld=$2
command -v jq >/dev/null || { echo 'skipped: no jq' && exit 77; }
# shellcheck source=tests/support/daemons.sh
. "$(dirname "$0")/../support/daemons.sh"

start --metrics off
lpctl add-cluster payments -- add-rule r --priority 1 \
	--match principal=User:x --action deny >out 2>&1 || fail "$(cat out)"
# Many pieces, and more than the daemon lets a client leave unread.
for i in 1 2 3 4 5 6 7 8 9; do
	lpctl set-cluster payments --name "payments-$i" -- set-cluster \
		"payments-$i" --name payments -- add-cluster "c$i" \
		>out 2>&1 || fail "$(cat out)"
done

lpctl db backup one.db >out || fail "backup: $(cat out)"
grep -q '^one.db: copied, [0-9]* bytes$' out || fail "says: $(cat out)"
[ "$(stat -c %a one.db)" = 600 ] || fail "mode $(stat -c %a one.db)"
[ ! -e one.db.partial ] || fail "its partial file is still there"
lpctl db verify one.db >out || fail "verify: $(cat out)"
grep -q '^one.db: good, ' out || fail "says: $(cat out)"
lpctl -o json db verify one.db >out
[ "$(jq -r '.action + " " + (.generation | tostring)' out)" = "verify 11" ] ||
	fail "json: $(cat out)"

expect 1 "one.db: is there already" lpctl db backup one.db
expect 1 "nowhere/x.db.partial: No such file" lpctl db backup nowhere/x.db
expect 1 "log: is no SQLite database" lpctl db verify log
expect 2 "backup, verify, or restore" lpctl db copy one.db
expect 2 "options of db restore without --database" \
	lpctl db restore one.db --database db --dry-run
expect 2 "is an option of db restore" lpctl db verify one.db --database db
expect 1 "is in use by another lp-controld (pid $pid)" \
	lpctl db restore one.db --database db

# What it was becomes what it is, and goes on from there.
lpctl del-cluster c9 -- del-cluster c8 -- add-cluster new >out 2>&1 ||
	fail "$(cat out)"
lpctl db restore one.db --dry-run >out 2>&1 || fail "dry run: $(cat out)"
grep -qx '+ cluster c9' out && grep -qx -e '- cluster new' out ||
	fail "dry run says: $(cat out)"
[ "$(grep -c 'warning: .* without User:' out)" = 1 ] ||
	fail "does not warn once: $(cat out)"
lpctl list-clusters | grep -q '^new ' || fail "a dry run restores"
lpctl db restore one.db >out 2>&1 || fail "restore: $(cat out)"
lpctl list-clusters | grep -q '^c8 ' || fail "c8 is not back"
! lpctl list-clusters | grep -q '^new ' || fail "new is still there"
lpctl db restore one.db >out 2>&1 || fail "again: $(cat out)"
grep -q '^no changes' out || fail "again: $(cat out)"
expect 1 "log: is no SQLite database" lpctl db restore log

lpctl del-cluster c9 >out 2>&1 || fail "$(cat out)"
stop
expect 3 "c.sock" lpctl db backup two.db
[ ! -e two.db ] && [ ! -e two.db.partial ] || fail "there is half a copy"
"$lpctl_program" db restore one.db --database db >out || fail "$(cat out)"
grep -q '^db: restored from one.db$' out || fail "says: $(cat out)"
start --metrics off
lpctl list-clusters | grep -q '^c9 ' || fail "c9 is not back"
lpctl -o json history --limit 1 | jq -e '.generations[0].generation == 15 and
	(.generations[0].comment | startswith("restored from "))' >/dev/null ||
	fail "history: $(lpctl history --limit 1)"
stop
