/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden tests: the fixed answers of support_reply.c, as text and as JSON,
 * against the files in golden/.  With LP_GOLDEN=write in the environment the
 * files are written instead: read the difference before you keep it.
 */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "cli/clock.h"
#include "cli/table.h"
#include "proto/message.h"
#include "tests/cli/support.h"

struct page {
	const char *name;
	void (*make)(struct support_bytes *bytes);
	int (*write)(const struct lp_output *output,
	    const struct lp_print *print, struct lp_replies *replies);
};

static int
write_changed(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	return output->changed(print, replies->list[0]->transaction);
}

static int
write_confirmed(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	return output->confirmed(print, replies->list[0]->confirm);
}

static int
write_status(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	return output->status(print, replies->list[0]->status);
}

static int
write_version(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	return output->version(print, replies->list[0]->version);
}

static int
write_no_version(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	(void)replies;
	return output->version(print, NULL);
}

/* show and the lists: one view, several ways to write it. */
static int
write_view(const struct lp_output *output, const struct lp_print *print,
    const struct lp_replies *replies, const char *what, const char *cluster)
{
	const struct lp_object *of = NULL;
	struct lp_error error;
	struct lp_view view;
	int err;

	if (lp_view_init(&view, replies, &error) != LP_EXIT_OK)
		return -1;
	if (cluster != NULL)
		of = lp_config_find_name(
		    &view.config, LP_OBJECT_CLUSTER, 0, cluster);
	if (strcmp(what, "show") == 0)
		err = output->show(print, &view);
	else if (strcmp(what, "clusters") == 0)
		err = output->clusters(print, &view);
	else if (strcmp(what, "brokers") == 0)
		err = output->brokers(print, &view, of);
	else
		err = output->listeners(print, &view, of);
	lp_view_fini(&view);
	return err;
}

#define VIEW(name, what, cluster)                                              \
	static int write_##name(const struct lp_output *output,                \
	    const struct lp_print *print, struct lp_replies *replies)          \
	{                                                                      \
		return write_view(output, print, replies, what, cluster);      \
	}
VIEW(show, "show", NULL)
VIEW(clusters, "clusters", NULL)
VIEW(brokers, "brokers", NULL)
VIEW(listeners, "listeners", NULL)
VIEW(no_brokers, "brokers", "empty")
VIEW(own_listeners, "listeners", "payments")

/* replies: NULL where no dataplane has answered, and then why. */
static int
write_ports_of(const struct lp_output *output, const struct lp_print *print,
    const struct lp_replies *config, struct lp_replies *replies,
    const char *why)
{
	struct lp_ports_view view = {.why = why};
	struct lp_error error;
	int err = -1;

	if (lp_view_init(&view.config, config, &error) != LP_EXIT_OK)
		return -1;
	if (replies == NULL ||
	    lp_view_stats_init(&view.live, replies, NULL, &error) == 0)
		err = output->ports(print, &view);
	lp_view_stats_fini(&view.live);
	lp_view_fini(&view.config);
	return err;
}

/* One dataplane, which runs the first of the two ports. */
static int
write_ports(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	static struct support_bytes bytes;
	struct lp_replies live;
	int err;

	bytes.len = 0;
	support_reply_stats(&bytes, 0);
	support_replies(&live, &bytes);
	err = write_ports_of(output, print, replies, &live, NULL);
	lp_client_replies_free(&live);
	return err;
}

static int
write_lonely_ports(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	return write_ports_of(output, print, replies, NULL,
	    "no dataplane is connected: see lpctl status");
}

/* Two dataplanes; a third is said to be missing. */
static int
write_many_ports(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	static struct support_bytes bytes;
	struct lp_replies config;
	int err;

	bytes.len = 0;
	support_reply_show_dpdk(&bytes);
	support_replies(&config, &bytes);
	err = write_ports_of(output, print, &config, replies,
	    "dataplane edge-3: it went away before its answer was complete");
	lp_client_replies_free(&config);
	return err;
}

static int
write_stats(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	struct lp_stats_view view;
	struct lp_error error;
	int err;

	if (lp_view_stats_init(&view, replies, NULL, &error) != LP_EXIT_OK)
		return -1;
	err = output->stats(print, &view);
	lp_view_stats_fini(&view);
	return err;
}

static int
write_all_stats(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	struct lp_print all = *print;

	all.all = true;
	return write_stats(output, &all, replies);
}

