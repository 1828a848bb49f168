/* SPDX-License-Identifier: Apache-2.0 */
/* PCI devices, in a sysfs of the test's own: no real one is looked at. */
#include "dataplane/port/dpdk_pci.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char sysfs[PATH_MAX];

static void
setup(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(sysfs, sizeof(sysfs), "%s/lp-pci-XXXXXX",
	    base != NULL ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(sysfs));
}

static void
teardown(void)
{
	char line[PATH_MAX + 16];

	snprintf(line, sizeof(line), "rm -rf '%s'", sysfs);
	ck_assert_int_eq(system(line), 0);
}

/* A directory below sysfs, with all above it. */
static void
make(const char *path)
{
	char line[2 * PATH_MAX];

	snprintf(line, sizeof(line), "mkdir -p '%s/%s'", sysfs, path);
	ck_assert_int_eq(system(line), 0);
}

static void
bind_to(const char *driver)
{
	char target[PATH_MAX], path[2 * PATH_MAX];

	make("bus/pci/devices/0000:03:00.0");
	snprintf(
	    target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:03:00.0/driver",
	    sysfs);
	ck_assert_int_eq(symlink(target, path), 0);
}

static void
check(int error, const char *words)
{
	char why[LP_WHY_SIZE] = "";

	ck_assert_int_eq(lp_dpdk_pci_check(sysfs, "0000:03:00.0", why), error);
	ck_assert_str_eq(why, words);
}

START_TEST(a_device_that_is_not_there_is_refused)
{
	make("bus/pci/devices/0000:03:00.1");
	check(-ENODEV,
	    "there is no PCI device 0000:03:00.0 (lspci -D shows them)");
}
END_TEST

START_TEST(a_device_without_a_driver_is_refused)
{
	make("bus/pci/devices/0000:03:00.0");
	check(-EBUSY,
	    "0000:03:00.0 has no driver: dpdk-devbind.py -b vfio-pci "
	    "0000:03:00.0");
}
END_TEST

START_TEST(a_device_of_the_kernel_is_refused_with_its_interface)
{
	bind_to("ixgbe");
	make("bus/pci/devices/0000:03:00.0/net/enp3s0");
	check(-EBUSY,
	    "0000:03:00.0 is bound to the kernel's driver ixgbe as enp3s0: "
	    "dpdk-devbind.py -b vfio-pci 0000:03:00.0 gives it to DPDK");
}
END_TEST

START_TEST(the_interface_of_a_virtio_device_is_found)
{
	bind_to("virtio-pci");
	make("bus/pci/devices/0000:03:00.0/virtio3/net/eth7");
	check(-EBUSY,
	    "0000:03:00.0 is bound to the kernel's driver virtio-pci as eth7: "
	    "dpdk-devbind.py -b vfio-pci 0000:03:00.0 gives it to DPDK");
}
END_TEST

START_TEST(a_device_of_the_kernel_without_an_interface_is_refused)
{
	bind_to("virtio-pci");
	check(-EBUSY,
	    "0000:03:00.0 is bound to the kernel's driver virtio-pci: "
	    "dpdk-devbind.py -b vfio-pci 0000:03:00.0 gives it to DPDK");
}
END_TEST

/* The disk's driver, one that looks like a usable one, and none at all. */
static const char *const foreign[] = {
    "nvme", "vfio-pci-core", "vfio", "mlx5", "igb", ""};

START_TEST(other_drivers_are_refused)
{
	char why[LP_WHY_SIZE] = "";

	bind_to(foreign[_i]);
	ck_assert_int_eq(lp_dpdk_pci_check(sysfs, "0000:03:00.0", why), -EBUSY);
	ck_assert_ptr_nonnull(strstr(why, "bound to the kernel's driver"));
}
END_TEST

static const char *const usable[] = {
    "vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core", "mlx5_core", "mana"};

START_TEST(drivers_for_dpdk_and_shared_ones_are_usable)
{
	bind_to(usable[_i]);
	/* A shared one has an interface, too. */
	make("bus/pci/devices/0000:03:00.0/net/enp3s0");
	check(0, "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dpdk_pci");
	TCase *tcase = tcase_create("dpdk_pci");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_device_that_is_not_there_is_refused);
	tcase_add_test(tcase, a_device_without_a_driver_is_refused);
	tcase_add_test(
	    tcase, a_device_of_the_kernel_is_refused_with_its_interface);
	tcase_add_test(tcase, the_interface_of_a_virtio_device_is_found);
	tcase_add_test(
	    tcase, a_device_of_the_kernel_without_an_interface_is_refused);
	tcase_add_loop_test(tcase, other_drivers_are_refused, 0,
	    sizeof(foreign) / sizeof(foreign[0]));
	tcase_add_loop_test(tcase, drivers_for_dpdk_and_shared_ones_are_usable,
	    0, sizeof(usable) / sizeof(usable[0]));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
