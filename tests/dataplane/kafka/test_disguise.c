/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients must not see, in messages written by hand
 * (tests/support/message.h): the old one, and as it leaves; cut at every byte.
 */
#include "dataplane/kafka/disguise.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/names.h"
#include "dataplane/kafka/walk.h"
#include "tests/support/disguise.h"
#include "tests/support/message.h"

enum {
	SIZE = 1 << 16,
	PRODUCE = 0,
	FETCH = 1,
	API_VERSIONS = 18,
	CONFIGS = 32,
	SHARE_FETCH = 78,
	SHARE_ACKNOWLEDGE = 79,
	SMALL = 400, /* bytes of a frame that is cut at each of them */
};

static uint8_t old[SIZE], expected[SIZE];
static uint32_t len;
static struct facts facts;

static struct facts_frame
frame(int16_t key, int16_t version)
{
	return (struct facts_frame){.key = key,
	    .version = version,
	    .response = true,
	    .bytes = old,
	    .len = len};
}

static void
run(const struct facts_frame *f, const uint32_t cuts[], unsigned count,
    int16_t produce_last)
{
	struct disguise_run run;

	disguise_run(&run, f, cuts, count, produce_last);
	ck_assert_int_eq(run.result, LP_WALK_DONE);
	ck_assert(!run.failed);
	ck_assert_mem_eq(run.bytes, expected, len);
	disguise_free(&run);
}

/* The frames at hand; the new one is a message too. */
static void
check(int16_t key, int16_t version, int16_t produce_last)
{
	struct facts_frame f = frame(key, version);
	static uint32_t cuts[SIZE];

	run(&f, NULL, 0, produce_last);
	for (uint32_t i = 0; i < len; i++) {
		cuts[i] = i;
		if (len <= SMALL)
			run(&f, &i, 1, produce_last);
	}
	run(&f, cuts, len, produce_last);
	f.bytes = expected;
	ck_assert_int_eq(facts_walk(&facts, &f, NULL, 0, false), LP_WALK_DONE);
}

static void
becomes(int16_t key, int16_t version, const char *before, const char *after)
{
	len = message_make(old, SIZE, before);
	ck_assert_uint_eq(message_make(expected, SIZE, after), len);
	check(key, version, LP_DISGUISE_PRODUCE_ALL);
}

static void
stays(int16_t key, int16_t version, const char *message)
{
	becomes(key, version, message, message);
}

static void
setup(void)
{
	facts = (struct facts){0};
}

static void
teardown(void)
{
	facts_free(&facts);
}

#define ZERO_17 "0000000000000000000000000000000000"
/* A topic and a partition, whose tag 0 is its leader. */
#define PRODUCE_TOPIC " 02 4:0 2:6 8:0 8:0 8:0 01 00 01 00 09 4:1 4:5 00 00 "
#define FETCH_TOPIC                                                            \
	"02 8:1 8:2 02 4:0 2:6 8:0 8:0 8:0 00 4:-1 00 01 01 09 4:1 4:5 00 00 "

START_TEST(hints_of_produce_and_fetch_get_another_tag)
{
	for (int16_t v = 10; v <= 13; v++) {
		char before[512], after[512];
		const char *topic = v < 13 ? "02 \"t\"" : "02 8:1 8:2";

		snprintf(before, sizeof(before),
		    "4:99 00 %s" PRODUCE_TOPIC "4:0 02 00 11 02 4:5 \"host\" "
		    "4:9093 \"r\" 00 40 01 aa",
		    topic);
		snprintf(after, sizeof(after),
		    "4:99 00 %s" PRODUCE_TOPIC "4:0 02 7f 11 " ZERO_17
		    " 40 01 aa",
		    topic);
		becomes(PRODUCE, v, before, after);
	}
	for (int16_t v = 16; v <= 18; v++)
		becomes(FETCH, v,
		    "4:99 00 4:0 2:0 4:0 " FETCH_TOPIC
		    "02 09 01 bb 00 11 02 4:5 \"host\" 4:9093 \"r\" 00",
		    "4:99 00 4:0 2:0 4:0 " FETCH_TOPIC
		    "02 09 01 bb 7f 11 " ZERO_17);
	/* None in it; numbers longer than they need to be. */
	becomes(FETCH, 16, "4:99 00 4:0 2:0 4:0 01 01 00 01 01",
	    "4:99 00 4:0 2:0 4:0 01 01 7f 01 00");
	becomes(FETCH, 16, "4:99 00 4:0 2:0 4:0 01 01 8000 818000 01",
	    "4:99 00 4:0 2:0 4:0 01 01 8001 818000 00");
	becomes(FETCH, 16, "4:99 00 4:0 2:0 4:0 01 01 8080808000 8100 01",
	    "4:99 00 4:0 2:0 4:0 01 01 8080808001 8100 00");
}
END_TEST

