/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses in answers of every version, cut at every byte.  A message is
 * written twice (tests/support/message.h), with the old addresses and with
 * those that readdress_find() advertises.
 */
#include "dataplane/kafka/readdress.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka/names.h"
#include "tests/support/message.h"
#include "tests/support/readdress.h"

enum {
	TEXT = 1 << 17,
	SIZE = 1 << 18,
	METADATA = 3,
	COORDINATOR = 10,
	CLUSTER = 60,
	SMALL = 1500, /* bytes of a frame that is cut at each of them */
};

struct address {
	int32_t node;
	const char *host; /* a word of a message, without quotes */
	int64_t port;
	const char *new_host; /* NULL: as it is */
	int64_t new_port;
};

/* Names as readdress_find() has them. */
#define NAME1 "advertised"
#define NAME2 "advertis"
#define NAME7 "adverti"
#define NAME8 "advertised-.0123456789.abcdefghijklmnopqrstuvwxyz"

static const struct address all[] = {
    {1, "b1.internal.example.com", 9092, NAME1, 40001},
    {2, "10.0.0.2", 9092, NAME2, 40002}, /* the same length */
    {17, "fe80::1", 65535, NAME7, 40007},
    {2147483647, "b", 1, NAME7, 40007},
    /* As they are: no node, no name, no port, nobody knows it. */
    {-1, "b1", 9092, NULL, 0},
    {1, "", 9092, NULL, 0},
    {1, "b1", -1, NULL, 0},
    {1, "b1", 0, NULL, 0},
    {-1, "", -1, NULL, 0},
    {9, "b9", 9092, NULL, 0},
    /* Again, so that the last one is a change. */
    {0, "127.0.0.1", 1024, "a", 40000},
};
static const unsigned all_count = sizeof(all) / sizeof(all[0]);

static char text[TEXT];
static size_t text_len;
static uint8_t old[SIZE], expected[SIZE];
static uint32_t old_len, expected_len;

__attribute__((format(printf, 1, 2))) static void
add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_len +=
	    (size_t)vsnprintf(text + text_len, TEXT - text_len, format, args);
	va_end(args);
	ck_assert_uint_lt(text_len, TEXT);
}

static void
begin(void)
{
	text_len = 0;
	add("4:99 ");
}

static void
add_address(const struct address *a, bool new, bool compact)
{
	bool other = new && a->new_host != NULL;
	char quote = compact ? '"' : '\'';

	add("4:%d %c%s%c 4:%lld ", a->node, quote,
	    other ? a->new_host : a->host, quote,
	    (long long)(other ? a->new_port : a->port));
}

/* A count of up to two bytes. */
static void
add_count(unsigned count, bool compact)
{
	if (!compact)
		add("4:%u ", count);
	else if (count + 1 < 0x80)
		add("1:%u ", count + 1);
	else
		add("1:%u 1:%u ", ((count + 1) & 0x7f) | 0x80,
		    (count + 1) >> 7);
}

/* With an unknown tag in an element, and in the header. */
static void
metadata(int16_t v, const struct address a[], unsigned count, bool new)
{
	bool compact = v >= 9;

	begin();
	add("%s%s", compact ? "01 50 03 aabbcc " : "", v >= 3 ? "4:5 " : "");
	add_count(count, compact);
	for (unsigned i = 0; i < count; i++) {
		add_address(&a[i], new, compact);
		if (v >= 1)
			add("%s ", compact ? "\"old-rack\"" : "2:-1");
		add("%s", compact ? i % 2 ? "00 " : "01 51 02 0102 " : "");
	}
	add("%s%s", v >= 2 ? compact ? "\"id\" " : "'id' " : "",
	    v >= 1 ? "4:1 " : "");
	add("%s%s%s", compact ? "01 " : "4:0 ", v >= 8 && v <= 10 ? "4:0 " : "",
	    v >= 13 ? "2:0 " : "");
	add("%s", compact ? "00" : "");
}

