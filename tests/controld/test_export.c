/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus endpoint as its clients see it, good ones and others; the
 * test is the daemon that it asks.
 */
#include "scraper.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/exposition.h"

#define GET "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"

START_TEST(requests_have_their_answers)
{
	static const struct {
		const char *request, *status, *has;
	} cases[] = {
	    {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200",
		"href=\"/metrics\""},
	    {"GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200", "ok"},
	    {"GET http://h/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.1 200", "ok"},
	    {"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404",
		"/metrics"},
	    {"GET /metrics/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.1 404", ""},
	    {"POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.1 405", "Allow: GET, HEAD\r\n"},
	    {"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.1 405", "Allow: GET, HEAD\r\n"},
	    {"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
	     "3\r\n\r\n"
	     "a=b",
		"HTTP/1.1 413", ""},
	    {"BREW /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.1 501", ""},
	    {"nonsense\r\n\r\n", "HTTP/1.", " 400 "},
	    {"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.1 200", "Content-Type: text/plain; version=0.0.4"},
	    {"GET /metrics?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.1 200", "Content-Type: text/plain; version=0.0.4"},
	};

	scraper_start(&scraper_usual, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client *client = scraper_send(0, cases[i].request);
		const char *body = scraper_response(client, cases[i].status);

		ck_assert_msg(strstr(client->text, cases[i].has) != NULL,
		    "no %s in %s", cases[i].has, client->text);
		if (strncmp(cases[i].request, "HEAD", 4) == 0)
			ck_assert_str_eq(body, "");
	}
	/* A HEAD asks nobody. */
	ck_assert_uint_eq(scraper.status_count, 1);
	scraper_wait_count(0);
	scraper_stop();
}
END_TEST

