/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pki_x509.h"

#include <assert.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "proto/address.h"

struct lp_pki_x509 {
	X509 *certificate;
	EVP_PKEY *key;
};

/* Who may be what; the others are denied by whoever verifies. */
static const char *const usages[LP_ROLES] = {
    [LP_ROLE_ADMIN] = "clientAuth",
    [LP_ROLE_OPERATOR] = "clientAuth",
    [LP_ROLE_OBSERVER] = "clientAuth",
    [LP_ROLE_DATAPLANE] = "serverAuth",
    [LP_ROLE_CONTROLD] = "serverAuth,clientAuth",
};

static int fail(char *why, const char *what);
static X509 *begin(EVP_PKEY *key, uint64_t serial, int64_t from, int64_t until);
static bool add_name(X509_NAME *name, int nid, const char *text);
static bool extend(X509 *certificate, X509 *issuer, int nid, const char *value);
static bool extend_authority(X509 *certificate);
static bool extend_issued(
    X509 *certificate, X509 *issuer, const struct lp_pki_x509_order *order);
static bool extend_hosts(
    X509 *certificate, const struct lp_pki_x509_order *order);
static GENERAL_NAME *host_name(const char *host);
static bool set_integer(ASN1_INTEGER *out, uint64_t value);
static bool add_number(X509_CRL *list, uint64_t number);
static bool fill_list(X509_CRL *list, const struct lp_pki_x509 *ca,
    const struct lp_pki_index *index, uint64_t number);
static bool add_revoked(X509_CRL *list, const struct lp_pki_index_row *row);
static BIO *reader(const struct lp_pki_x509_pem *pem);
static bool take(struct lp_pki_x509_pem *pem, BIO *bio, bool written);
static bool write_certificate(struct lp_pki_x509_pem *pem, X509 *certificate);
static bool write_key(struct lp_pki_x509_pem *pem, EVP_PKEY *key);
static int no_passphrase(char *buf, int size, int writing, void *arg);

int
lp_pki_x509_new(struct lp_pki_x509 **out, const char *name, int64_t from,
    int64_t until, char why[LP_WHY_SIZE])
{
	struct lp_pki_x509 *ca = calloc(1, sizeof(*ca));
	uint64_t serial;
	X509 *own;

	if (ca == NULL)
		return fail(why, "a new authority");
	if (lp_pki_x509_random_serial(&serial, why) != 0) {
		lp_pki_x509_free(ca);
		return -EIO;
	}
	ca->key = EVP_EC_gen("P-256");
	own = ca->certificate = begin(ca->key, serial, from, until);
	if (own == NULL ||
	    !add_name(X509_get_subject_name(own), NID_commonName, name) ||
	    X509_set_issuer_name(own, X509_get_subject_name(own)) != 1 ||
	    !extend_authority(own) ||
	    X509_sign(own, ca->key, EVP_sha256()) == 0) {
		lp_pki_x509_free(ca);
		return fail(why, "a new authority");
	}
	*out = ca;
	return 0;
}

int
lp_pki_x509_load(struct lp_pki_x509 **out,
    const struct lp_pki_x509_pem *certificate,
    const struct lp_pki_x509_pem *key, char why[LP_WHY_SIZE])
{
	struct lp_pki_x509 *ca = calloc(1, sizeof(*ca));
	BIO *from = reader(certificate);
	BIO *key_from = reader(key);
	int err = 0;

	if (ca == NULL || from == NULL || key_from == NULL) {
		err = fail(why, "memory");
		goto out;
	}
	ca->certificate = PEM_read_bio_X509(from, NULL, no_passphrase, NULL);
	ca->key = PEM_read_bio_PrivateKey(key_from, NULL, no_passphrase, NULL);
	if (ca->certificate == NULL)
		err = fail(why, "ca.pem: no certificate");
	else if (ca->key == NULL)
		err = fail(why, "ca.key.pem: no private key");
	else if (X509_check_private_key(ca->certificate, ca->key) != 1)
		err = fail(why, "ca.key.pem: not the key of ca.pem");
	else if (X509_check_ca(ca->certificate) == 0)
		err = fail(why, "ca.pem: not the certificate of an authority");
out:
	BIO_free(from);
	BIO_free(key_from);
	if (err != 0)
		lp_pki_x509_free(ca);
	else
		*out = ca;
	return err;
}

