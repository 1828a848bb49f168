/* SPDX-License-Identifier: Apache-2.0 */
/* The table of who has changed what, as an answer: a part of audit.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controld/audit.h"
#include "proto/message.h"

enum {
	SHORT_SIZE = 96, /* who, from, role, request, result */
	/* A text was put behind another, once. */
	ROW_TEXT_SIZE = 2 * LP_STORE_AUDIT_TEXT + 16,
	ROW_SIZE = ROW_TEXT_SIZE + 5 * SHORT_SIZE + 64,
	/* So many fit into one frame, whatever they are. */
	ROWS = LP_FRAME_SIZE_MAX / ROW_SIZE - 1,
};

struct texts {
	char who[SHORT_SIZE], from[SHORT_SIZE], role[SHORT_SIZE];
	char request[SHORT_SIZE], result[SHORT_SIZE];
	char text[ROW_TEXT_SIZE];
};

/* One frame of the answer, as it is filled. */
struct frame {
	const struct lp_context *context;
	const struct lp_reply_to *to;
	size_t count;
	Lp__Pb__AuditRow rows[ROWS];
	Lp__Pb__AuditRow *list[ROWS];
	struct texts texts[ROWS];
};

static int add(void *arg, const struct lp_store_audit *audit);
static void flush(struct frame *frame, bool more);

void
lp_audit_reply(const struct lp_context *context, const struct lp_reply_to *to,
    const Lp__Pb__AuditRequest *wanted)
{
	const struct lp_reply_failure failure = {
	    .result = LP__PB__FAILURE__RESULT__REFUSED};
	struct frame *frame = calloc(1, sizeof(*frame));
	char why[LP_STORE_WHY_SIZE] = "out of memory";
	int err = -ENOMEM;

	if (frame != NULL) {
		frame->context = context;
		frame->to = to;
		err = lp_store_audit_each(context->store,
		    wanted->has_limit ? wanted->limit : 0, add, frame, why);
	}
	if (err == 0)
		flush(frame, false);
	else
		lp_reply_failure(context, to, &failure, "%s", why);
	free(frame);
}

static char *
copy(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
	return to;
}

static int
add(void *arg, const struct lp_store_audit *audit)
{
	struct frame *frame = arg;
	struct texts *texts;
	Lp__Pb__AuditRow *row;

	if (frame->count == ROWS)
		flush(frame, true);
	texts = &frame->texts[frame->count];
	row = frame->list[frame->count] = &frame->rows[frame->count];
	frame->count++;
	lp__pb__audit_row__init(row);
	row->number = audit->number;
	row->time_ns = audit->time_ns;
	row->who = copy(texts->who, SHORT_SIZE, audit->who);
	row->from = copy(texts->from, SHORT_SIZE, audit->from);
	row->role = copy(texts->role, SHORT_SIZE, audit->role);
	row->request = copy(texts->request, SHORT_SIZE, audit->request);
	row->result = copy(texts->result, SHORT_SIZE, audit->result);
	row->text = copy(texts->text, ROW_TEXT_SIZE, audit->text);
	row->has_cut = row->cut = audit->cut;
	row->has_generation = audit->generation != 0;
	row->generation = audit->generation;
	return 0;
}

static void
flush(struct frame *frame, bool more)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__AuditReply rows = LP__PB__AUDIT_REPLY__INIT;

	rows.n_rows = frame->count;
	rows.rows = frame->list;
	reply.has_more = reply.more = more;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_AUDIT;
	reply.audit = &rows;
	lp_reply_send(frame->context, frame->to, &reply);
	frame->count = 0;
}
