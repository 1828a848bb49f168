#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tidy.sh ROOT [FILE...]
#
# The style that can be checked by a program, over all sources of the tree at
# ROOT (or those files, relative to it): see the rules one by one below.
# Skipped (77) if all is well but there is no clang-format to ask.
set -u
cd "$1" || exit 2
shift

lines_max=600
function_max=70
failed=0

complain() {
	echo "$*" >&2
	failed=1
}

sources() {
	if [ -e .git ]; then
		git ls-files -co --exclude-standard -- '*.c' '*.h'
	else
		find . -path './build*' -prune -o -name '*.[ch]' -print |
		    sed 's,^\./,,'
	fi | sort -u | while read -r file; do
		[ -e "$file" ] && echo "$file"
	done
}

if [ $# -gt 0 ]; then
	files=("$@")
else
	mapfile -t files < <(sources)
fi

# The first line says under which license it is.  What runs in the kernel, and
# the header that it shares, may be used under the kernel's too.
check_license() {
	local license=Apache-2.0
	case $1 in
	dataplane/port/steer.bpf.c | dataplane/port/steer.h) license='.*' ;;
	esac
	head -n 1 "$1" |
	    grep -qx "/\* SPDX-License-Identifier: $license \*/" ||
	    complain "$1:1: no SPDX line, or another license"
}

check_length() {
	local lines
	lines=$(wc -l <"$1")
	[ "$lines" -le "$lines_max" ] ||
	    complain "$1: $lines lines, more than $lines_max"
}

# A function's body lies between braces in the first column.
check_functions() {
	awk -v max="$function_max" '
		/^\{$/ { start = FNR; next }
		/^\}/ && start {
			if (FNR - start - 1 > max)
				printf "%s:%d: a function of %d lines, more than %d\n",
				    FILENAME, start, FNR - start - 1, max
			start = 0
		}' "$1"
}

# Comments are /* */; a TODO names its issue.
check_comments() {
	awk '
		{
			line = $0
			gsub(/\\./, "", line)
			gsub(/"[^"]*"/, "", line)
			if (inside) {
				if (!sub(/^.*\*\//, "", line))
					line = ""
				else
					inside = 0
			}
			gsub(/\/\*[^*]*\*+([^\/*][^*]*\*+)*\//, "", line)
			if (sub(/\/\*.*/, "", line))
				inside = 1
			if (line ~ /\/\//)
				printf "%s:%d: a // comment\n", FILENAME, FNR
		}
		/(^|[^A-Za-z_])(TODO|FIXME|XXX)([^A-Za-z_]|$)/ && !/#[0-9]+/ {
			printf "%s:%d: a TODO without an issue\n", FILENAME, FNR
		}' "$1"
}

# Exported functions are named after their file: frame.c has lp_frame_*.
# Otherwise:
#	proto/address.c, object.c, reasons.c	values and the words of enums
#	proto/rule_*.c				what rule.h declares
#	dataplane/port/backend.c		the list of the port's back ends
#	dataplane/pipeline/lookup.c		what pipeline/snapshot.h declares
#	dataplane/kafka/names.c			Kafka's words for its numbers
#	dataplane/pipeline_new.c		the half of pipeline.h that allocates
check_exports() {
	local prefix
	case $1 in
	*.bpf.c | tests/* | *.h) return ;;
	proto/address.c) prefix='lp_(ip|prefix|endpoint|hostport|hostname)_' ;;
	proto/object_words.c) prefix='lp_(object|backend|side|mode|on_loss|source_address|look|rewriting|unjudged)_' ;;
	proto/rule_*.c) prefix='lp_rule_' ;;
	proto/reasons.c) prefix='lp_(reason|verdict)_' ;;
	dataplane/port/backend.c) prefix='lp_port_backend$' ;;
	dataplane/kafka/names.c) prefix='lp_(kafka|fact)_' ;;
	dataplane/pipeline/lookup.c) prefix='lp_snapshot_' ;;
	dataplane/pipeline/tcp_state.c) prefix='lp_tcp_state_' ;;
	dataplane/pipeline_new.c) prefix='lp_pipeline_' ;;
	*) prefix="lp_$(basename "$1" .c)(_|\$)" ;;
	esac
	awk -v prefix="^$prefix" '
		/^[A-Za-z_][A-Za-z0-9_]*\(/ {
			name = $0
			sub(/\(.*/, "", name)
			if (name !~ prefix && before !~ /^static / &&
			    name != "main" && name != "static_assert" &&
			    name !~ /^(START|END)_TEST$/)
				printf "%s:%d: %s is not named after its file\n",
				    FILENAME, FNR, name
		}
		{ before = $0 }' "$1"
}

# Who may include whom: the packet path nothing cold, and each third-party
# header its own few files.
check_includes() {
	local include
	grep -oE '^#include [<"][^>"]+' "$1" | sed 's/#include .//' |
	    while read -r include; do
		case $1 in
		dataplane/pipeline/* | dataplane/kafka/*)
			case $include in
			dataplane/pipeline/* | dataplane/port/port.h) ;;
			dataplane/kafka/*) ;;
			proto/address.h | proto/limits.h | proto/object.h) ;;
			proto/pattern.h | proto/reasons.h | proto/histogram.h) ;;
			proto/rule.h) ;;
			xxhash.h) ;;
			assert.h | endian.h | stdatomic.h | stdbool.h) ;;
			stddef.h | stdint.h | string.h) ;;
			*) echo "$1: the packet path includes $include" ;;
			esac
			;;
		esac
		case "$include $1" in
		tests/*\ tests/* | *\ tests/*) ;;
		tests/*) echo "$1: includes $include of the tests" ;;
		sqlite3.h\ controld/store_sql.h) ;;
		jansson.h\ cli/json.h) ;;
		curses.h\ cli/top_screen.c | term.h\ cli/top_screen.c) ;;
		pcap/*\ cli/trace_file.c) ;;
		yaml.h\ cli/yaml_error.h) ;;
		xdp/*\ dataplane/port/xdp_sockets.h) ;;
		bpf/*\ dataplane/port/steer.bpf.c) ;;
		bpf/*\ dataplane/port/xdp_*) ;;
		rte_*\ dataplane/port/dpdk_*) ;;
		rte_*\ dataplane/port/port_dpdk*) ;;
		openssl/*\ proto/tls* | openssl/*\ cli/pki_x509.c) ;;
		openssl/*\ cli/client_tls.c) ;;
		urcu*\ dataplane/grace.c) ;;
		cap-ng.h\ dataplane/privilege.c) ;;
		librdkafka/*\ controld/poll_ask.c) ;;
		sqlite3.h* | jansson.h* | pcap/* | xdp/* | bpf/* | rte_* | urcu* | \
		cap-ng.h* | openssl/* | librdkafka/* | curses.h* | term.h* | yaml.h*)
			echo "$1: $include belongs into another file" ;;
		esac
	done
}

for file in "${files[@]}"; do
	check_license "$file"
	check_length "$file"
	found=$(
		check_functions "$file"
		check_comments "$file"
		check_exports "$file"
		check_includes "$file"
	)
	[ -z "$found" ] || complain "$found"
done

if ! command -v clang-format >/dev/null; then
	[ $failed -eq 0 ] || exit 1
	echo "no clang-format: the format was not checked" >&2
	exit 77
fi
clang-format --dry-run --Werror "${files[@]}" || failed=1
[ $failed -eq 0 ] && echo "${#files[@]} files are tidy"
exit $failed
