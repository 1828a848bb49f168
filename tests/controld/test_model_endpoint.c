/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where clients reach brokers: by default, by the operator's choice, or not.
 */
#include "controld/model_note.h"
#include "transaction.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct lp_config config;
static uint32_t next_id;

static void
setup(void)
{
	lp_config_init(&config);
	next_id = 1;
	apply(&config, &next_id, basic);
}

static void
teardown(void)
{
	lp_config_fini(&config);
}

/* "10.9.0.100:9101", with " chosen" behind it; "": there is none. */
static void
is_at(const char *listener, int32_t node_id, const char *wanted)
{
	uint32_t cluster_id =
	    lp_config_find_name(&config, LP_OBJECT_CLUSTER, 0, "payments")->id;
	const struct lp_object *endpoint = lp_config_find_endpoint(&config,
	    lp_config_find_name(
		&config, LP_OBJECT_LISTENER, cluster_id, listener)
		->id,
	    lp_config_find_broker(&config, cluster_id, node_id)->id);
	char found[LP_ENDPOINT_TEXT_SIZE + 8] = "";

	if (endpoint != NULL) {
		lp_endpoint_format(found, &endpoint->endpoint.vip);
		if (endpoint->endpoint.chosen)
			strcat(found, " chosen");
	}
	ck_assert_str_eq(found, wanted);
}

START_TEST(a_choice_stays_where_it_is)
{
	const struct lp_object *endpoint;
	uint32_t id;

	is_at("public", 2, "10.9.0.100:9102");
	endpoint = lp_config_find_endpoint(&config, 5, 4);
	id = endpoint->id;
	apply(&config, &next_id,
	    "set broker payments 2 at=public@10.9.0.112:9092");
	is_at("public", 2, "10.9.0.112:9092 chosen");
	/* The same object: it has moved. */
	ck_assert_uint_eq(lp_config_find_endpoint(&config, 5, 4)->id, id);
	apply(&config, &next_id,
	    "set listener payments public vip=10.9.0.101:9092 base=9500;"
	    "set broker payments 2 to=10.9.0.32:9092");
	is_at("public", 1, "10.9.0.101:9501");
	is_at("public", 2, "10.9.0.112:9092 chosen");
	apply(&config, &next_id, "set broker payments 2 at=public@");
	is_at("public", 2, "10.9.0.101:9502");
	/* What is not chosen can be so again. */
	apply(&config, &next_id, "set broker payments 2 at=public@");
	is_at("public", 2, "10.9.0.101:9502");
}
END_TEST

START_TEST(each_listener_has_its_own_choice)
{
	apply(&config, &next_id,
	    "add listener payments inner vip=10.9.0.200:9092 base=9100;"
	    "add broker payments 3 to=10.9.0.23:9092 "
	    "at=public@10.9.0.100:20003 at=inner@10.9.0.203:9092");
	is_at("public", 3, "10.9.0.100:20003 chosen");
	is_at("inner", 3, "10.9.0.203:9092 chosen");
	is_at("inner", 1, "10.9.0.200:9101");
	apply(&config, &next_id, "set broker payments 3 at=inner@");
	is_at("public", 3, "10.9.0.100:20003 chosen");
	is_at("inner", 3, "10.9.0.200:9103");
	/* The choice goes with its broker. */
	apply(&config, &next_id,
	    "del broker payments 3;add broker payments 3 to=10.9.0.23:9092");
	is_at("public", 3, "10.9.0.100:9103");
}
END_TEST

/* One moves to where the other one was. */
START_TEST(two_may_change_places)
{
	apply(&config, &next_id,
	    "set broker payments 1 at=public@10.9.0.100:9102;"
	    "set broker payments 2 at=public@10.9.0.100:9101");
	is_at("public", 1, "10.9.0.100:9102 chosen");
	is_at("public", 2, "10.9.0.100:9101 chosen");
}
END_TEST

