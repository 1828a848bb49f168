/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private certificate authority in a directory:
 *
 *	ca.pem       its certificate, for all
 *	ca.key.pem   its key: whoever has it makes certificates
 *	crl.pem      those that are revoked, for all who verify
 *	index.txt    those that were issued (pki_index.h)
 *	NAME/        cert.pem key.pem ca.pem crl.pem, one issued
 *
 * One who changes it at a time.  A certificate is in the index before it is
 * handed out, and in the list before the index says that it is revoked: where
 * that is broken off, it can be said again.
 */
#ifndef LP_CLI_PKI_H
#define LP_CLI_PKI_H

#include <limits.h>

#include "cli/error.h"
#include "cli/pki_index.h"

enum {
	LP_PKI_DAYS_MAX = 36500,
	LP_PKI_DAYS_CA = 3650,
	LP_PKI_DAYS = 365,
	LP_PKI_HOSTS_MAX = 32,
	/* Clocks of others may be behind: all holds since so long before. */
	LP_PKI_SKEW_S = 3600,
};

#define LP_PKI_NAME_DEFAULT "Lightpath CA"

enum lp_pki_action {
	LP_PKI_INIT,
	LP_PKI_ISSUE,
	LP_PKI_REVOKE,
	LP_PKI_LIST,
};

struct lp_pki_request {
	const char *directory;
	const char *name; /* of the authority; of whom; or a serial */
	uint32_t days; /* 0: as by default */
	enum lp_role role;
	const char *hosts[LP_PKI_HOSTS_MAX];
	size_t host_count;
	const char *out; /* where NAME/ is made; NULL: in the directory */
	int64_t now; /* seconds of CLOCK_REALTIME */
};

/* What was done, for showing. */
struct lp_pki_view {
	enum lp_pki_action action;
	const char *directory; /* borrowed */
	char authority[LP_NAME_SIZE];
	int64_t until; /* of the authority */
	int64_t now;
	struct lp_pki_index index; /* those concerned, or all */
	char path[PATH_MAX]; /* ISSUE: what was made */
};

/* All of them: an exit status, and why; *view is to be fini'd in any case. */
int lp_pki_init(struct lp_pki_view *view, const struct lp_pki_request *request,
    struct lp_error *error);
int lp_pki_issue(struct lp_pki_view *view, const struct lp_pki_request *request,
    struct lp_error *error);
int lp_pki_revoke(struct lp_pki_view *view,
    const struct lp_pki_request *request, struct lp_error *error);
int lp_pki_list(struct lp_pki_view *view, const struct lp_pki_request *request,
    struct lp_error *error);
void lp_pki_view_fini(struct lp_pki_view *view);

#endif
