/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  One context of OpenSSL has all that is loaded; a connection holds
 * on to the one that it was made of, so that a reload is a swap of pointers.
 * The role that a peer has to have hangs on its connection and is looked at
 * in the handshake, as the last thing of its certificate.
 */
#include "proto/tls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "proto/log.h"
#include "proto/tls_load.h"
#include "proto/tls_peer.h"

enum { NS_PER_S = 1000000000 };
static const uint64_t day_ns = UINT64_C(86400) * NS_PER_S;

/* What a file was when it was last read; all 0: it was not there. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct lp_tls {
	char *directory;
	SSL_CTX *ctx;
	uint64_t expires_ns;
	uint64_t warned_ns; /* last */
	struct stamp stamps[LP_TLS_LOAD_FILES];
	char why[LP_TLS_WHY_SIZE];
};

static const unsigned char protocols[] = {sizeof(LP_TLS_PROTOCOL) - 1, 'l', 'i',
    'g', 'h', 't', 'p', 'a', 't', 'h', '/', '1'};
static_assert(sizeof(protocols) == sizeof(LP_TLS_PROTOCOL),
    "the name of the protocol, behind its length");

static int load(struct lp_tls *tls, SSL_CTX **out, uint64_t *expires_ns);
static void swap(struct lp_tls *tls, SSL_CTX *ctx, uint64_t expires_ns);
static void stamp_all(
    const struct lp_tls *tls, struct stamp stamps[LP_TLS_LOAD_FILES]);
static int reload(struct lp_tls *tls, bool asked, bool *changed);
static void warn_of_end(struct lp_tls *tls);
static uint64_t now_ns(void);
static SSL *make(struct lp_tls *tls, const char *role);
static int on_hello(SSL *ssl, int *alert, void *arg);
static int on_protocols(SSL *ssl, const unsigned char **out,
    unsigned char *out_len, const unsigned char *in, unsigned in_len,
    void *arg);
static int on_verify(int ok, X509_STORE_CTX *ctx);
static int set_host(SSL *ssl, const char *host);
static enum lp_tls_fault fault_of_alert(int reason);

int
lp_tls_open(struct lp_tls **out, const char *directory, bool untimely,
    char why[LP_TLS_WHY_SIZE])
{
	struct lp_tls *tls = calloc(1, sizeof(*tls));
	SSL_CTX *ctx = NULL;
	uint64_t expires_ns = 0;
	int err = -ENOMEM;

	snprintf(why, LP_TLS_WHY_SIZE, "%.400s: no memory", directory);
	if (tls != NULL)
		tls->directory = strdup(directory);
	if (tls != NULL && tls->directory != NULL) {
		err = load(tls, &ctx, &expires_ns);
		snprintf(why, LP_TLS_WHY_SIZE, "%s", tls->why);
	}
	if (err == 0 || (err == -EKEYEXPIRED && untimely)) {
		swap(tls, ctx, expires_ns);
		*out = tls;
		return err;
	}
	SSL_CTX_free(ctx);
	lp_tls_close(tls);
	return err;
}

void
lp_tls_close(struct lp_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls->directory);
	free(tls);
}

int
lp_tls_check_role(
    const struct lp_tls *tls, const char *role, char why[LP_TLS_WHY_SIZE])
{
	struct lp_tls_peer own = {0};
	char text[LP_TLS_WHY_SIZE];

	if (lp_tls_peer_read(&own, SSL_CTX_get0_certificate(tls->ctx), text) !=
	    0)
		snprintf(why, LP_TLS_WHY_SIZE, "%.200s/cert.pem: it %.200s",
		    tls->directory, text);
	else if (strcmp(own.role, role) != 0)
		snprintf(why, LP_TLS_WHY_SIZE,
		    "%.300s/cert.pem: its role (OU) is \"%s\", and has to be "
		    "\"%s\": nobody would believe it",
		    tls->directory, own.role, role);
	else
		return 0;
	return -EINVAL;
}

