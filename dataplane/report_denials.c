/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log is the process's, names of rules and listeners are those of the
 * configuration that runs now.  Denials that come while an answer is under way
 * are part of it.
 */
#include <errno.h>
#include <stdlib.h>

#include "dataplane/reply.h"
#include "dataplane/report.h"
#include "proto/apis.h"

enum { ROWS_MAX = 32 };

struct row {
	Lp__Pb__Denial message;
	Lp__Pb__Endpoint client;
	struct lp_endpoint endpoint;
	char texts[LP_DENIAL_TEXTS][LP_REPORT_TEXT_SIZE(LP_DENIALS_TEXT_MAX)];
};

struct frame {
	Lp__Pb__DenialsReply reply;
	size_t bytes; /* of rows so far, packed */
	Lp__Pb__Denial *list[ROWS_MAX];
	struct row rows[ROWS_MAX];
};

static void begin(
    struct lp_report_cursor *cursor, const struct lp_denial_log *log);
static bool add_row(struct frame *frame, const struct lp_config *config,
    const struct lp_denial_entry *entry);
static bool is_wanted(
    const struct lp_report_cursor *cursor, const struct lp_denial *denial);
static const char *action_of(const struct lp_denial *denial);
static void fill(struct row *row, const struct lp_denial_entry *entry,
    const struct lp_config *config);
static void fill_request(struct row *row, const struct lp_denial *denial);
static void fill_names(Lp__Pb__Denial *message, const struct lp_denial *denial,
    const struct lp_config *config);

void
lp_report_denials_begin(
    struct lp_report_cursor *cursor, const Lp__Pb__DenialsRequest *request)
{
	*cursor = (struct lp_report_cursor){
	    .cookie = request->cookie,
	    .list = LP_REPORT_DENIALS,
	    .left = request->has_limit ? request->limit : UINT32_MAX,
	    .log = request->log,
	    .last = request->after,
	};
	while (cursor->id_count < request->n_ids &&
	    cursor->id_count < LP_RULES_ASKED_MAX) {
		cursor->ids[cursor->id_count] = request->ids[cursor->id_count];
		cursor->id_count++;
	}
}

int
lp_report_denials(struct evbuffer *out, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor, bool *more)
{
	const struct lp_denial_log *log = dataplane->denials;
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	struct frame *frame = malloc(sizeof(*frame));
	const struct lp_denial_entry *entry;
	bool full = false;
	int error;

	if (!frame)
		return -ENOMEM;
	if (!cursor->begun)
		begin(cursor, log);
	frame->bytes = 0;
	lp__pb__denials_reply__init(&frame->reply);
	frame->reply.denials = frame->list;
	while (!full &&
	    (entry = lp_denial_log_get(log, cursor->last + 1)) != NULL) {
		full = is_wanted(cursor, &entry->denial) &&
		    !add_row(frame, &dataplane->running.config, entry);
		cursor->last += !full;
	}
	*more = full;
	frame->reply.cookie = cursor->cookie;
	frame->reply.log = log->id;
	frame->reply.last = cursor->last;
	frame->reply.has_lost = true;
	frame->reply.lost = cursor->lost;
	frame->reply.has_more = frame->reply.more = full;
	cursor->lost = 0;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_DENIALS_REPLY;
	message.denials_reply = &frame->reply;
	error = lp_reply_send(out, &message);
	free(frame);
	return error;
}

/*
 * Where it was left, or at the beginning of another process's; or so far back
 * that there are as many as wanted.
 */
static void
begin(struct lp_report_cursor *cursor, const struct lp_denial_log *log)
{
	uint64_t before = lp_denial_log_oldest(log) - 1;
	uint32_t wanted = 0;

	cursor->begun = true;
	if (cursor->log == log->id && cursor->last <= log->last) {
		if (cursor->last < before) {
			cursor->lost = before - cursor->last;
			cursor->last = before;
		}
		return;
	}
	/* All that another process has is news to who follows. */
	if (cursor->log != 0 && cursor->log != log->id) {
		cursor->last = before;
		return;
	}
	cursor->last = log->last;
	while (cursor->last > before && wanted < cursor->left)
		wanted += is_wanted(
		    cursor, &lp_denial_log_get(log, cursor->last--)->denial);
}

