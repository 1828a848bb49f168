/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of denials: what it keeps, when it tells how many were left out, and
 * what the journal gets of it.
 */
#include "dataplane/denial_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/kafka/kafka_stats.h"
#include "dataplane/pipeline/region.h"
#include "proto/log.h"
#include "tests/dataplane/cold.h"

enum { SLOT = 7, RULE = 700, GONE = 701, SECOND = 1000000000 };

static struct lp_denials denials;
static struct lp_region region;
static struct lp_kafka_stats *stats;
static struct lp_config config;
static struct lp_denial_log *log_of;
static void *memory;
static uint64_t now_ns;
static int stderr_was;

/* What would be in the journal, line by line. */
static FILE *journal;
static char line[2048];

static void
begin(void)
{
	struct lp_arena arena = {.base = NULL};
	struct lp_object rule;

	cold_config(&config);
	lp_object_init(&rule, LP_OBJECT_RULE);
	rule.id = RULE;
	strcpy(rule.rule.name, "secrets");
	ck_assert_int_eq(lp_config_put(&config, &rule), 0);
	memset(&denials, 0, sizeof(denials));
	lp_denials_carve(&denials, &arena);
	arena.used = (arena.used + LP_ARENA_ALIGN - 1) & ~(size_t)63;
	memory = aligned_alloc(LP_ARENA_ALIGN, arena.used);
	ck_assert_ptr_nonnull(memory);
	memset(memory, 0, arena.used);
	arena = (struct lp_arena){.base = memory};
	lp_denials_carve(&denials, &arena);
	stats = calloc(1, sizeof(*stats));
	ck_assert_ptr_nonnull(stats);
	region.kafka_stats = stats;
	lp_denials_init(&denials, &region);
	now_ns = 5ull * SECOND;
	lp_denials_turn(&denials, now_ns);
	ck_assert_int_eq(lp_denial_log_new(&log_of, 77), 0);
	journal = tmpfile();
	ck_assert_ptr_nonnull(journal);
	stderr_was = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(fileno(journal), STDERR_FILENO), 0);
	lp_log_init("test", false);
}

static void
end(void)
{
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	fclose(journal);
	lp_denial_log_free(log_of);
	free(stats);
	free(memory);
	lp_config_fini(&config);
}

static void
turn(uint64_t later_ms)
{
	now_ns += later_ms * 1000000;
	lp_denials_turn(&denials, now_ns);
	lp_denial_log_turn(
	    log_of, &denials, &config, now_ns, now_ns + 1000ull * SECOND);
}

static void
refuse(uint32_t slot, uint32_t rule_id)
{
	struct lp_denial *denial = lp_denials_open(&denials, slot, rule_id);

	if (denial == NULL)
		return;
	denial->kind = LP_DENIAL_DENY;
	denial->api = 0;
	denial->version = 9;
	denial->listener_id = 12345;
	denial->node_id = -1;
	lp_denials_text(
	    denial, LP_DENIAL_TOPIC, (const uint8_t *)"secret.a", 8);
	lp_denials_close(&denials);
}

/* The next line of the journal; NULL: there is none. */
static const char *
next_line(void)
{
	static off_t at;
	ssize_t len = pread(fileno(journal), line, sizeof(line) - 1, at);
	char *newline;

	if (len <= 0) {
		at = 0;
		return NULL;
	}
	line[len] = '\0';
	newline = strchr(line, '\n');
	ck_assert_ptr_nonnull(newline);
	*newline = '\0';
	at += newline + 1 - line;
	return line;
}

START_TEST(the_last_ones_are_kept)
{
	uint64_t count = LP_DENIAL_LOG_MAX + 30;
	const struct lp_denial_entry *entry;

	begin();
	ck_assert_ptr_null(lp_denial_log_get(log_of, 0));
	ck_assert_ptr_null(lp_denial_log_get(log_of, 1));
	ck_assert_uint_eq(lp_denial_log_oldest(log_of), 1);
	for (uint64_t i = 1; i <= count; i++) {
		turn(1000);
		refuse(SLOT, (uint32_t)i);
		turn(200);
		entry = lp_denial_log_get(log_of, i);
		ck_assert_ptr_nonnull(entry);
		ck_assert_uint_eq(entry->number, i);
		ck_assert_uint_eq(entry->denial.rule_id, i);
		/* It came 200 ms ago, and that by another clock. */
		ck_assert_uint_eq(entry->time_ns,
		    now_ns + 1000ull * SECOND - 200ull * 1000000);
	}
	ck_assert_uint_eq(lp_denial_log_oldest(log_of), 31);
	ck_assert_ptr_null(lp_denial_log_get(log_of, 30));
	ck_assert_uint_eq(lp_denial_log_get(log_of, 31)->denial.rule_id, 31);
	ck_assert_ptr_null(lp_denial_log_get(log_of, count + 1));
	end();
}
END_TEST

