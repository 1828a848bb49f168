/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of what is fetched of topics: the answers of a session name what its
 * requests do not, and are charged for it; however segments cut them.
 */
#include <check.h>
#include <stdio.h>

#include "dataplane/pipeline/pace.h"
#include "tests/support/edited.h"
#include "tests/support/limited.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"
#include "tests/support/rule_stats.h"

enum {
	RULE = 100,
	OTHER,
	SHARE_FETCH = 78,
	METADATA_VERSION = 10,
	ID_LEN = 16,
	MANY = 100, /* partitions */
	PIECE = 700,
};

/* A kind of answers. */
struct kind {
	int16_t key;
	int16_t version;
	bool flexible;
	bool by_id;
	bool told; /* its clients obey a throttle time */
};
static const struct kind kinds[] = {
    {FETCH, 4, false, false, false},
    {FETCH, 8, false, false, true},
    {FETCH, 12, true, false, true},
    {FETCH, 13, true, true, true},
    {FETCH, 17, true, true, true},
    {SHARE_FETCH, 1, true, true, false},
    {SHARE_FETCH, 2, true, true, false},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* What an answer has of a topic; 0: its partitions, without records. */
struct part {
	const char *topic;
	size_t bytes;
};

/* Of a topic, each of which has a part of its records. */
static int32_t partitions = 3;

static void
limit(const char *match, const char *action)
{
	rule_put(RULE, 10, match, action, false);
	edited_publish(LP_UNJUDGED_PASS);
}

/* The id of a topic: its first letter, all over. */
static void
put_topic(const struct kind *kind, struct kafka_frame *to, const char *topic)
{
	if (kind->by_id)
		kafka_fill(to, (uint8_t)topic[0], ID_LEN);
	else if (kind->flexible)
		kafka_compact(to, topic);
	else
		kafka_string(to, topic);
}

/* A broker tells those ids. */
static void
tell_ids(void)
{
	static const char *const topics[] = {"orders", "payments"};
	static const struct kind by_id = {.by_id = true};

	kafka_request(
	    &kafka_frame, METADATA, METADATA_VERSION, 3, "web-1", true);
	kafka_int8(&kafka_frame, 1);
	kafka_fill(&kafka_frame, 0, 4);
	kafka_end(&kafka_frame);
	kafka_ask();
	kafka_response(&kafka_frame, 3, true);
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 1); /* brokers */
	kafka_compact(&kafka_frame, "c");
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 3);
	for (unsigned i = 0; i < 2; i++) {
		kafka_int16(&kafka_frame, 0);
		kafka_compact(&kafka_frame, topics[i]);
		put_topic(&by_id, &kafka_frame, topics[i]);
		kafka_int8(&kafka_frame, 0);
		kafka_int8(&kafka_frame, 1); /* partitions */
		kafka_int32(&kafka_frame, 0);
		kafka_int8(&kafka_frame, 0);
	}
	kafka_int32(&kafka_frame, 0);
	kafka_int8(&kafka_frame, 0);
	kafka_end(&kafka_frame);
	kafka_answer();
	ck_assert_uint_eq(KAFKA_COUNTER(topic_ids), 2);
}

/* A request that names no topic, as most of a session; or the one. */
static void
ask(const struct kind *kind, const char *topic)
{
	struct kafka_frame *to = &edited_sent;

	kafka_request(
	    to, kind->key, kind->version, 7, limited_client, kind->flexible);
	edited_wanted.len = 0;
	if (kind->key == SHARE_FETCH) {
		kafka_compact(to, "g");
		kafka_compact(to, "member");
		kafka_int32(to, 0); /* epoch: a new session */
	} else if (kind->version < 15) {
		kafka_int32(to, -1);
	}
	kafka_int32(to, 500);
	kafka_int32(to, 1);
	kafka_int32(to, 1 << 20);
	if (kind->key == SHARE_FETCH) {
		kafka_int32(to, 500); /* records */
		kafka_int32(to, 500); /* of a batch */
		if (kind->version >= 2) {
			kafka_int8(to, 0); /* acquire mode */
			kafka_int8(to, 0); /* renews */
		}
	} else {
		kafka_int8(to, 0);
		if (kind->version >= 7) {
			kafka_int32(to, 0);
			kafka_int32(to, -1); /* epoch: no session */
		}
	}
	edited_count(kind->flexible, topic != NULL);
	if (topic != NULL) {
		put_topic(kind, to, topic);
		edited_count(kind->flexible, 0);
		edited_tags(kind->flexible);
	}
	if (kind->key == SHARE_FETCH || kind->version >= 7)
		edited_count(kind->flexible, 0); /* forgotten */
	if (kind->key == FETCH && kind->version >= 11)
		edited_text(kind->flexible, "");
	edited_tags(kind->flexible);
	edited_same();
	edited_end();
	edited_pass(LP_TO_BROKER);
}

