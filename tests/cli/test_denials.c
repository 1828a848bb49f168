/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denials, from the command line to what is printed, against the files in
 * golden/ where that is long (see test_output.c).
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/view_denials.h"
#include "tests/cli/support.h"

enum { DENIALS = 6 };

static void
add_frame(struct support_bytes *bytes, const char *dataplane,
    Lp__Pb__Denial **denials, size_t count, uint64_t lost, bool more)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__DenialListReply body = LP__PB__DENIAL_LIST_REPLY__INIT;
	Lp__Pb__DenialsReply list = LP__PB__DENIALS_REPLY__INIT;

	list.log = 77;
	list.last = 9;
	list.has_lost = true;
	list.lost = lost;
	list.denials = denials;
	list.n_denials = count;
	body.dataplane = (char *)dataplane;
	body.denials = &list;
	reply.cookie = SUPPORT_COOKIE;
	reply.has_more = reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_DENIALS;
	reply.denials = &body;
	support_bytes_add(bytes, &reply);
}

static void
make_denials(Lp__Pb__Denial denials[DENIALS], Lp__Pb__Denial *list[DENIALS])
{
	static uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, 10, 9, 0, 7};
	static Lp__Pb__Endpoint client = LP__PB__ENDPOINT__INIT;
	static const struct {
		const char *action, *rule;
		uint32_t rule_id;
		int32_t api_key;
		const char *api, *client_id, *principal, *topic, *group;
		uint64_t left_out;
	} rows[DENIALS] = {
	    {"deny", "secrets", 7, 0, "Produce", "web", "alice", "secret.a",
		NULL, 0},
	    {"reset", "scan", 8, -1, NULL, NULL, NULL, NULL, NULL, 0},
	    {"deny", NULL, 9, 8, "OffsetCommit", "", NULL, NULL, "g\\x0a", 0},
	    {"left_out", "secrets", 7, -1, NULL, NULL, NULL, NULL, NULL, 37},
	    {"unjudged", NULL, 0, 999, NULL, "web", NULL, NULL, NULL, 0},
	    {"left_out", NULL, 0, -1, NULL, NULL, NULL, NULL, NULL, 2000},
	};

	client.ip.data = ip;
	client.ip.len = sizeof(ip);
	client.port = 51000;
	for (unsigned i = 0; i < DENIALS; i++) {
		Lp__Pb__Denial *denial = &denials[i];

		lp__pb__denial__init(denial);
		denial->number = i + 1;
		denial->time_ns = SUPPORT_NOW_NS + i * UINT64_C(1000000000);
		denial->action = (char *)rows[i].action;
		denial->has_shadow = true;
		denial->shadow = i == 2;
		denial->has_rule_id = rows[i].rule_id != 0;
		denial->rule_id = rows[i].rule_id;
		denial->rule = (char *)rows[i].rule;
		denial->has_left_out = rows[i].left_out != 0;
		denial->left_out = rows[i].left_out;
		list[i] = denial;
		if (denial->has_left_out)
			continue;
		denial->client = &client;
		denial->has_listener_id = true;
		denial->listener_id = 4;
		denial->cluster = (char *)(i < 4 ? "payments" : NULL);
		denial->listener = (char *)(i < 4 ? "public" : NULL);
		denial->has_node_id = i < 4;
		denial->node_id = 1;
		denial->has_api_key = denial->has_api_version =
		    rows[i].api_key >= 0;
		denial->api_key = rows[i].api_key;
		denial->api_version = 9;
		denial->api = (char *)rows[i].api;
		denial->client_id = (char *)rows[i].client_id;
		denial->principal = (char *)rows[i].principal;
		denial->topic = (char *)rows[i].topic;
		denial->group = (char *)rows[i].group;
	}
}

/* In two frames; of two dataplanes, the second one's lie between. */
static void
make_reply(struct support_bytes *bytes, bool two)
{
	Lp__Pb__Denial denials[DENIALS], *list[DENIALS];

	bytes->len = 0;
	make_denials(denials, list);
	if (!two) {
		add_frame(bytes, "edge-1", list, 4, 0, true);
		add_frame(bytes, "edge-1", list + 4, 2, 0, false);
		return;
	}
	add_frame(bytes, "edge-1", &list[0], 1, 0, true);
	add_frame(bytes, "edge-2", &list[1], 1, 0, true);
	add_frame(bytes, "edge-1", &list[2], 1, 0, false);
}

