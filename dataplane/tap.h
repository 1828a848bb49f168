/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture, seen from control: the filter compiled, the ring, and frames of
 * what it held.
 */
#ifndef LP_DATAPLANE_TAP_H
#define LP_DATAPLANE_TAP_H

#include <event2/buffer.h>

#include "dataplane/dataplane.h"
#include "dataplane/pipeline/capture.h"

struct lp_tap;

/*
 * Begins to copy.  0, or -EBUSY (one runs already), -EINVAL, -ENOMEM, with
 * one line in why.
 */
int lp_tap_new(struct lp_tap **tap, struct lp_dataplane *dataplane,
    const Lp__Pb__CaptureRequest *request, char why[LP_WHY_SIZE]);
/* Nobody copies any more.  Accepts NULL. */
void lp_tap_free(struct lp_tap *tap);

/* What is copied from now on is nobody's; what was, is still to be pumped. */
void lp_tap_stop(struct lp_tap *tap);

/*
 * Frames of what the ring holds, the first one even if it holds nothing, at
 * most about so many bytes; *more is false with the last of a capture that was
 * stopped.  0, -ENOMEM.
 */
int lp_tap_pump(
    struct lp_tap *tap, struct evbuffer *out, size_t max, bool *more);

uint64_t lp_tap_cookie(const struct lp_tap *tap);

/* The only frame of a capture that does not begin. */
int lp_tap_refuse(struct evbuffer *out, uint64_t cookie, const char *why);

#endif
