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
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "dataplane/apply.h"
#include "dataplane/clock.h"
#include "dataplane/liveness.h"
#include "dataplane/loss.h"
#include "dataplane/reply.h"
#include "dataplane/report.h"
#include "dataplane/sight.h"
#include "dataplane/tools.h"
#include "dataplane/topic_share.h"
#include "proto/log.h"

enum {
	CONTROLLER_SIZE = 128,
	/* Last words that nobody reads are thrown away after that. */
	CLOSING_MS = 2000,
};

struct lp_session {
	struct lp_dataplane *dataplane;
	struct bufferevent *event;
	struct lp_liveness liveness;
	struct lp_candidate candidate;
	struct lp_tools *tools;
	struct lp_topic_share topics;
	struct lp_sight sight;
	bool welcome; /* was received */
	bool closing;
	bool done;
	uint64_t closing_ms; /* since when */
	uint64_t epoch; /* of WELCOME */
	char controller[CONTROLLER_SIZE]; /* who it is */
	bool anonymous; /* it has not said */
	/* Answers in hand; the first one is being sent. */
	struct lp_report_cursor requests[LP_QUESTIONS_MAX];
	unsigned request_count;
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
static void refused(struct lp_session *session, int error,
    struct lp_refusal *refusal, uint64_t generation);
static void send_refusal(
    struct lp_session *session, const struct lp_refusal *refusal);
static bool fenced(const struct lp_session *session, uint64_t epoch);
static uint64_t controller_id(const struct lp_session *session);
static void fence(struct lp_session *session, uint64_t epoch);
static void check_sent(struct lp_session *session, int error);
static void drop(struct lp_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void close_after_output(struct lp_session *session);
static struct evbuffer *output(struct lp_session *session);
static uint64_t now_ms(void);

int
lp_session_new(struct lp_session **out, struct event_base *base,
    struct lp_dataplane *dataplane, int socket)
{
	struct lp_session *session = calloc(1, sizeof(*session));
	int error = -ENOMEM;

	if (!session) {
		close(socket);
		return -ENOMEM;
	}
	session->dataplane = dataplane;
	lp_candidate_init(&session->candidate);
	lp_liveness_init(&session->liveness, now_ms());
	strcpy(session->controller, "a controller");
	session->anonymous = true;
	session->event =
	    bufferevent_socket_new(base, socket, BEV_OPT_CLOSE_ON_FREE);
	if (!session->event) {
		close(socket);
		goto fail;
	}
	error = lp_tools_new(&session->tools, base, dataplane, output(session));
	if (!error)
		error = lp_reply_hello(output(session), dataplane);
	if (error)
		goto fail;
	bufferevent_setcb(
	    session->event, on_read, on_written, on_event, session);
	bufferevent_setwatermark(
	    session->event, EV_READ, 0, 2 * LP_FRAME_SIZE_MAX);
	bufferevent_enable(session->event, EV_READ | EV_WRITE);
	*out = session;
	return 0;
fail:
	lp_session_free(session);
	return error;
}

void
lp_session_free(struct lp_session *session)
{
	if (!session)
		return;
	lp_tools_free(session->tools);
	if (session->event)
		bufferevent_free(session->event);
	lp_candidate_fini(&session->candidate);
	free(session);
}

void
lp_session_tick(struct lp_session *session)
{
	uint64_t now = now_ms();
	const char *why = lp_liveness_check(&session->liveness, now);
	struct evbuffer *out = output(session);

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
	check_sent(session, lp_reply_beat(out, &session->dataplane->running));
	check_sent(session,
	    lp_sight_report(&session->sight, session->dataplane, now, out));
}

void
lp_session_watch(struct lp_session *session)
{
	if (!session->welcome || session->closing || session->done)
		return;
	check_sent(session,
	    lp_topic_share_feed(
		&session->topics, session->dataplane, output(session)));
	/* Behind answers, not between them. */
	if (session->request_count == 0 &&
	    evbuffer_get_length(output(session)) == 0)
		check_sent(session,
		    lp_topic_share_report(
			&session->topics, session->dataplane, output(session)));
}

void
lp_session_excuse(struct lp_session *session)
{
	session->liveness.heard_ms = now_ms();
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
	error = lp_report_next(
	    output(session), session->dataplane, &session->requests[0], &more);
	if (!error && !more)
		memmove(session->requests, session->requests + 1,
		    --session->request_count * sizeof(*session->requests));
	check_sent(session, error);
}

static void
on_event(struct bufferevent *event, short what, void *arg)
{
	struct lp_session *session = arg;

	(void)event;
	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) || session->done)
		return;
	session->done = true;
	lp_log_info("controller %s: disconnected%s%s", session->controller,
	    what & BEV_EVENT_ERROR ? ": " : "",
	    what & BEV_EVENT_ERROR
		? evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR())
		: "");
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
		check_sent(session,
		    lp_report_stats(output(session), session->dataplane,
			message->stats_request->cookie));
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
		check_sent(session,
		    lp_tools_trace(session->tools, message->trace_request));
		break;
	case LP__PB__DATAPLANE_MESSAGE__BODY_CAPTURE_REQUEST:
		check_sent(session,
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
	if (fenced(session, welcome->epoch)) {
		fence(session, welcome->epoch);
		return;
	}
	session->welcome = true;
	session->epoch = welcome->epoch;
	lp_apply_epoch(
	    session->dataplane, welcome->epoch, controller_id(session));
	lp_loss_turn(session->dataplane, true);
	lp_log_info("controller %s: connected, epoch %" PRIu64 ", %s",
	    session->controller, welcome->epoch,
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

	refused(session, error, &refusal, begin->generation);
}

static void
handle_object(struct lp_session *session, const Lp__Pb__ObjectFrame *frame)
{
	struct lp_refusal refusal;
	int error = lp_candidate_object(&session->candidate, frame, &refusal);

	refused(session, error, &refusal, session->candidate.generation);
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
			send_refusal(session, &refusal);
			return;
		}
		lp_log_info("generation %" PRIu64 " runs: %zu objects, built "
			    "in %" PRIu64 " us, swapped in %" PRIu64 " us",
		    dataplane->running.generation,
		    dataplane->running.config.count, applied.build_ns / 1000,
		    applied.swap_ns / 1000);
		check_sent(session,
		    lp_reply_applied(
			output(session), &dataplane->running, &applied));
		return;
	}
	refused(session, error, &refusal, end->generation);
}

