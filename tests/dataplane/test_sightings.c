/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/sightings.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/kafka/walk.h"
#include "dataplane/kafka_read.h"
#include "tests/support/message.h"
#include "tests/support/telemetry.h"

enum { CLUSTER = 3, HOUR_MS = 3600000, METADATA = 3, DESCRIBE = 60, HEAD = 8 };

static struct lp_telemetry *telemetry;
static struct lp_sightings *seen;
static struct lp_kafka_stats *stats;
static struct lp_sighting_list list;

static void
setup(void)
{
	telemetry = telemetry_open(NULL, NULL);
	seen = &telemetry->sightings;
	stats = telemetry->stats;
}

static void
teardown(void)
{
	telemetry_close(telemetry);
}

static void
tell(uint8_t kind, int64_t value, uint64_t now_ms)
{
	const struct lp_fact fact = {.kind = kind, .value = value};

	lp_sightings_fact(seen, &list, CLUSTER, &fact, now_ms);
}

static void
tell_text(uint8_t kind, const char *text, uint64_t now_ms)
{
	uint32_t len = text != NULL ? (uint32_t)strlen(text) : 0;
	const struct lp_fact fact = {.kind = kind,
	    .null = text == NULL,
	    .bytes = (const uint8_t *)text,
	    .len = (uint16_t)(len < LP_FACT_TEXT_MAX ? len : LP_FACT_TEXT_MAX),
	    .full_len = len};

	lp_sightings_fact(seen, &list, CLUSTER, &fact, now_ms);
}

static void
begin(int64_t count, uint64_t now_ms)
{
	lp_sightings_begin(&list, true, 9);
	tell(LP_FACT_ENDPOINTS, count, now_ms);
}

static void
broker(int32_t id, const char *host, int64_t port, const char *rack,
    uint64_t now_ms)
{
	tell(LP_FACT_NODE_ID, id, now_ms);
	tell_text(LP_FACT_HOST, host, now_ms);
	tell(LP_FACT_PORT, port, now_ms);
	tell_text(LP_FACT_RACK, rack, now_ms);
}

/* "host:port/rack"; "" if it was not met. */
static const char *
met(uint32_t cluster_id, uint32_t kind, int32_t id, uint64_t *seen_ms)
{
	static char text[400];
	struct lp_sighting_value value;
	uint64_t at;

	for (uint32_t i = 0; i < lp_count_get(&stats->sightings_used); i++) {
		if (!lp_kafka_read_sighting(stats, i, &value, &at) ||
		    value.key.cluster_id != cluster_id ||
		    value.key.kind != kind || value.key.id != id)
			continue;
		snprintf(text, sizeof(text), "%.*s:%u/%.*s", value.host_len,
		    (const char *)value.host, value.port, value.rack_len,
		    (const char *)value.rack);
		if (seen_ms != NULL)
			*seen_ms = at;
		return text;
	}
	return "";
}

static const char *
node(int32_t id)
{
	return met(CLUSTER, LP_SIGHTING_NODE, id, NULL);
}

START_TEST(a_list_is_noted)
{
	uint64_t at = 0;

	begin(3, 1000);
	broker(1, "kafka-1", 9092, "east", 1000);
	broker(2, "10.0.0.2", 9093, NULL, 1001);
	ck_assert_str_eq(met(CLUSTER, LP_SIGHTING_LIST, 0, NULL), "");
	broker(3, "fe80::3", 65535, "", 1002);
	ck_assert_str_eq(node(1), "kafka-1:9092/east");
	ck_assert_str_eq(node(2), "10.0.0.2:9093/");
	ck_assert_str_eq(node(3), "fe80::3:65535/");
	ck_assert_str_eq(met(CLUSTER, LP_SIGHTING_LIST, 0, &at), ":0/");
	ck_assert_uint_eq(at, 1002);
	ck_assert_str_eq(met(CLUSTER + 1, LP_SIGHTING_NODE, 1, NULL), "");
	ck_assert_uint_eq(lp_count_get(&stats->counters.sightings), 4);
}
END_TEST

START_TEST(only_a_change_is_news)
{
	uint64_t serial, at = 0;

	begin(1, 1000);
	broker(1, "kafka-1", 9092, "east", 1000);
	serial = lp_count_get(&stats->sightings_serial);
	begin(1, 2000);
	broker(1, "kafka-1", 9092, "east", 2000);
	ck_assert_uint_eq(lp_count_get(&stats->sightings_serial), serial);
	met(CLUSTER, LP_SIGHTING_NODE, 1, &at);
	ck_assert_uint_eq(at, 2000);
	begin(1, 3000);
	broker(1, "kafka-2", 9092, "east", 3000); /* the same length */
	ck_assert_uint_gt(lp_count_get(&stats->sightings_serial), serial);
	ck_assert_str_eq(node(1), "kafka-2:9092/east");
	serial = lp_count_get(&stats->sightings_serial);
	begin(1, 4000);
	broker(1, "kafka-2", 9093, "east", 4000);
	ck_assert_uint_gt(lp_count_get(&stats->sightings_serial), serial);
	ck_assert_str_eq(node(1), "kafka-2:9093/east");
}
END_TEST

