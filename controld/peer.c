/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle.  An attempt to connect fails or leads to HELLO, WELCOME and then
 * generations, one unanswered at a time.  Whatever a dataplane does that it
 * should not ends in lp_peer_leave(): the connection is closed, the reason kept
 * for `lpctl status`, and another attempt is due after the back-off.  There is
 * no other way out.
 *
 * What it runs is believed from HELLO, APPLIED and BEAT.  If that is not
 * what is desired and nothing is unanswered, the desired one is pushed: as a
 * delta if it runs the generation before, else whole.
 */
#include "controld/peer.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/clock.h"
#include "controld/peer_connect.h"
#include "controld/peer_hello.h"
#include "controld/peer_push.h"
#include "controld/stream.h"
#include "proto/log.h"

enum {
	/* More than twice the largest generation. */
	OUTPUT_MAX = 256 << 20,
};
static_assert(OUTPUT_MAX > 2 *
	    ((LP_OBJECTS_MAX - LP_RULES_MAX) * LP_OBJECT_PACKED_MAX +
		LP_RULES_MAX * LP_RULE_PACKED_MAX),
    "a whole generation fits the output, and a delta behind it");

static void on_timer(evutil_socket_t fd, short what, void *arg);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void on_read(struct bufferevent *bev, void *arg);
static void attempt(struct lp_peer *peer);
static void tick(struct lp_peer *peer);
static void handle(
    struct lp_peer *peer, const Lp__Pb__DataplaneMessage *message);
static void on_hello(struct lp_peer *peer, const Lp__Pb__Hello *hello);
static void on_applied(struct lp_peer *peer, const Lp__Pb__Applied *applied);
static void on_rejected(struct lp_peer *peer, const Lp__Pb__Rejected *rejected);
static void keep_problem(
    struct lp_peer *peer, const Lp__Pb__Rejected *rejected);
static void on_beat(struct lp_peer *peer, const Lp__Pb__Beat *beat);
static void fence(struct lp_peer *peer, uint64_t epoch);
static void changed(const struct lp_peer *peer);
static void set_timer(struct lp_peer *peer, unsigned ms);
static const char *peer_name(const struct lp_peer *peer);

int
lp_peer_init(struct lp_peer *peer, const struct lp_peer_shared *shared,
    unsigned index, const char *path)
{
	struct sockaddr_un address;
	char why[LP_WHY_SIZE];
	int err;

	*peer = (struct lp_peer){.shared = shared, .index = index};
	err = lp_target_parse(&peer->target, path, why);
	if (err == 0 && peer->target.host[0] == '\0')
		err = lp_stream_address(&address, path);
	if (err != 0)
		return err;
	peer->info.path =
	    peer->target.host[0] != '\0' ? peer->target.text : path;
	peer->info.since_ns = lp_clock_time_ns();
	peer->timer = evtimer_new(shared->options.base, on_timer, peer);
	if (peer->timer == NULL)
		return -ENOMEM;
	set_timer(peer, 0);
	return 0;
}

void
lp_peer_fini(struct lp_peer *peer)
{
	if (peer->bev != NULL)
		bufferevent_free(peer->bev);
	event_free(peer->timer);
}

int
lp_peer_send(struct lp_peer *peer, const Lp__Pb__DataplaneMessage *message)
{
	struct evbuffer *output;

	if (peer->bev == NULL)
		return -ENOTCONN;
	output = bufferevent_get_output(peer->bev);
	if (evbuffer_get_length(output) > OUTPUT_MAX)
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "it does not read");
	else if (lp_stream_add(output, &message->base) != 0)
		lp_peer_leave(
		    peer, LP_PUSH_CONNECTING, "no memory for a frame");
	return peer->bev != NULL ? 0 : -ENOTCONN;
}