START_TEST(tag_0_is_a_hint_only_where_it_is_one)
{
	/* Before these versions nobody knows it; in the header. */
	stays(PRODUCE, 9, "4:99 00 01 4:0 01 00 02 aabb");
	stays(FETCH, 12, "4:99 00 4:0 2:0 4:0 01 01 01 02 aabb");
	stays(FETCH, 15, "4:99 00 4:0 2:0 4:0 01 01 00 02 aabb");
	stays(FETCH, 16, "4:99 01 00 02 aabb 4:0 2:0 4:0 " FETCH_TOPIC "00");
	stays(PRODUCE, 10, "4:99 00 02 \"t\"" PRODUCE_TOPIC "4:0 00");
}
END_TEST

/* Answers up to the array. */
static const struct share {
	int16_t key, version;
	const char *front;
} shares[] = {
    {SHARE_FETCH, 1, "4:99 00 4:0 2:0 00 4:30000 01"},
    {SHARE_FETCH, 2,
	"4:99 00 4:0 2:0 00 4:30000 02 8:1 8:2 02 4:0 2:6 00 2:0 00 4:1 4:2 "
	"00 04 616263 01 00 00"},
    {SHARE_ACKNOWLEDGE, 1, "4:99 00 4:0 2:0 \"no\" 01"},
    {SHARE_ACKNOWLEDGE, 2,
	"4:99 00 4:0 2:0 00 4:30000 02 8:1 8:2 02 4:0 2:6 00 4:1 4:2 00 00 "
	"00"},
};

START_TEST(an_array_of_hints_becomes_empty)
{
	for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		char before[512], after[512];

		snprintf(before, sizeof(before),
		    "%s 02 4:5 \"host\" 4:9093 \"r\" 00 00", shares[i].front);
		snprintf(after, sizeof(after),
		    "%s 01 01 7f 0e 0000000000000000000000000000",
		    shares[i].front);
		becomes(shares[i].key, shares[i].version, before, after);
		/* The tags behind it go with it. */
		snprintf(before, sizeof(before),
		    "%s 8200 4:5 \"\" 4:9 00 00 01 07 03 aabbcc",
		    shares[i].front);
		snprintf(after, sizeof(after),
		    "%s 01 01 7f 0f 000000000000000000000000000000",
		    shares[i].front);
		becomes(shares[i].key, shares[i].version, before, after);
		snprintf(before, sizeof(before), "%s 01 00", shares[i].front);
		stays(shares[i].key, shares[i].version, before);
		snprintf(before, sizeof(before), "%s 01 01 07 03 aabbcc",
		    shares[i].front);
		stays(shares[i].key, shares[i].version, before);
		snprintf(before, sizeof(before), "%s 00 00", shares[i].front);
		stays(shares[i].key, shares[i].version, before);
	}
}
END_TEST

/* Of any length: where its size would be one byte longer, and before. */
START_TEST(an_array_of_any_length_becomes_empty)
{
	const struct share *share = &shares[2];

	for (unsigned host = 1; host <= 20000;
	     host += host == 400 ? 15900 : 1) {
		struct facts_frame f;
		struct disguise_run run;
		char before[512];

		snprintf(before, sizeof(before),
		    "%s 02 4:5 *%u\"h 4:9093 00 00 00", share->front, host);
		len = message_make(old, SIZE, before);
		f = frame(share->key, share->version);
		disguise_run(&run, &f, NULL, 0, LP_DISGUISE_PRODUCE_ALL);
		ck_assert_uint_eq(run.overlays, 1);
		ck_assert_ptr_null(memchr(run.bytes + 25, 'h', len - 25));
		f.bytes = run.bytes;
		ck_assert_int_eq(
		    facts_walk(&facts, &f, NULL, 0, false), LP_WALK_DONE);
		ck_assert_str_eq(facts.text,
		    "throttle_time@9=0 error_code@13=0 hidden_array@19=1 "
		    "endpoints@19=0");
		disguise_free(&run);
	}
}
END_TEST

