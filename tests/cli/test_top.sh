#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# "lpctl top" on a real terminal, which is tmux, with an lp-controld whose
# answers are known: test_top.sh LPCTL TOP_DAEMON
set -u

lpctl=$1
daemon=$2
dir=$(mktemp -d) || exit 1
pid=
TRIES=2400 # two minutes: to end what hangs, not to measure
server=0 # a new one each time: the old one may still be on its way out
export LPCTL_SOCKET=$dir/sock
unset NO_COLOR TMUX

if ! command -v tmux >/dev/null; then
	echo 'no tmux: skipped' >&2
	exit 77
fi

tmux_() {
	tmux -S "$dir/tmux$server" -f /dev/null "$@"
}

stop_daemon() {
	[ -n "$pid" ] && kill -CONT "$pid" && kill "$pid" && wait "$pid"
	pid=
} 2>/dev/null

# start_daemon [EXTRA]: it listens when this returns.
start_daemon() {
	local tries=0

	rm -f "$LPCTL_SOCKET"
	"$daemon" "$LPCTL_SOCKET" "$@" &
	pid=$!
	until [ -S "$LPCTL_SOCKET" ] || [ $((tries += 1)) -gt $TRIES ]; do
		sleep 0.05
	done
}

trap 'tmux_ kill-server 2>/dev/null; stop_daemon; rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	echo '--- the screen:'
	cat "$dir/screen"
	exit 1
}

screen() {
	tmux_ capture-pane -p -t top >"$dir/screen" 2>/dev/null
}

# shows PATTERN, hides PATTERN: sooner or later, on some line; on none.
shows() {
	local tries=0

	until screen && grep -qE -e "$1" "$dir/screen"; do
		if [ $((tries += 1)) -gt $TRIES ]; then
			fail "never shows: $1"
		fi
		sleep 0.05
	done
}

hides() {
	local tries=0

	until screen && ! grep -qE -e "$1" "$dir/screen"; do
		if [ $((tries += 1)) -gt $TRIES ]; then
			fail "goes on showing: $1"
		fi
		sleep 0.05
	done
}

# The shell has printed its prompt, and nothing since: what is typed before
# that it echoes, prints the prompt, and the output follows on the same line.
idle() {
	local tries=0

	until screen && [ "$(awk 'NF { last = $0 } END { print last }' \
	    "$dir/screen")" = 'prompt>' ]; do
		if [ $((tries += 1)) -gt $TRIES ]; then
			fail 'the shell never waits for a command'
		fi
		sleep 0.05
	done
}

keys() {
	tmux_ send-keys -t top "$@"
}

# begin WIDTH HEIGHT [WORD]...: a shell that runs lpctl top, and says what
# became of it.  The quotes keep what is typed from looking like its output.
begin() {
	tmux_ kill-server 2>/dev/null
	server=$((server + 1))
	tmux_ new-session -d -s top -x "$1" -y "$2" \
	    env PS1='prompt> ' "LPCTL_SOCKET=$LPCTL_SOCKET" sh
	shift 2
	idle
	keys "ulimit -c 0; stty -g >$dir/before; echo be''fore" Enter
	shows '^before'
	idle
	keys "$lpctl top $*; echo status \$?; stty -g >$dir/after; \
echo af''ter" Enter
}

# What was on the screen is there again, and the terminal's modes are.
ended() {
	shows "^status $1\$"
	shows '^after'
	shows '^before'
	hides 'Clients'
	cmp -s "$dir/before" "$dir/after" || fail 'the modes of the terminal'
}

start_daemon 40

# ---- views, order, filter ---------------------------------------------------
begin 100 20 -d 0.1
shows '^dataplane edge-1, generation 7, up .* 1\.0 s$'
shows '^CLIENT ID +REQ/S IN B/S OUT B/S  ERR/S  THR/S FLIGHT +P50 +P99  P99.9 P99.99$'
shows '^billing-1 +1.20k +840k +6.00M +0 +0 +1 2.01ms 4.01ms 80.2ms 80.2ms$'
shows '^caf.xc3.xa9 .x1b\[2J'
shows '48 by REQ/S$'
keys t
shows '^payments/orders +1.20k'
shows '\[Topics\]'
keys b
shows '^payments/1 +2.00k .* 17 3.00ms'
keys a
shows '^Produce acks=all +1.00k +16.0M +100k +4 +20 +3 '
keys Tab
shows '^payments/public +2.60k'
keys Tab
shows '\[Clients\]'
keys N
shows 'by CLIENT ID$'
shows '^extra-000 +1 '
hides '^extra-030'
keys PageDown PageDown PageDown
shows '^extra-030'
keys Home r
shows 'reversed$'
shows '^extra-039'
keys r R /
keys -l 'ILL'
shows '^/ILL'
shows '2 of 48'
hides '^extra'
keys Enter
shows '^q quit'
shows 'filter ILL'
keys / C-u Enter
shows '^extra'
keys h
shows 'Escape goes back'
keys h
keys s
shows 'since start$'
shows 'REQS +IN B'
keys s
shows '1\.0 s$'
keys Space
shows 'PAUSED$'
keys Space
hides PAUSED

