/* SPDX-License-Identifier: Apache-2.0 */
#include "scraper.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/export_rule.h"
#include "tests/support/exposition.h"

#define BODY(name) LP__PB__CONTROL_REQUEST__BODY_##name

struct scraper scraper;

static void
reply(Lp__Pb__ControlReply *message, uint64_t cookie)
{
	message->cookie = cookie;
	lp_export_reply(scraper.export, message);
}

static void
reply_status(uint64_t cookie)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__StatusReply status = LP__PB__STATUS_REPLY__INIT;
	Lp__Pb__DataplaneStatus rows[2];
	Lp__Pb__DataplaneStatus *list[2];

	for (unsigned i = 0; i < scraper.dataplanes; i++) {
		lp__pb__dataplane_status__init(&rows[i]);
		rows[i].path = (char *)(i == 0 ? "/run/a" : "/run/b");
		rows[i].state = (char *)"applied";
		list[i] = &rows[i];
	}
	status.n_dataplanes = scraper.dataplanes;
	status.dataplanes = list;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_STATUS;
	message.status = &status;
	reply(&message, cookie);
}

static void
reply_failure(uint64_t cookie)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__Failure failure = LP__PB__FAILURE__INIT;

	failure.result = LP__PB__FAILURE__RESULT__TIMEOUT;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_FAILURE;
	message.failure = &failure;
	reply(&message, cookie);
}

/* One rule, of so many as have rows and one more. */
static void
reply_rules(const Lp__Pb__ControlRequest *request)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__RuleCountersReply rules = LP__PB__RULE_COUNTERS_REPLY__INIT;
	Lp__Pb__RuleStatsReply stats = LP__PB__RULE_STATS_REPLY__INIT;
	Lp__Pb__RuleStats row = LP__PB__RULE_STATS__INIT;
	Lp__Pb__RuleStats *list[] = {&row};

	ck_assert(request->rules->all);
	ck_assert_uint_eq(request->rules->limit, LP_EXPORT_RULES_MAX);
	row.name = (char *)"scan";
	row.requests = 6;
	stats.n_rules = 1;
	stats.rules = list;
	stats.running = LP_EXPORT_RULES_MAX + 1;
	rules.stats = &stats;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_RULES;
	message.rules = &rules;
	reply(&message, request->cookie);
}

static void
on_ask(void *arg, Lp__Pb__ControlRequest *request)
{
	(void)arg;
	ck_assert_uint_eq(request->protocol, LP_CONTROL_PROTOCOL);
	if (request->body_case == BODY(STATUS)) {
		scraper.status_count++;
		reply_status(request->cookie);
		lp__pb__control_request__free_unpacked(request, NULL);
		return;
	}
	if (request->body_case == BODY(RULES)) {
		if (scraper.no_rules)
			reply_failure(request->cookie);
		else
			reply_rules(request);
		lp__pb__control_request__free_unpacked(request, NULL);
		return;
	}
	ck_assert_uint_lt(scraper.asked_count, ASKED_MAX);
	scraper.asked[scraper.asked_count++] = request;
}

static void
on_cancel(void *arg)
{
	(void)arg;
	scraper.cancelled++;
}

void
scraper_counters(unsigned index, bool more)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__CountersReply counters = LP__PB__COUNTERS_REPLY__INIT;
	Lp__Pb__Stats stats = LP__PB__STATS__INIT;

	ck_assert_int_eq(scraper.asked[index]->body_case, BODY(COUNTERS));
	stats.has_uptime_ns = true;
	stats.uptime_ns = 5000000000;
	counters.stats = &stats;
	message.has_more = message.more = more;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_COUNTERS;
	message.counters = &counters;
	reply(&message, scraper.asked[index]->cookie);
}

/* With so many scraper.clients, told in frames. */
void
scraper_kafka(unsigned index, unsigned rows, bool more)
{
	Lp__Pb__ControlReply message = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__KafkaCountersReply kafka = LP__PB__KAFKA_COUNTERS_REPLY__INIT;
	Lp__Pb__KafkaStats stats = LP__PB__KAFKA_STATS__INIT;
	Lp__Pb__KafkaClientStats row = LP__PB__KAFKA_CLIENT_STATS__INIT;
	Lp__Pb__KafkaClientStats *list[] = {&row};
	char id[32];

	ck_assert_int_eq(scraper.asked[index]->body_case, BODY(KAFKA));
	ck_assert(scraper.asked[index]->kafka->apis &&
	    scraper.asked[index]->kafka->topics &&
	    scraper.asked[index]->kafka->clients);
	row.client_id = id;
	stats.n_clients = 1;
	stats.clients = list;
	kafka.stats = &stats;
	message.body_case = LP__PB__CONTROL_REPLY__BODY_KAFKA;
	message.kafka = &kafka;
	for (unsigned i = 0; i < rows; i++) {
		snprintf(id, sizeof(id), "client-%u", i);
		message.has_more = message.more = more || i + 1 < rows;
		reply(&message, scraper.asked[index]->cookie);
	}
}

