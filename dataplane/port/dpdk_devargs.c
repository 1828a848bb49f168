/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK has a second syntax, "bus=pci,addr=0000:03:00.0/class=eth/...", which
 * nobody needs here, and neither its parser nor its drivers are made for
 * mistakes: a key without a value, or a class behind a slash, ends the process.
 * So only what is well-formed is let through, and only if DPDK itself finds a
 * bus in it.
 */
#include "dataplane/port/dpdk_devargs.h"

#include <errno.h>
#include <rte_devargs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/devargs.h"

static bool is_well_formed(const char *devargs);
static bool has_bus(const char *devargs);
static bool has_within(const char *devargs);
static bool hides_interface(const char *devargs);

int
lp_dpdk_devargs_check(const char *devargs, char why[LP_WHY_SIZE])
{
	int error = lp_devargs_check(devargs, why);

	if (error != 0)
		return error;
	if (has_within(devargs)) {
		snprintf(why, LP_WHY_SIZE,
		    "%.80s: a device that makes others, or runs commands, is "
		    "no port",
		    devargs);
		return -EPERM;
	}
	if (hides_interface(devargs)) {
		snprintf(why, LP_WHY_SIZE,
		    "%.80s: nobody could tell which interface of the kernel "
		    "that takes: say iface= instead of rx_iface=, rx_iface_in= "
		    "or tx_iface=, and no remote=",
		    devargs);
		return -EPERM;
	}
	if (!is_well_formed(devargs)) {
		snprintf(why, LP_WHY_SIZE,
		    "\"%.100s\" is no device: it is written "
		    "NAME,KEY=VALUE,KEY=VALUE",
		    devargs);
		return -EINVAL;
	}
	if (!has_bus(devargs)) {
		snprintf(why, LP_WHY_SIZE,
		    "DPDK knows no device \"%.80s\": the name of one begins "
		    "with its driver's (net_af_packet0), or it is a PCI "
		    "address",
		    devargs);
		return -ENODEV;
	}
	return 0;
}

static bool
is_well_formed(const char *devargs)
{
	bool in_brackets = false; /* of a list: "representor=[0,2]" */
	bool has_value = true; /* or is the name */

	for (; *devargs != '\0'; devargs++) {
		if (*devargs == '=')
			has_value = true;
		else if (*devargs == '[' || *devargs == ']')
			in_brackets = *devargs == '[';
		else if (*devargs == ',' && !in_brackets && !has_value)
			return false;
		else if (*devargs == ',' && !in_brackets)
			has_value = false;
	}
	return has_value;
}

static bool
has_bus(const char *devargs)
{
	struct rte_devargs parsed = {0};
	bool has = rte_devargs_parse(&parsed, devargs) == 0 &&
	    parsed.bus != NULL && parsed.name[0] != '\0';

	/* All that its other pointers point into. */
	free(parsed.data);
	return has;
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

/*
 * net_pcap has an interface index by iface= alone, and net_tap that of its own
 * device only: with these a port would have an interface that carries the
 * host's default route, or is another port's.
 */
static bool
hides_interface(const char *devargs)
{
	return strstr(devargs, "rx_iface") != NULL ||
	    strstr(devargs, "tx_iface") != NULL ||
	    strstr(devargs, "remote=") != NULL;
}
