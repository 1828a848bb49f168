/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of lp-controld, for as long as it runs: loaded anew when
 * their files change, and on SIGHUP.
 */
#ifndef LP_CONTROLD_CERTIFICATES_H
#define LP_CONTROLD_CERTIFICATES_H

#include <event2/event.h>

#include "proto/tls.h"

struct lp_certificates;

/*
 * checked: they were looked at, or are new: others may have been revoked, or
 * have expired.  0, or -errno and why.  What has expired is loaded, with a
 * warning: a daemon that starts again does what one does that has run on.
 */
int lp_certificates_open(struct lp_certificates **out, struct event_base *base,
    const char *directory, void (*checked)(void *arg), void *arg,
    char why[LP_TLS_WHY_SIZE]);
/* NULL is accepted. */
void lp_certificates_close(struct lp_certificates *certificates);

/* NULL if there are none. */
struct lp_tls *lp_certificates_tls(const struct lp_certificates *certificates);

#endif