void
scraper_failure(unsigned index)
{
	reply_failure(scraper.asked[index]->cookie);
}

void
scraper_answer_all(void)
{
	for (unsigned i = 0; i < scraper.asked_count; i++)
		if (scraper.asked[i]->body_case == BODY(COUNTERS))
			scraper_counters(i, false);
		else
			scraper_kafka(i, 1, false);
}

const struct lp_export_options scraper_usual = {
    .idle_s = 60,
    .life_ms = 60000,
    .size_max = 1 << 26,
    .collect_ms = 60000,
    .ask = on_ask,
    .cancel = on_cancel,
};

void
scraper_start(const struct lp_export_options *wanted, unsigned dataplane_count)
{
	struct lp_export_options options = *wanted;
	char why[LP_WHY_SIZE];

	scraper.world.base = event_base_new();
	scraper.dataplanes = dataplane_count;
	scraper.asked_count = scraper.status_count = scraper.cancelled = 0;
	scraper.no_rules = false;
	options.base = scraper.world.base;
	ck_assert_int_eq(lp_ip_parse(&options.address.ip, "127.0.0.1", why), 0);
	ck_assert_msg(
	    lp_export_open(&scraper.export, &options, why) == 0, "%s", why);
}

void
scraper_hang_up(struct client *client)
{
	if (client->bev != NULL)
		bufferevent_free(client->bev);
	free(client->text);
	*client = (struct client){0};
}

void
scraper_stop(void)
{
	lp_export_close(scraper.export);
	scraper.export = NULL;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		scraper_hang_up(&scraper.clients[i]);
	for (unsigned i = 0; i < scraper.asked_count; i++)
		lp__pb__control_request__free_unpacked(scraper.asked[i], NULL);
	scraper.asked_count = 0;
	event_base_free(scraper.world.base);
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

struct client *
scraper_send(unsigned index, const char *text)
{
	struct client *client = &scraper.clients[index];
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(lp_export_port(scraper.export)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	scraper_hang_up(client);
	client->bev = bufferevent_socket_new(
	    scraper.world.base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(client->bev, NULL, NULL, on_event, client);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
	bufferevent_write(client->bev, text, strlen(text));
	ck_assert_int_eq(bufferevent_socket_connect(client->bev,
			     (struct sockaddr *)&address, sizeof(address)),
	    0);
	return client;
}

bool
scraper_is_closed(void *arg)
{
	return ((const struct client *)arg)->closed;
}

bool
scraper_is_connected(void *arg)
{
	return ((const struct client *)arg)->connected;
}

static bool
count_is(void *arg)
{
	return lp_export_count(scraper.export) == *(const unsigned *)arg;
}

static bool
asked_is(void *arg)
{
	return scraper.asked_count >= *(const unsigned *)arg;
}

void
scraper_wait_count(unsigned count)
{
	world_run(&scraper.world, count_is, &count);
}

void
scraper_wait_asked(unsigned count)
{
	world_run(&scraper.world, asked_is, &count);
}

const char *
scraper_response(struct client *client, const char *status)
{
	const char *body;

	world_run(&scraper.world, scraper_is_closed, client);
	ck_assert_msg(strncmp(client->text, status, strlen(status)) == 0,
	    "not %s: %.200s", status, client->text);
	body = strstr(client->text, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	return body + 4;
}

const char *
scraper_page(struct client *client)
{
	const char *body = scraper_response(client, "HTTP/1.1 200 OK\r\n");
	char why[EXPOSITION_WHY_SIZE];

	ck_assert_msg(exposition_check(body, strlen(body), why), "%s", why);
	return body;
}

void
scraper_value(const char *page, const char *series, const char *value)
{
	const char *found = exposition_find(page, series);

	ck_assert_msg(found != NULL, "no %s in\n%s", series, page);
	ck_assert_msg(strncmp(found, value, strlen(value)) == 0 &&
		found[strlen(value)] == '\n',
	    "%s: %.40s, not %s", series, found, value);
}
