/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  Files are read whole first, and each is checked for what it is;
 * then our own certificate is verified as any peer would, so that what is
 * wrong with it is known here and not by those who come.  Time is looked at
 * apart: a certificate that has expired can be loaded, and is refused by
 * others in their own words.
 */
#include "proto/tls_load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/tls_peer.h"

enum { CERT, KEY, CA, CRL };

enum {
	NS_PER_S = 1000000000,
	/* 128 bits of security; RSA from 2048 bits on. */
	SECURITY_LEVEL = 2,
	/* Bytes of the certificates that a peer may send. */
	CHAIN_SIZE_MAX = 16384,
	TIME_SIZE = 32,
};

const char *const lp_tls_load_names[LP_TLS_LOAD_FILES] = {
    "cert.pem", "key.pem", "ca.pem", "crl.pem"};

/* All that is being loaded; the context takes what it needs. */
struct loading {
	const char *directory;
	char *why;
	SSL_CTX *ctx;
	X509_STORE *store; /* the context's */
	X509 *cert;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	int untimely; /* X509_V_ERR_*, the first one */
	char untimely_why[LP_TLS_WHY_SIZE];
};

static int refuse(const struct loading *l, int file, int err,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
static int load_ca(struct loading *l);
static int load_cert(struct loading *l);
static int load_key(struct loading *l);
static int load_crl(struct loading *l);
static int add_crl(struct loading *l, X509_CRL *crl);
static bool is_of_ca(const struct loading *l, X509_CRL *crl);
static int verify_own(struct loading *l);
static int tolerate_time(int ok, X509_STORE_CTX *ctx);
static int set_up(struct loading *l);
static int open_bio(const struct loading *l, int file, BIO **out);
static int check_file(const struct loading *l, int file, int fd);
static int next_cert(const struct loading *l, int file, BIO *bio, X509 **out);
static int end_of_pem(const struct loading *l, int file);
static int no_passphrase(char *buf, int size, int writing, void *arg);
static void print_time(char text[TIME_SIZE], const ASN1_TIME *time);
static void say_when(const struct loading *l, int result, X509_STORE_CTX *ctx,
    char why[LP_TLS_WHY_SIZE]);

int
lp_tls_load(SSL_CTX **out, const char *directory, uint64_t *expires_ns,
    char why[LP_TLS_WHY_SIZE])
{
	struct loading l = {.directory = directory, .why = why};
	int err = -ENOMEM;

	ERR_clear_error();
	snprintf(why, LP_TLS_WHY_SIZE, "%.400s: no memory", directory);
	l.ctx = SSL_CTX_new(TLS_method());
	l.chain = sk_X509_new_null();
	if (l.ctx != NULL && l.chain != NULL) {
		l.store = SSL_CTX_get_cert_store(l.ctx);
		SSL_CTX_set_security_level(l.ctx, SECURITY_LEVEL);
		err = load_cert(&l);
	}
	if (err == 0)
		err = load_key(&l);
	if (err == 0)
		err = load_ca(&l);
	if (err == 0)
		err = load_crl(&l);
	if (err == 0)
		err = verify_own(&l);
	if (err == 0)
		err = set_up(&l);
	if (err == 0) {
		*expires_ns = lp_tls_load_time_ns(X509_get0_notAfter(l.cert));
		*out = l.ctx;
		l.ctx = NULL;
		why[0] = '\0';
		if (l.untimely != 0) {
			err = -EKEYEXPIRED;
			snprintf(why, LP_TLS_WHY_SIZE, "%s", l.untimely_why);
		}
	}
	EVP_PKEY_free(l.key);
	X509_free(l.cert);
	sk_X509_pop_free(l.chain, X509_free);
	SSL_CTX_free(l.ctx);
	ERR_clear_error();
	return err;
}

uint64_t
lp_tls_load_time_ns(const ASN1_TIME *time)
{
	struct tm tm;
	time_t s;

	if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
		return 0;
	s = timegm(&tm);
	return s <= 0 ? 0 : (uint64_t)s * NS_PER_S;
}

static int
load_cert(struct loading *l)
{
	struct lp_tls_peer peer;
	char text[LP_TLS_WHY_SIZE];
	BIO *bio;
	int err = open_bio(l, CERT, &bio);

	if (err != 0)
		return err;
	err = next_cert(l, CERT, bio, &l->cert);
	if (err == 0 && l->cert == NULL)
		err = refuse(l, CERT, -EINVAL, "has no certificate (PEM)");
	while (err == 0) {
		X509 *next = NULL;

		err = next_cert(l, CERT, bio, &next);
		if (err != 0 || next == NULL)
			break;
		if (sk_X509_num(l->chain) + 1 == LP_TLS_LOAD_DEPTH_MAX)
			err = refuse(l, CERT, -E2BIG,
			    "has more than %d certificates",
			    LP_TLS_LOAD_DEPTH_MAX);
		else if (sk_X509_push(l->chain, next) > 0)
			continue;
		else
			err = -ENOMEM;
		X509_free(next);
	}
	BIO_free(bio);
	if (err == 0 && lp_tls_peer_read(&peer, l->cert, text) != 0)
		err = refuse(l, CERT, -EINVAL, "%.200s", text);
	return err;
}

static int
load_key(struct loading *l)
{
	bool encrypted = false;
	BIO *bio;
	int err = open_bio(l, KEY, &bio);

	if (err != 0)
		return err;
	l->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted);
	BIO_free(bio);
	if (l->key == NULL && encrypted)
		return refuse(l, KEY, -EINVAL,
		    "is encrypted: a daemon has nobody to ask for its "
		    "passphrase");
	if (l->key == NULL)
		return refuse(l, KEY, -EINVAL, "has no private key (PEM)");
	if (X509_check_private_key(l->cert, l->key) != 1)
		return refuse(l, KEY, -EINVAL,
		    "does not fit the certificate in cert.pem");
	return 0;
}