void
lp_pki_x509_free(struct lp_pki_x509 *ca)
{
	if (ca == NULL)
		return;
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
	free(ca);
}

int
lp_pki_x509_own(const struct lp_pki_x509 *ca,
    struct lp_pki_x509_pem *certificate, struct lp_pki_x509_pem *key,
    char why[LP_WHY_SIZE])
{
	if (write_certificate(certificate, ca->certificate) &&
	    write_key(key, ca->key))
		return 0;
	return fail(why, "a new authority");
}

int
lp_pki_x509_about(char *name, int64_t *until,
    const struct lp_pki_x509_pem *certificate, char why[LP_WHY_SIZE])
{
	BIO *from = reader(certificate);
	X509 *own = from != NULL
	    ? PEM_read_bio_X509(from, NULL, no_passphrase, NULL)
	    : NULL;
	struct tm tm = {0};
	int err = 0;

	if (own == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(own), &tm) != 1)
		err = fail(why, "ca.pem: no certificate");
	if (err == 0) {
		name[0] = '\0';
		(void)X509_NAME_get_text_by_NID(X509_get_subject_name(own),
		    NID_commonName, name, LP_NAME_SIZE);
		for (char *at = name; *at != '\0'; at++)
			if (*at < ' ' || *at > '~')
				*at = '?';
		*until = timegm(&tm);
	}
	X509_free(own);
	BIO_free(from);
	return err;
}

int
lp_pki_x509_random_serial(uint64_t *serial, char why[LP_WHY_SIZE])
{
	do {
		if (RAND_bytes((unsigned char *)serial, sizeof(*serial)) != 1)
			return fail(why, "random numbers");
		*serial &= INT64_MAX;
	} while (*serial == 0);
	return 0;
}

int
lp_pki_x509_issue(const struct lp_pki_x509 *ca,
    const struct lp_pki_x509_order *order, struct lp_pki_x509_pem *certificate,
    struct lp_pki_x509_pem *key, char why[LP_WHY_SIZE])
{
	X509_NAME *issuer = X509_get_subject_name(ca->certificate);
	EVP_PKEY *new_key = EVP_EC_gen("P-256");
	X509 *made = begin(new_key, order->serial, order->from, order->until);
	X509_NAME *subject = made != NULL ? X509_get_subject_name(made) : NULL;
	bool done = made != NULL && X509_set_issuer_name(made, issuer) == 1 &&
	    add_name(subject, NID_commonName, order->name) &&
	    add_name(subject, NID_organizationalUnitName,
		lp_role_word(order->role)) &&
	    extend_issued(made, ca->certificate, order) &&
	    X509_sign(made, ca->key, EVP_sha256()) != 0 &&
	    write_certificate(certificate, made) && write_key(key, new_key);

	X509_free(made);
	EVP_PKEY_free(new_key);
	return done ? 0 : fail(why, "a new certificate");
}

int
lp_pki_x509_revoked(const struct lp_pki_x509 *ca,
    const struct lp_pki_index *index, uint64_t number, int64_t from,
    int64_t until, struct lp_pki_x509_pem *out, char why[LP_WHY_SIZE])
{
	X509_CRL *list = X509_CRL_new();
	ASN1_TIME *made = ASN1_TIME_set(NULL, from);
	ASN1_TIME *next = ASN1_TIME_set(NULL, until);
	BIO *bio = NULL;
	bool done = list != NULL && made != NULL && next != NULL &&
	    X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1 &&
	    X509_CRL_set_issuer_name(
		list, X509_get_subject_name(ca->certificate)) == 1 &&
	    X509_CRL_set1_lastUpdate(list, made) == 1 &&
	    X509_CRL_set1_nextUpdate(list, next) == 1 &&
	    fill_list(list, ca, index, number) &&
	    X509_CRL_sign(list, ca->key, EVP_sha256()) != 0;

	if (done) {
		bio = BIO_new(BIO_s_mem());
		done = take(out, bio,
		    bio != NULL && PEM_write_bio_X509_CRL(bio, list) == 1);
	}
	ASN1_TIME_free(made);
	ASN1_TIME_free(next);
	X509_CRL_free(list);
	return done ? 0 : fail(why, "a new list of revoked certificates");
}

