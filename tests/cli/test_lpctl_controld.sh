#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lpctl and lp-controld together, without a dataplane and without privileges:
# test_lpctl_controld.sh LPCTL LP-CONTROLD
set -u

lpctl=$1
controld=$2
# shellcheck source=tests/cli/lpctl.sh
. "$(dirname "$0")/lpctl.sh"

start()
{
	daemon controld "$controld" --database "$dir/db" \
		--socket "$LPCTL_SOCKET" --dataplane "$dir/dataplane.sock"
	await "$lpctl" version
}

# refused TEXT [WORD]...: status 1, that text, and nothing stored.
refused()
{
	text=$1
	shift
	"$lpctl" -o json show >"$dir/before" 2>/dev/null
	run 1 "$@"
	says "$text"
	"$lpctl" -o json show >"$dir/after" 2>/dev/null
	cmp -s "$dir/before" "$dir/after" || fail "lpctl $*: stored something"
}

run 3 show
says "$LPCTL_SOCKET: No such file or directory"
start

# ---- everything is added, in one transaction -----------------------------
run 0 show
prints 'generation 1 (empty)'
run 0 -v add-port front --device lpt0 --address 10.9.0.10/24 --side client \
	-- add-port back --device lpt1 --address 10.0.2.10/24 \
	--address fd00:2::10/64 --gateway 10.0.2.1 --side broker \
	-- add-cluster payments \
	-- add-broker payments 1 10.0.2.11:9092 \
	-- add-broker payments 2 10.0.2.12:9092 \
	-- add-listener payments public 10.9.0.100:9092
prints 'generation 2 stored'
says 'limits this listener to 1 x 64512 connections'
cat >"$dir/want" <<END
generation 2
port front
    device lpt0, backend af_xdp, side client
    address 10.9.0.10/24
port back
    device lpt1, backend af_xdp, side broker
    address 10.0.2.10/24
    address fd00:2::10/64
    gateway 10.0.2.1
cluster payments
    broker 1: 10.0.2.11:9092
    broker 2: 10.0.2.12:9092
    listener public: 10.9.0.100:9092, mode vip, source address translate
        broker 1 at 10.9.0.100:9094
        broker 2 at 10.9.0.100:9095
END
run 0 show
diff -u "$dir/want" "$dir/out" || fail 'show differs'

# ---- where brokers are reached -----------------------------------------------
refused 'listener payments/public: rewrite: on needs kafka observe' \
	set-listener payments public --kafka off
refused 'advertise: "kafka_1.example" is no host name' \
	set-listener payments public --advertise kafka_1.example
refused 'advertise: "k*.example.com" is no host name' \
	set-listener payments public --advertise 'k*.example.com'
refused "advertise: \"*k.example.com\" is no pattern: behind '*'" \
	set-listener payments public --advertise '*k.example.com'
refused 'there is no listener publik in its cluster (did you mean public?)' \
	set-broker payments 1 --endpoint publik=10.9.0.101:9092
refused '10.9.0.100:9092 is already the endpoint of listener payments/public' \
	set-broker payments 1 --endpoint public=10.9.0.100:9092
run 0 set-broker payments 1 --endpoint public=10.9.0.101:9092 \
	-- add-broker payments 70000 10.0.2.13:9092
says 'note: listener payments/public: has no endpoint for broker 70000: 9093 + 70000 is no TCP port'
says 'lpctl set-broker payments 70000 --endpoint public=ADDRESS:PORT'
run 0 show
prints '        broker 1 at 10.9.0.101:9092, chosen'
prints '        broker 70000 has no endpoint: 9093 + 70000 is no TCP port'
run 0 status
grep -q '^warning: listener payments/public: has no endpoint for broker 70000' \
	"$dir/out" || fail 'status does not warn'
stop
start
run 0 set-broker payments 70000 --endpoint public=10.9.0.107:9092
run 0 show
prints '        broker 1 at 10.9.0.101:9092, chosen'
prints '        broker 70000 at 10.9.0.107:9092, chosen'
run 0 set-broker payments 1 --endpoint public= -- del-broker payments 70000
run 0 status
grep -q '^warning' "$dir/out" && fail 'status goes on warning'
run 0 show
sed 's/^generation .*/generation 2/' "$dir/out" | diff -u "$dir/want" - ||
	fail 'show differs in the end'

# ---- the same again --------------------------------------------------------
run 0 add-port front --device lpt0 --address 10.9.0.10/24 --side client \
	--may-exist
