/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life-cycle: HELLO ▸ WELCOME ▸ anything ▸ closing ▸ done.
 *
 * Whatever is wrong with what a controller sends ends its session and nothing
 * else.  A session that is closing reads no more, and is done when its last
 * words are out.
 */
#include "dataplane/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/apply.h"
#include "dataplane/clock.h"
#include "dataplane/loss.h"
#include "dataplane/remote.h"
#include "dataplane/reply.h"
#include "dataplane/session_part.h"
#include "dataplane/session_refuse.h"
#include "proto/log.h"

enum {
	/* Last words that nobody reads are thrown away after that. */
	CLOSING_MS = 2000,
};

static void on_read(struct bufferevent *event, void *arg);
static void on_written(struct bufferevent *event, void *arg);
static void on_event(struct bufferevent *event, short what, void *arg);
static bool take_frame(struct lp_session *session, struct evbuffer *input);
static void handle(
    struct lp_session *session, const Lp__Pb__DataplaneMessage *message);
static void handle_welcome(
    struct lp_session *session, const Lp__Pb__Welcome *welcome);
static void handle_begin(
    struct lp_session *session, const Lp__Pb__Begin *begin);
static void handle_object(
    struct lp_session *session, const Lp__Pb__ObjectFrame *frame);
static void handle_end(struct lp_session *session, const Lp__Pb__End *end);
static void handle_topics(
    struct lp_session *session, const Lp__Pb__TopicIdsKnown *known);
static struct lp_report_cursor *add_request(struct lp_session *session);
static void begin_answer(struct lp_session *session);
static void drop(struct lp_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static uint64_t now_ms(void);

int
lp_session_new(struct lp_session **out, struct event_base *base,
    struct lp_dataplane *dataplane, struct bufferevent *event, const char *from)
{
	struct lp_session *session = calloc(1, sizeof(*session));
	int error;

	if (!session) {
		bufferevent_free(event);
		return -ENOMEM;
	}
	session->dataplane = dataplane;
	session->event = event;
	lp_candidate_init(&session->candidate);
	lp_liveness_init(&session->liveness, now_ms());
	snprintf(session->from, sizeof(session->from), "%s", from ? from : "");
	snprintf(session->controller, sizeof(session->controller), "%s",
	    from ? from : "a controller");
	session->anonymous = true;
	error = lp_tools_new(
	    &session->tools, base, dataplane, lp_session_output(session));
	if (!error)
		error = lp_reply_hello(lp_session_output(session), dataplane);
	if (error) {
		lp_session_free(session);
		return error;
	}
	bufferevent_setcb(event, on_read, on_written, on_event, session);
	bufferevent_setwatermark(event, EV_READ, 0, 2 * LP_FRAME_SIZE_MAX);
	bufferevent_enable(event, EV_READ | EV_WRITE);
	*out = session;
	return 0;
}

void
lp_session_free(struct lp_session *session)
{
	if (!session)
		return;
	lp_tools_free(session->tools);
	bufferevent_free(session->event);
	lp_candidate_fini(&session->candidate);
	free(session);
}

void
lp_session_tick(struct lp_session *session)
{
	uint64_t now = now_ms();
	const char *why = lp_liveness_check(&session->liveness, now);
	struct evbuffer *out = lp_session_output(session);

	if (session->done)
		return;
	if (session->closing) {
		session->done = now - session->closing_ms >= CLOSING_MS;
		return;
	}
	if (why) {
		drop(session, "%s", why);
		return;
	}
	if (!session->welcome)
		return;
	lp_session_sent(
	    session, lp_reply_beat(out, &session->dataplane->running));
	lp_session_sent(session,
	    lp_sight_report(&session->sight, session->dataplane, now, out));
}

void
lp_session_watch(struct lp_session *session)
{
	if (!session->welcome || session->closing || session->done)
		return;
	lp_session_sent(session,
	    lp_topic_share_feed(&session->topics, session->dataplane,
		lp_session_output(session)));
	/* Behind answers, not between them. */
	if (session->request_count == 0 &&
	    evbuffer_get_length(lp_session_output(session)) == 0)
		lp_session_sent(session,
		    lp_topic_share_report(&session->topics, session->dataplane,
			lp_session_output(session)));
}

void
lp_session_excuse(struct lp_session *session)
{
	session->liveness.heard_ms = now_ms();
}

void
lp_session_end(struct lp_session *session, const char *why)
{
	drop(session, "%s", why);
}

struct bufferevent *
lp_session_remote(const struct lp_session *session)
{
	return session->from[0] != '\0' && !session->done ? session->event
							  : NULL;
}

bool
lp_session_welcomed(const struct lp_session *session)
{
	return session->welcome && !session->closing && !session->done;
}

bool
lp_session_done(const struct lp_session *session)
{
	return session->done;
}

static void
on_read(struct bufferevent *event, void *arg)
{
	struct lp_session *session = arg;
	struct evbuffer *input = bufferevent_get_input(event);
	bool frames = false;

	while (!session->closing && take_frame(session, input))
		frames = true;
	lp_liveness_heard(&session->liveness, now_ms(), frames,
	    evbuffer_get_length(input) > 0);
}

/* All is written: the place for more of a long answer. */
static void
on_written(struct bufferevent *event, void *arg)
{
	struct lp_session *session = arg;
	bool more;
	int error;

	(void)event;
	if (session->closing) {
		session->done = true;
		return;
	}
	if (session->request_count == 0) {
		if (lp_topic_share_reports(&session->topics))
			lp_session_watch(session);
		return;
	}
	error = lp_report_next(lp_session_output(session), session->dataplane,
	    &session->requests[0], &more);
	if (!error && !more)
		memmove(session->requests, session->requests + 1,
		    --session->request_count * sizeof(*session->requests));
	lp_session_sent(session, error);
}

static void
on_event(struct bufferevent *event, short what, void *arg)
{
	struct lp_session *session = arg;
	char why[LP_TLS_WHY_SIZE] = "";

	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) || session->done)
		return;
	if (session->from[0] != '\0')
		lp_remote_why(event, what, why);
	else if (what & BEV_EVENT_ERROR)
		snprintf(why, sizeof(why), "%s",
		    evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	session->done = true;
	lp_log_info("controller %s: disconnected%s%s", session->controller,
	    why[0] != '\0' ? ": " : "", why);
}

