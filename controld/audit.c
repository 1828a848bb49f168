/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/audit_limit.h"
#include "controld/clock.h"
#include "proto/log.h"

enum {
	FLUSH_MS = LP_AUDIT_LIMIT_EVERY_MS,
	TEXT_SIZE = LP_STORE_AUDIT_TEXT + 128,
	/* Of a line in the journal, which has 1024 bytes in all. */
	LINE_TEXT_SIZE = 512,
	LINE_NAME_SIZE = 160,
};

struct lp_audit {
	struct lp_context *context;
	struct event *timer; /* pending while rows are missing */
	struct lp_audit_limit limit;
};

static void on_timer(evutil_socket_t fd, short what, void *arg);
static void flush(struct lp_audit *audit, bool all);
static void write_row(struct lp_audit *audit, struct lp_store_audit *row);
static void write_limited(struct lp_audit *audit, struct lp_store_audit *row);
static void amend(struct lp_audit *audit, struct lp_store_audit *row);
static void log_row(const struct lp_store_audit *row);
static const char *result_of(const Lp__Pb__ControlReply *reply);
static uint64_t generation_of(const Lp__Pb__ControlReply *reply);
static void describe(char text[TEXT_SIZE], const struct lp_reply_audit *about,
    const Lp__Pb__ControlReply *reply);
static const char *role_text(enum lp_role role);
static char *quote(char *to, size_t size, const char *text);

int
lp_audit_new(struct lp_audit **out, struct lp_context *context)
{
	struct lp_audit *audit = calloc(1, sizeof(*audit));

	if (audit == NULL)
		return -ENOMEM;
	audit->context = context;
	audit->timer = evtimer_new(context->base, on_timer, audit);
	if (audit->timer == NULL) {
		free(audit);
		return -ENOMEM;
	}
	*out = audit;
	return 0;
}

void
lp_audit_free(struct lp_audit *audit)
{
	if (audit == NULL)
		return;
	flush(audit, true);
	event_free(audit->timer);
	free(audit);
}

struct lp_reply_audit
lp_audit_about(
    const struct lp_serve_peer *peer, enum lp_role role, const char *request)
{
	struct lp_reply_audit about = {
	    .role = (uint8_t)role, .request = request};

	snprintf(about.who, sizeof(about.who), "%s", peer->who);
	snprintf(about.from, sizeof(about.from), "%s", peer->from);
	return about;
}

struct lp_store_audit
lp_audit_row(const struct lp_reply_audit *about, const char *text)
{
	return (struct lp_store_audit){
	    .time_ns = lp_clock_time_ns(),
	    .who = about->who,
	    .from = about->from,
	    .role = role_text(about->role),
	    .request = about->request,
	    .result = "done",
	    .text = text != NULL ? text : "",
	};
}

void
lp_audit_answered(struct lp_audit *audit, const struct lp_reply_audit *about,
    const Lp__Pb__ControlReply *reply)
{
	struct lp_store_audit row;
	char text[TEXT_SIZE];

	describe(text, about, reply);
	row = lp_audit_row(about, text);
	row.result = result_of(reply);
	row.number = about->number;
	if (about->number == 0) {
		write_limited(audit, &row);
	} else {
		row.generation = generation_of(reply);
		amend(audit, &row);
	}
}

void
lp_audit_forbidden(struct lp_audit *audit, const struct lp_serve_peer *peer,
    enum lp_role role, const char *request)
{
	const struct lp_reply_audit about = lp_audit_about(peer, role, request);
	struct lp_store_audit row;
	char text[TEXT_SIZE] = "";

	if (role == LP_ROLE_NONE && peer->role[0] != '\0')
		snprintf(
		    text, sizeof(text), "\"%.80s\" is no role", peer->role);
	row = lp_audit_row(&about, text);
	row.result = "forbidden";
	write_limited(audit, &row);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval wait = lp_clock_timeval(FLUSH_MS);
	struct lp_audit *audit = arg;

	(void)fd;
	(void)what;
	flush(audit, false);
	if (lp_audit_limit_waits(&audit->limit))
		evtimer_add(audit->timer, &wait);
}

