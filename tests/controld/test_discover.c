/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery in the whole daemon, against a dataplane that the test plays.
 */
#include "controld/session.h"
#include "fake.h"
#include "transaction.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static struct fake fake;
static uint32_t cluster_id = 2, listener_id = 5; /* of `basic` */
static _Atomic unsigned name_is; /* last byte of what names resolve to */
static const char *clients; /* the directory; NULL: nobody is asked */
static atomic_bool asked_in_vain;

static void
resolve(const char *host, struct lp_names_answer *answer)
{
	char text[LP_IP_TEXT_SIZE];

	(void)host;
	snprintf(text, sizeof(text), "10.9.0.%u", name_is);
	lp_ip_parse(&answer->ips[0], text, NULL);
	answer->count = 1;
}

/* The cluster, asked: brokers 1 and 3, or a reason. */
static void
ask(const char *path, const atomic_bool *over, struct lp_poll_answer *answer)
{
	(void)over;
	*answer = (struct lp_poll_answer){0};
	if (atomic_load(&asked_in_vain)) {
		snprintf(answer->why, sizeof(answer->why), "%s:1: no",
		    strrchr(path, '/') + 1);
		return;
	}
	answer->brokers = calloc(2, sizeof(*answer->brokers));
	answer->count = 2;
	answer->brokers[0] = (struct lp_poll_broker){1, 9092, "10.9.0.21"};
	answer->brokers[1] = (struct lp_poll_broker){3, 9093, "kafka-3"};
}

static void
start(void)
{
	name_is = 23;
	world_discover = (struct lp_discover_options){
	    .times = {.gather = 1, .look = 20, .again = 600000},
	    .resolve = resolve,
	    .poll = {
		.directory = clients, .interval = 1, .look = 1, .ask = ask}};
	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
}

/* One more generation of the operator's, which the dataplane applies. */
static void
change(const char *text)
{
	static char both[2048];
	unsigned replies = world.reply_count + 1;
	struct pushed pushed;

	snprintf(both, sizeof(both), "%s", text);
	world_send(&world, both, 10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, pushed.generation, pushed.digest);
	world_done(world_replies(&world, replies));
}

static void
see(const int32_t *ids, const char *const *hosts, size_t count)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__BrokersSeen seen = LP__PB__BROKERS_SEEN__INIT;
	Lp__Pb__BrokersListed list = LP__PB__BROKERS_LISTED__INIT;
	Lp__Pb__BrokersListed *lists[] = {&list};
	Lp__Pb__BrokerSeen brokers[8], *pointers[8];

	for (size_t i = 0; i < count; i++) {
		lp__pb__broker_seen__init(&brokers[i]);
		brokers[i].cluster_id = cluster_id;
		brokers[i].node_id = ids[i];
		brokers[i].host = (char *)hosts[i];
		brokers[i].port = 9092;
		brokers[i].rack = (char *)"east";
		pointers[i] = &brokers[i];
	}
	list.cluster_id = cluster_id;
	seen.brokers = pointers;
	seen.n_brokers = count;
	seen.lists = lists;
	seen.n_lists = 1;
	seen.tls_listeners = &listener_id;
	seen.n_tls_listeners = 1;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_BROKERS_SEEN;
	message.brokers_seen = &seen;
	fake_send(&fake, &message);
}

static const Lp__Pb__DiscoveryStatus *
status(void)
{
	const Lp__Pb__StatusReply *reply = world_status_reply(&world);

	return reply->n_discovery > 0 ? reply->discovery[0] : NULL;
}

static bool
was_heard(void *arg)
{
	const Lp__Pb__DiscoveryStatus *of = status();

	(void)arg;
	return of != NULL && of->has_listed_ns;
}

static bool
has_why(void *arg)
{
	const Lp__Pb__DiscoveryStatus *of = status();

	(void)arg;
	return of != NULL && of->n_nodes > 0 && of->nodes[0]->why != NULL;
}

static const int32_t three[] = {1, 2, 3};
static const char *const hosts[] = {"10.9.0.21", "10.9.0.22", "kafka-3"};

