/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus endpoint as its clients see it, good ones and others; the
 * test is the daemon that it asks.
 */
#include "controld/export.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/exposition.h"
#include "world.h"

#define BODY(name) LP__PB__CONTROL_REQUEST__BODY_##name

enum { CLIENTS_MAX = LP_EXPORT_CONNECTIONS_MAX + 1, ASKED_MAX = 64 };

struct client {
	struct bufferevent *bev;
	bool connected, closed;
	char *text; /* once it is closed */
};

static struct world world; /* its loop only */
static struct lp_export *export;
static struct client clients[CLIENTS_MAX];
static Lp__Pb__ControlRequest *asked[ASKED_MAX]; /* without the status */
static unsigned asked_count, status_count;
static unsigned dataplanes;

static void
reply(Lp__Pb__ControlReply *message, uint64_t cookie)
{
	message->cookie = cookie;
	lp_export_reply(export, message);
}

static void
reply_status(uint64_t cookie)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__StatusReply status = LP__PB__STATUS_REPLY__INIT;
	Lp__Pb__DataplaneStatus rows[2];
	Lp__Pb__DataplaneStatus *list[2];

	for (unsigned i = 0; i < dataplanes; i++) {
		lp__pb__dataplane_status__init(&rows[i]);
		rows[i].path = (char *)(i == 0 ? "/run/a" : "/run/b");
		rows[i].state = (char *)"applied";
		list[i] = &rows[i];
	}
	status.n_dataplanes = dataplanes;
	status.dataplanes = list;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_STATUS;
	message.status = &status;
	reply(&message, cookie);
}

static void
on_ask(void *arg, Lp__Pb__ControlRequest *request)
{
	(void)arg;
	ck_assert_uint_eq(request->protocol, LP_CONTROL_PROTOCOL);
	if (request->body_case == BODY(STATUS)) {
		status_count++;
		reply_status(request->cookie);
		lp__pb__control_request__free_unpacked(request, NULL);
		return;
	}
	ck_assert_uint_lt(asked_count, ASKED_MAX);
	asked[asked_count++] = request;
}

/* Question `index` has the answer "1 packet of that many bytes" of client 7. */
static void
answer_counters(unsigned index, bool more)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__CountersReply counters = LP__PB__COUNTERS_REPLY__INIT;
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;

	ck_assert_int_eq(asked[index]->body_case, BODY(COUNTERS));
	stats.has_uptime_ns = true;
	stats.uptime_ns = 5000000000;
	counters.stats = &stats;
	message.has_more = message.more = more;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_COUNTERS;
	message.counters = &counters;
	reply(&message, asked[index]->cookie);
}

/* With so many clients, told in frames. */
static void
answer_kafka(unsigned index, unsigned rows, bool more)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__KafkaCountersReply kafka = LP__PB__KAFKA_COUNTERS_REPLY__INIT;
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaClientStats row = LP__PB__KAFKA_CLIENT_STATS__INIT;
	Lp__Pb__KafkaClientStats *list[] = {&row};
	char id[32];

	ck_assert_int_eq(asked[index]->body_case, BODY(KAFKA));
	ck_assert(asked[index]->kafka->apis && asked[index]->kafka->topics &&
	    asked[index]->kafka->clients);
	row.client_id = id;
	stats.n_clients = 1;
	stats.clients = list;
	kafka.stats = &stats;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_KAFKA;
	message.kafka = &kafka;
	for (unsigned i = 0; i < rows; i++) {
		snprintf(id, sizeof(id), "client-%u", i);
		message.has_more = message.more = more || i + 1 < rows;
		reply(&message, asked[index]->cookie);
	}
}

static void
answer_failure(unsigned index)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__Failure failure = LP__PB__FAILURE__INIT;

	failure.result = LP__PB__FAILURE__RESULT__TIMEOUT;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_FAILURE;
	message.failure = &failure;
	reply(&message, asked[index]->cookie);
}

static void
answer_all(void)
{
	for (unsigned i = 0; i < asked_count; i++)
		if (asked[i]->body_case == BODY(COUNTERS))
			answer_counters(i, false);
		else
			answer_kafka(i, 1, false);
}

static const struct lp_export_options usual = {
    .idle_s = 60,
    .life_ms = 60000,
    .size_max = 1 << 26,
    .ask = on_ask,
};

