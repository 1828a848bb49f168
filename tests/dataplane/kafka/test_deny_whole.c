/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are refused as a whole, by their group or transactional id. */
#include <check.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	JOIN_GROUP = 11,
	HEARTBEAT = 12,
	LEAVE_GROUP = 13,
	INIT_PRODUCER_ID = 22,
	GROUP_HEARTBEAT = 68,
	SHARE_HEARTBEAT = 76,
	STREAMS_HEARTBEAT = 88,
	OF_GROUP = 30,
	OF_TRANSACTION = 53,
	INVALID = 42,
};

/* What brokers say of an edit. */
static const char quoting[] = "MemberEpoch is invalid, says the broker.";
static const char refusing[] = "Authorization failed.                   ";
_Static_assert(sizeof(quoting) == sizeof(refusing), "as long");

static const struct row {
	int16_t key, version;
	const char *rule;
	bool flexible;
	int32_t number, becomes;
	int16_t error;
} rows[] = {
    {JOIN_GROUP, 0, "api=JoinGroup group=secret", false, 30000, 0, OF_GROUP},
    {JOIN_GROUP, 6, "api=JoinGroup group=secret", true, 30000, 0, OF_GROUP},
    {HEARTBEAT, 0, "api=Heartbeat group=secret", false, 1 << 30, -2, OF_GROUP},
    {HEARTBEAT, 4, "api=Heartbeat,JoinGroup", true, 7, -2, OF_GROUP},
    {INIT_PRODUCER_ID, 0, "api=InitProducerId transactional_id=sec*", false,
	60000, INT32_MAX, OF_TRANSACTION},
    {INIT_PRODUCER_ID, 3, "api=InitProducerId transactional_id=*", true, 60000,
	INT32_MAX, OF_TRANSACTION},
    {GROUP_HEARTBEAT, 0, "api=ConsumerGroupHeartbeat group=secret", true, 0, -3,
	OF_GROUP},
    {GROUP_HEARTBEAT, 1, "api=ConsumerGroupHeartbeat group=s*", true, 3, -3,
	OF_GROUP},
    {SHARE_HEARTBEAT, 1, "api=ShareGroupHeartbeat group=secret", true, 0, -3,
	OF_GROUP},
    {STREAMS_HEARTBEAT, 0, "api=StreamsGroupHeartbeat group=secret", true, 0,
	-3, OF_GROUP},
    {STREAMS_HEARTBEAT, 1, "api=StreamsGroupHeartbeat group=sec*", true,
	1 << 30, -3, OF_GROUP},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* A member lists its topics, by their ids. */
static bool has_ids;

/* To join and to stay are one request. */
static bool
is_of_members(const struct row *row)
{
	return row->key == GROUP_HEARTBEAT || row->key == SHARE_HEARTBEAT ||
	    row->key == STREAMS_HEARTBEAT;
}

static void
end_consumer(const struct row *row)
{
	edited_text(row->flexible, NULL);
	edited_text(row->flexible, NULL);
	kafka_int32(&edited_sent, 60000);
	kafka_int8(&edited_sent, 3);
	edited_text(row->flexible, "open");
	edited_text(row->flexible, "secret");
	if (row->version >= 1)
		edited_text(row->flexible, NULL);
	edited_text(row->flexible, NULL);
	kafka_int8(&edited_sent, has_ids ? 2 : 0);
	if (has_ids) {
		kafka_fill(&edited_sent, 0x47, 16);
		kafka_int8(&edited_sent, 1);
		kafka_int8(&edited_sent, 0);
	}
}

/* One subtopology of one topic. */
static void
end_streams(const struct row *row)
{
	kafka_int32(&edited_sent, 0);
	edited_text(row->flexible, NULL);
	edited_text(row->flexible, NULL);
	kafka_int32(&edited_sent, 60000);
	kafka_int8(&edited_sent, 1);
	kafka_int32(&edited_sent, 0);
	kafka_int8(&edited_sent, 2);
	edited_text(row->flexible, "0");
	kafka_int8(&edited_sent, 2);
	edited_text(row->flexible, "secret");
	for (unsigned array = 0; array < 5; array++)
		kafka_int8(&edited_sent, 1);
	kafka_int8(&edited_sent, 0);
	kafka_int8(&edited_sent, 0);
	/* Tasks, process, endpoint, tags, offsets, shutdown. */
	for (unsigned null = 0; null < 3; null++)
		kafka_int8(&edited_sent, 0);
	edited_text(row->flexible, "a process");
	kafka_int8(&edited_sent, -1);
	for (unsigned null = 0; null < 4; null++)
		kafka_int8(&edited_sent, 0);
}

/* Of a group, or of a transaction, of that name; NULL: null. */
static void
make_request(const struct row *row, const char *name, bool denied)
{
	kafka_request(
	    &edited_sent, row->key, row->version, 7, "web-1", row->flexible);
	edited_wanted.len = 0;
	edited_text(row->flexible, name);
	if (is_of_members(row))
		edited_text(row->flexible, "a member");
	edited_same();
	edited_int32(row->number, denied ? row->becomes : row->number);
	switch (row->key) {
	case JOIN_GROUP:
		if (row->flexible)
			kafka_int32(&edited_sent, 60000);
		edited_text(row->flexible, "a member");
		if (row->flexible)
			edited_text(row->flexible, NULL);
		edited_text(row->flexible, "consumer");
		if (row->flexible)
			kafka_int8(&edited_sent, 1);
		else
			kafka_int32(&edited_sent, 0);
		break;
	case HEARTBEAT:
		edited_text(row->flexible, "a member");
		if (row->flexible)
			edited_text(row->flexible, NULL);
		break;
	case INIT_PRODUCER_ID:
		if (row->version >= 3) {
			kafka_int64(&edited_sent, -1);
			kafka_int16(&edited_sent, -1);
		}
		break;
	case GROUP_HEARTBEAT:
		end_consumer(row);
		break;
	case SHARE_HEARTBEAT:
		edited_text(row->flexible, NULL);
		kafka_int8(&edited_sent, 2);
		edited_text(row->flexible, "secret");
		break;
	case STREAMS_HEARTBEAT:
		end_streams(row);
		break;
	default:
		ck_abort();
	}
	if (row->flexible)
		kafka_int8(&edited_sent, 0);
	edited_same();
	edited_end();
}

/* Lags and intervals, and what is null of who was refused. */
static void
tell_streams(const struct row *row)
{
	if (row->version == 0)
		kafka_int32(&edited_sent, 10000);
	kafka_int32(&edited_sent, 60000);
	if (row->version >= 1)
		kafka_int64(&edited_sent, 10000);
	for (unsigned null = 0; null < 4; null++)
		kafka_int8(&edited_sent, 0);
	if (row->version >= 1)
		kafka_int8(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int8(&edited_sent, 0);
}

static void
make_answer(const struct row *row, int16_t error, int16_t becomes)
{
	bool has_time = row->flexible || row->key == INIT_PRODUCER_ID;

	kafka_response(&edited_sent, 7, row->flexible);
	edited_wanted.len = 0;
	if (has_time)
		kafka_int32(&edited_sent, 0);
	edited_same();
	edited_int16(error, becomes);
	switch (row->key) {
	case JOIN_GROUP:
		kafka_int32(&edited_sent, -1);
		for (unsigned i = 0; i < 3; i++)
			edited_text(row->flexible, "");
		if (row->flexible)
			kafka_int8(&edited_sent, 1);
		else
			kafka_int32(&edited_sent, 0);
		break;
	case HEARTBEAT:
		break;
	case INIT_PRODUCER_ID:
		kafka_int64(&edited_sent, -1);
		kafka_int16(&edited_sent, 0);
		break;
	default:
		edited_text(row->flexible, error != 0 ? quoting : NULL);
		edited_text(row->flexible, NULL);
		kafka_int32(&edited_sent, 0);
		kafka_int32(&edited_sent, 5000);
		if (row->key == STREAMS_HEARTBEAT)
			tell_streams(row);
		else
			kafka_int8(&edited_sent, -1);
	}
	if (row->flexible)
		kafka_int8(&edited_sent, 0);
	edited_same();
	if (is_of_members(row) && error != becomes) {
		uint8_t *at = memmem(edited_wanted.bytes, edited_wanted.len,
		    quoting, strlen(quoting));

		memcpy(at, refusing, strlen(refusing));
	}
	edited_end();
}

static void
deny(const char *match)
{
	rule_put(RULE, 10, match, "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
}

START_TEST(it_is_refused_wherever_a_segment_ends)
{
	const struct row *row = &rows[_i];
	size_t len;

	deny(row->rule);
	make_request(row, "secret", true);
	len = edited_sent.len;
	for (size_t cut = 0; cut < len; cut++) {
		make_request(row, "secret", true);
		edited_pass_cut(LP_TO_BROKER, cut);
		make_answer(row, INVALID, row->error);
		edited_pass_cut(LP_TO_CLIENT, cut % edited_sent.len);
	}
	make_answer(row, INVALID, row->error);
	for (size_t cut = edited_sent.len; cut-- > 0;) {
		make_request(row, "secret", true);
		edited_pass(LP_TO_BROKER);
		make_answer(row, INVALID, row->error);
		edited_pass_cut(LP_TO_CLIENT, cut);
		len++;
	}
	ck_assert_uint_eq(KAFKA_COUNTER(requests_denied), len);
	rule_counts(RULE, 0, len, len);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
}
END_TEST

/* Whatever the broker says, also in the end: it did not see what was asked. */
START_TEST(any_answer_becomes_a_refusal)
{
	const struct row *row = &rows[_i];

	deny(row->rule);
	for (int16_t error = -1; error < 60; error += 30) {
		make_request(row, "secret", true);
		edited_pass(LP_TO_BROKER);
		make_answer(row, error, row->error);
		edited_pass(LP_TO_CLIENT);
	}
}
END_TEST

START_TEST(others_are_left_alone)
{
	const struct row *row = &rows[_i];

	deny(row->rule);
	rule_put(OTHER, 20, "group=secret client_id=web-1", "allow", false);
	rule_put(OTHER + 1, 20, "transactional_id=sec* client_id=web*", "allow",
	    false);
	edited_publish(LP_UNJUDGED_PASS);
	make_request(row, "secret", false);
	edited_pass(LP_TO_BROKER);
	make_answer(row, INVALID, INVALID);
	edited_pass(LP_TO_CLIENT);
	rule_counts(RULE, 0, 0, 0);
	ck_assert_uint_eq(KAFKA_COUNTER(requests_denied), 0);
}
END_TEST

/* Beside a request that is not refused, on both sides of it. */
START_TEST(each_answer_is_its_own)
{
	const struct row *row = &rows[2];

	deny(row->rule);
	for (unsigned i = 0; i < 3; i++) {
		const char *group = i == 1 ? "open" : "secret";

		make_request(row, group, i != 1);
		edited_pass(LP_TO_BROKER);
	}
	for (unsigned i = 0; i < 3; i++) {
		make_answer(row, INVALID, i == 1 ? INVALID : OF_GROUP);
		edited_pass(LP_TO_CLIENT);
	}
}
END_TEST

START_TEST(who_leaves_a_group_may)
{
	static const int32_t leaving[] = {-1, -2};
	struct row row = rows[_i / 2];
	size_t len;

	if (!is_of_members(&row))
		return;
	deny(row.rule);
	row.number = leaving[_i % 2];
	make_request(&row, "secret", false);
	len = edited_sent.len;
	for (size_t cut = 0; cut < len; cut++) {
		make_request(&row, "secret", false);
		edited_pass_cut(LP_TO_BROKER, cut);
		make_answer(&row, INVALID, INVALID);
		edited_pass(LP_TO_CLIENT);
	}
}
END_TEST

START_TEST(no_transaction_is_refused_where_there_is_none)
{
	for (unsigned i = 4; i < 6; i++) {
		deny(rows[i].rule);
		make_request(&rows[i], NULL, false);
		edited_pass(LP_TO_BROKER);
		make_answer(&rows[i], INVALID, INVALID);
		edited_pass(LP_TO_CLIENT);
	}
}
END_TEST

/* Its topics come too late, but for a reset. */
START_TEST(topics_do_not_change_what_was_decided)
{
	const struct row *row = &rows[6];

	rule_put(OTHER, 20, "topic=secret", "allow", false);
	deny(row->rule);
	make_request(row, "secret", true);
	edited_pass(LP_TO_BROKER);
	make_answer(row, INVALID, OF_GROUP);
	edited_pass(LP_TO_CLIENT);
	rule_counts(RULE, 0, 1, 1);
	rule_counts(OTHER, 0, 0, 1);
}
END_TEST

static void
leave(void)
{
	kafka_request(&edited_sent, LEAVE_GROUP, 0, 7, "web-1", false);
	kafka_string(&edited_sent, "secret");
	kafka_string(&edited_sent, "a member");
	edited_wanted.len = 0;
	edited_same();
	edited_end();
	edited_pass(LP_TO_BROKER);
}

/* It names no API, and leaves the others to the rules behind it. */
START_TEST(a_general_deny_is_of_what_can_be_denied)
{
	const struct row *heartbeat = &rows[2], *producer = &rows[4];
	struct row leaving = rows[6];

	rule_put(OTHER, 5, "client_id=web*", "allow", false);
	deny("client_id=web-1");
	make_request(heartbeat, "secret", true);
	edited_pass(LP_TO_BROKER);
	make_answer(heartbeat, INVALID, OF_GROUP);
	edited_pass(LP_TO_CLIENT);
	make_request(producer, "secret", true);
	edited_pass(LP_TO_BROKER);
	make_answer(producer, INVALID, OF_TRANSACTION);
	edited_pass(LP_TO_CLIENT);
	rule_counts(RULE, 0, 2, 2);
	rule_counts(OTHER, 0, 0, 0);
	leave();
	kafka_response(&edited_sent, 7, false);
	kafka_int16(&edited_sent, 0);
	edited_wanted.len = 0;
	edited_same();
	edited_end();
	edited_pass(LP_TO_CLIENT);
	make_request(producer, NULL, false);
	edited_pass(LP_TO_BROKER);
	make_answer(producer, INVALID, INVALID);
	edited_pass(LP_TO_CLIENT);
	leaving.number = -1;
	make_request(&leaving, "secret", false);
	edited_pass(LP_TO_BROKER);
	rule_counts(RULE, 0, 2, 2);
	rule_counts(OTHER, 0, 0, 3);
}
END_TEST

/* A reset would end who only lists what it has. */
START_TEST(topics_that_deny_nothing_need_no_names)
{
	const struct row *row = &rows[6];

	rule_put(RULE, 10, "topic=secret", "deny", false);
	edited_publish(LP_UNJUDGED_RESET);
	has_ids = true;
	make_request(row, "secret", false);
	edited_pass(LP_TO_BROKER);
	rule_counts(RULE, 0, 0, 0);
}
END_TEST

START_TEST(a_successor_refuses_in_the_same_way)
{
	const struct row *row = &rows[_i];
	size_t len;

	deny(row->rule);
	make_request(row, "secret", true);
	len = edited_sent.len;
	for (size_t cut = 1; cut < len; cut++) {
		make_request(row, "secret", true);
		edited_left_len = 0;
		edited_send_part(LP_TO_BROKER, 0, cut);
		plane_restart();
		memset(edited_left, 0xee, sizeof(edited_left));
		edited_send_part(LP_TO_BROKER, 0, cut);
		edited_send_part(LP_TO_BROKER, cut, len - cut);
		edited_has_left();
		kafka_talk.next[LP_TO_BROKER] += (uint32_t)len;
		plane_restart();
		kafka_acknowledge(LP_TO_CLIENT);
		make_answer(row, INVALID, row->error);
		edited_left_len = 0;
		edited_send_part(
		    LP_TO_CLIENT, 0, 1 + cut % (edited_sent.len - 1));
		plane_restart();
		edited_send_part(LP_TO_CLIENT, 0, edited_sent.len);
		edited_has_left();
		kafka_talk.next[LP_TO_CLIENT] += (uint32_t)edited_sent.len;
		kafka_acknowledge(LP_TO_BROKER);
		plane_forget();
	}
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(
	    tests, it_is_refused_wherever_a_segment_ends, 0, ROWS);
	tcase_add_loop_test(tests, any_answer_becomes_a_refusal, 0, ROWS);
	tcase_add_loop_test(tests, others_are_left_alone, 0, ROWS);
	tcase_add_test(tests, each_answer_is_its_own);
	tcase_add_loop_test(tests, who_leaves_a_group_may, 0, 2 * ROWS);
	tcase_add_test(tests, no_transaction_is_refused_where_there_is_none);
	tcase_add_test(tests, topics_do_not_change_what_was_decided);
	tcase_add_test(tests, a_general_deny_is_of_what_can_be_denied);
	tcase_add_test(tests, topics_that_deny_nothing_need_no_names);
	tcase_add_loop_test(
	    tests, a_successor_refuses_in_the_same_way, 0, ROWS);
}

int
main(void)
{
	return plane_main("deny_whole", add);
}
