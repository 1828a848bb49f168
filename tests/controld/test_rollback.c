/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old generations: shown, brought back, and changes that come too late.
 */
#include "controld/store_content.h"
#include "database.h"
#include "fake.h"
#include "transaction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE(name) LP__PB__REJECTED__CODE__##name
#define RESULT(name) LP__PB__FAILURE__RESULT__##name

static struct world world;
static struct fake fake;

static void
start(void)
{
	world_start(&world, &patient, 0);
}

static void
stop(void)
{
	world_stop(&world);
}

static const Lp__Pb__Failure *
refused(void)
{
	return world_failure(world_replies(&world, world.reply_count + 1));
}

static const Lp__Pb__TransactionReply *
done(void)
{
	return world_done(world_replies(&world, world.reply_count + 1));
}

START_TEST(the_one_before_comes_back)
{
	uint64_t digest;

	start();
	world_change(&world, "add cluster a");
	digest = world_status_reply(&world)->digest;
	world_change(&world, "add cluster b;del cluster a");
	world_roll_back(&world, 0, 0);
	ck_assert_uint_eq(done()->generation, 4);
	ck_assert_uint_eq(world_status_reply(&world)->generation, 4);
	ck_assert_uint_eq(world_status_reply(&world)->digest, digest);
	ck_assert_str_eq(
	    world_newest(&world), "tester: rollback to generation 2");
	/* And is undone likewise. */
	world_roll_back(&world, 0, 0);
	done();
	ck_assert_uint_ne(world_status_reply(&world)->digest, digest);
	stop();
}
END_TEST

/* What comes back has its ids; what is new never has one that was used. */
START_TEST(ids_are_never_used_again)
{
	const Lp__Pb__ShowReply *show;

	start();
	world_change(&world, "add cluster a");
	world_change(&world, "add cluster b");
	world_roll_back(&world, 2, 0);
	done();
	world_change(&world, "add cluster c");
	world_show(&world, 5);
	show = world.replies[world.reply_count - 1]->show;
	ck_assert_uint_eq(show->n_objects, 2);
	ck_assert_uint_eq(show->objects[0]->id, 1);
	ck_assert_uint_eq(show->objects[1]->id, 3);
	stop();
}
END_TEST

START_TEST(what_comes_back_survives_a_restart)
{
	uint64_t digest;

	start();
	world_change(&world, basic);
	digest = world_status_reply(&world)->digest;
	world_change(&world,
	    "del listener payments public;del broker payments 1;"
	    "del broker payments 2;del cluster payments");
	world_roll_back(&world, 2, 0);
	done();
	world_restart(&world, NULL);
	ck_assert_uint_eq(world_status_reply(&world)->digest, digest);
	ck_assert_uint_eq(world_status_reply(&world)->generation, 4);
	stop();
}
END_TEST

START_TEST(the_same_again_is_no_generation)
{
	const Lp__Pb__TransactionReply *reply;

	start();
	world_change(&world, "add cluster a");
	world_roll_back(&world, 2, 1000);
	reply = done();
	ck_assert_uint_eq(reply->generation, 2);
	ck_assert_str_eq(reply->notes[0],
	    "that is what is desired already: nothing was changed");
	ck_assert_ptr_null(world_status_reply(&world)->confirm);
	stop();
}
END_TEST

static const struct {
	uint64_t generation;
	const char *text; /* behind the path of the database */
} absent[] = {
    {9, "there is no generation 9: those from 1 to 2 are kept"},
    {UINT64_MAX,
	"there is no generation 18446744073709551615: those from 1 to 2 are "
	"kept"},
};

START_TEST(what_is_not_there_neither_comes_back_nor_is_shown)
{
	start();
	world_change(&world, "add cluster a");
	world_roll_back(&world, absent[_i].generation, 0);
	ck_assert_str_eq(refused()->text, absent[_i].text);
	world_show(&world, absent[_i].generation);
	ck_assert_str_eq(
	    world_failure(world.replies[world.reply_count - 1])->text,
	    absent[_i].text);
	ck_assert_uint_eq(world_status_reply(&world)->generation, 2);
	stop();
}
END_TEST

START_TEST(before_the_first_there_is_none)
{
	start();
	world_roll_back(&world, 0, 0);
	ck_assert_str_eq(refused()->text,
	    "there is no generation 0: those from 1 to 1 are kept");
	stop();
}
END_TEST

static void
forget_two(const char *path)
{
	struct database database = {.path = (char *)path};

	database_sql(&database, "DELETE FROM generation WHERE number <= 2");
}

START_TEST(what_is_not_kept_any_more_is_said)
{
	start();
	world_change(&world, "add cluster a");
	world_change(&world, "add cluster b");
	world_change(&world, "add cluster c");
	world_restart(&world, forget_two);
	world_roll_back(&world, 2, 0);
	ck_assert_str_eq(refused()->text,
	    "there is no generation 2 any more: those from 3 to 4 are kept");
	stop();
}
END_TEST

