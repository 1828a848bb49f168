/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses whose handshakes have failed.  Where handshakes are scarce, one
 * that has failed too often lately gets none, so that nobody without a
 * certificate keeps others waiting.  Bounded: the address that has failed the
 * longest ago is forgotten.
 */
#ifndef LP_CONTROLD_SERVE_SITE_H
#define LP_CONTROLD_SERVE_SITE_H

#include "proto/address.h"
#include "proto/rate.h"

enum {
	LP_SERVE_SITES_MAX = 64,
	LP_SERVE_SITE_FAILURES_PER_S = 1,
	LP_SERVE_SITE_FAILURES_BURST = 4,
};

struct lp_serve_sites {
	struct lp_serve_site {
		struct lp_ip ip; /* an IPv6 /64 is one address */
		uint64_t failed_ms; /* last; 0: a free place */
		struct lp_rate failures;
	} sites[LP_SERVE_SITES_MAX];
};

void lp_serve_site_failed(
    struct lp_serve_sites *sites, const struct lp_ip *ip, uint64_t now_ms);

/* Whether it has failed more often than that. */
bool lp_serve_site_fails(const struct lp_serve_sites *sites,
    const struct lp_ip *ip, uint64_t now_ms);

#endif
