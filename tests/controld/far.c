/* SPDX-License-Identifier: Apache-2.0 */
#include "far.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controld/stream.h"
#include "proto/tcp.h"

struct far fars[FARS_MAX];
struct world far_world;
struct pki *far_ca;
struct lp_tls *far_tls, *far_client_tls;
struct lp_serve *far_serve;
struct lp_serve_remote far_status;
char far_dirs[2][128];
char far_path[128];
bool far_silent;
unsigned far_requests, far_gone;
struct far_last far_last;

static void
on_request(void *arg, uint64_t client, const struct lp_serve_peer *peer,
    Lp__Pb__ControlRequest *request)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__VersionReply version = LP__PB__VERSION_REPLY__INIT;

	(void)arg;
	far_requests++;
	snprintf(far_last.who, sizeof(far_last.who), "%s", peer->who);
	snprintf(far_last.from, sizeof(far_last.from), "%s", peer->from);
	snprintf(far_last.role, sizeof(far_last.role), "%s", peer->role);
	far_last.local = peer->local;
	version.version = (char *)"1";
	reply.cookie = request->cookie;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_VERSION;
	reply.version = &version;
	if (!far_silent)
		lp_serve_reply(far_serve, client, &reply);
	lp__pb__control_request__free_unpacked(request, NULL);
}

static void
on_gone(void *arg, uint64_t client)
{
	(void)arg;
	(void)client;
	far_gone++;
}

struct lp_serve_remote_options
far_no_limits(void)
{
	struct lp_serve_remote_options options = lp_serve_remote_usual;

	options.handshake_ms = options.idle_ms = LONG_MS;
	options.per_address = FARS_MAX;
	options.rate = options.handshakes = 0;
	return options;
}

void
far_start(const struct lp_serve_remote_options *remote, unsigned frame_ms)
{
	static const struct pki_wish server = {
	    .name = "control", .role = "controld", .hosts = "IP:127.0.0.1"};
	static const struct pki_wish alice = {.name = "alice", .role = "admin"};
	struct lp_serve_options options = {
	    .base = event_base_new(),
	    .path = far_path,
	    .frame_ms = frame_ms,
	    .remote = remote != NULL ? *remote : far_no_limits(),
	    .request = on_request,
	    .gone = on_gone,
	};
	char why[LP_TLS_WHY_SIZE];

	make_dir(far_world.dir);
	far_world.base = options.base;
	snprintf(far_path, sizeof(far_path), "%s/controld.sock", far_world.dir);
	far_ca = pki_new("our CA");
	for (unsigned i = 0; i < 2; i++) {
		snprintf(far_dirs[i], sizeof(far_dirs[i]), "%s/%u",
		    far_world.dir, i);
		ck_assert_int_eq(mkdir(far_dirs[i], 0700), 0);
		pki_issue(far_ca, far_dirs[i], i == 0 ? &server : &alice);
	}
	ck_assert_int_eq(lp_tls_open(&far_tls, far_dirs[0], false, why), 0);
	ck_assert_int_eq(
	    lp_tls_open(&far_client_tls, far_dirs[1], false, why), 0);
	options.remote.tls = far_tls;
	ck_assert_int_eq(
	    lp_endpoint_parse(&options.remote.address, "127.0.0.1:1", NULL), 0);
	options.remote.address.port = 0;
	ck_assert_msg(lp_serve_open(&far_serve, &options, why) == 0, "%s", why);
	ck_assert(lp_serve_remote(far_serve, &far_status));
	ck_assert_uint_ne(far_status.address.port, 0);
}

void
far_stop(void)
{
	for (unsigned i = 0; i < FARS_MAX; i++) {
		SSL_free(fars[i].ssl);
		if (fars[i].fd > 0)
			close(fars[i].fd);
	}
	lp_serve_close(far_serve);
	lp_tls_close(far_tls);
	lp_tls_close(far_client_tls);
	event_base_free(far_world.base);
	for (unsigned i = 0; i < 2; i++) {
		pki_clean(far_dirs[i]);
		ck_assert_int_eq(rmdir(far_dirs[i]), 0);
	}
	pki_free(far_ca);
	remove_dir(far_world.dir);
}