/* False if there is none, or the session is over. */
static bool
take_frame(struct lp_session *session, struct evbuffer *input)
{
	Lp__Pb__DataplaneMessage *message;
	const uint8_t *bytes;
	const uint8_t *payload;
	size_t have = evbuffer_get_length(input);
	size_t len = LP_FRAME_HEADER_SIZE;
	enum lp_parse_result result = LP_MORE;

	/* First the header, then the whole frame, in one piece. */
	while (result == LP_MORE && len <= have) {
		bytes = evbuffer_pullup(input, (ev_ssize_t)len);
		if (!bytes) {
			drop(
			    session, "no memory for a frame of %zu bytes", len);
			return false;
		}
		result = lp_frame_next(bytes, len, &payload, &len);
	}
	if (result == LP_MORE)
		return false;
	if (result == LP_BAD) {
		drop(session, "a frame of no valid length");
		return false;
	}
	message = lp_message_unpack_dataplane(payload, len);
	if (!message) {
		drop(session, "a frame of %zu bytes that cannot be read", len);
		return false;
	}
	handle(session, message);
	lp__pb__dataplane_message__free_unpacked(message, NULL);
	evbuffer_drain(input, LP_FRAME_HEADER_SIZE + len);
	return true;
}

static void
handle(struct lp_session *session, const Lp__Pb__DataplaneMessage *message)
{
	struct lp_report_cursor *cursor;

	if (!session->welcome &&
	    message->body_case != LP__PB__DATAPLANE_MESSAGE__BODY_WELCOME) {
		drop(session, "it did not begin with WELCOME");
		return;
	}
	switch (message->body_case) {
	case LP__PB__DATAPLANE_MESSAGE__BODY_WELCOME:
		handle_welcome(session, message->welcome);
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_BEGIN:
		handle_begin(session, message->begin);
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT:
		handle_object(session, message->object);
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_END:
		handle_end(session, message->end);
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_BEAT:
		/* It lives; what it wants, it sends. */
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_STATS_REQUEST:
		lp_session_sent(session,
		    lp_report_stats(lp_session_output(session),
			session->dataplane, message->stats_request->cookie));
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_CONNECTIONS_REQUEST:
	case LP__PB__DATAPLANE_MESSAGE__BODY_KAFKA_STATS_REQUEST:
	case LP__PB__DATAPLANE_MESSAGE__BODY_RULE_STATS_REQUEST:
	case LP__PB__DATAPLANE_MESSAGE__BODY_DENIALS_REQUEST:
		cursor = add_request(session);
		if (cursor)
			lp_report_begin(cursor, message);
		begin_answer(session);
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_TRACE_REQUEST:
		lp_session_sent(session,
		    lp_tools_trace(session->tools, message->trace_request));
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REQUEST:
		lp_session_sent(session,
		    lp_tools_capture(session->tools, message->capture_request));
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_STOP:
		lp_tools_stop(session->tools, message->capture_stop);
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_KNOWN:
		handle_topics(session, message->topic_ids_known);
		break;
	default:
		drop(session, "a message of a type that is not for us (%d)",
		    (int)message->body_case);
	}
}

