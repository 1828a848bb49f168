/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/text.h"
#include "proto/who.h"

enum {
	ROW_SIZE = LP_HISTORY_COMMENT_SIZE + LP_WHO_SIZE + 64,
	/* So many fit into one frame, whatever they are. */
	ROWS = LP_FRAME_SIZE_MAX / ROW_SIZE - 1,
};

/* One frame of the answer, as it is filled. */
struct frame {
	const struct lp_context *context;
	const struct lp_reply_to *to;
	size_t count;
	Lp__Pb__StoredGeneration rows[ROWS];
	Lp__Pb__StoredGeneration *list[ROWS];
	char who[ROWS][LP_WHO_SIZE];
	char comments[ROWS][LP_HISTORY_COMMENT_SIZE];
};

static int add(void *arg, const struct lp_store_past *past);
static void flush(struct frame *frame, bool more);

void
lp_history_reply(const struct lp_context *context, const struct lp_reply_to *to,
    const Lp__Pb__HistoryRequest *wanted)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	struct frame *frame = calloc(1, sizeof(*frame));
	char why[LP_STORE_WHY_SIZE] = "out of memory";
	int err = -ENOMEM;

	if (frame != NULL) {
		frame->context = context;
		frame->to = to;
		err = lp_store_history(context->store,
		    wanted->has_limit ? wanted->limit : 0, add, frame, why);
	}
	if (err == 0)
		flush(frame, false);
	else
		lp_reply_failure(context, to, &failure, "%s", why);
	free(frame);
}

static int
add(void *arg, const struct lp_store_past *past)
{
	struct frame *frame = arg;
	Lp__Pb__StoredGeneration *row;
	size_t len = lp_text_fit(
	    past->comment, strlen(past->comment), LP_HISTORY_COMMENT_SIZE - 1);
	size_t n;

	if (frame->count == ROWS)
		flush(frame, true);
	n = frame->count++;
	row = frame->list[n] = &frame->rows[n];
	lp__pb__stored_generation__init(row);
	row->number = past->number;
	row->time_ns = past->time_ns;
	row->digest = past->digest;
	row->who = frame->who[n];
	snprintf(row->who, LP_WHO_SIZE, "%s", past->who);
	row->comment = frame->comments[n];
	memcpy(row->comment, past->comment, len);
	row->comment[len] = '\0';
	row->has_cut = row->cut = past->comment[len] != '\0';
	return 0;
}

static void
flush(struct frame *frame, bool more)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__HistoryReply history = LP__PB__HISTORY_REPLY__INIT;

	history.n_generations = frame->count;
	history.generations = frame->list;
	reply.has_more = reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_HISTORY;
	reply.history = &history;
	lp_reply_send(frame->context, frame->to, &reply);
	frame->count = 0;
}
