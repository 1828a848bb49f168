/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is wrong with a transaction, in one go.
 */
#include "transaction.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

struct told {
	char text[4096];
	size_t len;
	unsigned count;
};

/* "2 port b: address: WHY", one a line; what lacks in brackets. */
static void
tell(void *arg, const struct lp_model_error *error)
{
	struct told *told = arg;

	told->count++;
	told->len += (size_t)snprintf(told->text + told->len,
	    sizeof(told->text) - told->len, "%u %s: %s", error->place,
	    error->object, error->field);
	if (error->lacks != 0)
		told->len += (size_t)snprintf(told->text + told->len,
		    sizeof(told->text) - told->len, " [%s %s]",
		    lp_object_kind_name(error->lacks), error->lacking);
	told->len += (size_t)snprintf(
	    told->text + told->len, sizeof(told->text) - told->len, "\n");
	ck_assert_uint_lt(told->len, sizeof(told->text));
}

/* On an empty configuration. */
static void
check(struct told *told, size_t *notes, const char *text)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);
	struct lp_model_change change;
	struct lp_config none;

	lp_config_init(&none);
	*told = (struct told){0};
	ck_assert_int_eq(
	    lp_model_check(&change, &none, 1, request->transaction->operations,
		request->transaction->n_operations, tell, told),
	    0);
	if (notes != NULL)
		*notes = change.note_count;
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}

#define PORTS                                                                  \
	"add port front device=eth1 address=10.9.0.10/24 side=client;"         \
	"add port back device=eth2 address=10.0.2.10/24 side=broker;"
#define CLUSTER                                                                \
	"add cluster c; add listener c l vip=10.9.0.100:9092;"                 \
	"add broker c 1 to=10.0.2.11:9092;"

static const struct {
	const char *commands, *told;
} rows[] = {
    {PORTS CLUSTER, ""},
    {PORTS CLUSTER "add rule r priority=1 match=api=Fetch action=observe", ""},
    /* Each by itself, and the whole. */
    {"add port a device=eth1 address=10.9.0.0/24;"
     "add port b device=eth1 address=10.8.0.10/24;"
     "add port d device=eth1 address=10.7.0.10/24;"
     "add port b device=eth3 address=10.6.0.10/24;"
     "add port e device=eth4 address=10.8.0.11/24",
	"1 port a: address\n4 port b: \n3 port d: device\n5 port e: address\n"},
    /* What is refused is missed by others, who tell so. */
    {PORTS "add cluster -; add listener - l vip=10.9.0.100:9092;"
	   "add broker - 1 to=10.0.2.11:9092; add cluster c;"
	   "add listener c l vip=224.0.0.1:9092;"
	   "add rule r priority=1 match=listener=c/l action=reset;"
	   "add rule s priority=1 match=cluster=x action=reset",
	"3 cluster -: name\n4 listener -/l: cluster [cluster -]\n"
	"5 broker -/1: cluster [cluster -]\n7 listener c/l: vip\n"
	"8 rule r: match [listener c/l]\n9 rule s: match [cluster x]\n"},
    /* A listener owes many rules one word. */
    {CLUSTER "add rule r priority=1 match=api=Fetch action=deny;"
	     "add rule s priority=2 match=api=Fetch action=deny;"
	     "add rule t priority=3 match=api=Heartbeat+topic=x action=deny",
	"6 rule t: match\n2 listener c/l: unjudged\n"},
    /* Ports that are not there lead nowhere: not that of a broken one. */
    {"add port back device=eth2 address=10.0.3.10/24 side=broker;" CLUSTER
     "add broker c 2 to=10.0.2.12:9092",
	"4 broker c/1: endpoint [port ]\n5 broker c/2: endpoint [port ]\n"},
    {"add port back device=eth2 address=10.0.3.0/24 side=broker;"
     "add port other device=eth3 address=10.0.4.10/24 side=broker;" CLUSTER,
	"1 port back: address\n"},
    {"add port left device=eth1 peer=right;"
     "add port right device=eth1 peer=left",
	"2 port right: device\n1 port left: peer [port right]\n"},
    /* Endpoints are their listener's. */
    {PORTS CLUSTER "add listener c m vip=10.9.0.100:9094",
	"4 endpoint c/l/1: vip\n"},
    {PORTS CLUSTER "add broker c 1 to=10.0.2.12:9092; del broker c 7;"
		   "set cluster d name=e",
	"6 broker c/1: \n7 broker c/7: \n8 cluster d:  [cluster d]\n"},
};

