/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host around the dataplane: its own network must not have an address
 * that is steered to us.  Both would answer for it, and whoever reached the
 * host by it would not any more.
 */
#ifndef LP_DATAPLANE_HOST_H
#define LP_DATAPLANE_HOST_H

#include "dataplane/ports.h"

/*
 * 0, or -EINVAL with a refusal that names the object of `next` whose address
 * the host has.  An address that `running` has already, too, is no reason to
 * refuse another change: it is only warned about, once.
 */
int lp_host_check(struct lp_ports *ports, const struct lp_config *running,
    const struct lp_config *next, struct lp_refusal *refusal);

#endif
