/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log of denials has is what the report says of it: all, the last
 * ones, or what is new; in bounded frames.
 */
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/report.h"
#include "tests/dataplane/cold.h"

enum { COOKIE = 77, LOG = 4711, RULE = 700, GONE, MANY = 300 };

static struct lp_dataplane dataplane;
static struct lp_denial_log *log_of;

/* A whole answer. */
static struct answer {
	Lp__Pb__DataplaneMessage *messages[LP_DENIAL_LOG_MAX];
	unsigned count;
	const Lp__Pb__Denial *denials[2 * LP_DENIAL_LOG_MAX];
	unsigned denial_count;
	uint64_t last, lost;
} answer;

static void
forget(void)
{
	for (; answer.count > 0; answer.count--)
		lp__pb__dataplane_message__free_unpacked(
		    answer.messages[answer.count - 1], NULL);
	answer.denial_count = 0;
	answer.lost = 0;
}

static void
begin(void)
{
	struct lp_object rule;

	cold_config(&dataplane.running.config);
	lp_object_init(&rule, LP_OBJECT_RULE);
	rule.id = RULE;
	strcpy(rule.rule.name, "secrets");
	ck_assert_int_eq(lp_config_put(&dataplane.running.config, &rule), 0);
	ck_assert_int_eq(lp_denial_log_new(&dataplane.denials, LOG), 0);
	log_of = dataplane.denials;
}

static void
end(void)
{
	forget();
	lp_denial_log_free(log_of);
	lp_config_fini(&dataplane.running.config);
}

static struct lp_denial *
add(enum lp_denial_kind kind, uint32_t rule_id)
{
	struct lp_denial_entry *entry =
	    &log_of->entries[++log_of->last % LP_DENIAL_LOG_MAX];

	*entry = (struct lp_denial_entry){.number = log_of->last,
	    .time_ns = 1000 + log_of->last,
	    .denial = {.kind = (uint8_t)kind,
		.rule_id = rule_id,
		.api = LP_DENIALS_NO_API,
		.client_port = 40000,
		.listener_id = PAYMENTS_PUBLIC,
		.broker_id = 3,
		.node_id = 1}};
	return &entry->denial;
}

static void
take(struct evbuffer *out, bool more)
{
	size_t have = evbuffer_get_length(out);
	Lp__Pb__DataplaneMessage *message;
	const Lp__Pb__DenialsReply *reply;
	const uint8_t *payload;
	size_t len;

	ck_assert_uint_le(have, LP_FRAME_SIZE_MAX);
	ck_assert_int_eq(
	    lp_frame_next(evbuffer_pullup(out, -1), have, &payload, &len),
	    LP_OK);
	message = lp_message_unpack_dataplane(payload, len);
	ck_assert_ptr_nonnull(message);
	evbuffer_drain(out, have);
	ck_assert_uint_lt(answer.count, LP_DENIAL_LOG_MAX);
	answer.messages[answer.count++] = message;
	reply = message->denials_reply;
	ck_assert_uint_eq(reply->cookie, COOKIE);
	ck_assert_uint_eq(reply->log, LOG);
	ck_assert_int_eq(reply->more, more);
	answer.last = reply->last;
	answer.lost += reply->lost;
	for (size_t i = 0; i < reply->n_denials; i++)
		answer.denials[answer.denial_count++] = reply->denials[i];
}

static void
ask(Lp__Pb__DenialsRequest *request)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	struct evbuffer *out = evbuffer_new();
	struct lp_report_cursor cursor;
	bool more;

	forget();
	request->cookie = COOKIE;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_DENIALS_REQUEST;
	message.denials_request = request;
	lp_report_begin(&cursor, &message);
	do {
		ck_assert_int_eq(
		    lp_report_next(out, &dataplane, &cursor, &more), 0);
		take(out, more);
	} while (more);
	evbuffer_free(out);
}

static void
ask_last(uint32_t limit)
{
	Lp__Pb__DenialsRequest request = LP__PB__DENIALS_REQUEST__INIT;

	request.has_limit = true;
	request.limit = limit;
	ask(&request);
}

static void
ask_after(uint64_t log, uint64_t after)
{
	Lp__Pb__DenialsRequest request = LP__PB__DENIALS_REQUEST__INIT;

	request.has_log = request.has_after = request.has_limit = true;
	request.log = log;
	request.after = after;
	request.limit = 1; /* of no meaning then */
	ask(&request);
}

