#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What lp-dataplane says of wrong options, and where it cannot listen.
# test_options.sh LP_DATAPLANE LPCTL
set -eu

dataplane=$1
lpctl=$2
dir=$(mktemp -d)
cd "$dir"
trap 'rm -rf "$dir"' EXIT

# expect STATUS TEXT OPTION...: it ends so, and says so.
expect() {
	wanted=$1
	text=$2
	shift 2
	status=0
	"$dataplane" --socket dp.sock --snapshot snapshot \
		--connections 1024 --buffers 4096 "$@" >out 2>&1 || status=$?
	if [ "$status" -ne "$wanted" ] || ! grep -qF -- "$text" out; then
		echo "test_options: $*: status $status, not $wanted; or it says:"
		cat out
		exit 1
	fi
}

for loss in '' open closed closed: closed:9 closed:31d closed:10x -1; do
	expect 64 "--on-controld-loss $loss: hold, or closed:TIME with a time" \
		--on-controld-loss="$loss"
done
for place in nowhere localhost:9644 1.2.3.4:0 1.2.3.4:65536 1.2.3; do
	expect 64 "--listen $place: " --listen "$place"
done
# It has no certificates, or no such address.
expect 78 "--tls none/cert.pem: No such file or directory" \
	--listen "127.77.$(($$ / 256 % 256)).$(($$ % 256))" --tls none
# It would not be believed by anybody.
"$lpctl" pki init ca >/dev/null
"$lpctl" pki issue ca alice --role admin >/dev/null
expect 78 'alice/cert.pem: its role (OU) is "admin", and has to be "dataplane"' \
	--listen "127.77.$(($$ / 256 % 256)).$(($$ % 256))" --tls ca/alice
expect 78 "--listen 192.0.2.1:9644: Cannot assign requested address" \
	--listen 192.0.2.1