static int
load_ca(struct loading *l)
{
	BIO *bio;
	int err = open_bio(l, CA, &bio);
	int count = 0;

	while (err == 0) {
		X509 *cert = NULL;

		err = next_cert(l, CA, bio, &cert);
		if (err != 0 || cert == NULL)
			break;
		if (count++ == LP_TLS_LOAD_COUNT_MAX)
			err = refuse(l, CA, -E2BIG,
			    "has more than %d certificates",
			    LP_TLS_LOAD_COUNT_MAX);
		else if (X509_check_ca(cert) == 0)
			err = refuse(l, CA, -EINVAL,
			    "has a certificate that is not of a CA");
		else if (X509_STORE_add_cert(l->store, cert) != 1)
			err = -ENOMEM;
		X509_free(cert);
	}
	BIO_free(bio);
	if (err == 0 && count == 0)
		err = refuse(l, CA, -EINVAL, "has no certificate (PEM)");
	return err;
}

/* There may be none; if there is one, leaves are looked up in it. */
static int
load_crl(struct loading *l)
{
	BIO *bio;
	int err = open_bio(l, CRL, &bio);
	int count = 0;

	if (err == -ENOENT)
		return 0;
	while (err == 0) {
		X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

		if (crl == NULL) {
			err = end_of_pem(l, CRL);
			break;
		}
		if (count++ == LP_TLS_LOAD_COUNT_MAX)
			err = refuse(l, CRL, -E2BIG, "has more than %d lists",
			    LP_TLS_LOAD_COUNT_MAX);
		else
			err = add_crl(l, crl);
		X509_CRL_free(crl);
	}
	BIO_free(bio);
	if (err == 0 && count == 0)
		err =
		    refuse(l, CRL, -EINVAL, "has no list of revocations (PEM)");
	if (err == 0 &&
	    X509_STORE_set_flags(l->store, X509_V_FLAG_CRL_CHECK) != 1)
		err = -ENOMEM;
	return err;
}

