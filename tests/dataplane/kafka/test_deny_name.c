/* SPDX-License-Identifier: Apache-2.0 */
/* Topics that are refused by their names, or ids, where nothing else is there
 * of them. */
#include <check.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	CREATE = 19,
	DELETE = 20,
	ALTER = 33,
	GROW = 37,
	ALTER_SOME = 44,
	REFUSED = 29,
	INVALID = 17,
	NOT_THERE = 3,
	UNKNOWN_ID = 100,
	EXISTS = 36,
	TOPIC = 2,
	GROUP = 32,
};

/* What brokers say of an edit, and of what they would have said no to. */
static const char quoting[] = "Topic name is invalid: it is not legal";
static const char refusing[] = "Authorization failed.                 ";
_Static_assert(sizeof(quoting) == sizeof(refusing), "as long");

static const struct row {
	int16_t key, version;
	const char *rule;
	bool flexible;
	int16_t error; /* of a name that is not legal */
} rows[] = {
    {CREATE, 0, "api=CreateTopics topic=secret*", false, INVALID},
    {CREATE, 7, "api=CreateTopics topic=secret*", true, INVALID},
    {DELETE, 0, "api=DeleteTopics topic=secret*", false, NOT_THERE},
    {DELETE, 5, "api=DeleteTopics topic=secret*", true, NOT_THERE},
    {DELETE, 6, "api=DeleteTopics topic=secret*", true, NOT_THERE},
    {GROW, 0, "api=CreatePartitions topic=secret*", false, NOT_THERE},
    {GROW, 3, "api=CreatePartitions topic=secret*", true, NOT_THERE},
    {ALTER, 0, "api=AlterConfigs topic=secret*", false, INVALID},
    {ALTER, 2, "api=AlterConfigs topic=secret*", true, INVALID},
    {ALTER_SOME, 0, "api=IncrementalAlterConfigs topic=secret*", false,
	INVALID},
    {ALTER_SOME, 1, "api=IncrementalAlterConfigs topic=secret*", true, INVALID},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), BY_ID = 4 };

static const uint8_t an_id[16] = {
    1, 2, 3, 4, 5, 6, 0x47, 8, 0x99, 10, 11, 12, 13, 14, 15, 16};

/* One that is named. */
struct named {
	const char *name; /* NULL: by its id */
	bool denied;
	uint8_t id_byte, id_bit; /* what of it is other */
};

static const struct named some[] = {
    {"secret.a", true, 0, 0},
    {"open", false, 0, 0},
    {"secret_", true, 0, 0},
    {"open.secret", false, 0, 0},
    {"secret.Z", true, 0, 0},
    {"secret9", true, 0, 0},
};
enum { SOME = sizeof(some) / sizeof(some[0]) };

/* One of the two has the name with another end. */
static void
name(const struct row *row, const struct named *one, struct kafka_frame *other)
{
	edited_text(row->flexible, one->name);
	edited_same();
	if (one->denied && one->name != NULL)
		other->bytes[other->len - 1] =
		    edited_fake(one->name[strlen(one->name) - 1]);
}

static void
id(const struct named *one, struct kafka_frame *other)
{
	kafka_bytes(&edited_sent, an_id, sizeof(an_id));
	if (one->name != NULL)
		memset(edited_sent.bytes + edited_sent.len - 16, 0, 16);
	edited_same();
	if (one->name == NULL && one->denied)
		other->bytes[other->len - 16 + one->id_byte] |= one->id_bit;
}

static void
ask_for(const struct row *row, const struct named *one)
{
	bool is_config = row->key == ALTER || row->key == ALTER_SOME;

	if (is_config)
		kafka_int8(&edited_sent, TOPIC);
	name(row, one, &edited_wanted);
	switch (row->key) {
	case CREATE:
		kafka_int32(&edited_sent, -1);
		kafka_int16(&edited_sent, -1);
		edited_count(row->flexible, 1);
		kafka_int32(&edited_sent, 0); /* the index of a partition */
		edited_count(row->flexible, 1);
		kafka_int32(&edited_sent, 1);
		edited_tags(row->flexible);
		edited_count(row->flexible, 0);
		break;
	case GROW:
		kafka_int32(&edited_sent, 3);
		edited_count(row->flexible, 0);
		break;
	case DELETE:
		if (row->version < 6)
			return;
		id(one, &edited_wanted);
		break;
	default:
		edited_count(row->flexible, 1);
		edited_text(row->flexible, "retention.ms");
		if (row->key == ALTER_SOME)
			kafka_int8(&edited_sent, 0);
		edited_text(row->flexible, "7");
		edited_tags(row->flexible);
	}
	edited_tags(row->flexible);
}

