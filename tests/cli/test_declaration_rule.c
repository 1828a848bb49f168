/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches and actions in files: what they come to, where a mistake is shown,
 * and that what is printed of a rule reads as that rule.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/declaration_json.h"
#include "cli/declaration_rule.h"
#include "cli/yaml_print.h"
#include "tests/cli/support.h"
#include "tests/proto/rules.h"
#include "tests/support/random.h"

enum { SEEDS = 3000, FIELDS = 6 };

/* A file of one map, and what is in it. */
struct file {
	struct lp_report *report;
	struct lp_yaml *yaml;
	const struct lp_yaml_node *match, *action; /* NULL: none */
};

static void
open_file(struct file *file, const char *text)
{
	int index;

	ck_assert_int_eq(lp_report_new(&file->report), 0);
	index =
	    lp_report_add_file(file->report, "r", strdup(text), strlen(text));
	ck_assert_int_eq(index, 0);
	ck_assert_msg(
	    lp_yaml_read(&file->yaml, file->report, 0) == 0, "%s", text);
	file->match = lp_yaml_get(lp_yaml_root(file->yaml), "match");
	file->action = lp_yaml_get(lp_yaml_root(file->yaml), "action");
}

static void
close_file(struct file *file)
{
	lp_yaml_free(file->yaml);
	lp_report_free(file->report);
}

/* What the report says, as it is printed. */
static char *
said(struct file *file)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	lp_report_print(file->report, out, false);
	fclose(out);
	return text;
}

/* "MATCH | ACTION" of a rule that is read, and that both go together. */
static int
read_rule(struct file *file, struct lp_rule_object *rule)
{
	int rc = 0;

	memset(rule, 0, sizeof(*rule));
	if (file->match &&
	    lp_declaration_rule_match(rule->match, file->match, file->report))
		rc = -1;
	if (file->action &&
	    lp_declaration_rule_action(
		rule->action, file->action, file->report))
		rc = -1;
	if (!rc && file->match && file->action)
		rc = lp_declaration_rule_check(
		    rule, file->match, file->action, file->report);
	return rc;
}

static const struct {
	const char *yaml, *text;
} good_matches[] = {
    {"{}", ""},
    {"\"\"", ""},
    {"{client_id: batch-*, api: Produce}", "api=Produce client_id=batch-*"},
    {"{api: [produce, 1]}", "api=Produce,Fetch"},
    {"topic=pay* api=Fetch", "api=Fetch topic=pay*"},
    {"{client_id: batch 7}", "client_id=\"batch 7\""},
    {"{client_id: batch 7*}", "client_id=\"batch 7\"*"},
    {"{client_id: 'a,b'}", "client_id=\"a,b\""},
    {"{client_id: 'a*b'}", "client_id=\"a*b\""},
    {"{client_id: a\"b}", "client_id=\"a\\\"b\""},
    {"{client_id: '\"a*\"'}", "client_id=\"a*\""},
    {"{client_id: '\"a*\"*'}", "client_id=\"a*\"*"},
    {"{client_id: '\"plain\"'}", "client_id=plain"},
    {"{client_id: ['', '*']}", "client_id=\"\",*"},
    {"{client_id: [yes, 7, 'null', a\\b]}", "client_id=yes,7,null,a\\b"},
    {"{client_id: \"gr\\u00fcn\"}", "client_id=gr\xc3\xbcn"},
    {"{version: 3-, acks: -1, frame_size: 1MB-}",
	"version=3- acks=all frame_size=1MB-"},
    {"{listener: payments/public, src: [10.0.0.0/8, 'fd00::/64']}",
	"listener=payments/public src=10.0.0.0/8,fd00::/64"},
    {"|\n  topic=a\n  api=Fetch\n", "api=Fetch topic=a"},
};

START_TEST(matches_are_read)
{
	char text[1024];
	struct lp_rule_object rule;
	struct file file;

	snprintf(text, sizeof(text), "match: %s", good_matches[_i].yaml);
	open_file(&file, text);
	if (read_rule(&file, &rule) != 0)
		ck_abort_msg("%s", said(&file));
	ck_assert_str_eq(rule.match, good_matches[_i].text);
	close_file(&file);
}
END_TEST

