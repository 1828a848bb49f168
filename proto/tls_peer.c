/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/tls_peer.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "proto/tls_load.h"

static int read_name(
    char text[LP_TLS_NAME_SIZE], const X509_NAME *subject, int nid);
static void read_serial(char text[LP_TLS_SERIAL_SIZE], X509 *cert);

int
lp_tls_peer_read(
    struct lp_tls_peer *peer, X509 *cert, char why[LP_TLS_WHY_SIZE])
{
	const X509_NAME *subject = X509_get_subject_name(cert);

	memset(peer, 0, sizeof(*peer));
	if (read_name(peer->name, subject, NID_commonName) != 0 ||
	    peer->name[0] == '\0') {
		snprintf(why, LP_TLS_WHY_SIZE,
		    "does not have one common name (CN) of printable ASCII");
		return -EINVAL;
	}
	if (read_name(peer->role, subject, NID_organizationalUnitName) != 0) {
		snprintf(why, LP_TLS_WHY_SIZE,
		    "has more than one role (OU), or one that is not of "
		    "printable ASCII");
		return -EINVAL;
	}
	read_serial(peer->serial, cert);
	peer->expires_ns = lp_tls_load_time_ns(X509_get0_notAfter(cert));
	return 0;
}

enum lp_tls_fault
lp_tls_peer_fault(long result, const char **text)
{
	static const struct {
		long result;
		enum lp_tls_fault fault;
		const char *text;
	} faults[] = {
	    {X509_V_ERR_CERT_HAS_EXPIRED, LP_TLS_EXPIRED, "has expired"},
	    {X509_V_ERR_CERT_NOT_YET_VALID, LP_TLS_EARLY, "is not valid yet"},
	    {X509_V_ERR_CERT_REVOKED, LP_TLS_REVOKED, "has been revoked"},
	    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, LP_TLS_CA_OTHER,
		"is of another CA"},
	    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, LP_TLS_CA_OTHER,
		"is of another CA"},
	    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, LP_TLS_CA_OTHER,
		"is of another CA"},
	    {X509_V_ERR_CERT_SIGNATURE_FAILURE, LP_TLS_CA_OTHER,
		"is of another CA of the same name"},
	    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, LP_TLS_CA_OTHER,
		"is of another CA"},
	    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, LP_TLS_CA_OTHER,
		"is of no CA: it is self-signed"},
	    {X509_V_ERR_UNABLE_TO_GET_CRL, LP_TLS_CRL,
		"cannot be checked: crl.pem has no list of its CA"},
	    {X509_V_ERR_CRL_HAS_EXPIRED, LP_TLS_CRL,
		"cannot be checked: the list of its CA in crl.pem has expired"},
	    {X509_V_ERR_CRL_NOT_YET_VALID, LP_TLS_CRL,
		"cannot be checked: the list of its CA in crl.pem is not "
		"valid yet"},
	    {X509_V_ERR_CRL_SIGNATURE_FAILURE, LP_TLS_CRL,
		"cannot be checked: the list in crl.pem is of another CA of "
		"the same name"},
	    {X509_V_ERR_HOSTNAME_MISMATCH, LP_TLS_NAME_OTHER,
		"is for other host names"},
	    {X509_V_ERR_IP_ADDRESS_MISMATCH, LP_TLS_NAME_OTHER,
		"is for other addresses"},
	    {X509_V_ERR_APPLICATION_VERIFICATION, LP_TLS_ROLE_OTHER,
		"is of another role"},
	    {X509_V_ERR_INVALID_PURPOSE, LP_TLS_BAD,
		"is not for this side of a connection (extended key usage)"},
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].result == result) {
			*text = faults[i].text;
			return faults[i].fault;
		}
	*text = NULL;
	return LP_TLS_BAD;
}

/* Absent: "", and no error. */
static int
read_name(char text[LP_TLS_NAME_SIZE], const X509_NAME *subject, int nid)
{
	int at = X509_NAME_get_index_by_NID(subject, nid, -1);
	unsigned char *utf8 = NULL;
	int len, err = 0;

	if (at < 0)
		return 0;
	if (X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
		return -EINVAL;
	len = ASN1_STRING_to_UTF8(
	    &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (len < 0 || len >= LP_TLS_NAME_SIZE)
		err = -EINVAL;
	for (int i = 0; err == 0 && i < len; i++)
		if (utf8[i] < ' ' || utf8[i] > '~')
			err = -EINVAL;
	if (err == 0)
		memcpy(text, utf8, (size_t)len);
	if (len >= 0)
		OPENSSL_free(utf8);
	return err;
}

static void
read_serial(char text[LP_TLS_SERIAL_SIZE], X509 *cert)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *digits = number != NULL ? BN_bn2hex(number) : NULL;

	if (digits != NULL)
		snprintf(text, LP_TLS_SERIAL_SIZE, "%s", digits);
	OPENSSL_free(digits);
	BN_free(number);
}