void
lp_peer_found(struct lp_peer *peer)
{
	if (peer->looking && peer->bev == NULL)
		set_timer(peer, 0);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lp_peer *peer = arg;

	(void)fd;
	(void)what;
	if (peer->bev == NULL)
		attempt(peer);
	else
		tick(peer);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct lp_peer *peer = arg;
	char why[LP_TLS_WHY_SIZE];

	assert(bev == peer->bev);
	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		lp_peer_connect_done(peer);
	} else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		lp_peer_connect_why(peer, what, why);
		lp_peer_leave(peer, LP_PUSH_CONNECTING, "%s", why);
	}
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct lp_peer *peer = arg;

	/* A handler may leave: then the rest is for nobody. */
	while (peer->bev == bev) {
		struct evbuffer *input = bufferevent_get_input(bev);
		Lp__Pb__DataplaneMessage *message;
		const uint8_t *payload;
		size_t len;
		enum lp_parse_result result =
		    lp_stream_next(input, &payload, &len);

		if (result == LP_MORE)
			return;
		if (result == LP_BAD) {
			lp_peer_leave(peer, LP_PUSH_CONNECTING,
			    "it sent a frame of an impossible length");
			return;
		}
		message = lp_message_unpack_dataplane(payload, len);
		if (message == NULL) {
			lp_peer_leave(peer, LP_PUSH_CONNECTING,
			    "it sent %zu bytes that are no message", len);
			return;
		}
		lp_stream_drop(input, len);
		peer->heard_ms = lp_clock_now_ms();
		handle(peer, message);
		lp__pb__dataplane_message__free_unpacked(message, NULL);
	}
}

static void
attempt(struct lp_peer *peer)
{
	lp_peer_connect(peer);
	if (peer->bev == NULL)
		return;
	peer->connected_ms = peer->heard_ms = lp_clock_now_ms();
	bufferevent_setcb(peer->bev, on_read, NULL, on_event, peer);
	bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
	set_timer(peer, peer->shared->options.times.beat);
}

static void
tick(struct lp_peer *peer)
{
	const struct lp_push_times *times = &peer->shared->options.times;
	uint64_t now = lp_clock_now_ms();

	if (!peer->info.connected) {
		if (now - peer->connected_ms >= times->hello)
			lp_peer_leave(peer, LP_PUSH_CONNECTING,
			    peer->info.expected
				? "it did not say HELLO within %u ms"
				: "no connection, or no TLS, within %u ms",
			    times->hello);
	} else if (peer->pushed == 0 &&
	    now - peer->heard_ms >= times->silence) {
		/* While it applies it may be busy: that has its own limit. */
		lp_peer_leave(peer, LP_PUSH_CONNECTING,
		    "nothing heard for %u ms", times->silence);
	} else if (peer->pushed != 0 &&
	    now - peer->pushed_ms >= times->answer) {
		lp_peer_leave(peer, LP_PUSH_CONNECTING,
		    "no answer to generation %" PRIu64 " within %u ms",
		    peer->pushed, times->answer);
	} else {
		lp_peer_push_beat(peer);
	}
	if (peer->bev != NULL)
		set_timer(peer, times->beat);
}

static void
handle(struct lp_peer *peer, const Lp__Pb__DataplaneMessage *message)
{
	const struct lp_push_options *options = &peer->shared->options;
	unsigned body = message->body_case;

	/* A message that we do not know is for a later version of us. */
	if (body == LP__PB__DATAPLANE_MESSAGE__BODY__NOT_SET)
		lp_log_debug("dataplane %s: an unknown message was ignored",
		    peer_name(peer));
	else if (!peer->info.connected &&
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_HELLO)
		on_hello(peer, message->hello);
	else if (!peer->info.connected)
		lp_peer_leave(peer, LP_PUSH_CONNECTING,
		    "it sent another message (%u) before HELLO", body);
	else if (body == LP__PB__DATAPLANE_MESSAGE__BODY_APPLIED)
		on_applied(peer, message->applied);
	else if (body == LP__PB__DATAPLANE_MESSAGE__BODY_REJECTED)
		on_rejected(peer, message->rejected);
	else if (body == LP__PB__DATAPLANE_MESSAGE__BODY_BEAT)
		on_beat(peer, message->beat);
	else if (body == LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REPLY ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_CONNECTIONS_REPLY ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_KAFKA_STATS_REPLY ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_RULE_STATS_REPLY ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_DENIALS_REPLY ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REPLY ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REPLY ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_LEARNT ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_TAKEN ||
	    body == LP__PB__DATAPLANE_MESSAGE__BODY_BROKERS_SEEN)
		options->answered(options->arg, peer->index, message);
	else
		lp_peer_leave(peer, LP_PUSH_CONNECTING,
		    "it sent a message (%u) that is not for us", body);
}

