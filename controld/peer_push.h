/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we say to a dataplane.  Each of these may end in lp_peer_leave(): then
 * peer->bev is NULL.
 */
#ifndef LP_CONTROLD_PEER_PUSH_H
#define LP_CONTROLD_PEER_PUSH_H

#include "controld/peer.h"

/* Pushes the desired generation, if it may and needs to. */
void lp_peer_push_run(struct lp_peer *peer);

/* Pushes it whole; nothing may be unanswered. */
void lp_peer_push_full(struct lp_peer *peer);

/*
 * True if it cannot do what is desired, by what it has said of itself: then it
 * is as if it had rejected that.  It would take what it does not know for
 * nothing, and say that all is well.
 */
bool lp_peer_push_refuse(struct lp_peer *peer);

void lp_peer_push_welcome(struct lp_peer *peer, bool resume);
void lp_peer_push_beat(struct lp_peer *peer);

/* True if it runs what is desired. */
bool lp_peer_push_is_current(const struct lp_peer *peer);

#endif