START_TEST(a_node_id_that_makes_no_port_has_no_endpoint)
{
	apply(&config, &next_id, "add broker payments 60000 to=10.9.0.23:9092");
	is_at("public", 60000, "");
	/* It comes and goes with the base. */
	apply(&config, &next_id, "set listener payments public base=5000");
	is_at("public", 60000, "10.9.0.100:65000");
	apply(&config, &next_id, "set listener payments public base=5536");
	is_at("public", 60000, "");
	apply(&config, &next_id,
	    "set broker payments 60000 at=public@10.9.0.100:20000");
	is_at("public", 60000, "10.9.0.100:20000 chosen");
	apply(&config, &next_id, "set broker payments 60000 at=public@");
	is_at("public", 60000, "");
	apply(&config, &next_id, "set broker payments 60000 at=public@");
	is_at("public", 60000, "");
	/* Clients of an inline listener know where it is. */
	apply(&config, &next_id,
	    "add port l device=eth2 peer=r; add port r device=eth3 peer=l;"
	    "add listener payments seen mode=inline");
	is_at("seen", 60000, "10.9.0.23:9092");
}
END_TEST

START_TEST(the_very_same_choice_may_exist)
{
	const char *const text = "add broker payments 3 to=10.9.0.23:9092 "
				 "at=public@10.9.0.103:9092 may=1";
	uint32_t before;

	apply(&config, &next_id, text);
	before = next_id;
	apply(&config, &next_id, text);
	ck_assert_uint_eq(next_id, before);
	/* What is not said of it may be as it is. */
	apply(&config, &next_id,
	    "add broker payments 3 to=10.9.0.23:9092 may=1;"
	    "add broker payments 2 to=10.9.0.22:9092 at=public@ may=1");
	is_at("public", 3, "10.9.0.103:9092 chosen");
}
END_TEST

static const struct {
	const char *text;
	const char *wanted;
} refusals[] = {
    {"set broker payments 2 at=publik@10.9.0.112:9092",
	"1 broker payments/2: endpoint: there is no listener publik in its "
	"cluster (did you mean public?)"},
    {"set broker payments 2 at=public@10.9.0.112:9092 at=public@",
	"1 broker payments/2: endpoint: of listener public is given twice"},
    {"add cluster x; set broker payments 2 at=public@10.9.0.100:9092",
	"2 endpoint payments/public/2: vip: 10.9.0.100:9092 is already the "
	"endpoint of listener payments/public"},
    {"set broker payments 2 at=public@10.9.0.100:9101",
	"1 endpoint payments/public/2: vip: 10.9.0.100:9101 is already "
	"endpoint payments/public/1"},
    {"set broker payments 2 at=public@10.9.0.10:9092",
	"1 endpoint payments/public/2: vip: 10.9.0.10 is already an address "
	"of port front"},
    {"set broker payments 2 at=public@10.9.0.1:9092",
	"1 endpoint payments/public/2: vip: 10.9.0.1 is already the gateway "
	"of port front"},
    {"set broker payments 2 at=public@10.9.0.21:9093",
	"1 endpoint payments/public/2: vip: 10.9.0.21 is already the address "
	"of broker payments/1"},
    {"set broker payments 2 at=public@224.0.0.1:9092",
	"1 endpoint payments/public/2: vip: 224.0.0.1 is not the address of "
	"a host"},
    {"set broker payments 2 at=public@[fd00::1]:9092",
	"1 endpoint payments/public/2: vip: [fd00::1]:9092 is IPv6, but "
	"10.9.0.22:9092 of broker payments/2 is IPv4: one family only"},
    {"add port l device=eth2 peer=r; add port r device=eth3 peer=l;"
     "add listener payments seen mode=inline;"
     "set broker payments 2 at=seen@10.9.0.112:9092",
	"4 endpoint payments/seen/2: vip: there is nothing to choose: "
	"clients of an inline listener connect to the brokers themselves"},
    {"add broker payments 2 to=10.9.0.22:9092 at=public@10.9.0.9:1 may=1",
	"1 broker payments/2: : exists already, and differs"},
    /* A broker is put where a chosen endpoint is, and a port. */
    {"set broker payments 2 at=public@10.9.0.112:9092;"
     "add broker payments 3 to=10.9.0.112:9092",
	"2 broker payments/3: endpoint: 10.9.0.112 is already the VIP of "
	"endpoint payments/public/2"},
    {"set broker payments 2 at=public@10.9.0.112:9092;"
     "add listener payments other vip=10.9.0.112:9092",
	"2 listener payments/other: vip: 10.9.0.112:9092 is already endpoint "
	"payments/public/2"},
};