static const struct {
	const char *yaml, *text;
} good_actions[] = {
    {"deny", "deny"},
    {"{deny: }", "deny"},
    {"{reset: {}}", "reset"},
    {"{limit: {bytes_per_second: 50MB, burst: 6MB, per: client_id}}",
	"limit bytes=50MB/s burst=6MB per=client_id"},
    {"{limit: {bytes_per_second: 50MB, burst: 5MB}}", "limit bytes=50MB/s"},
    {"{limit: {requests_per_second: 100, max_throttle: 500ms}, dscp: 8}",
	"limit requests=100/s max_throttle=500ms dscp=8"},
    {"{limit: {bytes: 1kB/s, requests: 7/s}}",
	"limit requests=7/s bytes=1kB/s"},
    {"{mirror: tap0, priority: 7}", "allow priority=7 mirror=tap0"},
    {"{dscp: 46, allow: {}}", "allow dscp=46"},
    {"{priority: 0, route: {broker: 3}}", "route broker=3 priority=0"},
    {"limit  bytes=1MB/s", "limit bytes=1MB/s"},
};

START_TEST(actions_are_read)
{
	char text[1024];
	struct lp_rule_object rule;
	struct file file;

	snprintf(text, sizeof(text), "action: %s", good_actions[_i].yaml);
	open_file(&file, text);
	if (read_rule(&file, &rule) != 0)
		ck_abort_msg("%s", said(&file));
	ck_assert_str_eq(rule.action, good_actions[_i].text);
	close_file(&file);
}
END_TEST

/*
 * Of each rule in the file, behind "===", all that is said, with the places:
 * behind "---".  With LP_GOLDEN=write only the rules in it are to be there.
 */
static void
say(FILE *out, const char *yaml)
{
	struct lp_rule_object rule;
	struct file file;
	char *text;
	int rc;

	open_file(&file, yaml);
	rc = read_rule(&file, &rule);
	text = said(&file);
	fprintf(out, "===\n%s---\n%s", yaml, text);
	ck_assert_msg(rc != 0, "%s", yaml);
	free(text);
	close_file(&file);
}

START_TEST(mistakes_are_shown_where_they_are)
{
	static char rules[SUPPORT_BYTES_MAX];
	char *got;
	size_t size;
	FILE *in = fopen(GOLDEN "/declaration_rule.txt", "r");
	FILE *out = open_memstream(&got, &size);
	unsigned count = 0;

	ck_assert_ptr_nonnull(in);
	rules[fread(rules, 1, sizeof(rules) - 1, in)] = '\0';
	fclose(in);

	for (const char *at = strstr(rules, "===\n"); at;
	     at = strstr(at, "===\n")) {
		const char *end = strstr(at, "---\n");
		char *yaml;

		at += strlen("===\n");
		ck_assert_ptr_nonnull(end);
		yaml = strndup(at, (size_t)(end - at));
		say(out, yaml);
		free(yaml);
		count++;
	}
	fclose(out);
	ck_assert_uint_gt(count, 50);
	support_golden("declaration_rule", "txt", got);
	free(got);
}
END_TEST

/* ---- both ways ---------------------------------------------------------- */

/* A rule as a list of one, on one line or several. */
static char *
print_rule(const char *match, const char *action, bool block)
{
	json_t *rule = json_pack("{s:o, s:o}", "match",
	    lp_declaration_json_rule_match(match), "action",
	    lp_declaration_json_rule_action(action));
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(rule);
	lp_yaml_print_item(out, rule, 0, block);
	json_decref(rule);
	fclose(out);
	return text;
}

