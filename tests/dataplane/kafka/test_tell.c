/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever rules refuse is told: who, what, and by which rule. */
#include "dataplane/kafka/tell.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/edited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	DELETE_RECORDS = 21,
};

/* The next one that was told. */
static struct lp_denial denial;

static void
take(void)
{
	struct lp_denials *denials = lp_pipeline_denials(plane.pipeline);
	const struct lp_denial *oldest = lp_denials_oldest(denials);

	ck_assert_ptr_nonnull(oldest);
	denial = *oldest;
	lp_denials_consumed(denials);
	ck_assert_uint_eq(
	    denial.client_port, plane.region.connections[0].client_port);
	ck_assert_uint_eq(
	    denial.listener_id, plane.region.connections[0].listener_id);
}

static void
no_more(void)
{
	ck_assert_ptr_null(
	    lp_denials_oldest(lp_pipeline_denials(plane.pipeline)));
}

static void
has(enum lp_denial_text which, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	ck_assert_int_eq((denial.has & 1u << which) != 0, text != NULL);
	ck_assert_uint_eq(denial.lens[which], len);
	if (len > 0)
		ck_assert_mem_eq(denial.texts[which], text, len);
}

static void
is(uint32_t rule_id, enum lp_denial_kind kind, bool shadow, int16_t api,
    const char *topic)
{
	take();
	ck_assert_uint_eq(denial.rule_id, rule_id);
	ck_assert_uint_eq(denial.kind, kind);
	ck_assert_int_eq(denial.shadow, shadow);
	ck_assert_int_eq(denial.api, api);
	has(LP_DENIAL_TOPIC, topic);
}

/* Version 3, of three topics. */
static void
produce(void)
{
	static const char *const topics[] = {"secret.a", "open", "secret.b"};

	kafka_request(&edited_sent, PRODUCE, 3, 7, "web-1", false);
	kafka_string(&edited_sent, "tx-1");
	kafka_int16(&edited_sent, 1);
	kafka_int32(&edited_sent, 1000);
	kafka_int32(&edited_sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		kafka_string(&edited_sent, topics[i]);
		kafka_int32(&edited_sent, 1);
		kafka_int32(&edited_sent, 0);
		kafka_int32(&edited_sent, 10);
		kafka_fill(&edited_sent, 0x5a, 10);
	}
	kafka_end(&edited_sent);
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	plane_run();
	plane_forget();
}

START_TEST(each_topic_that_is_denied_is_told)
{
	rule_put(RULE, 10, "api=Produce topic=secret*", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	is(RULE, LP_DENIAL_DENY, false, PRODUCE, "secret.a");
	ck_assert_int_eq(denial.version, 3);
	ck_assert_int_eq(denial.node_id, plane.region.connections[0].node_id);
	has(LP_DENIAL_CLIENT_ID, "web-1");
	has(LP_DENIAL_TRANSACTIONAL_ID, "tx-1");
	has(LP_DENIAL_GROUP, NULL);
	has(LP_DENIAL_PRINCIPAL, NULL);
	is(RULE, LP_DENIAL_DENY, false, PRODUCE, "secret.b");
	no_more();
	ck_assert_uint_eq(KAFKA_COUNTER(denials_told), 2);
}
END_TEST

START_TEST(what_would_be_is_told_as_such)
{
	rule_put(OTHER, 20, "api=Produce topic=secret.b", "reset", true);
	rule_put(RULE, 10, "api=Produce topic=secret*", "deny", true);
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	is(RULE, LP_DENIAL_DENY, true, PRODUCE, "secret.a");
	is(OTHER, LP_DENIAL_RESET, true, PRODUCE, "secret.b");
	is(RULE, LP_DENIAL_DENY, true, PRODUCE, "secret.b");
	no_more();
}
END_TEST

START_TEST(what_is_let_in_or_counted_is_not)
{
	rule_put(OTHER, 20, "api=Produce topic=secret*", "allow", false);
	rule_put(RULE, 10, "", "observe", false);
	edited_publish(LP_UNJUDGED_PASS);
	produce();
	no_more();
}
END_TEST

START_TEST(a_reset_is_told)
{
	rule_put(RULE, 10, "api=DeleteRecords", "reset", false);
	edited_publish(LP_UNJUDGED_PASS);
	kafka_request(&edited_sent, DELETE_RECORDS, 0, 7, "web-1", false);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 1000);
	kafka_end(&edited_sent);
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	plane_run();
	plane_forget();
	is(RULE, LP_DENIAL_RESET, false, DELETE_RECORDS, NULL);
	has(LP_DENIAL_CLIENT_ID, "web-1");
	no_more();
}
END_TEST

/* Version 4. */
static void
metadata(const char *first, const char *second, bool may)
{
	kafka_request(&edited_sent, METADATA, 4, 7, "web-1", false);
	kafka_int32(&edited_sent, 2);
	kafka_string(&edited_sent, first);
	kafka_string(&edited_sent, second);
	kafka_int8(&edited_sent, may);
	kafka_end(&edited_sent);
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	kafka_talk.next[LP_TO_BROKER] += (uint32_t)edited_sent.len;
	plane_run();
	plane_forget();
}

