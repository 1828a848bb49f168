/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LP_CLI_RESOLVE_H
#define LP_CLI_RESOLVE_H

#include "proto/address.h"

/*
 * The first address that the resolver of this host knows for a name.  0, or
 * -EINVAL and one line in why[LP_WHY_SIZE].
 */
int lp_resolve(struct lp_ip *ip, const char *host, char *why);

/*
 * RFC 1123, 2.1: no name ends in a label of digits.  Resolvers take "10.1"
 * and "0x7f000001" for addresses all the same; we take them for mistakes.
 */
bool lp_resolve_is_number(const char *host);

#endif