run 0 add-cluster payments --may-exist
run 0 add-broker payments 1 10.0.2.11:9092 --may-exist
run 0 add-listener payments public 10.9.0.100:9092 --may-exist
run 0 del-port nothing --if-exists
run 0 del-broker payments 7 --if-exists
run 0 del-listener payments nothing --if-exists
run 0 del-cluster nothing --if-exists

# ---- lists ------------------------------------------------------------------
run 0 list-ports
prints 'front  lpt0    af_xdp   client  10.9.0.10/24'
prints 'front  unknown  -       -       -       -     -'
prints 'no dataplane is connected: see lpctl status'
run 0 list-clusters
prints 'payments        2          1  off       -'
run 0 list-brokers payments
prints 'payments       2  10.0.2.12:9092  10.0.2.12  manual'
run 0 list-listeners
prints 'payments  public    vip   translate  observe  on       -         9093  2          10.9.0.100:9095  -'
run 1 list-brokers nothing
says 'there is no cluster "nothing"'
run 0 -o json list-brokers payments
grep -q '"endpoint": "10.0.2.12:9092"' "$dir/out" || fail 'JSON list'
run 0 status
grep -q '^lp-controld ' "$dir/out" || fail 'status'
grep -q 'dataplane.sock' "$dir/out" || fail 'status names no dataplane'
run 0 version
grep -q '^lp-controld ' "$dir/out" || fail 'version'
run 3 stats
says 'no dataplane is connected'
run 3 connections --limit 5
says 'no dataplane is connected'
run 3 stats kafka
says 'no dataplane is connected'
run 3 clients --dataplane nobody
says 'no dataplane of this name is connected'
run 3 -o json topics --sort p99
says 'no dataplane is connected'
run 3 stats --dataplane nobody
says 'no dataplane of this name is connected'

# ---- the same cluster, by other listeners -----------------------------------
refused 'there is no cluster payment (did you mean payments?)' \
	add-cluster paid --same-as payment
run 0 add-cluster paid --same-as payments
run 0 list-clusters
prints 'paid            0          0  off       payments'
run 0 show
prints '    the same as payments'
refused 'delete first: ' del-cluster payments
stop
start
run 0 -o json list-clusters
grep -q '"same_as": "payments"' "$dir/out" || fail 'JSON of the same'
run 0 set-cluster paid --same-as none
run 0 list-clusters
prints 'paid            0          0  off       -'
run 0 del-cluster paid

# ---- what was changed, and by whom --------------------------------------------
run 0 history --limit 1
grep -q -E '^ +[0-9]+  20.*Z  uid .*  del-cluster paid$' "$dir/out" ||
	fail 'the last change is not in the history'
grep -q '^GENERATION  TIME ' "$dir/out" || fail 'no titles of the history'
[ "$(wc -l <"$dir/out")" -eq 2 ] || fail 'a history of more than one'
run 0 -o json history --limit 0
grep -q '"comment": "the database was made"' "$dir/out" ||
	fail 'the history does not go back to its beginning'
run 2 history --limit x

# ---- rules --------------------------------------------------------------------
run 0 add-rule scan --priority 900 --match 'src=10.66.0.0/16' --action reset \
	-- add-rule all --priority 5 --match '' --action observe \
	-- add-rule slow --priority 400 --match 'topic=audit.* api=produce' \
	--action 'limit bytes=50MB/s' --shadow
run 0 list-rules
prints '     400  slow  on      limit bytes=50MB/s  api=Produce topic=audit.*'
run 3 denials
says 'no dataplane is connected'
run 1 denials all slo --follow
says 'there is no rule slo (did you mean slow?)'
run 0 set-rule slow --name slower --priority 1
refused 'set-rule slower: action: limit, by group=' \
	set-rule slower --shadow off --match 'group=audit.*'
refused 'add-rule r: match: acts on requests of listener p' add-rule r \
	--priority 7 --match 'api=Fetch cluster=payments' --action allow
run 0 set-listener payments public --unjudged reset
run 0 add-rule r --priority 7 --match 'api=Fetch listener=payments/public' \
	--action allow
refused 'del-listener payments/public: delete first: rule r' \
	del-listener payments public
refused 'command 2: del-rule rr: there is no rule rr (did you mean r?)' \
	add-cluster x -- del-rule rr
run 0 set-rule r --priority 1000 --match 'listener=payments/public' \
	-- add-rule never --priority 999 \
	--match 'listener=payments/public src=10.0.0.0/8' --action reset
says 'note: rule never: can never match: hidden by rule r (priority 1000)'
run 0 del-rule r -- del-rule never

# ---- set --------------------------------------------------------------------
run 0 set-port back --gateway none --side both
run 0 set-cluster payments --name pay
run 0 set-broker pay 2 10.0.2.22:9093
run 0 set-listener pay public --source-address preserve --kafka off \
	--rewrite off --name outer --advertise kafka.example.com
