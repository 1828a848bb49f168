/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a port steers to us: its own addresses, the VIPs where clients are,
 * and, where sources are preserved, the brokers where brokers are.
 */
#ifndef LP_DATAPLANE_STEERING_H
#define LP_DATAPLANE_STEERING_H

#include <stddef.h>

#include "proto/config.h"

struct lp_steering {
	struct lp_ip *addresses;
	size_t address_count;
	struct lp_endpoint *sources;
	size_t source_count;
};

/*
 * The union of what the port needs under each of the configurations (in
 * ports[i], NULL where it has none), sorted and without doubles.  0, or
 * -ENOMEM.
 */
int lp_steering_init(struct lp_steering *steering,
    const struct lp_config *const configs[],
    const struct lp_port_object *const ports[], size_t count);
void lp_steering_fini(struct lp_steering *steering);

#endif