struct far *
far_connect(unsigned i)
{
	return far_connect_from(i, INADDR_LOOPBACK);
}

struct far *
far_connect_from(unsigned i, uint32_t source)
{
	const struct sockaddr_in own = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
	struct sockaddr_storage address;
	socklen_t len = lp_tcp_address(&address, &far_status.address);
	struct far *far = &fars[i];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(
	    bind(fd, (const struct sockaddr *)&own, sizeof(own)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, len), 0);
	evutil_make_socket_nonblocking(fd);
	far->fd = fd;
	return far;
}

void
far_shake(struct far *far)
{
	far->ssl = lp_tls_client(far_client_tls, "127.0.0.1", "controld");
	ck_assert_ptr_nonnull(far->ssl);
	SSL_set_fd(far->ssl, far->fd);
}

static void
count_answers(struct far *far)
{
	const uint8_t *payload;
	size_t len;

	while (lp_frame_next(far->bytes, far->len, &payload, &len) == LP_OK) {
		far->answers++;
		far->len -= LP_FRAME_HEADER_SIZE + len;
		memmove(far->bytes, payload + len, far->len);
	}
}

static void
step(struct far *far)
{
	int n;

	if (far->closed)
		return;
	if (far->ssl == NULL) {
		n = (int)read(far->fd, far->bytes, sizeof(far->bytes));
		far->closed = n == 0 || (n < 0 && errno == ECONNRESET);
		return;
	}
	ERR_clear_error();
	n = !far->shaken ? SSL_do_handshake(far->ssl)
			 : SSL_read(far->ssl, far->bytes + far->len,
			       (int)(sizeof(far->bytes) - far->len));
	if (n > 0 && far->shaken) {
		far->len += (size_t)n;
		count_answers(far);
	} else if (n > 0) {
		far->shaken = true;
	} else if (SSL_get_error(far->ssl, n) != SSL_ERROR_WANT_READ &&
	    SSL_get_error(far->ssl, n) != SSL_ERROR_WANT_WRITE) {
		far->closed = true;
	}
}

static void
poke(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void
far_run(bool (*done)(void *arg), void *arg)
{
	const struct timeval wait = {.tv_usec = 1000};
	struct event *tick =
	    event_new(far_world.base, -1, EV_PERSIST, poke, NULL);

	event_add(tick, &wait);
	while (!done(arg)) {
		for (unsigned i = 0; i < FARS_MAX; i++)
			if (fars[i].fd > 0)
				step(&fars[i]);
		event_base_loop(far_world.base, EVLOOP_ONCE);
		ck_assert(lp_serve_remote(far_serve, &far_status));
	}
	event_free(tick);
}

bool
far_is_closed(void *arg)
{
	const struct far *far = arg;

	return far->closed;
}

bool
far_is_in(void *arg)
{
	const unsigned *count = arg;

	return far_status.clients == *count;
}

bool
far_has_answers(void *arg)
{
	const unsigned *count = arg;
	unsigned all = 0;

	for (unsigned i = 0; i < FARS_MAX; i++)
		all += fars[i].answers;
	return all == *count;
}

bool
far_has_asked(void *arg)
{
	const unsigned *count = arg;

	return far_requests == *count;
}

bool
far_none_is_left(void *arg)
{
	(void)arg;
	return lp_serve_count(far_serve) == 0;
}

size_t
far_request(uint8_t bytes[64])
{
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	Lp__Pb__VersionRequest version = LP__PB__VERSION_REQUEST__INIT;
	size_t len;

	request.protocol = LP_CONTROL_PROTOCOL;
	request.cookie = 1;
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_VERSION;
	request.version = &version;
	len = lp__pb__control_request__pack(
	    &request, bytes + LP_FRAME_HEADER_SIZE);
	lp_frame_header(bytes, len);
	return len + LP_FRAME_HEADER_SIZE;
}

void
far_ask(struct far *far)
{
	uint8_t bytes[64];
	size_t len = far_request(bytes);

	ck_assert_int_eq(SSL_write(far->ssl, bytes, (int)len), (int)len);
}

void
far_let_in(unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		far_shake(far_connect(i - 1));
		far_run(far_is_in, &i);
	}
}