/* The second round of --watch: what came before is round 0. */
static int
write_watched(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	static struct support_bytes bytes;
	struct lp_print stream = *print;
	struct lp_stats_view old, new;
	struct lp_replies first;
	struct lp_error error;
	int err;

	stream.stream = true;
	bytes.len = 0;
	support_reply_stats(&bytes, 0);
	support_replies(&first, &bytes);
	if (lp_view_stats_init(&old, &first, NULL, &error) != 0 ||
	    lp_view_stats_init(&new, replies, &old, &error) != 0)
		return -1;
	err = output->stats(&stream, &new);
	lp_view_stats_fini(&new);
	lp_view_stats_fini(&old);
	lp_client_replies_free(&first);
	return err;
}

static int
write_connections(const struct lp_output *output, const struct lp_print *print,
    struct lp_replies *replies)
{
	struct lp_connections_view view;
	struct lp_error error;
	int err;

	if (lp_view_connections_init(&view, replies, &error) != LP_EXIT_OK)
		return -1;
	err = output->connections(print, &view);
	lp_view_connections_fini(&view);
	return err;
}

static void
first_stats(struct support_bytes *bytes)
{
	support_reply_stats(bytes, 0);
}

static void
second_stats(struct support_bytes *bytes)
{
	support_reply_stats(bytes, 1);
}

static const struct page pages[] = {
    {"changed", support_reply_changed, write_changed},
    {"confirmed", support_reply_confirmed, write_confirmed},
    {"show", support_reply_show, write_show},
    {"show-empty", support_reply_show_empty, write_show},
    {"list-ports", support_reply_show, write_ports},
    {"list-ports-empty", support_reply_show_empty, write_ports},
    {"list-ports-lonely", support_reply_show, write_lonely_ports},
    {"list-ports-many", support_reply_ports, write_many_ports},
    {"show-dpdk", support_reply_show_dpdk, write_show},
    {"show-inline", support_reply_show_inline, write_show},
    {"list-ports-inline", support_reply_show_inline, write_lonely_ports},
    {"list-listeners-inline", support_reply_show_inline, write_listeners},
    {"list-clusters", support_reply_show, write_clusters},
    {"list-brokers", support_reply_show, write_brokers},
    {"list-brokers-of-empty", support_reply_show, write_no_brokers},
    {"list-listeners", support_reply_show, write_listeners},
    {"list-listeners-of-payments", support_reply_show, write_own_listeners},
    {"status", support_reply_status, write_status},
    {"stats", first_stats, write_stats},
    {"stats-all", first_stats, write_all_stats},
    {"stats-watch", second_stats, write_watched},
    {"connections", support_reply_connections, write_connections},
    {"trace", support_reply_trace, support_write_trace},
    {"captured", support_reply_trace, support_write_captured},
    {"version", support_reply_version, write_version},
    {"version-unreachable", support_reply_version, write_no_version},
};
enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

static void
check_page(
    const struct page *page, const struct lp_output *output, const char *ending)
{
	static struct support_bytes bytes;
	struct support_output out;
	struct lp_replies replies;
	struct lp_lpctl lpctl;

	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	lpctl.print.verbose = true;
	page->make(&bytes);
	support_replies(&replies, &bytes);
	ck_assert_int_eq(page->write(output, &lpctl.print, &replies), 0);
	support_golden(page->name, ending, support_output_text(&out));
	lp_client_replies_free(&replies);
	support_output_close(&out);
}

START_TEST(text_is_as_it_was)
{
	check_page(&pages[_i], &lp_output_text, "txt");
}
END_TEST

START_TEST(json_is_as_it_was)
{
	check_page(&pages[_i], &lp_output_json, "json");
}
END_TEST

START_TEST(text_of_a_change_says_who_applied_it)
{
	static const struct {
		uint32_t applied, connected;
		const char *text;
	} rows[] = {
	    {1, 1, "generation 7 applied by 1 dataplane\n"},
	    {2, 2, "generation 7 applied by 2 dataplanes\n"},
	    {1, 2, "generation 7 stored; applied by 1 of 2 dataplanes\n"},
	    {0, 0, "generation 7 stored\n"},
	};
	Lp__Pb__TransactionReply reply = LP__PB__TRANSACTION_REPLY__INIT;
	struct support_output out;
	struct lp_lpctl lpctl;

	reply.generation = 7;
	reply.applied = rows[_i].applied;
	reply.connected = rows[_i].connected;
	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	ck_assert_int_eq(lp_output_text.changed(&lpctl.print, &reply), 0);
	ck_assert_str_eq(support_output_text(&out), "");
	lpctl.print.verbose = true;
	ck_assert_int_eq(lp_output_text.changed(&lpctl.print, &reply), 0);
	ck_assert_str_eq(support_output_text(&out), rows[_i].text);
	support_output_close(&out);
}
END_TEST

