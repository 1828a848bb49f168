/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devargs as hostile input: whatever they are, opening neither crashes nor
 * hangs, and says why not.  Only of drivers that touch nothing: what a
 * mutation makes of them names no device that could exist.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/dataplane/dpdk_lab.h"

enum { MUTATIONS = 400, CHANGES_MAX = 4 };

static const struct lp_backend_ops *const ops = &lp_port_dpdk_ops;

static const char *const table[] = {
    "",
    " ",
    ",",
    ",,,,",
    "=",
    ":",
    "::",
    "/",
    "///",
    "%s%n%s%n",
    "\x01\x7f\xff\xfe",
    "net_null0,",
    "net_null0,,,",
    "net_null0,=",
    "net_null0,size",
    "net_null0,size=",
    "net_null0,size=-1",
    "net_null0,size=99999999999999999999",
    "net_null0,copy=%s",
    "net_null0,[",
    "net_null0,[0-",
    "net_null0,representor=[0-99999999]",
    "net_null0,representor=[[[[",
    "net_null0,no-rx=1,no-rx=1,no-rx=1",
    "net_nulll0",
    "net_",
    "net_null",
    "vdev:",
    "vdev:,",
    "vdev",
    "vdev:vdev:net_null0",
    "bus=",
    "bus=vdev",
    "bus=vdev,",
    "bus=vdev,name=",
    "bus=vdev,name=net_null0/",
    "bus=vdev,name=net_null0/class=",
    "bus=vdev,name=net_null0/class=eth/driver=",
    "bus=nothing,name=net_null0",
    "class=eth",
    "class=eth,mac=02:00:00:00:00:01",
    "class=nothing",
    "driver=net_null",
    "bus=vdev/bus=vdev/bus=vdev",
    "net_ring0,nodeaction",
    "net_ring0,nodeaction=",
    "net_ring0,nodeaction=:",
    "net_ring0,nodeaction=::",
    "net_ring0,nodeaction=x",
    "net_ring0,nodeaction=x:0",
    "net_ring0,nodeaction=x:0:ATTACH",
    "net_ring0,nodeaction=x:9:CREATE",
    "net_ring0,nodeaction=x:-1:CREATE",
    "net_ring0,nodeaction=x:0:BREAK",
    "net_ring0,internal=",
    "net_pcap0",
    "net_pcap0,rx_pcap",
    "net_pcap0,rx_pcap=",
    "net_pcap0,rx_pcap=nonexistent",
    "net_pcap0,tx_pcap=/nonexistent/x",
    "net_pcap0,iface=",
    "net_pcap0,iface=a-name-that-is-much-too-long-for-an-interface",
    "net_pcap0,rx_pcap=.,tx_pcap=.",
    "net_memif0,role=",
    "net_memif0,role=server,id=-1,socket=/nonexistent/s,socket-abstract=no",
    "net_memif0,bsize=0",
    "net_memif0,bsize=99999",
    "net_memif0,rsize=99",
    "net_memif0,mac=1:2:3",
    "net_memif0,secret=0123456789012345678901234567890123456789",
    "net_af_packet0,iface=",
    "net_af_packet0,qpairs=0",
    "net_tap0,iface=",
    "net_tap0,iface=a-name-that-is-much-too-long-for-an-interface",
    "net_tap0,mac=nonsense",
    "net_tap0,remote=nothing",
    "net_failsafe0",
    "net_failsafe0,dev(",
    "net_failsafe0,exec(touch ran)",
    "net_failsafe0,mac=1,exec(touch ran)",
    "net_bonding0",
    "net_bonding0,mode=1,slave=net_null9",
    "crypto_null0",
    "0000:fe:1f.7",
    "0000:fe:1f.7,",
    "0000:fe:1f.7,x=[",
    "pci:0000:fe:1f.7",
    "bus=pci,addr=0000:fe:1f.7",
    "bus=pci,addr=",
    "bus=pci,id=0000:fe:1f.7",
    "bus=pci",
    "pci:",
    "0000:fe:1f.7,net_null0",
};

static const char *const seeds[] = {
    "net_null0,size=64,copy=1",
    "net_null1,no-rx=1",
    "vdev:net_null2,size=128",
    "bus=vdev,name=net_null3/class=eth",
    "net_ring0,nodeaction=lp0:0:CREATE",
    "net_ring1",
    "net_pcap0,rx_pcap=nonexistent,tx_pcap=nonexistent/out",
    "net_pcap1,rx_iface_in=nope,tx_iface=nope,infinite_rx=1",
};

