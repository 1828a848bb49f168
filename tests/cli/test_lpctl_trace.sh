#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Which rule decides, from lpctl over lp-controld to a real lp-dataplane, whose
# ports are memory: test_lpctl_trace.sh LPCTL LP-CONTROLD LP-DATAPLANE
set -u

lpctl=$1
controld=$2
dataplane=$3
# shellcheck source=tests/cli/lpctl.sh
. "$(dirname "$0")/lpctl.sh"

# trace FROM [WORD]...: a SYN from there to the bootstrap endpoint.
trace()
{
	from=$1
	shift
	run 0 trace --port front --from "$from" --to 10.9.0.100:9092 "$@"
	grep -q defect "$dir/out" && fail "a defect"
}

# rules FIRST: the lines about rules behind that one, until the next stage, are
# those of standard input.
rules()
{
	sed -n "/^    $1/,\$p" "$dir/out" | sed -n '2,${/^        /!q;p;}' \
		>"$dir/rules"
	cmp -s - "$dir/rules" || fail "other rules behind $1"
}

daemon dataplane "$dataplane" --id lab --socket "$dir/dataplane.sock" \
	--snapshot "$dir/snapshot" --connections 1024 --buffers 4096
daemon controld "$controld" --database "$dir/db" --socket "$LPCTL_SOCKET" \
	--dataplane "$dir/dataplane.sock"
await is_applied lab

run 0 add-port front --backend memory --device m-front --side client \
	--address 10.9.0.10/24 \
	-- add-port back --backend memory --device m-back --side broker \
	--address 10.0.2.10/24 \
	-- add-cluster payments -- add-broker payments 1 10.0.2.11:9092 \
	-- add-listener payments public 10.9.0.100:9092 --unjudged pass \
	-- add-cluster other \
	-- add-listener other public 10.9.0.101:9092 --unjudged pass

trace 10.9.0.7:51000 --request api=Fetch
rules admit </dev/null
grep -qx '    request     there are no rules: every request passes' \
	"$dir/out" || fail 'no rules'

run 0 add-rule partners --priority 900 --match 'src=10.2.0.0/16' \
	--action allow \
	-- add-rule audit --priority 800 --match '' --action observe \
	-- add-rule logs --priority 700 --match 'topic=audit.*' \
	--action deny --shadow \
	-- add-rule app --priority 600 --action allow \
	--match 'api=Produce,Fetch topic=orders,pay* client_id=app' \
	-- add-rule away --priority 500 --match 'listener=other/public' \
	--action reset \
	-- add-rule office --priority 200 --match 'src=10.9.0.0/24' \
	--action allow \
	-- add-rule rest --priority 1 --match '' --action reset

# ---- a connection ----------------------------------------------------------
trace 10.9.0.7:51000
rules admit <<'END'
        decides  office (priority 200, allow): src 10.9.0.7 is in 10.9.0.0/24
        sees     audit (priority 800, observe): it holds for everything
        not      partners (priority 900, allow): src 10.9.0.7 is not in 10.2.0.0/16
        not      1 of other listeners and clusters
END
trace 10.8.0.7:51000
# Its requests are asked first: the reset waits for them.
grep -q '^    admit       new connection; ' "$dir/out" || fail 'not admitted'
rules admit <<'END'
        decides  rest (priority 1, reset): it holds for everything
        note     rule app before it lets some of its requests pass
        sees     audit (priority 800, observe): it holds for everything
        not      partners (priority 900, allow): src 10.8.0.7 is not in 10.2.0.0/16
        not      office (priority 200, allow): src 10.8.0.7 is not in 10.9.0.0/24
        not      1 of other listeners and clusters
END

# ---- a request, topic by topic ---------------------------------------------
trace 10.9.0.7:51000 \
	--request 'topic=orders,audit.x client_id=app api=produce'
rules 'request     topic orders' <<'END'
        decides  app (priority 600, allow): api is Produce, client_id is app, topic is orders
        sees     audit (priority 800, observe): it holds for everything
        not      partners (priority 900, allow): src 10.9.0.7 is not in 10.2.0.0/16
        not      logs (priority 700, would deny): topic orders is not in audit.*
END
rules 'request     topic audit.x' <<'END'
        decides  office (priority 200, allow): src 10.9.0.7 is in 10.9.0.0/24
        sees     audit (priority 800, observe): it holds for everything
        shadow   logs (priority 700, would deny): topic audit.x is in audit.*
        would    bit 30 of its partition indexes is set; answered TOPIC_AUTHORIZATION_FAILED (29)
        not      partners (priority 900, allow): src 10.9.0.7 is not in 10.2.0.0/16
        not      app (priority 600, allow): topic audit.x is not in orders,pay*
        not      1 of other listeners and clusters
END

# ---- a new set of rules is asked at once -----------------------------------
run 0 set-rule office --match 'src=10.9.0.7' -- del-rule audit \
	-- set-rule partners --shadow --match 'src=10.9.0.0/16'
trace 10.9.0.8:51000
rules admit <<'END'
        decides  rest (priority 1, reset): it holds for everything
        note     rule app before it lets some of its requests pass
        shadow   partners (priority 900, would allow): src 10.9.0.8 is in 10.9.0.0/16
        not      office (priority 200, allow): src 10.9.0.8 is not 10.9.0.7
        not      1 of other listeners and clusters
END
exit $failed
