#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Certificates, as openssl sees them: test_pki.sh LPCTL
set -u

lpctl=$1
command -v openssl >/dev/null || { echo 'skipped: no openssl' && exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

complain()
{
	echo "$*"
	failed=1
}

must()
{
	"$@" >out 2>&1 || { echo "$*: status $?"; cat out; exit 1; }
}

# says TEXT FILE COMMAND...: what openssl prints of the file has that.
says()
{
	openssl "$3" -in "$2" -noout -text | grep -qF -e "$1" ||
		complain "$2: openssl does not say: $1"
}

# verify WANTED PURPOSE NAME [OPTION]...: good, or what openssl says is wrong
verify()
{
	local wanted=$1 purpose=$2 name=$3
	shift 3
	openssl verify -x509_strict -purpose "$purpose" -crl_check_all \
		-CAfile ca/ca.pem -CRLfile ca/crl.pem "$@" \
		"$name/cert.pem" >out 2>&1
	grep -qF -e "$wanted" out ||
		complain "$name as $purpose: not \"$wanted\": $(cat out)"
}

mode()
{
	[ "$(stat -c %a "$2")" = "$1" ] || complain "$2: its mode is not $1"
}

must "$lpctl" pki init ca --name 'Test, OU=x/"CA"'
must "$lpctl" pki issue ca edge-1 --role controld --host edge-1.internal \
	--host 10.0.0.5 --host fd00::5
must "$lpctl" pki issue ca plane --role dataplane --host 10.0.0.6
for role in admin operator observer; do
	must "$lpctl" pki issue ca "a-$role" --role $role --out . --days 7
done

mode 700 ca
mode 600 ca/ca.key.pem
mode 644 ca/crl.pem
mode 700 ca/edge-1
mode 600 ca/edge-1/key.pem
mode 644 ca/edge-1/cert.pem
cmp -s ca/ca.pem ca/edge-1/ca.pem || complain "ca.pem is another one"
cmp -s ca/crl.pem ca/edge-1/crl.pem || complain "crl.pem is another one"
[ -z "$(find . -name '*.??????')" ] || complain "temporary files are left"

says 'CA:TRUE, pathlen:0' ca/ca.pem x509
says 'Certificate Sign, CRL Sign' ca/ca.pem x509
says 'CN = "Test, OU=x/\"CA\""' ca/ca.pem x509
says 'CN = edge-1, OU = controld' ca/edge-1/cert.pem x509
says 'DNS:edge-1.internal, IP Address:10.0.0.5, IP Address:FD00:0' \
	ca/edge-1/cert.pem x509
says 'CN = a-observer, OU = observer' a-observer/cert.pem x509
says 'CRL Number' ca/crl.pem crl
says 'No Revoked Certificates' ca/crl.pem crl

# Which end of a connection each is good for, and in which time.
verify OK sslserver ca/edge-1 -verify_hostname edge-1.internal
verify OK sslclient ca/edge-1 -verify_ip 10.0.0.5
verify 'hostname mismatch' sslserver ca/edge-1 -verify_hostname edge-2.internal
verify OK sslserver ca/plane -verify_ip 10.0.0.6
verify 'unsuitable certificate purpose' sslclient ca/plane
for role in admin operator observer; do
	verify OK sslclient "a-$role"
	verify 'unsuitable certificate purpose' sslserver "a-$role"
done
now=$(date +%s)
verify OK sslclient a-admin -attime $((now + 6 * 86400))
verify 'certificate has expired' sslclient a-admin \
	-attime $((now + 8 * 86400))
verify OK sslclient a-admin -attime $((now - 3000))
verify 'not yet valid' sslclient a-admin -attime $((now - 90000))

# All of a name are revoked, or the one of a serial; others are not.
mkdir second
must "$lpctl" pki issue ca a-admin --role admin --out second
serial=$("$lpctl" -o json pki list ca |
	python3 -c 'import json, sys
print([c["serial"] for c in json.load(sys.stdin)["certificates"]
       if c["name"] == "a-admin"][1])')
before=$(openssl crl -in ca/crl.pem -noout -crlnumber)
must "$lpctl" pki revoke ca "$serial"
grep -qF 'copy ca/crl.pem' out || complain "it is not said where to copy it"
verify OK sslclient a-admin
verify 'certificate revoked' sslclient second/a-admin
[ "$(openssl crl -in ca/crl.pem -noout -crlnumber)" != "$before" ] ||
	complain "the number of the list has not changed"
must "$lpctl" pki revoke ca a-admin
verify 'certificate revoked' sslclient a-admin
verify 'certificate revoked' sslclient second/a-admin
verify OK sslclient a-operator
# Again is no error, and mends a list that was lost.
: >ca/crl.pem
must "$lpctl" pki revoke ca a-admin
verify 'certificate revoked' sslclient a-admin
[ "$("$lpctl" pki list ca | grep -c revoked)" = 2 ] ||
	complain "the list does not show which are revoked"

# Of another authority, however it is called.
must "$lpctl" pki init other --name 'Test, OU=x/"CA"'
must "$lpctl" pki issue other mallory --role admin
verify 'error' sslclient other/mallory

# Two at once: both are in the index.
"$lpctl" pki issue ca left --role admin >/dev/null &
left=$!
must "$lpctl" pki issue ca right --role admin
wait $left || complain "two at once: one has failed"
for name in left right; do
	grep -q " $name\$" ca/index.txt || complain "$name is not in the index"
done

# What cannot be written leaves nothing behind.
if [ "$(id -u)" != 0 ]; then
	mkdir -m 500 shut
	"$lpctl" pki issue ca x --role admin --out shut >out 2>&1
	[ $? = 1 ] || complain "a directory that is shut: $(cat out)"
fi
# full COMMAND...: it cannot write, and says so; all is as it was.
full()
{
	local said
	cp -r ca before
	said=$(trap '' XFSZ; ulimit -f 0; "$@" 2>&1)
	case $said in
	*'File too large'*) ;;
	*) complain "$* on a full disk: $said" ;;
	esac
	diff -r ca before >differs ||
		complain "$* on a full disk: $(cat differs)"
	rm -r before
}
full "$lpctl" pki issue ca x --role admin
full "$lpctl" pki revoke ca right
full "$lpctl" pki init fresh
[ -z "$(find . -name 'fresh*')" ] || complain "half an authority is left"
verify OK sslclient ca/right
"$lpctl" pki issue ca x --role admin --out none >out 2>&1
[ $? = 1 ] || complain "--out none: $(cat out)"
grep -q 'none' out || complain "--out none: $(cat out)"
exit $failed