START_TEST(unknown_brokers_are_added)
{
	const int32_t ids[] = {3, 4};
	const char *const at[] = {"kafka-3", "10.9.0.24"};
	const Lp__Pb__DiscoveryStatus *of;
	unsigned objects = 0;

	start();
	change(basic);
	change("set cluster payments discover=1");
	see(ids, at, 2);
	/* Both, each with its endpoint; the name may be known a bit later. */
	while (objects < 4) {
		struct pushed pushed = fake_take_push(&fake);

		ck_assert(!pushed.full);
		objects += pushed.objects;
		fake_applied(&fake, pushed.generation, pushed.digest);
	}
	ck_assert_uint_eq(objects, 4);
	while (status()->change == NULL)
		event_base_loop(world.base, EVLOOP_ONCE);
	of = status();
	ck_assert_ptr_nonnull(strstr(of->change, "broker payments/"));
	ck_assert(of->discover);
	stop();
}
END_TEST

static bool
has_turned(void *arg)
{
	unsigned *turns = arg;

	return (*turns)-- == 0;
}

/* While a change waits to be confirmed nothing else is made of what comes. */
START_TEST(it_is_put_off_until_a_change_is_confirmed)
{
	const int32_t ids[] = {4};
	const char *const at[] = {"10.9.0.24"};
	Lp__Pb__ControlRequest *request =
	    make_transaction("set cluster payments discover=1");
	struct pushed pushed;
	unsigned turns = 50; /* of a loop that wakes up for each look at it */

	start();
	change(basic);
	request->transaction->has_confirm_ms = true;
	request->transaction->confirm_ms = 3600000;
	lp_session_request(world.session, 1, &world_peer, request);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 3, pushed.digest);
	world_done(world_replies(&world, 2));
	see(ids, at, 1);
	world_run(&world, was_heard, NULL);
	world_run(&world, has_turned, &turns);
	ck_assert_uint_eq(world_status_reply(&world)->generation, 3);
	ck_assert_ptr_null(status()->nodes[0]->why);
	world_confirm(&world, 0);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	fake_applied(&fake, 4, pushed.digest);
	stop();
}
END_TEST

START_TEST(with_discovery_off_it_is_told_what_to_do)
{
	const Lp__Pb__DiscoveryStatus *of;

	start();
	change(basic);
	see(three, hosts, 3);
	world_run(&world, was_heard, NULL);
	of = status();
	ck_assert_str_eq(of->cluster, "payments");
	ck_assert(!of->discover);
	ck_assert_uint_eq(of->listed, 3);
	ck_assert_uint_eq(of->n_nodes, 1);
	ck_assert_int_eq(of->nodes[0]->node_id, 3);
	ck_assert_str_eq(of->nodes[0]->host, "kafka-3");
	ck_assert_str_eq(of->nodes[0]->rack, "east");
	ck_assert_str_eq(of->nodes[0]->state, "unknown");
	ck_assert_str_eq(
	    of->nodes[0]->remedy, "lpctl add-broker payments 3 kafka-3:9092");
	ck_assert_uint_eq(of->n_tls_listeners, 1);
	ck_assert_str_eq(of->tls_listeners[0], "public");
	/* That is the way out: then it is no news any more. */
	change("set listener payments public rewrite=off;"
	       "set broker payments 2 to=10.9.0.29:9092");
	of = status();
	ck_assert_uint_eq(of->n_tls_listeners, 0);
	ck_assert_uint_eq(of->n_nodes, 2);
	ck_assert_str_eq(of->nodes[0]->state, "elsewhere");
	ck_assert_str_eq(
	    of->nodes[0]->remedy, "lpctl set-broker payments 2 10.9.0.22:9092");
	stop();
}
END_TEST

