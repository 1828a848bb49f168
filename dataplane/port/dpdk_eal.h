/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK's environment (EAL), which a process has once, from its first DPDK port
 * until its end.  Control thread only.
 */
#ifndef LP_PORT_DPDK_EAL_H
#define LP_PORT_DPDK_EAL_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/limits.h"

/*
 * Whether an operator may give these arguments ("--file-prefix x -m 512"):
 * 0, or -EINVAL and which not.  What EAL itself thinks of them shows when it
 * starts.
 */
int lp_dpdk_eal_check(const char *arguments, char why[LP_WHY_SIZE]);

/*
 * Starts EAL, unless it has been, for so many packet buffers of so many bytes
 * each.  On plain pages memory for them is set aside; hugepages are taken only
 * when there are enough for each NUMA node to have as many, but not yet
 * reserved then.  Neither is so where arguments, which may be NULL, say
 * otherwise.  0, or -errno and why: for the life of this process, then.
 */
int lp_dpdk_eal_start(const char *arguments, size_t buffer_count,
    size_t buffer_size, char why[LP_WHY_SIZE]);

/* What its memory costs ("no hugepages: ..."), or "". */
const char *lp_dpdk_eal_cost(void);

#endif
