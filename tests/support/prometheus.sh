# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Prometheus' own programs, for tests: prometheus and promtool.  Debian's
# package is taken apart rather than installed, for it would start a service.

# prometheus_get: PROMETHEUS_BIN is where they are.  77 with the reason on
# stderr if they cannot be had.
prometheus_get() {
	if command -v promtool >/dev/null && command -v prometheus >/dev/null
	then
		PROMETHEUS_BIN=$(dirname "$(command -v promtool)")
		return 0
	fi
	prometheus_cache=${XDG_CACHE_HOME:-/var/cache}/lightpath/prometheus
	PROMETHEUS_BIN=$prometheus_cache/usr/bin
	[ ! -x "$PROMETHEUS_BIN/promtool" ] || return 0
	if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null
	then
		echo "no Prometheus, and no Debian to get it from" >&2
		return 77
	fi
	if [ -n "${LAB_OFFLINE:-}" ]; then
		echo "no Prometheus, and there was no network" >&2
		return 77
	fi
	mkdir -p "$prometheus_cache" || return 77
	prometheus_new=$(mktemp -d "$prometheus_cache.XXXXXX") || return 77
	prometheus_fetch "$prometheus_new" ||
		prometheus_update_and_fetch "$prometheus_new" || {
		rm -rf "$prometheus_new"
		echo "Debian's package prometheus cannot be fetched" >&2
		return 77
	}
	rm -rf "$prometheus_cache"
	mv "$prometheus_new" "$prometheus_cache"
}

# Only the two programs; the rest of the package is its user interface.
prometheus_fetch() {
	(
		cd "$1" &&
			timeout 120 apt-get download prometheus >/dev/null 2>&1 &&
			dpkg-deb --fsys-tarfile prometheus_*.deb |
			tar -x ./usr/bin &&
			rm prometheus_*.deb
	)
}

prometheus_update_and_fetch() {
	timeout 300 apt-get update >/dev/null 2>&1 && prometheus_fetch "$1"
}