START_TEST(how_many_are_left_out_is_told_a_second_later)
{
	const struct lp_denial_entry *entry;

	begin();
	for (unsigned i = 0; i < LP_DENIALS_RULE_MAX + 37; i++)
		refuse(SLOT, RULE);
	turn(200);
	ck_assert_uint_eq(log_of->last, LP_DENIALS_RULE_MAX);
	turn(700);
	ck_assert_uint_eq(log_of->last, LP_DENIALS_RULE_MAX);
	turn(200);
	ck_assert_uint_eq(log_of->last, LP_DENIALS_RULE_MAX + 1);
	entry = lp_denial_log_get(log_of, log_of->last);
	ck_assert_uint_eq(entry->denial.kind, LP_DENIAL_LEFT_OUT);
	ck_assert_uint_eq(entry->denial.rule_id, RULE);
	ck_assert_uint_eq(entry->more, 37);
	/* Once. */
	for (unsigned i = 0; i < 10; i++)
		turn(1000);
	ck_assert_uint_eq(log_of->last, LP_DENIALS_RULE_MAX + 1);
	/* And whatever is left out later is told, too. */
	for (unsigned i = 0; i < LP_DENIALS_RULE_MAX + 5; i++)
		refuse(SLOT, RULE);
	turn(0);
	turn(1000);
	ck_assert_uint_eq(log_of->last, 2 * LP_DENIALS_RULE_MAX + 2);
	ck_assert_uint_eq(lp_denial_log_get(log_of, log_of->last)->more, 5);
	end();
}
END_TEST

/* Nothing is told twice, and nothing is not told. */
START_TEST(of_a_flood_all_is_told)
{
	uint64_t told = 0, more = 0, refused = 0;

	begin();
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned n = 0; n < 3; n++, refused += 30)
			for (unsigned m = 0; m < 30; m++)
				refuse(SLOT + n, RULE + n);
		turn(130);
	}
	turn(1000);
	turn(1000);
	turn(1000);
	for (uint64_t i = 1; i <= log_of->last; i++) {
		const struct lp_denial_entry *entry =
		    lp_denial_log_get(log_of, i);

		ck_assert_ptr_nonnull(entry);
		if (entry->denial.kind == LP_DENIAL_LEFT_OUT)
			more += entry->more;
		else
			told++;
	}
	ck_assert_uint_gt(more, 0);
	ck_assert_uint_eq(told + more, refused);
	end();
}
END_TEST

START_TEST(the_journal_has_a_sample)
{
	unsigned lines = 0;
	uint32_t more;

	begin();
	for (unsigned i = 0; i < LP_DENIALS_RULE_MAX + 37; i++)
		refuse(SLOT, RULE);
	refuse(SLOT + 1, GONE);
	turn(200);
	turn(1000);
	while (next_line() != NULL) {
		ck_assert_ptr_eq(strstr(line, "<6>denied by rule "), line);
		lines++;
	}
	ck_assert_uint_eq(lines, LP_DENIAL_JOURNAL_RULE_MAX + 1);
	ck_assert_int_eq(ftruncate(fileno(journal), 0), 0);
	ck_assert_int_eq(lseek(fileno(journal), 0, SEEK_SET), 0);
	turn(LP_DENIAL_JOURNAL_S * 1000);
	more = LP_DENIALS_RULE_MAX - LP_DENIAL_JOURNAL_RULE_MAX + 37;
	ck_assert_ptr_nonnull(next_line());
	ck_assert_uint_eq(more, 52);
	ck_assert_str_eq(
	    line, "<6>refused by rule secrets: 52 more in the last 10 s");
	ck_assert_ptr_null(next_line());
	end();
}
END_TEST

START_TEST(of_many_rules_the_journal_has_a_sample)
{
	unsigned lines = 0, others = 0;

	begin();
	for (uint32_t i = 0; i < 90; i++)
		refuse(i, 1000 + i);
	turn(200);
	while (next_line() != NULL)
		lines++;
	ck_assert_uint_eq(lines, LP_DENIAL_JOURNAL_MAX);
	ck_assert_int_eq(ftruncate(fileno(journal), 0), 0);
	ck_assert_int_eq(lseek(fileno(journal), 0, SEEK_SET), 0);
	turn(LP_DENIAL_JOURNAL_S * 1000);
	for (lines = 0; next_line() != NULL; lines++)
		others += strcmp(line,
			      "<6>refused by other rules: 26 more in the last "
			      "10 s") == 0;
	/* 14 that have a place and were not written, and the 26 others. */
	ck_assert_uint_eq(lines, 15);
	ck_assert_uint_eq(others, 1);
	end();
}
END_TEST

