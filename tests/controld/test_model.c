/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/model.h"
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

/* What a transaction is refused for: "place object: field: why". */
static void
check_refused(const char *text, const char *wanted)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);
	struct lp_model_change change;
	char found[1024];
	int err = lp_model_apply(&change, &config, next_id,
	    request->transaction->operations,
	    request->transaction->n_operations);

	ck_assert_msg(err == -EINVAL, "%s: not refused", text);
	snprintf(found, sizeof(found), "%u %s: %s: %s", change.error.place,
	    change.error.object, change.error.field, change.error.why);
	ck_assert_str_eq(found, wanted);
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}

static const struct {
	const char *text;
	const char *wanted;
} refusals[] = {
    {"add cluster payments", "1 cluster payments: : exists already"},
    {"set cluster payments owner=a; add cluster payments may=1 owner=b",
	"2 cluster payments: : exists already, and differs"},
    {"set cluster payments owner=none",
	"1 cluster payments: owner: \"none\" is the word for no owner: choose "
	"another label"},
    {"add cluster payments may=1;"
     "add listener payments public vip=10.9.0.100:9093 base=9100 may=1",
	"2 listener payments/public: : exists already, and differs"},
    {"set port back side=client", "1 port back: : there is no port back"},
    {"set port fronts side=client",
	"1 port fronts: : there is no port fronts (did you mean front?)"},
    {"del cluster payment",
	"1 cluster payment: : there is no cluster payment (did you mean "
	"payments?)"},
    {"add broker payment 3 to=10.9.0.23:9092",
	"1 broker payment/3: cluster: there is no cluster payment (did you "
	"mean payments?)"},
    {"del broker payments 7",
	"1 broker payments/7: : cluster payments has no broker 7"},
    {"set listener payments publik base=9200",
	"1 listener payments/publik: : there is no listener publik in its "
	"cluster (did you mean public?)"},
    {"add cluster x; del cluster payments",
	"2 cluster payments: : delete first: broker payments/1, broker "
	"payments/2, listener payments/public"},
    {"add cluster x same=payment",
	"1 cluster x: same_as: there is no cluster payment (did you mean "
	"payments?)"},
    {"add cluster x same=x", "1 cluster x: same_as: there is no cluster x"},
    {"set cluster payments same=payments",
	"1 cluster payments: same_as: that is the cluster itself"},
    {"add cluster x same=payments; set cluster payments same=x",
	"2 cluster payments: same_as: that one is the same as this one "
	"already"},
    {"add cluster x same=payments; add cluster y;"
     "set cluster payments same=y",
	"3 cluster payments: same_as: cluster x is the same as this one: "
	"first name for that one, too, what it is the same as"},
    {"set broker payments 1 same=payments",
	"1 broker payments/1: same_as: is said of clusters only"},
    {"del listener payments public; del broker payments 1;"
     "del broker payments 2; add cluster x same=payments;"
     "add cluster y same=payments; del cluster payments",
	"6 cluster payments: : delete first: cluster x, cluster y"},
    {"add cluster x same=payments; add cluster x may=1 same=",
	"2 cluster x: : exists already, and differs"},
    {"add cluster", "1 cluster ?: name: missing"},
    {"add broker payments", "1 broker payments/0: node_id: missing"},
    {"add broker", "1 broker ?/0: node_id: missing"},
    {"add listener payments", "1 listener payments/?: name: missing"},
    {"add endpoint payments x",
	"1 endpoint x: : objects of kind 5 are not for commands"},
    {"add cluster -x", "1 cluster -x: name: must not start with '-'"},
    {"add port back device=eth2 address=10.9.0.0/24",
	"1 port back: address: 10.9.0.0/24 is the network address of its "
	"network"},
    {"add listener payments in vip=10.9.0.101:9092 mode=inline",
	"1 listener payments/in: vip: an inline listener has none: clients "
	"connect to the brokers themselves"},
    {"add listener payments in mode=inline source=translate",
	"1 listener payments/in: source_address: an inline listener changes "
	"no address: preserve"},
    {"set listener payments public mode=inline",
	"1 listener payments/public: mode: a listener stays what it is: "
	"delete it, then add it anew"},
    {"set port front peer=back",
	"1 port front: peer: a port has a peer from the beginning, or never: "
	"delete it, then add it anew"},
    {"add port l device=eth2 peer=r",
	"1 port l: peer: there is no port r: the two of a pair come and go in "
	"one change"},
    {"add port l device=eth2 peer=r; add port r device=eth3 peer=l loss=wire",
	"2 port r: on_loss: port l says drop, its peer r says wire: set both "
	"in one change"},
    {"add listener payments other vip=10.9.0.100:9092 base=9300",
	"1 listener payments/other: vip: 10.9.0.100:9092 is already the "
	"endpoint of listener payments/public"},
    {"add cluster x; add listener payments other vip=10.9.0.101:9092;"
     "add listener payments other vip=10.9.0.102:9092",
	"3 listener payments/other: : exists already"},
};