/* That of the topic, if it is the last that the request names. */
START_TEST(what_is_not_created_is_told)
{
	rule_put(OTHER, 20, "", "observe", false);
	rule_put(RULE, 10, "api=Metadata topic=auto*", "no_create", false);
	edited_publish(LP_UNJUDGED_PASS);
	metadata("other", "auto.1", true);
	is(RULE, LP_DENIAL_NO_CREATE, false, METADATA, "auto.1");
	metadata("auto.1", "other", true);
	is(RULE, LP_DENIAL_NO_CREATE, false, METADATA, NULL);
	/* Those that ask for nothing to be created are not refused. */
	metadata("auto.1", "auto.2", false);
	metadata("other", "others", true);
	no_more();
}
END_TEST

/* Of so many rules that one which limits takes the place of another. */
START_TEST(what_is_not_created_is_told_of_many_rules)
{
	const unsigned creates = LP_JUDGED_MAX - 1, limits = LP_JUDGED_MAX;
	char match[40], topic[16];

	for (unsigned i = 0; i <= LP_JUDGED_MAX; i++) {
		snprintf(match, sizeof(match), "api=Metadata topic=t-%u", i);
		rule_put(RULE + i, RULE + i, match,
		    i == creates      ? "no_create"
			: i == limits ? "limit requests=1000/s"
				      : "observe",
		    false);
	}
	edited_publish(LP_UNJUDGED_PASS);
	kafka_request(&edited_sent, METADATA, 4, 7, "web-1", false);
	kafka_int32(&edited_sent, LP_JUDGED_MAX + 1);
	for (unsigned i = 0; i <= LP_JUDGED_MAX; i++) {
		snprintf(topic, sizeof(topic), "t-%u", i);
		kafka_string(&edited_sent, topic);
	}
	kafka_int8(&edited_sent, 1);
	kafka_end(&edited_sent);
	kafka_queue(LP_TO_BROKER, 0, edited_sent.bytes, edited_sent.len);
	plane_run();
	plane_forget();
	is(RULE + creates, LP_DENIAL_NO_CREATE, false, METADATA, NULL);
	no_more();
	rule_counts(RULE + creates, 0, 0, 1);
	rule_counts(RULE + limits, 0, 0, 1);
	/* One that does nothing has made room. */
	rule_counts(RULE + creates - 1, 0, 0, 0);
	ck_assert_uint_eq(KAFKA_COUNTER(rules_uncounted), 1);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	int16_t api;
} unreadable[] = {
    {"GET / HTTP/1.1\r\n\r\n", 18, LP_DENIALS_NO_API},
    /* Metadata 200, and a Produce that is shorter than its frame. */
    {"\0\0\0\x0a\0\3\0\xc8\0\0\0\7\xff\xff", 14, METADATA},
    {"\0\0\0\x10\0\0\0\3\0\0\0\7\xff\xff\xff\xff\0\0\0\1", 20, PRODUCE},
};

/* Whether it is there when the rule comes, or after that. */
START_TEST(what_cannot_be_judged_is_told)
{
	bool before = _i == 3;
	unsigned which = before ? 0 : (unsigned)_i;

	if (!before) {
		rule_put(RULE, 10, "api=Produce topic=x", "deny", false);
		edited_publish(LP_UNJUDGED_RESET);
	}
	kafka_queue(
	    LP_TO_BROKER, 0, unreadable[which].bytes, unreadable[which].len);
	plane_run();
	if (before) {
		no_more();
		rule_put(RULE, 10, "api=Produce topic=x", "deny", false);
		edited_publish(LP_UNJUDGED_RESET);
	}
	is(0, LP_DENIAL_UNJUDGED, false, unreadable[which].api, NULL);
	no_more();
	plane_forget();
}
END_TEST

START_TEST(a_principal_is_told)
{
	rule_put(
	    RULE, 10, "api=Produce topic=open principal=alice", "deny", false);
	edited_publish(LP_UNJUDGED_PASS);
	kafka_log_in();
	no_more();
	produce();
	is(RULE, LP_DENIAL_DENY, false, PRODUCE, "open");
	has(LP_DENIAL_PRINCIPAL, "alice");
	no_more();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_add_test(tests, each_topic_that_is_denied_is_told);
	tcase_add_test(tests, what_would_be_is_told_as_such);
	tcase_add_test(tests, what_is_let_in_or_counted_is_not);
	tcase_add_test(tests, a_reset_is_told);
	tcase_add_test(tests, what_is_not_created_is_told);
	tcase_add_test(tests, what_is_not_created_is_told_of_many_rules);
	tcase_add_loop_test(tests, what_cannot_be_judged_is_told, 0, 4);
	tcase_add_test(tests, a_principal_is_told);
}

int
main(void)
{
	return plane_main("tell", add);
}
