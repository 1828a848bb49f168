/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/serve_site.h"

#include "proto/tcp.h"

static const struct lp_serve_site *find(
    const struct lp_serve_sites *sites, const struct lp_ip *ip);

void
lp_serve_site_failed(
    struct lp_serve_sites *sites, const struct lp_ip *ip, uint64_t now_ms)
{
	struct lp_serve_site *site = (struct lp_serve_site *)find(sites, ip);

	if (site == NULL) {
		site = &sites->sites[0];
		for (unsigned i = 1; i < LP_SERVE_SITES_MAX; i++)
			if (sites->sites[i].failed_ms < site->failed_ms)
				site = &sites->sites[i];
		*site = (struct lp_serve_site){.ip = *ip,
		    .failures = {.per_s = LP_SERVE_SITE_FAILURES_PER_S,
			.burst = LP_SERVE_SITE_FAILURES_BURST}};
	}
	site->failed_ms = now_ms;
	(void)lp_rate_take(&site->failures, now_ms);
}

bool
lp_serve_site_fails(
    const struct lp_serve_sites *sites, const struct lp_ip *ip, uint64_t now_ms)
{
	const struct lp_serve_site *site = find(sites, ip);

	return site != NULL && lp_rate_wait(&site->failures, now_ms) != 0;
}

static const struct lp_serve_site *
find(const struct lp_serve_sites *sites, const struct lp_ip *ip)
{
	for (unsigned i = 0; i < LP_SERVE_SITES_MAX; i++)
		if (sites->sites[i].failed_ms != 0 &&
		    lp_tcp_same_site(&sites->sites[i].ip, ip))
			return &sites->sites[i];
	return NULL;
}