/* It counts for the list, which is whole; but it says nothing. */
START_TEST(what_has_no_address_is_no_broker)
{
	begin(5, 1000);
	broker(-1, "kafka-1", 9092, NULL, 1000);
	broker(2, "", 9092, NULL, 1000);
	broker(3, "kafka-3", -1, NULL, 1000);
	broker(4, "kafka-4", 65536, NULL, 1000);
	broker(5, NULL, 9092, NULL, 1000);
	for (int32_t id = -1; id <= 5; id++)
		ck_assert_str_eq(node(id), "");
	ck_assert_str_eq(met(CLUSTER, LP_SIGHTING_LIST, 0, NULL), ":0/");
}
END_TEST

START_TEST(other_lists_are_not_noted)
{
	/* Of controllers. */
	lp_sightings_begin(&list, false, 1);
	tell(LP_FACT_ENDPOINT_TYPE, 2, 1000);
	tell(LP_FACT_ENDPOINTS, 1, 1000);
	broker(1, "kafka-1", 9092, NULL, 1000);
	/* An empty one: of a broker that knows nothing yet. */
	begin(0, 1000);
	/* One that is cut. */
	begin(2, 1000);
	broker(1, "kafka-1", 9092, NULL, 1000);
	lp_sightings_begin(&list, true, 9);
	ck_assert_str_eq(met(CLUSTER, LP_SIGHTING_LIST, 0, NULL), "");
	ck_assert_str_eq(node(1), "kafka-1:9092/");
}
END_TEST

START_TEST(the_oldest_version_has_no_racks)
{
	lp_sightings_begin(&list, true, 0);
	tell(LP_FACT_ENDPOINTS, 1, 1000);
	tell(LP_FACT_NODE_ID, 7, 1000);
	tell_text(LP_FACT_HOST, "kafka-7", 1000);
	tell(LP_FACT_PORT, 9092, 1000);
	ck_assert_str_eq(node(7), "kafka-7:9092/");
	ck_assert_str_eq(met(CLUSTER, LP_SIGHTING_LIST, 0, NULL), ":0/");
}
END_TEST

/* All of a response, which comes in two pieces. */
static void
walk(int16_t key, int16_t version, const uint8_t *bytes, uint32_t len,
    uint32_t cut)
{
	static struct lp_walk at;
	const uint32_t ends[] = {cut, len};
	struct lp_fact fact;
	uint32_t from = HEAD;

	lp_sightings_begin(&list, key == METADATA, version);
	lp_walk_response(&at, key, version, len - 4);
	for (unsigned i = 0; i < 2; i++) {
		struct lp_cursor in = {
		    .at = bytes + from, .end = bytes + ends[i]};
		enum lp_walk_result result;

		while ((result = lp_walk_next(&at, &in, &fact)) == LP_WALK_FACT)
			lp_sightings_fact(seen, &list, CLUSTER, &fact, cut);
		ck_assert_int_eq(
		    result, i == 0 && cut < len ? LP_WALK_MORE : LP_WALK_DONE);
		from = ends[i];
		if (cut == len)
			break;
	}
}

/* Two brokers as that version has them, the second without a rack. */
static const char *
response(int16_t key, int16_t v)
{
	static char text[512];
	bool compact = key == DESCRIBE || v >= 9;
	const char *quote = compact ? "\"" : "'";
	const char *tags = compact ? "00 " : "";
	bool rack = key == DESCRIBE || v >= 1;
	char racks[2][32] = {"", ""};

	if (rack) {
		snprintf(racks[0], sizeof(racks[0]), "%seast%s ", quote, quote);
		snprintf(racks[1], sizeof(racks[1]), "%s",
		    compact ? "00 " : "2:-1 ");
	}
	snprintf(text, sizeof(text),
	    "4:99 %s%s%s%s"
	    "4:1 %skafka-1%s 4:9092 %s%s%s"
	    "4:70000 %s10.0.0.2%s 4:65535 %s%s%s",
	    tags,
	    key == DESCRIBE ? "4:5 2:0 00 "
		: v >= 3    ? "4:5 "
			    : "",
	    key == DESCRIBE && v >= 1 ? "01 " : "",
	    key == DESCRIBE ? "\"id\" 4:1 03 "
		: compact   ? "03 "
			    : "4:2 ",
	    quote, quote, racks[0], key == DESCRIBE && v >= 2 ? "00 " : "",
	    tags, quote, quote, racks[1],
	    key == DESCRIBE && v >= 2 ? "01 " : "", tags);
	if (key == DESCRIBE)
		strcat(text, "4:0 00");
	else
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%s%s%s%s%s", v >= 2 ? compact ? "\"id\" " : "'id' " : "",
		    v >= 1 ? "4:1 " : "", compact ? "01 " : "4:0 ",
		    v >= 8 && v <= 10 ? "4:0 " : "", v >= 13 ? "2:0 " : "",
		    tags);
	return text;
}

