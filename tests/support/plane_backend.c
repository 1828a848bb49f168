/* SPDX-License-Identifier: Apache-2.0 */
/* Which back end a plane is on, and what that means for a test. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/ensure.h"
#include "tests/support/plane.h"

enum lp_backend
plane_backend(void)
{
	const char *name = getenv("LP_TEST_BACKEND");
	uint8_t backend = LP_BACKEND_MEMORY;

	ensure(!name || lp_backend_parse(&backend, name) == 0,
	    "LP_TEST_BACKEND: there is no %s", name);
	ensure(lp_port_backend(backend) != NULL,
	    "LP_TEST_BACKEND: this build has no %s", name);
	return backend;
}

bool
plane_on_memory(void)
{
	return plane_backend() == LP_BACKEND_MEMORY;
}

/*
 * To none of our addresses on that port; and what is not seen of a frame when
 * only its destination is looked at, because nothing else makes it ours.
 */
bool
plane_may_pass(enum lp_reason reason)
{
	switch (reason) {
	case LP_REASON_ARP:
	case LP_REASON_NDP:
	case LP_REASON_RUNT:
	case LP_REASON_ETHERTYPE:
	case LP_REASON_VLAN:
	case LP_REASON_IP_HEADER:
	case LP_REASON_IP_CHECKSUM:
	case LP_REASON_IP_FRAGMENT:
	case LP_REASON_IP_OPTIONS:
	case LP_REASON_IP_PROTOCOL:
	case LP_REASON_IP_SOURCE:
	case LP_REASON_NOT_OURS:
	case LP_REASON_WRONG_SIDE:
	case LP_REASON_TCP_HEADER:
	case LP_REASON_TCP_CHECKSUM:
	case LP_REASON_TCP_CHECKSUM_PARTIAL:
	case LP_REASON_ICMP_INVALID:
	case LP_REASON_ICMP_UNKNOWN:
	case LP_REASON_NDP_INVALID:
	case LP_REASON_ARP_INVALID:
		return true;
	default:
		return false;
	}
}
