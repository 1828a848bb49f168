/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/devargs.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	DOMAIN_DIGITS_MIN = 4,
	DOMAIN_DIGITS_MAX = 8, /* of 32 bits */
	PCI_DEVICES = 32,
	PCI_FUNCTIONS = 8,
	INTERFACE_NAME_SIZE = 16, /* IFNAMSIZ */
};

struct pci_address {
	unsigned domain, bus, device, function;
};

static bool parse_pci(struct pci_address *pci, const char *text);
static bool take_hex(const char **at, unsigned digits, unsigned *out);
static bool is_interface(const char *name, size_t len);

int
lp_devargs_check(const char *devargs, char why[LP_WHY_SIZE])
{
	size_t len = strcspn(devargs, ",");
	struct pci_address pci;
	int shown = len < LP_NAME_SIZE ? (int)len : LP_NAME_SIZE - 1;

	if (parse_pci(&pci, devargs))
		return 0;
	if (strncmp(devargs, "net_", 4) == 0 && len > 4)
		return 0;
	if (len == 0)
		snprintf(why, LP_WHY_SIZE, "has no name before its arguments");
	else if (strncmp(devargs, "eth_", 4) == 0)
		snprintf(why, LP_WHY_SIZE,
		    "%.*s is a name of old: virtual devices of DPDK are "
		    "net_..., not eth_...",
		    shown, devargs);
	else if (is_interface(devargs, len))
		snprintf(why, LP_WHY_SIZE,
		    "%.*s is no device of DPDK: say --device "
		    "net_af_packet0,iface=%.*s for an interface of the kernel, "
		    "or a PCI address",
		    shown, devargs, shown, devargs);
	else
		snprintf(why, LP_WHY_SIZE,
		    "%.*s is neither a PCI address (0000:03:00.0) nor a "
		    "virtual device (net_...) of DPDK",
		    shown, devargs);
	return -EINVAL;
}

bool
lp_devargs_name(char name[LP_DEVICE_SIZE], const char *devargs)
{
	struct pci_address pci;

	if (parse_pci(&pci, devargs)) {
		snprintf(name, LP_DEVICE_SIZE, "%04x:%02x:%02x.%x", pci.domain,
		    pci.bus, pci.device, pci.function);
		return true;
	}
	snprintf(
	    name, LP_DEVICE_SIZE, "%.*s", (int)strcspn(devargs, ","), devargs);
	return false;
}

int
lp_devargs_compare(const char *a, const char *b)
{
	char left[LP_DEVICE_SIZE], right[LP_DEVICE_SIZE];

	lp_devargs_name(left, a);
	lp_devargs_name(right, b);
	return strcmp(left, right);
}

/*
 * [pci:][DDDD:]BB:DD.F, and nothing or arguments behind it.  A domain has more
 * digits where a bridge makes it up (Intel VMD: 10000).
 */
static bool
parse_pci(struct pci_address *pci, const char *text)
{
	size_t digits;

	if (strncmp(text, "pci:", 4) == 0)
		text += 4;
	digits = strcspn(text, ":");
	pci->domain = 0;
	if (digits >= DOMAIN_DIGITS_MIN && digits <= DOMAIN_DIGITS_MAX &&
	    (!take_hex(&text, (unsigned)digits, &pci->domain) ||
		*text++ != ':'))
		return false;
	return take_hex(&text, 2, &pci->bus) && *text++ == ':' &&
	    take_hex(&text, 2, &pci->device) && pci->device < PCI_DEVICES &&
	    *text++ == '.' && take_hex(&text, 1, &pci->function) &&
	    pci->function < PCI_FUNCTIONS && (*text == '\0' || *text == ',');
}

/* Exactly so many digits. */
static bool
take_hex(const char **at, unsigned digits, unsigned *out)
{
	*out = 0;
	for (; digits > 0; digits--, (*at)++) {
		unsigned char c = (unsigned char)**at;

		if (!isxdigit(c))
			return false;
		*out = *out * 16 +
		    (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	return true;
}

static bool
is_interface(const char *name, size_t len)
{
	return len < INTERFACE_NAME_SIZE && strcspn(name, ":/") >= len &&
	    strncmp(name, "net_", 4) != 0;
}
