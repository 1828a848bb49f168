/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There are two syntaxes, "pci:0000:03:00.0,KEY=VALUE" and
 * "bus=pci,addr=0000:03:00.0/class=eth/driver=...".  DPDK is asked what it
 * makes of them, so that none is a way around our own checks.
 */
#include "dataplane/port/dpdk_devargs.h"

#include <errno.h>
#include <rte_bus.h>
#include <rte_devargs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/port/dpdk_log.h"
#include "dataplane/port/dpdk_pci.h"

static bool has_within(const char *devargs);
static int take(struct lp_dpdk_devargs *parsed, const struct rte_devargs *from);

int
lp_dpdk_devargs_parse(
    struct lp_dpdk_devargs *parsed, const char *devargs, char why[LP_WHY_SIZE])
{
	struct rte_devargs dpdk = {0};
	int error;

	if (has_within(devargs)) {
		snprintf(why, LP_WHY_SIZE,
		    "%.80s: a device that makes others, or runs commands, is "
		    "no port",
		    devargs);
		return -EPERM;
	}
	lp_dpdk_log_listen();
	error = rte_devargs_parse(&dpdk, devargs);
	if (error == 0)
		error = take(parsed, &dpdk);
	if (error != 0) {
		snprintf(why, LP_WHY_SIZE,
		    "DPDK knows no device \"%.80s\": the name of one begins "
		    "with its driver's (net_af_packet0), or it is a PCI "
		    "address",
		    devargs);
		error = -ENODEV;
	}
	/* All that its other pointers point into. */
	free(dpdk.data);
	return error;
}

/*
 * net_failsafe attaches devices by devargs of their own, which nobody has
 * checked, or that a command has printed, which it runs as us.
 */
static bool
has_within(const char *devargs)
{
	return strstr(devargs, "dev(") != NULL ||
	    strstr(devargs, "exec(") != NULL || strstr(devargs, "fd(") != NULL;
}

/* A class alone ("class=eth,...") is no device: it has no bus, nor a name. */
static int
take(struct lp_dpdk_devargs *parsed, const struct rte_devargs *from)
{
	if (from->bus == NULL || from->name[0] == '\0')
		return -ENODEV;
	snprintf(
	    parsed->bus, sizeof(parsed->bus), "%s", rte_bus_name(from->bus));
	if (strcmp(parsed->bus, "pci") == 0)
		return lp_dpdk_pci_name(from->name, parsed->name) ? 0 : -ENODEV;
	snprintf(parsed->name, sizeof(parsed->name), "%s", from->name);
	return 0;
}