/* No frames; whole frames, but not all of them; other ones; and none. */
static const char *const damages[] = {
    "content = x'0000000400'",
    "content = substr(content, 1, length(content) / 2)",
    "content = CAST(replace(content, 'b', 'c') AS BLOB)",
    "content = x''",
};
static const char *damage_now;

static void
damage(const char *path)
{
	struct database database = {.path = (char *)path};
	char text[256];

	snprintf(text, sizeof(text),
	    "UPDATE generation SET %s WHERE number = 2", damage_now);
	database_sql(&database, text);
}

START_TEST(a_damaged_one_does_not_come_back)
{
	static const char wanted[] =
	    "the content of generation 2 cannot be read: it is damaged";

	damage_now = damages[_i];
	start();
	world_change(&world, "add cluster a;add cluster b");
	world_change(&world, "add cluster c");
	world_restart(&world, damage);
	world_roll_back(&world, 0, 0);
	ck_assert_ptr_nonnull(strstr(refused()->text, wanted));
	/* Nor is it shown as if it were whole. */
	world_show(&world, 2);
	ck_assert_ptr_nonnull(strstr(
	    world_failure(world.replies[world.reply_count - 1])->text, wanted));
	ck_assert_uint_eq(world_status_reply(&world)->generation, 3);
	stop();
}
END_TEST

/* A broker without its cluster: no version has ever stored it. */
static void
break_it(const char *path)
{
	static const char hex[] = "UPDATE generation SET content = x'";
	struct database database = {.path = (char *)path};
	char text[1024];
	uint8_t *content;
	size_t len, at;
	struct lp_config config;
	struct lp_object broker;

	lp_config_init(&config);
	lp_object_init(&broker, LP_OBJECT_BROKER);
	broker.id = 7;
	broker.broker.cluster_id = 3;
	broker.broker.node_id = 1;
	strcpy(broker.broker.host, "10.0.0.1");
	broker.broker.real.port = 9092;
	memset(broker.broker.real.ip.bytes + 10, 0xff, 2);
	broker.broker.real.ip.bytes[12] = 10;
	broker.broker.real.ip.bytes[15] = 1;
	ck_assert_int_eq(lp_config_put(&config, &broker), 0);
	ck_assert_int_eq(lp_store_content_pack(&config, &content, &len), 0);
	strcpy(text, hex);
	at = strlen(text);
	for (size_t i = 0; i < len; i++)
		at += (size_t)snprintf(
		    text + at, sizeof(text) - at, "%02x", content[i]);
	snprintf(text + at, sizeof(text) - at,
	    "', digest = %" PRId64 " WHERE number = 2",
	    (int64_t)lp_config_digest(&config));
	database_sql(&database, text);
	free(content);
	lp_config_fini(&config);
}

START_TEST(what_does_not_pass_the_check_of_now_is_only_shown)
{
	const Lp__Pb__Failure *failure;

	start();
	world_change(&world, "add cluster a");
	world_change(&world, "add cluster b");
	world_restart(&world, break_it);
	world_roll_back(&world, 2, 0);
	failure = refused();
	ck_assert_str_eq(failure->text,
	    "there is no cluster with id 3 (generation 2 cannot come back)");
	ck_assert_str_eq(failure->object, "broker 3/1");
	ck_assert_str_eq(failure->field, "cluster");
	world_show(&world, 2);
	ck_assert_uint_eq(
	    world.replies[world.reply_count - 1]->show->n_objects, 1);
	stop();
}
END_TEST

/* As an older version has stored it, and a newer one that knows more. */
START_TEST(content_of_other_versions_is_read)
{
	static const uint8_t content[] = {0, 0, 0,
	    10, /* cluster a, and a field 31 */
	    0x08, 1, 0x1a, 3, 0x0a, 1, 'a', 0xf8, 1, 5, /* */
	    0, 0, 0, 34, /* a broker that says nothing of discovery */
	    0x08, 2, 0x22, 30, 0x08, 1, 0x10, 7, 0x1a, 1, 'h', 0x22, 21, 0x0a,
	    16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1, 0x10,
	    0x84, 0x47};
	struct lp_config config;
	char why[LP_WHY_SIZE];
	uint64_t digest;

	lp_config_init(&config);
	ck_assert_msg(lp_store_content_unpack(
			  &config, content, sizeof(content), &digest, why) == 0,
	    "%s", why);
	/* Of what was stored: we would say more of the broker. */
	ck_assert_uint_ne(digest, lp_config_digest(&config));
	ck_assert_uint_eq(config.count, 2);
	ck_assert_str_eq(config.objects[0].cluster.name, "a");
	ck_assert_int_eq(config.objects[1].broker.node_id, 7);
	ck_assert(!config.objects[1].broker.discovered);
	/* Cut anywhere it is no content. */
	for (size_t len = 1; len < 14; len++) {
		lp_config_fini(&config);
		ck_assert_int_lt(lp_store_content_unpack(
				     &config, content, len, &digest, why),
		    0);
		ck_assert_str_eq(why, "it is damaged");
	}
	lp_config_fini(&config);
}
END_TEST