run 0 show
prints 'cluster pay'
prints '    broker 2: 10.0.2.22:9093'
prints '    listener outer: 10.9.0.100:9092, mode vip, source address preserve, kafka off, rewrite off, advertised as kafka.example.com, unjudged reset'
prints '        broker 2 at 10.9.0.100:9095'
prints '    device lpt1, backend af_xdp, side both'
grep -q gateway "$dir/out" && fail 'the gateway is still there'
run 0 set-listener pay outer --advertise '*.k.example.com'
run 0 show
prints '    listener outer: 10.9.0.100:9092, mode vip, source address preserve, kafka off, rewrite off, advertised as *.k.example.com, unjudged reset'
run 0 set-cluster pay --name payments \
	-- set-listener payments outer --name public --source-address translate \
	--advertise none
run 0 -o json set-port back --gateway 10.0.2.1
grep -q '"connected": 0' "$dir/out" || fail 'JSON of a change'
grep -q '"notes": \[' "$dir/out" || fail 'JSON of a change'

# ---- the MTU: of dpdk only, and only until it is taken away ------------------
run 0 set-port back --backend dpdk --device net_memif0,role=client --mtu 9000 \
	-- set-port front --backend dpdk --device 0000:03:00.0
run 0 show
prints '    device net_memif0,role=client, backend dpdk, side both'
prints '    MTU 9000'
run 0 -o json list-ports
grep -q '"live": \[\]' "$dir/out" || fail 'JSON says what does not run'
grep -q '"why": "no dataplane is connected' "$dir/out" || fail 'JSON: no why'
grep -q '"mtu": 9000' "$dir/out" || fail 'JSON has no MTU'
grep -q '"mtu": null' "$dir/out" || fail 'JSON has an MTU that was not set'
refused 'set-port back: mtu: a port of af_xdp has the MTU of its device: ip ' \
	set-port back --backend af_xdp --device lpt1
run 0 set-port back --mtu none
run 0 show
grep -q MTU "$dir/out" && fail 'the MTU is still there'
run 0 set-port back --backend af_xdp --device lpt1 \
	-- set-port front --backend af_xdp --device lpt0

# ---- refused, and nothing stored --------------------------------------------
refused 'add-cluster payments: ' add-cluster payments
refused 'add-port front: ' add-port front --device x --address 10.9.9.9/24
refused 'add-port third: device: ' \
	add-port third --device lpt0 --address 10.9.9.9/24
refused 'add-port third: address: ' \
	add-port third --device lpt3 --address 10.9.0.10/24
refused 'add-port third: address: ' \
	add-port third --device lpt3 --address 224.0.0.1/24
refused 'add-port third: mtu: "9601" is no MTU' \
	add-port third --device net_tap0 --address 10.7.0.1/24 --backend dpdk \
	--mtu 9601
refused 'add-port third: mtu: a port of af_xdp has the MTU of its device: ip ' \
	add-port third --device lpt3 --address 10.7.0.1/24 --mtu 9000
refused 'add-port third: device: eth1 is no device of DPDK: say --device ' \
	add-port third --device eth1 --address 10.7.0.1/24 --backend dpdk
refused 'add-port third: device: eth_tap0 is a name of old' \
	add-port third --device eth_tap0 --address 10.7.0.1/24 --backend dpdk
refused 'add-port third: device: has no spaces' add-port third \
	--device 'net_tap0,iface=a b' --address 10.7.0.1/24 --backend dpdk
refused 'add-port third: backend: AF_XDP and DPDK ports cannot be mixed in one dataplane: port front is af_xdp, port third is dpdk' \
	add-port third --device net_tap0 --address 10.7.0.1/24 --backend dpdk
refused 'device: is already taken by port front' \
	set-port front --backend dpdk --device net_tap0,a \
	-- set-port back --backend dpdk --device net_tap0,b
refused 'add-broker payments/1: ' add-broker payments 1 10.0.2.11:9092
refused 'add-broker nothing/1: ' add-broker nothing 1 10.0.2.11:9092
refused 'add-broker payments/3: endpoint: ' \
	add-broker payments 3 10.9.0.100:9092
refused 'add-listener payments/public: ' \
	add-listener payments public 10.9.0.101:9092
refused 'add-listener payments/two: vip: ' \
	add-listener payments two 10.9.0.100:9092
refused 'add-listener payments/two: vip: ' \
	add-listener payments two 10.9.0.10:9092
refused 'add-listener payments/two: ' \
	add-listener payments two 10.9.0.100:9000 --broker-base 9090
