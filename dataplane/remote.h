/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Controllers of other machines: TCP, TLS, and a certificate that says
 * OU=controld.  Who is not through with that is nobody, and has no part in
 * what controllers have: guests have places of their own, few of them of one
 * address, and little time; when all are taken the oldest gives way.
 *
 * Handshakes are made by the control thread: so many a second at most, and
 * others wait in the backlog.  Control thread only.
 */
#ifndef LP_DATAPLANE_REMOTE_H
#define LP_DATAPLANE_REMOTE_H

#include <event2/bufferevent.h>

#include "proto/tls.h"

enum {
	LP_REMOTE_GUESTS_MAX = 64, /* not through with their handshake */
	LP_REMOTE_OF_SITE_MAX = 4, /* of them, of one address */
	LP_REMOTE_HANDSHAKES_PER_S = 100,
	LP_REMOTE_HANDSHAKE_MS = 5000,
	LP_REMOTE_FROM_SIZE = 128,
};

/* The listening socket, as the keeper holds it. */
#define LP_REMOTE_KEEP_NAME "remote"

struct lp_remote_options {
	struct event_base *base;
	const char *directory; /* of certificates */
	/* One more, which is the receiver's now; from: "control (ADDRESS)". */
	void (*accepted)(
	    void *arg, struct bufferevent *event, const char *from);
	/*
	 * Others may have been revoked, or have expired: lp_remote_again() for
	 * each.
	 */
	void (*checked)(void *arg);
	/* One was let go without; what is no handshake yet counts, too. */
	void (*refused)(void *arg);
	void *arg;
};

struct lp_remote;

/*
 * Takes ownership of the listening socket, also when it fails.  -errno, and
 * one line in why.
 */
int lp_remote_new(struct lp_remote **out,
    const struct lp_remote_options *options, int socket,
    char why[LP_TLS_WHY_SIZE]);
/* Accepts NULL. */
void lp_remote_free(struct lp_remote *remote);

/* Each second. */
void lp_remote_tick(struct lp_remote *remote);

/* Reads the certificates anew. */
void lp_remote_reload(struct lp_remote *remote);

/* 0 if its certificate is still good, else -EACCES and why. */
int lp_remote_again(struct lp_remote *remote, struct bufferevent *event,
    char why[LP_TLS_WHY_SIZE]);

/* What went wrong on such a connection, after an event of it. */
void lp_remote_why(
    struct bufferevent *event, short what, char why[LP_TLS_WHY_SIZE]);

#endif
