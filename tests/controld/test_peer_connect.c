/* SPDX-License-Identifier: Apache-2.0 */
/* Dataplanes of other machines: TLS over loopback, played by the test. */
#include "controld/peer_connect.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "tests/support/pki.h"
#include "transaction.h"

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name
#define HOST "edge.example"

static struct world world;
static struct fake fake;
static struct pki *ca, *other_ca;
static char dirs[2][64]; /* lp-controld's, the dataplane's */
static struct lp_tls *ends[2];
static struct lp_endpoint endpoint;
static char path[128];
static const struct pki_wish edge = {
    .name = "edge-1", .role = "dataplane", .hosts = "DNS:" HOST};

/* Each program has loopback addresses of its own: 127.A.B.0 and on. */
static struct lp_ip
loopback(unsigned i)
{
	uint32_t number = htonl(
	    127u << 24 | ((uint32_t)getppid() & 0x7fff) << 8 | (i & 0xff));
	struct lp_ip ip;

	lp_ip_from_v4(&ip, (const uint8_t *)&number);
	return ip;
}

/* Of the name: nobody is at the first address. */
static void
resolve(const char *host, struct lp_names_answer *answer)
{
	*answer = (struct lp_names_answer){0};
	if (strcmp(host, HOST) != 0) {
		snprintf(answer->why, sizeof(answer->why), "there is no such");
		return;
	}
	answer->ips[0] = loopback(9);
	answer->ips[1] = loopback(1);
	answer->count = 2;
}

static void
load(unsigned i)
{
	char why[LP_TLS_WHY_SIZE];
	int err = lp_tls_open(&ends[i], dirs[i], true, why);

	ck_assert_msg(err == 0 || err == -EKEYEXPIRED, "%s", why);
}

static void
start_with(const struct pki_wish *wish, struct pki *by, const char *host,
    struct lp_push_times times)
{
	static const struct pki_wish control = {
	    .name = "control", .role = "controld"};

	endpoint.ip = loopback(1);
	endpoint.port = LP_TLS_DATAPLANE_PORT;
	snprintf(path, sizeof(path), "tls://%s", host);
	for (unsigned i = 0; i < 2; i++)
		make_dir(dirs[i]);
	pki_issue(ca, dirs[0], &control);
	pki_issue(by, dirs[1], wish);
	pki_trust_also(ca, dirs[1]);
	load(0);
	load(1);
	world_far = (struct world_far){path, ends[0], resolve};
	world_start(&world, &times, 1);
	fake_start_far(&fake, &world, &endpoint, ends[1]);
}

static void
start(void)
{
	start_with(&edge, ca, HOST, patient);
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
	for (unsigned i = 0; i < 2; i++) {
		lp_tls_close(ends[i]);
		remove_dir(dirs[i]);
	}
}

static bool
says(void *arg)
{
	const char *why = world_status(&world, 0)->why;

	return why != NULL && strstr(why, arg) != NULL;
}

static void
wait_why(const char *text)
{
	world_run(&world, says, (void *)text);
	ck_assert_str_eq(world_status(&world, 0)->state, "connecting");
}

START_TEST(it_is_pushed_to_as_one_of_this_machine)
{
	start();
	world_send(&world, basic, 0);
	world_replies(&world, 1);
	ck_assert_uint_eq(fake_synchronise(&fake).generation, 2);
	world_state(&world, 0, "applied");
	ck_assert_str_eq(world_status(&world, 0)->path, HOST ":9644");
	ck_assert_str_eq(world_status(&world, 0)->peer, "edge-1");
	/* And changes come as deltas. */
	world_send(&world, "add cluster more", 0);
	world_replies(&world, 2);
	ck_assert(!fake_take_push(&fake).full);
	stop();
}
END_TEST

START_TEST(a_link_that_is_cut_heals)
{
	struct pushed pushed;

	start();
	pushed = fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	fake_hang_up(&fake);
	world_send(&world, basic, 0);
	world_replies(&world, 1);
	fake_wait_connection(&fake, 2);
	fake_hello(&fake, 1, pushed.generation, pushed.digest);
	ck_assert_int_eq(fake_take(&fake, BODY(WELCOME))->welcome->sync,
	    LP__PB__WELCOME__SYNC__REPLACE);
	pushed = fake_take_push(&fake);
	ck_assert(pushed.full);
	fake_applied(&fake, pushed.generation, pushed.digest);
	world_state(&world, 0, "applied");
	stop();
}
END_TEST

/* Who has no right certificate hears nothing of the configuration. */
static const struct {
	struct pki_wish wish;
	bool other_ca;
	const char *why;
} bad[] = {
    {{.name = "a", .role = "admin", .hosts = "DNS:" HOST}, false,
	"of another role"},
    {{.name = "a", .role = "controld", .hosts = "DNS:" HOST}, false,
	"of another role"},
    {{.name = "a", .role = "dataplane", .hosts = "DNS:other.example"}, false,
	HOST},
    {{.name = "a", .role = "dataplane"}, false, HOST},
    {{.name = "a",
	 .role = "dataplane",
	 .hosts = "DNS:" HOST,
	 .from_s = -7200,
	 .to_s = -3600},
	false, "has expired"},
    {{.name = "a", .role = "dataplane", .hosts = "DNS:" HOST}, true,
	"of another CA"},
};

