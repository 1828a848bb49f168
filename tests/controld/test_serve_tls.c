/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket over TLS, and those who do not behave.
 */
#include "controld/serve.h"
#include "far.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controld/stream.h"

START_TEST(a_request_from_afar_is_answered)
{
	unsigned one = 1;

	far_start(NULL, LONG_MS);
	far_let_in(1);
	far_ask(&fars[0]);
	far_run(far_has_answers, &one);
	ck_assert_str_eq(far_last.who, "alice");
	ck_assert_str_eq(far_last.role, "admin");
	ck_assert_int_eq(strncmp(far_last.from, "127.0.0.1:", 10), 0);
	ck_assert(!far_last.local);
	ck_assert_uint_eq(far_status.accepted, 1);
	ck_assert_uint_eq(far_status.refused, 0);
	ck_assert_uint_eq(far_status.expires_ns, lp_tls_expires_ns(far_tls));
	SSL_shutdown(fars[0].ssl);
	far_run(far_none_is_left, NULL);
	ck_assert_uint_eq(far_gone, 1);
	far_stop();
}
END_TEST

/* ---- those who do not come through the handshake ---- */

static const struct {
	const char *bytes;
	size_t len;
} garbage[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27},
    {"\0\0\0\4\x08\1\x10\1", 8}, /* a request, without TLS */
    {"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff\xff", 11},
    {"SSH-2.0-OpenSSH_9.2\r\n", 21},
    {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12},
};

START_TEST(what_is_no_tls_is_closed)
{
	struct far *far;

	far_start(NULL, LONG_MS);
	far = far_connect(0);
	ck_assert_int_eq(write(far->fd, garbage[_i].bytes, garbage[_i].len),
	    (int)garbage[_i].len);
	far_run(far_is_closed, far);
	far_run(far_none_is_left, NULL);
	ck_assert_uint_eq(far_status.refused, 1);
	ck_assert_uint_eq(far_status.accepted, 0);
	ck_assert_uint_eq(far_requests, 0);
	far_stop();
}
END_TEST

START_TEST(who_is_silent_is_not_waited_for)
{
	struct lp_serve_remote_options remote = far_no_limits();

	remote.handshake_ms = 20;
	far_start(&remote, LONG_MS);
	far_run(far_is_closed, far_connect(0));
	ck_assert_uint_eq(far_status.late, 1);
	ck_assert_uint_eq(far_status.refused, 1);
	far_stop();
}
END_TEST

static bool
sends_bytes(void *arg)
{
	static unsigned char hello[1024];
	static int len, at;
	struct far *far = arg;

	if (len == 0)
		len = BIO_read(SSL_get_wbio(far->ssl), hello, sizeof(hello));
	ck_assert_int_gt(len, 100);
	/* The last one never comes. */
	if (at < len - 1)
		ck_assert_int_eq(send(far->fd, &hello[at++], 1, 0), 1);
	return read(far->fd, far->bytes, 1) == 0 || errno == ECONNRESET;
}