START_TEST(many_hints_become_none)
{
	for (unsigned count = 100; count <= 140; count++) {
		char before[8192];
		int at = snprintf(before, sizeof(before), "%s 1:%u",
		    shares[2].front, count + 1 < 128 ? count + 1 : 128);
		struct facts_frame f;
		struct disguise_run run;

		if (count + 1 >= 128) {
			at -= 3;
			at += sprintf(
			    before + at, "%u 1:1", ((count + 1) & 127) | 128);
		}
		for (unsigned i = 0; i < count; i++)
			at += sprintf(
			    before + at, " 4:%u \"h%u\" 4:9092 00 00", i, i);
		sprintf(before + at, " 00");
		len = message_make(old, SIZE, before);
		f = frame(shares[2].key, shares[2].version);
		disguise_run(&run, &f, NULL, 0, LP_DISGUISE_PRODUCE_ALL);
		memcpy(expected, run.bytes, len);
		disguise_free(&run);
		check(f.key, f.version, LP_DISGUISE_PRODUCE_ALL);
		ck_assert_ptr_nonnull(strstr(facts.text, "endpoints@19=0"));
		ck_assert_ptr_null(strstr(facts.text, "host"));
	}
}
END_TEST

/* Behind the ranges, of each version. */
static const char *const tails[] = {
    "", "4:0", "4:0", "4:0 01 01 08 8:7", "4:0 00", "4:0 00"};

static void
ranges(const char *before[3], const char *after[3])
{
	char texts[2][1024];

	for (int16_t v = 0; v <= 5; v++) {
		for (int i = 0; i < 2; i++) {
			const char **r = i == 0 ? before : after;
			const char *tag = v >= 3 ? " 00 " : " ";

			snprintf(texts[i], sizeof(texts[i]),
			    "4:99 2:0 %s %s%s%s%s%s%s%s", v >= 3 ? "04" : "4:3",
			    r[0], tag, r[1], tag, r[2], tag, tails[v]);
		}
		becomes(API_VERSIONS, v, texts[0], texts[1]);
	}
}

START_TEST(ranges_end_where_the_tables_end)
{
	ranges((const char *[]){"2:0 2:3 2:14", "2:1 2:4 2:18", "2:3 2:0 2:99"},
	    (const char *[]){"2:0 2:3 2:13", "2:1 2:4 2:18", "2:3 2:0 2:13"});
	/* DescribeQuorum: its version 2 has listeners. */
	ranges((const char *[]){"2:55 2:0 2:2", "2:55 2:0 2:1", "2:55 2:0 2:0"},
	    (const char *[]){"2:55 2:0 2:1", "2:55 2:0 2:1", "2:55 2:0 2:0"});
	/* Above ours altogether: an end that is none. */
	ranges((const char *[]){"2:3 2:14 2:15", "2:0 2:14 2:0x7fff",
		   "2:55 2:2 2:2"},
	    (const char *[]){"2:3 2:14 2:13", "2:0 2:14 2:13", "2:55 2:2 2:1"});
	ranges((const char *[]){"2:3 2:-1 2:-1", "2:1 2:0 2:-1", "2:3 2:0 2:0"},
	    (const char *[]){"2:3 2:-1 2:-1", "2:1 2:0 2:-1", "2:3 2:0 2:0"});
}
END_TEST

START_TEST(keys_that_the_tables_lack_become_others)
{
	ranges(
	    (const char *[]){"2:95 2:0 2:1", "2:10000 2:0 2:0", "2:-1 2:0 2:3"},
	    (const char *[]){
		"2:255 2:0 2:1", "2:0x27fe 2:0 2:0", "2:-3 2:0 2:3"});
	/* Each once; nobody has these. */
	for (int16_t key = 0x7f; key <= 0xff; key++)
		ck_assert(!lp_walk_knows_key(key));
	ck_assert_int_lt(lp_kafka_api_count(), 0x7f);
}
END_TEST

START_TEST(an_unsupported_version_is_clamped_too)
{
	for (int16_t v = 0; v <= 5; v++) {
		stays(API_VERSIONS, v, "4:99 2:35 4:1 2:18 2:0 2:3");
		becomes(API_VERSIONS, v, "4:99 2:35 4:1 2:18 2:0 2:6",
		    "4:99 2:35 4:1 2:18 2:0 2:5");
	}
}
END_TEST

