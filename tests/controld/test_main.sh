#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The program itself: its options, start and end, and -n.
# test_main.sh LP_CONTROLD LPCTL GOLDEN_DIRECTORY
set -eu

controld=$1
lpctl_program=$2
golden=$3
# shellcheck source=tests/support/daemons.sh
. "$(dirname "$0")/../support/daemons.sh"

# stop SIGNAL
stop() {
	kill "$1" "$pid"
	status=0
	wait "$pid" || status=$?
	pid=
	[ "$1" = -KILL ] || [ "$status" -eq 0 ] || fail "ended with $status"
}

# What -n prints builds the same again.
start
while read -r line; do
	eval "$line" 2>/dev/null || fail "$line"
done <"$golden/everything.txt"
"$controld" --database db -n >found 2>>log
diff "$golden/everything.txt" found || fail "-n of a running daemon"
stop -TERM
[ ! -e c.sock ] || fail "the socket is still there"
"$controld" --database db --check >found 2>>log
diff "$golden/everything.txt" found || fail "-n"

# Nothing was changed by looking.
sum=$(cksum <db)
"$controld" --database db -n >/dev/null 2>>log
[ "$sum" = "$(cksum <db)" ] || fail "-n has written"

# Killed and started again: same content, the dead socket is replaced.
start
lpctl add-cluster after 2>/dev/null
stop -KILL
[ -e c.sock ] || fail "there should be a dead socket"
"$controld" --database db -n 2>>log | grep -q "add-cluster after" ||
	fail "-n does not read the log that was left"
start
lpctl list-clusters | grep -q after || fail "a stored cluster is lost"

# A second daemon: on the database, on the socket, on both.
expect 1 "is in use by another lp-controld (pid $pid)" \
	"$controld" --database db --socket d.sock
expect 1 "c.sock: another daemon serves this socket" \
	"$controld" --database db2 --socket c.sock
lpctl version >/dev/null || fail "the first daemon has suffered"
stop -INT

# Epochs: of the same unit file, at each start.
start --epoch 7
lpctl status | grep -q "epoch 7" || fail "--epoch 7"
stop -TERM
start --epoch 7
lpctl status | grep -q "epoch 8" || fail "--epoch 7, again"
stop -TERM

# Clusters that are asked, by files that are looked at all the time.
mkdir clients
echo "sasl.password=a-hidden-one" >clients/after.conf
chmod 644 clients/after.conf
: >clients/nobody.conf
start --kafka-clients clients --poll-interval 5
until_says "clients/after.conf: mode 0644 lets others in" lpctl status
chmod 600 clients/after.conf
until_says "clients/after.conf: has no bootstrap.servers" lpctl status
echo "no.such=a-hidden-one" >>clients/after.conf
until_says "clients/after.conf:2: no.such: No such configuration property" \
	lpctl status
sed -i '$d' clients/after.conf
printf '%s\n' bootstrap.servers=here test.mock.num.brokers=3 \
	>>clients/after.conf
until_says "asked by lp-controld: 3 brokers" lpctl status
grep -qF "lpctl add-broker after 3 127.0.0.1:" said ||
	fail "no command for a broker: $(cat said)"
# While it runs: what it has written may still lie in the log of the database.
! grep -F a-hidden-one log db* said || fail "a password is told"
rm clients/after.conf
stop -TERM
grep -qF "clients/nobody.conf: there is no cluster nobody: used when there is" \
	log || fail "nothing of a file without a cluster"

# Bad words and files.
expect 64 "--epoch x: not a number" "$controld" --epoch x
expect 64 "--epoch 0: not a number" "$controld" --epoch 0
expect 64 "--poll-interval 4: not a number from 5 to 3600" \
	"$controld" --poll-interval 4
expect 64 "--poll-interval 30s: not a number from 5 to 3600" \
	"$controld" --poll-interval 30s
expect 1 "--kafka-clients nix: No such file or directory" \
	"$controld" --database db --socket c.sock --kafka-clients nix
expect 1 "--kafka-clients log: Not a directory" \
	"$controld" --database db --socket c.sock --kafka-clients log
expect 64 "--metrics nowhere: " "$controld" --metrics nowhere
expect 64 "--metrics 127.0.0.1: " "$controld" --metrics 127.0.0.1
expect 64 "--metrics localhost:9464: " "$controld" --metrics localhost:9464
expect 64 "--metrics 127.0.0.1:65536: " "$controld" --metrics 127.0.0.1:65536
expect 1 "--metrics 192.0.2.1:9464: Cannot assign requested address" \
	"$controld" --database db --socket c.sock --metrics 192.0.2.1:9464
expect 64 "is given twice" "$controld" --dataplane a --dataplane a
expect 64 "--dataplane tls://a:b: " "$controld" --dataplane tls://a:b
expect 64 "--dataplane edge:0: " "$controld" --dataplane edge:0
expect 64 "--dataplane a b:1: " "$controld" --dataplane "a b:1"
# One of another machine is reached over TLS.
expect 1 "--tls nix/cert.pem: No such file or directory" \
	"$controld" --database db --socket c.sock --dataplane edge:1 --tls nix
expect 64 "unrecognized option" "$controld" --nonsense
expect 64 "Too many arguments" "$controld" what
expect 1 "nix: No such file or directory" "$controld" -n --database nix
echo "this is no database, and long enough to be looked at" >bad
expect 1 "bad: is no SQLite database" "$controld" -n --database bad
expect 1 "bad: is no SQLite database" \
	"$controld" --database bad --socket c.sock
expect 1 "is not a file" "$controld" --database . --socket c.sock
expect 1 "--group no-such-group: there is no such group" \
	"$controld" --database db --socket c.sock --group no-such-group
expect 0 "lp-controld " "$controld" --version