int
lp_tls_reload(struct lp_tls *tls)
{
	bool changed;

	return reload(tls, true, &changed);
}

bool
lp_tls_tick(struct lp_tls *tls)
{
	bool changed;

	return reload(tls, false, &changed) == 0 && changed;
}

const char *
lp_tls_why(const struct lp_tls *tls)
{
	return tls->why;
}

uint64_t
lp_tls_expires_ns(const struct lp_tls *tls)
{
	return tls->expires_ns;
}

struct ssl_st *
lp_tls_server(struct lp_tls *tls, const char *role)
{
	SSL *ssl = make(tls, role);

	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}

struct ssl_st *
lp_tls_client(struct lp_tls *tls, const char *host, const char *role)
{
	SSL *ssl = make(tls, role);

	if (ssl == NULL)
		return NULL;
	SSL_set_connect_state(ssl);
	/* This one, other than most, returns 0 if it did it. */
	if (set_host(ssl, host) == 0 &&
	    SSL_set_alpn_protos(ssl, protocols, sizeof(protocols)) == 0)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

void
lp_tls_bye(struct ssl_st *ssl)
{
	(void)SSL_shutdown(ssl);
	ERR_clear_error();
}

void
lp_tls_free(struct ssl_st *ssl)
{
	SSL_free(ssl);
}

int
lp_tls_welcome(struct ssl_st *ssl, struct lp_tls_peer *peer,
    enum lp_tls_fault *fault, char why[LP_TLS_WHY_SIZE])
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	const unsigned char *protocol;
	char text[LP_TLS_WHY_SIZE];
	unsigned len;

	memset(peer, 0, sizeof(*peer));
	if (cert == NULL || SSL_get_verify_result(ssl) != X509_V_OK ||
	    SSL_version(ssl) != TLS1_3_VERSION) {
		/* The handshake has not let it come to this. */
		*fault = LP_TLS_NONE;
		snprintf(why, LP_TLS_WHY_SIZE, "it has shown no certificate");
		return -EACCES;
	}
	SSL_get0_alpn_selected(ssl, &protocol, &len);
	if (len != sizeof(protocols) - 1 ||
	    memcmp(protocol, protocols + 1, len) != 0) {
		*fault = LP_TLS_PROTOCOL_OTHER;
		snprintf(
		    why, LP_TLS_WHY_SIZE, "it does not speak " LP_TLS_PROTOCOL);
		return -EACCES;
	}
	if (lp_tls_peer_read(peer, cert, text) != 0) {
		*fault = LP_TLS_BAD;
		snprintf(why, LP_TLS_WHY_SIZE, "its certificate %.400s", text);
		return -EACCES;
	}
	return 0;
}

int
lp_tls_again(struct lp_tls *tls, struct ssl_st *ssl, char why[LP_TLS_WHY_SIZE])
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *cert = SSL_get0_peer_certificate(ssl);
	const char *text = "no memory";
	int err = -EACCES;

	if (ctx != NULL && cert != NULL &&
	    X509_STORE_CTX_init(ctx, SSL_CTX_get_cert_store(tls->ctx), cert,
		SSL_get_peer_cert_chain(ssl)) == 1) {
		if (X509_verify_cert(ctx) == 1)
			err = 0;
		else
			(void)lp_tls_peer_fault(
			    X509_STORE_CTX_get_error(ctx), &text);
	}
	if (err != 0)
		snprintf(why, LP_TLS_WHY_SIZE, "its certificate %s",
		    text != NULL ? text : "is not good any more");
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return err;
}

