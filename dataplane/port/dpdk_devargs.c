/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK has two syntaxes, "pci:0000:03:00.0,KEY=VALUE" and, which nobody needs
 * here, "bus=pci,addr=0000:03:00.0/class=eth/...".  Neither its parser nor its
 * drivers are made for mistakes: a key without a value ends the process.  So
 * only the first is let through, and only well-formed; then DPDK is asked what
 * it makes of it.
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

static bool is_well_formed(const char *devargs);
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
	if (!is_well_formed(devargs)) {
		snprintf(why, LP_WHY_SIZE,
		    "\"%.100s\" is no device: it is written "
		    "NAME,KEY=VALUE,KEY=VALUE or BUS:NAME,KEY=VALUE",
		    devargs);
		return -EINVAL;
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

static bool
is_well_formed(const char *devargs)
{
	/* Whatever begins so is the other syntax to DPDK. */
	static const char *const others[] = {"bus", "class", "driver"};
	bool in_brackets = false; /* of a list: "representor=[0,2]" */
	bool has_value = true; /* or is the name */

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(devargs, others[i], strlen(others[i])) == 0)
			return false;
	if (devargs[strcspn(devargs, ",=")] == '=')
		return false;
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