static void
read_again(const char *match, const char *action, bool block, uint64_t seed)
{
	char *text = print_rule(match, action, block);
	struct lp_rule_object rule = {0};
	struct file file;
	const struct lp_yaml_node *map;

	open_file(&file, text);
	map = lp_yaml_root(file.yaml)->children;
	ck_assert_msg(lp_declaration_rule_match(rule.match,
			  lp_yaml_get(map, "match"), file.report) == 0 &&
		lp_declaration_rule_action(
		    rule.action, lp_yaml_get(map, "action"), file.report) == 0,
	    "LP_TEST_SEED=%llu: %s", (unsigned long long)seed, said(&file));
	ck_assert_msg(
	    strcmp(rule.match, match) == 0 && strcmp(rule.action, action) == 0,
	    "LP_TEST_SEED=%llu: %s | %s is not %s | %s:\n%s",
	    (unsigned long long)seed, rule.match, rule.action, match, action,
	    text);
	close_file(&file);
	free(text);
}

/* UTF-8 (RFC 3629). */
static size_t
put_character(char *to, uint32_t code)
{
	size_t len = code < 0x80 ? 1
	    : code < 0x800       ? 2
	    : code < 0x10000     ? 3
				 : 4;

	to[0] = (char)code;
	if (len > 1)
		to[0] = (char)((0xf00 >> len) | code >> 6 * (len - 1));
	for (size_t i = 1; i < len; i++)
		to[i] = (char)(0x80 | (code >> 6 * (len - 1 - i) & 0x3f));
	return len;
}

/* Of characters that YAML, or the language, gives a meaning to, and others. */
static void
draw_text(char text[LP_RULE_MATCH_SIZE], uint64_t *random)
{
	static const uint32_t codes[] = {' ', ' ', '"', '\\', '\'', '*', ',',
	    ':', '#', '-', '?', '!', '%', '@', '`', '{', '[', ']', '}', '&',
	    '|', '>', '<', '=', '~', '.', '0', '7', 'e', 'x', 'n', 'y', 0xa0,
	    0xe9, 0x2028, 0x2029, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xfffe,
	    0xffff, 0x10000, 0x1f407, 0x10ffff};
	size_t len = (size_t)sprintf(text, "client_id=\"");

	for (unsigned i = random_between(random, 0, 8); i > 0; i--) {
		uint32_t code = codes[random_next(random) %
		    (sizeof(codes) / sizeof(*codes))];

		if (code == '"' || code == '\\')
			text[len++] = '\\';
		len += put_character(text + len, code);
	}
	strcpy(text + len, random_percent(random, 30) ? "\"*" : "\"");
}

static void
run(uint64_t seed)
{
	uint64_t random = seed;
	struct lp_rule_match match;
	struct lp_rule_error error;
	char text[LP_RULE_MATCH_SIZE], action[LP_RULE_ACTION_SIZE];

	rules_match(&match, &random, FIELDS);
	lp_rule_match_print(text, &match);
	rules_action(action, &random);
	read_again(text, action, seed % 2 == 0, seed);
	draw_text(text, &random);
	ck_assert_msg(lp_rule_match_parse(&match, text, &error) == 0, "%s: %s",
	    text, error.why);
	lp_rule_match_print(text, &match);
	read_again(text, action, seed % 2 == 0, seed);
}

START_TEST(what_is_printed_reads_the_same)
{
	unsigned seeds = random_seeds(SEEDS);
	uint64_t seed;

	if (random_seed_given(&seed)) {
		run(seed);
		return;
	}
	for (seed = 1; seed <= seeds; seed++)
		run(seed);
}
END_TEST

static Suite *
declaration_rule_suite(void)
{
	Suite *suite = suite_create("declaration_rule");
	TCase *tcase = tcase_create("core");

	tcase_add_loop_test(tcase, matches_are_read, 0,
	    sizeof(good_matches) / sizeof(good_matches[0]));
	tcase_add_loop_test(tcase, actions_are_read, 0,
	    sizeof(good_actions) / sizeof(good_actions[0]));
	tcase_add_test(tcase, mistakes_are_shown_where_they_are);
	tcase_add_test(tcase, what_is_printed_reads_the_same);
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(declaration_rule_suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