enum lp_tls_fault
lp_tls_failed(struct ssl_st *ssl, unsigned long error, int code,
    char why[LP_TLS_WHY_SIZE])
{
	long result = SSL_get_verify_result(ssl);
	enum lp_tls_fault fault = LP_TLS_OTHER;
	const char *text = NULL;
	int reason;

	if (error == 0)
		error = ERR_peek_error();
	reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
	if (error != 0)
		text = ERR_reason_error_string(error);
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		fault = lp_tls_peer_fault(result, &text);
		snprintf(why, LP_TLS_WHY_SIZE, "its certificate %s",
		    text != NULL ? text
				 : X509_verify_cert_error_string(result));
	} else if (error == 0 || error == SSL_ERROR_SYSCALL) {
		/* The latter is what libevent has for the connection below. */
		fault = LP_TLS_CUT;
		snprintf(why, LP_TLS_WHY_SIZE, "%s",
		    code != 0 ? strerror(code)
			      : "it closed the connection without a word");
	} else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
		fault = LP_TLS_NONE;
		snprintf(why, LP_TLS_WHY_SIZE, "it has shown no certificate");
	} else if (reason == SSL_R_WRONG_VERSION_NUMBER ||
	    reason == SSL_R_HTTP_REQUEST ||
	    reason == SSL_R_HTTPS_PROXY_REQUEST ||
	    reason == SSL_R_RECORD_LENGTH_MISMATCH ||
	    reason == SSL_R_UNEXPECTED_MESSAGE) {
		fault = LP_TLS_NOT_TLS;
		snprintf(why, LP_TLS_WHY_SIZE, "it does not speak TLS");
	} else if (reason == SSL_R_UNSUPPORTED_PROTOCOL ||
	    reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
		fault = LP_TLS_VERSION;
		snprintf(why, LP_TLS_WHY_SIZE, "it does not speak TLS 1.3");
	} else if (reason == SSL_R_NO_APPLICATION_PROTOCOL ||
	    reason == SSL_R_CALLBACK_FAILED ||
	    reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) {
		fault = LP_TLS_PROTOCOL_OTHER;
		snprintf(
		    why, LP_TLS_WHY_SIZE, "it does not speak " LP_TLS_PROTOCOL);
	} else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		fault = LP_TLS_CUT;
		snprintf(why, LP_TLS_WHY_SIZE,
		    "it closed the connection without a word");
	} else {
		fault = fault_of_alert(reason);
		snprintf(why, LP_TLS_WHY_SIZE, "TLS: %s",
		    text != NULL ? text : "it failed");
	}
	ERR_clear_error();
	return fault;
}

static enum lp_tls_fault
fault_of_alert(int reason)
{
	switch (reason) {
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		return LP_TLS_OURS_EXPIRED;
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
		return LP_TLS_OURS_CA;
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
		return LP_TLS_OURS_REVOKED;
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return LP_TLS_OURS_NONE;
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
		return LP_TLS_OURS_BAD;
	default:
		return LP_TLS_OTHER;
	}
}

/*
 * Also where nothing has changed: what was good may be out of its time now,
 * and the other way round.  The log has what is new, or, if asked for, all:
 * *changed.
 */
static int
reload(struct lp_tls *tls, bool asked, bool *changed)
{
	struct stamp before[LP_TLS_LOAD_FILES];
	char why[LP_TLS_WHY_SIZE];
	SSL_CTX *ctx = NULL;
	uint64_t expires_ns = 0;
	int err;

	memcpy(before, tls->stamps, sizeof(before));
	memcpy(why, tls->why, sizeof(why));
	err = load(tls, &ctx, &expires_ns);
	*changed = asked || strcmp(why, tls->why) != 0 ||
	    memcmp(before, tls->stamps, sizeof(before)) != 0;
	if (err == 0) {
		swap(tls, ctx, expires_ns);
		if (*changed)
			lp_log_info(
			    "%s: certificates were loaded", tls->directory);
	} else if (err == -EKEYEXPIRED && tls->expires_ns <= now_ns()) {
		/* No better, but for the list of who was revoked, maybe. */
		swap(tls, ctx, expires_ns);
		if (*changed)
			lp_log_warn("%s", tls->why);
	} else {
		SSL_CTX_free(ctx);
		if (*changed)
			lp_log_warn(
			    "%s; what was loaded before is kept", tls->why);
	}
	warn_of_end(tls);
	return err;
}

