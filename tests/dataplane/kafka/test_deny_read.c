/* SPDX-License-Identifier: Apache-2.0 */
/* Topics whose description is refused, by their names or ids. */
#include <check.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	CONFIGS = 32,
	PARTITIONS = 75,
	REFUSED = 29,
	INVALID = 17,
	UNKNOWN_ID = 100,
	NO_LEADER = 5,
	TOPIC = 2,
	BROKER = 4,
};

/* What brokers say of an edit, and of what they would have said no to. */
static const char quoting[] = "Topic name is invalid: it is not legal";
static const char refusing[] = "Authorization failed.                 ";

static const struct row {
	int16_t key, version;
	const char *rule;
	bool flexible;
} rows[] = {
    {METADATA, 0, "api=Metadata topic=secret*", false},
    {METADATA, 4, "api=Metadata topic=secret*", false},
    {METADATA, 12, "api=Metadata topic=secret*", true},
    {CONFIGS, 0, "api=DescribeConfigs topic=secret*", false},
    {CONFIGS, 4, "api=DescribeConfigs topic=secret*", true},
    {PARTITIONS, 0, "api=DescribeTopicPartitions topic=secret*", true},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), BY_ID = 2 };

/* A topic, and what its last byte becomes; 0: it is let through. */
static const struct named {
	const char *name;
	uint8_t fake;
} named[] = {
    {"secret.a", 0x7f},
    {"open", 0},
    {"secret_", 0x00},
    {"open.secret", 0},
    {"secret.b", 0x7e},
};
enum { NAMED = sizeof(named) / sizeof(named[0]) };

static const uint8_t an_id[16] = {
    1, 2, 3, 4, 5, 6, 0x47, 8, 0x99, 10, 11, 12, 13, 14, 15, 16};

/* One of the two has it with another end. */
static void
name(const struct row *row, const struct named *one, struct kafka_frame *other)
{
	edited_text(row->flexible, one->name);
	edited_same();
	if (strncmp(one->name, "secret", 6) == 0)
		other->bytes[other->len - 1] = one->fake;
}

static void
id(const struct row *row, const uint8_t of[16])
{
	if (row->key == PARTITIONS || row->version >= 10)
		kafka_bytes(&edited_sent, of, 16);
}

static void
end_request(const struct row *row)
{
	if (row->key == METADATA && row->version >= 4)
		kafka_int8(&edited_sent, 1);
	if (row->key == METADATA && row->version >= 8)
		kafka_int8(&edited_sent, 0);
	if (row->key == CONFIGS && row->version >= 1)
		kafka_int8(&edited_sent, 0);
	if (row->key == CONFIGS && row->version >= 3)
		kafka_int8(&edited_sent, 0);
	if (row->key == PARTITIONS) {
		kafka_int32(&edited_sent, 2000);
		kafka_int8(&edited_sent, -1);
	}
	edited_tags(row->flexible);
	edited_same();
	edited_end();
}

static void
make_request(const struct row *row)
{
	static const uint8_t no_id[16];

	kafka_request(
	    &edited_sent, row->key, row->version, 7, "web-1", row->flexible);
	edited_wanted.len = 0;
	edited_count(row->flexible, NAMED + (row->key == CONFIGS));
	/* A broker may have any name. */
	if (row->key == CONFIGS) {
		kafka_int8(&edited_sent, BROKER);
		edited_text(row->flexible, "secret\x7f");
		edited_count(row->flexible, 0);
		edited_tags(row->flexible);
	}
	for (unsigned i = 0; i < NAMED; i++) {
		if (row->key == METADATA)
			id(row, no_id);
		if (row->key == CONFIGS)
			kafka_int8(&edited_sent, TOPIC);
		name(row, &named[i], &edited_wanted);
		if (row->key == CONFIGS)
			edited_count(row->flexible, 0);
		edited_tags(row->flexible);
	}
	end_request(row);
}

static void
brokers(const struct row *row)
{
	if (row->key != METADATA || row->version >= 3)
		kafka_int32(&edited_sent, 0);
	if (row->key != METADATA)
		return;
	edited_count(row->flexible, 0);
	if (row->version >= 2)
		edited_text(row->flexible, "cluster");
	if (row->version >= 1)
		kafka_int32(&edited_sent, 1);
}