/* Its first bytes one by one: none of them gains time. */
START_TEST(one_byte_at_a_time_is_too_slow)
{
	struct lp_serve_remote_options remote = far_no_limits();
	struct far *far;

	remote.handshake_ms = 20;
	far_start(&remote, LONG_MS);
	far = far_connect(0);
	far->ssl = lp_tls_client(far_client_tls, "127.0.0.1", "controld");
	SSL_set_bio(far->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_do_handshake(far->ssl);
	far->closed = true; /* nobody else reads */
	far_run(sends_bytes, far);
	ck_assert_uint_eq(far_status.late, 1);
	far_stop();
}
END_TEST

/* The client says hello, and no more. */
START_TEST(half_a_handshake_is_not_waited_for)
{
	struct lp_serve_remote_options remote = far_no_limits();
	struct far *far;
	SSL *ssl;

	remote.handshake_ms = 20;
	far_start(&remote, LONG_MS);
	far = far_connect(0);
	far_shake(far);
	SSL_do_handshake(far->ssl);
	ssl = far->ssl;
	far->ssl = NULL; /* what comes is looked at by nobody */
	far_run(far_is_closed, far);
	ck_assert_uint_eq(far_status.late, 1);
	SSL_free(ssl);
	far_stop();
}
END_TEST

START_TEST(without_a_certificate_nobody_comes_in)
{
	static const unsigned char protocols[] = "\x0blightpath/1";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct far *far;

	far_start(NULL, LONG_MS);
	far = far_connect(0);
	far->ssl = SSL_new(ctx);
	SSL_set_alpn_protos(far->ssl, protocols, sizeof(protocols) - 1);
	SSL_set_connect_state(far->ssl);
	SSL_set_fd(far->ssl, far->fd);
	far_run(far_is_closed, far);
	ck_assert_uint_eq(far_status.refused, 1);
	ck_assert_uint_eq(far_status.accepted, 0);
	SSL_CTX_free(ctx);
	far_stop();
}
END_TEST

/* ---- too many ---- */

START_TEST(an_address_has_so_many_connections)
{
	struct lp_serve_remote_options remote = far_no_limits();
	unsigned one = 1;

	remote.per_address = 3;
	far_start(&remote, LONG_MS);
	far_let_in(3);
	far_run(far_is_closed, far_connect(3));
	ck_assert_uint_eq(far_status.full, 1);
	ck_assert_uint_eq(far_status.clients, 3);
	far_ask(&fars[0]);
	far_run(far_has_answers, &one);
	far_stop();
}
END_TEST

START_TEST(the_oldest_who_is_not_through_gives_way)
{
	unsigned one = 1;

	far_start(NULL, LONG_MS);
	for (unsigned i = 1; i <= LP_SERVE_SHAKING_MAX; i++) {
		far_connect(i);
		event_base_loop(far_world.base, EVLOOP_NONBLOCK);
	}
	far_let_in(1);
	ck_assert(fars[1].closed);
	ck_assert(!fars[2].closed);
	ck_assert_uint_eq(far_status.late, 1);
	far_ask(&fars[0]);
	far_run(far_has_answers, &one);
	far_stop();
}
END_TEST

START_TEST(those_far_take_no_place_of_those_near)
{
	struct sockaddr_un address;
	uint8_t bytes[64];
	size_t len = far_request(bytes);
	unsigned one = 1;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	far_start(NULL, LONG_MS);
	far_let_in(LP_SERVE_REMOTE_MAX);
	far_run(far_is_closed, far_connect(LP_SERVE_REMOTE_MAX));
	ck_assert_uint_eq(far_status.full, 1);
	lp_stream_address(&address, far_path);
	ck_assert_int_eq(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(write(fd, bytes, len), (int)len);
	far_run(far_has_asked, &one);
	ck_assert(far_last.local);
	close(fd);
	far_stop();
}
END_TEST

/* No loop is so fast that the second of the rate is over meanwhile. */
START_TEST(handshakes_have_a_rate)
{
	struct lp_serve_remote_options remote = far_no_limits();

	remote.handshakes = 1;
	far_start(&remote, LONG_MS);
	for (unsigned i = 0; i < 2 * LP_SERVE_SHAKING_MAX; i++) {
		far_connect(i);
		event_base_loop(far_world.base, EVLOOP_NONBLOCK);
	}
	ck_assert(lp_serve_remote(far_serve, &far_status));
	ck_assert_uint_lt(far_status.late, LP_SERVE_SHAKING_MAX / 2);
	far_stop();
}
END_TEST

static void
run_turns(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		event_base_loop(far_world.base, EVLOOP_NONBLOCK);
	ck_assert(lp_serve_remote(far_serve, &far_status));
}

/* Else they would be accepted one a second. */
START_TEST(who_is_not_let_in_costs_no_handshake)
{
	struct lp_serve_remote_options remote = far_no_limits();

	remote.handshakes = 1;
	remote.per_address = 1;
	far_start(&remote, LONG_MS);
	far_let_in(1);
	for (unsigned i = 1; i <= 2 * LP_SERVE_SHAKING_MAX; i++) {
		far_connect(i);
		run_turns(1);
	}
	ck_assert_uint_eq(far_status.full, 2 * LP_SERVE_SHAKING_MAX);
	far_stop();
}
END_TEST

START_TEST(who_fails_keeps_nobody_else_waiting)
{
	struct lp_serve_remote_options remote = far_no_limits();
	struct far *far;

	remote.handshakes = 1;
	far_start(&remote, LONG_MS);
	for (unsigned i = 0; i < LP_SERVE_SHAKING_MAX; i++) {
		far = far_connect(i);
		ck_assert_int_eq(write(far->fd, "GET / HTTP/1.1\r\n", 16), 16);
		far_run(far_is_closed, far);
	}
	for (unsigned i = 0; i < LP_SERVE_SHAKING_MAX; i++) {
		far_connect(LP_SERVE_SHAKING_MAX + i);
		run_turns(1);
	}
	/* One a second may get one, should it take so long. */
	ck_assert_uint_ge(far_status.full, LP_SERVE_SHAKING_MAX / 2);
	far = far_connect_from(FARS_MAX - 1, INADDR_LOOPBACK + 1);
	far_shake(far);
	run_turns(2);
	far_run(far_is_in, &(unsigned){1});
	far_stop();
}
END_TEST

/* With few addresses one has no part in the places of others. */
START_TEST(who_has_the_most_gives_way)
{
	far_start(NULL, LONG_MS);
	far_connect_from(0, INADDR_LOOPBACK + 1);
	run_turns(1);
	for (unsigned i = 1; i < 2 * LP_SERVE_SHAKING_MAX; i++) {
		far_connect(i);
		run_turns(1);
	}
	far_run(far_is_closed, &fars[LP_SERVE_SHAKING_MAX]);
	ck_assert(!fars[0].closed);
	far_stop();
}
END_TEST

START_TEST(requests_have_a_rate_and_wait_for_it)
{
	struct lp_serve_remote_options remote = far_no_limits();
	unsigned all = 12;

	remote.rate = 100;
	remote.burst = 4;
	far_start(&remote, LONG_MS);
	far_let_in(1);
	for (unsigned i = 0; i < all; i++)
		far_ask(&fars[0]);
	far_run(far_has_answers, &all);
	ck_assert_uint_ge(far_status.delayed, 1);
	ck_assert_uint_eq(far_status.clients, 1);
	far_stop();
}
END_TEST

/* ---- those who are in ---- */

START_TEST(who_asks_nothing_is_closed)
{
	struct lp_serve_remote_options remote = far_no_limits();

	remote.idle_ms = 20;
	far_start(&remote, LONG_MS);
	far_shake(far_connect(0));
	far_run(far_is_closed, &fars[0]);
	ck_assert_uint_eq(far_status.idle, 1);
	ck_assert_uint_eq(far_status.accepted, 1);
	far_stop();
}
END_TEST

/* The one who came later asks nothing, and is closed before. */
START_TEST(who_is_owed_an_answer_may_wait)
{
	struct lp_serve_remote_options remote = far_no_limits();
	unsigned one = 1;

	remote.idle_ms = 200;
	far_start(&remote, LONG_MS);
	far_silent = true;
	far_let_in(1);
	far_ask(&fars[0]);
	far_run(far_has_asked, &one);
	far_shake(far_connect(1));
	far_run(far_is_closed, &fars[1]);
	ck_assert(!fars[0].closed);
	ck_assert_uint_eq(far_status.clients, 1);
	far_stop();
}
END_TEST

START_TEST(half_a_frame_is_not_waited_for)
{
	far_start(NULL, 20);
	far_let_in(1);
	ck_assert_int_eq(SSL_write(fars[0].ssl, "\0\0\0\x10half", 8), 8);
	far_run(far_is_closed, &fars[0]);
	far_stop();
}
END_TEST

START_TEST(what_is_no_request_closes_it)
{
	far_start(NULL, LONG_MS);
	far_let_in(2);
	ck_assert_int_eq(SSL_write(fars[0].ssl, "\xff\xff\xff\xff", 4), 4);
	far_run(far_is_closed, &fars[0]);
	ck_assert(!fars[1].closed);
	ck_assert_uint_eq(far_requests, 0);
	far_stop();
}
END_TEST

static unsigned turns;

static bool
the_first_is_answered(void *arg)
{
	(void)arg;
	turns++;
	return fars[0].answers == 1;
}

/* Each of them has a turn of the loop, between those of others. */
START_TEST(new_keys_without_an_end_keep_nobody_waiting)
{
	enum { KEYS = 1000 };

	far_start(NULL, LONG_MS);
	far_let_in(2);
	for (unsigned i = 0; i < KEYS; i++) {
		ck_assert_int_eq(
		    SSL_key_update(fars[0].ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert_int_eq(SSL_do_handshake(fars[0].ssl), 1);
	}
	far_ask(&fars[0]);
	far_ask(&fars[1]);
	turns = 0;
	far_run(the_first_is_answered, NULL);
	ck_assert_uint_ge(turns, KEYS / 2);
	ck_assert_uint_eq(fars[1].answers, 1);
	far_stop();
}
END_TEST

START_TEST(who_is_revoked_is_closed)
{
	far_start(NULL, LONG_MS);
	far_let_in(1);
	lp_serve_recheck(far_serve);
	far_run(far_is_in, &(unsigned){1});
	pki_revoke(far_ca, far_dirs[0], far_dirs[1], 86400);
	ck_assert(lp_tls_tick(far_tls));
	lp_serve_recheck(far_serve);
	far_run(far_is_closed, &fars[0]);
	far_run(far_none_is_left, NULL);
	far_shake(far_connect(1));
	far_run(far_is_closed, &fars[1]);
	ck_assert_uint_eq(far_status.refused, 1);
	far_stop();
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("serve_tls");
	TCase *tcase = tcase_create("serve_tls");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(a_request_from_afar_is_answered);
	tcase_add_loop_test(tcase, what_is_no_tls_is_closed, 0,
	    sizeof(garbage) / sizeof(garbage[0]));
	TEST(who_is_silent_is_not_waited_for);
	TEST(one_byte_at_a_time_is_too_slow);
	TEST(half_a_handshake_is_not_waited_for);
	TEST(without_a_certificate_nobody_comes_in);
	TEST(an_address_has_so_many_connections);
	TEST(the_oldest_who_is_not_through_gives_way);
	TEST(those_far_take_no_place_of_those_near);
	TEST(handshakes_have_a_rate);
	TEST(who_is_not_let_in_costs_no_handshake);
	TEST(who_fails_keeps_nobody_else_waiting);
	TEST(who_has_the_most_gives_way);
	TEST(requests_have_a_rate_and_wait_for_it);
	TEST(who_asks_nothing_is_closed);
	TEST(who_is_owed_an_answer_may_wait);
	TEST(half_a_frame_is_not_waited_for);
	TEST(what_is_no_request_closes_it);
	TEST(new_keys_without_an_end_keep_nobody_waiting);
	TEST(who_is_revoked_is_closed);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