static void
on_hello(struct lp_peer *peer, const Lp__Pb__Hello *hello)
{
	bool resume;

	lp_peer_hello_keep(&peer->info, hello);
	if (hello->protocol_min > LP_DATAPLANE_PROTOCOL_MAX ||
	    hello->protocol_max < LP_DATAPLANE_PROTOCOL_MIN ||
	    hello->protocol_min > hello->protocol_max) {
		lp_peer_leave(peer, LP_PUSH_INCOMPATIBLE,
		    "it speaks protocol %u to %u, this lp-controld %d to %d: "
		    "bring both to the same version",
		    hello->protocol_min, hello->protocol_max,
		    LP_DATAPLANE_PROTOCOL_MIN, LP_DATAPLANE_PROTOCOL_MAX);
		return;
	}
	if (hello->epoch > peer->shared->options.epoch) {
		fence(peer, hello->epoch);
		return;
	}
	resume = lp_peer_push_is_current(peer);
	peer->info.connected = true;
	peer->info.expected = false;
	peer->info.joined_ns = lp_clock_time_ns();
	lp_peer_push_welcome(peer, resume);
	if (!peer->info.connected)
		return;
	if (lp_peer_push_refuse(peer)) {
		peer->backoff_ms = 0;
	} else if (resume) {
		peer->backoff_ms = 0;
		lp_peer_set_state(peer, LP_PUSH_APPLIED, "");
	} else {
		lp_peer_push_full(peer);
	}
	changed(peer);
}

static void
on_applied(struct lp_peer *peer, const Lp__Pb__Applied *applied)
{
	if (peer->pushed == 0 || applied->generation != peer->pushed ||
	    applied->digest != peer->pushed_digest) {
		lp_peer_leave(peer, LP_PUSH_CONNECTING,
		    "it applied generation %" PRIu64 " (digest %016" PRIx64
		    "), %" PRIu64 " (%016" PRIx64 ") was sent",
		    applied->generation, applied->digest, peer->pushed,
		    peer->pushed_digest);
		return;
	}
	peer->info.generation = applied->generation;
	peer->info.digest = applied->digest;
	peer->info.build_ns = applied->build_ns;
	peer->info.swap_ns = applied->swap_ns;
	peer->pushed = 0;
	peer->backoff_ms = 0;
	lp_peer_push_run(peer); /* the next one, or all is well */
	changed(peer);
}

static void
on_rejected(struct lp_peer *peer, const Lp__Pb__Rejected *rejected)
{
	bool try_whole = peer->pushed_delta &&
	    (rejected->code == LP__PB__REJECTED__CODE__DIGEST ||
		rejected->code == LP__PB__REJECTED__CODE__BASE);

	if (rejected->code == LP__PB__REJECTED__CODE__FENCED) {
		fence(peer, rejected->epoch);
		return;
	}
	if (peer->pushed == 0 || rejected->generation != peer->pushed) {
		lp_peer_leave(peer, LP_PUSH_CONNECTING,
		    "it rejected generation %" PRIu64 ", %" PRIu64 " was sent",
		    rejected->generation, peer->pushed);
		return;
	}
	peer->pushed = 0;
	if (try_whole) {
		lp_peer_push_full(peer);
		return;
	}
	keep_problem(peer, rejected);
	if (rejected->generation != peer->shared->desired->number)
		lp_peer_push_run(peer);
	changed(peer);
}

static void
keep_problem(struct lp_peer *peer, const Lp__Pb__Rejected *rejected)
{
	static const char *const codes[] = {
	    [LP__PB__REJECTED__CODE__PROTOCOL] = "frames out of order",
	    [LP__PB__REJECTED__CODE__INVALID] = "invalid",
	    [LP__PB__REJECTED__CODE__DIGEST] = "digest differs",
	    [LP__PB__REJECTED__CODE__RESOURCE] = "resource",
	    [LP__PB__REJECTED__CODE__BASE] = "unknown base",
	};
	const Lp__Pb__Rejected__Problem *problem =
	    rejected->n_problems > 0 ? rejected->problems[0] : NULL;
	struct lp_push_dataplane *info = &peer->info;
	char why[LP_PUSH_TEXT_SIZE];

	info->rejected = rejected->generation;
	lp_peer_hello_text(info->object, sizeof(info->object),
	    problem ? problem->object : NULL);
	lp_peer_hello_text(
	    info->field, sizeof(info->field), problem ? problem->field : NULL);
	lp_peer_hello_text(info->text, sizeof(info->text),
	    problem && problem->text ? problem->text : codes[rejected->code]);
	snprintf(why, sizeof(why), "%s%s%s%s%s", info->object,
	    info->object[0] != '\0' ? ": " : "", info->field,
	    info->field[0] != '\0' ? ": " : "", info->text);
	lp_peer_set_state(peer, LP_PUSH_REJECTED, why);
}

