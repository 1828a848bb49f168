# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# How long a change takes from lpctl to the dataplane, and what memory very many
# rules need: the part control.  Sourced by run.  The daemons are the real ones,
# without ports.

CONTROL_RULES="10 100000"
CONTROL_STEPS="model stored applied"

part_control() {
	local round rules

	if [ ! -e "/run/netns/$LAB_ID-lightpath" ] &&
	    ! lab_netns lightpath; then
		failure control
		return
	fi
	for ((round = 1; round <= rounds; round++)); do
		for rules in $CONTROL_RULES; do
			progress "control, $rules, round $round of $rounds"
			control_measure "$rules" >"$LAB_DIR/figures" &&
			    record idle <"$LAB_DIR/figures" ||
			    failure "control $rules"
			control_end
		done
	done
}

control_measure() {
	local name=control/$1

	control_begin "$1" &&
	    control_timed "$name/check" check -f "$LAB_DIR/control/rules.yaml" &&
	    control_timed "$name/apply" apply -f "$LAB_DIR/control/rules.yaml" &&
	    control_steps "$name/apply" 1 && control_build "$name/apply" &&
	    control_rss "$name/memory/lpctl" &&
	    control_timed "$name/diff" diff -f "$LAB_DIR/control/rules.yaml" &&
	    control_timed "$name/file" \
	        apply -f "$LAB_DIR/control/changed.yaml" &&
	    control_steps "$name/file" 1 && control_build "$name/file" &&
	    control_changes "$name/set" && control_steps "$name/set" $changes &&
	    control_build "$name/set" &&
	    control_memory "$name/memory/lp-controld" "${LAB_PID[controld]}" &&
	    control_memory "$name/memory/lp-dataplane" \
	        "$(pgrep -P "${LAB_PID[dataplane]}")"
}

# ---- begin and end -------------------------------------------------------

control_begin() {
	local dir=$LAB_DIR/control

	mkdir -p "$dir/clients" || return
	control_rules "$1" >"$dir/rules.yaml"
	# One rule less in the order, and then in its place again.
	sed '0,/^    priority: 1007$/s//    priority: 999/' "$dir/rules.yaml" \
	    >"$dir/changed.yaml"
	lab_start dataplane lightpath "$LAB_BUILD/dataplane/lp-dataplane" \
	    --id bench --socket "$dir/dataplane.sock" \
	    --snapshot "$dir/snapshot" --connections 1024 --buffers 4096
	lab_start controld lightpath "$LAB_BUILD/controld/lp-controld" -v \
	    --database "$dir/database" --socket "$LAB_SOCKET" \
	    --dataplane "$dir/dataplane.sock" --metrics off \
	    --no-kafka-requests --kafka-clients "$dir/clients"
	lab_ready controld 20 "a dataplane with its first generation" \
	    control_is_applied
}

control_end() {
	lab_stop controld
	lab_stop dataplane
	rm -rf "$LAB_DIR/control"
}

control_lpctl() {
	"$LAB_BUILD/cli/lpctl" --socket "$LAB_SOCKET" "$@"
}

control_is_applied() {
	control_lpctl -o json status 2>/dev/null |
	    jq -e '.dataplanes[0].state == "applied"' >/dev/null
}

# Rules of four kinds, none of which hides another.
control_rules() {
	awk -v count="$1" 'BEGIN {
		print "lightpath: 1\nowner: bench\nrules:"
		for (i = 0; i < count; i++) {
			printf "  - name: rule-%06d\n    priority: %d\n", i,
			    1000 + i % 60000
			if (i % 4 == 0)
				printf "    match: {client_id: app-%d-*, " \
				    "topic: [orders-%d, payments-%d], " \
				    "api: Produce}\n    action: deny\n", i, i, i
			else if (i % 4 == 1)
				printf "    match: {client_id: app-%d-*, " \
				    "api: Produce}\n    action: observe\n", i
			else if (i % 4 == 2)
				printf "    match: {principal: user-%d, " \
				    "topic: t-%d-*}\n    action: allow\n", i, i
			else
				printf "    match: {src: 10.%d.%d.%d, " \
				    "group: g-%d}\n    action: deny\n" \
				    "    shadow: true\n", int(i / 65536),
				    int(i / 256) % 256, i % 256, i
		}
	}'
}

# ---- figures -------------------------------------------------------------

# control_figure NAME UNIT VALUE SAMPLES
control_figure() {
	printf '%s\tlightpath\t%s\t%s\t%s\n' "$@"
}

# What both daemons have used of a CPU, in ms; ticks are of 10.
control_cpu() {
	cat "/proc/${LAB_PID[controld]}/stat" \
	    "/proc/$(pgrep -P "${LAB_PID[dataplane]}")/stat" |
	    awk '{ ticks += $14 + $15 } END { print ticks * 10 }'
}