START_TEST(what_does_not_fit_is_refused)
{
	Lp__Pb__ControlRequest *request = make_transaction(refusals[_i].text);
	struct lp_model_change change;
	char found[1024];
	int err = lp_model_apply(&change, &config, next_id,
	    request->transaction->operations,
	    request->transaction->n_operations);

	ck_assert_msg(err == -EINVAL, "%s: not refused", refusals[_i].text);
	snprintf(found, sizeof(found), "%u %s: %s: %s", change.error.place,
	    change.error.object, change.error.field, change.error.why);
	ck_assert_str_eq(found, refusals[_i].wanted);
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}
END_TEST

/* Of those that the change concerns, and of each listener once. */
static const struct {
	const char *text;
	const char *note;
} notes[] = {
    {"add broker payments 60000 to=10.9.0.23:9092",
	"listener payments/public: has no endpoint for broker 60000: 9100 + "
	"60000 is no TCP port, so clients cannot reach it; choose one: lpctl "
	"set-broker payments 60000 --endpoint public=ADDRESS:PORT"},
    {"add broker payments 60000 to=10.9.0.23:9092;"
     "add broker payments 60001 to=10.9.0.24:9092;"
     "add broker payments 60002 to=10.9.0.25:9092",
	"listener payments/public: has no endpoint for broker 60000 (and 2 "
	"more): 9100 + 60000 is no TCP port, so clients cannot reach it; "
	"choose one: lpctl set-broker payments 60000 --endpoint "
	"public=ADDRESS:PORT"},
    {"set listener payments public source=preserve base=65534",
	"listener payments/public: has no endpoint for broker 2: 65534 + 2 "
	"is no TCP port, so clients cannot reach it; choose one: lpctl "
	"set-broker payments 2 --endpoint public=ADDRESS:PORT"},
    {"add broker payments 60000 to=10.9.0.23:9092 at=public@10.9.0.9:9092",
	NULL},
};

START_TEST(a_note_names_who_is_not_reached_and_what_helps)
{
	Lp__Pb__ControlRequest *request = make_transaction(notes[_i].text);
	struct lp_model_change change;

	ck_assert_int_eq(lp_model_apply(&change, &config, next_id,
			     request->transaction->operations,
			     request->transaction->n_operations),
	    0);
	ck_assert_uint_eq(change.note_count, notes[_i].note != NULL);
	if (notes[_i].note != NULL)
		ck_assert_str_eq(change.notes[0], notes[_i].note);
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}
END_TEST

START_TEST(a_note_is_for_those_who_have_to_do_with_it)
{
	Lp__Pb__ControlRequest *request;
	struct lp_model_change change;

	apply(&config, &next_id, "add broker payments 60000 to=10.9.0.23:9092");
	request = make_transaction("add cluster x; add broker payments 3 "
				   "to=10.9.0.24:9092");
	ck_assert_int_eq(lp_model_apply(&change, &config, next_id,
			     request->transaction->operations,
			     request->transaction->n_operations),
	    0);
	ck_assert_uint_eq(change.note_count, 0);
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

int
main(void)
{
	Suite *suite = suite_create("model_endpoint");
	TCase *tcase = tcase_create("model_endpoint");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_choice_stays_where_it_is);
	tcase_add_test(tcase, each_listener_has_its_own_choice);
	tcase_add_test(tcase, two_may_change_places);
	tcase_add_test(tcase, a_node_id_that_makes_no_port_has_no_endpoint);
	tcase_add_test(tcase, the_very_same_choice_may_exist);
	tcase_add_loop_test(
	    tcase, what_does_not_fit_is_refused, 0, COUNT(refusals));
	tcase_add_loop_test(tcase,
	    a_note_names_who_is_not_reached_and_what_helps, 0, COUNT(notes));
	tcase_add_test(tcase, a_note_is_for_those_who_have_to_do_with_it);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