START_TEST(every_generation_can_be_shown)
{
	const Lp__Pb__ShowReply *show;

	start();
	world_change(&world, basic);
	world_change(&world, "add cluster more");
	world_show(&world, 2);
	show = world.replies[world.reply_count - 1]->show;
	ck_assert_uint_eq(show->generation, 2);
	ck_assert_uint_eq(show->n_objects, 7);
	world_show(&world, 3);
	show = world.replies[world.reply_count - 1]->show;
	ck_assert_uint_eq(show->generation, 3);
	ck_assert_uint_eq(show->n_objects, 8);
	world_show(&world, 1);
	show = world.replies[world.reply_count - 1]->show;
	ck_assert_uint_eq(show->generation, 1);
	ck_assert_uint_eq(show->n_objects, 0);
	stop();
}
END_TEST

START_TEST(what_a_dataplane_rejects_is_rolled_back_again)
{
	struct pushed pushed;
	uint64_t digest;

	world_start(&world, &patient, 1);
	fake_start(&fake, &world, world.paths[0]);
	fake_synchronise(&fake);
	world_state(&world, 0, "applied");
	world_send(&world, "add cluster a", 60000);
	pushed = fake_take_push(&fake);
	digest = pushed.digest;
	fake_applied(&fake, 2, digest);
	world_done(world_replies(&world, 1));
	world_roll_back(&world, 1, 0);
	fake_take_push(&fake);
	fake_rejected(&fake, 3, CODE(RESOURCE), "port x", "device", "no");
	pushed = fake_take_push(&fake);
	ck_assert_uint_eq(pushed.generation, 4);
	ck_assert_uint_eq(pushed.digest, digest);
	fake_applied(&fake, 4, digest);
	ck_assert_str_eq(world_failure(world_replies(&world, 2))->text,
	    "no (rolled back by generation 4)");
	fake_stop(&fake);
	stop();
}
END_TEST

static void
send_based(uint64_t client, const char *text, uint64_t base)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);

	request->transaction->has_base_generation = true;
	request->transaction->base_generation = base;
	lp_session_request(world.session, client, &world_peer, request);
}

/* Both have seen generation 1: one wins, the other is told. */
START_TEST(of_two_changes_at_once_one_wins)
{
	const Lp__Pb__Failure *failure;

	start();
	send_based(1, "add cluster a", 1);
	send_based(2, "add cluster b", 1);
	world_done(world_replies(&world, 1));
	ck_assert_uint_eq(world.clients[0], 1);
	failure = world_failure(world_replies(&world, 2));
	ck_assert_int_eq(failure->result, RESULT(CONFLICT));
	ck_assert_ptr_eq(strstr(failure->text,
			     "another change came first: generation 2 is "
			     "desired now, by tester at 20"),
	    failure->text);
	ck_assert_ptr_nonnull(strstr(failure->text,
	    " UTC (add cluster a); this change was made for generation 1, and "
	    "nothing was stored"));
	ck_assert_uint_eq(world_status_reply(&world)->generation, 2);
	send_based(2, "add cluster b", 2);
	world_done(world_replies(&world, 3));
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rollback");
	TCase *tcase = tcase_create("rollback");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, the_one_before_comes_back);
	tcase_add_test(tcase, ids_are_never_used_again);
	tcase_add_test(tcase, what_comes_back_survives_a_restart);
	tcase_add_test(tcase, the_same_again_is_no_generation);
	tcase_add_loop_test(
	    tcase, what_is_not_there_neither_comes_back_nor_is_shown, 0, 2);
	tcase_add_test(tcase, before_the_first_there_is_none);
	tcase_add_test(tcase, what_is_not_kept_any_more_is_said);
	tcase_add_loop_test(tcase, a_damaged_one_does_not_come_back, 0,
	    sizeof(damages) / sizeof(damages[0]));
	tcase_add_test(
	    tcase, what_does_not_pass_the_check_of_now_is_only_shown);
	tcase_add_test(tcase, content_of_other_versions_is_read);
	tcase_add_test(tcase, every_generation_can_be_shown);
	tcase_add_test(tcase, what_a_dataplane_rejects_is_rolled_back_again);
	tcase_add_test(tcase, of_two_changes_at_once_one_wins);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