# control_timed NAME COMMAND...: of lpctl, from its start to its end; and what
# it and the daemons have used of CPUs.
control_timed() {
	local name=$1 cpu from

	shift
	cpu=$(control_cpu)
	from=${EPOCHREALTIME/[.,]/}
	/usr/bin/time -f '%M %U %S' -o "$LAB_DIR/control/used" \
	    "$LAB_BUILD/cli/lpctl" --socket "$LAB_SOCKET" "$@" \
	    >"$LAB_DIR/control/said" 2>&1 || {
		tail -n 5 "$LAB_DIR/control/said" >&2
		return 1
	}
	from=$((${EPOCHREALTIME/[.,]/} - from))
	control_figure "$name" ms "$(awk "BEGIN { print $from / 1000 }")" 1
	control_figure "$name/cpu" ms "$(awk -v daemons=$(($(control_cpu) - cpu)) \
	    '{ print daemons + ($2 + $3) * 1000 }' "$LAB_DIR/control/used")" 1
}

# control_changes NAME: of one rule, again and again.
control_changes() {
	local cpu i from

	cpu=$(control_cpu)
	for ((i = 0; i < changes; i++)); do
		from=${EPOCHREALTIME/[.,]/}
		control_lpctl set-rule rule-000005 \
		    --priority $((2000 + i)) >"$LAB_DIR/control/said" || return
		echo $((${EPOCHREALTIME/[.,]/} - from))
	done | sort -n | awk -v name="$1" '
		{ us[NR] = $1 }
		function percentile(p,   at) {
			at = int(NR * p / 100)
			at += at < NR * p / 100
			printf "%s/p%d\tlightpath\tms\t%.3f\t%d\n", name, p,
			    us[at] / 1000, NR
		}
		END { if (NR == 0) exit 1; percentile(50); percentile(99) }' ||
	    return
	control_figure "$1/cpu" ms "$(awk -v used=$(($(control_cpu) - cpu)) \
	    -v count=$changes 'BEGIN { print used / count }')" $changes
}

# control_steps NAME COUNT: of the last so many changes, as lp-controld saw
# them: "generation 7: model 1.2 ms, stored 10.3 ms, applied 20.4 ms".
control_steps() {
	local step

	for step in $CONTROL_STEPS; do
		grep -o "generation [0-9]*: .*$step [0-9.]* ms" \
		    "$LAB_DIR/controld.log" | tail -n "$2" |
		    sed "s/.*$step \([0-9.]*\) ms/\1/" | sort -n |
		    awk -v name="$1/$step" '{ ms[NR] = $1 }
			END { if (NR == 0) exit 1
				printf "%s\tlightpath\tms\t%s\t%d\n", name,
				    ms[int((NR + 1) / 2)], NR }' || return
	done
}

# Of what the dataplane runs.
control_build() {
	control_lpctl -o json status | jq -r --arg name "$1" '
		.dataplanes[0] | ("build", "swap") as $step |
		"\($name)/\($step)\tlightpath\tms\t" +
		    "\(.[$step + "_ns"] / 1e6)\t1"'
}

# The largest that lpctl was, the last time.
control_rss() {
	control_figure "$1" MB \
	    "$(awk '{ print $1 * 1.024 / 1000 }' "$LAB_DIR/control/used")" 1
}

# The largest that a process was so far.
control_memory() {
	control_figure "$1" MB \
	    "$(awk '/^VmHWM:/ { print $2 * 1.024 / 1000 }' \
	        "/proc/$2/status")" 1
}

# ---- report --------------------------------------------------------------

report_control() {
	local rules

	echo "control: milliseconds from the start of lpctl to its end, one" \
	    "dataplane without ports;"
	echo "cpu: of all three (of set-rule: of both daemons).  Of it" \
	    "lp-controld's model and store,"
	echo "and the dataplane until it has applied it: its build, and swap"
	printf '%-12s %8s %9s %9s %9s %9s %9s %9s %9s\n' command rules ms cpu \
	    model stored applied build swap
	for rules in $CONTROL_RULES; do
		control_row "$rules" check check
		control_row "$rules" apply "apply all"
		control_row "$rules" diff "diff none"
		control_row "$rules" file "apply one"
		control_row "$rules" set "set-rule"
	done
	echo "set-rule: the median; p99:" \
	    "$(for rules in $CONTROL_RULES; do
		echo "$(figure "control/$rules/set/p99") ms of $rules rules"
	    done | paste -sd , | sed "s/,/, /g")"
	echo "memory at most, MB: $(jq -r 'select(.name |
	    startswith("control/") and contains("/memory/")) |
	    .name |= split("/") |
	    "\(.name[3]) \(.value | round) of \(.name[1]) rules"' \
	    "$out" | paste -sd , | sed "s/,/, /g")"
}

control_row() {
	jq -r -s --arg prefix "control/$1/$2" --arg rules "$1" \
	    --arg title "$3" '
		def ms($name): map(select(.name == $prefix + $name))[0].value //
		    "-";
		[$title, $rules, (if ms("") == "-" then ms("/p50")
		    else ms("") end), (("cpu", "model", "stored", "applied",
		    "build", "swap") as $step | ms("/" + $step))] | @tsv' "$out" |
	    awk -F '\t' '{ printf "%-12s %8d", $1, $2
		for (i = 3; i <= NF; i++)
			if ($i == "-") printf " %9s", $i
			else printf " %9.1f", $i
		print "" }'
}