refused 'add-listener payments/two: ' \
	add-listener payments two '[fd00:9::1]:9092'
refused 'del-port nothing: ' del-port nothing
refused 'del-cluster payments: ' del-cluster payments
refused 'set-broker payments/9: ' set-broker payments 9 10.0.2.19:9092
refused 'set-listener payments/nothing: ' \
	set-listener payments nothing --broker-base 9999
refused 'command 2: add-broker later/1: ' add-cluster later \
	-- add-broker later 1 10.0.2.300:9092
refused 'command 3: add-cluster later: ' add-cluster later \
	-- add-broker later 1 10.0.3.1:9092 -- add-cluster later
refused 'command 2: del-cluster payments: ' del-broker payments 2 \
	-- del-cluster payments

# ---- usage, and a socket that is taken --------------------------------------
run 2 add-port front
run 2 add-cluster a -- show
"$controld" --database "$dir/db2" --socket "$LPCTL_SOCKET" \
	--dataplane "$dir/dataplane.sock" >"$dir/out" 2>"$dir/err" \
	</dev/null && fail 'a second lp-controld took the socket'
run 0 show

# ---- names that exist are completed -----------------------------------------
run 0 --complete del-broker payments ''
prints 1
prints 2
run 0 --complete del-rule s
prints scan
prints slower

# ---- the configuration as a file --------------------------------------------
run 0 export
cp "$dir/out" "$dir/exported"
prints 'lightpath: 1'
prints 'cluster: payments'
prints '  - {id: 1, endpoint: 10.0.2.11:9092}'
run 0 export
cmp -s "$dir/out" "$dir/exported" || fail 'export is not the same twice'
"$lpctl" check -f "$dir/exported" >/dev/null || fail 'export is refused'
run 0 -o json export
"$lpctl" check -f "$dir/out" >/dev/null || fail 'export -o json is refused'
prints '    {"id": 1, "endpoint": "10.0.2.11:9092"},'
run 0 set-rule scan --owner team-a
run 0 export --owner team-a
prints 'owner: team-a'
grep -q '^cluster:' "$dir/out" && fail 'the cluster is not of team-a'
run 1 export --owner team-b
says 'nothing is of owner team-b (did you mean team-a?)'
run 2 export --owner none
run 2 export --owner 'a b'
run 0 set-rule scan --owner none
run 0 export
cmp -s "$dir/out" "$dir/exported" || fail 'export after a change and back'
run 2 export --generation 0
run 2 export --generation 1x
run 2 export --generation 9999999999999999999999

# ---- what -n prints makes the same again ------------------------------------
"$lpctl" show | grep -v '^generation' >"$dir/before"
stop
"$controld" -n --database "$dir/db" >"$dir/commands" || fail 'lp-controld -n'
mv "$dir/db" "$dir/db.old"
rm -f "$dir/db-wal" "$dir/db-shm"
start
while read -r program words; do
	[ "$program" = lpctl ] || continue
	# Quoted as a shell wants it.
	eval "run 0 $words"
done <"$dir/commands"
"$lpctl" show | grep -v '^generation' >"$dir/after"
diff -u "$dir/before" "$dir/after" || fail 'lp-controld -n is not the same'
run 0 export
diff -u "$dir/exported" "$dir/out" || fail 'lp-controld -n exports other things'

# ---- a restart changes nothing; then all of it goes -------------------------
run 0 -o json show
cp "$dir/out" "$dir/before"
stop
run 3 show
start
run 0 -o json show
cmp -s "$dir/before" "$dir/out" || fail 'a restart changed the configuration'
run 0 export
cp "$dir/out" "$dir/kept"
kept=$("$lpctl" show | sed -n 's/^generation \([0-9]*\).*/\1/p')
run 0 del-listener payments public -- del-broker payments 1 \
	-- del-broker payments 2 -- del-cluster payments \
	-- del-rule scan -- del-rule all -- del-rule slower \
	-- del-port front -- del-port back
run 0 show
grep -q '(empty)' "$dir/out" || fail 'something is left'

# ---- the quickstart's file is what is exported ------------------------------
quickstart=$(dirname "$0")/../../schema/examples/quickstart.yaml
run 0 apply -f "$quickstart"
run 0 export
grep -v '^#' "$quickstart" | diff -u - "$dir/out" ||
	fail 'quickstart.yaml is not as it is exported'
run 0 diff -f "$quickstart" --prune

# ---- and one that is kept is as it was --------------------------------------
run 0 export --generation "$kept"
cmp -s "$dir/out" "$dir/kept" || fail 'export --generation is another one'
run 1 export --generation 123456789
says 'generation 123456789'

exit $failed