static void
make_request(const struct row *row, const struct named all[], unsigned number)
{
	bool is_config = row->key == ALTER || row->key == ALTER_SOME;

	kafka_request(
	    &edited_sent, row->key, row->version, 7, "web-1", row->flexible);
	edited_wanted.len = 0;
	edited_count(row->flexible, number + is_config);
	for (unsigned i = 0; i < number; i++)
		ask_for(row, &all[i]);
	/* A group may have any name. */
	if (is_config) {
		kafka_int8(&edited_sent, GROUP);
		edited_text(row->flexible, "secret \x7f");
		edited_count(row->flexible, 0);
		edited_tags(row->flexible);
	} else {
		kafka_int32(&edited_sent, 60000);
	}
	if ((row->key == CREATE && row->version > 0) || row->key == GROW ||
	    is_config)
		kafka_int8(&edited_sent, 0);
	edited_tags(row->flexible);
	edited_same();
	edited_end();
}

static void
message(const struct row *row, const struct named *one)
{
	size_t from;

	edited_text(row->flexible, one->denied ? quoting : "it is there");
	from = edited_wanted.len;
	edited_same();
	if (one->denied)
		memcpy(edited_wanted.bytes + edited_sent.len - strlen(quoting),
		    refusing, strlen(refusing));
	ck_assert_uint_lt(from, edited_wanted.len);
}

static void
answer(const struct row *row, const struct named *one)
{
	bool is_config = row->key == ALTER || row->key == ALTER_SOME;
	int16_t error = one->name == NULL ? UNKNOWN_ID : row->error;

	if (!is_config)
		name(row, one, &edited_sent);
	if ((row->key == DELETE && row->version == 6) ||
	    (row->key == CREATE && row->version == 7))
		id(one, &edited_sent);
	edited_same();
	edited_int16(
	    one->denied ? error : EXISTS, one->denied ? REFUSED : EXISTS);
	if (row->key == GROW || is_config || row->version >= 5)
		message(row, one);
	if (row->key == CREATE && row->version >= 5) {
		kafka_int32(&edited_sent, -1);
		kafka_int16(&edited_sent, -1);
		kafka_int8(&edited_sent, 1);
	}
	if (is_config) {
		kafka_int8(&edited_sent, TOPIC);
		name(row, one, &edited_sent);
	}
	edited_tags(row->flexible);
	edited_same();
}

/* In the order from behind. */
static void
make_answer(const struct row *row, const struct named all[], unsigned number)
{
	bool is_config = row->key == ALTER || row->key == ALTER_SOME;

	kafka_response(&edited_sent, 7, row->flexible);
	edited_wanted.len = 0;
	if (row->version > 0 || (row->key != CREATE && row->key != DELETE))
		kafka_int32(&edited_sent, 0);
	edited_count(row->flexible, number + is_config);
	for (unsigned i = number; i-- > 0;)
		answer(row, &all[i]);
	if (is_config) {
		kafka_int16(&edited_sent, 0);
		edited_text(row->flexible, NULL);
		kafka_int8(&edited_sent, GROUP);
		edited_text(row->flexible, "secret \x7f");
		edited_tags(row->flexible);
	}
	edited_tags(row->flexible);
	edited_same();
	edited_end();
}

static void
deny(const char *match)
{
	rule_put(RULE, 10, match, "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
}

static void
pass(const struct row *row, const struct named all[], unsigned number)
{
	make_request(row, all, number);
	edited_pass(LP_TO_BROKER);
	make_answer(row, all, number);
	edited_pass(LP_TO_CLIENT);
}

START_TEST(some_of_many_are_refused_wherever_a_segment_ends)
{
	const struct row *row = &rows[_i];
	size_t asked, answered, most;

	deny(row->rule);
	make_request(row, some, SOME);
	asked = edited_sent.len;
	make_answer(row, some, SOME);
	answered = edited_sent.len;
	most = asked > answered ? asked : answered;
	for (size_t cut = 0; cut < most; cut++) {
		make_request(row, some, SOME);
		edited_pass_cut(LP_TO_BROKER, cut % asked);
		make_answer(row, some, SOME);
		edited_pass_cut(LP_TO_CLIENT, cut % answered);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(names_denied), 4 * most);
	rule_counts(RULE, 0, most, most);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
}
END_TEST

START_TEST(what_comes_again_is_edited_in_the_same_way)
{
	const struct row *row = &rows[_i];
	size_t len;

	deny(row->rule);
	make_request(row, some, SOME);
	len = edited_sent.len;
	for (size_t cut = 1; cut < len; cut += 3) {
		make_request(row, some, SOME);
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
		make_answer(row, some, SOME);
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

/* No two of them become one. */
START_TEST(names_that_differ_in_their_end_stay_different)
{
	static const char last[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
	static char names[sizeof(last) - 1][8];
	static struct named all[sizeof(last) - 1];
	bool seen[128] = {false};

	for (unsigned i = 0; i < sizeof(last) - 1; i++) {
		memcpy(names[i], "secret", 6);
		names[i][6] = last[i];
		all[i] = (struct named){.name = names[i], .denied = true};
		ck_assert(!seen[edited_fake(last[i])]);
		seen[edited_fake(last[i])] = true;
	}
	deny(rows[_i].rule);
	/* As many as have room in a segment. */
	for (unsigned i = 0; i < sizeof(last) - 1; i += 16)
		pass(&rows[_i], all + i, i == 48 ? 15 : 16);
}
END_TEST

START_TEST(others_are_left_alone)
{
	/* What is no name itself is put back by nobody. */
	static const struct named all[] = {{"open", false, 0, 0},
	    {"open\x7f", false, 0, 0}, {"", false, 0, 0}};

	deny(rows[_i].rule);
	pass(&rows[_i], all, 3);
	ck_assert_uint_eq(KAFKA_COUNTER(names_denied), 0);
	rule_counts(RULE, 0, 0, 0);
}
END_TEST

/* A broker refuses such names by itself. */
START_TEST(what_is_no_name_is_left_to_the_broker)
{
	static const struct named all[] = {{"secret\x7f", false, 0, 0}};

	deny(rows[_i].rule);
	pass(&rows[_i], all, 1);
	ck_assert_uint_eq(KAFKA_COUNTER(names_denied), 0);
}
END_TEST

static const struct named apart[][2] = {
    {{"secret-", true, 0, 0}, {"secret.", true, 0, 0}},
    {{"open\x01", false, 0, 0}, {"secret", true, 0, 0}},
    {{"secret", true, 0, 0}, {"open\x7f", false, 0, 0}},
};

/* Both ends are told, and nothing of it is passed on. */
START_TEST(what_could_not_be_put_back_is_reset)
{
	deny(rows[_i / 3].rule);
	make_request(&rows[_i / 3], apart[_i % 3], 2);
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	plane_run();
	ck_assert(plane_take(BACK_SLOT));
	ck_assert(strstr(plane.text, " R") != NULL);
	ck_assert(plane_take(FRONT_SLOT));
	ck_assert(strstr(plane.text, " R") != NULL);
	plane_forget();
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(names_reset), 1);
	rule_counts(RULE, 0, 1, 1);
}
END_TEST

/* Of a Metadata request, which a broker answers. */
static void
tell_id(void)
{
	kafka_request(&kafka_frame, METADATA, 10, 3, "web-1", true);
	kafka_int8(&kafka_frame, 1);
	kafka_fill(&kafka_frame, 0, 3);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, 3, true);
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 1);
	kafka_compact(&kafka_frame, "c");
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 2);
	kafka_int16(&kafka_frame, 0);
	kafka_compact(&kafka_frame, "secret");
	kafka_bytes(&kafka_frame, an_id, 16);
	kafka_int8(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 1);
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(topic_ids), 1);
}

