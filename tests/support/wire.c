/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/wire.h"

#include <string.h>

uint64_t
wire_counter(const struct lp_port *port, const char *name)
{
	struct lp_port_counter all[LP_PORT_COUNTERS_MAX];
	unsigned count = port->ops->counters(port, all, LP_PORT_COUNTERS_MAX);

	for (unsigned i = 0; i < count; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].value;
	return 0;
}