static int
add_crl(struct loading *l, X509_CRL *crl)
{
	const ASN1_TIME *end = X509_CRL_get0_nextUpdate(crl);
	char text[TIME_SIZE];

	if (!is_of_ca(l, crl))
		return refuse(l, CRL, -EINVAL,
		    "has a list that is of another CA than ca.pem");
	if (end != NULL && l->untimely == 0 && X509_cmp_current_time(end) < 0) {
		l->untimely = X509_V_ERR_CRL_HAS_EXPIRED;
		print_time(text, end);
		(void)refuse(l, CRL, 0, "has expired on %s", text);
		snprintf(
		    l->untimely_why, sizeof(l->untimely_why), "%s", l->why);
	}
	return X509_STORE_add_crl(l->store, crl) == 1 ? 0 : -ENOMEM;
}

/* A CA that takes over from another one may well have its name. */
static bool
is_of_ca(const struct loading *l, X509_CRL *crl)
{
	const X509_NAME *name = X509_CRL_get_issuer(crl);
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(l->store);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *cert =
		    X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (cert != NULL &&
		    X509_NAME_cmp(X509_get_subject_name(cert), name) == 0 &&
		    X509_CRL_verify(crl, X509_get0_pubkey(cert)) == 1)
			return true;
	}
	return false;
}

/* As a peer would that has the same CA and list. */
static int
verify_own(struct loading *l)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const char *text;
	int result, err = -ENOMEM;

	if (ctx == NULL ||
	    X509_STORE_CTX_init(ctx, l->store, l->cert, l->chain) != 1)
		goto out;
	X509_STORE_CTX_set_verify_cb(ctx, tolerate_time);
	X509_STORE_CTX_set_app_data(ctx, l);
	err = 0;
	if (X509_verify_cert(ctx) == 1)
		goto out;
	result = X509_STORE_CTX_get_error(ctx);
	(void)lp_tls_peer_fault(result, &text);
	err = refuse(l, CERT, -EINVAL, "%s",
	    text != NULL ? text : X509_verify_cert_error_string(result));
out:
	X509_STORE_CTX_free(ctx);
	return err;
}

static int
tolerate_time(int ok, X509_STORE_CTX *ctx)
{
	struct loading *l = X509_STORE_CTX_get_app_data(ctx);
	int result = X509_STORE_CTX_get_error(ctx);

	if (ok)
		return ok;
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		if (l->untimely == 0)
			say_when(l, result, ctx, l->untimely_why);
		if (l->untimely == 0)
			l->untimely = result;
		return 1;
	default:
		return 0;
	}
}

static void
say_when(const struct loading *l, int result, X509_STORE_CTX *ctx,
    char why[LP_TLS_WHY_SIZE])
{
	const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	const X509_CRL *crl = X509_STORE_CTX_get0_current_crl(ctx);
	bool expired = result == X509_V_ERR_CERT_HAS_EXPIRED ||
	    result == X509_V_ERR_CRL_HAS_EXPIRED;
	char text[TIME_SIZE];
	int file = CRL;

	if (result == X509_V_ERR_CRL_HAS_EXPIRED ||
	    result == X509_V_ERR_CRL_NOT_YET_VALID) {
		print_time(text,
		    expired ? X509_CRL_get0_nextUpdate(crl)
			    : X509_CRL_get0_lastUpdate(crl));
	} else {
		file = X509_STORE_CTX_get_error_depth(ctx) == 0 ? CERT : CA;
		print_time(text,
		    expired ? X509_get0_notAfter(cert)
			    : X509_get0_notBefore(cert));
	}
	(void)refuse(l, file, 0,
	    expired ? "has expired on %s" : "is not valid before %s", text);
	snprintf(why, LP_TLS_WHY_SIZE, "%s", l->why);
}

