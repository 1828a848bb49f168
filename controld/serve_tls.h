/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients from other machines: who is let in, and for how long.  For serve.c.
 *
 * Handshakes are made in the event loop, so many a second at most; who gets
 * none costs none of them.  Of those that are not through, one gives way to the
 * next one who comes: the oldest of the address that has the most.
 */
#ifndef LP_CONTROLD_SERVE_TLS_H
#define LP_CONTROLD_SERVE_TLS_H

#include "controld/serve_client.h"

/* Listens where the options say.  0, or -errno and why. */
int lp_serve_tls_open(struct lp_serve *serve, char why[LP_SERVE_WHY_SIZE]);
/* Clients are the caller's to clear before.  NULL is accepted. */
void lp_serve_tls_close(struct lp_serve_tls *tls);

void lp_serve_tls_status(
    const struct lp_serve_tls *tls, struct lp_serve_remote *status);

/* Closes those whose certificates are not good any more. */
void lp_serve_tls_recheck(struct lp_serve *serve);

/* What comes of its bufferevent; its patience is over; it has to wait. */
void lp_serve_tls_event(struct lp_serve_client *client, short what);
void lp_serve_tls_late(struct lp_serve_client *client);
void lp_serve_tls_delayed(struct lp_serve_client *client);

#endif
