/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transaction.h"

void
make_dir(char dir[64])
{
	strcpy(dir, "/tmp/lp-controld-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static int
remove_one(
    const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void
remove_dir(const char *dir)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
path_in(const char *dir, const char *name)
{
	static _Thread_local char paths[8][128];
	static _Thread_local unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, 128, "%s/%s", dir, name);
	return path;
}

const struct lp_push_times patient = {
    .backoff_min = 1,
    .backoff_max = 4,
    .slow = 10,
    .hello = 60000,
    .answer = 60000,
    .beat = 60000,
    .silence = 60000,
};

struct lp_discover_options world_discover;
struct lp_gather_limits world_gather;
unsigned world_backup_ms;
struct world_far world_far;

static size_t
unread_of(void *arg, uint64_t client)
{
	const struct world *world = arg;

	(void)client;
	return world->unread;
}

static void
keep_reply(void *arg, uint64_t client, const Lp__Pb__ControlReply *reply)
{
	struct world *world = arg;
	uint8_t *frame;
	size_t len;

	ck_assert_uint_lt(world->reply_count, REPLIES_MAX);
	ck_assert_int_eq(lp_message_frame(&frame, &len, &reply->base), 0);
	world->clients[world->reply_count] = client;
	world->replies[world->reply_count++] = lp_message_unpack_reply(
	    frame + LP_FRAME_HEADER_SIZE, len - LP_FRAME_HEADER_SIZE);
	free(frame);
}

const struct lp_serve_peer world_peer = {
    .who = "tester", .from = "unix", .role = "admin", .local = true};

static void
open_it(struct world *world)
{
	struct lp_store_options store = {0};
	struct lp_session_options options = {0};
	struct lp_generation current;
	char why[LP_STORE_WHY_SIZE];

	store.path = path_in(world->dir, "db");
	ck_assert_msg(lp_store_open(&world->store, &current, &store, why) == 0,
	    "%s", why);
	options.base = world->base;
	options.store = world->store;
	options.dataplanes = world->paths;
	options.dataplane_count = world->dataplanes;
	options.times = world->times;
	options.query_ms = 200;
	options.tls = world_far.tls;
	options.resolve = world_far.resolve;
	options.discover = world_discover;
	options.gather = world_gather;
	options.backup_ms = world_backup_ms;
	options.reply = keep_reply;
	options.unread = unread_of;
	options.arg = world;
	ck_assert_int_eq(
	    lp_session_new(&world->session, &options, &current), 0);
}

void
world_start(
    struct world *world, const struct lp_push_times *times, unsigned dataplanes)
{
	*world = (struct world){.times = *times, .dataplanes = dataplanes};
	make_dir(world->dir);
	world->base = event_base_new();
	world->paths[0] = strdup(
	    world_far.path ? world_far.path : path_in(world->dir, "dp0"));
	world->paths[1] = strdup(path_in(world->dir, "dp1"));
	open_it(world);
}

void
world_restart(struct world *world, void (*meanwhile)(const char *database))
{
	lp_session_free(world->session);
	lp_store_close(world->store);
	if (meanwhile != NULL)
		meanwhile(path_in(world->dir, "db"));
	open_it(world);
}

void
world_stop(struct world *world)
{
	lp_session_free(world->session);
	lp_store_close(world->store);
	event_base_free(world->base);
	for (unsigned i = 0; i < world->reply_count; i++)
		lp__pb__control_reply__free_unpacked(world->replies[i], NULL);
	for (unsigned i = 0; i < 2; i++)
		free((char *)world->paths[i]);
	remove_dir(world->dir);
}

static void
give_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

void
world_run(struct world *world, bool (*done)(void *arg), void *arg)
{
	const struct timeval limit = {.tv_sec = 10};
	bool late = false;
	struct event *guard = evtimer_new(world->base, give_up, &late);

	evtimer_add(guard, &limit);
	while (!done(arg) && !late)
		event_base_loop(world->base, EVLOOP_ONCE);
	event_free(guard);
	ck_assert_msg(!late, "this did not happen within 10 s");
}

struct count {
	const struct world *world;
	unsigned count;
};

static bool
has_replies(void *arg)
{
	const struct count *count = arg;

	return count->world->reply_count >= count->count;
}

const Lp__Pb__ControlReply *
world_replies(struct world *world, unsigned count)
{
	struct count wanted = {world, count};

	world_run(world, has_replies, &wanted);
	return world->replies[count - 1];
}

void
world_send(struct world *world, const char *text, uint32_t timeout_ms)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);

	request->cookie = 7;
	request->transaction->has_timeout_ms = true;
	request->transaction->timeout_ms = timeout_ms;
	lp_session_request(world->session, 1, &world_peer, request);
}