static void
is_answered_by(const char *host, const char *status)
{
	char request[256];

	snprintf(request, sizeof(request),
	    "GET /metrics HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	scraper_response(scraper_send(0, request), status);
}

START_TEST(only_our_own_names_lead_to_metrics)
{
	static const char *const ours[] = {"localhost", "LocalHost:9464",
	    "127.0.0.1", "127.0.0.1:9464", "192.0.2.7:80", "[::1]",
	    "[2001:db8::1]:9464"};
	static const char *const others[] = {"evil.example",
	    "evil.example:9464", "localhost.evil.example", "127.0.0.1.example",
	    "[::1", "[evil.example]", "[]", "[::1].example:1", "1.2.3",
	    "127.0.0.1@evil.example"};
	char name[HOST_NAME_MAX + 1] = "", other[HOST_NAME_MAX + 16];
	unsigned asked;

	scraper_start(&scraper_usual, 0);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		is_answered_by(ours[i], "HTTP/1.1 200");
	scraper_response(
	    scraper_send(0, "GET /metrics HTTP/1.0\r\n\r\n"), "HTTP/1.0 200");
	ck_assert_int_eq(gethostname(name, sizeof(name) - 1), 0);
	is_answered_by(name, "HTTP/1.1 200");
	snprintf(other, sizeof(other), "%s.evil.example", name);
	name[strcspn(name, ".")] = '\0';
	is_answered_by(name, "HTTP/1.1 200");
	asked = scraper.status_count;
	is_answered_by(other, "HTTP/1.1 403");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		is_answered_by(others[i], "HTTP/1.1 403");
	ck_assert_uint_eq(scraper.status_count, asked);
	/* There is nothing to be had. */
	scraper_response(scraper_send(0,
			     "GET /healthz HTTP/1.1\r\n"
			     "Host: evil.example\r\n\r\n"),
	    "HTTP/1.1 200");
	scraper_stop();
}
END_TEST

START_TEST(a_head_that_is_too_large_is_refused)
{
	char request[2 * LP_EXPORT_HEAD_MAX] = "GET /metrics HTTP/1.1\r\nX: ";
	size_t len = strlen(request);

	scraper_start(&scraper_usual, 0);
	memset(request + len, 'x', sizeof(request) - len - 1);
	scraper_response(scraper_send(0, request), "HTTP/1.1 400");
	ck_assert_uint_eq(scraper.status_count, 0);
	scraper_stop();
}
END_TEST

START_TEST(each_dataplane_is_asked_by_itself)
{
	const char *page;

	scraper_start(&scraper_usual, 2);
	scraper_send(0, GET);
	scraper_wait_asked(4);
	ck_assert_str_eq(scraper.asked[0]->counters->dataplane, "/run/a");
	ck_assert_str_eq(scraper.asked[3]->kafka->dataplane, "/run/b");
	scraper_counters(0, false);
	scraper_kafka(1, 3, false);
	scraper_failure(2);
	scraper_failure(3);
	page = scraper_page(&scraper.clients[0]);
	scraper_value(page, "lightpath_up{dataplane=\"/run/a\"}", "1");
	scraper_value(page, "lightpath_kafka_up{dataplane=\"/run/a\"}", "1");
	scraper_value(
	    page, "lightpath_uptime_seconds{dataplane=\"/run/a\"}", "5");
	scraper_value(page,
	    "lightpath_kafka_client_requests_total{dataplane=\"/run/a\","
	    "client_id=\"client-2\"}",
	    "0");
	scraper_value(page, "lightpath_up{dataplane=\"/run/b\"}", "0");
	scraper_value(page, "lightpath_kafka_up{dataplane=\"/run/b\"}", "0");
	scraper_value(page, "lightpath_rules_up{dataplane=\"/run/b\"}", "1");
	scraper_stop();
}
END_TEST

START_TEST(rules_are_shown_by_dataplane)
{
	const char *page;

	scraper_start(&scraper_usual, 2);
	scraper_send(0, GET);
	scraper_wait_asked(4);
	scraper_answer_all();
	page = scraper_page(&scraper.clients[0]);
	scraper_value(page, "lightpath_rules_up{dataplane=\"/run/a\"}", "1");
	scraper_value(page, "lightpath_rules{dataplane=\"/run/b\"}", "1001");
	scraper_value(
	    page, "lightpath_rules_left_out{dataplane=\"/run/b\"}", "1");
	scraper_value(page,
	    "lightpath_rule_requests_total{dataplane=\"/run/a\","
	    "rule=\"scan\"}",
	    "6");
	scraper_value(page,
	    "lightpath_rule_requests_total{dataplane=\"/run/b\","
	    "rule=\"scan\"}",
	    "6");
	scraper_stop();
}
END_TEST

/* Of one that is older the rest is shown. */
START_TEST(a_dataplane_without_counters_of_rules_has_no_rows)
{
	const char *page;

	scraper_start(&scraper_usual, 1);
	scraper.no_rules = true;
	scraper_send(0, GET);
	scraper_wait_asked(2);
	scraper_answer_all();
	page = scraper_page(&scraper.clients[0]);
	scraper_value(page, "lightpath_up{dataplane=\"/run/a\"}", "1");
	scraper_value(page, "lightpath_rules_up{dataplane=\"/run/a\"}", "0");
	ck_assert_ptr_null(strstr(page, "lightpath_rule_"));
	ck_assert_ptr_null(strstr(page, "lightpath_rules{"));
	scraper_stop();
}
END_TEST

START_TEST(half_an_answer_leaves_no_rows)
{
	const char *page;

	scraper_start(&scraper_usual, 1);
	scraper_send(0, GET);
	scraper_wait_asked(2);
	scraper_counters(0, false);
	scraper_kafka(1, 3, true);
	scraper_failure(1);
	scraper_kafka(1, 3, false); /* late */
	page = scraper_page(&scraper.clients[0]);
	scraper_value(page, "lightpath_up{dataplane=\"/run/a\"}", "1");
	scraper_value(page, "lightpath_kafka_up{dataplane=\"/run/a\"}", "0");
	ck_assert_ptr_null(strstr(page, "client-"));
	scraper_stop();
}
END_TEST

START_TEST(answers_for_an_earlier_scrape_are_ignored)
{
	const char *page;

	scraper_start(&scraper_usual, 1);
	scraper_send(0, GET);
	scraper_wait_asked(2);
	scraper_failure(0);
	scraper_failure(1);
	scraper_page(&scraper.clients[0]);
	scraper_send(0, GET);
	scraper_wait_asked(4);
	scraper_kafka(1, 1, false);
	scraper_counters(0, false);
	scraper_failure(2);
	scraper_failure(3);
	page = scraper_page(&scraper.clients[0]);
	scraper_value(page, "lightpath_up{dataplane=\"/run/a\"}", "0");
	scraper_stop();
}
END_TEST

/* Frame by frame, and never the last one. */
START_TEST(an_answer_without_an_end_is_not_waited_for)
{
	struct lp_export_options options = scraper_usual;
	const char *page;

	options.collect_ms = 100;
	scraper_start(&options, 1);
	scraper_send(0, GET);
	scraper_wait_asked(2);
	scraper_counters(0, false);
	scraper_kafka(1, 3, true);
	page = scraper_page(&scraper.clients[0]);
	ck_assert_uint_eq(scraper.cancelled, 1);
	scraper_value(page, "lightpath_up{dataplane=\"/run/a\"}", "1");
	scraper_value(page, "lightpath_kafka_up{dataplane=\"/run/a\"}", "0");
	/* And the next scrape has nothing of it. */
	scraper_send(1, GET);
	scraper_wait_asked(4);
	scraper_kafka(1, 3, false);
	scraper_counters(2, false);
	scraper_kafka(3, 1, false);
	page = scraper_page(&scraper.clients[1]);
	ck_assert_uint_eq(scraper.cancelled, 1);
	ck_assert_ptr_nonnull(strstr(page, "client-0"));
	ck_assert_ptr_null(strstr(page, "client-2"));
	scraper_stop();
}
END_TEST

static bool
one_is_closed(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i <= LP_EXPORT_SCRAPES_MAX; i++)
		if (scraper.clients[i].closed)
			return true;
	return false;
}