uint64_t
lp_pki_x509_number(const struct lp_pki_x509_pem *pem)
{
	BIO *from = reader(pem);
	X509_CRL *list = from != NULL
	    ? PEM_read_bio_X509_CRL(from, NULL, no_passphrase, NULL)
	    : NULL;
	ASN1_INTEGER *number = list != NULL
	    ? X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL)
	    : NULL;
	uint64_t value = 0;

	if (number == NULL || ASN1_INTEGER_get_uint64(&value, number) != 1)
		value = 0;
	ASN1_INTEGER_free(number);
	X509_CRL_free(list);
	BIO_free(from);
	ERR_clear_error();
	return value;
}

int
lp_pki_x509_check_host(const char *host, char why[LP_WHY_SIZE])
{
	struct lp_ip ip;

	if (lp_ip_parse(&ip, host, why) == 0)
		return 0;
	return lp_hostname_check(host, why);
}

bool
lp_pki_x509_names_hosts(enum lp_role role)
{
	return usages[role] != NULL && strstr(usages[role], "serverAuth");
}

void
lp_pki_x509_pem_free(struct lp_pki_x509_pem *pem)
{
	if (pem->text != NULL)
		explicit_bzero(pem->text, pem->len);
	free(pem->text);
	*pem = (struct lp_pki_x509_pem){0};
}

/* The last that OpenSSL has to say of it; nothing of it is left behind. */
static int
fail(char *why, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;

	snprintf(why, LP_WHY_SIZE, "%s%s%s", what, text ? ": " : "",
	    text ? text : "");
	ERR_clear_error();
	return -EIO;
}

/* All but names, extensions and signature; NULL also without a key. */
static X509 *
begin(EVP_PKEY *key, uint64_t serial, int64_t from, int64_t until)
{
	X509 *made = key != NULL ? X509_new() : NULL;

	if (made != NULL &&
	    (X509_set_version(made, X509_VERSION_3) != 1 ||
		!set_integer(X509_get_serialNumber(made), serial) ||
		ASN1_TIME_set(X509_getm_notBefore(made), from) == NULL ||
		ASN1_TIME_set(X509_getm_notAfter(made), until) == NULL ||
		X509_set_pubkey(made, key) != 1)) {
		X509_free(made);
		return NULL;
	}
	return made;
}

static bool
add_name(X509_NAME *name, int nid, const char *text)
{
	return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
		   (const unsigned char *)text, -1, -1, 0) == 1;
}

/* The value is a constant of ours: what users write is no part of it. */
static bool
extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;
	bool done;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	done =
	    extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

