/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_ends.h"

#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct end ends[ENDS];
struct pki *ends_ca, *ends_other_ca;

const struct pki_wish ends_alice = {.name = "alice", .role = "admin"};
static const struct pki_wish control = {.name = "control",
    .role = "controld",
    .hosts = "DNS:control.example,IP:192.0.2.1,IP:2001:db8::1"};

void
ends_begin(void)
{
	const char *base = getenv("TMPDIR");
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	ends_ca = pki_new("our CA");
	ends_other_ca = pki_new("another CA");
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	for (unsigned i = 0; i < ENDS; i++) {
		ends[i].fd = fds[i];
		snprintf(ends[i].dir, sizeof(ends[i].dir),
		    "%.40s/lp-test-XXXXXX", base ? base : "/tmp");
		ck_assert_ptr_nonnull(mkdtemp(ends[i].dir));
	}
	pki_issue(ends_ca, ends[CLIENT].dir, &ends_alice);
	pki_issue(ends_ca, ends[SERVER].dir, &control);
}

void
ends_end(void)
{
	for (unsigned i = 0; i < ENDS; i++) {
		SSL_free(ends[i].ssl);
		lp_tls_close(ends[i].tls);
		close(ends[i].fd);
		pki_clean(ends[i].dir);
		ck_assert_int_eq(rmdir(ends[i].dir), 0);
		memset(&ends[i], 0, sizeof(ends[i]));
	}
	pki_free(ends_ca);
	pki_free(ends_other_ca);
}

/* Something out of its time is loaded, too: the other end is to notice. */
void
ends_load(unsigned i)
{
	char why[LP_TLS_WHY_SIZE];
	int err = lp_tls_open(&ends[i].tls, ends[i].dir, true, why);

	ck_assert_msg(err == 0 || err == -EKEYEXPIRED, "%s", why);
}

void
ends_step(struct end *e)
{
	char byte;
	int n;

	if (e->failed)
		return;
	ERR_clear_error();
	/* What the server thinks of us comes after the handshake. */
	n = e->done ? SSL_read(e->ssl, &byte, 1) : SSL_do_handshake(e->ssl);
	if (n == 1 && !e->done) {
		e->done = true;
		e->failed =
		    lp_tls_welcome(e->ssl, &e->peer, &e->fault, e->why) != 0;
		return;
	}
	if (SSL_get_error(e->ssl, n) == SSL_ERROR_WANT_READ ||
	    SSL_get_error(e->ssl, n) == SSL_ERROR_WANT_WRITE)
		return;
	e->failed = true;
	e->fault = lp_tls_failed(e->ssl, 0, errno, e->why);
}

/* Enough for whatever comes of it. */
void
ends_shake(void)
{
	for (unsigned i = 0; i < ENDS; i++)
		ck_assert_int_eq(SSL_set_fd(ends[i].ssl, ends[i].fd), 1);
	for (unsigned i = 0; i < 16; i++)
		ends_step(&ends[i % ENDS]);
}

void
ends_meet(const char *host, const char *server_role, const char *client_role)
{
	ends_load(CLIENT);
	ends_load(SERVER);
	ends[CLIENT].ssl = lp_tls_client(ends[CLIENT].tls, host, server_role);
	ends[SERVER].ssl = lp_tls_server(ends[SERVER].tls, client_role);
	ck_assert_ptr_nonnull(ends[CLIENT].ssl);
	ck_assert_ptr_nonnull(ends[SERVER].ssl);
	ends_shake();
}
