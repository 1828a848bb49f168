/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both processes may do: capabilities, locked memory, and the kernel
 * that they run on.
 *
 * AF_XDP needs these five, and nothing else is kept: CAP_NET_ADMIN to attach
 * a program to a device, CAP_NET_RAW to open an AF_XDP socket, CAP_BPF and
 * CAP_PERFMON to load the program, CAP_IPC_LOCK to pin packet buffers.  They
 * do for most of DPDK, too.
 *
 * More, where it is asked for: CAP_SYS_ADMIN, without which the kernel tells no
 * physical addresses (uio, vfio without an IOMMU) and net_af_xdp cannot find
 * its own program, and CAP_SYS_RAWIO, which vfio wants without an IOMMU.
 */
#ifndef LP_DATAPLANE_PRIVILEGE_H
#define LP_DATAPLANE_PRIVILEGE_H

#include <stdbool.h>

/*
 * The keeper, once its socket is open: these stay permitted and
 * inheritable for the packet process, none is effective, all others are gone
 * for good.
 */
int lp_privilege_drop_keeper(bool more);

/*
 * The packet process, first of all: these at most, no new ones ever, and
 * it dies with its keeper.
 */
int lp_privilege_drop_packets(bool more);

/* Locked memory without a limit, or as much as is allowed. */
void lp_privilege_raise_memlock(void);

/* Logs what this kernel and these limits mean for ports. */
void lp_privilege_log_host(bool more);

#endif
