/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole daemon but its control socket, against a dataplane that the test
 * plays itself.
 */
#include "controld/session.h"
#include "fake.h"
#include "schema/schema.h"
#include "transaction.h"

#include <event2/buffer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(name) LP__PB__DATAPLANE_MESSAGE__BODY_##name
#define CODE(name) LP__PB__REJECTED__CODE__##name
#define RESULT(name) LP__PB__FAILURE__RESULT__##name

static struct world world;
static struct fake fake;

static void
start(void)
{
	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
}

static void
stop(void)
{
	fake_stop(&fake);
	world_stop(&world);
}

/* Sends a body of no fields. */
static void
ask(Lp__Pb__ControlRequest__BodyCase body)
{
	Lp__Pb__ControlRequest *request = make_request(body);

	request->cookie = 8;
	lp_session_request(world.session, 3, &world_peer, request);
}

/* ---- transactions ---- */

START_TEST(without_a_dataplane_it_is_stored_only)
{
	const Lp__Pb__TransactionReply *done;

	world_start(&world, &patient, 1);
	world_send(&world, basic, 10000);
	done = world_done(world_replies(&world, 1));
	ck_assert_uint_eq(done->generation, 2);
	ck_assert_uint_eq(done->applied, 0);
	ck_assert_uint_eq(done->connected, 0);
	ck_assert_uint_eq(done->n_notes, 2);
	ck_assert_str_eq(
	    done->notes[1], "no dataplane is connected: stored only");
	ck_assert_uint_eq(world.replies[0]->cookie, 7);
	world_stop(&world);
}
END_TEST

START_TEST(a_change_is_sent_as_a_delta_and_waited_for)
{
	const Lp__Pb__TransactionReply *done;
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	ck_assert(!pushed.full);
	ck_assert_uint_eq(pushed.base, 1);
	ck_assert_uint_eq(pushed.generation, 2);
	ck_assert_uint_eq(pushed.objects, 7);
	ck_assert_uint_eq(world.reply_count, 0);
	fake_applied(&fake, 2, pushed.digest);
	done = world_done(world_replies(&world, 1));
	ck_assert_uint_eq(done->generation, 2);
	ck_assert_uint_eq(done->applied, 1);
	ck_assert_uint_eq(done->connected, 1);
	ck_assert_uint_eq(done->n_notes, 1);
	/* The next: one is gone with its endpoint, one is new with its own. */
	world_send(&world,
	    "del broker payments 1; add broker payments 3 to=10.9.0.23:9092",
	    10000);
	pushed = fake_take_push(&fake);
	ck_assert(!pushed.full);
	ck_assert_uint_eq(pushed.objects, 4);
	ck_assert_uint_eq(pushed.gone, 2);
	fake_applied(&fake, 3, pushed.digest);
	ck_assert_uint_eq(world_done(world_replies(&world, 2))->generation, 3);
	stop();
}
END_TEST

START_TEST(a_delta_that_does_not_fit_is_followed_by_the_whole)
{
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	ck_assert(!fake_take_push(&fake).full);
	fake_rejected(
	    &fake, 2, _i == 0 ? CODE(DIGEST) : CODE(BASE), NULL, NULL, NULL);
	pushed = fake_take_push(&fake);
	ck_assert(pushed.full);
	ck_assert_uint_eq(pushed.generation, 2);
	fake_applied(&fake, 2, pushed.digest);
	ck_assert_uint_eq(world_done(world_replies(&world, 1))->applied, 1);
	stop();
}
END_TEST

START_TEST(a_late_answer_is_followed_by_the_newest_generation)
{
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, "add cluster a", 0);
	world_send(&world, "add cluster b", 0);
	world_send(&world, "add cluster c", 10000);
	world_replies(&world, 2);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 2);
	fake_applied(&fake, 2, pushed.digest);
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	ck_assert(pushed.full);
	fake_applied(&fake, 4, pushed.digest);
	ck_assert_uint_eq(world_done(world_replies(&world, 3))->generation, 4);
	stop();
}
END_TEST