void
world_change(struct world *world, const char *text)
{
	unsigned count = world->reply_count;

	world_send(world, text, 0);
	world_done(world_replies(world, count + 1));
}

void
world_roll_back(struct world *world, uint64_t generation, uint32_t confirm_ms)
{
	Lp__Pb__ControlRequest *request =
	    make_request(LP__PB__CONTROL_REQUEST__BODY_ROLLBACK);

	request->rollback->has_generation = generation != 0;
	request->rollback->generation = generation;
	request->rollback->has_confirm_ms = confirm_ms != 0;
	request->rollback->confirm_ms = confirm_ms;
	lp_session_request(world->session, 1, &world_peer, request);
}

void
world_confirm(struct world *world, uint64_t generation)
{
	Lp__Pb__ControlRequest *request =
	    make_request(LP__PB__CONTROL_REQUEST__BODY_CONFIRM);

	request->confirm->has_generation = generation != 0;
	request->confirm->generation = generation;
	lp_session_request(world->session, 1, &world_peer, request);
}

void
world_show(struct world *world, uint64_t generation)
{
	Lp__Pb__ControlRequest *request =
	    make_request(LP__PB__CONTROL_REQUEST__BODY_SHOW);

	request->show->has_generation = true;
	request->show->generation = generation;
	lp_session_request(world->session, 1, &world_peer, request);
}

static int
keep_first(void *arg, const struct lp_store_past *past)
{
	snprintf(arg, 256, "%s: %s", past->who, past->comment);
	return 0;
}

const char *
world_newest(struct world *world)
{
	static char text[256];
	char why[LP_STORE_WHY_SIZE];

	ck_assert_int_eq(
	    lp_store_history(world->store, 1, keep_first, text, why), 0);
	return text;
}

const Lp__Pb__DataplaneStatus *
world_status(struct world *world, unsigned index)
{
	return world_status_reply(world)->dataplanes[index];
}

const Lp__Pb__StatusReply *
world_status_reply(struct world *world)
{
	lp_session_request(world->session, 2, &world_peer,
	    make_request(LP__PB__CONTROL_REQUEST__BODY_STATUS));
	/* Not one of those that the test counts. */
	world->reply_count--;
	static _Thread_local Lp__Pb__ControlReply *last;
	if (last != NULL)
		lp__pb__control_reply__free_unpacked(last, NULL);
	last = world->replies[world->reply_count];
	ck_assert_int_eq(last->body_case, LP__PB__CONTROL_REPLY__BODY_STATUS);
	return last->status;
}

struct wanted_state {
	struct world *world;
	unsigned index;
	const char *state;
};

static bool
in_state(void *arg)
{
	const struct wanted_state *wanted = arg;

	return strcmp(world_status(wanted->world, wanted->index)->state,
		   wanted->state) == 0;
}

void
world_state(struct world *world, unsigned index, const char *state)
{
	struct wanted_state wanted = {world, index, state};

	world_run(world, in_state, &wanted);
}

const Lp__Pb__Failure *
world_failure(const Lp__Pb__ControlReply *reply)
{
	ck_assert_int_eq(reply->body_case, LP__PB__CONTROL_REPLY__BODY_FAILURE);
	ck_assert(!reply->more);
	return reply->failure;
}

const Lp__Pb__TransactionReply *
world_done(const Lp__Pb__ControlReply *reply)
{
	ck_assert_msg(
	    reply->body_case == LP__PB__CONTROL_REPLY__BODY_TRANSACTION, "%s",
	    reply->failure ? reply->failure->text : "?");
	return reply->transaction;
}
