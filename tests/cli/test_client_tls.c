/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lp-controld on another machine, which is a thread: what is said of each way
 * in which it cannot be reached or believed.
 */
#include <arpa/inet.h>
#include <check.h>
#include <limits.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/place.h"
#include "proto/tls.h"
#include "tests/cli/support.h"
#include "tests/support/pki.h"

enum {
	LONG_MS = 20000, /* never reached by a test that passes */
	SHORT_MS = 50,
};

enum { CLIENT, SERVER };

/* What the server does with the one who comes. */
enum act {
	ANSWER, /* as lp-controld does */
	ANSWER_BYTES, /* one byte a record */
	CUT, /* half an answer, and closes the socket */
	CLOSE, /* at once */
	SILENT, /* until it is stopped */
	HTTP, /* no TLS */
	OLD, /* TLS 1.2 */
	OTHER, /* TLS 1.3, and chooses no protocol */
};

static char dirs[2][64];
static char place[LP_PLACE_SIZE];
static struct pki *ca, *other_ca;
static struct support_bytes bytes;
static int listener;
static enum act act;
static pthread_t thread;
static struct lp_error error;
static struct lp_replies replies;

static const struct pki_wish alice = {.name = "alice", .role = "admin"};
static const struct pki_wish control = {
    .name = "control", .role = "controld", .hosts = "IP:127.0.0.1"};

/* A server that knows less than ours. */
static SSL *
stranger(SSL_CTX *ctx)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/cert.pem", dirs[SERVER]);
	SSL_CTX_use_certificate_file(ctx, path, SSL_FILETYPE_PEM);
	(void)snprintf(path, sizeof(path), "%s/key.pem", dirs[SERVER]);
	SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM);
	if (act == OLD)
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	return SSL_new(ctx);
}

static void
answer(SSL *ssl)
{
	size_t len = act == CUT ? bytes.len / 2 : bytes.len;
	size_t step = act == ANSWER_BYTES ? 1 : 16384;
	char request[4096];

	if (SSL_accept(ssl) != 1 ||
	    SSL_read(ssl, request, sizeof(request)) <= 0)
		return;
	for (size_t at = 0; at < len; at += step)
		(void)SSL_write(ssl, bytes.data + at,
		    (int)(len - at < step ? len - at : step));
	if (act != CUT)
		(void)SSL_shutdown(ssl);
}

/* All files of the server were written before. */
static void *
serve(void *arg)
{
	char why[LP_TLS_WHY_SIZE];
	struct lp_tls *tls = NULL;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int fd = accept(listener, NULL, NULL);
	SSL *ssl = NULL;
	char byte;

	(void)arg;
	if (act == HTTP) {
		(void)send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0);
	} else if (act == SILENT) {
		while (read(fd, &byte, 1) > 0)
			; /* until the other goes */
	} else if (act != CLOSE) {
		if (act == OLD || act == OTHER)
			ssl = stranger(ctx);
		else if (lp_tls_open(&tls, dirs[SERVER], true, why) <= 0)
			ssl = lp_tls_server(tls, NULL);
		SSL_set_fd(ssl, fd);
		answer(ssl);
	}
	SSL_free(ssl);
	lp_tls_close(tls);
	SSL_CTX_free(ctx);
	/* What he has sent is read: a reset would take our words away. */
	(void)shutdown(fd, SHUT_WR);
	while (act != CLOSE && read(fd, &byte, 1) > 0)
		;
	(void)close(fd);
	return NULL;
}

