/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a port steers to us: its own addresses, the VIPs where clients are,
 * and, where sources are preserved, the brokers where brokers are.  Of an
 * inline port the brokers of clusters with an inline listener, whichever end
 * they are.
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
	/* As of the last configuration that has the port. */
	bool is_inline;
	bool wire_on_loss;
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
