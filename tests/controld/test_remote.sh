#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A real lp-controld that is spoken to with lpctl --remote only; the certificates
# are those of lpctl pki: test_remote.sh LP_CONTROLD LPCTL
set -eu

controld=$1
lpctl=$2
# shellcheck source=tests/support/daemons.sh
. "$(dirname "$0")/../support/daemons.sh"

port=
unset LPCTL_SOCKET LPCTL_REMOTE LPCTL_TLS

# as NAME WORD...: with that certificate.
as() {
	name=$1
	shift
	"$lpctl" --remote "localhost:$port" --tls "$name" "$@"
}

listens() {
	kill -0 "$pid" 2>/dev/null || return 0
	as alice version >/dev/null 2>&1
}

# start DIRECTORY: on a port that is free.
start() {
	port=$((20000 + $$ % 10000))
	while :; do
		"$controld" --database db --socket c.sock --dataplane dp.sock \
			--kafka-clients none --metrics off \
			--listen "127.0.0.1:$port" --tls "$1" 2>>log &
		pid=$!
		until_true "an answer of lp-controld" listens
		kill -0 "$pid" 2>/dev/null && return 0
		wait "$pid" || true
		tail -n 1 log | grep -q "Address already in use" ||
			fail "it did not start"
		port=$((port + 1))
	done
}

logged() {
	grep -qF -e "$1" log
}

"$lpctl" pki init ca >/dev/null
"$lpctl" pki issue ca control --role controld --host localhost \
	--host 127.0.0.1 --out . >/dev/null
"$lpctl" pki issue ca alice --role admin --out . >/dev/null
"$lpctl" pki issue ca olga --role observer --out . >/dev/null

# What it cannot do is said, and it does not start.
expect 1 "--tls nowhere/cert.pem: No such file or directory" \
	"$controld" --database no --socket n.sock --listen 127.0.0.1 --tls nowhere
[ ! -e no ] || fail "a database was made"
expect 64 '--listen 1.2.3: "1.2.3" is not an IPv4' "$controld" --listen 1.2.3
mkdir other
cp control/* other/
chmod 644 other/key.pem
expect 1 "other/key.pem: mode 0644 lets others in" \
	"$controld" --database no --socket n.sock --listen 127.0.0.1 --tls other
expect 1 'alice/cert.pem: its role (OU) is "admin", and has to be "controld"' \
	"$controld" --database no --socket n.sock --listen 127.0.0.1 --tls alice
[ ! -e no ] || fail "a database was made"

start control

# A configuration, from nothing, and what became of it.
expect 0 "generation 2" as alice -v add-cluster payments -- \
	add-broker payments 1 10.0.2.11:9092 -- \
	add-listener payments public 10.9.0.100:9092
expect 1 'broker payments/2: endpoint' \
	as alice add-broker payments 2 10.0.2.11:9092
expect 0 '"name": "payments"' as alice -o json show
expect 0 "alice" as alice history
expect 0 "certificate until" as alice status
as alice -o json status >out
grep -qF '"clients": 1,' out || fail "nobody is connected: $(cat out)"
[ -S c.sock ] || fail "no socket for people of the machine"

# A great many in one transaction: frames, and answers, of TLS.
newline='
'
IFS=$newline
# shellcheck disable=SC2046 # a line is a word
set -- $(awk 'BEGIN {
	for (i = 0; i <= 900; i++) {
		printf("%sadd-rule\nr%d\n--priority\n1000\n--match\n",
		    i ? "--\n" : "", i)
		printf("api=Produce topic=t%d\n--action\ndeny\n", i)
	}
}')
unset IFS
as alice set-listener payments public --unjudged reset 2>>log
as alice "$@" >out 2>&1 || fail "many rules: $(tail -n 3 out)"
[ "$(as alice show | grep -c topic=t)" -eq 901 ] || fail "rules are missing"

# Roles: who may look may not touch; what is refused changes nothing.
expect 0 "payments" as olga show
before=$(as olga show | head -n 1)
expect 1 "olga" as olga del-broker payments 1
[ "$(as olga show | head -n 1)" = "$before" ] || fail "an observer has changed"

# Nobody there, and nothing here.
expect 3 "Connection refused: is lp-controld running there, with --listen?" \
	"$lpctl" --remote 127.0.0.1:1 --tls alice show
expect 3 "nobody/cert.pem: No such file or directory" as nobody show

# Revoked: known from the moment on that the list is there, and no longer in.
"$lpctl" pki revoke ca olga >/dev/null
cp ca/crl.pem control/crl.pem
kill -HUP "$pid"
until_true "the list was loaded" logged "control: certificates were loaded"
expect 3 "it says that our certificate has been revoked" as olga show
expect 0 '"why": null' as alice -o json status

# What cannot be loaded is told, and what was there goes on.
cp control/key.pem key.kept
cp alice/key.pem control/key.pem
kill -HUP "$pid"
until_true "it was refused" \
	logged "key.pem: does not fit the certificate in cert.pem"
expect 0 "does not fit the certificate in cert.pem" as alice status
cp key.kept control/key.pem

# Renewed while it runs.
mkdir new
"$lpctl" pki issue ca control --role controld --host localhost --out new \
	>/dev/null
cp new/control/cert.pem new/control/key.pem control/
kill -HUP "$pid"
lists_two() {
	[ "$(grep -cF 'control: certificates were loaded' log)" -ge 2 ]
}
until_true "the new one was loaded" lists_two
expect 3 "its certificate is for other addresses" \
	"$lpctl" --remote "127.0.0.1:$port" --tls alice show
expect 0 "payments" as alice show

# It ends, and starts again with all of it.
stop
start control
expect 0 "payments" as alice show