/* Stamps first: what is changed while we read is read again. */
static int
load(struct lp_tls *tls, SSL_CTX **out, uint64_t *expires_ns)
{
	int err;

	stamp_all(tls, tls->stamps);
	err = lp_tls_load(out, tls->directory, expires_ns, tls->why);
	if (*out == NULL)
		return err;
	SSL_CTX_set_client_hello_cb(*out, on_hello, NULL);
	SSL_CTX_set_alpn_select_cb(*out, on_protocols, NULL);
	SSL_CTX_set_verify(
	    *out, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
	return err;
}

static void
swap(struct lp_tls *tls, SSL_CTX *ctx, uint64_t expires_ns)
{
	SSL_CTX_free(tls->ctx);
	tls->ctx = ctx;
	if (expires_ns != tls->expires_ns)
		tls->warned_ns = 0;
	tls->expires_ns = expires_ns;
}

static void
stamp_all(const struct lp_tls *tls, struct stamp stamps[LP_TLS_LOAD_FILES])
{
	char path[PATH_MAX];
	struct stat status;

	memset(stamps, 0, sizeof(*stamps) * LP_TLS_LOAD_FILES);
	for (unsigned i = 0; i < LP_TLS_LOAD_FILES; i++) {
		snprintf(path, sizeof(path), "%s/%s", tls->directory,
		    lp_tls_load_names[i]);
		if (stat(path, &status) != 0)
			continue;
		stamps[i].device = status.st_dev;
		stamps[i].inode = status.st_ino;
		stamps[i].size = status.st_size;
		stamps[i].changed = status.st_ctim;
	}
}

static void
warn_of_end(struct lp_tls *tls)
{
	uint64_t now = now_ns();
	int64_t left_ns = (int64_t)(tls->expires_ns - now);

	if (left_ns > (int64_t)(LP_TLS_WARN_DAYS * day_ns) ||
	    (tls->warned_ns != 0 && now - tls->warned_ns < day_ns))
		return;
	tls->warned_ns = now;
	if (left_ns <= 0)
		lp_log_warn("%s/cert.pem: has expired: nobody can connect",
		    tls->directory);
	else
		lp_log_warn("%s/cert.pem: expires in %" PRIu64
			    " days; then nobody can connect",
		    tls->directory, (uint64_t)left_ns / day_ns);
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static SSL *
make(struct lp_tls *tls, const char *role)
{
	SSL *ssl = SSL_new(tls->ctx);

	if (ssl != NULL && SSL_set_app_data(ssl, (char *)role) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static int
set_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, address) == 1 ||
	    inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1
		    ? 0
		    : -ENOMEM;
	/* A name of the subject is for people: hosts are in extensions. */
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_host(param, host, 0) != 1 ||
	    SSL_set_tlsext_host_name(ssl, host) != 1)
		return -ENOMEM;
	return 0;
}

/* Who does not say what he wants to speak costs no signature of ours. */
static int
on_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *list;
	size_t len;

	(void)arg;
	if (SSL_client_hello_get0_ext(ssl,
		TLSEXT_TYPE_application_layer_protocol_negotiation, &list,
		&len) == 1)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

static int
on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg)
{
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, protocols,
		sizeof(protocols), in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* The role comes last: when all else of the certificate is good. */
static int
on_verify(int ok, X509_STORE_CTX *ctx)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(
	    ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	const char *role = SSL_get_app_data(ssl);
	struct lp_tls_peer peer;
	char why[LP_TLS_WHY_SIZE];

	if (!ok || role == NULL || X509_STORE_CTX_get_error_depth(ctx) != 0)
		return ok;
	if (lp_tls_peer_read(&peer, X509_STORE_CTX_get0_cert(ctx), why) == 0 &&
	    strcmp(peer.role, role) == 0)
		return 1;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}