static void
coordinators(int16_t v, const struct address a[], unsigned count, bool new)
{
	begin();
	add("%s%s", v >= 3 ? "00 " : "", v >= 1 ? "4:5 " : "");
	if (v < 4) {
		add("2:0 %s", v == 0 ? "" : v == 3 ? "00 " : "'none' ");
		add_address(&a[0], new, v == 3);
		add("%s", v == 3 ? "01 07 01 55" : "");
		return;
	}
	add_count(count, true);
	for (unsigned i = 0; i < count; i++) {
		add("\"group-%u\" ", i);
		add_address(&a[i], new, true);
		add("2:0 %s 00 ", i % 2 ? "00" : "\"b1.internal\"");
	}
	add("00");
}

static void
cluster(int16_t v, const struct address a[], unsigned count, bool new)
{
	begin();
	add("00 4:5 2:0 00 %s\"id\" 4:1 ", v >= 1 ? "01 " : "");
	add_count(count, true);
	for (unsigned i = 0; i < count; i++) {
		add_address(&a[i], new, true);
		add("00 %s00 ", v >= 2 ? "01 " : "");
	}
	add("4:0 00");
}

typedef void builder(
    int16_t v, const struct address a[], unsigned count, bool new);

static struct facts_frame
frame(int16_t key, int16_t version)
{
	return (struct facts_frame){.key = key,
	    .version = version,
	    .response = true,
	    .bytes = old,
	    .len = old_len};
}

static void
run(const struct facts_frame *f, const uint32_t cuts[], unsigned count,
    uint32_t changed)
{
	struct readdress_run run;

	readdress_run(&run, f, cuts, count, READDRESS_PIECES);
	ck_assert_int_eq(run.result, LP_READDRESS_DONE);
	ck_assert_uint_eq(run.done.changed, changed);
	ck_assert_uint_eq(run.len, expected_len);
	ck_assert_mem_eq(run.bytes, expected, expected_len);
	readdress_free(&run);
}

/* In one piece, in two everywhere, in single bytes, with empty pieces. */
static void
check(int16_t key, int16_t version, uint32_t changed)
{
	struct facts_frame f = frame(key, version);
	uint32_t *cuts = calloc(2 * old_len, sizeof(*cuts));

	ck_assert(lp_readdress_knows(key, version));
	run(&f, NULL, 0, changed);
	for (uint32_t i = 0; i <= old_len && old_len <= SMALL; i++)
		run(&f, &i, 1, changed);
	for (uint32_t i = 0; i < old_len; i++)
		cuts[i] = i;
	run(&f, cuts, old_len, changed);
	for (uint32_t i = 0; i < 2 * old_len; i++)
		cuts[i] = i / 2;
	run(&f, cuts, 2 * old_len, changed);
	free(cuts);
}

static void
make(builder *build, int16_t version, const struct address a[], unsigned count)
{
	build(version, a, count, false);
	old_len = message_make(old, SIZE, text);
	build(version, a, count, true);
	expected_len = message_make(expected, SIZE, text);
}

static uint32_t
changes(const struct address a[], unsigned count)
{
	uint32_t changed = 0;

	for (unsigned i = 0; i < count; i++)
		changed += a[i].new_host != NULL;
	return changed;
}

static void
each_version(int16_t key, builder *build)
{
	struct facts facts = {0};
	struct lp_kafka_api api;
	struct facts_frame f;

	ck_assert(lp_kafka_api(key, &api));
	for (int16_t v = api.first; v <= api.last; v++) {
		make(build, v, all, all_count);
		check(key, v,
		    key == COORDINATOR && v < 4 ? 1 : changes(all, all_count));
		/* The new frame is a message too. */
		f = frame(key, v);
		f.bytes = expected;
		f.len = expected_len;
		ck_assert_int_eq(
		    facts_walk(&facts, &f, NULL, 0, false), LP_WALK_DONE);
	}
	facts_free(&facts);
}