static void
put_partition(const struct kind *kind, int32_t index, size_t bytes)
{
	struct kafka_frame *to = &edited_sent;

	kafka_int32(to, index);
	kafka_int16(to, 0);
	if (kind->key == SHARE_FETCH) {
		kafka_int8(to, 0);
		kafka_int16(to, 0);
		kafka_int8(to, 0);
		kafka_int64(to, 0); /* leader */
		kafka_int8(to, 0);
	} else {
		kafka_int64(to, 10);
		kafka_int64(to, 10);
		if (kind->version >= 5)
			kafka_int64(to, 0);
		edited_count(kind->flexible, 0);
		if (kind->version >= 11)
			kafka_int32(to, -1);
	}
	edited_count(kind->flexible, (unsigned)bytes);
	kafka_fill(to, 0x77, bytes);
	if (kind->key == SHARE_FETCH)
		kafka_int8(to, 1); /* acquired */
	edited_tags(kind->flexible);
}

/* Its frame; the client is to be told that time. */
static void
make_answer(const struct kind *kind, const struct part parts[], unsigned count,
    int32_t told_ms)
{
	struct kafka_frame *to = &edited_sent;

	kafka_response(to, 7, kind->flexible);
	edited_wanted.len = 0;
	edited_same();
	edited_int32(0, told_ms);
	if (kind->key == SHARE_FETCH) {
		kafka_int16(to, 0);
		kafka_int8(to, 0);
		kafka_int32(to, 30000);
	} else if (kind->version >= 7) {
		kafka_int16(to, 0);
		kafka_int32(to, 0);
	}
	edited_count(kind->flexible, count);
	for (unsigned i = 0; i < count; i++) {
		put_topic(kind, to, parts[i].topic);
		edited_count(kind->flexible, (unsigned)partitions);
		for (int32_t j = 0; j < partitions; j++)
			put_partition(
			    kind, j, parts[i].bytes / (size_t)partitions);
		edited_tags(kind->flexible);
	}
	if (kind->key == SHARE_FETCH)
		kafka_int8(to, 1); /* endpoints */
	edited_tags(kind->flexible);
	edited_same();
	edited_end();
}

/* Asks, and is answered so. */
static void
fetch(const struct kind *kind, const struct part parts[], unsigned count,
    int32_t told_ms)
{
	ask(kind, NULL);
	make_answer(kind, parts, count, kind->told ? told_ms : 0);
	edited_pass(LP_TO_CLIENT);
}

static const struct lp_pace_side *
broker_side(void)
{
	const struct lp_conn *conn = plane.region.connections;

	while (conn->use != LP_CONN_USED)
		conn++;
	if (!(conn->paced & 1u << LP_TO_CLIENT))
		return NULL;
	return &plane.region.kafka.paces[conn - plane.region.connections]
		    .sides[LP_TO_CLIENT];
}

/* The broker rests so long from now on; 0: no longer than it did. */
static void
held(uint64_t wait_ms)
{
	const struct lp_pace_side *side = broker_side();

	if (wait_ms == 0) {
		ck_assert(side == NULL || side->until_ns <= plane.now_ns);
		return;
	}
	ck_assert_ptr_nonnull(side);
	ck_assert_uint_eq(side->until_ns, plane.now_ns + wait_ms * MS);
}