/* What every connection of the context is held to. */
static int
set_up(struct loading *l)
{
	SSL_CTX *ctx = l->ctx;
	char text[256];

	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* libevent moves what it writes, and takes what has gone. */
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	/* Who sends new keys without an end has one turn of the loop each. */
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_max_cert_list(ctx, CHAIN_SIZE_MAX);
	SSL_CTX_set_verify_depth(ctx, LP_TLS_LOAD_DEPTH_MAX);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
	    /* Not the finite fields, which cost ten times as much. */
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1)
		return -ENOMEM;
	if (SSL_CTX_use_cert_and_key(ctx, l->cert, l->key, l->chain, 1) == 1)
		return 0;
	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	return refuse(l, CERT, -EINVAL, "cannot be used: %s", text);
}

static int
refuse(const struct loading *l, int file, int err, const char *format, ...)
{
	char text[LP_TLS_WHY_SIZE / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(l->why, LP_TLS_WHY_SIZE, "%.200s/%s: %s", l->directory,
	    lp_tls_load_names[file], text);
	return err;
}

/* The whole file, at once: it may be replaced while we read others. */
static int
open_bio(const struct loading *l, int file, BIO **out)
{
	char path[PATH_MAX];
	char buf[4096];
	size_t size = 0;
	ssize_t n = 0;
	int fd, err;

	*out = NULL;
	if (snprintf(path, sizeof(path), "%s/%s", l->directory,
		lp_tls_load_names[file]) >= (int)sizeof(path))
		return refuse(
		    l, file, -ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		err = -errno;
		return refuse(l, file, err, "%s", strerror(-err));
	}
	err = check_file(l, file, fd);
	if (err == 0) {
		*out = BIO_new(BIO_s_secmem());
		if (*out == NULL)
			err = -ENOMEM;
	}
	while (err == 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		size += (size_t)n;
		if (size > LP_TLS_LOAD_SIZE_MAX)
			err = refuse(l, file, -EFBIG, "is larger than %d bytes",
			    LP_TLS_LOAD_SIZE_MAX);
		else if (BIO_write(*out, buf, (int)n) != n)
			err = -ENOMEM;
	}
	if (err == 0 && n < 0)
		err = refuse(l, file, -EIO, "%s", strerror(errno));
	explicit_bzero(buf, sizeof(buf));
	close(fd);
	if (err != 0) {
		BIO_free(*out);
		*out = NULL;
	}
	return err;
}

/* Of the file that is open: nobody can put another in its place. */
static int
check_file(const struct loading *l, int file, int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return refuse(l, file, -errno, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return refuse(l, file, -EINVAL, "is not a regular file");
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return refuse(l, file, -EPERM,
		    "belongs to user %u: it must be root's, or that of user "
		    "%u, who runs this",
		    status.st_uid, geteuid());
	if (file == KEY && (status.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return refuse(l, file, -EPERM,
		    "mode %04o lets others in, and it is a private key: "
		    "chmod 600",
		    status.st_mode & 07777);
	/* Who writes ca.pem lets in whom he wants. */
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(l, file, -EPERM,
		    "mode %04o lets others write it: chmod go-w",
		    status.st_mode & 07777);
	return 0;
}

/* NULL at the end. */
static int
next_cert(const struct loading *l, int file, BIO *bio, X509 **out)
{
	*out = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	return *out != NULL ? 0 : end_of_pem(l, file);
}

/* Behind the last block, or in one that is broken? */
static int
end_of_pem(const struct loading *l, int file)
{
	unsigned long error = ERR_peek_last_error();
	bool end = ERR_GET_LIB(error) == ERR_LIB_PEM &&
	    ERR_GET_REASON(error) == PEM_R_NO_START_LINE;

	ERR_clear_error();
	return end
	    ? 0
	    : refuse(l, file, -EINVAL, "has a block that cannot be read (PEM)");
}

static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	bool *encrypted = arg;

	(void)buf;
	(void)size;
	(void)writing;
	*encrypted = true;
	return -1;
}

static void
print_time(char text[TIME_SIZE], const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1 ||
	    strftime(text, TIME_SIZE, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(text, TIME_SIZE, "an impossible day");
}