START_TEST(all_errors_are_told)
{
	struct told told;

	check(&told, NULL, rows[_i].commands);
	ck_assert_str_eq(told.text, rows[_i].told);
}
END_TEST

/* What lp_model_apply() refuses first is among them, and what it takes, too. */
START_TEST(it_refuses_what_is_refused)
{
	Lp__Pb__ControlRequest *request = make_transaction(rows[_i].commands);
	struct lp_model_change change;
	struct lp_config none;
	int err;

	lp_config_init(&none);
	err =
	    lp_model_apply(&change, &none, 1, request->transaction->operations,
		request->transaction->n_operations);
	ck_assert_int_eq(err == 0, rows[_i].told[0] == '\0');
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}
END_TEST

/* But not how many connections ports are good for, which may not be all. */
START_TEST(notes_are_made_of_what_has_passed)
{
	struct told told;
	size_t notes;

	check(&told, &notes,
	    PORTS CLUSTER
	    "add rule r priority=2 match=src=10.0.0.0/8 action=allow;"
	    "add rule s priority=1 match=src=10.1.0.0/16 action=reset");
	ck_assert_str_eq(told.text, "");
	ck_assert_uint_eq(notes, 1);
	check(&told, &notes, PORTS CLUSTER "add cluster -");
	ck_assert_uint_eq(told.count, 1);
	ck_assert_uint_eq(notes, 0);
}
END_TEST

/* Many objects are wrong: a hundred of them are told, and that is the end. */
START_TEST(what_is_wrong_with_the_whole_is_bounded)
{
	static char text[64 << 10];
	size_t len = 0;
	struct told told;

	len += (size_t)snprintf(text, sizeof(text), "add cluster c;");
	for (unsigned i = 0; i < 150; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "add broker c %u to=10.0.2.11:9092;", i);
	text[len - 1] = '\0';
	check(&told, NULL, text);
	ck_assert_uint_eq(told.count, 100);
}
END_TEST

/* Those that are too many are told, and what is of them is not. */
START_TEST(what_is_too_much_is_told)
{
	static char text[64 << 10];
	size_t len = 0;
	struct told told;

	for (unsigned i = 0; i < LP_CLUSTERS_MAX + 2; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "add cluster c%u; add broker c%u 1 to=10.0.2.%u:9092;", i,
		    i, i + 1);
	text[len - 1] = '\0';
	check(&told, NULL, text);
	ck_assert_str_eq(told.text, "129 cluster c64: \n131 cluster c65: \n");
}
END_TEST

/* All places taken: what comes may come before what goes. */
START_TEST(a_full_table_takes_one_for_another)
{
	static char text[4 << 10];
	size_t len = 0;
	struct told told;
	uint32_t next_id = 1;
	struct lp_config config;

	lp_config_init(&config);
	for (unsigned i = 0; i <= LP_CLUSTERS_MAX; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "add cluster c%u;", i);
	(void)snprintf(text + len, sizeof(text) - len, "del cluster c0");
	check(&told, NULL, text);
	ck_assert_str_eq(told.text, "");
	apply(&config, &next_id, text);
	ck_assert_uint_eq(config.count, LP_CLUSTERS_MAX);
	lp_config_fini(&config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("model_check");
	TCase *tcase = tcase_create("model_check");
	int count = sizeof(rows) / sizeof(rows[0]);
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, all_errors_are_told, 0, count);
	tcase_add_loop_test(tcase, it_refuses_what_is_refused, 0, count);
	tcase_add_test(tcase, notes_are_made_of_what_has_passed);
	tcase_add_test(tcase, what_is_wrong_with_the_whole_is_bounded);
	tcase_add_test(tcase, what_is_too_much_is_told);
	tcase_add_test(tcase, a_full_table_takes_one_for_another);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