START_TEST(metadata_of_every_version)
{
	each_version(METADATA, metadata);
}
END_TEST

START_TEST(coordinators_of_every_version)
{
	each_version(COORDINATOR, coordinators);
	/* Each way in which one alone stays as it is. */
	for (int16_t v = 0; v < 4; v++)
		for (unsigned i = 0; i < all_count; i++) {
			make(coordinators, v, all + i, 1);
			check(COORDINATOR, v, changes(all + i, 1));
		}
}
END_TEST

START_TEST(clusters_of_every_version)
{
	each_version(CLUSTER, cluster);
}
END_TEST

START_TEST(an_answer_without_a_broker_ends_behind_the_count)
{
	struct readdress_run run;
	struct facts_frame f;

	for (int16_t v = 0; v <= 13; v++) {
		make(metadata, v, all, 0);
		check(METADATA, v, 0);
		f = frame(METADATA, v);
		readdress_run(&run, &f, NULL, 0, READDRESS_PIECES);
		ck_assert_uint_eq(run.done.old_len,
		    8 + (v >= 9 ? 6 : 0) + (v >= 3 ? 4 : 0) + (v >= 9 ? 1 : 4));
		readdress_free(&run);
	}
	/* null, in both ways to write it. */
	old_len = message_make(old, SIZE, "4:99 4:-1 4:0");
	expected_len = message_make(expected, SIZE, "4:99 4:-1 4:0");
	check(METADATA, 0, 0);
	old_len = message_make(old, SIZE, "4:99 00 4:0 00 00 4:1 01 4:0 00");
	memcpy(expected, old, expected_len = old_len);
	check(METADATA, 9, 0);
}
END_TEST

START_TEST(lengths_change_their_width)
{
	/* 126 bytes are a varint of one byte still, 127 of two. */
	static const int32_t nodes[] = {3, 4, 5, 6};
	static const unsigned old_hosts[] = {
	    1, 100, 126, 127, 128, 249, 255, 256, 300};
	struct readdress_run run;
	struct facts_frame f;

	for (unsigned i = 0; i < 4 * sizeof(old_hosts) / sizeof(*old_hosts);
	     i++) {
		struct lp_advertised to;
		char hosts[2][32], name[300];
		int32_t node = nodes[i % 4];
		unsigned host = old_hosts[i / 4];

		ck_assert(readdress_find(NULL, node, &to));
		snprintf(hosts[0], sizeof(hosts[0]), "*%u\"h", host);
		snprintf(hosts[1], sizeof(hosts[1]), "*%u'h", host);
		snprintf(name, sizeof(name), "4:5 00 4:6 02 4:%d", node);
		for (int compact = 0; compact < 2; compact++) {
			text_len = 0;
			add("4:99 %s4:1 4:%d %s 4:9092 2:-1 4:1 4:0", "", node,
			    hosts[1]);
			if (compact) {
				text_len = 0;
				add("4:99 00 4:0 02 4:%d %s 4:9092 00 00 00 "
				    "4:1 01 4:0 00",
				    node, hosts[0]);
			}
			old_len = message_make(old, SIZE, text);
			f = frame(METADATA, compact ? 9 : 1);
			readdress_run(&run, &f, NULL, 0, READDRESS_PIECES);
			ck_assert_int_eq(run.result, LP_READDRESS_DONE);
			ck_assert_int_eq(
			    (int)run.done.new_len - (int)run.done.old_len,
			    (int)to.host_len - (int)host +
				(compact ? (to.host_len >= 127) - (host >= 127)
					 : 0));
			memcpy(expected, run.bytes, run.len);
			expected_len = run.len;
			readdress_free(&run);
			check(f.key, f.version, 1);
		}
	}
}
END_TEST