static void
delayed(uint64_t count, uint64_t ms)
{
	ck_assert_uint_eq(lp_count_get(&rule_stats(RULE)->delayed), count);
	ck_assert_uint_eq(
	    lp_count_get(&rule_stats(RULE)->delayed_ns), ms * (uint64_t)MS);
}

static const struct part both[] = {{"orders", 300}, {"payments", 360}};
static const struct part others[] = {{"payments", 360}, {"orders", 0}};

START_TEST(a_topic_is_charged_the_bytes_of_its_records)
{
	const struct kind *kind = &kinds[_i];
	size_t request;
	char match[64];

	tell_ids();
	snprintf(match, sizeof(match), "api=%s topic=orders",
	    kind->key == FETCH ? "Fetch" : "ShareFetch");
	limit(match, "limit bytes=1kB/s burst=300B max_throttle=60s");
	ask(kind, NULL);
	request = edited_sent.len;
	make_answer(kind, NULL, 0, 0);
	edited_pass(LP_TO_CLIENT);
	/* What may pass at once. */
	fetch(kind, both, 2, 0);
	held(0);
	delayed(0, 0);
	/* It is over by 300 bytes, and the next answer tells it. */
	fetch(kind, both, 2, 0);
	held(300);
	delayed(1, 300);
	fetch(kind, others, 2, 300);
	delayed(1, 300);
	/* That one owes nothing of its own, and is told nothing. */
	fetch(kind, others, 2, 0);
	fetch(kind, NULL, 0, 0);
	/* What is left of it is told. */
	fetch(kind, both, 1, 0);
	delayed(2, 900);
	plane_wait_ms(100);
	fetch(kind, both, 1, 500);
	held(800);
	delayed(3, 1700);
	ck_assert_uint_gt(broker_side()->window, 0);
	/* All is paid, and some time has gone: it is free. */
	plane_wait_ms(7000);
	fetch(kind, others, 2, 0);
	ck_assert(broker_side() == NULL || broker_side()->window == 0);
	rule_counts(RULE, 0, 0, 4);
	/* Its bytes are those of requests, as their name says. */
	ck_assert_uint_eq(
	    lp_count_get(&rule_stats(RULE)->request_bytes), 4 * request);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
	ck_assert_uint_eq(KAFKA_COUNTER(rules_topics_unknown), 0);
}
END_TEST

/* The same is charged, held and told, in whatever pieces it comes. */
START_TEST(an_answer_may_be_cut_anywhere)
{
	const struct kind *kind = &kinds[_i];
	size_t len;

	tell_ids();
	limit("topic=orders", "limit bytes=1kB/s burst=1B max_throttle=60s");
	make_answer(kind, both, 2, 0);
	len = edited_sent.len;
	for (size_t cut = 1; cut < len; cut++) {
		/* All is paid. */
		plane_wait_ms(60000);
		fetch(kind, NULL, 0, 0);
		ask(kind, NULL);
		make_answer(kind, both, 2, 0);
		edited_pass_cut(LP_TO_CLIENT, cut);
		held(299);
		delayed(cut, cut * 299);
		fetch(kind, others, 1, 299);
	}
	/* Byte by byte. */
	plane_wait_ms(60000);
	ask(kind, NULL);
	make_answer(kind, both, 2, 0);
	edited_left_len = 0;
	for (size_t i = 0; i < len; i++)
		edited_send_part(LP_TO_CLIENT, i, 1);
	edited_has_left();
	delayed(len, len * 299);
	ck_assert_uint_eq(KAFKA_COUNTER(frames_malformed), 0);
}
END_TEST

START_TEST(all_partitions_of_a_topic_are_charged)
{
	const struct kind *kind = &kinds[_i];
	const struct part parts[] = {{"orders", 5 * MANY}, {"payments", MANY}};
	size_t len;

	partitions = MANY;
	tell_ids();
	limit("topic=orders", "limit bytes=1kB/s burst=1B max_throttle=60s");
	ask(kind, NULL);
	make_answer(kind, parts, 2, 0);
	len = edited_sent.len;
	edited_left_len = 0;
	for (size_t i = 0; i < len; i += PIECE)
		edited_send_part(
		    LP_TO_CLIENT, i, len - i < PIECE ? len - i : PIECE);
	edited_has_left();
	held(5 * MANY - 1);
	delayed(1, 5 * MANY - 1);
	partitions = 3;
}
END_TEST

