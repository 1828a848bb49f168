/* SPDX-License-Identifier: Apache-2.0 */
/* The back ends that this build has. */
#include "dataplane/port/port.h"

const struct lp_backend_ops *
lp_port_backend(unsigned backend)
{
	switch (backend) {
#ifdef LP_HAVE_AF_XDP
	case LP_BACKEND_AF_XDP:
		return &lp_port_xdp_ops;
#endif
#ifdef LP_HAVE_DPDK
	case LP_BACKEND_DPDK:
		return &lp_port_dpdk_ops;
#endif
	case LP_BACKEND_MEMORY:
		return &lp_port_memory_ops;
	default:
		return NULL;
	}
}
