/* SPDX-License-Identifier: Apache-2.0 */
/* What a dataplane says of itself.  For peer.c only. */
#ifndef LP_CONTROLD_PEER_HELLO_H
#define LP_CONTROLD_PEER_HELLO_H

#include "controld/push.h"

void lp_peer_hello_keep(
    struct lp_push_dataplane *info, const Lp__Pb__Hello *hello);

/* Theirs, for people: cut to the size, nothing that moves a terminal. */
void lp_peer_hello_text(char *out, size_t size, const char *text);

#endif