/* A rule of several topics: each counts, and the answer once. */
START_TEST(a_rule_is_charged_an_answer_once)
{
	const struct kind *kind = &kinds[1];

	limit("api=Fetch topic=orders,pay*",
	    "limit requests=1/s bytes=1MB/s max_throttle=60s");
	fetch(kind, both, 2, 0);
	fetch(kind, both, 2, 0);
	held(1000);
	delayed(1, 1000);
	fetch(kind, NULL, 0, 1000);
	rule_counts(RULE, 0, 0, 2);
	limit("api=Fetch topic=orders,pay*",
	    "limit bytes=1kB/s burst=1B max_throttle=60s");
	plane_wait_ms(60000);
	fetch(kind, both, 2, 0);
	held(659);
	delayed(2, 1659);
}
END_TEST

START_TEST(a_request_that_names_the_topic_is_charged_nothing)
{
	const struct kind *kind = &kinds[1];

	limit("api=Fetch,Produce topic=orders",
	    "limit requests=1/s max_throttle=60s");
	for (unsigned i = 0; i < 3; i++) {
		ask(kind, "orders");
		make_answer(kind, others, 2, 0);
		edited_pass(LP_TO_CLIENT);
	}
	rule_counts(RULE, 0, 0, 0);
	/* Of another API each request. */
	for (int32_t i = 0; i < 2; i++) {
		limited_produce(6, 1, "orders");
		edited_pass(LP_TO_BROKER);
		limited_produce_answer(0, i * 1000);
		edited_pass(LP_TO_CLIENT);
	}
	rule_counts(RULE, 0, 0, 2);
}
END_TEST

/* A limit without topics counts all of an answer, whatever else is named. */
START_TEST(one_without_topics_counts_whole_answers)
{
	const struct kind *kind = &kinds[1];
	size_t len;

	rule_put(OTHER, 5, "api=Fetch", "limit bytes=1kB/s burst=1B", false);
	limit("api=Fetch topic=orders", "limit bytes=1MB/s max_throttle=60s");
	plane_wait_ms(60000);
	ask(kind, "orders");
	make_answer(kind, both, 2, 0);
	len = edited_sent.len;
	make_answer(kind, both, 2, (int32_t)len - 1);
	edited_pass(LP_TO_CLIENT);
	held(len - 1);
	ck_assert_uint_eq(lp_count_get(&rule_stats(OTHER)->delayed_ns),
	    (len - 1) * (uint64_t)MS);
	delayed(0, 0);
	rule_counts(OTHER, 0, 0, 1);
	rule_counts(RULE, 0, 0, 1);
}
END_TEST

/* What the request says is asked for, though its answer is what counts. */
START_TEST(who_asks_is_known_in_the_answer)
{
	const struct kind *kind = &kinds[_i];

	tell_ids();
	rule_put(OTHER, 20, "client_id=batch", "allow", false);
	limit("topic=orders",
	    "limit bytes=1kB/s burst=1B per=client_id max_throttle=60s");
	limited_client = "batch";
	fetch(kind, both, 2, 0);
	fetch(kind, both, 2, 0);
	held(0);
	delayed(0, 0);
	limited_client = "web-1";
	fetch(kind, both, 2, 0);
	held(299);
	delayed(1, 299);
	limited_client = "web-2";
	fetch(kind, both, 2, 299);
	held(299);
	limited_client = NULL;
	fetch(kind, both, 2, 299);
	held(299);
	limited_client = "web-1";
	fetch(kind, both, 2, 299);
	held(599);
	delayed(4, 299 * 3 + 599);
	ck_assert_uint_eq(KAFKA_COUNTER(answers_uncharged), 0);
}
END_TEST

