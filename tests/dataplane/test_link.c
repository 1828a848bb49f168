/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link to a dataplane is cut, anywhere in a push: what runs goes on
 * whole, the half is forgotten, and the next controller makes both equal.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/dataplane/controller.h"

enum { EPOCH = 7, FRAMES_MAX = 64, BYTES_MAX = 1 << 16 };

static struct dataplane dataplane;
static struct controller controller;
static struct lp_config config; /* generation 1, which runs */
static struct lp_config next; /* generation 2: less, and changed */

/* A push as bytes. */
static struct {
	uint8_t bytes[BYTES_MAX];
	size_t len;
	size_t frames[FRAMES_MAX + 1]; /* where each begins, and the end */
	unsigned count;
} push;

static void
begin(void)
{
	struct lp_object broker;

	cold_config(&config);
	lp_config_init(&next);
	lp_config_copy(&next, &config);
	broker = *lp_config_find(&next, LP_OBJECT_BROKER, PAYMENTS_1);
	broker.broker.real.port = 9999;
	put(&next, broker);
	lp_config_remove(&next, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1);
	lp_config_remove(&next, LP_OBJECT_LISTENER, ORDERS_PUBLIC);
	dataplane_start(&dataplane, NULL);
	controller_open(&controller, dataplane.socket);
	controller_welcome(&controller, EPOCH);
	controller_apply(&controller, EPOCH, 1, &config);
	controller_close(&controller);
}

static void
end(void)
{
	dataplane_stop(&dataplane);
	dataplane_clean(&dataplane);
	lp_config_fini(&config);
	lp_config_fini(&next);
}

/* BEGIN, what leads from the one to the other, END. */
static void
send_delta(struct controller *to, uint64_t generation, uint64_t base)
{
	struct lp_object object;

	controller_begin(
	    to, EPOCH, generation, base, 3, lp_config_digest(&next));
	object = *lp_config_find(&next, LP_OBJECT_BROKER, PAYMENTS_1);
	controller_object(to, &object, false);
	object = *lp_config_find(&config, LP_OBJECT_ENDPOINT, ORDERS_PUBLIC_1);
	controller_object(to, &object, true);
	object = *lp_config_find(&config, LP_OBJECT_LISTENER, ORDERS_PUBLIC);
	controller_object(to, &object, true);
	controller_end(to, generation);
}

/* What a controller would send, into push. */
static void
record(bool delta)
{
	struct controller recorder = {0};
	const uint8_t *payload;
	size_t at = 0, len;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	recorder.fd = ends[0];
	if (delta)
		send_delta(&recorder, 2, 1);
	else
		controller_push(&recorder, EPOCH, 2, &next);
	push.len = (size_t)recv(ends[1], push.bytes, BYTES_MAX, MSG_DONTWAIT);
	ck_assert_uint_lt(push.len, BYTES_MAX);
	close(ends[0]);
	close(ends[1]);
	push.count = 0;
	while (at < push.len) {
		ck_assert_uint_lt(push.count, FRAMES_MAX);
		push.frames[push.count++] = at;
		ck_assert_int_eq(lp_frame_next(push.bytes + at, push.len - at,
				     &payload, &len),
		    LP_OK);
		at += LP_FRAME_HEADER_SIZE + len;
	}
	push.frames[push.count] = at;
}

