/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/tls.h"
#include "tls_ends.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const hosts[] = {"control.example", "CONTROL.example",
    "192.0.2.1", "2001:db8::1", "2001:db8:0::0:1"};

START_TEST(both_sides_learn_who_the_other_is)
{
	ends_begin();
	ends_meet(hosts[_i], "controld", NULL);
	ck_assert_msg(!ends[CLIENT].failed, "%s", ends[CLIENT].why);
	ck_assert_msg(!ends[SERVER].failed, "%s", ends[SERVER].why);
	ck_assert_str_eq(ends[CLIENT].peer.name, "control");
	ck_assert_str_eq(ends[CLIENT].peer.role, "controld");
	ck_assert_str_eq(ends[SERVER].peer.name, "alice");
	ck_assert_str_eq(ends[SERVER].peer.role, "admin");
	ck_assert_str_eq(ends[SERVER].peer.serial, "02");
	ck_assert_uint_eq(
	    ends[SERVER].peer.expires_ns, lp_tls_expires_ns(ends[CLIENT].tls));
	ck_assert_str_eq(SSL_get_version(ends[SERVER].ssl), "TLSv1.3");
	ends_end();
}
END_TEST

START_TEST(nothing_can_be_resumed)
{
	ends_begin();
	ends_meet("control.example", NULL, NULL);
	ck_assert(!ends[CLIENT].failed && !ends[SERVER].failed);
	ck_assert_int_eq(
	    SSL_SESSION_is_resumable(SSL_get_session(ends[CLIENT].ssl)), 0);
	ends_end();
}
END_TEST

/* One of them is not as it should be; what each says of it. */
static const struct {
	const char *what;
	unsigned at;
	struct pki_wish wish;
	bool other_ca;
	const char *host;
	const char *server_role, *client_role;
	enum lp_tls_fault faults[ENDS];
	const char *text; /* of the end that refuses */
} bad[] = {
    {"client expired", CLIENT, {.name = "a", .from_s = -7200, .to_s = -3600},
	false, NULL, NULL, NULL, {LP_TLS_OURS_EXPIRED, LP_TLS_EXPIRED},
	"its certificate has expired"},
    {"client too early", CLIENT, {.name = "a", .from_s = 3600, .to_s = 7200},
	false, NULL, NULL, NULL, {LP_TLS_OURS_BAD, LP_TLS_EARLY},
	"its certificate is not valid yet"},
    {"client of another CA", CLIENT, {.name = "a"}, true, NULL, NULL, NULL,
	{LP_TLS_OURS_CA, LP_TLS_CA_OTHER}, "its certificate is of another CA"},
    {"client of another role", CLIENT, {.name = "a", .role = "b"}, false, NULL,
	NULL, "admin", {LP_TLS_OURS_BAD, LP_TLS_ROLE_OTHER},
	"its certificate is of another role"},
    {"server expired", SERVER,
	{.name = "s",
	    .hosts = "DNS:control.example",
	    .from_s = -7200,
	    .to_s = -3600},
	false, NULL, NULL, NULL, {LP_TLS_EXPIRED, LP_TLS_OURS_EXPIRED},
	"its certificate has expired"},
    {"server too early", SERVER,
	{.name = "s",
	    .hosts = "DNS:control.example",
	    .from_s = 3600,
	    .to_s = 7200},
	false, NULL, NULL, NULL, {LP_TLS_EARLY, LP_TLS_OURS_BAD},
	"its certificate is not valid yet"},
    {"server of another CA", SERVER,
	{.name = "s", .hosts = "DNS:control.example"}, true, NULL, NULL, NULL,
	{LP_TLS_CA_OTHER, LP_TLS_OURS_CA}, "its certificate is of another CA"},
    {"server of another name", SERVER,
	{.name = "s", .hosts = "DNS:other.example"}, false, NULL, NULL, NULL,
	{LP_TLS_NAME_OTHER, LP_TLS_OURS_BAD},
	"its certificate is for other host names"},
    {"server whose subject has the name", SERVER, {.name = "control.example"},
	false, NULL, NULL, NULL, {LP_TLS_NAME_OTHER, LP_TLS_OURS_BAD},
	"its certificate is for other host names"},
    {"server of another address", SERVER,
	{.name = "s", .hosts = "IP:192.0.2.1"}, false, "192.0.2.2", NULL, NULL,
	{LP_TLS_NAME_OTHER, LP_TLS_OURS_BAD},
	"its certificate is for other addresses"},
    {"server of another role", SERVER,
	{.name = "s", .role = "admin", .hosts = "DNS:control.example"}, false,
	NULL, "controld", NULL, {LP_TLS_ROLE_OTHER, LP_TLS_OURS_BAD},
	"its certificate is of another role"},
    {"server without a role", SERVER,
	{.name = "s", .hosts = "DNS:control.example"}, false, NULL, "controld",
	NULL, {LP_TLS_ROLE_OTHER, LP_TLS_OURS_BAD},
	"its certificate is of another role"},
};

