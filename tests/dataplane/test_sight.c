/* SPDX-License-Identifier: Apache-2.0 */
/* What clusters say of their brokers is told: whole, bounded, when it is new.
 */
#include "dataplane/sight.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/region.h"
#include "tests/dataplane/cold.h"
#include "tests/support/telemetry.h"

enum { CLUSTER = 2, MANY = 1500, SECOND = 1000 };

static struct lp_dataplane dataplane;
static struct lp_telemetry *telemetry;
static struct lp_sight sight;
static struct evbuffer *out;

/* Of the last report. */
static unsigned frames, brokers, lists, tls;
static char last[400];

static void
begin(void)
{
	ck_assert_int_eq(lp_region_open(&dataplane.region, NULL, 64, 4096), 0);
	telemetry = telemetry_open(
	    dataplane.region.kafka_stats, dataplane.region.endpoints);
	sight = (struct lp_sight){0};
	out = evbuffer_new();
}

static void
end(void)
{
	evbuffer_free(out);
	telemetry_close(telemetry);
	lp_region_close(&dataplane.region);
}

static void
note(uint32_t kind, int32_t id, const char *host, uint64_t now_ms)
{
	const struct lp_sighting_key key = {
	    .cluster_id = CLUSTER, .id = id, .kind = kind};
	const struct lp_sighting_node node = {.host = (const uint8_t *)host,
	    .host_len = (uint8_t)strlen(host),
	    .port = kind == LP_SIGHTING_NODE ? 9092 : 0};

	lp_sightings_note(&telemetry->sightings, &key, &node, now_ms);
}

static void
take(const Lp__Pb__BrokersSeen *seen)
{
	frames++;
	brokers += (unsigned)seen->n_brokers;
	lists += (unsigned)seen->n_lists;
	tls += (unsigned)seen->n_tls_listeners;
	ck_assert_uint_le(
	    seen->n_brokers + seen->n_lists + seen->n_tls_listeners,
	    LP_ROWS_MAX);
	if (seen->n_brokers > 0) {
		const Lp__Pb__BrokerSeen *of =
		    seen->brokers[seen->n_brokers - 1];

		ck_assert_uint_eq(of->cluster_id, CLUSTER);
		snprintf(last, sizeof(last), "%d %s:%u %lu", of->node_id,
		    of->host, of->port, (unsigned long)of->age_ms);
	}
}

/* What one call tells: its frames are whole, the last one says so. */
static void
report(uint64_t now_ms)
{
	const uint8_t *payload;
	size_t len;

	frames = brokers = lists = tls = 0;
	last[0] = '\0';
	ck_assert_int_eq(lp_sight_report(&sight, &dataplane, now_ms, out), 0);
	while ((len = evbuffer_get_length(out)) > 0) {
		Lp__Pb__DataplaneMessage *message;

		ck_assert_int_eq(lp_frame_next(evbuffer_pullup(out, -1), len,
				     &payload, &len),
		    LP_OK);
		message = lp_message_unpack_dataplane(payload, len);
		ck_assert_ptr_nonnull(message);
		ck_assert_int_eq(message->body_case,
		    LP__PB__DATAPLANE_MESSAGE__BODY_BROKERS_SEEN);
		take(message->brokers_seen);
		evbuffer_drain(out, LP_FRAME_HEADER_SIZE + len);
		ck_assert_int_eq(message->brokers_seen->more,
		    evbuffer_get_length(out) > 0 || sight.passing);
		lp__pb__dataplane_message__free_unpacked(message, NULL);
	}
}

START_TEST(nothing_is_told_of_nothing)
{
	report(1 * SECOND);
	ck_assert_uint_eq(frames, 0);
}
END_TEST

START_TEST(it_is_told_when_it_is_new_and_from_time_to_time)
{
	note(LP_SIGHTING_NODE, 3, "kafka-3", 1 * SECOND);
	note(LP_SIGHTING_LIST, 0, "", 1 * SECOND);
	note(LP_SIGHTING_TLS, 7, "", 1 * SECOND);
	report(2 * SECOND);
	ck_assert_uint_eq(frames, 1);
	ck_assert_uint_eq(lists, 1);
	ck_assert_uint_eq(tls, 1);
	ck_assert_str_eq(last, "3 kafka-3:9092 1000");
	report(3 * SECOND);
	ck_assert_uint_eq(frames, 0);
	/* The same again is no news, but it is told later how old it is. */
	note(LP_SIGHTING_NODE, 3, "kafka-3", 4 * SECOND);
	report(4 * SECOND);
	ck_assert_uint_eq(frames, 0);
	report(2 * SECOND + LP_SIGHT_AGAIN_MS);
	ck_assert_str_eq(last, "3 kafka-3:9092 8000");
	note(LP_SIGHTING_NODE, 3, "kafka-4", 13 * SECOND);
	report(13 * SECOND);
	ck_assert_str_eq(last, "3 kafka-4:9092 0");
}
END_TEST

START_TEST(what_is_no_text_is_not_told)
{
	note(LP_SIGHTING_NODE, 3, "a b", 1 * SECOND);
	note(LP_SIGHTING_NODE, 4, "a\x1b[2J", 1 * SECOND);
	note(LP_SIGHTING_NODE, 5, "caf\xc3\xa9", 1 * SECOND);
	report(1 * SECOND);
	ck_assert_uint_eq(frames, 1);
	ck_assert_uint_eq(brokers, 0);
}
END_TEST

START_TEST(many_take_bounded_frames_and_calls)
{
	unsigned told = 0, calls = 0;

	for (int32_t id = 0; id < MANY; id++)
		note(LP_SIGHTING_NODE, id, "kafka", 1 * SECOND);
	do {
		report(1 * SECOND);
		ck_assert_uint_le(frames, LP_SIGHT_FRAMES_MAX);
		told += brokers;
		calls++;
	} while (sight.passing);
	ck_assert_uint_eq(told, MANY);
	ck_assert_uint_eq(calls, 2);
	report(1 * SECOND);
	ck_assert_uint_eq(frames, 0);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("sight");
	Suite *suite = suite_create("sight");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, nothing_is_told_of_nothing);
	tcase_add_test(tcase, it_is_told_when_it_is_new_and_from_time_to_time);
	tcase_add_test(tcase, what_is_no_text_is_not_told);
	tcase_add_test(tcase, many_take_bounded_frames_and_calls);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