static void
is_line(const struct lp_denial *denial, const char *expected)
{
	char text[LP_DENIAL_JOURNAL_LINE_SIZE];

	lp_denial_journal_line(text, denial, &config);
	ck_assert_str_eq(text, expected);
}

static void
text(struct lp_denial *denial, enum lp_denial_text which, const char *bytes)
{
	lp_denials_text(denial, which, (const uint8_t *)bytes, strlen(bytes));
}

START_TEST(a_line_says_who_what_and_by_which_rule)
{
	struct lp_denial denial = {.kind = LP_DENIAL_DENY,
	    .slot = SLOT,
	    .rule_id = RULE,
	    .listener_id = PAYMENTS_PUBLIC,
	    .node_id = 1,
	    .api = 0,
	    .version = 9,
	    .client_port = 51000};
	char why[LP_WHY_SIZE];

	begin();
	ck_assert_int_eq(lp_ip_parse(&denial.client_ip, "10.9.0.7", why), 0);
	text(&denial, LP_DENIAL_TOPIC, "secret.a");
	text(&denial, LP_DENIAL_CLIENT_ID, "web");
	text(&denial, LP_DENIAL_PRINCIPAL, "ann");
	is_line(&denial,
	    "denied by rule secrets: Produce v9, topic \"secret.a\"; client "
	    "10.9.0.7:51000, client id \"web\", principal \"ann\"; listener "
	    "payments/public, broker 1");
	denial.shadow = true;
	denial.has = 0;
	denial.node_id = -1;
	is_line(&denial,
	    "would be denied by rule secrets (shadow): Produce v9; client "
	    "10.9.0.7:51000; listener payments/public");
	denial.shadow = false;
	denial.kind = LP_DENIAL_RESET;
	denial.rule_id = GONE;
	denial.api = LP_DENIALS_NO_API;
	denial.listener_id = 99999;
	is_line(&denial,
	    "reset by rule #701 (gone): a connection; client 10.9.0.7:51000; "
	    "listener #99999 (gone)");
	denial.kind = LP_DENIAL_UNJUDGED;
	denial.rule_id = 0;
	denial.api = 999;
	denial.version = 2;
	is_line(&denial,
	    "reset as it cannot be judged: API 999 v2; client 10.9.0.7:51000; "
	    "listener #99999 (gone)");
	denial.kind = LP_DENIAL_NO_CREATE;
	denial.rule_id = RULE;
	denial.api = 3;
	is_line(&denial,
	    "not created by rule secrets: Metadata v2; client "
	    "10.9.0.7:51000; listener #99999 (gone)");
	end();
}
END_TEST

/* Bytes of strangers start no line, end no quote and move no cursor. */
START_TEST(what_clients_say_is_text)
{
	struct lp_denial denial = {.kind = LP_DENIAL_RESET,
	    .rule_id = RULE,
	    .api = LP_DENIALS_NO_API,
	    .node_id = -1};
	char out[LP_DENIAL_JOURNAL_LINE_SIZE];
	uint8_t bytes[255];

	begin();
	text(&denial, LP_DENIAL_CLIENT_ID,
	    "a\n<0>b\"; client \x1b[2J\xff\xc2\x9b\xc3\xa9");
	lp_denial_journal_line(out, &denial, &config);
	ck_assert_ptr_nonnull(strstr(out,
	    "client id \"a\\x0a<0>b\\x22; client "
	    "\\x1b[2J\\xff\\xc2\\x9b\xc3\xa9\";"));
	/* However long they are. */
	memset(bytes, '\n', sizeof(bytes));
	for (unsigned i = 0; i < LP_DENIAL_TEXTS; i++)
		lp_denials_text(&denial, i, bytes, sizeof(bytes));
	lp_denial_journal_line(out, &denial, &config);
	ck_assert_uint_lt(strlen(out), sizeof(out));
	ck_assert_ptr_null(strchr(out, '\n'));
	ck_assert_ptr_nonnull(strstr(out, "\\x0a\"..., "));
	memset(bytes, '"', sizeof(bytes));
	for (unsigned i = 0; i < LP_DENIAL_TEXTS; i++)
		lp_denials_text(&denial, i, bytes, sizeof(bytes));
	lp_denial_journal_line(out, &denial, &config);
	ck_assert_uint_lt(strlen(out), sizeof(out));
	ck_assert_ptr_null(strstr(out, "\"\""));
	end();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {the_last_ones_are_kept,
	    how_many_are_left_out_is_told_a_second_later,
	    of_a_flood_all_is_told, the_journal_has_a_sample,
	    of_many_rules_the_journal_has_a_sample,
	    a_line_says_who_what_and_by_which_rule, what_clients_say_is_text,
	    NULL};

	return cold_run("denial_log", tests);
}