static void
check_page(size_t page, const char *ending)
{
	static struct support_bytes bytes;
	static const char *const names[] = {"denials", "denials-two"};

	make_reply(&bytes, page == 1);
	support_page(&bytes, names[page], "denials secrets --limit 9", ending);
}

START_TEST(text_is_as_it_was)
{
	check_page((size_t)_i, "txt");
}
END_TEST

START_TEST(json_is_as_it_was)
{
	check_page((size_t)_i, "json");
}
END_TEST

static const char *const wrong[][2] = {
    {"denials --limit -1", "--limit: \"-1\" is no number"},
    {"denials --limit x", "--limit: \"x\" is no number"},
    {"denials --follow=2", "--follow"},
    {"denials --watch", "--watch"},
};
enum { WRONG = sizeof(wrong) / sizeof(wrong[0]) };

START_TEST(wrong_words_are_named)
{
	support_misuse(wrong[_i][0], wrong[_i][1]);
}
END_TEST

/* Each once, and its titles, too; whatever goes wrong between. */
static void
follow(const char *text, struct support_output *out)
{
	static struct support_bytes rounds[5];
	Lp__Pb__Denial denials[DENIALS], *list[DENIALS];
	struct support_output err;
	struct lp_error error;

	make_denials(denials, list);
	for (unsigned i = 0; i < 5; i++)
		rounds[i].len = 0;
	add_frame(&rounds[0], "edge-1", list, 2, 0, false);
	add_frame(&rounds[1], "edge-1", NULL, 0, 0, false);
	support_reply_failure(&rounds[2], LP__PB__FAILURE__RESULT__UNREACHABLE,
	    0, NULL, NULL, "no dataplane is connected");
	add_frame(&rounds[3], "edge-1", list + 2, 2, 5, false);
	support_reply_failure(&rounds[4], LP__PB__FAILURE__RESULT__REFUSED, 0,
	    NULL, NULL, "there is no rule x");
	support_output_open(out);
	support_output_open(&err);
	ck_assert_int_eq(
	    support_run(text, rounds, 5, out, &err, &error), LP_EXIT_REFUSED);
	ck_assert_str_eq(support_output_text(&err),
	    "lpctl: no dataplane is connected; trying again\n");
	support_output_close(&err);
}

START_TEST(following_goes_on)
{
	struct support_output out;

	follow("denials -f", &out);
	support_golden("denials-follow", "txt", support_output_text(&out));
	support_output_close(&out);
	follow("-o json denials --follow", &out);
	support_golden("denials-follow", "json", support_output_text(&out));
	support_output_close(&out);
}
END_TEST

START_TEST(what_was_read_is_remembered)
{
	static struct lp_denials_past past;
	static struct support_bytes bytes;
	struct lp_denials_view view;
	struct lp_replies replies;
	struct lp_error error;

	make_reply(&bytes, true);
	support_replies(&replies, &bytes);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    lp_view_denials_init(&view, &replies, &past, &error),
		    LP_EXIT_OK);
		ck_assert_uint_eq(view.count, 3);
		ck_assert_uint_eq(past.count, 2);
		ck_assert_str_eq(past.read[0].dataplane, "edge-1");
		ck_assert_str_eq(past.read[1].dataplane, "edge-2");
		ck_assert_uint_eq(past.read[1].log, 77);
		ck_assert_uint_eq(past.read[1].last, 9);
		ck_assert(lp_view_denials_mixed(&view));
		lp_view_denials_fini(&view);
	}
	lp_view_denials_forget(&past);
	lp_client_replies_free(&replies);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("denials");
	TCase *tcase = tcase_create("denials");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, text_is_as_it_was, 0, 2);
	tcase_add_loop_test(tcase, json_is_as_it_was, 0, 2);
	tcase_add_loop_test(tcase, wrong_words_are_named, 0, WRONG);
	tcase_add_test(tcase, following_goes_on);
	tcase_add_test(tcase, what_was_read_is_remembered);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