/* Redpanda 24.3. */
START_TEST(narrow_ranges_stay)
{
	stays(API_VERSIONS, 3,
	    "4:99 2:0 1a 2:0 2:0 2:7 00 2:1 2:4 2:11 00 2:2 2:0 2:3 00 "
	    "2:3 2:0 2:8 00 2:8 2:0 2:7 00 2:9 2:0 2:7 00 2:10 2:0 2:3 00 "
	    "2:11 2:0 2:6 00 2:12 2:0 2:4 00 2:13 2:0 2:4 00 2:14 2:0 2:4 00 "
	    "2:15 2:0 2:4 00 2:16 2:0 2:2 00 2:17 2:0 2:1 00 2:18 2:0 2:3 00 "
	    "2:19 2:0 2:6 00 2:20 2:0 2:4 00 2:22 2:0 2:3 00 2:24 2:0 2:1 00 "
	    "2:32 2:0 2:4 00 2:36 2:0 2:2 00 2:37 2:0 2:3 00 2:42 2:0 2:2 00 "
	    "2:44 2:0 2:1 00 2:47 2:0 2:0 00 4:0 00");
}
END_TEST

#define FEATURES(produce, min, max, level, least)                              \
	"4:99 2:0 02 2:0 2:3 2:" produce " 00 4:0 04 "                         \
	"00 30 03 \"transaction.version\" 2:" min " 2:" max                    \
	" 00 \"metadata.version\" 2:1 2:29 00 40 0a \"012345678\" "            \
	"01 08 8:9 02 30 03 \"metadata.version\" 2:29 2:29 00 "                \
	"\"transaction.version\" 2:" level " 2:" least " 00"

START_TEST(produce_and_transactions_are_clamped_together)
{
	static const struct {
		int16_t last;
		const char *before, *after;
	} rows[] = {
	    {LP_DISGUISE_PRODUCE_ALL, FEATURES("13", "0", "2", "2", "2"),
		FEATURES("13", "0", "2", "2", "2")},
	    {12, FEATURES("13", "0", "2", "2", "2"),
		FEATURES("12", "0", "2", "2", "2")},
	    {11, FEATURES("13", "0", "2", "2", "2"),
		FEATURES("11", "0", "1", "1", "1")},
	    {9, FEATURES("12", "0", "2", "2", "1"),
		FEATURES("9", "0", "1", "1", "1")},
	    {9, FEATURES("13", "0", "1", "1", "1"),
		FEATURES("9", "0", "1", "1", "1")},
	    {9, FEATURES("13", "0", "2", "0", "0"),
		FEATURES("9", "0", "1", "0", "0")},
	    /* A range that would end before it begins. */
	    {9, FEATURES("13", "2", "2", "2", "2"),
		FEATURES("9", "2", "2", "1", "1")},
	    /* The broker itself has no more: it knows what it does. */
	    {11, FEATURES("11", "0", "2", "2", "2"),
		FEATURES("11", "0", "2", "2", "2")},
	    {11, FEATURES("9", "0", "2", "2", "2"),
		FEATURES("9", "0", "2", "2", "2")},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		len = message_make(old, SIZE, rows[i].before);
		ck_assert_uint_eq(
		    message_make(expected, SIZE, rows[i].after), len);
		for (int16_t v = 3; v <= 5; v++)
			check(API_VERSIONS, v, rows[i].last);
	}
}
END_TEST

START_TEST(versions_of_two_bytes_are_told)
{
	struct disguise_run run;
	struct facts_frame f;

	len = message_make(old, SIZE, "4:99 2:0 4:1 2:3 2:0 2:256");
	f = frame(API_VERSIONS, 0);
	disguise_run(&run, &f, NULL, 0, LP_DISGUISE_PRODUCE_ALL);
	ck_assert(run.failed);
	disguise_free(&run);
}
END_TEST

/* A frame that ends in front of the version that would be changed. */
START_TEST(what_follows_the_frame_stays)
{
	struct disguise_run run;
	struct facts_frame f;

	len = message_make(old, SIZE, "4:99 2:0 4:1 2:3 2:20");
	f = frame(API_VERSIONS, 0);
	disguise_run(&run, &f, NULL, 0, LP_DISGUISE_PRODUCE_ALL);
	ck_assert_int_eq(run.result, LP_WALK_BAD);
	ck_assert_uint_eq(run.overlays, 0);
	disguise_free(&run);
}
END_TEST