static void
partitions(const struct row *row, unsigned number)
{
	edited_count(row->flexible, number);
	for (unsigned i = 0; i < number; i++) {
		kafka_int16(&edited_sent, NO_LEADER);
		kafka_int32(&edited_sent, (int64_t)i);
		kafka_int32(&edited_sent, -1);
		if (row->key == PARTITIONS || row->version >= 7)
			kafka_int32(&edited_sent, 0);
		edited_count(row->flexible, 0);
		edited_count(row->flexible, 0);
		if (row->key == PARTITIONS) {
			edited_count(row->flexible, 0);
			edited_count(row->flexible, 0);
		}
		if (row->key == PARTITIONS || row->version >= 5)
			edited_count(row->flexible, 0);
		edited_tags(row->flexible);
	}
}

static void
configs(const struct row *row, unsigned number)
{
	edited_count(row->flexible, number);
	for (unsigned i = 0; i < number; i++) {
		edited_text(row->flexible, "retention.ms");
		edited_text(row->flexible, "7");
		kafka_int8(&edited_sent, 0);
		kafka_int8(&edited_sent, 1);
		kafka_int8(&edited_sent, 0);
		if (row->version >= 1)
			edited_count(row->flexible, 0);
		if (row->version >= 3) {
			kafka_int8(&edited_sent, 1);
			edited_text(row->flexible, "how long");
		}
		edited_tags(row->flexible);
	}
}

static void
answer(const struct row *row, const struct named *one)
{
	bool denied = strncmp(one->name, "secret", 6) == 0;
	size_t from;

	edited_same();
	edited_int16(denied ? INVALID : 0, denied ? REFUSED : 0);
	if (row->key == CONFIGS) {
		edited_text(row->flexible, denied ? quoting : NULL);
		from = edited_sent.len - strlen(quoting);
		edited_same();
		if (denied)
			memcpy(edited_wanted.bytes + from, refusing,
			    strlen(refusing));
		kafka_int8(&edited_sent, TOPIC);
		name(row, one, &edited_sent);
		configs(row, denied ? 0 : 2);
	} else {
		name(row, one, &edited_sent);
		id(row, an_id);
		if (row->key == PARTITIONS || row->version >= 1)
			kafka_int8(&edited_sent, 0);
		partitions(row, denied ? 0 : 2);
		if (row->key == PARTITIONS || row->version >= 8)
			kafka_int32(&edited_sent, 0);
	}
	edited_tags(row->flexible);
}

/* In the order from behind. */
static void
make_answer(const struct row *row)
{
	kafka_response(&edited_sent, 7, row->flexible);
	edited_wanted.len = 0;
	brokers(row);
	edited_count(row->flexible, NAMED + (row->key == CONFIGS));
	for (unsigned i = NAMED; i-- > 0;)
		answer(row, &named[i]);
	if (row->key == CONFIGS) {
		kafka_int16(&edited_sent, 0);
		edited_text(row->flexible, NULL);
		kafka_int8(&edited_sent, BROKER);
		edited_text(row->flexible, "secret\x7f");
		configs(row, 1);
		edited_tags(row->flexible);
	}
	if (row->key == PARTITIONS)
		kafka_int8(&edited_sent, -1);
	edited_tags(row->flexible);
	edited_same();
	edited_end();
}

static void
deny(const char *match)
{
	rule_put(RULE, 10, match, "deny", false);
	edited_publish(LP_UNJUDGED_RESET);
}

START_TEST(some_of_many_are_refused_wherever_a_segment_ends)
{
	const struct row *row = &rows[_i];
	size_t asked, answered, most;

	deny(row->rule);
	make_request(row);
	asked = edited_sent.len;
	make_answer(row);
	answered = edited_sent.len;
	most = asked > answered ? asked : answered;
	for (size_t cut = 0; cut < most; cut++) {
		make_request(row);
		edited_pass_cut(LP_TO_BROKER, cut % asked);
		make_answer(row);
		edited_pass_cut(LP_TO_CLIENT, cut % answered);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(names_denied), 3 * most);
	rule_counts(RULE, 0, most, most);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
}
END_TEST