START_TEST(what_does_not_fit_is_refused)
{
	check_refused(refusals[_i].text, refusals[_i].wanted);
}
END_TEST

static uint32_t
root_of(const char *name)
{
	return lp_config_root(&config,
	    lp_config_find_name(&config, LP_OBJECT_CLUSTER, 0, name)->id);
}

START_TEST(what_is_the_same_is_found_in_one_step)
{
	uint32_t payments = root_of("payments");

	apply(&config, &next_id,
	    "add cluster x same=payments; add cluster y same=x;"
	    "add cluster y same=payments may=1;"
	    "set cluster payments name=paid;"
	    "add broker x 1 to=10.9.0.21:9093");
	ck_assert_uint_eq(root_of("x"), payments);
	ck_assert_uint_eq(root_of("y"), payments);
	ck_assert_uint_eq(root_of("paid"), payments);
	/* What is not said stays. */
	apply(&config, &next_id, "set cluster y name=z; set cluster x same=");
	ck_assert_uint_eq(root_of("z"), payments);
	ck_assert_uint_ne(root_of("x"), payments);
	/* Now it stands for itself: others may be it. */
	apply(&config, &next_id,
	    "set cluster z same=x; set cluster paid same=x; del cluster z");
	ck_assert_uint_eq(root_of("paid"), root_of("x"));
}
END_TEST

START_TEST(a_name_beyond_the_limit_is_refused)
{
	char text[128] = "add cluster ";

	memset(text + 12, 'a', 64);
	check_refused(text,
	    "1 cluster aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaa: name: longer than 63 characters");
}
END_TEST

START_TEST(every_broker_has_an_endpoint_on_every_listener)
{
	char *text = dump(&config);

	ck_assert_str_eq(text,
	    "1 port front \n"
	    "2 cluster payments \n"
	    "3 broker payments/1 10.9.0.21:9092\n"
	    "4 broker payments/2 10.9.0.22:9092\n"
	    "5 listener payments/public 10.9.0.100:9092\n"
	    "6 endpoint payments/public/1 10.9.0.100:9101\n"
	    "7 endpoint payments/public/2 10.9.0.100:9102\n");
	free(text);
}
END_TEST

static const struct {
	const char *text;
	const char *endpoints; /* id and port of each */
} endpoint_rows[] = {
    /* kept when others come or go */
    {"add broker payments 9 to=10.9.0.29:9092", "6:9101 7:9102 9:9109 "},
    {"del broker payments 1", "7:9102 "},
    {"set broker payments 1 to=10.9.0.99:9092", "6:9101 7:9102 "},
    {"set port front side=both", "6:9101 7:9102 "},
    {"set listener payments public name=new", "6:9101 7:9102 "},
    /* moved with their listener, ids kept */
    {"set listener payments public base=9200", "6:9201 7:9202 "},
    {"set listener payments public vip=10.9.0.101:9092", "6:9101 7:9102 "},
    /* gone with it */
    {"del listener payments public", ""},
    {"del broker payments 1; del broker payments 2", ""},
    /* another object, though of the same name */
    {"del broker payments 2; add broker payments 2 to=10.9.0.22:9092",
	"6:9101 9:9102 "},
    /* the default base: next to the bootstrap endpoint */
    {"add listener payments b vip=10.9.0.102:9092",
	"6:9101 7:9102 9:9094 10:9095 "},
};