START_TEST(a_request_that_is_too_new_becomes_one_that_nobody_knows)
{
	struct lp_overlay overlay;

	for (int16_t v = -1; v <= 5; v++)
		ck_assert(!lp_disguise_request(API_VERSIONS, v, &overlay));
	for (int16_t v = 6; v < 255; v++) {
		ck_assert(lp_disguise_request(API_VERSIONS, v, &overlay));
		/* The lower byte of the version. */
		ck_assert_uint_eq(overlay.at, 7);
		ck_assert_uint_eq(overlay.len, 1);
		ck_assert_uint_eq(overlay.over_len, 1);
		ck_assert_uint_eq(overlay.over[0], 255);
	}
	ck_assert(!lp_disguise_request(API_VERSIONS, 255, &overlay));
	ck_assert(!lp_disguise_request(3, 100, &overlay));
	ck_assert(!lp_walk_knows(API_VERSIONS, 255));
}
END_TEST

/* A configuration and a synonym of it, with their values. */
static void
config(const char *name, const char *value, const char *synonym,
    const char *its_value, const char *after, const char *its_after)
{
	char texts[2][1024];

	for (int16_t v = 0; v <= 4; v++) {
		bool c = v >= 4;
		char q = c ? '"' : '\'';

		for (int i = 0; i < 2; i++) {
			char tail[512] = "", text[128];
			const char *one = i ? after : value;
			const char *two = i ? its_after : its_value;

			snprintf(text, sizeof(text), "%c%s%c", q, two, q);
			if (two == NULL)
				strcpy(text, c ? "00" : "2:-1");
			if (v >= 1)
				snprintf(tail, sizeof(tail),
				    " %s %c%s%c %s 01 %s %s", c ? "02" : "4:1",
				    q, synonym, q, text, c ? "00" : "",
				    v >= 3 ? "05" : "");
			snprintf(texts[i], sizeof(texts[i]),
			    "4:99 %s 4:0 %s 2:0 %s 04 %c1%c %s %c%s%c %c%s%c "
			    "00 01 00%s %s %s",
			    c ? "00" : "", c ? "02" : "4:1", c ? "00" : "2:-1",
			    q, q, c ? "02" : "4:1", q, name, q, q, one, q, tail,
			    c            ? "\"doc\""
				: v >= 3 ? "'doc'"
					 : "",
			    c ? "00 00 00" : "");
		}
		becomes(CONFIGS, v, texts[0], texts[1]);
	}
}

START_TEST(values_with_addresses_are_masked)
{
	static const char *const names[] = {"listeners", "advertised.listeners",
	    "host.name", "advertised.host.name", "zookeeper.connect",
	    "controller.quorum.voters", "controller.quorum.bootstrap.servers",
	    "confluent.http.server.advertised.listeners",
	    "confluent.metrics.reporter.bootstrap.servers"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		config(names[i], "PLAINTEXT://b1:9092", names[i], "b1",
		    "*******************", "**");
		config(names[i], "", "port", "9092", "", "9092");
		config("port", "9092", names[i], "b1:1", "9092", "****");
		config(names[i], "b1", names[i], NULL, "**", NULL);
	}
}
END_TEST

