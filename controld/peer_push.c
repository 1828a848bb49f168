/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/peer_push.h"

#include <assert.h>
#include <event2/buffer.h>
#include <stdio.h>

#include "controld/clock.h"
#include "controld/stream.h"

/* What a dataplane of an older version cannot do. */
struct beyond {
	const char *field; /* of the object that asks for it */
	const char *text; /* "has no inline listeners" */
	const char *remedy; /* besides a newer version */
};

static const struct lp_object *find_beyond(
    const struct lp_peer *peer, const struct beyond **what);
static void push_delta(struct lp_peer *peer);
static void push_begin(struct lp_peer *peer, bool full, uint32_t count);
static void push_end(struct lp_peer *peer);

void
lp_peer_push_run(struct lp_peer *peer)
{
	const struct lp_peer_shared *shared = peer->shared;

	if (!peer->info.connected || peer->pushed != 0 ||
	    lp_peer_push_refuse(peer))
		return;
	if (lp_peer_push_is_current(peer))
		lp_peer_set_state(peer, LP_PUSH_APPLIED, "");
	else if (shared->delta != NULL &&
	    peer->info.generation == shared->delta_base &&
	    peer->info.digest == shared->delta_base_digest)
		push_delta(peer);
	else
		lp_peer_push_full(peer);
}

bool
lp_peer_push_is_current(const struct lp_peer *peer)
{
	const struct lp_generation *desired = peer->shared->desired;

	return peer->info.generation == desired->number &&
	    peer->info.digest == desired->digest;
}

void
lp_peer_push_full(struct lp_peer *peer)
{
	const struct lp_config *config = &peer->shared->desired->config;

	if (lp_peer_push_refuse(peer))
		return;
	push_begin(peer, true, (uint32_t)config->count);
	for (size_t i = 0; i < config->count; i++) {
		Lp__Pb__DataplaneMessage message =
		    LP__PB__DATAPLANE_MESSAGE__INIT;
		Lp__Pb__ObjectFrame frame = LP__PB__OBJECT_FRAME__INIT;
		struct lp_message_object holder;

		frame.object =
		    lp_message_from_object(&holder, &config->objects[i]);
		message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT;
		message.object = &frame;
		if (lp_peer_send(peer, &message) != 0)
			return;
	}
	push_end(peer);
}

bool
lp_peer_push_refuse(struct lp_peer *peer)
{
	const struct lp_generation *desired = peer->shared->desired;
	struct lp_push_dataplane *info = &peer->info;
	const struct beyond *what = NULL;
	const struct lp_object *object = find_beyond(peer, &what);
	char why[LP_PUSH_TEXT_SIZE];

	if (object == NULL)
		return false;
	info->rejected = desired->number;
	lp_config_label(&desired->config, object, info->object);
	snprintf(info->field, sizeof(info->field), "%s", what->field);
	snprintf(info->text, sizeof(info->text),
	    "this dataplane (%s) %s: bring it to the version of lp-controld%s",
	    info->version[0] != '\0' ? info->version : "of another version",
	    what->text, what->remedy);
	snprintf(why, sizeof(why), "%s: %s: %s", info->object, info->field,
	    info->text);
	lp_peer_set_state(peer, LP_PUSH_REJECTED, why);
	return true;
}

/* The first object that it cannot have, and for what. */
static const struct lp_object *
find_beyond(const struct lp_peer *peer, const struct beyond **what)
{
	static const struct beyond is_inline = {
	    "mode", "has no inline listeners", ""};
	static const struct beyond rewrites = {"rewrite",
	    "cannot rewrite addresses of brokers",
	    ", or give the listener --rewrite off"};
	static const struct beyond judges = {"unjudged", "has no rules", ""};
	static const struct beyond is_rule = {"match", "has no rules", ""};
	const struct lp_config *config = &peer->shared->desired->config;
	const struct lp_push_dataplane *info = &peer->info;
	size_t first;
	size_t count = lp_config_range(config, LP_OBJECT_LISTENER, &first);

	for (size_t i = first; i < first + count; i++) {
		const struct lp_listener_object *listener =
		    &config->objects[i].listener;

		*what = NULL;
		if (listener->mode == LP_MODE_INLINE && !info->can_inline)
			*what = &is_inline;
		else if (listener->mode != LP_MODE_INLINE &&
		    listener->rewrite != LP_REWRITING_OFF && !info->can_rewrite)
			*what = &rewrites;
		else if (listener->unjudged != 0 && !info->can_rules)
			*what = &judges;
		if (*what != NULL)
			return &config->objects[i];
	}
	*what = &is_rule;
	if (lp_config_range(config, LP_OBJECT_RULE, &first) > 0 &&
	    !info->can_rules)
		return &config->objects[first];
	return NULL;
}

static void
push_delta(struct lp_peer *peer)
{
	const struct lp_peer_shared *shared = peer->shared;
	size_t len = evbuffer_get_length(shared->delta);
	const uint8_t *frames = evbuffer_pullup(shared->delta, -1);

	push_begin(peer, false, shared->delta_count);
	if (peer->bev == NULL)
		return;
	if (len > 0 &&
	    (frames == NULL ||
		evbuffer_add(bufferevent_get_output(peer->bev), frames, len) !=
		    0)) {
		lp_peer_leave(
		    peer, LP_PUSH_CONNECTING, "no memory for a delta");
		return;
	}
	push_end(peer);
}

static void
push_begin(struct lp_peer *peer, bool full, uint32_t count)
{
	const struct lp_generation *desired = peer->shared->desired;
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Begin begin = LP__PB__BEGIN__INIT;

	assert(peer->pushed == 0);
	peer->pushed = desired->number;
	peer->pushed_digest = desired->digest;
	peer->pushed_delta = !full;
	peer->pushed_ms = lp_clock_now_ms();
	begin.epoch = peer->shared->options.epoch;
	begin.generation = desired->number;
	begin.full = full;
	begin.object_count = count;
	begin.digest = desired->digest;
	begin.has_base_generation = !full;
	begin.base_generation = full ? 0 : peer->shared->delta_base;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_BEGIN;
	message.begin = &begin;
	lp_peer_send(peer, &message);
}

static void
push_end(struct lp_peer *peer)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__End end = LP__PB__END__INIT;

	end.generation = peer->pushed;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_END;
	message.end = &end;
	if (lp_peer_send(peer, &message) == 0)
		lp_peer_set_state(peer, LP_PUSH_SYNCHRONISING, "");
}

void
lp_peer_push_welcome(struct lp_peer *peer, bool resume)
{
	const struct lp_push_options *options = &peer->shared->options;
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Welcome welcome = LP__PB__WELCOME__INIT;

	welcome.epoch = options->epoch;
	welcome.protocol = LP_DATAPLANE_PROTOCOL_MAX;
	welcome.sync = resume ? LP__PB__WELCOME__SYNC__RESUME
			      : LP__PB__WELCOME__SYNC__REPLACE;
	welcome.controller = (char *)options->controller;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_WELCOME;
	message.welcome = &welcome;
	lp_peer_send(peer, &message);
}

void
lp_peer_push_beat(struct lp_peer *peer)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Beat beat = LP__PB__BEAT__INIT;

	beat.generation = peer->shared->desired->number;
	beat.digest = peer->shared->desired->digest;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_BEAT;
	message.beat = &beat;
	lp_peer_send(peer, &message);
}