START_TEST(who_is_another_is_left)
{
	start_with(
	    &bad[_i].wish, bad[_i].other_ca ? other_ca : ca, HOST, patient);
	world_send(&world, basic, 0);
	wait_why(bad[_i].why);
	ck_assert_ptr_null(world_status(&world, 0)->peer);
	ck_assert_uint_eq(fake.count, 0);
	stop();
}
END_TEST

START_TEST(nobody_there_is_told)
{
	start();
	evconnlistener_disable(fake.listener);
	close(evconnlistener_get_fd(fake.listener));
	wait_why("onnection refused");
	stop();
}
END_TEST

START_TEST(a_name_that_does_not_resolve_is_told)
{
	start_with(&edge, ca, "nowhere.example", patient);
	wait_why("nowhere.example: there is no such");
	stop();
}
END_TEST

START_TEST(who_makes_no_handshake_is_left)
{
	struct lp_push_times times = patient;

	times.beat = 5;
	times.hello = 50;
	start_with(&edge, ca, HOST, times);
	fake.tls = NULL;
	wait_why("no connection, or no TLS, within 50 ms");
	stop();
}
END_TEST

START_TEST(who_speaks_no_tls_is_left)
{
	start();
	fake.tls = NULL;
	fake_wait_connection(&fake, 1);
	fake_send_bytes(&fake, "HTTP/1.1 200 OK\r\n\r\n", 19);
	wait_why("does not speak TLS");
	stop();
}
END_TEST

START_TEST(one_that_is_revoked_is_left)
{
	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	lp_session_recheck(world.session);
	ck_assert_str_eq(world_status(&world, 0)->state, "applied");
	pki_revoke(ca, dirs[0], dirs[1], 3600);
	ck_assert_int_eq(lp_tls_reload(ends[0]), 0);
	lp_session_recheck(world.session);
	fake_wait_closed(&fake);
	wait_why("revoked");
	stop();
}
END_TEST

static const struct {
	const char *text, *host, *shown;
	uint16_t port;
} targets[] = {
    {"/run/dp.sock", "", "", 0},
    {"dp.sock", "", "", 0},
    {"./a:1", "", "", 0},
    {"edge-1:9644", "edge-1", "edge-1:9644", 9644},
    {"tls://edge-1", "edge-1", "edge-1:9644", 9644},
    {"tls://edge-1:1", "edge-1", "edge-1:1", 1},
    {"192.0.2.1:5", "192.0.2.1", "192.0.2.1:5", 5},
    {"[2001:db8::1]:5", "2001:db8::1", "[2001:db8::1]:5", 5},
    {"tls://[2001:db8::1]:5", "2001:db8::1", "[2001:db8::1]:5", 5},
    {"tls://2001:db8::1", "2001:db8::1", "[2001:db8::1]:9644", 9644},
};
static const char *const wrong[] = {"tls://", "tls://a:b", "tls:///run/dp",
    "edge:", "edge:0", "edge:65536", ":1", "a b:1", "tls://a b",
    "tls://[2001:db8::1", "2001:db8::1", "edge:9644:1", "tls://-a:1",
    "tls://1.2.3:4"};

START_TEST(targets_are_paths_or_hosts)
{
	struct lp_target target;
	char why[LP_WHY_SIZE];

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		ck_assert_msg(
		    lp_target_parse(&target, targets[i].text, why) == 0,
		    "%s: %s", targets[i].text, why);
		ck_assert_str_eq(target.host, targets[i].host);
		ck_assert_str_eq(target.text, targets[i].shown);
		ck_assert_uint_eq(target.port, targets[i].port);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why[0] = '\0';
		ck_assert_msg(lp_target_parse(&target, wrong[i], why) != 0,
		    "%s is taken", wrong[i]);
		ck_assert_msg(why[0] != '\0', "%s: why?", wrong[i]);
	}
}
END_TEST

static void
make_cas(void)
{
	ca = pki_new("ours");
	other_ca = pki_new("theirs");
}

static void
free_cas(void)
{
	pki_free(ca);
	pki_free(other_ca);
}

int
main(void)
{
	Suite *suite = suite_create("peer_connect");
	TCase *tcase = tcase_create("peer_connect");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, make_cas, free_cas);
	tcase_add_test(tcase, it_is_pushed_to_as_one_of_this_machine);
	tcase_add_test(tcase, a_link_that_is_cut_heals);
	tcase_add_loop_test(
	    tcase, who_is_another_is_left, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, nobody_there_is_told);
	tcase_add_test(tcase, a_name_that_does_not_resolve_is_told);
	tcase_add_test(tcase, who_makes_no_handshake_is_left);
	tcase_add_test(tcase, who_speaks_no_tls_is_left);
	tcase_add_test(tcase, one_that_is_revoked_is_left);
	tcase_add_test(tcase, targets_are_paths_or_hosts);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