static void
begin(enum act what)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	char text[32], why[LP_WHY_SIZE];

	act = what;
	signal(SIGPIPE, SIG_IGN); /* the server's */
	ca = pki_new("our CA");
	other_ca = pki_new("another CA");
	for (unsigned i = 0; i < 2; i++) {
		strcpy(dirs[i], "/tmp/lpctl-test-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(dirs[i]));
		pki_issue(ca, dirs[i], i == CLIENT ? &alice : &control);
	}
	bytes.len = 0;
	support_reply_show(&bytes);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(
	    getsockname(listener, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(
	    text, sizeof(text), "127.0.0.1:%u", ntohs(address.sin_port));
	ck_assert_int_eq(lp_place_make(place, text, dirs[CLIENT], why), 0);
}

static int
ask(uint32_t timeout_ms)
{
	Lp__Pb__ShowRequest show = LP__PB__SHOW_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	int status;

	request.body_case = LP__PB__CONTROL_REQUEST__BODY_SHOW;
	request.show = &show;
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
	status = lp_client_ask(&replies, place, timeout_ms, &request,
	    LP__PB__CONTROL_REPLY__BODY_SHOW, &error);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	return status;
}

static void
end(void)
{
	lp_client_replies_free(&replies);
	(void)close(listener);
	for (unsigned i = 0; i < 2; i++) {
		pki_clean(dirs[i]);
		ck_assert_int_eq(rmdir(dirs[i]), 0);
	}
	pki_free(ca);
	pki_free(other_ca);
}

START_TEST(an_answer_over_tls_is_whole)
{
	begin(_i == 0 ? ANSWER : ANSWER_BYTES);
	ck_assert_msg(ask(LONG_MS) == 0, "%s", error.text);
	ck_assert_uint_eq(replies.count, 2);
	ck_assert_uint_eq(replies.list[1]->show->n_objects, 7);
	end();
}
END_TEST

/* Two frames in one record: poll() tells of the first only. */
START_TEST(a_lasting_answer_is_read_reply_by_reply)
{
	Lp__Pb__ShowRequest show = LP__PB__SHOW_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;
	struct lp_client *client;

	begin(ANSWER);
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_SHOW;
	request.show = &show;
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
	ck_assert_int_eq(lp_client_open(&client, place, LONG_MS, &error), 0);
	ck_assert_int_eq(lp_client_send(client, &request, &error), 0);
	for (unsigned i = 0; i < 2; i++) {
		Lp__Pb__ControlReply *reply;

		error.status = 0;
		ck_assert_int_eq(
		    lp_client_next(client, &reply,
			LP__PB__CONTROL_REPLY__BODY_SHOW, LONG_MS, -1, &error),
		    0);
		ck_assert_ptr_nonnull(reply);
		lp__pb__control_reply__free_unpacked(reply, NULL);
	}
	lp_client_close(client);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	end();
}
END_TEST

static void
server_is(const struct pki_wish *wish)
{
	pki_issue(ca, dirs[SERVER], wish);
}

static void
server_expired(void)
{
	server_is(&(const struct pki_wish){.name = "s",
	    .role = "controld",
	    .hosts = "IP:127.0.0.1",
	    .from_s = -7200,
	    .to_s = -3600});
}

static void
server_early(void)
{
	server_is(&(const struct pki_wish){.name = "s",
	    .role = "controld",
	    .hosts = "IP:127.0.0.1",
	    .from_s = 3600,
	    .to_s = 7200});
}

static void
server_elsewhere(void)
{
	server_is(&(const struct pki_wish){
	    .name = "s", .role = "controld", .hosts = "IP:127.0.0.9"});
}

static void
server_of_another_role(void)
{
	server_is(&(const struct pki_wish){
	    .name = "s", .role = "admin", .hosts = "IP:127.0.0.1"});
}

static void
server_of_another_ca(void)
{
	pki_issue(other_ca, dirs[SERVER], &control);
}

static void
server_revoked(void)
{
	pki_revoke(ca, dirs[CLIENT], dirs[SERVER], 86400);
}

static void
client_revoked(void)
{
	pki_revoke(ca, dirs[SERVER], dirs[CLIENT], 86400);
}

static void
client_of_another_ca(void)
{
	pki_issue(other_ca, dirs[CLIENT], &alice);
	pki_trust_also(ca, dirs[CLIENT]);
}

static void
nothing(void)
{
}

#define THERE "is this where lp-controld has its --listen, and of a version"

static const struct {
	enum act act;
	void (*spoil)(void);
	const char *text;
} bad[] = {
    {ANSWER, server_expired,
	"its certificate has expired: issue another one for it"},
    {ANSWER, server_early,
	"its certificate is not valid yet: are the clocks of both"},
    {ANSWER, server_elsewhere,
	"its certificate is for other addresses: give --remote a name"},
    {ANSWER, server_of_another_role,
	"its certificate is of another role: it has to be issued with --role "
	"controld"},
    {ANSWER, server_of_another_ca,
	"its certificate is of another CA: is this the right machine"},
    {ANSWER, server_revoked, "its certificate has been revoked: whoever has"},
    {ANSWER, client_revoked,
	"it says that our certificate has been revoked: have another one"},
    {ANSWER, client_of_another_ca,
	"it does not know the CA of our certificate: have one issued"},
    {CUT, nothing,
	"lost lp-controld: it closed the connection in the middle of its "
	"answer"},
    {HTTP, nothing, "it does not speak TLS: " THERE},
    {OLD, nothing, "it does not speak TLS 1.3: " THERE},
    {OTHER, nothing, "it does not speak lightpath/1: " THERE},
};

START_TEST(what_is_wrong_there_is_said)
{
	size_t len;

	begin(bad[_i].act);
	bad[_i].spoil();
	ck_assert_int_eq(ask(LONG_MS), 3);
	ck_assert_int_eq(strncmp(error.text, "127.0.0.1:", 10), 0);
	len = strcspn(error.text, " ") + 1;
	ck_assert_msg(
	    strncmp(error.text + len, bad[_i].text, strlen(bad[_i].text)) == 0,
	    "%s", error.text);
	end();
}
END_TEST

/* It closes, or resets: either may be seen. */
START_TEST(one_that_closes_at_once_may_have_too_many)
{
	begin(CLOSE);
	ck_assert_int_eq(ask(LONG_MS), 3);
	ck_assert_ptr_nonnull(
	    strstr(error.text, "it may have too many connections"));
	end();
}
END_TEST

START_TEST(one_that_is_silent_is_given_up)
{
	begin(SILENT);
	ck_assert_int_eq(ask(SHORT_MS), 3);
	ck_assert_ptr_nonnull(strstr(error.text, "no complete answer within"));
	end();
}
END_TEST

/* ---- before anybody is asked ---- */

static void
expired(void)
{
	pki_issue(ca, dirs[CLIENT],
	    &(const struct pki_wish){
		.name = "a", .from_s = -7200, .to_s = -3600});
}

static void
absent(void)
{
	pki_clean(dirs[CLIENT]);
}

static const struct {
	void (*spoil)(void);
	const char *text;
} ours[] = {
    {expired, "/cert.pem: has expired on "},
    {absent,
	"/cert.pem: No such file or directory; --tls names the directory of "
	"your certificate, which \"lpctl pki issue\" makes"},
};

START_TEST(what_is_wrong_here_is_said_first)
{
	Lp__Pb__VersionRequest version = LP__PB__VERSION_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

	begin(SILENT);
	ours[_i].spoil();
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_VERSION;
	request.version = &version;
	ck_assert_int_eq(lp_client_ask(&replies, place, LONG_MS, &request,
			     LP__PB__CONTROL_REPLY__BODY_VERSION, &error),
	    3);
	ck_assert_msg(strncmp(error.text + strlen(dirs[CLIENT]), ours[_i].text,
			  strlen(ours[_i].text)) == 0,
	    "%s", error.text);
	end();
}
END_TEST

START_TEST(nobody_who_listens_is_said)
{
	Lp__Pb__VersionRequest version = LP__PB__VERSION_REQUEST__INIT;
	Lp__Pb__ControlRequest request = LP__PB__CONTROL_REQUEST__INIT;

	begin(SILENT);
	(void)shutdown(listener, SHUT_RDWR);
	request.body_case = LP__PB__CONTROL_REQUEST__BODY_VERSION;
	request.version = &version;
	ck_assert_int_eq(lp_client_ask(&replies, place, LONG_MS, &request,
			     LP__PB__CONTROL_REPLY__BODY_VERSION, &error),
	    3);
	ck_assert_ptr_nonnull(strstr(error.text,
	    ": Connection refused: is lp-controld running there, with "
	    "--listen?"));
	end();
}
END_TEST

/* ---- the place as a text ---- */

static const struct {
	const char *remote;
	const char *host;
	unsigned port;
	const char *name;
} places[] = {
    {"control.example", "control.example", 9643, "control.example:9643"},
    {"control.example:77", "control.example", 77, "control.example:77"},
    {"192.0.2.1", "192.0.2.1", 9643, "192.0.2.1:9643"},
    {"192.0.2.1:1", "192.0.2.1", 1, "192.0.2.1:1"},
    {"2001:db8::1", "2001:db8::1", 9643, "[2001:db8::1]:9643"},
    {"[2001:db8::1]", "2001:db8::1", 9643, "[2001:db8::1]:9643"},
    {"[2001:db8::1]:65535", "2001:db8::1", 65535, "[2001:db8::1]:65535"},
};

START_TEST(a_place_is_taken_apart_again)
{
	static const char *const directories[] = {"/etc/x", "x/y", "."};
	struct lp_place parts;
	char why[LP_WHY_SIZE];

	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(lp_place_make(place, places[_i].remote,
				     directories[i], why),
		    0);
		ck_assert(lp_place_split(&parts, place));
		ck_assert_str_eq(parts.host, places[_i].host);
		ck_assert_uint_eq(parts.port, places[_i].port);
		ck_assert_str_eq(parts.name, places[_i].name);
		ck_assert_str_eq(parts.directory, directories[i]);
	}
}
END_TEST

START_TEST(what_is_no_place_is_refused)
{
	static const char *const wrong[] = {"", ":", "a:", "a:0", "a:65536",
	    "a b", "-a", "[::1", "::1]:1", "[a]:1", "a/b", "tls://a", "a:1:2",
	    "300.1.1.1"};
	struct lp_place parts;
	char why[LP_WHY_SIZE];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(lp_place_make(place, wrong[i], "/x", why) != 0,
		    "%s", wrong[i]);
	ck_assert(!lp_place_split(&parts, "/run/lightpath/controld.sock"));
	ck_assert(!lp_place_split(&parts, "tls://"));
	ck_assert(!lp_place_split(&parts, "tls://a:1"));
}
END_TEST

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define TEST(name) tcase_add_test(tcase, name)
#define LOOP(name, count) tcase_add_loop_test(tcase, name, 0, count)

int
main(void)
{
	Suite *suite = suite_create("client_tls");
	TCase *tcase = tcase_create("client_tls");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	LOOP(an_answer_over_tls_is_whole, 2);
	TEST(a_lasting_answer_is_read_reply_by_reply);
	LOOP(what_is_wrong_there_is_said, COUNT(bad));
	TEST(one_that_closes_at_once_may_have_too_many);
	TEST(one_that_is_silent_is_given_up);
	LOOP(what_is_wrong_here_is_said_first, COUNT(ours));
	TEST(nobody_who_listens_is_said);
	LOOP(a_place_is_taken_apart_again, COUNT(places));
	TEST(what_is_no_place_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