static void
check_version(int16_t key, int16_t version)
{
	uint8_t bytes[512];
	uint32_t len =
	    message_make(bytes, sizeof(bytes), response(key, version));
	bool racks = key == DESCRIBE || version >= 1;

	for (uint32_t cut = HEAD; cut <= len; cut++) {
		uint64_t at;

		walk(key, version, bytes, len, cut);
		ck_assert_str_eq(met(CLUSTER, LP_SIGHTING_LIST, 0, &at), ":0/");
		ck_assert_uint_eq(at, cut); /* each of them was whole */
		ck_assert_str_eq(met(CLUSTER, LP_SIGHTING_NODE, 70000, &at),
		    "10.0.0.2:65535/");
		ck_assert_uint_eq(at, cut);
		ck_assert_str_eq(
		    node(1), racks ? "kafka-1:9092/east" : "kafka-1:9092/");
	}
}

START_TEST(every_version_is_read_wherever_it_is_cut)
{
	for (int16_t version = 0; version <= 13; version++)
		check_version(METADATA, version);
	for (int16_t version = 0; version <= 2; version++)
		check_version(DESCRIBE, version);
	ck_assert_uint_eq(lp_count_get(&stats->sightings_used), 3);
}
END_TEST

START_TEST(long_texts_are_kept_to_their_limits)
{
	char host[300], rack[300];

	memset(host, 'h', sizeof(host));
	memset(rack, 'r', sizeof(rack));
	rack[200] = '\0';
	begin(2, 1000);
	host[LP_SIGHTING_HOST_MAX + 1] = '\0';
	broker(1, host, 9092, rack, 1000);
	host[LP_SIGHTING_HOST_MAX] = '\0';
	broker(2, host, 9092, rack, 1000);
	ck_assert_str_eq(node(1), "");
	ck_assert_uint_eq(strlen(node(2)),
	    LP_SIGHTING_HOST_MAX + 1 + 4 + 1 + LP_SIGHTING_RACK_MAX);
}
END_TEST

START_TEST(a_full_table_is_counted_and_gives_way_to_the_living)
{
	uint64_t full;

	begin(LP_SIGHTINGS_MAX, 1000);
	for (int32_t id = 0; id < LP_SIGHTINGS_MAX; id++)
		broker(id, "kafka", 9092, NULL, 1000);
	/* All were noted, but the list itself had no place. */
	ck_assert_uint_eq(lp_count_get(&stats->counters.sightings_full), 1);
	begin(2, 2000);
	broker(5000, "kafka", 9092, NULL, 2000);
	ck_assert_str_eq(node(5000), "");
	full = lp_count_get(&stats->counters.sightings_full);
	ck_assert_uint_eq(full, 2);
	begin(2, 1000 + HOUR_MS);
	broker(5000, "kafka", 9092, NULL, 1000 + HOUR_MS);
	ck_assert_str_eq(node(5000), "kafka:9092/");
	ck_assert_uint_eq(lp_count_get(&stats->counters.sightings_full), full);
	ck_assert_uint_eq(
	    lp_count_get(&stats->counters.sightings), LP_SIGHTINGS_MAX);
}
END_TEST

START_TEST(they_outlive_the_process)
{
	begin(2, 1000);
	broker(1, "kafka-1", 9092, NULL, 1000);
	broker(2, "kafka-2", 9092, NULL, 1000);
	/* Killed while it wrote one. */
	lp_count_add(&stats->sightings[1].serial, 1);
	ck_assert_str_eq(node(2), "");
	telemetry_restart(telemetry);
	ck_assert_str_eq(node(1), "kafka-1:9092/");
	ck_assert_str_eq(node(2), "");
	begin(2, 2000);
	broker(1, "kafka-1", 9092, NULL, 2000);
	broker(2, "kafka-2", 9092, NULL, 2000);
	ck_assert_str_eq(node(2), "kafka-2:9092/");
	ck_assert_uint_eq(lp_count_get(&stats->sightings_used), 4);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("sightings");
	Suite *suite = suite_create("sightings");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_list_is_noted);
	tcase_add_test(tcase, only_a_change_is_news);
	tcase_add_test(tcase, what_has_no_address_is_no_broker);
	tcase_add_test(tcase, other_lists_are_not_noted);
	tcase_add_test(tcase, the_oldest_version_has_no_racks);
	tcase_add_test(tcase, every_version_is_read_wherever_it_is_cut);
	tcase_add_test(tcase, long_texts_are_kept_to_their_limits);
	tcase_add_test(
	    tcase, a_full_table_is_counted_and_gives_way_to_the_living);
	tcase_add_test(tcase, they_outlive_the_process);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