START_TEST(endpoints_stay_where_they_are)
{
	char found[256] = "";
	size_t first, count, len = 0;

	apply(&config, &next_id, endpoint_rows[_i].text);
	count = lp_config_range(&config, LP_OBJECT_ENDPOINT, &first);
	for (size_t i = first; i < first + count; i++)
		len += (size_t)snprintf(found + len, sizeof(found) - len,
		    "%u:%u ", config.objects[i].id,
		    config.objects[i].endpoint.vip.port);
	ck_assert_str_eq(found, endpoint_rows[_i].endpoints);
}
END_TEST

/* Its endpoints are where the brokers are, and go where they go. */
START_TEST(inline_ports_and_listeners_are_changed_like_others)
{
	char *text;

	apply(&config, &next_id,
	    "add port left device=eth2 peer=right;"
	    "add port right device=eth3 peer=left;"
	    "add listener payments seen mode=inline");
	apply(&config, &next_id, "set port left name=links");
	ck_assert_str_eq(
	    lp_config_find_name(&config, LP_OBJECT_PORT, 0, "right")->port.peer,
	    "links");
	apply(&config, &next_id,
	    "set port links loss=wire; set port right loss=wire;"
	    "set broker payments 2 to=10.9.0.23:9093;"
	    "del broker payments 1");
	/* Another device on the one side. */
	apply(&config, &next_id,
	    "del port right; add port new device=eth4 peer=links loss=wire;"
	    "set port links peer=new");
	text = dump(&config);
	ck_assert_str_eq(text,
	    "1 port front \n"
	    "8 port links \n"
	    "13 port new \n"
	    "2 cluster payments \n"
	    "4 broker payments/2 10.9.0.23:9093\n"
	    "5 listener payments/public 10.9.0.100:9092\n"
	    "10 listener payments/seen [::]:0\n"
	    "7 endpoint payments/public/2 10.9.0.100:9102\n"
	    "12 endpoint payments/seen/2 10.9.0.23:9093\n");
	free(text);
	/* The very same is no change. */
	apply(
	    &config, &next_id, "add listener payments seen mode=inline may=1");
	apply(&config, &next_id, "del port links; del port new");
}
END_TEST

START_TEST(a_cluster_goes_with_all_of_its_own_in_one_transaction)
{
	apply(&config, &next_id,
	    "del listener payments public; del broker payments 1;"
	    "del broker payments 2; del cluster payments");
	ck_assert_uint_eq(config.count, 1);
}
END_TEST

START_TEST(adding_the_very_same_changes_nothing)
{
	uint64_t digest = lp_config_digest(&config);
	uint32_t id = next_id;

	apply(&config, &next_id,
	    "add port front device=eth1 address=10.9.0.10/24 "
	    "gateway=10.9.0.1 may=1; add cluster payments may=1;"
	    "add broker payments 1 to=10.9.0.21:9092 may=1;"
	    "add listener payments public vip=10.9.0.100:9092 base=9100 may=1");
	ck_assert_uint_eq(lp_config_digest(&config), digest);
	ck_assert_uint_eq(next_id, id);
}
END_TEST

START_TEST(an_owner_stays_until_another_is_named)
{
	apply(&config, &next_id,
	    "set cluster payments owner=team-a;"
	    "add cluster payments may=1;"
	    "add cluster payments may=1 owner=team-a;"
	    "set cluster payments discover=1;"
	    "add rule r priority=1 match= action=allow owner=edge;"
	    "set rule r priority=2");
	ck_assert_str_eq(
	    lp_config_find_name(&config, LP_OBJECT_CLUSTER, 0, "payments")
		->owner,
	    "team-a");
	ck_assert_str_eq(
	    lp_config_find_name(&config, LP_OBJECT_RULE, 0, "r")->owner,
	    "edge");
	apply(&config, &next_id, "set cluster payments owner=");
	ck_assert_str_eq(
	    lp_config_find_name(&config, LP_OBJECT_CLUSTER, 0, "payments")
		->owner,
	    "");
}
END_TEST

START_TEST(deleting_what_is_not_there_may_be_no_error)
{
	uint64_t digest = lp_config_digest(&config);

	apply(&config, &next_id,
	    "del port nix if=1; del cluster nix if=1; del broker nix 1 if=1;"
	    "del broker payments 8 if=1; del listener nix nix if=1;"
	    "del listener payments nix if=1");
	ck_assert_uint_eq(lp_config_digest(&config), digest);
}
END_TEST