static void
on_beat(struct lp_peer *peer, const Lp__Pb__Beat *beat)
{
	if (peer->pushed != 0)
		return; /* said before it had read our END */
	peer->info.generation = beat->generation;
	peer->info.digest = beat->digest;
	if (lp_peer_push_refuse(peer))
		return;
	if (lp_peer_push_is_current(peer)) {
		if (peer->info.state != LP_PUSH_APPLIED) {
			lp_peer_set_state(peer, LP_PUSH_APPLIED, "");
			changed(peer);
		}
		return;
	}
	/* It may accept tomorrow what it rejects now: a device comes back. */
	if (peer->info.state == LP_PUSH_REJECTED &&
	    lp_clock_now_ms() - peer->pushed_ms <
		peer->shared->options.times.slow)
		return;
	lp_log_info("dataplane %s runs generation %" PRIu64 ", %" PRIu64
		    " is sent",
	    peer_name(peer), beat->generation, peer->shared->desired->number);
	lp_peer_push_full(peer);
}

static void
fence(struct lp_peer *peer, uint64_t epoch)
{
	uint64_t ours = peer->shared->options.epoch;

	lp_peer_leave(peer, LP_PUSH_FENCED,
	    "it obeys epoch %" PRIu64 ", this lp-controld has epoch %" PRIu64
	    ": another one took it over; to take it back, start with "
	    "--epoch %" PRIu64,
	    epoch, ours, (epoch > ours ? epoch : ours) + 1);
}

void
lp_peer_leave(
    struct lp_peer *peer, enum lp_push_state state, const char *format, ...)
{
	const struct lp_push_times *times = &peer->shared->options.times;
	bool was_there = peer->info.connected || peer->info.expected;
	char why[LP_PUSH_TEXT_SIZE];
	unsigned wait;
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (peer->bev != NULL)
		bufferevent_free(peer->bev);
	peer->bev = NULL;
	peer->info.connected = peer->info.expected = false;
	peer->pushed = 0;
	lp_peer_set_state(peer, state, why);
	peer->backoff_ms =
	    peer->backoff_ms == 0 ? times->backoff_min : peer->backoff_ms * 2;
	if (peer->backoff_ms > times->backoff_max)
		peer->backoff_ms = times->backoff_max;
	wait = state == LP_PUSH_CONNECTING ? peer->backoff_ms : times->slow;
	/* Three to five quarters: many daemons do not come in step. */
	set_timer(peer, wait - wait / 4 + arc4random_uniform(wait / 2 + 1));
	if (was_there)
		changed(peer);
}

/* Said aloud once, not at each attempt. */
void
lp_peer_set_state(
    struct lp_peer *peer, enum lp_push_state state, const char *why)
{
	struct lp_push_dataplane *info = &peer->info;
	bool same_state = info->state == state;

	if (!same_state)
		info->since_ns = lp_clock_time_ns();
	if (same_state && strcmp(why, info->why) == 0)
		return;
	info->state = state;
	lp_peer_hello_text(info->why, sizeof(info->why), why);
	if (state == LP_PUSH_APPLIED)
		lp_log_info("dataplane %s: generation %" PRIu64 " applied",
		    peer_name(peer), info->generation);
	else if (state == LP_PUSH_SYNCHRONISING)
		lp_log_debug("dataplane %s: generation %" PRIu64 " sent",
		    peer_name(peer), peer->pushed);
	else if (state == LP_PUSH_CONNECTING)
		lp_log_info("dataplane %s: %s", peer_name(peer), why);
	else
		lp_log_warn("dataplane %s: %s: %s", peer_name(peer),
		    lp_push_state_name(state), why);
}

static void
changed(const struct lp_peer *peer)
{
	const struct lp_push_options *options = &peer->shared->options;

	options->changed(options->arg);
}

static void
set_timer(struct lp_peer *peer, unsigned ms)
{
	struct timeval wait = lp_clock_timeval(ms);

	evtimer_add(peer->timer, &wait);
}

static const char *
peer_name(const struct lp_peer *peer)
{
	return peer->info.id[0] != '\0' ? peer->info.id : peer->info.path;
}