static void
handle_topics(struct lp_session *session, const Lp__Pb__TopicIdsKnown *known)
{
	char why[LP_WHY_SIZE];

	if (lp_topic_share_take(&session->topics, known, why) != 0)
		drop(session, "%s", why);
	else
		check_sent(session,
		    lp_topic_share_feed(
			&session->topics, session->dataplane, output(session)));
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
	if (evbuffer_get_length(output(session)) == 0)
		on_written(session->event, session);
}

/* Says why; and ends the session if the controller has lost its place. */
static void
refused(struct lp_session *session, int error, struct lp_refusal *refusal,
    uint64_t generation)
{
	if (!error)
		return;
	if (error != -EINVAL) {
		*refusal = (struct lp_refusal){
		    .code = LP__PB__REJECTED__CODE__RESOURCE,
		    .generation = generation,
		    .field = "",
		};
		snprintf(
		    refusal->why, sizeof(refusal->why), "%s", strerror(-error));
		session->candidate.state = LP_CANDIDATE_REFUSED;
	}
	send_refusal(session, refusal);
	if (refusal->out_of_place ||
	    refusal->code == LP__PB__REJECTED__CODE__FENCED)
		close_after_output(session);
}

static void
send_refusal(struct lp_session *session, const struct lp_refusal *refusal)
{
	lp_log_warn("controller %s: generation %" PRIu64 " refused: %s%s%s%s%s",
	    session->controller, refusal->generation, refusal->object,
	    refusal->object[0] ? ": " : "", refusal->field,
	    refusal->field[0] ? ": " : "", refusal->why);
	check_sent(session,
	    lp_reply_rejected(output(session), refusal,
		session->dataplane->running.epoch_seen));
}

/*
 * A lower epoch is over.  An equal one is only the same lp-controld again: a
 * new database starts with epoch 1, too, and must not replace what an older
 * one has put here.
 */
static bool
fenced(const struct lp_session *session, uint64_t epoch)
{
	const struct lp_running *running = &session->dataplane->running;
	uint64_t id = controller_id(session);

	if (epoch != running->epoch_seen)
		return epoch < running->epoch_seen;
	return running->controller_seen != 0 && id != 0 &&
	    id != running->controller_seen;
}

/* Of host name and database; 0 if it has not said who it is. */
static uint64_t
controller_id(const struct lp_session *session)
{
	if (session->anonymous)
		return 0;
	return XXH3_64bits(session->controller, strlen(session->controller));
}

static void
fence(struct lp_session *session, uint64_t epoch)
{
	uint64_t seen = session->dataplane->running.epoch_seen;
	struct lp_refusal refusal = {
	    .code = LP__PB__REJECTED__CODE__FENCED,
	    .field = "",
	};

	if (epoch < seen)
		snprintf(refusal.why, sizeof(refusal.why),
		    "epoch %" PRIu64 " is over: %" PRIu64 " was seen", epoch,
		    seen);
	else
		snprintf(refusal.why, sizeof(refusal.why),
		    "epoch %" PRIu64 " is that of another lp-controld", epoch);
	send_refusal(session, &refusal);
	close_after_output(session);
}

/* After every frame of ours. */
static void
check_sent(struct lp_session *session, int error)
{
	if (error)
		drop(session, "no answer could be made: %s", strerror(-error));
	else if (evbuffer_get_length(output(session)) > LP_SESSION_OUTPUT_MAX)
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

static void
close_after_output(struct lp_session *session)
{
	session->closing = true;
	session->closing_ms = now_ms();
	bufferevent_disable(session->event, EV_READ);
}

static struct evbuffer *
output(struct lp_session *session)
{
	return bufferevent_get_output(session->event);
}

static uint64_t
now_ms(void)
{
	return lp_clock_ns() / 1000000;
}