START_TEST(a_set_changes_only_what_it_carries)
{
	const struct lp_object *port;

	apply(&config, &next_id,
	    "set port front address=10.9.0.11/24,10.9.0.12/24");
	port = lp_config_find_name(&config, LP_OBJECT_PORT, 0, "front");
	ck_assert_str_eq(port->port.device, "eth1");
	ck_assert_uint_eq(port->port.address_count, 2);
	ck_assert(!lp_ip_is_none(&port->port.gateway_v4));
	apply(&config, &next_id, "set port front gateway=none");
	port = lp_config_find_name(&config, LP_OBJECT_PORT, 0, "front");
	ck_assert_uint_eq(port->port.address_count, 2);
	ck_assert(lp_ip_is_none(&port->port.gateway_v4));
}
END_TEST

START_TEST(a_cluster_can_be_renamed)
{
	apply(&config, &next_id, "set cluster payments name=money");
	ck_assert_uint_eq(
	    lp_config_find_name(&config, LP_OBJECT_CLUSTER, 0, "money")->id, 2);
	check_refused("add cluster b; set cluster b name=money",
	    "2 cluster money: name: is already taken by cluster money");
}
END_TEST

START_TEST(fields_of_another_kind_are_refused)
{
	Lp__Pb__ControlRequest *request = make_transaction("add cluster x");
	struct lp_model_change change;

	request->transaction->operations[0]->kind = LP_OBJECT_PORT;
	ck_assert_int_eq(lp_model_apply(&change, &config, next_id,
			     request->transaction->operations, 1),
	    -EINVAL);
	ck_assert_str_eq(
	    change.error.why, "the fields are not those of a port");
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}
END_TEST

static const struct {
	const char *text;
	const char *note;
} notes[] = {
    {"add listener payments a vip=10.9.0.101:9092",
	"listener payments/a: source addresses: limits this listener to 1 x "
	"64512 connections a broker"},
    {"set port front address=10.9.0.10/24,10.9.0.11/24,fd00::1/64;"
     "add listener payments a vip=10.9.0.101:9092;"
     "set listener payments a base=9500",
	"listener payments/a: source addresses: limits this listener to 2 x "
	"64512 connections a broker"},
    {"add listener payments a vip=10.9.0.101:9092 source=preserve", NULL},
    {"add broker payments 3 to=10.9.0.23:9092", NULL},
};

START_TEST(a_note_says_what_source_addresses_limit)
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

START_TEST(more_than_the_limit_of_a_kind_is_refused)
{
	char text[64 * 16] = "";
	size_t len = 0;

	/* One is there: 63 more fit. */
	for (unsigned i = 0; i < LP_CLUSTERS_MAX - 1; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "add cluster c%u;", i);
	apply(&config, &next_id, text);
	check_refused("add cluster one-more",
	    "1 cluster one-more: : there are as many clusters as there may "
	    "be");
}
END_TEST

START_TEST(ids_run_out_without_being_used_again)
{
	next_id = UINT32_MAX - 1;
	apply(&config, &next_id, "add cluster last");
	ck_assert_uint_eq(next_id, UINT32_MAX);
	check_refused("add cluster x", "1 cluster x: : no ids are left");
}
END_TEST

/*
 * Whatever the commands: a result passes the check, every broker has its
 * endpoint, and what is refused leaves things as they were.
 */