START_TEST(scrapes_share_a_page_and_one_too_many_comes_later)
{
	unsigned refused = 0;

	scraper_start(&scraper_usual, 1);
	for (unsigned i = 0; i <= LP_EXPORT_SCRAPES_MAX; i++)
		scraper_send(i, GET);
	world_run(&scraper.world, one_is_closed, NULL);
	scraper_answer_all();
	for (unsigned i = 0; i <= LP_EXPORT_SCRAPES_MAX; i++) {
		world_run(
		    &scraper.world, scraper_is_closed, &scraper.clients[i]);
		if (strncmp(scraper.clients[i].text, "HTTP/1.1 503", 12) == 0) {
			ck_assert_ptr_nonnull(strstr(
			    scraper.clients[i].text, "Retry-After: 1\r\n"));
			refused++;
			continue;
		}
		scraper_value(scraper_page(&scraper.clients[i]),
		    "lightpath_up{dataplane=\"/run/a\"}", "1");
	}
	ck_assert_uint_eq(refused, 1);
	ck_assert_uint_eq(scraper.status_count, 1);
	scraper_wait_count(0);
	scraper_stop();
}
END_TEST

/* Whatever has been asked by now, and until he is closed. */
static bool
is_served(void *arg)
{
	scraper_answer_all();
	return scraper_is_closed(arg);
}

START_TEST(one_who_hangs_up_is_not_waited_for)
{
	scraper_start(&scraper_usual, 1);
	scraper_send(0, GET);
	scraper_wait_asked(2);
	scraper_hang_up(&scraper.clients[0]);
	scraper_send(1, GET);
	/* Both are answered in the end, the first one for nobody. */
	world_run(&scraper.world, is_served, &scraper.clients[1]);
	scraper_page(&scraper.clients[1]);
	scraper_wait_count(0);
	scraper_stop();
}
END_TEST

START_TEST(one_who_does_not_read_holds_up_nobody)
{
	struct lp_export_options options = scraper_usual;

	options.idle_s = 1;
	scraper_start(&options, 1);
	scraper_send(0, GET);
	bufferevent_disable(scraper.clients[0].bev, EV_READ);
	scraper_wait_asked(2);
	scraper_counters(0, false);
	scraper_kafka(1, 60000, false); /* beyond what sockets take */
	scraper_send(1, GET);
	scraper_wait_asked(4);
	scraper_counters(2, false);
	scraper_kafka(3, 1, false);
	scraper_page(&scraper.clients[1]);
	scraper_wait_count(0); /* it had its second */
	scraper_stop();
}
END_TEST

START_TEST(one_who_reads_gets_all_of_a_large_page)
{
	const char *page;

	scraper_start(&scraper_usual, 1);
	scraper_send(0, GET);
	scraper_wait_asked(2);
	scraper_counters(0, false);
	scraper_kafka(1, 20000, false);
	page = scraper_page(&scraper.clients[0]);
	scraper_value(page,
	    "lightpath_kafka_client_requests_total{dataplane=\"/run/a\","
	    "client_id=\"client-19999\"}",
	    "0");
	scraper_value(page, "lightpath_scrape_skipped_rows", "0");
	scraper_stop();
}
END_TEST

