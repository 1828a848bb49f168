/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a dataplane is: the path of a socket on this machine, or HOST:PORT of
 * another one, which is reached over TLS.
 */
#ifndef LP_CONTROLD_TARGET_H
#define LP_CONTROLD_TARGET_H

#include "proto/address.h"
#include "proto/limits.h"

struct lp_target {
	char host[LP_HOST_SIZE]; /* a name or an address; "": a socket */
	uint16_t port;
	char text[LP_HOSTPORT_TEXT_SIZE]; /* "HOST:PORT", for people */
};

/*
 * "tls://HOST[:PORT]"; "HOST:PORT"; else a path, as is all that has a slash
 * and does not begin with "tls://".  0, or -EINVAL and why.
 */
int lp_target_parse(
    struct lp_target *target, const char *text, char why[LP_WHY_SIZE]);

#endif