START_TEST(color_changes_nothing_but_the_color)
{
	static struct support_bytes bytes;
	struct support_output out;
	struct lp_replies replies;
	struct lp_lpctl lpctl;

	support_output_open(&out);
	support_lpctl(&lpctl, "/nowhere", &out, NULL);
	lpctl.print.color = true;
	support_reply_status(&bytes);
	support_replies(&replies, &bytes);
	ck_assert_int_eq(
	    lp_output_text.status(&lpctl.print, replies.list[0]->status), 0);
	ck_assert_ptr_nonnull(
	    strstr(support_output_text(&out), "\033[32mapplied\033[0m     "));
	ck_assert_ptr_nonnull(
	    strstr(support_output_text(&out), "\033[33mconnecting\033[0m  "));
	lp_client_replies_free(&replies);
	support_output_close(&out);
}
END_TEST

START_TEST(table_keeps_a_terminal_safe)
{
	static const struct lp_column columns[] = {{"A", false}, {"B", true}};
	struct support_output out;
	struct lp_table table;

	support_output_open(&out);
	lp_table_init(&table, columns, 2);
	lp_table_add(&table, LP_STYLE_PLAIN, "%s", "x\033[2Jy\n");
	lp_table_add(&table, LP_STYLE_PLAIN, "%d", 7);
	ck_assert_int_eq(lp_table_write(&table, out.file, false), 0);
	ck_assert_str_eq(support_output_text(&out), "A        B\nx?[2Jy?  7\n");
	support_output_close(&out);
}
END_TEST

START_TEST(table_writes_notes_below_their_rows)
{
	static const struct lp_column columns[] = {{"A", false}, {"B", true}};
	struct support_output out;
	struct lp_table table;

	support_output_open(&out);
	lp_table_init(&table, columns, 2);
	for (int i = 1; i <= 2; i++) {
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", "row");
		lp_table_add(&table, LP_STYLE_PLAIN, "%d", i);
		lp_table_note(&table, LP_STYLE_PLAIN, "first\033 of %d", i);
		lp_table_note(
		    &table, LP_STYLE_PLAIN, "%s", "longer than any column");
	}
	ck_assert_int_eq(lp_table_write(&table, out.file, false), 0);
	ck_assert_str_eq(support_output_text(&out),
	    "A    B\n"
	    "row  1\n"
	    "    first? of 1\n"
	    "    longer than any column\n"
	    "row  2\n"
	    "    first? of 2\n"
	    "    longer than any column\n");
	support_output_close(&out);
}
END_TEST

START_TEST(speed_is_as_short_as_it_can_be)
{
	static const struct {
		uint32_t mbps;
		const char *text;
	} rows[] = {{0, ""}, {10, " 10M"}, {999, " 999M"}, {1000, " 1G"},
	    {2500, " 2.5G"}, {100000, " 100G"}, {UINT32_MAX, " 4294967.3G"}};
	Lp__Pb__PortStats port = LP__PB__PORT_STATS__INIT;
	char buf[LP_VIEW_SPEED_SIZE];

	port.speed_mbps = rows[_i].mbps;
	ck_assert_str_eq(lp_view_speed(buf, &port), "");
	port.up = true;
	ck_assert_str_eq(lp_view_speed(buf, &port), rows[_i].text);
	ck_assert_str_eq(lp_view_speed(buf, NULL), "");
}
END_TEST

START_TEST(duration_has_its_two_largest_units)
{
	static const struct {
		uint64_t s;
		const char *text;
	} rows[] = {{0, "0 s"}, {59, "59 s"}, {60, "1 min 0 s"},
	    {3599, "59 min 59 s"}, {3600, "1 h 0 min"}, {86399, "23 h 59 min"},
	    {86400, "1 d 0 h"}, {90000, "1 d 1 h"}};
	char buf[LP_CLOCK_DURATION_SIZE];

	ck_assert_str_eq(lp_clock_duration(buf, rows[_i].s * LP_CLOCK_NS_PER_S),
	    rows[_i].text);
}
END_TEST

START_TEST(time_is_rfc_3339)
{
	char buf[LP_CLOCK_RFC3339_SIZE];

	ck_assert_str_eq(
	    lp_clock_rfc3339(buf, SUPPORT_NOW_NS), "2025-11-23T02:30:00.123Z");
	/* Any number must end somewhere in the buffer. */
	(void)lp_clock_rfc3339(buf, UINT64_MAX);
	ck_assert_uint_lt(strlen(buf), sizeof(buf));
}
END_TEST

