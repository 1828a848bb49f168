/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pki.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/ensure.h"

#define must(what) ensure(what, "%s: not so", #what)

struct pki {
	X509 *cert;
	EVP_PKEY *key;
	long serial; /* last */
};

static void
add_name(X509 *cert, const char *field, const char *value)
{
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), field,
		 MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1);
}

static void
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL);
	must(X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static X509 *
new_cert(EVP_PKEY *key, const char *name, long serial, long from_s, long to_s)
{
	X509 *cert = X509_new();

	must(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert), to_s);
	must(X509_set_pubkey(cert, key) == 1);
	if (name != NULL)
		add_name(cert, "CN", name);
	return cert;
}

struct pki *
pki_new(const char *name)
{
	struct pki *ca = calloc(1, sizeof(*ca));

	must(ca != NULL);
	ca->key = EVP_EC_gen("P-256");
	must(ca->key != NULL);
	ca->cert = new_cert(ca->key, name, 1, -3600, 10 * 365 * 86400L);
	ca->serial = 1;
	X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert));
	add_extension(
	    ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(
	    ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	must(X509_sign(ca->cert, ca->key, EVP_sha256()) > 0);
	return ca;
}

void
pki_free(struct pki *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
	free(ca);
}

/* A new file, so that who reads the old one has it whole. */
static FILE *
create(const char *dir, const char *name, mode_t mode)
{
	char path[PATH_MAX];
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	must(fd >= 0);
	file = fdopen(fd, "w");
	must(file != NULL);
	return file;
}

void
pki_trust_also(struct pki *ca, const char *dir)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/ca.pem", dir);
	file = fopen(path, "a");
	must(file != NULL);
	must(PEM_write_X509(file, ca->cert) == 1);
	must(fclose(file) == 0);
}

void
pki_trust(struct pki *ca, const char *dir)
{
	FILE *file = create(dir, "ca.pem", 0644);

	must(PEM_write_X509(file, ca->cert) == 1);
	must(fclose(file) == 0);
}

void
pki_issue(struct pki *ca, const char *dir, const struct pki_wish *wish)
{
	bool ever = wish->from_s == 0 && wish->to_s == 0;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = new_cert(key, wish->name, ++ca->serial,
	    ever ? -3600 : wish->from_s, ever ? 365 * 86400L : wish->to_s);
	FILE *file;

	if (wish->role != NULL)
		add_name(cert, "OU", wish->role);
	if (wish->two_roles)
		add_name(cert, "OU", "another");
	X509_set_issuer_name(
	    cert, X509_get_subject_name(wish->self_signed ? cert : ca->cert));
	add_extension(cert, wish->self_signed ? cert : ca->cert,
	    NID_basic_constraints, "critical,CA:FALSE");
	if (wish->hosts != NULL)
		add_extension(
		    cert, ca->cert, NID_subject_alt_name, wish->hosts);
	must(X509_sign(cert, wish->self_signed ? key : ca->key, EVP_sha256()) >
	    0);
	file = create(dir, "cert.pem", 0644);
	must(PEM_write_X509(file, cert) == 1);
	must(fclose(file) == 0);
	file = create(dir, "key.pem", 0600);
	must(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	must(fclose(file) == 0);
	pki_trust(ca, dir);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
add_revoked(X509_CRL *crl, const char *dir)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
	char path[PATH_MAX];
	X509 *cert;
	FILE *file;

	snprintf(path, sizeof(path), "%s/cert.pem", dir);
	file = fopen(path, "r");
	must(file != NULL);
	cert = PEM_read_X509(file, NULL, NULL, NULL);
	must(cert != NULL);
	(void)fclose(file);
	X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(cert));
	X509_REVOKED_set_revocationDate(revoked, now);
	must(X509_CRL_add0_revoked(crl, revoked) == 1);
	ASN1_TIME_free(now);
	X509_free(cert);
}

void
pki_revoke(struct pki *ca, const char *dir, const char *revoked, long to_s)
{
	pki_list(ca, dir, revoked, -7200, to_s);
}

void
pki_list(struct pki *ca, const char *dir, const char *revoked, long from_s,
    long to_s)
{
	ASN1_TIME *from = X509_gmtime_adj(NULL, from_s);
	ASN1_TIME *to = X509_gmtime_adj(NULL, to_s);
	X509_CRL *crl = X509_CRL_new();
	FILE *file;

	must(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert));
	X509_CRL_set1_lastUpdate(crl, from);
	X509_CRL_set1_nextUpdate(crl, to);
	if (revoked != NULL)
		add_revoked(crl, revoked);
	must(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0);
	file = create(dir, "crl.pem", 0644);
	must(PEM_write_X509_CRL(file, crl) == 1);
	must(fclose(file) == 0);
	X509_CRL_free(crl);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
}

void
pki_clean(const char *dir)
{
	static const char *const names[] = {
	    "cert.pem", "key.pem", "ca.pem", "crl.pem"};
	char path[PATH_MAX];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
}
