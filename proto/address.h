/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP addresses, prefixes and endpoints: one representation for both families.
 *
 * An address is always 16 bytes in network order; an IPv4 address is stored
 * as IPv4-mapped (RFC 4291, 2.5.5.2).  So both families hash, compare and
 * travel alike, and the family is a property of the value.  In text a mapped
 * address is always written, and only accepted, as IPv4.
 */
#ifndef LP_PROTO_ADDRESS_H
#define LP_PROTO_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/limits.h"

enum {
	LP_IP_TEXT_SIZE = 46, /* INET6_ADDRSTRLEN */
	LP_PREFIX_TEXT_SIZE = LP_IP_TEXT_SIZE + 4,
	LP_ENDPOINT_TEXT_SIZE = LP_IP_TEXT_SIZE + 8, /* "[ip]:65535" */
	LP_HOSTPORT_TEXT_SIZE = LP_HOST_SIZE + 8,
};

struct lp_ip {
	_Alignas(4) uint8_t bytes[16];
};

struct lp_prefix {
	struct lp_ip ip; /* host bits are kept: 10.9.0.10/24 */
	uint8_t len; /* 0..32 for IPv4, 0..128 for IPv6 */
};

struct lp_endpoint {
	struct lp_ip ip;
	uint16_t port; /* host order, 1..65535 */
};

static const uint8_t lp_ip_v4_prefix[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static inline bool
lp_ip_is_v4(const struct lp_ip *ip)
{
	return memcmp(ip->bytes, lp_ip_v4_prefix, 12) == 0;
}

static inline bool
lp_ip_equal(const struct lp_ip *a, const struct lp_ip *b)
{
	return memcmp(a->bytes, b->bytes, 16) == 0;
}

/* All zero: "no address".  Not the same as 0.0.0.0, which is mapped. */
static inline bool
lp_ip_is_none(const struct lp_ip *ip)
{
	static const uint8_t none[16] = {0};

	return memcmp(ip->bytes, none, 16) == 0;
}

static inline void
lp_ip_from_v4(struct lp_ip *ip, const uint8_t v4[4])
{
	memcpy(ip->bytes, lp_ip_v4_prefix, 12);
	memcpy(ip->bytes + 12, v4, 4);
}

/* The four bytes of an IPv4 address, in network order. */
static inline const uint8_t *
lp_ip_v4(const struct lp_ip *ip)
{
	return ip->bytes + 12;
}

/* Unicast and assignable: not unspecified, multicast, broadcast, loopback. */
bool lp_ip_is_host(const struct lp_ip *ip);

/* True if ip lies in the prefix; addresses of two families never match. */
bool lp_prefix_contains(const struct lp_prefix *prefix, const struct lp_ip *ip);

/*
 * Parsers of text.  0 and the value, or -EINVAL and one line in why (may be
 * NULL) that says what is wrong; *out is then unchanged.  lp_endpoint_parse
 * takes "a.b.c.d:port" and "[v6]:port"; lp_endpoint_parse_bare also an address
 * alone, which has that port.  lp_hostport_split copies the host (a name, or an
 * address with brackets removed) and the port of "HOST:PORT".
 */
int lp_ip_parse(struct lp_ip *out, const char *text, char *why);
int lp_prefix_parse(struct lp_prefix *out, const char *text, char *why);
int lp_endpoint_parse(struct lp_endpoint *out, const char *text, char *why);
int lp_endpoint_parse_bare(
    struct lp_endpoint *out, const char *text, uint16_t port, char *why);
int lp_hostport_split(char *host, uint16_t *port, const char *text, char *why);

/*
 * A name as RFC 1123 (2.1) has it: labels of letters, digits and hyphens, the
 * last one no number, 253 bytes at most.  0, or -EINVAL with why.
 */
int lp_hostname_check(const char *text, char *why);

/* Formatters write at most the *_TEXT_SIZE above and return buf. */
char *lp_ip_format(char *buf, const struct lp_ip *ip);
char *lp_prefix_format(char *buf, const struct lp_prefix *prefix);
char *lp_endpoint_format(char *buf, const struct lp_endpoint *endpoint);
/* As lp_hostport_split() reads it. */
char *lp_hostport_format(char *buf, const char *host, unsigned port);

#endif