START_TEST(counters_of_a_new_process_have_no_past)
{
	static struct support_bytes bytes;
	struct lp_replies first, second;
	struct lp_stats_view old, new;
	struct lp_error error;

	support_reply_stats(&bytes, 1);
	support_replies(&first, &bytes);
	bytes.len = 0;
	support_reply_stats(&bytes, 0);
	support_replies(&second, &bytes);
	ck_assert_int_eq(lp_view_stats_init(&old, &first, NULL, &error), 0);
	ck_assert_int_eq(lp_view_stats_init(&new, &second, &old, &error), 0);
	ck_assert_uint_eq(new.count, 1);
	ck_assert_ptr_null(new.rows[0].before);
	lp_view_stats_fini(&new);
	lp_view_stats_fini(&old);
	lp_client_replies_free(&second);
	lp_client_replies_free(&first);
}
END_TEST

/* Changes some bytes of a frame's message, never of its header. */
static void
spoil(uint8_t *payload, size_t len, unsigned *seed)
{
	unsigned count = 1 + (unsigned)rand_r(seed) % 4;

	for (unsigned i = 0; i < count; i++)
		payload[(unsigned)rand_r(seed) % len] = (uint8_t)rand_r(seed);
}

static size_t
spoil_frames(
    struct support_bytes *bytes, unsigned *seed, struct lp_replies *replies)
{
	const uint8_t *payload = NULL;
	size_t len = 0;
	size_t at = 0;

	replies->count = 0;
	replies->list = calloc(16, sizeof(Lp__Pb__ControlReply *));
	while (at < bytes->len) {
		Lp__Pb__ControlReply *reply;

		ck_assert_int_eq(lp_frame_next(bytes->data + at,
				     bytes->len - at, &payload, &len),
		    LP_OK);
		spoil((uint8_t *)payload, len, seed);
		reply = lp_message_unpack_reply(payload, len);
		if (reply != NULL)
			replies->list[replies->count++] = reply;
		at = (size_t)(payload - bytes->data) + len;
	}
	return replies->count;
}

/* What the client would have refused is not given to the output. */
static bool
of_one_kind(
    const struct lp_replies *replies, Lp__Pb__ControlReply__BodyCase wanted)
{
	for (size_t i = 0; i < replies->count; i++)
		if (replies->list[i]->body_case != wanted)
			return false;
	return replies->count > 0;
}

/* Sanitizers are the judge: an answer may be wrong, never harmful. */
START_TEST(spoilt_answers_do_no_harm)
{
	static struct support_bytes whole, bytes;
	unsigned seed = (unsigned)time(NULL);
	unsigned start = seed;
	struct support_output out;
	struct lp_replies replies;
	struct lp_lpctl lpctl;
	Lp__Pb__ControlReply__BodyCase wanted;
	unsigned shown = 0;

	(void)printf("spoilt_answers_do_no_harm: seed %u\n", start);
	pages[_i].make(&whole);
	support_replies(&replies, &whole);
	wanted = replies.list[0]->body_case;
	lp_client_replies_free(&replies);
	for (int round = 0; round < 2000; round++) {
		support_output_open(&out);
		support_lpctl(&lpctl, "/nowhere", &out, NULL);
		bytes = whole;
		(void)spoil_frames(&bytes, &seed, &replies);
		if (of_one_kind(&replies, wanted)) {
			(void)pages[_i].write(
			    &lp_output_text, &lpctl.print, &replies);
			shown++;
		}
		lp_client_replies_free(&replies);
		bytes = whole;
		(void)spoil_frames(&bytes, &seed, &replies);
		if (of_one_kind(&replies, wanted))
			(void)pages[_i].write(
			    &lp_output_json, &lpctl.print, &replies);
		lp_client_replies_free(&replies);
		support_output_close(&out);
	}
	ck_assert_uint_gt(shown, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("output");
	TCase *tcase = tcase_create("output");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, text_is_as_it_was, 0, PAGES);
	tcase_add_loop_test(tcase, json_is_as_it_was, 0, PAGES);
	tcase_add_loop_test(tcase, text_of_a_change_says_who_applied_it, 0, 4);
	tcase_add_test(tcase, color_changes_nothing_but_the_color);
	tcase_add_test(tcase, table_keeps_a_terminal_safe);
	tcase_add_test(tcase, table_writes_notes_below_their_rows);
	tcase_add_loop_test(tcase, speed_is_as_short_as_it_can_be, 0, 7);
	tcase_add_loop_test(tcase, duration_has_its_two_largest_units, 0, 8);
	tcase_add_test(tcase, time_is_rfc_3339);
	tcase_add_test(tcase, counters_of_a_new_process_have_no_past);
	tcase_add_loop_test(tcase, spoilt_answers_do_no_harm, 0, PAGES);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