static void
start(const struct lp_export_options *wanted, unsigned dataplane_count)
{
	struct lp_export_options options = *wanted;
	char why[LP_WHY_SIZE];

	world.base = event_base_new();
	dataplanes = dataplane_count;
	asked_count = status_count = 0;
	options.base = world.base;
	ck_assert_int_eq(lp_ip_parse(&options.address.ip, "127.0.0.1", why), 0);
	ck_assert_msg(lp_export_open(&export, &options, why) == 0, "%s", why);
}

static void
forget(struct client *client)
{
	if (client->bev != NULL)
		bufferevent_free(client->bev);
	free(client->text);
	*client = (struct client){0};
}

static void
stop(void)
{
	lp_export_close(export);
	export = NULL;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		forget(&clients[i]);
	for (unsigned i = 0; i < asked_count; i++)
		lp__pb__control_request__free_unpacked(asked[i], NULL);
	asked_count = 0;
	event_base_free(world.base);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);

	if (what & BEV_EVENT_CONNECTED) {
		client->connected = true;
		return;
	}
	client->closed = true;
	client->text = calloc(1, len + 1);
	evbuffer_remove(input, client->text, len);
}

/* Connects and sends; reads until it is closed. */
static struct client *
send_text(unsigned index, const char *text)
{
	struct client *client = &clients[index];
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(lp_export_port(export)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	forget(client);
	client->bev =
	    bufferevent_socket_new(world.base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(client->bev, NULL, NULL, on_event, client);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
	bufferevent_write(client->bev, text, strlen(text));
	ck_assert_int_eq(bufferevent_socket_connect(client->bev,
			     (struct sockaddr *)&address, sizeof(address)),
	    0);
	return client;
}

static bool
is_closed(void *arg)
{
	return ((const struct client *)arg)->closed;
}

static bool
is_connected(void *arg)
{
	return ((const struct client *)arg)->connected;
}

static bool
count_is(void *arg)
{
	return lp_export_count(export) == *(const unsigned *)arg;
}

static bool
asked_is(void *arg)
{
	return asked_count >= *(const unsigned *)arg;
}

static void
wait_count(unsigned count)
{
	world_run(&world, count_is, &count);
}

static void
wait_asked(unsigned count)
{
	world_run(&world, asked_is, &count);
}

/* The status line and headers that are there; the body. */
static const char *
response(struct client *client, const char *status)
{
	const char *body;

	world_run(&world, is_closed, client);
	ck_assert_msg(strncmp(client->text, status, strlen(status)) == 0,
	    "not %s: %.200s", status, client->text);
	body = strstr(client->text, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	return body + 4;
}

static const char *
page_of(struct client *client)
{
	const char *body = response(client, "HTTP/1.1 200 OK\r\n");
	char why[EXPOSITION_WHY_SIZE];

	ck_assert_msg(exposition_check(body, strlen(body), why), "%s", why);
	return body;
}

static void
ck_value(const char *page, const char *series, const char *value)
{
	const char *found = exposition_find(page, series);

	ck_assert_msg(found != NULL, "no %s in\n%s", series, page);
	ck_assert_msg(strncmp(found, value, strlen(value)) == 0 &&
		found[strlen(value)] == '\n',
	    "%s: %.40s, not %s", series, found, value);
}

#define GET "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"

START_TEST(requests_have_their_answers)
{
	static const struct {
		const char *request, *status, *has;
	} cases[] = {
	    {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200",
		"href=\"/metrics\""},
	    {"GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200", "ok"},
	    {"GET http://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200",
		"ok"},
	    {"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404",
		"/metrics"},
	    {"GET /metrics/x HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404", ""},
	    {"POST /metrics HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405",
		"Allow: GET, HEAD\r\n"},
	    {"DELETE /metrics HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405",
		"Allow: GET, HEAD\r\n"},
	    {"POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"
	     "a=b",
		"HTTP/1.1 413", ""},
	    {"BREW /metrics HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 501", ""},
	    {"nonsense\r\n\r\n", "HTTP/1.", " 400 "},
	    {"HEAD /metrics HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200",
		"Content-Type: text/plain; version=0.0.4"},
	    {"GET /metrics?a=b HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200",
		"Content-Type: text/plain; version=0.0.4"},
	};

	start(&usual, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client *client = send_text(0, cases[i].request);
		const char *body = response(client, cases[i].status);

		ck_assert_msg(strstr(client->text, cases[i].has) != NULL,
		    "no %s in %s", cases[i].has, client->text);
		if (strncmp(cases[i].request, "HEAD", 4) == 0)
			ck_assert_str_eq(body, "");
	}
	/* A HEAD asks nobody. */
	ck_assert_uint_eq(status_count, 1);
	wait_count(0);
	stop();
}
END_TEST

START_TEST(a_head_that_is_too_large_is_refused)
{
	char request[2 * LP_EXPORT_HEAD_MAX] = "GET /metrics HTTP/1.1\r\nX: ";
	size_t len = strlen(request);

	start(&usual, 0);
	memset(request + len, 'x', sizeof(request) - len - 1);
	response(send_text(0, request), "HTTP/1.1 400");
	ck_assert_uint_eq(status_count, 0);
	stop();
}
END_TEST

START_TEST(each_dataplane_is_asked_by_itself)
{
	const char *page;

	start(&usual, 2);
	send_text(0, GET);
	wait_asked(4);
	ck_assert_str_eq(asked[0]->counters->dataplane, "/run/a");
	ck_assert_str_eq(asked[3]->kafka->dataplane, "/run/b");
	answer_counters(0, false);
	answer_kafka(1, 3, false);
	answer_failure(2);
	answer_failure(3);
	page = page_of(&clients[0]);
	ck_value(page, "lightpath_up{dataplane=\"/run/a\"}", "1");
	ck_value(page, "lightpath_kafka_up{dataplane=\"/run/a\"}", "1");
	ck_value(page, "lightpath_uptime_seconds{dataplane=\"/run/a\"}", "5");
	ck_value(page,
	    "lightpath_kafka_client_requests_total{dataplane=\"/run/a\","
	    "client_id=\"client-2\"}",
	    "0");
	ck_value(page, "lightpath_up{dataplane=\"/run/b\"}", "0");
	ck_value(page, "lightpath_kafka_up{dataplane=\"/run/b\"}", "0");
	stop();
}
END_TEST

START_TEST(half_an_answer_leaves_no_rows)
{
	const char *page;

	start(&usual, 1);
	send_text(0, GET);
	wait_asked(2);
	answer_counters(0, false);
	answer_kafka(1, 3, true);
	answer_failure(1);
	answer_kafka(1, 3, false); /* late */
	page = page_of(&clients[0]);
	ck_value(page, "lightpath_up{dataplane=\"/run/a\"}", "1");
	ck_value(page, "lightpath_kafka_up{dataplane=\"/run/a\"}", "0");
	ck_assert_ptr_null(strstr(page, "client-"));
	stop();
}
END_TEST

START_TEST(answers_for_an_earlier_scrape_are_ignored)
{
	const char *page;

	start(&usual, 1);
	send_text(0, GET);
	wait_asked(2);
	answer_failure(0);
	answer_failure(1);
	page_of(&clients[0]);
	send_text(0, GET);
	wait_asked(4);
	answer_kafka(1, 1, false);
	answer_counters(0, false);
	answer_failure(2);
	answer_failure(3);
	page = page_of(&clients[0]);
	ck_value(page, "lightpath_up{dataplane=\"/run/a\"}", "0");
	stop();
}
END_TEST

static bool
one_is_closed(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i <= LP_EXPORT_SCRAPES_MAX; i++)
		if (clients[i].closed)
			return true;
	return false;
}

START_TEST(scrapes_share_a_page_and_one_too_many_comes_later)
{
	unsigned refused = 0;

	start(&usual, 1);
	for (unsigned i = 0; i <= LP_EXPORT_SCRAPES_MAX; i++)
		send_text(i, GET);
	world_run(&world, one_is_closed, NULL);
	answer_all();
	for (unsigned i = 0; i <= LP_EXPORT_SCRAPES_MAX; i++) {
		world_run(&world, is_closed, &clients[i]);
		if (strncmp(clients[i].text, "HTTP/1.1 503", 12) == 0) {
			ck_assert_ptr_nonnull(
			    strstr(clients[i].text, "Retry-After: 1\r\n"));
			refused++;
			continue;
		}
		ck_value(page_of(&clients[i]),
		    "lightpath_up{dataplane=\"/run/a\"}", "1");
	}
	ck_assert_uint_eq(refused, 1);
	ck_assert_uint_eq(status_count, 1);
	wait_count(0);
	stop();
}
END_TEST

START_TEST(one_who_hangs_up_is_not_waited_for)
{
	start(&usual, 1);
	send_text(0, GET);
	wait_asked(2);
	forget(&clients[0]);
	send_text(1, GET);
	/* Both are answered in the end, the first one for nobody. */
	response(send_text(2, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"),
	    "HTTP/1.1 200");
	answer_all();
	page_of(&clients[1]);
	wait_count(0);
	stop();
}
END_TEST

START_TEST(one_who_does_not_read_holds_up_nobody)
{
	struct lp_export_options options = usual;

	options.idle_s = 1;
	start(&options, 1);
	send_text(0, GET);
	bufferevent_disable(clients[0].bev, EV_READ);
	wait_asked(2);
	answer_counters(0, false);
	answer_kafka(1, 60000, false); /* beyond what sockets take */
	send_text(1, GET);
	wait_asked(4);
	answer_counters(2, false);
	answer_kafka(3, 1, false);
	page_of(&clients[1]);
	wait_count(0); /* it had its second */
	stop();
}
END_TEST

START_TEST(one_who_reads_gets_all_of_a_large_page)
{
	const char *page;

	start(&usual, 1);
	send_text(0, GET);
	wait_asked(2);
	answer_counters(0, false);
	answer_kafka(1, 20000, false);
	page = page_of(&clients[0]);
	ck_value(page,
	    "lightpath_kafka_client_requests_total{dataplane=\"/run/a\","
	    "client_id=\"client-19999\"}",
	    "0");
	ck_value(page, "lightpath_scrape_skipped_rows", "0");
	stop();
}
END_TEST

START_TEST(a_page_has_a_largest_size)
{
	struct lp_export_options options = usual;
	const char *page;

	options.size_max = 100000;
	start(&options, 1);
	send_text(0, GET);
	wait_asked(2);
	answer_counters(0, false);
	answer_kafka(1, 2000, false);
	page = page_of(&clients[0]);
	ck_assert_ptr_nonnull(strstr(page, "client-0"));
	ck_assert_ptr_null(strstr(page, "client-1999"));
	ck_assert_int_ne(
	    strncmp(exposition_find(page, "lightpath_scrape_skipped_rows"),
		"0\n", 2),
	    0);
	stop();
}
END_TEST

START_TEST(connections_wait_for_a_place)
{
	struct client *last;

	start(&usual, 0);
	for (unsigned i = 0; i < LP_EXPORT_CONNECTIONS_MAX; i++)
		send_text(i, "GET /healthz HT");
	wait_count(LP_EXPORT_CONNECTIONS_MAX);
	last = send_text(LP_EXPORT_CONNECTIONS_MAX,
	    "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	world_run(&world, is_connected, last); /* by the kernel */
	for (unsigned i = 0; i < 100; i++)
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	ck_assert(!last->closed);
	forget(&clients[5]);
	response(last, "HTTP/1.1 200");
	wait_count(LP_EXPORT_CONNECTIONS_MAX - 1);
	stop();
}
END_TEST

START_TEST(a_connection_does_not_live_for_ever)
{
	struct lp_export_options options = usual;

	options.life_ms = 1;
	start(&options, 0);
	send_text(0, "GET /met");
	world_run(&world, is_closed, &clients[0]);
	ck_assert_str_eq(clients[0].text, "");
	wait_count(0);
	stop();
}
END_TEST

START_TEST(a_silent_connection_is_closed)
{
	struct lp_export_options options = usual;

	options.idle_s = 1;
	start(&options, 0);
	send_text(0, "");
	world_run(&world, is_closed, &clients[0]);
	wait_count(0);
	stop();
}
END_TEST

START_TEST(a_taken_address_is_named)
{
	struct lp_export_options options = usual;
	struct lp_export *second = NULL;
	char why[LP_WHY_SIZE], wanted[64];

	start(&usual, 0);
	options.base = world.base;
	ck_assert_int_eq(lp_ip_parse(&options.address.ip, "127.0.0.1", why), 0);
	options.address.port = lp_export_port(export);
	ck_assert_int_eq(lp_export_open(&second, &options, why), -EADDRINUSE);
	snprintf(wanted, sizeof(wanted), "127.0.0.1:%u: Address already in use",
	    options.address.port);
	ck_assert_str_eq(why, wanted);
	stop();
}
END_TEST

/* Whatever a scrape waits for. */
START_TEST(it_may_be_closed_at_any_time)
{
	start(&usual, 1);
	send_text(0, GET);
	send_text(1, "GET /");
	wait_asked(2);
	answer_counters(0, false);
	stop();
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
	TEST(a_head_that_is_too_large_is_refused);
	TEST(each_dataplane_is_asked_by_itself);
	TEST(half_an_answer_leaves_no_rows);
	TEST(answers_for_an_earlier_scrape_are_ignored);
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
