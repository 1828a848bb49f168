/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <stdlib.h>
#include <string.h>

#include "controld/stream.h"
#include "proto/tcp.h"

static void
fake_read(struct bufferevent *bev, void *arg)
{
	struct fake *fake = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	const uint8_t *payload;
	size_t len;

	while (lp_stream_next(input, &payload, &len) == LP_OK) {
		Lp__Pb__DataplaneMessage *message =
		    lp_message_unpack_dataplane(payload, len);

		ck_assert_ptr_nonnull(message);
		ck_assert_uint_lt(fake->first + fake->count, FRAMES_MAX);
		fake->frames[fake->first + fake->count++] = message;
		lp_stream_drop(input, len);
	}
}

static void
fake_event(struct bufferevent *bev, short what, void *arg)
{
	struct fake *fake = arg;

	if (what & BEV_EVENT_CONNECTED)
		return;
	bufferevent_free(bev);
	if (fake->bev == bev)
		fake->bev = NULL;
}

static void
fake_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct fake *fake = arg;

	(void)listener;
	(void)address;
	(void)len;
	ck_assert_ptr_null(fake->bev);
	fake->bev = fake->tls != NULL
	    ? bufferevent_openssl_socket_new(fake->world->base, fd,
		  lp_tls_server(fake->tls, "controld"),
		  BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
	    : bufferevent_socket_new(
		  fake->world->base, fd, BEV_OPT_CLOSE_ON_FREE);
	ck_assert_ptr_nonnull(fake->bev);
	bufferevent_setcb(fake->bev, fake_read, NULL, fake_event, fake);
	bufferevent_enable(fake->bev, EV_READ | EV_WRITE);
	fake->connections++;
}

void
fake_start(struct fake *fake, struct world *world, const char *path)
{
	struct sockaddr_un address;

	*fake = (struct fake){.world = world};
	ck_assert_int_eq(lp_stream_address(&address, path), 0);
	fake->listener = evconnlistener_new_bind(world->base, fake_accept, fake,
	    LEV_OPT_CLOSE_ON_FREE, 8, (struct sockaddr *)&address,
	    sizeof(address));
	ck_assert_ptr_nonnull(fake->listener);
}

void
fake_start_far(struct fake *fake, struct world *world,
    const struct lp_endpoint *endpoint, struct lp_tls *tls)
{
	struct sockaddr_storage address;
	socklen_t len = lp_tcp_address(&address, endpoint);

	*fake = (struct fake){.world = world, .tls = tls};
	fake->listener = evconnlistener_new_bind(world->base, fake_accept, fake,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 8,
	    (struct sockaddr *)&address, (int)len);
	ck_assert_ptr_nonnull(fake->listener);
}

void
fake_stop(struct fake *fake)
{
	fake_hang_up(fake);
	evconnlistener_free(fake->listener);
	for (; fake->count > 0; fake->count--)
		lp__pb__dataplane_message__free_unpacked(
		    fake->frames[fake->first++], NULL);
}

void
fake_hang_up(struct fake *fake)
{
	if (fake->bev != NULL)
		bufferevent_free(fake->bev);
	fake->bev = NULL;
}

struct wanted_fake {
	struct fake *fake;
	unsigned count;
};

static bool
is_connected(void *arg)
{
	const struct wanted_fake *wanted = arg;

	return wanted->fake->connections >= wanted->count &&
	    wanted->fake->bev != NULL;
}

static bool
is_closed(void *arg)
{
	return ((const struct fake *)arg)->bev == NULL;
}

static bool
has_frame(void *arg)
{
	return ((const struct fake *)arg)->count > 0;
}

void
fake_wait_connection(struct fake *fake, unsigned connections)
{
	struct wanted_fake wanted = {fake, connections};

	world_run(fake->world, is_connected, &wanted);
}

void
fake_wait_closed(struct fake *fake)
{
	world_run(fake->world, is_closed, fake);
}

Lp__Pb__DataplaneMessage *
fake_take(struct fake *fake, Lp__Pb__DataplaneMessage__BodyCase body)
{
	static _Thread_local Lp__Pb__DataplaneMessage *last;

	do {
		if (last != NULL)
			lp__pb__dataplane_message__free_unpacked(last, NULL);
		world_run(fake->world, has_frame, fake);
		last = fake->frames[fake->first++];
		fake->count--;
	} while (last->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_BEAT &&
	    body != LP__PB__DATAPLANE_MESSAGE__BODY_BEAT);
	ck_assert_int_eq(last->body_case, body);
	return last;
}

void
fake_send(struct fake *fake, Lp__Pb__DataplaneMessage *message)
{
	ck_assert_ptr_nonnull(fake->bev);
	ck_assert_int_eq(
	    lp_stream_add(bufferevent_get_output(fake->bev), &message->base),
	    0);
}

