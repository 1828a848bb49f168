/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/port/dpdk_pci.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Made for DPDK, or shared with it. */
static const char *const usable[] = {
    "vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core", "mlx5_core", "mana"};

static void find_interface(const char *directory, char name[IF_NAMESIZE]);

int
lp_dpdk_pci_check(const char *sysfs, const char *name, char why[LP_WHY_SIZE])
{
	char directory[PATH_MAX], path[PATH_MAX], link[PATH_MAX];
	char interface[IF_NAMESIZE] = "";
	const char *driver;
	ssize_t len;

	if (snprintf(directory, sizeof(directory), "%s/bus/pci/devices/%s",
		sysfs, name) >= PATH_MAX - NAME_MAX ||
	    access(directory, F_OK) != 0) {
		snprintf(why, LP_WHY_SIZE,
		    "there is no PCI device %s (lspci -D shows them)", name);
		return -ENODEV;
	}
	snprintf(path, sizeof(path), "%.*s/driver", PATH_MAX - 16, directory);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0) {
		snprintf(why, LP_WHY_SIZE,
		    "%s has no driver: dpdk-devbind.py -b vfio-pci %s", name,
		    name);
		return -EBUSY;
	}
	link[len] = '\0';
	driver = strrchr(link, '/') != NULL ? strrchr(link, '/') + 1 : link;
	for (size_t i = 0; i < sizeof(usable) / sizeof(usable[0]); i++)
		if (strcmp(driver, usable[i]) == 0)
			return 0;
	find_interface(directory, interface);
	snprintf(why, LP_WHY_SIZE,
	    "%s is bound to the kernel's driver %.32s%s%s: "
	    "dpdk-devbind.py -b vfio-pci %s gives it to DPDK",
	    name, driver, interface[0] != '\0' ? " as " : "", interface, name);
	return -EBUSY;
}

/* Of the kernel: below the device, or below its virtio device. */
static void
find_interface(const char *directory, char name[IF_NAMESIZE])
{
	static const char *const places[] = {"net/*", "virtio*/net/*"};
	char pattern[PATH_MAX];
	const char *base;
	glob_t found;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(pattern, sizeof(pattern), "%.*s/%s", PATH_MAX - 16,
		    directory, places[i]);
		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		base = strrchr(found.gl_pathv[0], '/') + 1;
		snprintf(name, IF_NAMESIZE, "%.15s", base);
		globfree(&found);
	}
}