START_TEST(changed_bytes_of_a_request_do_no_harm)
{
	Lp__Pb__ControlRequest *request = make_transaction(basic);
	size_t len = lp__pb__control_request__get_packed_size(request);
	uint8_t *good = malloc(len), *bytes = malloc(len);
	unsigned seed = 3, understood = 0;

	lp__pb__control_request__pack(request, good);
	lp__pb__control_request__free_unpacked(request, NULL);
	world_start(&world, &patient, 0);
	for (unsigned round = 0; round < 3000; round++) {
		memcpy(bytes, good, len);
		for (unsigned i = rand_r(&seed) % 4 + 1; i > 0; i--)
			bytes[(unsigned)rand_r(&seed) % len] ^=
			    (uint8_t)(1 << rand_r(&seed) % 8);
		request = lp_message_unpack_request(bytes, len);
		if (request == NULL)
			continue;
		understood++;
		lp_session_request(world.session, 1, &world_peer, request);
		event_base_loop(world.base, EVLOOP_NONBLOCK);
		while (world.reply_count > 0)
			lp__pb__control_reply__free_unpacked(
			    world.replies[--world.reply_count], NULL);
	}
	ck_assert_uint_gt(understood, 100);
	world_stop(&world);
	free(good);
	free(bytes);
}
END_TEST

START_TEST(transactions_wait_for_their_turn)
{
	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	/* One under way, 64 that wait, and one too many. */
	world_send(&world, "add cluster first", 10000);
	fake_take(&fake, BODY(BEGIN));
	for (unsigned i = 0; i <= 64; i++)
		world_send(&world, "add cluster c may=1", 10000);
	ck_assert_str_eq(world_failure(world_replies(&world, 1))->text,
	    "64 transactions wait already; try again later");
	fake_take(&fake, BODY(OBJECT));
	fake_take(&fake, BODY(END));
	ck_assert_uint_eq(world.reply_count, 1);
	/* Of those that wait nothing is to be seen. */
	ask(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	ck_assert_uint_eq(world_replies(&world, 2)->show->generation, 2);
	stop();
}
END_TEST

START_TEST(nothing_new_makes_no_generation)
{
	const Lp__Pb__TransactionReply *done;
	struct pushed pushed;

	start();
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, basic, 10000);
	pushed = fake_take_push(&fake);
	fake_applied(&fake, 2, pushed.digest);
	world_done(world_replies(&world, 1));
	world_send(&world, "add cluster payments may=1", 10000);
	done = world_done(world_replies(&world, 2));
	ck_assert_uint_eq(done->generation, 2);
	ck_assert_uint_eq(done->applied, 1);
	stop();
}
END_TEST

START_TEST(a_refusal_names_command_object_and_field)
{
	const Lp__Pb__Failure *failure;

	world_start(&world, &patient, 0);
	world_send(
	    &world, "add cluster one; add broker two 1 to=10.0.0.1:1", 0);
	failure = world_failure(world_replies(&world, 1));
	ck_assert_int_eq(failure->result, RESULT(REFUSED));
	ck_assert_uint_eq(failure->place, 2);
	ck_assert_str_eq(failure->object, "broker two/1");
	ck_assert_str_eq(failure->field, "cluster");
	ck_assert_str_eq(failure->text, "there is no cluster two");
	world_stop(&world);
}
END_TEST