START_TEST(a_successor_puts_back_what_was_refused)
{
	const struct row *row = &rows[_i];
	size_t len;

	deny(row->rule);
	make_answer(row);
	len = edited_sent.len;
	for (size_t cut = 1; cut < len; cut += 3) {
		make_request(row);
		edited_pass(LP_TO_BROKER);
		plane_restart();
		make_answer(row);
		edited_left_len = 0;
		edited_send_part(LP_TO_CLIENT, 0, cut);
		plane_restart();
		edited_send_part(LP_TO_CLIENT, 0, len);
		edited_has_left();
		kafka_talk.next[LP_TO_CLIENT] += (uint32_t)len;
		kafka_acknowledge(LP_TO_BROKER);
		plane_forget();
	}
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}
END_TEST

/* Whoever asks for all of them may be told of all. */
START_TEST(who_names_no_topic_is_refused_none)
{
	const struct row *row = &rows[1];

	deny("api=Metadata topic=secret*");
	kafka_request(&edited_sent, METADATA, 4, 7, "web-1", false);
	kafka_int32(&edited_sent, -1);
	kafka_int8(&edited_sent, 1);
	edited_wanted = edited_sent;
	edited_end();
	edited_pass(LP_TO_BROKER);
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	brokers(row);
	edited_count(row->flexible, 1);
	kafka_int16(&edited_sent, 0);
	edited_text(row->flexible, "secret.a");
	kafka_int8(&edited_sent, 0);
	partitions(row, 1);
	edited_same();
	edited_end();
	edited_pass(LP_TO_CLIENT);
	rule_counts(RULE, 0, 0, 0);
}
END_TEST

/* Of one topic, by its id, which is marked or not. */
static void
make_request_by_id(uint8_t byte, uint8_t bit)
{
	const struct row *row = &rows[BY_ID];

	kafka_request(&edited_sent, METADATA, 12, 7, "web-1", true);
	edited_wanted.len = 0;
	edited_count(row->flexible, 1);
	id(row, an_id);
	edited_same();
	edited_wanted.bytes[edited_wanted.len - 16 + byte] |= bit;
	edited_text(row->flexible, NULL);
	edited_tags(row->flexible);
	end_request(row);
}

static void
make_answer_by_id(uint8_t byte, uint8_t bit)
{
	const struct row *row = &rows[BY_ID];

	kafka_response(&edited_sent, 7, true);
	edited_wanted.len = 0;
	brokers(row);
	edited_count(row->flexible, 1);
	edited_same();
	edited_int16(bit != 0 ? UNKNOWN_ID : 0, bit != 0 ? REFUSED : 0);
	edited_text(row->flexible, bit != 0 ? NULL : "secret");
	id(row, an_id);
	edited_same();
	edited_sent.bytes[edited_sent.len - 16 + byte] |= bit;
	kafka_int8(&edited_sent, 0);
	partitions(row, bit != 0 ? 0 : 1);
	kafka_int32(&edited_sent, 0);
	edited_tags(row->flexible);
	edited_tags(row->flexible);
	edited_same();
	edited_end();
}

START_TEST(who_names_an_id_is_refused_it)
{
	size_t begin, asked, answered;

	/* Nobody has denied it yet, and so its name is learnt. */
	make_request_by_id(0, 0);
	edited_pass(LP_TO_BROKER);
	asked = edited_sent.len;
	begin =
	    (size_t)((uint8_t *)memmem(edited_sent.bytes, asked, an_id, 16) -
		edited_sent.bytes);
	make_answer_by_id(0, 0);
	edited_pass(LP_TO_CLIENT);
	deny("api=Metadata topic=secret");
	make_answer_by_id(6, 0x80);
	answered = edited_sent.len;
	for (size_t cut = 0; cut < answered; cut++) {
		size_t at = cut % asked;
		bool late;

		if (at > begin + 8 && at < begin + 16)
			at = 0;
		late = at > begin + 6 && at <= begin + 8;
		make_request_by_id(late ? 8 : 6, late ? 0x40 : 0x80);
		edited_pass_cut(LP_TO_BROKER, at);
		make_answer_by_id(late ? 8 : 6, late ? 0x40 : 0x80);
		edited_pass_cut(LP_TO_CLIENT, cut);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(names_denied), answered);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(
	    tests, some_of_many_are_refused_wherever_a_segment_ends, 0, ROWS);
	tcase_add_loop_test(
	    tests, a_successor_puts_back_what_was_refused, 0, ROWS);
	tcase_add_test(tests, who_names_no_topic_is_refused_none);
	tcase_add_test(tests, who_names_an_id_is_refused_it);
}

int
main(void)
{
	return plane_main("deny_read", add);
}