START_TEST(random_transactions_never_break_a_configuration)
{
	static const char *const words[] = {
	    "add cluster a",
	    "add cluster b",
	    "del cluster a",
	    "set cluster a name=b",
	    "del cluster b if=1",
	    "add broker a 1 to=10.9.0.21:9092",
	    "add broker a 2 to=10.9.0.22:9092 may=1",
	    "add broker b 1 to=10.9.0.21:9092",
	    "del broker a 1 if=1",
	    "set broker a 2 to=10.9.0.31:9092",
	    "del broker b 1",
	    "add listener a x vip=10.9.0.101:9092 base=9093",
	    "add listener a y vip=10.9.0.101:9192 base=9193",
	    "add listener b x vip=10.9.0.101:9095",
	    "set listener a x base=9192",
	    "set listener a x base=65535",
	    "set listener a y vip=10.9.0.102:9092",
	    "del listener a x if=1",
	    "del listener a y",
	    "del listener b x if=1",
	    "set port front side=client",
	    "set port front side=both",
	    "set port front address=10.9.0.101/24",
	    "del port front",
	    "add port front device=eth1 address=10.9.0.10/24",
	    "add port back device=eth2 address=10.8.0.10/24",
	    "del port back",
	};
	unsigned seed = 20, done = 0;
	struct lp_config_error error;

	for (unsigned round = 0; round < 5000; round++) {
		Lp__Pb__ControlRequest *request;
		struct lp_model_change change;
		char text[256] = "";

		for (unsigned i = rand_r(&seed) % 3 + 1; i > 0; i--) {
			unsigned word = (unsigned)rand_r(&seed) %
			    (sizeof(words) / sizeof(words[0]));

			strcat(strcat(text, words[word]), ";");
		}
		request = make_transaction(text);
		if (lp_model_apply(&change, &config, next_id,
			request->transaction->operations,
			request->transaction->n_operations) == 0) {
			ck_assert_msg(
			    lp_config_check(&change.config, &error) == 0,
			    "seed 20, %s: %s", text, error.why);
			lp_config_fini(&config);
			config = change.config;
			lp_config_init(&change.config);
			next_id = change.next_id;
			done++;
		} else {
			ck_assert_msg(change.error.why[0] != '\0', "%s", text);
		}
		lp_model_change_fini(&change);
		lp__pb__control_request__free_unpacked(request, NULL);
	}
	ck_assert_uint_gt(done, 500); /* they are not all nonsense */
	ck_assert_uint_lt(done, 4500);
}
END_TEST

static char *
make_many(unsigned brokers, unsigned listeners)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("add cluster big", out);
	for (unsigned i = 0; i < brokers; i++)
		fprintf(out, ";add broker big %u to=10.9.1.%u:9092", i, i + 1);
	for (unsigned i = 0; i < listeners; i++)
		fprintf(
		    out, ";add listener big l%u vip=10.9.2.%u:9092", i, i + 1);
	fclose(out);
	return text;
}

START_TEST(as_many_endpoints_as_there_may_be)
{
	char *text = make_many(64, 64);
	size_t first;

	apply(&config, &next_id,
	    "del listener payments public;"
	    "set port front address=10.9.0.10/16");
	apply(&config, &next_id, text);
	free(text);
	ck_assert_uint_eq(lp_config_range(&config, LP_OBJECT_ENDPOINT, &first),
	    LP_ENDPOINTS_MAX);
	check_refused("add broker big 64 to=10.9.1.65:9092",
	    "1 listener big/l0: : would need more than 4096 endpoints: one for "
	    "each broker of its cluster");
	/* Chosen or not: one broker for another. */
	apply(&config, &next_id,
	    "del broker big 0; add broker big 64 to=10.9.1.65:9092 "
	    "at=l0@10.9.3.1:1");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("model");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, what_does_not_fit_is_refused, 0,
	    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tcase, what_is_the_same_is_found_in_one_step);
	tcase_add_test(tcase, a_name_beyond_the_limit_is_refused);
	tcase_add_test(tcase, every_broker_has_an_endpoint_on_every_listener);
	tcase_add_loop_test(tcase, endpoints_stay_where_they_are, 0,
	    sizeof(endpoint_rows) / sizeof(endpoint_rows[0]));
	tcase_add_test(
	    tcase, inline_ports_and_listeners_are_changed_like_others);
	tcase_add_test(
	    tcase, a_cluster_goes_with_all_of_its_own_in_one_transaction);
	tcase_add_test(tcase, adding_the_very_same_changes_nothing);
	tcase_add_test(tcase, an_owner_stays_until_another_is_named);
	tcase_add_test(tcase, deleting_what_is_not_there_may_be_no_error);
	tcase_add_test(tcase, a_set_changes_only_what_it_carries);
	tcase_add_test(tcase, a_cluster_can_be_renamed);
	tcase_add_test(tcase, fields_of_another_kind_are_refused);
	tcase_add_loop_test(tcase, a_note_says_what_source_addresses_limit, 0,
	    sizeof(notes) / sizeof(notes[0]));
	tcase_add_test(tcase, more_than_the_limit_of_a_kind_is_refused);
	tcase_add_test(tcase, ids_run_out_without_being_used_again);
	tcase_add_test(tcase, random_transactions_never_break_a_configuration);
	tcase_add_test(tcase, as_many_endpoints_as_there_may_be);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
