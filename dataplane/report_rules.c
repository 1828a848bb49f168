/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters are the region's, by slot; which rules there are and in what order
 * is the running snapshot's, names and texts are the configuration's.
 *
 * An answer is not of one moment.  Between two frames another generation may
 * come: so a cursor is no index, but the place in the order behind the rule
 * that was looked at last.  A rule whose priority changes meanwhile may be
 * told twice or not at all.
 */
#include <errno.h>
#include <stdlib.h>

#include "dataplane/clock.h"
#include "dataplane/pipeline/rules.h"
#include "dataplane/reply.h"
#include "dataplane/report.h"

struct frame {
	Lp__Pb__RuleStatsReply reply;
	size_t bytes; /* of rows so far, packed */
	Lp__Pb__RuleStats *list[LP_ROWS_MAX];
	Lp__Pb__RuleStats rows[LP_ROWS_MAX];
};

static uint32_t find_place(
    const struct lp_rules *rules, const struct lp_report_cursor *cursor);
static bool add_row(struct frame *frame, const struct lp_dataplane *dataplane,
    const struct lp_rules_row *row, struct lp_report_cursor *cursor);
static bool is_wanted(const struct lp_report_cursor *cursor, uint32_t id);
static bool fill_counts(Lp__Pb__RuleStats *message,
    const struct lp_region *region, const struct lp_rules_row *row);
static void fill_texts(
    Lp__Pb__RuleStats *message, const struct lp_config *config);
static int send_frame(struct evbuffer *out, struct frame *frame,
    const struct lp_report_cursor *cursor, bool more);

void
lp_report_rules_begin(
    struct lp_report_cursor *cursor, const Lp__Pb__RuleStatsRequest *request)
{
	*cursor = (struct lp_report_cursor){
	    .cookie = request->cookie,
	    .list = LP_REPORT_RULES,
	    .left = request->limit == 0 ? UINT32_MAX : request->limit,
	    .all = request->all || request->n_ids > 0,
	};
	while (cursor->id_count < request->n_ids &&
	    cursor->id_count < LP_RULES_ASKED_MAX) {
		cursor->ids[cursor->id_count] = request->ids[cursor->id_count];
		cursor->id_count++;
	}
}

int
lp_report_rules(struct evbuffer *out, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor, bool *more)
{
	const struct lp_snapshot *snapshot =
	    lp_snapshot_get((struct lp_snapshot_cell *)&dataplane->cell);
	const struct lp_rules *rules = snapshot ? snapshot->rules : NULL;
	uint32_t count = rules ? rules->row_count : 0;
	uint32_t place = rules ? find_place(rules, cursor) : 0;
	struct frame *frame = malloc(sizeof(*frame));
	int error;

	if (!frame)
		return -ENOMEM;
	frame->bytes = 0;
	lp__pb__rule_stats_reply__init(&frame->reply);
	frame->reply.has_running = true;
	frame->reply.running = count;
	while (place < count && cursor->left > 0 &&
	    add_row(frame, dataplane, &rules->rows[place], cursor))
		place++;
	*more = place < count && cursor->left > 0;
	error = send_frame(out, frame, cursor, *more);
	free(frame);
	return error;
}

/* The first row behind the one that was looked at last. */
static uint32_t
find_place(const struct lp_rules *rules, const struct lp_report_cursor *cursor)
{
	uint32_t low = 0;
	uint32_t high = cursor->begun ? rules->row_count : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct lp_rules_row *row = &rules->rows[middle];

		if (row->priority > cursor->priority ||
		    (row->priority == cursor->priority &&
			row->id <= cursor->next))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Looks at one rule; false: the frame is full. */
static bool
add_row(struct frame *frame, const struct lp_dataplane *dataplane,
    const struct lp_rules_row *row, struct lp_report_cursor *cursor)
{
	Lp__Pb__RuleStats *message = &frame->rows[frame->reply.n_rules];
	size_t bytes;

	if (frame->reply.n_rules == LP_ROWS_MAX)
		return false;
	if (is_wanted(cursor, row->id)) {
		lp__pb__rule_stats__init(message);
		if (fill_counts(message, &dataplane->region, row) ||
		    cursor->all) {
			fill_texts(message, &dataplane->running.config);
			bytes = lp__pb__rule_stats__get_packed_size(message) +
			    LP_REPORT_ROW_OVERHEAD;
			if (frame->bytes + bytes > LP_REPORT_ROWS_BYTES)
				return false;
			frame->list[frame->reply.n_rules++] = message;
			frame->bytes += bytes;
			cursor->left--;
		}
	}
	cursor->begun = true;
	cursor->priority = row->priority;
	cursor->next = row->id;
	return true;
}

static bool
is_wanted(const struct lp_report_cursor *cursor, uint32_t id)
{
	for (uint32_t i = 0; i < cursor->id_count; i++)
		if (cursor->ids[i] == id)
			return true;
	return cursor->id_count == 0;
}

/* False: it has not matched yet. */
static bool
fill_counts(Lp__Pb__RuleStats *message, const struct lp_region *region,
    const struct lp_rules_row *row)
{
	const struct lp_rule_stats *stats = &region->rules[row->slot];

	message->has_id = message->has_priority = message->has_shadow = true;
	message->id = row->id;
	message->priority = row->priority;
	message->shadow = (row->flags & LP_RULES_SHADOW) != 0;
	message->has_connections = message->has_requests = true;
	message->has_request_bytes = message->has_refused = true;
	message->has_delayed = message->has_delayed_ns = true;
	/* Control's own field: the place may be another one's already. */
	if (stats->rule_id != row->id)
		return false;
	message->connections = lp_count_get(&stats->connections);
	message->requests = lp_count_get(&stats->requests);
	message->request_bytes = lp_count_get(&stats->request_bytes);
	message->refused = lp_count_get(&stats->refused);
	message->delayed = lp_count_get(&stats->delayed);
	message->delayed_ns = lp_count_get(&stats->delayed_ns);
	return message->connections != 0 || message->requests != 0 ||
	    message->request_bytes != 0 || message->refused != 0;
}

/* Borrowed from the configuration. */
static void
fill_texts(Lp__Pb__RuleStats *message, const struct lp_config *config)
{
	const struct lp_object *object =
	    lp_config_find(config, LP_OBJECT_RULE, message->id);

	if (!object)
		return;
	message->name = (char *)object->rule.name;
	message->match = (char *)object->rule.match;
	message->action = (char *)object->rule.action;
}

static int
send_frame(struct evbuffer *out, struct frame *frame,
    const struct lp_report_cursor *cursor, bool more)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__RuleStatsReply *reply = &frame->reply;

	reply->cookie = cursor->cookie;
	reply->rules = frame->list;
	reply->has_time_ns = true;
	reply->time_ns = lp_clock_real_ns();
	reply->has_more = reply->more = more;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_RULE_STATS_REPLY;
	message.rule_stats_reply = reply;
	return lp_reply_send(out, &message);
}
