/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be wrong with the files of a directory.
 */
#include "proto/tls_load.h"
#include "tls_ends.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char why[LP_TLS_WHY_SIZE];

static void
put(const char *name, const char *text, mode_t mode)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", ends[SERVER].dir, name);
	unlink(path);
	if (text == NULL)
		return;
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void
cut(const char *name)
{
	char path[PATH_MAX];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", ends[SERVER].dir, name);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(truncate(path, status.st_size / 2), 0);
}

static void
no_cert(void)
{
	put("cert.pem", NULL, 0);
}
static void
no_key(void)
{
	put("key.pem", NULL, 0);
}
static void
no_ca(void)
{
	put("ca.pem", NULL, 0);
}
static void
text_cert(void)
{
	put("cert.pem", "hello\n", 0644);
}
static void
text_key(void)
{
	put("key.pem", "hello\n", 0600);
}
static void
text_ca(void)
{
	put("ca.pem", "", 0644);
}
static void
text_crl(void)
{
	put("crl.pem", "hello\n", 0644);
}
static void
cut_cert(void)
{
	cut("cert.pem");
}
static void
cut_ca(void)
{
	cut("ca.pem");
}
static void
broken_cert(void)
{
	put("cert.pem",
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    0644);
}
static void
open_key(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/key.pem", ends[SERVER].dir);
	ck_assert_int_eq(chmod(path, 0644), 0);
}
static void
open_ca(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/ca.pem", ends[SERVER].dir);
	ck_assert_int_eq(chmod(path, 0666), 0);
}
static void
open_crl(void)
{
	put("crl.pem", "", 0664);
}
static void
encrypted_key(void)
{
	char path[PATH_MAX];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *file;

	put("key.pem", "", 0600);
	snprintf(path, sizeof(path), "%s/key.pem", ends[SERVER].dir);
	file = fopen(path, "w");
	PEM_write_PKCS8PrivateKey(
	    file, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
	fclose(file);
	EVP_PKEY_free(key);
}
static void
key_of_another(void)
{
	char from[PATH_MAX], to[PATH_MAX];

	snprintf(from, sizeof(from), "%s/key.pem", ends[CLIENT].dir);
	snprintf(to, sizeof(to), "%s/key.pem", ends[SERVER].dir);
	ck_assert_int_eq(rename(from, to), 0);
}
static void
key_directory(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/key.pem", ends[SERVER].dir);
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}
static void
ca_of_another(void)
{
	pki_trust(ends_other_ca, ends[SERVER].dir);
}
static void
ca_that_is_none(void)
{
	char from[PATH_MAX], to[PATH_MAX];

	snprintf(from, sizeof(from), "%s/cert.pem", ends[CLIENT].dir);
	snprintf(to, sizeof(to), "%s/ca.pem", ends[SERVER].dir);
	ck_assert_int_eq(rename(from, to), 0);
}
static void
revoked(void)
{
	pki_revoke(ends_ca, ends[SERVER].dir, ends[SERVER].dir, 86400);
}
static void
crl_of_another(void)
{
	pki_revoke(ends_other_ca, ends[SERVER].dir, NULL, 86400);
}
static void
crl_expired(void)
{
	pki_revoke(ends_ca, ends[SERVER].dir, NULL, -60);
}
static void
crl_early(void)
{
	pki_list(ends_ca, ends[SERVER].dir, NULL, 3600, 7200);
}
static void
cert_expired(void)
{
	const struct pki_wish wish = {
	    .name = "a", .from_s = -7200, .to_s = -3600};

	pki_issue(ends_ca, ends[SERVER].dir, &wish);
}
static void
cert_early(void)
{
	const struct pki_wish wish = {
	    .name = "a", .from_s = 3600, .to_s = 7200};

	pki_issue(ends_ca, ends[SERVER].dir, &wish);
}
static void
self_signed(void)
{
	const struct pki_wish wish = {.name = "a", .self_signed = true};

	pki_issue(ends_ca, ends[SERVER].dir, &wish);
}
static void
two_roles(void)
{
	const struct pki_wish wish = {
	    .name = "a", .role = "admin", .two_roles = true};

	pki_issue(ends_ca, ends[SERVER].dir, &wish);
}
static void
nameless(void)
{
	const struct pki_wish wish = {.role = "admin"};

	pki_issue(ends_ca, ends[SERVER].dir, &wish);
}
static void
unprintable(void)
{
	const struct pki_wish wish = {.name = "a\033[2J"};

	pki_issue(ends_ca, ends[SERVER].dir, &wish);
}

static const struct {
	void (*spoil)(void);
	int err;
	const char *text; /* behind the directory; how it begins */
} files[] = {
    {no_cert, -ENOENT, "/cert.pem: No such file or directory"},
    {no_key, -ENOENT, "/key.pem: No such file or directory"},
    {no_ca, -ENOENT, "/ca.pem: No such file or directory"},
    {text_cert, -EINVAL, "/cert.pem: has no certificate (PEM)"},
    {text_key, -EINVAL, "/key.pem: has no private key (PEM)"},
    {text_ca, -EINVAL, "/ca.pem: has no certificate (PEM)"},
    {text_crl, -EINVAL, "/crl.pem: has no list of revocations (PEM)"},
    {cut_cert, -EINVAL, "/cert.pem: has a block that cannot be read (PEM)"},
    {cut_ca, -EINVAL, "/ca.pem: has a block that cannot be read (PEM)"},
    {broken_cert, -EINVAL, "/cert.pem: has a block that cannot be read (PEM)"},
    {open_key, -EPERM,
	"/key.pem: mode 0644 lets others in, and it is a private key: chmod "
	"600"},
    {open_ca, -EPERM, "/ca.pem: mode 0666 lets others write it: chmod go-w"},
    {open_crl, -EPERM, "/crl.pem: mode 0664 lets others write it"},
    {encrypted_key, -EINVAL, "/key.pem: is encrypted: a daemon has nobody"},
    {key_of_another, -EINVAL,
	"/key.pem: does not fit the certificate in cert.pem"},
    {key_directory, -EINVAL, "/key.pem: is not a regular file"},
    {ca_of_another, -EINVAL, "/cert.pem: is of another CA"},
    {ca_that_is_none, -EINVAL,
	"/ca.pem: has a certificate that is not of a CA"},
    {revoked, -EINVAL, "/cert.pem: has been revoked"},
    {crl_of_another, -EINVAL,
	"/crl.pem: has a list that is of another CA than ca.pem"},
    {crl_expired, -EKEYEXPIRED, "/crl.pem: has expired on 2"},
    {crl_early, -EKEYEXPIRED, "/crl.pem: is not valid before 2"},
    {cert_expired, -EKEYEXPIRED, "/cert.pem: has expired on 2"},
    {cert_early, -EKEYEXPIRED, "/cert.pem: is not valid before 2"},
    {self_signed, -EINVAL, "/cert.pem: is of no CA: it is self-signed"},
    {two_roles, -EINVAL, "/cert.pem: has more than one role (OU)"},
    {nameless, -EINVAL, "/cert.pem: does not have one common name (CN)"},
    {unprintable, -EINVAL, "/cert.pem: does not have one common name (CN)"},
};

static void
check_why(const char *text)
{
	size_t len = strlen(ends[SERVER].dir);

	ck_assert_msg(strncmp(why, ends[SERVER].dir, len) == 0 &&
		strncmp(why + len, text, strlen(text)) == 0,
	    "%s, not %s", why, text);
}

START_TEST(what_is_wrong_with_a_file_is_said)
{
	struct lp_tls *tls;

	ends_begin();
	files[_i].spoil();
	ck_assert_int_eq(
	    lp_tls_open(&tls, ends[SERVER].dir, false, why), files[_i].err);
	check_why(files[_i].text);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	ends_end();
}
END_TEST

START_TEST(a_reload_that_fails_changes_nothing)
{
	ends_begin();
	ends_load(SERVER);
	files[_i].spoil();
	ck_assert_int_eq(lp_tls_reload(ends[SERVER].tls), files[_i].err);
	snprintf(why, sizeof(why), "%s", lp_tls_why(ends[SERVER].tls));
	check_why(files[_i].text);
	ends[SERVER].ssl = lp_tls_server(ends[SERVER].tls, NULL);
	pki_issue(ends_ca, ends[CLIENT].dir, &ends_alice);
	ends_load(CLIENT);
	ends[CLIENT].ssl =
	    lp_tls_client(ends[CLIENT].tls, "control.example", "controld");
	ends_shake();
	ck_assert_msg(!ends[SERVER].failed, "%s", ends[SERVER].why);
	ck_assert_msg(!ends[CLIENT].failed, "%s", ends[CLIENT].why);
	ends_end();
}
END_TEST

START_TEST(what_has_changed_is_loaded_by_itself)
{
	const struct pki_wish next = {
	    .name = "next", .role = "controld", .hosts = "DNS:control.example"};

	ends_begin();
	ends_load(SERVER);
	ck_assert(!lp_tls_tick(ends[SERVER].tls));
	text_cert();
	ck_assert(!lp_tls_tick(ends[SERVER].tls));
	ck_assert_str_ne(lp_tls_why(ends[SERVER].tls), "");
	pki_issue(ends_ca, ends[SERVER].dir, &next);
	ck_assert(lp_tls_tick(ends[SERVER].tls));
	ck_assert_str_eq(lp_tls_why(ends[SERVER].tls), "");
	ck_assert(!lp_tls_tick(ends[SERVER].tls));
	ends_load(CLIENT);
	ends[CLIENT].ssl =
	    lp_tls_client(ends[CLIENT].tls, "control.example", "controld");
	ends[SERVER].ssl = lp_tls_server(ends[SERVER].tls, NULL);
	ends_shake();
	ck_assert_str_eq(ends[CLIENT].peer.name, "next");
	ends_end();
}
END_TEST

/* The clock is the only one that changes anything. */
START_TEST(what_comes_into_its_time_is_noticed)
{
	const struct pki_wish wish = {.name = "a", .from_s = 1, .to_s = 3600};

	ends_begin();
	pki_issue(ends_ca, ends[SERVER].dir, &wish);
	ends_load(SERVER);
	ck_assert_ptr_nonnull(
	    strstr(lp_tls_why(ends[SERVER].tls), "is not valid before"));
	while (!lp_tls_tick(ends[SERVER].tls))
		;
	ck_assert_str_eq(lp_tls_why(ends[SERVER].tls), "");
	ends_end();
}
END_TEST

START_TEST(what_goes_out_of_its_time_is_noticed)
{
	ends_begin();
	pki_revoke(ends_ca, ends[SERVER].dir, NULL, 1);
	ends_load(SERVER);
	while (lp_tls_why(ends[SERVER].tls)[0] == '\0')
		ck_assert(!lp_tls_tick(ends[SERVER].tls));
	ck_assert_ptr_nonnull(
	    strstr(lp_tls_why(ends[SERVER].tls), "/crl.pem: has expired on 2"));
	ends_end();
}
END_TEST

START_TEST(who_is_there_is_looked_at_again)
{
	ends_begin();
	ends_meet("control.example", NULL, NULL);
	ck_assert_int_eq(
	    lp_tls_again(ends[SERVER].tls, ends[SERVER].ssl, why), 0);
	pki_revoke(ends_ca, ends[SERVER].dir, ends[CLIENT].dir, 86400);
	ck_assert(lp_tls_tick(ends[SERVER].tls));
	ck_assert_int_eq(
	    lp_tls_again(ends[SERVER].tls, ends[SERVER].ssl, why), -EACCES);
	ck_assert_str_eq(why, "its certificate has been revoked");
	ends_end();
}
END_TEST

/* Its own end is no reason to go on with those who were revoked. */
START_TEST(one_that_has_expired_takes_a_list)
{
	const struct pki_wish wish = {.name = "control",
	    .role = "controld",
	    .hosts = "DNS:control.example",
	    .from_s = -3600,
	    .to_s = 2};

	ends_begin();
	pki_issue(ends_ca, ends[SERVER].dir, &wish);
	ends_meet("control.example", NULL, NULL);
	while (lp_tls_why(ends[SERVER].tls)[0] == '\0')
		(void)lp_tls_tick(ends[SERVER].tls);
	ck_assert_int_eq(
	    lp_tls_again(ends[SERVER].tls, ends[SERVER].ssl, why), 0);
	pki_revoke(ends_ca, ends[SERVER].dir, ends[CLIENT].dir, 86400);
	ck_assert_int_eq(lp_tls_reload(ends[SERVER].tls), -EKEYEXPIRED);
	ck_assert_int_eq(
	    lp_tls_again(ends[SERVER].tls, ends[SERVER].ssl, why), -EACCES);
	ck_assert_str_eq(why, "its certificate has been revoked");
	ends_end();
}
END_TEST

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define LOOP(name, count) tcase_add_loop_test(tests, name, 0, count)

int
main(void)
{
	Suite *suite = suite_create("tls_load");
	TCase *tests = tcase_create("tls_load");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	LOOP(what_is_wrong_with_a_file_is_said, COUNT(files));
	LOOP(a_reload_that_fails_changes_nothing, COUNT(files));
	tcase_add_test(tests, what_has_changed_is_loaded_by_itself);
	tcase_add_test(tests, what_comes_into_its_time_is_noticed);
	tcase_add_test(tests, what_goes_out_of_its_time_is_noticed);
	tcase_add_test(tests, who_is_there_is_looked_at_again);
	tcase_add_test(tests, one_that_has_expired_takes_a_list);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