/* A controller connects, finds that running, and is welcome. */
static void
join(uint64_t generation, const struct lp_config *running)
{
	const Lp__Pb__Hello *hello;
	Lp__Pb__Welcome welcome = LP__PB__WELCOME__INIT;

	controller_open(&controller, dataplane.socket);
	hello = controller_expect(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
		    ->hello;
	ck_assert_uint_eq(hello->generation, generation);
	ck_assert_uint_eq(hello->digest, lp_config_digest(running));
	welcome.epoch = EPOCH;
	welcome.protocol = LP_DATAPLANE_PROTOCOL_MAX;
	welcome.sync = LP__PB__WELCOME__SYNC__REPLACE;
	welcome.controller = (char *)"test";
	controller_send(
	    &controller, LP__PB__DATAPLANE_MESSAGE__BODY_WELCOME, &welcome);
}

/* Sends so many bytes of the push, and nothing after them ever. */
static void
cut_at(size_t len)
{
	join(1, &config);
	controller_write(&controller, push.bytes, len);
	controller_close(&controller);
}

/* Before, in and behind the length of each frame, and in its message. */
static void
cut_everywhere(void)
{
	for (unsigned i = 0; i < push.count; i++) {
		size_t from = push.frames[i];
		size_t len = push.frames[i + 1] - from;
		const size_t places[] = {0, 1, LP_FRAME_HEADER_SIZE - 1,
		    LP_FRAME_HEADER_SIZE, LP_FRAME_HEADER_SIZE + 1, len / 2,
		    len - 1};

		for (size_t n = 0; n < sizeof(places) / sizeof(places[0]); n++)
			cut_at(from + places[n]);
	}
}

/* The last byte makes the difference, whether anybody hears of it or not. */
static void
complete_unheard(void)
{
	join(1, &config);
	controller_write(&controller, push.bytes, push.len);
	ck_assert_int_eq(shutdown(controller.fd, SHUT_WR), 0);
	controller_expect(&controller, LP__PB__DATAPLANE_MESSAGE__BODY_APPLIED);
	controller_expect_end(&controller);
	controller_close(&controller);
	join(2, &next);
	controller_close(&controller);
}

START_TEST(half_a_generation_is_forgotten_wherever_it_is_cut)
{
	begin();
	record(_i == 1);
	ck_assert_uint_ge(push.count, 5);
	cut_everywhere();
	complete_unheard();
	end();
}
END_TEST

/* Nothing of the half is in what comes next. */
START_TEST(a_whole_one_after_each_half_is_that_one_alone)
{
	uint64_t generation = 1;

	begin();
	record(true);
	for (unsigned i = 1; i <= push.count - 1; i++) {
		join(generation, &config);
		controller_write(&controller, push.bytes, push.frames[i] - 1);
		controller_close(&controller);
		join(generation, &config);
		controller_apply(&controller, EPOCH, ++generation, &config);
		controller_close(&controller);
		/* That delta is of a base which is over. */
		record(true);
	}
	join(generation, &config);
	controller_close(&controller);
	end();
}
END_TEST

/* The generation that deleted something never came: it goes all the same. */
START_TEST(deletions_that_were_missed_are_made_up_for)
{
	begin();
	record(true);
	join(1, &config);
	controller_write(&controller, push.bytes, push.frames[2]);
	controller_close(&controller);
	join(1, &config);
	send_delta(&controller, 3, 2);
	controller_expect_rejected(&controller, LP__PB__REJECTED__CODE__BASE);
	controller_apply(&controller, EPOCH, 3, &next);
	controller_close(&controller);
	join(3, &next);
	controller_close(&controller);
	end();
}
END_TEST

/* The old link hangs, the new one is quicker; then the old one goes on. */
START_TEST(a_half_on_an_old_link_does_not_come_through)
{
	struct controller old;

	begin();
	for (unsigned delta = 0; delta < 2; delta++) {
		record(delta == 1);
		join(delta == 0 ? 1 : 3, &config);
		old = controller;
		controller_write(&old, push.bytes, push.frames[push.count - 1]);
		join(delta == 0 ? 1 : 3, &config);
		controller_apply(&controller, EPOCH, 3, &config);
		controller_write(&old, push.bytes + push.frames[push.count - 1],
		    push.len - push.frames[push.count - 1]);
		controller_expect(
		    &old, LP__PB__DATAPLANE_MESSAGE__BODY_REJECTED);
		controller_close(&old);
		controller_close(&controller);
	}
	join(3, &config);
	controller_close(&controller);
	end();
}
END_TEST

/* Of the same epoch as the one that is obeyed, and with another database. */
START_TEST(who_is_fenced_cannot_push)
{
	struct controller other;

	begin();
	record(false);
	controller_open(&other, dataplane.socket);
	controller_welcome_as(&other, EPOCH, "another database");
	/* It does not wait to hear that. */
	controller_write(&other, push.bytes, push.len);
	controller_expect_rejected(&other, LP__PB__REJECTED__CODE__FENCED);
	controller_expect_end(&other);
	controller_close(&other);
	controller_open(&other, dataplane.socket);
	controller_welcome(&other, EPOCH - 1);
	controller_write(&other, push.bytes, push.len);
	controller_expect_rejected(&other, LP__PB__REJECTED__CODE__FENCED);
	controller_expect_end(&other);
	controller_close(&other);
	join(1, &config);
	controller_close(&controller);
	end();
}
END_TEST

/* Each that comes with a higher epoch wins, and the one before it is out. */
START_TEST(of_two_that_take_turns_the_higher_wins)
{
	struct controller others[2];
	static const char *const names[] = {"one", "two"};
	const struct lp_config *const wants[] = {&config, &next};
	uint64_t epoch = EPOCH;

	begin();
	controller_open(&others[0], dataplane.socket);
	controller_welcome_as(&others[0], ++epoch, names[0]);
	controller_apply(&others[0], epoch, 1, wants[0]);
	for (unsigned turn = 1; turn < 6; turn++) {
		unsigned now = turn % 2;

		controller_open(&others[now], dataplane.socket);
		controller_welcome_as(&others[now], ++epoch, names[now]);
		controller_apply(&others[now], epoch, 1, wants[now]);
		/* The one before it is still connected. */
		controller_push(&others[!now], epoch - 1, 9, wants[!now]);
		ck_assert_uint_eq(controller_expect_rejected(&others[!now],
				      LP__PB__REJECTED__CODE__FENCED)
				      ->epoch,
		    epoch);
		controller_expect_end(&others[!now]);
		controller_close(&others[!now]);
	}
	controller_apply(&others[1], epoch, 2, wants[1]);
	controller_close(&others[1]);
	end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("link");
	TCase *tests = tcase_create("link");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(
	    tests, half_a_generation_is_forgotten_wherever_it_is_cut, 0, 2);
	tcase_add_test(tests, a_whole_one_after_each_half_is_that_one_alone);
	tcase_add_test(tests, deletions_that_were_missed_are_made_up_for);
	tcase_add_test(tests, a_half_on_an_old_link_does_not_come_through);
	tcase_add_test(tests, who_is_fenced_cannot_push);
	tcase_add_test(tests, of_two_that_take_turns_the_higher_wins);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
