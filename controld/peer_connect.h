/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a dataplane, on this machine or another.  For peer.c only.
 *
 * Of another machine the name is looked up by a thread, TCP and TLS are
 * awaited by the event loop; a host with several addresses is tried at
 * another one each time.
 */
#ifndef LP_CONTROLD_PEER_CONNECT_H
#define LP_CONTROLD_PEER_CONNECT_H

#include "controld/peer.h"
#include "proto/tls.h"

/*
 * Connects, or begins to: peer->bev is there, and who calls sets its
 * callbacks.  Or leaves, with the reason.
 */
void lp_peer_connect(struct lp_peer *peer);

/* Both handshakes are done: whether it is who it should be; else leaves. */
void lp_peer_connect_done(struct lp_peer *peer);

/* What went wrong, after an event of it. */
void lp_peer_connect_why(
    struct lp_peer *peer, short what, char why[LP_TLS_WHY_SIZE]);

/* Leaves if its certificate is not good any more. */
void lp_peer_connect_again(struct lp_peer *peer);

#endif
