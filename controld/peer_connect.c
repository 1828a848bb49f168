/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/peer_connect.h"

#include <assert.h>
#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controld/clock.h"
#include "controld/stream.h"
#include "proto/tcp.h"

static void connect_here(struct lp_peer *peer);
static void connect_there(struct lp_peer *peer);
static int start(struct lp_peer *peer, const struct lp_endpoint *to);

void
lp_peer_connect(struct lp_peer *peer)
{
	assert(peer->bev == NULL);
	peer->info.peer[0] = '\0';
	if (peer->target.host[0] == '\0')
		connect_here(peer);
	else
		connect_there(peer);
}

void
lp_peer_connect_done(struct lp_peer *peer)
{
	struct ssl_st *ssl = bufferevent_openssl_get_ssl(peer->bev);
	char why[LP_TLS_WHY_SIZE];
	enum lp_tls_fault fault;
	struct lp_tls_peer who;

	if (lp_tls_welcome(ssl, &who, &fault, why) != 0) {
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "%s", why);
		return;
	}
	lp_tcp_keep_alive(bufferevent_getfd(peer->bev));
	snprintf(peer->info.peer, sizeof(peer->info.peer), "%s", who.name);
	peer->info.expected = true;
}

void
lp_peer_connect_why(struct lp_peer *peer, short what, char why[LP_TLS_WHY_SIZE])
{
	int code = what & BEV_EVENT_EOF ? 0 : EVUTIL_SOCKET_ERROR();

	if (peer->target.host[0] != '\0')
		(void)lp_tls_failed(bufferevent_openssl_get_ssl(peer->bev),
		    bufferevent_get_openssl_error(peer->bev), code, why);
	else
		snprintf(why, LP_TLS_WHY_SIZE, "%s",
		    code != 0 ? strerror(code) : "it closed the connection");
}

void
lp_peer_connect_again(struct lp_peer *peer)
{
	char why[LP_TLS_WHY_SIZE];

	/* Before it has shown its certificate there is nothing to look at. */
	if (peer->bev == NULL || peer->info.peer[0] == '\0')
		return;
	if (lp_tls_again(peer->shared->options.tls,
		bufferevent_openssl_get_ssl(peer->bev), why) != 0)
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "%s", why);
}

/* Unix sockets do not make one wait. */
static void
connect_here(struct lp_peer *peer)
{
	struct sockaddr_un address;
	int fd;

	(void)lp_stream_address(&address, peer->info.path); /* fits: init */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "%s", strerror(err));
		return;
	}
	peer->bev = bufferevent_socket_new(
	    peer->shared->options.base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (peer->bev == NULL) {
		close(fd);
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "no memory");
		return;
	}
	peer->info.expected = true;
}

static void
connect_there(struct lp_peer *peer)
{
	struct lp_endpoint to = {.port = peer->target.port};
	const struct lp_names_answer *answer = lp_names_get(
	    peer->shared->names, peer->target.host, lp_clock_now_ms());
	int err;

	peer->looking = answer == NULL;
	if (answer == NULL) {
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "%s is looked up",
		    peer->target.host);
		return;
	}
	if (answer->count == 0) {
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "%s: %s",
		    peer->target.host, answer->why);
		return;
	}
	to.ip = answer->ips[peer->tries++ % answer->count];
	err = start(peer, &to);
	if (err != 0)
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "%s", strerror(-err));
}

static int
start(struct lp_peer *peer, const struct lp_endpoint *to)
{
	const struct lp_push_options *options = &peer->shared->options;
	struct sockaddr_storage address;
	socklen_t len = lp_tcp_address(&address, to);
	struct ssl_st *ssl =
	    lp_tls_client(options->tls, peer->target.host, "dataplane");

	if (ssl == NULL)
		return -ENOMEM;
	peer->bev = bufferevent_openssl_socket_new(options->base, -1, ssl,
	    BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (peer->bev == NULL) {
		lp_tls_free(ssl);
		return -ENOMEM;
	}
	if (bufferevent_socket_connect(
		peer->bev, (struct sockaddr *)&address, (int)len) == 0)
		return 0;
	return errno != 0 ? -errno : -EIO;
}