/* What is refused is told, and the rest is done without it. */
START_TEST(what_is_refused_does_not_hold_up_the_rest)
{
	const int32_t ids[] = {3, 4};
	/* The address of broker 1. */
	const char *const at[] = {"10.9.0.21", "10.9.0.24"};
	const Lp__Pb__DiscoveryStatus *of;
	struct pushed pushed;

	start();
	change(basic);
	change("set cluster payments discover=1");
	see(ids, at, 2);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	ck_assert_uint_eq(pushed.objects, 2); /* a broker, its endpoint */
	fake_applied(&fake, 4, pushed.digest);
	world_run(&world, has_why, NULL);
	of = status();
	ck_assert_int_eq(of->nodes[0]->node_id, 3);
	ck_assert_ptr_nonnull(
	    strstr(of->nodes[0]->why, "is already taken by broker payments/1"));
	stop();
}
END_TEST

START_TEST(a_dataplane_that_rejects_it_is_not_asked_again)
{
	const int32_t id = 4;
	const char *const at = "10.9.0.24";
	struct pushed pushed;

	start();
	change(basic);
	change("set cluster payments discover=1");
	see(&id, &at, 1);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	fake_rejected(
	    &fake, 4, LP__PB__REJECTED__CODE__RESOURCE, "broker", "real", "no");
	pushed = fake_take_push(&fake); /* back again */
	ck_assert_uint_eq(pushed.generation, 5);
	fake_applied(&fake, 5, pushed.digest);
	world_run(&world, has_why, NULL);
	ck_assert_ptr_nonnull(strstr(status()->nodes[0]->why, "no"));
	stop();
}
END_TEST

START_TEST(what_cannot_be_is_ignored)
{
	const int32_t ids[] = {-5, 3};
	const char *const at[] = {"10.9.0.23", "no host"};

	start();
	change(basic);
	change("set cluster payments discover=1");
	see(ids, at, 2);
	world_run(&world, was_heard, NULL);
	ck_assert_uint_eq(status()->listed, 0);
	ck_assert_uint_eq(status()->n_nodes, 0);
	stop();
}
END_TEST

static bool
was_asked(void *arg)
{
	const Lp__Pb__DiscoveryStatus *of = status();

	(void)arg;
	return of != NULL && of->poll != NULL && of->poll->answered > 0;
}

static bool
was_in_vain(void *arg)
{
	return was_asked(arg) && status()->poll->why != NULL;
}

/* Nothing passes: TLS, or no client yet. */
START_TEST(a_cluster_that_is_asked_is_discovered)
{
	const Lp__Pb__DiscoveryStatus *of;
	struct pushed pushed;
	char dir[64];

	make_dir(dir);
	clients = dir;
	fclose(fopen(path_in(dir, "payments.conf"), "w"));
	start();
	change(basic);
	world_run(&world, was_asked, NULL);
	of = status();
	ck_assert(!of->has_listed_ns);
	ck_assert_uint_eq(of->listed, 2);
	ck_assert_uint_eq(of->poll->brokers, 2);
	ck_assert_ptr_null(of->poll->why);
	ck_assert_uint_eq(of->n_nodes, 1);
	ck_assert_str_eq(
	    of->nodes[0]->remedy, "lpctl add-broker payments 3 kafka-3:9093");
	atomic_store(&asked_in_vain, true);
	world_run(&world, was_in_vain, NULL);
	of = status();
	ck_assert_str_eq(of->poll->why, "payments.conf:1: no");
	ck_assert_uint_eq(of->n_nodes, 1);
	change("set cluster payments discover=1");
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.objects, 2); /* the broker, its endpoint */
	fake_applied(&fake, pushed.generation, pushed.digest);
	while (status()->change == NULL)
		event_base_loop(world.base, EVLOOP_ONCE);
	ck_assert_str_eq(status()->change,
	    "broker payments/3 added at kafka-3:9093 (10.9.0.23:9093)");
	stop();
	remove_dir(dir);
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)

int
main(void)
{
	Suite *suite = suite_create("discover");
	TCase *tcase = tcase_create("discover");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(unknown_brokers_are_added);
	TEST(it_is_put_off_until_a_change_is_confirmed);
	TEST(with_discovery_off_it_is_told_what_to_do);
	TEST(what_is_refused_does_not_hold_up_the_rest);
	TEST(a_dataplane_that_rejects_it_is_not_asked_again);
	TEST(what_cannot_be_is_ignored);
	TEST(a_cluster_that_is_asked_is_discovered);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
