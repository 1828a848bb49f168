/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a certificate names, and what is wrong with one.  For tls.c.
 */
#ifndef LP_PROTO_TLS_PEER_H
#define LP_PROTO_TLS_PEER_H

#include <openssl/x509.h>

#include "proto/tls.h"

/*
 * Not more than one CN and OU, of printable ASCII: such names can be shown,
 * logged and compared.  0, or -EINVAL and why.
 */
int lp_tls_peer_read(
    struct lp_tls_peer *peer, X509 *cert, char why[LP_TLS_WHY_SIZE]);

/* The fault that a result of verification is, and its text: "has ...". */
enum lp_tls_fault lp_tls_peer_fault(long result, const char **text);

#endif
