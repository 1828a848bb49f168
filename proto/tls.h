/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS between our processes: 1.3 only, and both sides have a certificate of
 * one private CA.
 *
 * A directory has what one side needs: cert.pem (its certificate, and the
 * intermediate ones), key.pem, ca.pem and, maybe, crl.pem, which then has to
 * be in date.  The subject of a certificate says who its owner is (CN) and
 * what he is there for (OU).  Nothing is resumed: who was let in yesterday
 * shows his certificate again.
 *
 * No sockets and no loop in here: who has them gives the SSL its descriptor.
 * For one thread.
 */
#ifndef LP_PROTO_TLS_H
#define LP_PROTO_TLS_H

#include <stdbool.h>
#include <stdint.h>

struct ssl_st; /* OpenSSL's SSL */

enum {
	LP_TLS_WHY_SIZE = 512,
	/* X.520: 64 characters; and the final NUL. */
	LP_TLS_NAME_SIZE = 65,
	/* RFC 5280: 20 bytes, in hexadecimal digits. */
	LP_TLS_SERIAL_SIZE = 41,
	/* How often to call lp_tls_tick(). */
	LP_TLS_TICK_S = 30,
	/* Before a certificate ends people are told for so long. */
	LP_TLS_WARN_DAYS = 14,
	/* What lp-controld listens on. */
	LP_TLS_PORT = 9643,
	/* What lp-dataplane listens on. */
	LP_TLS_DATAPLANE_PORT = 9644,
};

/* The ALPN name of what we speak: both sides insist on it. */
#define LP_TLS_PROTOCOL "lightpath/1"
#define LP_TLS_DIRECTORY "/etc/lightpath/tls"

/* Whom a certificate names. */
struct lp_tls_peer {
	char name[LP_TLS_NAME_SIZE]; /* CN: printable ASCII, never empty */
	char role[LP_TLS_NAME_SIZE]; /* OU: likewise; "": it has none */
	char serial[LP_TLS_SERIAL_SIZE];
	uint64_t expires_ns; /* CLOCK_REALTIME */
};

/* Why there is no connection, for who has something to say about it. */
enum lp_tls_fault {
	LP_TLS_OTHER,
	LP_TLS_NOT_TLS, /* it speaks something else */
	LP_TLS_VERSION, /* an older TLS */
	LP_TLS_PROTOCOL_OTHER, /* TLS, and something else inside */
	LP_TLS_CUT, /* it closed, without a word */
	/* Its certificate: */
	LP_TLS_NONE,
	LP_TLS_EXPIRED,
	LP_TLS_EARLY, /* not valid yet */
	LP_TLS_CA_OTHER,
	LP_TLS_REVOKED,
	LP_TLS_CRL, /* our list is out of date, or of another CA */
	LP_TLS_NAME_OTHER, /* it is not the host that was asked for */
	LP_TLS_ROLE_OTHER,
	LP_TLS_BAD,
	/* It says of our certificate: */
	LP_TLS_OURS_EXPIRED,
	LP_TLS_OURS_CA,
	LP_TLS_OURS_REVOKED,
	LP_TLS_OURS_NONE,
	LP_TLS_OURS_BAD,
};

struct lp_tls;

/*
 * Reads the directory.  0, or -errno and one line in why that names the file.
 * With -EKEYEXPIRED all is well but for the time, which a daemon can live
 * with, as it has to when it becomes so: if `untimely` is set, *out is there
 * nevertheless.
 */
int lp_tls_open(struct lp_tls **out, const char *directory, bool untimely,
    char why[LP_TLS_WHY_SIZE]);
/* NULL is accepted.  Connections do not need it any more. */
void lp_tls_close(struct lp_tls *tls);

/*
 * Whether our own certificate is for that role, as peers will insist on: 0, or
 * -EINVAL and one line in why that names the file.
 */
int lp_tls_check_role(
    const struct lp_tls *tls, const char *role, char why[LP_TLS_WHY_SIZE]);

/*
 * Reads all anew, and only if all is well it is what new connections get.
 * Logs how it went.  0 or -errno, and lp_tls_why().
 */
int lp_tls_reload(struct lp_tls *tls);

/*
 * The same, from time to time: files may have changed, or come into or out of
 * their time.  Logs what is new, and once a day, and at the first time, that
 * the certificate ends soon.  True: what is loaded is new, or good again.
 */
bool lp_tls_tick(struct lp_tls *tls);

/* Why the last reading failed; "": it did not. */
const char *lp_tls_why(const struct lp_tls *tls);
/* When our certificate ends; CLOCK_REALTIME. */
uint64_t lp_tls_expires_ns(const struct lp_tls *tls);

/*
 * A connection to come, for SSL_set_fd() or libevent, which is the caller's to
 * free.  role: what the peer has to be, NULL: anything; borrowed for as long
 * as the connection lives.  A client names the host, a name or an address,
 * which the certificate of the server has to be for.  NULL: no memory.
 */
struct ssl_st *lp_tls_server(struct lp_tls *tls, const char *role);
struct ssl_st *lp_tls_client(
    struct lp_tls *tls, const char *host, const char *role);

/* Says that we close; only where nothing has failed. */
void lp_tls_bye(struct ssl_st *ssl);
/* Only where nobody else has it; NULL is accepted. */
void lp_tls_free(struct ssl_st *ssl);

/*
 * To be called when the handshake is done, and before anything is believed:
 * who it is.  0, or -EACCES and why.
 */
int lp_tls_welcome(struct ssl_st *ssl, struct lp_tls_peer *peer,
    enum lp_tls_fault *fault, char why[LP_TLS_WHY_SIZE]);

/*
 * Whether its certificate is still good by what is loaded now: it may have
 * been revoked, or have expired.  0, or -EACCES and why.
 */
int lp_tls_again(
    struct lp_tls *tls, struct ssl_st *ssl, char why[LP_TLS_WHY_SIZE]);

/*
 * What went wrong, in words that fit behind "HOST:PORT: ".  error: of
 * OpenSSL's queue, which is emptied; 0: the first of them.  code: errno of the
 * connection below, if there is none; 0: it was closed.
 */
enum lp_tls_fault lp_tls_failed(struct ssl_st *ssl, unsigned long error,
    int code, char why[LP_TLS_WHY_SIZE]);

#endif
