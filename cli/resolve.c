/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "proto/limits.h"

static void
from_sockaddr(struct lp_ip *ip, const struct addrinfo *info)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (info->ai_family == AF_INET) {
		memcpy(&v4, info->ai_addr, sizeof(v4));
		lp_ip_from_v4(ip, (const uint8_t *)&v4.sin_addr);
	} else {
		memcpy(&v6, info->ai_addr, sizeof(v6));
		memcpy(ip->bytes, &v6.sin6_addr, sizeof(ip->bytes));
	}
}

int
lp_resolve(struct lp_ip *ip, const char *host, char *why)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int err = getaddrinfo(host, NULL, &hints, &list);

	if (err != 0) {
		(void)snprintf(why, LP_WHY_SIZE, "cannot resolve \"%.*s\": %s",
		    LP_NAME_SIZE, host,
		    err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
		return -EINVAL;
	}
	from_sockaddr(ip, list);
	freeaddrinfo(list);
	return 0;
}

bool
lp_resolve_is_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot != NULL ? dot + 1 : host;

	return label[strspn(label, "0123456789")] == '\0' ||
	    strncasecmp(label, "0x", 2) == 0;
}
