#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who comes from another machine may do what his certificate lets him, or is
# not let in with it: test_roles.sh LPCTL LP_CONTROLD PKI_THEN
set -u

lpctl=$1 controld=$2 then=$3
# shellcheck source=tests/support/daemons.sh
. "$(dirname "$0")/../support/daemons.sh"
port=''

must()
{
	"$@" >out 2>&1 || fail "$*: status $?: $(cat out)"
}

# as NAME WORD...: lpctl from afar, with that certificate.
as()
{
	local name=$1
	shift
	"$lpctl" --remote "127.0.0.1:$port" --tls "ca/$name" "$@"
}

# may NAME WORD...: whatever comes of it, it is not for the role.
may()
{
	as "$@" >out 2>&1
	! grep -qF 'may not' out || fail "$*: $(cat out)"
}

may_not()
{
	local request=$1
	shift
	expect 1 "may not: $request (see lpctl(8), ROLES)" as "$@"
}

# Somebody else may take the port before we do.
start()
{
	local tries

	for tries in 1 2 3 4 5; do
		port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
		"$controld" --database db --socket sock --dataplane none.sock \
			--kafka-clients . --metrics off --tls ca/edge \
			--listen "127.0.0.1:$port" "$@" 2>>log &
		pid=$!
		until "$lpctl" --socket sock version >out 2>&1; do
			kill -0 "$pid" 2>/dev/null || continue 2
			sleep 0.05 # polls
		done
		return
	done
	fail "it does not start, $tries times"
}

must "$lpctl" pki init ca
must "$lpctl" pki issue ca edge --role controld --host 127.0.0.1
must "$lpctl" pki issue ca plane --role dataplane --host 127.0.0.1
for role in admin operator observer; do
	must "$lpctl" pki issue ca "$role" --role $role
done
must "$lpctl" pki issue ca leaver --role admin
must "$then" ca expired admin
must "$lpctl" pki init other
must "$lpctl" pki issue other mallory --role admin
mkdir ca/mallory ca/imposter
cp other/mallory/*.pem ca/mallory
cp ca/ca.pem ca/mallory/ca.pem
rm ca/mallory/crl.pem
# A daemon that is not of our authority, to those who are.
cp ca/observer/*.pem ca/imposter
rm ca/imposter/crl.pem
cp other/ca.pem ca/imposter/ca.pem
start

# Each role, from what it may to what it may not.
expect 0 '"generation": 1' as observer -o json status
for line in show history 'list-rules' version; do
	expect 0 '' as observer "$line"
done
for line in stats connections clients rule-stats; do
	may observer "$line"
done
may_not denials observer denials
may_not trace observer trace --port front --from 10.9.0.7:51000 \
	--to 10.9.0.100:9092
may_not capture observer capture -w x.pcapng
[ ! -e x.pcapng ] || fail "a capture that is refused writes a file"
may_not transaction observer add-cluster a
may_not rollback observer rollback 1
may_not audit observer audit
may_not backup observer db backup x.db
[ ! -e x.db ] || fail "a backup that is refused writes a file"

may operator denials
may operator trace --port front --from 10.9.0.7:51000 --to 10.9.0.100:9092
may_not transaction operator add-cluster a
may_not confirm operator confirm
may_not backup operator db backup x.db
may_not audit operator audit

expect 0 '' as admin add-cluster by-admin
expect 0 '"name": "by-admin"' as observer -o json list-clusters
expect 0 '' as admin rollback
expect 1 'no change waits to be confirmed' as admin confirm
expect 0 '' as admin db backup x.db
[ -s x.db ] || fail "there is no backup"

# Who is not let in, or for nothing.
may_not status edge status
expect 3 '' as plane status
expect 3 'expired' as expired status
expect 3 '' as mallory status
expect 3 '' as imposter status
grep -qiE 'authority|issuer|CA|signed' out ||
	fail "why the daemon is not trusted: $(cat out)"

# Who leaves is shut out as soon as the list is there.
expect 0 '' as leaver status
must "$lpctl" pki revoke ca leaver
cp ca/crl.pem ca/edge/crl.pem
kill -HUP "$pid"
until_says 'revoked' as leaver status
expect 3 'revoked' as leaver add-cluster by-leaver
expect 0 '' as admin status

# Another authority takes over: of the same name, and both are trusted for now.
must "$lpctl" pki issue other heir --role observer
must "$lpctl" pki issue other ghost --role observer
must "$lpctl" pki revoke other ghost
for name in edge heir ghost; do
	[ $name = edge ] || cp -r other/$name ca/$name
	cat ca/ca.pem other/ca.pem >both.pem
	cp both.pem ca/$name/ca.pem
	cat ca/crl.pem other/crl.pem >ca/$name/crl.pem
done
rm ca/ghost/crl.pem
kill -HUP "$pid"
until_says '"generation"' as heir -o json status
expect 3 'revoked' as ghost status
expect 3 'revoked' as leaver status
expect 0 '' as admin status

# All of that is written down, but for what only looks.
"$lpctl" --socket sock -o json audit --limit 0 >audit.json
python3 - <<'P' || fail "audit: $(cat audit.json)"
import json
rows = json.load(open("audit.json"))["rows"]
seen = [(r["who"], r["role"], r["request"], r["result"]) for r in rows]
wanted = [("admin", "admin", "backup", "done"),
          ("admin", "admin", "rollback", "done"),
          ("admin", "admin", "confirm", "refused"),
          ("admin", "admin", "transaction", "done"),
          ("operator", "operator", "confirm", "forbidden"),
          ("operator", "operator", "audit", "forbidden"),
          ("observer", "observer", "transaction", "forbidden"),
          ("edge", "controld", "status", "forbidden")]
for row in wanted:
    assert row in seen, row
assert not [s for s in seen if s[2] in ("show", "version", "history")], seen
assert not [s for s in seen if s[0] in ("leaver", "expired", "mallory")], seen
assert all(r["from"].startswith("127.0.0.1:") for r in rows), rows
done = [r for r in rows if r["request"] == "transaction"
        and r["result"] == "done"]
assert len(done) == 1 and done[0]["generation"] == 2, done
assert done[0]["text"].endswith("add-cluster by-admin"), done
P
grep -qE 'audit who="observer" from=127.0.0.1:[0-9]+ role=observer request=transaction result=forbidden' log ||
	fail "the log has no line of it"
stop

# The file of roles alone decides, for the next request.
echo 'observer admin
* none' >roles
start --roles roles
expect 0 '' as observer add-cluster by-file
expect 1 'admin has no role' as admin status
echo 'observer admin
admin operater' >roles
kill -HUP "$pid"
until_says 'roles:2: "operater" is no role (did you mean operator?)' cat log
expect 0 '' as observer status
echo 'admin operator' >roles
kill -HUP "$pid"
until_says 'observer has no role' as observer status
may_not transaction admin add-cluster a
stop
chmod 666 roles
expect 1 'roles roles: mode 0666 lets others write it' "$controld" \
	--database db --socket sock --dataplane none.sock --metrics off \
	--roles roles