static void
handle_welcome(struct lp_session *session, const Lp__Pb__Welcome *welcome)
{
	if (session->welcome) {
		drop(session, "a second WELCOME");
		return;
	}
	if (welcome->controller) {
		snprintf(session->controller, sizeof(session->controller), "%s",
		    welcome->controller);
		session->anonymous = false;
	}
	if (welcome->protocol < LP_DATAPLANE_PROTOCOL_MIN ||
	    welcome->protocol > LP_DATAPLANE_PROTOCOL_MAX) {
		drop(session, "protocol %" PRIu32 ", but we speak %d to %d",
		    welcome->protocol, LP_DATAPLANE_PROTOCOL_MIN,
		    LP_DATAPLANE_PROTOCOL_MAX);
		return;
	}
	if (lp_session_refuse_epoch(session, welcome->epoch))
		return;
	session->welcome = true;
	session->epoch = welcome->epoch;
	lp_apply_epoch(
	    session->dataplane, welcome->epoch, lp_session_refuse_id(session));
	lp_loss_turn(session->dataplane, true);
	lp_log_info("controller %s: connected%s%s, epoch %" PRIu64 ", %s",
	    session->controller, session->from[0] ? " as " : "", session->from,
	    welcome->epoch,
	    welcome->sync == LP__PB__WELCOME__SYNC__RESUME
		? "what runs is what it wants"
		: "a whole generation follows");
}

static void
handle_begin(struct lp_session *session, const Lp__Pb__Begin *begin)
{
	struct lp_refusal refusal;
	int error = lp_candidate_begin(&session->candidate, begin,
	    session->epoch, &session->dataplane->running, &refusal);

	lp_session_refuse_generation(
	    session, error, &refusal, begin->generation);
}

static void
handle_object(struct lp_session *session, const Lp__Pb__ObjectFrame *frame)
{
	struct lp_refusal refusal;
	int error = lp_candidate_object(&session->candidate, frame, &refusal);

	lp_session_refuse_generation(
	    session, error, &refusal, session->candidate.generation);
}

static void
handle_end(struct lp_session *session, const Lp__Pb__End *end)
{
	struct lp_dataplane *dataplane = session->dataplane;
	struct lp_candidate *candidate = &session->candidate;
	struct lp_applied applied;
	struct lp_refusal refusal;
	int error =
	    lp_candidate_end(candidate, end, &dataplane->running, &refusal);

	if (error == -ECANCELED)
		return;
	if (!error) {
		error = lp_apply_candidate(
		    dataplane, candidate, &applied, &refusal);
		lp_candidate_fini(candidate);
		if (error) {
			lp_session_refuse_send(session, &refusal);
			return;
		}
		lp_log_info("generation %" PRIu64 " runs: %zu objects, built "
			    "in %" PRIu64 " us, swapped in %" PRIu64 " us",
		    dataplane->running.generation,
		    dataplane->running.config.count, applied.build_ns / 1000,
		    applied.swap_ns / 1000);
		lp_session_sent(session,
		    lp_reply_applied(lp_session_output(session),
			&dataplane->running, &applied));
		return;
	}
	lp_session_refuse_generation(session, error, &refusal, end->generation);
}

static void
handle_topics(struct lp_session *session, const Lp__Pb__TopicIdsKnown *known)
{
	char why[LP_WHY_SIZE];

	if (lp_topic_share_take(&session->topics, known, why) != 0)
		drop(session, "%s", why);
	else
		lp_session_sent(session,
		    lp_topic_share_feed(&session->topics, session->dataplane,
			lp_session_output(session)));
}

/* A place for one more long answer; NULL: there is none, and no session. */
static struct lp_report_cursor *
add_request(struct lp_session *session)
{
	if (session->request_count == LP_QUESTIONS_MAX) {
		drop(
		    session, "more than %d requests at once", LP_QUESTIONS_MAX);
		return NULL;
	}
	return &session->requests[session->request_count++];
}

/* With others in front of it, it is begun when all is written. */
static void
begin_answer(struct lp_session *session)
{
	if (evbuffer_get_length(lp_session_output(session)) == 0)
		on_written(session->event, session);
}

/* After every frame of ours. */
void
lp_session_sent(struct lp_session *session, int error)
{
	if (error)
		drop(session, "no answer could be made: %s", strerror(-error));
	else if (evbuffer_get_length(lp_session_output(session)) >
	    LP_SESSION_OUTPUT_MAX)
		drop(session, "it does not read its answers");
}

static void
drop(struct lp_session *session, const char *format, ...)
{
	char why[LP_WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (!session->done)
		lp_log_warn(
		    "controller %s: dropped: %s", session->controller, why);
	session->closing = true;
	session->done = true;
	bufferevent_disable(session->event, EV_READ | EV_WRITE);
}

void
lp_session_close(struct lp_session *session)
{
	session->closing = true;
	session->closing_ms = now_ms();
	bufferevent_disable(session->event, EV_READ);
}

struct evbuffer *
lp_session_output(struct lp_session *session)
{
	return bufferevent_get_output(session->event);
}

static uint64_t
now_ms(void)
{
	return lp_clock_ns() / 1000000;
}
