/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where lp-controld is, as one text: the path of its socket, or, from another
 * machine, "tls://HOST:PORT/DIRECTORY" with that of our certificate.
 */
#ifndef LP_CLI_PLACE_H
#define LP_CLI_PLACE_H

#include <limits.h>
#include <stdbool.h>

#include "proto/address.h"
#include "proto/limits.h"

enum { LP_PLACE_SIZE = PATH_MAX + LP_HOST_SIZE + 32 };

struct lp_place {
	char host[LP_HOST_SIZE]; /* a name, or an address without brackets */
	uint16_t port;
	const char *directory; /* in the text */
	char name[LP_HOSTPORT_TEXT_SIZE]; /* "HOST:PORT", for people */
};

/*
 * Of "HOST[:PORT]"; directory NULL: ~/.config/lightpath if there is a
 * certificate, else /etc/lightpath/tls.  0, or -EINVAL and why.
 */
int lp_place_make(char place[LP_PLACE_SIZE], const char *remote,
    const char *directory, char why[LP_WHY_SIZE]);

/* False: it is the path of a socket. */
bool lp_place_split(struct lp_place *out, const char *place);

#endif