START_TEST(without_denials_there_is_one_empty_frame)
{
	begin();
	ask_last(10);
	ck_assert_uint_eq(answer.count, 1);
	ck_assert_uint_eq(answer.denial_count, 0);
	ck_assert_uint_eq(answer.last, 0);
	ask_after(LOG, 0);
	ck_assert_uint_eq(answer.denial_count, 0);
	end();
}
END_TEST

START_TEST(a_row_says_all_that_is_known)
{
	const Lp__Pb__Denial *row;
	struct lp_denial *denial;

	begin();
	denial = add(LP_DENIAL_DENY, RULE);
	denial->shadow = true;
	denial->api = 1;
	denial->version = 13;
	lp_denials_text(
	    denial, LP_DENIAL_CLIENT_ID, (const uint8_t *)"we\x01", 3);
	lp_denials_text(denial, LP_DENIAL_TOPIC, (const uint8_t *)"t", 1);
	lp_denials_text(denial, LP_DENIAL_GROUP, (const uint8_t *)"", 0);
	ask_last(10);
	ck_assert_uint_eq(answer.denial_count, 1);
	row = answer.denials[0];
	ck_assert_uint_eq(row->number, 1);
	ck_assert_uint_eq(row->time_ns, 1001);
	ck_assert_str_eq(row->action, "deny");
	ck_assert(row->shadow);
	ck_assert_uint_eq(row->rule_id, RULE);
	ck_assert_str_eq(row->rule, "secrets");
	ck_assert(!row->has_left_out);
	ck_assert_uint_eq(row->client->port, 40000);
	ck_assert_uint_eq(row->listener_id, PAYMENTS_PUBLIC);
	ck_assert_uint_eq(row->broker_id, 3);
	ck_assert_str_eq(row->cluster, "payments");
	ck_assert_str_eq(row->listener, "public");
	ck_assert_int_eq(row->node_id, 1);
	ck_assert_int_eq(row->api_key, 1);
	ck_assert_int_eq(row->api_version, 13);
	ck_assert_str_eq(row->api, "Fetch");
	ck_assert_str_eq(row->client_id, "we\\x01");
	ck_assert_str_eq(row->topic, "t");
	ck_assert_str_eq(row->group, "");
	ck_assert_ptr_null(row->principal);
	ck_assert_ptr_null(row->transactional_id);
	ck_assert(!row->cut);
	end();
}
END_TEST

/* Rules that have gone, connections, and what was left out. */
START_TEST(what_there_is_not_is_absent)
{
	begin();
	add(LP_DENIAL_RESET, GONE);
	add(LP_DENIAL_UNJUDGED, 0)->node_id = -1;
	add(LP_DENIAL_LEFT_OUT, RULE);
	log_of->entries[3].more = 37;
	ask_last(UINT32_MAX);
	ck_assert_uint_eq(answer.denial_count, 3);
	ck_assert_str_eq(answer.denials[0]->action, "reset");
	ck_assert_uint_eq(answer.denials[0]->rule_id, GONE);
	ck_assert_ptr_null(answer.denials[0]->rule);
	ck_assert(!answer.denials[0]->has_api_key);
	ck_assert_str_eq(answer.denials[1]->action, "unjudged");
	ck_assert(!answer.denials[1]->has_rule_id);
	ck_assert(!answer.denials[1]->has_node_id);
	ck_assert_str_eq(answer.denials[2]->action, "left_out");
	ck_assert_uint_eq(answer.denials[2]->left_out, 37);
	ck_assert_str_eq(answer.denials[2]->rule, "secrets");
	ck_assert_ptr_null(answer.denials[2]->client);
	ck_assert(!answer.denials[2]->has_listener_id);
	end();
}
END_TEST