START_TEST(what_a_gone_client_had_waiting_is_not_done)
{
	world_start(&world, &patient, 0);
	world_send(&world, "add cluster a", 0);
	world_send(&world, "add cluster b", 0);
	lp_session_gone(world.session, 1);
	ask(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	world_send(&world, "add cluster c", 0);
	ck_assert_uint_eq(world_done(world_replies(&world, 2))->generation, 2);
	world_stop(&world);
}
END_TEST

/* ---- questions ---- */

START_TEST(show_has_every_object_in_order)
{
	unsigned objects = 0;
	char text[4096] = "";
	size_t len = 0;

	world_start(&world, &patient, 0);
	for (unsigned i = 0; i < 60; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "add cluster c%u;", i);
	world_send(&world, text, 0);
	world_replies(&world, 1);
	ask(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	ck_assert_uint_eq(world.reply_count, 3); /* two frames */
	for (unsigned i = 1; i < 3; i++) {
		const Lp__Pb__ControlReply *reply = world.replies[i];

		ck_assert_uint_eq(reply->cookie, 8);
		ck_assert_int_eq(reply->more, i == 1);
		ck_assert_uint_eq(reply->show->generation, 2);
		for (size_t j = 0; j < reply->show->n_objects; j++)
			ck_assert_uint_eq(
			    reply->show->objects[j]->id, ++objects);
	}
	ck_assert_uint_eq(objects, 60);
	world_stop(&world);
}
END_TEST

/* The newest first, in as many frames as it takes; a long text is cut. */
START_TEST(history_has_every_generation)
{
	enum { CHANGES = 20, LONG = 3000 };
	char text[2 * LONG + 64];
	uint64_t next = CHANGES + 1;

	world_start(&world, &patient, 0);
	for (int i = 1; i <= CHANGES; i++) {
		snprintf(text, sizeof(text), "add cluster c%d%*s", i,
		    i == CHANGES ? 2 * LONG : LONG, "");
		world_send(&world, text, 0);
		world_replies(&world, (unsigned)i);
	}
	ask(LP__PB__CONTROL_REQUEST__BODY_HISTORY);
	ck_assert_uint_eq(world.reply_count, CHANGES + 2); /* two frames */
	for (unsigned i = CHANGES; i < CHANGES + 2; i++) {
		const Lp__Pb__ControlReply *reply = world.replies[i];

		ck_assert_int_eq(reply->more, i == CHANGES);
		for (size_t j = 0; j < reply->history->n_generations; j++) {
			const Lp__Pb__StoredGeneration *row =
			    reply->history->generations[j];

			ck_assert_uint_eq(row->number, next);
			ck_assert_uint_ne(row->digest, 0);
			ck_assert_uint_ne(row->time_ns, 0);
			ck_assert_int_eq(row->cut, next == CHANGES + 1);
			if (next-- == 1)
				ck_assert_str_eq(
				    row->comment, "the database was made");
			else
				ck_assert_uint_ge(strlen(row->comment), LONG);
		}
	}
	ck_assert_uint_eq(next, 0);
	world_stop(&world);
}
END_TEST

/* Rules may be very many: who does not need them leaves them out. */
START_TEST(show_has_only_the_kinds_that_are_asked_for)
{
	static const struct {
		uint32_t kinds;
		size_t count;
		bool names; /* of rules alone, without their texts */
	} rows[] = {{1u << LP_OBJECT_RULE, 2, false},
	    {1u << LP_OBJECT_BROKER, 2, false},
	    {(1u << LP_OBJECT_RULE) - 1, 7, false}, {UINT32_MAX, 9, false},
	    {0, 0, false}, {1u << LP_OBJECT_RULE, 2, true},
	    {UINT32_MAX, 9, true}};
	const Lp__Pb__ShowReply *reply;
	Lp__Pb__ControlRequest *request =
	    make_request(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	char text[1024];

	world_start(&world, &patient, 0);
	snprintf(text, sizeof(text),
	    "%s;add rule a priority=1 match= action=observe;"
	    "add rule b priority=2 match= action=observe",
	    basic);
	world_send(&world, text, 0);
	world_replies(&world, 1);
	request->show->has_kinds = true;
	request->show->kinds = rows[_i].kinds;
	request->show->has_names = request->show->names = rows[_i].names;
	lp_session_request(world.session, 1, &world_peer, request);
	ck_assert_uint_eq(world.reply_count, 2);
	reply = world.replies[1]->show;
	ck_assert_uint_eq(reply->n_objects, rows[_i].count);
	ck_assert(!world.replies[1]->more);
	for (size_t i = 0; i < reply->n_objects; i++) {
		const Lp__Pb__Rule *rule = reply->objects[i]->rule;

		if (reply->objects[i]->body_case != LP__PB__OBJECT__BODY_RULE)
			continue;
		ck_assert_ptr_nonnull(rule->name);
		ck_assert(rule->has_priority);
		ck_assert((rule->match == NULL) == rows[_i].names);
		ck_assert((rule->action == NULL) == rows[_i].names);
	}
	world_stop(&world);
}
END_TEST

START_TEST(an_empty_configuration_is_shown_in_one_frame)
{
	world_start(&world, &patient, 0);
	ask(LP__PB__CONTROL_REQUEST__BODY_SHOW);
	ck_assert_uint_eq(world.reply_count, 1);
	ck_assert(!world.replies[0]->more);
	ck_assert_uint_eq(world.replies[0]->show->n_objects, 0);
	world_stop(&world);
}
END_TEST

START_TEST(another_control_protocol_is_told_so)
{
	Lp__Pb__ControlRequest *request = make_transaction("add cluster a");

	world_start(&world, &patient, 0);
	request->protocol = 2;
	request->cookie = 5;
	lp_session_request(world.session, 1, &world_peer, request);
	ck_assert_str_eq(world_failure(world_replies(&world, 1))->text,
	    "this lp-controld speaks control protocol 1, lpctl 2: bring both "
	    "to the same version");
	ck_assert_uint_eq(world.replies[0]->cookie, 5);
	world_stop(&world);
}
END_TEST

START_TEST(an_unknown_request_is_told_so)
{
	world_start(&world, &patient, 0);
	ask(LP__PB__CONTROL_REQUEST__BODY__NOT_SET);
	ck_assert_int_eq(
	    world_failure(world_replies(&world, 1))->result, RESULT(USAGE));
	world_stop(&world);
}
END_TEST

static const struct {
	const char *role;
	bool local;
	const char *says; /* NULL: he may */
} changers[] = {
    {"", true, NULL}, /* those whom the file system lets in */
    {"admin", false, NULL},
    {"operator", false, "the role of alice, operator, may not: transaction"},
    {"observer", false, "the role of alice, observer, may not: transaction"},
    {"dataplane", false, "alice, dataplane, may not: transaction"},
    {"controld", false, "alice, controld, may not: transaction"},
    {"none", false, "alice has no role"},
    {"", false, "alice has no role (see lpctl(8), ROLES)"},
    {"Admin", false, "alice has no role: \"Admin\" is none"},
    {"admin2", false, "alice has no role: \"admin2\" is none"},
};
enum { CHANGERS = sizeof(changers) / sizeof(changers[0]) };

START_TEST(from_afar_only_an_admin_may_change_anything)
{
	const struct lp_serve_peer peer = {.who = "alice",
	    .from = "192.0.2.7:51234",
	    .role = changers[_i].role,
	    .local = changers[_i].local};

	world_start(&world, &patient, 0);
	lp_session_request(
	    world.session, 1, &peer, make_transaction("add cluster a"));
	if (changers[_i].says == NULL) {
		world_done(world_replies(&world, 1));
	} else {
		const Lp__Pb__Failure *failure =
		    world_failure(world_replies(&world, 1));

		ck_assert_int_eq(failure->result, RESULT(REFUSED));
		ck_assert_msg(strstr(failure->text, changers[_i].says) != NULL,
		    "%s", failure->text);
		ck_assert_uint_eq(world_status_reply(&world)->generation, 1);
	}
	world_stop(&world);
}
END_TEST

START_TEST(the_version_is_told_to_everybody)
{
	world_start(&world, &patient, 0);
	ask(LP__PB__CONTROL_REQUEST__BODY_VERSION);
	ck_assert_uint_eq(
	    world_replies(&world, 1)->version->schema, lp_schema_count);
	world_stop(&world);
}
END_TEST

#define TEST(name) tcase_add_test(tcase, name)
#define LOOP(name, count) tcase_add_loop_test(tcase, name, 0, count)

int
main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("session");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	tcase_set_timeout(tcase, 60);
	TEST(without_a_dataplane_it_is_stored_only);
	TEST(a_change_is_sent_as_a_delta_and_waited_for);
	LOOP(a_delta_that_does_not_fit_is_followed_by_the_whole, 2);
	TEST(a_late_answer_is_followed_by_the_newest_generation);
	TEST(changed_bytes_of_a_request_do_no_harm);
	TEST(transactions_wait_for_their_turn);
	TEST(nothing_new_makes_no_generation);
	TEST(a_refusal_names_command_object_and_field);
	TEST(what_a_gone_client_had_waiting_is_not_done);
	TEST(show_has_every_object_in_order);
	TEST(history_has_every_generation);
	tcase_add_loop_test(
	    tcase, show_has_only_the_kinds_that_are_asked_for, 0, 7);
	TEST(an_empty_configuration_is_shown_in_one_frame);
	TEST(another_control_protocol_is_told_so);
	TEST(an_unknown_request_is_told_so);
	LOOP(from_afar_only_an_admin_may_change_anything, CHANGERS);
	TEST(the_version_is_told_to_everybody);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
