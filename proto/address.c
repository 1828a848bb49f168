/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "proto/limits.h"

enum {
	QUOTE_MAX = 80, /* bytes of an operator's text that we repeat */
	DIGITS_MAX = 5, /* of the largest number here, 65535 */
	LABEL_MAX = 63, /* RFC 1035, 2.3.4 */
};

static_assert(LP_IP_TEXT_SIZE == INET6_ADDRSTRLEN, "any address fits");

static int refuse(char *why, const char *text, const char *what);
static int parse_number(
    unsigned *out, const char *text, unsigned min, unsigned max);
static int split_port(
    char *host, size_t host_size, uint16_t *port, const char *text, char *why);

bool
lp_ip_is_host(const struct lp_ip *ip)
{
	static const uint8_t loopback[16] = {[15] = 1};

	if (lp_ip_is_v4(ip)) {
		uint8_t first = lp_ip_v4(ip)[0];

		return first != 0 && first != 127 && first < 224;
	}
	return !lp_ip_is_none(ip) && memcmp(ip->bytes, loopback, 16) != 0 &&
	    ip->bytes[0] != 0xff;
}

bool
lp_prefix_contains(const struct lp_prefix *prefix, const struct lp_ip *ip)
{
	bool v4 = lp_ip_is_v4(&prefix->ip);
	unsigned bits = prefix->len + (v4 ? 96u : 0u);
	unsigned whole = bits / 8, rest = bits % 8;

	assert(bits <= 128);
	if (v4 != lp_ip_is_v4(ip))
		return false;
	if (memcmp(prefix->ip.bytes, ip->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	    (prefix->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}

int
lp_ip_parse(struct lp_ip *out, const char *text, char *why)
{
	struct lp_ip ip;
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		lp_ip_from_v4(out, v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, ip.bytes) != 1)
		return refuse(why, text, "is not an IPv4 or IPv6 address");
	if (lp_ip_is_v4(&ip))
		return refuse(
		    why, text, "is an IPv4-mapped address: write it as IPv4");
	/* Its bytes are those of "no address". */
	if (lp_ip_is_none(&ip))
		return refuse(why, text, "is the unspecified address");
	*out = ip;
	return 0;
}

int
lp_prefix_parse(struct lp_prefix *out, const char *text, char *why)
{
	const char *slash = strchr(text, '/');
	char host[LP_IP_TEXT_SIZE];
	struct lp_ip ip;
	unsigned len;
	size_t host_len;
	int rc;

	if (!slash)
		return refuse(why, text, "has no prefix length: write IP/LEN");
	host_len = (size_t)(slash - text);
	if (host_len >= sizeof(host))
		return refuse(why, text, "is not an IP/LEN");
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	rc = lp_ip_parse(&ip, host, why);
	if (rc)
		return rc;
	if (parse_number(&len, slash + 1, 0, lp_ip_is_v4(&ip) ? 32 : 128))
		return refuse(why, text,
		    lp_ip_is_v4(&ip) ? "has a prefix length other than 0..32"
				     : "has a prefix length other than 0..128");
	out->ip = ip;
	out->len = (uint8_t)len;
	return 0;
}

int
lp_endpoint_parse(struct lp_endpoint *out, const char *text, char *why)
{
	char host[LP_IP_TEXT_SIZE];
	struct lp_ip ip;
	uint16_t port;
	int rc;

	rc = split_port(host, sizeof(host), &port, text, why);
	if (rc)
		return rc;
	rc = lp_ip_parse(&ip, host, why);
	if (rc)
		return rc;
	if (lp_ip_is_v4(&ip) != (text[0] != '['))
		return refuse(why, text, "is not IPv4:PORT or [IPv6]:PORT");
	out->ip = ip;
	out->port = port;
	return 0;
}

int
lp_endpoint_parse_bare(
    struct lp_endpoint *out, const char *text, uint16_t port, char *why)
{
	struct lp_ip ip;

	if (lp_ip_parse(&ip, text, why) != 0)
		return strchr(text, ':') != NULL
		    ? lp_endpoint_parse(out, text, why)
		    : -EINVAL;
	*out = (struct lp_endpoint){.ip = ip, .port = port};
	return 0;
}

int
lp_hostport_split(char *host, uint16_t *port, const char *text, char *why)
{
	static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-._";
	char part[LP_HOST_SIZE];
	struct lp_ip ip;
	uint16_t number;
	int rc;

	rc = split_port(part, sizeof(part), &number, text, why);
	if (rc)
		return rc;
	if (text[0] == '[') {
		rc = lp_ip_parse(&ip, part, why);
		if (rc)
			return rc;
		if (lp_ip_is_v4(&ip))
			return refuse(why, text, "has IPv4 in brackets");
	} else if (part[strspn(part, name_bytes)] != '\0') {
		return refuse(why, text, "is not a HOST:PORT");
	}
	strcpy(host, part);
	*port = number;
	return 0;
}

int
lp_hostname_check(const char *text, char *why)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-";
	const char *label = text;

	if (strnlen(text, LP_HOST_SIZE) == LP_HOST_SIZE)
		return refuse(why, text, "is longer than 253 characters");
	for (;;) {
		size_t len = strcspn(label, ".");

		if (len == 0 || len > LABEL_MAX)
			return refuse(why, text,
			    "is no host name: between its dots are 1 to 63 "
			    "characters");
		if (strspn(label, bytes) < len)
			return refuse(why, text,
			    "is no host name: it has letters, digits, '-' and "
			    "'.' only");
		if (label[0] == '-' || label[len - 1] == '-')
			return refuse(why, text,
			    "is no host name: no part of it begins or ends "
			    "with '-'");
		if (label[len] == '\0')
			break;
		label += len + 1;
	}
	/* It would be taken for an address. */
	if (label[strspn(label, "0123456789")] == '\0')
		return refuse(
		    why, text, "is no host name: its last part is a number");
	return 0;
}

char *
lp_ip_format(char *buf, const struct lp_ip *ip)
{
	const char *text;

	if (lp_ip_is_v4(ip))
		text = inet_ntop(AF_INET, lp_ip_v4(ip), buf, LP_IP_TEXT_SIZE);
	else
		text = inet_ntop(AF_INET6, ip->bytes, buf, LP_IP_TEXT_SIZE);
	assert(text);
	return buf;
}

char *
lp_prefix_format(char *buf, const struct lp_prefix *prefix)
{
	char ip[LP_IP_TEXT_SIZE];

	snprintf(buf, LP_PREFIX_TEXT_SIZE, "%s/%u",
	    lp_ip_format(ip, &prefix->ip), prefix->len);
	return buf;
}

char *
lp_endpoint_format(char *buf, const struct lp_endpoint *endpoint)
{
	char ip[LP_IP_TEXT_SIZE];

	snprintf(buf, LP_ENDPOINT_TEXT_SIZE,
	    lp_ip_is_v4(&endpoint->ip) ? "%s:%u" : "[%s]:%u",
	    lp_ip_format(ip, &endpoint->ip), endpoint->port);
	return buf;
}

char *
lp_hostport_format(char *buf, const char *host, unsigned port)
{
	snprintf(buf, LP_HOSTPORT_TEXT_SIZE,
	    strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
	return buf;
}

static int
refuse(char *why, const char *text, const char *what)
{
	if (why)
		snprintf(
		    why, LP_WHY_SIZE, "\"%.*s\" %s", QUOTE_MAX, text, what);
	return -EINVAL;
}

/* Decimal digits only: no sign, no space, no leading zero. */
static int
parse_number(unsigned *out, const char *text, unsigned min, unsigned max)
{
	size_t len = strspn(text, "0123456789");
	unsigned value = 0;

	if (len == 0 || len > DIGITS_MAX || text[len] != '\0')
		return -EINVAL;
	if (text[0] == '0' && len > 1)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	if (value < min || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

/* "host:port" or "[host]:port"; the host is not yet looked at. */
static int
split_port(
    char *host, size_t host_size, uint16_t *port, const char *text, char *why)
{
	bool bracket = text[0] == '[';
	const char *start = text + bracket;
	const char *end = strchr(start, bracket ? ']' : ':');
	const char *colon;
	unsigned number;

	if (!end || end[bracket] != ':')
		return refuse(why, text, "has no port: write HOST:PORT");
	colon = end + bracket;
	if (strchr(colon + 1, ':'))
		return refuse(why, text,
		    "has too many colons: write IPv6 as [ADDRESS]:PORT");
	if (end == start || (size_t)(end - start) >= host_size)
		return refuse(
		    why, text, "has no host, or one that is too long");
	if (parse_number(&number, colon + 1, 1, UINT16_MAX))
		return refuse(why, text, "has a port other than 1..65535");
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	*port = (uint16_t)number;
	return 0;
}