START_TEST(a_page_has_a_largest_size)
{
	struct lp_export_options options = scraper_usual;
	const char *page;

	options.size_max = 100000;
	scraper_start(&options, 1);
	scraper_send(0, GET);
	scraper_wait_asked(2);
	scraper_counters(0, false);
	scraper_kafka(1, 2000, false);
	page = scraper_page(&scraper.clients[0]);
	ck_assert_ptr_nonnull(strstr(page, "client-0"));
	ck_assert_ptr_null(strstr(page, "client-1999"));
	ck_assert_int_ne(
	    strncmp(exposition_find(page, "lightpath_scrape_skipped_rows"),
		"0\n", 2),
	    0);
	scraper_stop();
}
END_TEST

START_TEST(connections_wait_for_a_place)
{
	struct client *last;

	scraper_start(&scraper_usual, 0);
	for (unsigned i = 0; i < LP_EXPORT_CONNECTIONS_MAX; i++)
		scraper_send(i, "GET /healthz HT");
	scraper_wait_count(LP_EXPORT_CONNECTIONS_MAX);
	last = scraper_send(LP_EXPORT_CONNECTIONS_MAX,
	    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	world_run(
	    &scraper.world, scraper_is_connected, last); /* by the kernel */
	for (unsigned i = 0; i < 100; i++)
		event_base_loop(scraper.world.base, EVLOOP_NONBLOCK);
	ck_assert(!last->closed);
	scraper_hang_up(&scraper.clients[5]);
	scraper_response(last, "HTTP/1.1 200");
	scraper_wait_count(LP_EXPORT_CONNECTIONS_MAX - 1);
	scraper_stop();
}
END_TEST

START_TEST(a_connection_does_not_live_for_ever)
{
	struct lp_export_options options = scraper_usual;

	options.life_ms = 1;
	scraper_start(&options, 0);
	scraper_send(0, "GET /met");
	world_run(&scraper.world, scraper_is_closed, &scraper.clients[0]);
	ck_assert_str_eq(scraper.clients[0].text, "");
	scraper_wait_count(0);
	scraper_stop();
}
END_TEST

START_TEST(a_silent_connection_is_closed)
{
	struct lp_export_options options = scraper_usual;

	options.idle_s = 1;
	scraper_start(&options, 0);
	scraper_send(0, "");
	world_run(&scraper.world, scraper_is_closed, &scraper.clients[0]);
	scraper_wait_count(0);
	scraper_stop();
}
END_TEST

START_TEST(a_taken_address_is_named)
{
	struct lp_export_options options = scraper_usual;
	struct lp_export *second = NULL;
	char why[LP_WHY_SIZE], wanted[64];

	scraper_start(&scraper_usual, 0);
	options.base = scraper.world.base;
	ck_assert_int_eq(lp_ip_parse(&options.address.ip, "127.0.0.1", why), 0);
	options.address.port = lp_export_port(scraper.export);
	ck_assert_int_eq(lp_export_open(&second, &options, why), -EADDRINUSE);
	snprintf(wanted, sizeof(wanted), "127.0.0.1:%u: Address already in use",
	    options.address.port);
	ck_assert_str_eq(why, wanted);
	scraper_stop();
}
END_TEST

/* Whatever a scrape waits for. */
START_TEST(it_may_be_closed_at_any_time)
{
	scraper_start(&scraper_usual, 1);
	scraper_send(0, GET);
	scraper_send(1, "GET /");
	scraper_wait_asked(2);
	scraper_counters(0, false);
	scraper_stop();
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("export");
	TCase *tcase = tcase_create("export");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(requests_have_their_answers);
	TEST(only_our_own_names_lead_to_metrics);
	TEST(a_head_that_is_too_large_is_refused);
	TEST(each_dataplane_is_asked_by_itself);
	TEST(rules_are_shown_by_dataplane);
	TEST(a_dataplane_without_counters_of_rules_has_no_rows);
	TEST(half_an_answer_leaves_no_rows);
	TEST(answers_for_an_earlier_scrape_are_ignored);
	TEST(an_answer_without_an_end_is_not_waited_for);
	TEST(scrapes_share_a_page_and_one_too_many_comes_later);
	TEST(one_who_hangs_up_is_not_waited_for);
	TEST(one_who_does_not_read_holds_up_nobody);
	TEST(one_who_reads_gets_all_of_a_large_page);
	TEST(a_page_has_a_largest_size);
	TEST(connections_wait_for_a_place);
	TEST(a_connection_does_not_live_for_ever);
	TEST(a_silent_connection_is_closed);
	TEST(a_taken_address_is_named);
	TEST(it_may_be_closed_at_any_time);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
