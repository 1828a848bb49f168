/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/devargs.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const good[] = {
    "0000:03:00.0",
    "03:00.0",
    "0000:03:00.0,rx-vec=1,txq_inline=128",
    "FFFF:ff:1F.7",
    "10000:01:00.0",
    "ffffffff:ff:1f.7,x",
    "pci:0000:03:00.0",
    "pci:03:00.0,x",
    "03:00.0,",
    "net_memif0,socket=/run/x.sock,role=client",
    "net_tap",
    "net_x",
    "net_af_packet0,iface=eth1",
    "net_bonding0,slave=0000:03:00.0,slave=0000:03:00.1",
};

START_TEST(devices_of_dpdk_pass)
{
	char why[LP_WHY_SIZE] = "";

	ck_assert_msg(lp_devargs_check(good[_i], why) == 0, "%s", why);
}
END_TEST

#define NEITHER                                                                \
	" is neither a PCI address (0000:03:00.0) nor a virtual device "       \
	"(net_...) of DPDK"
#define OLD                                                                    \
	" is a name of old: virtual devices of DPDK are net_..., not eth_..."
#define KERNEL(name)                                                           \
	name " is no device of DPDK: say --device net_af_packet0,iface=" name  \
	     " for an interface of the kernel, or a PCI address"

static const struct {
	const char *devargs, *why;
} bad[] = {
    {"", "has no name before its arguments"},
    {",iface=eth1", "has no name before its arguments"},
    {"eth1", KERNEL("eth1")},
    {"eth1,x=net_tap0", KERNEL("eth1")},
    {"enp3s0f1np1.4000", "enp3s0f1np1.4000" NEITHER},
    {"enp3s0f1.400", KERNEL("enp3s0f1.400")},
    {"net_", "net_" NEITHER},
    {"net_,x", "net_" NEITHER},
    {"NET_tap0", KERNEL("NET_tap0")},
    {"eth_memif0,role=client", "eth_memif0" OLD},
    {"vdev:net_tap0", "vdev:net_tap0" NEITHER},
    {"/dev/uio0", "/dev/uio0" NEITHER},
    /* nearly PCI addresses */
    {"0000:03:00", "0000:03:00" NEITHER},
    {"0000:03:00.", "0000:03:00." NEITHER},
    {"0000:03:00.8", "0000:03:00.8" NEITHER},
    {"0000:03:20.0", "0000:03:20.0" NEITHER},
    {"0000:3:00.0", "0000:3:00.0" NEITHER},
    {"000:03:00.0", "000:03:00.0" NEITHER},
    {"000000000:03:00.0", "000000000:03:00.0" NEITHER},
    {"0000:03:00.0.0", "0000:03:00.0.0" NEITHER},
    {"0000:03:00.0x", "0000:03:00.0x" NEITHER},
    {"g000:03:00.0", "g000:03:00.0" NEITHER},
    {":03:00.0", ":03:00.0" NEITHER},
    {"pci:", "pci:" NEITHER},
    {"pci:pci:03:00.0", "pci:pci:03:00.0" NEITHER},
    {"pci:net_tap0", "pci:net_tap0" NEITHER},
};

START_TEST(what_names_no_device_of_dpdk_is_refused)
{
	char why[LP_WHY_SIZE] = "";

	ck_assert_int_eq(lp_devargs_check(bad[_i].devargs, why), -EINVAL);
	ck_assert_str_eq(why, bad[_i].why);
}
END_TEST

START_TEST(a_long_name_does_not_push_the_reason_out)
{
	char devargs[LP_DEVICE_SIZE] = "", why[LP_WHY_SIZE] = "";

	memset(devargs, 'x', sizeof(devargs) - 1);
	ck_assert_int_eq(lp_devargs_check(devargs, why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "(net_...) of DPDK"));
}
END_TEST

START_TEST(one_device_is_the_same_however_it_is_written)
{
	static const char *const rows[][2] = {
	    {"0000:03:00.0", "03:00.0"},
	    {"pci:0000:03:00.0,a=1", "03:00.0,b=2"},
	    {"0000:AB:1C.0", "ab:1c.0"},
	    {"10000:01:00.0", "00010000:01:00.0"},
	    {"net_tap0,iface=a", "net_tap0,iface=b"},
	    {"net_tap0", "net_tap0,iface=b"},
	};

	ck_assert_int_eq(lp_devargs_compare(rows[_i][0], rows[_i][1]), 0);
	ck_assert_int_eq(lp_devargs_compare(rows[_i][1], rows[_i][0]), 0);
}
END_TEST

START_TEST(two_devices_differ_both_ways)
{
	static const char *const rows[][2] = {
	    {"03:00.0", "03:00.1"},
	    {"0001:03:00.0", "03:00.0"},
	    {"10000:01:00.0", "0000:01:00.0"},
	    {"net_tap0", "net_tap1"},
	    {"net_tap", "net_tap1"},
	    {"net_tap0", "net_TAP0"},
	    {"net_tap0", "03:00.0"},
	};
	int there = lp_devargs_compare(rows[_i][0], rows[_i][1]);
	int back = lp_devargs_compare(rows[_i][1], rows[_i][0]);

	ck_assert(there != 0 && (there < 0) == (back > 0));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("devargs");
	TCase *tests = tcase_create("devargs");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(
	    tests, devices_of_dpdk_pass, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tests, what_names_no_device_of_dpdk_is_refused, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tests, a_long_name_does_not_push_the_reason_out);
	tcase_add_loop_test(
	    tests, one_device_is_the_same_however_it_is_written, 0, 6);
	tcase_add_loop_test(tests, two_devices_differ_both_ways, 0, 7);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