START_TEST(the_last_ones_are_told)
{
	begin();
	for (unsigned i = 0; i < MANY; i++)
		add(LP_DENIAL_RESET, RULE);
	ask_last(7);
	ck_assert_uint_eq(answer.denial_count, 7);
	ck_assert_uint_eq(answer.denials[0]->number, MANY - 6);
	ck_assert_uint_eq(answer.last, MANY);
	ask_last(0);
	ck_assert_uint_eq(answer.denial_count, 0);
	ck_assert_uint_eq(answer.last, MANY);
	ask_last(MANY + 1);
	ck_assert_uint_eq(answer.denial_count, MANY);
	ck_assert_uint_gt(answer.count, 1);
	for (unsigned i = 0; i < MANY; i++)
		ck_assert_uint_eq(answer.denials[i]->number, i + 1);
	end();
}
END_TEST

START_TEST(what_is_new_is_told)
{
	begin();
	for (unsigned i = 0; i < MANY; i++)
		add(LP_DENIAL_RESET, RULE);
	ask_after(LOG, MANY - 20);
	ck_assert_uint_eq(answer.denial_count, 20);
	ck_assert_uint_eq(answer.denials[0]->number, MANY - 19);
	ask_after(LOG, answer.last);
	ck_assert_uint_eq(answer.denial_count, 0);
	ck_assert_uint_eq(answer.last, MANY);
	/* Of another process: all that came since; of none: the last ones. */
	ask_after(LOG + 1, 5);
	ck_assert_uint_eq(answer.denial_count, MANY);
	ask_after(LOG, MANY + 1);
	ck_assert_uint_eq(answer.denial_count, 1);
	ck_assert_uint_eq(answer.last, MANY);
	ck_assert_uint_eq(answer.lost, 0);
	end();
}
END_TEST

START_TEST(what_was_forgotten_meanwhile_is_counted)
{
	begin();
	for (unsigned i = 0; i < LP_DENIAL_LOG_MAX + 100; i++)
		add(LP_DENIAL_RESET, RULE);
	ask_after(LOG, 30);
	ck_assert_uint_eq(answer.lost, 70);
	ck_assert_uint_eq(answer.denial_count, LP_DENIAL_LOG_MAX);
	ck_assert_uint_eq(answer.denials[0]->number, 101);
	ask_after(LOG, 100);
	ck_assert_uint_eq(answer.lost, 0);
	ck_assert_uint_eq(answer.denial_count, LP_DENIAL_LOG_MAX);
	end();
}
END_TEST

START_TEST(only_those_of_rules_that_are_asked_for_come)
{
	Lp__Pb__DenialsRequest request = LP__PB__DENIALS_REQUEST__INIT;
	uint32_t ids[] = {GONE, 9};

	begin();
	for (unsigned i = 0; i < MANY; i++)
		add(LP_DENIAL_RESET, i % 3 == 0 ? GONE : RULE);
	request.n_ids = 2;
	request.ids = ids;
	ask(&request);
	ck_assert_uint_eq(answer.denial_count, MANY / 3);
	request.has_limit = true;
	request.limit = 5;
	ask(&request);
	ck_assert_uint_eq(answer.denial_count, 5);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(answer.denials[i]->rule_id, GONE);
	ck_assert_uint_eq(answer.last, MANY);
	end();
}
END_TEST

/* Each of their bytes is four, and they fill frames. */
START_TEST(long_texts_come_in_bounded_frames)
{
	uint8_t bytes[300];

	begin();
	memset(bytes, 0xff, sizeof(bytes));
	for (unsigned i = 0; i < MANY; i++) {
		struct lp_denial *denial = add(LP_DENIAL_DENY, RULE);

		denial->api = 0;
		for (unsigned n = 0; n < LP_DENIAL_TEXTS; n++)
			lp_denials_text(denial, n, bytes, sizeof(bytes));
	}
	ask_last(UINT32_MAX);
	ck_assert_uint_eq(answer.denial_count, MANY);
	ck_assert_uint_gt(answer.count, MANY / 32);
	ck_assert(answer.denials[0]->cut);
	ck_assert_uint_eq(
	    strlen(answer.denials[0]->topic), 4 * LP_DENIALS_TEXT_MAX);
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {without_denials_there_is_one_empty_frame,
	    a_row_says_all_that_is_known, what_there_is_not_is_absent,
	    the_last_ones_are_told, what_is_new_is_told,
	    what_was_forgotten_meanwhile_is_counted,
	    only_those_of_rules_that_are_asked_for_come,
	    long_texts_come_in_bounded_frames, NULL};

	return cold_run("report_denials", tests);
}