void
fake_send_bytes(struct fake *fake, const void *bytes, size_t len)
{
	ck_assert_ptr_nonnull(fake->bev);
	bufferevent_write(fake->bev, bytes, len);
}

void
fake_hello(
    struct fake *fake, uint64_t epoch, uint64_t generation, uint64_t digest)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Hello hello = LP__PB__HELLO__INIT;
	char *backends[] = {(char *)"af_xdp", (char *)"memory"};
	char *capabilities[9] = {
	    (char *)"mode.vip", (char *)"trace", (char *)"capture"};
	size_t count = 3;

	if (fake->kafka_stats)
		capabilities[count++] = (char *)LP_CAPABILITY_KAFKA_STATS;
	if (fake->rule_stats)
		capabilities[count++] = (char *)LP_CAPABILITY_RULE_STATS;
	if (fake->denials)
		capabilities[count++] = (char *)LP_CAPABILITY_DENIALS;
	if (!fake->old) {
		capabilities[count++] = (char *)LP_CAPABILITY_INLINE;
		capabilities[count++] = (char *)LP_CAPABILITY_REWRITE;
		capabilities[count++] = (char *)LP_CAPABILITY_RULES;
	}
	hello.id = (char *)"host-a";
	hello.boot_id = 5;
	hello.protocol_min = LP_DATAPLANE_PROTOCOL_MIN;
	hello.protocol_max = LP_DATAPLANE_PROTOCOL_MAX;
	hello.n_backends = 2;
	hello.backends = backends;
	if (fake->topic_ids)
		capabilities[count++] = (char *)LP_CAPABILITY_TOPIC_IDS;
	hello.n_capabilities = count;
	hello.capabilities = capabilities;
	hello.epoch = epoch;
	hello.generation = generation;
	hello.digest = digest;
	hello.version = (char *)"0.1.0";
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_HELLO;
	message.hello = &hello;
	fake_send(fake, &message);
}

void
fake_beat(struct fake *fake, uint64_t generation, uint64_t digest)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Beat beat = LP__PB__BEAT__INIT;

	beat.generation = generation;
	beat.digest = digest;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_BEAT;
	message.beat = &beat;
	fake_send(fake, &message);
}

void
fake_applied(struct fake *fake, uint64_t generation, uint64_t digest)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Applied applied = LP__PB__APPLIED__INIT;

	applied.generation = generation;
	applied.digest = digest;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_APPLIED;
	message.applied = &applied;
	fake_send(fake, &message);
}

void
fake_rejected(struct fake *fake, uint64_t generation,
    Lp__Pb__Rejected__Code code, const char *object, const char *field,
    const char *text)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Rejected rejected = LP__PB__REJECTED__INIT;
	Lp__Pb__Rejected__Problem problem = LP__PB__REJECTED__PROBLEM__INIT;
	Lp__Pb__Rejected__Problem *problems[] = {&problem};

	problem.object = (char *)object;
	problem.field = (char *)field;
	problem.text = (char *)text;
	rejected.generation = generation;
	rejected.code = code;
	rejected.n_problems = object != NULL;
	rejected.problems = problems;
	if (code == LP__PB__REJECTED__CODE__FENCED) {
		rejected.has_epoch = true;
		rejected.epoch = 9;
	}
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_REJECTED;
	message.rejected = &rejected;
	fake_send(fake, &message);
}

struct pushed
fake_take_push(struct fake *fake)
{
	const Lp__Pb__Begin *begin =
	    fake_take(fake, LP__PB__DATAPLANE_MESSAGE__BODY_BEGIN)->begin;
	struct pushed pushed = {
	    .generation = begin->generation,
	    .digest = begin->digest,
	    .base = begin->base_generation,
	    .epoch = begin->epoch,
	    .full = begin->full,
	    .objects = begin->object_count,
	};

	for (unsigned i = 0; i < pushed.objects; i++)
		pushed.gone +=
		    fake_take(fake, LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT)
			->object->gone != 0;
	ck_assert_uint_eq(fake_take(fake, LP__PB__DATAPLANE_MESSAGE__BODY_END)
			      ->end->generation,
	    pushed.generation);
	return pushed;
}

struct pushed
fake_synchronise(struct fake *fake)
{
	struct pushed pushed;

	fake_wait_connection(fake, fake->connections + !fake->bev);
	fake_hello(fake, 0, 0, 0);
	ck_assert_int_eq(
	    fake_take(fake, LP__PB__DATAPLANE_MESSAGE__BODY_WELCOME)
		->welcome->sync,
	    LP__PB__WELCOME__SYNC__REPLACE);
	pushed = fake_take_push(fake);
	fake_applied(fake, pushed.generation, pushed.digest);
	return pushed;
}
