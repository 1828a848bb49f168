/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, certificates and lists of revoked ones, as PEM: the only file of
 * lpctl that knows X.509.
 *
 * Keys are of the curve P-256, signatures by SHA-256.  A certificate says by
 * its extended key usage which end of a connection it is good for: people, and
 * lp-controld towards a dataplane, are clients; lp-controld and dataplanes are
 * servers, under the names that they are given.
 *
 * Whatever can fail returns 0, or -errno and why.
 */
#ifndef LP_CLI_PKI_X509_H
#define LP_CLI_PKI_X509_H

#include <stdbool.h>

#include "cli/pki_index.h"

struct lp_pki_x509; /* an authority: its certificate and its key */

/* Freed by lp_pki_x509_pem_free(), which leaves nothing of it in memory. */
struct lp_pki_x509_pem {
	char *text;
	size_t len;
};

/* What a certificate is to say; times in seconds of CLOCK_REALTIME. */
struct lp_pki_x509_order {
	uint64_t serial;
	const char *name;
	enum lp_role role;
	const char *const *hosts; /* names and addresses */
	size_t host_count;
	int64_t from, until;
};

int lp_pki_x509_new(struct lp_pki_x509 **out, const char *name, int64_t from,
    int64_t until, char why[LP_WHY_SIZE]);
int lp_pki_x509_load(struct lp_pki_x509 **out,
    const struct lp_pki_x509_pem *certificate,
    const struct lp_pki_x509_pem *key, char why[LP_WHY_SIZE]);
void lp_pki_x509_free(struct lp_pki_x509 *ca);

/* Its own certificate and key. */
int lp_pki_x509_own(const struct lp_pki_x509 *ca,
    struct lp_pki_x509_pem *certificate, struct lp_pki_x509_pem *key,
    char why[LP_WHY_SIZE]);

/*
 * What a certificate says of an authority: its name, and until when.  The
 * name is of LP_NAME_SIZE, and fit for a terminal.
 */
int lp_pki_x509_about(char *name, int64_t *until,
    const struct lp_pki_x509_pem *certificate, char why[LP_WHY_SIZE]);

int lp_pki_x509_random_serial(uint64_t *serial, char why[LP_WHY_SIZE]);

/* A certificate and its new key. */
int lp_pki_x509_issue(const struct lp_pki_x509 *ca,
    const struct lp_pki_x509_order *order, struct lp_pki_x509_pem *certificate,
    struct lp_pki_x509_pem *key, char why[LP_WHY_SIZE]);

/* The list of those in the index that are revoked. */
int lp_pki_x509_revoked(const struct lp_pki_x509 *ca,
    const struct lp_pki_index *index, uint64_t number, int64_t from,
    int64_t until, struct lp_pki_x509_pem *list, char why[LP_WHY_SIZE]);
/* The number of such a list; 0: it has none. */
uint64_t lp_pki_x509_number(const struct lp_pki_x509_pem *list);

/* Whether it is fit for --host. */
int lp_pki_x509_check_host(const char *host, char why[LP_WHY_SIZE]);
/* Whether certificates of that role name hosts: they are for servers. */
bool lp_pki_x509_names_hosts(enum lp_role role);

void lp_pki_x509_pem_free(struct lp_pki_x509_pem *pem);

#endif
