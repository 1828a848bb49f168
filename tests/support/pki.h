/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for tests, good ones and others.
 */
#ifndef LP_TESTS_SUPPORT_PKI_H
#define LP_TESTS_SUPPORT_PKI_H

#include <stdbool.h>

struct pki; /* a CA */

struct pki *pki_new(const char *name);
void pki_free(struct pki *ca);

struct pki_wish {
	const char *name; /* CN */
	const char *role; /* OU; NULL: none */
	const char *hosts; /* as "DNS:a.example,IP:192.0.2.1"; NULL: none */
	/* Seconds from now; both 0: since an hour, for a year. */
	long from_s, to_s;
	bool self_signed;
	bool two_roles;
};

/* Writes DIR/cert.pem, key.pem and ca.pem, which is this CA's. */
void pki_issue(struct pki *ca, const char *dir, const struct pki_wish *wish);

/* DIR/ca.pem: this CA, or this one, too. */
void pki_trust(struct pki *ca, const char *dir);
void pki_trust_also(struct pki *ca, const char *dir);

/*
 * DIR/crl.pem: the list of this CA, in date until then (seconds from now),
 * with the certificate of that directory on it; NULL: of none.
 */
void pki_revoke(
    struct pki *ca, const char *dir, const char *revoked, long to_s);
/* The same, of a list that is valid from then on. */
void pki_list(struct pki *ca, const char *dir, const char *revoked, long from_s,
    long to_s);

/* Removes what was written, but not the directory. */
void pki_clean(const char *dir);

#endif