/* False: the frame is full. */
static bool
add_row(struct frame *frame, const struct lp_config *config,
    const struct lp_denial_entry *entry)
{
	size_t at = frame->reply.n_denials;
	struct row *row = &frame->rows[at];
	size_t bytes;

	if (at == ROWS_MAX)
		return false;
	fill(row, entry, config);
	bytes = lp__pb__denial__get_packed_size(&row->message) +
	    LP_REPORT_ROW_OVERHEAD;
	if (frame->bytes + bytes > LP_REPORT_ROWS_BYTES)
		return false;
	frame->bytes += bytes;
	frame->list[at] = &row->message;
	frame->reply.n_denials++;
	return true;
}

static bool
is_wanted(const struct lp_report_cursor *cursor, const struct lp_denial *denial)
{
	for (uint32_t i = 0; i < cursor->id_count; i++)
		if (cursor->ids[i] == denial->rule_id)
			return true;
	return cursor->id_count == 0;
}

static const char *
action_of(const struct lp_denial *denial)
{
	switch ((enum lp_denial_kind)denial->kind) {
	case LP_DENIAL_DENY:
		return "deny";
	case LP_DENIAL_RESET:
		return "reset";
	case LP_DENIAL_NO_CREATE:
		return "no_create";
	case LP_DENIAL_UNJUDGED:
		return "unjudged";
	case LP_DENIAL_LEFT_OUT:
		break;
	}
	return "left_out";
}

static void
fill(struct row *row, const struct lp_denial_entry *entry,
    const struct lp_config *config)
{
	Lp__Pb__Denial *message = &row->message;
	const struct lp_denial *denial = &entry->denial;

	lp__pb__denial__init(message);
	message->number = entry->number;
	message->time_ns = entry->time_ns;
	message->action = (char *)action_of(denial);
	message->has_shadow = message->shadow = denial->shadow;
	message->has_rule_id = denial->rule_id != 0;
	message->rule_id = denial->rule_id;
	fill_names(message, denial, config);
	if (denial->kind == LP_DENIAL_LEFT_OUT) {
		message->has_left_out = true;
		message->left_out = entry->more;
		return;
	}
	row->endpoint.ip = denial->client_ip;
	row->endpoint.port = denial->client_port;
	message->client =
	    lp_message_from_endpoint(&row->client, &row->endpoint);
	message->has_listener_id = message->has_broker_id = true;
	message->listener_id = denial->listener_id;
	message->broker_id = denial->broker_id;
	message->has_node_id = denial->node_id >= 0;
	message->node_id = denial->node_id;
	fill_request(row, denial);
}

static void
fill_request(struct row *row, const struct lp_denial *denial)
{
	Lp__Pb__Denial *message = &row->message;
	char **texts[LP_DENIAL_TEXTS] = {
	    [LP_DENIAL_CLIENT_ID] = &message->client_id,
	    [LP_DENIAL_PRINCIPAL] = &message->principal,
	    [LP_DENIAL_TOPIC] = &message->topic,
	    [LP_DENIAL_GROUP] = &message->group,
	    [LP_DENIAL_TRANSACTIONAL_ID] = &message->transactional_id,
	};

	if (denial->api == LP_DENIALS_NO_API)
		return;
	message->has_api_key = message->has_api_version = true;
	message->api_key = denial->api;
	message->api_version = denial->version;
	message->api = (char *)lp_apis_name(denial->api);
	for (unsigned i = 0; i < LP_DENIAL_TEXTS; i++)
		if (denial->has & 1u << i)
			*texts[i] = lp_report_text(
			    row->texts[i], denial->texts[i], denial->lens[i]);
	message->has_cut = message->cut = denial->cut != 0;
}

/* Borrowed from the configuration. */
static void
fill_names(Lp__Pb__Denial *message, const struct lp_denial *denial,
    const struct lp_config *config)
{
	const struct lp_object *rule =
	    lp_config_find(config, LP_OBJECT_RULE, denial->rule_id);
	const struct lp_object *listener =
	    lp_config_find(config, LP_OBJECT_LISTENER, denial->listener_id);
	const struct lp_object *cluster = listener
	    ? lp_config_find(
		  config, LP_OBJECT_CLUSTER, listener->listener.cluster_id)
	    : NULL;

	if (rule)
		message->rule = (char *)rule->rule.name;
	if (listener)
		message->listener = (char *)listener->listener.name;
	if (cluster)
		message->cluster = (char *)cluster->cluster.name;
}