/* Characters that mean something to one parser or another. */
static const char spice[] = ",=:/()[]-.%\\\"' \t0129az_\x01\xff";

/* Opens it if it can be; says why if not; and nothing is missing. */
static void
try_to_open(const char *devargs)
{
	const struct lp_port_config config = dpdk_lab_config(devargs);
	struct lp_port *port;
	int error;

	dpdk_lab.why[0] = '\0';
	error = ops->open(&port, &config, dpdk_lab.why);
	if (error == 0) {
		(void)dpdk_lab_link(port);
		dpdk_lab_close(port);
	} else {
		ck_assert_int_lt(error, 0);
		ck_assert_msg(
		    dpdk_lab.why[0] != '\0', "'%s': no reason why", devargs);
		ck_assert_uint_lt(strlen(dpdk_lab.why), LP_WHY_SIZE);
	}
	ck_assert_msg(ops->free_count(dpdk_lab.pool) == DPDK_LAB_BUFFERS,
	    "'%s' costs buffers", devargs);
}

START_TEST(wrong_devargs_are_refused_without_a_crash)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		try_to_open(table[i]);
		try_to_open(table[i]);
	}
	ck_assert_int_ne(access("ran", F_OK), 0);
	try_to_open(seeds[0]);
}
END_TEST

START_TEST(the_longest_devargs_are_refused_without_a_crash)
{
	static const char *const heads[] = {"", "net_null", "net_null0,",
	    "net_null0,size=", "vdev:", "bus=vdev,name="};
	char devargs[LP_DEVICE_SIZE];

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		memset(devargs, '7', sizeof(devargs));
		devargs[sizeof(devargs) - 1] = '\0';
		memcpy(devargs, heads[i], strlen(heads[i]));
		try_to_open(devargs);
	}
}
END_TEST

static unsigned
below(unsigned *state, size_t limit)
{
	*state = *state * 1103515245 + 12345;
	return (unsigned)((*state >> 16) % limit);
}

/* One change: a byte more, less, or another, or a piece of another seed. */
static void
change(char *devargs, unsigned *state)
{
	size_t len = strlen(devargs);
	size_t at = below(state, len + 1);
	const char *other = seeds[below(state, sizeof(seeds) / sizeof(*seeds))];

	switch (below(state, 4)) {
	case 0:
		devargs[at] = '\0';
		break;
	case 1:
		if (at < len)
			devargs[at] = spice[below(state, sizeof(spice) - 1)];
		break;
	case 2:
		if (at < len)
			memmove(devargs + at, devargs + at + 1, len - at);
		break;
	default:
		snprintf(devargs + at, LP_DEVICE_SIZE - at, "%s",
		    other + below(state, strlen(other)));
		break;
	}
}

/* No PCI address, and no file outside of the test's own directory. */
static bool
is_harmless(const char *devargs)
{
	return strstr(devargs, "=/") == NULL &&
	    strstr(devargs, "pci,") == NULL &&
	    strstr(devargs, "pci:") == NULL && strchr(devargs, '.') == NULL;
}

START_TEST(mutated_devargs_are_refused_without_a_crash)
{
	const char *given = getenv("LP_TEST_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 0)
				      : (unsigned)time(NULL);
	unsigned state = seed, tried = 0;

	printf("LP_TEST_SEED=%u\n", seed);
	fflush(stdout);
	while (tried < MUTATIONS) {
		char devargs[LP_DEVICE_SIZE];
		unsigned changes = 1 + below(&state, CHANGES_MAX);

		snprintf(devargs, sizeof(devargs), "%s",
		    seeds[below(&state, sizeof(seeds) / sizeof(*seeds))]);
		while (changes-- > 0)
			change(devargs, &state);
		if (!is_harmless(devargs))
			continue;
		try_to_open(devargs);
		tried++;
	}
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, wrong_devargs_are_refused_without_a_crash);
	tcase_add_test(tcase, the_longest_devargs_are_refused_without_a_crash);
	tcase_add_test(tcase, mutated_devargs_are_refused_without_a_crash);
}

int
main(void)
{
	return dpdk_lab_main("port_dpdk_hostile", add);
}