START_TEST(other_values_stay)
{
	static const char *const names[] = {"listener", "listeners.", "port",
	    "early.start.listeners", "inter.broker.listener.name",
	    "listener.security.protocol.map", "listener", "xlisteners",
	    "broker.id", "retention.ms", "istener"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		config(names[i], "PLAINTEXT://b1:9092", names[i], "b1:9092",
		    "PLAINTEXT://b1:9092", "b1:9092");
}
END_TEST

START_TEST(a_long_value_is_masked_to_its_end)
{
	char text[2][128];

	for (unsigned n = 250; n <= 1000; n += 5) {
		for (int i = 0; i < 2; i++)
			snprintf(text[i], sizeof(text[i]),
			    "4:99 4:0 4:1 2:0 2:-1 04 '1' 4:1 'listeners' "
			    "*%u'%c 00 01 00",
			    n, i ? '*' : 'h');
		becomes(CONFIGS, 0, text[0], text[1]);
		/* A name that is too long for us is none of these. */
		snprintf(text[0], sizeof(text[0]),
		    "4:99 4:0 4:1 2:0 2:-1 04 '1' 4:1 *%u'l 'b1' 00 01 00", n);
		stays(CONFIGS, 0, text[0]);
	}
}
END_TEST

/* Hosts that are no brokers' addresses, or that are not hidden here. */
static const struct {
	int16_t key, version;
	const char *message;
} others[] = {
    /* DescribeGroups v0: the client's host. */
    {15, 0,
	"4:99 4:1 2:0 'g' 'Stable' 'consumer' '' 4:1 'm' 'c' '/10.0.0.1' "
	"4:0 4:0"},
    /* DescribeAcls v1: a host of an ACL. */
    {29, 1, "4:99 4:0 2:0 2:-1 4:1 02 't' 03 4:1 'User:a' '10.0.0.1' 03 03"},
    /* CreateAcls and DeleteAcls v1. */
    {30, 1, "4:99 4:0 4:1 2:0 2:-1"},
    {31, 1,
	"4:99 4:0 4:1 2:0 2:-1 4:1 2:0 2:-1 02 't' 03 'User:a' '10.0.0.1' "
	"03 03"},
    /* DescribeQuorum v2: listeners; it is not offered. */
    {55, 2, "4:99 00 2:0 00 01 02 4:1 02 \"C\" \"c1\" 2:9093 00 00 00"},
    /* ConsumerGroupDescribe v0: the client's host. */
    {69, 0,
	"4:99 00 4:0 02 2:0 00 \"g\" \"Stable\" 4:1 4:1 \"range\" 02 \"m\" 00 "
	"00 4:1 \"c\" \"/10.0.0.1\" 01 00 01 00 01 00 00 4:0 00 00"},
    /* ShareGroupDescribe v1: the client's host. */
    {77, 1,
	"4:99 00 4:0 02 2:0 00 \"g\" \"Stable\" 4:1 4:1 \"simple\" 02 \"m\" "
	"00 4:1 \"c\" \"/10.0.0.1\" 01 01 00 00 4:0 00 00"},
    /* StreamsGroupHeartbeat and -Describe v0: endpoints of an application. */
    {88, 0,
	"4:99 00 4:0 2:0 00 \"m\" 4:1 4:1000 4:5 4:6 00 00 00 00 4:3 02 "
	"\"10.0.0.1\" 2:80 00 01 01 00 00"},
    {89, 0,
	"4:99 00 4:0 02 2:0 00 \"g\" \"Stable\" 4:1 4:1 ff 02 \"m\" 4:1 00 00 "
	"\"c\" \"/10.0.0.1\" 4:1 \"p\" 01 \"10.0.0.1\" 2:80 00 01 01 01 "
	"01 01 01 00 01 01 01 00 00 00 4:0 00 00"},
    /* Metadata and FindCoordinator: others than these see to them. */
    {3, 0, "4:99 4:1 4:1 'b1' 4:9092 4:0"},
    {3, 9, "4:99 00 4:0 02 4:1 \"b1\" 4:9092 00 00 00 4:1 01 4:0 00"},
    {10, 0, "4:99 2:0 4:1 'b1' 4:9092"},
    {10, 4, "4:99 00 4:0 02 \"g\" 4:1 \"b1\" 4:9092 2:0 00 00 00"},
    {60, 0, "4:99 00 4:5 2:0 00 \"id\" 4:1 02 4:1 \"b1\" 4:9093 00 00 4:0 00"},
};

START_TEST(lookalikes_stay)
{
	stays(others[_i].key, others[_i].version, others[_i].message);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("disguise");
	TCase *tests = tcase_create("disguise");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, hints_of_produce_and_fetch_get_another_tag);
	tcase_add_test(tests, tag_0_is_a_hint_only_where_it_is_one);
	tcase_add_test(tests, an_array_of_hints_becomes_empty);
	tcase_add_test(tests, an_array_of_any_length_becomes_empty);
	tcase_add_test(tests, many_hints_become_none);
	tcase_add_test(tests, ranges_end_where_the_tables_end);
	tcase_add_test(tests, keys_that_the_tables_lack_become_others);
	tcase_add_test(tests, an_unsupported_version_is_clamped_too);
	tcase_add_test(tests, narrow_ranges_stay);
	tcase_add_test(tests, produce_and_transactions_are_clamped_together);
	tcase_add_test(tests, versions_of_two_bytes_are_told);
	tcase_add_test(tests, what_follows_the_frame_stays);
	tcase_add_test(
	    tests, a_request_that_is_too_new_becomes_one_that_nobody_knows);
	tcase_add_test(tests, values_with_addresses_are_masked);
	tcase_add_test(tests, other_values_stay);
	tcase_add_test(tests, a_long_value_is_masked_to_its_end);
	tcase_add_loop_test(tests, lookalikes_stay, 0,
	    (int)(sizeof(others) / sizeof(others[0])));
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