START_TEST(lengths_longer_than_they_need_to_be_are_read)
{
	/* The count, and the length of a host of one byte. */
	old_len = message_make(old, SIZE,
	    "4:99 00 4:0 828000 4:1 8280808000 68 4:9092 00 00 00 4:1 01 4:0 "
	    "00");
	expected_len = message_make(expected, SIZE,
	    "4:99 00 4:0 828000 4:1 \"" NAME1 "\" 4:40001 00 00 00 4:1 01 "
	    "4:0 00");
	check(METADATA, 9, 1);
}
END_TEST

START_TEST(controllers_stay_as_they_are)
{
	static const char *const types[] = {"02", "00", "03", "ff"};

	for (int16_t v = 1; v <= 2; v++)
		for (unsigned i = 0; i < 4; i++) {
			text_len = 0;
			add("4:99 00 4:5 2:0 00 %s \"id\" 4:1 02 4:1 \"c1\" "
			    "4:9093 00 %s00 4:0 00",
			    types[i], v >= 2 ? "00 " : "");
			old_len = message_make(old, SIZE, text);
			memcpy(expected, old, expected_len = old_len);
			check(CLUSTER, v, 0);
		}
}
END_TEST

START_TEST(a_cluster_of_300_brokers)
{
	static struct address many[300];

	for (unsigned i = 0; i < 300; i++)
		many[i] = (struct address){
		    .node = (int32_t)(1 + i * 10),
		    .host = i % 2 ? "broker.of.many.example.com" : "b",
		    .port = 9092,
		    .new_host = NAME1,
		    .new_port = 40001,
		};
	for (int16_t v = 8; v <= 9; v++) {
		make(metadata, v, many, 300);
		check(METADATA, v, 300);
	}
	make(cluster, 2, many, 300);
	check(CLUSTER, 2, 300);
}
END_TEST

START_TEST(bytes_that_end_before_the_last_address_are_too_few)
{
	struct readdress_run run;
	struct facts_frame f;
	uint32_t whole;

	make(metadata, 9, all, all_count);
	whole = old_len;
	f = frame(METADATA, 9);
	readdress_run(&run, &f, NULL, 0, READDRESS_PIECES);
	whole = run.done.old_len;
	readdress_free(&run);
	for (f.len = 0; f.len < whole; f.len++) {
		uint32_t cut = f.len / 2;

		readdress_run(&run, &f, &cut, 1, READDRESS_PIECES);
		ck_assert_int_eq(run.result, LP_READDRESS_SHORT);
	}
	/* And not one byte behind it is needed. */
	readdress_run(&run, &f, NULL, 0, READDRESS_PIECES);
	ck_assert_int_eq(run.result, LP_READDRESS_DONE);
	readdress_free(&run);
}
END_TEST

START_TEST(what_is_no_message_is_refused)
{
	static const struct {
		int16_t key, version;
		const char *message;
	} bad[] = {
	    {METADATA, 1, "4:99 4:-2"},
	    {METADATA, 1, "4:99 4:2 4:1 'h' 4:1 2:-1"},
	    {METADATA, 1, "4:99 4:1 4:1 2:-2 4:1 2:-1 4:0 4:0"},
	    {METADATA, 9, "4:99 00 4:0 02 4:1 ffffffff1f 00 00 00 00 00"},
	    {COORDINATOR, 0, "4:99 2:0 4:1 'h' 2:0"},
	    {CLUSTER, 0, "4:99 00 4:5 2:0 00 \"id\" 4:1 7f 4:1 00"},
	};
	struct readdress_run run;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct facts_frame f;

		old_len = message_make(old, SIZE, bad[i].message);
		f = frame(bad[i].key, bad[i].version);
		for (uint32_t cut = 0; cut <= old_len; cut++) {
			readdress_run(&run, &f, &cut, 1, READDRESS_PIECES);
			ck_assert_int_eq(run.result, LP_READDRESS_BAD);
		}
	}
	/* A size that does not cover the head, or is negative. */
	for (unsigned i = 0; i < 2; i++) {
		struct facts_frame f = frame(METADATA, 1);

		memset(old, 0, f.len = 16);
		old[0] = i ? 0x80 : 0;
		old[3] = 3;
		readdress_run(&run, &f, NULL, 0, READDRESS_PIECES);
		ck_assert_int_eq(run.result, LP_READDRESS_BAD);
	}
}
END_TEST

