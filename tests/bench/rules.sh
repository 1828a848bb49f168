# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# What it costs to find the rule that decides: the part rules.  Sourced by run.

part_rules() {
	local round

	for ((round = 1; round <= rounds; round++)); do
		progress "rules, round $round of $rounds"
		"$LAB_BUILD/tests/bench/bench_rules" | record idle ||
		    failure "rules"
	done
}

report_rules() {
	echo "rules: one core; cycles until it is known which rule decides;" \
	    "$(figure rules/clock) cycles/us"
	echo "hit: of any of the rules; hot: of a few of them, again and again;" \
	    "miss: of none"
	printf '%-12s %7s %7s %8s %8s %8s %8s %6s %8s\n' shape rules tuples \
	    hit hot miss bytes text "build ms"
	jq -r -s '
		map(select(.name | test("^rules/.*/.*/"))) |
		group_by(.name | split("/") | [.[1], (.[3] | tonumber)])[] |
		. as $row | (.[0].name | split("/")) as $name |
		[$name[1], $name[3], (("tuples", "hit", "hot", "miss",
		    "memory", "text", "build") | . as $what | $row[] |
		    select(.name | split("/")[2] == $what) | .value)] | @tsv' \
	    "$out" | awk '{
		printf "%-12s %7d %7d %8.0f %8.0f %8.0f %8.0f %6.0f %8.2f\n",
		    $1, $2, $3, $4, $5, $6, $7, $8, $9 }'
	echo "bytes: a rule's in all tables, with its text"
}