START_TEST(what_is_not_right_is_refused_by_the_other)
{
	struct end *refusing;

	ends_begin();
	pki_issue(bad[_i].other_ca ? ends_other_ca : ends_ca,
	    ends[bad[_i].at].dir, &bad[_i].wish);
	if (bad[_i].other_ca)
		pki_trust_also(ends_ca, ends[bad[_i].at].dir);
	ends_meet(bad[_i].host ? bad[_i].host : "control.example",
	    bad[_i].server_role, bad[_i].client_role);
	refusing = &ends[!bad[_i].at];
	for (unsigned i = 0; i < ENDS; i++) {
		ck_assert(ends[i].failed);
		ck_assert_msg(ends[i].fault == bad[_i].faults[i],
		    "%s: end %u: %d: %s", bad[_i].what, i, ends[i].fault,
		    ends[i].why);
	}
	ck_assert_str_eq(refusing->why, bad[_i].text);
	ends_end();
}
END_TEST

START_TEST(who_is_revoked_is_refused)
{
	ends_begin();
	pki_revoke(ends_ca, ends[!_i].dir, ends[_i].dir, 86400);
	ends_meet("control.example", NULL, NULL);
	ck_assert_int_eq(ends[!_i].fault, LP_TLS_REVOKED);
	ck_assert_str_eq(ends[!_i].why, "its certificate has been revoked");
	ck_assert_int_eq(ends[_i].fault, LP_TLS_OURS_REVOKED);
	ends_end();
}
END_TEST

START_TEST(a_list_in_date_lets_others_in)
{
	ends_begin();
	pki_revoke(ends_ca, ends[SERVER].dir, NULL, 86400);
	ends_meet("control.example", NULL, NULL);
	ck_assert_msg(!ends[SERVER].failed, "%s", ends[SERVER].why);
	ends_end();
}
END_TEST

START_TEST(a_list_out_of_date_lets_nobody_in)
{
	ends_begin();
	pki_revoke(ends_ca, ends[SERVER].dir, NULL, -3600);
	ends_meet("control.example", NULL, NULL);
	ck_assert_int_eq(ends[SERVER].fault, LP_TLS_CRL);
	ck_assert(ends[CLIENT].failed);
	ends_end();
}
END_TEST

/* ---- clients that are not ours ---- */

static const unsigned char lightpath_1[] = "\x0blightpath/1";
static const unsigned char http_1[] = "\x08http/1.1";

static const struct {
	const char *what;
	int version;
	const unsigned char *alpn;
	bool cert, self_signed;
	enum lp_tls_fault fault;
	const char *text;
} strangers[] = {
    {"no certificate", TLS1_3_VERSION, lightpath_1, false, false, LP_TLS_NONE,
	"it has shown no certificate"},
    {"self-signed", TLS1_3_VERSION, lightpath_1, true, true, LP_TLS_CA_OTHER,
	"its certificate is of no CA: it is self-signed"},
    {"TLS 1.2", TLS1_2_VERSION, lightpath_1, true, false, LP_TLS_VERSION,
	"it does not speak TLS 1.3"},
    {"another protocol", TLS1_3_VERSION, http_1, true, false,
	LP_TLS_PROTOCOL_OTHER, "it does not speak lightpath/1"},
    {"no protocol", TLS1_3_VERSION, NULL, true, false, LP_TLS_PROTOCOL_OTHER,
	"it does not speak lightpath/1"},
};

