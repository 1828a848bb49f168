# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# Debian packages that building, the lab and the tests need, and what installs
# those that are missing.  Sourced by cli/quickstart and tests/run.

# To build; check is here because CMake looks for it.
PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkg-config clang llvm binutils
    libelf-dev libbpf-dev libxdp-dev libevent-dev libsqlite3-dev
    libssl-dev libyaml-dev
    libjansson-dev libpcap-dev libprotobuf-c-dev protobuf-compiler
    protobuf-c-compiler libxxhash-dev liburcu-dev libcap-ng-dev
    libncurses-dev libdpdk-dev librdkafka-dev check"
# To run Kafka through Lightpath in namespaces.
PACKAGES_LAB="iproute2 ethtool procps jq kcat maven openjdk-17-jre-headless"
# What only the tests need.
PACKAGES_TESTS="ccache clang-format curl iputils-ping libclang-rt-14-dev nodejs
    openjdk-17-jdk-headless openssl python3 python3-jsonschema python3-yaml
    shellcheck sqlite3 tcpdump
    tmux tshark"
# Some packages of nodejs have npm inside, and are in conflict with Debian's.
command -v npm >/dev/null || PACKAGES_TESTS+=" npm"

# Prints those of the named packages that are not installed.
packages_missing() {
	dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
	    awk 'BEGIN { for (i = 1; i < ARGC; i++) want[ARGV[i]]; ARGC = 1 }
		$1 == "ii" { delete want[$2] }
		END { for (name in want) print name }' "$@" | sort
}

# packages_install LOG NAME...: installs what is missing.  1 with the reason
# on stderr if that cannot be done.
packages_install() {
	local log=$1 missing

	shift
	if ! command -v dpkg-query >/dev/null; then
		echo "not a Debian system: these Debian packages are needed, or" \
		    "their like: $*" >&2
		return 1
	fi
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	printf 'installing %s\n' "${missing[*]}" >>"$log"
	if ! timeout 600 apt-get update >>"$log" 2>&1; then
		echo "apt-get update failed, and these packages are missing:" \
		    "${missing[*]}" >&2
		return 1
	fi
	if ! DEBIAN_FRONTEND=noninteractive timeout 1800 apt-get install -y \
	    --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1
	then
		echo "apt-get install failed for: ${missing[*]}" >&2
		return 1
	fi
}