/* By the seventh byte, or the ninth; behind that it is too late. */
START_TEST(an_id_is_refused_by_a_bit_that_none_has)
{
	static struct named all[2] = {
	    {NULL, true, 6, 0x80}, {"open", false, 0, 0}};
	const struct row *row = &rows[BY_ID];
	size_t begin, len, answered;

	tell_id();
	deny(row->rule);
	make_request(row, all, 2);
	len = edited_sent.len;
	begin = (size_t)((uint8_t *)memmem(edited_sent.bytes, len, an_id, 16) -
	    edited_sent.bytes);
	make_answer(row, all, 2);
	answered = edited_sent.len;
	for (size_t cut = 0; cut < answered; cut++) {
		size_t at = cut % len;

		if (at > begin + 8 && at < begin + 16)
			at = 0;
		all[0].id_byte = at > begin + 6 && at <= begin + 8 ? 8 : 6;
		all[0].id_bit = all[0].id_byte == 8 ? 0x40 : 0x80;
		make_request(row, all, 2);
		edited_pass_cut(LP_TO_BROKER, at);
		make_answer(row, all, 2);
		edited_pass_cut(LP_TO_CLIENT, cut);
	}
	ck_assert_uint_eq(KAFKA_COUNTER(names_denied), answered);
	ck_assert_uint_eq(KAFKA_COUNTER(edits), 0);
	make_request(row, all, 2);
	edited_send_part(LP_TO_BROKER, 0, begin + 9 + (size_t)_i);
	kafka_queue(LP_TO_BROKER, (int32_t)begin + 9 + _i,
	    edited_sent.bytes + begin + 9 + _i, len - begin - 9 - (size_t)_i);
	plane_run();
	plane_forget();
	ck_assert_uint_eq(plane_connections(), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(names_reset), 1);
}
END_TEST

START_TEST(an_id_needs_no_name_where_no_rule_asks_for_it)
{
	static const struct named all[] = {{NULL, true, 6, 0x80}};

	deny("api=DeleteTopics");
	pass(&rows[BY_ID], all, 1);
	rule_counts(RULE, 0, 1, 1);
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
	    tests, what_comes_again_is_edited_in_the_same_way, 0, ROWS);
	tcase_add_loop_test(
	    tests, names_that_differ_in_their_end_stay_different, 0, ROWS);
	tcase_add_loop_test(tests, others_are_left_alone, 0, ROWS);
	tcase_add_loop_test(
	    tests, what_is_no_name_is_left_to_the_broker, 0, ROWS);
	tcase_add_loop_test(
	    tests, what_could_not_be_put_back_is_reset, 0, 3 * ROWS);
	tcase_add_loop_test(
	    tests, an_id_is_refused_by_a_bit_that_none_has, 0, 7);
	tcase_add_test(tests, an_id_needs_no_name_where_no_rule_asks_for_it);
}

int
main(void)
{
	return plane_main("deny_name", add);
}
