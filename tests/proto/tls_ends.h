/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of a socket pair in one thread, each with a directory of its own.
 */
#ifndef LP_TESTS_PROTO_TLS_ENDS_H
#define LP_TESTS_PROTO_TLS_ENDS_H

#include <check.h>
#include <openssl/ssl.h>

#include "proto/tls.h"
#include "tests/support/pki.h"

enum { CLIENT, SERVER, ENDS };

struct end {
	char dir[64];
	struct lp_tls *tls;
	SSL *ssl;
	bool done, failed;
	int fd;
	enum lp_tls_fault fault;
	struct lp_tls_peer peer;
	char why[LP_TLS_WHY_SIZE];
};

extern struct end ends[ENDS];
extern struct pki *ends_ca, *ends_other_ca;

/* Of a client "alice", an admin. */
extern const struct pki_wish ends_alice;

/* Directories with what is good, and nothing loaded yet. */
void ends_begin(void);
void ends_end(void);

/* Something out of its time is loaded, too: the other end is to notice. */
void ends_load(unsigned i);
/* One step of the handshake, or of reading what follows. */
void ends_step(struct end *e);
/* As many as it takes, whatever comes of it. */
void ends_shake(void);
/* Loads both and does that. */
void ends_meet(
    const char *host, const char *server_role, const char *client_role);

#endif
