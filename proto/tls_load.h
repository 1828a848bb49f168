/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a directory, made one context of OpenSSL.  For tls.c.
 */
#ifndef LP_PROTO_TLS_LOAD_H
#define LP_PROTO_TLS_LOAD_H

#include <openssl/ssl.h>

#include "proto/tls.h"

enum {
	LP_TLS_LOAD_FILES = 4,
	LP_TLS_LOAD_SIZE_MAX = 4 << 20, /* bytes of one file */
	/* Of one file: certificates, lists. */
	LP_TLS_LOAD_COUNT_MAX = 64,
	LP_TLS_LOAD_DEPTH_MAX = 4, /* certificates of a chain */
};

extern const char *const lp_tls_load_names[LP_TLS_LOAD_FILES];

/*
 * A context with certificate, key, CA and revocations, all of them checked.
 * 0, or -errno and why; -EKEYEXPIRED: it is there, but out of its time.
 */
int lp_tls_load(SSL_CTX **out, const char *directory, uint64_t *expires_ns,
    char why[LP_TLS_WHY_SIZE]);

/* CLOCK_REALTIME; 0: it cannot be said. */
uint64_t lp_tls_load_time_ns(const ASN1_TIME *time);

#endif