START_TEST(strangers_are_refused)
{
	struct pki_wish wish = {
	    .name = "mallory", .self_signed = strangers[_i].self_signed};
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char path[PATH_MAX];

	ends_begin();
	pki_issue(ends_ca, ends[CLIENT].dir, &wish);
	SSL_CTX_set_max_proto_version(ctx, strangers[_i].version);
	if (strangers[_i].cert) {
		snprintf(path, sizeof(path), "%s/cert.pem", ends[CLIENT].dir);
		ck_assert_int_eq(
		    SSL_CTX_use_certificate_file(ctx, path, SSL_FILETYPE_PEM),
		    1);
		snprintf(path, sizeof(path), "%s/key.pem", ends[CLIENT].dir);
		ck_assert_int_eq(
		    SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM),
		    1);
	}
	ends_load(SERVER);
	ends[SERVER].ssl = lp_tls_server(ends[SERVER].tls, NULL);
	ends[CLIENT].ssl = SSL_new(ctx);
	SSL_set_connect_state(ends[CLIENT].ssl);
	if (strangers[_i].alpn != NULL)
		SSL_set_alpn_protos(ends[CLIENT].ssl, strangers[_i].alpn,
		    (unsigned)strlen((const char *)strangers[_i].alpn));
	ends_shake();
	ck_assert_msg(ends[SERVER].failed, "%s", strangers[_i].what);
	ck_assert_msg(ends[SERVER].fault == strangers[_i].fault, "%s: %d: %s",
	    strangers[_i].what, ends[SERVER].fault, ends[SERVER].why);
	ck_assert_str_eq(ends[SERVER].why, strangers[_i].text);
	SSL_CTX_free(ctx);
	ends_end();
}
END_TEST

/* A server of another kind: it does not choose what we speak. */
START_TEST(a_server_of_another_kind_is_left)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char path[PATH_MAX];

	ends_begin();
	snprintf(path, sizeof(path), "%s/cert.pem", ends[SERVER].dir);
	SSL_CTX_use_certificate_file(ctx, path, SSL_FILETYPE_PEM);
	snprintf(path, sizeof(path), "%s/key.pem", ends[SERVER].dir);
	SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM);
	if (_i == 1)
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	ends_load(CLIENT);
	ends[CLIENT].ssl =
	    lp_tls_client(ends[CLIENT].tls, "control.example", NULL);
	ends[SERVER].ssl = SSL_new(ctx);
	SSL_set_accept_state(ends[SERVER].ssl);
	ends_shake();
	ck_assert(ends[CLIENT].failed);
	ck_assert_int_eq(ends[CLIENT].fault,
	    _i == 1 ? LP_TLS_VERSION : LP_TLS_PROTOCOL_OTHER);
	SSL_CTX_free(ctx);
	ends_end();
}
END_TEST

static const struct {
	const char *bytes;
	enum lp_tls_fault fault;
} others[] = {
    {"GET / HTTP/1.1\r\nHost: control.example\r\n\r\n", LP_TLS_NOT_TLS},
    {"SSH-2.0-OpenSSH_9.2\r\n", LP_TLS_NOT_TLS},
    {"\x16\x03\x01\xff\xff\x01", LP_TLS_OTHER},
    {"\x15\x03\x03\x00\x02\x02\x28", LP_TLS_NOT_TLS},
    {"", LP_TLS_CUT},
};

START_TEST(what_is_no_tls_is_told_so)
{
	ssize_t len = (ssize_t)strlen(others[_i].bytes);

	if (others[_i].bytes[0] == '\x15')
		len = 7;
	ends_begin();
	ends_load(SERVER);
	ends[SERVER].ssl = lp_tls_server(ends[SERVER].tls, NULL);
	SSL_set_fd(ends[SERVER].ssl, ends[SERVER].fd);
	ck_assert_int_eq(
	    write(ends[CLIENT].fd, others[_i].bytes, (size_t)len), len);
	shutdown(ends[CLIENT].fd, SHUT_WR);
	for (unsigned i = 0; i < 4; i++)
		ends_step(&ends[SERVER]);
	ck_assert(ends[SERVER].failed);
	ck_assert_msg(ends[SERVER].fault == others[_i].fault, "%d: %s",
	    ends[SERVER].fault, ends[SERVER].why);
	ends_end();
}
END_TEST

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define LOOP(name, count) tcase_add_loop_test(tests, name, 0, count)

int
main(void)
{
	Suite *suite = suite_create("tls");
	TCase *tests = tcase_create("tls");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	LOOP(both_sides_learn_who_the_other_is, COUNT(hosts));
	tcase_add_test(tests, nothing_can_be_resumed);
	LOOP(what_is_not_right_is_refused_by_the_other, COUNT(bad));
	LOOP(who_is_revoked_is_refused, ENDS);
	tcase_add_test(tests, a_list_in_date_lets_others_in);
	tcase_add_test(tests, a_list_out_of_date_lets_nobody_in);
	LOOP(strangers_are_refused, COUNT(strangers));
	LOOP(a_server_of_another_kind_is_left, 2);
	LOOP(what_is_no_tls_is_told_so, COUNT(others));
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
