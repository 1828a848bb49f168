/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions that are refused by their group or their transactional id: what
 * the client is told is of those, where no rule asks for a topic. */
#include <check.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OFFSET_COMMIT = 8,
	ADD_PARTITIONS = 24,
	TXN_OFFSET_COMMIT = 28,
	OFFSET_DELETE = 47,
	NOT_THERE = 3,
	TOPIC = 29,
	GROUP = 30,
	TRANSACTION = 53,
	PARTITIONS = 3,
};

static const struct row {
	int16_t key, version;
	const char *rule;
	int16_t code;
} rows[] = {
    {OFFSET_COMMIT, 2, "api=OffsetCommit group=secret", GROUP},
    {OFFSET_COMMIT, 2, "group=s*", GROUP},
    {OFFSET_COMMIT, 2, "api=OffsetCommit group=secret topic=orders", TOPIC},
    {OFFSET_COMMIT, 2, "api=OffsetCommit topic=orders", TOPIC},
    {OFFSET_COMMIT, 2, "api=OffsetCommit client_id=web-1", TOPIC},
    {TXN_OFFSET_COMMIT, 0, "api=TxnOffsetCommit group=secret", GROUP},
    {TXN_OFFSET_COMMIT, 0, "api=TxnOffsetCommit transactional_id=t*",
	TRANSACTION},
    {TXN_OFFSET_COMMIT, 0,
	"api=TxnOffsetCommit group=secret transactional_id=t*", TRANSACTION},
    {TXN_OFFSET_COMMIT, 0, "api=TxnOffsetCommit topic=o* transactional_id=t*",
	TOPIC},
    {ADD_PARTITIONS, 0, "api=AddPartitionsToTxn transactional_id=trade",
	TRANSACTION},
    {OFFSET_DELETE, 0, "api=OffsetDelete group=secret", GROUP},
    {PRODUCE, 3, "api=Produce transactional_id=trade", TRANSACTION},
    {PRODUCE, 3, "transactional_id=trade", TRANSACTION},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static int32_t
bit_of(int16_t code)
{
	switch (code) {
	case GROUP:
		return 1 << 28;
	case TRANSACTION:
		return 1 << 27;
	default:
		return 1 << 30;
	}
}

/* What stands in front of the topics. */
static void
begin_request(const struct row *row)
{
	switch (row->key) {
	case OFFSET_COMMIT:
		kafka_string(&edited_sent, "secret");
		kafka_int32(&edited_sent, 7);
		kafka_string(&edited_sent, "a member");
		kafka_int64(&edited_sent, -1);
		break;
	case OFFSET_DELETE:
		kafka_string(&edited_sent, "secret");
		break;
	case PRODUCE:
		kafka_string(&edited_sent, "trade");
		kafka_int16(&edited_sent, 1);
		kafka_int32(&edited_sent, 1000);
		break;
	default:
		kafka_string(&edited_sent, "trade");
		if (row->key == TXN_OFFSET_COMMIT)
			kafka_string(&edited_sent, "secret");
		kafka_int64(&edited_sent, 4711);
		kafka_int16(&edited_sent, 0);
	}
}

static void
make_request(const struct row *row, bool denied)
{
	kafka_request(&edited_sent, row->key, row->version, 7, "web-1", false);
	edited_wanted.len = 0;
	begin_request(row);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "orders");
	kafka_int32(&edited_sent, PARTITIONS);
	for (int32_t i = 0; i < PARTITIONS; i++) {
		edited_same();
		edited_int32(i, denied ? i | bit_of(row->code) : i);
		if (row->key == PRODUCE) {
			kafka_int32(&edited_sent, 20);
			kafka_fill(&edited_sent, 0x5a, 20);
		} else if (row->key == OFFSET_COMMIT ||
		    row->key == TXN_OFFSET_COMMIT) {
			kafka_int64(&edited_sent, 1000);
			kafka_string(&edited_sent, "note");
		}
	}
	edited_same();
	edited_end();
}

static void
make_answer(const struct row *row, bool denied)
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	if (row->key == OFFSET_DELETE)
		kafka_int16(&edited_sent, 0);
	if (row->key != PRODUCE && row->key != OFFSET_COMMIT)
		kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "orders");
	kafka_int32(&edited_sent, PARTITIONS);
	for (int32_t i = 0; i < PARTITIONS; i++) {
		edited_same();
		edited_int32(denied ? i | bit_of(row->code) : i, i);
		edited_same();
		edited_int16(denied ? NOT_THERE : 0, denied ? row->code : 0);
		if (row->key == PRODUCE) {
			kafka_int64(&edited_sent, -1);
			kafka_int64(&edited_sent, -1);
		}
	}
	if (row->key == PRODUCE)
		kafka_int32(&edited_sent, 0);
	edited_same();
	edited_end();
}

START_TEST(what_is_told_is_what_was_denied)
{
	const struct row *row = &rows[_i];
	size_t len, answer;

	rule_put(RULE, 10, row->rule, "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	make_request(row, true);
	len = edited_sent.len;
	make_answer(row, true);
	answer = edited_sent.len;
	for (size_t cut = 0; cut < len || cut < answer; cut++) {
		make_request(row, true);
		edited_pass_cut(LP_TO_BROKER, cut % len);
		make_answer(row, true);
		edited_pass_cut(LP_TO_CLIENT, cut % answer);
	}
	if (answer > len)
		len = answer;
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_denied), PARTITIONS * len);
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_unknown), 0);
	rule_counts(RULE, 0, len, len);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}
END_TEST

/* The bits alone say it: nothing is remembered. */
START_TEST(an_answer_is_put_back_when_the_rule_has_gone)
{
	const struct row *row = &rows[_i];

	rule_put(RULE, 10, row->rule, "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	make_request(row, true);
	edited_pass(LP_TO_BROKER);
	rule_put(RULE, 10, "api=DeleteRecords topic=none", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	make_answer(row, true);
	edited_pass(LP_TO_CLIENT);
}
END_TEST

START_TEST(others_are_left_alone)
{
	const struct row *row = &rows[_i];

	rule_put(RULE, 10, row->rule, "deny", false);
	rule_put(RULE + 1, 20, "client_id=web-1", "allow", false);
	edited_publish(LP_UNJUDGED_PASS);
	make_request(row, false);
	edited_pass(LP_TO_BROKER);
	make_answer(row, false);
	edited_pass(LP_TO_CLIENT);
	ck_assert_uint_eq(KAFKA_COUNTER(partitions_denied), 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, what_is_told_is_what_was_denied, 0, ROWS);
	tcase_add_loop_test(
	    tests, an_answer_is_put_back_when_the_rule_has_gone, 0, ROWS);
	tcase_add_loop_test(tests, others_are_left_alone, 0, ROWS);
}

int
main(void)
{
	return plane_main("deny_owner", add);
}