/* So many wait for records that there is no room for who they are. */
START_TEST(what_is_not_kept_is_charged_to_nobody)
{
	const struct kind *kind = &kinds[1];
	unsigned kept = 0;

	plane_close();
	plane_open(LP_KAFKA_HELD_MIN);
	plane_run();
	kafka_connect();
	limit("api=Fetch topic=orders client_id=web*",
	    "limit bytes=1GB/s requests=1000000/s");
	while (KAFKA_COUNTER(answers_uncharged) == 0) {
		ask(kind, NULL);
		kept++;
		ck_assert_uint_le(kept, LP_KAFKA_INFLIGHT_MAX);
	}
	ck_assert_uint_ge(kept, LP_KAFKA_HELD_MIN / 4);
	for (unsigned i = 0; i < kept; i++) {
		make_answer(kind, both, 2, 0);
		edited_pass(LP_TO_CLIENT);
	}
	rule_counts(RULE, 0, 0, kept - 1);
	ck_assert_uint_eq(KAFKA_COUNTER(unjudged_passed), 0);
	kafka_ensure_at_rest();
}
END_TEST

START_TEST(an_id_without_a_name_is_charged_to_nobody)
{
	const struct kind *kind = &kinds[3];

	limit("topic=*", "limit bytes=1kB/s burst=1B");
	fetch(kind, both, 2, 0);
	held(0);
	ck_assert_uint_eq(KAFKA_COUNTER(rules_topics_unknown), 2);
	rule_counts(RULE, 0, 0, 0);
}
END_TEST

START_TEST(what_is_in_shadow_is_counted)
{
	const struct kind *kind = &kinds[1];

	rule_put(RULE, 10, "api=Fetch topic=orders client_id=web-1",
	    "limit bytes=1kB/s burst=1B", true);
	plane_publish();
	fetch(kind, others, 2, 0);
	rule_counts(RULE, 0, 0, 0);
	fetch(kind, both, 2, 0);
	fetch(kind, both, 2, 0);
	rule_counts(RULE, 0, 0, 2);
	held(0);
	delayed(0, 0);
}
END_TEST

/* The rule of the time of the answer holds; its bucket is the rule's. */
START_TEST(rules_and_processes_may_change)
{
	const struct kind *kind = &kinds[1];

	limit("topic=orders client_id=web-1",
	    "limit bytes=1kB/s burst=1B max_throttle=60s");
	ask(kind, NULL);
	plane.seed += UINT64_C(1) << 40;
	plane_restart();
	make_answer(kind, both, 2, 0);
	edited_pass(LP_TO_CLIENT);
	held(299);
	delayed(1, 299);
	/* What was owed is forgotten with the process. */
	plane.seed += UINT64_C(1) << 40;
	plane_restart();
	fetch(kind, others, 1, 0);
	lp_config_remove(&plane.config, LP_OBJECT_RULE, RULE);
	ask(kind, NULL);
	plane_publish();
	make_answer(kind, both, 2, 0);
	edited_pass(LP_TO_CLIENT);
	kafka_ensure_at_rest();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, kafka_setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(
	    tests, a_topic_is_charged_the_bytes_of_its_records, 0, KINDS);
	tcase_add_loop_test(tests, an_answer_may_be_cut_anywhere, 0, KINDS);
	tcase_add_loop_test(
	    tests, all_partitions_of_a_topic_are_charged, 0, KINDS);
	tcase_add_test(tests, a_rule_is_charged_an_answer_once);
	tcase_add_test(
	    tests, a_request_that_names_the_topic_is_charged_nothing);
	tcase_add_test(tests, one_without_topics_counts_whole_answers);
	tcase_add_loop_test(tests, who_asks_is_known_in_the_answer, 0, KINDS);
	tcase_add_test(tests, what_is_not_kept_is_charged_to_nobody);
	tcase_add_test(tests, an_id_without_a_name_is_charged_to_nobody);
	tcase_add_test(tests, what_is_in_shadow_is_counted);
	tcase_add_test(tests, rules_and_processes_may_change);
}

int
main(void)
{
	return plane_main("limit_topic", add);
}