static bool
extend_authority(X509 *own)
{
	return extend(own, own, NID_basic_constraints,
		   "critical,CA:TRUE,pathlen:0") &&
	    extend(own, own, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    extend(own, own, NID_subject_key_identifier, "hash");
}

static bool
extend_issued(X509 *made, X509 *issuer, const struct lp_pki_x509_order *order)
{
	assert(usages[order->role] != NULL);
	return extend(
		   made, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	    extend(made, issuer, NID_key_usage, "critical,digitalSignature") &&
	    extend(made, issuer, NID_ext_key_usage, usages[order->role]) &&
	    extend(made, issuer, NID_subject_key_identifier, "hash") &&
	    extend(
		made, issuer, NID_authority_key_identifier, "keyid:always") &&
	    (order->host_count == 0 || extend_hosts(made, order));
}

static bool
extend_hosts(X509 *made, const struct lp_pki_x509_order *order)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	bool done = names != NULL;

	for (size_t i = 0; done && i < order->host_count; i++) {
		GENERAL_NAME *name = host_name(order->hosts[i]);

		done = name != NULL && sk_GENERAL_NAME_push(names, name) > 0;
		if (!done)
			GENERAL_NAME_free(name);
	}
	done = done &&
	    X509_add1_ext_i2d(
		made, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
	sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
	return done;
}

static GENERAL_NAME *
host_name(const char *host)
{
	char why[LP_WHY_SIZE];
	bool is_ip;
	struct lp_ip ip;
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value;
	bool v4;

	is_ip = lp_ip_parse(&ip, host, why) == 0;
	v4 = is_ip && lp_ip_is_v4(&ip);
	value = is_ip ? (ASN1_STRING *)ASN1_OCTET_STRING_new()
		      : (ASN1_STRING *)ASN1_IA5STRING_new();
	if (name == NULL || value == NULL ||
	    ASN1_STRING_set(value,
		!is_ip   ? (const void *)host
		    : v4 ? ip.bytes + sizeof(ip.bytes) - 4
			 : ip.bytes,
		!is_ip   ? (int)strlen(host)
		    : v4 ? 4
			 : (int)sizeof(ip.bytes)) != 1) {
		ASN1_STRING_free(value);
		GENERAL_NAME_free(name);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, is_ip ? GEN_IPADD : GEN_DNS, value);
	return name;
}

static bool
set_integer(ASN1_INTEGER *out, uint64_t value)
{
	return out != NULL && ASN1_INTEGER_set_uint64(out, value) == 1;
}

static bool
fill_list(X509_CRL *list, const struct lp_pki_x509 *ca,
    const struct lp_pki_index *index, uint64_t number)
{
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
	const ASN1_OCTET_STRING *own =
	    X509_get0_subject_key_id(ca->certificate);
	bool done = id != NULL && own != NULL;

	if (done) {
		id->keyid = ASN1_OCTET_STRING_dup(own);
		done = id->keyid != NULL &&
		    X509_CRL_add1_ext_i2d(list, NID_authority_key_identifier,
			id, 0, X509V3_ADD_DEFAULT) == 1 &&
		    add_number(list, number);
	}
	AUTHORITY_KEYID_free(id);
	for (size_t i = 0; done && i < index->count; i++)
		if (index->rows[i].revoked != 0)
			done = add_revoked(list, &index->rows[i]);
	return done && X509_CRL_sort(list) == 1;
}

static bool
add_number(X509_CRL *list, uint64_t number)
{
	ASN1_INTEGER *value = ASN1_INTEGER_new();
	bool done = set_integer(value, number) &&
	    X509_CRL_add1_ext_i2d(
		list, NID_crl_number, value, 0, X509V3_ADD_DEFAULT) == 1;

	ASN1_INTEGER_free(value);
	return done;
}

static bool
add_revoked(X509_CRL *list, const struct lp_pki_index_row *row)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_TIME *time = ASN1_TIME_set(NULL, row->revoked);
	bool done = revoked != NULL && time != NULL &&
	    set_integer(serial, row->serial) &&
	    X509_REVOKED_set_serialNumber(revoked, serial) == 1 &&
	    X509_REVOKED_set_revocationDate(revoked, time) == 1 &&
	    X509_CRL_add0_revoked(list, revoked) == 1;

	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(time);
	if (!done)
		X509_REVOKED_free(revoked);
	return done;
}

static BIO *
reader(const struct lp_pki_x509_pem *pem)
{
	return BIO_new_mem_buf(pem->text, (int)pem->len);
}

/* Takes the BIO over; a copy of it is the PEM. */
static bool
take(struct lp_pki_x509_pem *pem, BIO *bio, bool written)
{
	char *data = NULL;
	long len = written ? BIO_get_mem_data(bio, &data) : 0;

	*pem = (struct lp_pki_x509_pem){0};
	if (len > 0)
		pem->text = malloc((size_t)len);
	if (pem->text != NULL) {
		memcpy(pem->text, data, (size_t)len);
		pem->len = (size_t)len;
	}
	BIO_free(bio);
	return pem->text != NULL;
}

static bool
write_certificate(struct lp_pki_x509_pem *pem, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take(
	    pem, bio, bio != NULL && PEM_write_bio_X509(bio, certificate) == 1);
}

static bool
write_key(struct lp_pki_x509_pem *pem, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	return take(pem, bio,
	    bio != NULL &&
		PEM_write_bio_PKCS8PrivateKey(
		    bio, key, NULL, NULL, 0, NULL, NULL) == 1);
}

/* An encrypted file is refused, not asked about on the terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}
