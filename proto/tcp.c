/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	BACKLOG = 256,
	/* Of a peer that has gone without a word, in seconds. */
	KEEP_IDLE_S = 60,
	KEEP_INTERVAL_S = 15,
	KEEP_COUNT = 4,
	UNREAD_MS = 60000,
	V6_SITE = 8, /* bytes */
};

static int bind_and_listen(int fd, const struct lp_endpoint *endpoint);

socklen_t
lp_tcp_address(
    struct sockaddr_storage *address, const struct lp_endpoint *endpoint)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (lp_ip_is_v4(&endpoint->ip)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(endpoint->port);
		memcpy(&v4->sin_addr, lp_ip_v4(&endpoint->ip), 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(endpoint->port);
	memcpy(&v6->sin6_addr, endpoint->ip.bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

void
lp_tcp_endpoint(struct lp_endpoint *endpoint, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	memset(endpoint, 0, sizeof(*endpoint));
	if (address->sa_family == AF_INET) {
		lp_ip_from_v4(
		    &endpoint->ip, (const uint8_t *)&v4->sin_addr.s_addr);
		endpoint->port = ntohs(v4->sin_port);
	} else if (address->sa_family == AF_INET6) {
		memcpy(endpoint->ip.bytes, &v6->sin6_addr,
		    sizeof(endpoint->ip.bytes));
		endpoint->port = ntohs(v6->sin6_port);
	}
}

void
lp_tcp_keep_alive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
	    {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S},
	    {IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
	    {IPPROTO_TCP, TCP_USER_TIMEOUT, UNREAD_MS},
	    {IPPROTO_TCP, TCP_NODELAY, 1},
	};

	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(options[i].value));
}

bool
lp_tcp_same_site(const struct lp_ip *a, const struct lp_ip *b)
{
	if (lp_ip_is_v4(a) || lp_ip_is_v4(b))
		return lp_ip_equal(a, b);
	return memcmp(a->bytes, b->bytes, V6_SITE) == 0;
}

int
lp_tcp_listen(const struct lp_endpoint *endpoint, char why[LP_WHY_SIZE])
{
	int family = lp_ip_is_v4(&endpoint->ip) ? AF_INET : AF_INET6;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char text[LP_ENDPOINT_TEXT_SIZE];
	int error = fd >= 0 ? bind_and_listen(fd, endpoint) : -errno;

	if (!error)
		return fd;
	snprintf(why, LP_WHY_SIZE, "%s: %s", lp_endpoint_format(text, endpoint),
	    strerror(-error));
	if (fd >= 0)
		close(fd);
	return error;
}

static int
bind_and_listen(int fd, const struct lp_endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t len = lp_tcp_address(&address, endpoint);
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(fd, BACKLOG) != 0)
		return -errno;
	return 0;
}