/* One row for all of somebody that are missing. */
static void
flush(struct lp_audit *audit, bool all)
{
	const char *who;
	uint64_t missed;

	while ((missed = lp_audit_limit_due(
		    &audit->limit, lp_clock_now_ms(), all, &who)) > 0) {
		char text[TEXT_SIZE];
		struct lp_store_audit row = {
		    .time_ns = lp_clock_time_ns(),
		    .who = who,
		    .from = "",
		    .role = "",
		    .request = "",
		    .result = "refused",
		    .text = text,
		};

		snprintf(text, sizeof(text), "and %" PRIu64 " more", missed);
		write_row(audit, &row);
	}
}

static void
write_row(struct lp_audit *audit, struct lp_store_audit *row)
{
	char why[LP_STORE_WHY_SIZE];

	log_row(row);
	if (lp_store_audit_add(audit->context->store, row, why) != 0)
		lp_log_error("not in the audit table: %s", why);
}

static void
write_limited(struct lp_audit *audit, struct lp_store_audit *row)
{
	const struct timeval wait = lp_clock_timeval(FLUSH_MS);
	char text[TEXT_SIZE + 64];
	uint64_t missed;

	if (!lp_audit_limit_take(
		&audit->limit, row->who, lp_clock_now_ms(), &missed)) {
		if (!evtimer_pending(audit->timer, NULL))
			evtimer_add(audit->timer, &wait);
		return;
	}
	if (missed > 0) {
		snprintf(text, sizeof(text), "(%" PRIu64 " more before it) %s",
		    missed, row->text);
		row->text = text;
	}
	write_row(audit, row);
}

/* It is stored, with the change: only what has failed is to be added. */
static void
amend(struct lp_audit *audit, struct lp_store_audit *row)
{
	char why[LP_STORE_WHY_SIZE];

	log_row(row);
	if (strcmp(row->result, "done") != 0 &&
	    lp_store_audit_result(audit->context->store, row->number,
		row->result, row->text, why) != 0)
		lp_log_error("not in the audit table: %s", why);
}

static void
log_row(const struct lp_store_audit *row)
{
	char who[LINE_NAME_SIZE], text[LINE_TEXT_SIZE], generation[48] = "";

	if (row->generation != 0)
		snprintf(generation, sizeof(generation), " generation=%" PRIu64,
		    row->generation);
	lp_log_info("audit who=%s from=%s role=%s request=%s result=%s%s "
		    "text=%s",
	    quote(who, sizeof(who), row->who), row->from, row->role,
	    row->request, row->result, generation,
	    quote(text, sizeof(text), row->text));
}

static const char *
result_of(const Lp__Pb__ControlReply *reply)
{
	if (reply->body_case != LP__PB__CONTROL_REPLY__BODY_FAILURE)
		return "done";
	switch (reply->failure->result) {
	case LP__PB__FAILURE__RESULT__TIMEOUT:
		return "timeout";
	case LP__PB__FAILURE__RESULT__REJECTED:
		return "rejected";
	case LP__PB__FAILURE__RESULT__CONFLICT:
		return "conflict";
	default:
		return "refused";
	}
}

static uint64_t
generation_of(const Lp__Pb__ControlReply *reply)
{
	if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_TRANSACTION)
		return reply->transaction->generation;
	if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_CONFIRM)
		return reply->confirm->generation;
	return 0;
}

/* What was typed; and of what was not done, why. */
static void
describe(char text[TEXT_SIZE], const struct lp_reply_audit *about,
    const Lp__Pb__ControlReply *reply)
{
	const char *typed = about->text != NULL ? about->text : "";
	const Lp__Pb__Failure *failure;

	if (reply->body_case != LP__PB__CONTROL_REPLY__BODY_FAILURE) {
		snprintf(text, TEXT_SIZE, "%s", typed);
		return;
	}
	failure = reply->failure;
	/* It is in the row already. */
	if (about->number != 0)
		typed = "";
	snprintf(text, TEXT_SIZE, "%s%s%s%s%s",
	    failure->object != NULL ? failure->object : "",
	    failure->object != NULL ? ": " : "",
	    failure->text != NULL ? failure->text : "",
	    typed[0] != '\0' ? ": " : "", typed);
}

static const char *
role_text(enum lp_role role)
{
	return role == LP_ROLE_NONE ? "" : lp_role_word(role);
}

/* In quotes, and so that it ends where it says. */
static char *
quote(char *to, size_t size, const char *text)
{
	char *at = to, *end = to + size - sizeof("x\"");

	*at++ = '"';
	for (; *text != '\0' && at < end; text++) {
		if (*text == '"' || *text == '\\')
			*at++ = '\\';
		*at++ = *text;
	}
	*at++ = '"';
	*at = '\0';
	return to;
}