START_TEST(more_than_there_may_be_is_refused)
{
	static struct address many[600];
	struct readdress_run run;
	struct facts_frame f;

	/* Each becomes one of 253 bytes. */
	for (unsigned i = 0; i < 600; i++)
		many[i] = (struct address){
		    .node = 3, .host = "b", .port = 1, .new_host = NULL};
	make(metadata, 0, many, 600);
	f = frame(METADATA, 0);
	readdress_run(&run, &f, NULL, 0, READDRESS_PIECES);
	ck_assert_int_eq(run.result, LP_READDRESS_LONG);
	make(metadata, 0, many, 490);
	f = frame(METADATA, 0);
	readdress_run(&run, &f, NULL, 0, READDRESS_PIECES);
	ck_assert_int_eq(run.result, LP_READDRESS_DONE);
	ck_assert_uint_eq(run.done.new_len, 12 + 490 * (4 + 2 + 253 + 4));
	readdress_free(&run);
	/* So is one that no frame could be. */
	old_len = message_make(old, SIZE, "4:99 4:1 4:3 'h' 4:1 4:0");
	old[0] = 0x7f;
	old[1] = old[2] = old[3] = 0xff;
	f = frame(METADATA, 0);
	readdress_run(&run, &f, NULL, 0, READDRESS_PIECES);
	ck_assert_int_eq(run.result, LP_READDRESS_LONG);
}
END_TEST

START_TEST(when_no_piece_is_free_all_are_given_back)
{
	static struct address many[60];
	struct readdress_run run;
	struct facts_frame f;
	unsigned pieces = 0;

	for (unsigned i = 0; i < 60; i++)
		many[i] = (struct address){
		    .node = 3, .host = "b", .port = 1, .new_host = NULL};
	make(metadata, 1, many, 60);
	f = frame(METADATA, 1);
	/* As many as it needs: 60 of 265 bytes. */
	for (;; pieces++) {
		readdress_run(&run, &f, NULL, 0, pieces);
		if (run.result == LP_READDRESS_DONE)
			break;
		ck_assert_int_eq(run.result, LP_READDRESS_FULL);
	}
	ck_assert_uint_eq(pieces, 8);
	readdress_free(&run);
}
END_TEST

START_TEST(others_are_not_readdressed)
{
	for (int16_t key = -1; key <= lp_kafka_api_count(); key++)
		for (int16_t v = -1; v < 20; v++)
			ck_assert_int_eq(lp_readdress_knows(key, v),
			    lp_walk_knows(key, v) &&
				(key == METADATA || key == COORDINATOR ||
				    key == CLUSTER));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("readdress");
	TCase *tests = tcase_create("readdress");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, metadata_of_every_version);
	tcase_add_test(tests, coordinators_of_every_version);
	tcase_add_test(tests, clusters_of_every_version);
	tcase_add_test(tests, an_answer_without_a_broker_ends_behind_the_count);
	tcase_add_test(tests, lengths_change_their_width);
	tcase_add_test(tests, lengths_longer_than_they_need_to_be_are_read);
	tcase_add_test(tests, controllers_stay_as_they_are);
	tcase_add_test(tests, a_cluster_of_300_brokers);
	tcase_add_test(
	    tests, bytes_that_end_before_the_last_address_are_too_few);
	tcase_add_test(tests, what_is_no_message_is_refused);
	tcase_add_test(tests, more_than_there_may_be_is_refused);
	tcase_add_test(tests, when_no_piece_is_free_all_are_given_back);
	tcase_add_test(tests, others_are_not_readdressed);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
