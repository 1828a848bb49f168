/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dataplane says to a controller: frames into an output buffer.  All
 * return 0, -ENOMEM, or -EMSGSIZE.
 */
#ifndef LP_DATAPLANE_REPLY_H
#define LP_DATAPLANE_REPLY_H

#include <event2/buffer.h>

#include "dataplane/apply.h"

int lp_reply_hello(struct evbuffer *out, const struct lp_dataplane *dataplane);
int lp_reply_applied(struct evbuffer *out, const struct lp_running *running,
    const struct lp_applied *applied);
int lp_reply_rejected(struct evbuffer *out, const struct lp_refusal *refusal,
    uint64_t epoch_seen);
/*
 * Once a minute the digest is computed anew: it is a check of our memory, too.
 * Not each second: of a hundred thousand rules that takes 50 ms.
 */
int lp_reply_beat(struct evbuffer *out, struct lp_running *running);

/* Frames any message of ours. */
int lp_reply_send(
    struct evbuffer *out, const Lp__Pb__DataplaneMessage *message);

#endif
