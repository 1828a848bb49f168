/* SPDX-License-Identifier: Apache-2.0 */
/* A session from inside.  For session*.c only. */
#ifndef LP_DATAPLANE_SESSION_PART_H
#define LP_DATAPLANE_SESSION_PART_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "dataplane/liveness.h"
#include "dataplane/report.h"
#include "dataplane/session.h"
#include "dataplane/sight.h"
#include "dataplane/tools.h"
#include "dataplane/topic_share.h"

enum { LP_SESSION_CONTROLLER_SIZE = 128 };

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
	char controller[LP_SESSION_CONTROLLER_SIZE]; /* who it is */
	bool anonymous; /* it has not said */
	/* Of another machine: the name of its certificate, and its address. */
	char from[LP_SESSION_FROM_SIZE];
	/* Answers in hand; the first one is being sent. */
	struct lp_report_cursor requests[LP_QUESTIONS_MAX];
	unsigned request_count;
};

/* After every frame of ours: the error of making it. */
void lp_session_sent(struct lp_session *session, int error);

/* Nothing more is read, and it is over when all is written. */
void lp_session_close(struct lp_session *session);

struct evbuffer *lp_session_output(struct lp_session *session);

#endif