# ---- another size -------------------------------------------------------------
tmux_ resize-window -t top -x 60 -y 12
shows '^CLIENT ID +REQ/S IN B/S OUT B/S .*P99'
hides 'THR/S'
tmux_ resize-window -t top -x 30 -y 5
shows '^terminal too small'
shows '^30x5, needs 40x8'
tmux_ resize-window -t top -x 120 -y 20
shows 'THR/S FLIGHT'

# ---- a daemon that is silent, or gone -------------------------------------------
kill -STOP "$pid"
keys t
shows '\[Topics\]'
keys c
shows '\[Clients\]'
kill -CONT "$pid"
stop_daemon
shows '^trying again: .*Connection refused'
shows '^billing-1 '
keys t
shows '^payments/orders '
start_daemon
hides 'trying again'
shows '^payments/orders +1.20k'
keys q
ended 0

# ---- however it ends, the terminal is as it was ---------------------------------
for end in INT:0 TERM:143 HUP:129 ABRT:134; do
	begin 80 24 -d 0.1
	shows '^billing-1 +1.20k'
	kill -s "${end%:*}" \
	    "$(pgrep -P "$(tmux_ display -p -t top '#{pane_pid}')")"
	ended "${end#*:}"
done
begin 80 24 -d 0.1
shows '^billing-1 +1.20k'
keys C-c
ended 0
begin 80 24 -d 0.1
shows '^billing-1 +1.20k'
keys C-z
ended 148
idle
keys fg Enter
shows '^billing-1 +1.20k'
keys q
idle
keys "stty -g >$dir/after; echo do''ne" Enter
shows '^done'
cmp -s "$dir/before" "$dir/after" || fail 'the modes after it went on'

# ---- colours -------------------------------------------------------------------
begin 100 20 -d 0.1 --view apis
shows '^Produce acks=all +1.00k'
tmux_ capture-pane -p -e -t top >"$dir/screen"
grep -qE $'\e\\[31m *4' "$dir/screen" || fail 'errors are not red'
keys q
ended 0
begin 100 20 '--help >/dev/null; NO_COLOR=1' "$lpctl" top -d 0.1 --view apis
shows '^Produce acks=all +1.00k'
tmux_ capture-pane -p -e -t top >"$dir/screen"
grep -qE $'\e\\[3[0-7]m' "$dir/screen" && fail 'colours in spite of NO_COLOR'
keys q
ended 0

# ---- a terminal that cannot do it, and none at all -------------------------------
begin 80 24 '--help >/dev/null; TERM=dumb' "$lpctl" top
shows 'TERM=dumb: no terminal whose cursor can be moved; see --batch'
shows '^status 2$'
stop_daemon
start_daemon
"$lpctl" top --rounds 2 -d 0.1 --view brokers --sort name >"$dir/screen" ||
    fail 'two rounds: not done'
[ "$(grep -c ' brokers, 1.0 s$' "$dir/screen")" -eq 2 ] ||
    fail 'two rounds are not two'
grep -qE '^payments/1 +2.00k ' "$dir/screen" || fail 'two rounds: no row'
"$lpctl" -o json top --once --since-start --filter '^bill' >"$dir/screen" ||
    fail 'JSON: not done'
[ "$(jq -c '[.view, .since_start, (.rows | map(.name))]' "$dir/screen")" = \
    '["clients",true,["billing-1","Billing-2"]]' ] || fail 'JSON: not so'
stop_daemon
"$lpctl" top --once >"$dir/screen" 2>&1
[ $? -eq 3 ] || fail 'once, without a daemon: not status 3'
grep -q 'Connection refused' "$dir/screen" || fail 'once: does not say why'
